"""Sites with limited room: against every assignment there is, against a second solver, and against no limit at all."""

import itertools
import threading
import time
from functools import lru_cache

import numpy as np
import pulp
import pytest
from scipy import sparse

from planner.engine import capacity as engine
from planner.engine.found import Clock
from planner.models import capacitated as models
from planner.models.wishes import Wishes, keep

MODELS = ("lscp", "mclp", "p_median", "p_center")


def ask(name, arcs, demand, p, wishes, *, gap=0.0, seconds=60.0, rank=None, **clock):
    """Ask one of the four questions of one sparse matrix of metres."""
    how = {"rank": rank, "gap": gap, "clock": Clock(seconds, **clock)}
    if name == "lscp":
        return engine.capacitated_lscp(arcs, demand, wishes, **how)
    return getattr(engine, f"capacitated_{name}")(arcs, demand, p, wishes, **how)


def check(name, plan, place, arcs, demand, p, wishes):
    """Recompute the plan's value from its assignment, and that it breaks nothing that was asked."""
    opened = set(plan.sites.tolist())
    metres = {
        (i, int(j)): arcs.data[a]
        for i in range(arcs.shape[0])
        for a, j in enumerate(arcs.indices[arcs.indptr[i] : arcs.indptr[i + 1]], arcs.indptr[i])
    }
    assert place.dtype == np.int64 and place.shape == (arcs.shape[0],)
    assert all(j == -1 or (j in opened and (i, j) in metres) for i, j in enumerate(place.tolist()))
    for j in opened:
        assert demand[place == j].sum() <= wishes.capacity[j]
    assert set(wishes.fixed) <= opened and not set(wishes.forbidden) & opened
    assert all(len(opened & set(group)) <= 1 for group in wishes.exclusive)
    assert all(len(opened & set(group)) <= len(group) - d for group, d in wishes.avoid)
    if wishes.budget is not None:
        assert sum(wishes.price[j] for j in opened) <= wishes.budget
    if name != "lscp" and p is not None:
        assert len(opened) == p
    if name == "mclp":
        return demand[place >= 0].sum()
    assert (place >= 0).all()
    along = [metres[i, j] for i, j in enumerate(place.tolist())]
    if name == "lscp":
        return len(opened) if wishes.price is None else sum(wishes.price[j] for j in opened)
    return sum(a * d for a, d in zip(demand.tolist(), along, strict=True)) if name == "p_median" else max(along)


# ----------------------------------------------------------------------------------------------- every assignment


@lru_cache
def every_assignment(n, m):
    """Every way to send n demands to m sites or nowhere (-1), the sites used as bits, and by site 1 where one goes."""
    ways = np.array(list(itertools.product(range(-1, m), repeat=n)), dtype=np.int64)
    used = np.bitwise_or.reduce(np.where(ways >= 0, 1 << np.maximum(ways, 0), 0), axis=1)
    there = np.array([ways == j for j in range(m)], dtype=np.float32)  # multiplies far quicker than whole numbers
    return ways, used, there


def enumerated(name, arcs, demand, p, wishes):
    """Return the best value of all plans; None where there is none."""
    n, m = arcs.shape
    ways, used, there = every_assignment(n, m)
    metres = np.full((n, m + 1), np.inf)  # the last column: nobody
    metres[:, -1] = 0 if name == "mclp" else np.inf
    for i in range(n):
        at = slice(arcs.indptr[i], arcs.indptr[i + 1])
        metres[i, arcs.indices[at]] = arcs.data[at]
    along = metres[np.arange(n), ways]
    good = np.isfinite(along).all(axis=1)
    for j in range(m):
        good &= there[j] @ demand.astype(np.float32) <= wishes.capacity[j]
    ways, used, along = ways[good], used[good], along[good]
    if name == "mclp":
        value = -((ways >= 0) @ demand)
    elif name == "p_median":
        value = along @ demand
    else:
        value = along.max(axis=1) if name == "p_center" else np.zeros(len(ways))
    best = np.full(1 << m, np.inf)
    np.minimum.at(best, used, value)
    answer = np.inf
    for count in range(m + 1):
        if name != "lscp" and p is not None and count != p:
            continue
        for sites in map(set, itertools.combinations(range(m), count)):
            if not set(wishes.fixed) <= sites or sites & set(wishes.forbidden):
                continue
            if any(len(sites & set(group)) > 1 for group in wishes.exclusive):
                continue
            if any(len(sites & set(group)) > len(group) - d for group, d in wishes.avoid):
                continue
            if wishes.budget is not None and sum(wishes.price[j] for j in sites) > wishes.budget:
                continue
            bits = sum(1 << j for j in sites)
            least = min(best[k] for k in range(1 << m) if k & ~bits == 0)
            if name == "lscp" and np.isfinite(least):
                least = count if wishes.price is None else sum(wishes.price[j] for j in sites)
            answer = min(answer, least)
    if np.isinf(answer):
        return None
    return -answer if name == "mclp" else answer


