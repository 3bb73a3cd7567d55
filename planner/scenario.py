"""Scenario: the question a planner asks, read from a short TOML file, with every fault told at once.

A file states only what differs. What it leaves out comes from the scenario it ``extends``, else from the standards,
else from ``ASSUMED`` (planner.settings). Each difference is kept as an :class:`Override`, old -> new.
"""

import csv
import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from geo.faults import Fault, ScenarioRejected
from planner.settings import (
    ALL_SETTINGS,
    FILE_SETTINGS,
    SETTINGS,
    TABLE_SETTINGS,
    Unfit,
    checked,
    default_values,
    embedded_regions,
    file_name,
    is_code,
    is_printable,
    shown,
    told,
)
from planner.settings import ASSUMED as ASSUMED
from planner.settings import BED_TARGETS as BED_TARGETS
from planner.settings import GOALS as GOALS
from planner.settings import printable as printable
from planner.standards import decimal_text, load_standards
from planner.toml_lines import key_lines

LARGEST_FILE = 24_576  # bytes; a scenario is a page of text
LONGEST_NAME = 60  # characters; three bytes each in Chinese still fit a folder name
DEVICE_NAMES = {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)}
NOT_IN_NAMES = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]'
)  # signs that Windows or a terminal take otherwise

BY_PATH = {tuple(setting.key.split(".")): setting for setting in SETTINGS}
TABLE_BY_PATH = {tuple(setting.key.split(".")): setting for setting in TABLE_SETTINGS}
TABLES = {path[:1] for path in BY_PATH if len(path) > 1} | set(TABLE_BY_PATH)
TABLE_NAMES = tuple(sorted(".".join(path) for path in TABLES))
KNOWN_KEYS = ("extends", *(setting.key for setting in ALL_SETTINGS))
RETIRED = {"beds.steadiness": "beds.objectives"}  # key of earlier versions -> what took its place
UNIT_KEYS = {"city": "scenario_city", "county": "scenario_county"}  # sentences for codes that a region has not


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


