"""The emergency network as it is told: tiers, costs, wishes about sites, further layouts, the curve."""

from collections import Counter
from fractions import Fraction

import numpy as np

from planner.verify.facts import SETTINGS, degrees_of

TIERS = {
    "city_centre": "city_centre",
    "county": "county_station",
    "substation": "substation",
    "central_township": "central_township",
    "township": "township",
}
CURVE_GAP = Fraction(1, 1000)
CURVE_STATUSES = ("optimal", "within_gap", "interim")


def check_station_tiers(ledger, facts, plan):
    """Check the tier, housing and cost of every station, and their counts by city."""
    frame = plan["stations"]
    tiers = _tiers(facts, frame)
    expected = []
    for line, tier in zip(frame.to_dict("records"), tiers, strict=True):
        in_hospital = tier == "county" and line["county_code"] in facts.scenario.hospital_based
        housing = "hospital_based" if in_hospital else "standalone"
        housing = "township_hospital" if tier.endswith("township") else housing
        price = _price(facts.scenario, tier, in_hospital) if line["status"] == "new" else 0
        expected.append({"id": line["id"], "tier": tier, "housing": housing, "investment": price})
    ledger.compare("stations", frame, ["id"], expected)
    by_city = {city["code"]: Counter() for city in facts.cities}
    for line, right in zip(frame.to_dict("records"), expected, strict=True):
        count = by_city.get(line["city_code"])
        if count is not None:
            count.update({TIERS[right["tier"]]: 1, line["status"]: 1, right["housing"]: 1, "stations": 1})
            count.update({"ambulances": line["ambulances"], "investment": right["investment"]})
    columns = [*TIERS.values(), "stations", "listed", "assumed", "new", "hospital_based", "ambulances", "investment"]
    lines = [
        {"code": city["code"], "name": city["name"]} | {column: by_city[city["code"]][column] for column in columns}
        for city in facts.cities
    ]
    ledger.compare("station_tiers", plan["station_tiers"], ["code"], lines)
    return {"stations": len(frame), "cost": sum(line["investment"] for line in lines)}


def _tiers(facts, frame):
    """Return the tier of each station, by the rule that stands under the table."""
    _, position = facts.ways(frame)
    known = position >= 0
    people = np.bincount(position[known], facts.demand_persons[known], minlength=len(frame))
    urban = known & (facts.demand_setting == SETTINGS.index("urban"))
    urban_people = np.bincount(position[urban], facts.demand_persons[urban], minlength=len(frame))
    tiers = ["substation" if 2 * u > p else "township" for u, p in zip(urban_people, people, strict=True)]
    at, ids, codes = degrees_of(frame), frame["id"].tolist(), frame["county_code"].tolist()
    city_seats = {city["seat"] for city in facts.cities}
    for county, of in enumerate(facts.counties):
        here = sorted((k for k, code in enumerate(codes) if code == of["code"]), key=ids.__getitem__)
        if not here:
            continue
        away = facts.metres(at[here], facts.seats[county][None, :])
        first = here[int(away.argmin())]
        rural = [k for k in here if k != first and tiers[k] == "township"]
        tiers[first] = "city_centre" if county in city_seats else "county"
        if rural:
            tiers[max(rural, key=lambda k: (people[k], -here.index(k)))] = "central_township"
    return tiers


def _price(scenario, tier, in_hospital):
    if tier == "county":
        return scenario.cost_hospital_based if in_hospital else scenario.cost_standalone
    return {"city_centre": scenario.cost_centre, "substation": scenario.cost_substation}.get(
        tier, scenario.cost_township
    )


def check_wishes(ledger, facts, plan):
    """Check what the planner wishes of the sites: forced ones are used, forbidden ones are not, spacing is kept."""
    scenario, counted = facts.scenario, 0
    for name in ("stations", "stations_alternative", "station_options"):
        frame = plan[name]
        groups = [frame] if name != "station_options" else [of for _, of in frame.groupby("option")]
        for of in groups:
            if not len(of):
                continue
            counted += 1
            ids = set(of["id"])
            called = ids | set(of["name"])
            for wish in scenario.forced_sites if name != "station_options" else ():
                if wish not in called and not any(line in ids for line in _named(facts, wish)):
                    ledger.fail("site_not_forced", table=name, site=wish)
            for wish in scenario.forbidden_sites:
                if wish in called:
                    ledger.fail("site_forbidden", table=name, site=wish)
            _spacing(ledger, facts, name, of)
    return {"layouts": counted}


def _named(facts, wish):
    return [id for id, place in facts.places.items() if wish in (id, place.get("name_en"))]


