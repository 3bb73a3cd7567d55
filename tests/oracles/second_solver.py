"""The same models by another route: plain textbook formulations, by ``scipy.optimize.milp`` and by CBC through PuLP.

Answers are ``(value, sites)`` as in :mod:`tests.oracles.brute` (any one of the optimal sets), ``None`` where no set
serves; arguments and wishes are the same. Takes a few thousand arcs; dense, unreduced and slow on purpose.

CBC is the one that PuLP's wheel brings; ``needs_cbc`` skips a test where a later PuLP does without.
"""

import warnings

import numpy as np
import pulp
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    HAS_CBC = hasattr(pulp, "PULP_CBC_CMD") and bool(pulp.PULP_CBC_CMD(msg=False).available())
needs_cbc = pytest.mark.skipif(not HAS_CBC, reason="PuLP came without CBC")


def lscp_milp(cover, fixed=()):
    """min sum_j x_j   s.t.   sum_j cover_ij x_j >= 1 for all i."""
    cover = csr_array(np.asarray(cover, dtype=float))
    sites = cover.shape[1]
    return _solved(np.ones(sites), [LinearConstraint(cover, lb=1)], sites, fixed)


def mclp_milp(cover, weights, p, fixed=()):
    """max sum_i a_i y_i   s.t.   y_i <= sum_j cover_ij x_j,   sum_j x_j = p."""
    cover = csr_array(np.asarray(cover, dtype=float))
    demand, sites = cover.shape
    within = LinearConstraint(hstack([-cover, eye_array(demand)]), ub=0)
    count = LinearConstraint(np.r_[np.ones(sites), np.zeros(demand)][None, :], lb=p, ub=p)
    answer = _solved(np.r_[np.zeros(sites), -np.asarray(weights, dtype=float)], [within, count], sites, fixed)
    return None if answer is None else (-answer[0], answer[1])


def pmedian_milp(cost, weights, p, fixed=()):
    """min sum_ij a_i c_ij y_ij   s.t.   sum_j y_ij = 1,   y_ij <= x_j,   sum_j x_j = p.

    ``np.inf`` in ``cost`` marks no way through.
    """
    cost = np.asarray(cost, dtype=float)
    demand, sites = cost.shape
    i, j = np.nonzero(np.isfinite(cost))
    arcs, ones = np.arange(len(i)), np.ones(len(i))
    to_row = csr_array((ones, (i, arcs)), shape=(demand, len(i)))
    to_site = csr_array((ones, (arcs, j)), shape=(len(i), sites))
    served = LinearConstraint(hstack([csr_array((demand, sites)), to_row]), lb=1, ub=1)
    open_first = LinearConstraint(hstack([-to_site, eye_array(len(i))]), ub=0)
    count = LinearConstraint(np.r_[np.ones(sites), np.zeros(len(i))][None, :], lb=p, ub=p)
    objective = np.r_[np.zeros(sites), np.asarray(weights, dtype=float)[i] * cost[i, j]]
    return _solved(objective, [served, open_first, count], sites, fixed)


def _solved(objective, constraints, sites, fixed):
    lower = np.zeros(len(objective))
    lower[list(fixed)] = 1
    whole = (np.arange(len(objective)) < sites).astype(int)
    result = milp(
        objective, constraints=constraints, bounds=Bounds(lower, 1), integrality=whole, options={"mip_rel_gap": 0}
    )
    if result.status == 2:
        return None
    if result.status != 0:
        raise AssertionError(f"the oracle found no proven optimum: {result.message}")
    return float(result.fun), tuple(int(j) for j in np.flatnonzero(result.x[:sites] > 0.5))


# -- CBC


