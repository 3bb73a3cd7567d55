"""Candidate sites: county seats, located towns and the most populated cells, named so that a planner can find them."""

import numpy as np
import pandas as pd

from geo.region import project
from geo.travel import nearest

URBAN_BLOCK_METRES, RURAL_BLOCK_METRES = 4_000, 8_000
BEARINGS = ("E", "NE", "N", "NW", "W", "SW", "S", "SE")
BEARINGS_ZH = dict(zip(BEARINGS, ("东", "东北", "北", "西北", "西", "西南", "南", "东南"), strict=True))


def candidate_sites(region, demand):
    """Return the places where a station may stand.

    DataFrame on ``id``, sorted: name, name_en, kind (seat | town | cell), county_code, city_code, lon, lat, x, y.
    Seats are all county seats (``S`` + county code); towns all located settlements and townships (``T`` + their id);
    cells the demand point with the most people in each city's part of each block of 4 km (urban people) or 8 km (rural
    people), ``C`` + its demand id. Blocks are small against the radii of the standards, so wherever people live a
    candidate stands within reach.
    """
    seats, towns = _seats(region), _towns(region)
    known = pd.concat([seats, towns])
    cells = _cells(region, demand, known)
    sites = pd.concat([known, cells]).sort_index()
    sites["city_code"] = region.counties["city_code"].reindex(sites["county_code"]).to_numpy()
    return sites[["name", "name_en", "kind", "county_code", "city_code", "lon", "lat", "x", "y"]]


def known_places(region):
    """Return the places that have a name and a point, seats and towns; columns as in :func:`candidate_sites`."""
    return pd.concat([_seats(region), _towns(region)]).sort_index()


def describe_places(region, points, places=None):
    """Return (name, name_en) of each point as seen from the nearest known place.

    ``辽阳镇东北约4公里`` / ``4 km NE of Liaoyang``. ``points`` has columns x, y in whole metres; both results are
    lists in its order.
    """
    places = known_places(region) if places is None else places
    metres, position = nearest(points, places)
    at = places.iloc[position]
    angle = np.degrees(
        np.arctan2(points["y"].to_numpy() - at["y"].to_numpy(), points["x"].to_numpy() - at["x"].to_numpy())
    )
    bearing = [BEARINGS[k] for k in np.rint(angle / 45).astype(int) % 8]
    zh, en = [], []
    for place, place_en, b, m in zip(at["name"], at["name_en"], bearing, metres, strict=True):
        km = int(np.floor(m / 1000 + 0.5))
        zh.append(f"{place}{BEARINGS_ZH[b]}约{km}公里" if km else place)
        en.append(f"{km} km {b} of {place_en}" if km else place_en)
    return zh, en


def _seats(region):
    counties = region.counties
    return pd.DataFrame(
        {
            "name": counties["name"].to_numpy(),
            "name_en": counties["name_en"].to_numpy(),
            "kind": "seat",
            "county_code": counties.index,
            "lon": counties["seat_lon"].to_numpy(),
            "lat": counties["seat_lat"].to_numpy(),
            "x": counties["seat_x"].to_numpy(),
            "y": counties["seat_y"].to_numpy(),
        },
        index=pd.Index("S" + counties.index, name="id"),
    )


def _towns(region):
    located = region.townships[region.townships["lon"].notna() & region.townships["lat"].notna()]
    # A township that GeoNames already locates is the settlement of the same id: one candidate, not two.
    located = located[~located.get("geonames_id", pd.Series("", index=located.index)).isin(region.settlements.index)]
    x, y = project(region.projection, located["lon"], located["lat"])
    townships = located.assign(x=x, y=y, name_en=located["name"])
    columns = ["name", "name_en", "county_code", "lon", "lat", "x", "y"]
    # A place without a Chinese name cannot be told to a planner; the cells around it stand for it.
    settlements = region.settlements[region.settlements["name"].ne("")]
    towns = pd.concat([settlements[columns], townships[columns]])
    towns.insert(2, "kind", "town")
    return towns.set_index(pd.Index("T" + towns.index, name="id"))


def _cells(region, demand, known):
    chosen = set()
    for setting, block in (("urban", URBAN_BLOCK_METRES), ("rural", RURAL_BLOCK_METRES)):
        points = demand[demand["setting"].eq(setting)]
        order = points.assign(_id=points.index).sort_values(["persons", "_id"], ascending=[False, True])
        # A block that a city border cuts has a cell in each city, so that a city can be planned by itself.
        blocks = order[["city_code"]].assign(east=order["x"] // block, north=order["y"] // block)
        chosen.update(order.index[~blocks.duplicated()])
    cells = demand.loc[sorted(chosen), ["county_code", "lon", "lat", "x", "y"]]
    # A cell and its urban and rural halves share one point: one candidate is enough.
    cells = cells[~cells.duplicated(["x", "y"])]
    zh, en = describe_places(region, cells, known)
    cells = cells.assign(name=zh, name_en=en, kind="cell")
    return cells.set_index(pd.Index("C" + cells.index, name="id"))
