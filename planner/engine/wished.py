"""Siting under wishes that tie sites to one another: prices and a budget, spacing, kinds at one place, not that again.

One site may then not stand for another, so only rows are reduced; the readable model goes to the solver whole. Good for
thousands of sites, not for millions of rows that differ.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from planner.engine.found import found, nothing
from planner.models.bclp import bclp
from planner.models.double_standard import double_standard
from planner.models.lscp import lscp
from planner.models.mclp import mclp
from planner.models.wishes import keep
from planner.problem import merged, same_rows
from planner.solve import OPTIMAL, solve


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
    vehicles = np.array([solution.values[v.name] for v in y])
    sites = np.repeat(np.arange(len(y)), vehicles)
    objective = people[near @ vehicles >= 2].sum()
    return found(sites, objective, objective if solution.status == OPTIMAL else solution.bound, gap)


def _price(wishes, sites):
    return len(sites) if wishes.price is None else wishes.price[sites].sum()


def _answered(model, x, wishes, gap, clock, worth):
    keep(model, x, wishes)
    solution = _solved(model, gap, clock)
    if not solution.has_plan:
        return nothing(solution.status, solution.bound)
    sites = np.flatnonzero([solution.values[v.name] for v in x])
    objective = worth(sites)
    return found(sites, objective, objective if solution.status == OPTIMAL else solution.bound, gap)


def _solved(model, gap, clock):
    progress = clock.progress and (
        lambda _, gap, best: clock.tell(best, None if gap is None or best is None else best + gap * abs(best))
    )
    return solve(model, seconds=clock.left(), gap=gap, progress=progress, cancel=clock.cancel)
