"""Lower bounds for p-median rows: the assignment constraints priced (Lagrange), prices found by subgradient steps.

For prices u of being served, no plan costs less than

    L(u) = constant + sum_i u_i + min over S, |S| = choose, of sum_{j in S} rho_j
    rho_j = sum_i min(0, a_i d_ij - u_i)

for any u_i <= cap_i (Narula, Ogbu, Samuelsson 1977, Operations Research 25:709-713; Beasley 1985, European Journal of
Operational Research 21:270-273). Only entries nearer than the price are touched, and these stand first in each list.
"""

import numpy as np

from planner.engine.compiled import compiled, copied, mark_smallest

LIKELY = 0.65


class Prices:
    """Prices of all rows and what they prove: ``bound``, and each column's ``rho`` at the best prices seen."""

    def __init__(self, lists, start, theta):
        self.lists = lists
        self.u = np.minimum(start, lists.cap)
        self.best_u = self.u.copy()
        self.rho = np.zeros(lists.columns)
        self.often = np.zeros(lists.columns)  # how often each column was among the best, lately
        self.step = np.zeros(lists.rows)
        self.state = np.array([-np.inf, theta, 0.0, 0.0])
        self.plan = np.zeros(lists.columns, np.bool_)

    @property
    def bound(self):
        return self.state[0]

    @property
    def theta(self):
        return self.state[1]

    def verdict(self, worth):
        """Return m of 1 (open: without it no plan costs less than ``worth``), -1 (shut: likewise with it), 0 (free)."""
        order = np.argsort(self.rho, kind="stable")
        sorted_rho, choose = self.rho[order], self.lists.choose
        among = np.zeros(len(order), np.bool_)
        among[order[:choose]] = True
        verdict = np.zeros(len(order), np.int8)
        verdict[among & (self.bound + sorted_rho[choose] - self.rho >= worth)] = 1
        verdict[~among & (self.bound + self.rho - sorted_rho[choose - 1] >= worth)] = -1
        return verdict

    def reach(self, worth):
        """Return n costs: a plan that serves a row at this cost or more costs ``worth`` or more."""
        return self.best_u + (worth - self.bound)

    def undecided(self, verdict):
        """Return the free column that the last steps opened nearest to two times in three."""
        return int(np.argmin(np.where(verdict == 0, np.abs(self.often - LIKELY), np.inf)))

    def rounds(self, count, upper, fresh):
        """Make ``count`` steps towards ``upper``, the cost of a known plan; return (cost, opened) of the best seen.

        fresh   whether to forget what earlier calls saw: however many calls the steps come in, they are the same steps
        """
        one = self.lists
        if fresh:
            self.state[3] = np.inf
        _rounds(
            one.first,
            one.site,
            one.dist,
            one.weight,
            one.cap,
            one.choose,
            one.constant,
            upper,
            self.u,
            self.best_u,
            self.rho,
            self.often,
            self.step,
            self.state,
            self.plan,
            count,
        )
        return self.state[3], self.plan


@compiled
def _rounds(
    first, site, dist, weight, cap, choose, constant, upper, u, best_u, rho_best, often, step, state, plan, count
):
    n, m = len(weight), len(rho_best)
    rho, spare = np.zeros(m), np.zeros(m)
    chosen = np.zeros(m, np.bool_)
    upper = min(upper, state[3])
    for _ in range(count):
        rho[:] = 0.0
        total = constant
        for i in range(n):
            ui = u[i]
            a = weight[i]
            total += ui
            for e in range(first[i], first[i + 1]):
                c = a * dist[e] - ui
                if c >= 0:
                    break
                rho[site[e]] += c
        mark_smallest(rho, choose, spare, chosen)
        for j in range(m):
            often[j] *= 0.95
            if chosen[j]:
                total += rho[j]
                often[j] += 0.05
        if total > state[0]:
            if total > state[0] + 1e-4 * (upper - state[0]):
                state[2] = 0
            else:
                state[2] += 1
            state[0] = total
            copied(u, best_u)
            copied(rho, rho_best)
        else:
            state[2] += 1
        if state[2] >= 20:
            state[2] = 0
            state[1] *= 0.5
        norm = 0.0
        cost = constant
        for i in range(n):
            ui = u[i]
            a = weight[i]
            served = 0
            mine = cap[i]
            for e in range(first[i], first[i + 1]):
                c = a * dist[e]
                if c >= ui and served:
                    break
                if chosen[site[e]]:
                    if not served:
                        mine = c
                    if c >= ui:
                        break
                    served += 1
            g = 1.0 if mine >= ui else 1.0 - served
            cost += mine
            if ui >= cap[i] and g > 0:
                g = 0.0
            step[i] = g + 0.7 * step[i]
            norm += a * step[i] * step[i]
        if cost < state[3] or state[3] == np.inf:
            state[3] = cost
            copied(chosen, plan)
            if cost < upper:
                upper = cost
        if norm == 0:
            break
        t = state[1] * (upper - total) / norm
        for i in range(n):
            ui = u[i] + t * weight[i] * step[i]
            u[i] = min(max(ui, 0.0), cap[i])
