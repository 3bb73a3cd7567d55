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


# -- a plan to begin with, and how near is near enough


def begun(task, seed, p):
    """A plan to begin with: any sites, some useless, held or shut."""
    rng = np.random.default_rng(seed + 1_000)
    return rng.choice(task.arcs.shape[1], rng.integers(0, p + 1), replace=False)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_plan_to_begin_with_the_best_is_found(seed):
    """By enumeration, with a site held and one shut; exactly, and to within a gap."""
    cover, task = random_task(seed, 50, 11, 0.15)
    task = replace(task, fixed=np.array([3]), forbidden=np.array([7]))
    best, _ = mclp_brute(cover, task.persons, 4, fixed=(3,), forbidden=(7,))
    begin = begun(task, seed, 4)
    plan = most_people(task, 4, clock=Clock(60), begin=begin)
    assert plan.status == OPTIMAL and plan.objective == best == plan.bound
    near = most_people(task, 4, gap=0.05, clock=Clock(60), begin=begin)
    assert near.status in (OPTIMAL, WITHIN_GAP)
    assert near.objective <= best <= near.bound <= 1.05 * near.objective
    for each in (plan, near):
        assert len(each.sites) == len(set(each.sites.tolist())) == 4
        assert 3 in each.sites and 7 not in each.sites
        assert task.persons[cover[:, each.sites].any(axis=1)].sum() == each.objective


def test_stopped_at_once_the_plan_to_begin_with_is_not_lost():
    """No time for anything: what is told is at least what was known before."""
    _, task = random_task(1, 400, 60, 0.05)
    proven = most_people(task, 8, clock=Clock(60))
    cancel = threading.Event()
    cancel.set()
    alone = most_people(task, 8, clock=Clock(60, cancel=cancel))
    begun = most_people(task, 8, clock=Clock(60, cancel=cancel), begin=proven.sites)
    assert alone.objective < proven.objective == begun.objective <= begun.bound
    part = most_people(task, 8, clock=Clock(60, cancel=cancel), begin=proven.sites[:6])
    known = task.persons[task.covered_by(proven.sites[:6])].sum()
    assert part.objective >= max(known, alone.objective) and len(part.sites) == 8


@pytest.mark.parametrize("seed", range(30))
def test_the_bound_brings_a_plan_and_stops_where_it_is_near_enough(seed):
    """By enumeration: no plan beats the bound however early it stopped, and its sites are a plan of that worth."""
    cover, task = random_task(seed, 40, 10, 0.2)
    best, _ = mclp_brute(cover, task.persons, 3)
    for share in (0.0, 0.02, 0.1, 10.0):
        near = share * best
        bound = mclp_bound(sparse.csr_array(cover), task.persons, 3, known=0, clock=Clock(60), near=near)
        assert len(set(bound.sites.tolist())) == len(bound.sites) == 3
        served = task.persons[cover[:, bound.sites].any(axis=1)].sum()
        assert served <= best <= bound.most + 0.01
        for site in range(10):
            assert bound.most_with[site] >= mclp_brute(cover, task.persons, 3, fixed=(site,))[0] - 0.01
        if share >= 0.1:
            assert bound.most - served <= near


class Counting(Clock):
    """A clock that counts how often it is looked at: every sixteenth round."""

    looks = 0

    def stopped(self):
        Counting.looks += 1
        return super().stopped()


def test_near_enough_is_earlier():
    """Towns on a line, whose relaxation is exact: the wider the gap allowed, the fewer rounds."""
    rng = np.random.default_rng(2)
    cover = sparse.csr_array(np.abs(np.subtract.outer(np.arange(300), np.arange(2, 300, 3))) <= 5)
    persons, looks = rng.integers(1, 1000, 300), []
    for near in (0.0, 0.05, 0.3):
        Counting.looks = 0
        mclp_bound(cover, persons, 9, known=0, clock=Counting(60), near=near * persons.sum())
        looks.append(Counting.looks)
    assert looks[0] > looks[1] > looks[2] >= 1


# -- what is told


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


def test_a_problem_stopped_before_anybody_is_left_has_no_parts():
    """Stopped early, the reduction may leave sites and no rows."""
    nobody = np.zeros(0, dtype=np.int64)
    cover = sparse.csr_array((0, 3), dtype=np.int64)
    assert engine._parts(engine.Reduced(cover, nobody, nobody, np.arange(3), np.arange(3))) == []
