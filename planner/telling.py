"""What a plan, and a comparison of two, say on a terminal: sentences and tables that fit two screens."""

from planner.compare import changed_counties, question_rows
from planner.console import paired, table_lines
from planner.report.names import in_language, place_names
from planner.report.summary import density, distance_rule, gap_text, headline, interim, share, thousands
from planner.report.tables import absent, published, rounded
from planner.report.workbook import word
from planner.settings import printable

AREAS_NAMED = 6  # of many, the first
COUNTIES_TOLD = 10  # of a comparison, those that differ most
FREEZE_RULES = ("occupancy", "stay", "staff", "floor_area", "declared")


def plan_lines(plan, prepared, words):
    """Return what a planner reads of a :class:`planner.study.Plan`, as lines that fit two screens."""
    tables = in_language(published(plan.tables)[0], prepared, words)
    parts = [
        [*headline(plan, tables, words), *_other_answer(plan, words)],
        city_table(tables, words),
        [*structure_lines(tables, words), *conflict_lines(tables, words)],
        access_lines(tables, words),
        bent_lines(tables, words),
        freeze_lines(tables, words),
        [_people(plan, words), distance_rule(plan.scenario, words), _marks(tables, words)],
        [*proof_table(plan.proofs, words), *_leeway(plan.scenario, words)],
    ]
    if warning := interim(plan, words):
        parts.append(["◐ " + warning])
    return [printable(line) for part in parts if part for line in (*part, "")]


def _leeway(scenario, words):
    given = getattr(scenario, "beds_leeway", 0)
    return [words("cli.leeway_note", share=f"{float(given) * 100:g}")] if given else []


def _marks(tables, words):
    listed = "facilities" in tables and len(tables["facilities"])
    return words("cli.marks_facilities" if listed else "cli.marks")


def _people(plan, words):
    same = "cli.people_same" if plan.people_in == plan.people_out else "cli.people_differ"
    return words(same, people_in=f"{plan.people_in:,}", people_out=f"{plan.people_out:,}")


def city_table(tables, words):
    """Return the cities one by one, the province last: people, beds, ambulances, stations, coverage."""
    beds = tables["beds_by_city"].set_index("code")
    fleet = tables["ambulances_by_city"].set_index("code")
    cover = tables["coverage_by_city"].set_index(["code", "setting"])[["persons", "covered_now", "covered"]]
    codes = [*beds.index, None]  # None stands for the total, last

    def column(frame, name):
        return [thousands(frame[name].sum() if code is None else frame.at[code, name]) for code in codes]

    def shares(setting, name):
        of = cover.xs(setting, level="setting")
        parts = [(of.sum() if code is None else of.loc[code])[[name, "persons"]] for code in codes]
        return [share(part, whole) if whole else words("report.absent") for part, whole in parts]

    def before_after(setting):
        return paired(shares(setting, "covered_now"), shares(setting, "covered"), " → ")

    columns = {
        "city": [*beds["name"], words("cli.total")],
        "persons": column(beds, "persons"),
        "beds": paired(column(beds, "beds_now"), column(beds, "beds_plan"), " → "),
        "beds_new": column(beds, "beds_new"),
        "ambulances": paired(column(fleet, "required"), column(fleet, "plan"), " / "),
        "stations": column(fleet, "stations"),
        "urban": before_after("urban"),
        "rural": before_after("rural"),
    }
    heads = [words(f"cli.{name}") for name in columns]
    return table_lines(heads, list(zip(*columns.values(), strict=True)), "lrrrrrrr", total=True)


def structure_lines(tables, words):
    """Return the province's beds by owner and kind beside the targets of the documents, where they give one."""
    if "bed_structure" not in tables:
        return []
    frame = tables["bed_structure"]
    frame = frame[frame["area_code"].eq(frame["area_code"].iloc[0])]  # the province stands first
    rows, rest = [], []
    for row in frame.to_dict("records"):
        said = word("item", row["item"], words)
        if absent(row["beds_target"]):
            rest.append(words("cli.structure_other", item=said, beds=thousands(row["beds_plan"])))
            continue
        now, gap = (words("report.absent") if absent(row[c]) else f"{int(row[c]):,}" for c in ("beds_now", "gap"))
        targets = [thousands(row["beds_target"]), _decimals(row["target_per_1000"], words)]
        plan = [thousands(row["beds_plan"]), _decimals(row["plan_per_1000"], words)]
        rows.append([said, now, *targets, *plan, gap, word("verdict", row["verdict"], words)])
    names = ("item", "now", "target", "per_1000", "plan", "per_1000", "gap", "verdict")
    lines = table_lines([words(f"cli.structure_{name}") for name in names], rows, "lrrrrrrl")
    if rest:
        lines.append(words("cli.structure_rest", items=words("report.list_comma").join(rest)))
    return lines


