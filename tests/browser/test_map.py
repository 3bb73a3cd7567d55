"""The map file in a real browser without a network: it asks for nothing, runs nothing from data, answers everything."""

import functools
import io
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from geo import theme
from geo.maps import map_html
from tests.geo.small_view import CORNERS, SIDE, shanxi_view, small_view

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "`${window.__x=1}`",
    "</script><script>window.__x=1</script>",
    "<!--<script>",
    "{{ 7*7 }}",
    "'\"><svg onload=alert(1)>",
]


@pytest.fixture
def opened(visit, tmp_path):
    """Return ``opened(view, width, height)`` -> (page, seen) of the view's map file, drawn."""

    def go(view, width=1000, height=700, **options):
        path = tmp_path / "map.html"
        path.write_text(map_html(view), encoding="utf-8")
        page, seen = visit(path.as_uri(), width, height, **options)
        page.wait_for_selector("[data-ready=yes]")
        return page, seen

    return go


def middle(page, code="140101", east=0.1, north=0.1):
    """Return the point of the window at some degrees from the corner of a county."""
    lon, lat = CORNERS[code]
    return window(page, lat + north, lon + east)


def window(page, lat, lon):
    at = page.evaluate("([lat, lon]) => map_plan.latLngToContainerPoint([lat, lon])", [lat, lon])
    box = page.locator(".folium-map").bounding_box()
    return box["x"] + at["x"], box["y"] + at["y"]


def colour_at(page, x, y):
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return "#{:02x}{:02x}{:02x}".format(*picture.getpixel((round(x), round(y))))


def switch(page, *keys, on=True):
    for key in keys:
        page.set_checked(f"#layers input[value={key}]", on)
    page.wait_for_timeout(150)


def headings(page):
    return page.locator("#legend section:visible").evaluate_all("all => all.map(one => one.dataset.layers)")


def test_nothing_is_asked_of_any_network(opened, tmp_path):
    page, seen = opened(shanxi_view(uncovered=500))
    switch(page, "change", "centres", "none", "stations", "circles", "ambulances", "uncovered")
    page.click(".leaflet-control-zoom-in")
    page.wait_for_timeout(400)
    assert seen.requests == [(tmp_path / "map.html").as_uri()]
    assert seen.faults == []
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0


def test_the_policy_stops_what_is_not_the_maps_own(opened):
    page, seen = opened(small_view())
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.__x=1\">')")
    page.evaluate("document.body.appendChild(document.createElement('script')).textContent = 'window.__x=1'")
    page.wait_for_timeout(200)
    assert page.evaluate("window.__x") is None
    assert any("Content Security Policy" in fault for fault in seen.faults)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_are_shown_as_text_and_never_run(opened, hostile):
    page, seen = opened(small_view("en", hostile=hostile))
    assert page.locator("h1").text_content() == hostile
    assert page.locator("#notes p").all_text_contents() == [hostile, hostile]
    assert hostile in page.locator("#foot").text_content()
    switch(page, "centres", "uncovered", "stations")
    assert page.locator("#legend section[data-layers=centres] td.words").first.text_content() == hostile
    assert page.locator(".name").first.evaluate("one => one.firstChild.textContent") == hostile
    seat = middle(page, "140102", SIDE / 2, SIDE / 2)
    places = [middle(page), seat, window(page, 37.75, 112.75)]
    for x, y in places:
        page.mouse.move(x, y)
        page.wait_for_timeout(80)
        assert page.locator("#tip b").text_content().endswith(hostile)
        page.mouse.click(x, y)
        assert page.locator("#card h2").text_content().endswith(hostile)
        assert hostile in page.locator("#card p").text_content()
    switch(page, "beds")
    page.locator(".name.city:visible").first.click()
    assert page.locator("#card h2").text_content() == hostile
    assert page.locator("img, iframe, svg[onload]").count() == 0
    assert (seen.dialogs, seen.faults, page.evaluate("window.__x")) == ([], [], None)
    assert page.title() == hostile


