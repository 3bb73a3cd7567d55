"""The sheet that is checked by hand: its formulas give what the plan says, in every program that works them out."""

import io
import re
import shutil
import subprocess
import tempfile
import zipfile
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pytest

from geo.words import load_words
from planner.documents.book import write_tables
from planner.report.columns import TABLES
from planner.report.names import place_names
from planner.report.sheet_parts import column_letters, quoted
from planner.report.summary import summarise
from planner.report.tables import published
from planner.report.workbook import print_small
from planner.scenario import vary
from planner.verify.ledger import Ledger
from planner.verify.reread import read_workbook
from planner.verify.shapes import read_tables
from planner.verify.workbook import check_workbook
from tests.planner.small_plan import small_plan

ZH, EN = load_words("zh"), load_words("en")
COMMAND = "=cmd|' /C calc'!A0"
HOSTILE = {"140100": COMMAND, "140101": "+1+1", "140102": "@SUM(A1)", "140201": "bed_quotas {code}", "140200": "'乙'"}
PART = "xl/worksheets/sheet2.xml"  # the sheet after the cover


CASES = {
    "zh": {},
    "en": {"words": EN},
    "hostile": {"names": tuple(HOSTILE.items())},
    "uplift": {"uplift": (("140102", 12.5), ("140201", 30))},
    "interim": {"interim": True, "words": EN},
}


@cache
def source_of(case="zh"):
    """Return what :func:`write_tables` asks of a source, of the plan small enough for paper. Leave it as it is."""
    asked = {"words": ZH, "names": (), "interim": False, "uplift": ()} | CASES[case]
    plan, prepared = small_plan(dict(asked["names"]), interim=asked["interim"])
    if asked["uplift"]:
        plan.scenario = vary(plan.scenario, ambulance_uplift=dict(asked["uplift"]))
    clauses = plan.tables["compliance"]
    plan.tables["compliance"] = clauses.assign(name=[prepared.standards[id].name_zh for id in clauses["standard_id"]])
    tables, cleaned = published(plan.tables)
    return SimpleNamespace(
        plan=plan,
        prepared=prepared,
        region=prepared.region,
        scenario=plan.scenario,
        tables=tables,
        cleaned=tuple(cleaned),
        summary=summarise(plan, tables, prepared, asked["words"]),
        checks=("核验一项",),
        words=asked["words"],
        names=place_names(prepared.region, asked["words"]),
    )


