"""Regional centres: each county's centre as the documents place them, beside the free optimum with as many."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.travel import distances
from planner.models.p_median import p_median
from planner.services.proof import proof_of
from planner.solve import solve


@dataclass(frozen=True)
class CentrePlan:
    """``metres`` and ``position`` on counties: the way to the nearest centre, and which of ``sites`` (codes) it is."""

    sites: tuple
    metres: np.ndarray
    position: np.ndarray

    def person_km(self, persons):
        return float((self.metres * np.asarray(persons, dtype=np.int64)).sum()) / 1000


def documents_centres(region, scenario):
    """Return the :class:`CentrePlan` of the documents; sites are city codes, the national centres' first."""
    cities = tuple(dict.fromkeys([*scenario.national_centres, *scenario.provincial_centres]))
    return _nearest_of(region, region.cities.loc[list(cities), ["x", "y"]], cities, scenario)


def free_centres(region, scenario, count, start_at, *, progress=None, cancel=None):
    """Return (CentrePlan, Proof): ``count`` centres at any county seats with the fewest person-kilometres.

    Sites are county codes. ``start_at`` are county codes of a known choice (the documents' own), to begin with and to
    fall back on.
    """
    counties = region.counties
    persons = counties["persons"].to_numpy(dtype=np.int64)
    seats = _seats(region)
    metres = distances(seats, seats, scenario.detour_factor)
    known = sorted(counties.index.get_indexer(list(start_at)))
    solution = solve(
        p_median(persons, metres, count),
        seconds=scenario.solve_seconds,
        start=_start(metres, known),
        progress=progress,
        cancel=cancel,
    )
    codes = tuple(c for j, c in enumerate(counties.index) if solution.values[f"x{j:06d}"] == 1)
    return _nearest_of(region, seats.loc[list(codes)], codes, scenario), proof_of(
        "centres_free", "million_person_km", solution
    )


def _nearest_of(region, points, codes, scenario):
    metres = distances(_seats(region), points, scenario.detour_factor)
    order = np.argsort(np.array(codes), kind="stable")  # of equally near centres the smaller code serves
    position = order[metres[:, order].argmin(axis=1)]
    return CentrePlan(codes, metres[np.arange(len(metres)), position], position)


def _seats(region):
    counties = region.counties
    return pd.DataFrame({"x": counties["seat_x"], "y": counties["seat_y"]}, index=counties.index)


def _start(metres, known):
    nearest = np.array(known)[metres[:, known].argmin(axis=1)]
    return {f"x{j:06d}": 1 for j in known} | {f"z{i:06d}_{j:06d}": 1 for i, j in enumerate(nearest)}
