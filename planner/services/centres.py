"""Regional centres: each county's centre as the documents place them, beside the free optimum with as many."""

from dataclasses import dataclass

import numpy as np

from geo.travel import distances, seat_points
from planner.engine.found import Clock
from planner.engine.question import stored
from planner.engine.wished import least_distance_wished
from planner.models.wishes import Wishes
from planner.services.proof import Proof
from planner.solve import INTERIM

MILLION_PERSON_KM = 1e9  # person-metres


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
    return _nearest_of(region, region.cities.loc[list(cities), ["lon", "lat"]], cities, scenario)


def free_centres(region, scenario, count, start_at, *, progress=None, cancel=None):
    """Return (CentrePlan, Proof): ``count`` centres at any county seats with the fewest person-kilometres.

    Sites are county codes. ``start_at`` are county codes of a known choice (the documents' own), to begin with and to
    fall back on.
    """
    counties = region.counties
    persons = counties["persons"].to_numpy(dtype=np.int64)
    seats = seat_points(counties)
    metres = distances(seats, seats, scenario.detour_factor)
    clock = Clock(scenario.solve_seconds, progress and _in_millions(progress), cancel)
    # Of a hundred seats the model as it reads is quick enough, and a machine's first run has no loops to compile.
    plan = least_distance_wished(stored(metres), persons, count, Wishes(), clock=clock)
    sites, objective, status = plan.sites, plan.objective, plan.status
    known = np.sort(counties.index.get_indexer(list(start_at)))
    documents = float((persons * metres[:, known].min(axis=1)).sum())
    if objective is None or objective > documents:  # a cancel came before the search had as good
        sites, objective, status = known, documents, INTERIM
    codes = tuple(counties.index[sites])
    bound = None if plan.bound is None else plan.bound / MILLION_PERSON_KM
    objective /= MILLION_PERSON_KM
    gap = None if bound is None else abs(objective - bound) / max(abs(objective), 1.0)
    proof = Proof("centres_free", status, "million_person_km", objective, bound, gap, clock.spent())
    return _nearest_of(region, seats.loc[list(codes)], codes, scenario), proof


def _in_millions(progress):
    return lambda seconds, gap, best: progress(seconds, gap, None if best is None else best / MILLION_PERSON_KM)


def _nearest_of(region, points, codes, scenario):
    metres = distances(seat_points(region.counties), points, scenario.detour_factor)
    order = np.argsort(np.array(codes), kind="stable")  # of equally near centres the smaller code serves
    position = order[metres[:, order].argmin(axis=1)]
    return CentrePlan(codes, metres[np.arange(len(metres)), position], position)
