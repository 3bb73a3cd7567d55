"""The workbook's sheet that is checked by hand, formula by formula, and the figures below its charts."""

import re
from dataclasses import dataclass
from fractions import Fraction

from geo.theme import MARKS, VERDICT_SIGNS
from planner.verify.ledger import NUMBERS_ALIKE, same
from planner.verify.reread import reference
from planner.verify.worked import chart_lines, rows_of, worked_rows

CODE, PLACE, SAID, RESULT, PLANNED, DIFFERENCE, SIGN = range(1, 8)  # columns of the sheet, from 1
ADDRESS = re.compile(r"\[(\w+)\.(\w+)(?:([@+])(\d+))?\]|\[=(\w+) ?(\w*)\]")
LEAST = Fraction(1, 2 * 10**4)  # a difference is told with four decimals
SIGNS = "".join((*VERDICT_SIGNS.values(), *MARKS.values(), " "))


@dataclass(frozen=True)
class Sheet:
    """Where a table stands: the name of its sheet, the row of its column names, its columns, how many rows."""

    name: str
    top: int
    columns: tuple
    rows: int


class HandCheck:
    """Compares the sheet with what should stand there."""

    def __init__(self, ledger, place, cells, sheets, texts, words):
        """``sheets`` {table: Sheet};  ``texts`` {(table, column, word): texts that cells of that table say it with}."""
        self.ledger, self.place, self.cells = ledger, place, cells
        self.sheets, self.texts, self.words = sheets, texts, words
        self.inputs, self.compared = {}, 0

    def check(self, facts, plan):
        """Check every input, formula, value and sign; returns how many cells were compared."""
        rows, inputs = worked_rows(facts, plan)
        formulas = sorted({row for (row, column), cell in self.cells.items() if cell.is_formula})
        plain = sorted(
            row
            for (row, column), cell in self.cells.items()
            if column == RESULT and row not in formulas and not cell.is_text
        )
        top, *found = formulas or [0]
        self._count("inputs", plain, inputs)
        self._count("formulas", found, rows)
        for row, wanted in zip(plain, inputs, strict=False):
            self._input(row, *wanted, facts)
        for row, wanted in zip(found, rows, strict=False):
            self._row(row, wanted)
        last = max((row for row, _ in self.cells), default=0)
        self._top(top, max(plain, default=0) + 1, last, len(rows), rows)
        self._nothing_else({top, *plain, *found})
        return self.compared

    def _count(self, what, found, wanted):
        if len(found) != len(wanted):
            self._fail(0, 0, what, len(found), len(wanted), "")

    def _input(self, row, key, code, name, value, facts):
        self.inputs[key, code] = f"$D${row}"
        self._text(row, CODE, code)
        self._text(row, PLACE, name)
        self._text(row, SAID, f"report.setting.{key}", words=True)
        self._number(row, RESULT, value, "scenario")
        found = self._value(row, PLANNED)
        sources = self._sources(key, code, value, facts)
        if found.strip(SIGNS) not in sources:
            self._fail(row, PLANNED, key, found, " / ".join(sorted(sources)), "scenario")

    def _sources(self, key, code, value, facts):
        """Return what an input may rest on: its clause where it is the clause's figure, else the scenario."""
        standard = None
        if key == "bed_targets" and code in facts.standards.cities:
            standard = facts.standards.city_bed_target(code)
            same_figure = Fraction(standard.value) == Fraction(value)
        elif key == "persons_per_ambulance":
            standard = facts.standards["ambulance_per_30000"]
            same_figure = Fraction(standard.per, standard.value) == Fraction(value)
        changed = {self.words(f"report.basis_{word}").strip(SIGNS) for word in ("scenario", "assumed", "data")}
        if standard is None or not same_figure:
            return changed
        return {f"{standard.document} {standard.clause}".strip(SIGNS), self.words("report.basis_scenario").strip(SIGNS)}

    def _row(self, row, wanted):
        self._text(row, CODE, wanted.code)
        self._text(row, PLACE, wanted.place)
        self._text(row, SAID, wanted.said, words=True)
        origin = wanted.planned or wanted.formula
        table = ADDRESS.search(origin)[1]
        self._formula(row, RESULT, wanted.formula, wanted.value, table)
        if wanted.planned is None:
            self._plain(row, PLANNED)
            self._number(row, PLANNED, wanted.figure, table)
        else:
            self._formula(row, PLANNED, wanted.planned, wanted.figure, table)
        off = Fraction(wanted.value) - _exact(wanted.figure)
        off = 0 if abs(off) < LEAST else off
        self._formula(row, DIFFERENCE, f"ROUND(D{row}-E{row},4)", off, table)
        self._sign(row, off)

    def _top(self, row, first, last, rows, wanted):
        signs = VERDICT_SIGNS["met"], f"$G${first}:$G${last}"
        agree = sum(abs(Fraction(each.value) - _exact(each.figure)) < LEAST for each in wanted)
        self._formula(row, RESULT, f'COUNTIF({signs[1]},"{signs[0]}")', agree, "")
        self._plain(row, PLANNED)
        self._number(row, PLANNED, rows, "")
        self._formula(row, DIFFERENCE, f"E{row}-D{row}", rows - agree, "")
        self._sign(row, rows - agree)

    def _sign(self, row, off):
        met, unmet = VERDICT_SIGNS["met"], VERDICT_SIGNS["unmet"]
        self._formula(row, SIGN, f'IF(F{row}=0,"{met}","{unmet}")', unmet if off else met, "")

    def _nothing_else(self, rows):
        for (row, column), cell in self.cells.items():
            if not cell.is_text and (row not in rows or column not in (RESULT, PLANNED, DIFFERENCE)):
                self._fail(row, column, "", cell.value, None, "")

    def _formula(self, row, column, template, value, table):
        cell = self.cells.get((row, column))
        cells = {"code": f"$A{row}", "place": f"$B{row}"}
        wanted = ADDRESS.sub(self._address, template).format_map(cells)
        found = cell.formula if cell is not None else None
        if found != wanted:
            self._fail(row, column, "", found, wanted, self.words("worksheet.expected"))
        if isinstance(value, str):
            if cell is None or cell.value != value:
                self._fail(row, column, "", None if cell is None else cell.value, value, table)
        else:
            self._number(row, column, value, table)
        self.compared += 1

    def _plain(self, row, column):
        cell = self.cells.get((row, column))
        if cell is not None and cell.is_formula:
            self.ledger.fail("formula", table=self.place, column=reference(row, column), found=cell.value)

    def _address(self, found):
        table, column, how, number, key, code = found.groups()
        if key:
            return self.inputs.get((key, code), "?")
        sheet = self.sheets[table]
        letters = reference(1, sheet.columns.index(column) + 1)[:-1]
        name = "'" + sheet.name.replace("'", "''") + "'"
        first = sheet.top + 1
        if how is None:
            return f"{name}!${letters}${first}:${letters}${sheet.top + max(sheet.rows, 1)}"
        return f"{name}!${letters}${first + int(number) + (sheet.rows if how == '+' else 0)}"

    def _number(self, row, column, value, table):
        cell = self.cells.get((row, column))
        try:
            found = None if cell is None or cell.is_text else float(cell.value)
        except ValueError:
            found = None
        if found is None or not same(found, _exact(value), NUMBERS_ALIKE):
            self._fail(row, column, "", None if cell is None else cell.value, value, table)

    def _text(self, row, column, wanted, words=False):
        """Compare a text: as it stands, as a table says a word, or (``words``) what the catalogue has for a key."""
        found = self._value(row, column)
        if words:
            texts = {self._said(wanted)}
        elif isinstance(wanted, tuple) and len(wanted) == 1:
            texts = {self.words(wanted[0])}
        elif isinstance(wanted, tuple):
            before = "".join(f"{name} " for name in wanted[3:])
            texts = {before + text for text in self.texts(*wanted[:3])}
        else:
            texts = {wanted}
        alike = {text.strip(SIGNS) for text in texts} if words else texts
        if (found.strip(SIGNS) if words else found) not in alike:
            self._fail(row, column, "", found, " / ".join(sorted(texts)), "")

    def _said(self, key):
        if key.startswith("share "):
            return self.words("worksheet.share", what=self.words(key.removeprefix("share ")) + MARKS["modelled"])
        return self.words(key)

    def _value(self, row, column):
        cell = self.cells.get((row, column))
        return "" if cell is None else cell.value

    def _fail(self, row, column, what, found, expected, table):
        original = f"tables/{table}.csv" if table in self.sheets else table or "—"
        where = {"cell": reference(row, column) if row else "—", "column": what or self._value(row, SAID)}
        self.ledger.fail("copy", table=self.place, found=found, expected=expected, original=original, **where)


