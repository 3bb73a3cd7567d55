"""Demand rows of a p-median problem as lists of sites, nearest first, and how they shrink once sites are decided."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from planner.engine.compiled import compiled

NO_WAY = 2**31 - 1


@dataclass(frozen=True)
class Lists:
    """What is left to decide: which ``choose`` of the free sites to open, for n rows.

    first    n + 1: row i's entries are first[i] : first[i + 1]
    site     column of each entry, nearest first (equally near: lower column first)
    dist     distance of each entry, int32 or float64
    weight   n, a_i
    cap      n, what the row costs at most whatever is opened: an open site's a_i d_ij, or the farthest entry of a
             truncated list, beyond which other sites lie; inf where there is no such thing
    sites    position of each column in the lists these were narrowed from
    choose   number of sites still to open
    constant cost of rows that no free site can better
    row      n, position of each row in the lists these were narrowed from
    """

    first: np.ndarray
    site: np.ndarray
    dist: np.ndarray
    weight: np.ndarray
    cap: np.ndarray
    sites: np.ndarray
    choose: int
    constant: float
    row: np.ndarray

    @property
    def rows(self):
        return len(self.weight)

    @property
    def columns(self):
        return len(self.sites)


def read_lists(cost, weights, rank, forbidden, truncated, hurry):
    """Return (:class:`Lists` with nothing chosen yet, sites): all rows in canonical order, equal ones merged.

    cost is dense (inf = no way) or scipy sparse (absent = no way, or ``truncated``: farther than the row's farthest).
    Columns are numbered by rank, ``sites`` tells their positions; rows are sorted by nearest site and contents, so
    that the order in which they came cannot matter. When ``hurry()`` somebody waits, and they stay as they came.
    """
    m = cost.shape[1]
    order = np.argsort(rank, kind="stable")
    allowed = np.ones(m, dtype=bool)
    allowed[np.asarray(forbidden, dtype=np.int64)] = False
    sites = order[allowed[order]]
    column = np.full(m, -1, dtype=np.int32)
    column[sites] = np.arange(len(sites), dtype=np.int32)
    if sparse.issparse(cost):
        matrix = sparse.csr_array(cost)
        data = _whole(matrix.data)
        first, site, dist, far = _sorted_rows(matrix.indptr.astype(np.int64), matrix.indices, data, column)
        if truncated:
            far[np.diff(matrix.indptr) == m] = np.inf  # nothing was cut off
    else:
        first, site, dist = _sorted_dense(np.asarray(cost), column)
        far = np.empty(len(cost))
    if not truncated or not sparse.issparse(cost):
        far[:] = np.inf
    weight = np.asarray(weights, dtype=np.float64)
    if not hurry():
        first, site, dist, weight, far = _in_order(first, site, dist, weight, far, m)
    cap = np.where(np.isinf(far), np.inf, weight * np.where(np.isinf(far), 0.0, far))
    columns = np.arange(len(sites), dtype=np.int64)
    return Lists(first, site, dist, weight, cap, columns, 0, 0.0, np.arange(len(weight))), sites


def _in_order(first, site, dist, weight, far, m):
    """Return the rows in canonical order, equal ones merged."""
    keys = _row_keys(first, site, dist)
    nearest = np.full(len(weight), m, dtype=np.int32)
    some = np.flatnonzero(np.diff(first))
    nearest[some] = site[first[some]]
    by = np.lexsort((weight, far, keys, nearest))
    start = _first_of_same(first, site, dist, far, keys, by)
    heads = by[start]
    weight = np.bincount(np.cumsum(start) - 1, weights=weight[by], minlength=len(heads))
    first, site, dist = _gathered(first, site, dist, heads)
    return first, site, dist, weight, far[heads]


def _whole(values):
    """Return distances as int32 where they are whole and small enough, else as float64; inf marks no way."""
    if values.dtype.kind != "f":
        return values.astype(np.int32 if values.max(initial=0) < NO_WAY else np.float64, copy=False)
    if np.isfinite(values).all() and values.max(initial=0) < NO_WAY and (values == np.rint(values)).all():
        return values.astype(np.int32)
    return values.astype(np.float64, copy=False)


@compiled
def _sorted_rows(indptr, indices, data, column):
    n = len(indptr) - 1
    first = np.zeros(n + 1, np.int64)
    far = np.zeros(n, np.float64)
    for i in range(n):
        kept = 0
        for e in range(indptr[i], indptr[i + 1]):
            if data[e] > far[i] and data[e] < np.inf:
                far[i] = data[e]
            if column[indices[e]] >= 0 and data[e] < np.inf:
                kept += 1
        first[i + 1] = first[i] + kept
    site = np.empty(first[n], np.int32)
    dist = np.empty(first[n], data.dtype)
    for i in range(n):
        at = first[i]
        sorted_so_far = True
        for e in range(indptr[i], indptr[i + 1]):
            j = column[indices[e]]
            if j >= 0 and data[e] < np.inf:
                site[at] = j
                dist[at] = data[e]
                if at > first[i] and (
                    dist[at] < dist[at - 1] or (dist[at] == dist[at - 1] and site[at] < site[at - 1])
                ):
                    sorted_so_far = False
                at += 1
        if not sorted_so_far:
            by_site = np.argsort(site[first[i] : at])
            near = dist[first[i] : at][by_site]
            by = by_site[np.argsort(near, kind="mergesort")]
            site[first[i] : at] = site[first[i] : at][by]
            dist[first[i] : at] = dist[first[i] : at][by]
    return first, site, dist, far


def _sorted_dense(cost, column):
    by_column = np.argsort(np.where(column < 0, len(column), column), kind="stable")[: int((column >= 0).sum())]
    allowed = cost[:, by_column]
    finite = None
    if allowed.dtype.kind == "f":
        finite = np.isfinite(allowed)
        ways = _whole(allowed[finite])
        if ways.dtype == np.int32:
            allowed = np.full(allowed.shape, NO_WAY, dtype=np.int32)
            allowed[finite] = ways
    else:
        allowed = _whole(allowed)
    if allowed.dtype == np.int32:  # distance and column in one word: sorting words is many times faster than places
        words = (allowed.astype(np.int64) << 32) | np.arange(len(by_column))
        words.sort(axis=1)
        by, dist = words.astype(np.int32), (words >> 32).astype(np.int32)
    else:
        by = np.argsort(allowed, axis=1, kind="stable").astype(np.int32)
        dist = np.take_along_axis(allowed, by, axis=1)
    n, k = by.shape
    first = np.arange(n + 1, dtype=np.int64) * k
    if finite is None or finite.all():
        return first, by.ravel(), dist.ravel()
    first[1:] = np.cumsum(finite.sum(axis=1))
    kept = np.arange(k) < finite.sum(axis=1)[:, None]  # no way sorts last
    return first, by[kept], dist[kept]


@compiled
def _row_keys(first, site, dist):
    n = len(first) - 1
    keys = np.zeros(n, np.uint64)
    for i in range(n):
        h = np.uint64(1469598103934665603)
        for e in range(first[i], first[i + 1]):
            h = (h ^ np.uint64(site[e])) * np.uint64(1099511628211)
            h = (h ^ np.uint64(np.int64(dist[e] * 1024))) * np.uint64(1099511628211)
            h ^= h >> np.uint64(29)
        keys[i] = h
    return keys


@compiled
def _first_of_same(first, site, dist, far, keys, by):
    """Return of rows in the order ``by`` which differ from the one before."""
    new = np.ones(len(by), np.bool_)
    for k in range(1, len(by)):
        a, b = by[k - 1], by[k]
        length = first[a + 1] - first[a]
        if keys[a] != keys[b] or first[b + 1] - first[b] != length or far[a] != far[b]:
            continue
        same = True
        for e in range(length):
            if site[first[a] + e] != site[first[b] + e] or dist[first[a] + e] != dist[first[b] + e]:
                same = False
                break
        new[k] = not same
    return new


@compiled
def _gathered(first, site, dist, rows):
    start = np.zeros(len(rows) + 1, np.int64)
    for k in range(len(rows)):
        start[k + 1] = start[k] + first[rows[k] + 1] - first[rows[k]]
    to_site = np.empty(start[-1], site.dtype)
    to_dist = np.empty(start[-1], dist.dtype)
    for k in range(len(rows)):
        for e in range(start[k + 1] - start[k]):
            to_site[start[k] + e] = site[first[rows[k]] + e]
            to_dist[start[k] + e] = dist[first[rows[k]] + e]
    return start, to_site, to_dist


def narrowed(lists, verdict, reach=None):
    """Return ``lists`` after some of its columns are decided: verdict 1 = opened, -1 = shut, 0 = free still.

    A row ends before its nearest open site, which caps it; rows without a free site left become constant cost.
    reach   n costs: from these on no row is served in any plan worth finding, so its list ends there
    Returns None where a row would be left with no way at all.
    """
    free = np.flatnonzero(verdict == 0)
    column = np.full(lists.columns, -1, dtype=np.int32)
    column[free] = np.arange(len(free), dtype=np.int32)
    reach = np.full(lists.rows, np.inf) if reach is None else reach
    first, cap, keep, constant = _count_left(
        lists.first, lists.site, lists.dist, lists.weight, lists.cap, verdict, reach
    )
    if constant == np.inf:
        return None
    rows = np.flatnonzero(keep)
    site, dist = _fill_left(lists.first, lists.site, lists.dist, rows, first, verdict, column)
    return Lists(
        first,
        site,
        dist,
        lists.weight[rows],
        cap[rows],
        lists.sites[free],
        lists.choose - int((verdict == 1).sum()),
        lists.constant + constant,
        lists.row[rows],
    )


@compiled
def _count_left(first, site, dist, weight, cap, verdict, reach):
    n = len(weight)
    start = np.zeros(n + 1, np.int64)
    left_cap = cap.copy()
    keep = np.zeros(n, np.bool_)
    kept = 0
    constant = 0.0
    for i in range(n):
        free = 0
        for e in range(first[i], first[i + 1]):
            c = weight[i] * dist[e]
            if c >= left_cap[i] or c >= reach[i]:
                break
            v = verdict[site[e]]
            if v == 1:
                left_cap[i] = c
                break
            if v == 0:
                free += 1
        if left_cap[i] >= reach[i]:
            left_cap[i] = np.inf
        if free:
            keep[i] = True
            start[kept + 1] = start[kept] + free
            kept += 1
        else:
            constant += left_cap[i]
    return start[: kept + 1].copy(), left_cap, keep, constant


@compiled
def _fill_left(first, site, dist, rows, start, verdict, column):
    to_site = np.empty(start[-1], np.int32)
    to_dist = np.empty(start[-1], dist.dtype)
    for k in range(len(rows)):
        e = first[rows[k]]
        at = start[k]
        while at < start[k + 1]:
            if verdict[site[e]] == 0:
                to_site[at] = column[site[e]]
                to_dist[at] = dist[e]
                at += 1
            e += 1
    return to_site, to_dist


@compiled
def rows_of_columns(first, site, m):
    """Return (start, rows): which rows list column j, rows[start[j] : start[j + 1]]."""
    start = np.zeros(m + 1, np.int64)
    for e in range(len(site)):
        start[site[e] + 1] += 1
    for j in range(m):
        start[j + 1] += start[j]
    at = start[:m].copy()
    rows = np.empty(len(site), np.int32)
    for i in range(len(first) - 1):
        for e in range(first[i], first[i + 1]):
            rows[at[site[e]]] = i
            at[site[e]] += 1
    return start, rows
