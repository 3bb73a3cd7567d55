"""Loops compiled by numba at their first call; the machine code is kept where the disk lets it be kept."""

import numba


def compiled(function):
    """Return ``function`` compiled for one thread, without Python's lock, so that a page stays awake beside it."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep it: neither beside the module nor in the user's own folder
        return numba.njit(nogil=True)(function)
