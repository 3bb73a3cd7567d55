"""The simulation: against queueing formulas, against MEXCLP where it is exact, against a second one, and on paper."""

import json
import math
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("simpy", reason="simpy, which simulations need, is not installed")

from geo.demand import build_demand
from geo.region import load_region
from geo.ways import Ways, straight
from geo.words import load_words
from planner import simulate_cli, simulation
from planner.report.folder import OutRefused
from planner.report.simulation_report import (
    SIMULATED,
    Asked,
    assumption_lines,
    city_lines,
    simulation_sentences,
    simulation_tables,
    write_simulation,
)
from planner.report.tables import published
from planner.services.ambulances import expected
from planner.simulation import (
    EVERY_HOUR_ALIKE,
    Calls,
    Service,
    Speeds,
    batch_means,
    erlang_c,
    share_of,
    simulate,
    travel_seconds,
)
from planner.standards import load_standards
from tests import town

DAY = 86_400


def people(*rows):
    frame = pd.DataFrame(rows, columns=["id", "city_code", "county_code", "setting", "persons", "x"])
    return frame.set_index("id").assign(y=0)


def fleet(*rows):
    frame = pd.DataFrame(rows, columns=["id", "city_code", "county_code", "ambulances", "x"]).set_index("id")
    return frame.assign(y=0, name=frame.index)


def queue(servers, offered, *, service, days, seed):
    """One station among its people: M/G/c with ``offered`` calls in a mean service time, nothing to drive."""
    per_day = offered * 1440 / service.scene_minutes
    demand = people(("p", "1", "11", "urban", 1_000_000, 0))
    stations = fleet(("s", "1", "11", servers, 0))
    calls = Calls(per_day * 365 / 1000, EVERY_HOUR_ALIKE)
    return simulate(
        *(stations, demand, straight(), np.array([5_000])),
        calls=calls,
        service=service,
        days=days,
        warm_up=2.0,
        seed=seed,
    )


def only(scene, spread="exponential", variation=0.5):
    return Service(0, scene, 0, spread, variation)


# -- queueing theory


def test_erlang_c_on_paper():
    """One server: the load itself. Two at load 1: 1/3. Three at load 2: 4/9. Two at load 1.5: 9/14."""
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    assert erlang_c(1, 2) == pytest.approx(1 / 3)
    assert erlang_c(2, 3) == pytest.approx(4 / 9)
    assert erlang_c(1.5, 2) == pytest.approx(9 / 14)
    assert erlang_c(0, 5) == 0
    with pytest.raises(ValueError, match="offered load"):
        erlang_c(2, 2)


@pytest.mark.parametrize("servers, offered", [(1, 0.3), (3, 2.2), (10, 7.5), (60, 50)])
def test_erlang_c_by_its_sum(servers, offered):
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    assert erlang_c(offered, servers) == pytest.approx(last / (sum(terms) + last))


@pytest.mark.parametrize("servers, offered, days", [(1, 0.5, 60), (2, 1.2, 30), (4, 3.0, 20)])
def test_waits_are_those_of_erlang_c(servers, offered, days):
    """M/M/c: of 20 runs nearly all hold P(wait) and the mean wait C s / (c - a) within their 95 % intervals."""
    waits, means, held, runs = erlang_c(offered, servers), [], [0, 0], 20
    mean_wait = waits * 20 * 60 / (servers - offered)
    for seed in range(runs):
        told = queue(servers, offered, service=only(20), days=days, seed=seed).calls
        for n, (truth, values) in enumerate(((waits, told["wait"].gt(0)), (mean_wait, told["wait"]))):
            _, low, high = batch_means(values)
            held[n] += low <= truth <= high
        means.append(told["wait"].mean())
    assert min(held) >= 15  # 19 are expected
    assert np.mean(means) == pytest.approx(mean_wait, abs=3 * np.std(means, ddof=1) / math.sqrt(runs))


