"""The page, drawn by Streamlit's own test bench on the province of :mod:`tests.town`: states, words, figures, files."""

import html
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo import theme
from geo.words import LANGUAGES, load_words
from planner.report import VerificationFailed
from planner.scenario import load_scenario, vary
from planner.study import decide
from planner.ui import page, panel
from planner.ui.desk import DONE, FAILED, Job
from planner.ui.progress import progress_html
from planner.ui.settings import ABOUT, draft, picked_from, question, scenario_file, scenario_names
from planner.ui.sheets import SHEETS, sheet_html
from planner.ui.worker import answer_of, in_words, trouble_of
from tests import town

ROOT = Path(__file__).parents[2]
EAST = "target-town-140100"
SOURCES = ("晋政发", "号")  # documents are cited as they are called


class AtOnce:
    """A desk that answers at once, in this process, and remembers what it was asked. Files are never ready."""

    def __init__(self, prepared, spoil=lambda plan: plan):
        self.prepared = prepared
        self.spoil = spoil
        self.asked = []

    def study(self, scenario, lang, watcher):
        self.asked.append(scenario)
        job = Job("study", len(self.asked), ("study", scenario, lang), question(scenario), 60.0)
        try:
            job.result = answer_of(self.spoil(decide(self.prepared, scenario)), self.prepared, lang)
            job.state = DONE
        except Exception as error:
            job.trouble, job.state = trouble_of(error), FAILED
        return job

    def text(self, study, lang, watcher):
        job = Job("text", study.number, ("text", study.result, lang), study.key, 60.0, state=DONE)
        job.result = study.result = in_words(study.result, self.prepared, lang)
        return job

    def files(self, study, lang, watcher):
        return Job("files", study.number, ("files", study.result, lang, ""), study.key, 60.0)

    def leave(self, job, watcher):
        pass

    def stop(self, job):
        job.stopping = 1.0


@pytest.fixture
def opened(town_run, monkeypatch):
    """Return ``opened(spoil)`` -> (AppTest after its first run, desk)."""
    base = replace(town_run.scenario, title="纸上省")

    def go(spoil=lambda plan: plan):
        desk = AtOnce(town_run.prepared, spoil)
        monkeypatch.setattr(panel, "_shipped", lambda: {"town": base})
        monkeypatch.setattr(page, "open_desk", lambda: desk)
        monkeypatch.delenv("JINYI_LANG", raising=False)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        assert not app.exception
        return app, desk

    return go


def said(app):
    """Return the page's own HTML, less its styles, as a reader sees it."""
    bodies = " ".join(element.proto.body for element in app.get("html"))
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", bodies, flags=re.DOTALL)))


def frames(app):
    return [element.proto.srcdoc for element in app.get("iframe")]


def figures(app):
    """Return every figure of the page in order: of the sentences, beside the map, and of each table."""
    cells = [re.findall(r'<td class="figure[^>]*>([^<]*)', frame) for frame in frames(app)[1:]]
    beside = next(e.proto.body for e in app.get("html") if "jy-glance" in e.proto.body and "<table" in e.proto.body)
    return cells, re.findall(r"<(?:td|em|b)[^>]*>(?:<i>)?([^<]*\d[^<]*)<", beside)


def test_the_page_opens_with_the_plan_of_the_first_scenario(opened, town_run):
    app, desk = opened()
    text = said(app)
    beds = f"{town_run.plan.tables['beds_by_city']['beds_plan'].sum():,}"
    assert len(desk.asked) == 1
    assert f"规划床位 {beds} 张" in text
    assert "项独立核验全部通过" in text
    assert len(frames(app)) == 1 + len(SHEETS)  # the map and every table
    assert "drawPlan(" in frames(app)[0]
    assert [tab.label for tab in app.tabs][:2] == ["床位", "急救站"]


def test_the_other_language_changes_no_figure_and_asks_nothing(opened):
    app, desk = opened()
    app.radio[0].set_value("best_n").run()
    app.button(key="compute").click().run()
    chinese = figures(app)
    app.button_group(key="lang").set_value("en").run()
    assert not app.exception
    assert "independent checks passed" in said(app) and "independent" not in chinese[0]
    assert figures(app) == chinese and len(chinese[0]) == len(SHEETS) and sum(map(len, chinese[0])) > 100
    assert len(desk.asked) == 2 and app.radio[0].value == "best_n"
    spoken = re.compile('class="jy-(status|lead|glance|group|say|h1)')
    own = [element.proto.body for element in app.get("html") if spoken.search(element.proto.body)]
    left = re.findall("[\u4e00-\u9fff]+", re.sub(r"<style>.*?</style>", "", " ".join(own), flags=re.DOTALL))
    assert len(own) >= 8 and set(left) <= {"纸上省", *SOURCES}, left  # the scenario's own title, and documents' numbers


