"""What a distribution of beds means for people: how many beds lie within reach of them, and how evenly."""

import numpy as np

from geo.travel import arcs_within, is_covered, seat_points

POINTS_AT_ONCE = 100_000  # demand points: their pairs with seats within reach are some 15 MB a working array


def e2sfca(demand, counties, reach_metres, weights, detour_factor=1.0):
    """Return K, ndarray counties x counties: beds within reach per 1,000 persons, A = K @ beds.

    Enhanced two-step floating catchment areas (Luo, Wang 2003, Environment and Planning B 30:865-884; Luo, Qi 2009,
    Health & Place 15:1100-1107), people at demand points, beds at county seats, both steps over the same bands:

        w_kj = weights[b - 1], b the smallest of 1..B with d_kj <= b * reach_metres / B; 0 beyond reach
        step 1    R_j = beds_j / sum_k p_k w_kj                         seat j is shared by all who reach it
        step 2    A_k = 1000 * sum_j w_kj R_j                           point k
                  A_i = sum_{k in i} p_k A_k / sum_{k in i} p_k         county i: what its average person has

    demand         DataFrame: lon, lat (degrees; or x, y on a plane), persons (whole), county_code
    counties       DataFrame on code: seat_lon, seat_lat (or seat_x, seat_y); the order of rows and columns of K
    reach_metres   whole metres; a band's own limit is in the band, decided in whole metres exactly
    weights        of the B equally wide bands, from the nearest; numbers in (0, 1], not rising
    detour_factor  of straight lines

    Supply is shared out, all of it, once: sum_i p_i A_i = 1000 * the beds at seats that anybody reaches. A bed that
    nobody reaches counts for no one; a county without people has row 0. The order of demand points changes no bit, and
    one point or two with the same people at the same place are the same. Raises ValueError when a demand point lies in
    no county of ``counties``.
    """
    county = counties.index.get_indexer(demand["county_code"])
    if (county < 0).any():
        raise ValueError(f"demand in unknown county {demand['county_code'].iloc[int((county < 0).argmax())]!r}")
    seats = seat_points(counties)
    persons = demand["persons"].to_numpy(dtype=np.int64)
    bands = len(weights)
    # Whole persons by outer limit, county and seat: sums of whole numbers are the same in every order.
    inside = np.zeros((bands, len(counties), len(counties)), dtype=np.int64)
    for first in range(0, len(demand), POINTS_AT_ONCE):
        some = slice(first, first + POINTS_AT_ONCE)
        arcs = arcs_within(demand.iloc[some], seats, reach_metres, detour_factor)
        point, seat = np.repeat(np.arange(arcs.shape[0]), np.diff(arcs.indptr)), arcs.indices
        for b in range(bands):
            near = is_covered(arcs.data * bands, (b + 1) * reach_metres)
            np.add.at(inside[b], (county[some][point[near]], seat[near]), persons[some][point[near]])
    by_band = np.diff(inside, axis=0, prepend=0)
    weight = np.asarray([float(w) for w in weights])[:, None, None]
    reached = (weight * by_band).sum(axis=0)
    shared_by = (weight[:, :, 0] * by_band.sum(axis=1)).sum(axis=0)
    people = np.bincount(county, weights=persons, minlength=len(counties))
    crowd = people[:, None] * shared_by[None, :]
    return np.divide(1000.0 * reached, crowd, out=np.zeros_like(crowd), where=crowd > 0)


def gini(values, persons):
    """Return the Gini coefficient of ``values`` among people: 0 = all have the same, towards 1 = one has everything.

    sum_ij p_i p_j |v_i - v_j| / (2 P^2 mean): the mean difference between two persons, over twice the mean. ``values``
    (not negative) and ``persons`` (whole) are arrays of one length. 0 where nobody lives or nobody has anything.
    """
    values, persons = _ordered(values, persons)
    total = int(persons.sum())
    owned = float((persons * values).sum())
    if not owned:
        return 0.0
    below = np.cumsum(persons)[:-1].astype(float)
    return float((np.diff(values) * below * (total - below)).sum() / (total * owned))


def deviation(values, persons):
    """Return the persons-weighted mean of |value - mean|, the mean persons-weighted too; 0 where nobody lives."""
    values, persons = _ordered(values, persons)
    total = int(persons.sum())
    if not total:
        return 0.0
    mean = (persons * values).sum() / total
    return float((persons * np.abs(values - mean)).sum() / total)


def worst(values, persons):
    """Return the position of the least of ``values`` among places with people; of equal ones the first.

    Raises ValueError when nobody lives anywhere.
    """
    lived_in = np.flatnonzero(np.asarray(persons) > 0)
    if not len(lived_in):
        raise ValueError("nobody lives in any of these places, so none of them is the worst off")
    return int(lived_in[np.argmin(np.asarray(values, dtype=float)[lived_in])])


def _ordered(values, persons):
    """Both by value, then persons, so that the order in which places are given changes no bit of a sum."""
    values, persons = np.asarray(values, dtype=float), np.asarray(persons, dtype=np.int64)
    order = np.lexsort((persons, values))
    return values[order], persons[order]
