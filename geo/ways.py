"""Ways: how far it is from sites to people - along a straight line, along roads, or in minutes of driving.

One question in three measures, so that coverage, plans and checks ask it the same way whichever a planner chose.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geo import travel
from geo.faults import Fault, Rejected
from geo.region import unproject

MEASURES = ("straight", "road", "minutes")


@dataclass(frozen=True)
class Ways:
    """How far it is.

    measure        straight (geodesic x detour_factor) | road (metres along roads) | minutes (driving time)
    detour_factor  of straight lines; 1 for the others
    network        the roads (:class:`geo.network.RoadNetwork`), None for straight lines

    Amounts are whole metres, for minutes whole seconds, both rounded up. The vehicle drives from site to demand.
    """

    measure: str = "straight"
    detour_factor: float = 1.0
    network: object = None

    @property
    def unit(self):
        """Return what amounts count: metres | seconds."""
        return "seconds" if self.measure == "minutes" else "metres"

    @property
    def per_unit(self):
        """Return how many amounts make one of what planners state: 1,000 metres a km, 60 seconds a minute."""
        return 60 if self.measure == "minutes" else 1000

    def limits(self, demand, urban, rural):
        """Return the standard of each demand point in whole amounts, from km (or minutes) for urban and rural."""
        urban, rural = (round(each * self.per_unit) for each in (urban, rural))
        return np.where(demand["setting"].eq("urban"), urban, rural).astype(np.int64)

    def arcs_within(self, demand, sites, limit):
        """Return every demand-site pair within ``limit`` (one or n whole amounts), as geo.travel.arcs_within."""
        if self.network is None:
            return travel.arcs_within(demand, sites, limit, self.detour_factor)
        from geo.network import amounts

        return amounts(self.network, self.measure, demand, sites, limit)

    def nearest(self, demand, sites):
        """Return (amount, position) of each demand point's nearest site, of equals the first in order.

        Where no way leads: (UNREACHED, -1). Raises ValueError when there is no site.
        """
        if self.network is None:
            return travel.nearest(demand, sites, self.detour_factor)
        from geo.network import nearest_on

        return nearest_on(self.network, self.measure, demand, sites)


def roads_near(path, network, region):
    """Return ``network``, read from ``path``. Raises :class:`geo.faults.Rejected` when no road lies in the region."""
    west, south, east, north = region.province.to_crs(region.projection).total_bounds
    inside = (network.x >= west) & (network.x <= east) & (network.y >= south) & (network.y <= north)
    if not inside.any():
        lon, lat = unproject(region.projection, network.x, network.y)
        said = {
            "west": f"{lon.min():g}",
            "east": f"{lon.max():g}",
            "south": f"{lat.min():g}",
            "north": f"{lat.max():g}",
        }
        raise Rejected([Fault("road_elsewhere", Path(path).name, params=said)])
    return network


def straight(detour_factor=1.0):
    """Return the :class:`Ways` of straight lines, each ``detour_factor`` times as long as it is."""
    return Ways("straight", float(detour_factor))


def on_roads(network, measure):
    """Return the :class:`Ways` along a :class:`geo.network.RoadNetwork`: measure road | minutes."""
    if measure not in MEASURES[1:]:
        raise ValueError(f"measure {measure!r}: one of {', '.join(MEASURES[1:])}")
    return Ways(measure, 1.0, network)
