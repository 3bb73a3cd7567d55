"""The tables of a plan as the verifier expects them, and the strict reading of their cells."""

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

COVERAGE = "setting persons covered uncovered covered_now preferred"
STATION = "id name kind county_code city_code lon lat status"
TABLES = {
    name: tuple(columns.split())
    for name, columns in {
        "beds_by_city": "code name persons beds_now beds_target beds_plan beds_new"
        " now_per_1000 target_per_1000 plan_per_1000",
        "beds_by_county": "code name city_code persons beds_now beds_plan beds_new now_per_1000 plan_per_1000"
        " reach_now_per_1000 reach_plan_per_1000",
        "ambulances_by_city": "code name persons stations required plan",
        "stations": f"{STATION} ambulances persons",
        "stations_alternative": f"{STATION} persons",
        "coverage_by_city": f"code name {COVERAGE}",
        "coverage_by_county": f"code name city_code {COVERAGE}",
        "uncovered_places": "county_code county setting place persons km lon lat",
        "centres": "name city_code level lon lat persons",
        "catchments": "county_code county persons centre_city_code km",
        "centres_free": "name city_code county_code level lon lat persons",
        "catchments_free": "county_code county persons centre_county_code km",
        "compliance": "standard_id name document clause area_code area unit now target plan gap verdict"
        " nature_now nature_plan",
    }.items()
}

# What a column holds; one that is not named here holds whole numbers.
CODES = frozenset({"code", "county_code", "city_code", "area_code", "centre_city_code", "centre_county_code"})
TEXTS = frozenset(
    [
        "id",
        "name",
        "kind",
        "status",
        "setting",
        "place",
        "county",
        "level",
        "standard_id",
        "document",
        "clause",
        "area",
        "unit",
        "verdict",
        "nature_now",
        "nature_plan",
    ]
)
DECIMALS = {"km": 3, "lon": 6, "lat": 6} | dict.fromkeys(
    ("now_per_1000", "target_per_1000", "plan_per_1000", "reach_now_per_1000", "reach_plan_per_1000"), 2
)
FIGURES = frozenset(
    {"now", "target", "plan", "gap"}
)  # of the table compliance: up to six decimals, empty where there is none
FIGURE_DECIMALS = 6
DEGREES = {"lon": 180, "lat": 90}

WHOLE = re.compile(r"-?[0-9]{1,15}")
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
CODE = re.compile(r"[0-9]{6}")


def decimals(table, column):
    """Return the decimals a number column is printed with; 0 for whole numbers, codes and text."""
    if table == "compliance" and column in FIGURES:
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
    if column in CODES:
        return "code", _code
    if column in TEXTS:
        return "text", _text
    if (table == "compliance" and column in FIGURES) or column.endswith("_per_1000"):
        return "number", lambda value: None if _empty(value) else _number(value)
    if column in DEGREES:
        return "degree", lambda value: _degree(value, DEGREES[column])
    return ("number", _number) if decimals(table, column) else ("whole", _whole)


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
