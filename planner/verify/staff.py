"""What follows from the beds, worked out anew: staff, and beds for an epidemic."""

from fractions import Fraction

from planner.verify.bed_rules import STAFF, icu_share, surge_needs
from planner.verify.limits import beds_of, ceiling, departments_floor, exact, hospital_floor, planned_cells
from planner.verify.stock import PUBLIC

SURGE = ("surge_needed", "surge_capacity", "surge_gap", "icu_needed", "icu_capacity", "icu_gap")


def check_bed_staff(ledger, facts, plan):
    """Check the staff that each city's beds need, and the limits the scenario sets."""
    cells, expected = planned_cells(facts, plan), []
    for city in facts.cities:
        beds = beds_of(cells, facts.counties_of(city["code"]))
        line = {"code": city["code"], "name": city["name"], "beds_plan": beds}
        for word, standard in STAFF.items():
            line[word] = ceiling(beds * facts.standards[standard].value)
            line[f"{word}_limit"] = getattr(facts.scenario, f"beds_{word}").get(city["code"])
        expected.append(line)
    ledger.compare("bed_staff", plan["bed_staff"], ["code"], expected)
    return {word: sum(line[word] for line in expected) for word in STAFF}


def check_infectious(ledger, facts, plan):
    """Check each city's infectious hospital and departments, their intensive care, and what an epidemic would find."""
    cells, expected = planned_cells(facts, plan), []

    def part(standard, beds):
        return ceiling(facts.standards[standard].value * beds / Fraction(100))

    for city in facts.cities:
        here, code = facts.counties_of(city["code"]), city["code"]
        at_seat = cells[city["seat"]]["city_and_above", "infectious"]
        hospital = max(at_seat - departments_floor(facts, code), 0)
        departments = beds_of(cells, here, PUBLIC, ("infectious",)) - hospital
        line = {"code": code, "name": city["name"], "county_code": facts.counties[city["seat"]]["code"]}
        line |= {"hospital_floor": hospital_floor(facts, code), "hospital_beds": hospital}
        line["hospital_icu"] = part("infectious_hospital_icu_share", hospital)
        line["hospital_convertible"] = part("infectious_hospital_convertible_share", hospital)
        line |= {"department_beds": departments, "department_icu": part("infectious_dept_icu_share", departments)}
        expected.append(line | _surge(facts, cells, city, here))
    ledger.compare("infectious", plan["infectious"], ["code"], expected)
    beds = {f"{place}s": sum(line[f"{place}_beds"] for line in expected) for place in ("hospital", "department")}
    return beds | {"cities": len(expected)}


def _surge(facts, cells, city, here):
    """Return what an epidemic asks of a city and what it would find there; nothing where none is asked about."""
    if not facts.scenario.surge_inpatients:
        return dict.fromkeys(SURGE)
    general, infectious, critical = (
        beds_of(cells, here, PUBLIC, (kind,)) for kind in ("general", "infectious", "critical")
    )
    beds, icu = surge_needs(facts.scenario, city["persons"])
    room = infectious + exact(facts.scenario.surge_convertible_percent) * general / 100 // 1
    intensive = (critical + icu_share(facts.standards) * infectious) // 1
    found = (beds, room, max(beds - room, 0), icu, intensive, max(icu - intensive, 0))
    return {column: int(value) for column, value in zip(SURGE, found, strict=True)}
