"""The worst county first: stations so that the smallest share of people covered in any county is as large as can be.

A small question goes to the solver whole. A province is asked share by share: where more sites are proven to be needed
to bring every county to a share, it cannot be had; the few hundred sites that the prices of this proof favour hold good
plans, which exchanges of single sites better. What is left of the time goes to most people.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.engine.fair_bound import SitePrices
from planner.engine.found import Clock, found, nothing
from planner.models.fair_cover import fair_cover, fewest_fair
from planner.problem import Reduced, greedy_cover, same_rows, without_dominated_sites
from planner.solve import INFEASIBLE, OPTIMAL, solve

SHARE_GAP = 1e-4  # of the worst county's share: a hundredth of a per cent
WHOLE = 12_000  # entries of a core that the solver is given whole
BOUND_UNTIL, PLAN_UNTIL, SWAP_UNTIL, PEOPLE_UNTIL = 0.3, 0.5, 0.65, 0.75  # of the time, the end of each part
TRIES = 3  # shares for which a plan is sought among the sites of the bounds
BOUNDS = 5  # shares that are tried in vain at most
CLOSE = 1e-3  # of a share: what is proven not to be had is near enough to what is not
PROMISING = 0.4  # of the way from a plan to a bound
FAVOURED = 200  # sites, by the prices of the bound, among which plans are sought
SITES_ALIKE = 1e-4  # of a site that a sum of fractions may be off
LEAVERS = 20  # of a plan's sites, how many are tried to leave at each exchange
RESTS = 8  # exchanges for which a site that left, or came, is left alone; at most twice that


def fairest(problem, area, p, *, clock):
    """Return the :class:`planner.engine.found.Found` of exactly ``p`` sites with the largest least share of an area.

    area  n whole numbers from 0: the area of each demand point; the share of an area is that of its people served.
    The objective is this share (0 to 1); of layouts with as large a one, as far as time lets be known, most people are
    served.
    """
    allowed = np.setdiff1d(np.arange(problem.arcs.shape[1]), problem.forbidden)
    if p < len(problem.fixed) or p > len(allowed):
        return nothing(INFEASIBLE)
    core = _core(problem, area)
    more = min(p - len(problem.fixed), len(core.sites))
    chosen, every = _greedy(core, more), np.arange(len(core.sites))
    bound, support = core.least(every if more else chosen), every if core.cover.nnz <= WHOLE else chosen
    clock.tell(core.least(chosen), bound)
    if core.least(chosen) < bound:
        if core.cover.nnz <= WHOLE:
            chosen, bound = _whole(core, more, chosen, bound, _until(clock, BOUND_UNTIL))
        else:
            bound, support = _bounded(core, more, chosen, bound, _until(clock, BOUND_UNTIL))
            chosen = _planned(core, more, chosen, support, bound, _until(clock, PLAN_UNTIL))
        if core.least(chosen) < bound - SHARE_GAP:
            chosen = _swapped(core, chosen, _until(clock, SWAP_UNTIL))
    clock.tell(core.least(chosen), bound)
    chosen = _most_people(core, more, chosen, support, _until(clock, PEOPLE_UNTIL))
    sites = np.concatenate([problem.fixed, core.sites[chosen]]).astype(np.int64)
    spare = allowed[~np.isin(allowed, sites)]
    sites = np.concatenate([sites, spare[np.argsort(problem.rank[spare])][: p - len(sites)]]).astype(np.int64)
    served = np.bincount(area, weights=problem.persons * problem.covered_by(sites), minlength=len(core.totals))
    share = _least(served, core.totals)
    return found(sites, share, max(bound, share), SHARE_GAP)


def _until(clock, part):
    """Return a clock that ends when ``part`` of the whole time is over; who listens hears the whole question's time."""
    return Clock(max(part * clock.seconds - clock.spent(), 0.0), None, clock.cancel)


