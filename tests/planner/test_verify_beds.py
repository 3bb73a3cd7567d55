"""The verifier's own arithmetic of beds, on paper: stock, limits, rules, freezes, access, worth, scores, moves.

The province of :mod:`tests.town` has 40,000, 30,000 and 20,000 people in 甲, 乙, 丙 of 东市 (8.8 beds per 1,000 today,
11 to be) and 50,000 and 10,000 in 丁, 戊 of 西市 (7.44 and 7.5).
"""

import copy
import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from geo.demand import build_demand
from geo.region import load_region
from planner.standards import load_standards
from planner.verify import access, bed_rules, facilities, limits, worth
from planner.verify.evaluation import closeness, entropy_weights
from planner.verify.facts import Facts
from planner.verify.moves import Beds, best_move
from planner.verify.shapes import KINDS, OBJECTIVES, Plan
from planner.verify.stock import CELLS, modelled_cells, stock_of, with_listed
from tests import town

A, B, C, D, E = range(5)
HEAD = "id,name,county_code,owner,kind,beds,occupancy,stay_days,staff,floor_area,host,may_grow"


@pytest.fixture(scope="module")
def region(town_folder):
    return load_region(town_folder)


@pytest.fixture(scope="module")
def demand(region):
    return build_demand(region)


@pytest.fixture
def facts(region, demand, town_folder, tmp_path):
    """Return a function that gives the facts of a question about the drawn province, with ``hospitals`` as CSV rows."""

    def of(*hospitals, **asked):
        if hospitals:
            (tmp_path / "hospitals.csv").write_text("\n".join([HEAD, *hospitals]), encoding="utf-8")
            asked["facilities"] = str(tmp_path / "hospitals.csv")
        return Facts(town.question(town_folder, **asked), region, load_standards(), demand)

    return of


def of_today(facts):
    """Return today's beds as if they were planned."""
    return copy.deepcopy(stock_of(facts).cells)


# ---- stock ---------------------------------------------------------------------------------------


def test_a_county_of_the_province_average():
    """641 beds for 100,000: 156 private, 61 other; of 424, 168 and 256; 52 TCM and 23 psychiatric split 168 : 256."""
    cells = modelled_cells(load_standards(), 641, 100_000)
    assert cells["private", "general"] == 156
    assert cells["other_public", "general"] == 61
    assert [cells["city_and_above", kind] for kind in KINDS] == [138, 21, 9, 0, 0, 0, 0, 0]
    assert [cells["county_and_primary", kind] for kind in KINDS] == [211, 31, 14, 0, 0, 0, 0, 0]


def test_parts_are_cut_to_what_is_left():
    standards = load_standards()
    assert modelled_cells(standards, 100, 100_000) == dict.fromkeys(CELLS, 0) | {("private", "general"): 100}
    # 217 + 60: all that is left of both owners (24, 36) is TCM, 52 as asked for, and psychiatric, 8 of the 23.
    cells = modelled_cells(standards, 277, 100_000)
    assert (cells["city_and_above", "tcm"], cells["county_and_primary", "tcm"]) == (21, 31)
    assert (cells["city_and_above", "psychiatric"], cells["county_and_primary", "psychiatric"]) == (3, 5)
    assert cells["city_and_above", "general"] == cells["county_and_primary", "general"] == 0
    assert sum(cells.values()) == 277 and min(cells.values()) >= 0


def test_listed_beds_stay_and_the_rest_follows_the_model():
    """10 beds; 4 general ones are listed where 2 are modelled: the other 6 go 5 : 3 to the cells that have more."""
    public, private, cancer = ("city_and_above", "general"), ("private", "general"), ("city_and_above", "oncology")
    zero = dict.fromkeys(CELLS, 0)
    found = with_listed(zero | {public: 2, private: 3, cancer: 5}, zero | {public: 4}, 10)
    assert found == zero | {public: 4, private: 2, cancer: 4}


