"""Scenario: the question a planner asks, read from a short TOML file, with every fault told at once.

A file states only what differs. What it leaves out comes from the scenario it ``extends``, else from the standards,
else from ``ASSUMED``. Each difference is kept as an :class:`Override`, old -> new.
"""

import csv
import difflib
import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path

from geo.faults import Fault, ScenarioRejected
from planner.standards import UnknownStandard, decimal_text, load_standards
from planner.toml_lines import key_lines

GOALS = ("cover_all", "best_n")
LARGEST_FILE = 24_576  # bytes; a scenario is a page of text
LONGEST_NAME = 60  # characters; three bytes each in Chinese still fit a folder name
DEVICE_NAMES = {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)}
NOT_IN_NAMES = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]'
)  # signs that Windows or a terminal take otherwise
NUMBER_WITH_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*[^\s0-9.,]+\s*")
CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Setting:
    """One key of a scenario file: the field it fills, its kind and bounds, and the standard that gives its default.

    The bounds catch slips of the pen and wrong units; they are no policy. No standard = the default is assumed.
    """

    key: str
    field: str
    kind: str  # text | region | goal | codes | whole | number | exact
    low: float = 0
    high: float = 0
    standard: str = ""


SETTINGS = (
    Setting("title", "title", "text"),
    Setting("region", "region", "region"),
    Setting("beds.reach_km", "beds_reach_km", "number", 1, 200),
    Setting("beds.county_cap", "beds_county_cap", "number", 1, 10),
    Setting("beds.steadiness", "beds_steadiness", "number", 0, 10),
    Setting("stations.goal", "stations_goal", "goal"),
    Setting("stations.count", "stations_count", "whole", 1, 10_000),
    Setting("stations.urban_km", "urban_km", "number", 0.5, 100, "emergency_radius_urban"),
    Setting("stations.rural_km", "rural_km", "number", 0.5, 100, "emergency_radius_rural"),
    Setting("stations.rural_preferred_km", "rural_preferred_km", "number", 0.5, 100, "emergency_radius_rural"),
    Setting("stations.detour_factor", "detour_factor", "number", 1, 3),
    Setting("stations.closed_counties", "closed_counties", "codes"),
    Setting("ambulances.persons_per_vehicle", "persons_per_ambulance", "whole", 100, 10**6, "ambulance_per_30000"),
    Setting("centres.national", "national_centres", "codes", standard="taiyuan_medical_summit"),
    Setting("centres.provincial", "provincial_centres", "codes", standard="one_axis_four_centres"),
    Setting("solve.seconds", "solve_seconds", "number", 0.001, 86_400),
)
BY_PATH = {tuple(setting.key.split(".")): setting for setting in SETTINGS}
BED_TARGETS = "beds.targets"
BED_TARGET = Setting(BED_TARGETS, "bed_targets", "exact", 0.1, 50)
TABLES = {path[:1] for path in BY_PATH if len(path) > 1} | {("beds", "targets")}
TABLE_NAMES = tuple(sorted(".".join(path) for path in TABLES))
KNOWN_KEYS = ("extends", *(setting.key for setting in SETTINGS), BED_TARGETS)

# What no document gives. Marked as assumed wherever it is shown.
ASSUMED = {
    "region": "shanxi",
    "beds_reach_km": 30.0,
    "beds_county_cap": 1.3,
    "beds_steadiness": 0.1,
    "stations_goal": "cover_all",
    "stations_count": 200,
    "detour_factor": 1.0,
    "closed_counties": (),
    "solve_seconds": 60.0,
}


@dataclass(frozen=True)
class Override:
    """One difference of a scenario: ``key`` as in the file, ``old`` and ``new`` as text: "5" -> "6"."""

    key: str
    old: str
    new: str


class ScenarioFault(Fault):
    """A fault of a scenario; its ``column`` is a key of the file, and is told as one."""

    def tell(self, words):
        """Return the fault as one line: file, line, key = value, rule and remedy in the language of ``words``."""
        line = words("scenario.line", row=self.row) if self.row is not None else ""
        setting = " = ".join(part for part in (self.column, self.value) if part)
        place = " · ".join(part for part in (self.file, line, setting) if part)
        return f"{place}: " + words(f"fault.{self.key}", **self.params)


class Unfit(Exception):
    """A value that a setting cannot take: ``key`` names the sentence that says why, ``params`` fill it."""

    def __init__(self, key, **params):
        self.key = key
        self.params = params
        super().__init__(key)


