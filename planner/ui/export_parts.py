"""The files of an answer: what they are called, where they lie, and the print map as a picture for the page."""

import io

import streamlit as st

from planner.ui.desk import DONE, FAILED

# Label, file within the folder (the zip stands beside it), what a browser is told it is.
FILES = {
    "workbook": ("plan.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "print_pdf": ("map.pdf", "application/pdf"),
    "print_png": ("map.png", "image/png"),
    "web_map": ("map.html", "text/html"),
    "layers": ("plan.gpkg", "application/geopackage+sqlite3"),
    "all": (".zip", "application/zip"),
}
PREVIEW_PIXELS = 1100  # across; the file has several times as many


def file_name(scenario, label):
    """Return what a browser saves a file as; ``scenario`` is the scenario's name."""
    name = FILES[label][0]
    return f"{scenario}{name}" if name.startswith(".") else f"{scenario}-{name}"


def path_of(folder, label):
    """Return where a file lies."""
    name = FILES[label][0]
    return folder.with_suffix(name) if name.startswith(".") else folder / name


def megabytes(count):
    """Return a number of bytes as people say it."""
    return f"{count / 1024**2:,.1f} MB" if count >= 100 * 1024 else f"{count / 1024:,.1f} KB"


def waiting_for(frame, there):
    """Return what the files still wait for: "answer", "verify" or "full"; "" for nothing.

    They are made of the full answer. An interim one has nothing that could still come, nor has one whose completion
    failed: these are exported as they are.
    """
    if not there:
        return "answer"
    if frame.answer.checks is None:
        return "verify"
    full = frame.job.whole
    if frame.answer.full or frame.answer.interim or (full is not None and full.state == FAILED):
        return ""
    return "" if full is not None and full.state == DONE else "full"


@st.cache_data(show_spinner=False, max_entries=4)
def map_preview(path):
    """Return a PNG picture (bytes), ``PREVIEW_PIXELS`` across, of the print map at ``path``."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((PREVIEW_PIXELS, 4 * PREVIEW_PIXELS))
    file = io.BytesIO()
    small.save(file, "PNG")
    return file.getvalue()
