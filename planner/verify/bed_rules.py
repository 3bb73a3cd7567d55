"""The rules a plan of beds must and should keep, place by place, held against the plan anew from the raw inputs."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from planner.verify import access, limits
from planner.verify.facilities import closed_owners
from planner.verify.facts import half_up
from planner.verify.limits import beds_of, ceiling, county_beds, exact, limits_of, planned_cells
from planner.verify.shapes import KINDS, OWNERS
from planner.verify.stock import CELLS, GROWING, PUBLIC, stock_of

SPECIALIST = ("psychiatric", "infectious", "oncology", "rehabilitation")
GUIDES = {owner: f"t1_beds_{owner}" for owner in PUBLIC}
STAFF = {"staff": "t1_staff_bed_ratio", "nurses": "nurse_bed_ratio", "doctors": "doctor_bed_ratio"}
ICU = ("infectious_hospital_icu_share", "infectious_hospital_convertible_share")
MUST = 10  # what a bed weighs that a must, or a city's target, lacks
STRATEGIES = (("重点扶持", 3), ("促进发展", 2))  # Table 2: whose target weighs more; any other city 1


@dataclass(frozen=True)
class Rule:
    """One rule at one place: ``low`` <= ``offset`` + sum of weights x beds <= ``high``; None = no such side.

    terms     (county position, cell) -> weight, exact
    asked     the figure that the table tells as asked
    strict    it must hold; otherwise each bed missing or over counts ``weight`` in the shortfall
    standard  the clause it comes from, None where the scenario alone asks for it
    """

    word: str
    area_code: str
    area: str
    terms: dict
    low: Fraction | None
    high: Fraction | None
    asked: Fraction
    strict: bool
    weight: int
    standard: object
    unit: str = "beds"
    offset: int = 0

    def got(self, cells):
        """Return what the plan (beds by cell, a dict for each county position) has of it."""
        common, weights = self._whole
        return self.offset + Fraction(sum(weight * cells[i][cell] for i, cell, weight in weights), common)

    @cached_property
    def _whole(self):
        """Return (common denominator, [(county position, cell, whole weight)]): whole numbers are quick to add."""
        common = math.lcm(*{weight.denominator for weight in self.terms.values()})
        weights = [(w.numerator * (common // w.denominator), place) for place, w in self.terms.items()]
        return common, [(i, cell, weight) for weight, (i, cell) in weights]

    def bent(self, got):
        """Return how much is missing or over."""
        missing = 0 if self.low is None else max(self.low - got, 0)
        over = 0 if self.high is None else max(got - self.high, 0)
        return missing + over


def rules_of(facts):
    """Return every :class:`Rule`, in the order of the table."""
    if "rules" not in facts.kept:
        writer = _Writer(facts)
        cities = [rule for city in facts.cities for rule in writer.city(city)]
        counties = [rule for i in range(len(facts.counties)) for rule in writer.county(i)]
        facts.kept["rules"] = cities + counties
    return facts.kept["rules"]


def shortfall(facts, cells):
    """Return the beds missing from, or over, what should be, by weight, exact."""
    return sum((rule.weight * rule.bent(rule.got(cells)) for rule in rules_of(facts) if not rule.strict), Fraction(0))


class _Writer:
    """Writes the rules of a city, and of a county, from the standards and the scenario."""

    def __init__(self, facts):
        self.facts, self.scenario, self.standards = facts, facts.scenario, facts.standards
        self.stock, self.limits, self.closed = stock_of(facts), limits_of(facts), closed_owners(facts)

    def _rule(self, word, place, counties, owners, kinds, low, high=None, **more):
        times = more.pop("times", {})
        terms = {
            (i, cell): times.get(cell[1], Fraction(1))
            for i in counties
            for cell in CELLS
            if cell[0] in owners and cell[1] in kinds
        }
        asked = more.pop("asked", high if low is None else low)
        given = {"strict": False, "weight": 1, "standard": None} | more
        return Rule(word, place["code"], place["name"], terms, low, high, asked, **given)

    def _floor(self, word, place, counties, owners, kinds, low, standard):
        """Return a floor of the documents, a must unless the scenario lets it bend."""
        bends = word in self.scenario.beds_may_bend
        given = {"strict": not bends, "weight": MUST if bends else 1, "standard": standard}
        return self._rule(word, place, counties, owners, kinds, low, **given)

    def city(self, city):
        """Yield the rules of a city, a dict of the facts."""
        facts, standards, code = self.facts, self.standards, city["code"]
        here, people, total = facts.counties_of(code), city["persons"], self.limits.total[code]
        new = total - self.stock.city[code]

        def should(word, kinds, low, standard, owners=PUBLIC, **more):
            return self._rule(word, city, here, owners, kinds, low, standard=standards[standard], **more)

        yield self._total(city, here, total)
        reserved = sum(self.limits.private[i] for i in here)
        private = {"strict": True, "standard": standards["t1_beds_private"]}
        yield self._rule("private", city, here, ("private",), KINDS, reserved, reserved, **private)
        tcm, mental = (standards[f"t1_{kind}_beds_per_1000"].value for kind in ("tcm", "psychiatric"))
        yield should("tcm", ("tcm",), half_up(tcm * people / 1000), "t1_tcm_beds_per_1000")
        floor = ceiling(mental * people / 1000)
        yield should("psychiatric", ("psychiatric",), floor, "t1_psychiatric_beds_per_1000")
        yield self._specialist(city, here)
        for kind, share in self.scenario.beds_lean.items():
            yield should(f"lean_{kind}", (kind,), ceiling(exact(share) * new), "incremental_bed_priority")
        for owner, guide in guides(facts, city).items():
            yield should(f"owner_{owner}", KINDS, guide, GUIDES[owner], (owner,), high=guide)
        yield from self._infectious_hospital(city)
        if code in standards.city_codes("mental_hospital_over_3m"):
            least = self.scenario.beds_hospital_least
            yield should("mental_hospital", ("psychiatric",), least, "mental_hospital_over_3m", weight=0)
        if code in self.scenario.national_centres:
            now = sum(self.stock.owner(i, "city_and_above") for i in here)
            low = ceiling(exact(self.scenario.beds_national_reserve) * new)
            yield should("reserve", KINDS, low, "taiyuan_bed_reserve", ("city_and_above",), offset=-now)
        yield from self._surge(city, here)
        yield from self._staff(city, here)

    def _total(self, city, here, total):
        strict = self.scenario.beds_rule == "exact"
        label = self.standards.cities[city["code"]].strategy_zh if city["code"] in self.standards.cities else ""
        weight = MUST * next((weight for word, weight in STRATEGIES if word in label), 1)
        given = {"strict": strict, "weight": weight, "standard": table_3(self.facts, city["code"])}
        return self._rule("total", city, here, OWNERS, KINDS, total, total, **given)

    def _specialist(self, city, here):
        """Special hospitals' beds, asked as an exact share of all public beds: 0 <= special - share x public."""
        standard = self.standards["public_specialist_bed_share"]
        times = {kind: (kind in SPECIALIST) - standard.value / 100 for kind in KINDS}
        return self._rule("specialist", city, here, PUBLIC, KINDS, 0, times=times, standard=standard)

    def _infectious_hospital(self, city):
        floor = limits.hospital_floor(self.facts, city["code"])
        if floor:
            low = floor + limits.departments_floor(self.facts, city["code"])
            standard = self.standards[limits.hospital_standard(self.facts, city["code"])]
            cell = ("city_and_above",), ("infectious",)
            yield self._floor("infectious_hospital", city, [city["seat"]], *cell, low, standard)

    def _surge(self, city, here):
        if not self.scenario.surge_inpatients:
            return
        beds, icu = surge_needs(self.scenario, city["persons"])
        clear = {"general": exact(self.scenario.surge_convertible_percent) / 100}
        kinds, given = ("infectious", "general"), {"standard": self.standards["bed_emptying_mechanism"]}
        yield self._rule("surge", city, here, PUBLIC, kinds, beds, times=clear, **given)
        kinds, wards = ("critical", "infectious"), {"infectious": icu_share(self.standards)}
        yield self._rule("surge_icu", city, here, PUBLIC, kinds, icu, times=wards, **given)

    def _staff(self, city, here):
        for word, standard in STAFF.items():
            most = getattr(self.scenario, f"beds_{word}").get(city["code"])
            if most is not None:
                ratio = self.standards[standard]
                given = {"strict": True, "standard": ratio, "unit": "persons"}
                times = dict.fromkeys(KINDS, ratio.value)
                yield self._rule(word, city, here, OWNERS, KINDS, None, most, times=times, **given)

    def county(self, i):
        """Yield the rules of the county at position ``i``."""
        county, standards = self.facts.counties[i], self.standards
        target = table_3(self.facts, county["city_code"])
        most, pin = self.limits.highest[i], self.scenario.beds_pins.get(county["code"])
        yield self._rule("county", county, [i], OWNERS, KINDS, None, most, strict=True, standard=target)
        if pin is not None:
            yield self._rule("pin", county, [i], OWNERS, KINDS, pin, pin, strict=True)
        if county["persons"]:
            ward, least = standards["infectious_dept_beds"], self.scenario.beds_hospital_least
            cell = ("county_and_primary",), ("infectious",)
            yield self._floor("infectious_department", county, [i], *cell, int(ward.value), ward)
            for kind, standard in (("general", "county_general_hospital"), ("tcm", "county_tcm_hospital")):
                given = GROWING, (kind,), least, standards[standard]
                yield self._floor(f"{kind}_hospital", county, [i], *given)
        if self.closed[i]:
            now = sum(self.stock.cells[i][owner, "general"] for owner in self.closed[i])
            freeze = {"strict": True, "standard": standards["freeze_occupancy"]}
            yield self._rule("facility_freeze", county, [i], self.closed[i], ("general",), None, now, **freeze)


