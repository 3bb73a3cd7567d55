"""The bed model and its levels against enumeration, a second solver and paper."""

import threading
from dataclasses import replace
from itertools import product

import numpy as np
import pulp
import pytest
from scipy.optimize import linprog

from planner.models.bed_quotas import MAXIMISED, OBJECTIVES, BedQuestion, Rule, bed_quotas
from planner.services.levels import HOLD, best_alone, decide_levels, missed, worths
from planner.solve import INFEASIBLE, INTERIM, OPTIMAL, solve

# Three counties, three cells: two kinds of one owner, and beds of another that may only shrink.
ADDED, CLOSED, OWNERS = np.array([True, True, False]), np.array([False, False, True]), ((0, 1),)


def rule(word, cells, low=None, high=None, strict=True, weight=1.0, times=None):
    weights = times or (1,) * len(cells)
    return Rule(word, "1", *(tuple(c) for c in zip(*cells, strict=True)), tuple(weights), low, high, strict, weight)


def every(counties=(0, 1, 2), kinds=(0, 1, 2)):
    return [(i, c) for i in counties for c in kinds]


def random_question(seed):
    """A question whose every whole answer can be listed: bounds two or three beds apart."""
    rng = np.random.default_rng(seed)
    now = rng.integers(0, 4, (3, 3))
    lowest = np.maximum(now - [1, 0, 3], 0)
    highest = now + [2, 1, 0]
    total = int(rng.integers(now.sum() - 1, now.sum() + 4))
    rules = (
        rule("total", every(), None, total),
        rule("total", every(), total - 1, None),
        rule("tcm", every(kinds=(1,)), int(now[:, 1].sum()) + 2, strict=False, weight=2.0),
        rule("owner_other_public", every(kinds=(2,)), 1, 2, strict=False),
        rule("half", every((0, 1), (0, 1)), 2.5, strict=False, times=(1, 0.5, 1, 0.5)),
    )
    reach = rng.uniform(0.1, 1.0, (3, 3)) * (rng.random((3, 3)) < 0.7)
    km = rng.uniform(1, 30, (3, 3))
    np.fill_diagonal(km, 0.0)
    return BedQuestion(
        persons=rng.integers(0, 5_000, 3),
        reach=reach + np.diag(rng.uniform(0.5, 1.0, 3)),
        now=now,
        lowest=lowest,
        highest=highest,
        guide=np.clip(now + 1, lowest, highest),
        equal=rng.integers(1, 9, 3),
        added=ADDED,
        closed=CLOSED,
        owners=OWNERS,
        rules=rules,
        km=(km + km.T) / 2,
        prices=(5.0, 2.0),
        budget=None,
    )


def answers(question):
    """Every whole answer that keeps the strict rules."""
    cells = [range(low, high + 1) for low, high in zip(question.lowest.flat, question.highest.flat, strict=True)]
    for flat in product(*cells):
        beds = np.array(flat).reshape(question.now.shape)
        if all(sum(missed(each, beds)) <= 1e-9 for each in question.rules if each.strict):
            yield beds


def travel_by_scipy(question, beds):
    """The transport problem of the claims, by another solver."""
    totals, shares = beds.sum(axis=1).astype(float), question.persons / max(question.persons.sum(), 1)
    people = np.flatnonzero(shares)
    n, m = len(people), len(totals)
    claims = np.kron(np.eye(n), np.ones(m))
    limits = np.tile(np.eye(m), n)
    found = linprog(
        question.km[people].ravel(), limits, totals, claims, shares[people] * totals.sum(), bounds=(0, None)
    )
    return found.fun / totals.sum() if totals.sum() else 0.0


def worth(question, beds, word):
    """An objective worked out in its own few lines."""
    totals = beds.sum(axis=1)
    reach = question.reach @ totals
    people = question.persons
    if word == "shortfall":
        return sum(each.weight * sum(missed(each, beds)) for each in question.rules if not each.strict)
    if word == "worst":
        return min((a for a, p in zip(reach, people, strict=True) if p), default=0.0)
    if word == "even":
        mean = (reach * people).sum() / people.sum()
        return sum(p * abs(a - mean) for a, p in zip(reach, people, strict=True)) / people.sum()
    if word == "equal":
        return abs(totals - question.equal).sum()
    new = sum(max(beds[i, c] - question.now[i, c], 0) for i in range(3) for c in (0, 1))
    if word == "change":
        return new + sum(max(question.now[i, 2] - beds[i, 2], 0) for i in range(3))
    if word == "cost":
        built = (beds[:, :2] - question.now[:, :2]).sum()
        return 5 * built + 2 * (new - built)
    return travel_by_scipy(question, beds)


