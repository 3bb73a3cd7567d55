"""The command ``jinyi simulate``: decide a scenario's plan, then let people call its ambulances for some weeks."""

import os
import time
from pathlib import Path

from geo.region import project
from planner.console import AskedWrong, Progress

LONGEST_DAYS = 366
LARGEST_SEED = 10**9
WARM_UP_DAYS = 1.0


class SimulationWrong(AskedWrong):
    """A simulation that cannot be run as asked."""

    section = "simulation"


def simulate(asked, words):
    """Simulate a scenario's plan, write the folder and show the result.

    asked  scenario, days, seed, out: texts, None where not given. Returns the exit code: 0, or 5 where the plan or the
    simulation was stopped, or 6 where it was stopped before anything could be counted.
    """
    from planner.cli import INTERIM, NO_PLAN, _cancel_on_signal, _say, _writing
    from planner.scenario import load_scenario
    from planner.study import decide, prepare

    run = _simulation()
    scenario = load_scenario(asked.scenario)
    question = questioned(scenario, asked)
    out = Path("out", f"{scenario.name}-simulation") if asked.out is None else Path(asked.out)
    from planner.report.simulation_report import check_simulation_out, write_simulation

    progress = Progress(words)
    with _writing(out):
        check_simulation_out(out)
    try:
        prepared = prepare(scenario, progress)
        with _cancel_on_signal(words, progress) as cancel:
            plan = decide(prepared, scenario, progress, cancel)
            began = time.monotonic()
            simulated = simulated_plan(
                run,
                plan,
                prepared,
                question,
                lambda share: progress("simulation", time.monotonic() - began),
                cancel,
            )
    finally:
        progress.clear()
    if not len(simulated.calls):
        _say(words("simulation.nothing_counted"))
        return NO_PLAN
    with _writing(out):
        manifest = write_simulation(simulated, question, scenario, prepared, out, words)
    _say(*told(simulated, question, scenario, prepared, manifest, out, words))
    stopped = simulated.stopped or any(proof.status in ("interim", "no_plan") for proof in plan.proofs.values())
    return INTERIM if stopped else 0


def _simulation():
    try:
        from planner.simulation import simulate as run
    except ModuleNotFoundError as missing:
        if missing.name != "simpy":
            raise
        raise SimulationWrong("no_simpy") from missing
    return run


def questioned(scenario, asked):
    """Return the :class:`planner.report.simulation_report.Asked` of a scenario; --days and --seed come before it."""
    from planner.report.simulation_report import Asked
    from planner.simulation import Calls, Service, Speeds

    days = _whole(asked.days, 1, LONGEST_DAYS, "wrong_days", scenario.sim_days)
    seed = _whole(asked.seed, 0, LARGEST_SEED, "wrong_seed", scenario.sim_seed)
    return Asked(
        days=float(days),
        warm_up=WARM_UP_DAYS,
        seed=int(seed),
        calls=Calls(per_1000=float(scenario.sim_calls_per_1000)),
        service=Service(
            turnout_seconds=float(scenario.sim_turnout_seconds),
            scene_minutes=float(scenario.sim_scene_minutes),
            hospital_minutes=float(scenario.sim_hospital_minutes),
        ),
        speeds=Speeds(float(scenario.sim_urban_km_h), float(scenario.sim_rural_km_h)),
        minutes=(float(scenario.urban_minutes), float(scenario.rural_minutes)),
    )


def _whole(text, least, most, key, otherwise):
    if text is None:
        return otherwise
    text = str(text)
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
        raise SimulationWrong(key, value=text, least=f"{least:,}", most=f"{most:,}")
    return int(text)


def simulated_plan(run, plan, prepared, question, progress=None, cancel=None):
    """Return the :class:`planner.simulation.Simulated` of a decided plan."""
    from planner.services.station_problem import limits_of

    scenario, demand = plan.scenario, prepared.demand
    stations = plan.tables["stations"].set_index("id")
    x, y = project(prepared.region.projection, stations["lon"].to_numpy(), stations["lat"].to_numpy())
    ways = prepared.ways(scenario)
    standard, _ = limits_of(scenario, demand, ways)
    return run(
        stations.assign(x=x, y=y),
        demand,
        ways,
        standard,
        calls=question.calls,
        service=question.service,
        speeds=question.speeds,
        minutes=question.minutes,
        days=question.days,
        warm_up=question.warm_up,
        seed=question.seed,
        progress=progress,
        cancel=cancel,
    )


def told(simulated, question, scenario, prepared, manifest, out, words):
    """Return what a planner reads: sentences, cities, urban and rural people, what is assumed, the files."""
    from planner.report.simulation_report import (
        CHART,
        assumption_lines,
        city_lines,
        setting_lines,
        simulation_tables,
    )
    from planner.scenario import printable

    tables = simulation_tables(simulated, prepared.region)
    lines = [words("cli.check_title", name=scenario.name, title=printable(scenario.title)), ""]
    if simulated.stopped:
        lines += [words("simulation.stopped", days=f"{simulated.days:.1f}"), ""]
    lines += [*manifest["said"], "", *city_lines(tables, prepared.region, words), words("simulation.city_note"), ""]
    lines += [*setting_lines(tables, words), words("simulation.setting_note"), "", words("simulation.assumed")]
    lines += ["  · " + line for line in assumption_lines(question, prepared.ways(scenario), words)]
    shown = printable(str(out))
    files = [f"{shown}/{CHART}", f"{shown}{os.sep}tables{os.sep}", f"{shown}/manifest.json"]
    said = [words(f"simulation.file_{name}") for name in ("chart", "tables", "manifest")]
    lines += ["", words("cli.written", out=shown)]
    return lines + [f"  {file}  {what}" for file, what in zip(files, said, strict=True)]