def test_changing_a_setting_withdraws_the_result_until_it_is_computed_again(opened):
    app, desk = opened()
    before = town_beds(app)
    app.number_input(key=EAST).set_value(12.0).run()
    assert "设置已改动，请重新计算" in said(app) and "东市床位目标：11.00 → 12.00" in said(app)
    assert before not in said(app) and len(frames(app)) == 1 and not app.tabs  # the pale map alone
    assert any("opacity:.2" in element.proto.body for element in app.get("html"))
    assert len(desk.asked) == 1

    app.number_input(key=EAST).set_value(11.0).run()
    assert town_beds(app) == before and len(desk.asked) == 1  # the settings of the result: it is current again

    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    assert not app.exception
    assert town_beds(app) == f"{90_000 * 12 // 1000:,}" != before
    assert "纸上省（东市床位目标：11.00 → 12.00 张/千人）" in said(app)
    assert [each.key for each in desk.asked[-1].overrides] == ["beds.targets.140100"]


def town_beds(app):
    """Return the planned beds of 东市 as they stand beside the map."""
    beside = next(e.proto.body for e in app.get("html") if "<th>东市</th>" in e.proto.body)
    return re.search(r"<th>东市</th><td>([\d,]+)</td>", beside)[1]


def test_a_setting_that_does_not_fit_is_told_beside_the_button(opened):
    app, desk = opened()
    app.number_input(key="rural_preferred_km-town").set_value(30.0).run()
    assert not app.exception
    assert app.button(key="compute").disabled
    assert "乡村急救优选半径（公里）：乡村优选半径 30 公里大于乡村急救半径 20 公里" in said(app)
    assert "town.toml" not in said(app) and not app.tabs


def test_every_fault_is_told_in_words_with_its_remedy(opened):
    app, _ = opened()
    app.radio[0].set_value("best_n").run()
    app.number_input(key="count-town").set_value(2).run()
    app.button(key="compute").click().run()
    assert not app.exception and not app.tabs
    assert "没有可行的方案" in said(app) and "5 个县各设一站所需" in said(app)
    assert app.get("download_button")  # the settings as a file, to be sent or kept

    app.button_group(key="lang").set_value("en").run()
    assert "no feasible plan" in said(app) and not app.exception


def test_a_plan_that_fails_verification_is_never_shown(opened):
    def one_bed_more(plan):
        beds = plan.tables["beds_by_county"].copy()
        beds.loc[0, "beds_plan"] += 1
        return replace(plan, tables=plan.tables | {"beds_by_county": beds})

    app, _ = opened(one_bed_more)
    assert not app.exception and not app.tabs and not frames(app)
    assert "没有通过独立核验" in said(app)


def test_a_plan_without_its_proof_is_labelled_interim_with_its_gap(opened):
    def stopped(plan):
        proof = plan.proofs["stations_cover_all"]
        open_proof = replace(proof, status="interim", bound=proof.objective - 1, gap=1 / proof.objective)
        return replace(plan, proofs=plan.proofs | {"stations_cover_all": open_proof})

    app, _ = opened(stopped)
    assert "中间结果 INTERIM" in said(app)
    assert re.search(r"“急救站：全覆盖最少站数”（差距 \d+\.\d\d%）未获证明", said(app))
    assert re.search(r"◐ 中间结果\s+[\d.]+\s+[\d.]+\s+\d+\.\d\d%", said(app))  # in the table of proofs


def test_the_documents_choice_is_priced_against_a_proven_one_alone(opened):
    def stopped(plan):
        proof = replace(plan.proofs["centres_free"], status="interim", bound=None, gap=None)
        return replace(plan, proofs=plan.proofs | {"centres_free": proof})

    app, _ = opened()
    assert "按文件布局的代价" in said(app)
    app, _ = opened(stopped)
    assert "按文件布局的代价" not in said(app) and "自由选址未获证明" in said(app)


def test_a_page_waits_with_stages_gap_and_time(opened, monkeypatch):
    app, desk = opened()
    under_way = Job("study", 9, ("study", desk.asked[0], "zh"), "other", 60.0, state="running", began=0.0)
    under_way.stages = [("beds", 0.0), ("stations_cover_all", 2.5)]
    under_way.gap, under_way.best = 0.0123, 410.0
    for lang in LANGUAGES:
        told = progress_html(under_way, load_words(lang))
        assert "2.5" in told and "410" in told and "1.23%" in told
    monkeypatch.setattr(desk, "study", lambda scenario, lang, watcher: under_way)
    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    assert not app.exception and not app.tabs
    assert "差距 1.23%" in said(app) and app.button(key="stop-9").label == "停止，取当前最好的方案"


