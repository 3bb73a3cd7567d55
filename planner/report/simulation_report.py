"""The folder of a simulation: tables, the chart of response times and a manifest; and its result in sentences."""

import importlib.metadata
import json
import math
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geo import theme
from planner.console import table_lines
from planner.report.charts import draw_chart, frame, write
from planner.report.columns import Table
from planner.report.folder import OutRefused, check_out, replaced
from planner.report.manifest import MANIFEST, PACKAGES, digests_of, inputs_of, write_manifest
from planner.report.names import place_names
from planner.report.tables import published, rounded, write_csv
from planner.simulation import ALL, SETTINGS

CURVE_MINUTES = 60  # how far the chart and its table go
CHART = "response.png"
SHARES = ("covered_share", "covered_low", "covered_high", "expected_share")
SHARES += ("in_time_share", "in_time_low", "in_time_high", "busy_share", "share_answered")
TIMES = ("mean_minutes", "mean_low", "mean_high", "median_minutes", "p90_minutes")
RESPONSE = (
    "calls mean_minutes mean_low mean_high median_minutes p90_minutes covered_share covered_low covered_high"
    " expected_share in_time_share in_time_low in_time_high queued unserved"
)


@dataclass(frozen=True)
class SimulatedTable(Table):
    """A table of a simulation: shares are per cent, they and times have two decimals."""

    def kind(self, column):
        """Return how ``column`` is printed."""
        if column in SHARES or column in TIMES:
            return "density"
        return "whole" if column == "minutes" else super().kind(column)


def _table(columns):
    names = tuple(columns.split())
    counted = ("code", "name", "city_code", "county_code", "setting", "id", "vehicles", "ambulances", "minutes")
    natures = {name: "modelled" for name in names if name not in counted}
    return SimulatedTable(names, natures, frozenset(), "", False, "")


SIMULATED = {
    "response_by_setting": _table(f"setting {RESPONSE}"),
    "response_by_city": _table(f"code name vehicles busy_share setting {RESPONSE}"),
    "response_by_county": _table(f"code name city_code setting {RESPONSE}"),
    "response_curve": _table("setting minutes share_answered"),
    "simulated_stations": _table("id name city_code county_code ambulances calls busy_share"),
}


@dataclass(frozen=True)
class Asked:
    """What a simulation was asked: its settings as planner.simulation takes them, all assumed but the seed."""

    days: float
    warm_up: float
    seed: int
    calls: object
    service: object
    speeds: object
    minutes: tuple

    def as_dict(self):
        """Return plain JSON values."""
        return json.loads(json.dumps(asdict(self)))


class NotASimulation(OutRefused):
    """``out`` holds a plan or a comparison, which a simulation does not replace. Command line exit code 8."""

    def __init__(self, out):
        super().__init__("out_is_a_plan", out)

    def tell(self, words):
        """Return what is in the way and what to do, in the language of ``words``."""
        return words("simulation.out_is_a_plan", out=self.out)


