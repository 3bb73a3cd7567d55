"""Every clause that a plan is held against, place by place, in one table: what the compliance page shows and filters.

Three tables of an answer say so: ``compliance`` (the standards' own figures), ``bed_structure`` (beds by owner and
kind) and ``bed_rules`` (what a city or a county must have). A clause that two of them hold is taken once.
"""

import csv
import io
from dataclasses import dataclass

import pandas as pd

from planner.report.columns import TABLES
from planner.report.tables import absent, cell_text
from planner.report.workbook import heading_text, word, write_book
from planner.services.bed_rules import INFECTIOUS, RULE_STANDARDS, TABLE_1
from planner.standards import BED_TARGET_PREFIX

FILED = TABLES["compliance"].columns  # what is written to files, as in the workbook of the plan
COLUMNS = (*FILED, "nature_target", "group", "source", "city_code")
# Rules that a document states without a figure: how many beds they ask for is the scenario's setting.
SET_BY_SCENARIO = ("general_hospital", "tcm_hospital", "reserve", "surge", "surge_icu")
TABLE_3 = "table_3"
ITEM_STANDARDS = {**TABLE_1, "tcm": "t1_tcm_beds_per_1000", "psychiatric": "t1_psychiatric_beds_per_1000"}
# Rules whose beds stand in the other tables already, and the county's ceiling, which rests on an assumed factor.
TOLD_ELSEWHERE = {"total", "private", "tcm", "psychiatric", "county", *(f"owner_{owner}" for owner in TABLE_1)}
WORST_FIRST = ("unmet", "over", "no_data", "met")


@dataclass(frozen=True)
class Asked:
    """What the reader wants to see; "" and () = all. ``words`` are sought in names, clauses, documents and places."""

    verdicts: tuple = ()
    document: str = ""
    group: str = ""
    city: str = ""
    text: str = ""


def clause_rows(tables, standards, words):
    """Return one row for each clause and place: DataFrame with ``COLUMNS``, index "0", "1", ... as text.

    nature_target  document (the clause's own figure), worked (out of its figure, by people or beds) or assumed
    group      clauses of one kind share it: all cities' rows of Table 3, all counties' rows of one rule
    source     the table the row is from
    city_code  of the place's city; "" for the province
    name       in the language of ``words``, as the places' names of the tables already are
    """
    city_of = _cities(tables)
    rows = [*_compliance(tables, standards, words), *_structure(tables, standards, words)]
    rows += _rules(tables, standards, words)
    for row in rows:
        row["city_code"] = city_of.get(row["area_code"], "")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.index = frame.index.map(str)
    return frame


def _cities(tables):
    """Return {code of a city or county: code of its city}."""
    cities, counties = tables["beds_by_city"]["code"], tables["beds_by_county"]
    return dict(zip(cities, cities, strict=True)) | dict(zip(counties["code"], counties["city_code"], strict=True))


def _compliance(tables, standards, words):
    for row in tables["compliance"].to_dict("records"):
        id = row["standard_id"]
        of_table_3 = id.startswith(BED_TARGET_PREFIX)
        name = words("page_compliance.table_3") if of_table_3 else _name(id, row["name"], standards, words)
        nature = "worked" if row["unit"] == "vehicles" else "document"
        group = TABLE_3 if of_table_3 else id
        yield row | {"name": name, "nature_target": nature, "group": group, "source": "compliance"}


def _structure(tables, standards, words):
    for row in tables.get("bed_structure", pd.DataFrame()).to_dict("records"):
        if row["part"] == "total" or not row["document"]:
            continue  # Table 3 has the totals; of the others the documents ask nothing
        id = ITEM_STANDARDS.get(row["item"], "")
        name = words("page_compliance.beds_of", item=words(f"value.item.{row['item']}"))
        yield {
            **{key: row[key] for key in ("area_code", "area", "document", "clause", "verdict", "nature_now")},
            "standard_id": id,
            "name": name,
            "group": f"item {row['item']}",
            "source": "bed_structure",
            "now": row["beds_now"],
            "target": row["beds_target"],
            "plan": row["beds_plan"],
            "gap": row["gap"],
            "unit": "beds",
            "nature_plan": "decided",
            "nature_target": "worked",
        }


