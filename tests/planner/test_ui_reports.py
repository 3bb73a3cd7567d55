"""The pages that report: centres, compliance, data and export, on the province of :mod:`tests.town`."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from geo.facilities import load_facilities
from geo.stations import load_stations
from geo.words import LANGUAGES, load_words
from planner.report import write_outputs
from planner.standards import load_standards
from planner.ui import grid
from planner.ui.brought import LARGEST, bring, plain_name, template
from planner.ui.centre_map import centres_first
from planner.ui.centre_parts import bands, mean_km
from planner.ui.clause_sheets import clause_html, matrix_html, rows_html
from planner.ui.clauses import Asked, as_csv, as_workbook, clause_rows, filtered, tally
from planner.ui.desk import DONE, FAILED, Job
from planner.ui.export_parts import FILES, path_of
from planner.ui.worker import in_words, pack, trouble_of, unverified, verified
from tests.planner import page_bench as bench

HOSTILE = '<img src=x onerror="alert(1)">=1+1'
GOOD_STATIONS = (
    "编号,名称,经度,纬度,县代码,救护车\nA1,{name},{lon:.6f},{lat:.6f},140101,3\nA2,乙站,{lon2:.6f},{lat2:.6f},140201,\n"
)
GOOD_FACILITIES = (
    "机构代码,机构名称,县代码,办别,类别,床位,区域中心主体\n"
    "H1,东市医院,140101,市办,综合,100,是\nH2,丁县医院,140201,县办,中医,50,否\n"
)


@pytest.fixture(scope="module")
def answers(town_run):
    """{lang: verified answer of the town}, told in every language."""
    answer = unverified(town_run.plan, town_run.prepared, "zh")
    return verified(in_words(answer, town_run.prepared, "en"), town_run.prepared)


@pytest.fixture
def opened(town_run, tmp_path, monkeypatch):
    def go(page, **more):
        return bench.opened(town_run, tmp_path, monkeypatch, page, **more)

    return go


def stations_file(region, name="甲站"):
    """Return a good list (bytes): a station at the seats of two counties."""
    a, d = region.counties.loc["140101"], region.counties.loc["140201"]
    at = {"lon": a["seat_lon"], "lat": a["seat_lat"], "lon2": d["seat_lon"], "lat2": d["seat_lat"]}
    return GOOD_STATIONS.format(name=name, **at).encode()


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def texts_of(app):
    """Return all that the page's own widgets and HTML say."""
    widgets = (app.selectbox, app.text_input, app.multiselect, app.number_input, app.button, app.button_group)
    return bench.said(app) + " ".join(str(each.label) for kind in widgets for each in kind)


# -- centres -----------------------------------------------------------------------------------------------------------


def test_centres_say_whom_they_serve_and_what_they_cost(opened, town_run):
    app, _ = opened("centres")
    said, near = bench.said(app), town_run.plan.tables["catchments"]
    farthest = near.loc[near["km"].idxmax()]
    assert f"区域医疗中心 {len(town_run.plan.tables['centres'])} 个" in said
    assert f"最远的是{farthest['county']}，{farthest['km']:.1f} 公里" in said
    assert len(bench.frames(app)) == 3  # centres, the free ones, whose county is whose
    assert [pill.label for pill in app.button_group if "只列" in pill.label]


def test_counties_of_one_centre_alone_are_listed_when_it_is_chosen(opened, town_run):
    app, _ = opened("centres")
    centre = town_run.plan.tables["centres"]["city_code"].iloc[0]
    near = town_run.plan.tables["catchments"]
    before = bench.frames(app)[-1]
    app.button_group(key="centres-of-zh").set_value([centre]).run()
    after = bench.frames(app)[-1]
    served = near["centre_city_code"].eq(centre)
    assert all(name in after for name in near.loc[served, "county"])
    assert not any(f">{name}<" in after for name in near.loc[~served, "county"])
    assert all(name in before for name in near["county"])


