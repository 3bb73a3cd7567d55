"""Station plans of every goal against every choice of sites, wishes about sites, lists, tiers, the curve."""

import threading
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from geo.faults import ScenarioRejected
from planner.engine.fair_bound import SitePrices
from planner.engine.found import Clock
from planner.explain import Infeasible
from planner.problem import CoverProblem
from planner.scenario import vary
from planner.services import fairness
from planner.services.emergency import plan_emergency
from planner.services.serving import station_table
from planner.services.station_problem import (
    cover_problem,
    held_sites,
    limits_of,
    named_sites,
    station_sites,
    ways_of,
)
from planner.services.stations import _knee, coverage_curve, plan_stations
from planner.services.tiers import tier_table, with_tiers
from planner.solve import INFEASIBLE, OPTIMAL
from planner.standards import load_standards
from tests import town

A, B, C, D, E = town.CODES.values()
STANDARDS = load_standards()
URBAN, RURAL, PREFERRED = 5_000, 20_000, 10_000  # metres, the defaults


@pytest.fixture(scope="module")
def region(town_run):
    return town_run.prepared.region


def drawn(seed, *, points=14, sites=8, side=45_000):
    """People and towns strewn over a square, on the drawn province's codes; nobody holds a station."""
    rng = np.random.default_rng(seed)
    codes = np.array(list(town.CODES.values()))
    county = rng.choice(codes, points)
    demand = pd.DataFrame(
        {
            "county_code": county,
            "city_code": [code[:4] + "00" for code in county],
            "setting": rng.choice(["urban", "rural"], points, p=[0.3, 0.7]),
            "persons": rng.integers(1, 1_000, points),
            "x": rng.integers(0, side, points),
            "y": rng.integers(0, side, points),
        },
        index=pd.Index([f"p{i:02d}" for i in range(points)], name="id"),
    )
    at = rng.choice(codes, sites)
    table = pd.DataFrame(
        {
            "name": [f"镇{j}" for j in range(sites)],
            "name_en": [f"Town {j}" for j in range(sites)],
            "kind": "town",
            "county_code": at,
            "city_code": [code[:4] + "00" for code in at],
            "x": rng.integers(0, side, sites),
            "y": rng.integers(0, side, sites),
        },
        index=pd.Index([f"T{j}" for j in range(sites)], name="id"),
    )
    return demand, table


def planned(region, demand, sites, scenario, **kw):
    ways = ways_of(scenario, region)
    problem = cover_problem(demand, sites, scenario, ways)
    limits = limits_of(scenario, demand, ways)
    return plan_stations(region, STANDARDS, demand, sites, problem, scenario, ways=ways, limits=limits, **kw)


class Worth:
    """What a layout is worth by each goal, looked up in the table of all distances."""

    def __init__(self, region, demand, sites, *, by_city=False):
        away = [np.hypot(sites["x"] - x, sites["y"] - y) for x, y in zip(demand["x"], demand["y"], strict=True)]
        self.metres = np.ceil(np.array(away))
        if by_city:
            self.metres[demand["city_code"].to_numpy()[:, None] != sites["city_code"].to_numpy()] = np.inf
        urban = demand["setting"].eq("urban").to_numpy()
        self.limit, self.preferred = np.where(urban, URBAN, RURAL), np.where(urban, URBAN, PREFERRED)
        self.persons = demand["persons"].to_numpy()
        self.county = pd.Index(region.counties.index).get_indexer(demand["county_code"])

    def best_n(self, layout):
        return int(self.persons[self._nearest(layout) <= self.limit].sum())

    def backup(self, layout):
        within = self.metres[:, layout] <= self.limit[:, None]
        return int(self.persons[within.sum(axis=1) >= 2].sum())

    def gradual(self, layout):
        total = 0.0
        for metres, limit, preferred, persons in zip(
            self._nearest(layout), self.limit, self.preferred, self.persons, strict=True
        ):
            if metres <= preferred:
                total += persons
            elif metres <= limit:
                quarters = next(k for k in (1, 2, 3, 4) if limit - metres <= k * (limit - preferred) / 4)
                total += persons * quarters / 4
        return total

    def fair(self, layout):
        covered = self._nearest(layout) <= self.limit
        shares = [
            self.persons[covered & (self.county == c)].sum() / self.persons[self.county == c].sum()
            for c in np.unique(self.county)
        ]
        return min(shares)

    def _nearest(self, layout):
        return self.metres[:, layout].min(axis=1)


