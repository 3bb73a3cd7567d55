"""Roads: what a file becomes, what is left out and said so, and ways that agree with paper and with networkx."""

import math
import os
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.faults import Rejected
from geo.network import MEASURES, Access, RoadNetwork, amounts, load_roads, morton, nearest_on
from geo.region import load_region, local_projection, project, unproject
from geo.road_speeds import DEFAULT, load_speeds
from geo.travel import UNREACHED, whole_metres
from geo.ways import on_roads
from geo.words import LANGUAGES, load_words

HERE = local_projection((112.0, 37.0, 114.0, 39.0))
EAST, NORTH = (int(each) for each in project(HERE, 113.0, 38.0))
REFERENCE = os.environ.get("JINYI_REFERENCE_DATA")
reference = pytest.mark.skipif(not REFERENCE, reason="JINYI_REFERENCE_DATA names no folder")

# A town on two banks; one dash or bar is a road of 500 m, the only bridge is between c and f. 36 km/h = 10 m/s.
TOWN = """
    a-b-c     north bank
        |     ~~~~~~~~~~
    d-e-f     south bank
"""
LETTERS = {"a": (0, 1000), "b": (1000, 1000), "c": (2000, 1000), "d": (0, 0), "e": (1000, 0), "f": (2000, 0)}
STREETS = ("ab", "bc", "cf", "fe", "ed")


def points(*places):
    return pd.DataFrame(list(places), columns=["x", "y"], dtype="int64")


def at(letters):
    return points(*(LETTERS[letter] for letter in letters))


def network_of(graph, **access):
    return RoadNetwork.from_networkx(graph, Access(**access))


def town(one_way=(), **access):
    """The drawn town; streets of ``one_way`` lead from their first letter to their second only."""
    graph = nx.DiGraph()
    for letter, (x, y) in LETTERS.items():
        graph.add_node(letter, x=x, y=y)
    for a, b in STREETS:
        graph.add_edge(a, b, metres=1000, seconds=100)
        if a + b not in one_way:
            graph.add_edge(b, a, metres=1000, seconds=100)
    return network_of(graph, **access)


# -- on paper ----------------------------------------------------------------------------------------------------------


def test_across_the_river_only_by_the_bridge():
    """a and d face each other at 1,000 m; by road it is a-b-c-f-e-d, 5 km and 500 s."""
    assert amounts(town(), "road", at("d"), at("a"), 5_000).toarray().tolist() == [[5_000]]
    assert amounts(town(), "minutes", at("d"), at("a"), 500).toarray().tolist() == [[500]]
    assert amounts(town(), "road", at("d"), at("a"), 4_999).nnz == 0
    assert amounts(town(), "minutes", at("d"), at("a"), 499).nnz == 0


def test_rows_are_demand_and_columns_sites():
    arcs = amounts(town(), "road", at("abf"), at("ce"), 3_000)
    assert arcs.toarray().tolist() == [[2_000, 0], [1_000, 3_000], [1_000, 1_000]]
    assert arcs.nnz == 5 and arcs.dtype == np.int64 and arcs.has_sorted_indices
    assert amounts(town(), "road", at("abf"), at("ce"), np.array([1_999, 1_000, 999])).nnz == 1


def test_a_site_is_at_its_own_door():
    arcs = amounts(town(), "road", at("a"), at("a"), 0)
    assert arcs.toarray().tolist() == [[0]] and arcs.nnz == 1  # a stored 0


def test_the_vehicle_drives_from_the_site_to_the_people():
    """With the bridge one-way to the south the south is served from the north, never the other way round."""
    one_way = town(one_way=["cf"])
    assert amounts(one_way, "road", at("f"), at("c"), 9_000).toarray().tolist() == [[1_000]]
    assert amounts(one_way, "road", at("c"), at("f"), 9_000).nnz == 0
    amount, position = nearest_on(one_way, "road", at("ad"), at("e"))
    assert amount.tolist() == [UNREACHED, 1_000] and position.tolist() == [-1, 0]


def test_the_nearest_and_of_equals_the_first():
    assert [each.tolist() for each in nearest_on(town(), "road", at("abd"), at("ca"))] == [[0, 1_000, 3_000], [1, 0, 0]]
    assert [each.tolist() for each in nearest_on(town(), "road", at("b"), at("ac"))] == [[1_000], [0]]
    with pytest.raises(ValueError, match="no site"):
        nearest_on(town(), "road", at("a"), at(""))


def test_legs_off_the_roads_count():
    """A farm 300 m north and 400 m east of a: 500 m to the road, which takes 90 s at 20 km/h."""
    farm = points((400, 1_300))
    assert amounts(town(), "road", farm, at("b"), 9_000).toarray().tolist() == [[1_500]]
    assert amounts(town(), "minutes", farm, at("b"), 9_000).toarray().tolist() == [[190]]
    assert amounts(town(off_road_km_h=10.0), "minutes", farm, at("b"), 9_000).toarray().tolist() == [[280]]
    assert amounts(town(), "minutes", at("b"), farm, 9_000).toarray().tolist() == [[190]]


