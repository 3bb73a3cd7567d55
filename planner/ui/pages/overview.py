"""总览: where do we stand - the plan in sentences, its map, and every city against its targets."""

import streamlit as st

from planner.ui.frame import heading, say, sentences, standing, title
from planner.ui.maps import plan_map
from planner.ui.sheets import glance_html
from planner.ui.tables import table

NEEDED = ("compliance",)  # the last table of a whole plan
SAID = 5


def draw(frame):
    """Draw the page."""
    title(frame)
    there = standing(frame, *NEEDED) and frame.answer.whole
    sentences(frame.text.summary.headline[:SAID] if there else ())
    with st.container(key="stage"):
        left, right = st.columns([8, 3], gap="small")
        with left:
            plan_map(frame, there)
        if there:
            right.html(glance_html(frame.tables, frame.words))
    if not there:
        return
    words = frame.words
    heading(words("table.beds_by_city.title"))
    table(frame, "beds_by_city")
    if len(frame.text.summary.headline) > SAID:
        heading(words("page.overview_more"))
        for line in frame.text.summary.headline[SAID:]:
            say(line)
