"""The one place that knows solvers: a PuLP formulation goes in, an honest solution comes out.

PuLP's own status is never read: it calls a run stopped by a limit "Optimal". What is told here comes from HiGHS's
model status, its primal status, its gap and its bound, and the values are checked against every row of the model
before anyone sees them.
"""

import threading
import time
from dataclasses import dataclass

import highspy
import numpy as np
import pulp
from scipy import sparse

THREADS = 1  # constant: HiGHS answers "Not Solved" at once when the number changes within a process
TOLERANCE = 1e-6
POLL_SECONDS = 0.05
HEARS_WITHIN = 0.5  # seconds that a cancelled solver is waited for, twice
ONE_AT_A_TIME = threading.Lock()  # highspy shares its locks among all solvers of a process

OPTIMAL, WITHIN_GAP, INTERIM, INFEASIBLE, NO_PLAN = "optimal", "within_gap", "interim", "infeasible", "no_plan"


class SolverFault(Exception):
    """The solver's answer cannot be trusted: values that break the model, a status that says nothing. Exit code 7."""

    exit_code = 7


@dataclass(frozen=True)
class Solution:
    """What a model's solution is worth.

    status     optimal | within_gap | interim (a limit or a cancel stopped it) | infeasible | no_plan
    values     number by variable name; empty where there is no plan; whole where the variable is whole
    objective  of these values, recomputed; None where there is no plan
    bound      no solution is better than this
    gap        |objective - bound| / max(|objective|, 1); 0.0 when proven
    """

    status: str
    values: dict
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float

    @property
    def has_plan(self):
        return self.status in (OPTIMAL, WITHIN_GAP, INTERIM)


def solve(model, *, seconds=60.0, gap=0.0, start=None, progress=None, cancel=None):
    """Return the :class:`Solution` of a PuLP model.

    seconds   limit, once it is this model's turn; reaching it with a plan makes the status ``interim``
    gap       relative gap at which to stop; 0 asks for a proof
    start     numbers by variable name: a known plan to improve on (others are 0)
    progress  called as progress(seconds, gap or None, best or None), a few times a second
    cancel    has ``is_set()``; when set, the best plan so far comes back within a moment
    Raises :class:`SolverFault` when the values break a row of the model or the status is none of the above.
    """
    began = time.monotonic()
    variables = model.variables()
    sign = -1.0 if model.sense == pulp.LpMaximize else 1.0
    constant = float(model.objective.constant)
    if not variables:
        return _nothing_to_decide(model, constant, time.monotonic() - began)
    translator = pulp.HiGHS(msg=False, threads=THREADS, timeLimit=seconds, gapRel=gap, gapAbs=0.0, random_seed=1)
    translator.createAndConfigureSolver(model)
    translator.buildSolverModel(model)
    highs = model.solverModel
    highs.changeObjectiveOffset(sign * constant)  # else its gap is measured on another number than the objective
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = [float(start.get(v.name, 0.0)) for v in variables]
        highs.setSolution(known)
    if not _my_turn(cancel):
        solution = Solution(NO_PLAN, {}, None, None, None, time.monotonic() - began)
    else:
        threads, best = [], [None]
        try:
            deaf = _run(highs, began, sign, progress, cancel, best, threads)
            if not deaf and highs.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
                highs.setOptionValue("presolve", "off")  # it cannot tell which of the two; the solver proper can
                deaf = _run(highs, began, sign, progress, cancel, best, threads)
        finally:
            # Also when who listens raised: the next model waits until HiGHS has really stopped.
            if any(thread.is_alive() for thread in threads):
                threading.Thread(target=_release_after, args=(threads,), daemon=True).start()
            else:
                ONE_AT_A_TIME.release()
        if deaf:
            return _left_behind(model, variables, sign, best[0], start, time.monotonic() - began)
        solution = _read(highs, variables, sign, constant, gap, time.monotonic() - began)
    if start is not None and solution.status in (NO_PLAN, INTERIM):
        kept = _kept(highs, variables, sign, constant, start, solution)
        if solution.status == NO_PLAN or sign * (kept.objective - solution.objective) < 0:
            return kept
    return solution


def _release_after(threads):
    for thread in threads:
        thread.join()
    ONE_AT_A_TIME.release()


def _left_behind(model, variables, sign, values, start, seconds):
    """Return the best plan known while a solver that hears no cancel still works: its own so far, or the start."""
    known = [] if values is None else [dict(zip((v.name for v in variables), values, strict=True))]
    known += [] if start is None else [{v.name: float(start.get(v.name, 0.0)) for v in variables}]
    plans = []
    for named in known:
        named = {v.name: (round(named[v.name]) if v.cat == pulp.LpInteger else named[v.name]) for v in variables}
        for v in variables:
            v.varValue = named[v.name]
        if all(row.valid(TOLERANCE * 10) for row in model.constraints()):
            plans.append((sign * float(pulp.value(model.objective)), len(plans), named))
    if not plans:
        return Solution(NO_PLAN, {}, None, None, None, seconds)
    worth, _, named = min(plans)
    return Solution(INTERIM, named, sign * worth, None, None, seconds)


def _my_turn(cancel):
    """Wait until no other model is being solved; False when cancelled before."""
    while not ONE_AT_A_TIME.acquire(timeout=POLL_SECONDS):
        if cancel is not None and cancel.is_set():
            return False
    return True


def _nothing_to_decide(model, constant, seconds):
    """Return the Solution of a model without variables, for which the solver has no word."""
    if all(row.valid() for row in model.constraints()):
        return Solution(OPTIMAL, {}, constant, constant, 0.0, seconds)
    return Solution(INFEASIBLE, {}, None, None, None, seconds)


