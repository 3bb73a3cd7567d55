"""Whole beds by county, owner and kind under rules, some strict, some that may bend, and seven objectives over them.

    l_ic <= x_ic <= u_ic                                    beds of county i in cell c (an owner and a kind), whole
    total_i:     y_i = sum_c x_ic
    rule_r:      low_r <= sum w_ic x_ic + b_r - o_r <= high_r     strict rules have no b_r, o_r

    shortfall    sum_r weight_r (b_r + o_r)
    worst        z,  z <= A_i                               for every county with people (maximised)
    even         sum_i a_i e_i / sum_i a_i,                 e_i >= | A_i - sum_h a_h A_h / sum_h a_h |
    equal        sum_i s_i,                                 s_i >= | y_i - q_i |
    change       sum_ic n_ic + sum_ic d_ic,                 n_ic >= x_ic - now_ic,  d_ic >= now_ic - x_ic
    cost         sum_io built_io * new + (sum_c n_ic - built_io) * convert,   built_io = sum_c (x_ic - now_ic)
    travel       sum_ij km_ij f_ij / B,                     sum_j f_ij = a_i sum_h y_h / sum_h a_h,  sum_i f_ij <= y_j
    settle       sum_ic g_ic,                               g_ic >= | x_ic - guide_ic |

    A_i = sum_j K_ij y_j    beds per 1,000 persons within reach; K the matrix of floating catchment areas
    a_i persons;  q_i the city's beds shared out equally per person;  B all beds of the targets

The rows of an objective stand in the model only where the objective is asked for.
"""

from dataclasses import dataclass

import numpy as np
import pulp

OBJECTIVES = ("shortfall", "worst", "even", "equal", "change", "cost", "travel")
MAXIMISED = ("worst",)


@dataclass(frozen=True)
class Rule:
    """One linear rule over cells: ``low`` <= sum of weights x beds <= ``high`` (None = no such side).

    word, area  what it is and where (a code); they name the rule in tables and messages
    rows, cells, weights   equally long: positions of counties and cells, and the number each bed counts
    strict      False: it may bend, at ``weight`` for each bed
    aim         what fractions of a bed keep instead of ``low``, so that whole beds find room beside them; None = low
    """

    word: str
    area: str
    rows: tuple
    cells: tuple
    weights: tuple
    low: float | None = None
    high: float | None = None
    strict: bool = True
    weight: float = 1.0
    aim: float | None = None


@dataclass(frozen=True)
class BedQuestion:
    """All that a bed allocation is decided by; arrays are on counties x cells unless they say otherwise.

    persons       int, counties
    reach         K, counties x counties
    now, lowest, highest, guide   int beds
    equal         int, counties
    added         bool, cells: new beds in it count as change and cost; ``closed``: closed beds in it count as change
    owners        tuple of tuples: the cells of each owner whose beds are built and converted
    rules         of :class:`Rule`
    km            counties x counties, or None where no way is asked for
    prices        (new, convert) in 10,000 yuan a bed; ``budget`` None = no limit
    """

    persons: np.ndarray
    reach: np.ndarray
    now: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    guide: np.ndarray
    equal: np.ndarray
    added: np.ndarray
    closed: np.ndarray
    owners: tuple
    rules: tuple
    km: np.ndarray | None
    prices: tuple
    budget: float | None


@dataclass(frozen=True)
class BedModel:
    """The PuLP model, its variables x (list of lists) and the expression of each objective by name."""

    model: pulp.LpProblem
    x: list
    objectives: dict