@dataclass(frozen=True)
class Scenario:
    """A question with every setting resolved. A variant made by ``dataclasses.replace`` is checked like a file.

    bed_targets         beds per 1,000 residents by city code, exact
    beds_reach_km       beds within this distance count as within reach
    beds_county_cap     a county's planned beds per person are at most this many times its city's target
    beds_steadiness     weight of equal shares per person against even reach; 0 = even reach alone
    stations_goal       "cover_all" (fewest stations for full coverage) or "best_n" (best use of ``stations_count``)
    stations_count      stations in all, the seats' included; answered beside the goal "cover_all" too
    urban_km, rural_km  covered when the distance is at most this; ``rural_preferred_km`` is the better end of the band
    detour_factor       way / straight line
    closed_counties     codes of counties where no station may stand, not even the seat's
    lines               {key: (file, line)} of what the files state, for messages; not part of the question
    """

    name: str
    title: str
    region: str
    bed_targets: dict[str, Fraction]
    beds_reach_km: float
    beds_county_cap: float
    beds_steadiness: float
    stations_goal: str
    stations_count: int
    urban_km: float
    rural_km: float
    rural_preferred_km: float
    detour_factor: float
    closed_counties: tuple[str, ...]
    persons_per_ambulance: int
    national_centres: tuple[str, ...]
    provincial_centres: tuple[str, ...]
    solve_seconds: float
    overrides: tuple[Override, ...] = ()
    file: str = ""
    lines: Mapping[str, tuple[str, int]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self):
        """Check at the door. Raises :class:`geo.faults.ScenarioRejected` with every value that does not fit."""
        faults = [self._fault("scenario_name", "", self.name)] if not is_name(self.name) else []
        for setting in SETTINGS:
            object.__setattr__(
                self, setting.field, self._checked(setting, setting.key, getattr(self, setting.field), faults)
            )
        if isinstance(self.bed_targets, Mapping):
            kept = {
                code: self._checked(BED_TARGET, f"{BED_TARGETS}.{code}", self.bed_targets[code], faults)
                for code in sorted(self.bed_targets, key=str)
            }
            object.__setattr__(self, "bed_targets", kept)
        else:
            faults.append(self._fault("scenario_table", BED_TARGETS, self.bed_targets))
        if not faults:
            faults = [self._fault(*each) for each in _contradictions(vars(self))]
        if faults:
            raise ScenarioRejected(faults)

    def _checked(self, setting, key, value, faults):
        try:
            return checked(setting, value)
        except Unfit as unfit:
            faults.append(self._fault(unfit.key, key, value, unfit.params))
            return value

    def _fault(self, key, column, value, params=None):
        return ScenarioFault(key, *_place(self.lines, column, value, self.file), column, shown(value), params or {})

    def as_dict(self):
        """Return the scenario as plain JSON-able values, exact figures as text; :func:`scenario_from` reads it back."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "lines"}
        plain["bed_targets"] = {code: decimal_text(target) for code, target in self.bed_targets.items()}
        plain["overrides"] = [vars(override).copy() for override in self.overrides]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def scenario_from(plain):
    """Return the :class:`Scenario` of a dict as :meth:`Scenario.as_dict` gives; the way back from a manifest.

    Raises :class:`geo.faults.ScenarioRejected` for missing or unknown fields and for values that do not fit.
    """
    known = {each.name for each in fields(Scenario)} - {"lines"}
    faults = [_unknown(str(key), sorted(known)) for key in sorted(set(plain) - known, key=str)]
    faults += [ScenarioFault("scenario_field", column=key) for key in sorted(known - set(plain))]
    if faults:
        raise ScenarioRejected(faults)
    plain = dict(plain)
    try:
        plain["bed_targets"] = {code: Fraction(text) for code, text in plain["bed_targets"].items()}
        plain["overrides"] = tuple(Override(**each) for each in plain["overrides"])
    except (AttributeError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ScenarioRejected([ScenarioFault("scenario_unreadable", value=shown(error))]) from None
    return Scenario(**plain)


def vary(scenario, **changes):
    """Return ``scenario`` with some fields changed, each change added to its overrides, old -> new.

    Raises :class:`geo.faults.ScenarioRejected` for values that do not fit.
    """
    changed = replace(scenario, **changes)
    before, after = _by_key(vars(scenario)), _by_key(vars(changed))
    return replace(changed, overrides=_merged(scenario.overrides, _differences(before, after)))


def load_scenario(path):
    """Return the :class:`Scenario` of a TOML file, or of a shipped one by its bare name ("shanxi-2025").

    Raises :class:`geo.faults.ScenarioRejected` with every fault of the file and of those it extends, with its line.
    """
    found = find_scenario(path)
    if found is None:
        raise ScenarioRejected([_missing(path)])
    faults = []
    if not is_name(found.stem):
        faults.append(ScenarioFault("scenario_name", file=shown(found.name)))
    layers = _layers(found, (), faults)
    standards = load_standards()

    stated = {}
    for layer in layers:
        stated |= layer.values
    lines = {key: place for layer in layers for key, place in layer.lines.items()}
    known = region_codes(stated.get("region", ASSUMED["region"]))
    if known is None and "region" in stated:
        params = {"known": ", ".join(embedded_regions())}
        faults.append(ScenarioFault("scenario_region", *lines["region"], "region", shown(stated["region"]), params))

    values = _by_key(default_values(standards, known and known.cities))
    overrides = ()
    for layer in layers:
        overrides = _merged(overrides, _differences(values, values | layer.values))
        values = values | layer.values
    resolved = _by_field(values)
    for key, column, value, params in _contradictions(resolved | {"lines": lines}, known):
        faults.append(ScenarioFault(key, *_place(lines, column, value, found.name), column, shown(value), params))
    if faults:
        raise ScenarioRejected(sorted(faults, key=lambda fault: (fault.file != found.name, fault.file, fault.row or 0)))
    name = unicodedata.normalize("NFC", found.stem)
    title = resolved.pop("title", "") or name
    return Scenario(name=name, title=title, overrides=overrides, file=found.name, lines=lines, **resolved)


def check_against(scenario, region):
    """Return the faults of ``scenario`` that show only beside ``region`` (a Region): codes that it does not have."""
    known = RegionCodes(region.cities["name"].to_dict(), region.counties["name"].to_dict())
    return tuple(scenario._fault(*each) for each in _contradictions(vars(scenario), known))


def default_values(standards, cities=None):
    """Return {field: value} of a scenario that states nothing, for ``cities`` (codes; None = those of the plan)."""
    cities = list(standards.cities) if cities is None else list(cities)
    targets = {}
    for code in cities:
        try:
            targets[code] = standards.city_bed_target(code).value
        except UnknownStandard:
            continue  # a city outside Table 3 must be given a target by the file, and is asked for one
    urban, rural = standards["emergency_radius_urban"], standards["emergency_radius_rural"]
    ambulances = standards["ambulance_per_30000"]
    return ASSUMED | {
        "bed_targets": targets,
        "urban_km": float(urban.value),
        "rural_km": float(rural.value_max),
        "rural_preferred_km": float(rural.value),
        "persons_per_ambulance": int(ambulances.per / ambulances.value),
        "national_centres": _among(standards.city_codes("taiyuan_medical_summit"), cities),
        "provincial_centres": _among(standards.city_codes("one_axis_four_centres"), cities),
    }


# -- values ----------------------------------------------------------------------------------------------------------


def checked(setting, value):
    """Return ``value`` in the type of ``setting``. Raises :class:`Unfit` for another kind or out of bounds."""
    return _CHECKS[setting.kind](setting, value)


def _text(setting, value):
    if not isinstance(value, str):
        raise Unfit("scenario_text")
    if len(value) > 200 or any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in value):
        raise Unfit("scenario_title")
    return value


def _region(setting, value):
    if not isinstance(value, str):
        raise Unfit("scenario_text")
    if (
        not value
        or len(value) > 1000
        or "://" in value
        or value.startswith("/vsi")
        or not all(map(_is_printable, value))
    ):
        raise Unfit("scenario_region", known=", ".join(embedded_regions()))
    return value


def _goal(setting, value):
    if value not in GOALS:
        raise Unfit("scenario_goal", goals=", ".join(GOALS))
    return value


def _codes(setting, value):
    if not isinstance(value, list | tuple):
        raise Unfit("scenario_list")
    if not all(map(is_code, value)):
        raise Unfit("scenario_code")
    return tuple(dict.fromkeys(value))


def is_code(code):
    """Return whether ``code`` is a six-digit division code, as text."""
    return isinstance(code, str) and CODE.fullmatch(code) is not None


def _number(setting, value):
    if isinstance(value, str) and (unit := NUMBER_WITH_UNIT.fullmatch(value)):
        raise Unfit("scenario_unit", number=unit.group(1))
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise Unfit("scenario_number")
    if not _finite(value):
        raise Unfit("scenario_not_finite")
    if setting.key.endswith("_km") and value > setting.high and value <= 1000 * setting.high:
        raise Unfit("scenario_metres", km=decimal_text(Fraction(str(value)) / 1000))
    low, high = Decimal(str(setting.low)), Decimal(str(setting.high))  # the float 0.001 lies above the decimal 0.001
    if not low <= value <= high:
        sentence = "scenario_range_beds" if setting is BED_TARGET else "scenario_range"
        raise Unfit(sentence, low=f"{setting.low:,}", high=f"{setting.high:,}")
    return float(value)


def _finite(value):
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float is finite, and out of every range
        return True


def _exact(setting, value):
    _number(setting, value)
    return value if isinstance(value, Fraction) else Fraction(str(value))


def _whole(setting, value):
    number = _number(setting, value)
    if not isinstance(value, Integral):
        raise Unfit("scenario_whole")
    return int(number)


_CHECKS = {
    "text": _text,
    "region": _region,
    "goal": _goal,
    "codes": _codes,
    "number": _number,
    "exact": _exact,
    "whole": _whole,
}


def _contradictions(values, known=None):
    """Yield (sentence, key, value, params) of settings that contradict one another, or name what the region has not.

    ``values`` are a scenario's fields, each in itself right; ``known`` the :class:`RegionCodes`, None = do not compare.
    """
    preferred, limit = values["rural_preferred_km"], values["rural_km"]
    if preferred > limit:
        params = {"preferred": told(preferred), "limit": told(limit)}
        key = _stated(values["lines"], "stations.rural_preferred_km", "stations.rural_km")
        yield "scenario_preferred", key, told(preferred if key.endswith("preferred_km") else limit), params
    national, provincial = values["national_centres"], values["provincial_centres"]
    for code in provincial:
        if code in national:
            yield "scenario_centre_twice", _stated(values["lines"], "centres.provincial", "centres.national"), code, {}
    if not national and not provincial:
        yield "scenario_no_centre", "centres.national", "", {}
    if known is None:
        return
    for code in values["bed_targets"]:
        if code not in known.cities:
            target = told(values["bed_targets"][code])
            yield "scenario_city", f"{BED_TARGETS}.{code}", target, {"nearest": _nearest_unit(code, known.cities)}
    for code, name in known.cities.items():
        if code not in values["bed_targets"]:
            yield "scenario_no_target", f"{BED_TARGETS}.{code}", "", {"city": name}
    for key, codes in (("centres.national", national), ("centres.provincial", provincial)):
        for code in codes:
            if code not in known.cities:
                yield "scenario_city", key, code, {"nearest": _nearest_unit(code, known.cities)}
    for code in values["closed_counties"]:
        if code not in known.counties:
            nearest = _nearest_unit(code, known.counties)
            yield "scenario_county", "stations.closed_counties", code, {"nearest": nearest}


def _stated(lines, *keys):
    """Return the first of ``keys`` that a file states, so that the message points to a line; else the first of all."""
    return next((key for key in keys if key in lines), keys[0])


def _place(lines, column, value, file):
    """Return (file, line) of a code in a list, else of its key; (``file``, None) where no file states it."""
    return lines.get(f"{column}.{value}") or lines.get(column) or (file, None)


def told(value):
    """Return a setting's value as one text, the same in both languages: "7.5", "140200, 140400", "—" for none."""
    if isinstance(value, tuple | list):
        return ", ".join(value) or "—"
    if isinstance(value, str):
        return value
    return decimal_text(value if isinstance(value, Fraction) else Fraction(str(value)))


