"""Chapters of the Word annex: goals and clauses, method, today, and the beds of the plan."""

from geo.theme import figure
from planner.documents.annex.word_table import Column, Grid, Row
from planner.report.summary import bed_sentences, density, headline, share, thousands
from planner.report.workbook import word
from planner.services.station_problem import standards_of
from planner.services.stock import KINDS, OWNERS
from planner.standards import UnknownStandard

TODAY_HEADS = ("persons", "beds_now", "now_per_1000")
CITY_COLUMNS = (
    "persons",
    "beds_now",
    "beds_target",
    "beds_plan",
    "beds_new",
    "now_per_1000",
    "target_per_1000",
    "plan_per_1000",
)
COUNTY_COLUMNS = ("name", "persons", "beds_now", "beds_plan", "beds_new", "now_per_1000", "plan_per_1000")
REACH = ("reach_now_per_1000", "reach_plan_per_1000")


# -- goals and clauses -------------------------------------------------------------------------------------------------


def goals(annex):
    """Write what is aimed at, with document and clause, and which settings the scenario has changed."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_goals"))
    if annex.city is not None:
        context = words("annex.context", subtitle=annex.source.summary.subtitle, city=annex.area)
        paper.text(context)
    paper.heading(2, words("annex.part_targets"))
    paper.text(words("annex.targets_said"))
    _targets(annex)
    _indicators(annex)
    paper.heading(2, words("annex.part_clauses"))
    paper.text(words("annex.clauses_said"))
    heads = _columns(annex, ("head_setting", "head_value", "head_basis"), wraps=(0, 1, 2))
    ours = {words("report.basis_scenario"), words("report.basis_data")}
    settings = [cells for cells in annex.cover["settings"] if cells[2] not in ours and not _assumed(annex, cells)]
    paper.table(words("annex.cap_clauses"), Grid(heads, tuple(Row(cells) for cells in settings)))
    paper.heading(2, words("annex.part_changed"))
    _changed(annex)


def _assumed(annex, cells):
    return cells[2].startswith(annex.words("report.basis_assumed"))


def _columns(annex, heads, wraps=(), align="left"):
    said = [annex.words(f"annex.{head}") for head in heads]
    return tuple(Column(head, align, wraps=i in wraps) for i, head in enumerate(said))


def _targets(annex):
    """Write the cities' targets and the clause each rests on."""
    words, standards = annex.words, annex.source.prepared.standards
    frame = annex.tables["beds_by_city"]
    of_city = {}
    for code in frame["code"]:
        try:
            of_city[code] = standards.city_bed_target(code)
        except UnknownStandard:
            of_city[code] = None
    names = ("name", "persons", "target_per_1000", "beds_target")
    heads = (annex.area_column(heading=words("annex.head_city")), *(annex.column("beds_by_city", c) for c in names[1:]))
    heads += (Column(words("annex.head_clause"), "left", wraps=True),)
    rows = []
    for cells, code in zip(annex.rows("beds_by_city", names, frame), frame["code"], strict=True):
        target, known = annex.scenario.bed_targets.get(code), of_city[code]
        own = known is not None and known.value == target
        rows.append(Row((*cells, f"{known.document} {known.clause}" if own else words("report.basis_scenario"))))
    if len(rows) > 1:
        rows.append(Row((*annex.total("beds_by_city", names, frame).cells, ""), "total"))
    documents = annex.documents(annex.tables["bed_standards"])
    annex.paper.table(
        words("annex.cap_targets"),
        Grid(heads, tuple(rows)),
        unit=annex.units(names),
        source=annex.sources(annex.people, documents),
    )


def _indicators(annex):
    """Write the province's main indicators: what the documents give a figure for."""
    frame = annex.source.said["bed_structure"]
    frame = frame[frame["area_code"].eq(frame["area_code"].iloc[0]) & frame["document"].ne("")]
    if frame.empty or annex.city is not None:
        return
    annex.paper.heading(2, annex.words("annex.part_indicators"))
    _structure_table(annex, frame, annex.words("annex.cap_indicators"), clauses=True)


