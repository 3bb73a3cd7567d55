"""From what the panel holds to a scenario, and from a scenario to a file that says the same."""

import csv
import hashlib
import json
from fractions import Fraction

from geo.region import EMBEDDED
from planner.scenario import LONGEST_NAME, region_codes, shipped_scenarios, vary
from planner.settings import (
    BED_TARGETS,
    SETTINGS,
    TABLE_SETTINGS,
    embedded_regions,
    in_words,
    said_number,
    said_place,
)
from planner.standards import decimal_text

FIRST = "shanxi-2025"  # the scenario that the page opens with
RADII = ("urban_km", "rural_km", "rural_preferred_km")
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


def picked_from(base):
    """Return what the panel shows of a scenario: {setting: value}, bed targets by city code with two decimals."""
    picked = {field: getattr(base, field) for field in (*RADII, "stations_goal", "stations_count")}
    return picked | {"bed_targets": {code: two_decimals(target) for code, target in base.bed_targets.items()}}


def two_decimals(value):
    """Return a figure as the panel holds it: a float of two decimals."""
    return round(float(value), 2)


def draft(base, picked, entitled):
    """Return the scenario of the panel: ``base`` while nothing differs, else a variant with its own name and title.

    picked    as :func:`picked_from` gives it
    entitled  called with the variant, returns its title
    Raises :class:`geo.faults.ScenarioRejected` for values that do not fit.
    """
    shown = picked_from(base)
    changes = {field: value for field, value in picked.items() if field != "bed_targets" and value != shown[field]}
    targets = {
        code: Fraction(f"{value:.2f}")
        for code, value in picked["bed_targets"].items()
        if value != shown["bed_targets"][code]
    }
    if targets:
        changes["bed_targets"] = base.bed_targets | targets
    if not changes:
        return base
    variant = vary(base, **changes)
    name = f"{base.name[: LONGEST_NAME - DIGITS - 1]}-{_digest(variant)[:DIGITS]}"
    return vary(variant, name=name, title=entitled(variant)[:LONGEST_TITLE])


def question(scenario):
    """Return a short text that is the same for two scenarios of one name exactly when they ask the same."""
    return f"{scenario.name}:{_digest(scenario)}"


def _digest(scenario):
    plain = {name: value for name, value in scenario.as_dict().items() if name not in ABOUT}
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


def scenario_file(scenario, base):
    """Return a scenario file that asks what ``scenario`` asks: its differences from the shipped ``base``."""
    lines = [f"extends = {_toml(base.name)}", f"title = {_toml(scenario.title)}"]
    tables = {}
    for field, key in KEYS.items():
        table, _, last = key.rpartition(".")
        value = getattr(scenario, field)
        if table and value != getattr(base, field):
            tables.setdefault(table, []).append(f"{last} = {_toml(value)}")
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
