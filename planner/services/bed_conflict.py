"""Why no bed allocation exists: the fewest rules that contradict one another, and what it would take to mend it."""

from dataclasses import dataclass, replace

import numpy as np

from geo.faults import Fault
from planner.conflict import smallest_conflict
from planner.explain import Infeasible
from planner.models.bed_quotas import Rule, bed_quotas
from planner.rounding import ceiling
from planner.services.bed_rules import STAFF, members_of
from planner.services.stock import CELLS, PLANNED
from planner.settings import MAY_BEND
from planner.solve import INFEASIBLE, solve

SECONDS = 20.0  # of one small linear programme
# What a planner asked for comes before what documents ask for: of equally small conflicts the former is told.
OWN = ("pin", *STAFF, "budget", "county", "convert", "facility_freeze")
DOCUMENTS = ("total", *MAY_BEND, "private", "keep")
BED_PLACES = {"private": ("private",), "general": PLANNED}


@dataclass(frozen=True)
class _Part:
    """The question of one city, or of the province (``city`` None): its rows, and the wishes that can be put to it."""

    question: object
    city: str | None
    rows: np.ndarray
    wishes: tuple


def why_infeasible(region, standards, scenario, question, *, cancel=None):
    """Return the :class:`planner.explain.Infeasible` of a question that no beds can answer."""
    codes = region.counties.index
    for city, here in members_of(region).items():
        part = _part(question, codes, city, here, budget=None)
        conflict = smallest_conflict(part.wishes, lambda wishes, part=part: _holds(part, wishes, codes), cancel=cancel)
        if conflict is not None:
            return _told(region, standards, scenario, part, conflict, codes)
    part = _part(question, codes, None, np.arange(len(codes)), budget=question.budget)
    conflict = smallest_conflict(part.wishes, lambda wishes: _holds(part, wishes, codes), cancel=cancel)
    return _told(region, standards, scenario, part, conflict or (), codes)


def _part(question, codes, city, here, budget):
    inside = {int(i) for i in here}
    rules = tuple(rule for rule in question.rules if rule.strict and set(rule.rows) <= inside)
    question = replace(question, rules=rules, budget=budget)
    found = {(rule.word, rule.area if rule.word == "pin" else "") for rule in rules}
    wishes = [(kind, area) for kind in OWN for k, area in sorted(found) if k == kind]
    wishes += [("convert", "")] + ([("budget", "")] if budget is not None else [])
    if _closed_cells(question)[list(inside)].any():
        wishes.append(("facility_freeze", ""))
    wishes += [(kind, area) for kind in DOCUMENTS for k, area in sorted(found) if k == kind] + [("private", "")]
    return _Part(question, city, np.asarray(here), tuple(dict.fromkeys(wishes)))


def _closed_cells(question):
    """Return booleans counties x cells: planned general cells that may not grow."""
    general = np.array([owner in PLANNED and kind == "general" for owner, kind in CELLS])
    return general & (question.highest == question.now)


def _relaxed(part, wishes, soft=None):
    """Return the question of a part that asks for ``wishes`` alone; ``soft`` is one of them, at one for each bed."""
    question, kinds = part.question, {kind for kind, _ in wishes}
    rules = []
    for rule in question.rules:
        wish = (rule.word, rule.area if rule.word == "pin" else "")
        if wish in wishes:
            rules.append(replace(rule, strict=wish != soft, weight=1.0))
    lowest, highest = question.lowest.copy(), question.highest.copy()
    most = int(question.equal.sum())
    planned = np.array([owner in PLANNED for owner, _ in CELLS])
    general = np.array([kind == "general" for _, kind in CELLS])
    if "keep" not in kinds:
        lowest[:, planned] = 0
    elif "convert" not in kinds or soft == ("convert", ""):
        lowest[:, planned & general] = 0
    if "private" not in kinds:
        lowest[:, -1], highest[:, -1] = 0, most
    if "facility_freeze" not in kinds or soft == ("facility_freeze", ""):
        shut = _closed_cells(question)
        highest[shut] = most
    if soft in (("convert", ""), ("facility_freeze", "")):
        rules += list(_bounds_as_rules(question, soft[0]))
    outside = np.ones(len(lowest), dtype=bool)
    outside[part.rows] = False
    # Other places are no part of the question: they stand as they are.
    lowest[outside] = np.minimum(lowest[outside], question.now[outside])
    highest[outside] = np.maximum(highest[outside], question.now[outside])
    budget = question.budget if "budget" in kinds and soft != ("budget", "") else None
    return replace(question, rules=tuple(rules), lowest=lowest, highest=highest, budget=budget)


