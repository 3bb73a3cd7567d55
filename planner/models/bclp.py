"""Backup coverage location problem (Hogan, ReVelle 1986, Management Science 32:1434-1444, BACOP1).

maximise    sum_i  a_i u_i
subject to  once_i:  sum_{j in N_i} x_j - u_i >= 1     for every demand row i
            size:    sum_j x_j = p
            x_j in {0, 1},  0 <= u_i <= 1

x_j    1 when a station stands at site j
u_i    1 when demand row i is served by a second one (whole of itself once x is)
a_i    persons of row i
N_i    sites within the standard of row i
"""

import pulp


def bclp(cover, persons, p=None):
    """Return (model, x) for ``cover`` (CSR array of 1, rows x sites), ``persons`` a row and ``p`` sites or None."""
    rows, sites = cover.shape
    model = pulp.LpProblem("bclp", pulp.LpMaximize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    u = [model.add_variable(f"u{i:06d}", 0, 1) for i in range(rows)]
    model += pulp.LpAffineExpression(zip(u, (float(a) for a in persons), strict=True))
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(u[i], -1)] + [(x[j], 1) for j in near]) >= 1, f"once_{i}"
    if p is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model, x