def check_simulation_out(out):
    """Raise :class:`planner.report.OutRefused` when ``out`` may not be replaced by a simulation; a plan never is."""
    check_out(out)
    try:
        manifest = json.loads((Path(out) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if "simulation" not in manifest:
        raise NotASimulation(Path(out).resolve())


def simulation_tables(simulated, region):
    """Return {name: DataFrame} of ``SIMULATED`` in published form: names added, figures rounded once."""
    tables = dict(simulated.tables)
    stations = tables["simulated_stations"]
    fleet = stations.groupby("city_code")["ambulances"].sum()
    busy = (stations["ambulances"] * stations["busy_share"]).groupby(stations["city_code"]).sum() / fleet
    cities = tables["response_by_city"].copy()
    cities["name"] = cities["code"].map(region.cities["name"])
    cities["vehicles"] = cities["code"].map(fleet).fillna(0).astype("int64")
    cities["busy_share"] = cities["code"].map(busy)
    counties = tables["response_by_county"].copy()
    counties["name"] = counties["code"].map(region.counties["name"])
    counties["city_code"] = counties["code"].map(region.counties["city_code"])
    order = {code: n for n, code in enumerate(region.cities.index)}
    cities = cities.sort_values("code", key=lambda codes: codes.map(order), kind="stable", ignore_index=True)
    tables |= {"response_by_city": cities, "response_by_county": counties, "response_curve": response_curve(simulated)}
    in_percent = {
        name: frame.assign(**{column: 100.0 * frame[column] for column in SHARES if column in frame})
        for name, frame in tables.items()
    }
    return published(in_percent, SIMULATED)[0]


def response_curve(simulated):
    """Return the share of calls answered within 0, 1, 2 ... minutes by setting; calls nobody answered count."""
    rows = []
    for setting in (*SETTINGS, ALL):
        some = simulated.calls if setting == ALL else simulated.calls[simulated.calls["setting"].eq(setting)]
        times = np.sort(some["response"].dropna().to_numpy())
        for minute in range(CURVE_MINUTES + 1 if len(some) else 0):
            upto = int(np.searchsorted(times, 60 * minute, side="right"))
            rows.append({"setting": setting, "minutes": minute, "share_answered": upto / len(some)})
    return pd.DataFrame(rows, columns=["setting", "minutes", "share_answered"])


def write_simulation(simulated, asked, scenario, prepared, out, words):
    """Write the folder ``out`` of a simulation, replacing an earlier one's in one step, and return its manifest.

    asked     :class:`Asked`;  scenario, prepared  of the plan that was simulated
    Raises OSError (:class:`planner.report.OutRefused` among them); the old folder is then as it was.
    """
    check_simulation_out(out)
    tables = simulation_tables(simulated, prepared.region)
    with replaced(out) as folder:
        (folder / "tables").mkdir()
        for name, frame in tables.items():
            write_csv(name, frame, folder / "tables" / f"{name}.csv", SIMULATED)
        draw_responses(tables["response_curve"], simulated, asked, scenario, folder / CHART, words)
        plain_scenario = scenario.as_dict()
        manifest = {
            "jinyi": importlib.metadata.version("jinyi"),
            "language": words.lang,
            "simulation": asked.as_dict() | {"counted_days": simulated.days, "stopped": simulated.stopped},
            "nature": {"simulation": "assumed", "figures": "modelled", "tables": "modelled"},
            "scenario": plain_scenario,
            "inputs": inputs_of(prepared.region, prepared.standards, scenario),
            "packages": {"python": platform.python_version(), "simpy": importlib.metadata.version("simpy")}
            | {name: importlib.metadata.version(name) for name in PACKAGES},
            "figures": {name: float(value) for name, value in simulated.figures.items()},
            "said": simulation_sentences(simulated, asked, tables, words),
            "files": digests_of(folder),
        }
        write_manifest(manifest, folder / MANIFEST)
    return manifest


# -- said


def simulation_sentences(simulated, asked, tables, words):
    """Return what came out in sentences that a planner can copy into a report."""
    figures = simulated.figures
    by = tables["response_by_setting"].set_index("setting")
    said = [
        words(
            "simulation.say_calls",
            days=f"{simulated.days:g}",
            warm_up=f"{asked.warm_up:g}",
            calls=f"{figures['calls']:,}",
            busy=_percent(100 * figures["busy"], words),
        )
    ]
    for setting, minutes in zip(SETTINGS, asked.minutes, strict=True):
        row = by.loc[setting]
        if not row["calls"]:
            continue
        said.append(
            words(
                "simulation.say_response",
                setting=words(f"value.setting.{setting}"),
                **{name: _minutes(row[f"{name}_minutes"], words) for name in ("mean", "median", "p90")},
                limit=f"{minutes:g}",
                in_time=_percent(row["in_time_share"], words),
            )
        )
        said.append(
            words(
                "simulation.say_covered",
                setting=words(f"value.setting.{setting}"),
                covered=_interval(row, "covered", words),
                expected=_percent(row["expected_share"], words),
            )
        )
    key = "say_queued" if figures["queued"] else "say_no_queue"
    said.append(words(f"simulation.{key}", queued=f"{figures['queued']:,}", longest=f"{figures['longest_wait']:.1f}"))
    if figures["unserved"]:
        said.append(words("simulation.say_unserved", unserved=f"{figures['unserved']:,}"))
    return said


def assumption_lines(asked, ways, words):
    """Return the settings on which a simulation rests, as sentences."""
    service = asked.service
    lines = [
        words(
            "simulation.assumed_calls",
            rate=f"{asked.calls.per_1000:g}",
            hours=words("simulation.hours_flat" if len(set(asked.calls.hours)) == 1 else "simulation.hours_by_day"),
        ),
        words(
            "simulation.assumed_service",
            turnout=f"{service.turnout_seconds:g}",
            scene=f"{service.scene_minutes:g}",
            hospital=f"{service.hospital_minutes:g}",
        ),
        words("simulation.assumed_dispatch"),
    ]
    if ways.unit == "metres":
        speeds = {"urban": f"{asked.speeds.urban:g}", "rural": f"{asked.speeds.rural:g}"}
        factor = f"{ways.detour_factor:g}"
        detour = words("simulation.by_straight" if factor == "1" else "simulation.by_detour", factor=factor)
        lines.append(words("simulation.assumed_speeds", **speeds, detour=detour))
    else:
        lines.append(words("simulation.assumed_minutes"))
    return [*lines, words("simulation.assumed_seed", seed=asked.seed)]


def city_lines(tables, region, words):
    """Return the cities one by one as the lines of a terminal's table, the province last."""
    names = place_names(region, words)
    by = tables["response_by_city"]
    rows = []
    for code in dict.fromkeys(by["code"]):
        of = by[by["code"].eq(code)].set_index("setting")
        every = of.loc[ALL]
        rows.append([names[code], f"{every['vehicles']:,}", _percent(every["busy_share"], words), *_cells(of, words)])
    stations = tables["simulated_stations"]
    fleet = int(stations["ambulances"].sum())
    busy = float((stations["ambulances"] * stations["busy_share"]).sum()) / fleet if fleet else float("nan")
    total = [words("cli.total"), f"{fleet:,}", _percent(busy, words)]
    rows.append(total + _cells(tables["response_by_setting"].set_index("setting"), words))
    heads = ("city", "vehicles", "busy", "calls", "urban", "urban_covered", "rural", "rural_covered", "expected")
    return table_lines([words(f"simulation.head_{head}") for head in heads], rows, "lrrrrrrrr", total=True)


def _cells(of, words):
    """Return calls, then median / p90 and the share covered of urban and rural people, and what MEXCLP expects."""
    cells = [f"{int(of.at[ALL, 'calls']):,}"]
    for setting in SETTINGS:
        row = of.loc[setting]
        cells.append(f"{_minutes(row['median_minutes'], words)} / {_minutes(row['p90_minutes'], words)}")
        cells.append(_percent(row["covered_share"], words))
    return [*cells, f"{_percent(of.at[ALL, 'covered_share'], words)} / {_percent(of.at[ALL, 'expected_share'], words)}"]


def setting_lines(tables, words):
    """Return the response times of urban and rural people, their intervals beside them."""
    rows = []
    for row in tables["response_by_setting"].to_dict("records"):
        rows.append(
            [
                words(f"simulation.setting_{row['setting']}"),
                f"{row['calls']:,}",
                _within(row["mean_minutes"], row["mean_low"], row["mean_high"], _minutes, words),
                _minutes(row["median_minutes"], words),
                _minutes(row["p90_minutes"], words),
                _interval(row, "covered", words),
                _percent(row["expected_share"], words),
                _interval(row, "in_time", words),
            ]
        )
    heads = ("setting", "calls", "mean", "median", "p90", "covered", "analytic", "in_time")
    return table_lines([words(f"simulation.head_{head}") for head in heads], rows, "lrrrrrrr")


def _interval(row, name, words):
    return _within(row[f"{name}_share"], row[f"{name}_low"], row[f"{name}_high"], _percent, words)


def _within(middle, low, high, said, words):
    if low != low:
        return said(middle, words)
    return words("simulation.interval", middle=said(middle, words), low=said(low, words), high=said(high, words))


def _minutes(value, words):
    return words("report.absent") if value != value else f"{rounded(value, 1)}"


def _percent(value, words):
    """Return per cent with one decimal; 100.0% only where nothing lacks, 0.0% only where there is nothing."""
    if value != value:
        return words("report.absent")
    tenths = math.floor(10 * float(value) + 0.5)
    tenths = min(max(tenths, 1 if value > 0 else 0), 1000 if value >= 100 else 999)
    return f"{tenths // 10}.{tenths % 10}%"


# -- drawn


def draw_responses(curve, simulated, asked, scenario, path, words):
    """Draw the cumulative response times of urban and rural people as a PNG. The same figures give the same bytes."""

    def draw(axes):
        _lines_of_settings(axes, curve, asked, words)
        axes.set_xlim(0, CURVE_MINUTES)
        axes.set_ylim(0, 100)
        axes.set_xticks(range(0, CURVE_MINUTES + 1, 5))
        axes.set_yticks(range(0, 101, 10))
        frame(axes, words("simulation.chart_minutes"), words("simulation.chart_share"))

    about = {"days": f"{simulated.days:g}", "calls": f"{simulated.figures['calls']:,}", "seed": asked.seed}
    draw_chart(
        path,
        draw,
        title=words("simulation.chart_title", title=scenario.title or scenario.name),
        about=words("simulation.chart_about", **about),
        note=words("simulation.chart_note", rate=f"{asked.calls.per_1000:g}"),
    )


def _lines_of_settings(axes, curve, asked, words):
    looks = {"urban": (theme.ACCENT, "-"), "rural": (theme.INK, (0, (5, 1.5)))}
    for setting, minutes in zip(SETTINGS, asked.minutes, strict=True):
        some = curve[curve["setting"].eq(setting)]
        if some.empty:
            continue
        colour, dash = looks[setting]
        share = some["share_answered"].to_numpy()
        axes.plot(some["minutes"], share, color=colour, linestyle=dash, linewidth=2.2, zorder=3)
        at = int(np.searchsorted(share, 50.0)) if share[-1] >= 50 else len(share) - 1
        write(axes, at + 0.8, share[at] - 4, words(f"value.setting.{setting}"), 10, colour, bold=True, data=True)
        if minutes <= CURVE_MINUTES:
            axes.axvline(minutes, color=colour, linewidth=0.8, linestyle=(0, (1, 2)), zorder=2)
            write(axes, minutes + 0.4, 3, words("simulation.chart_limit", minutes=f"{minutes:g}"), 8, colour, data=True)
    axes.axhline(90, color=theme.LINE_CITY, linewidth=0.6, zorder=1)
