"""The documents' bed policy as rules: what every city and county must have, should have and may not have.

Figures of the documents come from the standards, what they leave open from the scenario. A rule that must hold is
strict; one that should hold may bend, and how far it bends is counted in beds.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geo.travel import distances, seat_points
from planner.models.bed_quotas import BedQuestion, Rule
from planner.rounding import ceiling, half_up, shared_out
from planner.services.stock import CELLS, KINDS, PLANNED, PUBLIC

SPECIALIST = ("psychiatric", "infectious", "oncology", "rehabilitation")
TABLE_1 = {  # owners of Table 1 and the standard of each
    "city_and_above": "t1_beds_city_and_above",
    "county_and_primary": "t1_beds_county_and_primary",
    "other_public": "t1_beds_other_public",
    "private": "t1_beds_private",
}
STAFF = {"staff": "t1_staff_bed_ratio", "nurses": "nurse_bed_ratio", "doctors": "doctor_bed_ratio"}
RULE_STANDARDS = {
    "private": TABLE_1["private"],
    "tcm": "t1_tcm_beds_per_1000",
    "psychiatric": "t1_psychiatric_beds_per_1000",
    "specialist": "public_specialist_bed_share",
    **{f"lean_{kind}": "incremental_bed_priority" for kind in KINDS},
    **{f"owner_{owner}": TABLE_1[owner] for owner in PUBLIC},
    "infectious_department": "infectious_dept_beds",
    "general_hospital": "county_general_hospital",
    "tcm_hospital": "county_tcm_hospital",
    "mental_hospital": "mental_hospital_over_3m",
    "reserve": "taiyuan_bed_reserve",
    "surge": "bed_emptying_mechanism",
    "surge_icu": "bed_emptying_mechanism",
    "facility_freeze": "freeze_occupancy",
    **STAFF,
}
ABOVE_TARGET = "freeze_city_above_target"
INFECTIOUS = ("infectious_hospital_beds_regional", "infectious_hospital_beds_other")
GUARD = "guard"
MUST = 10.0  # what a must weighs beside a should: beds that a city is promised, and musts that were allowed to bend
FIRST, SECOND, THIRD = 3.0, 2.0, 1.0
STRATEGIES = (("重点扶持", FIRST), ("促进发展", SECOND))  # of Table 2, in the order in which targets give way last


@dataclass(frozen=True)
class Aims:
    """What the rules rest on, all int. ``total`` {city: T}; ``frozen`` cities that are above their target already.

    equal    T shared out by persons, none below today's beds; ``highest`` the most a county may have
    private  reserved by county; ``guides`` {(city, owner): beds} of the public owners
    """

    total: dict
    frozen: frozenset
    frozen_counties: frozenset
    equal: np.ndarray
    highest: np.ndarray
    private: np.ndarray
    guides: dict


def members_of(region):
    """Return {city code: positions of its counties}."""
    city_of = region.counties["city_code"].to_numpy()
    return {code: np.flatnonzero(city_of == code) for code in region.cities.index}


def aims_of(region, standards, scenario, stock):
    """Return the :class:`Aims` of a scenario."""
    counties, members = region.counties, members_of(region)
    persons = counties["persons"].to_numpy(dtype=np.int64)
    total, frozen, frozen_counties, guides = {}, set(), set(), {}
    equal, highest, private = (np.zeros(len(counties), dtype=np.int64) for _ in range(3))
    cap = Fraction(str(scenario.beds_county_cap))
    reserve = standards["t1_beds_private"].value
    for code, here in members.items():
        target = scenario.bed_targets[code]
        asked = half_up(int(persons[here].sum()) * target / 1000)
        total[code] = max(asked, stock.city[code])
        if asked < stock.city[code]:
            frozen.add(code)
        equal[here] = none_below(shared_out(total[code], persons[here]), stock.county[here])
        for i in here:
            own = half_up(int(persons[i]) * target / 1000)
            above = stock.county[i] > own
            if above and code not in frozen:  # else the city is named, with all its counties
                frozen_counties.add(counties.index[i])
            most = max(ceiling(int(persons[i]) * target * cap / 1000), int(stock.county[i]), int(equal[i]))
            highest[i] = stock.county[i] if above else most
            now = int(stock.cells[i, CELLS.index(("private", "general"))])
            private[i] = now if above or code in frozen else max(now, half_up(int(persons[i]) * reserve / 1000))
        other = half_up(int(persons[here].sum()) * standards[TABLE_1["other_public"]].value / 1000)
        rest = max(total[code] - int(private[here].sum()) - other, 0)
        above, below = (standards[TABLE_1[owner]].value for owner in PLANNED)
        first = half_up(rest * above / (above + below))
        guides |= {(code, PLANNED[0]): first, (code, PLANNED[1]): rest - first, (code, "other_public"): other}
    return Aims(total, frozenset(frozen), frozenset(frozen_counties), equal, highest, private, guides)


def none_below(shares, lowest):
    """Return ``shares``, none below ``lowest``: each bed short comes from the county with most to spare."""
    shares, lowest = [int(s) for s in shares], [int(low) for low in lowest]
    for i, low in enumerate(lowest):
        while shares[i] < low:
            spare = max(range(len(shares)), key=lambda j: (shares[j] - lowest[j], -j))
            shares[spare] -= 1
            shares[i] += 1
    return shares


def bed_question(region, standards, scenario, stock, aims, closed, reach):
    """Return the :class:`BedQuestion` of a scenario.

    closed  booleans counties x ``PLANNED``: public general beds may not grow (see :mod:`planner.services.freezes`)
    reach   K of :func:`planner.access.e2sfca`
    """
    lowest, highest = _bounds(scenario, stock, aims, closed)
    counties = region.counties
    seats = seat_points(counties)
    writer = _Writer(region, standards, scenario, stock, aims, closed)
    guards = guard_rules(region, aims, reach) if scenario.beds_guard else ()
    return BedQuestion(
        persons=counties["persons"].to_numpy(dtype=np.int64),
        reach=reach,
        now=stock.cells,
        lowest=lowest,
        highest=highest,
        guide=np.clip(_guide(region, standards, scenario, stock, aims), lowest, highest),
        equal=aims.equal,
        added=np.array([owner in PLANNED for owner, _ in CELLS]),
        closed=np.array([owner == "other_public" for owner, _ in CELLS]),
        owners=tuple(tuple(c for c, (o, _) in enumerate(CELLS) if o == owner) for owner in PLANNED),
        rules=(*writer.all(), *guards),
        km=distances(seats, seats, scenario.detour_factor) / 1000,
        prices=(scenario.beds_cost_new, scenario.beds_cost_convert),
        budget=scenario.beds_budget or None,
    )


def _bounds(scenario, stock, aims, closed):
    """Return (lowest, highest) beds of every cell: nothing known is closed, general beds may change their kind."""
    lowest = stock.cells.copy()
    highest = np.repeat(np.maximum(aims.highest, stock.county)[:, None], len(CELLS), axis=1)
    convert = Fraction(str(scenario.beds_convert_share))
    for c, (owner, kind) in enumerate(CELLS):
        if owner == "other_public":
            lowest[:, c], highest[:, c] = 0, stock.cells[:, c]
        elif owner == "private":
            lowest[:, c] = highest[:, c] = aims.private
        elif kind == "general":
            lowest[:, c] = [now - (int(now) * convert).__floor__() for now in stock.cells[:, c]]
            highest[closed[:, PLANNED.index(owner)], c] = stock.cells[closed[:, PLANNED.index(owner)], c]
    return lowest, np.maximum(lowest, highest)


class _Writer:
    """Writes the rules in the order in which they are told: city by city, county by county, the province last."""

    def __init__(self, region, standards, scenario, stock, aims, closed):
        self.region, self.standards, self.scenario = region, standards, scenario
        self.stock, self.aims, self.closed = stock, aims, closed
        self.persons = region.counties["persons"].to_numpy(dtype=np.int64)
        self.place = {code: i for i, code in enumerate(region.counties.index)}

    def all(self):
        for code, here in members_of(self.region).items():
            yield from self._city(code, here)
        for code, i in self.place.items():
            yield from self._county(code, i)

    def _rule(self, word, area, rows, owners, kinds, low=None, high=None, strict=True, weight=1.0, times=None):
        """Return a rule over the cells of ``owners`` and ``kinds`` in ``rows``; ``times`` {kind: weight}, 1 else."""
        cells = [c for c, (owner, kind) in enumerate(CELLS) if owner in owners and kind in kinds]
        times = times or {}
        return Rule(
            word,
            area,
            tuple(int(i) for i in rows for _ in cells),
            tuple(c for _ in rows for c in cells),
            tuple(times.get(CELLS[c][1], 1) for _ in rows for c in cells),
            low,
            high,
            strict,
            weight,
        )

    def _floor(self, word, area, rows, owners, kinds, low):
        """Return a must that a planner may have let bend."""
        bends = word in self.scenario.beds_may_bend
        return self._rule(word, area, rows, owners, kinds, low, strict=not bends, weight=MUST if bends else 1.0)

    def _city(self, code, here):
        scenario, standards, total = self.scenario, self.standards, self.aims.total[code]
        people = int(self.persons[here].sum())
        new = total - self.stock.city[code]
        everyone, planned = (*PUBLIC, "private"), PLANNED
        yield self._rule("total", code, here, everyone, KINDS, None, total)
        if scenario.beds_rule == "exact":
            yield self._rule("total", code, here, everyone, KINDS, total, None)
        else:
            yield self._rule("total", code, here, everyone, KINDS, total, None, False, MUST * self._strategy(code))
        tcm, psychiatric = (standards[id].value for id in ("t1_tcm_beds_per_1000", "t1_psychiatric_beds_per_1000"))
        yield self._should("tcm", code, here, ("tcm",), half_up(people * tcm / 1000))
        yield self._should("psychiatric", code, here, ("psychiatric",), ceiling(people * psychiatric / 1000))
        share = standards["public_specialist_bed_share"].value / 100
        times = {kind: (1 if kind in SPECIALIST else 0) - share for kind in KINDS}
        yield self._rule("specialist", code, here, PUBLIC, KINDS, 0, strict=False, times=times)
        for kind, lean in scenario.beds_lean.items():
            yield self._should(f"lean_{kind}", code, here, (kind,), ceiling(Fraction(str(lean)) * new))
        for owner in PUBLIC:
            guide = self.aims.guides[code, owner]
            yield self._rule(f"owner_{owner}", code, here, (owner,), KINDS, guide, guide, False)
        seat = self.place[self.region.cities.at[code, "seat_county_code"]]
        floor = hospital_floor(standards, code)
        if floor:
            own = floor + department_floor(standards, code)
            yield self._floor("infectious_hospital", code, [seat], ("city_and_above",), ("infectious",), own)
        if code in scenario.national_centres:
            kept = ceiling(Fraction(str(scenario.beds_national_reserve)) * new)
            now = sum(int(self.stock.cells[i, c]) for i in here for c, (o, _) in enumerate(CELLS) if o == PLANNED[0])
            yield self._rule("reserve", code, here, PLANNED[:1], KINDS, now + kept, strict=False)
        if scenario.surge_inpatients:
            beds, icu = surge_needs(scenario, people)
            clear = Fraction(str(scenario.surge_convertible_percent)) / 100
            parts = ("infectious", "general")
            yield self._rule("surge", code, here, PUBLIC, parts, beds, strict=False, times={"general": clear})
            parts = ("critical", "infectious")
            ward = icu_share(standards)
            yield self._rule("surge_icu", code, here, PUBLIC, parts, icu, strict=False, times={"infectious": ward})
        for word, id in STAFF.items():
            limits = getattr(scenario, f"beds_{word}")
            if code in limits:
                each = dict.fromkeys(KINDS, standards[id].value)
                yield self._rule(word, code, here, everyone, KINDS, None, limits[code], times=each)
        for i in here:
            for owner in planned:
                now = int(sum(self.stock.cells[i, c] for c, (o, _) in enumerate(CELLS) if o == owner))
                yield self._rule("keep", self.region.counties.index[i], [i], (owner,), KINDS, now)

    def _should(self, word, area, rows, kinds, low):
        return self._rule(word, area, rows, PUBLIC, kinds, low, strict=False)

    def _strategy(self, code):
        said = self.standards.cities[code].strategy_zh if code in self.standards.cities else ""
        return next((weight for word, weight in STRATEGIES if word in said), THIRD)

    def _county(self, code, i):
        scenario = self.scenario
        everyone = (*PUBLIC, "private")
        yield self._rule("county", code, [i], everyone, KINDS, None, int(self.aims.highest[i]))
        if code in scenario.beds_pins:
            pin = scenario.beds_pins[code]
            yield self._rule("pin", code, [i], everyone, KINDS, pin, pin)
        if not self.persons[i]:
            return
        ward = int(self.standards["infectious_dept_beds"].value)
        yield self._floor("infectious_department", code, [i], ("county_and_primary",), ("infectious",), ward)
        for kind in ("general", "tcm"):
            yield self._floor(f"{kind}_hospital", code, [i], PLANNED, (kind,), scenario.beds_hospital_least)


def rule_standard(standards, word, area, city):
    """Return the standard behind a rule of an area in ``city``; None for what the scenario asks."""
    if word in ("total", "county"):
        return standards.city_bed_target(city)
    if word == "infectious_hospital":
        return next((standards[id] for id in INFECTIOUS if area in standards.city_codes(id)), None)
    return standards[RULE_STANDARDS[word]] if word in RULE_STANDARDS else None


def guard_rules(region, aims, reach):
    """Return the rules that a county with little within its reach keeps what it has when beds are shared by population.

    Little is less than the mean of all persons. The floor is a hundredth below: whole beds cannot hit it to the digit.
    """
    persons = region.counties["persons"].to_numpy(dtype=np.int64)
    within = np.round(reach @ aims.equal, 6)
    mean = float((within * persons).sum() / max(persons.sum(), 1))
    for i in np.flatnonzero((within < mean) & (persons > 0)):
        seats = [int(j) for j in np.flatnonzero(reach[i])]
        yield Rule(
            GUARD,
            region.counties.index[i],
            tuple(j for j in seats for _ in CELLS),
            tuple(c for _ in seats for c in range(len(CELLS))),
            tuple(float(reach[i, j]) for j in seats for _ in CELLS),
            low=(int(round(within[i] * 1_000_000) // 10_000) - 1) / 100,
            aim=float(within[i]) - 1e-6,
        )


def hospital_floor(standards, city):
    """Return the least beds of a city's infectious hospital; 0 for a city that no document names."""
    standard = rule_standard(standards, "infectious_hospital", city, city)
    return 0 if standard is None else int(standard.value)


