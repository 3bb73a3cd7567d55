"""Whole beds to counties, so that what lies within people's reach is as even as it can be.

    minimise    sum_i  a_i e_i  +  s * sum_i  1000 m_i
    subject to  city_k:          sum_{i in k} x_i = T_k                      for every city k
                above_i, below_i:  e_i >= | A_i - sum_{h in k(i)} a_h A_h / sum_{h in k(i)} a_h |
                more_i, less_i:    m_i >= | x_i - q_i |
                A_i = sum_j K_ij x_j
                l_i <= x_i <= u_i,  x_i whole

    x_i    beds of county i;  T_k beds of city k;  a_i persons
    A_i    beds within reach per 1,000 persons; K the reach matrix (two-step floating catchment areas)
    e_i    how far county i is from the persons-weighted mean of its city
    q_i    the city's beds shared out equally per person;  m_i beds away from it;  s steadiness
    l_i    today's beds (none is closed);  u_i the most a county may have

The objective is divided by the persons of all counties: mean beds per 1,000 persons.
"""

import numpy as np
import pulp


def bed_allocation(*, persons, city, reach, targets, equal_share, lowest, highest, steadiness):
    """Return the PuLP model.

    Arrays are on counties: persons, city (code), reach (K), equal_share, lowest, highest; ``targets`` is {city: beds}.
    """
    n = len(persons)
    total = float(np.sum(persons))
    model = pulp.LpProblem("bed_allocation", pulp.LpMinimize)
    x = [model.add_variable(f"x{i:06d}", int(lowest[i]), int(highest[i]), pulp.LpInteger) for i in range(n)]
    e = [model.add_variable(f"e{i:06d}", 0) for i in range(n)]
    m = [model.add_variable(f"m{i:06d}", 0) for i in range(n)]
    even = [(e[i], int(persons[i]) / total) for i in range(n)]
    steady = [(m[i], 1000.0 * steadiness / total) for i in range(n)]
    model += pulp.LpAffineExpression(even + steady)
    for k, beds in targets.items():
        members = np.flatnonzero(city == k)
        model += pulp.LpAffineExpression([(x[i], 1) for i in members]) == int(beds), f"city_{k}"
        mean = persons[members] @ reach[members] / max(persons[members].sum(), 1)
        for i in members:
            row = reach[i] - mean
            off = [(x[j], float(row[j])) for j in np.flatnonzero(row)]
            model += pulp.LpAffineExpression([(e[i], 1), *((v, -c) for v, c in off)]) >= 0, f"above_{i}"
            model += pulp.LpAffineExpression([(e[i], 1), *off]) >= 0, f"below_{i}"
    for i in range(n):
        model += m[i] - x[i] >= -int(equal_share[i]), f"more_{i}"
        model += m[i] + x[i] >= int(equal_share[i]), f"less_{i}"
    return model
