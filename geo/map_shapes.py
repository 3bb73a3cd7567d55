"""Geometry made small for drawing: polygons as whole steps, room for names, unions of circles.

What is made of a polygon is kept with it: a page draws the same counties at every click of its planner.
"""

import threading
from collections import OrderedDict
from functools import cache

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer

from geo.region import GEOGRAPHIC

GRID = 1e-4  # degrees, about 10 m: the step of drawn coordinates; neighbours share rounded points, so no gap opens
QUADRANT = 16  # segments of a quarter circle: the drawn circle is at most 0.12 % inside the true one
KEPT = 4096  # polygons whose drawing is kept: a dozen provinces


class Kept:
    """What was made of geometries, found again by the very object (and ``more``); the oldest are forgotten."""

    def __init__(self, most=KEPT):
        self._most, self._made, self._lock = most, OrderedDict(), threading.Lock()

    def get(self, geometry, more=None):
        """Return what was made of ``geometry``, or None."""
        with self._lock:
            found = self._made.get((id(geometry), more))
        return found[1] if found and found[0] is geometry else None

    def put(self, geometry, made, more=None):
        """Keep and return ``made``; the geometry is held too, so that its id stays its own."""
        with self._lock:
            self._made[(id(geometry), more)] = (geometry, made)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made


_SHAPES, _ANCHORS, _GROUNDS, _UNIONS = Kept(), Kept(), Kept(64), Kept(256)


def shape(geometry):
    """Return polygons as [[outer ring, hole, ...], ...]; a ring is one list of steps x, y, x, y ... in GRID units.

    The list is kept and shared: it is not to be changed.
    """
    return _SHAPES.get(geometry) or _SHAPES.put(geometry, _shape(geometry))


def _shape(geometry):
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [
        [steps(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)]
        for part in parts
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def steps(coordinates):
    """Return degrees, an array of (lon, lat), as one list of differences in GRID units, without those of none."""
    points = np.rint(np.asarray(coordinates)[:, :2] / GRID).astype(np.int64)
    found = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    moved = np.any(found != 0, axis=1)
    return found[moved].ravel().tolist()


def anchors(frame, projection):
    """Return (lon, lat, metres) of the largest circle inside each polygon: where its name stands, with what room."""
    geometries = frame.geometry.to_numpy()
    unknown = [each for each in geometries if _ANCHORS.get(each, projection) is None]
    if unknown:
        flat = gpd.GeoSeries(unknown, crs=frame.crs).to_crs(projection).to_numpy()
        inner = shapely.maximum_inscribed_circle(flat, tolerance=200)
        middle = gpd.GeoSeries(shapely.get_point(inner, 0), crs=projection).to_crs(GEOGRAPHIC)
        metres = np.rint(shapely.length(inner)).astype(int).tolist()
        found = zip(middle.x.round(4).tolist(), middle.y.round(4).tolist(), metres, strict=True)
        for geometry, anchor in zip(unknown, found, strict=True):
            _ANCHORS.put(geometry, anchor, projection)
    return [_ANCHORS.get(each, projection) for each in geometries]


def ground_of(province, projection):
    """Return (the province as one geometry in degrees, the same in metres of ``projection``), kept."""
    geometries = province.geometry.to_numpy()
    more = (projection, len(geometries))
    found = _GROUNDS.get(geometries[0], more)
    if found is None:
        whole = shapely.union_all(geometries)
        flat = gpd.GeoSeries([whole], crs=province.crs).to_crs(projection).iloc[0]
        shapely.prepare(flat)
        found = _GROUNDS.put(geometries[0], (whole, flat), more)
    return found


def reach(view, projection, km):
    """Return the drawn union of the circles of ``km`` around all stations of a view, clipped to the province."""
    flat = ground_of(view.province, projection)[1]
    lon, lat = (np.asarray(view.stations[axis], dtype=float) for axis in ("lon", "lat"))
    forth, back = _ways(projection)
    circles = shapely.buffer(shapely.points(*forth.transform(lon, lat)), km * 1000, quad_segs=QUADRANT)
    inside = shapely.contains_properly(flat, circles)  # these need no clipping, and they are most
    clipped = shapely.intersection(shapely.union_all(circles[~inside]), flat)
    union = shapely.union_all([clipped, *circles[inside]])
    return _shape(shapely.transform(union, lambda points: np.column_stack(back.transform(*points.T))))


@cache
def _ways(projection):
    """Return the ways from degrees to metres of ``projection`` and back."""
    degrees, metres = CRS(GEOGRAPHIC), CRS(projection)
    forth, back = ((degrees, metres), (metres, degrees))
    return tuple(Transformer.from_crs(*ends, always_xy=True) for ends in (forth, back))


def catchments(view):
    """Return one drawn shape a centre: the union of the counties that go to it."""
    served = view.counties[view.counties["centre_city_code"].isin(view.centres["city_code"])]
    return [_union(group.geometry.to_numpy()) for _, group in served.groupby("centre_city_code")]


def _union(geometries):
    """Return the drawn union of geometries, kept with the first of them and the ids of all, which it holds."""
    more = tuple(map(id, geometries))
    found = _UNIONS.get(geometries[0], more)
    if found is None:
        found = _UNIONS.put(geometries[0], (_shape(shapely.union_all(geometries)), list(geometries)), more)
    return found[0]
