"""Why no bed allocation exists: the fewest rules that contradict one another, and what it would take to mend it."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from geo.faults import Fault, Named
from planner.conflict import smallest_conflict
from planner.explain import Infeasible
from planner.models.bed_quotas import Rule, bed_quotas, minimise
from planner.rounding import ceiling, half_up
from planner.services.bed_rules import ABOVE_TARGET, STAFF, members_of, rule_standard
from planner.services.levels import missed
from planner.services.stock import CELLS, PLANNED
from planner.settings import MAY_BEND, setting_of
from planner.solve import INFEASIBLE, solve

SECONDS = 20.0  # of one small linear programme
TARGETS_KEY = "[beds.targets]"
# What a planner asked for comes before what documents ask for: of equally small conflicts the former is told.
OWN = ("pin", *STAFF, "budget", "county", "convert", "facility_freeze")
DOCUMENTS = ("total", *MAY_BEND, "private", "keep")


@dataclass(frozen=True)
class _Part:
    """The question of one city, or of the province (``city`` None): its rows, and the wishes that can be put to it."""

    question: object
    city: str | None
    rows: np.ndarray
    wishes: tuple


def why_infeasible(region, standards, scenario, question, *, cancel=None):
    """Return the :class:`planner.explain.Infeasible` of a question that no beds can answer."""
    for city, here in members_of(region).items():
        part = _part(question, city, here, budget=None)
        conflict = smallest_conflict(part.wishes, lambda wishes, part=part: _holds(part, wishes), cancel=cancel)
        if conflict is not None:
            return _told(region, standards, scenario, part, conflict)
    part = _part(question, None, np.arange(len(region.counties)), budget=question.budget)
    cities = [_part(question, city, here, budget=None) for city, here in members_of(region).items()]

    def affordable(wishes):
        # Every city alone can keep its rules, and only the budget binds them together.
        if ("budget", "") not in wishes or question.budget is None:
            return True
        return sum(_least_cost(city, wishes) for city in cities) <= question.budget

    conflict = smallest_conflict(part.wishes, affordable, cancel=cancel)
    if conflict is None:  # every other rule can be kept: what reaches across cities cannot
        return Infeasible([Fault("infeasible_beds_guard")])
    return _told(region, standards, scenario, part, conflict)


def _part(question, city, here, budget):
    question = _of_places(question, here, budget)
    rules = question.rules
    found = {(rule.word, rule.area if rule.word == "pin" else "") for rule in rules}
    wishes = [(kind, area) for kind in OWN for k, area in sorted(found) if k == kind]
    wishes += [("convert", "")] + ([("budget", "")] if budget is not None else [])
    if _closed_cells(question).any():
        wishes.append(("facility_freeze", ""))
    wishes += [(kind, area) for kind in DOCUMENTS for k, area in sorted(found) if k == kind] + [("private", "")]
    return _Part(question, city, np.asarray(here), tuple(dict.fromkeys(wishes)))


def _of_places(question, here, budget):
    """Return the strict part of a question about the counties at ``here`` alone."""
    new = {int(i): n for n, i in enumerate(here)}
    rules = tuple(
        replace(rule, rows=tuple(new[i] for i in rule.rows))
        for rule in question.rules
        if rule.strict and new.keys() >= set(rule.rows)
    )
    arrays = {name: getattr(question, name)[here] for name in ("persons", "now", "lowest", "highest", "guide", "equal")}
    return replace(question, **arrays, reach=question.reach[np.ix_(here, here)], rules=rules, km=None, budget=budget)


def _closed_cells(question):
    """Return booleans counties x cells: planned general cells that may not grow."""
    general = np.array([owner in PLANNED and kind == "general" for owner, kind in CELLS])
    return general & (question.highest == question.now)


def _relaxed(part, wishes, soft=()):
    """Return the question of a part that asks for ``wishes`` alone; those of ``soft`` may bend, at one for each bed."""
    question, kinds = part.question, {kind for kind, _ in wishes}
    rules = []
    for rule in question.rules:
        wish = (rule.word, rule.area if rule.word == "pin" else "")
        if wish in wishes:
            rules.append(replace(rule, strict=wish not in soft, weight=1.0))
    lowest, highest = question.lowest.copy(), question.highest.copy()
    most = int(question.equal.sum())
    planned = np.array([owner in PLANNED for owner, _ in CELLS])
    general = np.array([kind == "general" for _, kind in CELLS])
    if "keep" not in kinds:
        lowest[:, planned] = 0
    elif "convert" not in kinds or ("convert", "") in soft:
        lowest[:, planned & general] = 0
    if "private" not in kinds:
        lowest[:, -1], highest[:, -1] = 0, most
    if "facility_freeze" not in kinds or ("facility_freeze", "") in soft:
        shut = _closed_cells(question)
        highest[shut] = most
    for kind in ("convert", "facility_freeze"):
        if (kind, "") in soft:
            rules += list(_bounds_as_rules(question, kind))
    budget = question.budget if "budget" in kinds and ("budget", "") not in soft else None
    return replace(question, rules=tuple(rules), lowest=lowest, highest=highest, budget=budget)


def _bounds_as_rules(question, kind):
    for i in range(len(question.now)):
        for c, (owner, cell) in enumerate(CELLS):
            if owner in PLANNED and cell == "general":
                if kind == "convert":
                    yield Rule(kind, "", (i,), (c,), (1,), int(question.lowest[i, c]), None, False)
                elif _closed_cells(question)[i, c]:
                    yield Rule(kind, "", (i,), (c,), (1,), None, int(question.highest[i, c]), False)


def _holds(part, wishes):
    question = _relaxed(part, set(wishes))
    made = bed_quotas(question, ("shortfall",), whole=False)
    minimise(made, {"shortfall": 1.0})
    return solve(made.model, seconds=SECONDS).status != INFEASIBLE


def _least_cost(part, wishes):
    """Return what a city costs at least when it keeps ``wishes``; they can be kept."""
    made = bed_quotas(_relaxed(part, set(wishes)), ("cost",), whole=False)
    minimise(made, {"cost": 1.0})
    return solve(made.model, seconds=SECONDS).objective


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
    if kind in ("keep", "private"):
        return None  # no document lets them give way
    question = _relaxed(part, set(part.wishes), {wish})
    word = "cost" if kind == "budget" else "shortfall"
    made = bed_quotas(question, (word,), whole=False)
    minimise(made, {word: 1.0})
    solution = solve(made.model, seconds=SECONDS)
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


def _mended_together(part):
    """Return [:class:`_Mend`] of the planner's own wishes that must give way at once; [] where that does not help."""
    own = {wish for wish in part.wishes if wish[0] in ("pin", *STAFF, *MAY_BEND)}
    made = bed_quotas(_relaxed(part, set(part.wishes), own), ("shortfall",), whole=False)
    minimise(made, {"shortfall": 1.0})
    solution = solve(made.model, seconds=SECONDS)
    if not own or not solution.has_plan:
        return []
    beds = np.array([[solution.values[v.name] for v in row] for row in made.x])
    mends = []
    for rule in part.question.rules:
        bent = sum(missed(rule, beds))
        if (rule.word, rule.area if rule.word == "pin" else "") in own and bent > 1e-6:
            counted = bent / float(max(rule.weights))
            mends.append(_Mend(rule.word, rule.area if rule.word == "pin" else "", counted, beds, bent))
    return mends


