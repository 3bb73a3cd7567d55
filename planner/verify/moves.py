"""Changes of one bed that a plan allows, and what each makes of an objective."""

from dataclasses import dataclass

import numpy as np

from planner.verify import access
from planner.verify.bed_rules import cost, rules_of
from planner.verify.limits import cell_limits, limits_of
from planner.verify.stock import CELLS, GROWING, stock_of
from planner.verify.worth import MAXIMISED, worths

HAIR = 1e-9
AT_ONCE = 4_000  # moves whose rules, or whose counties, are worked out together
ON_COUNTIES = ("worst", "even", "equal")
ON_CELLS = ("shortfall", "change", "cost")


@dataclass(frozen=True)
class Moves:
    """One bed goes from a cell of a county to another: to another kind there, or to the same in a county of its city.

    Positions of counties and of ``CELLS``, equally long arrays.
    """

    county: np.ndarray
    cell: np.ndarray
    to_county: np.ndarray
    to_cell: np.ndarray

    def __len__(self):
        return len(self.county)

    def __getitem__(self, chosen):
        return Moves(self.county[chosen], self.cell[chosen], self.to_county[chosen], self.to_cell[chosen])

    def told(self, facts, at):
        """Return a move as a message prints it."""
        ends = []
        for county, cell in ((self.county[at], self.cell[at]), (self.to_county[at], self.to_cell[at])):
            ends.append(f"{facts.counties[county]['code']} {' '.join(CELLS[cell])}")
        return " -> ".join(ends)


def best_move(facts, cells, name):
    """Return (the change, the objective's value after it) of the best single move that keeps every must.

    None where there is none, and for an objective that no single move is tried for.
    """
    if name not in (*ON_COUNTIES, *ON_CELLS):
        return None
    best, beds = None, Beds(facts, cells)
    for city in facts.cities:
        moves = beds.allowed(facts.counties_of(city["code"]))
        for first in range(0, len(moves), AT_ONCE):
            some = moves[slice(first, first + AT_ONCE)]
            values = beds.worth_after(name, some)
            at = int(values.argmax() if name in MAXIMISED else values.argmin())
            if best is None or (values[at] > best[1] if name in MAXIMISED else values[at] < best[1]):
                best = some.told(facts, at), float(values[at])
    return best


