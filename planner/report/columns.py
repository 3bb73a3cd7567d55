"""Every table a run writes: its columns in order, how each is printed, and which are modelled or assumed."""

from dataclasses import dataclass

from geo.theme import MARKS

# How a column is printed: codes, free text, words of the catalogue, and numbers with their decimals.
CODE, TEXT, WORD = "code", "text", "word"
DECIMALS = {"whole": 0, "density": 2, "km": 3, "degree": 6, "figure": 6}

KINDS = {
    **dict.fromkeys(("code", "id", "county_code", "city_code", "area_code", "standard_id"), CODE),
    **dict.fromkeys(("centre_city_code", "centre_county_code"), CODE),
    **dict.fromkeys(("name", "county", "place", "area", "document", "clause"), TEXT),
    **dict.fromkeys(("setting", "kind", "status", "level", "unit", "verdict", "nature_now", "nature_plan"), WORD),
    **dict.fromkeys(("now_per_1000", "target_per_1000", "plan_per_1000"), "density"),
    **dict.fromkeys(("reach_now_per_1000", "reach_plan_per_1000"), "density"),
    "km": "km",
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
    """

    columns: tuple
    natures: dict
    figures: frozenset
    totals: str
    counted: bool

    def kind(self, column):
        """Return how ``column`` is printed: code | text | word | whole | density | km | degree | figure."""
        return "figure" if column in self.figures else KINDS.get(column, "whole")

    def decimals(self, column):
        """Return the decimals of a number column, None for codes, text and words."""
        return DECIMALS.get(self.kind(column))

    def mark(self, column):
        """Return the mark behind the heading of ``column``."""
        return MARKS[self.natures.get(column, "measured")]


def _table(columns, modelled="", assumed="", figures="", totals="", counted=False):
    natures = dict.fromkeys(modelled.split(), "modelled") | dict.fromkeys(assumed.split(), "assumed")
    return Table(tuple(columns.split()), natures, frozenset(figures.split()), totals, counted)


COVERAGE = "setting persons covered uncovered covered_now preferred"
COVERAGE_MODELLED = "covered uncovered covered_now preferred"
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
    "ambulances_by_city": _table("code name persons stations required plan", totals="one"),
    "stations": _table(f"{STATION} ambulances persons", modelled="persons", assumed="status", counted=True),
    "stations_alternative": _table(f"{STATION} persons", modelled="persons", assumed="status", counted=True),
    "coverage_by_city": _table(f"code name {COVERAGE}", modelled=COVERAGE_MODELLED, totals="setting", counted=True),
    "coverage_by_county": _table(f"code name city_code {COVERAGE}", modelled=COVERAGE_MODELLED, counted=True),
    "uncovered_places": _table(
        "county_code county setting place persons km lon lat", modelled="persons km lon lat", counted=True
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
