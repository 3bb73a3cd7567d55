"""What every sheet of a workbook is made with: cell formats, page, words, and where a table's cells stand."""

from datetime import datetime

from geo.theme import INK, LINE_CITY, LINE_COUNTY, MARKS, VERDICT_SIGNS
from planner.report.columns import CODE

FONT = "Microsoft YaHei"  # an office has it; elsewhere the viewer's own Chinese font stands in
FIXED_DATE = datetime(2000, 1, 1)  # xlsxwriter would stamp the time of writing
HEADER_ROWS = 4  # of a table's sheet: title, note, headings, machine names
NUMBER_FORMATS = {
    "whole": "#,##0",
    "density": "#,##0.00",
    "score": "0.0000",
    "km": "#,##0.000",
    "degree": "0.000000",
    "percent": "#,##0.0",
    "minutes": "#,##0.0",
    "figure": "",  # as many decimals as the value has
}
WORD_SECTIONS = {"nature_now": "nature", "nature_plan": "nature"}  # of the others the column's own name


class Styles:
    """The cell formats of one workbook, made once for each combination of properties."""

    def __init__(self, book):
        self._book = book
        self._made = {}

    def __call__(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "vcenter"}
            self._made[key] = self._book.add_format({**base, **properties})
        return self._made[key]

    def data(self, table, column, first_of_group, **more):
        """Return the format of a data cell; a new group of rows begins with a stronger line."""
        kind = table.kind(column)
        properties = {"bottom": 1, "bottom_color": LINE_COUNTY}
        if first_of_group:
            properties |= {"top": 1, "top_color": LINE_CITY}
        if kind in NUMBER_FORMATS:
            properties |= {"align": "right"} | ({"num_format": NUMBER_FORMATS[kind]} if NUMBER_FORMATS[kind] else {})
        elif kind == CODE:
            properties |= {"num_format": "@", "align": "left", "indent": 1}
        else:
            properties |= {"align": "left", "indent": 1, "text_wrap": True}
        if table.natures.get(column) == "modelled":
            properties["italic"] = True
        return self(**{**properties, **more})


def page(sheet, summary, words):
    """Set a sheet up for A4, as wide as the paper, with title and page below; an interim plan says so above."""
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.center_horizontally()
    title = summary.title.replace("&", "&&")[:100]
    if summary.interim:  # on every page, whether the rows that say so are repeated or not
        sheet.set_header(f"&L&8{summary.interim.replace('&', '&&')[:200]}")
    sheet.set_footer(f"&L&8{title}&R&8{words('report.footer_page')}")


def word(column, value, words):
    """Return a machine word as a reader says it, with its sign or mark; a word without an entry stands as it is.

    A cell may hold several words with a blank between them, where each of them has an entry.
    """
    section = f"value.{WORD_SECTIONS.get(column, column)}"
    parts = [value] if f"{section}.{value}" in words else value.split(" ")
    known = all(f"{section}.{part}" in words for part in parts)
    said = words("report.list_comma").join(words(f"{section}.{part}") for part in parts) if known else value
    if column == "verdict" and value in VERDICT_SIGNS:
        return f"{VERDICT_SIGNS[value]} {said}"
    return said + MARKS["assumed"] if (column, value) == ("status", "assumed") else said


def display_width(text):
    """Return how many narrow characters a line is wide; a Chinese character counts two."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def lines_needed(text, width):
    """Return how many lines a text takes in a cell ``width`` narrow characters wide."""
    return sum(max(1, -(-display_width(line) // max(int(width * 1.05), 1))) for line in text.split("\n"))


class Places:
    """Where the figures of a workbook stand: sheets by table, and their rows. Addresses are as a formula has them.

    sheets  {table: name of its sheet};  tables {table: DataFrame};  columns {table: names in order}
    """

    def __init__(self, sheets, tables, columns):
        self._sheets, self._tables, self._columns = sheets, tables, columns

    def column(self, table, column):
        """Return the address of a whole column of a table, sums below it left out."""
        last = HEADER_ROWS + max(len(self._tables[table]), 1)
        letters = column_letters(self._columns[table].index(column))
        return f"{quoted(self._sheets[table])}!${letters}${HEADER_ROWS + 1}:${letters}${last}"

    def cell(self, table, column, row):
        """Return the address of one cell; ``row`` counts from 0, the sums go on after the table's own rows."""
        letters = column_letters(self._columns[table].index(column))
        return f"{quoted(self._sheets[table])}!${letters}${HEADER_ROWS + 1 + row}"

    def total(self, table, column, number=0):
        """Return the address of a cell of the ``number``-th row of sums."""
        return self.cell(table, column, len(self._tables[table]) + number)


def quoted(sheet):
    """Return a sheet's name as a formula has it."""
    return "'" + sheet.replace("'", "''") + "'"


def column_letters(number):
    """Return the letters of a column counted from 0: A, B ... Z, AA."""
    letters, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