class Beds:
    """A plan's beds as arrays, counties x cells, with all that bounds them."""

    def __init__(self, facts, cells):
        self.facts = facts
        self.x = _array(cells)
        self.now = _array(stock_of(facts).cells)
        bounds = [[cell_limits(facts, stock_of(facts), i, cell) for cell in CELLS] for i in range(len(self.x))]
        self.low = np.array([[least for least, _ in row] for row in bounds], dtype=float)
        self.high = np.array([[np.inf if most is None else most for _, most in row] for row in bounds], dtype=float)
        self.growing = np.array([owner in GROWING for owner, _ in CELLS])
        self.owner = np.array([GROWING.index(owner) if owner in GROWING else -1 for owner, _ in CELLS])
        self.spare = np.column_stack([(self.x - self.now)[:, self.owner == k].sum(axis=1) for k in range(len(GROWING))])
        self.totals, self.highest = self.x.sum(axis=1), np.array(limits_of(facts).highest)
        self.cost = float(cost(facts, cells))
        self.worth = worths(facts, cells, ("shortfall", "change"))
        self._read_rules(cells)

    def _read_rules(self, cells):
        """Rules as rows: the weight of each cell in each rule, what the plan has of it, and its bounds."""
        position = {cell: c for c, cell in enumerate(CELLS)}
        rules = [rule for rule in rules_of(self.facts) if rule.strict or rule.weight]
        self.weights = np.zeros((len(rules), *self.x.shape))
        for row, rule in enumerate(rules):
            for (i, cell), weight in rule.terms.items():
                self.weights[row, i, position[cell]] = weight
        self.got = np.array([float(rule.got(cells)) for rule in rules])
        self.least = np.array([-np.inf if rule.low is None else float(rule.low) for rule in rules])
        self.most = np.array([np.inf if rule.high is None else float(rule.high) for rule in rules])
        self.bent = np.array([float(rule.bent(rule.got(cells))) for rule in rules])
        self.touched = self.weights.any(axis=2)  # rules x counties
        self.strict = np.array([rule.strict for rule in rules], dtype=bool)
        self.penalty = np.array([0.0 if rule.strict else rule.weight for rule in rules])

    def allowed(self, members):
        """Return the :class:`Moves` within a city (positions of its counties) that no must forbids."""
        members, every = np.array(members, dtype=int), np.arange(len(CELLS))
        within = np.meshgrid(members, every, every, indexing="ij")
        between = np.meshgrid(members, every, members, indexing="ij")
        moves = Moves(
            np.concatenate([within[0].ravel(), between[0].ravel()]),
            np.concatenate([within[1].ravel(), between[1].ravel()]),
            np.concatenate([within[0].ravel(), between[2].ravel()]),
            np.concatenate([within[2].ravel(), between[1].ravel()]),
        )
        moves = moves[self._fits(moves)]
        kept = np.zeros(len(moves), dtype=bool)
        for first in range(0, len(moves), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            rows, bent = self._bent(moves[some])
            kept[some] = ~(bent[self.strict[rows]] > HAIR).any(axis=0)
        if self.facts.scenario.beds_budget:
            kept &= self._cost(moves) <= float(self.facts.scenario.beds_budget) + HAIR
        return moves[kept]

    def _fits(self, moves):
        """Return which moves the bounds of cells, owners and counties allow."""
        away, to = (moves.county, moves.cell), (moves.to_county, moves.to_cell)
        fits = (self.x[away] > self.low[away]) & (self.x[to] < self.high[to])
        fits &= (moves.county != moves.to_county) | (moves.cell != moves.to_cell)
        leaves = (moves.county != moves.to_county) | (self.owner[moves.cell] != self.owner[moves.to_cell])
        spare = self.spare[moves.county, np.maximum(self.owner[moves.cell], 0)]
        fits &= ~leaves | (self.owner[moves.cell] < 0) | (spare > 0)
        moved = moves.county != moves.to_county
        return fits & (~moved | (self.totals[moves.to_county] < self.highest[moves.to_county]))

    def _bent(self, moves):
        """Return (rows, how far each of these rules is bent after each move); the other rules are as they were."""
        rows = np.flatnonzero(self.touched[:, np.union1d(moves.county, moves.to_county)].any(axis=1))
        weights = self.weights[rows]
        got = self.got[rows, None] - weights[:, moves.county, moves.cell] + weights[:, moves.to_county, moves.to_cell]
        return rows, np.maximum(self.least[rows, None] - got, 0) + np.maximum(got - self.most[rows, None], 0)

    def _grown(self, moves):
        """Return how many more beds are new where they are, and how many more are built, after each move."""
        away, to = (moves.county, moves.cell), (moves.to_county, moves.to_cell)
        added = -((self.x > self.now)[away] & self.growing[moves.cell]).astype(int)
        added += (self.x >= self.now)[to] & self.growing[moves.to_cell]
        return added, self.growing[moves.to_cell].astype(int) - self.growing[moves.cell]

    def _cost(self, moves):
        added, built = self._grown(moves)
        new, convert = (float(getattr(self.facts.scenario, f"beds_cost_{kind}")) for kind in ("new", "convert"))
        return self.cost + new * built + convert * (added - built)

    def worth_after(self, name, moves):
        """Return the objective's value after each move."""
        if name == "shortfall":
            rows, bent = self._bent(moves)
            before = self.penalty[rows] @ self.bent[rows]
            return float(self.worth["shortfall"]) - before + self.penalty[rows] @ bent
        if name == "cost":
            return self._cost(moves)
        if name == "change":
            added, _ = self._grown(moves)
            closed = [cell == ("other_public", "general") for cell in CELLS]
            shut, opened = np.array(closed)[moves.cell], np.array(closed)[moves.to_cell]
            return float(self.worth["change"]) + added + shut.astype(int) - opened
        totals = np.repeat(self.totals[:, None], len(moves), axis=1)
        at = np.arange(len(moves))
        totals[moves.county, at] -= 1
        totals[moves.to_county, at] += 1
        if name == "equal":
            return np.abs(totals - np.array(limits_of(self.facts).equal)[:, None]).sum(axis=0)
        within, persons = access.reach_matrix(self.facts) @ totals, self.facts.county_persons
        if name == "worst":
            return within[persons > 0].min(axis=0)
        share = persons / max(persons.sum(), 1)
        return share @ np.abs(within - share @ within)


def _array(cells):
    return np.array([[county[cell] for cell in CELLS] for county in cells], dtype=float).reshape(-1, len(CELLS))
