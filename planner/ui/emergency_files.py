"""Files of the page of emergency coverage: the list that a planner brings, and the tables to take along."""

import hashlib
import tempfile
from pathlib import Path

import streamlit as st

from geo.faults import Rejected
from geo.stations import load_stations
from planner.report.columns import checked_tables
from planner.report.cover import Line
from planner.report.coverage_report import coverage_tables, in_words, write_coverage
from planner.report.tables import write_csv
from planner.report.workbook import write_book
from planner.ui.brought import placed, refusal
from planner.ui.emergency_stations import Listing, stations_listed
from planner.ui.files import kept
from planner.ui.sheets import text
from planner.ui.uploads import datum_of, uploader
from planner.ui.worker import pack

FILE, DATUM, READ, LISTING = "em-file", "em-datum", "em-read", "em-listing"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def bring(frame, prepared):
    """Draw where a planner brings a list; what is wrong with it is told, all at once."""
    words = frame.words
    with st.container(key="em-bring"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
        with left:
            brought = uploader(words("page_emergency.bring"), words, key="em-upload", type=["csv"])
        if brought is not None:
            st.session_state[FILE] = brought.name, brought.getvalue()
        st.session_state[DATUM] = st.session_state.get(DATUM) or ""
        with right:
            datum_of(words, key=DATUM)
    _read(frame, prepared)
    read = st.session_state.get(READ)
    if read and read[1]:
        _faults(read[1], words)


def _read(frame, prepared):
    """Read the list that was brought, once for each file and datum."""
    if FILE not in st.session_state:
        return
    (name, content), datum = st.session_state[FILE], st.session_state[DATUM]
    key = hashlib.sha256(content).hexdigest(), name, datum, str(prepared.region.folder)
    if st.session_state.get(READ, (None,))[0] == key:
        return
    faults, listing = (), None
    try:
        too_much = refusal("stations", name, content)
        if too_much:
            raise Rejected([too_much])
        path = kept(frame.desk, name, content)
        with st.spinner(frame.words("page_emergency.reading")):
            stations = load_stations(path, prepared.region, datum=datum or None)
        notes = tuple(stations.attrs["notes"])
        listing = Listing("list", path.name, stations_listed(stations), notes, datum, str(path))
    except Rejected as rejected:
        faults = rejected.faults
    st.session_state[READ], st.session_state[LISTING] = (key, faults), listing


def _faults(faults, words):
    lines = "".join(f"<li>{text(placed(fault, words))}</li>" for fault in faults)
    head = words("page_emergency.faults", count=len(faults))
    st.html(
        f'<div class="jy-note alarm em-faults"><h3>▲ {text(head)}</h3><ol>{lines}</ol>'
        f"<p>{text(words('page_emergency.faults_how'))}</p></div>"
    )


# -- to take along -----------------------------------------------------------------------------------------------------


def downloads(frame, found, name, *, ready=True):
    """Draw the buttons that hand out one table, and the whole check; not ``ready``, they give nothing yet."""
    words = frame.words
    sheet = words(f"table.{name}.sheet")
    files = {
        "csv": (f"{sheet}.csv", "text/csv", lambda: csv_of(found, name)),
        "xlsx": (f"{sheet}.xlsx", XLSX, lambda: xlsx_of(found, name, words)),
        "zip": (f"{words('page_emergency.zip_name')}.zip", "application/zip", lambda: zip_of(found, words)),
    }
    with st.container(horizontal=True, key=f"em-files-{name}", gap="small"):
        for kind, (file, mime, make) in files.items():
            st.download_button(
                words(f"page_emergency.download_{kind}"),
                make,
                file,
                mime,
                key=f"em-{kind}-{name}",
                on_click="ignore",
                disabled=not ready,
            )


def csv_of(found, name):
    """Return one published table as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_csv(name, coverage_tables(found.checked)[0][name], path, checked_tables(found.coverage.far))
        return path.read_bytes()


def xlsx_of(found, name, words):
    """Return one table as a workbook with the sentences of the check before it."""
    summary = found.summary
    lines = [Line("title", (summary.title,)), Line("quiet", (summary.subtitle,))]
    lines += [Line("text", (line,)) for line in found.headline]
    lines += [Line("heading", (words("report.rule_title"),)), Line("text", (summary.rule,))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        said = in_words(found.checked, coverage_tables(found.checked)[0], words)
        write_book({name: said[name]}, lines, summary, path, words, checked_tables(found.coverage.far))
        return path.read_bytes()


def zip_of(found, words):
    """Return the whole check as ``jinyi coverage`` writes it, packed."""
    with tempfile.TemporaryDirectory() as folder:
        out, target = Path(folder) / "coverage", Path(folder) / "coverage.zip"
        write_coverage(found.checked, out, words)
        pack(out, target)
        return target.read_bytes()
