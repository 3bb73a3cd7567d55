"""Roads as a network: from a file, with metres and seconds on its edges, and how far it is along them.

    file -> lines (geo.road_files) -> pieces between nodes (geo.road_noding) -> RoadNetwork -> amounts (geo.routes)

A vehicle leaves the road at the node nearest to where it goes and drives on in a straight line; these legs off the
roads count, as metres and at an assumed speed. Every speed is assumed; lengths are measured on the file's own lines.
"""

import hashlib
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.compiled import keep_machine_code
from geo.faults import Fault, Rejected
from geo.region import GEOGRAPHIC
from geo.road_files import HEADINGS, Dropped, kind_of, read_lines, signed
from geo.road_noding import noded
from geo.road_speeds import load_speeds
from geo.travel import is_covered, whole_metres

MEASURES = {"road": "metres", "minutes": "seconds"}
SITES_AT_ONCE = 256  # whose arcs are held beside the finished ones
LENGTHS = ("length", "length_m")  # what a graph may call the metres of an edge


@dataclass(frozen=True)
class Access:
    """How points come onto the roads. All three are assumed.

    demand_km, site_km  no demand point, no site farther from the roads than this has a way at all
    off_road_km_h       how fast the straight line to the road is driven
    """

    demand_km: float = 20.0
    site_km: float = 5.0
    off_road_km_h: float = 20.0