def test_two_who_leave_the_road_at_one_node_go_straight():
    """Both 500 m from a, 100 m apart: not 1,000 m by way of a."""
    assert amounts(town(), "road", points((400, 1_300)), points((400, 1_400)), 9_000).toarray().tolist() == [[100]]
    amount, position = nearest_on(town(), "road", points((400, 1_300)), points((2_000, 1_000), (400, 1_400)))
    assert (amount.tolist(), position.tolist()) == ([100], [1])


def test_too_far_from_any_road_is_unreached():
    far = points((0, 21_001))  # 20,001 m from a
    assert nearest_on(town(), "road", far, at("a"))[0].tolist() == [UNREACHED]
    assert nearest_on(town(), "road", points((0, 21_000)), at("a"))[0].tolist() == [20_000]
    assert nearest_on(town(), "road", at("a"), points((0, 6_001)))[0].tolist() == [UNREACHED]  # a site: 5 km
    assert nearest_on(town(), "road", at("a"), points((0, 6_000)))[0].tolist() == [5_000]
    assert town().snapped(far, 20_000)[0].tolist() == [-1]


def island():
    """The town, and a village road g-h cut off from it, 4 km east of c."""
    graph = town().to_networkx()
    for name, x in (("g", 6_000), ("h", 6_500)):
        graph.add_node(name, x=x, y=1_000)
    graph.add_edge("g", "h", metres=500, seconds=50)
    graph.add_edge("h", "g", metres=500, seconds=50)
    return network_of(graph)


def test_a_place_cut_off_serves_itself_and_is_reached_over_land():
    """h comes onto its own road, and after 4,500 m over land onto the town's at c."""
    roads, village = island(), points((6_500, 1_000))
    assert roads.report.components["km"].tolist() == [5.0, 0.5]
    assert amounts(roads, "road", village, points((6_000, 1_000)), 9_000).toarray().tolist() == [[500]]
    assert amounts(roads, "road", village, at("c"), 9_000).toarray().tolist() == [[4_500]]
    assert amounts(roads, "road", at("c"), village, 9_000).toarray().tolist() == [[4_500]]
    node, metres = roads.snapped(village, 20_000)
    assert roads.component[node].tolist() == [0] and metres.tolist() == [4_500]
    node, metres = roads.snapped(village, 4_499)
    assert roads.component[node].tolist() == [1] and metres.tolist() == [0]
    moved = roads.moved(pd.concat([village, at("a")], keys=["village", "town"]), 20_000)
    assert [key for key, _ in moved.index] == ["village"]
    assert moved[["component", "metres", "main_metres"]].to_numpy().tolist() == [[1, 0, 4_500]]


def test_nobody_joins_a_motorway_between_its_junctions():
    graph = town().to_networkx()
    beside_e = next(node for node, said in graph.nodes(data=True) if (said["x"], said["y"]) == LETTERS["e"])
    graph.nodes[beside_e]["open"] = False
    node, metres = network_of(graph).snapped(at("e"), 20_000)
    assert metres.tolist() == [1_000]


def test_no_demand_or_no_site():
    assert amounts(town(), "road", at(""), at("a"), 1).shape == (0, 1)
    assert amounts(town(), "road", at("a"), at(""), 1).shape == (1, 0)


def test_ways_ask_the_roads():
    ways = on_roads(town(), "minutes")
    assert ways.arcs_within(at("d"), at("a"), 500).toarray().tolist() == [[500]]
    assert ways.nearest(at("d"), at("a"))[0].tolist() == [500]
    with pytest.raises(ValueError, match="measure"):
        amounts(town(), "miles", at("a"), at("a"), 1)


# -- beside networkx ---------------------------------------------------------------------------------------------------


@st.composite
def cases(draw):
    """A random network with one-way roads, roads of no length and several parts; demand, sites, limits."""
    n = draw(st.integers(2, 10))
    metres = st.integers(-40, 40)
    graph = nx.DiGraph()
    for node in range(n):
        graph.add_node(node, x=draw(metres), y=draw(metres), open=draw(st.integers(0, 4)) > 0)
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] != pair[1])
    for a, b in draw(st.lists(ends, min_size=1, max_size=20)):
        graph.add_edge(a, b, metres=draw(st.integers(0, 60)), seconds=draw(st.integers(0, 9)))
    place = st.tuples(metres, metres)
    demand, sites = (draw(st.lists(place, min_size=1, max_size=8)) for _ in range(2))
    limits = draw(st.lists(st.integers(0, 150), min_size=len(demand), max_size=len(demand)))
    access = Access(draw(st.sampled_from([0.01, 0.03, 0.2])), draw(st.sampled_from([0.01, 0.03, 0.2])), 20.0)
    return RoadNetwork.from_networkx(graph, access), points(*demand), points(*sites), np.array(limits)


