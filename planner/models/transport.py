"""Claims met from supplies as near as they can be.

min  sum_ij km_ij f_ij      sum_j f_ij = claim_i,   sum_i f_ij <= supply_j,   f >= 0
"""

import numpy as np
import pulp


def transport(km, claims, supplies):
    """Return the PuLP model of ``km`` (rows x columns), ``claims`` by row, ``supplies`` by column, no less in all."""
    model = pulp.LpProblem("transport", pulp.LpMinimize)
    rows, columns = np.flatnonzero(claims), np.flatnonzero(supplies)
    flow = {(i, j): model.add_variable(f"f{i:05d}_{j:05d}", 0) for i in rows for j in columns}
    model += pulp.LpAffineExpression([(f, float(km[at])) for at, f in flow.items()])
    for i in rows:
        model += pulp.LpAffineExpression([(flow[i, j], 1) for j in columns]) == float(claims[i]), f"claim_{i}"
    for j in columns:
        model += pulp.LpAffineExpression([(flow[i, j], 1) for i in rows]) <= float(supplies[j]), f"supply_{j}"
    return model
