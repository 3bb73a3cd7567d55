"""The frame of the pages, drawn by Streamlit's own bench on the drawn province: states, words, settings, shelf."""

import html
import re
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from geo import theme
from geo.stations import HEADINGS
from geo.words import LANGUAGES, load_words
from planner.report import VerificationFailed
from planner.scenario import load_scenario, vary
from planner.settings import ALL_SETTINGS
from planner.ui.desk import Job
from planner.ui.progress import progress_html
from planner.ui.settings import ABOUT, question, scenario_file, scenario_names, variant
from planner.ui.sheets import SHEETS, sheet_html
from planner.ui.site import PAGES
from planner.ui.worker import trouble_of, unverified
from tests import town
from tests.planner import page_bench
from tests.planner.page_bench import frames, said, visit

ROOT = Path(__file__).parents[2]
EAST = "bed_targets-140100-1"
SOURCES = ("晋政发", "号", "兴医工程文件", "文本未载文号", "晋政办函", "晋政办发")  # documents as they are called


@pytest.fixture
def opened(town_run, tmp_path, monkeypatch):
    """Return ``opened(page, **options)`` -> (AppTest on that page, desk)."""

    def go(page="overview", **options):
        return page_bench.opened(town_run, tmp_path, monkeypatch, page, **options)

    return go


def figures(app):
    """Return every figure of the page in order: of each table, and beside the map."""
    cells = [re.findall(r'<td class="figure[^>]*>([^<]*)', frame) for frame in frames(app)]
    beside = " ".join(e.proto.body for e in app.get("html") if "jy-glance" in e.proto.body and "<table" in e.proto.body)
    return cells, re.findall(r"<(?:td|em|b)[^>]*>(?:<i>)?([^<]*\d[^<]*)<", beside)


def beds_of(app, city):
    """Return the planned beds of a city as they stand beside the map."""
    beside = next(e.proto.body for e in app.get("html") if f"<th>{city}</th>" in e.proto.body)
    return re.search(rf"<th>{city}</th><td>([\d,]+)</td>", beside)[1]


def test_the_site_opens_with_the_plan_of_the_first_scenario(opened, town_run):
    app, desk = opened()
    beds = f"{town_run.plan.tables['beds_by_city']['beds_plan'].sum():,}"
    assert len(desk.asked) == 1
    assert f"规划床位 {beds} 张" in said(app)
    assert "项独立核验全部通过" in said(app)
    assert list(app.session_state["pages"]) == list(PAGES)
    assert beds_of(app, "东市") == f"{90_000 * 11 // 1000:,}"


@pytest.mark.parametrize("page", PAGES)
def test_the_other_language_changes_no_figure_and_asks_nothing(opened, page):
    app, desk = opened(page)
    chinese = figures(app)
    app.button_group(key="lang").set_value("en").run()
    app.run()  # the words of the other language have come
    assert not app.exception
    assert figures(app) == chinese and len(desk.asked) == 1
    spoken = re.compile('class="jy-(status|lead|glance|group|say|h1|kept|title|notes)')
    own = [element.proto.body for element in app.get("html") if spoken.search(element.proto.body)]
    bodies = re.sub(r"<style>.*?</style>", "", " ".join(own), flags=re.DOTALL)
    bodies = re.sub(r"表\d|[一二三四五六七八九十]+\([一二三四五六七八九十]+\)\d*", "", bodies)
    left = set(re.findall("[\u4e00-\u9fff]+", bodies)) - {"纸上省", "纸上", *SOURCES, *HEADINGS.values()}
    names = set(town.NAMES.values()) | {name for name, *_ in town.TOWNS.values()}
    assert own and not {each for each in left if not any(each in name or name in each for name in names)}, left


def test_the_language_stays_when_the_page_changes(opened):
    app, _ = opened()
    app.button_group(key="lang").set_value("en").run()
    visit(app, "beds")
    assert "independent checks passed" in said(app)