def test_the_stock_of_the_drawn_province(facts):
    stock = stock_of(facts())
    assert stock.city == {"140100": 792, "140200": 446}  # 8.8 x 90; 7.44 x 60 = 446.4
    assert stock.county == [352, 264, 176, 372, 74]  # 371.67 and 74.33: the half goes to the larger remainder
    assert [sum(cells.values()) for cells in stock.cells] == stock.county
    assert stock.told(A, ("city_and_above", "oncology")) is None
    assert stock.told(A, ("city_and_above", "tcm")) > 0


def test_more_beds_listed_than_the_documents_have(facts):
    rows = ["H1,一,140101,city_and_above,oncology,700,,,,,,", "H2,二,140102,private,tcm,200,,,,,,"]
    stock = stock_of(facts(*rows))
    assert stock.city["140100"] == 900
    assert stock.county[:3] == [700, 200, 0]
    assert stock.cells[A] == dict.fromkeys(CELLS, 0) | {("city_and_above", "oncology"): 700}
    assert stock.cells[B]["private", "general"] == 200
    assert stock.told(A, ("city_and_above", "oncology")) == 700
    assert stock.told(B, ("city_and_above", "oncology")) is None


def test_a_county_keeps_what_is_listed_there(facts):
    """400 are listed where 352 are modelled: the other 392 go 264 : 176 to the rest."""
    stock = stock_of(facts("H1,一,140101,county_and_primary,general,400,,,,,,"))
    assert stock.county[:3] == [400, 235, 157]
    assert stock.cells[A]["county_and_primary", "general"] == 400


# ---- limits --------------------------------------------------------------------------------------


def test_limits_on_paper(facts):
    found = limits.limits_of(facts())
    assert found.total == {"140100": 990, "140200": 450}
    assert found.equal == [440, 330, 220, 375, 75]
    assert found.highest[A] == 572  # 11 x 1.3 x 40
    assert found.private == [64, 48, 32, 80, 16]  # 1.6 x persons, more than 1.56 x persons today
    assert not found.frozen and not found.above


def test_a_city_above_its_target(facts):
    found = limits.limits_of(facts(bed_targets={"140100": Fraction(11), "140200": Fraction(7)}))
    assert found.total["140200"] == 446 and found.asked["140200"] == 420
    assert found.frozen == {"140200"} and found.above == {D, E}
    assert found.highest[D:] == [372, 74] and found.private[D:] == [78, 16]


def test_people_who_grow(facts, region, demand):
    """西市 grows by 10 %: 55,000 and 11,000 people; what there is today stays that of the census."""
    grown = facts(population_growth={"140200": Fraction(10)})
    assert [county["persons"] for county in grown.counties] == [40_000, 30_000, 20_000, 55_000, 11_000]
    assert [county["census"] for county in grown.counties] == [40_000, 30_000, 20_000, 50_000, 10_000]
    assert stock_of(grown).city["140200"] == 446
    assert limits.limits_of(grown).total["140200"] == 495


def test_largest_shares_that_fall_below_the_stock(facts):
    """甲 keeps its 700; of 275 and 183 to spare 乙 and 丙 give 176 and 84, and have 99 each."""
    given = facts("H1,一,140101,county_and_primary,general,700,,,,,,")
    assert stock_of(given).county[:3] == [700, 55, 37]
    assert limits.limits_of(given).equal[:3] == [700, 154, 136]


# ---- rules ---------------------------------------------------------------------------------------


def rule_of(facts, word, code):
    return next(rule for rule in bed_rules.rules_of(facts) if (rule.word, rule.area_code) == (word, code))


