"""The benchmark compares like with like: on its smallest instances all programs prove the same optimum."""

import pytest

from tests.benchmarks.siting import SIDES, ours, places, plain, spopt, without_the_unreachable

SMALLEST = [next(side for side in SIDES if side[0] == model) for model in ("lscp", "mclp")]


@pytest.mark.parametrize("model, n, m, p", SMALLEST)
def test_all_prove_the_same(model, n, m, p):
    task = without_the_unreachable(*places(n, m))
    us, them, old = ours(model, *task, p), plain(model, *task, p)[:2], spopt(model, *task, p)[:2]
    assert us[0] == us[1] == pytest.approx(them[0]) == pytest.approx(them[1]) == pytest.approx(old[0]) == old[1]
