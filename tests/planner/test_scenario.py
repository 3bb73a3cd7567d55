"""Scenario files: what they leave out, what they change, and every way in which they can be wrong."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.faults import ScenarioRejected
from geo.words import load_words
from planner.scenario import (
    ASSUMED,
    Override,
    Scenario,
    check_against,
    default_values,
    is_name,
    load_scenario,
    printable,
    scenario_from,
    shipped_scenarios,
    shown,
    vary,
)
from planner.settings import (
    ALL_SETTINGS,
    TABLE_SETTINGS,
    checked,
    in_words,
    override_label,
    override_sides,
    said_place,
    setting_of,
)
from planner.standards import load_standards

ROOT = Path(__file__).parents[2]


@pytest.fixture
def write(tmp_path):
    """Write a scenario of this text and return its path."""

    def written(text, name="mine.toml", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return written


def faults_of(path):
    with pytest.raises(ScenarioRejected) as rejected:
        load_scenario(path)
    faults = rejected.value.faults
    for lang in ("zh", "en"):
        for fault in faults:
            line = fault.tell(load_words(lang))
            assert "\n" not in line and "{" not in line, line
    return faults


def told(path):
    return [(fault.row, fault.column, fault.key) for fault in faults_of(path)]


# -- what a file leaves out ------------------------------------------------------------------------------------------


def test_an_empty_file_asks_what_the_documents_ask(write):
    scenario, register = load_scenario(write("")), load_standards()
    assert scenario.bed_targets == {
        code: register.city_bed_target(code).value for code in register.cities if code != "140000"
    }
    assert list(scenario.bed_targets) == sorted(scenario.bed_targets) and len(scenario.bed_targets) == 11
    assert scenario.urban_km == float(register["emergency_radius_urban"].value)
    assert scenario.rural_km == float(register["emergency_radius_rural"].value_max)
    assert scenario.rural_preferred_km == float(register["emergency_radius_rural"].value)
    assert scenario.persons_per_ambulance == register["ambulance_per_30000"].per
    assert scenario.national_centres == ("140100",)
    assert scenario.provincial_centres == ("140200", "140400", "141000", "140800")
    for field, value in ASSUMED.items():
        assert getattr(scenario, field) == value
    assert (scenario.name, scenario.title, scenario.file, scenario.overrides) == ("mine", "mine", "mine.toml", ())


def test_every_field_is_a_standards_an_assumption_or_a_name():
    defaults = set(default_values(load_standards()))
    assert {setting.field for setting in ALL_SETTINGS} == defaults | {"title"}


def test_the_shipped_scenarios_are_right_and_found_by_bare_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    plan = {"shanxi-2025", "even-access", "smaller-budget", "population-2030", "epidemic-surge", "hospital-freezes"}
    assert plan | {"lvliang-6", "stations-200"} <= set(shipped_scenarios())
    for name in shipped_scenarios():
        assert (
            load_scenario(name) == load_scenario(f"{name}.toml") == load_scenario(ROOT / "scenarios" / f"{name}.toml")
        )
    assert load_scenario("shanxi-2025").overrides == ()
    assert load_scenario("lvliang-6").overrides == (Override("beds.targets.141100", "5", "6"),)
    assert load_scenario("stations-200").overrides == (Override("stations.goal", "cover_all", "best_n"),)


def test_a_scenario_of_ones_own_goes_before_a_shipped_one(write, monkeypatch):
    path = write('title = "自己的"', "shanxi-2025.toml")
    monkeypatch.chdir(path.parent)
    assert load_scenario("shanxi-2025").title == "自己的"


# -- what a file changes ---------------------------------------------------------------------------------------------


def test_figures_are_exact_and_written_in_any_of_tomls_ways(write):
    for text in (
        "[beds.targets]\n141100 = 6.10",
        "beds.targets.141100 = 6.1",
        'beds = { targets = { "141100" = 61e-1 } }',
    ):
        scenario = load_scenario(write(text))
        assert scenario.bed_targets["141100"] == Fraction(61, 10)
        assert scenario.overrides == (Override("beds.targets.141100", "5", "6.1"),)


def test_a_setting_stated_as_it_is_anyway_is_no_override(write):
    scenario = load_scenario(write("[stations]\nurban_km = 5\ndetour_factor = 1.0\n[beds.targets]\n141100 = 5.00"))
    assert scenario.overrides == ()
    assert scenario.lines["stations.urban_km"] == ("mine.toml", 2)


def test_each_override_is_against_the_scenario_extended(write):
    write('title = "a"\n[stations]\nurban_km = 4\nrural_km = 15\n', "a.toml")
    write('extends = "a.toml"\ntitle = "b"\n[stations]\nurban_km = 3\n', "b.toml")
    scenario = load_scenario(write('extends = "b"\n[stations]\nurban_km = 5\nclosed_counties = ["140105"]', "c.toml"))
    assert (scenario.name, scenario.title) == ("c", "b")
    assert (scenario.urban_km, scenario.rural_km, scenario.closed_counties) == (5.0, 15.0, ("140105",))
    assert set(scenario.overrides) == {
        Override("stations.urban_km", "3", "5"),
        Override("stations.rural_km", "20", "15"),
        Override("stations.closed_counties", "—", "140105"),
    }
    assert scenario.lines["stations.rural_km"] == ("a.toml", 4)


def test_extending_a_shipped_scenario_by_its_bare_name(write):
    scenario = load_scenario(write('extends = "lvliang-6"\n[stations]\ncount = 150'))
    assert (scenario.bed_targets["141100"], scenario.stations_count) == (6, 150)


def test_vary_notes_what_it_changes():
    scenario = load_scenario("lvliang-6")
    other = vary(scenario, urban_km=4, bed_targets=scenario.bed_targets | {"141100": 6.5, "140100": 12})
    assert other.bed_targets["141100"] == Fraction(13, 2)
    assert {(each.key, each.old, each.new) for each in other.overrides} == {
        ("stations.urban_km", "5", "4"),
        ("beds.targets.141100", "6", "6.5"),
        ("beds.targets.140100", "11", "12"),
    }
    assert vary(scenario) == scenario


def test_a_variant_made_in_python_is_checked_like_a_file():
    scenario = load_scenario("shanxi-2025")
    with pytest.raises(ScenarioRejected) as rejected:
        replace(scenario, urban_km=5000, rural_preferred_km=float("nan"), bed_targets={"140100": 600}, name="../x")
    assert {(fault.column, fault.key) for fault in rejected.value.faults} == {
        ("", "scenario_name"),
        ("stations.urban_km", "scenario_metres"),
        ("stations.rural_preferred_km", "scenario_not_finite"),
        ("beds.targets.140100", "scenario_range_beds"),
    }
    with pytest.raises(ScenarioRejected):
        replace(scenario, rural_preferred_km=21.0)
    with pytest.raises(ScenarioRejected):
        replace(scenario, bed_targets=7.5)


def test_there_and_back_through_json():
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        assert scenario_from(json.loads(json.dumps(scenario.as_dict()))) == scenario
    third = replace(scenario, bed_targets=scenario.bed_targets | {"140100": Fraction(22, 3)})
    assert scenario_from(third.as_dict()).bed_targets["140100"] == Fraction(22, 3)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain.pop("urban_km"),
        lambda plain: plain.update(urbankm=5),
        lambda plain: plain.update(bed_targets={"140100": "many"}),
        lambda plain: plain.update(bed_targets=None),
        lambda plain: plain.update(overrides=[{"key": 1}]),
        lambda plain: plain.update(closed_counties="140105"),
        lambda plain: plain.update(stations_count=200.5),
        lambda plain: plain.update(beds_convert_share="a fifth"),
        lambda plain: plain.update(beds_convert_share=None),
        lambda plain: plain.update(beds_pins={"140105": "900"}),
        lambda plain: plain.update(beds_lean={"oncology": "1/0"}),
        lambda plain: plain.update(beds_lean={"oncolgy": "0.1"}),
        lambda plain: plain.update(facilities=None),
        lambda plain: plain.update(beds_objectives=["worst", "worst"]),
    ],
)
def test_a_spoilt_dict_is_refused(spoil):
    plain = load_scenario("shanxi-2025").as_dict()
    spoil(plain)
    with pytest.raises(ScenarioRejected):
        scenario_from(plain)


# -- the bed policy --------------------------------------------------------------------------------------------------


def test_every_setting_of_the_bed_policy_can_be_stated(write):
    (write("", "x.toml").parent / "hospitals.csv").write_text("x", "utf-8")
    scenario = load_scenario(
        write(
            """