def test_another_centre_withdraws_the_result(opened):
    app, desk = opened("centres")
    widget = app.multiselect[0]
    other = "140200" if "140200" not in widget.value else "140100"
    widget.set_value([*widget.value, other]).run()
    assert not app.exception
    assert "设置已改动" in bench.said(app) or "不能" in bench.said(app)
    assert len(desk.asked) == 1 and not bench.frames(app)


def test_everybody_is_in_one_band(town_run):
    tables = town_run.plan.tables
    counted = bands(tables)
    everybody = int(tables["catchments"]["persons"].sum())
    assert [sum(row) for row in counted.values()] == [everybody, everybody]
    by_hand = (tables["catchments"]["km"] * tables["catchments"]["persons"]).sum() / everybody
    assert mean_km(tables["catchments"]) == pytest.approx(by_hand)


def test_the_map_of_the_centres_shows_their_catchments_first(answers):
    sheet = centres_first(answers.texts["zh"].view)
    assert 'value="centres" checked' in sheet.margin and 'value="beds" checked' not in sheet.margin
    assert sheet.kind != "plan" and sheet.margin.count('name="fills" value="centres"') == 1


# -- compliance --------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(answers):
    return clause_rows(answers.texts["zh"].tables, load_standards(), load_words("zh"))


def test_every_clause_of_the_plan_is_listed_once(rows, answers):
    tables = answers.texts["zh"].tables
    assert rows["source"].eq("compliance").sum() == len(tables["compliance"])
    assert not rows.duplicated(["group", "area_code"]).any()
    held = tables["bed_rules"]
    for rule in ("specialist", "general_hospital", "tcm_hospital", "infectious_department"):
        assert rows["group"].eq(f"rule {rule}").sum() == held["rule"].eq(rule).sum()
    assert rows["document"].ne("").all() and rows["clause"].ne("").all()


def test_both_languages_hold_the_same_rows_and_figures(rows, answers):
    english = clause_rows(answers.texts["en"].tables, load_standards(), load_words("en"))
    same = [
        "standard_id",
        "document",
        "clause",
        "area_code",
        "unit",
        "now",
        "target",
        "plan",
        "gap",
        "verdict",
        "group",
    ]
    assert rows[same].astype(str).equals(english[same].astype(str))
    assert rows["name"].ne(english["name"]).all()


def test_filters_keep_what_they_name_and_nothing_else(rows):
    words_of = rows["verdict"].iloc[0]
    assert filtered(rows, Asked(verdicts=(words_of,)))["verdict"].eq(words_of).all()
    city = filtered(rows, Asked(city="140100"))
    assert city["city_code"].eq("140100").all() and "140101" in set(city["area_code"])
    assert filtered(rows, Asked(city="province"))["city_code"].eq("").all()
    found = filtered(rows, Asked(text="甲县 急救"))
    assert len(found) and found["area"].eq("甲县").all() and found["name"].str.contains("急救").all()
    assert filtered(rows, Asked(text=".*(")).empty  # sought as it stands, not as a pattern
    assert len(filtered(rows, Asked())) == len(rows) == sum(tally(rows).values())


def test_a_cell_of_the_matrix_stands_for_the_worst_of_its_rows(rows):
    words = load_words("zh")
    changed = rows.copy()
    group = "rule general_hospital"
    one = changed.index[changed["group"].eq(group) & changed["city_code"].eq("140100")][0]
    changed.loc[one, "verdict"] = "unmet"
    page = matrix_html(changed, {"140100": "东市", "140200": "西市"}, words)
    assert "▲ 1/3" in page and "▲ 1/3" not in matrix_html(rows, {"140100": "东市", "140200": "西市"}, words)


def test_names_of_data_are_text_in_every_sheet(rows):
    words = load_words("zh")
    hostile = rows.assign(name=HOSTILE, area=HOSTILE, clause=HOSTILE, document=HOSTILE)
    row = hostile.iloc[0].to_dict()
    pages = [rows_html(hostile, words), matrix_html(hostile, {"140100": HOSTILE}, words)]
    pages.append(clause_html(row, None, [HOSTILE], words))
    for page in pages:
        assert "<img" not in page and "&lt;img" in page