def test_names_from_data_are_text_in_every_table(tmp_path, monkeypatch):
    attack = "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(town, "NAMES", town.NAMES | {"a": attack, "140100": "${alert(1)}"})
    drawn = town.run(town.draw(tmp_path / "region"))
    tables = answer_of(drawn.plan, drawn.prepared, "zh").texts["zh"].tables
    pages = [sheet_html(name, tables, load_words("zh"))[0] for name in SHEETS]
    assert all("<img" not in each for each in pages)
    assert sum(html.escape(attack) in each for each in pages) >= 4


def test_the_verdict_has_a_shape_beside_its_word(town_run):
    tables = answer_of(town_run.plan, town_run.prepared, "zh").texts["zh"].tables
    shown, _ = sheet_html("compliance", tables, load_words("zh"))
    assert "● 达标" in shown and "▲ 未达标" in shown
    assert re.search(r'class="figure modelled" data-sort="[\d.]+">[\d.,]+ᵐ<', shown)


# -- settings ----------------------------------------------------------------------------------------------------------


def plain(scenario):
    return {name: value for name, value in scenario.as_dict().items() if name not in ABOUT}


@pytest.mark.parametrize("name", scenario_names())
def test_an_untouched_panel_asks_the_shipped_scenario_itself(name):
    base = load_scenario(name)
    assert draft(base, picked_from(base), lambda variant: "") is base


def test_the_scenario_file_of_the_settings_asks_the_same(tmp_path):
    base = load_scenario(scenario_names()[0])
    code = next(iter(base.bed_targets))
    picked = picked_from(base) | {"urban_km": 4.5, "stations_goal": "best_n", "stations_count": 333}
    picked["bed_targets"] = picked["bed_targets"] | {code: 9.25}
    variant = draft(base, picked, lambda changed: '引号" 反斜线\\ 与\x7f'.replace("\x7f", ""))
    variant = vary(variant, closed_counties=("140105", "140106"), provincial_centres=("140200",))
    path = tmp_path / f"{variant.name}.toml"
    path.write_text(scenario_file(variant, base), encoding="utf-8")
    assert plain(load_scenario(path)) == plain(variant) != plain(base)
    assert load_scenario(path).title == variant.title


def test_a_variant_has_a_name_of_its_own_that_its_settings_decide():
    base = load_scenario(scenario_names()[0])
    names = {
        draft(base, picked_from(base) | {"urban_km": km}, lambda variant, title=title: title).name
        for km in (4.0, 4.5)
        for title in ("一", "another title")
    }
    assert len(names) == 2 and all(name.startswith(f"{base.name}-") for name in names)


# -- words and look ----------------------------------------------------------------------------------------------------


def test_every_word_of_the_page_stands_in_both_catalogues_and_is_used():
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "planner" / "ui").glob("*.py")))
    zh, en = (load_words(lang) for lang in LANGUAGES)
    keys = {key for key in zh.keys() if key.startswith("ui.")}  # noqa: SIM118
    assert keys == {key for key in en.keys() if key.startswith("ui.")}  # noqa: SIM118
    called = set(re.findall(r'"((?:ui|report|column|cli|value|table)\.[\w.]+)"', source))
    assert called and not [key for key in called if key not in zh or key not in en]
    stems = {stem.split("{")[0].rstrip(".") for stem in re.findall(r'f["\'](ui\.[\w.]*\{)', source)} | {"ui.goal"}
    unused = [key for key in keys if key not in called and not any(key.startswith(stem) for stem in stems)]
    assert unused == []


def test_settings_of_the_server_follow_the_theme_and_send_nothing():
    text = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    inside = (ROOT / "planner" / "ui" / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert text == inside  # the one is found by `streamlit run app.py`, the other by `jinyi app` of an installed wheel
    settings = tomllib.loads(text)
    assert settings["browser"]["gatherUsageStats"] is False and settings["server"]["address"] == "127.0.0.1"
    colours = {key: value for key, value in settings["theme"].items() if key.endswith("Color")}
    assert colours == {
        "primaryColor": theme.ACCENT,
        "backgroundColor": theme.PAPER,
        "secondaryBackgroundColor": theme.GROUND,
        "textColor": theme.INK,
        "borderColor": theme.LINE_COUNTY,
    }
    assert settings["theme"]["font"] == theme.FONT_SCREEN


def test_troubles_of_every_kind_have_heading_and_remedy():
    errors = [MemoryError(), OSError(28, "No space left on device"), RuntimeError("x"), VerificationFailed([])]
    kinds = {trouble_of(error).kind for error in errors} | {"stopped", "late", "lost"}
    assert {"memory", "storage", "unexpected", "verification"} < kinds
    for lang in LANGUAGES:
        words = load_words(lang)
        assert all(words(f"ui.trouble.{kind}.{part}") for kind in kinds for part in ("what", "remedy"))
    assert trouble_of(RuntimeError("x")).reasons("zh") == ("RuntimeError: x",)
