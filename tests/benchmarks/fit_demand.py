"""How well the demand rule meets the reference grid, as it stands and blind: each city by figures fitted to the others.

    JINYI_REFERENCE_DATA=<folder of the grid> python -m tests.benchmarks.fit_demand

Five figures of the rule are fitted (Nelder-Mead on the share in the wrong piece less r / 4, with people in proportion,
not yet whole, on a lattice of half the fineness), then the left-out city's demand points are made with them. The run
takes minutes and changes no file.
"""

import os
from contextlib import contextmanager

import numpy as np
import pandas as pd
from scipy.optimize import minimize

import geo.demand as rule
from geo.region import load_region, unproject
from tests.geo.test_demand import by_piece, compare, piece_of, reference_pieces

START = {"PEAK_PER_KM2": 4_000, "CITY_SHARE": 0.85, "PLACE_PULL": 5, "PLACE_METRES": 15_000, "TREND_POWER": 2}
EVALUATIONS = 90


@contextmanager
def figures(**values):
    """Let the rule use other figures for a while."""
    before = {name: getattr(rule, name) for name in values}
    try:
        for name, value in values.items():
            setattr(rule, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(rule, name, value)


class Trial:
    """The region on a coarser lattice, ready to be weighed again and again."""

    def __init__(self, region, cell_metres=2000, samples_a_side=2):
        self.region, self.cell_metres = region, cell_metres
        with figures(SAMPLES_A_SIDE=samples_a_side):
            self.samples = rule._lattice(region, cell_metres)
        lon, lat = unproject(region.projection, self.samples.x, self.samples.y)
        at = pd.DataFrame({"cell": piece_of(lon, lat), "county_code": region.counties.index[self.samples.county]})
        groups = at.groupby(["cell", "county_code"])
        self.piece, self.keys = groups.ngroup().to_numpy(), groups.size().index

    def persons(self, **values):
        """Return persons by (cell, county_code) of the reference grid under other figures of the rule."""
        with figures(**values):
            urban = rule._urban_weights(self.region, self.samples)
            rural = rule._rural_weights(self.region, self.samples, urban, self.cell_metres)
        placed = sum(self._shared(weights, setting) for weights, setting in ((urban, "urban"), (rural, "rural")))
        return pd.Series(np.bincount(self.piece, placed), index=self.keys)

    def _shared(self, weights, setting):
        total = np.bincount(self.samples.county, weights)
        part = np.divide(self.region.counties[setting].to_numpy(), total, out=np.zeros(len(total)), where=total > 0)
        return weights * part[self.samples.county]


def fitted(trial, pieces):
    """Return the figures that meet ``pieces`` best, starting from the rule's own."""
    names, start = list(START), np.array(list(START.values()), dtype=float)

    def values(x):
        found = dict(zip(names, start * np.exp(x), strict=True))
        return found | {"CITY_SHARE": min(found["CITY_SHARE"], 0.99)}

    def loss(x):
        found = trial.persons(**values(x))
        r, misplaced = compare(pieces, found[found.index.isin(pieces.index)])
        return misplaced - r / 4

    simplex = np.vstack([np.zeros(len(names)), 0.25 * np.eye(len(names))])
    best = minimize(loss, simplex[0], method="Nelder-Mead", options={"maxfev": EVALUATIONS, "initial_simplex": simplex})
    return values(best.x)


def main():
    region = load_region()
    pieces = reference_pieces(os.environ["JINYI_REFERENCE_DATA"])["persons"]
    city_of = region.counties["city_code"]
    city = pieces.index.get_level_values("county_code").map(city_of)
    own = by_piece(rule.build_demand(region))
    print("the rule as it stands: r {:.4f}, {:.2%} misplaced".format(*compare(pieces, own)))
    trial, blind = Trial(region), []
    for code, name in region.cities["name"].items():
        found = fitted(trial, pieces[city != code])
        with figures(**found):
            placed = by_piece(rule.build_demand(region))
        blind.append(placed[placed.index.get_level_values("county_code").map(city_of) == code])
        r, misplaced = compare(pieces[city == code], blind[-1])
        said = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
        print(f"{name} left out: r {r:.4f}, {misplaced:.2%} misplaced by {said}", flush=True)
    print("each city by the others: r {:.4f}, {:.2%} misplaced".format(*compare(pieces, pd.concat(blind))))


if __name__ == "__main__":
    main()
