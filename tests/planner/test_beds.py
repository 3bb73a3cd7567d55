"""Beds: stock, rules, freezes and contradictions, on paper and in the province."""

import threading
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from geo.region import grown
from geo.words import load_words
from planner.access import e2sfca, gini
from planner.explain import Infeasible
from planner.scenario import load_scenario, vary
from planner.services.bed_rules import aims_of, none_below
from planner.services.bed_tables import bed_tables
from planner.services.beds import asked_of, plan_beds
from planner.services.freezes import closed_cells, growth_of, verdicts
from planner.services.levels import decide_levels, missed, worths
from planner.services.stock import CELLS, KINDS, OWNERS, cell_of, stock_of
from tests import town

A, B, C, D, E = town.CODES.values()
ABOVE, COUNTY = "city_and_above", "county_and_primary"


@pytest.fixture(scope="module")
def region(town_run):
    return town_run.prepared.region


@pytest.fixture(scope="module")
def standards(town_run):
    return town_run.prepared.standards


@pytest.fixture
def scenario(town_run):
    return town_run.scenario


def hospitals(*rows):
    """Listed hospitals: (id, county, owner, kind, beds, {what is measured})."""
    plain = {"occupancy": 90.0, "stay_days": 7.0, "staff": None, "floor_area": None, "host": False, "may_grow": True}
    frame = pd.DataFrame(
        [
            {"id": id, "name": f"虚构{id}", "county_code": county, "city_code": county[:4] + "00"}
            | {"owner": owner, "kind": kind, "beds": beds, **plain, **more}
            for id, county, owner, kind, beds, more in rows
        ]
    ).set_index("id")
    for column in ("staff", "floor_area"):
        frame[column] = frame[column].astype(float)
    return frame


def planned(town_run, scenario, facilities=None, region=None):
    """Return (plan, tables) of a question about the drawn province."""
    prepared = town_run.prepared
    region = region or prepared.region
    reach = prepared.reach(scenario)
    plan = plan_beds(region, prepared.standards, scenario, reach, facilities=facilities)
    return plan, bed_tables(region, prepared.standards, scenario, plan, facilities)


# -- stock


def test_stock_on_paper(region, standards):
    """90,000 x 8.80 = 792 and 60,000 x 7.44 = 446.4; by county in proportion; a's 352 beds by Table 1.

    a, 40,000 people: private 62.4, other public 24.4; of the 266 left 1.68 / 4.24 = 105.4 are the city's; TCM 20.8 and
    psychiatric 9.2, of them 8.3 and 3.6 the city's.
    """
    stock = stock_of(region, standards)
    assert stock.city == {"140100": 792, "140200": 446} and stock.county.tolist() == [352, 264, 176, 372, 74]
    first = dict(zip(CELLS, stock.cells[0], strict=True))
    assert first["private", "general"] == 62 and first["other_public", "general"] == 24
    assert [first[ABOVE, kind] for kind in KINDS[:3]] == [105 - 8 - 4, 8, 4]
    assert [first[COUNTY, kind] for kind in KINDS[:3]] == [161 - 13 - 5, 13, 5]
    assert (stock.cells.sum(axis=1) == stock.county).all() and not stock.listed.any()


def test_listed_hospitals_stand_as_they_are(region, standards):
    """c's 100 listed TCM beds are more than the model's; its 176 beds stay, the rest of its cells shrink."""
    listed = hospitals(("1", C, COUNTY, "tcm", 100, {}), ("2", C, ABOVE, "infectious", 30, {}))
    stock = stock_of(region, standards, listed)
    assert stock.county.tolist() == [352, 264, 176, 372, 74]
    cells = dict(zip(CELLS, stock.cells[2], strict=True))
    assert cells[COUNTY, "tcm"] >= 100 and cells[ABOVE, "infectious"] == 30 and sum(cells.values()) == 176
    assert stock.known(2, cell_of(ABOVE, "infectious")) and not stock.known(2, cell_of(COUNTY, "infectious"))


def test_what_is_measured_beats_what_is_modelled(region, standards):
    """e's listed 600 beds are more than its city is said to have: the city has them, and nothing else."""
    stock = stock_of(region, standards, hospitals(("1", E, COUNTY, "general", 600, {})))
    assert stock.city["140200"] == 600 and stock.county.tolist()[3:] == [0, 600]


def test_stock_rests_on_the_census_and_targets_on_the_people_planned_for(region, standards, scenario):
    larger = grown(region, {"140200": Fraction(10)})
    stock = stock_of(larger, standards)
    assert stock.city["140200"] == 446  # 60,000 x 7.44 of the census
    assert aims_of(larger, standards, scenario, stock).total["140200"] == 495  # 66,000 x 7.5


