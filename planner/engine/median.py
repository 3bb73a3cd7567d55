"""p-median, exactly: which p sites make the weighted distance of everybody to the nearest open one least.

Rows become lists of sites, nearest first. Greedy and interchange find a plan; prices on being served (Lagrange) bound
every plan from below and tell which sites no better plan opens or leaves shut, and from which distance on no better
plan serves a row; what stays undecided is branched on, each branch starting from the prices of the one before.
Measured on the same undecided rests, branching is much faster than HiGHS on the radius formulation of
:mod:`planner.models.p_median`, which stays the readable form.
"""

import heapq
import time
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from planner.engine.cover import fewest_sites
from planner.engine.found import Clock, found, nothing
from planner.engine.median_bound import Prices
from planner.engine.median_lists import narrowed, read_lists
from planner.engine.median_search import Search, cost_of, entries
from planner.problem import CoverProblem
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN

SLICE_SECONDS = 0.2
GRACE_SECONDS = 0.5  # for serving everybody, when a cancel comes before any plan does


def median(cost, weights, p, *, truncated=False, fixed=(), forbidden=(), rank=None, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` with p sites of least sum of weight x distance to the nearest.

    cost       n x m distances: dense (np.inf = no way) or scipy sparse (absent = no way, a stored 0 is 0)
    weights    n numbers >= 0; a demand of weight 0 must be reached all the same
    truncated  each row lists its nearest sites alone, all others lie farther than its farthest entry: the plan serves
               every row from its list, the bound holds for every plan of the full problem
    fixed, forbidden   positions of sites held open (they count towards p), kept shut
    rank       m different numbers: of equally good sites the lower one is taken; None = the lower position
    gap        relative gap that is good enough
    clock      :class:`planner.engine.found.Clock`
    Status ``infeasible`` only when no p allowed sites can reach everybody; ``no_plan`` when none was found in time,
    or when truncated lists hold none.
    """
    m = cost.shape[1]
    rank = np.arange(m) if rank is None else np.asarray(rank)
    scale, weights = _smallest(np.asarray(weights))
    lists, sites = read_lists(cost, weights, rank, forbidden, truncated, hurry=clock.stopped)
    column = np.full(m, -1, dtype=np.int64)
    column[sites] = np.arange(len(sites))
    held = np.unique(column[np.asarray(fixed, dtype=np.int64)])
    if (held < 0).any() or not len(held) <= p <= len(sites):
        return nothing(INFEASIBLE)
    if (np.diff(lists.first) == 0).any():
        return nothing(NO_PLAN if truncated else INFEASIBLE)
    task = _Task(replace(lists, choose=p), held, gap, clock, scale)
    return task.answer(sites)


def _smallest(weights):
    """Return (scale, weights / scale): whole weights without their common divisor, so that scaling changes nothing."""
    if weights.dtype.kind in "iu" or (weights == np.rint(weights)).all():
        whole = weights.astype(np.int64)
        scale = int(np.gcd.reduce(whole)) if len(whole) else 0
        return max(scale, 1), whole // max(scale, 1)
    return 1, weights


@dataclass(order=True)
class _Node:
    """A branch: what it costs at least, each column's verdict, prices of the rows of the undecided core."""

    bound: float
    number: int
    verdict: np.ndarray = field(compare=False)
    prices: np.ndarray = field(compare=False)


@dataclass(frozen=True)
class _Rest:
    """What a branch leaves undecided, all its columns' verdicts, its prices, and the column to split it by."""

    bound: float
    lists: object
    verdict: np.ndarray
    prices: np.ndarray
    split: int


@dataclass(frozen=True)
class _Effort:
    """How long a bound is raised: batches of steps, until ``idle`` in a row close but ``little`` of the gap each."""

    theta: float
    batch: int
    turns: int
    idle: int
    little: float


ROOT = _Effort(theta=1.0, batch=50, turns=12, idle=3, little=0.02)
BRANCH = _Effort(theta=1.0, batch=25, turns=3, idle=1, little=0.1)
LOOK = 10  # steps between two looks at what they brought: a number, not a time, so that every run sees the same
POLISHED = 16  # of so many branches one has its plan bettered by interchange
FEW, MUCH = 0.02, 0.2  # shares of columns: fewer decided than this split a branch, more start it anew without them


class _Task:
    """One p-median on its way to an answer: the best plan so far, and the least that any plan can cost."""

    def __init__(self, lists, held, gap, clock, scale):
        self.lists, self.held, self.gap, self.clock, self.scale = lists, held, gap, clock, scale
        whole = lists.dist.dtype == np.int32 and (lists.weight == np.rint(lists.weight)).all()
        self.unit = float(max(np.gcd.reduce(lists.dist) if len(lists.dist) else 1, 1)) if whole else 0.0
        ends = lists.weight * lists.dist[lists.first[1:] - 1]
        self.fine = 2.0 * float(ends.sum()) + 1.0  # dearer than any plan that serves everybody
        self.search = Search(lists, np.full(lists.rows, self.fine), held)
        self.upper, self.plan = np.inf, None
        nearest = lists.weight * lists.dist[lists.first[:-1]]
        self.least = float(np.minimum(nearest, lists.cap).sum())  # nothing below can be a plan's cost
        self.leaf = np.inf  # least cost of a decided branch which is no plan of the lists
        self.branches = 0
        self.slice = 1  # steps that fit between two looks at the clock

    # -- the plan

    def take(self, opened, cost=-np.inf):
        """Keep a plan when it serves everybody and costs less than the best; ``cost`` is what it is thought to cost."""
        if cost >= self.upper:
            return
        one = self.lists
        cost = cost_of(one.first, one.site, one.dist, one.weight, self.search.base, _flags(opened, one.columns))
        if cost < min(self.upper, self.fine):
            self.upper, self.plan = cost, np.sort(opened)

    @property
    def worth(self):
        """What a plan must cost less than to be called better: whole costs differ by a unit, others by a trace."""
        return self.upper - max(self.unit * (1 - 1e-6) - 1e-12 * self.upper, 1e-11 * self.upper)

    def done(self):
        return self.clock.stopped() or self.upper - self.least <= self.gap * max(self.upper, 1.0)

    def answer(self, sites):
        """Return the Found; ``sites`` are the positions of the columns."""
        one = self.lists
        ends = one.weight * one.dist[one.first[1:] - 1]
        opened = self.search.greedy(one.choose, np.maximum(2 * ends, 1.0))
        self.take(opened)
        grace = Clock(GRACE_SECONDS) if self.plan is None and self.clock.stopped() else self.clock
        self.take(*self.search.improve(opened, grace))
        if self.plan is None:
            status = NO_PLAN if self.clock.stopped() else self._cover()
            if self.plan is None:
                return nothing(status, self.least * self.scale if status == NO_PLAN else None)
        if not self.done():
            self.prove()
        if self.least >= self.worth and not self.clock.stopped():
            self._settle()
        return found(sites[self.plan], self.objective(), self._rounded(self.least) * self.scale, self.gap)

    def objective(self):
        """Return the plan's cost summed anew, in whole numbers where the data are whole."""
        one = self.lists
        entry = entries(one.first, one.site, _flags(self.plan, one.columns))
        if self.unit:
            return int((one.weight.astype(np.int64) * one.dist[entry].astype(np.int64)).sum()) * self.scale
        return float((one.weight * one.dist[entry]).sum()) * self.scale

    def _settle(self):
        """Of equally good plans take one of which no site can be exchanged for a lower rank."""
        opened, cost = self.search.improve(self.plan, self.clock, settle=True)
        if cost <= self.upper:
            self.plan = opened

    def _cover(self):
        """Find a plan that serves everybody by the fewest sites that do; return why there is none otherwise."""
        one = self.lists
        pattern = sparse.csr_array((np.ones(len(one.site)), one.site, one.first), shape=(one.rows, one.columns))
        nowhere = np.zeros(0, np.int64)
        problem = CoverProblem(np.ones(one.rows, np.int64), pattern, self.held, nowhere, np.arange(one.columns))
        cover = fewest_sites(problem, clock=Clock(self.clock.left(), cancel=self.clock.cancel))
        if cover.objective is None or cover.objective > one.choose:
            surely = cover.bound is not None and cover.bound > one.choose and np.isinf(one.cap).all()
            return INFEASIBLE if surely else NO_PLAN
        opened = cover.sites
        others = np.setdiff1d(np.arange(one.columns), opened)
        opened = np.concatenate([opened, others[: one.choose - len(opened)]])
        self.take(opened)
        self.take(*self.search.improve(opened, self.clock))
        return INTERIM

    def _rounded(self, bound):
        """Return a bound on whole costs as a whole number, with room for the rounding of sums."""
        if bound >= self.worth:
            return self.upper
        if not self.unit:
            return bound
        return min(np.ceil((bound - 1e-12 * self.upper) / self.unit - 1e-6) * self.unit, self.upper)

    # -- the proof

    def prove(self):
        """Bound, decide and branch until nothing better than the best plan is left, or the clock stops.

        A column's verdict is 1 (opened), -1 (shut) or 0; the first branch has those of held columns alone.
        """
        one = self.lists
        near = np.minimum(self.search.near, np.diff(one.first)[:, None] - 1)
        prices = (one.weight[:, None] * one.dist[one.first[:-1, None] + near]).mean(axis=1)
        verdict = np.zeros(one.columns, np.int8)
        verdict[self.held] = 1
        now = narrowed(one, verdict)
        rest = self._descend(now, verdict, prices[now.row], -np.inf, ROOT)
        heap = []
        if rest is not None:
            core = replace(rest.lists, row=np.arange(rest.lists.rows))
            heap = self._branches(rest, core, core.row, 0)
        number = len(heap)
        while heap and not self.done():
            node = heapq.heappop(heap)
            if node.bound >= self.worth:
                heap = []
                break
            self.branches += 1
            now = narrowed(core, node.verdict[core.sites])
            prices = None if now is None else node.prices[now.row].astype(np.float64)
            rest = self._descend(now, node.verdict, prices, node.bound, BRANCH)
            if rest is not None:
                for child in self._branches(rest, core, rest.lists.row, number):
                    heapq.heappush(heap, child)
                number += 2
            self._at_least(min(heap[0].bound if heap else np.inf, self.leaf))
        if not heap:
            self._at_least(self.leaf)

    def _at_least(self, bound):
        self.least = max(self.least, min(bound, self.upper))
        self.clock.tell(self.upper * self.scale, max(self.least, 0.0) * self.scale)

    def _descend(self, now, verdict, prices, bound, effort):
        """Bound and decide a branch: None when nothing of it is left, else the :class:`_Rest` to split."""
        theta = effort.theta
        while True:
            if now is None or not 0 <= now.choose <= now.columns:
                return None
            if now.choose in (0, now.columns) or not now.rows:
                self._decided(now, verdict)
                return None
            price = Prices(now, prices, theta)
            stalled = self._raise(price, verdict, effort)
            bound = max(bound, price.bound)
            if bound >= self.worth:
                return None
            if effort is ROOT:
                self._at_least(bound)
            decided = price.verdict(self.worth)
            left = narrowed(now, decided, price.reach(self.worth))
            if left is None:
                return None
            verdict = verdict.copy()
            verdict[now.sites] = decided
            prices = price.best_u[np.searchsorted(now.row, left.row)]
            if self.done() or (stalled and (decided != 0).sum() < FEW * now.columns):
                return _Rest(bound, left, verdict, prices, now.sites[price.undecided(decided)])
            now, theta = left, max(price.theta, effort.theta / 4)

    def _branches(self, rest, core, rows, number):
        """Return the nodes with the split column opened and shut; the clock may have come before any split."""
        prices = np.zeros(core.rows, np.float32)
        prices[rows] = rest.prices
        nodes = []
        for way in (1, -1):
            verdict = rest.verdict.copy()
            verdict[rest.split] = way
            nodes.append(_Node(rest.bound, number + len(nodes), verdict, prices))
        return nodes

    def _decided(self, lists, verdict):
        """A branch without a choice left: it is a plan, or (of truncated lists) no plan serves all its rows."""
        columns = np.arange(lists.columns)[: lists.choose]
        opened = np.full(lists.columns, -1, np.int8)
        opened[columns] = 1
        rest = narrowed(lists, opened)
        self.take(np.concatenate([np.flatnonzero(verdict == 1), lists.sites[columns]]))
        if rest is not None and rest.constant < self.worth:
            self.leaf = min(self.leaf, rest.constant)

    def _raise(self, price, verdict, effort):
        """Step until the bound is worth a branch less, much is decided, or steps bring little; True for the last."""
        taken = np.flatnonzero(verdict == 1)
        last, idle = -np.inf, 0
        for turn in range(effort.turns):
            for done in range(0, effort.batch, LOOK):
                cost, plan = self._step(price, min(LOOK, effort.batch - done))
                if cost < self.upper:
                    self.take(np.concatenate([taken, price.lists.sites[plan]]))
                if effort is ROOT:
                    self._at_least(price.bound)
                if price.bound >= self.worth or self.done():
                    return False
            if effort is ROOT and turn % 2 or effort is BRANCH and turn == 0 and self.branches % POLISHED == 0:
                self.take(*self.search.improve(np.concatenate([taken, price.lists.sites[plan]]), self.clock))
            idle = idle + 1 if price.bound - last < effort.little * (self.upper - price.bound) else 0
            last = price.bound
            if idle >= effort.idle:
                return True
            if (price.verdict(self.worth) != 0).sum() > MUCH * price.lists.columns:
                return False
        return True

    def _step(self, price, count):
        """Make ``count`` steps, in as many calls as the clock wants; return (cost, opened) of the best plan seen."""
        upper, made = self.upper, 0
        cost, plan = np.inf, price.plan
        while made < count and not self.clock.stopped():
            some = min(count - made, self.slice)
            began = time.monotonic()
            cost, plan = price.rounds(some, upper, fresh=made == 0)
            made += some
            self.slice = max(int(some * SLICE_SECONDS / max(time.monotonic() - began, 1e-6)), 1)
        return cost, plan


def _flags(columns, m):
    flags = np.zeros(m, np.bool_)
    flags[columns] = True
    return flags