def test_a_county_is_filled_with_its_class(opened):
    page, _ = opened(small_view())
    x, y = middle(page, east=0.06, north=0.06)
    assert colour_at(page, x, y) == theme.sequential(6)[0]
    switch(page, "change")
    assert colour_at(page, x, y) == theme.diverging(9)[6]
    switch(page, "centres")
    assert colour_at(page, x, y) == theme.tint(theme.OKABE_ITO[0], theme.CATCHMENT_TINT).lower()
    switch(page, "none")
    assert colour_at(page, x, y) == theme.LAND.lower()


def test_the_legend_follows_the_layers(opened):
    page, _ = opened(small_view())
    assert headings(page) == ["beds", "stations ambulances"]
    switch(page, "centres", "circles", "uncovered")
    assert headings(page) == ["centres", "stations ambulances", "circles", "uncovered"]
    switch(page, "stations", "circles", "uncovered", on=False)
    switch(page, "none")
    assert headings(page) == []
    assert page.locator("#legend").is_hidden()


def test_each_overlay_draws_and_leaves(opened):
    page, _ = opened(small_view())
    switch(page, "none")
    switch(page, "stations", on=False)
    box = page.locator(".folium-map").bounding_box()
    clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"] * 0.45}  # clear of the legend
    bare = page.screenshot(clip=clip)
    for key in ("stations", "circles", "ambulances", "uncovered"):
        switch(page, key)
        assert page.screenshot(clip=clip) != bare, key
        switch(page, key, on=False)
        assert page.screenshot(clip=clip) == bare, key


def test_reach_ends_at_the_radius(opened):
    page, _ = opened(small_view(), 1400, 900)
    switch(page, "none", "circles")
    switch(page, "stations", on=False)
    lon, lat = CORNERS["140101"][0] + SIDE / 2, CORNERS["140101"][1] + SIDE / 2
    degree = 111.0  # kilometres of a degree of latitude at 37 N
    inside, outside = (colour_at(page, *window(page, lat + km / degree, lon)) for km in (4.7, 5.4))
    assert inside != outside


def test_a_station_and_a_county_tell_their_figures(opened):
    page, _ = opened(small_view("en"))
    page.mouse.click(*window(page, 37.2, 112.7))
    assert page.locator("#card h2").text_content() == "New place"
    assert page.locator("#card td").all_text_contents()[:4] == ["People nearest to it", "20,000ᵐ", "Ambulances", "2"]
    page.mouse.click(*middle(page, "140201"))
    assert page.locator("#card h2").text_content() == "Beta"
    assert page.locator("#card p").text_content() == "East"
    cells = page.locator("#card td").all_text_contents()
    assert dict(zip(cells[::2], cells[1::2], strict=True))["Beds per 1,000 now"] == "7.00ᵐ"
    assert "700ᵐ" in page.locator("#card em").all_text_contents()
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    switch(page, "uncovered")
    page.mouse.click(*window(page, 37.76, 112.74))
    assert page.locator("#card td").all_text_contents()[1] == "1,234ᵐ"
    assert page.locator("#card td.alarm").text_content() == "20.4"


def test_the_tip_tells_the_figure_of_the_visible_theme(opened):
    page, _ = opened(small_view("en"))
    for key, said in (("beds", "Beds per 1,000 planned: 4.50"), ("change", "Change per 1,000: +0.50ᵐ")):
        switch(page, key)
        page.mouse.move(*middle(page))
        page.mouse.move(*middle(page, east=0.11))
        page.wait_for_timeout(80)
        assert page.locator("#tip span").last.text_content() == said


