"""The margin of the browser map as HTML: title, sentences, layers, legend and sources; every given text stays text."""

import html
import re

import numpy as np

from geo import theme

OVERLAYS = ("stations", "circles", "ambulances", "people", "uncovered")
SHOWN_FIRST = ("beds", "stations", "difference", "covered_all")

# What a planner decided on a station, and how far people are, differ by shape and word, never by colour alone.
MARK_SHAPES = {
    "forced": {"shape": "hexagon", "fill": theme.INK, "line": theme.PAPER},
    "forbidden": {"shape": "crossed", "fill": theme.PAPER, "line": theme.INK},
    "added": {"shape": "plus", "fill": theme.ACCENT, "line": theme.PAPER},
    "moved": {"shape": "diamond", "fill": theme.ACCENT, "line": theme.PAPER},
    "barred": {"shape": "crossed", "fill": theme.PAPER, "line": theme.QUIET},
}
PEOPLE_SIGNS = {
    "preferred": ("square", theme.ACCENT),
    "covered": ("circle", "#56B4E9"),  # Okabe-Ito sky blue: lighter than the teal, in grey as well
    "uncovered": ("cross", theme.ALARM),
}


def text(value):
    r"""Return ``value`` as HTML that shows exactly that text: markup and ``\ ` $ { }`` become entities."""
    return re.sub(r"[\\`${}]", lambda sign: f"&#{ord(sign[0])};", html.escape(str(value)))


def margin_html(view, colours, counties, tiles=False):
    """Return the HTML beside the map of a :class:`geo.maps.MapView`.

    ``colours`` holds the colours of each fill; ``counties`` the class of each county in the columns of the same names;
    ``tiles``: whether base tiles can be switched on.
    """
    overlays = [name for name in OVERLAYS if name != "people" and (view.circles or name != "circles")]
    legend = _legend(view, colours, counties) + _tiles_legend(view, tiles)
    return _margin(view, _switches(view, colours, [*overlays, *_tiles(tiles)]), legend)


def difference_margin(view, colours, counties, tiles=False):
    """Return the HTML beside the map of a :class:`geo.maps.DifferenceView`: fills alone, each with its legend."""
    labels = theme.class_labels(theme.BEDS_CHANGE, signed=True)
    sections = [
        _classes(view.words, key, labels, colours[key], counties[key], *_used(counties[key])) for key in colours
    ]
    sections.append(_tiles_legend(view, tiles))
    return _margin(view, _switches(view, colours, _tiles(tiles)), "".join(sections))


def coverage_margin(view, colours, counties, tiles=False):
    """Return the HTML beside the map of a :class:`geo.maps.CoverageView`; with people, they are what it shows first."""
    absent = {"ambulances"} | ({"circles"} if not view.circles else set())
    absent |= {"people"} if view.people is None else set()
    overlays = [*(name for name in OVERLAYS if name not in absent), *_tiles(tiles)]
    shares = theme.class_labels(theme.COVERED_PERCENT, 1)
    shares[-1] = "100.0"
    labels = dict.fromkeys(colours, shares)
    labels["covered_change"] = theme.class_labels(theme.COVERED_CHANGE, 1, signed=True)
    sections = [
        _classes(view.words, key, labels[key], colours[key], counties[key], *_used(counties[key])) for key in colours
    ]
    rows = _station_rows(view, ("listed", "assumed"))
    sections.append(_section("stations", view.words("map.legend.stations"), "", _lines(rows)))
    if view.circles:
        sections.append(_reach_legend(view))
    sections.append(_uncovered_legend(view, "places_unit", (10_000, 100_000), theme.PLACE_RADIUS))
    if view.people is not None:
        sections.append(_people_legend(view))
    sections.append(_tiles_legend(view, tiles))
    signs = {"stations": [_sign(status, 13, 7, 3.8) for status in view.stations["status"][:1]]}
    first = (*SHOWN_FIRST, "uncovered") if view.people is None else ("none", "stations", "people")
    return _margin(view, _switches(view, colours, overlays, signs, first), "".join(sections))


def _margin(view, switches, legend):
    words = view.words
    notes = "".join(f"<p>{text(note)}</p>" for note in view.notes)
    subtitle = view.subtitle.replace(" · ", "\u00a0· ")  # a line never starts with the dot
    sources = words("map.sources", sources=words("map.between").join(view.sources))
    foot = "".join(f"<p>{text(line)}</p>" for line in (view.rule, words("map.marks", **theme.MARKS), sources) if line)
    return f"""
<aside id="margin">
<header id="head"><h1>{text(view.title)}</h1><p class="subtitle">{text(subtitle)}</p>
<div id="notes">{notes}</div></header>
<form id="layers">{switches}</form>
<footer id="foot">{foot}</footer>
</aside>
<section id="card" aria-live="polite" hidden><button type="button" aria-label="{text(words("map.close"))}">×</button>
<h2></h2><p></p><table><tbody></tbody></table></section>
<section id="legend" aria-label="{text(words("map.legend_title"))}">{legend}</section>
"""


