"""Distances: whole metres, sparse, exactly the pairs within the standard, and close to the ellipsoid's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.travel import arcs_within, distances, is_covered, nearest, standard_metres, whole_metres
from tests.oracles.distances import metres_between

METRES = st.integers(-30, 30)
POINTS = st.lists(st.tuples(METRES, METRES), min_size=1, max_size=12)


def frame(points):
    return pd.DataFrame(points, columns=["x", "y"], dtype="int64")


def test_whole_metres_round_half_up():
    assert whole_metres(3, 4) == 5
    assert whole_metres(1, 0, 1.5) == 2  # 1.5 -> 2
    assert whole_metres(1, 0, 2.5) == 3  # 2.5 -> 3, where rounding to even would say 2
    assert whole_metres(np.array([1, 1]), np.array([0, 1])).tolist() == [1, 1]  # 1.414 -> 1


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
    dense = np.array([[int(np.hypot(a - c, b - d) * detour + 0.5) for c, d in places] for a, b in points])
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


def test_within_a_thousandth_of_the_geodesic(default_run):
    """Every twentieth demand point of the province to its nearest seat, and the longest way there is."""
    demand, sites = default_run.prepared.demand.iloc[::20], default_run.prepared.sites
    seats = sites[sites["kind"].eq("seat")]
    metres, position = nearest(demand, seats)
    true = metres_between(
        demand["lon"], demand["lat"], seats["lon"].to_numpy()[position], seats["lat"].to_numpy()[position]
    )
    assert np.abs(metres - true).max() < max(2.0, 0.001 * true.max())
    far = true > 2_000
    assert (np.abs(metres - true)[far] / true[far]).max() < 0.001
    ends = seats.iloc[[seats["y"].argmin(), seats["y"].argmax()]]
    across = metres_between(ends["lon"][:1], ends["lat"][:1], ends["lon"][1:], ends["lat"][1:])[0]
    assert across > 500_000
    assert distances(ends, ends)[0, 1] == pytest.approx(across, rel=0.001)
