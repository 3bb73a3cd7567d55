"""The tables of a checked list as HTML: town and country side by side, every share with what it was made of."""

from geo.theme import MARKS, figure
from planner.report.summary import share, thousands
from planner.report.tables import absent
from planner.ui.sheets import HEAD_PIXELS, ROW_PIXELS, ROWS_AT_ONCE, TALLEST, document, text

MOST_ROWS = 200  # of a long list; the files hold every row
SHORT = "short"
MODELLED = "modelled"


def areas_html(frame, words, *, cities=None):
    """Return (HTML document, its height) of cities or counties: people, covered, preferred, uncovered.

    frame   checked_cities or checked_counties in the reader's language
    cities  {code: name} of the column that says which city a county belongs to; None = a table of cities
    """
    by = {setting: part.to_dict("records") for setting, part in frame.groupby("setting", sort=False)}
    rows = [_area(urban, rural) for urban, rural in zip(by["urban"], by["rural"], strict=True)]
    body = "".join(
        _tr([_td(row["name"]), *([_td(cities.get(row["city"], ""))] if cities else []), *_figures(row, words)])
        for row in rows
    )
    total = {key: sum(row[key] for row in rows) for key in rows[0] if key not in ("name", "city")}
    label = [_td(words("report.total")), *([_td("")] if cities else [])]
    foot = _tr([*label, *_figures(total, words)])
    heads = ["name", *(["city"] if cities else []), *AREA_HEADS]
    return _table(heads, body, foot, len(rows) + 1, words)


AREA_HEADS = (
    *("urban_persons", "urban_covered", "urban_share"),
    *("rural_persons", "rural_covered", "rural_share", "preferred_share"),
    "uncovered",
)


def _area(urban, rural):
    counts = {
        f"{setting}_{column}": int(row[column])
        for setting, row in (("urban", urban), ("rural", rural))
        for column in ("persons", "covered", "preferred", "uncovered")
    }
    return {"name": urban["name"], "city": urban.get("city_code", "")} | counts


def _figures(row, words):
    cells = []
    for setting in ("urban", "rural"):
        persons, inside = row[f"{setting}_persons"], row[f"{setting}_covered"]
        cells += [_number(persons), _number(inside, MODELLED), _share(inside, persons, words)]
    cells.append(_share(row["rural_preferred"], row["rural_persons"], words))
    uncovered = row["urban_uncovered"] + row["rural_uncovered"]
    cells.append(_number(uncovered, f"{MODELLED} {SHORT}" if uncovered else MODELLED))
    return cells


def places_html(frame, far, words):
    """Return (HTML document, its height) of the places of uncovered people: most people first."""
    body = ""
    for row in frame.head(MOST_ROWS).to_dict("records"):
        cells = [_td(row["place"]), _td(row["county"]), _td(words(f"value.setting.{row['setting']}"))]
        cells += [_number(row["persons"], f"{MODELLED} {SHORT}"), _td(row["station"])]
        cells += [_far(row[far]), _far(row[f"farthest_{far}"])]
        body += _tr(cells)
    heads = ("place", "county", "setting", "uncovered", "nearest", f"mean_{far}", f"farthest_{far}")
    return _table(heads, body, "", min(len(frame), MOST_ROWS), words, empty="page_emergency.nobody_uncovered")


def stations_html(frame, far, names, words):
    """Return (HTML document, its height) of the stations; ``names`` {code: name} of counties and cities."""
    body = ""
    for row in frame.to_dict("records"):
        mark = MARKS["assumed"] if row["status"] == "assumed" else ""
        said = words(f"page_emergency.status.{row['status']}") + mark
        cells = [_td(row["name"]), _td(names.get(row["county_code"], "")), _td(names.get(row["city_code"], ""))]
        cells += [_td(said), _number(row["persons"], MODELLED)]
        cells += [_number(row["uncovered"], f"{MODELLED} {SHORT}" if row["uncovered"] else MODELLED)]
        body += _tr([*cells, _far(row[f"farthest_{far}"])])
    heads = ("station", "county", "city", "status", "nearest_persons", "of_uncovered", f"farthest_{far}")
    return _table(heads, body, "", len(frame), words)


def glance_html(people, limits, words, before=None):
    """Return the few figures beside the map: shares covered, people left out; ``before``: the same of the start."""
    lines = ""
    for setting, column, limit in (
        ("urban", "covered", "urban"),
        ("rural", "covered", "rural"),
        ("rural", "preferred", "preferred"),
    ):
        row = people[setting]
        made = words("page_emergency.made_of", part=thousands(row[column]), whole=thousands(row["persons"]))
        shown = share(row[column], row["persons"]) if row["persons"] else words("report.absent")
        short = " short" if column == "covered" and row[column] < row["persons"] else ""
        was = ""
        if before is not None and row["persons"] and share(before[setting][column], row["persons"]) != shown:
            was = f"<em>{share(before[setting][column], row['persons'])} → </em>"
        label = words(f"page_emergency.glance.{limit}", limit=limits[limit])
        lines += (
            f'<div class="em-figure" title="{text(made)}"><span>{text(label)}{MARKS["modelled"]}</span>'
            f'<p>{was}<b class="{short.strip()}">{shown}</b></p><small>{text(made)}</small></div>'
        )
    left = sum(row["uncovered"] for row in people.values())
    urban, rural = (thousands(people[setting]["uncovered"]) for setting in ("urban", "rural"))
    apart = words("page_emergency.glance.apart", urban=urban, rural=rural)
    sign = "▲" if left else "●"
    lines += (
        f'<div class="em-figure"><span>{text(words("page_emergency.glance.uncovered"))}{MARKS["modelled"]}</span>'
        f'<p><b class="{SHORT if left else ""}">{sign} {thousands(left)}</b></p><small>{text(apart)}</small></div>'
    )
    return f'<div class="em-figures" data-uncovered="{left}">{lines}</div>'


def _table(heads, body, foot, rows, words, *, empty=""):
    if not rows:
        return document(f'<p class="none">{text(words(empty))}</p>', words), 60
    table = f"<table><thead><tr>{''.join(_th(head, words) for head in heads)}</tr></thead>"
    table += f"<tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"
    height = HEAD_PIXELS + ROW_PIXELS * rows + 4
    return document(table, words), height if rows <= ROWS_AT_ONCE else TALLEST


def _th(head, words):
    words_of = f"page_emergency.head.{head}"
    said, _, unit = words(words_of).partition("|")
    side = "" if head in TEXTS else " class=figure"
    small = f"<small>{text(unit)}</small>" if unit else ""
    return f'<th scope="col"{side}><button type="button">{text(said)}<i></i></button>{small}</th>'


TEXTS = ("name", "city", "place", "county", "setting", "nearest", "station", "status")


def _tr(cells):
    return "<tr>" + "".join(cells) + "</tr>"


def _td(said):
    return f'<td data-sort="{text(said)}">{text(said)}</td>'


def _number(value, classes=""):
    return f'<td class="figure {classes}" data-sort="{value}">{thousands(value)}</td>'


def _share(of, whole, words):
    if not whole:
        return f'<td class="figure" data-sort="">{words("report.absent")}</td>'
    made = words("page_emergency.made_of", part=thousands(of), whole=thousands(whole))
    return f'<td class="figure {MODELLED}" data-sort="{of / whole}" title="{text(made)}">{share(of, whole)}</td>'


def _far(value):
    if absent(value):
        return '<td class="figure" data-sort="">—</td>'
    return f'<td class="figure {MODELLED}" data-sort="{float(value)}">{figure(float(value), 1)}</td>'