def department_floor(standards, city):
    """Return the least beds of the infectious departments that named hospitals of a city must have."""
    each = standards["infectious_dept_beds_named5"]
    return int(each.value) * standards.institution_codes(each.id).count(city)


def icu_share(standards):
    """Return the share of an infectious hospital's beds that are, or can become, intensive care beds."""
    ids = ("infectious_hospital_icu_share", "infectious_hospital_convertible_share")
    return sum(standards[id].value for id in ids) / 100


def surge_needs(scenario, people):
    """Return (beds, intensive care beds) that an epidemic asks of a city of ``people``."""
    beds = ceiling(Fraction(str(scenario.surge_inpatients)) * people / 10_000)
    return beds, ceiling(Fraction(str(scenario.surge_icu_percent)) / 100 * beds)


def _guide(region, standards, scenario, stock, aims):
    """Return beds by county and cell when everything follows residents: what ties are settled by."""
    counties = region.counties
    persons = counties["persons"].to_numpy(dtype=np.int64)
    seats = {region.cities.at[code, "seat_county_code"]: code for code in region.cities.index}
    per_1000 = {"tcm": standards["t1_tcm_beds_per_1000"].value, "psychiatric": None}
    per_1000["psychiatric"] = standards["t1_psychiatric_beds_per_1000"].value
    above, below = (standards[TABLE_1[owner]].value for owner in PLANNED)
    guide = np.zeros_like(stock.cells)
    for i, code in enumerate(counties.index):
        people = int(persons[i])
        other = min(half_up(people * standards[TABLE_1["other_public"]].value / 1000), int(stock.cells[i, -2]))
        rest = max(int(aims.equal[i]) - int(aims.private[i]) - other, 0)
        first = half_up(rest * above / (above + below))
        room = {PLANNED[0]: first, PLANNED[1]: rest - first}
        beds = {owner: dict.fromkeys(KINDS, 0) for owner in PLANNED}
        beds[PLANNED[1]]["infectious"] = int(standards["infectious_dept_beds"].value) if people else 0
        if code in seats:
            beds[PLANNED[0]]["infectious"] = hospital_floor(standards, seats[code]) + department_floor(
                standards, seats[code]
            )
        new = max(int(aims.equal[i]) - int(stock.county[i]), 0)
        wanted = {kind: half_up(people * each / 1000) for kind, each in per_1000.items()}
        wanted |= {kind: half_up(Fraction(str(lean)) * new) for kind, lean in scenario.beds_lean.items()}
        for kind, number in wanted.items():
            part = half_up(number * above / (above + below))
            beds[PLANNED[0]][kind], beds[PLANNED[1]][kind] = part, number - part
        for owner in PLANNED:
            beds[owner]["general"] = max(room[owner] - sum(beds[owner].values()), 0)
        for c, (owner, kind) in enumerate(CELLS[:-2]):
            guide[i, c] = beds[owner][kind]
        guide[i, -2:] = other, aims.private[i]
    return _with_specialists(guide, region, standards)


def _with_specialists(guide, region, standards):
    """Return the guide with general beds turned into oncology and rehabilitation where specialist beds fall short."""
    public = [c for c, (owner, _) in enumerate(CELLS) if owner in PUBLIC]
    special = [c for c in public if CELLS[c][1] in SPECIALIST]
    share = standards["public_specialist_bed_share"].value / 100
    for here in members_of(region).values():
        asked = ceiling(share * int(guide[np.ix_(here, public)].sum()))
        short = max(asked - int(guide[np.ix_(here, special)].sum()), 0)
        for owner, kind in ((owner, kind) for kind in ("oncology", "rehabilitation") for owner in PLANNED):
            general, to = CELLS.index((owner, "general")), CELLS.index((owner, kind))
            part = shared_out(half_up(Fraction(short, 4)), guide[here, general])
            moved = np.minimum(part, guide[here, general])
            guide[here, general] -= moved
            guide[here, to] += moved
    return guide