def _spacing(ledger, facts, name, frame):
    """Check that no new station is nearer than the spacing to another one."""
    least = round(facts.scenario.spacing_km * 1000)
    if not least:
        return
    new = frame[frame["status"].eq("new")] if "status" in frame else frame
    forced = set(facts.scenario.forced_sites)
    new = new[[not {id, called} & forced for id, called in zip(new["id"], new["name"], strict=True)]]
    at, ids, others = degrees_of(new), new["id"].tolist(), frame["id"].tolist()
    i, j, metres = facts.within(at, degrees_of(frame), least)
    detour = float(facts.scenario.detour_factor)
    for a, b, _ in zip(i, j, metres, strict=True):
        straight = int(facts.metres(at[a], degrees_of(frame)[b], detour=1.0)) if detour != 1 else int(_)
        if ids[a] != others[b] and straight < least:
            ledger.fail("too_near", table=name, id=ids[a], other=others[b], found=straight, expected=least)


def check_station_options(ledger, facts, plan):
    """Check that further layouts are numbered, differ enough, and that their sites stand where they say.

    A layout's rows are the sites that the plan does not use; what the others are is not printed, so the stations and
    persons of a layout are held against its other rows, the number asked for and the people there are.
    """
    frame, scenario = plan["station_options"], facts.scenario
    lines = frame.to_dict("records")
    numbers = {option: n for n, option in enumerate(sorted({line["option"] for line in lines}), start=1)}
    first = {}
    for line in lines:
        first.setdefault(line["option"], line)
    expected = []
    places = facts.known_sites([line["id"] for line in lines])
    for row, (line, place) in enumerate(zip(lines, places, strict=True)):
        if place is None:
            where = {"lon": line["lon"], "lat": line["lat"]}
            ledger.fail("station_unknown", table="station_options", row=row + 2, id=line["id"], **where)
            continue
        if place["county_code"] in scenario.closed_counties:
            params = {"id": line["id"], "county": place["county_code"]}
            ledger.fail("station_closed", table="station_options", row=row + 2, **params)
        city = facts.counties[facts.county[place["county_code"]]]["city_code"]
        keep = {key: place[key] for key in ("name", "county_code", "lon", "lat")}
        same = {key: first[line["option"]][key] for key in ("stations", "persons")}
        expected.append({"option": numbers[line["option"]], "id": line["id"], "city_code": city} | keep | same)
    expected.sort(key=lambda line: (line["option"], line["id"]))
    ledger.compare("station_options", frame, ["option", "id"], expected)
    used, new = set(plan["stations"]["id"]), int(plan["stations"]["status"].eq("new").sum())
    for option, of in frame.groupby("option"):
        count, persons = first[option]["stations"], first[option]["persons"]
        if persons > facts.persons or (scenario.stations_goal == "cover_all" and persons != facts.persons):
            ledger.fail("curve_persons", stations=count, found=persons, expected=facts.persons)
        if scenario.stations_goal != "cover_all" and count > scenario.stations_count:
            ledger.fail("station_count", table="station_options", found=count, expected=scenario.stations_count)
        elsewhere, least = len(set(of["id"]) - used), min(scenario.options_differ, new)
        if elsewhere < max(least, len(of)):
            ledger.fail("option_same", option=option, found=elsewhere, expected=max(least, len(of)))
    return {"options": frame["option"].nunique()}


def check_coverage_curve(ledger, facts, plan):
    """Check that the curve rises, stays below its bounds, begins with the stations there are and fits the plan."""
    frame = plan["coverage_curve"]
    lines = frame.to_dict("records")
    counts = _counts(facts, plan)
    cut = counts is not None and len(lines) < len(counts)
    none_told = counts is None and all(line["knee"] == "no" for line in lines)
    knee = -1 if cut or none_told else _knee(lines)  # a curve that was cancelled has no knee
    expected = []
    for n, line in enumerate(lines):
        count, persons = line["stations"], _surely(facts, plan, n, line)
        right = {
            "stations": counts[n] if counts is not None and n < len(counts) else count,
            "persons": persons,
            "share": _share(persons, facts.persons),
            "status": line["status"] if line["status"] in CURVE_STATUSES else " | ".join(CURVE_STATUSES),
            "knee": "yes" if n == knee else "no",
        }
        expected.append(right | ({"bound": persons} if line["status"] == "optimal" else {}))
    ledger.compare("coverage_curve", frame, ["stations"], expected)
    known = _known(facts, plan)
    for n, line in enumerate(lines):
        count, persons, bound = line["stations"], line["persons"], line["bound"]
        if persons > bound or bound > facts.persons:
            ledger.fail("curve_persons", stations=count, found=persons, expected=min(bound, facts.persons))
        if n and (count <= lines[n - 1]["stations"] or persons < lines[n - 1]["persons"]):
            ledger.fail("curve_falls", stations=count, found=persons, expected=lines[n - 1]["persons"])
        if line["status"] == "within_gap" and bound - persons > CURVE_GAP * max(persons, 1) + 1:
            ledger.fail("curve_persons", stations=count, found=persons, expected=bound)
        for stations, covered in known:
            if stations <= count and covered > bound:
                ledger.fail("curve_persons", stations=count, found=bound, expected=covered)
    return {"points": len(lines), "knee": lines[knee]["stations"] if knee >= 0 else 0}


