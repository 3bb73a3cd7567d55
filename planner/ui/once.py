"""What is worked out of an answer once, for all who look at it: answers do not change, and sessions share them."""

import threading
from collections import OrderedDict

MOST = 160
_LOCK = threading.Lock()
_HELD = OrderedDict()


def once(whole, key, make):
    """Return ``make()`` of ``whole``, worked out the first time it is asked for under ``key`` (hashable).

    Held with ``whole`` itself, so that another that comes to lie in its place is never taken for it; the least asked
    for is forgotten first. What is given is shared: leave it as it is.
    """
    at = (id(whole), key)
    with _LOCK:
        held = _HELD.get(at)
        if held is not None and held[0] is whole:
            _HELD.move_to_end(at)
            return held[1]
    made = make()
    with _LOCK:
        _HELD[at] = (whole, made)
        _HELD.move_to_end(at)
        while len(_HELD) > MOST:
            _HELD.popitem(last=False)
    return made
