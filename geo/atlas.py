"""The sheets of a series: a view in, one page out as PDF, PNG and SVG; the province or one city, one theme.

What all sheets share is a :class:`Series`, what one of them shows a :class:`View`: geometries, colours, figures, signs
and ready text, nothing of a plan. An :class:`Atlas` works an area's geometry out once and draws each theme on it.
"""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely

from geo import theme
from geo.faults import Rejected
from geo.frame_parts import SIZE, borders, grid, multiples, ratio, round_step
from geo.labels import Labels, at_least, beside, boxes_about, in_counties, inside, name_lines, on_leaders, size_of
from geo.press import (
    DPI,
    LINE,
    MM_PER_POINT,
    NO_DATA_HATCH,
    OWN_SIGNS,
    Sheet,
    family,
    fitted,
    leading,
    middle_of,
    missing_glyphs,
    plain,
    printing,
    write_png,
)
from geo.sheet_layout import figure_layout, page_layout, placed, whole_projection, zone_projection
from geo.words import Words

FORMATS = ("pdf", "png", "svg")
AROUND = theme.tint(theme.LINE_COUNTY, 0.3)  # the neighbours' ground
VIGNETTE = theme.tint(theme.LINE_CITY, 0.28)
SEAT = {"shape": "circle", "points": 3.0, "fill": theme.PAPER, "edge": theme.INK, "width": 0.7}
BORDERS = {
    "area": {"width": 1.25 * LINE["province"], "colour": theme.INK},
    "province": {"width": LINE["province"], "colour": theme.INK},
    "city": {"width": LINE["city"], "colour": theme.LINE_CITY},
    "county": {"width": LINE["county"], "colour": theme.LINE_ON_FILL},
    "county_of_city": {"width": 1.8 * LINE["county"], "colour": theme.QUIET},
    "group": {"width": 1.3 * LINE["catchment"], "colour": theme.INK, "dash": (5, 1.2)},
}
SPOKE = 0.3
FIGURE_CITY = 0.8  # of the size of a city's name, on a figure a third as large as a sheet
SHRINK = (1.0, 0.93, 0.86, 0.8, 0.74, 0.68, 0.6)  # of the panel's type, until all of it fits
ROW_HIGH = 4.4
COUNTY_SIZES = {"whole": (6.2, 5.6, 5.0, 4.6), "city": (9.5, 8.5, 7.5, 6.5, 5.6, 5.0)}
LEADER_REACH = {"whole": 56.0, "city": 70.0}


@dataclass(frozen=True)
class Imprint:
    """Who prints, of which date, under which review number, as granted; a line to write on for what is not given."""

    organisation: str = ""
    date: str = ""
    review: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a legend: what is said, the count behind it, and its swatch, sign or line.

    fill, edge, hatch  of a swatch; sign: keywords of :meth:`geo.press.Sheet.signs`; line: width, colour, dash
    """

    said: str
    count: str = ""
    fill: str | None = None
    edge: str = theme.LINE_CITY
    hatch: bool = False
    sign: Mapping | None = None
    line: Mapping | None = None


@dataclass(frozen=True)
class Key:
    """A part of a legend: heading, what is counted ("" for nothing), rows of :class:`Row`."""

    title: str
    counted: str
    rows: tuple


@dataclass(frozen=True)
class Signs:
    """Symbols at places: lon, lat (arrays of degrees) and the style of :meth:`geo.press.Sheet.signs`.

    labels  None, or a text beside each where there is room; inside: None, or a text in each
    sizes   None, or points of each; the style's own otherwise
    """

    name: str
    lon: np.ndarray
    lat: np.ndarray
    style: Mapping
    labels: tuple | None = None
    inside: tuple | None = None
    sizes: tuple | None = None
    always: bool = False


@dataclass(frozen=True)
class Reach:
    """Circles of ``km`` about places, drawn as one area within the sheet's own."""

    lon: np.ndarray
    lat: np.ndarray
    km: float
    fill: str


@dataclass(frozen=True)
class Spokes:
    """Straight lines from one place to another each: lon, lat, to_lon, to_lat (arrays of degrees)."""

    lon: np.ndarray
    lat: np.ndarray
    to_lon: np.ndarray
    to_lat: np.ndarray


@dataclass(frozen=True)
class View:
    """What one sheet shows. Everything said is ready text.

    code      of the province or of a city; number: of the sheet, as printed
    fills     {county: colour}, of the whole region; None where there is no figure
    figures   {county: text} below its name; city_figures: {city: text}, on the region's sheet
    groups    {county: group}: a border is drawn between groups; {} for none
    counted   people are counted as covered: the sheet states the distance rule
    brief     signs leave little room: a name may stand without its figure, and none is led to from afar
    """

    code: str
    title: str
    subtitle: str
    number: str
    keys: tuple
    fills: Mapping
    figures: Mapping
    city_figures: Mapping = field(default_factory=dict)
    groups: Mapping = field(default_factory=dict)
    brief: bool = False
    signs: tuple = ()
    reaches: tuple = ()
    spokes: tuple = ()
    counted: bool = False


