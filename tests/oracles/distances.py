"""Distances on the ellipsoid, straight from longitude and latitude, without any projection."""

import numpy as np
from pyproj import Geod

ELLIPSOID = Geod(ellps="GRS80")


def geodesic_metres(from_lon, from_lat, to_lon, to_lat):
    """Return metres (float, from x to) between every pair of two lists of points in degrees."""
    from_lon, from_lat, to_lon, to_lat = (
        np.asarray(values, dtype=float) for values in (from_lon, from_lat, to_lon, to_lat)
    )
    rows, columns = np.indices((len(from_lon), len(to_lon)))
    return ELLIPSOID.inv(from_lon[rows], from_lat[rows], to_lon[columns], to_lat[columns])[2]


def metres_between(from_lon, from_lat, to_lon, to_lat):
    """Return metres (float) between two lists of points, pair by pair."""
    return ELLIPSOID.inv(*(np.asarray(values, dtype=float) for values in (from_lon, from_lat, to_lon, to_lat)))[2]
