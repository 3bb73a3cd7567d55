"""The worst county first: stations so that the smallest share of people covered in any county is as large as can be."""

import numpy as np
from scipy import sparse

from planner.engine.found import found, nothing
from planner.models.fair_cover import fair_cover
from planner.problem import Reduced, same_rows, without_dominated_sites
from planner.solve import INFEASIBLE, solve

SHARE_GAP = 1e-4  # of the worst county's share: a hundredth of a per cent


def fairest(problem, area, p, *, clock):
    """Return the :class:`planner.engine.found.Found` of exactly ``p`` sites with the largest least share of an area.

    area  n whole numbers from 0: the area of each demand point; the share of an area is that of its people served.
    The objective is this share (0 to 1); of layouts with as large a one, as far as time lets be known, most people are
    served.
    """
    allowed = np.setdiff1d(np.arange(problem.arcs.shape[1]), problem.forbidden)
    if p < len(problem.fixed) or p > len(allowed):
        return nothing(INFEASIBLE)
    areas = int(area.max()) + 1
    totals = np.bincount(area, weights=problem.persons, minlength=areas)
    held = np.bincount(area, weights=problem.persons * problem.covered_by(problem.fixed), minlength=areas)
    core, core_area = _core(problem, area)
    more = min(p - len(problem.fixed), len(core.sites))
    start = _greedy(core, core_area, totals, held, more)
    least, bound = _least_share(core, core_area, totals, held, start), None
    model, x = fair_cover(core.cover, core.weights, core_area, totals, held, more)
    first = solve(model, seconds=clock.left() / 2, gap=SHARE_GAP, cancel=clock.cancel)
    chosen, bound = start, first.bound
    if first.has_plan:
        better = np.array([j for j, v in enumerate(x) if first.values[v.name] > 0.5], dtype=np.int64)
        share = _least_share(core, core_area, totals, held, better)
        chosen, least = (better, share) if share >= least else (chosen, least)
    model, x = fair_cover(core.cover, core.weights, core_area, totals, held, more, least=least * (1 - 1e-9))
    second = solve(model, seconds=clock.left(), gap=1e-3, cancel=clock.cancel)
    if second.has_plan:
        most = np.array([j for j, v in enumerate(x) if second.values[v.name] > 0.5], dtype=np.int64)
        if _least_share(core, core_area, totals, held, most) >= least * (1 - 1e-9):
            chosen = most
    sites = np.concatenate([problem.fixed, core.sites[chosen]]).astype(np.int64)
    spare = allowed[~np.isin(allowed, sites)]
    sites = np.concatenate([sites, spare[np.argsort(problem.rank[spare])][: p - len(sites)]]).astype(np.int64)
    share = _share(problem, area, totals, sites)
    return found(sites, share, None if bound is None else max(bound, share), SHARE_GAP)


def _core(problem, area):
    """Return (:class:`planner.problem.Reduced`, area of its rows): rows of one area with the same sites are one."""
    pattern = problem.pattern
    held = np.zeros(pattern.shape[1], dtype=np.int32)
    held[problem.fixed] = 1
    left = (pattern @ held == 0) & (np.diff(pattern.indptr) > 0)
    sites = np.flatnonzero((held == 0) & (pattern[left].sum(axis=0) > 0))
    rows = sparse.csr_array(pattern[left][:, sites])
    first, group = same_rows(rows, area[left])
    weights = np.bincount(group, weights=problem.persons[left], minlength=len(first))
    need = np.ones(len(first), dtype=np.int64)
    core = Reduced(sparse.csr_array(rows[first]), weights, need, sites, problem.rank[sites])
    return without_dominated_sites(core), area[left][first]


def _greedy(core, area, totals, held, p):
    """Return columns: again and again the site that brings most people to the area with the smallest share."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    left, served, chosen = core.weights.copy(), held.copy(), []
    free = np.ones(len(core.sites), dtype=bool)
    while len(chosen) < p:
        shares = np.divide(served, totals, out=np.full(len(totals), np.inf), where=totals > 0)
        gain = np.zeros(len(core.sites))
        for worst in np.argsort(shares, kind="stable"):
            gain = np.where(free, by_site @ np.where(area == worst, left, 0.0), 0.0)
            if gain.max(initial=0) > 0:
                break
        best = int(np.lexsort((core.rank, -gain))[0]) if gain.max(initial=0) > 0 else int(np.flatnonzero(free)[0])
        chosen.append(best)
        free[best] = False
        rows = by_site.indices[by_site.indptr[best] : by_site.indptr[best + 1]]
        np.add.at(served, area[rows], left[rows])
        left[rows] = 0
    return np.array(sorted(chosen), dtype=np.int64)


def _least_share(core, area, totals, held, columns):
    chosen = np.zeros(len(core.sites), dtype=np.int64)
    chosen[columns] = 1
    served = held + np.bincount(area, weights=core.weights * (core.cover @ chosen > 0), minlength=len(totals))
    return float(np.min(served[totals > 0] / totals[totals > 0], initial=1.0))


def _share(problem, area, totals, sites):
    served = np.bincount(area, weights=problem.persons * problem.covered_by(sites), minlength=len(totals))
    return float(np.min(served[totals > 0] / totals[totals > 0], initial=1.0))
