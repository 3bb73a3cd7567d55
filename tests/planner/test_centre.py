"""The p-center engine and its parts against enumeration, and what planners believe of them."""

import time
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

import planner.engine.centre as engine
from planner.engine.centre import centre
from planner.engine.cover_search import bound_and_prices, cover_bound, fewest, first_cover
from planner.engine.dominance import reduced, telling_rows
from planner.engine.found import Clock
from planner.models.p_center import chosen, within_radius
from planner.solve import INFEASIBLE, NO_PLAN, OPTIMAL, WITHIN_GAP, solve


def best_by_enumeration(cost, p, fixed=(), forbidden=()):
    """Return the least largest distance of exactly p sites; np.inf where no p sites serve everybody."""
    allowed = [j for j in range(cost.shape[1]) if j not in set(forbidden)]
    plans = [s for s in combinations(allowed, p) if set(fixed) <= set(s)] if p <= len(allowed) else []
    return min((cost[:, s].min(axis=1).max(initial=0) if s else np.inf for s in plans), default=np.inf)


def least_cover(within):
    """Return the fewest columns that serve every row of booleans."""
    m = within.shape[1]
    return next(k for k in range(m + 1) for s in combinations(range(m), k) if within[:, s].any(axis=1).all())


def stored(cost):
    """Return the finite entries of a table as a CSR array; zeros are stored too."""
    i, j = np.nonzero(np.isfinite(cost))
    return sparse.csr_array(
        (cost[i, j], j, np.concatenate([[0], np.cumsum(np.isfinite(cost).sum(axis=1))])), shape=cost.shape
    )


def town(seed, n=300, m=60):
    """Return whole metres from n people to m sites in a square."""
    rng = np.random.default_rng(seed)
    people, sites = rng.random((n, 2)) * 30_000, rng.random((m, 2)) * 30_000
    return np.rint(np.hypot(*(people[:, None] - sites[None]).transpose(2, 0, 1))).astype(np.int64)


