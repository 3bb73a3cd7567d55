"""The cover of the workbook: what was asked, what came out, how far it is proven, and what every mark means."""

from dataclasses import dataclass

from geo.theme import MARKS
from planner.report.summary import gap_text, thousands
from planner.settings import ALL_SETTINGS, BED_TARGETS, in_words, override_label, override_sides, said_place


@dataclass(frozen=True)
class Line:
    """One line of the cover. ``kind``: title | quiet | alarm | heading | head | text | row | link.

    A link's last cell is the sheet it leads to.
    """

    kind: str
    cells: tuple


def cover_lines(plan, tables, prepared, summary, checks, cleaned, sheets, words, *, before=(), left_out=()):
    """Return the cover as a list of :class:`Line`.

    sheets    the sheet of each table;  before: (sheet, what it holds) of sheets that stand before them
    left_out  names of tables that this workbook does not have, which stand in the whole plan's
    """
    lines = [Line("title", (summary.title,)), Line("quiet", (summary.subtitle,))]
    if summary.interim:
        lines.append(Line("alarm", (summary.interim,)))
    lines += _texts("headline", summary.headline, words)
    lines.append(Line("heading", (words("report.contents"),)))
    lines += [Line("link", (sheet, about, sheet)) for sheet, about in before]
    lines += [Line("link", (sheets[name], words(f"table.{name}.title"), sheets[name])) for name in tables]
    if left_out:
        names = words("report.list_comma").join(words(f"table.{name}.title") for name in left_out)
        lines.append(Line("text", (words("worksheet.left_out", tables=names),)))
    lines += _settings(plan.scenario, prepared, words)
    lines += _overrides(plan.scenario, words)
    lines += _texts("people", [_people(plan, words)], words)
    lines += _proofs(plan, words)
    lines += _texts("verification", [words("report.verified", count=len(checks))], words)
    lines += [Line("text", (f"● {check.tell(words)}",)) for check in checks]
    marks = [words(f"report.mark_{name}") for name in ("measured", "modelled", "assumed", "absent", "machine")]
    lines += _texts("marks", marks, words)
    lines += _texts("rule_title", [summary.rule], words)
    lines += _texts("sources", summary.sources, words)
    if cleaned:
        lines += _texts("cleaned", [_cleaned(each, words) for each in cleaned], words)
    return lines


def _texts(heading, texts, words):
    return [Line("heading", (words(f"report.{heading}"),)), *(Line("text", (text,)) for text in texts)]


def _settings(scenario, prepared, words):
    changed = {override.key for override in scenario.overrides}
    yield Line("heading", (words("report.settings"),))
    yield Line("head", tuple(words(f"report.setting_{part}") for part in ("name", "value", "basis")))
    names = _names(prepared.region)
    for setting in ALL_SETTINGS:
        if setting.field in ("title", "region"):
            continue
        said = _said(setting, getattr(scenario, setting.field), names, words)
        standard = prepared.standards[setting.standard] if setting.standard else None
        if setting.key == BED_TARGETS:
            standard = _table3(scenario, prepared.standards)
        rests_on = basis(setting, standard, changed, words)
        yield Line("row", (words(f"report.setting.{setting.field}"), said, rests_on))


def _table3(scenario, standards):
    known = [code for code in scenario.bed_targets if code in standards.cities]
    return standards.city_bed_target(known[0]) if known else None


def basis(setting, standard, changed, words):
    """Return what a setting's value rests on: a clause, the scenario, the region's data, or that it is assumed.

    standard  the :class:`planner.standards.Standard` that gives it, or None;  changed: keys the scenario overrides
    """
    if any(key == setting.key or key.startswith(f"{setting.key}.") for key in changed):
        return words("report.basis_scenario")
    if standard is None:
        return words("report.basis_data") if setting.data else words("report.basis_assumed") + MARKS["assumed"]
    return f"{standard.document} {standard.clause}"


def _said(setting, value, names, words):
    """Return a setting's value in words; a table's figures in a row, each behind its city, county or word."""
    if not setting.by:
        return in_words(setting, value, names, words)
    said = [
        f"{said_place(setting, place, names, words)} {in_words(setting, value[place], names, words)}" for place in value
    ]
    return words("report.list_comma").join(said) or words("report.none")


def _names(region):
    return region.counties["name"].to_dict() | region.cities["name"].to_dict()


def _overrides(scenario, words):
    yield Line("heading", (words("report.overrides"),))
    if not scenario.overrides:
        yield Line("text", (words("report.no_overrides"),))
    for override in scenario.overrides:
        old, new = override_sides(override, words)
        yield Line("row", (override_label(override, words), override.key, words("report.changed", old=old, new=new)))


def _people(plan, words):
    key = "people_same" if plan.people_in == plan.people_out else "people_differ"
    return words(f"report.{key}", people_in=thousands(plan.people_in), people_out=thousands(plan.people_out))


def _proofs(plan, words):
    yield Line("heading", (words("report.proofs"),))
    yield Line("head", tuple(words(f"report.proof_{part}") for part in ("model", "status", "figures")))
    for name, proof in plan.proofs.items():
        figures = words(
            "report.proof_said",
            objective=_figure(proof.objective, words),
            bound=_figure(proof.bound, words),
            unit=words(f"cli.unit.{proof.unit}"),
            gap=gap_text(proof.gap, words),
        )
        yield Line("row", (words(f"value.model.{name}"), words(f"value.proof.{proof.status}"), figures))


def _figure(value, words):
    if value is None:
        return words("report.absent")
    return f"{value:,.0f}" if value == int(value) or value >= 1e6 else f"{value:,.4f}"


def _cleaned(each, words):
    table, column = words(f"table.{each.table}.sheet"), words(f"column.{each.column}")
    return words("report.cleaned_row", table=table, column=column, row=each.row, text=each.text)
