"""Capacitated p-median against the published optima of OR-Library's pmedcap1 (Osman, Christofides 1994).

    python -m tests.benchmarks.published_capacitated FOLDER [seconds]

FOLDER holds the instances as text: ``pmedcap1.txt`` (all in one, with their number first) or one file each, named
``pmedcap1(1).txt`` and so on. An instance is: its number and published optimum, then customers, p and capacity, then
number, x, y and demand of each customer. Distances are Euclidean, rounded down; each customer counts once whatever its
demand. Printed: instance, n, p, published optimum, found, bound, status, seconds on the clock and of the processor.
Ends with 1 where a proven answer differs from the published one, or a plan or bound contradicts it.
"""

import sys
import time
from pathlib import Path

import numpy as np

from planner.engine.capacity import capacitated_p_median
from planner.engine.found import Clock
from planner.models.wishes import Wishes

OPTIMA = (713, 740, 751, 651, 664, 778, 787, 820, 715, 829, 1006, 966, 1026, 982, 1091, 954, 1034, 1043, 1031, 1005)


def instances(folder):
    """Yield (number, p, capacity, customers: number, x, y, demand) of every instance in ``folder``, by number."""
    found = {}
    for path in sorted(Path(folder).glob("pmedcap1*.txt")):
        words = path.read_text("utf-8").split()
        if path.name == "pmedcap1.txt":
            words = words[1:]
        at = 0
        while at < len(words):
            number, n, p, capacity = (int(float(words[at + k])) for k in (0, 2, 3, 4))
            rows = np.array(words[at + 5 : at + 5 + 4 * n], dtype=float).reshape(n, 4)
            found[number] = (number, p, capacity, rows)
            at += 5 + 4 * n
    return [found[number] for number in sorted(found)]


def solved(p, capacity, customers, seconds):
    """Return the Found of one instance."""
    x, y, demand = customers[:, 1], customers[:, 2], customers[:, 3].astype(np.int64)
    metres = np.floor(np.hypot(x[:, None] - x, y[:, None] - y)).astype(np.int64)
    n = len(demand)
    wishes = Wishes(capacity=np.full(n, capacity))
    found, _ = capacitated_p_median(
        metres, demand, p, wishes, rank=None, gap=0.0, clock=Clock(seconds), weights=np.ones(n, dtype=np.int64)
    )
    return found


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    wrong = 0
    asked = instances(sys.argv[1])
    if not asked:
        sys.exit(f"no pmedcap1*.txt in {sys.argv[1]}")
    number, p, capacity, customers = asked[0]
    solved(p, capacity, customers, seconds)  # the loops are compiled once a machine; that is not what is timed
    print(
        f"{'instance':>8}{'n':>5}{'p':>4}{'published':>11}{'found':>8}{'bound':>8}  {'status':10}{'s':>8}{'cpu s':>8}"
    )
    for number, p, capacity, customers in asked:
        wall, processor = time.perf_counter(), time.process_time()
        found = solved(p, capacity, customers, seconds)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        best = OPTIMA[number - 1]
        agrees = found.objective is None or found.objective >= best
        agrees &= found.bound is None or found.bound <= best
        wrong += not agrees
        print(
            f"{number:8}{len(customers):5}{p:4}{best:11}{found.objective or 0:8.0f}{found.bound or 0:8.0f}  "
            f"{found.status:10}{wall:8.2f}{processor:8.2f}{'' if agrees else '   DISAGREES'}",
            flush=True,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
