"""Policy is data: a figure of a plan document stands in the register of standards and is never typed a second time.

The figures looked for are read from the register itself, so that a corrected or added standard is guarded at once. Two
nets: a number that is hardly ever anything else (0.85, 1.62, 30 000) is found anywhere; a number that could be anything
(5, 20) is found where a name beside it says that it is a radius or people per vehicle.
"""

import ast
import io
import re
import tokenize
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from geo.words import flat
from planner.scenario import BED_TARGETS, SETTINGS, default_values
from planner.standards import load_standards

ROOT = Path(__file__).parents[2]
SOURCES = [path for top in ("planner", "geo") for path in sorted((ROOT / top).rglob("*.py"))]
SOURCES += [path for path in [ROOT / "app.py"] if path.exists()]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))

# Rooms where things are drawn: points and millimetres below ten, with one decimal, say nothing of policy.
DRAWING = (
    "geo/atlas.py",
    "geo/atlas_panel.py",
    "geo/atlas_views.py",
    "geo/frame_parts.py",
    "geo/labels.py",
    "geo/maps.py",
    "geo/margin.py",
    "geo/plan_sheet.py",
    "geo/press.py",
    "geo/print_signs.py",
    "geo/sheet_layout.py",
    "geo/theme.py",
    "planner/documents/atlas/series.py",
    "planner/report/workbook.py",
)
# The same as some figure by chance; none of them is a planning standard.
INNOCENT = {
    (
        "geo/demand.py",
        "0.85",
    ): "share of the districts' urban people who live around the city's seat, fitted to a population grid",
    ("geo/demand.py", "20000"): "metres over which density is smoothed, fitted to a population grid",
    ("geo/margin.py", "5000"): "people, a step of a legend",
    ("planner/engine/centre.py", "30000"): "entries of a cover beyond which a proof looks for the rows it needs",
    ("planner/engine/centre.py", "20000"): "steps of a search, a share of the model's own time",
    ("planner/report/charts.py", "1.5"): "room around a word on a chart",
    ("planner/report/charts.py", "2.2"): "width of a line",
    ("planner/report/simulation_report.py", "1.5"): "width of a line, of a gap",
    ("planner/report/simulation_report.py", "2.2"): "width of a line",
    ("planner/report/workbook.py", "0.62"): "width of a small letter beside a large one",
    ("planner/settings.py", "1.3"): "most beds of a county over its city's target, assumed",
}


def figures(register):
    """Return the distinctive figures of a register: fractions of two digits or more, large numbers not round."""
    found = set()
    for standard in register.values():
        given = [standard.value, standard.value_max, standard.base_value, standard.per]
        if standard.unit == "km":
            given += [number * 1000 for number in (standard.value, standard.value_max) if number is not None]
        found |= {Fraction(number) for number in given if number is not None}
    return {number for number in found if distinctive(number)}


def distinctive(number):
    if number.denominator == 1:
        return number >= 1000 and not re.fullmatch("10*", str(number))
    return len(str(float(number)).replace(".", "").strip("0")) >= 2


def typed_again(source, register):
    """Return [(line, number as typed)] of every figure of ``register`` that a Python source repeats."""
    wanted = figures(register)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    literals = [(token.start[0], token.string) for token in tokens if token.type == tokenize.NUMBER]
    found = [(line, text) for line, text in literals if _number(ast.literal_eval(text)) in wanted]
    defaults = default_values(register)
    own = {setting.field: _number(defaults[setting.field]) for setting in SETTINGS if setting.standard}
    for name, value in _named(ast.parse(source)):
        if own.get(name) is not None and isinstance(value, ast.Constant) and _number(value.value) == own[name]:
            found.append((value.lineno, ast.unparse(value)))
    return sorted(set(found))


