"""The models against enumeration and a second solver; their own rows and bounds as the docstrings say."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.engine.found import Clock
from planner.engine.mclp_bound import mclp_bound
from planner.models.lscp import chosen, lscp
from planner.models.mclp import mclp
from planner.models.p_median import p_median
from planner.models.vehicle_allocation import vehicle_allocation
from planner.solve import INFEASIBLE, OPTIMAL, solve
from tests.oracles.brute import lscp_brute, mclp_brute, pmedian_brute
from tests.oracles.second_solver import lscp_milp, mclp_milp, pmedian_milp


def random_cover(rng, rows, sites, share):
    cover = rng.random((rows, sites)) < share
    cover[~cover.any(axis=1), rng.integers(sites)] = True
    return cover


@pytest.mark.parametrize("seed", range(10))
def test_lscp_by_enumeration(seed):
    cover = random_cover(np.random.default_rng(seed), 20, 10, 0.25)
    solution = solve(lscp(sparse.csr_array(cover))[0])
    opened = chosen(solution.values, 10)
    assert solution.status == OPTIMAL and solution.objective == len(opened) == lscp_brute(cover)[0]
    assert cover[:, opened].any(axis=1).all()


def test_lscp_by_a_second_solver():
    cover = random_cover(np.random.default_rng(5), 150, 60, 0.08)
    solution = solve(lscp(sparse.csr_array(cover))[0])
    assert solution.status == OPTIMAL and solution.objective == pytest.approx(lscp_milp(cover)[0])


def test_lscp_with_a_row_that_nobody_serves():
    assert solve(lscp(sparse.csr_array(np.array([[1, 0], [0, 0]])))[0]).status == INFEASIBLE


@pytest.mark.parametrize("seed", range(10))
def test_mclp_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    cover, persons = random_cover(rng, 25, 9, 0.2), rng.integers(0, 50, 25)
    for p in (1, 3, 9):
        solution = solve(mclp(sparse.csr_array(cover), persons, p)[0])
        opened = chosen(solution.values, 9)
        assert solution.status == OPTIMAL and len(opened) == p
        assert solution.objective == pytest.approx(mclp_brute(cover, persons, p)[0])
        assert persons[cover[:, opened].any(axis=1)].sum() == pytest.approx(solution.objective)


def test_mclp_by_a_second_solver():
    rng = np.random.default_rng(8)
    cover, persons = random_cover(rng, 150, 50, 0.06), rng.integers(1, 1000, 150)
    solution = solve(mclp(sparse.csr_array(cover), persons, 12)[0])
    assert solution.status == OPTIMAL and solution.objective == pytest.approx(mclp_milp(cover, persons, 12)[0])


def by_distance(metres, persons, otherwise=None):
    """Rows as the radius formulation takes them: (cost, site), cheapest first; inf leaves a site out."""
    rows = []
    for i, (row, a) in enumerate(zip(metres, persons, strict=True)):
        near = sorted((float(a * d), j) for j, d in enumerate(row) if np.isfinite(d))
        rows.append((near, np.inf if otherwise is None else float(otherwise[i])))
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_p_median_by_enumeration_and_a_second_solver(seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 300_000, (11, 2))
    metres = np.rint(np.hypot(*(points[:, None] - points).transpose(2, 0, 1))).astype(np.int64)
    persons = rng.integers(0, 10**6, 11)
    for p in (1, 4):
        model, _ = p_median(by_distance(metres, persons), 11, p, unit=1e9)
        solution = solve(model)
        opened = chosen(solution.values, 11)
        reached = (persons * metres[:, opened].min(axis=1)).sum()
        best = pmedian_brute(metres, persons, p)[0]
        assert solution.status == OPTIMAL and len(opened) == p
        assert reached == pytest.approx(best, rel=1e-6)
        assert solution.objective == pytest.approx(best / 1e9, rel=1e-6)
        assert pmedian_milp(metres, persons, p)[0] == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_p_median_with_no_way_and_equal_distances(seed):
    rng = np.random.default_rng(seed)
    metres = rng.integers(0, 6, (12, 7)).astype(float)
    metres[rng.random((12, 7)) < 0.4] = np.inf
    metres[~np.isfinite(metres).any(axis=1), 0] = 9
    persons = rng.integers(1, 50, 12)
    best = pmedian_brute(metres, persons, 3)
    solution = solve(p_median(by_distance(metres, persons), 7, 3)[0])
    if best is None:
        assert solution.status == INFEASIBLE
    else:
        assert solution.status == OPTIMAL and solution.objective == pytest.approx(best[0])


def test_p_median_beside_a_site_that_is_open_already():
    """A demand that none of the free sites betters costs what the open one costs."""
    rng = np.random.default_rng(3)
    metres, persons = rng.integers(0, 100, (15, 8)), rng.integers(1, 9, 15)
    held = metres[:, 7]
    nearer = np.where(metres[:, :7] < held[:, None], metres[:, :7], np.inf)
    some = np.isfinite(nearer).any(axis=1)
    rows = by_distance(nearer[some], persons[some], (persons * held)[some])
    solution = solve(p_median(rows, 7, 2)[0])
    alone = (persons * held)[~some].sum()
    assert solution.objective + alone == pytest.approx(pmedian_brute(metres, persons, 3, fixed=(7,))[0])


# -- the bound of the maximal covering problem


@st.composite
def instances(draw):
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    cover = np.array(draw(st.lists(st.lists(st.booleans(), min_size=m, max_size=m), min_size=n, max_size=n)))
    persons = np.array(draw(st.lists(st.integers(0, 10**6), min_size=n, max_size=n)))
    return cover, persons, draw(st.integers(1, m))


@given(instances())
@settings(max_examples=100, deadline=None)
def test_no_plan_beats_the_bound_nor_any_site_its_own(instance):
    cover, persons, p = instance
    best, _ = mclp_brute(cover, persons, p)
    bound = mclp_bound(sparse.csr_array(cover), persons, p, known=0, clock=Clock(60))
    assert bound.most >= best - 0.01
    for site in range(cover.shape[1]):
        assert bound.most_with[site] >= mclp_brute(cover, persons, p, fixed=(site,))[0] - 0.01
    assert len(bound.favoured) >= p and (bound.most_with[bound.favoured] <= bound.most + 0.01).all()


def test_the_bound_is_tight_where_the_relaxation_is():
    """Towns on a line, each site within reach of its neighbours: an interval matrix, whose relaxation is exact."""
    rng = np.random.default_rng(2)
    cover = np.abs(np.subtract.outer(np.arange(300), np.arange(2, 300, 3))) <= 5
    persons = rng.integers(1, 1000, 300)
    best = solve(mclp(sparse.csr_array(cover), persons, 9)[0]).objective
    bound = mclp_bound(sparse.csr_array(cover), persons, 9, known=int(0.9 * best), clock=Clock(60))
    assert best - 0.01 <= bound.most <= 1.005 * best
    assert (bound.most_with < best - 0.5).sum() > 10  # so that many of the hundred sites need not be looked at


def test_the_bound_is_the_same_for_a_thousand_times_the_people():
    rng = np.random.default_rng(4)
    cover, persons = sparse.csr_array(random_cover(rng, 200, 40, 0.06)), rng.integers(1, 100, 200)
    one, thousand = (mclp_bound(cover, persons * k, 8, known=5_000 * k, clock=Clock(60)) for k in (1, 1000))
    assert thousand.most == pytest.approx(1000 * one.most)
    assert thousand.favoured.tolist() == one.favoured.tolist()


# -- vehicles


def divisor_worth(persons, count):
    return sum(a / (2 * k - 1) for a, v in zip(persons, count, strict=True) for k in range(1, v + 1))


def fleets(vehicles, stations):
    """Every way to give each station one vehicle at least."""
    for cuts in combinations(range(1, vehicles), stations - 1):
        yield np.diff([0, *cuts, vehicles])


def allocated(persons, vehicles):
    most = [vehicles] * len(persons)
    solution = solve(vehicle_allocation(persons, vehicles, most))
    assert solution.status == OPTIMAL
    return [sum(solution.values[f"y{s:06d}_{k:04d}"] for k in range(1, vehicles + 1)) for s in range(len(persons))]


@pytest.mark.parametrize("seed", range(8))
def test_vehicles_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    persons, vehicles = rng.integers(0, 100_000, 4), 11
    count = allocated(persons, vehicles)
    best = max(divisor_worth(persons, fleet) for fleet in fleets(vehicles, 4))
    assert sum(count) == vehicles and min(count) >= 1
    assert divisor_worth(persons, count) == pytest.approx(best, abs=0.5 * vehicles)


@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=6), st.integers(0, 8))
@settings(max_examples=50, deadline=None)
def test_no_vehicle_would_serve_more_people_elsewhere(persons, spare):
    """Webster's own property: what a station would claim with one more is not above what any pays for its last."""
    count = allocated(persons, len(persons) + spare)
    for a, v in zip(persons, count, strict=True):
        for b, w in zip(persons, count, strict=True):
            if w > 1:
                assert a / (2 * v + 1) <= b / (2 * w - 1) + 0.5


def test_vehicles_on_paper():
    """One each; then the highest claims: 53/3 = 17.7, 53/5 = 10.6, 24/3 = 8, 23/3 = 7.67 (before 53/7 = 7.57)."""
    assert allocated([53_000, 24_000, 23_000], 7) == [3, 2, 2]


def test_equal_claims_go_to_the_earlier_station():
    assert allocated([9_000, 9_000, 9_000], 4) == [2, 1, 1]
    assert allocated([9_000, 9_000, 9_000], 5) == [2, 2, 1]
