"""The map of a page: kept in its place while results come and go."""

import streamlit as st

try:
    from planner.ui.plate import plate
except ImportError:  # DEV
    from geo.maps import map_html

    def plate(view, *, key, height, withdrawn=False, edit=None):
        st.iframe(map_html(view), height=height)


HEIGHT = 560


def plan_map(frame, there):
    """Draw the map of the answer; where there is none the last one, pale, so that its place is kept.

    there  whether the answer is whole
    """
    if there:
        st.session_state["view"] = frame.text.view
    view = st.session_state.get("view")
    with st.container(key="map"):
        if view is None:
            words = frame.words
            st.html(f'<div class="jy-empty"><h3>{words("ui.first")}</h3><p>{words("ui.first_run")}</p></div>')
        else:
            plate(view, key="plan-map", height=HEIGHT, withdrawn=not there)
