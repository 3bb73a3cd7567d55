"""The benchmark compares like with like: on its smallest instance both sides prove the same optimum."""

import pytest

from tests.benchmarks.covering import SIZES, our_lscp, our_mclp, plain_lscp, plain_mclp, problem


def test_both_sides_prove_the_same():
    demand, sites, p = SIZES[0]
    task = problem(demand, sites)
    for ours, plain in ((our_lscp(task, 30), plain_lscp(task, 30)), (our_mclp(task, p, 30), plain_mclp(task, p, 30))):
        assert ours[0] == pytest.approx(ours[1]) == pytest.approx(plain[0]) == pytest.approx(plain[1])
