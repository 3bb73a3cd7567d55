"""What a plan of beds is worth by each objective a planner can choose, worked out anew from its decisions."""

from fractions import Fraction

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from planner.verify import access
from planner.verify.bed_rules import built_and_added, cost, shortfall
from planner.verify.limits import county_beds, limits_of, planned_cells
from planner.verify.shapes import OBJECTIVES
from planner.verify.stock import stock_of

MAXIMISED = ("worst",)
CLOSING = ("other_public", "general")
NEAR = 1e-6  # relative: how far two sums of decimals may be apart
NEAR_TRAVEL = 1e-5  # the same of two solvers' answers: centimetres


def worths(facts, cells, names=OBJECTIVES):
    """Return {objective: value} of a plan (beds by cell, a dict for each county position)."""
    return {name: _WORTH[name](facts, cells) for name in names}


def _reach(facts, cells):
    return access.within_reach(facts, county_beds(cells))


def _worst(facts, cells):
    """Beds per 1,000 within reach of the worst county."""
    within = _reach(facts, cells)
    return within[access.worst_county(within, facts.county_persons)]


def _even(facts, cells):
    """Mean distance of people from the mean, in beds per 1,000 within reach."""
    return access.deviation(_reach(facts, cells), facts.county_persons)


def _equal(facts, cells):
    """Beds away from equal shares per person, by county."""
    return sum(abs(beds - share) for beds, share in zip(county_beds(cells), limits_of(facts).equal, strict=True))


def _change(facts, cells):
    """Beds that are new where they are, and other public beds that close."""
    closed = sum(
        max(now[CLOSING] - county[CLOSING], 0) for now, county in zip(stock_of(facts).cells, cells, strict=True)
    )
    return built_and_added(facts, cells)[1] + closed


def _travel(facts, cells):
    """Kilometres from a resident to "his" bed, when all claims are met as near as they can be.

    Every county claims all beds in proportion to its people: least sum of km_ij f_ij, sum_j f_ij = the claim of i,
    sum_i f_ij <= beds of j; divided by all beds.
    """
    beds = np.array(county_beds(cells), dtype=float)
    persons = facts.county_persons
    if not beds.sum() or not persons.sum():
        return 0.0
    km = facts.metres(facts.seats[:, None, :], facts.seats[None, :, :]) / 1000
    claiming, supplying = np.flatnonzero(persons), np.flatnonzero(beds > 0)
    size = len(claiming) * len(supplying)
    i, j = np.divmod(np.arange(size), len(supplying))
    ones = np.ones(size)
    claims = sparse.csr_array((ones, (i, np.arange(size))), shape=(len(claiming), size))
    supplies = sparse.csr_array((ones, (j, np.arange(size))), shape=(len(supplying), size))
    # Claims sum to the beds only up to rounding: they are scaled, so that they never ask for more than there is.
    share = persons[claiming] / persons.sum() * beds.sum() * (1 - 1e-12)
    found = linprog(
        km[np.ix_(claiming, supplying)].ravel(),
        A_eq=claims,
        b_eq=share,
        A_ub=supplies,
        b_ub=beds[supplying],
        method="highs",
    )
    if not found.success:
        raise ArithmeticError(found.message)
    return found.fun / beds.sum()


_WORTH = {
    "shortfall": shortfall,
    "worst": _worst,
    "even": _even,
    "equal": _equal,
    "change": _change,
    "cost": cost,
    "travel": _travel,
}


def near(name, found, expected):
    """Return whether a stated worth is, up to rounding, the one that was worked out."""
    allowed = NEAR_TRAVEL if name == "travel" else NEAR
    return abs(float(found) - float(expected)) <= allowed * max(abs(float(found)), 1.0)


def better(name, one, other):
    """Return by how much ``one`` is better than ``other`` in an objective; negative where it is worse."""
    return float(one - other) if name in MAXIMISED else float(other - one)


def check_bed_objectives(ledger, facts, plan):
    """Check what the plan is worth by every objective, and that no other row is worse at its own than any row is.

    The other rows are worths of plans that are not told, each the best by one objective: they are held against each
    other and against the plan.
    """
    frame = plan["bed_objectives"]
    order = {name: place for place, name in enumerate(facts.scenario.beds_objectives, start=1)}
    worth = worths(facts, planned_cells(facts, plan))
    rows = {line["objective"]: line for line in frame.to_dict("records")}
    stated = rows.get("plan", {}).get("travel")
    if stated is not None and near("travel", stated, worth["travel"]):
        worth["travel"] = stated
    lines = [{"objective": "plan", "order": None} | worth]
    lines += [{"objective": name, "order": order.get(name)} for name in OBJECTIVES]
    # A clock that ran out leaves the last rows out.
    told = [name in rows for name in OBJECTIVES]
    late = [name for n, name in enumerate(OBJECTIVES) if not any(told[n:])]
    ledger.compare("bed_objectives", frame, ["objective"], lines, optional={(name,) for name in late})
    for name in OBJECTIVES:
        best = rows.get(name, {}).get(name)
        for row, line in enumerate(frame.to_dict("records")):
            found = worth[name] if line["objective"] == "plan" else line[name]
            if best is None or found is None:
                continue
            if better(name, Fraction(found), Fraction(best)) > 0 and not near(name, found, best):
                params = {"who": line["objective"], "column": name, "found": found, "expected": best}
                ledger.fail("not_best", table="bed_objectives", row=row + 2, **params)
    return {"objectives": len(OBJECTIVES), "rows": len(frame)}
