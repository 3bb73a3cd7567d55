"""The map of differences in a real browser: drawn without the network, its cards and fills answer."""

from geo.maps import difference_html
from tests.geo.test_maps import difference_view


def test_a_difference_is_drawn_and_its_cards_answer(visit, tmp_path):
    path = tmp_path / "map.html"
    path.write_text(difference_html(difference_view("en")), encoding="utf-8")
    page, seen = visit(path.as_uri())
    page.wait_for_selector("[data-ready=yes]")
    assert page.is_checked("input[value=difference]")
    assert page.locator("#legend section:not([hidden])").get_attribute("data-layers") == "difference"
    page.click(".name.city >> nth=0")
    card = page.inner_text("#card")
    assert "West" in card and "+50" in card
    page.check("input[value=reach]")
    assert page.locator("#legend section:not([hidden])").get_attribute("data-layers") == "reach"
    assert seen.faults == [] and seen.requests == [path.as_uri()]
