"""What a plan says in sentences, one wording for every output: headline, distance rule, sources, proof."""

import math
import re
from dataclasses import dataclass

from planner.report.names import in_language
from planner.report.tables import absent, rounded
from planner.services.station_problem import standards_of

CAME_BY = re.compile("（[^（）]*）$")


@dataclass(frozen=True)
class Summary:
    """Ready text in one language.

    ``headline``, ``sources`` (in full) and ``credits`` (short) are lists; ``interim`` is "" for a proven plan.
    """

    title: str
    subtitle: str
    headline: list
    rule: str
    sources: list
    credits: list
    interim: str


def summarise(plan, tables, prepared, words):
    """Return the :class:`Summary` of a plan and its published tables."""
    scenario = plan.scenario
    tables = in_language(tables, prepared, words)
    return Summary(
        title=scenario.title or scenario.name,
        subtitle=_subtitle(tables, words),
        headline=headline(plan, tables, words),
        rule=distance_rule(scenario, words),
        sources=source_lines(prepared, words),
        credits=credit_lines(prepared, words),
        interim=interim(plan, words),
    )


def headline(plan, tables, words):
    """Return the plan in five to seven sentences a planner can copy into a report."""
    coverage = tables["coverage_by_city"].groupby("setting").sum(numeric_only=True)
    stations, ambulances = tables["stations"], tables["ambulances_by_city"]
    standards, persons = standards_of(plan.scenario), tables["beds_by_city"]["persons"].sum()
    reach = {"urban": number(standards.urban), "rural": number(standards.rural)}
    reach["unit"] = words(f"report.unit_{'minutes' if plan.scenario.travel_measure == 'minutes' else 'km'}")
    assumed, listed = (int(stations["status"].eq(status).sum()) for status in ("assumed", "listed"))
    uncovered = int(coverage["uncovered"].sum())
    left = words("report.say_uncovered", persons=thousands(uncovered)) if uncovered else words("report.say_all_covered")
    required, vehicles = (thousands(ambulances[column].sum()) for column in ("required", "plan"))
    said = [
        *bed_sentences(tables, words),
        words("report.say_coverage_now", **reach, **_shares(coverage, "covered_now")),
        words(
            "report.say_stations" + ("_listed" if listed else ""),
            total=thousands(len(stations)),
            assumed=thousands(assumed),
            listed=thousands(listed),
            new=thousands(len(stations) - assumed - listed),
            **_shares(coverage, "covered"),
        )
        + left,
        _tiers(tables, words),
        _knee(tables, words),
        words("report.say_ambulances", plan=vehicles, required=required)
        + words(
            "report.say_expected",
            busy=number(float(100 * plan.scenario.ambulance_busy)),
            expected=share(ambulances["expected"].sum(), persons),
        ),
        *(note.tell(words) for note in getattr(plan, "notes", ())),
        _centres(plan, tables, words),
    ]
    return [sentence for sentence in said if sentence]


def bed_sentences(tables, words):
    """Return one to three sentences on beds: how many, which close, how evenly they are within reach."""
    beds = tables["beds_by_city"]
    now, planned, persons = (int(beds[column].sum()) for column in ("beds_now", "beds_plan", "persons"))
    said = words(
        "report.say_beds",
        plan=thousands(planned),
        now=thousands(now),
        new=thousands(planned - now),
        now_density=density(now, persons),
        plan_density=density(planned, persons),
    )
    return [said, *_closing(tables, words), *_access(tables, words)]


def _tiers(tables, words):
    """Return the sentence on the network's tiers and what new stations cost."""
    sums = tables["station_tiers"].sum(numeric_only=True)
    names = ("city_centre", "county_station", "substation", "central_township", "township")
    return words("report.say_tiers", **{name: thousands(sums[name]) for name in (*names, "investment")})


def _knee(tables, words):
    """Return the sentence on the knee of the coverage curve; "" where there is none."""
    curve = tables["coverage_curve"]
    knee = curve[curve["knee"].eq("yes")]
    if knee.empty:
        return ""
    first, knee = curve.iloc[0], knee.iloc[0]
    return words(
        "report.say_knee",
        first=thousands(first["stations"]),
        first_share=f"{rounded(first['share'], 1)}%",
        stations=thousands(knee["stations"]),
        share=f"{rounded(knee['share'], 1)}%",
    )


def _closing(tables, words):
    """Return the sentence on other public beds that the plan has closed or handed over; none where none are."""
    if "bed_structure" not in tables:
        return []
    row = tables["bed_structure"].set_index("item").loc["other_public"].iloc[0]  # the province stands first
    now, planned = row["beds_now"], row["beds_plan"]
    if absent(now) or planned >= now:
        return []
    figures = {"now": thousands(now), "plan": thousands(planned), "less": thousands(now - planned)}
    return [words("report.say_closing", **figures)]


def _access(tables, words):
    """Return the sentence on how even access to beds is, now, planned and if beds were split by population."""
    if "access_summary" not in tables:
        return []
    by = tables["access_summary"].set_index("split")
    said = {"equal": rounded(by.at["by_population", "gini"], 4)}
    for split in ("now", "plan"):
        said |= {split: rounded(by.at[split, "gini"], 4), f"{split}_county": by.at[split, "worst_county"]}
        said[f"{split}_worst"] = rounded(by.at[split, "worst_per_1000"], 2)
    return [words("report.say_access", **said)]


