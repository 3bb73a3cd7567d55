"""The oracles agree with paper, with one another, and with a distance known from elsewhere."""

import numpy as np
import pytest

from tests.oracles.brute import (
    bclp_brute,
    double_standard_brute,
    gradual_brute,
    k_best_brute,
    lscp_brute,
    mclp_brute,
    pcenter_brute,
    pmedian_brute,
)
from tests.oracles.distances import geodesic_metres, metres_between
from tests.oracles.second_solver import (
    bclp_cbc,
    double_standard_cbc,
    gradual_cbc,
    lscp_cbc,
    lscp_milp,
    mclp_cbc,
    mclp_milp,
    needs_cbc,
    pcenter_cbc,
    pmedian_cbc,
    pmedian_milp,
)

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


def test_every_model_on_paper():
    near, far = ROAD <= 1, ROAD <= 2
    assert pcenter_brute(ROAD, 1) == (2, (2,)) and pcenter_brute(ROAD, 2) == (1, (0, 3))
    assert gradual_brute(np.maximum(1 - ROAD / 2, 0), PERSONS, 1) == (10 + 0.5, (0,))
    # Everyone once takes (1, 3), which meet in the middle; a third site beside an end serves that end twice.
    assert bclp_brute(near, PERSONS, 2) == (1, (1, 3)) and bclp_brute(near, PERSONS, 3) == (10 + 1 + 1, (0, 1, 3))
    assert double_standard_brute(near, far, PERSONS, 2, share=0.5) == (2, (1, 2))
    assert double_standard_brute(near, far, PERSONS, 2, share=0.75) == (1, (1, 3))
    assert double_standard_brute(near, far, PERSONS, 3, share=0.75, per_site=2, forbidden=(0,)) == (12, (1, 1, 3))
    assert lscp_brute(far, backup=2) == (3, (0, 2, 3)) and lscp_brute(far, backup=[2, 1, 1, 1, 1]) == (2, (0, 2))


def test_every_wish_on_paper():
    cover = ROAD <= 1
    assert lscp_brute(cover, forbidden=(0, 3)) == (2, (1, 4))
    assert lscp_brute(cover, exclusive=[(0, 3), (1, 4), (1, 3)]) == (3, (0, 2, 4))
    assert lscp_brute(cover, avoid=[((0, 3), 1), ((1, 3), 1), ((1, 4), 1)]) == (3, (0, 2, 4))
    assert lscp_brute(cover, price=[1, 9, 1, 9, 1]) == (3, (0, 2, 4))
    assert lscp_brute(cover, price=[1, 9, 1, 9, 1], budget=2) is None
    assert mclp_brute(cover, PERSONS, price=[5, 5, 1, 5, 5], budget=6) == (13, (0, 2))
    assert mclp_brute(cover, PERSONS, 0) == (0, ()) and mclp_brute(cover, PERSONS, 6) is None
    assert k_best_brute(mclp_brute, cover, PERSONS, 1, k=9) == [
        (12, (1,)),
        (11, (0,)),
        (9, (3,)),
        (8, (4,)),
        (3, (2,)),
    ]


def test_room_on_paper():
    """Rows of 10, 1, 1, 1 and 7; a site in the middle with room for 3 serves its neighbours, the ends stay at home."""
    cover = ROAD <= 1
    assert mclp_brute(cover, PERSONS, 1, capacity=[3] * 5) == (3, (2,))
    assert lscp_brute(cover, weights=PERSONS, capacity=[11] * 5) == (2, (0, 3))
    assert lscp_brute(cover, weights=PERSONS, capacity=[10, 9, 9, 9, 9]) == (3, (0, 1, 3))
    assert lscp_brute(cover, weights=PERSONS, capacity=[9] * 5) is None
    assert pmedian_brute(ROAD, PERSONS, 2, capacity=[12, 9, 9, 9, 8]) == (0 + 1 + 2 + 1 + 0, (0, 4))
    assert pmedian_brute(ROAD, PERSONS, 2, capacity=[10, 9, 9, 9, 10]) == (3 + 2 + 1, (0, 4))
    assert pcenter_brute(ROAD, 2, weights=PERSONS, capacity=[10, 9, 9, 9, 10]) == (3, (0, 4))
    assert gradual_brute(np.maximum(1 - ROAD / 2, 0), PERSONS, 1, capacity=[9, 9, 9, 9, 7]) == (7, (4,))