def _switches(view, colours, overlays, signs=None, first=SHOWN_FIRST):
    """Return the groups of layers: one fill at a time, and any of what lies over it, where there is such.

    signs  {layer: SVG parts} that stand for other signs than those of a plan; first: the layers shown at first
    """
    words = view.words
    groups = [("fills", "radio", (*colours, "none")), ("overlays", "checkbox", overlays)]
    return "".join(
        f"<fieldset><legend>{text(words(f'map.{group}'))}</legend>"
        + "".join(_switch(words, group, kind, key, colours, signs or {}, first) for key in keys)
        + "</fieldset>"
        for group, kind, keys in groups
        if keys
    )


def _switch(words, group, kind, key, colours, signs, first):
    checked = " checked" if key in first else ""
    name = group if kind == "radio" else key
    return (
        f'<label><input type="{kind}" name="{name}" value="{key}"{checked}>'
        f"<span>{text(words(f'map.layer.{key}'))}</span>{_key(key, colours, signs)}</label>"
    )


def _key(key, colours, own):
    """Return the small sign at the end of a layer's switch: its colours or its symbols."""
    if key in colours:
        width = 40 / len(colours[key])
        bars = [
            f'<rect x="{i * width:.2f}" y="3" width="{width:.2f}" height="8" fill="{colour}"/>'
            for i, colour in enumerate(colours[key])
        ]
        return _svg(40, 14, "".join(bars), "key")
    signs = {
        "stations": [_sign("assumed", 7, 7, 3.6), _sign("new", 20, 7, 4.2)],
        "circles": [
            _dot(9, 7, 6, _reach_colour("rural"), theme.ACCENT),
            _dot(9, 7, 2.5, _reach_colour("urban"), theme.ACCENT),
        ],
        "ambulances": [_sign("assumed", 6, 7, 3), _sign("assumed", 19, 7, 6)],
        "people": [
            f'<rect x="2" y="4" width="5" height="5" fill="{PEOPLE_SIGNS["preferred"][1]}"/>',
            _dot(12, 7, 2.6, PEOPLE_SIGNS["covered"][1]),
            _cross(20, 7, 2.4, theme.ALARM),
        ],
        "uncovered": [_dot(6, 9, 2, theme.ALARM), _dot(14, 6, 3.4, theme.ALARM)],
    } | own
    return _svg(26, 14, "".join(signs[key]), "key") if key in signs else ""


def _legend(view, colours, counties):
    """Return the legend's sections; each names the layers with which it is shown."""
    words = view.words
    change = theme.class_labels(theme.BEDS_CHANGE, signed=True)
    low, high = _used(counties["change"])
    sections = [
        _classes(words, "beds", theme.class_labels(theme.BEDS_PER_1000), colours["beds"], counties["beds"]),
        _classes(words, "change", change, colours["change"], counties["change"], low, high),
        _centre_legend(view, colours["centres"], counties["centres"]) if "centres" in colours else "",
        _station_legend(view),
        *([_reach_legend(view)] if view.circles else []),
        _vehicle_legend(view),
        _uncovered_legend(view),
    ]
    return "".join(sections)


def _used(classes):
    """Return the lowest class and the one above the highest among ``classes``, so that a legend omits empty ends."""
    numbers = classes.dropna().astype(int)
    return (int(numbers.min()), int(numbers.max()) + 1) if len(numbers) else (0, None)


def _classes(words, key, labels, colours, classes, low=0, high=None):
    """Return a section of colour classes ``low`` to ``high``, highest first, with the number of counties in each."""
    counts = classes.value_counts()
    rows = [(_swatch(colours[i]), labels[i], int(counts.get(i, 0))) for i in range(len(labels))[low:high][::-1]]
    if classes.isna().any():
        rows.append((_swatch(theme.NO_DATA), words("map.legend.no_data"), int(classes.isna().sum())))
    unit = f"{words(f'map.legend.{key}_unit')} · {words('map.legend.counties')}"
    return _section(key, words(f"map.legend.{key}"), unit, _lines(rows, "range"))


def _centre_legend(view, colours, classes):
    words = view.words
    counts = classes.value_counts()
    names = dict(zip(view.centres["city_code"], view.centres["name"], strict=True))
    rows = [
        (_swatch(colour, theme.INK), name, int(counts.get(i, 0)))
        for i, (colour, name) in enumerate(zip(colours, names.values(), strict=True))
    ]
    levels = [level for level in theme.CENTRE_SHAPES if level in set(view.centres["level"])]
    rows += [(_svg(22, 18, _centre_sign(level)), words(f"map.script.level_{level}"), None) for level in levels]
    return _section("centres", words("map.legend.centres"), words("map.legend.counties"), _lines(rows))