def by_networkx(network, measure, demand, sites):
    """Every amount, demand x site, inf = no way: networkx between the nodes, all else spelled out."""
    graph, access = network.to_networkx(), network.access
    a_metre = 1 if measure == "road" else 3.6 / access.off_road_km_h
    onto = [
        [
            [(node, int(whole_metres(metres, a_metre))) for at, node, metres in zip(*ways, strict=True) if at == i]
            for i in range(len(frame))
        ]
        for frame, ways in (
            (demand, network.ways_on(demand, round(access.demand_km * 1000))),
            (sites, network.ways_on(sites, round(access.site_km * 1000))),
        )
    ]
    table = np.full((len(demand), len(sites)), math.inf)
    for j, site_ways in enumerate(onto[1]):
        for node, leg in site_ways:
            far = nx.single_source_dijkstra_path_length(graph, node, weight=MEASURES[measure])
            for i, ways in enumerate(onto[0]):
                for to, its in ways:
                    straight = np.hypot(*(demand.loc[i] - sites.loc[j]))
                    if to == node:
                        table[i, j] = min(table[i, j], whole_metres(whole_metres(straight), a_metre))
                    table[i, j] = min(table[i, j], leg + far.get(to, math.inf) + its)
    return table


@given(cases(), st.sampled_from(sorted(MEASURES)))
@settings(max_examples=150, deadline=None)
def test_as_networkx_says(case, measure):
    network, demand, sites, limits = case
    table = by_networkx(network, measure, demand, sites)
    arcs = amounts(network, measure, demand, sites, limits)
    stored = np.zeros(table.shape, dtype=bool)
    stored[np.repeat(np.arange(len(demand)), np.diff(arcs.indptr)), arcs.indices] = True
    assert (stored == (table <= limits[:, None])).all()
    assert (arcs.toarray() == np.where(stored, table, 0)).all()
    amount, position = nearest_on(network, measure, demand, sites)
    best = table.min(axis=1)
    assert (amount == np.where(np.isinf(best), UNREACHED, best)).all()
    assert (position == np.where(np.isinf(best), -1, table.argmin(axis=1))).all()


@given(cases())
@settings(max_examples=60, deadline=None)
def test_where_points_come_onto_the_roads(case):
    """By looking at every node."""
    network, demand, _, _ = case
    node, metres = network.snapped(demand, 30)
    for i, (x, y) in enumerate(demand.to_numpy()):
        away = np.ceil(np.hypot(network.x - x, network.y - y)).astype(int)
        away[~network.open] = 99
        main = np.where(network.component == 0, away, 99)
        least = main.min() if main.min() <= 30 else away.min()
        assert (node[i] == -1) == (least > 30)
        if node[i] >= 0:
            assert metres[i] == least == away[node[i]]


@given(cases(), st.data())
@settings(max_examples=60, deadline=None)
def test_one_more_road_is_never_longer(case, data):
    network, demand, sites, _ = case
    graph = network.to_networkx()
    a, b = data.draw(st.tuples(*[st.sampled_from(sorted(graph))] * 2))
    length = data.draw(st.integers(0, 30))
    if graph.has_edge(a, b):  # beside the road there is: the shorter one is driven
        length = min(length, graph.edges[a, b]["metres"])
    graph.add_edge(a, b, metres=length, seconds=1)
    # Which part is the main one may change with a road, so that points go elsewhere; here all are one.
    whole = np.zeros(len(network.x), dtype=int)
    before = replace(network, component=whole)
    after = replace(RoadNetwork.from_networkx(graph, network.access), component=whole)
    assert (nearest_on(after, "road", demand, sites)[0] <= nearest_on(before, "road", demand, sites)[0]).all()


@given(cases())
@settings(max_examples=60, deadline=None)
def test_the_town_turned_round(case):
    """Every road reversed, demand and sites changed over: the same amounts."""
    network, demand, sites, _ = case
    network = replace(network, access=Access(0.03, 0.03, 20.0))
    back = RoadNetwork.from_networkx(network.to_networkx().reverse(), network.access)
    there, again = amounts(network, "road", demand, sites, 500), amounts(back, "road", sites, demand, 500)
    assert (there.toarray() == again.toarray().T).all() and there.nnz == again.nnz


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_nothing(case, random):
    network, demand, sites, limits = case
    i, j = (random.sample(range(len(frame)), len(frame)) for frame in (demand, sites))
    arcs = amounts(network, "road", demand, sites, limits).toarray()
    mixed = amounts(network, "road", demand.iloc[i], sites.iloc[j], limits[i]).toarray()
    assert (mixed == arcs[np.ix_(i, j)]).all()


def test_everything_ten_times_as_large():
    graph = town().to_networkx()
    for _, said in graph.nodes(data=True):
        said["x"], said["y"] = 10 * said["x"], 10 * said["y"]
    for *_, said in graph.edges(data=True):
        said["metres"] *= 10
    farm = points((300, 1_400))
    large = network_of(graph, demand_km=200.0, site_km=50.0)
    small = amounts(town(), "road", farm, at("abcdef"), 9_000).toarray()
    assert (amounts(large, "road", farm * 10, at("abcdef") * 10, 90_000).toarray() == 10 * small).all()


