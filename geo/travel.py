"""Distances between demand points and sites: sparse, whole metres, and the one rule of what 'covered' means."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

PAIRED_AT_ONCE = 200_000  # demand points: a search among millions at once would hold every pair three times in memory
NONE = np.zeros(0, dtype=np.int32)


def whole_metres(dx, dy, detour_factor=1.0):
    """Return straight-line metres times ``detour_factor``, rounded half up to whole metres."""
    return np.floor(np.hypot(dx, dy) * detour_factor + 0.5).astype(np.int64)


def is_covered(metres, standard_metres):
    """The rule, for the whole product: a demand point is covered when its distance is at most the standard."""
    return metres <= standard_metres


def standard_metres(demand, urban_km, rural_km):
    """Return the standard of each demand point in whole metres: urban and rural have their own."""
    return np.where(demand["setting"].eq("urban"), round(urban_km * 1000), round(rural_km * 1000)).astype(np.int64)


def arcs_within(demand, sites, standard_metres, detour_factor=1.0):
    """Return every demand-site pair within the standard.

    demand           DataFrame with whole-metre columns x, y; n rows
    sites            DataFrame with whole-metre columns x, y; m rows
    standard_metres  one number, or n numbers (one a demand point)
    Returns a scipy CSR array, n x m, of whole metres; absent = beyond the standard; a pair at 0 m is a stored 0.
    """
    standard = np.broadcast_to(np.asarray(standard_metres, dtype=np.int64), len(demand))
    demand_xy, site_xy = _xy(demand), _xy(sites)
    found = []
    tree = cKDTree(site_xy)
    for limit in np.unique(standard):
        chosen = np.flatnonzero(standard == limit)
        for first in range(0, len(chosen), PAIRED_AT_ONCE):
            some = chosen[first : first + PAIRED_AT_ONCE]
            # One metre more than the standard, so that rounding never hides a pair; the rule below decides.
            pairs = cKDTree(demand_xy[some]).sparse_distance_matrix(
                tree, (limit + 1) / detour_factor, output_type="ndarray"
            )
            i, j = some[pairs["i"]].astype(np.int32), pairs["j"].astype(np.int32)
            d = whole_metres(*(demand_xy[i] - site_xy[j]).T, detour_factor)
            keep = is_covered(d, limit)
            found.append((i[keep], j[keep], d[keep]))
    i, j, d = (np.concatenate(each) for each in zip(*found, strict=True)) if found else (NONE, NONE, NONE)
    arcs = sparse.csr_array((d.astype(np.int64), (i, j)), shape=(len(demand), len(sites)))
    arcs.sort_indices()
    return arcs


def nearest(demand, sites, detour_factor=1.0):
    """Return (metres, position) of each demand point's nearest site.

    Of equally near ones it is the first in the order of ``sites``. Both are whole-number arrays on the rows of
    ``demand``. Raises ValueError when there is no site.
    """
    if not len(sites):
        raise ValueError("no site to be near to: give at least one")
    demand_xy, site_xy = _xy(demand), _xy(sites)
    tree = cKDTree(site_xy)
    several = min(8, len(sites))
    while True:
        _, position = tree.query(demand_xy, k=several)
        position = np.asarray(position).reshape(len(demand_xy), several)
        metres = whole_metres(
            demand_xy[:, None, 0] - site_xy[position, 0], demand_xy[:, None, 1] - site_xy[position, 1], detour_factor
        )
        best = metres.min(axis=1)
        if several == len(sites) or (metres[:, -1] > best).all():
            first = np.where(metres == best[:, None], position, len(sites)).min(axis=1)
            return best, first
        several = min(4 * several, len(sites))  # so many are equally near that the first may be yet to come


def distances(origins, destinations, detour_factor=1.0):
    """Return all distances between two short tables with columns x, y: whole metres, origins x destinations."""
    a, b = _xy(origins), _xy(destinations)
    return whole_metres(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1], detour_factor)


def _xy(frame):
    return frame[["x", "y"]].to_numpy(dtype=np.int64)
