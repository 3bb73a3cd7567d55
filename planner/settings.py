"""Settings: every key that a scenario file may state, with its kind, its bounds, its default and what refuses a value.

What a document gives comes from the standards, what none gives from ``ASSUMED``. A table such as ``[beds.targets]`` is
one setting too: one figure for each city, county or word.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real

from planner.standards import UnknownStandard, decimal_text

GOALS = ("cover_all", "best_n", "gradual", "backup", "fair")
MEASURES = ("straight", "road", "minutes")
FLEET_RULES = ("mexclp", "double_standard", "persons")
OBJECTIVES = ("shortfall", "worst", "even", "equal", "change", "cost", "travel")
MAY_BEND = ("infectious_hospital", "infectious_department", "general_hospital", "tcm_hospital")
LEANED_KINDS = ("oncology", "critical", "rehabilitation", "nursing")  # the documents lean new beds to them, no figure
MOST_ACCESS_WEIGHTS = 6
NUMBER_WITH_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*[^\s0-9.,]+\s*")
CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Setting:
    """One key of a scenario file: the field it fills, its kind and bounds, and the standard that gives its default.

    The bounds catch slips of the pen and wrong units; they are no policy. No standard = the default is assumed.

    kind     text | region | file | names (of sites) | choice | objectives | words | switch | codes | whole | year |
             number | exact (a Fraction) | weights (numbers, not rising)
    choices  the words of a choice, of a list of objectives (at least one) or of words (none, if need be)
    words    the section below ``value`` of the catalogue that says these words
    by       a table: one figure, of the kind and bounds given, for each "city" or "county" code or for each word of
             ``choices``; "" = no table
    data     the default is what the region's own files hold
    """

    key: str
    field: str
    kind: str
    low: float = 0
    high: float = 0
    standard: str = ""
    choices: tuple[str, ...] = ()
    words: str = ""
    by: str = ""
    data: bool = False


BED_TARGETS = "beds.targets"
ALL_SETTINGS = (
    Setting("title", "title", "text"),
    Setting("region", "region", "region"),
    Setting("population.year", "population_year", "year", 2020, 2050, data=True),
    Setting("population.growth", "population_growth", "exact", -50, 100, by="city", data=True),
    Setting(BED_TARGETS, "bed_targets", "exact", 0.1, 50, by="city"),
    Setting("beds.rule", "beds_rule", "choice", choices=("exact", "up_to"), words="beds_rule"),
    Setting("beds.objectives", "beds_objectives", "objectives", choices=OBJECTIVES, words="objective"),
    Setting("beds.leeway", "beds_leeway", "exact", 0, 0.5),
    Setting("beds.weights", "beds_weights", "number", 0, 10**6, choices=OBJECTIVES, words="objective", by="word"),
    Setting("beds.may_bend", "beds_may_bend", "words", choices=MAY_BEND, words="rule"),
    Setting("beds.guard", "beds_guard", "switch"),
    Setting("beds.reach_km", "beds_reach_km", "number", 1, 200),
    Setting("beds.access_weights", "beds_access_weights", "weights"),
    Setting("beds.county_cap", "beds_county_cap", "number", 1, 10),
    Setting("beds.pins", "beds_pins", "whole", 0, 200_000, by="county"),
    Setting("beds.hospital_least", "beds_hospital_least", "whole", 1, 1000),
    Setting("beds.convert_share", "beds_convert_share", "exact", 0, 1),
    Setting("beds.lean", "beds_lean", "exact", 0, 1, choices=LEANED_KINDS, words="kind", by="word"),
    Setting("beds.national_reserve", "beds_national_reserve", "exact", 0, 1),
    Setting("beds.facilities", "facilities", "file"),
    Setting("beds.facilities_complete", "facilities_complete", "switch"),
    Setting("beds.freeze", "freeze_rule", "choice", choices=("any", "all"), words="freeze_rule"),
    Setting("beds.freeze_hosts_exempt", "freeze_hosts_exempt", "switch"),
    Setting("beds.freeze_area_per_bed", "freeze_area_per_bed", "number", 0, 500),
    Setting("beds.staff", "beds_staff", "whole", 0, 10**7, by="city"),
    Setting("beds.nurses", "beds_nurses", "whole", 0, 10**7, by="city"),
    Setting("beds.doctors", "beds_doctors", "whole", 0, 10**7, by="city"),
    Setting("beds.budget", "beds_budget", "whole", 0, 10**9),
    Setting("beds.cost_new", "beds_cost_new", "exact", 0, 10_000),
    Setting("beds.cost_convert", "beds_cost_convert", "exact", 0, 10_000),
    Setting("surge.inpatients_per_10000", "surge_inpatients", "exact", 0, 1000),
    Setting("surge.icu_percent", "surge_icu_percent", "exact", 0, 100),
    Setting("surge.convertible_percent", "surge_convertible_percent", "exact", 0, 100),
    Setting("evaluation.weights", "evaluation_weights", "choice", choices=("entropy", "equal"), words="weighting"),
    Setting("travel.measure", "travel_measure", "choice", choices=MEASURES, words="measure"),
    Setting("travel.roads", "roads", "file"),
    Setting("travel.speeds", "road_speeds", "file"),
    Setting("stations.existing", "existing_stations", "file"),
    Setting("stations.goal", "stations_goal", "choice", choices=GOALS, words="goal"),
    Setting("stations.count", "stations_count", "whole", 1, 10_000),
    Setting("stations.urban_km", "urban_km", "number", 0.5, 100, "emergency_radius_urban"),
    Setting("stations.rural_km", "rural_km", "number", 0.5, 100, "emergency_radius_rural"),
    Setting("stations.rural_preferred_km", "rural_preferred_km", "number", 0.5, 100, "emergency_radius_rural"),
    Setting("stations.detour_factor", "detour_factor", "number", 1, 3),
    Setting("stations.urban_minutes", "urban_minutes", "number", 1, 240),
    Setting("stations.rural_minutes", "rural_minutes", "number", 1, 240),
    Setting("stations.rural_preferred_minutes", "rural_preferred_minutes", "number", 1, 240),
    Setting("stations.by_city", "stations_by_city", "switch"),
    Setting("stations.forced", "forced_sites", "names"),
    Setting("stations.forbidden", "forbidden_sites", "names"),
    Setting("stations.spacing_km", "spacing_km", "number", 0, 50),
    Setting("stations.closed_counties", "closed_counties", "codes"),
    Setting("stations.curve_points", "curve_points", "whole", 0, 60),
    Setting("stations.options", "station_options", "whole", 0, 9),
    Setting("stations.options_differ", "options_differ", "whole", 1, 1000),
    Setting("stations.hospital_based", "hospital_based", "codes"),
    Setting("stations.cost_centre", "cost_centre", "whole", 0, 100_000),
    Setting("stations.cost_standalone", "cost_standalone", "whole", 0, 100_000),
    Setting("stations.cost_hospital_based", "cost_hospital_based", "whole", 0, 100_000),
    Setting("stations.cost_substation", "cost_substation", "whole", 0, 100_000),
    Setting("stations.cost_township", "cost_township", "whole", 0, 100_000),
    Setting("ambulances.persons_per_vehicle", "persons_per_ambulance", "whole", 100, 10**6, "ambulance_per_30000"),
    Setting("ambulances.rule", "ambulance_rule", "choice", choices=FLEET_RULES, words="fleet_rule"),
    Setting("ambulances.busy", "ambulance_busy", "exact", 0, 0.95),
    Setting("ambulances.double_share", "double_share", "exact", 0, 1),
    Setting("ambulances.negative_pressure_share", "negative_pressure_share", "exact", 0, 1),
    Setting("ambulances.uplift", "ambulance_uplift", "exact", 0, 1000, by="county"),
    Setting("simulation.calls_per_1000", "sim_calls_per_1000", "number", 0.1, 1000),
    Setting("simulation.days", "sim_days", "whole", 1, 366),
    Setting("simulation.seed", "sim_seed", "whole", 0, 10**9),
    Setting("simulation.scene_minutes", "sim_scene_minutes", "number", 0, 600),
    Setting("simulation.hospital_minutes", "sim_hospital_minutes", "number", 0, 600),
    Setting("simulation.urban_km_h", "sim_urban_km_h", "number", 1, 200),
    Setting("simulation.rural_km_h", "sim_rural_km_h", "number", 1, 200),
    Setting("simulation.turnout_seconds", "sim_turnout_seconds", "whole", 0, 3600),
    Setting("centres.national", "national_centres", "codes", standard="taiyuan_medical_summit"),
    Setting("centres.provincial", "provincial_centres", "codes", standard="one_axis_four_centres"),
    Setting("solve.seconds", "solve_seconds", "number", 0.001, 86_400),
)
SETTINGS = tuple(setting for setting in ALL_SETTINGS if not setting.by)
TABLE_SETTINGS = tuple(setting for setting in ALL_SETTINGS if setting.by)
FILE_SETTINGS = tuple(setting for setting in SETTINGS if setting.kind == "file")

# What no document gives. Marked as assumed wherever it is shown.
ASSUMED = {
    "region": "shanxi",
    "population_year": 2020,  # of the census in counties.csv
    "population_growth": {},
    "beds_rule": "exact",
    "beds_objectives": ("shortfall", "equal", "change"),
    "beds_leeway": Fraction(0),
    "beds_may_bend": (),
    "beds_guard": False,
    "beds_reach_km": 30.0,
    # W. Luo and Y. Qi, Health & Place 15 (2009) 1100-1107, weigh zones of 10, 20 and 30 minutes so; here they are equal
    # bands of ``beds_reach_km``.
    "beds_access_weights": (1.0, 0.68, 0.22),
    "beds_county_cap": 1.3,
    "beds_hospital_least": 20,
    "beds_convert_share": Fraction("0.2"),
    "beds_national_reserve": Fraction("0.3"),
    "beds_pins": {},
    "beds_lean": {
        "oncology": Fraction("0.05"),
        "critical": Fraction("0.05"),
        "rehabilitation": Fraction("0.1"),
        "nursing": Fraction("0.1"),
    },
    "beds_weights": {},
    "beds_staff": {},
    "beds_nurses": {},
    "beds_doctors": {},
    "facilities": "",
    "facilities_complete": False,
    "freeze_rule": "any",
    "freeze_hosts_exempt": True,
    "freeze_area_per_bed": 0.0,
    "beds_budget": 0,
    "beds_cost_new": Fraction(50),
    "beds_cost_convert": Fraction(10),
    "surge_inpatients": Fraction(0),
    "surge_icu_percent": Fraction(10),
    "surge_convertible_percent": Fraction(10),
    "evaluation_weights": "entropy",
    "travel_measure": "straight",
    "roads": "",
    "road_speeds": "",
    "detour_factor": 1.0,
    "existing_stations": "",
    "stations_goal": "cover_all",
    "stations_count": 200,
    # The documents' radii at 30 km/h in town and 40 km/h in the country.
    "urban_minutes": 10.0,
    "rural_minutes": 30.0,
    "rural_preferred_minutes": 15.0,
    "stations_by_city": False,
    "forced_sites": (),
    "forbidden_sites": (),
    "spacing_km": 0.0,
    "closed_counties": (),
    "curve_points": 13,
    "station_options": 0,
    "options_differ": 10,
    "hospital_based": (),
    "cost_centre": 2000,
    "cost_standalone": 500,
    "cost_hospital_based": 200,
    "cost_substation": 300,
    "cost_township": 100,
    "ambulance_rule": "mexclp",
    "ambulance_busy": Fraction("0.3"),
    "double_share": Fraction("0.9"),
    "negative_pressure_share": Fraction("0.2"),
    "ambulance_uplift": {},
    "sim_calls_per_1000": 20.0,
    "sim_days": 30,
    "sim_seed": 1,
    "sim_scene_minutes": 15.0,
    "sim_hospital_minutes": 20.0,
    "sim_urban_km_h": 30.0,
    "sim_rural_km_h": 40.0,
    "sim_turnout_seconds": 120,
    "solve_seconds": 60.0,
}


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


def _among(codes, cities):
    return tuple(code for code in codes if code in cities)


# -- what refuses a value --------------------------------------------------------------------------------------------


class Unfit(Exception):
    """A value that a setting cannot take: ``key`` names the sentence that says why, ``params`` fill it."""

    def __init__(self, key, **params):
        self.key = key
        self.params = params
        super().__init__(key)


def checked(setting, value):
    """Return ``value`` (of a table: one of its figures) in the type of ``setting``.

    Raises :class:`Unfit` for another kind or out of bounds.
    """
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
    if not value or not _is_path(value):
        raise Unfit("scenario_region", known=", ".join(embedded_regions()))
    return value


def _file(setting, value):
    if not isinstance(value, str):
        raise Unfit("scenario_text")
    if not _is_path(value):
        raise Unfit("scenario_file")
    return value


def _is_path(text):
    """Return whether a text can be a path on this machine: no address, no archive, no sign that a terminal obeys."""
    return len(text) <= 1000 and "://" not in text and not text.startswith("/vsi") and all(map(is_printable, text))


def _choice(setting, value):
    if not isinstance(value, str) or value not in setting.choices:
        raise Unfit(f"scenario_{setting.field}", choices=", ".join(setting.choices))
    return value


def _objectives(setting, value):
    words = _words(setting, value)
    if not words:
        raise Unfit("scenario_objectives_empty", choices=", ".join(setting.choices))
    return words


def _words(setting, value):
    if not isinstance(value, list | tuple):
        raise Unfit("scenario_list", example=_example(setting.choices))
    for word in value:
        if word not in setting.choices:
            raise Unfit("scenario_word", word=shown(word), choices=", ".join(setting.choices))
        if value.count(word) > 1:
            raise Unfit("scenario_word_twice", word=word)
    return tuple(value)


def _switch(setting, value):
    if not isinstance(value, bool):
        raise Unfit("scenario_switch")
    return value


def _codes(setting, value):
    if not isinstance(value, list | tuple):
        raise Unfit("scenario_list", example=_example(("140105", "140106")))
    if not all(map(is_code, value)):
        raise Unfit("scenario_code")
    return tuple(dict.fromkeys(value))


def _names(setting, value):
    if not isinstance(value, list | tuple):
        raise Unfit("scenario_list", example=_example(("S140105", "小店区")))
    for name in value:
        if not isinstance(name, str) or not name.strip() or len(name) > 200 or not all(map(is_printable, name)):
            raise Unfit("scenario_site_name")
    return tuple(dict.fromkeys(name.strip() for name in value))


def _example(words):
    return "[" + ", ".join(f'"{word}"' for word in words[:2]) + "]"


def is_code(code):
    """Return whether ``code`` is a six-digit division code, as text."""
    return isinstance(code, str) and CODE.fullmatch(code) is not None


def _number(setting, value):
    _plain_number(value)
    if setting.key.endswith("_km") and value > setting.high and value <= 1000 * setting.high:
        raise Unfit("scenario_metres", km=decimal_text(Fraction(str(value)) / 1000))
    if setting.high == 1 and 1 < value <= 100:
        raise Unfit("scenario_share", share=decimal_text(Fraction(str(value)) / 100))
    low, high = Decimal(str(setting.low)), Decimal(str(setting.high))  # the float 0.001 lies above the decimal 0.001
    if not low <= value <= high:
        sentence = "scenario_range_beds" if setting.key == BED_TARGETS else "scenario_range"
        raise Unfit(sentence, low=f"{setting.low:,}", high=f"{setting.high:,}")
    return float(value)


def _plain_number(value):
    """Raise :class:`Unfit` for anything but a finite number."""
    if isinstance(value, str) and (unit := NUMBER_WITH_UNIT.fullmatch(value)):
        raise Unfit("scenario_unit", number=unit.group(1))
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise Unfit("scenario_number")
    if not _finite(value):
        raise Unfit("scenario_not_finite")


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


def _year(setting, value):
    _plain_number(value)
    if not isinstance(value, Integral) or not setting.low <= value <= setting.high:
        raise Unfit("scenario_year", low=setting.low, high=setting.high)
    return int(value)


def _weights(setting, value):
    if not isinstance(value, list | tuple):
        raise Unfit("scenario_list", example="[1, 0.6, 0.2]")
    for each in value:
        _plain_number(each)
    if not 1 <= len(value) <= MOST_ACCESS_WEIGHTS or not all(0 < each <= 1 and float(each) > 0 for each in value):
        raise Unfit("scenario_weights", most=MOST_ACCESS_WEIGHTS)
    if any(later > earlier for earlier, later in zip(value, value[1:], strict=False)):
        raise Unfit("scenario_weights_rising")
    return tuple(float(each) for each in value)


_CHECKS = {
    "text": _text,
    "region": _region,
    "file": _file,
    "choice": _choice,
    "objectives": _objectives,
    "words": _words,
    "switch": _switch,
    "codes": _codes,
    "names": _names,
    "number": _number,
    "exact": _exact,
    "whole": _whole,
    "year": _year,
    "weights": _weights,
}


def embedded_regions():
    """Return the names of the regions inside the package, sorted."""
    from geo.region import EMBEDDED

    return sorted(folder.name for folder in EMBEDDED.iterdir() if (folder / "counties.csv").is_file())


# -- values as text --------------------------------------------------------------------------------------------------


def in_words(setting, value, names, words):
    """Return a setting's value (of a table: one of its figures) as a planner reads it in the language of ``words``.

    names  {code: name} of cities and counties
    """
    if setting.by or setting.kind not in _SAID:
        return said_number(setting, value)
    return _SAID[setting.kind](setting, value, names, words)


def setting_of(key):
    """Return the :class:`Setting` of a scenario file's key; a figure of a table has its table's. None = no such key."""
    return next((each for each in ALL_SETTINGS if key == each.key or each.by and key.startswith(each.key + ".")), None)


def override_label(override, words):
    """Return what an override changes, as a planner calls it."""
    return words(f"report.setting.{setting_of(override.key).field}")


def override_sides(override, words):
    """Return (old, new) of an override, its words said in the language of ``words``."""
    setting = setting_of(override.key)
    section = setting.words if setting.choices else {"switch": "switch"}.get(setting.kind)
    if section is None or setting.by:
        return override.old, override.new
    return tuple(_words_said(text, f"value.{section}", setting, words) for text in (override.old, override.new))


def _words_said(text, section, setting, words):
    keys = [f"{section}.{word}" for word in text.split(", ")]
    joint = words("report.then" if setting.kind == "objectives" else "report.list_comma")
    return joint.join(words(key) for key in keys) if all(key in words for key in keys) else text


def said_number(setting, value):
    """Return a figure of a setting as text: whole ones with separators, others as written, "7.5"."""
    if setting.kind == "whole":
        return f"{value:,}"
    return told(value)


def said_place(setting, place, names, words):
    """Return the name of what one figure of a table stands for: a city, a county, or a word of its choices."""
    return words(f"value.{setting.words}.{place}") if setting.by == "word" else names.get(place, place)


def _say_choice(setting, value, names, words):
    return words(f"value.{setting.words}.{value}")


def _say_objectives(setting, value, names, words):
    return words("report.then").join(words(f"value.{setting.words}.{word}") for word in value)


def _say_words(setting, value, names, words):
    return words("report.list_comma").join(words(f"value.{setting.words}.{word}") for word in value) or words(
        "report.none"
    )


def _say_switch(setting, value, names, words):
    return words(f"value.switch.{told(value)}")


def _say_codes(setting, value, names, words):
    return words("report.list_comma").join(names.get(code, code) for code in value) or words("report.none")


def _say_names(setting, value, names, words):
    return words("report.list_comma").join(value) or words("report.none")


def _say_file(setting, value, names, words):
    return file_name(value) or words("report.none")


_SAID = {
    "choice": _say_choice,
    "objectives": _say_objectives,
    "words": _say_words,
    "switch": _say_switch,
    "codes": _say_codes,
    "names": _say_names,
    "file": _say_file,
}


def file_name(path):
    """Return the last part of a path of any system: what may be printed of it."""
    return re.split(r"[/\\]", path)[-1]


def told(value):
    """Return a setting's value as one text, the same in both languages: "7.5", "140200, 140400", "—" for none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(map(told, value)) or "—"
    if isinstance(value, str):
        return value or "—"
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
    return "".join(sign if sign == "\n" or is_printable(sign) else "\ufffd" for sign in text)


def is_printable(sign):
    """Return whether a sign is one that is seen, or a blank: the blank of Chinese type is no control sign."""
    return sign.isprintable() or unicodedata.category(sign) == "Zs"
