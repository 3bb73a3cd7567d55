"""Covering at any size: fewest sites for everybody (LSCP), most people with p sites (MCLP). Held and shut sites alone.

What another site or row makes needless goes first, equal rows become one, a bound tells which sites no better plan can
hold; PuLP and HiGHS prove what is left.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.engine.cover_search import fewest
from planner.engine.found import found, nothing
from planner.engine.mclp_bound import mclp_bound
from planner.models.lscp import chosen, lscp
from planner.models.mclp import mclp
from planner.problem import Reduced, greedy_cover, merged, narrowed, reduce_problem, settled, without_needless
from planner.solve import INFEASIBLE, OPTIMAL, solve

LARGE = 100  # rows that hang together and are worth a model of their own
SEARCHED = 2_000  # entries of a model above which a search goes before the solver
STEPS_A_ROW = 20  # of that search: a tenth of a second in a province


def fewest_sites(problem, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` with fewest sites, held ones counted, for everybody reachable.

    Of plans with as few it is one of which no site can be exchanged for one of lower rank.
    """
    problem = merged(replace(problem, persons=np.ones(len(problem.persons), dtype=np.int64)))
    core = reduce_problem(problem, every_row=True, hurry=clock.stopped)
    chosen_sites, least = [], float(len(problem.fixed))
    for part in _parts(core):
        columns, bound = _fewest_of_part(part, gap, clock)
        chosen_sites.append(part.sites[columns])
        least += bound
    sites = settled(problem, np.concatenate([problem.fixed, *chosen_sites]).astype(np.int64))
    return found(sites, len(sites), least, gap)


def _parts(core):
    """Return ``core`` in parts that share no site, to be solved one by one: large pieces, and all small ones as one."""
    rows, columns = core.cover.shape
    if not rows:
        return []
    joined = sparse.block_array([[None, core.cover], [core.cover.T, None]])
    count, label = connected_components(joined, directed=False)
    size = np.bincount(label[:rows], minlength=count)
    piece = np.where(size > LARGE, np.cumsum(size > LARGE), 0)[label]  # 0: with the small ones
    parts = []
    for k in range(int(piece.max(initial=0)) + 1):
        i, j = np.flatnonzero(piece[:rows] == k), np.flatnonzero(piece[rows:] == k)
        if len(i):
            cover = sparse.csr_array(core.cover[i][:, j])
            parts.append(Reduced(cover, core.weights[i], core.need[i], core.sites[j], core.rank[j]))
    return parts


def _fewest_of_part(core, gap, clock):
    """Return (columns, bound) of the LSCP on ``core``.

    Of a large one a search finds a plan, and the solver is asked for one with fewer sites: that there is none it often
    proves at once, where proving the plan itself the best takes it minutes.
    """
    start = np.array(without_needless(core, greedy_cover(core)), dtype=np.int64)
    least, fewer = 1.0, None
    if core.cover.nnz > SEARCHED and (core.need == 1).all():
        start = fewest(core.cover, start, clock, rank=core.rank, steps=STEPS_A_ROW * core.cover.shape[0])
        fewer = len(start) - 1
    if len(start) <= least or clock.stopped():
        return start, least
    known = {} if fewer else {"start": {f"x{j:06d}": 1 for j in start}}
    model, _ = lscp(core.cover, core.need, most=fewer)
    best = solve(model, seconds=clock.left(), gap=gap, cancel=clock.cancel, **known)
    if best.status == INFEASIBLE:
        return start, float(len(start))
    if best.bound is not None:  # sites come whole, so the bound does too; and none of fewer means as many as known
        least = max(least, min(np.ceil(best.bound - 1e-6), len(start)))
    return np.array(chosen(best.values, len(core.sites)), dtype=np.int64) if best.has_plan else start, least


def most_people(problem, p, *, gap=0.0, clock, begin=()):
    """Return the :class:`planner.engine.found.Found` of exactly ``p`` sites, held ones counted, that serve most weight.

    ``problem.persons`` may be any numbers >= 0; where all are whole the bound is too. Of a proven plan no site can be
    exchanged for one of lower rank. Infeasible when more are held than p, or fewer than p are allowed. ``begin``:
    positions of a plan to begin with, of at most p sites.
    """
    allowed = np.setdiff1d(np.arange(problem.arcs.shape[1]), problem.forbidden)
    if p < len(problem.fixed) or p > len(allowed):
        return nothing(INFEASIBLE)
    problem = merged(problem)
    core = reduce_problem(problem, every_row=False, hurry=clock.stopped)
    held = problem.persons[problem.covered_by(problem.fixed)].sum()
    more = min(p - len(problem.fixed), len(core.sites))
    chosen_sites, most, complete = _most_of_core(core, more, held, gap, clock, begin)
    sites = np.concatenate([problem.fixed, chosen_sites]).astype(np.int64)
    if complete:  # what is not yet proven stays as it was bounded
        sites = settled(problem, sites)
    # Whoever p sites more could serve is served: the rest of the number goes to sites of lowest rank.
    spare = allowed[~np.isin(allowed, sites)]
    sites = np.concatenate([sites, spare[np.argsort(problem.rank[spare])][: p - len(sites)]]).astype(np.int64)
    return found(sites, problem.persons[problem.covered_by(sites)].sum(), None if most is None else most + held, gap)