def guides(facts, city):
    """Return the beds that each public owner of a city should have, after Table 1."""
    value = {owner: facts.standards[standard].value for owner, standard in GUIDES.items()}
    limit = limits_of(facts)
    reserved = sum(limit.private[i] for i in facts.counties_of(city["code"]))
    other = half_up(value["other_public"] * city["persons"] / 1000)
    rest = max(limit.total[city["code"]] - reserved - other, 0)
    first, second = GROWING
    part = half_up(rest * value[first] / (value[first] + value[second]))
    return {first: part, second: rest - part, "other_public": other}


def surge_needs(scenario, persons):
    """Return (beds, intensive care beds) that an epidemic asks for."""
    beds = ceiling(exact(scenario.surge_inpatients) * persons / 10_000)
    return beds, ceiling(exact(scenario.surge_icu_percent) * beds / 100)


def icu_share(standards):
    """Return the share of infectious beds that are, or can become, intensive care beds."""
    return sum(Fraction(standards[standard].value) for standard in ICU) / 100


def cost(facts, cells):
    """Return the cost of a plan in 10,000 yuan, exact: beds built, and beds that change their kind."""
    built, added = built_and_added(facts, cells)
    new, convert = exact(facts.scenario.beds_cost_new), exact(facts.scenario.beds_cost_convert)
    return new * built + convert * (added - built)


