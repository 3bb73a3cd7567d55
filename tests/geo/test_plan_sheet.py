"""The print map: read back as a PDF reader, a ruler and a hostile planner would."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyproj import Geod

from geo import plan_sheet, press, print_signs
from geo.faults import Rejected
from geo.region import load_region
from geo.words import LANGUAGES, load_words
from tests.geo.small_view import shanxi_view, small_view

HOUSE = Path(__file__).parents[2]
poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is not installed")


def drawn(view, folder, **fields):
    """Write the sheet of a view; return the paths of its PDF and PNG."""
    pdf, png = folder / "map.pdf", folder / "map.png"
    plan_sheet.plan_sheet(view, pdf, png, **fields)
    return pdf, png


def said(pdf):
    """Return the text of a PDF, as one copies it, with spaces and line ends made single spaces."""
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True, text=True).stdout
    return " ".join(text.split())


@pytest.fixture(scope="module")
def shanxi(tmp_path_factory):
    """The sheet of the embedded province: (view, PDF, PNG)."""
    sentence = (
        "Regional centres: 53.1 km to the nearest for the mean person, 200.3 km for the farthest; 51.1 km if free."
    )
    notes = [sentence + " " + sentence[:cut] for cut in (20, 34, 60)]  # lines of several lengths up to the margin
    view = dataclasses.replace(shanxi_view(uncovered=300), title="山西省医疗卫生资源配置方案", notes=notes)
    fields = {"organisation": "省规划处", "data_date": "2020-11-01"}
    return view, *drawn(view, tmp_path_factory.mktemp("sheet"), **fields)


@poppler
def test_every_font_of_the_pdf_is_embedded_truetype(shanxi):
    listed = subprocess.run(["pdffonts", shanxi[1]], capture_output=True, check=True, text=True).stdout
    fonts = listed.splitlines()[2:]
    assert fonts
    for font in fonts:
        assert re.search(r"NotoSansSC-(Regular|Bold) +CID TrueType +Identity-H +yes yes yes", font), font


@poppler
def test_text_copied_from_the_pdf_is_the_text_of_the_plan(shanxi):
    view, pdf, _ = shanxi
    text = said(pdf)
    assert view.title in text
    assert "审图号 内部工作底图，未经审核，不得公开" in text
    for fixed in ("省规划处", "2020-11-01", "CGCS2000", "界线仅为示意", "1 : 4,000,000（A4 原大）", view.rule):
        assert fixed in text
    for name in view.cities["name"]:
        assert text.count(name) >= 2, f"{name} stands on both maps"


def test_a_review_number_is_printed_as_given_and_never_made_up():
    words = small_view().words
    texts = [text.get_text() for text in plan_sheet.compose(small_view()).axes.texts]
    assert words("atlas.review_none") in texts
    granted = [text.get_text() for text in plan_sheet.compose(small_view(), review_number="晋S(2025)001号").axes.texts]
    assert "晋S(2025)001号" in granted
    assert words("atlas.review_none") not in granted


def test_png_is_one_a4_page_of_300_dots_an_inch_with_clean_margins(shanxi):
    with Image.open(shanxi[2]) as image:
        assert image.size == (2480, 3507)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        ink = np.asarray(image.convert("L")) < 250
    across, down = np.flatnonzero(ink.any(axis=0)) / 300 * 25.4, np.flatnonzero(ink.any(axis=1)) / 300 * 25.4
    assert (across.min(), across.max()) == pytest.approx((plan_sheet.LEFT, plan_sheet.RIGHT), abs=0.4)
    assert down.min() > 9
    assert down.max() < 297 - 9


def test_pdf_is_one_a4_page(shanxi):
    content = shanxi[1].read_bytes()
    assert re.findall(rb"/Type /Page\b(?!s)", content) == [b"/Type /Page"]
    width, height = map(float, re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", content).groups())
    assert (width * 25.4 / 72, height * 25.4 / 72) == pytest.approx((210, 297), abs=0.01)


def test_the_same_view_gives_the_same_bytes_in_any_process_and_under_any_settings(tmp_path):
    first = [path.read_bytes() for path in drawn(small_view(), tmp_path)]
    with matplotlib.rc_context({"font.size": 30, "axes.linewidth": 9, "pdf.fonttype": 3, "path.sketch": (9, 9, 9)}):
        assert [path.read_bytes() for path in drawn(small_view(), tmp_path)] == first
        assert matplotlib.rcParams["font.size"] == 30, "a caller's own settings are left as they were"
    script = (
        "from geo.plan_sheet import plan_sheet; from tests.geo.small_view import small_view; import sys;"
        "plan_sheet(small_view(), *sys.argv[1:])"
    )
    other = tmp_path / "other.pdf", tmp_path / "other.png"
    run = [sys.executable, "-c", script, *other]
    subprocess.run(run, check=True, cwd=HOUSE, env=os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Shanghai"})
    assert [path.read_bytes() for path in other] == first


def test_a_sign_without_a_glyph_stops_the_sheet_and_is_named(tmp_path):
    view = small_view(hostile="\U00020bb7野家")
    with pytest.raises(Rejected) as caught:
        drawn(view, tmp_path)
    assert list(tmp_path.iterdir()) == []
    for lang in LANGUAGES:
        told = caught.value.faults[0].tell(load_words(lang))
        assert "\U00020bb7 (U+20BB7)" in told
        assert "\U00020bb7野家" in told
        assert "map.pdf" in told


def test_every_name_of_the_province_and_every_word_of_the_product_can_be_printed():
    region = load_region("shanxi")
    names = [*region.cities["name"], *region.counties["name"], *region.settlements["name"], *region.townships["name"]]
    catalogues = [load_words(lang) for lang in LANGUAGES]
    words = [catalogue(key) for catalogue in catalogues for key in sorted(catalogue.keys())]
    lacking = {sign for text in [*names, *words] for sign in press.plain(text) if not press.face("Regular").has(sign)}
    assert not lacking


def test_rare_characters_of_the_national_list_are_there_and_bold_falls_back_to_regular():
    assert press.face("Regular").has("垚甪堨峁墕垴堎洎")
    assert not press.face("Bold").has("垚")
    assert press.chosen_face("垚村", bold=True) is press.face("Regular")
    assert press.chosen_face("太原市", bold=True) is press.face("Bold")


@poppler
def test_hostile_names_are_printed_as_they_are(tmp_path):
    hostile = ["$x^2$", "<img src=x>", "${alert(1)}", r"\frac{1}{2}", "a_b^c", "=cmd|' /C calc'!A0", "100%", "$"]
    view = small_view(hostile=hostile[0])
    view.counties["name"] = hostile[:4]
    view.cities["name"] = hostile[1:3]
    text = said(drawn(dataclasses.replace(view, notes=hostile), tmp_path)[0])
    assert text.startswith("$x^2$ $x^2$ " + " ".join(hostile)), "title, subtitle, sentences"
    assert [text.count(name) for name in hostile[1:3]] == [4, 4], "a sentence, a county, a city on two maps"


def test_line_breaks_and_control_signs_become_spaces():
    view = small_view(hostile="第一\n第二\r\n\x00\u202e第三\u2028")
    sheet = plan_sheet.compose(view)
    assert not sheet.lacking
    assert "第一 第二 第三" in [text.get_text() for text in sheet.axes.texts]
    assert not [text for text in sheet.axes.texts if re.search(r"[\x00-\x1f\u2028\u202e]", text.get_text())]


@pytest.mark.parametrize("view", [small_view(), shanxi_view(uncovered=5)], ids=["small", "shanxi"])
def test_distances_on_the_page_are_those_on_the_ground(view):
    """Two stations measured with a ruler on the page, times the printed scale, are as far apart as on the ellipsoid."""
    sheet = plan_sheet.compose(view)
    (signs,) = sheet.axes.findobj(lambda artist: artist.get_gid() == "stations_assumed")
    stations = view.stations[view.stations["status"].eq("assumed")].reset_index(drop=True)
    page = page_mm(sheet, np.column_stack(signs.get_data()))
    first, last = stations.index[0], stations["lat"].idxmax()
    apart = np.hypot(*(page[first] - page[last])) / 1000 * printed_scale(sheet)
    ends = stations.loc[[first, last]]
    metres = Geod(ellps="GRS80").line_length(ends["lon"], ends["lat"])
    assert metres > 30_000
    assert apart == pytest.approx(metres, rel=1e-3)


@pytest.mark.parametrize("view", [small_view(), shanxi_view(uncovered=5)], ids=["small", "shanxi"])
def test_scale_bars_are_as_long_as_they_say(view):
    sheet = plan_sheet.compose(view)
    bars = sheet.axes.findobj(lambda artist: artist.get_gid() == "scale_bar")
    assert len(bars) == 2
    for bar in bars:
        ends = page_mm(sheet, np.column_stack(bar.get_data()))
        metres = np.hypot(*(ends[1] - ends[0])) / 1000 * printed_scale(sheet)
        labels = [
            float(text.get_text())
            for text in sheet.axes.texts
            if abs(text.get_position()[0] - bar.get_xdata()[1]) < 0.01 and re.fullmatch(r"\d+", text.get_text())
        ]
        assert labels == [pytest.approx(metres / 1000)]


def page_mm(sheet, points):
    """Return data points in millimetres of the printed page, through matplotlib's own transformation."""
    return sheet.axes.transData.transform(points) / sheet.figure.dpi * 25.4


