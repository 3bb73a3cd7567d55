"""The pages, one for each question a planner has; each has ``draw(frame)`` with a :class:`planner.ui.frame.Frame`."""
