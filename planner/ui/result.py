"""An answer on the page: what it says in sentences, its map with the figures beside it, its tables, and its files."""

import streamlit as st

from planner.report.columns import TABLES
from planner.report.summary import gap_text
from planner.ui.settings import scenario_file
from planner.ui.sheets import (
    glance_html,
    lines_html,
    price_text,
    proof_text,
    proofs_html,
    sections,
    sheet_html,
    tally_text,
    text,
)

TABS = {
    "beds": ("beds_by_city", "beds_by_county"),
    "stations": ("stations", "station_tiers", "coverage_curve", "stations_alternative", "station_options"),
    "ambulances": ("ambulances_by_city", "ambulances_by_station"),
    "coverage": ("coverage_by_city", "coverage_by_county", "uncovered_places"),
    "centres": ("centres", "centres_free", "catchments"),
    "compliance": ("compliance",),
}
# Label, file within the folder (the zip stands beside it), what a browser is told it is.
FILES = {
    "workbook": ("plan.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "web_map": ("map.html", "text/html"),
    "print_pdf": ("map.pdf", "application/pdf"),
    "print_png": ("map.png", "image/png"),
    "layers": ("plan.gpkg", "application/geopackage+sqlite3"),
    "all": (".zip", "application/zip"),
}
MAP_PIXELS = 560
NOT_SHOWN = ("report.headline", "report.contents", "report.proofs")


def show_lead(answer, words):
    """Show the sentences a planner can copy."""
    summary = answer.texts[words.lang].summary
    st.html('<div class="jy-lead">' + "".join(f"<p>{text(line)}</p>" for line in summary.headline) + "</div>")


def show_interim(answer, words):
    """Show that an answer is not proven, where that is so."""
    if answer.interim:
        said = text(answer.texts[words.lang].summary.interim)
        st.html(f'<div class="jy-note alarm"><h3>◐ {words("ui.interim")}</h3><p>{said}</p></div>')


def show_status(answer, words):
    """Show how far an answer is checked and proven."""
    proofs = list(answer.plan.proofs.values())
    proven = [proof for proof in proofs if proof.status == "optimal"]
    near = [proof for proof in proofs if proof.status == "within_gap"]  # what is interim has a warning of its own
    parts = [f"● {words('ui.verified', count=len(answer.checks))}"]
    if proven:
        parts.append(f"● {words('ui.proven', count=len(proven))}")
    for proof in near:
        said = words("ui.open_proof", model=words(f"value.model.{proof.model}"), proof=proof_text(proof, words))
        parts.append(text(f"{said} {gap_text(proof.gap, words)}" if proof.gap else said))
    st.html('<p class="jy-status">' + "<span></span>".join(parts) + "</p>")


def show_map(answer, words):
    """Show the browser map: the same document as map.html, less the sentences that the page says itself."""
    said = answer.texts.get(words.lang) or next(iter(answer.texts.values()))
    with st.container(key="map"):
        st.iframe(said.map_html, height=MAP_PIXELS)


def show_glance(answer, words):
    """Show the few figures beside the map."""
    st.html(glance_html(answer.texts[words.lang].tables, words))


def show_tables(answer, words):
    """Show every table, and how the plan was worked out."""
    names = [*TABS, "basis"]
    for name, tab in zip(names, st.tabs([words(f"ui.tab.{name}") for name in names]), strict=True):
        with tab:
            if name == "basis":
                _basis(answer, words)
            else:
                _tables(name, answer, words)


def _tables(tab, answer, words):
    summary, tables = answer.texts[words.lang].summary, answer.texts[words.lang].tables
    for name in TABS[tab]:
        st.html(f'<h3 class="jy-title">{text(words(f"table.{name}.title"))}</h3>')
        if name == "centres":
            st.html(f'<p class="jy-say">{text(price_text(tables, answer.plan, words))}</p>')
        if name == "compliance":
            st.html(f'<p class="jy-say">{text(tally_text(tables[name], words))}</p>')
        page, height = sheet_html(name, tables, words)
        st.iframe(page, height=height)
        notes = [words(f"table.{name}.note")]
        if TABLES[name].counted:
            notes.append(summary.rule)
        st.html('<div class="jy-notes">' + "".join(f"<p>{text(note)}</p>" for note in notes) + "</div>")


def _basis(answer, words):
    hidden = {words(key) for key in NOT_SHOWN}
    st.html(f'<h3 class="jy-title">{words("report.proofs")}</h3>{proofs_html(answer.plan.proofs, words)}')
    for heading, lines in sections(answer.texts[words.lang].cover):
        if heading not in hidden:
            st.html(f'<h3 class="jy-title">{text(heading)}</h3><div class="jy-basis">{lines_html(lines)}</div>')


def show_downloads(desk, job, base, me, words):
    """Show the files of an answer: written in the background, and handed out when they are there."""
    files = desk.files(job, words.lang, me)
    st.html(f'<h3 class="jy-title">{words("ui.downloads")}</h3>')
    with st.container(key="downloads"):
        if files.over:
            _buttons(desk, files, job, base, words)
        else:
            _await(desk, files, job, base, words)


@st.fragment(run_every=0.5)
def _await(desk, files, job, base, words):
    if files.over:
        st.rerun()
    _buttons(desk, files, job, base, words)


def _buttons(desk, files, job, base, words):
    scenario = job.result.plan.scenario
    ready = files.state == "done"
    with st.container(horizontal=True, gap="small"):
        for label, (name, mime) in FILES.items():
            path = None
            if ready:
                path = files.result.with_suffix(name) if name.startswith(".") else files.result / name
            st.download_button(
                words(f"ui.file.{label}"),
                data=path.read_bytes if ready else b"",
                file_name=f"{scenario.name}{name}" if name.startswith(".") else f"{scenario.name}-{name}",
                mime=mime,
                key=f"file-{label}",
                disabled=not ready,
                on_click="ignore",
                type="primary" if label == "workbook" and ready else "secondary",
            )
        show_scenario_file(scenario, base, words)
    if files.trouble:
        st.html(
            f'<p class="jy-fault">{words("ui.files_failed")} {text(" ".join(files.trouble.reasons(words.lang)))}</p>'
        )
    elif not ready:
        stage = files.stages[-1][0] if files.stages else "tables"
        st.html(f'<p class="jy-say quiet">{words("ui.files_pending", stage=_stage(stage, words))}</p>')


def show_scenario_file(scenario, base, words):
    """Show the button that hands out the settings as a scenario file."""
    st.download_button(
        words("ui.file.scenario"),
        data=scenario_file(scenario, base).encode(),
        file_name=f"{scenario.name}.toml",
        mime="application/toml",
        key="file-scenario",
        on_click="ignore",
    )


def _stage(name, words):
    return words(f"report.stage.{name}" if f"report.stage.{name}" in words else f"cli.stage.{name}")
