"""The shape of the house: imports point down only, each library has its room, and importing does no work."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the top down; a room may import itself and the rooms of lower lines.
LAYERS = (
    ("app", "planner.ui", "planner.cli", "planner.__main__", "planner.simulate_cli", "planner.export_cli"),
    ("planner.coverage_cli",),
    ("planner.documents",),
    ("planner.telling",),
    ("planner.compare",),
    ("planner.report",),
    ("planner.verify", "planner.study"),
    ("planner.services",),
    ("planner.locate",),
    ("planner.engine",),
    ("planner.conflict", "planner.evaluation", "planner.simulation"),
    ("planner.store",),
    ("planner.parcel",),
    (
        "planner.solve",
        "planner.models",
        "planner.access",
        "planner.compliance",
        "planner.contradictions",
        "planner.coverage",
        "planner.explain",
        "planner.scenario",
    ),
    ("planner.settings",),
    ("planner.standards", "planner.problem", "planner.toml_lines"),
    ("planner.rounding", "planner.console"),
    ("geo",),
)
SAME_DESK = {
    ("planner.__main__", "planner.cli"),
    ("app", "planner.ui"),
    ("planner.cli", "planner.simulate_cli"),
    ("planner.simulate_cli", "planner.cli"),
    ("planner.cli", "planner.export_cli"),
    ("planner.export_cli", "planner.cli"),
}
LIBRARIES = {
    "folium": ("geo.maps",),
    "branca": ("geo.maps",),
    "matplotlib": ("geo.press", "planner.report"),
    "networkx": ("geo.network",),
    "docx": ("planner.documents",),
    "lxml": ("planner.documents",),
    "pypdf": ("planner.documents",),
    "pulp": ("planner.models", "planner.solve"),
    "highspy": ("planner.solve",),
    "numba": ("geo.compiled",),
    "osmium": ("geo.road_files",),
    "simpy": ("planner.simulation",),
    "sqlalchemy": ("planner.store",),
    "streamlit": ("app", "planner.ui"),
    "xlsxwriter": ("planner.report",),
}
SCRIPTS = {"geo.data.rebuild_boundaries", "geo.assets.rebuild_fonts"}  # run by hand, imported by nobody


def modules():
    """{name: path} of every module of the house."""
    found = {"app": ROOT / "app.py"}
    for top in ("geo", "planner"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name, path):
    """Every (module, line) that ``path`` imports, at its top or inside a function, as full names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by dots; write the whole name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in MODULES else node.module), node.lineno


def within(name, room):
    return name == room or name.startswith(room + ".")


def room_of(name):
    """(line of LAYERS, room) of a module."""
    for depth, rooms in enumerate(LAYERS):
        for room in rooms:
            if within(name, room):
                return depth, room
    return None


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"planner"}))
def test_imports_point_down_only(name):
    assert room_of(name), f"{name} has no place in LAYERS: say where it belongs"
    depth, room = room_of(name)
    for target, line in imports(name, MODULES[name]):
        if target.split(".")[0] not in ("geo", "planner", "app") or target == "planner":
            continue
        below, other = room_of(target)
        down = below > depth or other == room or (room, other) in SAME_DESK
        assert down, f"{MODULES[name].relative_to(ROOT)}:{line} imports {target}, which stands beside or above it"


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_library_has_its_room(library):
    for name, path in MODULES.items():
        for target, line in imports(name, path):
            if within(target, library):
                at_home = any(within(name, room) for room in LIBRARIES[library])
                assert at_home, f"{path.relative_to(ROOT)}:{line} imports {target}; its room is {LIBRARIES[library]}"


def test_covered_is_written_once():
    """Metres are held against a standard in geo.travel, and again only by the verifier, which trusts nobody."""
    for name, path in MODULES.items():
        if name == "geo.travel" or within(name, "planner.verify"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.LtE | ast.GtE) for op in node.ops):
                said = ast.unparse(node)
                assert "metres" not in said, f"{path.relative_to(ROOT)}:{node.lineno} {said}: use geo.travel.is_covered"


LISTEN = """
import json, logging, sys, threading
house, asked = sys.argv[1], sys.argv[2].split(",")
ours = tuple(f"{house}/{room}/" for room in ("geo", "planner", "scenarios", "notebooks"))  # not .venv
opened, started = [], []
def hear(event, args):
    if event == "open" and str(args[0]).startswith(ours) and not str(args[0]).endswith((".py", ".pyc")):
        opened.append(str(args[0]))
    if event in ("subprocess.Popen", "os.system", "os.fork", "socket.connect"):
        started.append(event)
sys.addaudithook(hear)
import importlib
for name in asked:
    importlib.import_module(name)
threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
handlers = [str(handler) for handler in logging.getLogger().handlers]
print(json.dumps({"opened": opened, "started": started, "threads": threads, "handlers": handlers,
                  "loaded": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def listened(*names):
    """What a fresh Python does when it imports ``names``: our files it opens, what it starts, libraries it loads."""
    command = [sys.executable, "-B", "-c", LISTEN, str(ROOT), ",".join(names)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_work_on_import():
    """Every module at once: no file of ours is read, nothing is started, no log is set up."""
    quiet = sorted(set(MODULES) - SCRIPTS)
    heard = listened(*quiet)
    assert heard["opened"] == heard["started"] == heard["threads"] == heard["handlers"] == []


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("planner.scenario", {"streamlit", "highspy", "pulp", "folium", "matplotlib", "geopandas", "scipy"}),
        ("planner.cli", {"streamlit", "highspy", "pulp", "folium", "matplotlib", "geopandas"}),
        ("planner.verify", {"streamlit", "highspy", "pulp", "folium", "matplotlib"}),
        ("planner.study", {"streamlit", "folium", "matplotlib", "xlsxwriter"}),
        ("planner.report", {"streamlit", "highspy", "pulp"}),
        ("geo.demand", {"streamlit", "highspy", "pulp", "planner"}),
    ],
)
def test_light_doors_stay_light(name, absent):
    """``jinyi check`` need not load a solver, and the verifier cannot."""
    assert not absent & set(listened(name)["loaded"])


def test_the_top_level_is_as_the_owner_fixed_it():
    """What git would hand to a newcomer: eight names, beside dot-files and the licence."""
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in done.stdout.splitlines()}
    rooms = {"pyproject.toml", "README.md", "app.py", "planner", "geo", "scenarios", "notebooks", "tests", "LICENSE"}
    assert {name for name in top if not name.startswith(".")} <= rooms