def lscp_cbc(cover, fixed=(), *, backup=1, weights=None, capacity=None, price=None, **wishes):
    """min sum_j c_j x_j   s.t.   sum_j cover_ij x_j >= b_i;   with capacity sum_j z_ij = 1 in its place."""
    cover = np.asarray(cover, dtype=bool)
    model, x = _sites(pulp.LpMinimize, cover.shape[1], None, fixed, price=price, **wishes)
    model += pulp.lpSum(x[j] * (1 if price is None else price[j]) for j in range(len(x)))
    need = np.broadcast_to(backup, len(cover))
    for i, row in enumerate(cover):
        model += pulp.lpSum(x[j] for j in np.flatnonzero(row)) >= int(need[i])
    if capacity is not None:
        _send(model, x, cover, weights, capacity, whole=True)
    return _by_cbc(model, x)


def mclp_cbc(cover, weights, p=None, fixed=(), *, capacity=None, **wishes):
    """max sum_i a_i y_i   s.t.   y_i <= sum_j cover_ij x_j;   with capacity y_i = sum_j z_ij."""
    cover = np.asarray(cover, dtype=bool)
    model, x = _sites(pulp.LpMaximize, cover.shape[1], p, fixed, **wishes)
    if capacity is not None:
        z = _send(model, x, cover, weights, capacity, whole=False)
        model += pulp.lpSum(int(weights[i]) * v for (i, _), v in z.items())
    else:
        y = _served(model, x, cover)
        model += pulp.lpSum(int(a) * v for a, v in zip(weights, y, strict=True))
    return _by_cbc(model, x)


def gradual_cbc(shares, weights, p=None, fixed=(), **wishes):
    """max sum_ij a_i s_ij z_ij   s.t.   sum_j z_ij <= 1,   z_ij <= x_j."""
    model, x = _sites(pulp.LpMaximize, shares.shape[1], p, fixed, **wishes)
    z = _assigned(model, x, shares > 0, whole=False)
    model += pulp.lpSum(float(weights[i] * shares[i, j]) * v for (i, j), v in z.items())
    return _by_cbc(model, x)


def bclp_cbc(cover, weights, p=None, fixed=(), **wishes):
    """max sum_i a_i u_i   s.t.   sum_j cover_ij x_j >= 1 + u_i."""
    cover = np.asarray(cover, dtype=bool)
    model, x = _sites(pulp.LpMaximize, cover.shape[1], p, fixed, **wishes)
    u = [model.add_variable(f"u{i}", cat="Binary") for i in range(len(cover))]
    model += pulp.lpSum(int(a) * v for a, v in zip(weights, u, strict=True))
    for i, row in enumerate(cover):
        model += pulp.lpSum(x[j] for j in np.flatnonzero(row)) >= 1 + u[i]
    return _by_cbc(model, x)


def double_standard_cbc(near, far, weights, p, *, share, per_site=1, fixed=()):
    """max sum_i a_i v_i   s.t.   sum far y >= 1,  sum near y >= u_i + v_i,  v_i <= u_i,  sum a u >= share sum a.

    y_j vehicles at site j, at most ``per_site``; ``sites`` names a site once a vehicle.
    """
    n, m = np.shape(near)
    model = pulp.LpProblem("oracle", pulp.LpMaximize)
    y = [model.add_variable(f"y{j}", 1 if j in fixed else 0, per_site, "Integer") for j in range(m)]
    u, v = ([model.add_variable(f"{name}{i}", cat="Binary") for i in range(n)] for name in "uv")
    model += pulp.lpSum(int(weights[i]) * v[i] for i in range(n))
    model += pulp.lpSum(y) == p
    model += pulp.lpSum(int(weights[i]) * u[i] for i in range(n)) >= share * float(np.sum(weights))
    for i in range(n):
        model += pulp.lpSum(y[j] for j in np.flatnonzero(far[i])) >= 1
        model += pulp.lpSum(y[j] for j in np.flatnonzero(near[i])) >= u[i] + v[i]
        model += v[i] <= u[i]
    return _by_cbc(model, y)