def test_nobody_to_serve():
    assert lscp_brute(np.ones((0, 3), dtype=bool)) == (0, ())
    assert pmedian_brute(np.ones((0, 3)), [], 1) == (0, (0,)) and pcenter_brute(np.ones((0, 3)), 1) == (0, (0,))
    assert lscp_brute(np.ones((2, 3), dtype=bool), backup=0) == (0, ())


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


def drawn(seed):
    """An instance with every wish at once: (cover, cost, weights, p, wishes)."""
    rng = np.random.default_rng(seed)
    n, m = 14, 8
    cost = np.rint(1000 * np.hypot(*(rng.uniform(0, 10, (n, 1, 2)) - rng.uniform(0, 10, (m, 2))).transpose(2, 0, 1)))
    cost[rng.random((n, m)) < 0.1] = np.inf
    kinds = rng.permutation(m)
    wishes = {
        "fixed": tuple(kinds[:1]),
        "forbidden": tuple(kinds[1:2]),
        "exclusive": (tuple(kinds[2:5]),),
        "avoid": ((tuple(kinds[4:7]), 1),),
        "price": rng.integers(1, 9, m),
        "budget": int(rng.integers(12, 40)),
    }
    return cost <= 6000, cost, rng.integers(0, 100, n), int(rng.integers(3, 5)), wishes


def same(one, other):
    return (one is None) == (other is None) and (one is None or one[0] == pytest.approx(other[0]))


@needs_cbc
@pytest.mark.parametrize("seed", range(12))
def test_enumeration_and_cbc_agree_under_every_wish(seed):
    cover, cost, weights, p, wishes = drawn(seed)
    shares = np.where(np.isfinite(cost), np.clip(1.8 - cost / 5000, 0, 1), 0)
    assert same(lscp_brute(cover, **wishes), lscp_cbc(cover, **wishes))
    assert same(lscp_brute(cost < 8000, backup=2, **wishes), lscp_cbc(cost < 8000, backup=2, **wishes))
    assert same(mclp_brute(cover, weights, None, **wishes), mclp_cbc(cover, weights, None, **wishes))
    assert same(gradual_brute(shares, weights, p, **wishes), gradual_cbc(shares, weights, p, **wishes))
    assert same(bclp_brute(cost < 8000, weights, p, **wishes), bclp_cbc(cost < 8000, weights, p, **wishes))
    assert same(pmedian_brute(cost, weights, p, **wishes), pmedian_cbc(cost, weights, p, **wishes))
    assert same(pcenter_brute(cost, p, **wishes), pcenter_cbc(cost, p, **wishes))
    for per_site in (1, 2):
        asked = {"share": 0.7, "per_site": per_site, "fixed": wishes["fixed"]}
        one = double_standard_brute(cover, cost < 9000, weights, p, **asked)
        assert same(one, double_standard_cbc(cover, cost < 9000, weights, p, **asked))


@needs_cbc
@pytest.mark.parametrize("seed", range(12))
def test_enumeration_and_cbc_agree_on_room(seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 100, (6, 4)).astype(float)
    cost[rng.random((6, 4)) < 0.15] = np.inf
    weights, capacity = rng.integers(0, 20, 6), rng.integers(10, 45, 4)
    wishes = {"capacity": capacity, "fixed": (int(rng.integers(4)),)}
    cover = cost <= 80
    assert same(lscp_brute(cover, weights=weights, **wishes), lscp_cbc(cover, weights=weights, **wishes))
    assert same(mclp_brute(cover, weights, 2, **wishes), mclp_cbc(cover, weights, 2, **wishes))
    assert same(pmedian_brute(cost, weights, 3, **wishes), pmedian_cbc(cost, weights, 3, **wishes))
    asked = {"weights": weights, **wishes}
    assert same(pcenter_brute(cost, 3, **asked), pcenter_cbc(cost, 3, **asked))


def test_geodesic():
    quarter_meridian = metres_between([0], [0], [0], [90])[0]
    assert quarter_meridian == pytest.approx(10_001_965.729, abs=0.01)  # GRS80, Moritz (2000)
    both = geodesic_metres([112.0, 113.0], [37.0, 38.0], [112.0], [37.0])
    assert both.shape == (2, 1) and both[0, 0] == 0
    assert both[1, 0] == pytest.approx(metres_between([112.0], [37.0], [113.0], [38.0])[0])
