"""The page: a panel of settings, a worker process that answers them, and one answer at a time, shown and handed out.

main         what Streamlit runs
page         one run of the script from top to bottom
panel        the settings a planner changes
progress     a question under way
result       an answer: sentences, map, figures, tables, downloads
settings     from what the panel holds to a scenario, and a scenario as a file (no Streamlit)
sheets       tables and lines as HTML (no Streamlit)
style        the page's look, from geo.theme (no Streamlit)
desk         questions in, answers out: the queue in front of the worker (no Streamlit)
worker       the process that computes (no Streamlit)
"""