def _counts(facts, plan):
    """Return how many stations the points of the curve have, evenly from those held to those that cover everybody.

    None where the plan does not say one of these ends. A cancelled curve ends early.
    """
    frame, points = plan[_table_of(facts, "cover_all")], max(facts.scenario.curve_points, 2)
    if not len(frame) or not facts.scenario.curve_points or facts.scenario.forced_sites:
        return None
    least = max(len(facts.held), 1)
    return sorted({round(least + Fraction((len(frame) - least) * k, points - 1)) for k in range(points)})


def _table_of(facts, goal):
    return "stations" if facts.scenario.stations_goal == goal else "stations_alternative"


def _surely(facts, plan, n, line):
    """Return the persons whom a point of the curve covers, where the inputs alone say it; else what it states."""
    if n == 0 and line["stations"] == len(facts.held) and not facts.scenario.forced_sites:
        return int(facts.demand_persons[facts.ways_now()[0] <= facts.limit].sum())
    if line["stations"] == len(plan[_table_of(facts, "cover_all")]):
        return facts.persons
    return line["persons"]


def _share(part, whole):
    """Return per cent; 100.0 stands for everybody and for nobody less."""
    share = Fraction(100 * part, max(whole, 1))
    return min(share, Fraction(999, 10)) if part < whole else share


def _known(facts, plan):
    """Return (stations, persons covered) of the layouts in the plan: no curve's bound may be below them."""
    found = []
    for name in ("stations", "stations_alternative"):
        frame = plan[name]
        if len(frame):
            found.append((len(frame), int(facts.demand_persons[facts.ways(frame)[0] <= facts.limit].sum())))
    return found


def _knee(lines):
    """Return the point farthest above the line between the ends; -1 for a curve without one."""
    if len(lines) < 3 or lines[-1]["persons"] == lines[0]["persons"]:
        return -1
    (first, low), (last, high) = ((lines[k]["stations"], lines[k]["persons"]) for k in (0, -1))
    above = [
        Fraction(line["persons"] - low, high - low) - Fraction(line["stations"] - first, last - first) for line in lines
    ]
    return max(range(len(above)), key=lambda n: (above[n], -n))


def goal_worth(facts, frame, goal):
    """Return what a layout is worth by its goal: stations, persons, or the share of the worst county."""
    if goal == "cover_all":
        return len(frame)
    if goal == "backup":
        pairs = facts.covers(degrees_of(frame)).tocoo()
        i, j = pairs.coords
        if facts.scenario.stations_by_city:
            city = np.array([facts.city.get(code, -1) for code in frame["city_code"]], dtype=int)
            i = i[facts.demand_city[i] == city[j]]
        return int(facts.demand_persons[np.bincount(i, minlength=len(facts.demand)) >= 2].sum())
    amount = facts.ways(frame)[0]
    if goal == "gradual":
        return float(_gradual(facts, amount))
    covered = amount <= facts.limit
    if goal == "best_n":
        return int(facts.demand_persons[covered].sum())
    people = np.bincount(facts.demand_county, facts.demand_persons, minlength=len(facts.counties))
    served = np.bincount(facts.demand_county[covered], facts.demand_persons[covered], minlength=len(facts.counties))
    return float(np.min(served[people > 0] / people[people > 0], initial=1.0))


def _gradual(facts, amount):
    """Return persons counted by quarters: whole within the preferred standard, a quarter less in each beyond."""
    band, left = facts.limit - facts.preferred, facts.limit - np.minimum(amount, 2**60)
    worth = Fraction(0)
    for quarter in range(1, 5):
        within = (amount <= facts.preferred) | (left >= 0) & ((quarter == 1) | (4 * left > (quarter - 1) * band))
        worth += Fraction(int(facts.demand_persons[within].sum()), 4)
    return worth
