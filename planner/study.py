"""One scenario from file to plan: prepare (slow: files, people, sites) once, decide (models) as often as asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.demand import build_demand
from geo.facilities import load_facilities
from geo.faults import Fault, Rejected, ScenarioRejected
from geo.region import Region, grown, load_region
from geo.sites import candidate_sites
from planner.access import e2sfca
from planner.compliance import compliance
from planner.scenario import Scenario, check_against
from planner.services.bed_tables import bed_tables
from planner.services.beds import plan_beds
from planner.services.centres import documents_centres, free_centres
from planner.services.emergency import plan_emergency
from planner.services.station_problem import cover_problem, limits_of, station_sites, ways_of
from planner.services.stations import coverage_curve, plan_stations
from planner.solve import INFEASIBLE, OPTIMAL
from planner.standards import Standards, UnknownStandard, load_standards


@dataclass(frozen=True)
class Prepared:
    """What every scenario of a region shares: region, standards, demand and candidate sites.

    And what it worked out so far: ways, arcs, station plans and curves, by the settings they rest on.
    """

    region: Region
    standards: Standards
    demand: pd.DataFrame
    sites: pd.DataFrame
    _problems: dict = field(default_factory=dict, repr=False, compare=False)
    _proven: dict = field(default_factory=dict, repr=False, compare=False)
    _curves: dict = field(default_factory=dict, repr=False, compare=False)
    _ways: dict = field(default_factory=dict, repr=False, compare=False)
    _reach: dict = field(default_factory=dict, repr=False, compare=False)

    def ways(self, scenario):
        """Return the :class:`geo.ways.Ways` of a scenario; a file of roads is read once."""
        key = (scenario.travel_measure, scenario.roads, scenario.road_speeds, scenario.detour_factor)
        if key not in self._ways:
            self._ways[key] = ways_of(scenario, self.region)
        return self._ways[key]

    def station_sites(self, scenario):
        """Return the sites of a scenario: the candidates, and the stations of its list."""
        return station_sites(self.region, self.sites, scenario)

    def cover_problem(self, scenario):
        """Return the covering problem of a scenario; distances are computed once for each choice of radii."""
        key = _reach_key(scenario)
        if key not in self._problems:
            while len(self._problems) >= 4:  # a page lives long; an arc set is some 30 MB
                self._problems.pop(next(iter(self._problems)))
            sites, ways = self.station_sites(scenario), self.ways(scenario)
            self._problems[key] = cover_problem(self.demand, sites, scenario, ways)
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
        key = (
            *_reach_key(scenario),
            *(scenario.stations_goal, scenario.stations_count, scenario.station_options, scenario.options_differ),
        )
        if key in self._proven:
            return self._proven[key]
        ways = self.ways(scenario)
        plan = plan_stations(
            self.region,
            self.standards,
            self.demand,
            self.station_sites(scenario),
            self.cover_problem(scenario),
            scenario,
            ways=ways,
            limits=limits_of(scenario, self.demand, ways),
            progress=progress,
            cancel=cancel,
        )
        if all(proof.status in (OPTIMAL, INFEASIBLE) for proof in plan.proofs.values()):
            self._proven[key] = plan
        return plan

    def curve(self, scenario, everybody, progress, cancel):
        """Return the curve of coverage of a scenario; one that was not cancelled stays."""
        key = (*_reach_key(scenario), scenario.curve_points, everybody)
        if key not in self._curves:
            at = None if everybody is None else self.station_sites(scenario).index.get_indexer(everybody)
            curve = coverage_curve(self.cover_problem(scenario), scenario, at, progress=progress, cancel=cancel)
            if cancel is not None and cancel.is_set():
                return curve
            self._curves[key] = curve
        return self._curves[key]


REACH_FIELDS = (
    *("travel_measure", "roads", "road_speeds", "detour_factor", "existing_stations"),
    *("urban_km", "rural_km", "rural_preferred_km", "urban_minutes", "rural_minutes", "rural_preferred_minutes"),
    *("stations_by_city", "forced_sites", "forbidden_sites", "spacing_km", "closed_counties"),
)


def _reach_key(scenario):
    """Return the settings on which the covering problem of a scenario rests."""
    return tuple(getattr(scenario, name) for name in REACH_FIELDS)


@dataclass(frozen=True)
class Plan:
    """A decided plan: ``tables`` by name, rows in printed order; ``proofs`` by model; ``figures``: headline numbers.

    notes  what else a planner must know; each has ``tell(words)``
    """

    scenario: Scenario
    tables: Mapping[str, pd.DataFrame]
    proofs: Mapping[str, object]
    figures: Mapping[str, float]
    people_in: int
    people_out: int
    notes: tuple = ()


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
    region, standards, demand = prepared.region, prepared.standards, prepared.demand
    faults = check_against(scenario, region)
    if faults:
        raise ScenarioRejected(faults)

    def ticker(stage):
        return None if progress is None else lambda seconds, gap, best: progress(stage, seconds, gap, best)

    prepared.cover_problem(scenario)  # lists, roads and names of sites are refused before anything is solved
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
    curve = prepared.curve(scenario, chosen.everybody, ticker("coverage_curve"), cancel)
    emergency = plan_emergency(prepared, scenario, chosen, curve, progress=ticker("ambulances"), cancel=cancel)

    tables = bed_tables(region, standards, scenario, beds, facilities)
    tables |= emergency.tables
    tables |= _centre_tables(region, scenario, documents, free)
    tables["compliance"] = compliance(region, standards, demand, tables, emergency.radius, emergency.radius_now)
    proofs = {**beds.proofs, **chosen.proofs, **emergency.proofs, "centres_free": free_proof}
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
        notes=emergency.notes,
    )


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
