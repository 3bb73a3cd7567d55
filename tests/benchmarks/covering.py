"""Our covering pipeline beside the same sparse model handed to HiGHS as it is, in one run on one machine.

    python -m tests.benchmarks.covering [seconds]

Both get the demand points and sites of :mod:`tests.benchmarks.shanxi_like` within 15 km, found by the same search, one
thread and ``seconds`` (60) a model. Ours then reduces, bounds and solves through PuLP; the rival builds the textbook
rows as arrays. Printed: seconds of each, their ratio, what each proved. A ratio compares two columns of one run;
seconds of different machines or days do not compare.
"""

import sys
import time

import highspy
import numpy as np
import pandas as pd
from scipy import sparse

from geo.travel import arcs_within
from planner.engine.cover import fewest_sites, most_people
from planner.engine.found import Clock
from planner.problem import CoverProblem
from tests.benchmarks.shanxi_like import instance

SIZES = ((1_000, 117, 20), (3_000, 300, 40), (10_000, 1_400, 100), (30_000, 1_400, 100))  # demand, sites, p of MCLP
STANDARD_METRES = 15_000


def problem(demand, sites):
    """Return the CoverProblem of one instance; people whom no site reaches are left out, for both sides."""
    xy, persons, places, _ = instance(demand, sites)
    points, candidates = (
        pd.DataFrame(np.rint(each * 1000).astype(np.int64), columns=["x", "y"]) for each in (xy, places)
    )
    arcs = arcs_within(points, candidates, STANDARD_METRES)
    some = np.flatnonzero(np.diff(arcs.indptr))
    none = np.zeros(0, dtype=int)
    return CoverProblem(persons[some], sparse.csr_array(arcs[some]), none, none, np.arange(sites))


def our_lscp(task, seconds):
    plan = fewest_sites(task, clock=Clock(seconds))
    return plan.objective, plan.bound


def our_mclp(task, p, seconds):
    plan = most_people(task, p, clock=Clock(seconds))
    return plan.objective, plan.bound


def plain_lscp(task, seconds):
    rows, sites = task.arcs.shape
    return _plain(
        task.pattern, np.ones(sites), np.ones(rows), np.full(rows, np.inf), np.ones(sites, dtype=int), seconds
    )


def plain_mclp(task, p, seconds):
    rows, sites = task.arcs.shape
    serve = sparse.hstack([-task.pattern, sparse.eye_array(rows)])
    size = sparse.csr_array(np.r_[np.ones(sites), np.zeros(rows)][None, :])
    matrix = sparse.vstack([serve, size])
    lower, upper = np.r_[np.full(rows, -np.inf), p], np.r_[np.zeros(rows), p]
    worst, best = _plain(
        matrix, np.r_[np.zeros(sites), -task.persons], lower, upper, np.r_[np.ones(sites), np.zeros(rows)], seconds
    )
    return -worst, -best


def _plain(matrix, cost, lower, upper, whole, seconds):
    """Hand min cost'x, lower <= matrix x <= upper, 0 <= x <= 1 to HiGHS; return (objective, bound)."""
    matrix = sparse.csr_array(matrix, dtype=float)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), np.ones(len(cost))
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in whole]
    highs = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "time_limit": float(seconds), "mip_rel_gap": 0.0}.items():
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    highs.run()
    info = highs.getInfo()
    return info.objective_function_value, info.mip_dual_bound


def timed(function, *arguments):
    began = time.perf_counter()
    objective, bound = function(*arguments)
    gap = abs(objective - bound) / max(abs(objective), 1.0)
    return time.perf_counter() - began, objective, gap


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print(f"{'model':6}{'demand':>8}{'sites':>7}{'ours s':>10}{'HiGHS s':>10}{'ratio':>8}   objective and gap of each")
    for demand, sites, p in SIZES:
        task = problem(demand, sites)
        for model, ours, plain, extra in (("LSCP", our_lscp, plain_lscp, ()), ("MCLP", our_mclp, plain_mclp, (p,))):
            a, b = timed(ours, task, *extra, seconds), timed(plain, task, *extra, seconds)
            said = "   ".join(f"{objective:,.0f} ({gap:.2%})" for _, objective, gap in (a, b))
            print(f"{model:6}{demand:8}{sites:7}{a[0]:10.2f}{b[0]:10.2f}{b[0] / a[0]:8.1f}   {said}", flush=True)


if __name__ == "__main__":
    main()