def test_rules_of_a_city_on_paper(facts):
    given = facts(surge_inpatients=Fraction(25), beds_staff={"140100": 1500})
    cells = of_today(given)
    tcm = rule_of(given, "tcm", "140100")
    assert tcm.low == 77  # 0.85 x 90 = 76.5
    assert rule_of(given, "psychiatric", "140100").low == 71  # 0.78 x 90 = 70.2
    assert rule_of(given, "lean_oncology", "140100").low == 10  # 5 % of 198 new beds
    # 990 - 144 private - 18 other = 828, in 2.20 : 3.50
    guides = [rule_of(given, f"owner_{owner}", "140100").low for owner in ("city_and_above", "county_and_primary")]
    assert guides == [320, 508]
    assert rule_of(given, "reserve", "140100").low == 60  # 30 % of 198
    assert rule_of(given, "reserve", "140100").got(cells) == 0
    surge = rule_of(given, "surge", "140100")
    public_general = sum(cells[i][o, "general"] for i in (A, B, C) for o in bed_rules.PUBLIC)
    assert surge.low == 225 and surge.got(cells) == Fraction(public_general, 10)
    assert rule_of(given, "staff", "140100").got(cells) == 792 * Fraction("1.62")
    special = rule_of(given, "specialist", "140100")
    public = 792 - sum(cells[i]["private", "general"] for i in (A, B, C))
    psychiatric = sum(cells[i][o, "psychiatric"] for i in (A, B, C) for o in bed_rules.GROWING)
    assert special.bent(special.got(cells)) == Fraction(15, 100) * public - psychiatric
    assert rule_of(given, "infectious_hospital", "140100").low == 1000  # 500, and 100 in each of five hospitals
    assert rule_of(given, "infectious_hospital", "140200").low == 500
    assert not any(rule.word == "mental_hospital" and rule.weight for rule in bed_rules.rules_of(given))


def test_how_much_a_missing_bed_weighs(facts):
    """A city's target 10 times its strategy (东市 stands for Taiyuan: promoted), a must that may bend 10, a wish 1."""
    given = facts(beds_rule="up_to", beds_may_bend=("general_hospital",))
    assert rule_of(given, "total", "140100").weight == 20 and not rule_of(given, "total", "140100").strict
    assert rule_of(given, "general_hospital", "140101").weight == 10
    assert rule_of(given, "tcm_hospital", "140101").strict
    cells = of_today(given)
    before = bed_rules.shortfall(given, cells)
    cells[A]["private", "general"] += 1
    assert before - bed_rules.shortfall(given, cells) == 20


def test_worth_on_paper(facts):
    """In 甲 10 general beds become oncology beds and 5 nursing beds are built, 3 other public ones close."""
    given = facts()
    cells = of_today(given)
    cells[A]["city_and_above", "general"] -= 10
    cells[A]["city_and_above", "oncology"] += 10
    cells[A]["city_and_above", "nursing"] += 5
    cells[A]["other_public", "general"] -= 3
    assert worth.worths(given, cells, ("change", "cost")) == {"change": 18, "cost": 350}
    assert worth.worths(given, cells, ("equal",))["equal"] == (440 - 354) + 66 + 44 + 3 + 1


def on_plane(a, b):
    return np.hypot(*np.moveaxis(a - b, -1, 0)).astype(int)


def within(metres, limit):
    i, j = np.nonzero(metres <= limit)
    return i, j, metres[i, j]


def paper(**more):
    """Return facts of two counties whose seats are 20 km apart.

    100 people at the first seat; 200 at the second and 100 another 30 km away.
    """
    seats, points = np.array([[0, 0], [20_000, 0]]), np.array([[0, 0], [20_000, 0], [50_000, 0]])
    scenario = SimpleNamespace(beds_access_weights=(1.0, 0.5, 0.25), beds_reach_km=30.0)
    return SimpleNamespace(
        scenario=scenario,
        counties=[{"code": "1"}, {"code": "2"}],
        seats=seats,
        demand_at=points,
        demand_county=np.array([0, 1, 1]),
        demand_persons=np.array([100, 200, 100]),
        people_of_points=np.array([100, 300]),
        county_persons=np.array([100, 300]),
        metres=on_plane,
        within=lambda a, b, limit: within(on_plane(a[:, None], b), limit),
        kept={},
        **more,
    )


