"""Objectives one after another: relaxed level by level, whole beds once, and how good each level is known to be.

Each level is a linear programme that keeps what the levels before it reached, less the leeway. The beds are then made
whole next to the last of them. What a level's programme is worth is its bound: nothing that keeps the levels before it
as they are at best is better.
"""

import threading
from dataclasses import dataclass, replace

import numpy as np

from planner.engine.found import Clock
from planner.models.bed_quotas import MAXIMISED, bed_quotas, hold, minimise
from planner.models.transport import transport
from planner.services.proof import Proof
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL, WITHIN_GAP, solve

SETTLE = "settle"
UNITS = {
    "shortfall": "beds",
    "worst": "beds_per_1000",
    "even": "beds_per_1000",
    "equal": "beds",
    "change": "beds",
    "cost": "wan_yuan",
    "travel": "km",
    "weighted": "points",
}
# What a level may lose when the next one holds it: less than any printed figure shows.
HOLD = {"shortfall": 1e-3, "worst": 1e-5, "even": 1e-5, "equal": 1e-2, "change": 1e-2, "cost": 1e-2, "travel": 1e-5}
GAP = 1e-3  # whole beds beside fractions of a bed
ANY_PLAN_SECONDS = 30.0  # for the first plan and for making it whole: without them there is nothing to show
WHOLE_SECONDS = 5.0  # for whole beds next to the fractions; mostly a third of a second
LATER = 0.2  # what a level counts beside the one before it when fractions are made whole


@dataclass(frozen=True)
class Decided:
    """``beds`` int array counties x cells, None without a plan; ``proofs`` by model; ``status`` of the whole."""

    status: str
    beds: np.ndarray | None
    proofs: dict


def decide_levels(question, objectives, *, weights=None, leeway=0.0, seconds=60.0, progress=None, cancel=None):
    """Return the :class:`Decided` of a :class:`planner.models.bed_quotas.BedQuestion`.

    objectives  words in their order; ``weights`` {word: number}: one weighted sum of them instead
    leeway      share of its best value that each level may give up for those after it, the last for none
    seconds     for the levels together; reached, or ``cancel`` set: the levels done so far decide, status interim
    """
    clock = Clock(seconds, progress, cancel)
    levels = _levels(objectives, weights)
    held, beds, stopped = [], None, False
    for level in (*levels, (SETTLE, {SETTLE: 1.0})):
        if beds is not None and clock.stopped():
            stopped = True
            break
        # Nothing is given up for the tie-break: what the levels reached is held as it is.
        reached = held if level[0] != SETTLE else [(each, _worth(question, beds, each[1]), 0, 0.0) for each, *_ in held]
        solution, made = _relaxed(question, level, reached, clock, first=beds is None)
        if solution.status == INFEASIBLE and beds is None:
            return Decided(INFEASIBLE, None, {})
        if not solution.has_plan or solution.status == INTERIM:
            stopped = True
            if beds is None and not solution.has_plan:
                return Decided(NO_PLAN, None, {})
        if solution.has_plan:
            beds = _beds(made, solution)
        if stopped:
            break
        held.append((level, solution.objective, leeway, solution.seconds))
    whole = _made_whole(question, held, levels, beds, clock)
    if whole is None:
        return Decided(NO_PLAN, None, {})
    proofs = _proofs(question, levels, whole, leeway, stopped, held)
    return Decided(INTERIM if stopped else WITHIN_GAP, whole, proofs)


def _levels(objectives, weights):
    """Return [(name, {objective: weight})]: a level each, or one of all of them."""
    if weights and any(weights.values()):
        return [("weighted", {word: float(weights[word]) for word in objectives if weights.get(word)})]
    return [(word, {word: 1.0}) for word in objectives]


