"""How each figure of a clause was worked out, in sentences with the inputs that were used."""

from geo.theme import figure
from planner.report.summary import thousands
from planner.standards import BED_TARGET_PREFIX, decimal_text

SETTINGS = {"emergency_radius_urban": "urban", "emergency_radius_rural": "rural"}


def how_lines(row, tables, standards, words):
    """Return the sentences of one row of :func:`planner.ui.clauses.clause_rows`, in the language of ``words``."""
    standard = standards.get(row["standard_id"]) if row["standard_id"] else None
    told = _TOLD.get(row["source"])
    lines = told(row, standard, tables, words) if told else []
    if row["source"] == "bed_structure":
        lines = [words("page_compliance.how_item", plan=thousands(row["plan"])), *lines]
    return [*lines, words(f"page_compliance.verdict_{row['verdict']}")]


def _compliance(row, standard, tables, words):
    id = row["standard_id"]
    if id.startswith(BED_TARGET_PREFIX):
        return _density(row, tables, words)
    if id in SETTINGS and standard is not None:
        return _radius(row, standard, SETTINGS[id], tables, words)
    if id == "ambulance_per_30000" and standard is not None:
        city = _at(tables["ambulances_by_city"], row["area_code"])
        return [
            words(
                "page_compliance.how_vehicles",
                persons=thousands(city["persons"]),
                per=thousands(standard.per),
                floor=thousands(city["floor"]),
                plan=thousands(city["plan"]),
            )
        ]
    if id == "emergency_station_county":
        here = tables["stations"][tables["stations"]["county_code"].eq(row["area_code"])]
        new = int(here["status"].eq("new").sum())
        return [words("page_compliance.how_stations", plan=len(here), now=len(here) - new, new=new)]
    centres = tables["centres"]
    names = words("report.list_comma").join(centres.loc[centres["level"].eq("provincial"), "name"])
    return [words("page_compliance.how_centres", names=names or words("report.none"))]


def _density(row, tables, words):
    beds = tables["beds_by_city"]
    here = beds[beds["code"].eq(row["area_code"])] if row["city_code"] else beds
    persons, plan = int(here["persons"].sum()), int(here["beds_plan"].sum())
    planned = words(
        "page_compliance.how_density", beds=thousands(plan), persons=thousands(persons), density=figure(row["plan"], 2)
    )
    said = [words("page_compliance.how_density_now"), planned]
    return said if row["city_code"] else [*said, words("page_compliance.how_density_sum")]


def _radius(row, standard, setting, tables, words):
    coverage = tables["coverage_by_city"]
    here = coverage[coverage["code"].eq(row["area_code"]) & coverage["setting"].eq(setting)]
    far = standard.value_max if setting == "rural" else standard.value
    return [
        words(
            f"page_compliance.how_{setting}",
            km=decimal_text(far),
            persons=thousands(here["persons"].sum()),
            share=figure(row["plan"], 2),
        ),
        words("page_compliance.how_share_cut"),
    ]


def _structure(row, standard, tables, words):
    if standard is None or standard.value is None:
        return []
    return [words("page_compliance.how_structure", figure=standard.figure, unit=standard.unit_in(words.lang))]


def _rule(row, standard, tables, words):
    key = f"page_compliance.how_{row['group'].removeprefix('rule ')}"
    said = [words(key)] if key in words else []
    target, plan = (figure(float(row[name]), 0 if float(row[name]).is_integer() else 2) for name in ("target", "plan"))
    return [*said, words("page_compliance.how_rule", target=target, plan=plan)]


def _at(frame, code):
    return frame[frame["code"].eq(code)].iloc[0]


_TOLD = {"compliance": _compliance, "bed_structure": _structure, "bed_rules": _rule}
