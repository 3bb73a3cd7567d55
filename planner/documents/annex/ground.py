"""Chapters of the Word annex: what is modelled or assumed, the manifest with its proofs, and another plan beside it."""

from geo.theme import MARKS, figure
from planner.compare import changed_counties, compare, named_tables, question_rows, summarise_comparison
from planner.documents.annex.word_table import Column, Grid, Row
from planner.report.columns import COMPARED, TABLES
from planner.report.tables import absent, clean_text
from planner.report.workbook import word

DIGITS = 12  # of a fingerprint that are printed
COUNTIES_SHOWN = 20  # of a comparison, those that differ most


def natures(annex):
    """Write what the marks mean, which columns are modelled or assumed, which settings rest on nothing, and sources."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_natures"))
    paper.heading(2, words("annex.part_marks"))
    for name in ("measured", "modelled", "assumed", "absent"):
        paper.text(words(f"report.mark_{name}"))
    paper.heading(2, words("annex.part_modelled"))
    paper.text(words("annex.natures_said"))
    heads = [Column(words(f"annex.head_{name}"), "left", wraps=True) for name in ("table", "modelled", "assumed")]
    rows = []
    for name in annex.tables:
        of = {nature: [c for c in TABLES[name].columns if TABLES[name].natures.get(c) == nature] for nature in MARKS}
        if not of["modelled"] and not of["assumed"]:
            continue
        told = (_listed(of[nature], words) for nature in ("modelled", "assumed"))
        rows.append(Row((words(f"table.{name}.sheet"), *told)))
    paper.table(words("annex.cap_natures"), Grid(tuple(heads), tuple(rows)))
    paper.heading(2, words("annex.part_assumed"))
    paper.text(words("annex.assumed_said"))
    basis = words("report.basis_assumed")
    assumed = [Row(cells[:2]) for cells in annex.cover["settings"] if cells[2].startswith(basis)]
    heads = (
        Column(words("annex.head_setting"), "left", wraps=True),
        Column(words("annex.head_value"), "left", wraps=True),
    )
    paper.table(words("annex.cap_assumed"), Grid(heads, tuple(assumed)))
    paper.heading(2, words("annex.part_sources"))
    for number, line in enumerate(annex.source.summary.sources, start=1):
        paper.text(f"{number}.　{line}", "item")


def _listed(columns, words):
    told = dict.fromkeys(words(f"column.{column}") for column in columns)
    return words("report.list_comma").join(told) or words("report.absent")


def manifest(annex):
    """Write by what the plan can be known again: scenario, version, fingerprints, proofs, checks, what was cleaned."""
    words, paper, source = annex.words, annex.paper, annex.source
    held = source.result.manifest
    paper.heading(1, words("annex.chapter_manifest"))
    paper.heading(2, words("annex.part_plan"))
    scenario = {"title": source.summary.title, "name": source.scenario.name}
    paper.text(words("annex.scenario_said", **scenario, version=held["jinyi"], fingerprint=source.fingerprint))
    paper.text(words("annex.inputs_said"))
    heads = [Column(words(f"annex.head_{name}"), "left", wraps=name == "file") for name in ("kind", "file", "digest")]
    rows = [
        Row((_kind(kind, words), clean_text(file), digest[:DIGITS]))
        for kind, files in held["inputs"].items()
        for file, digest in sorted(files.items())
    ]
    paper.table(words("annex.cap_inputs"), Grid(tuple(heads), tuple(rows)))
    paper.heading(2, words("annex.part_proofs"))
    heads = [Column(words(f"report.proof_{part}"), "left", wraps=True) for part in ("model", "status", "figures")]
    rows = [Row(cells) for cells in annex.cover["proofs"] if len(cells) == 3]
    paper.table(words("annex.cap_proofs"), Grid(tuple(heads), tuple(rows)), note=words("annex.method_proofs"))
    paper.heading(2, words("annex.part_checks"))
    paper.text(words("annex.checks_said", count=len(source.checks)))
    for number, check in enumerate(source.checks, start=1):
        paper.text(f"{number}.　{check}", "item")
    if source.cleaned:
        paper.heading(2, words("annex.part_cleaned"))
        paper.text(words("annex.cleaned_said"))
        for cells in annex.cover["cleaned"]:
            paper.text(cells[0], "item")


def _kind(kind, words):
    key = f"annex.input_{kind}"
    return words(key) if key in words else words(f"report.setting.{kind}")


# -- another plan beside it --------------------------------------------------------------------------------------------


def difference(annex):
    """Write this plan less the one it is compared with. Raises :class:`planner.compare.CannotCompare`."""
    source, words, paper = annex.source, annex.words, annex.paper
    if source.against is None:
        return
    first, second = source.against.result, source.result
    other = clean_text(source.against.summary.title)
    if other == clean_text(source.summary.title):
        other = source.against.scenario.name
    compared = compare(first, second)
    region = source.region
    told = summarise_comparison(first, second, compared, region, source.prepared.standards, words)
    tables = named_tables(first, second, compared, region, words)
    paper.heading(1, words("annex.chapter_difference", title=other))
    paper.text(words("annex.difference_said", other=other))
    paper.text(told.title)
    if told.interim:
        paper.text(told.interim)
    for sentence in told.headline:
        paper.text(sentence)
    questions = question_rows(first, second, words, annex.names)
    if questions:
        heads = [Column(words("annex.head_setting"), "left", wraps=True)]
        heads += [Column(words(f"column.{side}"), "left", wraps=True) for side in ("first", "second")]
        rows = tuple(Row(tuple(map(clean_text, row))) for row in questions)
        paper.table(words("annex.cap_difference_question"), Grid(tuple(heads), rows))
    annex.figure("difference", other=other)
    caption = words("annex.cap_difference_cities", other=other)
    codes = None if annex.city is None else {annex.city, *annex.counties}
    beds = tables["compared_beds_by_city"].merge(
        tables["compared_emergency"].drop(columns="name"), on="code", how="left", validate="1:1"
    )
    names = [f"{what}_{side}" for what in ("beds", "stations", "ambulances", "uncovered") for side in SIDES]
    _sides(annex, beds, names, caption, codes, "head_city")
    counties = changed_counties(tables, None if codes else COUNTIES_SHOWN)
    names = [f"{what}_{side}" for what in ("beds", "per_1000", "reach") for side in SIDES]
    if codes:
        counties = counties[counties["city_code"].eq(annex.city)]
    if len(counties):
        _sides(annex, counties, names, words("annex.cap_difference_counties"), codes, "head_county", total=False)
    access = tables["compared_access"]
    names = [f"{what}_{side}" for what in ("gini", "worst", "deviation") for side in SIDES]
    access = access.assign(name=[word("split", split, words) for split in access["split"]], code="")
    caption = words("annex.cap_difference_access", other=other)
    _sides(annex, access, names, caption, None, "head_item", total=False)


SIDES = ("first", "second", "difference")


def _sides(annex, frame, names, caption, codes, head, total=True):
    """Write first, second and difference of several figures under a heading each."""
    words = annex.words
    if codes is not None and "code" in frame:
        frame = frame[frame["code"].isin(codes)]
    kinds = {column: table.kind(column) for table in COMPARED.values() for column in table.columns}
    decimals = {column: {"whole": 0, "density": 2, "score": 4}.get(kinds[column], 0) for column in names}
    marks = {c: t.mark(c) for t in COMPARED.values() for c in t.columns if c in names}
    heads = [Column(words(f"annex.{head}"), "left", wraps=True)]
    for column in names:
        what, _, side = column.rpartition("_")
        over = words(f"annex.over_{what}") + marks[column]
        short = "annex.head_difference" if side == "difference" else f"column.{side}"
        heads.append(Column(words(short), over=over, italic=bool(marks[column])))
    rows = []
    for row in frame.to_dict("records"):
        told = (figure(None if absent(row[c]) else row[c], decimals[c], c.endswith("_difference")) for c in names)
        rows.append(Row((clean_text(row["name"]), *told)))
    if total and len(rows) > 1:
        sums = (figure(frame[c].sum(), decimals[c], c.endswith("_difference")) for c in names)
        rows.append(Row((words("report.total"), *sums), "total"))
    annex.paper.table(caption, Grid(tuple(heads), tuple(rows)), source=annex.sources())