@pytest.mark.parametrize(
    "spread, variation, squared", [("fixed", 0.5, 0.0), ("lognormal", 0.5, 0.25), ("lognormal", 1.5, 2.25)]
)
def test_waits_are_those_of_pollaczek_and_khinchine(spread, variation, squared):
    """M/G/1: the mean wait is a s (1 + cv2) / (2 (1 - a)) whatever the shape of the service time."""
    offered, runs = 0.6, 20
    truth = offered * 20 * 60 * (1 + squared) / (2 * (1 - offered))
    means = [
        queue(1, offered, service=only(20, spread, variation), days=60, seed=seed).calls["wait"].mean()
        for seed in range(runs)
    ]
    assert np.mean(means) == pytest.approx(truth, abs=3 * np.std(means, ddof=1) / math.sqrt(runs))
    assert np.mean(means) == pytest.approx(truth, rel=0.1)


def test_vehicles_are_busy_as_little_says():
    """Busy share = calls a day x mean service / vehicles."""
    ran = queue(4, 2.0, service=only(30), days=300, seed=5)
    assert ran.tables["simulated_stations"]["busy_share"].item() == pytest.approx(0.5, rel=0.03)
    assert ran.figures["busy"] == pytest.approx(ran.tables["simulated_stations"]["busy_share"].item())


# -- intervals


def test_batch_means_by_hand():
    """Two batches of means 1 and 3: half-width t(0.975, 1) x sqrt(2) / sqrt(2) = 12.706."""
    middle, low, high = batch_means([9, 0, 2, 4, 2], batches=2)  # the first value fills no batch
    assert middle == pytest.approx(3.4)
    assert (high - low) / 2 == pytest.approx(12.7062, abs=1e-4)
    assert math.isnan(batch_means([1, 2, 3], batches=2)[1])
    assert all(math.isnan(each) for each in batch_means([]))


def test_intervals_hold_the_truth_as_often_as_they_say():
    chance = np.random.default_rng(4)
    held = sum(low <= 0.9 <= high for _, low, high in (share_of(chance.random(2_000) < 0.9) for _ in range(400)))
    assert 366 <= held <= 394  # 380 +- 3 standard deviations


def test_shares_that_are_all_or_nothing_have_an_exact_limit():
    """100 of 100: 0.025 ** (1 / 100)."""
    assert share_of([True] * 100) == pytest.approx((1.0, 0.963783, 1.0), abs=1e-6)
    assert share_of([False] * 100) == pytest.approx((0.0, 0.0, 0.036217), abs=1e-6)


# -- a city


def city(number, pools=1):
    """A city or several by chance: (stations, demand, standard)."""
    chance = np.random.default_rng(number)
    demand, stations = [], []
    for pool in range(pools):
        for n in range(30):
            setting = ("urban", "rural")[n % 2]
            county = f"{pool + 1}{n % 3}"
            demand.append((f"p{pool}{n:02d}", str(pool + 1), county, setting, int(chance.integers(1, 4_000)), 0))
        for n in range(4):
            stations.append((f"s{pool}{n}", str(pool + 1), f"{pool + 1}0", int(chance.integers(1, 4)), 0))
    demand, stations = people(*demand), fleet(*stations)
    for frame in (demand, stations):
        frame["x"], frame["y"] = chance.integers(0, 25_000, (2, len(frame)))
    return stations, demand, np.where(demand["setting"].eq("urban"), 5_000, 12_000)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("busy", [0.0, 0.3, 0.7])
def test_independent_vehicles_cover_what_mexclp_expects(number, busy):
    stations, demand, standard = city(number, pools=2)
    ran = simulate(stations, demand, straight(), standard, calls=Calls(2_000), days=20, seed=number, busy=busy)
    metres = np.hypot(*(demand[c].to_numpy()[:, None] - stations[c].to_numpy() for c in ("x", "y")))
    own = demand["city_code"].to_numpy()[:, None] == stations["city_code"].to_numpy()
    cover = (np.ceil(metres - 1e-6) <= standard[:, None]) & own
    by = ran.tables["response_by_setting"].set_index("setting")
    for setting in ("urban", "rural", "all"):
        rows = np.ones(len(demand), bool) if setting == "all" else demand["setting"].eq(setting).to_numpy()
        persons = demand["persons"].to_numpy() * rows
        truth = expected(cover.astype(int), persons, stations["ambulances"], busy) / persons.sum()
        half = (by.at[setting, "covered_high"] - by.at[setting, "covered_low"]) / 2
        assert by.at[setting, "expected_share"] == pytest.approx(truth)
        assert by.at[setting, "covered_share"] == pytest.approx(truth, abs=1.6 * half)  # 3 standard errors


