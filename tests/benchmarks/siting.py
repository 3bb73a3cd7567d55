"""The location engine beside spopt and beside the same sparse model handed to HiGHS as it is, in one run.

    python -m tests.benchmarks.siting            everything: about half an hour, most of it the rivals'
    python -m tests.benchmarks.siting sides      the ratios alone
    python -m tests.benchmarks.siting scale      ours alone, up to a million people, and how time grows with them

Demand and sites are those of :mod:`tests.benchmarks.shanxi_like`; people whom no site reaches are left out of covering
for all. Each program works in a process of its own, so that its peak memory is its own, and answers each question
several times; the median counts. Ours starts from coordinates, spopt from a finished distance matrix, HiGHS from
finished arcs. One thread each. A ratio compares two columns of one run; seconds of different machines do not compare.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

import highspy
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.spatial import cKDTree

from geo.travel import arcs_within, distances
from planner.locate import lscp, mclp, p_center, p_median
from tests.benchmarks.shanxi_like import instance

REACH = 15_000  # metres, of the covering questions
LIMIT = 600.0  # seconds a program may think about one question
# model, demand, sites, p; and how far apart objective and bound may stay
SIDES = (
    ("lscp", 1_000, 117, None),
    ("lscp", 10_000, 1_400, None),
    ("lscp", 30_000, 1_400, None),
    ("mclp", 1_000, 117, 20),
    ("mclp", 10_000, 1_400, 100),
    ("mclp", 30_000, 1_400, 100),
    ("p_median", 1_000, 117, 20),
    ("p_median", 1_000, 117, 40),
)
SPOPT_TO = 10_000  # demand: beyond it spopt builds for many minutes
SCALE = (
    ("lscp", 10_000, 1_400, None, 0.0),
    ("lscp", 100_000, 1_400, None, 0.0),
    ("lscp", 1_000_000, 1_400, None, 0.0),
    ("mclp", 10_000, 1_400, 100, 0.0001),
    ("mclp", 100_000, 1_400, 100, 0.0001),
    ("mclp", 1_000_000, 1_400, 100, 0.0001),
    ("mclp", 30_000, 5_000, 100, 0.0),
    ("p_median", 10_000, 1_400, 117, 0.001),
    ("p_median", 100_000, 1_400, 117, 0.001),
    ("p_median", 300_000, 1_400, 117, 0.001),
    ("p_median", 1_000_000, 1_400, 200, 0.001),
    ("p_center", 10_000, 300, 40, 0.0),
    ("p_center", 10_000, 1_400, 100, 0.01),
)
NEAREST = 50  # sites a demand's list holds where a whole table would be too large
TABLE = 10_000_000  # entries of the largest whole table
REPEATS = {"ours": 5, "plain": 3, "spopt": 1}


def places(n, m):
    """Return (demand, sites, persons): whole-metre tables of one instance."""
    xy, persons, sites, _ = instance(n, m)
    points, candidates = (
        pd.DataFrame(np.rint(each * 1000).astype(np.int64), columns=["x", "y"]) for each in (xy, sites)
    )
    return points, candidates, persons


def without_the_unreachable(points, sites, persons):
    """Return the tables without the demand that no site is near."""
    some = np.flatnonzero(np.diff(arcs_within(points, sites, REACH).indptr))
    return points.iloc[some].reset_index(drop=True), sites, persons[some]


def nearest_lists(points, sites, k):
    """Return the k nearest sites of each demand: CSR array of whole metres."""
    way, place = cKDTree(sites.to_numpy()).query(points.to_numpy(), k=k)
    starts = np.arange(0, way.size + 1, k)
    return sparse.csr_array(
        (np.floor(way.ravel() + 0.5).astype(np.int32), place.ravel().astype(np.int32), starts),
        shape=(len(points), len(sites)),
    )


# -- three programs, one question


def ours(model, points, sites, persons, p, gap=0.0):
    """Return (objective, bound) of our engine, from coordinates."""
    asked = {"gap": gap, "seconds": LIMIT}
    if model in ("lscp", "mclp"):
        arcs = arcs_within(points, sites, REACH)
        plan = lscp(arcs, **asked) if model == "lscp" else mclp(arcs, persons, p, **asked)
    elif model == "p_center":
        plan = p_center(distances(points, sites), p, **asked)
    elif len(points) * len(sites) <= TABLE:
        plan = p_median(distances(points, sites), persons, p, **asked)
    else:
        plan = p_median(nearest_lists(points, sites, NEAREST), persons, p, truncated=True, **asked)
    return plan.objective, plan.bound


def spopt(model, points, sites, persons, p, gap=0.0):
    """Return (objective, bound) of spopt with HiGHS through PuLP; the bound is its objective when it proved it."""
    import pulp
    from spopt.locate import LSCP, MCLP, PMedian

    table = distances(points, sites)
    began = time.perf_counter()
    if model == "lscp":
        task = LSCP.from_cost_matrix(table, REACH)
    elif model == "mclp":
        task = MCLP.from_cost_matrix(table, persons, REACH, p)
    else:
        task = PMedian.from_cost_matrix(table, persons, p)
    task = task.solve(pulp.HiGHS(msg=False, threads=1, timeLimit=LIMIT, gapRel=0.0), results=False)
    seconds = time.perf_counter() - began
    status = task.problem.solverModel.getModelStatus() == highspy.HighsModelStatus.kOptimal
    objective = pulp.value(task.problem.objective)
    return objective, objective if status else None, seconds


def plain(model, points, sites, persons, p, gap=0.0):
    """Return (objective, bound) of the textbook rows, as arrays, solved by HiGHS."""
    ways = arcs_within(points, sites, REACH) if model in ("lscp", "mclp") else distances(points, sites)
    began = time.perf_counter()
    objective, bound = {"lscp": _plain_lscp, "mclp": _plain_mclp, "p_median": _plain_p_median}[model](ways, persons, p)
    return objective, bound, time.perf_counter() - began


def _plain_lscp(arcs, persons, p):
    n, m = arcs.shape
    return _highs(_ones(arcs), np.ones(m), np.ones(n), np.full(n, np.inf), m)


def _plain_mclp(arcs, persons, p):
    n, m = arcs.shape
    size = sparse.csr_array(np.r_[np.ones(m), np.zeros(n)][None, :])
    rows = sparse.vstack([sparse.hstack([-_ones(arcs), sparse.eye_array(n)]), size])
    low, high = np.r_[np.full(n, -np.inf), p], np.r_[np.zeros(n), p]
    worst, best = _highs(rows, np.r_[np.zeros(m), -persons], low, high, m)
    return -worst, -best


def _plain_p_median(metres, persons, p):
    n, m = metres.shape
    i, j = np.divmod(np.arange(n * m), m)
    arc, one = np.arange(n * m), np.ones(n * m)
    to_row = sparse.csr_array((one, (i, arc)), shape=(n, n * m))
    to_site = sparse.csr_array((-one, (arc, j)), shape=(n * m, m))
    rows = sparse.vstack(
        [
            sparse.hstack([sparse.csr_array((n, m)), to_row]),
            sparse.hstack([to_site, sparse.eye_array(n * m)]),
            sparse.csr_array(np.r_[np.ones(m), np.zeros(n * m)][None, :]),
        ]
    )
    low = np.r_[np.ones(n), np.full(n * m, -np.inf), p]
    high = np.r_[np.ones(n), np.zeros(n * m), p]
    return _highs(rows, np.r_[np.zeros(m), (persons[:, None] * metres).ravel()], low, high, m)


def _ones(arcs):
    return sparse.csr_array((np.ones(arcs.nnz), arcs.indices, arcs.indptr), shape=arcs.shape)


def _highs(matrix, cost, lower, upper, sites):
    """Hand min cost'x, lower <= matrix x <= upper, 0 <= x <= 1 to HiGHS, the first ``sites`` of x whole."""
    matrix = sparse.csr_array(matrix, dtype=float)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost.astype(float), np.zeros(len(cost)), np.ones(len(cost))
    lp.row_lower_, lp.row_upper_ = lower.astype(float), upper.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger] * sites + [kinds.kContinuous] * (len(cost) - sites)
    highs = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "time_limit": LIMIT, "mip_rel_gap": 0.0}.items():
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    highs.run()
    info = highs.getInfo()
    return info.objective_function_value, info.mip_dual_bound