def test_changing_a_setting_withdraws_the_result_until_it_is_computed_again(opened):
    app, desk = opened("beds")
    before = "规划床位 1,440 张"
    assert before in said(app)
    app.number_input(key=EAST).set_value(12.0).run()
    assert "设置已改动，请重新计算" in said(app) and "东市床位目标：11.00 → 12.00" in said(app)
    assert before not in said(app) and not frames(app) and not app.tabs
    assert len(desk.asked) == 1

    app.number_input(key=EAST).set_value(11.0).run()
    assert before in said(app) and len(desk.asked) == 1  # the settings of the result: it is current again

    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    assert not app.exception
    assert "规划床位 1,530 张" in said(app)
    assert "纸上省（东市床位目标：11.00 → 12.00 张/千人）" in said(app)
    assert [each.key for each in desk.asked[-1].overrides if each.key.endswith("140100")] == ["beds.targets.140100"]
    visit(app, "overview")
    assert beds_of(app, "东市") == f"{90_000 * 12 // 1000:,}"  # the draft is the same on every page
    app.button(key="undo-all").click().run()
    assert beds_of(app, "东市") == f"{90_000 * 11 // 1000:,}" and len(desk.asked) == 2  # its answer is known


def test_a_setting_that_does_not_fit_is_told_beside_the_button(opened):
    app, _ = opened("beds")
    app.number_input(key=EAST).set_value(99.0).run()
    assert not app.exception
    assert app.button(key="compute").disabled
    assert "东市床位目标：应在 0.1 到 50 之间" in said(app)
    assert "town.toml" not in said(app) and not app.tabs


def test_every_fault_is_told_in_words_with_its_remedy(opened, monkeypatch):
    app, _ = opened("beds")
    pinned = vary(app.session_state["base"].scenario, beds_pins={"140101": 1})
    app.session_state["changes"] = {"beds_pins": pinned.beds_pins}
    app.run()
    app.button(key="compute").click().run()
    assert not app.exception and not app.tabs
    assert "没有可行的方案" in said(app) and "甲县" in said(app)
    app.button_group(key="lang").set_value("en").run()
    assert "no feasible plan" in said(app) and not app.exception


def test_a_plan_that_fails_verification_is_never_shown(opened):
    def one_bed_more(plan):
        beds = plan.tables["beds_by_county"].copy()
        beds.loc[0, "beds_plan"] += 1
        return replace(plan, tables=plan.tables | {"beds_by_county": beds})

    for page in PAGES:
        app, _ = opened(page, spoil=one_bed_more)
        assert not app.exception and "规划床位 1" not in said(app)
        if page not in ("emergency", "data"):  # these show what was loaded, and a check that is no plan
            assert not frames(app) and ("没有通过独立核验" in said(app) or page == "compare")


def test_a_plan_without_its_proof_is_labelled_interim_with_its_gap(opened):
    def stopped(plan):
        proof = plan.proofs["stations_cover_all"]
        open_proof = replace(proof, status="interim", bound=proof.objective - 1, gap=1 / proof.objective)
        return replace(plan, proofs=plan.proofs | {"stations_cover_all": open_proof})

    app, _ = opened(spoil=stopped)
    assert "中间结果 INTERIM" in said(app)
    assert re.search(r"“急救站：全覆盖最少站数”（差距 \d+\.\d\d%）未获证明", said(app))


def test_a_part_of_an_answer_is_shown_as_not_verified(opened, monkeypatch):
    app, desk = opened("beds")
    scenario = vary(desk.asked[0], bed_targets=desk.asked[0].bed_targets | {"140100": 12})
    job = Job("study", 9, ("study", scenario, "zh", "beds"), question(scenario), 60.0, state="running", began=0.0)
    plan = desk.study(scenario, "zh", "").result.plan
    tables = {name: table for name, table in plan.tables.items() if name.startswith(("bed", "access"))}
    answer = unverified(plan, desk.prepared, "zh")
    part = replace(answer.texts["zh"], tables=tables, summary=None, view=None)
    job.result = replace(answer, plan=replace(plan, tables=tables), texts={"zh": part})
    job.stages = [("beds", 0.0), ("stations_cover_all", 2.5)]
    monkeypatch.setattr(desk, "study", lambda *about: job)
    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    assert not app.exception
    assert "规划床位 1,530 张" in said(app) and "数字尚未核验" in said(app) and "独立核验全部通过" not in said(app)
    visit(app, "overview")
    assert "规划床位 1,530 张" in said(app) and "数字尚未核验" in said(app)
    visit(app, "centres")
    assert "规划床位" not in said(app) and "正在计算" in said(app)  # its tables are still to come


