"""The site as a planner meets it: a real Chromium, the whole province, the network cut; three journeys, two people."""

import json
import os
import re
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.browser.conftest import ROOT, served

openpyxl = pytest.importorskip("openpyxl")

LULIANG = {"code": "141100", "name": "吕梁市", "persons": 3_398_431, "five": "16,992", "six": "20,391"}
ANSWER = 300_000  # milliseconds; the first one reads and prepares everything
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: whatever the server itself asked of the network would fail
WITH_MAP = ("overview", "beds", "emergency", "centres")
SIZES = ((1440, 900), (1024, 768))
PAGES = {
    "overview": ("总览", "Overview"),
    "beds": ("床位方案", "Beds"),
    "emergency": ("急救覆盖", "Emergency"),
    "centres": ("区域中心", "Centres"),
    "compare": ("方案比较", "Compare"),
    "compliance": ("达标对照", "Standards"),
    "data": ("数据", "Data"),
    "export": ("导出", "Export"),
}


@pytest.fixture(scope="module")
def artefacts():
    """The folder of screenshots and timings that a run leaves to be looked at."""
    folder = Path(os.environ.get("JINYI_SCREENSHOTS") or ROOT / "out" / "pages")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory, artefacts):
    """The site's address: a server of its own on a free port of this machine, ended with all it started."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    environment = {**proxies, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "JINYI_LANG": "zh"}
    environment["JINYI_STORE"] = str(tmp_path_factory.mktemp("store") / "scenarios.sqlite")
    with served("app.py", environment) as (address, server):
        yield address
    assert server.returncode in (0, -signal.SIGINT)


@pytest.fixture(scope="module")
def log(artefacts):
    """What took how long, in seconds: written down, never held against a limit."""
    timings = {}
    yield timings
    said = {name: [round(each, 2) for each in seconds] for name, seconds in timings.items()}
    said |= {f"{name}, median": round(median(seconds), 2) for name, seconds in timings.items()}
    (artefacts / "timings.json").write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    print("\n" + json.dumps(said, ensure_ascii=False, indent=1))


@contextmanager
def timed(log, name):
    began = time.monotonic()
    yield
    log.setdefault(name, []).append(time.monotonic() - began)


def go(page, name, lang=0):
    """Choose a page in the bar above."""
    page.get_by_test_id("stTopNavLink").filter(has_text=PAGES[name][lang]).first.click()
    page.locator(".jy-h1", has_text=PAGES[name][lang]).wait_for(timeout=30_000)


def answered(page):
    page.get_by_text("项独立核验全部通过").or_(page.get_by_text("independent checks passed")).first.wait_for(
        timeout=ANSWER
    )


def settled(page):
    """Wait until nothing on the page is under way."""
    page.wait_for_timeout(400)
    page.wait_for_function(
        "!document.querySelector('[data-testid=stApp][data-test-script-state=running]')", timeout=60_000
    )
    page.wait_for_timeout(300)


def nothing_asked_or_wrong(seen, address):
    outside = [url for url in seen.requests if not url.startswith((address, "data:", "blob:", "about:"))]
    assert outside == [] and len(seen.requests) > 10
    faults = [fault for fault in seen.faults if not fault.startswith(address)]
    assert faults == [] and seen.dialogs == []


def test_beds_are_given_to_a_city_and_the_workbook_is_taken_away(visit, address, artefacts, log, tmp_path):
    with timed(log, "first page"):
        page, seen = visit(address, 1440, 900, accept_downloads=True)
        page.locator(".jy-h1").wait_for(timeout=60_000)
    with timed(log, "first answer"):
        answered(page)
    assert page.locator(".jy-lead p").count() >= 4
    row = page.locator(".jy-glance tr", has_text=LULIANG["name"]).locator("td").first
    assert row.inner_text() == LULIANG["five"]

    go(page, "beds")
    plate = page.frame_locator(".st-key-map iframe")
    plate.locator(".leaflet-container").wait_for(timeout=30_000)
    page.locator(".st-key-map iframe").element_handle().content_frame().evaluate("window.jinyiSame = true")
    target = page.get_by_label(LULIANG["name"], exact=True)
    target.fill("6.00")
    with timed(log, "a setting changed: the result is withdrawn"):
        target.press("Enter")
        page.get_by_text("设置已改动，请重新计算").wait_for(timeout=30_000)
    page.locator(".jy-lead").wait_for(state="detached", timeout=30_000)
    frame = page.locator(".st-key-map iframe").element_handle().content_frame()
    assert frame.evaluate("window.jinyiSame") is True  # the map was made pale, not drawn again

    with timed(log, "beds of a changed target"):
        page.get_by_role("button", name="重新计算").click()
        page.locator(".jy-lead p", has_text="263,525").wait_for(timeout=ANSWER)  # 260,126 + 20,391 - 16,992
    go(page, "overview")  # the page is usable while the rest is worked out
    answered(page)
    row = page.locator(".jy-glance tr", has_text=LULIANG["name"]).locator("td").first
    assert row.inner_text() == LULIANG["six"] == f"{(LULIANG['persons'] * 6 + 500) // 1000:,}"

    go(page, "export")
    with page.expect_download(timeout=ANSWER) as download:
        page.locator(".st-key-file-workbook button:not([disabled])").click(timeout=ANSWER)
    assert re.fullmatch(r"shanxi-2025-[0-9a-f]{6}-plan\.xlsx", download.value.suggested_filename)
    book = tmp_path / "plan.xlsx"
    download.value.save_as(book)
    assert beds_in(book) == (int(LULIANG["six"].replace(",", "")), 6.0)
    nothing_asked_or_wrong(seen, address)


def beds_in(book):
    """Return (planned beds, target per 1,000) of 吕梁市 in a workbook, found by the machine names of its columns."""
    sheets = openpyxl.load_workbook(book, read_only=True, data_only=True)
    for sheet in sheets.worksheets:
        rows = list(sheet.iter_rows(values_only=True))
        for head in rows[:6]:
            if "beds_target" in head and "target_per_1000" in head:
                row = next(row for row in rows if row[head.index("code")] == LULIANG["code"])
                return row[head.index("beds_plan")], row[head.index("target_per_1000")]
    raise AssertionError("no sheet of beds by city")


def uncovered(page):
    """Return the people whom no station covers, as the page's own figures say."""
    return int(page.locator("[data-uncovered]").first.get_attribute("data-uncovered"))