@dataclass(frozen=True)
class Series:
    """What all sheets share.

    code      of the whole region
    province  GeoDataFrame EPSG:4490; cities: on ``code``: name, lon, lat (degrees, of the seat); counties: on ``code``:
              name, city_code. Names in the sheets' language, without control characters
    paper     "A3" | "A4", or "figure": 156 mm wide for a document, without head and imprint; orientation: "auto" |
              "portrait" | "landscape"
    rule      how people count as covered; notes, sources: further lines below the maps; interim: "" or the warning
    font      None, the name of an installed family, or a file
    """

    code: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    words: Words
    rule: str
    notes: tuple
    sources: str
    interim: str = ""
    paper: str = "A3"
    orientation: str = "auto"
    imprint: Imprint = field(default_factory=Imprint)
    font: str | None = None

    @property
    def bare(self):
        return self.paper == "figure"


class Atlas:
    """Draws the sheets of one series; an area's geometry is worked out when its first sheet is drawn.

    letters  every sign that the sheets print, from :func:`letters_of`, if they are known: files are then made faster
    """

    def __init__(self, series, letters=None):
        self.series = series
        self.type = family(series.font, letters)
        self._areas = {}

    def area(self, code):
        """Return the :class:`Area` of a code, made once."""
        if code not in self._areas:
            self._areas[code] = Area(self.series, code, self.type)
        return self._areas[code]

    def write(self, view, paths, dpi=DPI):
        """Write one sheet to ``paths``, {format: path}, of the same bytes whoever draws it and when.

        Raises :class:`geo.faults.Rejected`, before any of them is touched: each text and the signs that the type lacks.
        """
        with printing():
            sheet = compose(self.area(view.code), view)
            if sheet.lacking:
                raise Rejected(missing_glyphs(sheet.lacking, next(iter(paths.values())).name))
            title = plain(view.title)
            about = {
                "pdf": {"Title": title, "Creator": "jinyi", "Producer": None, "CreationDate": None},
                "png": {"Title": title, "Software": None},
                "svg": {"Title": title, "Creator": "jinyi", "Date": None},
            }
            for form, path in paths.items():
                if form == "png":
                    write_png(sheet, path, dpi, about[form])
                else:
                    sheet.figure.savefig(path, format=form, metadata=about[form])
            del sheet
            gc.collect()  # a figure is full of circles: a hundred of them would wait to be found


def check_letters(series, views, file):
    """Raise :class:`geo.faults.Rejected` with every text that the series' type cannot print, and its signs."""
    lacking, type_ = {}, family(series.font)
    for text in texts(series, views):
        content = plain(text)
        face = type_.chosen(content)
        if not face.has(content):
            lacking[content] = sorted({sign for sign in content if sign not in face.advances})
    if lacking:
        raise Rejected(missing_glyphs(lacking, file))


def letters_of(series, views):
    """Return every sign that a series may print, as one text in order."""
    said = [plain(text) for text in texts(series, views)]
    own = series.words.section("series").values()
    return "".join(sorted({*"".join(said), *"".join(own), *map(chr, range(32, 127)), *OWN_SIGNS, *"′″×"}))


def texts(series, views):
    """Yield every text of a series that does not stand in the catalogue of words."""
    yield from (
        *series.province["name"],
        *series.cities["name"],
        *series.counties["name"],
        series.rule,
        *series.notes,
        series.sources,
    )
    yield from (series.interim, series.imprint.organisation, series.imprint.date, series.imprint.review)
    for view in views:
        yield from (view.title, view.subtitle, view.number, *view.figures.values(), *view.city_figures.values())
        for key in view.keys:
            yield from (key.title, key.counted, *(row.said for row in key.rows), *(row.count for row in key.rows))
        for signs in view.signs:
            yield from signs.labels or ()