def _rules(tables, standards, words):
    for row in tables.get("bed_rules", pd.DataFrame()).to_dict("records"):
        if row["rule"] in TOLD_ELSEWHERE or not row["document"]:
            continue
        yield {
            **{key: row[key] for key in ("area_code", "area", "document", "clause", "verdict", "unit")},
            "standard_id": _rule_standard(row, standards),
            "name": word("rule", row["rule"], words),
            "nature_target": "assumed" if _set_by_scenario(row["rule"]) else "worked",
            "group": f"rule {row['rule']}",
            "source": "bed_rules",
            "now": None,
            "target": row["asked"],
            "plan": row["got"],
            "gap": row["got"] - row["asked"],
            "nature_now": "no_data",
            "nature_plan": "decided",
        }


def _set_by_scenario(rule):
    return rule in SET_BY_SCENARIO or rule.startswith("lean_")


def _rule_standard(row, standards):
    if row["rule"] == "infectious_hospital":
        return next((id for id in INFECTIOUS if row["area_code"] in standards.city_codes(id)), "")
    return RULE_STANDARDS.get(row["rule"], "")


def _name(id, own, standards, words):
    return standards[id].name(words.lang) if id in standards else own


# -- what the reader asked for -----------------------------------------------------------------------------------------


def filtered(rows, asked):
    """Return the rows that fit an :class:`Asked`, in their order."""
    keep = pd.Series(True, index=rows.index)
    if asked.verdicts:
        keep &= rows["verdict"].isin(asked.verdicts)
    if asked.document:
        keep &= rows["document"].eq(asked.document)
    if asked.group:
        keep &= rows["group"].eq(asked.group)
    if asked.city:
        keep &= rows["city_code"].eq("" if asked.city == "province" else asked.city)
    for part in asked.text.casefold().split():
        held = rows[["name", "document", "clause", "area", "area_code"]].agg("\n".join, axis=1).str.casefold()
        keep &= held.str.contains(part, regex=False)
    return rows[keep]


def tally(rows):
    """Return {verdict: how many}, what falls short first."""
    counts = rows["verdict"].value_counts()
    known = [verdict for verdict in WORST_FIRST if verdict in counts]
    return {verdict: int(counts[verdict]) for verdict in (*known, *sorted(set(counts.index) - set(known)))}


def worst(verdicts):
    """Return the verdict that stands for several: the first of ``WORST_FIRST`` among them."""
    return next((verdict for verdict in WORST_FIRST if verdict in set(verdicts)), next(iter(verdicts), ""))


# -- files -------------------------------------------------------------------------------------------------------------


def as_csv(rows, words):
    """Return the rows as a CSV (bytes): UTF-8 with byte order mark, headings in words, no cell that is a formula."""
    table = TABLES["compliance"]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([heading_text(table, column, words).replace("\n", " ") for column in FILED])
    for row in rows.to_dict("records"):
        writer.writerow([_cell(table, column, row[column], words) for column in FILED])
    return file.getvalue().encode("utf-8-sig")


def _cell(table, column, value, words):
    if table.kind(column) == "word" and not absent(value):
        value = word(column, value, words)
    return cell_text(table.kind(column), value, table.decimals(column))


def as_workbook(rows, summary, about, words):
    """Return the rows as a workbook (bytes) with a cover that says ``about`` (lines): which rows these are."""
    from planner.report.cover import Line

    lines = [Line("title", (summary.title,)), *(Line("text", (each,)) for each in about)]
    if summary.interim:
        lines.insert(1, Line("alarm", (summary.interim,)))
    lines += [Line("text", (words(f"report.mark_{name}"),)) for name in ("measured", "modelled", "assumed", "absent")]
    numbers = {column: pd.to_numeric(rows[column]).astype(float) for column in ("now", "target", "plan", "gap")}
    frame = rows.assign(**numbers)[list(FILED)].reset_index(drop=True)
    file = io.BytesIO()
    write_book({"compliance": frame}, lines, summary, file, words)
    return file.getvalue()