def bed_quotas(question, objectives, *, whole=True):
    """Return the :class:`BedModel` of a :class:`BedQuestion` with the rows of ``objectives`` ("settle" among them).

    ``whole`` False relaxes the beds to fractions. The model has no objective yet.
    """
    model = pulp.LpProblem("bed_quotas", pulp.LpMinimize)
    kind = pulp.LpInteger if whole else pulp.LpContinuous
    m, cells = question.now.shape
    x = [
        [
            model.add_variable(f"x{i:05d}_{c:02d}", int(question.lowest[i, c]), int(question.highest[i, c]), kind)
            for c in range(cells)
        ]
        for i in range(m)
    ]
    y = [model.add_variable(f"y{i:05d}", 0) for i in range(m)]
    for i in range(m):
        model += pulp.LpAffineExpression([(y[i], 1), *((v, -1) for v in x[i])]) == 0, f"total_{i}"
    parts = _Parts(question, model, x, y, whole)
    made = {"shortfall": parts.rules()}
    if question.budget is not None or {"change", "cost"} & set(objectives):
        made |= parts.change_and_cost()
    if question.budget is not None:
        model += made["cost"] <= question.budget, "budget"
    for name in ("worst", "even", "equal", "travel", "settle"):
        if name in objectives:
            made[name] = getattr(parts, name)()
    return BedModel(model, x, {name: made[name] for name in objectives})


def minimise(made, parts):
    """Give a :class:`BedModel` its objective: a weighted sum {objective: weight}; what is maximised counts negative."""
    model = made.model
    model += _sum(made, parts)


def hold(made, parts, most, name):
    """Add the row that a weighted sum of objectives is at most ``most``."""
    model = made.model
    model += _sum(made, parts) <= most, name


def _sum(made, parts):
    return pulp.lpSum(
        (-weight if word in MAXIMISED else weight) * made.objectives[word] for word, weight in parts.items()
    )