def _station_legend(view):
    rows = _station_rows(view, ("listed", "assumed", "new"))
    return _section("stations ambulances", view.words("map.legend.stations"), "", _lines(rows))


def _station_rows(view, statuses):
    """Return a line a kind of station, with its number; what a planner decided on is counted apart, by its own sign."""
    stations, words = view.stations, view.words
    marks = stations["mark"].fillna("") if "mark" in stations else stations["status"].map(lambda status: "")
    rows = []
    for status in statuses:
        count = int(((stations["status"] == status) & (marks == "")).sum())
        said = words(f"map.legend.{status}") + (theme.MARKS["assumed"] if status == "assumed" else "")
        rows += [(_svg(22, 16, _sign(status, 11, 8, 4.4)), said, count)] if count else []
    counts = {mark: int((marks == mark).sum()) for mark in MARK_SHAPES if mark != "barred"}
    counts["barred"] = 0 if view.barred is None else len(view.barred)
    return rows + [
        (_svg(22, 16, _mark_sign(mark)), words(f"map.legend.{mark}"), count) for mark, count in counts.items() if count
    ]


def _people_legend(view):
    """Return how many people are as near as preferred, near enough, and too far: a sign, a word and a number each."""
    persons, said = view.people.groupby("state")["persons"].sum(), {"uncovered": "beyond"}
    rows = [
        (_svg(22, 14, _state_sign(state)), view.words(f"map.legend.{said.get(state, state)}"), persons.get(state, 0))
        for state in PEOPLE_SIGNS
    ]
    return _section("people", view.words("map.legend.people"), view.words("map.legend.people_unit"), _lines(rows))


def _tiles(tiles):
    return ["tiles"] if tiles else []


def _tiles_legend(view, tiles):
    return _section("tiles", view.words("map.legend.tiles"), "", "", view.words("map.legend.tiles_by")) if tiles else ""


def _reach_legend(view):
    words = view.words
    rows = [
        (_swatch(_reach_colour("urban"), theme.ACCENT), words("map.legend.urban", km=f"{view.urban:g}"), None),
        (_swatch(_reach_colour("rural"), theme.ACCENT), words("map.legend.rural", km=f"{view.rural:g}"), None),
    ]
    return _section("circles", words("map.legend.circles"), "", _lines(rows))


def _vehicle_legend(view):
    words = view.words
    vehicles = view.stations["ambulances"]
    most = int(vehicles.max()) if len(vehicles) else 1
    steps = {number: theme.VEHICLE_RADIUS * number**0.5 + 1.6 for number in sorted({1, min(5, most), most})}
    total = words("map.legend.vehicles_total", count=theme.figure(vehicles.sum(), 0))
    scale = _scale(steps, lambda x, y, r: _sign("assumed", x, y, r))
    return _section("ambulances", words("map.legend.vehicles"), words("map.legend.vehicles_unit"), "", total, scale)


def _uncovered_legend(view, unit="uncovered_unit", sizes=(100, 1000, 5000), radius=theme.PEOPLE_RADIUS):
    words = view.words
    people = view.uncovered["persons"].astype(int)
    if not len(people):
        return _section("uncovered", words("map.legend.uncovered"), "", "", words("map.legend.nobody"))
    steps = {number: radius * number**0.5 for number in sizes}
    scale = _scale(steps, lambda x, y, r: _dot(x, y, r, theme.ALARM))
    mark = theme.MARKS["modelled"]
    totals = {setting: int(people[view.uncovered["setting"] == setting].sum()) for setting in ("urban", "rural")}
    said = words("map.legend.uncovered_total", **{key: theme.figure(total, 0) + mark for key, total in totals.items()})
    return _section("uncovered", words("map.legend.uncovered"), words(f"map.legend.{unit}"), "", said, scale)


def _scale(steps, draw):
    """Return symbols of growing size side by side, each with its number: {number: radius}."""
    x, parts, height = 2.0, [], 2 * max(max(steps.values()), 7) + 4
    for number, radius in steps.items():
        parts.append(draw(round(x + radius, 1), round(height / 2, 1), radius))
        label = f"{number:,}"
        parts.append(f'<text x="{x + 2 * radius + 5:.1f}" y="{height / 2 + 4:.1f}" fill="{theme.INK}">{label}</text>')
        x += 2 * radius + 5 + 7 * len(label) + 12
    return _svg(round(x), round(height), "".join(parts))