def test_a_radius_is_checked_a_station_added_by_a_click_and_coverage_rises(visit, address, artefacts, log):
    page, seen = visit(address, 1440, 900)
    answered(page)
    go(page, "emergency")
    page.locator("[data-uncovered]").wait_for(timeout=60_000)
    before = uncovered(page)
    assert before == 6_351_008  # of the 117 county seats, 5 km and 20 km, as `jinyi coverage` prints
    for km in ("4.5", "4", "5.5", "5"):
        radius = page.locator(".st-key-em-standards input").first
        last = page.locator("[data-uncovered]").get_attribute("data-uncovered")
        with timed(log, "a radius moved: covered people"):
            radius.fill(km)
            radius.press("Enter")
            page.wait_for_function(f"document.querySelector('[data-uncovered]')?.dataset.uncovered !== '{last}'")
    assert uncovered(page) == before

    page.locator(".st-key-em-toolbar").get_by_text("加站", exact=True).click()
    settled(page)
    page.frame_locator(".st-key-emergency-map iframe").locator(".leaflet-container").wait_for(timeout=30_000)
    box = page.locator(".st-key-emergency-map iframe").bounding_box()
    last = uncovered(page)
    for k in range(3):
        with timed(log, "a station added by a click: covered people"):
            page.mouse.click(box["x"] + box["width"] * (0.52 + 0.02 * k), box["y"] + box["height"] * (0.62 + 0.04 * k))
            page.wait_for_function(
                f"document.querySelector('[data-uncovered]')?.dataset.uncovered < {last}", timeout=30_000
            )
        assert uncovered(page) < last
        last = uncovered(page)
    page.screenshot(path=artefacts / "journey-2-stations-added.png")
    nothing_asked_or_wrong(seen, address)


