"""Questions of all open pages in, answers out: three queues, each before one warm worker process.

One answers; one works out what can wait, and writes files, so that nobody who waits for figures waits for them; one
makes plan documents, which take minutes.
A page asks and polls.
A question whose page is closed, or that outlives its deadline, is stopped; a worker that does not stop is ended, and a
new one is started for the next question.
"""

import atexit
import contextlib
import itertools
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from planner.ui.settings import question
from planner.ui.worker import Answer, Trouble, serve, trouble_of

POLL_SECONDS = 0.1
GONE_SECONDS = 2.0  # a page that is reloaded is gone for a moment
STOP_SECONDS = 20.0  # a worker told to stop verifies the plan it has; after this it is ended
MODELS = 8  # solver runs of one study, each with the scenario's limit
SPARE_SECONDS = 240.0  # for all that is no solver run
DOCUMENTS_SECONDS = 3600.0  # an atlas of a hundred sheets, on a machine with other work
PATIENCE = 10  # of the operating system: work that nobody waits for leaves the processor to others
KEPT = 4  # answers remembered beside those on open pages, with their files

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
OF_SCENARIO = ("study", "full", "coverage", "documents")  # what is asked begins with a scenario, else with an answer
PREPARING = {"region", "demand", "sites"}


@dataclass
class Job:
    """One question and how it stands. Written by the desk alone; a page only reads.

    kind      "study" (a scenario), "full" (with all that a study leaves out), "text" (an answer in one language more),
              "files" (its outputs in one language), "documents" (made of those files), or "coverage" (of a list of
              stations)
    state     waiting | running | done | failed
    stages    [name, seconds when it began] since the start, the running one last
    gap, best of the running stage, None where not known
    result    Answer of a study and of a text, not verified before the job is done; Path of files and of documents;
              Coverage
    news      how often there was something new to show
    """

    kind: str
    number: int
    request: tuple
    key: str
    deadline: float
    state: str = WAITING
    stages: list = field(default_factory=list)
    gap: float | None = None
    best: float | None = None
    result: Answer | Path | None = None
    trouble: Trouble | None = None
    began: float | None = None
    ended: float | None = None
    stopping: float | None = None
    dropped: bool = False
    watchers: set = field(default_factory=set)
    unwatched: float | None = None
    study: "Job | None" = None
    files: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    documents: dict = field(default_factory=dict)
    whole: "Job | None" = None
    news: int = 0

    def end(self, state, trouble=None, result=None):
        """Write how it ended; the state last, so that a page that sees it finds the rest in place."""
        self.trouble, self.result, self.ended = trouble, result, time.monotonic()
        self.state = state
        self.news += 1

    @property
    def scenario(self):
        """The scenario that is asked about, or that the answer is about."""
        return self.request[1] if self.kind in OF_SCENARIO else self.request[1].plan.scenario

    @property
    def over(self):
        return self.state in (DONE, FAILED)

    @property
    def seconds(self):
        """Seconds since the worker took it up; 0.0 before."""
        return 0.0 if self.began is None else (self.ended or time.monotonic()) - self.began


