"""The folder of a check of stations: tables, workbook, offline map, layers and manifest, all of them or none."""

import importlib.metadata
import json
import platform
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd

from geo.maps import CoverageView, coverage_html
from geo.region import GEOGRAPHIC, Region
from geo.theme import MARKS
from planner.coverage import SETTINGS, Change, Coverage, uncovered_points
from planner.report.columns import checked_tables
from planner.report.cover import Line
from planner.report.folder import OutRefused, check_out, replaced
from planner.report.layers import column_notes, coverage_circles, write_geopackage
from planner.report.manifest import MANIFEST, PACKAGES, digest_of, digests_of, write_manifest
from planner.report.names import in_language, place_names
from planner.report.summary import Summary, credit_lines, number, said_rule, share, source_lines, thousands
from planner.report.tables import absent, published, rounded, write_csv
from planner.report.workbook import sheet_names, write_book

LAYER_TABLES = {
    "stations": "checked_stations",
    "uncovered": "checked_places",
    "counties": "checked_counties",
    "cities": "checked_cities",
    "changes": "checked_change_places",
}
MODELLED = ("covered", "preferred", "uncovered", "unreachable")
PLACES_NAMED = 3  # of many, the first


@dataclass(frozen=True)
class Checked:
    """A check of stations, ready to be written.

    region, standards  what it rests on
    demand             its demand points
    coverage           of the list; ``before`` of the list that it is held against, with the ``change`` between the two
    stations, against  file names; "" = the county seats
    datum              of the list, as stated; "" = not stated
    basis              {urban | rural | preferred: "document clause", "" = assumed} of the standards that nobody stated
    inputs             {stations | against | roads: path} of files that were read
    """

    region: Region
    standards: object
    demand: pd.DataFrame
    coverage: Coverage
    stations: str = ""
    against: str = ""
    datum: str = ""
    before: Coverage | None = None
    change: Change | None = None
    basis: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)

    @property
    def sites(self):
        """Return the stations that the software named itself, on id, with their name_en: the county seats."""
        names = {} if self.stations else self.region.counties["name_en"].to_dict()
        return pd.DataFrame({"name_en": {f"S{code}": name for code, name in names.items()}}, dtype=object)


