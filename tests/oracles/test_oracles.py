"""The oracles agree with paper, with one another, and with a distance known from elsewhere."""

import numpy as np
import pytest

from tests.oracles.brute import lscp_brute, mclp_brute, pmedian_brute
from tests.oracles.distances import geodesic_metres, metres_between
from tests.oracles.second_solver import lscp_milp, mclp_milp, pmedian_milp

# Five villages on a road, one kilometre apart; a site in each; a site reaches its neighbours.   0 - 1 - 2 - 3 - 4
ROAD = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
PERSONS = np.array([10, 1, 1, 1, 7])


def test_worked_on_paper():
    assert lscp_brute(ROAD <= 1) == (2, (0, 3))
    assert lscp_brute(ROAD <= 1, fixed=(2,)) == (3, (0, 2, 3))
    assert mclp_brute(ROAD <= 1, PERSONS, 1) == (12, (1,))
    assert mclp_brute(ROAD <= 1, PERSONS, 2, fixed=(0,)) == (20, (0, 3))
    assert pmedian_brute(ROAD, PERSONS, 1) == (0 + 1 + 2 + 3 + 28, (0,))
    assert pmedian_brute(ROAD, PERSONS, 2) == (0 + 1 + 2 + 1 + 0, (0, 4))


def test_nobody_can_be_served():
    cover = np.array([[True, False], [False, False]])
    assert lscp_brute(cover) is None and lscp_milp(cover) is None
    cost = np.where(cover, 1.0, np.inf)
    assert pmedian_brute(cost, [1, 1], 2) is None and pmedian_milp(cost, [1, 1], 2) is None


def test_too_many_sites_for_enumeration():
    with pytest.raises(ValueError, match="at most 12"):
        lscp_brute(np.ones((2, 13), dtype=bool))


@pytest.mark.parametrize("seed", range(8))
def test_enumeration_and_the_second_solver_agree(seed):
    rng = np.random.default_rng(seed)
    demand, sites = rng.uniform(0, 10, (25, 2)), rng.uniform(0, 10, (9, 2))
    cost = np.rint(1000 * np.hypot(*(demand[:, None] - sites).transpose(2, 0, 1)))
    weights, fixed, p = rng.integers(1, 100, 25), tuple(rng.choice(9, 2, replace=False)), 4
    cover = cost <= 4500
    coverable = cover[cover.any(axis=1)]
    assert lscp_milp(coverable, fixed)[0] == pytest.approx(lscp_brute(coverable, fixed)[0])
    assert mclp_milp(cover, weights, p, fixed)[0] == pytest.approx(mclp_brute(cover, weights, p, fixed)[0])
    assert pmedian_milp(cost, weights, p, fixed)[0] == pytest.approx(pmedian_brute(cost, weights, p, fixed)[0])
    _, chosen = pmedian_milp(cost, weights, p, fixed)
    assert (weights * cost[:, list(chosen)].min(axis=1)).sum() == pytest.approx(
        pmedian_brute(cost, weights, p, fixed)[0]
    )


def test_geodesic():
    quarter_meridian = metres_between([0], [0], [0], [90])[0]
    assert quarter_meridian == pytest.approx(10_001_965.729, abs=0.01)  # GRS80, Moritz (2000)
    both = geodesic_metres([112.0, 113.0], [37.0, 38.0], [112.0], [37.0])
    assert both.shape == (2, 1) and both[0, 0] == 0
    assert both[1, 0] == pytest.approx(metres_between([112.0], [37.0], [113.0], [38.0])[0])