def replayed(told, stations, demand, care, service, speeds):
    """The same calls once more, city by city, without events: a second simulation, for fixed service times."""
    found = {}
    for code, calls in told.groupby("pool"):
        at = stations[stations["city_code"].eq(code)].sort_index()
        free_at = [(id, 0.0) for id, count in at["ambulances"].items() for _ in range(count)]
        for n, call in calls.sort_values("arrival").iterrows():
            here = demand.loc[call["demand"]]
            km_h = speeds.urban if here["setting"] == "urban" else speeds.rural
            drive = {}
            for id, station in at.iterrows():
                metres = math.ceil(math.hypot(here["x"] - station["x"], here["y"] - station["y"]) - 1e-6)
                drive[id] = math.ceil(metres * 3.6 / km_h - 1e-9)
            now = call["arrival"]
            idle = [k for k, (_, when) in enumerate(free_at) if when <= now]
            if idle:
                k = min(idle, key=lambda k: (drive[free_at[k][0]], free_at[k][0]))
            else:  # first come, first served: the next to be free takes the first who waits
                k = min(range(len(free_at)), key=lambda k: free_at[k][1])
                now = free_at[k][1]
            id = free_at[k][0]
            free_at[k] = (id, now + service.turnout_seconds + 2 * drive[id] + care)
            found[n] = (id, now - call["arrival"], now - call["arrival"] + service.turnout_seconds + drive[id])
    return pd.DataFrame.from_dict(found, orient="index", columns=["station", "wait", "response"]).sort_index()


@pytest.mark.parametrize("number", range(3))
def test_a_second_simulation_sends_the_same_vehicles(number):
    stations, demand, standard = city(number, pools=2)
    service, speeds = Service(90, 15, 20, "fixed"), Speeds(25.0, 45.0)
    ran = simulate(
        *(stations, demand, straight(), standard),
        calls=Calls(900),
        service=service,
        speeds=speeds,
        days=10,
        warm_up=0,
        seed=number,
    )
    assert ran.figures["queued"] > 20  # else the queue was not tried
    other = replayed(ran.calls, stations, demand, 35 * 60, service, speeds)
    assert ran.calls["station"].tolist() == other["station"].tolist()
    np.testing.assert_allclose(ran.calls["wait"], other["wait"], atol=1e-3)
    np.testing.assert_allclose(ran.calls["response"], other["response"], atol=1e-3)


def on_paper(monkeypatch, when, *, stations, demand, **asked):
    """Run with calls at the seconds ``when``, all at the first demand point that has people, care 35 minutes."""
    monkeypatch.setattr(simulation, "_arrivals", lambda *_: np.array(when, dtype=float))
    asked = {"service": Service(120, 15, 20, "fixed"), "days": 1, "warm_up": 0} | asked
    return simulate(stations, demand, straight(), np.full(len(demand), 5_000), **asked)


def test_one_vehicle_on_paper(monkeypatch):
    """5 km at 30 km/h are 600 s, and a call keeps the vehicle for 120 + 600 + 2,100 + 600 = 3,420 s.

    Calls at 0, 1,000 and 2,000 s wait 0, 2,420 and 4,840 s.
    """
    demand = people(("p", "1", "11", "urban", 100, 5_000))
    ran = on_paper(monkeypatch, [0, 1_000, 2_000], stations=fleet(("s", "1", "11", 1, 0)), demand=demand)
    assert ran.calls["wait"].tolist() == [0, 2_420, 4_840]
    assert ran.calls["response"].tolist() == [720, 3_140, 5_560]
    assert ran.calls["covered"].tolist() == [True, False, False]
    assert ran.figures == pytest.approx(
        {"calls": 3, "queued": 2, "longest_wait": 4_840 / 60, "unserved": 0, "busy": 3 * 3_420 / DAY}
    )


