"""The print map: a finished plan goes in, one A4 sheet comes out as PDF and PNG, as Chinese plan documents have it.

The page is drawn in millimetres from its lower left corner, so 1 : 4,000,000 is 4 km to the millimetre by construction.
Type is measured from the shipped fonts, and a sign that they lack stops the sheet before anything is written.
"""

from pathlib import Path

import numpy as np
import shapely
from shapely.affinity import translate

from geo import theme
from geo.faults import Rejected
from geo.frame_parts import (
    SCALES,
    SIZE,
    Place,
    block_size,
    borders,
    box_about,
    grid,
    inside,
    multiples,
    north_arrow,
    ratio,
    round_step,
    swatch,
    write_block,
)
from geo.press import (
    DPI,
    LINE,
    MM_PER_POINT,
    NO_DATA_HATCH,
    Sheet,
    face,
    fitted,
    leading,
    middle_of,
    missing_glyphs,
    plain,
    printing,
    shortened,
    wrapped,
)
from geo.print_signs import (
    BORDER_STYLES,
    CENTRE_STYLES,
    REACH_FILLS,
    SEAT_STYLE,
    STATION_STYLES,
    UNCOVERED_STYLES,
)
from geo.region import local_projection

LEFT, RIGHT, TOP, BOTTOM = 12.0, 198.0, 287.5, 10.0
PAD = 3.0
EDGE = 1.5  # between a map and the frame
OUTLINES_APART = 5.0  # at least, between the two maps
LEGEND_HIGH = 34.5
ROOM_ABOVE_AND_BELOW = 10.0  # of a map in its box, for the degrees below it
ROW_HIGH = 4.3
HEAD_LINES = 14  # of sentences above the maps
CITY_NAME_WIDE = 24.0
SOURCE_LINES = 8


def plan_sheet(view, pdf_path, png_path, organisation="", data_date="", review_number=""):
    """Write the print map of a :class:`geo.maps.MapView` as one A4 page: a vector PDF and a PNG of 300 dpi.

    organisation   who made the map; a line to write on where it is not given
    data_date      the date of the data, as text; likewise. Never the clock: the same view gives the same bytes
    review_number  审图号 as granted; without one the sheet says that it is an unreviewed working copy
    Raises :class:`geo.faults.Rejected`, before either file is touched: each text and the signs that the fonts lack.
    """
    with printing():
        sheet = compose(view, organisation, data_date, review_number)
        if sheet.lacking:
            raise Rejected(missing_glyphs(sheet.lacking, Path(pdf_path).name))
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


# --- where the maps stand -------------------------------------------------------------------------


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
    step = round_step(min(np.ptp(lons), np.ptp(lats)) / 3)
    decimals = max(0, int(np.ceil(-np.log10(step))))
    along_lons = np.linspace(lons.min() - step, lons.max() + step, 60)
    along_lats = np.linspace(lats.min() - step, lats.max() + step, 60)
    meridians, parallels = multiples(step, lons), multiples(step, lats)
    for lon, line in zip(meridians, grid(sheet, place, *np.meshgrid(meridians, along_lats), box), strict=True):
        x = line.coords[0][0]
        if left + 5 < x < right - 5:
            sheet.rule([(x, bottom), (x, bottom + 1.2)], 0.4, theme.LINE_CITY)
            sheet.text(x, bottom + 1.9, f"{lon:.{decimals}f}°E", 5, colour=theme.QUIET, ha="center")
    inward, ha, end = (1, "left", 0) if side == left else (-1, "right", -1)
    crossed = np.meshgrid(parallels, along_lons)[::-1]
    for lat, line in zip(parallels, grid(sheet, place, *crossed, box), strict=True):
        y = line.coords[end][1]
        room = shapely.LineString([(side, y), (side + 8 * inward, y)]).buffer(1)
        if bottom + 6 < y < top - 16 and not room.intersects(outlines):
            sheet.rule([(side, y), (side + 1.2 * inward, y)], 0.4, theme.LINE_CITY)
            said = f"{lat:.{decimals}f}°N"
            sheet.text(side + 1.7 * inward, y - middle_of(5), said, 5, colour=theme.QUIET, ha=ha)


def _scale_bar(sheet, place, outlines, shelf, words):
    """Draw line scale, numeric scale and north arrow below a map: as far right as they hit no land of either map."""
    whole = round_step(30 * place.scale / 1_000_000)  # km, at most 30 mm long
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
    north_arrow(sheet, left + long + 9, y - 1, words)


