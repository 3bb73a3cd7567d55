"""A province small enough for paper: two cities and five counties drawn in letters, in the files of a real region.

One letter is a square of 10 km; a capital is the county's seat, in the middle of its square. So seats a-b, b-d and d-e
are 20 km apart, a-c and b-c 14.142 km, c-e 31.623 km.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.region import GEOGRAPHIC, local_projection, unproject
from planner.scenario import Scenario, default_values
from planner.settings import MAY_BEND
from planner.standards import load_standards
from planner.study import decide, prepare

PICTURE = """
    aabbdd
    AaBbDd
    cCccee
    ccccEe
"""
# urban and rural people
PEOPLE = {
    "a": (30_000, 10_000),
    "b": (20_000, 10_000),
    "c": (5_000, 15_000),
    "d": (40_000, 10_000),
    "e": (4_000, 6_000),
}
CITY_OF = {"a": "140100", "b": "140100", "c": "140100", "d": "140200", "e": "140200"}
CODES = {"a": "140101", "b": "140102", "c": "140103", "d": "140201", "e": "140202"}
NAMES = {"a": "甲县", "b": "乙县", "c": "丙县", "d": "丁县", "e": "戊县", "140100": "东市", "140200": "西市"}
TOWNS = {
    "1001": ("远镇", "c", 3, 3),
    "1002": ("丁北镇", "d", 5, 0),
}  # id: name, county, square from the left, from above
SIDE = 10_000
NOT_COUNTED = {"age_0_14": 0, "age_60_plus": 0, "age_65_plus": 0, "households": 0}


def draw(folder, picture=PICTURE, people=PEOPLE, towns=TOWNS):
    """Write the files of the drawn region into ``folder`` (made if need be) and return it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = picture.split()
    squares = [(letter, i, k) for k, row in enumerate(rows) for i, letter in enumerate(row)]
    letters = sorted({letter.lower() for letter, _, _ in squares})
    projection = _projection(squares)
    shapes = {
        a: shapely.union_all([_square(projection, i, k) for b, i, k in squares if b.lower() == a]) for a in letters
    }
    seat = {a.lower(): _middle(projection, i, k) for a, i, k in squares if a.isupper()}
    cities = sorted({CITY_OF[a] for a in letters})
    first = {city: next(a for a in letters if CITY_OF[a] == city) for city in cities}

    counties = pd.DataFrame(
        {
            "code": CODES[a],
            "name": NAMES[a],
            "name_en": a.upper(),
            "kind": "county",
            "city_code": CITY_OF[a],
            "persons": sum(people[a]),
            "urban": people[a][0],
            "rural": people[a][1],
            **NOT_COUNTED,
            "area_km2": 100 * sum(b.lower() == a for b, _, _ in squares),
            "seat_lon": seat[a][0],
            "seat_lat": seat[a][1],
        }
        for a in letters
    )
    counties.to_csv(folder / "counties.csv", index=False)
    pd.DataFrame(
        {
            "code": city,
            "name": NAMES[city],
            "name_en": city,
            "document_order": n,
            "seat_county_code": CODES[first[city]],
        }
        for n, city in enumerate(cities, start=1)
    ).to_csv(folder / "cities.csv", index=False)
    places = [(key, name, a, *_middle(projection, i, k)) for key, (name, a, i, k) in towns.items() if a in letters]
    pd.DataFrame(
        [(key, name, name, "PPLA4", CODES[a], lon, lat) for key, name, a, lon, lat in places],
        columns=["geonames_id", "name", "name_en", "type", "county_code", "lon", "lat"],
    ).to_csv(folder / "settlements.csv", index=False)
    pd.DataFrame(
        [(CODES[a] + "001", NAMES[a] + "城关镇", "town", CODES[a], 1, 1, "", "", "") for a in letters],
        columns=[
            "code",
            "name",
            "kind",
            "county_code",
            "residents_committees",
            "village_committees",
            "lon",
            "lat",
            "geonames_id",
        ],
    ).to_csv(folder / "townships.csv", index=False)
    source = {"file": "counties.csv", "column": "persons", "source": "纸上", "date": "2020", "licence": "—"}
    pd.DataFrame([source | {"nature": "measured", "note": ""}]).to_csv(folder / "sources.csv", index=False)
    layers = {
        "county": ({CODES[a]: NAMES[a] for a in letters}, [shapes[a] for a in letters]),
        "city": (
            {city: NAMES[city] for city in cities},
            [shapely.union_all([shapes[a] for a in letters if CITY_OF[a] == city]) for city in cities],
        ),
        "province": ({"140000": "纸上省"}, [shapely.union_all(list(shapes.values()))]),
    }
    for layer, (names, geometry) in layers.items():
        frame = gpd.GeoDataFrame({"code": list(names), "name": list(names.values())}, geometry=geometry, crs=GEOGRAPHIC)
        frame.to_file(folder / "boundaries.gpkg", layer=layer)
    return folder


def question(folder, **changes):
    """Return the scenario that states nothing but ``changes`` about the region in ``folder``, and 8 stations."""
    standards = load_standards()
    cities = pd.read_csv(Path(folder) / "cities.csv", dtype=str)["code"]
    # A town of 100,000 people has no room for an infectious hospital of 500 beds.
    small = {"stations_count": 8, "region": str(folder), "beds_may_bend": MAY_BEND}
    given = default_values(standards, cities) | small | changes
    return Scenario(name="town", title="纸上", **given)


def run(folder, **changes):
    """Return scenario, prepared and plan of a question about the region in ``folder``."""
    scenario = question(folder, **changes)
    prepared = prepare(scenario)
    return SimpleNamespace(scenario=scenario, prepared=prepared, plan=decide(prepared, scenario))


def persons_are(region, **persons):
    """Return the region with other people in some counties (by letter), all rural, in the census too."""
    counties = region.counties.copy()
    for letter, count in persons.items():
        counties.loc[CODES[letter], ["persons", "census_persons", "urban", "rural"]] = [count, count, 0, count]
    return replace(region, counties=counties)


def _projection(squares):
    """Return the projection the region will be given, so that its metres are those of the drawing."""
    projection = local_projection((111.7, 36.8, 112.3, 37.2))
    for _ in range(3):  # its scale depends on the outline, and the outline in degrees on it
        outline = shapely.union_all([_square(projection, i, k) for _, i, k in squares])
        projection = local_projection(outline.bounds)
    return projection


def _corner(i, k):
    """Return x, y of the north-western corner of a square; the drawing's middle lies on the central meridian."""
    return 500_000 + (i - 3) * SIDE, 4_100_000 - k * SIDE


def _middle(projection, i, k):
    x, y = _corner(i + 0.5, k + 0.5)
    lon, lat = unproject(projection, [x], [y])
    return float(lon[0]), float(lat[0])


def _square(projection, i, k):
    x, y = np.array([_corner(i, k), _corner(i + 1, k), _corner(i + 1, k + 1), _corner(i, k + 1)]).T
    return shapely.Polygon(np.column_stack(unproject(projection, x, y)))
