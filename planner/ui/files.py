"""Files of a session: what a planner brought or edited on the page, kept where a scenario's setting can name it."""

import hashlib
import os
from pathlib import Path

DIGITS = 16


def kept(desk, name, content):
    """Return the path of ``content`` (bytes) under its ``name``; the same content has the same path.

    The file goes with the server's process, as all that the desk writes. Only the last part of ``name`` counts.
    """
    folder = desk.folder / "files" / hashlib.sha256(content).hexdigest()[:DIGITS]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (Path(name.replace("\\", "/")).name or "file")
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(path)
    return path
