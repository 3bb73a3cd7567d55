"""Why no plan exists, in a planner's words: the places, the people, the rule, and the cheapest repair."""

from geo.faults import Fault, Rejected
from planner.rounding import ceiling

PLACES_NAMED = 12


class Infeasible(Rejected):
    """No plan can keep every rule. ``faults`` are the reasons, each with its repair. Command line exit code 4."""

    exit_code = 4


def beds_below_stock(city, name, persons, now, target):
    """The target asks a city to close beds, which no document does."""
    needed = f"{ceiling(now * 100_000 / persons) / 100 if persons else 0:.2f}"
    params = {"city": name, "now": f"{now:,}", "target": f"{target:,}", "less": f"{now - target:,}", "needed": needed}
    return Fault("infeasible_beds_below_stock", params=params)


def county_without_station(county, name, persons, clause):
    """No station may stand in a county that must have one."""
    params = {"county": name, "code": county, "persons": f"{persons:,}", "clause": clause}
    return Fault("infeasible_county_station", params=params)


def too_few_stations(count, counties, clause):
    """Fewer stations asked for than counties that must have one."""
    params = {"count": count, "counties": counties, "clause": clause}
    return Fault("infeasible_too_few", params=params)


def out_of_reach(points, places, urban_km, rural_km):
    """People whom no allowed site could serve: one reason in all, and one for each of the largest places.

    ``points`` is a demand table (county_code, county, setting, persons) with the nearest known ``places`` beside it;
    the urban or the rural points of one county near one place are one place.
    """
    persons = int(points["persons"].sum())
    params = {"persons": f"{persons:,}", "points": len(points), "urban": f"{urban_km:g}", "rural": f"{rural_km:g}"}
    reasons = [Fault("infeasible_reach", params=params)]
    keys = ["county_code", "county", "setting", "place"]
    by_place = points.assign(place=places).groupby(keys, as_index=False)["persons"].sum()
    largest = by_place.sort_values(["persons", "county_code", "place", "setting"], ascending=[False, True, True, True])
    for row in largest.head(PLACES_NAMED).itertuples():
        one = {"county": row.county, "place": row.place, "setting": row.setting, "persons": f"{row.persons:,}"}
        reasons.append(Fault("infeasible_place_" + row.setting, params=one))
    left = largest.iloc[PLACES_NAMED:]
    if len(left):
        rest = {"places": len(left), "persons": f"{int(left['persons'].sum()):,}"}
        reasons.append(Fault("infeasible_more_places", params=rest))
    return reasons