def conflict_lines(tables, words):
    """Return the line that names the conflict of Table 3 against Table 1, and how many others there are."""
    if "document_conflicts" not in tables:
        return []
    lines = []
    for row in tables["document_conflicts"].to_dict("records"):
        if row["conflict"] == "table3_against_table1":
            said = {c: _figure(row[c]) for c in ("first_figure", "second_figure", "difference")}
            texts = {c: row[c] for c in ("first_document", "first_clause", "second_document", "second_clause")}
            said["target"] = thousands(tables["beds_by_city"]["beds_target"].sum())
            lines.append(words("cli.conflict_table3", **said, **texts, unit=word("unit", row["unit"], words)))
    others = len(tables["document_conflicts"]) - len(lines)
    return [*lines, words("cli.conflict_others", count=others)] if others else lines


def access_lines(tables, words):
    """Return how even access is today, if beds were split by population, and as planned; and by how much better."""
    if "access_summary" not in tables:
        return []
    frame = tables["access_summary"]
    rows = [
        [
            word("split", row["split"], words),
            _decimals(row["gini"], words, 4),
            row["worst_county"],
            _decimals(row["worst_per_1000"], words),
            _decimals(row["mean_per_1000"], words),
            _decimals(row["deviation"], words),
        ]
        for row in frame.to_dict("records")
    ]
    names = ("split", "gini", "worst_county", "worst_per_1000", "mean", "deviation")
    lines = table_lines([words(f"cli.access_{name}") for name in names], rows, "lrlrrr")
    by = frame.set_index("split")
    if {"by_population", "plan"} <= set(by.index):
        lines.append(_better(by.loc["by_population"], by.loc["plan"], words))
    return lines


def _better(equal, plan, words):
    """Return by how much the plan's access is more even, and its worst county better off, than a split by persons."""
    gini, worst = (float(plan[name]) - float(equal[name]) for name in ("gini", "worst_per_1000"))
    percent = f"{rounded(abs(gini) * 100 / float(equal['gini']), 1)}%" if equal["gini"] else words("report.absent")
    more_even = words(f"cli.access_gini_{_way(gini)}", percent=percent)
    better_off = words(f"cli.access_worst_{_way(worst)}", beds=_decimals(abs(worst), words))
    return words("cli.access_better", gini=more_even, worst=better_off)


def _way(change):
    return "less" if change < 0 else "more" if change > 0 else "same"


def bent_lines(tables, words):
    """Return the soft rules that could not be kept in full: in how many places, by how much, where most."""
    if "bed_rules" not in tables:
        return []
    frame = tables["bed_rules"]
    bent = frame[frame["bent"].astype(float) > 0]
    if bent.empty:
        return [words("cli.bent_none", count=len(frame))]
    rows = []
    for rule, places in bent.groupby("rule", sort=False):
        most = places.loc[places["bent"].astype(float).idxmax()]
        unit, total = word("unit", most["unit"], words), _figure(places["bent"].sum())
        where = words("cli.bent_where", area=most["area"], bent=_figure(most["bent"]), asked=_figure(most["asked"]))
        rows.append([word("rule", rule, words), str(len(places)), total, unit, where])
    heads = [words(f"cli.bent_{name}") for name in ("rule", "places", "total", "unit", "most")]
    return table_lines(heads, rows, "lrrll")


def freeze_lines(tables, words):
    """Return who gets no new beds, counted by reason, and which rules could not be applied."""
    if "freezes" not in tables:
        return []
    lines, freezes, listed = [], tables["freezes"], tables["facilities"]
    if len(listed):
        frozen = listed.loc[listed["frozen"].eq("yes"), "id"]
        of = freezes[freezes["scope"].eq("facility") & freezes["id"].isin(frozen)]
        counts = [(rule, int(of["rule"].eq(rule).sum())) for rule in FREEZE_RULES]
        reasons = [words("cli.freeze_reason", rule=word("rule", rule, words), count=n) for rule, n in counts if n]
        numbers = {state: int(listed["frozen"].eq(state).sum()) for state in ("yes", "exempt")}
        said = words("report.list_comma").join(reasons) or words("report.none")
        lines.append(words("cli.freeze_facilities", listed=len(listed), reasons=said, **numbers))
    areas = freezes[freezes["scope"].isin(("city", "county"))]
    if len(areas):
        names = words("report.list_comma").join(areas["name"][:AREAS_NAMED])
        more = "" if len(areas) <= AREAS_NAMED else "_more"
        lines.append(words(f"cli.freeze_areas{more}", names=names, count=len(areas)))
    not_applied = freezes[freezes["rule"].eq("not_applied")]
    if len(not_applied):
        clauses = dict.fromkeys(f"{row.document} {row.clause}" for row in not_applied.itertuples())
        why = "no_standard" if len(listed) else "no_table"
        clauses = words("report.list_comma").join(clauses)
        lines.append(words(f"cli.freeze_{why}", count=len(not_applied), clauses=clauses))
    return lines


