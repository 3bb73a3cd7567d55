"""Loops compiled by numba at their first call; the machine code is kept where the disk lets it be kept."""

import numba

_NEW = []  # compiled functions that do not keep their machine code yet: looking for a place to keep it is work


def compiled(function):
    """Return ``function``, compiled for one thread and without Python's lock: a page stays awake beside it."""
    loop = numba.njit(nogil=True)(function)
    _NEW.append(loop)
    return loop


def keep_machine_code():
    """Let every loop declared so far keep its machine code for the next process; to be called before any of them."""
    while _NEW:
        try:
            _NEW.pop().enable_caching()
        except RuntimeError:  # nowhere to keep it: neither beside the module nor in the user's own folder
            _NEW.clear()


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
