"""New stations that keep their distance from one another: whatever the goal, asked again until no two are too near."""

from dataclasses import replace

import numpy as np

from geo.travel import arcs_within
from planner.engine.found import Clock, Found, nothing
from planner.locate import lscp
from planner.services.station_problem import too_near
from planner.solve import INTERIM, NO_PLAN, OPTIMAL

SPACED_ROUNDS = 12  # how often sites that stand too near are sought anew elsewhere


def spaced(question, goal, clock, *, everybody):
    """Return the answer of ``goal`` with no two new stations nearer than the spacing.

    Spacing can only make a plan worse, so the bound without it holds with it. Of two that stand too near the one of
    worse rank is shut and the question asked again: mostly as good a plan stands elsewhere.
    """
    first = best = goal(question, question.problem, clock)
    problem = question.problem
    for _ in range(SPACED_ROUNDS if question.scenario.spacing_km > 0 else 0):
        if not len(best.sites):
            break
        shut = _shut(problem, _crowded(question, best.sites), everybody)
        if not len(shut):
            break
        problem = replace(problem, forbidden=np.union1d(problem.forbidden, shut))
        best = goal(question, problem, clock)
    if not len(first.sites) or not len(_crowded(question, first.sites)):
        return first
    if len(best.sites) and not len(_crowded(question, best.sites)):
        return _bounded(best, first.bound)
    # Shut one by one, too much was shut: places are chosen anew, side by side or not at all.
    return _apart(question, clock) if everybody else _filled(question, goal, first, best)


def _shut(problem, pairs, everybody):
    """Return of each pair the site of worse rank; the other one where somebody has no other site."""
    shut = set()
    for better, worse in pairs.tolist():
        if {better, worse} & shut:
            continue
        for one in (worse, better):
            closed = np.union1d(problem.forbidden, [*shut, one]).astype(np.int64)
            if not everybody or replace(problem, forbidden=closed).reachable().all():
                shut.add(one)
                break
    return np.array(sorted(shut), dtype=np.int64)


def _apart(question, clock):
    """Return the fewest sites for everybody of which no two are too near: pairs that are exclude each other."""
    problem, pairs = question.problem, set()
    wishes = {"fixed": problem.fixed, "forbidden": problem.forbidden, "rank": problem.rank, "cancel": clock.cancel}
    while not clock.stopped():
        best = lscp(problem.arcs, exclusive=sorted(pairs), seconds=clock.left(), **wishes)
        crowded = _crowded(question, best.sites).tolist()
        if not best.has_plan or not crowded:
            return Found(best.status, best.sites, best.objective, best.bound)
        pairs |= {tuple(sorted(pair)) for pair in crowded}
    return nothing(NO_PLAN)


def _filled(question, goal, first, best):
    """Return a layout without the sites that stand too near, filled up with those that bring most people alone."""
    problem, known = question.problem, best if len(best.sites) else first
    chosen = np.setdiff1d(known.sites, _crowded(question, known.sites)[:, 1:])
    shut = np.union1d(problem.forbidden, chosen)
    while len(chosen) < question.count:
        near = too_near(question.sites, np.setdiff1d(chosen, problem.fixed), question.scenario.spacing_km)
        free = np.setdiff1d(np.flatnonzero(~near), shut)
        if not len(free):
            return nothing(NO_PLAN)
        people = (problem.persons * ~problem.covered_by(chosen)) @ problem.pattern[:, free]
        site = free[np.lexsort((problem.rank[free], -people))[0]]
        chosen, shut = np.append(chosen, site), np.append(shut, site)
    return _bounded(Found(INTERIM, np.sort(chosen), _worth(question, goal, chosen), None), first.bound)


def _worth(question, goal, chosen):
    """Return what a layout is worth by a goal: the goal's own answer when no other site is allowed."""
    problem = question.problem
    others = np.setdiff1d(np.arange(problem.arcs.shape[1]), chosen)
    return goal(question, replace(problem, fixed=np.sort(chosen), forbidden=others), Clock(np.inf)).objective


def _bounded(best, bound):
    """Return ``best`` with a bound of a wider question, and the status that it earns."""
    if bound is not None and best.objective is not None and abs(best.objective - bound) < 1e-9 * max(abs(bound), 1.0):
        return replace(best, status=OPTIMAL, bound=best.objective)
    return replace(best, status=INTERIM if best.status == OPTIMAL else best.status, bound=bound)


def _crowded(question, chosen):
    """Return pairs (n x 2) of new stations nearer than the spacing: positions, the one of worse rank second."""
    new = np.setdiff1d(chosen, question.problem.fixed)
    metres = round(question.scenario.spacing_km * 1000) - 1
    if metres < 0 or len(new) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    i, j = arcs_within(question.sites.iloc[new], question.sites.iloc[new], metres).tocoo().coords
    rank = question.problem.rank[new]
    kept = rank[i] < rank[j]
    return np.column_stack([new[i[kept]], new[j[kept]]])
