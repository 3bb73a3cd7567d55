"""A map view small enough to check by eye: a square province of four counties, two cities; and a full-size Shanxi.

north   C | D      a circle stands for a county seat's station (assumed), + for a new one, x for people not covered
        o | o x    cities: west (A, C) and east (B, D); centres: west national, east provincial
south   A | B
        o | o+     counties are squares of 0.4 degrees; the province's corner is 112 E, 37 N
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.maps import MapView
from geo.region import GEOGRAPHIC, load_region
from geo.words import load_words

SIDE = 0.4
CORNERS = {"140101": (112.0, 37.0), "140201": (112.4, 37.0), "140102": (112.0, 37.4), "140202": (112.4, 37.4)}
NAMES = {"140101": "Alpha", "140201": "Beta", "140102": "Gamma", "140202": "Delta", "140100": "West", "140200": "East"}


def small_view(lang="zh", hostile=None, **changes):
    """Return the small view. ``hostile`` stands for every name and given sentence; ``changes`` replaces fields."""
    words = load_words(lang)
    names = dict.fromkeys(NAMES, hostile) if hostile else NAMES

    def given(said):
        return hostile or said

    counties = _counties(names)
    cities = counties.dissolve(
        "city_code", aggfunc={"persons": "sum", "beds_now": "sum", "beds_plan": "sum"}
    ).reset_index()
    cities = cities.rename(columns={"city_code": "code"}).assign(
        name=[names["140100"], names["140200"]],
        target_per_1000=[6.0, 8.0],
        lon=[112.2, 112.6],
        lat=[37.2, 37.2],
    )
    cities["plan_per_1000"] = cities["beds_plan"] / cities["persons"] * 1000
    fields = {
        "title": given("A small plan"),
        "subtitle": given("2025 · paper"),
        "lang": lang,
        "province": gpd.GeoDataFrame(geometry=[counties.union_all()], crs=GEOGRAPHIC),
        "cities": cities,
        "counties": counties,
        "stations": _stations(names, given),
        "urban": 5.0,
        "rural": 20.0,
        "uncovered": pd.DataFrame(
            {
                "lon": [112.75, 112.74],
                "lat": [37.75, 37.76],
                "persons": [900, 1234],
                "place": given("Far village"),
                "county": names["140202"],
                "setting": ["urban", "rural"],
                "km": [17.2, 20.4],
            }
        ),
        "centres": pd.DataFrame(
            {
                "name": [names["140100"], names["140200"]],
                "level": ["national", "provincial"],
                "lon": [112.2, 112.6],
                "lat": [37.2, 37.2],
                "persons": [300_000, 300_000],
                "city_code": ["140100", "140200"],
            }
        ),
        "sources": [given("paper")],
        "rule": given("Covered when not farther."),
        "notes": [given("One sentence."), given("Another.")],
        "words": words,
    }
    return MapView(**(fields | changes))


def _counties(names):
    codes = list(CORNERS)
    frame = pd.DataFrame({"code": codes, "name": [names[code] for code in codes]})
    frame["city_code"] = [code[:4] + "00" for code in codes]
    frame["city"] = frame["city_code"].map(names)
    frame["persons"] = [100_000, 100_000, 200_000, 200_000]
    frame["beds_now"] = [400, 700, 800, 1400]
    frame["beds_plan"] = [450, 800, 1350, 1600]
    frame["beds_new"] = frame["beds_plan"] - frame["beds_now"]
    frame["plan_per_1000"] = frame["beds_plan"] / frame["persons"] * 1000
    frame["urban_covered_share"] = [1.0, np.nan, 1.0, 0.955]
    frame["rural_covered_share"] = [1.0, 1.0, 1.0, 0.9]
    frame["centre_city_code"] = frame["city_code"]
    squares = [shapely.box(x, y, x + SIDE, y + SIDE) for x, y in CORNERS.values()]
    return gpd.GeoDataFrame(frame, geometry=squares, crs=GEOGRAPHIC)


def _stations(names, given):
    rows = [
        (f"S{code}", given("Seat " + names[code]), "seat", "assumed", x + SIDE / 2, y + SIDE / 2, 7, 80_000, code)
        for code, (x, y) in CORNERS.items()
    ]
    rows.append(("C140201", given("New place"), "cell", "new", 112.7, 37.2, 2, 20_000, "140201"))
    columns = ["id", "name", "kind", "status", "lon", "lat", "ambulances", "persons", "county_code"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["county"] = frame["county_code"].map(names)
    frame["city"] = (frame["county_code"].str[:4] + "00").map(names)
    return frame


def shanxi_view(lang="zh", stations=420, uncovered=5000):
    """Return a view of the embedded province with as much on it as a plan can bring: places invented, polygons real."""
    region, chance = load_region("shanxi"), np.random.default_rng(2025)
    counties = region.counties.reset_index(names="code")
    counties["city"] = counties["city_code"].map(region.cities["name"])
    counties["beds_now"] = counties["persons"] * 6 // 1000
    counties["beds_plan"] = (counties["persons"] * chance.uniform(6, 11, len(counties)) // 1000).astype(int)
    counties["beds_new"] = counties["beds_plan"] - counties["beds_now"]
    counties["plan_per_1000"] = counties["beds_plan"] / counties["persons"] * 1000
    counties["urban_covered_share"] = counties["rural_covered_share"] = 0.9
    counties["centre_city_code"] = np.where(counties["code"] < "140800", "140100", "140800")
    cities = region.cities.reset_index(names="code").assign(
        beds_now=1, beds_plan=2, plan_per_1000=7.0, target_per_1000=7.0
    )
    inside = (
        gpd.GeoSeries(region.province.geometry).sample_points(stations + uncovered, rng=7).explode(ignore_index=True)
    )
    lon, lat = inside.x.to_numpy(), inside.y.to_numpy()
    at = counties.iloc[chance.integers(0, len(counties), stations)].reset_index(drop=True)
    placed = pd.DataFrame(
        {
            "id": [f"X{i:05d}" for i in range(stations)],
            "name": at["name"],
            "kind": "cell",
            "status": np.where(np.arange(stations) < 117, "assumed", "new"),
            "lon": lon[:stations],
            "lat": lat[:stations],
            "ambulances": chance.integers(1, 20, stations),
            "persons": 1000,
            "county": at["name"],
            "city": at["city"],
        }
    )
    far = pd.DataFrame(
        {"lon": lon[stations:], "lat": lat[stations:], "persons": 321, "place": "某村", "county": "某县"}
    )
    centres = region.cities.loc[["140100", "140800"], ["name", "lon", "lat"]].reset_index(names="city_code")
    return small_view(
        lang,
        province=region.province,
        cities=cities,
        counties=counties,
        stations=placed,
        uncovered=far.assign(setting="rural", km=23.4),
        centres=centres.assign(level=["national", "provincial"], persons=1),
    )
