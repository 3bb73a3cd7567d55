"""Parts of every printed map: where it stands on the page, graticule, scale, north, ground, and boxes for names."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.affinity import affine_transform

from geo import theme
from geo.press import MM_PER_POINT, family
from geo.region import project, unproject

SCALES = (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7.5)  # and their multiples by ten
BLOCK_LEADING = 1.05
SIZE = theme.PRINT_TYPE | {"lead": 7.5, "foot": 5.8}


@dataclass(frozen=True)
class Place:
    """Where a map stands: the region's ``west``, ``south`` (metres) at ``left``, ``bottom`` (mm), at 1 : ``scale``."""

    projection: str
    scale: float
    west: float
    south: float
    left: float
    bottom: float
    right: float

    def put(self, layer):
        """Return the geometries of a GeoDataFrame or GeoSeries in millimetres on the page, as a list."""
        return [self.put_one(geometry) for geometry in layer.geometry.to_crs(self.projection)]

    def put_one(self, geometry):
        """Return a geometry in metres of the projection in millimetres on the page."""
        per_mm = self.scale / 1000
        matrix = [1 / per_mm, 0, 0, 1 / per_mm, self.left - self.west / per_mm, self.bottom - self.south / per_mm]
        return affine_transform(geometry, matrix)

    def point(self, lon, lat):
        """Return (x, y), arrays of millimetres on the page, for degrees."""
        x, y = project(self.projection, lon, lat)
        return self.left + (x - self.west) * 1000 / self.scale, self.bottom + (y - self.south) * 1000 / self.scale

    def degrees(self, x, y):
        """Return (lon, lat) of places on the page."""
        metres = self.scale / 1000
        east = self.west + (np.asarray(x, dtype=float) - self.left) * metres
        return unproject(self.projection, east, self.south + (np.asarray(y, dtype=float) - self.bottom) * metres)

    def mm(self, km):
        return km * 1_000_000 / self.scale


def multiples(step, degrees):
    """Return the multiples of ``step`` within the range of ``degrees``."""
    return np.arange(np.ceil(degrees.min() / step), np.floor(degrees.max() / step) + 1) * step


def _grid(sheet, place, lon, lat, box):
    """Draw one line a column of degrees, clipped to the box; return the lines."""
    x, y = place.point(lon, lat)
    lines = shapely.intersection(shapely.linestrings(np.stack([x.T, y.T], axis=-1)), shapely.box(*box))
    sheet.shape(shapely.multilinestrings(lines), edge=theme.tint(theme.LINE_COUNTY, 0.6), width=0.3, z=0.5)
    return lines


def grid(sheet, place, lon, lat, box):
    """Draw one line a column of degrees, clipped to the box; return the lines."""
    x, y = place.point(lon, lat)
    lines = shapely.intersection(shapely.linestrings(np.stack([x.T, y.T], axis=-1)), shapely.box(*box))
    sheet.shape(shapely.multilinestrings(lines), edge=theme.tint(theme.LINE_COUNTY, 0.6), width=0.3, z=0.5)
    return lines


def round_step(most):
    """Return the largest of 1, 2, 5 and their multiples by ten that is at most ``most``."""
    power = 10.0 ** np.floor(np.log10(most))
    return max(n * power for n in (1, 2, 5) if n * power <= most * 1.000001)


def ratio(scale):
    """Return a scale as printed: ``1 : 4,000,000``."""
    return f"1 : {scale:,.0f}"


def north_arrow(sheet, x, y, words):
    for side, fill in ((-1, theme.INK), (1, theme.PAPER)):
        half = shapely.Polygon([(x, y + 7.5), (x, y + 1.8), (x + side * 1.9, y)])
        sheet.shape(half, fill=fill, edge=theme.INK, width=0.5, z=8)
    sheet.text(x, y + 8.3, words("atlas.north"), SIZE["small"], bold=True, ha="center")


def borders(polygons):
    return shapely.line_merge(shapely.union_all([polygon.boundary for polygon in polygons]))


def box_about(x, y, wide, high):
    return shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def block_size(lines, bold, type_=None):
    """Return width and height in millimetres of lines of (text, points), one above the other."""
    type_ = type_ or family()
    wide = max(type_.width(text, points, bold) for text, points in lines)
    return wide, sum(points for _, points in lines) * BLOCK_LEADING * MM_PER_POINT


def write_block(sheet, box, lines, colour, halo, bold, z):
    """Write lines of (text, points), centred in a box, from its top."""
    y = box.bounds[3]
    for text, points in lines:
        y -= points * BLOCK_LEADING * MM_PER_POINT
        sheet.text(box.centroid.x, y + 0.17 * points * MM_PER_POINT, text, points, bold, colour, "center", halo, z)


def inside(polygon, wide, high, taken, step=0.4):
    """Return the box of this size inside ``polygon``, free of ``taken``, nearest to its middle; None if none is.

    step  millimetres between the places that are tried
    """
    west, south, east, north = polygon.bounds
    if wide > east - west or high > north - south:
        return None
    x, y = np.meshgrid(
        np.arange(west + wide / 2, east - wide / 2 + 0.01, step),
        np.arange(south + high / 2, north - high / 2 + 0.01, step),
    )
    heart = polygon.centroid
    order = np.argsort(np.hypot(x - heart.x, y - heart.y), axis=None, kind="stable")
    boxes = box_about(x.ravel()[order], y.ravel()[order], wide, high)
    room = polygon.buffer(0.2)
    shapely.prepare(room)
    boxes = boxes[shapely.contains(room, boxes)]
    near = [other for other in taken if other.intersects(polygon)]
    if near:
        boxes = boxes[~shapely.intersects(shapely.union_all(near), boxes)]
    return boxes[0] if len(boxes) else None


def swatch(sheet, x, y, fill, edge=theme.LINE_CITY, hatch=None):
    sheet.shape(shapely.box(x, y - 0.5, x + 7, y + 2.7), fill=fill, edge=edge, width=0.35, z=8, hatch=hatch)
