"""What surrounds every page: the scenario that is tried out, its answer as far as there is one, and how that stands."""

from dataclasses import dataclass
from functools import cached_property

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from geo.words import LANGUAGES, Words
from planner.scenario import BED_TARGETS
from planner.settings import SETTINGS, TABLE_SETTINGS, said_place
from planner.ui.desk import DONE, FAILED, Desk
from planner.ui.draft import Draft, the_draft, undo_all
from planner.ui.progress import follow, hear, wait_for_news
from planner.ui.results import remember
from planner.ui.settings import city_names, differences, place_names, question
from planner.ui.sheets import proof_text, text
from planner.ui.shelf import shelf

FIRST_PART = {"emergency": "emergency", "centres": "centres"}  # the part of a plan that a page shows; else beds
REASONS = 16  # told on the page; an infeasible plan names a dozen places
FIELDS = {setting.key: setting.field for setting in SETTINGS}


@dataclass(frozen=True)
class Frame:
    """What a page has to draw with.

    page      its name; words: of the language that is chosen; me: this session
    desk      where questions are asked
    draft     :class:`planner.ui.draft.Draft`: what is tried out
    job       :class:`planner.ui.desk.Job` of the last question of this session, None before there is one
    settings  a container of the side bar for the settings that belong to the page
    """

    page: str
    words: Words
    me: str
    desk: Desk
    draft: Draft
    job: object
    settings: object

    @property
    def scenario(self):
        """Return the scenario of the draft; None where its settings do not fit."""
        return self.draft.scenario

    @property
    def current(self):
        """Whether the last question is the one that the settings ask."""
        return self.scenario is not None and self.job is not None and question(self.scenario) == self.job.key

    @cached_property
    def answer(self):
        """Return the :class:`planner.ui.worker.Answer` to the settings as they are, the fullest there is, or None.

        It may lack parts (``answer.whole``) or the verification (``answer.checks`` is None): the page says so.
        """
        return self._told[1] if self._told else None

    @property
    def answered(self):
        """Return the :class:`Job` whose answer this is."""
        return self._told[0] if self._told else None

    @cached_property
    def _told(self):
        if not self.current or self.job.result is None or self.job.trouble:
            return None
        full = self.job.whole
        job = full if full is not None and full.state == DONE else self.job
        if self.words.lang in job.result.texts:
            return job, job.result
        if job.over and job.result.whole:
            self.desk.text(job, self.words.lang, self.me)
        return None

    @property
    def text(self):
        """Return the answer's :class:`planner.ui.worker.Text` in the chosen language."""
        return self.answer.texts[self.words.lang]

    @property
    def tables(self):
        """Return the answer's tables, names in the chosen language; those that are not there yet are missing."""
        return self.text.tables

    def has(self, *tables):
        """Return whether the answer has these tables."""
        return self.answer is not None and all(name in self.tables for name in tables)

    @property
    def city_names(self):
        """Return {code: name} of the region's cities, in the documents' order."""
        return city_names(self.draft.base.scenario.region, self.words.lang)


def opened(page, words):
    """Draw the side bar and ask what is to be asked; return the :class:`Frame` of a page."""
    desk, me, draft = open_desk(), session(), the_draft(words)
    with st.sidebar:
        with st.container(key="brand"):
            _brand(words)
        shelf(draft, desk.folder, words)
        settings = st.container(key="settings")
        with st.container(key="go"):
            pressed = _go(draft, words)
    job = _asked(desk, draft, page, me, words, pressed)
    if job is not None:
        hear(job)
    frame = Frame(page, words, me, desk, draft, job, settings)
    if frame.answer is not None and frame.answer.checks is not None:
        remember(job.key, frame.answer)
    return frame


@st.cache_resource(show_spinner=False)
def open_desk():
    """Return the one desk of this server."""
    return Desk(is_open=_is_open)


def _is_open(session):
    return not exists() or get_instance().is_active_session(session)


def session():
    """Return what this session is known by at the desk."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _brand(words):
    left, right = st.columns([5, 4], gap="small", vertical_alignment="center")
    left.html(f'<div class="jy-brand"><b>{words("ui.brand")}</b></div>')
    right.segmented_control(
        words("ui.language"),
        LANGUAGES,
        required=True,
        format_func={"zh": "中文", "en": "EN"}.get,
        key="lang",
        label_visibility="collapsed",
    )


def _go(draft, words):
    """Draw what was changed and the button that asks; return whether it was pressed."""
    names = place_names(draft.base.scenario.region, words.lang)
    for fault in draft.faults:
        st.html(f'<p class="jy-fault">{text(_said(fault, names, words))}</p>')
    if draft.changed:
        with st.container(horizontal=True, key="changed", vertical_alignment="center"):
            st.html(f'<p class="jy-changed">◇ {words("ui.changed", count=_count(draft))}</p>')
            st.button(words("ui.undo_all"), key="undo-all", on_click=undo_all, type="tertiary")
    return st.button(
        words("ui.compute"), type="primary", width="stretch", key="compute", disabled=draft.scenario is None
    )


def _count(draft):
    """Return how many settings were changed, places of a table one by one."""
    count = 0
    for field, value in draft.changes.items():
        base = getattr(draft.base.scenario, field)
        if isinstance(value, dict):
            count += sum(value.get(place) != base.get(place) for place in {*value, *base})
        else:
            count += 1
    return count


def _said(fault, names, words):
    """Return a fault of a setting as the page calls it, without the file and line that nobody wrote."""
    setting = next((each for each in TABLE_SETTINGS if fault.column.startswith(f"{each.key}.")), None)
    field, label = FIELDS.get(fault.column, fault.column), fault.column
    if setting is not None:
        place = said_place(setting, fault.column.removeprefix(f"{setting.key}."), names, words)
        label = f"{words(f'report.setting.{setting.field}')} · {place}"
        if setting.key == BED_TARGETS:
            label = words("ui.target_of", city=place)
    elif f"report.setting.{field}" in words:
        label = words(f"report.setting.{field}")
    return words("ui.fault", label=label, said=words(f"fault.{fault.key}", **fault.params))


def _asked(desk, draft, page, me, words, pressed):
    """Return the session's job: asked for at first opening and whenever the button is pressed, and followed up."""
    job = st.session_state.get("job")
    if draft.scenario is not None and (job is None or pressed):
        new = desk.study(draft.scenario, words.lang, me, FIRST_PART.get(page, "beds"))
        if job is not None and job is not new:
            desk.leave(job, me)
        st.session_state["job"] = job = new
    elif draft.scenario is not None and question(draft.scenario) != job.key:
        known = desk.answered(draft.scenario, me)  # settings of before: their answer is there
        if known is not None:
            if not job.over:
                desk.leave(job, me)
            st.session_state["job"] = job = known
    if job is not None and job.state == DONE and not job.result.interim and (pressed or not _failed(job.whole)):
        desk.full(job, words.lang, me)
    return job