def _structure_table(annex, frame, caption, clauses=False):
    words = annex.words
    names = ("item", "beds_now", "beds_target", "beds_plan", "gap", "plan_per_1000")
    heads = [annex.column("bed_structure", name) for name in names]
    heads[0] = Column(words("annex.head_indicator"), "left", wraps=True)
    heads.append(Column(words("annex.head_verdict"), "left"))
    cells = list(annex.rows("bed_structure", names, frame, {"beds_now": "nature_now"}))
    verdicts = [word("verdict", verdict, words) for verdict in frame["verdict"]]
    if clauses:
        head, told = annex.clauses(frame)
        heads.insert(1, head)
        cells = [(first, clause, *rest) for (first, *rest), clause in zip(cells, told, strict=True)]
    rows = tuple(Row((*each, verdict)) for each, verdict in zip(cells, verdicts, strict=True))
    unit = annex.units(("beds_now", "plan_per_1000"))
    annex.paper.table(caption, Grid(tuple(heads), rows), unit=unit, source=annex.sources(annex.documents(frame)))


def _changed(annex):
    words = annex.words
    changed = [cells for cells in annex.cover["overrides"] if len(cells) == 3]
    if not changed:
        annex.paper.text(words("report.no_overrides"))
        return
    heads = (
        Column(words("annex.head_setting"), "left", wraps=True),
        Column(words("report.overrides"), "left", wraps=True),
    )
    rows = tuple(Row((label, said)) for label, _, said in changed)
    annex.paper.table(words("annex.cap_changed"), Grid(heads, rows))


# -- method ------------------------------------------------------------------------------------------------------------


def method(annex):
    """Write how the plan was worked out, a paragraph each."""
    words, source, scenario = annex.words, annex.source, annex.scenario
    sought = words("report.then").join(words(f"value.objective.{name}") for name in scenario.beds_objectives)
    balance = " ".join(cells[0] for cells in annex.cover["people"])
    said = {
        "people": {"origin": annex.people, "points": thousands(len(source.prepared.demand)), "balance": balance},
        "rule": {"rule": source.summary.rule},
        "stations": {
            "sites": thousands(len(source.prepared.sites)),
            "goal": words(f"value.goal.{scenario.stations_goal}"),
        },
        "beds": {"objectives": sought or words("report.none"), "km": f"{scenario.beds_reach_km:g}"},
        "vehicles": {"rule": words(f"value.fleet_rule.{scenario.ambulance_rule}")},
        "centres": {},
        "proofs": {},
        "checks": {"count": len(source.checks)},
    }
    annex.paper.heading(1, words("annex.chapter_method"))
    for name, params in said.items():
        annex.paper.text(words(f"annex.method_{name}", **params))


# -- today -------------------------------------------------------------------------------------------------------------


def today(annex):
    """Write what there is: beds, and who is within reach of the stations there are."""
    words, paper, beds = annex.words, annex.paper, annex.beds
    paper.heading(1, words("annex.chapter_today"))
    paper.heading(2, words("annex.part_beds_today"))
    paper.text(_beds_now(annex))
    paper.heading(2, words("annex.part_cover_today"))
    paper.text(coverage_now(annex))
    paper.text(_left_now(annex))
    heads = [annex.area_column()]
    heads += [annex.column("beds_by_city", name) for name in TODAY_HEADS]
    heads += [Column(words(f"annex.head_{name}"), italic=True) for name in ("urban_share", "rural_share", "left_now")]
    urban, rural = (annex.shares(setting, "covered_now") for setting in ("urban", "rural"))
    left = annex.coverage.assign(left=annex.coverage["persons"] - annex.coverage["covered_now"])
    by = left.groupby("code")["left"].sum()
    rows = []
    for cells, code in zip(annex.rows("beds_by_city", ("name", *TODAY_HEADS), beds), beds["code"], strict=True):
        rows.append(Row((*cells, urban.get(code, "—"), rural.get(code, "—"), thousands(by[code]))))
    total = annex.total("beds_by_city", ("name", *TODAY_HEADS), beds).cells
    rows.append(Row((*total, urban[""], rural[""], thousands(by.sum())), "total"))
    units = [words(f"unit.{name}") for name in TODAY_HEADS] + [words("annex.unit_share")]
    paper.table(
        words("annex.cap_today", area=annex.area),
        Grid(tuple(heads), tuple(rows)),
        unit=annex.unit_line(units),
        note=words("report.mark_modelled"),
        source=annex.sources(annex.people, annex.documents(annex.tables["bed_standards"])),
    )
    annex.figure("beds_now")


