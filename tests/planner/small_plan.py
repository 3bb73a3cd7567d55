"""A plan small enough for paper, no solver behind it: two cities, three counties, seven demand points, four stations.

A1 | A2 | B1        county squares of 0.3 degrees side by side; the seat s in the middle of each
u s| s  | s n       u, r: demand points; n: the one new station
  r|  r |   r r*    r*: beyond 20 km of every station
"""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import shapely

from geo.region import GEOGRAPHIC, Region, local_projection, project
from geo.travel import distances, is_covered
from geo.ways import straight
from planner.scenario import ASSUMED, Override, Scenario
from planner.services.proof import Proof
from planner.standards import load_standards

COUNTIES = ("140101", "140102", "140201")
CITY_OF = {"140101": "140100", "140102": "140100", "140201": "140200"}
NAMES = {"140100": "甲市", "140200": "乙市", "140101": "东县", "140102": "西县", "140201": "北县"}
WEST, SOUTH, SIDE = 112.0, 37.0, 0.3
BOUNDS = (WEST, SOUTH, WEST + 3 * SIDE, SOUTH + SIDE)

# county, setting, persons, degrees east and north of the county's seat
POINTS = (
    ("140101", "urban", 30_000, 0.02, 0.0),
    ("140101", "rural", 9_000, -0.1, -0.1),
    ("140102", "urban", 12_000, 0.0, 0.01),
    ("140102", "rural", 20_000, 0.05, -0.1),
    ("140201", "urban", 8_001, 0.1, 0.01),
    ("140201", "rural", 6_000, 0.0, -0.1),
    ("140201", "rural", 999, -0.14, 0.14),
)
RURAL_KM = 18.0  # so that the last point, 19.7 km from its seat, is not covered


NO_ROWS = pd.Index([], dtype=str)


def small_plan(names=None, *, interim=False):
    """Return (plan, prepared). ``names`` replaces names of cities and counties by code."""
    names = NAMES | (names or {})
    region = _region(names)
    demand = _demand(region.projection)
    standards = load_standards()
    scenario = _scenario()
    stations = _stations(region)
    sites = stations.set_index("id").assign(name_en=[f"Place {id}" for id in stations["id"]])
    prepared = SimpleNamespace(
        region=region,
        standards=standards,
        demand=demand,
        sites=sites,
        ways=lambda scenario: straight(scenario.detour_factor),
    )
    metres = distances(demand, stations)
    tables = _tables(names, region, demand, stations, metres, scenario)
    status, gap = ("interim", 0.0123) if interim else ("optimal", 0.0)
    proofs = {
        "beds": Proof("beds", "optimal", "beds_per_1000", 1.5, 1.5, 0.0, 0.1),
        "centres_free": Proof("centres_free", "optimal", "million_person_km", 1.0, 1.0, 0.0, 0.1),
        "stations_cover_all": Proof("stations_cover_all", status, "stations", 4.0, 4.0 - gap * 4, gap, 2.5),
    }
    persons = int(demand["persons"].sum())
    plan = SimpleNamespace(
        scenario=scenario,
        tables=tables,
        proofs=proofs,
        figures={"beds_plan": int(tables["beds_by_city"]["beds_plan"].sum()), "stations": len(stations)},
        people_in=persons,
        people_out=persons,
        notes=(),
    )
    return plan, prepared