GOALS = ("best_n", "gradual", "backup", "fair")


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(6))
def test_every_goal_against_every_layout(region, town_run, goal, seed):
    demand, sites = drawn(seed)
    worth = Worth(region, demand, sites)
    forced, forbidden, count = "T3", "T5", 5 + seed % 2
    asked = vary(
        town_run.scenario,
        stations_goal=goal,
        stations_count=count,
        forced_sites=(forced,) if seed % 2 else (),
        forbidden_sites=(forbidden,) if seed % 3 else (),
    )
    layouts = [
        layout
        for layout in combinations(range(len(sites)), count)
        if (3 in layout or not asked.forced_sites) and not (5 in layout and asked.forbidden_sites)
    ]
    best = max(getattr(worth, goal)(list(layout)) for layout in layouts)
    plan = planned(region, demand, sites, asked)
    proof = plan.proofs[f"stations_{goal}"]
    layout = sorted(sites.index.get_indexer(plan.chosen))
    assert tuple(layout) in layouts
    assert proof.status == OPTIMAL and proof.gap == pytest.approx(0.0)
    assert proof.objective == pytest.approx(best) == pytest.approx(getattr(worth, goal)(layout))
    if goal == "fair":  # of layouts as fair, one with most people
        fair = [worth.best_n(list(other)) for other in layouts if worth.fair(list(other)) > best - 1e-9]
        assert worth.best_n(layout) == max(fair)


@pytest.mark.parametrize("seed", range(8))
def test_each_city_served_by_its_own(region, town_run, seed):
    demand, sites = drawn(100 + seed)
    worth = Worth(region, demand, sites, by_city=True)
    asked = vary(town_run.scenario, stations_goal="best_n", stations_count=5, stations_by_city=True)
    plan = planned(region, demand, sites, asked)
    best = max(worth.best_n(list(layout)) for layout in combinations(range(len(sites)), 5))
    layout = sorted(sites.index.get_indexer(plan.chosen))
    assert plan.proofs["stations_best_n"].objective == best == worth.best_n(layout)
    table, amount, position = station_table(sites, plan.chosen, demand, ways_of(asked, region), by_city=True)
    assert (table["city_code"].to_numpy()[position[position >= 0]] == demand["city_code"][position >= 0]).all()
    assert int(demand["persons"].to_numpy()[amount <= worth.limit].sum()) == best
    assert table["persons"].sum() == demand["persons"].to_numpy()[position >= 0].sum()


def spaced(sites, layout, metres):
    xy = sites[["x", "y"]].to_numpy()[list(layout)]
    return all(np.ceil(np.hypot(*(xy[i] - xy[k]))) >= metres for i, k in combinations(range(len(xy)), 2))


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(5))
def test_new_stations_keep_their_distance(region, town_run, goal, seed):
    demand, sites = drawn(200 + seed, sites=10)
    worth = Worth(region, demand, sites)
    asked = vary(town_run.scenario, stations_goal=goal, stations_count=5, spacing_km=6.0)
    layouts = [list(each) for each in combinations(range(len(sites)), 5) if spaced(sites, each, 6_000)]
    best = max(getattr(worth, goal)(layout) for layout in layouts)
    plan = planned(region, demand, sites, asked)
    proof, layout = plan.proofs[f"stations_{goal}"], sorted(sites.index.get_indexer(plan.chosen))
    assert layout in layouts
    assert proof.objective == pytest.approx(getattr(worth, goal)(layout)) and proof.objective <= best + 1e-9
    assert proof.bound >= best - 1e-9
    if proof.status == OPTIMAL:
        assert proof.objective == pytest.approx(best)


