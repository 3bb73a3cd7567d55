"""Ways along roads beside networkx alone, in one run: the same answers, how much sooner, and the whole province.

    python -m tests.benchmarks.roads ROADS       ROADS: a file of the province's roads, such as a GeoPackage

The rival is ``networkx.single_source_dijkstra`` with a cutoff, once a site, and nothing else: reading its answers off
for the demand points would cost it more, and ours does that too. Answers are compared on a sample of the sites. One
process, one thread, one machine; seconds of different machines do not compare.
"""

import resource
import sys
import time

import networkx as nx
import numpy as np

from geo.network import MEASURES, amounts, load_roads, nearest_on
from geo.travel import UNREACHED, whole_metres
from planner.scenario import load_scenario
from planner.study import prepare

LIMITS = {"minutes": 3600, "road": 60_000}  # an hour, 60 km
CASES = ((46_060, 4_150), (40_000, 1_500))  # demand points, sites: at most
SAMPLE = 40  # sites whose answers are compared pair by pair


def snapped(network, points, km, measure):
    """Return (node, leg) where points come onto the roads, the leg in whole metres or seconds."""
    node, metres = network.snapped(points, round(km * 1000))
    return node, whole_metres(metres, 1 if measure == "road" else 3.6 / network.access.off_road_km_h)


def rival(graph, network, sites, measure, limit):
    """Yield (site, {node: amount}) by networkx alone, each from the node where the site comes onto the roads."""
    nodes, legs = snapped(network, sites, network.access.site_km, measure)
    for j, (node, leg) in enumerate(zip(nodes.tolist(), legs.tolist(), strict=True)):
        if node >= 0 and leg <= limit:
            yield j, nx.single_source_dijkstra(graph, node, cutoff=limit - leg, weight=MEASURES[measure])[0]


def differing(graph, network, arcs, demand, sites, measure, limit):
    """Return (pairs compared, pairs that differ from the rival's) of points and sites with one way onto the roads each.

    Left out are those in small parts of the network, which have two, and pairs that share a node, which go straight.
    """
    node, site_leg = snapped(network, sites, network.access.site_km, measure)
    to, leg = snapped(network, demand, network.access.demand_km, measure)
    demand_moved, site_moved = (
        points.index.isin(network.moved(points, round(km * 1000)).index)
        for points, km in ((demand, network.access.demand_km), (sites, network.access.site_km))
    )
    compared = wrong = 0
    columns = arcs.tocsc()
    for j, reached in rival(graph, network, sites, measure, limit):
        if site_moved[j]:
            continue
        ways = np.array([reached.get(v, -1) for v in to.tolist()])
        theirs = np.where(ways >= 0, ways + leg + site_leg[j], -1)
        theirs[theirs > limit] = -1
        ours = np.full(len(demand), -1)
        some = slice(columns.indptr[j], columns.indptr[j + 1])
        ours[columns.indices[some]] = columns.data[some]
        ask = ~demand_moved & (to >= 0) & (to != node[j])
        compared += int((theirs[ask] >= 0).sum())
        wrong += int((ours[ask] != theirs[ask]).sum())
    return compared, wrong


def timed(work, *args):
    """Return (what ``work`` returns, seconds)."""
    started = time.perf_counter()
    done = work(*args)
    return done, time.perf_counter() - started


def settled(graph, network, sites, measure, limit):
    """Return how many nodes the rival reaches from all sites together."""
    return sum(len(reached) for _, reached in rival(graph, network, sites, measure, limit))


def main(path):
    prepared = prepare(load_scenario("scenarios/shanxi-2025.toml"))
    demand, sites = prepared.demand.reset_index(drop=True), prepared.sites.reset_index(drop=True)
    network, seconds = timed(load_roads, path, prepared.region.projection)
    print(f"{path}: {network.report.nodes:,} nodes, {network.report.edges:,} edges, read in {seconds:.1f} s")
    graph = network.to_networkx()
    amounts(network, "road", demand[:100], sites[:2], 1000)  # compiled before the clock runs
    nearest_on(network, "road", demand[:100], sites[:2])
    some = sites.iloc[np.linspace(0, len(sites) - 1, SAMPLE).astype(int)].reset_index(drop=True)
    for measure, limit in LIMITS.items():
        for n, m in CASES:
            nodes, theirs = timed(settled, graph, network, sites[:m], measure, limit)
            arcs, ours = timed(amounts, network, measure, demand[:n], sites[:m], limit)
            print(
                f"{measure} within {limit:,}: {len(demand[:n]):,} x {len(sites[:m]):,}, {arcs.nnz:,} pairs: "
                f"networkx alone {theirs:.1f} s for {nodes:,} nodes, ours {ours:.2f} s, ratio {theirs / ours:.0f}"
            )
        arcs = amounts(network, measure, demand, some, limit)
        compared, wrong = differing(graph, network, arcs, demand, some, measure, limit)
        print(f"    answers: {compared:,} pairs compared, {wrong} differ")
        (amount, _), ours = timed(nearest_on, network, measure, demand, sites)
        print(f"    nearest of {len(sites):,}: {ours:.2f} s, {(amount == UNREACHED).sum()} points without a way")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.1f} GB")


if __name__ == "__main__":
    main(sys.argv[1])
