"""Two results side by side: what a second plan does otherwise than a first one, as tables, a workbook and a map.

A result is a folder that a run has published - only its own files are read, after their hashes - or a plan in memory,
taken in the form in which it would be published. Every difference is second less first.
"""

import importlib.metadata
import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.faults import Rejected
from geo.maps import DifferenceView, difference_html
from planner.report.columns import COMPARED, TABLES
from planner.report.cover import Line
from planner.report.folder import OutRefused, check_out, replaced
from planner.report.manifest import MANIFEST, digest_of, digests_of, inputs_of, write_manifest
from planner.report.names import NAMED_BY, place_names
from planner.report.summary import Summary, credit_lines, density, thousands
from planner.report.tables import published, read_csv, rounded, write_csv
from planner.report.workbook import sheet_names, write_book
from planner.scenario import Scenario, scenario_from, vary
from planner.settings import ALL_SETTINGS, override_label, override_sides, said_place, setting_of

STOPPED = ("interim", "no_plan")
UNITS = {"shortfall": "beds", "worst": "beds_per_1000", "even": "beds_per_1000", "equal": "beds", "change": "beds"}
UNITS |= {"cost": "wan_yuan", "travel": "km"}
WORKBOOK, MAP = "compare.xlsx", "map.html"
NAMED = 3  # counties that the headline names on either side


class CannotCompare(Exception):
    """Two things that cannot be held against each other, in one sentence. Command line exit code 2.

    ``key`` names the sentence in the words' section ``compare``.
    """

    exit_code = 2

    def __init__(self, key, **params):
        self.key = key
        self.params = params
        super().__init__(f"{key} {params}")

    def tell(self, words):
        """Return why, and what to do, in the language of ``words``."""
        names = self.params.get("names")
        params = self.params | ({"names": words("report.list_comma").join(names)} if names else {})
        return words(f"compare.{self.key}", **params)


@dataclass(frozen=True)
class Result:
    """A result: its manifest, its question and its tables in published form; ``folder`` None = it lies in none."""

    folder: Path | None
    manifest: dict
    scenario: Scenario
    tables: dict

    @property
    def stopped(self):
        """Whether a model was stopped before its proof."""
        return any(proof.get("status") in STOPPED for proof in self.manifest["proofs"].values())


