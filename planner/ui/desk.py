"""The queue in front of the worker: questions of all open pages, one at a time, with a deadline and a page that waits.

A page asks and polls. A question whose page is closed, or that outlives its deadline, is stopped; a worker that does
not stop is ended, and a new one is started for the next question.
"""

import atexit
import contextlib
import itertools
import multiprocessing
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from planner.ui.settings import question
from planner.ui.worker import Answer, Trouble, serve

POLL_SECONDS = 0.1
GONE_SECONDS = 2.0  # a page that is reloaded is gone for a moment
STOP_SECONDS = 20.0  # a worker told to stop verifies the plan it has; after this it is ended
MODELS = 8  # solver runs of one study, each with the scenario's limit
SPARE_SECONDS = 240.0  # for all that is no solver run
KEPT = 6  # answers that are remembered, with their files

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
PREPARING = {"region", "demand", "sites"}


@dataclass
class Job:
    """One question and how it stands. Written by the desk alone; a page only reads.

    kind      "study" (a scenario), "text" (an answer in one language more) or "files" (its outputs in one language)
    state     waiting | running | done | failed
    stages    [name, seconds when it began] since the start, the running one last
    gap, best of the running stage, None where not known
    result    Answer of a study and of a text, Path of files
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
    watchers: set = field(default_factory=set)
    unwatched: float | None = None
    study: "Job | None" = None
    files: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)

    @property
    def scenario(self):
        """The scenario that is asked about, or that the answer is about."""
        return self.request[1] if self.kind == "study" else self.request[1].plan.scenario

    @property
    def over(self):
        return self.state in (DONE, FAILED)

    @property
    def seconds(self):
        """Seconds since the worker took it up; 0.0 before."""
        return 0.0 if self.began is None else (self.ended or time.monotonic()) - self.began


class Desk:
    """Hands questions to one warm worker process. ``is_open(watcher)`` says whether a page is still there."""

    def __init__(self, is_open=lambda watcher: True, serve=serve):
        self._is_open = is_open
        self._serve = serve
        self._numbers = itertools.count(1)
        self._lock = threading.Condition()
        self._queue = []
        self._known = {}
        self._worker = None
        self._closed = False
        self.folder = Path(tempfile.mkdtemp(prefix="jinyi-"))
        atexit.register(self.close)
        threading.Thread(target=self._work, name="jinyi-desk", daemon=True).start()

    def study(self, scenario, lang, watcher):
        """Return the :class:`Job` of a scenario: the one under way or answered, else a new one, told in ``lang``."""
        key = question(scenario)
        limit = MODELS * scenario.solve_seconds + SPARE_SECONDS
        with self._lock:
            job = self._known.get(key)
            if job is None or job.state == FAILED or job.stopping or (job.result and job.result.interim):
                job = self._put(Job("study", next(self._numbers), ("study", scenario, lang), key, limit))
            self._known.pop(key, None)
            self._known[key] = job
            job.watchers.add(watcher)
            self._forget()
        return job

    def text(self, study, lang, watcher):
        """Return the :class:`Job` that tells an answered study in ``lang`` too; when done, its answer has the words."""
        with self._lock:
            job = study.texts.get(lang)
            if job is None or job.state == FAILED:
                request = ("text", study.result, lang)
                job = study.texts[lang] = self._put(Job("text", study.number, request, study.key, SPARE_SECONDS))
                job.study = study
            job.watchers.add(watcher)
        return job

    def files(self, study, lang, watcher):
        """Return the :class:`Job` that writes the outputs of an answered study in ``lang``."""
        with self._lock:
            job = study.files.get(lang)
            if job is None or job.state == FAILED:
                folder = self.folder / f"{study.number}-{lang}-{next(self._numbers)}"
                request = ("files", study.result, lang, str(folder))
                job = study.files[lang] = self._put(Job("files", study.number, request, study.key, SPARE_SECONDS))
            job.watchers.add(watcher)
        return job

    def stop(self, job):
        """Ask for the best there is now: of a study under way an interim answer, else nothing."""
        with self._lock:
            self._stop(job)

    def leave(self, job, watcher):
        """Tell that a page no longer waits for ``job`` and its files; what nobody waits for is stopped."""
        with self._lock:
            for each in (job, *job.texts.values(), *job.files.values()):
                each.watchers.discard(watcher)
                if not each.watchers:
                    self._stop(each)

    def _stop(self, job):
        if job.state == WAITING:
            self._queue.remove(job)
            self._end(job, FAILED, Trouble("stopped"))
        elif job.state == RUNNING and job.stopping is None:
            job.stopping = time.monotonic()

    def close(self):
        """End the worker and remove every file that was written for downloads."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        self._dismiss()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- one thread does the rest ------------------------------------------------------------------------------------

    def _put(self, job):
        self._queue.append(job)
        self._queue.sort(key=lambda each: each.kind == "files")  # who waits for figures goes before who waits for files
        self._lock.notify()
        return job

    def _forget(self):
        for key in [key for key, job in self._known.items() if job.over][:-KEPT]:
            for job in self._known.pop(key).files.values():
                if job.state == DONE:
                    shutil.rmtree(job.result, ignore_errors=True)
                    job.result.with_suffix(".zip").unlink(missing_ok=True)

    def _work(self):
        while True:
            with self._lock:
                while not self._queue and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                job = self._queue.pop(0)
                job.state, job.began = RUNNING, time.monotonic()
            try:
                self._answer(job)
            except Exception as error:  # the desk must outlive any one question
                self._dismiss()
                self._finish(job, FAILED, Trouble("unexpected", dict.fromkeys(("zh", "en"), (repr(error)[:300],))))

    def _answer(self, job):
        if self._worker is None or not self._worker.alive():
            self._worker = _Worker(self._serve, self.folder)
        worker = self._worker
        try:
            worker.ask(job.request)
            while job.state == RUNNING:
                if worker.pipe.poll(POLL_SECONDS):
                    self._hear(job, worker.pipe.recv())
                if job.state == RUNNING:
                    self._mind(job, worker)
        except (EOFError, OSError):
            self._dismiss()
            if not self._closed:
                self._finish(job, FAILED, Trouble("lost"))

    def _hear(self, job, message):
        told, *about = message
        if told == "progress":
            stage, _, job.gap, job.best = about
            if not job.stages or job.stages[-1][0] != stage:
                job.stages.append((stage, job.seconds))
        elif told == "answer":
            if job.kind == "text":
                job.study.result = about[0]
            self._finish(job, DONE, result=about[0])
        elif told == "files":
            self._finish(job, DONE, result=Path(about[0]))
        elif told == "trouble":
            self._finish(job, FAILED, about[0])
        elif job.kind == "files" and job.stopping is None:  # it only made way for somebody's question
            with self._lock:
                job.state, job.stages, job.began = WAITING, [], None
                self._put(job)
        else:
            self._finish(job, FAILED, Trouble("stopped"))

    def _mind(self, job, worker):
        """Stop what nobody waits for, what takes too long, and what must make way; end a worker that does not stop."""
        now = time.monotonic()
        if job.seconds > job.deadline:
            self.stop(job)
        with self._lock:
            watchers = tuple(job.watchers)
            question_waits = any(each.kind != "files" for each in self._queue)
        if any(map(self._is_open, watchers)):
            job.unwatched = None
        elif job.unwatched is None:
            job.unwatched = now
        elif now - job.unwatched > GONE_SECONDS:
            self.stop(job)
        if job.stopping or (job.kind == "files" and question_waits):
            worker.stop.set()
        if not job.stopping:
            return
        preparing = job.kind == "study" and (not job.stages or job.stages[-1][0] in PREPARING)
        if preparing or now - job.stopping > STOP_SECONDS:
            self._dismiss()
            self._finish(job, FAILED, Trouble("late" if job.seconds > job.deadline else "stopped"))

    def _finish(self, job, state, trouble=None, result=None):
        with self._lock:
            self._end(job, state, trouble, result)

    def _end(self, job, state, trouble=None, result=None):
        job.trouble, job.result, job.ended = trouble, result, time.monotonic()
        job.state = state  # last: a page that sees it finds the rest in place

    def _dismiss(self):
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()


class _Worker:
    def __init__(self, serve, folder):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.stop = context.Event()
        self.process = context.Process(target=serve, args=(theirs, self.stop, str(folder)), daemon=True)
        self.process.start()
        theirs.close()

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
