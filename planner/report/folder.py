"""The folder of a run: made whole beside the old one, then put in its place; a reader sees the old run or the new one.

Beside ``out`` stand, while a run writes, ``.<name>.jinyi-new-<random>`` (the folder being made, locked by its run)
and, for the moment between two renames, ``.<name>.jinyi-old`` (the run being replaced). A run killed in that moment
leaves no ``out``: :func:`recover` puts the old run back, and clears away what killed runs left. Names change only under
a lock on the folder that holds ``out``. Both locks are the kernel's and end with the process.
"""

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path

from planner.report.manifest import MANIFEST

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Left by office programs and file managers; losing them loses nothing.
LITTER = (".~lock.", "~$", ".DS_Store", "Thumbs.db", "desktop.ini")


class OutRefused(OSError):
    """``out`` holds something that a run must not replace; nothing was touched. Command line exit code 8.

    ``key`` names the sentence in the words' section ``report``: out_is_file | out_not_ours | out_foreign_files.
    """

    exit_code = 8

    def __init__(self, key, out, names=()):
        self.key = key
        self.out = Path(out)
        self.names = tuple(names)
        super().__init__(f"{self.out}: {key} {', '.join(self.names)}".rstrip())

    def tell(self, words):
        """Return what is in the way and what to do, in the language of ``words``."""
        shown = "、".join(self.names[:5]) if words.lang == "zh" else ", ".join(self.names[:5])
        more = "…" if len(self.names) > 5 else ""
        return words(f"report.{self.key}", out=self.out, names=shown + more)


def check_out(out):
    """Raise :class:`OutRefused` when ``out`` may not be replaced.

    That is a file, a folder that no run wrote, or a run's folder in which somebody keeps files of their own. A run asks
    before it starts to compute, and again before it replaces.
    """
    out = Path(out).resolve()
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise OutRefused("out_is_file", out)
    known = _own_files(out)
    if known is None:
        names = [path.name for path in sorted(out.iterdir()) if not path.name.startswith(LITTER)]
        if names:
            raise OutRefused("out_not_ours", out, names)
        return
    found = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_symlink() or not path.is_dir())
    foreign = [path.as_posix() for path in found if path.as_posix() not in known and not path.name.startswith(LITTER)]
    if foreign:
        raise OutRefused("out_foreign_files", out, foreign)


def recover(out):
    """Put back the old run where a killed run left none, and remove what killed runs left beside ``out``.

    Returns True when the old run was put back. Runs that are alive are not disturbed.
    """
    out = Path(out).resolve()
    if not out.parent.is_dir():
        return False
    with _locked(out.parent):
        return _recover(out)


@contextmanager
def replaced(out, finish=None):
    """Give a new empty folder to write into; when the block ends well, it takes the place of ``out`` in one step.

    finish  called with the new folder just before, while no other run may replace ``out``
    When the block raises, or a name cannot be changed, ``out`` is as before and the new folder is gone. Raises OSError
    (:class:`OutRefused` among them).
    """
    out = Path(out).resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _locked(out.parent):
        check_out(out)
        _recover(out)
        new = out.with_name(f".{out.name}.jinyi-new-{secrets.token_hex(4)}")
        new.mkdir()
        alive = _lock(new, wait=True)
    try:
        yield new
        _flush(new)
        with _locked(out.parent):
            check_out(out)
            if finish is not None:
                finish(new)
                _flush(new)
            _swap(new, out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        _unlock(alive)


def _swap(new, out):
    old = _aside(out)
    # The run that made ``old`` is gone: names change under the parent's lock only.
    shutil.rmtree(old, ignore_errors=True)
    if out.is_dir():
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        if old.is_dir():
            old.rename(out)
        raise
    _flush_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _recover(out):
    old = _aside(out)
    restored = False
    if old.is_dir():
        if os.path.lexists(out):
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(out)
            restored = True
    for left in sorted(out.parent.glob(f".{_literal(out.name)}.jinyi-new-*")):
        lock = _lock(left, wait=False)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            _unlock(lock)
    return restored


def _aside(out):
    return out.with_name(f".{out.name}.jinyi-old")


def _literal(name):
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _own_files(out):
    """Return the relative paths an earlier run wrote into ``out``, or None when its manifest is not one of ours."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        return {MANIFEST, *manifest["files"]} if "jinyi" in manifest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _flush(folder):
    """Bring every file of ``folder`` to the disk before its name does."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in [*sorted(p for p in folder.rglob("*") if p.is_dir()), folder]:
        _flush_folder(path)


def _flush_folder(folder):
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(folder):
    lock = _lock(folder, wait=True)
    try:
        yield
    finally:
        _unlock(lock)


def _lock(folder, wait):
    """Return a handle that locks ``folder`` until it is closed; None when ``wait`` is False and it may be in use.

    Where there are no such locks (Windows, some network drives) a wait ends at once, and nothing is known to be unused.
    """
    if fcntl is None:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if not wait:
            os.close(handle)
            return None
    return handle


def _unlock(handle):
    if handle is not None:
        os.close(handle)