def read_result(folder):
    """Return the :class:`Result` in ``folder``. Raises :class:`CannotCompare`.

    That is when no run has written the folder, when a file is not the one that was written, or when it comes from a
    version with other tables.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed, plain = dict(manifest["files"]), manifest["scenario"]
    except (OSError, ValueError, KeyError, TypeError):
        raise CannotCompare("no_result", out=folder) from None
    changed = [name for name, digest in listed.items() if _digest(folder / name) != digest]
    if changed:
        raise CannotCompare("changed", out=folder, names=changed[:5])
    try:
        tables = {name: read_csv(name, folder / "tables" / f"{name}.csv") for name in TABLES}
        return Result(folder, manifest, scenario_from(plain), tables)
    except (OSError, KeyError, ValueError, Rejected):
        raise CannotCompare("other_version", out=folder) from None


def result_of(plan, region, standards, scenario=None):
    """Return the :class:`Result` of a plan in memory, with the tables that its folder would hold.

    scenario  who asks the plan's question under another name and title; None = the plan's own
    Its manifest has what a comparison reads. Raises OSError where a file that the scenario names is gone.
    """
    manifest = {
        "jinyi": importlib.metadata.version("jinyi"),
        "inputs": inputs_of(region, standards, plan.scenario),
        "proofs": {name: {"status": proof.status} for name, proof in plan.proofs.items()},
    }
    return Result(None, manifest, scenario or plan.scenario, published(plan.tables)[0])


def _digest(path):
    return digest_of(path) if path.is_file() else None


def up_to_date(folder, scenario, region, standards):
    """Return the :class:`Result` in ``folder`` if it answers ``scenario`` from the same inputs, else None.

    A result that was stopped before its proof is none: running again may do better.
    """
    try:
        result = read_result(folder)
    except CannotCompare:
        return None
    same = (
        result.manifest["jinyi"] == importlib.metadata.version("jinyi"),
        result.manifest["scenario"] == json.loads(json.dumps(scenario.as_dict())),
        result.manifest["inputs"] == inputs_of(region, standards, scenario),
        result.manifest["verification"]["passed"] is True,
        not result.stopped,
    )
    return result if all(same) else None


def check_comparison_out(out, results):
    """Raise :class:`planner.report.OutRefused` when ``out`` may not be replaced by a comparison; a plan never is.

    ``results`` are the folders compared.
    """
    out = Path(out).resolve()
    if out in [Path(folder).resolve() for folder in results]:
        raise OutRefused("out_is_a_plan", out)
    check_out(out)
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if "comparison" not in manifest:
        raise OutRefused("out_is_a_plan", out)


def differences(first, second):
    """Return how the second question differs from the first: :class:`planner.scenario.Override`, old -> new."""
    fields = {setting.field: getattr(second, setting.field) for setting in ALL_SETTINGS if setting.field != "title"}
    return vary(replace(first, overrides=()), **fields).overrides


def compare(first, second):
    """Return {name: DataFrame} of ``planner.report.columns.COMPARED``, from two :class:`Result`.

    Raises :class:`CannotCompare` for results of different regions.
    """
    one, other = first.tables, second.tables
    for name in ("beds_by_city", "beds_by_county"):
        if set(one[name]["code"]) != set(other[name]["code"]):
            raise CannotCompare("regions", first=first.scenario.region, second=second.scenario.region)
    tables = {
        "compared_beds_by_city": _sides(
            one["beds_by_city"],
            other["beds_by_city"],
            ["code", "name"],
            {"persons": "persons", "beds_plan": "beds", "plan_per_1000": "per_1000"},
        ),
        "compared_beds_by_county": _sides(
            one["beds_by_county"],
            other["beds_by_county"],
            ["code", "name", "city_code"],
            {"beds_plan": "beds", "plan_per_1000": "per_1000", "reach_plan_per_1000": "reach"},
        ),
        "compared_structure": _sides(
            one["bed_structure"],
            other["bed_structure"],
            ["area_code", "area", "part", "item"],
            {"beds_plan": "beds", "plan_per_1000": "per_1000"},
        ),
        "compared_rules": _rules(one["bed_rules"], other["bed_rules"]),
        "compared_access": _access(one["access_summary"], other["access_summary"]),
        "compared_objectives": _objectives(one["bed_objectives"], other["bed_objectives"]),
        "compared_emergency": _sides(
            _emergency(one),
            _emergency(other),
            ["code", "name"],
            {"stations": "stations", "plan": "ambulances", "uncovered": "uncovered"},
        ),
    }
    return published(tables, COMPARED)[0]


def _sides(first, second, keys, columns):
    """Return both tables side by side on the first of ``keys`` that tell rows apart, texts as the first has them."""
    on = [key for key in keys if key in ("code", "area_code", "part", "item", "rule", "split")]
    sides = [frame[[*on, *columns]].rename(columns=columns) for frame in (first, second)]
    joined = sides[0].merge(sides[1], on=on, how="outer", suffixes=("_first", "_second"), validate="1:1")
    texts = pd.concat([first[keys], second[keys]]).drop_duplicates(on)
    joined = texts.merge(joined, on=on, how="left", validate="1:1").reset_index(drop=True)
    ordered = list(keys)
    for name in columns.values():
        joined[f"{name}_difference"] = joined[f"{name}_second"] - joined[f"{name}_first"]
        ordered += [f"{name}_{side}" for side in ("first", "second", "difference")]
    return joined[ordered]


def _rules(first, second):
    """Return the rules that either plan bends."""
    joined = _sides(first, second, ["rule", "area_code", "area", "unit"], {"bent": "bent"})
    return joined[joined["bent_first"].gt(0) | joined["bent_second"].gt(0)].reset_index(drop=True)


def _access(first, second):
    columns = {"gini": "gini", "worst_per_1000": "worst", "deviation": "deviation"}
    joined = _sides(first, second, ["split"], columns)
    for side, frame in (("first", first), ("second", second)):
        joined[f"worst_county_{side}"] = joined["split"].map(frame.set_index("split")["worst_county"])
    return joined


def _objectives(first, second):
    one, other = (frame.set_index("objective").loc["plan"] for frame in (first, second))
    rows = [
        (name, unit, float(one[name]), float(other[name]), float(other[name]) - float(one[name]))
        for name, unit in UNITS.items()
    ]
    return pd.DataFrame(rows, columns=["objective", "unit", "first", "second", "difference"])


def _emergency(tables):
    uncovered = tables["coverage_by_city"].groupby("code")["uncovered"].sum()
    frame = tables["ambulances_by_city"]
    return frame.assign(uncovered=frame["code"].map(uncovered))


def named_tables(first, second, tables, region, words):
    """Return the tables of :func:`compare` with place names in the language of ``words``."""
    names, renamed = place_names(region, words), {}
    for table, frame in tables.items():
        frame = frame.copy()
        for code, name in NAMED_BY:
            if code in frame and name in frame:
                frame[name] = frame[code].map(names).fillna(frame[name])
        for side, result in (("first", first), ("second", second)):
            if f"worst_county_{side}" in frame:
                worst = result.tables["access_summary"].set_index("split")["worst_code"].map(names)
                frame[f"worst_county_{side}"] = frame["split"].map(worst).fillna(frame[f"worst_county_{side}"])
        renamed[table] = frame
    return renamed


def write_comparison(first, second, tables, summary, region, out, words):
    """Write the folder ``out`` of a comparison in one step, replacing an earlier comparison, and return its manifest.

    tables   of :func:`compare`
    summary  of :func:`summarise_comparison`
    region   of the first result, for shapes and names
    Raises OSError (:class:`planner.report.OutRefused` among them); the old folder is then as it was.
    """
    check_comparison_out(out, (first.folder, second.folder))
    with replaced(out) as folder:
        (folder / "tables").mkdir()
        for name, frame in tables.items():
            write_csv(name, frame, folder / "tables" / f"{name}.csv")
        write_comparison_book(first, second, tables, summary, folder / WORKBOOK, words)
        write_comparison_map(tables, region, summary, folder / MAP, words)
        manifest = {
            "jinyi": importlib.metadata.version("jinyi"),
            "language": words.lang,
            "comparison": {
                side: {
                    "scenario": result.scenario.name,
                    "title": result.scenario.title,
                    "jinyi": result.manifest["jinyi"],
                    "manifest": digest_of(result.folder / MANIFEST),
                }
                for side, result in (("first", first), ("second", second))
            },
            "differences": [vars(each).copy() for each in differences(first.scenario, second.scenario)],
            "files": digests_of(folder),
        }
        write_manifest(manifest, folder / MANIFEST)
    return manifest


def write_comparison_book(first, second, tables, summary, path, words):
    """Write the workbook of a comparison: its cover, then a sheet a table. Raises OSError."""
    write_book(tables, _cover(first, second, tables, summary, words), summary, path, words)


def write_comparison_map(tables, region, summary, path, words):
    """Write the map of the differences as a page that needs no network. Raises OSError."""
    view = difference_view(tables, region, summary, words)
    path.write_text(difference_html(view), encoding="utf-8", newline="\n")


def summarise_comparison(first, second, tables, region, standards, words):
    """Return the :class:`planner.report.summary.Summary` of a comparison.

    ``region`` and ``standards`` give names and sources. Raises :class:`CannotCompare` when the region no longer has the
    places of the results.
    """
    if set(region.counties.index) != set(tables["compared_beds_by_county"]["code"]):
        raise CannotCompare("region_changed", region=first.scenario.region)
    titles = {"first": title_of(first), "second": title_of(second)}
    prepared = _Sources(region, standards)
    credits = credit_lines(prepared, words)
    stopped = [side for side, result in (("first", first), ("second", second)) if result.stopped]
    interim = words(f"compare.interim_{'both' if len(stopped) == 2 else stopped[0]}") if stopped else ""
    return Summary(
        title=words("compare.title", **titles),
        subtitle=words("compare.subtitle"),
        headline=headline(first, second, tables, region, words),
        rule="",
        sources=credits,
        credits=credits,
        interim=interim,
    )


@dataclass(frozen=True)
class _Sources:
    """What the lines on sources are made from."""

    region: object
    standards: object


def title_of(result):
    """Return what a result is called: its scenario's title, or its name."""
    return result.scenario.title or result.scenario.name


