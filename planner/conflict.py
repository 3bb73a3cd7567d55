"""Why wishes cannot all be kept: the smallest set of them that already contradicts itself."""

from planner.models.hitting_set import hitting_set, next_element, taken
from planner.solve import OPTIMAL, solve


class _Enough(Exception):
    """The search ends here with what is known: a cancel, or no questions left."""


class _Asked:
    """``feasible`` put to sets of positions, never twice for one set; ``left`` questions more, None for any number."""

    def __init__(self, wishes, feasible, cancel):
        self.wishes, self.feasible, self.cancel = wishes, feasible, cancel
        self.known, self.left = {}, None

    def holds(self, positions):
        key = frozenset(positions)
        if key not in self.known:
            if self.known and self.cancel is not None and self.cancel.is_set():
                raise _Enough
            if self.left is not None:
                if self.left <= 0:
                    raise _Enough
                self.left -= 1
            self.known[key] = bool(self.feasible([self.wishes[j] for j in sorted(key)]))
        return self.known[key]

    def least(self):
        """Return the smallest set known not to hold, of equally small ones the first in order."""
        return min((sorted(key) for key, holds in self.known.items() if not holds), key=lambda key: (len(key), key))


def smallest_conflict(wishes, feasible, *, calls=1000, cancel=None):
    """Return the smallest tuple of ``wishes`` that cannot hold together, in their order; None when all can.

    wishes    list of anything; of equally small conflicts the one that comes first in its order is returned
    feasible  feasible(list of wishes) -> bool; a part of a feasible list must be feasible too. Answer True where it
              is not known: what comes back is a proven conflict all the same, if perhaps not the smallest
    calls     questions to ``feasible`` after which the search for a smaller conflict ends; what comes back then is the
              smallest conflict known, irreducible (without any one of its wishes the others can be kept) but perhaps
              not the smallest. The few questions that make the first one irreducible are not counted
    cancel    has ``is_set()``; when set the smallest conflict known comes back, which may still be reducible when the
              search had hardly begun

    An empty tuple says that no wish is to blame: even nothing wished for is infeasible.

    Method: implicit hitting sets (Ignatiev, Previti, Liffiton, Marques-Silva 2015, Principles and Practice of
    Constraint Programming, LNCS 9255: 173-182). What a largest feasible set leaves out, every conflict must touch; the
    smallest set that touches all such remainders found so far is a conflict, and then the smallest, or it is feasible
    and grows to a new remainder. The first conflict is Junker's (2004, AAAI: 167-172), by halving.
    """
    asked = _Asked(list(wishes), feasible, cancel)
    everything = list(range(len(asked.wishes)))
    if asked.holds(everything):
        return None
    conflict = None
    try:
        first = _needed_of([], everything, asked)
        if not asked.holds(first):
            conflict = first
        asked.left = calls
        while asked.holds(found := _candidate(asked, cancel)):
            _grown(found, [j for j in everything if j not in found], asked)
        conflict = found
    except _Enough:
        conflict = asked.least() if conflict is None else conflict
    return tuple(asked.wishes[j] for j in conflict)


def _needed_of(base, more, asked):
    """Return what of ``more`` makes with ``base`` an irreducible conflict, the two together being one."""
    if not asked.holds(base):
        return []
    if len(more) == 1:
        return more
    half = len(more) // 2
    later = _needed_of(base + more[:half], more[half:], asked)
    return _needed_of(base + later, more[:half], asked) + later


def _grown(base, more, asked):
    """Return the feasible ``base`` with as many of ``more`` as go in, one half after the other."""
    if asked.holds(base + more):
        return base + more
    if len(more) == 1:
        return base
    half = len(more) // 2
    return _grown(_grown(base, more[:half], asked), more[half:], asked)


def _remainders(asked):
    """Return what the feasible sets known leave out, without those that contain another."""
    everything = frozenset(range(len(asked.wishes)))
    left_out = sorted({everything - known for known, holds in asked.known.items() if holds}, key=lambda s: (len(s), *s))
    least = []
    for candidate in left_out:
        if not any(smaller <= candidate for smaller in least):
            least.append(candidate)
    return [tuple(sorted(remainder)) for remainder in least]


def _candidate(asked, cancel):
    """Return the smallest set of positions that touches all remainders; if a conflict, then the first of that size."""
    sets, elements = _remainders(asked), len(asked.wishes)
    if not sets:
        return []
    some = taken(_proven(hitting_set(sets, elements), cancel))
    if asked.holds(some):  # any of that size teaches as much; their order matters for the answer only
        return some
    front = []
    while len(front) < len(some):
        front += taken(_proven(next_element(sets, elements, len(some), front), cancel), "u")
    return front


def _proven(model, cancel):
    solution = solve(model, cancel=cancel)
    if solution.status != OPTIMAL:
        raise _Enough
    return solution.values
