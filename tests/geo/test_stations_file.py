"""A planner's list of stations: read however it was typed, placed in its counties, refused with every fault named."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.datum import from_wgs84
from geo.faults import Rejected
from geo.region import load_region
from geo.stations import COLUMNS, load_stations, seat_stations
from geo.words import LANGUAGES, load_words
from tests.geo.folders import paper_region

HEAD = "编号,名称,经度,纬度,县代码,救护车"


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    """Counties 140101 东县 (112.0-112.2 east), 140102 西县 (112.2-112.4) and the speck 140199; 38.0-38.2 north."""
    return load_region(paper_region(tmp_path_factory.mktemp("paper")))


@pytest.fixture(scope="module")
def shanxi():
    return load_region()


@pytest.fixture
def write(tmp_path):
    def written(*rows, head=HEAD, encoding="utf-8", name="站.csv"):
        path = tmp_path / name
        path.write_bytes("\n".join([head, *rows, ""]).encode(encoding))
        return path

    return written


def faults_of(path, region, **options):
    with pytest.raises(Rejected) as rejected:
        load_stations(path, region, **options)
    for lang in LANGUAGES:
        for fault in rejected.value.faults:
            line = fault.tell(load_words(lang))
            assert "\n" not in line and "\x1b" not in line and not re.search(r"\{\w+\}", line), line
    return rejected.value.faults


def told(path, region, **options):
    return [(fault.row, fault.column, fault.key) for fault in faults_of(path, region, **options)]


def seats_list(shanxi, datum="wgs84"):
    counties = shanxi.counties
    lon, lat = from_wgs84(counties["seat_lon"], counties["seat_lat"], datum)
    return [
        f"{n},{name}急救站,{a:.6f},{b:.6f},,"
        for n, (name, a, b) in enumerate(zip(counties["name"], lon, lat, strict=True), 1)
    ]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_list_on_its_ids_in_order_each_in_its_county(write, region):
    frame = load_stations(write("B2,西站,112.3,38.1,140102,", "A1,东站,112.05,38.1,,3"), region)
    assert frame.index.name == "id" and list(frame.index) == ["A1", "B2"] and tuple(frame.columns) == COLUMNS
    x, y = region.project([112.05], [38.1])
    assert frame.loc["A1"].tolist() == ["东站", "140101", "140100", 112.05, 38.1, x[0], y[0], 3.0, "existing"]
    assert np.isnan(frame.at["B2", "ambulances"]) and frame.at["B2", "county_code"] == "140102"
    assert frame["x"].dtype == np.int64 and frame["ambulances"].dtype == float


def test_english_headings_other_columns_and_rows_as_ids(write, region):
    head = "Name,longitude,LAT (degrees),city_code,status,备注"
    frame = load_stations(write("b,112.3,38.1,140100,new,x", "a,112.05,38.1,,,", head=head), region)
    assert list(frame.index) == ["R0002", "R0003"] and list(frame["name"]) == ["b", "a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_whatever_a_spreadsheet_saves(write, region, encoding):
    rows = ["1,东站,112.05,38.1,140101,3", "2,西站,１１２．３ ,38.1°,,2辆", ",,,,,"]
    frame = load_stations(write(*rows, encoding=encoding), region)
    assert frame[["lon", "ambulances"]].to_numpy().tolist() == [[112.05, 3.0], [112.3, 2.0]]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "<img src=x onerror=alert(1)>", "${7*7}", "`x`", '"引号"', "a,b"])
def test_a_name_is_text_whatever_it_looks_like(write, region, name):
    cell = '"' + name.replace('"', '""') + '"'
    assert load_stations(write(f"1,{cell},112.05,38.1,,"), region).at["1", "name"] == name


def test_the_order_of_rows_and_columns_changes_nothing(write, shanxi):
    rows = seats_list(shanxi)
    whole = load_stations(write(*rows), shanxi)
    mixed = [",".join(reversed(row.split(","))) for row in reversed(rows)]
    turned = load_stations(write(*mixed, head=",".join(reversed(HEAD.split(","))), name="b.csv"), shanxi)
    pd.testing.assert_frame_equal(whole, turned)


def test_seats_stand_in_for_a_list(shanxi):
    seats = seat_stations(shanxi)
    assert tuple(seats.columns) == COLUMNS and len(seats) == len(shanxi.counties) == 117
    assert list(seats.index) == sorted(seats.index) and seats["kind"].eq("seat").all()
    assert list(seats["county_code"]) == list(shanxi.counties.index)
    assert seats["ambulances"].isna().all()


def test_two_counties_may_have_a_station_of_one_name(write, region):
    assert len(load_stations(write("1,城关站,112.05,38.1,,", "2,城关站,112.3,38.1,,"), region)) == 2


def test_a_point_just_across_a_generalised_border_is_no_fault(write, region):
    """0.005 degrees are 440 m: outside the province, and in the county beside the one that is stated."""
    frame = load_stations(write("1,甲,111.995,38.1,140101,", "2,乙,112.205,38.1,140101,"), region)
    assert list(frame["county_code"]) == ["140101", "140101"]


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_all_faults_at_once_each_with_its_place(write, region):
    path = write(
        "A1,,112.05,38.1,140101,3",
        "A1,甲,112.05,38.1,东县,-1",
        "A2,乙,112°03′,38.1,140101,2.5",
        "A3,丙,38.1,112.3,,",
        "A4,丁,500000,4217000,,",
        "A5,戊,212,38.1,,x",
        "A6,己,114.0,38.1,,",
        "A7,庚,112.3,38.1,140101,",
        "A8,辛,112.06,38.1",
        ",壬,112.07,38.1,,",
        "A10,癸,112.08,38.1,,",
        "A11,癸,112.09,38.1,,",
    )
    assert told(path, region) == [
        (2, "名称", "station_blank"),
        (3, "县代码", "station_county"),
        (3, "救护车", "station_ambulances"),
        (3, "编号", "station_id_twice"),
        (3, "经度", "station_point_twice"),
        (4, "经度", "station_number"),
        (4, "救护车", "station_ambulances"),
        (5, "经度 / 纬度", "station_swapped"),
        (6, "经度 / 纬度", "station_metres"),
        (7, "救护车", "station_number"),
        (7, "经度 / 纬度", "station_degrees"),
        (8, "经度 / 纬度", "station_outside"),
        (9, "县代码", "station_astray"),
        (10, "", "ragged_row"),
        (11, "编号", "station_blank"),
        (13, "名称", "station_name_twice"),
    ]


def test_messages_name_row_column_value_and_remedy(write, region):
    outside, astray = faults_of(write("1,甲,114.0,38.1,,", "2,乙,112.3,38.1,140101,"), region)
    assert outside.tell(load_words("zh")) == (
        "站.csv · 第 2 行 · “经度 / 纬度”列 · 值“114.000000 / 38.100000”: 这一点在省界以外；"
        "最近的县城是点县（140199），相距 141.0 公里。请核对经纬度；省外的站请从名单中删去。"
    )
    assert astray.tell(load_words("en")) == (
        '站.csv · row 3 · column "县代码" · value "140101": this point (112.300000 / 38.100000) lies in Xi (140102), '
        "8.8 km from the nearest ground of Dong (140101) as written. Check the degrees, or correct the county code "
        "(left blank, the county is found from the point)."
    )


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("{n},站{n},38.1{n},112.3,,", "swapped"),
        ("{n},站{n},50000{n},4217000,,", "metres"),
        ("{n},站{n},212,38,,", "degrees"),
    ],
)
def test_a_whole_list_with_one_fault_is_one_message(write, region, row, key):
    (fault,) = [
        each for each in faults_of(write(*(row.format(n=n) for n in range(1, 10))), region) if "twice" not in each.key
    ]
    assert fault.key == f"station_{key}_all" and fault.params["count"] == 9
    mixed = [row.format(n=n) for n in range(1, 10)] + ["10,好站,112.05,38.1,,"]
    (fault,) = [each for each in faults_of(write(*mixed), region) if "twice" not in each.key]
    assert fault.key == f"station_{key}" and fault.params["rows"] == "2, 3, 4, 5, 6, 7, 8, 9…"


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"", "station_none"),
        (HEAD.encode() + b"\n", "station_none"),
        (b"PK\x03\x04" + b"x" * 50, "station_no_text"),
        (HEAD.encode("utf-16"), "station_no_text"),
        (HEAD.encode() + b'\n1,"x', "station_quotes"),
    ],
)
def test_what_is_no_table_is_one_fault(tmp_path, region, raw, key):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    assert [fault.key for fault in faults_of(path, region)] == [key]
    assert [fault.key for fault in faults_of(tmp_path / "no.csv", region)] == ["station_missing"]


def test_columns_that_are_missing_or_misspelt(write, region):
    assert told(write("1", head="名称"), region) == [
        (1, "经度 / lon", "station_column"),
        (1, "纬度 / lat", "station_column"),
    ]
    (fault,) = faults_of(write("1,甲,112.05,38.1,3", head="编号,名称,经度,纬度,救护"), region)
    assert (fault.key, fault.params) == ("station_heading", {"nearest": "救护车"})


def test_points_given_roughly_are_noted_not_refused(write, region):
    frame = load_stations(write("1,甲,112.05,38.1,,", "2,乙,112.301234,38.1,,"), region)
    keys = [note.key for note in frame.attrs["notes"]]
    assert "station_coarse" in keys and "datum_undecided" in keys


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_list_is_read_or_refused_in_words(tmp_path, region, data):
    raw = bytearray("\n".join([HEAD, "1,东站,112.05,38.1,140101,3", '2,"西,站",112.3,38.1,,']).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw)))
        pieces = st.sampled_from([b"", b'"', b",", b"\n", b"\0", b"nan", b"\xff", b"-", b"9", b".", "，".encode()])
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(pieces)
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(raw))
    try:
        frame = load_stations(path, region)
    except Rejected as rejected:
        for fault in rejected.faults:
            assert fault.tell(load_words("zh")) and fault.tell(load_words("en"))
    else:
        assert frame.index.is_unique and frame["county_code"].isin(region.counties.index).all()


# -- online maps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_list_from_an_online_map_is_refused_once_and_converted_when_said_so(write, shanxi, datum):
    path = write(*seats_list(shanxi, datum))
    (fault,) = faults_of(path, shanxi)
    assert fault.key == f"datum_{datum}" and fault.params["count"] > 110
    assert f"--datum {datum}" in fault.tell(load_words("zh")) and f"--datum {datum}" in fault.tell(load_words("en"))
    converted = load_stations(path, shanxi, datum=datum)
    true = load_stations(write(*seats_list(shanxi), name="b.csv"), shanxi)
    assert np.hypot(converted["x"] - true["x"], converted["y"] - true["y"]).max() <= 2
    assert list(converted["county_code"]) == list(true["county_code"])
    assert converted.attrs["notes"] == true.attrs["notes"] == []


@pytest.mark.parametrize(
    ("datum", "said"), [("wgs84", "gcj02"), ("wgs84", "bd09"), ("gcj02", "bd09"), ("bd09", "gcj02")]
)
def test_a_datum_that_the_list_contradicts_is_refused(write, shanxi, datum, said):
    (fault,) = faults_of(write(*seats_list(shanxi, datum)), shanxi, datum=said)
    assert fault.key == f"datum_not_{said}_{datum}"


def test_who_says_wgs84_is_believed(write, shanxi):
    path = write(*seats_list(shanxi, "gcj02"))
    assert len(load_stations(path, shanxi, datum="wgs84")) == 117


def test_what_cannot_be_told_is_a_note(write, shanxi):
    frame = load_stations(write(*seats_list(shanxi, "gcj02")[:5]), shanxi)
    assert [note.key for note in frame.attrs["notes"]] == ["datum_undecided"]