def headline(first, second, tables, region, words):
    """Return the main differences in sentences that a planner can copy into a report."""
    names = place_names(region, words)
    city = tables["compared_beds_by_city"]
    beds = {side: int(city[f"beds_{side}"].sum()) for side in ("first", "second")}
    persons = {side: int(city[f"persons_{side}"].sum()) for side in ("first", "second")}
    way = "same" if beds["first"] == beds["second"] else "more" if beds["second"] > beds["first"] else "less"
    said = [
        words(
            f"compare.say_beds_{way}",
            first=thousands(beds["first"]),
            second=thousands(beds["second"]),
            difference=thousands(abs(beds["second"] - beds["first"])),
            density_first=density(beds["first"], persons["first"]),
            density_second=density(beds["second"], persons["second"]),
        )
    ]
    said.append(_counties(tables["compared_beds_by_county"], names, words))
    by = tables["compared_access"].set_index("split").loc["plan"]
    counties = {}
    for side, result in (("first", first), ("second", second)):
        worst = result.tables["access_summary"].set_index("split").loc["plan"]
        counties[f"{side}_county"] = names.get(worst["worst_code"], worst["worst_county"])
    figures = {side: rounded(by[f"gini_{side}"], 4) for side in ("first", "second")}
    figures |= {f"{side}_worst": rounded(by[f"worst_{side}"], 2) for side in ("first", "second")}
    said.append(words("compare.say_access", **figures, **counties))
    emergency = tables["compared_emergency"]
    totals = {
        f"{name}_{side}": thousands(emergency[f"{name}_{side}"].sum())
        for name in ("stations", "ambulances", "uncovered")
        for side in ("first", "second")
    }
    same = all(totals[f"{name}_first"] == totals[f"{name}_second"] for name in ("stations", "ambulances", "uncovered"))
    said.append(words("compare.say_emergency_same" if same else "compare.say_emergency", **totals))
    return said


