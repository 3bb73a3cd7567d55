"""The GeoPackage's layers against the tables and the inputs: every attribute, every point, every polygon."""

import numpy as np
import pandas as pd
import shapely

from planner.verify.facts import SETTINGS, UNREACHED, metres_of
from planner.verify.ledger import NUMBERS_ALIKE
from planner.verify.reread import read_layers, read_or_tell
from planner.verify.shapes import NotChecked
from planner.verify.stations import station_xy

LAYERS = ("cities", "counties", "catchments", "coverage_circles", "demand", "stations", "centres", "uncovered")
EPSG = 4490
POINT = shapely.GeometryType.POINT
SAME_PLACE = 1e-9  # degrees, a tenth of a millimetre


def check_layers(ledger, path, plan, facts):
    """Compare every layer with the tables and the inputs; returns how many features were compared."""
    layers = read_or_tell(ledger, path, read_layers)
    if layers is None:
        return 0
    compared = 0
    for name in LAYERS:
        place = f"{path.name} [{name}]"
        layer = layers.get(name)
        if layer is None:
            ledger.fail("layer_missing", file=path.name, layer=name)
            continue
        if layer.srs != EPSG:
            ledger.fail("layer_srs", table=place, found=layer.srs, expected=EPSG)
        try:
            keys, expected, shapes = EXPECTED[name](plan, facts)
        except NotChecked as missing:
            ledger.fail("not_checked", what=f"{place}: {missing}")
            continue
        absent = [column for column in expected[0] if column not in layer.columns] if expected else []
        for column in absent:
            ledger.fail("column_missing", table=place, column=column)
        if absent:
            continue
        frame = pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in layer.columns.items()})
        ledger.compare(place, frame, keys, expected, places=NUMBERS_ALIKE, first_row=1)
        _compare_shapes(ledger, place, frame, layer.geometry, keys, expected, shapes)
        compared += len(frame)
    return compared


def _compare_shapes(ledger, place, frame, geometry, keys, expected, shapes):
    """Compare geometries row by row; ``shapes`` are what they should be, in the order of ``expected``."""
    wanted = {tuple(line[key] for key in keys): shape for line, shape in zip(expected, shapes, strict=True)}
    given = list(zip(*(frame[key] for key in keys), strict=True))
    right = _points_alike(geometry, [wanted.get(key) for key in given])
    for row, key in enumerate(given):
        shape, found = wanted.get(key), geometry[row]
        if shape is None or right[row]:
            continue
        if found is None or found.is_empty:
            ledger.fail(
                "geometry", table=place, row=row + 1, who=" ".join(map(str, key)), found="—", expected=_told(shape)
            )
        elif not _same_shape(found, shape):
            params = {"found": _told(found), "expected": _told(shape)}
            ledger.fail("geometry", table=place, row=row + 1, who=" ".join(map(str, key)), **params)


def _points_alike(found, shapes):
    """Return which of ``found`` are points, and where they should be."""
    found, shapes = np.array(found, dtype=object), np.array(shapes, dtype=object)
    points = (shapely.get_type_id(found) == POINT) & (shapely.get_type_id(shapes) == POINT)
    away = np.maximum(*(abs(axis(found) - axis(shapes)) for axis in (shapely.get_x, shapely.get_y)))
    return points & (away <= SAME_PLACE)


def _same_shape(found, shape):
    if found.equals_exact(shape) and found.is_valid:
        return True
    if shape.geom_type == "Point":
        return found.geom_type == "Point" and max(abs(found.x - shape.x), abs(found.y - shape.y)) <= SAME_PLACE
    return found.is_valid and found.symmetric_difference(shape).area <= 1e-9 * max(shape.area, 1e-9)


def _told(shape):
    """Return a geometry in a few words: a point's degrees, or the area and bounds of a polygon in degrees."""
    if shape.geom_type == "Point":
        return f"{shape.x:.6f} {shape.y:.6f}"
    return f"{shape.area:.8f} ({', '.join(f'{bound:.6f}' for bound in shape.bounds)})"


def _records(plan, name):
    return plan[name].to_dict("records")


def _points(lines):
    return [shapely.Point(line["lon"], line["lat"]) for line in lines]


def _stations(plan, facts):
    lines = _records(plan, "stations")
    return ["id"], lines, _points(lines)


def _centres(plan, facts):
    lines = _records(plan, "centres") + _records(plan, "centres_free")
    return ["level", "lon", "lat"], lines, _points(lines)


def _uncovered(plan, facts):
    lines = _records(plan, "uncovered_places")
    return ["county_code", "setting", "lon", "lat"], lines, _points(lines)


