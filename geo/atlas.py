"""The sheets of a series: a view in, one page out as PDF, PNG and SVG; the province or one city, one theme.

What all sheets share is a :class:`Series`, what one of them shows a :class:`View`: geometries, colours, figures, signs
and ready text, nothing of a plan. An :class:`Atlas` works an area's geometry out once and draws each theme on it.
"""

import gc
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely

from geo import theme
from geo.atlas_panel import draw_panel, frame
from geo.atlas_views import AROUND, BORDERS, SEAT, SPOKE
from geo.faults import Rejected
from geo.frame_parts import SIZE, borders, grid, multiples, round_step
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

FORMATS = ("pdf", "png", "svg")
VIGNETTE = theme.tint(theme.LINE_CITY, 0.28)
FIGURE_CITY = 0.8  # of the size of a city's name, on a figure a third as large as a sheet
COUNTY_SIZES = {"whole": (6.2, 5.6, 5.0, 4.6), "city": (9.5, 8.5, 7.5, 6.5, 5.6, 5.0)}
LEADER_REACH = {"whole": 56.0, "city": 70.0}


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
    frame(sheet, area, view)
    draw_panel(sheet, area, view)
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