@pytest.mark.parametrize("seed", range(12))
def test_everyone_covered_however_far_apart(region, town_run, seed):
    """Fewest sites for everybody with a spacing: everybody is covered, and no layout that keeps it has fewer."""
    demand, sites = drawn(300 + seed, points=10, sites=10)
    demand["setting"] = "rural"
    asked = vary(town_run.scenario, spacing_km=9.0, stations_count=10)
    worth, persons = Worth(region, demand, sites), int(demand["persons"].sum())
    if worth.best_n(list(range(len(sites)))) < persons:
        pytest.skip("out of reach")
    sizes = [
        size
        for size in range(1, 11)
        for layout in combinations(range(len(sites)), size)
        if spaced(sites, layout, 9_000) and worth.best_n(list(layout)) == persons
    ]
    if not sizes:
        with pytest.raises(Infeasible):
            planned(region, demand, sites, asked)
        return
    plan = planned(region, demand, sites, asked)
    layout = sorted(sites.index.get_indexer(plan.chosen))
    assert spaced(sites, layout, 9_000) and worth.best_n(layout) == persons
    proof = plan.proofs["stations_cover_all"]
    assert proof.objective == len(layout) and proof.bound <= sizes[0] <= len(layout)


def test_a_crowded_pair_of_which_either_is_needed(region, town_run):
    """P and R reach a, Q alone b; P and Q are 1.5 km apart: with a spacing of 2 km it is P that has to go, not Q."""
    demand = pd.DataFrame(
        {"county_code": A, "city_code": A[:4] + "00", "setting": "urban", "persons": 10, "x": [0, 9_500], "y": 0},
        index=["a", "b"],
    )
    x, y = [4_000, 5_500, 1_000], 0
    sites = pd.DataFrame({"kind": "town", "county_code": A, "city_code": A[:4] + "00", "x": x, "y": y})
    sites = sites.assign(name=["P", "Q", "R"], name_en=["P", "Q", "R"]).set_axis(["TP", "TQ", "TR"])
    asked = vary(town_run.scenario, stations_count=5, spacing_km=2.0)
    plan = planned(region, demand, sites, asked)
    assert plan.chosen == ("TQ", "TR") and plan.proofs["stations_cover_all"].status == OPTIMAL
    with pytest.raises(Infeasible) as refused:
        planned(region, demand, sites.drop(index="TR"), asked)
    assert refused.value.faults[0].key == "infeasible_spacing"


# -- the worst county, where the question is too large for the solver


def random_cover(seed):
    rng = np.random.default_rng(seed)
    points, sites, areas = rng.integers(5, 25), rng.integers(3, 10), rng.integers(1, 5)
    cover = (rng.random((points, sites)) < rng.choice([0.15, 0.3, 0.5])).astype(int)
    order = rng.permutation(sites)
    problem = CoverProblem(
        persons=rng.integers(0, 50, points),
        arcs=sparse.csr_array(cover),
        fixed=np.sort(order[: rng.integers(0, 2)]),
        forbidden=order[-1:] if rng.random() < 0.5 else order[:0],
        rank=rng.permutation(sites),
    )
    area = rng.integers(0, areas, points)
    p = int(rng.integers(len(problem.fixed), sites - len(problem.forbidden) + 1))
    return problem, cover, area, p


def fairest_brute(problem, cover, area, p):
    totals = np.bincount(area, problem.persons)
    free = [j for j in range(cover.shape[1]) if j not in problem.fixed and j not in problem.forbidden]
    found = []
    for some in combinations(free, p - len(problem.fixed)):
        served = cover[:, [*problem.fixed, *some]].any(axis=1)
        by_area = np.bincount(area, problem.persons * served, len(totals))
        least = min((by_area[totals > 0] / totals[totals > 0]).tolist(), default=1.0)
        found.append((round(least, 12), int(by_area.sum())))
    return max(found)