def test_a_page_waits_with_stages_gap_and_time(opened, monkeypatch):
    app, desk = opened("beds")
    scenario = vary(desk.asked[0], bed_targets=desk.asked[0].bed_targets | {"140100": 12})
    under_way = Job("study", 9, ("study", scenario, "zh", "beds"), question(scenario), 60.0, state="running", began=0.0)
    under_way.stages = [("beds", 0.0), ("stations_cover_all", 2.5)]
    under_way.gap, under_way.best = 0.0123, 410.0
    for lang in LANGUAGES:
        told = progress_html(under_way, load_words(lang))
        assert "2.5" in told and "410" in told and "1.23%" in told
    monkeypatch.setattr(desk, "study", lambda *about: under_way)
    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    assert not app.exception and not app.tabs
    assert "差距 1.23%" in said(app) and app.button(key="stop-9").label == "停止，取当前最好的方案"
    app.button(key="stop-9").click().run()
    assert under_way.stopping
    app.button(key="drop-9").click().run()
    assert under_way.dropped


def test_names_from_data_are_text_in_every_table(tmp_path, monkeypatch):
    attack = "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(town, "NAMES", town.NAMES | {"a": attack, "140100": "${alert(1)}"})
    drawn = town.run(town.draw(tmp_path / "region"))
    tables = unverified(drawn.plan, drawn.prepared, "zh").texts["zh"].tables
    pages = [sheet_html(name, tables, load_words("zh"))[0] for name in SHEETS if name in tables]
    assert len(pages) > 15 and all("<img" not in each for each in pages)
    assert sum(html.escape(attack) in each for each in pages) >= 4


def test_the_verdict_has_a_shape_beside_its_word(town_run):
    tables = unverified(town_run.plan, town_run.prepared, "zh").texts["zh"].tables
    shown, _ = sheet_html("compliance", tables, load_words("zh"))
    assert "● 达标" in shown and "▲ 未达标" in shown
    assert re.search(r'class="figure modelled" data-sort="[\d.]+">[\d.,]+ᵐ<', shown)


# -- the shelf ---------------------------------------------------------------------------------------------------------


def test_a_scenario_is_kept_changed_deleted_and_brought_back(opened):
    app, desk = opened("beds")
    app.number_input(key=EAST).set_value(12.0).run()
    app.button(key="compute").click().run()
    app.text_input[0].set_value("加床<b>方案").run()
    app.button(key="shelf-save-new").click().run()
    assert not app.exception
    base = app.session_state["base"]
    assert (base.scenario.title, base.revision, app.session_state["changes"]) == ("加床<b>方案", 1, {})
    assert "已保存“加床<b>方案”，第 1 版" in said(app)
    assert "规划床位 1,530 张" in said(app) and len(desk.asked) == 2  # the answer is to the same question: it stays

    app.number_input(key="bed_targets-140100-" + str(app.session_state["generation"])).set_value(12.5).run()
    app.button(key="shelf-save").click().run()
    assert (
        app.session_state["base"].revision == 2
        and float(app.session_state["base"].scenario.bed_targets["140100"]) == 12.5
    )
    app.button(key="shelf-delete").click().run()
    assert app.session_state["base"].id is None and "已删除“加床<b>方案”" in said(app)
    app.button(key=f"restore-{base.id}").click().run()
    assert not app.exception
    assert (app.session_state["base"].id, app.session_state["base"].revision) == (base.id, 2)


