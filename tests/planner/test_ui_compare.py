"""The page that holds scenarios side by side, on the drawn province: its figures are those of ``jinyi compare``."""

import io
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from geo.words import load_words
from planner.compare import compare, read_result, summarise_comparison
from planner.report import write_outputs
from planner.report.workbook import HEADER_ROWS
from planner.scenario import vary
from planner.study import decide
from planner.ui import compare_choice, compare_pair, draft
from planner.ui.compare_figures import INDICATORS, Row, figures_html, measures_unlike, rows_of
from planner.ui.compare_pair import comparison_of, for_reading, written
from planner.ui.desk import FAILED, RUNNING, Job
from planner.ui.settings import question
from planner.ui.sheets import sheet_html
from planner.ui.worker import Trouble
from tests.planner import page_bench as bench

ZH, EN = load_words("zh"), load_words("en")
HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def others_of(base):
    return {
        "more": vary(base, name="more", title="多建站", stations_count=9),
        "reach": vary(base, name="reach", title="够得远", beds_reach_km=60.0),
        "hostile": vary(base, name="hostile", title=HOSTILE, stations_count=10),
    }


@pytest.fixture
def page(town_run, tmp_path, monkeypatch):
    """The page, its desk and the scenarios that it lists: the town's and three others."""
    base = replace(town_run.scenario, title="纸上省")
    scenarios = {base.name: base} | others_of(base)
    app, desk = bench.opened(town_run, tmp_path, monkeypatch)
    monkeypatch.setattr(draft, "shipped", lambda: scenarios)
    monkeypatch.setattr("planner.ui.shelf.shipped", lambda: scenarios)
    return bench.visit(app, "compare"), desk, scenarios


def choose(app, *names):
    """Choose shipped scenarios to be compared with what is tried out."""
    app.multiselect[0].set_value([("shipped", name) for name in names]).run()
    assert not app.exception, app.exception
    return app


def press(app, key):
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def compared(page, *names):
    return press(choose(page[0], *names), "compare-ask-button")


def results_of(page, *names):
    """The results of the scenarios as the desk answers them, the drawn town's first."""
    app, desk, scenarios = page
    mine = next(iter(scenarios.values()))
    answers = [desk.study(each, "zh", "").result for each in (mine, *(scenarios[name] for name in names))]
    return [compare_pair.as_result(answer, answer.plan.scenario) for answer in answers]


# ---- choosing and asking


def test_before_anything_is_chosen_the_page_says_what_to_do(page):
    app, desk, _ = page
    assert ZH("page_compare.nothing") in bench.said(app)
    assert len(desk.asked) == 1 and not bench.frames(app)
    assert list(app.multiselect[0].options) == ["多建站", "够得远", HOSTILE]


def test_what_has_no_answer_is_asked_for_when_the_button_is_pressed(page):
    app, desk, scenarios = page
    choose(app, "more", "reach")
    assert len(desk.asked) == 1 and ZH("page_compare.not_asked") in bench.said(app)
    press(app, "compare-ask-button")
    assert [each.name for each in desk.asked[1:]] == ["more", "reach"]
    assert ZH("page_compare.not_asked") not in bench.said(app)
    choose(app, "reach")  # what was seen is not asked for again
    assert len(desk.asked) == 3 and "compare-ask-button" not in [button.key for button in app.button]


def test_three_others_at_most(page):
    app = choose(page[0], "more", "reach", "hostile")
    assert bench.said(app).count(ZH("page_compare.not_asked")) == 3


def test_one_under_way_is_followed_and_can_be_left(page, monkeypatch):
    app, desk, scenarios = page
    left = []

    def slow(scenario, lang, watcher, first="beds"):
        return Job("study", 9, ("study", scenario, lang, first), question(scenario), 60.0, state=RUNNING, began=0.0)

    monkeypatch.setattr(desk, "study", slow)
    monkeypatch.setattr(desk, "leave", lambda job, watcher: left.append(job.scenario.name))
    compared(page, "more", "reach")
    said = bench.said(app)
    assert "多建站" in said and ZH("page_compare.then", count=1) in said and ZH("page_compare.waiting") in said
    press(app, "compare-cancel-9")
    assert left == ["more"] and ZH("page_compare.not_asked") in bench.said(app)


