"""Stations and centres, each worked on paper: the drawn province, or a road with a few villages on it."""

import threading

import numpy as np
import pandas as pd
import pytest

from geo.travel import distances
from geo.ways import straight
from planner.explain import Infeasible
from planner.scenario import vary
from planner.services.centres import documents_centres, free_centres
from planner.services.serving import station_table
from planner.services.station_problem import cover_problem, limits_of
from planner.services.stations import plan_stations
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL
from tests import town
from tests.oracles.brute import pmedian_brute

A, B, C, D, E = town.CODES.values()
NOTHING_HELD = (np.zeros(0, dtype=int), np.zeros(0, dtype=int))


@pytest.fixture(scope="module")
def region(town_run):
    return town_run.prepared.region


@pytest.fixture(scope="module")
def standards(town_run):
    return town_run.prepared.standards


@pytest.fixture
def scenario(town_run):
    return town_run.scenario


# -- centres


def test_centres_of_the_documents_on_paper(region, scenario):
    """b is 20 km from a and from d: of equally near ones the smaller code serves. 30 x 20 + 20 x 14.143 + 10 x 20.

    Ten squares of two, 14,142.1 m: rounded up to whole metres.
    """
    plan = documents_centres(region, scenario)
    assert plan.sites == ("140100", "140200")
    assert plan.metres.tolist() == [0, 20_000, 14_143, 0, 20_000]
    assert plan.position.tolist() == [0, 0, 0, 1, 1]
    assert plan.person_km(region.counties["persons"]) == pytest.approx(600_000 + 282_860 + 200_000)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_free_centres_by_enumeration(region, scenario, count):
    persons = region.counties["persons"].to_numpy()
    seats = region.counties.rename(columns={"seat_lon": "lon", "seat_lat": "lat"})[["lon", "lat"]]
    plan, proof = free_centres(region, scenario, count, list(region.counties.index[:count]))
    best, sites = pmedian_brute(distances(seats, seats), persons, count)
    assert proof.status == OPTIMAL and plan.person_km(persons) == pytest.approx(best / 1000)
    assert proof.objective == pytest.approx(best / 1e9)
    assert plan.sites == tuple(region.counties.index[list(sites)])


def test_free_centres_stopped_at_once_are_the_known_ones(region, scenario):
    cancel = threading.Event()
    cancel.set()
    plan, proof = free_centres(region, vary(scenario, solve_seconds=0.001), 2, [B, E], cancel=cancel)
    assert len(plan.sites) == 2 and proof.status in (INTERIM, OPTIMAL)
    assert plan.person_km(region.counties["persons"]) <= 2_200_000


# -- stations: a road from seat a over b to d; a village u between b and d; a hamlet h farther on

ROAD = 4_085_000


def on_the_road(*rows):
    table = pd.DataFrame(rows, columns=["id", "kind", "county_code", "x"]).set_index("id")
    table["y"], table["name"], table["city_code"] = ROAD, table.index, table["county_code"].map(lambda c: c[:4] + "00")
    return table.assign(lon=112.0, lat=37.0)


def villages(**people):
    """People at x; urban."""
    x = {"a": 475_000, "b": 495_000, "d": 515_000, "u": 505_000, "h": 509_000}
    rows = [(f"{name}", D if x[name] > 500_000 else A, x[name], count) for name, count in people.items()]
    table = pd.DataFrame(rows, columns=["id", "county_code", "x", "persons"]).set_index("id")
    table["y"], table["setting"], table["city_code"] = ROAD, "urban", table["county_code"].str[:4] + "00"
    return table


@pytest.fixture
def sites(region):
    """Five seats; a town 2 km before u; a cell on u itself, 4 km before h."""
    seats = [("S" + code, "seat", code, x) for code, x in region.counties["seat_x"].items()]
    table = on_the_road(*seats, ("T1", "town", D, 503_000), ("CU", "cell", D, 505_000)).sort_index()
    table.loc[["S" + code for code in region.counties.index], "y"] = region.counties["seat_y"].to_numpy()
    return table


SEATS = tuple("S" + code for code in (A, B, C, D, E))


def planned(region, standards, demand, sites, scenario, **kw):
    ways = straight(scenario.detour_factor)
    problem, limits = cover_problem(demand, sites, scenario, ways), limits_of(scenario, demand, ways)
    return plan_stations(region, standards, demand, sites, problem, scenario, ways=ways, limits=limits, **kw)


def test_everyone_with_one_station_more(region, standards, scenario, sites):
    """The town and the cell would both do for u: the town it is. With h only the cell reaches both."""
    plan = planned(region, standards, villages(a=9_000, b=8_000, d=7_000, u=500), sites, scenario)
    assert plan.chosen == (*SEATS, "T1") and plan.proofs["stations_cover_all"].objective == 6
    plan = planned(region, standards, villages(a=9_000, b=8_000, d=7_000, u=500, h=200), sites, scenario)
    assert set(plan.chosen) == {*SEATS, "CU"}
    assert plan.alternative == plan.chosen  # eight were allowed, six are enough for everyone
    assert plan.proofs["stations_best_n"].objective == 24_700 and plan.proofs["stations_best_n"].gap == 0.0


@pytest.mark.parametrize(("count", "covered", "more"), [(5, 24_000, set()), (6, 24_700, {"CU"}), (7, 24_700, {"CU"})])
def test_best_of_so_many(region, standards, scenario, sites, count, covered, more):
    asked = vary(scenario, stations_goal="best_n", stations_count=count)
    plan = planned(region, standards, villages(a=9_000, b=8_000, d=7_000, u=500, h=200), sites, asked)
    assert set(plan.chosen) == {*SEATS, *more}
    assert plan.proofs["stations_best_n"].objective == covered == plan.proofs["stations_best_n"].bound
    assert set(plan.alternative) == {*SEATS, "CU"}


