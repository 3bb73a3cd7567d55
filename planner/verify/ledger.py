"""Check and Ledger: what was looked at, what was found, cell by cell."""

import math
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from planner.verify.shapes import NotChecked, decimals

NUMBERS_ALIKE = 9  # decimals in which two copies of one number agree


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    name    the part of the plan it belongs to
    passed  True when all of the part was found right; a part with failures has one check for each of them
    key     its sentence in the words' section ``verify``; ``params`` fill it
    """

    name: str
    passed: bool
    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def tell(self, words):
        """Return what was found as one line, in the language of ``words``."""
        params = dict(self.params)
        if "kind" in params:
            params["kind"] = words(f"verify.kind.{params['kind']}")
        return words(f"verify.{self.key}", **params)


class Ledger:
    """Collects checks: one passed check for a part without failures, otherwise each failure."""

    def __init__(self):
        self.checks = []
        self._part = ""

    @contextmanager
    def part(self, name, quiet=False):
        """Open a part; yields a dict for the figures of the sentence that says it passed (unsaid when ``quiet``)."""
        self._part, before, said = name, len(self.checks), {}
        try:
            yield said
        except NotChecked as missing:
            self.fail("not_checked", what=str(missing))
        except Exception as error:  # whatever a broken plan makes the arithmetic do: what cannot be checked has failed
            self.fail("broken", error=f"{type(error).__name__}: {error}")
        if len(self.checks) == before and not quiet:
            self.checks.append(Check(name, True, f"ok.{name}", said))

    def fail(self, key, **params):
        """Note a failure of the open part."""
        self.checks.append(Check(self._part, False, f"bad.{key}", {name: shown(v) for name, v in params.items()}))

    def compare(self, table, frame, keys, expected, *, optional=(), places=None, first_row=2):
        """Compare a table with what it should hold.

        frame     typed DataFrame (see ``shapes``), its index the rows' numbers from 0
        keys      columns that tell rows apart
        expected  list of dicts in the order of rows: the keys and the columns to compare
        optional  keys (tuples) of expected rows that may be absent
        places    decimals numbers must agree in; None = those the column is printed with
        first_row how an editor counts the first row
        Notes rows that are missing, foreign, twice or out of order, and every cell that differs.
        """
        if _just_as_expected(frame, keys, expected):
            return
        rows, records = {}, dict(zip(frame.index, _records(frame), strict=True))
        for row, record in records.items():
            key = tuple(record[column] for column in keys)
            if key in rows:
                self.fail(
                    "row_twice",
                    table=table,
                    row=row + first_row,
                    who=" ".join(map(shown, key)),
                    first=rows[key] + first_row,
                )
            rows.setdefault(key, row)
        wanted = {}
        for line in expected:
            key = tuple(line[column] for column in keys)
            wanted[key] = line
            if key not in rows:
                if key not in optional:
                    self.fail("row_missing", table=table, who=" ".join(map(shown, key)), expected=listed(line))
                continue
            record = records[rows[key]]
            for column, value in line.items():
                if not same(record[column], value, decimals(table, column) if places is None else places):
                    params = {"who": " ".join(map(shown, key)), "found": record[column], "expected": value}
                    self.fail("cell", table=table, row=rows[key] + first_row, column=column, **params)
        for key, row in rows.items():
            if key not in wanted:
                who = " ".join(map(shown, key))
                self.fail("row_foreign", table=table, row=row + first_row, who=who, found=listed(records[row]))
        order = [rows[key] for key in wanted if key in rows]
        for before, after in zip(order, order[1:], strict=False):
            if after < before:
                self.fail("row_order", table=table, row=before + first_row, other=after + first_row)
                break


def _records(frame):
    """Return the rows of typed cells as dicts."""
    return [
        dict(zip(frame.columns, row, strict=True))
        for row in zip(*(frame[column].tolist() for column in frame.columns), strict=True)
    ]


def _just_as_expected(frame, keys, expected):
    """Return whether every row stands where it should and every cell is what it should be, not only when printed."""
    if not expected or len(frame) != len(expected) or any(line.keys() != expected[0].keys() for line in expected):
        return False
    columns = {column: [line[column] for line in expected] for column in expected[0]}
    if len(set(zip(*(columns[key] for key in keys), strict=True))) < len(expected):
        return False
    return all(frame[column].tolist() == wanted for column, wanted in columns.items())


def same(found, expected, places):
    """Return whether a cell holds ``expected``: exactly, or as a number printed with ``places`` decimals."""
    if found is expected or found == expected:
        return True
    if found is None or expected is None:
        return False
    if isinstance(expected, str) or isinstance(found, str):
        return not str(expected).isprintable() and printable(str(found)) == printable(expected)
    if places:
        return abs(Fraction(float(found)) - Fraction(expected)) <= Fraction(1, 2 * 10**places) + Fraction(1, 10**9)
    return int(found) == expected


def printable(text):
    """Return a text without blanks and without the characters that no document can carry."""
    return "".join(character for character in text if character.isprintable() and not character.isspace())


def shown(value):
    """Return a value as a message prints it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "—"
    if isinstance(value, float | np.floating | Fraction):
        return f"{float(value):.6f}".rstrip("0").rstrip(".")
    return str(value)


def listed(record):
    """Return a row as ``column value`` pairs."""
    return ", ".join(f"{column} {shown(value)}" for column, value in record.items())
