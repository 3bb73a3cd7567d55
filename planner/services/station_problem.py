"""The siting question of emergency stations: which sites there are, which are held or shut, who is within reach."""

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from geo.faults import ScenarioRejected
from geo.stations import load_stations
from geo.travel import arcs_within, is_covered
from geo.ways import on_roads, roads_near, straight
from planner.problem import CoverProblem

LISTED = "E"  # before the id of a listed station, so that it is no candidate's
KINDS = {"seat": 0, "existing": 0, "town": 1, "cell": 2}
SITE_COLUMNS = ["name", "name_en", "kind", "county_code", "city_code", "lon", "lat", "x", "y"]
NAMED = 5  # sites of one name, told


@dataclass(frozen=True)
class Standards:
    """What a way is held against: ``urban``, ``rural`` and ``preferred`` (the better end of the rural band).

    In km, or in minutes where the ways are such.
    """

    urban: float
    rural: float
    preferred: float


def ways_of(scenario, region):
    """Return the :class:`geo.ways.Ways` a scenario asks for. Raises :class:`geo.faults.Rejected` for bad roads."""
    if scenario.travel_measure == "straight":
        return straight(scenario.detour_factor)
    from geo.network import load_roads

    network = load_roads(scenario.roads, region.projection, speeds=scenario.road_speeds or None)
    return on_roads(roads_near(scenario.roads, network, region), scenario.travel_measure)


def standards_of(scenario):
    """Return the :class:`Standards` of a scenario, in the unit of its measure."""
    unit = "minutes" if scenario.travel_measure == "minutes" else "km"
    urban, rural = (getattr(scenario, f"{setting}_{unit}") for setting in ("urban", "rural"))
    return Standards(urban, rural, min(getattr(scenario, f"rural_preferred_{unit}"), rural))


def limits_of(scenario, demand, ways):
    """Return (standard, preferred) of each demand point, n whole metres or seconds each."""
    asked = standards_of(scenario)
    return ways.limits(demand, asked.urban, asked.rural), ways.limits(demand, asked.urban, asked.preferred)


def station_sites(region, candidates, scenario):
    """Return the candidate sites and the stations of the scenario's list as one table on id, sorted.

    Columns of :func:`geo.sites.candidate_sites`; a listed station is of kind "existing", its id "E" and that of the
    list. Raises :class:`geo.faults.Rejected` for a bad list.
    """
    if not scenario.existing_stations:
        return candidates
    listed = load_stations(scenario.existing_stations, region)
    listed = listed.assign(name_en=listed["name"], kind="existing").set_axis(LISTED + listed.index)
    return pd.concat([candidates, listed[SITE_COLUMNS]]).rename_axis("id").sort_index()


def held_sites(sites, closed_counties):
    """Return n booleans: listed stations, and the seats (assumed) of counties that list none and are not closed."""
    listed = sites["kind"].eq("existing")
    assumed = sites["kind"].eq("seat") & ~sites["county_code"].isin(sites.loc[listed, "county_code"])
    return (listed | assumed).to_numpy() & ~sites["county_code"].isin(closed_counties).to_numpy()


def cover_problem(demand, sites, scenario, ways):
    """Return the :class:`CoverProblem` of a scenario, ranks as :func:`_rank`.

    Held are the stations there are and the sites forced by the planner; shut are closed counties, forbidden sites, and
    sites nearer than the spacing to a held one. Raises :class:`geo.faults.ScenarioRejected` for sites not to be found.
    """
    standard, preferred = limits_of(scenario, demand, ways)
    arcs = ways.arcs_within(demand, sites, standard)
    if scenario.stations_by_city:
        arcs = _within_city(arcs, demand, sites)
    closed = sites["county_code"].isin(scenario.closed_counties).to_numpy()
    forced, forbidden = named_sites(sites, scenario)
    held = held_sites(sites, scenario.closed_counties)
    fixed = held.copy()
    fixed[forced] = True
    shut = closed | too_near(sites, np.flatnonzero(fixed), scenario.spacing_km)
    shut[forbidden] = True
    return CoverProblem(
        persons=demand["persons"].to_numpy(dtype=np.int64),
        arcs=arcs,
        fixed=np.flatnonzero(fixed),
        forbidden=np.flatnonzero(shut & ~fixed),
        rank=_rank(demand, sites, arcs, preferred),
    )