class Desk:
    """Takes questions and hands them to the workers. ``is_open(watcher)`` says whether a page is still there."""

    def __init__(self, is_open=lambda watcher: True, serve=serve):
        self.folder = Path(tempfile.mkdtemp(prefix="jinyi-"))
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._known = {}
        self._is_open = is_open
        self._answers = _Lane(serve, self.folder, is_open)
        self._files = _Lane(serve, self.folder, is_open, patient=True)
        self._documents = _Lane(serve, self.folder, is_open, patient=True)
        atexit.register(self.close)

    def study(self, scenario, lang, watcher, first="beds"):
        """Return the :class:`Job` of a scenario: the one under way or answered, else a new one, told in ``lang``.

        ``first`` is the part of a plan that the page shows: it is decided before the others.
        """
        key = question(scenario)
        with self._lock:
            job = self._known.pop(key, None)
            if job is None or job.state == FAILED or job.stopping or (job.over and job.result.interim):
                limit = MODELS * scenario.solve_seconds + SPARE_SECONDS
                job = Job("study", next(self._numbers), ("study", scenario, lang, first), key, limit)
                self._answers.put(job)
            self._known[key] = job  # the last asked stands last: the first is forgotten first
            job.watchers.add(watcher)
            self._forget()
        return job

    def full(self, study, lang, watcher):
        """Return the :class:`Job` that works out what an answered study left out, with no haste."""
        with self._lock:
            job = study.whole
            if job is None or job.state == FAILED:
                scenario = study.scenario
                limit = MODELS * scenario.solve_seconds * (2 + scenario.curve_points) + SPARE_SECONDS
                job = study.whole = Job("full", study.number, ("full", scenario, lang), study.key, limit)
                self._files.put(job)
            job.watchers.add(watcher)
        return job

    def text(self, study, lang, watcher):
        """Return the :class:`Job` that tells an answered study in ``lang`` too; when done, its answer has the words."""
        with self._lock:
            job = study.texts.get(lang)
            if job is None or job.state == FAILED:
                job = Job("text", study.number, ("text", study.result, lang), study.key, SPARE_SECONDS, study=study)
                study.texts[lang] = job
                self._answers.put(job)
            job.watchers.add(watcher)
        return job

    def files(self, study, lang, watcher, scenario=None):
        """Return the :class:`Job` that writes the outputs of an answered study in ``lang``.

        scenario  asks the same, but may be called otherwise: a scenario that was named after its answer
        """
        answer, called = study.result, (lang, *((scenario.name, scenario.title) if scenario else ()))
        with self._lock:
            job = study.files.get(called)
            if job is None or job.state == FAILED:
                folder = self.folder / f"{study.number}-{lang}-{next(self._numbers)}"
                named = answer if scenario is None else _named(answer, scenario)
                request = ("files", named, lang, str(folder))
                job = study.files[called] = Job("files", study.number, request, study.key, SPARE_SECONDS)
                self._files.put(job)
            job.watchers.add(watcher)
        return job

    def documents(self, files, asked, watcher):
        """Return the :class:`Job` that makes plan documents of the written outputs ``files``, a job that is done.

        asked  :class:`planner.documents.export.Asked`; the language is that of the outputs
        """
        with self._lock:
            job = files.documents.get(asked)
            if job is None or job.state == FAILED:
                folder = files.result.with_name(f"{files.result.name}-documents-{next(self._numbers)}")
                request = ("documents", files.scenario, *files.request[2:], asked, str(folder))
                job = Job("documents", files.number, request, files.key, DOCUMENTS_SECONDS)
                files.documents[asked] = job
                self._documents.put(job)
            job.watchers.add(watcher)
        return job

    def coverage(self, scenario, stations, watcher):
        """Return the :class:`Job` that checks a frame of ``stations`` along a scenario's ways, which may be roads."""
        job = Job("coverage", next(self._numbers), ("coverage", scenario, stations), "", SPARE_SECONDS)
        job.watchers.add(watcher)
        self._answers.put(job)
        return job

    def stop(self, job):
        """Ask for the best there is now: of a study under way an interim answer, else nothing."""
        lanes = {"files": self._files, "full": self._files, "documents": self._documents}
        lanes.get(job.kind, self._answers).stop(job)

    def shared(self, job, watcher):
        """Return whether another open page waits for a job too."""
        return any(each != watcher and self._is_open(each) for each in tuple(job.watchers))

    def ended_for(self, job, watcher):
        """Return a job of the same question that has ended without an answer: for a page that waits no longer."""
        self.leave(job, watcher)
        left = Job(job.kind, next(self._numbers), job.request, job.key, job.deadline)
        left.end(FAILED, Trouble("left"))
        return left

    def drop(self, job):
        """Give a question up: whatever it has found is lost, and its worker with it."""
        job.dropped = True
        self.stop(job)

    def answered(self, scenario, watcher):
        """Return the :class:`Job` that has answered this question already, else None."""
        with self._lock:
            job = self._known.get(question(scenario))
            if job is None or job.state != DONE or job.result.interim:
                return None
            job.watchers.add(watcher)
            return job

    def leave(self, job, watcher):
        """Tell that a page no longer waits for ``job`` and its files; what nobody waits for is stopped."""
        with self._lock:
            for each in _with_followers(job):
                each.watchers.discard(watcher)
                if not each.watchers:
                    self.stop(each)

    def close(self):
        """End the workers and remove every file that was written for downloads."""
        self._answers.close()
        self._files.close()
        self._documents.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _forget(self):
        """Forget the oldest answers, and remove their files, where no open page shows them."""
        unseen = [key for key, job in self._known.items() if job.over and not any(map(self._is_open, job.watchers))]
        for key in unseen[:-KEPT]:
            for job in _with_followers(self._known.pop(key)):
                if job.kind in ("files", "documents") and job.state == DONE:
                    shutil.rmtree(job.result, ignore_errors=True)
                    job.result.with_suffix(".zip").unlink(missing_ok=True)


