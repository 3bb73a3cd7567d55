"""Ambulances: how many, and where - on paper, by trying every split, and by what planners believe."""

import threading
from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from geo.ways import straight
from geo.words import load_words
from planner import locate
from planner.engine.found import Clock
from planner.models.mexclp import mexclp
from planner.models.vehicle_allocation import claim
from planner.services.ambulances import (
    City,
    _handed_out,
    _Split,
    expected,
    fleet_by_city,
    in_proportion,
    most_expected,
    plan_ambulances,
    required_by_city,
    twice_covered,
)
from planner.solve import INTERIM, OPTIMAL, solve
from tests.oracles.brute import mclp_brute

CASES = 200
EAST, WEST = "140100", "140200"


def asked(**changes):
    """What the scenario says about ambulances."""
    given = {
        "persons_per_ambulance": 30_000,
        "ambulance_rule": "mexclp",
        "ambulance_busy": Fraction(3, 10),
        "ambulance_uplift": {},
        "negative_pressure_share": Fraction(1, 5),
        "double_share": Fraction(9, 10),
        "solve_seconds": 30.0,
    }
    return SimpleNamespace(**(given | changes))


@pytest.fixture
def region():
    """Two cities, four counties: 90,000 people in the east, 60,000 in the west."""
    counties = pd.DataFrame(
        [("a1", EAST, 60_000), ("a2", EAST, 30_000), ("b1", WEST, 50_000), ("b2", WEST, 10_000)],
        columns=["code", "city_code", "persons"],
    ).set_index("code")
    names = {"name": ["东市", "西市"], "name_en": ["East", "West"]}
    return SimpleNamespace(counties=counties, cities=pd.DataFrame(names, index=[EAST, WEST]))


# A road of 60 km, a letter a kilometre and a half: villages below, stations above.
#
#   S1        S2   S3      |  S4
#   v1   v2   v3   v4      |  v5     v6
#   0    5    10   15      |  40     46     km
VILLAGES = pd.DataFrame(
    [
        ("v1", "a1", EAST, 40_000, 0),
        ("v2", "a1", EAST, 20_000, 5_000),
        ("v3", "a2", EAST, 20_000, 10_000),
        ("v4", "a2", EAST, 10_000, 15_000),
        ("v5", "b1", WEST, 50_000, 40_000),
        ("v6", "b2", WEST, 10_000, 46_000),
    ],
    columns=["id", "county_code", "city_code", "persons", "x"],
).set_index("id")
VILLAGES = VILLAGES.assign(y=0, setting="rural")
STATIONS = pd.DataFrame(
    [
        ("S1", "甲站", "a1", EAST, 40_000, 0),
        ("S2", "乙站", "a2", EAST, 40_000, 10_000),
        ("S3", "丙站", "a2", EAST, 10_000, 15_000),
        ("S4", "丁站", "b1", WEST, 60_000, 40_000),
    ],
    columns=["id", "name", "county_code", "city_code", "persons", "x"],
).set_index("id")
STATIONS = STATIONS.assign(y=0)
LIMITS = (np.full(6, 5_000), np.full(6, 5_000))


def planned(region, *, demand=VILLAGES, stations=STATIONS, limits=LIMITS, **changes):
    return plan_ambulances(region, demand, stations, asked(**changes), straight(), limits)


# -- how many


def test_floor_uplift_and_required(region):
    """b2 has a third of a vehicle by its people; 50 per cent more of it is a sixth, rounded up to one vehicle."""
    fleet = fleet_by_city(region, asked(ambulance_uplift={"b2": Fraction(50), "a1": Fraction(100)}))
    assert fleet.loc[EAST].to_dict() == {"floor": 3, "uplift": 2, "required": 5}
    assert fleet.loc[WEST].to_dict() == {"floor": 2, "uplift": 1, "required": 3}
    assert required_by_city(region, asked()) == {EAST: 3, WEST: 2}


def test_an_uplift_is_exact(region):
    """50,000 / 30,000 x 60 per cent is one vehicle, and not a hair more."""
    assert fleet_by_city(region, asked(ambulance_uplift={"b1": Fraction(60)}))["uplift"].tolist() == [0, 1]
    assert fleet_by_city(region, asked(ambulance_uplift={"b1": 60.0}))["uplift"].tolist() == [0, 1]
    assert fleet_by_city(region, asked(ambulance_uplift={"b1": Fraction("60.001")}))["uplift"].tolist() == [0, 2]


