"""How the layers of a handover look, whoever draws them: rules and symbols in the colours and classes of the maps."""

from dataclasses import dataclass

from geo import theme
from geo.print_signs import CENTRE_STYLES, REACH_FILLS, STATION_STYLES, UNCOVERED_STYLES
from planner.services.station_problem import standards_of

MM = 25.4 / 72  # a point
SCREEN = 1.8  # how much larger signs are on a screen than on paper
VEHICLE_STEPS = (3, 6, 11)  # vehicles of a station: the steps of its symbol's size
VEHICLE_SIZES = (2.4, 3.6, 5.0, 6.8)  # mm
MIDDLE, NEAR = 1_800_000, 500_000  # on maps of larger scale stand the names of counties, and those of stations
GROUPS = {  # look -> where it stands in the tree of a project; beds where nothing is said
    **dict.fromkeys(("city_borders", "county_borders", "land"), "ground"),
    **dict.fromkeys(("centres", "catchments"), "centres"),
    **dict.fromkeys(("uncovered", "stations", "ambulances", "stations_urban", "stations_rural"), "emergency"),
    **dict.fromkeys(("reach", "demand"), "emergency"),
}


@dataclass(frozen=True)
class Symbol:
    """One symbol. kind: fill | marker | line; colours ``#RRGGBB`` or ""; width and size in mm; shape of a marker.

    merged  areas that overlap are drawn as one; hatch: a fill is hatched
    """

    kind: str
    fill: str = ""
    edge: str = ""
    width: float = 0.0
    shape: str = ""
    size: float = 0.0
    merged: bool = False
    hatch: bool = False


@dataclass(frozen=True)
class Rule:
    """Which features get a symbol. tests: (machine's field, "=" | ">=" | "<" | "absent", value), all of them true."""

    label: str
    tests: tuple
    symbol: Symbol


@dataclass(frozen=True)
class Label:
    """What is written beside features: machine names of a name and, or "", of a figure with its decimals."""

    name: str
    figure: str = ""
    decimals: int = 2
    points: float = 8.0
    bold: bool = False
    signed: bool = False
    beyond: int = 0  # hidden on maps of smaller scale; 0: always there


@dataclass(frozen=True)
class Look:
    """How one layer looks for one theme. key: its name in files; first: a layer opens with it."""

    key: str
    layer: str
    title: str
    rules: tuple
    label: Label | None = None
    first: bool = False
    group: str = ""


def looks_of(source, layers):
    """Return the :class:`Look` of every layer and theme, in the order of the project's tree, the uppermost first.

    layers  {machine: :class:`planner.documents.gis.fields.Layer`}; a look of a field that is not there is left out
    """
    words, standards = source.words, standards_of(source.scenario)
    far = "minutes" if source.scenario.travel_measure == "minutes" else "km"
    reach = {
        setting: words(
            f"handover.reach_{setting}", far=words(f"map.in_{far}", number=f"{getattr(standards, setting):g}")
        )
        for setting in ("urban", "rural")
    }
    centres = layers["centres"].frame
    level = layers["centres"].field("level")
    levels = [key for key in CENTRE_STYLES if centres[level].eq(key).any()]
    colours = source.tables["centres"]["city_code"]
    ground = Symbol("fill", theme.LAND, theme.LINE_COUNTY, 0.1)
    beyond = {"decimals": 1, "group": "emergency"}
    looks = [
        _look("city_borders", "cities", _borders("city", words), words, _name(9.5, bold=True), first=True),
        _look("centres", "centres", [_centre(each, words) for each in levels], words, _name(8), first=True),
        _look("uncovered", "uncovered", _uncovered(words), words, first=True),
        _look("stations", "stations", _stations(words), words, _name(8, beyond=NEAR), first=True),
        _look("ambulances", "stations", _ambulances(words), words),
        _look("stations_urban", "coverage_circles", [_reach("urban", reach)], words),
        _look("stations_rural", "coverage_circles", [_reach("rural", reach)], words),
        _look("reach", "coverage_circles", [_reach("rural", reach), _reach("urban", reach)], words, first=True),
        _look("demand", "demand", _demand(words), words, first=True),
        _look("county_borders", "counties", _borders("county", words), words, _name(7.6, beyond=MIDDLE)),
        _look("catchments", "catchments", _catchments(layers["catchments"], colours), words, first=True),
        _classed("beds_plan", "plan_per_1000", theme.BEDS_PER_1000, words, first=True),
        _classed("beds_now", "now_per_1000", theme.BEDS_PER_1000, words),
        _classed("beds_change", "change_per_1000", theme.BEDS_CHANGE, words, signed=True),
        _classed("access", "reach_plan_per_1000", theme.REACH_PER_1000, words),
        _classed("difference", "difference_per_1000", theme.BEDS_CHANGE, words, signed=True),
        _classed("vehicles", "vehicles_per_100000", theme.VEHICLES_PER_100_000, words, **beyond),
        _classed("uncovered_now", "uncovered_now_percent", theme.UNCOVERED_PERCENT, words, **beyond),
        _look("land", "counties", [Rule(words("handover.look.land"), (), ground)], words),
    ]
    return [look for look in looks if _drawable(look, layers)]


# The layers that are switched on for each theme of the maps, and for the project as it opens.
THEMES = {
    "beds_now": ("city_borders", "beds_now"),
    "beds_plan": ("city_borders", "beds_plan"),
    "beds_change": ("city_borders", "beds_change"),
    "access": ("city_borders", "access"),
    "stations_urban": ("city_borders", "uncovered", "stations", "county_borders", "stations_urban", "land"),
    "stations_rural": ("city_borders", "uncovered", "stations", "county_borders", "stations_rural", "land"),
    "ambulances": ("city_borders", "ambulances", "vehicles"),
    "centres": ("city_borders", "centres", "county_borders", "catchments"),
    "uncovered": ("city_borders", "uncovered", "uncovered_now"),
    "difference": ("city_borders", "difference"),
}
OPENS_WITH = "beds_plan"


