"""The location functions on paper, at their door, and where shapes break things."""

import dataclasses
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.locate import (
    bclp,
    double_standard,
    gradual_shares,
    k_best,
    lscp,
    mclp,
    mclp_gradual,
    p_center,
    p_median,
    pairs_within,
    sites_to_add,
    standard_growth,
)
from tests.oracles.audit import arcs_of, audit_assignment, audit_proof, audit_sites, unserved_rows
from tests.oracles.brute import bclp_brute, lscp_brute, mclp_brute, pcenter_brute, pmedian_brute

# Five villages on a road, one kilometre apart; a site in each; a site reaches its neighbours.   0 - 1 - 2 - 3 - 4
ROAD = 1000 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
PERSONS = np.array([10, 1, 1, 1, 7])


def within(metres, standard=1000):
    return arcs_of(np.where(metres <= standard, metres, np.inf), sparse.csr_array)


NEAR, FAR = within(ROAD), within(ROAD, 2000)


def said(siting):
    """What a plan says, in a line."""
    return siting.status, siting.objective, siting.sites.tolist()


# -- on paper


def test_fewest_sites_on_paper():
    siting = lscp(NEAR)
    assert said(siting) == ("optimal", 2, [0, 3]) and siting.assignment.tolist() == [0, 0, 3, 3, 3]
    assert (siting.model, siting.bound, siting.gap, siting.conflict) == ("lscp", 2, 0, ())
    assert siting.unserved.tolist() == [] and siting.seconds >= 0 and siting.has_plan
    assert said(lscp(NEAR, fixed=[2])) == ("optimal", 3, [0, 2, 3])
    assert said(lscp(NEAR, forbidden=[0, 3])) == ("optimal", 2, [1, 4])
    assert said(lscp(FAR, backup=2)) == ("optimal", 3, [0, 2, 3])
    assert said(lscp(FAR, backup=[2, 1, 1, 1, 1])) == ("optimal", 2, [0, 2])
    assert said(lscp(NEAR, price=[1, 9, 1, 9, 1])) == ("optimal", 3, [0, 2, 4])


def test_most_people_on_paper():
    assert said(mclp(NEAR, PERSONS, 1)) == ("optimal", 12, [1])
    assert mclp(NEAR, PERSONS, 1).assignment.tolist() == [1, 1, 1, -1, -1]
    assert said(mclp(NEAR, PERSONS, 2, fixed=[0])) == ("optimal", 20, [0, 3])
    assert mclp(NEAR, PERSONS, price=[5, 5, 1, 5, 5], budget=6).objective == 13
    assert said(mclp(NEAR, PERSONS, 0)) == ("optimal", 0, [])
    assert said(mclp(NEAR, PERSONS, 1, avoid=[([1], 1)])) == ("optimal", 11, [0])


def test_coverage_that_falls_with_the_way_on_paper():
    shares = gradual_shares(within(ROAD, 4000), 0, 2000)
    assert np.allclose(shares.toarray(), np.clip(1 - ROAD / 2000, 0, 1))
    siting = mclp_gradual(shares, PERSONS, 1)
    assert siting.objective == pytest.approx(10.5) and siting.sites.tolist() == [0]
    assert siting.assignment.tolist() == [0, 0, -1, -1, -1]


def test_cover_twice_on_paper():
    assert said(bclp(NEAR, PERSONS, 2)) == ("optimal", 1, [1, 3])
    assert bclp(NEAR, PERSONS, 3).objective == 12
    assert said(double_standard(NEAR, FAR, PERSONS, 2, share=0.5))[:2] == ("optimal", 2)
    assert said(double_standard(NEAR, FAR, PERSONS, 2, share=0.75)) == ("optimal", 1, [1, 3])
    twice = double_standard(NEAR, FAR, PERSONS, 3, share=0.75, per_site=2, forbidden=[0])
    assert said(twice) in (("optimal", 12, [1, 1, 3]), ("optimal", 12, [1, 1, 4]))


def test_person_distance_and_largest_distance_on_paper():
    for cost in (ROAD, ROAD.astype(float), within(ROAD, 4000)):
        assert said(p_median(cost, PERSONS, 1)) == ("optimal", 34_000, [0])
        assert said(p_median(cost, PERSONS, 2)) == ("optimal", 4_000, [0, 4])
        assert said(p_center(cost, 1)) == ("optimal", 2000, [2])
        assert said(p_center(cost, 2)) == ("optimal", 1000, [0, 3])


