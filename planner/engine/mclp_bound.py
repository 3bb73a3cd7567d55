"""What no choice of sites can beat: MCLP with its covering rows priced instead of kept (Lagrangian relaxation).

    L(u) = max  sum_i (a_i - u_i) y_i + sum_j s_j x_j      with  s_j = sum_{i: j in N_i} u_i
           subject to  sum_j x_j = p,  0 <= x_j, y_i <= 1
         = sum_i (a_i - u_i) + the p largest s_j           for prices 0 <= u_i <= a_i

Symbols as in :mod:`planner.models.mclp`. Whatever the prices, L(u) is at least the optimum, and a plan that opens a
site outside the p dearest is worth at most L(u) less what the site is short of them (Galvao, ReVelle 1996, European
Journal of Operational Research 88:114-123). Prices are found by subgradients with a memory (Camerini, Fratta, Maffioli
1975, Mathematical Programming Study 3:26-34): a thousand rounds of two sparse products.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

ROUNDS = 1000
MOMENTUM = 0.95
PATIENCE, SHRINK = 20, 0.6  # rounds without a better bound, and what then becomes of the step
MEMORY = 0.02  # weight of one round in a site's standing
STANDING = 0.01


@dataclass(frozen=True)
class Bound:
    """What is known of every plan of p sites.

    most       none serves more persons
    most_with  none with site j serves more than this
    favoured   positions of the sites a good plan may need
    sites      positions of the p sites that served most people of all that were dearest in some round

    The numbers are floating sums: of whole persons good to far less than half a person.
    """

    most: float
    most_with: np.ndarray
    favoured: np.ndarray
    sites: np.ndarray


def mclp_bound(cover, persons, p, known, clock, *, near=0.0):
    """Return the :class:`Bound` of ``cover`` (CSR of 1, rows x sites) for 1 <= ``p`` <= sites.

    ``known`` persons are served by some plan: where the bound comes down to that, or to ``near`` persons more than the
    best plan met on the way, nothing is left to find. What there is comes back when ``clock`` has stopped.
    """
    least = 0.5 if np.issubdtype(np.asarray(persons).dtype, np.integer) else 1e-9 * max(float(known), 1.0)
    by_row = sparse.csr_array(cover, dtype=float)
    by_site = sparse.csr_array(by_row.T.tocsr())
    persons = np.asarray(persons, dtype=float)
    price, push, step = persons / 2, np.zeros(len(persons)), 1.0
    best, best_price, waited = np.inf, price, 0
    standing = np.zeros(cover.shape[1])
    served_most, sites = -np.inf, None
    for turn in range(ROUNDS):
        worth = by_site @ price
        dearest = np.argpartition(-worth, p - 1)[:p]
        most = (persons - price).sum() + worth[dearest].sum()
        waited += 1
        if most < best * (1 - 1e-7):
            best, best_price, waited = most, price, 0
        if best < known + least or (turn % 16 == 0 and clock.stopped()):
            break
        if waited == PATIENCE:
            step, waited = step * SHRINK, 0
            price, push = best_price, np.zeros(len(persons))
        opened = np.zeros(cover.shape[1])
        opened[dearest] = 1
        standing += MEMORY * (opened - standing)
        over = by_row @ opened - 1
        served = persons[over >= 0].sum()
        if served > served_most:
            served_most, sites = served, np.sort(dearest)
        if best - max(served_most, known) <= near:
            break
        # Served more than once: the price of the row is too high; not at all: too low.
        over[(price <= 0) & (over > 0) | (price >= persons) & (over < 0)] = 0
        push = MOMENTUM * push + (1 - MOMENTUM) * over
        steepness = (push**2).sum()
        if steepness == 0:
            break
        price = np.clip(price - step * (most - known) / steepness * push, 0, persons)
    worth = by_site @ best_price
    dearest = np.argsort(-worth, kind="stable")[:p]
    short = np.maximum(worth[dearest[-1]] - worth, 0)
    favoured = np.union1d(dearest, np.flatnonzero(standing > STANDING))
    return Bound(best, best - short, favoured, dearest if sites is None else sites)
