"""Emergency stations that there are: a planner's own list, checked at the door, or the county seats in its place."""

from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from geo.datum import judge, to_wgs84
from geo.faults import Fault, Named, Rejected
from geo.sites import known_places
from geo.table_file import Layout, in_order, nearest_county, plain, rows_of, shown
from geo.travel import ELLIPSOID

COLUMNS = ("name", "county_code", "city_code", "lon", "lat", "x", "y", "ambulances", "kind")
HEADINGS = {
    "id": "编号",
    "name": "名称",
    "lon": "经度",
    "lat": "纬度",
    "county_code": "县代码",
    "ambulances": "救护车",
}
OTHERS = {
    **dict.fromkeys(("急救站编号", "站点编号", "机构代码", "code"), "id"),
    **dict.fromkeys(("急救站", "急救站名称", "站名", "站点名称", "机构名称", "station"), "name"),
    **dict.fromkeys(("东经", "longitude", "lng"), "lon"),
    **dict.fromkeys(("北纬", "latitude"), "lat"),
    **dict.fromkeys(("区县代码", "县区代码", "县（市、区）代码", "行政区划代码"), "county_code"),
    **dict.fromkeys(("救护车数", "救护车数量", "车辆", "vehicles"), "ambulances"),
}
IGNORED = ("市代码", "city_code", "序号", "地址", "县名称", "county", "kind", "status", "persons")
LAYOUT = Layout("station", HEADINGS, ("name", "lon", "lat"), OTHERS, IGNORED)
MOST_AMBULANCES = 1_000
ROWS_NAMED = 8  # of many with the same fault, the first
METRES_FROM = 1_000  # a coordinate so large is no degree of anything
BORDER_METRES = 1_000  # the borders are generalised by some 500 m: so near to one, a point may be on either side
AROUND = 0.5  # degrees around the province: a point in there has its axes in order
COARSE = 2  # decimals of a degree, about a kilometre
TOWN_METRES = 10_000  # a town of the name that is farther off is another one
ENDS = ("街道办事处", "街道", "镇", "乡", "县", "市", "区")


def load_stations(path, region, *, datum=None):
    """Return the stations of a CSV as a DataFrame on ``id`` (str), sorted by it.

    name, county_code, city_code   text; the county is found from the point where the file does not give it
    lon, lat                       degrees, CGCS2000 (WGS 84), six decimals
    x, y                           whole metres of the region's projection
    ambulances                     float; NaN = not given
    kind                           "existing"

    path    UTF-8 or GBK; headings in Chinese (编号 名称 经度 纬度 县代码 救护车) or as named here; a file without ids
            gets "R" and the row, "R0002"
    datum   gcj02 | bd09: the file's degrees are those of an online map, and are converted; wgs84: they are not,
            whatever they look like; None: they are WGS 84, and a list that is not is refused

    ``attrs["notes"]`` holds what is no fault but should be told (:class:`geo.faults.Fault`). Raises
    :class:`geo.faults.Rejected` with every fault found, each with file, row, column, value and remedy.
    """
    file, faults, notes = Path(path).name, [], []
    records = [_record(row, region) for row in rows_of(path, LAYOUT, faults)]
    if not records and not faults:
        faults.append(Fault("station_none", file))
    points = [record for record in records if None not in (record["lon"], record["lat"])]
    points = _in_degrees(points, region, file, faults)
    _coarse(points, file, notes)
    if _in_datum(points, region, datum, file, faults, notes):
        _converted(points, datum)
        _in_place(points, region, file, faults)
    _unlike(records, points, file, faults)
    if faults:
        raise Rejected(in_order(faults))
    return _framed(records, region, notes)


def seat_stations(region):
    """Return one station at every county seat, assumed, as :func:`load_stations` does; kind "seat", id "S" + code."""
    seats = known_places(region)
    seats = seats[seats["kind"].eq("seat")]
    city = region.counties["city_code"].reindex(seats["county_code"]).to_numpy()
    frame = seats.assign(city_code=city, ambulances=np.nan, lon=seats["lon"].round(6), lat=seats["lat"].round(6))
    frame = frame[list(COLUMNS)]
    frame.attrs["notes"] = []
    return frame


# -- one row ---------------------------------------------------------------------------------------------------------


