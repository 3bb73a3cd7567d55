"""Demand: the census people of each county as whole persons at points of a 2 km grid, urban and rural apart.

Cells are squares of the region's projection, equal in area within 0.1 %; a cell that a border cuts is shared out.

How many people a county has is measured (2020 census). Where they stand inside it is MODELLED, by this rule:

Urban people live in compact built-up areas, and nowhere else.
    The middles of these areas are the county seats and the located townships; a township holds the share of its
    county's urban people that it has of the county's residents' committees, the seat holds the rest. The districts of a
    city share one area around the city's seat, which holds ``CITY_SHARE`` of their people. Around each middle the
    density falls like D(r) = D0 exp(-(r/s)^2) (Tanner 1961, Sherratt 1960); D0 is ``PEAK_PER_KM2`` for 100,000 people
    and grows with the square root of the people. The areas of all places are added up, across county borders; each
    county's urban people fill its densest ground, as far as the density stays at or above ``EDGE_PER_KM2`` (the least
    density of an urban cluster in the Degree of Urbanisation, Eurostat and others 2021).
Rural people live on the rest of the county.
    Their density is higher near seats and settlements: 1 + ``PLACE_PULL`` exp(-d / ``PLACE_METRES``) times that of the
    open country, d to the nearest of them; and it is higher on the side of denser neighbours: it follows the square of
    the counties' rural densities smoothed over ``TREND_METRES`` (after the pycnophylactic idea of Tobler 1979).

The figures of the rule are ASSUMED: round values, five of them (peak, city share, pull, its metres, power) set against
a reference grid that is no input (WorldPop 2020 raked to the census, 5 arc-minutes, cut by county: 3,954 pieces; itself
modelled). Persons of the demand points summed to its pieces, and sum |points - grid| / 2 as a share of all persons:

                                               Pearson r    in the wrong piece
    spread evenly over each county               0.60             42.1 %
    a disc at each seat, rural near places       0.79             32.0 %
    this rule                                    0.92             23.5 %
    each city by the rule fitted to the others   0.90             24.9 %   (tests/benchmarks/fit_demand.py)

Relief (elevations of settlements) bettered the last column by 0.1 points only and was left out; a lower edge or a peak
growing faster with size would fit the grid better still, but the grid smears towns over its pieces.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from geo.region import project, unproject

PEAK_PER_KM2 = 4_000
PEAK_PERSONS = 100_000
EDGE_PER_KM2 = 300
CITY_SHARE = 0.85
SEAT_TYPES = ("PPLA", "PPLA2", "PPLA3")  # GeoNames' points of county seats: no towns, and up to 19 km off
PLACE_PULL = 5
PLACE_METRES = 15_000
TREND_METRES = 20_000
TREND_POWER = 2
SAMPLES_A_SIDE = 4  # a cell is sampled 4 x 4 times, so that borders and built-up areas cut it properly


@dataclass(frozen=True)
class _Samples:
    """Lattice points, each in one county and standing for ``km2``: county (position, ascending), cell, x, y (metres).

    Cells are numbered row by row over ``shape`` (rows, columns), from the south-west.
    """

    county: np.ndarray
    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    km2: float
    shape: tuple


def build_demand(region, cell_metres=2000):
    """Return the demand points of ``region``: DataFrame on ``id`` (str), sorted by it.

    county_code, city_code (str); setting ("urban" | "rural"); persons (int > 0); lon, lat (degrees, 6 decimals, inside
    the county); x, y (whole metres, ``region.project(lon, lat)``). One point for each cell x county x setting with
    people in it, at the mean of these people. Persons by county and setting sum to the census figures exactly. The
    order of rows in the region's files changes nothing. An id is county code, U or R, and the number of the cell.
    """
    samples = _lattice(region, cell_metres)
    urban = _urban_weights(region, samples)
    rural = _rural_weights(region, samples, urban, cell_metres)
    parts = [_points(region, samples, "urban", urban), _points(region, samples, "rural", rural)]
    return pd.concat(parts).sort_index()


def _lattice(region, cell_metres):
    """Return the :class:`_Samples` of the region: every lattice point inside a county; at least one point a county."""
    step = cell_metres / SAMPLES_A_SIDE
    metric = region.counties.geometry.to_crs(region.projection).to_numpy()
    found = [_inside(shape, step) for shape in metric]
    county = np.repeat(np.arange(len(found)), [len(points) for points in found])
    x, y = np.concatenate(found).T
    # A straight border in degrees is not quite straight in metres: both must hold the point.
    kept = _held_by(region, county, *unproject(region.projection, x, y))
    county, x, y = county[kept], x[kept], y[kept]
    small = np.setdiff1d(np.arange(len(metric)), county)  # counties that fall between the lattice points
    county = np.append(county, small)
    order = np.argsort(county, kind="stable")
    x = np.append(x, [metric[k].representative_point().x for k in small])[order]
    y = np.append(y, [metric[k].representative_point().y for k in small])[order]
    column, row = (np.floor(values / cell_metres).astype(np.int64) for values in (x, y))
    column, row = column - column.min(), row - row.min()
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    return _Samples(county[order], row * shape[1] + column, x, y, (step / 1000) ** 2, shape)


def _inside(shape, step):
    """Return the lattice points inside ``shape``, an n x 2 array of metres, row by row."""
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(
        (np.arange(np.floor(west / step), np.ceil(east / step)) + 0.5) * step,
        (np.arange(np.floor(south / step), np.ceil(north / step)) + 0.5) * step,
    )
    shapely.prepare(shape)
    kept = shapely.contains_xy(shape, x, y)
    return np.column_stack([x[kept], y[kept]])


def _held_by(region, county, lon, lat):
    """Return whether each point in degrees lies inside the county at the same place of ``county``."""
    shapes = region.counties.geometry.to_numpy()
    shapely.prepare(shapes)
    return shapely.contains_xy(shapes[county], lon, lat)


def _built_up_areas(region):
    """Return the middles of built-up areas: DataFrame persons, x, y, ordered by county, by town and by city."""
    counties, cities = region.counties, region.cities
    seats = region.settlements.index[region.settlements["type"].isin(SEAT_TYPES)]
    towns = region.townships[region.townships["lon"].notna() & ~region.townships["geonames_id"].isin(seats)]
    x, y = project(region.projection, towns["lon"], towns["lat"])
    county = counties.index.get_indexer(towns["county_code"])
    committees = region.townships.groupby("county_code")["residents_committees"].sum()
    committees = committees.reindex(counties.index, fill_value=0).to_numpy()
    share = towns["residents_committees"].to_numpy() / np.maximum(committees[county], 1)
    in_towns = counties["urban"].to_numpy()[county] * share
    at_seat = counties["urban"].to_numpy() - np.bincount(county, in_towns, minlength=len(counties))
    district = (counties["kind"] == "district").to_numpy()
    city = cities.index.get_indexer(counties["city_code"])
    pooled = CITY_SHARE * np.bincount(city, at_seat * district, minlength=len(cities))
    at_seat = np.where(district, 1 - CITY_SHARE, 1.0) * at_seat
    return pd.DataFrame(
        {
            "persons": np.concatenate([at_seat, in_towns, pooled]),
            "x": np.concatenate([counties["seat_x"], x, cities["x"]]),
            "y": np.concatenate([counties["seat_y"], y, cities["y"]]),
        }
    )


def _urban_weights(region, samples):
    """Return the relative urban density of each sample, 0 outside the built-up area of its county."""
    density = np.zeros(len(samples.x))
    tree = cKDTree(np.column_stack([samples.x, samples.y]))
    for area in _built_up_areas(region).itertuples():
        if area.persons < 1:
            continue
        peak = PEAK_PER_KM2 * np.sqrt(area.persons / PEAK_PERSONS)
        spread = 1000 * np.sqrt(area.persons / (np.pi * peak))
        reach = spread * np.sqrt(np.log(max(peak, 2.0)))  # beyond it, less than one person per km2
        near = np.array(tree.query_ball_point((area.x, area.y), reach, return_sorted=True), dtype=np.int64)
        metres = np.hypot(samples.x[near] - area.x, samples.y[near] - area.y)
        density[near] += peak * np.exp(-((metres / spread) ** 2))
    return _densest_ground(region, samples, density)


def _densest_ground(region, samples, density):
    """Return ``density`` where the county's urban people fill it at EDGE_PER_KM2 or more, else 0."""
    counties = region.counties
    seat_x, seat_y = (counties[name].to_numpy()[samples.county] for name in ("seat_x", "seat_y"))
    from_seat = np.hypot(samples.x - seat_x, samples.y - seat_y)
    # Where no area reaches into the county its people gather beside the seat.
    density = density + 1e-9 * np.exp(-from_seat / PLACE_METRES)
    order = np.lexsort((-density, samples.county))
    dense, county = density[order], samples.county[order]
    first = np.searchsorted(county, np.arange(len(counties)))
    total = np.cumsum(dense)
    total -= (total[first] - dense[first])[county]
    urban = counties["urban"].to_numpy()[county]
    kept = urban * dense / total / samples.km2 >= EDGE_PER_KM2
    kept[first] = urban[first] > 0
    weights = np.zeros(len(density))
    weights[order] = np.where(kept, dense, 0.0)
    return weights


