"""Beds: each city's target in whole beds, given to its counties so that reach is as even as it can be."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from planner.access import reach_matrix, spread
from planner.explain import Infeasible, beds_below_stock
from planner.models.bed_allocation import bed_allocation
from planner.rounding import ceiling, half_up, shared_out
from planner.services.proof import proof_of
from planner.solve import solve

# Whole beds measure so coarse a thing so finely that a ten-thousandth of the spread is nothing a planner could see.
GAP = 1e-4


@dataclass(frozen=True)
class BedPlan:
    """Whole beds on county code; ``spread``: how uneven reach is now, if shared equally, and as planned."""

    now: pd.Series
    plan: pd.Series
    reach_now: pd.Series
    reach_plan: pd.Series
    spread: dict
    proof: object


def stock_by_city(region, standards):
    """Return today's beds by city code: the documents' beds per 1,000 of the base year x census persons (modelled)."""
    persons = region.counties.groupby("city_code")["persons"].sum()
    return {k: half_up(int(persons[k]) * standards.city_bed_target(k).base_value / 1000) for k in region.cities.index}


def targets_by_city(region, scenario):
    """Return each city's target in whole beds: persons x beds per 1,000, halves up."""
    persons = region.counties.groupby("city_code")["persons"].sum()
    return {k: half_up(int(persons[k]) * scenario.bed_targets[k] / 1000) for k in region.cities.index}


def by_county(counties, beds_by_city):
    """Return each city's beds shared out to its counties in proportion to persons (largest remainder, ties by code)."""
    beds = pd.Series(0, index=counties.index, dtype=np.int64)
    for city, members in counties.groupby("city_code"):
        beds[members.index] = shared_out(beds_by_city[city], members["persons"])
    return beds


def plan_beds(region, standards, scenario, *, progress=None, cancel=None):
    """Return the :class:`BedPlan`. Raises :class:`planner.explain.Infeasible` when a target is below today's stock."""
    counties = region.counties.drop(columns="geometry")
    now_by_city, targets = stock_by_city(region, standards), targets_by_city(region, scenario)
    persons_by_city = counties.groupby("city_code")["persons"].sum()
    reasons = [
        beds_below_stock(k, region.cities["name"][k], int(persons_by_city[k]), now_by_city[k], targets[k])
        for k in region.cities.index
        if targets[k] < now_by_city[k]
    ]
    if reasons:
        raise Infeasible(reasons)
    now, equal = by_county(counties, now_by_city), by_county(counties, targets)
    # Largest remainders can leave a county one bed short of its stock when the target barely exceeds it.
    equal = _at_least(equal, now, counties["city_code"])
    persons = counties["persons"].to_numpy(dtype=np.int64)
    city = counties["city_code"].to_numpy()
    reach = reach_matrix(counties, round(scenario.beds_reach_km * 1000), scenario.detour_factor)
    cap = Fraction(str(scenario.beds_county_cap))
    highest = [
        max(int(equal[i]), ceiling(int(counties["persons"][i]) * scenario.bed_targets[k] * cap / 1000))
        for i, k in counties["city_code"].items()
    ]
    model = bed_allocation(
        persons=persons,
        city=city,
        reach=reach,
        targets=targets,
        equal_share=equal.to_numpy(),
        lowest=now.to_numpy(),
        highest=highest,
        steadiness=scenario.beds_steadiness,
    )
    start = _start(equal.to_numpy(), reach, persons, city)
    solution = solve(model, seconds=scenario.solve_seconds, gap=GAP, start=start, progress=progress, cancel=cancel)
    plan = pd.Series([solution.values[f"x{i:06d}"] for i in range(len(counties))], index=counties.index, dtype=np.int64)
    uneven = {
        name: spread(reach @ beds.to_numpy(), persons, city)
        for name, beds in (("now", now), ("equal", equal), ("plan", plan))
    }
    return BedPlan(
        now=now,
        plan=plan,
        reach_now=pd.Series(reach @ now.to_numpy(), index=counties.index),
        reach_plan=pd.Series(reach @ plan.to_numpy(), index=counties.index),
        spread=uneven,
        proof=proof_of("beds", "beds_per_1000", solution),
    )


def _at_least(shares, lowest, city):
    shares = shares.copy()
    for _, members in shares.groupby(city):
        short = members.index[shares[members.index] < lowest[members.index]]
        for i in short:
            while shares[i] < lowest[i]:
                spare = (
                    (shares[members.index] - lowest[members.index]).sort_values(ascending=False, kind="stable").index[0]
                )
                shares[spare] -= 1
                shares[i] += 1
    return shares


def _start(beds, reach, persons, city):
    """Return every variable of the model at the equal share: a plan that is always there to fall back on."""
    within = reach @ beds
    values = {f"x{i:06d}": int(b) for i, b in enumerate(beds)}
    for k in np.unique(city):
        members = city == k
        mean = (within[members] * persons[members]).sum() / max(persons[members].sum(), 1)
        values |= {f"e{i:06d}": abs(within[i] - mean) for i in np.flatnonzero(members)}
    return values | {f"m{i:06d}": 0.0 for i in range(len(beds))}
