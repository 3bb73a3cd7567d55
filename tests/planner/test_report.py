"""The folder of a run: one set of figures in every file, the same bytes each time, text kept text, never half of it."""

import hashlib
import json
import os
import resource
import signal
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
from pandas.testing import assert_frame_equal

from geo.maps import map_html
from geo.travel import UNREACHED
from geo.ways import straight
from geo.words import load_words
from planner.report import OutRefused, VerificationFailed, check_out, folder, map_view, outputs, recover, write_outputs
from planner.report.columns import ALL_TABLES, TABLES
from planner.report.folder import replaced
from planner.report.layers import build_layers
from planner.report.summary import gap_text, share
from planner.report.tables import absent, clean_text, guarded, published, read_csv, rounded, unguarded
from planner.report.workbook import HEADER_ROWS, word
from planner.scenario import vary
from tests.planner.small_plan import small_plan

ZH, EN = load_words("zh"), load_words("en")
FORMULA, MARKUP, SCRIPT, CONTROL = "=1+1", "<img src=x onerror=alert(1)>", "${alert(1)}`{x}", "北\x00\x07县\n二\u202e"
HOSTILE = {"140100": FORMULA, "140200": "@SUM(A1)", "140101": MARKUP, "140102": SCRIPT, "140201": CONTROL}


@dataclass(frozen=True)
class Said:
    """A check with a ready sentence: what the verifier says is the verifier's own matter."""

    name: str
    passed: bool

    def tell(self, words):
        return f"{self.name} {words.lang}"


@pytest.fixture
def verified(monkeypatch):
    """The small plan is worked out by hand and claims no optimum, so its verification is answered here."""
    monkeypatch.setattr(outputs, "verify_plan", lambda *args, **kwargs: [Said("people", True)])


@pytest.fixture
def plain_maps(monkeypatch, verified):
    """Maps have their own tests; where only the folder matters, short files stand for them."""
    monkeypatch.setattr(outputs, "map_html", lambda view: f"<p>{view.lang} {len(view.stations)}</p>")

    def plan_sheet(view, pdf, png, data_date=""):
        pdf.write_bytes(b"%PDF")
        png.write_bytes(b"PNG")

    monkeypatch.setattr(outputs, "plan_sheet", plan_sheet)


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(out):
    return sorted(path for path in out.parent.iterdir() if path != out)


