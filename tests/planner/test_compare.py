"""Two results side by side: differences on paper, refusals in one sentence, a folder that is whole or not there."""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import planner.compare
from geo.region import load_region
from geo.words import load_words
from planner.compare import (
    CannotCompare,
    check_comparison_out,
    compare,
    difference_view,
    differences,
    question_rows,
    read_result,
    summarise_comparison,
    up_to_date,
    write_comparison,
)
from planner.report import OutRefused, outputs, write_outputs
from planner.report.columns import COMPARED
from planner.report.manifest import inputs_of
from planner.report.tables import absent, read_csv
from planner.report.workbook import HEADER_ROWS, word
from planner.scenario import load_scenario, vary
from planner.standards import load_standards
from planner.telling import comparison_lines
from tests.planner.small_plan import small_plan

ZH, EN = load_words("zh"), load_words("en")


@dataclass(frozen=True)
class Said:
    """A check that passed: what the verifier says is the verifier's own matter."""

    name: str = "people"
    passed: bool = True

    def tell(self, words):
        return self.name


def quick_outputs(patch):
    """Leave out of a folder what takes long and what no comparison reads."""
    patch.setattr(outputs, "verify_plan", lambda *a, **k: [Said()])
    patch.setattr(outputs, "map_html", lambda view: "<p>map</p>")
    patch.setattr(outputs, "write_layers", lambda plan, tables, prepared, path, words: path.write_bytes(b"GPKG"))
    patch.setattr(outputs, "plan_sheet", lambda view, pdf, png, data_date="": (pdf.touch(), png.touch()))
    patch.setattr(outputs, "draw_curve", lambda curve, title, rule, path, words: path.touch())


def publish(folder, change=lambda tables: {}, interim=False, **settings):
    """Write a small plan's folder; ``change`` alters its tables, ``settings`` its scenario. Returns the folder."""
    plan, prepared = small_plan(interim=interim)
    plan.scenario = vary(plan.scenario, name=folder.name, **settings)
    plan.tables = plan.tables | change(plan.tables)
    write_outputs(plan, prepared, folder, ZH)
    return folder


@pytest.fixture
def published(monkeypatch, tmp_path):
    """Return ``published(name, ...)``: :func:`publish` into a folder of this test."""
    quick_outputs(monkeypatch)
    return lambda name, *args, **settings: publish(tmp_path / name, *args, **settings)


