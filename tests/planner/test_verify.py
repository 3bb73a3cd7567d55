"""The verifier passes what a run writes, and finds every single thing that is changed in it afterwards.

The plan under test is a real one of two cities (Taiyuan and Yangquan, 24 stations: some people stay out of reach), with
everything a scenario can ask of beds: hospitals of which some may not grow, a pinned county, limits of staff and money,
people who grow in number, an epidemic. Each tampered copy has its manifest made right again, so that only working the
figures out anew can find what was changed.
"""

import csv
import hashlib
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod
from shapely import Point, to_wkb

import planner.verify.folder
from geo.demand import build_demand
from geo.region import EMBEDDED
from geo.words import load_words
from planner.report.outputs import write_outputs
from planner.report.tables import published
from planner.scenario import load_scenario
from planner.settings import FILE_SETTINGS, MAY_BEND
from planner.study import decide, prepare
from planner.verify import verify_folder, verify_plan
from planner.verify.facts import Facts, largest_remainder
from planner.verify.shapes import CODES, DECIMALS, FIGURES, KINDS, TABLES, TEXTS
from tests import town

CITIES = ("140100", "140300")
SCENARIO = """
title = "两市方案"
region = "region"
[stations]
goal = "best_n"
count = 24
options = 2
options_differ = 2
curve_points = 5
hospital_based = ["140106", "140321"]
[ambulances]
negative_pressure_share = 0.4
[ambulances.uplift]
140321 = 50
[centres]
national = ["140100"]
provincial = ["140300"]
[beds]
objectives = ["equal", "shortfall", "change"]
facilities = "hospitals.csv"
freeze_area_per_bed = 60
budget = 2_000_000
[beds.pins]
140321 = 1800
[beds.staff]
140100 = 120_000
[beds.nurses]
140300 = 9_000
[population.growth]
140300 = 2.5
[surge]
inpatients_per_10000 = 25
"""
HOSPITALS = """
id,name,county_code,owner,kind,beds,occupancy,stay_days,staff,floor_area,host,may_grow
H01,=第一医院,140105,city_and_above,general,900,74.9,8.5,1700,63000,,
H02,第二医院,140106,city_and_above,general,1200,91,9.1,2000,90000,是,
H03,第三医院,140107,county_and_primary,general,300,80,7,480,17000,,
H04,第四医院,140107,county_and_primary,general,200,85,8,400,15000,,
H05,第五医院,140302,county_and_primary,general,250,,,410,,,否
H06,肿瘤医院,140106,city_and_above,oncology,300,95,8,600,24000,,
H07,民营医院,140105,private,tcm,120,50,12,100,3000,,
H08,中医医院,140311,county_and_primary,tcm,150,70,9,200,9000,,
H09,厂矿医院,140303,other_public,general,80,60,9,140,5000,,
H10,县医院,140321,county_and_primary,general,350,82,8.8,600,22000,,
"""


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Return (prepared, plan, folder) of a full run on two cities."""
    home = tmp_path_factory.mktemp("verify")
    _two_cities(home / "region")
    (home / "two.toml").write_text(SCENARIO, encoding="utf-8")
    (home / "hospitals.csv").write_text(HOSPITALS.lstrip(), encoding="utf-8")
    scenario = load_scenario(home / "two.toml")
    prepared = prepare(scenario)
    plan = decide(prepared, scenario)
    write_outputs(plan, prepared, home / "out", load_words("zh"))
    return prepared, plan, home / "out"


def _two_cities(folder):
    folder.mkdir()
    source, codes = EMBEDDED / "shanxi", set()
    for name in ("cities.csv", "counties.csv", "settlements.csv", "townships.csv", "sources.csv"):
        frame = pd.read_csv(source / name, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        if name == "cities.csv":
            frame = frame[frame["code"].isin(CITIES)]
        if name == "counties.csv":
            frame = frame[frame["city_code"].isin(CITIES)]
            codes = set(frame["code"])
        if "county_code" in frame:
            frame = frame[frame["county_code"].isin(codes)]
        frame.to_csv(folder / name, index=False)
    counties = gpd.read_file(source / "boundaries.gpkg", layer="county")
    counties = counties[counties["code"].isin(codes)]
    cities = gpd.read_file(source / "boundaries.gpkg", layer="city")
    province = gpd.read_file(source / "boundaries.gpkg", layer="province")
    province = province.set_geometry([counties.union_all()], crs=counties.crs)
    for layer, frame in (("county", counties), ("city", cities[cities["code"].isin(CITIES)]), ("province", province)):
        frame.to_file(folder / "boundaries.gpkg", layer=layer, driver="GPKG")


@pytest.fixture(autouse=True)
def built_once(monkeypatch):
    """Build the demand and the facts of the same inputs once for all copies: most of the time that a copy takes."""
    monkeypatch.setattr(planner.verify.folder, "build_demand", _demand_of)
    for module in (planner.verify, planner.verify.folder):
        monkeypatch.setattr(module, "Facts", _facts_of)


DEMAND, FACTS = {}, {}


def _facts_of(scenario, region, standards, demand):
    files = [getattr(scenario, setting.field) for setting in FILE_SETTINGS]
    read = [Path(path).read_bytes() if path and Path(path).is_file() else None for path in files]
    key = (repr(scenario), *region.digest.values(), standards.digest, id(demand), *map(str, read))
    if key not in FACTS:
        FACTS[key] = Facts(scenario, region, standards, demand), demand  # held, so that no other gets its id
    return FACTS[key][0]


def _demand_of(region):
    key = tuple(region.digest.values())
    if key not in DEMAND:
        DEMAND[key] = build_demand(region)
    return DEMAND[key]


@pytest.fixture
def copy(run, tmp_path):
    """Return a copy of the published folder, to tamper with."""
    return Path(shutil.copytree(run[2], tmp_path / "out"))


# ---- what is right passes ------------------------------------------------------------------------


def test_the_untouched_folder_passes(run):
    checks = verify_folder(run[2])
    assert [check.tell(load_words("en")) for check in checks if not check.passed] == []
    parts = {check.name for check in checks}
    fleet = {"ambulances_by_city", "ambulances_by_station"}  # both are looked at as "ambulances"
    assert parts >= set(TABLES) - fleet | {"people", "ambulances", "station_wishes", "proofs", "files", "inputs"}
    assert parts >= {"manifest", "csv", "workbook", "layers"}


def test_every_check_is_told_in_both_languages(run):
    prepared, plan, folder = run
    for lang in ("zh", "en"):
        said = [check.tell(load_words(lang)) for check in verify_folder(folder)]
        assert all(said) and not any("{" in line for line in said)


FILES_OF_A_RUN = ("facilities", "existing_stations", "roads", "road_speeds")


def test_every_sentence_of_the_words_belongs_to_a_failure_or_a_part():
    """No sentence without a check, no check without a sentence: the keys in the package are those of the catalogue."""
    sources = "".join(
        path.read_text(encoding="utf-8") for path in Path(sys.modules["planner.verify"].__file__).parent.glob("*.py")
    )
    for lang in ("zh", "en"):
        for key in load_words(lang).section("verify"):
            _, _, word = key.partition(".")
            if word.removesuffix("_missing") in FILES_OF_A_RUN:  # one sentence for each kind of file
                continue
            assert re.search(rf'["\']{word}["\']', sources), key
    for key in re.findall(r'(?:\.fail|Unreadable)\(\s*"(\w+)"', sources):
        assert f"verify.bad.{key}" in load_words("zh"), key


def test_no_solver_is_imported():
    code = "import sys, planner.verify; print(sorted(m for m in sys.modules if m.split('.')[0] in ('pulp', 'highspy')"
    code += " or m.startswith(('planner.models', 'planner.services', 'planner.solve', 'planner.study', 'geo.ways'))))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    # The reader of a list of stations knows distances; the checks themselves have their own.
    own = Path(sys.modules["planner.verify"].__file__).parent.glob("*.py")
    assert not any(re.search(r"geo\.(travel|ways)", path.read_text(encoding="utf-8")) for path in own)


def test_both_doors_find_the_same(run):
    prepared, plan, folder = run
    tables, _ = published(plan.tables)
    for given in (plan.tables, tables):
        checks = verify(given, run)
        assert all(check.passed for check in checks)
        assert {(c.name, c.key) for c in checks} <= {(c.name, c.key) for c in verify_folder(folder)}


def test_the_whole_province_passes(default_run, tmp_path):
    write_outputs(default_run.plan, default_run.prepared, tmp_path / "out", load_words("zh"))
    assert said_of(tmp_path / "out") == []


@pytest.mark.parametrize(
    "people",
    [
        {},
        {"a": (0, 0)},
        {"a": (0, 9), "b": (7, 0)},
        {"d": (0, 0), "e": (0, 0)},  # a city without people
    ],
)
def test_a_drawn_province_passes(tmp_path, people):
    drawn = town.run(town.draw(tmp_path / "region", people=town.PEOPLE | people))
    plan, prepared = drawn.plan, drawn.prepared
    checks = verify_plan(
        plan.tables,
        plan.scenario,
        prepared.region,
        prepared.standards,
        proofs=plan.proofs,
        people=(plan.people_in,) * 2,
    )
    assert [check.tell(load_words("en")) for check in checks if not check.passed] == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "asked",
    [
        {"detour_factor": 1.3, "urban_km": 4.5, "rural_km": 17.3, "rural_preferred_km": 9.5},
        {"stations_goal": "cover_all"},
        {"stations_count": 60},
        {"urban_km": 0.6, "rural_km": 1.0, "rural_preferred_km": 0.7},  # nobody could cover everyone
        {"beds_reach_km": 80.0, "beds_access_weights": (1.0,), "beds_county_cap": 1.05, "beds_pins": {}},
        {"beds_objectives": ("shortfall", "worst", "even"), "beds_leeway": Fraction(1, 10)},
        {"beds_objectives": ("even",), "beds_access_weights": (1.0, 0.5, 0.25, 0.125), "detour_factor": 1.2},
        {"beds_objectives": ("worst", "travel", "cost")},
        {"beds_objectives": ("cost", "travel", "change")},
        {"beds_objectives": ("change", "worst")},
        {"beds_objectives": ("worst", "equal"), "beds_weights": {"worst": 1000, "equal": 0.5}},
        {"beds_objectives": ("worst",), "beds_weights": {"worst": 2}},
        {"beds_rule": "up_to", "beds_budget": 300_000},
        {"beds_may_bend": MAY_BEND, "beds_budget": 250_000, "beds_rule": "up_to"},
        {"facilities_complete": True},
        {"freeze_rule": "all", "freeze_hosts_exempt": False, "evaluation_weights": "equal"},
        {"facilities": "", "surge_inpatients": Fraction(0), "beds_pins": {}, "beds_staff": {}, "beds_nurses": {}},
        {"bed_targets": {"140100": Fraction(8), "140300": Fraction(7)}, "beds_may_bend": MAY_BEND},  # above its target
        {"persons_per_ambulance": 500_000},
        {"stations_goal": "gradual", "stations_by_city": True},
        {"stations_goal": "backup", "stations_by_city": True, "spacing_km": 4.0},
        {"stations_goal": "fair", "station_options": 0, "curve_points": 0},
        {"stations_goal": "cover_all", "spacing_km": 3.0, "rural_km": 25.0},
        {"ambulance_rule": "persons", "ambulance_uplift": {}},
        {"ambulance_rule": "double_standard", "ambulance_busy": Fraction(1, 2)},
        {"solve_seconds": 0.01},
    ],
)
def test_what_the_engine_decides_passes(run, asked):
    prepared, plan, _ = run
    changed = decide(prepared, replace(plan.scenario, **asked))
    assert [check for check in verify(changed.tables, run, changed.proofs, changed.scenario) if not check.passed] == []


def test_a_cancelled_plan_passes(run):
    prepared, plan, _ = run
    cancel = threading.Event()
    cancel.set()
    stopped = decide(prepared, plan.scenario, cancel=cancel)
    assert [check for check in verify(stopped.tables, run, stopped.proofs) if not check.passed] == []


@pytest.mark.thorough
def test_hostile_names_pass_unharmed(run, tmp_path):
    region = Path(shutil.copytree(run[0].region.folder, tmp_path / "region"))
    counties = pd.read_csv(region / "counties.csv", dtype=str, keep_default_na=False)
    counties.loc[: len(HOSTILE) - 1, "name"] = HOSTILE
    counties.to_csv(region / "counties.csv", index=False)
    scenario = replace(run[1].scenario, region=str(region), detour_factor=1.2)
    prepared = prepare(scenario)
    write_outputs(decide(prepared, scenario), prepared, tmp_path / "out", load_words("en"))
    assert said_of(tmp_path / "out") == []


HOSTILE = ["<img src=x onerror=alert(1)>", "${alert(1)}", "=1+1", "a\tb\x07c", "'=x", "@SUM", "＝1", "_x0041_name"]
HOSTILE += ["a\u202eb", "很长的名字" * 40, "  两头空  ", "a\nb"]


# ---- tampered copies -----------------------------------------------------------------------------


class Table:
    """One CSV table of a copy, edited as text and written back in its form."""

    def __init__(self, folder, name):
        self.path = folder / "tables" / f"{name}.csv"
        self.header, *self.rows = csv.reader(io.StringIO(self.path.read_text(encoding="utf-8-sig"), newline=""))

    def find(self, **values):
        """Return the first row that holds ``values``."""
        return next(r for r in self.rows if all(r[self.header.index(k)] == v for k, v in values.items()))

    def get(self, row, column):
        return row[self.header.index(column)]

    def set(self, row, **values):
        for column, value in values.items():
            row[self.header.index(column)] = str(value)

    def add(self, row, **amounts):
        for column, amount in amounts.items():
            self.set(row, **{column: int(self.get(row, column)) + amount})

    def number(self, row):
        """Return the row's number as an editor shows it."""
        return self.rows.index(row) + 2

    def save(self):
        with self.path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([self.header, *self.rows])


