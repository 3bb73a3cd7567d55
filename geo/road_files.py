"""Roads as files hold them: OpenStreetMap extracts and layers of lines, read into lines of one kind.

Content decides what a file is, never its name: a file that only says where to read (a VRT) is not opened at all.
"""

import json
import math
import re
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.faults import Fault
from geo.region import GEOGRAPHIC

BEGINNING = 4096  # bytes that tell what a file is
SHAPEFILE = b"\x00\x00\x27\x0a"
GEOPACKAGE = b"SQLite format 3\0"
PBF = b"\n\tOSMHeader"  # after four bytes of length
DRIVERS = {"gpkg": "GPKG", "shp": "ESRI Shapefile"}
HEADINGS = {  # what a layer may call a column, the first one there is taken
    "class": ("highway", "class", "fclass", "类别"),
    "oneway": ("oneway", "单行"),
    "maxspeed": ("maxspeed", "限速"),
    "bridge": ("bridge", "桥"),
    "tunnel": ("tunnel", "隧道"),
    "layer": ("layer", "层"),
}
FORWARD = {"yes", "true", "1", "f", "ft", "是", "单向", "正向"}  # F, T, B: Geofabrik's from-to, to-from, both
BACKWARD = {"-1", "reverse", "t", "tf", "反向", "逆向"}
BOTH = {"", "no", "false", "0", "b", "none", "nan", "否", "双向", "reversible", "alternating"}
RINGS = {"roundabout", "circular"}
NO = {"", "no", "false", "0", "f", "none", "nan", "否"}
SIGNED = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(km/h|kmh|kph|mph)?", re.IGNORECASE)
KM_A_MILE = 1.609344
CRAWL = 5  # km/h; a signed speed below it means no limit is known
SHOWN = 10  # rows that a message or a report names
DEGREES = 1e7  # vertices as near as a centimetre are one


@dataclass(frozen=True)
class Lines:
    """Roads as polylines.

    row       of the file, as an editor shows it (for OpenStreetMap the way's id); one a line, as are the next five
    road      row of the table of speeds
    oneway    1 along the line, -1 against it, 0 both
    maxspeed  km/h, NaN = no sign
    level     how high it passes (0 = ground)
    raised    whether it is a bridge or a tunnel
    first     where the vertices of each line begin, and the end of the last
    lon, lat  degrees, one a vertex
    vertex    equal where lines share a vertex
    shared    whether lines meet at shared vertices and nowhere else, as in OpenStreetMap
    """

    row: np.ndarray
    road: np.ndarray
    oneway: np.ndarray
    maxspeed: np.ndarray
    level: np.ndarray
    raised: np.ndarray
    first: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    vertex: np.ndarray
    shared: bool


@dataclass
class Dropped:
    """What was left out while reading, each with its reason: nothing goes missing silently."""

    found: list = field(default_factory=list)

    def add(self, reason, rows, value=""):
        """Note that ``rows`` were left out, or one row that was."""
        self.found += [(reason, str(value), row) for row in np.atleast_1d(rows).tolist()]

    def table(self):
        """Return DataFrame reason, value, lines, rows: the first of them as text."""
        frame = pd.DataFrame(self.found, columns=["reason", "value", "row"])
        rows = frame.groupby(["reason", "value"])["row"]
        told = rows.apply(lambda some: ", ".join(map(str, some.iloc[:SHOWN])) + (" …" if len(some) > SHOWN else ""))
        return pd.DataFrame({"lines": rows.size(), "rows": told}).reset_index()


def kind_of(path, faults):
    """Return what a file holds - pbf | osm | gpkg | shp | geojson | graphml - by its beginning; None for others."""
    try:
        with path.open("rb") as stream:
            begin = stream.read(BEGINNING)
    except (OSError, ValueError):
        faults.append(Fault("road_missing", path.name))
        return None
    if begin[4 : 4 + len(PBF)] == PBF:
        return "pbf"
    if begin.startswith(GEOPACKAGE):
        return "gpkg"
    if begin.startswith(SHAPEFILE):
        return "shp"
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return "geojson"
    tag = re.search(rb"<([A-Za-z][\w:]*)", text) if text.startswith(b"<") else None
    if tag and tag[1] in (b"osm", b"graphml"):
        return tag[1].decode()
    faults.append(Fault("road_format", path.name))
    return None


def read_lines(path, kind, speeds, dropped, faults):
    """Return the :class:`Lines` of a file of roads; None where it has faults, which are noted."""
    before = len(faults)
    lines = _osm(path, kind, speeds, dropped, faults) if kind in ("pbf", "osm") else None
    if kind not in ("pbf", "osm"):
        layer = _geojson(path, faults) if kind == "geojson" else _layer(path, kind, faults)
        lines = _lines_of(layer, path.name, speeds, dropped, faults) if layer is not None else None
    if len(faults) == before and not len(lines.row):
        faults.append(Fault("road_none", path.name, params={"known": ", ".join(speeds.table.index)}))
    return lines if len(faults) == before else None


# -- OpenStreetMap ---------------------------------------------------------------------------------------------------


