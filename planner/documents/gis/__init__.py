"""The handover of a plan to those who work with GIS: GeoPackage, file geodatabase, styles and a QGIS project."""

import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo import theme
from geo.faults import Fault, Rejected
from geo.region import GEOGRAPHIC
from planner.documents.book import rows_of
from planner.documents.gis.coordinates import check_crs, display_crs, is_prefixed
from planner.documents.gis.fields import (
    DOMAIN_COLUMNS,
    FIELD_COLUMNS,
    METADATA_COLUMNS,
    POINTS,
    domain_rows,
    domains_in,
    field_rows,
    fit_name,
    plain_layer,
    result_layer,
    table_layer,
)
from planner.documents.gis.geofiles import write_geodatabase, write_geopackage
from planner.documents.gis.qgis import qml_text, write_project
from planner.documents.gis.sld import sld_text
from planner.documents.gis.symbols import looks_of
from planner.documents.naming import province_code, stem
from planner.report.layers import build_layers
from planner.report.summary import share
from planner.report.tables import clean_text

NUMBERS = {"package": 23, "geodatabase": 24, "project": 25, "styles": 26}
ENDINGS = {"package": ".gpkg", "geodatabase": ".gdb", "project": ".qgz", "styles": ""}
STEPS = 6


def write_handover(source, folder, *, city=None, crs=GEOGRAPHIC, progress=None):
    """Write the handover of a :class:`planner.documents.source.Source`; return the Paths of its files and folders.

    folder    gets the GeoPackage, the geodatabase (a folder), the QGIS project and a folder of styles (QML and SLD);
              those of the same names are replaced once all are written
    city      a city's code: its part alone
    crs       an EPSG code of CGCS2000: degrees, or a Gauss-Krueger zone that fits the region
    progress  called as progress(stage, done, total)
    The same source gives the same bytes. Raises :class:`geo.faults.Rejected` for a crs or a city that cannot be had,
    and OSError.
    """
    tell = progress or (lambda *about: None)
    words, region = source.words, source.region
    system = check_crs(crs, region)
    if city is not None and city not in region.cities.index:
        cities = "、".join(f"{code} {name}" for code, name in region.cities["name"].items())
        raise Rejected([Fault("export_city", value=city, params={"cities": cities})])
    code = city or province_code(source)
    names = {
        part: stem(source, code, number, words(f"handover.file_{part}")) + ENDINGS[part]
        for part, number in NUMBERS.items()
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tell("gis", 0, STEPS)
    layers = handed_layers(source, city, system)
    results = {layer.machine: layer for layer in layers if layer.geometry}
    tables = [layer for layer in layers if not layer.geometry]
    looks = looks_of(source, results)
    domains = domains_in(layers)
    tell("gis", 1, STEPS)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".handover-") as drawn:
        drawn = Path(drawn)
        styles = [(look, results[look.layer]) for look in looks]
        written = [
            (layer.name, look, qml_text(look, layer, domains, words), sld_text(look, layer)) for look, layer in styles
        ]
        _write_styles(drawn / names["styles"], written, words)
        tell("gis", 2, STEPS)
        write_geopackage(layers, drawn / names["package"], domains, written, words)
        tell("gis", 3, STEPS)
        write_geodatabase(layers, drawn / names["geodatabase"])
        tell("gis", 4, STEPS)
        shown = display_crs(system, tuple(float(edge) for edge in _area(region, city).total_bounds))
        title = clean_text(" ".join(part for part in (_title(source, city), source.summary.interim) if part))
        project = drawn / names["project"]
        write_project(project, names["package"], title, looks, results, tables, domains, system, shown, words)
        tell("gis", 5, STEPS)
        for name in names.values():
            _replace(drawn / name, folder / name)
    tell("gis", STEPS, STEPS)
    return [folder / name for name in names.values()]


def _write_styles(folder, written, words):
    folder.mkdir()
    for layer, look, qml, sld in written:
        called = look.key if words.lang == "en" else fit_name(look.title)
        for ending, text in ((".qml", qml), (".sld", sld)):
            (folder / f"{layer}_{called}{ending}").write_text(text, encoding="utf-8", newline="\n")


