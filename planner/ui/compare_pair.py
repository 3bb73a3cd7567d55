"""Two results held against each other: their differences made once for the page, shown as tables, written as files."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from geo.maps import sheet_of
from geo.region import load_region
from planner.compare import (
    MAP,
    WORKBOOK,
    compare,
    difference_view,
    named_tables,
    question_rows,
    result_of,
    summarise_comparison,
    write_comparison_book,
    write_comparison_map,
)
from planner.parcel import file_stem
from planner.report.columns import TABLES
from planner.report.names import place_names
from planner.report.tables import absent
from planner.standards import load_standards
from planner.ui.frame import heading, say
from planner.ui.sheets import text
from planner.ui.tables import table

SIDES = ("first", "second", "difference")
TABS = {
    "counties": ("compared_beds_by_county",),
    "cities": ("compared_beds_by_city",),
    "emergency": ("compared_emergency",),
    "access": ("compared_access",),
    "objectives": ("compared_objectives", "compared_rules"),
    "structure": ("compared_structure",),
}
SETTINGS = "settings"
FILES = {
    "book": (WORKBOOK, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "map": (MAP, "text/html"),
}
RESULTS_KEPT, PAIRS_KEPT = 8, 3
NAME_PART = 24  # characters of each title in a file's name


@st.cache_resource(show_spinner=False, max_entries=3)
def region_of(name):
    """Return the :class:`geo.region.Region` of a scenario. Raises :class:`geo.faults.Rejected`."""
    return load_region(name)


def as_result(answer, scenario):
    """Return the :class:`planner.compare.Result` of an answer, called as the chosen scenario is; made once."""
    kept = st.session_state.setdefault("compare-results", {})
    key = (id(answer.plan), scenario.name, scenario.title)  # the plan is kept with it: no other has its number
    if key not in kept:
        kept[key] = answer.plan, result_of(answer.plan, region_of(scenario.region), load_standards(), scenario)
        _keep_last(kept, RESULTS_KEPT)
    return kept[key][1]


def _keep_last(kept, most):
    for old in list(kept)[:-most]:
        del kept[old]


@dataclass(frozen=True)
class Comparison:
    """Two results and their differences: ``tables`` as published, ``named`` for reading; ``sheet`` is the map."""

    first: object
    second: object
    tables: dict
    named: dict
    summary: object
    sheet: object


def comparison_of(first, second, words):
    """Return the :class:`Comparison` of two results; the last ones of a session are made once.

    Raises :class:`planner.compare.CannotCompare`.
    """
    kept = st.session_state.setdefault("compare-made", {})
    key = (words.lang, id(first), id(second))
    if key not in kept:
        kept[key] = _made(first, second, words)
        _keep_last(kept, PAIRS_KEPT)
    return kept[key]


def _made(first, second, words):
    region, tables = region_of(first.scenario.region), compare(first, second)
    summary = summarise_comparison(first, second, tables, region, load_standards(), words)
    named = for_reading(named_tables(first, second, tables, region, words))
    sheet = sheet_of(difference_view(tables, region, summary, words))
    return Comparison(first, second, tables, named, summary, sheet)


def for_reading(tables):
    """Return the tables as the page lists them.

    Counties whose beds change most first; of owners and kinds the province and what changes; each objective's nature
    beside its figures.
    """
    counties, structure = tables["compared_beds_by_county"], tables["compared_structure"]
    order = counties["beds_difference"].abs().sort_values(ascending=False, kind="stable").index
    objectives, natures = tables["compared_objectives"], TABLES["bed_objectives"].natures
    nature = [natures.get(name, "") for name in objectives["objective"]]
    province = structure["area_code"].eq(structure["area_code"].iloc[0]) if len(structure) else []
    changed = structure["beds_difference"].map(lambda value: absent(value) or value != 0).astype(bool)
    return tables | {
        "compared_beds_by_county": counties.loc[order].reset_index(drop=True),
        "compared_structure": structure[province | changed] if len(structure) else structure,
        "compared_objectives": objectives.assign(**{f"nature_{side}": nature for side in SIDES}),
    }


def sheets_in(named):
    """Return the tables with those that the names of places are taken from."""
    return named | {"beds_by_city": named["compared_beds_by_city"], "beds_by_county": named["compared_beds_by_county"]}


def difference_tables(frame, made):
    """Draw the tables of differences, one kind a tab."""
    words, tables = frame.words, sheets_in(made.named)
    names = (*TABS, SETTINGS)
    tabs = dict(zip(names, st.tabs([words(f"page_compare.tab.{name}") for name in names]), strict=True))
    for tab, shown in TABS.items():
        with tabs[tab]:
            for name in shown:
                heading(words(f"table.{name}.title"))
                if name == "compared_structure":
                    say(words("page_compare.structure_shown"), quiet=True)
                table(frame, name, tables=tables)
    with tabs[SETTINGS]:
        st.html(settings_html(made, words))


def settings_html(made, words):
    """Return the settings, and the files, in which the two questions differ."""
    names = place_names(region_of(made.first.scenario.region), words)
    rows = question_rows(made.first, made.second, words, names)
    if not rows:
        return f'<p class="jy-say">{text(words("compare.same_question"))}</p>'
    heads = "".join(f"<th>{text(words(f'compare.{head}'))}</th>" for head in ("question", "first", "second"))
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="jy-lines jy-questions"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


# -- files -------------------------------------------------------------------------------------------------------------


def written(made, folder, words):
    """Return {"book", "map": bytes} as ``jinyi compare`` writes them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        write_comparison_book(made.first, made.second, made.tables, made.summary, place / WORKBOOK, words)
        write_comparison_map(made.tables, region_of(made.first.scenario.region), made.summary, place / MAP, words)
        return {label: (place / name).read_bytes() for label, (name, _) in FILES.items()}
    finally:
        shutil.rmtree(place, ignore_errors=True)


def downloads(frame, made):
    """Draw the button that has the files of a :class:`Comparison` written and, once they are, one button a file."""
    words = frame.words
    kept = st.session_state.get("compare-files", {})

    def write():
        try:
            done = {"files": written(made, frame.desk.folder / "compared", words)}
        except OSError as error:
            done = {"trouble": error.strerror or type(error).__name__}
        st.session_state["compare-files"] = done | {"made": made}

    heading(words("ui.downloads"))
    current = kept if kept.get("made") is made else {}
    with st.container(horizontal=True, key="compare-downloads", vertical_alignment="center"):
        if "files" not in current:
            st.button(words("page_compare.write"), key="compare-write", on_click=write)
            say(words("page_compare.write_about"), quiet=True)
        stem = "-".join(file_stem(side.scenario.title)[:NAME_PART].strip("-._") for side in (made.first, made.second))
        for label, content in current.get("files", {}).items():
            name, kind = FILES[label]
            st.download_button(
                words(f"page_compare.file_{label}", size=f"{len(content) / 1024:,.0f}"),
                data=lambda content=content: content,
                file_name=f"{stem}-{name}",
                mime=kind,
                key=f"compare-file-{label}",
                on_click="ignore",
            )
    if "trouble" in current:
        st.html(f'<p class="jy-fault">{text(words("page_compare.not_written", reason=current["trouble"]))}</p>')