def pmedian_cbc(cost, weights, p=None, fixed=(), *, capacity=None, **wishes):
    """min sum_ij a_i c_ij z_ij   s.t.   sum_j z_ij = 1,   z_ij <= x_j;   with capacity z whole and within room."""
    cost = np.asarray(cost, dtype=float)
    model, x = _sites(pulp.LpMinimize, cost.shape[1], p, fixed, **wishes)
    if capacity is not None:
        z = _send(model, x, np.isfinite(cost), weights, capacity, whole=True)
    else:
        z = _assigned(model, x, np.isfinite(cost), whole=True)
    model += pulp.lpSum(float(weights[i] * cost[i, j]) * v for (i, j), v in z.items())
    return _by_cbc(model, x)


def pcenter_cbc(cost, p=None, fixed=(), *, weights=None, capacity=None, **wishes):
    """min D   s.t.   D >= sum_j c_ij z_ij,   sum_j z_ij = 1,   z_ij <= x_j;   with capacity z whole and within room."""
    cost = np.asarray(cost, dtype=float)
    model, x = _sites(pulp.LpMinimize, cost.shape[1], p, fixed, **wishes)
    if capacity is not None:
        z = _send(model, x, np.isfinite(cost), weights, capacity, whole=True)
    else:
        z = _assigned(model, x, np.isfinite(cost), whole=True, cat="Binary")
    farthest = model.add_variable("D", 0)
    model += farthest + 0
    for i in range(len(cost)):
        model += farthest >= pulp.lpSum(float(cost[i, j]) * v for (k, j), v in z.items() if k == i)
    return _by_cbc(model, x)


def _sites(sense, count, p, fixed, *, forbidden=(), exclusive=(), avoid=(), price=None, budget=None):
    model = pulp.LpProblem("oracle", sense)
    x = [
        model.add_variable(f"x{j}", int(j in set(fixed)), int(j not in set(forbidden)), "Integer") for j in range(count)
    ]
    if p is not None:
        model += pulp.lpSum(x) == p
    for sites in exclusive:
        model += pulp.lpSum(x[j] for j in sites) <= 1
    for sites, unused in avoid:
        model += pulp.lpSum(1 - x[j] for j in sites) >= unused
    if budget is not None:
        model += pulp.lpSum(float(c) * v for c, v in zip(price, x, strict=True)) <= float(budget)
    return model, x


def _served(model, x, cover):
    y = [model.add_variable(f"y{i}", 0, 1) for i in range(len(cover))]
    for i, row in enumerate(cover):
        model += y[i] <= pulp.lpSum(x[j] for j in np.flatnonzero(row))
    return y


def _assigned(model, x, way, *, whole, cat="Continuous"):
    z = {(int(i), int(j)): model.add_variable(f"z{i}_{j}", 0, 1, cat) for i, j in zip(*np.nonzero(way), strict=True)}
    for (_, j), v in z.items():
        model += v <= x[j]
    for i in range(len(way)):
        mine = pulp.lpSum(z[i, j] for j in np.flatnonzero(way[i]).tolist())
        model += (mine == 1) if whole else (mine <= 1)
    return z


def _send(model, x, way, weights, capacity, *, whole):
    z = _assigned(model, x, way, whole=whole, cat="Binary")
    for j in range(len(x)):
        here = [int(weights[i]) * v for (i, k), v in z.items() if k == j]
        model += pulp.lpSum(here) <= int(capacity[j])
    return z


def _by_cbc(model, x):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # PuLP 4 will want CBC apart
        model.solve(pulp.PULP_CBC_CMD(msg=False))
    if model.status == pulp.LpStatusInfeasible:
        return None
    if model.status != pulp.LpStatusOptimal:
        raise AssertionError(f"the oracle found no proven optimum: {pulp.LpStatus[model.status]}")
    sites = [j for j, v in enumerate(x) for _ in range(round(v.value()))]
    return float(model.objective.value() or 0.0), tuple(sites)
