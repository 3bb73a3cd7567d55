"""Beds, worked out anew: stock and target from the standards in exact fractions, and what lies within reach."""

import math
from fractions import Fraction

import numpy as np

from planner.verify.facts import half_up, largest_remainder


def bed_stocks(facts):
    """Return beds today by city code and by county position: the documents' density x persons, shared out."""
    by_city, by_county = {}, [0] * len(facts.counties)
    for city in facts.cities:
        base = facts.standards.city_bed_target(city["code"]).base_value
        by_city[city["code"]] = half_up(Fraction(base) * city["persons"] / 1000)
        counties = facts.counties_of(city["code"])
        shares = largest_remainder(by_city[city["code"]], [facts.counties[i]["persons"] for i in counties])
        for i, share in zip(counties, shares, strict=True):
            by_county[i] = share
    return by_city, by_county


def check_beds_by_city(ledger, facts, plan):
    """Check every figure of a city: its stock, its target in whole beds, a plan that is the target."""
    now, _ = bed_stocks(facts)
    planned = _planned(facts, plan)
    expected, totals = [], [0, 0]
    for city in facts.cities:
        target = target_beds(facts, city)
        beds = now[city["code"]]
        totals = [totals[0] + beds, totals[1] + target]
        expected.append(
            {
                "code": city["code"],
                "name": city["name"],
                "persons": city["persons"],
                "beds_now": beds,
                "beds_target": target,
                "beds_plan": target,
                "beds_new": target - beds,
                "now_per_1000": per_1000(beds, city["persons"]),
                "target_per_1000": Fraction(facts.scenario.bed_targets[city["code"]]),
                "plan_per_1000": per_1000(target, city["persons"]),
            }
        )
        if planned.get(city["code"]) not in (None, target):
            found = planned[city["code"]]
            ledger.fail("beds_sum", code=city["code"], city=city["name"], found=found, expected=target)
    ledger.compare("beds_by_city", plan["beds_by_city"], ["code"], expected)
    return {"now": totals[0], "target": totals[1], "cities": len(expected)}


def _planned(facts, plan):
    """Return the beds planned in a city's counties, by city code."""
    sums = {}
    for code, beds in plan["beds_by_county"][["code", "beds_plan"]].itertuples(index=False):
        if code in facts.county:
            city = facts.counties[facts.county[code]]["city_code"]
            sums[city] = sums.get(city, 0) + beds
    return sums


def planned_beds(facts, plan):
    """Return the beds planned by county position; 0 for a county the table leaves out."""
    frame = plan["beds_by_county"]
    stated = dict(zip(frame["code"], frame["beds_plan"], strict=True))
    return [stated.get(county["code"], 0) for county in facts.counties]


def check_beds_by_county(ledger, facts, plan):
    """Check each county's stock, what the plan adds, and the beds within reach of its seat today and as planned."""
    frame = plan["beds_by_county"]
    _, now = bed_stocks(facts)
    planned = planned_beds(facts, plan)
    reach_now, reach_plan = reach_per_1000(facts, now), reach_per_1000(facts, planned)
    expected = []
    for i, county in enumerate(facts.counties):
        expected.append(
            {
                **{key: county[key] for key in ("code", "name", "city_code", "persons")},
                "beds_now": now[i],
                "beds_new": planned[i] - now[i],
                "now_per_1000": per_1000(now[i], county["persons"]),
                "plan_per_1000": per_1000(planned[i], county["persons"]),
                "reach_now_per_1000": reach_now[i],
                "reach_plan_per_1000": reach_plan[i],
            }
        )
    ledger.compare("beds_by_county", frame, ["code"], expected)
    _, least, most = bed_limits(facts)
    for row, (code, found) in enumerate(zip(frame["code"], frame["beds_plan"], strict=True)):
        place = {"table": "beds_by_county", "row": row + 2, "who": code, "column": "beds_plan", "found": found}
        i = facts.county.get(code)
        if i is not None and found < least[i]:
            ledger.fail("beds_fewer", **place, expected=least[i])
        if i is not None and found > most[i]:
            ledger.fail("beds_more", **place, expected=most[i])
    return {"counties": len(expected), "least": float(min(reach_plan)), "most": float(max(reach_plan))}


