"""The main figures of several results in one table: a row an indicator, a column a result. No Streamlit."""

from dataclasses import dataclass

from geo.theme import MARKS, figure
from planner.report.columns import TABLES
from planner.report.names import place_names
from planner.report.tables import absent, rounded
from planner.ui.centre_parts import mean_km
from planner.ui.sheets import text

NUMBERS = ("①", "②", "③", "④")
BEST, UNLIKE = "★", "≠"
MORE, LESS = "more", "less"
# Settings that say how a figure is measured: where they differ, none of the figures is the better one.
REACH = ("beds_reach_km", "beds_access_weights")
COST = ("beds_cost_new", "beds_cost_convert")
WAYS = ("travel_measure", "roads", "road_speeds", "detour_factor")
RADII = (*WAYS, "urban_km", "rural_km", "urban_minutes", "rural_minutes")
NOW = ("facilities", "facilities_complete")


@dataclass(frozen=True)
class Indicator:
    """One row. Its name is in the words' section ``page_compare.indicator``, how it is worked out in ``.how``.

    figure       called with a result's tables; returns a number, None where there is none
    unit         in ``page_compare.unit``; "percent" is printed with its sign
    decimals     as printed
    nature       "modelled", "assumed" or "" (decided, or computed from what is decided and measured)
    better       "more", "less" or "" (neither is good in itself)
    measured_by  fields of a scenario
    """

    name: str
    figure: object
    unit: str
    decimals: int
    nature: str = ""
    better: str = ""
    measured_by: tuple = ()

    def said(self, value, *, signed=False):
        """Return a value as it is printed."""
        if absent(value):
            return "—"
        return figure(value, self.decimals, signed) + ("%" if self.unit == "percent" and not signed else "")


def _city(column):
    return lambda tables: _total(tables["beds_by_city"][column])


def _total(values):
    return None if values.isna().any() else int(values.sum())


def _density(tables):
    cities = tables["beds_by_city"]
    return float(rounded(cities["beds_plan"].sum() * 1000 / cities["persons"].sum(), 2))


def _plan(table, key, column):
    return lambda tables: float(tables[table].set_index(key)[column]["plan"])


def _covered(setting):
    def covered(tables):
        coverage = tables["coverage_by_city"]
        rows = coverage[coverage["setting"].eq(setting)]
        covered, persons = int(rows["covered"].sum()), int(rows["persons"].sum())
        if not persons:
            return None
        shown = float(rounded(100 * covered / persons, 2))
        return min(shown, 99.99) if covered < persons else shown  # all is said of nothing less than all

    return covered


def _fleet(column):
    return lambda tables: _total(tables["ambulances_by_city"][column])


INDICATORS = (
    Indicator("beds", _city("beds_plan"), "beds", 0),
    Indicator("new", _city("beds_new"), "beds", 0, TABLES["beds_by_city"].natures["beds_new"]),
    Indicator("per_1000", _density, "per_1000", 2),
    Indicator("gini", _plan("access_summary", "split", "gini"), "index", 4, "modelled", LESS, REACH),
    Indicator("worst", _plan("access_summary", "split", "worst_per_1000"), "per_1000", 2, "modelled", MORE, REACH),
    Indicator("moved", _plan("bed_objectives", "objective", "change"), "beds", 0, "modelled", LESS, NOW),
    Indicator("cost", _plan("bed_objectives", "objective", "cost"), "wan_yuan", 0, "assumed", LESS, COST),
    Indicator("stations", _fleet("stations"), "count", 0),
    Indicator("urban", _covered("urban"), "percent", 2, "modelled", MORE, RADII),
    Indicator("rural", _covered("rural"), "percent", 2, "modelled", MORE, RADII),
    Indicator(
        "uncovered",
        lambda tables: _total(tables["coverage_by_city"]["uncovered"]),
        "persons",
        0,
        "modelled",
        LESS,
        RADII,
    ),
    Indicator("ambulances", _fleet("plan"), "vehicles", 0),
    Indicator("centres", lambda tables: mean_km(tables["catchments"]), "km", 1, "", LESS, ("detour_factor",)),
)


