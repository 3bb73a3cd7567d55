"""Location set covering problem (Toregas, Swain, ReVelle, Bergman 1971, Operations Research 19:1363-1373).

minimise    sum_j  x_j
subject to  serve_i:  sum_{j in N_i} x_j >= 1      for every demand row i
            x_j in {0, 1}

x_j    1 when a station stands at site j
N_i    sites within the standard of demand row i
"""

import pulp


def lscp(cover):
    """Return the PuLP model for ``cover`` (CSR array of 1, rows x sites)."""
    rows, sites = cover.shape
    model = pulp.LpProblem("lscp", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    model += pulp.LpAffineExpression([(v, 1) for v in x])
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(x[j], 1) for j in near]) >= 1, f"serve_{i}"
    return model


def chosen(values, sites):
    """Return the positions j with x_j = 1."""
    return [j for j in range(sites) if values[f"x{j:06d}"] == 1]
