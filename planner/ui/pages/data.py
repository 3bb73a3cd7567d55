"""数据: what is loaded, where it comes from and how it was checked; and a planner's own files, checked at the door."""

import streamlit as st

from planner.report.columns import TABLES
from planner.report.summary import thousands
from planner.ui.brought import FIELDS, bring, ending, faults_csv, said, template
from planner.ui.data_sheets import (
    checks_html,
    columns_html,
    faults_html,
    ground_facts,
    lines,
    preview_html,
    region_facts,
    settings_html,
    sources_html,
)
from planner.ui.draft import change, undo
from planner.ui.fields import switch
from planner.ui.frame import heading, say, sentences, standing, title
from planner.ui.ground import prepared_here, region_here
from planner.ui.sheets import lines_html, proofs_html, sections, text
from planner.ui.uploads import datum_of, uploader

TABS = ("loaded", "bring", "columns", "checks", "settings")
KINDS = ("stations", "facilities", "roads")
BROUGHT = "data-brought"  # {kind: Brought} of this session
MARKS = ("measured", "modelled", "assumed", "absent")


def draw(frame):
    """Draw the page."""
    title(frame)
    there = standing(frame) and frame.answer is not None and frame.answer.whole
    words, scenario = frame.words, frame.scenario or frame.draft.base.scenario
    region = region_here(scenario)
    sentences(_said(frame, region, there))
    tabs = dict(zip(TABS, st.tabs([words(f"page_data.tab_{tab}") for tab in TABS]), strict=True))
    with tabs["loaded"]:
        facts = st.empty()
        facts.html(lines(region_facts(region, scenario, words)))
        heading(words("report.sources"))
        st.html(sources_html(region, words))
    with tabs["bring"]:
        _bring(frame, region)
    with tabs["columns"]:
        _columns(words)
    with tabs["checks"]:
        _checks(frame, there)
    with tabs["settings"]:
        _settings(frame, there)
    prepared = prepared_here(scenario, words)  # the first time takes seconds: last, so that all else is there already
    facts.html(lines([*region_facts(region, scenario, words), *ground_facts(prepared, words)]))


def _said(frame, region, there):
    words, counties = frame.words, region.counties
    figures = {name: thousands(counties[name].sum()) for name in ("persons", "urban", "rural")}
    lines = [words("page_data.say_region", cities=len(region.cities), counties=len(counties), **figures)]
    if there:
        plan = frame.answer.plan
        key = "same" if plan.people_in == plan.people_out else "differ"
        people = {"people_in": thousands(plan.people_in), "people_out": thousands(plan.people_out)}
        lines.append(words(f"page_data.say_people_{key}", **people))
        if frame.answer.checks is not None:
            lines.append(words("page_data.say_checks", count=len(frame.answer.checks)))
    return lines


def _columns(words):
    for mark in MARKS:
        say(words(f"report.mark_{mark}"))
    name = st.selectbox(
        words("page_data.which_table"),
        list(TABLES),
        format_func=lambda name: words(f"table.{name}.title"),
        key=f"data-table-{words.lang}",
        filter_mode=None,
    )
    st.html(columns_html(name, words))
    say(words(f"table.{name}.note"), quiet=True)


def _checks(frame, there):
    words = frame.words
    if not there:
        say(words("page_data.no_answer"), quiet=True)
        return
    heading(words("report.verification"), words("page_data.checks_unit"))
    checks = frame.answer.checks
    if checks is None:
        say(f"◐ {words('ui.unverified')}")
    else:
        st.html(checks_html(checks, words))
    heading(words("report.proofs"), words("page_data.proofs_unit"))
    st.html(proofs_html(frame.answer.plan.proofs, words))


def _settings(frame, there):
    words = frame.words
    if not there:
        say(words("page_data.no_answer"), quiet=True)
        return
    cover = dict(sections(frame.text.cover))
    changed_only = st.toggle(words("page_data.changed_only"), key="data-changed-only")
    st.html(settings_html(cover[words("report.settings")], words, changed_only=changed_only))
    for key in ("overrides", "cleaned"):
        if cover.get(words(f"report.{key}")):
            heading(words(f"report.{key}"))
            st.html(f'<div class="jy-basis">{lines_html(cover[words(f"report.{key}")])}</div>')


# -- a planner's own files ---------------------------------------------------------------------------------------------