def shown(value):
    """Return any value as short printable text, as the file has it, so that a message can carry it."""
    if isinstance(value, list | tuple):
        text = ", ".join(map(shown, value[:10]))
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        try:
            text = str(value)
        except ValueError:  # a whole number of thousands of digits
            text = type(value).__name__
    text = printable(text).replace("\n", "\ufffd")
    return text if len(text) <= 80 else text[:79] + "…"


def printable(text):
    """Return ``text`` without signs that a terminal would obey: names come from data. Lines and wide blanks stay."""
    return "".join(sign if sign == "\n" or _is_printable(sign) else "\ufffd" for sign in text)


def _is_printable(sign):
    return sign.isprintable() or unicodedata.category(sign) == "Zs"  # the blank of Chinese type is no control sign


def _by_key(values):
    """Return {key: value} of {field: value}, bed targets one by one, in the order of the settings."""
    keyed = {setting.key: values[setting.field] for setting in SETTINGS if setting.field in values}
    return keyed | {f"{BED_TARGETS}.{code}": target for code, target in values["bed_targets"].items()}


def _by_field(values):
    named = {setting.field: values[setting.key] for setting in SETTINGS if setting.key in values}
    targets = {
        key.removeprefix(BED_TARGETS + "."): value for key, value in values.items() if key.startswith(BED_TARGETS)
    }
    return named | {"bed_targets": targets}