def seal(folder):
    """Make the manifest's hashes those of the files as they are now."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")


def failures(folder, part):
    """Return what the verifier says of ``part`` in English, after the hashes are made right."""
    seal(folder)
    checks = verify_folder(folder)
    assert "files" in {check.name for check in checks if check.passed}
    return [check.tell(load_words("en")) for check in checks if not check.passed and check.name == part]


def found(said, *parts):
    """Assert that one sentence names all of ``parts``."""
    assert any(all(str(part) in line for part in parts) for line in said), (parts, said[:10])


def new_station(stations):
    return stations.find(status="new")


def test_a_station_moved_300_metres(copy):
    stations = Table(copy, "stations")
    row = new_station(stations)
    before = stations.get(row, "lon")
    after = f"{float(before) + 0.0034:.6f}"
    stations.set(row, lon=after)
    stations.save()
    line = f"stations row {stations.number(row)} ({row[0]})"
    found(failures(copy, "stations"), line, '"lon"', after.rstrip("0"), before.rstrip("0"))


def test_a_station_deleted(copy):
    stations = Table(copy, "stations")
    row = new_station(stations)
    stations.rows.remove(row)
    stations.save()
    city = stations.get(row, "city_code")
    count = sum(stations.get(other, "city_code") == city for other in stations.rows)
    seal(copy)
    found(
        failures(copy, "ambulances"),
        "ambulances_by_city",
        f"({city})",
        '"stations"',
        f"holds {count + 1}",
        f"as {count}",
    )
    found(failures(copy, "stations"), "23 stations, 24 were asked for")


def test_the_station_of_a_seat_deleted(copy):
    stations = Table(copy, "stations")
    stations.rows.remove(stations.find(id="S140105"))
    stations.save()
    found(failures(copy, "stations"), "stations: the row", "S140105", "missing", "112.55941")


def test_a_bed_added_in_one_county(copy):
    quotas = Table(copy, "bed_quotas")
    row = quotas.find(code="140105", owner="city_and_above", kind="nursing")
    quotas.add(row, beds_plan=1)
    quotas.save()
    target = int(Table(copy, "beds_by_city").find(code="140100")[4])
    found(failures(copy, "beds_by_city"), "bed_quotas", "140100", f"sum to {target + 1}", f"target is {target}")
    found(failures(copy, "beds_by_county"), "beds_by_county row 2 (140105)", '"beds_plan"')


def test_a_bed_taken_below_what_is_to_be_kept(copy):
    """Known kinds are kept, and in all kinds together no owner loses a bed; the city's sum is made right elsewhere."""
    quotas = Table(copy, "bed_quotas")
    row = quotas.find(code="140106", owner="county_and_primary", kind="tcm")
    now = int(quotas.get(row, "beds_now"))
    beds = int(quotas.get(row, "beds_plan"))
    quotas.set(row, beds_plan=now - 1, beds_new=-1)
    quotas.add(quotas.find(code="140105", owner="county_and_primary", kind="tcm"), beds_plan=beds - now + 1)
    for kind in KINDS[3:]:
        quotas.set(quotas.find(code="140107", owner="city_and_above", kind=kind), beds_plan=0)
    quotas.save()
    said = failures(copy, "bed_quotas")
    line = f"bed_quotas row {quotas.number(row)} (140106 county_and_primary tcm)"
    found(said, line, f"{now - 1} planned", f"fewer than the {now} to be kept")
    found(said, "bed_quotas: 140107 city_and_above", "fewer than today's stock")


