"""The map of a page: kept in its place while results come and go."""

import os

import streamlit as st

from planner.ui.plate import plate

HEIGHT = 560
TILES = "JINYI_TIANDITU_KEY"  # environment variable: without a key no tile is ever asked for


def plan_map(frame, there, *, key="plan-map", sheet_of=lambda text: text.sheet):
    """Draw the map of the answer; where there is none the last one, pale, so that its place is kept.

    there     whether the answer is whole
    sheet_of  gives the :class:`geo.maps.Sheet` of the answer's text; the plan's own unless it is said otherwise
    """
    if there:
        st.session_state[f"{key}-sheet"] = sheet_of(frame.text)
    sheet = st.session_state.get(f"{key}-sheet")
    with st.container(key="map"):
        if sheet is None:
            words = frame.words
            st.html(f'<div class="jy-empty"><h3>{words("ui.first")}</h3><p>{words("ui.first_run")}</p></div>')
        else:
            plate(sheet, key=key, height=HEIGHT, withdrawn=not there, tiles_key=tiles_key())


def tiles_key():
    """Return the key of the base tiles that an office has set, None without one."""
    return os.environ.get(TILES) or None
