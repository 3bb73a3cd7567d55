"""The page of emergency coverage: edits on paper first, then every widget of the page on the drawn town.

A square of the town is 10 km. By default everybody urban lives at the seats and everybody rural on the squares of the
county, so that a station more covers the people of squares that can be counted on the drawing.
"""

import io
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geo.stations import load_stations, seat_stations
from geo.travel import nearest
from geo.words import load_words
from planner.coverage import Limits, check_coverage, places_at
from planner.ui import ground
from planner.ui.emergency_check import Memory, covered, gain_said, inside, near_here, told
from planner.ui.emergency_stations import (
    CANDIDATE_KM,
    Gain,
    Listing,
    Refused,
    State,
    added,
    as_csv,
    begun,
    digest,
    gain,
    in_language,
    moved,
    nearest_site,
    removed,
    stations_listed,
    stations_now,
    stations_planned,
    unlike,
    unwished,
    wish,
    wished_ids,
    with_site,
)
from tests import town
from tests.planner import page_bench as bench

ZH = load_words("zh")
MAP = "emergency-map"


@pytest.fixture
def now(town_run):
    """The five seats of the town, as the stations there are."""
    return stations_now(town_run.prepared.sites, town_run.scenario)


def far_town(run):
    """The one place of the town that no seat is near to: 远镇 in the south-east of county c."""
    site = run.prepared.sites.loc["T1001"]
    return site["lon"], site["lat"]


# -- lists -------------------------------------------------------------------------------------------------------------


def test_today_is_a_seat_in_every_county_that_lists_none(town_run, now):
    assert sorted(now["county_code"]) == sorted(town.CODES.values())
    assert set(now["kind"]) == {"seat"}
    pd.testing.assert_series_equal(now["lon"], seat_stations(town_run.prepared.region)["lon"])


def test_the_stations_of_a_plan_are_new_where_no_station_is(town_run, now):
    table = now.reset_index().assign(status="assumed")
    site = town_run.prepared.sites.loc[["T1001"]].reset_index().assign(ambulances=2.0, status="new")
    listed = stations_planned(pd.concat([site, table]), town_run.prepared.region, town_run.prepared.sites)
    assert list(listed.index) == sorted([*now.index, "T1001"])
    assert listed["kind"].to_dict() == dict.fromkeys(now.index, "seat") | {"T1001": "new"}
    pd.testing.assert_frame_equal(listed.loc[now.index, ["x", "y"]], now[["x", "y"]])


def test_a_new_station_is_named_after_the_nearest_place_and_numbered_if_taken(town_run, now):
    lon, lat = far_town(town_run)
    one, first = added(now, town_run.prepared.region, lon + 0.01, lat, ZH)
    two, second = added(one, town_run.prepared.region, lon + 0.02, lat, ZH)
    assert (one.at[first, "name"], two.at[second, "name"]) == ("新站 · 远镇", "新站 · 远镇 2")
    assert first != second
    assert one.at[first, "kind"] == "new"
    assert two.at[second, "county_code"] == town.CODES["c"]
    assert len(two) == len(now) + 2
    assert two.index.is_monotonic_increasing


def test_names_that_are_taken_are_numbered():
    assert unlike("新站", {"新站", "新站 2"}) == "新站 3"


def test_a_name_that_was_typed_stays_text(town_run, now):
    lon, lat = far_town(town_run)
    made, id = added(now, town_run.prepared.region, lon, lat, ZH, "<b>\u202e站</b>\n")
    assert made.at[id, "name"] == "<b>站</b>"


@pytest.mark.parametrize(
    ("lon", "lat", "key"),
    [(100.0, 20.0, "outside"), (np.nan, 37.0, "no_point"), (112.0, 400.0, "no_point")],
)
def test_a_station_outside_the_province_is_refused(town_run, now, lon, lat, key):
    with pytest.raises(Refused) as refused:
        added(now, town_run.prepared.region, lon, lat, ZH)
    assert refused.value.key == key


def test_two_stations_at_one_point_are_refused(town_run, now):
    with pytest.raises(Refused, match="there_already"):
        added(now, town_run.prepared.region, now["lon"].iloc[0], now["lat"].iloc[0], ZH)


def test_a_moved_station_keeps_its_id_and_is_in_the_county_it_was_moved_to(town_run, now):
    lon, lat = far_town(town_run)
    made = moved(now, town_run.prepared.region, "S140101", lon, lat)
    assert made.at["S140101", "county_code"] == town.CODES["c"]
    assert made.at["S140101", "name"] == now.at["S140101", "name"]
    x, _ = town_run.prepared.region.project([lon], [lat])
    assert made.at["S140101", "x"] == x[0]
    assert digest(made) != digest(now)