# -- targets


def test_targets_and_equal_shares_on_paper(region, standards, scenario):
    """90,000 x 11 = 990, 60,000 x 7.5 = 450; 1.60 private beds a thousand are reserved."""
    aims = aims_of(region, standards, scenario, stock_of(region, standards))
    assert aims.total == {"140100": 990, "140200": 450} and aims.equal.tolist() == [440, 330, 220, 375, 75]
    assert aims.private.tolist() == [64, 48, 32, 80, 16]  # 40, 30, 20, 50 and 10 thousand people
    # 990 - 144 private - 18 other public = 828 = 2.20 : 3.50
    assert [aims.guides["140100", owner] for owner in OWNERS[:3]] == [320, 508, 18]


def test_halves_of_a_bed_go_up(region, standards, scenario):
    """60,100 x 7.5 = 450.75; 60,060 x 7.5 = 450.45; 60,020 x 7.475 = 448.6495; 60,000 x 7.475 = 448.5 goes up."""
    for persons, target, beds in (
        (10_100, "7.5", 451),
        (10_060, "7.5", 450),
        (10_020, "7.475", 449),
        (10_000, "7.475", 449),
    ):
        asked = vary(scenario, bed_targets=scenario.bed_targets | {"140200": Fraction(target)})
        changed = town.persons_are(region, e=persons)
        assert aims_of(changed, standards, asked, stock_of(changed, standards)).total["140200"] == beds


def test_no_county_is_left_short_by_largest_remainders():
    """487, 487 and 162 people: 10 beds are 4, 4, 2 and 11 are 5, 5, 1 (the Alabama paradox); the third keeps its 2."""
    assert none_below([5, 5, 1], [4, 4, 2]) == [4, 5, 2]


def test_a_city_above_its_target_is_frozen(town_run, scenario):
    asked = vary(scenario, bed_targets={"140100": Fraction("5"), "140200": Fraction("7.5")})
    plan, tables = planned(town_run, asked)
    city = tables["beds_by_city"].set_index("code")
    assert city.loc["140100", ["beds_now", "beds_target", "beds_plan"]].tolist() == [792, 792, 792]
    frozen = tables["freezes"].set_index("id").loc["140100"]
    assert (frozen["rule"], frozen["measured"], frozen["limit"]) == ("above_target", 8.8, 5.0)
    assert city.loc["140200", "beds_plan"] == 450


# -- freezes


LISTED = hospitals(
    ("ok", A, ABOVE, "general", 100, {"staff": 170, "floor_area": 9_000}),
    ("empty", A, ABOVE, "general", 50, {"occupancy": 74.9}),
    ("slow", B, COUNTY, "general", 40, {"stay_days": 9.1}),
    ("thin", B, ABOVE, "general", 40, {"staff": 64}),  # 1.60 a bed
    ("small", C, COUNTY, "general", 40, {"floor_area": 3_000}),  # 75 m2 a bed
    ("edge", C, ABOVE, "general", 20, {"occupancy": 75.0, "stay_days": 9.0, "staff": 32.4, "floor_area": 1_600}),
    ("host", D, ABOVE, "general", 60, {"occupancy": 60.0, "host": True}),
    ("tcm", D, COUNTY, "tcm", 20, {"occupancy": 10.0}),
    ("private", D, "private", "general", 20, {"occupancy": 10.0}),
    ("asked", E, COUNTY, "general", 10, {"may_grow": False}),
    ("twice", E, ABOVE, "general", 10, {"occupancy": 50.0, "stay_days": 12.0}),
    ("unknown", E, ABOVE, "general", 10, {"occupancy": float("nan"), "stay_days": float("nan")}),
)


def judged(scenario, standards, **changes):
    found = verdicts(LISTED, standards, vary(scenario, freeze_area_per_bed=80.0, **changes))
    return {id: (each.word, " ".join(r.rule for r in each.reasons)) for id, each in found.items()}


def test_freezes_on_paper(scenario, standards):
    assert judged(scenario, standards) == {
        "ok": ("no", ""),
        "empty": ("yes", "occupancy"),
        "slow": ("yes", "stay"),
        "thin": ("yes", "staff"),
        "small": ("yes", "floor_area"),
        "edge": ("no", ""),  # limits are strict in the document
        "host": ("exempt", "occupancy"),
        "tcm": ("no", ""),
        "private": ("no", ""),
        "asked": ("yes", "declared"),
        "twice": ("yes", "occupancy stay"),
        "unknown": ("no", ""),
    }