def test_the_interchange_keeps_everything():
    network = town(one_way=["cf"])
    again = RoadNetwork.from_networkx(network.to_networkx())
    for field in ("x", "y", "start", "end", "metres", "seconds", "component", "open"):
        assert (getattr(again, field) == getattr(network, field)).all()
    undirected = RoadNetwork.from_networkx(town().to_networkx().to_undirected())
    assert len(undirected.start) == len(town().start) == 10
    two = nx.MultiDiGraph(town().to_networkx())
    two.add_edge(0, 1, metres=1, seconds=100)
    assert RoadNetwork.from_networkx(two).metres.min() == 1


def test_graphs_that_are_no_roads_are_refused():
    graph = nx.DiGraph()
    graph.add_node("p", x=0)
    graph.add_node("q", x=0.5, y=0)
    graph.add_edge("p", "q", metres=-1, seconds=1)
    with pytest.raises(Rejected) as rejected:
        RoadNetwork.from_networkx(graph)
    assert [(fault.column, fault.value) for fault in rejected.value.faults] == [
        ("y", "p: None"),
        ("x", "q: 0.5"),
        ("metres", "p -> q: -1"),
    ]
    with pytest.raises(Rejected):
        RoadNetwork.from_networkx(nx.DiGraph())


def test_near_nodes_are_near_in_memory():
    """The Morton curve through four squares: z-shaped, from the south-west."""
    assert morton(np.array([0, 1, 0, 1, 2]), np.array([0, 0, 1, 1, 0])).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.thorough
def test_ten_times_as_fast_as_networkx_alone():
    """A town of 120 x 120 crossings, 200 sites, 5 minutes; the ratio is some 15, of one run on one machine."""
    graph = nx.grid_2d_graph(120, 120)
    for (column, row), said in graph.nodes(data=True):
        said["x"], said["y"] = 100 * column, 100 * row
    nx.set_edge_attributes(graph, 100, "metres")
    nx.set_edge_attributes(graph, 10, "seconds")
    network = RoadNetwork.from_networkx(graph)
    directed = network.to_networkx()
    sites = points(*((100 * (i % 120), 100 * (7 * i % 120)) for i in range(200)))
    demand = pd.DataFrame({"x": network.x, "y": network.y})
    amounts(network, "minutes", demand, sites, 300)  # compiled before the clock runs

    def theirs():
        nodes = network.snapped(sites, 5_000)[0].tolist()
        return [nx.single_source_dijkstra(directed, node, cutoff=300, weight="seconds")[0] for node in nodes]

    def ours():
        return amounts(network, "minutes", demand, sites, 300)

    def quickest(work, times):
        seconds = []
        for _ in range(times):
            started = time.process_time()
            done = work()
            seconds.append(time.process_time() - started)
        return done, min(seconds)

    (reached, slow), (arcs, fast) = quickest(theirs, 2), quickest(ours, 5)
    assert arcs.nnz == sum(map(len, reached))
    columns = arcs.tocsc()
    for far, begin, end in zip(reached, columns.indptr, columns.indptr[1:], strict=False):
        assert dict(zip(columns.indices[begin:end].tolist(), columns.data[begin:end].tolist(), strict=True)) == far
    assert slow / fast >= 10, f"networkx {slow:.2f} s, ours {fast:.3f} s"


# -- from files --------------------------------------------------------------------------------------------------------


def line(*places):
    """A line through places in metres from the middle of the region, in degrees."""
    lon, lat = unproject(HERE, *(np.array(places, dtype=float) + (EAST, NORTH)).T)
    return shapely.LineString(np.column_stack([lon, lat]))


def layer(*roads, **columns):
    """Roads (class, places ...) as a layer."""
    frame = gpd.GeoDataFrame({"highway": [road[0] for road in roads]}, geometry=[line(*road[1:]) for road in roads])
    return frame.assign(**columns).set_crs(4326)


@pytest.fixture
def load(tmp_path):
    """Write a layer as a file of roads and load it."""

    def loaded(frame, name="roads.gpkg", **options):
        frame.to_file(tmp_path / name, **({"layer": "roads"} if name.endswith("gpkg") else {}))
        return load_roads(tmp_path / name, HERE, **options)

    return loaded


def here(*places):
    return points(*((x + EAST, y + NORTH) for x, y in places))


def metres(network, a, b, measure="road"):
    """From a to b, None = no way."""
    amount = int(nearest_on(network, measure, here(b), here(a))[0][0])
    return None if amount == UNREACHED else amount


def near(value, off=2):
    return pytest.approx(value, abs=off)


CROSS = (("primary", (-2000, 0), (2000, 0)), ("secondary", (0, -2000), (0, 2000)))


def test_lines_that_cross_meet(load):
    network = load(layer(*CROSS))
    assert network.report.crossings == 1 and len(network.report.components) == 1
    assert metres(network, (-2000, 0), (0, 2000)) == near(4000)
    # 2 km of primary road at 60 km/h and 2 km of secondary road at 50
    assert metres(network, (-2000, 0), (0, 2000), "minutes") == near(120 + 144)