def _beds_now(annex):
    words, beds = annex.words, annex.beds
    whole = annex.source.said["beds_by_city"]
    now, persons = int(beds["beds_now"].sum()), int(beds["persons"].sum())
    said = {"now": thousands(now), "density": density(now, persons)}
    if annex.city is not None:
        all_beds, everyone = int(whole["beds_now"].sum()), int(whole["persons"].sum())
        return words("annex.now_beds_city", city=annex.area, whole=density(all_beds, everyone), **said)
    densest = (beds["beds_now"] / beds["persons"]).sort_values(kind="stable")
    for side, row in (("most", beds.loc[densest.index[-1]]), ("least", beds.loc[densest.index[0]])):
        said |= {side: row["name"], f"{side}_density": density(row["beds_now"], row["persons"])}
    return words("annex.now_beds", **said)


def coverage_now(annex):
    """Return the sentence on who has a station within the standard with those there are alone."""
    words = annex.words
    if annex.city is None:
        return emergency_sentences(annex)[0]
    standards = standards_of(annex.scenario)
    unit = words(f"report.unit_{'minutes' if annex.scenario.travel_measure == 'minutes' else 'km'}")
    shares = {f"{s}_share": annex.shares(s, "covered_now")[""] + "%" for s in ("urban", "rural")}
    reach = {"urban": f"{standards.urban:g}", "rural": f"{standards.rural:g}", "unit": unit}
    return words("annex.city_coverage_now", city=annex.area, **reach, **shares)


def emergency_sentences(annex):
    """Return what the plan's headline says of stations and ambulances: what stands between beds and centres."""
    source = annex.source
    said = headline(source.plan, source.said, annex.words)
    return said[len(bed_sentences(source.said, annex.words)) : -1]


def centre_sentence(annex):
    """Return what the plan's headline says of the regional centres: its last sentence."""
    return headline(annex.source.plan, annex.source.said, annex.words)[-1]


def _left_now(annex):
    words, frame = annex.words, annex.coverage
    left = frame["persons"] - frame["covered_now"]
    if not int(left.sum()):
        return words("annex.now_left_none")
    by = left.groupby(frame["name"], sort=False).sum().sort_values(kind="stable")
    of = {setting: int(left[frame["setting"].eq(setting)].sum()) for setting in ("urban", "rural")}
    return words(
        "annex.now_left",
        persons=thousands(left.sum()),
        share=share(left.sum(), frame["persons"].sum()),
        urban=thousands(of["urban"]),
        rural=thousands(of["rural"]),
        most=by.index[-1],
        most_persons=thousands(by.iloc[-1]),
    )


# -- the beds of the plan ----------------------------------------------------------------------------------------------


