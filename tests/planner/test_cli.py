"""The command line: what it prints, refuses and returns; and one run of two cities from file to folder."""

import dataclasses
import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import planner.report
import planner.study
from geo.faults import Fault, Rejected
from geo.region import EMBEDDED
from geo.words import LANGUAGES, load_words
from planner import cli
from planner.console import Progress, padded, paired, table_lines, width
from planner.explain import Infeasible, county_without_station
from planner.report import OutRefused, VerificationFailed
from planner.scenario import load_scenario
from planner.solve import SolverFault
from planner.verify import Check

CITIES = ("140100", "140300")  # Taiyuan and Yangquan: fifteen counties, planned in moments
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture(scope="module")
def two_cities(tmp_path_factory):
    """A scenario file beside a region folder cut from the embedded one."""
    folder = tmp_path_factory.mktemp("two")
    region = folder / "region"
    region.mkdir()
    source = EMBEDDED / "shanxi"
    tables = {name: pd.read_csv(source / name, dtype=str, keep_default_na=False) for name in TABLES}
    tables["cities.csv"] = tables["cities.csv"].query("code in @CITIES")
    tables["counties.csv"] = tables["counties.csv"].query("city_code in @CITIES")
    counties = list(tables["counties.csv"]["code"])
    for name in ("settlements.csv", "townships.csv"):
        tables[name] = tables[name].query("county_code in @counties")
    for name, frame in tables.items():
        frame.to_csv(region / name, index=False)
    shutil.copy(source / "sources.csv", region)
    for layer, codes in (("county", counties), ("city", CITIES), ("province", ["140000"])):
        shapes = gpd.read_file(source / "boundaries.gpkg", layer=layer)
        shapes[shapes["code"].isin(codes)].to_file(region / "boundaries.gpkg", layer=layer)
    path = folder / "two.toml"
    path.write_text(
        'title = "两市"\nregion = "region"\n[beds.targets]\n140300 = 8.00\n[stations]\ncount = 30\n', "utf-8"
    )
    return path


TABLES = ("cities.csv", "counties.csv", "settlements.csv", "townships.csv")


@pytest.fixture(scope="module")
def decided(two_cities):
    scenario = load_scenario(two_cities)
    prepared = planner.study.prepare(scenario)
    return prepared, planner.study.decide(prepared, scenario)


