"""A planner's own table as a CSV file: whatever a spreadsheet saves is read, and every fault is told with its place.

What a table is about is its reader's business (:mod:`geo.facilities`, :mod:`geo.stations`); here are the file, its
headings, its rows, and the texts and figures of its cells. The key of a fault is the layout's prefix and what is wrong:
``facility_blank``, ``station_blank``.
"""

import csv
import difflib
import io
import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from geo.faults import Fault, Rejected

LARGEST_FILE = 20 * 1024 * 1024  # bytes
MOST_FAULTS = 300  # a table with more is another table; nobody reads on
LONGEST_TEXT = 200  # characters of an id or a name
LONGEST_NUMBER = 30  # characters of a figure
NUMBER = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
UNIT = re.compile(r"[(\[].*[)\]]$")  # what a heading may carry behind its name


@dataclass(frozen=True)
class Layout:
    """What a table must look like.

    prefix    of its faults' keys
    headings  {column: its heading in Chinese}; the column's own name is taken too
    required  columns that must be there
    others    {another heading: column} that planners use
    ignored   headings that say something else, however much they look like one of these
    """

    prefix: str
    headings: dict
    required: tuple
    others: dict = field(default_factory=dict)
    ignored: tuple = ()

    def known(self):
        """Return {heading in plain form: column}."""
        own = {_heading(text): column for column, chinese in self.headings.items() for text in (column, chinese)}
        return {_heading(text): column for text, column in self.others.items()} | own


class Row:
    """One line of the file: gives its cells by column, and notes what is wrong with them."""

    def __init__(self, layout, file, line, heads, cells, columns, faults):
        self.file, self.line = file, line
        self._layout, self._heads, self._cells, self._columns, self._faults = layout, heads, cells, columns, faults

    def __getitem__(self, column):
        """Return a cell without the blanks around it; "" where the file has no such column."""
        return trimmed(self._cells[self._columns[column]]) if column in self._columns else ""

    def __contains__(self, column):
        """Whether the file has such a column."""
        return column in self._columns

    def head(self, column):
        """Return the heading of a column as the file writes it; "" where the file has no such column."""
        return shown(self._heads[self._columns[column]]) if column in self._columns else ""

    def fault(self, key, column, **params):
        """Note what is wrong with a cell; ``key`` without the layout's prefix."""
        key = f"{self._layout.prefix}_{key}"
        self._faults.append(Fault(key, self.file, self.line, self.head(column), shown(self[column]), params))

    def text(self, column):
        """Return a text as it stands: "=1+1" is a name like any other."""
        if not self[column]:
            self.fault("blank", column)
        elif len(self[column]) > LONGEST_TEXT or any(unicodedata.category(sign)[0] == "C" for sign in self[column]):
            self.fault("text", column, most=LONGEST_TEXT)
        return self[column]

    def number(self, column, unit=""):
        """Return the exact number of a cell, a ``unit`` behind it left out; None, with the fault noted, for none."""
        text = plain(self[column])
        text = text.removesuffix(unit).rstrip()
        if not text:
            self.fault("blank", column)
        elif not NUMBER.fullmatch(text) or len(text) > LONGEST_NUMBER:
            self.fault("number", column)
        else:
            return Fraction(text.replace(",", ""))
        return None


def rows_of(path, layout, faults, *, largest=LARGEST_FILE):
    """Yield the :class:`Row` of every line that is not blank; what is wrong is appended to ``faults``, also by rows.

    path     CSV, UTF-8 or GBK, headings first
    largest  bytes
    Stops, with a fault that says so, when ``MOST_FAULTS`` are found. Raises :class:`geo.faults.Rejected`
    with all faults when there is no table or a required column is missing.
    """
    path = Path(path)
    rows = _lines(path, layout, largest, faults)
    columns = _columns(rows[0][1], layout, path.name, faults) if rows else {}
    if not set(columns).issuperset(layout.required):
        raise Rejected(faults)
    heads = rows[0][1]
    for line, cells in rows[1:]:
        if len(faults) >= MOST_FAULTS:
            faults.append(Fault(f"{layout.prefix}_more", path.name, line, params={"count": len(faults)}))
            return
        if len(cells) != len(heads):
            faults.append(Fault("ragged_row", path.name, line))
        else:
            yield Row(layout, path.name, line, heads, cells, columns, faults)


