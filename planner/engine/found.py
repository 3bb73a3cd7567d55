"""What an engine answers, and the clock it works by."""

import time
from dataclasses import dataclass, replace

import numpy as np

from geo.compiled import keep_machine_code
from planner.solve import INTERIM, OPTIMAL, WITHIN_GAP

SAME = 1e-9  # numbers this near, relatively, are one number: sums of floats taken in another order


@dataclass(frozen=True)
class Found:
    """Sites found, and how good they are known to be.

    status     optimal | within_gap | interim (a limit or a cancel stopped it) | infeasible | no_plan
    sites      positions, sorted; empty where there is no plan
    objective  of these sites; None where there is no plan
    bound      no plan is better than this; None where nothing is known
    """

    status: str
    sites: np.ndarray
    objective: float | None
    bound: float | None

    @property
    def gap(self):
        """Return |objective - bound| / max(|objective|, 1); None where either is unknown."""
        if self.objective is None or self.bound is None:
            return None
        return abs(self.objective - self.bound) / max(abs(self.objective), 1.0)


NOTHING = np.zeros(0, dtype=np.int64)


def nothing(status, bound=None):
    """Return the :class:`Found` without a plan."""
    return Found(status, NOTHING, None, bound)


def found(sites, objective, bound, asked_gap):
    """Return the :class:`Found` of a plan with the status that its numbers earn, whatever ended the search."""
    sites, objective = np.sort(np.asarray(sites, dtype=np.int64)), float(objective)
    if bound is None:
        return Found(INTERIM, sites, objective, None)
    if abs(objective - bound) <= SAME * max(abs(objective), 1.0):
        return Found(OPTIMAL, sites, objective, objective)
    plan = Found(WITHIN_GAP, sites, objective, float(bound))
    return plan if plan.gap <= asked_gap else replace(plan, status=INTERIM)


class Clock:
    """Time and patience: how long is left, whether somebody said stop, and who wants to hear of progress."""

    def __init__(self, seconds, progress=None, cancel=None):
        keep_machine_code()  # whoever starts a clock is about to run loops
        self.began, self.seconds, self.progress, self.cancel = time.monotonic(), seconds, progress, cancel
        self.told = self.began

    def spent(self):
        return time.monotonic() - self.began

    def left(self):
        return max(self.seconds - self.spent(), 0.0)

    def cancelled(self):
        return self.cancel is not None and self.cancel.is_set()

    def stopped(self):
        """Return whether time is up or a cancel was heard. Ask at least every half second."""
        return self.cancelled() or self.left() <= 0

    def tell(self, best, bound):
        """Tell who listens, a few times a second at most: seconds, gap or None, best or None."""
        now = time.monotonic()
        if self.progress is None or now - self.told < 0.25:
            return
        self.told = now
        gap = None if best is None or bound is None else float(abs(best - bound) / max(abs(best), 1.0))
        self.progress(now - self.began, gap, None if best is None else float(best))