@pytest.mark.parametrize("columns", [{"bridge": ["T", "F"]}, {"tunnel": ["", "yes"]}, {"layer": [1, 0]}])
def test_what_passes_above_does_not_meet(load, columns):
    network = load(layer(*CROSS, **columns))
    assert network.report.crossings == 0 and len(network.report.components) == 2


def test_lines_that_share_a_vertex_meet_there_once(load):
    network = load(layer(("primary", (-900, 0), (0, 0), (900, 0)), ("primary", (0, 0), (0, 900))))
    assert network.report.crossings == 0
    assert metres(network, (-900, 0), (0, 900)) == near(1800)


def test_a_road_has_a_node_every_500_metres_but_a_motorway_none_between_junctions(load):
    """2,100 m: 5 pieces of 420 m, which add up to the whole, rounded up once."""
    street = load(layer(("primary", (0, 0), (2100, 0))))
    assert street.report.nodes == 6 and street.report.edges == 10
    assert street.metres.sum() / 2 == near(2100, 1) and street.seconds.sum() / 2 == near(126, 1)
    motorway = load(layer(("motorway", (0, 0), (2100, 0)), ("primary", (0, -300), (0, 0))))
    assert motorway.report.nodes == 3 and motorway.open.tolist().count(False) == 1


def test_gaps_between_through_roads_are_closed_and_named(load):
    roads = (("primary", (0, 0), (1000, 0)), ("primary", (1100, 0), (2000, 0)))
    network = load(layer(*roads))
    assert metres(network, (0, 0), (2000, 0)) == near(2000)
    joined = network.report.joined
    assert joined["row"].tolist() == [1, 2] and joined["metres"].to_numpy() == near(100)
    assert network.report.dead_ends == 2
    apart = load(layer(*roads), snap_metres=90)
    assert len(apart.report.components) == 2 and apart.report.joined.empty and apart.report.dead_ends == 4


def test_a_side_road_that_stops_short_is_led_to_the_middle_of_the_main_one(load):
    network = load(layer(("primary", (0, 0), (1000, 0)), ("secondary", (300, 50), (300, 900))))
    assert metres(network, (0, 0), (300, 900)) == near(1200)


def test_the_end_of_a_street_is_no_gap(load):
    network = load(layer(("primary", (0, 0), (1000, 0)), ("residential", (300, 50), (300, 900))))
    assert len(network.report.components) == 2
    touching = load(layer(("primary", (0, 0), (1000, 0)), ("residential", (300, 0.5), (300, 900))))
    assert len(touching.report.components) == 1


@pytest.mark.parametrize(
    ("said", "there", "back"),
    [("yes", True, False), ("-1", False, True), ("no", True, True), ("单向", True, False), ("F", True, False)]
    + [("T", False, True), ("B", True, True), (1, True, False), (True, True, False), (None, True, True)],
)
def test_one_way_words(load, said, there, back):
    network = load(layer(("primary", (0, 0), (400, 0)), oneway=[said]))
    assert (metres(network, (0, 0), (400, 0)) is not None, metres(network, (400, 0), (0, 0)) is not None) == (
        there,
        back,
    )


def test_a_speed_limit_binds_a_car_and_not_an_ambulance(load):
    frame = layer(("primary", (0, 0), (1000, 0)), ("trunk", (0, 500), (1000, 500)), maxspeed=["20", "none"])
    ends = (0, 0), (1000, 0), "minutes"
    assert metres(load(frame, vehicle="car"), *ends) == near(180)  # 1 km at 20 km/h
    assert metres(load(frame, vehicle="ambulance"), *ends) == near(60)  # 1 km at 60 km/h
    with pytest.raises(ValueError, match="vehicle"):
        load(frame, vehicle="bicycle")


def test_what_is_no_road_is_left_out_by_name(load):
    frame = layer(
        ("primary", (0, 0), (900, 0)),
        ("footway", (0, 0), (0, 900)),
        ("footway", (0, 0), (9, 9)),
        ("x1", (0, 0), (5, 5)),
    )
    network = load(frame)
    assert network.report.dropped.to_numpy().tolist() == [["class", "footway", 2, "2, 3"], ["class", "x1", 1, "4"]]
    assert network.report.classes["lines"].to_dict() == {"primary": 1}
    assert network.report.classes["km"].to_dict() == {"primary": near(0.9, 0.002)}
    for lang in LANGUAGES:
        told = "\n".join(network.report.tell(load_words(lang)))
        assert "footway" in told and "2, 3" in told and "{" not in told


def test_chinese_columns_and_classes(load):
    frame = layer(("省道", (0, 0), (900, 0)), ("县道", (900, 0), (900, 900))).rename(columns={"highway": "类别"})
    assert load(frame).report.classes["lines"].to_dict() == {"primary": 1, "secondary": 1}
    assert load(frame, "roads.shp").report.classes["lines"].to_dict() == {"primary": 1, "secondary": 1}


def test_a_gbk_shapefile_without_its_cpg(tmp_path):
    frame = layer(("省道", (0, 0), (900, 0))).rename(columns={"highway": "类别"})
    frame.to_file(tmp_path / "r.shp", encoding="GB18030")
    (tmp_path / "r.cpg").unlink(missing_ok=True)
    assert load_roads(tmp_path / "r.shp", HERE).report.classes["lines"].to_dict() == {"primary": 1}