[population]
year = 2030
growth = { 140100 = 8.5, 141100 = -3 }
[beds]
rule = "up_to"
objectives = ["worst", "even"]
leeway = 0.05
may_bend = ["tcm_hospital"]
access_weights = [1, 0.5]
hospital_least = 30
convert_share = 0.29
national_reserve = 0
facilities = "hospitals.csv"
facilities_complete = true
freeze = "all"
freeze_hosts_exempt = false
freeze_area_per_bed = 80.5
budget = 900_000
cost_new = 45.5
cost_convert = 0
pins = { 140105 = 9000 }
lean.oncology = 0.2
weights = { worst = 3, even = 0.5 }
staff = { 140100 = 90_000 }
nurses.140200 = 9000
doctors.140200 = 8000
[surge]
inpatients_per_10000 = 6.5
icu_percent = 12
convertible_percent = 15
[evaluation]
weights = "equal"
"""
        )
    )
    assert scenario.population_year == 2030
    assert scenario.population_growth == {"140100": Fraction(17, 2), "141100": Fraction(-3)}
    assert (scenario.beds_rule, scenario.beds_objectives) == ("up_to", ("worst", "even"))
    assert (scenario.beds_leeway, scenario.beds_may_bend) == (Fraction(1, 20), ("tcm_hospital",))
    assert (scenario.beds_access_weights, scenario.beds_hospital_least) == ((1.0, 0.5), 30)
    assert (scenario.beds_convert_share, scenario.beds_national_reserve) == (Fraction(29, 100), Fraction(0))
    assert scenario.facilities == str(write("", "x.toml").parent.resolve() / "hospitals.csv")
    assert (scenario.facilities_complete, scenario.freeze_rule, scenario.freeze_hosts_exempt) == (True, "all", False)
    assert (scenario.freeze_area_per_bed, scenario.beds_budget) == (80.5, 900_000)
    assert (scenario.beds_cost_new, scenario.beds_cost_convert) == (Fraction(91, 2), Fraction(0))
    assert scenario.beds_pins == {"140105": 9000}
    assert list(scenario.beds_lean.items()) == [
        ("oncology", Fraction(1, 5)),
        ("critical", Fraction(1, 20)),
        ("rehabilitation", Fraction(1, 10)),
        ("nursing", Fraction(1, 10)),
    ]
    assert scenario.beds_weights == {"worst": 3.0, "even": 0.5}
    assert (scenario.beds_staff, scenario.beds_nurses) == ({"140100": 90_000}, {"140200": 9000})
    assert scenario.beds_doctors == {"140200": 8000}
    assert (scenario.surge_inpatients, scenario.surge_icu_percent) == (Fraction(13, 2), 12)
    assert (scenario.surge_convertible_percent, scenario.evaluation_weights) == (15, "equal")
    stated = {each.key: (each.old, each.new) for each in scenario.overrides}
    assert stated["population.growth.140100"] == ("—", "8.5")
    assert stated["beds.objectives"] == ("shortfall, equal, change", "worst, even")
    assert stated["beds.access_weights"] == ("1, 0.68, 0.22", "1, 0.5")
    assert stated["beds.freeze_hosts_exempt"] == ("true", "false")
    assert stated["beds.facilities"] == ("—", "hospitals.csv")
    assert stated["beds.pins.140105"] == ("—", "9000")
    assert stated["beds.lean.oncology"] == ("0.05", "0.2")
    assert len(stated) == 30
    assert scenario.lines["beds.nurses.140200"] == ("mine.toml", 26)
    assert scenario_from(json.loads(json.dumps(scenario.as_dict()))) == scenario


def test_every_setting_is_said_in_both_languages(write):
    """Each setting has a label, each choice a word, each override two sides that hold no machine word."""
    scenario = load_scenario("shanxi-2025")
    other = vary(
        scenario,
        beds_rule="up_to",
        beds_objectives=("cost", "travel"),
        beds_may_bend=("tcm_hospital",),
        freeze_hosts_exempt=False,
        freeze_rule="all",
        evaluation_weights="equal",
        stations_goal="best_n",
        beds_lean={"oncology": Fraction(1, 10)},
        beds_pins={"140105": 9000},
    )
    for lang in ("zh", "en"):
        words = load_words(lang)
        for setting in ALL_SETTINGS:
            assert setting.field == "title" or words(f"report.setting.{setting.field}")
            value = getattr(other, setting.field)
            said = [in_words(setting, value[place], {}, words) for place in value] if setting.by else None
            assert all(said) if setting.by else in_words(setting, value, {}, words)
            assert all(f"value.{setting.words}.{word}" in words for word in setting.choices)
            assert setting.by != "word" or [said_place(setting, word, {}, words) for word in setting.choices]
        for override in other.overrides:
            assert override_label(override, words)
            assert not {"up_to", "travel", "tcm_hospital", "false", "all", "best_n"} & set(
                override_sides(override, words)
            )
    zh = load_words("zh")
    sides = {each.key: override_sides(each, zh) for each in other.overrides}
    assert (
        sides["beds.objectives"][1] == f"{zh('value.objective.cost')}{zh('report.then')}{zh('value.objective.travel')}"
    )
    assert sides["beds.lean.critical"] == ("0.05", "—")  # what a variant takes away is told too
    assert (sides["beds.pins.140105"], sides["beds.may_bend"][0]) == (("—", "9000"), "—")


def test_the_words_of_choices_fit_their_own_settings():
    for setting in ALL_SETTINGS:
        if setting.choices and not setting.by:
            whole = setting.choices if setting.kind in ("objectives", "words") else setting.choices[-1]
            assert checked(setting, whole) == whole
        assert setting_of(setting.key) is setting
        assert setting_of(f"{setting.key}.140100") is (setting if setting.by else None)


def test_exact_settings_keep_what_a_float_would_lose(write):
    scenario = load_scenario(write("beds.convert_share = 0.29"))
    assert scenario.beds_convert_share * 100 == 29 and 0.29 * 100 != 29
    assert vary(scenario, beds_convert_share=0.58).beds_convert_share == Fraction(58, 100)


def test_a_table_of_an_extended_file_is_added_to_figure_by_figure(write):
    write("[beds]\npins = { 140105 = 9000, 140106 = 4000 }\nweights = { shortfall = 2, change = 1 }\n", "a.toml")
    text = 'extends = "a"\n[beds]\nobjectives = ["shortfall"]\npins.140106 = 5000\nweights.change = 0\n'
    scenario = load_scenario(write(text))
    assert scenario.beds_pins == {"140105": 9000, "140106": 5000}
    assert scenario.beds_weights == {"shortfall": 2.0, "change": 0.0}
    assert Override("beds.pins.140106", "4000", "5000") in scenario.overrides


def test_a_facility_table_lies_beside_the_file_that_states_it(write, monkeypatch, tmp_path):
    path = write('[beds]\nfacilities = "data/hospitals.csv"\n', "a.toml")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hospitals.csv").write_text("x", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    scenario = load_scenario(write('extends = "a"'))
    assert scenario.facilities == str((tmp_path / "data" / "hospitals.csv").resolve())
    assert scenario.lines["beds.facilities"] == ("a.toml", 2)
    monkeypatch.chdir(path.parent)
    assert scenario.as_dict()["facilities"] == "./data/hospitals.csv"  # no path of this machine in what is published
    assert scenario_from(scenario.as_dict()) == scenario
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert scenario_from(scenario.as_dict()) == scenario


def test_a_shipped_facility_table_is_named_without_its_place(monkeypatch, tmp_path):
    scenario = load_scenario("hospital-freezes")
    for folder in (ROOT, ROOT / "scenarios", tmp_path):
        monkeypatch.chdir(folder)
        plain = scenario.as_dict()
        assert plain["facilities"] == "hospitals-example.csv"
        assert scenario_from(plain) == scenario
    (tmp_path / "hospitals-example.csv").write_text("another", "utf-8")
    assert scenario_from(scenario.as_dict()) == scenario
    own = vary(scenario, facilities=str(tmp_path / "hospitals-example.csv"))
    assert own.as_dict()["facilities"] == "./hospitals-example.csv"
    assert scenario_from(own.as_dict()) == own != scenario


def test_a_variant_in_python_is_checked_with_its_tables():
    scenario = load_scenario("shanxi-2025")
    with pytest.raises(ScenarioRejected) as rejected:
        replace(
            scenario,
            beds_pins={140105: 9000, "140106": -1},
            beds_lean={"oncolgy": 1},
            beds_weights=[1],
            beds_objectives="worst",
            population_growth={"140100": float("nan")},
        )
    assert {(fault.column, fault.key) for fault in rejected.value.faults} == {
        ("beds.pins", "scenario_code"),
        ("beds.pins.140106", "scenario_range"),
        ("beds.lean.oncolgy", "scenario_unknown"),
        ("beds.weights", "scenario_table"),
        ("beds.objectives", "scenario_list"),
        ("population.growth.140100", "scenario_not_finite"),
    }
    with pytest.raises(ScenarioRejected):
        replace(scenario, beds_weights={"travel": 1})


def test_check_against_names_counties_of_pins(write):
    scenario = load_scenario(write("[beds.pins]\n140105 = 9000"))
    names = pd.Series({code: code for code in scenario.bed_targets}), pd.Series({"140106": "迎泽区"})
    region = SimpleNamespace(cities=pd.DataFrame({"name": names[0]}), counties=pd.DataFrame({"name": names[1]}))
    (fault,) = check_against(scenario, region)
    assert (fault.key, fault.row, fault.column) == ("scenario_county", 2, "beds.pins.140105")
    assert {setting.by for setting in TABLE_SETTINGS} == {"city", "county", "word"}


# -- what can be wrong -----------------------------------------------------------------------------------------------


def test_all_faults_at_once_each_with_its_line(write):
    text = """title = 5