def test_a_tap_opens_the_card_on_a_phone(opened):
    page, _ = opened(shanxi_view(uncovered=0), 390, 844, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".folium-map").scroll_into_view_if_needed()
    page.touchscreen.tap(*window(page, 37.86, 112.3))
    page.wait_for_selector("#card:not([hidden])")
    assert page.locator("#card td").count() > 4


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1000, 700), (900, 640), (390, 844)])
def test_the_province_and_every_city_name_are_in_sight(opened, width, height):
    page, _ = opened(shanxi_view(uncovered=0), width, height)
    box = page.locator(".folium-map").bounding_box()
    view = shanxi_view(stations=10, uncovered=0)
    west, south, east, north = view.province.total_bounds
    left, top = window(page, north, west)
    right, bottom = window(page, south, east)
    assert box["x"] <= left < right <= box["x"] + box["width"]
    assert box["y"] <= top < bottom <= box["y"] + box["height"]
    assert (bottom - top) > 0.7 * box["height"]
    names = page.locator(".name.city:visible")
    assert sorted(names.all_text_contents()) == sorted(view.cities["name"])
    if width > 700:
        legend = page.locator("#legend").bounding_box()
        assert right <= legend["x"] + 1
        assert page.locator("#layers").bounding_box()["y"] + page.locator("#layers").bounding_box()["height"] <= height


def test_the_way_back_to_the_whole_province(opened):
    page, _ = opened(small_view())
    first = page.evaluate("[map_plan.getZoom(), map_plan.getCenter().lat, map_plan.getCenter().lng]")
    for _ in range(3):
        page.click(".leaflet-control-zoom-in")
        page.wait_for_timeout(300)
    assert page.evaluate("map_plan.getZoom()") > first[0] + 1
    page.click(".leaflet-control-zoom .whole")
    again = page.evaluate("[map_plan.getZoom(), map_plan.getCenter().lat, map_plan.getCenter().lng]")
    assert again == pytest.approx(first, abs=1e-3)


def test_names_never_touch_one_another(opened):
    page, _ = opened(shanxi_view(uncovered=0), 1440, 900)
    counts = []
    for _ in range(3):
        boxes = page.locator(".name:visible").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().toJSON())"
        )
        for i, one in enumerate(boxes):
            for other in boxes[:i]:
                apart = one["left"] >= other["right"] or other["left"] >= one["right"]
                assert apart or one["top"] >= other["bottom"] or other["top"] >= one["bottom"]
        counts.append(len(boxes))
        page.click(".leaflet-control-zoom-in")
        page.click(".leaflet-control-zoom-in")
        page.wait_for_timeout(700)
    assert counts[0] < counts[1] < counts[2]


def test_inside_a_page_the_map_keeps_its_place(visit, tmp_path):
    (tmp_path / "map.html").write_text(map_html(small_view()), encoding="utf-8")
    (tmp_path / "page.html").write_text("<iframe src=map.html width=900 height=640></iframe>", encoding="utf-8")
    with served(tmp_path) as address:
        page, _ = visit(f"{address}/page.html")
        frame = page.frame_locator("iframe")
        frame.locator("[data-ready=yes]").wait_for()
        frame.locator("input[value=change]").check()
        frame.locator(".leaflet-control-zoom-in").click()
        page.wait_for_timeout(600)
        inner = page.frames[1]
        before = inner.evaluate("[map_plan.getZoom(), map_plan.getCenter().lat]")
        page.reload()
        frame.locator("[data-ready=yes]").wait_for()
        assert frame.locator("input[value=change]").is_checked()
        assert page.frames[1].evaluate("[map_plan.getZoom(), map_plan.getCenter().lat]") == pytest.approx(
            before, abs=1e-3
        )


def test_a_full_province_is_quickly_there(opened):
    page, _ = opened(shanxi_view())
    switch(page, "uncovered", "circles", "ambulances")
    assert page.evaluate("performance.now()") < 20_000
    drawn = page.evaluate(
        """() => { const start = performance.now(); map_plan.setZoom(map_plan.getZoom() + 1, {animate: false});
                   return performance.now() - start; }"""
    )
    assert drawn < 1_500


class served:
    """The files of a folder on loopback, while the block lasts."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        handler = functools.partial(_Quiet, directory=str(self.folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
