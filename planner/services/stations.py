"""Emergency stations: one at every county seat; how many more, and where, to have everyone within the standard."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from geo.sites import known_places
from geo.travel import arcs_within, is_covered, nearest, standard_metres
from planner.conflict import smallest_conflict
from planner.engine.cover import fewest_sites, most_people
from planner.engine.found import Clock
from planner.explain import Infeasible, conflict, county_without_station, out_of_reach, repairs, too_few_stations
from planner.locate import lscp
from planner.problem import CoverProblem
from planner.services.proof import Proof, proof_of
from planner.solve import INFEASIBLE, NO_PLAN, OPTIMAL

REPAIR_SECONDS = 5.0  # for the cheapest repair of what cannot be: a number to think about, not a plan


@dataclass(frozen=True)
class StationPlan:
    """Site ids, sorted: ``chosen`` answers the scenario's goal, ``alternative`` the other one (None = no answer)."""

    chosen: tuple
    alternative: tuple | None
    proofs: dict


def cover_problem(region, demand, sites, scenario):
    """Return the :class:`CoverProblem` of a scenario: every seat held, closed counties shut, ranks as :func:`_rank`."""
    standard = standard_metres(demand, scenario.urban_km, scenario.rural_km)
    arcs = arcs_within(demand, sites, standard, scenario.detour_factor)
    closed = sites["county_code"].isin(scenario.closed_counties).to_numpy()
    seats = sites["kind"].eq("seat").to_numpy()
    return CoverProblem(
        persons=demand["persons"].to_numpy(dtype=np.int64),
        arcs=arcs,
        fixed=np.flatnonzero(seats & ~closed),
        forbidden=np.flatnonzero(closed),
        rank=_rank(demand, sites, arcs, scenario),
    )


def _rank(demand, sites, arcs, scenario):
    """Order the sites: seats, towns, cells; within a kind those with most people near.

    Near is within the standard for urban people, within the preferred radius for rural ones.
    """
    near = standard_metres(demand, scenario.urban_km, min(scenario.rural_preferred_km, scenario.rural_km))
    rows = np.repeat(np.arange(len(demand)), np.diff(arcs.indptr))
    close = is_covered(arcs.data, near[rows])
    people = np.bincount(arcs.indices[close], weights=demand["persons"].to_numpy()[rows[close]], minlength=len(sites))
    kind = sites["kind"].map({"seat": 0, "town": 1, "cell": 2}).to_numpy()
    rank = np.empty(len(sites), dtype=np.int64)
    rank[np.lexsort((sites.index.to_numpy(), -people, kind))] = np.arange(len(sites))
    return rank


def plan_stations(region, standards, demand, sites, problem, scenario, *, progress=None, cancel=None):
    """Return the :class:`StationPlan`. Raises :class:`planner.explain.Infeasible` naming places and people."""
    _refuse_impossible(region, standards, demand, sites, problem, scenario)

    def ticker(stage):
        return None if progress is None else lambda seconds, gap, best: progress(stage, seconds, gap, best)

    def left_open(goal):
        """Somebody waits for the plan: the other question, which is not the scenario's own, stays unanswered."""
        return scenario.stations_goal != goal and cancel is not None and cancel.is_set()

    proofs, answers = {}, {"cover_all": None, "best_n": None}
    if not problem.reachable().all():
        proofs["stations_cover_all"] = Proof("stations_cover_all", INFEASIBLE, "stations", None, None, None, 0.0)
    elif left_open("cover_all"):
        proofs["stations_cover_all"] = Proof("stations_cover_all", NO_PLAN, "stations", None, None, None, 0.0)
    else:
        answers["cover_all"], proofs["stations_cover_all"] = _cover_all(
            problem, scenario, ticker("stations_cover_all"), cancel
        )
    if scenario.stations_count < len(problem.fixed):
        # Only for the goal "cover_all": nobody asked for so few, and fewer than the seats' stations answer nothing.
        proofs["stations_best_n"] = Proof("stations_best_n", INFEASIBLE, "persons", None, None, None, 0.0)
    elif left_open("best_n"):
        proofs["stations_best_n"] = Proof("stations_best_n", NO_PLAN, "persons", None, None, None, 0.0)
    else:
        answers["best_n"], proofs["stations_best_n"] = _best_n(
            problem, scenario, answers["cover_all"], proofs["stations_cover_all"], ticker("stations_best_n"), cancel
        )
    other = "best_n" if scenario.stations_goal == "cover_all" else "cover_all"

    def ids(positions):
        return None if positions is None else tuple(sorted(sites.index[list(positions)]))

    return StationPlan(ids(answers[scenario.stations_goal]), ids(answers[other]), proofs)


def _refuse_impossible(region, standards, demand, sites, problem, scenario):
    rule = standards["emergency_station_county"]
    clause = f"{rule.document} {rule.clause}"
    counties = region.counties
    reasons = [
        county_without_station(code, counties["name"][code], int(counties["persons"][code]), clause)
        for code in scenario.closed_counties
        if code in counties.index
    ]
    if scenario.stations_goal == "best_n" and scenario.stations_count < len(counties):
        reasons.append(too_few_stations(scenario.stations_count, len(counties), clause))
    lost = np.flatnonzero(~problem.reachable())
    if len(lost) and scenario.stations_goal == "cover_all":
        reasons += _unreachable(region, demand, sites, problem, lost, scenario)
    if reasons:
        raise Infeasible(reasons + _conflict(region, sites, problem, lost, scenario, clause))


