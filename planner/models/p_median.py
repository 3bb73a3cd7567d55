"""p-median problem (Hakimi 1964, Operations Research 12:450-459) in its radius formulation (Elloumi 2010, Journal of
Combinatorial Optimization 19:69-83).

Demand i finds its sites at the distances D_i1 < D_i2 < ... < D_iK; N_ik are those at D_ik exactly.

minimise    sum_i a_i ( D_i1 + sum_k (D_i,k+1 - D_ik) z_ik )
subject to  far_i_k:   z_ik >= z_i,k-1 - sum_{j in N_ik} x_j     for every i, k      (z_i0 = 1)
            size:      sum_j x_j = p                                     (unless a budget bounds the sites instead)
            x_j in {0, 1},  z_ik >= 0,  z_iK = 0 where no more is known than the K distances

x_j    1 when a centre stands at site j
z_ik   1 when demand i has no centre within D_ik
a_i D_i,K+1   what demand i costs when none of its sites is opened (another, open already, serves it), if there is one

Where two demands' sites within a distance are the same set, they share one z: as many variables stand in the model as
there are different sets. The objective is divided by ``unit``: solvers count badly in billions.
"""

import pulp


def p_median(demands, sites, p=None, unit=1.0):
    """Return (model, x): the PuLP model and its site variables.

    demands  (near, otherwise) each: near = [(a_i d_ij, j), ...], cheapest first; otherwise = cost when no site of near
             is opened, inf where one of them must be
    sites    number of sites;  p of them are opened exactly, or any number where p is None
    unit     the objective is told in this many of the costs' units
    """
    model = pulp.LpProblem("p_median", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    z, cost, constant = {}, {}, 0.0
    for i, (near, otherwise) in enumerate(demands):
        within, before = frozenset(), None
        steps = _by_distance(near)
        constant += steps[0][0]
        for k, (here, ring) in enumerate(steps):
            beyond = steps[k + 1][0] if k + 1 < len(steps) else otherwise
            within = within | frozenset(ring)
            last = beyond == float("inf")
            if within not in z or (last and z[within] is not None):
                z[within] = None if last else model.add_variable(f"z{len(z):06d}", 0)
                row = [(x[j], 1) for j in ring]
                row += [(z[within], 1)] if z[within] is not None else []
                row += [(before, -1)] if before is not None else []
                model += pulp.LpAffineExpression(row) >= (1 if before is None else 0), f"far_{i}_{k}"
            before = z[within]
            if before is None:
                break
            cost[within] = cost.get(within, 0.0) + beyond - here
    model += pulp.LpAffineExpression([(z[s], c / unit) for s, c in cost.items() if z[s] is not None], constant / unit)
    if p is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model, x


def _by_distance(near):
    """Return [(cost, [sites]), ...], one step for each different cost."""
    steps = []
    for here, j in near:
        if not steps or steps[-1][0] != here:
            steps.append((here, []))
        steps[-1][1].append(j)
    return steps