class Area:
    """The province or a city on the page: layout, place, and every outline in millimetres, clipped to the map."""

    def __init__(self, series, code, type_):
        self.series, self.code, self.type = series, code, type_
        self.whole = code == series.code
        polygon = series.province.geometry.union_all() if self.whole else series.cities.geometry[code]
        self.projection = whole_projection(series.province) if self.whole else zone_projection(polygon)
        outline = gpd.GeoSeries([polygon], crs=series.cities.crs).to_crs(self.projection.text).iloc[0]
        if series.bare:
            self.layout, scale = figure_layout(outline, self._head_high, self._foot_high, corner=self.whole)
        else:
            self.layout, scale = page_layout(
                outline, series.paper, series.orientation, self._head_high, self._foot_high, corner=self.whole
            )
        self.place = placed(outline, self.layout, scale, self.projection.text)
        self.box = shapely.box(*self.layout.map)

    # The head and the foot are as high as the fullest sheet of the series needs, so that every theme has one extent.

    def _head_high(self, inner, factor):
        if self.series.bare:
            return self._interim_lines(inner, factor) * leading(SIZE["small"] * factor) + 0.6
        high = SIZE["title"] * 1.02 + SIZE["subtitle"] * 1.5
        return high * factor * MM_PER_POINT + self._interim_lines(inner, factor) * leading(SIZE["text"] * factor) + 2.2

    def _interim_lines(self, inner, factor):
        points = SIZE["small" if self.series.bare else "text"] * factor
        said = self.series.interim
        return len(fitted(said, points, inner, None, True, self.type)) if said else 0

    def _foot_high(self, inner, factor):
        points = SIZE["foot"] * factor
        return len(self.foot(inner, points, counted=True)) * leading(points) + 1.4 * factor

    def foot(self, inner, points, counted):
        """Return the lines below the frame: distance rule, notes and sources, of ``inner`` mm."""
        series, words = self.series, self.series.words
        said = [words("series.rule", rule=series.rule)] if counted else []
        said += series.notes
        if not series.bare:
            said += [words("series.sources", sources=series.sources)]
        return [line for text in said for line in fitted(text, points, inner, None, False, self.type)]

    @cached_property
    def counties(self):
        """{code: polygon in mm} of the area's own counties."""
        own = self.series.counties
        if not self.whole:
            own = own[own["city_code"].eq(self.code)]
        return dict(zip(own.index, self.place.put(own), strict=True))

    @cached_property
    def outline(self):
        return shapely.union_all(list(self.counties.values()))

    @cached_property
    def cities(self):
        """{code: polygon in mm} of every city, clipped to the map."""
        frame = self.series.cities
        return dict(zip(frame.index, (part.intersection(self.box) for part in self.place.put(frame)), strict=True))

    @cached_property
    def others(self):
        """Polygons in mm of counties beyond the area, clipped to the map."""
        if self.whole:
            return []
        frame = self.series.counties[self.series.counties["city_code"].ne(self.code)]
        parts = (part.intersection(self.box) for part in self.place.put(frame))
        return [part for part in parts if not part.is_empty]

    @cached_property
    def lines(self):
        """Lines in mm: of the area's own counties; of those around, of all cities and of the province, on the map."""
        province = shapely.union_all(self.place.put(self.series.province))
        return {
            "county": borders(list(self.counties.values())),
            "around": shapely.union_all([part.boundary for part in self.others]) if self.others else None,
            "city": borders(list(self.place.put(self.series.cities))).intersection(self.box),
            "province": province.boundary.intersection(self.box),
        }

    @cached_property
    def vignette(self):
        """A band along the outside of a city, so that its own ground is told from its neighbours'."""
        return self.outline.buffer(1.4 * self.layout.type_).difference(self.outline).intersection(self.box)

    @cached_property
    def locator(self):
        """Outlines in metres for the overview: (province, {city: polygon}) in the region's own projection."""
        text = whole_projection(self.series.province).text
        cities = self.series.cities.geometry.to_crs(text).simplify(1000)
        return self.series.province.geometry.to_crs(text).union_all().simplify(1000), dict(cities.items())

    def points(self, lon, lat):
        """Return (x, y, on the map, in the area) of places in degrees."""
        x, y = self.place.point(lon, lat)
        left, bottom, right, top = self.layout.map
        on = (x > left + 1) & (x < right - 1) & (y > bottom + 1) & (y < top - 1)
        return x, y, on, shapely.contains_xy(self.outline, x, y) if len(x) else on


def compose(area, view):
    """Return the finished :class:`geo.press.Sheet`: its ``lacking`` tells which texts cannot be printed.

    ``sheet.labels`` is the :class:`geo.labels.Labels` of the map; ``sheet.parts`` {name: box} of what stands around it;
    ``sheet.left_out`` the names of counties for whose label there was no room.
    """
    sheet = Sheet(area.layout.size, area.type)
    sheet.area, sheet.parts, sheet.pending = area, {}, []
    _ground(sheet, area, view)
    _graticule(sheet, area)
    left, bottom, right, top = area.layout.map
    labels = sheet.labels = Labels(sheet, (left + 0.6, bottom + 0.6, right - 0.6, top - 0.6))
    if area.layout.where == "corner":
        labels.take(area.layout.panel)
    _theme(sheet, area, view, labels)
    _names(sheet, area, view, labels)
    _frame(sheet, area, view)
    _panel(sheet, area, view)
    return sheet


# --- the map --------------------------------------------------------------------------------------


def _ground(sheet, area, view):
    for polygon in area.others:
        sheet.shape(polygon, AROUND, z=0.3)
    if area.lines["around"] is not None:
        sheet.shape(area.lines["around"], edge=theme.PAPER, width=0.6 * area.layout.type_, z=0.3)
    if not area.whole:
        sheet.shape(area.vignette, VIGNETTE, z=0.8)
    for code, polygon in area.counties.items():
        fill = view.fills[code]
        if fill is None:
            sheet.shape(polygon, theme.NO_DATA, theme.QUIET, z=1, hatch=NO_DATA_HATCH)
        else:
            sheet.shape(polygon, fill, z=1)
    _line(sheet, area, area.lines["county"], BORDERS["county" if area.whole else "county_of_city"], 3)
    _line(sheet, area, area.lines["city"], BORDERS["city"], 4)
    _line(sheet, area, area.lines["province"], BORDERS["province"], 5.5)
    if not area.whole:
        _line(sheet, area, area.outline.boundary, BORDERS["area"], 6)