def _model(question, parts, held, *, whole=False):
    """Return the :class:`BedModel` that minimises ``parts`` and holds the levels [(level, value, leeway, seconds)]."""
    words = [word for (_, of), *_ in held for word in of]
    made = bed_quotas(question, tuple(dict.fromkeys([*words, *parts])), whole=whole)
    minimise(made, parts)
    for n, ((name, of), value, leeway, _) in enumerate(held):
        most = value + abs(value) * float(leeway) + HOLD.get(name, 1e-3)
        hold(made, of, most, f"held_{n}")
    return made


def _relaxed(question, level, held, clock, *, first):
    """Return (Solution, BedModel) of a level in fractions of a bed; the first plan is waited for in any case."""
    made = _model(question, level[1], held)
    seconds = max(clock.left(), ANY_PLAN_SECONDS) if first else clock.left()
    cancel = threading.Event() if first else clock.cancel
    return solve(made.model, seconds=seconds, progress=_ticker(clock), cancel=cancel), made


def _ticker(clock):
    """Return a listener that tells the time alone: bests of single programmes say nothing of the plan."""
    return lambda seconds, gap, best: clock.tell(None, None)


def _beds(made, solution):
    return np.array([[solution.values[v.name] for v in row] for row in made.x])


def _made_whole(question, held, levels, beds, clock):
    """Return whole beds near ``beds``, as good at the levels as whole beds let them be; None when there are none.

    Every level is kept within the gap, if whole beds can, else the first; what they lose weighs less from each to the
    next.
    """
    scale = _scales(question)
    parts = {}
    for n, (_, of) in enumerate([level for level, *_ in held if level[0] != SETTLE] or levels[:1]):
        for word, weight in of.items():
            if word == "travel":
                continue  # a fraction of a bed moves nobody, and its thousands of flows take half a minute
            parts[word] = parts.get(word, 0.0) + weight * LATER**n / scale.get(word, 1.0)
    # Half the gap for fractions that become whole, so that what comes out is within the gap of its bound.
    decided = [each for each, *_ in held if each[0] != SETTLE and "travel" not in each[1]]
    every = [(each, _worth(question, beds, each[1]), GAP / 2, 0.0) for each in decided]
    for width, kept in ((0, every), (2, every), (2, every[:1]), (2, []), (20, [])):
        near = replace(
            question,
            lowest=np.maximum(question.lowest, np.floor(beds + 1e-6).astype(np.int64) - width),
            highest=np.minimum(question.highest, np.ceil(beds - 1e-6).astype(np.int64) + width),
        )
        made = _model(near, parts, kept, whole=True)
        seconds, gap = (WHOLE_SECONDS, 1e-6) if width == 0 else (ANY_PLAN_SECONDS, 1e-5)
        solution = solve(made.model, seconds=seconds, gap=gap, progress=_ticker(clock))
        if solution.has_plan:
            return np.rint(_beds(made, solution)).astype(np.int64)
    return None


def _scales(question):
    """Return what one bed is worth in the unit of each objective, so that levels can be weighed."""
    people = max(float(question.persons.sum()), 1.0)
    own = np.diag(question.reach)
    beds = max(float(question.equal.sum()), 1.0)
    return {
        "worst": float(np.median(own[own > 0])) if (own > 0).any() else 1.0,
        "even": 1000.0 / people,
        "cost": max(float(max(question.prices)), 1.0),
        "travel": 10.0 / beds,
    }


def worths(question, beds, words):
    """Return {word: value} of a plan (array counties x cells, whole or not), recomputed without the model's slack."""
    totals = beds.sum(axis=1)
    within = question.reach @ totals
    people = question.persons > 0
    shares = question.persons / max(question.persons.sum(), 1)
    added = np.maximum(beds - question.now, 0)[:, question.added].sum()
    closed = np.maximum(question.now - beds, 0)[:, question.closed].sum()
    new, convert = map(float, question.prices)
    built = sum((beds[:, list(owner)] - question.now[:, list(owner)]).sum() for owner in question.owners)
    every = {
        "shortfall": lambda: sum(rule.weight * sum(missed(rule, beds)) for rule in question.rules if not rule.strict),
        "worst": lambda: within[people].min() if people.any() else 0.0,
        "even": lambda: (np.abs(within - within @ shares) * shares).sum(),
        "equal": lambda: np.abs(totals - question.equal).sum(),
        "change": lambda: added + closed,
        "cost": lambda: built * new + (added - built) * convert,
        "travel": lambda: _travel(question, totals),
        SETTLE: lambda: np.abs(beds - question.guide).sum(),
    }
    return {word: float(every[word]()) for word in words}