def test_travel_on_paper():
    """All 100 beds stand at the first seat: the second county claims 75 of them, 20 km away."""
    cells = [dict.fromkeys(CELLS, 0) for _ in range(2)]
    cells[0]["private", "general"] = 100
    assert worth.worths(paper(), cells, ("travel",))["travel"] == pytest.approx(15.0, abs=1e-9)
    cells[0]["private", "general"], cells[1]["private", "general"] = 25, 75
    assert worth.worths(paper(), cells, ("travel",))["travel"] == pytest.approx(0.0, abs=1e-9)


# ---- access --------------------------------------------------------------------------------------


def test_catchments_in_bands_on_paper():
    """20 beds shared by 100 + 200 / 2, 55 by 100 / 2 + 200 + 100 / 4: 0.1 and 0.2 a person.

    The first county has 0.1 + 0.2 / 2; the second 0.1 / 2 + 0.2 for 200 people and 0.2 / 4 for 100.
    """
    found = access.within_reach(paper(), [20, 55])
    assert found == [200, Fraction(550, 3)]
    assert sum(a * p for a, p in zip(found, (100, 300), strict=True)) == 1000 * 75  # all beds, once
    assert access.reach_matrix(paper()) @ [20, 55] == pytest.approx([200, 550 / 3])


def test_a_bands_own_limit_is_in_the_band():
    facts = paper()
    facts.scenario.beds_reach_km = 29.999
    shares, _ = access.catchments(facts)
    assert shares[1, 1] == 200  # 30,000 m are beyond reach
    assert shares[0, 1] == 25  # 20,000 m are more than two thirds of it


def test_gini_deviation_and_the_worst_on_paper():
    assert access.gini([1, 3], [1, 1]) == Fraction(1, 4)
    assert access.gini([0, 1], [3, 1]) == Fraction(3, 4)
    assert access.gini([5, 5, 5], [1, 2, 3]) == access.gini([0, 0], [1, 1]) == access.gini([1], [0]) == 0
    assert access.mean([1, 3], [3, 1]) == Fraction(3, 2)
    assert access.deviation([1, 3], [3, 1]) == Fraction(3, 4)
    assert access.worst_county([0, 2, 2, 3], [0, 1, 1, 1]) == 1


def test_a_city_shared_out_by_population(facts):
    given = facts()
    assert access.by_population(given, {"140100": 100, "140200": 10}) == [
        45,
        33,
        22,
        8,
        2,
    ]  # 44.4, 33.3, 22.2, 8.3, 1.7


# ---- freezes -------------------------------------------------------------------------------------

# 100 beds each; a standard of 60 m2
ROWS = {
    "full": "{id},{id},140101,city_and_above,general,100,75,9,162,6000,,",
    "empty": "{id},{id},140101,city_and_above,general,100,74.99,9,162,6000,,",
    "long": "{id},{id},140101,city_and_above,general,100,75,9.01,162,6000,,",
    "staff": "{id},{id},140101,city_and_above,general,100,75,9,161,6000,,",
    "narrow": "{id},{id},140101,city_and_above,general,100,75,9,162,5999,,",
    "worst": "{id},{id},140101,city_and_above,general,100,60,12,100,1000,,",
    "host": "{id},{id},140101,city_and_above,general,100,60,,,,是,",
    "closed": "{id},{id},140101,city_and_above,general,100,75,9,162,6000,是,否",
    "unknown": "{id},{id},140101,city_and_above,general,100,,,,,,",
    "tcm": "{id},{id},140101,city_and_above,tcm,100,10,90,1,1,,",
    "private": "{id},{id},140101,private,general,100,10,90,1,1,,",
}


