"""The print map: a finished plan goes in, one A4 sheet comes out as PDF and PNG, as Chinese plan documents have it.

The page is drawn in millimetres from its lower left corner, so 1 : 4,000,000 is 4 km to the millimetre by construction.
Type is measured from the shipped fonts, and a sign that they lack stops the sheet before anything is written.
"""

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import shapely
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Stroke
from shapely.affinity import affine_transform, translate

from geo import theme
from geo.faults import Fault, Rejected
from geo.region import local_projection, project, unproject

FONTS = Path(__file__).parent / "assets" / "fonts"
DPI = 300
MM_PER_POINT = 25.4 / 72
WIDE, HIGH = 210.0, 297.0  # A4, upright
LEFT, RIGHT, TOP, BOTTOM = 12.0, 198.0, 287.5, 10.0
PAD = 3.0
EDGE = 1.5  # between a map and the frame
OUTLINES_APART = 5.0  # at least, between the two maps
LEGEND_HIGH = 34.5
ROOM_ABOVE_AND_BELOW = 10.0  # of a map in its box, for the degrees below it
ROW_HIGH = 4.3
HEAD_LINES = 14  # of sentences above the maps
BLOCK_LEADING = 1.05
CITY_NAME_WIDE = 24.0
SCALES = (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7.5)  # and their multiples by ten
SIZE = theme.PRINT_TYPE | {"lead": 7.5, "foot": 5.8}
SOURCE_LINES = 8
LINE = theme.PRINT_LINE
MARKERS = {"circle": "o", "triangle": "^", "star": "*", "square": "s", "cross": "X"}
REACH_FILLS = {key: theme.tint(theme.ACCENT, share) for key, share in theme.REACH_TINT.items()}
ASSUMED_FILL, ASSUMED_EDGE = theme.STATION_COLOURS["assumed"]
NEW_FILL, NEW_EDGE = theme.STATION_COLOURS["new"]
LISTED_FILL, LISTED_EDGE = theme.STATION_COLOURS["listed"]
STATION_STYLES = {
    "assumed": {"points": 3.0, "fill": ASSUMED_FILL, "edge": ASSUMED_EDGE, "width": 0.6},
    "listed": {"points": 3.0, "fill": LISTED_FILL, "edge": LISTED_EDGE, "width": 0.3},
    "new": {"points": 3.8, "fill": NEW_FILL, "edge": NEW_EDGE, "width": 0.3},
}
UNCOVERED_STYLES = {  # urban people beyond their standard stand within rural reach: a shape of their own tells why
    "rural": {"shape": "square", "points": 1.6, "fill": theme.ALARM, "edge": theme.PAPER, "width": 0.1},
    "urban": {"shape": "cross", "points": 3.0, "fill": theme.ALARM, "edge": theme.PAPER, "width": 0.25},
}
CENTRE_STYLES = {
    "national": {"points": 11, "fill": theme.ACCENT, "edge": theme.PAPER, "width": 0.8},
    "provincial": {"points": 6.5, "fill": theme.ACCENT, "edge": theme.PAPER, "width": 0.8},
    "free": {"points": 6.5, "fill": theme.PAPER, "edge": theme.ACCENT, "width": 1.2},
}
SEAT_STYLE = {"points": 2.8, "fill": theme.PAPER, "edge": theme.INK, "width": 0.7}
BORDER_STYLES = {
    "catchment": {"width": 1.3 * LINE["catchment"], "colour": theme.INK, "dash": (5, 1.2)},
    "city": {"width": LINE["city"], "colour": theme.LINE_CITY},
    "county": {"width": LINE["county"], "colour": theme.LINE_ON_FILL},
}
NO_DATA_HATCH = "//////"
CLOSING, OPENING = "、，。；：！？）》」』】〕”’…%,.;:!?)]}·", "（《「『【〔“‘([{"

# matplotlib is not safe for threads, and two people may ask for a sheet at once.
_ONE_AT_A_TIME = threading.Lock()


def plan_sheet(view, pdf_path, png_path, organisation="", data_date="", review_number=""):
    """Write the print map of a :class:`geo.maps.MapView` as one A4 page: a vector PDF and a PNG of 300 dpi.

    organisation   who made the map; a line to write on where it is not given
    data_date      the date of the data, as text; likewise. Never the clock: the same view gives the same bytes
    review_number  审图号 as granted; without one the sheet says that it is an unreviewed working copy
    Raises :class:`geo.faults.Rejected`, before either file is touched: each text and the signs that the fonts lack.
    """
    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()  # a planner's own settings change nothing
        matplotlib.rcParams["pdf.fonttype"] = 42  # TrueType: text in the PDF stays text
        matplotlib.rcParams["text.hinting"] = "no_hinting"  # letters as wide in the PNG as in the PDF, and as measured
        sheet = compose(view, organisation, data_date, review_number)
        if sheet.lacking:
            raise Rejected([_missing_glyphs(text, signs, Path(pdf_path).name) for text, signs in sheet.lacking.items()])
        title = plain(view.title)
        about = {"Title": title, "Creator": "jinyi", "Producer": None, "CreationDate": None}
        sheet.figure.savefig(pdf_path, format="pdf", metadata=about)
        sheet.figure.savefig(png_path, format="png", dpi=DPI, metadata={"Title": title, "Software": None})