def test_one_that_is_no_longer_chosen_is_let_go(page, monkeypatch):
    app, desk, scenarios = page
    left = []

    def slow(scenario, lang, watcher, first="beds"):
        return Job("study", 9, ("study", scenario, lang, first), question(scenario), 60.0, state=RUNNING, began=0.0)

    monkeypatch.setattr(desk, "study", slow)
    monkeypatch.setattr(desk, "leave", lambda job, watcher: left.append(job.scenario.name))
    compared(page, "more", "reach")
    choose(app, "reach")
    assert left == ["more"] and ZH("page_compare.under_way") in bench.said(app)


def test_one_that_fails_says_why_and_the_others_are_compared(page, monkeypatch):
    app, desk, scenarios = page
    answer = desk.study

    def failing(scenario, lang, watcher, first="beds"):
        if scenario.name != "reach":
            return answer(scenario, lang, watcher, first)
        about = (("study", scenario, lang, first), question(scenario), 60.0)
        return Job("study", 9, *about, state=FAILED, trouble=Trouble("memory"))

    monkeypatch.setattr(desk, "study", failing)
    compared(page, "reach", "more")
    said = bench.said(app)
    assert ZH("ui.trouble.memory.what") in said and ZH("page_compare.failed", title="够得远") in said
    assert ZH("page_compare.figures") in said and len(bench.frames(app)) == 7


# ---- figures


def test_the_figures_are_those_of_the_published_folders(page, town_run, tmp_path):
    """The page's differences are the tables, the sentences and the files that ``jinyi compare`` makes of the same."""
    app, desk, scenarios = page
    folders = []
    for scenario in (next(iter(scenarios.values())), scenarios["more"]):
        plan = decide(town_run.prepared, scenario)
        write_outputs(plan, town_run.prepared, tmp_path / scenario.name, ZH)
        folders.append(read_result(tmp_path / scenario.name))
    region, standards = town_run.prepared.region, town_run.prepared.standards
    tables = compare(*folders)
    summary = summarise_comparison(*folders, tables, region, standards, ZH)
    compared(page, "more")
    made = list(app.session_state["compare-made"].values())[-1]
    for name, table in tables.items():
        pd.testing.assert_frame_equal(made.tables[name], table)
    said = bench.said(app)
    assert made.summary == summary and all(line in said for line in summary.headline)
    press(app, "compare-write")
    files = app.session_state["compare-files"]["files"]
    book = openpyxl.load_workbook(io.BytesIO(files["book"]))
    assert len(book.sheetnames) == 1 + len(tables)
    emergency = book.worksheets[-1]
    heads = {cell.value: cell.column for cell in emergency[HEADER_ROWS]}
    shown = [emergency.cell(HEADER_ROWS + 1 + i, heads["stations_second"]).value for i in range(2)]
    assert shown == tables["compared_emergency"]["stations_second"].tolist()
    assert files["map"].startswith(b"<!DOCTYPE html>") and "多建站".encode() in files["map"]


def test_more_than_two_are_told_in_one_table_and_two_in_detail(page):
    app = compared(page, "more", "reach")
    said = bench.said(app)
    assert all(sign in said for sign in "①②③")
    one, two, three = results_of(page, "more", "reach")
    sums = [int(each.tables["ambulances_by_city"]["stations"].sum()) for each in (one, two)]
    assert f"急救站（{sums[0]} 个）" in said or f"急救站甲 {sums[0]} 个、乙 {sums[1]} 个" in said
    pairs = next(each for each in app.get("button_group") if each.key.startswith("compare-pair"))
    pairs.set_value("1 2").run()
    assert not app.exception
    assert (
        ZH("compare.title", first="多建站", second="够得远")
        in list(app.session_state["compare-made"].values())[-1].summary.title
    )


