"""总览: where do we stand - the plan in sentences, its map, and every city against its targets."""

import streamlit as st

from planner.report.summary import bed_sentences
from planner.ui.frame import heading, say, sentences, standing, title
from planner.ui.maps import plan_map
from planner.ui.sheets import glance_html
from planner.ui.tables import table

FIRST = ("beds_by_city", "beds_by_county", "access_summary")  # beds are there before the rest
SAID = 5


def draw(frame):
    """Draw the page."""
    title(frame)
    begun = standing(frame, *FIRST)
    there = begun and frame.answer.whole
    if there:
        sentences(frame.text.summary.headline[:SAID])
    else:
        sentences(bed_sentences(frame.tables, frame.words) if begun else ())
    with st.container(key="stage"):
        left, right = st.columns([8, 3], gap="small")
        with left:
            plan_map(frame, there)
        if there:
            right.html(glance_html(frame.tables, frame.words))
    if not begun:
        return
    words = frame.words
    heading(words("table.beds_by_city.title"))
    table(frame, "beds_by_city")
    if there and len(frame.text.summary.headline) > SAID:
        heading(words("page.overview_more"))
        for line in frame.text.summary.headline[SAID:]:
            say(line)
