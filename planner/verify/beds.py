"""Beds by place, owner and kind, worked out anew: only how many a county gets of each is taken from the plan."""

from fractions import Fraction

from planner.verify import access
from planner.verify.bed_rules import guides, source_of, table_3
from planner.verify.facts import half_up
from planner.verify.limits import beds_of, ceiling, cell_limits, county_beds, limits_of, planned_cells
from planner.verify.shapes import KINDS, OWNERS
from planner.verify.stock import CELLS, GROWING, PUBLIC, stock_of

TABLE_1 = {
    "total": "t1_beds_per_1000",
    **{owner: f"t1_beds_{owner}" for owner in OWNERS},
    "tcm": "t1_tcm_beds_per_1000",
    "psychiatric": "t1_psychiatric_beds_per_1000",
}


def per_1000(beds, persons):
    """Return beds per 1,000 persons, exact; None where nobody lives."""
    return Fraction(1000 * beds, persons) if persons else None


def check_beds_by_city(ledger, facts, plan):
    """Check every figure of a city: its stock, its target in whole beds, a plan that is the target or keeps it."""
    stock, limits, cells = stock_of(facts), limits_of(facts), planned_cells(facts, plan)
    expected = []
    for city in facts.cities:
        code, persons = city["code"], city["persons"]
        now, target, planned = stock.city[code], limits.total[code], beds_of(cells, facts.counties_of(code))
        expected.append(
            {
                "code": code,
                "name": city["name"],
                "persons": persons,
                "beds_now": now,
                "beds_target": target,
                "beds_plan": planned,
                "beds_new": planned - now,
                "now_per_1000": per_1000(now, persons),
                "target_per_1000": Fraction(facts.scenario.bed_targets[code]),
                "plan_per_1000": per_1000(planned, persons),
            }
        )
        if planned > target or (planned < target and facts.scenario.beds_rule == "exact"):
            ledger.fail("beds_sum", code=code, city=city["name"], found=planned, expected=target)
    ledger.compare("beds_by_city", plan["beds_by_city"], ["code"], expected)
    now, target, planned = (sum(line[key] for line in expected) for key in ("beds_now", "beds_target", "beds_plan"))
    return {"now": now, "target": target, "plan": planned, "cities": len(expected)}


def _on_county(county):
    return {key: county[key] for key in ("code", "name", "city_code", "persons")}


def check_beds_by_county(ledger, facts, plan):
    """Check each county's stock, what the plan adds, and the beds within reach of its people today and as planned."""
    now, planned = stock_of(facts).county, county_beds(planned_cells(facts, plan))
    reach_now, reach_plan = access.within_reach(facts, now), access.within_reach(facts, planned)
    expected = [
        _on_county(county)
        | {
            "beds_now": now[i],
            "beds_plan": planned[i],
            "beds_new": planned[i] - now[i],
            "now_per_1000": per_1000(now[i], county["persons"]),
            "plan_per_1000": per_1000(planned[i], county["persons"]),
            "reach_now_per_1000": reach_now[i],
            "reach_plan_per_1000": reach_plan[i],
        }
        for i, county in enumerate(facts.counties)
    ]
    ledger.compare("beds_by_county", plan["beds_by_county"], ["code"], expected)
    return {"counties": len(expected), "least": float(min(reach_plan)), "most": float(max(reach_plan))}


def check_bed_quotas(ledger, facts, plan):
    """Check today's beds of every cell, and that none loses what it must keep or gets what it may not have."""
    frame, stock, cells = plan["bed_quotas"], stock_of(facts), planned_cells(facts, plan)
    expected = []
    for i, county in enumerate(facts.counties):
        for cell in CELLS:
            line = {key: county[key] for key in ("code", "name", "city_code")} | {"owner": cell[0], "kind": cell[1]}
            now = stock.told(i, cell)
            expected.append(line | {"beds_now": now, "beds_new": None if now is None else cells[i][cell] - now})
    ledger.compare("bed_quotas", frame, ["code", "owner", "kind"], expected)
    for row, line in enumerate(frame.to_dict("records")):
        i, cell, found = facts.county.get(line["code"]), (line["owner"], line["kind"]), line["beds_plan"]
        if i is None or cell not in CELLS:
            continue
        place = {"table": "bed_quotas", "row": row + 2, "who": f"{line['code']} {' '.join(cell)}"}
        least, most = cell_limits(facts, stock, i, cell)
        if found < least:
            ledger.fail("beds_fewer", **place, column="beds_plan", found=found, expected=least)
        if most is not None and found > most:
            ledger.fail("beds_more", **place, column="beds_plan", found=found, expected=most)
    for i, county in enumerate(facts.counties):
        for owner in GROWING:
            found, least = beds_of(cells, [i], (owner,)), stock.owner(i, owner)
            if found < least:
                ledger.fail("owner_fewer", code=county["code"], owner=owner, found=found, expected=least)
    return {"cells": len(expected), "beds": sum(county_beds(cells))}


