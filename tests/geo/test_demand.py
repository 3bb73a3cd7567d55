"""Demand: every person counted once, inside the county, compact where urban; and the stated fit to a reference grid."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import geo.demand
from geo.demand import _whole_shares, build_demand
from geo.region import EMBEDDED, load_region
from tests.geo.folders import census, edit, paper_region, shuffled

SHANXI = EMBEDDED / "shanxi"
COLUMNS = ["county_code", "city_code", "setting", "persons", "lon", "lat", "x", "y"]
GRID = "shanxi_population_grid_5min.csv"
# The reference grid's cells are 5 arc-minutes from the corner of the mosaic it was made from.
GRID_WEST, GRID_SOUTH, CELLS_A_DEGREE = -180.001249, -71.992083, 12


@pytest.fixture(scope="module")
def shanxi():
    return load_region("shanxi")


@pytest.fixture(scope="module")
def demand(shanxi):
    return build_demand(shanxi)


@pytest.fixture
def paper(tmp_path):
    return paper_region(tmp_path / "paper")


def by_county(demand, setting):
    return demand[demand["setting"] == setting].groupby("county_code")["persons"].sum()


def test_the_table_keeps_its_form(shanxi, demand):
    assert list(demand.columns) == COLUMNS
    assert demand.index.name == "id"
    assert demand.index.is_unique
    assert demand.index.is_monotonic_increasing
    assert demand["persons"].dtype == np.int64
    assert demand["persons"].min() > 0
    assert set(demand["setting"]) == {"urban", "rural"}
    assert demand["city_code"].tolist() == shanxi.counties["city_code"].loc[demand["county_code"]].tolist()
    assert 40_000 < len(demand) < 60_000
    assert (demand.index.str[:6] == demand["county_code"]).all()


@pytest.mark.parametrize("cell_metres", [2000, 3500])
def test_people_in_are_people_out_by_county_setting_and_city(shanxi, demand, cell_metres):
    points = demand if cell_metres == 2000 else build_demand(shanxi, cell_metres)
    facts = census(SHANXI)
    for setting in ("urban", "rural"):
        found = by_county(points, setting).reindex(facts.index, fill_value=0)
        assert (found == facts[setting]).all()
    cities = points.groupby("city_code")["persons"].sum()
    assert (cities == facts.groupby("city_code")["persons"].sum()).all()
    assert points["persons"].sum() == 34_915_616


def test_every_point_lies_in_its_county_and_has_its_metres(shanxi, demand):
    shapes = shanxi.counties.geometry.loc[demand["county_code"]].to_numpy()
    shapely.prepare(shapes)
    assert shapely.contains_xy(shapes, demand["lon"], demand["lat"]).all()
    x, y = shanxi.project(demand["lon"], demand["lat"])
    assert (demand["x"] == x).all()
    assert (demand["y"] == y).all()


def test_every_county_is_covered_to_its_borders(shanxi, demand):
    """From any place of a county, people of that county stand within 3 cells."""
    chance = np.random.default_rng(3)
    county, lon, lat = [], [], []
    for code, shape in shanxi.counties.geometry.items():
        west, south, east, north = shape.bounds
        some_lon, some_lat = chance.uniform(west, east, 60), chance.uniform(south, north, 60)
        held = shapely.contains_xy(shape, some_lon, some_lat)
        county += [code] * held.sum()
        lon, lat = np.append(lon, some_lon[held]), np.append(lat, some_lat[held])
    places = pd.DataFrame(np.column_stack(shanxi.project(lon, lat)), columns=["x", "y"])
    for code, own in places.groupby(np.array(county)):
        points = demand.loc[demand["county_code"] == code, ["x", "y"]]
        metres, _ = cKDTree(points).query(own)
        assert metres.max() < 6_000, code


def test_urban_people_live_in_compact_places_near_a_named_one(shanxi, demand):
    urban = demand[demand["setting"] == "urban"]
    pairs = cKDTree(urban[["x", "y"]]).sparse_distance_matrix(cKDTree(urban[["x", "y"]]), 3_000)
    _, place = connected_components(pairs.tocsr(), directed=False)
    assert np.bincount(place, urban["persons"]).min() > 2_500  # no lone urban person in a far cell
    located = shanxi.townships[shanxi.townships["lon"].notna()]
    towns = np.column_stack(shanxi.project(located["lon"], located["lat"]))
    named = np.concatenate([shanxi.counties[["seat_x", "seat_y"]].to_numpy(), towns])
    metres, _ = cKDTree(named).query(urban[["x", "y"]])
    assert metres.max() < 15_000
    assert np.average(metres, weights=urban["persons"]) < 4_000


def test_rural_people_are_denser_near_places(shanxi, demand):
    rural = demand[demand["setting"] == "rural"]
    named = np.concatenate(
        [shanxi.counties[["seat_x", "seat_y"]].to_numpy(), shanxi.settlements[["x", "y"]].to_numpy()]
    )
    metres, _ = cKDTree(named).query(rural[["x", "y"]])
    mean = rural["persons"].groupby(np.digitize(metres, [10_000, 20_000])).mean()
    assert mean[0] > 1.3 * mean[1] > 1.3 * 1.3 * mean[2]


def test_the_order_of_rows_changes_nothing(demand, tmp_path):
    other = build_demand(load_region(shuffled(SHANXI, tmp_path / "shuffled", seed=5)))
    pd.testing.assert_frame_equal(other, demand)


def test_the_region_is_left_as_it_was(paper):
    region = load_region(paper)
    before = {name: getattr(region, name).copy() for name in ("counties", "cities", "settlements", "townships")}
    build_demand(region)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(region, name), frame)


def test_on_paper_a_town_holds_its_share_of_committees(paper):
    """140101: 40,000 urban people; 2 of its 8 residents' committees are the town's, 10 km from the seat."""
    region = load_region(paper)
    points = build_demand(region)
    urban = points[(points["county_code"] == "140101") & (points["setting"] == "urban")]
    town_x, town_y = region.project([112.164], [38.1])
    near_town = np.hypot(urban["x"] - town_x[0], urban["y"] - town_y[0]) < 5_000
    assert urban["persons"][near_town].sum() == pytest.approx(10_000, rel=0.15)
    near_seat = np.hypot(urban["x"] - region.counties["seat_x"].iloc[0], urban["y"] - region.counties["seat_y"].iloc[0])
    assert (near_town | (near_seat < 5_000)).all()


def test_on_paper_a_county_between_the_lattice_points_keeps_its_people(paper):
    region = load_region(paper)
    speck = build_demand(region).query("county_code == '140199'").set_index("setting")
    assert speck["persons"].to_dict() == {"rural": 4, "urban": 3}
    assert shapely.contains_xy(region.counties.geometry["140199"], speck["lon"], speck["lat"]).all()


def test_on_paper_without_towns_or_urban_people(paper):
    for name in ("settlements.csv", "townships.csv"):
        head = (paper / name).read_text(encoding="utf-8").splitlines()[0]
        (paper / name).write_text(head + "\n", encoding="utf-8")
    edit(paper, "counties.csv", "5001,2000,3001", "5001,0,5001")
    points = build_demand(load_region(paper))
    assert by_county(points, "urban").to_dict() == {"140101": 40_000, "140199": 3}
    assert by_county(points, "rural").to_dict() == {"140101": 20_000, "140102": 5_001, "140199": 4}


def test_a_finer_grid_has_more_points(paper):
    region = load_region(paper)
    assert len(build_demand(region, 1000)) > 3 * len(build_demand(region, 2000))


def test_whole_shares_on_paper():
    group = np.array([0, 0, 0, 1, 1, 3])
    weights = np.array([1.0, 1.0, 1.0, 1.0, 3.0, 0.5])
    # group 0: 3 1/3 each, one left over, the first of equals gains; group 2 has no rows and nobody; group 3 takes all
    shares = _whole_shares(group, weights, np.array([10, 6, 0, 7]))
    # group 1: 1.5 and 4.5, one left over, equal remainders
    assert shares.tolist() == [4, 3, 3, 2, 4, 7]


@given(
    st.lists(st.floats(0.001, 1000), min_size=1, max_size=30),
    st.integers(0, 10**7),
)
def test_whole_shares_are_within_one_of_the_exact_share(weights, total):
    weights = np.array(weights)
    shares = _whole_shares(np.zeros(len(weights), dtype=int), weights, np.array([total]))
    assert shares.sum() == total
    assert (np.abs(shares - total * weights / weights.sum()) < 1 + 1e-6).all()


def reference_pieces(folder):
    """Return the reference grid, DataFrame on (cell, county_code): persons, area_km2. A piece is a cell in a county."""
    grid = pd.read_csv(Path(folder) / GRID, dtype={"cell": str, "adcode": str})
    grid = grid.rename(columns={"adcode": "county_code", "population_2020": "persons"})
    return grid.set_index(["cell", "county_code"])[["persons", "area_km2"]]


def piece_of(lon, lat):
    """Return the name of the reference grid's cell that holds each point: "column_row"."""
    column = np.floor((np.asarray(lon) - GRID_WEST) * CELLS_A_DEGREE).astype(int)
    row = np.floor((np.asarray(lat) - GRID_SOUTH) * CELLS_A_DEGREE).astype(int)
    return [f"{c}_{r}" for c, r in zip(column, row, strict=True)]


