"""Tables and lines of an answer as HTML. Every text from data is escaped here; figures are printed here alone."""

import base64
import hashlib
import html
from dataclasses import dataclass

from geo.theme import VERDICT_COLOURS, VERDICT_SIGNS, figure
from planner.report.columns import ALL_TABLES, CODE, COMPARED, DECIMALS, TEXT, WORD
from planner.report.summary import density, gap_text, share, thousands
from planner.report.tables import absent, rounded
from planner.report.workbook import DENSITIES, NOT_SUMMED, word
from planner.report.workbook import SHARES as PERCENTAGES
from planner.ui.style import asset, variables

SHARE = "share"
SHARES = {"covered_share": "covered", "covered_now_share": "covered_now", "preferred_share": "preferred"}
ROW_PIXELS, HEAD_PIXELS = 28, 47
ROWS_AT_ONCE, TALLEST = 30, 560  # a longer table scrolls under its headings
COLUMN_PIXELS = 150  # a table of few columns does not sprawl

# What the page shows of each table: names instead of codes, shares beside counts. The files hold every column.
SHEETS = {
    "beds_by_city": "name persons beds_now beds_target beds_plan beds_new now_per_1000 target_per_1000 plan_per_1000",
    "beds_by_county": "name city persons beds_now beds_plan beds_new now_per_1000 plan_per_1000"
    " reach_now_per_1000 reach_plan_per_1000",
    "bed_structure": "area part item beds_now beds_target beds_plan gap target_per_1000 plan_per_1000 verdict clause",
    "bed_rules": "rule area unit asked got bent strict verdict clause",
    "bed_objectives": "objective order shortfall worst even equal change cost travel",
    "bed_standards": "name city persons plan_per_1000 beds_plan city_and_above county_and_primary other_public private"
    " general tcm psychiatric infectious oncology critical rehabilitation nursing",
    "access_summary": "split gini worst_county worst_per_1000 mean_per_1000 deviation",
    "freezes": "scope name rule measured limit unit clause",
    "bed_staff": "name beds_plan staff nurses doctors staff_limit nurses_limit doctors_limit",
    "stations": "name county city kind status tier housing ambulances persons investment",
    "station_tiers": "name city_centre county_station substation central_township township stations listed assumed new"
    " hospital_based ambulances investment",
    "coverage_curve": "stations persons share bound status knee",
    "stations_alternative": "name county city kind status persons",
    "station_options": "option stations persons name county city",
    "ambulances_by_city": "name persons stations floor uplift required plan negative_pressure persons_per_vehicle"
    " expected expected_share double_share next_station next_gain",
    "ambulances_by_station": "name county city ambulances negative_pressure persons persons_per_vehicle"
    " gain_of_one_more",
    "coverage_by_city": "name setting persons covered covered_share uncovered unreachable covered_now_share"
    " preferred_share",
    "coverage_by_county": "name city setting persons covered covered_share uncovered unreachable covered_now_share"
    " preferred_share",
    "uncovered_places": "place county city setting persons km minutes",
    "centres": "name level persons",
    "centres_free": "name city level persons",
    "catchments": "county city persons centre centre_km free_centre free_centre_km",
    "compliance": "name document clause area unit now target plan gap verdict",
    "compared_beds_by_city": "name persons_first persons_second beds_first beds_second beds_difference"
    " per_1000_first per_1000_second per_1000_difference",
    "compared_beds_by_county": "name city beds_first beds_second beds_difference"
    " per_1000_first per_1000_second per_1000_difference reach_first reach_second reach_difference",
    "compared_structure": "area part item beds_first beds_second beds_difference"
    " per_1000_first per_1000_second per_1000_difference",
    "compared_rules": "rule area unit bent_first bent_second bent_difference",
    "compared_access": "split gini_first gini_second gini_difference worst_county_first worst_first"
    " worst_county_second worst_second worst_difference deviation_first deviation_second deviation_difference",
    "compared_objectives": "objective unit first second difference",
    "compared_emergency": "name stations_first stations_second stations_difference ambulances_first"
    " ambulances_second ambulances_difference uncovered_first uncovered_second uncovered_difference",
}
WHERE_ANY = ("km", "minutes", "unreachable")  # columns of one measure of ways: shown where they hold something
OWN_KINDS = {
    **dict.fromkeys(("city", "next_station", "centre", "free_centre"), TEXT),
    "centre_km": "km",
    "free_centre_km": "km",
}
OWN_HEADINGS = {
    "city": "ui.city",
    "centre": "column.centre_name",
    "free_centre": "ui.free_centre",
    "name": "column.name",
}
SHOWN_DECIMALS = {"km": 1}
UNIT_DECIMALS = {"beds_per_1000": 2, "percent_of_people": 2}


