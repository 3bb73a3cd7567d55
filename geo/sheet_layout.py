"""Where everything stands on a sheet of a series: head, foot, map, panel, and the scale and projection of an area.

Decided by the area, the paper and what all sheets share, never by a theme: an area has one extent in a series.
"""

from dataclasses import dataclass, replace

import shapely

from geo.frame_parts import Place
from geo.region import local_projection

PAPERS = {"A3": (297.0, 420.0), "A4": (210.0, 297.0)}  # mm wide and high, upright
TYPE_BY_PAPER = {"A3": 1.3, "A4": 1.0}  # of the sizes of the theme, which are those of A4
ORIENTATIONS = ("auto", "portrait", "landscape")
ROUND = (1, 1.2, 1.25, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 7.5, 8, 9)  # scales, and their multiples by ten
PANELS = ("side", "below", "corner")  # beside the map, below it, or over a free corner of it
SIDE, EDGE, BARE_EDGE = 11.0, 8.0, 0.4  # mm of white around a page: left and right, above and below; a figure
BAND = 4.2  # mm between the map's edge and the frame, for the degrees
ROOM = 3.2  # mm at least between the area and the map's edge
PANEL_WIDE, PANEL_HIGH = 57.0, 57.0  # mm, of a panel beside the map and of one below it
CORNER_HIGH = 118.0  # mm of a panel over a corner
CORNER_ROOM = 3.0  # mm at least between such a panel and the area
CORNERS = ((1, 0), (0, 0), (1, 1), (0, 1))  # right and top: 1, left and bottom: 0; the first that is free
FIGURE_WIDE, FIGURE_HIGHS = 156.0, (165.0, 172.0, 180.0, 190.0)  # mm, the text area of an office's page
FIGURE_TYPE, FIGURE_PANEL = 0.92, 46.0

# CGCS2000 in zones of three degrees without a prefix: EPSG by central meridian.
FIRST_ZONE, FIRST_MERIDIAN, LAST_MERIDIAN = 4534, 75, 135


@dataclass(frozen=True)
class Projection:
    """How an area is projected: text for pyproj, central meridian and scale as printed, "EPSG:number" ("" for none).

    seam: the meridian between two zones that the area lies across, None where it lies in one
    """

    text: str
    meridian: str
    factor: str
    epsg: str
    seam: float | None = None


@dataclass(frozen=True)
class Layout:
    """A page in millimetres: boxes are (left, bottom, right, top).

    frame  around map and panel; map: within its own edge; panel: where it is ("side" | "below" | "corner")
    type_  factor on the sizes of the theme; bare: without head and imprint
    push   -1 or 1: the area stands at the left or at the right of the map, 0: in its middle
    """

    size: tuple
    frame: tuple
    map: tuple
    panel: tuple
    where: str
    type_: float
    bare: bool
    push: int = 0

    @property
    def top(self):
        """Where the head begins."""
        return self.size[1] - (BARE_EDGE if self.bare else EDGE * self.type_)


def whole_projection(province):
    """Return the :class:`Projection` of a whole region: its own transverse Mercator."""
    text = local_projection(province.total_bounds)
    parts = dict(part.split("=") for part in text.split() if "=" in part)
    return Projection(text, parts["+lon_0"], parts["+k"], "")


def zone_projection(polygon):
    """Return the :class:`Projection` of the 3-degree zone of Gauss-Krueger that holds most of a polygon in degrees."""
    west, south, east, north = polygon.bounds
    shares = {}
    for meridian in range(FIRST_MERIDIAN, LAST_MERIDIAN + 1, 3):
        if meridian - 1.5 < east and meridian + 1.5 > west:
            # Within one city a degree is about as wide everywhere: areas in degrees are in the proportion of true ones.
            shares[meridian] = polygon.intersection(shapely.box(meridian - 1.5, south, meridian + 1.5, north)).area
    if not shares:
        text = local_projection(polygon.bounds)
        parts = dict(part.split("=") for part in text.split() if "=" in part)
        return Projection(text, parts["+lon_0"], parts["+k"], "")
    most = max(shares, key=lambda meridian: (shares[meridian], -meridian))
    across = [meridian for meridian in shares if meridian != most and shares[meridian] > 0]
    seam = (most + min(across, key=lambda meridian: abs(meridian - most))) / 2 if across else None
    epsg = FIRST_ZONE + (most - FIRST_MERIDIAN) // 3
    return Projection(f"EPSG:{epsg}", f"{most}", "1", f"EPSG:{epsg}", seam)