def test_a_private_bed_beyond_what_is_kept_free(copy):
    quotas = Table(copy, "bed_quotas")
    row = quotas.find(code="140105", owner="private")
    quotas.add(row, beds_plan=1, beds_new=1)
    quotas.save()
    beds = quotas.get(row, "beds_plan")
    line = f"bed_quotas row {quotas.number(row)} (140105 private general)"
    found(failures(copy, "bed_quotas"), line, f"{beds} planned", f"more than the {int(beds) - 1} allowed")
    found(failures(copy, "bed_rules"), "private of 140100", "must hold")


def test_a_pinned_county_and_an_infectious_hospital_too_small(copy):
    quotas = Table(copy, "bed_quotas")
    quotas.add(quotas.find(code="140321", owner="city_and_above", kind="nursing"), beds_plan=1)
    seat = Table(copy, "infectious").find(code="140100")[2]
    row = quotas.find(code=seat, owner="city_and_above", kind="infectious")
    quotas.set(row, beds_plan=999)
    quotas.save()
    said = failures(copy, "bed_rules")
    found(said, "pin of 140321 平定县 must hold: 1800 is asked, the plan has 1801")
    found(said, "infectious_hospital of 140100 太原市 must hold: 1000 is asked, the plan has 999")


def test_a_bed_for_a_hospital_that_may_not_grow(copy):
    hospitals = Table(copy, "facilities")
    row = hospitals.find(id="H01")
    hospitals.add(row, beds_new=1, beds_plan=1)
    hospitals.save()
    line = f"facilities row {hospitals.number(row)} (H01)"
    found(failures(copy, "facilities"), line, '"beds_new"', "holds 1", "may have no new beds")


def test_a_reason_left_out_and_one_told_twice(copy):
    freezes = Table(copy, "freezes")
    row = freezes.find(id="H03", rule="floor_area")
    freezes.rows.remove(row)
    freezes.rows.append(freezes.find(id="H02", rule="stay"))
    freezes.save()
    said = failures(copy, "freezes")
    found(said, "freezes: the row", "facility H03 floor_area", "is missing", "56.666667")
    found(said, "(facility H02 stay): repeats row")