@dataclass(frozen=True)
class RoadReport:
    """What became of a file of roads.

    files          {name: sha256}
    nodes, edges   how many; a two-way road is two edges
    classes        DataFrame on class: lines, km (a two-way road once), km_h, source, nature (assumed)
    components     DataFrame on component, 0 = the main one: nodes, km, x, y (of one of its nodes)
    dropped        DataFrame reason, value, lines, rows (the first): what was left out, or read otherwise than it stands
    joined         DataFrame x, y, metres, row: pieces that close gaps, where from, and the row of the line that ended
                   there; an end may be joined to several roads
    crossings      points where lines without a common vertex cross and were taken to meet (optimistic at overpasses)
    dead_ends      ends of roads that lead somewhere and yet stay open
    one_way_nodes  nodes of the main component that cannot be both reached and left
    snap_metres    the widest gap that is closed
    vehicle        ambulance | car
    """

    files: dict = field(default_factory=dict)
    nodes: int = 0
    edges: int = 0
    classes: pd.DataFrame = field(default_factory=pd.DataFrame)
    components: pd.DataFrame = field(default_factory=pd.DataFrame)
    dropped: pd.DataFrame = field(default_factory=pd.DataFrame)
    joined: pd.DataFrame = field(default_factory=pd.DataFrame)
    crossings: int = 0
    dead_ends: int = 0
    one_way_nodes: int = 0
    snap_metres: float = 0
    vehicle: str = ""

    def tell(self, words):
        """Return the report as sentences in the language of ``words``."""
        km = self.components["km"]
        said = [
            words("roads.network", files=", ".join(self.files) or "-", km=km.sum(), nodes=self.nodes, edges=self.edges),
            words("roads.main", share=100 * km.iloc[0] / max(km.sum(), 1e-9), parts=len(km), rest=km.iloc[1:].sum()),
        ]
        if len(self.classes):
            vehicle = words(f"roads.vehicle.{self.vehicle}")
            listed = words("roads.and").join(
                words("roads.class_speed", name=name, km_h=row.km_h) for name, row in self.classes.iterrows()
            )
            said.append(words("roads.speeds", vehicle=vehicle, listed=listed))
        if len(self.joined):
            widest = math.ceil(self.joined["metres"].max())
            said.append(
                words(
                    "roads.joined",
                    count=len(self.joined[["x", "y"]].drop_duplicates()),
                    snap=self.snap_metres,
                    widest=widest,
                )
            )
        for key in ("crossings", "dead_ends", "one_way_nodes"):
            if getattr(self, key):
                said.append(words(f"roads.{key}", count=getattr(self, key)))
        for row in self.dropped.itertuples():
            said.append(words(f"roads.dropped.{row.reason}", value=row.value, count=row.lines, rows=row.rows))
        return said


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Roads: nodes along a Morton curve, near ones near in memory, and directed edges sorted by both ends.

    x, y             whole metres of each node, region projection
    start, end       nodes of each edge; a two-way road is two; of several from one node to another the least counts
    metres, seconds  of each edge, whole numbers
    component        of each node: 0 = the one with most kilometres; one-way or not, what hangs together is one
    open             whether one may come onto or off the roads at this node (on a motorway only at a junction)
    """

    x: np.ndarray
    y: np.ndarray
    start: np.ndarray
    end: np.ndarray
    metres: np.ndarray
    seconds: np.ndarray
    component: np.ndarray
    open: np.ndarray
    report: RoadReport
    access: Access = Access()

    def to_networkx(self):
        """Return a networkx DiGraph: nodes 0 .. n-1 with x, y, open; edges with metres, seconds."""
        graph = nx.DiGraph()
        for node, (x, y, open_) in enumerate(zip(self.x.tolist(), self.y.tolist(), self.open.tolist(), strict=True)):
            graph.add_node(node, x=x, y=y, open=open_)
        columns = (self.start, self.end, self.metres, self.seconds)
        for a, b, metres, seconds in zip(*(column.tolist() for column in columns), strict=True):
            graph.add_edge(a, b, metres=metres, seconds=seconds)
        return graph

    @classmethod
    def from_networkx(cls, graph, access=None):
        """Return the network of a networkx graph: nodes with x, y (and open), edges with metres, seconds.

        An undirected edge is two. Nodes are numbered anew. Raises :class:`geo.faults.Rejected` for a figure that is
        missing, negative or not whole.
        """
        number = {node: i for i, node in enumerate(graph)}
        faults = []
        xy = [_whole(graph.nodes[node], key, str(node), faults) for node in graph for key in ("x", "y")]
        edges = list(graph.edges(data=True))
        lengths = [
            _whole(said, key, f"{a} -> {b}", faults, least=0) for a, b, said in edges for key in ("metres", "seconds")
        ]
        if faults or not number:
            raise Rejected(faults or [Fault("road_graph_empty")])
        x, y = np.array(xy, dtype=float).reshape(-1, 2).T
        metres, seconds = np.array(lengths, dtype=np.int64).reshape(-1, 2).T
        ends = np.array([(number[a], number[b]) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2).T
        may = np.array([bool(graph.nodes[node].get("open", True)) for node in graph])
        against = np.full(len(edges), not graph.is_directed())
        network = _network(x, y, ends, metres, seconds, (np.full(len(edges), True), against), may, RoadReport())
        return replace(network, access=access or Access())

    @cached_property
    def first(self):
        """Return where the edges that leave each node begin, and the end of the last."""
        return np.searchsorted(self.start, np.arange(len(self.x) + 1))

    @cached_property
    def _trees(self):
        """Return {part: (nodes, tree)} of the nodes one may come onto: of the main component, and of all."""
        parts = {"main": np.flatnonzero(self.open & (self.component == 0)), "all": np.flatnonzero(self.open)}
        xy = np.column_stack([self.x, self.y]).astype(float)
        return {part: (nodes, cKDTree(xy[nodes])) for part, nodes in parts.items()}

    def _nearest(self, part, xy, longest_metres):
        """Return (node, metres) of the nearest node of a part; -1 and 0 where it is farther than ``longest_metres``."""
        nodes, tree = self._trees[part]
        node, metres = np.full(len(xy), -1), np.zeros(len(xy), dtype=np.int64)
        if len(nodes) and len(xy):
            away, which = tree.query(xy)
            away = whole_metres(away)
            near = is_covered(away, longest_metres)
            node[near], metres[near] = nodes[which[near]], away[near]
        return node, metres

    def _onto(self, points, longest_metres):
        """Return (node, metres, main, main_metres): the nearest node of all, and of the main component; -1 as above."""
        xy = points[["x", "y"]].to_numpy(dtype=float)
        node, metres = self._nearest("all", xy, longest_metres)
        main, main_metres = node.copy(), metres.copy()
        small = np.flatnonzero((node >= 0) & (self.component[node] != 0))
        main[small], main_metres[small] = self._nearest("main", xy[small], longest_metres)
        return node, metres, main, main_metres

    def snapped(self, points, longest_metres):
        """Return (node, metres) where each point comes onto the roads, whole-number arrays on its rows.

        It is the nearest node, or the nearest of the main component where that lies in a small one and the main one is
        within ``longest_metres`` too (:meth:`moved` names these). Node -1 where no node is near enough.
        """
        node, metres, main, main_metres = self._onto(points, longest_metres)
        return np.where(main < 0, node, main), np.where(main < 0, metres, main_metres)

    def moved(self, points, longest_metres):
        """Return the points that do not just come onto the main component at their nearest node.

        DataFrame on the index of ``points``: component (of the nearest node, -1 = none near enough), metres to it,
        main_metres to the main component (NaN = farther than ``longest_metres``).
        """
        node, metres, main, main_metres = self._onto(points, longest_metres)
        table = pd.DataFrame(
            {
                "component": np.where(node < 0, -1, self.component[node]),
                "metres": np.where(node < 0, np.nan, metres),
                "main_metres": np.where(main < 0, np.nan, main_metres),
            },
            index=points.index,
        )
        return table[table["component"] != 0]

    def ways_on(self, points, longest_metres):
        """Return (point, node, metres): everywhere a point comes onto the roads, sorted by point.

        One whose nearest node lies in a small component has two ways: there, so that a town cut off from the rest is
        not cut off from itself, and at the nearest node of the main component.
        """
        node, metres, main, main_metres = self._onto(points, longest_metres)
        point = np.arange(len(points))
        first, second = np.flatnonzero(node >= 0), np.flatnonzero((main >= 0) & (main != node))
        ways = [
            np.concatenate([each[first], other[second]])
            for each, other in ((point, point), (node, main), (metres, main_metres))
        ]
        order = np.argsort(ways[0], kind="stable")
        return tuple(each[order] for each in ways)


# -- how far it is along the roads -----------------------------------------------------------------------------------


def amounts(network, measure, demand, sites, limit):
    """Return every demand-site pair within ``limit``, driven from the site to the demand point.

    measure        road (whole metres) | minutes (whole seconds)
    demand, sites  DataFrames with whole-metre columns x, y; n and m rows
    limit          one number, or n numbers (one a demand point)
    Returns a scipy CSR array, n x m; absent = beyond the limit, or no way through; 0 is a stored 0. A demand point
    and a site that come onto the roads at one node may go straight to each other.
    """
    problem = _Problem(network, measure, demand, sites)
    limit = np.ascontiguousarray(np.broadcast_to(np.asarray(limit, dtype=np.int64), len(demand)))
    if not len(demand) or not len(sites):
        return sparse.csr_array((len(demand), len(sites)), dtype=np.int64)
    from geo import routes  # numba is loaded when it is needed

    keep_machine_code()
    found = []
    for begin in range(0, len(sites), SITES_AT_ONCE):
        some = (begin, min(begin + SITES_AT_ONCE, len(sites)))
        found.append(routes.within(problem.roads, problem.sites, problem.demand, limit, problem.a_metre, *some))
    begins, rows, values = zip(*found, strict=True)
    counts = np.concatenate([np.diff(each) for each in begins])
    columns = np.concatenate([[0], np.cumsum(counts)])
    shape = (len(demand), len(sites))
    return sparse.csc_array((np.concatenate(values), np.concatenate(rows), columns), shape=shape).tocsr()


def nearest_on(network, measure, demand, sites):
    """Return (amount, position) of each demand point's nearest site, of equally near ones the first in order.

    Whole metres or seconds; (UNREACHED, -1) where no way leads. Raises ValueError when there is no site.
    """
    if not len(sites):
        raise ValueError("no site to be near to: give at least one")
    problem = _Problem(network, measure, demand, sites)
    from geo import routes

    keep_machine_code()
    reached = routes.nearest(problem.roads, problem.sites)
    return routes.nearest_of_points(reached, problem.sites, problem.sites_at, problem.demand, problem.a_metre)


class _Problem:
    """A network and two tables of points as the arrays that :mod:`geo.routes` works on."""

    def __init__(self, network, measure, demand, sites):
        if measure not in MEASURES:
            raise ValueError(f"measure {measure!r}: one of {', '.join(MEASURES)}")
        access = network.access
        self.a_metre = 1.0 if measure == "road" else 3.6 / access.off_road_km_h
        length = getattr(network, MEASURES[measure])
        self.roads = tuple(each.astype(np.int64) for each in (network.first, network.end, length))
        site, node, leg = network.ways_on(sites, round(access.site_km * 1000))
        self.sites = (*_xy(sites), _begins(site, len(sites)), node, self._leg(leg))
        order = np.argsort(node, kind="stable")
        self.sites_at = (_begins(node[order], len(network.x)), site[order])
        who, node, leg = network.ways_on(demand, round(access.demand_km * 1000))
        order = np.argsort(node, kind="stable")
        self.demand = (*_xy(demand), _begins(node[order], len(network.x)), who[order], self._leg(leg[order]))

    def _leg(self, metres):
        return whole_metres(metres, self.a_metre)


def _xy(points):
    return tuple(points[axis].to_numpy(dtype=float) for axis in ("x", "y"))


def _begins(numbers, count):
    """Return where each of 0 .. count begins in sorted ``numbers``."""
    return np.searchsorted(numbers, np.arange(count + 1))


# -- from a file -----------------------------------------------------------------------------------------------------


def load_roads(path, projection, *, speeds=None, snap_metres=120, vehicle="ambulance", access=None):
    """Return the :class:`RoadNetwork` of a file of roads.

    path         .osm.pbf or .osm (needs the extra "roads"); .gpkg, .shp, .geojson with lines and a column
                 highway | class | fclass | 类别, and where there are any oneway, maxspeed, bridge, tunnel, layer;
                 .graphml of a networkx graph (as OSMnx saves it)
    projection   the region's, pyproj text
    speeds       path of another table of speeds, with the columns of geo/data/road_speeds.csv
    snap_metres  layers of lines: an open end of a road that leads somewhere is joined to every such road so near.
                 120 m suits generalised main roads; a layer drawn street by street wants a few metres
    vehicle      ambulance | car, whose speeds
    Raises :class:`geo.faults.Rejected` with every fault found, each with file, row, column, value and remedy.
    """
    path, faults, dropped = Path(path), [], Dropped()
    table = load_speeds(speeds, vehicle, faults)
    kind = kind_of(path, faults)
    if faults:
        raise Rejected(faults)
    read = _from_graph if kind == "graphml" else _from_lines
    try:
        network = read(path, kind, projection, table, snap_metres, dropped, faults)
    except (CRSError, ProjError):  # a system of its own, which leads nowhere on earth
        faults.append(Fault("road_crs", path.name))
    except (ValueError, RuntimeError, OverflowError) as error:  # what readers raise for values that cannot be
        faults.append(Fault("road_unreadable", path.name, params={"said": str(error)[:200]}))
    if faults:
        raise Rejected(faults)
    return replace(network, access=access or Access())


def _from_lines(path, kind, projection, speeds, snap_metres, dropped, faults):
    lines = read_lines(path, kind, speeds, dropped, faults)
    if lines is None:
        return None
    if not _on_the_plane(lines, projection):
        faults.append(Fault("road_degrees", path.name))
        return None
    pieces = noded(lines, speeds, projection, snap_metres)
    may = np.zeros(len(pieces.x), dtype=bool)
    for ends in (pieces.start, pieces.end):
        may[ends[speeds.table["enter"].to_numpy()[lines.road[pieces.line]]]] = True
    joined = pd.DataFrame(pieces.joined)
    joined["row"] = lines.row[joined.pop("line")]
    report = RoadReport(
        files=_digest(path),
        classes=_classes(lines.road, np.bincount(pieces.line, pieces.metres, len(lines.row)), speeds),
        dropped=dropped.table(),
        joined=joined,
        crossings=pieces.crossings,
        dead_ends=pieces.dead_ends,
        snap_metres=0 if lines.shared else snap_metres,
        vehicle=speeds.vehicle,
    )
    ends, ways = (pieces.start, pieces.end), (pieces.along, pieces.against)
    return _network(pieces.x, pieces.y, ends, pieces.metres, pieces.seconds, ways, may, report)


def _on_the_plane(lines, projection):
    """Return whether all degrees are on the earth, and near enough for the projection."""
    bounds = [(lines.lon.min(), lines.lat.min()), (lines.lon.max(), lines.lat.max())]
    if not np.isfinite(bounds).all() or (np.abs(bounds) > (180, 90)).any():
        return False
    corners = Transformer.from_crs(GEOGRAPHIC, projection, always_xy=True).transform(*np.transpose(bounds))
    return bool(np.isfinite(corners).all())


def _from_graph(path, _kind, projection, speeds, _snap_metres, dropped, faults):
    """Return the network of a GraphML file: nodes with x, y in the graph's "crs", edges with a class and a length."""
    try:
        graph = nx.read_graphml(path)
        to_metres = Transformer.from_crs(CRS(graph.graph["crs"]), projection, always_xy=True)
    except (KeyError, CRSError):
        faults.append(Fault("road_crs", path.name))
        return None
    except (ValueError, SyntaxError, nx.NetworkXError) as error:
        faults.append(Fault("road_unreadable", path.name, params={"said": str(error)[:200]}))
        return None
    number = {node: i for i, node in enumerate(graph)}
    xy = np.array([[_number(graph.nodes[node].get(axis)) for axis in ("x", "y")] for node in graph]).reshape(-1, 2)
    x, y = to_metres.transform(*xy.T)
    for node, good in zip(graph, np.isfinite(x) & np.isfinite(y), strict=True):
        if not good:
            faults.append(Fault("road_graph_node", path.name, column="x, y", value=str(node)))
    known, edges = speeds.numbers, []
    for a, b, said in graph.edges(data=True):
        name = next((str(said[key]) for key in HEADINGS["class"] if key in said), "")
        road = next((known[each] for each in _listed(name) if each in known), None)
        metres = next((_number(said[key]) for key in LENGTHS if key in said), math.nan)
        if road is None:
            dropped.add("class", f"{a} -> {b}", name)
        elif math.isnan(metres) or metres < 0:
            faults.append(Fault("road_graph_edge", path.name, column=LENGTHS[0], value=f"{a} -> {b}"))
        else:
            edges.append((number[a], number[b], road, metres, _maxspeed(said)))
    if not edges and not faults:
        faults.append(Fault("road_none", path.name, params={"known": ", ".join(speeds.table.index)}))
    if faults:
        return None
    start, end, road, metres, maxspeed = (np.array(column) for column in zip(*edges, strict=True))
    may = np.zeros(len(number), dtype=bool)
    may[np.concatenate([start, end])[np.tile(speeds.table["enter"].to_numpy()[road], 2)]] = True
    seconds = whole_metres(metres / (speeds.km_h(road, maxspeed) / 3.6))
    ways = (np.ones(len(road), dtype=bool), np.full(len(road), not graph.is_directed()))
    once = np.unique(np.column_stack([np.minimum(start, end), np.maximum(start, end), road]), axis=0, return_index=True)
    report = RoadReport(
        files=_digest(path),
        classes=_classes(road[once[1]], whole_metres(metres[once[1]]), speeds),
        dropped=dropped.table(),
        vehicle=speeds.vehicle,
    )
    return _network(x, y, (start, end), whole_metres(metres), seconds, ways, may, report)