def _region(names):
    edges = [WEST + i * SIDE for i in range(4)]
    squares = {code: shapely.box(edges[i], SOUTH, edges[i + 1], SOUTH + SIDE) for i, code in enumerate(COUNTIES)}
    projection = local_projection(BOUNDS)
    counties = pd.DataFrame({"name": names, "city_code": CITY_OF}).loc[list(COUNTIES)].rename_axis("code")
    counties["seat_lon"] = [WEST + (i + 0.5) * SIDE for i in range(3)]
    counties["seat_lat"] = SOUTH + SIDE / 2
    counties["seat_x"], counties["seat_y"] = project(projection, counties["seat_lon"], counties["seat_lat"])
    counties["name_en"] = [f"County {code}" for code in counties.index]
    counties["persons"] = [sum(p[2] for p in POINTS if p[0] == code) for code in COUNTIES]
    cities = pd.DataFrame({"name": names}).loc[["140100", "140200"]].rename_axis("code")
    cities["name_en"] = [f"City {code}" for code in cities.index]
    for column in ("lon", "lat"):
        cities[column] = counties.loc[["140101", "140201"], f"seat_{column}"].to_numpy()
    shapes = [shapely.union(squares["140101"], squares["140102"]), squares["140201"]]
    outline = gpd.GeoDataFrame({"name": ["全省"]}, geometry=[shapely.box(*BOUNDS)], crs=GEOGRAPHIC)
    source = {"file": "counties.csv", "column": "persons", "source": "普查", "date": "2020", "licence": "事实"}
    return Region(
        folder=Path("small"),
        cities=gpd.GeoDataFrame(cities, geometry=shapes, crs=GEOGRAPHIC),
        counties=gpd.GeoDataFrame(counties, geometry=list(squares.values()), crs=GEOGRAPHIC),
        province=outline,
        settlements=pd.DataFrame(columns=["name", "name_en", "county_code", "lon", "lat", "x", "y"], index=NO_ROWS),
        townships=pd.DataFrame(columns=["name", "county_code", "lon", "lat", "geonames_id"], index=NO_ROWS),
        sources=pd.DataFrame([source | {"nature": "measured", "note": ""}]),
        projection=projection,
        digest={"counties.csv": "0" * 64},
    )


def _seat(county):
    return WEST + (COUNTIES.index(county) + 0.5) * SIDE, SOUTH + SIDE / 2


def _demand(projection):
    rows = []
    for i, (county, setting, persons, east, north) in enumerate(POINTS):
        lon, lat = _seat(county)
        name = f"{county}-{setting[0].upper()}-{i:05d}"
        rows.append((name, county, CITY_OF[county], setting, persons, lon + east, lat + north))
    columns = ["id", "county_code", "city_code", "setting", "persons", "lon", "lat"]
    demand = pd.DataFrame(rows, columns=columns).set_index("id").round(6)
    demand["x"], demand["y"] = project(projection, demand["lon"], demand["lat"])
    return demand


def _stations(region):
    sites = [(f"S{code}", region.counties.at[code, "name"], "seat", code, *_seat(code), "assumed") for code in COUNTIES]
    lon, lat = _seat("140201")
    sites.append(("T1", "镇", "town", "140201", lon + 0.1, lat, "new"))
    columns = ["id", "name", "kind", "county_code", "lon", "lat", "status"]
    stations = pd.DataFrame(sites, columns=columns).round(6)
    stations["city_code"] = stations["county_code"].map(CITY_OF)
    stations["x"], stations["y"] = project(region.projection, stations["lon"], stations["lat"])
    return stations


def _scenario():
    return Scenario(
        name="small",
        title="小区域试算",
        region="small",
        bed_targets={"140100": Fraction("11"), "140200": Fraction("7.5")},
        urban_km=5.0,
        rural_km=RURAL_KM,
        rural_preferred_km=10.0,
        persons_per_ambulance=30_000,
        national_centres=("140100",),
        provincial_centres=("140200",),
        overrides=(Override("stations.rural_km", "20", "18"),),
        **{key: value for key, value in ASSUMED.items() if key not in ("title", "region")},
    )