@dataclass(frozen=True)
class Scenario:
    """A question with every setting resolved. A variant made by ``dataclasses.replace`` is checked like a file.

    Shares, costs, growth, targets and the figures of the surge are exact (Fraction): whole beds are rounded from them.

    population_year         the year that is planned for; the census's own where nothing grows
    population_growth       per cent over the census by city code; a city that is not named keeps its census figure
    bed_targets             beds per 1,000 residents by city code
    beds_rule               "exact": every city gets its whole target; "up_to": at most its target
    beds_objectives         words of ``OBJECTIVES``, the first the most important
    beds_leeway             share of its best value that each objective may give up for those after it
    beds_guard              no county with less within reach than the mean gets less than shared by population
    beds_may_bend           words of ``MAY_BEND``: musts that may bend where they cannot be kept
    beds_weights            {} = one objective after the other; else the weight of each in one sum
    beds_reach_km           beds within this distance count as within reach, in equal bands, each of which counts with
                            its one of ``beds_access_weights``, the nearest band first
    beds_county_cap         a county's planned beds per person are at most this many times its city's target
    beds_pins               whole beds of a county by its code, as wished
    beds_hospital_least     least beds of a general and of a TCM hospital
    beds_convert_share      share of an owner's general beds in a county that may become beds of other kinds
    beds_lean               share of a city's new beds by kind
    beds_national_reserve   share of new beds kept for city-and-above hospitals where a national centre stands
    beds_staff, beds_nurses, beds_doctors  persons there will be by city code; a city that is not named has no limit
    facilities              file of a facility table (absolute path), "" = none; ``facilities_complete``: it names every
                            public general hospital
    freeze_rule             a facility is frozen by "any" reason alone or by "all" measured ones together
    freeze_hosts_exempt     whether hosts of regional centres may add beds all the same
    freeze_area_per_bed     m2 a bed, 0 = the standard is not known
    beds_budget             10,000 yuan, 0 = no limit; ``beds_cost_new``, ``beds_cost_convert``: 10,000 yuan a bed
    surge_inpatients        inpatients per 10,000 residents at the peak of an epidemic, 0 = none; of these
                            ``surge_icu_percent`` in intensive care; ``surge_convertible_percent`` of general beds can
                            be cleared
    evaluation_weights      "entropy" or "equal" weights of the evaluation's indicators
    travel_measure          "straight" lines, metres by "road", or "minutes" of driving; for the last two ``roads`` is a
                            file of roads, and ``road_speeds`` one of speeds ("" = those of the house)
    existing_stations       file of a station list, "" = none: these are held, and seats' stations are assumed only in
                            counties without one
    stations_goal           "cover_all" (fewest stations for full coverage), or of ``stations_count``: "best_n" (most
                            people), "gradual" (the nearer the better within the band), "backup" (most people twice),
                            "fair" (the worst county first)
    stations_count          stations in all, those held included; answered beside the goal "cover_all" too
    urban_km, rural_km      covered when the distance is at most this; ``rural_preferred_km``: better end of the band;
                            urban_minutes, rural_minutes, rural_preferred_minutes: the same for minutes
    detour_factor           way / straight line
    stations_by_city        whether each city's stations serve its own people alone
    forced_sites, forbidden_sites  ids or names of candidate sites that must, or must not, be used
    spacing_km              no new station is nearer than this to another, as the crow flies; 0 = no such wish
    closed_counties         codes of counties where no station may stand, not even the seat's
    curve_points            points of the curve of coverage against the number of stations; 0 = no curve
    station_options         other layouts beside the plan, each with ``options_differ`` stations elsewhere
    hospital_based          codes of counties whose station is part of a hospital; the others' stand free
    cost_centre, cost_standalone, cost_hospital_based, cost_substation, cost_township  10,000 yuan a station
    persons_per_ambulance   vehicles of a city: its persons / this, rounded up; ``ambulance_uplift``: more vehicles of
                            remote counties by code, per cent; ``negative_pressure_share`` of all vehicles
    ambulance_rule          vehicles to stations by "mexclp" (expected coverage, each vehicle busy ``ambulance_busy`` of
                            the time), "double_standard" (``double_share`` of the people within the preferred standard)
                            or "persons" (by people served)
    sim_*                   what a simulation of calls assumes
    lines                   {key: (file, line)} of what the files state, for messages; not part of the question
    """

    name: str
    title: str
    region: str
    population_year: int
    population_growth: dict[str, Fraction]
    bed_targets: dict[str, Fraction]
    beds_rule: str
    beds_objectives: tuple[str, ...]
    beds_leeway: Fraction
    beds_may_bend: tuple[str, ...]
    beds_guard: bool
    beds_weights: dict[str, float]
    beds_reach_km: float
    beds_access_weights: tuple[float, ...]
    beds_county_cap: float
    beds_pins: dict[str, int]
    beds_hospital_least: int
    beds_convert_share: Fraction
    beds_lean: dict[str, Fraction]
    beds_national_reserve: Fraction
    beds_staff: dict[str, int]
    beds_nurses: dict[str, int]
    beds_doctors: dict[str, int]
    facilities: str
    facilities_complete: bool
    freeze_rule: str
    freeze_hosts_exempt: bool
    freeze_area_per_bed: float
    beds_budget: int
    beds_cost_new: Fraction
    beds_cost_convert: Fraction
    surge_inpatients: Fraction
    surge_icu_percent: Fraction
    surge_convertible_percent: Fraction
    evaluation_weights: str
    travel_measure: str
    roads: str
    road_speeds: str
    existing_stations: str
    stations_goal: str
    stations_count: int
    urban_km: float
    rural_km: float
    rural_preferred_km: float
    detour_factor: float
    urban_minutes: float
    rural_minutes: float
    rural_preferred_minutes: float
    stations_by_city: bool
    forced_sites: tuple[str, ...]
    forbidden_sites: tuple[str, ...]
    spacing_km: float
    closed_counties: tuple[str, ...]
    curve_points: int
    station_options: int
    options_differ: int
    hospital_based: tuple[str, ...]
    cost_centre: int
    cost_standalone: int
    cost_hospital_based: int
    cost_substation: int
    cost_township: int
    persons_per_ambulance: int
    ambulance_rule: str
    ambulance_busy: Fraction
    double_share: Fraction
    negative_pressure_share: Fraction
    ambulance_uplift: dict[str, Fraction]
    sim_calls_per_1000: float
    sim_days: int
    sim_seed: int
    sim_scene_minutes: float
    sim_hospital_minutes: float
    sim_urban_km_h: float
    sim_rural_km_h: float
    sim_turnout_seconds: int
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
            value = self._checked(setting, setting.key, getattr(self, setting.field), faults)
            object.__setattr__(self, setting.field, value)
        for setting in TABLE_SETTINGS:
            object.__setattr__(self, setting.field, self._checked_table(setting, faults))
        if not faults:
            faults = [self._fault(*each) for each in _contradictions(vars(self))]
        if faults:
            raise ScenarioRejected(faults)
        for setting in FILE_SETTINGS:
            object.__setattr__(self, setting.field, _absolute(getattr(self, setting.field)))

    def _checked(self, setting, key, value, faults):
        try:
            return checked(setting, value)
        except Unfit as unfit:
            faults.append(self._fault(unfit.key, key, value, unfit.params))
            return value

    def _checked_table(self, setting, faults):
        table = getattr(self, setting.field)
        if not isinstance(table, Mapping):
            faults.append(self._fault("scenario_table", setting.key, table))
            return table
        if setting.by == "word":
            known = [f"{setting.key}.{word}" for word in setting.choices]
            faults += [_unknown(f"{setting.key}.{word}", known) for word in table if word not in setting.choices]
        else:
            faults += [self._fault("scenario_code", setting.key, code) for code in table if not isinstance(code, str)]
        return {
            place: self._checked(setting, f"{setting.key}.{place}", table[place], faults)
            for place in _ordered(setting, table)
        }

    def _fault(self, key, column, value, params=None):
        return ScenarioFault(key, *_place(self.lines, column, value, self.file), column, shown(value), params or {})

    def as_dict(self):
        """Return the scenario as plain JSON-able values, exact figures as text; :func:`scenario_from` reads it back."""
        plain = {each.name: _plain(getattr(self, each.name)) for each in fields(self) if each.name != "lines"}
        plain |= {setting.field: _portable(getattr(self, setting.field)) for setting in FILE_SETTINGS}
        plain["overrides"] = [vars(override).copy() for override in self.overrides]
        return plain