def test_the_last_station_stays(town_run, now):
    one = now.iloc[:1]
    with pytest.raises(Refused, match="last_station"):
        removed(one, one.index[0])
    with pytest.raises(Refused, match="unknown_station"):
        removed(now, "no such")
    assert list(removed(now, "S140101").index) == list(now.index[1:])


def test_undo_and_redo_walk_the_states_and_a_new_edit_cuts_what_was_undone(now):
    history = begun(Listing("now", "", now), ((), ()))
    assert not history.undoable
    fewer, fewest = removed(now, "S140101"), removed(removed(now, "S140101"), "S140102")
    history = history.then(State(fewer, ((), ()))).then(State(fewest, ((), ())))
    assert len(history.now.stations) == 3
    history = history.undone()
    assert len(history.now.stations) == 4
    assert history.redoable
    assert len(history.redone().now.stations) == 3
    other = history.then(State(removed(fewer, "S140201"), ((), ())))
    assert not other.redoable
    assert len(other.start.stations) == 5
    assert history.undone().undone().at == 0


def test_a_long_history_keeps_its_beginning(now):
    history = begun(Listing("now", "", now), ((), ()))
    for _ in range(100):
        history = history.then(State(now, ((), ())))
    assert history.start is history.states[0]
    assert len(history.states) < 100
    assert history.now is history.states[-1]


def test_the_csv_of_a_list_is_read_as_the_same_list(town_run, now, tmp_path):
    lon, lat = far_town(town_run)
    made, id = added(now, town_run.prepared.region, lon, lat, ZH, "新站，“甲”")
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(made))
    read = stations_listed(load_stations(path, town_run.prepared.region))
    columns = ["name", "county_code", "city_code", "lon", "lat", "x", "y"]
    pd.testing.assert_frame_equal(read[columns], made[columns], check_dtype=False)
    assert set(read["kind"]) == {"existing"}


def test_a_formula_in_a_name_is_harmless_in_the_file_that_is_handed_out(town_run, now):
    lon, lat = far_town(town_run)
    made, _ = added(now, town_run.prepared.region, lon, lat, ZH, "=1+1")
    assert ",'=1+1," in as_csv(made).decode("utf-8-sig")
    assert ",=1+1," in as_csv(made, safe=False).decode("utf-8-sig")


def test_names_of_places_follow_the_language_and_own_names_stay(town_run, now):
    lon, lat = far_town(town_run)
    made, id = added(now, town_run.prepared.region, lon, lat, ZH, "甲站")
    said = in_language(made, "en")
    assert said.at["S140101", "name"] == "A"
    assert said.at[id, "name"] == "甲站"


# -- whom an edit covers -----------------------------------------------------------------------------------------------


def by_hand(run, stations, setting, km):
    """People within ``km`` of a list, counted one demand point after the other."""
    demand = run.prepared.demand
    metres = nearest(demand, stations)[0]
    return sum(
        int(persons)
        for persons, each, way in zip(demand["persons"], demand["setting"], metres, strict=True)
        if each == setting and way <= km * 1000
    )


def test_a_station_more_covers_as_many_people_more_as_are_counted_by_hand(town_run, now):
    """County c has 15,000 rural people on nine squares; 远镇 stands in one that no seat is within the radius of."""
    scenario = replace(town_run.scenario, rural_km=8.0, urban_km=5.0, rural_preferred_km=8.0)
    prepared, memory = town_run.prepared, Memory()
    more, _ = added(now, prepared.region, *far_town(town_run), ZH)
    near = near_here(memory, prepared, scenario, now), near_here(memory, prepared, scenario, more)
    first, second = (inside(prepared, scenario, each) for each in near)
    found = gain(prepared.demand, first["covered"], second["covered"])
    hand = {s: by_hand(town_run, more, s, km) - by_hand(town_run, now, s, km) for s, km in (("urban", 5), ("rural", 8))}
    assert (found.net("urban"), found.net("rural")) == (hand["urban"], hand["rural"])
    assert found.net() == sum(hand.values()) > 0
    assert found.lost == {"urban": 0, "rural": 0}
    checks = [covered(memory, prepared, scenario, of, "zh", ways) for of, ways in zip((now, more), near, strict=True)]
    totals = [int(check.coverage_by_city["covered"].sum()) for check in checks]
    assert totals[1] - totals[0] == found.net()


