"""The browser map: a finished plan goes in, a Folium map or one HTML file that asks nothing of any network comes out.

Everything is computed here first (classes, unions of circles, places of names, figures as text); ``assets/map/map.js``
only draws. Names from data are text at every door: :func:`text` for what stands in the HTML, :func:`data_json` for what
the script reads, and the script itself writes them by ``textContent``.
"""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Element
from jinja2 import Template

from geo import theme
from geo.region import GEOGRAPHIC, local_projection
from geo.words import Words

ASSETS = Path(__file__).parent / "assets"
GRID = 1e-4  # degrees, about 10 m: the step of drawn coordinates; neighbours share rounded points, so no gap opens
QUADRANT = 12  # segments of a quarter circle: the drawn circle is at most 0.3 % inside the true one
FILLS = ("beds", "change", "centres")
OVERLAYS = ("stations", "circles", "ambulances", "uncovered")
SHOWN_FIRST = ("beds", "stations")


@dataclass(frozen=True)
class MapView:
    """What the map shows, already computed; nothing here is a decision. Codes are str, persons and beds whole numbers.

    province   GeoDataFrame EPSG:4490, one row: geometry
    cities     GeoDataFrame EPSG:4490 in the documents' order: code, name, beds_now, beds_plan, plan_per_1000,
               target_per_1000, lon, lat (degrees, of the seat)
    counties   GeoDataFrame EPSG:4490: code, name, city_code, city, persons, beds_now, beds_plan, beds_new,
               plan_per_1000, urban_covered_share, rural_covered_share (0 to 1; NaN where nobody of the setting
               lives), centre_city_code
    stations   DataFrame: id, name, kind ("seat" | "town" | "cell"), status ("assumed" | "new"), lon, lat, ambulances,
               persons, county, city
    urban_km, rural_km   radii of the emergency standard
    uncovered  DataFrame, one row a demand point beyond its standard: lon, lat, persons, place, county,
               setting ("urban" | "rural"), km
    centres    DataFrame: name, level ("national" | "provincial" | "free"), lon, lat, persons, city_code
    title, subtitle, rule (of distance), sources and notes (headline sentences): ready text in the language of ``words``
    """

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    stations: pd.DataFrame
    urban_km: float
    rural_km: float
    uncovered: pd.DataFrame
    centres: pd.DataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words


def plan_map(view):
    """Return the Folium map of a :class:`MapView`. It renders without jQuery, Bootstrap, icon fonts, tiles or any address."""
    west, south, east, north = view.province.total_bounds
    plan = folium.Map(
        location=[round((south + north) / 2, 4), round((west + east) / 2, 4)],
        zoom_start=7,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        max_zoom=13,
        max_bounds_viscosity=0.8,
    )
    plan.default_js, plan.default_css = [], []
    plan.add_child(_Plate(view))
    figure = plan.get_root()
    figure.title = text(view.title)
    for number, element in enumerate(
        [figure, figure.header, figure.html, figure.script, *plan._children.values(), plan]
    ):
        element._id = str(number)  # counters, so that the same plan has the same bytes
    return plan


def map_html(view):
    """Return the map as one HTML document that makes no request: scripts and styles inline, all else forbidden by its policy.

    The content security policy admits the document's own scripts by their hashes, so that no other script can run in it.
    """
    page = plan_map(view).get_root().render()
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    allowed = " ".join(dict.fromkeys(f"'sha256-{_digest(script)}'" for script in scripts))
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    head = f'<html lang="{view.words("map.html_lang")}">\n<head>\n<meta charset="utf-8">\n'
    head += f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    return page.replace("<html>\n<head>\n", head, 1)


def text(value):
    """Return ``value`` as HTML that shows exactly that text: markup, backticks, backslashes and ``${}`` become entities."""
    return re.sub(r"[\\`${}]", lambda sign: f"&#{ord(sign[0])};", html.escape(str(value)))


