"""Every table a run writes: its columns in order, how each is printed, and which are modelled or assumed."""

from dataclasses import dataclass

from geo.theme import MARKS

# How a column is printed: codes, free text, words of the catalogue (one, or several with a blank between them), and
# numbers with their decimals; a "figure" has as many as it needs, up to six.
CODE, TEXT, WORD = "code", "text", "word"
DECIMALS = {"whole": 0, "density": 2, "score": 4, "km": 3, "degree": 6, "figure": 6, "percent": 1, "minutes": 1}

KINDS = {
    **dict.fromkeys(("code", "id", "county_code", "city_code", "area_code", "standard_id", "worst_code"), CODE),
    **dict.fromkeys(("centre_city_code", "centre_county_code"), CODE),
    **dict.fromkeys(("name", "county", "place", "area", "document", "clause", "worst_county"), TEXT),
    **dict.fromkeys(("first_document", "first_clause", "second_document", "second_clause"), TEXT),
    **dict.fromkeys(("worst_county_first", "worst_county_second"), TEXT),
    **dict.fromkeys(("setting", "kind", "status", "level", "unit", "verdict", "nature_now", "nature_plan"), WORD),
    **dict.fromkeys(
        ("tier", "housing", "knee", "owner", "part", "item", "rule", "strict", "conflict", "scope", "frozen", "split"),
        WORD,
    ),
    **dict.fromkeys(("objective", "phase", "group", "indicator", "nature", "reasons", "outcome"), WORD),
    **dict.fromkeys(("now_per_1000", "target_per_1000", "plan_per_1000", "worst_per_1000"), "density"),
    **dict.fromkeys(("reach_now_per_1000", "reach_plan_per_1000"), "density"),
    **dict.fromkeys(("gini", "mean_per_1000", "deviation"), "score"),
    **dict.fromkeys(("quantity", "quality", "structure", "efficiency", "score"), "score"),
    **dict.fromkeys(("shortfall", "worst", "even", "equal", "change", "cost", "travel"), "figure"),
    "weight": "figure",
    **dict.fromkeys(("expected_share", "double_share", "share"), "percent"),
    "next_station": CODE,
    **{f"{c}_{side}": "density" for c in ("per_1000", "reach", "worst") for side in ("first", "second", "difference")},
    **{f"{c}_{side}": "score" for c in ("gini", "deviation") for side in ("first", "second", "difference")},
    "km": "km",
    **dict.fromkeys(("farthest_km", "km_first", "km_second"), "km"),
    **dict.fromkeys(("minutes", "farthest_minutes", "minutes_first", "minutes_second"), "minutes"),
    **dict.fromkeys(("radius_km", "radius_minutes"), "figure"),
    **dict.fromkeys(("station", "station_first", "station_second"), TEXT),
    "covered_share": "percent",
    "lon": "degree",
    "lat": "degree",
}


@dataclass(frozen=True)
class Table:
    """One table of a plan.

    columns  machine names in order
    natures  column -> "modelled" or "assumed"; the others are measured, decided or computed from such
    figures  columns whose unit stands in the row, so that their decimals cannot be fixed
    totals   "" (none), "one" (a last row for the province) or "setting" (urban, rural and both)
    counted  people are counted as covered in it: the distance rule is printed with it
    group    the column whose change begins a new group of rows, in a long table
    """

    columns: tuple
    natures: dict
    figures: frozenset
    totals: str
    counted: bool
    group: str

    def kind(self, column):
        """Return how ``column`` is printed: code | text | word | whole | density | score | km | degree | figure."""
        return "figure" if column in self.figures else KINDS.get(column, "whole")

    def decimals(self, column):
        """Return the decimals of a number column, None for codes, text and words."""
        return DECIMALS.get(self.kind(column))

    def mark(self, column):
        """Return the mark behind the heading of ``column``."""
        return MARKS[self.natures.get(column, "measured")]


def _table(columns, modelled="", assumed="", figures="", totals="", counted=False, group="city_code"):
    natures = dict.fromkeys(modelled.split(), "modelled") | dict.fromkeys(assumed.split(), "assumed")
    return Table(tuple(columns.split()), natures, frozenset(figures.split()), totals, counted, group)