def page_layout(outline, paper, orientation, head, foot, *, corner=False):
    """Return (layout, scale): the one that shows ``outline`` (metres) largest.

    head, foot  mm above and below the frame: called with the page's inner width and the type's factor
    corner      the panel may stand over a corner of the map that the area leaves free
    """
    wide, high = PAPERS[paper]
    sizes = {"portrait": (wide, high), "landscape": (high, wide)}
    names = sizes if orientation == "auto" else (orientation,)
    factor = TYPE_BY_PAPER[paper]
    options = [(sizes[name], factor, where, False) for name in names for where in PANELS]
    return _largest(outline, options, head, foot, corner)


def figure_layout(outline, head, foot, *, corner=False):
    """Return (layout, scale) of a figure in a document: as wide as its text, as high as the map needs."""
    options = [((FIGURE_WIDE, high), FIGURE_TYPE, where, True) for high in FIGURE_HIGHS for where in PANELS]
    return _largest(outline, options, head, foot, corner)


def _largest(outline, options, head, foot, corner):
    found = []
    for order, (size, factor, where, bare) in enumerate(options):
        layout = _layout(size, factor, where, bare, head, foot)
        if where != "corner":
            found.append((_scale(outline, layout), order, layout))
        elif corner:
            free = _with_free_corner(outline, layout)
            found += [(free[0], order, free[1])] if free else []
    scale, _, layout = min(found, key=lambda each: each[:2])
    return layout, scale


def _layout(size, factor, where, bare, head, foot):
    wide, high = size
    side = BARE_EDGE if bare else SIDE * factor
    edge = BARE_EDGE if bare else EDGE * factor
    inner = wide - 2 * side
    left, right = side, wide - side
    floor, ceiling = edge + foot(inner, factor), high - edge - head(inner, factor)
    band = BAND * factor
    around, panel = (left, floor, right, ceiling), None
    if where == "side":
        edge_of_map = right - (FIGURE_PANEL if bare else PANEL_WIDE * factor)
        around, panel = (left, floor, edge_of_map, ceiling), (edge_of_map, floor, right, ceiling)
    elif where == "below":
        top_of_panel = floor + PANEL_HIGH * factor
        around, panel = (left, top_of_panel, right, ceiling), (left, floor, right, top_of_panel)
    inside = (around[0] + band, around[1] + band, around[2] - band, around[3] - band)
    return Layout(size, (left, floor, right, ceiling), inside, panel, where, factor, bare)


def _with_free_corner(outline, layout):
    """Return (scale, layout) with the panel over a corner, the area moved away from it; None where no scale has one."""
    left, bottom, right, top = layout.map
    factor = layout.type_
    wide = FIGURE_PANEL if layout.bare else PANEL_WIDE * factor
    high = (CORNER_HIGH - (40.0 if layout.bare else 0.0)) * factor
    least = _scale(outline, layout)
    for scale in (m * 10**power for power in range(1, 9) for m in ROUND):
        if scale < least:
            continue
        if scale > 2 * least:
            return None
        for at_right, at_top in CORNERS:
            x = right - wide if at_right else left
            y = top - high if at_top else bottom
            aside = replace(layout, panel=(x, y, x + wide, y + high), push=-1 if at_right else 1)
            place = placed(outline, aside, scale, "")
            if place.put_one(outline).distance(shapely.box(*aside.panel)) >= CORNER_ROOM * factor:
                return scale, aside
    return None


def _scale(outline, layout):
    """Return the largest round scale's denominator at which an outline in metres stands in the map with room around."""
    west, south, east, north = outline.bounds
    left, bottom, right, top = layout.map
    room = 2 * ROOM * layout.type_
    least = max((east - west) / (right - left - room), (north - south) / (top - bottom - room)) * 1000
    return next(m * 10**power for power in range(1, 9) for m in ROUND if m * 10**power >= least)


def placed(outline, layout, scale, projection):
    """Return the :class:`geo.frame_parts.Place` of an outline in metres: in the middle of the map, or pushed aside."""
    west, south, east, north = outline.bounds
    left, bottom, right, top = layout.map
    wide, high = (east - west) * 1000 / scale, (north - south) * 1000 / scale
    x, y = (left + right - wide) / 2, (bottom + top - high) / 2
    if layout.push:
        room = ROOM * layout.type_
        x = left + room if layout.push < 0 else right - room - wide
    return Place(projection, scale, west, south, x, y, x + wide)