def test_beds_moved_between_two_counties(copy):
    """The sums hold and nothing is lost: the reach and the solver's objective give it away."""
    quotas = Table(copy, "bed_quotas")
    for code, beds in (("140105", -40), ("140181", 40)):
        quotas.add(quotas.find(code=code, owner="city_and_above", kind="infectious"), beds_plan=beds)
    quotas.save()
    found(failures(copy, "beds_by_county"), "beds_by_county row", '"reach_plan_per_1000"')
    found(failures(copy, "proofs"), "model beds_equal", "objective stated as")
    found(failures(copy, "bed_objectives"), "bed_objectives row 2 (plan)", '"equal"')


def test_a_row_that_betters_the_best(copy):
    """Each objective made best alone is the best there can be: no other row may be better by it."""
    objectives = Table(copy, "bed_objectives")
    row = objectives.find(objective="cost")
    best = float(objectives.get(row, "cost"))
    objectives.set(row, cost=best + 1000)
    objectives.save()
    line = f"bed_objectives row {objectives.number(objectives.find(objective='change'))} (change)"
    found(failures(copy, "bed_objectives"), line, '"cost"', "which is called the best there can be")


def test_a_gap_beyond_the_leeway(copy):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    worth = manifest["proofs"]["beds_change"]["objective"]
    manifest["proofs"]["beds_change"] |= {"status": "within_gap", "bound": 0.99 * worth, "gap": 0.01}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found(failures(copy, "proofs"), "model beds_change", '"within_gap"', "gap of 0.01", "more than the 0.001 allowed")


def test_the_facility_table_changed_missing_or_not_named(copy, tmp_path):
    table = tmp_path / "hospitals.csv"
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["scenario"]["facilities"] = str(table)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found(said_of(copy), "hospitals.csv: the facility table of the run is no longer there")
    table.write_text(
        HOSPITALS.lstrip().replace("H01,=第一医院,140105,city_and_above,general,900", "H01,x,140105,城市,综合,9")
    )
    found(said_of(copy), "inputs cannot be read", "城市")
    table.write_text(HOSPITALS.lstrip().replace("general,900,74.9", "general,901,75"), encoding="utf-8")
    said = said_of(copy)
    found(said, "facilities/hospitals.csv: the input has changed", manifest["inputs"]["facilities"]["hospitals.csv"])
    found(said, "facilities row 2 (H01)", '"beds_now"', "holds 900", "as 901")
    found(said, 'facilities row 2 (H01), column "frozen": holds yes, worked out as no')
    manifest["inputs"]["facilities"] = {}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found(said_of(copy), "inputs.facilities is {}, not {hospitals.csv: sha256}")


def test_a_person_lost(copy):
    coverage = Table(copy, "coverage_by_county")
    row = coverage.find(code="140110", setting="rural")
    persons = int(coverage.get(row, "persons"))
    coverage.add(row, persons=-1, covered=-1)
    coverage.save()
    line = f"coverage_by_county row {coverage.number(row)} (140110 rural)"
    found(failures(copy, "coverage_by_county"), line, '"persons"', persons - 1, persons)


def test_covered_and_uncovered_people_swapped(copy):
    coverage = Table(copy, "coverage_by_city")
    row = coverage.find(code="140300", setting="rural")
    covered = int(coverage.get(row, "covered"))
    coverage.add(row, covered=100, uncovered=-100)
    coverage.save()
    line = f"coverage_by_city row {coverage.number(row)} (140300 rural)"
    found(failures(copy, "coverage_by_city"), line, '"covered"', covered + 100, covered)


def test_an_ambulance_dropped(copy):
    stations, cities = Table(copy, "stations"), Table(copy, "ambulances_by_city")
    row = max(
        (r for r in stations.rows if stations.get(r, "city_code") == "140100"),
        key=lambda r: int(stations.get(r, "ambulances")),
    )
    stations.add(row, ambulances=-1)
    stations.save()
    city = cities.find(code="140100")
    required = int(cities.get(city, "required"))
    cities.add(city, plan=-1)
    cities.save()
    found(
        failures(copy, "ambulances"),
        "ambulances_by_city row 2 (140100)",
        f"holds {required - 1}",
        f"must be {required}",
    )


def test_a_station_left_without_ambulance(copy):
    stations = Table(copy, "stations")
    row, other = [r for r in stations.rows if stations.get(r, "city_code") == "140300"][:2]
    vehicles = int(stations.get(row, "ambulances"))
    stations.add(row, ambulances=-vehicles)
    stations.add(other, ambulances=vehicles)
    stations.save()
    line = f"stations row {stations.number(row)} ({row[0]})"
    found(failures(copy, "ambulances"), line, '"ambulances"', "holds 0", "must be 1")


def test_an_ambulance_moved_to_where_fewer_people_are(copy):
    stations = Table(copy, "stations")
    at = [r for r in stations.rows if stations.get(r, "city_code") == "140100"]
    least, most = (pick(at, key=lambda r: int(stations.get(r, "persons"))) for pick in (min, max))
    stations.add(most, ambulances=-1)
    stations.add(least, ambulances=1)
    stations.save()
    line = f'ambulances_by_station row {stations.number(least)} ({least[0]}), column "ambulances"'
    found(failures(copy, "ambulances"), line)


def test_an_ambulance_with_fewer_people_to_its_name(run):
    """Shared by population alone: no vehicle may stand where fewer people are its own than at another station."""
    prepared, plan, _ = run
    asked = replace(plan.scenario, ambulance_rule="persons", ambulance_uplift={})
    shared = decide(prepared, asked)
    stations = shared.tables["stations"].copy()
    here = stations[stations["city_code"].eq("140100")]["persons"]
    least, most = here.idxmin(), here.idxmax()
    stations.loc[[most, least], "ambulances"] += [-1, 1]
    checks = verify(dict(shared.tables) | {"stations": stations}, run, shared.proofs, asked)
    said = [check.tell(load_words("en")) for check in checks if check.name == "ambulances" and not check.passed]
    found(said, "stations: in 140100", f"from {stations['id'][least]} to {stations['id'][most]}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("tier", "substation"), ("housing", "township_hospital"), ("investment", 123), ("status", "new")],
)
def test_what_a_station_is_and_costs(copy, column, value):
    """The station of a seat: a county station, of its own or in a hospital, there already, so it costs nothing."""
    stations = Table(copy, "stations")
    row = stations.find(id="S140321")
    before = stations.get(row, column)
    assert before == {"tier": "county", "housing": "hospital_based", "investment": "0", "status": "assumed"}[column]
    stations.set(row, **{column: value})
    stations.save()
    part = "stations" if column == "status" else "station_tiers"
    line = f'stations row {stations.number(row)} (S140321), column "{column}"'
    found(failures(copy, part), line, f"holds {value}", f"as {before}")