def judged(facts, **asked):
    rows = [row.format(id=name) for name, row in ROWS.items()]
    found = facilities.judged_of(facts(*rows, freeze_area_per_bed=60, **asked))
    return {each.place["id"]: (each.frozen, [rule for rule, _, _ in each.reasons]) for each in found}


def test_each_criterion_freezes_at_its_own_figure(facts):
    assert judged(facts) == {
        "full": ("no", []),
        "empty": ("yes", ["occupancy"]),
        "long": ("yes", ["stay"]),
        "staff": ("yes", ["staff"]),
        "narrow": ("yes", ["floor_area"]),
        "worst": ("yes", ["occupancy", "stay", "staff", "floor_area"]),
        "host": ("exempt", ["occupancy"]),
        "closed": ("yes", ["declared"]),
        "unknown": ("no", []),
        "tcm": ("no", []),
        "private": ("no", []),
    }


def test_all_criteria_together_and_hosts_like_the_others(facts):
    found = judged(facts, freeze_rule="all", freeze_hosts_exempt=False)
    frozen = {id for id, (word, _) in found.items() if word == "yes"}
    assert frozen == {"worst", "host", "closed"}
    assert found["empty"] == ("no", ["occupancy"])


def test_growth_is_shared_out_by_beds_among_those_that_may_grow(facts):
    """甲's general beds of city_and_above grow by 30: listed 100 (frozen), 100, 20; the others there have 13 or so."""
    rows = [ROWS["empty"].format(id="F"), ROWS["full"].format(id="G"), "K,K,140101,city_and_above,general,20,,,,,,"]
    given = facts(*rows)
    cells, cell = of_today(given), ("city_and_above", "general")
    rest = cells[A][cell] - 220
    cells[A][cell] += 30
    new = facilities.new_beds(given, cells)
    assert new["F"] == 0 and abs(new["G"] - 30 * 100 / (120 + rest)) < 1 and 5 * new["K"] <= new["G"] + 4
    complete = facts(*rows, facilities_complete=True)
    assert facilities.new_beds(complete, cells) == {"F": 0, "G": 25, "K": 5}
    cells[A][cell] -= 60
    assert facilities.new_beds(given, cells) == {"F": 0, "G": 0, "K": 0}


def test_owners_that_may_not_grow_where_every_hospital_is_listed(facts):
    rows = [ROWS["empty"].format(id="F"), ROWS["full"].format(id="G").replace("140101", "140102")]
    assert facilities.closed_owners(facts(*rows)) == [()] * 5
    both = ("city_and_above", "county_and_primary")
    closed = facilities.closed_owners(facts(*rows, facilities_complete=True))
    assert closed == [both, ("county_and_primary",), both, both, both]


# ---- scores --------------------------------------------------------------------------------------


