"""The workbook's sheets against the tables: every cell, text as text, formulas on one sheet alone."""

import re
import zipfile
from collections import defaultdict
from fractions import Fraction
from functools import partial

from geo.theme import MARKS, VERDICT_SIGNS
from geo.words import LANGUAGES, load_words
from planner.verify.handcheck import HandCheck, Sheet, check_charts
from planner.verify.ledger import NUMBERS_ALIKE, same, shown
from planner.verify.reread import read_or_tell, read_workbook, reference
from planner.verify.shapes import CODES, TABLES, TEXTS, decimals
from planner.verify.worked import chart_lines

CHART = re.compile(r"xl/charts/chart[0-9]+\.xml")
NATURES = ("nature", "nature_now", "nature_plan")
SUMMED = (  # tables with sums below their rows
    *("beds_by_city", "bed_staff", "ambulances_by_city", "station_tiers", "coverage_by_city"),
)
NOT_SUMMED = ("persons_per_vehicle", "next_gain")
SHARES = {"expected_share": "expected", "double_share": "double"}
SIGNS = "".join((*VERDICT_SIGNS.values(), *MARKS.values(), " "))  # set before or behind a word, never part of it
DENSITIES = {"now_per_1000": "beds_now", "target_per_1000": "beds_target", "plan_per_1000": "beds_plan"}


def check_workbook(ledger, path, plan, facts):
    """Compare every sheet with its table; returns how many cells were compared.

    A sheet is known by the row that holds the table's column names. Below its rows may stand sums, without a code.
    Formulas stand on the sheet that is checked by hand alone.
    """
    sheets = read_or_tell(ledger, path, read_workbook)
    if sheets is None:
        return 0
    spoken, compared, found = _spoken(facts.standards), 0, {}
    by_hand = {words("worksheet.check_sheet"): words for words in map(load_words, LANGUAGES)}
    charts = {words("worksheet.charts_sheet") for words in by_hand.values()}
    for sheet, cells in sheets.items():
        place = f"{path.name} [{sheet}]"
        for (row, column), cell in cells.items():
            if cell.is_formula and sheet not in by_hand:
                ledger.fail("formula", table=place, row=row, column=reference(row, column), found=cell.value)
        table, top = _table_of(cells) if sheet not in charts | set(by_hand) else (None, 0)
        if table is None:
            continue
        if table in found:
            ledger.fail("sheet_twice", table=place, other=table)
        rows = len(plan.frames[table]) if table in plan.frames else 0
        found[table] = Sheet(sheet, top, TABLES[table], rows)
        if table in plan.frames:
            compared += _compare(ledger, place, table, cells, top, plan.frames[table], spoken)
    for table in TABLES:
        if table not in found:
            ledger.fail("sheet_missing", file=path.name, table=table)
    return compared + _check_more(ledger, path, plan, facts, sheets, found, by_hand, charts, spoken)


def _check_more(ledger, path, plan, facts, sheets, found, by_hand, charts, spoken):
    """Check the sheet that is checked by hand and the one of charts; returns how many cells were compared."""
    compared = 0
    for names in (by_hand, charts):
        if not any(name in sheets for name in names):
            ledger.fail("sheet_missing", file=path.name, table=" / ".join(names))
    if any(table not in plan.frames or table not in found for table in TABLES):
        return 0  # what is missing has been told
    for sheet, words in by_hand.items():
        if sheet in sheets:
            place = f"{path.name} [{sheet}]"
            texts = partial(_texts, sheets, found, plan, spoken, words)
            compared += HandCheck(ledger, place, sheets[sheet], found, texts, words).check(facts, plan)
    for sheet in charts & set(sheets):
        compared += check_charts(ledger, f"{path.name} [{sheet}]", sheets[sheet], plan)
        drawn, wanted = _charts(path), _drawn(plan)
        if drawn != wanted:
            ledger.fail(
                "copy",
                table=f"{path.name} [{sheet}]",
                cell="—",
                column=sheet,
                original="tables",
                found=drawn,
                expected=wanted,
            )
    return compared


def _texts(sheets, found, plan, spoken, words, table, column, word):
    """Return how a table's sheet says a machine word; where no row has it, how a row would."""
    sheet, position = found[table], TABLES[table].index(column) + 1
    rows = [row for row, value in enumerate(plan.frames[table][column], start=sheet.top + 1) if value == word]
    cells = [sheets[sheet.name].get((row, position)) for row in rows]
    told = {cell.value for cell in cells if cell is not None and _says(cell.value, column, word, spoken)}
    said = words(f"value.{column}.{word}")
    signs = {f"{VERDICT_SIGNS[word]} {said}"} if column == "verdict" else {said}
    return told or signs | ({said + MARKS["assumed"]} if word == "assumed" else set())


def _charts(path):
    """Return how many charts a workbook has."""
    with zipfile.ZipFile(path) as book:
        return sum(bool(CHART.fullmatch(name)) for name in book.namelist())


