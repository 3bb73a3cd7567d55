"""Honest solving: what stopped the solver is told as it was, and an answer that breaks its own model is refused."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import highspy
import numpy as np
import pulp
import pytest
from scipy import sparse

from planner.models.lscp import lscp
from planner.services.proof import proof_of
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL, THREADS, WITHIN_GAP, Solution, SolverFault, solve


def small():
    """max 3x + 2y + 7, x + y <= 4, x <= 3 whole, 0 <= y <= 1.5: x = 3, y = 1, worth 18."""
    model = pulp.LpProblem("small", pulp.LpMaximize)
    x, y = model.add_variable("x", 0, 3, pulp.LpInteger), model.add_variable("y", 0, 1.5)
    model += 3 * x + 2 * y + 7
    model += x + y <= 4, "together"
    return model


def covering(size, seed=0, share=0.04):
    """A covering model of random sets: at 250 a plan is found at once and none is proven for hours."""
    cover = np.random.default_rng(seed).random((size, size)) < share
    cover[~cover.any(axis=1), 0] = True
    return lscp(sparse.csr_array(cover))[0]


def everywhere(model):
    """A known plan: every site open."""
    return {v.name: 1 for v in model.variables()}


def market_split():
    """Five equations on forty binaries (Cornuejols, Dawande 1998): no solution is found for long."""
    share = np.random.default_rng(0).integers(0, 100, (5, 40))
    model = pulp.LpProblem("market_split", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:03d}", cat=pulp.LpBinary) for j in range(40)]
    model += pulp.lpSum(x)
    for i, row in enumerate(share):
        model += pulp.LpAffineExpression(zip(x, map(int, row), strict=True)) == int(row.sum() // 2), f"half_{i}"
    return model


class Later:
    """Is set a while after it was made: whoever cancels, from another thread."""

    def __init__(self, seconds):
        self.event = threading.Event()
        self.timer = threading.Timer(seconds, self.event.set)
        self.timer.start()

    def is_set(self):
        return self.event.is_set()


def test_an_optimum():
    solution = solve(small())
    assert solution.status == OPTIMAL and solution.has_plan and solution.gap == 0.0
    assert solution.values == {"x": 3, "y": pytest.approx(1)} and isinstance(solution.values["x"], int)
    assert solution.objective == pytest.approx(18) and solution.bound == pytest.approx(18)


def test_a_minimum_of_fractions_alone():
    model = pulp.LpProblem("fractions", pulp.LpMinimize)
    x, y = model.add_variable("x", 0), model.add_variable("y", 0)
    model += x + 2 * y - 1
    model += x + y >= 2.5, "enough"
    model += x <= 1, "few"
    solution = solve(model)
    assert solution.status == OPTIMAL and solution.objective == pytest.approx(1 + 3 - 1)
    assert solution.values == {"x": pytest.approx(1), "y": pytest.approx(1.5)}


def test_nothing_to_decide():
    model = pulp.LpProblem("empty", pulp.LpMinimize)
    model += pulp.LpAffineExpression([])
    assert solve(model) == Solution(OPTIMAL, {}, 0.0, 0.0, 0.0, pytest.approx(0, abs=1))
    model += pulp.LpAffineExpression([]) >= 1, "impossible"
    assert solve(model).status == INFEASIBLE


def test_the_start_is_no_answer_where_there_is_a_better_one():
    assert solve(small(), start={"x": 1}).objective == pytest.approx(18)


# -- limits


@pytest.fixture(scope="module")
def stopped():
    model = covering(250)
    return solve(model, seconds=1.0, start=everywhere(model))


def test_a_limit_with_a_plan_is_interim(stopped):
    assert stopped.status == INTERIM and stopped.has_plan and stopped.seconds < 3
    assert stopped.bound < stopped.objective == sum(stopped.values.values())
    assert stopped.gap == pytest.approx((stopped.objective - stopped.bound) / stopped.objective)
    assert OPTIMAL not in repr(stopped)
    proof = proof_of("stations_cover_all", "stations", stopped, plus=117)
    assert proof.status == INTERIM and proof.objective == stopped.objective + 117
    assert proof.gap == pytest.approx((proof.objective - proof.bound) / proof.objective)


def test_a_limit_before_any_plan():
    solution = solve(market_split(), seconds=0.5)
    assert solution == Solution(NO_PLAN, {}, None, solution.bound, None, solution.seconds)
    assert not solution.has_plan and solution.seconds < 3


def test_a_limit_before_any_plan_keeps_the_known_one():
    model = covering(250)
    solution = solve(model, seconds=0.001, start=everywhere(model))
    assert solution.status == INTERIM and solution.has_plan
    assert len(solution.values) == 250 and solution.objective == sum(solution.values.values()) <= 250
    assert all(type(value) is int for value in solution.values.values())


def test_a_limit_never_gives_less_than_the_known_plan(stopped):
    again = solve(covering(250), seconds=0.05, start=stopped.values)
    assert again.status == INTERIM and again.objective <= stopped.objective


def test_a_start_that_breaks_the_model_is_not_kept():
    with pytest.raises(SolverFault, match="break a constraint"):
        solve(market_split(), seconds=0.2, start={"x000": 1})


def test_a_gap_stop_is_told():
    solution = solve(covering(120, share=0.05), gap=0.5, seconds=60)
    assert solution.status == WITHIN_GAP and solution.has_plan
    assert 0 < solution.gap <= 0.5 and solution.bound < solution.objective


# -- no plan


def test_infeasible():
    model = small()
    model += pulp.lpSum(model.variables()) >= 5, "too_much"
    assert solve(model) == Solution(INFEASIBLE, {}, None, None, None, pytest.approx(0, abs=2))
    assert not solve(model).has_plan


@pytest.mark.parametrize("cat", [pulp.LpContinuous, pulp.LpInteger])
def test_unbounded_is_no_answer(cat):
    model = pulp.LpProblem("unbounded", pulp.LpMaximize)
    x, y = model.add_variable("x", 0, None, cat), model.add_variable("y", 0, None, cat)
    model += x + y
    model += x - y <= 1, "apart"
    with pytest.raises(SolverFault, match="Unbounded|unbounded"):
        solve(model)


# -- lies


def lying(monkeypatch, name, change):
    """Let the solver's own ``name`` answer something else."""
    honest = getattr(highspy.Highs, name)
    monkeypatch.setattr(highspy.Highs, name, lambda self: change(honest(self)))


