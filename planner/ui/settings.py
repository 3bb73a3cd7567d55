"""From what the panel holds to a scenario, and from a scenario to a file that says the same."""

import csv
import hashlib
import json
from fractions import Fraction
from pathlib import Path

from geo.region import EMBEDDED
from planner.scenario import LONGEST_NAME, region_codes, shipped_scenarios, vary
from planner.settings import (
    BED_TARGETS,
    FILE_SETTINGS,
    SETTINGS,
    TABLE_SETTINGS,
    embedded_regions,
    in_words,
    said_number,
    said_place,
)
from planner.standards import decimal_text

FIRST = "shanxi-2025"  # the scenario that the page opens with
ABOUT = ("name", "title", "file", "overrides")  # what a scenario is called is no part of the question
DIGITS = 6
LONGEST_TITLE = 200
KEYS = {setting.field: setting.key for setting in SETTINGS}


def scenario_names():
    """Return the names of the shipped scenarios, the one to open with first."""
    return sorted(shipped_scenarios(), key=lambda name: (name != FIRST, name))


def city_names(region, lang):
    """Return {code: name} of a region's cities in the documents' order; {} where the region's table cannot be read."""
    known = region_codes(region)
    names = dict(known.cities) if known else {}
    if lang == "zh" or region not in embedded_regions():
        return names
    rows = csv.DictReader((EMBEDDED / region / "cities.csv").read_text(encoding="utf-8-sig").splitlines())
    return names | {row["code"]: row["name_en"] for row in rows}


def place_names(region, lang):
    """Return {code: name} of a region's cities and counties, as far as its tables can be read."""
    known = region_codes(region)
    counties = dict(known.counties) if known else {}
    if lang != "zh" and region in embedded_regions():
        rows = csv.DictReader((EMBEDDED / region / "counties.csv").read_text(encoding="utf-8-sig").splitlines())
        counties |= {row["code"]: row["name_en"] for row in rows}
    return counties | city_names(region, lang)


def variant(base, changes, entitled):
    """Return the scenario of a draft: ``base`` while nothing differs, else a variant with its own name and title.

    changes   {field: value} of settings
    entitled  called with the variant, returns its title
    Raises :class:`geo.faults.ScenarioRejected` for values that do not fit.
    """
    if not changes:
        return base
    made = vary(base, **changes)
    name = f"{base.name[: LONGEST_NAME - DIGITS - 1]}-{_digest(made)[:DIGITS]}"
    return vary(made, name=name, title=entitled(made)[:LONGEST_TITLE])


def question(scenario):
    """Return a short text, the same for two scenarios exactly when they ask the same, whatever they are called."""
    return _digest(scenario)


def _digest(scenario):
    plain = {name: value for name, value in scenario.as_dict().items() if name not in ABOUT}
    plain |= {setting.field: str(getattr(scenario, setting.field)) for setting in FILE_SETTINGS}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def differences(old, new, names, words):
    """Return what differs between two scenarios of one region, as "setting: old → new" in the language of ``words``."""
    said = []
    for setting in TABLE_SETTINGS:
        before, after = getattr(old, setting.field), getattr(new, setting.field)
        for place in dict.fromkeys((*after, *before)):
            if after.get(place) != before.get(place):
                pair = [_figure(setting, table.get(place)) for table in (before, after)]
                said.append(_difference_at(setting, said_place(setting, place, names, words), pair, words))
    for setting in SETTINGS:
        before, after = getattr(old, setting.field), getattr(new, setting.field)
        if setting.field != "title" and before != after:
            pair = [in_words(setting, value, names, words) for value in (before, after)]
            label = words(f"report.setting.{setting.field}")
            said.append(words("ui.difference", label=label, old=pair[0], new=pair[1]))
    return said


def _difference_at(setting, place, pair, words):
    if setting.key == BED_TARGETS:
        return words("ui.difference_target", city=place, old=pair[0], new=pair[1])
    label = f"{words(f'report.setting.{setting.field}')} · {place}"
    return words("ui.difference", label=label, old=pair[0], new=pair[1])


def _figure(setting, value):
    """Return a figure of a table as text; a bed target with two decimals, as the panel has it."""
    if value is None:
        return "—"
    return f"{float(value):.2f}" if setting.key == BED_TARGETS else said_number(setting, value)


def scenario_parcel(scenario, base):
    """Return (text, {name: bytes}) of a scenario: a file that extends the shipped ``base``, and the files it names.

    Raises OSError where a file that the scenario names is gone.
    """
    fields = [setting.field for setting in FILE_SETTINGS if getattr(scenario, setting.field)]
    paths = {field: Path(getattr(scenario, field)) for field in fields}
    names, files = {}, {}
    for field, path in paths.items():
        name, count = path.name, 1
        while name in files and files[name] != path.read_bytes():
            count += 1
            name = f"{path.stem}-{count}{path.suffix}"
        names[field], files[name] = name, path.read_bytes()
    return scenario_file(scenario, base, names), files


def scenario_file(scenario, base, names=None):
    """Return a scenario file that asks what ``scenario`` asks: its differences from the shipped ``base``.

    names  {field: name} of files that lie beside it
    """
    names = names or {}
    lines = [f"extends = {_toml(base.name)}", f"title = {_toml(scenario.title)}"]
    tables = {}
    for field, key in KEYS.items():
        table, _, last = key.rpartition(".")
        value = getattr(scenario, field)
        if table and value != getattr(base, field):
            tables.setdefault(table, []).append(f"{last} = {_toml(names.get(field, value))}")
    for setting in TABLE_SETTINGS:
        before, after = getattr(base, setting.field), getattr(scenario, setting.field)
        changed = [place for place in after if after[place] != before.get(place)]
        if changed:
            tables[setting.key] = [f"{place} = {_toml(after[place])}" for place in changed]
    for table in sorted(tables):
        lines += ["", f"[{table}]", *tables[table]]
    return "\n".join(lines) + "\n"


def _toml(value):
    """Return a value as TOML: the texts, lists and numbers of JSON are TOML too, but for DEL, which needs an escape."""
    if isinstance(value, Fraction):
        return decimal_text(value)
    listed = list(value) if isinstance(value, tuple) else value
    return json.dumps(listed, ensure_ascii=False).replace("\x7f", "\\u007F")