class _Parts:
    """The rows of one model; each method adds those of an objective and returns its expression."""

    def __init__(self, question, model, x, y, whole):
        self.q, self.model, self.x, self.y, self.whole = question, model, x, y, whole
        self._access = None

    def rules(self):
        """Add every rule; return what bending them costs."""
        bent = []
        for r, rule in enumerate(self.q.rules):
            terms = [(self.x[i][c], float(w)) for i, c, w in zip(rule.rows, rule.cells, rule.weights, strict=True) if w]
            low = rule.low if self.whole or rule.aim is None else rule.aim
            for side, bound, sign in (("low", low, 1), ("high", rule.high, -1)):
                if bound is None:
                    continue
                more = []
                if not rule.strict:
                    slack = self.model.add_variable(f"b{r:05d}_{side}", 0)
                    more, bent = [(slack, sign)], [*bent, (slack, float(rule.weight))]
                left = pulp.LpAffineExpression([*terms, *more])
                row = left >= float(bound) if side == "low" else left <= float(bound)
                self.model += row, f"rule_{r}_{side}"
        return pulp.LpAffineExpression(bent)

    def access(self):
        """Return (variables A_i, the mean's variable), with their rows."""
        if self._access is None:
            q, m = self.q, len(self.y)
            reach = [self.model.add_variable(f"a{i:05d}", 0) for i in range(m)]
            for i in range(m):
                terms = [(self.y[j], -float(q.reach[i, j])) for j in np.flatnonzero(q.reach[i])]
                self.model += pulp.LpAffineExpression([(reach[i], 1), *terms]) == 0, f"access_{i}"
            mean = self.model.add_variable("mean", 0)
            shares = self._shares()
            terms = [(reach[i], -float(shares[i])) for i in np.flatnonzero(shares)]
            self.model += pulp.LpAffineExpression([(mean, 1), *terms]) == 0, "mean_access"
            self._access = reach, mean
        return self._access

    def _shares(self):
        return self.q.persons / max(float(self.q.persons.sum()), 1.0)

    def worst(self):
        reach, _ = self.access()
        z = self.model.add_variable("z", 0)
        for i in np.flatnonzero(self.q.persons > 0):
            self.model += pulp.LpAffineExpression([(z, 1), (reach[i], -1)]) <= 0, f"worst_{i}"
        return pulp.LpAffineExpression([(z, 1)])

    def even(self):
        reach, mean = self.access()
        shares = self._shares()
        terms = []
        for i in np.flatnonzero(shares):
            e = self.model.add_variable(f"e{i:05d}", 0)
            self.model += pulp.LpAffineExpression([(e, 1), (reach[i], -1), (mean, 1)]) >= 0, f"above_{i}"
            self.model += pulp.LpAffineExpression([(e, 1), (reach[i], 1), (mean, -1)]) >= 0, f"below_{i}"
            terms.append((e, float(shares[i])))
        return pulp.LpAffineExpression(terms)

    def equal(self):
        counties = enumerate(zip(self.y, self.q.equal, strict=True))
        return self._away("s", [(y, int(q), f"{i:05d}") for i, (y, q) in counties])

    def settle(self):
        cells = [
            (self.x[i][c], int(self.q.guide[i, c]), f"{i:05d}_{c:02d}")
            for i in range(len(self.y))
            for c in range(self.q.now.shape[1])
            if self.q.lowest[i, c] < self.q.highest[i, c]
        ]
        return self._away("g", cells)

    def _away(self, letter, pairs):
        terms = []
        for v, at, name in pairs:
            away = self.model.add_variable(letter + name, 0)
            self.model += pulp.LpAffineExpression([(away, 1), (v, -1)]) >= -at, f"more_{letter}{name}"
            self.model += pulp.LpAffineExpression([(away, 1), (v, 1)]) >= at, f"less_{letter}{name}"
            terms.append((away, 1))
        return pulp.LpAffineExpression(terms)

    def change_and_cost(self):
        q, new, convert = self.q, float(self.q.prices[0]), float(self.q.prices[1])
        change, cost, constant = [], [], 0.0
        for i in range(len(self.y)):
            for c in np.flatnonzero(q.added):
                n = self.model.add_variable(f"n{i:05d}_{c:02d}", 0)
                self.model += (
                    pulp.LpAffineExpression([(n, 1), (self.x[i][c], -1)]) >= -int(q.now[i, c]),
                    f"added_{i}_{c}",
                )
                change.append((n, 1))
                cost.append((n, convert))
            for c in np.flatnonzero(q.closed):
                d = self.model.add_variable(f"d{i:05d}_{c:02d}", 0)
                self.model += (
                    pulp.LpAffineExpression([(d, 1), (self.x[i][c], 1)]) >= int(q.now[i, c]),
                    f"closed_{i}_{c}",
                )
                change.append((d, 1))
            for owner in q.owners:
                cost += [(self.x[i][c], new - convert) for c in owner]
                constant -= (new - convert) * int(sum(q.now[i, c] for c in owner))
        return {
            "change": pulp.LpAffineExpression(change),
            "cost": pulp.LpAffineExpression(cost, constant=constant),
        }

    def travel(self):
        q, m = self.q, len(self.y)
        shares = self._shares()
        total = self.model.add_variable("all_beds", 0)
        self.model += pulp.LpAffineExpression([(total, 1), *((v, -1) for v in self.y)]) == 0, "all"
        people = np.flatnonzero(shares)
        flow = {(i, j): self.model.add_variable(f"f{i:05d}_{j:05d}", 0) for i in people for j in range(m)}
        for i in people:
            terms = [(flow[i, j], 1) for j in range(m)]
            self.model += pulp.LpAffineExpression([*terms, (total, -float(shares[i]))]) == 0, f"claims_{i}"
        for j in range(m):
            terms = [(flow[i, j], 1) for i in people]
            self.model += pulp.LpAffineExpression([*terms, (self.y[j], -1)]) <= 0, f"beds_{j}"
        scale = max(float(self.q.equal.sum()), 1.0)
        return pulp.LpAffineExpression([(v, float(q.km[i, j]) / scale) for (i, j), v in flow.items() if q.km[i, j]])
