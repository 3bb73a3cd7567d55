"""Covering with as few sites as can be (LSCP without prices): a search for fewer, and a bound that none can pass.

The search is row weighting: sites leave and enter one cover in turn, and each row that stays unserved grows heavier, so
that the walk never settles where it has been (Gao, Weise, Li 2015, European Journal of Operational Research
246:750-761). The bound prices the rows: whatever the prices u >= 0,

    L(u) = sum_i u_i + sum_j min(0, 1 - s_j)      with  s_j = sum_{i: j in N_i} u_i

is at most the number of sites of any cover (Beasley 1990, Naval Research Logistics 37:151-164). Prices are found by
subgradients with a memory (Camerini, Fratta, Maffioli 1975, Mathematical Programming Study 3:26-34).

Both are exact about what they return, take the rows in an order of their own (so that no order of the rows given
changes the answer) and draw no chance.
"""

import numpy as np
from scipy import sparse

from planner.engine.compiled import compiled, copied

STEPS, STEPS_A_SITE = 100_000, 500  # steps of the search without a better cover before it is enough
ROUNDS = 4000
MOMENTUM = 0.97
FIRST_STEP = 0.03
PATIENCE, SHRINK = 40, 0.7  # rounds without a better bound, and what then becomes of the step
WORK = 20_000_000  # entries visited a slice, about a tenth of a second: a cancel is heard between slices
SAFE = 1e-6  # far above what floating sums of a few thousand prices lose


def fewest(cover, start, clock, target=None, rank=None, steps=None):
    """Return column positions (sorted) of a cover with as few sites as the search finds, never more than ``start``.

    cover   scipy CSR array of 1, rows x sites, every row with at least one entry
    start   column positions that serve every row (a greedy cover); stands as it is where nothing better is found
    clock   :class:`planner.engine.found.Clock`: when it stops, the best cover so far comes back within a moment
    target  number of sites that is good enough; None looks on until the steps are spent
    rank    m whole numbers, no two equal: of equally good sites the lowest is taken; the position by default
    steps   steps without a better cover to give up after; by default 100,000 and 500 a site of ``start``

    A cover of ``len(result) <= target`` sites is the proof that one exists; a longer one proves nothing.
    """
    rows, sites = cover.shape
    start = np.unique(np.asarray(start, dtype=np.int64))
    target = 0 if target is None else int(target)
    if rows == 0 or len(start) <= target:
        return start if rows else start[:0]
    order = np.arange(sites) if rank is None else np.argsort(rank, kind="stable")
    by_row, _ = _canonical(sparse.csr_array(cover[:, order]))
    by_site = sparse.csr_array(by_row.T.tocsr())
    steps = STEPS + STEPS_A_SITE * len(start) if steps is None else int(steps)
    inside = np.zeros(sites, dtype=np.bool_)
    place = np.empty(sites, dtype=np.int64)
    place[order] = np.arange(sites)
    inside[place[start]] = True
    best = inside.copy()
    times = np.asarray(by_row @ inside.astype(np.int32)).astype(np.int32)
    weight = np.ones(rows, dtype=np.int64)
    state = _State(by_row, by_site, inside, times, weight, best)
    while not clock.stopped():
        if not state.walk(target, steps):
            break
    return np.sort(order[np.flatnonzero(state.best)])


def first_cover(cover, known=()):
    """Return column positions of a cover: ``known`` ones, then again and again the site that serves most of the rest.

    cover  scipy CSR array of 1, rows x sites, every row with at least one entry. Ties go to the lowest position.
    Sites whose rows the others serve as well are left out again.
    """
    if not cover.nnz:
        return np.zeros(0, dtype=np.int64)
    inside = np.zeros(cover.shape[1], dtype=np.bool_)
    inside[np.asarray(known, dtype=np.int64)] = True
    by_site = sparse.csr_array(cover.T.tocsr())
    _complete(cover.indptr, cover.indices, by_site.indptr, by_site.indices, inside)
    return np.flatnonzero(inside)


