"""The site: its pages by the planner's questions, one frame around them all."""

import importlib
import logging
import os

import streamlit as st

from geo.faults import Rejected
from geo.words import LANGUAGES, load_words
from planner.ui.frame import opened, show_trouble
from planner.ui.style import icon, page_css
from planner.ui.worker import trouble_of

PAGES = ("overview", "beds", "emergency", "centres", "compare", "compliance", "data", "export")


def draw():
    """Draw the page that is asked for; whatever goes wrong is said in words."""
    st.session_state.setdefault("lang", _first_language())
    words = load_words(st.session_state["lang"])
    title = words("ui.page_title")
    st.set_page_config(page_title=title, page_icon=icon(), layout="wide", initial_sidebar_state="expanded")
    st.html(page_css())
    frame = {}
    pages = {name: _page(name, frame, words) for name in PAGES}
    st.session_state["pages"] = pages  # where links lead
    chosen = st.navigation(list(pages.values()), position="top")
    try:
        # Drawn here and not by the page: what a planner chose in the frame stays when the page changes.
        frame["drawn"] = opened(chosen.url_path or PAGES[0], words)
        chosen.run()
    except Exception as error:  # a rerun or a stop of Streamlit's is none
        if not isinstance(error, Rejected) and os.environ.get("JINYI_DEBUG"):
            logging.getLogger(__name__).exception("the page could not be drawn")
        show_trouble(trouble_of(error), words)


def _page(name, frame, words):
    def show():
        importlib.import_module(f"planner.ui.pages.{name}").draw(frame["drawn"])

    return st.Page(show, title=words(f"page.{name}"), url_path=name, default=name == PAGES[0])


def _first_language():
    lang = os.environ.get("JINYI_LANG", "")
    return lang if lang in LANGUAGES else LANGUAGES[0]