def test_all_criteria_or_any_and_hosts(scenario, standards):
    every = judged(scenario, standards, freeze_rule="all")
    assert every["empty"] == ("no", "occupancy") and every["twice"] == ("yes", "occupancy stay")
    assert judged(scenario, standards, freeze_hosts_exempt=False)["host"] == ("yes", "occupancy")


def test_a_complete_table_closes_cells(region, scenario, standards):
    found = verdicts(LISTED, standards, vary(scenario, freeze_area_per_bed=80.0))
    closed = closed_cells(region, LISTED, found, True)
    assert closed.tolist() == [[False, True], [True, True], [False, True], [False, True], [False, True]]
    assert not closed_cells(region, LISTED, found, False).any()


def test_growth_goes_to_hospitals_that_may_grow(region, scenario, standards):
    """a's city general beds gain 60: "ok" has 100, the unlisted what the model adds; frozen "empty" gets none."""
    stock = stock_of(region, standards, LISTED)
    found = verdicts(LISTED, standards, scenario)
    beds = stock.cells.copy()
    cell = cell_of(ABOVE, "general")
    beds[0, cell] += 60
    new = growth_of(region, LISTED, found, stock, beds, complete=True)
    assert new["ok"] == 60 and sum(new.values()) == 60 and set(new) == set(LISTED.index)
    unlisted = int(stock.cells[0, cell] - stock.listed[0, cell])
    some = growth_of(region, LISTED, found, stock, beds, complete=False)
    assert some["ok"] == pytest.approx(60 * 100 / (100 + unlisted), abs=1) and some["empty"] == 0


def test_frozen_hospitals_get_no_bed_and_are_named(town_run, scenario):
    plan, tables = planned(town_run, vary(scenario, freeze_area_per_bed=80.0), LISTED)
    table = tables["facilities"].set_index("id")
    frozen = table[table["frozen"].eq("yes")]
    assert len(frozen) == 6 and (frozen["beds_new"] == 0).all() and (frozen["reasons"] != "").all()
    told = tables["freezes"]
    assert set(told.loc[told["scope"].eq("facility"), "id"]) == {*frozen.index, "host"}


def test_without_a_table_the_rule_is_said_not_to_be_applied(town_run, scenario):
    _, tables = planned(town_run, scenario)
    assert tables["freezes"]["rule"].tolist() == ["not_applied"] * 4 and len(tables["facilities"]) == 0


# -- plans


def test_a_plan_of_the_drawn_province(town_run, scenario):
    """990 and 450 beds, every hard rule kept; the infectious hospital that finds no room bends, and draws beds."""
    plan, tables = planned(town_run, scenario)
    assert plan.by_county[:3].sum() == 990 and plan.by_county[3:].sum() == 450
    question = plan.question
    assert all(sum(missed(rule, plan.beds)) <= 1e-9 for rule in question.rules if rule.strict)
    assert (plan.beds >= question.lowest).all() and (plan.beds <= question.highest).all()
    wide = tables["bed_standards"].set_index("code")
    for code, beds in zip(wide.index, plan.by_county, strict=True):
        assert wide.loc[code, list(OWNERS)].sum() == wide.loc[code, list(KINDS)].sum() == beds
    bent = tables["bed_rules"].query("bent > 0")
    assert set(bent["strict"]) <= {"soft"} and "infectious_hospital" in set(bent["rule"])


def test_beds_stopped_at_once(town_run, scenario):
    cancel = threading.Event()
    cancel.set()
    prepared = town_run.prepared
    asked = vary(scenario, solve_seconds=0.001)
    plan = plan_beds(prepared.region, prepared.standards, asked, prepared.reach(asked), cancel=cancel)
    assert plan.by_county[:3].sum() == 990 and plan.by_county[3:].sum() == 450
    assert plan.proofs["beds_change"].status == "interim" and plan.proofs["beds_change"].bound is None


def test_beds_of_nobody(town_run, scenario):
    region = town.persons_are(town_run.prepared.region, c=0, d=0, e=0)
    plan, tables = planned(town_run, scenario, region=region)
    assert plan.by_county[:2].sum() == 770 and plan.by_county[2:].tolist() == [0, 0, 0]
    assert np.isfinite(tables["access_summary"]["gini"]).all()


