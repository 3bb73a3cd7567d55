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
    return _answer(locate.LSCP.from_cost_matrix(_array(cost), radius, **_held(cost, fixed)))


def mclp_spopt(cost, weights, radius, p, fixed=()):
    """Return the greatest weight that ``p`` sites serve within ``radius``."""
    weights = np.asarray(weights)
    return _answer(locate.MCLP.from_cost_matrix(_array(cost), weights, radius, p, **_held(cost, fixed)))


def pmedian_spopt(cost, weights, p, fixed=()):
    """Return the least sum of weight x cost to the nearest of ``p`` sites."""
    return _answer(locate.PMedian.from_cost_matrix(_array(cost), np.asarray(weights), p, **_held(cost, fixed)))


def pcenter_spopt(cost, p, fixed=()):
    """Return the least largest cost to the nearest of ``p`` sites."""
    return _answer(locate.PCenter.from_cost_matrix(_array(cost), p, **_held(cost, fixed)))


def _array(cost):
    return np.asarray(cost, dtype=float)


def _held(cost, fixed):
    if not len(fixed):
        return {}
    held = np.zeros(np.shape(cost)[1], dtype=int)
    held[list(fixed)] = 1
    return {"predefined_facilities_arr": held}


def _answer(model):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        try:
            model.solve(pulp.PULP_CBC_CMD(msg=False), results=False)
        except RuntimeError:
            return None
    value = float(model.problem.objective.value() or 0.0)
    return value, tuple(j for j, v in enumerate(model.fac_vars) if v.value() is not None and v.value() > 0.5)