def _section(layers, title, unit, table, note="", scale=""):
    """Return one legend section, shown while any of ``layers`` (names apart by spaces) is visible."""
    unit = f"<small>{text(unit)}</small>" if unit else ""
    table = f"<table>{table}</table>" if table else ""
    note = f"<p>{text(note)}</p>" if note else ""
    return f'<section data-layers="{layers}" hidden><h2>{text(title)}{unit}</h2>{scale}{table}{note}</section>'


def _lines(rows, kind="words"):
    def count(number):
        return "" if number is None else theme.figure(number, 0)

    return "".join(
        f'<tr><td>{sign}</td><td class="{kind}">{text(label)}</td><td class="count">{count(number)}</td></tr>'
        for sign, label, number in rows
    )


def _reach_colour(setting):
    """Return the colour in which the reach appears on paper; the urban one lies over the rural one."""
    bare = 1 - theme.REACH_TINT["rural"]
    return theme.tint(theme.ACCENT, 1 - bare * (1 - theme.REACH_TINT["urban"]) if setting == "urban" else 1 - bare)


def _swatch(fill, line=theme.LINE_CITY):
    return _svg(22, 13, f'<rect x=".5" y=".5" width="21" height="12" fill="{fill}" stroke="{line}" stroke-width=".6"/>')


def _dot(x, y, r, fill, line="none"):
    return f'<circle cx="{x:g}" cy="{y:g}" r="{r:.1f}" fill="{fill}" stroke="{line}" stroke-width=".9"/>'


def _sign(status, x, y, r):
    """Return a station's symbol as SVG, in the shape the map gives it."""
    fill, line = theme.STATION_COLOURS[status]
    if theme.STATION_SHAPES[status] == "square":
        return f'<rect x="{x - r:g}" y="{y - r:g}" width="{2 * r:g}" height="{2 * r:g}" fill="{fill}"/>'
    if theme.STATION_SHAPES[status] == "circle":
        return f'<circle cx="{x:g}" cy="{y:g}" r="{r:.1f}" fill="{fill}" stroke="{line}" stroke-width="1.3"/>'
    turns = np.arange(3) * 2 * np.pi / 3
    return f'<polygon points="{_corners(x, y, 1.22 * r, turns)}" fill="{fill}"/>'


def _mark_sign(mark):
    """Return the sign of what a planner decided, in the shape the map gives it."""
    sign, x, y, r = MARK_SHAPES[mark], 11, 8, 5.2
    if sign["shape"] == "hexagon":
        return f'<polygon points="{_corners(x, y, r, np.arange(6) * np.pi / 3)}" fill="{sign["fill"]}"/>'
    if sign["shape"] == "diamond":
        return f'<polygon points="{_corners(x, y, 1.15 * r, np.arange(4) * np.pi / 2)}" fill="{sign["fill"]}"/>'
    if sign["shape"] == "plus":
        return f'<path d="M{x - 1.9} {y - r}h3.8v3.3h3.3v3.8h-3.3v3.3h-3.8v-3.3h-3.3v-3.8h3.3z" fill="{sign["fill"]}"/>'
    r = 4 if mark == "barred" else 4.8
    box = f'x="{x - r:g}" y="{y - r:g}" width="{2 * r:g}" height="{2 * r:g}"'
    lines = f'stroke="{sign["line"]}" stroke-width="1.3"'
    return f'<rect {box} fill="{sign["fill"]}" {lines}/>' + _cross(x, y, r, sign["line"])


def _state_sign(state):
    shape, colour = PEOPLE_SIGNS[state]
    if shape == "square":
        return f'<rect x="7.5" y="3.5" width="7" height="7" fill="{colour}"/>'
    return _dot(11, 7, 3.8, colour) if shape == "circle" else _cross(11, 7, 3.4, colour, 2)


def _cross(x, y, r, colour, width=1.3):
    ways = f"M{x - r:g} {y - r:g}L{x + r:g} {y + r:g}M{x - r:g} {y + r:g}L{x + r:g} {y - r:g}"
    return f'<path d="{ways}" stroke="{colour}" stroke-width="{width:g}" fill="none"/>'


def _centre_sign(level):
    if theme.CENTRE_SHAPES[level] == "star":
        turns = np.arange(10) * np.pi / 5
        return f'<polygon points="{_corners(11, 9, np.where(np.arange(10) % 2, 3.2, 7.2), turns)}" fill="{theme.INK}"/>'
    return f'<rect x="6" y="4" width="10" height="10" fill="{theme.INK}"/>'


def _corners(x, y, r, turns):
    return " ".join(
        f"{right:.2f},{down:.2f}" for right, down in zip(x + r * np.sin(turns), y - r * np.cos(turns), strict=True)
    )


def _svg(width, height, content, kind=""):
    kind = f' class="{kind}"' if kind else ""
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg{kind} {box} aria-hidden="true">{content}</svg>'
