"""What a distribution of beds means for people: how many beds lie within reach, and how evenly."""

import numpy as np
import pandas as pd

from geo.travel import distances, is_covered


def reach_matrix(counties, reach_metres, detour_factor=1.0):
    """Return K, counties x counties: beds within reach per 1,000 persons = K @ beds.

    Two-step floating catchment areas (Luo, Wang 2003, Environment and Planning B 30:865-884). Step 1: a bed at seat j
    is shared by all persons of the counties whose seat lies within reach of j: P_j. Step 2: county i has within reach
    the beds of every seat j within reach of its own: A_i = 1000 * sum_j beds_j / P_j. ``counties`` has columns
    seat_x, seat_y (whole metres) and persons.
    """
    seats = pd.DataFrame({"x": counties["seat_x"], "y": counties["seat_y"]})
    within = is_covered(distances(seats, seats, detour_factor), reach_metres)
    persons = counties["persons"].to_numpy(dtype=np.int64)
    shared_by = within.T @ persons
    # Nobody to share a bed with: the bed reaches no one, and counts for no one.
    return np.where(within & (shared_by[None, :] > 0), 1000.0 / np.maximum(shared_by, 1)[None, :], 0.0)


def spread(reach, persons, groups):
    """Return how uneven ``reach`` is within its groups: the persons-weighted mean distance from the group's own mean.

    All three are arrays on counties; in beds per 1,000 persons; 0 = everyone of a group has the same within reach.
    """
    frame = pd.DataFrame({"reach": reach, "persons": np.asarray(persons, dtype=float), "group": np.asarray(groups)})
    total = frame["persons"].groupby(frame["group"]).transform("sum")
    mean = (frame["reach"] * frame["persons"]).groupby(frame["group"]).transform("sum") / total
    return float(((frame["reach"] - mean).abs() * frame["persons"]).sum() / frame["persons"].sum())