def read_text(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def texts(sheets, last_row=None):
    cells = [cell.value for sheet in sheets for row in sheet.iter_rows(max_row=last_row) for cell in row]
    return "\n".join(str(value) for value in cells if value is not None)


# ---- tables


def test_every_table_column_and_word_is_spoken_in_both_languages():
    for words in (ZH, EN):
        for name, table in ALL_TABLES.items():
            assert all(f"table.{name}.{part}" in words for part in ("sheet", "title", "note"))
            assert all(f"column.{column}" in words for column in table.columns)
            units = [c for c in table.columns if table.decimals(c) is not None and c not in table.figures]
            assert all(f"unit.{column}" in words for column in units)
            assert len(words(f"table.{name}.sheet")) <= 28  # Excel allows 31, with its number before it


def test_csv_read_back_equals_the_tables(tmp_path, plain_maps):
    plan, prepared = small_plan(HOSTILE)
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    tables, _ = published(plan.tables)
    for name, frame in tables.items():
        path = tmp_path / "out" / "tables" / f"{name}.csv"
        assert_frame_equal(read_csv(name, path), frame)
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") and b"\r" not in raw
        assert tuple(read_text(path).columns) == TABLES[name].columns
    beds = read_text(tmp_path / "out/tables/beds_by_county.csv")
    assert beds["code"].tolist() == ["140101", "140102", "140201"]
    assert beds.loc[0, "now_per_1000"] == "8.79" and beds.loc[2, "reach_now_per_1000"] == ""
    assert beds.loc[1, "reach_plan_per_1000"] == "9.01"  # 9.005, halves up
    places = (tmp_path / "out/tables/uncovered_places.csv").read_text(encoding="utf-8-sig").splitlines()
    assert places[1].endswith(",999,19.895,,112.610000,37.290000")  # a geodesic of 19,894.94 m, rounded up


def test_no_cell_of_a_csv_begins_like_a_formula(tmp_path, plain_maps):
    plan, prepared = small_plan(HOSTILE)
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    for path in (tmp_path / "out" / "tables").glob("*.csv"):
        frame = read_text(path)
        for column in TABLES[path.stem].columns:
            if TABLES[path.stem].decimals(column) is None:
                assert not frame[column].str.match(r"[=+\-@＝＋－＠\t\r]").any(), (path.name, column)
    assert "'=1+1" in (tmp_path / "out/tables/beds_by_city.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "＝1", "'=1", "''-1", "'quoted'", "plain", "", "'"])
def test_a_guarded_text_comes_back(text):
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=+-@＝＋－＠")


def test_clean_text_keeps_what_a_document_can_carry():
    assert clean_text("甲\t乙\r\n丙\x00\x1b丁\u202e\ud800\ufffe戊𠮷") == "甲 乙 丙丁戊𠮷"
    assert clean_text(MARKUP) == MARKUP and clean_text(SCRIPT) == SCRIPT and clean_text(FORMULA) == FORMULA
    assert clean_text(None) == ""


def test_rounding_is_half_up_and_knows_no_minus_zero():
    cases = {0.125: "0.13", 2.675: "2.68", 1.005: "1.01", -0.125: "-0.13", -0.001: "0.00"}
    assert {value: str(rounded(value, 2)) for value in cases} == cases


def test_an_undeclared_column_is_refused():
    plan, _ = small_plan()
    with pytest.raises(ValueError, match="surplus"):
        published(plan.tables | {"centres": plan.tables["centres"].assign(surplus=1)})
    with pytest.raises(ValueError, match="fraction"):
        published(plan.tables | {"centres": plan.tables["centres"].assign(persons=1.5)})


def test_cleaned_text_is_told_in_manifest_and_workbook(tmp_path, plain_maps):
    plan, prepared = small_plan(HOSTILE)
    manifest = write_outputs(plan, prepared, tmp_path / "out", ZH)
    assert {"table": "beds_by_county", "column": "name", "row": 3, "text": "北县 二"} in manifest["cleaned"]
    cover = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx").worksheets[0]
    assert ZH("report.cleaned") in texts([cover]) and "第 3 行：现为“北县 二”" in texts([cover])


# ---- workbook


def sheet_frame(sheet, name, words):
    """Return (frame, totals) of a sheet by its machine header; words are turned back into the machine's."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = rows[HEADER_ROWS - 1]
    assert tuple(header) == TABLES[name].columns
    body = [row for row in rows[HEADER_ROWS:] if row[0] is not None]
    totals = [dict(zip(header, row, strict=True)) for row in rows[HEADER_ROWS:] if row[0] is None]
    return pd.DataFrame(body, columns=header), totals


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_workbook_read_back_equals_the_tables(tmp_path, plain_maps, words):
    plan, prepared = small_plan(HOSTILE)
    write_outputs(plan, prepared, tmp_path / "out", words)
    book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx")
    tables, _ = published(plan.tables)
    more = [words("worksheet.check_sheet"), words("worksheet.charts_sheet")]
    assert [sheet.title for sheet in book.worksheets[1:3]] == more
    for sheet, (name, frame) in zip(book.worksheets[3:], tables.items(), strict=True):
        found, _ = sheet_frame(sheet, name, words)
        assert len(found) == len(frame)
        for column in frame:
            expected = frame[column].tolist()
            if TABLES[name].kind(column) == "word":
                expected = [word(column, value, words) for value in expected]
            elif (name, column) == ("compliance", "name"):
                expected = [prepared.standards[id].name(words.lang) for id in frame["standard_id"]]
            expected = [words("report.absent") if absent(value) else value for value in expected]
            assert found[column].tolist() == expected, (name, column)
        assert sheet.freeze_panes is not None and sheet.auto_filter.ref is not None
        assert sheet.print_title_rows == f"$1:${HEADER_ROWS}" and sheet.page_setup.paperSize == 9


def test_only_the_sheet_checked_by_hand_has_formulas_and_no_cell_a_foreign_link(tmp_path, plain_maps):
    plan, prepared = small_plan(HOSTILE)
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.parent.title for cell in cells if cell.data_type == "f"} == {ZH("worksheet.check_sheet")}
    assert not [cell for cell in cells if cell.hyperlink and cell.hyperlink.target]
    values = {cell.value for cell in cells}
    assert {FORMULA, "@SUM(A1)", MARKUP, SCRIPT, "北县 二"} <= values


def test_totals_of_the_city_sheets(tmp_path, plain_maps):
    plan, prepared = small_plan()
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx")
    names = list(plan.tables)
    sheets = {tuple(row[HEADER_ROWS - 1].value for row in sheet.iter_cols()): sheet for sheet in book.worksheets[1:]}
    totals = {name: sheet_frame(sheets[TABLES[name].columns], name, ZH)[1] for name in names}
    (beds,) = totals["beds_by_city"]
    assert (beds["name"], beds["persons"], beds["beds_now"], beds["beds_plan"]) == ("合计", 86_000, 737, 893)
    assert (beds["now_per_1000"], beds["plan_per_1000"]) == (8.57, 10.38)  # 737 and 893 beds for 86 thousand
    (ambulances,) = totals["ambulances_by_city"]
    assert (ambulances["stations"], ambulances["required"], ambulances["plan"]) == (4, 4, 5)
    assert (ambulances["expected"], ambulances["expected_share"]) == (68_951, 80.2)  # of 86 thousand, no sum of shares
    assert ambulances["persons_per_vehicle"] is None and ambulances["next_gain"] is None
    (tiers,) = totals["station_tiers"]
    assert [tiers[tier] for tier in ("city_centre", "county_station", "substation", "township")] == [2, 1, 1, 0]
    assert (tiers["stations"], tiers["assumed"], tiers["new"], tiers["investment"]) == (4, 3, 1, 300)
    urban, rural, both = totals["coverage_by_city"]
    assert (urban["setting"], urban["persons"], urban["covered"]) == ("城镇", 50_001, 50_001)
    assert (rural["setting"], rural["persons"], rural["uncovered"]) == ("乡村", 35_999, 999)
    assert (both["setting"], both["persons"], both["covered"], both["uncovered"]) == (None, 86_000, 85_001, 999)
    assert not any(totals[name] for name in names if not TABLES[name].totals)


def sheets_of(path):
    """Return {table: sheet} of a workbook, by the row of machine names."""
    book = openpyxl.load_workbook(path)
    found = {tuple(cell.value for cell in sheet[HEADER_ROWS]): sheet for sheet in book.worksheets[1:]}
    return {name: found[table.columns] for name, table in TABLES.items() if table.columns in found}


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_an_empty_sheet_says_why_and_what_to_do(tmp_path, plain_maps, words):
    plan, prepared = small_plan()
    plan.tables |= {name: plan.tables[name][:0] for name in ("facilities", "freezes")}
    write_outputs(plan, prepared, tmp_path / "out", words)
    sheets = sheets_of(tmp_path / "out" / "plan.xlsx")
    for name in ("facilities", "freezes"):
        sheet = sheets[name]
        assert sheet["A2"].value.startswith(words(f"table.{name}.empty")) and sheet.row_dimensions[2].height > 14
        assert sheet.print_area.endswith(str(HEADER_ROWS + 1))  # a page with headings, not a blank one
    assert "facilities" in sheets["facilities"]["A2"].value


def test_a_table_not_asked_for_has_no_sheet(tmp_path, plain_maps):
    plan, prepared = small_plan()
    del plan.tables["facilities"], plan.tables["evaluation"]
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    assert set(TABLES) - set(sheets_of(tmp_path / "out" / "plan.xlsx")) == {"facilities", "evaluation"}


def test_long_sentences_have_room_and_repeated_names_step_back(tmp_path, plain_maps):
    plan, prepared = small_plan()
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    sheets = sheets_of(tmp_path / "out" / "plan.xlsx")
    heights = sheets["document_conflicts"].row_dimensions
    assert heights[HEADER_ROWS + 1].height >= 30 and len(sheets["document_conflicts"]["A5"].value) > 22
    quotas = sheets["bed_quotas"]
    first, second, other = (quotas.cell(row, 1) for row in (HEADER_ROWS + 1, HEADER_ROWS + 2, HEADER_ROWS + 19))
    assert first.value == second.value != other.value
    assert first.font.color.rgb == other.font.color.rgb != second.font.color.rgb
    assert other.border.top.style and not second.border.top.style  # a county begins with a line


def test_figures_show_few_decimals_and_hold_them_all(tmp_path, plain_maps):
    plan, prepared = small_plan()
    plan.tables["bed_objectives"]["cost"] = [7800, 7800.123456, 8100]
    plan.tables["bed_rules"]["bent"] = [0, 0, 4.5, 0.000012]
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    sheets = sheets_of(tmp_path / "out" / "plan.xlsx")
    column = TABLES["bed_objectives"].columns.index("cost") + 1
    cost = sheets["bed_objectives"].cell(HEADER_ROWS + 2, column)
    assert (cost.value, cost.number_format) == (7800.123456, "#,##0.0")
    bent = [sheets["bed_rules"].cell(row, 7) for row in range(HEADER_ROWS + 1, HEADER_ROWS + 5)]
    assert [cell.number_format for cell in bent] == ["#,##0", "#,##0", "#,##0.0", "0.000000"]
    marked = sheets["bed_structure"].cell(HEADER_ROWS + 1, 5)
    assert marked.number_format == '#,##0"ᵐ"' and marked.font.italic  # the row says that its stock is modelled


def test_several_words_of_a_cell_are_all_said():
    assert word("reasons", "occupancy stay", ZH) == "床位使用率过低、平均住院日过长"
    assert word("reasons", "", EN) == "" and word("reasons", "occupancy unheard", EN) == "occupancy unheard"


def test_no_total_is_made_of_a_part(tmp_path, plain_maps):
    plan, prepared = small_plan()
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    (total,) = sheet_frame(sheets_of(tmp_path / "out" / "plan.xlsx")["bed_staff"], "bed_staff", ZH)[1]
    assert (total["beds_plan"], total["staff"]) == (893, 1448)
    assert total["staff_limit"] is None and total["nurses_limit"] is None  # one city has no limit


def test_the_cover_tells_settings_proof_and_people(tmp_path, plain_maps):
    plan, prepared = small_plan()
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    cover = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx").worksheets[0]
    said = texts([cover])
    for text in (
        "小区域试算",
        "20 → 18",
        "入 86,000 人 = 出 86,000 人",
        "已证明",
        "晋政发〔2023〕4号 四(一)6",
        "ᵐ",
        "ᵃ",
    ):
        assert text in said
    assert ZH("report.basis_scenario") in said and "普查 · 2020 · 事实" in said


def test_an_unproven_plan_says_so_on_every_sheet_and_map(tmp_path, plain_maps):
    plan, prepared = small_plan(interim=True)
    for words, mark in ((ZH, "中间结果"), (EN, "INTERIM")):
        write_outputs(plan, prepared, tmp_path / "out", words)
        book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx")
        for sheet in book:
            said = texts([sheet], last_row=4)
            assert mark in said and "1.23%" in said, sheet.title
        view = map_view(plan, prepared, words)
        assert mark in view.notes[0] and "1.23%" in view.notes[0]
        everything = texts(book)
        assert "最优" not in everything and "optimal" not in everything.lower()
    proven, prepared = small_plan()
    assert not any("中间结果" in note for note in map_view(proven, prepared, ZH).notes)


# ---- layers, view, manifest


def test_layers_hold_every_result_in_place(tmp_path, plain_maps):
    plan, prepared = small_plan(HOSTILE)
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    path = tmp_path / "out" / "plan.gpkg"
    names = [name for name, _ in pyogrio.list_layers(path)]
    read = {name: pyogrio.read_dataframe(path, layer=name) for name in names}
    for name, layer in build_layers(plan, published(plan.tables)[0], prepared).items():
        assert read[name].crs.to_epsg() == 4490
        columns = layer.columns.drop("geometry")
        assert_frame_equal(
            pd.DataFrame(read[name][columns]), pd.DataFrame(layer[columns]), check_dtype=False, check_index_type=False
        )
        assert read[name].geometry.is_valid.all()
    demand = read["demand"].set_index("id")
    assert demand["covered"].tolist() == [1, 1, 1, 1, 1, 1, 0]
    assert demand.loc[demand["covered"].eq(0), ["persons", "metres"]].to_numpy().tolist() == [[999, 19_895]]
    assert read["catchments"]["persons"].tolist() == [71_000, 15_000]
    assert {MARKUP, SCRIPT} <= set(read["counties"]["name"]) and FORMULA in set(read["cities"]["name"])
    explained = set(zip(read["columns"]["layer"], read["columns"]["column"], strict=True))
    assert explained == {(n, c) for n in names if n != "columns" for c in read[n].columns.drop("geometry")}
    assert read["columns"]["heading"].ne("").all()


def test_circles_are_true_circles_cut_to_the_province():
    plan, prepared = small_plan()
    circles = build_layers(plan, published(plan.tables)[0], prepared)["coverage_circles"]
    metric = circles.to_crs(prepared.region.projection)
    urban = metric[metric["setting"].eq("urban")]
    area = 3.141593 * 5000**2
    assert (urban.area / area)[:3].between(0.998, 1.0).all()  # at the seats; a polygon is a little less than its circle
    assert (urban.area / area).iloc[3] < 0.98  # the town's reaches over the border
    outline = prepared.region.province.to_crs(prepared.region.projection).geometry.iloc[0].buffer(1)
    assert metric.within(outline).all()
    assert (metric[metric["setting"].eq("rural")].area < 3.141593 * 18_000**2).all()


def test_a_plan_by_roads_has_no_circles_and_says_where_no_way_leads():
    """A network that lacks the last point: no metres in the layer, no circles, minutes in the words of the map."""
    plan, prepared = small_plan()
    lines = straight()

    class Broken:
        unit, measure = "seconds", "minutes"

        def nearest(self, demand, sites):
            amount, at = lines.nearest(demand, sites)
            lost = demand["persons"].eq(999).to_numpy()
            return np.where(lost, UNREACHED, amount // 10), np.where(lost, -1, at)

        def limits(self, demand, urban, rural):
            return np.where(demand["setting"].eq("urban"), urban * 60, rural * 60).astype(np.int64)

    plan.scenario = vary(plan.scenario, travel_measure="minutes", roads="roads.gpkg")
    prepared.ways = lambda scenario: Broken()
    layers = build_layers(plan, published(plan.tables)[0], prepared)
    demand = layers["demand"].set_index("id")
    assert "metres" not in demand and demand["seconds"].isna().tolist() == [False] * 6 + [True]
    assert demand["covered"].tolist() == [1, 1, 1, 1, 1, 1, 0] and layers["coverage_circles"].empty
    plan.tables["uncovered_places"][["km", "minutes"]] = float("nan")
    view = map_view(plan, prepared, EN)
    assert (view.urban, view.rural, view.far, view.circles) == (10.0, 30.0, "minutes", False)
    assert "10 minutes" in view.notes[3] and "10 min" in map_html(view)


def test_the_view_joins_shares_and_names():
    plan, prepared = small_plan()
    view = map_view(plan, prepared, ZH)
    counties = view.counties.set_index("code")
    assert counties.loc["140201", "rural_covered_share"] == pytest.approx(6000 / 6999)
    assert counties["city"].tolist() == ["甲市", "甲市", "乙市"]
    assert view.stations["county"].tolist() == ["东县", "西县", "北县", "北县"]
    assert view.cities["code"].tolist() == ["140100", "140200"] and view.cities.crs.to_epsg() == 4490
    assert "15 张减到 6 张" in view.notes[1]
    assert "0.0300" in view.notes[2] and "西县" in view.notes[2]
    assert "999 人未覆盖" in view.notes[4] and "18 公里" in view.rule


def test_shares_keep_all_and_none_apart():
    cases = ((0, 10), (1, 10**6), (10**6 - 1, 10**6), (5, 5), (1, 3), (0, 0))
    assert [share(*case) for case in cases] == ["0.0%", "0.1%", "99.9%", "100.0%", "33.3%", "100.0%"]
    assert [gap_text(gap, ZH) for gap in (0.0, 0.000001, 0.0123, None)] == ["0.00%", "0.01%", "1.23%", "—"]


def test_manifest_lists_every_file_and_no_time(tmp_path, plain_maps):
    plan, prepared = small_plan()
    manifest = write_outputs(plan, prepared, tmp_path / "out", ZH)
    text = (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(text) == manifest
    assert text == json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    found = bytes_of(tmp_path / "out")
    del found["manifest.json"]
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    files = {"plan.xlsx", "plan.gpkg", "map.html", "map.pdf", "map.png", "curve.png"}
    assert set(found) == files | {f"tables/{name}.csv" for name in TABLES}
    assert manifest["people"] == {"in": 86_000, "out": 86_000} and manifest["verification"]["passed"]
    assert "seconds" not in manifest["proofs"]["beds"] and str(tmp_path) not in text


# ---- the same bytes


def test_two_writes_give_the_same_bytes(tmp_path, verified):
    plan, prepared = small_plan(HOSTILE | {"140201": "北县"})
    for name in ("one", "two"):
        write_outputs(plan, prepared, tmp_path / name, ZH)
    one, two = bytes_of(tmp_path / "one"), bytes_of(tmp_path / "two")
    assert [name for name in one if one[name] != two.get(name)] == []
    for attack in (MARKUP, SCRIPT):
        assert attack not in one["map.html"].decode("utf-8")  # markup from data is never markup of the page


def test_the_language_changes_no_table(tmp_path, plain_maps):
    plan, prepared = small_plan()
    for words in (ZH, EN):
        write_outputs(plan, prepared, tmp_path / words.lang, words)
    zh, en = bytes_of(tmp_path / "zh"), bytes_of(tmp_path / "en")
    assert all(zh[name] == en[name] for name in zh if name.startswith("tables/"))
    assert zh["plan.xlsx"] != en["plan.xlsx"]


# ---- never half a folder


def test_a_plan_that_fails_its_check_is_not_published(tmp_path, monkeypatch, plain_maps):
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    before = bytes_of(out)
    monkeypatch.setattr(outputs, "verify_plan", lambda *a, **k: [Said("people", True), Said("stations", False)])
    with pytest.raises(VerificationFailed) as failed:
        write_outputs(plan, prepared, out, ZH)
    said = failed.value.tell(ZH)
    assert failed.value.exit_code == 7 and "stations zh" in said and "people" not in said
    assert bytes_of(out) == before and beside(out) == []


def test_a_run_replaces_an_earlier_one_whole(tmp_path, plain_maps):
    plan, prepared = small_plan()
    out = tmp_path / "deep" / "out"
    write_outputs(plan, prepared, out, EN)
    (out / ".~lock.plan.xlsx#").write_text("open in an office program")
    write_outputs(plan, prepared, out, ZH)
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["language"] == "zh"
    assert set(bytes_of(out)) == {*json.loads((out / "manifest.json").read_text())["files"], "manifest.json"}
    assert beside(out) == []


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("out_is_file", lambda out: out.write_text("a letter")),
        ("out_not_ours", lambda out: (out.mkdir(), (out / "letter.txt").write_text("a letter"))),
        ("out_not_ours", lambda out: (out.mkdir(), (out / "manifest.json").write_text('{"name": "a web page"}'))),
        ("out_not_ours", lambda out: (out.mkdir(), (out / "manifest.json").write_text("["))),
    ],
)
def test_what_is_not_ours_is_not_replaced(tmp_path, plain_maps, key, make):
    plan, prepared = small_plan()
    out = tmp_path / "out"
    make(out)
    before = bytes_of(tmp_path)
    with pytest.raises(OutRefused) as refused:
        write_outputs(plan, prepared, out, ZH)
    assert refused.value.key == key and isinstance(refused.value, OSError) and refused.value.exit_code == 8
    assert str(out) in refused.value.tell(ZH) and str(out) in refused.value.tell(EN)
    assert bytes_of(tmp_path) == before and beside(out) == []


def test_a_planners_own_file_among_ours_stops_the_run(tmp_path, plain_maps):
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    (out / "tables" / "批示.docx").write_text("keep me")
    before = bytes_of(out)
    with pytest.raises(OutRefused) as refused:
        check_out(out)
    assert refused.value.key == "out_foreign_files" and "tables/批示.docx" in refused.value.tell(ZH)
    with pytest.raises(OutRefused):
        write_outputs(plan, prepared, out, ZH)
    assert bytes_of(out) == before


def test_an_empty_folder_and_a_link_are_used(tmp_path, plain_maps):
    plan, prepared = small_plan()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_outputs(plan, prepared, tmp_path / "link", ZH)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "manifest.json").is_file()


@pytest.mark.parametrize("size", [200, 4_000, 30_000, 120_000])
def test_a_full_disk_leaves_the_old_folder(tmp_path, plain_maps, size):
    """A limit on the size of files fails real writes of tables, manifest, workbook or layers, as a full disk does."""
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    before = bytes_of(out)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(OSError):
            write_outputs(plan, prepared, out, EN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert bytes_of(out) == before and beside(out) == []


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch, plain_maps):
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    before = bytes_of(out)
    rename = Path.rename

    def refuse(self, target):
        if ".jinyi-new-" in self.name:
            raise PermissionError(13, "held open elsewhere", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        write_outputs(plan, prepared, out, EN)
    assert bytes_of(out) == before and beside(out) == []


def test_an_interrupt_while_writing_leaves_the_old_folder(tmp_path, monkeypatch, plain_maps):
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    before = bytes_of(out)
    monkeypatch.setattr(outputs, "write_layers", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_outputs(plan, prepared, out, EN)
    assert bytes_of(out) == before and beside(out) == []


NEW = '{"jinyi": "new", "files": {"a.csv": "", "b.csv": ""}}'
OLD = '{"jinyi": "old", "files": {"a.csv": "", "b.csv": ""}}'


def small_folder(out, content):
    with replaced(out) as new:
        for name in ("manifest.json", "a.csv", "b.csv"):
            (new / name).write_text(content)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work, seconds=60.0):
    """Run ``work`` in its own process, killed after ``seconds`` or by itself; returns whether it was."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    alarm = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    alarm.start()
    _, status = os.waitpid(child, 0)
    alarm.cancel()
    return os.WIFSIGNALED(status)


def rename_then(deadly, suits):
    """Return a ``Path.rename`` that kills its process ``before`` or ``after`` the renaming that ``suits``."""
    original = Path.rename

    def rename(source, target):
        if suits(source, target) and deadly == "before":
            die()
        original(source, target)
        if suits(source, target):
            die()

    return rename


def half_deleted(path, **_):
    """Delete one file of the old folder and die."""
    if path.name.endswith("-old") and path.is_dir():
        min(p for p in path.rglob("*") if p.is_file()).unlink()
        die()


@pytest.mark.parametrize(
    ("moment", "deadly"),
    [
        ("writing", ""),
        ("flushing", ""),
        ("moving the old aside", "before"),
        ("moving the old aside", "after"),
        ("moving the new in", "before"),
        ("moving the new in", "after"),
        ("deleting the old", ""),
    ],
)
def test_a_killed_run_leaves_the_old_folder_or_the_new_one(tmp_path, moment, deadly):
    out = tmp_path / "out"
    small_folder(out, OLD)

    def work():
        if moment == "flushing":
            os.fsync = lambda handle: die()
        elif moment == "moving the old aside":
            Path.rename = rename_then(deadly, lambda source, target: source == out)
        elif moment == "moving the new in":
            Path.rename = rename_then(deadly, lambda source, target: target == out)
        elif moment == "deleting the old":
            folder.shutil.rmtree = half_deleted
        with replaced(out) as new:
            (new / "a.csv").write_text("half")
            if moment == "writing":
                die()
            for name in ("manifest.json", "a.csv", "b.csv"):
                (new / name).write_text(NEW)

    assert killed(work)
    lost = (moment, deadly) in {("moving the old aside", "after"), ("moving the new in", "before")}
    assert out.exists() is not lost
    assert recover(out) is lost
    is_new = (moment, deadly) == ("moving the new in", "after") or moment == "deleting the old"
    assert bytes_of(out) == dict.fromkeys(("manifest.json", "a.csv", "b.csv"), (NEW if is_new else OLD).encode())
    assert beside(out) == []
    assert recover(out) is False


def test_a_killed_real_run_leaves_a_whole_folder_at_any_moment(tmp_path, plain_maps):
    """Kill a writing process after ever longer times, until one run outlives its killer."""
    plan, prepared = small_plan()
    out = tmp_path / "out"
    write_outputs(plan, prepared, out, ZH)
    whole = {"zh": bytes_of(out)}
    write_outputs(plan, prepared, tmp_path / "en", EN)
    whole["en"] = bytes_of(tmp_path / "en")
    ends = []
    for seconds in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 60.0):
        ends.append(killed(lambda: write_outputs(plan, prepared, out, EN), seconds))
        recover(out)
        assert bytes_of(out) in whole.values()
        assert beside(out) == [tmp_path / "en"]
    assert sum(ends) >= 2 and ends[-1] is False
    assert bytes_of(out) == whole["en"]


def test_runs_into_one_folder_at_once_leave_one_whole_run(tmp_path):
    out = tmp_path / "out"
    contents = [json.dumps({"jinyi": str(i), "files": {"a.csv": "", "b.csv": ""}}) for i in range(6)]
    threads = [threading.Thread(target=lambda c=c: [small_folder(out, c) for _ in range(5)]) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = bytes_of(out)
    assert set(found) == {"manifest.json", "a.csv", "b.csv"} and len(set(found.values())) == 1
    assert found["a.csv"].decode() in contents and beside(out) == []


def test_a_run_that_is_alive_is_not_cleared_away(tmp_path):
    out = tmp_path / "out"
    with replaced(out) as new:
        (new / "manifest.json").write_text(OLD)
        small_folder(out, NEW)  # another run, from its clean start to its end
        assert recover(out) is False
        assert (new / "manifest.json").read_text() == OLD
    assert (out / "manifest.json").read_text() == OLD and beside(out) == []


def test_the_geopackage_is_sound(tmp_path, plain_maps):
    plan, prepared = small_plan()
    write_outputs(plan, prepared, tmp_path / "out", ZH)
    base = sqlite3.connect(tmp_path / "out" / "plan.gpkg")
    try:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        dates = {date for (date,) in base.execute("SELECT last_change FROM gpkg_contents")}
        titles = dict(base.execute("SELECT table_name, description FROM gpkg_contents"))
    finally:
        base.close()
    assert dates == {"2000-01-01T00:00:00.000Z"} and titles["demand"] == ZH("report.layer.demand")