def test_the_indicators_are_the_tables_sums(page):
    for result in results_of(page, "more"):
        rows = {row.indicator.name: row.values[0] for row in rows_of([result])}
        tables = result.tables
        cities, coverage = tables["beds_by_city"], tables["coverage_by_city"]
        objectives = tables["bed_objectives"].set_index("objective").loc["plan"]
        near = tables["catchments"]
        assert rows["beds"] == cities["beds_plan"].sum() and rows["new"] == cities["beds_new"].sum()
        assert rows["per_1000"] == pytest.approx(1000 * rows["beds"] / cities["persons"].sum(), abs=0.005)
        assert rows["uncovered"] == coverage["uncovered"].sum()
        assert rows["moved"] == pytest.approx(objectives["change"], abs=0.5)
        assert rows["cost"] == pytest.approx(objectives["cost"], abs=0.5)
        rural = coverage[coverage["setting"].eq("rural")]
        share = 100 * rural["covered"].sum() / rural["persons"].sum()
        assert rows["rural"] == pytest.approx(share, abs=0.0051)
        mean = (near["km"] * near["persons"]).sum() / near["persons"].sum()
        assert rows["centres"] == pytest.approx(mean, abs=0.051)


def test_best_is_marked_by_word_where_measured_alike(page):
    one, two, far = results_of(page, "more", "reach")
    worse = one.tables["coverage_by_city"].assign(uncovered=lambda table: table["uncovered"] + 1)
    other = replace(two, tables=one.tables | {"coverage_by_city": worse})
    rows = {row.indicator.name: row for row in rows_of([one, other])}
    assert rows["uncovered"].best == (0,) and rows["gini"].best == () and rows["beds"].best == ()
    assert rows_of([other, one])[10].best == (1,) and rows_of([other, one])[10].indicator.name == "uncovered"
    region = compare_pair.region_of(one.scenario.region)
    html = figures_html([one, other], [("甲", "a"), ("乙", HOSTILE)], [region, region], ZH)
    assert html.count(ZH("page_compare.best")) == 1 and "<img" not in html
    assert measures_unlike([one, far]) == ["beds_reach_km"]
    unlike = {row.indicator.name: row for row in rows_of([one, far])}
    assert not unlike["gini"].alike and unlike["gini"].best == () and unlike["uncovered"].alike


def test_nothing_less_than_all_is_called_all(page):
    (one,) = results_of(page)
    coverage = one.tables["coverage_by_city"].assign(persons=10_000_000, covered=9_999_999)
    rows = {
        row.indicator.name: row for row in rows_of([replace(one, tables=one.tables | {"coverage_by_city": coverage})])
    }
    assert rows["urban"].values == (99.99,)


def test_counties_that_change_most_come_first(page):
    one, two = results_of(page, "more")
    beds = two.tables["beds_by_county"].copy()
    beds["beds_plan"] += [0, 5, -9, 0, 4]
    tables = for_reading(compare(one, replace(two, tables=two.tables | {"beds_by_county": beds})))
    assert tables["compared_beds_by_county"]["beds_difference"].tolist() == [-9, 5, 4, 0, 0]
    page_of, _ = sheet_html("compared_beds_by_county", compare_pair.sheets_in(tables), ZH)
    assert "−9" in page_of and "+5" in page_of
    objectives = tables["compared_objectives"].set_index("objective")
    assert objectives.loc["cost", "nature_first"] == "assumed" and objectives.loc["shortfall", "nature_first"] == ""


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_every_sheet_is_drawn_in_both_languages(page, words):
    one, two = results_of(page, "reach")
    made = comparison_of(one, two, words)
    for name in made.named:
        page_of, height = sheet_html(name, compare_pair.sheets_in(made.named), words)
        assert page_of.startswith("<!DOCTYPE html>") and height > 0
        assert words is ZH or "市" not in page_of.split("<body>")[1].split("<script>")[0]
    assert "60" in compare_pair.settings_html(made, words)


# ---- what goes wrong


