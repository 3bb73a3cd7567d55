"""The sheets of a series: nothing lies on anything, classes and extents hold, any name can be printed or is refused."""

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import shapely
from PIL import Image
from pyproj import CRS

from geo import theme
from geo.atlas import Atlas, check_letters, compose, letters_of
from geo.atlas_views import Imprint, Key, Row, Series, Signs, View
from geo.faults import Rejected
from geo.press import FONTS, family, printing
from geo.region import load_region
from geo.sheet_layout import PAPERS, zone_projection
from geo.words import LANGUAGES, load_words

poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is not installed")
WHOLE, ACROSS, ODD = "140000", "140100", "140300"  # the province, a city across a seam, a city with tiny districts
HOSTILE = ["<img src=x>", "$x^2$", "=cmd|' /C calc'!A0", "甲\x00乙\x07丙", "长" * 40, "x" * 40]


@pytest.fixture(scope="module")
def region():
    return load_region("shanxi")


def series_of(region, lang="zh", **fields):
    words = load_words(lang)
    column = "name" if lang == "zh" else "name_en"
    return Series(
        code=WHOLE,
        province=region.province,
        cities=region.cities[["lon", "lat", "geometry"]].assign(name=region.cities[column]),
        counties=region.counties[["city_code", "geometry"]].assign(name=region.counties[column]),
        words=words,
        rule="城镇 5 公里以内为覆盖。",
        notes=(words("series.note", **theme.MARKS),),
        sources="人口普查；规划标准",
        **fields,
    )


