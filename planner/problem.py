"""CoverProblem: who needs a site, which sites would do, which are held or shut. No geometry, no solver.

Before a model sees it a problem is made small without changing its answer: people who are served by held sites leave,
demand points with the same choice of sites become one row, rows and sites that another row or site makes needless go.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

COMPARED = 100_000_000  # steps of a reduction that may take a second; beyond that it costs more than it saves


@dataclass(frozen=True)
class CoverProblem:
    """A covering problem on n demand points and m candidate sites.

    persons    n whole numbers, a_i
    arcs       scipy CSR array, n x m; an entry, the metres, is stored where the site is within the standard
    fixed      positions of sites that are held open
    forbidden  positions of sites where nothing may stand
    rank       m whole numbers: of equally good sites the lowest rank is taken; no two are equal
    need       n whole numbers: sites wanted within the standard; None: one for everybody
    """

    persons: np.ndarray
    arcs: sparse.csr_array
    fixed: np.ndarray
    forbidden: np.ndarray
    rank: np.ndarray
    need: np.ndarray | None = None

    @cached_property
    def pattern(self):
        """Return arcs as 0/1 (CSR, int32), without the entries of forbidden sites' columns."""
        arcs = self.arcs if self.arcs.has_sorted_indices else self.arcs.sorted_indices()
        indices, starts = arcs.indices, arcs.indptr
        if len(self.forbidden):
            allowed = np.ones(arcs.shape[1], dtype=bool)
            allowed[self.forbidden] = False
            keep = allowed[indices]
            starts, indices = np.concatenate([[0], np.cumsum(keep)])[starts], indices[keep]
        return sparse.csr_array((np.ones(len(indices), dtype=np.int32), indices, starts), shape=arcs.shape)

    @cached_property
    def needs(self):
        """Return n whole numbers: sites wanted by each demand point."""
        return np.ones(self.arcs.shape[0], dtype=np.int64) if self.need is None else np.asarray(self.need)

    def reachable(self):
        """Return n booleans: enough allowed sites are within the standard."""
        return np.diff(self.pattern.indptr) >= self.needs

    def covered_by(self, sites):
        """Return n booleans: enough of ``sites`` (positions) are within the standard."""
        chosen = np.zeros(self.arcs.shape[1], dtype=np.int32)
        chosen[np.asarray(sites, dtype=int)] = 1
        return np.asarray(self.pattern @ chosen) >= self.needs


def merged(problem):
    """Return ``problem`` with one demand point for all that have the same choice of sites and the same need.

    What lies between is lost: the arcs are 0/1. Rows come in an order that depends on their sites alone.
    """
    pattern, needs = problem.pattern, problem.needs
    first, group = same_rows(pattern, needs)
    persons = np.zeros(len(first), dtype=problem.persons.dtype)
    np.add.at(persons, group, problem.persons)
    need = None if problem.need is None else needs[first]
    return replace(problem, persons=persons, arcs=sparse.csr_array(pattern[first]), need=need)


@dataclass(frozen=True)
class Reduced:
    """What is left of a covering problem.

    ``cover`` (CSR of 1, rows x sites), ``weights`` and ``need`` of rows, ``sites`` (positions in the problem) and
    ``rank`` of columns.
    """

    cover: sparse.csr_array
    weights: np.ndarray
    need: np.ndarray
    sites: np.ndarray
    rank: np.ndarray