def _drawn(plan):
    """Return how many charts there should be: one of each that has figures."""
    lines = chart_lines(plan)
    needed = ("plan_per_1000", "county_1", "vehicles_plan", "urban_plan", "rural_plan")
    drawn = sum(any(value is not None for value in lines.get(key, ())) for key in needed)
    return drawn + (len(plan.frames["coverage_curve"]) > 1)


def _spoken(standards):
    """Return the texts a machine word, or a standard's name, may be printed as: (column, word) -> set of texts.

    Under None stand the signs between several words of one cell.
    """
    spoken = defaultdict(set)
    for lang in LANGUAGES:
        words = load_words(lang)
        spoken[None].add(words("report.list_comma"))
        for key, text in words.section("value").items():
            kind, _, word = key.rpartition(".")
            for column in NATURES if kind == "nature" else (kind,):
                spoken[column, word].add(text.strip(SIGNS))
        for standard in standards.values():
            spoken["name", standard.name_zh].add(standard.name(lang))
    return spoken


def _says(text, column, expected, spoken):
    """Return whether a text is ``expected``, or says it: one word, or several words with a blank between them."""
    if text == expected or text.strip(SIGNS) in spoken.get((column, expected), ()):
        return True
    several = expected.split(" ")
    told = [spoken.get((column, word), set()) for word in several]
    return len(several) > 1 and any(
        len(parts := text.split(sign)) == len(several)
        and all(part.strip(SIGNS) in texts for part, texts in zip(parts, told, strict=True))
        for sign in spoken[None]
    )


def _table_of(cells):
    rows = defaultdict(dict)
    for (row, column), cell in cells.items():
        rows[row][column] = cell.value
    for row, values in sorted(rows.items()):
        found = tuple(values[column] for column in sorted(values))
        for table, columns in TABLES.items():
            if found == columns and min(values) == 1:
                return table, row
    return None, 0


def _compare(ledger, place, table, cells, top, frame, spoken):
    columns = TABLES[table]
    for row, record in enumerate(frame.to_dict("records"), start=top + 1):
        for position, column in enumerate(columns, start=1):
            cell, expected = cells.get((row, position)), record[column]
            if not _same_cell(table, column, cell, expected, spoken):
                found = (
                    None
                    if cell is None
                    else cell.value
                    if cell.is_text or column not in CODES
                    else f"{cell.value} (123)"
                )
                params = {"column": column, "found": found, "expected": expected}
                ledger.fail(
                    "copy", table=place, cell=reference(row, position), original=f"tables/{table}.csv", **params
                )
    last = max((row for row, _ in cells), default=0)
    for row in range(top + 1 + len(frame), last + 1):
        _total(
            ledger, place, table, row, {c: cells.get((row, p)) for p, c in enumerate(columns, start=1)}, frame, spoken
        )
    return len(frame) * len(columns)


def _same_cell(table, column, cell, expected, spoken):
    if expected is None:
        return cell is None or (cell.is_text and not any(character.isdigit() for character in cell.value))
    if column in CODES | TEXTS:
        if expected == "" and cell is None:
            return True
        if cell is None or not cell.is_text:
            return False
        return _says(cell.value, column, expected, spoken)
    return _number(cell) is not None and same(_number(cell), expected, NUMBERS_ALIKE)


def _number(cell):
    try:
        return None if cell is None or cell.is_text else float(cell.value)
    except ValueError:
        return None


def _total(ledger, place, table, row, cells, frame, spoken):
    """Check a row below the rows: blank, or sums of whole numbers and the densities that follow from them."""
    if not any(cells.values()):
        return
    first, *_ = TABLES[table]
    if table not in SUMMED or cells[first] is not None:
        params = {"found": ", ".join(cell.value for cell in cells.values() if cell is not None)}
        ledger.fail("row_foreign", table=place, row=row, who="", **params)
        return
    setting = cells.get("setting")
    rows = frame
    if setting is not None:
        rows = frame[[setting.value in spoken.get(("setting", word), ()) for word in frame["setting"]]]
    for position, column in enumerate(TABLES[table], start=1):
        if column in CODES | TEXTS:
            continue
        if rows[column].isna().any() or column in NOT_SUMMED:  # what is known of some places is no sum
            if cells[column] is not None:
                ledger.fail(
                    "copy", table=place, found=cells[column].value, expected=None, **_at(table, row, column, position)
                )
            continue
        expected = int(rows[column].sum()) if not decimals(table, column) else None
        if column in DENSITIES and rows["persons"].sum():
            expected = Fraction(1000 * int(rows[DENSITIES[column]].sum()), int(rows["persons"].sum()))
        if column in SHARES and rows["persons"].sum():
            expected = Fraction(100 * int(rows[SHARES[column]].sum()), int(rows["persons"].sum()))
        found = _number(cells[column])
        if found is None or not same(found, expected, decimals(table, column)):
            ledger.fail("copy", table=place, found=shown(found), expected=expected, **_at(table, row, column, position))


def _at(table, row, column, position):
    return {"cell": reference(row, position), "original": f"tables/{table}.csv", "column": column}
