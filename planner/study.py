"""One scenario from file to plan: prepare (slow: files, people, sites) once, decide (models) as often as asked."""

import json
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
from planner.settings import ALL_SETTINGS, FILE_SETTINGS
from planner.solve import INFEASIBLE, OPTIMAL, WITHIN_GAP
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
    _decided: dict = field(default_factory=dict, repr=False, compare=False)

    def decided(self, key, decide):
        """Return what ``decide()`` returns, (answer, proofs); proven, it stays and is given when asked again."""
        if key not in self._decided:
            answer, proofs = decide()
            if any(proof.status not in SETTLED for proof in proofs.values()):
                return answer, proofs
            while len(self._decided) >= 24:  # a page lives long
                self._decided.pop(next(iter(self._decided)))
            self._decided[key] = answer, proofs
        return self._decided[key]

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
        if plan.proven:
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


PARTS = ("beds", "emergency", "centres")
SETTLED = (OPTIMAL, WITHIN_GAP, INFEASIBLE)
# The tables of settings that a part does not read. What stands nowhere here is read by all, whether it matters or not.
NOT_READ = {
    "beds": ("stations", "travel", "ambulances", "simulation", "centres"),
    "emergency": ("beds", "surge", "evaluation", "simulation", "centres"),
    "centres": ("beds", "surge", "evaluation", "stations", "travel", "ambulances", "simulation"),
}
EVERYWHERE = ("detour_factor",)
DECIDED_BY = {
    part: tuple(
        setting.field
        for setting in ALL_SETTINGS
        if setting.field != "title" and (setting.field in EVERYWHERE or setting.key.partition(".")[0] not in others)
    )
    for part, others in NOT_READ.items()
}
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


def decide(prepared, scenario, progress=None, cancel=None, *, brief=False, first=PARTS[0], listen=None):
    """Return the :class:`Plan` of a scenario; the same question gives the same plan, in whatever order rows come.

    progress  called as progress(stage, seconds, gap or None, best or None)
    cancel    has ``is_set()``; once set, each model still to come gives the best plan it has
    brief     leave out what a plan is judged by and not made of: the curve of coverage, and every bed objective's own
              best; their tables are short then, as when the clock runs out
    first     which of :data:`PARTS` to decide first; it changes nothing in the plan
    listen    called as listen(plan) whenever a part is decided, with the tables there are so far
    Raises :class:`geo.faults.ScenarioRejected` for codes the region does not have,
    :class:`planner.explain.Infeasible` with the places and people concerned when no plan can keep the rules,
    :class:`planner.solve.SolverFault` for an answer not to be trusted.
    """
    region = prepared.region
    faults = check_against(scenario, region)
    if faults:
        raise ScenarioRejected(faults)
    prepared.cover_problem(scenario)  # lists, roads and names of sites are refused before anything is solved
    asked = _Asked(prepared, scenario, progress, cancel, brief)
    parts = {}
    for name in sorted(PARTS, key=lambda part: part != first):
        parts[name] = getattr(asked, name)()
        if listen is not None and len(parts) < len(PARTS):
            listen(_plan(prepared, scenario, parts, {}))
    emergency = parts["emergency"].about
    tables = {name: table for part in parts.values() for name, table in part.tables.items()}
    judged = compliance(region, prepared.standards, prepared.demand, tables, emergency.radius, emergency.radius_now)
    return _plan(prepared, scenario, parts, {"compliance": judged})


def _plan(prepared, scenario, parts, more):
    """Return the plan of the parts that are decided, in their own order."""
    parts = [parts[name] for name in PARTS if name in parts]
    tables = {name: table for part in parts for name, table in part.tables.items()} | more
    counted = tables.get("coverage_by_county")
    return Plan(
        scenario=scenario,
        tables=tables,
        proofs={name: proof for part in parts for name, proof in part.proofs.items()},
        figures={name: figure for part in parts for name, figure in part.figures.items()},
        people_in=prepared.region.persons,
        people_out=0 if counted is None else int(counted[["covered", "uncovered"]].to_numpy().sum()),
        notes=tuple(note for part in parts for note in part.notes),
    )


@dataclass(frozen=True)
class _Part:
    tables: Mapping[str, pd.DataFrame]
    proofs: Mapping[str, object]
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple = ()
    about: object = None


@dataclass(frozen=True)
class _Asked:
    """A scenario asked about, part by part."""

    prepared: Prepared
    scenario: Scenario
    progress: object
    cancel: object
    brief: bool

    def tell(self, stage):
        if self.progress is not None:
            self.progress(stage, 0.0, None, None)

    def ticker(self, stage):
        progress = self.progress
        return None if progress is None else lambda seconds, gap, best: progress(stage, seconds, gap, best)

    def key(self, part):
        """Return what a part is decided by: every setting but those of the other parts' tables."""
        plain = self.scenario.as_dict() | {
            each.field: str(getattr(self.scenario, each.field)) for each in FILE_SETTINGS
        }
        return part, self.brief, json.dumps({name: plain[name] for name in DECIDED_BY[part]}, sort_keys=True)

    def beds(self):
        self.tell("beds")
        plan, tables = self.prepared.decided(self.key("beds"), self._beds)[0]
        return _Part(tables, plan.proofs)

    def _beds(self):
        prepared, scenario = self.prepared, self.scenario
        region, standards = prepared.region, prepared.standards
        facilities = load_facilities(scenario.facilities, region) if scenario.facilities else None
        plan = plan_beds(
            region,
            standards,
            scenario,
            prepared.reach(scenario),
            facilities=facilities,
            priced=not self.brief,
            progress=self.ticker("beds"),
            cancel=self.cancel,
        )
        return (plan, bed_tables(region, standards, scenario, plan, facilities)), plan.proofs

    def emergency(self):
        prepared, scenario = self.prepared, self.scenario
        self.tell("stations_cover_all")
        chosen = prepared.stations(scenario, self.progress, self.cancel)
        curve = None
        if not self.brief:
            curve = prepared.curve(scenario, chosen.everybody, self.ticker("coverage_curve"), self.cancel)

        def plan():
            made = plan_emergency(
                prepared, scenario, chosen, curve, progress=self.ticker("ambulances"), cancel=self.cancel
            )
            return made, made.proofs

        key = (*self.key("emergency"), chosen.chosen, chosen.alternative)
        made = prepared.decided(key, plan)[0] if chosen.proven and (self.brief or len(curve)) else plan()[0]
        return _Part(made.tables, {**chosen.proofs, **made.proofs}, notes=made.notes, about=made)

    def centres(self):
        self.tell("centres_free")
        return self.prepared.decided(self.key("centres"), self._centres)[0]

    def _centres(self):
        region, scenario = self.prepared.region, self.scenario
        documents = documents_centres(region, scenario)
        at_seats = region.cities.loc[list(documents.sites), "seat_county_code"]
        free, proof = free_centres(
            region,
            scenario,
            len(documents.sites),
            at_seats,
            progress=self.ticker("centres_free"),
            cancel=self.cancel,
        )
        persons = region.counties["persons"]
        figures = {"person_km_documents": documents.person_km(persons), "person_km_free": free.person_km(persons)}
        proofs = {"centres_free": proof}
        return _Part(_centre_tables(region, scenario, documents, free), proofs, figures), proofs


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
