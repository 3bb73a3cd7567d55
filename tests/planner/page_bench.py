"""A bench for the tests of pages: Streamlit's own, on the drawn province, with a desk that answers at once."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

from planner.scenario import load_scenario
from planner.study import decide
from planner.ui import draft, frame
from planner.ui.desk import DONE, FAILED, Job
from planner.ui.settings import question, scenario_file
from planner.ui.shelf import the_store
from planner.ui.worker import in_words, trouble_of, unverified, verified

ROOT = Path(__file__).parents[2]
ANSWERS = {}  # of this process's tests: what one has asked another asks again


def as_it_is(plan):
    return plan


def answer_to(scenario, prepared, lang, spoil):
    """Return the verified answer to a scenario; one that is not spoiled is worked out once in all tests."""
    key = repr(sorted(scenario.as_dict().items())), lang, id(prepared)
    if key not in ANSWERS or spoil is not as_it_is:
        answer = unverified(spoil(decide(prepared, scenario)), prepared, lang)
        answer = replace(verified(answer, prepared), full=True)
        if spoil is not as_it_is:
            return answer
        ANSWERS[key] = answer, prepared  # held, so that its id stays its own
    return ANSWERS[key][0]


class AtOnce:
    """A desk that answers at once, in this process, and remembers what it was asked. Files are never ready.

    spoil  called with each plan before it is verified, returns the plan that the page is to meet
    """

    def __init__(self, prepared, folder, spoil=as_it_is):
        self.prepared = prepared
        self.folder = folder
        self.spoil = spoil
        self.asked = []
        self.jobs = {}

    def study(self, scenario, lang, watcher, first="beds"):
        self.asked.append(scenario)
        job = Job("study", len(self.asked), ("study", scenario, lang, first), question(scenario), 60.0)
        try:
            job.result = answer_to(scenario, self.prepared, lang, self.spoil)
            job.state = DONE
        except Exception as error:
            job.trouble, job.state = trouble_of(error), FAILED
        self.jobs[job.key] = job
        return job

    def answered(self, scenario, watcher):
        job = self.jobs.get(question(scenario))
        return job if job is not None and job.state == DONE else None

    def shared(self, job, watcher):
        return False

    def drop(self, job):
        job.dropped = True

    def full(self, study, lang, watcher):
        if study.whole is None:
            study.whole = Job("full", study.number, ("full", study.scenario, lang), study.key, 60.0)
            study.whole.result, study.whole.state = study.result, DONE
        return study.whole

    def text(self, study, lang, watcher):
        if lang not in study.texts:
            job = study.texts[lang] = Job("text", study.number, ("text", study.result, lang), study.key, 60.0)
            job.result = study.result = in_words(study.result, self.prepared, lang)
            job.state = DONE
        return study.texts[lang]

    def files(self, study, lang, watcher, scenario=None):
        return Job("files", study.number, ("files", study.result, lang, ""), study.key, 60.0)

    def coverage(self, scenario, stations, watcher):
        from planner.ui.worker import coverage_of

        job = Job("coverage", 0, ("coverage", scenario, stations), "", 60.0, state=DONE)
        job.result = coverage_of(self.prepared, scenario, stations)
        return job

    def leave(self, job, watcher):
        pass

    def stop(self, job):
        job.stopping = 1.0


def opened(town_run, tmp_path, monkeypatch, page="overview", *, spoil=as_it_is, title="纸上省"):
    """Return (AppTest after its first run on ``page``, desk) of a site whose only scenario is the drawn town's."""
    base = _shipped(town_run.scenario, title, tmp_path / "shipped", monkeypatch)
    desk = AtOnce(town_run.prepared, tmp_path, spoil)
    monkeypatch.setattr(draft, "shipped", lambda: {base.name: base})
    monkeypatch.setattr("planner.ui.shelf.shipped", lambda: {base.name: base})
    monkeypatch.setattr(frame, "open_desk", lambda: desk)
    monkeypatch.delenv("JINYI_LANG", raising=False)
    monkeypatch.setenv("JINYI_STORE", str(tmp_path / "scenarios.sqlite"))
    the_store.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception, app.exception
    return visit(app, page), desk


def _shipped(scenario, title, folder, monkeypatch):
    """Return a scenario as it is read from a file in the only folder of shipped ones, so that others can extend it."""
    folder.mkdir(exist_ok=True)
    named = replace(scenario, title=title)
    plain = load_scenario(ROOT / "scenarios" / "shanxi-2025.toml")
    body = scenario_file(named, replace(plain, name=scenario.name)).split("\n", 1)[1]
    path = folder / f"{scenario.name}.toml"
    path.write_text(f"region = {json.dumps(scenario.region)}\n{body}", encoding="utf-8")
    monkeypatch.setattr("planner.scenario.shipped_folders", lambda: [folder])
    return load_scenario(path)


def visit(app, page):
    """Go to a page of the site and run it."""
    app._page_hash = app.session_state["pages"][page]._script_hash
    app.run()
    assert not app.exception, app.exception
    return app


def said(app):
    """Return the page's own HTML, less its styles, as a reader sees it."""
    bodies = " ".join(element.proto.body for element in app.get("html"))
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", bodies, flags=re.DOTALL)))


def frames(app):
    """Return the documents of the page's frames: its tables."""
    return [element.proto.srcdoc for element in app.get("iframe")]
