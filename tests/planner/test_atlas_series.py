"""The atlas of a plan: which sheets, what each says of the plan, the same bytes however it is drawn, or nothing."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

from geo import theme
from geo.atlas import Atlas, compose
from geo.atlas_views import Imprint
from geo.faults import Rejected
from geo.press import printing
from geo.words import load_words
from planner.documents.atlas import Cancelled, write_atlas, write_figures
from planner.documents.atlas.series import THEMES, series_of, sheets, spec_of, view_of_sheet
from planner.documents.source import Source
from planner.report.names import in_language
from planner.report.summary import summarise
from planner.report.tables import published
from tests.geo.test_atlas import assert_clear
from tests.planner.small_plan import small_plan

pypdf = pytest.importorskip("pypdf")

ZH, EN = load_words("zh"), load_words("en")
FEW = ("beds_now", "stations_urban", "centres")
WHOLE, FIRST, SECOND = "140000", "140100", "140200"


def source_of(words=ZH, names=None, *, interim=False):
    """Return a :class:`Source` of the small plan, which no run has published."""
    plan, prepared = small_plan(names, interim=interim)
    plan.notes = ()
    whole = prepared.region.province.assign(code=WHOLE, name="小省").set_index("code")
    prepared.region = replace(prepared.region, province=whole)
    return unpublished(plan, prepared, words)


def unpublished(plan, prepared, words):
    tables, cleaned = published(plan.tables)
    plan = SimpleNamespace(**vars(plan) | {"tables": tables})
    return Source(
        plan=plan,
        prepared=prepared,
        said=in_language(tables, prepared, words),
        summary=summarise(plan, tables, prepared, words),
        checks=(),
        cleaned=tuple(cleaned),
        fingerprint="0123456789abcdef",
        words=words,
        result=None,
    )


@pytest.fixture(scope="module")
def source():
    return source_of()


@pytest.fixture(scope="module")
def compared(source):
    return replace(source, against=source)


def test_sheets_are_numbered_by_theme_and_ordered_by_area(source, compared):
    listed = sheets(source)
    assert [spec.code for spec in listed] == [code for code in (WHOLE, FIRST, SECOND) for _ in range(9)]
    assert [spec.number for spec in listed[:9]] == list(range(1, 10))
    assert listed[2].stem == "140000小省03床位密度变化"
    assert [spec.theme for spec in sheets(compared, city=SECOND)] == list(THEMES)
    assert "difference" not in {spec.theme for spec in sheets(source, city=SECOND)}


def test_every_sheet_of_a_theme_has_the_same_classes_and_counts_its_own_counties():
    given = replace(source_of(EN), against=source_of(EN))
    counties = {WHOLE: 3, FIRST: 2, SECOND: 1}
    for name in THEMES:
        views = {code: view_of_sheet(given, spec_of(given, name, code)) for code in counties}
        classes = {code: [row for row in view.keys[0].rows if row.fill] for code, view in views.items()}
        assert len({tuple((row.said, row.fill) for row in rows) for rows in classes.values()}) == 1, name
        if name not in ("stations_urban", "stations_rural", "centres"):
            assert {code: sum(int(row.count) for row in rows) for code, rows in classes.items()} == counties, name
        for code, view in views.items():
            assert len(view.figures) == counties[code] and set(view.fills) == set(given.region.counties.index)
            assert bool(view.city_figures) <= (code == WHOLE)


def test_figures_are_those_of_the_tables(source, compared):
    def figures(name, given=source, code=WHOLE):
        return view_of_sheet(given, spec_of(given, name, code)).figures

    beds = source.tables["beds_by_county"].set_index("code")
    assert figures("beds_plan") == {code: theme.figure(value) for code, value in beds["plan_per_1000"].items()}
    assert figures("access")["140201"] == "—", "no data is no zero"
    change = {
        code: theme.figure(value, signed=True)
        for code, value in (beds["plan_per_1000"] - beds["now_per_1000"]).round(2).items()
    }
    assert figures("beds_change") == change
    assert set(figures("difference", compared).values()) == {"0.00"}
    assert figures("ambulances") == {"140101": "2 辆", "140102": "1 辆", "140201": "2 辆"}
    assert figures("stations_rural", code=SECOND) == {"140201": "2 站 85.7%"}


def test_people_beyond_the_standard_are_told_for_today_and_for_the_plan(source):
    view = view_of_sheet(source, spec_of(source, "uncovered", WHOLE))
    now, rural, urban = view.keys[1].rows
    assert (rural.count, urban.count) == ("999", "0")
    covered = source.tables["coverage_by_county"]
    assert now.count == theme.figure((covered["persons"] - covered["covered_now"]).sum(), 0)
    assert view.counted and [len(signs.lon) for signs in view.signs] == [1]


def test_modelled_figures_are_marked(source):
    for name, marked in {"beds_now": True, "beds_plan": False, "access": True, "uncovered": True}.items():
        heading = view_of_sheet(source, spec_of(source, name, WHOLE)).keys[0].title
        assert heading.endswith("ᵐ") is marked, name
    stations = view_of_sheet(source, spec_of(source, "stations_urban", WHOLE)).keys[0].rows[0].said
    assert stations.endswith("ᵃ")


@pytest.fixture(scope="module")
def few():
    """For as long as a test runs an atlas has three themes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "planner.documents.atlas.sheets",
            lambda source, city: [spec_of(source, name, city or WHOLE) for name in FEW],
        )
        yield