@pytest.mark.thorough
def test_even_access_is_strictly_better_than_sharing_by_population(default_run):
    prepared = default_run.prepared
    scenario = load_scenario("even-access")
    plan = plan_beds(prepared.region, prepared.standards, scenario, prepared.reach(scenario))
    tables = bed_tables(prepared.region, prepared.standards, scenario, plan, None)
    summary = tables["access_summary"].set_index("split")
    assert summary.loc["plan", "gini"] < summary.loc["by_population", "gini"] - 0.005
    assert summary.loc["plan", "worst_per_1000"] > summary.loc["by_population", "worst_per_1000"] + 0.2
    # Whoever has little has no less than when shared by population.
    shared, reach = plan.question.reach @ plan.aims.equal, plan.question.reach @ plan.by_county
    little = shared < (shared * plan.question.persons).sum() / plan.question.persons.sum()
    assert little.sum() > 50 and (reach[little] >= shared[little] - 0.0201).all()
    guards = tables["bed_rules"].query("rule == 'guard'")
    assert len(guards) == little.sum() and guards["verdict"].eq("met").all()
    # The same by the measures alone, from the published beds.
    counties, demand = prepared.region.counties, prepared.demand
    reach = e2sfca(demand, counties, 30_000, (1, 0.68, 0.22)) @ tables["beds_by_county"]["beds_plan"].to_numpy()
    assert gini(reach, counties["persons"].to_numpy()) == pytest.approx(summary.loc["plan", "gini"])


@pytest.mark.thorough
def test_more_budget_never_leaves_more_undone(default_run):
    bounds, reached = [], []
    for budget in (900_000, 1_300_000, 2_000_000):
        asked = vary(default_run.scenario, beds_rule="up_to", beds_budget=budget, beds_objectives=("shortfall",))
        decided = decided_on(default_run, asked)
        proof = decided.proofs["beds_shortfall"]
        assert proof.bound <= proof.objective and proof.gap <= 1e-3
        bounds.append(proof.bound)
        reached.append(decided.beds.sum())
    assert bounds == sorted(bounds, reverse=True) and reached == sorted(reached)


# -- contradictions


def refused(default_run, **changes):
    """Return (faults, scenario) of a question about the province that cannot be answered."""
    prepared, asked = default_run.prepared, vary(default_run.scenario, **changes)
    with pytest.raises(Infeasible) as found:
        plan_beds(prepared.region, prepared.standards, asked, prepared.reach(asked))
    return found.value.faults, asked


def answered(default_run, scenario):
    """Assert that a question about the province has an answer."""
    decided = decided_on(default_run, vary(scenario, beds_objectives=("shortfall",)))
    assert decided.beds is not None


def decided_on(default_run, scenario):
    """Return what the levels alone decide of a question about the province."""
    prepared = default_run.prepared
    question = asked_of(prepared.region, prepared.standards, scenario, prepared.reach(scenario))[-1]
    decided = decide_levels(question, scenario.beds_objectives)
    if decided.beds is not None:
        assert worths(question, decided.beds, ("cost",))["cost"] <= (scenario.beds_budget or np.inf) + 1e-6
    return decided


def keys(faults, part):
    return [fault.key.removeprefix(f"infeasible_beds_{part}_") for fault in faults if f"_beds_{part}_" in fault.key]


def said(faults):
    return {lang: "\n".join(fault.tell(load_words(lang)) for fault in faults) for lang in ("zh", "en")}


def test_too_few_nurses(default_run):
    """16,992 beds x 0.60 = 10,195.2 nurses; 9,000 are enough for 15,000 beds, 4.4138 a thousand."""
    faults, asked = refused(default_run, beds_nurses={"141100": 9_000})
    assert keys(faults, "wish") == ["nurses", "total"] and set(keys(faults, "repair")) == {"nurses", "total_down"}
    told = said(faults)
    for words in ("吕梁市", "16,992", "5.00", "4.4138", "10196", "表3"):
        assert words in told["zh"], words
    assert "Luliang" in told["en"] and "吕梁" not in told["en"]
    answered(default_run, vary(asked, beds_nurses={"141100": 10_196}))
    answered(default_run, vary(asked, bed_targets=asked.bed_targets | {"141100": Fraction("4.4138")}))
    refused(default_run, beds_nurses={"141100": 10_195})


def test_repairs_of_nurses_and_a_pin_together(default_run):
    """What a limit must become is told whole, not only what is added to it."""
    faults, asked = refused(default_run, beds_nurses={"140400": 8_000}, beds_pins={"140423": 9_000})
    together = {each.key: each.params for each in faults if "_repair_" in each.key}
    nurses, pin = together["infeasible_beds_repair_nurses"], together["infeasible_beds_repair_pin"]
    assert int(nurses["limit"]) == 8_000 + int(nurses["more"].replace(",", "")) > 14_000
    answered(default_run, vary(asked, beds_nurses={"140400": nurses["limit"]}, beds_pins={"140423": pin["beds"]}))


