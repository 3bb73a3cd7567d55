"""The tables of a plan as the verifier expects them, and the strict reading of their cells."""

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd


def _named(names):
    return frozenset(names.split())


COVERAGE = "setting persons covered uncovered unreachable covered_now preferred"
STATION = "id name kind county_code city_code lon lat status"
OWNERS = ("city_and_above", "county_and_primary", "other_public", "private")
KINDS = ("general", "tcm", "psychiatric", "infectious", "oncology", "critical", "rehabilitation", "nursing")
OBJECTIVES = ("shortfall", "worst", "even", "equal", "change", "cost", "travel")
TABLES = {
    name: tuple(columns.split())
    for name, columns in {
        "beds_by_city": "code name persons beds_now beds_target beds_plan beds_new"
        " now_per_1000 target_per_1000 plan_per_1000",
        "beds_by_county": "code name city_code persons beds_now beds_plan beds_new now_per_1000 plan_per_1000"
        " reach_now_per_1000 reach_plan_per_1000",
        "bed_quotas": "code name city_code owner kind beds_now beds_plan beds_new",
        "bed_standards": f"code name city_code persons plan_per_1000 beds_plan {' '.join(OWNERS)} {' '.join(KINDS)}"
        " document clause",
        "bed_structure": "area_code area part item beds_now beds_target beds_plan gap target_per_1000 plan_per_1000"
        " document clause verdict nature_now",
        "bed_rules": "rule area_code area unit asked got bent strict document clause verdict",
        "document_conflicts": "conflict first_document first_clause first_figure second_document second_clause"
        " second_figure difference unit",
        "facilities": "id name county_code city_code owner kind beds_now beds_new beds_plan frozen reasons",
        "freezes": "scope id name county_code rule measured limit unit document clause",
        "bed_staff": "code name beds_plan staff nurses doctors staff_limit nurses_limit doctors_limit",
        "infectious": "code name county_code hospital_floor hospital_beds hospital_icu hospital_convertible"
        " department_beds department_icu surge_needed surge_capacity surge_gap icu_needed icu_capacity icu_gap",
        "access_summary": "split gini worst_code worst_county worst_per_1000 mean_per_1000 deviation",
        "bed_objectives": f"objective order {' '.join(OBJECTIVES)}",
        "evaluation": "phase code name quantity quality structure efficiency score rank",
        "evaluation_indicators": "phase code name group indicator value weight nature",
        "ambulances_by_city": "code name persons stations floor uplift required plan negative_pressure"
        " persons_per_vehicle expected expected_share double double_share next_station next_gain",
        "ambulances_by_station": "id name city_code county_code ambulances negative_pressure persons"
        " persons_per_vehicle gain_of_one_more",
        "stations": f"{STATION} tier housing ambulances persons investment",
        "station_tiers": "code name city_centre county_station substation central_township township stations"
        " listed assumed new hospital_based ambulances investment",
        "coverage_curve": "stations persons share bound status knee",
        "station_options": "option stations persons id name county_code city_code lon lat",
        "stations_alternative": f"{STATION} persons",
        "coverage_by_city": f"code name {COVERAGE}",
        "coverage_by_county": f"code name city_code {COVERAGE}",
        "uncovered_places": "county_code county setting place persons km minutes lon lat",
        "centres": "name city_code level lon lat persons",
        "catchments": "county_code county persons centre_city_code km",
        "centres_free": "name city_code county_code level lon lat persons",
        "catchments_free": "county_code county persons centre_county_code km",
        "compliance": "standard_id name document clause area_code area unit now target plan gap verdict"
        " nature_now nature_plan",
    }.items()
}

