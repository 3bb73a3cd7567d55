"""The embedded province and any other folder: right figures, right distances, any order of rows, every fault named."""

import re
import sqlite3
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

import geo.region
from geo.faults import Rejected
from geo.region import EMBEDDED, grown, load_region, unproject
from geo.words import LANGUAGES, load_words
from tests.geo.folders import SHAPES, edit, paper_region, shuffled, write_layer

SHANXI = EMBEDDED / "shanxi"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def shanxi():
    return load_region("shanxi")


@pytest.fixture
def paper(tmp_path):
    return paper_region(tmp_path / "paper")


def test_the_province_is_whole(shanxi):
    assert (len(shanxi.counties), len(shanxi.cities), len(shanxi.province)) == (117, 11, 1)
    assert shanxi.persons == 34_915_616
    assert shanxi.counties["urban"].sum() == 21_831_494
    assert shanxi.counties["rural"].sum() == 13_084_122
    assert list(shanxi.cities["name"])[:2] == ["太原市", "大同市"]
    assert shanxi.counties.groupby("city_code")["persons"].sum()["140100"] == 5_304_061


def test_people_grow_by_city_to_whole_people_and_the_census_stays(paper):
    region = load_region(paper)
    assert region.counties["census_persons"].equals(region.counties["persons"].rename("census_persons"))
    more = grown(region, {"140100": Fraction("12.5")})
    people = more.counties[["persons", "urban", "rural", "census_persons"]]
    assert people.loc["140101"].tolist() == [67_500, 45_000, 22_500, 60_000]
    assert people.loc["140102"].tolist() == [2_250 + 3_376, 2_250, 3_376, 5_001]  # 3001 x 1.125 = 3376.1
    assert people.loc["140199"].tolist() == [3 + 5, 3, 5, 7]  # 3.375 and 4.5: halves go up
    assert more.counties["persons"].dtype == np.int64 and more.persons == 67_500 + 5_626 + 8
    fewer = grown(region, {"140100": -50, "999999": 80})
    assert fewer.counties["persons"].tolist() == [30_000, 1_000 + 1_501, 2 + 2]
    assert region.counties["persons"].tolist() == [60_000, 5_001, 7]  # what was given stays as it was


def test_nobody_grows_unless_told_to(shanxi):
    assert grown(shanxi, {}).counties.equals(shanxi.counties)
    more = grown(shanxi, {"140100": Fraction(8), "141100": Fraction(-5, 2)})
    changed = more.counties.loc[more.counties["persons"] != shanxi.counties["persons"], "city_code"]
    assert set(changed) == {"140100", "141100"}
    assert more.counties.drop(columns=["persons", "urban", "rural"]).equals(
        shanxi.counties.drop(columns=["persons", "urban", "rural"])
    )


def test_every_seat_town_and_township_point_lies_in_its_county(shanxi):
    shapes = shanxi.counties.geometry
    assert shapely.contains_xy(shapes.to_numpy(), shanxi.counties["seat_lon"], shanxi.counties["seat_lat"]).all()
    located = shanxi.townships[shanxi.townships["lon"].notna()]
    assert len(located) == 249
    for frame in (shanxi.settlements, located):
        held = shapes.loc[frame["county_code"]].to_numpy()
        assert shapely.contains_xy(held, frame["lon"], frame["lat"]).all()


def test_projected_distances_stay_within_a_thousandth_of_the_geodesic(shanxi):
    chance = np.random.default_rng(7)
    west, south, east, north = shanxi.province.total_bounds
    lon, lat = chance.uniform(west, east, 20_000), chance.uniform(south, north, 20_000)
    held = shapely.contains_xy(shanxi.province.geometry.iloc[0], lon, lat)
    lon, lat = lon[held], lat[held]
    x, y = shanxi.project(lon, lat)
    half = len(lon) // 2
    a, b = slice(0, half), slice(half, 2 * half)
    geodesic = Geod(ellps="GRS80").inv(lon[a], lat[a], lon[b], lat[b])[2]
    plane = np.hypot(x[a] - x[b], y[a] - y[b])
    assert len(plane) > 4_000
    rounding = np.sqrt(2)  # both ends are whole metres
    assert (np.abs(plane - geodesic) <= 0.001 * geodesic + rounding).all()
    assert (np.abs(plane / geodesic - 1)[geodesic > 20_000] < 0.0006).all()


def test_metres_come_back_as_degrees(shanxi):
    lon, lat = shanxi.counties["seat_lon"], shanxi.counties["seat_lat"]
    back_lon, back_lat = unproject(shanxi.projection, shanxi.counties["seat_x"], shanxi.counties["seat_y"])
    assert np.abs(back_lon - lon).max() < 1e-5
    assert np.abs(back_lat - lat).max() < 1e-5