def _replace(new, old):
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink(missing_ok=True)
    new.rename(old)


def _area(region, city):
    """Return the polygons of the counties that are handed over."""
    counties = region.counties
    return counties if city is None else counties[counties["city_code"].eq(city)]


def _title(source, city):
    title = source.summary.title
    return title if city is None else source.words("handover.city_title", title=title, city=source.names[city])


def handed_layers(source, city, crs):
    """Return every :class:`~planner.documents.gis.fields.Layer`: results in ``crs``, tables, and the file's tables."""
    words, interim = source.words, source.summary.interim
    tables, cleaned, left_out = source.tables, source.cleaned, ()
    shapes = build_layers(source.plan, source.said, source.prepared)
    shapes["counties"] = _more_of(shapes["counties"], source)
    if city is not None:
        tables, cleaned, left_out = rows_of(source, city)
        shapes = of_city(shapes, source.region, city)
    layers = [result_layer(name, _placed(shape, name, crs), source, interim) for name, shape in shapes.items()]
    layers += [
        table_layer(number, name, frame, source, interim)
        for number, (name, frame) in enumerate(tables.items(), start=1)
    ]
    domains = domains_in(layers)
    metadata = plain_layer(
        "metadata", _metadata(source, city, crs, cleaned, left_out), METADATA_COLUMNS, words, interim
    )
    meanings = plain_layer("domains", domain_rows(domains), DOMAIN_COLUMNS, words, interim)
    layers += [metadata, meanings]
    layers.append(plain_layer("fields", [], FIELD_COLUMNS, words, interim))
    layers[-1] = plain_layer("fields", field_rows(layers, words), FIELD_COLUMNS, words, interim)
    return layers


def _more_of(counties, source):
    """Return the counties with what the maps show beside the plan's own columns, rounded as it is printed."""
    stations = source.tables["stations"]
    vehicles = stations.groupby("county_code")["ambulances"].sum().reindex(counties["code"], fill_value=0).to_numpy()
    persons = counties["persons"].where(counties["persons"] > 0)
    beyond = sum(counties[f"{part}_persons"] - counties[f"{part}_covered_now"] for part in ("urban", "rural"))
    people = counties["urban_persons"] + counties["rural_persons"]
    more = {
        "change_per_1000": (counties["plan_per_1000"] - counties["now_per_1000"]).round(2) + 0.0,
        "vehicles": vehicles.astype("int64"),
        "vehicles_per_100000": (vehicles * 100_000 / persons).astype(float).round(1),
        "uncovered_now_percent": [_percent(*each) for each in zip(beyond, people, strict=True)],
    }
    if source.against is not None:
        other = source.against.tables["beds_by_county"].set_index("code")["plan_per_1000"].reindex(counties["code"])
        more["against_per_1000"] = other.to_numpy()
        more["difference_per_1000"] = (counties["plan_per_1000"] - other.to_numpy()).round(2) + 0.0
    order = [*counties.columns.drop("geometry"), *more, "geometry"]
    return counties.assign(**more)[order]


def _percent(part, whole):
    """Return a share as the maps say it: never rounded to none or to all; NaN where nobody lives."""
    return float(share(part, whole).rstrip("%")) if whole > 0 else float("nan")


def _placed(shape, name, crs):
    """Return a layer in ``crs``, x to the east: valid polygons without a third dimension."""
    placed = shape.to_crs(crs)
    placed.geometry = shapely.force_2d(placed.geometry.to_numpy())
    return placed if name in POINTS else _areas(placed)