def _listed(name):
    """Return the classes of an edge that was several ways: "['primary', 'trunk']" are two."""
    return [each.strip(" '\"").casefold() for each in name.strip("[]").split(",")]


def _maxspeed(said):
    """Return km/h of an edge's sign, NaN where there is none or none that can be read."""
    km_h = signed(str(next((said[key] for key in HEADINGS["maxspeed"] if key in said), "")))
    return math.nan if km_h is None else km_h


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _whole(said, key, who, faults, least=None):
    """Return a whole number that a graph holds; note where it holds none."""
    value = _number(said.get(key))
    if not value.is_integer() or (least is not None and value < least):
        faults.append(Fault("road_graph_whole", column=key, value=f"{who}: {said.get(key)}"))
        return 0
    return int(value)


def _digest(path):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def _classes(road, metres, speeds):
    """Return the report's table of classes, of those that occur, in the order of the table of speeds."""
    count = len(speeds.table)
    told = speeds.table[["km_h", "source", "nature"]].copy()
    told.insert(0, "lines", np.bincount(road, minlength=count))
    told.insert(1, "km", np.bincount(road, metres, count) / 1000)
    return told[told["lines"] > 0]


# -- the network itself ----------------------------------------------------------------------------------------------


def _network(x, y, ends, metres, seconds, ways, may, report):
    """Return the RoadNetwork of pieces of road; nodes without one are left out, unless there are no pieces at all.

    ends  (start, end) of each piece; ways  (along, against): whether it may be driven so
    """
    start, end = ends
    used = np.zeros(len(x), dtype=bool)
    used[start] = used[end] = True
    used |= not len(start)
    kept = np.flatnonzero(used)
    kept = kept[np.lexsort([y[kept], x[kept], morton(x[kept], y[kept])])]
    number = np.full(len(x), -1)
    number[kept] = np.arange(len(kept))
    along, against = ways
    a = number[np.concatenate([start[along], end[against]])]
    b = number[np.concatenate([end[along], start[against]])]
    length = [np.concatenate([each[along], each[against]]) for each in (metres, seconds)]
    a, b, metres, seconds = _least(a, b, *length)
    x, y = (np.rint(each[kept]).astype(np.int64) for each in (x, y))
    component, table = _components(a, b, metres, x, y)
    one_way = _one_way_nodes(a, b, component)
    report = replace(report, nodes=len(x), edges=len(a), components=table, one_way_nodes=one_way)
    a, b = a.astype(np.int32), b.astype(np.int32)
    return RoadNetwork(x, y, a, b, metres, seconds, component, may[kept], report)


