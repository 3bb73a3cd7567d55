"""The page's map: one sandboxed frame that stays while results come and go, and tells what a planner does on it."""

from functools import cache, partial

import streamlit as st

from geo.maps import Sheet, frame_html, sheet_in, sheet_of
from planner.ui.style import asset

MODES = ("look", "add", "move", "remove", "force", "forbid")


def plate(view, *, key, height, edit=None, withdrawn=False, tiles_key=None):
    """Show a map in its frame. What a planner does on it :func:`told` gives.

    view       a view of :mod:`geo.map_views`, a :class:`geo.maps.Sheet`, or the HTML of a map. Of the same kind and
               language as before it is drawn in place, with extent, layers and card kept; all plates of a page show
               the same extent
    height     CSS pixels
    edit       None or {"mode": one of ``MODES``}
    withdrawn  the map is of settings that hold no more: pale, and it takes no clicks
    tiles_key  of Tianditu; with it the map has base tiles to switch on
    """
    mode = (edit or {}).get("mode", "look")
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is not one of {', '.join(MODES)}")
    sheet = _sheet(view, tiles_key)
    told(key)  # one that nobody asked for, or made on a map that is withdrawn, is over
    _component()(
        key=key,
        height=height,
        data={
            "frame": frame_html(sheet.lang[:2], tiles_key),
            "frame_is": f"{sheet.kind} {sheet.lang} {bool(tiles_key)}",
            "title": sheet.title,
            "margin": sheet.margin,
            "payload": sheet.payload,
            "extent": sheet.extent,
            "mode": mode,
            "withdrawn": bool(withdrawn),
            "height": int(height),
            "told": st.session_state.get(f"{key}-told", 0),
        },
        on_event_change=partial(_keep, key),
    )


def told(key):
    """Return what a planner did on the map of this key: a dict, each event once, or None.

    To be asked, and followed, before the map is drawn: drawn, it tells its frame to send the next event, and that ends
    a run of the page's script which is still at the one before.

    An event has kind and n (it grows); lon and lat in degrees:
    "point" (add, force, forbid: a click on the map), "station" with id (remove, move, force, forbid: a click on a
    station), "move" with id (a station dropped at lon, lat), "barred" with id (remove, forbid: a click on a site that
    may not be taken; its id, or its name where it has none).
    """
    event = st.session_state.pop(f"{key}-event", None)
    if event is not None:
        st.session_state[f"{key}-told"] = event["n"]
    return event


def _keep(key):
    """Keep the event that a frame told until the page's script asks for it; called before the script runs."""
    event = st.session_state[key].get("event")
    if isinstance(event, dict) and event.get("n", 0) > st.session_state.get(f"{key}-told", 0):
        st.session_state[f"{key}-event"] = dict(event)


def _sheet(view, tiles_key):
    if isinstance(view, Sheet):
        return view
    return sheet_in(view) if isinstance(view, str) else sheet_of(view, tiles=bool(tiles_key))


@cache
def _component():
    return st.components.v2.component("jinyi_plate", js=asset("plate.js"), css=asset("plate.css"))