@dataclass(frozen=True)
class Row:
    """An indicator of several results: its ``values`` (rounded as printed), which are ``best``, whether ``alike``."""

    indicator: Indicator
    values: tuple
    best: tuple
    alike: bool


def rows_of(results):
    """Return the :class:`Row` of each indicator for several :class:`planner.compare.Result`.

    Best is marked where one value is better than another, as printed, and all are measured alike.
    """
    rows = []
    for each in INDICATORS:
        values = tuple(_value(each, result.tables) for result in results)
        alike = not unlike(results, each.measured_by)
        rows.append(Row(each, values, _best(each, values) if alike else (), alike))
    return rows


def _value(indicator, tables):
    value = indicator.figure(tables)
    return None if absent(value) else float(rounded(value, indicator.decimals))


def _best(indicator, values):
    known = [value for value in values if value is not None]
    if not indicator.better or len(set(known)) < 2:
        return ()
    best = max(known) if indicator.better == MORE else min(known)
    return tuple(i for i, value in enumerate(values) if value == best)


def unlike(results, fields):
    """Return those of ``fields`` that the results' scenarios do not have in common, in their order."""
    first, *others = (result.scenario for result in results)
    return [field for field in fields if any(getattr(each, field) != getattr(first, field) for each in others)]


def measures_unlike(results):
    """Return the settings that make some row of the table of one measure in one result, of another in another."""
    fields = dict.fromkeys(field for each in INDICATORS for field in each.measured_by)
    return unlike(results, tuple(fields))


def figures_html(results, heads, regions, words):
    """Return the table as HTML.

    heads    what the columns are called, one a result: (sign, title)
    regions  of each result, for the name of its worst county
    Of two results the difference is added, second less first.
    """
    paired = len(results) == 2
    columns = "".join(f'<th class="figure"><b>{text(sign)}</b><small>{text(name)}</small></th>' for sign, name in heads)
    if paired:
        columns += f'<th class="figure"><b>{text(words("page_compare.difference"))}</b></th>'
    body = ""
    for row in rows_of(results):
        body += f"<tr>{_label(row, words)}"
        for i, value in enumerate(row.values):
            under = _worst(results[i], regions[i], words) if row.indicator.name == "worst" else ""
            body += _cell(row, i, value, under, words)
        if paired:
            body += f'<td class="figure gap">{_difference(row)}</td>'
        body += "</tr>"
    head = f"<th>{text(words('page_compare.indicator_head'))}</th>{columns}"
    return f'<table class="jy-many"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _label(row, words):
    each = row.indicator
    sign = f' <em class="unlike">{UNLIKE}</em>' if not row.alike else ""
    unit = words(f"page_compare.unit.{each.unit}")
    mark = MARKS.get(each.nature or "measured", "")
    how = text(words(f"page_compare.how.{each.name}"))
    name = text(words(f"page_compare.indicator.{each.name}"))
    return f'<th scope="row" title="{how}">{name}{mark}{sign}<small>{text(unit)}</small></th>'


def _cell(row, i, value, under, words):
    best = f'<em class="best">{BEST} {text(words("page_compare.best"))}</em>' if i in row.best else ""
    modelled = " modelled" if row.indicator.nature == "modelled" else ""
    small = f"<small>{text(under)}</small>" if under else ""
    said = f"<span>{row.indicator.said(value)}</span>"
    return f'<td class="figure{modelled}{" top" if best else ""}">{best}{said}{small}</td>'


def _difference(row):
    first, second = row.values
    if first is None or second is None:
        return "—"
    return row.indicator.said(second - first, signed=True)


def _worst(result, region, words):
    """Return the name of the county with the fewest beds within reach."""
    row = result.tables["access_summary"].set_index("split").loc["plan"]
    return place_names(region, words).get(row["worst_code"], row["worst_county"])
