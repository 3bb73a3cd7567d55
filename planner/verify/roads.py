"""Ways along roads, worked out anew: one run of Dijkstra's search a station, over the scenario's roads."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from geo.network import load_roads

UNREACHED = np.iinfo(np.int64).max
ROUNDING = 1e-6


class Roads:
    """The roads of a scenario, with the demand points on them.

    measure  road (whole metres) | minutes (whole seconds)
    xy       whole metres of the demand points (n x 2)
    """

    def __init__(self, scenario, projection, xy):
        self.network = load_roads(scenario.roads, projection, speeds=scenario.road_speeds or None)
        network, access = self.network, self.network.access
        in_minutes = scenario.travel_measure == "minutes"
        self.a_metre = 3.6 / access.off_road_km_h if in_minutes else 1.0
        weights = (network.seconds if in_minutes else network.metres).astype(float)
        size = len(network.x)
        self.graph = sparse.csr_array((weights, (network.start, network.end)), shape=(size, size))
        self.xy = xy
        self.point, self.node, leg = network.ways_on(_points(xy), round(access.demand_km * 1000))
        self.leg = self._whole(leg)

    def _whole(self, metres):
        return np.ceil(np.asarray(metres) * self.a_metre - ROUNDING).astype(np.int64)

    def nearest(self, sites):
        """Return (amount, position) of the site (n x 2 whole metres) nearest to each demand point, ties to first."""
        best, position = np.full(len(self.xy), UNREACHED), np.full(len(self.xy), -1)
        for k, amount in self._each(sites):
            nearer = amount < best
            best[nearer], position[nearer] = amount[nearer], k
        return best, position

    def covers(self, sites, limit):
        """Return a CSR array of 1, demand x sites, where the way is at most the demand point's ``limit``."""
        columns = [(np.flatnonzero(amount <= limit), k) for k, amount in self._each(sites)]
        i = np.concatenate([np.zeros(0, dtype=np.int64), *(rows for rows, _ in columns)])
        j = np.repeat([k for _, k in columns], [len(rows) for rows, _ in columns]).astype(np.int64)
        return sparse.csr_array((np.ones(len(i), dtype=np.int64), (i, j)), shape=(len(self.xy), len(sites)))

    def _each(self, sites):
        """Yield (position, amount of every demand point) site by site."""
        who, nodes, legs = self.network.ways_on(_points(sites), round(self.network.access.site_km * 1000))
        legs = self._whole(legs)
        for k in range(len(sites)):
            mine = np.flatnonzero(who == k)
            amount = np.full(len(self.xy), np.inf)
            if len(mine):
                along = dijkstra(self.graph, indices=nodes[mine]) + legs[mine][:, None]
                np.minimum.at(amount, self.point, along.min(axis=0)[self.node] + self.leg)
                # Who comes onto the roads where the station does may drive straight there.
                here = np.unique(self.point[np.isin(self.node, nodes[mine])])
                straight = self._whole(np.ceil(np.hypot(*(self.xy[here] - sites[k]).T.astype(float)) - ROUNDING))
                amount[here] = np.minimum(amount[here], straight)
            yield k, np.where(np.isinf(amount), UNREACHED, np.where(np.isinf(amount), 0, amount).astype(np.int64))


def _points(xy):
    return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]})