def _other_answer(plan, words):
    """Return what the question that is not the goal would bring: N stations at best, or the fewest for all."""
    other = "best_n" if plan.scenario.stations_goal == "cover_all" else "cover_all"
    proof = plan.proofs[f"stations_{other}"]
    enough = other == "best_n" and plan.scenario.stations_count >= len(plan.tables["stations"])
    if proof.objective is None or enough:
        return []
    found = round(proof.objective)
    params = {"count": plan.scenario.stations_count, "found": f"{found:,}", "share": share(found, plan.people_in)}
    proven = "" if proof.status == "optimal" else "_unproven"
    return [words(f"cli.other_{other}{proven}", **params)]


def proof_table(proofs, words):
    """Return how far each model is solved."""
    rows = []
    for proof in proofs.values():
        told = [words(f"value.model.{proof.model}"), words(f"value.proof.{proof.status}")]
        numbers = [_number(proof.objective, words), _number(proof.bound, words)]
        unit = words(f"cli.unit.{proof.unit}")
        rows.append([*told, *numbers, unit, gap_text(proof.gap, words), f"{proof.seconds:.1f}"])
    heads = [words(f"cli.{head}") for head in ("model", "status", "objective", "bound", "unit_head", "gap", "seconds")]
    return table_lines(heads, rows, "llrrlrr")


def _number(value, words):
    if value is None:
        return words("report.absent")
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 10_000 else f"{value:,.4f}"


def _figure(value):
    """Return a number with its thousands separated and no more than two decimals, none where it is whole."""
    value = rounded(value, 2)
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,}"


def _decimals(value, words, decimals=2):
    return words("report.absent") if absent(value) else f"{rounded(value, decimals):,}"


# -- two results side by side ----------------------------------------------------------------------------------------


def comparison_lines(first, second, tables, summary, region, words):
    """Return the main differences of a comparison (:mod:`planner.compare`), as lines."""
    names = place_names(region, words)
    parts = [
        [summary.title, words("compare.subtitle")],
        question_lines(first, second, words),
        summary.headline,
        compared_cities(tables, names, words),
        compared_counties(tables, names, words),
        compared_structure(tables, words),
        compared_access(tables, words),
        compared_objectives(tables, words),
        compared_rules(tables, words),
    ]
    if summary.interim:
        parts.insert(1, ["◐ " + summary.interim])
    return [printable(line) for part in parts if part for line in (*part, "")]


def question_lines(first, second, words):
    """Return the settings in which two questions differ."""
    rows = [list(row) for row in question_rows(first, second, words)]
    if not rows:
        return [words("compare.same_question")]
    return table_lines([words(f"compare.{head}") for head in ("question", "first", "second")], rows, "lll")


def compared_cities(tables, names, words):
    """Return beds, stations, ambulances and people not covered, city by city, the province last."""
    beds = tables["compared_beds_by_city"].set_index("code")
    emergency = tables["compared_emergency"].set_index("code")
    codes = [*beds.index, None]

    def column(frame, name):
        return [frame[name].sum() if code is None else frame.at[code, name] for code in codes]

    def both(frame, name):
        sides = ([thousands(value) for value in column(frame, f"{name}_{side}")] for side in ("first", "second"))
        return paired(*sides, " → ")

    def densities(side):
        counted = zip(column(beds, f"beds_{side}"), column(beds, f"persons_{side}"), strict=True)
        return [density(count, persons) if persons else words("report.absent") for count, persons in counted]

    columns = {
        "city": [*(names[code] for code in beds.index), words("compare.total")],
        "beds": both(beds, "beds"),
        "difference": [signed(value) for value in column(beds, "beds_difference")],
        "per_1000": paired(densities("first"), densities("second"), " → "),
        "stations": both(emergency, "stations"),
        "ambulances": both(emergency, "ambulances"),
        "uncovered": both(emergency, "uncovered"),
    }
    heads = [words(f"compare.{name}") for name in columns]
    return table_lines(heads, list(zip(*columns.values(), strict=True)), "lrrrrrr", total=True)


