"""The browser map: a finished plan goes in, a Folium map or one HTML file that asks nothing of any network comes out.

Everything is computed here first (classes, unions of circles, places of names, figures as text); ``assets/map/map.js``
only draws. Names from data are text at every door: :func:`text` for what stands in the HTML, :func:`data_json` for what
the script reads, and the script itself writes them by ``textContent``.
"""

import base64
import hashlib
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
from geo.margin import coverage_margin, difference_margin, margin_html, text
from geo.region import GEOGRAPHIC, local_projection
from geo.words import Words

ASSETS = Path(__file__).parent / "assets"
GRID = 1e-4  # degrees, about 10 m: the step of drawn coordinates; neighbours share rounded points, so no gap opens
QUADRANT = 16  # segments of a quarter circle: the drawn circle is at most 0.12 % inside the true one

# The figures of each kind of thing, in the order of its card: the word's key and the nature of the figure.
ROWS = {
    "county": (
        ("persons", "measured"),
        ("beds_now", "modelled"),
        ("beds_plan", ""),
        ("beds_new", "modelled"),
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
DIFFERENCE_ROWS = {
    "county": (
        ("beds_first", ""),
        ("beds_second", ""),
        ("beds_difference", ""),
        ("per_1000_first", ""),
        ("per_1000_second", ""),
        ("per_1000_difference", ""),
        ("reach_first", "modelled"),
        ("reach_second", "modelled"),
        ("reach_difference", "modelled"),
    ),
    "city": (
        ("beds_first", ""),
        ("beds_second", ""),
        ("beds_difference", ""),
        ("per_1000_first", ""),
        ("per_1000_second", ""),
        ("per_1000_difference", ""),
    ),
}
CHECKED_ROWS = (
    ("persons", "measured"),
    ("checked_covered", "modelled"),
    ("checked_uncovered", "modelled"),
    ("checked_share", "modelled"),
    ("checked_urban", "modelled"),
    ("checked_rural", "modelled"),
    ("stations", ""),
)
COVERAGE_ROWS = {
    "county": (*CHECKED_ROWS, ("checked_change", "modelled")),
    "city": CHECKED_ROWS,
    "station": (
        ("station_persons", "modelled"),
        ("station_uncovered", "modelled"),
        ("station_farthest", "modelled"),
        ("ambulances", ""),
        ("status", ""),
    ),
}
COVERAGE_HINTS = {
    "covered_all": "checked_share",
    "covered_urban": "checked_urban",
    "covered_rural": "checked_rural",
    "covered_change": "checked_change",
    "none": "persons",
}
DIFFERENCE_HINTS = {"difference": "per_1000_difference", "reach": "reach_difference", "none": "beds_difference"}
HINTS = {"beds": "plan_per_1000", "change": "change_per_1000", "centres": "centre", "none": "persons"}


@dataclass(frozen=True)
class MapView:
    """What the map shows, already computed; nothing here is a decision. Codes are str, persons and beds whole numbers.

    province   GeoDataFrame EPSG:4490, one row: geometry
    cities     GeoDataFrame EPSG:4490 in the documents' order: code, name, beds_now, beds_plan, plan_per_1000,
               target_per_1000, lon, lat (degrees, of the seat)
    counties   GeoDataFrame EPSG:4490: code, name, city_code, city, persons, beds_now, beds_plan, beds_new,
               plan_per_1000, urban_covered_share, rural_covered_share (0 to 1; NaN where nobody of the setting
               lives), centre_city_code
    stations   DataFrame: id, name, kind ("seat" | "existing" | "town" | "cell"), status ("assumed" | "listed" | "new"),
               lon, lat, ambulances, persons, county, city
    urban, rural  the emergency standards, told as far ("km" | "minutes") has it; circles: whether they are drawn, as
               they are for straight lines alone
    uncovered  DataFrame, one row a demand point beyond its standard: lon, lat, persons, place, county,
               setting ("urban" | "rural"), and the column that far names (NaN = no way)
    centres    DataFrame: name, level ("national" | "provincial" | "free"), lon, lat, persons, city_code
    detour_factor  how much longer a way is than the straight line: circles are drawn that much smaller than the radii
    title, subtitle, rule (of distance), sources and notes (headline sentences): ready text in the language of ``words``
    """

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    stations: pd.DataFrame
    urban: float
    rural: float
    uncovered: pd.DataFrame
    centres: pd.DataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words
    detour_factor: float = 1.0
    circles: bool = True
    far: str = "km"


@dataclass(frozen=True)
class DifferenceView:
    """How far a second result differs from a first one, already computed; what is not named here is as in MapView.

    cities     GeoDataFrame EPSG:4490: code, name, lon, lat; {beds, per_1000}_{first, second, difference}
    counties   GeoDataFrame EPSG:4490: code, name, city; the same, and reach_{first, second, difference}
               (NaN where nobody lives); difference = second less first
    """

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words


@dataclass(frozen=True)
class CoverageView:
    """Whom a list of stations covers, already computed; what is not named here is as in MapView.

    cities     GeoDataFrame EPSG:4490: code, name, lon, lat; {urban, rural}_{persons, covered, uncovered}
    counties   GeoDataFrame EPSG:4490: code, name, city; the same; change_points where the list is held against another:
               percentage points of people covered, second less first (NaN where nobody lives)
    stations   DataFrame: id, name, status ("listed" | "assumed"), lon, lat, ambulances (NaN = not given), persons,
               uncovered, farthest, county, city
    far        "km" | "minutes": how ways, standards and farthest are told
    urban, rural  the standards; circles: whether they are drawn, as they are for straight lines alone
    uncovered  DataFrame, one row a place: lon, lat, persons, place, county, setting, station, far (mean; NaN = no way)
    """

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    stations: pd.DataFrame
    far: str
    urban: float
    rural: float
    circles: bool
    detour_factor: float
    uncovered: pd.DataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words


def plan_map(view):
    """Return the Folium map of a :class:`MapView`; it has no jQuery, Bootstrap, icon font, tile or outside address."""
    colours, counties = _filled(view)
    return _map(view, margin_html(view, colours, counties), _payload(view, colours, counties))


def difference_map(view):
    """Return the Folium map of a :class:`DifferenceView`, of the same extent, look and classes as the plans' maps."""
    colours, counties = _differing(view)
    return _map(view, difference_margin(view, colours, counties), _difference_payload(view, colours, counties))


def coverage_map(view):
    """Return the Folium map of a :class:`CoverageView`, of the same extent and look as the plans' maps."""
    colours, counties = _covered(view)
    return _map(view, coverage_margin(view, colours, counties), _coverage_payload(view, colours, counties))


def _map(view, margin, payload):
    west, south, east, north = view.province.total_bounds
    plan = folium.Map(
        location=[round((south + north) / 2, 4), round((west + east) / 2, 4)],
        zoom_start=7,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.1,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        max_zoom=13,
    )
    plan._id = "plan"  # folium's own is random; with this the same plan has the same bytes
    plan.default_js, plan.default_css = [], []
    plan.add_child(_Plate(margin, payload))
    plan.get_root().title = text(view.title)
    return plan


def map_html(view):
    """Return the map of a plan as one HTML document that makes no request."""
    return _document(plan_map(view), view)


def difference_html(view):
    """Return the map of a :class:`DifferenceView` as one HTML document that makes no request."""
    return _document(difference_map(view), view)


def coverage_html(view):
    """Return the map of a :class:`CoverageView` as one HTML document that makes no request."""
    return _document(coverage_map(view), view)


def _document(drawn, view):
    """Return a map as a document: scripts and styles stand in it, all else is forbidden.

    Its content security policy admits the document's own scripts by their hashes, so that no other can run in it.
    """
    page = drawn.get_root().render()
    opening = "<html>\n<head>\n"
    if opening not in page:
        raise RuntimeError("branca's page no longer opens as expected: its security policy would be lost")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    head = f'<html lang="{text(view.words("map.html_lang"))}">\n<head>\n<meta charset="utf-8">\n'
    head += f'<meta http-equiv="Content-Security-Policy" content="{policy}; form-action \'none\'">\n'
    return page.replace(opening, head, 1)


def data_json(value):
    r"""Return ``value`` as JSON that is safe in a script: ``< > & ' ` $ { }`` and line ends become ``\uXXXX``."""
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

    def __init__(self, margin, payload):
        super().__init__()
        self._name = "Plate"
        self.margin, self.payload = margin, payload

    def render(self, **kwargs):
        figure = self.get_root()
        style = _inline("leaflet/leaflet.css") + _variables() + _inline("map/map.css")
        script = _inline("leaflet/leaflet.js") + "</script>\n<script>" + _inline("map/map.js")
        figure.header.add_child(_Text(f"<style>{style}</style>\n<script>{script}</script>"), name="plate")
        figure.html.add_child(_Text(self.margin), name="plate")
        call = f"drawPlan({self._parent.get_name()}, {data_json(self.payload)});"
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


# --- the figures, as the script reads them ---


def _payload(view, colours, counties):
    """Return all that the script draws of a plan, as plain lists and dicts."""
    projection = local_projection(view.province.total_bounds)
    places = sorted(set(view.uncovered["place"]) | set(view.uncovered["county"]))
    number = {place: i for i, place in enumerate(places)}
    ground = _ground(view, "jinyi-map", ROWS, HINTS, _told_standards(view))
    ground["words"] = ground["words"] | {"people_km": view.words(f"map.people_{view.far}")}
    radii = _drawn_radii(view)
    return {
        **ground,
        "metres": [km * 1000 for km in radii.values()],
        "fills": colours,
        "counties": _county_items(view, counties, projection),
        "cities": _city_items(view),
        "stations": [_station_item(view, row) for row in view.stations.sort_values("id").to_dict("records")],
        "reach": _reaches(view, projection, radii),
        "places": places,
        "uncovered": [
            [
                round(float(row["lon"]), 4),
                round(float(row["lat"]), 4),
                int(row["persons"]),
                number[row["place"]],
                number[row["county"]],
                row["setting"],
                _tenths(row[view.far]),
            ]
            for row in _largest_first(view.uncovered)
        ],
        "centres": [_centre_item(view, row) for row in view.centres.to_dict("records")],
        "catchments": [{"shape": _shape(part)} for part in _catchments(view)],
    }


def _difference_payload(view, colours, counties):
    """Return all that the script draws of a difference: filled counties and the cities' outlines, nothing over them."""
    anchors = _anchors(counties, local_projection(view.province.total_bounds))
    return {
        **_ground(view, "jinyi-difference", DIFFERENCE_ROWS, DIFFERENCE_HINTS, {}),
        "metres": [],
        "fills": colours,
        "counties": [
            {
                **_difference_item(row, "county", str(row["city"])),
                "anchor": [lat, lon],
                "metres": metres,
                "fill": {key: None if pd.isna(row[key]) else int(row[key]) for key in colours},
            }
            for row, (lon, lat, metres) in zip(counties.to_dict("records"), anchors, strict=True)
        ],
        "cities": [
            {
                **_difference_item(row, "city", ""),
                "code": row["code"],
                "anchor": [round(row["lat"], 4), round(row["lon"], 4)],
                "unmet": False,
            }
            for row in view.cities.to_dict("records")
        ],
        "reach": {"urban": [], "rural": []},
        **{key: [] for key in ("stations", "places", "uncovered", "centres", "catchments")},
    }


def _difference_item(row, kind, below):
    decimals = {"beds": 0, "per_1000": 2, "reach": 2}
    facts = [
        theme.figure(row[key], decimals[key.rpartition("_")[0]], signed=key.endswith("_difference"))
        for key, _ in DIFFERENCE_ROWS[kind]
    ]
    return {"name": str(row["name"]), "below": below, "shape": _shape(row["geometry"]), "facts": facts}


def _coverage_payload(view, colours, counties):
    """Return all that the script draws of a coverage."""
    words, projection = view.words, local_projection(view.province.total_bounds)
    rows = dict(COVERAGE_ROWS)
    if "covered_change" not in colours:
        rows["county"] = CHECKED_ROWS
    hints = {key: row for key, row in COVERAGE_HINTS.items() if key in (*colours, "none")}
    told = _told_standards(view) | {"unit": words(f"map.unit_{view.far}")}
    ground = _ground(view, "jinyi-coverage", rows, hints, told)
    ground["theme"] |= {"people_radius": theme.PLACE_RADIUS, "people_most": theme.PLACE_MOST}
    ground["words"] = ground["words"] | {"people_km": words(f"map.people_{view.far}")}
    radii = _drawn_radii(view)
    served = view.stations.groupby(["county", "city"]).size(), view.stations.groupby("city").size()
    places = sorted(set(view.uncovered["place"]) | set(view.uncovered["county"]) | set(view.uncovered["station"]))
    number = {place: i for i, place in enumerate(places)}
    return {
        **ground,
        "metres": [km * 1000 for km in radii.values()],
        "fills": colours,
        "counties": [
            {
                "name": str(row["name"]),
                "below": str(row["city"]),
                "shape": _shape(row["geometry"]),
                "anchor": [lat, lon],
                "metres": metres,
                "fill": {key: None if pd.isna(row[key]) else int(row[key]) for key in colours},
                "facts": [
                    *_covered_facts(row, served[0].get((row["name"], row["city"]), 0)),
                    *([_points(row["change_points"])] if "covered_change" in colours else []),
                ],
            }
            for row, (lon, lat, metres) in zip(counties.to_dict("records"), _anchors(counties, projection), strict=True)
        ],
        "cities": [
            {
                "code": row["code"],
                "name": str(row["name"]),
                "below": "",
                "shape": _shape(row["geometry"]),
                "anchor": [round(row["lat"], 4), round(row["lon"], 4)],
                "unmet": False,
                "facts": _covered_facts(row, served[1].get(row["name"], 0)),
            }
            for row in view.cities.to_dict("records")
        ],
        "stations": [_listed_item(view, row) for row in view.stations.sort_values("id").to_dict("records")],
        "reach": _reaches(view, projection, radii),
        "places": places,
        "uncovered": [
            [
                round(float(row["lon"]), 4),
                round(float(row["lat"]), 4),
                int(row["persons"]),
                number[row["place"]],
                number[row["county"]],
                row["setting"],
                _tenths(row["far"]),
                number[row["station"]],
            ]
            for row in _largest_first(view.uncovered)
        ],
        "centres": [],
        "catchments": [],
    }


def _covered_facts(row, stations):
    """Return the figures of ``CHECKED_ROWS``."""
    counts = {name: row[f"urban_{name}"] + row[f"rural_{name}"] for name in ("persons", "covered", "uncovered")}
    return [
        theme.figure(counts["persons"], 0),
        theme.figure(counts["covered"], 0),
        theme.figure(counts["uncovered"], 0),
        _part(counts["covered"], counts["persons"]),
        _part(row["urban_covered"], row["urban_persons"]),
        _part(row["rural_covered"], row["rural_persons"]),
        theme.figure(stations, 0),
    ]


def _part(covered, persons):
    """Return a share in per cent; only everyone is 100.0 %, only nobody 0.0 %."""
    if covered in (0, persons) or not persons:
        return _percent(covered / persons if persons else np.nan)
    return _percent(min(max(covered / persons, 0.001), 0.999))


def _points(value):
    return theme.figure(value, 1, signed=True)


def _listed_item(view, row):
    assumed = theme.MARKS["assumed"] if row["status"] == "assumed" else ""
    return {
        "lon": round(float(row["lon"]), 4),
        "lat": round(float(row["lat"]), 4),
        "name": str(row["name"]),
        "below": f"{row['city']} · {row['county']}",
        "status": row["status"],
        "ambulances": 0 if pd.isna(row["ambulances"]) else int(row["ambulances"]),
        "facts": [
            theme.figure(row["persons"], 0),
            theme.figure(row["uncovered"], 0),
            theme.figure(float(row["farthest"]), 1),
            theme.figure(None if pd.isna(row["ambulances"]) else row["ambulances"], 0),
            view.words(f"map.status_{row['status']}") + assumed,
        ],
    }


def _ground(view, place, rows, hints, params):
    """Return what every map of a province has: its outline, look and words, and the figures that its cards show."""
    keys = [key for key, _ in rows["county"]]
    labels = {
        kind: [[view.words(f"map.row.{key}", **params), nature] for key, nature in of] for kind, of in rows.items()
    }
    return {
        "grid": GRID,
        "place": f"{place}-" + "-".join(f"{value:.2f}" for value in view.province.total_bounds),
        "theme": _style(),
        "marks": theme.MARKS,
        "words": view.words.section("map.script"),
        "rows": labels,
        "hint": {fill: keys.index(key) for fill, key in hints.items()},
        "province": _shape(view.province.geometry.union_all()),
    }


def _style():
    """Return the look of what is drawn, from the theme."""
    return {
        "land": theme.LAND,
        "no_data": theme.NO_DATA,
        "line_county": theme.LINE_COUNTY,
        "line_on_fill": theme.LINE_ON_FILL,
        "line_city": theme.LINE_CITY,
        "vignette": [theme.tint(theme.LINE_COUNTY, 0.3), theme.tint(theme.LINE_COUNTY, 0.65)],
        "paper": theme.PAPER,
        "ink": theme.INK,
        "accent": theme.ACCENT,
        "alarm": theme.ALARM,
        "font": theme.FONT_SCREEN,
        "width": theme.SCREEN_LINE,
        "station": {
            status: {"shape": shape, "fill": theme.STATION_COLOURS[status][0], "line": theme.STATION_COLOURS[status][1]}
            for status, shape in theme.STATION_SHAPES.items()
        },
        "centre": theme.CENTRE_SHAPES,
        "vehicle_radius": theme.VEHICLE_RADIUS,
        "people_radius": theme.PEOPLE_RADIUS,
        "people_most": theme.PEOPLE_MOST,
        "reach": theme.REACH_TINT,
    }


def _filled(view):
    """Return ({fill: its colours}, counties by code with the class of each fill); a class is None without a figure."""
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
    }
    if centre_colours:
        colours["centres"] = [theme.tint(colour, theme.CATCHMENT_TINT) for colour in centre_colours.values()]
    return colours, counties


def _differing(view):
    """Return ({fill: its colours}, counties by code with the class of each fill) of a :class:`DifferenceView`."""
    counties = view.counties.sort_values("code")
    fills = {"difference": "per_1000_difference", "reach": "reach_difference"}
    classes = {key: [theme.class_of(v, theme.BEDS_CHANGE) for v in counties[column]] for key, column in fills.items()}
    colours = list(theme.diverging(len(theme.BEDS_CHANGE) + 1))
    return dict.fromkeys(fills, colours), counties.assign(**classes)


def _covered(view):
    """Return ({fill: its colours}, counties by code with the class of each fill) of a :class:`CoverageView`."""
    counties = view.counties.sort_values("code")
    classes = {}
    for key, settings in (("all", ("urban", "rural")), ("urban", ("urban",)), ("rural", ("rural",))):
        persons, covered = (sum(counties[f"{s}_{name}"] for s in settings) for name in ("persons", "covered"))
        share = covered / persons.where(persons > 0) * 100
        # The last class is everyone: 99.97 % is printed 99.9, and coloured so.
        shown = share.where((covered == persons) | share.isna(), share.clip(upper=99.9))
        classes[f"covered_{key}"] = [theme.class_of(value, theme.COVERED_PERCENT, 1) for value in shown]
    colours = dict.fromkeys(classes, list(theme.sequential(len(theme.COVERED_PERCENT) + 1)))
    if "change_points" in counties:
        breaks = theme.COVERED_CHANGE
        classes["covered_change"] = [theme.class_of(value, breaks, 1) for value in counties["change_points"]]
        colours["covered_change"] = list(theme.diverging(len(breaks) + 1))
    return colours, counties.assign(**classes)


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
                "fill": {key: None if pd.isna(row[key]) else int(row[key]) for key in ("beds", "change", "centres")},
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


def _city_items(view):
    words = view.words
    served = _served(view.stations, "city")
    items = []
    for row in view.cities.to_dict("records"):
        met = round(row["plan_per_1000"], 2) >= round(row["target_per_1000"], 2)
        verdict = "met" if met else "unmet"
        stations, vehicles = served.get(row["name"], (0, 0))
        items.append(
            {
                "code": row["code"],
                "name": str(row["name"]),
                "below": "",
                "shape": _shape(row["geometry"]),
                "anchor": [round(row["lat"], 4), round(row["lon"], 4)],
                "unmet": not met,
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


# --- geometry, made small for drawing ---


def _shape(geometry):
    """Return polygons as [[outer ring, hole, ...], ...]; a ring is one list of steps x, y, x, y ... in GRID units."""
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
    """Return (lon, lat, metres) of the largest circle inside each polygon: where its name stands, with what room."""
    inner = shapely.maximum_inscribed_circle(frame.geometry.to_crs(projection).to_numpy(), tolerance=200)
    middle = gpd.GeoSeries(shapely.get_point(inner, 0), crs=projection).to_crs(GEOGRAPHIC)
    metres = np.rint(shapely.length(inner)).astype(int).tolist()
    return list(zip(middle.x.round(4).tolist(), middle.y.round(4).tolist(), metres, strict=True))


def _told_standards(view):
    """Return {setting: its standard with the unit it is told in}."""
    return {name: view.words(f"map.in_{view.far}", number=f"{getattr(view, name):g}") for name in ("urban", "rural")}


def _tenths(amount):
    """Return how far people are, one decimal; None where no way leads to them."""
    return None if pd.isna(amount) else round(float(amount), 1)


def _drawn_radii(view):
    """Return {setting: radius of its circles in km}, smaller by the detour factor; nothing where none are drawn."""
    return {name: getattr(view, name) / view.detour_factor for name in ("urban", "rural")} if view.circles else {}


def _reaches(view, projection, radii):
    return {name: _reach(view, projection, radii[name]) if name in radii else [] for name in ("urban", "rural")}


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
