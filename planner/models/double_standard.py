"""Double standard model (Gendreau, Laporte, Semet 1997, Location Science 5:75-88).

maximise    sum_i  a_i v_i
subject to  far_i:    sum_{j in F_i} y_j >= 1              for every demand row i
            share:    sum_i a_i u_i >= s sum_i a_i
            near_i:   sum_{j in N_i} y_j >= u_i + v_i      for every demand row i
            twice_i:  v_i <= u_i                           for every demand row i
            size:     sum_j y_j = p
            open_j:   x_j <= y_j <= P x_j                  for every site j
            u_i, v_i, x_j in {0, 1},  y_j whole

y_j    vehicles at site j, at most P;  x_j  1 when there is any
u_i    1 when demand row i is within the near standard of a vehicle;  v_i  of two
F_i, N_i   sites within the far and the near standard of row i
a_i    persons of row i;  s  the share of people who must be near a vehicle
"""

import pulp


def double_standard(near, far, persons, p, share, per_site):
    """Return (model, x, y) for ``near`` and ``far`` (CSR arrays of 1, rows x sites) and ``persons`` a row."""
    rows, sites = near.shape
    model = pulp.LpProblem("double_standard", pulp.LpMaximize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    y = [model.add_variable(f"y{j:06d}", 0, per_site, pulp.LpInteger) for j in range(sites)]
    u = [model.add_variable(f"u{i:06d}", cat=pulp.LpBinary) for i in range(rows)]
    v = [model.add_variable(f"v{i:06d}", cat=pulp.LpBinary) for i in range(rows)]
    model += pulp.LpAffineExpression(zip(v, (int(a) for a in persons), strict=True))
    for i in range(rows):
        model += _sum(y, far, i) >= 1, f"far_{i}"
        model += _sum(y, near, i) - u[i] - v[i] >= 0, f"near_{i}"
        model += v[i] - u[i] <= 0, f"twice_{i}"
    people = pulp.LpAffineExpression(zip(u, (int(a) for a in persons), strict=True))
    model += people >= float(share) * int(sum(int(a) for a in persons)), "share"
    model += pulp.LpAffineExpression([(each, 1) for each in y]) == p, "size"
    for j in range(sites):
        model += y[j] - x[j] >= 0, f"open_least_{j}"
        model += y[j] - per_site * x[j] <= 0, f"open_most_{j}"
    return model, x, y


def _sum(variables, cover, i):
    return pulp.LpAffineExpression([(variables[j], 1) for j in cover.indices[cover.indptr[i] : cover.indptr[i + 1]]])