def _demand(plan, facts):
    amount, _ = facts.ways(plan["stations"])
    unit = "seconds" if facts.per_unit == 60 else "metres"
    lines = [
        {
            "id": id,
            "county_code": code,
            "setting": setting,
            "persons": int(persons),
            "covered": int(far <= limit),
            unit: None if far == UNREACHED else int(far),
        }
        for id, code, setting, persons, far, limit in zip(
            *(np.asarray(column, dtype=object) for column in (facts.demand.index, facts.demand["county_code"])),
            np.asarray(facts.demand["setting"], dtype=object),
            facts.demand_persons,
            amount,
            facts.limit,
            strict=True,
        )
    ]
    return ["id"], lines, shapely.points(facts.demand["lon"], facts.demand["lat"]).tolist()


def _circles(plan, facts):
    """Every station has both circles; a polygon, cut to the province, is compared with one drawn here."""
    frame, region = plan["stations"], facts.region
    outline = region.province.to_crs(region.projection).geometry.union_all()
    shapely.prepare(outline)
    radii = {"urban": metres_of(facts.scenario.urban_km), "rural": metres_of(facts.scenario.rural_km)}
    lines, shapes = [], []
    for setting in SETTINGS[::-1] if facts.roads is None else ():
        circles = shapely.buffer(shapely.points(station_xy(facts, frame)), radii[setting] / facts.detour, quad_segs=24)
        for id, circle in zip(frame["id"], circles, strict=True):
            lines.append({"station_id": id, "setting": setting, "radius_metres": radii[setting]})
            shapes.append(circle if outline.contains_properly(circle) else circle.intersection(outline))
    return ["station_id", "setting"], lines, facts.in_degrees(shapes)


def _coverage(plan, name):
    """Return a coverage table with urban and rural side by side: code -> columns."""
    wide = {}
    for line in _records(plan, name):
        at = wide.setdefault(line["code"], {})
        for column in ("persons", "covered", "covered_now", *(["preferred"] if line["setting"] == "rural" else [])):
            at[f"{line['setting']}_{column}"] = line[column]
    blank = {f"{setting}_{column}": 0 for setting in SETTINGS for column in ("persons", "covered", "covered_now")}
    return {code: blank | {"rural_preferred": 0} | columns for code, columns in wide.items()}


def _cities(plan, facts):
    coverage = _coverage(plan, "coverage_by_city")
    ambulances = {line["code"]: line for line in _records(plan, "ambulances_by_city")}
    lines, shapes = [], []
    for line in _records(plan, "beds_by_city"):
        code = line["code"]
        if code not in facts.city or code not in ambulances or code not in coverage:
            continue
        fleet, city = ambulances[code], facts.cities[facts.city[code]]
        line |= {
            "stations": fleet["stations"],
            "ambulances_required": fleet["required"],
            "ambulances_plan": fleet["plan"],
        }
        lines.append(line | coverage[code] | {"lon": city["lon"], "lat": city["lat"]})
        shapes.append(facts.region.cities.geometry[code])
    return ["code"], lines, shapes


def _counties(plan, facts):
    coverage = _coverage(plan, "coverage_by_county")
    near = {line["county_code"]: line for line in _records(plan, "catchments")}
    free = {line["county_code"]: line for line in _records(plan, "catchments_free")}
    lines, shapes = [], []
    for line in _records(plan, "beds_by_county"):
        code = line["code"]
        if code not in facts.county or not all(code in table for table in (coverage, near, free)):
            continue
        line |= {"centre_city_code": near[code]["centre_city_code"], "centre_km": near[code]["km"]}
        line |= {"free_centre_county_code": free[code]["centre_county_code"], "free_centre_km": free[code]["km"]}
        lines.append(line | coverage[code])
        shapes.append(facts.region.counties.geometry[code])
    return ["code"], lines, shapes


def _catchments(plan, facts):
    counties = plan["catchments"]
    lines, shapes = [], []
    for centre in _records(plan, "centres"):
        of = counties[counties["centre_city_code"] == centre["city_code"]]
        codes = [code for code in of["county_code"] if code in facts.county]
        if not codes:
            continue
        line = {"centre_city_code": centre["city_code"], "centre_name": centre["name"], "level": centre["level"]}
        lines.append(line | {"counties": len(of), "persons": int(of["persons"].sum())})
        shapes.append(shapely.union_all(facts.region.counties.geometry[codes].to_numpy()))
    return ["centre_city_code"], lines, shapes


EXPECTED = {
    "cities": _cities,
    "counties": _counties,
    "catchments": _catchments,
    "coverage_circles": _circles,
    "demand": _demand,
    "stations": _stations,
    "centres": _centres,
    "uncovered": _uncovered,
}