@pytest.mark.parametrize("seed", range(60))
def test_the_worst_area_whole(seed):
    problem, cover, area, p = random_cover(seed)
    least, people = fairest_brute(problem, cover, area, p)
    best = fairness.fairest(problem, area, p, clock=Clock(10.0))
    assert best.status == OPTIMAL and best.objective == pytest.approx(least) and len(best.sites) == p
    assert problem.persons[problem.covered_by(best.sites)].sum() == people


@pytest.mark.parametrize("seed", range(60, 75))
def test_the_worst_area_share_by_share(seed, monkeypatch):
    """As a province is asked: the bound is one, the plan is no better than the best, and what is proven is right."""
    monkeypatch.setattr(fairness, "WHOLE", -1)
    problem, cover, area, p = random_cover(seed)
    least, _ = fairest_brute(problem, cover, area, p)
    best = fairness.fairest(problem, area, p, clock=Clock(0.6))
    assert best.bound >= least - 1e-9 and best.objective <= least + 1e-9
    assert best.objective == pytest.approx(least)  # found every time, if not proven
    assert (
        len(best.sites) == p and set(problem.fixed) <= set(best.sites) and not set(problem.forbidden) & set(best.sites)
    )


@pytest.mark.parametrize("seed", range(40))
def test_what_prices_prove_needs_more_sites(seed):
    """For no share that some p sites give are more than p said to be needed; and often they are where none do."""
    problem, cover, area, _ = random_cover(seed)
    cover, area = cover[cover.any(axis=1)], area[cover.any(axis=1)]
    persons = np.maximum(problem.persons[: len(area)], 1).astype(float)
    if not len(area):
        return
    totals = np.bincount(area, persons)
    for p in range(cover.shape[1]):
        layouts = list(combinations(range(cover.shape[1]), p))
        served = [np.bincount(area, persons * cover[:, list(some)].any(axis=1), len(totals)) for some in layouts]
        for share in (0.3, 0.6, 0.9):
            needs = np.ceil(share * totals - 1e-6)
            prices = SitePrices(sparse.csr_array(cover), persons, area, len(totals))
            proven = prices.exceeds(needs, p + 1e-4, Clock(0.02))
            assert not (proven and any((by_area >= needs).all() for by_area in served))
            if p == 0:
                assert proven


def test_a_cancel_is_heard_and_the_known_plan_kept(monkeypatch):
    rng = np.random.default_rng(1)
    cover = sparse.csr_array((rng.random((3_000, 300)) < 0.02).astype(int))
    problem = CoverProblem(rng.integers(1, 99, 3_000), cover, np.arange(3), np.arange(0), np.arange(300))
    cancel = threading.Event()
    timer = threading.Timer(1.0, cancel.set)
    timer.start()
    clock = Clock(30.0, None, cancel)
    best = fairness.fairest(problem, rng.integers(0, 20, 3_000), 30, clock=clock)
    assert clock.spent() < 4.0 and len(best.sites) == 30 and 0 < best.objective <= best.bound


# -- layouts that differ


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("goal", ["best_n", "cover_all"])
def test_further_layouts_differ_and_are_told_right(region, town_run, goal, seed):
    demand, sites = drawn(400 + seed, sites=12, side=20_000)
    if goal == "cover_all":
        demand["setting"] = "rural"
    worth = Worth(region, demand, sites)
    asked = vary(town_run.scenario, stations_goal=goal, stations_count=5, station_options=3, options_differ=2)
    plan = planned(region, demand, sites, asked)
    layouts = [set(plan.chosen), *(set(ids) for ids, _ in plan.options)]
    assert len(layouts) >= 3
    for n, (ids, persons) in enumerate(plan.options, start=1):
        assert (
            persons
            == worth.best_n(sorted(sites.index.get_indexer(ids)))
            <= worth.best_n(sorted(sites.index.get_indexer(plan.chosen)))
        )
        assert goal == "best_n" or persons == demand["persons"].sum()
        for earlier in layouts[:n]:
            assert len(earlier - set(ids)) >= min(2, len(earlier))


# -- wishes about sites


@pytest.fixture
def towns(region, town_run):
    return town_run.prepared.sites


