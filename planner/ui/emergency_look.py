"""What the page of emergency coverage looks at: which list, by which standards, and its check, here or at the desk."""

import threading

import streamlit as st

from planner.settings import GOALS
from planner.ui.draft import change
from planner.ui.emergency_check import Memory, covered, inside, near_from, near_here, near_key, told
from planner.ui.emergency_stations import (
    Listing,
    begun,
    stations_now,
    stations_planned,
    wished_ids,
)
from planner.ui.fields import choice, number, switch
from planner.ui.frame import group
from planner.ui.sheets import text

LOOKS = ("now", "list", "plan", "edit")
LOOK, NEXT = "em-look", "em-look-next"


def settings(frame):
    """Draw the settings of the page in the side bar: standards, and what is asked of new stations."""
    words, measure = frame.words, frame.draft.value("travel_measure")
    unit = "minutes" if measure == "minutes" else "km"
    step, written = (1.0, "%g") if unit == "minutes" else (0.5, "%g")
    with frame.settings:
        group(words("page_emergency.standards"), words(f"page_emergency.unit_{measure}"))
        with st.container(key="em-standards"):
            for name in ("urban", "rural", "rural_preferred"):
                number(frame, f"{name}_{unit}", words(f"ui.{name}_km"), step, written)
            if measure == "straight":
                help = words("page_emergency.detour_help")
                number(frame, "detour_factor", words("page_emergency.detour"), 0.05, "%.2f", help=help)
            switch(
                frame, "stations_by_city", words("page_emergency.by_city"), help=words("page_emergency.by_city_help")
            )
        group(words("page_emergency.new_stations"), words("page_emergency.new_stations_unit"))
        with st.container(key="em-goal"):
            choice(frame, "stations_goal", words("ui.goal"), GOALS, lambda goal: words(f"ui.goal_{goal}"), hidden=True)
            number(frame, "stations_count", words("ui.count"), 1, "%d")
            number(
                frame,
                "spacing_km",
                words("page_emergency.spacing"),
                0.5,
                "%g",
                help=words("page_emergency.spacing_help"),
            )


def way_to_look(frame):
    """Draw the choice of what to look at and return it: one of ``LOOKS``."""
    words = frame.words
    if NEXT in st.session_state:
        st.session_state[LOOK] = st.session_state.pop(NEXT)
    st.session_state[LOOK] = st.session_state.get(LOOK) or LOOKS[0]  # it stays when the planner leaves the page
    with st.container(key="em-looks", horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            words("page_emergency.look"),
            LOOKS,
            required=True,
            format_func=lambda look: words(f"page_emergency.look_{look}"),
            key=LOOK,
            label_visibility="collapsed",
        )
        st.html(f'<p class="em-about">{text(words(f"page_emergency.about_{st.session_state[LOOK]}"))}</p>')
    return st.session_state[LOOK]


def look_at(look):
    """Look at another list from the next run on."""
    st.session_state[NEXT] = look


def looked_at(frame, prepared, look):
    """Return the :class:`Listing` that is looked at, None where there is none yet."""
    if look == "now":
        return listing_now(frame, prepared)
    if look == "plan":
        table = frame.answer.plan.tables["stations"]
        sites = prepared.station_sites(frame.scenario)
        stations = stations_planned(table, prepared.region, sites)
        return Listing("plan", frame.words("page_emergency.plan_label"), stations)
    if look == "list":
        return st.session_state.get("em-listing")
    history = history_now()
    if history is None:
        return None
    return Listing("edit", frame.words("page_emergency.edit_label"), history.now.stations)


def listing_now(frame, prepared):
    """Return the stations there are today: those listed, and assumed ones at the seats of the other counties."""
    stations = stations_now(prepared.station_sites(frame.scenario), frame.scenario)
    seats = stations["kind"].eq("seat").all()
    path = frame.scenario.existing_stations
    label = "" if seats else frame.words("page_emergency.now_label")
    return Listing("now", label, stations, path=path)


def wishes_of(frame):
    """Return the draft's (forced, forbidden) sites."""
    return tuple(frame.scenario.forced_sites), tuple(frame.scenario.forbidden_sites)


def wish_for(wishes):
    """Set the draft's (forced, forbidden) sites."""
    for field, names in zip(("forced_sites", "forbidden_sites"), wishes, strict=True):
        change(field, tuple(names))


def history_now():
    """Return the :class:`planner.ui.emergency_stations.History` of the edited list, None before there is one."""
    return st.session_state.get("em-history")


def keep_history(history):
    st.session_state["em-history"] = history


def begin(listing, wishes):
    """Begin an edited list as ``listing`` and look at it."""
    keep_history(begun(listing, wishes))
    look_at("edit")


# Many who ask for the same check at once wait for the first: together they would all work it out.
CHECKING = threading.RLock()


@st.cache_resource(show_spinner=False)
def memory():
    """Return what this server has worked out: checks of the same list are the same for everybody."""
    return Memory()


def checked(frame, prepared, listing):
    """Return the :class:`planner.ui.emergency_check.Found` of a list.

    None while the desk works out ways along roads (how far is drawn), (trouble,) where it could not.
    """
    scenario = frame.scenario
    with CHECKING:
        near = near_of(frame, prepared, listing.stations)
        if near is None or isinstance(near, tuple) and len(near) == 1:
            return near
        return _told(frame, prepared, listing, scenario, near)


def _told(frame, prepared, listing, scenario, near):
    coverage = covered(memory(), prepared, scenario, listing.stations, frame.words.lang, near)
    forced, forbidden = wished_ids(prepared.station_sites(scenario), scenario)
    history = history_now() if listing.kind == "edit" else None
    start = history.start.stations if history is not None else None
    wishes = {"forced": forced, "forbidden": forbidden, "start": start}
    return told(memory(), prepared, scenario, listing, coverage, frame.words, **wishes)


def near_of(frame, prepared, stations):
    """Return (amount, position) of the nearest station of each demand point; along roads as :func:`checked` says."""
    if frame.scenario.travel_measure == "straight":
        return near_here(memory(), prepared, frame.scenario, stations)
    return memory().get("near", near_key(frame.scenario, stations)) or _near_by_desk(frame, stations)


def inside_known(frame, prepared, stations):
    """Return whom a list covers (:func:`planner.ui.emergency_check.inside`) where it can be had at once, else None."""
    scenario = frame.scenario
    if scenario.travel_measure == "straight":
        near = near_here(memory(), prepared, scenario, stations)
    else:
        near = memory().get("near", near_key(scenario, stations))
    return None if near is None else inside(prepared, scenario, near)


def _near_by_desk(frame, stations):
    key, asked = near_key(frame.scenario, stations), st.session_state.get("em-job")
    if asked is None or asked[0] != key:
        if asked is not None and not asked[1].over:
            frame.desk.leave(asked[1], frame.me)
        asked = st.session_state["em-job"] = key, frame.desk.coverage(frame.scenario, stations, frame.me)
    job = asked[1]
    if not job.over:
        _wait(job, frame.words)
        return None
    if job.trouble:
        st.session_state.pop("em-job")
        return (job.trouble,)
    return near_from(memory(), frame.scenario, stations, job.result)


@st.fragment(run_every=0.5)
def _wait(job, words):
    """Say how far a check along roads is, and draw the page again when it is there."""
    if job.over:
        st.rerun()
    key = "page_emergency.on_roads_waiting" if job.began is None else "page_emergency.on_roads"
    st.html(f'<p class="jy-status">◐ {text(words(key, seconds=f"{job.seconds:.0f}"))}</p>')
