"""Two-step floating catchment areas on paper, and what they promise: the supply is shared out, all of it, once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access import reach_matrix, spread

COUNTIES = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(0, 90_000), st.integers(0, 50_000), st.integers(0, 900)),
    min_size=1,
    max_size=9,
)


def counties(rows):
    return pd.DataFrame(rows, columns=["seat_x", "seat_y", "persons"])


def test_on_paper():
    """a and c, b and c are 14.142 km apart, a and b 20 km. Within 15 km: a shares with c, b with c, c with both.

    P_a = 40 + 20, P_b = 30 + 20, P_c = 90 thousand people.
    """
    matrix = reach_matrix(counties([(0, 0, 40_000), (20_000, 0, 30_000), (10_000, -10_000, 20_000)]), 15_000)
    paper = [[1 / 60, 0, 1 / 90], [0, 1 / 50, 1 / 90], [1 / 60, 1 / 50, 1 / 90]]
    assert matrix == pytest.approx(np.array(paper))
    assert matrix @ [440, 330, 220] == pytest.approx(
        [440 / 60 + 220 / 90, 330 / 50 + 220 / 90, 440 / 60 + 6.6 + 220 / 90]
    )


def test_at_the_radius_itself_and_with_a_detour():
    two = counties([(0, 0, 1_000), (15_000, 0, 1_000)])
    assert reach_matrix(two, 15_000)[0, 1] == pytest.approx(0.5)
    assert reach_matrix(two, 14_999)[0, 1] == 0
    assert reach_matrix(two, 15_000, 1.01)[0, 1] == 0
    assert reach_matrix(two, 19_500, 1.3)[0, 1] == pytest.approx(0.5)


@given(COUNTIES, st.integers(1_000, 120_000))
@settings(deadline=None)
def test_the_supply_is_shared_out_exactly(rows, reach):
    """People times beds within reach = all beds that anyone can reach. A bed among nobody reaches no one."""
    table = counties([row[:3] for row in rows])
    beds = np.array([row[3] for row in rows])
    matrix = reach_matrix(table, reach)
    apart = np.hypot(
        *(table[["seat_x", "seat_y"]].to_numpy()[:, None] - table[["seat_x", "seat_y"]].to_numpy()).transpose(2, 0, 1)
    )
    peopled = (np.floor(apart + 0.5) <= reach).T @ table["persons"].to_numpy() > 0
    received = (table["persons"].to_numpy() * (matrix @ beds)).sum() / 1000
    assert received == pytest.approx(beds[peopled].sum())


def test_spread_on_paper():
    """Two groups: means 6 and 9. (10 x 2 + 30 x 2/3 + 20 x 0) / 60 = 2/3 by persons."""
    assert spread(np.array([8.0, 16 / 3, 9.0]), [10, 30, 20], ["1", "1", "2"]) == pytest.approx(
        (10 * 2 + 30 * 2 / 3) / 60
    )
    assert spread(np.array([5.0, 5.0]), [1, 9], ["1", "1"]) == 0


def test_a_place_without_people_spreads_nothing():
    assert spread(np.array([5.0, 99.0, 7.0]), [10, 0, 0], ["1", "1", "2"]) == 0