def test_a_radius_that_moves_asks_for_no_distance_again(town_run, now, monkeypatch):
    prepared, memory = town_run.prepared, Memory()
    near = near_here(memory, prepared, town_run.scenario, now)
    monkeypatch.setattr("geo.travel.nearest", lambda *given: pytest.fail("distances were computed again"))
    wider = replace(town_run.scenario, rural_km=30.0)
    assert near_here(memory, prepared, wider, now) is near
    monkeypatch.undo()
    check = covered(memory, prepared, wider, now, "zh", near)
    limits = Limits(wider.urban_km, wider.rural_km, wider.rural_preferred_km)
    whole = check_coverage(prepared.region, prepared.demand, now, ways=prepared.ways(wider), limits=limits, radii=())
    pd.testing.assert_frame_equal(check.coverage_by_city, whole.coverage_by_city)
    pd.testing.assert_frame_equal(check.uncovered_places, whole.uncovered_places, check_dtype=False)


def test_known_places_change_no_figure(town_run, now):
    region, demand = town_run.prepared.region, town_run.prepared.demand
    ways, limits = town_run.prepared.ways(town_run.scenario), Limits(1, 2, 2)
    plain = check_coverage(region, demand, now, ways=ways, limits=limits)
    at = places_at(region, demand)
    known = check_coverage(region, demand, now, ways=ways, limits=limits, near=ways.nearest(demand, now), at=at)
    for name in ("uncovered_places", "coverage_by_county", "stations", "coverage_by_radius"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(known, name), check_dtype=False)


def test_a_city_that_uses_its_own_stations_alone_has_no_others(town_run, now):
    east = now[now["city_code"].eq("140100")]
    scenario = replace(town_run.scenario, stations_by_city=True)
    amount, position = near_here(Memory(), town_run.prepared, scenario, east)
    west = town_run.prepared.demand["city_code"].eq("140200").to_numpy()
    assert (position[west] == -1).all()
    assert (position[~west] >= 0).all()


def test_a_gain_is_said_with_town_and_country():
    said = gain_said(Gain({"urban": 10, "rural": 2000}, {"urban": 0, "rural": 0}), ZH)
    assert said == "多覆盖 2,010 人（城镇 +10，乡村 +2,000）"
    said = gain_said(Gain({"urban": 10, "rural": 0}, {"urban": 0, "rural": 30}), ZH)
    assert said == "少覆盖 20 人（城镇 +10，乡村 −30）；其中新覆盖 10 人，不再覆盖 30 人"
    assert gain_said(Gain({"urban": 0, "rural": 0}, {"urban": 0, "rural": 0}), ZH) == "覆盖的人数没有变化"


def test_marks_say_what_was_added_and_moved(town_run, now):
    prepared, memory, scenario = town_run.prepared, Memory(), town_run.scenario
    more, id = added(now, prepared.region, *far_town(town_run), ZH)
    more = moved(more, prepared.region, "S140101", now.at["S140101", "lon"] + 0.02, now.at["S140101", "lat"])
    check = covered(memory, prepared, scenario, more, "zh", near_here(memory, prepared, scenario, more))
    found = told(
        memory, prepared, scenario, Listing("edit", "编辑", more), check, ZH, start=now, forbidden={"T1002": ""}
    )
    assert '"mark":"added"' in found.sheet.payload.replace(" ", "")
    assert '"mark":"moved"' in found.sheet.payload.replace(" ", "")
    assert "丁北镇" in found.sheet.payload
    assert found.said["checked_stations"].set_index("id")["status"].to_dict() == {
        **dict.fromkeys(now.index, "assumed"),
        id: "new",
    }


# -- wishes ------------------------------------------------------------------------------------------------------------


def test_the_nearest_candidate_is_taken_within_three_km(town_run):
    sites, (lon, lat) = town_run.prepared.sites, far_town(town_run)
    assert nearest_site(sites, lon, lat).name == "T1001"
    with pytest.raises(Refused) as refused:
        nearest_site(sites.loc[["T1001"]], lon + 0.2, lat)
    assert refused.value.key == "no_site"
    assert refused.value.params["most"] == CANDIDATE_KM


