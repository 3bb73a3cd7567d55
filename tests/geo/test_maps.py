"""The browser map without a browser: bytes, words, hostile text, and geometry that keeps its place."""

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import map_payload, map_shapes, map_views, maps, theme
from geo.margin import text
from geo.region import local_projection
from tests.geo.small_view import CORNERS, SIDE, shanxi_view, small_view

HOSTILE = "<img src=x onerror=alert(1)>${alert(1)}`alert(1)`</script><!--\\{{ 7*7 }}{% raw %}'\"&amp;"
MODULES = (maps, map_payload, map_shapes, map_views)
SOURCES = [
    *(Path(module.__file__) for module in MODULES),
    Path(text.__code__.co_filename),
    *(maps.ASSETS / "map").iterdir(),
]


class _Seen(HTMLParser):
    """What a reader sees outside the scripts, and every element and address on the way."""

    def __init__(self, page):
        super().__init__()
        self.words, self.elements, self.addresses, self._inside = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag in ("script", "style"):
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside and data.strip():
            self.words.append(data.strip())


def payload(page):
    return json.loads(re.search(r"drawPlan\(map_plan, (.*)\);\s*</script>", page).group(1))


def decoded(shape):
    rings = [[np.cumsum(np.reshape(ring, (-1, 2)), axis=0) * map_shapes.GRID for ring in polygon] for polygon in shape]
    return shapely.MultiPolygon([shapely.Polygon(outer, holes) for outer, *holes in rings])


def test_plan_map_is_a_folium_map_without_addresses():
    plan = maps.plan_map(small_view())
    assert isinstance(plan, folium.Map)
    seen = _Seen(plan.get_root().render())
    assert seen.addresses == []
    assert not {"link", "iframe", "img", "object"} & set(seen.elements)


def test_styles_ask_for_nothing():
    styles = "".join(re.findall(r"<style>(.*?)</style>", maps.map_html(small_view()), flags=re.DOTALL))
    assert "leaflet-container" in styles
    assert not re.search(r"url\(|@import|@font-face", styles)


def test_same_view_same_bytes_whatever_the_order_of_rows():
    view = small_view()
    shuffled = replace(view, counties=view.counties[::-1], stations=view.stations[::-1], uncovered=view.uncovered[::-1])
    assert maps.map_html(view) == maps.map_html(small_view()) == maps.map_html(shuffled)


def test_every_script_is_admitted_by_hash_and_nothing_else():
    page = maps.map_html(small_view())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert len(rules["script-src"].split()) == page.count("<script>")
    assert "unsafe" not in rules["script-src"]


def test_a_page_that_could_lose_its_policy_is_refused(monkeypatch):
    monkeypatch.setattr(folium.Figure, "render", lambda self, **kwargs: "<html lang=x><head></head></html>")
    with pytest.raises(RuntimeError, match="security policy"):
        maps.map_html(small_view())


def test_hostile_text_is_text_everywhere():
    page = maps.map_html(small_view(hostile=HOSTILE))
    seen, harmless = _Seen(page), _Seen(maps.map_html(small_view()))
    assert seen.elements == harmless.elements
    assert all(HOSTILE in word for word in seen.words if "alert" in word)
    given_names = {"West", "East", "A small plan", "2025\u00a0· paper", "One sentence.", "Another."}
    assert {word for word in harmless.words if word in given_names} == given_names
    assert "alert(1)>" not in page and "${" not in page.split("drawPlan(map_plan")[1]
    assert payload(page)["counties"][0]["name"] == HOSTILE
    assert payload(page)["places"] == [HOSTILE]


@given(st.text())
def test_text_shows_exactly_what_it_was_given(value):
    assert "".join(_Said(text(value)).parts) == value.replace("\r\n", "\n").replace("\r", "\n")
    assert not re.search(r"[<>\"'`${}\\]", text(value))


