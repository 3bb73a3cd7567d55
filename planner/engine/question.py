"""A siting question at the door: what was asked is read and refused in one place, so that engines may trust it.

Inside, sites stand in the order of their rank, people have lost their common factor, and rows nobody can serve are
gone; so neither the order of sites nor the scale of people can tell in a plan.
"""

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from scipy import sparse

from planner.engine.found import Clock
from planner.models.wishes import Wishes
from planner.problem import CoverProblem
from planner.solve import SolverFault

ASKED = (
    *("fixed", "forbidden", "capacity", "exclusive", "spacing", "avoid", "price", "budget", "rank"),
    *("only_reachable", "gap", "seconds", "progress", "cancel"),
)
WITHOUT_ROOM = ("mclp_gradual", "bclp", "double_standard")
CLOSE = 1e-6
FINEST = 10**8  # money units
MOST = 10**12  # people, beds, sites: sums of persons x metres then stay exact in 64 bits


@dataclass(frozen=True)
class Question:
    """A siting question, checked. Columns of ``ways`` and ``near`` and positions in ``wishes`` are in order of rank.

    ways       CSR array or, of a full table, an array (np.inf: no way); n x m numbers, smaller is nearer
    demand     n whole numbers: people divided by ``scale``; 1 each where nobody said
    need       n whole numbers: sites wanted;  p  sites to open or None
    everybody  whether leaving somebody unserved is infeasible
    order      m positions: the site, as asked, that stands in each column
    near       of double_standard: CSR array of the near pairs; with ``share`` and ``per_site``
    """

    model: str
    ways: object
    demand: np.ndarray
    scale: int
    need: np.ndarray
    p: int | None
    everybody: bool
    order: np.ndarray
    wishes: Wishes
    clock: Clock
    gap: float
    only_reachable: bool
    near: object = None
    share: float = 0.0
    per_site: int = 1
    truncated: bool = False

    @classmethod
    def read(
        cls,
        model,
        ways,
        demand,
        asked,
        *,
        need=1,
        p=None,
        everybody=True,
        near=None,
        share=0.0,
        per_site=1,
        truncated=False,
    ):
        """Return the question. Raises ValueError with every fault found and its remedy."""
        door = _Door()
        for name in asked:
            if name not in ASKED:
                close = get_close_matches(name, ASKED, 1)
                door.fault(f"unknown argument '{name}'" + (f"; did you mean '{close[0]}'?" if close else ""))
        ways = door.table(model, ways)
        if near is not None:
            near = door.table("near", near)
        if ways is None or (share and near is None):
            door.stop()
        n, m = ways.shape
        if not m:
            door.fault("there is no site to choose from: the table has no column")
        order = door.order(asked.get("rank"), m)
        if near is not None and near.shape != ways.shape:
            door.fault(f"near is {near.shape[0]} x {near.shape[1]} and far {n} x {m}: give them on the same rows")
        elif near is not None and len(outside := (ones(near) - ones(ways).multiply(ones(near))).nonzero()[0]):
            door.fault(
                f"near holds {len(outside)} pairs that far does not, the first in row {outside[0]}: near is a part"
            )
        if demand is None and (asked.get("capacity") is not None):
            door.fault("capacity is asked for and no demand is given: say how many people each demand has")
        demand = door.whole("demand", 1 if demand is None else demand, n, "one a demand: round or scale fractions")
        need = door.whole("backup", need, n, "one a demand")
        if p is not None:
            p = door.count("p", p)
        if not 0 <= share <= 1:
            door.fault(f"share = {share} must lie between 0 and 1")
        per_site = door.count("per_site", per_site)
        if per_site < 1:
            door.fault(f"per_site = {per_site} must be at least 1")
        wishes = door.wishes(model, asked, m, need, p)
        if truncated and not wishes.plain:
            door.fault("truncated lists go with fixed and forbidden sites alone: else give the whole table")
        door.room_for_sums(ways, demand)
        gap, seconds = door.number("gap", asked.get("gap", 0.0)), door.number("seconds", asked.get("seconds", 60.0))
        door.stop()
        scale = int(np.gcd.reduce(demand)) or 1 if wishes.capacity is None else 1
        where = np.empty(m, dtype=np.int64)
        where[order] = np.arange(m)
        return cls(
            model=model,
            ways=_columns(ways, order),
            demand=demand // scale,
            scale=scale,
            need=need,
            p=p,
            everybody=everybody,
            order=order,
            wishes=_turned(wishes, where, order),
            clock=Clock(seconds, asked.get("progress"), asked.get("cancel")),
            gap=gap,
            only_reachable=bool(asked.get("only_reachable", False)),
            near=None if near is None else _columns(near, order),
            share=share,
            per_site=per_site,
            truncated=bool(truncated),
        )

    # -- what engines are handed

    @property
    def problem(self):
        """Return the :class:`planner.problem.CoverProblem`."""
        need = None if (self.need == 1).all() else self.need
        fixed, forbidden = self.wishes.fixed, self.wishes.forbidden
        return CoverProblem(self.demand, self.ways, fixed, forbidden, np.arange(self.ways.shape[1]), need)

    @property
    def layers(self):
        """Return the CoverProblem of gradual coverage: of each demand one row for every share that a site may bring.

        A row holds the sites that bring at least that share, and the people whom no smaller share reaches.
        """
        shares, rows, weights = sparse.csr_array(self.ways), [], []
        for i in range(shares.shape[0]):
            row = slice(shares.indptr[i], shares.indptr[i + 1])
            levels, level = np.unique(-shares.data[row], return_inverse=True)  # shares are kept negative: see read
            for k, step in enumerate(np.diff(levels, prepend=0.0)):
                rows.append(shares.indices[row][level >= k])
                weights.append(self.demand[i] * step)
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        columns = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        cover = sparse.csr_array((np.ones(len(columns), np.int32), columns, starts), shape=(len(rows), shares.shape[1]))
        cover.sort_indices()
        return replace(self.problem, persons=np.array(weights, dtype=float), arcs=cover, need=None)

    @property
    def search(self):
        return {"rank": None, "gap": self.gap, "clock": self.clock}

    @property
    def pairs(self):
        """Return the ways as a CSR array, absent: no way."""
        return self.ways if sparse.issparse(self.ways) else stored(self.ways)

    def without(self, rows):
        """Return the question without some rows."""
        if not len(rows):
            return self
        left = np.setdiff1d(np.arange(len(self.demand)), rows)
        near = None if self.near is None else self.near[left]
        return replace(self, ways=self.ways[left], demand=self.demand[left], need=self.need[left], near=near)

    # -- what is so, whoever answers

    def choices(self):
        """Return n x m booleans as a CSR array of 0/1: the allowed sites that could serve each demand."""
        ways = self.pairs
        allowed = np.ones(ways.shape[1], dtype=bool)
        allowed[self.wishes.forbidden] = False
        good = allowed[ways.indices]
        if self.wishes.capacity is not None:
            good &= self.wishes.capacity[ways.indices] >= np.repeat(self.demand, np.diff(ways.indptr))
        starts = np.concatenate([[0], np.cumsum(good)])[ways.indptr]
        return sparse.csr_array((np.ones(good.sum(), np.int32), ways.indices[good], starts), shape=ways.shape)

    def unserved(self):
        """Return positions of the demand that allowed sites could not serve if all were open."""
        if self.everybody and not sparse.issparse(self.ways) and self.wishes.capacity is None:
            allowed = np.setdiff1d(np.arange(self.ways.shape[1]), self.wishes.forbidden)
            return np.flatnonzero(~np.isfinite(self.ways[:, allowed]).any(axis=1))
        if sparse.issparse(self.ways) and self.wishes.capacity is None and not len(self.wishes.forbidden):
            return np.flatnonzero(np.diff(self.ways.indptr) < self.need)
        return np.flatnonzero(np.diff(self.choices().indptr) < self.need)

    def paid(self, sites):
        return len(sites) if self.wishes.price is None else self.wishes.price[sites].sum().item()

    def nearest(self, sites):
        """Return n positions: the nearest of ``sites``, the lowest of equally near ones, -1 where none has a way."""
        return nearest_of(self.ways, np.asarray(sites, dtype=np.int64))

    def along(self, places, absent):
        """Return n numbers: the way of each demand to the site at ``places``, ``absent`` where that is -1."""
        way = np.full(len(places), absent, dtype=np.result_type(self.ways.dtype, np.asarray(absent)))
        rows = np.flatnonzero(places >= 0)
        if len(rows):  # of no rows a sparse array gives no numbers but a sparse array
            way[rows] = self.ways[rows, places[rows]]
        return way

    def check(self, plan, places, objective):
        """Raise :class:`planner.solve.SolverFault` unless the plan keeps all that was asked.

        ``objective`` is what the sites are worth, computed from the question.
        """
        wishes, sites, m = self.wishes, plan.sites, self.ways.shape[1]
        opened = np.unique(sites)
        said = []
        if len(opened) and (opened[0] < 0 or opened[-1] >= m):
            said.append("a site that does not exist")
        elif len(opened) < len(sites) and (self.per_site == 1 or np.bincount(sites).max() > self.per_site):
            said.append("a site opened twice")
        if len(np.setdiff1d(wishes.fixed, opened)):
            said.append("a held site is shut")
        if len(np.intersect1d(wishes.forbidden, opened)):
            said.append("a shut site is open")
        if self.p is not None and len(sites) != self.p:
            said.append(f"{len(sites)} sites instead of {self.p}")
        if any(len(np.intersect1d(group, opened)) > 1 for group in wishes.exclusive):
            said.append("two sites that exclude one another")
        if any(len(np.setdiff1d(group, opened)) < d for group, d in wishes.avoid):
            said.append("a plan too like an earlier one")
        slack = 0 if wishes.price is None or wishes.price.dtype.kind != "f" else CLOSE
        if wishes.budget is not None and wishes.price[opened].sum() > wishes.budget * (1 + slack):
            said.append("more than the budget")
        if self.everybody and ((places < 0) & (self.need > 0)).any():
            said.append("somebody unserved")
        if self.everybody and (self.need > 1).any() and (within(self.ways, sites) < self.need).any():
            said.append("somebody without backup")
        if len(np.setdiff1d(places[places >= 0], opened)):
            said.append("somebody served by a shut site")
        if wishes.capacity is not None:
            load = np.bincount(places[places >= 0], weights=self.demand[places >= 0], minlength=m)
            if (load > wishes.capacity).any():
                said.append("more people than a site takes")
        if abs(objective - plan.objective) > CLOSE * max(abs(objective), 1.0):
            said.append(f"an objective of {plan.objective} that is {objective}")
        if said:
            raise SolverFault(f"{self.model}: the plan found breaks what was asked: " + ", ".join(said))