def reduce_problem(problem, *, every_row, hurry=None):
    """Return the :class:`Reduced` core of ``problem``: rows no fixed site serves, and free sites that could serve them.

    every_row=True (LSCP): each row must be served, so a row whose choices include all choices of another is implied
    by it and goes. every_row=False (MCLP): rows keep their weights and only merge when their choices are the same. A
    site goes when another serves at least the same rows, none of which wants a second site; of two equal ones the
    lower rank stays. Where comparing all with all would take long, or ``hurry()`` says so, more is left than need be.
    """
    problem = merged(problem)
    pattern = problem.pattern
    held = np.zeros(pattern.shape[1], dtype=np.int32)
    held[problem.fixed] = 1
    left = problem.needs - pattern @ held
    rows = np.flatnonzero((left > 0) & problem.reachable())
    sites = np.flatnonzero(held == 0)
    core = Reduced(
        sparse.csr_array(pattern[rows][:, sites]), problem.persons[rows], left[rows], sites, problem.rank[sites]
    )
    before = None
    while before != core.cover.shape and not (hurry is not None and hurry()):
        before = core.cover.shape
        core = _merge_rows(core)
        core = without_dominated_sites(core)
        if every_row:
            core = _drop_rows(_merge_rows(core))  # merged first, so that of equal rows none loses its weight
    return core


def narrowed(core, columns):
    """Return ``core`` with some of its sites alone: the rows they serve, merged where they serve the same."""
    columns = np.sort(columns)
    cover = sparse.csr_array(core.cover[:, columns])
    rows = np.flatnonzero(np.diff(cover.indptr))
    return _merge_rows(
        Reduced(
            sparse.csr_array(cover[rows]), core.weights[rows], core.need[rows], core.sites[columns], core.rank[columns]
        )
    )


def same_rows(pattern, need):
    """Return (first, group): of each set of equal rows the first one's position, and for every row which set it is in.

    ``pattern`` is a CSR of 0/1 with sorted indices, ``need`` a whole number a row that must be equal too. Sets are
    found by sums of random 64-bit words and then compared entry by entry: a row that only looks the same stays alone.
    Sets stand in the order of their sums, which knows nothing of the order of rows.
    """
    if not pattern.shape[0]:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    rng = np.random.default_rng(20250101)
    words = rng.integers(0, 2**64, size=pattern.shape[1], dtype=np.uint64)
    starts, size = pattern.indptr.astype(np.int64), np.diff(pattern.indptr)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(words[pattern.indices])])  # wraps around by design
    keys = (
        sums[starts[1:]]
        - sums[starts[:-1]]
        + np.asarray(need).astype(np.uint64) * rng.integers(2**63, 2**64 - 1, dtype=np.uint64)
    )
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    like = first[group]
    same = (size == size[like]) & (need == need[like])
    inside = np.repeat(same, size)
    offset = np.arange(len(pattern.indices)) - np.repeat(starts[:-1], size)
    theirs = np.repeat(starts[:-1][like], size)[inside] + offset[inside]
    differs = np.repeat(np.arange(len(size)), size)[inside][pattern.indices[inside] != pattern.indices[theirs]]
    same[differs] = False
    alone = np.flatnonzero(~same)
    group[alone] = len(first) + np.arange(len(alone))
    return np.concatenate([first, alone]), group


def _merge_rows(core):
    first, group = same_rows(core.cover, core.need)
    weights = np.zeros(len(first), dtype=core.weights.dtype)
    np.add.at(weights, group, core.weights)
    return replace(core, cover=sparse.csr_array(core.cover[first]), weights=weights, need=core.need[first])


def without_dominated_sites(core):
    """Drop each site whose rows another site serves too, unless one of them may want both."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    if _comparisons(by_site, core.cover) > COMPARED:
        return core
    several = by_site @ (core.need > 1).astype(np.int32) > 0
    gone = _contained(by_site, core.rank) & ~several | (np.diff(by_site.indptr) == 0)
    keep = np.flatnonzero(~gone)
    return replace(core, cover=sparse.csr_array(core.cover[:, keep]), sites=core.sites[keep], rank=core.rank[keep])


def _drop_rows(core):
    """Drop each row that is served whenever some other row is."""
    size = np.diff(core.cover.indptr)
    if _comparisons(core.cover, sparse.csr_array(core.cover.T.tocsr())) > COMPARED:
        return core
    shared = (core.cover @ core.cover.T).tocoo()
    i, k = shared.coords
    inside = (shared.data == size[i]) & (core.need[i] >= core.need[k])  # row i's sites all serve row k
    inside &= (size[i] < size[k]) | (core.need[i] > core.need[k])  # equal rows are merged
    gone = np.zeros(len(size), dtype=bool)
    gone[k[inside]] = True
    keep = np.flatnonzero(~gone)
    return replace(core, cover=sparse.csr_array(core.cover[keep]), weights=core.weights[keep], need=core.need[keep])


def _comparisons(sets, members):
    """Return the steps of comparing each set with all that share a member; ``members`` is the transpose."""
    return int(np.diff(members.indptr)[sets.indices].sum())


def _contained(sets, rank):
    """Return of each row of a 0/1 CSR if its set lies within another's; of equal ones the lowest rank does not."""
    size = np.diff(sets.indptr)
    shared = (sets @ sets.T).tocoo()
    i, k = shared.coords
    inside = (shared.data == size[i]) & (i != k) & ((size[i] < size[k]) | (rank[i] > rank[k]))
    gone = np.zeros(len(size), dtype=bool)
    gone[i[inside]] = True
    return gone


