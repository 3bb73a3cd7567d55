"""Compliance: the documents' clauses held against the plan, place by place: now, target, plan, gap, verdict."""

import math
from fractions import Fraction

import pandas as pd

from geo.travel import is_covered, standard_metres
from planner.rounding import half_up

COLUMNS = [
    "standard_id",
    "name",
    "document",
    "clause",
    "area_code",
    "area",
    "unit",
    "now",
    "target",
    "plan",
    "gap",
    "verdict",
    "nature_now",
    "nature_plan",
]


def compliance(region, standards, demand, tables, metres, metres_now):
    """Return one row for each clause and place that the plan decides. DataFrame with ``COLUMNS``.

    now and plan are figures of the same unit as target; NaN = not measured. gap = plan - target. verdict: met, unmet,
    over (more than a standard that is neither floor nor ceiling) or no_data. ``metres`` and ``metres_now`` are the
    way of each demand point to its nearest station as planned and today. The standards' own figures are held against,
    whatever the scenario set.
    """
    rows = [*_beds(region, standards, tables), *_ambulances(region, standards, tables)]
    rows += [*_stations(region, standards, tables), *_radii(region, standards, demand, metres, metres_now)]
    rows += _centres(region, standards, tables)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(standard, area, unit, now, target, plan, verdict, nature_now, nature_plan):
    code, name = area
    now, target, plan = (math.nan if v is None else round(float(v), 4) for v in (now, target, plan))
    gap = round(plan - target, 4)
    shown = (standard.id, standard.name_zh, standard.document, standard.clause)
    return (*shown, code, name, unit, now, target, plan, gap, verdict, nature_now, nature_plan)


def _beds(region, standards, tables):
    """Table 3. Today's density is the document's; the planned one is of whole beds, halves up."""
    beds = tables["beds_by_city"].set_index("code")
    for code, city in beds.iterrows():
        standard = standards.city_bed_target(code)
        yield _density(standard, (code, city["name"]), city["beds_plan"], city["persons"])
    province = standards["t3_beds_per_1000_province"]
    area = (region.province.index[0], region.province["name"].iloc[0])
    yield _density(province, area, beds["beds_plan"].sum(), beds["persons"].sum())


def _density(standard, area, beds, persons):
    target = round(float(standard.value), 2)
    if not persons:  # a density of nobody is no figure
        none = (standard.base_value, target, None, "no_data")
        return _row(standard, area, "beds_per_1000", *none, "document", "no_data")
    plan = half_up(Fraction(int(beds) * 100_000, int(persons))) / 100
    verdict = "met" if plan == target else ("over" if plan > target else "unmet")
    return _row(standard, area, "beds_per_1000", standard.base_value, target, plan, verdict, "document", "decided")


def _ambulances(region, standards, tables):
    """How many vehicles there are today no document says."""
    standard = standards["ambulance_per_30000"]
    for row in tables["ambulances_by_city"].itertuples():
        floor = -(-row.persons * standard.value // standard.per)
        verdict = "met" if row.plan >= floor else "unmet"
        yield _row(standard, (row.code, row.name), "vehicles", None, floor, row.plan, verdict, "no_data", "decided")


def _stations(region, standards, tables):
    standard = standards["emergency_station_county"]
    stations = tables["stations"]
    planned = stations["county_code"].value_counts()
    today = stations.loc[stations["status"].ne("new"), "county_code"].value_counts()
    for code, name in region.counties["name"].items():
        plan = int(planned.get(code, 0))
        verdict = "met" if plan >= standard.value else "unmet"
        now = int(today.get(code, 0))
        yield _row(standard, (code, name), "stations", now, standard.value, plan, verdict, "assumed", "decided")


def _radii(region, standards, demand, metres, metres_now):
    """Share of people within the standard's own radius, in per cent; everyone is asked for."""
    urban, rural = standards["emergency_radius_urban"], standards["emergency_radius_rural"]
    radius = standard_metres(demand, urban.value, rural.value_max)
    persons = demand["persons"].to_numpy()
    for setting, standard in (("urban", urban), ("rural", rural)):
        for code, name in region.cities["name"].items():
            here = (demand["city_code"].eq(code) & demand["setting"].eq(setting)).to_numpy()
            people = int(persons[here].sum())
            if not people:
                continue
            now, plan = (int(persons[here & is_covered(way, radius)].sum()) for way in (metres_now, metres))
            # Shares are cut, not rounded: 100 stands for everyone and for nothing less.
            shares = [10_000 * part // people / 100 for part in (now, plan)]
            verdict = "met" if plan == people else "unmet"
            yield _row(
                standard, (code, name), "percent_of_people", shares[0], 100, shares[1], verdict, "assumed", "modelled"
            )


def _centres(region, standards, tables):
    """The four cities of the documents that have a provincial centre in this plan."""
    standard = standards["one_axis_four_centres"]
    named = standards.city_codes("one_axis_four_centres")
    centres = tables["centres"]
    plan = int(centres.loc[centres["level"].eq("provincial"), "city_code"].isin(named).sum())
    area = (region.province.index[0], region.province["name"].iloc[0])
    verdict = "met" if plan >= standard.value else "unmet"
    yield _row(standard, area, "centres", None, standard.value, plan, verdict, "no_data", "decided")
