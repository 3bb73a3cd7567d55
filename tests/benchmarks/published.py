"""The p-median engine against the published optima of OR-Library's files pmed1 to pmed40.

    python -m tests.benchmarks.published FOLDER [seconds]

Reads the files pmed<k>.txt in FOLDER (they are not part of this project: Beasley, OR-Library), at most ``seconds`` a
file (300). Every vertex is a demand of weight 1 and a site; distances are shortest ways; of an edge given twice the
last counts. Exit 1 when a file has another optimum, stays unproven or is damaged.

First line "n edges p", then one line "from to length" an edge. Optima: Beasley (1985), European Journal of Operational
Research 21:270-273, as listed with the files.
"""

import re
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from planner.engine.found import Clock
from planner.engine.median import median
from planner.solve import OPTIMAL

OPTIMA = dict(
    enumerate(
        (5819, 4093, 4250, 3034, 1355, 7824, 5631, 4445, 2734, 1255)
        + (7696, 6634, 4374, 2968, 1729, 8162, 6999, 4809, 2845, 1789)
        + (9138, 8579, 4619, 2961, 1828, 9917, 8307, 4498, 3033, 1989)
        + (10086, 9297, 4700, 3013, 10400, 9934, 5057, 11060, 9423, 5128),
        start=1,
    )
)


def read(path):
    """Return (distances n x n whole numbers, p) of a file. Raises ValueError when edges are missing."""
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    n, edges, p = (int(k) for k in numbers[:3])
    if len(numbers) != 3 + 3 * edges:
        raise ValueError(f"{path.name}: the first line promises {edges} edges, {(len(numbers) - 3) / 3:g} are there")
    ways = np.full((n, n), np.inf)
    for a, b, length in numbers[3:].reshape(-1, 3):
        ways[a - 1, b - 1] = ways[b - 1, a - 1] = length
    graph = sparse.csr_array(np.where(np.isfinite(ways), ways, 0))
    return np.rint(shortest_path(graph, method="D", directed=False)).astype(np.int64), p


def main():
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
    numbered = {int(k[1]): path for path in folder.iterdir() if (k := re.fullmatch(r"pmed(\d+)\.txt", path.name))}
    print(f"{'file':8}{'n':>6}{'p':>6}{'published':>11}{'found':>9}{'bound':>11}  {'status':12}{'seconds':>9}")
    wrong = 0
    for k, path in sorted(numbered.items()):
        try:
            metres, p = read(path)
        except ValueError as fault:
            print(fault)
            wrong += 1
            continue
        began = time.process_time()
        plan = median(metres, np.ones(len(metres), dtype=np.int64), p, clock=Clock(seconds))
        took = time.process_time() - began
        good = plan.status == OPTIMAL and plan.objective == OPTIMA[k] == metres[:, plan.sites].min(axis=1).sum()
        wrong += not good
        print(
            f"pmed{k:<4}{len(metres):6}{p:6}{OPTIMA[k]:11}{plan.objective:9.0f}{plan.bound:11.1f}"
            f"  {plan.status:12}{took:9.2f}{'' if good else '   WRONG'}",
            flush=True,
        )
    print(f"{len(numbered) - wrong} of {len(numbered)} files at the published optimum, proven")
    sys.exit(1 if wrong or not numbered else 0)


if __name__ == "__main__":
    main()