def moved_beds(tables):
    """Ten beds from the western county to the eastern, one more rule bent, one station more."""
    county, city = tables["beds_by_county"].copy(), tables["beds_by_city"].copy()
    county["beds_plan"] += [10, -10, 0]
    county["plan_per_1000"] = county["beds_plan"] * 1000 / county["persons"]
    rules = tables["bed_rules"].copy()
    rules.loc[3, ["got", "bent", "verdict"]] = [11, 2, "unmet"]
    access = tables["access_summary"].copy()
    access.loc[2, ["gini", "worst_per_1000"]] = [0.0275, 7.75]
    fleet = tables["ambulances_by_city"].copy()
    fleet["stations"] += [0, 1]
    objectives = tables["bed_objectives"].copy()
    objectives.loc[0, ["shortfall", "worst"]] = [6.5, 7.75]
    return {
        "beds_by_county": county,
        "beds_by_city": city,
        "bed_rules": rules.iloc[1:],  # the first rule is not asked for there
        "access_summary": access,
        "ambulances_by_city": fleet,
        "bed_objectives": objectives,
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The folders ``one`` and ``two``, written once. Shared: each test has copies."""
    home = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        quick_outputs(patch)
        publish(home / "one")
        publish(home / "two", moved_beds, beds_reach_km=40.0)
    return home


@pytest.fixture
def pair(both, monkeypatch, tmp_path):
    quick_outputs(monkeypatch)
    return tuple(read_result(shutil.copytree(both / name, tmp_path / name)) for name in ("one", "two"))


def small_region():
    plan, prepared = small_plan()
    return prepared.region, prepared.standards


def written(pair, out, words=ZH):
    region, standards = small_region()
    tables = compare(*pair)
    summary = summarise_comparison(*pair, tables, region, standards, words)
    return write_comparison(*pair, tables, summary, region, out, words)


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- what differs


def test_differences_on_paper(pair):
    tables = compare(*pair)
    assert set(tables) == set(COMPARED)
    county = tables["compared_beds_by_county"].set_index("code")
    assert county["beds_difference"].tolist() == [10, -10, 0]
    assert county.loc["140101", ["per_1000_first", "per_1000_second"]].tolist() == [11.0, 11.26]
    assert county.loc["140101", "per_1000_difference"] == 0.26
    assert tables["compared_beds_by_city"]["beds_difference"].tolist() == [0, 0]
    emergency = tables["compared_emergency"].set_index("code")
    assert emergency["stations_difference"].tolist() == [0, 1]
    assert emergency["uncovered_second"].tolist() == [0, 999]
    access = tables["compared_access"].set_index("split").loc["plan"]
    assert (access["gini_difference"], access["worst_difference"]) == (-0.0025, 0.35)
    assert access["worst_county_first"] == "西县"
    objectives = tables["compared_objectives"].set_index("objective")
    assert objectives.loc["shortfall", ["first", "second", "difference", "unit"]].tolist() == [4.5, 6.5, 2.0, "beds"]
    assert objectives.loc["cost", "difference"] == 0


def test_only_rules_that_one_of_them_bends_are_listed(pair):
    rules = compare(*pair)["compared_rules"]
    rows = rules[["rule", "area_code", "bent_first", "bent_second", "bent_difference"]].values.tolist()
    assert rows == [["tcm", "140100", 4.5, 4.5, 0.0], ["tcm", "140200", 0.0, 2.0, 2.0]]


def test_a_rule_that_one_of_them_does_not_have_is_absent_there(pair):
    first, second = pair
    rules = first.tables["bed_rules"]
    alone = rules.assign(bent=[3.0, 0, 0, 0])
    row = compare(replace(first, tables=first.tables | {"bed_rules": alone}), second)["compared_rules"].iloc[0]
    assert row["rule"] == "total" and row["bent_first"] == 3
    assert absent(row["bent_second"]) and absent(row["bent_difference"])


def test_the_other_way_round_every_difference_changes_its_sign(pair):
    there, back = compare(*pair), compare(*pair[::-1])
    for name, table in COMPARED.items():
        for column in table.columns:
            if column.endswith("difference"):
                pd.testing.assert_series_equal(there[name][column], -back[name][column], obj=f"{name}.{column}")


def test_a_result_differs_in_nothing_from_itself(pair):
    tables = compare(pair[0], pair[0])
    for name, table in COMPARED.items():
        for column in table.columns:
            if column.endswith("difference"):
                assert (tables[name][column].dropna() == 0).all()  # nobody lives in one county: no access there
    assert question_rows(pair[0], pair[0], ZH) == []
    region, standards = small_region()
    said = summarise_comparison(pair[0], pair[0], tables, region, standards, ZH).headline
    assert said[1] == ZH("compare.say_counties_same")


def test_the_questions_are_held_against_each_other(pair):
    first, second = pair
    (each,) = differences(first.scenario, second.scenario)
    assert (each.key, each.old, each.new) == ("beds.reach_km", "30", "40")
    assert question_rows(first, second, EN) == [(EN("report.setting.beds_reach_km"), "30", "40")]
    inputs = {"region": {"counties.csv": "f" * 64}, "facilities": {"hospitals.csv": "e" * 64}}
    other = replace(second, manifest=second.manifest | {"inputs": inputs})
    digests = [ZH("compare.content", digest=digest) for digest in ("0" * 8, "f" * 8)]
    assert question_rows(first, other, ZH)[1:] == [(ZH("compare.input", name="counties.csv"), *digests)]


def test_targets_of_a_city_are_told_by_its_code(pair):
    first, second = pair
    changed = vary(second.scenario, bed_targets=second.scenario.bed_targets | {"140200": Fraction(8)})
    rows = question_rows(first, replace(second, scenario=changed), ZH)
    assert (f"{ZH('report.setting.bed_targets')} · 140200", "7.5", "8") in rows


# ---- what cannot be compared


def test_a_folder_that_no_run_wrote_is_refused(tmp_path):
    for make in (lambda path: None, lambda path: path.mkdir(), lambda path: (path / "manifest.json").write_text("[")):
        make(tmp_path / "x")
        with pytest.raises(CannotCompare) as refused:
            read_result(tmp_path / "x")
        assert refused.value.key == "no_result" and refused.value.exit_code == 2
        assert str(tmp_path / "x") in refused.value.tell(ZH) and str(tmp_path / "x") in refused.value.tell(EN)


@pytest.mark.parametrize("harm", [lambda path: path.write_text("code\n"), Path.unlink])
def test_a_changed_or_lost_file_is_refused_by_name(published, harm):
    out = published("one")
    harm(out / "tables" / "beds_by_city.csv")
    with pytest.raises(CannotCompare) as refused:
        read_result(out)
    assert refused.value.key == "changed" and "tables/beds_by_city.csv" in refused.value.tell(ZH)


def test_a_result_of_a_version_with_other_tables_is_refused(published):
    out = published("one")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    del manifest["files"]["tables/access_summary.csv"]
    (out / "tables" / "access_summary.csv").unlink()
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(CannotCompare) as refused:
        read_result(out)
    assert refused.value.key == "other_version"


def test_results_of_different_regions_are_refused(pair):
    first, second = pair
    county = second.tables["beds_by_county"].assign(code=["150101", "150102", "150201"])
    with pytest.raises(CannotCompare) as refused:
        compare(first, replace(second, tables=second.tables | {"beds_by_county": county}))
    assert refused.value.key == "regions" and "small" in refused.value.tell(EN)


def test_a_region_that_lost_its_places_is_refused(pair):
    region, standards = small_region()
    region = replace(region, counties=region.counties.iloc[1:])
    with pytest.raises(CannotCompare) as refused:
        summarise_comparison(*pair, compare(*pair), region, standards, ZH)
    assert refused.value.key == "region_changed"


# ---- the folder


def test_the_folder_holds_tables_workbook_map_and_hashes(pair, tmp_path):
    out = tmp_path / "deep" / "compared"
    manifest = written(pair, out)
    files = bytes_of(out)
    assert json.loads(files.pop("manifest.json")) == manifest
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert set(files) == {"compare.xlsx", "map.html", *(f"tables/{name}.csv" for name in COMPARED)}
    assert [manifest["comparison"][side]["scenario"] for side in ("first", "second")] == ["one", "two"]
    assert manifest["differences"] == [{"key": "beds.reach_km", "old": "30", "new": "40"}]
    assert str(tmp_path) not in json.dumps(manifest) + files["map.html"].decode("utf-8")
    for name, frame in compare(*pair).items():
        pd.testing.assert_frame_equal(read_csv(name, out / "tables" / f"{name}.csv"), frame)


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_the_workbook_equals_the_tables(pair, tmp_path, words):
    written(pair, tmp_path / "out", words)
    book = openpyxl.load_workbook(tmp_path / "out" / "compare.xlsx")
    for sheet, (name, frame) in zip(book.worksheets[1:], compare(*pair).items(), strict=True):
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=HEADER_ROWS)]
        assert tuple(rows[0]) == COMPARED[name].columns
        for row, values in zip(rows[1:], frame.to_dict("records"), strict=False):
            for column, found in zip(COMPARED[name].columns, row, strict=True):
                value = values[column]
                if COMPARED[name].kind(column) == "word":
                    value = word(column, value, words)
                assert found == (words("report.absent") if absent(value) else value), (name, column)
        assert len(rows) - 1 - len(frame) == (1 if COMPARED[name].totals else 0)
    city = {cell.value: cell.column for cell in book.worksheets[1][HEADER_ROWS]}
    last = book.worksheets[1].max_row
    total = {name: book.worksheets[1].cell(last, column).value for name, column in city.items()}
    assert (total["beds_first"], total["beds_second"], total["per_1000_second"]) == (893, 893, 10.38)
    cover = "\n".join(str(c.value) for row in book.worksheets[0].iter_rows() for c in row if c.value)
    assert words("report.setting.beds_reach_km") in cover and words("column.second") in cover


def test_the_language_changes_no_table_and_the_same_two_give_the_same_bytes(pair, tmp_path):
    for name, words in (("one-two", ZH), ("again", ZH), ("english", EN)):
        written(pair, tmp_path / name, words)
    first, again, english = (bytes_of(tmp_path / name) for name in ("one-two", "again", "english"))
    assert first == again
    assert all(first[name] == english[name] for name in first if name.startswith("tables/"))
    assert "County 140101" in english["map.html"].decode("utf-8")


def test_the_map_is_the_plans_map_of_differences(pair):
    region, standards = small_region()
    tables = compare(*pair)
    summary = summarise_comparison(*pair, tables, region, standards, ZH)
    view = difference_view(tables, region, summary, ZH)
    counties = view.counties.set_index("code")
    assert counties.loc["140102", ["name", "city", "beds_difference"]].tolist() == ["西县", "甲市", -10]
    assert view.counties.crs.to_epsg() == 4490 and view.cities["lon"].notna().all()
    assert (
        view.notes == summary.headline and "东县 10 张" in summary.headline[1] and "西县 10 张" in summary.headline[1]
    )


def test_an_unproven_side_says_so(published, tmp_path):
    one, two = read_result(published("one")), read_result(published("two", interim=True))
    assert (one.stopped, two.stopped) == (False, True)
    region, standards = small_region()
    summary = summarise_comparison(one, two, compare(one, two), region, standards, EN)
    assert "B is INTERIM" in summary.interim
    view = difference_view(compare(one, two), region, summary, EN)
    assert view.notes[0] == summary.interim
    assert summarise_comparison(two, two, compare(two, two), region, standards, EN).interim.startswith("A and B")


def test_a_plan_is_never_replaced_by_a_comparison(pair, published, tmp_path):
    other = published("three")
    before = {name: bytes_of(tmp_path / name) for name in ("one", "two", "three")}
    for out in (pair[0].folder, pair[1].folder, other):
        with pytest.raises(OutRefused) as refused:
            written(pair, out)
        assert refused.value.key == "out_is_a_plan" and str(out) in refused.value.tell(ZH)
    assert {name: bytes_of(tmp_path / name) for name in before} == before
    written(pair, tmp_path / "compared")
    check_comparison_out(tmp_path / "compared", ())
    written(pair, tmp_path / "compared", EN)
    assert json.loads((tmp_path / "compared" / "manifest.json").read_text("utf-8"))["language"] == "en"


def test_a_comparison_that_fails_leaves_the_old_one(pair, tmp_path, monkeypatch):
    out = tmp_path / "compared"
    written(pair, out)
    before = bytes_of(out)
    monkeypatch.setattr(planner.compare, "difference_html", lambda view: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError):
        written(pair, out, EN)
    assert bytes_of(out) == before
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["compared", "one", "two"]


# ---- a result that answers already


@pytest.fixture(scope="module")
def shanxi():
    return load_region("shanxi"), load_standards()


@pytest.fixture
def answered(published, shanxi):
    """The small plan's folder, claiming to answer the shipped scenario from the shipped data."""
    region, standards = shanxi
    scenario = load_scenario("shanxi-2025")
    out = published("answered")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    manifest |= {"scenario": scenario.as_dict(), "inputs": inputs_of(region, standards, scenario)}
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return out, scenario, manifest


def test_a_result_of_the_same_question_and_data_is_taken_as_it_is(answered, shanxi):
    out, scenario, _ = answered
    assert up_to_date(out, scenario, *shanxi).folder == out


def test_a_result_of_another_question_data_or_version_is_not(answered, shanxi, tmp_path):
    out, scenario, manifest = answered
    region, standards = shanxi
    assert up_to_date(out, vary(scenario, beds_reach_km=31.0), region, standards) is None
    assert up_to_date(out, scenario, replace(region, digest={"counties.csv": ""}), standards) is None
    assert up_to_date(tmp_path / "nowhere", scenario, region, standards) is None
    stopped = manifest["proofs"] | {"beds": manifest["proofs"]["beds"] | {"status": "interim"}}
    for change in ({"jinyi": "0.0.0"}, {"proofs": stopped}):
        (out / "manifest.json").write_text(json.dumps(manifest | change), "utf-8")
        assert up_to_date(out, scenario, region, standards) is None
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (out / "map.html").write_text("touched")
    assert up_to_date(out, scenario, region, standards) is None


def test_the_facility_table_is_one_of_the_inputs(shanxi, tmp_path):
    table = tmp_path / "hospitals.csv"
    shutil.copy(next(Path(load_scenario("hospital-freezes").facilities).parent.glob("hospitals-example.csv")), table)
    scenario = vary(load_scenario("hospital-freezes"), facilities=str(table))
    before = inputs_of(*shanxi, scenario)["facilities"]
    assert before == {"hospitals.csv": hashlib.sha256(table.read_bytes()).hexdigest()}
    table.write_text(table.read_text("utf-8-sig") + "\n", "utf-8-sig")
    assert inputs_of(*shanxi, scenario)["facilities"] != before


# ---- on the terminal


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_the_main_differences_are_told(pair, words):
    region, standards = small_region()
    tables = compare(*pair)
    summary = summarise_comparison(*pair, tables, region, standards, words)
    lines = comparison_lines(*pair, tables, summary, region, words)
    said = "\n".join(lines)
    names = region.counties["name" if words is ZH else "name_en"]
    for part in (summary.title, names["140101"], "+10", "-10", "4.5", "0.0300 → 0.0275", "7.40 → 7.75", "4 → 5"):
        assert part in said
    assert len(lines) <= 100 and all(line == line.rstrip() for line in lines)
    if words is EN:
        assert "西县" not in said and "甲" not in said
