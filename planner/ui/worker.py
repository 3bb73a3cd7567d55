"""The process that computes: it keeps what it has prepared between questions, and dies with the page that started it.

It is asked ("study", scenario, lang) and answers ("answer", :class:`Answer`) with its texts in one language; asked
("text", answer, lang) it answers the same with one language more; asked ("files", answer, lang, folder) it fills the
folder and answers ("files", folder). In between it tells ("progress", stage, seconds, gap, best). Instead of an answer
it may tell ("trouble", :class:`Trouble`), or ("stopped",) where a stop came before there was one to give.
"""

import logging
import multiprocessing
import os
import shutil
import signal
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from geo.faults import Rejected, ScenarioRejected
from geo.words import LANGUAGES, load_words

PACKED = "all.zip"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment: the same files make the same bytes

# The page says title and sentences itself, above the map, where they would stand twice; the margin keeps the layers.
EMBEDDED = (
    "#head{display:none}body{grid-template-columns:clamp(204px,19vw,250px) 1fr}#margin{padding:4px 14px 12px}"
    "#layers fieldset:first-child{border-top:0}#foot{max-height:none}"
)


@dataclass(frozen=True)
class Text:
    """An answer in one language: tables with its names, summary and cover lines of planner.report, the map."""

    tables: Mapping
    summary: object
    cover: tuple
    map_html: str


@dataclass(frozen=True)
class Answer:
    """A verified plan, its :class:`Text` by language, the checks it passed, and what was cleaned from its names."""

    plan: object
    texts: Mapping[str, Text]
    checks: tuple
    cleaned: tuple

    @property
    def interim(self):
        """Whether a model was stopped before its proof."""
        return any(proof.status == "interim" for proof in self.plan.proofs.values())


@dataclass(frozen=True)
class Trouble:
    """Why there is no answer. ``kind`` names heading and remedy in ``ui.trouble``; ``said`` are reasons by language."""

    kind: str
    said: Mapping[str, tuple] = field(default_factory=dict)

    def reasons(self, lang):
        return self.said.get(lang, ())


class Stopped(Exception):
    """A stop was asked for while there was nothing to give yet."""


def serve(pipe, stop, folder):
    """Answer questions from ``pipe`` until it closes. ``stop`` is an event; ``folder`` goes with the page's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the page, which then ends this process
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    bench = Bench()
    while True:
        try:
            asked, *about = pipe.recv()
        except (EOFError, OSError):
            return

        def tell(stage, seconds=0.0, gap=None, best=None):
            pipe.send(("progress", stage, seconds, gap, best))

        try:
            reply = getattr(bench, asked)(*about, tell, stop)
        except Stopped:
            reply = ("stopped",)
        except Exception as error:  # whatever it is, the page has to say it in words
            if os.environ.get("JINYI_DEBUG"):
                logging.getLogger(__name__).exception("no answer")
            reply = ("trouble", trouble_of(error))
        pipe.send(reply)


def _end_with_parent(folder):
    multiprocessing.parent_process().join()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


class Bench:
    """What stays prepared between two questions: one region and its people's growth, with sites and distances."""

    def __init__(self):
        self._people = None
        self._prepared = None

    def study(self, scenario, lang, tell, stop):
        """Return ("answer", Answer). Raises what prepare, decide and verify raise, and :class:`Stopped`."""
        from planner.study import decide

        prepared = self._ready(scenario, tell, stop)
        plan = decide(prepared, scenario, tell, stop)
        return "answer", answer_of(plan, prepared, lang, tell)

    def text(self, answer, lang, tell, stop):
        """Return ("answer", Answer) with its texts in ``lang`` as well."""
        prepared = self._ready(answer.plan.scenario, tell, stop)
        tell("web_map")
        return "answer", in_words(answer, prepared, lang)

    def files(self, answer, lang, folder, tell, stop):
        """Fill ``folder`` with an answer's outputs in ``lang``, and zip it. Raises :class:`Stopped` between stages."""
        from planner.report import write_outputs

        def step(stage, *about):
            if stop.is_set():
                raise Stopped
            tell(stage, *about)

        prepared = self._ready(answer.plan.scenario, step, stop)
        write_outputs(answer.plan, prepared, folder, load_words(lang), step)
        pack(Path(folder), Path(folder).with_suffix(".zip"))
        return "files", folder

    def _ready(self, scenario, tell, stop):
        from planner.study import prepare

        def step(stage, *about):
            if stop.is_set():
                raise Stopped
            tell(stage, *about)

        people = (scenario.region, scenario.population_growth)
        if self._people != people:
            self._prepared = prepare(scenario, step)
            self._people = people
        return self._prepared


