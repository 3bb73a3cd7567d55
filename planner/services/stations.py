"""Emergency stations: one at every county seat, and how many more, and where, so that everyone is within the standard."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from geo.sites import known_places
from geo.travel import arcs_within, is_covered, nearest
from planner.explain import Infeasible, county_without_station, out_of_reach, too_few_stations
from planner.models.lscp import chosen, lscp
from planner.models.mclp import mclp
from planner.problem import CoverProblem, greedy_cover, reduce_problem, without_needless
from planner.services.proof import Proof, proof_of
from planner.solve import INFEASIBLE, NO_PLAN, OPTIMAL, solve


@dataclass(frozen=True)
class StationPlan:
    """``chosen`` and ``alternative``: site ids, sorted (the alternative answers the other question; None = it has no answer)."""

    chosen: tuple
    alternative: tuple | None
    proofs: dict


def standard_metres(demand, urban_km, rural_km):
    """Return the standard of each demand point in whole metres: urban and rural have their own."""
    return np.where(demand["setting"].eq("urban"), round(urban_km * 1000), round(rural_km * 1000)).astype(np.int64)


def cover_problem(region, demand, sites, scenario):
    """Return the :class:`CoverProblem` of a scenario: every seat held, closed counties shut, towns before cells, busy places first."""
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
    """Order the sites: seats, towns, cells; within a kind those with most people near (urban: the standard, rural: the preferred radius)."""
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
    _refuse_impossible(region, standards, demand, problem, scenario)

    def ticker(stage):
        return None if progress is None else lambda seconds, gap, best: progress(stage, seconds, gap, best)

    proofs, answers = {}, {}
    if problem.reachable().all():
        answers["cover_all"], proofs["stations_cover_all"] = _cover_all(
            problem, scenario, ticker("stations_cover_all"), cancel
        )
    else:
        answers["cover_all"] = None
        proofs["stations_cover_all"] = Proof("stations_cover_all", INFEASIBLE, "stations", None, None, None, 0.0)
    if scenario.stations_goal == "cover_all" and cancel is not None and cancel.is_set():
        # Somebody waits for the plan: the other question, which nobody asked yet, stays unanswered.
        answers["best_n"] = None
        proofs["stations_best_n"] = Proof("stations_best_n", NO_PLAN, "persons", None, None, None, 0.0)
    else:
        answers["best_n"], proofs["stations_best_n"] = _best_n(
            problem, scenario, answers["cover_all"], proofs["stations_cover_all"], ticker("stations_best_n"), cancel
        )
    other = "best_n" if scenario.stations_goal == "cover_all" else "cover_all"

    def ids(positions):
        return None if positions is None else tuple(sorted(sites.index[list(positions)]))

    return StationPlan(ids(answers[scenario.stations_goal]), ids(answers[other]), proofs)


def _refuse_impossible(region, standards, demand, problem, scenario):
    rule = standards["emergency_station_county"]
    clause = f"{rule.document} {rule.clause}"
    counties = region.counties
    reasons = [
        county_without_station(code, counties["name"][code], int(counties["persons"][code]), clause)
        for code in scenario.closed_counties
        if code in counties.index
    ]
    if scenario.stations_count < len(counties):
        reasons.append(too_few_stations(scenario.stations_count, len(counties), clause))
    lost = demand[~problem.reachable()]
    if len(lost) and (scenario.stations_goal == "cover_all" or scenario.closed_counties):
        places = known_places(region)
        _, position = nearest(lost, places)
        named = lost.assign(county=counties["name"].reindex(lost["county_code"]).to_numpy())
        reasons += out_of_reach(named, places["name"].to_numpy()[position], scenario.urban_km, scenario.rural_km)
    if reasons:
        raise Infeasible(reasons)


def _cover_all(problem, scenario, progress, cancel):
    """Fewest stations for everyone; then, among plans with as few, the one with the best-ranked sites."""
    core = reduce_problem(problem, every_row=True)
    start = without_needless(core, greedy_cover(core))
    best = solve(
        lscp(core.cover),
        seconds=scenario.solve_seconds,
        start={f"x{j:06d}": 1 for j in start},
        progress=progress,
        cancel=cancel,
    )
    proof = proof_of("stations_cover_all", "stations", best, plus=len(problem.fixed))
    if best.status == OPTIMAL:
        ranked = solve(
            lscp(core.cover, cost=core.rank, p=int(best.objective)),
            seconds=scenario.solve_seconds,
            start=best.values,
            progress=progress,
            cancel=cancel,
        )
        best = ranked if ranked.has_plan else best
    return [*problem.fixed, *core.sites[chosen(best.values, len(core.sites))]], proof


def _best_n(problem, scenario, cover_all, cover_proof, progress, cancel):
    """Most people within the standard with the stations given; when they are enough for everyone, the plan that needs fewest."""
    if cover_all is not None and len(cover_all) <= scenario.stations_count and cover_proof.status == OPTIMAL:
        everyone = float(problem.persons.sum())
        return cover_all, Proof("stations_best_n", OPTIMAL, "persons", everyone, everyone, 0.0, 0.0)
    core = reduce_problem(problem, every_row=False)
    held = int(problem.persons[problem.covered_by(problem.fixed)].sum())
    more = min(scenario.stations_count - len(problem.fixed), len(core.sites))
    start = greedy_cover(core, more)
    # Greedy may stop early, when nobody is left whom a site could add: any other sites fill the number.
    start += [j for j in np.argsort(core.rank) if j not in set(start)][: more - len(start)]
    served = np.flatnonzero(sparse.csr_array(core.cover[:, start]).sum(axis=1)) if start else []
    values = {f"x{j:06d}": 1 for j in start} | {f"y{i:06d}": 1 for i in served}
    solution = solve(
        mclp(core.cover, core.weights, more),
        seconds=scenario.solve_seconds,
        start=values,
        progress=progress,
        cancel=cancel,
    )
    proof = proof_of("stations_best_n", "persons", solution, plus=held)
    return [*problem.fixed, *core.sites[chosen(solution.values, len(core.sites))]], proof


def station_table(sites, ids, demand, detour_factor):
    """Return (stations, metres, position): the table of ``ids`` with the persons nearest to each, and each demand point's way.

    ``stations`` is on id, sorted; ``position`` points into it; of equally near stations the smallest id serves.
    """
    stations = sites.loc[list(ids)].copy()
    metres, position = nearest(demand, stations, detour_factor)
    stations["persons"] = np.bincount(position, weights=demand["persons"], minlength=len(stations)).astype(np.int64)
    stations["status"] = np.where(stations["kind"].eq("seat"), "assumed", "new")
    return stations, metres, position


def coverage(demand, metres, standard, metres_now, preferred):
    """Return each demand point's persons, and how many of them are covered, uncovered, covered_now and preferred (all or none).

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
