"""Which scenarios are held against each other, and the answers to those that have none yet, asked one after another."""

from dataclasses import dataclass

import streamlit as st

from geo.faults import Rejected
from planner.scenario import Scenario
from planner.store import StoreTrouble
from planner.ui import draft as drafts
from planner.ui.desk import RUNNING
from planner.ui.progress import now_text
from planner.ui.results import remember, results
from planner.ui.settings import question
from planner.ui.sheets import text
from planner.ui.shelf import laid_out, the_store
from planner.ui.worker import trouble_of

DRAFT, SHIPPED, KEPT, SEEN = "draft", "shipped", "kept", "seen"
MOST_OTHERS = 3
MINE = (DRAFT, "")
FIRST, OTHERS, ROUND, RUN, FAILED = (f"compare-{part}" for part in ("first", "others", "round", "run", "failed"))


@dataclass(frozen=True)
class Chosen:
    """One scenario that was chosen, by its place on the list; None with ``trouble`` where it could not be read."""

    id: tuple
    title: str
    scenario: Scenario | None
    trouble: object = None

    @property
    def key(self):
        return question(self.scenario)


# -- the list ----------------------------------------------------------------------------------------------------------


def listed(frame):
    """Return {id: title} of all that can be compared: what is tried out, shipped ones, kept ones, others seen here."""
    words, known = frame.words, {}
    if frame.scenario is not None:
        known[MINE] = words("page_compare.mine", title=frame.scenario.title)
    mine = question(frame.scenario) if frame.scenario is not None else ""
    shipped = {(SHIPPED, name): scenario for name, scenario in drafts.shipped().items()}
    there = {mine, *(question(scenario) for scenario in shipped.values())}
    known |= {id: scenario.title for id, scenario in shipped.items() if question(scenario) != mine}
    seen = {key: each.title for key, each in results().items() if key not in there}
    for entry in _entries():
        known[KEPT, entry.id] = words("shelf.mine", title=entry.title)
        if entry.title in seen.values():  # the same, seen and kept, is listed once
            kept = _kept(entry.id, entry.revision, frame)
            if kept.scenario is not None:
                seen.pop(kept.key, None)
                if kept.key == mine:
                    del known[KEPT, entry.id]
    return known | {(SEEN, key): words("page_compare.seen", title=title) for key, title in seen.items()}


def _entries():
    try:
        return the_store().entries()
    except StoreTrouble:  # the side bar says so
        return ()


def _kept(id, revision, frame):
    """Return the :class:`Chosen` of a kept scenario; read once a session and revision."""
    read = st.session_state.setdefault("compare-kept", {})
    if (id, revision) not in read:
        try:
            saved = the_store().read(id, revision)
            read[id, revision] = Chosen((KEPT, id), saved.entry.title, laid_out(saved, frame.desk.folder))
        except (StoreTrouble, Rejected, OSError) as error:
            said = error.tell(frame.words) if isinstance(error, StoreTrouble) else None
            return Chosen((KEPT, id), "", None, said or trouble_of(error))
    return read[id, revision]


def choose(frame):
    """Draw the choice of a first and of one to three others; return the list of :class:`Chosen`, the first first."""
    words, known = frame.words, listed(frame)
    first, others = _standing(known)
    left, right = st.columns([3, 4], gap="small")

    def put(key, name):
        st.session_state[name] = st.session_state[key]
        st.session_state[FIRST] = st.session_state.get(FIRST, first)
        st.session_state[OTHERS] = list(st.session_state.get(OTHERS, others))[:MOST_OTHERS]
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1

    turn = f"{words.lang}-{st.session_state.get(ROUND, 0)}-{hash((first, tuple(others), tuple(known)))}"
    key_first, key_others = f"compare-first-{turn}", f"compare-others-{turn}"
    left.selectbox(
        words("page_compare.first"),
        list(known),
        index=list(known).index(first),
        format_func=lambda id: known.get(id, ""),
        key=key_first,
        on_change=put,
        args=(key_first, FIRST),
        filter_mode=None,
    )
    right.multiselect(
        words("page_compare.others", most=MOST_OTHERS),
        [id for id in known if id != first],
        others,
        format_func=lambda id: known.get(id, ""),
        key=key_others,
        on_change=put,
        args=(key_others, OTHERS),
        placeholder=words("page_compare.choose"),
    )
    return [chosen for chosen in (_chosen(id, known[id], frame) for id in (first, *others)) if chosen is not None]