@pytest.mark.parametrize("column", ["persons", "bound", "status", "knee", "stations"])
def test_a_curve_that_does_not_fit(copy, column):
    """The first point is what the stations there are cover, the last one everybody; the knee is where it bends most."""
    curve = Table(copy, "coverage_curve")
    row = curve.rows[0] if column in ("persons", "knee") else curve.rows[-1]
    other = {"persons": int(row[1]) - 1, "bound": int(row[3]) - 1, "status": "proven", "knee": "yes"}
    curve.set(row, **{column: other.get(column, int(row[0]) + 1)})
    curve.save()
    said = failures(copy, "coverage_curve")
    if column == "stations":
        found(said, "coverage_curve: the row", str(int(row[0]) - 1), "is missing")
        return
    found(said, f"coverage_curve row {curve.number(row)} ", f'column "{column}"')


def test_a_curve_that_falls(copy):
    curve = Table(copy, "coverage_curve")
    before, row = curve.rows[1], curve.rows[2]
    curve.set(row, persons=int(curve.get(before, "persons")) - 1)
    curve.save()
    found(failures(copy, "coverage_curve"), f"{row[0]} stations", "fewer than")


def test_a_layout_that_is_the_plan_in_part(copy):
    """A further layout may name only sites that the plan does without."""
    options, stations = Table(copy, "station_options"), Table(copy, "stations")
    row = options.find(option="1")
    used = new_station(stations)
    options.set(
        row, **{key: stations.get(used, key) for key in ("id", "name", "county_code", "city_code", "lon", "lat")}
    )
    options.save()
    found(failures(copy, "station_options"), "layout 1: only")


def test_a_county_given_to_a_farther_centre(copy):
    catchments = Table(copy, "catchments")
    row = catchments.find(county_code="140105")
    catchments.set(row, centre_city_code="140300")
    catchments.save()
    line = f"catchments row {catchments.number(row)} (140105)"
    found(failures(copy, "catchments"), line, '"centre_city_code"', "holds 140300", "as 140100")


def test_a_distance_altered(copy):
    catchments = Table(copy, "catchments")
    row = catchments.find(county_code="140121")
    km = catchments.get(row, "km")
    catchments.set(row, km=f"{float(km) + 0.001:.3f}")
    catchments.save()
    line = f"catchments row {catchments.number(row)} (140121)"
    found(failures(copy, "catchments"), line, '"km"', f"{float(km) + 0.001:.3f}".rstrip("0"), km.rstrip("0"))


def test_a_verdict_flipped(copy):
    compliance = Table(copy, "compliance")
    row = compliance.find(verdict="unmet")
    compliance.set(row, verdict="met")
    compliance.save()
    line = f"compliance row {compliance.number(row)} ({row[0]} {compliance.get(row, 'area_code')})"
    found(failures(copy, "compliance"), line, '"verdict"', "holds met", "as unmet")


def test_a_target_changed(copy):
    beds = Table(copy, "beds_by_city")
    row = beds.find(code="140300")
    target = int(beds.get(row, "beds_target"))
    beds.add(row, beds_target=-1)
    beds.save()
    found(failures(copy, "beds_by_city"), "beds_by_city row 3 (140300)", '"beds_target"', target - 1, target)


def test_an_interim_plan_called_optimal(copy):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    proof = manifest["proofs"]["stations_best_n"]
    proof |= {"status": "optimal", "gap": 0.01, "bound": proof["objective"] * 1.01}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found(failures(copy, "proofs"), "model stations_best_n", '"optimal"', "gap of 0.01", "not 0")


@pytest.mark.parametrize(
    ("model", "change", "said"),
    [
        ("stations_cover_all", {"objective": 30, "bound": 30}, "objective stated as 30"),
        ("centres_free", {"status": "proven"}, 'status "proven"'),
        ("centres_free", {"bound": None}, "bound is —"),
        ("beds_equal", {"gap": 0.5}, "gap stated as 0.5"),
        ("beds_change", {"status": "no_plan"}, "yet the tables hold its plan"),
        ("beds_shortfall", {"objective": 0.0, "bound": 0.0}, "objective stated as 0"),
        ("stations_cover_all", {"status": "infeasible"}, "yet the tables hold its plan"),
        (
            "stations_best_n",
            {"status": "within_gap", "bound": 1000.0, "gap": 0.99984},
            "better than its own bound 1000",
        ),
    ],
)
def test_a_proof_that_does_not_fit(copy, model, change, said):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["proofs"][model] |= change
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found(failures(copy, "proofs"), f"model {model}", said)


def test_a_headline_figure_changed(copy):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    right = manifest["figures"]["person_km_free"]
    manifest["figures"] |= {"person_km_free": right - 1, "person_km_documents": None, "invented": 1}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    said = failures(copy, "figures")
    found(said, "person_km_free", f"stated as {right - 1:.3f}".rstrip("0"), f"out as {right:.3f}".rstrip("0"))
    found(said, "person_km_documents", "stated as —")
    found(said, "invented", "stated as 1")


def test_an_uncovered_place_removed(copy):
    places = Table(copy, "uncovered_places")
    row = places.rows.pop(1)
    places.save()
    found(
        failures(copy, "uncovered_places"),
        "uncovered_places: the row",
        row[0],
        "missing",
        f"persons {places.get(row, 'persons')}",
    )


def test_a_code_that_lost_its_text_form(copy):
    beds = Table(copy, "beds_by_county")
    beds.set(beds.rows[3], city_code="140100.0")
    beds.save()
    found(failures(copy, "tables"), "beds_by_county row 5", '"city_code"', "'140100.0'", "six-digit code as text")


def test_a_cell_that_is_no_number(copy):
    beds = Table(copy, "beds_by_county")
    beds.set(beds.rows[0], persons="139万", beds_plan="")
    beds.save()
    said = failures(copy, "tables")
    found(said, "beds_by_county row 2", '"persons"', "'139万'", "a whole number")
    found(said, "beds_by_county row 2", '"beds_plan"', "''", "a whole number")
    found(failures(copy, "beds_by_county"), "not checked", "beds_by_county")