def view_of(region, code=WHOLE, *, stations=0, gap=None, **more):
    """A view with a figure in every county, and some stations at seats and beside them."""
    codes = list(region.counties.index)
    values = {each: 4 + 7 * n / len(codes) for n, each in enumerate(codes)}
    colours = theme.sequential(len(theme.BEDS_PER_1000) + 1)
    fills = {each: colours[theme.class_of(value, theme.BEDS_PER_1000)] for each, value in values.items()}
    figures = {each: theme.figure(value) for each, value in values.items()}
    if gap:
        fills[gap], figures[gap] = None, "—"
    rows = tuple(
        Row(label, "1", fill=colour)
        for colour, label in zip(colours, theme.class_labels(theme.BEDS_PER_1000), strict=True)
    )
    signs = ()
    if stations:
        style = {"shape": "triangle", "points": 3.6, "fill": theme.ACCENT, "edge": theme.PAPER, "width": 0.3}
        seats = region.counties.iloc[:: max(1, len(codes) // stations)]
        labels = tuple(f"{name}的站" for name in seats["name"])
        signs = (Signs("stations", seats["seat_lon"].to_numpy(), seats["seat_lat"].to_numpy(), style, labels),)
    return View(
        code=code,
        title="床位密度",
        subtitle="每千常住人口床位数",
        number="图号 01",
        keys=(Key("床位（张/千人）", "县数", rows),),
        fills=fills,
        figures=figures,
        city_figures=dict.fromkeys(region.cities.index, "8.80") if code == WHOLE else {},
        signs=signs,
        **more,
    )


def composed(series, view):
    with printing():
        return compose(Atlas(series).area(view.code), view)


@pytest.mark.parametrize(
    ("lang", "code", "paper"),
    [("zh", WHOLE, "A3"), ("en", ACROSS, "A4"), ("zh", ODD, "A3"), ("en", ODD, "figure")],
)
def test_no_label_lies_on_another_or_on_what_stands_around_the_map(region, lang, code, paper):
    sheet = composed(series_of(region, lang, paper=paper), view_of(region, code, stations=60, counted=True))
    assert_clear(sheet)
    own = region.counties if code == WHOLE else region.counties[region.counties["city_code"].eq(code)]
    assert len(sheet.left_out) <= 0.05 * len(own), "nearly every county has its name"


def assert_clear(sheet):
    """Labels of counties, leaders, signs and neighbours are free of one another, of panel and frame, and on the map."""
    written = [(kind, text, shapely.box(*box)) for kind, text, box in sheet.labels.written]
    assert written
    frame = shapely.box(*sheet.area.layout.map)
    around = dict(sheet.parts)
    if sheet.area.layout.where == "corner":
        around["panel"] = shapely.box(*sheet.area.layout.panel)
    for number, (kind, text, box) in enumerate(written):
        assert kind == "city" or frame.contains(box), text
        for name, part in around.items():
            assert not box.intersects(part), f"{text} on {name}"
        for other_kind, other, other_box in written[:number]:
            both = {kind, other_kind} == {"city"}
            assert both or box.intersection(other_box).area < 0.01, f"{text} on {other}"
    parts = [(name, part) for name, part in sheet.parts.items() if part is not None]
    for number, (name, part) in enumerate(parts):
        for other, other_part in parts[:number]:
            assert part.intersection(other_part).area < 0.05, f"{name} on {other}"
    whole = shapely.box(0, 0, *sheet.area.layout.size)
    assert all(whole.contains(part) for _, part in parts)


def test_every_text_of_the_panel_stands_in_it(region):
    """Also the longest: an English imprint with an organisation of two lines, on the smallest paper."""
    imprint = Imprint(
        "Shanxi Provincial Health Commission, Department of Planning and Statistics", "2026-11", "晋S(2026)001号"
    )
    for code in (ACROSS, ODD):
        sheet = composed(series_of(region, "en", paper="A4", imprint=imprint), view_of(region, code))
        left, bottom, right, top = sheet.area.layout.panel
        boxes = [text.get_window_extent() for text in sheet.axes.texts]
        per_mm = sheet.figure.dpi / 25.4
        for text, box in zip(sheet.axes.texts, boxes, strict=True):
            middle = (box.x0 + box.x1) / 2 / per_mm, (box.y0 + box.y1) / 2 / per_mm
            if left < middle[0] < right and bottom < middle[1] < top:
                assert left <= box.x0 / per_mm and box.x1 / per_mm <= right, text.get_text()
                assert bottom <= box.y0 / per_mm and box.y1 / per_mm <= top, text.get_text()


def test_an_area_has_one_extent_in_every_theme(region):
    series = series_of(region)
    atlas = Atlas(series)
    plain, rich = view_of(region, ACROSS), view_of(region, ACROSS, stations=40, counted=True)
    assert atlas.area(ACROSS).place == atlas.area(ACROSS).place
    alone = Atlas(series)
    with printing():
        for view in (rich, plain):
            assert compose(alone.area(view.code), view).area.place == atlas.area(ACROSS).place


def test_a_city_lies_in_the_zone_that_holds_most_of_it(region):
    expected = {}
    for code, polygon in region.cities.geometry.items():
        found = zone_projection(polygon)
        crs = CRS(found.text)
        meridian = next(p.value for p in crs.coordinate_operation.params if "Longitude" in p.name)
        assert found.meridian == f"{meridian:g}"
        assert abs(polygon.representative_point().x - meridian) < 3
        expected[code] = (found.epsg, found.seam)
    assert expected[ODD] == ("EPSG:4547", None) and expected["140800"] == ("EPSG:4546", None)
    assert expected[ACROSS][1] == 112.5
    texts = [text.get_text() for text in composed(series_of(region), view_of(region, ACROSS)).axes.texts]
    assert any("112.5°E" in text for text in texts) and "112.5°E" in "".join(texts)


def test_scale_is_round_and_the_bar_as_long_as_it_says(region):
    sheet = composed(series_of(region, paper="A4"), view_of(region, ODD))
    texts = [text.get_text() for text in sheet.axes.texts]
    scale = int(re.search(r"1 : ([\d,]+)", " ".join(texts))[1].replace(",", ""))
    assert scale == sheet.area.place.scale and scale % 50_000 == 0
    (bar,) = sheet.axes.findobj(lambda artist: artist.get_gid() == "scale_bar")
    long = np.ptp(bar.get_xdata()) / 1e6 * scale
    assert f"{long:g}" in texts


@pytest.fixture(scope="module")
def written(region, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    series, view = series_of(region, paper="A4"), view_of(region, ODD, gap="140302")
    paths = {form: folder / f"sheet.{form}" for form in ("pdf", "png", "svg")}
    Atlas(series, letters_of(series, [view])).write(view, paths)
    return series, view, paths


@poppler
def test_the_pdf_is_of_its_paper_with_its_fonts_and_its_text(written, region):
    _, _, paths = written
    about = subprocess.run(["pdfinfo", paths["pdf"]], capture_output=True, check=True, text=True).stdout
    size = [float(number) * 25.4 / 72 for number in re.search(r"Page size: +([\d.]+) x ([\d.]+)", about).groups()]
    assert size == pytest.approx(PAPERS["A4"], abs=0.05)
    fonts = subprocess.run(["pdffonts", paths["pdf"]], capture_output=True, check=True, text=True).stdout
    for font in fonts.splitlines()[2:]:
        assert re.search(r"NotoSansSC-(Regular|Bold) +CID TrueType +Identity-H +yes yes yes", font), font
    said = subprocess.run(["pdftotext", paths["pdf"], "-"], capture_output=True, check=True, text=True).stdout
    for name in ("盂县", "平定县", "审图号", "内部工作底图，未经审核，不得公开", "CGCS2000", "EPSG:4547"):
        assert name in said


def test_the_png_is_of_300_dots_an_inch_and_the_svg_asks_for_no_font(written):
    _, _, paths = written
    with Image.open(paths["png"]) as image:
        assert image.size == (2480, 3507) and image.mode == "RGB"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    drawing = paths["svg"].read_text(encoding="utf-8")
    assert "<text" not in drawing and "<dc:date>" not in drawing and "font-family" not in drawing


def test_the_same_sheet_has_the_same_bytes(written, tmp_path):
    series, view, paths = written
    again = {form: tmp_path / path.name for form, path in paths.items()}
    other = Atlas(series, letters_of(series, [view]))
    other.area(ACROSS)
    other.write(view, again)
    for form in paths:
        assert again[form].read_bytes() == paths[form].read_bytes(), form


def test_no_data_is_hatched_and_told_on_every_sheet(written, region):
    series, view, _ = written
    sheet = composed(series, view)
    assert sum(patch.get_hatch() is not None for patch in sheet.axes.patches) == 1
    assert "—" in " ".join(text for _, text, _ in sheet.labels.written)


def test_hostile_names_are_printed_as_they_are_or_led_to(region, tmp_path):
    names = region.counties["name"].copy()
    own = region.counties.index[region.counties["city_code"].eq(ACROSS)]
    names[own[: len(HOSTILE)]] = HOSTILE
    series = series_of(region)
    series = replace(series, counties=series.counties.assign(name=names))
    view = replace(view_of(region, ACROSS), title=HOSTILE[0] * 9, subtitle=HOSTILE[4] * 5)
    sheet = composed(series, view)
    assert not sheet.lacking
    assert_clear(sheet)
    said = {text for _, text, _ in sheet.labels.written}
    for name in HOSTILE[:3]:
        assert any(text.replace(" ", "").startswith(name.replace(" ", "")) for text in said), name
    assert not [text for text in sheet.axes.texts if re.search(r"[\x00-\x1f]", text.get_text())]
    wide = sheet.area.layout.size[0] * sheet.figure.dpi / 25.4
    assert all(0 <= text.get_window_extent().x0 <= text.get_window_extent().x1 <= wide for text in sheet.axes.texts)


def test_a_sign_without_a_glyph_stops_the_atlas_before_anything_is_written(region, tmp_path):
    names = region.counties["name"].copy()
    names.iloc[3] = "\U00020bb7野县"
    series = series_of(region)
    series = replace(series, counties=series.counties.assign(name=names))
    with pytest.raises(Rejected) as refused:
        check_letters(series, [view_of(region)], "图集.pdf")
    for lang in LANGUAGES:
        told = refused.value.faults[0].tell(load_words(lang))
        assert "U+20BB7" in told and "野县" in told and "图集.pdf" in told
    with pytest.raises(Rejected):
        Atlas(series).write(view_of(region, WHOLE), {"pdf": tmp_path / "sheet.pdf"})
    assert list(tmp_path.iterdir()) == []


def test_an_interim_plan_says_so_on_the_sheet_in_full(region):
    warning = "中间结果：求解被限时或取消，“急救站”（差距 1.23%）未获证明。" * 6
    for paper in ("A4", "figure"):
        texts = [
            text.get_text()
            for text in composed(series_of(region, paper=paper, interim=warning), view_of(region, ODD)).axes.texts
        ]
        assert warning in "".join(texts)


def test_an_office_may_bring_its_own_type(tmp_path):
    own = family(str(FONTS / "NotoSansSC-Bold.ttf"))
    assert own.regular.advances == own.bold.advances
    assert not own.regular.has("垚") and own.chosen("垚村") is own.regular, "a name is never set in another face"
    cut = family(str(FONTS / "NotoSansSC-Bold.ttf"), "".join(sorted(set("床位ᵐ"))))
    assert cut.chosen("床位").has("床位")
    with pytest.raises(Rejected) as refused:
        family("没有这种字体")
    assert all(refused.value.faults[0].tell(load_words(lang)) for lang in LANGUAGES)
    nothing = tmp_path / "font.ttf"
    nothing.write_bytes(b"no font")
    with pytest.raises(Rejected):
        family(str(nothing))


def test_paper_and_orientation_are_what_was_asked(region):
    for paper, (wide, high) in PAPERS.items():
        for orientation, size in (("portrait", (wide, high)), ("landscape", (high, wide))):
            area = Atlas(series_of(region, paper=paper, orientation=orientation)).area(ODD)
            assert area.layout.size == size
    assert Atlas(series_of(region)).area(WHOLE).layout.size == PAPERS["A3"], "the province is high"
    assert Atlas(series_of(region)).area("140900").layout.size == PAPERS["A3"][::-1], "this city is wide"
