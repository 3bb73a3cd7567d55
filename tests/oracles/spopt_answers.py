"""What spopt, the library planners' analysts use today, answers on the same arrays; CBC solves its models.

Answers are ``(value, sites)`` as in :mod:`tests.oracles.brute`, ``None`` where spopt says infeasible. A test that
imports this module is skipped where spopt is not installed.
"""

import warnings

import numpy as np
import pulp
import pytest

locate = pytest.importorskip("spopt.locate", reason="spopt is not installed")


def lscp_spopt(cost, radius, fixed=()):
    """Return the fewest sites that serve every row of ``cost`` (demand x site) within ``radius``."""
    return _answer(locate.LSCP, _array(cost), radius, fixed=fixed)


def mclp_spopt(cost, weights, radius, p, fixed=()):
    """Return the greatest weight that ``p`` sites serve within ``radius``."""
    return _answer(locate.MCLP, _array(cost), np.asarray(weights), radius, p, fixed=fixed)


def pmedian_spopt(cost, weights, p, fixed=()):
    """Return the least sum of weight x cost to the nearest of ``p`` sites."""
    return _answer(locate.PMedian, _array(cost), np.asarray(weights), p, fixed=fixed)


def pcenter_spopt(cost, p, fixed=()):
    """Return the least largest cost to the nearest of ``p`` sites."""
    return _answer(locate.PCenter, _array(cost), p, fixed=fixed)


def _array(cost):
    return np.asarray(cost, dtype=float)


def _answer(model, cost, *numbers, fixed):
    held = {}
    if len(fixed):
        held["predefined_facilities_arr"] = np.isin(np.arange(cost.shape[1]), fixed).astype(int)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of the PuLP that spopt is written for
        asked = model.from_cost_matrix(cost, *numbers, **held)
        try:
            asked.solve(pulp.PULP_CBC_CMD(msg=False), results=False)
        except RuntimeError:
            return None
    sites = tuple(j for j, v in enumerate(asked.fac_vars) if v.value() is not None and v.value() > 0.5)
    return float(asked.problem.objective.value() or 0.0), sites