def _counties(counties, names, words):
    """Return how many counties get more and fewer beds, and which the most."""
    parts, said = [], Counter(names[code] for code in counties["code"])

    def called(row):
        county = names[row.code]  # two counties of one name are told apart by their cities
        city = {"county": county, "city": names[row.city_code]}
        return words("compare.county_in", **city) if said[county] > 1 else county

    for way, rows in (("more", counties["beds_difference"].gt(0)), ("less", counties["beds_difference"].lt(0))):
        changed = counties[rows]
        if changed.empty:
            continue
        size = changed["beds_difference"].abs()
        first = changed.loc[size.sort_values(ascending=False, kind="stable").index[:NAMED]]
        named = [
            words("compare.county_of", county=called(row), beds=thousands(abs(row.beds_difference)))
            for row in first.itertuples(index=False)
        ]
        named = words("report.list_comma").join(named)
        parts.append(words(f"compare.say_counties_{way}", count=len(changed), named=named))
    return words("compare.between").join(parts) + words("compare.stop") if parts else words("compare.say_counties_same")


def difference_view(tables, region, summary, words):
    """Return the :class:`geo.maps.DifferenceView` of a comparison."""
    names = place_names(region, words)
    cities, counties = tables["compared_beds_by_city"], tables["compared_beds_by_county"]
    seats = region.cities[["lon", "lat"]].reindex(cities["code"]).reset_index(drop=True)
    city_names = dict(zip(cities["code"], cities["name"], strict=True)) | names
    return DifferenceView(
        title=summary.title,
        subtitle=summary.subtitle,
        lang=words.lang,
        province=region.province,
        cities=_drawn(cities.join(seats), region.cities, names),
        counties=_drawn(counties.assign(city=counties["city_code"].map(city_names)), region.counties, names),
        sources=summary.credits,
        rule="",
        notes=[summary.interim, *summary.headline] if summary.interim else summary.headline,
        words=words,
    )


