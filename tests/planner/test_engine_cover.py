"""The covering engine by enumeration, however poor its first guess, and honest when stopped."""

import threading
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

import planner.engine.cover as engine
from planner.engine.cover import fewest_sites, most_people
from planner.engine.found import Clock, found
from planner.engine.mclp_bound import mclp_bound
from planner.problem import CoverProblem
from planner.solve import INFEASIBLE, INTERIM, OPTIMAL, WITHIN_GAP
from tests.oracles.brute import mclp_brute

NOTHING_HELD = np.zeros(0, dtype=int), np.zeros(0, dtype=int)


def random_task(seed, people, sites, share):
    rng = np.random.default_rng(seed)
    cover = rng.random((people, sites)) < share
    arcs = sparse.csr_array(cover.astype(np.int64))
    return cover, CoverProblem(rng.integers(1, 1000, people), arcs, *NOTHING_HELD, np.arange(sites))


def unlucky(cover, *task, **near):
    """A bound that is right, favours nothing of use and met no good plan."""
    p = task[1]
    return replace(mclp_bound(cover, *task, **near), favoured=np.array([0]), sites=np.arange(p))


@pytest.mark.parametrize("seed", range(12))
def test_most_people_by_enumeration_however_poor_the_first_guess(seed, monkeypatch):
    """The sites that the bound favours only find a plan; what proves it is every site that could better it."""
    cover, task = random_task(seed, 60, 12, 0.12)
    best, _ = mclp_brute(cover, task.persons, 4)
    for bound in (mclp_bound, unlucky):
        monkeypatch.setattr(engine, "mclp_bound", bound)
        plan = most_people(task, 4, clock=Clock(60))
        assert plan.status == OPTIMAL and plan.objective == best == plan.bound
        assert len(plan.sites) == 4 and task.persons[task.covered_by(plan.sites)].sum() == best


def test_most_people_stopped_at_once_is_bounded_among_all_sites(monkeypatch):
    """Cancelled after the first guess: interim, with the bound of the relaxation, which no plan beats."""
    _, task = random_task(1, 400, 60, 0.05)
    cancel = threading.Event()
    cancel.set()
    monkeypatch.setattr(engine, "mclp_bound", unlucky)
    stopped = most_people(task, 8, clock=Clock(60, cancel=cancel))
    proven = most_people(task, 8, clock=Clock(60))
    assert proven.status == OPTIMAL
    assert stopped.objective < proven.objective <= stopped.bound
    assert stopped.gap == pytest.approx((stopped.bound - stopped.objective) / stopped.objective)
    assert stopped.status == INTERIM and stopped.gap > 0


def test_an_unproven_plan_stays_what_it_was_proven_to_be(monkeypatch):
    """The site found serves one village of two; a better-ranked one serves both, and would belie the bound."""
    cover = sparse.csr_array(np.array([[1, 1, 0], [1, 0, 1]]))
    task = CoverProblem(np.array([10, 5]), cover, *NOTHING_HELD, np.arange(3))
    monkeypatch.setattr(engine, "_most_of_core", lambda *task: (np.array([1]), 15, False))
    plan = most_people(task, 1, clock=Clock(60))
    assert plan.sites.tolist() == [1] and plan.objective == 10 and plan.bound == 15 and plan.status == INTERIM


@pytest.mark.parametrize("seed", range(12))
def test_fewest_sites_with_backup_by_enumeration(seed):
    cover, task = random_task(seed, 30, 10, 0.3)
    need = np.random.default_rng(seed + 99).integers(1, 3, 30)
    can = cover.sum(axis=1) >= need
    plan = fewest_sites(replace(task, need=need), clock=Clock(60))
    fewest = next(
        count
        for count in range(11)
        for sites in combinations(range(10), count)
        if (cover[can][:, list(sites)].sum(axis=1) >= need[can]).all()
    )
    assert plan.status == OPTIMAL and plan.objective == fewest == len(plan.sites)
    assert (cover[can][:, plan.sites].sum(axis=1) >= need[can]).all()


def test_nobody_asks_for_a_site():
    _, task = random_task(0, 5, 4, 0.0)
    assert fewest_sites(task, clock=Clock(60)).sites.tolist() == []
    assert most_people(task, 2, clock=Clock(60)).sites.tolist() == [0, 1]  # two were asked for, good for nobody
    assert most_people(task, 5, clock=Clock(60)).status == INFEASIBLE


def test_progress_counts_the_sites_held():
    """Best and gap are of the whole plan: five held and sixteen more, not sixteen; more often than four times a second
    nobody is told."""
    told = []
    clock = Clock(60, lambda seconds, gap, best: told.append((gap, best)))
    listener = engine._told(clock, 5)
    clock.told -= 1
    listener(0.5, 0.25, 16)
    listener(0.5, 0.2, 17)
    clock.told -= 1
    listener(0.6, None, None)
    assert told == [(0.25 * 16 / 21, 21), (None, None)]
    assert engine._told(Clock(60), 5) is None


def test_the_status_follows_from_the_numbers():
    assert found([2, 1], 10, 10.0, 0).status == OPTIMAL
    assert found([1], 99, 100, 0.02).status == WITHIN_GAP
    assert found([1], 99, 100, 0.001).status == found([1], 99, None, 1).status == INTERIM
