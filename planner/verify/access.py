"""Beds within reach of people, worked out anew: catchments in bands, how unequal people are, who is worst off."""

import math
from fractions import Fraction

import numpy as np

from planner.verify.facts import largest_remainder, metres_of
from planner.verify.limits import county_beds, limits_of, planned_cells
from planner.verify.stock import stock_of

SPLITS = ("now", "by_population", "plan")


def check_access_summary(ledger, facts, plan):
    """Check how even access is today, with each city's target shared out by persons, and as planned."""
    beds = {
        "now": stock_of(facts).county,
        "by_population": by_population(facts, limits_of(facts).total),
        "plan": county_beds(planned_cells(facts, plan)),
    }
    lines = [{"split": split} | summary(facts, beds[split]) for split in SPLITS]
    ledger.compare("access_summary", plan["access_summary"], ["split"], lines)
    ginis = {f"gini_{line['split']}": float(line["gini"]) for line in lines}
    return ginis | {"worst": float(lines[-1]["worst_per_1000"])}


def by_population(facts, target):
    """Return beds by county position: each city's ``target`` shared out by persons."""
    beds = [0] * len(facts.counties)
    for city in facts.cities:
        members = facts.counties_of(city["code"])
        persons = [facts.counties[i]["persons"] for i in members]
        for i, share in zip(members, largest_remainder(target[city["code"]], persons), strict=True):
            beds[i] = share
    return beds


def summary(facts, beds):
    """Return the figures of one distribution of beds (by county position) as the table tells them."""
    access = within_reach(facts, beds)
    persons = facts.county_persons
    worst = worst_county(access, persons)
    return {
        "gini": gini(access, persons),
        "worst_code": facts.counties[worst]["code"],
        "worst_county": facts.counties[worst]["name"],
        "worst_per_1000": access[worst],
        "mean_per_1000": mean(access, persons),
        "deviation": deviation(access, persons),
    }


def catchments(facts):
    """Return (shares, crowd): people of each county by weight within reach of each seat, and all people of a seat.

    Exact fractions, counties x seats: sum_{k in i} p_k w_kj, and its sums over the counties. A point within b / B of
    the reach, and no less, has the weight of band b.
    """
    if "catchments" not in facts.kept:
        weights = [Fraction(str(weight)) for weight in facts.scenario.beds_access_weights]
        common = math.lcm(*(weight.denominator for weight in weights))
        counts = [weight.numerator * (common // weight.denominator) for weight in weights]
        reach, size = metres_of(facts.scenario.beds_reach_km), len(facts.counties)
        persons = np.zeros((len(weights), size, size), dtype=np.int64)
        point, seat, metres = facts.within(facts.demand_at, facts.seats, reach)
        band = np.maximum(-(-metres * len(weights) // reach), 1) - 1
        np.add.at(persons, (band, facts.demand_county[point], seat), facts.demand_persons[point])
        weighed = sum(count * of.astype(object) for count, of in zip(counts, persons, strict=True))
        over = np.frompyfunc(lambda part: Fraction(part, common) if part else 0, 1, 1)
        facts.kept["catchments"] = over(weighed), over(weighed.sum(axis=0))
    return facts.kept["catchments"]


def reach_matrix(facts):
    """Return beds per 1,000 persons that one bed at each seat gives to each county, counties x seats; 0 for nobody."""
    shares, crowd = (each.astype(float) for each in catchments(facts))
    shared_by = facts.people_of_points[:, None] * crowd[None, :]
    return np.divide(1000 * shares, shared_by, out=np.zeros(shares.shape), where=shared_by > 0)


def within_reach(facts, beds):
    """Return beds per 1,000 persons within reach of each county's people, exact: two steps, enhanced by bands.

    Step 1: the beds of a seat are shared by all who reach it, by weight. Step 2: a demand point has the shares of all
    seats it reaches, by weight; a county has the mean of its people.
    """
    known = facts.kept.setdefault("within_reach", {})
    key = tuple(int(count) for count in beds)
    if key not in known:
        known[key] = [
            Fraction(1000 * sum(part * key[j] for j, part in parts), whole) if whole else Fraction(0)
            for parts, whole in _parts_of_beds(facts)
        ]
    return known[key]


def _parts_of_beds(facts):
    """Return for each county ([(seat, part of a bed there)], whole): whole numbers over a common denominator.

    A county has sum_j part_j beds_j / whole beds a person within reach; (..., 0) where nobody lives.
    """
    if "parts_of_beds" not in facts.kept:
        shares, crowd = catchments(facts)
        found = []
        for row, people in zip(shares, facts.people_of_points, strict=True):
            of_a_bed = {j: Fraction(row[j]) / crowd[j] for j in np.flatnonzero(row).tolist()}
            common = math.lcm(*(part.denominator for part in of_a_bed.values()))
            parts = [(j, int(part * common)) for j, part in of_a_bed.items()]
            found.append((parts, common * int(people)))
        facts.kept["parts_of_beds"] = found
    return facts.kept["parts_of_beds"]


def total(values):
    """Return the sum of exact numbers; over one common denominator, as fractions are slow to add one by one."""
    fractions = [Fraction(value) for value in values]
    common = math.lcm(*(each.denominator for each in fractions))
    return Fraction(sum(each.numerator * (common // each.denominator) for each in fractions), common)


def mean(access, persons):
    """Return the mean over persons, exact; 0 where nobody lives."""
    everyone = int(sum(persons))
    weighted = total(value * int(count) for value, count in zip(access, persons, strict=True))
    return weighted / everyone if everyone else Fraction(0)


def deviation(access, persons):
    """Return the mean over persons of the distance from the mean, exact."""
    middle = mean(access, persons)
    return mean([abs(value - middle) for value in access], persons)


def gini(access, persons):
    """Return the mean difference between two persons over twice the mean, exact; 0 where nobody has anything.

    sum_ij p_i p_j |a_i - a_j| / (2 P^2 mean)
    """
    ranked = sorted((value, int(count)) for value, count in zip(access, persons, strict=True))
    everyone, middle = sum(count for _, count in ranked), mean(access, persons)
    apart, before = [], 0
    for value, count in ranked:
        apart.append(value * (count * (2 * before + count - everyone)))
        before += count
    return total(apart) / (everyone * everyone * middle) if everyone and middle else Fraction(0)


def worst_county(access, persons):
    """Return the position of the least of ``access`` where people live; the first of equal ones."""
    lived_in = [i for i, count in enumerate(persons) if count]
    return min(lived_in, key=lambda i: (access[i], i))