def _osm(path, kind, speeds, dropped, faults):
    try:
        import osmium
    except ImportError:
        faults.append(Fault("road_no_osmium", path.name))
        return None
    known = speeds.numbers
    ways, refs, lons, lats = [], [], [], []
    try:
        source = osmium.io.File(str(path), kind)
        roads = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY).with_locations()
        for way in roads.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway")
        ):
            tags = dict(way.tags)
            reason, value = _no_road(tags, known)
            if reason:
                dropped.add(reason, way.id, value)
                continue
            places = [(node.ref, node.location) for node in way.nodes]
            runs = _runs(places)
            if len(runs) != 1 or len(runs[0]) != len(places):
                dropped.add("beyond_extract", way.id)
            for run in runs:
                ways.append((way.id, known[tags["highway"].casefold()], *_drive(tags, way.id, dropped), len(run)))
                refs += [ref for ref, _ in run]
                lons += [place.lon for _, place in run]
                lats += [place.lat for _, place in run]
    except RuntimeError as error:
        faults.append(Fault("road_unreadable", path.name, params={"said": str(error)[:200]}))
        return None
    row, road, oneway, maxspeed, level, raised, count = zip(*ways, strict=True) if ways else [()] * 7
    return Lines(
        np.array(row, dtype=np.int64),
        np.array(road, dtype=np.int64),
        np.array(oneway, dtype=np.int8),
        np.array(maxspeed, dtype=float),
        np.array(level, dtype=float),
        np.array(raised, dtype=bool),
        np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        np.array(lons, dtype=float),
        np.array(lats, dtype=float),
        np.array(refs, dtype=np.int64),
        shared=True,
    )


def _no_road(tags, known):
    """Return (reason, value) why a tagged way is no road for an ambulance; ("", "") when it is one."""
    if tags["highway"].casefold() not in known:
        return "class", tags["highway"]
    if tags.get("area") == "yes":
        return "area", ""
    emergency = tags.get("emergency") in ("yes", "designated", "official")
    shut = next((key for key in ("motor_vehicle", "vehicle", "access") if key in tags), "")
    return ("shut", f"{shut}=no") if tags.get(shut) == "no" and not emergency else ("", "")


def _runs(places):
    """Return the parts of a way between nodes that lie beyond the extract, each of two nodes or more."""
    runs = [[]]
    for ref, place in places:
        if place.valid():
            runs[-1].append((ref, place))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _drive(tags, row, dropped):
    """Return oneway, maxspeed, level, raised of a way's tags; roundabouts and motorways are one-way unless they say."""
    ring = tags.get("junction") in RINGS or tags["highway"] == "motorway"
    oneway = _oneway(tags.get("oneway", "yes" if ring else ""))
    if oneway is None:
        dropped.add("oneway_unread", row, tags["oneway"])
        oneway = 0
    km_h = signed(tags.get("maxspeed", ""))
    if km_h is None:
        dropped.add("maxspeed_unread", row, tags["maxspeed"])
        km_h = math.nan
    return oneway, km_h, 0, False


# -- layers of lines -------------------------------------------------------------------------------------------------


def _layer(path, kind, faults):
    """Return the layer of roads of a GeoPackage or shapefile as a GeoDataFrame on the rows; None with faults noted."""
    try:
        layers = dict(pyogrio.list_layers(path))
        name = _layer_name(layers)
        if name is None:
            listed = ", ".join(str(each) for each in layers) or "-"
            faults.append(Fault("road_no_layer", path.name, params={"layers": listed}))
            return None
        encoding = _encoding(path) if kind == "shp" else None
        if pyogrio.read_info(path, layer=name, encoding=encoding)["driver"] != DRIVERS[kind]:
            faults.append(Fault("road_format", path.name))
            return None
        layer = pyogrio.read_dataframe(path, layer=name, fid_as_index=True, encoding=encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, ValueError) as error:
        faults.append(Fault("road_unreadable", path.name, params={"said": str(error)[:200]}))
        return None
    if kind == "shp":
        layer.index += 1  # editors count from one
    if layer.crs is None:
        faults.append(Fault("road_crs", path.name))
        return None
    return layer


def _layer_name(layers):
    """Return the layer "roads", or the only one of lines; None where there is none such."""
    if "roads" in layers:
        return "roads"
    lines = [name for name, shape in layers.items() if "LineString" in str(shape)]
    return lines[0] if len(lines) == 1 else None


def _encoding(path):
    """Return how a shapefile's table is written: as its .cpg says; else UTF-8 where it is that, else GB18030."""
    if any(path.with_suffix(end).exists() for end in (".cpg", ".CPG")):
        return None
    for table in (path.with_suffix(".dbf"), path.with_suffix(".DBF")):
        if table.is_file():
            try:
                table.read_bytes()[32:].decode("utf-8")  # the first 32 bytes are numbers
            except UnicodeDecodeError:
                return "GB18030"
    return "UTF-8"