def compose(view, organisation="", data_date="", review_number=""):
    """Return the finished :class:`Sheet` of a view; its ``lacking`` tells which texts cannot be printed."""
    sheet = Sheet()
    ceiling, floor = _head(sheet, view), _foot(sheet, view)
    shelf = floor + LEGEND_HIGH
    middle = (LEFT + RIGHT) / 2
    beds, stations = sheet.places = _places(view.province, LEFT, shelf, RIGHT, ceiling)
    outlines = shapely.union_all([*beds.put(view.province), *stations.put(view.province)])
    _graticule(sheet, beds, outlines, (LEFT, shelf, middle, ceiling), LEFT)
    _graticule(sheet, stations, outlines, (middle, shelf, RIGHT, ceiling), RIGHT)
    _beds_map(sheet, view, beds)
    _stations_map(sheet, view, stations)
    about = "stations" if view.circles else "stations_by_road"
    heads = (beds, "beds", "beds", LEFT), (stations, "stations", about, max(middle, beds.right))
    for place, title, about, x in heads:
        sheet.text(x + PAD, ceiling - 6.2, view.words(f"atlas.{title}_title"), SIZE["subtitle"], "bold")
        sheet.paragraph(x + PAD, ceiling - 10.4, view.words(f"atlas.{about}_about"), SIZE["note"], 62, theme.QUIET)
        _scale_bar(sheet, place, outlines, shelf, view.words)
    _beds_legend(sheet, view, LEFT + PAD, shelf - 5.5)
    _stations_legend(sheet, view, LEFT + 86, shelf - 5.5)
    _imprint(sheet, view, beds, (organisation, data_date, review_number), LEFT + 133, shelf - 5.5)
    frame = [(LEFT, floor), (RIGHT, floor), (RIGHT, ceiling), (LEFT, ceiling), (LEFT, floor)]
    sheet.rule(frame, 0.9, theme.INK)
    sheet.rule([(LEFT, shelf), (RIGHT, shelf)], 0.4, theme.LINE_CITY)
    return sheet


def plain(value):
    """Return a text as one printable line: control and format signs and line breaks become single spaces."""
    spaced = (
        " " if unicodedata.category(sign)[0] == "Z" or unicodedata.category(sign) in ("Cc", "Cf") else sign
        for sign in str(value)
    )
    return " ".join("".join(spaced).split())


# --- type -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Face:
    """One cut of the shipped type: ``advances`` {sign: width in em}; a sign that is not in it cannot be printed."""

    properties: FontProperties
    advances: dict

    def width(self, text, points):
        """Return the width of ``text`` in millimetres; a sign that the face lacks counts one em."""
        return sum(self.advances.get(sign, 1.0) for sign in text) * points * MM_PER_POINT

    def has(self, text):
        return all(sign in self.advances for sign in text)


@cache
def face(weight):
    """Return the :class:`Face` of a weight, ``Regular`` or ``Bold``."""
    file = FONTS / f"NotoSansSC-{weight}.ttf"
    with TTFont(file, lazy=True) as font:
        em, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        advances = {chr(code): metrics[name][0] / em for code, name in font.getBestCmap().items()}
    return Face(FontProperties(fname=file), advances)


def chosen_face(text, bold):
    """Return the bold face if it is wanted and holds every sign of ``text``, else the regular one, which holds more."""
    return face("Bold") if bold and face("Bold").has(text) else face("Regular")


def wrapped(text, points, width, bold=False):
    """Return ``text`` as lines of at most ``width`` millimetres: broken at spaces and between Chinese characters.

    No line begins with a closing mark or ends with an opening one.
    """
    type_face = chosen_face(text, bold)
    lines, line = [], ""
    for piece in _pieces(text):
        if line and type_face.width((line + piece).rstrip(), points) > width:
            lines.append(line.rstrip())
            line = ""
        while type_face.width(piece.rstrip(), points) > width and len(piece) > 1:
            fits = next(n for n in range(len(piece), 0, -1) if n == 1 or type_face.width(piece[:n], points) <= width)
            lines.append(piece[:fits])
            piece = piece[fits:]
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text):
    """Return the pieces of a line that must not be broken; joined they are ``text``."""
    pieces = []
    for part in re.findall(r"[⺀-\uffff]|[^\s⺀-\uffff]+|\s+", text):
        joins = pieces and (part[0] in CLOSING or pieces[-1][-1] in OPENING or part.isspace())
        if joins:
            pieces[-1] += part
        else:
            pieces.append(part)
    return pieces