@pytest.mark.thorough
def test_a_map_is_taken_away_and_opens_without_a_network(visit, address, artefacts, tmp_path):
    page, seen = visit(address, 1440, 900, accept_downloads=True)
    answered(page)
    go(page, "export")
    with page.expect_download(timeout=ANSWER) as download:
        page.locator(".st-key-file-web_map button:not([disabled])").click(timeout=ANSWER)
    file = tmp_path / "map.html"
    download.value.save_as(file)
    nothing_asked_or_wrong(seen, address)
    opened, alone = visit(file.as_uri(), 1440, 900)
    opened.locator(".leaflet-container").wait_for(timeout=30_000)
    opened.wait_for_timeout(1500)
    opened.screenshot(path=artefacts / "journey-3-exported-map.png")
    assert [url for url in alone.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert alone.faults == [] and alone.dialogs == []


@pytest.mark.thorough
@pytest.mark.parametrize("lang", [0, 1], ids=["zh", "en"])
def test_every_page_fits_its_window(visit, address, artefacts, lang):
    """No page is wider than its window, and each leaves a picture to be looked at."""
    for width, height in SIZES:
        page, seen = visit(address, width, height)
        answered(page)
        if lang:
            page.get_by_text("EN", exact=True).click()
            page.get_by_text("independent checks passed").first.wait_for(timeout=60_000)
        for name in PAGES:
            go(page, name, lang)
            settled(page)
            if name in WITH_MAP:
                page.frame_locator(".plate iframe").locator(".leaflet-container").wait_for()
                page.wait_for_timeout(1000)  # drawn frame by frame
            page.screenshot(path=artefacts / f"{name}-{'en' if lang else 'zh'}-{width}.png")
            main = page.get_by_test_id("stMain")
            assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0, (name, width)
        nothing_asked_or_wrong(seen, address)


@pytest.mark.thorough
def test_two_people_save_one_scenario_and_both_versions_are_kept(visit, address, artefacts):
    one, _ = visit(address, 1440, 900)
    answered(one)
    one.locator(".st-key-shelf button").first.click()
    one.get_by_label("名称", exact=True).fill("两人的方案 <img src=x onerror=alert(1)>")
    one.get_by_label("保存人（可不填）", exact=True).fill("甲")
    one.get_by_role("button", name="另存为新方案").click()
    one.get_by_text("第 1 版。").wait_for(timeout=30_000)
    two, seen = visit(address, 1440, 900)
    answered(two)
    two.locator("[data-testid=stSidebar] [data-testid=stSelectbox] input").first.click()
    two.get_by_role("option", name="两人的方案").click()
    two.get_by_text("已存第 1 版").wait_for(timeout=30_000)
    for page, name in ((one, "甲"), (two, "乙")):
        go(page, "beds")
        settled(page)
        target = page.get_by_label(LULIANG["name"], exact=True)
        target.fill("5.50" if name == "甲" else "5.60")
        target.press("Enter")
        page.get_by_text("1 处改动未保存").wait_for(timeout=30_000)
        page.locator(".st-key-shelf button").first.click()
        page.get_by_label("保存人（可不填）", exact=True).fill(name)
        page.get_by_role("button", name="保存为新一版").click()
        said = "第 2 版。" if name == "甲" else "没有覆盖它"
        page.locator(".jy-kept.told", has_text=said).wait_for(timeout=30_000)
        page.screenshot(path=artefacts / f"two-savers-{'one' if name == '甲' else 'two'}.png")
    assert "甲" in two.locator(".jy-kept.told").inner_text()
    assert seen.dialogs == []


@pytest.mark.thorough
def test_a_long_calculation_can_be_stopped_while_the_page_is_used(visit, address, log):
    page, _ = visit(address, 1440, 900)
    answered(page)
    go(page, "emergency")
    page.locator("[data-uncovered]").wait_for(timeout=60_000)
    radius = page.locator(".st-key-em-standards input").first
    radius.fill("3.7")
    radius.press("Enter")
    page.get_by_text("1 处改动未保存").wait_for(timeout=30_000)
    page.get_by_role("button", name="重新计算").click()
    go(page, "overview")
    drop = page.get_by_role("button", name="放弃本次计算")
    drop.wait_for(timeout=60_000)
    with timed(log, "another page during a calculation"):
        go(page, "compliance")
    go(page, "overview")
    with timed(log, "given up: the page says so"):
        drop.click()
        page.get_by_text("已停止").first.wait_for(timeout=60_000)
    with timed(log, "changes taken back: the answer of before"):
        page.get_by_role("button", name="全部撤回").click()
        answered(page)
    go(page, "emergency")
    radius.fill("3.8")
    radius.press("Enter")
    page.get_by_text("1 处改动未保存").wait_for(timeout=30_000)
    page.get_by_role("button", name="重新计算").click()
    go(page, "overview")
    stop = page.get_by_role("button", name="停止，取当前最好的方案")
    stop.wait_for(timeout=60_000)
    page.get_by_text("急救站：").first.wait_for(timeout=120_000)
    with timed(log, "stopped: the best plan there is, as interim"):
        stop.click()
        page.get_by_text("INTERIM").or_(page.get_by_text("已停止")).or_(page.locator(".jy-lead p")).first.wait_for(
            timeout=120_000
        )