def data_json(value):
    r"""Return ``value`` as JSON that is safe inside a script: in its strings ``< > & ` $ { }`` and line ends are ``\uXXXX``."""
    dumped = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    strings = r'"(?:[^"\\]|\\.)*"'
    return re.sub(strings, lambda s: re.sub(r"[<>&'`${}\u2028\u2029\x7f]", _escaped, s[0]), dumped)


def _escaped(sign):
    return f"\\u{ord(sign[0]):04x}"


def _digest(script):
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _Text(Element):
    """Ready text put into a page as it is. (branca's own Element would read it as a Jinja template.)"""

    _template = Template("{{ this.content }}")

    def __init__(self, content):
        super().__init__()
        self.content = content


class _Plate(Element):
    """The plan's own part of the page: its styles, its margin of words, and the call that draws it."""

    def __init__(self, view):
        super().__init__()
        self._name = "Plate"
        self.view = view

    def render(self, **kwargs):
        figure = self.get_root()
        style = _inline("leaflet/leaflet.css") + _variables() + _inline("map/map.css")
        script = _inline("leaflet/leaflet.js") + "</script>\n<script>" + _inline("map/map.js")
        figure.header.add_child(_Text(f"<style>{style}</style>\n<script>{script}</script>"), name="plate")
        figure.html.add_child(_Text(_margin(self.view)), name="plate")
        call = f"drawPlan({self._parent.get_name()}, {data_json(_payload(self.view))});"
        figure.script.add_child(_Text(call), name="plate")


def _inline(name):
    """Return an asset for inlining: without the addresses of pictures and source maps, which nothing here uses."""
    asset = (ASSETS / name).read_text(encoding="utf-8")
    return re.sub(r"url\([^)]*\)", "none", re.sub(r"^//# sourceMappingURL=.*$", "", asset, flags=re.MULTILINE))


def _variables():
    colours = {"ink": theme.INK, "quiet": theme.QUIET, "county": theme.LINE_COUNTY, "ground": theme.GROUND}
    colours |= {"paper": theme.PAPER, "accent": theme.ACCENT, "alarm": theme.ALARM, "font": theme.FONT_SCREEN}
    sizes = {
        f"{name}-size" if name in ("city", "county") else name: f"{size}px" for name, size in theme.SCREEN_TYPE.items()
    }
    return ":root{" + "".join(f"--{name}:{value};" for name, value in (colours | sizes).items()) + "}\n"


# --- the figures, as the script and the legend read them ---------------------------------------------------------------


def _payload(view):
    """Return all that the script draws, as plain lists and dicts."""
    words = view.words
    colours, counties = _filled(view)
    projection = local_projection(view.province.total_bounds)
    places = sorted(set(view.uncovered["place"]) | set(view.uncovered["county"]))
    number = {place: i for i, place in enumerate(places)}
    return {
        "grid": GRID,
        "place": "jinyi-map-" + "-".join(f"{value:.2f}" for value in view.province.total_bounds),
        "theme": _style(),
        "marks": theme.MARKS,
        "words": words.section("map.script"),
        "rows": _rows(view),
        "hint": {"beds": 5, "change": 6, "centres": 9, "none": 0},
        "urban_km": view.urban_km,
        "rural_km": view.rural_km,
        "province": _shape(view.province.geometry.union_all()),
        "fills": colours,
        "counties": _county_items(view, counties, projection),
        "cities": _city_items(view, projection),
        "stations": [_station_item(view, row) for row in view.stations.sort_values("id").to_dict("records")],
        "reach": {
            "urban": _reach(view, projection, view.urban_km),
            "rural": _reach(view, projection, view.rural_km),
        },
        "places": places,
        "uncovered": [
            {
                "lon": round(float(row["lon"]), 4),
                "lat": round(float(row["lat"]), 4),
                "persons": int(row["persons"]),
                "place": number[row["place"]],
                "county": number[row["county"]],
                "setting": row["setting"],
                "km": round(float(row["km"]), 1),
            }
            for row in _largest_first(view.uncovered)
        ],
        "centres": [_centre_item(view, row) for row in view.centres.to_dict("records")],
        "catchments": [{"shape": _shape(part)} for part in _catchments(view)],
    }