def _line(sheet, area, geometry, style, z):
    width = style["width"] * area.layout.type_
    sheet.shape(shapely.line_merge(geometry) if geometry.geom_type == "MultiLineString" else geometry,
                edge=style["colour"], width=width, z=z, dash=style.get("dash"))  # fmt: skip


def _graticule(sheet, area):
    """Draw meridians and parallels under the area, and their degrees in the band between map and frame."""
    left, bottom, right, top = box = area.layout.map
    lons, lats = area.place.degrees([left, right, left, right], [bottom, bottom, top, top])
    step = round_step(min(np.ptp(lons), np.ptp(lats)) / 4)
    decimals = max(0, int(np.ceil(-np.log10(step))))
    points, tick = 5.2 * area.layout.type_, 1.0
    along_lons = np.linspace(lons.min() - step, lons.max() + step, 60)
    along_lats = np.linspace(lats.min() - step, lats.max() + step, 60)
    meridians, parallels = multiples(step, lons), multiples(step, lats)

    def degrees(x, y, said, turn):
        sheet.text(x, y, said, points, colour=theme.QUIET, ha="center", z=10, turn=turn)

    for lon, line in zip(meridians, grid(sheet, area.place, *np.meshgrid(meridians, along_lats), box), strict=True):
        if line.is_empty:
            continue
        said = f"{lon:.{decimals}f}°E"
        for x, y in (line.coords[0], line.coords[-1]):
            if left + 8 < x < right - 8 and min(abs(y - bottom), abs(y - top)) < 0.01:
                below = abs(y - bottom) < abs(y - top)
                sheet.rule([(x, y), (x, y - tick if below else y + tick)], 0.4, theme.INK, z=10)
                degrees(x, bottom - 3.0 * area.layout.type_ if below else top + 1.5 * area.layout.type_, said, 0)
    crossed = np.meshgrid(parallels, along_lons)[::-1]
    for lat, line in zip(parallels, grid(sheet, area.place, *crossed, box), strict=True):
        if line.is_empty:
            continue
        said = f"{lat:.{decimals}f}°N"
        for x, y in (line.coords[0], line.coords[-1]):
            if bottom + 8 < y < top - 8 and min(abs(x - left), abs(x - right)) < 0.01:
                west = abs(x - left) < abs(x - right)
                sheet.rule([(x, y), (x - tick if west else x + tick, y)], 0.4, theme.INK, z=10)
                degrees(left - 1.5 * area.layout.type_ if west else right + 3.0 * area.layout.type_, y, said, 90)


def _theme(sheet, area, view, labels):
    """Draw what lies over the ground: reach, borders of groups, spokes and symbols, which labels then keep clear of."""
    factor = area.layout.type_
    for reach in view.reaches:
        x, y = area.place.point(reach.lon, reach.lat)
        circles = shapely.buffer(shapely.points(x, y), area.place.mm(reach.km), quad_segs=24)
        cover = shapely.union_all(circles).intersection(area.outline)
        sheet.shape(cover, fill=reach.fill, edge=theme.ACCENT, width=LINE["circle"] * factor, z=1.5)
    if view.groups:
        _group_borders(sheet, area, view)
    for spokes in view.spokes:
        x, y = area.place.point(spokes.lon, spokes.lat)
        to_x, to_y = area.place.point(spokes.to_lon, spokes.to_lat)
        rays = shapely.linestrings(np.stack([np.stack([x, y], -1), np.stack([to_x, to_y], -1)], axis=1))
        rays = shapely.union_all(shapely.intersection(rays, area.box))
        sheet.shape(rays, edge=theme.LINE_CITY, width=SPOKE * factor, z=5.8)
    for signs in view.signs:
        _signs(sheet, area, signs, labels)


def _group_borders(sheet, area, view):
    """Draw borders between groups of counties, pale beneath and dark above, so that they show on any fill."""
    codes = list(area.counties)
    polygons = np.array(list(area.counties.values()), dtype=object)
    of = np.array([view.groups.get(code) or "" for code in codes])
    parts = [shapely.union_all(polygons[of == group]) for group in sorted(set(of))]
    inner = shapely.line_merge(borders(parts).difference(area.outline.boundary.buffer(0.05)))
    style = BORDERS["group"]
    sheet.shape(inner, edge=theme.PAPER, width=2.3 * style["width"] * area.layout.type_, z=5)
    sheet.shape(inner, edge=style["colour"], width=style["width"] * area.layout.type_, z=5.1, dash=style["dash"])


