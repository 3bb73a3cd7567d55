"""What a covering question can do without: rows that another row implies, sites that another site replaces.

Sets are kept as bits, 64 to a word, so that a thousand sets are compared with each other in a few thousandths of a
second (reductions of Toregas, ReVelle 1972, Papers of the Regional Science Association 28:133-144).
"""

import numpy as np
from scipy import sparse

from planner.engine.compiled import compiled


def reduced(within):
    """Return (cover, columns, stands_for) of an array of booleans, rows x sites: row i may be served by site j.

    cover       CSR array of 1, the rows and sites that are left; rows that any cover of them serves too are gone
    columns     positions of its sites: another serves no less than a site that is gone, of equal ones the first stays
    stands_for  for each site of ``within`` the column of ``cover`` that serves all it serves there; -1 for no row
    """
    rows, columns = np.arange(within.shape[0]), np.arange(within.shape[1])
    stands_for = columns.copy()
    before = None
    while before != (len(rows), len(columns)):
        before = (len(rows), len(columns))
        left = within[np.ix_(rows, columns)]
        rows = rows[_replaced_by(left, smaller=True) < 0]
        left = np.ascontiguousarray(within[np.ix_(rows, columns)].T)
        by = _replaced_by(left, smaller=False)
        gone = np.flatnonzero(by >= 0)
        stands_for = _followed(stands_for, columns, gone, by)
        columns = columns[(by < 0) & left.any(axis=1)]
    cover = sparse.csr_array(within[np.ix_(rows, columns)].astype(np.int32))
    place = np.full(within.shape[1], -1)
    place[columns] = np.arange(len(columns))
    return cover, columns, place[stands_for]


def telling_rows(within):
    """Return positions, sorted, of the rows of booleans that contain no other row: who covers them covers all."""
    return np.flatnonzero(_replaced_by(within, smaller=True) < 0)


def _followed(stands_for, columns, gone, by):
    """Return ``stands_for`` after the columns ``gone`` gave way to those at ``by``, which stay."""
    now = np.arange(len(stands_for))
    now[columns[gone]] = columns[by[gone]]
    return now[stands_for]


def _replaced_by(sets, smaller):
    """Return for each row of booleans the row that makes it needless, -1 for those that stay.

    smaller=True: a set goes that contains another; smaller=False: one that another contains. Of equal ones the first
    stays; whoever makes another needless stays itself.
    """
    size = sets.sum(axis=1)
    order = np.argsort(size if smaller else -size, kind="stable")
    packed = np.packbits(sets, axis=1)
    octets = np.zeros((len(sets), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    octets[:, : packed.shape[1]] = packed
    return _compare(octets.view(np.uint64), order, smaller)


@compiled
def _compare(words, order, smaller):
    by = np.full(len(order), -1, dtype=np.int64)
    kept = np.empty(len(order), dtype=np.int64)
    count = 0
    for i in order:
        for q in range(count):
            k = kept[q]
            inside = True
            for w in range(words.shape[1]):
                outer, inner = (words[i, w], words[k, w]) if smaller else (words[k, w], words[i, w])
                if inner & ~outer:
                    inside = False
                    break
            if inside:
                by[i] = k
                break
        if by[i] < 0:
            kept[count] = i
            count += 1
    return by