def _named(answer, scenario):
    return replace(answer, plan=replace(answer.plan, scenario=scenario))


def _with_followers(job):
    """Yield a job and those that rest on its answer."""
    yield job
    followers = (*job.texts.values(), *job.files.values(), *job.documents.values())
    for each in (*followers, *((job.whole,) if job.whole else ())):
        yield from _with_followers(each)


class _Lane:
    """One queue, the worker process behind it, and the thread between them that alone talks to the worker."""

    def __init__(self, serve, folder, is_open, patient=False):
        self._serve = serve
        self._folder = folder
        self._is_open = is_open
        self._patient = patient
        self._changed = threading.Condition()
        self._queue = []
        self._closed = False
        self.worker = None
        threading.Thread(target=self._work, name="jinyi-desk", daemon=True).start()

    def put(self, job):
        with self._changed:
            self._queue.append(job)
            self._changed.notify()

    def stop(self, job):
        with self._changed:
            if job.state == WAITING:
                self._queue.remove(job)
                job.end(FAILED, Trouble("stopped"))
            elif job.state == RUNNING and job.stopping is None:
                job.stopping = time.monotonic()

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._dismiss()

    def _work(self):
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job = self._queue.pop(0)
                job.state, job.began = RUNNING, time.monotonic()
            try:
                self._answer(job)
            except Exception as error:  # the lane must outlive any one question
                self._dismiss()
                job.end(FAILED, trouble_of(error))

    def _answer(self, job):
        if self.worker is None or not self.worker.alive():
            self.worker = _Worker(self._serve, self._folder, self._patient)
        worker = self.worker
        try:
            worker.ask(job.request)
            while not job.over:
                if worker.pipe.poll(POLL_SECONDS):
                    self._hear(job, *worker.pipe.recv())
                if not job.over:
                    self._mind(job, worker)
        except (EOFError, OSError):
            self._dismiss()
            job.end(FAILED, Trouble("lost"))

    def _hear(self, job, told, *about):
        if told == "progress":
            stage, _, job.gap, job.best = about
            if not job.stages or job.stages[-1][0] != stage:
                job.stages.append((stage, job.seconds))
        elif told == "part":
            job.result = about[0]
            job.news += 1
        elif told == "answer":
            if job.kind == "text":
                job.study.result = about[0]
            job.end(DONE, result=about[0])
        elif told in ("files", "documents"):
            job.end(DONE, result=Path(about[0]))
        else:
            job.end(FAILED, about[0] if told == "trouble" else Trouble("stopped"))

    def _mind(self, job, worker):
        """Stop what nobody waits for and what takes too long; end a worker that does not stop."""
        now = time.monotonic()
        if job.seconds > job.deadline:
            self.stop(job)
        if any(map(self._is_open, tuple(job.watchers))):
            job.unwatched = None
        elif job.unwatched is None:
            job.unwatched = now
        elif now - job.unwatched > GONE_SECONDS:
            self.stop(job)
        if not job.stopping:
            return
        worker.stop.set()
        if job.dropped:
            self._dismiss()
            job.end(FAILED, Trouble("stopped"))
            return
        preparing = job.kind == "study" and (not job.stages or job.stages[-1][0] in PREPARING)
        if preparing or now - job.stopping > STOP_SECONDS:
            self._dismiss()
            job.end(FAILED, Trouble("late" if job.seconds > job.deadline else "stopped"))

    def _dismiss(self):
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.end()


class _Worker:
    def __init__(self, serve, folder, patient=False):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.stop = context.Event()
        self.process = context.Process(target=serve, args=(theirs, self.stop, str(folder)), daemon=True)
        self.process.start()
        theirs.close()
        if patient and hasattr(os, "setpriority"):  # whoever waits for figures goes first
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, PATIENCE)

    def alive(self):
        return self.process.is_alive()

    def ask(self, request):
        self.stop.clear()
        self.pipe.send(request)

    def end(self):
        with contextlib.suppress(OSError, ValueError):
            self.process.kill()
            self.process.join(2)
            self.pipe.close()