def _rural_weights(region, samples, urban, cell_metres):
    """Return the relative rural density of each sample, 0 in the built-up area unless it takes up the whole county."""
    towns = region.settlements[~region.settlements["type"].isin(SEAT_TYPES)]
    places = np.concatenate([region.counties[["seat_x", "seat_y"]].to_numpy(float), towns[["x", "y"]].to_numpy(float)])
    metres, _ = cKDTree(places).query(np.column_stack([samples.x, samples.y]))
    weights = 1 + PLACE_PULL * np.exp(-metres / PLACE_METRES)
    weights *= _rural_trend(region, samples, cell_metres) ** TREND_POWER
    open_country = weights * (urban == 0)
    full = np.bincount(samples.county, open_country, minlength=len(region.counties)) == 0
    return np.where(full[samples.county], weights, open_country)


def _rural_trend(region, samples, cell_metres):
    """Return the counties' rural density at each sample, smoothed over TREND_METRES: it does not jump at borders."""
    rural = region.counties["rural"].to_numpy() / np.bincount(samples.county)
    size = samples.shape[0] * samples.shape[1]
    persons = np.bincount(samples.cell, rural[samples.county], minlength=size).reshape(samples.shape)
    ground = np.bincount(samples.cell, minlength=size).reshape(samples.shape).astype(float)
    sigma = TREND_METRES / cell_metres
    smooth = [gaussian_filter(grid, sigma, mode="constant").ravel()[samples.cell] for grid in (persons, ground)]
    return smooth[0] / smooth[1]


