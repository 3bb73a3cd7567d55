"""The map's frame on a page of Streamlit: drawn in place, each event told once, nothing asked of any network."""

import pytest

from tests.browser.conftest import ROOT, served

pytest.importorskip("streamlit")

HOSTILE = "<img src=x onerror=alert(1)>${alert(1)}`</script><script>alert(1)</script>=cmd()"
APP = """
from dataclasses import replace

import streamlit as st

from planner.ui.plate import MODES, plate, told
from tests.browser.test_plate import HOSTILE
from tests.geo.small_view import small_view

st.set_page_config(layout="wide")
lang = st.radio("lang", ["zh", "en"], horizontal=True)
mode = st.radio("mode", MODES, horizontal=True)
moved, hostile, pale = st.checkbox("moved"), st.checkbox("hostile"), st.checkbox("pale")
view = small_view(lang, hostile=HOSTILE if hostile else None)
if moved:
    view = replace(view, stations=view.stations.assign(lon=view.stations["lon"] + 0.02))
st.session_state.setdefault("told", [])
event = told("plate")
if event:
    st.session_state["told"].append(event)
    if len(st.session_state["told"]) == 2:
        st.rerun()
plate(replace(view, notes=[]), key="plate", height=560, edit={"mode": mode}, withdrawn=pale)
said = [f"{each['kind']} {each.get('id', '')} {each['lon']:.2f} {each['lat']:.2f}" for each in st.session_state["told"]]
st.text("told: " + "; ".join(said))
if st.checkbox("second"):
    plate(replace(view, notes=[]), key="other", height=400)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plate")
    (folder / "page.py").write_text(APP, encoding="utf-8")
    options = {"server.headless": "true", "browser.gatherUsageStats": "false", "server.address": "127.0.0.1"}
    options |= {"server.fileWatcherType": "none", "client.toolbarMode": "minimal"}
    stated = [part for name, value in options.items() for part in (f"--{name}", value)]
    with served(folder / "page.py", {"PYTHONPATH": str(ROOT)}, *stated) as (address, _):
        yield address


@pytest.fixture
def opened(visit, address):
    """Return (page, seen, frame) of the small app with its map drawn."""
    page, seen = visit(address, 1280, 1000)
    page.locator(".plate iframe").first.wait_for(timeout=60_000)
    frame = page.locator(".plate iframe").first.element_handle().content_frame()
    frame.wait_for_selector("[data-ready=yes]")
    return page, seen, frame


def choose(page, label):
    page.get_by_text(label, exact=True).click()


def extent(frame):
    return frame.evaluate("[map_plan.getCenter().lat, map_plan.getCenter().lng, map_plan.getZoom()]")


def window(page, frame, lon, lat):
    """Return the point of the page's window at some degrees."""
    place = "([lat, lon]) => { const p = map_plan.latLngToContainerPoint([lat, lon]), b = map_plan.getContainer()"
    at = frame.evaluate(place + ".getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; }", [lat, lon])
    page.locator(".plate").first.scroll_into_view_if_needed()
    box = page.locator(".plate iframe").first.bounding_box()
    return box["x"] + at[0], box["y"] + at[1]


def until(page, holds):
    """Wait for ``holds()``. (The frame's policy forbids the evaluation that Playwright's own waiting rests on.)"""
    for _ in range(150):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about")


def until_told(page, *said):
    wanted, line = "told: " + "; ".join(said), page.get_by_text("told:")
    for _ in range(100):
        if line.inner_text() == wanted.strip():
            return
        page.wait_for_timeout(100)
    assert line.inner_text() == wanted.strip()


def own(address, seen):
    return [url for url in seen.requests if not url.startswith((address, "data:", "blob:", "about:"))]