def test_the_nearest_free_vehicle_on_paper(monkeypatch):
    """a is 1 km away, b and c 3 km: the first call takes a, the next b, of equals the smaller id, then c."""
    demand = people(("p", "1", "11", "urban", 100, 3_000))
    stations = fleet(("c", "1", "11", 1, 6_000), ("b", "1", "11", 1, 0), ("a", "1", "11", 1, 2_000))
    ran = on_paper(monkeypatch, [0, 1, 2, 3], stations=stations, demand=demand)
    assert ran.calls["station"].tolist() == ["a", "b", "c", "a"]
    assert ran.calls["response"].tolist() == [240, 480, 480, 120 + 240 + 2_100 - 3 + 240]


def test_a_far_vehicle_comes_and_does_not_cover(monkeypatch):
    demand = people(("p", "1", "11", "urban", 100, 8_000))
    ran = on_paper(monkeypatch, [0], stations=fleet(("s", "1", "11", 1, 0)), demand=demand, minutes=(20.0, 30.0))
    assert ran.calls["covered"].tolist() == [False] and ran.calls["in_time"].tolist() == [True]


def test_nobody_comes_from_another_city(monkeypatch):
    demand = people(("p", "1", "11", "urban", 100, 0))
    stations = fleet(("s", "2", "21", 1, 0))
    ran = on_paper(monkeypatch, [0, 5], stations=stations, demand=demand)
    assert ran.figures["unserved"] == 2 and ran.calls["station"].tolist() == ["", ""]
    assert not ran.calls["covered"].any() and ran.calls["response"].isna().all()
    every = on_paper(monkeypatch, [0, 5], stations=stations, demand=demand, pooled="all")
    assert every.figures["unserved"] == 0 and every.calls["station"].tolist() == ["s", "s"]


def test_warm_up_is_not_counted(monkeypatch):
    demand = people(("p", "1", "11", "urban", 100, 0))
    ran = on_paper(monkeypatch, [10, DAY + 10], stations=fleet(("s", "1", "11", 1, 0)), demand=demand, warm_up=1)
    assert ran.calls["arrival"].tolist() == [DAY + 10] and ran.days == 1


def test_seconds_are_rounded_up_and_follow_the_setting():
    demand = people(("u", "1", "11", "urban", 1, 0), ("r", "1", "11", "rural", 1, 0))
    assert travel_seconds(np.array([1_000, 1_000]), demand, straight(), Speeds(30, 40)).tolist() == [120, 90]
    assert travel_seconds(np.array([1, 0]), demand, straight(), Speeds(30, 40)).tolist() == [1, 0]
    assert travel_seconds(np.array([77, 5]), demand, Ways("minutes"), Speeds()).tolist() == [77, 5]


# -- chance


def test_one_seed_one_result_whatever_the_order_of_rows():
    stations, demand, standard = city(1, pools=2)
    once = simulate(stations, demand, straight(), standard, calls=Calls(500), days=5, seed=9)
    again = simulate(
        stations.iloc[::-1], demand.iloc[::-1], straight(), standard[::-1], calls=Calls(500), days=5, seed=9
    )
    pd.testing.assert_frame_equal(once.calls, again.calls)
    for name, table in once.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    other = simulate(stations, demand, straight(), standard, calls=Calls(500), days=5, seed=10)
    assert not once.calls["arrival"].equals(other.calls["arrival"])


def test_two_fleets_of_one_seed_meet_the_same_calls():
    stations, demand, standard = city(2)
    one, more = (
        simulate(stations.assign(ambulances=count), demand, straight(), standard, calls=Calls(900), days=5, seed=3)
        for count in (1, 3)
    )
    assert one.calls[["demand", "arrival"]].equals(more.calls[["demand", "arrival"]])
    assert more.calls["response"].mean() < one.calls["response"].mean()
    assert more.figures["busy"] < one.figures["busy"]