def test_multilines_and_another_reference_system(load):
    both = shapely.MultiLineString([line((0, 0), (900, 0)), line((900, 0), (900, 900))])
    frame = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=[both], crs=4326)
    for crs in (4326, 4547):
        network = load(frame.to_crs(crs))
        assert metres(network, (0, 0), (900, 900)) == near(1800)
        assert network.report.classes["lines"].to_dict() == {"primary": 2}


def test_lengths_are_of_the_ellipsoid(load):
    from pyproj import Geod

    road = line((0, 0), (40_000, 30_000))
    frame = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=[road], crs=4326)
    assert load(frame).metres.sum() / 2 == math.ceil(Geod(ellps="GRS80").geometry_length(road))


def test_the_order_of_lines_changes_nothing(load):
    frame = layer(
        *CROSS,
        ("tertiary", (300, 60), (300, 900)),
        ("trunk", (-1500, -900), (-1500, 900)),
        ("motorway", (0, 9), (9, 999)),
    )
    places = here((-2000, 0), (0, 2000), (300, 900), (-1500, 900), (-700, -300))
    first = load(frame)
    for seed in range(3):
        mixed = load(frame.sample(frac=1, random_state=seed))
        for measure in MEASURES:
            one, other = (amounts(each, measure, places, places, 99_999).toarray() for each in (first, mixed))
            assert (one == other).all()


OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">{nodes}
 <way id="11"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/></way>
 <way id="12"><nd ref="2"/><nd ref="4"/><tag k="highway" v="residential"/><tag k="oneway" v="yes"/></way>
 <way id="13"><nd ref="5"/><nd ref="6"/><tag k="highway" v="motorway"/></way>
 <way id="14"><nd ref="3"/><nd ref="99"/><nd ref="4"/><tag k="highway" v="primary"/></way>
 <way id="15"><nd ref="3"/><nd ref="4"/><tag k="highway" v="service"/><tag k="access" v="no"/></way>
 <way id="16"><nd ref="3"/><nd ref="4"/><tag k="highway" v="footway"/></way>
 <way id="17"><nd ref="3"/><nd ref="4"/></way>
 <way id="18"><nd ref="1"/><nd ref="4"/><tag k="highway" v="tertiary"/><tag k="oneway" v="maybe"/></way>
