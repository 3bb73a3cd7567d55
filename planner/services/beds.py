"""Beds: whole beds by county, owner and kind, decided by the documents' rules and the planner's objectives."""

from dataclasses import dataclass

import numpy as np

from planner.models.bed_quotas import OBJECTIVES, BedQuestion
from planner.services.bed_conflict import why_infeasible
from planner.services.bed_rules import Aims, aims_of, bed_question
from planner.services.freezes import closed_cells, growth_of, verdicts
from planner.services.levels import best_alone, decide_levels, worths
from planner.services.stock import Stock, stock_of
from planner.solve import INFEASIBLE


class NoPlan(Exception):
    """The clock ran out before there was any allocation. Command line exit code 6."""

    exit_code = 6

    def tell(self, words):
        """Return what happened and what to do, in the language of ``words``."""
        return words("cli.no_bed_plan")


@dataclass(frozen=True)
class BedPlan:
    """What was decided, and all it rests on.

    beds       int array counties x ``planner.services.stock.CELLS``; counties in the order of ``region.counties``
    closed     booleans counties x planned owners: no public general beds could be added
    verdicts   {id: Verdict} and ``growth`` {id: new beds} of listed hospitals
    values     {objective: value} of the plan; ``alone`` {objective: {objective: value}}, each made best alone
    proofs     {model: Proof}
    """

    stock: Stock
    aims: Aims
    question: BedQuestion
    beds: np.ndarray
    closed: np.ndarray
    verdicts: dict
    growth: dict
    values: dict
    alone: dict
    proofs: dict

    @property
    def by_county(self):
        """Beds of each county, int array."""
        return self.beds.sum(axis=1)


def asked_of(region, standards, scenario, reach, facilities=None):
    """Return (stock, aims, verdicts, closed, question): everything that is known before anything is decided."""
    stock = stock_of(region, standards, facilities)
    aims = aims_of(region, standards, scenario, stock)
    judged = verdicts(facilities, standards, scenario)
    closed = closed_cells(region, facilities, judged, scenario.facilities_complete)
    question = bed_question(region, standards, scenario, stock, aims, closed, reach)
    return stock, aims, judged, closed, question


def plan_beds(region, standards, scenario, reach, *, facilities=None, priced=True, progress=None, cancel=None):
    """Return the :class:`BedPlan` of a scenario.

    reach       K of :func:`planner.access.e2sfca` for the scenario's reach
    facilities  frame of :func:`geo.facilities.load_facilities`, None without a table
    priced      whether ``alone`` is worked out too: every objective's own best, as long again as the plan
    Raises :class:`planner.explain.Infeasible` with the smallest set of rules that contradict one another and the
    cheapest repair, :class:`NoPlan` when the clock ran out before the first allocation.
    """
    stock, aims, judged, closed, question = asked_of(region, standards, scenario, reach, facilities)
    decided = decide_levels(
        question,
        scenario.beds_objectives,
        weights=scenario.beds_weights,
        leeway=scenario.beds_leeway,
        seconds=scenario.solve_seconds,
        progress=progress,
        cancel=cancel,
    )
    if decided.status == INFEASIBLE:
        raise why_infeasible(region, standards, scenario, question, cancel=cancel)
    if decided.beds is None:
        raise NoPlan
    return BedPlan(
        stock=stock,
        aims=aims,
        question=question,
        beds=decided.beds,
        closed=closed,
        verdicts=judged,
        growth=growth_of(region, facilities, judged, stock, decided.beds, scenario.facilities_complete),
        values=worths(question, decided.beds, OBJECTIVES),
        alone=best_alone(question, OBJECTIVES if priced else (), seconds=scenario.solve_seconds, cancel=cancel),
        proofs=decided.proofs,
    )