def _plain(value):
    if isinstance(value, Fraction):
        return decimal_text(value)
    if isinstance(value, dict):
        return {place: _plain(figure) for place, figure in value.items()}
    return list(value) if isinstance(value, tuple) else value


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
        for setting in SETTINGS:
            if setting.kind == "exact":
                plain[setting.field] = Fraction(str(plain[setting.field]))
        for setting in TABLE_SETTINGS:
            if setting.kind == "exact":
                plain[setting.field] = {place: Fraction(str(text)) for place, text in plain[setting.field].items()}
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
    for setting in FILE_SETTINGS:
        if resolved[setting.field] and not _is_file(Path(resolved[setting.field])):
            place = _place(lines, setting.key, "", found.name)
            said = shown(file_name(resolved[setting.field]))
            faults.append(ScenarioFault(f"scenario_{setting.field}", *place, setting.key, said))
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


# -- values ----------------------------------------------------------------------------------------------------------


def _contradictions(values, known=None):
    """Yield (sentence, key, value, params) of settings that contradict one another, or name what the region has not.

    ``values`` are a scenario's fields, each in itself right; ``known`` the :class:`RegionCodes`, None = do not compare.
    """
    for unit in ("km", "minutes"):
        preferred, limit = values[f"rural_preferred_{unit}"], values[f"rural_{unit}"]
        if preferred > limit:
            params = {"preferred": told(preferred), "limit": told(limit)}
            key = _stated(values["lines"], f"stations.rural_preferred_{unit}", f"stations.rural_{unit}")
            sentence = "scenario_preferred" if unit == "km" else "scenario_preferred_minutes"
            yield sentence, key, told(preferred if "preferred" in key else limit), params
    if values["travel_measure"] != "straight" and not values["roads"]:
        yield "scenario_no_roads", "travel.measure", values["travel_measure"], {}
    for name in sorted(set(values["forced_sites"]) & set(values["forbidden_sites"])):
        yield "scenario_site_twice", _stated(values["lines"], "stations.forbidden", "stations.forced"), name, {}
    national, provincial = values["national_centres"], values["provincial_centres"]
    for code in provincial:
        if code in national:
            yield "scenario_centre_twice", _stated(values["lines"], "centres.provincial", "centres.national"), code, {}
    if not national and not provincial:
        yield "scenario_no_centre", "centres.national", "", {}
    yield from _bed_contradictions(values)
    if known is None:
        return
    yield from _unknown_places(values, known)


