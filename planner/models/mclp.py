"""Maximal covering location problem (Church, ReVelle 1974, Papers of the Regional Science Association 32:101-118).

maximise    sum_i  a_i y_i
subject to  serve_i:  b_i y_i <= sum_{j in N_i} x_j    for every demand row i
            size:     sum_j x_j = p                    (unless a budget bounds the sites instead)
            x_j in {0, 1},  0 <= y_i <= 1,  y_i in {0, 1} where b_i > 1

x_j    1 when a station stands at site j
y_i    1 when demand row i is served (whole of itself once x is)
a_i    persons of row i;  b_i sites it wants, 1 unless said
N_i    sites within the standard of row i
p      sites to open
"""

import pulp


def mclp(cover, persons, p=None, need=None):
    """Return (model, x) for ``cover`` (CSR array of 1, rows x sites), ``persons`` a row and ``p`` sites or None.

    need  sites wanted by each row; None: one
    """
    rows, sites = cover.shape
    need = [1] * rows if need is None else [int(b) for b in need]
    model = pulp.LpProblem("mclp", pulp.LpMaximize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    kinds = [pulp.LpContinuous if b == 1 else pulp.LpBinary for b in need]
    y = [model.add_variable(f"y{i:06d}", 0, 1, cat=kind) for i, kind in enumerate(kinds)]
    model += pulp.LpAffineExpression(zip(y, (float(a) for a in persons), strict=True))
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(y[i], need[i])] + [(x[j], -1) for j in near]) <= 0, f"serve_{i}"
    if p is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model, x