def _number(value):
    return Fraction(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _named(tree):
    """Yield (name, value node) where a name stands beside a value: assigned, passed, defaulted, keyed, compared."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((_name(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            yield _name(node.target), node.value
        elif isinstance(node, ast.keyword):
            yield node.arg, node.value
        elif isinstance(node, ast.Dict):
            yield from ((getattr(key, "value", None), value) for key, value in zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Compare):
            yield from ((_name(node.left), other) for other in node.comparators)
        elif isinstance(node, ast.arguments):
            plain = [*node.posonlyargs, *node.args]
            yield from ((arg.arg, value) for arg, value in zip(plain[::-1], node.defaults[::-1], strict=False))
            yield from ((arg.arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True))


def _name(node):
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return name.lower() if name else None


def typed_in_scenario(text, register):
    """Return [(key, number)] of a scenario that repeat a figure: a standard's own default, or any distinctive one."""
    defaults, wanted = default_values(register), figures(register)
    own = {setting.key: _number(defaults[setting.field]) for setting in SETTINGS if setting.standard}
    own |= {f"{BED_TARGETS}.{code}": target for code, target in defaults["bed_targets"].items()}
    stated = flat(tomllib.loads(text, parse_float=Decimal))
    numbers = {key: Fraction(value) for key, value in stated if isinstance(value, int | Decimal)}
    return [(key, number) for key, number in numbers.items() if number in wanted or number == own.get(key)]


@pytest.fixture(scope="module")
def register():
    return load_standards()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_repeats_a_figure(path, register):
    room = path.relative_to(ROOT).as_posix()
    found = typed_again(path.read_text(encoding="utf-8"), register)
    if room in DRAWING:
        found = [(line, text) for line, text in found if not re.fullmatch(r"[0-9]?\.[0-9]", text)]
    found = [(line, text) for line, text in found if (room, text.replace("_", "")) not in INNOCENT]
    assert not found, f"{room}: take these from planner.standards, or say in INNOCENT why they are no figures: {found}"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_no_scenario_repeats_a_figure(path, register):
    assert typed_in_scenario(path.read_text(encoding="utf-8"), register) == []


def test_the_allow_list_holds_nothing_that_is_not_there():
    for room, text in INNOCENT:
        literals = tokenize.generate_tokens(io.StringIO((ROOT / room).read_text(encoding="utf-8")).readline)
        assert text in {token.string.replace("_", "") for token in literals if token.type == tokenize.NUMBER}, room


@pytest.mark.parametrize(
    "snippet",
    [
        "PEOPLE = 30000",
        "people = n / 30_000",
        "target = {'晋中市': 6.78}",
        "tcm = 0.850",
        "limit = 5e3",
        "urban_km = 5",
        "plan(rural_km=20.0)",
        "defaults = {'rural_preferred_km': 10}",
        "def f(a, urban_km=5): pass",
        "def f(*, rural_km: float = 20): pass",
        "if scenario.rural_km > 20: pass",
        "URBAN_KM: float = 5.0",
    ],
)
def test_a_figure_typed_again_is_found(snippet, register):
    assert [line for line, _ in typed_again(snippet, register)] == [1]


@pytest.mark.parametrize("snippet", ["n = 5", "urban_km = 6", "x = 1000", "s = '30000'  # 30000", "x = 0.5", "z = 2j"])
def test_other_numbers_are_left_alone(snippet, register):
    assert typed_again(snippet, register) == []


@pytest.mark.parametrize(
    "text",
    [
        "[stations]\nurban_km = 5",
        "stations.rural_km = 20.0",
        "[beds.targets]\n141100 = 5.00",
        "[ambulances]\npersons_per_vehicle = 30_000",
        "[beds]\nreach_km = 6.78",
    ],
)
def test_a_figure_in_a_scenario_is_found(text, register):
    assert len(typed_in_scenario(text, register)) == 1


def test_the_figures_come_from_the_register(register):
    found = figures(register)
    assert {Fraction("7.5"), Fraction("6.78"), Fraction("1.62"), Fraction("0.85"), 30_000, 5_000, 20_000} <= found
    assert not {Fraction(5), Fraction(1000), Fraction("0.5")} & found