def _style():
    station = {
        "assumed": {
            "fill": theme.PAPER,
            "line": theme.INK,
            "ink": theme.INK,
            "radius": 3.1,
            "weight": 1.3,
            "casing": 0,
        },
        "new": {
            "fill": theme.ACCENT,
            "line": theme.PAPER,
            "ink": theme.PAPER,
            "radius": 3.6,
            "weight": 0.9,
            "casing": 0,
        },
    }
    for status, shape in theme.STATION_SHAPES.items():
        station[status]["shape"] = shape
    return {
        "land": theme.LAND,
        "no_data": theme.NO_DATA,
        "line_county": theme.LINE_COUNTY,
        "line_city": theme.LINE_CITY,
        "vignette": [theme.tint(theme.LINE_COUNTY, 0.3), theme.tint(theme.LINE_COUNTY, 0.65)],
        "paper": theme.PAPER,
        "ink": theme.INK,
        "alarm": theme.ALARM,
        "font": theme.FONT_SCREEN,
        "width": theme.SCREEN_LINE,
        "station": station,
        "centre": {
            level: {"shape": shape, "radius": 8 if shape == "star" else 6}
            for level, shape in theme.CENTRE_SHAPES.items()
        },
        "vehicle_radius": 2.7,
        "people_radius": 0.11,
        "reach": {
            "rural": {"fill": theme.ACCENT, "line": theme.tint(theme.ACCENT, 0.75), "opacity": 0.13},
            "urban": {"fill": theme.ACCENT, "line": theme.ACCENT, "opacity": 0.3},
        },
    }


def _filled(view):
    """Return ({theme: its colours}, county table with the class of each theme); a class is None where there is no figure."""
    counties = view.counties.sort_values("code")
    persons = counties["persons"].where(counties["persons"] > 0)
    now = counties["beds_now"] / persons * 1000
    change = counties["plan_per_1000"].round(2) - now.round(2)
    centre_colours = theme.catchment_colours(view.centres["city_code"])
    places = {code: i for i, code in enumerate(centre_colours)}
    counties = counties.assign(
        now_per_1000=now,
        change_per_1000=change,
        beds=[theme.class_of(value, theme.BEDS_PER_1000) for value in counties["plan_per_1000"]],
        change=[theme.class_of(value, theme.BEDS_CHANGE) for value in change],
        centres=[places.get(code) for code in counties["centre_city_code"]],
    )
    colours = {
        "beds": list(theme.sequential(len(theme.BEDS_PER_1000) + 1)),
        "change": list(theme.diverging(len(theme.BEDS_CHANGE) + 1)),
        "centres": [theme.tint(colour, 0.45) for colour in centre_colours.values()],
    }
    return colours, counties


def _rows(view):
    """Return {kind of thing: [(label, nature) of each of its figures]}; the order is that of the items' ``facts``."""
    words, km = view.words, {"urban_km": f"{view.urban_km:g}", "rural_km": f"{view.rural_km:g}"}
    kinds = {
        "county": (
            ("persons", "measured"),
            ("beds_now", "modelled"),
            ("beds_plan", ""),
            ("beds_new", ""),
            ("now_per_1000", "modelled"),
            ("plan_per_1000", ""),
            ("change_per_1000", "modelled"),
            ("urban_covered", "modelled"),
            ("rural_covered", "modelled"),
            ("centre", ""),
            ("stations", ""),
            ("ambulances", ""),
        ),
        "city": (
            ("beds_now", "modelled"),
            ("beds_plan", ""),
            ("plan_per_1000", ""),
            ("target_per_1000", ""),
            ("verdict", ""),
            ("stations", ""),
            ("ambulances", ""),
        ),
        "station": (("station_persons", "modelled"), ("ambulances", ""), ("kind", ""), ("status", "")),
        "centre": (("centre_persons", "measured"), ("centre_counties", "")),
    }
    return {kind: [[words(f"map.row.{key}", **km), nature] for key, nature in rows] for kind, rows in kinds.items()}


