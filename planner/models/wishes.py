"""Wishes about sites that every siting model can keep: held, shut, never together, not again, within a budget.

    held_j:       x_j = 1                                    for every held site j
    shut_j:       x_j = 0                                    for every shut site j
    exclusive_k:  sum_{j in E_k} x_j <= 1                    kinds at one place; sites nearer than the spacing
    differ_k:     sum_{j in S_k} x_j <= |S_k| - d_k          at least d_k sites of an earlier plan S_k go unused
    budget:       sum_j c_j x_j <= B

x_j    1 when site j is opened;  c_j its price;  B the budget
"""

from dataclasses import dataclass, field

import numpy as np
import pulp


def none():
    """Return no position at all."""
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Wishes:
    """What is asked of m sites beside the model's own rows; positions count from 0.

    fixed, forbidden   positions held open, kept shut
    capacity           m whole numbers, the most people a site can take, or None
    exclusive          tuples of positions, of each at most one is opened
    avoid              pairs (positions, d): at least d of the positions are not opened
    price, budget      m numbers and the most they may sum to over opened sites; each may be None
    """

    fixed: np.ndarray = field(default_factory=none)
    forbidden: np.ndarray = field(default_factory=none)
    capacity: np.ndarray | None = None
    exclusive: tuple = ()
    avoid: tuple = ()
    price: np.ndarray | None = None
    budget: float | None = None

    @property
    def plain(self):
        """Whether nothing is asked but held and shut sites, so that one site may stand for another."""
        return self.capacity is None and self.price is None and not self.exclusive and not self.avoid


def keep(model, x, wishes):
    """Add the rows of ``wishes`` on the binary variables ``x`` (a list of m) to a PuLP model; capacity is not here."""
    for j in wishes.fixed:
        model += x[j] == 1, f"held_{j}"
    for j in wishes.forbidden:
        model += x[j] == 0, f"shut_{j}"
    for k, sites in enumerate(wishes.exclusive):
        model += pulp.LpAffineExpression([(x[j], 1) for j in sites]) <= 1, f"exclusive_{k}"
    for k, (sites, d) in enumerate(wishes.avoid):
        model += pulp.LpAffineExpression([(x[j], 1) for j in sites]) <= len(sites) - d, f"differ_{k}"
    if wishes.budget is not None:
        priced = [(v, float(c)) for v, c in zip(x, wishes.price, strict=True)]
        model += pulp.LpAffineExpression(priced) <= float(wishes.budget), "budget"


def prefer_lower(model, x, best):
    """Make of a model solved at ``best`` the question which of its equally good plans has the lowest positions.

    minimise    sum_j j x_j
    subject to  as_good:  the objective of before is no worse than best
    """
    before, maximised = model.objective.copy(), model.sense == pulp.LpMaximize
    slack = 1e-7 * max(abs(best), 1.0)
    model += (before >= best - slack if maximised else before <= best + slack), "as_good"
    model.sense = pulp.LpMinimize
    model.setObjective(pulp.LpAffineExpression([(v, j) for j, v in enumerate(x)]))