def test_room_on_paper():
    room = [12, 9, 9, 9, 8]
    assert said(p_median(ROAD, PERSONS, 2, capacity=room)) == ("optimal", 4000, [0, 4])
    assert said(p_median(ROAD, PERSONS, 2, capacity=[10, 9, 9, 9, 10])) == ("optimal", 6000, [0, 4])
    assert said(p_center(ROAD, 2, demand=PERSONS, capacity=[10, 9, 9, 9, 10])) == ("optimal", 3000, [0, 4])
    assert said(lscp(NEAR, demand=PERSONS, capacity=[10, 9, 9, 9, 9])) == ("optimal", 3, [0, 1, 3])
    siting = mclp(NEAR, PERSONS, 1, capacity=[3] * 5)
    assert said(siting) == ("optimal", 3, [2]) and siting.assignment.tolist() == [-1, 2, 2, 2, -1]


def test_next_best_plans_on_paper():
    plans = k_best(mclp, NEAR, PERSONS, 1, k=9)
    assert [said(plan) for plan in plans] == [
        ("optimal", n, [j]) for n, j in ((12, 1), (11, 0), (9, 3), (8, 4), (3, 2))
    ]
    apart = k_best(lscp, NEAR, k=3, differ=2)
    assert [said(plan)[1:] for plan in apart[:2]] == [(2, [0, 3]), (2, [1, 4])]


# -- whom nobody can serve


def test_who_cannot_be_served_is_named():
    cover = np.array([[0, np.inf], [np.inf, np.inf], [5, 9]])
    arcs = arcs_of(cover, sparse.csr_array)
    for ask in (lambda **more: lscp(arcs, **more), lambda **more: p_median(cover, [1, 0, 2], 1, **more)):
        siting = ask()
        assert siting.status == "infeasible" and siting.unserved.tolist() == [1] and not siting.has_plan
        assert siting.objective is None and siting.assignment.tolist() == [-1, -1, -1]
        siting = ask(only_reachable=True)
        assert siting.status == "optimal" and siting.unserved.tolist() == [1] and siting.sites.tolist() == [0]
        assert siting.assignment.tolist() == [0, -1, 0]
    siting = p_center(cover, 1, only_reachable=True)
    assert said(siting) == ("optimal", 5, [0]) and siting.unserved.tolist() == [1]
    assert p_center(cover, 1).status == "infeasible" and p_center(cover, 1).unserved.tolist() == [1]
    siting = mclp(arcs, [1, 5, 2], 1)
    assert said(siting) == ("optimal", 3, [0]) and siting.unserved.tolist() == [1]
    assert lscp(arcs, forbidden=[0], only_reachable=True).unserved.tolist() == [0, 1]


# -- at the door


def test_a_plan_is_frozen_and_what_was_given_stays_as_it_was():
    arcs, cost, persons = NEAR.copy(), ROAD.copy(), PERSONS.copy()
    siting = mclp(arcs, persons, 2, fixed=[1], forbidden=[4])
    p_median(cost, persons, 2, forbidden=[2])
    with pytest.raises(dataclasses.FrozenInstanceError):
        siting.status = "optimal"
    assert (arcs != NEAR).nnz == 0 and arcs.nnz == NEAR.nnz and (cost == ROAD).all() and (persons == PERSONS).all()


LSCP, MCLP, MEDIAN, CENTRE = (
    lambda **more: lscp(more.pop("arcs", NEAR), **more),
    lambda **more: mclp(more.pop("arcs", NEAR), more.pop("demand", PERSONS), **{"p": 2, **more}),
    lambda **more: p_median(more.pop("cost", ROAD), more.pop("demand", PERSONS), **{"p": 2, **more}),
    lambda **more: p_center(more.pop("cost", ROAD), **{"p": 2, **more}),
)


