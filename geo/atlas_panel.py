"""What stands around a sheet's map: head, foot and frame, legend, overview, scale, north arrow and imprint."""

import shapely

from geo import theme
from geo.atlas_views import AROUND
from geo.frame_parts import SIZE, ratio, round_step
from geo.press import (
    MM_PER_POINT,
    NO_DATA_HATCH,
    fitted,
    leading,
    middle_of,
    plain,
)

SHRINK = (1.0, 0.93, 0.86, 0.8, 0.74, 0.68, 0.6)  # of the panel's type, until all of it fits
ROW_HIGH = 4.4


def frame(sheet, area, view):
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


def draw_panel(sheet, area, view):
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
