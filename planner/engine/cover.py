"""Covering at any size: fewest sites for everybody (LSCP), most people with p sites (MCLP). Held and shut sites alone.

What another site or row makes needless goes first, equal rows become one, a bound tells which sites no better plan can
hold; PuLP and HiGHS prove what is left.
"""

from dataclasses import replace

import numpy as np

from planner.engine.cover_search import cover_bound, fewest
from planner.engine.found import found, nothing
from planner.engine.mclp_bound import mclp_bound
from planner.models.lscp import chosen, lscp
from planner.models.mclp import mclp
from planner.problem import greedy_cover, merged, narrowed, reduce_problem, settled, without_needless
from planner.solve import INFEASIBLE, OPTIMAL, solve

SEARCHED = 20_000  # entries of a core above which a search goes before the solver, whose first plans are then poor


def fewest_sites(problem, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` with fewest sites, held ones counted, for everybody reachable.

    Of plans with as few it is one of which no site can be exchanged for one of lower rank.
    """
    problem = merged(replace(problem, persons=np.ones(len(problem.persons), dtype=np.int64)))
    core = reduce_problem(problem, every_row=True)
    held = len(problem.fixed)
    start = np.array(without_needless(core, greedy_cover(core)), dtype=np.int64)
    least = 0.0
    if core.cover.nnz > SEARCHED and (core.need == 1).all():
        least = np.ceil(cover_bound(core.cover, clock, len(start)))
        start = fewest(core.cover, start, clock, target=int(least), rank=core.rank)
    if len(start) > least:
        model, _ = lscp(core.cover, core.need)
        known = {f"x{j:06d}": 1 for j in start}
        best = solve(
            model, seconds=clock.left(), gap=gap, start=known, progress=_told(clock, held), cancel=clock.cancel
        )
        if not best.has_plan:
            return nothing(best.status)
        start = np.array(chosen(best.values, len(core.sites)), dtype=np.int64)
        if best.bound is not None:  # sites come whole, so the bound does too
            least = max(least, np.ceil(best.bound - 1e-6))
    sites = settled(problem, [*problem.fixed, *core.sites[start]])
    return found(sites, len(sites), held + least, gap)


def most_people(problem, p, *, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of exactly ``p`` sites, held ones counted, that serve most weight.

    ``problem.persons`` may be any numbers >= 0; where all are whole the bound is too. Of a proven plan no site can be
    exchanged for one of lower rank. Infeasible when more are held than p, or fewer than p are allowed.
    """
    allowed = np.setdiff1d(np.arange(problem.arcs.shape[1]), problem.forbidden)
    if p < len(problem.fixed) or p > len(allowed):
        return nothing(INFEASIBLE)
    problem = merged(problem)
    core = reduce_problem(problem, every_row=False)
    held = problem.persons[problem.covered_by(problem.fixed)].sum()
    more = min(p - len(problem.fixed), len(core.sites))
    chosen_sites, most, complete = _most_of_core(core, more, held, gap, clock)
    sites = np.concatenate([problem.fixed, chosen_sites]).astype(np.int64)
    if complete:  # what is not yet proven stays as it was bounded
        sites = settled(problem, sites)
    # Whoever p sites more could serve is served: the rest of the number goes to sites of lowest rank.
    spare = allowed[~np.isin(allowed, sites)]
    sites = np.concatenate([sites, spare[np.argsort(problem.rank[spare])][: p - len(sites)]]).astype(np.int64)
    return found(sites, problem.persons[problem.covered_by(sites)].sum(), None if most is None else most + held, gap)


def _most_of_core(core, p, held, gap, clock):
    """Return (site positions, bound, proven) of the MCLP on ``core``.

    First among the sites that the Lagrangian bound favours, then among all that could do better: a site goes only
    when no plan with it serves as many people as a plan already known, so nothing is lost by it.
    """
    start = greedy_cover(core, p)
    # Greedy may stop early, when nobody is left whom a site could add: any other sites fill the number.
    start += [int(j) for j in np.argsort(core.rank) if j not in set(start)][: p - len(start)]
    if p in (0, len(core.sites)):
        return core.sites[start], _served(core, core.sites[start]), True
    whole = np.issubdtype(core.weights.dtype, np.integer)
    sites = core.sites[start]
    bound = mclp_bound(core.cover, core.weights, p, _served(core, sites), clock)
    # Floating sums of the bound are good to far less than a thousandth of a person.
    most = float(np.floor(bound.most + 1e-3)) if whole else bound.most * (1 + 1e-12)
    if clock.stopped():
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
    model, _ = mclp(core.cover, core.weights, p)
    return solve(model, seconds=clock.left(), gap=gap, start=values, progress=progress, cancel=clock.cancel)


def _rows_served(core, sites):
    return core.cover @ np.isin(core.sites, sites).astype(np.int64) > 0


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