def faults_of(sites, scenario):
    with pytest.raises(ScenarioRejected) as refused:
        named_sites(sites, scenario)
    return {(fault.key, fault.column, fault.value): fault.params for fault in refused.value.faults}


def test_sites_by_id_and_by_name(towns, town_run):
    far = towns.index[towns["name"].eq("远镇") & towns["kind"].eq("town")][0]  # a cell lies on it and has its name
    for name in (far, "远镇"):
        forced, forbidden = named_sites(towns, vary(town_run.scenario, forced_sites=(name,)))
        assert towns.index[forced].tolist() == [far] and not len(forbidden)
        forced, forbidden = named_sites(towns, vary(town_run.scenario, forbidden_sites=(name, far)))
        assert towns.index[forbidden].tolist() == [far] and not len(forced)


def test_every_wish_that_cannot_be_is_told_at_once(towns, town_run):
    towns = towns.copy()
    cells = towns.index[towns["kind"].eq("cell")][:2]
    towns.loc[cells, "name"] = "同名"
    far = towns.index[towns["name"].eq("远镇") & towns["kind"].eq("town")][0]
    closed = towns.index[towns["kind"].ne("seat") & towns["county_code"].eq(D)][0]
    asked = vary(
        town_run.scenario,
        forced_sites=("远真", "同名", closed, far),
        forbidden_sites=("S" + A, "甲县", "远镇"),
        closed_counties=(D,),
    )
    told = faults_of(towns, asked)
    key = "stations.forced"
    assert "远镇" in told["scenario_site_unknown", key, "远真"]["nearest"]
    several = told["scenario_site_several", key, "同名"]
    assert several["count"] == 2 and all(id in several["ids"] for id in cells)
    assert ("scenario_site_closed", key, closed) in told
    key = "stations.forbidden"
    assert ("scenario_site_held", key, "S" + A) in told and ("scenario_site_held", key, "甲县") in told
    assert ("scenario_site_twice", key, "远镇") in told
    assert len(told) == 6


def test_forced_and_forbidden_in_a_whole_plan(town_folder):
    narrow = {
        "urban_km": 1.0,
        "rural_km": 4.0,
        "rural_preferred_km": 2.0,
        "stations_goal": "best_n",
        "stations_count": 7,
    }
    free = town.run(town_folder, **narrow)
    new = [id for id in free.plan.tables["stations"]["id"] if not id.startswith("S")]
    other = next(id for id in free.prepared.sites.index if id not in set(free.plan.tables["stations"]["id"]))
    asked = narrow | {"forced_sites": (other,), "forbidden_sites": (new[0],)}
    ids = set(town.run(town_folder, **asked).plan.tables["stations"]["id"])
    assert other in ids and new[0] not in ids and len(ids) == 7


# -- a list of the stations there are


def test_listed_stations_are_held_and_seats_assumed_elsewhere(region, town_run, tmp_path):
    """One in a, one in d, neither at the seat: a and d have their lists, b, c and e their seats."""
    counties = region.counties
    rows = [(f"{k}", f"{name}急救站", counties["seat_lon"][code] + 0.01, counties["seat_lat"][code] + 0.01, code)
            for k, name, code in ((1, "甲", A), (2, "丁", D))]  # fmt: skip
    path = tmp_path / "stations.csv"
    pd.DataFrame(rows, columns=["编号", "名称", "经度", "纬度", "县代码"]).to_csv(path, index=False)
    asked = vary(
        town_run.scenario,
        urban_km=2.0,
        rural_preferred_km=5.0,
        existing_stations=str(path),
        stations_goal="best_n",
        stations_count=6,
        rural_km=5.0,
    )
    prepared = town_run.prepared
    sites = station_sites(region, prepared.sites, asked)
    assert len(sites) == len(prepared.sites) + 2 and sites.index.is_monotonic_increasing
    held = set(sites.index[held_sites(sites, ())])
    assert held == {"E1", "E2", "S" + B, "S" + C, "S" + E}
    assert set(sites.index[held_sites(sites, (D, B))]) == {"E1", "S" + C, "S" + E}
    problem = prepared.cover_problem(asked)
    assert set(sites.index[problem.fixed]) == held
    chosen = prepared.stations(asked, None, None)
    assert held < set(chosen.chosen) and len(chosen.chosen) == 6
    curve = prepared.curve(asked, None, None, None)
    assert curve["stations"].iloc[0] == 5
    emergency = plan_emergency(prepared, asked, chosen, curve)
    status = emergency.tables["stations"].set_index("id")["status"]
    assert status["E1"] == "listed" and status["S" + B] == "assumed" and (status == "new").sum() == 1
    assert emergency.tables["station_tiers"][["listed", "assumed", "new"]].sum().tolist() == [2, 3, 1]