def reach_per_1000(facts, beds):
    """Return beds per 1,000 within reach of each county's seat (two-step floating catchment on the seats), exact.

    Step 1: a county's beds are shared by the persons of all counties whose seat lies within reach of its seat. Step
    2: a county has the shares of all seats within reach of its own.
    """
    near = facts.seats_within_reach()
    sharing = near @ facts.county_persons
    share = [Fraction(int(b) * 1000, int(p)) if p else Fraction(0) for b, p in zip(beds, sharing, strict=True)]
    return [sum((share[j] for j in np.flatnonzero(row)), Fraction(0)) for row in near]


def per_1000(beds, persons):
    """Return beds per 1,000 persons, exact; None where nobody lives."""
    return Fraction(1000 * beds, persons) if persons else None


def bed_limits(facts):
    """Return (equal share, least, most) beds of each county, by position.

    Equal share: the city's target shared out by persons, raised to the stock where it would fall below, one bed at a
    time from the county with most to spare. Most: ``beds_county_cap`` times the city's target per person, and never
    below the equal share.
    """
    _, now = bed_stocks(facts)
    equal, most = [0] * len(now), [0] * len(now)
    cap = Fraction(str(facts.scenario.beds_county_cap))
    for city in facts.cities:
        counties = facts.counties_of(city["code"])
        shares = largest_remainder(target_beds(facts, city), [facts.counties[i]["persons"] for i in counties])
        for i, share in zip(counties, shares, strict=True):
            equal[i] = share
        while any(equal[i] < now[i] for i in counties) and sum(equal[i] - now[i] for i in counties) >= 0:
            equal[next(i for i in counties if equal[i] < now[i])] += 1
            equal[max(counties, key=lambda i: (equal[i] - now[i], -i))] -= 1
        for i in counties:
            density = Fraction(facts.scenario.bed_targets[city["code"]]) * cap
            most[i] = max(equal[i], math.ceil(density * facts.counties[i]["persons"] / 1000))
    return equal, now, most


def target_beds(facts, city):
    """Return a city's target in whole beds: persons x beds per 1,000, halves up."""
    return half_up(Fraction(facts.scenario.bed_targets[city["code"]]) * city["persons"] / 1000)


class Unevenness:
    """The measure by which beds are shared out to counties, in beds per 1,000 persons.

    The persons-weighted mean distance of reach from the city's own mean, and ``beds_steadiness`` times the beds that
    are away from equal shares.
    """

    def __init__(self, facts):
        self.facts = facts
        self.equal, self.least, self.most = bed_limits(facts)
        persons = facts.county_persons.astype(float)
        sharing = facts.seats_within_reach() @ persons
        self._reach = np.where(facts.seats_within_reach(), 1000.0 / np.maximum(sharing, 1.0)[None, :], 0.0)
        self._members = [np.array(facts.counties_of(city["code"]), dtype=int) for city in facts.cities]
        self._persons = persons

    def __call__(self, planned):
        """Return the measure of whole beds by county position."""
        moved = np.abs(np.asarray(planned, dtype=float) - np.asarray(self.equal)).sum()
        steadiness = self.facts.scenario.beds_steadiness
        return self.spread(planned) + 1000.0 * steadiness * moved / max(self._persons.sum(), 1.0)

    def spread(self, planned):
        """Return the part of the measure that is about reach alone."""
        within, uneven = self._reach @ np.asarray(planned, dtype=float), 0.0
        for members in self._members:
            persons = self._persons[members]
            mean = (within[members] * persons).sum() / max(persons.sum(), 1.0)
            uneven += (np.abs(within[members] - mean) * persons).sum()
        return uneven / max(self._persons.sum(), 1.0)

    def best_move(self, planned):
        """Return (what is changed, its measure) for the best move of one bed within a city; None without one."""
        best = None
        for members in self._members:
            for away in members:
                for to in members:
                    if away == to or planned[away] <= self.least[away] or planned[to] >= self.most[to]:
                        continue
                    moved = list(planned)
                    moved[away], moved[to] = moved[away] - 1, moved[to] + 1
                    value = self(moved)
                    if best is None or value < best[1]:
                        codes = [self.facts.counties[i]["code"] for i in (away, to)]
                        best = f"{codes[0]} -> {codes[1]}", value
        return best