def test_best_of_so_many_where_not_everyone_can_be_reached(region, standards, scenario, sites):
    """Without the cell nobody reaches h: full coverage has no answer, the best use of six still has."""
    asked = vary(scenario, stations_goal="best_n", stations_count=6)
    demand = villages(a=9_000, b=8_000, d=7_000, u=500, h=200)
    plan = planned(region, standards, demand, sites.drop(index="CU"), asked)
    assert plan.chosen == (*SEATS, "T1") and plan.alternative is None
    assert plan.proofs["stations_cover_all"].status == INFEASIBLE
    assert plan.proofs["stations_best_n"].objective == 24_500
    with pytest.raises(Infeasible) as refused:
        planned(region, standards, demand, sites.drop(index="CU"), vary(asked, stations_goal="cover_all"))
    told = refused.value.faults
    assert [fault.key for fault in told] == [
        *("infeasible_reach", "infeasible_place_urban"),
        *("infeasible_repairs", "infeasible_repair_radius_urban", "infeasible_repair_best_n"),
        "infeasible_repair_sites",
    ]
    assert told[0].params["persons"] == "200" and told[1].params["county"] == "丁县"
    # h is 6 km from the town on one side and from d's seat on the other: a kilometre beyond the standard
    assert told[1].params["wide"] == "6" and told[1].params["more"] == "1" and told[3].params["urban"] == "6"
    assert told[5].params["sites"] == "1"


def test_a_place_exactly_at_the_standard_is_covered(region, standards, scenario, sites):
    """The cell at 505,000 is 4,000 m from h; d's seat is 6,000 m away: within 6 km, beyond 5,999 m."""
    demand = villages(d=7_000, h=200)
    within = planned(region, standards, demand, sites, vary(scenario, urban_km=6.0))
    assert within.chosen == SEATS
    beyond = planned(region, standards, demand, sites, vary(scenario, urban_km=5.999))
    assert set(beyond.chosen) == {*SEATS, "CU"}


def test_more_stations_than_anyone_needs(region, standards, scenario, sites):
    """Fewer than asked for, and nobody uncovered."""
    asked = vary(scenario, stations_goal="best_n", stations_count=500)
    assert set(planned(region, standards, villages(u=5), sites, asked).chosen) == {*SEATS, "T1"}


def test_a_closed_county_is_named_with_its_people(region, standards, scenario, sites):
    asked = vary(scenario, closed_counties=(D,))
    demand = villages(a=9_000, d=7_000, u=500)
    with pytest.raises(Infeasible) as refused:
        planned(region, standards, demand, sites, asked)
    told = refused.value.faults
    assert told[0].key == "infeasible_county_station" and told[0].params["code"] == D
    assert told[0].params["county"] == "丁县" and told[0].params["persons"] == "50,000"
    assert standards["emergency_station_county"].clause in told[0].params["clause"]
    assert told[1].key == "infeasible_reach" and told[1].params["persons"] == "7,500"
    opened = next(fault for fault in told if fault.key == "infeasible_repair_open")
    assert opened.params["count"] == 1  # to open it again is the repair; the rule and the wish are the contradiction
    assert [fault.key for fault in told[-2:]] == ["infeasible_wish_county_rule", "infeasible_wish_closed"]


def test_fewer_stations_than_counties(region, standards, scenario, sites):
    asked = vary(scenario, stations_count=4)
    with pytest.raises(Infeasible) as refused:
        planned(region, standards, villages(a=9), sites, vary(asked, stations_goal="best_n"))
    wishes = ["infeasible_wish_county_rule", "infeasible_wish_count"]
    assert [fault.key for fault in refused.value.faults] == ["infeasible_too_few", "infeasible_conflict", *wishes]
    assert refused.value.faults[0].params["counties"] == 5
    everyone = planned(region, standards, villages(a=9), sites, asked)  # so few were not asked for: no reason to refuse
    assert everyone.chosen == SEATS and everyone.alternative is None


def test_cancelled_the_other_question_stays_open(region, standards, scenario, sites):
    cancel = threading.Event()
    cancel.set()
    demand = villages(a=9_000, b=8_000, d=7_000, u=500, h=200)
    for goal, other in (("cover_all", "stations_best_n"), ("best_n", "stations_cover_all")):
        plan = planned(region, standards, demand, sites, vary(scenario, stations_goal=goal), cancel=cancel)
        assert set(SEATS) < set(plan.chosen) and plan.alternative is None
        assert plan.proofs[other].status == NO_PLAN and plan.proofs["stations_" + goal].objective is not None


def test_people_at_their_nearest_station(region, sites):
    """u is 2 km from the town and 10 km from b and d; with neither town nor cell the smaller id serves: b."""
    demand = villages(a=9_000, b=8_000, d=7_000, u=500)
    table, metres, position = station_table(sites, (*SEATS, "T1"), demand, straight(), held=SEATS)
    assert table["persons"].to_dict() == dict(zip((*SEATS, "T1"), (9_000, 8_000, 0, 7_000, 0, 500), strict=True))
    assert metres.tolist() == [0, 0, 0, 2_000] and table.index[position].tolist() == ["S" + A, "S" + B, "S" + D, "T1"]
    assert table["status"].tolist() == ["assumed"] * 5 + ["new"]
    table, metres, _ = station_table(sites, SEATS, demand, straight(1.3), held=SEATS)
    assert table.loc["S" + B, "persons"] == 8_500 and metres.tolist() == [0, 0, 0, 13_000]