@cache
def content(case="zh", city=None):
    """Return the bytes of a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        return written(Path(folder), source_of(case), city).read_bytes()


@cache
def cells(case="zh", city=None):
    """Return the cells of a workbook, by sheet and place: formulas and the values they stand with."""
    return read_workbook(io.BytesIO(content(case, city)))


@cache
def opened(case="zh", city=None):
    """Return a workbook. Leave it as it is."""
    return openpyxl.load_workbook(io.BytesIO(content(case, city)))


def written(folder, source, city=None):
    path = folder / "plan.xlsx"
    write_tables(source, path, city=city)
    return path


def copied(folder, case="zh"):
    path = folder / "plan.xlsx"
    path.write_bytes(content(case))
    return path


# ---- what Excel works out, worked out here once more


class Excel:
    """The few functions that the formulas use, on the cells of a workbook; a range is an array."""

    REFERENCE = re.compile(r"(?:'((?:[^']|'')+)'!)?\$?([A-Z]+)\$?([0-9]+)(?::\$?[A-Z]+\$?([0-9]+))?")

    def __init__(self, sheets, sheet):
        self.sheets, self.sheet, self.known = sheets, sheet, {}

    def __call__(self, formula):
        """Return what a formula gives; other formulas it refers to are worked out, their values not read."""
        parts = re.split(r'("[^"]*")', formula)
        for i in range(0, len(parts), 2):
            parts[i] = self.REFERENCE.sub(self.address, parts[i]).replace("--", "1*")
            parts[i] = re.sub(r"(?<![<>=])=(?!=)", "==", parts[i]).replace("<>", "!=")
        names = {name: getattr(self, name) for name in dir(self) if name.isupper()} | {"cells": self.cells}
        return eval("".join(parts), {"__builtins__": {}}, names)

    @staticmethod
    def address(found):
        sheet, letters, first, last = found.groups()
        sheet = (sheet or "").replace("''", "'")
        return f"cells({sheet!r},{openpyxl.utils.column_index_from_string(letters)},{first},{last})"

    def cells(self, sheet, column, first, last):
        sheet = sheet or self.sheet
        if last is None:
            return self.value(sheet, (first, column))
        return np.array([self.value(sheet, (row, column)) for row in range(first, last + 1)], dtype=object)

    def value(self, sheet, at):
        cell = self.sheets[sheet].get(at)
        if cell is None or cell.is_text and not cell.is_formula:
            return None if cell is None else cell.value
        if not cell.is_formula:
            return float(cell.value)
        if (sheet, at) not in self.known:
            self.known[sheet, at] = self(cell.formula)
        return self.known[sheet, at]

    @staticmethod
    def ROUND(number, places, how=ROUND_HALF_UP):
        return float(Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-places), rounding=how))

    @staticmethod
    def ROUNDUP(number, places):
        return Excel.ROUND(number, places, ROUND_UP)

    @staticmethod
    def SUM(values):
        return sum(value for value in values if not isinstance(value, str) and value is not None)

    @staticmethod
    def SUMIFS(values, *asked):
        if isinstance(asked[1], np.ndarray):
            return np.array([Excel.SUMIFS(values, asked[0], each) for each in asked[1]], dtype=object)
        kept = np.logical_and.reduce([Excel.matches(*pair) for pair in zip(asked[::2], asked[1::2], strict=True)])
        return Excel.SUM(values[kept])

    @staticmethod
    def matches(values, wanted):
        if wanted[:1] in ("<", ">"):
            numbers = [value if not isinstance(value, str) and value is not None else None for value in values]
            above = wanted.startswith(">=")
            return np.array([n is not None and (n >= 0 if above else n < 0) for n in numbers], dtype=bool)
        return np.array([value == wanted for value in values], dtype=bool)

    @staticmethod
    def COUNTIFS(values, wanted):
        return int(Excel.matches(values, wanted).sum())

    COUNTIF = COUNTIFS

    @staticmethod
    def COUNT(values):
        return sum(not isinstance(value, str) and value is not None for value in values)

    @staticmethod
    def ROWS(values):
        return len(values)

    @staticmethod
    def SUMPRODUCT(first, second=1):
        return (first * second).sum()

    @staticmethod
    def IF(asked, yes, no):
        return yes if asked else no

    MAX, MIN = max, min


FORMULAS = ("zh", "en", "hostile", "uplift")


@pytest.mark.parametrize(("case", "city"), [*((case, None) for case in FORMULAS), ("hostile", "140100")])
def test_every_formula_gives_the_value_it_stands_with(case, city):
    sheets = cells(case, city)
    name = source_of(case).words("worksheet.check_sheet")
    excel = Excel(sheets, name)
    formulas = {at: cell for at, cell in sheets[name].items() if cell.is_formula}
    assert len(formulas) > (80 if city else 150)
    for at, cell in formulas.items():
        found = excel(cell.formula)
        alike = found == cell.value if cell.is_text else abs(found - float(cell.value)) < 1e-9
        assert alike, (at, cell, found)


def test_a_row_that_differs_is_marked_and_counted():
    """The small plan gives the second city 112 beds; 15,000 people at 7.5 a thousand are 112.5, which goes up."""
    sheet = cells()[ZH("worksheet.check_sheet")]
    signs = [(row, cell.value) for (row, column), cell in sheet.items() if column == 7 and cell.is_formula and row > 4]
    differ = [[sheet[row, column].value for column in range(1, 7)] for row, sign in signs if sign == "▲"]
    assert ["140200", "乙市", ZH("column.beds_target"), "113", "112", "1"] in differ
    assert {sign for _, sign in signs} == {"●", "▲"} and sheet[4, 7].value == "▲"
    found = [int(sheet[4, column].value) for column in (4, 5, 6)]
    assert found == [len(signs) - len(differ), len(signs), len(differ)]


def test_columns_are_those_that_the_words_say():
    """A formula's columns are found by the machine names above them, not by where they happen to stand."""
    book = opened()
    sheet, plan = book.worksheets[1], {}
    for row in sheet.iter_rows(min_row=6):
        if row[6].data_type == "f":
            columns = re.findall(
                r"'([^']+)'!\$([A-Z]+)\$", row[3].value + row[4].value if row[4].data_type == "f" else row[3].value
            )
            plan[row[0].row] = [book[name][f"{letters}4"].value for name, letters in columns]
            assert all(plan[row[0].row])
    told = {(sheet.cell(row, 3).value.rstrip("ᵐ"), *names) for row, names in plan.items()}
    assert (ZH("column.beds_target"), "persons", "beds_now", "beds_target") in told
    assert (ZH("column.required"), "persons", "uplift", "required") in told
    assert (ZH("column.covered"), "covered", "city_code", "setting", "setting", "covered") in told
    assert (ZH("column.uncovered"), "persons", "covered", "uncovered") in told