def test_results_of_different_regions_are_refused_in_one_sentence(page, monkeypatch):
    app, desk, scenarios = page
    answer = desk.study

    def elsewhere(scenario, lang, watcher, first="beds"):
        job = answer(scenario, lang, watcher, first)
        plan = job.result.plan
        other = plan.tables["beds_by_county"].assign(code=lambda table: "9" + table["code"].str[1:])
        moved = replace(plan, tables=plan.tables | {"beds_by_county": other})
        job.result = replace(job.result, plan=moved)
        return job

    monkeypatch.setattr(desk, "study", elsewhere)
    app = compared(page, "more")
    region = scenarios["more"].region
    assert ZH("compare.regions", first=region, second=region) in bench.said(app)


def test_an_interim_result_is_called_so_with_its_gap(page, monkeypatch):
    app, desk, scenarios = page
    answer = desk.study

    def stopped(scenario, lang, watcher, first="beds"):
        job = answer(scenario, lang, watcher, first)
        plan = job.result.plan
        name, proof = next(iter(plan.proofs.items()))
        proofs = plan.proofs | {name: replace(proof, status="interim", gap=0.0123)}
        job.result = replace(job.result, plan=replace(plan, proofs=proofs))
        return job

    monkeypatch.setattr(desk, "study", stopped)
    said = bench.said(compared(page, "more"))
    assert "INTERIM" in said and "1.23%" in said and ZH("compare.interim_second") in said


def test_an_answer_that_is_not_verified_is_none(page):
    app, desk, scenarios = page
    whole = desk.study(scenarios["more"], "zh", "").result
    assert compare_choice.fit(whole)
    assert not compare_choice.fit(replace(whole, checks=None)) and not compare_choice.fit(None)
    failed = replace(whole.checks[0], passed=False)
    assert not compare_choice.fit(replace(whole, checks=(failed, *whole.checks[1:])))


def test_files_that_cannot_be_written_are_told_without_a_traceback(page, monkeypatch):
    app = compared(page, "more")

    def full(*about):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compare_pair, "write_comparison_book", full)
    press(app, "compare-write")
    assert ZH("page_compare.not_written", reason="No space left on device") in bench.said(app)
    assert not list((page[1].folder / "compared").iterdir())


def test_hostile_titles_are_text(page):
    app = compared(page, "hostile")
    bodies = " ".join(element.proto.body for element in app.get("html"))
    assert "<img" not in bodies and "&lt;img src=x onerror=alert(1)&gt;" in bodies
    made = list(app.session_state["compare-made"].values())[-1]
    assert b"<img src=x" not in written(made, page[1].folder, ZH)["map"]


def test_a_kept_scenario_can_be_chosen(page, town_run):
    from planner.ui.settings import scenario_parcel
    from planner.ui.shelf import the_store

    app, desk, scenarios = page
    the_store.clear()
    base = next(iter(scenarios.values()))
    content, files = scenario_parcel(scenarios["more"], base)
    entry = the_store().save(content, files, "存下的").entry
    app.run()
    assert "◆ 存下的" in " ".join(app.multiselect[0].options)
    app.multiselect[0].set_value([("kept", entry.id)]).run()
    assert not app.exception
    the_store.clear()


def test_english_changes_no_figure(page):
    app = compared(page, "more", "reach")
    before = app.session_state["compare-made"]
    tables = list(before.values())[-1].tables
    app.session_state["lang"] = "en"
    app.run()
    assert not app.exception
    after = list(app.session_state["compare-made"].values())[-1]
    assert after.summary.title.startswith("A: ") and EN("page_compare.figures") in bench.said(app)
    for name in tables:
        pd.testing.assert_frame_equal(after.tables[name], tables[name])


def test_every_indicator_has_its_words():
    for words in (ZH, EN):
        for each in INDICATORS:
            for part in (f"indicator.{each.name}", f"how.{each.name}", f"unit.{each.unit}"):
                assert f"page_compare.{part}" in words
    assert Row(INDICATORS[0], (1.0,), (), True).indicator.said(None) == "—"