@pytest.fixture(scope="module")
def finished(two_cities):
    """The one real run: (process, result folder)."""
    out = two_cities.parent / "out"
    command = [sys.executable, "-m", "planner", "run", str(two_cities), "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=plain_environment()), out


def plain_environment(**more):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JINYI_")}
    return kept | {"PYTHONPATH": str(Path(cli.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"} | more


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    monkeypatch.delenv("JINYI_LANG", raising=False)
    monkeypatch.delenv("JINYI_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def jinyi(capsys):
    """Run a command line; returns (exit code, what it said, what it warned)."""

    def ran(*argv):
        code = cli.main([str(word) for word in argv])
        said = capsys.readouterr()
        assert TRACEBACK not in said.out + said.err
        return code, said.out, said.err

    return ran


@pytest.fixture
def with_plan(monkeypatch, decided):
    """Let ``run`` use the plan already decided; ``replaced`` may put something else in a step's place."""

    def replaced(**steps):
        prepared, plan = decided
        manifest = {
            "verification": {"passed": True, "checks": [{}] * 3},
            "files": {"plan.xlsx": "", "tables/a.csv": ""},
        }
        monkeypatch.setattr(planner.study, "prepare", steps.get("prepare", lambda *_: prepared))
        monkeypatch.setattr(planner.study, "decide", steps.get("decide", lambda *_: plan))
        monkeypatch.setattr(planner.report, "write_outputs", steps.get("write_outputs", lambda *_: manifest))

    return replaced


def raising(error):
    def step(*_):
        raise error

    return step


# -- a run from file to folder ---------------------------------------------------------------------------------------


def test_a_run_prints_every_city_and_writes_the_folder(finished):
    process, out = finished
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    table = {}
    for line in lines:
        if line.startswith(("太原市", "阳泉市", "合计")):
            table.setdefault(line.split()[0], line)  # the table of cities stands before the others
    assert list(table) == ["太原市", "阳泉市", "合计"]
    beds = pd.read_csv(out / "tables" / "beds_by_city.csv", dtype={"code": str})
    fleet = pd.read_csv(out / "tables" / "ambulances_by_city.csv", dtype={"code": str})
    for name, row in beds.set_index("name").iterrows():
        for column in ("persons", "beds_now", "beds_plan"):
            assert f"{row[column]:,}" in table[name].split()
    for number in (beds["persons"].sum(), beds["beds_plan"].sum(), fleet["plan"].sum(), fleet["required"].sum()):
        assert f"{number:,}" in table["合计"].split()
    assert str(len(pd.read_csv(out / "tables" / "stations.csv"))) in table["合计"].split()
    persons = f"{beds['persons'].sum():,}"
    assert f"人口：入 {persons} 人 = 出 {persons} 人。" in lines
    assert "140300）：7 -> 8" in process.stdout and "✓ 独立核验通过" in process.stdout
    for name in ("plan.xlsx", "plan.gpkg", "map.html", "map.pdf", "map.png", "manifest.json"):
        assert (out / name).is_file() and str(out / name) in process.stdout


def test_the_table_of_cities_is_aligned(finished):
    lines = finished[0].stdout.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("市 "))
    assert len({width(line) for line in lines[head : head + 6]}) == 1


def test_verify_passes_on_what_was_written_and_fails_on_a_changed_figure(finished, tmp_path, jinyi):
    _, out = finished
    code, said, _ = jinyi("verify", out)
    assert code == 0 and "✗" not in said and said.count("✓") > 10
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    table = copy / "tables" / "beds_by_county.csv"
    text = table.read_text(encoding="utf-8-sig")
    first = re.search(r"^140105,[^\n]*$", text, re.M).group()
    cells = first.split(",")
    cells[5] = str(int(cells[5]) + 1)
    table.write_text(text.replace(first, ",".join(cells)), encoding="utf-8-sig", newline="")
    code, said, _ = jinyi("verify", copy, "--lang", "en")
    assert code == 7 and "✗ " in said and "not verified" in said


def test_verify_wants_a_folder(jinyi, tmp_path):
    code, _, warned = jinyi("verify", tmp_path / "nowhere")
    assert code == 2 and "nowhere" in warned
    code, said, _ = jinyi("verify", tmp_path)
    assert code == 7 and "✗" in said


def test_verify_puts_back_a_run_that_was_interrupted_while_it_wrote(finished, tmp_path, jinyi):
    shutil.copytree(finished[1], tmp_path / ".mine.jinyi-old")
    code, _, warned = jinyi("verify", "mine")
    assert (code, (tmp_path / "mine").is_dir()) == (0, True) and "已恢复" in warned


# -- a run with other endings ----------------------------------------------------------------------------------------


def test_the_default_folder_is_out_and_the_name(with_plan, two_cities, jinyi):
    seen = []
    with_plan(write_outputs=lambda plan, prepared, out, words, progress: seen.append(out) or MANIFEST)
    assert jinyi("run", two_cities)[0] == 0
    assert seen == [Path("out/two")]


MANIFEST = {"verification": {"passed": True, "checks": [{}]}, "files": {}}


def test_english_changes_words_and_no_number(with_plan, two_cities, jinyi):
    with_plan()
    _, chinese, _ = jinyi("run", two_cities)
    _, english, _ = jinyi("run", two_cities, "--lang", "en")
    assert "Taiyuan" in english and "太原" not in english.replace("两市", "")

    def numbers(text):
        table = text[text.index("─") : text.rindex("─")]
        return re.findall(r"[0-9][0-9,.]*", table)

    assert numbers(chinese)[:20] == numbers(english)[:20]


def test_an_interim_plan_is_saved_and_exits_5(with_plan, decided, two_cities, jinyi):
    plan = decided[1]
    proofs = dict(plan.proofs)
    stopped = dataclasses.replace(proofs["stations_cover_all"], status="interim", bound=20.0, gap=0.25)
    plan = dataclasses.replace(plan, proofs=proofs | {"stations_cover_all": stopped})
    with_plan(decide=lambda *_: plan)
    code, said, _ = jinyi("run", two_cities)
    assert code == 5
    assert "◐ 中间结果" in said and "25.00%" in said
    assert "已证明" not in next(line for line in said.splitlines() if line.startswith("急救站：全覆盖"))


def test_ctrl_c_sets_the_cancel_and_the_plan_so_far_is_saved(with_plan, decided, two_cities, jinyi):
    def decide(prepared, scenario, progress, cancel):
        assert not cancel.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.wait(2)
        plan = decided[1]
        left = dataclasses.replace(
            plan.proofs["stations_best_n"], status="no_plan", objective=None, bound=None, gap=None
        )
        return dataclasses.replace(plan, proofs=plan.proofs | {"stations_best_n": left})

    with_plan(decide=decide)
    before = signal.getsignal(signal.SIGINT)
    code, said, warned = jinyi("run", two_cities)
    assert code == 5 and "已写出" in said and "正在停止" in warned
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_leaves_at_once_with_6(with_plan, two_cities, jinyi):
    def decide(prepared, scenario, progress, cancel):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            cancel.wait(0.1)
        raise AssertionError("the second Ctrl-C was not heard")

    with_plan(decide=decide)
    code, said, warned = jinyi("run", two_cities)
    assert (code, said) == (6, "") and "还没有得到方案" in warned


@pytest.mark.parametrize(
    ("step", "error", "code", "hint"),
    [
        ("prepare", KeyboardInterrupt(), 6, "已停止"),
        ("prepare", Rejected([Fault("bad_count", "counties.csv", 3, "persons", "-1")]), 3, "counties.csv · 第 3 行"),
        ("decide", Infeasible([county_without_station("140105", "小店区", 1_398_624, "四(一)6")]), 4, "小店区"),
        ("decide", SolverFault("values break a row"), 7, "values break a row"),
        ("write_outputs", VerificationFailed([Check("people", False, "ok.people", {})]), 7, "没有通过"),
        ("write_outputs", OSError(errno.ENOSPC, "No space left on device"), 8, "No space left"),
        ("write_outputs", OutRefused("out_is_file", "out/two"), 8, "out/two"),
        ("decide", RuntimeError("a slip\x1b[2J"), 1, "RuntimeError: a slip\ufffd"),
        ("decide", MemoryError(), 1, "MemoryError"),
    ],
)
def test_each_way_to_fail_has_its_exit_code_and_words(
    with_plan, two_cities, jinyi, monkeypatch, step, error, code, hint
):
    monkeypatch.setattr(Check, "tell", lambda self, words: self.name)
    with_plan(**{step: raising(error)})
    found, said, warned = jinyi("run", two_cities)
    assert (found, said) == (code, "")
    assert hint in warned


def test_debugging_shows_the_traceback(with_plan, two_cities, monkeypatch):
    with_plan(decide=raising(RuntimeError("a slip")))
    monkeypatch.setenv("JINYI_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["run", str(two_cities)])


def test_a_folder_that_is_not_ours_is_refused_before_anything_is_computed(with_plan, two_cities, jinyi, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with_plan(prepare=raising(AssertionError("computed")))
    code, _, warned = jinyi("run", two_cities, "--out", tmp_path)
    assert code == 8 and "thesis.docx" in warned


def test_a_county_without_stations_exits_4_naming_place_and_people(two_cities, jinyi, tmp_path):
    text = two_cities.read_text(encoding="utf-8").replace('"region"', f"'{two_cities.parent / 'region'}'")
    mine = tmp_path / "mine.toml"
    mine.write_text(text + 'closed_counties = ["140107"]\n', encoding="utf-8")
    code, _, warned = jinyi("run", mine)
    assert code == 4 and "杏花岭区" in warned and not (tmp_path / "out").exists()


def test_three_faults_are_told_with_their_lines_and_exit_2(jinyi, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("[stations]\nurban_km = 5000\nrural_kn = 20\n[beds.targets]\n149900 = 6.0\n", encoding="utf-8")
    for command in ("run", "check"):
        code, said, warned = jinyi(command, path)
        assert (code, said) == (2, "")
        assert "共 3 处" in warned
        assert [int(row) for row in re.findall(r"第 (\d+) 行", warned)] == [2, 3, 5]


# -- compare ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def results(finished, tmp_path):
    """Two folders of the one real run, the second put where its scenario would be run to."""
    shutil.copytree(finished[1], tmp_path / "first")
    shutil.copytree(finished[1], tmp_path / "out" / "two")
    return tmp_path / "first"


def test_two_folders_are_compared_and_the_comparison_written(results, jinyi):
    code, said, _ = jinyi("compare", results, "out/two", "--out", "differs")
    assert code == 0 and said.count("已核对哈希") == 2
    for part in ("两个情景的设置相同", "各县规划床位相同", "差异图", "compare.xlsx"):
        assert part in said
    assert len(said.splitlines()) <= 100
    written = Path("differs")
    manifest = json.loads((written / "manifest.json").read_text("utf-8"))
    assert set(manifest["comparison"]) == {"first", "second"} and (written / "map.html").is_file()
    code, english, _ = jinyi("compare", results, "out/two", "--lang", "en")
    assert code == 0 and "Taiyuan" in english and "太原" not in english.replace("两市", "")
    assert Path("out/two-two/compare.xlsx").is_file()


def test_a_scenario_that_is_answered_is_not_run_again(results, with_plan, two_cities, jinyi):
    with_plan(decide=raising(AssertionError("computed")))
    code, said, _ = jinyi("compare", results, two_cities, "--out", "differs")
    assert code == 0 and "用 out/two 里已有的结果" in said


def test_a_scenario_that_is_not_answered_is_run_first(results, finished, with_plan, two_cities, jinyi):
    shutil.rmtree("out")
    wrote = []

    def write_outputs(plan, prepared, out, words, progress):
        wrote.append(out)
        shutil.copytree(finished[1], out)
        return MANIFEST

    with_plan(write_outputs=write_outputs)
    code, said, _ = jinyi("compare", results, two_cities, "--out", "differs")
    assert (code, wrote) == (0, [Path("out/two")]) and "运行情景 two" in said
    Path("out/two/tables/beds_by_city.csv").write_text("changed", "utf-8")
    shutil.rmtree("out")
    assert jinyi("compare", results, two_cities, "--out", "differs")[0] == 0 and len(wrote) == 2


def test_what_cannot_be_compared_is_refused_in_one_message(results, two_cities, jinyi, tmp_path):
    for argv, hint in (
        ((results, "out"), "jinyi run"),
        ((results, "lvliang-66"), "lvliang-6"),
        ((results,), "缺少“乙”"),
        ((), "jinyi compare --help"),
    ):
        code, said, warned = jinyi("compare", *argv)
        assert code == 2 and hint in warned and "太原" not in said
    (results / "tables" / "stations.csv").write_text("changed", "utf-8")
    code, _, warned = jinyi("compare", "out/two", results)
    assert code == 2 and "tables/stations.csv" in warned and warned.count("\n") == 1
    code, _, warned = jinyi("compare", "out/two", two_cities, "--out", "out/two")
    assert code == 8 and "是一个方案" in warned
    other = tmp_path / "other" / "two.toml"
    other.parent.mkdir()
    other.write_text('extends = "lvliang-6"\n', "utf-8")
    code, _, warned = jinyi("compare", two_cities, other)
    assert code == 2 and "同名" in warned


# -- check, standards ------------------------------------------------------------------------------------------------


def test_check_shows_each_setting_with_its_basis(jinyi):
    code, said, _ = jinyi("check", "lvliang-6")
    assert code == 0 and "34,915,616 人" in said
    lines = said.splitlines()

    def line(*parts):
        return next(each for each in lines if all(part in each for part in parts))

    assert line("城镇急救半径", " 5 ", "晋政发〔2023〕4号 四(一)6 · emergency_radius_urban")
    assert line("省级", "大同市、长治市、临汾市、运城市", "one_axis_four_centres")
    assert line("吕梁市", "lvliang-6.toml 第 ", "5 -> 6")
    assert line("太原市", "11 ", "表3")
    assert line("绕行系数", "设定ᵃ")
    code, said, _ = jinyi("check", "lvliang-6", "--lang=en")
    assert code == 0 and "Datong, Changzhi, Linfen, Yuncheng" in said and "assumed" in said


def test_check_refuses_data_that_load_region_refuses(two_cities, jinyi, tmp_path):
    region = tmp_path / "region"
    shutil.copytree(two_cities.parent / "region", region)
    counties = (region / "counties.csv").read_text(encoding="utf-8")
    (region / "counties.csv").write_text(counties.replace("1310743", "-1", 1), encoding="utf-8")
    shutil.copy(two_cities, tmp_path)
    code, _, warned = jinyi("check", tmp_path / "two.toml")
    assert code == 3 and "counties.csv" in warned and "-1" in warned


def test_standards_are_found_by_words_and_aligned(jinyi):
    code, said, _ = jinyi("standards", "急救", "半径")
    assert code == 0
    head, _, urban, rural, *_ = said.splitlines()
    assert urban.split() == [
        "emergency_radius_urban",
        "≤",
        "5",
        "公里",
        "晋政发〔2023〕4号",
        "四(一)6",
        "城市急救服务半径",
    ]
    columns = [width(line[: line.index(sign)]) for line, sign in ((head, "文件"), (urban, "晋政"), (rural, "晋政"))]
    assert len(set(columns)) == 1
    assert "10–20 公里" in rural and "737" in said.splitlines()[-1]


def test_all_standards_are_listed_without_words(jinyi):
    _, said, _ = jinyi("standards", "--lang", "en")
    assert len(said.splitlines()) == 737 + 4


def test_one_standard_in_full(jinyi):
    code, said, _ = jinyi("standards", "--id", "t3_beds_per_1000_jinzhong")
    assert code == 0
    for part in ("6.78 张/千常住人口", "晋政发〔2023〕4号", "表3", "5.14（2020年）", "2025", "晋中市"):
        assert part in said
    code, _, warned = jinyi("standards", "--id", "t3_beds_per_1000_jinzong")
    assert code == 2 and "t3_beds_per_1000_jinzhong" in warned


def test_nothing_found_says_what_to_do(jinyi):
    code, said, _ = jinyi("standards", "zzz", "急救")
    assert code == 0 and "zzz 急救" in said and "jinyi standards" in said


# -- app -------------------------------------------------------------------------------------------------------------


class Server:
    """Stands for the page's process: notes how it was started and ends at once."""

    started: list

    def __init__(self, command, **options):
        Server.started = [command, options]

    def wait(self):
        return 0


def test_the_page_is_served_on_this_machine_only_and_tells_nobody(jinyi, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Server)
    code, said, _ = jinyi("app", "--no-browser", "--lang", "en")
    command, options = Server.started
    assert code == 0
    assert command[:5] == [sys.executable, "-P", "-m", "planner.ui.serve", "run"]
    assert Path(command[5]) == Path(cli.__file__).parent / "ui" / "main.py"
    flags = dict(zip(command[6::2], command[7::2], strict=True))
    assert flags["--server.address"] == "127.0.0.1" and flags["--browser.gatherUsageStats"] == "false"
    assert f"http://127.0.0.1:{flags['--server.port']}" in said
    assert options["env"]["JINYI_LANG"] == "en"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_ends_with_the_command_that_started_it(jinyi, monkeypatch, number):
    class Stopped(Server):
        ended = False

        def wait(self):
            if not Stopped.ended:
                os.kill(os.getpid(), number)
                threading.Event().wait(2)
            return 0

        def terminate(self):
            Stopped.ended = True

    monkeypatch.setattr(subprocess, "Popen", Stopped)
    before = signal.getsignal(number)
    assert jinyi("app", "--no-browser")[0] == 0
    assert Stopped.ended and signal.getsignal(number) is before


def test_a_busy_port_is_passed_over_or_refused(jinyi, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Server)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        code, _, warned = jinyi("app", "--port", port, "--no-browser")
        assert code == 2 and str(port) in warned
        monkeypatch.setattr(cli, "FIRST_PORT", port)
        assert cli._port(None) != port
    for wrong in ("80", "x", "70000", "９０００", "-1", "9" * 400):
        assert jinyi("app", f"--port={wrong}")[0] == 2


# -- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_help_teaches_every_command_and_option(jinyi, lang):
    assert jinyi("--help", "--lang", lang)[1] == jinyi("--lang", lang, "-h")[1] == jinyi("--help", f"--lang={lang}")[1]
    code, said, _ = jinyi("--help", "--lang", lang)
    assert code == 0 and all(f"  {command} " in said for command in cli.COMMANDS)
    parser = cli._parser(load_words(lang))
    commands = next(action.choices for action in parser._actions if isinstance(action.choices, dict))
    for name, part in commands.items():
        code, said, _ = jinyi(name, "--help", "--lang", lang)
        options = [option for action in part._actions for option in action.option_strings]
        assert code == 0 and f"jinyi {name}" in said
        for option in set(options) - {"-h", "--help"}:
            assert option in said, (name, option)
        assert all(width(line) <= 120 for line in said.splitlines())
        example = re.findall(rf"^  jinyi {name}\b", said, re.M)
        assert example, name
    assert "shanxi-2025" in jinyi("run", "--help", "--lang", lang)[1]


def test_nothing_asked_is_answered_with_help(jinyi):
    assert jinyi() == jinyi("--help")
    assert re.fullmatch(r"晋医 jinyi \d+\.\d+\.\d+\n", jinyi("--version")[1])


def test_the_environment_chooses_the_language_and_the_option_goes_before(jinyi, monkeypatch):
    monkeypatch.setenv("JINYI_LANG", "en")
    assert "Usage" in jinyi("--help")[1]
    assert "用法" in jinyi("--help", "--lang", "zh")[1]
    monkeypatch.setenv("JINYI_LANG", "fr")
    assert "fr" in jinyi("--help")[2]


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["rnu"], "run"),
        (["吃饭"], "吃饭"),
        (["run"], "情景"),
        (["verify"], "结果目录"),
        (["run", "a", "b"], "b"),
        (["run", "shanxi-2025", "--ou", "x"], "--ou"),
        (["run", "shanxi-2025", "--out"], "--out"),
        (["--lang", "fr", "standards"], "fr"),
        (["standards", "--lang"], "--lang"),
        (["run", "lvliang6"], "lvliang-6"),
        (["run", "x\x1b[2Jy"], "\ufffd"),
        (["run", "a" * 300], "60"),
        (["run", ""], "60"),
    ],
)
def test_a_wrong_command_exits_2_with_a_way_out(jinyi, argv, hint):
    code, said, warned = jinyi(*argv)
    assert (code, said) == (2, "")
    assert hint in warned and "\x1b" not in warned


def test_a_reader_that_goes_away_is_no_failure():
    command = f"{sys.executable} -m planner standards | head -n 1"
    process = subprocess.run(command, shell=True, capture_output=True, text=True, env=plain_environment())
    assert process.stderr == "" and process.stdout.startswith("编号")


def test_help_and_standards_load_no_heavy_library():
    code = "import sys; from planner.cli import main; main(['standards', '急救']); main(['run', '--help'])\n"
    code += "heavy = {'pandas', 'numpy', 'geopandas', 'folium', 'matplotlib', 'streamlit', 'pulp'} & set(sys.modules)\n"
    code += "assert not heavy, heavy"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=plain_environment())
    assert process.returncode == 0, process.stderr


def test_an_old_terminal_gets_question_marks_and_no_traceback():
    process = subprocess.run(
        [sys.executable, "-m", "planner", "--help"],
        capture_output=True,
        env=plain_environment(PYTHONIOENCODING="ascii"),
    )
    assert process.returncode == 0 and b"jinyi run shanxi-2025" in process.stdout and not process.stderr


# -- console ---------------------------------------------------------------------------------------------------------


def test_a_table_aligns_chinese_and_latin():
    assert table_lines(["市", "n"], [["太原", "1"], ["Jinzhong", "23"]], "lr", total=True) == [
        "市         n",
        "────────────",
        "太原       1",
        "────────────",
        "Jinzhong  23",
    ]
    assert padded("太", 4, "r") == "  太" and width("e\u0301") == 1
    assert paired(["1", "22"], ["333", "4"], " → ") == [" 1 → 333", "22 →   4"]


class Stream:
    def __init__(self, terminal):
        self.terminal, self.text = terminal, ""

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_moves_on_a_terminal_and_is_quiet_in_a_log(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("planner.console.time.monotonic", lambda: clock[0])
    words = load_words("zh")
    moving, log = Stream(True), Stream(False)
    shown = [Progress(words, moving), Progress(words, log)]
    for second in range(12):
        clock[0] = float(second)
        for progress in shown:
            progress("stations_best_n", second, 0.25 if second > 3 else None, 1.0)
    assert log.text.count("\n") == 2  # at five and at ten seconds
    assert "急救站：限定站数 · 5 秒 · 差距 25.00%" in log.text
    assert moving.text.count("\r") >= 11 and "\n" not in moving.text
    shown[0].clear()
    assert moving.text.endswith("\r")
    Progress(words, log).clear()
    assert "\r" not in log.text


def test_progress_shows_a_stage_without_words_as_it_is():
    stream = Stream(True)
    Progress(load_words("en"), stream)("something new", 1.0)
    assert "something new · 1 s" in stream.text


def test_the_manifest_names_the_scenario_that_was_run(finished):
    manifest = json.loads((finished[1] / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["name"] == "two"
    assert {each["key"]: each["new"] for each in manifest["overrides"]}["stations.count"] == "30"
