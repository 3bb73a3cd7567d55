"""The workbook of a run: a cover that explains it, then one sheet a table, ready to read, filter and print."""

from functools import partial

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from geo.theme import ACCENT, ALARM, GROUND, INK, LINE_CITY, LINE_COUNTY, MARKS, QUIET, VERDICT_COLOURS
from planner.report.check_sheet import write_hand_check
from planner.report.columns import ALL_TABLES, CODE, TEXT, WORD
from planner.report.cover import cover_lines
from planner.report.sheet_parts import (
    FIXED_DATE,
    HEADER_ROWS,
    NUMBER_FORMATS,
    Places,
    Styles,
    display_width,
    lines_needed,
    page,
    quoted,
    word,
)
from planner.report.tables import absent, cell_text, rounded
from planner.report.workbook_charts import write_charts
from planner.report.worksheet import hand_check

FIGURE_SHOWN = 4  # decimals of a figure that are shown; its cell holds them all
FORMATS = {  # of columns whose figures are of one unit
    **dict.fromkeys(("shortfall", "equal", "change", "cost"), "#,##0.0"),
    **dict.fromkeys(("worst", "even", "travel"), "#,##0.0000"),
    "weight": "0.0000",
}
FALLS_SHORT = ("uncovered", "bent", "surge_gap", "icu_gap")  # counts of what is missing: above zero they stand out
DENSITIES = {  # per 1,000 persons: what is counted, and which persons
    "now_per_1000": ("beds_now", "persons"),
    "target_per_1000": ("beds_target", "persons"),
    "plan_per_1000": ("beds_plan", "persons"),
    "per_1000_first": ("beds_first", "persons_first"),
    "per_1000_second": ("beds_second", "persons_second"),
}
SHARES = {  # per cent: what is counted, and of whom
    "covered_share": ("covered", "persons"),
    "expected_share": ("expected", "persons"),
    "double_share": ("double", "persons"),
}
NOT_SUMMED = ("persons_per_vehicle", "next_gain")  # figures of one city, which say nothing together
CITY_CODES = ("city_code", "centre_city_code")  # shown with the city's name behind; the cell holds the code alone
MOST_FORMATS = 60  # of cities' names; an office has room for some 200
WIDEST = 44
ROW_HEIGHT = 15  # points, of one line
HEADINGS = 50  # points, of the rows that are repeated on each page
PORTRAIT_WIDTH = 100  # narrow characters across; a wider table is printed on its side
LONG, LONG_WIDTH = 100, 150  # rows from which a table is rather printed small than on its side, and how wide it may be
SMALLER = ((500, 0.62), (200, 0.7), (LONG, 0.8))  # rows from which a table is printed smaller than it is seen
A4 = {False: (523, 748), True: (770, 501)}  # points between the margins, by whether it lies on its side
NARROW = 5.4  # points of a narrow character
COVER_HEIGHTS = {"title": 30, "heading": 30}


def write_workbook(plan, tables, prepared, summary, checks, cleaned, path, words, *, whole=True, left_out=()):
    """Write ``plan.xlsx`` from published tables. Raises OSError when the file cannot be written.

    Between the cover and the tables stand a sheet that is checked by hand and one of charts.
    whole     False for a workbook of one city: ``tables`` hold its rows alone
    left_out  names of tables that such a workbook does not have
    """
    said = {name: _in_language(name, frame, prepared, words) for name, frame in tables.items()}
    sheets = sheet_names(tables, words)
    first = {kind: words(f"worksheet.{kind}_sheet") for kind in ("check", "charts")}
    links = [(first[kind], words(f"worksheet.{kind}_about")) for kind in first]
    lines = cover_lines(
        plan, tables, prepared, summary, checks, cleaned, sheets, words, before=links, left_out=left_out
    )
    places = Places(sheets, said, {name: ALL_TABLES[name].columns for name in tables})
    sums = {name: list(_totals(name, ALL_TABLES[name], frame, words)) for name, frame in said.items()}
    checked = hand_check(plan, said, prepared, places, sums, words, whole=whole)

    def more(book, styles):
        write_hand_check(book.add_worksheet(first["check"]), checked, summary, styles, words)
        write_charts(book, book.add_worksheet(first["charts"]), said, places, summary, styles, words, whole=whole)

    write_book(said, lines, summary, path, words, more=more, cities=_shown_cities(said))


def _shown_cities(tables):
    """Return {code: name} of the cities as a number format can show them; none where there are too many formats."""
    cities = tables.get("beds_by_city")
    if cities is None or len(cities) > MOST_FORMATS:
        return {}
    names = {
        code: name.replace('"', "").replace("\\", "")[:20]
        for code, name in zip(cities["code"], cities["name"], strict=True)
    }
    return {code: name for code, name in names.items() if name.strip()}