def _county_items(view, counties, projection):
    words = view.words
    anchors = _anchors(counties, projection)
    served = _served(view.stations, ["county", "city"])
    centre_names = dict(zip(view.centres["city_code"], view.centres["name"], strict=True))
    items = []
    for row, (lon, lat, metres) in zip(counties.to_dict("records"), anchors, strict=True):
        stations, vehicles = served.get((row["name"], row["city"]), (0, 0))
        items.append(
            {
                "name": str(row["name"]),
                "below": str(row["city"]),
                "shape": _shape(row["geometry"]),
                "anchor": [lat, lon],
                "metres": metres,
                "fill": {key: None if pd.isna(row[key]) else int(row[key]) for key in FILLS},
                "facts": [
                    theme.figure(row["persons"], 0),
                    theme.figure(row["beds_now"], 0),
                    theme.figure(row["beds_plan"], 0),
                    theme.figure(row["beds_new"], 0),
                    theme.figure(row["now_per_1000"]),
                    theme.figure(row["plan_per_1000"]),
                    theme.figure(row["change_per_1000"], signed=True),
                    _percent(row["urban_covered_share"]),
                    _percent(row["rural_covered_share"]),
                    str(centre_names.get(row["centre_city_code"], words("map.none"))),
                    theme.figure(stations, 0),
                    theme.figure(vehicles, 0),
                ],
            }
        )
    return items


def _city_items(view, projection):
    words = view.words
    served = _served(view.stations, "city")
    items = []
    for row, (lon, lat, _) in zip(view.cities.to_dict("records"), _anchors(view.cities, projection), strict=True):
        met = round(row["plan_per_1000"], 2) >= round(row["target_per_1000"], 2)
        verdict = "met" if met else "unmet"
        stations, vehicles = served.get(row["name"], (0, 0))
        items.append(
            {
                "code": row["code"],
                "name": str(row["name"]),
                "below": "",
                "shape": _shape(row["geometry"]),
                "anchor": [lat, lon],
                "facts": [
                    theme.figure(row["beds_now"], 0),
                    theme.figure(row["beds_plan"], 0),
                    theme.figure(row["plan_per_1000"]),
                    theme.figure(row["target_per_1000"]),
                    f"{theme.VERDICT_SIGNS[verdict]} {words(f'map.{verdict}')}",
                    theme.figure(stations, 0),
                    theme.figure(vehicles, 0),
                ],
            }
        )
    return items


def _station_item(view, row):
    words = view.words
    status = words(f"map.status_{row['status']}") + (theme.MARKS["assumed"] if row["status"] == "assumed" else "")
    return {
        "lon": round(float(row["lon"]), 4),
        "lat": round(float(row["lat"]), 4),
        "name": str(row["name"]),
        "below": f"{row['city']} · {row['county']}",
        "status": row["status"],
        "ambulances": int(row["ambulances"]),
        "facts": [
            theme.figure(row["persons"], 0),
            theme.figure(row["ambulances"], 0),
            words(f"map.kind_{row['kind']}"),
            status,
        ],
    }


def _centre_item(view, row):
    counties = (view.counties["centre_city_code"] == row["city_code"]).sum()
    return {
        "lon": round(float(row["lon"]), 4),
        "lat": round(float(row["lat"]), 4),
        "name": str(row["name"]),
        "code": row["city_code"],
        "below": view.words(f"map.script.level_{row['level']}"),
        "level": row["level"],
        "facts": [theme.figure(row["persons"], 0), theme.figure(counties, 0)],
    }


def _served(stations, by):
    """Return {place: (stations, vehicles)}."""
    return {place: (len(group), int(group["ambulances"].sum())) for place, group in stations.groupby(by)}


def _largest_first(uncovered):
    return uncovered.sort_values(["persons", "lon", "lat"], ascending=[False, True, True]).to_dict("records")


def _percent(share):
    return "—" if pd.isna(share) else f"{theme.figure(share * 100, 1)}%"


# --- geometry, made small for drawing ----------------------------------------------------------------------------------