def morton(x, y):
    """Return the place of points along a Morton curve: the bits of x and y in turn."""
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(values):
    """Return whole numbers from 0 with a blank bit between any two bits of theirs."""
    bits = (np.rint(values - values.min()) if len(values) else values).astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits


def _least(a, b, metres, seconds):
    """Return the edges sorted by both ends, one a pair of nodes: the least metres and the least seconds; no loops."""
    keep = a != b
    a, b, metres, seconds = (each[keep] for each in (a, b, metres, seconds))
    order = np.lexsort([b, a])
    a, b, metres, seconds = (each[order] for each in (a, b, metres, seconds))
    first = np.flatnonzero(np.concatenate([[True], (a[1:] != a[:-1]) | (b[1:] != b[:-1])])) if len(a) else a
    least = [np.minimum.reduceat(each, first) if len(a) else each for each in (metres, seconds)]
    return a[first], b[first], *(each.astype(np.int64) for each in least)


def _components(a, b, metres, x, y):
    """Return (component of each node, table of the report): 0 the longest, of equals that with the first node."""
    count, label = connected_components(sparse.csr_array((np.ones(len(a)), (a, b)), shape=(len(x), len(x))), False)
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, once = np.unique(low.astype(np.int64) * len(x) + high, return_index=True)
    km = np.bincount(label[a[once]], metres[once], count) / 1000
    nodes = np.bincount(label, minlength=count)
    first = np.unique(label, return_index=True)[1]
    order = np.lexsort([first, -nodes, -km])
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count)
    table = pd.DataFrame({"nodes": nodes, "km": km, "x": x[first], "y": y[first]}).iloc[order]
    return rank[label], table.reset_index(drop=True).rename_axis("component")


def _one_way_nodes(a, b, component):
    """Return how many nodes of the main component are not in its largest part that is connected both ways."""
    graph = sparse.csr_array((np.ones(len(a)), (a, b)), shape=(len(component), len(component)))
    label = connected_components(graph, directed=True, connection="strong")[1][component == 0]
    return int(len(label) - np.bincount(label).max())