def _bed_contradictions(values):
    """Yield what :func:`_contradictions` yields, of the settings of beds."""
    objectives, weights = values["beds_objectives"], values["beds_weights"]
    for word, weight in weights.items():
        if weight > 0 and word not in objectives:
            params = {"objective": word, "objectives": ", ".join(objectives)}
            yield "scenario_weight_unlisted", f"beds.weights.{word}", told(weight), params
    if weights and not any(weights.values()):
        yield "scenario_weights_zero", f"beds.weights.{next(iter(weights))}", "", {}
    lean = values["beds_lean"]
    if sum(lean.values()) > 1:
        key = _stated(values["lines"], *(f"beds.lean.{kind}" for kind in lean))
        shares = " + ".join(map(told, lean.values()))
        yield "scenario_lean_sum", key, "", {"shares": shares, "sum": told(sum(lean.values()))}
    if values["facilities_complete"] and not values["facilities"]:
        yield "scenario_complete_without_table", "beds.facilities_complete", True, {}


def _unknown_places(values, known):
    """Yield what :func:`_contradictions` yields, for codes that ``known`` has not and for cities without a target."""
    places = {"city": known.cities, "county": known.counties}
    for setting in TABLE_SETTINGS:
        for code in values[setting.field] if setting.by in places else ():
            if code not in places[setting.by]:
                params = {"nearest": _nearest_unit(code, places[setting.by])}
                yield UNIT_KEYS[setting.by], f"{setting.key}.{code}", told(values[setting.field][code]), params
    for code, name in known.cities.items():
        if code not in values["bed_targets"]:
            yield "scenario_no_target", f"{BED_TARGETS}.{code}", "", {"city": name}
    for key, field_, by in (
        ("centres.national", "national_centres", "city"),
        ("centres.provincial", "provincial_centres", "city"),
        ("stations.closed_counties", "closed_counties", "county"),
        ("stations.hospital_based", "hospital_based", "county"),
    ):
        for code in values[field_]:
            if code not in places[by]:
                yield UNIT_KEYS[by], key, code, {"nearest": _nearest_unit(code, places[by])}


def _stated(lines, *keys):
    """Return the first of ``keys`` that a file states, so that the message points to a line; else the first of all."""
    return next((key for key in keys if key in lines), keys[0])


def _place(lines, column, value, file):
    """Return (file, line) of a code in a list, else of its key; (``file``, None) where no file states it."""
    return lines.get(f"{column}.{value}") or lines.get(column) or (file, None)


def _by_key(values):
    """Return {key: value} of {field: value}, tables figure by figure, in the order of the settings."""
    keyed = {setting.key: values[setting.field] for setting in SETTINGS if setting.field in values}
    for setting in TABLE_SETTINGS:
        keyed |= {f"{setting.key}.{place}": figure for place, figure in values[setting.field].items()}
    return keyed


