"""How many sites at least bring every area to a share of its people: a Lagrangian bound, without a solver.

The question (fewest_fair in planner.models.fair_cover) with serve_i priced at pi_i >= 0 falls apart by area and site:

    L(pi) = sum_c min { sum_{i in c} pi_i y_i : sum_{i in c} a_i y_i >= b_c, 0 <= y_i <= 1 }
            + sum_j min(0, 1 - sum_{i: j in N_i} pi_i)

Each area buys the people it lacks where they are cheapest, a fractional knapsack; a site that takes in more than it
costs is opened. No sites fewer than L(pi) will do, whatever the prices are: if L(pi) > p, the share cannot be had with
p sites. Prices rise by subgradient (Polyak's step) where people are bought and not served.
"""

import numpy as np
from scipy import sparse

PATIENCE = 15  # steps without a better bound after which they get shorter
SHORTER, SHORTEST = 0.7, 0.01


class SitePrices:
    """The best prices pi known so far, one a row; each question goes on from them."""

    def __init__(self, cover, weights, area, areas):
        """``cover`` CSR of 1, rows x sites, no row empty; ``weights`` (persons, > 0) and ``area`` of rows."""
        self.by_row, self.weights, self.area, self.areas = cover.astype(float), weights.astype(float), area, areas
        self.by_site = sparse.csr_array(self.by_row.T.tocsr())
        # A row pays its part of the site that serves most people: no site takes in more than it costs.
        people = self.by_site @ self.weights
        self.prices = self.weights / np.maximum.reduceat(people[cover.indices], cover.indptr[:-1])

    def left(self, prices=None):
        """Return what each site costs beyond what it takes in, in sites: those with little are in good plans."""
        return 1.0 - self.by_site @ (self.prices if prices is None else prices)

    def exceeds(self, needs, p, clock):
        """Return whether more than ``p`` sites are proven to be needed where areas lack ``needs`` persons."""
        best, prices, scale, stalled = -np.inf, self.prices, 1.0, 0
        while not clock.stopped() and scale > SHORTEST:
            left = self.left(prices)
            bought = self._bought(prices, needs)
            bound = float(prices @ bought + np.minimum(left, 0.0).sum())
            if bound > best:
                best, self.prices, stalled = bound, prices, 0
            else:
                stalled += 1
            if best > p:
                return True
            if stalled == PATIENCE:
                prices, scale, stalled = self.prices, SHORTER * scale, 0
                continue
            slope = bought - self.by_row @ (left < 0).astype(float)
            slope[(prices <= 0) & (slope < 0)] = 0.0
            steep = float(slope @ slope)
            if steep == 0:
                break
            prices = np.maximum(prices + scale * (p + 1.0 - bound) / steep * slope, 0.0)
        return False

    def _bought(self, prices, needs):
        """Return which part of each row its area buys: the cheapest people first, until it has what it needs."""
        order = np.lexsort((prices / self.weights, self.area))
        weights, area = self.weights[order], self.area[order]
        before = np.cumsum(weights) - weights
        first = np.searchsorted(area, np.arange(self.areas))
        before -= np.append(before, 0.0)[first][area]
        bought = np.empty(len(order))
        bought[order] = np.clip((needs[area] - before) / weights, 0.0, 1.0)
        return bought