def test_a_new_result_is_drawn_in_place(opened, address):
    page, seen, frame = opened
    frame.evaluate("window.same = true")
    frame.evaluate("void map_plan.setView([37.5, 112.5], 10, {animate: false})")
    frame.locator("input[value=change]").check()
    frame.locator("input[value=stations]").uncheck()
    before = extent(frame)
    first = frame.locator("#legend").inner_text()
    choose(page, "moved")
    page.wait_for_timeout(800)
    assert frame.evaluate("window.same") is True
    assert extent(frame) == pytest.approx(before, abs=5e-4)
    assert frame.locator("input[value=change]").is_checked() and not frame.locator("input[value=stations]").is_checked()
    assert frame.locator("#legend").inner_text() == first
    assert (
        frame.evaluate("document.querySelectorAll('.leaflet-control-zoom, #tip, .leaflet-control-scale').length") == 3
    )
    assert frame.evaluate("document.querySelectorAll('canvas').length") <= 8

    choose(page, "en")  # another language is another document, of the same place
    page.wait_for_timeout(300)

    def newest():
        return page.locator(".plate iframe").first.element_handle().content_frame()

    def in_english():
        frame = newest()  # None while the page takes the old one away
        return frame is not None and frame.evaluate("document.documentElement.lang") == "en"

    until(page, in_english)
    english = newest()
    english.wait_for_selector("[data-ready=yes]")
    assert english.evaluate("window.same") is None
    assert extent(english) == pytest.approx(before, abs=5e-4)
    assert english.locator("input[value=change]").is_checked()
    english.locator(".whole").click()
    assert extent(english)[2] < before[2]
    english.evaluate("void map_plan.setView([37.6, 112.4], 10, {animate: false})")
    choose(page, "second")  # all maps of a page show the same place
    page.locator(".plate iframe").nth(1).wait_for()
    other = page.locator(".plate iframe").nth(1).element_handle().content_frame()
    other.wait_for_selector("[data-ready=yes]")
    assert extent(other) == pytest.approx(extent(english), abs=5e-4)
    other.evaluate("void map_plan.setView([37.3, 112.3], 9, {animate: false})")
    page.wait_for_timeout(300)
    assert extent(english) == pytest.approx([37.3, 112.3, 9], abs=5e-4)
    assert own(address, seen) == [] and seen.faults == [] and seen.dialogs == []


def test_each_event_arrives_once(opened, address):
    page, seen, frame = opened
    choose(page, "add")
    frame.wait_for_selector("[data-mode=add]")
    page.mouse.click(*window(page, frame, 112.1, 37.1))
    until_told(page, "point  112.10 37.10")
    page.mouse.click(*window(page, frame, 112.3, 37.7))
    page.mouse.click(*window(page, frame, 112.7, 37.7))  # sooner than the page can answer the one before
    said = ["point  112.10 37.10", "point  112.30 37.70", "point  112.70 37.70"]
    until_told(page, *said)
    choose(page, "remove")
    frame.wait_for_selector("[data-mode=remove]")
    page.mouse.click(*window(page, frame, 112.35, 37.35))  # no station stands there
    page.mouse.click(*window(page, frame, 112.2, 37.2))
    said.append("station S140101 112.20 37.20")
    until_told(page, *said)
    choose(page, "move")
    frame.wait_for_selector("[data-mode=move]")
    place = extent(frame)
    page.mouse.move(*window(page, frame, 112.2, 37.2))
    page.mouse.down()
    page.mouse.move(*window(page, frame, 112.25, 37.25), steps=4)
    page.mouse.move(*window(page, frame, 112.3, 37.3), steps=4)
    page.mouse.up()
    said.append("move S140101 112.30 37.30")
    until_told(page, *said)
    assert extent(frame) == pytest.approx(place, abs=5e-4)
    choose(page, "force")
    frame.wait_for_selector("[data-mode=force]")
    page.mouse.click(*window(page, frame, 112.7, 37.2))
    said.append("station C140201 112.70 37.20")
    until_told(page, *said)
    assert frame.locator("#card").is_hidden()
    choose(page, "look")
    frame.wait_for_selector("[data-mode=look]")
    page.mouse.click(*window(page, frame, 112.7, 37.2))
    frame.wait_for_selector("#card:not([hidden])")
    page.wait_for_timeout(500)
    until_told(page, *said)
    assert own(address, seen) == [] and seen.faults == []


def test_a_withdrawn_map_takes_no_clicks_and_no_name_runs(opened, address):
    page, seen, frame = opened
    choose(page, "hostile")
    until(page, lambda: "onerror" in frame.title())
    page.mouse.click(*window(page, frame, 112.7, 37.2))
    frame.wait_for_selector("#card:not([hidden])")
    assert frame.locator("#card h2").text_content() == HOSTILE
    assert frame.locator("img, iframe, script[src]").count() == 0
    choose(page, "add")
    choose(page, "pale")
    frame.wait_for_selector("body.withdrawn")
    page.mouse.click(*window(page, frame, 112.1, 37.1))
    frame.evaluate("window.postMessage({jinyi: 'plate', mode: 'add', withdrawn: false}, '*')")  # not from its page
    page.evaluate("window.postMessage({jinyi: 'plate', about: 'event', event: {kind: 'point'}}, '*')")  # not its frame
    page.wait_for_timeout(600)
    assert frame.evaluate("document.body.className") == "withdrawn"
    until_told(page)
    assert own(address, seen) == [] and seen.faults == [] and seen.dialogs == []
