"""Whole vehicles to stations in proportion to the people they serve: the divisor method of Webster.

    maximise    sum_s sum_k  a_s / (2 k - 1) y_sk
    subject to  fleet:       sum_s sum_k y_sk = V
                first_s:     y_s1 = 1                          for every station s
                together_g:  sum_{s in G_g} sum_k y_sk >= b_g  for every group g of stations
                0 <= y_sk <= 1, whole

    y_sk   1 when station s has a k-th vehicle, k up to K_s
    a_s    persons whose nearest station is s;  V vehicles of the city

A k-th vehicle is worth less than the one before, so they are taken in order; no vehicle can be moved to a station
where it would serve more people per vehicle (Balinski, Young 1982, Fair Representation), unless a group would be left
with too few. Of equal claims the earlier station has the first. K_s only keeps the model small: a solution that leaves
every K_s-th vehicle unused is the best of all.
"""

import pulp

from planner.models.mexclp import hold_together


def vehicle_allocation(persons, vehicles, most, together=()):
    """Return the PuLP model for ``persons`` a station (ordered by id), ``vehicles`` >= stations, ``most`` (K_s).

    ``together``: (positions, least) pairs of stations that hold so many vehicles between them.
    """
    stations = len(persons)
    model = pulp.LpProblem("vehicle_allocation", pulp.LpMaximize)
    y = [
        [model.add_variable(f"y{s:06d}_{k:04d}", 0, 1, pulp.LpInteger) for k in range(1, most[s] + 1)]
        for s in range(stations)
    ]
    model += pulp.LpAffineExpression(
        [(v, claim(persons[s], k, s, stations)) for s, row in enumerate(y) for k, v in enumerate(row, start=1)]
    )
    model += pulp.LpAffineExpression([(v, 1) for row in y for v in row]) == vehicles, "fleet"
    for s, row in enumerate(y):
        model += row[0] == 1, f"first_{s}"
    hold_together(model, y, together)
    return model


def claim(persons, k, position, stations):
    """Return the worth of a k-th vehicle; equal ones (less than half a person apart) go by the order of stations."""
    return (int(persons) + 0.4 * (stations - position) / stations) / (2 * k - 1)
