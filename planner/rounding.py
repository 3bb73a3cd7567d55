"""Whole numbers out of exact fractions: one rounding rule, one way to share."""

from fractions import Fraction


def half_up(number):
    """Return the whole number nearest to an exact number; halves go up."""
    return (Fraction(number) + Fraction(1, 2)).__floor__()


def ceiling(number):
    """Return the smallest whole number that is not below an exact number."""
    return -((-Fraction(number)).__floor__())


def shared_out(total, weights):
    """Return whole shares of ``total`` in proportion to whole ``weights``, summing to it exactly (largest remainder).

    Equal remainders go to the earlier place, so give the weights in the order of their codes. All weights 0: equal
    weights.
    """
    weights = [int(w) for w in weights]
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * w // whole for w in weights]
    remainders = [total * w % whole for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares
