"""Minimum hitting set (Karp 1972, Complexity of Computer Computations: 85-103), and of equally small ones the first.

minimise    sum_j  x_j
subject to  hit_k:   sum_{j in C_k} x_j >= 1      for every set C_k
            x_j in {0, 1}

The first of them in the order of the elements is built up from its front: with the elements before the t-th known,

minimise    sum_j  j u_j
subject to  hit_k,   size:    sum_j x_j = s
            front_j:  x_j = 1 or x_j = 0              for j up to the last element known, as it is known
            named_j:  u_j <= x_j,   next:  sum_j u_j = 1      over j after it

x_j    1 when element j is taken;  u_j  1 when j is the next element;  s the size of the smallest
"""

import pulp


def hitting_set(sets, elements):
    """Return the PuLP model for ``sets`` (tuples of positions below ``elements``)."""
    model = pulp.LpProblem("hitting_set", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(elements)]
    model += pulp.LpAffineExpression([(v, 1) for v in x])
    _hit(model, x, sets)
    return model


def next_element(sets, elements, size, front):
    """Return the PuLP model whose u_j = 1 names the next element after ``front`` (ascending, fewer than ``size``)."""
    model = pulp.LpProblem("next_element", pulp.LpMinimize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(elements)]
    after = range(front[-1] + 1 if front else 0, elements)
    u = {j: model.add_variable(f"u{j:06d}", cat=pulp.LpBinary) for j in after}
    model += pulp.LpAffineExpression([(u[j], j) for j in after])
    _hit(model, x, sets)
    model += pulp.LpAffineExpression([(v, 1) for v in x]) == size, "size"
    for j in range(after.start):
        model += x[j] == (1 if j in front else 0), f"front_{j}"
    for j in after:
        model += u[j] - x[j] <= 0, f"named_{j}"
    model += pulp.LpAffineExpression([(v, 1) for v in u.values()]) == 1, "next"
    return model


def _hit(model, x, sets):
    for k, members in enumerate(sets):
        model += pulp.LpAffineExpression([(x[j], 1) for j in members]) >= 1, f"hit_{k}"


def taken(values, letter="x"):
    """Return the positions j with x_j = 1 (or u_j), ascending."""
    return [int(name[1:]) for name in sorted(values) if name[0] == letter and values[name] == 1]
