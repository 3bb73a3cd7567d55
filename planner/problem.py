"""CoverProblem: who needs a site, which sites would do, which are held or shut. No geometry, no solver.

Before a model sees it a problem is made small without changing its answer: people who are served by held sites leave,
demand points with the same choice of sites become one row, rows and sites that another row or site makes needless go.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class CoverProblem:
    """A covering problem on n demand points and m candidate sites.

    persons    n whole numbers, a_i
    arcs       scipy CSR array, n x m; an entry, the metres, is stored where the site is within the standard
    fixed      positions of sites that are held open
    forbidden  positions of sites where nothing may stand
    rank       m whole numbers: of equally good sites the lowest rank is taken; no two are equal
    """

    persons: np.ndarray
    arcs: sparse.csr_array
    fixed: np.ndarray
    forbidden: np.ndarray
    rank: np.ndarray

    @property
    def pattern(self):
        """Return arcs as 0/1 (CSR), without the columns of forbidden sites' entries."""
        ones = sparse.csr_array(
            (np.ones(self.arcs.nnz, dtype=np.int32), self.arcs.indices, self.arcs.indptr), shape=self.arcs.shape
        )
        allowed = np.ones(self.arcs.shape[1], dtype=np.int32)
        allowed[self.forbidden] = 0
        pattern = ones.multiply(allowed[None, :]).tocsr()
        pattern.eliminate_zeros()
        return sparse.csr_array(pattern)

    def reachable(self):
        """Return n booleans: at least one allowed site is within the standard."""
        return np.diff(self.pattern.indptr) > 0

    def covered_by(self, sites):
        """Return n booleans: some site of ``sites`` (positions) is within the standard."""
        chosen = np.zeros(self.arcs.shape[1], dtype=np.int32)
        chosen[np.asarray(sites, dtype=int)] = 1
        return np.asarray(self.pattern @ chosen) > 0


@dataclass(frozen=True)
class Reduced:
    """What is left: ``cover`` (rows x sites, CSR of 1), ``weights`` of rows, ``sites`` and ``rank`` of columns."""

    cover: sparse.csr_array
    weights: np.ndarray
    sites: np.ndarray
    rank: np.ndarray


def reduce_problem(problem, *, every_row):
    """Return the :class:`Reduced` core of ``problem``: rows no fixed site serves, and free sites that could serve them.

    every_row=True (LSCP): each row must be served, so a row whose choices include all choices of another is implied
    by it and goes. every_row=False (MCLP): rows keep their weights and only merge when their choices are the same. A
    site goes when another serves at least the same rows; of two equal ones the lower rank stays.
    """
    pattern = problem.pattern
    open_rows = ~problem.covered_by(problem.fixed) & problem.reachable()
    free = np.ones(pattern.shape[1], dtype=bool)
    free[problem.fixed] = False
    sites = np.flatnonzero(free)
    cover = sparse.csr_array(pattern[np.flatnonzero(open_rows)][:, sites])
    core = Reduced(cover, problem.persons[open_rows].astype(np.int64), sites, problem.rank[sites])
    before = None
    while before != core.cover.shape:
        before = core.cover.shape
        core = _merge_rows(core)
        core = _drop_sites(core)
        if every_row:
            core = _drop_rows(_merge_rows(core))  # merged first, so that of equal rows none loses its weight
    return core


def narrowed(core, columns):
    """Return ``core`` with some of its sites alone: the rows they serve, merged where they serve the same."""
    columns = np.sort(columns)
    cover = sparse.csr_array(core.cover[:, columns])
    rows = np.flatnonzero(np.diff(cover.indptr))
    return _merge_rows(
        Reduced(sparse.csr_array(cover[rows]), core.weights[rows], core.sites[columns], core.rank[columns])
    )


def _merge_rows(core):
    """Make one row of all rows with the same sites, weights added; sums of random 64-bit words tell sets apart."""
    if not core.cover.shape[0]:
        return core
    words = np.random.default_rng(20250101).integers(1, 2**62, size=(2, core.cover.shape[1]), dtype=np.int64)
    pattern = core.cover.astype(np.int64)
    keys = np.stack([pattern @ w for w in words], axis=1)  # wraps around 2**64 by design
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    weights = np.bincount(place[group.ravel()], weights=core.weights, minlength=len(first)).astype(np.int64)
    return replace(core, cover=sparse.csr_array(core.cover[first[order]]), weights=weights)


def _drop_sites(core):
    """Drop each site whose rows another site serves too."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    gone = _contained(by_site, core.rank) | (np.diff(by_site.indptr) == 0)
    keep = np.flatnonzero(~gone)
    return replace(core, cover=sparse.csr_array(core.cover[:, keep]), sites=core.sites[keep], rank=core.rank[keep])


def _drop_rows(core):
    """Drop each row that is served whenever some other row is."""
    size = np.diff(core.cover.indptr)
    shared = (core.cover @ core.cover.T).tocoo()
    i, k = shared.coords
    inside = (shared.data == size[i]) & (size[i] < size[k])  # row i's sites all serve row k; equal rows are merged
    gone = np.zeros(len(size), dtype=bool)
    gone[k[inside]] = True
    keep = np.flatnonzero(~gone)
    return replace(core, cover=sparse.csr_array(core.cover[keep]), weights=core.weights[keep])


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

    A site gives way to the site of lowest rank that serves everyone whom it alone serves, the worst rank first, until
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
            alone = served[times[served] == 1]
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


def greedy_cover(core, limit=None):
    """Return column positions of ``core``: the site serving most unserved weight, again and again.

    Ties go to the lowest rank. Stops when nobody is left to serve, or after ``limit`` sites. A plan to start from,
    never the answer.
    """
    by_site = sparse.csr_array(core.cover.T.tocsr())
    left = core.weights.astype(np.int64).copy()
    chosen = []
    while left.any() and (limit is None or len(chosen) < limit):
        gain = by_site @ left
        best = np.lexsort((core.rank, -gain))[0]
        if gain[best] == 0:
            break
        chosen.append(int(best))
        left[_row(by_site, best)] = 0
    return chosen


def without_needless(core, chosen):
    """Return ``chosen`` without the sites whose rows the others serve as well, lowest weight first."""
    by_site = sparse.csr_array(core.cover.T.tocsr())
    times = np.zeros(core.cover.shape[0], dtype=np.int64)
    rows = {j: _row(by_site, j) for j in chosen}
    for j in chosen:
        times[rows[j]] += 1
    kept = list(chosen)
    for j in sorted(chosen, key=lambda j: (core.weights[rows[j]].sum(), -core.rank[j])):
        if (times[rows[j]] > 1).all():
            times[rows[j]] -= 1
            kept.remove(j)
    return kept