@dataclass(frozen=True)
class _Core:
    """What is left to decide: rows that no held site serves, sites that could, and the people of areas.

    cover (CSR of 1), weights and area of rows; sites (positions in the problem) and rank of columns; totals and held,
    the persons of each area and those of them whom held sites serve
    """

    cover: sparse.csr_array
    weights: np.ndarray
    area: np.ndarray
    sites: np.ndarray
    rank: np.ndarray
    totals: np.ndarray
    held: np.ndarray

    def served(self, columns):
        """Return the persons of each area whom held sites and ``columns`` serve."""
        chosen = np.zeros(len(self.sites), dtype=np.int64)
        chosen[columns] = 1
        reached = self.weights * (self.cover @ chosen > 0)
        return self.held + np.bincount(self.area, weights=reached, minlength=len(self.totals))

    def least(self, columns):
        """Return the share of the worst area."""
        return _least(self.served(columns), self.totals)

    def needs(self, share):
        """Return the persons that each area lacks for ``share``, none below 0."""
        return np.maximum(np.ceil(share * self.totals - 1e-6) - self.held, 0.0)

    def fewest(self, share):
        """Return the model of the fewest sites for ``share`` and its sites' variables; areas that have it are left."""
        needs = self.needs(share)
        rows = needs[self.area] > 0
        return fewest_fair(sparse.csr_array(self.cover[rows]), self.weights[rows], self.area[rows], needs)

    def only(self, columns):
        """Return the core with some of its sites alone, and rows that are now alike as one."""
        cover = sparse.csr_array(self.cover[:, columns])
        rows = np.flatnonzero(np.diff(cover.indptr))
        cover = cover[rows]
        cover.sort_indices()
        first, group = same_rows(cover, self.area[rows])
        weights = np.bincount(group, weights=self.weights[rows], minlength=len(first))
        kept = {"sites": self.sites[columns], "rank": self.rank[columns]}
        return replace(self, cover=sparse.csr_array(cover[first]), weights=weights, area=self.area[rows][first], **kept)


def _least(served, totals):
    return float(np.min(served[totals > 0] / totals[totals > 0], initial=1.0))


def _core(problem, area):
    """Return the :class:`_Core` of a problem: rows of one area with the same sites are one, dominated sites go."""
    pattern, areas = problem.pattern, int(area.max(initial=-1)) + 1
    held = np.zeros(pattern.shape[1], dtype=np.int32)
    held[problem.fixed] = 1
    left = (pattern @ held == 0) & (np.diff(pattern.indptr) > 0) & (problem.persons > 0)
    sites = np.flatnonzero((held == 0) & (pattern[left].sum(axis=0) > 0))
    rows = sparse.csr_array(pattern[left][:, sites])
    first, group = same_rows(rows, area[left])
    weights = np.bincount(group, weights=problem.persons[left], minlength=len(first))
    need = np.ones(len(first), dtype=np.int64)
    core = without_dominated_sites(Reduced(sparse.csr_array(rows[first]), weights, need, sites, problem.rank[sites]))
    totals = np.bincount(area, weights=problem.persons, minlength=areas)
    already = np.bincount(area, weights=problem.persons * problem.covered_by(problem.fixed), minlength=areas)
    core.cover.sort_indices()
    return _Core(core.cover, weights, area[left][first], core.sites, core.rank, totals, already)


# -- plans


