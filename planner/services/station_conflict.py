"""Why a scenario's stations cannot be: who is out of reach, which wishes contradict, and what would mend it."""

import numpy as np
import pandas as pd
from scipy import sparse

from geo.sites import known_places
from geo.travel import UNREACHED, nearest
from planner.conflict import smallest_conflict
from planner.explain import Infeasible, conflict, county_without_station, out_of_reach, repairs, too_few_stations
from planner.locate import lscp
from planner.services.station_problem import standards_of
from planner.solve import OPTIMAL

REPAIR_SECONDS = 5.0  # for the cheapest repair of what cannot be: a number to think about, not a plan


def refuse_impossible(region, standards, demand, sites, problem, scenario, ways):
    """Raise :class:`planner.explain.Infeasible` with every reason why no plan can keep the scenario's rules."""
    rule = standards["emergency_station_county"]
    clause = f"{rule.document} {rule.clause}"
    counties = region.counties
    reasons = [
        county_without_station(code, counties["name"][code], int(counties["persons"][code]), clause)
        for code in scenario.closed_counties
        if code in counties.index
    ]
    least = max(len(problem.fixed), len(counties) - len(scenario.closed_counties))
    if scenario.stations_goal != "cover_all" and scenario.stations_count < least:
        reasons.append(too_few_stations(scenario.stations_count, least, clause))
    lost = np.flatnonzero(~problem.reachable())
    if len(lost) and scenario.stations_goal == "cover_all":
        reasons += _unreachable(region, demand, sites, problem, lost, scenario, ways)
    if reasons:
        raise Infeasible(reasons + _conflict(region, sites, problem, lost, scenario, clause))


def _unreachable(region, demand, sites, problem, lost, scenario, ways):
    """Return who is out of reach, how far, and what would mend it."""
    counties, places, asked = region.counties, known_places(region), standards_of(scenario)
    allowed = np.setdiff1d(np.arange(len(sites)), problem.forbidden)
    points = demand.iloc[lost]
    named = points.assign(
        county=counties["name"].reindex(points["county_code"]).to_numpy(),
        amount=_amounts(ways, points, sites.iloc[allowed]),
    )
    unit = {"per_unit": ways.per_unit, "minutes": ways.measure == "minutes"}
    told = out_of_reach(named, places["name"].to_numpy()[nearest(points, places)[1]], asked.urban, asked.rural, **unit)
    closed = len(scenario.closed_counties)
    far = points[np.diff(problem.arcs[lost].indptr) == 0]  # beyond reach with every county open
    if not len(far):
        return told + repairs(far, closed=closed, added=0, proven=True, **unit)
    named = far.assign(amount=_amounts(ways, far, sites))
    standard = ways.limits(far, asked.urban, asked.rural)
    added = lscp(ways.arcs_within(far, far, standard), only_reachable=True, seconds=REPAIR_SECONDS)
    proven = added.status == OPTIMAL and not len(added.unserved)
    return told + repairs(named, closed=closed, added=len(added.sites), proven=proven, **unit)


def _amounts(ways, points, sites):
    """Return metres or seconds to the nearest site as floats, infinite where no way leads."""
    if not len(sites):
        return np.full(len(points), np.inf)
    amount, _ = ways.nearest(points, sites)
    return np.where(amount == UNREACHED, np.inf, amount.astype(float))


def _conflict(region, sites, problem, lost, scenario, clause):
    """Return the smallest set of wishes that contradict, in words; nothing where one alone cannot be kept."""
    counties = region.counties
    closed = tuple(code for code in scenario.closed_counties if code in counties.index)
    goal = ("everybody", None) if scenario.stations_goal == "cover_all" else ("count", None)
    ways = _ways_by_closed_county(problem, sites, lost, closed)

    def feasible(some):
        shut = [k for k, code in enumerate(closed) if ("closed", code) in some]
        if ("county_rule", None) in some and (
            shut or (goal in some and goal[0] == "count" and scenario.stations_count < len(counties))
        ):
            return False
        return goal not in some or goal[0] == "count" or not _some_cut_off(ways, shut)

    found = smallest_conflict([("county_rule", None), *(("closed", code) for code in closed), goal], feasible)
    if found is None or len(found) < 2:
        return []
    asked = standards_of(scenario)
    params = {
        "clause": clause,
        "count": scenario.stations_count,
        "urban": f"{asked.urban:g}",
        "rural": f"{asked.rural:g}",
    }
    named = [(kind, None if code is None else counties["name"][code]) for kind, code in found]
    return conflict(named, params, minutes=scenario.travel_measure == "minutes")


def _ways_by_closed_county(problem, sites, lost, closed):
    """Return 0/1 (CSR, lost demand x closed counties): would some site of the county reach the demand?"""
    county = pd.Index(closed).get_indexer(sites["county_code"])
    row, column = sparse.coo_array(problem.arcs[lost]).coords
    shut = county[column] >= 0
    pairs = np.unique(np.stack([row[shut], county[column[shut]]]), axis=1)
    return sparse.csr_array((np.ones(pairs.shape[1], np.int32), tuple(pairs)), shape=(len(lost), len(closed)))


def _some_cut_off(ways, shut):
    """Return whether some row has no way left when the counties ``shut`` (columns) are: open ones are a way too."""
    left = np.ones(ways.shape[1], dtype=np.int32)
    left[shut] = 0
    return bool((ways @ left == 0).any())
