"""Ambulances: each city's floor by its persons, shared by its stations by the people they serve, one each at least."""

import heapq
from fractions import Fraction

import pandas as pd

from planner.models.vehicle_allocation import claim, vehicle_allocation
from planner.rounding import ceiling
from planner.services.proof import Proof
from planner.solve import INTERIM, OPTIMAL, WITHIN_GAP, solve

WORST_FIRST = (INTERIM, WITHIN_GAP, OPTIMAL)


def required_by_city(region, scenario):
    """Return vehicles by city code: persons / persons per vehicle, rounded up, never for the province as a whole."""
    persons = region.counties.groupby("city_code")["persons"].sum()
    return {k: ceiling(Fraction(int(persons[k]), scenario.persons_per_ambulance)) for k in region.cities.index}


def plan_ambulances(region, stations, scenario):
    """Return (vehicles on station id, Proof). A city with more stations than its floor gets one vehicle a station.

    ``stations`` is on id with city_code and persons (of the demand points nearest to it).
    """
    vehicles = pd.Series(0, index=stations.index, dtype="int64")
    required = required_by_city(region, scenario)
    status, objective, bound, seconds = OPTIMAL, 0.0, 0.0, 0.0
    for city, at in stations.groupby("city_code"):
        solution, vehicles[at.index] = _city_fleet(at["persons"].to_numpy(), max(required[city], len(at)))
        status = min(status, solution.status, key=WORST_FIRST.index)
        objective += solution.objective
        bound = None if bound is None or solution.bound is None else bound + solution.bound
        seconds += solution.seconds
    gap = None if bound is None else (0.0 if status == OPTIMAL else abs(bound - objective) / max(abs(objective), 1.0))
    return vehicles, Proof("ambulances", status, "claims", objective, bound, gap, seconds)


def _city_fleet(persons, fleet):
    """Return (Solution, vehicles a station) of one city; too short to ask for a limit or a cancel."""
    known = _handed_out(persons, fleet)
    spare = 2
    while True:
        most = [count + spare for count in known]
        start = {f"y{s:06d}_{k:04d}": 1 for s, count in enumerate(known) for k in range(1, count + 1)}
        solution = solve(vehicle_allocation(persons, fleet, most), start=start)
        count = [sum(solution.values[f"y{s:06d}_{k:04d}"] for k in range(1, most[s] + 1)) for s in range(len(persons))]
        if all(c < m for c, m in zip(count, most, strict=True)):
            return solution, count
        spare *= 2


def _handed_out(persons, fleet):
    """Give out vehicle after vehicle to the highest claim: the divisor method by hand, to begin with."""
    n = len(persons)
    count = [1] * n
    claims = [(-claim(persons[s], 2, s, n), s) for s in range(n)]
    heapq.heapify(claims)
    for _ in range(fleet - n):
        _, s = heapq.heappop(claims)
        count[s] += 1
        heapq.heappush(claims, (-claim(persons[s], count[s] + 1, s, n), s))
    return count