def shortened(text, points, width, bold=False):
    """Return ``text``, cut and ended with "…" where it is wider than ``width`` millimetres."""
    type_face = chosen_face(text, bold)
    if type_face.width(text, points) <= width:
        return text
    while text and type_face.width(text + "…", points) > width:
        text = text[:-1]
    return text + "…"


def fitted(text, points, width, most=None, bold=False):
    """Return ``text`` as printable lines of ``width`` millimetres; beyond ``most`` lines the rest becomes "…"."""
    lines = wrapped(plain(text), points, width, bold)
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], shortened(lines[most - 1] + lines[most], points, width, bold)]


def _missing_glyphs(text, signs, file):
    said = " ".join(f"{sign} (U+{ord(sign):04X})" if sign.isprintable() else f"U+{ord(sign):04X}" for sign in signs)
    return Fault("missing_glyph", file=file, value=text, params={"signs": said})


# --- the page -------------------------------------------------------------------------------------


class Sheet:
    """One page to draw on, in millimetres. Text is never read as markup; ``lacking`` gathers {text: signs it lacks}."""

    def __init__(self):
        self.figure = Figure(figsize=(WIDE / 25.4, HIGH / 25.4), facecolor=theme.PAPER)
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDE), ylim=(0, HIGH), autoscale_on=False)
        self.axes.axis("off")
        self.lacking = {}
        self.places = ()

    def text(self, x, y, content, points, bold=False, colour=theme.INK, ha="left", halo=None, z=9, name=None):
        """Write one line, its baseline at ``y``. A halo is an outline beneath, so that the text itself stays text."""
        content = plain(content)
        type_face = chosen_face(content, bold)
        if not type_face.has(content):
            self.lacking[content] = sorted({sign for sign in content if sign not in type_face.advances})
        how = {
            "fontproperties": type_face.properties,
            "fontsize": points,
            "parse_math": False,
            "ha": ha,
            "va": "baseline",
        }
        if halo:
            under = self.axes.text(x, y, content, color=halo, zorder=z - 0.1, **how)
            under.set_path_effects([Stroke(linewidth=points / 4.2, foreground=halo, joinstyle="round")])
        self.axes.text(x, y, content, color=colour, zorder=z, gid=name, **how)

    def paragraph(self, x, y, content, points, width, colour=theme.INK, most=None, bold=False):
        """Write ``content`` in lines of ``width`` from the baseline ``y`` down; return the baseline after the last one.

        Beyond ``most`` lines the rest is left out and the last line ends with "…".
        """
        for line in fitted(content, points, width, most, bold):
            self.text(x, y, line, points, bold, colour)
            y -= leading(points)
        return y

    def shape(self, geometry, fill="none", edge="none", width=0.0, z=1, hatch=None, dash=None):
        """Draw a polygon or line geometry that is already in millimetres."""
        outline = _outline(geometry)
        if outline is None:
            return
        patch = PathPatch(
            outline, facecolor=fill, edgecolor=edge, linewidth=width, zorder=z, hatch=hatch, joinstyle="round"
        )
        if dash:
            patch.set_linestyle((0, dash))
        self.axes.add_artist(patch)  # not add_patch, which measures every curve for axis limits that are fixed here

    def rule(self, points, width, colour, z=8, dash=None, name=None):
        """Draw a line through ``points``."""
        (line,) = self.axes.plot(*zip(*points, strict=True), color=colour, linewidth=width, zorder=z, gid=name)
        line.set_solid_capstyle("butt")
        line.set_solid_joinstyle("miter")
        if dash:
            line.set_linestyle((0, dash))

    def signs(self, x, y, shape, points, fill, edge=theme.INK, width=LINE["symbol"], z=7, name=None):
        """Draw one symbol of ``points`` across at each of the places."""
        self.axes.plot(
            x,
            y,
            linestyle="none",
            marker=MARKERS[shape],
            markersize=points,
            markerfacecolor=fill,
            markeredgecolor=edge,
            markeredgewidth=width,
            zorder=z,
            gid=name,
        )


def leading(points):
    """Return the distance of baselines in millimetres."""
    return points * 1.45 * MM_PER_POINT


def middle_of(points):
    """Return how far the middle of a line of type lies above its baseline, in millimetres."""
    return 0.37 * points * MM_PER_POINT