def test_the_files_hold_the_rows_that_are_shown_and_no_formula(rows, answers):
    words = load_words("zh")
    shown = filtered(rows, Asked(city="140200")).assign(name=HOSTILE[-4:])  # "=1+1"
    lines = list(csv.reader(io.StringIO(as_csv(shown, words).decode("utf-8-sig"))))
    assert len(lines) == 1 + len(shown) and all(line[1] == "'=1+1" for line in lines[1:])
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(shown, answers.texts["zh"].summary, ["只列西市"], words)))
    cover, sheet = book.worksheets
    assert any(cell.value == "只列西市" for (cell, *_) in cover.iter_rows())
    names = [row[1].value for row in sheet.iter_rows(min_row=5)]
    assert names == ["=1+1"] * len(shown) and all(row[1].data_type == "s" for row in sheet.iter_rows(min_row=5))


def test_the_page_of_clauses_filters_by_every_widget(opened, rows):
    app, _ = opened("compliance")
    total = f"共 {len(rows)} 项"
    assert f"列出 {len(rows)} 项，{total}" in bench.said(app)
    app.selectbox(key="compliance-city-zh-0").set_value("140200").run()
    city = filtered(rows, Asked(city="140200"))
    assert f"列出 {len(city)} 项，{total}" in bench.said(app)
    app.button_group(key="compliance-verdicts-zh-0").set_value(["met"]).run()
    met = city["verdict"].eq("met").sum()
    assert f"列出 {met} 项，{total}" in bench.said(app)
    app.selectbox(key="compliance-group-zh-0").set_value("table_3").run()
    assert f"列出 1 项，{total}" in bench.said(app)
    assert "每千常住人口床位数" in html_of(app) and "怎样算出" in bench.said(app)  # the one row is read at once
    app.button(key="clear").click().run()
    assert not app.exception and f"列出 {len(rows)} 项" in bench.said(app)
    app.text_input(key="compliance-text-zh-1").set_value("甲县").run()
    assert f"列出 {len(filtered(rows, Asked(text='甲县')))} 项" in bench.said(app)
    app.selectbox(key="compliance-document-zh-1").set_value(rows["document"].iloc[0]).run()
    assert not app.exception


def test_choosing_a_row_shows_its_clause_and_working(opened, rows):
    app, _ = opened("compliance")
    assert "点左表中的一条" in bench.said(app)
    standards = load_standards()
    for group in rows["group"].unique():
        id = rows.index[rows["group"].eq(group)][0]
        app.selectbox(key="compliance-read-zh-0").set_value(id).run()
        assert not app.exception, group
        said, standard = bench.said(app), standards.get(rows.at[id, "standard_id"])
        assert rows.at[id, "clause"] in said and "判断：" in said
        assert standard is None or standard.id in said, group
    vehicles = rows.index[rows["standard_id"].eq("ambulance_per_30000")][0]
    app.selectbox(key="compliance-read-zh-0").set_value(vehicles).run()
    assert "90,000 人 ÷ 30,000 人" in bench.said(app)


def test_a_choice_in_a_table_is_taken_once(monkeypatch):
    state, picked = {"grid": {"picked": {"id": "row\t3", "n": 5}}}, []
    monkeypatch.setattr(grid.st, "session_state", state)
    grid._told("grid", picked.append)
    grid._told("grid", picked.append)
    state["grid"] = {"picked": {"id": "row\t3", "n": 6}}
    grid._told("grid", picked.append)
    state["grid"] = {"picked": None}
    grid._told("grid", picked.append)
    assert picked == ["row\t3", "row\t3"]


