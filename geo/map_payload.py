"""From a view to what the browser's script reads: classes, figures as text, shapes as whole steps; nothing else."""

import numpy as np
import pandas as pd

from geo import theme
from geo.map_shapes import GRID, anchors, catchments, ground_of, reach, shape
from geo.margin import MARK_SHAPES, PEOPLE_SIGNS
from geo.region import local_projection

PEOPLE_SIZES = (100, 1_000, 10_000)  # people of a demand point, the steps of its dot's size

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


def plan_payload(view, colours, counties):
    """Return all that the script draws of a plan, as plain lists and dicts."""
    projection = local_projection(view.province.total_bounds)
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
        **_uncovered(view.uncovered, view.far),
        "centres": [_centre_item(view, row) for row in view.centres.to_dict("records")],
        "barred": _barred_items(view),
        "catchments": [{"shape": part} for part in catchments(view)],
    }


def difference_payload(view, colours, counties):
    """Return all that the script draws of a difference: filled counties and the cities' outlines, nothing over them."""
    places = anchors(counties, local_projection(view.province.total_bounds))
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
            for row, (lon, lat, metres) in zip(counties.to_dict("records"), places, strict=True)
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
        **{key: [] for key in ("stations", "places", "uncovered", "centres", "catchments", "barred")},
    }


def _difference_item(row, kind, below):
    decimals = {"beds": 0, "per_1000": 2, "reach": 2}
    facts = [
        theme.figure(row[key], decimals[key.rpartition("_")[0]], signed=key.endswith("_difference"))
        for key, _ in DIFFERENCE_ROWS[kind]
    ]
    return {"name": str(row["name"]), "below": below, "shape": shape(row["geometry"]), "facts": facts}


def coverage_payload(view, colours, counties):
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
    return {
        **ground,
        "metres": [km * 1000 for km in radii.values()],
        "fills": colours,
        "counties": [
            {
                "name": str(row["name"]),
                "below": str(row["city"]),
                "shape": shape(row["geometry"]),
                "anchor": [lat, lon],
                "metres": metres,
                "fill": {key: None if pd.isna(row[key]) else int(row[key]) for key in colours},
                "facts": [
                    *_covered_facts(row, served[0].get((row["name"], row["city"]), 0)),
                    *([_points(row["change_points"])] if "covered_change" in colours else []),
                ],
            }
            for row, (lon, lat, metres) in zip(counties.to_dict("records"), anchors(counties, projection), strict=True)
        ],
        "cities": [
            {
                "code": row["code"],
                "name": str(row["name"]),
                "below": "",
                "shape": shape(row["geometry"]),
                "anchor": [round(row["lat"], 4), round(row["lon"], 4)],
                "unmet": False,
                "facts": _covered_facts(row, served[1].get(row["name"], 0)),
            }
            for row in view.cities.to_dict("records")
        ],
        "stations": [_listed_item(view, row) for row in view.stations.sort_values("id").to_dict("records")],
        "reach": _reaches(view, projection, radii),
        **_uncovered(view.uncovered, "far", ("station",)),
        "centres": [],
        "catchments": [],
        "barred": _barred_items(view),
        "people": _people(view.people),
    }


def _uncovered(points, far, more=()):
    """Return ``places``, the names that occur, and ``uncovered`` points as compact lists, most people first.

    far, more  the column of their way; further columns of names
    """
    columns = ("place", "county", *more)
    places = sorted(set().union(*(points[column] for column in columns)))
    number = {place: i for i, place in enumerate(places)}
    rows = [
        [
            round(float(row["lon"]), 4),
            round(float(row["lat"]), 4),
            int(row["persons"]),
            number[row["place"]],
            number[row["county"]],
            row["setting"],
            _tenths(row[far]),
            *(number[row[column]] for column in more),
        ]
        for row in _largest_first(points)
    ]
    return {"places": places, "uncovered": rows}


def _people(people):
    """Return demand points as compact lists, by state: steps of places, and a digit of size each; None without people.

    Those first that others may lie over: what is not covered is seen above all.
    """
    if people is None:
        return None
    found = []
    for state in ("covered", "preferred", "uncovered"):
        part = people[people["state"] == state].sort_values(["lat", "lon", "persons"])
        part = part[part["persons"] > 0]
        places = np.rint(part[["lon", "lat"]].to_numpy(dtype=float) / GRID).astype(np.int64)
        moves = np.diff(places, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
        sizes = np.searchsorted(PEOPLE_SIZES, part["persons"].to_numpy(), side="right")
        found.append({"state": state, "at": moves.ravel().tolist(), "size": "".join(map(str, sizes.tolist()))})
    return found


def _barred_items(view):
    """Return the candidate sites that may not be taken; an id of theirs is told, if they have one."""
    if view.barred is None:
        return []
    below = view.words("map.legend.barred")
    rows = view.barred.assign(name=view.barred["name"].astype(str)).sort_values(["name", "lon", "lat"])
    return [
        {
            "id": str(row.get("id", row["name"])),
            "lon": round(float(row["lon"]), 4),
            "lat": round(float(row["lat"]), 4),
            "name": row["name"],
            "below": below,
            "facts": [],
        }
        for row in rows.to_dict("records")
    ]


def _marked(view, row, said):
    """Return {id, mark, status as told} of a station: what a planner decided on it stands behind its status."""
    mark = row.get("mark") or ""
    mark = mark if isinstance(mark, str) else ""
    told = f"{said} · {view.words(f'map.legend.{mark}')}" if mark else said
    return {"id": str(row["id"]), **({"mark": mark} if mark else {})}, told


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
    known, status = _marked(view, row, view.words(f"map.status_{row['status']}") + assumed)
    return {
        **known,
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
            status,
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
        "province": shape(ground_of(view.province, local_projection(view.province.total_bounds))[0]),
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
        "mark": MARK_SHAPES,
        "state": {state: {"shape": sign, "fill": colour} for state, (sign, colour) in PEOPLE_SIGNS.items()},
    }


def plan_classes(view):
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


def difference_classes(view):
    """Return ({fill: its colours}, counties by code with the class of each fill) of a :class:`DifferenceView`."""
    counties = view.counties.sort_values("code")
    fills = {"difference": "per_1000_difference", "reach": "reach_difference"}
    classes = {key: [theme.class_of(v, theme.BEDS_CHANGE) for v in counties[column]] for key, column in fills.items()}
    colours = list(theme.diverging(len(theme.BEDS_CHANGE) + 1))
    return dict.fromkeys(fills, colours), counties.assign(**classes)


def coverage_classes(view):
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
    places = anchors(counties, projection)
    served = _served(view.stations, ["county", "city"])
    centre_names = dict(zip(view.centres["city_code"], view.centres["name"], strict=True))
    items = []
    for row, (lon, lat, metres) in zip(counties.to_dict("records"), places, strict=True):
        stations, vehicles = served.get((row["name"], row["city"]), (0, 0))
        items.append(
            {
                "name": str(row["name"]),
                "below": str(row["city"]),
                "shape": shape(row["geometry"]),
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
                "shape": shape(row["geometry"]),
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
    said = words(f"map.status_{row['status']}") + (theme.MARKS["assumed"] if row["status"] == "assumed" else "")
    known, status = _marked(view, row, said)
    return {
        **known,
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
    return {name: reach(view, projection, radii[name]) if name in radii else [] for name in ("urban", "rural")}