def _by_field(values):
    """Return {field: value} of {key: value}: the way back from :func:`_by_key`."""
    named = {setting.field: values[setting.key] for setting in SETTINGS if setting.key in values}
    for setting in TABLE_SETTINGS:
        stem = setting.key + "."
        named[setting.field] = {key.removeprefix(stem): values[key] for key in values if key.startswith(stem)}
    return named


def _ordered(setting, table):
    """Return the places of a table in one order for all: codes sorted, words as the setting lists them."""
    if setting.by == "word":
        return [word for word in setting.choices if word in table]
    return sorted(table, key=str)


def _differences(before, after):
    """Return the overrides from ``before`` to ``after``; a title is a name and not a difference."""
    keys = [key for key in {**after, **before} if key != "title"]
    pairs = [(key, _told(key, before), _told(key, after)) for key in keys]
    return tuple(Override(key, old, new) for key, old, new in pairs if old != new)


def _told(key, values):
    """Return one of ``values`` as text; of a file its name alone, for where it lies is nobody else's business."""
    value = values.get(key, ())
    setting = BY_PATH.get(tuple(key.split(".")))
    return told(file_name(value) if value and setting is not None and setting.kind == "file" else value)


def _merged(overrides, later):
    """Return the overrides with each key once, as last overridden."""
    return tuple(({each.key: each for each in overrides} | {each.key: each for each in later}).values())


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
        device or NOT_IN_NAMES.search(name) or name[0] in ".-~ " or name[-1] in ". " or not all(map(is_printable, name))
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


def _absolute(file):
    """Return the path of a file of data: a bare name first among the shipped ones, then from the current folder."""
    if not file:
        return ""
    shipped = [folder / file for folder in shipped_folders()] if file_name(file) == file else []
    return str(_resolved(next(filter(_is_file, shipped), Path(file))))


def _resolved(path):
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that lead in a circle, or nowhere that can be read
        return path.absolute()


def _portable(file):
    """Return the path of a file of data as another machine may read it, if it can be; :func:`_absolute` reads it."""
    path = Path(file)
    if file and path.parent in [folder.resolve() for folder in shipped_folders()]:
        return path.name
    if file and path.is_relative_to(Path.cwd()):
        return f"./{path.relative_to(Path.cwd()).as_posix()}"
    return file


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
    for setting in FILE_SETTINGS:
        if values.get(setting.key):
            values[setting.key] = str(_resolved(path.parent / values[setting.key]))
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
        elif prefix in TABLE_BY_PATH and _may_hold(TABLE_BY_PATH[prefix], name):
            yield path, TABLE_BY_PATH[prefix], value
        else:
            known = TABLE_NAMES if isinstance(value, dict) else KNOWN_KEYS
            if prefix in TABLE_BY_PATH and TABLE_BY_PATH[prefix].by == "word":
                known = [".".join((*prefix, word)) for word in TABLE_BY_PATH[prefix].choices]
            faults.append(_unknown(".".join(path), known, file, lines[path]))


def _may_hold(setting, place):
    """Return whether a table can have a figure for ``place``; whether the region has such a code is seen later."""
    return place in setting.choices if setting.by == "word" else "." not in place


def _unknown(key, known, file="", row=None):
    """Return the fault of an unknown key with the nearest known one: by spelling, or by its last part alone."""
    if key in RETIRED:
        return ScenarioFault("scenario_unknown", file, row, key, params={"nearest": RETIRED[key]})
    last = key.rsplit(".", 1)[-1]
    ends = {each.rsplit(".", 1)[-1]: each for each in known}
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
    near = near or [ends[end] for end in difflib.get_close_matches(last, ends, n=1)]
    if near:
        return ScenarioFault("scenario_unknown", file, row, shown(key), params={"nearest": near[0]})
    return ScenarioFault("scenario_unknown_all", file, row, shown(key), params={"known": ", ".join(known)})


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