def test_the_order_of_rows_changes_nothing(shanxi, tmp_path):
    other = load_region(shuffled(SHANXI, tmp_path / "shuffled", seed=1))
    assert other.projection == shanxi.projection
    for name in ("settlements", "townships", "sources"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(shanxi, name))
    for name in ("counties", "cities", "province"):
        mine, theirs = getattr(shanxi, name), getattr(other, name)
        pd.testing.assert_frame_equal(pd.DataFrame(theirs.drop(columns="geometry")), mine.drop(columns="geometry"))
        assert theirs.geometry.geom_equals(mine.geometry).all()


def test_every_column_of_every_file_has_one_source(shanxi):
    columns = []
    for path in sorted(SHANXI.glob("*.csv")):
        if path.name != "sources.csv":
            columns += [(path.name, column) for column in pd.read_csv(path, nrows=0).columns]
    for layer in ("county", "city", "province"):
        frame = gpd.read_file(SHANXI / "boundaries.gpkg", layer=layer, rows=1)
        columns += [(f"boundaries.gpkg:{layer}", column) for column in frame.columns]
    stated = list(zip(shanxi.sources["file"], shanxi.sources["column"], strict=True))
    assert sorted(stated) == sorted(columns)
    assert set(shanxi.sources["nature"]) <= {"measured", "modelled", "assumed"}
    assert shanxi.sources[["source", "date", "licence"]].ne("").all(axis=None)
    assert shanxi.sources["source"].str.contains(r"[\u4e00-\u9fff]|GeoNames").all()


