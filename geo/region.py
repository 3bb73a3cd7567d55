"""Region: the cities, counties, towns and places of one province, checked at the door, in one metric projection."""

import csv
import hashlib
import logging
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyproj import CRS, Transformer

from geo.faults import Fault, Rejected

EMBEDDED = Path(__file__).parent / "data"
GEOGRAPHIC = "EPSG:4490"  # CGCS2000 degrees, equal to WGS 84 within a metre
FILES = ("cities.csv", "counties.csv", "settlements.csv", "townships.csv", "sources.csv", "boundaries.gpkg")

COUNTS = ("persons", "urban", "rural", "age_0_14", "age_60_plus", "age_65_plus", "households")
COMMITTEES = ("residents_committees", "village_committees")
TABLES = {  # file -> its key, and the columns it must have beside it
    "cities.csv": ("code", ("name", "name_en", "document_order", "seat_county_code")),
    "counties.csv": (
        "code",
        ("name", "name_en", "kind", "city_code", *COUNTS, "area_km2", "seat_lon", "seat_lat"),
    ),
    "settlements.csv": ("geonames_id", ("name", "name_en", "type", "lon", "lat", "county_code")),
    "townships.csv": ("code", ("name", "kind", "county_code", *COMMITTEES, "lon", "lat", "geonames_id")),
    "sources.csv": ("file", ("column", "source", "date", "licence", "nature", "note")),
}
LAYERS = ("county", "city", "province")
GEOPACKAGE = b"SQLite format 3\0"  # how the file begins; a disguised VRT would make the reader open other files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Region:
    """One province. Every table is sorted by code, so the order of rows in its files changes nothing.

    cities       GeoDataFrame on ``code`` in the documents' order: name, name_en, document_order, seat_county_code, lon,
                 lat, x, y, geometry
    counties     GeoDataFrame on ``code``: name, name_en, kind, city_code, persons, urban, rural, age_*, households,
                 area_km2, seat_lon, seat_lat, census_persons (as counted, whatever :func:`grown` makes of persons),
                 seat_x, seat_y (whole metres), geometry
    province     GeoDataFrame, one row: code, name, geometry
    settlements  DataFrame on ``geonames_id``: name, name_en, type, lon, lat, x, y, county_code
    townships    DataFrame on ``code``: name, kind, county_code, residents_committees, village_committees, geonames_id,
                 lon, lat ("" and NaN where not located)
    sources      DataFrame, one row a column of the files: file, column, source, date, licence, nature (measured |
                 modelled | assumed), note
    projection   pyproj text of the local transverse Mercator; units metres
    digest       sha256 of each file, by name
    """

    folder: Path
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    province: gpd.GeoDataFrame
    settlements: pd.DataFrame
    townships: pd.DataFrame
    sources: pd.DataFrame
    projection: str
    digest: dict

    @property
    def persons(self):
        return int(self.counties["persons"].sum())

    def project(self, lon, lat):
        """Return (x, y) in whole metres for degrees; the one way to metres, so that every distance agrees."""
        return project(self.projection, lon, lat)


def local_projection(bounds):
    """Return a transverse Mercator centred on ``bounds`` (west, south, east, north in degrees), as pyproj text.

    The scale on the central meridian is lowered so that the errors at the middle and at the edges balance: within
    0.05 % over the 370 km of Shanxi (a national zone would be split by the seam past Taiyuan).
    """
    west, south, east, north = bounds
    middle = round((west + east), 0) / 2
    half_width = max(east - middle, middle - west) * np.cos(np.radians((south + north) / 2)) * 111_320
    scale = round(1 - (half_width / 6_371_000) ** 2 / 4, 6)
    return f"+proj=tmerc +lat_0=0 +lon_0={middle:g} +k={scale:.6f} +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs"


@cache
def _transformer(source, target):
    return Transformer.from_crs(CRS(source), CRS(target), always_xy=True)


def project(projection, lon, lat):
    """Return (x, y), arrays of whole metres, for arrays of degrees under ``projection``."""
    transformer = _transformer(GEOGRAPHIC, projection)
    x, y = transformer.transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)


