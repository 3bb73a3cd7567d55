"""Optima by trying every set of sites: right by inspection, for at most twelve sites.

Answers are ``(value, sites)`` with sites the positions of the open columns in ascending order; among equally good sets
the one that comes first in lexicographic order. ``None`` where no set serves. ``fixed`` columns are open in every set
tried and count towards ``p``.
"""

from itertools import combinations

import numpy as np

MOST_SITES = 12


def lscp_brute(cover, fixed=()):
    """Return the fewest sites that cover every row of ``cover`` (bool, demand x site)."""
    cover = _checked(cover)
    for count in range(len(set(fixed)), cover.shape[1] + 1):
        for sites in _sets(cover.shape[1], count, fixed):
            if cover[:, list(sites)].any(axis=1).all():
                return count, sites
    return None


def mclp_brute(cover, weights, p, fixed=()):
    """Return the greatest weight that ``p`` sites cover."""
    cover, weights = _checked(cover), np.asarray(weights)
    return _best((weights[cover[:, list(sites)].any(axis=1)].sum(), sites) for sites in _sets(cover.shape[1], p, fixed))


def pmedian_brute(cost, weights, p, fixed=()):
    """Return the least sum of weight x cost to the nearest of ``p`` sites; ``np.inf`` marks no way through."""
    cost, weights = _checked(cost), np.asarray(weights)
    best = _best(
        (-(weights * cost[:, list(sites)].min(axis=1)).sum(), sites) for sites in _sets(cost.shape[1], p, fixed)
    )
    return None if best is None or np.isinf(best[0]) else (-best[0], best[1])


def _sets(count, p, fixed):
    return (sites for sites in combinations(range(count), p) if set(fixed) <= set(sites)) if p > 0 else iter(())


def _best(tried):
    best = None
    for value, sites in tried:
        if best is None or value > best[0]:
            best = value, sites
    return best


def _checked(matrix):
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[1] > MOST_SITES:
        raise ValueError(f"enumeration is for demand x site arrays of at most {MOST_SITES} sites, not {matrix.shape}")
    return matrix
