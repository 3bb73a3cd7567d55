"""Location set covering problem (Toregas, Swain, ReVelle, Bergman 1971, Operations Research 19:1363-1373).

minimise    sum_j  c_j x_j
subject to  serve_i:  sum_{j in N_i} x_j >= b_i    for every demand row i
            size:     sum_j x_j = p                    (only where p is given)
            fewer:    sum_j x_j <= q                   (only where q is: is there a plan of fewer than is known?)
            x_j in {0, 1}

x_j    1 when a station stands at site j;  c_j its price, 1 when stations are counted
N_i    sites within the standard of demand row i
b_i    stations wanted there: 1, or more for backup (multicover: Church, Gerrard 2003, Geographical Analysis 35:277-289)
"""

import pulp


def lscp(cover, need=None, price=None, p=None, most=None):
    """Return (model, x) for ``cover`` (CSR of 1, rows x sites), ``need`` a row and ``price`` a site (None: 1 each).

    With ``p`` given, that many sites exactly are opened; with ``most``, q, at most so many.
    """
    rows, sites = cover.shape
    model = pulp.LpProblem("lscp", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    model += pulp.LpAffineExpression([(v, 1 if price is None else float(price[j])) for j, v in enumerate(x)])
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        wanted = 1 if need is None else int(need[i])
        model += pulp.LpAffineExpression([(x[j], 1) for j in near]) >= wanted, f"serve_{i}"
    if p is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    if most is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) <= most, "fewer"
    return model, x


def chosen(values, sites):
    """Return the positions j with x_j = 1."""
    return [j for j in range(sites) if values[f"x{j:06d}"] == 1]
