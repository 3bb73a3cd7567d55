"""Tables as they are published: cleaned, rounded once, and written as CSV files that no spreadsheet can run."""

import csv
import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from planner.report.columns import ALL_TABLES, CODE, TABLES, TEXT, WORD

# A cell that begins so may be run as a formula; the full-width forms are, in Chinese and Japanese Excel.
RISKY_START = re.compile(r"'*[=+\-@＝＋－＠]")
GUARDED_START = re.compile(r"'+[=+\-@＝＋－＠]")


@dataclass(frozen=True)
class Cleaned:
    """One text that held characters no document can carry: where, and what is left of it."""

    table: str
    column: str
    row: int
    text: str


def published(tables, catalogue=TABLES):
    """Return (tables, cleaned): tables in published form, and a list of :class:`Cleaned`.

    tables: dict name -> DataFrame with the columns of ``catalogue``, in its order; codes, words
    and text str without control characters; floats rounded half up to the column's decimals. Raises ValueError when a
    table is not known or its columns are not those of the catalogue: no undeclared column is lost in silence.
    """
    unknown = set(tables) - set(catalogue)
    if unknown:
        raise ValueError(f"tables not in planner.report.columns: {sorted(unknown)}")
    done, cleaned = {}, []
    for name, table in catalogue.items():
        if name not in tables:
            continue
        if set(tables[name].columns) != set(table.columns):
            odd = sorted(set(tables[name].columns) ^ set(table.columns))
            raise ValueError(f"table {name}: columns differ from planner.report.columns: {odd}")
        frame = {}
        for column in table.columns:
            values = tables[name][column].tolist()
            if table.kind(column) in (CODE, TEXT, WORD):
                texts = [clean_text(value) for value in values]
                frame[column] = pd.Series(texts, dtype=object)
                cleaned += [
                    Cleaned(name, column, row, text)
                    for row, (value, text) in enumerate(zip(values, texts, strict=True), start=1)
                    if not absent(value) and str(value) != text
                ]
            else:
                frame[column] = _numbers(values, table.decimals(column))
        done[name] = pd.DataFrame(frame, columns=list(table.columns))
    return done, cleaned


def clean_text(value):
    """Return ``value`` as text a document can carry: line breaks and tabs become a space, other control characters go.

    So do marks that reverse the reading direction, halves of surrogate pairs and code points that are no characters.
    """
    if absent(value):
        return ""
    text = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", str(value))
    return "".join(character for character in text if not _unfit(character))


def _unfit(character):
    point = ord(character)
    reverses = 0x202A <= point <= 0x202E or 0x2066 <= point <= 0x2069
    nothing = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return reverses or nothing or unicodedata.category(character) in ("Cc", "Cs")


def absent(value):
    """Return whether a cell holds nothing: None, NaN or NA."""
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _numbers(values, decimals):
    if decimals == 0:
        dtype = "Int64" if any(absent(v) for v in values) else "int64"
        if any(v != int(v) for v in values if not absent(v)):
            raise ValueError("a column of whole numbers holds a fraction")
        return pd.Series([None if absent(v) else int(v) for v in values], dtype=dtype)
    return pd.Series([float("nan") if absent(v) else float(rounded(v, decimals)) for v in values], dtype="float64")


def rounded(value, decimals):
    """Return a number as a Decimal with ``decimals`` decimals, halves of its shortest form upwards; never -0."""
    whole = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(whole) if whole == 0 else whole


def cell_text(kind, value, decimals):
    """Return one value as it stands in a CSV file; "" for a value that is absent."""
    if absent(value):
        return ""
    if decimals is None:
        return guarded(value)
    if kind == "figure":
        text = format(rounded(value, decimals), "f")
        return text.rstrip("0").rstrip(".")
    return format(rounded(value, decimals), "f") if decimals else str(int(value))


def guarded(text):
    """Return ``text`` with an apostrophe before it when a spreadsheet could take it for a formula."""
    return "'" + text if RISKY_START.match(text) else text


def unguarded(text):
    """Return the text that :func:`guarded` was given."""
    return text[1:] if GUARDED_START.match(text) else text


def write_csv(name, frame, path, catalogue=ALL_TABLES):
    """Write one published table: UTF-8 with byte order mark, LF, machine column names, fixed decimals."""
    table = catalogue[name]
    columns = [
        [cell_text(table.kind(column), value, table.decimals(column)) for value in frame[column].tolist()]
        for column in table.columns
    ]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(zip(*columns, strict=True))


def read_csv(name, path):
    """Return one table as :func:`write_csv` wrote it: a DataFrame in published form, with its empty numbers absent."""
    table = ALL_TABLES[name]
    text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    frame = {}
    for column in table.columns:
        values = text[column].tolist()
        if table.decimals(column) is None:
            frame[column] = pd.Series([unguarded(value) for value in values], dtype=object)
        else:
            frame[column] = _numbers([float(value) if value else None for value in values], table.decimals(column))
    return pd.DataFrame(frame, columns=list(table.columns))