def sheet_names(tables, words):
    """Return {table: the name of its sheet}."""
    return {name: f"{i} {words(f'table.{name}.sheet')}"[:31] for i, name in enumerate(tables, start=1)}


def write_book(tables, lines, summary, path, words, catalogue=ALL_TABLES, more=None, cities=None):
    """Write a workbook: the cover's ``lines``, then a sheet for each published table of ``catalogue``. Raises OSError.

    ``more(book, styles)`` adds sheets between them; ``cities`` {code: name}: a city's code is shown with its name.

    Each sheet: title, note, headings with units, the machine's column names in small grey, the rows, and for city
    tables last rows in bold that have no code. Text is never a formula or a link.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(path, options)
    book.set_properties({"title": summary.title, "author": "晋医 jinyi", "created": FIXED_DATE})
    book.set_size(2400, 1500)
    styles = Styles(book)
    _cover(book.add_worksheet(words("report.cover_sheet")), lines, summary, styles, words)
    if more is not None:
        more(book, styles)
    for name, sheet_name in sheet_names(tables, words).items():
        _table(
            book.add_worksheet(sheet_name), name, catalogue[name], tables[name], summary, styles, words, cities or {}
        )
    try:
        book.close()
    except XlsxWriterException as error:
        raise OSError(f"{path.name}: {error}") from error


def _in_language(name, frame, prepared, words):
    """Return the frame with the standards' names in the language of the workbook; no other cell depends on it."""
    ids = {"compliance": "standard_id", "freezes": "id"}.get(name)
    if ids is None:
        return frame
    of = {id: prepared.standards[id].name(words.lang) for id in frame[ids] if id in prepared.standards}
    return frame.assign(name=[of.get(id, own) for id, own in zip(frame[ids], frame["name"], strict=True)])


def _table(sheet, name, table, frame, summary, styles, words, cities):
    last = len(table.columns) - 1
    widths = _widths(table, frame, words, cities)
    across = sum(widths)
    empty = words(f"table.{name}.empty") if frame.empty and f"table.{name}.empty" in words else ""
    parts = (summary.interim, empty, words(f"table.{name}.note"), summary.rule if table.counted else "")
    note = "\n".join(part for part in parts if part)
    sheet.merge_range(0, 0, 0, last, words(f"table.{name}.title"), styles(bold=True, font_size=15))
    colour = INK if empty else QUIET
    sheet.merge_range(1, 0, 1, last, note, styles(font_size=9, font_color=colour, text_wrap=True, valign="top"))
    sheet.set_row(0, 28)
    sheet.set_row(1, 14 * lines_needed(note, across) + 4)
    _headings(sheet, table, styles, words)
    for i, width in enumerate(widths):
        sheet.set_column(i, i, width)
    tall = _rows(sheet, table, frame, widths, styles, words, cities)
    end = HEADER_ROWS + len(frame)
    for row in _totals(name, table, frame, words):
        _total(sheet, table, end, row, styles, words)
        end += 1
    sheet.freeze_panes(HEADER_ROWS, 2)
    sheet.autofilter(HEADER_ROWS - 1, 0, HEADER_ROWS - 1 + max(len(frame), 1), last)
    sheet.hide_gridlines(2)
    page(sheet, summary, words)
    print_small(sheet, len(frame), across, tall)
    sheet.print_area(0, 0, max(end - 1, HEADER_ROWS), last)


