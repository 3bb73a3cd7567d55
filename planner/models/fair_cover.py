"""Maximal covering for the worst served area first (equity as max-min: Marsh, Schilling 1994,
European Journal of Operational Research 74:1-17).

maximise    t                                          first, then sum_i a_i y_i with t held
subject to  serve_i:  y_i <= sum_{j in N_i} x_j        for every demand row i
            fair_c:   sum_{i in c} a_i y_i >= t A_c - h_c    for every area c
            size:     sum_j x_j = p
            x_j in {0, 1},  0 <= y_i <= 1,  0 <= t <= 1

x_j    1 when a station stands at site j
y_i    1 when demand row i is served
t      the share of people served in the worst area
a_i    persons of row i;  A_c all persons of area c;  h_c those of them whom held sites serve already
"""

import pulp


def fair_cover(cover, persons, area, totals, held, p, least=None):
    """Return (model, x) of ``cover`` (CSR, rows x sites), ``persons``, ``area`` a row, ``totals``, ``held`` an area.

    least  None: the share of the worst area is sought; a number: most people, each area with at least this share
    """
    rows, sites = cover.shape
    model = pulp.LpProblem("fair_cover", pulp.LpMaximize)
    x = [model.add_variable(f"x{j:06d}", cat=pulp.LpBinary) for j in range(sites)]
    y = [model.add_variable(f"y{i:06d}", 0, 1) for i in range(rows)]
    t = model.add_variable("t", 0, 1) if least is None else None
    people = pulp.LpAffineExpression(zip(y, (float(a) for a in persons), strict=True))
    model += t if least is None else people
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(y[i], 1)] + [(x[j], -1) for j in near]) <= 0, f"serve_{i}"
    of = {}
    for i in range(rows):
        of.setdefault(int(area[i]), []).append((y[i], float(persons[i])))
    for c, (total, already) in enumerate(zip(totals, held, strict=True)):
        served = pulp.LpAffineExpression(of.get(c, []))
        if least is None:
            model += served - float(total) * t >= -float(already), f"fair_{c}"
        elif float(total) * least > already:
            model += served >= float(total) * least - float(already), f"fair_{c}"
    model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model, x