def with_values(values):
    return lambda solution: SimpleNamespace(col_value=values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([3.0, 1.5], "break a constraint"),  # breaks "together"
        ([4.0, 0.0], "break a constraint"),  # above its bound
        ([2.5, 1.0], "fraction"),
        ([float("nan"), 1.0], "left out"),
        ([float("inf"), 1.0], "left out"),
        ([3.0], "left out"),
        ([], "left out"),
        ([0.0, 0.0], "optimal"),  # feasible, of an older run: far from the bound
    ],
)
def test_lying_values_are_refused(monkeypatch, values, said):
    lying(monkeypatch, "getSolution", with_values(values))
    with pytest.raises(SolverFault, match=said):
        solve(small())


def test_stale_values_of_a_linear_model_are_refused(monkeypatch):
    model = pulp.LpProblem("line", pulp.LpMaximize)
    x = model.add_variable("x", 0, 4)
    model += 2 * x
    lying(monkeypatch, "getSolution", with_values([1.0]))
    with pytest.raises(SolverFault, match="gap"):
        solve(model)


def test_optimal_said_of_a_stopped_run_is_refused(monkeypatch):
    """PuLP's own mistake, were it HiGHS's."""
    lying(monkeypatch, "getModelStatus", lambda status: highspy.HighsModelStatus.kOptimal)
    with pytest.raises(SolverFault, match="gap"):
        solve(covering(250), seconds=0.5)
    with pytest.raises(SolverFault, match="no feasible values"):
        solve(market_split(), seconds=0.2)


@pytest.mark.parametrize("said", [highspy.HighsModelStatus.kNotset, highspy.HighsModelStatus.kSolveError])
def test_a_status_that_says_nothing_is_refused(monkeypatch, said):
    lying(monkeypatch, "getModelStatus", lambda status: said)
    with pytest.raises(SolverFault, match="no answer"):
        solve(small())


def test_values_better_than_the_best_possible_are_refused(monkeypatch):
    def change(info):
        return SimpleNamespace(
            mip_dual_bound=-19.0, primal_solution_status=2, objective_function_value=info.objective_function_value
        )

    lying(monkeypatch, "getInfo", change)  # a bound of 19 for a plan of 18 is fine; of 12 it is a lie
    lying(monkeypatch, "getModelStatus", lambda status: highspy.HighsModelStatus.kTimeLimit)
    solution = solve(small())
    assert solution.status == INTERIM and solution.bound == pytest.approx(19)
    lying(monkeypatch, "getInfo", lambda info: SimpleNamespace(**{**vars(info), "mip_dual_bound": -12.0}))
    with pytest.raises(SolverFault, match="better than"):
        solve(small())


# -- cancel, progress, threads