def _drawable(look, layers):
    known = {field.machine for field in layers[look.layer].fields}
    return bool(look.rules) and all(name in known for rule in look.rules for name, *_ in rule.tests)


def _look(key, layer, rules, words, label=None, *, first=False):
    title = words(f"handover.look.{key}") if f"handover.look.{key}" in words else words(f"series.{key}_title")
    return Look(key, layer, title, tuple(rules), label, first, GROUPS[key])


def _name(points, bold=False, beyond=0):
    return Label("name", points=points, bold=bold, beyond=beyond)


def _classed(key, field, breaks, words, *, decimals=2, signed=False, first=False, group="beds"):
    """Return the look of counties in the classes of a theme: a class holds its lower break and not its upper one."""
    colours = theme.diverging(len(breaks) + 1) if signed else theme.sequential(len(breaks) + 1)
    labels = theme.class_labels(breaks, decimals, signed)
    edges = (None, *breaks, None)
    rules = []
    for label, colour, low, high in zip(labels, colours, edges, edges[1:], strict=False):
        tests = [(field, ">=", low)] * (low is not None) + [(field, "<", high)] * (high is not None)
        rules.append(Rule(label, tuple(tests), Symbol("fill", colour, theme.LINE_ON_FILL, 0.1)))
    no_data = Symbol("fill", theme.NO_DATA, theme.LINE_ON_FILL, 0.1, hatch=True)
    rules.append(Rule(words("handover.no_data"), ((field, "absent", None),), no_data))
    title = words(f"series.{key}_title" if key in THEMES else f"handover.look.{key}")
    label = Label("name", field, decimals, 7.6, signed=signed, beyond=MIDDLE)
    return Look(key, "counties", title, tuple(rules), label, first, group)


def _borders(kind, words):
    colour, width = {"city": (theme.LINE_CITY, 0.45), "county": (theme.LINE_ON_FILL, 0.15)}[kind]
    return (Rule(words(f"handover.look.{kind}_borders"), (), Symbol("line", "", colour, width)),)


def _sign(shape, points, fill, edge, width):
    return Symbol("marker", fill, edge, round(width * MM * SCREEN, 3), shape, round(points * MM * SCREEN, 3))


def _said(section, code, words):
    mark = theme.MARKS["assumed"] if (section, code) == ("status", "assumed") else ""
    return words(f"value.{section}.{code}") + mark


def _centre(level, words):
    sign = _sign(theme.CENTRE_SHAPES[level], **CENTRE_STYLES[level])
    return Rule(_said("level", level, words), (("level", "=", level),), sign)


def _stations(words):
    return tuple(
        Rule(_said("status", status, words), (("status", "=", status),), _sign(theme.STATION_SHAPES[status], **style))
        for status, style in STATION_STYLES.items()
    )


def _reach(setting, said):
    fill = Symbol("fill", REACH_FILLS[setting], theme.ACCENT, 0.2, merged=True)
    return Rule(said[setting], (("setting", "=", setting),), fill)


def _steps(field, steps):
    """Return (tests, ends as text) of the classes between whole steps."""
    edges = (None, *steps, None)
    for low, high in zip(edges, edges[1:], strict=False):
        tests = [(field, ">=", low)] * (low is not None) + [(field, "<", high)] * (high is not None)
        low_said, high_said = (theme.figure(number, 0) for number in (low, None if high is None else high - 1))
        yield (
            tuple(tests),
            f"≤ {high_said}" if low is None else f"≥ {low_said}" if high is None else f"{low_said}–{high_said}",
        )


def _uncovered(words):
    """Return the rules of uncovered places: shape by setting, size by people."""
    rules = []
    for setting, style in UNCOVERED_STYLES.items():
        steps = _steps("persons", theme.UNCOVERED_PERSONS)
        for times, (tests, ends) in zip(theme.UNCOVERED_TIMES, steps, strict=True):
            sign = _sign(style["shape"], style["points"] * times, style["fill"], style["edge"], style["width"])
            label = words("handover.people_step", setting=words(f"value.setting.{setting}"), ends=ends)
            rules.append(Rule(label, (("setting", "=", setting), *tests), sign))
    return tuple(rules)


def _ambulances(words):
    return tuple(
        Rule(
            words("handover.vehicle_step", ends=ends),
            tests,
            Symbol("marker", theme.PAPER, theme.INK, 0.3, "circle", size),
        )
        for size, (tests, ends) in zip(VEHICLE_SIZES, _steps("ambulances", VEHICLE_STEPS), strict=True)
    )


def _demand(words):
    looks = {1: (theme.ACCENT, 0.7), 0: (theme.ALARM, 1.1)}
    return tuple(
        Rule(
            words(f"handover.flag_covered.{flag}"),
            (("covered", "=", flag),),
            Symbol("marker", colour, "", 0.0, "circle", size),
        )
        for flag, (colour, size) in looks.items()
    )


def _catchments(layer, centres):
    """Return a rule a centre, in the colour of Okabe-Ito that it has on every map of the province."""
    frame, code, name = layer.frame, layer.field("centre_city_code"), layer.field("centre_name")
    colours = theme.catchment_colours(centres)
    return tuple(
        Rule(
            str(said),
            (("centre_city_code", "=", each),),
            Symbol("fill", theme.tint(colours[each], theme.CATCHMENT_TINT), theme.INK, 0.35),
        )
        for each, said in zip(frame[code], frame[name], strict=True)
    )
