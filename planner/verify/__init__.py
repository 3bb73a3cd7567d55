"""Recomputes every figure of a plan from the raw inputs, without any solver, and says check by check what it found.

Only a plan's decisions are taken from it: how many beds of each owner and kind a county gets, where stations stand and
how many vehicles they hold, which centres were chosen freely. All else - stocks, targets, rules, distances, coverage,
catchments, verdicts - is worked out anew in this package's own arithmetic and compared cell by cell. What a solver
claims must fit the plan and survive every change of one decision. Nothing is published that fails.

    ledger     Check, and how checks are collected
    shapes     the tables as they should be, read strictly
    facts      the raw inputs: people, places, distances
    stock, limits, bed_rules, facilities, beds, staff, access, worth, evaluation, conflicts    what is known of beds
    moves      changes of one bed, which must not beat what a solver claims
    stations, roads, network, ambulances    emergency care
    people, centres, compliance, proofs, figures    what else is recomputed
    folder     a published folder, read back: hashes, inputs, every copy of every table
"""

from geo.demand import build_demand
from geo.faults import Rejected
from planner.verify import (
    access,
    ambulances,
    bed_rules,
    beds,
    centres,
    compliance,
    conflicts,
    evaluation,
    facilities,
    network,
    staff,
    stations,
    worth,
)
from planner.verify.facts import Facts, as_grown
from planner.verify.figures import check_figures
from planner.verify.folder import check_folder
from planner.verify.ledger import Check, Ledger
from planner.verify.people import check_people
from planner.verify.proofs import check_proofs
from planner.verify.shapes import read_tables

__all__ = ["Check", "verify_folder", "verify_plan"]

PARTS = {
    "beds_by_city": beds.check_beds_by_city,
    "beds_by_county": beds.check_beds_by_county,
    "bed_quotas": beds.check_bed_quotas,
    "bed_standards": beds.check_bed_standards,
    "bed_structure": beds.check_bed_structure,
    "bed_rules": bed_rules.check_bed_rules,
    "document_conflicts": conflicts.check_document_conflicts,
    "facilities": facilities.check_facilities,
    "freezes": facilities.check_freezes,
    "bed_staff": staff.check_bed_staff,
    "infectious": staff.check_infectious,
    "access_summary": access.check_access_summary,
    "bed_objectives": worth.check_bed_objectives,
    "evaluation": evaluation.check_evaluation,
    "evaluation_indicators": evaluation.check_evaluation_indicators,
    "stations": stations.check_stations,
    "stations_alternative": stations.check_stations_alternative,
    "coverage_by_county": stations.check_coverage_by_county,
    "coverage_by_city": stations.check_coverage_by_city,
    "uncovered_places": stations.check_uncovered_places,
    "station_tiers": network.check_station_tiers,
    "station_wishes": network.check_wishes,
    "station_options": network.check_station_options,
    "coverage_curve": network.check_coverage_curve,
    "ambulances": ambulances.check_ambulances,
    "centres": centres.check_centres,
    "catchments": centres.check_catchments,
    "centres_free": centres.check_centres_free,
    "catchments_free": centres.check_catchments_free,
    "compliance": compliance.check_compliance,
}


def verify_plan(tables, scenario, region, standards, demand=None, *, proofs=None, people=None, figures=None):
    """Return every :class:`Check` of a plan's tables.

    tables    dict name -> DataFrame, as a plan holds them or as read from CSV (cells of text are understood)
    region    as counted or already grown as the scenario says
    demand    the demand points, where the caller has built them already; otherwise they are built here
    proofs    dict model -> proof (dataclass or dict with status, objective, bound, gap); not looked at when None
    people    (in, out) as the plan states them; not looked at when None
    figures   the headline numbers by name; not looked at when None
    Never raises on a broken plan: what cannot be read or worked out is a failed check.
    """
    ledger, facts = Ledger(), None
    with ledger.part("people", quiet=True):
        region = as_grown(region, scenario.population_growth)
        try:
            facts = Facts(scenario, region, standards, build_demand(region) if demand is None else demand)
        except (Rejected, OSError) as error:
            ledger.fail("inputs_unreadable", error=error)
    if facts is not None:
        _recompute(ledger, facts, tables, proofs, people, figures)
    return ledger.checks


def _recompute(ledger, facts, tables, proofs, people, figures):
    with ledger.part("tables") as said:
        plan = read_tables(ledger, tables)
        said.update(tables=len(plan.frames), rows=sum(len(frame) for frame in plan.frames.values()))
    with ledger.part("people") as said:
        check_people(ledger, facts, people)
        said.update(persons=facts.persons, counties=len(facts.counties), points=len(facts.demand))
    for name, check in PARTS.items():
        with ledger.part(name) as said:
            said.update(check(ledger, facts, plan))
    if proofs is not None:
        with ledger.part("proofs") as said:
            said.update(check_proofs(ledger, facts, plan, proofs))
    if figures is not None:
        with ledger.part("figures") as said:
            said.update(check_figures(ledger, facts, plan, figures))


def verify_folder(folder, demand=None):
    """Return every :class:`Check` of a published folder: its files, and all that :func:`verify_plan` looks at.

    demand  the demand points of its region, where the caller has built them already; otherwise they are built here

    The manifest's scenario is held against the region and standards that are there now. Never raises on a broken
    folder.
    """
    ledger = Ledger()
    found = check_folder(ledger, folder, demand)
    if found is not None:
        _recompute(ledger, found.facts, found.tables, found.proofs, found.people, found.figures)
    return ledger.checks
