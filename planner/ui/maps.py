"""The map of a page: kept in its place while results come and go."""

import os

import streamlit as st

from planner.ui.plate import plate

HEIGHT = 560
TILES = "JINYI_TIANDITU_KEY"  # environment variable: without a key no tile is ever asked for


def plan_map(frame, there):
    """Draw the map of the answer; where there is none the last one, pale, so that its place is kept.

    there  whether the answer is whole
    """
    if there:
        st.session_state["sheet"] = frame.text.sheet
    sheet = st.session_state.get("sheet")
    with st.container(key="map"):
        if sheet is None:
            words = frame.words
            st.html(f'<div class="jy-empty"><h3>{words("ui.first")}</h3><p>{words("ui.first_run")}</p></div>')
        else:
            plate(sheet, key="plan-map", height=HEIGHT, withdrawn=not there, tiles_key=tiles_key())


def tiles_key():
    """Return the key of the base tiles that an office has set, None without one."""
    return os.environ.get(TILES) or None
