"""What every document is made of: a published folder read back, checked once more, with the region it is about."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from geo.words import Words
from planner.compare import Result, compare, read_result
from planner.report import VerificationFailed
from planner.report.manifest import MANIFEST
from planner.report.names import in_language, place_names
from planner.report.summary import Summary, summarise
from planner.report.tables import Cleaned
from planner.report.view import view_of
from planner.services.ambulances import note_from
from planner.services.proof import Proof
from planner.study import Plan, Prepared, prepare
from planner.verify import verify_folder


@dataclass(frozen=True)
class Source:
    """A finished plan, ready to be written about in one language.

    plan         :class:`planner.study.Plan`; its tables are in published form
    prepared     :class:`planner.study.Prepared`: region, standards, demand, sites
    said         the tables by name with place names in the language of ``words``; codes and numbers as published
    summary      :class:`planner.report.summary.Summary`; its ``interim`` is "" for a proven plan and must stand on
                 every page otherwise
    checks       sentences, what the plan was found right in; cleaned: :class:`planner.report.tables.Cleaned` in order
    fingerprint  16 hexadecimal digits of the folder's manifest: the same plan has the same
    against      another :class:`Source` of the same region to show differences to (this less that), or None
    """

    plan: Plan
    prepared: Prepared
    said: Mapping
    summary: Summary
    checks: tuple
    cleaned: tuple
    fingerprint: str
    words: Words
    result: Result
    against: "Source | None" = None

    @property
    def tables(self):
        return self.plan.tables

    @property
    def scenario(self):
        return self.plan.scenario

    @property
    def region(self):
        return self.prepared.region

    @cached_property
    def names(self):
        """{code: name} of the province, cities and counties in the language of ``words``."""
        return place_names(self.region, self.words)

    @cached_property
    def view(self):
        """The :class:`geo.maps.MapView` of the plan."""
        return view_of(self.plan, self.tables, self.prepared, self.summary, self.words)


def read_source(folder, words, *, prepared=None, against=None, progress=None):
    """Return the :class:`Source` in a folder that ``jinyi run`` has written.

    prepared  of the same region and people, if it is at hand
    against   a folder to be compared with: differences are this less that one
    progress  called as progress(stage, seconds, None, None)
    Raises :class:`planner.compare.CannotCompare` where no run has written the folder, where a file is not what it was,
    or where the other is of another region; :class:`planner.report.VerificationFailed` where what it says is not what
    its inputs give now. Neither may be printed.
    """
    tell = progress or (lambda *about: None)
    tell("read", 0.0, None, None)
    result = read_result(folder)
    if prepared is None:
        prepared = prepare(result.scenario, progress)
    tell("verify", 0.0, None, None)
    checks = verify_folder(folder, prepared.demand)
    if not all(check.passed for check in checks):
        raise VerificationFailed(checks)
    other = None
    if against is not None:
        other = read_source(against, words, progress=progress)
        compare(other.result, result)
    return _source(result, prepared, words, tuple(check.tell(words) for check in checks), other)


def _source(result, prepared, words, checks, against):
    manifest = result.manifest
    plan = Plan(
        scenario=result.scenario,
        tables=result.tables,
        proofs={name: _proof(plain) for name, plain in manifest["proofs"].items()},
        figures=manifest["figures"],
        people_in=manifest["people"]["in"],
        people_out=manifest["people"]["out"],
        notes=tuple(note_from(each) for each in manifest["notes"]),
    )
    return Source(
        plan=plan,
        prepared=prepared,
        said=in_language(plan.tables, prepared, words),
        summary=summarise(plan, plan.tables, prepared, words),
        checks=checks,
        cleaned=tuple(Cleaned(**each) for each in manifest["cleaned"]),
        fingerprint=hashlib.sha256((Path(result.folder) / MANIFEST).read_bytes()).hexdigest()[:16],
        words=words,
        result=result,
        against=against,
    )


def _proof(plain):
    return Proof(**plain, seconds=0.0)