def print_small(sheet, rows, across, tall):
    """Choose how a sheet lies and how many pages it has; the sheet of a long list is rather small than many.

    ``across`` in narrow characters, ``tall`` in points, both as seen
    """
    aside = across > (LONG_WIDTH if rows > LONG else PORTRAIT_WIDTH)
    if aside:
        sheet.set_landscape()
    scale = next((scale for least, scale in SMALLER if rows > least), None)
    sheet.repeat_rows(0 if scale is None else HEADER_ROWS - 2, HEADER_ROWS - 1)  # a long list says its title once
    if scale is not None:
        width, height = A4[aside]
        scale = min(scale, width / (across * NARROW))
        sheet.fit_to_pages(1, -(-int(tall * scale) // int(height - HEADINGS * scale)) or 1)


def _headings(sheet, table, styles, words):
    for i, column in enumerate(table.columns):
        side = "right" if table.decimals(column) is not None else "left"
        ground = {"bg_color": GROUND, "align": side} | ({"indent": 1} if side == "left" else {})
        heading = styles(bold=True, text_wrap=True, top=2, top_color=INK, valign="bottom", **ground)
        machine = styles(font_size=7, font_color=QUIET, bottom=1, bottom_color=LINE_CITY, **ground)
        sheet.write_string(HEADER_ROWS - 2, i, heading_text(table, column, words), heading)
        sheet.write_string(HEADER_ROWS - 1, i, column, machine)
    sheet.set_row(HEADER_ROWS - 2, 34 if words.lang == "zh" else 48)
    sheet.set_row(HEADER_ROWS - 1, 15)


def heading_text(table, column, words):
    """Return the heading of a column: its word and mark, and below it the unit."""
    heading = words(f"column.{column}") + table.mark(column)
    if table.decimals(column) is None or column in table.figures or f"unit.{column}" not in words:
        return heading
    return f"{heading}\n" + (f"（{words(f'unit.{column}')}）" if words.lang == "zh" else f"({words(f'unit.{column}')})")


def _rows(sheet, table, frame, widths, styles, words, cities):
    """Write the rows; return how tall they are together, in points."""
    group = table.group if table.group in table.columns and len(frame) > 20 else None
    before, tall_together = {}, 0
    for row, values in enumerate(frame.to_dict("records"), start=HEADER_ROWS):
        first = bool(before) and group is not None and before[group] != values[group]
        repeats = True  # what names the row only as the row above did steps back
        for i, column in enumerate(table.columns):
            repeats = repeats and bool(before) and table.decimals(column) is None and before[column] == values[column]
            apart = {"font_color": QUIET} if repeats else {}
            if column in CITY_CODES and values[column] in cities:
                apart |= {"num_format": f'@" {cities[values[column]]}"'}
            style = partial(styles.data, table, column, first, **apart)
            _cell(sheet, row, i, table, column, values, style, words)
        across = zip(table.columns, widths, strict=True)
        tall = max(_lines(table, column, values[column], width, words) for column, width in across)
        if tall > 1:
            sheet.set_row(row, ROW_HEIGHT * tall)
        tall_together += ROW_HEIGHT * tall
        before = values
    return tall_together


def _lines(table, column, value, width, words):
    """Return how many lines a cell of text takes; a number is never wrapped."""
    if table.decimals(column) is not None:
        return 1
    said = word(column, value, words) if table.kind(column) == WORD else value
    return lines_needed(said, width - 2) if display_width(said) > width - 2 else 1  # less its indent


def _cell(sheet, row, i, table, column, values, style, words):
    """Write one cell; ``style`` makes its format from what sets it apart."""
    value, kind = values[column], table.kind(column)
    if absent(value):
        sheet.write_string(row, i, words("report.absent"), style(align="right", font_color=QUIET))
    elif kind == WORD:
        colour = {"font_color": VERDICT_COLOURS[value]} if value in VERDICT_COLOURS else {}
        sheet.write_string(row, i, word(column, value, words), style(**colour))
    elif kind in (CODE, TEXT):
        sheet.write_string(row, i, value, style())
    else:
        sheet.write_number(row, i, value, style(**_emphasis(table, column, values)))


def _number_format(table, column, value):
    """Return how a number is shown; one that is not zero is never shown as zero."""
    kind = table.kind(column)
    form = FORMATS.get(column, NUMBER_FORMATS[kind])
    if not form:
        _, _, decimals = cell_text(kind, value, FIGURE_SHOWN).partition(".")
        small = value and not float(rounded(value, FIGURE_SHOWN))
        form = "0.000000" if small else "#,##0" + ("." + "0" * len(decimals) if decimals else "")
    return f"+{form};-{form};{form}" if column.endswith("_difference") else form


def _emphasis(table, column, values):
    """Return what sets one number apart: the colour of a shortfall, the mark of a row whose figure is not measured."""
    form = _number_format(table, column, values[column])
    if column in FALLS_SHORT and values[column] > 0:
        return {"font_color": ALARM, "num_format": form}
    nature = values.get("nature" if column == "value" else f"nature_{column.removeprefix('beds_')}")
    if nature in ("modelled", "assumed"):
        return {"num_format": f'{form}"{MARKS[nature]}"', "italic": nature == "modelled"}
    return {"num_format": form}


def _totals(name, table, frame, words):
    """Yield the last rows of a city table: sums, with densities worked out from the sums."""
    if not table.totals:
        return
    parts = [({}, frame)]
    if table.totals == "setting":
        parts = [({"setting": s}, frame[frame["setting"].eq(s)]) for s in ("urban", "rural")] + parts
    for of, rows in parts:
        total = {"name": words("report.total"), **of}
        for column in table.columns:
            if column in DENSITIES:
                counted, persons = (int(rows[of].sum()) for of in DENSITIES[column])
                total[column] = float(rounded(counted * 1000 / persons, 2))
            elif column in SHARES:
                counted, persons = (int(rows[of].sum()) for of in SHARES[column])
                if persons:
                    total[column] = float(rounded(counted * 100 / persons, 1))
            elif column in NOT_SUMMED:
                continue
            elif table.kind(column) == "whole" and not rows[column].isna().any():  # a part is no total
                total[column] = int(rows[column].sum())
        if "per_1000_difference" in table.columns:
            total["per_1000_difference"] = float(rounded(total["per_1000_second"] - total["per_1000_first"], 2))
        yield total


def _total(sheet, table, row, total, styles, words):
    for i, column in enumerate(table.columns):
        style = styles.data(table, column, False, bold=True, top=1, top_color=LINE_CITY, bg_color=GROUND)
        if column not in total:
            sheet.write_blank(row, i, None, style)
        elif isinstance(total[column], str):
            sheet.write_string(row, i, word(column, total[column], words), style)
        else:
            sheet.write_number(row, i, total[column], style)


def _widths(table, frame, words, cities):
    widths = []
    for column in table.columns:
        heading = max(display_width(line) for line in heading_text(table, column, words).split("\n"))
        kind = table.kind(column)
        if kind in NUMBER_FORMATS:
            decimals = min(table.decimals(column), FIGURE_SHOWN if kind == "figure" else 9)
            figures = [cell_text(kind, value, decimals) for value in frame[column] if not absent(value)]
            figures = [text + "," * (len(text.partition(".")[0]) // 4) for text in figures]
            if kind == "whole" and table.totals:
                figures.append(f"{frame[column].sum():,}")
            widest = max(map(len, figures), default=1)
        elif kind == WORD:
            widest = max((display_width(word(column, value, words)) for value in set(frame[column])), default=1)
        else:
            widest = max(map(display_width, frame[column]), default=1)
            if column in CITY_CODES:
                widest += max((display_width(cities[code]) + 1 for code in set(frame[column]) & set(cities)), default=0)
        if words.lang == "en":
            heading = min(heading, 16)
        machine = len(column) * 0.62 + 3  # the filter's arrow stands there
        widths.append(min(max(heading, widest, machine, 5) + 2, WIDEST))
    return widths


def _cover(sheet, lines, summary, styles, words):
    widths = (30, 32, 34)
    for i, width in enumerate(widths):
        sheet.set_column(i, i, width)
    sheet.hide_gridlines(2)
    sheet.set_portrait()
    page(sheet, summary, words)
    for row, line in enumerate(lines):
        style = _cover_style(line.kind, styles)
        if line.kind in ("head", "row"):
            room = (*widths[: len(line.cells) - 1], sum(widths[len(line.cells) - 1 :]))
            for i, text in enumerate(line.cells):
                _wide(sheet, row, i, i if i < len(line.cells) - 1 else 2, text, style)
            tall = max(lines_needed(text, width) for text, width in zip(line.cells, room, strict=True))
        elif line.kind == "link":
            sheet.write_url(row, 0, f"internal:{quoted(line.cells[2])}!A1", style, line.cells[0])
            _wide(sheet, row, 1, 2, line.cells[1], styles(bottom=1, bottom_color=LINE_COUNTY))
            tall = 1
        else:
            _wide(sheet, row, 0, 2, line.cells[0], style)
            tall = lines_needed(line.cells[0], sum(widths) * (0.6 if line.kind == "title" else 1))
        sheet.set_row(row, COVER_HEIGHTS.get(line.kind, 15) * tall + (0 if line.kind == "heading" else 3))


def _wide(sheet, row, first, last, text, style):
    """Write text into one cell, or into one merged over several."""
    if first == last:
        sheet.write_string(row, first, text, style)
    else:
        sheet.merge_range(row, first, row, last, "", style)
        sheet.write_string(row, first, text, style)


def _cover_style(kind, styles):
    wrapped = {"text_wrap": True, "valign": "top", "align": "left"}
    return {
        "title": lambda: styles(bold=True, font_size=20, text_wrap=True),
        "quiet": lambda: styles(font_color=QUIET, bottom=2, bottom_color=INK, **wrapped),
        "alarm": lambda: styles(font_color=ALARM, bold=True, **wrapped),
        "heading": lambda: styles(bold=True, font_size=12, font_color=ACCENT, valign="bottom"),
        "head": lambda: styles(font_size=9, font_color=QUIET, bottom=1, bottom_color=LINE_CITY, **wrapped),
        "row": lambda: styles(bottom=1, bottom_color=LINE_COUNTY, **wrapped),
        "text": lambda: styles(**wrapped),
        "link": lambda: styles(font_color=ACCENT, underline=1, bottom=1, bottom_color=LINE_COUNTY),
    }[kind]()