def _kept(highs, variables, sign, constant, start, nothing):
    """Return the known plan as an interim solution, where a limit or cancel came before the solver had as good."""
    values = np.array([float(start.get(v.name, 0.0)) for v in variables])
    _check_rows(highs, values)
    objective = float(values @ np.array(highs.getLp().col_cost_, dtype=float)) * sign + constant
    gap = None if nothing.bound is None else abs(objective - nothing.bound) / max(abs(objective), 1.0)
    named = {v.name: (round(x) if v.cat == pulp.LpInteger else x) for v, x in zip(variables, values, strict=True)}
    return Solution(INTERIM, named, objective, nothing.bound, gap, nothing.seconds)


def _run(highs, began, sign, progress, cancel, best, threads):
    """Run in HiGHS's own thread, so that a cancel is heard at once; a plan found before it is kept.

    Returns True when it heard no cancel: parts of HiGHS look up only every few seconds, and nobody waits for them.
    ``best`` is a list whose one place takes the values of each better plan; its thread joins ``threads``.
    """
    seen = {"gap": None, "best": None}

    def watch(event):
        data = event.data_out
        if abs(data.mip_primal_bound) < highspy.kHighsInf:
            seen["best"] = sign * data.mip_primal_bound
            seen["gap"] = data.mip_gap if data.mip_gap < highspy.kHighsInf else None

    def note(event):
        best[0] = np.array(event.data_out.mip_solution, dtype=float)

    highs.HandleUserInterrupt = True
    highs.cbMipInterrupt.subscribe(watch)
    highs.cbMipImprovingSolution.subscribe(note)
    thread = highs.startSolve()
    threads.append(thread)
    told = began
    finished, deaf_after = False, None
    try:
        while not finished and (deaf_after is None or time.monotonic() < deaf_after):
            finished, _ = highs.wait(POLL_SECONDS)
            if cancel is not None and cancel.is_set():
                highs.cancelSolve()
                deaf_after = deaf_after or time.monotonic() + HEARS_WITHIN
            now = time.monotonic()
            if progress is not None and now - told >= 0.25:
                told = now
                progress(now - began, seen["gap"], seen["best"])
    finally:
        highs.cancelSolve()  # whatever happens to who listens, no thread goes on alone
        thread.join(None if finished else HEARS_WITHIN)
    return thread.is_alive()


def _read(highs, variables, sign, constant, asked_gap, seconds):
    status, info = highs.getModelStatus(), highs.getInfo()
    known = highspy.HighsModelStatus
    if status == known.kInfeasible:
        return Solution(INFEASIBLE, {}, None, None, None, seconds)
    stopped = status in (known.kTimeLimit, known.kInterrupt, known.kSolutionLimit, known.kObjectiveTarget)
    if status != known.kOptimal and not stopped:
        raise SolverFault(f"the solver ended with '{highs.modelStatusToString(status)}', which is no answer")
    whole = np.array([v.cat == pulp.LpInteger for v in variables], dtype=bool)
    is_mip = bool(whole.any())
    bound = sign * info.mip_dual_bound if is_mip and np.isfinite(info.mip_dual_bound) else None
    if info.primal_solution_status != 2:  # kSolutionStatusFeasible
        if not stopped:
            raise SolverFault("the solver says 'optimal' and holds no feasible values")
        return Solution(NO_PLAN, {}, None, bound, None, seconds)
    values = np.array(highs.getSolution().col_value, dtype=float)
    if values.shape != whole.shape or not np.isfinite(values).all():
        raise SolverFault("the solver left out the value of a variable")
    values[whole] = _whole(values[whole])
    _check_rows(highs, values)
    objective = float(values @ np.array(highs.getLp().col_cost_, dtype=float)) * sign + constant
    if not is_mip:
        bound = sign * info.objective_function_value if status == known.kOptimal else None
    left = None if bound is None else abs(objective - bound) / max(abs(objective), 1.0)
    if left is not None and left > TOLERANCE and sign * (objective - bound) < 0:
        raise SolverFault(
            f"the solver's values are worth {objective}, better than the {bound} it calls the best possible"
        )
    if stopped:
        verdict = INTERIM
    elif left is not None and left <= TOLERANCE:
        verdict, left = OPTIMAL, 0.0
    elif left is not None and left <= asked_gap + TOLERANCE:
        verdict = WITHIN_GAP
    else:
        raise SolverFault(f"the solver says 'optimal' with a gap of {left}")
    named = {v.name: (int(x) if w else float(x)) for v, x, w in zip(variables, values, whole, strict=True)}
    return Solution(verdict, named, objective, bound, left, seconds)


def _whole(values):
    rounded = np.rint(values)
    worst = np.abs(values - rounded).max(initial=0.0)
    if worst > 1e-4:
        raise SolverFault(f"a whole-number variable came back as a fraction, {worst} off")
    return rounded


def _check_rows(highs, values):
    """Raise unless the rounded values keep every row and bound: a solver's word alone is not enough."""
    lp = highs.getLp()
    matrix = lp.a_matrix_
    shape = (lp.num_row_, lp.num_col_)
    kind = sparse.csc_array if matrix.format_ == highspy.MatrixFormat.kColwise else sparse.csr_array
    rows = kind((matrix.value_, matrix.index_, matrix.start_), shape=shape) @ values if lp.num_row_ else np.zeros(0)
    for got, low, high in (
        (rows, lp.row_lower_, lp.row_upper_),
        (values, lp.col_lower_, lp.col_upper_),
    ):
        low, high = np.array(low, dtype=float), np.array(high, dtype=float)
        slack = TOLERANCE * 10 * np.maximum(1.0, np.abs(got))
        if (got < low - slack).any() or (got > high + slack).any():
            raise SolverFault("the solver's values break a constraint of the model")