def check_coverage_out(out):
    """Raise :class:`planner.report.OutRefused` when ``out`` may not be replaced by a check; a plan never is."""
    check_out(out)
    try:
        manifest = json.loads((Path(out) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if "coverage" not in manifest:
        raise OutRefused("out_is_other", Path(out).resolve())


def write_coverage(checked, out, words):
    """Write the folder ``out`` of a check, replacing an earlier one's in one step, and return its manifest.

    Raises OSError (:class:`planner.report.OutRefused` among them); the old folder is then as it was.
    """
    check_coverage_out(out)
    tables, cleaned = coverage_tables(checked)
    summary = summarise_coverage(checked, words)
    catalogue = checked_tables(checked.coverage.far)
    with replaced(out) as folder:
        (folder / "tables").mkdir()
        for name, frame in tables.items():
            write_csv(name, frame, folder / "tables" / f"{name}.csv", catalogue)
        said = in_words(checked, tables, words)
        lines = _cover(checked, tables, summary, cleaned, words)
        write_book(said, lines, summary, folder / "coverage.xlsx", words, catalogue)
        layers = coverage_layers(checked, tables)
        notes = column_notes(layers, words, lambda layer, column: _nature(layer, column, catalogue))
        write_geopackage(layers, notes, folder / "coverage.gpkg", words)
        view = coverage_view(checked, said, summary, words)
        (folder / "map.html").write_text(coverage_html(view), encoding="utf-8", newline="\n")
        manifest = _manifest(checked, cleaned, folder, words)
        write_manifest(manifest, folder / MANIFEST)
    return manifest


# -- tables ----------------------------------------------------------------------------------------------------------


def coverage_tables(checked):
    """Return (tables, cleaned) in published form: names and columns of ``planner.report.columns.checked_tables``."""
    return published(unpublished(checked), checked_tables(checked.coverage.far))


def unpublished(checked):
    """Return the tables of a check as they are before anything is rounded: for a screen that follows a hand."""
    found, far = checked.coverage, checked.coverage.far
    status = found.stations["kind"].map({"seat": "assumed", "new": "new"}).fillna("listed")
    tables = {
        "checked_cities": _with_share(found.coverage_by_city),
        "checked_counties": _with_share(found.coverage_by_county),
        "checked_radii": _with_share(found.coverage_by_radius).rename(columns={"radius": f"radius_{far}"}),
        "checked_places": found.uncovered_places.rename(columns={"farthest": f"farthest_{far}"}),
        "checked_stations": found.stations.drop(columns="kind")
        .assign(status=status)
        .rename(columns={"farthest": f"farthest_{far}"}),
    }
    if checked.change is not None:
        difference = {"difference": "covered_difference"}
        tables["checked_change_cities"] = checked.change.by_city.rename(columns=difference)
        tables["checked_change_counties"] = checked.change.by_county.rename(columns=difference)
        tables["checked_change_places"] = checked.change.places
    return tables


def _with_share(frame):
    return frame.assign(covered_share=frame["covered"] * 100 / frame["persons"].where(frame["persons"] > 0))


def in_words(checked, tables, words):
    """Return the tables with the names of places in the language of ``words``; what a list names stays as it is."""
    said = in_language(tables, checked, words)
    if words.lang == "zh":
        return said
    counties = checked.region.counties
    seats = dict(zip(counties["name"], counties["name_en"], strict=True))
    for name, frame in said.items():
        for column, listed in (
            ("station", checked.stations),
            ("station_first", checked.against),
            ("station_second", checked.stations),
        ):
            if column in frame and not listed:
                said[name] = frame = frame.assign(**{column: frame[column].map(seats).fillna(frame[column])})
    return said


# -- sentences -------------------------------------------------------------------------------------------------------


def summarise_coverage(checked, words, said=None):
    """Return the :class:`planner.report.summary.Summary` of a check; ``said`` are its tables in words, if known."""
    limits = _limits(checked, words)
    title = words("coverage.title_seats" if not checked.stations else "coverage.title_list", file=checked.stations)
    if checked.change is not None:
        title = words("coverage.title_against", title=title, file=_called(checked.against, words))
    return Summary(
        title=title,
        subtitle=words(
            "coverage.subtitle",
            stations=thousands(len(checked.coverage.stations)),
            persons=thousands(checked.coverage.people_in),
            **limits,
        ),
        headline=coverage_headline(checked, words, said),
        rule=coverage_rule(checked, words),
        sources=source_lines(checked, words),
        credits=credit_lines(checked, words),
        interim="",
    )


def coverage_rule(checked, words):
    """Return the sentence that says when people count as covered."""
    found = checked.coverage
    return said_rule(found.measure, found.detour_factor, found.limits, words)


def coverage_headline(checked, words, said=None):
    """Return a check in sentences that a planner can copy into a report; ``said``: its tables in words, if known."""
    tables = said or in_words(checked, coverage_tables(checked)[0], words)
    found = checked.coverage
    cities = found.coverage_by_city.groupby("setting")[["persons", "preferred", "covered", "uncovered"]].sum()
    cities = cities.reindex(SETTINGS, fill_value=0)
    urban, rural = cities.loc["urban"], cities.loc["rural"]
    who = "coverage.who_list" if checked.stations else "coverage.who_seats"
    said = [
        words(
            "coverage.say_covered",
            who=words(who, file=checked.stations, count=thousands(len(found.stations))),
            urban_share=_share(urban["covered"], urban["persons"], words),
            urban_covered=thousands(urban["covered"]),
            rural_share=_share(rural["covered"], rural["persons"], words),
            rural_covered=thousands(rural["covered"]),
            preferred_share=_share(rural["preferred"], rural["persons"], words),
            **_limits(checked, words),
        ),
        _uncovered(checked, tables, urban, rural, words),
        *_lowest(checked, words),
    ]
    unreachable = int(found.coverage_by_city["unreachable"].sum())
    if unreachable:
        said.append(words("coverage.say_unreachable", persons=thousands(unreachable)))
    if checked.change is not None:
        said.append(_changed(checked, words))
    return said


def _limits(checked, words):
    """Return the standards with their unit, as "5 公里"."""
    found = checked.coverage
    names = ("urban", "rural", "preferred")
    return {name: words(f"coverage.in_{found.far}", number=number(getattr(found.limits, name))) for name in names}


def _share(part, whole, words):
    return share(part, whole) if whole else words("report.absent")


def _uncovered(checked, tables, urban, rural, words):
    total = int(urban["uncovered"] + rural["uncovered"])
    if not total:
        return words("coverage.say_nobody")
    places = tables["checked_places"].head(PLACES_NAMED)
    named = [_place(row, checked.coverage.far, words) for row in places.to_dict("records")]
    figures = {"urban": urban["uncovered"], "rural": rural["uncovered"], "persons": total}
    said = {name: thousands(value) for name, value in figures.items()}
    part = share(total, checked.coverage.people_in)
    return words("coverage.say_uncovered", part=part, places=words("coverage.between").join(named), **said)


def _place(row, far, words):
    setting = words(f"value.setting.{row['setting']}")
    said = {"place": row["place"], "county": row["county"], "setting": setting, "persons": thousands(row["persons"])}
    if absent(row[far]):
        return words("coverage.place_no_way", **said)
    return words("coverage.place", station=row["station"], far=_far(row[far], far, words), **said)


def _far(value, far, words):
    return words(f"coverage.in_{far}", number=f"{rounded(value, 1)}")


def _lowest(checked, words):
    """Return the sentence on the city least covered, urban and rural; none where there is but one city."""
    names = place_names(checked.region, words)
    frame = checked.coverage.coverage_by_city
    parts = []
    for setting in SETTINGS:
        rows = frame[frame["setting"].eq(setting) & frame["persons"].gt(0)]
        if len(rows) > 1 and rows["uncovered"].any():
            row = rows.loc[(rows["covered"] / rows["persons"]).idxmin()]
            said = share(row["covered"], row["persons"])
            parts.append(words(f"coverage.lowest_{setting}", city=names[row["code"]], share=said))
    return [words("coverage.say_lowest", parts=words("coverage.between").join(parts))] if parts else []


def _changed(checked, words):
    """Return the sentence on who gains and who loses against the other list."""
    names = place_names(checked.region, words)
    by_county = checked.change.by_county.groupby("code")[["gained", "lost", "difference"]].sum()
    gained, lost = int(by_county["gained"].sum()), int(by_county["lost"].sum())
    said = words(
        "coverage.say_change",
        file=_called(checked.against, words),
        count=thousands(len(checked.before.stations)),
        gained=thousands(gained),
        lost=thousands(lost),
        net=_signed(gained - lost),
    )
    for way in ("gained", "lost"):
        if by_county[way].any():
            code = by_county[way].idxmax()
            persons = thousands(by_county.at[code, way])
            said += words(f"coverage.say_most_{way}", county=names[code], persons=persons)
    return said + words("coverage.say_stop")


def _called(file, words):
    return words("coverage.the_list", file=file) if file else words("coverage.the_seats")


def _signed(value):
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", "−")


# -- map and layers --------------------------------------------------------------------------------------------------


def coverage_view(checked, said, summary, words):
    """Return the :class:`geo.maps.CoverageView` of a check; ``said`` are its tables in the language of the map."""
    region, found = checked.region, checked.coverage
    names = place_names(region, words)
    counties = _wide(said["checked_counties"], region.counties)
    counties["city"] = region.counties["city_code"].reindex(counties["code"]).map(names).to_numpy()
    if checked.change is not None:
        change = checked.change.by_county.groupby("code")[["difference", "persons"]].sum().reindex(counties["code"])
        points = change["difference"] * 100 / change["persons"].where(change["persons"] > 0)
        counties["change_points"] = points.to_numpy()
    cities = _wide(said["checked_cities"], region.cities)
    cities = cities.join(region.cities[["lon", "lat"]].reindex(cities["code"]).reset_index(drop=True))
    stations = said["checked_stations"].rename(columns={f"farthest_{found.far}": "farthest"})
    stations["county"] = stations["county_code"].map(names)
    stations["city"] = stations["city_code"].map(names)
    return CoverageView(
        title=summary.title,
        subtitle=summary.subtitle,
        lang=words.lang,
        province=region.province,
        cities=cities,
        counties=counties,
        stations=stations,
        far=found.far,
        urban=found.limits.urban,
        rural=found.limits.rural,
        circles=found.measure == "straight",
        detour_factor=found.detour_factor,
        uncovered=said["checked_places"].rename(columns={found.far: "far"}),
        sources=summary.credits,
        rule=summary.rule,
        notes=summary.headline,
        words=words,
    )


def coverage_layers(checked, tables):
    """Return the layers by name, GeoDataFrames in EPSG:4490; field names are English identifiers.

    cities, counties   polygons with {urban, rural}_{persons, covered, uncovered} and rural_preferred
    coverage_circles   of straight lines only: station_id, setting, radius_metres, cut to the province
    stations           points, the columns of checked_stations
    uncovered          demand points beyond their standard: place, county, setting, persons, station and the way to it
    changes            where a list is held against another: the places that gain or lose
    """
    region, found = checked.region, checked.coverage
    layers = {
        "cities": _wide(tables["checked_cities"], region.cities),
        "counties": _wide(tables["checked_counties"], region.counties),
    }
    if found.measure == "straight":
        radii = {"urban_km": found.limits.urban, "rural_km": found.limits.rural}
        scenario = SimpleNamespace(**radii, detour_factor=found.detour_factor)
        layers["coverage_circles"] = coverage_circles(tables["checked_stations"], scenario, region)
    layers["stations"] = _spots(tables["checked_stations"])
    layers["uncovered"] = _spots(uncovered_points(found, region))
    if checked.change is not None:
        layers["changes"] = _spots(tables["checked_change_places"])
    return layers


def _wide(table, polygons):
    """Return one row a unit with its polygon: urban and rural side by side."""
    counted = ["persons", "covered", "uncovered"]
    parts = {"code": table["code"].drop_duplicates().to_list()}
    by = table.set_index(["setting", "code"])
    parts["name"] = by.loc["urban", "name"].reindex(parts["code"]).to_numpy()
    for setting in SETTINGS:
        for column in [*counted, *(["preferred"] if setting == "rural" else [])]:
            parts[f"{setting}_{column}"] = by.loc[setting, column].reindex(parts["code"]).to_numpy()
    geometry = polygons.geometry.reindex(parts["code"]).to_numpy()
    return gpd.GeoDataFrame(parts, geometry=geometry, crs=polygons.crs)


def _spots(frame):
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=GEOGRAPHIC)


def _nature(layer, column, catalogue):
    if column.removeprefix("urban_").removeprefix("rural_") in MODELLED:
        return "modelled"
    table = catalogue.get(LAYER_TABLES.get(layer))
    return table.natures.get(column, "") if table else ""


# -- cover and manifest ----------------------------------------------------------------------------------------------


def question_lines(checked, words):
    """Return [(setting, value, basis)] of what was asked, in the language of ``words``."""
    found, said = checked.coverage, _limits(checked, words)
    assumed = words("report.basis_assumed") + MARKS["assumed"]
    stated = words("coverage.basis_stated")
    basis = {name: (checked.basis[name] or assumed) if name in checked.basis else stated for name in said}
    listed = words("coverage.basis_file") if checked.stations else assumed
    radii = words("report.list_comma").join(number(radius) for radius in found.radii)
    rows = [("stations", _called(checked.stations, words), listed)]
    if checked.stations:
        rows.append(("datum", words(f"coverage.datum_{checked.datum or 'none'}"), ""))
    if checked.change is not None:
        rows.append(("against", _called(checked.against, words), ""))
    rows += [(name, said[name], basis[name]) for name in said]
    rows.append(("radii", words(f"coverage.in_{found.far}", number=radii), ""))
    rows.append(("measure", words(f"coverage.measure_{found.measure}"), ""))
    if found.detour_factor != 1:
        rows.append(("detour", number(found.detour_factor), words("coverage.basis_stated")))
    return [(words(f"coverage.asked_{key}"), value, why) for key, value, why in rows]


def people_line(checked, words):
    """Return whether everybody who went in came out, covered or not."""
    found = checked.coverage
    key = "people_same" if found.people_in == found.people_out else "people_differ"
    said = {"people_in": thousands(found.people_in), "people_out": thousands(found.people_out)}
    return words(f"coverage.{key}", **said)


def _cover(checked, tables, summary, cleaned, words):
    lines = [Line("title", (summary.title,)), Line("quiet", (summary.subtitle,))]
    lines += _texts(words("report.headline"), summary.headline)
    lines.append(Line("heading", (words("report.contents"),)))
    sheets = sheet_names(tables, words)
    lines += [Line("link", (sheets[name], words(f"table.{name}.title"), sheets[name])) for name in tables]
    lines.append(Line("heading", (words("coverage.asked"),)))
    lines.append(Line("head", tuple(words(f"report.setting_{part}") for part in ("name", "value", "basis"))))
    lines += [Line("row", row) for row in question_lines(checked, words)]
    lines += _texts(words("report.people"), [people_line(checked, words)])
    marks = [words(f"report.mark_{name}") for name in ("modelled", "assumed", "absent", "machine")]
    lines += _texts(words("report.marks"), [words("coverage.mark_measured"), *marks])
    lines += _texts(words("report.rule_title"), [summary.rule])
    lines += _texts(words("report.sources"), summary.sources)
    if cleaned:
        lines += _texts(words("report.cleaned"), [f"{each.table} · {each.column} · {each.row}" for each in cleaned])
    return lines


def _texts(heading, texts):
    return [Line("heading", (heading,)), *(Line("text", (text,)) for text in texts)]


def _manifest(checked, cleaned, folder, words):
    found = checked.coverage
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    inputs = {"region": dict(checked.region.digest), "standards": dict(checked.standards.files)}
    inputs |= {kind: {Path(path).name: digest_of(Path(path))} for kind, path in checked.inputs.items()}
    return {
        "jinyi": importlib.metadata.version("jinyi"),
        "language": words.lang,
        "coverage": {
            "stations": checked.stations or None,
            "against": None if checked.change is None else checked.against,
            "datum": checked.datum or None,
            "measure": found.measure,
            "detour_factor": found.detour_factor,
            "limits": vars(found.limits).copy(),
            "radii": list(found.radii),
            "unit": found.far,
        },
        "inputs": inputs,
        "packages": {"python": platform.python_version()} | versions,
        "projection": checked.region.projection,
        "people": {"in": found.people_in, "out": found.people_out},
        "cleaned": [{"table": c.table, "column": c.column, "row": c.row, "text": c.text} for c in cleaned],
        "files": digests_of(folder),
    }