def _signs(sheet, area, signs, labels):
    """Draw symbols that are on the map; those beyond the area stay pale. What lies in the area takes its room."""
    x, y, on, own = area.points(signs.lon, signs.lat)
    factor = area.layout.type_
    style = dict(signs.style)
    points = np.array(signs.sizes if signs.sizes is not None else [style["points"]] * len(x), dtype=float) * factor
    for chosen, pale in ((on & ~own, True), (on & own, False)):
        for size in sorted(set(points[chosen]), reverse=True):
            of = chosen & (points == size)
            how = style | {"points": size, "width": style["width"] * factor}
            if pale:
                how |= {"fill": theme.PAPER, "edge": theme.QUIET}
            sheet.signs(x[of], y[of], z=6.5 if pale else 7, name=None if pale else signs.name, **how)
    for number in np.flatnonzero(on & own):
        across = points[number] * MM_PER_POINT + 0.3
        labels.take(boxes_about(x[number], y[number], across, across))
        if signs.inside is not None:
            size = min(points[number] * 0.6, 7 * factor)
            colour = theme.text_on(style["fill"])
            said = signs.inside[number]
            sheet.text(x[number], y[number] - middle_of(size), said, size, True, colour, "center", z=8)
    if signs.labels is not None:
        rows = [(x[n], y[n], points[n], signs.labels[n], signs.always) for n in np.flatnonzero(on & own)]
        sheet.pending += rows


def _names(sheet, area, view, labels):
    """Write names and figures: cities on the province's sheet, then counties, then symbols, then the neighbours."""
    factor, series = area.layout.type_, area.series
    kind = "whole" if area.whole else "city"
    first = [row for row in sheet.pending if row[-1]]
    for x, y, points, said, _ in first:
        lines = [(plain(said), SIZE["text"] * factor, True)]
        beside(labels, "sign", x, y, points * MM_PER_POINT / 2 + 0.8, lines, theme.INK, theme.PAPER)
    if area.whole:
        _city_names(sheet, area, view, labels)
    sizes = tuple(points * factor for points in COUNTY_SIZES[kind])
    # The smallest counties have the least choice, so they choose first; ties by code.
    order = sorted(area.counties, key=lambda code: (area.counties[code].area, code))
    rows = [
        (area.counties[code], series.counties.at[code, "name"], view.figures.get(code, ""), view.fills[code])
        for code in order
    ]
    rows = [(polygon, name, figure, theme.NO_DATA if fill is None else fill) for polygon, name, figure, fill in rows]
    rest = in_counties(labels, rows, sizes, 0.5 if area.whole else 1.0, view.brief)
    reach = LEADER_REACH[kind] * factor
    if not (view.brief and area.whole):
        rest = on_leaders(labels, rest, area.outline, sizes[-2], reach, 1.5 if area.whole else 3.0)
    rest = at_least(labels, rest, sizes[-1], 0.5)
    sheet.left_out = [plain(name) for _, name, _, _ in rest]
    for x, y, points, said, _ in (row for row in sheet.pending if not row[-1]):
        lines = name_lines(said, SIZE["county"] * factor, area.type, 26 * factor)
        beside(labels, "sign", x, y, points * MM_PER_POINT / 2 + 0.7, lines, theme.LINE_CITY, theme.PAPER)
    if not area.whole:
        _neighbours(area, labels)


def _city_names(sheet, area, view, labels):
    frame = area.series.cities
    factor = area.layout.type_ * (FIGURE_CITY if area.layout.bare else 1.0)
    x, y = area.place.point(frame["lon"], frame["lat"])
    marked = labels.taken_by(boxes_about(x, y, 0.2, 0.2)) > 0  # by a centre or a station
    for at in np.flatnonzero(~marked):
        sheet.signs([x[at]], [y[at]], z=8, **SEAT | {"points": SEAT["points"] * factor})
        labels.take(boxes_about(x[at], y[at], 1.3 * factor, 1.3 * factor))
    for code, name, seat_x, seat_y in zip(frame.index, frame["name"], x, y, strict=True):
        lines = name_lines(name, SIZE["city"] * factor, area.type, 26 * factor, bold=True)
        figure = view.city_figures.get(code, "")
        lines += [(figure, SIZE["small"] * factor, True)] if figure else []
        how = {"polygon": area.cities[code], "always": True}
        beside(labels, "city", seat_x, seat_y, 1.9 * factor, lines, theme.INK, theme.PAPER, **how)


def _neighbours(area, labels):
    """Write the names of the cities around, quietly, where there is room for them."""
    points = SIZE["city"] * area.layout.type_
    for code, part in area.cities.items():
        ground = part.difference(area.vignette.buffer(0.5))
        if code == area.code or ground.is_empty:
            continue
        lines = name_lines(area.series.cities.at[code, "name"], points, area.type, 30 * area.layout.type_)
        largest = max(shapely.get_parts(ground), key=lambda each: each.area)
        box = inside(labels, largest, *size_of(lines, area.type), 1.0)
        if box is not None:
            labels.write("neighbour", box, lines, theme.QUIET, AROUND)


# --- around the map -------------------------------------------------------------------------------