def test_cancel_from_another_thread_keeps_the_plan():
    model, cancel = covering(250), Later(1.0)
    began = time.monotonic()
    solution = solve(model, cancel=cancel, start=everywhere(model))
    assert time.monotonic() - began < 1.0 + 2.0
    assert solution.status == INTERIM and solution.objective == sum(solution.values.values())


def test_a_solver_that_hears_no_cancel_is_left_behind(monkeypatch):
    """Nobody waits for it: its best plan so far comes back, or the one to start from; the next model waits its turn."""
    monkeypatch.setattr(highspy.Highs, "cancelSolve", lambda highs: None)
    model, began = covering(250), time.monotonic()
    solution = solve(model, cancel=Later(0.3), start=everywhere(model), seconds=4)
    assert time.monotonic() - began < 2.5
    assert solution.status == INTERIM and solution.objective < 250 and solution.bound is None
    assert sum(solution.values.values()) == solution.objective
    began = time.monotonic()
    assert solve(market_split(), cancel=Later(0.3), seconds=4).status == NO_PLAN
    assert solve(small()).status == OPTIMAL and time.monotonic() - began > 2


def test_a_listener_that_raises_leaves_nothing_running():
    """The next model waits for HiGHS to stop, and is solved."""

    def boom(*_):
        raise KeyError("boom")

    with pytest.raises(KeyError):
        solve(covering(250), progress=boom, seconds=5)
    assert solve(small()).status == OPTIMAL


def test_cancelled_before_it_began():
    cancel = threading.Event()
    cancel.set()
    model = covering(250)
    solution = solve(model, cancel=cancel, start=everywhere(model))
    assert solution.status == INTERIM and solution.seconds < 2
    assert solve(market_split(), cancel=cancel).status == NO_PLAN


def test_cancelled_while_another_model_has_the_turn():
    first = threading.Thread(target=solve, args=(covering(250),), kwargs={"seconds": 3.0})
    first.start()
    time.sleep(0.3)
    model = small()
    waiting = solve(model, cancel=Later(0.3), start={"x": 1, "y": 0})
    assert first.is_alive()
    assert waiting.status == INTERIM and waiting.objective == pytest.approx(10) and waiting.bound is None
    assert solve(model).status == OPTIMAL  # and without a cancel it waits for its turn
    first.join()


def test_several_at_once_answer_as_one_by_one():
    models = {seed: covering(40, seed, share=0.15) for seed in range(5)}
    alone = {seed: solve(model).objective for seed, model in models.items()}
    together = {}

    def work(seed):
        together[seed] = solve(models[seed]).objective

    threads = [threading.Thread(target=work, args=(seed,)) for seed in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_progress_tells_time_gap_and_best():
    told = []
    model = covering(250)
    solution = solve(model, seconds=1.5, start=everywhere(model), progress=lambda *each: told.append(each))
    seconds, gaps, bests = zip(*told, strict=True)
    assert 2 <= len(told) <= 10 and list(seconds) == sorted(seconds)
    assert round(bests[-1]) >= solution.objective and 0 < gaps[-1] <= 1


def children():
    """The processes started by this one (Linux tells; elsewhere none are seen)."""
    return {pid for each in Path("/proc/self/task").glob("*/children") for pid in each.read_text().split()}


def test_whoever_stops_listening_leaves_no_thread_behind():
    before, processes = set(threading.enumerate()), children()

    def closed_page(*_):
        raise ConnectionError("nobody reads this any more")

    began = time.monotonic()
    with pytest.raises(ConnectionError):
        solve(covering(250), progress=closed_page)
    assert time.monotonic() - began < 3
    assert not set(threading.enumerate()) - before and children() == processes
    assert solve(small()).status == OPTIMAL  # and the next model has its turn


def test_threads_stay_the_same():
    """A changed number of threads makes HiGHS answer "Not Solved" at once."""
    for _ in range(2):
        model = small()
        assert solve(model).status == OPTIMAL
        assert model.solverModel.getOptionValue("threads")[1] == THREADS == 1


def test_every_option_is_known_to_the_solver():
    """An unknown option would be ignored without a word."""
    model = small()
    solve(model, seconds=7.0, gap=0.25)
    asked = {"time_limit": 7.0, "mip_rel_gap": 0.25, "mip_abs_gap": 0.0, "random_seed": 1, "output_flag": False}
    assert {name: model.solverModel.getOptionValue(name)[1] for name in asked} == asked


def test_the_same_model_twice_is_the_same_answer():
    one, two = (solve(covering(60, share=0.1)) for _ in range(2))
    assert one.values == two.values
