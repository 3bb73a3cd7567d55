"""What the rules allow every place, worked out anew: targets, frozen areas, equal shares, reserves, floors and caps."""

from dataclasses import dataclass
from fractions import Fraction

from planner.verify.facts import half_up, largest_remainder
from planner.verify.stock import CELLS, stock_of

PRIVATE = ("private", "general")
INFECTIOUS_HOSPITALS = ("infectious_hospital_beds_regional", "infectious_hospital_beds_other")


def ceiling(number):
    """Return the least whole number that is not below an exact number."""
    return -((-Fraction(number)) // 1)


def exact(number):
    """Return a scenario's number as it is written: floats by their decimals."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


@dataclass(frozen=True)
class Limits:
    """Whole beds; ``total`` and ``asked`` by city code, the others by county position.

    total    beds of a city's target, never below its stock; ``asked`` what the target alone asks for
    frozen   cities above their target; ``above`` counties above their city's
    equal    the total shared out by persons, none below its stock; ``highest`` the most a county may have
    private  beds kept for private hospitals
    """

    total: dict
    asked: dict
    frozen: frozenset
    above: frozenset
    equal: list
    highest: list
    private: list


def targets(facts, stock):
    """Return each city's total in whole beds: what its target asks for, never below its stock."""
    return {city["code"]: max(asked_of(facts, city["code"], city), stock.city[city["code"]]) for city in facts.cities}


def asked_of(facts, code, place):
    """Return what the target of the city ``code`` asks for in a place: persons x beds per 1,000, halves up."""
    return half_up(Fraction(facts.scenario.bed_targets[code]) * place["persons"] / 1000)


def limits_of(facts):
    """Return the :class:`Limits`; worked out once."""
    if "limits" not in facts.kept:
        facts.kept["limits"] = _limits(facts, stock_of(facts))
    return facts.kept["limits"]


def _limits(facts, stock):
    total = targets(facts, stock)
    asked = {city["code"]: asked_of(facts, city["code"], city) for city in facts.cities}
    frozen = frozenset(code for code in total if asked[code] < stock.city[code])
    above = frozenset(
        i for i, county in enumerate(facts.counties) if stock.county[i] > asked_of(facts, county["city_code"], county)
    )
    equal = equal_shares(facts, stock, total)
    cap, reserve = exact(facts.scenario.beds_county_cap), facts.standards["t1_beds_private"].value
    highest, private = [], []
    for i, county in enumerate(facts.counties):
        code, persons, now = county["city_code"], county["persons"], stock.cells[i][PRIVATE]
        most = ceiling(Fraction(facts.scenario.bed_targets[code]) * cap * persons / 1000)
        highest.append(stock.county[i] if i in above else max(most, stock.county[i], equal[i]))
        stays = i in above or code in frozen
        private.append(now if stays else max(now, half_up(reserve * persons / 1000)))
    return Limits(total, asked, frozen, above, equal, highest, private)


def equal_shares(facts, stock, total):
    """Return beds by county position: each city's total shared out by persons, none below its stock.

    Beds that are short come one at a time from the county with most to spare, the first of equal ones.
    """
    equal = [0] * len(facts.counties)
    for city in facts.cities:
        members = facts.counties_of(city["code"])
        shares = largest_remainder(total[city["code"]], [facts.counties[i]["persons"] for i in members])
        spare = dict(zip(members, (s - stock.county[i] for s, i in zip(shares, members, strict=True)), strict=True))
        for i in members:
            while spare[i] < 0:
                spare[max(members, key=lambda j: (spare[j], -j))] -= 1
                spare[i] += 1
        for i in members:
            equal[i] = stock.county[i] + spare[i]
    return equal


def cell_limits(facts, stock, i, cell):
    """Return (fewest, most) beds a cell of the county at position ``i`` may have; None without a limit."""
    owner, kind = cell
    now = stock.cells[i][cell]
    if owner == "private":
        kept = limits_of(facts).private[i]
        return kept, kept
    if owner == "other_public":
        return 0, now
    if kind == "general":
        return now - exact(facts.scenario.beds_convert_share) * now // 1, None
    return now, None


def hospital_floor(facts, code):
    """Return the least beds of a city's infectious hospital; 0 for a city that no document names."""
    standard = hospital_standard(facts, code)
    return int(facts.standards[standard].value) if standard else 0


def hospital_standard(facts, code):
    """Return the id of the standard that names a city's infectious hospital, None without one."""
    return next((each for each in INFECTIOUS_HOSPITALS if code in facts.standards.city_codes(each)), None)


def departments_floor(facts, code):
    """Return the least infectious beds of the hospitals that a document names for more than the usual department."""
    named = facts.standards["infectious_dept_beds_named5"]
    return int(named.value) * len(named.areas) if code == capital(facts) else 0


def capital(facts):
    """Return the code of the city where the named provincial hospitals stand: the first of the documents."""
    return facts.standards.city_codes("infectious_hospital_beds_regional")[0]


def planned_cells(facts, plan):
    """Return the plan's decisions: whole beds by cell, a dict for each county position; 0 where it names none.

    Worked out once for a plan: leave them as they are.
    """
    of, cells = facts.kept.get("planned_cells", (None, None))
    if of is not plan:
        cells, known = [dict.fromkeys(CELLS, 0) for _ in facts.counties], set(CELLS)
        columns = (plan["bed_quotas"][column] for column in ("code", "owner", "kind", "beds_plan"))
        for code, owner, kind, beds in zip(*columns, strict=True):
            if code in facts.county and (owner, kind) in known:
                cells[facts.county[code]][owner, kind] = beds
        facts.kept["planned_cells"] = plan, cells
    return cells


def county_beds(cells):
    """Return all beds by county position."""
    return [sum(county.values()) for county in cells]


def beds_of(cells, counties, owners=None, kinds=None):
    """Return the beds of some counties (positions), owners and kinds; None = all of them."""
    chosen = [cell for cell in CELLS if (owners is None or cell[0] in owners) and (kinds is None or cell[1] in kinds)]
    return sum(cells[i][cell] for i in counties for cell in chosen)