class _Said(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.parts = []
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()

    def handle_data(self, data):
        self.parts.append(data)


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_data_survives_its_armour(value):
    armoured = maps.data_json(value)
    assert json.loads(armoured) == value
    assert not re.search(r"[<>&`$]|{{|{%|\u2028", armoured)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_word_comes_from_the_catalogue(lang):
    view = small_view(lang)
    seen = _Seen(maps.map_html(view))
    known = {value for value in view.words.section("map").values() if "{" not in value}
    known |= {view.title, *view.notes, view.rule, "West", "East", "×", "2025\u00a0· paper"}
    known |= {*theme.class_labels(theme.BEDS_PER_1000), *theme.class_labels(theme.BEDS_CHANGE, signed=True)}
    filled = [re.escape(value) for value in view.words.section("map").values() if "{" in value]
    patterns = [re.sub(r"\\{[^}]*}", ".*", value) for value in filled]
    legend = view.words.section("map.legend")
    known |= {legend["assumed"] + theme.MARKS["assumed"]}
    known |= {f"{legend[f'{key}_unit']} · {legend['counties']}" for key in ("beds", "change")}
    odd = [word for word in seen.words if word not in known and not re.fullmatch(r"[\d,]+", word)]
    assert [word for word in odd if not any(re.fullmatch(pattern, word) for pattern in patterns)] == []


def test_no_chinese_outside_the_catalogue():
    for source in SOURCES:
        assert not re.search(r"[\u4e00-\u9fff]", source.read_text(encoding="utf-8")), source.name


def test_language_changes_no_number():
    seen = [_Seen(maps.map_html(small_view(lang))).words for lang in ("zh", "en")]
    figures = [[word for word in words if re.fullmatch(r"[\d,.+<≥−– ]+", word)] for words in seen]
    assert figures[0] == figures[1]
    assert "8.00–9.99" in figures[0]
    data = [payload(maps.map_html(small_view(lang))) for lang in ("zh", "en")]
    for key in ("counties", "stations", "uncovered", "reach", "fills", "centres"):
        kept = [[item.get("shape") if isinstance(item, dict) else item for item in part[key]] for part in data]
        assert kept[0] == kept[1]
    assert [county["facts"][:9] for county in data[0]["counties"]] == [
        county["facts"][:9] for county in data[1]["counties"]
    ]


def test_neighbours_share_their_drawn_points():
    drawn = {county["name"]: decoded(county["shape"]) for county in payload(maps.map_html(small_view()))["counties"]}
    assert drawn["Alpha"].intersection(drawn["Beta"]).length == pytest.approx(SIDE)
    union = shapely.union_all(list(drawn.values()))
    assert union.area == pytest.approx(4 * SIDE**2)
    west, south = CORNERS["140101"]
    assert union.bounds == pytest.approx((west, south, west + 2 * SIDE, south + 2 * SIDE))


def test_shanxi_is_drawn_without_gaps():
    view = shanxi_view(uncovered=0)
    drawn = [decoded(county["shape"]).buffer(0) for county in payload(maps.map_html(view))["counties"]]
    union = shapely.union_all(drawn, grid_size=map_shapes.GRID / 10)
    assert len(shapely.get_parts(union)) == 1
    assert shapely.get_parts(union)[0].interiors[:] == []
    assert sum(part.area for part in drawn) == pytest.approx(union.area, rel=1e-6)


def test_reach_is_the_circle_and_stays_in_the_province():
    view = small_view()
    one = replace(view, stations=view.stations[:1])
    province = one.province.union_all()
    projection = local_projection(one.province.total_bounds)
    for setting, km in (("urban", 5.0), ("rural", 20.0)):
        drawn = decoded(payload(maps.map_html(one))["reach"][setting])
        assert drawn.within(province.buffer(map_shapes.GRID))
        if setting == "urban":
            area = gpd.GeoSeries([drawn], crs=view.province.crs).to_crs(projection).area.iloc[0]
            assert area == pytest.approx(math.pi * (km * 1000) ** 2, rel=0.01)


def test_a_detour_draws_smaller_circles():
    direct, roundabout = (
        decoded(payload(maps.map_html(small_view(detour_factor=factor)))["reach"]["urban"]) for factor in (1.0, 1.25)
    )
    assert roundabout.area / direct.area == pytest.approx(1 / 1.25**2, rel=0.02)


def test_a_plan_by_minutes_draws_no_circles_and_tells_minutes():
    """A point that no road leads to has no minutes: its card shows none, and the page still holds valid data."""
    view = small_view("en")
    far = view.uncovered.drop(columns="km").assign(minutes=[31.26, np.nan])
    page = maps.map_html(replace(view, urban=10.0, rural=30.0, far="minutes", circles=False, uncovered=far))
    data = payload(page)
    assert data["reach"] == {"urban": [], "rural": []} and data["metres"] == []
    assert [row[6] for row in data["uncovered"]] == [None, 31.3]  # most people first
    assert data["words"]["people_km"] == view.words("map.people_minutes")
    labels = [label for label, _ in data["rows"]["county"]]
    assert "Urban within 10 min" in labels and "Rural within 30 min" in labels
    assert 'value="circles"' not in page and 'data-layers="circles"' not in page
    assert 'value="circles"' in maps.map_html(view)


def test_listed_stations_are_counted_beside_assumed_ones():
    view = small_view("en")
    view.stations.loc[0, ["kind", "status"]] = ["existing", "listed"]
    page = maps.map_html(view)
    section = re.search(r'<section data-layers="stations ambulances".*?</section>', page, flags=re.DOTALL).group()
    counts = dict(zip(("listed", "assumed", "new"), re.findall(r'class="count">(\d+)<', section), strict=True))
    assert counts == {"listed": "1", "assumed": "3", "new": "1"}
    assert sorted(each["status"] for each in payload(page)["stations"]) == ["assumed"] * 3 + ["listed", "new"]


def test_figures_of_a_county():
    data = payload(maps.map_html(small_view("en")))
    county = next(county for county in data["counties"] if county["name"] == "Beta")
    facts = dict(zip((key for key, _ in map_payload.ROWS["county"]), county["facts"], strict=True))
    assert facts == {
        "persons": "100,000",
        "beds_now": "700",
        "beds_plan": "800",
        "beds_new": "100",
        "now_per_1000": "7.00",
        "plan_per_1000": "8.00",
        "change_per_1000": "+1.00",
        "urban_covered": "—",
        "rural_covered": "100.0%",
        "centre": "East",
        "stations": "2",
        "ambulances": "9",
    }
    assert county["fill"] == {"beds": 4, "change": 7, "centres": 1}


def test_a_city_below_its_target_is_said_to_be_so():
    cities = payload(maps.map_html(small_view("en", cities=small_view().cities.assign(target_per_1000=[6.0, 9.0]))))[
        "cities"
    ]
    assert [(city["unmet"], city["facts"][4]) for city in cities] == [(False, "● met"), (True, "▲ not met")]


def test_legend_counts_every_county_once():
    page = maps.map_html(small_view())
    for key in ("beds", "change", "centres"):
        section = re.search(rf'<section data-layers="{key}".*?</section>', page, flags=re.DOTALL).group()
        assert sum(int(count) for count in re.findall(r'class="count">(\d+)<', section)) == len(CORNERS)


def test_a_county_without_people_is_drawn_as_no_data():
    view = small_view("en")
    view.counties.loc[0, ["persons", "plan_per_1000"]] = [0, np.nan]
    page = maps.map_html(view)
    assert view.words("map.legend.no_data") in _Seen(page).words
    assert payload(page)["counties"][0]["fill"]["beds"] is None


def test_nobody_uncovered_is_said_in_words():
    view = small_view("en")
    page = maps.map_html(replace(view, uncovered=view.uncovered[:0]))
    assert view.words("map.legend.nobody") in _Seen(page).words


def test_no_new_stations_and_no_centres_still_make_a_map():
    view = small_view()
    bare = replace(view, stations=view.stations[:0], centres=view.centres[:0], uncovered=view.uncovered[:0])
    page = maps.map_html(bare)
    assert payload(page)["reach"] == {"urban": [], "rural": []}
    assert 'value="centres"' not in page


def test_view_is_left_unchanged():
    view, same = small_view(), small_view()
    maps.map_html(view)
    for name in ("counties", "cities", "stations", "uncovered", "centres"):
        pd.testing.assert_frame_equal(getattr(view, name), getattr(same, name))


def test_a_full_province_stays_small():
    assert len(maps.map_html(shanxi_view()).encode()) < 2_000_000


# ---- the map of differences


def difference_view(lang="zh", hostile=None):
    """The small view's places with two plans by hand; nobody lives in Gamma, so that it has no density."""
    view = small_view(lang, hostile)
    sides = {"beds": (800, 850), "per_1000": (8.0, 8.5), "reach": (7.0, 6.25)}
    counties, cities = view.counties[["code", "name", "city", "geometry"]], view.cities[["code", "name", "lon", "lat"]]
    cities = cities.set_geometry(view.cities.geometry)
    for name, (first, second) in sides.items():
        for frame in (counties, cities):
            frame[f"{name}_first"] = first
            frame[f"{name}_second"] = second
            frame[f"{name}_difference"] = second - first
    counties["per_1000_difference"] = [0.5, 0.0, -2.5, np.nan]
    kept = {
        name: getattr(view, name) for name in ("title", "subtitle", "lang", "province", "sources", "notes", "words")
    }
    return maps.DifferenceView(cities=cities, counties=counties, rule="", **kept)


def test_a_difference_is_classed_around_zero():
    data = payload(maps.difference_html(difference_view()))
    middle = len(theme.BEDS_CHANGE) // 2
    classes = [county["fill"]["difference"] for county in data["counties"]]
    assert sorted(each for each in classes if each is not None) == [0, middle, middle + 2] and None in classes
    assert data["fills"] == dict.fromkeys(("difference", "reach"), list(theme.diverging(len(theme.BEDS_CHANGE) + 1)))
    assert data["fills"]["difference"][middle] == theme.PUOR[len(theme.PUOR) // 2]


def test_a_difference_has_the_plans_extent_and_nothing_over_its_fills():
    view = difference_view("en")
    page = maps.difference_html(view)
    data, plan = payload(page), payload(maps.map_html(small_view("en")))
    assert data["province"] == plan["province"] and data["theme"] == plan["theme"]
    assert [county["shape"] for county in data["counties"]] == [county["shape"] for county in plan["counties"]]
    assert not any(data[name] for name in ("stations", "uncovered", "centres", "catchments"))
    assert re.findall(r'<input type="(\w+)" name="\w+" value', page) == ["radio"] * 3
    facts = dict(
        zip((key for key, _ in map_payload.DIFFERENCE_ROWS["county"]), data["counties"][0]["facts"], strict=True)
    )
    assert facts["beds_difference"] == "+50" and facts["reach_difference"] == "−0.75"


def test_the_legend_of_a_difference_counts_every_county_once():
    page = maps.difference_html(difference_view())
    for key in ("difference", "reach"):
        section = re.search(rf'<section data-layers="{key}".*?</section>', page, flags=re.DOTALL).group()
        assert sum(int(count) for count in re.findall(r'class="count">(\d+)<', section)) == len(CORNERS)


def test_a_difference_is_as_closed_and_as_harmless_as_a_plan():
    page = maps.difference_html(difference_view(hostile=HOSTILE))
    seen = _Seen(page)
    assert seen.addresses == [] and "alert(1)>" not in page
    assert seen.elements == _Seen(maps.difference_html(difference_view())).elements
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src 'none'" in policy and policy.count("sha256-") == page.count("<script>")
    assert maps.difference_html(difference_view(hostile=HOSTILE)) == page


# ---- the map of a check, its people, and what a planner decided


def check_view(lang="zh", hostile=None, **changes):
    """The small view's places as a check of its stations, its people counted by hand."""
    view = small_view(lang, hostile)
    counted = {"urban_persons": 1000, "urban_covered": 900, "urban_uncovered": 100}
    counted |= {"rural_persons": 500, "rural_covered": 500, "rural_uncovered": 0}
    counties = view.counties[["code", "name", "city", "geometry"]].assign(**counted)
    cities = view.cities[["code", "name", "lon", "lat", "geometry"]].set_geometry("geometry").assign(**counted)
    stations = view.stations.assign(status="listed", uncovered=10, farthest=7.0)
    kept = ("title", "subtitle", "lang", "province", "urban", "rural", "sources", "rule", "notes", "words")
    fields = {name: getattr(view, name) for name in kept} | {"far": "km", "circles": True, "detour_factor": 1.0}
    uncovered = view.uncovered.assign(station=hostile or "Seat Delta").rename(columns={"km": "far"})
    fields |= {"cities": cities, "counties": counties, "stations": stations, "uncovered": uncovered}
    return maps.CoverageView(**(fields | changes))


PEOPLE = pd.DataFrame(
    {
        "lon": [112.1, 112.3, 112.2, 112.75, 112.4],
        "lat": [37.1, 37.1, 37.3, 37.75, 37.2],
        "persons": [50, 500, 5_000, 50_000, 0],
        "covered": [True, True, True, False, True],
        "preferred": [True, True, False, False, False],
    }
)


def test_people_are_drawn_as_one_compact_layer_by_state():
    people = map_views.people_states(PEOPLE)
    view = check_view("en", people=people)
    page, data = maps.coverage_html(view), maps.payload_of(view)
    sizes = {part["state"]: part["size"] for part in data["people"]}
    assert sizes == {"covered": "2", "preferred": "01", "uncovered": "3"}  # nobody is at the last point
    at = np.cumsum(np.reshape(data["people"][1]["at"], (-1, 2)), axis=0) * map_shapes.GRID
    assert at.tolist() == pytest.approx(np.array([[112.1, 37.1], [112.3, 37.1]]))
    section = re.search(r'<section data-layers="people".*?</section>', page, flags=re.DOTALL).group()
    assert re.findall(r'class="count">([\d,]+)<', section) == ["550", "5,000", "50,000"]
    assert re.search(r'value="people" checked', page) and re.search(r'value="none" checked', page)
    plain = maps.coverage_html(check_view("en"))
    assert 'value="people"' not in plain and payload(plain)["people"] is None


def test_a_whole_province_of_people_stays_small():
    chance = np.random.default_rng(7)
    many = pd.DataFrame({"lon": chance.uniform(110, 114, 46_060), "lat": chance.uniform(34, 41, 46_060)})
    many["persons"] = chance.integers(1, 20_000, len(many))
    many["state"] = chance.choice(["preferred", "covered", "uncovered"], len(many))
    with_people, without = (maps.sheet_of(check_view(people=each)).payload for each in (many, None))
    assert len(with_people) - len(without) < 600_000


def test_what_a_planner_decided_is_counted_and_told_by_shape_and_word():
    view = check_view("en", barred=pd.DataFrame({"name": ["Hill"], "lon": [112.5], "lat": [37.5]}))
    marks = ["forced", "", "added", "moved", "forbidden"]
    view = replace(view, stations=view.stations.assign(mark=marks))
    data, page = maps.payload_of(view), maps.coverage_html(view)
    assert {each["id"]: each.get("mark", "") for each in data["stations"]} == dict(
        zip(view.stations["id"], marks, strict=True)
    )
    shapes = [sign["shape"] + sign["line"] for sign in data["theme"]["mark"].values()]
    assert len(set(shapes)) == len(shapes) and "circle" not in {
        sign["shape"] for sign in data["theme"]["mark"].values()
    }
    legend = view.words.section("map.legend")
    section = re.search(r'<section data-layers="stations".*?</section>', page, flags=re.DOTALL).group()
    said = dict(re.findall(r'<td class="words">([^<]*)</td><td class="count">(\d+)<', section))
    assert said == {legend[key]: "1" for key in ("listed", "forced", "forbidden", "added", "moved", "barred")}
    first = next(each for each in data["stations"] if each.get("mark") == "forced")
    assert first["facts"][-1].endswith(legend["forced"])
    plan = maps.payload_of(small_view("en", barred=view.barred))
    assert [site["name"] for site in plan["barred"]] == ["Hill"]


def test_a_check_with_hostile_names_is_closed_and_harmless():
    changes = {"people": map_views.people_states(PEOPLE)}
    barred = pd.DataFrame({"name": [HOSTILE], "lon": [112.5], "lat": [37.5]})
    page = maps.coverage_html(check_view(hostile=HOSTILE, barred=barred, **changes))
    seen = _Seen(page)
    assert seen.addresses == [] and "alert(1)>" not in page
    assert seen.elements == _Seen(maps.coverage_html(check_view(barred=barred, **changes))).elements
    assert maps.coverage_html(check_view(hostile=HOSTILE, barred=barred, **changes)) == page


# ---- the frame of a page


@pytest.mark.parametrize("view", [small_view("en"), difference_view("en"), check_view("en")])
def test_a_sheet_is_the_same_from_a_view_and_from_its_document(view):
    make = {"MapView": maps.map_html, "DifferenceView": maps.difference_html, "CoverageView": maps.coverage_html}
    sheet = maps.sheet_of(view)
    assert maps.sheet_in(make[type(view).__name__](view)) == replace(sheet, margin=sheet.margin.strip())
    assert json.loads(sheet.payload) == json.loads(json.dumps(maps.payload_of(view)))


def test_a_sheet_is_not_made_of_any_document():
    with pytest.raises(ValueError, match="map"):
        maps.sheet_in("<html><body>drawPlan</body></html>")


def test_maps_of_one_province_share_their_extent():
    extents = {maps.sheet_of(view).extent for view in (small_view(), difference_view(), check_view("en"))}
    assert extents == {"112.00-37.00-112.80-37.80"}


def test_tiles_come_with_a_key_alone_and_never_in_a_file():
    key = "0123456789abcdef"
    bare, tiled = maps.frame_html("zh"), maps.frame_html("zh", key)
    for page in (bare, maps.map_html(small_view()), maps.coverage_html(check_view())):
        assert "tianditu" not in page.lower() and 'value="tiles"' not in page and "http:" not in _policy(page)
        assert "https:" not in _policy(page)
    assert key in tiled
    hosts = re.findall(r"https://\S+", _policy(tiled))
    assert [host.rstrip(";") for host in hosts] == list(maps.TIANDITU)
    assert "img-src data: https://t0" in _policy(tiled) and "script-src 'sha256-" in _policy(tiled)
    assert 'value="tiles"' in maps.sheet_of(small_view(), tiles=True).margin
    assert 'value="tiles" checked' not in maps.sheet_of(small_view(), tiles=True).margin
    with pytest.raises(ValueError, match="key"):
        maps.frame_html("zh", "');alert(1)//")


def _policy(page):
    return re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)


def test_what_is_kept_of_polygons_changes_no_map():
    """A second drawing rests on what the first kept; polygons that were changed are drawn as they are."""
    view = small_view()
    first = maps.map_html(view)
    assert maps.map_html(view) == first == maps.map_html(small_view())
    moved = view.counties.set_geometry(view.counties.translate(0.01, 0))
    assert payload(maps.map_html(replace(view, counties=moved)))["counties"] != payload(first)["counties"]