def test_the_folder_stays_small_and_holds_nothing_else():
    files = [path for path in SHANXI.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2 * MEGABYTE
    assert {path.name for path in files} == {*geo.region.FILES, "LICENSES.md"}


def test_a_folder_like_the_embedded_one_is_read(paper):
    region = load_region(paper)
    assert region.persons == 65_008
    assert list(region.counties.index) == ["140101", "140102", "140199"]
    assert region.townships.loc["140101101", "residents_committees"] == 2
    assert set(region.digest) == set(geo.region.FILES)


def test_a_byte_order_mark_changes_nothing(paper):
    path = paper / "counties.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_region(paper).persons == 65_008


def test_boundaries_in_another_projection_are_brought_home(paper):
    home = load_region(paper).counties.geometry
    layer = gpd.read_file(paper / "boundaries.gpkg", layer="county").to_crs("EPSG:4547")
    layer.to_file(paper / "boundaries.gpkg", layer="county", driver="GPKG")
    again = load_region(paper).counties.geometry
    assert shapely.hausdorff_distance(again.to_numpy(), home.to_numpy()).max() < 1e-6


def test_crossing_outlines_are_repaired_and_logged(paper, caplog):
    bow = shapely.Polygon([(112.0, 38.0), (112.2, 38.2), (112.2, 38.0), (112.0, 38.2)])
    write_layer(paper, "county", list(SHAPES), ["a", "b", "c"], [bow, SHAPES["140102"], SHAPES["140199"]])
    region = load_region(paper)
    assert region.counties.geometry.is_valid.all()
    assert "140101" in caplog.text


# What is done to the town on paper -> the faults that must be told: key, row, column, value.
def _drop(name):
    return lambda folder: (folder / name).unlink()


def _swap(name, old, new):
    return lambda folder: edit(folder, name, old, new)


def _bytes(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def _shapes(codes=tuple(SHAPES), shapes=None, crs="EPSG:4490"):
    shapes = list(SHAPES.values()) if shapes is None else shapes
    return lambda folder: write_layer(folder, "county", list(codes), [""] * len(codes), shapes, crs)


def _without_layer(folder):
    (folder / "boundaries.gpkg").unlink()
    for name in ("county", "province"):
        write_layer(folder, name, list(SHAPES), [""] * len(SHAPES), list(SHAPES.values()))


def _without_shapes(folder):
    with sqlite3.connect(folder / "boundaries.gpkg") as base:
        base.execute("delete from gpkg_geometry_columns where table_name = 'city'")


def _nobody(folder):
    for figures in ("60000,40000,20000", "5001,2000,3001", "7,3,4"):
        edit(folder, "counties.csv", figures, "0,0,0")


VRT = b"<OGRVRTDataSource><OGRVRTLayer name='county'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
BROKEN = [
    (_drop("townships.csv"), [("missing_file", None, "", "")]),
    (_swap("counties.csv", "seat_lon", "lon"), [("missing_column", None, "seat_lon", "")]),
    (_swap("counties.csv", "code,name,name_en", "code,name,name"), [("repeated_column", 1, "name", "")]),
    (_bytes("cities.csv", "code,name\n140100,甲市\n".encode("utf-16")), [("not_utf8", None, "", "")]),
    (_bytes("cities.csv", "code,name\n140100,甲市\n".encode("gb18030")), [("not_utf8", None, "", "")]),
    (_swap("counties.csv", ",112.3,38.1", ",112.3,38.1,9"), [("ragged_row", 3, "", "")]),
    (
        _swap("counties.csv", "140102,西县", "140101,西县"),
        [("duplicate_code", 2, "code", "140101"), ("duplicate_code", 3, "code", "140101")],
    ),
    (_swap("counties.csv", "140102,西县", "1.4E+05,西县"), [("bad_code", 3, "code", "1.4E+05")]),
    (_swap("counties.csv", "5001,2000,3001", "5001,2000,3001人"), [("bad_count", 3, "rural", "3001人")]),
    (_swap("counties.csv", "60000,40000,20000", "6万,-1,"), [("bad_count", 2, "persons", "6万")]),
    (_swap("townships.csv", "140101,2,20", "140101,two,20"), [("bad_count", 3, "residents_committees", "two")]),
    (_swap("counties.csv", "112.3,38.1", "38.1,112.3"), [("bad_degree", 3, "seat_lat", "112.3")]),
    (_swap("settlements.csv", "112.164,38.1", ",38.1"), [("bad_degree", 2, "lon", "")]),
    (_swap("counties.csv", "county,140100,5001", "county,140900,5001"), [("unknown_city", 3, "city_code", "140900")]),
    (_swap("cities.csv", "1,140101", "1,149999"), [("unknown_county", 2, "seat_county_code", "149999")]),
    (_swap("counties.csv", "5001,2000,3001", "5000,2000,3001"), [("sum_persons", 3, "persons", "5000")]),
    (
        _swap("counties.csv", "112.05,38.1", "112.05,38.9"),
        [("seat_outside", 2, "seat_lon, seat_lat", "112.05 38.9")],
    ),
    (_nobody, [("no_people", None, "persons", "")]),
    (_bytes("boundaries.gpkg", VRT), [("not_geopackage", None, "", "")]),
    (_bytes("boundaries.gpkg", geo.region.GEOPACKAGE + VRT), [("no_layer", None, "", "")]),
    (_without_layer, [("no_layer", None, "", "")]),
    (_without_shapes, [("no_layer", None, "", "")]),
    (_shapes(crs=None), [("no_crs", None, "", "")]),
    (_shapes(shapes=[None, *list(SHAPES.values())[1:]]), [("bad_geometry", None, "code", "140101")]),
    (_shapes(shapes=[shapely.Point(112, 38), *list(SHAPES.values())[1:]]), [("bad_geometry", None, "code", "140101")]),
    (_shapes(codes=["140101", "140102", "140101"]), [("duplicate_code", None, "code", "140101")]),
    (
        _shapes(codes=["140101", "140102", "140103"]),
        [("no_boundary", None, "code", "140199"), ("no_facts", None, "code", "140103")],
    ),
]


@pytest.mark.filterwarnings("ignore:'crs' was not provided", "ignore:GPKG")
@pytest.mark.parametrize(("spoil", "expected"), BROKEN, ids=[expected[0][0] for _, expected in BROKEN])
def test_a_spoilt_folder_is_refused_with_the_place_of_each_fault(paper, spoil, expected):
    spoil(paper)
    with pytest.raises(Rejected) as refused:
        load_region(paper)
    found = [(fault.key, fault.row, fault.column, fault.value) for fault in refused.value.faults]
    assert set(expected) <= set(found)
    for lang in LANGUAGES:
        for fault in refused.value.faults:
            said = fault.tell(load_words(lang))
            assert fault.value in said
            assert "{" not in said


def test_no_fault_of_the_region_goes_untested():
    source = Path(geo.region.__file__).read_text(encoding="utf-8")
    keys = set(re.findall(r'Fault\("(\w+)"', source)) | set(re.findall(r'"(unknown_\w+)"', source))
    assert {fault[0] for _, expected in BROKEN for fault in expected} == keys


def test_all_faults_are_told_at_once(paper):
    edit(paper, "counties.csv", "5001,2000,3001", "5000,2000,3001")
    edit(paper, "counties.csv", "112.05,38.1", "112.05,381")
    edit(paper, "townships.csv", "1,9,,,", "-1,9,,,")
    edit(paper, "cities.csv", "140101", "149999")
    write_layer(paper, "county", list(SHAPES)[:2], ["a", "b"], list(SHAPES.values())[:2])
    with pytest.raises(Rejected) as refused:
        load_region(paper)
    keys = sorted(fault.key for fault in refused.value.faults)
    assert keys == ["bad_count", "bad_degree", "no_boundary", "sum_persons", "unknown_county"]
    lost = next(fault for fault in refused.value.faults if fault.key == "no_boundary")
    assert lost.params["persons"] == "7"
