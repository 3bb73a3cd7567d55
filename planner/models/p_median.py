"""p-median problem (Hakimi 1964, Operations Research 12:450-459; ReVelle, Swain 1970, Geographical Analysis 2:30-42).

minimise    sum_i sum_j  a_i d_ij z_ij
subject to  once_i:    sum_j z_ij = 1              for every demand i
            open_i_j:  z_ij <= x_j                 for every i, j
            size:      sum_j x_j = p
            x_j in {0, 1},  z_ij >= 0

x_j    1 when a centre stands at site j
z_ij   share of demand i that centre j serves (whole of itself once x is)
a_i    persons,  d_ij  metres (the objective is scaled to million person-kilometres: solvers count badly in billions)
"""

import pulp


def p_median(persons, metres, p):
    """Return the PuLP model for ``persons`` (n), ``metres`` (n x m whole numbers) and ``p`` centres.

    The objective is in million person-kilometres.
    """
    n, m = metres.shape
    model = pulp.LpProblem("p_median", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(m)]
    z = [[model.add_variable(f"z{i:06d}_{j:06d}", 0) for j in range(m)] for i in range(n)]
    model += pulp.LpAffineExpression(
        [(z[i][j], int(persons[i]) * int(metres[i, j]) / 1e9) for i in range(n) for j in range(m)]
    )
    for i in range(n):
        model += pulp.LpAffineExpression([(v, 1) for v in z[i]]) == 1, f"once_{i}"
        for j in range(m):
            model += pulp.LpAffineExpression([(z[i][j], 1), (x[j], -1)]) <= 0, f"open_{i}_{j}"
    model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model