def _centres(plan, tables, words):
    near, free = tables["catchments"], tables["catchments_free"]
    farthest = near.loc[near["km"].idxmax()]
    said = words(
        "report.say_centres",
        count=len(tables["centres"]),
        mean=_mean_km(near),
        farthest=farthest["county"],
        most=rounded(farthest["km"], 1),
    )
    if plan.proofs["centres_free"].status != "optimal":
        return said  # an unproven choice is no measure of what the documents' choice costs
    return said + words("report.say_centres_free", free_mean=_mean_km(free))


def _mean_km(catchments):
    metres = (catchments["km"] * 1000).round().astype("int64")
    return rounded(int((metres * catchments["persons"]).sum()) / int(catchments["persons"].sum()) / 1000, 1)


def _shares(coverage, column):
    parts = {}
    for setting in ("urban", "rural"):
        # A region without urban, or without rural, people has nobody uncovered there.
        row = coverage.loc[setting] if setting in coverage.index else {column: 0, "persons": 0}
        parts[f"{setting}_share"] = share(row[column], row["persons"])
    return parts


def _subtitle(tables, words):
    return words(
        "report.subtitle",
        beds=thousands(tables["beds_by_city"]["beds_plan"].sum()),
        stations=thousands(len(tables["stations"])),
        ambulances=thousands(tables["ambulances_by_city"]["plan"].sum()),
        persons=thousands(tables["beds_by_city"]["persons"].sum()),
    )


def distance_rule(scenario, words):
    """Return the sentence that says when people count as covered, with this scenario's standards."""
    rule = said_rule(scenario.travel_measure, scenario.detour_factor, standards_of(scenario), words)
    return rule + words("report.rule_by_city") if scenario.stations_by_city else rule


def said_rule(measure, detour_factor, standards, words):
    """Return the sentence of a measure of ways, its detour factor and standards (urban, rural, preferred)."""
    kind = "detour" if measure == "straight" and detour_factor != 1 else measure
    said = {name: number(getattr(standards, name)) for name in ("urban", "rural", "preferred")}
    return words(f"coverage.rule_{kind}", factor=number(detour_factor), **said)


def source_lines(prepared, words):
    """Return where the figures come from: each source of the region once, then the standards' documents."""
    lines = []
    for row in prepared.region.sources.itertuples(index=False):
        line = " · ".join(part for part in (row.source, row.date, row.licence) if part)
        if line and line not in lines:
            lines.append(line)
    return [*lines, _documents(prepared, words)]


def credit_lines(prepared, words):
    """Return the sources as a map has room for them: no dates, no licences, no bracket on the way they came."""
    names = (CAME_BY.sub("", source).strip() for source in prepared.region.sources["source"])
    documents = {standard.document for standard in prepared.standards.values()}
    credited = [name for name in dict.fromkeys(names) if name and not any(name.startswith(d) for d in documents)]
    first = next(iter(prepared.standards.values())).document
    return [*credited, words("report.credit_standards", first=first, count=len(documents))]


def _documents(prepared, words):
    documents = dict.fromkeys(standard.document for standard in prepared.standards.values())
    return words("report.source_standards", documents=words("report.list_comma").join(documents))


def interim(plan, words):
    """Return the warning that a model was stopped before its proof, or before it had a plan; "" when none was."""
    stopped = [proof for proof in plan.proofs.values() if proof.status in ("interim", "no_plan")]
    if not stopped:
        return ""
    # The scenario's own question comes first: another one's gap says nothing of this plan.
    stopped.sort(key=lambda proof: proof.model != "stations_" + plan.scenario.stations_goal)
    names = (
        words("report.interim_model", model=words(f"value.model.{proof.model}"), gap=gap_text(proof.gap, words))
        for proof in stopped
    )
    return words("report.interim", models=words("report.list_comma").join(names))


def gap_text(gap, words):
    """Return a relative gap as a percentage of two decimals, never rounded down to none."""
    if gap is None or math.isinf(gap) or math.isnan(gap):
        return words("report.absent")
    return f"{math.ceil(gap * 10_000 - 1e-9) / 100:.2f}%"


def thousands(value):
    """Return a whole number with its thousands separated."""
    return f"{int(value):,}"


def density(count, persons):
    """Return ``count`` per 1,000 persons, two decimals."""
    return f"{rounded(count * 1000 / persons, 2)}"


def share(part, whole):
    """Return a share in per cent, one decimal; 100.0% and 0.0% are kept for all and for none."""
    part, whole = int(part), int(whole)
    if part == whole:
        return "100.0%"
    tenths = (2000 * part + whole) // (2 * whole)
    tenths = min(max(tenths, 1 if part else 0), 999)
    return f"{tenths // 10}.{tenths % 10}%"


def number(value):
    """Return a setting as a planner writes it: 5, not 5.0."""
    return f"{value:g}"