def _areas(frame):
    """Return a layer of polygons without what is no area: lines and points that a cut leaves over."""
    geometry = frame.geometry.to_numpy()
    faulty = ~shapely.is_valid(geometry)
    if faulty.any():
        geometry[faulty] = shapely.make_valid(geometry[faulty])
    parts, of = shapely.get_parts(geometry, return_index=True)
    while (shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        of = of[inner]
    parts, inner = shapely.get_parts(parts, return_index=True)
    of = of[inner]
    area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, of = parts[area], of[area]
    whole = np.full(len(frame), None, dtype=object)
    if len(parts):
        shapely.multipolygons(parts, indices=of, out=whole)
    frame = frame.set_geometry(gpd.GeoSeries(whole, index=frame.index, crs=frame.crs))
    return frame[frame.geometry.notna()].reset_index(drop=True)


def of_city(shapes, region, city):
    """Return the layers of one city.

    Its counties, stations, demand points and uncovered places; coverage and catchments cut to it, those of neighbours'
    stations too; and the centres that stand in it or serve its counties.
    """
    counties = shapes["counties"][shapes["counties"]["city_code"].eq(city)].reset_index(drop=True)
    codes, outline = set(counties["code"]), region.cities.geometry[city]
    catchments = counties.dissolve("centre_city_code", aggfunc={"persons": "sum", "code": "count"})
    known = shapes["catchments"].set_index("centre_city_code")
    catchments = catchments.rename(columns={"code": "counties"}).join(known[["centre_name", "level"]])
    order = [code for code in known.index if code in catchments.index]
    catchments = catchments.loc[order].reset_index()[shapes["catchments"].columns]
    circles = shapes["coverage_circles"]
    circles = circles[circles.intersects(outline)].reset_index(drop=True)
    circles.geometry = circles.geometry.intersection(outline)
    centres = shapes["centres"]
    free = centres["level"].eq("free")
    served = free & centres["county_code"].isin(set(counties["free_centre_county_code"]))
    served |= ~free & centres["city_code"].isin(set(counties["centre_city_code"]))
    own = {
        "cities": shapes["cities"]["code"].eq(city),
        "demand": shapes["demand"]["county_code"].isin(codes),
        "stations": shapes["stations"]["city_code"].eq(city),
        "centres": served | centres["city_code"].eq(city),
        "uncovered": shapes["uncovered"]["county_code"].isin(codes),
    }
    cut = {name: shapes[name][kept].reset_index(drop=True) for name, kept in own.items()}
    cut |= {"counties": counties, "catchments": catchments, "coverage_circles": circles}
    return {name: cut[name] for name in shapes}


def _metadata(source, city, crs, cleaned, left_out):
    """Return the rows of the table about the handover: (item, content)."""
    words, summary = source.words, source.summary

    def item(key, text):
        return words(f"handover.item.{key}"), clean_text(text)

    area = source.names[city or province_code(source)]
    rows = [item("title", _title(source, city)), item("area", area)]
    if summary.interim:
        rows.insert(0, item("interim", summary.interim))
    rows += [item("headline", sentence) for sentence in ((summary.subtitle, *summary.headline) if city is None else ())]
    rows += [
        item("scenario", source.scenario.name),
        item("fingerprint", source.fingerprint),
        item("system", f"{words('series.cgcs2000')} · EPSG:{crs.to_epsg()} · {crs.name}"),
        item("axes", words(f"handover.axes_{_axes(crs)}")),
        item("rule", summary.rule),
        item("marks", words("handover.marks", **theme.MARKS)),
        item("absent", words("handover.absent")),
        item("review", words("series.review_none")),
        item("boundaries", words("handover.boundaries")),
    ]
    if source.against is not None:
        rows.append(item("against", f"{source.against.summary.title} ({source.against.fingerprint})"))
    if city is not None:
        rows.append(item("cut", words("handover.cut")))
    if left_out:
        said = words("report.list_comma").join(words(f"table.{name}.sheet") for name in left_out)
        rows.append(item("left_out", said))
    rows += [item("source", line) for line in summary.sources]
    rows += [item("check", sentence) for sentence in source.checks]
    for each in cleaned:
        said = words(
            "report.cleaned_row",
            table=words(f"table.{each.table}.sheet"),
            column=each.column,
            row=each.row,
            text=each.text,
        )
        rows.append(item("cleaned", said))
    return rows


def _axes(crs):
    if crs.is_geographic:
        return "degrees"
    return "prefixed" if is_prefixed(crs.name) else "metres"