def printed_scale(sheet):
    """Return the denominator that the sheet prints, which must be the same wherever it stands."""
    texts = " ".join(text.get_text() for text in sheet.axes.texts)
    (scale,) = {int(found.replace(",", "")) for found in re.findall(r"1 : ([\d,]+)", texts)}
    return scale


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_overlaps_another_or_leaves_the_margins(lang):
    view = shanxi_view(lang, uncovered=5)
    if lang == "en":
        english = load_region("shanxi")
        for frame, names in ((view.cities, english.cities), (view.counties, english.counties)):
            frame["name"] = frame["code"].map(names["name_en"])
    sheet = plan_sheet.compose(view, "省规划处", "2020-11-01")
    boxes = text_boxes(sheet)
    assert boxes["left"].min() >= plan_sheet.LEFT - 0.3
    assert boxes["right"].max() <= plan_sheet.RIGHT + 0.3
    assert boxes["bottom"].min() > 8
    assert boxes["top"].max() < 289
    for row in boxes.itertuples():
        after = boxes.loc[row.Index + 1 :]
        wide = np.minimum(after["right"], row.right) - np.maximum(after["left"], row.left)
        high = np.minimum(after["top"], row.top) - np.maximum(after["bottom"], row.bottom)
        hits = after[(wide > 0.1) & (high > 0.1)]
        assert hits.empty, f"{row.text!r} overlaps {list(hits['text'])}"