def _geojson(path, faults):
    """Return a GeoJSON file as a GeoDataFrame on its rows; read here, since GDAL's JSON may say to read elsewhere."""
    try:
        held = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        faults.append(Fault("road_unreadable", path.name, params={"said": str(error)[:200]}))
        return None
    if not isinstance(held, dict) or held.get("type") != "FeatureCollection" or "features" not in held:
        faults.append(Fault("road_format", path.name))
        return None
    try:
        crs = CRS(held["crs"]["properties"]["name"]) if "crs" in held else CRS("OGC:CRS84")  # as RFC 7946 has it
    except (CRSError, KeyError, TypeError):
        faults.append(Fault("road_crs", path.name))
        return None
    shapes, said = [], []
    try:
        for feature in held["features"]:
            said.append(feature.get("properties") or {})
            shapes.append(shapely.geometry.shape(feature["geometry"]) if feature["geometry"] else None)
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        faults.append(Fault("road_geometry", path.name, len(shapes) + 1, params={"count": 1}))
        return None
    return gpd.GeoDataFrame(said, geometry=shapes, crs=crs, index=range(1, len(shapes) + 1))


def _lines_of(layer, file, speeds, dropped, faults):
    """Return the :class:`Lines` of a layer; None with every fault noted."""
    before = len(faults)
    columns = {key: next((name for name in names if name in layer), None) for key, names in HEADINGS.items()}
    if columns["class"] is None:
        faults.append(Fault("road_no_class", file, params={"known": ", ".join(HEADINGS["class"])}))
        return None
    _shapes(layer, file, faults)
    known = speeds.numbers
    said = _said(layer, columns["class"])
    road = said.str.casefold().map(known)
    for value, rows in said[road.isna()].groupby(said):
        dropped.add("class", rows.index, value)
    line = layer.geometry.geom_type.isin(["LineString", "MultiLineString"])
    dropped.add("not_a_line", layer.index[~line & road.notna() & layer.geometry.notna()])
    layer, road = layer[line & road.notna()], road[line & road.notna()].astype(np.int64)
    oneway = _read(layer, columns["oneway"], _oneway)
    for value, rows in oneway[oneway.isna()].groupby(_said(layer, columns["oneway"])):
        at, params = rows.index[0], {"count": len(rows)}
        faults.append(Fault("road_oneway", file, int(at), columns["oneway"], value, params))
    maxspeed = _read(layer, columns["maxspeed"], signed)
    for value, rows in maxspeed[maxspeed.isna()].groupby(_said(layer, columns["maxspeed"])):
        if signed(value) is None:
            dropped.add("maxspeed_unread", rows.index, value)
    level = pd.to_numeric(_said(layer, columns["layer"]), errors="coerce").fillna(0)
    flat = [_said(layer, columns[key]).str.casefold().isin(NO) for key in ("bridge", "tunnel")]
    raised = ~(flat[0] & flat[1])
    degrees = layer.geometry.to_crs(GEOGRAPHIC)
    if len(faults) > before:
        return None
    parts, of = shapely.get_parts(degrees.to_numpy(), return_index=True)
    vertices, line_of = shapely.get_coordinates(parts, return_index=True)
    _, vertex = np.unique(np.rint(vertices * DEGREES).astype(np.int64), axis=0, return_inverse=True)
    return Lines(
        layer.index.to_numpy()[of],
        road.to_numpy()[of],
        oneway.to_numpy()[of].astype(np.int8),
        maxspeed.to_numpy(dtype=float)[of],
        level.to_numpy(dtype=float)[of],
        raised.to_numpy()[of],
        np.searchsorted(line_of, np.arange(len(parts) + 1)),
        vertices[:, 0],
        vertices[:, 1],
        vertex.astype(np.int64),
        shared=False,
    )


def _shapes(layer, file, faults):
    """Note the rows without a shape: a file cut short reads as these."""
    empty = layer.index[layer.geometry.isna() | layer.geometry.is_empty]
    if len(empty):
        faults.append(Fault("road_geometry", file, int(empty[0]), params={"count": len(empty)}))


def _said(layer, column):
    """Return a column as text without blanks around it: "" where nothing stands, or there is no such column."""
    if column is None:
        return pd.Series("", index=layer.index)
    return layer[column].map(_as_text)


def _as_text(value):
    """Return one value as text; of a list, as merged streets have them, the first."""
    if isinstance(value, list | tuple | np.ndarray):
        value = value[0] if len(value) else None
    if value is None or (not isinstance(value, str | dict) and pd.isna(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()


def _read(layer, column, reader):
    """Return a column read by ``reader``, NaN where it cannot be; each different text is read once."""
    said = _said(layer, column)
    return said.map({text: reader(text) for text in said.unique()}).astype(float)


def _oneway(said):
    """Return 1 along the line, -1 against it, 0 both ways; None for a word that is none of these."""
    said = said.casefold()
    return 1 if said in FORWARD else -1 if said in BACKWARD else 0 if said in BOTH else None


def signed(said):
    """Return km/h of a sign, NaN where there is none, None where it cannot be read."""
    if said.casefold() in NO:
        return math.nan
    found = SIGNED.fullmatch(said)
    if not found:
        return None
    km_h = float(found[1]) * (KM_A_MILE if (found[2] or "").lower() == "mph" else 1)
    return km_h if km_h >= CRAWL else math.nan
