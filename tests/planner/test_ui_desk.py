"""The desk and its worker: one warm process, stopped, ended and replaced as needed; nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from planner.ui import desk as desks
from planner.ui.desk import DONE, FAILED, Desk
from tests import town

PATIENCE = 60.0


def until(fact, seconds=PATIENCE):
    """Wait until ``fact()`` is true and return the seconds it took."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


def alive(pid):
    """Return whether a process runs; one that has ended and not been waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def opened():
    """Return ``opened(serve)`` -> Desk; every one is closed in the end."""
    made = []

    def go(**options):
        made.append(Desk(**options))
        return made[-1]

    yield go
    for desk in made:
        desk.close()
        assert not desk.folder.exists()


# -- workers that misbehave: the scenario's title says how ------------------------------------------------------------


def odd(pipe, stop, folder):
    """Answer at once, die, sleep for ever, or wait for the stop, as the title says."""
    while True:
        try:
            asked, about, *_ = pipe.recv()
        except EOFError:
            return
        how = about.title if asked == "study" else "slow files"
        pipe.send(("progress", "beds", 0.0, 0.5, 3.0))
        if how == "die":
            os._exit(1)
        while how == "deaf":
            time.sleep(0.1)
        while how in ("obedient", "slow files") and not stop.is_set():
            time.sleep(0.02)
        pipe.send(("stopped",) if how == "slow files" else ("answer", Given(about)))


class Given:
    """Stands for an answer."""

    interim = False

    def __init__(self, scenario):
        self.scenario = scenario


def asked(town_run, how, urban_km=5.0):
    return replace(town_run.scenario, title=how, urban_km=urban_km)


def test_a_worker_that_dies_is_told_and_replaced(opened, town_run):
    desk = opened(serve=odd)
    lost = desk.study(asked(town_run, "die"), "zh", "page")
    until(lambda: lost.over)
    assert (lost.state, lost.trouble.kind) == (FAILED, "lost")
    again = desk.study(asked(town_run, "fine"), "zh", "page")
    until(lambda: again.over)
    assert again.state == DONE


def test_a_stop_brings_what_there_is_within_two_seconds(opened, town_run):
    desk = opened(serve=odd)
    job = desk.study(asked(town_run, "obedient"), "zh", "page")
    until(lambda: job.stages)
    desk.stop(job)
    assert until(lambda: job.over) < 2.0
    assert job.state == DONE


def test_a_question_given_up_ends_at_once(opened, town_run):
    desk = opened(serve=odd)
    job = desk.study(asked(town_run, "deaf"), "zh", "page")
    until(lambda: job.stages)
    desk.drop(job)
    assert until(lambda: job.over) < 2.0
    assert (job.state, job.trouble.kind) == (FAILED, "stopped")
    assert desk.answered(job.scenario, "page") is None
    again = desk.study(asked(town_run, "fine"), "zh", "page")
    until(lambda: again.over)
    assert again.state == DONE and desk.answered(again.scenario, "page") is again


def test_a_worker_that_does_not_hear_is_ended(opened, town_run, monkeypatch):
    monkeypatch.setattr(desks, "STOP_SECONDS", 0.5)
    desk = opened(serve=odd)
    job = desk.study(asked(town_run, "deaf"), "zh", "page")
    until(lambda: job.stages)
    worker = desk._answers.worker.process.pid
    desk.stop(job)
    assert until(lambda: job.over) < 2.0
    assert job.trouble.kind == "stopped"
    until(lambda: not alive(worker), 5.0)


def test_a_deadline_ends_what_nobody_stops(opened, town_run, monkeypatch):
    monkeypatch.setattr(desks, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(desks, "MODELS", 0)
    monkeypatch.setattr(desks, "SPARE_SECONDS", 3.0)
    desk = opened(serve=odd)
    job = desk.study(asked(town_run, "deaf"), "zh", "page")
    until(lambda: job.over)
    assert job.trouble.kind == "late"


def test_a_closed_page_stops_its_question(opened, town_run, monkeypatch):
    monkeypatch.setattr(desks, "GONE_SECONDS", 0.3)
    here = {"one", "other"}
    desk = opened(serve=odd, is_open=lambda page: page in here)
    shared = desk.study(asked(town_run, "obedient"), "zh", "one")
    assert desk.study(asked(town_run, "obedient"), "zh", "other") is shared
    until(lambda: shared.stages)
    here.remove("one")
    time.sleep(0.8)
    assert not shared.over  # the other page still waits
    here.remove("other")
    assert until(lambda: shared.over) < 2.0


def test_files_do_not_hold_up_a_question_and_stop_when_nobody_waits(opened, town_run):
    desk = opened(serve=odd)
    first = desk.study(asked(town_run, "fine"), "zh", "page")
    until(lambda: first.over)
    files = desk.files(first, "zh", "page")
    until(lambda: files.stages)
    second = desk.study(asked(town_run, "fine", urban_km=4.0), "zh", "page")
    assert until(lambda: second.over) < 1.0
    assert second.state == DONE and not files.over
    desk.leave(first, "page")
    until(lambda: files.over)
    assert files.trouble.kind == "stopped"
    assert desk.files(first, "zh", "page") is not files  # asked again, written again


def test_the_same_question_is_answered_once(opened, town_run):
    desk = opened(serve=odd)
    first = desk.study(asked(town_run, "fine"), "zh", "page")
    until(lambda: first.over)
    assert desk.study(asked(town_run, "another title"), "zh", "other page") is first
    assert desk.study(asked(town_run, "fine", urban_km=4.0), "zh", "page") is not first


def test_old_answers_are_forgotten_but_not_those_on_an_open_page(opened, town_run, monkeypatch):
    monkeypatch.setattr(desks, "KEPT", 1)
    here = {"open", "shut"}
    desk = opened(serve=odd, is_open=lambda page: page in here)

    def answered(km, page):
        job = desk.study(asked(town_run, "fine", urban_km=km), "zh", page)
        until(lambda: job.over)
        return job

    shown, left = answered(3.0, "open"), answered(3.5, "shut")
    here.remove("shut")
    answered(4.0, "open")
    assert answered(3.5, "open") is left  # the one that is kept
    here.remove("open")
    for km in (5.0, 5.5):
        here.add("new")
        answered(km, "new")
    assert answered(3.0, "new") is not shown


# -- the worker itself -------------------------------------------------------------------------------------------------


def test_the_worker_answers_stays_warm_and_writes_every_file(opened, town_run):
    desk = opened()
    job = desk.study(town_run.scenario, "zh", "page")
    until(lambda: job.over)
    assert job.state == DONE, job.trouble
    assert [name for name, _ in job.stages][:4] == ["region", "demand", "sites", "beds"]
    beds = job.result.plan.tables["beds_by_county"]
    assert beds.equals(town_run.plan.tables["beds_by_county"])
    assert set(job.result.texts) == {"zh"} and job.result.texts["zh"].view is not None

    english = desk.text(job, "en", "page")
    until(lambda: english.over)
    assert english.state == DONE and set(job.result.texts) == {"zh", "en"}
    assert job.result.texts["en"].summary.headline != job.result.texts["zh"].summary.headline

    other = desk.study(replace(town_run.scenario, urban_km=4.0), "zh", "page")
    until(lambda: other.over)
    assert other.state == DONE and "region" not in dict(other.stages)  # nothing was read again

    files = desk.files(job, "en", "page")
    until(lambda: files.over)
    assert files.state == DONE, files.trouble
    names = {"plan.xlsx", "plan.gpkg", "map.html", "map.pdf", "map.png", "manifest.json"}
    assert names < {path.name for path in files.result.iterdir()}
    with zipfile.ZipFile(files.result.with_suffix(".zip")) as packed:
        assert packed.testzip() is None
        assert names < set(packed.namelist()) and "tables/stations.csv" in packed.namelist()


def test_a_broken_region_is_told_and_the_worker_lives(opened, town_run, tmp_path):
    desk = opened()
    folder = town.draw(tmp_path / "region")
    (folder / "counties.csv").write_text("code\n", encoding="utf-8")
    job = desk.study(replace(town_run.scenario, region=str(folder)), "zh", "page")
    until(lambda: job.over)
    assert job.trouble.kind == "data" and job.trouble.reasons("zh") and job.trouble.reasons("en")
    job = desk.study(town_run.scenario, "zh", "page")
    until(lambda: job.over)
    assert job.state == DONE


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes the way Linux shows them")
def test_a_killed_page_leaves_neither_process_nor_file(town_folder):
    code = (
        "import time\n"
        "from planner.ui.desk import Desk\n"
        "from tests import town\n"
        "if __name__ == '__main__':\n"
        "    desk = Desk()\n"
        f"    job = desk.study(town.question({str(town_folder)!r}), 'zh', 'page')\n"
        "    while not job.stages: time.sleep(0.02)\n"
        "    print(desk._answers.worker.process.pid, desk.folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    page = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    worker, folder = page.stdout.readline().split()
    assert alive(int(worker)) and Path(folder).is_dir()
    page.send_signal(signal.SIGKILL)
    page.wait()
    until(lambda: not alive(int(worker)), 5.0)
    until(lambda: not Path(folder).exists(), 5.0)