def _points(region, samples, setting, weights):
    """Return the demand points of one setting: samples gathered by cell and county, people shared by ``weights``."""
    counties = region.counties
    held = np.flatnonzero(weights > 0)
    size = samples.shape[0] * samples.shape[1]
    pieces, piece = np.unique(samples.county[held] * size + samples.cell[held], return_inverse=True)
    county, cell = pieces // size, pieces % size
    weight, x, y = (
        np.bincount(piece, weights[held] * values) for values in (np.ones(len(held)), samples.x[held], samples.y[held])
    )
    persons = _whole_shares(county, weight, counties[setting].to_numpy())
    lon, lat = _places(region, samples, held, piece, county, x / weight, y / weight)
    kept = persons > 0
    county, cell, persons, lon, lat = (values[kept] for values in (county, cell, persons, lon, lat))
    x, y = project(region.projection, lon, lat)
    codes = counties.index.to_numpy()[county]
    digits = len(str(size))
    ids = [f"{code}-{setting[0].upper()}-{number:0{digits}d}" for code, number in zip(codes, cell, strict=True)]
    columns = {
        "county_code": codes,
        "city_code": counties["city_code"].to_numpy()[county],
        "setting": setting,
        "persons": persons,
        "lon": lon,
        "lat": lat,
        "x": x,
        "y": y,
    }
    return pd.DataFrame(columns, index=pd.Index(ids, name="id", dtype=str))


def _places(region, samples, held, piece, county, x, y):
    """Return lon, lat of each piece: its mean ``x``, ``y``; its sample nearest to that, where the mean is outside."""
    lon, lat = unproject(region.projection, x, y)
    astray = ~_held_by(region, county, lon, lat)
    ask = np.flatnonzero(astray[piece])
    apart = np.hypot(samples.x[held[ask]] - x[piece[ask]], samples.y[held[ask]] - y[piece[ask]])
    ask = ask[np.lexsort((ask, np.round(apart), piece[ask]))]
    at, first = np.unique(piece[ask], return_index=True)
    nearest = held[ask[first]]
    lon[at], lat[at] = unproject(region.projection, samples.x[nearest], samples.y[nearest])
    return lon, lat


def _whole_shares(group, weights, totals):
    """Return whole numbers in proportion to ``weights``, summing to ``totals[g]`` in group g.

    Largest remainder; among equal remainders the earlier row gains.
    """
    quota = totals[group] * (weights / np.bincount(group, weights, minlength=len(totals))[group])
    whole = np.floor(quota).astype(np.int64)
    left = totals - np.bincount(group, whole, minlength=len(totals)).astype(np.int64)
    order = np.lexsort((np.arange(len(group)), np.round(whole - quota, 9), group))
    rank = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    whole[order] += rank < left[group[order]]
    return whole