def _outline(geometry):
    """Return a polygon or line geometry as one matplotlib path, holes cut out; None if it is empty."""
    parts = [part for part in shapely.get_parts(shapely.orient_polygons(geometry)) if not part.is_empty]
    rings = []
    for part in parts:
        if part.geom_type == "Polygon":
            rings += [np.asarray(ring.coords) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type in ("LineString", "LinearRing"):
            rings.append(np.asarray(part.coords))
    return Outline.make_compound_path(*(Outline(ring) for ring in rings)) if rings else None


# --- where the maps stand -------------------------------------------------------------------------


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
        per_mm = self.scale / 1000
        matrix = [1 / per_mm, 0, 0, 1 / per_mm, self.left - self.west / per_mm, self.bottom - self.south / per_mm]
        return [affine_transform(geometry, matrix) for geometry in layer.geometry.to_crs(self.projection)]

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


def _places(province, left, bottom, right, top):
    """Return the :class:`Place` of the two maps side by side in a box: one round scale, the largest that fits.

    The maps may reach into each other's corners (Shanxi leans), as long as their outlines stay apart.
    """
    projection = local_projection(province.total_bounds)
    outline = province.geometry.to_crs(projection).union_all()
    west, south, east, north = outline.bounds
    for power in range(1, 9):
        for mantissa in SCALES:
            scale = mantissa * 10**power
            wide, high = (east - west) * 1000 / scale, (north - south) * 1000 / scale
            step = right - left - 2 * EDGE - wide
            if high > top - bottom - ROOM_ABOVE_AND_BELOW or step <= 0:
                continue
            if outline.distance(translate(outline, step * scale / 1000)) * 1000 / scale < OUTLINES_APART:
                continue
            step = min(step, (right - left) / 2)
            first = (left + right - wide - step) / 2
            low = (top + bottom - high) / 2
            return [Place(projection, scale, west, south, x, low, x + wide) for x in (first, first + step)]
    raise ValueError(f"no scale shows {east - west:.0f} x {north - south:.0f} m on the sheet")


def _graticule(sheet, place, outlines, box, side):
    """Draw meridians and parallels in one map's half of the box, and their degrees along its edges, clear of land."""
    left, bottom, right, top = box
    lons, lats = place.degrees([left, right, left, right], [bottom, bottom, top, top])
    step = _round_step(min(np.ptp(lons), np.ptp(lats)) / 3)
    decimals = max(0, int(np.ceil(-np.log10(step))))
    along_lons = np.linspace(lons.min() - step, lons.max() + step, 60)
    along_lats = np.linspace(lats.min() - step, lats.max() + step, 60)
    meridians, parallels = _multiples(step, lons), _multiples(step, lats)
    for lon, line in zip(meridians, _grid(sheet, place, *np.meshgrid(meridians, along_lats), box), strict=True):
        x = line.coords[0][0]
        if left + 5 < x < right - 5:
            sheet.rule([(x, bottom), (x, bottom + 1.2)], 0.4, theme.LINE_CITY)
            sheet.text(x, bottom + 1.9, f"{lon:.{decimals}f}°E", 5, colour=theme.QUIET, ha="center")
    inward, ha, end = (1, "left", 0) if side == left else (-1, "right", -1)
    crossed = np.meshgrid(parallels, along_lons)[::-1]
    for lat, line in zip(parallels, _grid(sheet, place, *crossed, box), strict=True):
        y = line.coords[end][1]
        room = shapely.LineString([(side, y), (side + 8 * inward, y)]).buffer(1)
        if bottom + 6 < y < top - 16 and not room.intersects(outlines):
            sheet.rule([(side, y), (side + 1.2 * inward, y)], 0.4, theme.LINE_CITY)
            said = f"{lat:.{decimals}f}°N"
            sheet.text(side + 1.7 * inward, y - middle_of(5), said, 5, colour=theme.QUIET, ha=ha)


def _multiples(step, degrees):
    """Return the multiples of ``step`` within the range of ``degrees``."""
    return np.arange(np.ceil(degrees.min() / step), np.floor(degrees.max() / step) + 1) * step


def _grid(sheet, place, lon, lat, box):
    """Draw one line a column of degrees, clipped to the box; return the lines."""
    x, y = place.point(lon, lat)
    lines = shapely.intersection(shapely.linestrings(np.stack([x.T, y.T], axis=-1)), shapely.box(*box))
    sheet.shape(shapely.multilinestrings(lines), edge=theme.tint(theme.LINE_COUNTY, 0.6), width=0.3, z=0.5)
    return lines


def _round_step(most):
    """Return the largest of 1, 2, 5 and their multiples by ten that is at most ``most``."""
    power = 10.0 ** np.floor(np.log10(most))
    return max(n * power for n in (1, 2, 5) if n * power <= most * 1.000001)


def _scale_bar(sheet, place, outlines, shelf, words):
    """Draw line scale, numeric scale and north arrow below a map: as far right as they hit no land of either map."""
    whole = _round_step(30 * place.scale / 1_000_000)  # km, at most 30 mm long
    long, y = place.mm(whole), shelf + 8
    start = min(place.right, RIGHT) - long - 13
    rooms = (
        x for x in np.arange(start, LEFT, -0.5) if not shapely.box(x, y - 4, x + long + 11, y + 9).intersects(outlines)
    )
    left = next(rooms, start)
    for part in range(4):
        x0, x1 = left + long * part / 4, left + long * (part + 1) / 4
        fill = theme.INK if part % 2 == 0 else theme.PAPER
        sheet.shape(shapely.box(x0, y, x1, y + 0.9), fill=fill, edge=theme.INK, width=0.4, z=8)
    sheet.rule([(left, y + 0.45), (left + long, y + 0.45)], 0.1, theme.INK, z=7, name="scale_bar")
    for share in (0, 0.5, 1):
        sheet.text(left + long * share, y + 1.9, f"{whole * share:g}", 5.5, ha="center")
    wide = face("Regular").width(f"{whole:g}", 5.5)
    sheet.text(left + long + wide / 2 + 0.7, y + 1.9, words("atlas.km"), 5.5)
    sheet.text(left + long / 2, y - 3, ratio(place.scale), SIZE["note"], ha="center")
    _north_arrow(sheet, left + long + 9, y - 1, words)


def ratio(scale):
    """Return a scale as printed: ``1 : 4,000,000``."""
    return f"1 : {scale:,.0f}"


def _north_arrow(sheet, x, y, words):
    for side, fill in ((-1, theme.INK), (1, theme.PAPER)):
        half = shapely.Polygon([(x, y + 7.5), (x, y + 1.8), (x + side * 1.9, y)])
        sheet.shape(half, fill=fill, edge=theme.INK, width=0.5, z=8)
    sheet.text(x, y + 8.3, words("atlas.north"), SIZE["small"], bold=True, ha="center")


# --- the two maps ---------------------------------------------------------------------------------


def _ground(sheet, view, place, fills, county_line):
    """Draw counties, city borders and the province's outline; return the county polygons in millimetres."""
    counties, cities = place.put(view.counties), place.put(view.cities)
    province = shapely.union_all(place.put(view.province))
    for polygon, fill in zip(counties, fills, strict=True):
        no_data = fill == theme.NO_DATA
        sheet.shape(polygon, fill, theme.QUIET if no_data else "none", hatch=NO_DATA_HATCH if no_data else None)
    # Shared borders are merged first, so that no line is drawn twice.
    sheet.shape(_borders(counties), edge=county_line, width=LINE["county"], z=3)
    sheet.shape(_borders(cities), edge=theme.LINE_CITY, width=LINE["city"], z=4)
    sheet.shape(province.boundary, edge=theme.INK, width=LINE["province"], z=6)
    return counties, cities, province


def _borders(polygons):
    return shapely.line_merge(shapely.union_all([polygon.boundary for polygon in polygons]))


def _beds_map(sheet, view, place):
    """Draw planned beds per 1,000 by county, the centres' catchments, and names and figures wherever they fit."""
    colours = theme.sequential(len(theme.BEDS_PER_1000) + 1)
    classes = [theme.class_of(value, theme.BEDS_PER_1000) for value in view.counties["plan_per_1000"]]
    fills = [theme.NO_DATA if number is None else colours[number] for number in classes]
    counties, cities, province = _ground(sheet, view, place, fills, BORDER_STYLES["county"]["colour"])
    _catchment_borders(sheet, view, counties, province)
    taken = _centres(sheet, view, place)
    lone = view.cities[~view.cities["code"].isin(view.centres["city_code"])]
    sheet.signs(*place.point(lone["lon"], lone["lat"]), "circle", z=8, **SEAT_STYLE)
    figures = [theme.figure(value) for value in view.cities["plan_per_1000"]]
    taken += _city_names(sheet, view, place, cities, figures, taken)
    _county_names(sheet, view, counties, fills, taken)


def _catchment_borders(sheet, view, counties, province):
    """Draw the borders between the centres' catchments, pale beneath and dark above, so that they show on any fill."""
    served = view.counties["centre_city_code"].fillna("")
    polygons = np.array(counties, dtype=object)
    catchments = [shapely.union_all(polygons[served.eq(code).to_numpy()]) for code in sorted(set(served))]
    inner = _borders(catchments).difference(province.boundary.buffer(0.05))
    style = BORDER_STYLES["catchment"]
    sheet.shape(shapely.line_merge(inner), edge=theme.PAPER, width=2.3 * style["width"], z=5)
    sheet.shape(shapely.line_merge(inner), edge=style["colour"], width=style["width"], z=5.1, dash=style["dash"])


def _centres(sheet, view, place):
    """Draw the regional centres; return the boxes that they take."""
    boxes = []
    for level, lon, lat in zip(view.centres["level"], view.centres["lon"], view.centres["lat"], strict=True):
        x, y = place.point(lon, lat)
        style = CENTRE_STYLES[level]
        sheet.signs([x], [y], theme.CENTRE_SHAPES[level], z=8, name=f"centre_{level}", **style)
        across = style["points"] * MM_PER_POINT + 0.6
        boxes.append(_box_about(x, y, across, across))
    return boxes


def _city_names(sheet, view, place, cities, figures, taken):
    """Write each city's name beside its seat, where it hides least, its figure below; return the boxes they take."""
    x, y = place.point(view.cities["lon"], view.cities["lat"])
    seats = [shapely.Point(*at).buffer(0.9) for at in zip(x, y, strict=True)]
    centres = set(view.centres["city_code"])
    boxes = []
    rows = zip(view.cities["code"], view.cities["name"], figures, x, y, cities, strict=True)
    for code, name, figure, seat_x, seat_y, polygon in rows:
        lines = [(shortened(plain(name), SIZE["city"], CITY_NAME_WIDE, bold=True), SIZE["city"])]
        lines += [(figure, SIZE["small"])] if figure else []
        clear = 2.4 if code in centres else 1.4
        box = _least_hiding(seat_x, seat_y, *_block_size(lines, bold=True), polygon, [*taken, *seats, *boxes], clear)
        _write_block(sheet, box, lines, theme.INK, theme.PAPER, bold=True, z=9.5)
        boxes.append(box.buffer(0.4, cap_style="square", join_style="mitre"))
    return boxes + seats


def _least_hiding(x, y, wide, high, polygon, taken, clear):
    """Return the box of a label beside a point: of eight directions the one that hits and leaves ``polygon`` least."""
    best, least = None, np.inf
    for order, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))):
        box = _box_about(x + dx * (wide / 2 + clear), y + dy * (high / 2 + clear), wide, high)
        outside = 1 - box.intersection(polygon).area / box.area
        cost = 10 * sum(box.intersects(other) for other in taken) + 3 * outside + order / 10
        if cost < least:
            best, least = box, cost
    return best


