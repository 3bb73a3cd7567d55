"""The page as a planner meets it: a real Chromium, the whole province, the network cut."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

openpyxl = pytest.importorskip("openpyxl")

ROOT = Path(__file__).parents[2]
LULIANG = {"code": "141100", "name": "吕梁市", "persons": 3_398_431, "five": "16,992", "six": "20,391"}
ANSWER = 300_000  # milliseconds; the first one reads and prepares everything
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: whatever the server itself asked of the network would fail


@pytest.fixture(scope="module")
def address():
    """The page's address: a server of its own on a free port of this machine, ended with all it started."""
    pytest.importorskip("streamlit")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    environment = {**os.environ, **proxies, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    environment.pop("JINYI_LANG", None)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        try:
            said = server.communicate(timeout=30)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            server.kill()
            said = server.communicate()[0].decode(errors="replace")
    assert "Traceback" not in said, said[-3000:]
    assert server.returncode in (0, -signal.SIGINT)


def _wait_for(url, server):
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


def answered(page):
    page.wait_for_selector(".jy-lead:not(.blank) p", timeout=ANSWER)


def beside_map(page, name):
    """Return the row of a city beside the map: beds, new, stations, vehicles."""
    row = page.locator(".jy-glance tr", has_text=name)
    row.wait_for(timeout=30_000)  # the figures follow the sentences by a moment
    return row.locator("td").all_inner_texts()


def drawn(page):
    """Return the words of the map's legend and a picture of the map."""
    plate = page.frame_locator(".st-key-map iframe")
    plate.locator(".leaflet-container").wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    return plate.locator("#legend").inner_text(), page.locator(".st-key-map iframe").screenshot()


def test_a_planner_raises_a_target_and_takes_the_workbook_away(visit, address, tmp_path):
    page, seen = visit(address, 1440, 900, accept_downloads=True)
    page.wait_for_selector(".jy-progress li.now", timeout=60_000)
    answered(page)
    assert beside_map(page, LULIANG["name"])[0] == LULIANG["five"]
    assert page.locator(".jy-lead p").count() >= 4
    legend, picture = drawn(page)
    mapped = page.locator(".st-key-map iframe").element_handle().content_frame()
    mapped.evaluate("window.jinyiSame = true")

    target = page.get_by_label(LULIANG["name"], exact=True)
    target.fill("6.00")
    target.press("Enter")
    page.get_by_text("设置已改动，请重新计算").wait_for(timeout=30_000)
    for gone in (".jy-glance", ".st-key-downloads"):  # a page takes old parts away once its run ends
        page.locator(gone).first.wait_for(state="detached", timeout=30_000)
    assert LULIANG["five"] not in page.inner_text("body")
    frame = page.locator(".st-key-map iframe").element_handle().content_frame()
    assert frame.evaluate("window.jinyiSame") is True  # the map was made pale, not drawn again
    pale = "getComputedStyle(document.querySelector('.st-key-map iframe')).opacity === '0.2'"
    page.wait_for_function(pale, timeout=30_000)

    page.get_by_role("button", name="重新计算").click()
    page.wait_for_selector(".jy-progress", timeout=30_000)
    answered(page)
    page.locator(".jy-glance tr", has_text=LULIANG["six"]).wait_for(timeout=30_000)
    assert beside_map(page, LULIANG["name"])[0] == LULIANG["six"]
    assert LULIANG["six"] == f"{(LULIANG['persons'] * 6 + 500) // 1000:,}"
    new_legend, new_picture = drawn(page)
    assert new_legend != legend and new_picture != picture

    with page.expect_download(timeout=ANSWER) as download:
        page.get_by_role("button", name="工作簿 xlsx").click(timeout=ANSWER)
    assert re.fullmatch(r"shanxi-2025-[0-9a-f]{6}-plan\.xlsx", download.value.suggested_filename)
    book = tmp_path / "plan.xlsx"
    download.value.save_as(book)
    assert beds_in(book) == (int(LULIANG["six"].replace(",", "")), 6.0)

    if folder := os.environ.get("JINYI_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "page-zh.png")
    page.get_by_text("English", exact=True).click()
    page.get_by_text("independent checks passed").wait_for(timeout=30_000)
    row = page.locator(".jy-glance tr", has_text="Luliang").or_(page.locator(".jy-glance tr", has_text="Lüliang"))
    row.wait_for(timeout=30_000)
    assert row.locator("td").first.inner_text() == LULIANG["six"]
    assert page.locator(".st-key-stations input[type=radio]:checked").count() == 1
    if folder:
        page.screenshot(path=Path(folder) / "page-en.png")

    outside = [url for url in seen.requests if not url.startswith((address, "data:", "blob:", "about:"))]
    assert outside == [] and len(seen.requests) > 10
    faults = [fault for fault in seen.faults if not fault.startswith(address)]
    assert faults == [] and seen.dialogs == []


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