def _tables(names, region, demand, stations, metres, scenario):
    nearest = metres.argmin(axis=1)
    standard = demand["setting"].map({"urban": scenario.urban_km * 1000, "rural": scenario.rural_km * 1000}).to_numpy()
    people = demand.assign(
        name=demand["county_code"].map(names),
        uncovered=demand["persons"].where(~is_covered(metres.min(axis=1), standard), 0),
        covered_now=demand["persons"].where(is_covered(metres[:, :3].min(axis=1), standard), 0),
        metres=metres.min(axis=1),
    )
    people["covered"] = people["persons"] - people["uncovered"]
    people["unreachable"] = 0  # a straight line leads everywhere
    near = people["persons"].where(people["metres"] <= 10_000, 0)
    people["preferred"] = near.where(people["setting"].eq("rural"), people["covered"])
    counts = ["persons", "covered", "uncovered", "unreachable", "covered_now", "preferred"]
    by_county = people.rename(columns={"county_code": "code"}).groupby(["code", "setting"])[counts].sum().reset_index()
    by_county = by_county.sort_values(["code", "setting"], ascending=[True, False])
    by_county["name"], by_county["city_code"] = by_county["code"].map(names), by_county["code"].map(CITY_OF)
    by_city = by_county.drop(columns="code").groupby(["city_code", "setting"])[counts].sum().reset_index()
    by_city = by_city.rename(columns={"city_code": "code"}).sort_values(["code", "setting"], ascending=[True, False])
    by_city["name"] = by_city["code"].map(names)
    missed = people[people["uncovered"] > 0]
    served = stations.assign(persons=[int(people["persons"][nearest == i].sum()) for i in range(len(stations))])
    served = served[["id", "name", "kind", "county_code", "city_code", "lon", "lat", "status", "persons"]]
    beds = _beds(names, region)
    cities = region.cities
    centres = pd.DataFrame(
        {
            "name": cities["name"].to_numpy(),
            "city_code": cities.index,
            "level": ["national", "provincial"],
            "lon": cities["lon"].to_numpy(),
            "lat": cities["lat"].to_numpy(),
            "persons": beds["beds_by_city"]["persons"],
        }
    )
    near = beds["beds_by_county"][["code", "name", "persons", "city_code"]]
    near = near.set_axis(["county_code", "county", "persons", "centre_city_code"], axis=1).assign(km=[0.0, 26.634, 0.0])
    return {
        **beds,
        **_bed_policy(names, beds),
        **_emergency(names, served, beds["beds_by_city"]),
        "stations_alternative": served,
        "coverage_by_county": by_county,
        "coverage_by_city": by_city,
        "uncovered_places": pd.DataFrame(
            {
                "county_code": missed["county_code"],
                "county": missed["county_code"].map(names),
                "setting": missed["setting"],
                "place": "北县西北约20公里",
                "persons": missed["persons"],
                "km": missed["metres"] / 1000,
                "minutes": float("nan"),
                "lon": missed["lon"],
                "lat": missed["lat"],
            }
        ).reset_index(drop=True),
        "centres": centres,
        "catchments": near,
        "centres_free": centres.assign(county_code=["140101", "140201"], level="free"),
        "catchments_free": near.rename(columns={"centre_city_code": "centre_county_code"}).assign(
            centre_county_code=["140101", "140101", "140201"]
        ),
        "compliance": _compliance(names),
    }