def test_a_byte_of_the_map_changed(copy):
    path = copy / "map.html"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = [check.tell(load_words("en")) for check in verify_folder(copy) if check.name == "files"]
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    assert len(said) == 1
    found(said, "map.html", hashlib.sha256(content).hexdigest(), manifest["files"]["map.html"])


# ---- copies of a table in other forms ------------------------------------------------------------


def rewrite_sheet(folder, machine_name, change):
    """Replace the text of the workbook's sheet whose table has the column ``machine_name`` only it has."""
    path = folder / "plan.xlsx"
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    shared = re.findall(r"<si><t[^>]*>(.*?)</t></si>", parts["xl/sharedStrings.xml"].decode(), re.S)
    index = shared.index(machine_name)
    sheets = [
        name
        for name in parts
        if name.startswith("xl/worksheets/sheet") and f"<v>{index}</v></c>" in parts[name].decode()
    ]
    name = next(name for name in sheets if re.search(rf't="s"><v>{index}</v>', parts[name].decode()))
    before = parts[name].decode()
    parts[name] = change(before).encode()
    assert parts[name] != before.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, content in parts.items():
            book.writestr(part, content)


def test_a_cell_of_the_workbook_differs(copy):
    target = Table(copy, "beds_by_city").find(code="140300")[4]
    rewrite_sheet(copy, "beds_target", lambda text: text.replace(f"<v>{target}</v>", f"<v>{int(target) + 5}</v>", 1))
    found(
        failures(copy, "workbook"),
        "plan.xlsx [",
        "E6 (beds_target)",
        f"holds {int(target) + 5}",
        f"beds_by_city.csv has {target}",
    )


def test_a_total_of_the_workbook_differs(copy):
    total = sum(int(row[4]) for row in Table(copy, "beds_by_city").rows)
    rewrite_sheet(copy, "beds_target", lambda text: text.replace(f"<v>{total}</v>", f"<v>{total + 1}</v>", 1))
    found(failures(copy, "workbook"), "plan.xlsx [", "E7 (beds_target)", f"holds {total + 1}", f"has {total}")


def test_a_code_of_the_workbook_is_a_number(copy):
    rewrite_sheet(
        copy, "beds_target", lambda text: re.sub(r'(<c r="A5" s="\d+") t="s"><v>\d+</v>', r"\1><v>140100</v>", text)
    )
    found(failures(copy, "workbook"), "A5 (code)", "140100", "has 140100")


def test_a_formula_in_the_workbook(copy):
    target = Table(copy, "beds_by_city").find(code="140300")[4]
    rewrite_sheet(copy, "beds_target", lambda text: text.replace(f"<v>{target}</v>", f"<f>1+1</f><v>{target}</v>", 1))
    found(failures(copy, "workbook"), "E6", "is a formula", target)


def test_a_formula_of_the_sheet_checked_by_hand_differs(copy):
    """The value it stands with is right, and what it adds up is not."""
    title = load_words("zh")("worksheet.title")
    rewrite_sheet(copy, title, lambda text: re.sub(r"<f>SUM\([^<]*</f>(<v>\d+</v>)", r"<f>1+1</f>\1", text, count=1))
    found(failures(copy, "workbook"), "plan.xlsx [", "holds 1+1", "has SUM(")


def change_layers(folder, *statements):
    """Run statements on the GeoPackage; its triggers, which need functions of GDAL, go first."""
    with sqlite3.connect(folder / "plan.gpkg") as base:
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        for statement, *values in statements:
            assert base.execute(statement, values).rowcount
    base.close()


def test_an_attribute_of_the_geopackage_differs(copy):
    plan = Table(copy, "beds_by_county").find(code="140105")[5]
    change_layers(copy, ("UPDATE counties SET beds_plan = beds_plan + 1 WHERE code = '140105'",))
    found(failures(copy, "layers"), "plan.gpkg [counties] row 1 (140105)", '"beds_plan"', int(plan) + 1, plan)


def test_a_demand_point_of_the_geopackage_differs(copy):
    change_layers(copy, ("UPDATE demand SET persons = persons + 1 WHERE fid = 7",))
    found(failures(copy, "layers"), "plan.gpkg [demand] row 7", '"persons"')


def test_a_point_of_the_geopackage_is_moved(copy):
    blob = b"GP\x00\x01" + (4490).to_bytes(4, "little") + to_wkb(Point(112.5, 37.5))
    change_layers(copy, ("UPDATE stations SET geom = ? WHERE fid = 3", blob))
    station = Table(copy, "stations").rows[2]
    found(failures(copy, "layers"), f"plan.gpkg [stations] row 3 ({station[0]})", "112.500000 37.500000", station[5])


def test_a_layer_removed(copy):
    change_layers(copy, ("DELETE FROM gpkg_contents WHERE table_name = 'catchments'",))
    found(failures(copy, "layers"), "no layer catchments")


# ---- broken folders are told, never raised -------------------------------------------------------


def said_of(folder):
    return [check.tell(load_words("en")) for check in verify_folder(folder) if not check.passed]


def test_nothing_there(tmp_path):
    found(said_of(tmp_path), "manifest.json", "cannot be read")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"jinyi": 1}', "\x00"])
def test_a_broken_manifest(copy, content):
    (copy / "manifest.json").write_text(content, encoding="utf-8")
    found(said_of(copy), "manifest.json")


def test_files_missing_and_foreign(copy):
    (copy / "tables" / "stations.csv").unlink()
    (copy / "plan.xlsx").unlink()
    (copy / "notes.txt").write_text("x")
    said = said_of(copy)
    for name in ("tables/stations.csv", "plan.xlsx"):
        found(said, f"{name}: the file is missing")
    found(said, "notes.txt: the manifest does not list")
    found(said, "stations: the table is missing")


