"""What is loaded, as HTML: facts, sources, columns with their nature, checks, settings, and a file that was brought."""

from geo.theme import MARKS
from planner.report.columns import CODE, TABLES, TEXT, WORD
from planner.report.summary import thousands
from planner.ui.brought import PREVIEWED, ending, said
from planner.ui.sheets import text

SHOWN_FAULTS = 200
DIGITS = 12  # of a digest: enough to tell two files apart; the manifest has them whole


def lines(pairs, *, css="jy-lines"):
    """Return a table of (name, value) pairs."""
    rows = "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>" for name, value in pairs)
    return f'<table class="{css} jy-facts"><tbody>{rows}</tbody></table>'


def listing(heads, rows, *, css=""):
    """Return a table with headings; every cell is text."""
    head = "".join(f"<th>{text(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="jy-scroll"><table class="jy-lines {css}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def region_facts(region, scenario, words):
    """Return (name, value) pairs of the region's files and of the files that the scenario names."""
    counties = region.counties
    province = region.province["name"].iloc[0]
    listed = {field: ending(getattr(scenario, field)) for field in ("existing_stations", "facilities", "roads")}
    return [
        (words("page_data.region"), f"{province}（{scenario.region}）" if words.lang == "zh" else scenario.region),
        (words("page_data.cities"), thousands(len(region.cities))),
        (words("page_data.counties"), thousands(len(counties))),
        (words("page_data.persons"), _people(counties, words)),
        (words("page_data.places"), thousands(len(region.settlements) + len(region.townships))),
        *(
            (words(f"page_data.file_{field}"), name or words(f"page_data.none_{field}"))
            for field, name in listed.items()
        ),
        (words("page_data.digest"), _digests(region)),
    ]


def _digests(region):
    return " · ".join(f"{file} {digest[:DIGITS]}" for file, digest in region.digest.items())


def _people(counties, words):
    sums = {name: thousands(counties[name].sum()) for name in ("persons", "urban", "rural")}
    return words("page_data.people", **sums)


def ground_facts(prepared, words):
    """Return (name, value) pairs of what is made of the region: points where people live, and candidate sites."""
    demand, kinds = prepared.demand, prepared.sites["kind"].value_counts()
    settings = demand["setting"].value_counts()
    points = words(
        "page_data.points_of",
        points=thousands(len(demand)),
        urban=thousands(settings.get("urban", 0)),
        rural=thousands(settings.get("rural", 0)),
    )
    counts = {kind: thousands(kinds.get(kind, 0)) for kind in ("seat", "town", "cell")}
    sites = words("page_data.sites_of", sites=thousands(len(prepared.sites)), **counts)
    return [(words("page_data.points"), points), (words("page_data.sites"), sites)]


def sources_html(region, words):
    """Return the sources of the region, each once, with the files and columns that come from it."""
    rows = []
    for (source, date, licence), held in region.sources.fillna("").groupby(["source", "date", "licence"], sort=False):
        files = ("; " if words.lang == "en" else "；").join(
            f"{file}: {', '.join(part['column'])}" for file, part in held.groupby("file", sort=False)
        )
        natures = words("report.list_comma").join(
            words(f"value.nature.{nature}") if f"value.nature.{nature}" in words else nature
            for nature in held["nature"].unique()
        )
        rows.append((source, date, licence, natures, files))
    heads = [words(f"page_data.source_{part}") for part in ("name", "date", "licence", "nature", "columns")]
    return listing(heads, rows, css="sources")


def columns_html(name, words):
    """Return the columns of a table with unit and nature."""
    table = TABLES[name]
    rows = []
    for column in table.columns:
        nature = table.natures.get(column, "")
        kind = table.kind(column)
        if not nature:
            nature = "name" if kind in (CODE, TEXT, WORD) else "by_row" if column in table.figures else "measured"
        heading = words(f"column.{column}") + MARKS.get(nature, "")
        unit = words(f"unit.{column}") if f"unit.{column}" in words and kind not in (CODE, TEXT, WORD) else ""
        rows.append((heading, column, unit, words(f"page_data.nature_{nature}")))
    heads = [words(f"page_data.column_{part}") for part in ("name", "machine", "unit", "nature")]
    return listing(heads, rows, css="columns")


def checks_html(checks, words):
    """Return every check by the part of the plan that it is of, with what it found."""
    rows = "".join(
        f"<tr><td>{'●' if check.passed else '▲'}</td><th>{text(_part(check.name, words))}</th>"
        f"<td>{text(check.tell(words))}</td></tr>"
        for check in checks
    )
    return f'<div class="jy-scroll"><table class="jy-lines jy-checks"><tbody>{rows}</tbody></table></div>'


def _part(name, words):
    for key in (f"page_data.check_{name}", f"table.{name}.sheet"):
        if key in words:
            return words(key)
    return name


def settings_html(lines, words, *, changed_only=False):
    """Return the settings of a scenario: value and what it rests on; those that differ from the defaults are marked.

    lines  of the section ``report.settings`` of the workbook's cover
    """
    own = words("report.basis_scenario")
    head, body = "", ""
    for line in lines:
        if line.kind == "head":
            head = "".join(f"<th>{text(cell)}</th>" for cell in line.cells)
        elif line.kind == "row":
            changed = line.cells[-1] == own
            if changed or not changed_only:
                cells = "".join(f"<td>{text(cell)}</td>" for cell in line.cells[:-1])
                basis = f"<td>{'◆ ' if changed else ''}{text(line.cells[-1])}</td>"
                own_row = ' class="own"' if changed else ""
                body += f"<tr{own_row}>{cells}{basis}</tr>"
    if not body:
        return f'<p class="jy-say quiet">{text(words("report.no_overrides"))}</p>'
    return (
        f'<div class="jy-scroll"><table class="jy-lines jy-settings"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


# -- a file that was brought -------------------------------------------------------------------------------------------


def faults_html(brought, words):
    """Return all that is wrong with a file as a table: row, column, value, and what to do."""
    heads = [words(f"page_data.fault_{part}") for part in ("row", "column", "value", "said")]
    shown = brought.faults[:SHOWN_FAULTS]
    rows = [(fault.row or "—", fault.column or "—", fault.value or "—", said(fault, words)) for fault in shown]
    head = words("page_data.faults", name=brought.name, count=len(brought.faults))
    more = ""
    if len(brought.faults) > len(shown):
        more = f"<p>{text(words('page_data.faults_more', count=len(brought.faults) - len(shown)))}</p>"
    return (
        f'<div class="jy-note alarm"><h3>▲ {text(head)}</h3><p>{text(words("page_data.faults_how"))}</p>'
        f"{listing(heads, rows, css='faults')}{more}</div>"
    )


def preview_html(brought, words):
    """Return the first rows of a file as they were read."""
    rows = brought.rows.head(PREVIEWED).reset_index()
    left_out = ("x", "y", "city_code", *(("kind",) if brought.kind == "stations" else ()))
    shown = [column for column in rows.columns if column not in left_out]
    heads = [_heading(brought.kind, column, words) for column in shown]
    cells = [[_cell(column, value, words) for column, value in row.items()] for row in rows[shown].to_dict("records")]
    return listing(heads, cells, css="preview")


def _heading(kind, column, words):
    keys = (f"page_data.head_{column}", f"column.{column}")
    return next((words(key) for key in keys if key in words), column)


def _cell(column, value, words):
    if isinstance(value, bool):
        return words("value.switch.true" if value else "value.switch.false")
    if value is None or value != value:
        return "—"
    if column in ("lon", "lat"):
        return f"{value:.6f}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,g}"
    if f"value.{column}.{value}" in words:
        return words(f"value.{column}.{value}")
    return f"{value:,}" if isinstance(value, int) else str(value)