def unproject(projection, x, y):
    """Return (lon, lat) in degrees, rounded to 6 decimals (0.1 m), for arrays of metres."""
    transformer = _transformer(projection, GEOGRAPHIC)
    lon, lat = transformer.transform(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    return np.round(lon, 6), np.round(lat, 6)


def load_region(where="shanxi"):
    """Return the :class:`Region` of an embedded name or of a folder with the same files.

    Raises :class:`geo.faults.Rejected` with every fault found, each with file, row, column, value and remedy.
    """
    folder = EMBEDDED / where if (EMBEDDED / str(where)).is_dir() else Path(where)
    missing = [Fault("missing_file", file=str(folder / name)) for name in FILES if not (folder / name).is_file()]
    if missing:
        raise Rejected(missing)
    faults = []
    tables = {name: _table(folder / name, key, columns, faults) for name, (key, columns) in TABLES.items()}
    layers = _layers(folder / "boundaries.gpkg", faults)
    if any(frame is None for frame in (*tables.values(), *layers.values())):
        raise Rejected(faults)
    _check_tables(tables, faults)
    _check_layers(tables, layers, faults)
    if faults:
        raise Rejected(faults)
    return _assembled(folder, tables, layers)


def grown(region, growth):
    """Return ``region`` with its people changed: growth {city code: exact per cent}, of cities not named as they are.

    Urban and rural persons of a county become count x (1 + per cent / 100), halves up, and persons their sum;
    ``census_persons`` and the counts by age and of households stay those of the census.
    """
    counties = region.counties.copy()
    for setting in ("urban", "rural"):
        counties[setting] = [
            _times(persons, 1 + Fraction(growth.get(city, 0)) / 100)
            for persons, city in zip(counties[setting], counties["city_code"], strict=True)
        ]
    counties["persons"] = counties["urban"] + counties["rural"]
    return replace(region, counties=counties)


def _times(count, factor):
    """Return the whole number nearest to ``count`` x an exact factor; halves go up."""
    return (int(count) * factor + Fraction(1, 2)).__floor__()


def _check_tables(tables, faults):
    """Turn the columns of figures into numbers, in place; note what is none, unknown, twice there or adds up wrong."""
    cities, counties = tables["cities.csv"], tables["counties.csv"]
    settlements, townships = tables["settlements.csv"], tables["townships.csv"]
    for name in ("cities.csv", "counties.csv"):
        frame = tables[name]
        for row, value in zip(frame["_row"], frame.index, strict=True):
            if not re.fullmatch(r"[0-9]{6}", value):
                faults.append(Fault("bad_code", file=name, row=row, column="code", value=value))
    for name in ("cities.csv", "counties.csv", "settlements.csv", "townships.csv"):
        _unlike(tables[name], name, faults)
    whole = [_whole(counties, column, "counties.csv", faults) for column in COUNTS]
    _sums(counties[np.logical_and.reduce(whole)], "counties.csv", faults)
    for column in COMMITTEES:
        _whole(townships, column, "townships.csv", faults)
    _whole(cities, "document_order", "cities.csv", faults)
    for frame, name, columns in (
        (counties, "counties.csv", ("seat_lon", "seat_lat")),
        (settlements, "settlements.csv", ("lon", "lat")),
        (townships, "townships.csv", ("lon", "lat")),
    ):
        for column in columns:
            _degrees(frame, column, name, faults, blank=name == "townships.csv")
    counties["area_km2"] = pd.to_numeric(counties["area_km2"], errors="coerce")
    for name in ("settlements.csv", "townships.csv"):
        _known(tables[name], "county_code", counties.index, "unknown_county", name, faults)
    _known(counties, "city_code", cities.index, "unknown_city", "counties.csv", faults)
    _known(cities, "seat_county_code", counties.index, "unknown_county", "cities.csv", faults)


def _check_layers(tables, layers, faults):
    """Note units without a boundary, with the people concerned, boundaries without a unit, and an empty province."""
    counties = tables["counties.csv"]
    _matched(counties, layers["county"], counties["persons"].groupby(level=0).sum(), faults)
    _matched(tables["cities.csv"], layers["city"], counties.groupby("city_code")["persons"].sum(), faults)
    if layers["province"].empty:
        faults.append(Fault("no_layer", file="boundaries.gpkg:province"))
    if not faults:
        _seats_inside(counties, layers["county"].set_index("code").geometry, faults)


def _seats_inside(counties, outlines, faults):
    """Note seats that stand outside their own county: swapped degrees, a slip of a digit, another county's row."""
    outlines = outlines.reindex(counties.index)
    seats = gpd.GeoSeries.from_xy(counties["seat_lon"], counties["seat_lat"], index=counties.index, crs=outlines.crs)
    for code in counties.index[~outlines.intersects(seats, align=False)]:
        at = f"{counties.at[code, 'seat_lon']:g} {counties.at[code, 'seat_lat']:g}"
        row, params = int(counties.at[code, "_row"]), {"code": code}
        faults.append(Fault("seat_outside", "counties.csv", row, "seat_lon, seat_lat", at, params))


def _assembled(folder, tables, layers):
    cities, counties, settlements, townships, sources = (tables[name] for name in TABLES)
    projection = local_projection(layers["province"].total_bounds)
    line = ["_row"]
    counties = counties.drop(columns=line).sort_index()
    counties["census_persons"] = counties["persons"]
    counties["seat_x"], counties["seat_y"] = project(projection, counties["seat_lon"], counties["seat_lat"])
    cities = cities.drop(columns=line).sort_values("document_order", kind="stable")
    seats = counties.loc[cities["seat_county_code"]]
    for name, column in (("lon", "seat_lon"), ("lat", "seat_lat"), ("x", "seat_x"), ("y", "seat_y")):
        cities[name] = seats[column].to_numpy()
    settlements = settlements.drop(columns=line).sort_index()
    settlements["x"], settlements["y"] = project(projection, settlements["lon"], settlements["lat"])
    return Region(
        folder=folder,
        cities=_with_geometry(cities, layers["city"]),
        counties=_with_geometry(counties, layers["county"]),
        province=layers["province"].set_index("code").sort_index(),
        settlements=settlements,
        townships=townships.drop(columns=line).sort_index(),
        sources=sources.drop(columns=line).reset_index().sort_values(["file", "column"], ignore_index=True),
        projection=projection,
        digest={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
    )


def _with_geometry(frame, layer):
    geometry = layer.set_index("code").geometry.reindex(frame.index)
    return gpd.GeoDataFrame(frame, geometry=geometry.to_numpy(), crs=layer.crs)


def _table(path, key, columns, faults):
    """Return a CSV as text on its key, each row's line in ``_row``; None where it cannot be read as a table."""
    rows = _rows(path, faults)
    if rows is None:
        return None
    header = rows[0][1] if rows else []
    repeated = sorted({name for name in header if header.count(name) > 1})
    faults += [Fault("repeated_column", file=path.name, row=1, column=name) for name in repeated]
    absent = [name for name in (key, *columns) if name not in header]
    faults += [Fault("missing_column", file=path.name, column=name) for name in absent]
    if repeated or absent:
        return None
    ragged = [line for line, cells in rows if len(cells) != len(header)]
    faults += [Fault("ragged_row", file=path.name, row=line) for line in ragged]
    whole = [(line, cells) for line, cells in rows[1:] if len(cells) == len(header)]
    frame = pd.DataFrame([cells for _, cells in whole], columns=header, dtype=str)
    frame["_row"] = np.array([line for line, _ in whole], dtype=np.int64)
    return frame.set_index(key)


def _rows(path, faults):
    """Return (line, cells) of each line of a CSV that is not blank; None where it is not UTF-8 text."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            return [(reader.line_num, cells) for cells in reader if cells]
    except (UnicodeDecodeError, csv.Error):
        faults.append(Fault("not_utf8", file=path.name))
        return None


def _unlike(frame, file, faults):
    """Note every row whose key stands in another row too."""
    again = frame.index.duplicated(keep=False)
    for row, value in zip(frame["_row"][again], frame.index[again], strict=True):
        faults.append(Fault("duplicate_code", file=file, row=row, column=frame.index.name, value=value))


def _whole(frame, column, file, faults):
    """Turn ``column`` into whole numbers, in place; return which rows are good."""
    good = frame[column].str.fullmatch(r"[0-9]{1,12}")
    for row, value in frame.loc[~good, ["_row", column]].itertuples(index=False):
        faults.append(Fault("bad_count", file=file, row=row, column=column, value=value))
    frame[column] = frame[column].where(good, "0").astype(np.int64)
    return good.to_numpy()


def _degrees(frame, column, file, faults, blank=False):
    """Turn ``column`` into degrees, in place; ``blank`` cells, where allowed, become NaN."""
    numbers = pd.to_numeric(frame[column], errors="coerce")
    limit = 180 if column.endswith("lon") else 90
    good = numbers.abs().le(limit)
    if blank:
        good |= frame[column].eq("")
    for row, value in frame.loc[~good, ["_row", column]].itertuples(index=False):
        faults.append(Fault("bad_degree", file=file, row=row, column=column, value=value))
    frame[column] = numbers


def _known(frame, column, codes, key, file, faults):
    for row, value in frame.loc[~frame[column].isin(codes), ["_row", column]].itertuples(index=False):
        faults.append(Fault(key, file=file, row=row, column=column, value=value))


def _sums(counties, file, faults):
    parts = counties["urban"] + counties["rural"]
    for row, persons, total in zip(counties["_row"], counties["persons"], parts, strict=True):
        if persons != total:
            params = {"parts": f"{total:,}", "persons": f"{persons:,}"}
            faults.append(Fault("sum_persons", file=file, row=row, column="persons", value=str(persons), params=params))
    if counties["persons"].sum() == 0:
        faults.append(Fault("no_people", file=file, column="persons"))


def _layers(path, faults):
    """Return the layers of the boundary file by name; None for one that cannot be used."""
    with path.open("rb") as stream:
        genuine = stream.read(len(GEOPACKAGE)) == GEOPACKAGE
    if not genuine:
        faults.append(Fault("not_geopackage", file=path.name))
        return dict.fromkeys(LAYERS)
    return {name: _layer(path, name, faults) for name in LAYERS}


def _layer(path, name, faults):
    """Return one layer in :data:`GEOGRAPHIC` with whole, valid polygons of unlike codes; None where it lacks these."""
    file = f"{path.name}:{name}"
    try:
        layer = gpd.read_file(path, layer=name)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        layer = None
    if not isinstance(layer, gpd.GeoDataFrame):  # a plain frame where the layer has no shapes
        faults.append(Fault("no_layer", file=file))
        return None
    found = len(faults)
    faults += [Fault("missing_column", file=file, column=name) for name in ("code", "name") if name not in layer]
    if layer.crs is None:
        faults.append(Fault("no_crs", file=file))
    if len(faults) > found:
        return None
    layer["code"] = layer["code"].astype(str)
    for code in sorted(layer.loc[layer["code"].duplicated(), "code"]):
        faults.append(Fault("duplicate_code", file=file, column="code", value=code))
    layer = layer.to_crs(GEOGRAPHIC)
    crossed = ~(layer.geometry.is_valid | layer.geometry.isna())
    if crossed.any():
        log.warning("%s: crossing outlines repaired: %s", file, ", ".join(layer.loc[crossed, "code"]))
        layer.loc[crossed, "geometry"] = layer.loc[crossed, "geometry"].make_valid()
    area = layer.geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & ~layer.geometry.is_empty
    for code in layer.loc[~area, "code"]:
        faults.append(Fault("bad_geometry", file=file, column="code", value=code))
    return layer if len(faults) == found else None


def _matched(frame, layer, persons, faults):
    for code in frame.index.unique().difference(layer["code"]):
        params = {"persons": f"{persons.get(code, 0):,}"}
        faults.append(Fault("no_boundary", file="boundaries.gpkg", column="code", value=code, params=params))
    for code in pd.Index(layer["code"]).difference(frame.index):
        faults.append(Fault("no_facts", file="boundaries.gpkg", column="code", value=code))