def text_boxes(sheet):
    """Return the inked extent of every text in millimetres: left, right, bottom, top, text. Halos are left out."""
    rows = []
    for text in sheet.axes.texts:
        if text.get_path_effects():
            continue
        x, y = text.get_position()
        points, content = text.get_fontsize(), text.get_text()
        wide = press.face("Bold" if "Bold" in text.get_fontproperties().get_file() else "Regular").width(
            content, points
        )
        left = x - wide * {"left": 0, "center": 0.5, "right": 1}[text.get_ha()]
        tall = points * press.MM_PER_POINT
        rows.append((left, left + wide, y - 0.08 * tall, y + 0.75 * tall, content))
    return pd.DataFrame(rows, columns=["left", "right", "bottom", "top", "text"])


def test_measured_widths_are_those_that_are_drawn():
    sheet = press.Sheet()
    for content in ("山西省医疗卫生资源规划", "Health resources plan 1,234.56", "（A4 原大）"):
        sheet.text(10, 100, content, 10)
        extent = sheet.axes.texts[-1].get_window_extent(sheet.figure.canvas.get_renderer())
        width = extent.width / sheet.figure.dpi * 25.4
        assert width == pytest.approx(press.face("Regular").width(content, 10), rel=0.04)


@pytest.mark.parametrize("high", [120, 180, 260])
def test_the_two_maps_share_one_scale_and_stay_apart_in_the_frame(high):
    """Whatever height is left for them: at 260 mm the height would allow a scale at which the outlines meet."""
    outline = load_region("shanxi").province
    first, second = plan_sheet._places(outline, plan_sheet.LEFT, 20, plan_sheet.RIGHT, 20 + high)
    assert (first.scale, first.bottom) == (second.scale, second.bottom)
    left, right = (place.put(outline)[0] for place in (first, second))
    assert left.distance(right) >= plan_sheet.OUTLINES_APART
    assert left.bounds[0] > plan_sheet.LEFT
    assert right.bounds[2] < plan_sheet.RIGHT
    assert 20 < left.bounds[1] < left.bounds[3] < 20 + high