def by_piece(demand):
    """Return the persons of demand points by piece: Series on (cell, county_code)."""
    cell = pd.Series(piece_of(demand["lon"], demand["lat"]), index=demand.index, name="cell")
    return demand["persons"].groupby([cell, demand["county_code"]]).sum()


def compare(reference, found):
    """Return (Pearson r, share misplaced) of ``found`` persons by piece; a piece that one of both lacks is 0 there."""
    reference, found = reference.align(found, fill_value=0)
    r = np.corrcoef(reference, found)[0, 1]
    return r, float((reference - found).abs().sum() / 2 / reference.sum())


needs_reference = pytest.mark.skipif(
    "JINYI_REFERENCE_DATA" not in os.environ, reason="JINYI_REFERENCE_DATA names no folder"
)


@needs_reference
def test_the_stated_fit_to_the_reference_grid_holds(demand):
    pieces = reference_pieces(os.environ["JINYI_REFERENCE_DATA"])
    assert len(pieces) == 3_954
    area = pieces["area_km2"].groupby(level="county_code")
    persons = pieces["persons"].groupby(level="county_code")
    even = persons.transform("sum") * pieces["area_km2"] / area.transform("sum")
    r_even, misplaced_even = compare(pieces["persons"], even)
    r, misplaced = compare(pieces["persons"], by_piece(demand))
    for figure in (f"{r_even:.2f}", f"{misplaced_even:.1%}", f"{r:.2f}", f"{misplaced:.1%}"):
        assert figure.replace("%", " %") in geo.demand.__doc__
    assert r > 0.92
    assert misplaced < 0.236