def _standing(known):
    """Return (first, others) as chosen; before anything is: what was seen last against what is tried out."""
    first, others = st.session_state.get(FIRST), st.session_state.get(OTHERS)
    if others is None:
        seen = [id for id in known if id[0] == SEEN]
        first, others = (seen[-1], [MINE]) if seen and MINE in known else (next(iter(known)), [])
    if first not in known:
        first = next(iter(known))
    return first, [id for id in others if id in known and id != first]


def _chosen(id, title, frame):
    kind, which = id
    if kind == DRAFT:
        return Chosen(id, frame.scenario.title, frame.scenario)
    if kind == SHIPPED:
        scenario = drafts.shipped()[which]
        return Chosen(id, scenario.title, scenario)
    if kind == SEEN:
        seen = results().get(which)
        return None if seen is None else Chosen(id, seen.title, seen.answer.plan.scenario)
    entry = next((entry for entry in _entries() if entry.id == which), None)
    if entry is None:
        return None
    kept = _kept(which, entry.revision, frame)
    return kept if kept.scenario is not None else Chosen(id, title, None, kept.trouble)


# -- their answers -----------------------------------------------------------------------------------------------------


def answer_of(chosen, frame):
    """Return the verified whole answer to a chosen scenario that this session has, or None."""
    if chosen.scenario is None:
        return None
    job, seen = frame.job, results().get(chosen.key)
    if job is not None and job.key == chosen.key and job.over and not job.trouble and fit(job.result):
        return job.result
    return seen.answer if seen is not None and fit(seen.answer) else None


def fit(answer):
    """Whether an answer may be held against another: every part decided, every check passed."""
    return answer is not None and answer.whole and bool(answer.checks) and all(each.passed for each in answer.checks)


def running(chosen, frame):
    """Return the :class:`Job` under way for a chosen scenario, None where there is none."""
    if chosen.scenario is None:
        return None
    run = st.session_state.get(RUN)
    jobs = [frame.job, run["job"] if run else None]
    return next((job for job in jobs if job is not None and not job.over and job.key == chosen.key), None)


def failed(chosen, frame):
    """Return the :class:`planner.ui.worker.Trouble` of a chosen scenario's last question, None where there is none."""
    if chosen.scenario is None:
        return chosen.trouble
    if frame.job is not None and frame.job.key == chosen.key and frame.job.trouble:
        return frame.job.trouble
    return st.session_state.get(FAILED, {}).get(chosen.key)


def ask(lacking):
    """Begin to ask for what has no answer; for ``on_click``. ``lacking`` are questions, in their order."""
    st.session_state[RUN] = {"left": list(lacking), "job": None}
    st.session_state[FAILED] = {}


def advance(frame, chosen):
    """Take in the answer that has come and ask for the next; what is no longer chosen is let go."""
    run = st.session_state.get(RUN)
    by_key = {each.key: each for each in chosen if each.scenario is not None}
    while run:
        job = run["job"]
        if job is not None and not job.over and job.key in by_key:
            return
        if job is not None:
            _take_in(job, frame)
        run["left"] = [key for key in run["left"] if key in by_key and answer_of(by_key[key], frame) is None]
        if not run["left"]:
            del st.session_state[RUN]
            return
        run["job"] = frame.desk.study(by_key[run["left"].pop(0)].scenario, frame.words.lang, frame.me, "beds")


def _take_in(job, frame):
    if not job.over:
        _let_go(job, frame)
    elif job.trouble:
        st.session_state.setdefault(FAILED, {})[job.key] = job.trouble
    elif fit(job.result):
        remember(job.key, job.result)


def _let_go(job, frame):
    if job is not frame.job:  # which this session still waits for
        frame.desk.leave(job, frame.me)


def cancel(frame):
    """Ask for no more, and leave what is under way; for ``on_click``."""
    run = st.session_state.pop(RUN, None)
    if run and run["job"] is not None:
        _take_in(run["job"], frame)


@st.fragment(run_every=1.0)
def follow_run(frame, job):
    """Show how far the question under way is; when it is answered the page is drawn again."""
    words = frame.words
    if job.over:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="compare-run-line"):
        count = len(st.session_state.get(RUN, {}).get("left", ()))
        after = f" · {words('page_compare.then', count=count)}" if count else ""
        stage = now_text(job, words) if job.state == RUNNING else words("ui.waiting")
        said = words("page_compare.running", title=job.scenario.title, seconds=f"{job.seconds:.0f}")
        st.html(f'<p class="jy-status">◐ {text(said)}　{text(stage)}{text(after)}</p>')
        if RUN in st.session_state:
            st.button(words("page_compare.cancel"), key=f"compare-cancel-{job.number}", on_click=cancel, args=(frame,))