def _unreachable(region, demand, sites, problem, lost, scenario):
    """Return who is out of reach, how far, and what would mend it."""
    counties, places = region.counties, known_places(region)
    allowed = np.setdiff1d(np.arange(len(sites)), problem.forbidden)
    points = demand.iloc[lost]
    metres = np.full(len(lost), np.inf)
    if len(allowed):
        metres = nearest(points, sites.iloc[allowed], scenario.detour_factor)[0].astype(float)
    named = points.assign(county=counties["name"].reindex(points["county_code"]).to_numpy(), metres=metres)
    told = out_of_reach(
        named, places["name"].to_numpy()[nearest(points, places)[1]], scenario.urban_km, scenario.rural_km
    )
    closed = len(scenario.closed_counties)
    far = points[np.diff(problem.arcs[lost].indptr) == 0]  # beyond reach with every county open
    if not len(far):
        return told + repairs(far, closed=closed, added=0, proven=True)
    named = far.assign(metres=nearest(far, sites, scenario.detour_factor)[0].astype(float))
    standard = standard_metres(far, scenario.urban_km, scenario.rural_km)
    added = lscp(arcs_within(far, far, standard, scenario.detour_factor), seconds=REPAIR_SECONDS)
    return told + repairs(named, closed=closed, added=len(added.sites), proven=added.status == OPTIMAL)


def _ways_by_closed_county(problem, sites, lost, closed):
    """Return 0/1 (CSR, lost demand x closed counties): would some site of the county reach the demand?"""
    county = pd.Index(closed).get_indexer(sites["county_code"])
    row, column = sparse.coo_array(problem.arcs[lost]).coords
    shut = county[column] >= 0
    pairs = np.unique(np.stack([row[shut], county[column[shut]]]), axis=1)
    return sparse.csr_array((np.ones(pairs.shape[1], np.int32), tuple(pairs)), shape=(len(lost), len(closed)))


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
    params = {
        "clause": clause,
        "count": scenario.stations_count,
        "urban": f"{scenario.urban_km:g}",
        "rural": f"{scenario.rural_km:g}",
    }
    return conflict([(kind, None if code is None else counties["name"][code]) for kind, code in found], params)


def _some_cut_off(ways, shut):
    """Return whether some row has no way left when the counties ``shut`` (columns) are: open ones are a way too."""
    left = np.ones(ways.shape[1], dtype=np.int32)
    left[shut] = 0
    return bool((ways @ left == 0).any())


def _cover_all(problem, scenario, progress, cancel):
    """Fewest stations for everyone; of plans with as few, one whose sites cannot be bettered one by one."""
    clock = Clock(scenario.solve_seconds, progress, cancel)
    best = fewest_sites(problem, clock=clock)
    return best.sites, proof_of("stations_cover_all", "stations", best, seconds=clock.spent())


def _best_n(problem, scenario, cover_all, cover_proof, progress, cancel):
    """Most people within the standard with the stations given; if enough for everyone, the plan that needs fewest."""
    if cover_all is not None and len(cover_all) <= scenario.stations_count and cover_proof.status == OPTIMAL:
        everyone = float(problem.persons.sum())
        return cover_all, Proof("stations_best_n", OPTIMAL, "persons", everyone, everyone, 0.0, 0.0)
    clock = Clock(scenario.solve_seconds, progress, cancel)
    sites = problem.arcs.shape[1] - len(problem.forbidden)
    best = most_people(problem, min(scenario.stations_count, sites), clock=clock)
    return best.sites, proof_of("stations_best_n", "persons", best, seconds=clock.spent())


def station_table(sites, ids, demand, detour_factor):
    """Return (stations, metres, position): the table of ``ids`` with the persons nearest to each, each point's way.

    ``stations`` is on id, sorted; ``position`` points into it; of equally near stations the smallest id serves.
    """
    stations = sites.loc[list(ids)].copy()
    metres, position = nearest(demand, stations, detour_factor)
    stations["persons"] = np.bincount(position, weights=demand["persons"], minlength=len(stations)).astype(np.int64)
    stations["status"] = np.where(stations["kind"].eq("seat"), "assumed", "new")
    return stations, metres, position


def coverage(demand, metres, standard, metres_now, preferred):
    """Return each demand point's persons, and of them the covered, uncovered, covered_now and preferred (all or none).

    DataFrame on the rows of ``demand`` with county_code, city_code and setting; sums over it are what the tables print.
    """
    persons = demand["persons"].to_numpy()
    return pd.DataFrame(
        {
            "county_code": demand["county_code"].to_numpy(),
            "city_code": demand["city_code"].to_numpy(),
            "setting": demand["setting"].to_numpy(),
            "persons": persons,
            "covered": np.where(is_covered(metres, standard), persons, 0),
            "uncovered": np.where(is_covered(metres, standard), 0, persons),
            "covered_now": np.where(is_covered(metres_now, standard), persons, 0),
            "preferred": np.where(is_covered(metres, preferred), persons, 0),
        }
    )