def _most_of_core(core, p, held, gap, clock, begin):
    """Return (site positions, bound, proven) of the MCLP on ``core``.

    First among the sites that the Lagrangian bound favours, then among all that could do better: a site goes only
    when no plan with it serves as many people as a plan already known, so nothing is lost by it.
    """
    start = max(
        (greedy_cover(core, p, known) for known in ([], np.flatnonzero(np.isin(core.sites, begin)).tolist()[:p])),
        key=lambda columns: _served(core, core.sites[columns]),
    )
    # Greedy may stop early, when nobody is left whom a site could add: any other sites fill the number.
    start += [int(j) for j in np.argsort(core.rank) if j not in set(start)][: p - len(start)]
    if p in (0, len(core.sites)):
        return core.sites[start], _served(core, core.sites[start]), True
    whole = np.issubdtype(core.weights.dtype, np.integer)
    sites = core.sites[start]
    clock.tell(_served(core, sites) + held, None)
    if core.weights.sum() - _served(core, sites) <= gap * max(_served(core, sites) + held, 1.0):
        return sites, core.weights.sum(), core.weights.sum() == _served(core, sites)
    near = gap * max(_served(core, sites) + held, 1.0)
    bound = mclp_bound(core.cover, core.weights, p, _served(core, sites), clock, near=near)
    if _served(core, core.sites[bound.sites]) > _served(core, sites):
        start, sites = bound.sites.tolist(), core.sites[bound.sites]
    # Floating sums of the bound are good to far less than a thousandth of a person.
    most = float(np.floor(bound.most + 1e-3)) if whole else bound.most * (1 + 1e-12)
    most = min(most, core.weights.sum())  # a bound stopped early may promise more people than there are
    clock.tell(_served(core, sites) + held, most + held)
    if clock.stopped() or most - _served(core, sites) <= near:
        return sites, most, most <= _served(core, sites)
    favoured = narrowed(core, np.union1d(bound.favoured, start))
    tell = clock.progress and (lambda s, _, best: clock.tell(None if best is None else best + held, most + held))
    guess = _solve_mclp(favoured, p, sites, gap, tell, clock)
    sites = favoured.sites[chosen(guess.values, len(favoured.sites))]
    known = _served(core, sites)
    if most - known <= gap * max(known + held, 1.0) or clock.stopped():
        return sites, most, most <= known
    better = known + (0.5 if whole else -1e-9 * max(known, 1.0))
    columns = np.flatnonzero((bound.most_with > better) | np.isin(core.sites, sites))
    left = narrowed(core, columns)
    solution = _solve_mclp(left, p, sites, gap, _told(clock, held), clock)
    sites = left.sites[chosen(solution.values, len(left.sites))]
    if solution.status == OPTIMAL:
        return sites, solution.objective, True
    return sites, most if solution.bound is None else min(most, max(solution.bound, known)), False


def _solve_mclp(core, p, sites, gap, progress, clock):
    known = np.flatnonzero(np.isin(core.sites, sites))
    values = {f"x{j:06d}": 1 for j in known} | {f"y{i:06d}": 1 for i in np.flatnonzero(_rows_served(core, sites))}
    model, _ = mclp(core.cover, core.weights, p, core.need)
    return solve(model, seconds=clock.left(), gap=gap, start=values, progress=progress, cancel=clock.cancel)


def _rows_served(core, sites):
    return core.cover @ np.isin(core.sites, sites).astype(np.int64) >= core.need


def _served(core, sites):
    return core.weights[_rows_served(core, sites)].sum()


def _told(clock, held):
    """Return the solver's listener: what the held sites bring is part of best and gap."""
    if clock.progress is None:
        return None

    def tell(_, gap, best):
        whole = None if best is None else best + held
        clock.tell(whole, None if gap is None or best is None else whole + gap * abs(best))

    return tell
