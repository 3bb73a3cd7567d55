"""Files of a session: what a planner brought or edited on the page, kept where a scenario's setting can name it."""

import hashlib
import os

from planner.parcel import file_stem

DIGITS = 16
LONGEST_STEM = 40
LONGEST_ENDING = 8


def safe_name(name):
    """Return the last part of a file's name as every system takes it: letters, figures and ``-_.``, a short stem."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    if not dot:
        stem, ending = last, ""
    kind = f".{ending.casefold()}" if ending.isascii() and ending.isalnum() and len(ending) <= LONGEST_ENDING else ""
    return f"{file_stem(stem)[:LONGEST_STEM].rstrip('.-_') or 'file'}{kind}"


def kept(desk, name, content):
    """Return the path of ``content`` (bytes) under its ``name``; the same content has the same path.

    The file goes with the server's process, as all that the desk writes. Its name is one that a kept scenario may have
    beside it: what no system takes is left out.
    """
    folder = desk.folder / "files" / hashlib.sha256(content).hexdigest()[:DIGITS]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / safe_name(name)
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(path)
    return path