def in_order(faults):
    """Return the faults by row, those of the whole file first."""
    return sorted(faults, key=lambda fault: fault.row or 0)


def nearest_county(code, names):
    """Return "140105 小店区", the county most like ``code`` by name or by code; ``names`` is a Series on code."""
    for unit, name in names.items():
        if code and (code in name or name in code):
            return f"{unit} {name}"
    near = difflib.get_close_matches(code, names.index, n=1, cutoff=0)
    return f"{near[0]} {names[near[0]]}" if near else "—"


# -- texts -----------------------------------------------------------------------------------------------------------


def trimmed(text):
    """Return text without the blanks around it, the wide one of Chinese type and invisible signs among them."""
    edge = [n for n, sign in enumerate(text) if not (sign.isspace() or unicodedata.category(sign) == "Cf")]
    return text[edge[0] : edge[-1] + 1] if edge else ""


def plain(text):
    """Return a figure, a code or a fixed word in one width: "１２．５" is 12.5. Names are left as they stand."""
    return unicodedata.normalize("NFKC", trimmed(text)).replace("−", "-")


def shown(text):
    """Return what a message may hold of a text: no sign that a terminal obeys, at most 80 of them."""
    text = "".join(sign if sign.isprintable() or sign == "\u3000" else "\ufffd" for sign in text)
    return text if len(text) <= 80 else text[:79] + "…"


def _heading(text):
    return UNIT.sub("", plain(text)).strip().casefold()


# -- the file --------------------------------------------------------------------------------------------------------


def _lines(path, layout, largest, faults):
    """Return [(line, cells)], headings first, without blank lines; [] with the fault noted where there is no table."""

    def fault(key, row=None, **params):
        faults.append(Fault(f"{layout.prefix}_{key}", path.name, row, params=params))
        return []

    try:
        with path.open("rb") as file:
            raw = file.read(largest + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError):
        return fault("missing")
    except OSError as error:
        return fault("unreadable", said=error.strerror or "")
    if len(raw) > largest:
        return fault("large", limit=largest // 1024**2)
    text = _decoded(raw)
    if text is None:
        return fault("no_text")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(trimmed, cells))]
    except csv.Error:
        return fault("quotes", reader.line_num)
    return rows or fault("none")


def _decoded(raw):
    """Return the text of UTF-8 or GBK bytes; None for a workbook, for UTF-16 and for what is no text at all."""
    if b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _columns(heads, layout, file, faults):
    """Return {column: its place among ``heads``}; note those missing, there twice, or nearly like one that is known."""
    known = layout.known()
    prefix, headings = layout.prefix, layout.headings
    places = {}
    for place, head in enumerate(heads):
        column = known.get(_heading(head))
        if column in places:
            faults.append(Fault("repeated_column", file, 1, shown(head)))
        elif column is not None:
            places[column] = place
    clear = set(known) | {_heading(text) for text in layout.ignored}
    for head in heads:
        near = difflib.get_close_matches(_heading(head), known, n=1) if _heading(head) not in clear else []
        if near and known[near[0]] not in places:  # left out silently, a misspelt column would be taken as not given
            params = {"nearest": headings[known[near[0]]]}
            faults.append(Fault(f"{prefix}_heading", file, 1, shown(head), params=params))
    absent = [column for column in layout.required if column not in places]
    faults += [Fault(f"{prefix}_column", file, 1, f"{headings[column]} / {column}") for column in absent]
    return places
