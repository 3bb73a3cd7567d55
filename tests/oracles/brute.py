"""Optima by trying every set of sites: right by inspection, for at most twelve sites.

Answers are ``(value, sites)`` with sites the positions of the open columns in ascending order; among equally good sets
the one that comes first in lexicographic order. ``None`` where no set serves. ``weights`` are the people of each row.

Wishes, the same for every model: ``fixed`` sites are open in every set tried and count towards ``p``, ``forbidden``
ones in none; of each tuple of ``exclusive`` at most one site is open; of each (sites, d) of ``avoid`` at least d are
not; ``price`` of the open sites sums to at most ``budget``. ``p=None`` is any number of sites. With ``capacity`` each
row goes whole to one open site and no site takes more people than it has room for: then every way to send rows to
sites is tried as well, for at most seven rows and five sites.
"""

from functools import lru_cache
from itertools import combinations, product

import numpy as np

MOST_SITES = 12
MOST_ROWS_SENT, MOST_SITES_SENT = 7, 5


def lscp_brute(cover, fixed=(), *, backup=1, weights=None, capacity=None, price=None, **wishes):
    """Return the fewest sites, or with ``price`` the cheapest, that give every row ``backup`` (one or n) sites."""
    cover = _checked(cover)
    plans = _plans(cover.shape[1], None, fixed, price=price, **wishes)
    serves = (plans @ cover.T.astype(int) >= np.asarray(backup)).all(axis=1)
    if capacity is not None:
        gain = np.where(cover, 0.0, -np.inf)
        serves &= _sent(plans, gain, weights, capacity, sum, whole=True) == 0
    cost = plans @ (np.ones(cover.shape[1], dtype=int) if price is None else np.asarray(price))
    return _best(-cost, serves, plans, -1)


def mclp_brute(cover, weights, p=None, fixed=(), *, capacity=None, **wishes):
    """Return the greatest weight that ``p`` sites cover."""
    cover, weights = _checked(cover), np.asarray(weights)
    plans = _plans(cover.shape[1], p, fixed, **wishes)
    if capacity is not None:
        gain = np.where(cover, weights[:, None], -np.inf)
        return _best(_sent(plans, gain, weights, capacity, sum, whole=False), True, plans)
    return _best((plans @ cover.T.astype(int) >= 1) @ weights, True, plans)


def gradual_brute(shares, weights, p=None, fixed=(), *, capacity=None, **wishes):
    """Return the greatest sum of weight x share of the best open site; 0 in ``shares`` is not served."""
    shares, weights = _checked(shares), np.asarray(weights)
    plans = _plans(shares.shape[1], p, fixed, **wishes)
    if capacity is not None:
        gain = np.where(shares > 0, weights[:, None] * shares, -np.inf)
        return _best(_sent(plans, gain, weights, capacity, sum, whole=False), True, plans)
    best = np.where(plans[:, None, :], shares[None], 0).max(axis=2, initial=0)
    return _best(best @ weights, True, plans)


def bclp_brute(cover, weights, p=None, fixed=(), **wishes):
    """Return the greatest weight that two of ``p`` sites cover, every row being covered by one."""
    cover, weights = _checked(cover), np.asarray(weights)
    plans = _plans(cover.shape[1], p, fixed, **wishes)
    times = plans @ cover.T.astype(int)
    return _best((times >= 2) @ weights, (times >= 1).all(axis=1), plans)


def double_standard_brute(near, far, weights, p, *, share, per_site=1, fixed=(), **wishes):
    """Return the greatest weight with two of ``p`` vehicles near; all have one far, ``share`` of the weight one near.

    Up to ``per_site`` vehicles stand at a site, which then is named as often; its price is paid once.
    """
    near, far, weights = _checked(near), _checked(far), np.asarray(weights)
    sites = near.shape[1]
    fleets = np.array([f for f in product(range(per_site, -1, -1), repeat=sites) if sum(f) == p], dtype=int)
    fleets = fleets.reshape(-1, sites)
    fleets = fleets[_kept(fleets > 0, fixed, **wishes)]
    times = fleets @ near.T.astype(int)
    serves = (fleets @ far.T.astype(int) >= 1).all(axis=1)
    serves &= (times >= 1) @ weights >= share * weights.sum() - 1e-9
    return _best((times >= 2) @ weights, serves, fleets)


def pmedian_brute(cost, weights, p=None, fixed=(), *, capacity=None, **wishes):
    """Return the least sum of weight x cost to the nearest of ``p`` sites; ``np.inf`` marks no way through."""
    cost, weights = _checked(cost), np.asarray(weights)
    plans = _plans(cost.shape[1], p, fixed, **wishes)
    walked = np.where(np.isfinite(cost), cost, 0) * weights[:, None]
    if capacity is not None:
        gain = np.where(np.isfinite(cost), -walked, -np.inf)
        value = _sent(plans, gain, weights, capacity, sum, whole=True)
        return _best(value, value > -np.inf, plans, -1)
    nearest = np.where(plans[:, None, :], cost[None], np.inf).min(axis=2, initial=np.inf)
    serves = np.isfinite(nearest).all(axis=1)
    return _best(-(np.where(np.isfinite(nearest), nearest, 0) @ weights), serves, plans, -1)