def test_a_city_does_not_depend_on_its_neighbours():
    stations, demand, standard = city(4, pools=2)
    both = simulate(stations, demand, straight(), standard, calls=Calls(500), days=5, seed=3).calls
    mine = demand["city_code"].eq("2").to_numpy()
    alone = simulate(stations, demand[mine], straight(), standard[mine], calls=Calls(500), days=5, seed=3).calls
    pd.testing.assert_frame_equal(both[both["pool"].eq("2")].reset_index(drop=True), alone)


def test_calls_follow_people_and_hours():
    at = ("1", "11", "urban")
    demand = people(("a", *at, 3, 0), ("b", *at, 0, 0), ("c", *at, 1, 0))
    stations = fleet(("s", "1", "11", 1, 0))
    told = simulate(
        *(stations, demand, straight(), np.full(3, 5_000)), calls=Calls(36_500_000), days=50, seed=1, busy=0.5
    ).calls
    assert len(told) == pytest.approx(400 * 50, abs=3 * math.sqrt(400 * 50))
    assert told["demand"].eq("a").mean() == pytest.approx(0.75, abs=0.01)
    assert not told["demand"].eq("b").any()
    hour = told["arrival"] % DAY // 3_600
    by_day = hour.between(7, 21)
    assert by_day.mean() == pytest.approx(30 / 39, abs=0.01)  # 15 hours of 2 and 9 of 1


def test_few_calls_have_no_interval():
    stations, demand, standard = city(5)
    ran = simulate(stations, demand, straight(), standard, calls=Calls(20), days=1, seed=1)
    row = ran.tables["response_by_setting"].set_index("setting").loc["all"]
    assert row["calls"] < 40 and math.isnan(row["covered_low"]) and not math.isnan(row["covered_share"])


def test_tables_count_every_call_once():
    stations, demand, standard = city(6, pools=3)
    ran = simulate(stations, demand, straight(), standard, calls=Calls(700), days=8, seed=2)
    count = len(ran.calls)
    for name in ("response_by_setting", "response_by_city", "response_by_county"):
        table = ran.tables[name]
        assert table.loc[table["setting"].eq("all"), "calls"].sum() == count
        assert table.loc[table["setting"].ne("all"), "calls"].sum() == count
    assert ran.tables["simulated_stations"]["calls"].sum() + ran.figures["unserved"] == count
    assert ran.tables["response_by_setting"].query("setting == 'all'")["queued"].item() == ran.figures["queued"]
    overall = ran.calls["response"].div(60)
    row = ran.tables["response_by_setting"].set_index("setting").loc["all"]
    assert row["mean_minutes"] == pytest.approx(overall.mean())
    assert row["p90_minutes"] == sorted(overall)[math.ceil(0.9 * count) - 1]


# -- a stop; what cannot be


def test_a_stop_counts_what_was_simulated():
    stations, demand, standard = city(7)
    stop = threading.Event()

    def progress(share):
        if share > 0.5:
            stop.set()

    ran = simulate(stations, demand, straight(), standard, calls=Calls(500), days=9, progress=progress, cancel=stop)
    assert ran.stopped and 3.5 <= ran.days <= 4.5 and ran.calls["arrival"].max() < 6 * DAY
    assert ran.calls["response"].notna().all()
    whole = simulate(stations, demand, straight(), standard, calls=Calls(500), days=9).calls
    upto = whole[whole["arrival"] < (ran.days + 1) * DAY].reset_index(drop=True)
    pd.testing.assert_frame_equal(ran.calls, upto)


def test_a_stop_before_anything_counts():
    stations, demand, standard = city(7)
    stop = threading.Event()
    stop.set()
    ran = simulate(stations, demand, straight(), standard, cancel=stop)
    assert ran.stopped and not len(ran.calls) and ran.days == 0


