"""急救覆盖: is everyone within the standard of a station, who is not, and what would one more station do."""

from dataclasses import replace

import streamlit as st

from planner.report.names import place_names
from planner.report.summary import thousands
from planner.ui.brought import placed
from planner.ui.emergency_check import counts, limits_said
from planner.ui.emergency_edit import (
    follow_event,
    mode_now,
    plate_mode,
    said_of_edit,
    toolbar,
    tools,
)
from planner.ui.emergency_files import bring, downloads
from planner.ui.emergency_look import (
    checked,
    looked_at,
    memory,
    settings,
    way_to_look,
)
from planner.ui.emergency_plan import plan_part
from planner.ui.emergency_sheets import MOST_ROWS, areas_html, glance_html, places_html, stations_html
from planner.ui.frame import heading, running, say, sentences, show_trouble, standing, title
from planner.ui.ground import prepared_here
from planner.ui.plate import plate, told

MAP_KEY = "emergency-map"
MAP_HEIGHT = 560
PLAN_TABLES = ("stations",)


def draw(frame):
    """Draw the page."""
    words = frame.words
    title(frame)
    settings(frame)
    look = way_to_look(frame)
    if frame.scenario is None:
        _empty(words, "unfit")
        return
    prepared = prepared_here(frame.scenario, words)
    _of_this_region(frame.scenario.region)
    if look == "list":
        bring(frame, prepared)
    if look != "plan":
        running(frame)
    there = look != "plan" or standing(frame, *PLAN_TABLES)
    listing = looked_at(frame, prepared, look) if there else None
    if listing is None:
        _without(frame, look)
        return
    event = told(MAP_KEY)
    if event is not None and follow_event(frame, prepared, listing, event):
        st.rerun()
    found = checked(frame, prepared, listing)
    if found is None:  # along roads: it is under way, and says so
        _map(frame, None, withdrawn=True)
        return
    if isinstance(found, tuple):
        show_trouble(found[0], words)
        return
    _result(frame, prepared, listing, found)
    if look == "plan":
        plan_part(frame)


def _of_this_region(region):
    """Forget lists of another region: its stations are nowhere here."""
    if st.session_state.setdefault("em-region", region) != region:
        for key in ("em-history", "em-listing", "em-read", "em-file", "em-sheet", "em-job"):
            st.session_state.pop(key, None)
        st.session_state["em-region"] = region


def _result(frame, prepared, listing, found):
    words, coverage = frame.words, found.coverage
    sentences(found.headline)
    for note in listing.notes:
        say(f"◇ {placed(note, words)}", quiet=True)
    if listing.kind == "list":
        say(words("page_emergency.only_these"), quiet=True)
    before = None
    with st.container(key="em-stage"):
        toolbar(words)
        left, right = st.columns([8, 3], gap="small")
        with right:
            if listing.kind == "edit":
                before = said_of_edit(frame, prepared, coverage)
            people = counts(coverage)
            st.html(glance_html(people, limits_said(coverage, words), words, before))
            tools(frame, prepared, listing)
        with left:
            _map(frame, found.sheet)
    _tables(frame, found, of_plan=listing.kind == "plan")
    _how(frame, found)


def _map(frame, sheet, *, withdrawn=False):
    """Draw the map in its place; without a sheet the last one, pale."""
    if sheet is not None:
        st.session_state["em-sheet"] = sheet
    sheet = st.session_state.get("em-sheet")
    if sheet is None:
        return
    with st.container(key="em-map"):
        edit = {"mode": plate_mode()} if mode_now() else None
        plate(sheet, key=MAP_KEY, height=MAP_HEIGHT, withdrawn=withdrawn, edit=edit)


def _without(frame, look):
    """Draw what stands where there is nothing to check yet: why, and the one next step."""
    if look == "plan":
        _map(frame, None, withdrawn=True)
    elif look == "list":
        if not st.session_state.get("em-file"):
            _empty(frame.words, "no_list")
    else:
        _empty(frame.words, "no_edit")


def _empty(words, key):
    st.html(
        f'<div class="jy-empty em-empty"><h3>{words(f"page_emergency.empty.{key}.what")}</h3>'
        f"<p>{words(f'page_emergency.empty.{key}.how')}</p></div>"
    )


# -- below the map -----------------------------------------------------------------------------------------------------


def _sheets(found, kind, words):
    """Return (HTML document, its height) of one table of a check."""
    names, far = place_names(found.checked.region, words), found.coverage.far
    frame = found.said[f"checked_{kind}"]
    if kind == "places":
        return places_html(frame, far, words)
    if kind == "stations":
        return stations_html(frame, far, names, words)
    return areas_html(frame, words, cities=names if kind == "counties" else None)


def _tables(frame, found, *, of_plan):
    words, held = frame.words, memory()
    kinds = ("places", "cities", "counties", "stations")
    known = held.get("sheets", id(found))
    if known is None or known[0] is not found:
        known = held.put("sheets", id(found), (found, {kind: _sheets(found, kind, words) for kind in kinds}))
    sheets = known[1]
    heading(words("page_emergency.tables"), words("page_emergency.tables_unit"))
    tabs = st.tabs([words(f"page_emergency.tab.{kind}") for kind in kinds])
    for kind, tab in zip(kinds, tabs, strict=True):
        name = f"checked_{kind}"
        rows = len(found.said[name])
        with tab:
            page, height = sheets[kind]
            st.iframe(page, height=height)
            if kind == "places" and rows > MOST_ROWS:
                shown = {"shown": thousands(MOST_ROWS), "count": thousands(rows)}
                say(words("page_emergency.first_rows", **shown), quiet=True)
            say(words(f"table.{name}.note"), quiet=True)
            # Stations of a plan are handed out once it is verified, and with its warning where it is not proven.
            if of_plan and frame.answer.interim and frame.text.summary is not None:
                found = replace(found, headline=(frame.text.summary.interim, *found.headline))
            downloads(frame, found, name, ready=not of_plan or frame.answer.checks is not None)


def _how(frame, found):
    """Draw how the figures were worked out, and what of them is modelled or assumed."""
    words = frame.words
    with st.expander(words("page_emergency.how")):
        say(found.summary.rule)
        for line in ("modelled", "assumed"):
            say(words(f"page_emergency.how_{line}"))
        if frame.scenario.stations_by_city:
            say(words("page_emergency.how_by_city"))
        for line in found.summary.sources:
            say(line, quiet=True)
