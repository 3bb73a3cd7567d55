"""The workbook's charts: native ones, that an office can restyle and copy, with the figures they show below them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np

from geo.theme import ACCENT, ALARM, INK, LINE_CITY, LINE_COUNTY, MARKS, PAPER, QUIET
from planner.report.sheet_parts import FONT, column_letters, lines_needed, page, quoted
from planner.report.tables import absent, rounded
from planner.rounding import half_up

KEY_WIDTH, SAID_WIDTH, AREA_WIDTH = 12, 24, 6.3  # narrow characters
PIXELS = 7  # of a narrow character; 5 more a column
PAGE_PIXELS = 698  # between the margins of A4
TOP_ROWS = 3  # title, note, a gap
ROW_PIXELS, ROW_POINTS = 20, 15
PAGE_POINTS, TOP_POINTS = 748, 60  # of A4 between the margins, of the title and its note
ROUND_STATIONS = 20  # where the curve's lower axis begins is a multiple of it
ON_A_PAGE, SPARE_ROWS = 3, 3  # charts; rows after them that keep the next chart off the page
MANY = 12  # areas from which a chart's figures have fewer decimals
FIRST_AREA = 2  # column of the first area, counted from 0
SOFT = LINE_COUNTY  # what is there today steps back behind what is planned


@dataclass(frozen=True)
class Line:
    """One line of the figures: its machine name, what it says, a value for each area (None = absent), its decimals."""

    key: str
    said: str
    values: list
    decimals: int


def chart_lines(tables, words, *, whole=True):
    """Return (codes, names, lines) of what the charts show: by city, or by county for one city.

    lines  list of :class:`Line`: beds per 1,000, shares of people covered, ambulances, and each city's counties from
           the most to the fewest beds per 1,000
    """
    level = "city" if whole else "county"
    areas = tables[f"beds_by_{level}"]
    codes, names = areas["code"].tolist(), areas["name"].tolist()
    modelled, none = MARKS["modelled"], [None] * len(codes)
    target = areas["target_per_1000"] if whole else [tables["beds_by_city"]["target_per_1000"].iloc[0]] * len(codes)
    lines = [
        Line("now_per_1000", words("worksheet.line.now") + modelled, _plain(areas["now_per_1000"]), 2),
        Line("plan_per_1000", words("worksheet.line.plan"), _plain(areas["plan_per_1000"]), 2),
        Line("target_per_1000", words("worksheet.line.target"), _plain(target), 2),
    ]
    if f"coverage_by_{level}" in tables:
        by = tables[f"coverage_by_{level}"].set_index(["code", "setting"])
        for setting in ("urban", "rural"):
            for when, column in (("now", "covered_now"), ("plan", "covered")):
                said = words(f"worksheet.line.{setting}_{when}") + modelled
                lines.append(Line(f"{setting}_{when}", said, [_share(by, code, setting, column) for code in codes], 1))
    if whole and "ambulances_by_city" in tables:
        fleet = tables["ambulances_by_city"].set_index("code").reindex(codes)
        for column in ("required", "plan"):
            said = words(f"worksheet.line.vehicles_{column}")
            lines.append(Line(f"vehicles_{column}", said, _plain(fleet[column]), 0))
    if whole and "beds_by_county" in tables:
        county = tables["beds_by_county"]
        each = [_plain(county.loc[county["city_code"].eq(code), "plan_per_1000"]) for code in codes]
        each = [sorted((value for value in values if value is not None), reverse=True) for values in each]
        for n in range(max(map(len, each), default=0)):
            said = words("worksheet.line.county", number=n + 1)
            values = [values[n] if n < len(values) else none[0] for values in each]
            lines.append(Line(f"county_{n + 1}", said, values, 2))
    return codes, names, lines


def _plain(values):
    return [None if absent(value) else value for value in list(values)]


def _share(by, code, setting, column):
    """Return the people covered in per cent, one decimal; None where nobody lives."""
    persons = int(by.at[(code, setting), "persons"]) if (code, setting) in by.index else 0
    if not persons:
        return None
    return half_up(Fraction(1000 * int(by.at[(code, setting), column]), persons)) / 10


def write_charts(book, sheet, tables, places, summary, styles, words, *, whole=True):
    """Write the sheet of charts: of the cities, or of one city's counties."""
    codes, names, lines = chart_lines(tables, words, whole=whole)
    kinds = [kind for kind in KINDS if kind.drawn(lines, tables, whole)]
    starts, tall = _starts(len(kinds), len(codes))
    start = starts.pop()
    _page(sheet, len(codes), starts, start, summary, words)
    rows = _figures(sheet, start, codes, names, lines, styles, words)
    there = _There(quoted(sheet.get_name()), rows, start + 1, len(codes), places, tables, words, lines, whole)
    width = min(max(PAGE_PIXELS, _pixels(len(codes))), 2 * PAGE_PIXELS)
    for row, kind in zip(starts, kinds, strict=True):
        chart = kind.make(book, there)
        chart.set_size({"width": width - 6, "height": tall * ROW_PIXELS - 8})
        said = {"description": words(f"worksheet.chart.{kind.key}"), "object_position": 2}
        sheet.insert_chart(row, 0, chart, {"x_offset": 3, "y_offset": 4, **said})
    # The note is as wide as the charts: cells are merged as far as the areas go.
    last = FIRST_AREA + len(codes) - 1
    note = "\n".join(part for part in (summary.interim, words("worksheet.charts_note")) if part)
    sheet.merge_range(0, 0, 0, last, words("worksheet.charts_title"), styles(bold=True, font_size=15))
    about = styles(font_size=9, font_color=ALARM if summary.interim else QUIET, text_wrap=True, valign="top")
    sheet.merge_range(1, 0, 1, last, note, about)
    sheet.set_row(0, 28)
    sheet.set_row(1, 13 * lines_needed(note, width / PIXELS) + 4)
    sheet.print_area(0, 0, start + 2 + len(lines), last)