def test_litter_of_office_programs_is_no_failure(copy):
    (copy / ".~lock.plan.xlsx#").write_text("x")
    (copy / "~$plan.xlsx").write_text("x")
    assert said_of(copy) == []


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["plan.xlsx", "plan.gpkg", "tables/stations.csv", "tables/compliance.csv"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00garbage", b"\xef\xbb\xbfid,id\n1,2\n", b"\xef\xbb\xbfa,b\n1\n"])
def test_a_broken_file(copy, name, content):
    (copy / name).write_bytes(content)
    seal(copy)
    found(said_of(copy), name)


def test_a_column_missing_and_one_too_many(copy):
    beds = Table(copy, "beds_by_city")
    beds.header[beds.header.index("beds_new")] = "beds_more"
    beds.save()
    seal(copy)
    said = said_of(copy)
    found(said, "tables/beds_by_city.csv: foreign columns beds_more")
    found(said, 'beds_by_city: the column "beds_new" is missing')


def test_the_inputs_have_changed(run, copy, tmp_path):
    """The region of today is another than the run's: its hash tells, and so do the figures."""
    region = Path(shutil.copytree(run[0].region.folder, tmp_path / "region"))
    counties = (region / "counties.csv").read_text(encoding="utf-8-sig")
    (region / "counties.csv").write_text(counties.replace("1398624,1310743", "1398623,1310742"), encoding="utf-8")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["scenario"]["region"] = str(region)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    said = said_of(copy)
    found(said, "region/counties.csv: the input has changed", manifest["inputs"]["region"]["counties.csv"])
    found(said, "beds_by_county row 2 (140105)", '"persons"', "1398624", "1398623")
    found(said, "people out", run[0].region.persons, run[0].region.persons - 1)
    shutil.rmtree(region)
    found(said_of(copy), "inputs cannot be read")


# ---- a plan in memory ----------------------------------------------------------------------------


def verify(tables, run, proofs=None, scenario=None):
    prepared, plan, _ = run
    people = (plan.people_in, plan.people_out)
    scenario = scenario or plan.scenario
    return verify_plan(
        tables,
        scenario,
        prepared.region,
        prepared.standards,
        prepared.demand,
        proofs=proofs or plan.proofs,
        people=people,
    )


KEYS = {
    **dict.fromkeys(("beds_by_city", "beds_by_county", "ambulances_by_city"), ("code",)),
    **dict.fromkeys(("bed_standards", "bed_staff", "infectious"), ("code",)),
    "bed_quotas": ("code", "owner", "kind"),
    "bed_structure": ("area_code", "part", "item"),
    "bed_rules": ("rule", "area_code"),
    "document_conflicts": ("conflict",),
    "facilities": ("id",),
    "freezes": ("scope", "id", "rule"),
    "access_summary": ("split",),
    "bed_objectives": ("objective",),
    "evaluation": ("phase", "code"),
    "evaluation_indicators": ("phase", "code", "indicator"),
    **dict.fromkeys(("coverage_by_city", "coverage_by_county"), ("code", "setting")),
    **dict.fromkeys(("stations", "stations_alternative", "ambulances_by_station"), ("id",)),
    "station_tiers": ("code",),
    "coverage_curve": ("stations",),
    "station_options": ("option", "id"),
    **dict.fromkeys(("catchments", "catchments_free", "centres_free"), ("county_code",)),
    "centres": ("city_code",),
    "uncovered_places": ("county_code", "setting", "lon", "lat"),
    "compliance": ("standard_id", "area_code"),
}
# Which rows these have is the plan's choice.
CHOSEN = ("stations", "stations_alternative", "station_options", "centres_free")
# The plan's own decisions are not worked out: changed, they no longer fit what follows from them.
DECISIONS = {("bed_quotas", "beds_plan"): "beds_new", ("stations", "ambulances"): "ambulances_by_city"}


@pytest.mark.thorough
@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_every_table_is_looked_at(run, table):
    """One cell changed in each column, by the least amount its printed form can show: each is named with its row."""
    tables = published(run[1].tables)[0]
    changed = tables[table].astype(object).copy()
    cells = {}
    for k, column in enumerate(changed.columns):
        if column not in KEYS[table]:
            # Of plans that are best by one objective alone nothing is told but their worth: that of this plan is row 0.
            # A further layout's figures stand in each of its rows: the last one is held against the first.
            cells[column] = {"bed_objectives": 0, "station_options": len(changed) - 1}.get(
                table, (7 * k + 3) % len(changed)
            )
            changed.iloc[cells[column], k] = other(table, column, changed.iloc[cells[column], k])
    said = [check.tell(load_words("en")) for check in verify(tables | {table: changed}, run) if not check.passed]
    for column, row in cells.items():
        if (table, column) in DECISIONS:
            found(said, DECISIONS[table, column])
        else:
            found(said, f"{table} row {row + 2} ", f'column "{column}"')


@pytest.mark.thorough
@pytest.mark.parametrize(("table", "column"), [(table, column) for table in KEYS for column in KEYS[table]])
def test_a_row_of_another_name_is_foreign_and_its_own_is_missed(run, table, column):
    tables = published(run[1].tables)[0]
    changed = tables[table].astype(object).copy()
    row, k = len(changed) // 2, changed.columns.get_loc(column)
    before = changed.iloc[row, k]
    changed.iloc[row, k] = other(table, column, before)
    said = [check.tell(load_words("en")) for check in verify(tables | {table: changed}, run) if not check.passed]
    if (table, column) == ("station_options", "option"):
        found(said, "station_options: rows", "out of order")
        return
    if table not in CHOSEN:
        found(said, f"{table}: the row", str(before).rstrip("0"), "is missing")
    found(said, f"{table} row {row + 2} (")


def other(table, column, value):
    """Return another value that a cell could hold: a changed digit, another word, a number next to it."""
    if column in CODES:
        return "140999" if column != "area_code" else "140998"
    if column in TEXTS:
        return value + "x"
    if value is None or value is pd.NA or np.isnan(value):
        return 1
    if column in FIGURES.get(table, ()):
        coarse = table == "compliance" or column == "travel"  # two solvers' answers are alike, not the same
        return round(value + 10.0 ** (-4 if coarse else -6), 6)
    return value + 1 if column not in DECIMALS else round(value + 10.0 ** -DECIMALS[column], 6)


@pytest.mark.thorough
@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_every_table_is_missed(run, table):
    tables = published(run[1].tables)[0]
    frame = tables[table]
    row = len(frame) // 2
    without = tables | {table: frame.drop(index=frame.index[row]).reset_index(drop=True)}
    if table != "station_options":  # a layout may differ from the plan by more sites than were asked for
        assert any(table in check.tell(load_words("en")) for check in verify(without, run) if not check.passed)
    twice = tables | {table: pd.concat([frame, frame.iloc[[row]]], ignore_index=True)}
    assert any("repeats row" in check.tell(load_words("en")) for check in verify(twice, run) if not check.passed)
    turned = tables | {table: frame.iloc[::-1].reset_index(drop=True)}
    assert any("out of order" in check.tell(load_words("en")) for check in verify(turned, run) if not check.passed)


def test_all_failures_are_told(run):
    tables = dict(published(run[1].tables)[0])
    for name in ("beds_by_city", "ambulances_by_city", "coverage_by_city"):
        frame = tables[name].copy()
        frame["persons"] += 1
        tables[name] = frame
    failed = [check for check in verify(tables, run) if not check.passed and check.key == "bad.cell"]
    assert len(failed) == sum(len(tables[name]) for name in ("beds_by_city", "ambulances_by_city", "coverage_by_city"))


@pytest.mark.parametrize("junk", [None, float("nan"), "x", [], -5, 10**18, True, "=1+1"])
def test_junk_in_memory_never_raises(run, junk):
    tables = published(run[1].tables)[0]
    broken = {table: frame.astype(object).map(lambda _: junk) for table, frame in tables.items()}
    failed = [check for check in verify(broken, run) if not check.passed]
    assert {"tables", "proofs"} <= {check.name for check in failed}


@pytest.mark.thorough
@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_codes_and_numbers_that_exist_nowhere_never_raises(run, table):
    frame = published(run[1].tables)[0][table].copy()
    for column in frame.columns:
        if column in CODES:
            frame[column] = "990000"
        elif column not in TEXTS:
            frame[column] = -(10**9)
    failed = [check for check in verify(dict(run[1].tables) | {table: frame}, run) if not check.passed]
    assert any(table in check.tell(load_words("en")) for check in failed)


def test_no_table_at_all_never_raises(run):
    assert {check.key for check in verify({}, run) if not check.passed} >= {"bad.table_missing", "bad.not_checked"}


def test_a_worse_choice_called_optimal_is_beaten(run):
    """A centre moved to the farthest seat, all that follows made right: one change back beats the bound it claims."""
    prepared, plan, _ = run
    counties = prepared.region.counties
    lon, lat = (np.tile(counties[key].to_numpy()[:, None], len(counties)) for key in ("seat_lon", "seat_lat"))
    apart = np.ceil(np.array(Geod(ellps="GRS80").inv(lon, lat, lon.T, lat.T)[2]) - 1e-6).astype(int)
    persons = counties["persons"].to_numpy()
    kept = counties.index.get_loc(plan.tables["centres_free"]["county_code"].iloc[0])
    totals = persons @ np.minimum(apart[:, [kept]], apart)
    totals[kept] = 0
    worst = int(totals.argmax())
    chosen = np.array(sorted({kept, worst}))
    nearest = chosen[apart[:, chosen].argmin(axis=1)]
    seats = counties.iloc[chosen].reset_index()
    centres = pd.DataFrame(
        {
            "name": seats["name"],
            "city_code": seats["city_code"],
            "county_code": seats["code"],
            "level": "free",
            "lon": seats["seat_lon"],
            "lat": seats["seat_lat"],
            "persons": [int(persons[nearest == i].sum()) for i in chosen],
        }
    )
    km = apart[:, chosen].min(axis=1) / 1000
    catchments = plan.tables["catchments_free"].assign(centre_county_code=counties.index[nearest], km=km)
    worth = float(persons @ apart[:, chosen].min(axis=1)) / 1e9
    claimed = plan.proofs | {"centres_free": replace(plan.proofs["centres_free"], objective=worth, bound=worth)}
    tables = dict(plan.tables) | {"centres_free": centres, "catchments_free": catchments}
    failed = [check for check in verify(tables, run, claimed) if not check.passed]
    assert "bad.proof_beaten" in {check.key for check in failed}
    assert {check.key for check in failed} <= {"bad.proof_beaten", "bad.free_is_dearer"}
    found([check.tell(load_words("en")) for check in failed], "model centres_free", f"{counties.index[worst]} -> ")


def test_a_needless_station_is_found(run):
    """The plan for everyone with one more station, called optimal at its own count."""
    prepared, plan, _ = run
    assert plan.scenario.stations_goal == "best_n"
    sites, frame = prepared.sites, plan.tables["stations_alternative"]
    spare = next(id for id in sites.index if id not in set(frame["id"]))
    more = pd.concat(
        [frame, sites.loc[[spare]].reset_index().assign(status="new", persons=0)[frame.columns]]
    ).sort_values("id")
    proof = replace(plan.proofs["stations_cover_all"], objective=len(more), bound=len(more))
    said = [
        check.tell(load_words("en"))
        for check in verify(
            dict(plan.tables) | {"stations_alternative": more.reset_index(drop=True)},
            run,
            plan.proofs | {"stations_cover_all": proof},
        )
        if check.name == "proofs" and not check.passed
    ]
    found(said, "model stations_cover_all", f"gives {len(more) - 1}", f"bound {len(more)}")


def test_a_closed_county_and_a_foreign_place(run):
    prepared, plan, _ = run
    closed = replace(plan.scenario, closed_counties=("140105",))
    said = [check.tell(load_words("en")) for check in verify(plan.tables, run, scenario=closed) if not check.passed]
    found(said, "(S140105): no station may stand in 140105")
    stations = plan.tables["stations"].copy()
    stations.loc[0, "id"] = "C140105-U-999999"
    stations.loc[4, "ambulances"] += 1
    stations.loc[4, "name"] = "别处"
    said = [
        check.tell(load_words("en"))
        for check in verify(dict(plan.tables) | {"stations": stations}, run)
        if not check.passed
    ]
    found(said, "stations row 2 (C140105-U-999999", "no such place")
    found(said, f"stations row 6 ({stations.loc[4, 'id']})", "别处")


def test_another_question_does_not_fit_the_plan(run):
    """The same tables against other radii, targets and centres: every part that depends on them fails."""
    plan = run[1]
    asked = replace(
        plan.scenario,
        urban_km=4.0,
        bed_targets=plan.scenario.bed_targets | {"140300": plan.scenario.bed_targets["140300"] + 1},
        persons_per_ambulance=20_000,
        national_centres=("140300",),
        provincial_centres=("140100",),
        beds_reach_km=40.0,
    )
    failed = {check.name for check in verify(plan.tables, run, scenario=asked) if not check.passed}
    assert failed >= {"beds_by_city", "beds_by_county", "coverage_by_city", "coverage_by_county", "uncovered_places"}
    assert failed >= {"ambulances", "centres", "proofs"}


# ---- its own arithmetic, on paper ----------------------------------------------------------------


def test_largest_remainder_on_paper():
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert largest_remainder(7, [50, 30, 20]) == [4, 2, 1]  # 3.5, 2.1, 1.4: the one left goes to the half
    assert largest_remainder(3, [1, 2, 1, 0]) == [1, 1, 1, 0]  # 0.75, 1.5, 0.75
    assert largest_remainder(0, [5, 5]) == [0, 0]