def _emergency(names, served, city):
    """Return the tables of stations and vehicles with figures by hand; a vehicle is busy three tenths of the time.

    city 甲  39,000 people have the two vehicles of the eastern seat within the standard, 32,000 the western seat's one:
            39,000 x 0.91 + 32,000 x 0.7 = 57,890 expected; one more there brings 32,000 x 0.3 x 0.7 = 6,720
    city 乙  8,001 people have the town's, 6,000 both, 999 none: 8,001 x 0.7 + 6,000 x 0.91 = 11,060.7
    Within the preferred standard of two vehicles are the 30,000 in town of the eastern county alone.
    """
    stations = served.assign(
        tier=["city_centre", "county", "city_centre", "substation"],
        housing=["standalone", "hospital_based", "standalone", "standalone"],
        ambulances=[2, 1, 1, 1],
        investment=[0, 0, 0, 300],
    )
    codes = ["140100", "140200"]
    tiers = _frame(
        "code city_centre county_station substation central_township township stations listed assumed new"
        " hospital_based ambulances investment",
        ("140100", 1, 1, 0, 0, 0, 2, 0, 2, 0, 1, 3, 0),
        ("140200", 1, 0, 1, 0, 0, 2, 0, 1, 1, 0, 2, 300),
    )
    return {
        "ambulances_by_city": city[["code", "name", "persons"]].assign(
            stations=[2, 2],
            floor=[3, 1],
            uplift=[0, 0],
            required=[3, 1],
            plan=[3, 2],
            negative_pressure=[1, 1],
            persons_per_vehicle=[23_667, 7_500],
            expected=[57_890, 11_061],
            expected_share=[100 * 57_890 / 71_000, 100 * 11_060.7 / 15_000],
            double=[30_000, 0],
            double_share=[100 * 30_000 / 71_000, 0.0],
            next_station=["S140102", "T1"],
            next_gain=[6_720, 2_058],
        ),
        "ambulances_by_station": served[["id", "name", "city_code", "county_code", "persons"]].assign(
            ambulances=[2, 1, 1, 1],
            negative_pressure=[1, 0, 1, 0],
            persons_per_vehicle=[19_500, 32_000, 6_999, 8_001],
            gain_of_one_more=[2_457, 6_720, 378, 2_058],
        ),
        "stations": stations,
        "station_tiers": tiers.assign(name=[names[code] for code in codes]),
        "coverage_curve": _frame(
            "stations persons share bound status knee",
            (3, 77_000, 100 * 77_000 / 86_000, 77_000, "optimal", "no"),
            (4, 85_001, 100 * 85_001 / 86_000, 85_010, "within_gap", "yes"),
            (5, 86_000, 100.0, 86_000, "optimal", "no"),
        ),
        "station_options": _frame(
            "option stations persons id name county_code city_code lon lat",
            (1, 4, 85_001, "T2", "另一镇", "140201", "140200", 112.84, 37.16),
        ),
    }


def _beds(names, region):
    county = region.counties[["name", "city_code", "persons"]].reset_index()
    county["beds_now"], county["beds_plan"] = [343, 282, 112], [429, 352, 112]
    city = county.groupby("city_code")[["persons", "beds_now", "beds_plan"]].sum().rename_axis("code").reset_index()
    city["name"], city["beds_target"] = city["code"].map(names), city["beds_plan"]
    city["target_per_1000"] = [11.0, 7.5]
    for frame in (county, city):
        frame["beds_new"] = frame["beds_plan"] - frame["beds_now"]
        for part in ("now", "plan"):
            frame[f"{part}_per_1000"] = frame[f"beds_{part}"] * 1000 / frame["persons"]
    county["reach_now_per_1000"] = [8.0, 7.125, float("nan")]
    county["reach_plan_per_1000"] = [10.0, 9.005, float("nan")]
    return {"beds_by_city": city, "beds_by_county": county}


OWNERS = ("city_and_above", "county_and_primary", "other_public", "private")
KINDS = ("general", "tcm", "psychiatric", "infectious", "oncology", "critical", "rehabilitation", "nursing")
CELLS = [*((owner, kind) for owner in OWNERS[:2] for kind in KINDS), *((owner, "general") for owner in OWNERS[2:])]
OBJECTIVES = ("shortfall", "worst", "even", "equal", "change", "cost", "travel")
PLAN_4, TABLE_3, TABLE_1 = "晋政发〔2023〕4号", "表3", "表1; 三(二)1"


