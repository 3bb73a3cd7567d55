"""Making a covering problem small changes nothing: the reduced optimum is the whole one's, whatever the instance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.problem import CoverProblem, Reduced, greedy_cover, narrowed, reduce_problem, settled, without_needless
from tests.oracles.brute import lscp_brute, mclp_brute


def problem(cover, persons=None, fixed=(), forbidden=(), rank=None):
    """A problem of a 0/1 table, people x sites; the arcs are all 0 m long, as the worst case of a stored zero."""
    rows, columns = np.nonzero(np.array(cover, dtype=int).reshape(len(cover), -1))
    shape = np.array(cover).shape
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    return CoverProblem(
        persons=np.ones(shape[0], dtype=np.int64) if persons is None else np.array(persons, dtype=np.int64),
        arcs=sparse.csr_array((np.zeros(len(rows), dtype=np.int64), columns, starts), shape=shape),
        fixed=np.array(fixed, dtype=int),
        forbidden=np.array(forbidden, dtype=int),
        rank=np.arange(shape[1]) if rank is None else np.array(rank),
    )


@st.composite
def problems(draw):
    """Up to 9 people and 8 sites: empty and double rows, double sites, sites held and shut, nobody at home."""
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 8))
    cover = np.array(draw(st.lists(st.lists(st.booleans(), min_size=m, max_size=m), min_size=n, max_size=n)))
    if draw(st.booleans()):
        cover[draw(st.integers(0, n - 1))] = cover[0]
    if draw(st.booleans()):
        cover[:, draw(st.integers(0, m - 1))] = cover[:, 0]
    persons = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    state = draw(st.lists(st.sampled_from(["free", "free", "free", "fixed", "forbidden"]), min_size=m, max_size=m))
    fixed, forbidden = ([j for j in range(m) if state[j] == word] for word in ("fixed", "forbidden"))
    return problem(cover, persons, fixed, forbidden, draw(st.permutations(range(m))))


def whole_cover(p):
    """The table of a problem without the sites that are shut: what enumeration looks at."""
    cover = np.zeros(p.arcs.shape, dtype=bool)
    cover[np.repeat(np.arange(len(p.persons)), np.diff(p.arcs.indptr)), p.arcs.indices] = True
    cover[:, p.forbidden] = False
    return cover


def fewest_of(cover, fixed=()):
    """Enumeration, which asks for one site at least; nobody asks for none."""
    return lscp_brute(cover, fixed) if len(cover) else (len(fixed), tuple(fixed))


@given(problems())
@settings(max_examples=400, deadline=None)
def test_fewest_sites_are_as_few_after_reduction(p):
    cover = whole_cover(p)
    reachable = cover.any(axis=1)
    assert (p.reachable() == reachable).all()
    core = reduce_problem(p, every_row=True)
    fewest, _ = fewest_of(cover[reachable], fixed=tuple(p.fixed))
    core_fewest, core_sites = fewest_of(core.cover.toarray() > 0)
    assert len(p.fixed) + core_fewest == fewest
    opened = [*p.fixed, *core.sites[list(core_sites)]]
    assert not set(opened) & set(p.forbidden)
    assert p.covered_by(opened)[reachable].all()


@given(problems(), st.integers(1, 5))
@settings(max_examples=400, deadline=None)
def test_most_people_are_as_many_after_reduction(p, more):
    cover = whole_cover(p)
    core = reduce_problem(p, every_row=False)
    held = int(p.persons[p.covered_by(p.fixed)].sum())
    free = [j for j in range(cover.shape[1]) if j not in {*p.fixed, *p.forbidden}]
    p_whole, p_core = min(more, len(free)), min(more, len(core.sites))
    whole = mclp_brute(cover, p.persons, len(p.fixed) + p_whole, fixed=tuple(p.fixed))
    best, sites = mclp_brute(core.cover.toarray() > 0, core.weights, p_core) if p_core else (0, ())
    assert held + best == (whole[0] if whole else 0)
    opened = [*p.fixed, *core.sites[list(sites)]]
    assert int(p.persons[p.covered_by(opened)].sum()) == held + best


@given(problems(), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=200, deadline=None)
def test_order_of_people_changes_nothing(p, random, every_row):
    """Nor who is asked first: the same sites stay, for the same people in all."""
    order = list(range(len(p.persons)))
    random.shuffle(order)
    cover = whole_cover(p)
    again = problem(cover[order], p.persons[order], p.fixed, p.forbidden, p.rank)
    a, b = reduce_problem(p, every_row=every_row), reduce_problem(again, every_row=every_row)
    assert a.sites.tolist() == b.sites.tolist()
    assert a.weights.sum() == b.weights.sum()
    rows = [sorted(map(tuple, core.cover.toarray().tolist())) for core in (a, b)]
    assert rows[0] == rows[1]


def test_reduced_on_paper():
    """Site 0 is held and serves row 0; rows 1 and 2 have the same choice; row 4 is served whenever 3 is; row 5 never.

    Site 4 serves no more than site 1, and site 5 the same as site 1 with a worse rank: both go. So does site 2, then.
    """
    p = problem(
        [
            [1, 1, 0, 0, 0, 0],
            [0, 1, 1, 0, 1, 1],
            [0, 1, 1, 0, 1, 1],
            [0, 0, 0, 1, 0, 0],
            [0, 1, 0, 1, 0, 1],
            [0, 0, 0, 0, 0, 0],
        ],
        persons=[7, 1, 2, 3, 4, 9],
        fixed=[0],
    )
    assert p.reachable().tolist() == [True] * 5 + [False]
    many = reduce_problem(p, every_row=False)
    assert many.sites.tolist() == [1, 3] and sorted(many.weights.tolist()) == [3, 3, 4]
    few = reduce_problem(p, every_row=True)
    assert few.sites.tolist() == [1, 3] and sorted(few.cover.toarray().tolist()) == [[0, 1], [1, 0]]


def test_of_two_equal_sites_the_better_ranked_stays():
    p = problem([[1, 1], [1, 1]], rank=[1, 0])
    assert reduce_problem(p, every_row=True).sites.tolist() == [1]


def test_nobody_left_to_serve():
    core = reduce_problem(problem([[1, 1]], fixed=[0]), every_row=True)
    assert core.cover.shape == (0, 0) and greedy_cover(core) == []


@given(problems())
@settings(max_examples=200, deadline=None)
def test_the_start_serves_everyone_and_no_site_is_needless(p):
    core = reduce_problem(p, every_row=True)
    cover = core.cover.toarray() > 0
    ones = np.ones(len(core.weights), dtype=np.int64)
    chosen = without_needless(core, range(cover.shape[1]))
    assert cover[:, chosen].any(axis=1).all()
    for site in chosen:
        others = [j for j in chosen if j != site]
        assert not cover[:, others].any(axis=1).all()
    greedy = greedy_cover(core)
    assert core.weights[cover[:, greedy].any(axis=1)].sum() == core.weights.sum() and len(ones) == len(cover)
    assert greedy_cover(core, limit=1) == greedy[:1]


@given(problems(), st.data())
@settings(max_examples=200, deadline=None)
def test_narrowed_to_some_sites(p, data):
    """The optimum among some sites is the optimum of the narrowed problem; rows none of them serves are gone."""
    core = reduce_problem(p, every_row=False)
    if not len(core.sites):
        return
    columns = data.draw(st.lists(st.sampled_from(range(len(core.sites))), min_size=1, unique=True))
    less = narrowed(core, columns)
    assert less.sites.tolist() == core.sites[sorted(columns)].tolist()
    cover = core.cover.toarray() > 0
    best, _ = mclp_brute(cover[:, sorted(columns)], core.weights, 1)
    assert mclp_brute(less.cover.toarray() > 0, less.weights, 1)[0] == best
    assert less.weights.sum() == core.weights[cover[:, columns].any(axis=1)].sum()


@given(problems(), st.data())
@settings(max_examples=400, deadline=None)
def test_settled_serves_whoever_was_served_from_better_places(p, data):
    allowed = [j for j in range(p.arcs.shape[1]) if j not in {*p.fixed, *p.forbidden}]
    free = data.draw(st.lists(st.sampled_from(allowed), unique=True)) if allowed else []
    chosen = [*p.fixed, *free]
    better = settled(p, chosen)
    assert len(better) == len(chosen) and set(p.fixed) <= set(better) and not set(better) & set(p.forbidden)
    before, after = p.covered_by(chosen), p.covered_by(better)
    assert (after | ~before).all()
    assert sorted(p.rank[better]) <= sorted(p.rank[chosen])
    cover = whole_cover(p)
    for site in set(better) - set(p.fixed):
        kept = [j for j in better if j != site]
        for other in set(allowed) - set(better):
            loses_nobody = p.covered_by([*kept, other])[after].all()
            assert not (loses_nobody and p.rank[other] < p.rank[site]), (cover, chosen, better)
    assert settled(p, better) == better


def test_settled_on_paper():
    """Cell 2 serves all three villages; town 1 the two that nobody else serves: the town it is. Seat 0 is held."""
    p = problem([[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0]], fixed=[0], rank=[0, 1, 2, 3])
    assert settled(p, [0, 2]) == [0, 1]
    assert settled(p, [0, 3]) == [0, 1]  # a station that nobody needs moves to the best place left
    assert settled(problem([[1, 0, 1, 0], [0, 1, 1, 0]], rank=[0, 1, 2, 3], forbidden=[1]), [0, 2]) == [0, 2]


@pytest.mark.parametrize("seed", range(3))
def test_larger_than_enumeration(seed):
    """500 people, 60 sites: greedy, reduction and the start agree on who can be served."""
    rng = np.random.default_rng(seed)
    p = problem(rng.random((500, 60)) < 0.08, rng.integers(1, 100, 500), fixed=[3, 9], forbidden=[5])
    core = reduce_problem(p, every_row=True)
    chosen = without_needless(core, greedy_cover(core))
    assert p.covered_by([*p.fixed, *core.sites[chosen]])[p.reachable()].all()
    assert len(core.weights) < (~p.covered_by(p.fixed)).sum()


def test_greedy_goes_on_from_what_it_is_given():
    """Sites to begin with are taken first, in their order; a useless one at their end stops nothing."""
    p = problem([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], [5, 3, 2])
    core = Reduced(p.pattern, p.persons, np.ones(3, dtype=np.int64), np.arange(4), p.rank)
    assert greedy_cover(core) == [0, 1, 2]
    assert greedy_cover(core, 3, [2]) == [2, 0, 1]
    assert greedy_cover(core, 3, [2, 1]) == [2, 1, 0]
    assert greedy_cover(core, 3, [2, 3]) == [2, 3, 0]
    assert greedy_cover(core, 1, [2, 3]) == [2]
