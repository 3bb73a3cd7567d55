"""The p-median engine against enumeration and a second solver, and what planners believe of it."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial import cKDTree

from planner.engine.found import Clock
from planner.engine.median import median
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL, WITHIN_GAP
from tests.benchmarks.shanxi_like import instance
from tests.oracles.brute import pmedian_brute
from tests.oracles.second_solver import pmedian_milp


def solved(cost, weights, p, *, seconds=60, progress=None, cancel=None, **asked):
    return median(cost, weights, p, clock=Clock(seconds, progress, cancel), **asked)


def listed(cost, keep=None):
    """Sparse rows of the finite entries, stored zeros included; ``keep`` says which (n x m booleans)."""
    i, j = np.nonzero(np.isfinite(cost) if keep is None else keep)
    return sparse.csr_array((cost[i, j], (i, j)), shape=cost.shape)


def worth(cost, weights, sites):
    return (weights * cost[:, sites].min(axis=1)).sum()


def nearest_lists(points, sites, k):
    metres, position = cKDTree(sites).query(points, k=k)
    start = np.arange(len(points) + 1) * k
    return sparse.csr_array((np.rint(metres * 1000).astype(np.int64).ravel(), position.ravel(), start))


@st.composite
def tasks(draw):
    """Up to 12 demands and 9 sites, p, held and shut sites; few different numbers (ties), many, fractions; no ways."""
    n, m = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.integers(0, draw(st.sampled_from([3, 50, 10**6])), (n, m)).astype(float)
    if draw(st.booleans()):
        cost = np.round(cost * rng.random((n, m)), 3)
    if draw(st.booleans()):
        cost[rng.random((n, m)) < rng.random() * 0.7] = np.inf
    weights = rng.integers(0, draw(st.sampled_from([2, 100, 10**5])), n)
    p = draw(st.integers(1, m))
    order = rng.permutation(m)
    held = draw(st.integers(0, min(p, 2)))
    shut = draw(st.integers(0, min(m - held, 2)))
    return cost, weights, p, order[:held], order[held : held + shut]


@given(tasks(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_by_enumeration(task, as_lists):
    cost, weights, p, fixed, forbidden = task
    shut = cost.copy()
    shut[:, forbidden] = np.inf
    best = pmedian_brute(shut, weights, p, fixed=tuple(fixed)) if p <= cost.shape[1] - len(forbidden) else None
    plan = solved(listed(cost) if as_lists else cost, weights, p, fixed=fixed, forbidden=forbidden)
    if best is None:
        assert plan.status == INFEASIBLE and len(plan.sites) == 0
        return
    assert plan.status == OPTIMAL and plan.objective == pytest.approx(best[0], rel=1e-9, abs=1e-9)
    assert len(plan.sites) == p == len(set(plan.sites)) and (np.diff(plan.sites) > 0).all()
    assert set(fixed) <= set(plan.sites) and not set(forbidden) & set(plan.sites)
    assert worth(cost, weights, plan.sites) == pytest.approx(plan.objective, rel=1e-9, abs=1e-9)


@given(tasks(), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_truncated_lists_bound_the_full_problem(task, k):
    cost, weights, p, _, _ = task
    cost = np.where(np.isfinite(cost), cost, 7.0)
    keep = np.argsort(np.argsort(cost, axis=1, kind="stable"), axis=1) < k
    best = pmedian_brute(cost, weights, p)[0]
    near = np.where(keep, cost, np.inf)
    plan = solved(listed(cost, keep), weights, p, truncated=True)
    if pmedian_brute(near, weights, p) is None:
        assert plan.status == NO_PLAN
        return
    assert plan.bound <= best * (1 + 1e-9) + 1e-9
    assert worth(near, weights, plan.sites) == pytest.approx(plan.objective) and plan.objective >= best * (1 - 1e-9)
    if plan.status == OPTIMAL:
        assert plan.objective == pytest.approx(best)


@pytest.mark.parametrize("seed", range(4))
def test_by_a_second_solver(seed):
    """Distances without a geometry: a wide gap of the relaxation, so that branches are needed."""
    rng = np.random.default_rng(seed)
    cost, weights = rng.integers(0, 1000, (40, 25)), rng.integers(1, 100, 40)
    plan = solved(cost, weights, 5)
    assert plan.status == OPTIMAL and plan.objective == pytest.approx(pmedian_milp(cost, weights, 5)[0])


def test_towns_as_in_shanxi_proven():
    points, persons, sites, _ = instance(1000, 117)
    metres = np.rint(np.hypot(*(points[:, None] - sites).transpose(2, 0, 1)) * 1000).astype(np.int64)
    for p, best in ((20, 1_218_570_087_054), (40, 732_359_908_730)):
        plan = solved(metres, persons, p)
        assert (plan.status, plan.objective, plan.bound) == (OPTIMAL, best, best)
        assert worth(metres, persons, plan.sites) == best


def test_near_lists_prove_what_whole_rows_prove():
    points, persons, sites, _ = instance(1000, 117)
    plan = solved(nearest_lists(points, sites, 60), persons, 40, truncated=True)
    assert (plan.status, plan.objective) == (OPTIMAL, 732_359_908_730)


@pytest.mark.parametrize("seed", range(5))
def test_neither_row_order_nor_scale_nor_splitting_changes_the_sites(seed):
    rng = np.random.default_rng(seed)
    cost, weights = rng.integers(0, 8, (60, 14)), rng.integers(1, 5, 60)  # many ties
    plan = solved(cost, weights, 4)
    order = rng.permutation(60)
    assert solved(cost[order], weights[order], 4).sites.tolist() == plan.sites.tolist()
    scaled = solved(cost, weights * 1000, 4)
    assert scaled.sites.tolist() == plan.sites.tolist() and scaled.objective == 1000 * plan.objective
    twice = solved(np.vstack([cost, cost]), np.r_[weights, weights], 4)
    assert twice.sites.tolist() == plan.sites.tolist() and twice.objective == 2 * plan.objective
    assert solved(sparse.csr_array(listed(cost.astype(float))), weights, 4).sites.tolist() == plan.sites.tolist()


def test_of_equal_sites_the_better_rank_is_taken():
    cost = np.repeat(np.array([[0, 9], [9, 0], [5, 5]]), 3, axis=1)  # sites 0-2 are one place, 3-5 another
    assert solved(cost, np.ones(3, int), 2).sites.tolist() == [0, 3]
    assert solved(cost, np.ones(3, int), 2, rank=np.array([5, 4, 3, 2, 1, 0])).sites.tolist() == [2, 5]
    assert solved(cost, np.ones(3, int), 2, forbidden=[0]).sites.tolist() == [1, 3]


def test_one_more_site_never_costs_more():
    rng = np.random.default_rng(1)
    cost, weights = rng.integers(0, 100, (50, 12)), rng.integers(1, 9, 50)
    costs = [solved(cost, weights, p).objective for p in range(1, 13)]
    assert costs == sorted(costs, reverse=True) and costs[-1] == worth(cost, weights, np.arange(12))


def test_what_cannot_be():
    cost, weights = np.array([[1.0, np.inf, np.inf], [np.inf, 2.0, np.inf]]), np.array([1, 1])
    assert solved(cost, weights, 1).status == INFEASIBLE  # two are needed
    assert solved(cost, weights, 2).sites.tolist() == [0, 1]
    assert solved(cost, weights, 2, forbidden=[0]).status == INFEASIBLE  # nobody reaches the first
    assert solved(cost, weights, 1, fixed=[0, 1]).status == INFEASIBLE  # more held than p
    assert solved(cost, weights, 2, fixed=[2]).status == INFEASIBLE
    assert solved(cost, weights, 3, forbidden=[2]).status == INFEASIBLE  # fewer allowed than p
    assert solved(cost, weights, 3).sites.tolist() == [0, 1, 2]
    assert solved(cost, np.array([1, 0]), 1).status == INFEASIBLE  # nobody living there must be reached all the same


def test_nobody_to_serve():
    plan = solved(np.zeros((0, 3)), np.zeros(0, int), 2)
    assert (plan.status, plan.objective, plan.sites.tolist()) == (OPTIMAL, 0, [0, 1])


def test_a_gap_is_enough_when_asked_for():
    points, persons, sites, _ = instance(5000, 400)
    plan = solved(nearest_lists(points, sites, 60), persons, 60, truncated=True, gap=0.01)
    assert plan.status in (WITHIN_GAP, OPTIMAL) and 0 <= plan.gap <= 0.01 and plan.bound <= plan.objective


@pytest.mark.parametrize("wait", [0.0, 0.3])
def test_a_cancel_leaves_a_plan_for_everybody(wait):
    points, persons, sites, _ = instance(100_000, 1400)
    lists = nearest_lists(points, sites, 40)
    solved(nearest_lists(points[:300], sites, 40), persons[:300], 100, truncated=True)  # compiled beforehand
    cancel, told = threading.Event(), []
    timer = threading.Timer(wait, lambda: (told.append((time.monotonic(), time.process_time())), cancel.set()))
    timer.start()
    plan = solved(lists, persons, 100, truncated=True, cancel=cancel)
    timer.join()
    wall, work = told[0]  # a second on a machine of one's own; of a busy one the work counts, not the waiting for it
    assert min(time.monotonic() - wall, time.process_time() - work) < 2
    assert plan.status == INTERIM and len(plan.sites) == 100 and 0 < plan.bound <= plan.objective
    opened = np.isin(lists.indices.reshape(-1, 40), plan.sites)
    assert opened.any(axis=1).all()
    metres = np.where(opened, lists.data.reshape(-1, 40), np.iinfo(np.int64).max).min(axis=1)
    assert plan.objective == (persons * metres).sum()


def test_progress_tells_the_gap():
    told = []
    points = np.array([(10 * a, 17 * b) for a in range(30) for b in range(12)])  # a grid: many plans nearly as good
    metres = np.rint(np.hypot(*(points[:, None] - points).transpose(2, 0, 1))).astype(np.int64)
    plan = solved(metres, np.ones(360, int), 20, seconds=1, progress=lambda *said: told.append(said))
    assert told and all(gap >= 0 and best >= plan.objective for _, gap, best in told)
    assert plan.bound <= plan.objective