@pytest.mark.parametrize("word", [w for w in OBJECTIVES if w != "travel"])
@pytest.mark.parametrize("seed", range(6))
def test_the_whole_model_by_enumeration(seed, word):
    question = random_question(seed)
    pick = max if word in MAXIMISED else min
    best = pick((worth(question, beds, word) for beds in answers(question)), default=None)
    made = bed_quotas(question, (word,))
    model = made.model
    model += (-1 if word in MAXIMISED else 1) * made.objectives[word]
    solution = solve(model)
    if best is None:
        assert solution.status == INFEASIBLE
        return
    beds = np.array([[solution.values[v.name] for v in row] for row in made.x])
    assert solution.status == OPTIMAL and worth(question, beds, word) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_travel_by_another_solver(seed):
    question = random_question(seed)
    for beds in [beds for beds, _ in zip(answers(question), range(3), strict=False)]:
        assert worths(question, beds, ("travel",))["travel"] == pytest.approx(travel_by_scipy(question, beds), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_levels_by_enumeration(seed):
    """The bounds are none too good; the beds keep every rule and are worth what is said."""
    question = random_question(seed)
    ways = list(answers(question))
    words = tuple(np.random.default_rng(seed).permutation([w for w in OBJECTIVES if w != "travel"])[:3])
    decided = decide_levels(question, words)
    if not ways:
        assert decided.beds is None
        return
    assert any((decided.beds == beds).all() for beds in ways)
    for word in words:
        proof = decided.proofs[f"beds_{word}"]
        assert proof.objective == pytest.approx(worth(question, decided.beds, word), abs=1e-6)
    sign = -1 if words[0] in MAXIMISED else 1
    best = min(sign * worth(question, beds, words[0]) for beds in ways)
    assert sign * decided.proofs[f"beds_{words[0]}"].bound <= best + 1e-4
    # Later levels: no answer that is at the earlier ones as good as can be beats the bound.
    for n, word in enumerate(words[1:], start=1):
        side = -1 if word in MAXIMISED else 1
        kept = [
            side * worth(question, beds, word)
            for beds in ways
            if all(
                (-1 if w in MAXIMISED else 1) * (worth(question, beds, w) - decided.proofs[f"beds_{w}"].bound) <= 1e-6
                for w in words[:n]
            )
        ]
        assert all(side * decided.proofs[f"beds_{word}"].bound <= value + 1e-4 for value in kept)


def test_measures_are_those_worked_out_apart():
    for seed in range(5):
        question = random_question(seed)
        for beds in [beds for beds, _ in zip(answers(question), range(5), strict=False)]:
            values = worths(question, beds, OBJECTIVES)
            for word in OBJECTIVES:
                assert values[word] == pytest.approx(worth(question, beds, word), abs=1e-6), word


def test_leeway_is_what_the_first_level_may_lose():
    question = random_question(3)
    strict = decide_levels(question, ("worst", "cost"))
    loose = decide_levels(question, ("worst", "cost"), leeway=0.3)
    assert loose.proofs["beds_cost"].objective <= strict.proofs["beds_cost"].objective
    bound = loose.proofs["beds_worst"].bound
    assert loose.proofs["beds_worst"].objective >= 0.7 * bound - 0.6  # whole beds beside fractions


def test_weights_make_one_level():
    question = random_question(5)
    decided = decide_levels(question, ("shortfall", "change"), weights={"shortfall": 1, "change": 0.1})
    assert list(decided.proofs) == ["beds_weighted"]
    best = min(worth(question, b, "shortfall") + 0.1 * worth(question, b, "change") for b in answers(question))
    assert decided.proofs["beds_weighted"].bound <= best + 1e-6 <= decided.proofs["beds_weighted"].objective + 1e-4


@pytest.mark.parametrize("seed", range(2))
def test_alone_no_answer_is_better(seed):
    question = random_question(seed)
    ways = list(answers(question))
    rows = best_alone(question, OBJECTIVES)
    for word, row in rows.items():
        sign = -1 if word in MAXIMISED else 1
        assert all(sign * row[word] <= sign * worth(question, beds, word) + 1e-3 for beds in ways), word


def test_a_budget_binds_and_more_of_it_never_hurts():
    question = random_question(1)
    found = []
    for budget in (0.0, 5.0, 10.0, 20.0, 60.0):
        decided = decide_levels(replace(question, budget=budget), ("shortfall",))
        if decided.beds is None:
            found.append(np.inf)
            continue
        assert worth(question, decided.beds, "cost") <= budget + 1e-6
        found.append(decided.proofs["beds_shortfall"].bound)
    assert found == sorted(found, reverse=True) and found[-1] < np.inf


def test_stopped_at_once_there_is_still_a_plan():
    cancel = threading.Event()
    cancel.set()
    question = random_question(2)
    decided = decide_levels(question, ("equal", "change"), seconds=0.001, cancel=cancel)
    assert decided.status == INTERIM and any((decided.beds == beds).all() for beds in answers(question))
    assert decided.proofs["beds_change"].status == INTERIM


def test_contradicting_rules_have_no_plan():
    question = random_question(0)
    more = rule("pin", every((0,)), 50, 50)
    assert decide_levels(replace(question, rules=(*question.rules, more)), ("equal",)).status == INFEASIBLE


def test_the_rows_stand_under_the_names_of_the_docstring():
    made = bed_quotas(random_question(0), (*OBJECTIVES, "settle"))
    names = {row.name.rstrip("0123456789_") for row in made.model.constraints()}
    assert {"total", "access", "mean_access", "worst", "above", "below", "added", "closed", "claims", "beds"} <= names
    assert all(isinstance(each, pulp.LpAffineExpression) for each in made.objectives.values())
    assert set(HOLD) == set(OBJECTIVES)
