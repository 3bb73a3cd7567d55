"""The workbook's sheets against the tables: every cell, text as text, numbers as numbers, never a formula."""

from collections import defaultdict
from fractions import Fraction

from geo.theme import MARKS, VERDICT_SIGNS
from geo.words import LANGUAGES, load_words
from planner.verify.ledger import NUMBERS_ALIKE, same, shown
from planner.verify.reread import read_or_tell, read_workbook, reference
from planner.verify.shapes import CODES, TABLES, TEXTS, decimals

NATURES = ("nature", "nature_now", "nature_plan")
SUMMED = (  # tables with sums below their rows
    *("beds_by_city", "bed_staff", "ambulances_by_city", "station_tiers", "coverage_by_city"),
)
NOT_SUMMED = ("persons_per_vehicle", "next_gain")
SHARES = {"expected_share": "expected", "double_share": "double"}
SIGNS = "".join((*VERDICT_SIGNS.values(), *MARKS.values(), " "))  # set before or behind a word, never part of it
DENSITIES = {"now_per_1000": "beds_now", "target_per_1000": "beds_target", "plan_per_1000": "beds_plan"}


def check_workbook(ledger, path, plan, standards):
    """Compare every sheet with its table; returns how many cells were compared.

    A sheet is known by the row that holds the table's column names. Below its rows may stand sums, without a code.
    """
    sheets = read_or_tell(ledger, path, read_workbook)
    if sheets is None:
        return 0
    spoken, compared, seen = _spoken(standards), 0, set()
    for sheet, cells in sheets.items():
        place = f"{path.name} [{sheet}]"
        for (row, column), cell in cells.items():
            if cell.is_formula:
                ledger.fail("formula", table=place, row=row, column=reference(row, column), found=cell.value)
        table, top = _table_of(cells)
        if table is None:
            continue
        if table in seen:
            ledger.fail("sheet_twice", table=place, other=table)
        seen.add(table)
        if table in plan.frames:
            compared += _compare(ledger, place, table, cells, top, plan.frames[table], spoken)
    for table in TABLES:
        if table not in seen:
            ledger.fail("sheet_missing", file=path.name, table=table)
    return compared


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