@pytest.mark.parametrize("rule", ["mexclp", "double_standard", "persons"])
def test_extra_vehicles_stand_in_the_remote_county(region, rule):
    """a2's share is one vehicle; four more (400 per cent) make five, although a1 has more people."""
    vehicles = planned(region, ambulance_rule=rule, ambulance_uplift={"a2": Fraction(400)}).vehicles
    assert vehicles.sum() == 3 + 4 + 2
    assert vehicles[["S2", "S3"]].sum() >= 5


def test_a_city_without_stations_is_said(region):
    plan = planned(region, stations=STATIONS.drop("S4"))
    (note,) = plan.notes
    assert "西市" in note.tell(load_words("zh")) and "West" in note.tell(load_words("en"))
    row = plan.tables["ambulances_by_city"].set_index("code").loc[WEST]
    assert (row["required"], row["plan"], row["stations"], row["next_station"]) == (2, 0, 0, "")


# -- expected coverage on paper


def test_expected_coverage_on_paper(region):
    """Within 5 km: S1 has v1, v2; S2 has v2, v3, v4; S3 has v3, v4. Four vehicles, q = 0.3, one at each of the three.

    The fourth adds 0.3 x 0.7 x 40,000 = 8,400 of v1 and 0.3^2 x 0.7 x 20,000 = 1,260 of v2 at S1. So S1 has two.
    Expected: v1 0.91 x 40,000 + v2 (1 - 0.027) x 20,000 + v3 0.91 x 20,000 + v4 0.91 x 10,000 = 83,160.
    """
    plan = planned(region, persons_per_ambulance=22_500)
    assert plan.vehicles.to_dict() == {"S1": 2, "S2": 1, "S3": 1, "S4": 3}
    city = plan.tables["ambulances_by_city"].set_index("code")
    assert city.at[EAST, "expected"] == 83_160
    assert city.at[EAST, "expected_share"] == pytest.approx(100 * 83_160 / 90_000)
    # One more at S1: 0.7 x 0.09 x 40,000 + 0.7 x 0.027 x 20,000; at S2: 0.7 x (0.027 x 20 + 0.09 x 30) thousand.
    assert city.loc[EAST, ["next_station", "next_gain"]].tolist() == ["S1", 2_898]
    by = plan.tables["ambulances_by_station"].set_index("id")
    assert by["gain_of_one_more"].to_dict()["S2"] == 2_268
    # v6 is 6 km from S4: out of reach with any number of vehicles.
    assert city.at[WEST, "expected"] == round(50_000 * (1 - 0.3**3))
    assert plan.proofs["ambulances"].status == OPTIMAL and plan.proofs["ambulances"].unit == "expected"
    assert plan.proofs["ambulances"].objective == pytest.approx(83_160 + 50_000 * (1 - 0.3**3))