@dataclass(frozen=True)
class Column:
    """One column of a sheet. ``kind`` as in planner.report.columns, or "share"; ``mark`` as in geo.theme.MARKS.

    ``signed``: a difference, with + or − before it.
    """

    key: str
    kind: str
    heading: str
    unit: str
    mark: str
    signed: bool = False

    @property
    def is_number(self):
        return self.kind not in (CODE, TEXT, WORD)


def sheet_html(name, tables, words):
    """Return (HTML document, its height in pixels) of one table: sortable by its headings, totals at its foot."""
    rows = _named(name, tables)
    shown = [key for key in SHEETS[name].split() if key not in WHERE_ANY or _holds(rows, key)]
    columns = [_column(name, key, words) for key in shown]
    totals = list(_totals(name, columns, rows, words))
    head = "".join(_heading(column, words) for column in columns)
    body = "".join(_row(columns, row, words) for row in rows)
    foot = "".join(_row(columns, row, words) for row in totals)
    width = COLUMN_PIXELS * len(columns)
    table = f'<table style="max-width:{width}px"><thead><tr>{head}</tr></thead>'
    table += f"<tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"
    if not rows:
        said = f"ui.empty.{name}" if f"ui.empty.{name}" in words else "ui.empty.any"
        table = f'<p class="none">{text(words(said))}</p>'
    height = HEAD_PIXELS + ROW_PIXELS * (len(rows) + len(totals)) + 4 if rows else 60
    return document(table, words), height if len(rows) <= ROWS_AT_ONCE else TALLEST


def _holds(rows, key):
    return any(not absent(row[key]) and row[key] > 0 for row in rows)


