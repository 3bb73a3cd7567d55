"""The manifest of a run: what went in, what came out, with which versions, how far proven. It holds no clock time."""

import hashlib
import importlib.metadata
import json
import math
import platform
from pathlib import Path

from planner.settings import FILE_SETTINGS

MANIFEST = "manifest.json"

# The packages that can change a figure or a drawing.
PACKAGES = (
    *("folium", "geopandas", "highspy", "matplotlib", "numpy", "pandas", "pulp"),
    *("pyogrio", "pyproj", "scipy", "shapely", "xlsxwriter"),
)


def build_manifest(plan, prepared, checks, cleaned, folder, words):
    """Return the manifest of the files already in ``folder``, as plain JSON values."""
    scenario = plan.scenario.as_dict()
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "jinyi": importlib.metadata.version("jinyi"),
        "language": words.lang,
        "scenario": scenario,
        "overrides": scenario["overrides"],
        "inputs": inputs_of(prepared.region, prepared.standards, plan.scenario),
        "packages": {"python": platform.python_version()} | versions,
        "projection": prepared.region.projection,
        "people": {"in": plan.people_in, "out": plan.people_out},
        "figures": {name: _plain(value) for name, value in plan.figures.items()},
        "proofs": {name: _proof(proof) for name, proof in plan.proofs.items()},
        "notes": [note.as_dict() for note in plan.notes],
        "verification": {
            "passed": all(check.passed for check in checks),
            "checks": [{"name": c.name, "passed": c.passed, "said": c.tell(words)} for c in checks],
        },
        "cleaned": [{"table": c.table, "column": c.column, "row": c.row, "text": c.text} for c in cleaned],
        "files": digests_of(folder),
    }


def inputs_of(region, standards, scenario):
    """Return the sha256 of every file that a plan rests on: {region | standards | field of a file: {name: sha256}}."""
    inputs = {"region": dict(region.digest), "standards": dict(standards.files)}
    for setting in FILE_SETTINGS:
        if getattr(scenario, setting.field):
            file = Path(getattr(scenario, setting.field))
            inputs[setting.field] = {file.name: digest_of(file)}
    return inputs


def digests_of(folder):
    """Return {path below ``folder``: sha256} of its files, the manifest left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): digest_of(path) for path in files}


def digest_of(path):
    """Return the sha256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(manifest, path):
    """Write a manifest: sorted keys, indented, Chinese as it is, one newline at the end."""
    text = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _proof(proof):
    """Return a proof without its seconds, which no two runs share."""
    return {name: _plain(getattr(proof, name)) for name in ("model", "status", "unit", "objective", "bound", "gap")}


def _plain(value):
    """Return a number as JSON holds it: numpy's as Python's, what is no number as null."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
