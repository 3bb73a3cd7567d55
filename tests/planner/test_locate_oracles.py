"""The location functions against enumeration, CBC and spopt: every model, every wish, many small instances a run."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from planner import locate
from tests.oracles import brute, second_solver
from tests.oracles.audit import arcs_of, audit_assignment, audit_proof, audit_sites, unserved_rows
from tests.oracles.second_solver import needs_cbc

pytestmark = pytest.mark.thorough
INSTANCES = 500
KINDS = (sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix)


@contextmanager
def seeded(seed):
    """Chance of this instance alone; a failure tells which it was."""
    try:
        yield np.random.default_rng(seed)
    except Exception as error:
        error.add_note(f"instance {seed}")
        raise


def drawn(rng, rows=9, columns=7, *, plain=None):
    """A town on a small grid, so that many ways are equally long or 0: metres, weights, p and wishes.

    Most towns have held and shut sites alone, the others exclusive ones, plans to avoid or a budget as well.
    """
    n, m = int(rng.integers(1, rows + 1)), int(rng.integers(1, columns + 1))
    people, places = rng.integers(0, 5, (n, 1, 2)), rng.integers(0, 5, (m, 2))
    metres = 500.0 * np.abs(people - places).sum(axis=2)
    metres[rng.random((n, m)) < rng.choice([0, 0.2])] = np.inf
    weights = rng.integers(0, 30, n)
    state = rng.choice(3, m, p=[0.7, 0.15, 0.15])
    wishes = {}
    if rng.random() < 0.6:
        wishes = {"fixed": tuple(np.flatnonzero(state == 1)), "forbidden": tuple(np.flatnonzero(state == 2))}
    if not (rng.random() < 0.6 if plain is None else plain):
        if rng.random() < 0.4:
            wishes["exclusive"] = tuple(tuple(rng.choice(m, min(m, 2), replace=False)) for _ in range(2))
        if rng.random() < 0.4:
            some = tuple(rng.choice(m, min(m, 3), replace=False))
            wishes["avoid"] = ((some, min(int(rng.integers(1, 3)), len(some))),)
        if rng.random() < 0.5:
            wishes["price"] = rng.integers(1, 9, m)
            wishes["budget"] = int(rng.integers(3 * m, 7 * m))
    held = len(wishes.get("fixed", ()))
    allowed = m - len(wishes.get("forbidden", ()))
    p = int(rng.integers(min(held + 1, allowed), allowed + 1)) if rng.random() < 0.95 else int(rng.integers(0, m + 2))
    return SimpleNamespace(metres=metres, weights=weights, p=p, wishes=wishes, said=said(rng, m, wishes), n=n, m=m)


def said(rng, m, wishes):
    """The same wishes in other words: neighbours as pairs or an array, sites in another order of preference."""
    words = dict(wishes)
    if "exclusive" in words and rng.random() < 0.5:
        pairs = [pair for pair in words.pop("exclusive") if len(pair) == 2]
        if rng.random() < 0.5:
            words["spacing"] = pairs
        else:
            near = np.zeros((m, m), dtype=int)
            near[[a for a, _ in pairs], [b for _, b in pairs]] = 1
            words["spacing"] = sparse.csr_array(near)
    if rng.random() < 0.3:
        words["rank"] = rng.permutation(m)
    return words


def within(metres, standard):
    return np.where(metres <= standard, metres, np.inf)


def audit(siting, town, metres, truth, sense, *, p=None, capacity=None, per_site=1, unserved=None):
    """Everything that holds of any model's plan, and the proof: small instances are always proven."""
    unserved = lost_rows(town, metres, capacity) if unserved is None else unserved
    assert siting.unserved.tolist() == unserved.tolist()
    value = None if truth is None else truth[0]
    audit_proof(siting, value, sense)
    if truth is None:
        assert siting.status == "infeasible"
        return
    assert siting.status == "optimal" and siting.conflict == ()
    audit_sites(siting, town.m, p=p, per_site=per_site, **town.wishes)
    audit_assignment(siting, metres, weights=town.weights, capacity=capacity, rank=town.said.get("rank"))