def _differences(before, after):
    """Return the overrides from ``before`` to ``after``; a title is a name and not a difference."""
    pairs = [(key, told(before.get(key, ())), told(after[key])) for key in after if key != "title"]
    return tuple(Override(key, old, new) for key, old, new in pairs if old != new)


def _merged(overrides, later):
    """Return the overrides with each key once, as last overridden."""
    return tuple(({each.key: each for each in overrides} | {each.key: each for each in later}).values())


def _among(codes, cities):
    return tuple(code for code in codes if code in cities)


# -- files -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionCodes:
    """The units that a scenario may name: {code: name} of cities and counties."""

    cities: Mapping[str, str]
    counties: Mapping[str, str]


@dataclass(frozen=True)
class Layer:
    """What one file states: ``values`` by key, those that fit; ``lines`` (file, line) by key, and by key.code."""

    values: dict[str, object]
    lines: dict[str, tuple[str, int]]


def is_name(name):
    """Return whether a scenario's name can name a folder on every system: no path, device or endless text."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return False
    device = name.split(".")[0].strip().casefold() in DEVICE_NAMES
    return not (
        device
        or NOT_IN_NAMES.search(name)
        or name[0] in ".-~ "
        or name[-1] in ". "
        or not all(map(_is_printable, name))
    )


def shipped_folders():
    """Return the folders of shipped scenarios: inside an installed package, and beside it in a checkout."""
    package = Path(__file__).parent
    checkout = [package.parent / "scenarios"] if (package.parent / "pyproject.toml").is_file() else []
    return [folder for folder in (package / "_scenarios", *checkout) if folder.is_dir()]


def shipped_scenarios():
    """Return the bare names of the shipped scenarios, sorted."""
    return sorted({path.stem for folder in shipped_folders() for path in folder.glob("*.toml")})


def find_scenario(path, beside=Path()):
    """Return the file of a path (relative to ``beside``) or of a shipped scenario's bare name; None = there is none."""
    names = [str(path)] if str(path).endswith(".toml") else [str(path), f"{path}.toml"]
    bare = Path(path).name == str(path)
    folders = [beside, *shipped_folders()] if bare else [beside]
    return next((folder / name for folder in folders for name in names if _is_file(folder / name)), None)


