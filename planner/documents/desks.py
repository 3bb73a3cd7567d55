"""Desks: processes that draw sheets side by side, each a Python of its own, whatever started the one that asks.

A pool of the standard library would import the caller's main module again and cannot be had in a process that is itself
a helper; both happen below the page. Plain pipes carry pickles, which only come from here.
"""

import contextlib
import gc
import os
import pickle
import queue
import subprocess
import sys
import threading
from pathlib import Path

import planner

HOUSE = Path(planner.__file__).parents[1]
START = "from planner.documents.desks import serve; serve()"
LEAVING = 10.0  # seconds: a sheet that is being drawn is drawn to its end
ASK_AGAIN = 0.2  # seconds between looks at whether somebody said stop


class Desks:
    """Some desks with the same orders: (series, letters, dpi) as :class:`geo.atlas.Atlas` and its ``write`` take them.

    ``stopped`` tells whether the last work was cut short.
    """

    def __init__(self, orders, count):
        paths = [str(HOUSE), os.environ.get("PYTHONPATH", "")]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        command = [sys.executable, "-P", "-c", START]
        self.stopped = False
        self._desks = []
        orders = pickle.dumps(orders)
        for _ in range(count):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            desk = subprocess.Popen(command, **pipes, env=env, start_new_session=True)  # Ctrl-C is for who asked
            self._desks.append(desk)
            _send(desk.stdin, orders)

    def __enter__(self):
        return self

    def __exit__(self, *about):
        for desk in self._desks:
            with contextlib.suppress(OSError):  # one that has ended by itself
                desk.stdin.close()
        for desk in self._desks:
            try:
                desk.wait(LEAVING)  # with its stdin it goes by itself, and clears its table
            except subprocess.TimeoutExpired:
                desk.kill()
                desk.wait()
            desk.stdout.close()

    def drawn(self, piles, cancel=None):
        """Yield once for every job of the piles, as it is done; a pile's jobs are done at one desk.

        Raises what a desk met. Ends early, ``stopped``, when ``cancel`` is set.
        """
        waiting, told = queue.SimpleQueue(), queue.SimpleQueue()
        for pile in piles:
            waiting.put(pile)
        left = sum(map(len, piles))
        for desk in self._desks:
            threading.Thread(target=_keep_busy, args=(desk, waiting, told), daemon=True).start()
        while left:
            self.stopped = cancel is not None and cancel.is_set()
            if self.stopped:
                return
            try:
                trouble = told.get(timeout=ASK_AGAIN)
            except queue.Empty:
                continue
            if trouble is not None:
                raise trouble
            left -= 1
            yield


def _keep_busy(desk, waiting, told):
    """Hand one pile after another to a desk, sheet by sheet, and pass on what it answers."""
    try:
        while True:
            for job in waiting.get_nowait():
                _send(desk.stdin, pickle.dumps(job))
                told.put(pickle.load(desk.stdout))
    except queue.Empty:
        return
    except (OSError, EOFError, ValueError, pickle.UnpicklingError):
        told.put(RuntimeError("a process that draws sheets ended before its work was done"))


def _send(pipe, content):
    pipe.write(len(content).to_bytes(8, "big") + content)
    pipe.flush()


def _received(pipe):
    size = pipe.read(8)
    return pickle.loads(pipe.read(int.from_bytes(size, "big"))) if len(size) == 8 else None


def serve():
    """Draw what comes through standard input until it ends; answer None for what is done, or what went wrong."""
    from geo.atlas import Atlas

    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not stand between answers
    series, letters, dpi = _received(sys.stdin.buffer)
    atlas = Atlas(series, letters)
    gc.freeze()  # what stays need not be gone through after every sheet
    while (job := _received(sys.stdin.buffer)) is not None:
        view, paths = job
        try:
            atlas.write(view, paths, dpi)
            answer = pickle.dumps(None)
        except Exception as error:
            answer = _portable(error)
        answers.write(answer)
        answers.flush()


def _portable(error):
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return content