def test_forbidding_a_forced_site_moves_it(town_run):
    sites, scenario = town_run.prepared.sites, town_run.scenario
    forced, forbidden = wish(sites, scenario, sites.loc["T1001"], "forced")
    assert (len(forced), forbidden) == (1, ())
    then = replace(scenario, forced_sites=forced)
    assert list(wished_ids(sites, then)[0]) == ["T1001"]
    moved_to = wish(sites, then, sites.loc["T1001"], "forbidden")
    assert (moved_to[0], len(moved_to[1])) == ((), 1)
    assert unwished(replace(scenario, forbidden_sites=moved_to[1]), moved_to[1][0]) == ((), ())


def test_a_site_with_a_station_of_today_is_neither_forced_nor_forbidden(town_run):
    sites = town_run.prepared.sites
    for word in ("forced", "forbidden"):
        with pytest.raises(Refused, match=f"held_{word}"):
            wish(sites, town_run.scenario, sites.loc["S140101"], word)


def test_a_site_in_a_closed_county_is_not_forced(town_run):
    closed = replace(town_run.scenario, closed_counties=(town.CODES["c"],))
    sites = town_run.prepared.sites
    with pytest.raises(Refused, match="closed"):
        wish(sites, closed, sites.loc["T1001"], "forced")


def test_a_forced_site_is_in_the_list_once(town_run, now):
    site = town_run.prepared.sites.loc["T1001"]
    made = with_site(now, site)
    assert made.at["T1001", "kind"] == "new"
    assert with_site(made, site) is made


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(town_run, tmp_path, monkeypatch):
    """The page of the drawn town after its first run, and its desk."""
    monkeypatch.setattr(ground, "_prepared", lambda *given: town_run.prepared)
    return bench.opened(town_run, tmp_path, monkeypatch, page="emergency")


def click(app, mode, **event):
    """Choose what a click does, then click on the map."""
    app.session_state["em-mode"] = mode
    number = 1 + app.session_state["clicked"] if "clicked" in app.session_state else 1
    app.session_state["clicked"] = number
    app.session_state[f"{MAP}-event"] = {"n": number} | event
    app.run()
    assert not app.exception, app.exception
    return bench.said(app)


def look_at(app, look):
    app.session_state["em-look"] = look
    app.run()
    assert not app.exception, app.exception
    return bench.said(app)


def button(app, key):
    return next(each for each in app.button if each.key == key)


def test_today_is_told_in_figures_and_as_assumed(page):
    said = bench.said(page[0])
    assert "假定 5 个县（市、区）驻地各有 1 个急救站（设定ᵃ，不是调查所得）" in said
    assert "城镇人口，5 公里以内ᵐ" in said
    assert "ᵃ 设定" in said
    assert any("没有未覆盖的地点" in frame for frame in bench.frames(page[0]))


def test_a_radius_that_moves_is_followed_without_a_new_question(page):
    app, desk = page
    asked, before = len(desk.asked), bench.said(app)
    next(each for each in app.number_input if each.label == "乡村").set_value(40.0).run()
    said = bench.said(app)
    assert "40 公里以内" in said
    assert said != before
    assert len(desk.asked) == asked
    app.session_state["em-look"] = "plan"
    app.run()
    assert "设置已改动，请重新计算" in bench.said(app)


def test_a_click_adds_a_station_and_says_whom_it_covers(page, town_run):
    app, _ = page
    app.session_state["changes"] = {"rural_km": 8.0, "rural_preferred_km": 8.0}
    app.run()
    lon, lat = far_town(town_run)
    now = stations_now(town_run.prepared.sites, town_run.scenario)
    more, _ = added(now, town_run.prepared.region, lon, lat, ZH)
    hand = {s: by_hand(town_run, more, s, km) - by_hand(town_run, now, s, km) for s, km in (("urban", 5), ("rural", 8))}
    said = click(app, "add", kind="point", lon=lon, lat=lat)
    assert f"加“新站 · 远镇”后，多覆盖 {sum(hand.values()):,} 人" in said
    assert "按编辑中的 6 个急救站" in said
    assert app.session_state["em-look"] == "edit"


def test_clicks_add_move_remove_and_the_way_back(page, town_run):
    app, _ = page
    lon, lat = far_town(town_run)
    click(app, "add", kind="point", lon=lon, lat=lat)
    assert "移动“新站 · 远镇”后" in click(app, "move", kind="move", id="N001", lon=lon + 0.02, lat=lat)
    assert "去掉“甲县”后" in click(app, "remove", kind="station", id="S140101", lon=lon, lat=lat)
    assert len(app.session_state["em-history"].now.stations) == 5
    button(app, "em-undo").click().run()
    assert len(app.session_state["em-history"].now.stations) == 6
    button(app, "em-redo").click().run()
    assert len(app.session_state["em-history"].now.stations) == 5
    button(app, "em-reset").click().run()
    assert app.session_state["em-history"].at == 0
    assert "还没有改动" in bench.said(app)
    assert button(app, "em-undo").disabled