def _is_file(path):
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the system, or with a NUL
        return False


def _missing(path):
    stem = Path(str(path)).stem
    if not is_name(stem):
        return ScenarioFault("scenario_name", file=shown(Path(str(path)).name))
    near = difflib.get_close_matches(stem, shipped_scenarios(), n=1)
    params = {"known": ", ".join(near or shipped_scenarios())}
    return ScenarioFault("scenario_missing", file=shown(str(path)), params=params)


def _layers(path, below, faults):
    """Return the layers of a file and of what it extends, the farthest ancestor first."""
    table = _table(path, faults)
    if table is None:
        return []
    content, lines = table
    ancestors = _ancestors(path, content.pop("extends", None), lines, below, faults) if "extends" in content else []
    values, places = {}, {}
    for key, setting, value in _settings(content, (), path.name, lines, faults):
        column = ".".join(key)
        places[column] = (path.name, lines[key])
        try:
            values[column] = checked(setting, value)
        except Unfit as unfit:
            wrong = [(value, lines[key])]
            if unfit.key == "scenario_code":
                wrong = [(code, lines[(*key, n)]) for n, code in enumerate(value) if not is_code(code)]
                values[column] = tuple(filter(is_code, value))
            for each, row in wrong:
                faults.append(ScenarioFault(unfit.key, path.name, row, shown(column), shown(each), unfit.params))
        if setting.kind == "codes" and isinstance(value, list):
            places |= {f"{column}.{code}": (path.name, lines[(*key, n)]) for n, code in enumerate(value)}
    if "region" in values and values["region"] not in embedded_regions():
        values["region"] = str((path.parent / values["region"]).resolve())
    return [*ancestors, Layer(values, places)]