def _box_about(x, y, wide, high):
    return shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _block_size(lines, bold):
    """Return width and height in millimetres of lines of (text, points), one above the other."""
    wide = max(chosen_face(text, bold).width(text, points) for text, points in lines)
    return wide, sum(points for _, points in lines) * BLOCK_LEADING * MM_PER_POINT


def _write_block(sheet, box, lines, colour, halo, bold, z):
    """Write lines of (text, points), centred in a box, from its top."""
    y = box.bounds[3]
    for text, points in lines:
        y -= points * BLOCK_LEADING * MM_PER_POINT
        sheet.text(box.centroid.x, y + 0.17 * points * MM_PER_POINT, text, points, bold, colour, "center", halo, z)


def _county_names(sheet, view, counties, fills, taken):
    """Write each county's name and figure where both fit inside it, else its name, else its figure, else nothing."""
    taken = list(taken)
    for name, value, polygon, fill in zip(
        view.counties["name"], view.counties["plan_per_1000"], counties, fills, strict=True
    ):
        name, value = plain(name), theme.figure(value)
        tries = [((name, points), (value, points - 0.4)) for points in (SIZE["county"], 5.0, 4.6)]
        tries += [((name, 4.6),), ((value, 4.4),)]
        for lines in tries:
            box = _inside(polygon, *_block_size(lines, bold=False), taken)
            if box is not None:
                _write_block(sheet, box, lines, theme.text_on(fill), fill, bold=False, z=9)
                taken.append(box)
                break