def test_a_chosen_cell_filters_and_the_same_again_undoes_it(monkeypatch):
    from planner.ui.pages import compliance

    state = {}
    monkeypatch.setattr(compliance.st, "session_state", state)
    compliance._picked("cell\ttable_3\t140100")
    assert (state[compliance.ASKED].group, state[compliance.ASKED].city) == ("table_3", "140100")
    compliance._picked("cell\ttable_3\t140100")
    assert state[compliance.ASKED] == Asked()
    compliance._picked("row\t7")
    assert state[compliance.ROW] == "7"
    compliance._picked("nonsense")
    assert state[compliance.ASKED] == Asked()


# -- data --------------------------------------------------------------------------------------------------------------


def test_the_data_page_says_what_is_loaded_and_how_it_was_checked(opened, town_run):
    app, _ = opened("data")
    said, plan = bench.said(app), town_run.plan
    assert "2 个市、5 个县" in said and f"{plan.people_in:,}" in said
    assert "人口进出相等" in said
    assert f"{len(town_run.prepared.demand):,} 个" in said and f"{len(town_run.prepared.sites):,} 个" in said
    words = load_words("zh")
    answer = verified(unverified(plan, town_run.prepared, "zh"), town_run.prepared)
    for check in answer.checks:
        assert check.tell(words) in said
    assert words("value.model.centres_free") in said and words("report.setting.urban_km") in said
    for source in town_run.prepared.region.sources["source"].unique():
        assert source in said


def test_every_table_explains_the_nature_of_its_columns(opened):
    app, _ = opened("data")
    for name in ("compliance", "stations", "coverage_by_city", "infectious"):
        app.selectbox(key="data-table-zh").set_value(name).run()
        assert not app.exception
    assert "设定ᵃ：资料未载" in bench.said(app)


def test_settings_that_differ_alone_are_listed(opened):
    app, _ = opened("data")
    app.toggle(key="data-changed-only").set_value(True).run()
    assert not app.exception


def test_a_good_list_is_read_wholly_and_used(opened, town_run):
    app, desk = opened("data")
    region = town_run.prepared.region
    app.file_uploader(key="data-file-stations").set_value(("我的名单.csv", stations_file(region, HOSTILE), "text/csv"))
    app.run()
    said = bench.said(app)
    assert not app.exception
    assert "读入 2 个急救站，分布在 2 个市、2 个县" in said and "1 个站没有写救护车数" in said
    assert "<img" not in html_of(app) and "&lt;img" in html_of(app)
    app.button(key="use-stations").click().run()
    assert not app.exception
    path = app.session_state["changes"]["existing_stations"]
    assert Path(path).is_relative_to(desk.folder) and len(load_stations(path, region)) == 2
    assert "已放入设置" in bench.said(app) and "我的名单.csv" in bench.said(app)
    app.button(key="undo-stations").click().run()
    assert app.session_state["changes"] == {}


def test_a_bad_list_is_refused_with_every_fault_in_a_table(opened, town_run):
    app, _ = opened("data")
    name = HOSTILE.replace('"', "")
    bad = f"名称,经度,纬度,救护车\n{name},abc,37.8,三辆\n甲站,,37.1,2\n".encode()
    app.file_uploader(key="data-file-stations").set_value(("坏<b>.csv", bad, "text/csv")).run()
    assert not app.exception
    said = bench.said(app)
    assert "3 处问题，没有采用" in said and "abc" in said and "三辆" in said
    assert not [button for button in app.button if button.key == "use-stations"]
    assert "坏<b>" not in html_of(app) and "changes" in app.session_state and app.session_state["changes"] == {}


def test_a_table_of_hospitals_is_read_and_used(opened, town_run):
    app, desk = opened("data")
    app.button_group(key="data-kind-zh").set_value("facilities").run()
    app.file_uploader(key="data-file-facilities").set_value(
        ("机构.csv", GOOD_FACILITIES.encode("gbk"), "text/csv")
    ).run()
    assert not app.exception and "读入 2 个机构、150 张床位" in bench.said(app)
    app.button(key="use-facilities").click().run()
    assert not app.exception
    assert len(load_facilities(app.session_state["changes"]["facilities"], town_run.prepared.region)) == 2


