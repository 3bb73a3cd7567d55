"""Siting under wishes that tie sites to one another: prices and a budget, spacing, kinds at one place, not that again.

One site may then not stand for another, so only rows are reduced; the readable model goes to the solver whole. Good for
thousands of sites, not for millions of rows that differ.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from planner.engine.found import found, nothing
from planner.engine.question import nearest_of, ways_to
from planner.models.bclp import bclp
from planner.models.double_standard import double_standard
from planner.models.lscp import lscp
from planner.models.mclp import mclp
from planner.models.p_median import p_median
from planner.models.wishes import keep, prefer_lower
from planner.problem import CoverProblem, merged, same_rows
from planner.solve import INFEASIBLE, NO_PLAN, OPTIMAL, SolverFault, solve


class _Hurried(Exception):
    """The clock stopped while a model was being written."""


def fewest_sites_wished(problem, wishes, *, p=None, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of fewest sites, or least price, that serve everybody.

    ``p`` sites exactly where it is given: then any plan of p sites is as good as another.
    """
    rows = merged(problem)
    model, x = lscp(rows.pattern, rows.needs, wishes.price, p)
    return _answered(model, x, wishes, gap, clock, lambda sites: _price(wishes, sites))


def most_people_wished(problem, p, wishes, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of most weight served by exactly p sites, or within the budget."""
    rows = merged(problem)
    model, x = mclp(rows.pattern, rows.persons, p)
    return _answered(model, x, wishes, gap, clock, lambda sites: rows.persons[rows.covered_by(sites)].sum())


def twice_covered(problem, p, wishes, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of p sites that serve everybody once and most people twice."""
    rows = merged(problem)
    twice = replace(rows, need=np.full(len(rows.persons), 2))
    model, x = bclp(rows.pattern, rows.persons, p)
    return _answered(model, x, wishes, gap, clock, lambda sites: rows.persons[twice.covered_by(sites)].sum())


def least_distance_wished(ways, demand, p, wishes, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of the p-median under wishes; ``ways`` CSR, absent: no way."""
    rows = [slice(ways.indptr[i], ways.indptr[i + 1]) for i in range(ways.shape[0])]
    # In an order of their own, so that no order of the rows given shows in a plan.
    order = sorted(range(len(rows)), key=lambda i: (ways.data[rows[i]].tolist(), ways.indices[rows[i]].tolist()))

    def demands():
        for i in order:
            if clock.stopped():  # a model of a million distances is half a minute's work
                raise _Hurried
            costs = (demand[i] * ways.data[rows[i]]).tolist()
            yield sorted(zip(costs, ways.indices[rows[i]].tolist(), strict=True)), float("inf")

    unit = max(float((demand.astype(float) * np.maximum.reduceat(ways.data, ways.indptr[:-1])).sum()) / 1e6, 1e-9)
    try:
        model, x = p_median(demands(), ways.shape[1], p, unit)
    except _Hurried:
        return nothing(NO_PLAN)

    def worth(sites):
        places = nearest_of(ways, sites)
        return (demand * ways_to(ways, places)).sum()

    return _answered(model, x, wishes, gap, clock, worth, unit)


def least_radius_wished(ways, p, wishes, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of the p-center under wishes; ``ways`` CSR, absent: no way.

    Bisection over the distances there are: have p sites, or the budget's, everybody within this one?
    """
    radii = np.unique(np.append(ways.data, 0))  # nobody at all has 0 to go
    least = np.minimum.reduceat(ways.data, ways.indptr[:-1]).max(initial=0)
    low, high, best = int(np.searchsorted(radii, least)), len(radii), None  # radii[low] may do, radii[high] does
    row = np.repeat(np.arange(ways.shape[0]), np.diff(ways.indptr))
    while low < high and not (best is not None and radii[high] - radii[low] <= gap * max(radii[high], 1.0)):
        middle = (low + high) // 2 if best is not None else high - 1  # first of all: is there a plan at all?
        near = ways.data <= radii[middle]
        starts = np.concatenate([[0], np.cumsum(np.bincount(row[near], minlength=ways.shape[0]))])
        arcs = sparse.csr_array((ways.data[near], ways.indices[near], starts), shape=ways.shape)
        task = CoverProblem(
            np.ones(len(starts) - 1, np.int64), arcs, wishes.fixed, wishes.forbidden, np.arange(ways.shape[1])
        )
        plan = fewest_sites_wished(task, wishes, p=p, gap=np.inf, clock=clock)
        if plan.objective is not None:
            best = plan.sites
            way = ways_to(ways, nearest_of(ways, best)).max(initial=radii[low])
            high = int(np.searchsorted(radii, way))
        elif plan.status != INFEASIBLE:
            break
        elif best is None:
            return nothing(INFEASIBLE)
        else:
            low = middle + 1
    if best is None:
        return nothing(NO_PLAN, radii[low])
    return found(best, radii[high], radii[min(low, high)], gap)


def double_covered(near, far, persons, p, share, per_site, wishes, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of the double standard model; ``sites`` repeat with vehicles.

    ``near`` and ``far`` are 0/1 CSR arrays on the same rows and sites; near is a part of far.
    """
    both = sparse.csr_array(sparse.hstack([far, near]))
    both.sort_indices()
    first, group = same_rows(both, np.zeros(len(persons), dtype=np.int64))
    people = np.bincount(group, weights=persons, minlength=len(first)).astype(np.int64)
    near, far = sparse.csr_array(near[first]), sparse.csr_array(far[first])
    model, x, y = double_standard(near, far, people, p, share, per_site)
    keep(model, x, wishes)
    solution = _solved(model, gap, clock)
    if not solution.has_plan:
        return nothing(solution.status, solution.bound)

    def worth(sites):
        return people[near @ np.bincount(sites, minlength=len(y)) >= 2].sum()

    sites, bound = _opened(y, solution.values), solution.bound
    objective = worth(sites)
    if solution.status == OPTIMAL:
        sites, bound = _of_lower_rank(model, y, solution, sites, worth, clock), objective
    return found(sites, objective, bound, gap)


def _price(wishes, sites):
    return len(sites) if wishes.price is None else wishes.price[sites].sum()


def _answered(model, x, wishes, gap, clock, worth, unit=1.0):
    keep(model, x, wishes)
    solution = _solved(model, gap, clock, unit)
    bound = None if solution.bound is None else solution.bound * unit
    if not solution.has_plan:
        return nothing(solution.status, bound)
    sites = _opened(x, solution.values)
    objective = worth(sites)
    if solution.status == OPTIMAL:
        sites, bound = _of_lower_rank(model, x, solution, sites, worth, clock), objective
    return found(sites, objective, bound, gap)


def _opened(x, values):
    """Return the positions of opened sites, each as often as its variable says."""
    return np.repeat(np.arange(len(x)), [values[v.name] for v in x])


def _of_lower_rank(model, x, solution, sites, worth, clock):
    """Return equally good sites whose positions, which are their ranks, sum to least: no solver's whim then decides.

    Half as much time again as the proof took and a second are given to it; ``sites``, proven as they are, where that
    finds none.
    """
    seconds = min(clock.left(), 1.0 + solution.seconds / 2)
    prefer_lower(model, x, solution.objective)
    try:
        other = solve(model, seconds=seconds, start=solution.values, cancel=clock.cancel)
    except SolverFault:
        return sites
    if not other.has_plan:
        return sites
    lower = _opened(x, other.values)
    return lower if worth(lower) == worth(sites) else sites


def _solved(model, gap, clock, unit=1.0):
    def tell(_, gap, best):
        best = None if best is None else best * unit
        clock.tell(best, None if gap is None or best is None else best + gap * abs(best))

    progress = clock.progress and tell
    return solve(model, seconds=clock.left(), gap=gap, progress=progress, cancel=clock.cancel)