def test_tables_add_up(region):
    plan = planned(region, persons_per_ambulance=7_000, ambulance_uplift={"b2": Fraction(30)})
    city, station = plan.tables["ambulances_by_city"], plan.tables["ambulances_by_station"]
    assert (city["required"] == city["floor"] + city["uplift"]).all() and (city["plan"] >= city["required"]).all()
    sums = station.groupby("city_code")[["ambulances", "negative_pressure"]].sum()
    assert sums["ambulances"].tolist() == city["plan"].tolist()
    assert sums["negative_pressure"].tolist() == city["negative_pressure"].tolist()
    assert (station["negative_pressure"] <= station["ambulances"]).all()
    assert city["negative_pressure"].tolist() == [-(-int(n) // 5) for n in city["plan"]]
    assert (city["double"] <= city["persons"]).all() and (city["expected"] <= city["persons"]).all()


def test_the_next_station_gains_what_is_said(region):
    plan = planned(region, persons_per_ambulance=9_000)
    cover = sparse.csr_array(np.abs(VILLAGES["x"].to_numpy()[:, None] - STATIONS["x"].to_numpy()) <= 5_000)
    counts = plan.vehicles.to_numpy()
    for row in plan.tables["ambulances_by_city"].itertuples():
        gains = {
            id: expected(cover, VILLAGES["persons"], counts + (STATIONS.index == id), 0.3)
            - expected(cover, VILLAGES["persons"], counts, 0.3)
            for id in STATIONS.index[STATIONS["city_code"] == row.code]
        }
        assert row.next_station == max(gains, key=gains.get) and row.next_gain == int(max(gains.values()) + 0.5)


# -- by enumeration


def splits(stations, vehicles, least):
    """Every way to hand ``vehicles`` to ``stations``, ``least`` (one a station) at least: rows of whole numbers."""
    spare = vehicles - int(sum(least))
    every = [each for each in product(range(spare + 1), repeat=stations) if sum(each) == spare]
    return np.array(every, dtype=int).reshape(-1, stations) + np.asarray(least)


def case(number, most=4):
    """A small city by chance: (cover, persons, vehicles, least, together, chance)."""
    chance = np.random.default_rng(number)
    stations, rows = int(chance.integers(1, most + 1)), int(chance.integers(1, 9))
    cover = chance.random((rows, stations)) < chance.choice([0.3, 0.5, 0.8])
    persons = chance.integers(0, 50, rows) * int(chance.choice([1, 1_000]))
    least = chance.integers(0, 2, stations) if number % 3 == 0 else np.ones(stations, dtype=int)
    together = []
    if stations >= 3 and number % 2 == 0:
        members = np.sort(chance.choice(stations, 2, replace=False))
        together.append((members, int(least[members].sum() + chance.integers(0, 3))))
    room = max(sum(at for _, at in together) + int(least.sum()), 1)
    return cover, persons, room + int(chance.integers(0, 4)), least, together, chance


def keeping(plans, together):
    for members, at in together:
        plans = plans[plans[:, members].sum(axis=1) >= at]
    return plans


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_most_expected_is_best_of_all_splits(first):
    for number in range(first, first + 50):
        cover, persons, vehicles, least, together, chance = case(number)
        q = float(chance.choice([0.0, 0.1, 0.3, 0.5, 0.9]))
        plans = keeping(splits(cover.shape[1], vehicles, least), together)
        worth = (persons * (1.0 - q ** (plans @ cover.T.astype(int)))).sum(axis=1)
        fleet = most_expected(
            sparse.csr_array(cover),
            persons,
            vehicles,
            q,
            at_least=least,
            together=together,
            served=persons[:1].repeat(9),
        )
        assert fleet.status == OPTIMAL, number
        assert fleet.counts.sum() == vehicles and (fleet.counts >= least).all(), number
        assert all(fleet.counts[members].sum() >= at for members, at in together), number
        assert fleet.objective == pytest.approx(worth.max(), rel=1e-9, abs=1e-9), number
        assert expected(cover.astype(int), persons, fleet.counts, q) == pytest.approx(fleet.objective)
        assert fleet.bound == fleet.objective


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_the_model_alone_is_best_of_all_splits(first):
    """No start, no moves by hand: the formulation as its docstring has it, its chains whole and cut."""
    for number in range(first, first + 50):
        cover, persons, vehicles, least, together, chance = case(number)
        q = float(chance.choice([0.0, 0.2, 0.6]))
        plans = keeping(splits(cover.shape[1], vehicles, least), together)
        held = plans @ cover.T.astype(int)
        ones = sparse.csr_array(cover.astype(np.int32))
        solution = solve(mexclp(ones, persons, vehicles, q, least, together=together)[0])
        worth = (persons * (1.0 - q**held)).sum(axis=1)
        assert solution.status == OPTIMAL and solution.objective == pytest.approx(worth.max(), rel=1e-9, abs=1e-9), (
            number
        )
        bases = cover @ least
        cut = solve(mexclp(ones, persons, vehicles, q, least, together=together, longest=np.ones(len(persons)))[0])
        worth = (persons * (1.0 - q ** np.minimum(held, bases + 1))).sum(axis=1)
        assert cut.objective == pytest.approx(worth.max(), rel=1e-9, abs=1e-9), number


def city_of(number):
    cover, persons, vehicles, _, together, chance = case(number)
    far = cover | (chance.random(cover.shape) < 0.5)
    ones = np.ones(cover.shape[1], dtype=int)
    together = [(members, max(at, len(members))) for members, at in together]
    served = chance.integers(0, 40, cover.shape[1]) * 1_000
    city = City(sparse.csr_array(far), sparse.csr_array(cover), persons, served, vehicles, tuple(together))
    return city, keeping(splits(cover.shape[1], city.fleet, ones), together), far, cover


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_double_standard_is_best_of_all_splits(first):
    """Of all splits with a vehicle at every station; that far and share can be met or not is the same for all."""
    for number in range(first, first + 50):
        city, plans, far, near = city_of(number)
        share = Fraction(number % 5, 4)
        held = plans @ near.T.astype(int)
        reached = far.any(axis=1)
        best = int((city.persons * ((held >= 2) & reached)).sum(axis=1).max())
        fleet, said = twice_covered(city, share, 0.3, Clock(30.0))
        assert fleet.status == OPTIMAL and fleet.bound == fleet.objective == best, number
        assert any((fleet.counts == plan).all() for plan in plans), number
        short = int(city.persons[near.any(axis=1)].sum()) < share * int(city.persons.sum())
        lost = bool(city.persons[~reached].sum() > 0)
        assert [key for key, _ in said] == ["double_far"] * lost + ["double_share"] * short, number


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_in_proportion_is_best_of_all_splits(first):
    for number in range(first, first + 50):
        city, plans, _, _ = city_of(number)
        stations = len(city.served)

        def worth(plan, city=city, stations=stations):
            return sum(claim(city.served[s], k, s, stations) for s in range(stations) for k in range(1, plan[s] + 1))

        fleet = in_proportion(city.served, city.fleet, city.together)
        assert fleet.objective == pytest.approx(max(map(worth, plans)), rel=1e-9), number
        assert worth(fleet.counts) == pytest.approx(fleet.objective, rel=1e-9), number
        by_hand = _handed_out(city.served, city.fleet, np.ones(stations, dtype=int), city.together)
        assert by_hand.tolist() == fleet.counts.tolist(), number


def test_in_proportion_on_paper():
    """Eight vehicles: one each, then 53/3 = 17.7, 53/5 = 10.6, 24/3 = 8, 23/3 = 7.67, 53/7 = 7.57 thousand."""
    fleet = in_proportion([53_000, 24_000, 23_000], 8)
    assert fleet.counts.tolist() == [4, 2, 2] and fleet.status == OPTIMAL and fleet.bound == fleet.objective
    assert in_proportion([60_000, 0, 0, 0], 4).counts.tolist() == [1, 1, 1, 1]
    assert in_proportion([80_000, 10_000], 90).counts.tolist() == [80, 10]  # beyond the model's first guess


# -- what planners believe


def random_city(number, rows=60, stations=6):
    chance = np.random.default_rng(number)
    people, at = chance.random((rows, 2)) * 30, chance.random((stations, 2)) * 30
    cover = np.hypot(*(people[:, None, :] - at[None, :, :]).transpose(2, 0, 1)) <= 12
    return sparse.csr_array(cover), chance.integers(1, 5_000, rows)


def test_one_more_vehicle_never_covers_fewer():
    for number in range(5):
        cover, persons = random_city(number)
        worth = [most_expected(cover, persons, vehicles, 0.3).objective for vehicles in range(6, 16)]
        assert (np.diff(worth) >= -1e-9).all()


def test_busier_vehicles_cover_fewer():
    cover, persons = random_city(7)
    worth = [most_expected(cover, persons, 12, q).objective for q in (0.0, 0.1, 0.3, 0.6, 0.9)]
    assert (np.diff(worth) < 0).all()


def test_vehicles_that_are_never_busy_are_the_maximal_covering_problem():
    """With q = 0 a second vehicle adds nothing: MCLP, by the location functions and by enumeration."""
    for number in range(20):
        cover, persons = random_city(number, rows=25, stations=7)
        p = 1 + number % 5
        fleet = most_expected(cover, persons, p, 0.0, at_least=np.zeros(7, dtype=int))
        assert fleet.objective == pytest.approx(mclp_brute(cover.toarray(), persons, p)[0])
        arcs = sparse.csr_array(cover.astype(np.int64))
        assert fleet.objective == pytest.approx(locate.mclp(arcs, persons, p).objective)


def test_vehicles_almost_always_busy_are_still_placed():
    cover, persons = random_city(3)
    fleet = most_expected(cover, persons, 30, 0.95)
    assert fleet.status == OPTIMAL and fleet.counts.sum() == 30


def test_equal_places_share_by_people_then_by_id():
    """Three stations that cover the same: five vehicles go as 3, 1, 1 by their people, else to the first ids."""
    cover, persons = sparse.csr_array(np.ones((1, 3), dtype=bool)), np.array([10_000])
    assert most_expected(cover, persons, 5, 0.3, served=[900, 100, 100]).counts.tolist() == [3, 1, 1]
    assert most_expected(cover, persons, 5, 0.3, served=[100, 100, 900]).counts.tolist() == [1, 1, 3]
    assert most_expected(cover, persons, 5, 0.3, served=[100, 100, 100]).counts.tolist() == [2, 2, 1]


def test_mirrored_places_go_by_id():
    """Two stations with a village of 1,000 each: the odd vehicle stands at the first."""
    cover, persons = sparse.csr_array(np.eye(2, dtype=bool)), np.array([1_000, 1_000])
    assert most_expected(cover, persons, 5, 0.3).counts.tolist() == [3, 2]


def test_equal_fleets_are_put_in_order():
    """2 and 3 at mirrored places are as good as 3 and 2; what is worth more is not given up for order."""
    one = np.ones(2, dtype=int)
    mirrored = _Split(np.eye(2, dtype=bool), np.array([1_000, 1_000]), 0.3, one, (), np.zeros(2, dtype=int))
    assert mirrored.settled(np.array([2, 3])).tolist() == [3, 2]
    uneven = _Split(np.eye(2, dtype=bool), np.array([1_000, 1_001]), 0.3, one, (), np.array([9_000, 0]))
    assert uneven.settled(np.array([2, 3])).tolist() == [2, 3]
    held = _Split(
        np.ones((1, 3), dtype=bool), np.array([9]), 0.3, np.ones(3, int), ((np.array([2]), 3),), np.zeros(3, int)
    )
    assert held.settled(np.array([1, 1, 4])).tolist() == [2, 1, 3]


@pytest.mark.parametrize("rule", ["mexclp", "double_standard", "persons"])
def test_row_order_changes_nothing(region, rule):
    plan = planned(region, ambulance_rule=rule, persons_per_ambulance=6_000)
    back = SimpleNamespace(counties=region.counties.iloc[::-1], cities=region.cities)
    limits = tuple(each[::-1] for each in LIMITS)
    other = planned(
        back,
        demand=VILLAGES.iloc[::-1],
        stations=STATIONS.iloc[::-1],
        limits=limits,
        ambulance_rule=rule,
        persons_per_ambulance=6_000,
    )
    assert plan.vehicles.to_dict() == other.vehicles.to_dict()
    for name, table in plan.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name])


