"""Lines of roads made into nodes and pieces between them: where roads meet, where gaps are closed, how long it is.

Every road is cut at places, each a distance along it: its ends, the vertices it shares with others, the points where
others cross it, the points that gaps are closed to, and in between often enough that no house on it is far from one.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer

from geo.region import GEOGRAPHIC
from geo.travel import ELLIPSOID, whole_metres

PLACE_METRES = 500  # a road that one may come onto anywhere has a node at least so often
TOUCH_METRES = 1  # an end so near to another road is on it, whatever its class
SAME_METRES = 0.01  # a crossing so near to a shared vertex is that vertex


@dataclass(frozen=True)
class Pieces:
    """Roads cut at their nodes.

    x, y             metres of each node, not rounded
    start, end       nodes of each piece
    metres, seconds  whole numbers; the pieces of one line add up to the line's own, rounded up
    line             the line a piece belongs to; of a closed gap the one whose end was open
    along, against   whether it may be driven from start to end, and from end to start
    joined           table of closed gaps: dict of arrays x, y, metres, line
    crossings        how many points of lines without a common vertex were taken as junctions
    dead_ends        how many ends of roads that lead somewhere stay open
    """

    x: np.ndarray
    y: np.ndarray
    start: np.ndarray
    end: np.ndarray
    metres: np.ndarray
    seconds: np.ndarray
    line: np.ndarray
    along: np.ndarray
    against: np.ndarray
    joined: dict
    crossings: int
    dead_ends: int


@dataclass(frozen=True)
class _Cuts:
    """Where lines are cut: line, metres along it, the place there."""

    line: np.ndarray
    along: np.ndarray
    place: np.ndarray

    def __add__(self, other):
        return _Cuts(*(np.concatenate([mine, its]) for mine, its in zip(self.columns, other.columns, strict=True)))

    @property
    def columns(self):
        return self.line, self.along, self.place

    def ordered(self):
        """Return the cuts line by line, in the order in which they come along it."""
        order = np.lexsort([self.place, self.along, self.line])
        return _Cuts(*(column[order] for column in self.columns))


class _Polylines:
    """Lines on the plane of a projection, measured along."""

    def __init__(self, lines, projection):
        self.first = lines.first
        self.count = len(lines.row)
        self.of_vertex = np.repeat(np.arange(self.count), np.diff(lines.first))
        transformer = Transformer.from_crs(GEOGRAPHIC, projection, always_xy=True)
        self.xy = np.column_stack(transformer.transform(lines.lon, lines.lat))
        inner = np.flatnonzero(self.of_vertex[1:] == self.of_vertex[:-1])
        step = np.zeros(len(self.xy))
        step[inner + 1] = np.hypot(*(self.xy[inner + 1] - self.xy[inner]).T)
        run = np.cumsum(step)
        self.along = run - np.repeat(run[lines.first[:-1]], np.diff(lines.first))
        self.total = self.along[lines.first[1:] - 1]
        ground = np.zeros(len(self.xy))
        ends = (lines.lon[inner], lines.lat[inner], lines.lon[inner + 1], lines.lat[inner + 1])
        ground[inner + 1] = ELLIPSOID.inv(*ends)[2]
        on_ground = np.bincount(self.of_vertex, weights=ground, minlength=self.count)
        # Metres on the ellipsoid a metre of the plane: of one line it is as good as the same all along.
        self.scale = np.divide(on_ground, self.total, out=np.ones(self.count), where=self.total > 0)
        self.shapes = shapely.linestrings(self.xy, indices=self.of_vertex) if self.count else np.zeros(0, dtype=object)

    def at(self, line, along):
        """Return x, y of points given by line and metres along it."""
        return shapely.get_coordinates(shapely.line_interpolate_point(self.shapes[line], along))


def noded(lines, speeds, projection, snap_metres):
    """Return the :class:`Pieces` of :class:`geo.road_files.Lines`.

    Lines that share vertices meet there. In a layer that is no network (``lines.shared`` false) lines that cross meet
    too, unless one is a bridge or a tunnel or they pass at different levels; and an open end of a road that leads
    somewhere (``through`` in the table of speeds) is joined to every such road within ``snap_metres``, by a straight
    piece of its own class.
    """
    roads = _Polylines(lines, projection)
    vertices, place = np.unique(lines.vertex, return_inverse=True)
    xy = np.zeros((len(vertices), 2))
    xy[place] = roads.xy
    cuts = _shared(lines, roads, place)
    gaps, crossings, joined, dead = _NO_GAPS, 0, _Cuts(*[np.zeros(0)] * 3), 0
    if not lines.shared:
        found = _crossings(lines, roads, xy[np.bincount(place, minlength=len(xy)) > 1])
        points, crossed = found
        cuts, xy, crossings = cuts + _numbered(crossed, len(xy)), np.concatenate([xy, points]), len(points)
        gaps, joined, dead = _gaps(lines, roads, cuts, xy, speeds, snap_metres)
        points = roads.at(joined.line, joined.along)
        cuts, xy = cuts + joined, np.concatenate([xy, points])
    enter = speeds.table["enter"].to_numpy()[lines.road]
    between = _between(cuts.ordered(), enter, len(xy))
    cuts, xy = (cuts + between).ordered(), np.concatenate([xy, roads.at(between.line, between.along)])
    return _pieces(lines, roads, cuts, xy, gaps, speeds, crossings, dead)


_NO_GAPS = {
    "start": np.zeros(0, dtype=np.int64),
    "end": np.zeros(0, dtype=np.int64),
    "line": np.zeros(0, dtype=np.int64),
}


def _numbered(cuts, first):
    return _Cuts(cuts.line, cuts.along, cuts.place + first)


def _shared(lines, roads, place):
    """Return the cuts at the ends of lines and at vertices that occur more than once."""
    cut = np.bincount(place)[place] > 1
    cut[lines.first[:-1]] = cut[lines.first[1:] - 1] = True
    return _Cuts(roads.of_vertex[cut], roads.along[cut], place[cut])


def _crossings(lines, roads, shared):
    """Return (points, cuts on both lines) where lines cross at no vertex of both; places numbered from 0."""
    a, b = shapely.STRtree(roads.shapes).query(roads.shapes, predicate="crosses")
    level = (a < b) & (lines.level[a] == lines.level[b]) & ~lines.raised[a] & ~lines.raised[b]
    a, b = a[level], b[level]
    points, pair = shapely.get_parts(shapely.intersection(roads.shapes[a], roads.shapes[b]), return_index=True)
    single = shapely.get_type_id(points) == shapely.GeometryType.POINT
    points, pair = points[single], pair[single]
    if len(shared) and len(points):
        _, away = shapely.STRtree(shapely.points(shared)).query_nearest(points, return_distance=True, all_matches=False)
        points, pair = points[away > SAME_METRES], pair[away > SAME_METRES]
    line = np.concatenate([a[pair], b[pair]])
    along = shapely.line_locate_point(roads.shapes[line], np.concatenate([points, points]))
    return shapely.get_coordinates(points), _Cuts(line, along, np.tile(np.arange(len(points)), 2))


def _gaps(lines, roads, cuts, xy, speeds, snap_metres):
    """Return (gaps, cuts, open): pieces that close gaps, the cuts they lead to, and how many ends stay open."""
    through = speeds.table["through"].to_numpy()[lines.road]
    at_end = (cuts.along <= 0) | (cuts.along >= roads.total[cuts.line])
    degree = np.bincount(cuts.place, weights=np.where(at_end, 1, 2), minlength=len(xy))
    open_ = np.flatnonzero(at_end & (degree[cuts.place] == 1))
    line, place = cuts.line[open_], cuts.place[open_]
    reach = np.where(through[line], max(snap_metres, TOUCH_METRES), TOUCH_METRES)
    points = shapely.points(xy[place])
    end, other = shapely.STRtree(roads.shapes).query(points, predicate="dwithin", distance=reach)
    away = shapely.distance(points[end], roads.shapes[other])
    fits = (other != line[end]) & (through[other] | (away <= TOUCH_METRES))
    end, other = end[fits], other[fits]
    along = shapely.line_locate_point(roads.shapes[other], points[end])
    joined = _Cuts(other, along, len(xy) + np.arange(len(end)))
    gaps = {"start": place[end], "end": joined.place, "line": line[end]}
    return gaps, joined, int(through[line].sum() - through[line][np.unique(end)].sum())


def _between(cuts, enter, first):
    """Return further cuts of the lines one may come onto anywhere, evenly between ``cuts``; places from ``first``."""
    inner = np.flatnonzero(cuts.line[1:] == cuts.line[:-1])
    inner = inner[enter[cuts.line[inner]]]
    gap = cuts.along[inner + 1] - cuts.along[inner]
    parts = np.maximum(np.ceil(gap / PLACE_METRES), 1).astype(np.int64)
    which = np.repeat(np.arange(len(inner)), parts - 1)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    along = cuts.along[inner[which]] + gap[which] * nth / parts[which]
    return _Cuts(cuts.line[inner[which]], along, first + np.arange(len(which)))


def _pieces(lines, roads, cuts, xy, gaps, speeds, crossings, dead):
    """Return the :class:`Pieces` between consecutive cuts of each line, and those that close gaps."""
    inner = np.flatnonzero(cuts.line[1:] == cuts.line[:-1])
    line = cuts.line[inner]
    a_second = speeds.km_h(lines.road, lines.maxspeed) / 3.6
    metres, seconds = (_steps(cuts.along * roads.scale[cuts.line] / unit, inner) for unit in (1, a_second[cuts.line]))
    across = np.hypot(*(xy[gaps["start"]] - xy[gaps["end"]]).T)
    return Pieces(
        x=xy[:, 0],
        y=xy[:, 1],
        start=np.concatenate([cuts.place[inner], gaps["start"]]),
        end=np.concatenate([cuts.place[inner + 1], gaps["end"]]),
        metres=np.concatenate([metres, whole_metres(across)]),
        seconds=np.concatenate([seconds, whole_metres(across / a_second[gaps["line"]])]),
        line=np.concatenate([line, gaps["line"]]),
        along=np.concatenate([lines.oneway[line] >= 0, np.ones(len(across), dtype=bool)]),
        against=np.concatenate([lines.oneway[line] <= 0, np.ones(len(across), dtype=bool)]),
        joined={"x": xy[gaps["start"], 0], "y": xy[gaps["start"], 1], "metres": across, "line": gaps["line"]},
        crossings=crossings,
        dead_ends=dead,
    )


def _steps(total, inner):
    """Return whole steps between running totals rounded up: a line cut in many pieces is rounded up but once."""
    whole = whole_metres(total)
    return whole[inner + 1] - whole[inner]
