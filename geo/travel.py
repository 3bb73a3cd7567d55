"""Distances between demand points and sites: sparse, whole metres, and the one rule of what 'covered' means.

Straight lines are the shortest ways on the ellipsoid (GRS80, that of CGCS2000) between points that have degrees,
columns lon and lat. Points that have columns x and y alone are on a plane. Whole metres are rounded up: a distance is
at most a standard of whole metres exactly when its whole metres are.
"""

import numpy as np
import pandas as pd
from pyproj import Geod
from scipy import sparse
from scipy.spatial import cKDTree

ELLIPSOID = Geod(ellps="GRS80")
PAIRED_AT_ONCE = 200_000  # demand points: a search among millions at once would hold every pair three times in memory
NONE = np.zeros(0, dtype=np.int32)
UNREACHED = np.iinfo(np.int64).max  # metres or seconds to where no way leads
NEARLY = 1e-6  # metres: what the arithmetic of a distance may be off; 5,000.0000003 m are 5,000 m
CLOSE_METRES = 0.001  # a short distance that is as near as this to a whole metre is worked out to the end
SHORT_METRES = 64_000  # up to here the quick formula is good to a thousandth of a millimetre


def whole_metres(metres, detour_factor=1.0):
    """Return metres times ``detour_factor``, rounded up to whole metres."""
    return np.ceil(np.asarray(metres) * detour_factor - NEARLY).astype(np.int64)


def is_covered(metres, standard_metres):
    """The rule, for the whole product: a demand point is covered when its distance is at most the standard."""
    return metres <= standard_metres


def standard_metres(demand, urban_km, rural_km):
    """Return the standard of each demand point in whole metres: urban and rural have their own."""
    return np.where(demand["setting"].eq("urban"), round(urban_km * 1000), round(rural_km * 1000)).astype(np.int64)


def arcs_within(demand, sites, standard_metres, detour_factor=1.0):
    """Return every demand-site pair within the standard.

    demand           DataFrame with columns lon, lat (degrees), or x, y (metres) on a plane; n rows
    sites            DataFrame with the same; m rows
    standard_metres  one number, or n numbers (one a demand point)
    Returns a scipy CSR array, n x m, of whole metres; absent = beyond the standard; a pair at 0 m is a stored 0.
    """
    standard = np.broadcast_to(np.asarray(standard_metres, dtype=np.int64), len(demand))
    lines = _Lines(demand, sites, detour_factor)
    found = []
    for limit in np.unique(standard):
        chosen = np.flatnonzero(standard == limit)
        for first in range(0, len(chosen), PAIRED_AT_ONCE):
            i, j = lines.within(chosen[first : first + PAIRED_AT_ONCE], limit)
            d = lines.metres(i, j)
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
    lines = _Lines(demand, sites, detour_factor)
    metres, position = np.empty(len(demand), dtype=np.int64), np.empty(len(demand), dtype=np.int64)
    left, several = np.arange(len(demand)), min(4, len(sites))
    while len(left):
        # So many neighbours that those left out are surely farther than the best: chords grow with the way.
        near, beyond = lines.neighbours(left, several)
        d = lines.metres(np.repeat(left, several), near.ravel()).reshape(near.shape)
        best = d.min(axis=1)
        metres[left], position[left] = best, np.where(d == best[:, None], near, len(sites)).min(axis=1)
        left = left[beyond <= best] if several < len(sites) else left[:0]
        several = min(4 * several, len(sites))
    return metres, position


def distances(origins, destinations, detour_factor=1.0):
    """Return all distances between two short tables of points: whole metres, origins x destinations."""
    i, j = np.divmod(np.arange(len(origins) * len(destinations)), max(len(destinations), 1))
    lines = _Lines(origins, destinations, detour_factor)
    return lines.metres(i, j).reshape(len(origins), len(destinations))


def seat_points(counties):
    """Return the seats of ``counties`` as a table of points on its index: those of lon, lat, x, y that it knows."""
    known = [column for column in ("lon", "lat", "x", "y") if f"seat_{column}" in counties]
    return pd.DataFrame({column: counties[f"seat_{column}"].to_numpy() for column in known}, index=counties.index)