def test_merged_rows_and_scale_change_nothing():
    cover, persons = random_city(11)
    twice = sparse.csr_array(sparse.vstack([cover, cover]))
    one = most_expected(cover, persons * 2, 14, 0.3)
    assert most_expected(twice, np.concatenate([persons, persons]), 14, 0.3).counts.tolist() == one.counts.tolist()
    assert most_expected(cover, persons * 2_000, 14, 0.3).counts.tolist() == one.counts.tolist()


# -- the double standard in words; a stop


def test_a_double_standard_that_cannot_be_met_is_said_and_planned(region):
    """v6, 10,000 of the west's 60,000, is beyond 5 km of S4: said; S4's two vehicles cover v5 twice all the same."""
    plan = planned(region, ambulance_rule="double_standard")
    assert [(note.key, note.params["city"].zh) for note in plan.notes] == [
        ("double_far", "西市"),
        ("double_share", "西市"),
    ]
    zh, en = ([note.tell(load_words(lang)) for note in plan.notes] for lang in ("zh", "en"))
    assert "10,000 人（16.7%）" in zh[0] and "83.3%" in zh[1] and "90%" in zh[1]
    assert "West" in en[0] and "10,000 people (16.7%)" in en[0]
    city = plan.tables["ambulances_by_city"].set_index("code")
    assert city.at[WEST, "double"] == 50_000
    assert plan.proofs["ambulances"].status == OPTIMAL and plan.proofs["ambulances"].unit == "double"
    assert plan.proofs["ambulances"].objective == city["double"].sum()