@pytest.mark.parametrize("model", [LSCP, MCLP, MEDIAN, CENTRE])
@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"fixed": [1], "forbidden": [1]}, "forbidden"),
        ({"fixed": [5]}, "fixed"),
        ({"fixed": [-1]}, "fixed"),
        ({"fixed": [0.5]}, "fixed"),
        ({"forbidden": [7]}, "forbidden"),
        ({"exclusive": [(0, 9)]}, "exclusive"),
        ({"avoid": [((0, 9), 1)]}, "avoid"),
        ({"budget": 3}, "price"),
        ({"price": [1, 2], "budget": 3}, "price"),
        ({"price": [1, 2, 3, 4, -5], "budget": 3}, "price"),
        ({"price": [1, 2, 3, 4, np.nan], "budget": 3}, "price"),
        ({"capacity": [1, 2], "demand": PERSONS}, "capacity"),
        ({"capacity": [1, 2, 3, 4, -5], "demand": PERSONS}, "capacity"),
        ({"rank": [0, 1]}, "rank"),
        ({"rank": [0, 1, 2, 3, 3]}, "rank"),
        ({"gap": -0.1}, "gap"),
        ({"gap": np.nan}, "gap"),
        ({"seconds": -1}, "seconds"),
        ({"forbiden": [1]}, "forbiden"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(model, asked, named):
    with pytest.raises(ValueError, match=named):
        model(**asked)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda: mclp(NEAR, PERSONS[:4], 2), "demand"),
        (lambda: mclp(NEAR, [1, 2, 3, 4, -5], 2), "demand"),
        (lambda: mclp(NEAR, [1, 2, 3, 4, np.nan], 2), "demand"),
        (lambda: mclp(NEAR, [1, 2, 3, 4, 5.5], 2), "demand"),
        (lambda: mclp(NEAR, PERSONS), "p"),
        (lambda: mclp(NEAR, PERSONS, -1), "p"),
        (lambda: mclp(NEAR, PERSONS, 1.5), "p"),
        (lambda: p_center(-ROAD, 2), "cost"),
        (lambda: p_center(np.where(ROAD == 0, np.nan, ROAD), 2), "cost"),
        (lambda: p_median(-ROAD, PERSONS, 2), "cost"),
        (lambda: p_median(ROAD[0], PERSONS, 2), "cost"),
        (lambda: lscp(NEAR, backup=-1), "backup"),
        (lambda: lscp(NEAR, backup=[1, 2]), "backup"),
        (lambda: lscp(NEAR, backup=1.5), "backup"),
        (lambda: lscp(NEAR, capacity=[9] * 5), "demand"),
        (lambda: lscp(NEAR, capacity=[9] * 5, demand=PERSONS, backup=2), "backup"),
        (lambda: p_center(ROAD, 2, capacity=[9] * 5), "demand"),
        (lambda: lscp(np.ones((2, 2))), "arcs"),
        (lambda: mclp_gradual(2 * NEAR, PERSONS, 1), "shares"),
        (lambda: double_standard(NEAR, FAR, PERSONS, 2, share=1.5), "share"),
        (lambda: double_standard(NEAR, FAR, PERSONS, 2, share=0.5, per_site=0), "per_site"),
        (lambda: double_standard(NEAR, FAR[:4], PERSONS, 2, share=0.5), "far"),
        (lambda: gradual_shares(NEAR, 2000, 1000), "none"),
        (lambda: k_best(mclp, NEAR, PERSONS, 1, k=0), "k"),
        (lambda: k_best(mclp, NEAR, PERSONS, 1, k=2, differ=0), "differ"),
    ],
)
def test_arrays_and_numbers_that_cannot_be_meant_are_refused_by_name(ask, named):
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        ask()


def test_a_position_named_twice_counts_once():
    assert said(mclp(NEAR, PERSONS, 2, fixed=[0, 0])) == ("optimal", 20, [0, 3])
    assert said(lscp(NEAR, forbidden=[0, 3, 3])) == ("optimal", 2, [1, 4])
    assert said(p_median(ROAD, PERSONS, 2, fixed=(4, 4))) == ("optimal", 4000, [0, 4])


def test_positions_may_be_any_kind_of_list():
    for fixed in ([2], (2,), np.array([2]), np.array([2], dtype=np.int32), range(2, 3), {2}):
        assert said(lscp(NEAR, fixed=fixed))[1:] == (3, [0, 2, 3])


# -- limits


