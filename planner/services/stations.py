"""Emergency stations: how many are needed and where; what a number of them does best."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo.faults import Fault
from planner.engine.cover import fewest_sites, most_people
from planner.engine.found import Clock, nothing
from planner.explain import Infeasible
from planner.locate import gradual_shares_of, mclp_gradual
from planner.services.fairness import fairest
from planner.services.proof import Proof, proof_of
from planner.services.station_conflict import refuse_impossible
from planner.services.station_spacing import spaced
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL

ALMOST_ALL = 99.9  # per cent: 100.0 stands for everybody and for nobody less
GRADUAL_STEPS = 4  # people between the preferred standard and the limit count by quarters
CURVE = ["stations", "persons", "share", "bound", "status", "knee"]
CURVE_GAP = 1e-3  # a curve is to be read, not to be built: a thousandth of the people is less than its line is wide


@dataclass(frozen=True)
class StationPlan:
    """Site ids, sorted: ``chosen`` answers the scenario's goal, ``alternative`` another one (None = no answer).

    alternative_goal  "best_n" beside the goal "cover_all", else "cover_all"
    options           further layouts, each (ids, persons covered)
    """

    chosen: tuple
    alternative: tuple | None
    alternative_goal: str
    options: tuple
    proofs: dict

    @property
    def everybody(self):
        """Return the ids of stations that cover everybody; None where none are known."""
        return self.alternative if self.alternative_goal == "cover_all" else self.chosen

    @property
    def proven(self):
        """Whether every question has its best answer, or provably none."""
        return all(proof.status in (OPTIMAL, INFEASIBLE) for proof in self.proofs.values())


def plan_stations(region, standards, demand, sites, problem, scenario, *, ways, limits, progress=None, cancel=None):
    """Return the :class:`StationPlan`. Raises :class:`planner.explain.Infeasible` naming places and people.

    limits  (standard, preferred), n whole amounts each
    """
    refuse_impossible(region, standards, demand, sites, problem, scenario, ways)
    question = _Question(region, demand, sites, problem, scenario, limits, progress, cancel)
    goal = scenario.stations_goal
    other = "best_n" if goal == "cover_all" else "cover_all"
    proofs, answers = {}, {}
    for asked in sorted({goal, other}, key=("cover_all", "best_n", "gradual", "backup", "fair").index):
        answers[asked], proofs[f"stations_{asked}"] = _answer(question, asked, answers, proofs)
    if answers[goal] is None:  # only a spacing can leave a question that was found possible without an answer
        raise Infeasible([Fault("infeasible_spacing", params={"km": f"{scenario.spacing_km:g}"})])
    options = _options(question, goal, answers[goal], proofs[f"stations_{goal}"])
    return StationPlan(
        question.ids(answers[goal]), question.ids(answers[other]), other, tuple(map(question.option, options)), proofs
    )


@dataclass(frozen=True)
class _Question:
    """What every goal asks about, and who listens."""

    region: object
    demand: pd.DataFrame
    sites: pd.DataFrame
    problem: object
    scenario: object
    limits: tuple
    progress: object
    cancel: object

    def clock(self, stage):
        listener = (
            None if self.progress is None else lambda seconds, gap, best: self.progress(stage, seconds, gap, best)
        )
        return Clock(self.scenario.solve_seconds, listener, self.cancel)

    def ids(self, positions):
        return None if positions is None else tuple(sorted(self.sites.index[list(positions)]))

    def option(self, positions):
        return self.ids(positions), int(self.problem.persons[self.problem.covered_by(positions)].sum())

    @property
    def count(self):
        """Return how many stations the scenario gives, as far as there are sites for them."""
        return min(self.scenario.stations_count, self.problem.arcs.shape[1] - len(self.problem.forbidden))


def _answer(question, goal, answers, proofs):
    """Return (positions or None, Proof) of one goal."""
    name, unit = f"stations_{goal}", {"cover_all": "stations", "fair": "share"}.get(goal, "persons")
    problem, scenario = question.problem, question.scenario

    def without(status):
        return None, Proof(name, status, unit, None, None, None, 0.0)

    if goal == "cover_all" and not problem.reachable().all():
        return without(INFEASIBLE)
    if goal != scenario.stations_goal and question.cancel is not None and question.cancel.is_set():
        return without(NO_PLAN)  # somebody waits for the plan: the other question stays unanswered
    if goal != "cover_all" and scenario.stations_count < len(problem.fixed):
        # Only beside the goal "cover_all": nobody asked for so few, and fewer than those held answer nothing.
        return without(INFEASIBLE)
    if goal == "best_n" and _enough(scenario, answers, proofs):
        everyone = float(problem.persons.sum())
        return answers["cover_all"], Proof(name, OPTIMAL, unit, everyone, everyone, 0.0, 0.0)
    clock = question.clock(name)
    best = _asked(question, goal, clock)
    return best.sites if best.objective is not None else None, proof_of(name, unit, best, seconds=clock.spent())


def _asked(question, goal, clock):
    return spaced(question, _GOALS[goal], clock, everybody=goal == "cover_all")


def _enough(scenario, answers, proofs):
    """Return whether the stations given reach everybody: then the plan that needs fewest is the answer."""
    known = answers.get("cover_all")
    proven = known is not None and proofs["stations_cover_all"].status == OPTIMAL
    return proven and len(known) <= scenario.stations_count


# -- goals: question, problem, clock -> Found


def _cover_all(question, problem, clock):
    """Fewest stations for everyone; of plans with as few, one whose sites cannot be bettered one by one."""
    if not problem.reachable().all():  # of sites shut for a spacing, or for another layout
        return nothing(INFEASIBLE)
    return fewest_sites(problem, clock=clock)


def _best_n(question, problem, clock):
    """Most people within the standard."""
    return most_people(problem, question.count, clock=clock)


def _gradual(question, problem, clock):
    """Most people when those beyond the preferred standard count by quarters less, to nothing beyond the limit."""
    shares = gradual_shares_of(problem.arcs, *question.limits[::-1], steps=GRADUAL_STEPS)
    wishes = {"fixed": problem.fixed, "forbidden": problem.forbidden, "rank": problem.rank}
    seconds, tell = clock.left(), clock.progress
    return mclp_gradual(
        shares, problem.persons, question.count, **wishes, seconds=seconds, progress=tell, cancel=clock.cancel
    )


def _backup(question, problem, clock):
    """Most people with two stations within the standard."""
    return most_people(replace(problem, need=np.full(len(problem.persons), 2)), question.count, clock=clock)


def _fair(question, problem, clock):
    """The county with the smallest share of people covered has as large a share as can be; then most people."""
    county = pd.Index(question.region.counties.index).get_indexer(question.demand["county_code"])
    return fairest(problem, county, question.count, clock=clock)


_GOALS = {"cover_all": _cover_all, "best_n": _best_n, "gradual": _gradual, "backup": _backup, "fair": _fair}


# -- layouts that differ


def _options(question, goal, chosen, proof):
    """Return layouts (positions) that each leave ``options_differ`` new stations of every earlier one unused.

    Those that serve fewest people alone are shut in turn, and the question asked again without them.
    """
    scenario, problem, found = question.scenario, question.problem, []
    if chosen is None or proof.status == INTERIM:
        return found
    earlier, shut = [np.asarray(chosen)], problem.forbidden
    while len(found) < scenario.station_options:
        clock = question.clock("stations_options")
        for one in earlier:
            spare = np.setdiff1d(one, np.union1d(problem.fixed, shut))
            gone = len(np.setdiff1d(one, problem.fixed)) - len(spare)
            few = _least_needed(problem, one, spare)[: max(scenario.options_differ - gone, 0)]
            shut = np.union1d(shut, np.array(few, dtype=np.int64))
        best = _asked(replace(question, problem=replace(problem, forbidden=shut)), goal, clock)
        if not len(best.sites) or clock.cancelled():
            break
        found.append(best.sites)
        earlier.append(best.sites)
    return found


def _least_needed(problem, chosen, some):
    """Return ``some`` of the ``chosen`` sites, those that serve fewest people alone first."""
    pattern = problem.pattern[:, np.asarray(chosen)]
    alone = pattern.T @ np.where(pattern.sum(axis=1) == 1, problem.persons, 0)
    people = dict(zip(np.asarray(chosen).tolist(), alone.tolist(), strict=True))
    return sorted(some.tolist(), key=lambda j: (people[j], problem.rank[j]))


# -- the curve of coverage


def coverage_curve(problem, scenario, everybody, *, progress=None, cancel=None):
    """Return how many people how many stations cover at best: from those held to as many as cover everybody.

    everybody  positions of stations that cover everybody, or None: then to twice those held, at most all sites
    DataFrame stations persons share (per cent) bound status knee ("yes" at one row): the knee is the point farthest
    above the line between the curve's ends (Satopaa and others 2011).
    """
    least = max(len(problem.fixed), 1)
    allowed = problem.arcs.shape[1] - len(problem.forbidden)
    most = min(2 * least, allowed) if everybody is None else len(everybody)
    counts = np.unique(np.rint(np.linspace(least, most, max(scenario.curve_points, 2))).astype(int))
    total, rows, clock, before = int(problem.persons.sum()), [], Clock(np.inf), problem.fixed
    for count in counts if scenario.curve_points else ():
        if cancel is not None and cancel.is_set():
            break
        if progress is not None:
            progress(clock.spent(), None, None)
        if everybody is not None and count == most:
            rows.append((int(count), total, float(total), OPTIMAL))
            continue
        # The last point's sites and some more, or those that cover everybody without the least needed: what is better.
        begin = (
            before
            if everybody is None
            else max(
                (before, _thinned(problem, np.asarray(everybody), int(count))),
                key=lambda sites: _covered(problem, sites),
            )
        )
        asked = {"gap": CURVE_GAP, "clock": Clock(scenario.solve_seconds, None, cancel)}
        best = most_people(problem, int(count), begin=begin, **asked)
        bound = best.bound if best.bound is not None else float(total)
        rows.append((int(count), int(best.objective), bound, best.status))
        before = best.sites
    frame = pd.DataFrame(rows, columns=["stations", "persons", "bound", "status"])
    share = 100 * frame["persons"] / max(total, 1)
    frame["share"] = np.where(frame["persons"] < total, np.minimum(share, ALMOST_ALL), share)
    frame["bound"] = np.floor(frame["bound"].astype(float) + 1e-6).clip(lower=frame["persons"]).astype(np.int64)
    whole = len(frame) == len(counts)  # the knee of a curve that was cut short would be another one
    knee = _knee(frame["stations"], frame["persons"]) if whole else -1
    frame["knee"] = np.where(np.arange(len(frame)) == knee, "yes", "no")
    return frame[CURVE]


def _covered(problem, sites):
    return int(problem.persons[problem.covered_by(sites)].sum())


def _thinned(problem, chosen, count):
    """Return ``count`` of the ``chosen`` sites: those that serve fewest people alone are left out, a few at a time."""
    while len(chosen) > count:
        spare = np.setdiff1d(chosen, problem.fixed)
        few = _least_needed(problem, chosen, spare)[: max((len(chosen) - count) // 4, 1)]
        chosen = np.setdiff1d(chosen, few)
    return chosen


def _knee(stations, persons):
    """Return the row of the knee; -1 where the curve has none."""
    if len(stations) < 3 or persons.iloc[-1] == persons.iloc[0]:
        return -1
    along = (stations - stations.iloc[0]) / (stations.iloc[-1] - stations.iloc[0])
    up = (persons - persons.iloc[0]) / (persons.iloc[-1] - persons.iloc[0])
    return int(np.argmax((up - along).to_numpy()))


# -- tables