def test_a_target_one_bed_too_high(default_run):
    """14,314 nurses are enough for 23,856 beds; the target that makes as many is told in as many decimals as needed."""
    faults, asked = refused(default_run, beds_nurses={"140400": 14_314})
    params = next(each.params for each in faults if each.key == "infeasible_beds_repair_total_down")
    assert params["density"] != "7.50" and params["more"] == "1"
    answered(default_run, vary(asked, bed_targets=asked.bed_targets | {"140400": Fraction(params["density"])}))


def test_a_pin_below_what_stands(default_run):
    """岚县 has 281 public beds of city and county, and 237 reserved private ones make 518; its kinds need ten more."""
    faults, asked = refused(default_run, beds_pins={"141127": 500})
    assert keys(faults, "wish") == ["pin", "keep", "private"] and keys(faults, "repair") == ["pin"]
    least = int(next(fault.params["beds"] for fault in faults if fault.key == "infeasible_beds_repair_pin"))
    answered(default_run, vary(asked, beds_pins={"141127": least}))
    refused(default_run, beds_pins={"141127": least - 1})
    assert "岚县" in said(faults)["zh"] and "Lanxian" in said(faults)["en"]


def test_a_pin_above_the_county_cap(default_run):
    faults, asked = refused(default_run, beds_pins={"141127": 1_000})
    assert keys(faults, "wish") == ["pin", "county"] and set(keys(faults, "repair")) == {"pin", "county"}
    cap = float(next(fault.params["cap"] for fault in faults if fault.key == "infeasible_beds_repair_county"))
    answered(default_run, vary(asked, beds_county_cap=cap))


def test_two_pins_that_must_give_way_together(default_run):
    faults, asked = refused(default_run, beds_pins={"141127": 9_000, "141102": 9_000})
    assert "infeasible_beds_together" in [fault.key for fault in faults]
    new = {fault.params["code"]: int(fault.params["beds"]) for fault in faults if "repair_pin" in fault.key}
    answered(default_run, vary(asked, beds_pins=new))


def test_a_budget_too_small_for_every_bed(default_run):
    faults, asked = refused(default_run, beds_budget=1_000_000)
    assert keys(faults, "wish") == ["budget", "total", "private"]
    assert set(keys(faults, "repair")) == {"budget", "up_to"}
    enough = next(fault.params["limit"] for fault in faults if fault.key == "infeasible_beds_repair_budget")
    answered(default_run, vary(asked, beds_budget=enough))
    answered(default_run, vary(asked, beds_rule="up_to"))
    told = said(faults)
    assert "山西省" in told["zh"] and "Shanxi" in told["en"]


def test_a_guard_that_too_little_money_breaks(default_run):
    """With half the money some county has less within reach than when every bed is shared by population."""
    asked = {"beds_guard": True, "beds_rule": "up_to", "beds_budget": 900_000}
    faults, scenario = refused(default_run, **asked)
    assert [fault.key for fault in faults] == ["infeasible_beds_guard"]
    answered(default_run, vary(scenario, beds_guard=False))


@pytest.mark.thorough
def test_every_order_of_objectives_keeps_the_first(default_run):
    for words in (("shortfall", "cost", "worst"), ("even", "equal"), ("cost", "even"), ("travel", "worst")):
        proofs = decided_on(default_run, vary(default_run.scenario, beds_objectives=words)).proofs
        assert {proof.status for proof in proofs.values()} <= {"optimal", "within_gap"}, words
        first = proofs[f"beds_{words[0]}"]
        assert first.gap <= 0.004, words


def test_a_hospital_that_finds_no_room(town_run, scenario):
    """A town of 990 beds in all, none of which may change, has no room for 1,000 infectious ones."""
    asked = vary(scenario, beds_may_bend=())
    with pytest.raises(Infeasible) as found:
        planned(town_run, asked)
    wishes, repairs = keys(found.value.faults, "wish"), keys(found.value.faults, "repair")
    assert "infectious_hospital" in wishes and "infectious_hospital" in repairs
    told = "\n".join(fault.tell(load_words("zh")) for fault in found.value.faults)
    assert "东市" in told and "五(一)3" in told


def test_the_question_is_the_same_whatever_the_order(region, standards, scenario, town_run):
    rows = LISTED.iloc[::-1]
    reach = town_run.prepared.reach(scenario)
    first = asked_of(region, standards, scenario, reach, LISTED)[-1]
    second = asked_of(region, standards, scenario, reach, rows)[-1]
    assert (first.now == second.now).all() and first.rules == second.rules