def _frame(sheet, area, view):
    """Draw head, foot and frame."""
    series, layout, factor = area.series, area.layout, area.layout.type_
    left, floor, right, ceiling = layout.frame
    inner = right - left
    y = layout.top
    if not layout.bare:
        aside = area.type.width(plain(view.number), SIZE["subtitle"] * factor) + 4
        sizes = [points * factor for points in (SIZE["title"], 15, 13, 11.5, 10, 8.5)]
        title = plain(view.title)
        size = next((each for each in sizes if area.type.width(title, each, True) <= inner - aside), sizes[-1])
        y -= SIZE["title"] * 0.92 * factor * MM_PER_POINT
        sheet.paragraph(left, y, title, size, inner - aside, most=1, bold=True)
        sheet.text(right, y, view.number, SIZE["subtitle"] * factor, colour=theme.QUIET, ha="right")
        y -= SIZE["subtitle"] * 1.5 * factor * MM_PER_POINT
        sheet.paragraph(left, y, view.subtitle, SIZE["subtitle"] * factor, inner, theme.QUIET, most=1)
        sheet.parts["title"] = shapely.box(left, y - 1, right, layout.top)
    if series.interim:
        points = SIZE["small" if layout.bare else "text"] * factor
        y -= leading(points) if not layout.bare else points * MM_PER_POINT
        sheet.paragraph(left, y, series.interim, points, inner, theme.ALARM, bold=True)
    foot = SIZE["foot"] * factor
    y = floor - foot * MM_PER_POINT - 1.4 * factor
    for line in area.foot(inner, foot, view.counted):
        sheet.text(left, y, line, foot, colour=theme.QUIET)
        y -= leading(foot)
    _rectangle(sheet, layout.frame, 0.9 * factor, theme.INK)
    _rectangle(sheet, layout.map, 0.45 * factor, theme.INK)
    if layout.where == "corner":
        sheet.shape(shapely.box(*layout.panel), fill=theme.PAPER, z=7.8)
        _rectangle(sheet, layout.panel, 0.45 * factor, theme.INK)
    elif layout.where == "side":
        sheet.rule([(layout.panel[0], floor), (layout.panel[0], ceiling)], 0.45 * factor, theme.INK, z=10)
    else:
        sheet.rule([(left, layout.panel[3]), (right, layout.panel[3])], 0.45 * factor, theme.INK, z=10)


def _rectangle(sheet, box, width, colour):
    left, bottom, right, top = box
    ring = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    sheet.rule(ring, width, colour, z=10)


def _panel(sheet, area, view):
    """Draw legend, overview, scale, north and imprint beside or below the map, in type as small as it must be."""
    left, bottom, right, top = area.layout.panel
    pad = 3.0 * area.layout.type_
    box = (left + pad, bottom + pad * 0.7, right - pad, top - pad)
    arrange = _beside_the_map if area.layout.where != "below" else _below_the_map
    for shrink in SHRINK:
        parts = arrange(area, view, box, area.layout.type_ * shrink)
        if parts is not None:
            break
    else:
        parts = arrange(area, view, box, area.layout.type_ * SHRINK[-1], squeeze=True)
    for draw, where in parts:
        name, used = draw(sheet, *where)
        if used is not None:
            sheet.parts[name] = used if name not in sheet.parts else shapely.union(sheet.parts[name], used).envelope


def _beside_the_map(area, view, box, factor, squeeze=False):
    """Return [(draw, arguments)]: the legend from the top down, the rest from the bottom up; None if they meet."""
    left, bottom, right, top = box
    wide = right - left
    columns, floor = [], bottom
    imprint = _Imprint(area, factor, wide)
    columns.append((imprint.draw, (left, floor + imprint.high)))
    floor += imprint.high + (3.5 * factor if imprint.high else 0)
    scale = _Scale(area, factor, wide)
    columns.append((scale.draw, (left, floor)))
    floor += scale.high + 3.5 * factor
    if not area.whole:
        overview = _Overview(area, factor, wide, 36 * factor)
        columns.append((overview.draw, (left, floor)))
        floor += overview.high + 3.5 * factor
    blocks = [_KeyBlock(area, key, factor, wide) for key in view.keys]
    high = sum(block.high for block in blocks) + 2.6 * factor * (len(blocks) - 1)
    if top - high < floor and not squeeze:
        return None
    y = top
    for block in blocks:
        columns.append((block.draw, (left, y)))
        y -= block.high + 2.6 * factor
    return columns