def settled(problem, chosen):
    """Return ``chosen`` (positions) with each free site given up for a better-ranked one, where nobody loses by it.

    A site gives way to the site of lowest rank that serves everyone who cannot spare it, the worst rank first, until
    none can. So an equally good plan stands in towns rather than in nameless cells, and no two runs differ.
    """
    pattern, by_site = problem.pattern, sparse.csr_array(problem.pattern.T.tocsr())
    chosen, fixed = set(map(int, chosen)), set(map(int, problem.fixed))
    allowed = np.ones(pattern.shape[1], dtype=bool)
    allowed[problem.forbidden] = False
    times = by_site[sorted(chosen)].sum(axis=0)
    changed = True
    while changed:
        changed = False
        for site in sorted(chosen - fixed, key=lambda j: -problem.rank[j]):
            served = _row(by_site, site)
            alone = served[times[served] <= problem.needs[served]]
            near = np.concatenate([_row(pattern, i) for i in alone]) if len(alone) else np.zeros(0, dtype=int)
            able = allowed & (np.bincount(near, minlength=len(allowed)) == len(alone))
            able[list(chosen)] = False
            able &= problem.rank < problem.rank[site]
            if able.any():
                better = min(map(int, np.flatnonzero(able)), key=lambda j: problem.rank[j])
                chosen = chosen - {site} | {better}
                times[served] -= 1
                times[_row(by_site, better)] += 1
                changed = True
    return sorted(chosen)


def _row(matrix, i):
    """Return the columns stored in row ``i`` of a CSR array."""
    return matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]]


def greedy_cover(core, limit=None, begin=()):
    """Return column positions of ``core``: the site serving most unserved weight, again and again.

    Ties go to the lowest rank. Stops when nobody is left to serve, or after ``limit`` sites, those of ``begin``, which
    are taken first, counted. A plan to start from, never the answer.
    """
    by_site = sparse.csr_array(core.cover.T.tocsr())
    left, need = core.weights.copy(), core.need.copy()
    left[need == 0] = 0
    free = np.ones(len(core.sites), dtype=bool)
    chosen, given = [], list(begin)[::-1]
    while left.any() and (limit is None or len(chosen) < limit):
        if given:
            best = given.pop()
        else:
            gain = np.where(free, by_site @ left, 0)
            best = np.lexsort((core.rank, -gain))[0]
            if gain[best] == 0:
                break
        chosen.append(int(best))
        free[best] = False
        served = _row(by_site, best)
        need[served] -= 1
        left[served[need[served] == 0]] = 0
    return chosen


def without_needless(core, chosen):
    """Return ``chosen`` without the sites that everybody they serve can spare, lowest weight first."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    times = -core.need
    rows = {j: _row(by_site, j) for j in chosen}
    for j in chosen:
        times[rows[j]] += 1
    kept = list(chosen)
    for j in sorted(chosen, key=lambda j: (core.weights[rows[j]].sum(), -core.rank[j])):
        if (times[rows[j]] > 0).all():
            times[rows[j]] -= 1
            kept.remove(j)
    return kept