def test_a_click_is_followed_once(page, town_run):
    app, _ = page
    lon, lat = far_town(town_run)
    click(app, "add", kind="point", lon=lon, lat=lat)
    app.run()
    assert len(app.session_state["em-history"].now.stations) == 6


def test_a_click_outside_is_told_and_changes_nothing(page):
    app, _ = page
    assert "这一点在省外" in click(app, "add", kind="point", lon=100.0, lat=20.0)
    assert "em-history" not in app.session_state


def test_forced_and_forbidden_sites_are_settings_that_can_be_taken_back(page, town_run):
    app, _ = page
    lon, lat = far_town(town_run)
    said = click(app, "force", kind="point", lon=lon, lat=lat)
    assert "把“远镇”定为必建后" in said
    assert "必建 1 处" in said
    assert len(app.session_state["changes"]["forced_sites"]) == 1
    said = click(app, "forbid", kind="station", id="T1001", lon=lon, lat=lat)
    assert "禁建 1 处" in said
    assert "forced_sites" not in app.session_state["changes"]
    assert "T1001" not in app.session_state["em-history"].now.stations.index
    button(app, "em-undo").click().run()
    assert "必建 1 处" in bench.said(app)
    button(app, "em-unwish-forced-T1001").click().run()
    assert "必建 1 处" not in bench.said(app)
    click(app, "forbid", kind="point", lon=lon, lat=lat)
    assert "禁建 1 处" in bench.said(app)
    click(app, "forbid", kind="barred", id="T1001", lon=lon, lat=lat)
    assert "禁建 1 处" not in bench.said(app)


def test_an_edited_list_becomes_the_stations_there_are(page, town_run):
    app, _ = page
    click(app, "add", kind="point", lon=far_town(town_run)[0], lat=far_town(town_run)[1])
    button(app, "em-use").click().run()
    assert not app.exception
    path = app.session_state["changes"]["existing_stations"]
    assert len(load_stations(path, town_run.prepared.region)) == 6
    assert "按名单所列的 6 个现有急救站" in bench.said(app)


def test_editing_begins_from_any_list_and_without_the_map(page):
    app, _ = page
    assert "还没有开始编辑" in look_at(app, "edit")
    look_at(app, "plan")
    button(app, "em-edit-this").click().run()
    assert "从规划开始" in bench.said(app)
    stations = app.session_state["em-history"].now.stations
    app.session_state[f"em-drop-{len(stations)}-0"] = stations.index[0]
    app.run()
    assert len(app.session_state["em-history"].now.stations) == len(stations) - 1
    app.text_input(key="em-type-name").set_value("<script>alert(1)</script>")
    app.number_input(key="em-type-lon").set_value(float(stations["lon"].mean()))
    app.number_input(key="em-type-lat").set_value(float(stations["lat"].mean()))
    next(each for each in app.button if each.label == "加这个站").click().run()
    assert not app.exception
    bodies = " ".join(element.proto.body for element in app.get("html")) + " ".join(bench.frames(app))
    assert "<script>alert" not in bodies
    assert "&lt;script&gt;alert(1)" in bodies


def test_a_point_that_was_not_typed_is_asked_for(page):
    app, _ = page
    next(each for each in app.button if each.label == "加这个站").click().run()
    assert "经度、纬度要都填" in bench.said(app)


def bring(app, text, datum="", name="名单.csv"):
    app.session_state["em-file"] = name, text.encode()
    app.session_state["em-datum"] = datum
    return look_at(app, "list")


def test_a_list_that_is_brought_is_checked(page, town_run):
    app, _ = page
    assert "还没有名单" in look_at(app, "list")
    lon, lat = far_town(town_run)
    said = bring(app, f"名称,经度,纬度\n一站,{lon:.5f},{lat:.5f}\n")
    assert "按名单“名单.csv”所列的 1 个急救站" in said
    button(app, "em-edit-this").click().run()
    assert "从名单“名单.csv”开始（1 个站）" in bench.said(app)
    assert "只剩这一个站" in click(app, "remove", kind="station", id="R0002", lon=lon, lat=lat)