def test_entropy_weights_on_paper():
    """1 : 3 has an entropy of 0.8113 of its most, 1 : 1 the most, so says nothing."""
    said = 1 + (0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(2)
    assert said == pytest.approx(0.18872, abs=1e-5)
    assert entropy_weights({"x": [1, 3], "y": [2, 2]}) == {"x": 1.0, "y": 0.0}
    assert entropy_weights({"x": [1, 3], "y": [6, 2]}) == {"x": 0.5, "y": 0.5}
    assert entropy_weights({"x": [5, 5], "y": [2, 2]}) == {"x": 0.5, "y": 0.5}
    assert entropy_weights({"x": [5], "y": [2], "z": [0]}) == dict.fromkeys("xyz", 1 / 3)
    found = entropy_weights({"x": [1, 3], "y": [0, 1]})  # one has all: no entropy at all
    assert found["x"] == pytest.approx(said / (1 + said)) and found["y"] == pytest.approx(1 / (1 + said))


def test_closeness_on_paper():
    """(3, 4) and (4, 3), each over 5: as far from the best as from the worst."""
    assert closeness({"x": [3, 4], "y": [4, 3]}, {"x": 0.5, "y": 0.5}) == pytest.approx([0.5, 0.5])
    assert closeness({"x": [3, 4], "stay": [4, 3]}, {"x": 0.5, "stay": 0.5}) == [0, 1]
    assert closeness({"x": [3, 4], "y": [4, 3]}, {"x": 0.75, "y": 0.25}) == pytest.approx([0.25, 0.75])
    assert closeness({"x": [2, 2]}, {"x": 1.0}) == [1, 1]
    assert closeness({"x": [0, 0, 0]}, {"x": 1.0}) == [1, 1, 1]
    # 0, 1, 2 over the root of 5: distances 0, 1, 2 of 2
    assert closeness({"x": [0, 1, 2]}, {"x": 1.0}) == pytest.approx([0, 0.5, 1])


# ---- moves of one bed ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planned(town_run):
    """Return (facts, beds by cell) of the drawn province's plan."""
    prepared, plan = town_run.prepared, town_run.plan
    facts = Facts(plan.scenario, prepared.region, prepared.standards, prepared.demand)
    return facts, limits.planned_cells(facts, Plan({"bed_quotas": plan.tables["bed_quotas"]}))


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "travel"])
def test_the_best_move_is_that_of_trying_all(planned, name):
    """Each move is made, its rules and its worth are worked out from nothing."""
    facts, cells = planned
    change, value = best_move(facts, cells, name)
    beds, tried = Beds(facts, cells), []
    for city in facts.cities:
        moves = beds.allowed(facts.counties_of(city["code"]))
        for at in range(0, len(moves), 7 if name in ("shortfall", "worst", "even") else 1):
            after = copy.deepcopy(cells)
            after[moves.county[at]][CELLS[moves.cell[at]]] -= 1
            after[moves.to_county[at]][CELLS[moves.to_cell[at]]] += 1
            worth_after = float(worth.worths(facts, after, (name,))[name])
            tried.append(worth_after)
            assert float(beds.worth_after(name, moves[[at]])[0]) == pytest.approx(worth_after, abs=1e-9)
            assert not any(rule.strict and rule.bent(rule.got(after)) for rule in bed_rules.rules_of(facts))
    most = max if name in worth.MAXIMISED else min
    assert " -> " in change
    assert most(value, most(tried)) == pytest.approx(value, abs=1e-9)


def test_every_move_that_keeps_the_musts_is_tried(planned):
    """All pairs of cells of a county, and one cell of two counties of a city: allowed just when no limit is broken."""
    facts, cells = planned
    beds, stock = Beds(facts, cells), stock_of(facts)
    members = facts.counties_of("140200")
    allowed = beds.allowed(members)
    ends = zip(allowed.county, allowed.cell, allowed.to_county, allowed.to_cell, strict=True)
    allowed = {tuple(map(int, each)) for each in ends}
    tried = 0
    for i in members:
        for j in members:
            for c, cell in enumerate(CELLS):
                for d, other in enumerate(CELLS):
                    if (i == j) == (c == d):
                        continue
                    if i != j and c != d:
                        continue
                    after = copy.deepcopy(cells)
                    after[i][cell] -= 1
                    after[j][other] += 1
                    assert keeps(facts, stock, after) == ((i, c, j, d) in allowed), (i, cell, j, other)
                    tried += 1
    assert tried == 2 * 18 * 17 + 2 * 18


def keeps(facts, stock, cells):
    """Return whether beds keep every must."""
    for i, county in enumerate(cells):
        for cell, beds in county.items():
            least, most = limits.cell_limits(facts, stock, i, cell)
            if beds < least or (most is not None and beds > most):
                return False
        if any(limits.beds_of(cells, [i], (owner,)) < stock.owner(i, owner) for owner in bed_rules.GROWING):
            return False
    return not any(rule.strict and rule.bent(rule.got(cells)) for rule in bed_rules.rules_of(facts))
