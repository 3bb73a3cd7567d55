"""Why no plan exists, in a planner's words: the places, the people, the rule, and the cheapest repair."""

from fractions import Fraction

from geo.faults import Fault, Named, Rejected
from planner.rounding import ceiling

PLACES_NAMED = 12
UNITS = {False: Named("公里", "km"), True: Named("分钟", "minutes")}


class Infeasible(Rejected):
    """No plan can keep every rule. ``faults`` are the reasons, each with its repair. Command line exit code 4."""

    exit_code = 4


def county_without_station(county, name, persons, clause):
    """No station may stand in a county that must have one."""
    params = {"county": name, "code": county, "persons": f"{persons:,}", "clause": clause}
    return Fault("infeasible_county_station", params=params)


def too_few_stations(count, counties, clause):
    """Fewer stations asked for than counties that must have one."""
    params = {"count": count, "counties": counties, "clause": clause}
    return Fault("infeasible_too_few", params=params)


def out_of_reach(points, places, urban, rural, *, per_unit=1000, minutes=False):
    """People whom no allowed site could serve: one reason in all, and one for each of the largest places.

    ``points`` is a demand table (county_code, county, setting, persons, amount) with the nearest known ``places``
    beside it; amount is the way to the nearest allowed site in metres (seconds), infinite where there is none;
    ``per_unit`` of them make one km (minute), the unit of ``urban`` and ``rural``. The urban or the rural points of one
    county near one place are one place; what it would take to reach all of it is said with it.
    """
    persons = int(points["persons"].sum())
    params = {"persons": f"{persons:,}", "points": len(points), "unit": UNITS[minutes]}
    params |= {"urban": f"{urban:g}", "rural": f"{rural:g}"}
    reasons = [Fault("infeasible_reach", params=params)]
    keys = ["county_code", "county", "setting", "place"]
    by_place = points.assign(place=places).groupby(keys, as_index=False).agg({"persons": "sum", "amount": "max"})
    largest = by_place.sort_values(["persons", "county_code", "place", "setting"], ascending=[False, True, True, True])
    for row in largest.head(PLACES_NAMED).itertuples():
        standard = urban if row.setting == "urban" else rural
        wide = wide_enough(row.amount, per_unit)
        one = {"county": row.county, "place": row.place, "setting": row.setting, "persons": f"{row.persons:,}"}
        one["unit"] = UNITS[minutes]
        grown = {} if wide is None else {"wide": f"{wide:g}", "more": f"{round(wide - standard, 1):g}"}
        reasons.append(Fault("infeasible_place_" + row.setting + ("" if grown else "_no_way"), params=one | grown))
    left = largest.iloc[PLACES_NAMED:]
    if len(left):
        rest = {"places": len(left), "persons": f"{int(left['persons'].sum()):,}"}
        reasons.append(Fault("infeasible_more_places", params=rest))
    return reasons


def wide_enough(amount, per_unit=1000):
    """Return the limit in km (minutes), in tenths rounded up, within which ``amount`` lies; None for no way at all."""
    return None if amount == float("inf") else ceiling(Fraction(10 * int(amount), per_unit)) / 10


def repairs(points, *, closed, added, proven, per_unit=1000, minutes=False):
    """What would make everybody reachable; each of the ways is enough, once ``closed`` counties are open again.

    points  as in :func:`out_of_reach`: who is beyond reach with every county open
    closed  number of closed counties: the rule of a station in every county asks to open them before all else
    added   fewest further places for stations that would serve these points; ``proven``: fewer would not do
    """
    if not len(points):
        return [Fault("infeasible_repair_open", params={"count": closed})] if closed else []
    told = [Fault("infeasible_repairs_after_opening" if closed else "infeasible_repairs")]
    far = points.groupby("setting")["amount"].max()
    wide = {setting: wide_enough(amount, per_unit) for setting, amount in far.items()}
    if None not in wide.values():
        said = {setting: f"{limit:g}" for setting, limit in wide.items()} | {"unit": UNITS[minutes]}
        key = "both" if len(wide) == 2 else next(iter(wide))
        told.append(Fault("infeasible_repair_radius_" + key, params=said))
    told.append(Fault("infeasible_repair_best_n"))
    key = "infeasible_repair_sites" if proven else "infeasible_repair_sites_at_most"
    return [*told, Fault(key, params={"sites": f"{added:,}"})]


def conflict(wishes, params, *, minutes=False):
    """The fewest wishes that contradict one another: of these alone, any one given up, the rest can be kept.

    ``wishes`` are (kind, subject) pairs; kinds: county_rule, closed (a county's name), everybody, count.
    """
    params = params | {"unit": UNITS[minutes]}
    lines = [
        Fault(f"infeasible_wish_{kind}", params=params | ({} if subject is None else {"county": subject}))
        for kind, subject in wishes
    ]
    return [Fault("infeasible_conflict", params={"count": len(lines)}), *lines]