def test_what_is_no_road_file_is_refused(opened):
    app, _ = opened("data")
    app.button_group(key="data-kind-zh").set_value("roads").run()
    app.file_uploader(key="data-file-roads").set_value(("路.gpkg", b"nothing at all", "")).run()
    assert not app.exception and "没有采用" in bench.said(app)


class Folder:
    def __init__(self, folder):
        self.folder = folder


@pytest.mark.parametrize("kind", ("stations", "facilities", "roads"))
def test_what_is_too_large_is_not_even_read(kind, tmp_path, town_run):
    brought = bring(Folder(tmp_path), kind, "x.csv", b" " * (LARGEST[kind] + 1), town_run.prepared.region)
    assert [fault.key for fault in brought.faults] == ["brought_large"] and not list(tmp_path.iterdir())


def test_a_list_of_an_online_map_is_kept_in_converted_form(tmp_path, town_run):
    region = town_run.prepared.region
    content = stations_file(region)
    as_is = bring(Folder(tmp_path), "stations", "a.csv", content, region, datum="wgs84")
    moved = bring(Folder(tmp_path), "stations", "a.csv", content, region, datum="gcj02")
    assert not as_is.faults and not moved.faults
    kept = load_stations(moved.path, region, datum="wgs84")
    assert len(kept) == 2 and (kept["lon"] != load_stations(as_is.path, region, datum="wgs84")["lon"]).all()
    assert kept["lon"].tolist() == moved.rows["lon"].tolist() and moved.name == "a.csv"


def test_templates_have_the_headings_that_the_readers_take(tmp_path, town_run):
    region = town_run.prepared.region
    lines = stations_file(region).decode().splitlines()[1:]
    filled = template("stations").decode("utf-8-sig") + "\n".join(lines) + "\n"
    assert not bring(Folder(tmp_path), "stations", "t.csv", filled.encode(), region).faults
    heads = template("facilities").decode("utf-8-sig").strip().split(",")
    rows = {"机构代码": "H1", "机构名称": "医院", "县代码": "140101", "办别": "市办", "类别": "综合", "床位": "10"}
    filled = ",".join(heads) + "\n" + ",".join(rows.get(head, "") for head in heads) + "\n"
    assert not bring(Folder(tmp_path), "facilities", "t.csv", filled.encode(), region).faults


@pytest.mark.parametrize("name", ("../../etc/passwd", "C:\\x\\a.csv", "", "…" * 300 + ".csv", "a\0b\n.csv", "<b>.csv"))
def test_no_name_of_a_file_leads_elsewhere(name, tmp_path, town_run):
    brought = bring(
        Folder(tmp_path), "stations", name, stations_file(town_run.prepared.region), town_run.prepared.region
    )
    if name.endswith(".csv"):
        assert not brought.faults and Path(brought.path).resolve().is_relative_to(tmp_path.resolve())
    else:  # a scenario could not be kept with it
        assert [fault.key for fault in brought.faults] == ["brought_kind"] and not list(tmp_path.iterdir())
    assert not set(plain_name(name)) & set('/\\<>:"|?*\0\n')


# -- export ------------------------------------------------------------------------------------------------------------


def written(town_run, tmp_path, monkeypatch, opened, **more):
    """Open the page of a desk whose files are written at once; return (app, desk, folder)."""
    app, desk = opened("overview", **more)
    folder = tmp_path / "out"
    asked = []

    def files(study, lang, watcher, scenario=None):
        asked.append((study, lang))
        job = Job("files", 1, ("files", study.result, lang, str(folder)), study.key, 60.0)
        if not folder.exists():
            write_outputs(study.result.plan, town_run.prepared, folder, load_words(lang))
            pack(folder, folder.with_suffix(".zip"))
        job.result, job.state = folder, DONE
        return job

    desk.files = files
    desk.wanted = asked
    return app, desk, folder


def files_of(app):
    """{key: button} of the page's own downloads."""
    return {button.key: button for button in app.get("download_button") if button.key.startswith("file-")}