def document(body, words):
    """Return ``body`` as a document of its own that asks nothing of any network and runs no script but the page's."""
    script = asset("sheet.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; base-uri 'none'"
    return (
        f'<!DOCTYPE html>\n<html lang="{words("map.html_lang")}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<style>{variables()}{asset('sheet.css')}</style></head><body>{body}<script>{script}</script></body></html>"
    )


def text(value):
    """Return ``value`` as HTML that shows exactly that text."""
    return html.escape(str(value))


def _column(name, key, words):
    table = ALL_TABLES[name]
    kind = SHARE if key in SHARES else OWN_KINDS.get(key) or table.kind(key)
    if key in SHARES:
        return Column(key, kind, words(f"ui.{key}"), "", table.mark(SHARES[key]))
    heading = words(OWN_HEADINGS.get(key, f"column.{key}"))
    unit = words(f"unit.{key}") if f"unit.{key}" in words and kind in DECIMALS and kind != "figure" else ""
    return Column(key, kind, heading, unit, table.mark(key), name in COMPARED and key.endswith("difference"))


def _named(name, tables):
    """Return the rows of a table as dicts, codes turned into names."""
    cities = dict(zip(tables["beds_by_city"]["code"], tables["beds_by_city"]["name"], strict=True))
    counties = tables["beds_by_county"].set_index("code")
    frame = tables[name]
    rows = frame.to_dict("records")
    if name == "catchments":
        free = tables["catchments_free"].set_index("county_code")
        for row in rows:
            other = free.loc[row["county_code"]]
            row["centre"], row["centre_km"] = cities.get(row["centre_city_code"], ""), row["km"]
            row["free_centre"], row["free_centre_km"] = (
                counties["name"].get(other["centre_county_code"], ""),
                other["km"],
            )
    if name == "ambulances_by_city":
        stations = dict(zip(tables["stations"]["id"], tables["stations"]["name"], strict=True))
        rows = [row | {"next_station": stations.get(row["next_station"], "")} for row in rows]
    for row in rows:
        county = row.get("county_code")
        row.setdefault("county", counties["name"].get(county, ""))
        row["city"] = cities.get(row.get("city_code") or counties["city_code"].get(county), "")
    return rows


def _totals(name, columns, rows, words):
    """Yield the last rows of a city table: sums, with densities worked out from the sums."""
    how = ALL_TABLES[name].totals
    groups = [("urban",), ("rural",), ("urban", "rural")] if how == "setting" else [None] if how else []
    for group in groups:
        within = [row for row in rows if group is None or row["setting"] in group]
        total = {"name": words("report.total"), "setting": group[0] if group and len(group) == 1 else ""}
        sums = {
            key: _sum([row[key] for row in within])
            for key in ALL_TABLES[name].columns
            if ALL_TABLES[name].kind(key) == "whole" and key not in NOT_SUMMED
        }
        total |= sums | dict.fromkeys(NOT_SUMMED, "")
        for key, (part, whole) in PERCENTAGES.items():
            if sums.get(part) is not None and sums.get(whole):
                total[key] = float(rounded(100 * sums[part] / sums[whole], 1))
        for key, (count, persons) in DENSITIES.items():
            if sums.get(count) is not None and sums.get(persons):
                total[key] = float(density(sums[count], sums[persons]))
        if "per_1000_second" in total:
            total["per_1000_difference"] = float(rounded(total["per_1000_second"] - total["per_1000_first"], 2))
        yield total


def _sum(figures):
    """Return the sum of what is known; None where nothing is."""
    known = [figure for figure in figures if not absent(figure)]
    return sum(known) if known else None


def _heading(column, words):
    """Return the heading of a column; pointing at it shows how its figures come about."""
    side = " class=figure" if column.is_number else ""
    unit = f"<small>{text(column.unit)}</small>" if column.unit else ""
    how = f' title="{text(words(f"how.{column.key}"))}"' if f"how.{column.key}" in words else ""
    said = f"{text(column.heading)}{column.mark}"
    return f'<th scope="col"{side}{how}><button type="button">{said}<i></i></button>{unit}</th>'


def _row(columns, row, words):
    return "<tr>" + "".join(_cell(column, row, words) for column in columns) + "</tr>"


def _cell(column, row, words):
    classes = ["figure"] if column.is_number else []
    if column.key == "verdict":
        verdict = row["verdict"]
        colour = VERDICT_COLOURS.get(verdict, "inherit")
        return f'<td data-sort="{text(verdict)}" style="color:{colour}">{text(verdict_text(verdict, words))}</td>'
    if not column.is_number:
        value = row.get(column.key, "")
        said = word(column.key, value, words) if column.kind == WORD and value else value
        return f'<td data-sort="{text(said)}">{text(said)}</td>'
    said, value = _figure(column, row)
    nature = row.get(f"nature_{column.key}", row.get(f"nature_{column.key.removeprefix('beds_')}"))
    if column.mark == "ᵐ" or nature == "modelled":
        classes.append("modelled")
    if column.key == "uncovered" and row["uncovered"] > 0:
        classes.append("short")
    mark = {"modelled": "ᵐ", "assumed": "ᵃ"}.get(nature, "")
    return f'<td class="{" ".join(classes)}" data-sort="{value}">{said}{mark}</td>'


def _figure(column, row):
    """Return (figure as printed, figure to sort by); an absent one is printed as a dash."""
    if column.kind == SHARE:
        part, whole = row[SHARES[column.key]], row["persons"]
        return (share(part, whole), part / whole) if whole else ("—", "")
    value = row.get(column.key)
    if value == "":  # a total that would say nothing
        return "", ""
    if absent(value):
        return "—", ""
    if column.kind == "figure":
        return figure(float(value), UNIT_DECIMALS.get(row.get("unit"), 0), column.signed), float(value)
    decimals = SHOWN_DECIMALS.get(column.kind, DECIMALS[column.kind])
    return figure(float(value), decimals, column.signed), float(value)


def verdict_text(verdict, words):
    """Return a verdict as a word with its shape."""
    sign = VERDICT_SIGNS.get(verdict, "")
    return f"{sign} {words(f'value.verdict.{verdict}')}".strip()


# -- beside the map ----------------------------------------------------------------------------------------------------


def glance_html(tables, words):
    """Return the few figures beside the map: coverage before and after, each city's beds, stations and vehicles."""
    coverage = tables["coverage_by_city"].groupby("setting")[["persons", "covered", "covered_now"]].sum()
    lines = ""
    for setting in coverage.index[::-1]:
        row = coverage.loc[setting]
        before, after = (share(row[column], row["persons"]) for column in ("covered_now", "covered"))
        short = " short" if row["covered"] < row["persons"] else ""
        lines += (
            f'<div class="reach"><span>{text(words(f"ui.covered_{setting}"))}</span>'
            f'<em>{before}</em> → <b class="{short}">{after}</b></div>'
        )
    beds = tables["beds_by_city"].merge(
        tables["ambulances_by_city"][["code", "stations", "plan"]], on="code", how="left"
    )
    head = "".join(f"<th>{words(f'ui.glance.{key}')}</th>" for key in ("city", "beds", "new", "stations", "ambulances"))
    body = "".join(
        _glance_row(row["name"], *(row[key] for key in ("beds_plan", "beds_new", "stations", "plan")))
        for row in beds.to_dict("records")
    )
    sums = beds[["beds_plan", "beds_new", "stations", "plan"]].sum()
    foot = _glance_row(words("report.total"), *sums)
    return (
        f'<div class="jy-glance">{lines}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot>{foot}</tfoot></table></div>"
    )


def _glance_row(name, beds, new, stations, vehicles):
    cells = (thousands(beds), f"<i>+{thousands(new)}</i>", thousands(stations), thousands(vehicles))
    return f"<tr><th>{text(name)}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def price_text(tables, plan, words):
    """Return what the documents' choice of centres costs against the free one, where that one is proven."""
    if plan.proofs["centres_free"].status != "optimal":
        return words("ui.price_unknown")
    documents, free = (plan.figures[f"person_km_{choice}"] for choice in ("documents", "free"))
    persons = int(tables["catchments"]["persons"].sum())
    return words(
        "ui.price",
        count=len(tables["centres"]),
        documents=figure(documents / persons, 1),
        free=figure(free / persons, 1),
        more=figure((documents - free) / 1e6, 1),
        percent=f"{100 * (documents / free - 1):.1f}%" if free else "—",
    )


# -- how it was worked out ---------------------------------------------------------------------------------------------


def proofs_html(proofs, words):
    """Return the table of proofs: model, how far proven, value, bound and gap."""
    head = "".join(
        f"<th>{words(f'ui.proof.{key}')}</th>" for key in ("model", "status", "objective", "bound", "gap", "seconds")
    )
    rows = ""
    for name, proof in proofs.items():
        unit = f"cli.unit.{proof.unit}"
        figures = [
            _proof_figure(proof.objective),
            _proof_figure(proof.bound),
            gap_text(proof.gap, words),
            f"{proof.seconds:.1f}",
        ]
        said = f"{words(f'value.model.{name}')}<small>{words(unit) if unit in words else ''}</small>"
        cells = "".join(f'<td class="figure">{value}</td>' for value in figures)
        rows += f"<tr><td>{said}</td><td>{proof_text(proof, words)}</td>{cells}</tr>"
    return f'<table class="jy-lines proofs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def proof_text(proof, words):
    """Return how far a model is proven, as a word with its shape."""
    sign = {"optimal": "●", "within_gap": "●", "interim": "◐"}.get(proof.status, "◇")
    return f"{sign} {words(f'value.proof.{proof.status}')}"


def _proof_figure(value):
    return "—" if value is None else figure(value, 4).rstrip("0").rstrip(".") if value % 1 else figure(value, 0)


def lines_html(lines):
    """Return lines of the workbook's cover (planner.report.cover) as HTML, those of one section."""
    rows, paragraphs = "", ""
    for line in lines:
        if line.kind in ("head", "row"):
            tag = "th" if line.kind == "head" else "td"
            rows += "<tr>" + "".join(f"<{tag}>{text(cell)}</{tag}>" for cell in line.cells) + "</tr>"
        else:
            paragraphs += f"<p>{text(line.cells[0])}</p>"
    return (f'<table class="jy-lines"><tbody>{rows}</tbody></table>' if rows else "") + paragraphs


def sections(lines):
    """Yield (heading, lines) of the workbook's cover."""
    heading, held = None, []
    for line in lines:
        if line.kind == "heading":
            if heading is not None:
                yield heading, held
            heading, held = line.cells[0], []
        else:
            held.append(line)
    if heading is not None:
        yield heading, held