def test_all_faults_of_a_list_are_told_at_once(page, town_run):
    app, _ = page
    lon, lat = far_town(town_run)
    said = bring(app, f"名称,经度,纬度\n一站,{lon:.5f},北纬\n<i>二站</i>,112.0,20.0\n,{lon:.5f},{lat:.5f}\n")
    assert "名单不能用，共 3 处" in said
    assert all(f"第 {row} 行" in said for row in (2, 3, 4))
    assert "请在原文件中改正" in said


def test_the_plan_shows_its_tables_beside_the_check_of_its_stations(page):
    app, _ = page
    said = look_at(app, "plan")
    assert "按规划的" in said
    assert "另一个问题“限定站数，覆盖最多”的答案" in said
    assert sum("救护车" in frame for frame in bench.frames(app)) >= 1


def test_the_curve_is_drawn_once(town_run, monkeypatch):
    from planner.ui import emergency_plan

    monkeypatch.setattr(emergency_plan.st, "session_state", {})
    curve = pd.DataFrame({"stations": [5, 7, 9], "persons": [60, 90, 100], "share": [60.0, 90.0, 100.0]})
    curve = curve.assign(bound=curve["persons"], status="optimal", knee=["no", "yes", "no"])
    frame = SimpleNamespace(words=ZH, job=SimpleNamespace(key="asked"), text=SimpleNamespace(summary=None))
    picture = emergency_plan._chart(frame, curve)
    assert picture.startswith(b"\x89PNG")
    assert emergency_plan._chart(frame, curve) is picture


def test_the_same_figures_in_english(page):
    app, _ = page
    figures = [word for word in bench.said(app).split() if word.endswith("%")]
    app.session_state["lang"] = "en"
    app.run()
    assert not app.exception
    said = bench.said(app)
    assert "one station assumedᵃ at each of the 5 county seats" in said
    assert [word for word in said.split() if word.endswith("%")][: len(figures)]
    assert "假定" not in said


def test_settings_that_do_not_fit_stop_the_check(page):
    app, _ = page
    next(each for each in app.number_input if each.label == "乡村").set_value(900.0).run()
    assert "设置有误，不能检查" in bench.said(app)


def test_tables_are_handed_out(town_run, now):
    from planner.ui.emergency_files import csv_of, xlsx_of, zip_of

    memory, prepared, scenario = Memory(), town_run.prepared, town_run.scenario
    check = covered(memory, prepared, scenario, now, "zh", near_here(memory, prepared, scenario, now))
    found = told(memory, prepared, scenario, Listing("now", "", now), check, ZH)
    rows = pd.read_csv(io.BytesIO(csv_of(found, "checked_counties")), dtype=str)
    assert len(rows) == 2 * len(town.CODES)
    assert zipfile.is_zipfile(io.BytesIO(xlsx_of(found, "checked_places", ZH)))
    names = zipfile.ZipFile(io.BytesIO(zip_of(found, ZH))).namelist()
    assert {"map.html", "coverage.xlsx", "manifest.json"} <= set(names)


def test_along_roads_the_desk_is_asked_and_a_radius_needs_no_second_question(town_run, now):
    """Distances that came from elsewhere are held as those worked out here are."""
    from planner.ui.emergency_check import near_from

    memory, prepared, scenario = Memory(), town_run.prepared, town_run.scenario
    ways = prepared.ways(scenario)
    check = check_coverage(prepared.region, prepared.demand, now, ways=ways, limits=Limits(5, 20, 10), radii=())
    amount, position = near_from(memory, scenario, now, check)
    np.testing.assert_array_equal(amount, ways.nearest(prepared.demand, now)[0])
    np.testing.assert_array_equal(position, ways.nearest(prepared.demand, now)[1])
    assert memory.get("near", next(iter(memory._held["near"]))) is not None


def test_roads_are_left_to_the_desk(page, town_run, monkeypatch):
    app, desk = page
    calls = []
    check = desk.coverage

    def slow(scenario, stations, watcher):
        calls.append(len(stations))
        straight = replace(scenario, travel_measure="straight")
        return check(straight, stations, watcher)

    desk.coverage = slow
    app.session_state["changes"] = {"travel_measure": "road", "roads": "/no/roads.geojson"}
    app.run()
    assert not app.exception, app.exception
    assert calls == [5]
    next(each for each in app.number_input if each.label == "乡村").set_value(15.0).run()
    assert calls == [5]
    assert "15 公里以内" in bench.said(app)