# What a column holds; one that is not named here holds whole numbers.
CODES = _named("code county_code city_code area_code worst_code centre_city_code centre_county_code")
TEXTS = _named(
    "id name kind status setting place county level standard_id document clause area unit verdict nature"
    " nature_now nature_plan owner part item rule strict conflict first_document first_clause second_document"
    " second_clause tier housing knee next_station frozen reasons scope split worst_county objective phase group"
    " indicator"
)
DECIMALS = {
    "km": 3,
    "minutes": 1,
    "lon": 6,
    "lat": 6,
    **dict.fromkeys(_named("share expected_share double_share"), 1),
    **dict.fromkeys(_named("now_per_1000 target_per_1000 plan_per_1000 worst_per_1000"), 2),
    **dict.fromkeys(_named("reach_now_per_1000 reach_plan_per_1000"), 2),
    **dict.fromkeys(_named("gini mean_per_1000 deviation quantity quality structure efficiency score"), 4),
}
FIGURES = {  # up to six decimals, as many as a figure has
    "compliance": _named("now target plan gap"),
    "bed_rules": _named("asked got bent"),
    "document_conflicts": _named("first_figure second_figure difference"),
    "freezes": _named("measured limit"),
    "bed_objectives": frozenset(OBJECTIVES),
    "evaluation_indicators": _named("value weight"),
}
FIGURE_DECIMALS = 6
EMPTY = {  # columns whose cells may be empty, beside densities: nobody lives there, or nothing was measured
    "compliance": FIGURES["compliance"],
    "bed_quotas": _named("beds_now beds_new"),
    "ambulances_by_city": _named("next_station persons_per_vehicle expected_share double_share"),
    "uncovered_places": _named("km minutes"),
    "bed_structure": _named("beds_now beds_target gap"),
    "freezes": _named("measured limit county_code"),
    "bed_staff": _named("staff_limit nurses_limit doctors_limit"),
    "infectious": _named("surge_needed surge_capacity surge_gap icu_needed icu_capacity icu_gap"),
    "bed_objectives": frozenset(("order", *OBJECTIVES)),
    "evaluation": _named("quantity quality structure efficiency score rank"),
    "evaluation_indicators": _named("value weight"),
}
DEGREES = {"lon": 180, "lat": 90}
JUDGED = ("evaluation", "evaluation_indicators")  # tables whose codes are also the ids of a facility table

WHOLE = re.compile(r"-?[0-9]{1,15}")
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
CODE = re.compile(r"[0-9]{6}")


def decimals(table, column):
    """Return the decimals a number column is printed with; 0 for whole numbers, codes and text."""
    if column in FIGURES.get(table, ()):
        return FIGURE_DECIMALS
    return DECIMALS.get(column, 0)


class NotChecked(Exception):
    """A part that cannot be looked at: what it rests on is missing or unreadable, which is told where it was found."""


@dataclass(frozen=True)
class Plan:
    """The tables that could be read: ``frames`` name -> DataFrame of typed cells, rows numbered from 0."""

    frames: dict

    def __getitem__(self, name):
        """Return a table. Raises :class:`NotChecked` when it is missing or could not be read."""
        if name not in self.frames:
            raise NotChecked(name)
        return self.frames[name]


def read_tables(ledger, tables):
    """Return the :class:`Plan` of ``tables``; missing tables and columns and unreadable cells are noted."""
    frames = {}
    for name, columns in TABLES.items():
        if name not in tables:
            ledger.fail("table_missing", table=name)
            continue
        table = tables[name]
        absent = [column for column in columns if column not in table.columns]
        for column in absent:
            ledger.fail("column_missing", table=name, column=column)
        typed, sound = {}, not absent
        for column in columns:
            if column in table.columns:
                typed[column], good = _typed(ledger, name, column, table[column].tolist())
                sound &= good
        if sound:
            frames[name] = pd.DataFrame(typed, columns=columns, dtype=object)
    return Plan(frames)


def _typed(ledger, table, column, values):
    kind, parse = _parser(table, column)
    cells, sound = [], True
    for row, value in enumerate(values):
        try:
            cells.append(parse(value))
        except (TypeError, ValueError):
            ledger.fail("unreadable_cell", table=table, row=row + 2, column=column, found=repr(value), kind=kind)
            sound = False
    return cells, sound


def _parser(table, column):
    empty = column in EMPTY.get(table, ()) or column.endswith("_per_1000")
    if column in CODES and table not in JUDGED:
        return "code", lambda value: "" if empty and _empty(value) else _code(value)
    if column in CODES | TEXTS:
        return "text", _text
    if column in DEGREES:
        return "degree", lambda value: _degree(value, DEGREES[column])
    kind, parse = ("number", _number) if decimals(table, column) else ("whole", _whole)
    if not empty:
        return kind, parse
    if kind == "whole":
        parse = _whole_beside_none
    return kind, lambda value: None if _empty(value) else parse(value)


def _empty(value):
    return value is None or value is pd.NA or value == "" or (isinstance(value, float) and math.isnan(value))


def _code(value):
    if isinstance(value, str) and CODE.fullmatch(value):
        return value
    raise ValueError


def _text(value):
    if isinstance(value, str):
        return value
    raise ValueError


def _whole(value):
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    raise ValueError


def _whole_beside_none(value):
    """In memory whole numbers stand as 12.0 in a column where some are absent."""
    return _whole(int(value) if isinstance(value, float | np.floating) and value == int(value) else value)


def _number(value):
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        return float(value)
    if (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ):
        return float(value)
    raise ValueError


def _degree(value, most):
    number = _number(value)
    if abs(number) <= most:
        return number
    raise ValueError
