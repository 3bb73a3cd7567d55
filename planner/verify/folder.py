"""A published folder, read back: every file's hash, the inputs it rests on, each table in all its forms."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.demand import build_demand
from geo.faults import Rejected
from geo.region import load_region
from planner.scenario import scenario_from
from planner.settings import FILE_SETTINGS
from planner.standards import load_standards
from planner.verify.facts import Facts, as_grown
from planner.verify.layers import check_layers
from planner.verify.ledger import Ledger
from planner.verify.reread import Unreadable, read_csv
from planner.verify.shapes import TABLES, read_tables
from planner.verify.workbook import check_workbook

MANIFEST = "manifest.json"
FILES = ("plan.xlsx", "plan.gpkg", "map.html", "map.pdf", "map.png", *(f"tables/{name}.csv" for name in TABLES))

# Left by office programs and file managers when someone looks at a result.
LITTER = (".", "~$", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Found:
    """What a folder says of its plan: ``tables`` as text, and the inputs that are there now."""

    tables: dict
    facts: Facts
    proofs: dict
    people: tuple
    figures: dict


def check_folder(ledger, folder, demand=None):
    """Return the :class:`Found` of ``folder``, None when its plan cannot be recomputed; notes what fails.

    demand  the demand points of its region, built here where they are None
    """
    folder, manifest, tables, facts = Path(folder), None, {}, None
    with ledger.part("manifest") as said:
        manifest = _manifest(ledger, folder / MANIFEST)
        said.update(jinyi=manifest["jinyi"], checks=len(manifest["verification"]["checks"]))
    if manifest is None:
        return None
    with ledger.part("files") as said:
        said.update(files=_files(ledger, folder, manifest["files"]))
    with ledger.part("inputs") as said:
        facts = _inputs(ledger, manifest, demand)
        said.update(files=sum(map(len, manifest["inputs"].values())))
    with ledger.part("csv") as said:
        tables = _tables(ledger, folder)
        said.update(tables=len(tables))
    if facts is None:
        return None
    plan = read_tables(Ledger(), tables)  # its failures are told when the plan is recomputed
    with ledger.part("workbook") as said:
        said.update(cells=check_workbook(ledger, folder / "plan.xlsx", plan, facts))
    with ledger.part("layers") as said:
        said.update(features=check_layers(ledger, folder / "plan.gpkg", plan, facts))
    people = tuple(manifest["people"].get(side) for side in ("in", "out"))
    return Found(tables, facts, manifest["proofs"], people, manifest["figures"])


def _manifest(ledger, path):
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        ledger.fail("file_unreadable", file=path.name, error=error)
        return None
    if not isinstance(manifest, dict):
        ledger.fail("file_unreadable", file=path.name, error=type(manifest).__name__)
        return None
    expected = {"jinyi": str, "scenario": dict, "overrides": list, "inputs": dict, "projection": str, "people": dict}
    expected |= {"figures": dict, "proofs": dict, "verification": dict, "files": dict}
    wrong = [key for key, kind in expected.items() if not isinstance(manifest.get(key), kind)]
    for key in wrong:
        ledger.fail(
            "manifest_key", file=path.name, column=key, found=manifest.get(key), expected=expected[key].__name__
        )
    if wrong:
        return None
    verdict = manifest["verification"]
    checks = verdict.get("checks")
    failed = [check for check in checks if check.get("passed") is not True] if checks else ["—"]
    if verdict.get("passed") is not True or failed:
        ledger.fail("manifest_verdict", file=path.name, found=verdict.get("passed"), failed=len(failed))
    if manifest["overrides"] != manifest["scenario"].get("overrides"):
        found, overrides = manifest["overrides"], manifest["scenario"].get("overrides")
        ledger.fail("manifest_key", file=path.name, column="overrides", found=found, expected=overrides)
    return manifest


def _files(ledger, folder, listed):
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    present = {name for name in present if not name.rsplit("/", 1)[-1].startswith(LITTER)}
    for name in sorted({*FILES, *listed} - present):
        ledger.fail("file_missing", file=name)
    for name in sorted(present - set(listed)):
        ledger.fail("file_foreign", file=name)
    for name in sorted(present & set(listed)):
        found = digest(folder / name)
        if found != listed[name]:
            ledger.fail("file_changed", file=name, found=found, expected=listed[name])
    return len(present)


def digest(path):
    """Return the sha256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _inputs(ledger, manifest, demand):
    """Return the :class:`Facts` of the manifest's scenario on today's inputs; None when they cannot be read."""
    try:
        scenario, standards = scenario_from(manifest["scenario"]), load_standards()
        region = as_grown(load_region(scenario.region), scenario.population_growth)
    except (Rejected, OSError, LookupError, TypeError, ValueError) as error:
        ledger.fail("inputs_unreadable", error=error)
        return None
    folders = {"region": Path(region.folder), "standards": Path(load_standards.__code__.co_filename).parent}
    for kind, folder in folders.items():
        stated = manifest["inputs"].get(kind) or {}
        if not stated:
            ledger.fail("manifest_key", file=MANIFEST, column=f"inputs.{kind}", found=None, expected="sha256")
        for name, expected in stated.items():
            found = digest(folder / name) if (folder / name).is_file() else None
            if found != expected:
                ledger.fail("input_changed", file=f"{kind}/{name}", found=found, expected=expected)
    if manifest["projection"] != region.projection:
        found, expected = manifest["projection"], region.projection
        ledger.fail("manifest_key", file=MANIFEST, column="projection", found=found, expected=expected)
    for setting in FILE_SETTINGS:
        _file(ledger, manifest["inputs"].get(setting.field, {}), setting.field, getattr(scenario, setting.field))
    try:
        return Facts(scenario, region, standards, build_demand(region) if demand is None else demand)
    except (Rejected, OSError) as error:
        ledger.fail("inputs_unreadable", error=error)
        return None


def _file(ledger, stated, field, path):
    """Check that a file of data of the run is the one that is there now; a run without one states none."""
    path = Path(path) if path else None
    if not isinstance(stated, dict) or set(stated) != ({path.name} if path else set()):
        expected = f"{{{path.name}: sha256}}" if path else "{}"
        ledger.fail("manifest_key", file=MANIFEST, column=f"inputs.{field}", found=stated, expected=expected)
    elif path and not path.is_file():
        ledger.fail(f"{field}_missing", file=path.name)
    elif path and digest(path) != stated[path.name]:
        params = {"found": digest(path), "expected": stated[path.name]}
        ledger.fail("input_changed", file=f"{field}/{path.name}", **params)


def _tables(ledger, folder):
    tables = {}
    for name, columns in TABLES.items():
        path = folder / "tables" / f"{name}.csv"
        try:
            header, rows = read_csv(path)
        except Unreadable as error:
            ledger.fail(error.key, file=f"tables/{path.name}", **error.params)
            continue
        except OSError:
            ledger.fail("file_missing", file=f"tables/{path.name}")
            continue
        foreign = [column for column in header if column not in columns]
        if foreign:
            ledger.fail(
                "csv_columns", file=f"tables/{path.name}", found=", ".join(foreign), expected=", ".join(columns)
            )
        tables[name] = pd.DataFrame(rows, columns=header, dtype=object)
    return tables
