"""Whether a plan is what it says: everything recomputed from the arrays that were asked about, nothing taken on trust.

``metres`` are dense, demand x site, ``np.inf`` where a site is beyond the standard or there is no way.
"""

import numpy as np

STATUSES = ("optimal", "within_gap", "interim", "infeasible", "no_plan")


def arcs_of(metres, kind):
    """Return ``metres`` as a scipy array of ``kind`` (csr_array, coo_matrix, ...), distances of 0 stored too."""
    rows, sites = np.nonzero(np.isfinite(metres))
    made = kind((metres[rows, sites], (rows, sites)), shape=np.shape(metres))
    assert made.nnz == len(rows)
    return made


def unserved_rows(metres, forbidden=(), need=1, *, weights=None, capacity=None):
    """Return the rows for which fewer than ``need`` allowed sites do, with ``capacity`` those with room for the row."""
    able = np.isfinite(metres)
    able[:, list(forbidden)] = False
    if capacity is not None:
        able &= np.asarray(weights)[:, None] <= np.asarray(capacity)[None, :]
    return np.flatnonzero(able.sum(axis=1) < need)


def audit_sites(siting, count, *, p=None, per_site=1, fixed=(), forbidden=(), exclusive=(), avoid=(), **money):
    """The sites keep the wishes: sorted, ``p`` of them, held ones open, shut ones not, kinds apart, within budget."""
    sites = siting.sites
    assert isinstance(sites, np.ndarray) and sites.dtype == np.int64
    assert (np.diff(sites) >= 0).all() and (np.bincount(sites, minlength=count) <= per_site).all()
    assert len(sites) == 0 or (sites[0] >= 0 and sites[-1] < count)
    assert p is None or len(sites) == p
    opened = set(sites.tolist())
    assert {int(j) for j in fixed} <= opened and not {int(j) for j in forbidden} & opened
    assert all(len(opened & {int(j) for j in group}) <= 1 for group in exclusive)
    assert all(len({int(j) for j in group} - opened) >= unused for group, unused in avoid)
    if money.get("budget") is not None:
        assert np.asarray(money["price"])[list(opened)].sum() <= money["budget"] + 1e-9


def audit_assignment(siting, metres, *, weights=None, capacity=None, rank=None):
    """Everyone goes to the nearest open site, of equally near ones the lowest of ``rank`` (by default the first).

    Who is among ``siting.unserved`` goes nowhere. With ``capacity`` none takes more people than it has room for.
    """
    to = siting.assignment
    assert isinstance(to, np.ndarray) and to.shape == (len(metres),) and np.issubdtype(to.dtype, np.integer)
    sent = np.flatnonzero(to >= 0)
    assert (to >= -1).all() and set(to[sent].tolist()) <= set(siting.sites.tolist())
    assert np.isfinite(metres[sent, to[sent]]).all()
    if capacity is not None:
        load = np.bincount(to[sent], weights=np.asarray(weights)[sent], minlength=metres.shape[1])
        assert (load <= np.asarray(capacity)).all()
        return
    order = np.arange(metres.shape[1]) if rank is None else np.argsort(rank)
    near = np.where(np.isin(order, siting.sites), metres[:, order], np.inf)
    expected = np.where(np.isfinite(near).any(axis=1), order[near.argmin(axis=1)], -1)
    expected[siting.unserved] = -1
    assert to.tolist() == expected.tolist()


def audit_proof(siting, truth, sense, *, gap=0.0):
    """Objective, bound, gap and status fit one another and ``truth`` (the oracle's value; None: nothing serves).

    ``sense`` is 1 where more is better and -1 where less is.
    """
    assert siting.status in STATUSES and siting.seconds >= 0
    if siting.status in ("infeasible", "no_plan"):
        assert siting.objective is None and siting.gap is None and len(siting.sites) == 0
        assert (siting.assignment == -1).all()
        assert siting.status == "no_plan" or truth is None
        return
    assert truth is not None, f"a plan of {siting.sites} where enumeration finds none"
    slack = 1e-9 * max(abs(truth), 1.0)
    assert sense * (truth - siting.objective) >= -slack, "better than the best there is"
    if siting.bound is not None:
        assert sense * (siting.bound - truth) >= -slack, "a bound on the wrong side of the truth"
        assert siting.gap == abs(siting.objective - siting.bound) / max(abs(siting.objective), 1.0)
    if siting.status == "optimal":
        assert abs(siting.objective - truth) <= slack and siting.bound == siting.objective and siting.gap == 0
    elif siting.status == "within_gap":
        assert siting.gap <= gap
    else:
        assert siting.gap is None or siting.gap > 0