def beds(annex):
    """Write the beds of the plan: in all, by owner and kind, county by county, and how even access to them is."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_beds"))
    paper.heading(2, words("annex.part_whole"))
    for sentence in bed_sentences(annex.tables, words) if annex.city is None else [_city_beds(annex)]:
        paper.text(sentence)
    grid = annex.grid(
        "beds_by_city", ("name", *CITY_COLUMNS), total=True, changes={"name": {"heading": words("annex.head_city")}}
    )
    caption = words("annex.cap_beds_city") if annex.city is None else words("annex.cap_beds_one", city=annex.area)
    origin = annex.sources(annex.people, annex.documents(annex.tables["bed_standards"]))
    paper.table(caption, grid, unit=annex.units(CITY_COLUMNS), note=words("report.mark_modelled"), source=origin)
    annex.figure("beds_plan")
    annex.figure("beds_change")
    paper.heading(2, words("annex.part_structure"))
    paper.text(words("annex.structure_said"))
    structure = annex.tables["bed_structure"]
    first = structure[structure["area_code"].eq(structure["area_code"].iloc[0])]
    _structure_table(annex, first, words("annex.cap_structure", area=annex.area))
    _owners_and_kinds(annex)
    paper.heading(2, words("annex.part_counties"))
    paper.text(words("annex.counties_said"))
    _counties(annex)
    paper.heading(2, words("annex.part_access"))
    _access(annex)
    annex.figure("access")
    paper.heading(2, words("annex.part_special"))
    _special(annex)


def _city_beds(annex):
    row = annex.tables["beds_by_city"].iloc[0]
    return annex.words(
        "annex.city_beds",
        city=annex.area,
        plan=thousands(row["beds_plan"]),
        now=thousands(row["beds_now"]),
        new=thousands(row["beds_new"]),
        now_density=figure(row["now_per_1000"]),
        plan_density=figure(row["plan_per_1000"]),
        target=figure(row["target_per_1000"]),
    )


def _owners_and_kinds(annex):
    """Write planned beds by owner and by kind: of cities for the province, of counties for a city."""
    words, frame = annex.words, annex.tables["bed_standards"]
    if annex.city is None:
        key, names = "city_code", annex.tables["beds_by_city"]["code"]
    else:
        key, names = "code", frame["code"]
    sums = frame.groupby(key)[["persons", "beds_plan", *OWNERS, *KINDS]].sum().loc[list(names)]
    frame = sums.reset_index(names="code").assign(name=[annex.names[code] for code in sums.index])
    for caption, parts in (("cap_owners", OWNERS), ("cap_kinds", KINDS)):
        columns = ("name", *parts, "beds_plan")
        heads = {"name": {"heading": annex.area_column().heading}}
        grid = annex.grid("bed_standards", columns, frame, total=True, changes=heads)
        source = annex.sources(annex.documents(annex.tables["bed_standards"]))
        annex.paper.table(words(f"annex.{caption}", area=annex.area), grid, unit=annex.units(columns), source=source)


def _counties(annex):
    columns = (*COUNTY_COLUMNS, *REACH)
    words = annex.words
    grid = annex.grid(
        "beds_by_county",
        columns,
        total=True,
        bands="city_code" if annex.city is None else None,
        changes={"name": {"heading": words("annex.head_county")}},
    )
    annex.paper.table(
        words("annex.cap_counties", area=annex.area),
        grid,
        unit=annex.units(columns),
        note=words("how.reach_plan_per_1000") + words("report.mark_modelled"),
        source=annex.sources(annex.people),
    )


def _access(annex):
    """Write how even access is, in the sentences of the plan; the whole province also for a city, as its context."""
    words = annex.words
    columns = ("split", "gini", "worst_county", "worst_per_1000", "mean_per_1000", "deviation")
    frame = annex.source.said["access_summary"]
    grid = annex.grid("access_summary", columns, frame, changes={"split": {"heading": words("cli.access_split")}})
    annex.paper.table(
        words("annex.cap_access", area=annex.whole),
        grid,
        note=words("table.access_summary.note"),
        source=annex.sources(),
    )


def _special(annex):
    """Write infectious beds, and the staff that the planned beds need."""
    words = annex.words
    for name, caption, columns in (
        ("infectious", "cap_infectious", INFECTIOUS_COLUMNS),
        ("bed_staff", "cap_staff", ("name", "beds_plan", "staff", "nurses", "doctors")),
    ):
        if name not in annex.tables or annex.tables[name].empty:
            continue
        grid = annex.grid(name, columns, total=True, changes={"name": {"heading": words("annex.head_city")}})
        annex.paper.table(words(f"annex.{caption}"), grid, unit=annex.units(columns), source=annex.sources())


INFECTIOUS_COLUMNS = (
    *("name", "hospital_floor", "hospital_beds", "hospital_icu", "hospital_convertible"),
    *("department_beds", "department_icu"),
)