def _inside(polygon, wide, high, taken):
    """Return the box of this size inside ``polygon``, free of ``taken``, nearest to its middle; None if none is."""
    west, south, east, north = polygon.bounds
    if wide > east - west or high > north - south:
        return None
    x, y = np.meshgrid(
        np.arange(west + wide / 2, east - wide / 2 + 0.01, 0.4),
        np.arange(south + high / 2, north - high / 2 + 0.01, 0.4),
    )
    heart = polygon.centroid
    order = np.argsort(np.hypot(x - heart.x, y - heart.y), axis=None, kind="stable")
    boxes = _box_about(x.ravel()[order], y.ravel()[order], wide, high)
    room = polygon.buffer(0.2)
    shapely.prepare(room)
    boxes = boxes[shapely.contains(room, boxes)]
    near = [other for other in taken if other.intersects(polygon)]
    if near:
        boxes = boxes[~shapely.intersects(shapely.union_all(near), boxes)]
    return boxes[0] if len(boxes) else None


def _stations_map(sheet, view, place):
    _, cities, province = _ground(sheet, view, place, [theme.LAND] * len(view.counties), theme.LINE_COUNTY)
    stations = view.stations
    points = shapely.points(*place.point(stations["lon"], stations["lat"]))
    for setting, km, z in (("rural", view.rural, 1.5), ("urban", view.urban, 1.6)) if view.circles else ():
        cover = shapely.union_all(shapely.buffer(points, place.mm(km / view.detour_factor))).intersection(province)
        sheet.shape(cover, fill=REACH_FILLS[setting], edge=theme.ACCENT, width=LINE["circle"], z=z)
    for setting, style in UNCOVERED_STYLES.items():
        chosen = view.uncovered[view.uncovered["setting"].eq(setting)]
        sheet.signs(*place.point(chosen["lon"], chosen["lat"]), z=5, name=f"uncovered_{setting}", **style)
    for status, style in STATION_STYLES.items():
        chosen = stations[stations["status"].eq(status)]
        x, y = place.point(chosen["lon"], chosen["lat"])
        sheet.signs(x, y, theme.STATION_SHAPES[status], name=f"stations_{status}", **style)
    _city_names(sheet, view, place, cities, [None] * len(cities), list(shapely.buffer(points, 0.7)))


