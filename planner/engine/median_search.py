"""Plans for p-median rows: greedy adding, then the fast interchange of one open site for another.

Interchange as in Resende, Werneck (2007), European Journal of Operational Research 174:54-68: what opening a site
gains, what closing one loses, and the correction where both touch one demand are kept up to date between swaps, so
that a swap costs only as many steps as there are demands whose nearest or second nearest site changes.
"""

import numpy as np

from planner.engine.compiled import compiled
from planner.engine.median_lists import rows_of_columns

SLICE = 40  # swaps between two looks at the clock
MOST_PAIRS = 40_000_000  # of columns to open and columns to close, a number each in memory


class Search:
    """One p-median instance and a plan on it that is made better; ``cost`` is the plan's weighted distance.

    base   n: what a row costs that no opened column serves: an open site outside these columns, or a fine so high
           that serving the row is always worth it
    """

    def __init__(self, lists, base, held=()):
        self.lists, self.base = lists, base
        self.start, self.rows = rows_of_columns(lists.first, lists.site, lists.columns)
        self.near = np.empty((lists.rows, 2), np.int32)  # how far down its list a row finds its two nearest open sites
        self.slot = np.full(lists.columns, -1, np.int32)
        self.able = np.ones(lists.columns, np.bool_)  # columns worth opening in place of another
        self.held = np.zeros(lists.columns, np.bool_)
        self.held[list(held)] = True

    @property
    def opened(self):
        return np.sort(np.flatnonzero(self.slot >= 0))

    def greedy(self, count, base):
        """Open the column that saves most on ``base`` (n costs), again and again, until ``count`` are open."""
        one = self.lists
        cheapest = np.diff(one.first).astype(np.int32)
        gain = _gains(one.first, one.site, one.dist, one.weight, base, one.columns)
        opened = np.zeros(one.columns, np.bool_)
        state = (one.first, one.site, one.dist, one.weight, base, self.start, self.rows, cheapest, gain)
        for j in np.flatnonzero(self.held):
            opened[j] = True
            _open(*state, j)
        _open_best(*state, opened, count - int(opened.sum()))
        if one.columns * count > MOST_PAIRS:  # the table of pairs would not fit: look at what would still save most
            order = np.argsort(-gain, kind="stable")
            self.able = np.zeros(one.columns, np.bool_)
            self.able[order[: max(MOST_PAIRS // count, 1)]] = True
        return np.flatnonzero(opened)

    def improve(self, opened, clock, settle=False):
        """Swap from ``opened`` on until no swap betters the plan or the clock stops; return (opened, cost).

        settle   in the end also swap where nothing is lost and the column is of better rank
        """
        one = self.lists
        opened = np.sort(np.asarray(opened, dtype=np.int64))
        rows = (one.first, one.site, one.dist, one.weight, self.base)
        if clock.stopped():
            flags = np.zeros(one.columns, np.bool_)
            flags[opened] = True
            return opened, cost_of(*rows, flags)
        self.slot[:] = -1
        self.slot[opened] = np.arange(len(opened))
        able = self.able | (self.slot >= 0)
        line = np.where(able, np.cumsum(able) - 1, -1).astype(np.int32)  # a column's row of `extra`
        gain, loss = np.zeros(one.columns), np.zeros(len(opened))
        extra = np.zeros((int(able.sum()), len(opened)))
        cost = _look(*rows, self.slot, self.near, line, gain, loss, extra)
        state = (*rows, self.start, self.rows, self.slot, self.near, line, gain, loss, extra, opened, self.held)
        done = SLICE
        while done == SLICE and not clock.stopped():
            done, cost = _swap(*state, cost, SLICE, settle)
        return self.opened, cost


@compiled
def cost_of(first, site, dist, weight, base, opened):
    """Return the weighted distance of all rows to the nearest column ``opened`` (m booleans), ``base`` without one."""
    cost = 0.0
    for i in range(len(weight)):
        mine = base[i]
        for e in range(first[i], first[i + 1]):
            if opened[site[e]]:
                mine = weight[i] * dist[e]
                break
        cost += mine
    return cost


@compiled
def entries(first, site, opened):
    """Return of each row the place of its nearest entry ``opened`` (m booleans); -1 without one."""
    place = np.full(len(first) - 1, -1, np.int64)
    for i in range(len(place)):
        for e in range(first[i], first[i + 1]):
            if opened[site[e]]:
                place[i] = e
                break
    return place


@compiled
def _gains(first, site, dist, weight, base, m):
    gain = np.zeros(m)
    for i in range(len(weight)):
        for e in range(first[i], first[i + 1]):
            saved = base[i] - weight[i] * dist[e]
            if saved > 0:
                gain[site[e]] += saved
    return gain


@compiled
def _open(first, site, dist, weight, base, start, rows, cheapest, gain, j):
    """Open column j: rows it serves better have less to gain from the others."""
    for k in range(start[j], start[j + 1]):
        i = rows[k]
        end = first[i] + cheapest[i]
        at = first[i]
        while at < end and site[at] != j:
            at += 1
        if at == end:
            continue
        before = base[i]
        if end < first[i + 1]:
            before = weight[i] * dist[end]
        now = min(weight[i] * dist[at], before)
        for e in range(first[i], end):
            c = weight[i] * dist[e]
            if c < before:
                gain[site[e]] -= before - c
                if c < now:
                    gain[site[e]] += now - c
        cheapest[i] = at - first[i]


@compiled
def _open_best(first, site, dist, weight, base, start, rows, cheapest, gain, opened, count):
    for _ in range(count):
        best = -1
        for j in range(len(opened)):
            if not opened[j] and (best < 0 or gain[j] > gain[best]):
                best = j
        opened[best] = True
        _open(first, site, dist, weight, base, start, rows, cheapest, gain, best)


@compiled
def _find_near(first, site, slot, near, i):
    """Write how far down row i's list its nearest and second nearest open columns stand; the list's length for none."""
    length = first[i + 1] - first[i]
    near[i, 0] = length
    near[i, 1] = length
    for k in range(length):
        if slot[site[first[i] + k]] >= 0:
            if near[i, 0] == length:
                near[i, 0] = k
            else:
                near[i, 1] = k
                break


@compiled
def _count_in(first, site, dist, weight, base, slot, near, line, gain, loss, extra, i, sign):
    """Add (sign 1) or take back (sign -1) what row i has to say; return its cost."""
    f = first[i]
    length = first[i + 1] - f
    d1, d2 = base[i], base[i]
    if near[i, 0] < length:
        d1 = weight[i] * dist[f + near[i, 0]]
    if near[i, 1] < length:
        d2 = weight[i] * dist[f + near[i, 1]]
    for k in range(near[i, 0]):
        c = weight[i] * dist[f + k]
        if c < d1:
            gain[site[f + k]] += sign * (d1 - c)
    if near[i, 0] < length:
        s = slot[site[f + near[i, 0]]]
        loss[s] += sign * (d2 - d1)
        for k in range(near[i, 1]):
            c = weight[i] * dist[f + k]
            at = line[site[f + k]]
            if at >= 0 and c < d2:
                extra[at, s] += sign * (d2 - max(c, d1))
    return d1


@compiled
def _look(first, site, dist, weight, base, slot, near, line, gain, loss, extra):
    cost = 0.0
    for i in range(len(weight)):
        _find_near(first, site, slot, near, i)
        cost += _count_in(first, site, dist, weight, base, slot, near, line, gain, loss, extra, i, 1.0)
    return cost


@compiled
def _swap(
    first, site, dist, weight, base, start, rows, slot, near, line, gain, loss, extra, opened, held, cost, most, settle
):
    """Make the best swap up to ``most`` times; return (swaps made, cost). With ``settle`` also level swaps."""
    for done in range(most):
        best, into, out = 0.0, -1, -1
        level = -1
        small = 1e-12 * cost
        for j in range(len(slot)):
            if slot[j] >= 0 or line[j] < 0:
                continue
            for s in range(len(opened)):
                if held[opened[s]]:
                    continue
                profit = gain[j] - loss[s] + extra[line[j], s]
                if profit > best:
                    best, into, out = profit, j, s
                elif settle and profit >= -small and opened[s] > j and into < 0 and level < 0:
                    level = j * len(opened) + s
        if best <= small:
            if level < 0:
                return done, cost
            into, out = level // len(opened), level % len(opened)
        leaving = opened[out]
        before = cost
        cost += _exchange(
            first, site, dist, weight, base, start, rows, slot, near, line, gain, loss, extra, into, leaving, out
        )
        opened[out] = into
        if cost > before or (cost == before and into > leaving):  # rounding promised what is not there: take it back
            _exchange(
                first, site, dist, weight, base, start, rows, slot, near, line, gain, loss, extra, leaving, into, out
            )
            opened[out] = leaving
            return done, before
    return most, cost


@compiled
def _exchange(first, site, dist, weight, base, start, rows, slot, near, line, gain, loss, extra, into, leaving, s):
    """Open column ``into`` in the place s of column ``leaving``; return by how much the plan's cost changes."""
    touched = 0
    most = start[into + 1] - start[into] + start[leaving + 1] - start[leaving]
    changed = np.empty(most, np.int32)
    delta = 0.0
    for k in range(start[leaving], start[leaving + 1]):
        i = rows[k]
        f = first[i]
        length = first[i + 1] - f
        mine = near[i, 0] < length and site[f + near[i, 0]] == leaving
        if mine or (near[i, 1] < length and site[f + near[i, 1]] == leaving):
            changed[touched] = i
            touched += 1
    for k in range(start[into], start[into + 1]):
        i = rows[k]
        f = first[i]
        length = first[i + 1] - f
        mine = near[i, 0] < length and site[f + near[i, 0]] == leaving
        if mine or (near[i, 1] < length and site[f + near[i, 1]] == leaving):
            continue
        for p in range(near[i, 1]):
            if site[f + p] == into:
                changed[touched] = i
                touched += 1
                break
    for k in range(touched):
        delta -= _count_in(first, site, dist, weight, base, slot, near, line, gain, loss, extra, changed[k], -1.0)
    slot[leaving] = -1
    slot[into] = s
    for k in range(touched):
        _find_near(first, site, slot, near, changed[k])
        delta += _count_in(first, site, dist, weight, base, slot, near, line, gain, loss, extra, changed[k], 1.0)
    return delta
