"""Sites with limited room: against every assignment there is, against a second solver, and against no limit at all."""

import itertools
from functools import lru_cache

import numpy as np
import pytest
from scipy import sparse

from planner.engine import capacity as engine
from planner.engine.found import Clock
from planner.models.wishes import Wishes

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
    """Every way to send n demands to m sites or nowhere (-1), and the sites used as bits."""
    ways = np.array(list(itertools.product(range(-1, m), repeat=n)), dtype=np.int64)
    used = np.bitwise_or.reduce(np.where(ways >= 0, 1 << np.maximum(ways, 0), 0), axis=1)
    return ways, used


def enumerated(name, arcs, demand, p, wishes):
    """Return the best value of all plans; None where there is none."""
    n, m = arcs.shape
    ways, used = every_assignment(n, m)
    metres = np.full((n, m + 1), np.inf)  # the last column: nobody
    metres[:, -1] = 0 if name == "mclp" else np.inf
    for i in range(n):
        at = slice(arcs.indptr[i], arcs.indptr[i + 1])
        metres[i, arcs.indices[at]] = arcs.data[at]
    along = metres[np.arange(n), ways]
    good = np.isfinite(along).all(axis=1)
    for j in range(m):
        good &= (ways == j) @ demand <= wishes.capacity[j]
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