def _greedy(core, p, start=()):
    """Return columns: again and again the site that brings most people to the area with the smallest share."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    chosen, free = [int(j) for j in start], np.ones(len(core.sites), dtype=bool)
    free[chosen] = False
    served = core.served(chosen)
    left = np.where(core.cover @ (~free).astype(np.int64) > 0, 0.0, core.weights)
    while len(chosen) < p:
        shares = np.divide(served, core.totals, out=np.full(len(core.totals), np.inf), where=core.totals > 0)
        gain = np.zeros(len(core.sites))
        for worst in np.argsort(shares, kind="stable"):
            gain = np.where(free, by_site @ np.where(core.area == worst, left, 0.0), 0.0)
            if gain.max(initial=0) > 0:
                break
        best = int(np.lexsort((core.rank, -gain))[0]) if gain.max(initial=0) > 0 else int(np.flatnonzero(free)[0])
        chosen.append(best)
        free[best] = False
        rows = _of(by_site, best)
        np.add.at(served, core.area[rows], left[rows])
        left[rows] = 0
    return np.array(sorted(chosen), dtype=np.int64)


def _whole(core, p, chosen, bound, clock):
    """Return (columns, bound): the solver's answer to the question as it is."""
    model, x = fair_cover(core.cover, core.weights, core.area, core.totals, core.held, p)
    best = solve(model, seconds=clock.left(), gap=0.0, start=_values(core, chosen), cancel=clock.cancel)
    better = _columns(best, x)
    if len(better) == p and core.least(better) > core.least(chosen):
        chosen = better
    if best.bound is not None:
        bound = min(bound, best.bound)
    if best.status == OPTIMAL and bound - core.least(chosen) < SHARE_GAP / 10:  # of the solver's tolerance
        bound = core.least(chosen)
    return chosen, bound


def _bounded(core, p, chosen, bound, clock):
    """Return (bound of the least share, columns): a share that ``p`` sites cannot give, columns worth a closer look."""
    prices = SitePrices(core.cover, core.weights, core.area, len(core.totals))
    low, slice_ = core.least(chosen), clock.left() / BOUNDS
    while bound - low > CLOSE and not clock.stopped():
        share = (low + bound) / 2
        if prices.exceeds(core.needs(share), p + SITES_ALIKE, Clock(min(slice_, clock.left()), None, clock.cancel)):
            bound = share
        else:
            low = share
    favoured = np.argsort(prices.left(), kind="stable")[:FAVOURED]
    return bound, np.union1d(favoured, chosen)


def _planned(core, p, chosen, support, bound, clock):
    """Return columns: a plan of ``p`` sites among ``support`` with a larger least share, where one is found.

    The fewest whole sites for shares between what is had and what failed.
    """
    few, failed = core.only(support), bound
    for tries in range(TRIES):
        share = core.least(chosen) + (failed - core.least(chosen)) * PROMISING
        if clock.stopped() or failed - core.least(chosen) < CLOSE:
            break
        model, x = few.fewest(share)
        best = solve(model, seconds=clock.left() / (TRIES - tries), cancel=clock.cancel)
        columns = support[_columns(best, x)]
        if best.has_plan and len(columns) <= p:
            plan = _greedy(core, p, columns)
            chosen = plan if core.least(plan) > core.least(chosen) else chosen
        else:
            failed = share
    return chosen