def small(rng, name):
    """A small random question: (arcs, demand, p, wishes)."""
    n, m = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    if rng.random() < 0.05:
        n, m = 7, 5
    demand = rng.integers(0, 9, n)
    metres = rng.integers(0, 30, (n, m))
    arcs = sparse.csr_array(np.where(rng.random((n, m)) < 0.8, metres + 1, 0))
    arcs.data -= 1  # stored zeros are arcs
    room = rng.integers(0, 9 + int(demand.sum()), m)
    wishes = {"capacity": room}
    sites = rng.permutation(m)
    if rng.random() < 0.3:
        wishes["fixed"] = np.sort(sites[:1])
    if m > 1 and rng.random() < 0.3:
        wishes["forbidden"] = np.sort(sites[1:2])
    p = int(rng.integers(1, m + 1))
    if rng.random() < 0.3:
        wishes["price"] = rng.integers(0, 6, m)
        wishes["budget"] = int(rng.integers(0, 12))
        p = p if name in ("p_median", "p_center") or rng.random() < 0.5 else None
    if m > 2 and rng.random() < 0.2:
        wishes["exclusive"] = ((int(sites[0]), int(sites[2])),)
    if m > 1 and rng.random() < 0.2:
        wishes["avoid"] = ((tuple(map(int, sites[:2])), 1),)
    return arcs, demand, p, Wishes(**wishes)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MODELS)
def test_small_questions_agree_with_every_assignment(name):
    rng = np.random.default_rng(3)
    planned = 0
    for turn in range(500):
        arcs, demand, p, wishes = small(rng, name)
        plan, place = ask(name, arcs, demand, p, wishes)
        right = enumerated(name, arcs, demand, p, wishes)
        if right is None:
            assert plan.status == "infeasible", turn
            assert plan.objective is None and (place == -1).all()
            continue
        planned += 1
        assert plan.status == "optimal", turn
        assert plan.objective == right == plan.bound, turn
        assert check(name, plan, place, arcs, demand, p, wishes) == right, turn
    assert planned >= 100


# ------------------------------------------------------------------------------------------- other ways to the answer


def middling(seed, n=24, m=8, share=0.75):
    """A question too large to enumerate: (arcs, demand, p, wishes)."""
    rng = np.random.default_rng(seed)
    people, places = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
    metres = np.rint(np.hypot(*(people[:, None] - places[None]).transpose(2, 0, 1))).astype(np.int64)
    arcs = sparse.csr_array(np.where(metres <= 65, metres + 1, 0))
    arcs.data -= 1
    demand = rng.integers(1, 30, n)
    room = rng.integers(int(demand.sum() / (m * share * 0.9)), int(demand.sum() / (m * share * 0.6)), m)
    return arcs, demand, m - 2, Wishes(capacity=room, fixed=np.array([1]), forbidden=np.array([5]))


def by_second_solver(model):
    status = model.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, timeLimit=60, gapRel=0))
    assert pulp.LpStatus[status] in ("Optimal", "Infeasible")
    return model.objective.value() if status == pulp.LpStatusOptimal else None


def textbook(name, arcs, demand, p, wishes):
    """The plain model, unreduced; the center one with the reach w as a variable, w >= sum_j d_ij z_ij."""
    if name == "lscp":
        model, x, z = models.capacitated_lscp(arcs, demand, wishes.capacity, wishes.price)
    elif name == "mclp":
        model, x, z = models.capacitated_mclp(arcs, demand, demand, wishes.capacity, p)
    elif name == "p_median":
        cost = sparse.csr_array((arcs.data * np.repeat(demand, np.diff(arcs.indptr)), arcs.indices, arcs.indptr))
        model, x, z = models.capacitated_p_median(cost, demand, wishes.capacity, p)
    else:
        model, x, z = models.capacitated_p_center(arcs, demand, wishes.capacity, p)
        w = model.add_variable("w", 0)
        model.setObjective(pulp.LpAffineExpression([(w, 1)]))
        for i in range(arcs.shape[0]):
            at = range(arcs.indptr[i], arcs.indptr[i + 1])
            model += pulp.LpAffineExpression([(w, -1), *((z[a], int(arcs.data[a])) for a in at)]) <= 0, f"reach_{i}"
    keep(model, x, wishes)
    return model