def _bed_policy(names, beds):
    """Return the tables of the bed policy with figures by hand; sums agree with ``beds``, the rest is for the eye."""
    county, city = beds["beds_by_county"], beds["beds_by_city"]
    quotas = _bed_quotas(county)
    planned = quotas.groupby("code")["beds_plan"].sum().to_numpy()
    by = {c: quotas.groupby(["code", c])["beds_plan"].sum().unstack(fill_value=0) for c in ("owner", "kind")}
    standards = county[["code", "name", "city_code", "persons", "plan_per_1000"]].assign(
        beds_plan=planned, document=PLAN_4, clause=TABLE_3
    )
    for column in (*OWNERS, *KINDS):
        standards[column] = by["owner" if column in OWNERS else "kind"][column].to_numpy()
    first = city[["code", "name"]].assign(county_code=["140101", "140201"])
    surge = ("surge_needed", "surge_capacity", "surge_gap", "icu_needed", "icu_capacity", "icu_gap")
    return {
        "bed_standards": standards,
        "bed_structure": _bed_structure(names, quotas, city),
        "bed_quotas": quotas,
        "bed_rules": _frame(
            "rule area_code area unit asked got bent strict document clause verdict",
            ("total", "140100", names["140100"], "beds", 781, 781, 0, "hard", PLAN_4, TABLE_3, "met"),
            ("budget", "140000", "全省", "wan_yuan", 9000, 7800, 0, "hard", "", "", "met"),
            ("tcm", "140100", names["140100"], "beds", 60, 55.5, 4.5, "soft", PLAN_4, "表1; 三(二)2", "unmet"),
            ("tcm", "140200", names["140200"], "beds", 13, 13, 0, "soft", PLAN_4, "表1; 三(二)2", "met"),
        ),
        "document_conflicts": _frame(
            "conflict first_document first_clause first_figure second_document second_clause second_figure difference"
            " unit",
            ("table3_against_table1", PLAN_4, TABLE_3, 893, PLAN_4, TABLE_1, 900.25, 7.25, "beds"),
            ("public_stay_against_freeze", PLAN_4, "一(一)2", 10.3, PLAN_4, "三(二)3", 9, 1.3, "days"),
        ),
        "facilities": _frame(
            "id name county_code city_code owner kind beds_now beds_new beds_plan frozen reasons",
            (
                "F1",
                "甲市第一医院",
                "140101",
                "140100",
                "city_and_above",
                "general",
                200,
                0,
                200,
                "yes",
                "occupancy stay",
            ),
            ("F2", "西县医院", "140102", "140100", "county_and_primary", "general", 120, 40, 160, "no", ""),
        ),
        "freezes": _frame(
            "scope id name county_code rule measured limit unit document clause",
            ("facility", "F1", "甲市第一医院", "140101", "occupancy", 60.5, 75, "percent", PLAN_4, "三(二)3"),
            ("facility", "F1", "甲市第一医院", "140101", "stay", 10.25, 9, "days", PLAN_4, "三(二)3"),
            ("city", "140200", names["140200"], "", "above_target", 112, 112, "beds", PLAN_4, "三(二)4"),
            ("province", "140000", "全省", "", "not_applied", None, None, "m2_per_bed", PLAN_4, "三(二)3"),
        ),
        "bed_staff": city[["code", "name", "beds_plan"]].assign(
            staff=[1266, 182],
            nurses=[469, 68],
            doctors=[391, 56],
            staff_limit=[1300, None],
            nurses_limit=None,
            doctors_limit=None,
        ),
        "infectious": first.assign(
            hospital_floor=[50, 35],
            hospital_beds=[50, 35],
            hospital_icu=[5, 4],
            hospital_convertible=[5, 4],
            department_beds=[60, 30],
            department_icu=[3, 2],
            **dict.fromkeys(surge),
        ),
        "access_summary": _frame(
            "split gini worst_code worst_county worst_per_1000 mean_per_1000 deviation",
            ("now", 0.05, "140201", names["140201"], 6.5, 8.57, 0.7),
            ("by_population", 0.04, "140201", names["140201"], 7.1, 10.38, 0.6),
            ("plan", 0.03, "140102", names["140102"], 7.4, 10.38, 0.5),
        ),
        "bed_objectives": _frame(
            f"objective order {' '.join(OBJECTIVES)}",
            ("plan", None, 4.5, 7.4, 0.5, 12, 156, 7800, 3.25),
            ("shortfall", 1, 0, 7.1, 0.6, 20.5, 156, 7800, 3.5),
            ("worst", 2, 9, 7.75, 0.4, 31, 170, 8100, 3.125),
        ),
        "evaluation": _frame(
            "phase code name quantity quality structure efficiency score rank",
            *(
                (phase, k, names[k], 0.8, None, 0.6, None, score, rank)
                for phase in ("now", "plan")
                for k, score, rank in (("140100", 0.7, 1), ("140200", 0.25, 2))
            ),
        ),
        "evaluation_indicators": _frame(
            "phase code name group indicator value weight nature",
            *(
                (phase, k, names[k], *row)
                for phase in ("now", "plan")
                for k in ("140100", "140200")
                for row in (
                    ("quantity", "attainment", 0.95, 1.0, "modelled"),
                    ("efficiency", "occupancy", None, None, "no_data"),
                )
            ),
        ),
    }