def _within_city(arcs, demand, sites):
    """Return ``arcs`` without those that lead from one city into another; their zeros stay stored."""
    city = pd.Index(sites["city_code"].unique())
    here, there = city.get_indexer(demand["city_code"]), city.get_indexer(sites["city_code"])
    row = np.repeat(np.arange(arcs.shape[0]), np.diff(arcs.indptr))
    kept = here[row] == there[arcs.indices]
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=arcs.shape[0]))])
    return sparse.csr_array((arcs.data[kept], arcs.indices[kept], starts), shape=arcs.shape)


def too_near(sites, fixed, spacing_km):
    """Return n booleans: sites nearer than the spacing to one of ``fixed``."""
    near = np.zeros(len(sites), dtype=bool)
    if spacing_km > 0 and len(fixed):
        arcs = arcs_within(sites, sites.iloc[fixed], round(spacing_km * 1000) - 1)
        near = np.diff(arcs.indptr) > 0
        near[fixed] = False
    return near


def named_sites(sites, scenario):
    """Return (forced, forbidden): positions of the sites that a scenario names by id or by name.

    Raises :class:`geo.faults.ScenarioRejected` with every name that is none, is several, or contradicts another wish.
    """
    faults, found = [], []
    held = held_sites(sites, ())
    for word in ("forced", "forbidden"):
        key, positions = f"stations.{word}", []
        for name in getattr(scenario, f"{word}_sites"):
            at = np.flatnonzero((sites.index == name) | sites["name"].eq(name) | sites["name_en"].eq(name))
            exact = np.flatnonzero(sites.index == name)
            at = exact if len(exact) else at
            if len(at) > 1 and sites["kind"].iloc[at].ne("cell").sum() == 1:  # a cell is only named after its town
                at = at[sites["kind"].iloc[at].ne("cell").to_numpy()]
            if len(at) != 1:
                faults.append(_not_one(scenario, key, name, sites, at))
            elif word == "forbidden" and held[at[0]]:
                faults.append(scenario._fault("scenario_site_held", key, name))
            elif word == "forced" and sites["county_code"].iloc[at[0]] in scenario.closed_counties:
                faults.append(scenario._fault("scenario_site_closed", key, name))
            else:
                positions.append(int(at[0]))
        found.append(np.array(sorted(set(positions)), dtype=np.int64))
    for name in set(found[0].tolist()) & set(found[1].tolist()):
        faults.append(scenario._fault("scenario_site_twice", "stations.forbidden", sites["name"].iloc[name]))
    if faults:
        raise ScenarioRejected(faults)
    return found


def _not_one(scenario, key, name, sites, at):
    if len(at):
        several = at[:NAMED]
        told = "、".join(f"{sites.index[k]}（{sites['county_code'].iloc[k]}）" for k in several)
        return scenario._fault("scenario_site_several", key, name, {"count": len(at), "ids": told})
    known = sites.loc[sites["kind"].ne("cell"), "name"]
    near = difflib.get_close_matches(name, known.tolist(), n=3, cutoff=0.3)
    return scenario._fault("scenario_site_unknown", key, name, {"nearest": "、".join(dict.fromkeys(near)) or "—"})


def _rank(demand, sites, arcs, preferred):
    """Order the sites: seats, towns, cells; within a kind those with most people within the preferred standard."""
    rows = np.repeat(np.arange(len(demand)), np.diff(arcs.indptr))
    close = is_covered(arcs.data, preferred[rows])
    people = np.bincount(arcs.indices[close], weights=demand["persons"].to_numpy()[rows[close]], minlength=len(sites))
    rank = np.empty(len(sites), dtype=np.int64)
    rank[np.lexsort((sites.index.to_numpy(), -people, sites["kind"].map(KINDS).to_numpy()))] = np.arange(len(sites))
    return rank