def _bring(frame, region):
    words = frame.words
    kind = st.segmented_control(
        words("page_data.kind"),
        KINDS,
        required=True,
        default=KINDS[0],
        format_func=lambda kind: words(f"page_data.kind_{kind}"),
        key=f"data-kind-{words.lang}",
        label_visibility="collapsed",
    )
    say(words(f"page_data.about_{kind}"))
    datum = ""
    with st.container(key="data-bring"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
        with left:
            file = uploader(words(f"page_data.bring_{kind}"), words, key=f"data-file-{kind}")
        if kind == "stations":
            with right:
                datum = datum_of(words, key=f"data-datum-{words.lang}")
        if kind in ("stations", "facilities"):
            right.download_button(
                words("page_data.template"),
                data=template(kind),
                file_name=words(f"page_data.template_{kind}"),
                mime="text/csv",
                key=f"data-template-{kind}",
                on_click="ignore",
            )
    if file is not None:
        _read(frame, kind, file, region, datum)
    held = st.session_state.get(BROUGHT, {}).get(kind)
    if held is not None:
        _show(frame, held[1])
    _in_use(frame, kind)


def _read(frame, kind, file, region, datum):
    """Read a file that was brought, once for each file and datum."""
    held = st.session_state.setdefault(BROUGHT, {})
    key = (file.file_id, datum, str(region.folder))
    if held.get(kind, (None,))[0] != key:
        with st.spinner(frame.words("page_data.reading"), show_time=False):
            held[kind] = key, bring(frame.desk, kind, file.name, file.getvalue(), region, datum=datum)


def _show(frame, brought):
    words, kind = frame.words, brought.kind
    if brought.faults:
        st.html(faults_html(brought, words))
        st.download_button(
            words("page_data.faults_file"),
            data=faults_csv(brought.faults, words),
            file_name=words("page_data.faults_name"),
            mime="text/csv",
            key=f"data-faults-{kind}",
            on_click="ignore",
        )
        return
    counts = {what: thousands(count) for what, count in brought.counts.items()}
    read = words(f"page_data.read_{kind}", name=brought.name, **counts)
    listed = "".join(f"<li>{text(each)}</li>" for each in _notes(brought, words))
    st.html(f'<div class="jy-note"><h3>● {text(read)}</h3>{f"<ul>{listed}</ul>" if listed else ""}</div>')
    if brought.rows is not None:
        heading(words("page_data.preview"), words("page_data.preview_unit", total=thousands(len(brought.rows))))
        st.html(preview_html(brought, words))
    used = frame.draft.value(FIELDS[kind]) == brought.path
    with st.container(horizontal=True, key="data-use"):
        st.button(
            words(f"page_data.use_{kind}"),
            key=f"use-{kind}",
            type="primary",
            disabled=used,
            on_click=_use,
            args=(kind, brought.path, frame.draft.value("travel_measure")),
        )
        if used:
            st.html(f'<p class="jy-say">● {text(words("page_data.used"))}</p>')


def _notes(brought, words):
    """Return what should be told of a file that is good."""
    counts = {what: thousands(count) for what, count in (brought.counts or {}).items()}
    notes = [said(note, words) for note in brought.notes]
    if brought.report is not None:
        notes += brought.report.tell(words)
    if brought.kind == "stations" and brought.counts["without"]:
        notes.append(words("page_data.stations_without", **counts))
    if brought.kind == "stations" and brought.counts["vehicles_given"] < brought.counts["stations"]:
        missing = thousands(brought.counts["stations"] - brought.counts["vehicles_given"])
        notes.append(words("page_data.stations_no_vehicles", missing=missing))
    return notes


def _use(kind, path, measure):
    """Have the draft's setting name the file; roads are used by a measure along roads."""
    change(FIELDS[kind], path)
    if kind == "roads" and measure == "straight":
        change("travel_measure", "road")


def _in_use(frame, kind):
    """Draw which file the settings name now, and the way back from it."""
    words, field = frame.words, FIELDS[kind]
    named = frame.draft.value(field)
    with st.container(horizontal=True, key="data-in-use", vertical_alignment="center"):
        now = ending(named) or words(f"page_data.none_{field}")
        st.html(f'<p class="jy-say quiet">{text(words("page_data.now"))}{text(now)}</p>')
        if named != getattr(frame.draft.base.scenario, field):
            st.button(words("page_data.undo"), key=f"undo-{kind}", on_click=_undo, args=(kind,), type="tertiary")
    if kind == "facilities" and named:
        switch(frame, "facilities_complete", words("report.setting.facilities_complete"))


def _undo(kind):
    undo(FIELDS[kind])
    if kind == "roads":
        undo("travel_measure")