PROGRAMS = {"ours": ours, "spopt": spopt, "plain": plain}


# -- one question in a process of its own


def measured(program, model, n, m, p, gap):
    """Return {seconds, objective, gap, megabytes} of one program on one question; runs in this process."""
    points, sites, persons = places(n, m)
    if model == "lscp":
        points, sites, persons = without_the_unreachable(points, sites, persons)
    times, before = [], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for turn in range(REPEATS[program] + (program == "ours")):
        began = time.perf_counter()
        objective, bound, *own = PROGRAMS[program](model, points, sites, persons, p, gap)
        seconds = own[0] if own else time.perf_counter() - began
        if turn or program != "ours":  # the first of ours may compile
            times.append(seconds)
        if seconds > 20:
            times = times or [seconds]
            break
    left = None if bound is None else abs(objective - bound) / max(abs(objective), 1.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": statistics.median(times),
        "objective": objective,
        "gap": left,
        "megabytes": peak / 1024,
        "before": before / 1024,
    }


def apart(program, model, n, m, p, gap=0.0):
    """Return :func:`measured` of a process of its own."""
    question = json.dumps([program, model, n, m, p, gap])
    call = [sys.executable, "-m", "tests.benchmarks.siting", "one", question]
    done = subprocess.run(call, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _gap(answer):
    return "   open" if answer["gap"] is None else f"{answer['gap']:7.3%}"


def sides():
    """Print the ratios; return whether all programs that proved an optimum agree on it."""
    print(f"{'model':9}{'demand':>8}{'sites':>6}{'p':>5}", end="")
    print(f"{'ours s':>9}{'HiGHS s':>9}{'spopt s':>9}{'/HiGHS':>8}{'/spopt':>8}{'ours MB':>9}{'spopt MB':>9}   proven")
    agreed = True
    for model, n, m, p in SIDES:
        answers = {"ours": apart("ours", model, n, m, p), "plain": apart("plain", model, n, m, p)}
        if n <= SPOPT_TO:
            answers["spopt"] = apart("spopt", model, n, m, p)
        us, them, old = (answers.get(name) for name in ("ours", "plain", "spopt"))
        proven = {round(a["objective"]) for a in answers.values() if a["gap"] is not None and a["gap"] < 1e-6}
        agreed &= len(proven) == 1 and us["gap"] == 0
        ratio = [f"{a['seconds'] / us['seconds']:8.3g}" if a else f"{'':8}" for a in (them, old)]
        print(
            f"{model:9}{n:8}{m:6}{p or '':>5}{us['seconds']:9.3f}{them['seconds']:9.3f}"
            + (f"{old['seconds']:9.1f}" if old else f"{'':9}")
            + "".join(ratio)
            + f"{us['megabytes']:9.0f}"
            + (f"{old['megabytes']:9.0f}" if old else f"{'':9}")
            + f"   {us['objective']:,.0f}"
            + ("" if len(proven) == 1 else f" BUT {sorted(proven)}"),
            flush=True,
        )
    return agreed


def scale():
    """Print our seconds, gap and memory by size, and the exponent by which time grows with demand."""
    print(f"{'model':9}{'demand':>9}{'sites':>6}{'p':>5}{'seconds':>9}{'gap':>9}{'asked':>8}{'MB':>7}   objective")
    grown, kept = {}, True
    for model, n, m, p, gap in SCALE:
        answer = apart("ours", model, n, m, p, gap)
        kept &= answer["gap"] is not None and answer["gap"] <= max(gap, 1e-9)
        print(
            f"{model:9}{n:9}{m:6}{p or '':>5}{answer['seconds']:9.2f}{_gap(answer):>9}{gap:8.2%}"
            f"{answer['megabytes']:7.0f}   {answer['objective']:,.0f}",
            flush=True,
        )
        if m == 1_400 and model != "p_center" and p in (None, 100, 117):
            grown.setdefault(model, []).append((n, answer["seconds"]))
    for model, points in grown.items():
        n, seconds = np.log(np.array(points)).T
        print(f"{model}: seconds grow with demand to the power {np.polyfit(n, seconds, 1)[0]:.2f}")
    return kept


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    if what == "one":
        print(json.dumps(measured(*json.loads(sys.argv[2]))))
        return 0
    good = True
    if what in ("all", "sides"):
        good &= sides()
    if what in ("all", "scale"):
        good &= scale()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