def _shape(geometry):
    """Return polygons as [[outer ring, hole, ...], ...]; a ring is one list of steps x, y, x, y ... in units of GRID."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [
        [_steps(ring.coords) for ring in (part.exterior, *part.interiors)]
        for part in parts
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def _steps(coordinates):
    points = np.rint(np.asarray(coordinates)[:, :2] / GRID).astype(np.int64)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    moved = np.any(steps != 0, axis=1)
    return steps[moved].ravel().tolist()


def _anchors(frame, projection):
    """Return (lon, lat, metres) of the largest circle inside each polygon: where its name stands, and how much room it has."""
    inner = shapely.maximum_inscribed_circle(frame.geometry.to_crs(projection).to_numpy(), tolerance=200)
    middle = gpd.GeoSeries(shapely.get_point(inner, 0), crs=projection).to_crs(GEOGRAPHIC)
    metres = np.rint(shapely.length(inner)).astype(int).tolist()
    return list(zip(middle.x.round(4).tolist(), middle.y.round(4).tolist(), metres, strict=True))


def _reach(view, projection, km):
    """Return the drawn union of the circles of ``km`` around all stations, clipped to the province."""
    stations = gpd.GeoSeries(gpd.points_from_xy(view.stations["lon"], view.stations["lat"]), crs=GEOGRAPHIC).to_crs(
        projection
    )
    province = view.province.geometry.to_crs(projection).union_all()
    union = stations.buffer(km * 1000, quad_segs=QUADRANT).union_all().intersection(province)
    return _shape(gpd.GeoSeries([union], crs=projection).to_crs(GEOGRAPHIC).iloc[0])


def _catchments(view):
    served = view.counties[view.counties["centre_city_code"].isin(view.centres["city_code"])]
    return [group.geometry.union_all() for _, group in served.groupby("centre_city_code")]


# --- the margin: title, sentences, layers, legend, sources -------------------------------------------------------------


def _margin(view):
    """Return the HTML beside the map, every word from the catalogue and every given text as text."""
    words = view.words
    notes = "".join(f"<p>{text(note)}</p>" for note in view.notes)
    sources = words("map.sources", sources=words("map.between").join(view.sources))
    foot = "".join(f"<p>{text(line)}</p>" for line in (view.rule, words("map.marks", **theme.MARKS), sources))
    return f"""
<aside id="margin">
<header id="head"><h1>{text(view.title)}</h1><p class="subtitle">{text(view.subtitle)}</p><div id="notes">{notes}</div></header>
<form id="layers">
<fieldset><legend>{text(words("map.fills"))}</legend>{"".join(_switch(words, key, "radio") for key in (*FILLS, "none"))}</fieldset>
<fieldset><legend>{text(words("map.overlays"))}</legend>{"".join(_switch(words, key, "checkbox") for key in OVERLAYS)}</fieldset>
</form>
<footer id="foot">{foot}</footer>
</aside>
<section id="legend" aria-label="{text(words("map.legend_title"))}">{_legend(view)}</section>
<section id="card" aria-live="polite" hidden><button type="button" aria-label="{text(words("map.close"))}">×</button>
<h2></h2><p></p><table><tbody></tbody></table></section>
"""


def _switch(words, key, kind):
    checked = " checked" if key in SHOWN_FIRST else ""
    return (
        f'<label><input type="{kind}" name="{"fill" if kind == "radio" else key}" value="{key}"{checked}>'
        f"<span>{text(words(f'map.layer.{key}'))}</span>{_key(key)}</label>"
    )


def _key(key):
    """Return the small sign at the end of a layer's switch: its colours or its symbols."""
    swatches = {
        "beds": theme.sequential(len(theme.BEDS_PER_1000) + 1),
        "change": theme.diverging(5),
        "centres": [theme.tint(colour, 0.45) for colour in theme.OKABE_ITO[:5]],
    }
    if key in swatches:
        width = 40 / len(swatches[key])
        bars = (
            f'<rect x="{i * width:g}" y="3" width="{width:g}" height="8" fill="{colour}"/>'
            for i, colour in enumerate(swatches[key])
        )
        return _svg(40, 14, "".join(bars), "key")
    signs = {
        "stations": _sign("assumed", 7, 7, 3.6) + _sign("new", 20, 7, 4.2),
        "circles": f'<circle cx="9" cy="7" r="6" fill="{theme.tint(theme.ACCENT, 0.13)}" stroke="{theme.ACCENT}" stroke-width=".9"/>'
        f'<circle cx="9" cy="7" r="2.5" fill="{theme.tint(theme.ACCENT, 0.4)}" stroke="{theme.ACCENT}" stroke-width=".9"/>',
        "ambulances": _sign("assumed", 6, 7, 3) + _sign("assumed", 19, 7, 6),
        "uncovered": f'<circle cx="6" cy="9" r="2" fill="{theme.ALARM}"/><circle cx="14" cy="6" r="3.4" fill="{theme.ALARM}"/>',
    }
    return _svg(26, 14, signs[key], "key") if key in signs else ""