@pytest.mark.parametrize("city", [None, "140100"], ids=["all", "city"])
def test_names_stay_text_in_every_sheet_and_two_writes_are_the_same(tmp_path, city):
    assert written(tmp_path, source_of("hostile"), city).read_bytes() == content("hostile", city)
    book = opened("hostile", city)
    for sheet in book:
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value in HOSTILE.values()]
        assert all(cell.data_type == "s" for cell in cells)
        if sheet in book.worksheets[1:4]:
            assert cells, sheet.title


def test_an_interim_plan_says_so_on_every_sheet_and_page():
    source = source_of("interim")
    for sheet in opened("interim"):
        assert source.summary.interim in "\n".join(str(row[0].value) for row in sheet.iter_rows(max_row=4))
        assert sheet.oddHeader.left.text.startswith(source.summary.interim[:40])


def test_inputs_say_what_they_rest_on():
    source, sheet = source_of("uplift"), opened("uplift").worksheets[1]
    rows = {
        (row[0].value, row[2].value): (row[3].value, row[4].value) for row in sheet.iter_rows(min_row=8, max_row=12)
    }
    targets = ZH("report.setting.bed_targets")
    taiyuan = source.prepared.standards.city_bed_target("140100")
    assert rows["140100", targets] == (11, f"{taiyuan.document} {taiyuan.clause}")
    assert rows["", ZH("report.setting.persons_per_ambulance")][0] == 30_000
    assert rows["140102", ZH("report.setting.ambulance_uplift")] == (12.5, ZH("report.basis_scenario"))


# ---- tables


def test_a_citys_code_is_shown_with_its_name_and_stays_a_code():
    sheet = next(sheet for sheet in opened() if [cell.value for cell in sheet[4]][:3] == ["code", "name", "city_code"])
    cell = sheet["C5"]
    assert (cell.value, cell.data_type, cell.number_format) == ("140100", "s", '@" 甲市"')
    hostile = opened("hostile")[sheet.title]["C5"]
    assert (hostile.value, hostile.number_format) == ("140100", f'@" {COMMAND}"')


@pytest.mark.parametrize(
    ("rows", "across", "aside", "pages"), [(50, 90, 0, None), (50, 120, 1, None), (2000, 90, 0, 26)]
)
def test_a_long_list_is_printed_small(rows, across, aside, pages):
    calls = {}
    names = ("set_landscape", "repeat_rows", "fit_to_pages")
    sheet = SimpleNamespace(**{name: partial(lambda name, *args: calls.update({name: args}), name) for name in names})
    print_small(sheet, rows, across, 15 * rows)
    assert ("set_landscape" in calls) == aside
    assert calls.get("fit_to_pages") == (None if pages is None else (1, pages))
    assert calls["repeat_rows"] == ((0, 3) if pages is None else (2, 3))


# ---- one city


def test_a_citys_workbook_holds_its_rows_alone(tmp_path):
    source, book = source_of(), opened("zh", "140200")
    cover = "\n".join(str(row[0].value) for row in book.worksheets[0].iter_rows())
    assert ZH("worksheet.city_only", city="乙市") in cover and "乙市" in book.worksheets[0]["A1"].value
    left_out = [
        name for name in TABLES if not {"city_code", "code", "area_code", "county_code"} & set(TABLES[name].columns)
    ]
    assert left_out and all(ZH(f"table.{name}.title") in cover for name in left_out)
    assert len(book.worksheets) == 3 + len(TABLES) - len(left_out)
    for sheet in book.worksheets[3:]:
        header = [cell.value for cell in sheet[4]]
        for column in {"city_code", "county_code"} & set(header):
            codes = {row[header.index(column)].value for row in sheet.iter_rows(min_row=5)} - {None, ""}
            assert codes <= {"140200", "140201"}, sheet.title
    with pytest.raises(KeyError):
        write_tables(source, tmp_path / "none.xlsx", city="999999")


# ---- charts


@pytest.mark.parametrize("city", [None, "140100"], ids=["all", "city"])
def test_charts_show_the_figures_below_them(city):
    sheet = opened("zh", city).worksheets[2]
    rows = {row[0].value: [cell.value for cell in row[2:]] for row in sheet.iter_rows() if row[0].value}
    if city:
        assert rows["code"] == ["140101", "140102"] and rows["target_per_1000"] == [11, 11]
        assert rows["rural_plan"] == [100, 100] and "vehicles_plan" not in rows
    else:
        assert rows["code"] == ["140100", "140200"] and rows["plan_per_1000"] == [11, 7.47]
        assert rows["rural_now"] == [100, 85.7] and rows["vehicles_required"] == [3, 1]
        assert rows["county_1"] == [11, 7.47] and rows["county_2"] == [11, None]
    with zipfile.ZipFile(io.BytesIO(content("zh", city))) as book:
        charts = [book.read(name).decode() for name in book.namelist() if re.match(r"xl/charts/chart\d", name)]
    assert len(charts) == (3 if city else 6)
    for chart in charts:
        for reference in re.findall("<c:f>(.*?)</c:f>", chart):
            assert reference.startswith(("'图'!", "'20 覆盖曲线'!")), reference


