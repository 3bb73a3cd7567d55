"""Demand: the census people of each county, as whole persons at points of a grid, urban and rural apart.

The totals are measured (2020 census, by county); where people stand inside their county is MODELLED.
"""

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.region import project, unproject

FINENESS = 4  # samples along the side of a cell
COLUMNS = ["county_code", "city_code", "setting", "persons", "lon", "lat", "x", "y"]

URBAN_PER_KM2 = 5000  # mean density of a built-up area
URBAN_DECLINE = 1.5  # density falls by e**this from the middle of a built-up area to its edge
URBAN_SEAT_SHARE = 0.8  # of a county's urban people; the rest live around its other located towns
RURAL_REACH_METRES = 8000  # the pull of a place on rural people falls by e over this distance
RURAL_PULL = 3.0  # rural density beside a place, over that of empty land


def build_demand(region, cell_metres=2000):
    """Return the demand points of ``region``: DataFrame on ``id`` (str), sorted by it.

    county_code, city_code (str); setting ("urban" | "rural"); persons (int > 0); lon, lat (degrees, 6 decimals, inside the
    county); x, y (whole metres, ``region.project(lon, lat)``). One point per cell x county x setting with people in it. The
    persons of a county and setting sum to its census figure. The order of rows in the region's files changes nothing.
    """
    samples = _samples(region, cell_metres)
    counties = region.counties
    parts = []
    for setting, weigh in (("urban", _urban_weights), ("rural", _rural_weights)):
        weights = weigh(region, samples)
        parts.append(_points(region, samples, weights, counties[setting].to_numpy(), setting))
    return pd.concat(parts).sort_index()[COLUMNS]


