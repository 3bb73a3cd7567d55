"""One rounding rule and one way to share: whole, exact, nobody's remainder lost."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.rounding import ceiling, half_up, shared_out

CENTS = st.integers(0, 10**12).map(lambda n: Decimal(n) / 100)


@given(CENTS)
def test_half_up_and_ceiling_as_decimals_have_them(number):
    assert half_up(Fraction(number)) == int(number.to_integral_value(ROUND_HALF_UP))
    assert ceiling(Fraction(number)) == int(number.to_integral_value(ROUND_CEILING))


def test_halves_go_up():
    assert [half_up(Fraction(n, 2)) for n in (1, 2, 3, 5, -1, -3)] == [1, 1, 2, 3, 0, -1]
    assert [ceiling(Fraction(n, 2)) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]


def test_shared_out_on_paper():
    assert shared_out(10, [1, 1, 1]) == [4, 3, 3]  # equal remainders: the earlier place
    assert shared_out(7, [50, 30, 20]) == [4, 2, 1]  # 3.5, 2.1, 1.4: the one left goes to the half
    assert shared_out(5, [0, 3, 0]) == [0, 5, 0]
    assert shared_out(3, [0, 0]) == [2, 1]  # nobody anywhere: equal weights
    assert shared_out(0, [4, 5]) == [0, 0]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_shared_out_loses_nothing(total, weights):
    shares = shared_out(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    if whole:
        assert all(w * total // whole <= s <= -(-w * total // whole) for s, w in zip(shares, weights, strict=True))
    ordered = sorted(zip(weights, shares, strict=True))
    if whole:
        assert all(a[1] <= b[1] for a, b in zip(ordered, ordered[1:], strict=False) if a[0] < b[0])


@pytest.mark.parametrize("scale", [10, 1_000])
def test_more_of_everyone_is_the_same_share(scale):
    weights = [1398624, 592747, 765816, 530499]
    assert shared_out(1_000, [w * scale for w in weights]) == shared_out(1_000, weights)
