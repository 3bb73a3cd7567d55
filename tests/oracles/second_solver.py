"""The same models by another route: plain textbook formulations as arrays, solved by ``scipy.optimize.milp``.

Answers are ``(value, sites)`` as in :mod:`tests.oracles.brute` (any one of the optimal sets), ``None`` where no set
serves. Takes a few thousand arcs; dense, unreduced and slow on purpose.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack


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