def pcenter_brute(cost, p=None, fixed=(), *, weights=None, capacity=None, **wishes):
    """Return the least largest cost to the nearest of ``p`` sites; ``np.inf`` marks no way through."""
    cost = _checked(cost)
    plans = _plans(cost.shape[1], p, fixed, **wishes)
    if capacity is not None:
        value = _sent(plans, -cost.astype(float), weights, capacity, lambda gains: np.min(gains, axis=0), whole=True)
    else:
        nearest = np.where(plans[:, None, :], cost[None], np.inf).min(axis=2, initial=np.inf)
        value = -nearest.max(axis=1, initial=0)
    return _best(value, value > -np.inf, plans, -1)


def k_best_brute(model, *args, k, differ=1, avoid=(), **wishes):
    """Return the best answer of ``model`` (a function above), then the best that leaves ``differ`` sites of each."""
    answers, shunned = [], list(avoid)
    while len(answers) < k:
        answer = model(*args, avoid=tuple(shunned), **wishes)
        if answer is None:
            break
        answers.append(answer)
        shunned.append((answer[1], differ))
    return answers


@lru_cache
def _subsets(count):
    """Every set of ``count`` sites as a row of booleans, in lexicographic order of the positions."""
    every = sorted(sites for size in range(count + 1) for sites in combinations(range(count), size))
    rows = np.zeros((len(every), count), dtype=bool)
    for row, sites in zip(rows, every, strict=True):
        row[list(sites)] = True
    return rows


def _plans(count, p, fixed, **wishes):
    plans = _subsets(count)
    if p is not None:
        plans = plans[plans.sum(axis=1) == p]
    return plans[_kept(plans, fixed, **wishes)]


def _kept(plans, fixed=(), *, forbidden=(), exclusive=(), avoid=(), price=None, budget=None):
    """Return which plans keep the wishes."""
    kept = plans[:, list(fixed)].all(axis=1) & ~plans[:, list(forbidden)].any(axis=1)
    for sites in exclusive:
        kept &= plans[:, list(sites)].sum(axis=1) <= 1
    for sites, unused in avoid:
        kept &= (~plans[:, list(sites)]).sum(axis=1) >= unused
    if budget is not None:
        kept &= plans @ np.asarray(price) <= budget + 1e-9
    return kept


@lru_cache
def _ways(rows, sites):
    """Every way to send ``rows`` rows each to one of ``sites`` sites, or to none (the last number), one a column."""
    return np.array(list(product(range(sites + 1), repeat=rows)), dtype=np.int8).reshape(-1, rows).T


def _sent(plans, gain, weights, capacity, together, *, whole):
    """Return of each plan the most that ``gain`` (rows x sites, -inf where barred) makes ``together``, within room.

    ``whole``: every row is sent somewhere; otherwise a row may stay at home and gain nothing.
    """
    rows, sites = gain.shape
    if rows > MOST_ROWS_SENT or sites > MOST_SITES_SENT:
        raise ValueError(f"at most {MOST_ROWS_SENT} rows can be sent to {MOST_SITES_SENT} sites, not {gain.shape}")
    if rows == 0:
        return np.zeros(len(plans))
    ways = _ways(rows, sites)
    gains = np.c_[gain, np.full(rows, -np.inf if whole else 0.0)]
    worth = together([gains[i][ways[i]] for i in range(rows)])
    used = np.zeros(ways.shape[1], dtype=int)
    for j in range(sites):
        here = ways == j
        worth = np.where(np.asarray(weights) @ here <= capacity[j], worth, -np.inf)
        used |= here.any(axis=0).astype(int) << j
    best_of = np.full(2**sites, -np.inf)
    np.maximum.at(best_of, used, worth)
    sets = plans @ (1 << np.arange(sites))
    inside = (np.arange(2**sites)[None, :] & ~sets[:, None]) == 0
    return np.where(inside, best_of[None, :], -np.inf).max(axis=1, initial=-np.inf)


def _best(value, serves, plans, sign=1):
    """Return (sign x the greatest value, its sites) among the plans that serve; the first of equals."""
    able = np.flatnonzero(np.broadcast_to(serves, len(plans)))
    if not len(able):
        return None
    first = able[np.argmax(value[able])]
    sites = np.repeat(np.arange(plans.shape[1]), plans[first].astype(int))
    return (sign * value[first]).item(), tuple(int(j) for j in sites)


def _checked(matrix):
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[1] > MOST_SITES:
        raise ValueError(f"enumeration is for demand x site arrays of at most {MOST_SITES} sites, not {matrix.shape}")
    return matrix