@pytest.fixture(scope="module")
def atlas(source, tmp_path_factory, few):
    folder = tmp_path_factory.mktemp("atlas")
    told = []
    how = {"paper": "A4", "dpi": 40, "imprint": Imprint("省规划处", "2026-11"), "processes": 1}
    files = write_atlas(source, folder, city=SECOND, progress=lambda *about: told.append(about), **how)["files"]
    return folder, files, told


def test_an_atlas_is_every_sheet_three_times_and_one_pdf_with_bookmarks(atlas, source):
    folder, files, told = atlas
    assert sorted(files) == sorted(folder.iterdir()) and len(files) == 1 + 3 * 3
    assert told[0] == ("atlas", 0, 3) and told[-1] == ("atlas", 3, 3)
    whole = pypdf.PdfReader(files[0])
    assert files[0].name == "140200乙市00图集.pdf" and len(whole.pages) == 3
    (area, themes) = whole.outline
    assert area.title == "乙市" and [mark.title for mark in themes][:2] == ["01 现状床位密度", "05 急救站与城镇覆盖"]
    assert whole.get_destination_page_number(themes[1]) == 1
    assert whole.metadata.title == "乙市图集" and whole.metadata.author == "省规划处"
    assert "/CreationDate" not in whole.metadata and "/ModDate" not in whole.metadata
    page = whole.pages[1].extract_text()
    for said in ("北县", "省规划处", "2026-11", "审图号", "内部工作底图，未经审核，不得公开", "距离规则"):
        assert said in page


def test_bytes_do_not_depend_on_how_many_draw(atlas, source, tmp_path):
    folder, files, _ = atlas
    how = {"paper": "A4", "dpi": 40, "imprint": Imprint("省规划处", "2026-11"), "processes": 2}
    again = write_atlas(source, tmp_path, city=SECOND, **how)["files"]
    assert [path.name for path in again] == [path.name for path in files]
    for path in files:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("processes", [1, 2])
def test_whoever_stops_gets_nothing(source, few, tmp_path, processes):
    stop = threading.Event()
    with pytest.raises(Cancelled):
        write_atlas(
            source, tmp_path, city=SECOND, formats=("pdf",), processes=processes, cancel=stop,
            progress=lambda stage, done, total: done and stop.set(),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_cannot_be_printed_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(Rejected) as refused:
        write_atlas(source_of(names={"140101": "\U00020bb7县"}), tmp_path / "atlas", processes=1)
    assert not (tmp_path / "atlas").exists()
    assert all("U+20BB7" in refused.value.faults[0].tell(words) for words in (ZH, EN))


def test_what_is_not_known_is_refused_with_what_is(source, tmp_path):
    for wrong in ({"paper": "A5"}, {"orientation": "up"}, {"formats": ("jpg",)}):
        with pytest.raises(Rejected) as refused:
            write_atlas(source, tmp_path, **wrong)
        assert all(refused.value.faults[0].tell(words) for words in (ZH, EN))


def test_an_interim_plan_and_cleaned_names_are_told_on_every_sheet():
    series = series_of(source_of(names={"140101": "东\x00县"}, interim=True))
    assert series.interim and "\x00" not in "".join(series.counties["name"])
    assert "控制字符" in series.notes[0]


def test_figures_for_a_document_are_as_wide_as_its_text(source, tmp_path):
    drawn = write_figures(source, tmp_path, themes=("beds_change", "difference"), dpi=100, processes=1)
    assert list(drawn) == ["beds_change"], "without another plan there is no difference"
    with Image.open(drawn["beds_change"]) as image:
        wide, high = (side / 100 * 25.4 for side in image.size)
    assert wide == pytest.approx(156, abs=0.3) and 164 < high < 191


def test_the_words_of_the_series_are_the_same_in_both_languages_and_each_language_has_its_own():
    zh, en = (words.section("series") for words in (ZH, EN))
    assert zh.keys() == en.keys()
    assert not [key for key, said in en.items() if any("一" <= sign <= "鿿" for sign in said)]


@pytest.mark.thorough
@pytest.mark.parametrize("paper", ["A3", "A4", "figure"])
def test_nothing_lies_on_anything_on_any_sheet_of_the_province(default_run, paper):
    """Every theme of the province and its cities; one extent an area, and in the cities every county is named."""
    given = unpublished(default_run.plan, default_run.prepared, ZH)
    drawer, extents = Atlas(series_of(given, paper=paper)), {}
    for spec in sheets(given):
        with printing():
            sheet = compose(drawer.area(spec.code), view_of_sheet(given, spec))
        assert_clear(sheet)
        assert not sheet.lacking
        assert spec.code == WHOLE or paper == "figure" or not sheet.left_out, spec.stem
        assert extents.setdefault(spec.code, sheet.area.place) == sheet.area.place
        sheet.figure.clear()