def _below_the_map(area, view, box, factor, squeeze=False):
    """Return [(draw, arguments)]: legend in columns at the left, overview and scale, the imprint at the right."""
    left, bottom, right, top = box
    high = top - bottom
    gap = 5.0 * factor
    last = (right - left) * (0.27 if not area.layout.bare else 0.0)
    middle = (right - left) * 0.22 if not area.layout.bare else (right - left) * 0.25
    wide = right - left - last - middle - (2 if last else 1) * gap
    parts = []
    imprint = _Imprint(area, factor, last) if last else None
    if imprint:
        if imprint.high > high and not squeeze:
            return None
        parts.append((imprint.draw, (right - last, top)))
    x = left + wide + gap
    scale = _Scale(area, factor, middle)
    parts.append((scale.draw, (x, bottom)))
    if not area.whole:
        overview = _Overview(area, factor, middle, min(high - scale.high - 4 * factor, 40 * factor))
        parts.append((overview.draw, (x, bottom + scale.high + 3.5 * factor)))
    for number in (1, 2, 3, 4):
        each = (wide - gap * (number - 1)) / number
        if each < 36 * factor:
            break
        placed_blocks = _flowed(area, view, factor, each, number, high)
        if placed_blocks is not None:
            for block, column, down in placed_blocks:
                parts.append((block.draw, (left + column * (each + gap), top - down)))
            return parts
    if not squeeze:
        return None
    blocks = [_KeyBlock(area, key, factor, wide) for key in view.keys]
    return parts + [(block.draw, (left, top)) for block in blocks]


def _flowed(area, view, factor, wide, number, high):
    """Return (block, column, mm down) of each part of the legend in ``number`` columns; None if they need more."""
    done, column, down = [], 0, 0.0
    for block in (_KeyBlock(area, key, factor, wide) for key in view.keys):
        if down and down + block.high > high:
            column, down = column + 1, 0.0
        if column >= number or block.high > high:
            return None
        done.append((block, column, down))
        down += block.high + 2.6 * factor
    return done


class _KeyBlock:
    """One :class:`Key` laid out for a width."""

    def __init__(self, area, key, factor, wide):
        self.key, self.factor, self.wide, self.type = key, factor, wide, area.type
        self.size, self.row = SIZE["small"] * factor, ROW_HIGH * factor
        self.aside = 8.6 * factor
        counted = plain(key.counted)
        self.note = SIZE["note"] * factor
        room = wide - (self.type.width(counted, self.note) + 2 * factor if counted else 0)
        self.head = fitted(key.title, self.size, room, None, True, self.type)
        self.rows = []
        for row in key.rows:
            count = self.type.width(row.count, self.size) + 2 * factor if row.count else 0
            self.rows.append(fitted(row.said, self.size, wide - self.aside - count, None, False, self.type))
        line = leading(self.size)
        self.extra = [(len(lines) - 1) * line * 0.9 for lines in self.rows]
        self.top = self.size * MM_PER_POINT * 0.9
        self.high = self.top + (len(self.head) - 1) * line * 0.9 + len(self.rows) * self.row + sum(self.extra) + 0.8

    def draw(self, sheet, x, y):
        size, key = self.size, self.key
        top, line = y, leading(self.size)
        y -= self.top
        if key.counted:
            sheet.text(x + self.wide, y, key.counted, self.note, colour=theme.QUIET, ha="right")
        for number, said in enumerate(self.head):
            sheet.text(x, y - number * line * 0.9, said, size, True)
        y -= (len(self.head) - 1) * line * 0.9
        for row, lines, extra in zip(key.rows, self.rows, self.extra, strict=True):
            y -= self.row
            self._mark(sheet, row, x, y)
            for number, said in enumerate(lines):
                sheet.text(x + self.aside, y - number * line * 0.9, said, size)
            if row.count:
                sheet.text(x + self.wide, y, row.count, size, ha="right")
            y -= extra
        return "legend", shapely.box(x, top - self.high, x + self.wide, top)

    def _mark(self, sheet, row, x, y):
        factor = self.factor
        middle, wide = y + middle_of(self.size), 6.6 * factor
        if row.fill is not None:
            box = shapely.box(x, middle - 1.6 * factor, x + wide, middle + 1.6 * factor)
            hatch = NO_DATA_HATCH if row.hatch else None
            sheet.shape(box, row.fill, theme.QUIET if row.hatch else row.edge, 0.35, z=8, hatch=hatch)
        if row.line is not None:
            how = {"width": row.line["width"] * factor, "colour": row.line["colour"], "dash": row.line.get("dash")}
            sheet.rule([(x, middle), (x + wide, middle)], z=8, **how)
        if row.sign is not None:
            how = dict(row.sign) | {"points": row.sign["points"] * factor, "width": row.sign["width"] * factor}
            sheet.signs([x + wide / 2], [middle], z=8, **how)


