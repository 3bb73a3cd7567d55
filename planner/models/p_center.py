"""Vertex p-center problem as a question at one radius (Minieka 1970, SIAM Review 12:138-139; Daskin 2013, chapter 5).

Can p sites have everybody within the radius r?

minimise    sum_j  x_j
subject to  serve_i:  sum_{j: d_ij <= r} x_j >= 1      for every demand i
            size:     sum_j x_j <= p
            x_j in {0, 1}

x_j    1 when a site stands at j
d_ij   metres from demand i to site j;  r the radius, one of the d_ij

With ``whole=False`` it is the linear relaxation, 0 <= x_j <= 1: where that has no solution the question is answered.

The p-center is the least r at which there is a solution. Any solution answers the question; the objective only leads
the solver to one.
"""

import pulp


def within_radius(cover, p, *, whole=True):
    """Return the PuLP model for ``cover`` (CSR array, rows x sites, an entry where d_ij <= r) and ``p`` sites."""
    rows, sites = cover.shape
    model = pulp.LpProblem("p_center", pulp.LpMinimize)
    kind = pulp.LpInteger if whole else pulp.LpContinuous
    x = [model.add_variable(f"x{j:06d}", 0, 1, kind) for j in range(sites)]
    model += pulp.LpAffineExpression([(v, 1) for v in x])
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(x[j], 1) for j in near]) >= 1, f"serve_{i}"
    model += pulp.LpAffineExpression([(v, 1) for v in x]) <= p, "size"
    return model


def chosen(values, sites):
    """Return the positions j with x_j = 1."""
    return [j for j in range(sites) if values[f"x{j:06d}"] == 1]


def parts_open(values, sites):
    """Return x_j for every position j."""
    return [values[f"x{j:06d}"] for j in range(sites)]
