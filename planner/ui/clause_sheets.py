"""Clauses as HTML: a matrix of clauses by city, a long table, and one clause with all that is known of it."""

from geo.theme import VERDICT_COLOURS, VERDICT_SIGNS, figure
from planner.report.tables import absent
from planner.ui.clauses import tally, worst
from planner.ui.sheets import text, verdict_text

MARKS = {"modelled": "ᵐ", "assumed": "ᵃ"}
FIGURES = ("now", "target", "plan", "gap")
TWO_DECIMALS = ("beds_per_1000", "percent_of_people")
PROVINCE = "province"


def figure_text(value, unit):
    """Return a figure as it is printed; "—" for one that is absent."""
    if absent(value):
        return "—"
    value = float(value)
    return figure(value, 2 if unit in TWO_DECIMALS or value != int(value) else 0)


# -- the matrix --------------------------------------------------------------------------------------------------------


def matrix_html(rows, cities, words, *, chosen=("", "")):
    """Return the table of clauses by city; a cell stands for all rows of its clause in its city.

    cities  {code: name}; the province stands before them
    chosen  (group, city) of the cell that is filtered by
    What a cell tells when it is chosen: "cell", group and city, with a tab between.
    """
    columns = {PROVINCE: words("page_compliance.province")} | cities
    head = f'<th scope="col">{text(words("column.clause"))}</th>'
    head += "".join(f'<th scope="col">{text(name)}</th>' for name in columns.values())
    body = ""
    for group, held in rows.groupby("group", sort=False):
        first = held.iloc[0]
        at = held["city_code"].where(held["city_code"].ne(""), PROVINCE)
        cells = "".join(_cell(group, city, held[at.eq(city)], words, (group, city) == chosen) for city in columns)
        said = f"{first['document']} {first['clause']}"
        beside = f'<small title="{text(said)}">{text(first["clause"])}</small>'
        body += f'<tr><th scope="row">{text(first["name"])}{beside}</th>{cells}</tr>'
    if rows.empty:
        return _nothing(words)
    return f'<table class="matrix"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(group, city, held, words, chosen):
    if held.empty:
        return '<td><span class="none">·</span></td>'
    verdict = worst(held["verdict"])
    sign, colour = VERDICT_SIGNS.get(verdict, "?"), VERDICT_COLOURS.get(verdict, "inherit")
    said = sign if len(held) == 1 else f"{sign} {held['verdict'].eq(verdict).sum()}/{len(held)}"
    if len(held) == 1:
        tip = _tip(held.iloc[0], words)
    else:
        tip = " · ".join(f"{verdict_text(each, words)} {count}" for each, count in tally(held).items())
    on = ' class="on"' if chosen else ""
    pick = text("\t".join(("cell", group, city)))
    return (
        f'<td><button type="button" data-pick="{pick}" style="color:{colour}" title="{text(tip)}"'
        f' aria-label="{text(tip)}"{on}>{text(said)}</button></td>'
    )


def _tip(row, words):
    said = [verdict_text(row["verdict"], words)]
    said += [f"{words(f'column.{key}')} {figure_text(row[key], row['unit'])}" for key in FIGURES]
    return " · ".join(said) + f" {_unit(row, words)}"


def _unit(row, words):
    return words(f"value.unit.{row['unit']}")


# -- the long table ----------------------------------------------------------------------------------------------------


def rows_html(rows, words, *, chosen=None):
    """Return the long table; what a row tells when it is chosen: "row" and its index, with a tab between."""
    if rows.empty:
        return _nothing(words)
    heads = [("verdict", "text"), ("name", "text"), ("area", "text"), *((key, "figure") for key in FIGURES)]
    head = "".join(
        f'<th scope="col"{" class=figure" if kind == "figure" else ""}><button type="button" data-sort="{kind}">'
        f"{text(_heading(key, words))}</button></th>"
        for key, kind in heads
    )
    body = "".join(
        _row(id, row, words, id == chosen) for id, row in zip(rows.index, rows.to_dict("records"), strict=True)
    )
    return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _heading(key, words):
    return words("page_compliance.clause_name") if key == "name" else words(f"column.{key}")


