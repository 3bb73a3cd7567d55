"""Listed hospitals, judged anew: which may have no new beds and why, and what of a county's growth each one has."""

from dataclasses import dataclass
from fractions import Fraction

from planner.verify.facts import half_up, largest_remainder
from planner.verify.limits import exact, limits_of, planned_cells
from planner.verify.stock import GROWING, cell_of, stock_of

CRITERIA = {  # of a public general hospital: what is held against which standard
    "occupancy": "freeze_occupancy",
    "stay": "freeze_alos",
    "staff": "freeze_staff_bed_ratio",
    "floor_area": "freeze_floor_area",
}
UNITS = {"occupancy": "percent", "stay": "days", "staff": "staff_per_bed", "floor_area": "m2_per_bed"}
ABOVE_TARGET = "freeze_city_above_target"


@dataclass(frozen=True)
class Judged:
    """A listed hospital: ``frozen`` yes | no | exempt; ``reasons`` [(rule, measured, limit)], what it misses."""

    place: dict
    frozen: str
    reasons: list


def judged_of(facts):
    """Return the :class:`Judged` of every listed hospital, by id."""
    if "judged" not in facts.kept:
        facts.kept["judged"] = [_judged(facts, place) for place in facts.facilities]
    return facts.kept["judged"]


def _judged(facts, place):
    measured = measurements(facts, place) if place["owner"] != "private" and place["kind"] == "general" else []
    missed = [each for each in measured if misses(*each)]
    declared = [] if place["may_grow"] else [("declared", None, None)]
    falls = bool(missed) if facts.scenario.freeze_rule == "any" else bool(missed) and len(missed) == len(measured)
    excused = falls and place["host"] and facts.scenario.freeze_hosts_exempt
    frozen = "yes" if declared or (falls and not excused) else "exempt" if excused else "no"
    return Judged(place, frozen, missed + declared)


def measurements(facts, place):
    """Return [(rule, measured, limit)], exact, of what was measured and has a limit."""

    def per_bed(value):
        return None if value is None or not place["beds"] else exact(value) / place["beds"]

    limits = {rule: facts.standards[standard].value for rule, standard in CRITERIA.items()}
    limits["floor_area"] = exact(facts.scenario.freeze_area_per_bed) or None
    found = {
        "occupancy": None if place["occupancy"] is None else exact(place["occupancy"]),
        "stay": None if place["stay_days"] is None else exact(place["stay_days"]),
        "staff": per_bed(place["staff"]),
        "floor_area": per_bed(place["floor_area"]),
    }
    return [
        (rule, found[rule], Fraction(limits[rule]))
        for rule in CRITERIA
        if found[rule] is not None and limits[rule] is not None
    ]


def misses(rule, measured, limit):
    """Return whether a hospital misses a criterion: its patients stay too long, or it has too little."""
    return measured > limit if rule == "stay" else measured < limit


def closed_owners(facts):
    """Return by county position the owners whose public general beds may not grow, hospital by hospital.

    Only a table that lists every hospital can say so: all that are listed are frozen, or none is listed.
    """
    if not facts.facilities or not facts.scenario.facilities_complete:
        return [()] * len(facts.counties)
    growing = {
        (each.place["county_code"], each.place["owner"])
        for each in judged_of(facts)
        if each.place["kind"] == "general" and each.frozen != "yes"
    }
    return [tuple(o for o in GROWING if (county["code"], o) not in growing) for county in facts.counties]


def new_beds(facts, cells):
    """Return the new beds of every listed hospital, by id.

    What a cell grows by is shared out by beds among its hospitals that may grow and, unless every hospital is listed,
    the beds of the others, last.
    """
    stock, new = stock_of(facts), {}
    members = {}
    for each in judged_of(facts):
        new[each.place["id"]] = 0
        members.setdefault((facts.county[each.place["county_code"]], cell_of(each.place)), []).append(each)
    for (i, cell), listed in members.items():
        growth = cells[i][cell] - stock.cells[i][cell]
        growing = [each.place for each in listed if each.frozen != "yes"]
        others = [] if facts.scenario.facilities_complete else [stock.cells[i][cell] - stock.listed[i][cell]]
        weights = [place["beds"] for place in growing] + others
        if growth > 0 and weights:
            shares = largest_remainder(growth, weights)
            new |= {place["id"]: share for place, share in zip(growing, shares, strict=False)}
    return new