def small(seed):
    """Return (cost, p, fixed, forbidden): up to 12 people and 10 sites; ties, zeros and missing ways are common."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 13), rng.integers(1, 11)
    cost = rng.integers(0, rng.choice([3, 8, 1000]), (n, m)).astype(float)
    cost[rng.random((n, m)) < rng.choice([0, 0, 0.3, 0.6])] = np.inf
    order = rng.permutation(m)
    fixed, forbidden = order[: rng.integers(0, min(3, m))], order[m - rng.integers(0, min(3, m)) :]
    forbidden = np.setdiff1d(forbidden if rng.random() < 0.5 else forbidden[:0], fixed)
    return cost, int(rng.integers(1, m + 1)), fixed if rng.random() < 0.5 else fixed[:0], forbidden


@pytest.mark.thorough
@pytest.mark.parametrize("block", range(10))
def test_agrees_with_enumeration(block):
    for seed in range(60 * block, 60 * block + 60):
        cost, p, fixed, forbidden = small(seed)
        best = best_by_enumeration(cost, p, fixed, forbidden)
        table = cost if seed % 2 else stored(cost)
        plan = centre(table, p, fixed=fixed, forbidden=forbidden, clock=Clock(60))
        if best == np.inf:
            assert (plan.status, plan.objective, len(plan.sites)) == (INFEASIBLE, None, 0), seed
            continue
        assert (plan.status, plan.objective, plan.bound) == (OPTIMAL, best, best), seed
        assert len(np.unique(plan.sites)) == p and set(fixed) <= set(plan.sites), seed
        assert not set(forbidden) & set(plan.sites), seed
        assert cost[:, plan.sites].min(axis=1).max() == best, seed


def test_proofs_meant_for_many_rows_agree_with_enumeration(monkeypatch):
    """Rows join by what parts of sites leave unserved, and the model decides where search and prices may not."""
    for name in ("EASY", "MANY", "QUICK", "LONG"):
        monkeypatch.setattr(engine, name, 0)
    monkeypatch.setattr(engine, "CUT_ROWS", 2)
    monkeypatch.setattr(engine, "CHUNK", 8)
    monkeypatch.setattr(engine, "cover_bound", lambda *_: 1.0)
    for seed in range(40):
        cost = town(seed, 40, 9).astype(float)
        cost[cost > 20_000] = np.inf
        p, best = 3, best_by_enumeration(cost, 3)
        plan = centre(cost if seed % 2 else stored(cost), p, clock=Clock(60))
        assert (plan.objective, plan.bound) == ((best, best) if best < np.inf else (None, None)), seed


def test_rows_in_any_order_and_distances_in_any_unit_give_the_same_sites():
    for seed in range(6):
        cost = town(seed)
        rng = np.random.default_rng(seed)
        plan = centre(cost, 7, clock=Clock(60))
        assert plan.status == OPTIMAL
        shuffled = cost[rng.permutation(len(cost))]
        for other in (shuffled, np.repeat(cost, 2, axis=0), 3 * cost, cost * 0.001, stored(shuffled.astype(float))):
            assert list(centre(other, 7, clock=Clock(60)).sites) == list(plan.sites)


def test_sites_in_any_order_give_the_same_sites_when_ranked():
    cost = town(3)
    rank = np.random.default_rng(3).permutation(cost.shape[1])
    plan = centre(cost, 8, rank=rank, clock=Clock(60))
    order = np.random.default_rng(4).permutation(cost.shape[1])
    again = centre(cost[:, order], 8, rank=rank[order], clock=Clock(60))
    assert sorted(order[again.sites]) == list(plan.sites)


def test_of_equal_sites_the_lowest_rank_is_taken():
    cost = np.repeat(np.array([[0, 9], [9, 0]]), 3, axis=1)
    assert list(centre(cost, 2, clock=Clock(9)).sites) == [0, 3]
    assert list(centre(cost, 2, rank=[5, 4, 3, 2, 1, 0], clock=Clock(9)).sites) == [2, 5]


def test_one_more_site_never_takes_anybody_farther():
    cost = town(5)
    worst = [centre(cost, p, clock=Clock(60)).objective for p in range(1, 12)]
    assert worst == sorted(worst, reverse=True)


def test_asked_for_a_gap_it_proves_that_gap():
    cost = town(6, 800, 150)
    best = centre(cost, 12, clock=Clock(60)).objective
    plan = centre(cost, 12, gap=0.05, clock=Clock(60))
    assert plan.status in (OPTIMAL, WITHIN_GAP) and plan.gap <= 0.05
    assert plan.bound <= best <= plan.objective


def test_edges():
    cost = town(7, 30, 5)
    assert list(centre(cost, 5, clock=Clock(9)).sites) == [0, 1, 2, 3, 4]
    assert centre(cost, 6, clock=Clock(9)).status == INFEASIBLE
    assert centre(cost, 1, fixed=[1, 2], clock=Clock(9)).status == INFEASIBLE
    held = centre(cost, 2, fixed=[1, 2], clock=Clock(9))
    assert (held.status, list(held.sites), held.objective) == (OPTIMAL, [1, 2], cost[:, [1, 2]].min(axis=1).max())
    nobody = centre(np.zeros((0, 4)), 2, clock=Clock(9))
    assert (nobody.status, nobody.objective, len(nobody.sites)) == (OPTIMAL, 0.0, 2)
    assert centre(np.zeros((3, 4), dtype=np.int16), 1, clock=Clock(9)).objective == 0
    cost.setflags(write=False)
    assert centre(cost, 2, clock=Clock(9)).status == OPTIMAL


def test_people_no_plan_reaches():
    apart = np.full((4, 4), np.inf)
    np.fill_diagonal(apart, 5.0)
    assert centre(apart, 3, clock=Clock(9)).status == INFEASIBLE
    assert centre(stored(apart), 3, clock=Clock(9)).status == INFEASIBLE
    assert centre(apart, 4, clock=Clock(9)).objective == 5
    assert centre(apart, 4, forbidden=[0], clock=Clock(9)).status == INFEASIBLE
    assert centre(np.full((1, 2), np.inf), 1, clock=Clock(9)).status == INFEASIBLE
    assert centre(apart, 3, clock=Clock(0)).status in (INFEASIBLE, NO_PLAN)


class Soon:
    """A cancel that somebody sets after a while."""

    def __init__(self, seconds):
        self.at = time.monotonic() + seconds

    def is_set(self):
        return time.monotonic() >= self.at


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0])
def test_a_cancel_brings_a_valid_plan_soon(seconds):
    cost = town(8, 4000, 700)
    centre(cost[:50], 3, clock=Clock(60))  # compiled before
    cancel = Soon(seconds)
    plan = centre(cost, 40, clock=Clock(60, cancel=cancel))
    assert time.monotonic() - cancel.at < 1.0
    if plan.objective is None:
        assert plan.status == NO_PLAN and seconds == 0
        return
    assert len(plan.sites) == 40 and plan.objective == cost[:, plan.sites].min(axis=1).max()
    assert plan.bound <= plan.objective


def test_progress_is_told():
    told = []
    clock = Clock(60, progress=lambda *said: told.append(said))
    clock.told = -np.inf
    plan = centre(town(9), 6, clock=clock)
    assert told and all(best is None or best >= plan.objective for _, _, best in told)


# -- the parts


def random_cover(seed, rows=14, sites=9):
    rng = np.random.default_rng(seed)
    within = rng.random((rng.integers(1, rows), rng.integers(2, sites))) < 0.35
    within[np.arange(len(within)), rng.integers(0, within.shape[1], len(within))] = True
    return within


def test_search_bound_and_reduction_agree_with_enumeration():
    for seed in range(150):
        within = random_cover(seed)
        best = least_cover(within)
        cover = sparse.csr_array(within.astype(np.int32))
        start = first_cover(cover)
        assert within[:, start].any(axis=1).all()
        sites = fewest(cover, start, Clock(9), steps=300)
        assert within[:, sites].any(axis=1).all() and len(sites) == best, seed
        bound, prices = bound_and_prices(cover, Clock(9), len(sites))
        assert bound <= best + 1e-9 and bound == cover_bound(cover, Clock(9), len(sites)) and (prices >= 0).all()
        small, columns, stands_for = reduced(within)
        assert least_cover(small.toarray() > 0) == best
        picked = columns[fewest(small, first_cover(small), Clock(9), steps=300)]
        assert within[:, picked].any(axis=1).all()
        kept = telling_rows(within)
        in_their_place = stands_for[fewest(cover, start, Clock(9), steps=5)]
        assert small[:, in_their_place[in_their_place >= 0]].toarray().any(axis=1).all()
        assert least_cover(within[kept]) == best


def test_search_does_not_see_the_order_of_rows_and_takes_low_ranks():
    within = random_cover(1, 80, 30)
    cover = sparse.csr_array(within.astype(np.int32))
    everywhere = np.arange(within.shape[1])
    sites = fewest(cover, everywhere, Clock(9))
    assert list(sites) == list(fewest(sparse.csr_array(cover[::-1]), everywhere, Clock(9)))
    twins = sparse.csr_array(np.ones((3, 4), dtype=np.int32))
    assert len(fewest(twins, [0, 1, 2, 3], Clock(9))) == 1
    assert list(fewest(twins, [2], Clock(9))) == [2]


def test_bound_of_a_ring_is_its_linear_relaxation():
    ring = sparse.csr_array((np.eye(9) + np.eye(9, k=1) + np.eye(9, k=-8)).astype(np.int32))
    assert cover_bound(ring, Clock(9), 5) == pytest.approx(4.5, abs=1e-2)


def test_model_answers_whether_a_radius_will_do():
    cover = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))
    model = within_radius(cover, 1)
    assert [row.name for row in model.constraints()] == ["serve_0", "serve_1", "serve_2", "size"]
    assert solve(model).status == INFEASIBLE
    assert len(chosen(solve(within_radius(cover, 2)).values, 3)) == 2