def _failed(job):
    return job is not None and job.state == FAILED


# -- how the answer stands ---------------------------------------------------------------------------------------------


def title(frame, *, about=True):
    """Draw a page's heading; ``about``: with the scenario that is tried out."""
    scenario = (frame.scenario or frame.draft.base.scenario).title
    beside = f"<small>{text(scenario)}</small>" if about else ""
    st.html(f'<h1 class="jy-h1">{text(frame.words(f"page.{frame.page}"))}{beside}</h1>')


def standing(frame, *tables):
    """Draw how the answer stands, and return whether there is one with these tables to show.

    A withdrawn result says what was changed, a failed one why, one under way how far it is; an answer that is not
    proven or not yet verified is labelled. The page goes on either way.
    """
    words, job = frame.words, frame.job
    with st.container(key="notice"):
        if job is None or not frame.current:
            _withdrawn(frame)
            return False
        if job.trouble:
            show_trouble(job.trouble, words)
            return False
        there = frame.has(*tables)
        if there:
            _status(frame)
        if not job.over:
            follow(frame.desk, job, frame.me, words, brief=there)
        else:
            wait_for_news(job, words)
            if frame.answer is None:
                _note(words("ui.other_language"), words("ui.other_language_how"), ())
    return there


def running(frame):
    """Draw in a line that a calculation is under way, on a page whose figures do not wait for it; keep its place."""
    with st.container(key="running"):
        if frame.job is not None and frame.current and not frame.job.over:
            follow(frame.desk, frame.job, frame.me, frame.words, brief=True)


def _status(frame):
    answer, words = frame.answer, frame.words
    proofs = list(answer.plan.proofs.values())
    proven = [proof for proof in proofs if proof.status == "optimal"]
    near = [proof for proof in proofs if proof.status == "within_gap"]
    if answer.interim:
        said = text(frame.text.summary.interim) if frame.text.summary else ""
        st.html(f'<div class="jy-note alarm"><h3>◐ {words("ui.interim")}</h3><p>{said}</p></div>')
    if answer.checks is None:
        parts = [f"◐ {words('ui.unverified')}"]
    else:
        parts = [f"● {words('ui.verified', count=len(answer.checks))}"]
    if proven:
        parts.append(f"● {words('ui.proven', count=len(proven))}")
    for proof in near:
        model = words(f"value.model.{proof.model}")
        parts.append(text(words("ui.open_proof", model=model, proof=proof_text(proof, words))))
    st.html('<p class="jy-status">' + "<span></span>".join(parts) + "</p>")


def _withdrawn(frame):
    words, job = frame.words, frame.job
    if frame.scenario is None:
        _note(words("ui.withdrawn"), words("ui.withdrawn_unfit"), ())
        return
    if job is None:
        return
    names = place_names(frame.scenario.region, words.lang)
    changes = differences(job.scenario, frame.scenario, names, words)
    _note(words("ui.withdrawn" if job.over else "ui.withdrawn_running"), words("ui.withdrawn_how"), changes)


def _note(heading, said, changes):
    listed = "<ul>" + "".join(f"<li>{text(change)}</li>" for change in changes) + "</ul>" if changes else ""
    st.html(f'<div class="jy-note"><h3>◇ {text(heading)}</h3><p>{text(said)}</p>{listed}</div>')


def show_trouble(trouble, words):
    """Draw why there is no answer, and what to do."""
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


# -- what every page draws with ----------------------------------------------------------------------------------------


def sentences(lines):
    """Draw one to five sentences that a planner can copy into a report; without any, keep their place.

    What stands below them - a map - is not taken for another when they go.
    """
    with st.container(key="lead"):
        if lines:
            st.html('<div class="jy-lead">' + "".join(f"<p>{text(line)}</p>" for line in lines) + "</div>")


def heading(said, unit=""):
    """Draw the heading of a part of the page."""
    st.html(f'<h3 class="jy-title">{text(said)}<small>{text(unit)}</small></h3>')


def say(said, *, quiet=False):
    """Draw a sentence; ``quiet`` for a note below something."""
    st.html(f'<p class="jy-say{" quiet" if quiet else ""}">{text(said)}</p>')


def group(said, unit=""):
    """Draw the heading of a group of settings in the side bar."""
    st.html(f'<h4 class="jy-group">{text(said)}<small>{text(unit)}</small></h4>')