# --- words about the maps -------------------------------------------------------------------------


def _head(sheet, view):
    """Write title, subtitle and headline sentences; return the height at which the frame may begin."""
    title, wide = plain(view.title), RIGHT - LEFT
    size = next((points for points in (SIZE["title"], 15, 13) if len(wrapped(title, points, wide, True)) == 1), 11)
    y = sheet.paragraph(LEFT, TOP - size * MM_PER_POINT, title, size, wide, most=2, bold=True) + leading(size)
    y = sheet.paragraph(LEFT, y - 6, view.subtitle, SIZE["subtitle"], wide, theme.QUIET, most=1)
    left = HEAD_LINES
    for note in view.notes:  # the maps need their room: what no longer fits stands in the workbook and on the page
        lines = min(len(wrapped(plain(note), SIZE["lead"], wide)), 2)
        if lines > left:
            break
        left -= lines
        y = sheet.paragraph(LEFT, y, note, SIZE["lead"], wide, most=2)
    return y + leading(SIZE["lead"]) - 2.6


def _foot(sheet, view):
    """Write distance rule, notes and sources below the frame; return the height at which the frame may end."""
    words, size, wide = view.words, SIZE["foot"], RIGHT - LEFT
    sources = words("atlas.sources", sources=words("atlas.between").join(view.sources))
    lines = [
        *fitted(words("atlas.rule", rule=view.rule), size, wide),
        *fitted(words("atlas.note", **theme.MARKS), size, wide),
    ]
    lines += fitted(sources, size, wide, SOURCE_LINES)
    top = BOTTOM + (len(lines) - 1) * leading(size)
    for number, line in enumerate(lines):
        sheet.text(LEFT, top - number * leading(size), line, size, colour=theme.QUIET)
    return top + size * MM_PER_POINT + 1.8


def _beds_legend(sheet, view, x, y):
    """Draw the key of the bed map, heading at (x, y): classes with their number of counties, centres, borders."""
    words, breaks, size = view.words, theme.BEDS_PER_1000, SIZE["small"]
    values = view.counties["plan_per_1000"]
    sheet.text(x, y, words("atlas.beds_key"), size, bold=True)
    sheet.text(x + 35, y, words("atlas.counties"), SIZE["note"], colour=theme.QUIET, ha="right")
    colours, counts = theme.sequential(len(breaks) + 1), theme.class_counts(values, breaks)
    rows = list(zip(colours, theme.class_labels(breaks), counts, strict=True))
    if values.isna().any():
        rows.append((theme.NO_DATA, words("atlas.no_data"), int(values.isna().sum())))
    for number, (colour, label, count) in enumerate(rows, 1):
        at = y - number * ROW_HIGH
        _swatch(sheet, x, at, colour, hatch=NO_DATA_HATCH if colour == theme.NO_DATA else None)
        sheet.text(x + 9, at, label, size)
        sheet.text(x + 35, at, theme.figure(count, 0), size, ha="right")
    x += 40
    sheet.text(x, y, words("atlas.signs"), size, bold=True)
    for level in (level for level in CENTRE_STYLES if view.centres["level"].eq(level).any()):
        y -= ROW_HIGH
        sheet.signs([x + 3], [y + middle_of(size)], theme.CENTRE_SHAPES[level], **CENTRE_STYLES[level])
        sheet.text(x + 8, y, words(f"atlas.centre_{level}"), size)
    y -= ROW_HIGH
    sheet.signs([x + 3], [y + middle_of(size)], "circle", **SEAT_STYLE)
    sheet.text(x + 8, y, words("atlas.city_seat"), size)
    for key, style in BORDER_STYLES.items():
        y -= ROW_HIGH
        sheet.rule([(x, y + middle_of(size)), (x + 6, y + middle_of(size))], **style)
        sheet.text(x + 8, y, words(f"atlas.border_{key}"), size)


