"""The GeoPackage of a run: every result as a layer, in CGCS2000 degrees, with a table that explains its fields."""

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from geo.region import GEOGRAPHIC
from geo.travel import UNREACHED, is_covered
from planner.report.columns import TABLES
from planner.report.view import city_results, county_results
from planner.services.serving import station_table
from planner.services.station_problem import limits_of

# GDAL stamps each layer with the time of writing; one fixed moment keeps two runs alike. The finished folder is brought
# to the disk as a whole, so that SQLite need not wait for the disk at every layer.
GDAL_OPTIONS = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z", "OGR_SQLITE_SYNCHRONOUS": "OFF"}
CIRCLE_SEGMENTS = 24  # of a quarter circle: within 0.1 % of the true area
POINTS = ("demand", "stations", "centres", "uncovered", "changes")

# Where a layer's column is the same as a table's, the table says whether it is modelled.
LAYER_TABLES = {
    "cities": "beds_by_city",
    "counties": "beds_by_county",
    "stations": "stations",
    "centres": "centres",
    "uncovered": "uncovered_places",
    "demand": "uncovered_places",
}
MODELLED = ("covered", "covered_now", "preferred", "metres")


def build_layers(plan, tables, prepared):
    """Return the layers by name, GeoDataFrames in EPSG:4490; field names are English identifiers.

    cities, counties           polygons with all results of :mod:`planner.report.view`
    stations                   points
    coverage_circles           station_id, setting, radius_metres: what lies within the standard, cut to the province
    centres                    points, those of the documents and those chosen freely (level ``free``)
    catchments                 one row a centre of the documents: its counties in one polygon
    demand                     points: county_code, setting, persons, covered (0 | 1), metres to the nearest station
    uncovered                  points beyond the standard, with the nearest known place
    """
    scenario, region = plan.scenario, prepared.region
    counties = county_results(tables, region)
    return {
        "cities": city_results(tables, region),
        "counties": counties,
        "catchments": _catchments(counties, tables["centres"]),
        "coverage_circles": coverage_circles(tables["stations"], scenario, region),
        "demand": _demand(prepared, tables["stations"], scenario),
        "stations": _points(tables["stations"]),
        "centres": _points(pd.concat([tables["centres"], tables["centres_free"]], ignore_index=True)),
        "uncovered": _points(tables["uncovered_places"]),
    }


def write_layers(plan, tables, prepared, path, words):
    """Write the layers and the attribute table ``columns``. Raises OSError when the file cannot be written."""
    layers = build_layers(plan, tables, prepared)
    write_geopackage(layers, column_notes(layers, words), path, words)


def write_geopackage(layers, notes, path, words):
    """Write GeoDataFrames by name, those of ``POINTS`` as points and the others as polygons, and the table ``columns``.

    Raises OSError when the file cannot be written.
    """
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    try:
        for name, layer in layers.items():
            pyogrio.write_dataframe(
                layer,
                path,
                layer=name,
                driver="GPKG",
                append=path.exists(),
                geometry_type="Point" if name in POINTS else "MultiPolygon",
                promote_to_multi=name not in POINTS,
                layer_options={"GEOMETRY_NAME": "geom", "DESCRIPTION": words(f"report.layer.{name}")},
            )
        pyogrio.write_dataframe(
            notes,
            path,
            layer="columns",
            driver="GPKG",
            append=True,
            layer_options={"DESCRIPTION": words("report.layer.columns")},
        )
    except RuntimeError as error:  # pyogrio's own errors: a full disk must be told as one
        raise OSError(f"{path.name}: {error}") from error
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(GDAL_OPTIONS))


def column_notes(layers, words, nature_of=None):
    """Return one row a field of each layer: layer, column, heading, unit, nature, in the language of ``words``.

    nature_of  called as nature_of(layer, column), gives "modelled", "assumed" or ""; None: that of a plan's layers
    """
    nature_of = nature_of or _nature
    rows = []
    for name, layer in layers.items():
        for column in layer.columns.drop("geometry"):
            unit, nature = f"unit.{column}", f"value.nature.{nature_of(name, column)}"
            said = [words(key) if key in words else "" for key in (f"column.{column}", unit, nature)]
            rows.append((name, column, *said))
    return pd.DataFrame(rows, columns=["layer", "column", "heading", "unit", "nature"])


def _nature(layer, column):
    """Return "modelled" or "assumed"; "" for what is measured, decided or computed from such."""
    if column.removeprefix("urban_").removeprefix("rural_") in MODELLED:
        return "modelled"
    table = TABLES.get(LAYER_TABLES.get(layer))
    return table.natures.get(column, "") if table else ""


def _points(frame):
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=GEOGRAPHIC)


def coverage_circles(stations, scenario, region):
    """Return what lies within each standard of each station, cut to the province.

    stations  DataFrame id, lon, lat; scenario: anything with urban_km, rural_km and detour_factor, by which circles are
    smaller. GeoDataFrame station_id, setting, radius_metres.
    """
    x, y = region.project(stations["lon"], stations["lat"])
    centres = shapely.points(x, y)
    outline = region.province.to_crs(region.projection).geometry.union_all()
    shapely.prepare(outline)
    rows = []
    if getattr(scenario, "travel_measure", "straight") != "straight":  # what roads reach is no circle
        stations, centres = stations.iloc[:0], centres[:0]
    for setting, km in (("rural", scenario.rural_km), ("urban", scenario.urban_km)):
        radius = km * 1000
        circles = shapely.buffer(centres, radius / scenario.detour_factor, quad_segs=CIRCLE_SEGMENTS)
        beyond = ~shapely.contains_properly(outline, circles)
        circles[beyond] = shapely.intersection(circles[beyond], outline)
        frame = pd.DataFrame({"station_id": stations["id"], "setting": setting, "radius_metres": round(radius)})
        rows.append(gpd.GeoDataFrame(frame, geometry=circles, crs=region.projection))
    return pd.concat(rows, ignore_index=True).to_crs(GEOGRAPHIC)


def _catchments(counties, centres):
    joined = counties.dissolve("centre_city_code", aggfunc={"persons": "sum", "code": "count"}).reset_index()
    joined = joined.rename(columns={"code": "counties"})
    named = centres.rename(columns={"city_code": "centre_city_code", "name": "centre_name"})
    joined = joined.merge(named[["centre_city_code", "centre_name", "level"]], on="centre_city_code", validate="1:1")
    columns = ["centre_city_code", "centre_name", "level", "counties", "persons", "geometry"]
    order = {code: position for position, code in enumerate(centres["city_code"])}
    return joined[columns].sort_values("centre_city_code", key=lambda codes: codes.map(order), ignore_index=True)


def _demand(prepared, stations, scenario):
    """Return the demand points with their way to the nearest station, absent where there is none."""
    demand, ways = prepared.demand, prepared.ways(scenario)
    x, y = prepared.region.project(stations["lon"], stations["lat"])
    at = stations.set_index("id").assign(x=x, y=y)
    _, amount, _ = station_table(at, at.index, demand, ways, by_city=scenario.stations_by_city)
    frame = demand[["county_code", "setting", "persons"]].reset_index()
    frame["covered"] = is_covered(amount, limits_of(scenario, demand, ways)[0]).astype("int64")
    far = pd.Series(amount).where(amount != UNREACHED).astype("Int64")
    frame[ways.unit] = far if (amount == UNREACHED).any() else amount
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(demand["lon"], demand["lat"]), crs=GEOGRAPHIC)
