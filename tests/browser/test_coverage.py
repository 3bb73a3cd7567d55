"""The map of a check of stations in a real browser: no network, no name that runs, layers and cards that answer."""

import pytest

from planner import cli
from tests.geo.test_maps import HOSTILE
from tests.town import draw


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    region = draw(folder / "region")
    names = [HOSTILE.replace('"', '""'), "${alert(1)}", "'><svg onload=alert(1)>"]
    rows = [f'"{name}",112.0{n},37.01' for n, name in enumerate(names)]
    (folder / "list.csv").write_text("name,lon,lat\n" + "\n".join(rows), "utf-8")
    out = folder / "out"
    assert (
        cli.main(["coverage", "--region", str(region), "--stations", str(folder / "list.csv"), "--out", str(out)]) == 0
    )
    return out / "map.html"


def test_a_check_is_drawn_and_its_cards_answer(visit, page_file):
    page, seen = visit(page_file.as_uri(), 1400, 900)
    page.wait_for_selector("[data-ready=yes]")
    assert page.is_checked("input[value=covered_all]") and page.is_checked("input[value=uncovered]")
    page.click(".name.city >> nth=0")
    assert "东市" in page.inner_text("#card") and "未覆盖" in page.inner_text("#card")
    page.uncheck("input[value=uncovered]")
    page.check("input[value=circles]")
    at = page.evaluate("() => { const p = map_plan.latLngToContainerPoint([37.01, 112.01]); return [p.x, p.y]; }")
    box = page.locator(".folium-map").bounding_box()
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    assert page.inner_text("#card h2") == "${alert(1)}"
    assert seen.dialogs == [] and seen.faults == [] and seen.requests == [page_file.as_uri()]