@pytest.mark.parametrize("wrong", [{"days": 0}, {"warm_up": -1}, {"pooled": "county"}])
def test_wrong_questions_are_refused(wrong):
    stations, demand, standard = city(1)
    with pytest.raises(ValueError, match="days"):
        simulate(stations, demand, straight(), standard, **wrong)


def test_wrong_rates_and_times_are_refused():
    with pytest.raises(ValueError, match="24 weights"):
        Calls(20, (1,) * 23)
    with pytest.raises(ValueError, match="24 weights"):
        Calls(0)
    with pytest.raises(ValueError, match="times >= 0"):
        Service(scene_minutes=-1)


# -- command and folder


@pytest.fixture(scope="module")
def decided(town_folder):
    """Scenario, prepared and plan of the drawn province with a station at every seat, as planner.study has them."""
    scenario, region = town.question(town_folder), load_region(town_folder)
    seats = region.counties
    stations = pd.DataFrame(
        {
            "id": "S" + seats.index,
            "name": seats["name"].to_numpy(),
            "county_code": seats.index,
            "city_code": seats["city_code"].to_numpy(),
            "lon": seats["seat_lon"].to_numpy(),
            "lat": seats["seat_lat"].to_numpy(),
            "ambulances": 1,
        }
    )
    prepared = SimpleNamespace(
        region=region,
        demand=build_demand(region),
        standards=load_standards(),
        ways=lambda scenario: straight(scenario.detour_factor),
    )
    return scenario, prepared, SimpleNamespace(scenario=scenario, tables={"stations": stations}, proofs={})


@pytest.fixture
def command(decided, monkeypatch, tmp_path):
    """Run ``jinyi simulate`` on the drawn province, already decided: returns (exit code, folder)."""
    scenario, prepared, plan = decided
    monkeypatch.setattr("planner.scenario.load_scenario", lambda name: scenario)
    monkeypatch.setattr("planner.study.prepare", lambda scenario, progress=None: prepared)
    monkeypatch.setattr("planner.study.decide", lambda *asked: plan)

    def run(lang="zh", out="out", days="20", seed=None):
        asked = SimpleNamespace(scenario="town", days=days, seed=seed, out=str(tmp_path / out))
        return simulate_cli.simulate(asked, load_words(lang)), tmp_path / out

    return run


def test_the_command_writes_a_folder(command, capsys, decided):
    code, out = command()
    said = capsys.readouterr().out
    assert code == 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["simulation"]["days"] == 20 and manifest["simulation"]["seed"] == decided[0].sim_seed
    assert manifest["nature"]["simulation"] == "assumed"
    assert set(manifest["files"]) == {"response.png", *(f"tables/{name}.csv" for name in SIMULATED)}
    assert all(line in said for line in manifest["said"])
    assert "东市" in said and "设定值ᵃ" in said and "95% 置信区间" in said
    table = pd.read_csv(out / "tables" / "response_by_city.csv", dtype={"code": str}, encoding="utf-8-sig")
    assert table["code"].unique().tolist() == ["140100", "140200"]
    assert table.loc[table["setting"].eq("all"), "calls"].sum() == manifest["figures"]["calls"]


def test_the_same_command_gives_the_same_bytes(command):
    _, one = command(out="one")
    _, two = command(out="two")
    for file in sorted(path for path in one.rglob("*") if path.is_file()):
        assert file.read_bytes() == (two / file.relative_to(one)).read_bytes(), file.name


def test_a_simulation_replaces_a_simulation_and_no_plan(command, tmp_path):
    command()
    code, out = command(days="3")
    assert code == 0 and json.loads((out / "manifest.json").read_text("utf-8"))["simulation"]["days"] == 3
    plan = tmp_path / "plan"
    plan.mkdir()
    (plan / "manifest.json").write_text('{"jinyi": "1", "files": {}}', encoding="utf-8")
    with pytest.raises(Exception) as refused:
        command(out="plan")
    assert refused.value.exit_code == 8
    assert "--out" in refused.value.tell(load_words("zh")) and "--out" in refused.value.tell(load_words("en"))
    assert isinstance(refused.value.error, OutRefused)


