"""Candidate sites: every seat, every located town, the most populated cells; named, the same in any order of rows."""

import pandas as pd
import pytest

from geo.demand import build_demand
from geo.region import load_region
from geo.sites import candidate_sites, describe_places, known_places
from geo.travel import nearest
from tests import town


@pytest.fixture(scope="module")
def region(town_folder):
    return load_region(town_folder)


@pytest.fixture(scope="module")
def demand(region):
    return build_demand(region)


def test_the_drawn_metres(region):
    """The fixture itself: seats stand where the drawing has them, to the metre."""
    at = region.counties[["seat_x", "seat_y"]].to_numpy().tolist()
    assert at == [
        [475_000, 4_085_000],
        [495_000, 4_085_000],
        [485_000, 4_075_000],
        [515_000, 4_085_000],
        [515_000, 4_065_000],
    ]
    assert region.settlements[["x", "y"]].to_numpy().tolist() == [[505_000, 4_065_000], [525_000, 4_095_000]]


def test_seats_towns_and_cells(region, demand):
    sites = candidate_sites(region, demand)
    assert sites.index.is_unique and sites.index.is_monotonic_increasing
    seats, towns, cells = (sites[sites["kind"].eq(kind)] for kind in ("seat", "town", "cell"))
    assert seats.index.tolist() == ["S" + code for code in region.counties.index]
    assert seats[["x", "y"]].to_numpy().tolist() == region.counties[["seat_x", "seat_y"]].to_numpy().tolist()
    assert towns.index.tolist() == ["T1001", "T1002"] and towns["name"].tolist() == ["远镇", "丁北镇"]
    assert len(seats) + len(towns) + len(cells) == len(sites)
    assert set(cells.index.str[1:]) <= set(demand.index)
    assert (sites["city_code"] == sites["county_code"].map(region.counties["city_code"])).all()


def test_cells_are_the_most_populated_of_their_block(region, demand):
    """Of each city's part of it: a block that the border between the cities cuts has a cell on either side."""
    cells = candidate_sites(region, demand).query("kind == 'cell'")
    assert not cells.duplicated(["x", "y"]).any()
    stand = set(zip(cells["x"], cells["y"], cells["city_code"], strict=True))
    cut = 0
    for setting, block in (("urban", 4_000), ("rural", 8_000)):
        points = demand[demand["setting"].eq(setting)]
        part = [points["x"] // block, points["y"] // block, points["city_code"]]
        busiest = points[points["persons"].eq(points["persons"].groupby(part).transform("max"))]
        parts = busiest.groupby([busiest["x"] // block, busiest["y"] // block, busiest["city_code"]])
        for _, together in parts:
            assert stand & set(zip(together["x"], together["y"], together["city_code"], strict=True))
        cut += parts.ngroups - len(set(zip(*part[:2], strict=True)))
    assert cut > 0


def test_rows_in_another_order(region, demand):
    shuffled = candidate_sites(region, demand.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(shuffled, candidate_sites(region, demand))


def test_township_with_a_point_of_its_own(tmp_path):
    """A located township is a candidate; one that a settlement already locates is not a second one."""
    folder = town.draw(tmp_path / "region")
    table = pd.read_csv(folder / "townships.csv", dtype=str, keep_default_na=False)
    table.loc[0, ["lon", "lat", "geonames_id"]] = ["111.75", "36.90", ""]
    table.loc[1, ["lon", "lat", "geonames_id"]] = ["111.95", "36.90", "1001"]
    table.to_csv(folder / "townships.csv", index=False)
    places = known_places(load_region(folder))
    assert places.index.tolist() == sorted(["S" + c for c in town.CODES.values()] + ["T1001", "T1002", "T140101001"])
    assert places.loc["T140101001", "name"] == "甲县城关镇"


def test_place_without_a_chinese_name(tmp_path):
    folder = town.draw(tmp_path / "region")
    table = pd.read_csv(folder / "settlements.csv", dtype=str, keep_default_na=False)
    assert "T1001" in known_places(load_region(folder)).index
    table["name"], table["name_en"] = "", "Yuan"
    table.to_csv(folder / "settlements.csv", index=False)
    assert "T1001" not in known_places(load_region(folder)).index  # a planner could not be told where it is


def test_places_described(region):
    """Four kilometres north-east of a seat, the seat itself, and just off it: a bearing from half a kilometre on."""
    seat = region.counties.loc["140101"]
    points = pd.DataFrame(
        {
            "x": [seat["seat_x"] + 2_828, seat["seat_x"], seat["seat_x"], seat["seat_x"] - 600],
            "y": [seat["seat_y"] + 2_828, seat["seat_y"], seat["seat_y"] - 499, seat["seat_y"]],
        }
    )
    zh, en = describe_places(region, points)
    assert zh == ["甲县东北约4公里", "甲县", "甲县", "甲县西约1公里"]
    assert en == ["4 km NE of A", "A", "A", "1 km W of A"]


def test_everyone_of_the_province_has_a_candidate_within_reach(default_run):
    """So that full coverage has an answer at the documents' own radii."""
    demand, sites = default_run.prepared.demand, default_run.prepared.sites
    metres, _ = nearest(demand, sites)
    urban = demand["setting"].eq("urban")
    assert metres[urban].max() <= 5_000 and metres[~urban].max() <= 20_000
    assert sites["kind"].value_counts()["seat"] == 117