@pytest.mark.thorough
@pytest.mark.parametrize("name", MODELS)
def test_middling_questions_agree_with_a_second_solver(name):
    planned = 0
    for seed in range(6):
        arcs, demand, p, wishes = middling(seed, n=16 if name in ("mclp", "p_center") else 24)
        if name == "mclp":
            wishes = Wishes(wishes.fixed, wishes.forbidden, wishes.capacity * 3 // 5)
        plan, place = ask(name, arcs, demand, p, wishes)
        right = by_second_solver(textbook(name, arcs, demand, p, wishes))
        if right is None:
            assert plan.status == "infeasible"
            continue
        planned += 1
        assert plan.status == "optimal"
        assert check(name, plan, place, arcs, demand, p, wishes) == plan.objective == pytest.approx(right, abs=1e-6)
    assert planned >= 3


@pytest.mark.parametrize("name", MODELS)
def test_room_for_everybody_is_no_limit(name):
    """With room to spare the answer is the one without capacities: the best set of sites by enumeration."""
    arcs, demand, p, _ = middling(20, n=40, m=9)
    metres = np.full(arcs.shape, np.inf)
    row = np.repeat(np.arange(40), np.diff(arcs.indptr))
    metres[row, arcs.indices] = arcs.data
    nearest = {
        sites: metres[:, sites].min(axis=1) for k in (2, 3, 4, 5) for sites in itertools.combinations(range(9), k)
    }
    plan, place = ask(name, arcs, demand, 3, Wishes(capacity=np.full(9, demand.sum())))
    three = [near for sites, near in nearest.items() if len(sites) == 3]
    right = {
        "lscp": min(len(sites) for sites, near in nearest.items() if np.isfinite(near).all()),
        "mclp": max(demand[np.isfinite(near)].sum() for near in three),
        "p_median": min((demand * near).sum() for near in three),
        "p_center": min(near.max() for near in three),
    }
    assert plan.status == "optimal" and plan.objective == right[name]
    if name == "p_median":
        assert (metres[np.arange(40), place] == metres[:, plan.sites].min(axis=1)).all()


@pytest.mark.parametrize("name", MODELS)
def test_order_and_scale_change_no_plan(name):
    arcs, demand, p, wishes = middling(7)
    plan, place = ask(name, arcs, demand, p, wishes)
    turned = np.random.default_rng(1).permutation(len(demand))
    other, elsewhere = ask(name, sparse.csr_array(arcs[turned]), demand[turned], p, wishes)
    assert plan.sites.tolist() == other.sites.tolist() and plan.objective == other.objective
    assert elsewhere.tolist() == place[turned].tolist()
    many = Wishes(wishes.fixed, wishes.forbidden, wishes.capacity * 1000 + 7)
    more, _ = ask(name, arcs, demand * 1000, p, many)
    assert more.sites.tolist() == plan.sites.tolist()


def test_of_equal_plans_the_lower_rank_is_taken():
    arcs = sparse.csr_array(np.ones((4, 3), dtype=np.int64))
    demand, wishes = np.array([2, 2, 2, 2]), Wishes(capacity=np.array([4, 4, 4]))
    for name in MODELS:
        assert ask(name, arcs, demand, 2, wishes)[0].sites.tolist() == [0, 1]
        assert ask(name, arcs, demand, 2, wishes, rank=np.array([2, 0, 1]))[0].sites.tolist() == [1, 2]


def test_dense_and_sparse_costs_are_one_question():
    arcs, demand, p, wishes = middling(3)
    dense = np.full(arcs.shape, np.inf)
    dense[np.repeat(np.arange(arcs.shape[0]), np.diff(arcs.indptr)), arcs.indices] = arcs.data
    for name in ("p_median", "p_center"):
        one, two = ask(name, arcs, demand, p, wishes), ask(name, dense, demand, p, wishes)
        assert one[0].objective == two[0].objective and one[1].tolist() == two[1].tolist()


def test_too_little_room_is_infeasible_and_too_large_a_demand_too():
    arcs, demand = sparse.csr_array(np.ones((3, 3), dtype=np.int64)), np.array([5, 5, 5])
    for name in ("lscp", "p_median", "p_center"):
        for room in ([4, 4, 100], [7, 7, 0], [5, 9, 0]):
            limited = Wishes(capacity=np.array(room), forbidden=np.array([2]))
            plan, place = ask(name, arcs, demand, 2, limited)
            assert plan.status == "infeasible" and (place == -1).all()
    plan, place = ask("mclp", arcs, demand, 2, Wishes(capacity=np.array([7, 7, 0])))
    assert plan.status == "optimal" and plan.objective == 10 and (place == -1).sum() == 1


# --------------------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("delay", [0.0, 0.7])
def test_a_cancel_brings_a_plan_that_holds(name, delay):
    """Questions of minutes, cancelled at once and under way: an honest plan within a moment, or none."""
    arcs, demand, p, _ = middling(2, n=220, m=60)
    p = 20
    wishes = Wishes(capacity=np.full(60, int(demand.sum() / (p * 0.95))))
    cancel = threading.Event()
    ask(name, *middling(1))  # compiled before the clock runs
    timer = threading.Timer(delay, cancel.set)
    timer.start()
    began = time.monotonic()
    plan, place = ask(name, arcs, demand, p, wishes, cancel=cancel)
    assert time.monotonic() - began < delay + 2.0
    timer.cancel()
    if plan.objective is None:
        assert plan.status == "no_plan" and (place == -1).all()
        return
    assert check(name, plan, place, arcs, demand, p, wishes) == plan.objective
    assert plan.bound is None or (plan.bound >= plan.objective if name == "mclp" else plan.bound <= plan.objective)


def test_a_gap_that_was_asked_for_is_kept():
    arcs, demand, p, wishes = middling(4, n=60, m=16)
    exact, _ = ask("p_median", arcs, demand, 12, wishes)
    rough, _ = ask("p_median", arcs, demand, 12, wishes, gap=0.05)
    assert exact.status == "optimal" and rough.status in ("optimal", "within_gap")
    assert rough.gap <= 0.05 and rough.bound <= exact.objective <= rough.objective
