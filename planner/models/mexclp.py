"""Maximum expected covering location problem (Daskin 1983, Transportation Science 17:48-70).

maximise    sum_i  a_i sum_k (1 - q) q^(k-1) y_ik
subject to  serve_i:     sum_k y_ik <= sum_{j in N_i} x_j    for every demand row i
            fleet:       sum_j x_j = P
            together_g:  sum_{j in G_g} x_j >= b_g           for every group g of stations
            x_j >= b_j, whole;  0 <= y_ik <= 1

x_j    vehicles at station j, at least b_j
y_ik   1 when demand row i has a k-th vehicle within the standard
a_i    persons of row i
N_i    stations within the standard of row i
q      the share of time in which a vehicle is busy, the same for all, each independently of the others
P      vehicles

A row with k vehicles within the standard finds one free with probability 1 - q^k, and a k-th adds (1 - q) q^(k-1) to
that: less than the one before, so the y_ik fill in order and are whole once x is. A row has at least
B_i = sum_{j in N_i} b_j vehicles in every plan, worth a_i (1 - q^B_i); only the y_ik with k > B_i are variables.
"""

import pulp


def mexclp(cover, persons, vehicles, busy, at_least, *, together=(), longest=None):
    """Return (model, x): the objective is persons expected to find a free vehicle within the standard.

    cover     CSR array of 1, rows x stations;  persons  a row
    vehicles  P, no less than the sum of ``at_least`` (b_j, whole numbers, one a station)
    busy      q, 0 <= q < 1
    together  (positions, b_g) pairs: stations that hold at least b_g vehicles between them
    longest   the k - B_i at which the chain of row i ends, one a row (None: where P ends it); what is cut off is worth
              less than a_i q^(B_i + longest_i)
    """
    rows, stations = cover.shape
    spare = vehicles - int(sum(at_least))
    model = pulp.LpProblem("mexclp", pulp.LpMaximize)
    x = [model.add_variable(f"x{j:06d}", int(at_least[j]), vehicles, pulp.LpInteger) for j in range(stations)]
    worth, always, chains = [], 0.0, []
    for i in range(rows):
        near = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
        base = int(sum(at_least[j] for j in near))
        always += float(persons[i]) * (1.0 - busy**base)
        last = spare if longest is None else min(spare, int(longest[i]))
        chain = [model.add_variable(f"y{i:06d}_{base + k:05d}", 0, 1) for k in range(1, last + 1)]
        worth += [(y, float(persons[i]) * (1.0 - busy) * busy ** (base + k)) for k, y in enumerate(chain)]
        chains.append((chain, near, base))
    model += pulp.LpAffineExpression(worth, constant=always)
    for i, (chain, near, base) in enumerate(chains):
        if chain:
            model += (
                pulp.LpAffineExpression([(y, 1) for y in chain] + [(x[j], -1) for j in near]) <= -base,
                f"serve_{i}",
            )
    model += pulp.LpAffineExpression([(v, 1) for v in x]) == vehicles, "fleet"
    hold_together(model, x, together)
    return model, x


def hold_together(model, vehicles, together):
    """Add together_g to ``model``: each group of ``vehicles`` (variables, or lists of them) holds at least b_g."""
    for g, (positions, least) in enumerate(together):
        parts = [vehicles[j] if isinstance(vehicles[j], list) else [vehicles[j]] for j in positions]
        model += pulp.LpAffineExpression([(v, 1) for part in parts for v in part]) >= int(least), f"together_{g}"