# ---- the verifier


def verdict(path, source):
    plan, ledger = read_tables(Ledger(), source.tables), Ledger()
    facts = SimpleNamespace(scenario=source.scenario, standards=source.prepared.standards)
    with ledger.part("workbook") as said:
        said.update(cells=check_workbook(ledger, path, plan, facts))
    return [check.tell(EN) for check in ledger.checks if not check.passed]


@pytest.mark.parametrize("case", FORMULAS)
def test_the_verifier_finds_the_workbook_right(tmp_path, case):
    assert verdict(copied(tmp_path, case), source_of(case)) == []


FALSE = {  # part, what is there, what is put for it, what is told
    "a value": (PART, r"(<f>MAX\([^<]*</f>)<v>781</v>", r"\1<v>782</v>", "holds 782"),
    "a formula": (PART, r"<f>SUM\([^<]*</f>", "<f>1+1</f>", "holds 1+1"),
    "another column": (PART, r"<f>(MAX\([^<]*)\$C\$6([^<]*)</f>", r"<f>\1$D$6\2</f>", "$D$6"),
    "an input": (PART, r"<v>11</v>", "<v>12</v>", "holds 12,"),
    "a figure of the plan": (PART, r"(<f>'1 各市床位'!\$E\$5</f>)<v>781</v>", r"\1<v>780</v>", "holds 780"),
    "where it stands": (PART, r"<f>'1 各市床位'!\$E\$6</f>", "<f>'1 各市床位'!$F$6</f>", "holds '1 各市床位'!$F$6"),
    "a sign": (PART, r"(<c r=\"G1[0-9]\"[^>]*><f>[^<]*</f>)<v>▲</v>", r"\1<v>●</v>", "holds ●"),
    "how many agree": (PART, r"(<f>COUNTIF\([^<]*</f>)<v>\d+</v>", r"\1<v>1</v>", "D4"),
    "one more number": (PART, r"(<row r=\"6\"[^>]*>)", r'\1<c r="Z6"><v>7</v></c>', "Z6"),
    "a figure of the charts": ("xl/worksheets/sheet3.xml", r"<v>85.7</v>", "<v>95.7</v>", "rural_now"),
    "a formula elsewhere": ("xl/worksheets/sheet4.xml", r"<v>781</v>", "<f>780+1</f><v>781</v>", "is a formula"),
}


def test_the_verifier_finds_each_thing_that_is_false(tmp_path):
    path = copied(tmp_path)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    for part, pattern, new, _ in FALSE.values():
        text, count = re.subn(pattern, new, parts[part].decode(), count=1)
        assert count == 1, pattern
        parts[part] = text.encode()
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    said = verdict(path, source_of())
    assert [what for what, (*_, told) in FALSE.items() if not any(told in line for line in said)] == [], said


def test_the_verifier_misses_a_chart_and_a_sheet(tmp_path):
    source, path = source_of(), copied(tmp_path)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist() if name != "xl/charts/chart6.xml"}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(ZH("worksheet.check_sheet").encode(), "别的".encode())
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    said = "\n".join(verdict(path, source))
    assert "holds 5" in said and f"no sheet for {ZH('worksheet.check_sheet')}" in said


# ---- another program

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("case", ["hostile", "uplift"])
def test_libreoffice_works_out_the_same(tmp_path, case):
    """Every value it stands with is falsified first: what comes back has been worked out."""
    path = copied(tmp_path, case)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[PART] = re.sub(r"</f><v>[-\d.]+</v>", "</f><v>-7</v>", parts[PART].decode()).encode()
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    profile = tmp_path / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE, encoding="utf-8")
    asked = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir"]
    subprocess.run([*asked, str(tmp_path / "out"), str(path)], check=True, capture_output=True, timeout=180)
    name = ZH("worksheet.check_sheet")
    found, right = read_workbook(tmp_path / "out" / "plan.xlsx")[name], cells(case)[name]
    formulas = [at for at, cell in right.items() if cell.is_formula]
    assert len(formulas) > 150
    for at in formulas:
        expected, value = right[at], found[at].value
        alike = value == expected.value if expected.is_text else abs(float(value) - float(expected.value)) < 1e-9
        assert alike, (at, expected, value)


def test_addresses_are_as_a_formula_has_them():
    assert [column_letters(number) for number in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert quoted("O'Brien's") == "'O''Brien''s'"