def _row(id, row, words, chosen):
    colour = VERDICT_COLOURS.get(row["verdict"], "inherit")
    verdict = text(verdict_text(row["verdict"], words))
    beside = f"{row['document']} {row['clause']}"
    figures = "".join(_figure(key, row, words) for key in FIGURES)
    name, area, pick = (text(each) for each in (row["name"], row["area"], "\t".join(("row", id))))
    current = ' aria-current="true"' if chosen else ""
    return (
        f'<tr{current}><td data-value="{verdict}" style="color:{colour}">{verdict}</td>'
        f'<td class="name" data-value="{name}"><button type="button" data-pick="{pick}">{name}</button>'
        f'<small>{text(beside)}</small></td><td data-value="{area}">{area}</td>{figures}</tr>'
    )


def _figure(key, row, words):
    value, nature = row[key], row.get(f"nature_{key}")
    said = figure_text(value, row["unit"]) + ("" if absent(value) else MARKS.get(nature, ""))
    classes = "figure modelled" if nature == "modelled" else "figure"
    beside = f"<small>{text(_unit(row, words))}</small>" if key == "target" else ""
    sorted_by = "" if absent(value) else float(value)
    return f'<td class="{classes}" data-value="{sorted_by}">{said}{beside}</td>'


def _nothing(words):
    return f"<p>{text(words('page_compliance.nothing'))}</p>"


# -- one clause --------------------------------------------------------------------------------------------------------


def clause_html(row, standard, how, words):
    """Return one clause and place: its verdict and figures, how they come about, and what the register holds of it.

    standard  the :class:`planner.standards.Standard`, None where the register has none
    how       lines that say how the figures were worked out
    """
    colour = VERDICT_COLOURS.get(row["verdict"], "inherit")
    head = (
        f'<p class="verdict" style="color:{colour}">{text(verdict_text(row["verdict"], words))}</p>'
        f"<h4>{text(row['name'])}<small>{text(row['area'])}</small></h4>"
    )
    figures = "".join(_stated(key, row, words) for key in FIGURES)
    lines = "".join(f"<p>{text(line)}</p>" for line in how)
    return (
        f'<div class="jy-clause">{head}<table class="figures"><tbody>{figures}</tbody></table>'
        f"<h5>{text(words('page_compliance.how'))}</h5>{lines}"
        f"<h5>{text(words('page_compliance.register'))}</h5>{_register(row, standard, words)}</div>"
    )


def _stated(key, row, words):
    nature = row.get(f"nature_{key}")
    kind = "target_assumed" if key == "target" and nature == "assumed" else nature
    said = "" if key == "gap" else words(f"page_compliance.nature_{kind}")
    value = figure_text(row[key], row["unit"])
    mark = "" if absent(row[key]) else MARKS.get(nature, "")
    unit = "" if absent(row[key]) else _unit(row, words)
    heading = text(words(f"column.{key}"))
    return f"<tr><th>{heading}</th><td><b>{value}{mark}</b> {text(unit)}</td><td>{text(said)}</td></tr>"


def _register(row, standard, words):
    if standard is None:
        parts = {"document": row["document"], "clause": row["clause"]}
    else:
        comma = words("report.list_comma")
        parts = {
            "document": standard.document,
            "clause": standard.clause,
            "name": standard.name(words.lang),
            "figure": _asked(standard, words),
            "areas": comma.join(standard.areas) or words(f"page_compliance.scope_{standard.scope}"),
            "base": _dated(standard.base_value, standard.base_year, standard, words),
            "target_year": standard.target_year,
            "nature": _nature(standard.nature, words),
            **({} if words.lang == "zh" else {"formula": standard.formula, "note": standard.note}),  # kept in English
            "id": standard.id,
        }
    lines = "".join(
        f"<tr><th>{text(words(f'standards.{key}'))}</th><td>{text(value)}</td></tr>"
        for key, value in parts.items()
        if value not in ("", None)
    )
    return f'<table class="jy-lines"><tbody>{lines}</tbody></table>'


def _asked(standard, words):
    """Return what a standard asks, in words: "不少于 1 辆/3万人"."""
    if not standard.figure:
        return ""
    comparator = words(f"page_compliance.comparator.{standard.comparator}")
    return f"{comparator} {standard.figure} {standard.unit_in(words.lang)}".strip()


def _dated(value, year, standard, words):
    if value is None:
        return ""
    figure = f"{float(value):g} {standard.unit_in(words.lang)}"
    return words("standards.year", value=figure, year=year) if year else figure


def _nature(nature, words):
    return words(f"standards.{nature}") if f"standards.{nature}" in words else nature
