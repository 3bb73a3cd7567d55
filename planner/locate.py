"""Where to put sites: the field's location models as functions of arrays. No geometry, no names, no files.

    lscp             fewest sites for everybody           Toregas, Swain, ReVelle, Bergman 1971
    mclp             most people with p sites             Church, ReVelle 1974
    mclp_gradual     the same, coverage falling with way  Berman, Krass 2002
    bclp             everybody once, most people twice    Hogan, ReVelle 1986
    double_standard  vehicles by two standards            Gendreau, Laporte, Semet 1997
    p_median         least person-distance with p sites   Hakimi 1964; ReVelle, Swain 1970
    p_center         least largest distance with p sites  Hakimi 1964; Daskin 2013
    k_best           the next best plans that differ enough

The formulations stand in :mod:`planner.models`, one file each. Every answer is a :class:`Siting`, checked against the
question before it is given, with the bound that proves how good it is.

**What may be asked of sites**, by keyword, of every model:

    fixed, forbidden   positions held open, kept shut
    capacity           m whole numbers: people a site takes at most; each demand then goes whole to one site, and
                       ``demand`` must be given (not for mclp_gradual, bclp, double_standard)
    exclusive          sets of positions, of each at most one is opened: kinds of station at one place, neighbours
    spacing            pairs (CSR array sites x sites, or a list of pairs) that may not both be opened
    avoid              pairs (positions, d): at least d of these sites stay shut
    price, budget      m numbers >= 0; opened sites sum to at most the budget. lscp: the least price is sought
    rank               m whole numbers: of equally good plans the sites of lower rank are taken (default: position)

**and of the search**:

    only_reachable     plan for whoever can be served when somebody cannot; else that is infeasible
    gap                relative gap at which to stop (0: a proof)
    seconds            limit; with a plan the status is then ``interim``
    progress           called as progress(seconds, gap or None, best or None) a few times a second
    cancel             has ``is_set()``; the best plan so far comes back within a second or two. So it does on Ctrl-C

The same question gives the same plan: whatever the order of demand, whatever its scale, and whatever the order of
sites if ``rank`` goes with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from planner.engine import capacity as roomy
from planner.engine.centre import centre
from planner.engine.clash import clash
from planner.engine.cover import fewest_sites, most_people
from planner.engine.median import median
from planner.engine.question import Question, ctrl_c, ones, within
from planner.engine.wished import (
    double_covered,
    fewest_sites_wished,
    least_distance_wished,
    least_radius_wished,
    most_people_wished,
    twice_covered,
)
from planner.solve import INFEASIBLE, INTERIM, NO_PLAN, OPTIMAL, WITHIN_GAP

NOWHERE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Siting:
    """A plan of sites, and how good it is known to be.

    model       which function answered
    status      optimal | within_gap | interim (a limit or a cancel stopped it) | infeasible | no_plan
    sites       positions of opened sites, sorted (repeated with vehicles in double_standard)
    assignment  n positions: the site that serves each demand - its nearest open one, or the one with room; -1: nobody
    objective   of these sites; None without a plan
    bound       no plan is better than this; None where nothing is known
    gap         |objective - bound| / max(|objective|, 1)
    unserved    positions of demand that no allowed site could serve, whatever is opened
    conflict    infeasible: the smallest set of wishes that cannot hold together, as (kind, subject) pairs: served (a
                demand), everybody (None), p (the number), fixed and forbidden (a site; None: all of them), exclusive
                (the sites), avoid (which, from 0), capacity (None), budget (the sum). Empty where none was found, and
                where the share of double_standard alone is to blame
    """

    model: str
    status: str
    sites: np.ndarray
    assignment: np.ndarray
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float
    unserved: np.ndarray = field(default_factory=lambda: NOWHERE)
    conflict: tuple = ()

    @property
    def has_plan(self):
        return self.status in (OPTIMAL, WITHIN_GAP, INTERIM)


# -- covering


def lscp(arcs, *, backup=1, demand=None, **asked):
    """Return the :class:`Siting` of fewest sites (or least ``price``) that serve everybody.

    arcs    scipy sparse, n demand x m sites; what is stored (a stored 0 too) is within the standard. The stored
            numbers only tell which open site is nearest
    backup  whole number, or n of them: open sites wanted within the standard of each demand
    demand  n whole numbers, needed with ``capacity`` alone
    asked   as this module says. Raises ValueError, all faults at once, for what cannot be meant
    """
    question = Question.read("lscp", arcs, demand, asked, need=backup)

    def decide(q):
        if q.wishes.capacity is not None:
            return roomy.capacitated_lscp(q.ways, q.demand, q.wishes, **q.search)
        if q.wishes.plain:
            return fewest_sites(q.problem, gap=q.gap, clock=q.clock), None
        return fewest_sites_wished(q.problem, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, sites, _: q.paid(sites), of_people=False)


def mclp(arcs, demand, p=None, **asked):
    """Return the :class:`Siting` of most people served by exactly ``p`` sites, or by what ``budget`` pays for.

    arcs, asked  as in :func:`lscp`;  demand  n whole numbers >= 0
    """
    question = Question.read("mclp", arcs, demand, asked, p=p, everybody=False)

    def decide(q):
        if q.wishes.capacity is not None:
            return roomy.capacitated_mclp(q.ways, q.demand, q.p, q.wishes, **q.search)
        if q.wishes.plain and q.p is not None:
            return most_people(q.problem, q.p, gap=q.gap, clock=q.clock), None
        return most_people_wished(q.problem, q.p, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, _, places: int(q.demand[places >= 0].sum()))


def mclp_gradual(shares, demand, p=None, **asked):
    """Return the :class:`Siting` of most people served when a site serves a share of a demand: its best open share.

    shares  scipy sparse, n x m, in (0, 1], as :func:`gradual_shares` makes them; absent is 0
    (generalised MCLP: Berman, Krass 2002, Computers & Operations Research 29:563-581). Every demand is a stack of
    people, each with a standard of his own: an MCLP again.
    """
    question = Question.read("mclp_gradual", shares, demand, asked, p=p, everybody=False)

    def decide(q):
        layers = q.layers
        if q.wishes.plain and q.p is not None:
            return most_people(layers, q.p, gap=q.gap, clock=q.clock), None
        return most_people_wished(layers, q.p, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, _, places: float((q.demand * -q.along(places, 0)).sum()))


def gradual_shares(metres, full, none):
    """Return shares for :func:`mclp_gradual`: 1 within ``full`` metres, falling evenly to 0 at ``none``.

    metres  scipy sparse, n x m, of every pair nearer than ``none``; or a whole table
    """
    if not 0 <= full < none:
        raise ValueError(f"full = {full} must be at least 0 and less than none = {none}")
    shares = sparse.csr_array(metres if sparse.issparse(metres) else pairs_within(metres, none), dtype=float, copy=True)
    if np.isnan(shares.data).any() or shares.data.min(initial=0) < 0:
        raise ValueError("metres must be at least 0: some are negative or no numbers")
    shares.data = np.clip((none - shares.data) / (none - full), 0, 1)
    shares.eliminate_zeros()
    return shares


def gradual_shares_of(arcs, full, none, *, steps):
    """Return shares in ``steps`` equal steps: 1 within ``full``, then (steps - 1) / steps and so on to 1 / steps.

    arcs        scipy sparse, n x m, of the pairs within ``none``;  full, none  n numbers, full <= none
    Few steps make a problem that can be proven, and a rule that can be told: "by quarters".
    """
    shares = sparse.csr_array(arcs, dtype=float, copy=True)
    row = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
    band = np.maximum(none - full, 1)[row]
    shares.data = np.ceil(np.clip((none[row] - arcs.data) / band, 0, 1) * steps) / steps
    shares.data = np.where(arcs.data <= full[row], 1.0, np.maximum(shares.data, 1 / steps))
    return shares


def pairs_within(cost, standard):
    """Return the pairs of a whole table that are within the standard, as covering models want them: CSR, zeros kept.

    cost  n x m numbers (np.inf: no way);  standard  one number or n of them
    """
    near = np.asarray(cost) <= np.broadcast_to(np.asarray(standard), np.shape(cost)[:1])[:, None]
    i, j = np.nonzero(near)
    starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=len(near)))])
    return sparse.csr_array((np.asarray(cost)[i, j], j, starts), shape=near.shape)


def bclp(arcs, demand, p=None, **asked):
    """Return the :class:`Siting` of p sites that serve everybody once and most people twice; the objective is those.

    arcs, demand, asked  as in :func:`mclp`
    """
    question = Question.read("bclp", arcs, demand, asked, p=p)

    def decide(q):
        return twice_covered(q.problem, q.p, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, sites, _: int(q.demand[within(q.ways, sites) >= 2].sum()))


def double_standard(near, far, demand, p, *, share, per_site=1, **asked):
    """Return the :class:`Siting` of p vehicles: everybody within far, ``share`` of the people within near, most twice.

    near, far  scipy sparse, n x m; near is a part of far
    share      0 to 1, of all people
    per_site   vehicles a site takes at most; ``sites`` then repeats
    """
    question = Question.read("double_standard", far, demand, asked, p=p, per_site=per_site, near=near, share=share)

    def decide(q):
        plan = double_covered(
            ones(q.near), ones(q.ways), q.demand, q.p, share, per_site, q.wishes, gap=q.gap, clock=q.clock
        )
        return plan, None

    return _siting(question, decide, lambda q, sites, _: int(q.demand[within(q.near, sites) >= 2].sum()))


# -- distance


def p_median(cost, demand, p=None, *, truncated=False, **asked):
    """Return the :class:`Siting` of p sites with the least sum of people x cost to their nearest open site.

    cost       n x m numbers >= 0: an array (np.inf: no way), or scipy sparse (absent: no way; a stored 0 is 0)
    demand     n whole numbers >= 0
    truncated  each row lists a demand's nearest sites alone; the others lie farther than the farthest it lists. Plans
               then serve each demand from its list, and the bound holds for the whole problem
    asked      as this module says
    """
    question = Question.read("p_median", cost, demand, asked, p=p, truncated=truncated)

    def decide(q):
        if q.wishes.plain and q.p is not None:
            plan = median(
                q.ways,
                q.demand,
                q.p,
                truncated=truncated,
                fixed=q.wishes.fixed,
                forbidden=q.wishes.forbidden,
                gap=q.gap,
                clock=q.clock,
            )
            return plan, None
        if q.wishes.capacity is not None:
            return roomy.capacitated_p_median(q.ways, q.demand, q.p, q.wishes, **q.search)
        return least_distance_wished(q.pairs, q.demand, q.p, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, _, places: (q.demand * q.along(places, 0)).sum().item())


def p_center(cost, p=None, *, demand=None, **asked):
    """Return the :class:`Siting` of p sites whose farthest demand is nearest: the objective is its cost.

    cost, asked  as in :func:`p_median`;  demand  needed with ``capacity`` alone
    """
    question = Question.read("p_center", cost, demand, asked, p=p)

    def decide(q):
        if q.wishes.plain and q.p is not None:
            wishes = {"fixed": q.wishes.fixed, "forbidden": q.wishes.forbidden}
            return centre(q.ways, q.p, **wishes, gap=q.gap, clock=q.clock), None
        if q.wishes.capacity is not None:
            return roomy.capacitated_p_center(q.ways, q.demand, q.p, q.wishes, **q.search)
        return least_radius_wished(q.pairs, q.p, q.wishes, gap=q.gap, clock=q.clock), None

    return _siting(question, decide, lambda q, _, places: q.along(places, 0).max(initial=0).item(), of_people=False)


# -- several plans; what an infeasible wish would take


def k_best(model, *args, k, differ=1, **asked):
    """Return up to ``k`` :class:`Siting`, best first, each leaving at least ``differ`` sites of every earlier one shut.

    model, args, asked  e.g. ``mclp, arcs, demand, 10``: what the plans are asked of
    """
    if k < 1 or differ < 1:
        raise ValueError(f"k = {k} plans that differ in differ = {differ} sites: ask for at least 1 of each")
    asked = {name: tuple(value) if isinstance(value, Iterator) else value for name, value in asked.items()}
    plans, avoid = [], tuple(asked.pop("avoid", ()))
    while len(plans) < k:
        plan = model(*args, avoid=avoid, **asked) if avoid else model(*args, **asked)
        if not plan.has_plan:
            break
        plans.append(plan)
        opened = np.unique(plan.sites)
        if plan.status == INTERIM or len(opened) < differ:
            break
        avoid = (*avoid, (tuple(opened.tolist()), differ))
    return plans


def standard_growth(cost, standard, *, forbidden=()):
    """Return by how much the standard would have to grow for each demand: n numbers, 0 within it, inf without a way.

    cost      as in :func:`p_median`, with the pairs beyond the standard
    standard  one number or n of them
    """
    question = Question.read("p_center", cost, None, {"forbidden": forbidden}, p=0)
    allowed = np.setdiff1d(np.arange(question.ways.shape[1]), question.wishes.forbidden)
    nearest = question.along(question.nearest(allowed), np.inf)
    return np.maximum(nearest - np.asarray(standard), 0)


def sites_to_add(arcs, opened, **asked):
    """Return the :class:`Siting` of fewest sites that serve everybody beside those already ``opened``."""
    return lscp(arcs, fixed=opened, **asked)


# -- from question to answer


def _siting(question, decide, worth, *, of_people=True):
    """Put the question to an engine and return its answer, checked, in the positions of whoever asked.

    ``worth(question, sites, places)`` is what a plan is worth, by the question alone; ``of_people``: in people, whose
    common factor it lacks.
    """
    with ctrl_c(question.clock):
        lost = question.unserved()
        if question.everybody and len(lost) and not question.only_reachable:
            # Who has no allowed site in a list of the nearest may have one beyond it.
            return _without_plan(question, NO_PLAN if question.truncated else INFEASIBLE, None, lost)
        kept = question.without(lost) if question.everybody else question
        plan, places = decide(kept)
        if plan.objective is None:
            return _without_plan(question, plan.status, plan.bound, lost)
        places = kept.nearest(np.unique(plan.sites)) if places is None else places
        objective = worth(kept, plan.sites, places)
        kept.check(plan, places, objective)
    scale = question.scale if of_people else 1
    bound = objective if plan.status == OPTIMAL else plan.bound
    everywhere = np.full(question.ways.shape[0], -1, dtype=np.int64)
    rows = np.setdiff1d(np.arange(len(everywhere)), lost) if question.everybody else np.arange(len(everywhere))
    everywhere[rows] = np.where(places >= 0, question.order[places], -1)
    return Siting(
        model=question.model,
        status=plan.status,
        sites=np.sort(question.order[plan.sites]),
        assignment=everywhere,
        objective=objective * scale,
        bound=None if bound is None else bound * scale,
        gap=None if bound is None else abs(objective - bound) * scale / max(abs(objective * scale), 1.0),
        seconds=question.clock.spent(),
        unserved=lost,
    )


def _without_plan(question, status, bound, lost):
    nobody = np.full(question.ways.shape[0], -1, dtype=np.int64)
    conflict = clash(question, lost) if status == INFEASIBLE else ()
    spent = question.clock.spent()
    return Siting(question.model, status, NOWHERE, nobody, None, bound, None, spent, lost, conflict)
