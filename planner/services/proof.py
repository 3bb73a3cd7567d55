"""Proof: how good a model's answer is known to be, as it is printed beside every result."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Proof:
    """``objective`` in ``unit``; no answer is better than ``bound``.

    status  optimal | within_gap | interim | infeasible | no_plan
    """

    model: str
    status: str
    unit: str
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float

    def as_dict(self):
        return asdict(self)


def proof_of(model, unit, solution, *, plus=0, seconds=None):
    """Return the :class:`Proof` of a Solution; ``plus`` was decided before the model (stations held, people served)."""

    def added(number):
        return None if number is None else float(number) + plus

    objective, bound = added(solution.objective), added(solution.bound)
    gap = solution.gap
    if gap and objective is not None and bound is not None:
        gap = abs(objective - bound) / max(abs(objective), 1.0)
    return Proof(model, solution.status, unit, objective, bound, gap, seconds or solution.seconds)