def _swapped(core, chosen, clock):
    """Return columns with as large a least share as exchanges of one site for another find in time.

    For a share a little above the best one known, the people whom areas lack for it are made fewer; a site that left
    or came rests for a while (tabu). Of a plan's sites those whose leaving costs least are tried.
    """
    rng = np.random.default_rng(20250101)
    by_site = sparse.csr_array(core.cover.T.tocsr())
    pairs = _Pairs(core, by_site)
    current, best = chosen.tolist(), chosen
    times = core.cover @ np.isin(np.arange(len(core.sites)), chosen).astype(np.int64)
    rests = np.zeros(len(core.sites), dtype=np.int64)
    goal, step = core.needs(core.least(best) + SHARE_GAP) + core.held, 0
    while not clock.stopped():
        served = core.served(current)
        if (served >= goal).all():
            best = np.array(sorted(current), dtype=np.int64)
            goal = core.needs(min(core.least(best) + SHARE_GAP, 1.0)) + core.held
            if core.least(best) >= 1.0:
                break
            continue
        step += 1
        without = {j: served - _alone(core, times, _of(by_site, j)) for j in current if rests[j] < step}
        leavers = sorted(without, key=lambda j: np.maximum(goal - without[j], 0).sum())[:LEAVERS]
        closed = rests >= step
        closed[current] = True
        moves = [
            (
                *pairs.best(
                    np.where(times - _row_of(core, by_site, j) > 0, 0.0, core.weights), goal - without[j], closed
                ),
                j,
            )
            for j in leavers
        ]
        if not moves or min(moves)[0] == np.inf:
            rests[:] = 0
            continue
        _, comes, away = min(moves)
        times[_of(by_site, away)] -= 1
        times[_of(by_site, comes)] += 1
        current = [j for j in current if j != away] + [comes]
        rests[away], rests[comes] = step + rng.integers(RESTS, 2 * RESTS), step + rng.integers(RESTS // 2, RESTS)
    return best


class _Pairs:
    """The people of each area whom each site could add, summed quickly: an entry a (site, area) that share rows."""

    def __init__(self, core, by_site):
        site = np.repeat(np.arange(len(core.sites), dtype=np.int64), np.diff(by_site.indptr))
        self.rows, areas = by_site.indices, len(core.totals)
        known, self.entry = np.unique(site * areas + core.area[self.rows], return_inverse=True)
        self.site, self.area, self.sites = known // areas, known % areas, len(core.sites)

    def best(self, left, lacks, closed):
        """Return (lack, site): which open site leaves least lacking, with ``left`` people to serve a row."""
        lacks = np.maximum(lacks, 0.0)
        adds = np.bincount(self.entry, weights=left[self.rows], minlength=len(self.site))
        gain = np.bincount(self.site, weights=np.minimum(adds, lacks[self.area]), minlength=self.sites)
        gain[closed] = -np.inf
        site = int(gain.argmax())
        return lacks.sum() - gain[site], site


def _alone(core, times, rows):
    """Return the persons of each area whom one site alone serves, of its ``rows``."""
    alone = rows[times[rows] == 1]
    return np.bincount(core.area[alone], weights=core.weights[alone], minlength=len(core.totals))


def _most_people(core, p, chosen, support, clock):
    """Return columns that serve as many people as is found, the least share no lower than that of ``chosen``."""
    if clock.stopped() or not 0 < p < len(core.sites) or not core.weights.any():
        return chosen
    most = Reduced(core.cover, core.weights, np.ones(len(core.weights), dtype=np.int64), core.sites, core.rank)
    columns = np.union1d(np.union1d(support, chosen), np.array(greedy_cover(most, p), dtype=np.int64))
    few, least = core.only(columns), core.least(chosen)
    model, x = fair_cover(few.cover, few.weights, few.area, few.totals, few.held, p, least=least * (1 - 1e-9))
    start = _values(few, np.searchsorted(columns, chosen))
    best = solve(model, seconds=clock.left(), gap=1e-4, start=start, cancel=clock.cancel)
    found_columns = columns[_columns(best, x)] if best.has_plan else chosen
    better = core.served(found_columns).sum() > core.served(chosen).sum()
    return found_columns if better and core.least(found_columns) >= least else chosen


def _values(core, chosen):
    """Return the solver's start: these sites, and the rows they serve."""
    served = core.cover @ np.isin(np.arange(len(core.sites)), chosen).astype(np.int64) > 0
    values = {f"x{j:06d}": 1 for j in chosen} | {f"y{i:06d}": 1 for i in np.flatnonzero(served)}
    return values | {"t": core.least(chosen) * (1 - 1e-9)}


def _columns(solution, x):
    """Return the positions of the sites that a solution opens; none where it has no plan."""
    chosen = [j for j, v in enumerate(x) if solution.values.get(v.name, 0) > 0.5]
    return np.array(chosen, dtype=np.int64)


def _of(by_site, site):
    return by_site.indices[by_site.indptr[site] : by_site.indptr[site + 1]]


def _row_of(core, by_site, site):
    """Return 0/1 by row: the site serves it."""
    rows = np.zeros(len(core.weights), dtype=np.int64)
    rows[_of(by_site, site)] = 1
    return rows