stattions = 1
urban_km = 3
[stations]
urban_km = 5000
rural_km = "20km"
goal = "all"
rural_preferred_km = 30
count = true
closed_counties = ["140105",
  140106, "999999"]
detour_facter = 1.2
[staions]
a = 1
[beds]
targets = { 141101 = 6.0, 140100 = nan }
[solve]
seconds = inf
[centres]
national = ["140200"]
"""
    assert told(write(text)) == [
        (1, "title", "scenario_text"),
        (2, "stattions", "scenario_unknown"),
        (3, "urban_km", "scenario_unknown"),
        (5, "stations.urban_km", "scenario_metres"),
        (6, "stations.rural_km", "scenario_unit"),
        (7, "stations.goal", "scenario_stations_goal"),
        (8, "stations.rural_preferred_km", "scenario_preferred"),
        (9, "stations.count", "scenario_number"),
        (11, "stations.closed_counties", "scenario_code"),
        (11, "stations.closed_counties", "scenario_county"),
        (12, "stations.detour_facter", "scenario_unknown"),
        (13, "staions", "scenario_unknown"),
        (16, "beds.targets.140100", "scenario_not_finite"),
        (16, "beds.targets.141101", "scenario_city"),
        (18, "solve.seconds", "scenario_not_finite"),
        (20, "centres.national", "scenario_centre_twice"),
    ]


def test_a_message_names_file_line_key_value_and_remedy(write):
    (fault,) = faults_of(write("[stations]\nurban_km = 5000"))
    assert fault.tell(load_words("en")) == (
        "mine.toml · line 2 · stations.urban_km = 5000: looks like metres; the unit here is km. Write 5."
    )
    assert fault.tell(load_words("zh")).startswith("mine.toml · 第 2 行 · stations.urban_km = 5000: 像是以米为单位")


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("titel", "title"),
        ("urban_km", "stations.urban_km"),
        ("stations.urban", "stations.urban_km"),
        ("extend", "extends"),
        ("beds.target.x", "beds.targets"),
        ("centers.national", "centres"),
        ("beds.objective", "beds.objectives"),
        ("beds.steadiness", "beds.objectives"),
        ("beds.lean.critcal", "beds.lean.critical"),
        ("population.growths.x", "population.growth"),
    ],
)
def test_an_unknown_key_names_the_nearest(write, key, nearest):
    (fault,) = faults_of(write(f"{key} = 1"))
    assert (fault.key, fault.params) == ("scenario_unknown", {"nearest": nearest})


def test_a_key_like_nothing_known_lists_what_there_is(write):
    (fault,) = faults_of(write("吃饭 = 1".replace("吃饭", '"吃饭"')))
    assert fault.key == "scenario_unknown_all" and "stations.urban_km" in fault.params["known"]


def test_a_quoted_dot_is_no_table(write):
    assert told(write('"stations.urban_km" = 3')) == [(1, "stations.urban_km", "scenario_unknown")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("stations = 5", "scenario_table"),
        ("beds.targets = 7.5", "scenario_table"),
        ('region = ""', "scenario_region"),
        ('region = "henan"', "scenario_region"),
        ('region = "https://example.org/x"', "scenario_region"),
        ('region = "/vsizip/x.zip"', "scenario_region"),
        ("region = 14", "scenario_text"),
        ('title = "a\\nb"', "scenario_title"),
        ("stations.count = 2.5", "scenario_whole"),
        ("stations.count = 0", "scenario_range"),
        ("stations.count = -1", "scenario_range"),
        ("stations.detour_factor = 0.5", "scenario_range"),
        ("stations.rural_km = 0", "scenario_range"),
        ("stations.rural_km = 20000", "scenario_metres"),
        ("beds.reach_km = 30_000.0", "scenario_metres"),
        ("stations.urban_km = []", "scenario_number"),
        ("stations.urban_km = 2026-01-01", "scenario_number"),
        ('stations.closed_counties = "140105"', "scenario_list"),
        ('stations.closed_counties = ["小店区"]', "scenario_code"),
        ('centres.national = ["140105"]', "scenario_city"),
        ("centres = { national = [], provincial = [] }", "scenario_no_centre"),
        ("beds.targets.141100 = 600", "scenario_range_beds"),
        ('beds.targets.141100 = "6.00"', "scenario_number"),
        ("beds.targets.141100 = 1e400", "scenario_not_finite"),
        ("beds.targets.141100 = 1e-400", "scenario_range_beds"),
        ("ambulances.persons_per_vehicle = 3", "scenario_range"),
        (f"ambulances.persons_per_vehicle = {'9' * 400}", "scenario_range"),
        (f"ambulances.persons_per_vehicle = 0x{'f' * 5000}", "scenario_range"),
        (f"ambulances.persons_per_vehicle = {'9' * 5000}", "scenario_syntax"),
        ("solve.seconds = 0", "scenario_range"),
        ("beds.steadiness = 0.1", "scenario_unknown"),
        ('beds.rule = "most"', "scenario_beds_rule"),
        ("beds.rule = 1", "scenario_beds_rule"),
        ('beds.freeze = "some"', "scenario_freeze_rule"),
        ('evaluation.weights = "topsis"', "scenario_evaluation_weights"),
        ('beds.objectives = "worst"', "scenario_list"),
        ("beds.objectives = []", "scenario_objectives_empty"),
        ('beds.objectives = ["worst", "evn"]', "scenario_word"),
        ("beds.objectives = [[1], 2.5, nan]", "scenario_word"),
        ('beds.objectives = ["worst", "even", "worst"]', "scenario_word_twice"),
        ('beds.may_bend = ["pin"]', "scenario_word"),
        ("beds.leeway = 0.6", "scenario_range"),
        ("beds.access_weights = 1", "scenario_list"),
        ("beds.access_weights = []", "scenario_weights"),
        ("beds.access_weights = [1, 0.5, 0]", "scenario_weights"),
        ("beds.access_weights = [1e-400]", "scenario_weights"),
        ("beds.access_weights = [1, 1, 1, 1, 1, 1, 1]", "scenario_weights"),
        ("beds.access_weights = [1, 0.2, 0.3]", "scenario_weights_rising"),
        ('beds.access_weights = [1, "x"]', "scenario_number"),
        ("beds.access_weights = [true]", "scenario_number"),
        ("beds.hospital_least = 0", "scenario_range"),
        ("beds.convert_share = 20", "scenario_share"),
        ("beds.convert_share = -0.1", "scenario_range"),
        ("beds.national_reserve = 1000", "scenario_range"),
        ('beds.facilities_complete = "yes"', "scenario_switch"),
        ("beds.freeze_hosts_exempt = 1", "scenario_switch"),
        ("beds.facilities_complete = true", "scenario_complete_without_table"),
        ("beds.facilities = 5", "scenario_text"),
        ('beds.facilities = "nowhere.csv"', "scenario_facilities"),
        ('beds.facilities = "http://a/b.csv"', "scenario_file"),
        ('beds.facilities = "a\\u001b.csv"', "scenario_file"),
        ("beds.budget = 1.5", "scenario_whole"),
        ("beds.budget = -1", "scenario_range"),
        ("beds.cost_new = 100_000", "scenario_range"),
        ('beds.cost_new = "50万元"', "scenario_unit"),
        ("beds.pins.140105 = 5.5", "scenario_whole"),
        ("beds.pins.140105 = -5", "scenario_range"),
        ("beds.pins.140100 = 5", "scenario_county"),
        ("beds.pins = [1]", "scenario_table"),
        ("beds.lean.oncolgy = 0.1", "scenario_unknown"),
        ("beds.lean.oncology = 0.9", "scenario_lean_sum"),
        ("beds.lean.oncology = 10", "scenario_share"),
        ("beds.weights.evn = 1", "scenario_unknown"),
        ("beds.weights.travel = 1", "scenario_weight_unlisted"),
        ("beds.weights = { change = 0, travel = 0 }", "scenario_weights_zero"),
        ("beds.staff.140105 = 5", "scenario_city"),
        ("beds.nurses.吕梁 = 5".replace("吕梁", '"吕梁"'), "scenario_city"),
        ("beds.doctors.140100 = nan", "scenario_not_finite"),
        ("population.year = 30", "scenario_year"),
        ("population.year = 2030.0", "scenario_year"),
        ("population.growth.140100 = 101", "scenario_range"),
        ("population.growth.140100 = -51", "scenario_range"),
        ("population.growth.140105 = 1", "scenario_city"),
        ("surge.inpatients_per_10000 = 2000", "scenario_range"),
        ("surge.icu_percent = 101", "scenario_range"),
    ],
)
def test_a_value_that_does_not_fit(write, text, key):
    assert [fault.key for fault in faults_of(write(text))] == [key]


@pytest.mark.parametrize(
    ("text", "row", "key"),
    [
        ("title = \n", 1, "scenario_syntax"),
        ("\n\n[stations\nurban_km = 3", 3, "scenario_syntax"),
        ('title = "a"\ntitle = "b"', 2, "scenario_twice"),
        ("[beds]\n[stations]\n[beds]", 3, "scenario_twice"),
        ("title = '''a\n\n", 3, "scenario_syntax"),
        ("a = " + "[" * 20_000, None, "scenario_syntax"),
        ("#" * 70_000, None, "scenario_large"),
    ],
)
def test_what_is_no_toml_is_one_fault_with_its_line(write, text, row, key):
    assert [(fault.row, fault.key) for fault in faults_of(write(text))] == [(row, key)]


def test_a_byte_order_mark_is_forgiven_and_other_encodings_are_told(write):
    text = 'title = "方案"\n'
    assert load_scenario(write(text, encoding="utf-8-sig")).title == "方案"
    assert load_scenario(write(text.replace("\n", "\r\n"))).title == "方案"
    for raw in (text.encode("gbk"), text.encode("utf-16"), text.encode("utf-16-le"), b"PK\x03\x04\xff\xfe"):
        assert [fault.key for fault in faults_of(write(raw))] == ["scenario_encoding"]


def test_a_folder_or_nothing_at_the_path(tmp_path):
    assert [fault.key for fault in faults_of(tmp_path)] == ["scenario_missing"]
    (fault,) = faults_of(tmp_path / "shanxi-2052.toml")
    assert fault.params == {"known": "shanxi-2025"}


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "con.x",
        "nul",
        "LPT1",
        "a" * 300,
        "..",
        ".hidden",
        "-rf",
        "a?b",
        "a*b",
        "a:b",
        'a"b',
        "a|b",
        "a\nb",
        "a\x1b[2Jb",
    ],
)
def test_a_hostile_name_is_refused_before_it_names_a_folder(tmp_path, name):
    assert not is_name(name)
    assert "scenario_name" in [fault.key for fault in faults_of(str(tmp_path / name) + ".toml")]


@pytest.mark.parametrize("name", ["shanxi-2025", "吕梁 6张", "吕梁\u30006张", "a" * 60, "v1.2"])
def test_an_honest_name_is_kept(write, name):
    assert load_scenario(write("", f"{name}.toml")).name == name


@pytest.mark.parametrize(
    ("extends", "key"),
    [
        ('"../a.toml"', "scenario_extends_path"),
        ('"/etc/passwd"', "scenario_extends_path"),
        ('"C:\\\\a.toml"', "scenario_extends_path"),
        ('"~/a.toml"', "scenario_extends_path"),
        ('"con.toml"', "scenario_extends_path"),
        ('""', "scenario_extends_path"),
        ('"nowhere"', "scenario_extends_missing"),
        ("5", "scenario_text"),
        ('"mine.toml"', "scenario_extends_cycle"),
        ('"round.toml"', "scenario_extends_cycle"),
    ],
)
def test_what_cannot_be_extended(write, extends, key):
    write('extends = "mine.toml"', "round.toml")
    faults = faults_of(write(f"# first\nextends = {extends}"))
    assert [fault.key for fault in faults] == [key]
    assert faults[0].row == (1 if "round" in extends else 2)


def test_faults_of_an_extended_file_are_told_under_its_own_name(write):
    write("\n[stations]\nurban_km = -1\n", "parent.toml")
    faults = faults_of(write('extends = "parent"\n[beds]\nreach_km = "x"\n'))
    assert [(fault.file, fault.row) for fault in faults] == [("mine.toml", 3), ("parent.toml", 3)]


def test_control_signs_never_reach_the_terminal(write):
    (fault,) = faults_of(write('"a\\u001b[2J" = 1'))
    assert "\x1b" not in fault.tell(load_words("zh"))
    assert shown("a\x1b\n" + "b" * 200) == "a\ufffd\ufffd" + "b" * 76 + "…"
    assert printable("\u3000全角\u00a0a\nb\x9b\u202e") == "\u3000全角\u00a0a\nb\ufffd\ufffd"


# -- beside a region -------------------------------------------------------------------------------------------------


def region_folder(tmp_path, cities):
    folder = tmp_path / "region"
    folder.mkdir()
    (folder / "cities.csv").write_text("code,name\n" + "".join(f"{c},{n}\n" for c, n in cities.items()), "utf-8")
    (folder / "counties.csv").write_text("code,name\n410102,中原区\n", "utf-8")
    return folder


def test_a_region_of_ones_own_lies_beside_the_scenario(tmp_path, write):
    folder = region_folder(tmp_path, {"140100": "太原市", "410100": "郑州市"})
    faults = faults_of(write('region = "region"'))
    assert [(fault.key, fault.column) for fault in faults] == [("scenario_no_target", "beds.targets.410100")]
    scenario = load_scenario(write('region = "region"\nbeds.targets.410100 = 8\nstations.closed_counties = ["410102"]'))
    assert scenario.region == str(folder)
    assert scenario.bed_targets == {"140100": 11, "410100": 8}
    assert (scenario.national_centres, scenario.provincial_centres) == (("140100",), ())


def test_check_against_names_what_the_region_does_not_have(write):
    scenario = load_scenario(write('[stations]\n\nclosed_counties = ["140105"]'))
    names = pd.Series({"140100": "太原市"}), pd.Series({"140106": "迎泽区"})
    region = SimpleNamespace(cities=pd.DataFrame({"name": names[0]}), counties=pd.DataFrame({"name": names[1]}))
    faults = check_against(scenario, region)
    closed = next(fault for fault in faults if fault.key == "scenario_county")
    assert (closed.file, closed.row, closed.params) == ("mine.toml", 3, {"nearest": "140106 迎泽区"})
    assert sum(fault.key == "scenario_city" for fault in faults) == 10 + 4  # ten targets and four centres elsewhere


# -- whatever a hand or an editor does to a file ---------------------------------------------------------------------

GOOD = (ROOT / "scenarios" / "shanxi-2025.toml").read_text(encoding="utf-8") + (
    'closed_counties = ["140105"]\nurban_km = 4.5\n[beds]\nreach_km = 25\nrule = "up_to"\nobjectives = ["worst"]\n'
    "access_weights = [1, 0.5]\nbudget = 900_000\nfreeze_hosts_exempt = false\n[beds.targets]\n141100 = 6.00\n"
    "[beds.lean]\noncology = 0.2\n[beds.pins]\n140105 = 9000\n[population]\nyear = 2030\ngrowth = { 140100 = 8 }\n"
    '[surge]\nicu_percent = 9\n[evaluation]\nweights = "equal"\n'
    '[ambulances]\npersons_per_vehicle = 25_000\n[centres]\nnational = ["140100"]\n[solve]\nseconds = 9\n'
)
PIECES = [
    "nan",
    "-inf",
    "1e999",
    "[",
    "]",
    "{",
    "}",
    "=",
    '"',
    "'",
    "\n",
    "#",
    ".",
    "\x00",
    "\ufeff",
    "=[]",
    "='x'",
    "true",
]
PIECES += [
    "5km",
    "99999",
    "-1",
    "[[beds]]",
    "extends='x'",
    "0x" + "f" * 40,
    "2026-01-01",
    "beds.targets.1=1\n",
    "\\",
    "\r",
]


@st.composite
def mutated(draw):
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from(["", *PIECES]) | st.text(max_size=4)) + text[at + cut :]
    return text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_a_mutated_file_is_a_scenario_or_is_refused_in_words(write, text):
    path = write(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load_scenario(path), Scenario)
    except ScenarioRejected as rejected:
        for fault in rejected.faults:
            assert fault.tell(load_words("zh")) and fault.tell(load_words("en"))


def test_the_text_that_is_mutated_is_good(write):
    assert load_scenario(write(GOOD)).persons_per_ambulance == 25_000
