"""Checking a list of stations: who lives within the standard of one of them, who does not, and where these live.

Nothing is decided here. A demand point is covered when the way from its nearest station is at most its standard
(:func:`geo.travel.is_covered`); people are counted, not points.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.sites import known_places
from geo.travel import UNREACHED, is_covered
from geo.ways import straight

SETTINGS = ("urban", "rural")
RADII = (5, 10, 15, 20)
GATHERED = ["place_id", "county_code", "setting"]  # what tells the places of uncovered people apart
COUNTED = ["persons", "preferred", "covered", "uncovered", "unreachable"]


@dataclass(frozen=True)
class Limits:
    """The standards, in km, or in minutes where the ways are minutes: urban, rural, and the preferred rural one."""

    urban: float
    rural: float
    preferred: float


@dataclass(frozen=True)
class Coverage:
    """What a list of stations covers. Persons are whole; ``far`` names the column of ways: "km" or "minutes".

    coverage_by_city    code name setting persons preferred covered uncovered unreachable, in the documents' order
    coverage_by_county  the same and city_code, by code
                        preferred <= covered (urban people: the urban standard), uncovered = persons - covered,
                        unreachable is the part of uncovered to whom no way leads
    coverage_by_radius  code name setting radius persons covered: within each radius, the province first
    uncovered_places    place county_code county setting persons unreachable station <far> farthest lon lat: the
                        uncovered demand points gathered at their nearest known place, most people first; <far> is
                        their mean way by persons, farthest the longest, NaN where no way leads; lon, lat their middle
    stations            id name county_code city_code kind lon lat ambulances persons covered uncovered farthest:
                        persons are those to whom no other station is nearer
    points              on demand id: county_code city_code setting persons lon lat amount (whole metres or seconds,
                        UNREACHED) station (id, "") covered preferred
    people_in           of the region; people_out = covered + uncovered
    """

    measure: str
    far: str
    detour_factor: float
    limits: Limits
    radii: tuple
    coverage_by_city: pd.DataFrame
    coverage_by_county: pd.DataFrame
    coverage_by_radius: pd.DataFrame
    uncovered_places: pd.DataFrame
    stations: pd.DataFrame
    points: pd.DataFrame
    people_in: int
    people_out: int

    @property
    def per_unit(self):
        """Return how many amounts make one of ``far``."""
        return 60 if self.far == "minutes" else 1000


@dataclass(frozen=True)
class Change:
    """What a second coverage does otherwise than a first one.

    by_city, by_county  code name [city_code] setting persons covered_first covered_second gained lost difference;
                        difference = gained - lost
    places              outcome (gained | lost) place county_code county setting persons station_first <far>_first
                        station_second <far>_second lon lat: most people first
    """

    far: str
    by_city: pd.DataFrame
    by_county: pd.DataFrame
    places: pd.DataFrame


def check_coverage(region, demand, stations, *, ways, limits, radii=RADII, near=None, at=None):
    """Return the :class:`Coverage` of ``stations`` (:func:`geo.stations.load_stations`; at least one).

    demand  of :func:`geo.demand.build_demand`
    ways    of :mod:`geo.ways`
    limits  :class:`Limits`; radii: further distances to count within, both in km, or in minutes where the ways are such
    near    (amount, position) of these stations and ways, as ``ways.nearest`` gives it, where it is known already:
            other limits need no other distances
    at      :func:`places_at` of the demand, where it is known already
    """
    amount, position = ways.nearest(demand, stations) if near is None else near
    ids = np.append(stations.index.to_numpy(dtype=object), "")  # position -1, no way, is the last
    covered = is_covered(amount, ways.limits(demand, limits.urban, limits.rural))
    preferred = is_covered(amount, ways.limits(demand, limits.urban, min(limits.preferred, limits.rural)))
    points = demand[["county_code", "city_code", "setting", "persons", "lon", "lat"]].assign(
        amount=amount, station=ids[position], covered=covered, preferred=preferred
    )
    far = "minutes" if ways.measure == "minutes" else "km"
    people = _people(points)
    by_city = _summed(people, region.cities, "city_code", COUNTED)
    return Coverage(
        measure=ways.measure,
        far=far,
        detour_factor=ways.detour_factor,
        limits=limits,
        radii=tuple(radii),
        coverage_by_city=by_city,
        coverage_by_county=_summed(people, region.counties, "county_code", COUNTED),
        coverage_by_radius=_by_radius(region, points, radii, ways.per_unit),
        uncovered_places=_uncovered(region, points, stations, far, ways.per_unit, at),
        stations=_served(points, stations, ways.per_unit),
        points=points,
        people_in=region.persons,
        people_out=int(by_city[["covered", "uncovered"]].to_numpy().sum()),
    )


def uncovered_points(coverage, region):
    """Return the uncovered demand points, most people first.

    DataFrame id county_code county setting place persons station (name, "" where no way leads) <far> lon lat.
    """
    lost = _at_places(region, coverage.points[~coverage.points["covered"]]).rename_axis("id").reset_index()
    names = coverage.stations.set_index("id")["name"]
    amount = lost["amount"].where(lost["amount"].ne(UNREACHED))
    lost["station"] = lost["station"].map(names).fillna("")
    lost[coverage.far] = amount / coverage.per_unit
    lost = lost.sort_values(["persons", "id"], ascending=[False, True], ignore_index=True)
    return lost[["id", "county_code", "county", "setting", "place", "persons", "station", coverage.far, "lon", "lat"]]


def compare_coverage(first, second, region):
    """Return the :class:`Change` from a first coverage to a second one of the same demand, by the same ways and limits.

    Raises ValueError when the two do not answer the same question.
    """
    same = (first.measure, first.detour_factor, first.limits) == (second.measure, second.detour_factor, second.limits)
    if not same or not first.points.index.equals(second.points.index):
        raise ValueError("two coverages of other people, ways or limits cannot be compared")
    points = second.points.assign(
        covered_first=first.points["covered"],
        covered_second=second.points["covered"],
        gained=second.points["covered"] & ~first.points["covered"],
        lost=first.points["covered"] & ~second.points["covered"],
    )
    columns = ["persons", "covered_first", "covered_second", "gained", "lost"]
    people = points[["county_code", "city_code", "setting"]].join(
        points[columns[1:]].mul(points["persons"], axis=0).assign(persons=points["persons"])
    )
    tables = {}
    for level in ("city", "county"):
        frame = region.cities if level == "city" else region.counties
        table = _summed(people, frame, f"{level}_code", columns)
        tables[f"by_{level}"] = table.assign(difference=table["gained"] - table["lost"])
    return Change(far=second.far, places=_changed(region, first, second, points), **tables)


def _people(points):
    """Return the persons of each demand point by what they are counted as."""
    persons = points["persons"].to_numpy()
    unreachable = points["amount"].to_numpy() == UNREACHED
    counted = {
        "persons": persons,
        "preferred": persons * points["preferred"].to_numpy(),
        "covered": persons * points["covered"].to_numpy(),
        "uncovered": persons * ~points["covered"].to_numpy(),
        "unreachable": persons * unreachable,
    }
    return points[["county_code", "city_code", "setting"]].assign(**counted)


def _summed(people, frame, key, columns):
    """Return sums by the units of ``frame`` and setting, in its order; a setting without people counts 0."""
    order = [(code, setting) for code in frame.index for setting in SETTINGS]
    summed = people.groupby([key, "setting"])[columns].sum().reindex(order, fill_value=0).astype(np.int64)
    table = pd.DataFrame({"code": [code for code, _ in order]})
    table["name"] = frame["name"].reindex(table["code"]).to_numpy()
    if key == "county_code":
        table["city_code"] = frame["city_code"].reindex(table["code"]).to_numpy()
    table["setting"] = [setting for _, setting in order]
    return table.join(summed.reset_index(drop=True))


def _by_radius(region, points, radii, per_unit):
    parts = []
    for radius in radii:
        within = points["persons"] * is_covered(points["amount"], round(radius * per_unit))
        people = points[["city_code", "setting", "persons"]].assign(covered=within)
        for frame, key in ((region.province, "province"), (region.cities, "city_code")):
            whole = people.assign(province=region.province.index[0])
            parts.append(_summed(whole, frame, key, ["persons", "covered"]).assign(radius=float(radius)))
    columns = ["code", "name", "setting", "radius", "persons", "covered"]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    rank = {code: k for k, code in enumerate([*region.province.index, *region.cities.index])}
    order = np.lexsort(
        (
            rows["radius"],
            rows["setting"].map({setting: k for k, setting in enumerate(SETTINGS)}),
            rows["code"].map(rank),
        )
    )
    return rows.iloc[order][columns].reset_index(drop=True)


def _uncovered(region, points, stations, far, per_unit, at=None):
    lost = points[~points["covered"]]
    lost = _at_places(region, lost) if at is None else lost.assign(**at.loc[lost.index])
    frame = _gathered(lost, GATHERED)
    unreachable = lost["persons"] * lost["amount"].eq(UNREACHED)
    frame["unreachable"] = unreachable.groupby([lost[key] for key in GATHERED]).sum().reindex(frame.index, fill_value=0)
    station, mean, farthest = _ways(lost, GATHERED, stations["name"])
    frame["station"] = station.reindex(frame.index, fill_value="")
    frame[far], frame["farthest"] = mean / per_unit, farthest / per_unit
    columns = ["place", "county_code", "county", "setting", "persons", "unreachable", "station", far, "farthest"]
    return _most_first(frame)[[*columns, "lon", "lat"]]


def _changed(region, first, second, points):
    """Return the places of those who gain or lose, with their nearest station in both."""
    points = points.assign(outcome=np.where(points["gained"], "gained", "lost"))
    changed = _at_places(region, points[points["gained"] | points["lost"]])
    keys = ["outcome", *GATHERED]
    frame = _gathered(changed, keys)
    columns = ["outcome", "place", "county_code", "county", "setting", "persons"]
    for side, coverage in (("first", first), ("second", second)):
        of = changed.assign(**coverage.points.loc[changed.index, ["amount", "station"]])
        station, mean, _ = _ways(of, keys, coverage.stations.set_index("id")["name"])
        frame[f"station_{side}"] = station.reindex(frame.index, fill_value="")
        frame[f"{second.far}_{side}"] = mean / second.per_unit
        columns += [f"station_{side}", f"{second.far}_{side}"]
    return _most_first(frame)[[*columns, "lon", "lat"]]


def _gathered(points, keys):
    """Return points gathered by ``keys``, their index: place, county, persons, and the middle by persons, lon, lat."""
    weighted = points.assign(lon=points["lon"] * points["persons"], lat=points["lat"] * points["persons"])
    by = weighted.groupby(keys, sort=True)
    frame = by.agg(place=("place", "first"), county=("county", "first"), persons=("persons", "sum"))
    frame["persons"] = frame["persons"].astype(np.int64)
    for column in ("lon", "lat"):
        frame[column] = (by[column].sum() / frame["persons"]).astype(float).round(6)
    return frame


def _ways(points, keys, names):
    """Return (station, mean, farthest) by ``keys`` of those whom a way leads to.

    The name of the station to which most people are nearest, of equals the first by id; the mean amount by persons,
    halves up; the largest one.
    """
    there = points[points["amount"].ne(UNREACHED)]
    people = there.groupby([*keys, "station"])["persons"].sum().reset_index()
    people = people.sort_values(["persons", "station"], ascending=[False, True]).drop_duplicates(keys)
    station = people.set_index(keys)["station"].map(names)
    by = there.assign(total=there["amount"] * there["persons"]).groupby(keys)[["total", "persons", "amount"]]
    sums = by.agg({"total": "sum", "persons": "sum", "amount": "max"}).astype(np.int64)
    return station, (2 * sums["total"] + sums["persons"]) // (2 * sums["persons"]), sums["amount"]


def places_at(region, points):
    """Return place_id and place, the nearest known one, and the name of the county of each point, on its id."""
    places = known_places(region)
    position = straight().nearest(points, places)[1] if len(points) else np.zeros(0, dtype=np.int64)
    return pd.DataFrame(
        {
            "place_id": places.index.to_numpy()[position],
            "place": places["name"].to_numpy()[position],
            "county": region.counties["name"].reindex(points["county_code"]).to_numpy(),
        },
        index=points.index,
    )


def _at_places(region, points):
    """Return the points with the columns of :func:`places_at`."""
    return points.assign(**places_at(region, points))


def _most_first(frame):
    order = ["persons", "county_code", "setting", "place_id"]
    return frame.reset_index().sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def _served(points, stations, per_unit):
    near = points[points["amount"].ne(UNREACHED)]
    by = near.assign(inside=near["persons"] * near["covered"]).groupby("station")
    people = by.agg(persons=("persons", "sum"), covered=("inside", "sum"), farthest=("amount", "max"))
    people = people.reindex(stations.index)
    columns = ["name", "county_code", "city_code", "kind", "lon", "lat", "ambulances"]
    frame = stations[columns].assign(
        persons=people["persons"].fillna(0).astype(np.int64),
        covered=people["covered"].fillna(0).astype(np.int64),
        farthest=people["farthest"] / per_unit,
    )
    frame.insert(frame.columns.get_loc("covered") + 1, "uncovered", frame["persons"] - frame["covered"])
    return frame.rename_axis("id").reset_index()