def test_legend_counts_are_those_of_the_plan():
    view = small_view()
    texts = [text.get_text() for text in plan_sheet.compose(view).axes.texts]
    at = texts.index(view.words("atlas.counties"))
    assert texts[at + 1 : at + 13] == [
        "< 5.00", "1", "5.00–5.99", "0", "6.00–6.99", "1", "7.00–7.99", "0", "8.00–9.99", "2", "≥ 10.00", "0",
    ]  # fmt: skip
    stated = (("station_assumed", "ᵃ", "4"), ("station_new", "", "1"))
    for key, mark, figure in (*stated, ("uncovered_urban", "ᵐ", "900"), ("uncovered_rural", "ᵐ", "1,234")):
        assert texts[texts.index(view.words(f"atlas.{key}") + mark) + 1] == figure


def test_a_county_without_a_figure_is_told_apart():
    view = small_view()
    view.counties["plan_per_1000"] = [np.nan, 8.0, 6.75, 8.0]
    sheet = plan_sheet.compose(view)
    assert view.words("atlas.no_data") in [text.get_text() for text in sheet.axes.texts]
    assert sum(patch.get_hatch() is not None for patch in sheet.axes.patches) == 2, "the county and its key"


def test_a_plan_without_centres_or_uncovered_people_is_drawn():
    view = small_view()
    view.counties["centre_city_code"] = None
    bare = dataclasses.replace(view, centres=view.centres.iloc[:0], uncovered=view.uncovered.iloc[:0])
    texts = [text.get_text() for text in plan_sheet.compose(bare).axes.texts]
    assert texts[texts.index(view.words("atlas.uncovered_urban") + "ᵐ") + 1] == "0"
    assert view.words("atlas.centre_national") not in texts


def test_a_detour_makes_the_circles_smaller():
    straight, winding = (
        max(patch.get_path().vertices[:, 0].max() for patch in reach_patches(small_view(detour_factor=factor)))
        for factor in (1.0, 1.4)
    )
    assert winding < straight


def reach_patches(view):
    rural = matplotlib.colors.to_rgba(print_signs.REACH_FILLS["rural"])
    return [
        patch for patch in plan_sheet.compose(view).axes.patches if patch.get_facecolor() == rural and patch.zorder < 2
    ]


@given(
    st.text(alphabet="山西省规划床位，。（）：、《》abc 12.5%·", min_size=1, max_size=120),
    st.floats(min_value=8, max_value=80),
)
def test_wrapped_lines_keep_every_sign_and_fit(text, width):
    text = press.plain(text)
    lines = press.wrapped(text, 8, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert len(line) == 1 or press.face("Regular").width(line, 8) <= width


def test_lines_do_not_begin_with_closing_marks_or_end_with_opening_ones():
    text = "目前（二〇二〇年）七成城镇居民，距最近急救站不超过五公里；《规划》要求：全部覆盖。" * 4
    for width in range(20, 60, 3):
        lines = press.wrapped(text, 8, width)
        assert not any(line[0] in press.CLOSING for line in lines)
        assert not any(line[-1] in press.OPENING for line in lines)


def test_long_names_and_titles_are_cut_with_an_ellipsis():
    assert press.shortened("太原市", 8, 30) == "太原市"
    cut = press.shortened("很长的名字" * 20, 8, 30)
    assert cut.endswith("…")
    assert press.face("Regular").width(cut, 8) <= 30
    boxes = text_boxes(plan_sheet.compose(small_view(hostile="很长的名字" * 60)))
    assert boxes["right"].max() <= plan_sheet.RIGHT + 0.3
