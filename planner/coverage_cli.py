"""The command ``jinyi coverage``: what was asked, the check, and what a terminal says of it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from planner.console import table_lines
from planner.settings import SETTINGS, embedded_regions, printable

NAMES = ("urban", "rural", "preferred")
FIELDS = {  # option -> the setting of a scenario that gives its default and its bounds
    "km": {"urban": "urban_km", "rural": "rural_km", "preferred": "rural_preferred_km"},
    "minutes": {"urban": "urban_minutes", "rural": "rural_minutes", "preferred": "rural_preferred_minutes"},
}
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
MOST_RADII = 12
DATUMS = ("gcj02", "bd09", "wgs84")
METRES_FROM = 500  # a standard that large was meant in metres
OUT = Path("out", "coverage")


@dataclass(frozen=True)
class Question:
    """What was asked. ``stated`` holds the standards that were: {urban | rural | preferred: km or minutes}."""

    stations: str | None
    against: str | None
    stated: dict
    radii: tuple
    detour: float
    roads: str | None
    minutes: bool
    datum: str | None
    against_datum: str | None
    region: str
    out: Path

    @property
    def far(self):
        return "minutes" if self.minutes else "km"


class CoverageWrong(Exception):
    """Options that cannot be understood, all at once: (key below ``coverage``, params). Command line exit code 2."""

    exit_code = 2

    def __init__(self, faults):
        self.faults = tuple(faults)
        super().__init__(", ".join(key for key, _ in self.faults))

    def tell(self, words):
        """Return every fault with its remedy, in the language of ``words``."""
        lines = [words("coverage.wrong", count=len(self.faults))]
        lines += ["  · " + words(f"coverage.{key}", **params) for key, params in self.faults]
        return "\n".join([*lines, words("cli.wrong_help", command="jinyi coverage")])


def add_options(parser):
    """Add the options of the command to an argparse parser; their values are read by :func:`ask`."""
    for option in ("stations", "against", "urban", "rural", "preferred", "radii", "detour", "roads"):
        parser.add_argument(f"--{option}")
    parser.add_argument("--minutes", action="store_true")
    for option in ("datum", "against-datum", "region", "out"):
        parser.add_argument(f"--{option}")


def ask(asked):
    """Return the :class:`Question` of parsed options. Raises :class:`CoverageWrong` with every fault."""
    from planner.coverage import RADII

    faults = []
    far = "minutes" if asked.minutes else "km"
    stated = {name: _standard(name, getattr(asked, name), far, faults) for name in NAMES}
    usual = (*RADII, 30) if far == "minutes" else RADII
    radii = usual if asked.radii is None else _radii(asked.radii, far, faults)
    detour = 1.0 if asked.detour is None else _number("--detour", asked.detour, "detour_factor", "1.3", faults)
    for datum in (asked.datum, asked.against_datum):
        if datum is not None and datum not in DATUMS:
            faults.append(("wrong_datum", {"value": printable(datum)}))
    if (asked.datum and not (asked.stations or asked.against)) or (asked.against_datum and not asked.against):
        faults.append(("wrong_datum_alone", {}))
    if asked.minutes and asked.roads is None:
        faults.append(("wrong_minutes", {}))
    if asked.roads is not None and asked.detour is not None:
        faults.append(("wrong_detour", {}))
    region = asked.region or "shanxi"
    if region not in embedded_regions() and not Path(region).is_dir():
        known = ", ".join(embedded_regions())
        faults.append(("wrong_region", {"value": printable(region), "known": known}))
    if asked.stations and asked.against and Path(asked.stations).resolve() == Path(asked.against).resolve():
        faults.append(("wrong_same", {}))
    if faults:
        raise CoverageWrong(faults)
    return Question(
        stations=asked.stations,
        against=asked.against,
        stated={name: value for name, value in stated.items() if value is not None},
        radii=radii,
        detour=detour,
        roads=asked.roads,
        minutes=asked.minutes,
        datum=asked.datum,
        against_datum=asked.against_datum or asked.datum,
        region=region,
        out=OUT if asked.out is None else Path(asked.out),
    )


def check(question, progress=None):
    """Return (:class:`planner.report.coverage_report.Checked`, notes) of a question.

    progress  called as progress(stage, seconds); notes: what the lists leave open (:class:`geo.faults.Fault`)
    Raises :class:`geo.faults.Rejected` with the faults of all files, :class:`CoverageWrong` for standards that
    contradict each other.
    """
    from geo.demand import build_demand
    from geo.region import load_region
    from geo.ways import on_roads, roads_near, straight
    from planner.coverage import check_coverage, compare_coverage
    from planner.report.coverage_report import Checked
    from planner.standards import load_standards

    began = time.monotonic()

    def stage(name):
        if progress is not None:
            progress(name, time.monotonic() - began)

    standards = load_standards()
    limits, basis = _limits(question, standards)
    stage("region")
    region = load_region(question.region)
    stations, against, notes = _lists(question, region)
    ways = straight(question.detour)
    if question.roads is not None:
        from geo.network import load_roads

        stage("roads")
        network = roads_near(question.roads, load_roads(question.roads, region.projection), region)
        ways = on_roads(network, "minutes" if question.minutes else "road")
    stage("demand")
    demand = build_demand(region)
    stage("coverage")

    def covered(of):
        return check_coverage(region, demand, of, ways=ways, limits=limits, radii=question.radii)

    found = covered(stations)
    before = None if against is None else covered(against)
    files = {"stations": question.stations, "against": question.against, "roads": question.roads}
    checked = Checked(
        region=region,
        standards=standards,
        demand=demand,
        coverage=found,
        stations=_file_name(question.stations),
        against=_file_name(question.against),
        datum=(question.datum or "") if question.stations else "",
        before=before,
        change=None if before is None else compare_coverage(before, found, region),
        basis=basis,
        inputs={kind: Path(path) for kind, path in files.items() if path},
    )
    return checked, notes


def answer_lines(checked, notes, words):
    """Return what a terminal says of a check: sentences, the cities, the distances, the rule."""
    from planner.report.coverage_report import people_line, summarise_coverage

    summary = summarise_coverage(checked, words)
    parts = [
        [summary.title],
        summary.headline,
        _cities(checked, words),
        _radii_table(checked, words),
        _change_table(checked, words),
        [people_line(checked, words), summary.rule, words("coverage.marks")],
        [words("coverage.note", said=note.tell(words)) for note in notes],
    ]
    return [printable(line) for part in parts if part for line in (*part, "")]


def file_lines(manifest, out, words):
    """Return where everything is, as lines."""
    kinds = {"map.html": "file_map", "coverage.xlsx": "file_workbook", "coverage.gpkg": "file_layers"}
    tables = [name for name in manifest["files"] if name.startswith("tables/")]
    rows = [[str(out / name), words(f"coverage.{kind}")] for name, kind in kinds.items()]
    rows.append([str(out / "tables") + os.sep, words("cli.file_tables", count=len(tables))])
    rows.append([str(out / "manifest.json"), words("coverage.file_manifest")])
    lines = ["  " + line for line in table_lines(["", ""], rows, "ll")[2:]]
    return [printable(line) for line in (words("coverage.written", out=out), *lines)]


# -- what was asked --------------------------------------------------------------------------------------------------


def _setting(field):
    return next(setting for setting in SETTINGS if setting.field == field)


def _standard(name, text, far, faults):
    """Return a standard as stated, in km or minutes; None where it is not, or wrong, with the fault noted."""
    if text is None:
        return None
    return _number(f"--{name}", text, FIELDS[far][name], "10", faults, far)


def _number(option, text, field, example, faults, far=""):
    if not NUMBER.fullmatch(text):
        value = printable(text)
        faults.append(("wrong_number", {"option": option, "value": value, "example": example}))
        return None
    value, setting = float(text), _setting(field)
    if setting.low <= value <= setting.high:
        return value
    if far == "km" and value >= METRES_FROM:
        faults.append(("wrong_metres", {"option": option, "value": text, "km": f"{value / 1000:g}"}))
    else:
        bounds = {"low": f"{setting.low:g}", "high": f"{setting.high:g}"}
        faults.append(("wrong_range", {"option": option, "value": text} | bounds))
    return None


def _radii(text, far, faults):
    """Return further distances (or drives) as stated, rising, each once."""
    parts = [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",")]
    if not all(NUMBER.fullmatch(part) for part in parts):
        faults.append(("wrong_radii", {"value": printable(text)}))
        return ()
    if len(parts) > MOST_RADII:
        faults.append(("wrong_radii_many", {"most": MOST_RADII}))
        return ()
    for part in parts:
        _number("--radii", part, FIELDS[far]["rural"], "10", faults, far)
    return tuple(sorted({float(part) for part in parts}))


def _limits(question, standards):
    """Return (limits, {name: the document's clause}): as stated, else as the standards or the settings have them."""
    from planner.coverage import Limits
    from planner.report.summary import number
    from planner.settings import default_values

    fields, defaults = FIELDS[question.far], default_values(standards)
    given = {name: question.stated.get(name, defaults[field]) for name, field in fields.items()}
    if "preferred" not in question.stated:  # a lower standard takes the preferred one, which nobody stated, along
        given["preferred"] = min(given["preferred"], given["rural"])
    if given["preferred"] > given["rural"]:
        said = {name: number(given[name]) for name in ("preferred", "rural")}
        raise CoverageWrong([("wrong_preferred", said)])
    basis = {}
    for name, field in fields.items():
        setting = _setting(field)
        if name not in question.stated and given[name] == defaults[field]:
            standard = standards[setting.standard] if setting.standard else None
            basis[name] = f"{standard.document} {standard.clause}" if standard else ""
    return Limits(**given), basis


def _lists(question, region):
    """Return (stations, stations held against or None, notes), the faults of both lists together."""
    from geo.faults import Rejected
    from geo.stations import load_stations, seat_stations

    faults, frames = [], []
    for path, datum in ((question.stations, question.datum), (question.against, question.against_datum)):
        try:
            frames.append(seat_stations(region) if path is None else load_stations(path, region, datum=datum))
        except Rejected as rejected:
            faults += rejected.faults
    if faults:
        raise Rejected(faults)
    stations, against = frames
    if question.against is None:
        return stations, None, stations.attrs["notes"]
    return stations, against, [*stations.attrs["notes"], *against.attrs["notes"]]


def _file_name(path):
    return printable(Path(path).name) if path else ""


# -- what is said ----------------------------------------------------------------------------------------------------


def _cities(checked, words):
    """Return the cities one by one, the province last: persons, covered and share, urban and rural."""
    from planner.report.names import place_names
    from planner.report.summary import share, thousands

    names = place_names(checked.region, words)
    by = checked.coverage.coverage_by_city.set_index(["setting", "code"])
    codes = [*checked.region.cities.index, None]  # None stands for the total, last

    def column(setting, name):
        of = by.loc[setting, name]
        return [int(of.sum()) if code is None else int(of[code]) for code in codes]

    def shares(setting, name):
        pairs = zip(column(setting, name), column(setting, "persons"), strict=True)
        return [share(part, whole) if whole else words("report.absent") for part, whole in pairs]

    uncovered = [u + r for u, r in zip(column("urban", "uncovered"), column("rural", "uncovered"), strict=True)]
    columns = [
        ("city", [words("coverage.total") if code is None else names[code] for code in codes]),
        ("urban_persons", map(thousands, column("urban", "persons"))),
        ("covered", map(thousands, column("urban", "covered"))),
        ("share", shares("urban", "covered")),
        ("rural_persons", map(thousands, column("rural", "persons"))),
        ("covered", map(thousands, column("rural", "covered"))),
        ("share", shares("rural", "covered")),
        ("preferred", shares("rural", "preferred")),
        ("uncovered", map(thousands, uncovered)),
    ]
    heads = [words(f"coverage.{head}") for head, _ in columns]
    return table_lines(heads, list(zip(*(cells for _, cells in columns), strict=True)), "lrrrrrrrr", total=True)


def _radii_table(checked, words):
    """Return how many people of the province live within each distance."""
    from planner.report.summary import number, share, thousands

    found = checked.coverage
    if not found.radii:
        return []
    frame = found.coverage_by_radius
    frame = frame[frame["code"].eq(frame["code"].iloc[0])]  # the province stands first
    rows = []
    for setting, of in frame.groupby("setting", sort=False):
        cells = [
            f"{thousands(row.covered)} {share(row.covered, row.persons) if row.persons else ''}".strip()
            for row in of.itertuples()
        ]
        rows.append([words(f"value.setting.{setting}"), *cells])
    heads = ["≤ " + words(f"coverage.in_{found.far}", number=number(radius)) for radius in found.radii]
    return table_lines([words("coverage.within"), *heads], rows, "l" + "r" * len(heads))


def _change_table(checked, words):
    """Return the cities whose coverage differs from that of the other list."""
    from planner.report.names import place_names
    from planner.report.summary import thousands

    if checked.change is None:
        return []
    names = place_names(checked.region, words)
    by = checked.change.by_city.groupby("code", sort=False)[["gained", "lost", "difference"]].sum()
    by = by[by["gained"].gt(0) | by["lost"].gt(0)]
    rows = [[names[row.Index], *map(thousands, (row.gained, row.lost, row.difference))] for row in by.itertuples()]
    heads = [words("coverage.city"), *(words(f"column.{name}") for name in ("gained", "lost", "covered_difference"))]
    return table_lines(heads, rows, "lrrr") if rows else [words("table.checked_change_places.empty")]