def _bounds_as_rules(question, kind):
    for i in range(len(question.now)):
        for c, (owner, cell) in enumerate(CELLS):
            if owner in PLANNED and cell == "general":
                if kind == "convert":
                    yield Rule(kind, "", (i,), (c,), (1,), int(question.lowest[i, c]), None, False)
                elif _closed_cells(question)[i, c]:
                    yield Rule(kind, "", (i,), (c,), (1,), None, int(question.highest[i, c]), False)


def _holds(part, wishes, codes):
    question = _relaxed(part, set(wishes))
    made = bed_quotas(question, ("shortfall",), whole=False)
    model = made.model
    model += made.objectives["shortfall"]
    return solve(model, seconds=SECONDS).status != INFEASIBLE


@dataclass(frozen=True)
class _Mend:
    """How far one rule must give way, alone: ``beds`` in all, ``plan`` counties x cells that does with it."""

    kind: str
    area: str
    beds: float
    plan: np.ndarray
    amount: float


def _mend(part, wish):
    """Return the :class:`_Mend` of one wish, every other one kept; None where giving it way does not help."""
    kind, area = wish
    question = _relaxed(part, set(part.wishes), wish)
    words = ("cost",) if kind == "budget" else ("shortfall",)
    made = bed_quotas(question, words, whole=False)
    model = made.model
    model += made.objectives[words[0]]
    solution = solve(model, seconds=SECONDS)
    if not solution.has_plan:
        return None
    beds = np.array([[solution.values[v.name] for v in row] for row in made.x])
    amount = solution.objective
    if kind == "budget":
        amount = max(amount - part.question.budget, 0.0)
        return _Mend(kind, area, amount / max(float(part.question.prices[0]), 1e-9), beds, amount)
    if kind in STAFF:
        ratio = next(float(max(rule.weights)) for rule in part.question.rules if rule.word == kind)
        return _Mend(kind, area, amount / ratio, beds, amount)
    return _Mend(kind, area, amount, beds, amount)


def _told(region, standards, scenario, part, conflict, codes):
    teller = _Teller(region, standards, scenario, part)
    lines = [teller.wish(*wish) for wish in conflict]
    head = Fault("infeasible_beds", params={"place": teller.place, "count": len(lines)})
    mends = [each for each in (_mend(part, wish) for wish in conflict if wish[0] not in ("keep", "private")) if each]
    mends = sorted((each for each in mends if each.beds > 0), key=lambda each: each.beds)
    told = [teller.repair(each) for each in mends]
    if told:
        first = Fault("infeasible_beds_cheapest", params={"beds": f"{ceiling_of(mends[0].beds):,}"})
        told = [first, told[0], *([Fault("infeasible_beds_others"), *told[1:]] if told[1:] else [])]
    else:
        told = [Fault("infeasible_beds_no_repair")]
    return Infeasible([head, *lines, *told])


def ceiling_of(number):
    """Return the whole number not below a solver's number, a hair of its tolerance apart."""
    return ceiling(round(float(number) - 1e-4, 3)) if number > 1e-4 else 0