def nearest_of(ways, sites):
    """Return n positions: of ``sites`` the one with the smallest way, the lowest of equal ones; -1 without a way."""
    if not len(sites):
        return np.full(ways.shape[0], -1, dtype=np.int64)
    if not sparse.issparse(ways):
        some = ways[:, sites]
        best = some.argmin(axis=1)
        return np.where(np.isfinite(some[np.arange(len(best)), best]), sites[best], -1)
    opened = np.zeros(ways.shape[1], dtype=bool)
    opened[sites] = True
    good = opened[ways.indices]
    column, way = ways.indices[good], ways.data[good]
    starts = np.concatenate([[0], np.cumsum(good)])[ways.indptr]
    rows = np.flatnonzero(np.diff(starts))
    places = np.full(ways.shape[0], -1, dtype=np.int64)
    if len(rows):
        shortest = np.repeat(np.minimum.reduceat(way, starts[rows]), np.diff(starts)[rows])
        best = np.flatnonzero(way == shortest)  # columns ascend in a row: the first of its best is the lowest
        row = np.repeat(rows, np.diff(starts)[rows])[best]
        first = np.flatnonzero(np.diff(row, prepend=-1))
        places[row[first]] = column[best[first]]
    return places


def ways_to(ways, places):
    """Return n numbers: the way of each demand to the site at ``places``, each of which has one."""
    return np.asarray(ways[np.arange(len(places)), places]) if len(places) else np.zeros(0, dtype=ways.dtype)