def _samples(region, cell_metres):
    """Return the lattice points of each county: DataFrame county (position), cell (int), x, y (metres); each stands for the same area."""
    step = cell_metres / FINENESS
    polygons = region.counties.geometry.to_crs(region.projection).to_numpy()
    west, south, east, north = region.province.to_crs(region.projection).total_bounds
    first_column, first_row = int(west // cell_metres), int(south // cell_metres)
    columns = int(east // cell_metres) - first_column + 1
    frames = []
    for position, polygon in enumerate(polygons):
        x, y = _inside(polygon, region.counties.geometry.iloc[position], step, region.projection)
        cell = (y // cell_metres - first_row).astype(np.int64) * columns + (x // cell_metres - first_column).astype(
            np.int64
        )
        frames.append(pd.DataFrame({"county": position, "cell": cell, "x": x, "y": y}))
    samples = pd.concat(frames, ignore_index=True)
    return samples.sort_values(["county", "cell", "y", "x"], ignore_index=True)


def _inside(polygon, degrees, step, projection):
    """Return x, y of the lattice points in a county; of one point inside it where the county is smaller than the lattice."""
    west, south, east, north = polygon.bounds
    x, y = np.meshgrid(
        (np.arange(np.floor(west / step), np.ceil(east / step)) + 0.5) * step,
        (np.arange(np.floor(south / step), np.ceil(north / step)) + 0.5) * step,
    )
    shapely.prepare(polygon)
    kept = shapely.contains_xy(polygon, x, y)
    x, y = x[kept], y[kept]
    shapely.prepare(degrees)
    kept = shapely.contains_xy(degrees, *unproject(projection, x, y))
    if kept.any():
        return x[kept], y[kept]
    point = polygon.representative_point()
    return np.array([point.x]), np.array([point.y])


def _centres(region):
    """Return the places people gather around: DataFrame county (position), kind ("seat" | "town"), x, y; seats first, then by id."""
    codes = region.counties.index
    seats = pd.DataFrame(
        {
            "county": np.arange(len(codes)),
            "kind": "seat",
            "x": region.counties["seat_x"],
            "y": region.counties["seat_y"],
        }
    )
    towns = region.settlements
    towns = pd.DataFrame(
        {"county": codes.get_indexer(towns["county_code"]), "kind": "town", "x": towns["x"], "y": towns["y"]}
    )
    return pd.concat([seats, towns], ignore_index=True)


def _urban_weights(region, samples):
    """Return persons-like weights of urban people: a built-up disc around the seat and smaller ones around the county's towns."""
    centres = _centres(region)
    area = _sample_km2(samples)
    weights = np.zeros(len(samples))
    urban = region.counties["urban"].to_numpy()
    rows = samples.groupby("county").indices
    for county, at in rows.items():
        own = centres[centres["county"] == county]
        seat = own.iloc[0]
        away = np.hypot(own["x"] - seat["x"], own["y"] - seat["y"]).to_numpy()
        own = own[(own["kind"] == "seat") | (away > 5000)]
        share = np.full(len(own), (1 - URBAN_SEAT_SHARE) / max(len(own) - 1, 1))
        share[0] = URBAN_SEAT_SHARE if len(own) > 1 else 1.0
        x, y = samples["x"].to_numpy()[at], samples["y"].to_numpy()[at]
        apart = np.hypot(x[:, None] - own["x"].to_numpy(), y[:, None] - own["y"].to_numpy()) / np.sqrt(share)
        order = np.argsort(apart.min(axis=1), kind="stable")
        cells = int(np.clip(np.ceil(urban[county] / URBAN_PER_KM2 / area), 1, len(order)))
        inner = order[:cells]
        weights[at[inner]] = np.exp(-URBAN_DECLINE * np.arange(cells) / cells)
    return weights


def _sample_km2(samples):
    """Return the area in km2 that a sample stands for."""
    x = np.unique(samples["x"].to_numpy())
    return float(np.min(np.diff(x))) ** 2 / 1e6 if len(x) > 1 else 1.0


def _rural_weights(region, samples):
    centres = _centres(region)
    metres, _ = cKDTree(centres[["x", "y"]].to_numpy()).query(samples[["x", "y"]].to_numpy())
    return 1 + RURAL_PULL * np.exp(-metres / RURAL_REACH_METRES)


def _points(region, samples, weights, totals, setting):
    """Return the demand points of one setting: samples merged to cell x county, whole persons summing to ``totals`` per county."""
    x, y = samples["x"].to_numpy(), samples["y"].to_numpy()
    table = pd.DataFrame(
        {"county": samples["county"], "cell": samples["cell"], "w": weights, "wx": weights * x, "wy": weights * y}
    )
    table = table[table["w"] > 0].groupby(["county", "cell"], as_index=False).sum()
    table["persons"] = _whole_shares(table["county"].to_numpy(), table["w"].to_numpy(), totals)
    table = table[table["persons"] > 0]
    codes = region.counties.index.to_numpy()[table["county"]]
    digits = len(str(int(samples["cell"].max())))
    mark = setting[0].upper()
    lon, lat = _places(region, samples, table)
    x, y = project(region.projection, lon, lat)
    return pd.DataFrame(
        {
            "county_code": codes,
            "city_code": region.counties["city_code"].to_numpy()[table["county"]],
            "setting": setting,
            "persons": table["persons"].to_numpy(),
            "lon": lon,
            "lat": lat,
            "x": x,
            "y": y,
        },
        index=pd.Index(
            [f"{code}-{mark}-{cell:0{digits}d}" for code, cell in zip(codes, table["cell"], strict=True)], name="id"
        ),
    )


def _places(region, samples, table):
    """Return lon, lat of each point: the people's mean, or the nearest sample to it where a bend of the border leaves it outside."""
    mean_x, mean_y = (table["wx"] / table["w"]).to_numpy(), (table["wy"] / table["w"]).to_numpy()
    lon, lat = unproject(region.projection, mean_x, mean_y)
    polygons = region.counties.geometry.to_numpy()
    shapely.prepare(polygons)
    out = np.flatnonzero(~shapely.contains_xy(polygons[table["county"].to_numpy()], lon, lat))
    if len(out):
        asked = pd.DataFrame(
            {"county": table["county"].to_numpy()[out], "cell": table["cell"].to_numpy()[out], "at": out}
        )
        near = asked.merge(samples, on=["county", "cell"])
        near["apart"] = np.hypot(near["x"] - mean_x[near["at"]], near["y"] - mean_y[near["at"]])
        near = near.sort_values(["at", "apart", "y", "x"]).drop_duplicates("at")
        lon[near["at"]], lat[near["at"]] = unproject(region.projection, near["x"], near["y"])
    return lon, lat


def _whole_shares(group, weights, totals):
    """Return whole numbers in proportion to ``weights`` that sum to ``totals[g]`` in each group g (largest remainder, ties by row)."""
    sums = np.bincount(group, weights, minlength=len(totals))
    quota = totals[group] * (weights / sums[group])
    whole = np.floor(quota).astype(np.int64)
    left = totals - np.bincount(group, whole, minlength=len(totals)).astype(np.int64)
    order = np.lexsort((np.arange(len(group)), -np.round(quota - whole, 9), group))
    starts = np.searchsorted(group[order], np.arange(len(totals)))
    rank = np.arange(len(group)) - starts[group[order]]
    whole[order] += rank < left[group[order]]
    return whole
