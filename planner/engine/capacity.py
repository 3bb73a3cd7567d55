"""Sites with limited room, each demand whole to one site: LSCP, MCLP, p-median and p-center with capacities.

One road for all four. A demand's price u_i stands for the row "everybody once"; each site then is a knapsack of its
own, and the sum of the best sites' worth is a bound no plan can beat (Lagrangian relaxation; Pirkul 1987, Operations
Research Letters 6:155-161). The sites that the bound favours are where good plans stand: each set is tried with a
greedy assignment by regret and local search, the best plan then by exchange of sites. Sites and arcs that would lift
the bound above the best plan are left out; what remains is solved as the model of :mod:`planner.models.capacitated`.

Whole numbers stay exact: persons and room are divided by their common divisor, plans are valued anew from the input.
Rows and sites are put in an order of their own (sites by rank), so that the order given changes no plan.
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.engine.capacity_loops import ascend, assign, force_arcs, price_sites
from planner.engine.found import SAME, found, nothing
from planner.models import capacitated as models
from planner.models.wishes import keep
from planner.solve import INFEASIBLE, NO_PLAN, OPTIMAL, solve

ROUNDS = 2000  # of prices, at most
MOMENTUM, PATIENCE, SHRINK, LEAST_STEP = 0.7, 20, 0.6, 1e-3
EXACT_WORK = 20_000_000  # steps of whole knapsacks a round; above it the fractional ones bound
EFFORT = 30_000_000  # steps of one local search
EXCHANGE_WORK = 200_000_000  # assignments tried times what one takes
HALF = 0.5  # of the time, for prices and exchanges; the rest is the tree's and the solver's
TREE_WORK = 4_000_000  # steps of one round up to which a hundred rounds are a moment
TREE_ROUNDS, TREE_PATIENCE, TREE_SITE = 100, 8, 0.1
MOST_ARCS = 15_000  # that a model is built of: building it hears no cancel


@dataclass(frozen=True)
class Task:
    """A minimisation over n demands and m sites, both in canonical order.

    kind       lscp | mclp | p_median | p_center (which model the rest is written in)
    arcs       CSR n x m, data the cost of using an arc
    size,room  what demands take and sites hold, divided by their common divisor
    setup      cost of opening a site;  alone  cost of a demand left out (inf: it must not be)
    p          number of sites, or None
    goal       where only a plan of at most this cost is asked for; else None
    wishes     in canonical positions
    grain      no two plans differ by less; 0 where costs are no whole numbers
    rows,sites the original positions
    """

    kind: str
    arcs: sparse.csr_array
    size: np.ndarray
    room: np.ndarray
    setup: np.ndarray
    alone: np.ndarray
    p: int | None
    wishes: object
    grain: float
    rows: np.ndarray
    sites: np.ndarray
    goal: float | None = None

    @property
    def everybody(self):
        """Whether nobody may be left out, whatever it costs."""
        return self.kind in ("lscp", "p_median")


@dataclass(frozen=True)
class Plan:
    """Open sites (sorted), the site of each demand (-1: nobody), what it costs, and whether all who must be are in.

    Where not, the cost tells how far it is from a plan.
    """

    sites: np.ndarray
    place: np.ndarray
    cost: float
    whole: bool = True


# ---------------------------------------------------------------------------------------------- the four questions


def capacitated_lscp(arcs, demand, wishes, *, rank, gap, clock):
    """Return (Found, assignment) of the fewest sites, or the least price, that have room for everybody."""
    m = arcs.shape[1]
    price = np.ones(m) if wishes.price is None else np.asarray(wishes.price, dtype=float)
    task = _task("lscp", arcs, np.zeros(arcs.nnz), demand, price, None, wishes, rank)
    plan, bound, status = _search(task, gap, clock)
    price = np.ones(m, dtype=np.int64) if wishes.price is None else np.asarray(wishes.price)
    return _answer(task, plan, bound, status, gap, lambda sites, place: price[sites].sum())


def capacitated_mclp(arcs, demand, p, wishes, *, rank, gap, clock):
    """Return (Found, assignment) of the most people assigned to ``p`` sites, or within the budget where p is None."""
    demand = np.asarray(demand)
    worth = np.repeat(demand.astype(float), np.diff(arcs.indptr))
    task = _task("mclp", arcs, -worth, demand, None, p, wishes, rank)
    plan, bound, status = _search(task, gap, clock)
    bound = None if bound is None else -bound
    return _answer(task, plan, bound, status, gap, lambda sites, place: demand[place >= 0].sum())


def capacitated_p_median(cost, demand, p, wishes, *, rank, gap, clock, weights=None):
    """Return (Found, assignment) of the least sum of a_i d_ij; ``weights`` (n) take the place of a_i in it."""
    cost = _sparse(cost)
    weights = np.asarray(demand if weights is None else weights)
    arc_cost = np.repeat(weights, np.diff(cost.indptr)) * cost.data
    task = _task("p_median", cost, arc_cost, demand, None, p, wishes, rank)
    plan, bound, status = _search(task, gap, clock)

    def value(sites, place):
        return (weights * _along(cost, place)).sum()

    return _answer(task, plan, bound, status, gap, value)


def capacitated_p_center(cost, demand, p, wishes, *, rank, gap, clock):
    """Return (Found, assignment) of the shortest reach within which p sites can take everybody.

    Bisection over the distances: can everybody be assigned within D? (Ozsoy, Pinar 2006.)
    """
    cost = _sparse(cost)
    nearest = _task("p_median", cost, cost.data, demand, None, p, wishes, rank)
    plan, _, status = _search(nearest, 1.0, clock)
    if plan is None:
        return nothing(status), _nobody(cost.shape[0])
    reaches = np.unique(nearest.arcs.data)

    def longest(plan):
        return _along(nearest.arcs, plan.place).max(initial=0.0)

    best, reach = plan, longest(plan)
    least = np.minimum.reduceat(nearest.arcs.data, nearest.arcs.indptr[:-1]).max(initial=0.0)
    low, high = np.searchsorted(reaches, least), np.searchsorted(reaches, reach)  # low: smallest not refuted
    while low < high and reaches[high] - reaches[low] > gap * max(reaches[high], 1.0):
        if clock.stopped():
            break
        middle = (low + high) // 2
        plan, status = _within(nearest, reaches[middle], clock)
        if plan is not None:
            best, reach = plan, longest(plan)
            high = np.searchsorted(reaches, reach)
        elif status == INFEASIBLE:
            low = middle + 1
        else:
            break
        clock.tell(reach, reaches[low] if low < len(reaches) else reach)
    bound = reaches[min(low, high)] if len(reaches) else 0.0
    return _answer(nearest, best, bound, OPTIMAL, gap, lambda sites, place: _along(cost, place).max(initial=0))


# ------------------------------------------------------------------------------------------------ in and out


def _sparse(cost):
    """Return ``cost`` as CSR; of a dense array what is finite is stored, zeros too."""
    if sparse.issparse(cost):
        return sparse.csr_array(cost)
    cost = np.asarray(cost)
    row, column = np.nonzero(np.isfinite(cost))
    first = np.r_[0, np.cumsum(np.bincount(row, minlength=cost.shape[0]))]
    return sparse.csr_array((cost[row, column], column, first), shape=cost.shape)


def _task(kind, arcs, arc_cost, demand, setup, p, wishes, rank):
    """Return the :class:`Task` in canonical order, without the arcs that nobody can use."""
    n, m = arcs.shape
    demand = np.asarray(demand, dtype=np.int64)
    room = np.asarray(wishes.capacity, dtype=np.int64)
    setup = np.zeros(m) if setup is None else setup
    rank = np.arange(m) if rank is None else np.asarray(rank)
    sites = np.lexsort((np.arange(m), rank))
    where = np.empty(m, dtype=np.int64)
    where[sites] = np.arange(m)
    open_to = np.ones(m, dtype=bool)
    open_to[np.asarray(wishes.forbidden, dtype=np.int64)] = False
    row = np.repeat(np.arange(n), np.diff(arcs.indptr))
    usable = open_to[arcs.indices] & (demand[row] <= room[arcs.indices])
    row, column, arc_cost = row[usable], where[arcs.indices[usable]], np.asarray(arc_cost)[usable]
    words = np.random.default_rng(20250102).integers(1, 2**62, size=m, dtype=np.int64)
    said = (np.asarray(arc_cost, dtype=float) + 0.0).view(np.int64) ^ words[column]
    said = (said ^ (said >> 29)) * words[0]  # wraps around 2**64 by design
    key = np.zeros(n, dtype=np.int64)
    np.add.at(key, row, said ^ (said >> 32))
    rows = np.lexsort((key, demand))
    turned = np.empty(n, dtype=np.int64)
    turned[rows] = np.arange(n)
    row = turned[row]
    order = np.lexsort((column, row))
    whole = np.array_equal(np.asarray(arc_cost), np.rint(arc_cost)) and np.array_equal(setup, np.rint(setup))
    grain = 0.0
    if whole:
        every = np.r_[np.abs(arc_cost).astype(np.int64), np.abs(setup).astype(np.int64)]
        grain = float(np.gcd.reduce(every)) if len(every) else 1.0
        grain = grain or 1.0
    csr = sparse.csr_array(
        (arc_cost[order].astype(float), column[order], np.r_[0, np.cumsum(np.bincount(row, minlength=n))]), shape=(n, m)
    )
    shared = int(np.gcd.reduce(demand)) if n else 1
    shared = shared or 1
    size = demand[rows] // shared
    room = room[sites] // shared
    reach = np.bincount(csr.indices, weights=size[np.repeat(np.arange(n), np.diff(csr.indptr))], minlength=m)
    room = np.minimum(room, reach.astype(np.int64))  # more room than that nobody asks for
    alone = np.zeros(n) if kind == "mclp" else np.full(n, np.inf)
    return Task(
        kind, csr, size, room, setup[sites].astype(float), alone, p, _turned(wishes, where, sites), grain, rows, sites
    )


def _turned(wishes, where, sites):
    """Return ``wishes`` in canonical positions."""
    return replace(
        wishes,
        fixed=where[np.asarray(wishes.fixed, dtype=np.int64)],
        forbidden=where[np.asarray(wishes.forbidden, dtype=np.int64)],
        capacity=None,
        exclusive=tuple(tuple(int(where[j]) for j in group) for group in wishes.exclusive),
        avoid=tuple((tuple(int(where[j]) for j in group), d) for group, d in wishes.avoid),
        price=None if wishes.price is None else np.asarray(wishes.price)[sites],
    )


def _nobody(n):
    return np.full(n, -1, dtype=np.int64)


def _along(arcs, place):
    """Return the stored value of the arc that each demand uses; 0 for who uses none."""
    row = np.repeat(np.arange(arcs.shape[0]), np.diff(arcs.indptr))
    used = np.zeros(arcs.shape[0], dtype=arcs.data.dtype)
    hit = arcs.indices == place[row]
    used[row[hit]] = arcs.data[hit]
    return used


def _answer(task, plan, bound, status, gap, value):
    """Return (Found, assignment) in the positions that were given, the objective valued anew."""
    n = len(task.rows)
    if plan is None:
        return nothing(status, None if bound is None or not np.isfinite(bound) else float(bound)), _nobody(n)
    assignment = _nobody(n)
    some = plan.place >= 0
    assignment[task.rows[some]] = task.sites[plan.place[some]]
    sites = np.sort(task.sites[plan.sites])
    objective = value(sites, assignment)
    return found(sites, objective, bound, gap), assignment


# --------------------------------------------------------------------------------------------------- the search


def _search(task, gap, clock):
    """Return (Plan | None, bound | None, status) of a task; the status counts where there is no plan."""
    if _impossible(task):
        return None, None, INFEASIBLE
    work = _Work(task, gap, clock)
    work.price()
    if not work.done():
        work.polish()
        work.exchange()
        work.polish()
        work.price()
    if not work.done() and task.p is not None and work.simple and work.steps <= TREE_WORK:
        work.branch()
    if not work.done():
        work.model()
    if work.best is None:
        return None, work.least(), INFEASIBLE if work.none else NO_PLAN
    if task.goal is None:
        work.settle()
    return work.best, work.least(), OPTIMAL


def _impossible(task):
    """Return whether no plan can exist for a reason that can be counted."""
    fixed, shut = set(map(int, task.wishes.fixed)), set(map(int, task.wishes.forbidden))
    if fixed & shut:
        return True
    if task.p is not None and not len(fixed) <= task.p <= len(task.room) - len(shut):
        return True
    if task.kind == "mclp":
        return False
    room = np.sort(task.room)[::-1]
    return bool((np.diff(task.arcs.indptr) == 0).any()) or task.size.sum() > room[: task.p].sum()


def _within(nearest, reach, clock):
    """Return (Plan | None, INFEASIBLE | NO_PLAN): can everybody be assigned along the arcs no longer than ``reach``?

    Asked as: do p sites with room take everybody? Each demand counts, even one without persons.
    """
    arcs = nearest.arcs
    row = np.repeat(np.arange(arcs.shape[0]), np.diff(arcs.indptr))
    near = arcs.data <= reach
    worth = np.maximum(nearest.size, 1)
    first = np.r_[0, np.cumsum(np.bincount(row[near], minlength=arcs.shape[0]))]
    short = sparse.csr_array((-worth[row[near]].astype(float), arcs.indices[near], first), shape=arcs.shape)
    asked = np.bincount(short.indices, weights=nearest.size[row[near]], minlength=arcs.shape[1]).astype(np.int64)
    task = replace(
        nearest,
        kind="p_center",
        arcs=short,
        room=np.minimum(nearest.room, asked),
        alone=np.zeros(arcs.shape[0]),
        grain=1.0,
        goal=-float(worth.sum()),
    )
    plan, _, status = _search(task, 0.0, clock)
    return plan, status


class _Work:
    """The state of one search: best plan, bound, prices, and which sites and arcs a better plan may still use."""

    def __init__(self, task, gap, clock):
        self.task, self.gap, self.clock = task, gap, clock
        arcs = task.arcs
        self.n, self.m = arcs.shape
        self.first, self.site, self.cost = arcs.indptr.astype(np.int64), arcs.indices.astype(np.int64), arcs.data
        self.row = np.repeat(np.arange(self.n), np.diff(self.first))
        self.order = np.lexsort((self.row, self.site))  # the same arcs by site
        self.by_row, self.by_site, self.by_cost = self.row[self.order], self.site[self.order], self.cost[self.order]
        self.starts = np.r_[0, np.cumsum(np.bincount(self.site, minlength=self.m))].astype(np.int64)
        steps = np.diff(self.starts) * (task.room + 1)
        self.steps = int(steps.sum())  # of one round of whole knapsacks, at most
        cheap = np.argsort(steps, kind="stable")
        self.exact = np.zeros(self.m, dtype=bool)
        self.exact[cheap] = np.cumsum(steps[cheap]) <= EXACT_WORK
        self.alive = np.ones(len(self.site), dtype=bool)  # arcs, by site, that a better plan may use
        self.fixed, self.shut = np.zeros(self.m, dtype=bool), np.zeros(self.m, dtype=bool)
        self.fixed[task.wishes.fixed], self.shut[task.wishes.forbidden] = True, True
        self.must, self.out = self.fixed.copy(), self.shut.copy()  # the same, and what the bound has settled since
        most = np.abs(self.cost).max(initial=0.0) + np.abs(task.setup).max(initial=0.0) + 1.0
        self.alone = np.where(np.isinf(task.alone), 2.0 * self.n * most * (task.size + 1.0), task.alone)
        dearest = np.zeros(self.n)
        np.maximum.at(dearest, self.row, self.cost)
        self.worst = dearest.sum() + np.maximum(task.setup, 0).sum()  # no plan costs more
        self.measure = self.cost if task.kind == "p_median" else self._crowding()
        share = 1.0 if task.p is None else task.p / max(self.m, 1)
        self.labour = int(min(self.n, 500) * max(len(self.site) * share, 1.0)) + 1
        self.made, self.until = 0, clock.spent() + HALF * clock.left()
        self.effort = int(np.clip(50 * len(self.site), 200_000, EFFORT // 10))
        self.near, self.best, self.bound, self.none, self.pruned = None, None, -np.inf, False, False
        self.prices, self.worth, self.tried, self.hopes = self._first_prices(), np.zeros(self.m), {}, None
        wishes = task.wishes
        self.simple = not wishes.exclusive and not wishes.avoid and wishes.budget is None

    def _crowding(self):
        """Return of each arc how sought after its site is: where all arcs cost the same, go where few others can."""
        choices = np.maximum(np.bincount(self.row, minlength=self.n), 1)
        sought = np.bincount(self.site, weights=(self.task.size / choices)[self.row], minlength=self.m)
        return (sought / np.maximum(self.task.room, 1))[self.site]

    # ------------------------------------------------------------------------------------------------- what is known

    def cutoff(self):
        """Return the cost above which nobody looks for a plan."""
        if self.task.goal is not None:
            return self.task.goal
        if self.best is None:
            return self.worst
        cost = self.best.cost
        return cost - max(self.task.grain, SAME * max(abs(cost), 1.0), self.gap * (1 - SAME) * max(abs(cost), 1.0))

    def above(self, value):
        """Return whether a bound shows that a plan, or each of many, is none that is looked for."""
        cut = self.cutoff()
        return value > cut + max(0.01 * self.task.grain, 1e-12 * abs(cut))

    def least(self):
        """Return what no plan can cost less than; None where nothing is known."""
        bound, grain = self.bound, self.task.grain
        if grain and np.isfinite(bound):
            bound = math.ceil(bound / grain - 1e-6) * grain
        if self.pruned:  # what was left out costs at least this
            cut = self.cutoff()
            bound = min(bound, (math.floor(cut / grain + 1e-6) + 1) * grain if grain and np.isfinite(cut) else cut)
        bound = min(bound, np.inf if self.best is None else self.best.cost)
        return bound if np.isfinite(bound) else None

    def done(self):
        if self.none or self.clock.stopped() or (self.task.goal is not None and self.best is not None):
            return True
        if bool(self.above(self.bound)):
            self.none = self.best is None
            return True
        return False

    def tell(self):
        if self.best is not None and self.task.goal is None:
            sign = -1.0 if self.task.kind == "mclp" else 1.0
            least = self.least()
            self.clock.tell(sign * self.best.cost, None if least is None else sign * least)

    # ------------------------------------------------------------------------------------------------- plans

    def allowed(self, sites):
        """Return whether a set of sites keeps every wish."""
        chosen = np.zeros(self.m, dtype=bool)
        chosen[sites] = True
        if self.task.p is not None and chosen.sum() != self.task.p:
            return False
        if (chosen & self.shut).any() or (self.fixed & ~chosen).any():
            return False
        return self.simple or self._wished(set(map(int, sites)))

    def _wished(self, sites):
        """Return whether a set of sites keeps spacing, difference and budget."""
        wishes = self.task.wishes
        if any(len(sites.intersection(group)) > 1 for group in wishes.exclusive):
            return False
        if any(len(sites.intersection(group)) > len(group) - d for group, d in wishes.avoid):
            return False
        return wishes.budget is None or sum(wishes.price[j] for j in sites) <= wishes.budget

    def assigned(self, sites, effort=None):
        """Return the :class:`Plan` that the local search makes of open ``sites``."""
        key = sites.tobytes()
        if key not in self.tried or effort is not None:
            self.made += 1
            opened = np.zeros(self.m, dtype=bool)
            opened[sites] = True
            task, effort = self.task, effort or self.effort
            moves = task.kind == "p_median"
            place, total = assign(
                self.first, self.site, self.cost, self.measure, task.size, task.room, self.alone, opened, effort, moves
            )
            whole = not task.everybody or bool((place >= 0).all())
            self.tried[key] = Plan(sites, place, total + task.setup[sites].sum(), whole)
        return self.tried[key]

    def consider(self, sites):
        """Try a set of sites; where p is free, with sites added until all have a place and needless ones closed."""
        if not self.simple:
            sites = self._mended(sites)
        if self.task.p is None:
            sites = self._enough(sites)
        if sites is None or not self.allowed(sites):
            return
        plan = self.assigned(np.sort(np.asarray(sites, dtype=np.int64)))
        self.take(plan)
        while self.task.kind == "p_median" and plan.whole and plan.cost <= 1.05 * self.best.cost:
            sites = self._recentred(plan)
            if np.array_equal(sites, plan.sites) or not self.allowed(sites):
                break
            was, plan = plan, self.assigned(sites)
            if not plan.whole or plan.cost >= was.cost:
                break
            self.take(plan)

    def _recentred(self, plan):
        """Return the sites of ``plan``, each changed for the closed one that takes all its people at the least cost."""
        task, m, count = self.task, self.m, len(plan.sites)
        where = np.full(m, -1, dtype=np.int64)
        where[plan.sites] = np.arange(count)
        home = where[plan.place]
        key = home[self.row] * m + self.site
        cost = np.bincount(key, weights=self.cost, minlength=count * m).reshape(count, m) + task.setup
        all_reach = (
            np.bincount(key, minlength=count * m).reshape(count, m) == np.bincount(home, minlength=count)[:, None]
        )
        load = np.bincount(home, weights=task.size, minlength=count)
        able = all_reach & (task.room >= load[:, None]) & ~self.shut
        able[:, plan.sites] = False
        able[np.isin(plan.sites, np.flatnonzero(self.fixed))] = False
        cost = np.where(able, cost, np.inf)
        best = cost.argmin(axis=1)
        mine = np.bincount(home, weights=self._paid(plan.place), minlength=count) + task.setup[plan.sites]
        gain = mine - cost[np.arange(count), best]
        sites = plan.sites.copy()
        for k in np.argsort(-gain, kind="stable"):
            if gain[k] > SAME * max(abs(plan.cost), 1.0) and best[k] not in sites:
                sites[k] = best[k]
        return np.sort(sites)

    def _paid(self, place):
        """Return what each demand costs at its place."""
        paid = np.zeros(self.n)
        used = place[self.row] == self.site
        paid[self.row[used]] = self.cost[used]
        return paid

    def take(self, plan):
        """Keep a plan that is the best so far; or, while there is none, what comes nearest to one."""
        if self.near is None or plan.cost < self.near.cost:
            self.near = plan
        if not plan.whole or (self.task.goal is not None and plan.cost > self.task.goal + 0.5):
            return
        if self.best is None or plan.cost < self.best.cost - SAME * max(abs(plan.cost), 1):
            self.best = plan
            self.tell()

    def _mended(self, sites):
        """Return a set that keeps the wishes, from ``sites`` and, where p asks for more, the next best of them."""
        kept = [int(j) for j in np.flatnonzero(self.fixed)]
        first = sorted(set(map(int, sites)) - set(kept), key=lambda j: (self.worth[j], j))
        more = [] if self.task.p is None else [int(j) for j in np.argsort(self.worth, kind="stable")]
        for j in [*first, *more]:
            if self.task.p is not None and len(kept) >= self.task.p:
                break
            if j not in kept and not self.shut[j] and self._wished({*kept, j}):
                kept.append(j)
        return np.sort(np.array(kept, dtype=np.int64))

    def _enough(self, sites):
        """Return ``sites`` with those added that take most of who is left, and those closed that nobody needs."""
        task, sites = self.task, [int(j) for j in sites]
        price = np.maximum(
            task.setup if task.wishes.price is None else np.asarray(task.wishes.price, dtype=float), 1e-9
        )
        while True:
            plan = self.assigned(np.sort(np.array(sites, dtype=np.int64)))
            left = plan.place < 0
            hit = left[self.row]
            sought = np.bincount(self.site[hit], weights=task.size[self.row[hit]] + 1e-6, minlength=self.m)
            gain = np.minimum(sought, task.room + 1e-6) / price
            gain[sites], gain[self.shut] = 0, 0
            able = (int(j) for j in np.argsort(-gain, kind="stable") if gain[j] > 0)
            more = next((j for j in able if self.simple or self._wished({*sites, j})), None)
            if more is None:
                break
            sites.append(more)
        if left.any() and task.everybody:
            return None
        load = np.bincount(plan.place[~left], weights=task.size[~left], minlength=self.m)
        for j in sorted(sites, key=lambda j: (load[j] / price[j], -j)):
            fewer = np.array(sorted(set(sites) - {j}), dtype=np.int64)
            if self.fixed[j] or self.clock.stopped():
                continue
            if not task.everybody:
                needless = load[j] == 0 and not (plan.place == j).any()
            else:
                needless = task.room[fewer].sum() >= task.size.sum() and self.assigned(fewer).whole
            if needless:
                sites = list(fewer)
        return np.sort(np.array(sites, dtype=np.int64))

    def exchange(self):
        """Better the best plan, or what comes nearest to one, by closing one site for another while that helps."""
        tries = max(30, EXCHANGE_WORK // self.labour)
        while True:
            was = self.best or self.near
            if was is None:
                return
            sought = np.ones(self.m, dtype=bool)
            if not was.whole or self.task.goal is not None:  # somebody has no place: where could there be one?
                sought = np.bincount(self.site[was.place[self.row] < 0], minlength=self.m) > 0
            inside = [j for j in sorted(was.sites, key=lambda j: (-self.worth[j], -j)) if not self.must[j]]
            outside = np.argsort(self.worth, kind="stable")
            outside = outside[sought[outside] & ~self.out[outside] & ~np.isin(outside, was.sites)]
            for k, j in itertools.product(outside, inside):
                tries -= 1
                if tries < 0 or self.done() or self.clock.spent() > self.until:
                    return
                self.consider(np.sort(np.r_[was.sites[was.sites != j], k]))
                if (self.best or self.near) is not was:
                    break
            else:
                return

    def polish(self):
        """Let the local search of assignments run to its end where it was cut short."""
        was = self.best or self.near
        if was is not None and not self.done():
            self.take(self.assigned(was.sites, EFFORT))

    def settle(self):
        """Let a site of lower rank take over all of another's people wherever that costs nothing."""
        task = self.task
        changed = True
        while changed:
            changed = False
            for j in self.best.sites[::-1]:
                if self.fixed[j]:
                    continue
                here = self.best.place == j
                hit = here[self.row]
                cost = np.bincount(self.site[hit], weights=self.cost[hit], minlength=self.m) + task.setup
                able = np.bincount(self.site[hit], minlength=self.m) == here.sum()
                able &= (task.room >= task.size[here].sum()) & ~self.shut & (cost <= cost[j])
                able[self.best.sites] = False
                for k in np.flatnonzero(able[:j]):
                    sites = np.array(sorted({*self.best.sites.tolist(), int(k)} - {int(j)}), dtype=np.int64)
                    if self.allowed(sites):
                        self.best = Plan(sites, np.where(here, k, self.best.place), self.best.cost)
                        changed = True
                        break
                if changed:
                    break

    # ------------------------------------------------------------------------------------------------- bound

    def _first_prices(self):
        task = self.task
        prices = np.zeros(self.n)
        some = np.flatnonzero(np.diff(self.first))
        if task.kind == "p_median":
            share = 0.5 if task.p is None else 0.5 / max(task.p, 1)
            for i in some:
                costs = np.sort(self.cost[self.first[i] : self.first[i + 1]])
                prices[i] = costs[min(int(len(costs) * share), len(costs) - 1)]
        elif task.kind == "lscp":
            worth = np.where(task.room > 0, task.setup / np.maximum(task.room, 1), 0.0)[self.site]
            prices[some] = np.minimum.reduceat(worth, self.first[some]) * task.size[some]
        else:  # all room taken, everybody served, and half way: the best of the three
            costs = np.zeros(self.n)
            costs[some] = self.cost[self.first[some]]
            value, share = np.zeros(self.m), np.zeros(len(self.site))
            for part in (0.0, 0.5, 1.0):
                price_sites(
                    self.starts, self.by_row, self.by_cost, self.alive, task.size, task.room, part * costs, self.exact,
                    value, share
                )  # fmt: skip
                chosen = self._chosen(task.setup + value)
                total = np.inf if chosen is None else chosen[1] + part * costs.sum()
                if total > self.bound:
                    self.bound, prices = total, part * costs
        return prices

    def _chosen(self, worth):
        """Return (opened m of 0 or 1, total, real worth, that of the last in, of the next out), the cheapest choice."""
        task = self.task
        opened = self.must.astype(float)
        free = np.flatnonzero(~self.must & ~self.out)
        if task.p is None:
            lift, spent = self._budget_lift(worth)
            real = worth + lift
            opened[free[real[free] < 0]] = 1.0
            return opened, float((opened * real).sum()) - spent, real, 0.0, 0.0
        count = task.p - int(self.must.sum())
        if count < 0 or count > len(free):
            return None
        order = free[np.argsort(worth[free], kind="stable")]
        opened[order[:count]] = 1.0
        last = worth[order[count - 1]] if count else -np.inf
        after = worth[order[count]] if count < len(order) else np.inf
        return opened, float((opened * worth).sum()), worth, last, after

    def _budget_lift(self, worth):
        """Return (lift m, spent) of the budget's row at its best price: the ratio at which the money runs out."""
        wishes = self.task.wishes
        if wishes.budget is None:
            return np.zeros(self.m), 0.0
        price = np.asarray(wishes.price, dtype=float)
        free = np.flatnonzero(~self.must & ~self.out & (worth < 0) & (price > 0))
        order = free[np.argsort(worth[free] / price[free], kind="stable")]
        over = np.flatnonzero(np.cumsum(price[order]) > float(wishes.budget) - price[self.must].sum())
        if not len(over):
            return np.zeros(self.m), 0.0
        ratio = -worth[order[over[0]]] / price[order[over[0]]]
        return ratio * price, ratio * float(wishes.budget)

    def price(self):
        """Better the prices, and with them bound and plans; then leave out what no better plan can use."""
        task = self.task
        prices, push = self.prices, np.zeros(self.n)
        here, waited, step, seen = -np.inf, 0, 1.0, set()
        limit = self.made + max(10, EXCHANGE_WORK // (4 * self.labour))
        value, share = np.zeros(self.m), np.zeros(len(self.site))
        for turn in range(ROUNDS):
            chosen = self._priced(prices, value, share)
            if chosen is None:  # the sites left are too few: nobody has a plan, or nobody a better one
                self.bound = np.inf
                break
            opened, total, self.worth = chosen[:3]
            total += prices.sum()
            waited += 1
            if total > here + 1e-7 * max(abs(total), 1.0):
                here, self.prices, waited = total, prices, 0
                self.bound = max(self.bound, total)
            sites = np.flatnonzero(opened)
            if sites.tobytes() not in seen and self.made < limit:
                seen.add(sites.tobytes())
                self.consider(sites)
            if turn % 20 == 0:
                self.tell()
            if self.done() or step < LEAST_STEP or self.clock.spent() > self.until:
                break
            if waited >= PATIENCE:
                step, waited, prices, push = step * SHRINK, 0, self.prices, np.zeros(self.n)
                self._leave_out(prices, value, share)
                continue
            short = 1.0 - np.bincount(self.by_row, weights=share * opened[self.by_site], minlength=self.n)
            if not task.everybody:
                short[(prices >= 0) & (short > 0)] = 0
            push = MOMENTUM * push + (1 - MOMENTUM) * short
            steep = (push**2).sum()
            if steep <= 1e-12:
                break
            aim = self.cutoff() if self.best is not None or task.goal is not None else total + 0.1 * abs(total) + 1.0
            prices = prices + step * max(aim - total, 1e-4 * max(abs(aim), 1.0)) / steep * push
            if not task.everybody:
                prices = np.minimum(prices, 0.0)
        if not self.done():
            self._leave_out(self.prices, value, share)

    def _priced(self, prices, value, share):
        """Return what :meth:`_chosen` makes of the sites at these prices; fills ``value`` and ``share``."""
        task = self.task
        price_sites(
            self.starts, self.by_row, self.by_cost, self.alive, task.size, task.room, prices, self.exact, value, share
        )
        return self._chosen(task.setup + value)

    def _leave_out(self, prices, value, share):
        """Settle sites and arcs without which, or with which, the bound rises above what is looked for."""
        task = self.task
        chosen = self._priced(prices, value, share)
        if chosen is None:
            self.bound = np.inf
            return
        opened, total, worth, last, after = chosen
        total += prices.sum()
        forced = np.zeros(len(self.site))
        force_arcs(
            self.starts,
            self.by_row,
            self.by_cost,
            self.alive,
            task.size,
            task.room,
            prices,
            self.exact,
            value,
            share,
            forced,
        )
        inside = opened > 0
        entering = np.where(inside, 0.0, worth - last)
        hopes = total + entering[self.by_site] + forced - value[self.by_site]
        self.hopes = hopes
        self.out = self.out | ~self.must & ~inside & self.above(total + worth - last)
        self.must = self.must | inside & self.above(total + after - worth)
        self.alive = self.alive & ~self.above(hopes) & ~self.out[self.by_site]
        self.pruned = self.gap > 0 and task.goal is None

    # ------------------------------------------------------------------------------------------------- the rest

    def branch(self):
        """Search the tree: a site open or shut, a demand at this half of its sites or at that, bounded by prices."""
        task = self.task
        root = (self.bound, self.must, self.out, self.alive, self.prices)
        stack, value, share, visited = [root], np.zeros(self.m), np.zeros(len(self.site)), 0
        while stack and not self.done():
            bound, self.must, self.out, self.alive, prices = stack.pop()
            self.bound = min([bound, *(node[0] for node in stack)])
            if self.above(bound):
                continue
            visited += 1
            cut = self.cutoff()
            bound, prices, opened, use = ascend(
                self.starts, self.by_row, self.by_cost, self.alive, task.size, task.room, self.exact,
                self.must, self.out, task.p, task.everybody, prices, cut, cut + 0.02 * task.grain,
                TREE_ROUNDS, TREE_PATIENCE
            )  # fmt: skip
            if self.above(bound):
                continue
            self.consider(np.flatnonzero(opened))
            whole, self.bound = self.bound, bound
            self._leave_out(prices, value, share)
            self.bound, bound = whole, self.bound
            if self.above(bound):
                continue
            for child in self._children(use):
                stack.append((bound, *child, prices))
        self.visited = visited
        if not stack:
            self.bound = np.inf
            self.none = self.best is None
        else:
            self.bound = min(node[0] for node in stack)
            _, self.must, self.out, self.alive, self.prices = root

    def _only(self):
        """Take the best plan where each demand has one site at most: nothing is left to price, sites decide alone."""
        task = self.task
        value, share = np.zeros(self.m), np.zeros(len(self.site))
        prices = np.full(self.n, 2.0 * self.alone.max(initial=1.0)) if task.everybody else np.zeros(self.n)
        price_sites(
            self.starts, self.by_row, self.by_cost, self.alive, task.size, task.room, prices, self.exact, value, share
        )
        opened = self._chosen(task.setup + value)[0] > 0
        used = (share > 0) & opened[self.by_site]
        place = np.full(self.n, -1, dtype=np.int64)
        place[self.by_row[used]] = self.by_site[used]
        if not task.everybody or (place >= 0).all():
            sites = np.flatnonzero(opened)
            self.take(Plan(sites, place, float(self.by_cost[used].sum() + task.setup[sites].sum())))

    def _children(self, use):
        """Return two nodes (must, out, alive) that share out the plans of this one; the likelier comes last."""
        must, out, alive = self.must, self.out, self.alive
        use = use * alive
        often = np.zeros(self.m)
        np.maximum.at(often, self.by_site, use)
        often[must | out] = 0
        j = int(np.argmax(np.minimum(often, 1 - often)))
        if min(often[j], 1 - often[j]) > TREE_SITE:
            closed, held = out.copy(), must.copy()
            closed[j], held[j] = True, True
            shut, kept = (must, closed, alive & (self.by_site != j)), (held, out, alive)
            return [shut, kept]
        choices = np.bincount(self.by_row[alive], minlength=self.n)
        total = np.maximum(np.bincount(self.by_row, weights=use, minlength=self.n), 1e-9)
        top = np.zeros(self.n)
        np.maximum.at(top, self.by_row, use)
        split = np.where(choices > 1, 1 - top / total + 1e-6 * choices, -1)
        i = int(np.argmax(split))
        if split[i] < 0:
            self._only()
            return []
        arcs = np.flatnonzero(alive & (self.by_row == i))
        arcs = arcs[np.argsort(-use[arcs], kind="stable")]
        first, second = alive.copy(), alive.copy()
        first[arcs[1::2]] = False
        second[arcs[0::2]] = False
        return [(must, out, second), (must, out, first)]

    def model(self):
        """Solve what is left as a PuLP model, beginning with the best plan."""
        task, best = self.task, self.best
        used = self.alive.copy()
        if best is not None:
            used |= best.place[self.by_row] == self.by_site
        complete = used.sum() <= MOST_ARCS
        if not complete:  # a smaller question with the same kind of answers; its bound is not ours
            hopes = np.where(used, self.hopes, np.inf)
            if best is not None:
                hopes[best.place[self.by_row] == self.by_site] = -np.inf
            used = np.zeros(len(used), dtype=bool)
            used[np.argsort(hopes, kind="stable")[:MOST_ARCS]] = True
        kept = np.zeros(len(used), dtype=bool)
        kept[self.order[used]] = True
        first = np.r_[0, np.cumsum(np.bincount(self.row[kept], minlength=self.n))]
        arcs = sparse.csr_array((self.cost[kept], self.site[kept], first), shape=(self.n, self.m))
        model, x, z, unit = self._written(arcs)
        must, shut = self.must.copy(), self.out.copy()
        start = None
        if best is not None:
            inside = np.zeros(self.m, dtype=bool)
            inside[best.sites] = True
            must, shut = must & inside, shut & ~inside
            start = {x[j].name: 1 for j in best.sites}
            start |= {v.name: 1 for v, on in zip(z, arcs.indices == best.place[self.row[kept]], strict=True) if on}
        keep(model, x, replace(task.wishes, fixed=np.flatnonzero(must), forbidden=np.flatnonzero(shut)))
        answer = solve(model, seconds=max(self.clock.left(), 0.01), gap=self.gap, start=start, cancel=self.clock.cancel)
        if answer.has_plan:
            place = np.full(self.n, -1, dtype=np.int64)
            on = np.array([answer.values[v.name] > 0 for v in z], dtype=bool)
            place[self.row[kept][on]] = arcs.indices[on]
            sites = np.array([j for j in range(self.m) if answer.values[x[j].name] > 0], dtype=np.int64)
            cost = task.setup[sites].sum() + (arcs.data[on]).sum()
            self.take(Plan(sites, place, cost))
        if complete:
            self._believe(answer, unit)

    def _believe(self, answer, unit):
        """Take over what the solver proved about all plans that are looked for."""
        if answer.status == INFEASIBLE or (answer.status == OPTIMAL and self.task.goal is None):
            self.bound = np.inf
            self.none = self.best is None
        elif answer.bound is not None and self.task.goal is None:
            sign = -1.0 if self.task.kind == "mclp" else 1.0
            self.bound = max(self.bound, sign * answer.bound * unit)

    def _written(self, arcs):
        """Return (model, x, z, unit): the readable model, its costs in ``unit`` (solvers count badly in billions)."""
        task = self.task
        unit = task.grain or 1.0
        most = np.abs(arcs.data).max(initial=0.0)
        while most / unit > 1e6:
            unit *= 10.0
        if task.kind == "lscp":
            model, x, z = models.capacitated_lscp(arcs, task.size, task.room, task.setup)
            return model, x, z, 1.0
        if task.kind == "mclp":
            worth = np.zeros(self.n)
            worth[self.row] = -self.cost / unit
            return *models.capacitated_mclp(arcs, worth, task.size, task.room, task.p), unit
        if task.kind == "p_median":
            scaled = sparse.csr_array((arcs.data / unit, arcs.indices, arcs.indptr), shape=arcs.shape)
            return *models.capacitated_p_median(scaled, task.size, task.room, task.p), unit
        return *models.capacitated_p_center(arcs, task.size, task.room, task.p), 1.0
