"""One run of the page: settings, then the state that holds - under way, withdrawn, in trouble or answered."""

import logging
import os

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from geo.faults import Rejected
from geo.words import LANGUAGES, load_words
from planner.ui.desk import DONE, Desk
from planner.ui.panel import settings_panel
from planner.ui.progress import follow
from planner.ui.result import (
    show_downloads,
    show_glance,
    show_interim,
    show_lead,
    show_map,
    show_scenario_file,
    show_status,
    show_tables,
)
from planner.ui.settings import differences, question
from planner.ui.sheets import text
from planner.ui.style import icon, page_css
from planner.ui.worker import trouble_of

# The map of a withdrawn result: its place is kept, nobody can take it for the current one.
PALE = "<style>.st-key-map iframe{opacity:.2;filter:grayscale(1);pointer-events:none}</style>"

REASONS = 16  # told on the page; an infeasible plan names a dozen places


def draw():
    """Draw the page; whatever goes wrong is said in words."""
    st.session_state.setdefault("lang", _first_language())
    words = load_words(st.session_state["lang"])
    st.set_page_config(
        page_title=words("ui.page_title"), page_icon=icon(), layout="wide", initial_sidebar_state="expanded"
    )
    st.html(page_css())
    try:
        _draw(words)
    except Exception as error:  # a rerun or a stop of Streamlit's is none
        if not isinstance(error, Rejected) and os.environ.get("JINYI_DEBUG"):
            logging.getLogger(__name__).exception("the page could not be drawn")
        _trouble(trouble_of(error), words)


def _draw(words):
    panel = settings_panel(words)
    desk, me = open_desk(), _session()
    job = _asked(desk, panel, me, words.lang)
    if job is None:
        _header(panel.base.title, words)
        return
    current = panel.scenario is not None and question(panel.scenario) == job.key
    if job.state == DONE:
        st.session_state["shown"] = job
        if current and words.lang not in job.result.texts:
            job = desk.text(job, words.lang, me)
    if current and job.state == DONE:
        _answered(desk, st.session_state["shown"], panel, me, words)
    else:
        _unanswered(desk, job, panel, current, words)


def _first_language():
    lang = os.environ.get("JINYI_LANG", "")
    return lang if lang in LANGUAGES else LANGUAGES[0]


@st.cache_resource(show_spinner=False)
def open_desk():
    """Return the one desk of this server."""
    return Desk(is_open=_is_open)


def _is_open(session):
    return not exists() or get_instance().is_active_session(session)


def _session():
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _asked(desk, panel, me, lang):
    """Return the job of this page: asked for at first opening and whenever the button is pressed."""
    job = st.session_state.get("job")
    if panel.scenario is not None and (job is None or panel.pressed):
        new = desk.study(panel.scenario, lang, me)
        if job is not None and job is not new:
            desk.leave(job, me)
        st.session_state["job"] = job = new
    return job


def _answered(desk, job, panel, me, words):
    answer = job.result
    _header(panel.scenario.title, words)
    with st.container(key="notice"):
        show_interim(answer, words)
        show_status(answer, words)
    with st.container(key="lead"):
        show_lead(answer, words)
    with st.container(key="stage"):
        left, right = st.columns([8, 3], gap="small")
        with left:
            show_map(answer, words)
        with right:
            show_glance(answer, words)
    with st.container(key="below"):
        show_downloads(desk, job, panel.base, me, words)
        show_tables(answer, words)


def _unanswered(desk, job, panel, current, words):
    """Show why there is no answer to show; the last map stays, pale and without figures, so that its place is kept."""
    shown = st.session_state.get("shown")
    _header((panel.scenario or panel.base).title, words)
    with st.container(key="notice"):
        st.html(f'{PALE}<p class="jy-status">&nbsp;</p>')
    with st.container(key="lead"):
        if not current:
            _withdrawn(job, panel, words)
        elif job.over:
            _trouble(job.trouble, words)
            show_scenario_file(job.scenario, panel.base, words)
        elif shown is None:
            st.html(f'<div class="jy-lead blank">{"<p></p>" * 5}</div>')
        else:
            _anew(shown, job, panel, words)
    if current and job.over:
        return
    with st.container(key="stage"):
        left, right = st.columns([8, 3], gap="small")
        with left:
            if shown is None:
                st.html(f'<div class="jy-empty"><h3>{words("ui.first")}</h3><p>{words("ui.first_run")}</p></div>')
            else:
                show_map(shown.result, words)
        with right:
            if not job.over:
                follow(desk, job, words)


def _anew(shown, job, panel, words):
    if job.kind == "text":
        _note(words("ui.other_language"), words("ui.other_language_how"), ())
        return
    changes = differences(shown.scenario, job.scenario, panel.city_names, words)
    _note(words("ui.anew"), words("ui.withdrawn_how" if changes else "ui.anew_same"), changes)


def _withdrawn(job, panel, words):
    if panel.scenario is None:
        _note(words("ui.withdrawn"), words("ui.withdrawn_unfit"), ())
        return
    changes = differences(job.scenario, panel.scenario, panel.city_names, words)
    _note(words("ui.withdrawn" if job.over else "ui.withdrawn_running"), words("ui.withdrawn_how"), changes)


def _note(heading, said, changes):
    listed = "<ul>" + "".join(f"<li>{text(change)}</li>" for change in changes) + "</ul>" if changes else ""
    st.html(f'<div class="jy-note"><h3>◇ {text(heading)}</h3><p>{text(said)}</p>{listed}</div>')


def _trouble(trouble, words):
    told = trouble.reasons(words.lang)
    reasons = "".join(_reason(line) for line in told[:REASONS])
    if len(told) > REASONS:
        reasons += f"<li>{words('ui.more_reasons', count=len(told) - REASONS)}</li>"
    heading, remedy = (words(f"ui.trouble.{trouble.kind}.{part}") for part in ("what", "remedy"))
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    st.html(f'<div class="jy-note alarm"><h3>▲ {heading}</h3>{listed}<p>{remedy}</p></div>')


def _reason(line):
    below = ' class="sub"' if line[:1].isspace() else ""
    return f"<li{below}>{text(line.strip())}</li>"


def _header(title, words):
    with st.container(key="head"):
        left, right = st.columns([8, 2], gap="small", vertical_alignment="center")
        left.html(f'<h1 class="jy-h1">{text(title)}</h1>')
        right.segmented_control(
            words("ui.language"),
            LANGUAGES,
            required=True,
            format_func={"zh": "中文", "en": "English"}.get,
            key="lang",
            label_visibility="collapsed",
        )
