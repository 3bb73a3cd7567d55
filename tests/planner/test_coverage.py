"""Whom a list of stations covers: by hand, by a second script over every demand point, and what planners believe."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from geo.demand import build_demand
from geo.region import load_region
from geo.stations import seat_stations
from geo.travel import UNREACHED
from geo.ways import straight
from planner.coverage import COUNTED, RADII, Limits, check_coverage, compare_coverage, uncovered_points
from tests.town import draw

LIMITS = Limits(urban=5, rural=20, preferred=10)
GEOD = Geod(ellps="GRS80")


@pytest.fixture(scope="module")
def shanxi():
    region = load_region()
    return region, build_demand(region), seat_stations(region)


@pytest.fixture(scope="module")
def checked(shanxi):
    region, demand, seats = shanxi
    return check_coverage(region, demand, seats, ways=straight(), limits=LIMITS)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return load_region(draw(tmp_path_factory.mktemp("town")))


# -- by hand -----------------------------------------------------------------------------------------------------------


def people(town, *points):
    """Demand points (id, county letter's seat, metres north of it, setting, persons), on the meridian of the seat."""
    rows = []
    for key, code, north, setting, persons in points:
        seat = town.counties.loc[code]
        lon, lat, _ = GEOD.fwd(seat["seat_lon"], seat["seat_lat"], 0, north)
        rows.append((key, code, seat["city_code"], setting, persons, lon, lat))
    frame = pd.DataFrame(rows, columns=["id", "county_code", "city_code", "setting", "persons", "lon", "lat"])
    frame["x"], frame["y"] = town.project(frame["lon"], frame["lat"])
    return frame.set_index("id").sort_index()


def test_a_town_by_hand(town):
    """Seats a and d, 40 km apart. The metres are north of a's or d's seat; a point at the limit is covered."""
    demand = people(
        town,
        ("1", "140101", 4_999.5, "urban", 1),  # covered: 5,000 m in whole metres
        ("2", "140101", 5_000.5, "urban", 10),  # not: 5,001 m
        ("3", "140101", 9_999, "rural", 100),  # covered and preferred
        ("4", "140101", 10_001, "rural", 1_000),  # covered
        ("5", "140101", 20_001, "rural", 10_000),  # not
        ("6", "140201", 0, "urban", 100_000),  # covered, at d's own seat
    )
    stations = seat_stations(town).loc[["S140101", "S140201"]]
    found = check_coverage(town, demand, stations, ways=straight(), limits=LIMITS, radii=(1, 10))
    county = found.coverage_by_county.set_index(["code", "setting"])[COUNTED]
    assert county.loc[("140101", "urban")].tolist() == [11, 1, 1, 10, 0]
    assert county.loc[("140101", "rural")].tolist() == [11_100, 100, 1_100, 10_000, 0]
    assert county.loc[("140201", "urban")].tolist() == [100_000, 100_000, 100_000, 0, 0]
    assert county.loc[("140102", "rural")].tolist() == [0, 0, 0, 0, 0]
    near = found.stations.set_index("id")
    assert near.loc["S140101", ["persons", "covered", "uncovered", "farthest"]].tolist() == [
        11_111,
        1_101,
        10_010,
        20.001,
    ]
    assert near.loc["S140201", ["persons", "covered", "uncovered", "farthest"]].tolist() == [100_000, 100_000, 0, 0.0]
    by = found.coverage_by_radius
    assert list(by["code"].drop_duplicates()) == ["140000", "140100", "140200"]  # the province first
    province = by[by["code"].eq("140000")].set_index(["setting", "radius"])["covered"]
    assert province.to_dict() == {
        ("urban", 1.0): 100_000,
        ("urban", 10.0): 100_011,
        ("rural", 1.0): 0,
        ("rural", 10.0): 100,
    }
    assert list(found.uncovered_places["persons"]) == [10_000, 10]
    assert found.uncovered_places["station"].tolist() == ["甲县", "甲县"]
    assert list(found.uncovered_places["farthest"]) == [20.001, 5.001]
    assert list(uncovered_points(found, town)["id"]) == ["5", "2"]
    assert found.people_out == 111_111 and found.people_in == town.persons


def test_places_gather_points_with_their_mean_way(town):
    """Two rural points near the seat, 300 people 21 km and 100 people 25 km from the one station: 22 km on average."""
    demand = people(town, ("1", "140101", 100, "rural", 300), ("2", "140101", 200, "rural", 100))
    ways = Told(measure="road", amounts=[21_000, 25_000])
    row = check_coverage(town, demand, seat_stations(town).iloc[:1], ways=ways, limits=LIMITS).uncovered_places.iloc[0]
    assert (row["place"], row["county"], row["setting"], row["station"]) == ("甲县", "甲县", "rural", "甲县")
    assert (row["persons"], row["km"], row["farthest"], row["unreachable"]) == (400, 22.0, 25.0, 0)
    assert row["lat"] == pytest.approx((demand["lat"] * [0.75, 0.25]).sum(), abs=1e-6)


@dataclass
class Told:
    """Ways as a test tells them: amounts to the station at position 0, or none."""

    amounts: list
    measure: str = "minutes"
    detour_factor: float = 1.0

    @property
    def per_unit(self):
        return 60 if self.measure == "minutes" else 1000

    def limits(self, demand, urban, rural):
        return np.where(demand["setting"].eq("urban"), round(urban * self.per_unit), round(rural * self.per_unit))

    def nearest(self, demand, sites):
        amounts = np.array(self.amounts, dtype=np.int64)
        return amounts, np.where(amounts == UNREACHED, -1, 0)


def test_minutes_and_people_whom_no_way_leads_to(town):
    demand = people(
        town,
        ("1", "140101", 0, "urban", 1),
        ("2", "140101", 0, "rural", 20),
        ("3", "140102", 0, "urban", 300),
        ("4", "140102", 0, "rural", 4_000),
    )
    ways = Told(amounts=[600, 1_801, UNREACHED, UNREACHED])
    limits = Limits(urban=10, rural=30, preferred=15)
    found = check_coverage(town, demand, seat_stations(town).iloc[:1], ways=ways, limits=limits)
    assert found.far == "minutes" and found.points["station"].tolist() == ["S140101", "S140101", "", ""]
    county = found.coverage_by_county.set_index(["code", "setting"])[COUNTED]
    assert county.loc[("140101", "urban")].tolist() == [1, 1, 1, 0, 0]
    assert county.loc[("140101", "rural")].tolist() == [20, 0, 0, 20, 0]
    assert county.loc[("140102", "rural")].tolist() == [4_000, 0, 0, 4_000, 4_000]
    places = found.uncovered_places
    assert places["station"].tolist() == ["", "", "甲县"] and places["unreachable"].tolist() == [4_000, 300, 0]
    assert np.isnan(places["minutes"].iloc[0]) and np.isnan(places["farthest"].iloc[0])
    assert places["minutes"].iloc[2] == pytest.approx(1_801 / 60)
    assert found.stations["persons"].tolist() == [21]
    assert uncovered_points(found, town)["minutes"].isna().sum() == 2


def test_two_lists_by_hand(town):
    """Seat a against seat d: each covers its own people; at b, 20 km from either, nothing changes."""
    demand = people(
        town,
        ("1", "140101", 0, "urban", 1),
        ("2", "140201", 0, "urban", 20),
        ("3", "140201", 0, "rural", 300),
        ("4", "140102", 0, "urban", 4_000),
    )
    seats = seat_stations(town)
    first, second = (
        check_coverage(town, demand, seats.loc[[key]], ways=straight(), limits=LIMITS) for key in ("S140101", "S140201")
    )
    change = compare_coverage(first, second, town)
    city = change.by_city.set_index(["code", "setting"])[
        ["covered_first", "covered_second", "gained", "lost", "difference"]
    ]
    assert city.loc[("140100", "urban")].tolist() == [1, 0, 0, 1, -1]
    assert city.loc[("140200", "urban")].tolist() == [0, 20, 20, 0, 20]
    assert city.loc[("140200", "rural")].tolist() == [0, 300, 300, 0, 300]
    told = change.places[["outcome", "place", "setting", "persons", "station_first", "station_second"]]
    assert told.to_numpy().tolist() == [
        ["gained", "丁县", "rural", 300, "甲县", "丁县"],
        ["gained", "丁县", "urban", 20, "甲县", "丁县"],
        ["lost", "甲县", "urban", 1, "甲县", "丁县"],
    ]
    assert change.places["km_second"].tolist()[:2] == [0.0, 0.0]
    back = compare_coverage(second, first, town)
    assert back.by_city["gained"].tolist() == change.by_city["lost"].tolist()
    assert compare_coverage(first, first, town).places.empty
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_coverage(first, replace(second, limits=Limits(6, 20, 10)), town)


# -- a second script ---------------------------------------------------------------------------------------------------


def counted_again(demand, stations, urban, rural):
    """Persons covered by city and setting: every demand point against every station, by pyproj.Geod alone."""
    best = np.full(len(demand), np.inf)
    lon, lat = demand["lon"].to_numpy(), demand["lat"].to_numpy()
    for station in stations.itertuples():
        near = np.flatnonzero(np.hypot((lon - station.lon) * 0.75, lat - station.lat) < 0.3)  # within some 25 km
        many = np.ones(len(near))
        metres = GEOD.inv(lon[near], lat[near], station.lon * many, station.lat * many)[2]
        best[near] = np.minimum(best[near], metres)
    limit = np.where(demand["setting"] == "urban", urban, rural)
    covered = demand["persons"].where(best <= limit, 0)
    return covered.groupby([demand["city_code"], demand["setting"]]).sum()


@pytest.mark.parametrize("limits", [LIMITS, Limits(5, 10, 10), Limits(3.5, 17.25, 8)])
def test_a_second_script_agrees_to_the_person(shanxi, limits):
    region, demand, seats = shanxi
    found = check_coverage(region, demand, seats, ways=straight(), limits=limits)
    again = counted_again(demand, seats, limits.urban * 1000, limits.rural * 1000)
    ours = found.coverage_by_city.set_index(["code", "setting"])["covered"]
    assert ours.to_dict() == again.reindex(ours.index).to_dict()
    preferred = counted_again(demand, seats, limits.urban * 1000, limits.preferred * 1000)
    ours = found.coverage_by_city.set_index(["code", "setting"])["preferred"]
    assert ours.to_dict() == preferred.reindex(ours.index).to_dict()


def test_everybody_is_counted_once(shanxi, checked):
    region, _, _ = shanxi
    city, county = checked.coverage_by_city, checked.coverage_by_county
    assert checked.people_in == checked.people_out == region.persons == city["persons"].sum()
    for table in (city, county):
        assert (table["covered"] + table["uncovered"]).equals(table["persons"])
        assert (table["preferred"] <= table["covered"]).all() and (table["unreachable"] == 0).all()
    census = region.counties[["urban", "rural"]].stack()
    assert county.set_index(["code", "setting"])["persons"].to_dict() == census.to_dict()
    by_county = county.groupby(["city_code", "setting"])[COUNTED].sum()
    assert (
        by_county.loc[list(city.set_index(["code", "setting"]).index)].to_numpy().tolist()
        == city[COUNTED].to_numpy().tolist()
    )
    assert checked.uncovered_places["persons"].sum() == city["uncovered"].sum()
    assert checked.stations["persons"].sum() == region.persons
    assert checked.stations["covered"].sum() == city["covered"].sum()
    radius = checked.coverage_by_radius
    assert set(radius["radius"]) == set(RADII)
    parts = radius[radius["code"].ne("140000")].groupby(["setting", "radius"])["covered"].sum()
    assert parts.to_dict() == radius[radius["code"].eq("140000")].set_index(["setting", "radius"])["covered"].to_dict()
    at = radius.set_index(["code", "setting", "radius"])["covered"]
    same = city.set_index(["code", "setting"])["covered"]
    assert at.xs(5.0, level="radius").xs("urban", level="setting")["140100"] == same[("140100", "urban")]


# -- what planners believe ---------------------------------------------------------------------------------------------


def covered(shanxi, stations, limits=LIMITS, demand=None, detour=1.0):
    region, people_, _ = shanxi
    demand = people_ if demand is None else demand
    table = check_coverage(region, demand, stations, ways=straight(detour), limits=limits, radii=()).coverage_by_county
    return table["covered"].to_numpy()


def test_more_stations_wider_limits_and_straighter_ways_never_cover_fewer(shanxi):
    seats = shanxi[2]
    some = covered(shanxi, seats.iloc[::3])
    assert (covered(shanxi, seats) >= some).all()
    assert (covered(shanxi, seats.iloc[::3], Limits(6, 21, 10)) >= some).all()
    assert (covered(shanxi, seats.iloc[::3], detour=1.3) <= some).all()


def test_order_scale_and_split_points_change_nothing(shanxi):
    region, demand, seats = shanxi
    found = check_coverage(region, demand, seats, ways=straight(), limits=LIMITS)
    chance = np.random.default_rng(1)
    mixed = seats.iloc[chance.permutation(len(seats))].sort_index()
    other = check_coverage(region, demand.iloc[chance.permutation(len(demand))], mixed, ways=straight(), limits=LIMITS)
    pd.testing.assert_frame_equal(found.coverage_by_county, other.coverage_by_county)
    pd.testing.assert_frame_equal(found.stations, other.stations)
    columns = ["place", "county_code", "setting", "persons", "station", "km", "farthest"]
    pd.testing.assert_frame_equal(found.uncovered_places[columns], other.uncovered_places[columns])
    tenfold = covered(shanxi, seats, demand=demand.assign(persons=demand["persons"] * 10))
    assert tenfold.tolist() == (10 * covered(shanxi, seats)).tolist()
    halves = [demand.assign(persons=demand["persons"] // 2), demand.assign(persons=(demand["persons"] + 1) // 2)]
    halves[1].index = halves[1].index + "b"
    assert covered(shanxi, seats, demand=pd.concat(halves)).tolist() == covered(shanxi, seats).tolist()


def test_no_station_is_refused(shanxi):
    region, demand, seats = shanxi
    with pytest.raises(ValueError, match="no site"):
        check_coverage(region, demand, seats.iloc[:0], ways=straight(), limits=LIMITS)