def test_no_time_is_an_honest_answer():
    """Where any sites make a plan, one comes in no time at all; whatever comes says what it is worth."""
    rng = np.random.default_rng(3)
    metres = np.rint(10_000 * rng.random((120, 30)))
    weights = rng.integers(1, 1000, 120)
    arcs = within(metres, 1200)
    best = {
        "mclp": (mclp(arcs, weights, 8), 1),
        "p_median": (p_median(metres, weights, 8), -1),
        "p_center": (p_center(metres, 8), -1),
        "lscp": (lscp(arcs, only_reachable=True), -1),
    }
    again = {
        "mclp": lambda **more: mclp(arcs, weights, 8, **more),
        "p_median": lambda **more: p_median(metres, weights, 8, **more),
        "p_center": lambda **more: p_center(metres, 8, **more),
        "lscp": lambda **more: lscp(arcs, only_reachable=True, **more),
    }
    for name, (siting, sense) in best.items():
        assert siting.status == "optimal"
        hurried = again[name](seconds=0.0)
        audit_proof(hurried, siting.objective, sense)
        assert hurried.has_plan
        loose = again[name](gap=0.2)
        audit_proof(loose, siting.objective, sense, gap=0.2)
        assert loose.status in ("optimal", "within_gap")
        told = threading.Event()
        told.set()
        stopped = again[name](cancel=told)
        audit_proof(stopped, siting.objective, sense)
        assert stopped.has_plan


# -- shapes that break things


@st.composite
def odd_towns(draw):
    """Up to 6 rows and 5 sites: no rows, one site, no people, all equal, nobody in reach, all held, stored zeros."""
    n, m = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    ways = st.sampled_from(draw(st.sampled_from([[0], [7], [np.inf], [0, np.inf], [0, 1, 2, np.inf], [3, 3, 9]])))
    metres = np.array([[draw(ways) for _ in range(m)] for _ in range(n)], dtype=float).reshape(n, m)
    people = st.sampled_from(draw(st.sampled_from([[0], [1], [0, 4], [1, 2, 10**9]])))
    weights = np.array([draw(people) for _ in range(n)], dtype=np.int64)
    state = [draw(st.sampled_from(draw(st.sampled_from(["f", "h", "s", "fhs"])))) for _ in range(m)]
    wishes = {
        "fixed": tuple(j for j in range(m) if state[j] == "h"),
        "forbidden": tuple(j for j in range(m) if state[j] == "s"),
    }
    return metres, weights, draw(st.integers(0, m)), wishes, draw(st.booleans())


def audited(siting, truth, sense, metres, p, wishes, weights):
    audit_proof(siting, None if truth is None else truth[0], sense)
    assert siting.status == ("infeasible" if truth is None else "optimal")
    assert siting.unserved.tolist() == unserved_rows(metres, wishes["forbidden"]).tolist()
    if truth is not None:
        audit_sites(siting, metres.shape[1], p=p, **wishes)
        audit_assignment(siting, metres)


@given(odd_towns())
@settings(max_examples=30, deadline=None)
def test_odd_shapes(town):
    metres, weights, p, wishes, only = town
    arcs, rows = arcs_of(metres, sparse.csr_array), np.arange(len(metres))
    if only:
        rows = np.setdiff1d(rows, unserved_rows(metres, wishes["forbidden"]))
    cover, asked = np.isfinite(metres), {"only_reachable": only, **wishes}
    audited(lscp(arcs, **asked), lscp_brute(cover[rows], **wishes), -1, metres, None, wishes, weights)
    audited(mclp(arcs, weights, p, **asked), mclp_brute(cover, weights, p, **wishes), 1, metres, p, wishes, weights)
    truth = pmedian_brute(metres[rows], weights[rows], p, **wishes)
    audited(p_median(metres, weights, p, **asked), truth, -1, metres, p, wishes, weights)
    audited(p_median(arcs, weights, p, **asked), truth, -1, metres, p, wishes, weights)
    audited(p_center(metres, p, **asked), pcenter_brute(metres[rows], p, **wishes), -1, metres, p, wishes, weights)


# -- nearest lists


def test_truncated_lists_serve_from_the_list_and_bound_the_whole():
    """Each row lists its nearest 6 of 15 sites: the plan keeps to the lists, the bound holds without them."""
    proven = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        ways = rng.uniform(0, 10_000, (60, 1, 2)) - rng.uniform(0, 10_000, (15, 2))
        metres, weights = np.rint(np.hypot(ways[..., 0], ways[..., 1])), rng.integers(0, 100, 60)
        lists = np.where(metres <= np.sort(metres, axis=1)[:, 5:6], metres, np.inf)
        whole = p_median(metres, weights, 4)
        siting = p_median(arcs_of(lists, sparse.csr_array), weights, 4, truncated=True)
        if not siting.has_plan:
            continue
        assert siting.bound is None or siting.bound <= whole.objective * (1 + 1e-9)
        assert siting.objective >= whole.objective * (1 - 1e-9)
        audit_assignment(siting, lists)
        assert (siting.assignment >= 0).all()
        proven += siting.status == "optimal"
        assert siting.status != "optimal" or siting.objective == whole.objective
    assert proven >= 20


