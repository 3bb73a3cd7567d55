"""What a solver claims: each objective is worked out anew, and no change of one decision may beat the bound."""

import math
from dataclasses import asdict, is_dataclass

import numpy as np

from planner.verify import centres, moves, worth
from planner.verify.ambulances import fleet_worth
from planner.verify.facts import degrees_of
from planner.verify.limits import limits_of, planned_cells
from planner.verify.network import goal_worth
from planner.verify.stations import other_goal

STATUSES = ("optimal", "within_gap", "interim", "infeasible", "no_plan")
WITHOUT_PLAN = ("infeasible", "no_plan")
OTHER_MODELS = ("ambulances", "centres_free")
BEDS, WEIGHTED = "beds_", "weighted"
STATION_GOALS = ("best_n", "gradual", "backup", "fair")
MAXIMISED = (*(f"stations_{goal}" for goal in STATION_GOALS), "ambulances", *(BEDS + name for name in worth.MAXIMISED))
PERSON_METRES = 10**9  # in a million person-kilometres, the unit of centres_free
WHOLE_BEDS = 1e-3  # what a plan may lose because beds are whole
RELATIVE = 1e-6  # how far a solver's sums of decimals may be off


def check_proofs(ledger, facts, plan, proofs):
    """Check every proof: a legal status, numbers that fit together, the objective of this very plan."""
    proofs = {name: asdict(proof) if is_dataclass(proof) else dict(proof) for name, proof in proofs.items()}
    for name in models_of(facts.scenario):
        if name not in proofs:
            ledger.fail("proof_missing", model=name)
    told = []
    for name, proof in proofs.items():
        if _consistent(ledger, facts, name, proof):
            _objective(ledger, facts, plan, name, proof)
        elif proof.get("status") in WITHOUT_PLAN and _has_plan(facts, plan, name):
            ledger.fail("proof_no_plan", model=name, found=proof["status"])
        told.append(name)
    return {"proofs": len(told)}


def bed_models(scenario):
    """Return the models of a scenario's beds: one for each objective in its order, or one for their weighted sum."""
    chosen = [WEIGHTED] if _weights(scenario) else scenario.beds_objectives
    return [BEDS + name for name in chosen]


def _weights(scenario):
    return {name: weight for name, weight in scenario.beds_weights.items() if weight}


def _is_maximised(scenario, name):
    """Return whether more is better; of a weighted sum only where it has nothing but what is to be large."""
    if name == BEDS + WEIGHTED:
        return set(_weights(scenario)) <= set(worth.MAXIMISED)
    return name in MAXIMISED


def models_of(scenario):
    """Return the names of the models that a scenario asks."""
    goals = (f"stations_{goal}" for goal in (scenario.stations_goal, other_goal(scenario)))
    return (*bed_models(scenario), *goals, *OTHER_MODELS)


def _consistent(ledger, facts, name, proof):
    """Return whether the proof claims a plan whose numbers can be looked at; what does not fit together is noted."""
    scenario = facts.scenario
    status = proof.get("status")
    if name not in models_of(scenario) or status not in STATUSES:
        ledger.fail("proof_status", model=name, found=status, expected=" | ".join(STATUSES))
        return False
    if status in WITHOUT_PLAN:
        return False
    objective, bound, gap = (proof.get(key) for key in ("objective", "bound", "gap"))
    if not _finite(objective):
        ledger.fail("proof_number", model=name, column="objective", found=objective)
        return False
    if not _finite(bound) or not _finite(gap):
        if status != "interim":
            for column, value in (("bound", bound), ("gap", gap)):
                if not _finite(value):
                    ledger.fail("proof_number", model=name, column=column, found=value)
        return True
    slack = RELATIVE * max(abs(objective), 1.0)
    better = bound - objective if _is_maximised(scenario, name) else objective - bound
    if better < -slack:
        ledger.fail("proof_bound", model=name, found=objective, expected=bound)
    expected = abs(objective - bound) / max(abs(objective), 1.0)
    if abs(gap - expected) > RELATIVE:
        ledger.fail("proof_gap", model=name, found=gap, expected=expected)
    if status == "optimal" and max(gap, expected) > RELATIVE:
        ledger.fail("proof_not_optimal", model=name, found=status, gap=max(gap, expected))
    far = name.startswith(BEDS) and abs(objective - bound) > a_bed_a_county(facts, name.removeprefix(BEDS))
    if status == "within_gap" and far and expected > allowed_gap(scenario) + RELATIVE:
        ledger.fail("proof_beyond_gap", model=name, found=status, gap=expected, expected=allowed_gap(scenario))
    return True


def allowed_gap(scenario):
    """Return the gap that a plan of beds may have: whole beds, and the leeway an objective gives to later ones."""
    leeway = float(scenario.beds_leeway)
    return WHOLE_BEDS + leeway / (1 - leeway)


def a_bed_a_county(facts, objective):
    """Return how far bounds in fractions may lie from whole beds: a bed a county; of the worst county one bed."""
    scenario, persons = facts.scenario, facts.county_persons
    people = [int(count) for count in persons if count] or [1]
    beds = sum(limits_of(facts).equal)
    each = {
        "worst": 1000 / min(people) / len(persons),
        "even": 1000 / sum(people),
        "cost": max(float(scenario.beds_cost_new), float(scenario.beds_cost_convert), 1.0),
        "travel": 10 / max(beds, 1),
    }
    return len(persons) * each.get(objective, 1.0)