def check_bed_standards(ledger, facts, plan):
    """Check each county's bed standard: its beds in all, by owner and by kind, and the clause it rests on."""
    cells, expected = planned_cells(facts, plan), []
    for i, county in enumerate(facts.counties):
        standard, planned = table_3(facts, county["city_code"]), sum(cells[i].values())
        line = _on_county(county) | {"plan_per_1000": per_1000(planned, county["persons"]), "beds_plan": planned}
        line |= {owner: beds_of(cells, [i], (owner,)) for owner in OWNERS}
        line |= {kind: beds_of(cells, [i], None, (kind,)) for kind in KINDS}
        expected.append(line | source_of(standard))
    ledger.compare("bed_standards", plan["bed_standards"], ["code"], expected)
    return {"counties": len(expected), "beds": sum(line["beds_plan"] for line in expected)}


def check_bed_structure(ledger, facts, plan):
    """Check beds by owner and kind, of the province and of each city, against what the documents ask for."""
    cells, expected = planned_cells(facts, plan), []
    code, name = facts.region.province.index[0], facts.region.province["name"].iloc[0]
    province = {"code": code, "name": name, "persons": facts.persons}
    for area in (province, *facts.cities):
        here = range(len(facts.counties)) if area is province else facts.counties_of(area["code"])
        items = [("total", "total", OWNERS, KINDS), *(("owner", owner, (owner,), KINDS) for owner in OWNERS)]
        items += [("kind", kind, OWNERS, (kind,)) for kind in KINDS]
        for part, item, owners, kinds in items:
            line = {"area_code": area["code"], "area": area["name"], "part": part, "item": item}
            now, planned = _known(facts, here, part, owners, kinds), beds_of(cells, here, owners, kinds)
            standard, target = _asked(facts, item, area, here, area is province)
            expected.append(line | _held(now, planned, standard, target, area["persons"]))
    ledger.compare("bed_structure", plan["bed_structure"], ["area_code", "part", "item"], expected)
    return {"rows": len(expected), "met": sum(line["verdict"] in ("met", "over") for line in expected)}


def _known(facts, here, part, owners, kinds):
    """Return the beds of today; None for a kind whose beds nobody has counted in some place."""
    stock = stock_of(facts)
    told = [stock.told(i, cell) for i in here for cell in CELLS if cell[0] in owners and cell[1] in kinds]
    if part == "kind" and None in told:
        return None
    return sum(beds or 0 for beds in told)


def _asked(facts, item, area, here, of_province):
    """Return (standard, beds) that the documents ask of an item; (None, None) where they say nothing of it."""
    if item not in TABLE_1:
        return None, None
    standard, persons = facts.standards[TABLE_1[item]], area["persons"]
    if not of_province and item == "total":
        return table_3(facts, area["code"]), limits_of(facts).total[area["code"]]
    if not of_province and item in PUBLIC:
        return standard, guides(facts, area)[item]
    if not of_province and item == "private":
        return standard, sum(limits_of(facts).private[i] for i in here)
    whole = ceiling if standard.comparator == ">=" else half_up
    return standard, whole(Fraction(standard.value) * persons / 1000)


def _held(now, planned, standard, target, persons):
    """Return the figures of one row, with the verdict of a plan against its target.

    A floor is held against whole beds; a figure "about" is met where it is printed the same.
    """
    line = {"beds_now": now, "beds_plan": planned, "plan_per_1000": per_1000(planned, persons)}
    line |= {"nature_now": "no_data" if now is None else "modelled"}
    if target is None:
        empty = dict.fromkeys(("beds_target", "gap", "target_per_1000"))
        return line | empty | {"document": "", "clause": "", "verdict": "no_data"}
    same = [persons and half_up(Fraction(100_000 * beds, persons)) for beds in (planned, target)]
    floor = standard is not None and standard.comparator == ">="
    about = not floor and persons and same[0] == same[1]
    verdict = "met" if planned == target or about else "over" if planned > target else "unmet"
    if floor and verdict == "over":
        verdict = "met"
    line |= {"beds_target": target, "gap": planned - target, "target_per_1000": per_1000(target, persons)}
    return line | source_of(standard) | {"verdict": verdict}
