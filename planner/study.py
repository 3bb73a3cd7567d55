"""One scenario from file to plan: prepare (slow: files, people, sites) once, decide (models) as often as asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.demand import build_demand
from geo.facilities import load_facilities
from geo.faults import Fault, Rejected, ScenarioRejected
from geo.region import Region, grown, load_region
from geo.sites import candidate_sites, known_places
from geo.travel import is_covered, nearest, standard_metres
from planner.access import e2sfca
from planner.compliance import compliance
from planner.scenario import Scenario, check_against
from planner.services.ambulances import plan_ambulances, required_by_city
from planner.services.bed_tables import bed_tables
from planner.services.beds import plan_beds
from planner.services.centres import documents_centres, free_centres
from planner.services.stations import cover_problem, coverage, plan_stations, station_table
from planner.solve import INFEASIBLE, OPTIMAL
from planner.standards import Standards, UnknownStandard, load_standards


@dataclass(frozen=True)
class Prepared:
    """What every scenario of a region shares: region, standards, demand, sites; arcs and station plans so far."""

    region: Region
    standards: Standards
    demand: pd.DataFrame
    sites: pd.DataFrame
    _problems: dict = field(default_factory=dict, repr=False, compare=False)
    _proven: dict = field(default_factory=dict, repr=False, compare=False)
    _reach: dict = field(default_factory=dict, repr=False, compare=False)

    def cover_problem(self, scenario):
        """Return the covering problem of a scenario; distances are computed once for each choice of radii."""
        key = _radii(scenario)
        if key not in self._problems:
            while len(self._problems) >= 4:  # a page lives long; an arc set is some 30 MB
                self._problems.pop(next(iter(self._problems)))
            self._problems[key] = cover_problem(self.region, self.demand, self.sites, scenario)
        return self._problems[key]

    def reach(self, scenario):
        """Return the floating catchment matrix K of a scenario; distances are computed once for each choice."""
        key = (scenario.beds_reach_km, scenario.beds_access_weights, scenario.detour_factor)
        if key not in self._reach:
            metres, weights, detour = round(key[0] * 1000), key[1], key[2]
            self._reach[key] = e2sfca(self.demand, self.region.counties, metres, weights, detour)
        return self._reach[key]

    def stations(self, scenario, progress, cancel):
        """Return the station plan of a scenario; a proven one stays, and other beds or centres ask for it again."""
        key = (*_radii(scenario), scenario.stations_goal, scenario.stations_count)
        if key in self._proven:
            return self._proven[key]
        problem = self.cover_problem(scenario)
        plan = plan_stations(
            self.region, self.standards, self.demand, self.sites, problem, scenario, progress=progress, cancel=cancel
        )
        if all(proof.status in (OPTIMAL, INFEASIBLE) for proof in plan.proofs.values()):
            self._proven[key] = plan
        return plan


def _radii(scenario):
    """Return the settings on which the arcs of a scenario rest."""
    return (
        scenario.urban_km,
        scenario.rural_km,
        scenario.rural_preferred_km,
        scenario.detour_factor,
        scenario.closed_counties,
    )


@dataclass(frozen=True)
class Plan:
    """A decided plan: ``tables`` by name, rows in printed order; ``proofs`` by model; ``figures``: headline numbers."""

    scenario: Scenario
    tables: Mapping[str, pd.DataFrame]
    proofs: Mapping[str, object]
    figures: Mapping[str, float]
    people_in: int
    people_out: int


def prepare(scenario, progress=None):
    """Return what a region needs before anything is decided. Raises :class:`geo.faults.Rejected` for bad input."""

    def tell(stage):
        if progress is not None:
            progress(stage, 0.0, None, None)

    tell("region")
    region = grown(load_region(scenario.region), scenario.population_growth)
    standards = load_standards()
    _refuse_cities_without_table(region, standards)
    tell("demand")
    demand = build_demand(region)
    tell("sites")
    return Prepared(region, standards, demand, candidate_sites(region, demand))


def _refuse_cities_without_table(region, standards):
    """Raise for cities of which no document says how many beds they have: absence is not zero."""
    faults = []
    for code, name in region.cities["name"].items():
        try:
            standards.city_bed_target(code)
        except UnknownStandard:
            faults.append(Fault("city_without_table", "cities.csv", None, "code", code, {"city": name}))
    if faults:
        raise Rejected(faults)


def decide(prepared, scenario, progress=None, cancel=None):
    """Return the :class:`Plan` of a scenario; the same question gives the same plan, in whatever order rows come.

    progress  called as progress(stage, seconds, gap or None, best or None)
    cancel    has ``is_set()``; once set, each model still to come gives the best plan it has
    Raises :class:`geo.faults.ScenarioRejected` for codes the region does not have,
    :class:`planner.explain.Infeasible` with the places and people concerned when no plan can keep the rules,
    :class:`planner.solve.SolverFault` for an answer not to be trusted.
    """
    region, standards, demand, sites = prepared.region, prepared.standards, prepared.demand, prepared.sites
    faults = check_against(scenario, region)
    if faults:
        raise ScenarioRejected(faults)

    def ticker(stage):
        return None if progress is None else lambda seconds, gap, best: progress(stage, seconds, gap, best)

    if progress is not None:
        progress("beds", 0.0, None, None)
    facilities = load_facilities(scenario.facilities, region) if scenario.facilities else None
    reach = prepared.reach(scenario)
    beds = plan_beds(region, standards, scenario, reach, facilities=facilities, progress=ticker("beds"), cancel=cancel)
    documents = documents_centres(region, scenario)
    if progress is not None:
        progress("centres_free", 0.0, None, None)
    at_seats = region.cities.loc[list(documents.sites), "seat_county_code"]
    free, free_proof = free_centres(
        region, scenario, len(documents.sites), at_seats, progress=ticker("centres_free"), cancel=cancel
    )
    if progress is not None:
        progress("stations_cover_all", 0.0, None, None)
    chosen = prepared.stations(scenario, progress, cancel)
    stations, metres, _ = station_table(sites, chosen.chosen, demand, scenario.detour_factor)
    stations["ambulances"], fleet_proof = plan_ambulances(region, stations, scenario)
    seats = sites[sites["kind"].eq("seat") & ~sites["county_code"].isin(scenario.closed_counties)]
    metres_now, _ = nearest(demand, seats, scenario.detour_factor)

    tables = bed_tables(region, standards, scenario, beds, facilities)
    tables |= _emergency_tables(prepared, scenario, chosen, stations, metres, metres_now)
    tables |= _centre_tables(region, scenario, documents, free)
    tables["compliance"] = compliance(region, standards, demand, tables, metres, metres_now)
    proofs = {**beds.proofs, **chosen.proofs, "ambulances": fleet_proof, "centres_free": free_proof}
    persons = region.counties["persons"]
    return Plan(
        scenario=scenario,
        tables=tables,
        proofs=proofs,
        figures={
            "person_km_documents": documents.person_km(persons),
            "person_km_free": free.person_km(persons),
        },
        people_in=region.persons,
        people_out=int(tables["coverage_by_county"][["covered", "uncovered"]].to_numpy().sum()),
    )


STATION_COLUMNS = ["id", "name", "kind", "county_code", "city_code", "lon", "lat", "status"]


def _emergency_tables(prepared, scenario, chosen, stations, metres, metres_now):
    region, demand = prepared.region, prepared.demand
    standard = standard_metres(demand, scenario.urban_km, scenario.rural_km)
    preferred = standard_metres(demand, scenario.urban_km, scenario.rural_preferred_km)
    points = coverage(demand, metres, standard, metres_now, preferred)
    tables = {"stations": stations.reset_index()[[*STATION_COLUMNS, "ambulances", "persons"]]}
    if chosen.alternative is None:
        tables["stations_alternative"] = tables["stations"].iloc[:0].drop(columns="ambulances")
    else:
        other, _, _ = station_table(prepared.sites, chosen.alternative, demand, scenario.detour_factor)
        tables["stations_alternative"] = other.reset_index()[[*STATION_COLUMNS, "persons"]]
    people = ["persons", "covered", "uncovered", "covered_now", "preferred"]
    for level, frame in (("city", region.cities), ("county", region.counties)):
        order = [(code, setting) for code in frame.index for setting in ("urban", "rural")]
        summed = points.groupby([f"{level}_code", "setting"])[people].sum().reindex(order, fill_value=0)
        codes = [code for code, _ in order]
        table = pd.DataFrame({"code": codes, "name": frame["name"].reindex(codes).to_numpy()})
        if level == "county":
            table["city_code"] = frame["city_code"].reindex(codes).to_numpy()
        table["setting"] = [setting for _, setting in order]
        tables[f"coverage_by_{level}"] = table.join(summed.reset_index(drop=True))
    required = required_by_city(region, scenario)
    per_city = (
        stations.groupby("city_code")["ambulances"].agg(["size", "sum"]).reindex(region.cities.index, fill_value=0)
    )
    tables["ambulances_by_city"] = pd.DataFrame(
        {
            "code": region.cities.index,
            "name": region.cities["name"].to_numpy(),
            "persons": region.counties.groupby("city_code")["persons"].sum().reindex(region.cities.index).to_numpy(),
            "stations": per_city["size"].to_numpy(),
            "required": [required[k] for k in region.cities.index],
            "plan": per_city["sum"].to_numpy(),
        }
    )
    tables["uncovered_places"] = _uncovered(region, demand, metres, standard)
    return tables


def _uncovered(region, demand, metres, standard):
    """Return every demand point beyond its standard, most people first."""
    lost = demand.assign(km=metres / 1000)[~is_covered(metres, standard)]
    places = known_places(region)
    position = nearest(lost, places)[1] if len(lost) else np.zeros(0, dtype=int)
    lost = lost.assign(
        county=region.counties["name"].reindex(lost["county_code"]).to_numpy(),
        place=places["name"].to_numpy()[position],
    )
    lost = lost.assign(_id=lost.index).sort_values(["persons", "_id"], ascending=[False, True], ignore_index=True)
    return lost[["county_code", "county", "setting", "place", "persons", "km", "lon", "lat"]]


def _centre_tables(region, scenario, documents, free):
    counties = region.counties
    persons = counties["persons"].to_numpy()
    cities = region.cities.loc[list(documents.sites)]
    levels = ["national" if k in scenario.national_centres else "provincial" for k in documents.sites]
    served = np.bincount(documents.position, weights=persons, minlength=len(cities)).astype(np.int64)
    seats = counties.loc[list(free.sites)]
    free_served = np.bincount(free.position, weights=persons, minlength=len(seats)).astype(np.int64)
    near = {"county_code": counties.index, "county": counties["name"].to_numpy(), "persons": persons}
    return {
        "centres": pd.DataFrame(
            {
                "name": cities["name"].to_numpy(),
                "city_code": cities.index,
                "level": levels,
                "lon": cities["lon"].to_numpy(),
                "lat": cities["lat"].to_numpy(),
                "persons": served,
            }
        ),
        "catchments": pd.DataFrame(
            near | {"centre_city_code": np.array(documents.sites)[documents.position], "km": documents.metres / 1000}
        ),
        "centres_free": pd.DataFrame(
            {
                "name": seats["name"].to_numpy(),
                "city_code": seats["city_code"].to_numpy(),
                "county_code": seats.index,
                "level": "free",
                "lon": seats["seat_lon"].to_numpy(),
                "lat": seats["seat_lat"].to_numpy(),
                "persons": free_served,
            }
        ),
        "catchments_free": pd.DataFrame(
            near | {"centre_county_code": np.array(free.sites)[free.position], "km": free.metres / 1000}
        ),
    }
