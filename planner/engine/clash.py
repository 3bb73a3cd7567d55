"""Why a siting question has no answer: the smallest set of its wishes that cannot hold together."""

import numpy as np
from scipy import sparse

from planner.conflict import smallest_conflict
from planner.models.capacitated import capacitated_p_center
from planner.models.lscp import lscp
from planner.models.wishes import Wishes, keep
from planner.problem import same_rows
from planner.solve import INFEASIBLE, solve

NAMED = 40  # held or shut sites: of more than that the whole list is one wish, or the search would take hours
SECONDS_EACH = 5.0


def clash(question, lost):
    """Return (kind, subject) pairs of ``question`` (:class:`planner.engine.question.Question`) that contradict.

    ``lost`` are rows that nobody could serve. Kinds and subjects: served (a row), everybody (None), p (the number),
    fixed and forbidden (a site; None: all of them), exclusive (the sites, of a pair of ``spacing`` too), avoid (which
    of them, from 0), capacity (None), budget (the sum). Sites are positions as asked. What a search of some seconds
    cannot prove a conflict counts as none.
    """
    asks = _asks(question, lost)

    def feasible(some):
        if _more_vehicles_than_places(question, some):
            return False
        model, x = _model(question, lost, set(some))
        return solve(model, seconds=SECONDS_EACH, cancel=question.clock.cancel).status != INFEASIBLE

    found = smallest_conflict(asks, feasible, cancel=question.clock.cancel) or ()
    return tuple((kind, _subject(question, kind, at)) for kind, at in found)


def _more_vehicles_than_places(question, some):
    shut = len(_sites(question.wishes.forbidden, "forbidden", some))
    return ("p", None) in some and question.p > question.per_site * (question.ways.shape[1] - shut)


def _asks(question, lost):
    wishes, asks = question.wishes, []
    if question.everybody:
        blamed = len(lost) and not question.only_reachable
        asks += [("served", _plainest(question, lost))] if blamed else [("everybody", None)]
    if question.p is not None:
        asks.append(("p", None))
    for kind, sites in (("fixed", wishes.fixed), ("forbidden", wishes.forbidden)):
        asks += [(kind, int(j)) for j in sites] if len(sites) <= NAMED else [(kind, None)]
    asks += [("exclusive", k) for k in range(len(wishes.exclusive))] + [("avoid", k) for k in range(len(wishes.avoid))]
    asks += [("capacity", None)] if wishes.capacity is not None else []
    return asks + ([("budget", None)] if wishes.budget is not None else [])


def _plainest(question, lost):
    """Return of the rows nobody could serve the one that fewest sites, shut or not, have a way to."""
    ways = sparse.csr_array(np.isfinite(question.ways)) if not sparse.issparse(question.ways) else question.ways
    return int(lost[np.argmin(np.diff(ways.indptr)[lost])])


def _model(question, lost, some):
    """Return (model, x) of the wishes in ``some`` alone: any plan will do."""
    kinds = {kind for kind, _ in some}
    rows = [at for kind, at in some if kind == "served"]
    if "everybody" in kinds:
        rows = np.setdiff1d(np.arange(len(question.demand)), lost)
    cover, need = _ways(question, np.asarray(rows, dtype=np.int64))
    wishes, p = question.wishes, question.p if "p" in kinds else None
    if "capacity" in kinds and len(rows):
        model, x, _ = capacitated_p_center(cover, question.demand[rows], wishes.capacity, p)
    else:
        first, _ = same_rows(cover, need)
        vehicles = question.near is not None  # p of them stand at p sites or fewer
        model, x = lscp(
            sparse.csr_array(cover[first]), need[first], None, None if vehicles else p, p if vehicles else None
        )
    chosen = Wishes(
        fixed=_sites(wishes.fixed, "fixed", some),
        forbidden=_sites(wishes.forbidden, "forbidden", some),
        exclusive=tuple(group for k, group in enumerate(wishes.exclusive) if ("exclusive", k) in some),
        avoid=tuple(each for k, each in enumerate(wishes.avoid) if ("avoid", k) in some),
        price=wishes.price,
        budget=wishes.budget if "budget" in kinds else None,
    )
    keep(model, x, chosen)
    return model, x


def _ways(question, rows):
    ways = question.ways[rows]
    if not sparse.issparse(ways):
        i, j = np.nonzero(np.isfinite(ways))
        starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=len(rows)))])
        return sparse.csr_array((np.ones(len(j), np.int32), j, starts), shape=ways.shape), question.need[rows]
    ones = sparse.csr_array((np.ones(len(ways.data), np.int32), ways.indices, ways.indptr), shape=ways.shape)
    return ones, question.need[rows]


def _sites(sites, kind, some):
    if (kind, None) in some:
        return sites
    return np.array([j for j in sites if (kind, int(j)) in some], dtype=np.int64)


def _subject(question, kind, at):
    if kind == "p":
        return question.p
    if kind == "budget":
        return question.wishes.budget
    if kind == "exclusive":
        return tuple(sorted(question.order[list(question.wishes.exclusive[at])].tolist()))
    return int(question.order[at]) if kind in ("fixed", "forbidden") and at is not None else at
