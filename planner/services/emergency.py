"""Emergency care as it is told: who is covered, by which stations of which tier, with which vehicles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.sites import known_places
from geo.travel import UNREACHED, is_covered, nearest
from geo.ways import straight
from planner.services.ambulances import plan_ambulances
from planner.services.serving import coverage, station_table
from planner.services.station_problem import held_sites, limits_of
from planner.services.stations import CURVE
from planner.services.tiers import tier_table, with_tiers

SETTINGS = ("urban", "rural")
STATION_COLUMNS = ["id", "name", "kind", "county_code", "city_code", "lon", "lat", "status"]
PEOPLE = ["persons", "covered", "uncovered", "unreachable", "covered_now", "preferred"]


@dataclass(frozen=True)
class EmergencyPlan:
    """Tables by name, proofs of the vehicles, sentences to tell.

    radius, radius_now  metres of each demand point to its nearest station and to that of the stations there are, as the
                        documents' radii read: along the scenario's ways, along straight lines where these are minutes
    """

    tables: Mapping[str, pd.DataFrame]
    proofs: Mapping[str, object]
    notes: tuple
    radius: np.ndarray
    radius_now: np.ndarray


def plan_emergency(prepared, scenario, chosen, curve, *, progress=None, cancel=None):
    """Return the :class:`EmergencyPlan` of a :class:`planner.services.stations.StationPlan`.

    curve  of :func:`planner.services.stations.coverage_curve`; None = none was asked for
    """
    region, demand, ways = prepared.region, prepared.demand, prepared.ways(scenario)
    sites = prepared.station_sites(scenario)
    held = sites.index[held_sites(sites, scenario.closed_counties)]
    by_city = scenario.stations_by_city
    limits = limits_of(scenario, demand, ways)

    stations, amount, position = station_table(sites, chosen.chosen, demand, ways, held=held, by_city=by_city)
    _, amount_now, _ = station_table(sites, held, demand, ways, held=held, by_city=by_city)
    fleet = plan_ambulances(region, demand, stations, scenario, ways, limits, progress=progress, cancel=cancel)
    stations["ambulances"] = fleet.vehicles
    urban = (demand["setting"].eq("urban") & (position >= 0)).to_numpy()
    urban_persons = np.bincount(position[urban], demand["persons"].to_numpy()[urban], minlength=len(stations))
    stations = with_tiers(region, stations, urban_persons, scenario)

    points = coverage(demand, amount, limits[0], amount_now, limits[1])
    tables = {
        "stations": stations.reset_index()[[*STATION_COLUMNS, "tier", "housing", "ambulances", "persons", "investment"]]
    }
    if chosen.alternative is None:
        other = stations.iloc[:0]
    else:
        other, _, _ = station_table(sites, chosen.alternative, demand, ways, held=held, by_city=by_city)
    tables["stations_alternative"] = other.reset_index()[[*STATION_COLUMNS, "persons"]]
    tables["station_options"] = _options(sites, chosen)
    tables["station_tiers"] = tier_table(region, stations)
    tables["coverage_curve"] = pd.DataFrame(columns=CURVE) if curve is None else curve
    for level, frame in (("city", region.cities), ("county", region.counties)):
        tables[f"coverage_by_{level}"] = _by_level(points, level, frame)
    tables |= fleet.tables
    tables["uncovered_places"] = _uncovered(region, demand, amount, limits[0], ways)

    radius, radius_now = amount, amount_now
    if ways.measure == "minutes":
        lines = straight(scenario.detour_factor)
        _, radius, _ = station_table(sites, chosen.chosen, demand, lines, by_city=by_city)
        _, radius_now, _ = station_table(sites, held, demand, lines, by_city=by_city)
    return EmergencyPlan(tables, fleet.proofs, fleet.notes, radius, radius_now)


def _by_level(points, level, frame):
    order = [(code, setting) for code in frame.index for setting in SETTINGS]
    summed = points.groupby([f"{level}_code", "setting"])[PEOPLE].sum().reindex(order, fill_value=0)
    codes = [code for code, _ in order]
    table = pd.DataFrame({"code": codes, "name": frame["name"].reindex(codes).to_numpy()})
    if level == "county":
        table["city_code"] = frame["city_code"].reindex(codes).to_numpy()
    table["setting"] = [setting for _, setting in order]
    return table.join(summed.reset_index(drop=True))


def _options(sites, chosen):
    """Return the stations of each further layout: option (from 1), how many, people covered, and each new site."""
    rows = []
    for option, (ids, persons) in enumerate(chosen.options, start=1):
        elsewhere = sites.loc[sorted(set(ids) - set(chosen.chosen))]
        rows += [
            (option, len(ids), persons, id, at.name_, at.county_code, at.city_code, at.lon, at.lat)
            for id, at in zip(elsewhere.index, elsewhere.rename(columns={"name": "name_"}).itertuples(), strict=True)
        ]
    columns = ["option", "stations", "persons", "id", "name", "county_code", "city_code", "lon", "lat"]
    return pd.DataFrame(rows, columns=columns)


def _uncovered(region, demand, amount, standard, ways):
    """Return every demand point beyond its standard, most people first; km or minutes are absent where no way leads."""
    far = np.where(amount == UNREACHED, np.nan, amount / ways.per_unit)
    in_minutes = ways.measure == "minutes"
    lost = demand.assign(km=np.nan if in_minutes else far, minutes=far if in_minutes else np.nan)
    lost = lost[~is_covered(amount, standard)]
    places = known_places(region)
    position = nearest(lost, places)[1] if len(lost) else np.zeros(0, dtype=int)
    lost = lost.assign(
        county=region.counties["name"].reindex(lost["county_code"]).to_numpy(),
        place=places["name"].to_numpy()[position],
    )
    lost = lost.assign(_id=lost.index).sort_values(["persons", "_id"], ascending=[False, True], ignore_index=True)
    return lost[["county_code", "county", "setting", "place", "persons", "km", "minutes", "lon", "lat"]]