COVERAGE = "setting persons covered uncovered unreachable covered_now preferred"
COVERAGE_MODELLED = "covered uncovered unreachable covered_now preferred"
STATION = "id name kind county_code city_code lon lat status"

TABLES = {
    "beds_by_city": _table(
        "code name persons beds_now beds_target beds_plan beds_new now_per_1000 target_per_1000 plan_per_1000",
        modelled="beds_now beds_new now_per_1000",
        totals="one",
    ),
    "beds_by_county": _table(
        "code name city_code persons beds_now beds_plan beds_new now_per_1000 plan_per_1000"
        " reach_now_per_1000 reach_plan_per_1000",
        modelled="beds_now beds_new now_per_1000 reach_now_per_1000 reach_plan_per_1000",
    ),
    "bed_standards": _table(
        "code name city_code persons plan_per_1000 beds_plan city_and_above county_and_primary other_public private"
        " general tcm psychiatric infectious oncology critical rehabilitation nursing document clause",
    ),
    "bed_structure": _table(
        "area_code area part item beds_now beds_target beds_plan gap target_per_1000 plan_per_1000"
        " document clause verdict nature_now",
        modelled="beds_target gap target_per_1000",
        group="area_code",
    ),
    "bed_quotas": _table(
        "code name city_code owner kind beds_now beds_plan beds_new", modelled="beds_now beds_new", group="code"
    ),
    "bed_rules": _table(
        "rule area_code area unit asked got bent strict document clause verdict",
        figures="asked got bent",
        group="area_code",
    ),
    "document_conflicts": _table(
        "conflict first_document first_clause first_figure second_document second_clause second_figure difference unit",
        figures="first_figure second_figure difference",
    ),
    "facilities": _table(
        "id name county_code city_code owner kind beds_now beds_new beds_plan frozen reasons", group="frozen"
    ),
    "freezes": _table(
        "scope id name county_code rule measured limit unit document clause", figures="measured limit", group="rule"
    ),
    "bed_staff": _table(
        "code name beds_plan staff nurses doctors staff_limit nurses_limit doctors_limit", totals="one"
    ),
    "infectious": _table(
        "code name county_code hospital_floor hospital_beds hospital_icu hospital_convertible"
        " department_beds department_icu surge_needed surge_capacity surge_gap icu_needed icu_capacity icu_gap",
        assumed="surge_needed surge_capacity surge_gap icu_needed icu_capacity icu_gap",
    ),
    "access_summary": _table(
        "split gini worst_code worst_county worst_per_1000 mean_per_1000 deviation",
        modelled="gini worst_per_1000 mean_per_1000 deviation",
    ),
    "bed_objectives": _table(
        "objective order shortfall worst even equal change cost travel",
        modelled="worst even change travel",
        assumed="cost",
    ),
    "evaluation": _table(
        "phase code name quantity quality structure efficiency score rank",
        modelled="quantity quality structure efficiency score rank",
        group="phase",
    ),
    "evaluation_indicators": _table(
        "phase code name group indicator value weight nature", figures="value", group="code"
    ),
    "ambulances_by_city": _table(
        "code name persons stations floor uplift required plan negative_pressure persons_per_vehicle"
        " expected expected_share double double_share next_station next_gain",
        modelled="expected expected_share double double_share next_station next_gain",
        assumed="uplift negative_pressure",
        totals="one",
        counted=True,
    ),
    "ambulances_by_station": _table(
        "id name city_code county_code ambulances negative_pressure persons persons_per_vehicle gain_of_one_more",
        modelled="persons persons_per_vehicle gain_of_one_more",
        assumed="negative_pressure",
        counted=True,
    ),
    "stations": _table(
        f"{STATION} tier housing ambulances persons investment",
        modelled="persons",
        assumed="status tier housing investment",
        counted=True,
    ),
    "station_tiers": _table(
        "code name city_centre county_station substation central_township township stations listed assumed new"
        " hospital_based ambulances investment",
        assumed="city_centre county_station substation central_township township assumed investment",
        totals="one",
    ),
    "coverage_curve": _table("stations persons share bound status knee", modelled="persons share bound"),
    "station_options": _table(
        "option stations persons id name county_code city_code lon lat",
        modelled="persons",
        counted=True,
        group="option",
    ),
    "stations_alternative": _table(f"{STATION} persons", modelled="persons", assumed="status", counted=True),
    "coverage_by_city": _table(f"code name {COVERAGE}", modelled=COVERAGE_MODELLED, totals="setting", counted=True),
    "coverage_by_county": _table(f"code name city_code {COVERAGE}", modelled=COVERAGE_MODELLED, counted=True),
    "uncovered_places": _table(
        "county_code county setting place persons km minutes lon lat",
        modelled="persons km minutes lon lat",
        counted=True,
    ),
    "centres": _table("name city_code level lon lat persons"),
    "catchments": _table("county_code county persons centre_city_code km"),
    "centres_free": _table("name city_code county_code level lon lat persons"),
    "catchments_free": _table("county_code county persons centre_county_code km"),
    "compliance": _table(
        "standard_id name document clause area_code area unit now target plan gap verdict nature_now nature_plan",
        figures="now target plan gap",
    ),
}