# -- tiers and money


def test_tiers_and_money_by_hand(region, town_run):
    """East: seat a is the city's centre; b's station is in its hospital; c has a substation and two townships."""
    seat = region.counties[["seat_lon", "seat_lat"]]
    rows = [
        ("S" + A, A, 0.0, 9_000, 8_000, "assumed"),
        ("T1", A, 0.1, 100, 51, "new"),  # 51 of 100 are urban
        ("S" + B, B, 0.0, 5_000, 100, "new"),
        ("T2", C, 0.001, 10, 0, "new"),  # nearest to c's seat, whoever is nearest to it
        ("T3", C, 0.1, 700, 350, "new"),  # half is not most
        ("T4", C, 0.2, 700, 0, "new"),
        ("T5", C, 0.3, 800, 800, "listed"),
        ("T6", D, 0.01, 0, 0, "new"),
        ("T7", D, 0.2, 0, 0, "new"),
    ]
    table = pd.DataFrame(rows, columns=["id", "county_code", "east", "persons", "urban", "status"]).set_index("id")
    table["lon"] = seat["seat_lon"].reindex(table["county_code"]).to_numpy() + table["east"]
    table["lat"] = seat["seat_lat"].reindex(table["county_code"]).to_numpy()
    table["city_code"] = table["county_code"].str[:4] + "00"
    money = {"cost_centre": 5, "cost_standalone": 4, "cost_hospital_based": 3, "cost_substation": 2, "cost_township": 1}
    asked = SimpleNamespace(hospital_based=(B, A), **money)
    told = with_tiers(region, table.drop(columns="urban"), table["urban"], asked)
    assert told["tier"].to_dict() == {
        "S" + A: "city_centre",
        "T1": "substation",
        "S" + B: "county",
        "T2": "county",
        "T3": "central_township",  # as many as T4: the smaller id
        "T4": "township",
        "T5": "substation",
        "T6": "city_centre",  # d is the seat of the city of the west
        "T7": "central_township",
    }
    housing = ["standalone", "standalone", "hospital_based", "standalone", *["township_hospital"] * 2, "standalone"]
    assert told["housing"].tolist() == [*housing, "standalone", "township_hospital"]
    assert told["investment"].tolist() == [0, 2, 3, 4, 1, 1, 0, 5, 1]
    lines = tier_table(region, told.assign(ambulances=2)).set_index("code")
    east = [1, 2, 2, 1, 1, 7, 1, 1, 5, 1, 14, 11]
    assert lines.loc["140100"].tolist()[1:] == east
    assert lines.loc["140200"].tolist()[1:] == [1, 0, 0, 1, 0, 2, 0, 0, 2, 0, 4, 6]


# -- the curve


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_against_every_layout(region, town_run, seed):
    demand, sites = drawn(500 + seed)
    worth = Worth(region, demand, sites)
    asked = vary(town_run.scenario, curve_points=5, forced_sites=("T1", "T6"))
    problem = cover_problem(demand, sites, asked, ways_of(asked, region))
    curve = coverage_curve(problem, asked, None)
    assert curve["stations"].tolist() == [2, 3, 4]  # without an end twice those there are
    longer = coverage_curve(problem, asked, range(8))
    assert longer["stations"].tolist() == [2, 4, 5, 6, 8]  # 3.5 and 6.5 go to the even one
    assert longer["persons"].iloc[-1] == demand["persons"].sum()  # all eight cover all: it was said so
    for count, persons, share, bound, status in curve.drop(columns="knee").itertuples(index=False):
        best = max(worth.best_n([1, 6, *k]) for k in combinations((0, 2, 3, 4, 5, 7), count - 2))
        assert persons <= best <= bound and best - persons <= best / 1000
        assert share == pytest.approx(100 * persons / demand["persons"].sum())
        assert status != OPTIMAL or persons == best == bound
    assert curve["persons"].is_monotonic_increasing and (longer["knee"] == "yes").sum() <= 1