def _stations_legend(sheet, view, x, y):
    """Draw the key of the station map, heading at (x, y): stations, their reach, and the people beyond it."""
    words, size = view.words, SIZE["small"]
    sheet.text(x, y, words("atlas.stations_key"), size, bold=True)
    sheet.text(x + 42, y, words("atlas.count"), SIZE["note"], colour=theme.QUIET, ha="right")

    listed, assumed = (view.stations["status"].eq(status).any() for status in ("listed", "assumed"))
    statuses = [*(["listed"] if listed else []), *(["assumed"] if assumed or not listed else []), "new"]
    row_high = ROW_HIGH * 6 / (4 + len(statuses)) if len(statuses) > 2 else ROW_HIGH

    def row(number, said, count=None):
        at = y - number * row_high
        sheet.text(x + 9, at, said, size)
        if count is not None:
            sheet.text(x + 42, at, theme.figure(count, 0), size, ha="right")
        return at

    for number, status in enumerate(statuses, 1):
        mark = theme.MARKS["assumed"] if status == "assumed" else ""
        count = view.stations["status"].eq(status).sum()
        at = row(number, words(f"atlas.station_{status}") + mark, count)
        sheet.signs([x + 3.5], [at + middle_of(size)], theme.STATION_SHAPES[status], **STATION_STYLES[status])
    for number, (setting, km) in enumerate((("urban", view.urban), ("rural", view.rural))):
        if view.circles:
            at = row(1 + len(statuses) + number, words(f"atlas.cover_{setting}", km=f"{km:g}"))
            _swatch(sheet, x, at, REACH_FILLS[setting], theme.ACCENT)
        persons = view.uncovered.loc[view.uncovered["setting"].eq(setting), "persons"].sum()
        at = row(3 + len(statuses) + number, words(f"atlas.uncovered_{setting}") + theme.MARKS["modelled"], persons)
        # Rural points stand beside one another on the map, so their key is a patch of them.
        grid = np.arange(-1.5, 1.6, 0.5) if setting == "rural" else np.zeros(1)
        dx, dy = (offsets.ravel() for offsets in np.meshgrid(grid, grid[np.abs(grid) <= 0.5]))
        sheet.signs(x + 3.5 + dx, at + middle_of(size) + dy, **UNCOVERED_STYLES[setting])


def _swatch(sheet, x, y, fill, edge=theme.LINE_CITY, hatch=None):
    sheet.shape(shapely.box(x, y - 0.5, x + 7, y + 2.7), fill=fill, edge=edge, width=0.35, z=8, hatch=hatch)


def _imprint(sheet, view, place, fields, x, y):
    """Write who, when, on what coordinates, under which review: fields with their values, or a line to write on."""
    words = view.words
    organisation, data_date, review_number = (plain(field) for field in fields)
    projection = dict(part.split("=") for part in place.projection.split() if "=" in part)
    rows = (
        ("organisation", organisation),
        ("date", data_date),
        ("scale", words("atlas.scale_value", ratio=ratio(place.scale))),
        ("coordinates", words("atlas.coordinates_value")),
        ("meridian", words("atlas.meridian_value", meridian=projection["+lon_0"], factor=projection["+k"])),
        ("review", review_number or words("atlas.review_none")),
    )
    size, across = (
        SIZE["note"],
        max(face("Regular").width(words(f"atlas.{key}"), SIZE["note"]) for key, _ in rows) + 2.5,
    )
    for key, value in rows:
        sheet.text(x, y, words(f"atlas.{key}"), size, colour=theme.QUIET)
        if value:
            y = sheet.paragraph(x + across, y, value, size, RIGHT - PAD - x - across, most=3, bold=key == "review")
        else:
            sheet.rule([(x + across, y - 0.6), (RIGHT - PAD, y - 0.6)], 0.35, theme.QUIET)
            y -= leading(size)
        y -= 0.9