def _legend(view):
    """Return the legend's sections; each names the layers with which it is shown."""
    words = view.words
    colours, counties = _filled(view)
    unit = words("map.legend.counties")
    sections = [
        _classes(
            words, "beds", theme.class_labels(theme.BEDS_PER_1000), colours["beds"], counties["beds"], unit, whole=True
        ),
        _classes(
            words,
            "change",
            theme.class_labels(theme.BEDS_CHANGE, signed=True),
            colours["change"],
            counties["change"],
            unit,
        ),
        _centre_legend(view, colours["centres"], counties["centres"], unit),
    ]
    assumed = int((view.stations["status"] == "assumed").sum())
    stations = [
        (_svg(22, 16, _sign("assumed", 11, 8, 4)), words("map.legend.assumed") + theme.MARKS["assumed"], assumed),
        (_svg(22, 16, _sign("new", 11, 8, 4.4)), words("map.legend.new"), len(view.stations) - assumed),
    ]
    sections.append(
        _section("stations ambulances", words("map.legend.stations"), words("map.legend.count"), _lines(stations))
    )
    radii = [
        (
            _swatch(theme.tint(theme.ACCENT, 0.39), theme.ACCENT),
            words("map.legend.urban", km=f"{view.urban_km:g}"),
            None,
        ),
        (
            _swatch(theme.tint(theme.ACCENT, 0.13), theme.ACCENT),
            words("map.legend.rural", km=f"{view.rural_km:g}"),
            None,
        ),
    ]
    sections.append(_section("circles", words("map.legend.circles"), "", _lines(radii)))
    sections.append(_vehicle_legend(view))
    sections.append(_uncovered_legend(view))
    return "".join(sections)


def _classes(words, key, labels, colours, classes, unit, whole=False):
    """Return a section of colour classes with their counts, from the lowest class that occurs (from the first if ``whole``)."""
    counts = classes.value_counts()
    used = sorted(int(number) for number in counts.index)
    low, high = (0, len(labels) - 1) if whole or not used else (min(used), max(used))
    rows = [(_swatch(colours[i]), labels[i], int(counts.get(i, 0))) for i in range(high, low - 1, -1)]
    if classes.isna().any():
        rows.append((_swatch(theme.NO_DATA), words("map.legend.no_data"), int(classes.isna().sum())))
    return _section(
        key, words(f"map.legend.{key}"), f"{words(f'map.legend.{key}_unit')} · {unit}", _lines(rows, "range")
    )


def _centre_legend(view, colours, classes, unit):
    words = view.words
    counts = classes.value_counts()
    codes = list(dict.fromkeys(view.centres["city_code"]))
    names = dict(zip(view.centres["city_code"], view.centres["name"], strict=True))
    rows = [(_swatch(colours[i], theme.INK), str(names[code]), int(counts.get(i, 0))) for i, code in enumerate(codes)]
    levels = [level for level in theme.CENTRE_SHAPES if level in set(view.centres["level"])]
    signs = [(_svg(22, 18, _centre_sign(level)), words(f"map.script.level_{level}"), None) for level in levels]
    return _section("centres", words("map.legend.centres"), unit, _lines(rows) + _lines(signs))


