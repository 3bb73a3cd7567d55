"""床位方案: targets, objectives and pins go in; beds by city and county come out, beside today and another result."""

import streamlit as st

from planner.report.summary import bed_sentences
from planner.settings import OBJECTIVES
from planner.ui.beds_counties import compared_with, county_editor
from planner.ui.beds_dots import dots_html
from planner.ui.draft import change, change_at, exact, generation
from planner.ui.fields import choice, number, number_at, ordered, slider, switch
from planner.ui.frame import group, heading, say, sentences, standing, title
from planner.ui.maps import plan_map
from planner.ui.once import once
from planner.ui.sheets import proofs_html
from planner.ui.tables import table

NEEDED = ("beds_by_city", "beds_by_county", "bed_rules")
MORE = ("bed_structure", "bed_rules", "bed_standards", "bed_objectives", "access_summary", "freezes", "bed_staff")
HEAVIEST = 10  # of an objective's weight


def draw(frame):
    """Draw the page."""
    with frame.settings:
        _settings(frame)
    words = frame.words
    title(frame)
    there = standing(frame, *NEEDED)
    sentences(bed_sentences(frame.tables, words) if there else ())
    plan_map(frame, there and frame.answer.whole)
    if not there:
        return
    other = compared_with(frame)
    names = ("counties", "cities", "against", "more", "basis")
    tabs = dict(zip(names, st.tabs([words(f"page_beds.tab_{name}") for name in names]), strict=True))
    with tabs["counties"]:
        county_editor(frame, other)
    with tabs["cities"]:
        table(frame, "beds_by_city")
    with tabs["against"]:
        say(words("page_beds.dots"))
        st.html(once(frame.tables, "dots", lambda: dots_html(frame.tables, words)))
    with tabs["more"]:
        _more(frame)
    with tabs["basis"]:
        _basis(frame)


def _settings(frame):
    words = frame.words
    group(words("ui.targets"), words("ui.targets_unit"))
    with st.container(key="targets"):
        targets = frame.draft.value("bed_targets")
        for code, name in frame.city_names.items():
            if code in targets:
                number_at(frame, "bed_targets", code, name, 0.1)
    group(words("page_beds.rule"))
    choice(
        frame,
        "beds_rule",
        words("page_beds.rule"),
        ("exact", "up_to"),
        lambda each: words(f"page_beds.rule_{each}"),
        hidden=True,
    )
    group(words("page_beds.objectives"), words("page_beds.objectives_unit"))
    ordered(
        frame,
        "beds_objectives",
        words("page_beds.objectives"),
        OBJECTIVES,
        lambda word: words(f"value.objective.{word}"),
        help=words("page_beds.objectives_help"),
        then=_keep_weights,
    )
    _weights(frame)
    slider(
        frame,
        "beds_leeway",
        words("page_beds.leeway"),
        0,
        20,
        1,
        written="%d%%",
        shown=lambda value: round(float(value) * 100),
        to=lambda given: exact(given / 100),
        help=words("page_beds.leeway_help"),
    )
    switch(frame, "beds_guard", words("page_beds.guard"), help=words("page_beds.guard_help"))
    group(words("page_beds.limits"))
    number(frame, "beds_budget", words("page_beds.budget"), 10_000, "%d", help=words("page_beds.budget_help"))
    number(frame, "beds_county_cap", words("page_beds.county_cap"), 0.1, help=words("page_beds.county_cap_help"))
    number(frame, "beds_reach_km", words("page_beds.reach_km"), 5.0, help=words("page_beds.reach_km_help"))


def _keep_weights(objectives):
    """Let weights be those of the objectives: what is sought no more has none, what is new counts 1."""
    base, changes = st.session_state["base"].scenario, st.session_state["changes"]
    weights = changes.get("beds_weights", base.beds_weights)
    if weights:
        change("beds_weights", {word: weights.get(word, 1.0) for word in objectives})


def _weights(frame):
    """Draw whether the objectives count together by weights instead of one after the other, and the weights."""
    words, weights = frame.words, frame.draft.value("beds_weights")
    key = f"weighted-{generation()}"

    def weigh():
        objectives = frame.draft.value("beds_objectives")
        change("beds_weights", dict.fromkeys(objectives, 1.0) if st.session_state[key] else {})

    st.toggle(
        words("page_beds.weighted"),
        value=bool(weights),
        key=key,
        on_change=weigh,
        help=words("page_beds.weighted_help"),
    )
    if not weights:
        return
    for word in frame.draft.value("beds_objectives"):
        at = f"weight-{word}-{generation()}"
        st.slider(
            words(f"value.objective.{word}"),
            0,
            HEAVIEST,
            round(weights.get(word, 0)),
            key=at,
            on_change=lambda word=word, at=at: change_at("beds_weights", word, float(st.session_state[at])),
        )


def _more(frame):
    words = frame.words
    for name in MORE:
        if frame.has(name) and len(frame.tables[name]):
            heading(words(f"table.{name}.title"))
            if name == "bed_objectives" and not frame.answer.full:
                say(words("page_beds.prices_later"), quiet=True)
            table(frame, name)


def _basis(frame):
    """Draw how the beds were worked out: the way from target to county, and how far it is proven."""
    words = frame.words
    for key in ("how_total", "how_now", "how_rules", "how_levels", "how_whole", "how_pins"):
        say(words(f"page_beds.{key}"))
    heading(words("report.proofs"))
    proofs = {name: proof for name, proof in frame.answer.plan.proofs.items() if name.startswith("beds")}
    st.html(proofs_html(proofs, words))