def test_files_are_made_when_the_page_is_opened_and_handed_out(town_run, tmp_path, monkeypatch, opened):
    app, desk, folder = written(town_run, tmp_path, monkeypatch, opened)
    assert not desk.wanted
    bench.visit(app, "export")
    assert len(desk.wanted) == 1 and desk.wanted[0][1] == "zh"
    buttons = files_of(app)
    assert {f"file-{label}" for label in FILES} | {"file-scenario"} <= set(buttons)
    assert not any(button.proto.disabled for button in buttons.values())
    assert all(path_of(folder, label).stat().st_size > 1000 for label in FILES)
    assert "文件已备好" in bench.said(app) and "MB" in bench.said(app) or "KB" in bench.said(app)
    summary = in_words(desk.wanted[0][0].result, town_run.prepared, "zh").texts["zh"].summary
    assert app.code[0].value == "\n".join(summary.headline)


def test_files_that_are_not_there_yet_are_said_to_be_under_way(opened):
    app, _ = opened("export")
    assert "正在制作文件" in bench.said(app)
    disabled = {key: button.proto.disabled for key, button in files_of(app).items()}
    assert disabled.pop("file-scenario") is False and all(disabled.values()) and len(disabled) == len(FILES)


def test_files_wait_for_the_full_answer(opened):
    app, desk = opened("overview")
    study = app.session_state["job"]
    study.whole = Job("full", 1, ("full", study.scenario, "zh"), study.key, 60.0, state="running")
    study.result = replace(study.result, full=False)
    bench.visit(app, "export")
    assert "按完整的结果制作" in bench.said(app)
    assert all(button.proto.disabled for key, button in files_of(app).items() if key != "file-scenario")


def test_an_interim_answer_is_exported_as_interim(town_run, tmp_path, monkeypatch, opened):
    def stopped(plan):
        proofs = {name: replace(proof) for name, proof in plan.proofs.items()}
        proof = proofs["centres_free"]
        proofs["centres_free"] = replace(proof, status="interim", bound=proof.bound * 0.9, gap=0.1)
        return replace(plan, proofs=proofs)

    app, desk, _ = written(town_run, tmp_path, monkeypatch, opened, spoil=stopped)
    bench.visit(app, "export")
    assert "这是中间结果" in bench.said(app) and "INTERIM" in bench.said(app)
    assert "INTERIM" in app.code[0].value or "中间" in app.code[0].value


def test_files_that_failed_say_why_and_can_be_asked_for_again(opened):
    app, desk = opened("overview")

    def files(study, lang, watcher, scenario=None):
        job = Job("files", 1, ("files", study.result, lang, ""), study.key, 60.0)
        job.trouble, job.state = trouble_of(OSError(28, "<b>disk full</b>")), FAILED
        return job

    desk.files = files
    bench.visit(app, "export")
    assert "文件没有写成" in bench.said(app) and "<b>disk" not in html_of(app) and "disk full" in bench.said(app)
    app.button(key="files-again").click().run()
    assert not app.exception


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ("centres", "compliance", "data", "export"))
def test_pages_speak_both_languages_and_show_hostile_titles_as_text(page, opened):
    app, _ = opened(page, title=HOSTILE)
    assert "<img" not in html_of(app) and "&lt;img" in html_of(app)
    app.button_group(key="lang").set_value("en").run()
    assert not app.exception and "<img" not in html_of(app)


@pytest.mark.parametrize("page", ("centres", "compliance", "data", "export"))
def test_every_word_of_a_page_is_in_both_languages(page):
    zh, en = (set(load_words(lang).section(f"page_{page}")) for lang in LANGUAGES)
    assert zh == en and zh
    holes = {
        lang: {key: sorted(_holes(text)) for key, text in load_words(lang).section(f"page_{page}").items()}
        for lang in LANGUAGES
    }
    assert holes["zh"] == holes["en"]


def _holes(text):
    import string

    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