def _frame(columns, *rows):
    return pd.DataFrame(list(rows), columns=columns.split())


def _bed_quotas(county):
    """Share each county's beds out to its 18 cells; what no cell takes is general."""
    rows = []
    for each in county.itertuples():
        fixed = {("private", "general"): (20, 22), ("other_public", "general"): (5, 2)}
        for owner in OWNERS[:2]:
            fixed |= {(owner, "tcm"): (10, 12), (owner, "psychiatric"): (4, 9), (owner, "critical"): (None, 3)}
            fixed |= {(owner, kind): (None, 0) for kind in ("infectious", "oncology", "rehabilitation", "nursing")}
        now, plan = each.beds_now - 53, each.beds_plan - 72
        fixed[OWNERS[0], "general"] = (now // 3, plan // 3)
        fixed[OWNERS[1], "general"] = (now - now // 3, plan - plan // 3)
        rows += [(each.code, each.name, each.city_code, *cell, *fixed[cell]) for cell in CELLS]
    frame = _frame("code name city_code owner kind beds_now beds_plan", *rows)
    frame["beds_now"] = frame["beds_now"].astype("Int64")
    return frame.assign(beds_new=frame["beds_plan"] - frame["beds_now"])


def _bed_structure(names, quotas, city):
    rows = []
    persons = dict(zip(city["code"], city["persons"], strict=True))
    for area, people in (("140000", sum(persons.values())), *persons.items()):
        of = quotas if area == "140000" else quotas[quotas["city_code"].eq(area)]
        for part, item in (("total", "total"), *(("owner", o) for o in OWNERS), *(("kind", k) for k in KINDS)):
            cells = of if part == "total" else of[of[part].eq(item)]
            now = None if item in KINDS and cells["beds_now"].isna().any() else int(cells["beds_now"].sum())
            plan = int(cells["beds_plan"].sum())
            target = None if item in ("general", *KINDS[3:]) else plan + (3 if item == "tcm" else 0)
            gap, verdict = (None, "no_data") if target is None else (plan - target, "unmet" if plan < target else "met")
            each = [None if count is None else count * 1000 / people for count in (target, plan)]
            name = {"140000": "全省"}.get(area) or names[area]
            rows.append((area, name, part, item, now, target, plan, gap, *each, PLAN_4, TABLE_1, verdict, "modelled"))
    return _frame(
        "area_code area part item beds_now beds_target beds_plan gap target_per_1000 plan_per_1000 document clause"
        " verdict nature_now",
        *rows,
    )


def _compliance(names):
    rows = [
        ("t3_beds_per_1000_taiyuan", "140100", 8.8, 11.0, 11.0, 0.0, "met", "modelled", "measured"),
        ("emergency_radius_rural", "140200", 0.5, 1.0, 0.857265, -0.142735, "unmet", "assumed", "modelled"),
        ("ambulance_per_30000", "140200", float("nan"), 1.0, 2.0, 1.0, "met", "measured", "measured"),
    ]
    columns = ["standard_id", "area_code", "now", "target", "plan", "gap", "verdict", "nature_now", "nature_plan"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["area"] = frame["area_code"].map(names)
    return frame.assign(name="标准", document="晋政发〔2023〕4号", clause="表3", unit="beds per 1000 residents")
