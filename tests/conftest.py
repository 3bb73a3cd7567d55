"""What the whole suite shares: the default plan of the province, made once, and a province small enough for paper."""

from types import SimpleNamespace

import pytest

from planner.scenario import load_scenario, vary
from planner.study import decide, prepare
from tests import town


@pytest.fixture(scope="session")
def default_run():
    """``scenario``, ``prepared`` and ``plan`` of scenarios/shanxi-2025.toml. Shared: leave them as they are.

    Its curve of coverage has three points: each asks for a plan of its own, and the curve is tested elsewhere.
    """
    scenario = vary(load_scenario("shanxi-2025"), curve_points=3)
    prepared = prepare(scenario)
    return SimpleNamespace(scenario=scenario, prepared=prepared, plan=decide(prepared, scenario))


@pytest.fixture(scope="session")
def town_folder(tmp_path_factory):
    """The files of the province of :mod:`tests.town`, as drawn. Shared: copy before changing."""
    return town.draw(tmp_path_factory.mktemp("town") / "region")


@pytest.fixture(scope="session")
def town_run(town_folder):
    """``scenario``, ``prepared`` and ``plan`` of the drawn province with every default."""
    return town.run(town_folder)