def compared_counties(tables, names, words):
    """Return the counties whose beds differ most."""
    rows = changed_counties(tables, COUNTIES_TOLD)
    if rows.empty:
        return []
    columns = {
        "county": [names[code] for code in rows["code"]],
        "of_city": [names[code] for code in rows["city_code"]],
        "beds": paired(*([thousands(v) for v in rows[f"beds_{s}"]] for s in ("first", "second")), " → "),
        "difference": [signed(value) for value in rows["beds_difference"]],
        "per_1000": _between(rows, "per_1000", words),
        "reach": _between(rows, "reach", words),
    }
    heads = [words(f"compare.{name}") for name in columns]
    lines = table_lines(heads, list(zip(*columns.values(), strict=True)), "llrrrr")
    return [*lines, *_losers(tables, names, words)]


def _losers(tables, names, words):
    """Return the line that names the counties which have little within reach in the first plan and less in the second.

    Little is less than the province's mean. A fairer whole can still take from some who have little.
    """
    counties, cities = tables["compared_beds_by_county"], tables["compared_beds_by_city"]
    mean = 1000 * float(cities["beds_first"].sum()) / max(float(cities["persons_first"].sum()), 1.0)
    fewer = counties["reach_second"].astype(float) < counties["reach_first"].astype(float) - 0.005
    losers = counties[fewer & counties["reach_first"].astype(float).lt(mean)]
    if losers.empty:
        return []
    order = (losers["reach_second"] - losers["reach_first"]).astype(float).sort_values(kind="stable").index
    said = [
        words("compare.loser", county=names[row.code], first=f"{row.reach_first:.2f}", second=f"{row.reach_second:.2f}")
        for row in losers.loc[order[:AREAS_NAMED]].itertuples()
    ]
    told = words("report.list_comma").join(said)
    return [words("compare.losers", count=len(losers), mean=f"{mean:.2f}", named=told)]


def compared_structure(tables, words):
    """Return the province's beds by owner and kind in both plans."""
    frame = tables["compared_structure"]
    rows = frame[frame["area_code"].eq(frame["area_code"].iloc[0])]
    columns = {
        "item": [word("item", item, words) for item in rows["item"]],
        "beds": paired(*([thousands(v) for v in rows[f"beds_{s}"]] for s in ("first", "second")), " → "),
        "difference": [signed(value) for value in rows["beds_difference"]],
        "per_1000": _between(rows, "per_1000", words),
    }
    return table_lines([words(f"compare.{n}") for n in columns], list(zip(*columns.values(), strict=True)), "lrrr")


def compared_access(tables, words):
    """Return how even access is in both, today, if split by population, and as planned."""
    rows = tables["compared_access"]
    columns = {
        "access": [word("split", split, words) for split in rows["split"]],
        "gini": _between(rows, "gini", words, 4),
        "worst": _between(rows, "worst", words),
        "deviation": _between(rows, "deviation", words),
    }
    return table_lines([words(f"compare.{n}") for n in columns], list(zip(*columns.values(), strict=True)), "lrrr")


def compared_objectives(tables, words):
    """Return what both plans reach in every objective."""
    rows = [
        [
            word("objective", row.objective, words),
            *(words("report.absent") if absent(v) else _figure(v) for v in (row.first, row.second)),
            words("report.absent") if absent(row.difference) else signed(row.difference, _figure),
            word("unit", row.unit, words),
        ]
        for row in tables["compared_objectives"].itertuples()
    ]
    heads = [words(f"compare.{name}") for name in ("objective", "first", "second", "difference", "unit")]
    return table_lines(heads, rows, "lrrrl")


def compared_rules(tables, words):
    """Return the rules that either plan bends: in how many places, and by how much."""
    rows = []
    for (rule, unit), of in tables["compared_rules"].groupby(["rule", "unit"], sort=False):
        sides = [of[f"bent_{side}"] for side in ("first", "second")]
        places = paired(*([str(int(side.gt(0).sum()))] for side in sides), " → ")
        bent = paired(*([_figure(side.sum())] for side in sides), " → ")
        rows.append([word("rule", rule, words), *places, *bent, word("unit", unit, words)])
    heads = [words(f"compare.{name}") for name in ("rule", "rule_places", "rule_bent", "unit")]
    return table_lines(heads, rows, "lrrl") if rows else [words("table.compared_rules.empty")]


def _between(rows, name, words, decimals=2):
    sides = ([_decimals(v, words, decimals) for v in rows[f"{name}_{side}"]] for side in ("first", "second"))
    return paired(*sides, " → ")


def signed(value, said=thousands):
    """Return a difference with its sign; none is 0."""
    return f"+{said(value)}" if value > 0 else said(value)
