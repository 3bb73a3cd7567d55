"""Online maps' coordinates: the published shift, its way back, and whether a list is in it - or nobody can tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.datum import DATUMS, LEAST_PLACES, from_wgs84, judge, to_wgs84
from geo.region import load_region

GEOD = Geod(ellps="GRS80")
# WGS 84 and GCJ-02 of three places, from the test suite of eviltransform (github.com/googollee/eviltransform).
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]


@pytest.fixture(scope="module")
def seats():
    counties = load_region().counties
    return counties["seat_lon"].to_numpy(float), counties["seat_lat"].to_numpy(float)


def beside(seats, chance, metres, many=None):
    """Points beside ``many`` seats, in all directions, ``metres`` away on average; and these seats."""
    chosen = chance.permutation(len(seats[0]))[:many]
    lon, lat = seats[0][chosen], seats[1][chosen]
    far, turn = chance.exponential(metres, len(lon)), chance.uniform(0, 360, len(lon))
    at_lon, at_lat, _ = GEOD.fwd(lon, lat, turn, far)
    return (at_lon, at_lat), (lon, lat)


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_the_published_shift_and_back(wgs84, gcj02):
    assert np.allclose(from_wgs84(*wgs84, "gcj02"), gcj02, atol=1e-9)
    assert np.allclose(to_wgs84(*gcj02, "gcj02"), wgs84, atol=1e-9)


@given(lon=st.floats(75, 133), lat=st.floats(18, 53), datum=st.sampled_from(DATUMS))
def test_there_and_back_is_a_millimetre(lon, lat, datum):
    back = to_wgs84(*from_wgs84(lon, lat, datum), datum)
    assert GEOD.inv(lon, lat, *map(float, back))[2] < 0.001


@pytest.mark.parametrize(("datum", "least", "most"), [("wgs84", 0, 0), ("gcj02", 450, 650), ("bd09", 1_150, 1_450)])
def test_how_far_it_shifts_the_seats_of_shanxi(seats, datum, least, most):
    lon, lat = from_wgs84(*seats, datum)
    metres = GEOD.inv(lon, lat, *seats)[2]
    assert least <= metres.min() and metres.max() <= most


def test_another_datum_is_refused():
    for convert in (from_wgs84, to_wgs84):
        with pytest.raises(ValueError, match="bj54"):
            convert(112.5, 37.8, "bj54")


@pytest.mark.parametrize("datum", DATUMS)
@pytest.mark.parametrize(("many", "metres"), [(117, 500), (40, 200), (LEAST_PLACES, 30)])
def test_a_list_beside_the_seats_is_told(seats, datum, many, metres):
    points, known = beside(seats, np.random.default_rng(7), metres, many)
    verdict = judge(*from_wgs84(*points, datum), *known)
    assert verdict.datum == datum and verdict.places == many
    assert min(verdict.metres, key=verdict.metres.get) == datum


@pytest.mark.parametrize("datum", DATUMS)
def test_it_never_says_another_datum_than_the_true_one(seats, datum):
    """Over lists of all sizes and spreads it may say that it cannot tell, never what is wrong."""
    chance = np.random.default_rng(3)
    told = 0
    for _ in range(300):
        points, known = beside(seats, chance, chance.uniform(50, 2_500), int(chance.integers(3, 118)))
        verdict = judge(*from_wgs84(*points, datum), *known).datum
        assert verdict in (datum, "")
        told += verdict == datum
    assert told > 60


def test_few_far_or_no_points_are_not_judged(seats):
    lon, lat = seats
    few = slice(LEAST_PLACES - 1)
    assert judge(*from_wgs84(lon[few], lat[few], "gcj02"), lon[few], lat[few]).datum == ""
    assert judge(lon + 0.5, lat, lon, lat).places == 0
    none = np.zeros(0)
    assert judge(none, none, none, none).datum == ""


def test_the_order_of_points_and_a_few_strays_change_nothing(seats):
    (lon, lat), known = beside(seats, np.random.default_rng(5), 300)
    lon, lat = from_wgs84(lon, lat, "gcj02")
    turned = judge(lon[::-1], lat[::-1], known[0][::-1], known[1][::-1])
    assert turned == judge(lon, lat, *known)
    lon = lon.copy()
    lon[:10] += 0.04  # 3.5 km to the east
    assert judge(lon, lat, *known).datum == "gcj02"