# --- the two maps ---------------------------------------------------------------------------------


def _ground(sheet, view, place, fills, county_line):
    """Draw counties, city borders and the province's outline; return the county polygons in millimetres."""
    counties, cities = place.put(view.counties), place.put(view.cities)
    province = shapely.union_all(place.put(view.province))
    for polygon, fill in zip(counties, fills, strict=True):
        no_data = fill == theme.NO_DATA
        sheet.shape(polygon, fill, theme.QUIET if no_data else "none", hatch=NO_DATA_HATCH if no_data else None)
    # Shared borders are merged first, so that no line is drawn twice.
    sheet.shape(borders(counties), edge=county_line, width=LINE["county"], z=3)
    sheet.shape(borders(cities), edge=theme.LINE_CITY, width=LINE["city"], z=4)
    sheet.shape(province.boundary, edge=theme.INK, width=LINE["province"], z=6)
    return counties, cities, province


def _beds_map(sheet, view, place):
    """Draw planned beds per 1,000 by county, the centres' catchments, and names and figures wherever they fit."""
    colours = theme.sequential(len(theme.BEDS_PER_1000) + 1)
    classes = [theme.class_of(value, theme.BEDS_PER_1000) for value in view.counties["plan_per_1000"]]
    fills = [theme.NO_DATA if number is None else colours[number] for number in classes]
    counties, cities, province = _ground(sheet, view, place, fills, BORDER_STYLES["county"]["colour"])
    _catchmentborders(sheet, view, counties, province)
    taken = _centres(sheet, view, place)
    lone = view.cities[~view.cities["code"].isin(view.centres["city_code"])]
    sheet.signs(*place.point(lone["lon"], lone["lat"]), "circle", z=8, **SEAT_STYLE)
    figures = [theme.figure(value) for value in view.cities["plan_per_1000"]]
    taken += _city_names(sheet, view, place, cities, figures, taken)
    _county_names(sheet, view, counties, fills, taken)


def _catchmentborders(sheet, view, counties, province):
    """Draw the borders between the centres' catchments, pale beneath and dark above, so that they show on any fill."""
    served = view.counties["centre_city_code"].fillna("")
    polygons = np.array(counties, dtype=object)
    catchments = [shapely.union_all(polygons[served.eq(code).to_numpy()]) for code in sorted(set(served))]
    inner = borders(catchments).difference(province.boundary.buffer(0.05))
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
        boxes.append(box_about(x, y, across, across))
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
        box = _least_hiding(seat_x, seat_y, *block_size(lines, bold=True), polygon, [*taken, *seats, *boxes], clear)
        write_block(sheet, box, lines, theme.INK, theme.PAPER, bold=True, z=9.5)
        boxes.append(box.buffer(0.4, cap_style="square", join_style="mitre"))
    return boxes + seats


def _least_hiding(x, y, wide, high, polygon, taken, clear):
    """Return the box of a label beside a point: of eight directions the one that hits and leaves ``polygon`` least."""
    best, least = None, np.inf
    for order, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))):
        box = box_about(x + dx * (wide / 2 + clear), y + dy * (high / 2 + clear), wide, high)
        outside = 1 - box.intersection(polygon).area / box.area
        cost = 10 * sum(box.intersects(other) for other in taken) + 3 * outside + order / 10
        if cost < least:
            best, least = box, cost
    return best


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
            box = inside(polygon, *block_size(lines, bold=False), taken)
            if box is not None:
                write_block(sheet, box, lines, theme.text_on(fill), fill, bold=False, z=9)
                taken.append(box)
                break


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
        swatch(sheet, x, at, colour, hatch=NO_DATA_HATCH if colour == theme.NO_DATA else None)
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
            swatch(sheet, x, at, REACH_FILLS[setting], theme.ACCENT)
        persons = view.uncovered.loc[view.uncovered["setting"].eq(setting), "persons"].sum()
        at = row(3 + len(statuses) + number, words(f"atlas.uncovered_{setting}") + theme.MARKS["modelled"], persons)
        # Rural points stand beside one another on the map, so their key is a patch of them.
        grid = np.arange(-1.5, 1.6, 0.5) if setting == "rural" else np.zeros(1)
        dx, dy = (offsets.ravel() for offsets in np.meshgrid(grid, grid[np.abs(grid) <= 0.5]))
        sheet.signs(x + 3.5 + dx, at + middle_of(size) + dy, **UNCOVERED_STYLES[setting])


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
