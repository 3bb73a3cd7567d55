"""Emergency stations, the people they cover and their ambulances, worked out anew from degrees."""

from collections import Counter
from fractions import Fraction

import numpy as np
import shapely

from planner.verify.facts import SETTINGS, UNREACHED


def check_stations(ledger, facts, plan):
    """Check that each station stands where it says and may stand, and that every open county has its seat's station."""
    check_sites(ledger, facts, plan["stations"], "stations")
    check_enough(ledger, facts, plan["stations"], "stations", facts.scenario.stations_goal)
    status = Counter(plan["stations"]["status"])
    return {"stations": len(plan["stations"]), "assumed": status["assumed"], "new": status["new"]}


def check_stations_alternative(ledger, facts, plan):
    """Check the other goal's answer in the same way; it is empty where that goal has no plan."""
    frame = plan["stations_alternative"]
    if len(frame):
        check_sites(ledger, facts, frame, "stations_alternative")
        goal = other_goal(facts.scenario)
        check_enough(ledger, facts, frame, "stations_alternative", goal)
    return {"stations": len(frame)}


def other_goal(scenario):
    """Return the goal that is answered beside the scenario's own."""
    return "best_n" if scenario.stations_goal == "cover_all" else "cover_all"


def check_sites(ledger, facts, frame, table):
    """Compare every station of a table with the place its id stands for, and its persons with those nearest to it."""
    persons = nearest_persons(facts, frame)
    expected, lines = [], frame.to_dict("records")
    places = facts.known_sites([line["id"] for line in lines])
    for row, (line, place) in enumerate(zip(lines, places, strict=True)):
        if place is None:
            ledger.fail("station_unknown", table=table, row=row + 2, id=line["id"], lon=line["lon"], lat=line["lat"])
            continue
        if place["county_code"] in facts.scenario.closed_counties:
            ledger.fail("station_closed", table=table, row=row + 2, id=line["id"], county=place["county_code"])
        expected.append(_station(facts, line["id"], place, persons.get(line["id"], 0)))
        polygon = facts.region.counties.geometry.get(line["county_code"])
        # A listed station may stand just beyond a generalised border: the list was judged when it was read.
        listed = place["kind"] == "existing"
        if polygon is not None and not listed and not shapely.intersects_xy(polygon, line["lon"], line["lat"]):
            params = {"lon": line["lon"], "lat": line["lat"], "county": line["county_code"]}
            ledger.fail("station_outside", table=table, row=row + 2, id=line["id"], **params)
    stated = {line["id"] for line in lines}
    missing = [id for id in facts.held["id"] if id not in stated]
    expected += [_station(facts, id, facts.known_site(id), 0) for id in missing]
    known = {line["id"] for line in expected}
    ledger.compare(table, frame[frame["id"].isin(known)], ["id"], sorted(expected, key=lambda line: line["id"]))


def _station(facts, id, place, persons):
    county = facts.counties[facts.county[place["county_code"]]]
    place = {"id": id} | place
    held = {"seat": "assumed", "existing": "listed"}.get(place["kind"], "new")
    status = held if id in facts.held_ids else "new"
    return place | {"city_code": county["city_code"], "status": status, "persons": persons}


def check_enough(ledger, facts, frame, table, goal):
    """Check that a plan keeps its goal: nobody out of reach, or the number of stations asked for."""
    covered = facts.ways(frame)[0] <= facts.limit
    left = int(facts.demand_persons[~covered].sum())
    if goal == "cover_all" and left:
        ledger.fail("left_out", table=table, found=left, points=int((~covered).sum()), expected=0)
    count = facts.scenario.stations_count
    if goal != "cover_all" and (len(frame) > count or (left and len(frame) < count)):
        ledger.fail("station_count", table=table, found=len(frame), expected=count)


def station_xy(facts, frame):
    """Return whole metres of a table of stations."""
    return facts.xy(frame["lon"].astype(float), frame["lat"].astype(float))


def nearest_persons(facts, frame):
    """Return by station id the persons whose nearest station it is; of equally near ones the smallest id has them."""
    ordered = frame.sort_values("id", kind="stable")
    _, position = facts.ways(ordered)
    persons = np.bincount(position[position >= 0], weights=facts.demand_persons[position >= 0], minlength=len(ordered))
    return dict(zip(ordered["id"], persons.astype(np.int64).tolist(), strict=True))


def check_coverage_by_county(ledger, facts, plan):
    """Check who is covered, by county and setting."""
    places = [{key: county[key] for key in ("code", "name", "city_code")} for county in facts.counties]
    return _check_coverage(ledger, facts, plan, "coverage_by_county", places, facts.demand_county)


def check_coverage_by_city(ledger, facts, plan):
    """Check who is covered, by city and setting."""
    places = [{key: city[key] for key in ("code", "name")} for city in facts.cities]
    return _check_coverage(ledger, facts, plan, "coverage_by_city", places, facts.demand_city)


def _check_coverage(ledger, facts, plan, table, places, codes):
    metres, before = facts.ways(plan["stations"])[0], facts.ways_now()[0]  # seconds, where ways are minutes
    reached = {
        "persons": np.ones(len(metres), dtype=bool),
        "covered": metres <= facts.limit,
        "uncovered": metres > facts.limit,
        "unreachable": metres == UNREACHED,
        "covered_now": before <= facts.limit,
        "preferred": metres <= facts.preferred,
    }
    counts = {key: facts.people(mask, codes, places).tolist() for key, mask in reached.items()}
    expected = [
        place | {"setting": setting} | {key: counts[key][i][k] for key in counts}
        for i, place in enumerate(places)
        for k, setting in enumerate(SETTINGS)
    ]
    nobody = {(line["code"], line["setting"]) for line in expected if not line["persons"]}
    ledger.compare(table, plan[table], ["code", "setting"], expected, optional=nobody)
    return {key: sum(line[key] for line in expected) for key in reached}


def check_uncovered_places(ledger, facts, plan):
    """Check that everyone out of reach is listed, with place and distance, the most people first."""
    frame, in_minutes = plan["uncovered_places"], facts.per_unit == 60
    metres, _ = facts.ways(plan["stations"])
    out = np.flatnonzero(metres > facts.limit)
    out = out[np.lexsort((facts.demand.index[out], -facts.demand_persons[out]))]
    points = facts.demand.iloc[out].to_dict("records")
    names = facts.nearest_places(facts.demand_at[out])[0] if len(out) else []
    expected = [
        {
            "county_code": point["county_code"],
            "county": facts.counties[facts.county[point["county_code"]]]["name"],
            "setting": point["setting"],
            "place": name,
            "persons": point["persons"],
            "km": None if far == UNREACHED or in_minutes else Fraction(int(far), 1000),
            "minutes": Fraction(int(far), 60) if far != UNREACHED and in_minutes else None,
            "lon": point["lon"],
            "lat": point["lat"],
        }
        for point, name, far in zip(points, names, metres[out], strict=True)
    ]
    ledger.compare("uncovered_places", frame, ["county_code", "setting", "lon", "lat"], expected)
    return {"places": len(expected), "persons": sum(line["persons"] for line in expected)}