def _exact(number):
    """Return a figure as it is printed: floats by their decimals."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


# -- the figures below the charts


def check_charts(ledger, place, cells, plan):
    """Check the figures below the charts, and that there are no others; returns how many were compared."""
    city, lines, seen = rows_of(plan, "beds_by_city"), chart_lines(plan), set()
    wanted = {"code": [line["code"] for line in city], "name": [line["name"] for line in city], **lines}
    rows = {}
    for (row, column), cell in cells.items():
        if column == 1 and cell.is_text and cell.value in wanted:
            if cell.value in rows:
                _differs(ledger, place, row, 1, cell.value, cell.value, None)
            rows[cell.value] = row
    for key, values in wanted.items():
        row = rows.get(key, 0)
        seen |= {(row, column) for column in range(3, 3 + len(values))}
        for column, value in enumerate(values, start=3):
            cell = cells.get((row, column))
            found = None if cell is None else cell.value
            text = isinstance(value, str)
            alike = found == value
            if not text and cell is not None and value is not None and not cell.is_text:
                alike = same(float(found), _exact(value), NUMBERS_ALIKE)
            if not alike or (text and not cell.is_text) or (not text and cell is not None and cell.is_text):
                _differs(ledger, place, row, column, key, found, value)
    for (row, column), cell in cells.items():
        if not cell.is_text and (row, column) not in seen:
            _differs(ledger, place, row, column, "", cell.value, None)
    return sum(map(len, wanted.values()))


def _differs(ledger, place, row, column, what, found, expected):
    where = {"cell": reference(row, column), "column": what, "original": "tables"}
    ledger.fail("copy", table=place, found=found, expected=expected, **where)
