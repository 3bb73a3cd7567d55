"""Siting models in which a site takes no more people than it has room for, and each demand goes whole to one site.

    once_i:     sum_{j in N_i} z_ij = 1                       for every demand i  (<= 1 in the capacitated MCLP)
    open_i_j:   z_ij <= x_j                                   for every i and every j in N_i
    load_j:     sum_{i: j in N_i} a_i z_ij <= b_j x_j         for every site j
    enough:     sum_j b_j x_j >= sum_i a_i                    where everybody must be assigned
    size:       sum_j x_j = p                                 where p is given
    x_j, z_ij in {0, 1}

x_j    1 when site j is opened;  b_j the most people it takes;  c_j its price
z_ij   1 when demand i is assigned to site j
a_i    persons of demand i;  d_ij metres;  N_i sites that may serve i

Current, Storbeck 1988 (Environment and Planning B 15:153-163) gave the first two models:

    capacitated LSCP       minimise  sum_j c_j x_j            (c_j = 1: the fewest sites)
    capacitated MCLP       maximise  sum_i sum_j a_i z_ij     (Pirkul, Schilling 1991, Management Science 37:233-248)
    capacitated p-median   minimise  sum_i sum_j a_i d_ij z_ij
                           (Osman, Christofides 1994, International Transactions in Operational Research 1:317-336;
                           Ceselli, Righini 2005, Networks 45:125-142)
    capacitated p-center   is there a plan with N_i = {j: d_ij <= D}?  asked for one D after another
                           (Ozsoy, Pinar 2006, Computers & Operations Research 33:1420-1436)

``open`` says no more than ``load`` of whole numbers but far more of fractions; ``enough`` follows from ``once`` and
``load`` and is what a solver makes cover cuts from. Demand without persons is assigned like any other.
"""

import pulp


def capacitated_lscp(arcs, persons, capacity, price=None):
    """Return (model, x, z) of the fewest sites, or the least price, at which everybody is assigned.

    arcs (CSR, demand x site; what is stored is within the standard), persons (n) and capacity (m) whole numbers.
    """
    model, x, z = _sites_and_shares("capacitated_lscp", pulp.LpMinimize, arcs)
    price = [1.0] * len(x) if price is None else price
    model += pulp.LpAffineExpression([(v, float(c)) for v, c in zip(x, price, strict=True)])
    _assign(model, x, z, arcs, persons, capacity, everybody=True)
    return model, x, z


def capacitated_mclp(arcs, worth, persons, capacity, p=None):
    """Return (model, x, z) of the most ``worth`` (n numbers, usually the persons) assigned."""
    model, x, z = _sites_and_shares("capacitated_mclp", pulp.LpMaximize, arcs)
    model += pulp.LpAffineExpression([(v, float(worth[i])) for i, _, v in _each(arcs, z)])
    _assign(model, x, z, arcs, persons, capacity, everybody=False)
    _size(model, x, p)
    return model, x, z


def capacitated_p_median(cost, persons, capacity, p=None):
    """Return (model, x, z) of the least sum of ``cost`` (CSR, demand x site: a_i d_ij in any one unit)."""
    model, x, z = _sites_and_shares("capacitated_p_median", pulp.LpMinimize, cost)
    model += pulp.LpAffineExpression([(v, float(c)) for v, c in zip(z, cost.data, strict=True)])
    _assign(model, x, z, cost, persons, capacity, everybody=True)
    _size(model, x, p)
    return model, x, z


def capacitated_p_center(arcs, persons, capacity, p=None):
    """Return (model, x, z) whose any solution assigns everybody along ``arcs`` (CSR, those no longer than D)."""
    model, x, z = _sites_and_shares("capacitated_p_center", pulp.LpMinimize, arcs)
    model += pulp.LpAffineExpression()
    _assign(model, x, z, arcs, persons, capacity, everybody=True)
    _size(model, x, p)
    return model, x, z


def _sites_and_shares(name, sense, arcs):
    model = pulp.LpProblem(name, sense)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(arcs.shape[1])]
    rows = (i for i in range(arcs.shape[0]) for _ in range(arcs.indptr[i], arcs.indptr[i + 1]))
    z = [
        model.add_variable(f"z{i:06d}_{j:06d}", cat=pulp.LpBinary)
        for i, j in zip(rows, arcs.indices.tolist(), strict=True)
    ]
    return model, x, z


def _each(arcs, z):
    """Yield (i, j, z_ij) of every stored arc."""
    for i in range(arcs.shape[0]):
        for at in range(arcs.indptr[i], arcs.indptr[i + 1]):
            yield i, int(arcs.indices[at]), z[at]


def _assign(model, x, z, arcs, persons, capacity, *, everybody):
    load = [[] for _ in x]
    for i in range(arcs.shape[0]):
        one = pulp.LpAffineExpression([(v, 1) for v in z[arcs.indptr[i] : arcs.indptr[i + 1]]])
        model += (one == 1 if everybody else one <= 1), f"once_{i}"
    for i, j, v in _each(arcs, z):
        model += pulp.LpAffineExpression([(v, 1), (x[j], -1)]) <= 0, f"open_{i}_{j}"
        load[j].append((v, int(persons[i])))
    for j, taken in enumerate(load):
        if taken:
            model += pulp.LpAffineExpression([*taken, (x[j], -int(capacity[j]))]) <= 0, f"load_{j}"
    if everybody:
        room = pulp.LpAffineExpression([(v, int(b)) for v, b in zip(x, capacity, strict=True)])
        model += room >= int(sum(int(a) for a in persons)), "enough"


def _size(model, x, p):
    if p is not None:
        model += pulp.LpAffineExpression([(v, 1) for v in x]) == int(p), "size"
