"""区域中心: which regional centres serve whom, how far that is, and what the documents' choice costs."""

import streamlit as st

from planner.standards import load_standards
from planner.ui.centre_map import centre_map
from planner.ui.centre_parts import bands_html, centre_sentences
from planner.ui.fields import number, several
from planner.ui.frame import group, heading, say, sentences, standing, title
from planner.ui.sheets import proofs_html, text
from planner.ui.tables import table

NEEDED = ("centres", "centres_free", "catchments", "catchments_free")
NAMING = ("beds_by_city", "beds_by_county")  # tables that the others take the names of places from
CLAUSES = ("taiyuan_medical_summit", "one_axis_four_centres")
DETOUR_STEP = 0.05


def draw(frame):
    """Draw the page."""
    _settings(frame)
    title(frame)
    there = standing(frame, *NEEDED)
    words = frame.words
    sentences(centre_sentences(frame.tables, frame.answer.plan, words) if there else ())
    with st.container(key="stage"):
        left, right = st.columns([8, 3], gap="small")
        with left:
            centre_map(frame, there and frame.answer.whole)
        if there:
            right.html(bands_html(frame.tables, words))
    if not there:
        return
    if frame.has(*NAMING):
        _tables(frame)
    _how(frame)


def _settings(frame):
    words, names = frame.words, frame.city_names
    with frame.settings:
        group(words("page_centres.settings"))
        for field in ("national_centres", "provincial_centres"):
            label, hint = words(f"page_centres.{field}"), words("page_centres.choose")
            several(frame, field, label, list(names), lambda code: names.get(code, code), placeholder=hint)
        group(words("page_centres.ways"))
        help = words("page_centres.detour_help")
        number(frame, "detour_factor", words("page_centres.detour"), DETOUR_STEP, "%.2f", help=help)


def _tables(frame):
    words = frame.words
    with st.container(key="centre-tables"):
        left, right = st.columns(2, gap="medium")
        for column, name in ((left, "centres"), (right, "centres_free")):
            with column:
                heading(words(f"table.{name}.title"))
                table(frame, name)
    heading(words("table.catchments.title"))
    table(frame, "catchments", rows=_of_centres(frame))


def _of_centres(frame):
    """Draw the choice of centres whose counties are listed; return the rows, None for all."""
    words, centres, near = frame.words, frame.tables["centres"], frame.tables["catchments"]
    names = dict(zip(centres["city_code"], centres["name"], strict=True))
    counts = near["centre_city_code"].value_counts()
    chosen = st.pills(
        words("page_centres.of"),
        list(names),
        selection_mode="multi",
        format_func=lambda code: f"{names.get(code, code)} {counts.get(code, 0)}",
        key=f"centres-of-{words.lang}",
    )
    return near["centre_city_code"].isin(chosen) if chosen else None


def _how(frame):
    words, plan, standards = frame.words, frame.answer.plan, load_standards()
    with st.expander(words("page_centres.how")):
        for part in ("documents", "free", "price"):
            say(words(f"page_centres.how_{part}"))
        st.html(proofs_html({"centres_free": plan.proofs["centres_free"]}, words))
        rows = "".join(
            f"<tr><td>{text(each.name(words.lang))}</td><td>{text(each.document)}</td><td>{text(each.clause)}</td></tr>"
            for each in (standards[id] for id in CLAUSES)
        )
        st.html(f'<table class="jy-lines"><tbody>{rows}</tbody></table>')
