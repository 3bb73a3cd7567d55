"""A table on the page that tells which of its cells was chosen; its headings sort, as those of every table do."""

from functools import cache, partial

import streamlit as st

from planner.ui.style import asset


def grid(body, *, key, on_pick, label=""):
    """Show ``body``, HTML in which every text from data is escaped; call ``on_pick(id)`` for what is chosen in it.

    body   of a table; what can be chosen is a button with ``data-pick="id"``, a heading that sorts holds one with
           ``data-sort`` ("figure" or "text"), and a cell may hold ``data-value``, what it is sorted by
    label  what a screen reader calls it

    ``on_pick`` is called before the page's script runs, as Streamlit's own callbacks are.
    """
    told = st.session_state.get(f"{key}-told", 0)
    data = {"body": body, "label": label, "told": told}
    _component()(key=key, data=data, on_picked_change=partial(_told, key, on_pick))


def _told(key, on_pick):
    picked = st.session_state[key].get("picked")
    told = f"{key}-told"
    if not isinstance(picked, dict) or picked.get("n", 0) <= st.session_state.get(told, 0):
        return  # told again, in case it was not heard
    st.session_state[told] = picked["n"]
    on_pick(str(picked["id"]))


@cache
def _component():
    return st.components.v2.component("jinyi_grid", js=asset("grid.js"), css=asset("grid.css"))
