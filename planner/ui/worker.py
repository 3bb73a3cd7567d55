"""The process that computes: it keeps what it has prepared between questions, and dies with the page that started it.

It is asked ("study", scenario, lang, first) and gives ("part", :class:`Answer`) as soon as there is a part to show,
then ("answer", Answer) once that is verified; ("full", scenario, lang) asks for what a brief study leaves out, too.
Asked ("text", answer, lang) it answers the same with one language more; asked ("coverage", scenario, stations) it
answers ("answer", :class:`planner.coverage.Coverage`); asked ("files", answer, lang, folder) it fills the folder and
answers ("files", folder), and asked ("documents", scenario, lang, files, asked, folder) it makes plan documents of
those files and answers ("documents", folder). In between it tells ("progress", stage, seconds, gap, best). Instead of
an answer it may tell ("trouble", :class:`Trouble`), or ("stopped",) where a stop came before there was one to give.
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

EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment: the same files make the same bytes

# The page says title and sentences itself, above the map, where they would stand twice; the margin keeps the layers.
EMBEDDED = (
    "#head{display:none}body{grid-template-columns:clamp(204px,19vw,250px) 1fr}#margin{padding:4px 14px 12px}"
    "#layers fieldset:first-child{border-top:0}#foot{max-height:none}"
)


@dataclass(frozen=True)
class Text:
    """An answer in one language: tables with its names, summary and cover lines of planner.report, the map.

    Of a plan of which a part is still to come there are tables alone: the others are None, cover is empty.
    view   :class:`geo.map_views.MapView`; sheet: what is drawn of it, :class:`geo.maps.Sheet`
    """

    tables: Mapping
    summary: object
    cover: tuple
    view: object
    sheet: object = None


@dataclass(frozen=True)
class Answer:
    """A plan, or the parts of one that there are, and its :class:`Text` by language.

    checks   those it passed; None = not verified yet
    cleaned  what was taken out of its names
    full     whether the curve of coverage and every bed objective's own best are in it
    """

    plan: object
    texts: Mapping[str, Text]
    checks: tuple | None
    cleaned: tuple
    full: bool = False

    @property
    def whole(self):
        """Whether every part is decided."""
        return "compliance" in self.plan.tables

    @property
    def interim(self):
        """Whether a model was stopped before its proof."""
        return any(proof.status in ("interim", "no_plan") for proof in self.plan.proofs.values())


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

        try:
            reply = getattr(bench, asked)(*about, Caller(pipe, stop))
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


@dataclass(frozen=True)
class Caller:
    """Who asked: is told how far it is, is given what there is already, and may say stop."""

    pipe: object
    stop: object

    def tell(self, stage, seconds=0.0, gap=None, best=None):
        self.pipe.send(("progress", stage, seconds, gap, best))

    def step(self, stage, *about):
        """Tell, or end here. Raises :class:`Stopped`."""
        if self.stop.is_set():
            raise Stopped
        self.tell(stage, *about)

    def give(self, answer):
        self.pipe.send(("part", answer))


class Bench:
    """What stays prepared between two questions: one region and its people's growth, with sites and distances."""

    def __init__(self):
        self._people = None
        self._prepared = None

    def study(self, scenario, lang, first, caller):
        """Return ("answer", Answer), a brief one. Raises what prepare, decide and verify raise, and Stopped."""
        from planner.study import decide

        prepared = self._ready(scenario, caller)

        def listen(plan):
            caller.give(_tables_of(plan, prepared, lang))

        plan = decide(prepared, scenario, caller.tell, caller.stop, brief=True, first=first, listen=listen)
        return self._verified(plan, prepared, lang, caller)

    def full(self, scenario, lang, caller):
        """Return ("answer", Answer) with the curve of coverage and every bed objective's own best."""
        from planner.study import decide

        prepared = self._ready(scenario, caller)
        plan = decide(prepared, scenario, caller.tell, caller.stop)
        if caller.stop.is_set():  # half of it is worse than the proven answer that is there
            raise Stopped
        answer = self._verified(plan, prepared, lang, caller)[1]
        return "answer", replace(answer, full=True)

    def _verified(self, plan, prepared, lang, caller):
        caller.tell("web_map")
        answer = unverified(plan, prepared, lang)
        caller.give(answer)
        return "answer", verified(answer, prepared, caller.tell)

    def text(self, answer, lang, caller):
        """Return ("answer", Answer) with its texts in ``lang`` as well."""
        prepared = self._ready(answer.plan.scenario, caller)
        caller.tell("web_map")
        return "answer", in_words(answer, prepared, lang)

    def files(self, answer, lang, folder, caller):
        """Fill ``folder`` with an answer's outputs in ``lang``, and zip it. Raises :class:`Stopped` between stages."""
        from planner.report import write_outputs

        prepared = self._ready(answer.plan.scenario, caller)
        write_outputs(answer.plan, prepared, folder, load_words(lang), caller.step)
        pack(Path(folder), Path(folder).with_suffix(".zip"))
        return "files", folder

    def documents(self, scenario, lang, files, asked, folder, caller):
        """Fill ``folder`` with plan documents of a scenario's written outputs, and zip it. Raises :class:`Stopped`."""
        from planner.documents.atlas import Cancelled
        from planner.documents.export import write_documents
        from planner.documents.source import read_source

        prepared = self._ready(scenario, caller)
        source = read_source(files, load_words(lang), prepared=prepared, progress=caller.step)

        def tell(stage, done, total):
            caller.step(stage, 0.0, None, None if total is None else (done, total))

        try:
            write_documents(source, folder, asked, tell, caller.stop)
        except Cancelled:
            raise Stopped from None
        pack(Path(folder), Path(folder).with_suffix(".zip"))
        return "documents", folder

    def coverage(self, scenario, stations, caller):
        """Return ("answer", :class:`planner.coverage.Coverage`): :func:`coverage_of` a frame of stations."""
        prepared = self._ready(scenario, caller)
        caller.step("coverage")
        return "answer", coverage_of(prepared, scenario, stations)

    def _ready(self, scenario, caller):
        from planner.study import prepare

        people = (scenario.region, scenario.population_growth)
        if self._people != people:
            self._prepared = prepare(scenario, caller.step)
            self._people = people
        return self._prepared


