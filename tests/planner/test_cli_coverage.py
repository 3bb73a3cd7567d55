"""``jinyi coverage`` on a town small enough for paper: what it says, refuses and writes."""

import json
import re
import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from geo.region import load_region
from geo.words import load_words
from planner import cli
from planner.coverage_cli import FIELDS
from planner.report.columns import checked_tables
from planner.scenario import default_values
from planner.standards import load_standards
from tests.town import draw

ZH, EN = load_words("zh"), load_words("en")
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "=cmd|' /C calc'!A0",
    "</script><script>alert(2)</script>",
    "@x",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The drawn region, and three lists: ``now`` (a and d), ``wished`` (with hostile names), ``bad``."""
    folder = tmp_path_factory.mktemp("town")
    region = load_region(draw(folder / "region"))
    seats = region.counties[["seat_lon", "seat_lat"]].to_numpy()
    rows = [f"{lon},{lat}" for lon, lat in seats]
    (folder / "now.csv").write_text(f"名称,经度,纬度,救护车\n一站,{rows[0]},2\n二站,{rows[3]},\n", "utf-8")
    wished = [f'"{name}",{at},' for name, at in zip(HOSTILE, rows, strict=True)]
    (folder / "wished.csv").write_bytes(("名称,经度,纬度,救护车\n" + "\n".join(wished)).encode("gb18030"))
    (folder / "bad.csv").write_text("名称,经度,纬度\n甲,37.0,112.0\n乙,x,37\n", "utf-8")
    return folder


@pytest.fixture(autouse=True)
def outside(monkeypatch, tmp_path):
    monkeypatch.delenv("JINYI_LANG", raising=False)
    monkeypatch.delenv("JINYI_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def jinyi(capsys, folder):
    def ran(*argv):
        code = cli.main(["coverage", "--region", str(folder / "region"), *map(str, argv)])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err and not re.search(r"\{\w+\}", said.out + said.err)
        return code, said.out, said.err

    return ran


def table(out, name):
    return pd.read_csv(out / "tables" / f"{name}.csv", dtype={"code": str, "county_code": str}, encoding="utf-8-sig")


def numbers(text):
    return re.findall(r"[0-9][0-9,.]*", text)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_without_a_list_the_seats_are_assumed_and_the_standards_are_the_documents(jinyi, tmp_path):
    code, said, _ = jinyi()
    assert code == 0 and "假定 5 个县（市、区）驻地各有 1 个急救站（设定，不是调查所得）" in said
    standards = load_standards()
    manifest = json.loads((tmp_path / "out/coverage/manifest.json").read_text("utf-8"))
    defaults = default_values(standards, [])
    assert manifest["coverage"]["limits"] == {name: defaults[field] for name, field in FIELDS["km"].items()}
    assert manifest["coverage"]["stations"] is None and manifest["people"]["in"] == manifest["people"]["out"] == 150_000
    assert "人口：入 150,000 人 = 出 150,000 人" in said
    cities = table(tmp_path / "out/coverage", "checked_cities")
    covered = cities.groupby("setting")[["persons", "covered"]].sum()
    for setting in ("urban", "rural"):
        persons, inside = covered.loc[setting]
        assert f"{inside:,} 人" in said and f"{persons:,}" in said
    row = next(line for line in said.splitlines() if line.startswith("东市"))
    east = cities[cities["code"].eq("140100")].set_index("setting")
    assert f"{east.at['urban', 'covered']:,}" in row and f"{east['uncovered'].sum():,}" in row


def test_the_language_changes_no_number(jinyi, tmp_path):
    _, zh, _ = jinyi("--out", "zh")
    _, en, _ = jinyi("--out", "en", "--lang", "en")
    body = [[numbers(line) for line in said.split("\n\n")[2].splitlines()] for said in (zh, en)]
    codes = ("140100", "140200")  # the town's cities have no other English names
    assert body[0] == [[number for number in line if number not in codes] for line in body[1]]
    for name in checked_tables("km"):
        path = f"tables/{name}.csv"
        if (tmp_path / "zh" / path).exists():
            assert (tmp_path / "zh" / path).read_bytes() == (tmp_path / "en" / path).read_bytes()


def test_two_lists_say_who_gains(jinyi, folder, tmp_path):
    code, said, _ = jinyi("--stations", folder / "wished.csv", "--against", folder / "now.csv", "--out", "both")
    assert code == 0
    change = table(tmp_path / "both", "checked_change_cities")
    assert change["gained"].sum() > 0 and change["lost"].sum() == 0
    assert f"新增覆盖 {change['gained'].sum():,} 人，不再覆盖 0 人" in said
    _, back, _ = jinyi("--stations", folder / "now.csv", "--against", folder / "wished.csv", "--out", "back")
    assert f"新增覆盖 0 人，不再覆盖 {change['gained'].sum():,} 人" in back
    places = table(tmp_path / "both", "checked_change_places")
    assert places["persons"].sum() == change["gained"].sum() and set(places["outcome"]) == {"gained"}


def test_stated_standards_and_detour_are_used_and_said(jinyi, tmp_path):
    _, said, _ = jinyi("--urban", "3", "--rural", "8", "--radii", "12，2", "--detour", "1.3")
    assert "城镇 3 公里，乡村 8 公里（优选 8 公里）" in said and "绕行系数 1.3" in said and "≤ 2 公里" in said
    manifest = json.loads((tmp_path / "out/coverage/manifest.json").read_text("utf-8"))
    assert manifest["coverage"]["radii"] == [2.0, 12.0] and manifest["coverage"]["detour_factor"] == 1.3
    more = table(tmp_path / "out/coverage", "checked_cities")["covered"].sum()
    jinyi("--urban", "3", "--rural", "8")
    assert table(tmp_path / "out/coverage", "checked_cities")["covered"].sum() > more


# -- what it refuses ---------------------------------------------------------------------------------------------------


def test_all_wrong_options_at_once(jinyi, tmp_path):
    options = ["--urban", "abc", "--rural", "20000", "--preferred", "0.1", "--radii", "5,x", "--datum", "gcj"]
    code, said, warned = jinyi(*options, "--detour", "1.3", "--roads", "x.gpkg")
    assert code == 2 and not said and not (tmp_path / "out").exists()
    assert "共 7 处" in warned and "--rural 20000 像是以米为单位；这里的单位是公里。请写 --rural 20。" in warned
    for option in ("--urban", "--preferred", "--radii", "--datum", "绕行系数"):
        assert option in warned


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--minutes"], "--minutes 按路网车程检查"),
        (["--rural", "8", "--preferred", "10"], "乡村优选标准 10 大于乡村标准 8"),
        (["--datum", "bd09"], "--datum 说的是名单的坐标系"),
        (["--stations", "a.csv", "--against", "./a.csv"], "是同一个文件"),
        (["--region", "nowhere"], "找不到区域“nowhere”"),
        (["--stations"], "缺少取值"),
    ],
)
def test_wrong_questions_are_told_with_exit_code_2(jinyi, options, said):
    code, _, warned = jinyi(*options)
    assert code == 2 and said in warned


def test_bad_lists_are_told_together_and_nothing_is_written(jinyi, folder, tmp_path):
    code, _, warned = jinyi("--stations", folder / "bad.csv", "--against", "no.csv")
    assert code == 3 and "共 3 处" in warned and not (tmp_path / "out").exists()
    assert "bad.csv · 第 2 行 · “经度 / 纬度”列 · 值“37 / 112”: 经度、纬度写反了" in warned
    assert "bad.csv · 第 3 行 · “经度”列 · 值“x”" in warned and "no.csv: 找不到这张急救站名单" in warned


def test_other_results_and_other_files_are_not_replaced(jinyi, tmp_path):
    plan = tmp_path / "plan"
    plan.mkdir()
    (plan / "manifest.json").write_text('{"jinyi": "0.1.0", "files": {}, "scenario": {}}', "utf-8")
    code, _, warned = jinyi("--out", plan)
    assert code == 8 and "不会被覆盖检查替换" in warned
    assert [path.name for path in plan.iterdir()] == ["manifest.json"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("x", "utf-8")
    assert jinyi("--out", "mine")[0] == 8


# -- what it writes ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(folder):
    out = folder / "written"
    argv = ["--stations", folder / "wished.csv", "--against", folder / "now.csv", "--out", out]
    assert cli.main(["coverage", "--region", str(folder / "region"), *map(str, argv)]) == 0
    return out


def test_the_same_question_writes_the_same_bytes(jinyi, folder, written, tmp_path):
    jinyi("--stations", folder / "wished.csv", "--against", folder / "now.csv", "--out", "again")
    files = {path.relative_to(written) for path in written.rglob("*") if path.is_file()}
    assert {path.as_posix() for path in files} == {
        *("map.html", "coverage.xlsx", "coverage.gpkg", "manifest.json"),
        *(f"tables/{name}.csv" for name in checked_tables("km")),
    }
    for path in files:
        assert (written / path).read_bytes() == (tmp_path / "again" / path).read_bytes(), path


def test_hostile_names_are_text_in_every_file(written):
    stations = pd.read_csv(written / "tables/checked_stations.csv", dtype=str, encoding="utf-8-sig")
    assert list(stations["name"]) == [f"'{name}" if name[0] in "=@" else name for name in HOSTILE]
    page = (written / "map.html").read_text("utf-8")
    assert not any(name in page for name in HOSTILE[:4]) and "\\u003cimg src=x onerror=alert(1)\\u003e" in page
    assert "default-src 'none'" in page
    book = openpyxl.load_workbook(written / "coverage.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value in HOSTILE]
    assert {cell.value for cell in cells} == set(HOSTILE) and all(cell.data_type == "s" for cell in cells)
    with zipfile.ZipFile(written / "coverage.xlsx") as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)
    assert set(gpd.read_file(written / "coverage.gpkg", layer="stations")["name"]) == set(HOSTILE)


def test_layers_agree_with_the_tables(written, folder):
    layers = {name: gpd.read_file(written / "coverage.gpkg", layer=name) for name in LAYERS}
    uncovered = table(written, "checked_cities")["uncovered"].sum()
    assert layers["uncovered"]["persons"].sum() == table(written, "checked_places")["persons"].sum() == uncovered
    assert layers["changes"]["persons"].sum() == table(written, "checked_change_cities")["gained"].sum()
    assert (layers["counties"][["urban_uncovered", "rural_uncovered"]].sum().sum()) == uncovered
    region = load_region(folder / "region")
    province = region.province.to_crs(region.projection).union_all().buffer(1)
    circles = layers["coverage_circles"].to_crs(region.projection)
    assert len(circles) == 2 * len(HOSTILE) and circles.within(province).all()
    notes = gpd.read_file(written / "coverage.gpkg", layer="columns")
    assert notes.loc[~notes["column"].isin(["id"]), "heading"].ne("").all()
    assert set(notes.loc[notes["column"].eq("urban_covered"), "nature"]) == {ZH("value.nature.modelled")}


LAYERS = ("cities", "counties", "coverage_circles", "stations", "uncovered", "changes")


def test_every_table_column_and_word_is_spoken_in_both_languages():
    for words in (ZH, EN):
        for far in ("km", "minutes"):
            for name, each in checked_tables(far).items():
                assert all(f"table.{name}.{part}" in words for part in ("sheet", "title", "note"))
                assert all(f"column.{column}" in words for column in each.columns), each.columns
                units = [column for column in each.columns if each.decimals(column) is not None]
                assert all(f"unit.{column}" in words for column in units), units
                assert len(words(f"table.{name}.sheet")) <= 28


def test_a_plan_s_own_stations_can_be_checked(jinyi, tmp_path, folder):
    """The stations that ``jinyi run`` or a check writes are a list like any other."""
    jinyi("--out", "first")
    code, _, _ = jinyi("--stations", tmp_path / "first/tables/checked_stations.csv", "--out", "second")
    assert code == 0
    for name in ("checked_cities", "checked_counties", "checked_radii"):
        path = f"tables/{name}.csv"
        assert (tmp_path / "first" / path).read_bytes() == (tmp_path / "second" / path).read_bytes()