def test_vehicles_that_bring_nobody_a_second_one_go_where_most_are_expected(region):
    """East: v2, v3 and v4 have two stations near, v1 only S1: its second vehicle is the double standard's whole wish.

    The fifth vehicle is then MEXCLP's: at S1 it adds 0.7 x (0.09 x 40 + 0.027 x 20) = 2.90 thousand, at S2 2.27.
    """
    vehicles = planned(region, ambulance_rule="double_standard", persons_per_ambulance=18_000).vehicles
    assert vehicles[["S1", "S2", "S3"]].tolist() == [3, 1, 1]


def test_a_preferred_standard_is_never_wider_than_the_standard(region):
    wide = planned(region, ambulance_rule="double_standard", limits=(LIMITS[0], LIMITS[0] * 10))
    same = planned(region, ambulance_rule="double_standard")
    assert wide.proofs["ambulances"].objective == same.proofs["ambulances"].objective
    pd.testing.assert_frame_equal(wide.tables["ambulances_by_city"], same.tables["ambulances_by_city"])


def test_a_stop_gives_the_best_so_far(region):
    stop = threading.Event()
    stop.set()
    plan = plan_ambulances(region, VILLAGES, STATIONS, asked(), straight(), LIMITS, cancel=stop)
    assert plan.vehicles.sum() == 5 and (plan.vehicles >= 1).all()
    assert plan.proofs["ambulances"].status in (INTERIM, OPTIMAL)


def test_words_of_the_section_are_the_same_in_both_languages():
    zh, en = (load_words(lang).section("ambulance") for lang in ("zh", "en"))
    assert set(zh) == set(en) and set(zh) >= {"no_station", "double_far", "double_share"}