def step_work(cover):
    """Return about how many entries of ``cover`` a step of the search visits."""
    rows, sites = cover.shape
    return cover.nnz / max(rows, 1) * cover.nnz / max(sites, 1) * 2 + sites + 1


class _State:
    """One walk between slices: what is open, what is unserved, what each site is worth."""

    def __init__(self, by_row, by_site, inside, times, weight, best):
        rows, sites = by_row.shape
        self.graph = (by_row.indptr, by_row.indices, by_site.indptr, by_site.indices)
        self.inside, self.times, self.weight, self.best = inside, times, weight, best
        self.worth = np.zeros(sites, dtype=np.int64)
        self.stamp = np.zeros(sites, dtype=np.int64)
        self.ready = np.ones(sites, dtype=np.bool_)
        self.unserved = np.zeros(rows, dtype=np.int64)
        self.at = np.full(rows, -1, dtype=np.int64)
        self.count = np.zeros(5, dtype=np.int64)  # unserved rows, step, step of the last better cover, last in, size
        self.count[3] = -1
        self.count[4] = int(inside.sum())
        _set_worth(*self.graph, inside, times, weight, self.worth)
        self.slice = max(int(WORK / step_work(by_row)), 100)

    def walk(self, target, patience):
        """Walk one slice; False when the target is reached or the patience spent."""
        return _walk(
            *self.graph,
            self.inside,
            self.times,
            self.weight,
            self.worth,
            self.stamp,
            self.ready,
            self.unserved,
            self.at,
            self.count,
            self.best,
            target,
            patience,
            self.slice,
        )


def _canonical(cover):
    """Return a CSR array's rows in an order that their contents alone decide, columns sorted, and that order."""
    words = np.random.default_rng(20250101).integers(1, 2**62, size=cover.shape[1], dtype=np.int64)
    ones = sparse.csr_array((np.ones(cover.nnz, dtype=np.int64), cover.indices, cover.indptr), shape=cover.shape)
    order = np.argsort(ones @ words, kind="stable")  # rows with one key are the same row; wraps around 2**64 by design
    ordered = sparse.csr_array(ones[order])
    ordered.sort_indices()
    return ordered, order


@compiled
def _complete(row_ptr, row_cols, col_ptr, col_rows, inside):
    """Add sites to ``inside`` until every row is served, then take the needless ones out."""
    sites = len(inside)
    times = np.zeros(len(row_ptr) - 1, dtype=np.int64)
    gain = np.zeros(sites, dtype=np.int64)
    for j in range(sites):
        gain[j] = col_ptr[j + 1] - col_ptr[j]
    known = np.flatnonzero(inside)
    turn = 0
    while True:
        if turn < len(known):
            best = known[turn]
            turn += 1
        else:
            best = np.argmax(gain)
            if gain[best] == 0:
                break
            inside[best] = True
        for k in range(col_ptr[best], col_ptr[best + 1]):
            i = col_rows[k]
            times[i] += 1
            if times[i] == 1:
                for q in range(row_ptr[i], row_ptr[i + 1]):
                    gain[row_cols[q]] -= 1
    for back in range(sites):
        j = sites - 1 - back
        if inside[j]:
            needless = True
            for k in range(col_ptr[j], col_ptr[j + 1]):
                needless = needless and times[col_rows[k]] > 1
            if needless:
                inside[j] = False
                for k in range(col_ptr[j], col_ptr[j + 1]):
                    times[col_rows[k]] -= 1


@compiled
def _set_worth(row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth):
    """Set of each open site the weight that it alone serves, below nothing; of each other what it would add."""
    for j in range(len(worth)):
        total = 0
        for k in range(col_ptr[j], col_ptr[j + 1]):
            i = col_rows[k]
            if inside[j]:
                if times[i] == 1:
                    total -= weight[i]
            elif times[i] == 0:
                total += weight[i]
        worth[j] = total


