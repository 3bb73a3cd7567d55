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