# What the comparison of two results writes: first and second, and second less first.
SIDES = "{0}_first {0}_second {0}_difference"
COMPARED = {
    "compared_beds_by_city": _table(
        "code name " + " ".join(SIDES.format(c) for c in ("persons", "beds", "per_1000")), totals="one"
    ),
    "compared_beds_by_county": _table(
        "code name city_code " + " ".join(SIDES.format(c) for c in ("beds", "per_1000", "reach")),
        modelled="reach_first reach_second reach_difference",
    ),
    "compared_structure": _table(
        "area_code area part item " + " ".join(SIDES.format(c) for c in ("beds", "per_1000")), group="area_code"
    ),
    "compared_rules": _table(
        "rule area_code area unit " + SIDES.format("bent"),
        figures="bent_first bent_second bent_difference",
        group="rule",
    ),
    "compared_access": _table(
        f"split {SIDES.format('gini')} worst_county_first worst_county_second {SIDES.format('worst')}"
        f" {SIDES.format('deviation')}",
        modelled="gini_first gini_second gini_difference worst_first worst_second worst_difference"
        " deviation_first deviation_second deviation_difference",
    ),
    "compared_objectives": _table("objective unit first second difference", figures="first second difference"),
    "compared_emergency": _table(
        "code name " + " ".join(SIDES.format(c) for c in ("stations", "ambulances", "uncovered")),
        modelled="uncovered_first uncovered_second uncovered_difference",
        totals="one",
    ),
}
ALL_TABLES = TABLES | COMPARED


def checked_tables(far):
    """Return what the check of a list of stations writes, as ``TABLES``; ``far``, how ways are told: km | minutes."""
    people = "persons preferred covered covered_share uncovered unreachable"
    modelled = "preferred covered covered_share uncovered unreachable"
    change = "persons covered_first covered_second gained lost covered_difference"
    place = "place county_code county setting persons"
    return {
        "checked_cities": _table(f"code name setting {people}", modelled=modelled, totals="setting", counted=True),
        "checked_counties": _table(f"code name city_code setting {people}", modelled=modelled, counted=True),
        "checked_radii": _table(
            f"code name setting radius_{far} persons covered covered_share",
            modelled="covered covered_share",
            group="code",
        ),
        "checked_places": _table(
            f"{place} unreachable station {far} farthest_{far} lon lat",
            modelled=f"persons unreachable station {far} farthest_{far} lon lat",
            counted=True,
        ),
        "checked_stations": _table(
            f"id name status county_code city_code lon lat ambulances persons covered uncovered farthest_{far}",
            modelled=f"persons covered uncovered farthest_{far}",
            counted=True,
        ),
        "checked_change_cities": _table(
            f"code name setting {change}", modelled=change.removeprefix("persons "), totals="setting", counted=True
        ),
        "checked_change_counties": _table(
            f"code name city_code setting {change}", modelled=change.removeprefix("persons "), counted=True
        ),
        "checked_change_places": _table(
            f"outcome {place} station_first {far}_first station_second {far}_second lon lat",
            modelled=f"persons station_first {far}_first station_second {far}_second lon lat",
            counted=True,
            group="outcome",
        ),
    }
