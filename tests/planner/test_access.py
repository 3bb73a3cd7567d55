"""Enhanced two-step floating catchment areas on paper, against a naive count, and in what they promise."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner.access
from planner.access import deviation, e2sfca, gini, worst

FIELD = 60_000
SEATS = st.lists(st.tuples(st.integers(0, FIELD), st.integers(0, FIELD)), min_size=1, max_size=5)
POINTS = st.lists(
    st.tuples(st.integers(0, FIELD), st.integers(0, FIELD), st.integers(0, 9_000), st.integers(0, 4)),
    min_size=1,
    max_size=12,
)
WEIGHTS = st.lists(st.integers(1, 100), min_size=1, max_size=6).map(lambda w: [n / 100 for n in sorted(w)[::-1]])
REACH = st.integers(1, 90_000)
VALUES = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 50)), min_size=1, max_size=12)


def counties(seats):
    return pd.DataFrame(seats, columns=["seat_x", "seat_y"], index=[f"c{i}" for i in range(len(seats))])


def demand(points, seats):
    """A point (x, y, persons, n) lies in county n, counted round the seats there are."""
    table = pd.DataFrame(points, columns=["x", "y", "persons", "county_code"])
    return table.assign(county_code=[f"c{n % len(seats)}" for n in table["county_code"]])


def naive(demand, counties, reach, weights, detour):
    """A_i straight from the formula, point by point and seat by seat, of one bed at each seat in turn."""

    def weight(point, seat):
        d = math.ceil(math.hypot(point.x - seat.seat_x, point.y - seat.seat_y) * detour - 1e-6)
        for b, w in enumerate(weights, start=1):
            if Fraction(d) <= Fraction(b * reach, len(weights)):
                return w
        return 0.0

    points, seats = list(demand.itertuples()), list(counties.itertuples())
    found = np.zeros((len(seats), len(seats)))
    for j, seat in enumerate(seats):
        shared_by = sum(point.persons * weight(point, seat) for point in points)
        for i, county in enumerate(seats):
            people = [point for point in points if point.county_code == county.Index]
            persons = sum(point.persons for point in people)
            if persons and shared_by:
                access = sum(point.persons * 1000 * weight(point, seat) / shared_by for point in people)
                found[i, j] = access / persons
    return found


def test_on_paper():
    """a's people stand at its seat (10 thousand) and half way to b (20 thousand); b's at its seat, 20 km on.

    Zones 10, 20, 30 km weigh 1, 0.5, 0.25. Seat a is shared by 10 + 20 + 30/2 = 45 thousand, b by 10/2 + 20 + 30 = 55.
    90 beds and 110 beds are so 2 per 1,000 each: 2 + 1 at a, 2 + 2 half way, 1 + 2 at b.
    """
    seats = counties([(0, 0), (20_000, 0)])
    people = demand([(0, 0, 10_000, 0), (10_000, 0, 20_000, 0), (20_000, 0, 30_000, 1)], seats)
    matrix = e2sfca(people, seats, 30_000, [1, 0.5, 0.25])
    assert matrix @ [90, 110] == pytest.approx([(10 * 3 + 20 * 4) / 30, 3])
    assert matrix == pytest.approx(np.array([[1 / 45, (10 * 0.5 + 20) / 55 / 30], [0.5 / 45, 1 / 55]]))


@pytest.mark.parametrize(
    ("metres", "reach", "weights", "weight"),
    [
        (10_000, 30_000, [1, 0.5, 0.25], 1),
        (10_001, 30_000, [1, 0.5, 0.25], 0.5),
        (30_000, 30_000, [1, 0.5, 0.25], 0.25),
        (30_001, 30_000, [1, 0.5, 0.25], 0),
        (8_333, 25_000, [1, 0.5, 0.25], 1),  # a third of 25 km is 8333 1/3 m
        (8_334, 25_000, [1, 0.5, 0.25], 0.5),
        (16_666, 25_000, [1, 0.5, 0.25], 0.5),
        (16_667, 25_000, [1, 0.5, 0.25], 0.25),
        (25_000, 25_000, [0.3], 0.3),
    ],
)
def test_the_band_of_a_distance_is_exact(metres, reach, weights, weight):
    """One in a county at ``metres`` from the bed, one in another at the bed: their shares are as their weights."""
    seats = counties([(0, 0), (0, 0)])
    people = demand([(metres, 0, 1, 0), (0, 0, 1, 1)], seats)
    matrix = e2sfca(people, seats, reach, weights)
    assert matrix[0, 0] / matrix[1, 0] == pytest.approx(weight / weights[0])


def test_a_detour_lengthens_the_way():
    seats = counties([(0, 0), (0, 0)])
    people = demand([(10_000, 0, 1, 0), (0, 0, 1, 1)], seats)
    assert e2sfca(people, seats, 13_000, [1], 1.3)[0, 0] > 0
    assert e2sfca(people, seats, 12_999, [1], 1.3)[0, 0] == 0


def test_nobody_there_and_nobody_near():
    """County 1 has no people: row 0, and its bed still serves others. Nobody reaches seat 2: column 0."""
    seats = counties([(0, 0), (1_000, 0), (500_000, 0)])
    people = demand([(0, 0, 1_000, 0), (200_000, 0, 1_000, 2)], seats)
    matrix = e2sfca(people, seats, 30_000, [1, 0.5])
    assert matrix.tolist() == [[1.0, 1.0, 0.0], [0, 0, 0], [0, 0, 0]]


def test_demand_of_an_unknown_county_is_refused():
    seats = counties([(0, 0)])
    with pytest.raises(ValueError, match="'c9'"):
        e2sfca(demand([(0, 0, 5, 0)], seats).assign(county_code="c9"), seats, 1_000, [1])


@given(SEATS, POINTS, REACH, WEIGHTS, st.sampled_from([1.0, 1.3]))
@settings(deadline=None)
def test_against_a_naive_count(seats, points, reach, weights, detour):
    seats = counties(seats)
    people = demand(points, seats)
    assert e2sfca(people, seats, reach, weights, detour) == pytest.approx(naive(people, seats, reach, weights, detour))


@given(SEATS, POINTS, REACH, WEIGHTS, st.data())
@settings(deadline=None)
def test_the_supply_is_shared_out_exactly(seats, points, reach, weights, data):
    """People times beds within reach = 1,000 times the beds that anybody reaches: all of them, once."""
    seats = counties(seats)
    people = demand(points, seats)
    beds = np.array(data.draw(st.lists(st.integers(0, 900), min_size=len(seats), max_size=len(seats))))
    matrix = e2sfca(people, seats, reach, weights)
    persons = people.groupby("county_code")["persons"].sum().reindex(seats.index, fill_value=0).to_numpy()
    apart = np.hypot(*(people[["x", "y"]].to_numpy()[:, None] - seats.to_numpy()).transpose(2, 0, 1))
    reached = (people["persons"].to_numpy() @ (np.ceil(apart - 1e-6) <= reach)) > 0
    assert (persons * (matrix @ beds)).sum() == pytest.approx(1000 * beds[reached].sum())


@given(SEATS, POINTS, REACH, WEIGHTS, st.data())
@settings(deadline=None)
def test_more_beds_are_never_less_access(seats, points, reach, weights, data):
    seats = counties(seats)
    some = st.lists(st.integers(0, 900), min_size=len(seats), max_size=len(seats))
    beds, more = np.array(data.draw(some)), np.array(data.draw(some))
    matrix = e2sfca(demand(points, seats), seats, reach, weights)
    assert (matrix @ (beds + more) >= matrix @ beds).all()


@given(SEATS, POINTS, REACH, WEIGHTS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_order_changes_no_bit(seats, points, reach, weights, random):
    seats = counties(seats)
    people = demand(points, seats)
    matrix = pd.DataFrame(e2sfca(people, seats, reach, weights), seats.index, seats.index)
    turned = seats.loc[random.sample(list(seats.index), len(seats))]
    shuffled = people.loc[random.sample(list(people.index), len(people))]
    again = pd.DataFrame(e2sfca(shuffled, turned, reach, weights), turned.index, turned.index)
    assert again.loc[seats.index, seats.index].equals(matrix)


@given(SEATS, POINTS, REACH, WEIGHTS, st.data())
@settings(deadline=None)
def test_a_point_split_in_two_changes_no_bit(seats, points, reach, weights, data):
    seats = counties(seats)
    x, y, persons, county = points[0]
    part = data.draw(st.integers(0, persons))
    split = [(x, y, part, county), (x, y, persons - part, county), *points[1:]]
    whole = e2sfca(demand(points, seats), seats, reach, weights)
    assert (e2sfca(demand(split, seats), seats, reach, weights) == whole).all()


def test_in_slices_as_in_one(monkeypatch):
    local = np.random.default_rng(3)
    seats = counties(local.integers(0, FIELD, (4, 2)))
    points = [tuple(row) for row in np.column_stack([local.integers(0, FIELD, (50, 3)), local.integers(0, 4, 50)])]
    at_once = e2sfca(demand(points, seats), seats, 20_000, [1, 0.68, 0.22], 1.3)
    monkeypatch.setattr(planner.access, "POINTS_AT_ONCE", 7)
    assert (e2sfca(demand(points, seats), seats, 20_000, [1, 0.68, 0.22], 1.3) == at_once).all()


def test_everybody_at_one_place_has_the_mean():
    seats = counties([(0, 0), (5, 0)])
    people = demand([(0, 0, 300, 0), (5, 0, 700, 1)], seats)
    assert e2sfca(people, seats, 1_000, [1]) @ [4, 2] == pytest.approx([6, 6])


def test_inputs_stay_as_they_were():
    seats = counties([(0, 0), (9_000, 0)])
    people = demand([(0, 0, 300, 0), (5, 0, 700, 1)], seats)
    before = seats.copy(), people.copy()
    e2sfca(people, seats, 10_000, [1, 0.5])
    assert before[0].equals(seats)
    assert before[1].equals(people)


@pytest.mark.parametrize(
    ("values", "persons", "paper"),
    [
        ([1, 3], [1, 1], 1 / 4),  # differences 0 2 2 0, mean 1; over twice the mean 2
        ([0, 4], [3, 1], 3 / 4),  # one of four has all
        ([4, 0], [1, 3], 3 / 4),
        ([5, 5, 5], [1, 7, 2], 0),
        ([5, 99], [7, 0], 0),
        ([0, 0], [2, 3], 0),
        ([3], [0], 0),
    ],
)
def test_gini_on_paper(values, persons, paper):
    assert gini(values, persons) == pytest.approx(paper)


@given(VALUES)
def test_gini_is_that_of_the_persons_one_by_one(rows):
    each = [value for value, persons in rows for _ in range(persons)]
    owned = sum(each)
    one_by_one = sum(abs(a - b) for a in each for b in each) / (2 * len(each) * owned) if owned else 0
    found = gini(*zip(*rows, strict=True))
    assert found == pytest.approx(one_by_one)
    assert 0 <= found < 1


def test_deviation_on_paper():
    """Three have 2, one has 6: mean 3, so 1 away three times and 3 away once."""
    assert deviation([2, 6], [3, 1]) == pytest.approx(1.5)
    assert deviation([5, 5, 40], [1, 9, 0]) == 0
    assert deviation([7], [0]) == 0


@pytest.mark.parametrize("measure", [gini, deviation])
@given(rows=VALUES, random=st.randoms(use_true_random=False))
def test_order_changes_no_bit_of_a_measure(measure, rows, random):
    rows = [(value / 3, persons) for value, persons in rows]
    turned = random.sample(rows, len(rows))
    assert measure(*zip(*rows, strict=True)) == measure(*zip(*turned, strict=True))


def test_the_worst_is_the_first_of_the_least_with_people():
    assert worst([3.0, 1.0, 0.5, 1.0], [9, 9, 0, 9]) == 1
    with pytest.raises(ValueError, match="nobody lives"):
        worst([1.0], [0])