def _told(region, standards, scenario, part, conflict):
    """Return the :class:`Infeasible` of a conflict: its rules, then what would mend it, the least first."""
    teller = _Teller(region, standards, scenario, part, conflict)
    faults = [Fault("infeasible_beds", params={"place": teller.place, "count": len(conflict)})]
    faults += [teller.wish(*wish) for wish in conflict]
    elsewhere = [] if part.city is None else [Fault("infeasible_beds_elsewhere")]
    mends = [mend for mend in (_mend(part, wish) for wish in conflict) if mend is not None and mend.beds > 0]
    mends = [mend for mend in mends if mend.kind != "county" or teller.cap_helps(mend)]
    mends.sort(key=lambda mend: (mend.beds, OWN.index(mend.kind) if mend.kind in OWN else len(OWN)))
    if mends:
        faults += [Fault("infeasible_beds_cheapest", params={"beds": f"{ceiling_of(mends[0].beds):,}"})]
        faults += [teller.repair(mends[0])]
        if mends[1:]:
            faults += [Fault("infeasible_beds_others"), *map(teller.repair, mends[1:])]
        return Infeasible([*faults, *elsewhere])
    together = _mended_together(part)
    if together:
        beds = f"{ceiling_of(sum(mend.beds for mend in together)):,}"
        return Infeasible(
            [
                *faults,
                Fault("infeasible_beds_together", params={"beds": beds}),
                *map(teller.repair, together),
                *elsewhere,
            ]
        )
    return Infeasible([*faults, Fault("infeasible_beds_no_repair"), *elsewhere])


