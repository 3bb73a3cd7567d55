"""Chapters of the Word annex: compliance clause by clause, and what could not be met, with the reason."""

import pandas as pd

from geo.theme import MARKS, VERDICT_SIGNS
from planner.documents.annex.tables import alike, plain
from planner.documents.annex.word_table import Column, Grid, Row
from planner.report.summary import thousands
from planner.report.tables import absent, clean_text
from planner.report.workbook import word
from planner.services.bed_rules import TABLE_1
from planner.standards import BED_TARGET_PREFIX
from planner.telling import conflict_lines, freeze_lines

# Rules whose beds stand in the other tables already, and the county's ceiling, which rests on an assumed factor.
TOLD_ELSEWHERE = {"total", "private", "tcm", "psychiatric", "county", *(f"owner_{owner}" for owner in TABLE_1)}
WORST_FIRST = ("unmet", "over", "no_data", "met")
FIELDS = ("area_code", "area", "document", "clause", "verdict")


def clause_rows(tables, standards, words):
    """Return one row for each clause and place: name, group, area, document, clause, now, target, plan, gap, unit.

    Three tables of a plan say so: the standards' own figures, beds by owner and kind, and what a city or county must
    have. A clause that two of them hold is taken once. ``nature_now`` and ``nature_plan`` say what the figures are.
    """
    rows = []
    for row in tables["compliance"].to_dict("records"):
        table_3 = row["standard_id"].startswith(BED_TARGET_PREFIX)
        known = standards[row["standard_id"]].name(words.lang) if row["standard_id"] in standards else row["name"]
        rows.append(row | {"name": words("page_compliance.table_3") if table_3 else known})
    for row in tables["bed_structure"].to_dict("records"):
        if row["part"] == "total" or not row["document"]:
            continue  # Table 3 has the totals; of the others the documents ask nothing
        name = words("page_compliance.beds_of", item=words(f"value.item.{row['item']}"))
        figures = {"now": row["beds_now"], "target": row["beds_target"], "plan": row["beds_plan"], "gap": row["gap"]}
        own = {"name": name, "unit": "beds", "nature_now": row["nature_now"], "nature_plan": "decided"}
        rows.append({field: row[field] for field in FIELDS} | figures | own)
    for row in tables["bed_rules"].to_dict("records"):
        if row["rule"] in TOLD_ELSEWHERE or not row["document"]:
            continue
        figures = {"now": None, "target": row["asked"], "plan": row["got"], "gap": row["got"] - row["asked"]}
        own = {"name": word("rule", row["rule"], words), "unit": row["unit"], "nature_plan": "decided"}
        rows.append({field: row[field] for field in FIELDS} | figures | own | {"nature_now": "no_data"})
    frame = pd.DataFrame(rows)
    group = frame["name"] + "\n" + frame["document"] + " " + frame["clause"]
    return frame.assign(group=group.where(~frame["name"].duplicated(keep=False), frame["name"]))


def compliance(annex):
    """Write the verdict of every clause in every place, and in full what is not met."""
    words, paper = annex.words, annex.paper
    rows = clause_rows(annex.tables, annex.source.prepared.standards, words)
    paper.heading(1, words("annex.chapter_compliance"))
    counts = rows["verdict"].value_counts()
    said = [
        words("annex.verdict_count", verdict=word("verdict", verdict, words), count=thousands(counts[verdict]))
        for verdict in ("met", "unmet", "over", "no_data")
        if counts.get(verdict)
    ]
    told = words("report.list_comma").join(said)
    paper.text(words("annex.verdicts_said", total=thousands(len(rows)), counts=told))
    paper.heading(2, words("annex.part_verdicts"))
    source = annex.sources(annex.documents(rows))
    if annex.city is None:
        grid = _matrix(annex, rows)
        paper.table(words("annex.cap_verdicts"), grid, note=words("annex.verdicts_note"), source=source, small=True)
    else:
        caption = words("annex.cap_verdicts_city", city=annex.area)
        own = rows[rows["area_code"].eq(annex.city)]
        paper.table(caption, _full(annex, own), note=words("annex.unmet_note"), source=source)
    paper.heading(2, words("annex.part_unmet"))
    left = rows[rows["verdict"].ne("met")]
    if left.empty:
        paper.text(words("annex.unmet_none"))
        return
    order = left["verdict"].map(WORST_FIRST.index).sort_values(kind="stable").index
    grid = _full(annex, left.loc[order])
    paper.table(words("annex.cap_unmet"), grid, note=words("annex.unmet_note"), source=source)


def _matrix(annex, rows):
    """Return the verdicts as a grid, clauses down and cities across: a sign, and of how many places if of several."""
    words = annex.words
    city_of = {code: code for code in annex.source.said["beds_by_city"]["code"]} | annex.counties
    areas = rows["area_code"].map(city_of).fillna("")
    cities = ["", *annex.source.said["beds_by_city"]["code"]]
    by = rows.assign(area_city=areas).groupby(["name", "document", "clause"], sort=False)
    firsts = by.first().reset_index()
    clause, texts = annex.clauses(firsts)
    heads = [Column(words("annex.head_clause_name"), "left", wraps=True), clause]
    heads += [Column(annex.names.get(code, words("report.whole_province")), "center") for code in cities]
    made = []
    for ((name, _, _), of), text in zip(by, texts, strict=True):
        cells = [_sign(of[of["area_city"].eq(code)]["verdict"], words) for code in cities]
        made.append(Row((name, text, *cells)))
    return Grid(tuple(heads), tuple(made))