def _drawn(frame, polygons, names):
    named = frame.assign(name=frame["code"].map(names).fillna(frame["name"]))
    geometry = polygons.geometry.reindex(frame["code"]).to_numpy()
    return gpd.GeoDataFrame(named, geometry=geometry, crs=polygons.crs)


def _cover(first, second, tables, summary, words):
    """Return the cover of the workbook: what is compared, what differs, which sheet holds what."""
    lines = [Line("title", (summary.title,)), Line("quiet", (summary.subtitle,))]
    if summary.interim:
        lines.append(Line("alarm", (summary.interim,)))
    lines += [Line("heading", (words("report.headline"),)), *(Line("text", (text,)) for text in summary.headline)]
    lines.append(Line("heading", (words("report.contents"),)))
    sheets = sheet_names(tables, words)
    lines += [Line("link", (sheets[name], words(f"table.{name}.title"), sheets[name])) for name in tables]
    lines += [Line("heading", (words("compare.results"),)), Line("head", result_heads(words))]
    lines += [Line("row", row) for row in result_rows(first, second, words)]
    lines += [Line("heading", (words("compare.questions"),))]
    rows = question_rows(first, second, words)
    if rows:
        heads = (words("report.setting_name"), words("column.first"), words("column.second"))
        lines += [Line("head", heads), *(Line("row", row) for row in rows)]
    else:
        lines.append(Line("text", (words("compare.same_question"),)))
    marks = [words(f"report.mark_{name}") for name in ("modelled", "absent", "machine")]
    lines += [Line("heading", (words("report.marks"),)), *(Line("text", (text,)) for text in marks)]
    return [*lines, Line("heading", (words("report.sources"),)), *(Line("text", (text,)) for text in summary.sources)]


def result_heads(words):
    """Return the headings of :func:`result_rows`."""
    return tuple(words(f"compare.result_{part}") for part in ("side", "scenario", "proof"))


def result_rows(first, second, words):
    """Return one row a result: its side, what it is called, how far it is proven."""
    rows = []
    for side, result in (("first", first), ("second", second)):
        name = words("compare.result_name", title=title_of(result), name=result.scenario.name)
        status = words("compare.result_interim" if result.stopped else "compare.result_proven")
        rows.append((words(f"column.{side}"), name, status))
    return rows


def question_rows(first, second, words, names=None):
    """Return one row a setting in which the two questions differ: its name, its value in the first, in the second.

    ``names`` of places by their codes; a place without one is told by its code.
    """
    rows = []
    for each in differences(first.scenario, second.scenario):
        setting, label = setting_of(each.key), override_label(each, words)
        if setting.by:
            label += f" · {said_place(setting, each.key.rpartition('.')[2], names or {}, words)}"
        rows.append((label, *override_sides(each, words)))
    return [*rows, *_inputs(first, second, words)]


def _inputs(first, second, words):
    """Yield one row a file that both results rest on, but not with the same content."""
    for kind, files in first.manifest["inputs"].items():
        others = second.manifest["inputs"].get(kind, {})
        for name, digest in files.items():
            if others.get(name, digest) != digest:
                sides = (words("compare.content", digest=each[:8]) for each in (digest, others[name]))
                yield (words("compare.input", name=name), *sides)


def changed_counties(tables, most):
    """Return the counties whose planned beds differ, those that gain or lose most first, at most ``most`` of them."""
    counties = tables["compared_beds_by_county"]
    changed = counties[counties["beds_difference"].ne(0)]
    order = changed["beds_difference"].abs().sort_values(ascending=False, kind="stable").index
    return changed.loc[order[:most]]