def _ancestors(path, extends, lines, below, faults):
    def fault(key, **params):
        faults.append(ScenarioFault(key, path.name, lines[("extends",)], "extends", shown(extends), params))
        return []

    if not isinstance(extends, str):
        return fault("scenario_text")
    parts = re.split(r"[/\\]", extends)
    if (
        ".." in parts
        or parts[0] in ("", "~")
        or ":" in extends
        or not all(is_name(part) for part in parts if part != ".")
    ):
        return fault("scenario_extends_path")
    parent = find_scenario(extends, beside=path.parent)
    if parent is None:
        return fault("scenario_extends_missing", known=", ".join(shipped_scenarios()))
    below = (*below, path.resolve())
    if parent.resolve() in below:
        return fault("scenario_extends_cycle")
    return _layers(parent, below, faults)


def _table(path, faults):
    """Return (content, {key path: line}) of a TOML file; None, with the fault noted, where it cannot be read."""

    def fault(key, row=None, **params):
        faults.append(ScenarioFault(key, path.name, row, params=params))

    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return fault("scenario_unreadable_file", said=error.strerror or "")
    if len(raw) > LARGEST_FILE:
        return fault("scenario_large", limit=f"{LARGEST_FILE:,}")
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            return fault("scenario_encoding")
        return tomllib.loads(text, parse_float=Decimal), key_lines(text)
    except UnicodeDecodeError as error:
        return fault("scenario_encoding", raw[: error.start].count(b"\n") + 1)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = re.search(r"\(at (?:line (\d+)|end of document)", said)
        row = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
        twice = said.startswith(("Cannot overwrite", "Cannot declare", "Duplicate inline table key"))
        return fault("scenario_twice" if twice else "scenario_syntax", row, said=shown(said.split(" (at ")[0]))
    except (
        ValueError,
        RecursionError,
        ArithmeticError,
    ) as error:  # numbers of thousands of digits, brackets without end
        return fault("scenario_syntax", said=shown(type(error).__name__))


def _settings(table, prefix, file, lines, faults):
    """Yield (key path, setting, value) of everything known in ``table``; note what is unknown."""
    for name, value in table.items():
        path = (*prefix, name)
        if path in TABLES and not isinstance(value, dict):
            faults.append(ScenarioFault("scenario_table", file, lines[path], ".".join(path), shown(value)))
        elif path in TABLES:
            yield from _settings(value, path, file, lines, faults)
        elif path in BY_PATH:
            yield path, BY_PATH[path], value
        elif prefix == ("beds", "targets") and "." not in name:
            yield path, BED_TARGET, value
        else:
            known = TABLE_NAMES if isinstance(value, dict) else KNOWN_KEYS
            faults.append(_unknown(".".join(path), known, file, lines[path]))


def _unknown(key, known, file="", row=None):
    """Return the fault of an unknown key with the nearest known one: by spelling, or by its last part alone."""
    last = key.rsplit(".", 1)[-1]
    ends = {each.rsplit(".", 1)[-1]: each for each in known}
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
    near = near or [ends[end] for end in difflib.get_close_matches(last, ends, n=1)]
    if near:
        return ScenarioFault("scenario_unknown", file, row, shown(key), params={"nearest": near[0]})
    return ScenarioFault("scenario_unknown_all", file, row, shown(key), params={"known": ", ".join(known)})


def embedded_regions():
    """Return the names of the regions inside the package, sorted."""
    from geo.region import EMBEDDED

    return sorted(folder.name for folder in EMBEDDED.iterdir() if (folder / "counties.csv").is_file())


def region_codes(region):
    """Return the :class:`RegionCodes` of a region's name or folder, from its two tables; None = they cannot be read.

    Faults of the tables themselves are told by :func:`geo.region.load_region`, which reads everything.
    """
    from geo.region import EMBEDDED

    folder = EMBEDDED / region if region in embedded_regions() else Path(region)
    names = []
    for table in ("cities.csv", "counties.csv"):
        try:
            rows = list(csv.DictReader((folder / table).read_text(encoding="utf-8-sig").splitlines()))
            names.append({row["code"]: row["name"] for row in rows})
        except (OSError, ValueError, KeyError, csv.Error):
            return None
    return RegionCodes(*names)


def _nearest_unit(code, names):
    """Return "141100 吕梁市", the unit most like ``code`` by name or by code."""
    for unit, name in names.items():
        if code and (code in name or name in code):
            return f"{unit} {name}"
    near = difflib.get_close_matches(code, names, n=1, cutoff=0)
    return f"{near[0]} {names[near[0]]}" if near else "—"