# -- infeasible is an answer


def refused(siting):
    assert siting.status == "infeasible" and not siting.has_plan and siting.objective is None
    return set(siting.conflict)


def test_wishes_that_cannot_hold_together_are_told():
    assert refused(mclp(NEAR, PERSONS, 6)) == refused(p_median(ROAD, PERSONS, 6)) == {("p", 6)}
    assert refused(p_center(ROAD, 6)) == {("p", 6)}
    assert refused(mclp(NEAR, PERSONS, 1, fixed=[0, 3, 4])) == {("p", 1), ("fixed", 0), ("fixed", 3)}
    asked = {"fixed": [0, 3, 4], "exclusive": [(1, 2), (0, 3)]}
    assert refused(mclp(NEAR, PERSONS, 3, **asked)) == {("fixed", 0), ("fixed", 3), ("exclusive", (0, 3))}
    asked = {"fixed": [1, 2], "price": [9, 4, 5, 1, 1], "budget": 8}
    assert refused(mclp(NEAR, PERSONS, **asked)) == {("fixed", 1), ("fixed", 2), ("budget", 8)}
    assert refused(lscp(NEAR, forbidden=[0, 1, 4])) == {("served", 0), ("forbidden", 0), ("forbidden", 1)}
    assert refused(p_center(ROAD, 0)) == {("everybody", None), ("p", 0)}
    assert refused(p_median(ROAD, PERSONS, 1, capacity=[19] * 5)) == {("everybody", None), ("p", 1), ("capacity", None)}
    siting = mclp(NEAR, PERSONS, 1, rank=[4, 3, 2, 1, 0], fixed=[1, 2])
    assert refused(siting) == {("p", 1), ("fixed", 1), ("fixed", 2)}


WISHES_TOLD = ("p", "fixed", "forbidden", "exclusive", "avoid", "budget", "everybody")


def test_no_smaller_set_of_wishes_contradicts_itself():
    """Of what is told to clash, all together have no plan by enumeration, and without any one of them there is one."""
    told = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n, m = 5, 6
        cover = rng.random((n, m)) < 0.5
        state = rng.choice(3, m, p=[0.3, 0.4, 0.3])
        wishes = {
            "fixed": tuple(np.flatnonzero(state == 1).tolist()),
            "forbidden": tuple(np.flatnonzero(state == 2).tolist()),
            "exclusive": tuple(tuple(sorted(rng.choice(m, 2, replace=False).tolist())) for _ in range(2)),
            "avoid": ((tuple(range(m)), int(rng.integers(2, 5))),),
            "price": rng.integers(1, 9, m),
            "budget": int(rng.integers(5, 25)),
        }
        p = int(rng.integers(1, 5))
        siting = bclp(arcs_of(np.where(cover, 1, np.inf), sparse.csr_array), np.ones(n, dtype=int), p, **wishes)
        if siting.status != "infeasible" or len(siting.unserved):
            continue
        told += 1

        def plan_with(some, wishes=wishes, cover=cover, p=p):
            kinds = {kind for kind, _ in some}
            asked = {
                "fixed": tuple(j for j in wishes["fixed"] if ("fixed", j) in some),
                "forbidden": tuple(j for j in wishes["forbidden"] if ("forbidden", j) in some),
                "exclusive": tuple(pair for pair in wishes["exclusive"] if ("exclusive", tuple(sorted(pair))) in some),
                "avoid": wishes["avoid"] if "avoid" in kinds else (),
                "price": wishes["price"],
                "budget": wishes["budget"] if "budget" in kinds else None,
            }
            rows = cover if "everybody" in kinds else cover[:0]
            return bclp_brute(rows, np.ones(len(rows)), p if "p" in kinds else None, **asked) is not None

        assert {kind for kind, _ in siting.conflict} <= set(WISHES_TOLD)
        assert not plan_with(siting.conflict)
        assert all(plan_with([other for other in siting.conflict if other != one]) for one in siting.conflict)
    assert told > 8


# -- what a hostile reader found


def test_a_list_of_the_nearest_proves_nobody_out_of_reach():
    """Who has no allowed site in his list may have one beyond it; other wishes need the whole table."""
    lists = sparse.csr_array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    assert p_median(lists, [1, 1, 1], 2, truncated=True, forbidden=[0]).status == "no_plan"
    with pytest.raises(ValueError, match="truncated"):
        p_median(lists, [1, 1, 1], 2, truncated=True, exclusive=[(0, 3)])