def within(ways, sites):
    """Return n whole numbers: how many of ``sites`` (repeated ones count again) each demand has a way to."""
    vehicles = np.bincount(sites, minlength=ways.shape[1])
    return ones(ways) @ vehicles


@contextmanager
def ctrl_c(clock):
    """Let Ctrl-C be heard as a cancel while a question is answered; a second one interrupts as ever."""
    pressed = threading.Event()
    usual = signal.default_int_handler
    here = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is usual
    if not here:
        yield
        return

    def heard(*_):
        pressed.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, heard)
    clock.cancel = _Either(pressed, clock.cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


class _Either:
    """Set when the one event is, or the other (which may be None)."""

    def __init__(self, one, other):
        self.one, self.other = one, other

    def is_set(self):
        return self.one.is_set() or (self.other is not None and self.other.is_set())


# -- the door


class _Door:
    """Reads arguments and keeps every fault, so that all are told at once."""

    def __init__(self):
        self.faults = []

    def fault(self, said):
        self.faults.append(said)

    def stop(self):
        if self.faults:
            raise ValueError("\n".join(self.faults))

    def table(self, model, ways):
        """Return a CSR array with sorted rows, or an array; distances at least 0, shares turned negative."""
        if not sparse.issparse(ways):
            if model not in ("p_median", "p_center"):
                name = {"mclp_gradual": "shares", "double_standard": "far", "near": "near"}.get(model, "arcs")
                make = "gradual_shares" if name == "shares" else "pairs_within"
                self.fault(
                    f"{name} must be a scipy sparse array, demand x site: what is stored is within reach; of a whole "
                    f"table of distances planner.locate.{make} makes one"
                )
                return None
            ways = np.asarray(ways)
            if ways.ndim != 2 or ways.dtype.kind not in "iuf":
                self.fault(f"cost must be a table of numbers, demand x site, not {ways.ndim}-dimensional {ways.dtype}")
                return None
            self._good(ways, "cost", np.isnan(ways) | (ways < 0), "must be at least 0 (np.inf: no way)")
            return ways
        ways = sparse.csr_array(ways)
        if not ways.has_canonical_format:
            ways = ways.copy()
            ways.sum_duplicates()
        if ways.dtype.kind not in "iufb":
            self.fault(f"the stored pairs must be numbers, not {ways.dtype}")
            return None
        if model == "mclp_gradual":
            self._good_pairs(ways, "shares", ~((ways.data > 0) & (ways.data <= 1)), "must lie above 0 and at most at 1")
            return sparse.csr_array((-ways.data.astype(float), ways.indices, ways.indptr), shape=ways.shape)
        bad = ~np.isfinite(ways.data) | (ways.data < 0)
        name = "cost" if model in ("p_median", "p_center") else "the pairs"
        self._good_pairs(ways, name, bad, "must be finite and at least 0; leave out what is not within reach")
        return ways

    def _good(self, table, name, bad, rule):
        if bad.any():
            i, j = map(int, np.argwhere(bad)[0])
            self.fault(f"{name}[{i}, {j}] = {table[i, j]} {rule} ({int(bad.sum())} such)")

    def _good_pairs(self, ways, name, bad, rule):
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            i = int(np.searchsorted(ways.indptr, at, side="right")) - 1
            self.fault(f"{name}[{i}, {int(ways.indices[at])}] = {ways.data[at]} {rule} ({int(bad.sum())} such)")

    def order(self, rank, m):
        if rank is None:
            return np.arange(m)
        rank = np.asarray(rank)
        if rank.shape != (m,) or len(np.unique(rank)) < m:
            self.fault(f"rank must be {m} different numbers, one a site: no two sites may be equally preferred")
            return np.arange(m)
        return np.argsort(rank)

    def whole(self, name, values, count, whose):
        """Return ``count`` whole numbers >= 0, one given for all where it is a single one."""
        given = np.asarray(values)
        if given.shape not in ((), (count,)):
            self.fault(f"{name} has shape {given.shape}; give {count} whole numbers, {whose}")
            return np.ones(count, dtype=np.int64)
        given = np.broadcast_to(given, count)
        bad = np.ones(count, bool) if given.dtype.kind not in "iufb" else ~((given >= 0) & (given == np.floor(given)))
        bad |= given > MOST if not bad.any() else False
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            rule = f"must be a whole number from 0 to {MOST:,}, {whose}"
            self.fault(f"{name}[{i}] = {given[i]} {rule} ({int(bad.sum())} such)")
            return np.ones(count, dtype=np.int64)
        return given.astype(np.int64)

    def count(self, name, value):
        """Return one whole number >= 0."""
        whole = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not whole or not 0 <= value <= MOST or value != int(value):
            self.fault(f"{name} = {value!r} must be a whole number of at least 0")
            return 1
        return int(value)

    def number(self, name, value):
        if not isinstance(value, (int, float, np.number)) or not value >= 0:
            self.fault(f"{name} = {value!r} must be a number of at least 0")
            return 0.0
        return float(value)

    def positions(self, name, values, m):
        try:
            given = np.unique(np.asarray(list(values)))
        except TypeError:
            self.fault(f"{name} = {values!r} must be a list of site positions")
            return np.zeros(0, dtype=np.int64)
        if given.dtype.kind == "b":
            self.fault(f"{name} must list site positions; of a mask np.flatnonzero makes them")
            return np.zeros(0, dtype=np.int64)
        if len(given) and (given.dtype.kind not in "iu" or given[0] < 0 or given[-1] >= m):
            bad = next(v for v in given if given.dtype.kind not in "iu" or not 0 <= v < m)
            self.fault(f"{name} names site {bad}; sites are whole positions from 0 to {m - 1}")
            return np.zeros(0, dtype=np.int64)
        return given.astype(np.int64)

    def groups(self, name, groups, m):
        """Return the positions of each of several sets of sites, as tuples."""
        try:
            groups = list(groups)
        except TypeError:
            self.fault(f"{name} = {groups!r} must be a list of sets of site positions")
            return []
        return [tuple(self.positions(name, group, m).tolist()) for group in groups]

    def room_for_sums(self, ways, demand):
        """Refuse people and distances whose sums do not fit into 64 bits."""
        data = ways.data if sparse.issparse(ways) else ways[np.isfinite(ways)]
        if demand.astype(float).sum() * max(float(data.max(initial=0)), 1.0) > 2**62:
            self.fault("people x distance sums beyond 64 bits: give the people in thousands or the way in longer units")

    def pairs(self, spacing, m):
        """Return pairs of sites too near to one another."""
        if spacing is None:
            return []
        if not sparse.issparse(spacing):
            if getattr(spacing, "ndim", 1) == 2 and spacing.shape[1] != 2:
                self.fault("spacing must be a scipy sparse array sites x sites, or a list of pairs of sites")
                return []
            pairs = self.groups("spacing", spacing, m)
            if any(len(pair) != 2 for pair in pairs):
                self.fault("spacing must list pairs of two different sites, or be a scipy sparse array sites x sites")
            return pairs
        if spacing.shape != (m, m):
            self.fault(f"spacing is {spacing.shape[0]} x {spacing.shape[1]}; give it sites x sites, {m} x {m}")
            return []
        i, j = sparse.coo_array(spacing).coords
        return sorted({(min(ij), max(ij)) for ij in zip(i.tolist(), j.tolist(), strict=True) if ij[0] != ij[1]})

    def wishes(self, model, asked, m, need, p):
        fixed = self.positions("fixed", asked.get("fixed", ()), m)
        forbidden = self.positions("forbidden", asked.get("forbidden", ()), m)
        both = np.intersect1d(fixed, forbidden)
        if len(both):
            self.fault(f"site {both[0]} is fixed and forbidden too ({len(both)} such): leave it out of one of the two")
        exclusive = self.groups("exclusive", asked.get("exclusive", ()), m) + self.pairs(asked.get("spacing"), m)
        avoid = []
        for each in asked.get("avoid", ()):
            if not isinstance(each, (tuple, list)) or len(each) != 2 or not np.ndim(each[0]):
                self.fault(f"avoid = {each!r} must be (positions, d): at least d of these sites stay shut")
                continue
            sites, d = tuple(self.positions("avoid", each[0], m).tolist()), self.count("avoid", each[1])
            avoid.append((sites, d))
            if d > len(sites):
                self.fault(f"avoid asks {d} of {len(sites)} sites to go unused: ask for {len(sites)} at most")
        capacity, price, budget = (asked.get(name) for name in ("capacity", "price", "budget"))
        if capacity is not None:
            capacity = np.asarray(capacity)
            if capacity.dtype.kind in "iuf":
                capacity = np.minimum(capacity, MOST)  # no limit is often written as infinity
            capacity = self.whole("capacity", capacity, m, "one a site")
            if model in WITHOUT_ROOM:
                self.fault(f"capacity is not known to {model}: leave it out, or use mclp")
            if (need != 1).any():
                self.fault("backup other than 1 and capacity cannot be asked together: leave one of the two out")
        if price is not None:
            price = np.asarray(price)
            if price.shape != (m,) or price.dtype.kind not in "iuf" or not (np.isfinite(price) & (price >= 0)).all():
                self.fault(f"price must be {m} numbers of at least 0, one a site")
                price = np.ones(m)
            if budget is not None and price.max(initial=0) > FINEST and float(budget) > FINEST:
                self.fault(f"price and budget beyond {FINEST:,} lose single units in a solver: give them coarser")
            if budget is None and model != "lscp":
                self.fault("price without budget decides nothing here: give the budget too")
        if budget is not None:
            budget = self.number("budget", budget)
            if price is None:
                self.fault("budget without price buys nothing: give the price of each site")
        if p is None and budget is None and model in ("mclp", "mclp_gradual", "bclp", "p_median", "p_center"):
            self.fault("say how many sites: p, or price with budget")
        exclusive = tuple(group for group in exclusive if len(group) > 1)
        return Wishes(fixed, forbidden, capacity, exclusive, tuple(avoid), price, budget)


def _turned(wishes, where, order):
    """Return ``wishes`` with sites at the positions of their ranks."""

    def there(sites):
        return tuple(np.sort(where[list(sites)]).tolist())

    return replace(
        wishes,
        fixed=np.sort(where[wishes.fixed]),
        forbidden=np.sort(where[wishes.forbidden]),
        capacity=None if wishes.capacity is None else wishes.capacity[order],
        exclusive=tuple(there(group) for group in wishes.exclusive),
        avoid=tuple((there(group), d) for group, d in wishes.avoid),
        price=None if wishes.price is None else wishes.price[order],
    )


def _columns(ways, order):
    """Return ``ways`` with its columns in ``order``, as they are where that is the order they have."""
    if (order == np.arange(len(order))).all():
        return ways
    turned = ways[:, order]
    if sparse.issparse(turned):
        turned.sort_indices()
    return turned


def stored(table):
    """Return a full table as a CSR array of its finite entries."""
    i, j = np.nonzero(np.isfinite(table))
    starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=table.shape[0]))])
    return sparse.csr_array((table[i, j], j, starts), shape=table.shape)


def ones(ways):
    """Return 1 for every way there is: a CSR array."""
    ways = ways if sparse.issparse(ways) else stored(ways)
    return sparse.csr_array((np.ones(len(ways.data), np.int32), ways.indices, ways.indptr), shape=ways.shape)