</osm>"""
OSM_NODES = {1: (-900, 0), 2: (0, 0), 3: (900, 0), 4: (0, 900), 5: (-500, -500), 6: (-500, 500)}


def osm(tmp_path, name="town.osm"):
    places = {ref: line(place, (0, 0)).coords[0] for ref, place in OSM_NODES.items()}
    nodes = "".join(f'\n <node id="{ref}" lon="{lon}" lat="{lat}"/>' for ref, (lon, lat) in places.items())
    (tmp_path / name).write_text(OSM.format(nodes=nodes))
    return tmp_path / name


def test_openstreetmap_roads_meet_at_shared_nodes_only(tmp_path):
    network = load_roads(osm(tmp_path), HERE)
    assert metres(network, (-900, 0), (900, 0)) == near(1800)
    assert metres(network, (0, 0), (0, 900)) == near(900)  # the one-way street
    assert metres(network, (0, 900), (0, 0)) == near(1273 + 900)  # round by way 18, taken as two-way
    assert len(network.report.components) == 2 and network.report.snap_metres == 0  # the motorway passes over
    motorway = network.component == 1
    assert motorway.sum() == 2 and motorway[network.start].sum() == 1  # one-way without a tag
    dropped = {tuple(row) for row in network.report.dropped[["reason", "value", "rows"]].itertuples(index=False)}
    assert dropped == {
        ("class", "footway", "16"),
        ("shut", "access=no", "15"),
        ("beyond_extract", "", "14"),
        ("oneway_unread", "maybe", "18"),
    }
    assert load_roads(osm(tmp_path, "town.geojson"), HERE).report.nodes == network.report.nodes  # content decides


def test_without_osmium_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "osmium", None)
    assert keys_of(osm(tmp_path)) == ["road_no_osmium"]


def graphml(tmp_path, **graph):
    """A street as OSMnx saves it: texts for figures, a list where two ways were merged."""
    street = nx.MultiDiGraph(**graph)
    for node, place in (("p", (0, 0)), ("q", (900, 0))):
        lon, lat = line(place, (5, 5)).coords[0]
        street.add_node(node, x=str(lon), y=str(lat))
    street.add_edge("p", "q", length="900.4", highway="['primary', 'trunk']", oneway="True", maxspeed="40")
    nx.write_graphml(street, tmp_path / "street.graphml")
    return tmp_path / "street.graphml"


def test_a_graph_of_osmnx(tmp_path):
    network = load_roads(graphml(tmp_path, crs="epsg:4326"), HERE, vehicle="car")
    assert network.metres.tolist() == [901] and network.seconds.tolist() == [math.ceil(900.4 / (40 / 3.6))]
    assert metres(network, (900, 0), (0, 0)) is None


@pytest.mark.parametrize("name", ["roads.gpkg", "roads.shp", "roads.geojson"])
def test_one_town_in_every_kind_of_file(load, name):
    network = load(layer(*CROSS), name)
    assert metres(network, (-2000, 0), (0, 2000)) == near(4000)
    assert list(network.report.files) == [name] and len(network.report.files[name]) == 64


def test_the_report_is_told_in_both_languages(load, tmp_path):
    crossed = load(
        layer(*CROSS, ("primary", (2100, 0), (3000, 0)), ("primary", (9000, 0), (9900, 0)), oneway=["yes"] * 4)
    )
    report = replace(crossed.report, dropped=load_roads(osm(tmp_path), HERE).report.dropped)
    told = {lang: report.tell(load_words(lang)) for lang in LANGUAGES}
    assert len(told["zh"]) == len(told["en"]) == 3 + 1 + 3 + 4
    english = "\n".join(told["en"])
    assert "1 crossings" in english and "open ends" in english and "primary 60" in english and "assumed" in english
    every = pd.DataFrame(
        [(key.split(".")[-1], "v", 1, "7") for key in load_words("en").section("roads") if key.startswith("dropped.")],
        columns=["reason", "value", "lines", "rows"],
    )
    assert len(every) == 7
    for lang in LANGUAGES:
        assert "{" not in "\n".join(replace(report, dropped=every).tell(load_words(lang)))


def test_a_graph_of_nodes_alone():
    graph = nx.DiGraph()
    graph.add_node("p", x=0, y=0)
    graph.add_node("q", x=500, y=0)
    network = RoadNetwork.from_networkx(graph)
    assert nearest_on(network, "road", points((500, 0)), points((0, 0), (500, 100)))[0].tolist() == [100]


# -- what is refused ---------------------------------------------------------------------------------------------------


def keys_of(path, **options):
    """The faults of a file, each told in both languages on one line."""
    with pytest.raises(Rejected) as rejected:
        load_roads(path, HERE, **options)
    for lang in LANGUAGES:
        for fault in rejected.value.faults:
            said = fault.tell(load_words(lang))
            assert "\n" not in said and "{" not in said and "Traceback" not in said, said
    return [fault.key for fault in rejected.value.faults]


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="roads"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("roads.geojson", VRT, "road_format"),
        ("roads.gpkg", VRT, "road_format"),
        ("roads.osm", "<?xml version='1.0'?>" + VRT, "road_format"),
        (
            "roads.geojson",
            '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read x"}',
            "road_format",
        ),
        ("roads.geojson", '{"type": "FeatureCollection", "features": [', "road_unreadable"),
        (
            "roads.geojson",
            '{"type": "FeatureCollection", "features": [{"geometry": {"type": "Line"}}]}',
            "road_geometry",
        ),
        ("roads.geojson", '{"type": "FeatureCollection", "crs": {}, "features": []}', "road_crs"),
        ("roads.geojson", '{"type": "FeatureCollection", "features": []}', "road_no_class"),
        ("roads.csv", "highway,x,y\nprimary,1,2\n", "road_format"),
        ("roads.gpkg", "SQLite format 3\0 and nothing else", "road_unreadable"),
        ("roads.graphml", "<graphml><graph>", "road_unreadable"),
        ("roads.osm", "<osm><way>", "road_unreadable"),
        ("roads.pbf", "\0\0\0\x0d\n\tOSMHeader\x18\x10", "road_unreadable"),
        ("empty", "", "road_format"),
    ],
)
def test_files_that_are_no_roads(tmp_path, name, content, key):
    (tmp_path / name).write_text(content)
    assert keys_of(tmp_path / name) == [key]


def test_a_file_that_is_not_there(tmp_path):
    assert keys_of(tmp_path / "none.gpkg") == keys_of(tmp_path) == ["road_missing"]


def refused(tmp_path, frame, **options):
    frame.to_file(tmp_path / "roads.gpkg", layer=options.pop("layer", "roads"))
    return keys_of(tmp_path / "roads.gpkg", **options)


def test_layers_that_cannot_be_used(tmp_path):
    good = layer(*CROSS)
    assert refused(tmp_path, good.rename(columns={"highway": "kind"})) == ["road_no_class"]
    assert refused(tmp_path, good.assign(highway="x")) == ["road_none"]
    assert refused(tmp_path, good.assign(oneway=["sometimes", "yes"])) == ["road_oneway"]
    assert refused(tmp_path, good.set_geometry([good.geometry[0], None])) == ["road_geometry"]
    good.to_file(tmp_path / "roads.shp")
    (tmp_path / "roads.prj").unlink()
    assert keys_of(tmp_path / "roads.shp") == ["road_crs"]
    assert refused(tmp_path, good.set_crs(4547, allow_override=True).assign(oneway="?")) == ["road_oneway"]
    several = tmp_path / "several.gpkg"
    good.to_file(several, layer="one")
    assert load_roads(several, HERE).report.crossings == 1  # the only layer of lines
    good.to_file(several, layer="two")
    assert keys_of(several) == ["road_no_layer"]


def test_swapped_degrees(tmp_path):
    good = layer(*CROSS)
    good.geometry = shapely.transform(good.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    assert refused(tmp_path, good) == ["road_degrees"]


def test_a_shapefile_cut_short(tmp_path):
    layer(*CROSS * 20).to_file(tmp_path / "roads.shp")
    shapes = (tmp_path / "roads.shp").read_bytes()
    (tmp_path / "roads.shp").write_bytes(shapes[: len(shapes) // 2])
    assert set(keys_of(tmp_path / "roads.shp")) <= {"road_geometry", "road_unreadable"}


def test_graphs_in_files(tmp_path):
    assert keys_of(graphml(tmp_path)) == ["road_crs"]
    street = nx.read_graphml(graphml(tmp_path, crs="epsg:4326"))
    street.add_node("r", x="east", y="38")
    street.add_edge("p", "r", highway="primary")
    nx.write_graphml(street, tmp_path / "bad.graphml")
    assert keys_of(tmp_path / "bad.graphml") == ["road_graph_node", "road_graph_edge"]


def test_tables_of_speeds(tmp_path, load):
    own = tmp_path / "speeds.csv"
    own.write_text(DEFAULT.read_text("utf-8").replace("90,100,no", "90,50,no"), "utf-8")
    motorway = layer(("motorway", (0, 0), (1000, 0)), ("primary", (0, 0), (0, 9)))
    assert load(motorway, speeds=own).seconds.max() == near(72, 1)
    assert load(motorway).seconds.max() == near(36, 1)
    own.write_text(
        "class,also,km_h,ambulance_km_h,enter,through,source,nature\n"
        "primary,main,fast,0,yes,maybe,because,assumed\nMain,,50,60,yes,no,,assumed\n"
    )
    found = []
    assert load_speeds(own, "car", found) is None
    assert [(fault.key, fault.row, fault.column) for fault in found] == [
        ("road_speed", 2, "km_h"),
        ("road_speed", 2, "ambulance_km_h"),
        ("road_speed_word", 2, "through"),
        ("road_speed_blank", 3, "source"),
        ("road_speed_twice", 3, "class"),
    ]
    own.write_text("class,km_h\nprimary,50\n")
    assert set(keys_of(tmp_path / "none", speeds=own)) == {"missing_column", "road_missing"}


def test_every_embedded_speed_is_assumed_and_says_why():
    speeds = load_speeds(None, "ambulance", [])
    assert set(speeds.table["nature"]) == {"assumed"} and speeds.table["source"].str.len().min() > 10
    cars = load_speeds(None, "car", []).table["km_h"]
    assert (speeds.table["km_h"] > cars).all()
    ranks = ["motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "track"]
    assert cars[ranks].is_monotonic_decreasing


# -- the province ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def province():
    region = load_region("shanxi")
    seats = region.counties.rename(columns={"seat_x": "x", "seat_y": "y"})[["name", "x", "y"]]
    return seats, load_roads(Path(REFERENCE) / "shanxi_roads_osm_z7.gpkg", region.projection)


@reference
@pytest.mark.parametrize(("code", "km"), [("140213", 283), ("140802", 385)])
def test_taiyuan_to_datong_and_yuncheng(province, code, km):
    seats, network = province
    found = nearest_on(network, "road", seats.loc[[code]], seats.loc[["140106"]])[0][0] / 1000
    assert found == pytest.approx(km, rel=0.03)


@reference
def test_every_seat_is_on_the_main_network_or_named(province):
    seats, network = province
    assert len(network.report.components) > 1
    km = network.report.components["km"]
    assert km.iloc[0] / km.sum() > 0.97
    node, metres_ = network.snapped(seats, 20_000)
    assert (node >= 0).all() and (network.component[node] == 0).all() and metres_.max() < 2_000
    moved = network.moved(seats, 20_000)
    assert set(seats.loc[moved.index, "name"]) <= {"定襄县", "岚县"}
    reached = amounts(network, "road", seats, seats.loc[["140106"]], 10**6)
    assert reached.nnz == 117


@reference
def test_the_openstreetmap_extract():
    bounds = (-46.67, -23.58, -46.60, -23.52)
    network = load_roads(Path(REFERENCE) / "test_network" / "spo_osm.pbf", local_projection(bounds))
    km = network.report.components["km"]
    assert km.iloc[0] / km.sum() > 0.99 and 500 < km.sum() < 772
    both = set(zip(network.start.tolist(), network.end.tolist(), strict=True))
    one_way = sum((b, a) not in both for a, b in both)
    assert 0.3 < one_way / len(both) < 0.9  # a city of one-way streets
    graph = network.to_networkx()
    a, b = next((a, b) for a, b in sorted(both) if (b, a) not in both and network.component[a] == 0)
    places = pd.DataFrame({"x": network.x, "y": network.y})
    for weight in MEASURES.values():
        far = nx.single_source_dijkstra_path_length(graph, a, weight=weight)
        assert far[b] <= graph.edges[a, b][weight]
    assert network.snapped(places, 0)[1].max() == 0