def _record(row, region):
    """Return the values of one row; where one is wrong the row notes a fault, and its value means nothing."""
    county = plain(row["county_code"])
    if county and county not in region.counties.index:
        row.fault("county", "county_code", nearest=nearest_county(county, region.counties["name"]))
        county = ""
    lon, lat = (row.number(column, "°") for column in ("lon", "lat"))
    return {
        "line": row.line,
        "heads": {column: row.head(column) for column in HEADINGS},
        "id": row.text("id") if "id" in row else f"R{row.line:04d}",
        "name": row.text("name"),
        "county_code": county,
        "lon": None if lon is None else float(lon),
        "lat": None if lat is None else float(lat),
        "decimals": max(len(plain(row[column]).removesuffix("°").partition(".")[2]) for column in ("lon", "lat")),
        "ambulances": _ambulances(row),
    }


def _ambulances(row):
    if not row["ambulances"]:
        return np.nan
    value = row.number("ambulances", "辆")
    if value is None:
        return np.nan
    if value.denominator != 1 or not 0 <= value <= MOST_AMBULANCES:
        row.fault("ambulances", "ambulances", most=f"{MOST_AMBULANCES:,}")
    return float(value)


# -- all rows --------------------------------------------------------------------------------------------------------


def _in_degrees(points, region, file, faults):
    """Return the points whose degrees may be such; note metres, swapped axes and what is no degree, rows together."""
    west, south, east, north = region.province.total_bounds
    held = (west - AROUND, south - AROUND, east + AROUND, north + AROUND)

    def around(lon, lat):
        return held[0] <= lon <= held[2] and held[1] <= lat <= held[3]

    kinds = {"station_metres": [], "station_swapped": [], "station_degrees": []}
    for point in points:
        lon, lat = point["lon"], point["lat"]
        if max(abs(lon), abs(lat)) >= METRES_FROM:
            kinds["station_metres"].append(point)
        elif around(lat, lon) and not around(lon, lat):
            kinds["station_swapped"].append(point)
        elif abs(lon) > 180 or abs(lat) > 90:
            kinds["station_degrees"].append(point)
    for key, found in kinds.items():
        if found:
            whole = "_all" if len(found) == len(points) > 1 else ""
            faults.append(_of_rows(f"{key}{whole}", found, file))
    wrong = {id(point) for found in kinds.values() for point in found}
    return [point for point in points if id(point) not in wrong]


def _of_rows(key, points, file, **params):
    """Return one fault of several rows: the first one's place and value, and which the others are."""
    first = points[0]
    heads = " / ".join(first["heads"][column] for column in ("lon", "lat"))
    rows = ", ".join(str(point["line"]) for point in points[:ROWS_NAMED]) + ("…" if len(points) > ROWS_NAMED else "")
    said = f"{first['lon']:.12g} / {first['lat']:.12g}"
    return Fault(key, file, first["line"], heads, said, {"rows": rows, "count": len(points)} | params)


def _unlike(records, points, file, faults):
    """Note every row whose id, whose name in the same county, or whose point stands in an earlier row too."""
    first = {}

    def again(kind, key, record, column, value):
        line = first.setdefault((kind, key), record["line"])
        if line != record["line"]:
            head = record["heads"][column]
            faults.append(Fault(f"station_{kind}", file, record["line"], head, shown(value), {"first": line}))

    for record in records:
        if record["id"]:
            again("id_twice", record["id"], record, "id", record["id"])
        if record["name"] and record["county_code"]:  # two counties may well have a station of one name
            again("name_twice", (record["name"], record["county_code"]), record, "name", record["name"])
    for point in points:
        at = (round(point["lon"], 5), round(point["lat"], 5))  # a metre
        again("point_twice", at, point, "lon", f"{at[0]:.5f} / {at[1]:.5f}")


def _in_datum(points, region, datum, file, faults, notes):
    """Return whether the points are in the datum they should be in; if not, or if nobody can tell, say so."""
    if datum == "wgs84" or not points:
        return True
    places = _named(region)
    matched = [(point, place) for point in points if (place := _place_of(point, places))]
    columns = [(p["lon"], p["lat"], place[0], place[1]) for p, place in matched]
    verdict = judge(*np.array(columns, dtype=float).reshape(-1, 4).T)
    said = {"count": verdict.places} | {name: f"{metres:,.0f}" for name, metres in verdict.metres.items()}
    if datum is None and verdict.datum in ("gcj02", "bd09"):
        faults.append(Fault(f"datum_{verdict.datum}", file, params=said))
        return False
    if datum is not None and verdict.datum not in ("", datum):
        faults.append(Fault(f"datum_not_{datum}_{verdict.datum}", file, params=said))
        return False
    if datum is None and not verdict.datum:
        notes.append(Fault("datum_undecided", file, params={"count": verdict.places}))
    return True