def check_facilities(ledger, facts, plan):
    """Check that no frozen hospital gets a bed, and what every listed hospital gets, with its reasons."""
    frame, new = plan["facilities"], new_beds(facts, planned_cells(facts, plan))
    expected = []
    for each in judged_of(facts):
        place = each.place
        line = {key: place[key] for key in ("id", "name", "county_code", "city_code", "owner", "kind")}
        line |= {"beds_now": place["beds"], "beds_new": new[place["id"]], "beds_plan": place["beds"] + new[place["id"]]}
        line |= {"frozen": each.frozen, "reasons": " ".join(rule for rule, _, _ in each.reasons)}
        expected.append(line)
    frozen = {each.place["id"] for each in judged_of(facts) if each.frozen == "yes"}
    for row, (id, found) in enumerate(zip(frame["id"], frame["beds_new"], strict=True)):
        if id in frozen and found:
            ledger.fail("frozen_grows", table="facilities", row=row + 2, who=id, column="beds_new", found=found)
    ledger.compare("facilities", frame, ["id"], expected)
    return {"facilities": len(expected), "frozen": len(frozen), "beds": sum(new.values())}


def check_freezes(ledger, facts, plan):
    """Check that every reason why beds may not grow is listed once, and every rule that could not be applied."""
    expected = [*_of_hospitals(facts), *_of_areas(facts), *_not_applied(facts)]
    ledger.compare("freezes", plan["freezes"], ["scope", "id", "rule"], expected)
    return {"reasons": len(expected), "facilities": sum(each.frozen == "yes" for each in judged_of(facts))}


def _line(scope, id, name, county, rule, measured, limit, unit, standard):
    line = {"scope": scope, "id": id, "name": name, "county_code": county, "rule": rule, "measured": measured}
    line |= {"limit": limit, "unit": unit}
    return line | {key: getattr(standard, key) if standard else "" for key in ("document", "clause")}


def _of_hospitals(facts):
    for each in judged_of(facts):
        place = each.place["id"], each.place["name"], each.place["county_code"]
        for rule, measured, limit in each.reasons:
            standard = facts.standards[CRITERIA[rule]] if rule in CRITERIA else None
            yield _line("facility", *place, rule, measured, limit, UNITS.get(rule, ""), standard)


def _of_areas(facts):
    """Cities above their targets, and counties above those of a city that is not."""
    stock, limits, standard = stock_of(facts), limits_of(facts), facts.standards[ABOVE_TARGET]
    above = [("city", city, stock.city[code], "") for code, city in _by_code(facts) if code in limits.frozen]
    for i in sorted(limits.above):
        county = facts.counties[i]
        if county["city_code"] not in limits.frozen:
            above.append(("county", county, stock.county[i], county["code"]))
    for scope, place, beds, county in above:
        target = Fraction(facts.scenario.bed_targets[place.get("city_code", place["code"])])
        density = Fraction(half_up(Fraction(beds * 100_000, place["persons"])), 100) if place["persons"] else None
        about = scope, place["code"], place["name"], county, "above_target"
        yield _line(*about, density, target, "beds_per_1000", standard)


def _by_code(facts):
    return sorted(((city["code"], city) for city in facts.cities), key=lambda pair: pair[0])


def _not_applied(facts):
    for rule, id in CRITERIA.items():
        standard = facts.standards[id]
        if not facts.facilities or (rule == "floor_area" and not facts.scenario.freeze_area_per_bed):
            limit = None if standard.value is None else Fraction(standard.value)
            yield _line("province", id, standard.name_zh, "", "not_applied", None, limit, UNITS[rule], standard)