def _finite(number):
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def _objective(ledger, facts, plan, name, proof):
    """Note when the plan is not worth what the proof says, or when changing one decision beats its bound."""
    value, challenge = WORTH[name](facts, plan) if name in WORTH else _beds(facts, plan, name)
    objective, bound = proof["objective"], proof["bound"]
    slack = RELATIVE * max(abs(objective), 1.0)
    if abs(value - objective) > slack and not worth.near(name.removeprefix(BEDS), objective, value):
        ledger.fail("proof_objective", model=name, found=objective, expected=value)
    if challenge is None or not _finite(bound):
        return
    change, after = challenge
    if (after - bound if name in MAXIMISED else bound - after) > slack:
        ledger.fail("proof_beaten", model=name, change=change, found=bound, expected=after)


def _beds(facts, plan, name):
    """The worth is the plan's by the objective; the change, one bed moved, told of the objective ranked first alone.

    The bounds of the others hold only for plans that are as good by those ranked before them.
    """
    cells, asked = planned_cells(facts, plan), name.removeprefix(BEDS)
    if asked == WEIGHTED:
        weights = _weights(facts.scenario)
        found = worth.worths(facts, cells, weights)
        large = -1 if _is_maximised(facts.scenario, name) else 1
        signs = {each: -large if each in worth.MAXIMISED else large for each in weights}
        return sum(signs[each] * weights[each] * float(found[each]) for each in weights), None
    value = float(worth.worths(facts, cells, (asked,))[asked])
    first = asked == facts.scenario.beds_objectives[0]
    return value, moves.best_move(facts, cells, asked) if first else None


def _table_of(facts, goal):
    return "stations" if facts.scenario.stations_goal == goal else "stations_alternative"


def _has_plan(facts, plan, name):
    """Return whether a model's answer stands in the tables; only the other station layout may be without one."""
    if not name.startswith("stations_"):
        return True
    return len(plan[_table_of(facts, name.removeprefix("stations_"))]) > 0


def _cover_all(facts, plan):
    """The worth is the number of stations; the change, a new station left out that nobody needs."""
    frame = plan[_table_of(facts, "cover_all")]
    cover = _own_city(facts, facts.covers(degrees_of(frame)), frame["city_code"])
    alone = cover.multiply((cover.sum(axis=1) == 1).astype(np.int64)[:, None]).sum(axis=0)
    forced = set(facts.scenario.forced_sites)
    free = frame["status"].eq("new") & ~frame["id"].isin(forced) & ~frame["name"].isin(forced)
    needless = np.flatnonzero((alone == 0) & free.to_numpy())
    return len(frame), (frame["id"].iloc[needless[0]] + " -> —", len(frame) - 1) if len(needless) else None


def _own_city(facts, cover, cities):
    """Return ``cover`` without stations of other cities, where each city's serve its own people alone."""
    if not facts.scenario.stations_by_city:
        return cover
    of = np.array([facts.city.get(code, -1) for code in cities], dtype=int)
    return cover.multiply(facts.demand_city[:, None] == of[None, :]).tocsr()


def _best_n(facts, plan):
    """The worth is the persons covered; the change, one new station moved to an open seat or a located town."""
    frame = plan[_table_of(facts, "best_n")]
    cover = _own_city(facts, facts.covers(degrees_of(frame)), frame["city_code"])
    times, persons = cover.sum(axis=1), facts.demand_persons
    covered = int(persons[times > 0].sum())
    closed, taken = set(facts.scenario.closed_counties), set(frame["id"])
    ids = [id for id, place in facts.places.items() if place["county_code"] not in closed and id not in taken]
    movable = np.flatnonzero(frame["status"].eq("new").to_numpy())
    scenario = facts.scenario
    if not ids or not len(movable) or scenario.forced_sites or scenario.forbidden_sites or scenario.spacing_km:
        return covered, None
    places = facts.covers(np.array([[facts.places[id]["lon"], facts.places[id]["lat"]] for id in ids], dtype=float))
    places = _own_city(
        facts, places, [facts.counties[facts.county[facts.places[id]["county_code"]]]["city_code"] for id in ids]
    )
    gain = places.T @ np.where(times == 0, persons, 0)
    alone = cover[:, movable].multiply(np.where(times == 1, persons, 0)[:, None]).tocsr()
    # Of those whom a station alone covers, the new place keeps the ones it reaches.
    worth = covered + gain[None, :] - alone.sum(axis=0)[:, None] + (alone.T @ places).toarray()
    away, to = np.unravel_index(worth.argmax(), worth.shape)
    return covered, (f"{frame['id'].iloc[movable[away]]} -> {ids[to]}", int(worth[away, to]))


def _by_goal(goal):
    """Return the worth of the plan's stations by another goal; no change is tried."""
    return lambda facts, plan: (goal_worth(facts, plan[_table_of(facts, goal)], goal), None)


def _centres_free(facts, plan):
    """The worth is in million person-kilometres; the change, one centre moved to another county seat."""
    chosen = sorted({i for i in centres.free_centres(facts, plan) if i is not None})
    metres = facts.metres(facts.seats[:, None, :], facts.seats[None, :, :])
    worth = centres.person_metres(facts, metres[:, chosen].min(axis=1))
    moves = []
    for away in chosen:
        others = [i for i in chosen if i != away]
        rest = metres[:, others].min(axis=1) if others else np.full(len(metres), metres.max())
        totals = facts.county_persons @ np.minimum(rest[:, None], metres)
        to = int(totals.argmin())
        moves.append((int(totals[to]), f"{facts.counties[away]['code']} -> {facts.counties[to]['code']}"))
    least, change = min(moves)
    return worth / PERSON_METRES, (change, least / PERSON_METRES)


WORTH = {
    "stations_cover_all": _cover_all,
    "stations_best_n": _best_n,
    "ambulances": fleet_worth,
    "stations_gradual": _by_goal("gradual"),
    "stations_backup": _by_goal("backup"),
    "stations_fair": _by_goal("fair"),
    "centres_free": _centres_free,
}
