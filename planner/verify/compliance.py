"""Every clause the plan decides, judged anew place by place from the documents' own figures."""

from collections import Counter
from fractions import Fraction

import numpy as np

from planner.verify.beds import per_1000
from planner.verify.facts import SETTINGS, half_up, metres_of


def check_compliance(ledger, facts, plan):
    """Check that every clause is judged for every city or county it holds for, and judged right."""
    expected = [*_beds(facts, plan), *_ambulances(facts, plan), *_stations(facts, plan), *_radii(facts, plan)]
    expected += _centres(facts, plan)
    ledger.compare("compliance", plan["compliance"], ["standard_id", "area_code"], expected, places=4)
    verdicts = Counter(line["verdict"] for line in expected)
    return {"rows": len(expected), "met": verdicts["met"] + verdicts["over"], "unmet": verdicts["unmet"]}


def _line(standard, area, unit, now, target, plan, nature_now, nature_plan, over=False):
    """Return one row; its verdict follows from plan and target. ``over``: more than asked has a verdict of its own.

    Without a plan, where nobody lives, there is no gap and no verdict.
    """
    if plan is None:
        verdict, nature_plan, gap = "no_data", "no_data", None
    else:
        verdict = "unmet" if plan < target else "over" if over and plan > target else "met"
        plan, gap = Fraction(plan), Fraction(plan) - Fraction(target)
    return {
        "standard_id": standard.id,
        "name": standard.name_zh,
        "document": standard.document,
        "clause": standard.clause,
        "area_code": area[0],
        "area": area[1],
        "unit": unit,
        "now": None if now is None else Fraction(now),
        "target": Fraction(target),
        "plan": plan,
        "gap": gap,
        "verdict": verdict,
        "nature_now": nature_now,
        "nature_plan": nature_plan,
    }


def _province(facts):
    return facts.region.province.index[0], facts.region.province["name"].iloc[0]


def _beds(facts, plan):
    beds = dict(plan["beds_by_city"][["code", "beds_plan"]].itertuples(index=False))
    areas = [((city["code"], city["name"]), beds.get(city["code"], 0), city["persons"]) for city in facts.cities]
    areas.append((_province(facts), sum(beds.values()), facts.persons))
    for area, count, persons in areas:
        of_city = area[0] in facts.city
        standard = facts.standards.city_bed_target(area[0]) if of_city else facts.standards["t3_beds_per_1000_province"]
        planned = Fraction(half_up(100 * per_1000(count, persons)), 100) if persons else None
        figures = (standard.base_value, standard.value, planned)
        yield _line(standard, area, "beds_per_1000", *figures, "document", "decided", over=True)


def _ambulances(facts, plan):
    standard = facts.standards["ambulance_per_30000"]
    planned = dict(plan["ambulances_by_city"][["code", "plan"]].itertuples(index=False))
    for city in facts.cities:
        floor = -(-city["persons"] * standard.value // standard.per)
        figures = (None, floor, planned.get(city["code"], 0))
        yield _line(standard, (city["code"], city["name"]), "vehicles", *figures, "no_data", "decided")


def _stations(facts, plan):
    standard = facts.standards["emergency_station_county"]
    frame = plan["stations"]
    planned, today = Counter(frame["county_code"]), Counter(facts.held["county_code"])
    for county in facts.counties:
        figures = (today[county["code"]], standard.value, planned[county["code"]])
        yield _line(standard, (county["code"], county["name"]), "stations", *figures, "assumed", "decided")


def _radii(facts, plan):
    """Shares of people in per cent, cut after two decimals, so that 100 is everyone."""
    radius = {
        "urban": (facts.standards["emergency_radius_urban"], "value"),
        "rural": (facts.standards["emergency_radius_rural"], "value_max"),
    }
    straight = facts.scenario.travel_measure == "minutes"  # the documents give no minutes
    ways = facts.ways_now(straight)[0], facts.ways(plan["stations"], straight)[0]
    everyone = facts.people(np.ones(len(facts.demand), dtype=bool), facts.demand_city, facts.cities)
    for k, setting in enumerate(SETTINGS):
        standard, end = radius[setting]
        limit = metres_of(getattr(standard, end))
        within = [facts.people(metres <= limit, facts.demand_city, facts.cities)[:, k] for metres in ways]
        for i, city in enumerate(facts.cities):
            if not everyone[i, k]:
                continue
            now, planned = (Fraction(10_000 * int(part[i]) // int(everyone[i, k]), 100) for part in within)
            area = (city["code"], city["name"])
            yield _line(standard, area, "percent_of_people", now, 100, planned, "assumed", "modelled")


def _centres(facts, plan):
    standard = facts.standards["one_axis_four_centres"]
    named = {city.code for city in facts.standards.cities.values() if city.name_zh in standard.areas}
    frame = plan["centres"]
    planned = int(np.sum(frame["city_code"].isin(named) & frame["level"].eq("provincial")))
    yield _line(standard, _province(facts), "centres", None, standard.value, planned, "no_data", "decided")