@compiled
def _leave(j, row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth, ready, unserved, at, count):
    """Take site ``j`` out of the cover."""
    inside[j] = False
    worth[j] = -worth[j]
    ready[j] = False
    for k in range(col_ptr[j], col_ptr[j + 1]):
        i = col_rows[k]
        times[i] -= 1
        if times[i] == 0:
            at[i] = count[0]
            unserved[count[0]] = i
            count[0] += 1
            for q in range(row_ptr[i], row_ptr[i + 1]):
                other = row_cols[q]
                ready[other] = ready[other] or other != j
                if other != j:
                    worth[other] += weight[i]
        else:
            for q in range(row_ptr[i], row_ptr[i + 1]):
                other = row_cols[q]
                if other != j:
                    ready[other] = True
                    if times[i] == 1 and inside[other]:
                        worth[other] -= weight[i]
    count[4] -= 1


@compiled
def _enter(j, row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth, ready, unserved, at, count):
    """Put site ``j`` into the cover."""
    inside[j] = True
    worth[j] = -worth[j]
    for k in range(col_ptr[j], col_ptr[j + 1]):
        i = col_rows[k]
        times[i] += 1
        if times[i] == 1:
            last = unserved[count[0] - 1]
            unserved[at[i]] = last
            at[last] = at[i]
            at[i] = -1
            count[0] -= 1
            for q in range(row_ptr[i], row_ptr[i + 1]):
                other = row_cols[q]
                if other != j:
                    ready[other] = True
                    worth[other] -= weight[i]
        else:
            for q in range(row_ptr[i], row_ptr[i + 1]):
                other = row_cols[q]
                if other != j:
                    ready[other] = True
                    if times[i] == 2 and inside[other]:
                        worth[other] += weight[i]
    count[4] += 1


@compiled
def _least_missed(inside, worth, stamp, kept):
    """Return the open site that is missed least, not ``kept``; of equal ones the one that moved longest ago."""
    chosen = -1
    for j in range(len(inside)):
        if not inside[j] or j == kept:
            continue
        if chosen < 0 or worth[j] > worth[chosen] or (worth[j] == worth[chosen] and stamp[j] < stamp[chosen]):
            chosen = j
    return chosen


@compiled
def _walk(
    row_ptr,
    row_cols,
    col_ptr,
    col_rows,
    inside,
    times,
    weight,
    worth,
    stamp,
    ready,
    unserved,
    at,
    count,
    best,
    target,
    patience,
    slice_steps,
):
    """Walk ``slice_steps`` steps; False when the cover is down to ``target`` or ``patience`` steps brought nothing."""
    end = count[1] + slice_steps
    while count[1] < end:
        while count[0] == 0:  # everybody is served: note it, and go on with one site less
            copied(inside, best)
            count[2] = count[1]
            if count[4] <= target or count[4] <= 1:
                return False
            j = _least_missed(inside, worth, stamp, -1)
            _leave(j, row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth, ready, unserved, at, count)
            stamp[j] = count[1]
        if count[1] - count[2] >= patience:
            return False
        j = _least_missed(inside, worth, stamp, count[3] if count[4] > 1 else -1)
        _leave(j, row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth, ready, unserved, at, count)
        stamp[j] = count[1]
        # Which unserved row is next wanders about without a pattern and without chance (a Weyl sequence).
        i = unserved[(((count[1] * 2654435761) & 0xFFFFFFFF) >> 12) % count[0]]
        j = -1
        for q in range(row_ptr[i], row_ptr[i + 1]):
            other = row_cols[q]
            if not ready[other]:
                continue
            if j < 0 or worth[other] > worth[j] or (worth[other] == worth[j] and stamp[other] < stamp[j]):
                j = other
        if j < 0:  # the one site this row has was closed a step ago
            j = row_cols[row_ptr[i]]
        _enter(j, row_ptr, row_cols, col_ptr, col_rows, inside, times, weight, worth, ready, unserved, at, count)
        stamp[j] = count[1]
        count[3] = j
        for k in range(count[0]):
            i = unserved[k]
            weight[i] += 1
            for q in range(row_ptr[i], row_ptr[i + 1]):
                worth[row_cols[q]] += 1
        count[1] += 1
    return True