def test_the_second_of_two_savers_is_told_and_both_versions_are_kept(opened):
    from planner.ui.shelf import the_store

    app, _ = opened("beds")
    app.button(key="shelf-save-new").click().run()
    id = app.session_state["base"].id
    store = the_store()
    mine = store.read(id)
    store.save(mine.text + "\n# 别人的一行\n", mine.files, "别人的", id=id, base=1, author="老王")
    app.number_input(key="bed_targets-140100-" + str(app.session_state["generation"])).set_value(12.0).run()
    assert "老王已于" in said(app)  # the page says so even before
    app.button(key="shelf-save").click().run()
    assert not app.exception
    assert "老王" in said(app) and "没有覆盖它" in said(app)
    entries = {entry.id: entry for entry in store.entries()}
    assert len(entries) == 2 and entries[id].title == "别人的"
    kept = app.session_state["base"]
    assert kept.id != id and kept.scenario.bed_targets["140100"] == 12


def test_a_store_that_cannot_be_opened_is_told_and_the_page_goes_on(opened, monkeypatch, tmp_path):
    (tmp_path / "scenarios.sqlite").write_bytes(b"not a store" * 100)
    app, _ = opened("beds")
    assert "规划床位 1,440 张" in said(app)
    assert app.button(key="shelf-save-new").disabled
    assert any("存档" in line for line in said(app).split("  "))


# -- settings ----------------------------------------------------------------------------------------------------------


def plain(scenario):
    return {name: value for name, value in scenario.as_dict().items() if name not in ABOUT}


@pytest.mark.parametrize("name", scenario_names())
def test_an_untouched_panel_asks_the_shipped_scenario_itself(name):
    base = load_scenario(name)
    assert variant(base, {}, lambda made: "") is base


def test_the_scenario_file_of_the_settings_asks_the_same(tmp_path):
    base = load_scenario(scenario_names()[0])
    code = next(iter(base.bed_targets))
    changes = {"urban_km": 4.5, "stations_goal": "best_n", "stations_count": 333}
    changes["bed_targets"] = base.bed_targets | {code: Fraction("9.25")}
    made = variant(base, changes, lambda changed: '引号" 反斜线\\')
    made = vary(made, closed_counties=("140105", "140106"), provincial_centres=("140200",))
    path = tmp_path / f"{made.name}.toml"
    path.write_text(scenario_file(made, base), encoding="utf-8")
    assert plain(load_scenario(path)) == plain(made) != plain(base)
    assert load_scenario(path).title == made.title


def test_a_variant_has_a_name_of_its_own_that_its_settings_decide():
    base = load_scenario(scenario_names()[0])
    names = {
        variant(base, {"urban_km": km}, lambda made, title=title: title).name
        for km in (4.0, 4.5)
        for title in ("一", "another title")
    }
    assert len(names) == 2 and all(name.startswith(f"{base.name}-") for name in names)


# -- words and look ----------------------------------------------------------------------------------------------------


def test_every_word_of_the_page_stands_in_both_catalogues_and_is_used():
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "planner" / "ui").rglob("*.py")))
    zh, en = (load_words(lang) for lang in LANGUAGES)
    own = re.compile(r"(ui|shelf|page|page_\w+)\.")
    keys = {key for key in zh.keys() if own.match(key)}  # noqa: SIM118
    assert keys == {key for key in en.keys() if own.match(key)}  # noqa: SIM118
    sections = "ui|shelf|page|page_\\w+|report|column|cli|value|table|export"
    called = set(re.findall(rf"""["']((?:{sections})\.[\w.]+)["']""", source))
    called -= {"table.csv", "table.xlsx"}  # names of files
    assert called and not [key for key in called if key not in zh or key not in en]
    stems = {stem.split("{")[0] for stem in re.findall(rf"""f["']((?:{sections})\.[\w.]*{{)""", source)}
    parts = set(re.findall(r"""["'](\w+)["']""", source)) | {setting.field for setting in ALL_SETTINGS}

    def made(key):
        """Whether a key is put together: of a stem that says what it is about, or of a part written somewhere."""
        for stem in (stem for stem in stems if key.startswith(stem)):
            rest = key[len(stem) :].removesuffix("_how").split(".")
            if stem.count(".") > 1 or not stem.endswith(".") or set(rest) <= parts:
                return True
        return False

    unused = sorted(key for key in keys if key not in called and not made(key))
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
