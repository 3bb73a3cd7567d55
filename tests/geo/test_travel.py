"""Distances: whole metres, sparse, exactly the pairs within the standard, the ellipsoid's to the metre."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.travel import arcs_within, distances, is_covered, nearest, standard_metres, whole_metres
from tests.oracles.distances import geodesic_metres, metres_between

METRES = st.integers(-30, 30)
POINTS = st.lists(st.tuples(METRES, METRES), min_size=1, max_size=12)


def frame(points):
    return pd.DataFrame(points, columns=["x", "y"], dtype="int64")


def test_whole_metres_are_rounded_up():
    assert whole_metres(5.0) == 5
    assert whole_metres(5.000001) == 5  # what arithmetic is off by
    assert whole_metres(5.001) == 6
    assert whole_metres(1, 1.5) == 2
    assert whole_metres(np.array([1, 2**0.5])).tolist() == [1, 2]


def test_covered_at_the_standard_itself():
    assert is_covered(np.array([4_999, 5_000, 5_001]), 5_000).tolist() == [True, True, False]


def test_standard_of_each_point():
    demand = pd.DataFrame({"setting": ["urban", "rural", "urban"]})
    assert standard_metres(demand, 5.0, 20.0).tolist() == [5_000, 20_000, 5_000]
    assert standard_metres(demand, 0.3, 4.35).tolist() == [300, 4_350, 300]


def test_arcs_on_paper():
    """A 3-4-5 triangle, a site on the spot, and one metre too far."""
    demand, sites = frame([(0, 0), (100, 0)]), frame([(3, 4), (0, 0), (106, 0)])
    arcs = arcs_within(demand, sites, 5)
    assert arcs.toarray().tolist() == [[5, 0, 0], [0, 0, 0]]
    assert arcs.nnz == 2  # the 0 m pair is stored: it is near, not absent
    assert arcs.indices.tolist() == [0, 1]
    assert arcs_within(demand, sites, 6).nnz == 3


@given(POINTS, POINTS, st.lists(st.integers(0, 60), min_size=12, max_size=12), st.sampled_from([1.0, 1.3, 2.5]))
@settings(max_examples=200, deadline=None)
def test_arcs_are_exactly_the_pairs_within(points, places, limits, detour):
    demand, sites, limit = frame(points), frame(places), np.array(limits[: len(points)])
    arcs = arcs_within(demand, sites, limit, detour)
    dense = np.array([[math.ceil(np.hypot(a - c, b - d) * detour - 1e-6) for c, d in places] for a, b in points])
    stored = np.zeros(dense.shape, dtype=bool)
    stored[np.repeat(np.arange(len(points)), np.diff(arcs.indptr)), arcs.indices] = True
    assert (stored == (dense <= limit[:, None])).all()
    assert (arcs.toarray() == np.where(stored, dense, 0)).all()
    assert arcs.dtype == np.int64 and arcs.has_sorted_indices


@given(POINTS, POINTS, st.sampled_from([1.0, 1.3]))
@settings(max_examples=200, deadline=None)
def test_nearest_is_the_first_of_the_nearest(points, places, detour):
    metres, position = nearest(frame(points), frame(places), detour)
    dense = distances(frame(points), frame(places), detour)
    assert (metres == dense.min(axis=1)).all()
    assert (position == dense.argmin(axis=1)).all()


def test_first_of_many_in_one_place():
    """Forty sites in one place, a nearer one behind them: a search that looks at eight neighbours is not enough."""
    sites = frame([(10, 0)] * 40 + [(50, 0)])
    metres, position = nearest(frame([(0, 0), (49, 0)]), sites)
    assert metres.tolist() == [10, 1] and position.tolist() == [0, 40]


def test_nearest_of_nothing():
    with pytest.raises(ValueError, match="at least one"):
        nearest(frame([(0, 0)]), frame([]))


def test_no_site_is_near_where_there_is_none():
    arcs = arcs_within(frame([(0, 0), (1, 1)]), frame([]), 5)
    assert arcs.shape == (2, 0) and arcs.nnz == 0


def test_inputs_stay_as_they_are():
    demand, sites = frame([(0, 0), (7, 1)]), frame([(3, 4)])
    before = demand.copy(), sites.copy()
    arcs_within(demand, sites, 6)
    nearest(demand, sites)
    pd.testing.assert_frame_equal(demand, before[0])
    pd.testing.assert_frame_equal(sites, before[1])


def test_the_geodesic_to_the_metre(default_run):
    """Every demand point of the province to its nearest seat, and every tenth site to every seat."""
    demand, sites = default_run.prepared.demand, default_run.prepared.sites
    seats = sites[sites["kind"].eq("seat")]
    metres, position = nearest(demand, seats)
    true = geodesic_metres(demand["lon"][::10], demand["lat"][::10], seats["lon"], seats["lat"])
    assert (metres[::10] == np.ceil(true.min(axis=1) - 1e-6)).all()
    assert (position[::10] == np.ceil(true - 1e-6).argmin(axis=1)).all()
    near = metres_between(
        demand["lon"], demand["lat"], seats["lon"].to_numpy()[position], seats["lat"].to_numpy()[position]
    )
    assert (metres == np.ceil(near - 1e-6)).all()
    some = sites.iloc[::10]
    true = np.ceil(geodesic_metres(some["lon"], some["lat"], seats["lon"], seats["lat"]) - 1e-6)
    assert true.max() > 600_000
    assert (distances(some, seats) == true).all()
    arcs = arcs_within(some, seats, 40_000)
    within = true <= 40_000
    assert arcs.nnz == within.sum() and (arcs.toarray()[within] == true[within]).all()


def test_a_seat_and_a_point_on_it_without_degrees_are_on_a_plane():
    """Degrees of one table alone do not help: both stand in metres then."""
    at = frame([(0, 0)]).assign(lon=112.0, lat=37.0)
    assert arcs_within(at, frame([(3, 4)]), 5).toarray().tolist() == [[5]]
    assert distances(at, at.assign(x=99)).tolist() == [[0]]