def _vehicle_legend(view):
    words = view.words
    most = int(view.stations["ambulances"].max()) if len(view.stations) else 1
    steps = [number for number in dict.fromkeys((1, min(5, most), most)) if number >= 1]
    rows = []
    for number in steps:
        radius = _style()["vehicle_radius"] * number**0.5 + 1.6
        size = round(2 * radius + 4)
        rows.append(
            (_svg(max(22, size), size, _sign("assumed", max(22, size) / 2, size / 2, radius)), str(number), None)
        )
    total = words("map.legend.vehicles_total", count=theme.figure(view.stations["ambulances"].sum(), 0))
    return _section("ambulances", words("map.legend.vehicles"), words("map.legend.vehicles_unit"), _lines(rows), total)


def _uncovered_legend(view):
    words = view.words
    people = view.uncovered["persons"].astype(int)
    if not len(people):
        return _section("uncovered", words("map.legend.uncovered"), "", "", words("map.legend.nobody"))
    rows = []
    for number in (100, 1000, 5000):
        radius = min(9, _style()["people_radius"] * number**0.5)
        rows.append(
            (_svg(22, 20, f'<circle cx="11" cy="10" r="{radius:.1f}" fill="{theme.ALARM}"/>'), f"{number:,}", None)
        )
    mark = theme.MARKS["modelled"]
    totals = {setting: int(people[view.uncovered["setting"] == setting].sum()) for setting in ("urban", "rural")}
    said = words("map.legend.uncovered_total", **{key: theme.figure(total, 0) + mark for key, total in totals.items()})
    return _section("uncovered", words("map.legend.uncovered"), words("map.legend.uncovered_unit"), _lines(rows), said)


def _section(layers, title, unit, table, note=""):
    """Return one legend section, shown while any of ``layers`` (names apart by spaces) is visible."""
    unit = f"<small>{text(unit)}</small>" if unit else ""
    table = f"<table>{table}</table>" if table else ""
    note = f"<p>{text(note)}</p>" if note else ""
    return f'<section data-layers="{layers}" hidden><h2>{text(title)}{unit}</h2>{table}{note}</section>'


def _lines(rows, kind="words"):
    def count(number):
        return "" if number is None else theme.figure(number, 0)

    return "".join(
        f'<tr><td>{sign}</td><td class="{kind}">{text(label)}</td><td class="count">{count(number)}</td></tr>'
        for sign, label, number in rows
    )


def _swatch(fill, line=theme.LINE_CITY):
    return _svg(22, 13, f'<rect x=".5" y=".5" width="21" height="12" fill="{fill}" stroke="{line}" stroke-width=".6"/>')


def _sign(status, x, y, r):
    """Return a station's symbol as SVG, in the shape the map gives it."""
    style = _style()["station"][status]
    if style["shape"] == "circle":
        return (
            f'<circle cx="{x:g}" cy="{y:g}" r="{r:.1f}" fill="{style["fill"]}" stroke="{style["line"]}" '
            f'stroke-width="{style["weight"]}"/>'
        )
    corners = _polygon(
        [(x + 1.22 * r * np.sin(turn), y - 1.22 * r * np.cos(turn)) for turn in np.arange(3) * 2 * np.pi / 3]
    )
    return f'<polygon points="{corners}" fill="{style["fill"]}"/>'


def _centre_sign(level):
    style = _style()["centre"][level]
    turns, r = np.arange(10) * np.pi / 5, style["radius"] * 0.85
    if style["shape"] == "star":
        reach = np.where(np.arange(10) % 2, 0.62, 1.4) * r / 1.4
        corners = _polygon(
            [(11 + d * np.sin(turn), 9 - d * np.cos(turn)) for d, turn in zip(reach, turns, strict=True)]
        )
        return f'<polygon points="{corners}" fill="{theme.INK}"/>'
    return f'<rect x="{11 - r:g}" y="{9 - r:g}" width="{2 * r:g}" height="{2 * r:g}" fill="{theme.INK}"/>'


def _polygon(corners):
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)


def _svg(width, height, content, kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<svg{kind} width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">{content}</svg>'