def _named(region):
    """Return [(name, its stem, whether a seat, lon, lat)] of the places that a station may be named after."""
    places = known_places(region)
    stems = [_stem(name) for name in places["name"]]
    seats = places["kind"].eq("seat")
    return list(zip(places["name"], stems, seats, places["lon"], places["lat"], strict=True))


def _stem(name):
    """Return what a name is without its rank, where two signs are left of it: 左权县 -> 左权, 祁县 -> 祁县."""
    end = next((end for end in ENDS if name.endswith(end)), "")
    return name.removesuffix(end) if len(name) - len(end) >= 2 else name


def _place_of(point, places):
    """Return (lon, lat) of the town after which a station is named, else of the seat; None for neither."""
    named = [place for place in places if place[1] and place[1] in point["name"]]
    for seat in (False, True):
        found = []
        for name, stem, is_seat, lon, lat in named:
            if is_seat == seat:
                metres = ELLIPSOID.inv(point["lon"], point["lat"], lon, lat)[2]
                # The longer name is the more exact one: 城关镇 within 西城关镇 is another place.
                found.append((-len(name if name in point["name"] else stem), metres, lon, lat))
        near = [each for each in found if each[1] <= TOWN_METRES]
        if near:
            return min(near)[2:]
    return None


def _converted(points, datum):
    if datum in ("gcj02", "bd09"):
        lon, lat = to_wgs84([p["lon"] for p in points], [p["lat"] for p in points], datum)
        for point, at_lon, at_lat in zip(points, lon, lat, strict=True):
            point["lon"], point["lat"] = float(at_lon), float(at_lat)


def _in_place(points, region, file, faults):
    """Give every point its county; note those outside the province, and outside the county that they state."""
    if not points:
        return
    counties = region.counties
    shapes = counties.geometry.to_crs(region.projection).to_numpy()
    shapely.prepare(shapes)
    at = shapely.points(*region.project([p["lon"] for p in points], [p["lat"] for p in points]))
    tree = shapely.STRtree(shapes)
    for point, spot in zip(points, at, strict=True):
        position = int(tree.nearest(spot))  # of several that touch, the first by code below
        metres = shapely.distance(shapes[position], spot)
        touching = np.sort(tree.query(spot, predicate="intersects"))
        position = int(touching[0]) if len(touching) else position
        said, stated = f"{point['lon']:.6f} / {point['lat']:.6f}", point["county_code"]
        heads = " / ".join(point["heads"][column] for column in ("lon", "lat"))
        if metres > BORDER_METRES:
            seat, km = _nearest_seat(point, counties)
            params = {"county": seat, "km": f"{km:,.1f}"}
            faults.append(Fault("station_outside", file, point["line"], heads, said, params))
        elif stated and shapely.distance(shapes[counties.index.get_loc(stated)], spot) > BORDER_METRES:
            km = shapely.distance(shapes[counties.index.get_loc(stated)], spot) / 1000
            params = {"at": said, "inside": _called(counties, counties.index[position]), "km": f"{km:,.1f}"}
            params["stated"] = _called(counties, stated)
            faults.append(Fault("station_astray", file, point["line"], point["heads"]["county_code"], stated, params))
        else:
            point["county_code"] = stated or counties.index[position]


def _nearest_seat(point, counties):
    """Return (county, km) of the county seat nearest to a point."""
    many = len(counties)
    lon, lat = np.full(many, point["lon"]), np.full(many, point["lat"])
    metres = ELLIPSOID.inv(lon, lat, counties["seat_lon"].to_numpy(float), counties["seat_lat"].to_numpy(float))[2]
    nearest = int(np.argmin(metres))
    return _called(counties, counties.index[nearest]), metres[nearest] / 1000


def _called(counties, code):
    return Named(f"{counties.at[code, 'name']}（{code}）", f"{counties.at[code, 'name_en']} ({code})")


def _coarse(points, file, notes):
    """Note points given so roughly that they may be a kilometre off."""
    found = [point for point in points if point["decimals"] <= COARSE]
    if found:
        notes.append(_of_rows("station_coarse", found, file))


def _framed(records, region, notes):
    frame = pd.DataFrame(records).drop(columns=["line", "heads", "decimals"]).set_index("id").sort_index()
    frame["city_code"] = region.counties["city_code"].reindex(frame["county_code"]).to_numpy()
    frame["lon"], frame["lat"] = frame["lon"].astype(float).round(6), frame["lat"].astype(float).round(6)
    frame["x"], frame["y"] = region.project(frame["lon"], frame["lat"])
    frame = frame.assign(ambulances=frame["ambulances"].astype(float), kind="existing")[list(COLUMNS)]
    frame.attrs["notes"] = notes
    return frame