def cover_bound(cover, clock, known, target=None, rounds=ROUNDS):
    """Return a number that no cover's count of sites is below: ``math.ceil`` of it is a bound too.

    cover   scipy CSR array of 1, rows x sites, every row with at least one entry
    clock   :class:`planner.engine.found.Clock`: when it stops, the best bound so far comes back
    known   number of sites of a known cover: at a bound above ``known - 1`` the search for prices ends
    target  when the bound passes it the search ends as well: more sites than ``target`` are needed
    rounds  of the search for prices, each two sparse products

    The bound of the linear relaxation of LSCP, to within a few thousandths, less a margin for floating sums.
    """
    return bound_and_prices(cover, clock, known, target, rounds)[0]


def bound_and_prices(cover, clock, known, target=None, rounds=ROUNDS):
    """Return the bound of :func:`cover_bound` and the prices u of the rows that prove it.

    With s_j as in the module's docstring, no cover of fewer than ``bound + 1 - s_j`` sites opens a site j of s_j <= 1,
    and none of fewer than ``bound + s_j - 1`` sites leaves a site of s_j >= 1 unused.
    """
    rows, sites = cover.shape
    if rows == 0:
        return 0.0, np.zeros(0)
    by_row, order = _canonical(sparse.csr_array(cover))
    by_site = sparse.csr_array(by_row.T.tocsr())
    price = 1.0 / np.maximum.reduceat(np.diff(by_site.indptr)[by_row.indices], by_row.indptr[:-1])
    enough = known - 1 if target is None else min(known - 1, target)
    best_price, push = price.copy(), np.zeros(rows)
    progress = np.array([-np.inf, FIRST_STEP, 0.0, 0.0])  # best bound, step, rounds without a better one, flat
    each = max(int(WORK / (4 * by_row.nnz + 1)), 1)
    while rounds > 0 and not clock.stopped():
        done = min(each, rounds)
        _subgradient(
            by_row.indptr,
            by_row.indices,
            by_site.indptr,
            by_site.indices,
            price,
            push,
            best_price,
            progress,
            done,
            float(known),
            enough + 2 * SAFE,
        )
        rounds -= done
        if progress[0] > enough + 2 * SAFE or progress[3]:
            break
    worth = by_site @ best_price
    bound = best_price.sum() + np.minimum(0, 1 - worth).sum() - SAFE
    prices = np.empty(rows)
    prices[order] = best_price
    return float(max(bound, 1.0)), prices


@compiled
def _subgradient(row_ptr, row_cols, col_ptr, col_rows, price, push, best_price, progress, rounds, known, enough):
    """Move ``price`` by ``rounds`` subgradient steps towards the best bound; ``progress`` keeps what to go on with."""
    rows, sites = len(price), len(col_ptr) - 1
    opened = np.zeros(sites, dtype=np.bool_)
    for _ in range(rounds):
        bound = 0.0
        for i in range(rows):
            bound += price[i]
        for j in range(sites):
            worth = 0.0
            for k in range(col_ptr[j], col_ptr[j + 1]):
                worth += price[col_rows[k]]
            opened[j] = worth > 1.0
            if worth > 1.0:
                bound += 1.0 - worth
        progress[2] += 1
        if bound > progress[0]:
            if bound > progress[0] + 1e-5 * known:
                progress[2] = 0
            progress[0] = bound
            copied(price, best_price)
            if bound > enough:
                return
        if progress[2] >= PATIENCE:
            progress[1] *= SHRINK
            progress[2] = 0
            copied(best_price, price)
            push[:] = 0.0
            if progress[1] < 1e-5:
                progress[3] = 1.0
                return
        steepness = 0.0
        for i in range(rows):
            times = 0
            for k in range(row_ptr[i], row_ptr[i + 1]):
                if opened[row_cols[k]]:
                    times += 1
            short = 1.0 - times
            if price[i] <= 0.0 and short < 0.0:
                short = 0.0
            push[i] = MOMENTUM * push[i] + (1 - MOMENTUM) * short
            steepness += push[i] * push[i]
        if steepness < 1e-12:
            progress[3] = 1.0
            return
        step = progress[1] * (known - bound) / steepness
        for i in range(rows):
            price[i] = max(price[i] + step * push[i], 0.0)
