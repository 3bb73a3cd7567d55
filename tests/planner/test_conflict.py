"""The smallest conflict is the smallest: held against every subset of the wishes."""

from itertools import combinations
from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.conflict import smallest_conflict

LETTERS = "abcdefghij"


def cannot(*conflicts):
    """A ``feasible`` that refuses every list with all the letters of one of ``conflicts``."""
    return lambda wishes: not any(set(conflict) <= set(wishes) for conflict in conflicts)


def by_enumeration(wishes, feasible):
    """The first of the smallest subsets that cannot hold: all subsets, the small ones first, in order."""
    for size in range(len(wishes) + 1):
        for some in combinations(wishes, size):
            if not feasible(list(some)):
                return some
    return None


def irreducible(conflict, feasible):
    return not feasible(list(conflict)) and all(feasible([w for w in conflict if w != without]) for without in conflict)


def test_on_paper():
    assert smallest_conflict("abcde", cannot("abc", "ce", "de")) == ("c", "e")
    assert smallest_conflict("abcde", cannot("abc", "bde")) == ("a", "b", "c")
    assert smallest_conflict("abcde", cannot("d")) == ("d",)
    assert smallest_conflict("abcde", cannot()) is None
    assert smallest_conflict([], cannot()) is None


def test_no_wish_is_to_blame():
    assert smallest_conflict("abc", lambda wishes: False) == ()
    assert smallest_conflict([], lambda wishes: False) == ()


def test_order_of_the_list_breaks_ties():
    assert smallest_conflict("abcd", cannot("ab", "cd")) == ("a", "b")
    assert smallest_conflict("dcba", cannot("ab", "cd")) == ("d", "c")


@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.sets(st.integers(0, n - 1), min_size=1, max_size=5), max_size=7))
    )
)
@settings(max_examples=150, deadline=None)
def test_any_conflicts_against_every_subset(drawn):
    n, conflicts = drawn
    feasible = cannot(*conflicts)
    assert smallest_conflict(range(n), feasible) == by_enumeration(range(n), feasible)


@pytest.mark.parametrize("seed", range(20))
def test_budgets_against_every_subset(seed):
    """Wishes that each use of three budgets: conflicts of many sizes, as plans have them."""
    rng = np.random.default_rng(seed)
    use, most = rng.integers(0, 10, (9, 3)), rng.integers(5, 30, 3)

    def feasible(wishes):
        return bool((use[list(wishes)].sum(axis=0) <= most).all())

    assert smallest_conflict(range(9), feasible) == by_enumeration(range(9), feasible)


def test_few_questions_for_a_small_conflict_among_many_wishes():
    asked = []

    def feasible(wishes):
        asked.append(frozenset(wishes))
        return not {17, 301} <= set(wishes)

    assert smallest_conflict(range(400), feasible) == (17, 301)
    assert len(asked) == len(set(asked)) < 60


@pytest.mark.parametrize("calls", [0, 1, 5, 20])
def test_out_of_questions_the_conflict_is_irreducible(calls):
    conflicts = ["fghij", "abcde", "cfg"]
    count = 0

    def feasible(wishes):
        nonlocal count
        count += 1
        return cannot(*conflicts)(wishes)

    conflict = smallest_conflict(LETTERS, feasible, calls=calls)
    assert irreducible(conflict, cannot(*conflicts))
    assert count <= calls + 30


@pytest.mark.parametrize("after", range(1, 25, 3))
def test_cancelled_it_tells_a_conflict_at_once(after):
    cancel, count = Event(), 0

    def feasible(wishes):
        nonlocal count
        count += 1
        if count == after:
            cancel.set()
        return cannot("fghij", "abcde", "cfg")(wishes)

    conflict = smallest_conflict(LETTERS, feasible, cancel=cancel)
    assert not cannot("fghij", "abcde", "cfg")(conflict)
    assert count <= after


def test_what_is_not_known_to_be_infeasible_is_no_conflict():
    """``feasible`` gives up on some lists and says True: the answer is a proven conflict, and one comes."""

    def feasible(wishes):
        return len(wishes) % 3 == 1 or not set("bde") <= set(wishes)

    conflict = smallest_conflict("abcdef", feasible)
    assert not feasible(conflict) and set("bde") <= set(conflict)


def test_same_question_same_answer():
    rng = np.random.default_rng(5)
    conflicts = [tuple(rng.choice(list(LETTERS), 3, replace=False)) for _ in range(12)]
    answers = {smallest_conflict(LETTERS, cannot(*conflicts)) for _ in range(3)}
    assert answers == {by_enumeration(LETTERS, cannot(*conflicts))}
