"""The folder of an export as it stands: whose it is, what it holds, and whether a run may replace it."""

import json
from pathlib import Path

from planner.report import OutRefused, check_out
from planner.report.manifest import MANIFEST, digest_of


def usual_out(folder):
    """Return where the documents of a plan's folder go unless it is said otherwise: beside it."""
    folder = Path(folder)
    return folder.with_name(f"{folder.name}-documents")


def check_export_out(out, folders):
    """Raise :class:`planner.report.OutRefused` when ``out`` may not be replaced by documents; a plan never is.

    ``folders`` are the plans that the documents are about.
    """
    out = Path(out).resolve()
    for folder in (Path(folder).resolve() for folder in folders):
        if out == folder:
            raise OutRefused("out_is_this_plan", out)
        if folder in out.parents:  # a plan's folder holds what its run has written and nothing else
            raise OutRefused("out_in_a_plan", out)
    check_out(out)
    if manifest_of(out) is not None and not is_export(out):
        raise OutRefused("out_is_this_plan", out)


def is_export(out):
    """Return whether a folder holds documents that were written here."""
    return "documents" in (manifest_of(out) or {})


def changed_files(out):
    """Return the names of an export's files that are gone or no longer what was written, in order."""
    listed = manifest_of(out)["files"]
    return [name for name, digest in listed.items() if not (out / name).is_file() or digest_of(out / name) != digest]


def manifest_of(out):
    """Return the manifest in a folder, None where there is none."""
    try:
        manifest = json.loads((Path(out) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None