def _worth(question, beds, parts):
    """Return what a plan is worth at a level, to be minimised."""
    values = worths(question, beds, tuple(parts))
    return sum((-weight if word in MAXIMISED else weight) * values[word] for word, weight in parts.items())


def missed(rule, beds):
    """Return (missing, over) of a rule under a plan, in beds as the rule counts them."""
    got = sum(float(w) * float(beds[i, c]) for i, c, w in zip(rule.rows, rule.cells, rule.weights, strict=True))
    low = 0.0 if rule.low is None else max(float(rule.low) - got, 0.0)
    high = 0.0 if rule.high is None else max(got - float(rule.high), 0.0)
    return low, high


def _travel(question, totals):
    """Return the km a resident to a bed of "his" when beds are claimed as near as they can be."""
    beds, people = float(totals.sum()), question.persons.sum()
    if not beds or not people:
        return 0.0
    # Shares of all beds may sum to a hair more than these.
    claims = question.persons / people * beds * (1 - 1e-12)
    solution = solve(transport(question.km, claims, totals), seconds=ANY_PLAN_SECONDS)
    return solution.objective / beds if solution.has_plan else 0.0


def _proofs(question, levels, beds, leeway, stopped, held):
    """Return {model: Proof} of every level; a bound is what the level is worth at best when those before it are.

    ``held`` [(level, value at best, leeway, seconds)] of the levels that were decided in time.
    """
    proofs, scale = {}, _scales(question)
    for n, (name, of) in enumerate(levels):
        worth = _worth(question, beds, of)
        bound = min(held[n][1], worth) if n < len(held) else None
        gap = None if bound is None else abs(worth - bound) / max(abs(worth), 1.0)
        # Who gives leeway asks for no more than that; and whole beds may lie a bed a county away from fractions, of
        # the worst county one bed in all.
        asked = GAP + float(leeway) / (1.0 - float(leeway))
        whole = scale["worst"] if name == "worst" else len(beds) * scale.get(name, 1.0)
        if gap is None or (gap > asked and worth - bound > whole):
            status = INTERIM
        elif gap <= 1e-6:  # no more than a solver's sums are off
            status, gap = OPTIMAL, 0.0
        else:
            status = WITHIN_GAP
        sign = -1.0 if of.keys() <= set(MAXIMISED) else 1.0
        best = None if bound is None else sign * bound
        seconds = held[n][3] if n < len(held) else 0.0
        proofs[f"beds_{name}"] = Proof(f"beds_{name}", status, UNITS[name], sign * worth, best, gap, seconds)
    return proofs


def best_alone(question, objectives, *, seconds=60.0, cancel=None):
    """Return {objective: {objective: value}}: what every objective is worth when one of them is made best alone.

    Relaxed to fractions of a bed; among plans equally good at the one, others count by their worth of a bed.
    """
    scale = _scales(question)
    clock = Clock(seconds, None, cancel)
    rows = {}
    for first in objectives:
        if clock.stopped():
            break
        hair = {word: 1e-6 / scale.get(word, 1.0) for word in ("shortfall", "equal", "change") if word != first}
        made = _model(question, {first: 1.0 / scale.get(first, 1.0), **hair}, [])
        solution = solve(made.model, seconds=clock.left(), cancel=cancel)
        if solution.status == OPTIMAL:
            rows[first] = worths(question, _beds(made, solution), objectives)
    return rows