def built_and_added(facts, cells):
    """Return (beds more than there are, beds more by cell) of the owners whose beds are built and converted."""
    growing = [cell for cell in CELLS if cell[0] in GROWING]
    more = [cells[i][cell] - now[cell] for i, now in enumerate(stock_of(facts).cells) for cell in growing]
    return sum(more), sum(max(each, 0) for each in more)


def check_bed_rules(ledger, facts, plan):
    """Check that every rule is listed with what was asked and got, and that none that must hold is broken."""
    cells, lines = planned_cells(facts, plan), []
    for rule in rules_of(facts):
        got, asked = rule.got(cells), Fraction(rule.asked)
        bent = rule.bent(got)
        if rule.word == "specialist":  # told as a share of all public beds
            here = {i for i, _ in rule.terms}
            asked = Fraction(rule.standard.value) / 100 * beds_of(cells, here, PUBLIC)
            got += asked
        line = {"rule": rule.word, "area_code": rule.area_code, "area": rule.area, "unit": rule.unit}
        line |= {"asked": asked, "got": Fraction(got), "bent": Fraction(bent)}
        line |= {"strict": "hard" if rule.strict else "soft"}
        lines.append(_judged(ledger, line, rule.standard))
    if facts.scenario.beds_budget:
        lines.append(_judged(ledger, _budget(facts, cells), None))
    lines += [_judged(ledger, line, None) for line in _guards(facts, cells)]
    ledger.compare("bed_rules", plan["bed_rules"], ["rule", "area_code"], lines)
    hard = [line for line in lines if line["strict"] == "hard"]
    return {"rules": len(lines), "hard": len(hard), "bent": sum(line["verdict"] == "unmet" for line in lines)}


def _guards(facts, cells):
    """Yield a row for every county that has less than the mean within reach when beds are shared by population.

    It must not have less than that, cut to hundredths and a hundredth less.
    """
    if not facts.scenario.beds_guard:
        return
    shared, got = (access.within_reach(facts, beds) for beds in (limits_of(facts).equal, county_beds(cells)))
    shared = [Fraction(half_up(each * 1_000_000), 1_000_000) for each in shared]
    persons = [int(count) for count in facts.county_persons]
    mean = sum(a * p for a, p in zip(shared, persons, strict=True)) / max(sum(persons), 1)
    for county, before, after in zip(facts.counties, shared, got, strict=True):
        if county["persons"] and before < mean:
            asked = Fraction((before * 100).__floor__() - 1, 100)
            figures = {"asked": asked, "got": after, "bent": max(asked - after, Fraction(0))}
            place = {"rule": "guard", "area_code": county["code"], "area": county["name"], "unit": "beds_per_1000"}
            yield place | figures | {"strict": "hard"}


def table_3(facts, city):
    """Return the Table 3 standard of a city; None where the scenario asks for another figure than it states."""
    standard = facts.standards.city_bed_target(city)
    return standard if Fraction(facts.scenario.bed_targets[city]) == standard.value else None


def source_of(standard):
    """Return document and clause of a standard, both empty where there is none."""
    return {key: getattr(standard, key) if standard else "" for key in ("document", "clause")}


def _judged(ledger, line, standard):
    """Return a row with its clause and verdict; notes a rule that must hold and does not."""
    if line["bent"] and line["strict"] == "hard":
        ledger.fail("rule_broken", **{key: line[key] for key in ("rule", "area_code", "area", "asked", "got")})
    return line | source_of(standard) | {"verdict": "unmet" if line["bent"] else "met"}


def _budget(facts, cells):
    most, spent = Fraction(facts.scenario.beds_budget), cost(facts, cells)
    line = {"rule": "budget", "area_code": facts.region.province.index[0]}
    line |= {"area": facts.region.province["name"].iloc[0], "unit": "wan_yuan", "asked": most, "got": spent}
    return line | {"bent": max(spent - most, Fraction(0)), "strict": "hard"}