def answer_of(plan, prepared, lang, tell=lambda stage: None):
    """Return the :class:`Answer` of a plan. Raises :class:`planner.report.VerificationFailed`: do not show it."""
    from planner.report import VerificationFailed
    from planner.report.tables import published
    from planner.verify import verify_plan

    tell("verify")
    tables, cleaned = published(plan.tables)
    people = (plan.people_in, plan.people_out)
    region, standards = prepared.region, prepared.standards
    checks = verify_plan(tables, plan.scenario, region, standards, prepared.demand, proofs=plan.proofs, people=people)
    if not all(check.passed for check in checks):
        raise VerificationFailed(checks)
    tell("web_map")
    return in_words(Answer(plan, {}, tuple(checks), tuple(cleaned)), prepared, lang)


def in_words(answer, prepared, lang):
    """Return an answer with its texts in ``lang`` beside those it has."""
    from geo.maps import map_html
    from planner.report.cover import cover_lines
    from planner.report.names import in_language
    from planner.report.summary import summarise
    from planner.report.tables import published
    from planner.report.view import view_of

    plan, words = answer.plan, load_words(lang)
    tables, _ = published(plan.tables)
    summary = summarise(plan, tables, prepared, words)
    cover = cover_lines(plan, {}, prepared, summary, answer.checks, answer.cleaned, {}, words)
    view = view_of(plan, tables, prepared, summary, words)
    page = map_html(replace(view, notes=[])).replace("</head>", f"<style>{EMBEDDED}</style>\n</head>", 1)
    said = in_language(tables, prepared, words)
    clauses = said["compliance"]
    names = [prepared.standards[id].name(words.lang) for id in clauses["standard_id"]]
    text = Text(said | {"compliance": clauses.assign(name=names)}, summary, tuple(cover), page)
    return replace(answer, texts=dict(answer.texts) | {lang: text})


def pack(folder, target):
    """Write one zip of all files of ``folder``."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.writestr(
                zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED
            )


def trouble_of(error):
    """Return the :class:`Trouble` that tells a planner of ``error``: never a traceback."""
    from planner.explain import Infeasible
    from planner.report import VerificationFailed
    from planner.solve import SolverFault

    if isinstance(error, Rejected):
        kind = "infeasible" if isinstance(error, Infeasible) else "data"
        kind = "scenario" if isinstance(error, ScenarioRejected) else kind
        return Trouble(kind, _said(lambda words: [fault.tell(words) for fault in error.faults]))
    if isinstance(error, VerificationFailed):
        failed = [check for check in error.checks if not check.passed]
        return Trouble("verification", _said(lambda words: [check.tell(words) for check in failed]))
    if isinstance(error, SolverFault):
        return Trouble("solver", _said(lambda words: [str(error)]))
    if isinstance(error, MemoryError):
        return Trouble("memory")
    if isinstance(error, OSError):
        return Trouble("storage", _said(lambda words: [error.strerror or type(error).__name__]))
    return Trouble("unexpected", _said(lambda words: [f"{type(error).__name__}: {error}"[:300]]))


def _said(tell):
    return {lang: tuple(tell(load_words(lang))) for lang in LANGUAGES}
