"""Small steps that the engine's compiled loops share."""

from geo.compiled import compiled


@compiled
def copied(given, into):
    """Copy ``given`` into an array of its length; a slice would do, whose checks take seconds to compile."""
    for i in range(len(given)):
        into[i] = given[i]


@compiled
def mark_smallest(values, count, spare, marked):
    """Set ``marked`` (booleans) where the ``count`` smallest values are, of equal ones the earlier; ``spare`` is space.

    By quickselect: numpy's own sorts take seconds to compile.
    """
    copied(values, spare)
    low, high, k = 0, len(values) - 1, count - 1
    while low < high:
        pivot, i, j = spare[(low + high) // 2], low, high
        while i <= j:
            while spare[i] < pivot:
                i += 1
            while spare[j] > pivot:
                j -= 1
            if i <= j:
                spare[i], spare[j] = spare[j], spare[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    left = count
    for j in range(len(values)):
        marked[j] = count > 0 and values[j] < spare[k]
        left -= marked[j]
    for j in range(len(values)):
        if left > 0 and values[j] == spare[k]:
            marked[j] = True
            left -= 1