class _Teller:
    """Says wishes and repairs of one part in planners' words."""

    def __init__(self, region, standards, scenario, part):
        self.region, self.standards, self.scenario, self.part = region, standards, scenario, part
        self.persons = region.counties["persons"].to_numpy(dtype=np.int64)
        province = region.province["name"].iloc[0]
        self.place = province if part.city is None else region.cities.at[part.city, "name"]

    def wish(self, kind, area):
        """Return one rule of the conflict as a line: place, number, clause."""
        params = {"place": self.place, "clause": self._clause(kind), **self._numbers(kind, area)}
        return Fault(f"infeasible_beds_wish_{kind}", params=params)

    def _clause(self, kind):
        from planner.services.bed_tables import RULE_STANDARDS

        if kind == "total":
            city = self.part.city or self.region.cities.index[0]
            standard = self.standards.city_bed_target(city)
        elif kind == "infectious_hospital":
            standard = self.standards["infectious_hospital_beds_regional"]
        elif kind in RULE_STANDARDS:
            standard = self.standards[RULE_STANDARDS[kind]]
        else:
            return ""
        return f"{standard.document} {standard.clause}"

    def _numbers(self, kind, area):
        rules = [rule for rule in self.part.question.rules if rule.word == kind]
        rows = self.part.rows
        question = self.part.question
        if kind == "pin":
            rule = next(rule for rule in rules if rule.area == area)
            return {"county": self.region.counties.at[area, "name"], "beds": f"{int(rule.low):,}"}
        if kind == "total":
            beds = {rule.area: int(rule.high if rule.high is not None else rule.low) for rule in rules}
            number = sum(beds.values())
            people = int(self.persons[rows].sum())
            return {"beds": f"{number:,}", "density": f"{number * 1000 / max(people, 1):.2f}"}
        if kind in STAFF:
            rule = rules[0]
            return {"limit": f"{int(sum(r.high for r in rules)):,}", "ratio": f"{float(max(rule.weights)):.2f}"}
        if kind == "budget":
            return {"limit": f"{self.scenario.beds_budget:,}"}
        if kind == "county":
            most = sum(int(rule.high) for rule in rules)
            return {"cap": f"{self.scenario.beds_county_cap:g}", "beds": f"{most:,}"}
        if kind == "convert":
            return {"share": f"{float(self.scenario.beds_convert_share) * 100:g}"}
        if kind == "private":
            return {"beds": f"{int(question.lowest[rows, -1].sum()):,}"}
        if kind == "keep":
            planned = [c for c, (owner, _) in enumerate(CELLS) if owner in PLANNED]
            return {"beds": f"{int(question.now[np.ix_(rows, planned)].sum()):,}"}
        if kind == "facility_freeze":
            return {"beds": f"{int(question.now[rows][_closed_cells(question)[rows]].sum()):,}"}
        return {"beds": f"{int(sum(rule.low for rule in rules)):,}", "count": len(rules)}

    def repair(self, mend):
        """Return the line that says how far one rule would have to give way."""
        more = {"place": self.place, "more": f"{ceiling_of(mend.amount):,}"}
        kind, area = mend.kind, mend.area
        if kind == "pin":
            beds = ceiling_of(mend.plan[self.region.counties.index.get_loc(area)].sum())
            more |= {"county": self.region.counties.at[area, "name"], "code": area, "beds": f"{beds:,}"}
        elif kind == "total":
            return self._new_target(mend, more)
        elif kind in STAFF:
            limit = sum(rule.high for rule in self.part.question.rules if rule.word == kind)
            more |= {"limit": f"{int(limit) + ceiling_of(mend.amount):,}"}
        elif kind == "budget":
            limit = self.scenario.beds_budget + ceiling_of(mend.amount)
            more |= {"limit": f"{limit:,}", "limit_plain": limit}
        elif kind == "county":
            more |= {"cap": f"{self._cap(mend):.2f}"}
        elif kind == "convert":
            more |= {"share": f"{self._share(mend):.2f}"}
        return Fault(f"infeasible_beds_repair_{kind}", params=more)

    def _new_target(self, mend, more):
        rows = self.part.rows
        if self.part.city is None:
            return Fault("infeasible_beds_repair_up_to", params=more)
        people, planned = int(self.persons[rows].sum()), mend.plan[rows].sum()
        asked = next(rule.high for rule in self.part.question.rules if rule.word == "total" and rule.high is not None)
        up = planned > asked
        hundredths = ceiling_of(planned) * 100_000 / max(people, 1)
        density = (ceiling(hundredths) if up else int(hundredths)) / 100
        more |= {"density": f"{density:.2f}", "code": self.part.city}
        return Fault("infeasible_beds_repair_total_up" if up else "infeasible_beds_repair_total_down", params=more)

    def _cap(self, mend):
        caps = [self.scenario.beds_county_cap]
        for i in self.part.rows:
            city = self.region.counties["city_code"].iloc[i]
            whole = float(self.scenario.bed_targets[city]) * int(self.persons[i]) / 1000
            if whole:
                caps.append(mend.plan[i].sum() / whole)
        return ceiling(round(max(caps) * 100, 4)) / 100

    def _share(self, mend):
        shares = [float(self.scenario.beds_convert_share)]
        for i in self.part.rows:
            for c, (owner, kind) in enumerate(CELLS):
                now = int(self.part.question.now[i, c])
                if owner in PLANNED and kind == "general" and now:
                    shares.append((now - mend.plan[i, c]) / now)
        return ceiling(round(max(shares) * 100, 4)) / 100
