"""Freezes: the hospitals that may have no new beds, each with its reasons, and the rules that nobody could apply."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from planner.rounding import shared_out
from planner.services.stock import PLANNED, cell_of

STANDARDS = {
    "occupancy": "freeze_occupancy",
    "stay": "freeze_alos",
    "staff": "freeze_staff_bed_ratio",
    "floor_area": "freeze_floor_area",
}


@dataclass(frozen=True)
class Reason:
    """Why a hospital is frozen: ``rule`` of ``STANDARDS``, or "declared" without figures."""

    rule: str
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Verdict:
    """``word``: yes | no | exempt; ``reasons``: the criteria that a hospital misses, whether or not they freeze it."""

    word: str
    reasons: tuple = ()


def verdicts(facilities, standards, scenario):
    """Return {id: :class:`Verdict`} of listed hospitals; {} without a table.

    The criteria are those of public general hospitals; any of them freezes, or all that are measured (a switch).
    """
    if facilities is None:
        return {}
    return {each.Index: _verdict(each, standards, scenario) for each in facilities.itertuples()}


def _verdict(each, standards, scenario):
    declared = () if each.may_grow else (Reason("declared"),)
    if each.owner == "private" or each.kind != "general":
        return Verdict("yes" if declared else "no", declared)
    missed, measured = [], 0
    for rule, value, limit in _criteria(each, standards, scenario):
        if limit is None or value is None:
            continue
        measured += 1
        if value > limit if rule == "stay" else value < limit:
            missed.append(Reason(rule, float(value), float(limit)))
    frozen = bool(missed) and (scenario.freeze_rule == "any" or len(missed) == measured)
    reasons = (*missed, *declared)
    if declared:
        return Verdict("yes", reasons)
    if frozen and each.host and scenario.freeze_hosts_exempt:
        return Verdict("exempt", reasons)
    return Verdict("yes" if frozen else "no", reasons)


def _criteria(each, standards, scenario):
    """Yield (rule, what the hospital has, the limit), exact; None = not measured, or no standard known."""
    area = Fraction(str(scenario.freeze_area_per_bed)) or None
    yield "occupancy", _exact(each.occupancy), standards[STANDARDS["occupancy"]].value
    yield "stay", _exact(each.stay_days), standards[STANDARDS["stay"]].value
    yield "staff", _per_bed(each.staff, each.beds), standards[STANDARDS["staff"]].value
    yield "floor_area", _per_bed(each.floor_area, each.beds), area


def _exact(value):
    return None if value is None or math.isnan(value) else Fraction(str(value))


def _per_bed(value, beds):
    value = _exact(value)
    return None if value is None or not beds else value / int(beds)


def closed_cells(region, facilities, judged, complete):
    """Return booleans counties x ``PLANNED``: no hospital there may add public general beds.

    Only a table that lists every hospital (``complete``) can say so.
    """
    closed = np.zeros((len(region.counties), len(PLANNED)), dtype=bool)
    if facilities is None or not complete:
        return closed
    closed[:] = True
    place = {code: i for i, code in enumerate(region.counties.index)}
    for each in facilities.itertuples():
        if each.kind == "general" and each.owner in PLANNED and judged[each.Index].word != "yes":
            closed[place[each.county_code], PLANNED.index(each.owner)] = False
    return closed


def growth_of(region, facilities, judged, stock, plan, complete):
    """Return {id: new beds}: what a cell gains, shared out by beds among its hospitals that may grow.

    Hospitals that no table lists take part with the beds they have together, last, unless the table is complete.
    ``plan``: int array counties x ``CELLS``.
    """
    new = {}
    if facilities is None:
        return new
    place = {code: i for i, code in enumerate(region.counties.index)}
    by_cell = facilities.groupby(["county_code", "owner", "kind"], sort=True)
    gained = {}
    for (county, owner, kind), members in by_cell:
        gained.setdefault((place[county], cell_of(owner, kind)), []).extend(members.index)
    for (i, cell), ids in gained.items():
        ids = sorted(ids)
        new |= dict.fromkeys(ids, 0)
        growth = int(plan[i, cell] - stock.cells[i, cell])
        growing = [id for id in ids if judged[id].word != "yes"]
        unlisted = 0 if complete else int(stock.cells[i, cell] - stock.listed[i, cell])
        weights = [int(facilities.at[id, "beds"]) for id in growing] + ([unlisted] if not complete else [])
        if growth > 0 and weights:
            new |= dict(zip(growing, shared_out(growth, weights)[: len(growing)], strict=True))
    return new