def coverage_of(prepared, scenario, stations):
    """Return the :class:`planner.coverage.Coverage` of a frame of stations, by a scenario's ways and standards."""
    from planner.coverage import Limits, check_coverage
    from planner.services.serving import station_table
    from planner.services.station_problem import standards_of

    asked, ways, near = standards_of(scenario), prepared.ways(scenario), None
    limits = Limits(asked.urban, asked.rural, asked.preferred)
    if scenario.stations_by_city:
        near = station_table(stations, stations.index, prepared.demand, ways, by_city=True)[1:]
    return check_coverage(prepared.region, prepared.demand, stations, ways=ways, limits=limits, radii=(), near=near)


def unverified(plan, prepared, lang):
    """Return the :class:`Answer` of a whole plan that nothing has been held against yet."""
    from planner.report.tables import published

    _, cleaned = published(plan.tables)
    return in_words(Answer(plan, {}, None, tuple(cleaned)), prepared, lang)


def verified(answer, prepared, tell=lambda stage: None):
    """Return an answer with its checks. Raises :class:`planner.report.VerificationFailed`: do not show it."""
    from planner.report import VerificationFailed
    from planner.report.tables import published
    from planner.verify import verify_plan

    tell("verify")
    plan, (tables, _) = answer.plan, published(answer.plan.tables)
    people = (plan.people_in, plan.people_out)
    region, standards = prepared.region, prepared.standards
    checks = verify_plan(tables, plan.scenario, region, standards, prepared.demand, proofs=plan.proofs, people=people)
    if not all(check.passed for check in checks):
        raise VerificationFailed(checks)
    checked = replace(answer, checks=tuple(checks), texts={})
    for lang, text in answer.texts.items():  # the cover counts the checks
        checked = in_words(checked, prepared, lang, drawn=(text.view, text.sheet))
    return checked


def _tables_of(plan, prepared, lang):
    """Return the :class:`Answer` of the parts of a plan that are decided: tables, and nothing that needs them all."""
    tables, cleaned = _told(plan, prepared, load_words(lang))
    return Answer(plan, {lang: Text(tables, None, (), None)}, None, tuple(cleaned))


def _told(plan, prepared, words):
    """Return (tables in published form with names in the language of ``words``, what was cleaned from them)."""
    from planner.report.names import in_language
    from planner.report.tables import published

    tables, cleaned = published(plan.tables)
    said = in_language(tables, prepared, words)
    if "compliance" in said:
        clauses = said["compliance"]
        names = [prepared.standards[id].name(words.lang) for id in clauses["standard_id"]]
        said = said | {"compliance": clauses.assign(name=names)}
    return said, cleaned


def in_words(answer, prepared, lang, *, drawn=None):
    """Return a whole answer with texts in ``lang`` beside those it has; ``drawn`` (view, sheet), if they are made."""
    from geo.maps import sheet_of
    from planner.report.cover import cover_lines
    from planner.report.summary import summarise
    from planner.report.tables import published
    from planner.report.view import view_of

    plan, words = answer.plan, load_words(lang)
    tables, _ = published(plan.tables)
    summary = summarise(plan, tables, prepared, words)
    cover = cover_lines(plan, {}, prepared, summary, answer.checks or (), answer.cleaned, {}, words)
    if drawn is None:
        view = view_of(plan, tables, prepared, summary, words)
        drawn = view, sheet_of(view)
    text = Text(_told(plan, prepared, words)[0], summary, tuple(cover), *drawn)
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
