"""Tables of an answer on a page: sortable, with the notes that say what they rest on."""

import streamlit as st

from planner.report.columns import ALL_TABLES
from planner.ui.once import once
from planner.ui.sheets import sheet_html, text


def table(frame, name, *, tables=None, rows=None, noted=True):
    """Draw a table of the answer, or of ``tables``; ``rows`` keeps those for which it is true."""
    words = frame.words
    if tables is None and rows is None:
        page, height = once(frame.tables, ("sheet", name), lambda: sheet_html(name, frame.tables, words))
    else:
        tables = frame.tables if tables is None else tables
        if rows is not None:
            tables = {**tables, name: tables[name][rows]}
        page, height = sheet_html(name, tables, words)
    st.iframe(page, height=height)
    if not noted:
        return
    notes = [words(f"table.{name}.note")]
    if ALL_TABLES[name].counted and frame.text.summary is not None:
        notes.append(frame.text.summary.rule)
    st.html('<div class="jy-notes">' + "".join(f"<p>{text(note)}</p>" for note in notes) + "</div>")
