"""Regional centres and their catchments, the documents' and the freely chosen, worked out anew."""

from fractions import Fraction

import numpy as np

from planner.verify.shapes import NotChecked


def documents_centres(facts):
    """Return the centres the scenario fixes, national ones first: dicts with name, city_code, level, lon, lat."""
    centres = {}
    for level, codes in (
        ("provincial", facts.scenario.provincial_centres),
        ("national", facts.scenario.national_centres),
    ):
        for code in codes:
            city = facts.cities[facts.city[code]]
            place = {"name": city["name"], "city_code": code, "lon": city["lon"], "lat": city["lat"]}
            centres[code] = place | {"level": level}
    codes = dict.fromkeys([*facts.scenario.national_centres, *facts.scenario.provincial_centres])
    return [centres[code] for code in codes]


def check_centres(ledger, facts, plan):
    """Check that the centres are those of the documents, at the city seats, each with the people of its catchment."""
    centres = documents_centres(facts)
    _, position = _catchments(facts, centres)
    for k, centre in enumerate(centres):
        centre["persons"] = int(facts.county_persons[position == k].sum())
    ledger.compare("centres", plan["centres"], ["city_code"], centres)
    return {"centres": len(centres), "persons": sum(centre["persons"] for centre in centres)}


def check_catchments(ledger, facts, plan):
    """Check that every county belongs to its nearest centre, at that distance."""
    centres = documents_centres(facts)
    metres, position = _catchments(facts, centres)
    codes = [centres[k]["city_code"] for k in position]
    return _compare_catchments(ledger, facts, plan, "catchments", "centre_city_code", metres, codes)


def _catchments(facts, centres):
    """Return (metres, position in ``centres``) of each county's nearest centre; ties to the smallest code."""
    order = sorted(range(len(centres)), key=lambda k: centres[k]["city_code"])
    at = np.array([[centres[k]["lon"], centres[k]["lat"]] for k in order], dtype=float)
    metres, position = facts.nearest(facts.seats, at)
    return metres, np.array(order, dtype=int)[position]


def documents_metres(facts):
    """Return metres from each county's seat to its nearest centre of the documents."""
    return _catchments(facts, documents_centres(facts))[0]


def _compare_catchments(ledger, facts, plan, table, column, metres, codes):
    expected = [
        {"county_code": county["code"], "county": county["name"], "persons": county["persons"], column: codes[i]}
        | {"km": Fraction(int(metres[i]), 1000)}
        for i, county in enumerate(facts.counties)
    ]
    ledger.compare(table, plan[table], ["county_code"], expected)
    return {
        "counties": len(expected),
        "person_km": person_metres(facts, metres) // 1000,
        "farthest": float(metres.max() / 1000),
    }


def person_metres(facts, metres):
    """Return the sum of persons x metres over the counties."""
    return sum(int(persons) * int(far) for persons, far in zip(facts.county_persons, metres, strict=True))


def free_centres(facts, plan):
    """Return the positions of the counties where the freely chosen centres stand; None for a code that is none."""
    return [facts.county.get(code) for code in plan["centres_free"]["county_code"]]


def check_centres_free(ledger, facts, plan):
    """Check that the freely chosen centres are as many, stand at county seats, and cost no more person-kilometres."""
    frame = plan["centres_free"]
    chosen = free_centres(facts, plan)
    fixed = documents_centres(facts)
    if len(chosen) != len(fixed):
        ledger.fail("centre_count", table="centres_free", found=len(chosen), expected=len(fixed))
    for row, i in enumerate(chosen):
        if i is None:
            code = frame["county_code"][row]
            ledger.fail("centre_no_seat", table="centres_free", row=row + 2, who=frame["name"][row], code=code)
    expected = []
    metres, nearest = free_catchments(facts, chosen)
    for i in chosen:
        if i is None:
            continue
        county = facts.counties[i]
        lon, lat = facts.seats[i]
        line = {
            "name": county["name"],
            "city_code": county["city_code"],
            "county_code": county["code"],
            "level": "free",
        }
        line |= {"lon": lon, "lat": lat}
        expected.append(line | {"persons": int(facts.county_persons[nearest == i].sum())})
    ledger.compare("centres_free", frame, ["county_code"], sorted(expected, key=lambda line: line["county_code"]))
    free, documents = person_metres(facts, metres), person_metres(facts, documents_metres(facts))
    if free > documents:
        ledger.fail("free_is_dearer", table="catchments_free", found=free // 1000, expected=documents // 1000)
    return {"centres": len(chosen), "person_km": free // 1000, "documents": documents // 1000}


def check_catchments_free(ledger, facts, plan):
    """Check that every county belongs to its nearest freely chosen centre, at that distance."""
    metres, nearest = free_catchments(facts, free_centres(facts, plan))
    codes = [facts.counties[i]["code"] for i in nearest]
    return _compare_catchments(ledger, facts, plan, "catchments_free", "centre_county_code", metres, codes)


def free_catchments(facts, chosen):
    """Return (metres, position of its county) of each county's nearest free centre; ties to the smallest code."""
    sites = np.array(sorted({i for i in chosen if i is not None}), dtype=int)
    if not len(sites):
        raise NotChecked("centres_free")
    metres, position = facts.nearest(facts.seats, facts.seats[sites])
    return metres, sites[position]