def test_the_next_best_keep_wishes_that_can_be_read_but_once():
    plans = k_best(p_median, ROAD, PERSONS, 2, k=3, fixed=(j for j in [2]))
    assert len(plans) == 3 and all(2 in plan.sites for plan in plans)


def test_room_without_end_and_people_without_end():
    assert said(lscp(FAR, demand=PERSONS, capacity=[np.inf] * 5)) == said(lscp(FAR))
    with pytest.raises(ValueError, match="demand"):
        mclp(NEAR, [1, 2, np.inf, 1, 1], 2)
    with pytest.raises(ValueError, match="64 bits"):
        p_median(ROAD * 10**8, PERSONS * 10**8, 2)


def test_who_was_excused_is_not_blamed():
    """Nobody reaches demand 0, which is allowed; the other three need three sites, two of which exclude one another."""
    arcs = sparse.csr_array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    plan = lscp(arcs, exclusive=[(0, 1)], only_reachable=True)
    assert plan.unserved.tolist() == [0] and plan.conflict == (("everybody", None), ("exclusive", (0, 1)))


def test_four_vehicles_stand_at_two_sites():
    """Both sites reach all, none is near: the share alone cannot be had, and p is not to blame."""
    far, near = sparse.csr_array(np.ones((2, 2))), sparse.csr_array((2, 2))
    plan = double_standard(near, far, [1, 1], 4, share=0.5, per_site=2)
    assert plan.status == "infeasible" and plan.conflict == ()
    assert double_standard(near, far, [1, 1], 5, share=0, per_site=2).conflict == (("p", 5),)


def test_equally_good_sites_go_to_the_lower_position():
    everywhere = sparse.csr_array(np.ones((2, 3)))
    assert bclp(everywhere, [1, 1], 1).sites.tolist() == [0]
    assert mclp(everywhere, [1, 1], 1, avoid=[((0,), 0)]).sites.tolist() == [0]
    assert double_standard(everywhere, everywhere, [1, 1], 1, share=1).sites.tolist() == [0]


@pytest.mark.parametrize("p", [2.0, np.float64(2), np.uint8(2)])
def test_a_number_of_sites_of_any_kind(p):
    assert mclp(NEAR, PERSONS, p).objective == 19 + 1 and p_median(ROAD, PERSONS, p).objective == 4000


def test_whole_tables_become_pairs_with_the_distance_of_nobody_kept():
    arcs = pairs_within(ROAD, 1000)
    assert arcs.nnz == NEAR.nnz and (arcs.indices == NEAR.indices).all()
    assert gradual_shares(ROAD, 0, 2000)[0, 0] == 1


def test_the_bound_promises_no_more_people_than_there_are():
    plan = mclp(FAR, PERSONS, 2, seconds=0)
    assert plan.objective <= plan.bound <= PERSONS.sum()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"fixed": 2}, "must be a list"),
        ({"fixed": np.arange(5) == 2}, "np.flatnonzero"),
        ({"spacing": np.ones((5, 5))}, "sparse"),
        ({"spacing": sparse.csr_array((4, 4))}, "5 x 5"),
        ({"avoid": [1, 2]}, "at least d"),
        ({"price": [10**9] * 5, "budget": 3 * 10**9}, "coarser"),
        ({"foo": 1, "fixed": [77]}, "site 77"),
    ],
)
def test_one_clear_message(asked, said):
    with pytest.raises(ValueError, match=said):
        mclp(NEAR, PERSONS, 2, **asked)
    with pytest.raises(ValueError, match="finite"):
        lscp(sparse.csr_array([[np.nan, 1.0]]))


def test_what_would_mend_it_on_paper():
    """Sites 0 and 4 alone: the middle is 2 km away, a kilometre too far; one more site serves it."""
    growth = standard_growth(ROAD, 1000, forbidden=[1, 2, 3])
    assert growth.tolist() == [0, 0, 1000, 0, 0]
    assert standard_growth(ROAD, [0, 500, 2000, 1000, 0], forbidden=[1, 2, 3]).tolist() == [0, 500, 0, 0, 0]
    assert standard_growth(np.array([[np.inf, 3.0]]), 1, forbidden=[1]).tolist() == [np.inf]
    added = sites_to_add(NEAR, [0, 4])
    assert said(added) == ("optimal", 3, [0, 1, 4])
