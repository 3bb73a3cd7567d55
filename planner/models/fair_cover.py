"""Covering for the worst served area (equity as max-min: Marsh, Schilling 1994, European Journal of Operational
Research 74:1-17), asked from both sides: the best share with p sites, the fewest sites for a share.

fair_cover
maximise    t                                          first, then sum_i a_i y_i with t held
subject to  serve_i:  y_i <= sum_{j in N_i} x_j              for every demand row i
            fair_c:   sum_{i in c} a_i y_i >= t A_c - h_c    for every area c
            size:     sum_j x_j = p
            x_j in {0, 1},  0 <= y_i <= 1,  0 <= t <= 1

fewest_fair
minimise    sum_j x_j
subject to  serve_i as above,  fair_c:  sum_{i in c} a_i y_i >= b_c    for every area c with b_c > 0

x_j    1 when a station stands at site j
y_i    1 when demand row i is served
t      the share of people served in the worst area
a_i    persons of row i;  A_c all persons of area c;  h_c those of them whom held sites serve already
b_c    persons of area c still to be served, for a share t: t A_c - h_c rounded up

Where v(t) sites are needed for a share t and v(t) > p, no p sites give every area as much: t bounds the answer of
fair_cover. Every plan of at most p sites for a share t is one of fair_cover worth t at least.
"""

import math

import pulp

ALIKE = 1e-6  # of a person
THOUSAND = 1000.0  # people are counted in thousands: a tolerance of the solver is then less than a person


def fair_cover(cover, persons, area, totals, held, p, least=None):
    """Return (model, x) of ``cover`` (CSR, rows x sites), ``persons``, ``area`` a row, ``totals``, ``held`` an area.

    least  None: the share of the worst area is sought; a number: most people, each area with at least this share
    """
    model = pulp.LpProblem("fair_cover", pulp.LpMaximize)
    x, y = _variables(model, cover)
    t = model.add_variable("t", 0, 1) if least is None else None
    people = pulp.LpAffineExpression(zip(y, (float(a) for a in persons), strict=True))
    model += t if least is None else people
    _serve(model, cover, x, y)
    of = _by_area(y, persons, area)
    for c, (total, already) in enumerate(zip(totals, held, strict=True)):
        served = pulp.LpAffineExpression(of.get(c, []))
        if least is None:
            model += served - float(total) * t >= -float(already), f"fair_{c}"
        elif float(total) * least > already:
            # People come whole: half a person less changes nothing but spares the solver a row without any room.
            model += served >= math.ceil(float(total) * least - ALIKE) - float(already) - 0.5, f"fair_{c}"
    model += pulp.LpAffineExpression([(v, 1) for v in x]) == p, "size"
    return model, x


def fewest_fair(cover, persons, area, needs):
    """Return (model, x): fewest sites so that ``needs[c]`` persons (whole or not) of each area c are served."""
    model = pulp.LpProblem("fewest_fair", pulp.LpMinimize)
    x, y = _variables(model, cover)
    model += pulp.LpAffineExpression([(v, 1) for v in x])
    _serve(model, cover, x, y)
    of = _by_area(y, persons / THOUSAND, area)
    for c, need in enumerate(needs):
        if need > 0:
            model += pulp.LpAffineExpression(of.get(c, [])) >= float(need) / THOUSAND, f"fair_{c}"
    return model, x


def _variables(model, cover):
    rows, sites = cover.shape
    x = [model.add_variable(f"x{j:06d}", 0, 1, cat=pulp.LpBinary) for j in range(sites)]
    return x, [model.add_variable(f"y{i:06d}", 0, 1) for i in range(rows)]


def _serve(model, cover, x, y):
    for i in range(cover.shape[0]):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        model += pulp.LpAffineExpression([(y[i], 1)] + [(x[j], -1) for j in near]) <= 0, f"serve_{i}"


def _by_area(y, persons, area):
    of = {}
    for i, c in enumerate(area):
        of.setdefault(int(c), []).append((y[i], float(persons[i])))
    return of
