"""One verified plan in, one folder out: tables, workbook, layers, maps and manifest, all of them or none."""

import time

from geo.maps import map_html
from geo.plan_sheet import plan_sheet
from planner.report.charts import CURVE, draw_curve
from planner.report.folder import check_out, replaced
from planner.report.layers import write_layers
from planner.report.manifest import MANIFEST, build_manifest, write_manifest
from planner.report.summary import summarise
from planner.report.tables import published, write_csv
from planner.report.view import view_of
from planner.report.workbook import write_workbook
from planner.verify import verify_plan


class VerificationFailed(Exception):
    """The plan does not survive its independent check; nothing was written. Command line exit code 7.

    ``checks`` are all of them, passed and failed.
    """

    exit_code = 7

    def __init__(self, checks):
        self.checks = tuple(checks)
        super().__init__(f"{sum(not c.passed for c in self.checks)} of {len(self.checks)} checks failed")

    def tell(self, words):
        """Return what failed, in the language of ``words``."""
        failed = [check.tell(words) for check in self.checks if not check.passed]
        return words("report.not_verified", checks="\n".join(failed))


def write_outputs(plan, prepared, out, words, progress=None):
    """Write the folder ``out`` of a plan, replacing an earlier run's in one step, and return its manifest as a dict.

    plan, prepared  of :mod:`planner.study`
    words           language of headings, notes and maps; it changes no number and no code
    progress        called as progress(stage, seconds, None, None) when a stage begins; stages are the words below
                    ``report.stage``
    Raises :class:`VerificationFailed` (nothing written) and OSError (the old folder is as it was).
    """
    began = time.monotonic()

    def stage(name):
        if progress is not None:
            progress(name, time.monotonic() - began, None, None)

    check_out(out)
    stage("verify")
    tables, cleaned = published(plan.tables)
    checks = verify_plan(
        tables,
        plan.scenario,
        prepared.region,
        prepared.standards,
        prepared.demand,
        proofs=plan.proofs,
        people=(plan.people_in, plan.people_out),
        figures=plan.figures,
    )
    if not all(check.passed for check in checks):
        raise VerificationFailed(checks)
    summary = summarise(plan, tables, prepared, words)
    with replaced(out) as folder:
        stage("tables")
        (folder / "tables").mkdir()
        for name, frame in tables.items():
            write_csv(name, frame, folder / "tables" / f"{name}.csv")
        stage("workbook")
        write_workbook(plan, tables, prepared, summary, checks, cleaned, folder / "plan.xlsx", words)
        stage("layers")
        write_layers(plan, tables, prepared, folder / "plan.gpkg", words)
        view = view_of(plan, tables, prepared, summary, words)
        stage("web_map")
        (folder / "map.html").write_text(map_html(view), encoding="utf-8", newline="\n")
        stage("print_map")
        plan_sheet(view, folder / "map.pdf", folder / "map.png", data_date=people_date(prepared))
        if len(tables["coverage_curve"]) > 1:
            title = words("report.curve_title", title=plan.scenario.title or plan.scenario.name)
            draw_curve(tables["coverage_curve"], title, summary.rule, folder / CURVE, words)
        stage("publish")
        manifest = build_manifest(plan, prepared, checks, cleaned, folder, words)
        write_manifest(manifest, folder / MANIFEST)
    return manifest


def people_date(prepared):
    """Return the date of the people the plan counts, as the region's sources give it; "" where they give none."""
    sources = prepared.region.sources
    dates = sources.loc[sources["file"].eq("counties.csv") & sources["column"].eq("persons"), "date"]
    return dates.iloc[0] if len(dates) else ""