def least_room(rng, town):
    """Room at each site: about what p sites need together, sometimes too little, sometimes none at all."""
    each = town.weights.sum() // max(town.p, 1)
    return np.where(rng.random(town.m) < 0.95, rng.integers(3 * each // 4, 3 * each + 20, town.m), 0)


def lost_rows(town, metres, capacity=None):
    return unserved_rows(metres, town.wishes.get("forbidden", ()), weights=town.weights, capacity=capacity)


def kept(unserved, n, only_reachable):
    """Return the rows that must be served."""
    return np.setdiff1d(np.arange(n), unserved) if only_reachable else np.arange(n)


def test_lscp_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            metres = within(town.metres, rng.choice([1000, 1500, 2500]))
            backup = 1 if rng.random() < 0.5 else 2 if rng.random() < 0.5 else rng.integers(0, 4, town.n)
            only = bool(rng.random() < 0.9)
            lost = unserved_rows(metres, town.wishes.get("forbidden", ()), backup)
            rows = kept(lost, town.n, only)
            need = np.broadcast_to(backup, town.n)[rows]
            truth = brute.lscp_brute(np.isfinite(metres)[rows], backup=need, **town.wishes)
            arcs = arcs_of(metres, KINDS[seed % len(KINDS)])
            siting = locate.lscp(arcs, backup=backup, only_reachable=only, **town.said)
            audit(siting, town, metres, truth, -1, unserved=lost)
            plans += truth is not None
    assert plans > 0.6 * INSTANCES


def test_mclp_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            metres = within(town.metres, rng.choice([0, 500, 1500]))
            p = None if "budget" in town.wishes and rng.random() < 0.7 else town.p
            truth = brute.mclp_brute(np.isfinite(metres), town.weights, p, **town.wishes)
            siting = locate.mclp(arcs_of(metres, KINDS[seed % len(KINDS)]), town.weights, p, **town.said)
            audit(siting, town, metres, truth, 1, p=p)
            plans += truth is not None
    assert plans > 0.6 * INSTANCES


def test_mclp_gradual_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            metres = within(town.metres, 1999)
            shares = np.where(np.isfinite(metres), np.clip((2000 - metres) / 1500, 0, 1), 0)
            truth = brute.gradual_brute(shares, town.weights, town.p, **town.wishes)
            arcs = arcs_of(np.where(shares > 0, shares, np.inf), sparse.csr_array)
            siting = locate.mclp_gradual(arcs, town.weights, town.p, **town.said)
            audit(siting, town, np.where(shares > 0, 1 - shares, np.inf), truth, 1, p=town.p)
            plans += truth is not None
    assert plans > 0.6 * INSTANCES


def test_bclp_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            metres = within(town.metres, rng.choice([2000, 3000]))
            only = bool(rng.random() < 0.9)
            lost = lost_rows(town, metres)
            rows = kept(lost, town.n, only)
            truth = brute.bclp_brute(np.isfinite(metres)[rows], town.weights[rows], town.p, **town.wishes)
            asked = {"only_reachable": only, **town.said}
            siting = locate.bclp(arcs_of(metres, sparse.csr_array), town.weights, town.p, **asked)
            audit(siting, town, metres, truth, 1, p=town.p)
            plans += truth is not None
    assert plans > 0.4 * INSTANCES


@pytest.mark.parametrize("per_site", [1, 2])
def test_double_standard_by_enumeration(per_site):
    plans = 0
    for seed in range(per_site, INSTANCES + per_site, 2):
        with seeded(seed) as rng:
            town = drawn(rng, columns=5)
            near, far = within(town.metres, rng.choice([1000, 2000])), within(town.metres, 3500)
            p = min(town.p + int(rng.integers(0, 3)) * (per_site - 1), per_site * town.m)
            share = float(rng.choice([0, 0.5, 0.8]))
            only = bool(rng.random() < 0.9)
            lost = lost_rows(town, far)
            rows = kept(lost, town.n, only)
            asked = {"share": share, "per_site": per_site}
            truth = brute.double_standard_brute(
                np.isfinite(near)[rows], np.isfinite(far)[rows], town.weights[rows], p, **asked, **town.wishes
            )
            arcs = (arcs_of(near, sparse.csr_array), arcs_of(far, sparse.csr_array))
            siting = locate.double_standard(*arcs, town.weights, p, only_reachable=only, **asked, **town.said)
            audit(siting, town, far, truth, 1, p=p, per_site=per_site, unserved=lost)
            plans += truth is not None
    assert plans > 0.15 * INSTANCES


def cost_of(metres, seed):
    """The same ways as a dense array or as a scipy one."""
    return metres if seed % 2 else arcs_of(metres, KINDS[seed // 2 % len(KINDS)])


def test_p_median_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            only = bool(rng.random() < 0.9)
            lost = lost_rows(town, town.metres)
            rows = kept(lost, town.n, only)
            truth = brute.pmedian_brute(town.metres[rows], town.weights[rows], town.p, **town.wishes)
            asked = {"only_reachable": only, **town.said}
            siting = locate.p_median(cost_of(town.metres, seed), town.weights, town.p, **asked)
            audit(siting, town, town.metres, truth, -1, p=town.p)
            plans += truth is not None
    assert plans > 0.5 * INSTANCES


def test_p_center_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with seeded(seed) as rng:
            town = drawn(rng)
            only = bool(rng.random() < 0.9)
            lost = lost_rows(town, town.metres)
            rows = kept(lost, town.n, only)
            truth = brute.pcenter_brute(town.metres[rows], town.p, **town.wishes)
            siting = locate.p_center(cost_of(town.metres, seed), town.p, only_reachable=only, **town.said)
            audit(siting, town, town.metres, truth, -1, p=town.p)
            plans += truth is not None
    assert plans > 0.5 * INSTANCES


# -- room


def roomy(seed):
    """A context of an instance small enough to try every way to send people to sites."""
    return seeded(10_000 + seed)


def sent_value(siting, gain, weights):
    """Sum of weight x ``gain`` over the ways people are sent."""
    sent = np.flatnonzero(siting.assignment >= 0)
    return float((np.asarray(weights)[sent] * gain[sent, siting.assignment[sent]]).sum())


def test_lscp_with_room_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with roomy(seed) as rng:
            town = drawn(rng, 5, 4)
            metres, room, only = within(town.metres, 2500), least_room(rng, town), bool(rng.random() < 0.9)
            rows = kept(lost_rows(town, metres, room), town.n, only)
            numbers = {"weights": town.weights[rows], "capacity": room}
            truth = brute.lscp_brute(np.isfinite(metres)[rows], **numbers, **town.wishes)
            asked = {"demand": town.weights, "capacity": room, "only_reachable": only}
            siting = locate.lscp(arcs_of(metres, sparse.csr_array), **asked, **town.said)
            audit(siting, town, metres, truth, -1, capacity=room)
            assert truth is None or (siting.assignment[rows] >= 0).all()
            plans += truth is not None
    assert plans > 0.6 * INSTANCES


def test_mclp_with_room_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with roomy(seed) as rng:
            town = drawn(rng, 5, 4)
            metres, room = within(town.metres, 2000), least_room(rng, town) // 2
            p = None if "budget" in town.wishes and rng.random() < 0.7 else town.p
            truth = brute.mclp_brute(np.isfinite(metres), town.weights, p, capacity=room, **town.wishes)
            siting = locate.mclp(arcs_of(metres, sparse.csr_array), town.weights, p, capacity=room, **town.said)
            audit(siting, town, metres, truth, 1, p=p, capacity=room)
            assert truth is None or siting.objective == sent_value(siting, np.ones(metres.shape), town.weights)
            plans += truth is not None
    assert plans > 0.6 * INSTANCES


def test_p_median_with_room_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with roomy(seed) as rng:
            town = drawn(rng, 5, 4)
            room, only = least_room(rng, town), bool(rng.random() < 0.9)
            rows = kept(lost_rows(town, town.metres, room), town.n, only)
            truth = brute.pmedian_brute(town.metres[rows], town.weights[rows], town.p, capacity=room, **town.wishes)
            asked = {"capacity": room, "only_reachable": only, **town.said}
            siting = locate.p_median(cost_of(town.metres, seed), town.weights, town.p, **asked)
            audit(siting, town, town.metres, truth, -1, p=town.p, capacity=room)
            if truth is not None:
                assert (siting.assignment[rows] >= 0).all()
                assert siting.objective == pytest.approx(sent_value(siting, town.metres, town.weights))
            plans += truth is not None
    assert plans > 0.5 * INSTANCES


def test_p_center_with_room_by_enumeration():
    plans = 0
    for seed in range(INSTANCES):
        with roomy(seed) as rng:
            town = drawn(rng, 5, 4)
            room, only = least_room(rng, town), bool(rng.random() < 0.9)
            rows = kept(lost_rows(town, town.metres, room), town.n, only)
            numbers = {"weights": town.weights[rows], "capacity": room}
            truth = brute.pcenter_brute(town.metres[rows], town.p, **numbers, **town.wishes)
            asked = {"demand": town.weights, "capacity": room, "only_reachable": only, **town.said}
            siting = locate.p_center(cost_of(town.metres, seed), town.p, **asked)
            audit(siting, town, town.metres, truth, -1, p=town.p, capacity=room)
            if truth is not None:
                assert (siting.assignment[rows] >= 0).all()
                assert siting.objective == town.metres[rows, siting.assignment[rows]].max(initial=0)
            plans += truth is not None
    assert plans > 0.5 * INSTANCES


# -- the next best plans


def test_k_best_by_enumeration():
    """Each plan is the best of those that leave ``differ`` sites of every earlier plan unused."""
    plans = 0
    for seed in range(INSTANCES // 5):
        with seeded(seed) as rng:
            town = drawn(rng, plain=True)
            metres, differ = within(town.metres, 1500), int(rng.integers(1, 3))
            arcs, cover = arcs_of(metres, sparse.csr_array), np.isfinite(metres)
            lost = lost_rows(town, metres)
            rows = kept(lost, town.n, True)
            cases = [
                (locate.mclp, (arcs, town.weights, town.p), brute.mclp_brute, (cover, town.weights, town.p), {}),
                (locate.lscp, (arcs,), brute.lscp_brute, (cover[rows],), {"only_reachable": True}),
            ]
            model, args, enumerated, numbers, more = cases[seed % 2]
            answers = locate.k_best(model, *args, k=4, differ=differ, **town.said, **more)
            avoid = []
            for siting in answers:
                truth = enumerated(*numbers, avoid=tuple(avoid), **town.wishes)
                assert (siting.status == "infeasible") == (truth is None)
                if truth is not None:
                    assert siting.objective == truth[0] and siting.status == "optimal"
                    audit_sites(siting, town.m, avoid=avoid, **town.wishes)
                    avoid.append((tuple(siting.sites.tolist()), differ))
                    plans += 1
            if len(avoid) < 4:
                assert enumerated(*numbers, avoid=tuple(avoid), **town.wishes) is None
    assert plans > INSTANCES // 5


# -- a second solver


def middling(rng):
    """30 places of people, 12 of sites in a square of 10 km."""
    n, m = int(rng.integers(20, 40)), int(rng.integers(8, 16))
    ways = rng.uniform(0, 10_000, (n, 1, 2)) - rng.uniform(0, 10_000, (m, 2))
    metres = np.rint(np.hypot(ways[..., 0], ways[..., 1]))
    return metres, rng.integers(0, 500, n), int(rng.integers(2, 5))


@needs_cbc
def test_cbc_agrees():
    agreed = 0
    for seed in range(40):
        with seeded(seed) as rng:
            metres, weights, p = middling(rng)
            fixed = tuple(rng.choice(metres.shape[1], int(rng.integers(0, 3)), replace=False))
            reach = within(metres, 4500)
            reach[~np.isfinite(reach).any(axis=1)] = 4500
            cover, arcs = np.isfinite(reach), arcs_of(reach, sparse.csr_array)
            for siting, truth in (
                (locate.lscp(arcs, fixed=fixed), second_solver.lscp_cbc(cover, fixed)),
                (locate.mclp(arcs, weights, p, fixed=fixed), second_solver.mclp_cbc(cover, weights, p, fixed)),
                (locate.bclp(arcs, weights, p + 4, fixed=fixed), second_solver.bclp_cbc(cover, weights, p + 4, fixed)),
                (
                    locate.p_median(metres, weights, p, fixed=fixed),
                    second_solver.pmedian_cbc(metres, weights, p, fixed),
                ),
                (locate.p_center(metres, p, fixed=fixed), second_solver.pcenter_cbc(metres, p, fixed)),
            ):
                assert (siting.status == "infeasible") == (truth is None)
                assert truth is None or siting.status == "optimal"
                assert truth is None or siting.objective == pytest.approx(truth[0], rel=1e-9)
                agreed += 1
    assert agreed == 200


@needs_cbc
def test_cbc_agrees_on_room():
    agreed = 0
    for seed in range(15):
        with seeded(seed) as rng:
            metres, weights, p = middling(rng)
            metres, weights = metres[:14, :8], weights[:14]
            room = rng.integers(int(weights.sum() / p * 0.8), int(weights.sum() / p * 1.6) + 2, metres.shape[1])
            reach = within(metres, 6000)
            cover, arcs = np.isfinite(reach), arcs_of(reach, sparse.csr_array)
            for siting, truth in (
                (locate.lscp(arcs, demand=weights, capacity=room), (cover, "lscp_cbc", {"weights": weights})),
                (locate.mclp(arcs, weights, p, capacity=room), (cover, "mclp_cbc", {"weights": weights, "p": p})),
                (
                    locate.p_median(metres, weights, p, capacity=room),
                    (metres, "pmedian_cbc", {"weights": weights, "p": p}),
                ),
                (
                    locate.p_center(metres, p, demand=weights, capacity=room),
                    (metres, "pcenter_cbc", {"weights": weights, "p": p}),
                ),
            ):
                array, name, asked = truth
                truth = getattr(second_solver, name)(array, capacity=room, **asked)
                assert (siting.status == "infeasible") == (truth is None)
                assert truth is None or siting.status == "optimal"
                assert truth is None or siting.objective == pytest.approx(truth[0], rel=1e-9)
                agreed += 1
    assert agreed == 60


def test_spopt_agrees():
    pytest.importorskip("spopt.locate", reason="spopt is not installed")
    from tests.oracles.spopt_answers import lscp_spopt, mclp_spopt, pcenter_spopt, pmedian_spopt

    agreed = 0
    for seed in range(12):
        with seeded(seed) as rng:
            metres, weights, p = middling(rng)
            metres, weights, radius = metres[:25, :10], weights[:25], 5500
            fixed = tuple(rng.choice(10, int(rng.integers(0, 2)), replace=False)) if metres.shape[1] == 10 else ()
            reachable = (metres <= radius).any(axis=1)
            arcs = arcs_of(within(metres, radius), sparse.csr_array)
            known = arcs_of(within(metres[reachable], radius), sparse.csr_array)
            for siting, truth in (
                (locate.lscp(known, fixed=fixed), lscp_spopt(metres[reachable], radius, fixed)),
                (locate.mclp(arcs, weights, p, fixed=fixed), mclp_spopt(metres, weights, radius, p, fixed)),
                (locate.p_median(metres, weights, p, fixed=fixed), pmedian_spopt(metres, weights, p, fixed)),
                (locate.p_center(metres, p, fixed=fixed), pcenter_spopt(metres, p, fixed)),
            ):
                assert siting.status == "optimal" and siting.objective == pytest.approx(truth[0], rel=1e-9)
                agreed += 1
    assert agreed == 48