def _pixels(areas):
    widths = (KEY_WIDTH, SAID_WIDTH, *[AREA_WIDTH] * areas)
    return sum(int(width * PIXELS + 5) for width in widths)


def _starts(charts, areas):
    """Return (the row at which each chart and then the figures begin, rows of a chart): three to a printed page.

    Excel passes over page breaks where a sheet is fitted to the page's width: pages must come out right by themselves.
    """
    page_rows = int(PAGE_POINTS * max(1, _pixels(areas) / PAGE_PIXELS) - TOP_POINTS) // ROW_POINTS
    tall = (page_rows - SPARE_ROWS) // ON_A_PAGE
    on_page = ON_A_PAGE * tall + SPARE_ROWS
    starts = [TOP_ROWS + on_page * (n // ON_A_PAGE) + tall * (n % ON_A_PAGE) for n in range(charts)]
    return [*starts, TOP_ROWS + on_page * -(-charts // ON_A_PAGE)], tall


def _page(sheet, areas, starts, figures, summary, words):
    page(sheet, summary, words)
    sheet.set_h_pagebreaks([*starts[ON_A_PAGE::ON_A_PAGE], figures])
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, KEY_WIDTH)
    sheet.set_column(1, 1, SAID_WIDTH)
    sheet.set_column(FIRST_AREA, FIRST_AREA + areas - 1, AREA_WIDTH)


def _figures(sheet, start, codes, names, lines, styles, words):
    """Write the figures; return {key: row}."""
    head = {"bottom": 1, "bottom_color": LINE_CITY, "font_size": 9}
    sheet.write_string(start, 0, words("worksheet.figures"), styles(bold=True, font_color=ACCENT))
    sheet.write_string(start + 1, 0, "name", styles(font_color=QUIET, **{**head, "font_size": 7}))
    sheet.write_string(start + 1, 1, words("column.name"), styles(bold=True, **head))
    sheet.write_string(start + 2, 0, "code", styles(font_color=QUIET, **{**head, "font_size": 7}))
    sheet.write_string(start + 2, 1, words("column.code"), styles(**head))
    for i, (code, name) in enumerate(zip(codes, names, strict=True), start=FIRST_AREA):
        sheet.write_string(start + 1, i, name, styles(bold=True, align="right", text_wrap=True, **head))
        sheet.write_string(start + 2, i, code, styles(align="right", font_color=QUIET, num_format="@", **head))
    rows, quiet = {}, {"bottom": 1, "bottom_color": LINE_COUNTY, "font_size": 9}
    for row, line in enumerate(lines, start=start + 3):
        rows[line.key] = row
        sheet.write_string(row, 0, line.key, styles(font_color=QUIET, **{**quiet, "font_size": 7}))
        sheet.write_string(row, 1, line.said, styles(**quiet))
        form = "#,##0" + ("." + "0" * line.decimals if line.decimals else "")
        number = styles(align="right", num_format=form, italic=line.said.endswith(MARKS["modelled"]), **quiet)
        for i, value in enumerate(line.values, start=FIRST_AREA):
            if value is None:  # a text would be drawn as 0
                sheet.write_blank(row, i, None, number)
            else:
                sheet.write_number(row, i, float(rounded(value, line.decimals)), number)
    return rows


class _There:
    """Where a chart's figures stand."""

    def __init__(self, sheet, rows, head, areas, places, tables, words, lines, whole):
        self.sheet, self.rows, self.head, self.areas = sheet, rows, head, areas
        self.places, self.tables, self.words, self.lines, self.whole = places, tables, words, lines, whole

    def title(self, key):
        return self.words(f"worksheet.chart.{key}")

    def across(self, row):
        first, last = column_letters(FIRST_AREA), column_letters(FIRST_AREA + self.areas - 1)
        return f"={self.sheet}!${first}${row + 1}:${last}${row + 1}"

    def series(self, key, **more):
        """Return a series of one line of the figures; its name is the line's."""
        row = self.rows[key]
        return {
            "name": f"={self.sheet}!$B${row + 1}",
            "categories": self.across(self.head),
            "values": self.across(row),
            **more,
        }

    def counties(self):
        return [line for line in self.lines if line.key.startswith("county_")]


def _type(size=9, colour=INK, **more):
    return {"name": FONT, "size": size, "color": colour, **more}


def _framed(chart, title, unit, *, low=None, high=None, legend=None, form="General", across=None):
    """Set title, axes and legend of a chart, in the one look; ``across`` is what is special of its lower axis."""
    chart.set_title(
        {
            "name": title,
            "name_font": _type(12, bold=True),
            "overlay": False,
            "layout": {"x": 0.02, "y": 0.03},
        }
    )
    grid = {"visible": True, "line": {"color": LINE_COUNTY, "width": 0.5}}
    ends = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    chart.set_y_axis(
        {
            "name": unit,
            "name_font": _type(9, QUIET, bold=False),
            "num_font": _type(),
            "num_format": form,
            "major_gridlines": grid,
            "line": {"none": True},
            **ends,
        }
    )
    axis = {"num_font": _type(), "line": {"color": LINE_CITY}, "name_font": _type(9, QUIET, bold=False)}
    chart.set_x_axis(axis | (across or {"major_tick_mark": "none"}))
    chart.set_legend({"position": "top", "font": _type(), **(legend or {})})
    chart.set_chartarea({"border": {"none": True}, "fill": {"color": PAPER}})
    chart.set_plotarea({"fill": {"none": True}})
    chart.show_blanks_as("gap")
    return chart


def _columns(book, there, now, planned, both=False, **labels):
    """Return a chart of two columns an area: what is there or asked in grey, the plan in colour with its figure."""
    chart = book.add_chart({"type": "column"})
    labels = {"value": True, "font": _type(8), "position": "outside_end", **labels}
    of_now = {"data_labels": {**labels, "font": _type(8, QUIET)}} if both else {}
    chart.add_series(there.series(now, fill={"color": SOFT}, border={"none": True}, gap=50, overlap=0, **of_now))
    chart.add_series(there.series(planned, fill={"color": ACCENT}, border={"none": True}, data_labels=labels))
    return chart


def _target_line(book, there):
    """Return a line chart that shows each area's target as a short dash, to be laid over columns or dots."""
    over = book.add_chart({"type": "line"})
    dash = {"type": "long_dash", "size": 14, "fill": {"color": ALARM}, "border": {"color": ALARM}}
    over.add_series(there.series("target_per_1000", line={"none": True}, marker=dash))
    return over


def _beds(book, there):
    many = there.areas > MANY
    chart = _columns(book, there, "now_per_1000", "plan_per_1000", num_format="0.0" if many else "0.00")
    chart.combine(_target_line(book, there))
    return _framed(
        chart, there.title("beds" if there.whole else "beds_city"), there.words("worksheet.axis.beds"), low=0
    )


def _counties(book, there):
    chart = book.add_chart({"type": "line"})
    dot = {"type": "circle", "size": 6, "fill": {"color": ACCENT, "transparency": 55}, "border": {"color": ACCENT}}
    counties = there.counties()
    for line in counties:
        chart.add_series(there.series(line.key, line={"none": True}, marker=dot))
    dash = {"type": "long_dash", "size": 16, "fill": {"color": ALARM}, "border": {"color": ALARM}}
    label = {"value": True, "position": "right", "font": _type(8, ALARM), "num_format": "0.00"}
    chart.add_series(there.series("target_per_1000", line={"none": True}, marker=dash, data_labels=label))
    legend = {"none": True}  # the title says what dots and dashes are: one name for each of the dots says less
    return _framed(chart, there.title("counties"), there.words("worksheet.axis.beds"), low=0, legend=legend)


def _covered(setting):
    def make(book, there):
        form = "0" if there.areas > MANY else "0.0"
        chart = _columns(book, there, f"{setting}_now", f"{setting}_plan", both=True, num_format=form)
        return _framed(chart, there.title(setting), there.words("worksheet.axis.share"), low=0, high=100)

    return make


def _vehicles(book, there):
    chart = _columns(book, there, "vehicles_required", "vehicles_plan")
    return _framed(chart, there.title("vehicles"), there.words("worksheet.axis.vehicles"), low=0, form="#,##0")


def _curve(book, there):
    """Return the coverage curve: its knee is told in the title and stands out on the line."""
    curve, words = there.tables["coverage_curve"], there.words
    chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    small = {"type": "circle", "size": 5, "fill": {"color": ACCENT}, "border": {"color": ACCENT}}
    line = {"line": {"color": ACCENT, "width": 2}, "marker": small}
    chart.add_series({"name": words("worksheet.line.curve"), **_along(there, there.places.column), **line})
    title = there.title("curve")
    for at in np.flatnonzero(curve["knee"].eq("yes"))[:1].tolist():
        stations, share = f"{curve['stations'].iloc[at]:,}", f"{rounded(curve['share'].iloc[at], 1)}%"
        title += words("worksheet.then") + words("report.curve_knee", stations=stations, share=share)
        big = {"type": "circle", "size": 9, "fill": {"color": ALARM}, "border": {"color": PAPER}}
        font = _type(10, ALARM, bold=True)
        label = {"value": True, "position": "below", "custom": [{"value": stations, "font": font}], "font": font}
        knee = _along(there, partial(there.places.cell, row=at))
        chart.add_series({"name": stations, **knee, "line": {"none": True}, "marker": big, "data_labels": label})
    first = int(curve["stations"].iloc[0]) // ROUND_STATIONS * ROUND_STATIONS
    across = {"name": words("worksheet.axis.stations"), "min": first, "major_gridlines": {"visible": False}}
    low = 10 * int(min(curve["share"]) // 10)
    unit = words("worksheet.axis.share")
    return _framed(chart, title, unit, low=low, high=100, legend={"none": True}, across=across, form="0")


def _along(there, address):
    """Return the stations and the shares of people at one place of the curve, or along all of it."""
    places = {"categories": "stations", "values": "share"}
    return {name: "=" + address("coverage_curve", column) for name, column in places.items()}


@dataclass(frozen=True)
class Kind:
    """One chart: what it needs, and how it is made."""

    key: str
    make: object
    needs: str

    def drawn(self, lines, tables, whole):
        """Return whether there is something to be drawn."""
        if self.key == "curve":
            return whole and len(tables.get("coverage_curve", ())) > 1
        return any(line.key == self.needs and any(v is not None for v in line.values) for line in lines)


KINDS = (
    Kind("beds", _beds, "plan_per_1000"),
    Kind("counties", _counties, "county_1"),
    Kind("vehicles", _vehicles, "vehicles_plan"),
    Kind("urban", _covered("urban"), "urban_plan"),
    Kind("rural", _covered("rural"), "rural_plan"),
    Kind("curve", _curve, ""),
)
