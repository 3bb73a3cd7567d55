"""What the whole suite shares: the default plan of the province, made once, and a province small enough for paper."""

import os
import pickle
import signal
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from planner.scenario import load_scenario, vary
from planner.study import decide, prepare
from tests import town

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


# Few tests, and minutes of work: begun first, so that no process ends alone with one of them.
LONG = ("test_notebooks.py", "test_verify.py", "test_locate_oracles.py", "test_app.py", "test_locate_beliefs.py")


def pytest_configure(config):
    """Let the files run in the order of their collection; pytest-xdist begins with those of most tests."""
    config.option.loadscopereorder = False
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; tests press Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    first = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: first.get(item.path.name, len(first)))


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """Return ``shared(name, make)`` -> what ``make()`` returns, made by the first process of a run that asks for it."""
    home = tmp_path_factory.getbasetemp()
    home = home.parent if "PYTEST_XDIST_WORKER" in os.environ else home

    def made(name, make):
        path = home / f"{name}.pickle"
        with locked(home / f"{name}.lock"):
            if not path.is_file():
                path.write_bytes(pickle.dumps(make()))
            return pickle.loads(path.read_bytes())

    return made


@contextmanager
def locked(path):
    """Hold a file that no other process holds meanwhile; where there are no such locks, each works for itself."""
    with path.open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def default_run(shared):
    """``scenario``, ``prepared`` and ``plan`` of scenarios/shanxi-2025.toml. Shared: leave them as they are.

    Its curve of coverage has three points: each asks for a plan of its own, and the curve is tested elsewhere.
    """

    def decided():
        scenario = vary(load_scenario("shanxi-2025"), curve_points=3)
        prepared = prepare(scenario)
        return SimpleNamespace(scenario=scenario, prepared=prepared, plan=decide(prepared, scenario))

    return shared("default_run", decided)


@pytest.fixture(scope="session")
def town_folder(tmp_path_factory):
    """The files of the province of :mod:`tests.town`, as drawn. Shared: copy before changing."""
    return town.draw(tmp_path_factory.mktemp("town") / "region")


@pytest.fixture(scope="session")
def town_run(town_folder):
    """``scenario``, ``prepared`` and ``plan`` of the drawn province with every default."""
    return town.run(town_folder)