class _Lines:
    """Straight lines between the rows of two tables, on the ellipsoid where both have degrees, else on a plane."""

    def __init__(self, origins, destinations, detour_factor):
        self.detour_factor = detour_factor
        self.on_ellipsoid = all({"lon", "lat"} <= set(frame) for frame in (origins, destinations))
        columns = ["lon", "lat"] if self.on_ellipsoid else ["x", "y"]
        self._ends = [frame[columns].to_numpy(dtype=float) for frame in (origins, destinations)]
        self._points = [_in_space(ends) if self.on_ellipsoid else ends for ends in self._ends]
        self._tree = cKDTree(self._points[1])

    def within(self, rows, limit):
        """Return (i, j) of the pairs of ``rows`` and destinations that may be within ``limit`` whole metres."""
        # A chord is never longer than its way: none is missed; a millimetre for rounding.
        pairs = cKDTree(self._points[0][rows]).sparse_distance_matrix(
            self._tree, limit / self.detour_factor + CLOSE_METRES, output_type="ndarray"
        )
        return rows[pairs["i"]].astype(np.int32), pairs["j"].astype(np.int32)

    def neighbours(self, rows, several):
        """Return (j, beyond): ``several`` destinations with the shortest chords; all others are at least so far."""
        chord, j = self._tree.query(self._points[0][rows], k=several)
        chord, j = (np.asarray(each).reshape(len(rows), several) for each in (chord, j))
        return j, whole_metres(chord[:, -1], self.detour_factor)

    def metres(self, i, j):
        """Return whole metres between the origins ``i`` and the destinations ``j``, pair by pair."""
        chord = np.sqrt(((self._points[0][i] - self._points[1][j]) ** 2).sum(axis=1))
        if not self.on_ellipsoid:
            return whole_metres(chord, self.detour_factor)
        from_lon, from_lat = self._ends[0][i].T
        to_lon, to_lat = self._ends[1][j].T
        metres = _along(chord, from_lon, from_lat, to_lon, to_lat)
        times = metres * self.detour_factor
        unsure = np.flatnonzero((np.abs(times - np.rint(times)) < CLOSE_METRES) | (metres > SHORT_METRES))
        if len(unsure):
            metres[unsure] = ELLIPSOID.inv(from_lon[unsure], from_lat[unsure], to_lon[unsure], to_lat[unsure])[2]
        return whole_metres(metres, self.detour_factor)


def _in_space(degrees):
    """Return x, y, z in metres from the middle of the ellipsoid for lon, lat."""
    lon, lat = np.radians(degrees).T
    normal = ELLIPSOID.a / np.sqrt(1 - ELLIPSOID.es * np.sin(lat) ** 2)
    return np.column_stack(
        [
            normal * np.cos(lat) * np.cos(lon),
            normal * np.cos(lat) * np.sin(lon),
            normal * (1 - ELLIPSOID.es) * np.sin(lat),
        ]
    )


def _along(chord, from_lon, from_lat, to_lon, to_lat):
    """Return the way along the ellipsoid of chords: an arc with the radius of curvature in its direction (Euler)."""
    lat = np.radians((from_lat + to_lat) / 2)
    w = 1 - ELLIPSOID.es * np.sin(lat) ** 2
    across, along = ELLIPSOID.a / np.sqrt(w), ELLIPSOID.a * (1 - ELLIPSOID.es) / (w * np.sqrt(w))
    east, north = across * np.cos(lat) * np.radians(to_lon - from_lon), along * np.radians(to_lat - from_lat)
    square = east**2 + north**2
    round_ = np.full(len(chord), 1 / ELLIPSOID.a)  # any, where both ends are one point
    curvature = np.divide(east**2 / across + north**2 / along, square, out=round_, where=square > 0)
    return 2 / curvature * np.arcsin(np.minimum(chord * curvature / 2, 1))