@pytest.mark.parametrize("wrong", [{"days": "0"}, {"days": "3.5"}, {"days": "999"}, {"seed": "-1"}, {"seed": "x"}])
def test_wrong_options_are_told(command, wrong):
    with pytest.raises(simulate_cli.SimulationWrong) as refused:
        command(**wrong)
    assert refused.value.exit_code == 2
    for lang in ("zh", "en"):
        said = refused.value.tell(load_words(lang))
        assert next(iter(wrong.values())) in said and f"--{next(iter(wrong))}" in said


def test_without_simpy_it_is_told_what_to_install(command, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "simpy", None)
    monkeypatch.delitem(__import__("sys").modules, "planner.simulation")
    with pytest.raises(simulate_cli.SimulationWrong) as refused:
        command()
    assert 'pip install "jinyi[simulation]"' in refused.value.tell(load_words("zh"))


def question(**changes):
    given = {
        "days": 5.0,
        "warm_up": 1.0,
        "seed": 1,
        "calls": Calls(),
        "service": Service(),
        "speeds": Speeds(),
        "minutes": (10.0, 30.0),
    }
    return Asked(**(given | changes))


def named(demand):
    cities = pd.DataFrame({"name": "甲市", "name_en": "Jia"}, index=sorted(demand["city_code"].unique()))
    counties = demand.drop_duplicates("county_code").set_index("county_code")[["city_code"]].sort_index()
    counties = counties.assign(name=counties.index, name_en=counties.index)
    return SimpleNamespace(cities=cities, counties=counties, province=pd.DataFrame({"name": ["省"]}, index=["0"]))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sentences_and_tables_of_a_crowded_city(lang):
    """Waiting calls, calls nobody can come to: each has its sentence."""
    stations, demand, standard = city(8, pools=2)
    stations = stations[stations["city_code"].eq("1")].assign(ambulances=1)
    ran = simulate(stations, demand, straight(), standard, calls=Calls(900), days=5)
    words, region = load_words(lang), named(demand)
    tables = simulation_tables(ran, region)
    assert set(tables) == set(SIMULATED)
    said = "\n".join(simulation_sentences(ran, question(), tables, words))
    assert f"{ran.figures['queued']:,}" in said and f"{ran.figures['unserved']:,}" in said
    assert len(city_lines(tables, region, words)) == 2 + 2 + 2
    roads = assumption_lines(question(), Ways("minutes"), words)
    assert words("simulation.assumed_minutes") in roads
    curve = tables["response_curve"]
    assert curve.groupby("setting")["share_answered"].apply(lambda s: s.is_monotonic_increasing).all()
    assert curve["share_answered"].between(0, 100).all()


def test_a_table_with_another_column_is_refused():
    with pytest.raises(ValueError, match="columns differ"):
        published({"response_curve": pd.DataFrame({"minutes": [1]})}, SIMULATED)


def test_a_title_with_signs_the_type_lacks_is_drawn(tmp_path, decided):
    stations, demand, standard = city(3)
    ran = simulate(stations, demand, straight(), standard, calls=Calls(100), days=2)
    scenario, prepared, _ = decided
    odd = replace(scenario, title="𓀀 $x$ 甲")
    region = SimpleNamespace(**vars(named(demand)), digest={})
    known = SimpleNamespace(region=region, standards=prepared.standards)
    write_simulation(ran, question(), odd, known, tmp_path / "out", load_words("zh"))
    assert (tmp_path / "out" / "response.png").stat().st_size > 10_000


def test_words_of_the_section_are_the_same_in_both_languages():
    zh, en = (load_words(lang).section("simulation") for lang in ("zh", "en"))
    assert set(zh) == set(en)
    for key in zh:
        assert sorted(part.split("}")[0] for part in zh[key].split("{")[1:]) == sorted(
            part.split("}")[0] for part in en[key].split("{")[1:]
        ), key
