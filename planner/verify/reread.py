"""Published files read back cell by cell, by small readers of their own that share nothing with the writers."""

import csv
import io
import re
import sqlite3
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote
from xml.etree import ElementTree

import shapely

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GUARDED = re.compile(r"'+[=+\-@＝＋－＠]")  # an apostrophe set before text that a spreadsheet could take for a formula
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINKED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # how a workbook writes a character it cannot hold
LARGEST = 1 << 29  # bytes of a workbook unpacked; ours have a few million
ENVELOPES = (0, 32, 48, 48, 64)  # bytes by the kind of envelope of a GeoPackage geometry


class Unreadable(Exception):
    """A file that is not what it should be; ``key`` names the sentence, ``params`` fill it."""

    def __init__(self, key, **params):
        self.key = key
        self.params = params
        super().__init__(f"{key} {params}")


@dataclass(frozen=True)
class Cell:
    """One cell of a workbook: its text or number as written, whether it is text, and its ``formula``, "" for none."""

    value: str
    is_text: bool
    is_formula: bool
    formula: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer of a GeoPackage: ``columns`` name -> list of values, ``geometry`` a list, ``srs`` its EPSG code."""

    columns: dict
    geometry: list
    srs: int


def read_or_tell(ledger, path, read):
    """Return ``read(path)``, or None after telling ``ledger`` why the file cannot be read."""
    try:
        return read(path)
    except Unreadable as error:
        ledger.fail(error.key, file=path.name, **error.params)
    except OSError:
        ledger.fail("file_missing", file=path.name)
    return None


def read_csv(path):
    """Return (columns, rows) of a published table, all text. Raises :class:`Unreadable` and OSError."""
    content = path.read_bytes()
    if not content.startswith(BYTE_ORDER_MARK):
        raise Unreadable("csv_no_mark")
    if b"\r" in content:
        raise Unreadable("csv_line_ends")
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("csv_unreadable", error=error) from None
    if not rows:
        raise Unreadable("csv_empty")
    header = rows[0]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise Unreadable("csv_ragged", row=number, found=len(row), expected=len(header))
    if len(set(header)) < len(header):
        raise Unreadable("csv_header", found=", ".join(header))
    return header, [[text[1:] if GUARDED.match(text) else text for text in row] for row in rows[1:]]


def read_workbook(path):
    """Return the sheets of an xlsx file, name -> {(row, column) from 1: :class:`Cell`}.

    Raises :class:`Unreadable` and OSError.
    """
    try:
        with zipfile.ZipFile(path) as book:
            if sum(entry.file_size for entry in book.infolist()) > LARGEST:
                raise Unreadable("workbook_size")
            shared = _shared_texts(book)
            return {name: _sheet(book, target, shared) for name, target in _sheets(book)}
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, IndexError, ValueError) as error:
        raise Unreadable("workbook_unreadable", error=f"{type(error).__name__}: {error}") from None


def _xml(book, name):
    return ElementTree.fromstring(book.read(name))


def _shared_texts(book):
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [_text(item) for item in _xml(book, "xl/sharedStrings.xml")]


def _text(element):
    text = "".join(part.text or "" for part in element.iter(MAIN + "t"))
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _sheets(book):
    links = {link.get("Id"): link.get("Target") for link in _xml(book, "xl/_rels/workbook.xml.rels")}
    for sheet in _xml(book, "xl/workbook.xml").iter(MAIN + "sheet"):
        target = links[sheet.get(LINKED)]
        yield sheet.get("name"), target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def _sheet(book, name, shared):
    cells = {}
    for cell in _xml(book, name).iter(MAIN + "c"):
        formula, value, kind = cell.find(MAIN + "f"), cell.findtext(MAIN + "v"), cell.get("t", "n")
        if kind == "inlineStr":
            value = _text(cell)
        elif kind == "s" and value is not None:
            value = shared[int(value)]
        if value is not None or formula is not None:
            told = formula is not None, (formula.text or "") if formula is not None else ""
            cells[_position(cell.get("r"))] = Cell(value or "", kind in ("s", "inlineStr", "str"), *told)
    return cells


def _position(reference):
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]), column


def reference(row, column):
    """Return a cell's name in a workbook, ``B7``."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def read_layers(path):
    """Return the layers of a GeoPackage by name. Raises :class:`Unreadable` and OSError."""
    if not path.is_file():
        raise FileNotFoundError(path.name)
    try:
        base = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
        try:
            return {
                name: _layer(base, name) for (name,) in base.execute("SELECT table_name FROM gpkg_contents").fetchall()
            }
        finally:
            base.close()
    except (sqlite3.Error, shapely.errors.ShapelyError, ValueError, IndexError, TypeError) as error:
        raise Unreadable("layers_unreadable", error=f"{type(error).__name__}: {error}") from None


def _layer(base, name):
    described = base.execute(
        "SELECT column_name, organization_coordsys_id FROM gpkg_geometry_columns"
        " JOIN gpkg_spatial_ref_sys USING (srs_id) WHERE table_name = ?",
        (name,),
    ).fetchone()
    shape, srs = described or (None, 0)
    quoted = name.replace('"', '""')
    cursor = base.execute(f'SELECT * FROM "{quoted}" ORDER BY rowid')
    columns = [column[0] for column in cursor.description]
    values = dict(zip(columns, zip(*cursor.fetchall(), strict=True), strict=False))
    values = {column: list(values.get(column, ())) for column in columns}
    blobs = values.pop(shape, []) if shape else []
    return Layer(values, shapely.from_wkb([_wkb(blob) for blob in blobs]).tolist(), srs)


def _wkb(blob):
    """Return the well-known binary behind the head of a GeoPackage geometry; None for None."""
    if blob is None:
        return None
    if blob[:2] != b"GP":
        raise ValueError("not a GeoPackage geometry")
    return blob[8 + ENVELOPES[blob[3] >> 1 & 7] :]