def ceiling_of(number):
    """Return the whole number not below a solver's number, a hair of its tolerance apart."""
    return ceiling(round(float(number) - 1e-4, 3)) if number > 1e-4 else 0


class _Teller:
    """Says wishes and repairs of one part in planners' words.

    A conflict about one county alone is told with that county's figures.
    """

    def __init__(self, region, standards, scenario, part, conflict):
        self.region, self.standards, self.scenario, self.part = region, standards, scenario, part
        self.codes = region.counties.index[part.rows]
        self.persons = region.counties["persons"].to_numpy(dtype=np.int64)[part.rows]
        self.place = _province(region, standards) if part.city is None else _named(region.cities, part.city)
        pins = {area for kind, area in conflict if kind == "pin"}
        alone = len(pins) == 1 and not {kind for kind, _ in conflict} & {"total", "budget", *STAFF}
        self.at = np.array([self.codes.get_loc(*pins)]) if alone else np.arange(len(self.codes))
        self.about = _named(region.counties, *pins) if alone else self.place

    def wish(self, kind, area):
        """Return one rule of the conflict as a line: place, number, clause."""
        params = {"place": self.about, "clause": self._clause(kind), **self._numbers(kind, area)}
        if kind == "county" and all(self._is_frozen(i) for i in self.at):
            standard = self.standards[ABOVE_TARGET]
            params["clause"] = f"{standard.document} {standard.clause}"
            return Fault("infeasible_beds_wish_frozen", params=params)
        return Fault(f"infeasible_beds_wish_{kind}", params=params)

    def _clause(self, kind):
        city = self.part.city or self.region.cities.index[0]
        standard = rule_standard(self.standards, kind, city, city)
        if kind == "total" and self._targets_changed():
            return TARGETS_KEY
        return "" if standard is None else f"{standard.document} {standard.clause}"

    def _targets_changed(self):
        """Return whether the scenario has another target than Table 3 in any city that is told."""
        cities = [self.part.city] if self.part.city else list(self.region.cities.index)
        return any(not self.standards.is_table_3(city, self.scenario.bed_targets[city]) for city in cities)

    def _rules(self, kind):
        """Return the rules of a kind in the places that are told."""
        return [rule for rule in self.part.question.rules if rule.word == kind and set(rule.rows) <= set(self.at)]

    def _numbers(self, kind, area):
        rules, question = self._rules(kind), self.part.question
        if kind == "pin":
            rule = next(rule for rule in rules if rule.area == area)
            return {"county": _named(self.region.counties, area), "beds": f"{int(rule.low):,}"}
        if kind == "total":
            number = sum({rule.area: int(rule.low if rule.high is None else rule.high) for rule in rules}.values())
            return {"beds": f"{number:,}", "density": f"{number * 1000 / max(int(self.persons.sum()), 1):.2f}"}
        if kind in STAFF:
            limit, ratio = sum(int(rule.high) for rule in rules), float(max(rules[0].weights))
            return {"limit": f"{limit:,}", "ratio": f"{ratio:.2f}"}
        if kind == "budget":
            return {"limit": f"{self.scenario.beds_budget:,}"}
        if kind == "county":
            most = sum(int(rule.high) for rule in rules)
            return {"cap": f"{self.scenario.beds_county_cap:g}", "beds": f"{most:,}"}
        if kind == "convert":
            return {"share": f"{float(self.scenario.beds_convert_share) * 100:g}"}
        if kind == "private":
            return {"beds": f"{int(question.lowest[self.at, -1].sum()):,}"}
        if kind == "keep":
            planned = [c for c, (owner, _) in enumerate(CELLS) if owner in PLANNED]
            return {"beds": f"{int(question.now[np.ix_(self.at, planned)].sum()):,}"}
        if kind == "facility_freeze":
            shut = _closed_cells(question)[self.at]
            return {"beds": f"{int(question.now[self.at][shut].sum()):,}"}
        return {"beds": f"{int(sum(rule.low for rule in rules)):,}", "count": len(rules)}

    def repair(self, mend):
        """Return the line that says how far one rule would have to give way."""
        kind, area = mend.kind, mend.area
        more = {"place": self.place, "more": f"{ceiling_of(mend.amount):,}"}
        if kind == "pin":
            beds = round(mend.plan[self.codes.get_loc(area)].sum())
            more |= {"county": _named(self.region.counties, area), "code": area, "beds": beds}
        elif kind == "total":
            return self._new_target(mend, more)
        elif kind in STAFF:
            rules = [rule for rule in self.part.question.rules if rule.word == kind]
            limit = sum(int(rule.high) for rule in rules) + ceiling_of(mend.amount)
            more |= {"code": self.part.city or "", "limit": limit}
        elif kind == "budget":
            more |= {"limit": self.scenario.beds_budget + ceiling_of(mend.amount)}
        elif kind == "county":
            more |= {"cap": f"{self._cap(mend):.2f}"}
        elif kind == "convert":
            more |= {"share": f"{self._share(mend):.2f}"}
        return Fault(f"infeasible_beds_repair_{kind}", params=more)

    def _new_target(self, mend, more):
        if self.part.city is None:
            return Fault("infeasible_beds_repair_up_to", params=more)
        people, planned = int(self.persons.sum()), mend.plan.sum()
        asked = next(rule.high for rule in self.part.question.rules if rule.word == "total" and rule.high is not None)
        up = planned > asked
        beds = ceiling_of(planned) if up else int(planned + 1e-4)
        more |= {"density": _density_of(beds, people, up), "code": self.part.city}
        return Fault("infeasible_beds_repair_total_up" if up else "infeasible_beds_repair_total_down", params=more)

    def _is_frozen(self, i):
        """Return whether the county at ``i`` has more beds than its city's target gives it, and may have no more."""
        target = self.scenario.bed_targets[self.region.counties.at[self.codes[i], "city_code"]]
        return int(self.part.question.now[i].sum()) > half_up(int(self.persons[i]) * target / 1000)

    def cap_helps(self, mend):
        """Return whether another county cap, one that a scenario may state, allows the plan of a mend."""
        highest = {rule.rows[0]: rule.high for rule in self.part.question.rules if rule.word == "county"}
        over = [i for i, most in highest.items() if mend.plan[i].sum() > most + 1e-6]
        return not any(self._is_frozen(i) for i in over) and self._cap(mend) <= setting_of("beds.county_cap").high

    def _cap(self, mend):
        """Return the county cap, in hundredths upwards, that allows the plan of a mend."""
        caps = [Fraction(str(self.scenario.beds_county_cap))]
        for i, code in enumerate(self.codes):
            target = self.scenario.bed_targets[self.region.counties.at[code, "city_code"]]
            if self.persons[i] and target:
                caps.append(Fraction(ceiling_of(mend.plan[i].sum()) * 1000) / (target * int(self.persons[i])))
        return ceiling(max(caps) * 100) / 100

    def _share(self, mend):
        """Return the share of general beds, in hundredths upwards, that must be free to change their kind."""
        shares = [Fraction(str(self.scenario.beds_convert_share))]
        for c, (owner, kind) in enumerate(CELLS):
            if owner in PLANNED and kind == "general":
                for now, planned in zip(self.part.question.now[:, c], mend.plan[:, c], strict=True):
                    if now:
                        shares.append(Fraction(ceiling_of(now - planned), int(now)))
        return ceiling(max(shares) * 100) / 100


def _density_of(beds, persons, up):
    """Return beds per 1,000 as text, in as few decimals (two at least) as make these whole beds, or the next ones."""
    exact = Fraction(beds * 1000, max(persons, 1))
    for decimals in range(2, 7):
        step = 10**decimals
        density = Fraction(ceiling(exact * step) if up else (exact * step).__floor__(), step)
        if half_up(persons * density / 1000) == beds:
            break
    return f"{float(density):.{decimals}f}"


def _province(region, standards):
    code, name = region.province.index[0], region.province["name"].iloc[0]
    return Named(name, standards.cities[code].name_en if code in standards.cities else name)


def _named(frame, code):
    name = frame.at[code, "name"]
    return Named(name, frame.at[code, "name_en"] if "name_en" in frame else name)