def test_no_points_no_curve(region, town_run):
    demand, sites = drawn(1)
    problem = cover_problem(demand, sites, town_run.scenario, ways_of(town_run.scenario, region))
    assert not len(coverage_curve(problem, vary(town_run.scenario, curve_points=0), None))


def test_the_knee_by_hand():
    """Above the line from (1, 0) to (5, 100): 35, 30, 15 at 2, 3 and 4 stations. A flat curve has none."""

    def knee(*persons):
        return _knee(pd.Series(range(1, len(persons) + 1)), pd.Series(persons))

    assert knee(0, 60, 80, 90, 100) == 1
    assert knee(0, 10, 90, 95, 100) == 2
    assert knee(7, 7, 7) == -1 and knee(0, 9) == -1


# -- what planners believe


def test_too_few_are_refused(region, town_run):
    demand, sites = drawn(1)
    for goal in GOALS:
        with pytest.raises(Infeasible) as refused:
            planned(region, demand, sites, vary(town_run.scenario, stations_goal=goal, stations_count=4))
        assert refused.value.faults[0].key == "infeasible_too_few"
    everyone = planned(region, demand.assign(setting="rural", x=0, y=0), sites.assign(x=0), town_run.scenario)
    assert everyone.proofs["stations_cover_all"].objective == 1


@pytest.mark.parametrize("goal", GOALS)
def test_one_more_station_never_serves_fewer(region, town_run, goal):
    demand, sites = drawn(77, points=40, sites=14, side=70_000)
    wish = {"stations_goal": goal, "rural_km": 12.0, "rural_preferred_km": 6.0}
    worths = [
        planned(region, demand, sites, vary(town_run.scenario, stations_count=count, **wish))
        .proofs[f"stations_{goal}"]
        .objective
        for count in range(5, 10)
    ]
    assert worths == sorted(worths)
    assert worths[0] < worths[-1] or goal == "fair"  # some county nobody can reach


def test_wider_standards_never_serve_fewer(region, town_run):
    demand, sites = drawn(78)
    found = []
    for km in (10.0, 15.0, 20.0, 30.0):
        asked = vary(town_run.scenario, stations_goal="best_n", stations_count=5, rural_km=km)
        found.append(planned(region, demand, sites, asked).proofs["stations_best_n"].objective)
    assert found == sorted(found)


def test_rows_in_another_order_change_nothing(region, town_run):
    demand, sites = drawn(79)
    for goal in (*GOALS, "cover_all"):
        asked = vary(town_run.scenario, stations_goal=goal, stations_count=5, rural_km=40.0, urban_km=40.0)
        first = planned(region, demand, sites, asked)
        turned = planned(region, demand.iloc[::-1], sites.sample(frac=1, random_state=1).sort_index(), asked)
        assert first.chosen == turned.chosen or goal == "fair"  # of equally fair ones any
        key = f"stations_{goal}"
        assert first.proofs[key].objective == turned.proofs[key].objective


def test_out_of_reach_beside_the_goal(region, town_run):
    """Nobody can serve a hamlet far away: best use has an answer, full coverage has none."""
    demand, sites = drawn(80)
    demand.loc["p00", ["x", "y"]] = 900_000
    asked = vary(town_run.scenario, stations_goal="best_n", stations_count=5)
    plan = planned(region, demand, sites, asked)
    assert plan.alternative is None and plan.proofs["stations_cover_all"].status == INFEASIBLE