class _Scale:
    """Line scale, numeric scale and north arrow in one row."""

    def __init__(self, area, factor, wide):
        self.area, self.factor, self.wide = area, factor, wide
        self.high = 15.0 * factor

    def draw(self, sheet, x, y):
        area, factor, words = self.area, self.factor, self.area.series.words
        small = SIZE["small"] * factor
        unit = words("series.km")
        long_room = self.wide - 12 * factor - area.type.width(unit, small) - 6 * factor
        whole = round_step(long_room * area.place.scale / 1_000_000)
        long, left, bar = area.place.mm(whole), x + 2 * factor, y + 6.4 * factor
        for part in range(4):
            x0, x1 = left + long * part / 4, left + long * (part + 1) / 4
            fill = theme.INK if part % 2 == 0 else theme.PAPER
            sheet.shape(shapely.box(x0, bar, x1, bar + 1.1 * factor), fill=fill, edge=theme.INK, width=0.4, z=8)
        sheet.rule([(left, bar + 0.5), (left + long, bar + 0.5)], 0.1, theme.INK, z=7, name="scale_bar")
        for share in (0, 0.5, 1):
            said = f"{whole * share:g}"
            sheet.text(left + long * share, bar + 2.3 * factor, said, small * 0.9, ha="center")
        after = area.type.width(f"{whole:g}", small * 0.9) / 2 + 1.0 * factor
        sheet.text(left + long + after, bar + 2.3 * factor, unit, small * 0.9)
        said = ratio(area.place.scale)
        if not area.series.bare:
            said = words("series.scale", ratio=said, paper=area.series.paper)
        sheet.text(left, y + 1.6 * factor, said, small)
        _north(sheet, x + self.wide - 4 * factor, y + 2.0 * factor, factor, words)
        return "scale", shapely.box(x, y, x + self.wide, y + self.high)


def _north(sheet, x, y, factor, words):
    high, half_wide = 8.6 * factor, 2.1 * factor
    for side, fill in ((-1, theme.INK), (1, theme.PAPER)):
        half = shapely.Polygon([(x, y + high), (x, y + 2.0 * factor), (x + side * half_wide, y)])
        sheet.shape(half, fill=fill, edge=theme.INK, width=0.5 * factor, z=8)
    sheet.text(x, y + high + 0.9 * factor, words("series.north"), SIZE["small"] * factor, bold=True, ha="center")


class _Overview:
    """The region with the sheet's city marked."""

    def __init__(self, area, factor, wide, high):
        self.area, self.factor, self.wide, self.high = area, factor, wide, max(high, 12.0)

    def draw(self, sheet, x, y):
        area, factor = self.area, self.factor
        province, cities = area.locator
        west, south, east, north = province.bounds
        head = SIZE["note"] * factor * MM_PER_POINT * 1.5
        mm = min(self.wide / (east - west), (self.high - head) / (north - south))
        dx = x + (self.wide - mm * (east - west)) / 2 - west * mm
        matrix = [mm, 0, 0, mm, dx, y - south * mm]
        sheet.text(x, y + self.high - head * 0.6, area.series.words("series.overview"), SIZE["note"] * factor,
                   colour=theme.QUIET)  # fmt: skip
        move = shapely.affinity.affine_transform
        for code, polygon in cities.items():
            own = code == area.code
            fill = theme.ACCENT if own else AROUND
            sheet.shape(move(polygon, matrix), fill=fill, edge=theme.PAPER, width=0.4 * factor, z=8)
        sheet.shape(move(province, matrix).boundary, edge=theme.LINE_CITY, width=0.6 * factor, z=8.1)
        return "inset", shapely.box(x, y, x + self.wide, y + self.high)


class _Imprint:
    """Who, when, on what coordinates, under which review; nothing on a figure of a document."""

    def __init__(self, area, factor, wide):
        self.area, self.factor, self.wide = area, factor, wide
        self.size = SIZE["note"] * factor
        self.rows = [] if area.series.bare else self._rows()
        names = [name for name, _ in self.rows]
        self.across = max((area.type.width(name, self.size) for name in names), default=0) + 2.5 * factor
        self.lines = [
            (name, fitted(value, self.size, wide - self.across, None, name == names[-1], area.type))
            for name, value in self.rows
        ]
        self.high = sum(max(len(lines), 1) * leading(self.size) + 0.7 * factor for _, lines in self.lines)

    def _rows(self):
        series, words, projection = self.area.series, self.area.series.words, self.area.projection
        if projection.epsg:
            said = words("series.zone", epsg=projection.epsg)
            if projection.seam is not None:
                said += words("series.seam", seam=f"{projection.seam:g}")
        else:
            said = words("series.local", factor=projection.factor)
        return [
            (words("series.organisation"), plain(series.imprint.organisation)),
            (words("series.date"), plain(series.imprint.date)),
            (words("series.coordinates"), words("series.cgcs2000")),
            (words("series.projection"), said),
            (words("series.meridian"), f"{projection.meridian}°E"),
            (words("series.review"), plain(series.imprint.review) or words("series.review_none")),
        ]

    def draw(self, sheet, x, y):
        top = y
        for number, (name, lines) in enumerate(self.lines):
            y -= self.size * MM_PER_POINT * 0.9
            sheet.text(x, y, name, self.size, colour=theme.QUIET)
            if not lines:
                sheet.rule([(x + self.across, y - 0.6), (x + self.wide, y - 0.6)], 0.35, theme.QUIET)
            for row, line in enumerate(lines):
                last = number == len(self.lines) - 1
                sheet.text(x + self.across, y - row * leading(self.size), line, self.size, last)
            y -= max(len(lines), 1) * leading(self.size) + 0.7 * self.factor - self.size * MM_PER_POINT * 0.9
        if not self.lines:
            return "imprint", None
        return "imprint", shapely.box(x, y, x + self.wide, top)