def _sign(verdicts, words):
    if verdicts.empty:
        return words("report.absent")
    worst = min(verdicts, key=WORST_FIRST.index)
    count = int(verdicts.eq(worst).sum())
    return VERDICT_SIGNS[worst] + (str(count) if worst != "met" and count > 1 else "")


def _full(annex, rows):
    """Return clauses and places as a grid, every figure with its unit."""
    words = annex.words
    clause, texts = annex.clauses(rows)
    heads = (
        Column(words("annex.head_clause_name"), "left", wraps=True),
        clause,
        Column(words("annex.head_area"), "left", wraps=True),
        *(Column(words(f"column.{name}")) for name in ("now", "target", "plan", "gap")),
        Column(words("column.unit"), "left", wraps=True),
        Column(words("annex.head_verdict"), "left", wraps=True),
    )
    made = []
    for row, where in zip(rows.to_dict("records"), texts, strict=True):
        names = ("now", "target", "plan", "gap")
        figures = [
            said if absent(row[name]) else said + MARKS.get(row.get(f"nature_{name}"), "")
            for name, said in zip(names, alike([row[name] for name in names], words), strict=True)
        ]
        said = (word("unit", row["unit"], words), word("verdict", row["verdict"], words))
        made.append(Row((row["name"], where, clean_text(row["area"]), *figures, *said)))
    return Grid(heads, tuple(made))


# -- what could not be met ---------------------------------------------------------------------------------------------


def unmet(annex):
    """Write which rules were bent, who gets no new beds, where the documents contradict each other, and all notes."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_unmet"))
    paper.heading(2, words("annex.part_bent"))
    _bent(annex)
    paper.heading(2, words("annex.part_freezes"))
    for line in _freezes(annex) or [words("annex.freezes_none")]:
        paper.text(line)
    paper.heading(2, words("annex.part_conflicts"))
    _conflicts(annex)
    paper.heading(2, words("annex.part_notes"))
    for line in [note.tell(words) for note in annex.source.plan.notes] or [words("annex.notes_none")]:
        paper.text(line)


def _bent(annex):
    words, frame = annex.words, annex.tables["bed_rules"]
    bent = frame[frame["bent"].astype(float) > 0]
    if bent.empty:
        annex.paper.text(words("annex.bent_none", count=thousands(frame["strict"].eq("soft").sum())))
        return
    heads = (
        Column(words("cli.bent_rule"), "left", wraps=True),
        Column(words("annex.head_clause"), "left", wraps=True),
        Column(words("cli.bent_places")),
        Column(words("cli.bent_total")),
        Column(words("cli.bent_unit"), "left"),
        Column(words("cli.bent_most"), "left", wraps=True),
    )
    rows = []
    for rule, places in bent.groupby("rule", sort=False):
        most = places.loc[places["bent"].astype(float).idxmax()]
        where = {"area": most["area"], "bent": plain(most["bent"]), "asked": plain(most["asked"])}
        basis = f"{most['document']} {most['clause']}".strip() or words("report.basis_assumed") + MARKS["assumed"]
        told = (thousands(len(places)), plain(places["bent"].sum()), word("unit", most["unit"], words))
        rows.append(Row((word("rule", rule, words), basis, *told, words("cli.bent_where", **where))))
    note = words("table.bed_rules.note")
    source = annex.sources(annex.documents(bent))
    annex.paper.table(words("annex.cap_bent"), Grid(heads, tuple(rows)), note=note, source=source)


def _freezes(annex):
    """Return the sentences on who gets no new beds, of the annex's area and of the province as a whole."""
    tables, city = annex.source.said, annex.city
    if "freezes" not in tables:
        return []
    if city is not None:
        frame = tables["freezes"]
        here = frame["scope"].eq("province") | frame["county_code"].isin(list(annex.counties))
        here |= frame["id"].isin([city, *annex.counties])
        tables = {**tables, "freezes": frame[here], "facilities": annex.tables["facilities"]}
    return freeze_lines(tables, annex.words)


def _conflicts(annex):
    words, frame = annex.words, annex.tables["document_conflicts"]
    if frame.empty:
        annex.paper.text(words("annex.conflicts_none"))
        return
    annex.paper.text(words("annex.conflicts_said"))
    for line in conflict_lines({**annex.source.said, "document_conflicts": frame}, words)[:1]:
        annex.paper.text(line)
    heads = (
        Column(words("annex.head_conflict"), "left", wraps=True),
        Column(words("annex.head_first"), "left", wraps=True),
        Column(words("column.first_figure")),
        Column(words("annex.head_second"), "left", wraps=True),
        Column(words("column.second_figure")),
        Column(words("annex.head_difference")),
        Column(words("column.unit"), "left", wraps=True),
    )
    rows = []
    for row in frame.to_dict("records"):
        first, second, apart = alike([row[f] for f in ("first_figure", "second_figure", "difference")], words)
        where = [f"{row[f'{side}_document']}\n{row[f'{side}_clause']}" for side in ("first", "second")]
        told = (word("conflict", row["conflict"], words), where[0], first, where[1], second, apart)
        rows.append(Row((*told, word("unit", row["unit"], words))))
    documents = dict.fromkeys([*frame["first_document"], *frame["second_document"]])
    source = annex.sources(words("report.list_comma").join(filter(None, documents)))
    annex.paper.table(words("annex.cap_conflicts"), Grid(heads, tuple(rows)), source=source, small=True)
