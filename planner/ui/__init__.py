"""The site: what planners see in their browser. It decides nothing; a process of its own does, and is polled.

main, serve, site     how it is started, and its navigation
frame, draft, fields  what surrounds every page: the settings tried out, their answer, how it stands
shelf, results        scenarios that are kept, and results this session has seen
desk, worker          questions in, answers out, by warm processes
progress, settings, files, ground    a question under way; scenarios and their files; the region in this process
plate, maps, grid, tables, sheets, style    maps, tables and the look
pages                 one module a page; its parts lie beside these with its name before them:
                      beds_*, emergency_*, centre_*, compare_*, clause* (compliance), data_* and brought, export_*
"""
