"""A list of stations held against the standards, as fast as a hand moves: what is known is not worked out again.

No Streamlit here. Distances stay while limits move, and everything stays while only the language changes back.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from geo.map_views import people_states
from geo.maps import sheet_of
from geo.travel import UNREACHED, is_covered
from geo.ways import Ways
from planner.coverage import Limits, check_coverage, places_at
from planner.report.coverage_report import (
    Checked,
    coverage_headline,
    coverage_view,
    in_words,
    summarise_coverage,
    unpublished,
)
from planner.report.summary import number, share, thousands
from planner.services.serving import station_table
from planner.services.station_problem import standards_of
from planner.ui.emergency_stations import digest, in_language

SETTINGS = ("urban", "rural")
NAMES = ("urban", "rural", "preferred")


class Memory:
    """What was worked out, the last few of each kind; threads may share it."""

    MOST = {"near": 40, "coverage": 20, "found": 12, "sheets": 12}

    def __init__(self):
        self._held = {kind: OrderedDict() for kind in self.MOST}
        self._lock = threading.Lock()

    def get(self, kind, key):
        """Return what is held under ``key``, or None."""
        with self._lock:
            held = self._held[kind]
            if key in held:
                held.move_to_end(key)
            return held.get(key)

    def put(self, kind, key, value):
        """Hold ``value``, forget what was not asked for longest, and return it."""
        with self._lock:
            held = self._held[kind]
            held[key] = value
            held.move_to_end(key)
            while len(held) > self.MOST[kind]:
                held.popitem(last=False)
        return value


@dataclass(frozen=True)
class Found:
    """A checked list, told in one language.

    checked    :class:`planner.report.coverage_report.Checked`; said: its tables in the language, not yet rounded
    headline   sentences; summary: of the check
    sheet      of the map
    """

    checked: Checked
    said: dict
    headline: tuple
    summary: object
    sheet: object

    @property
    def coverage(self):
        return self.checked.coverage


def near_key(scenario, stations):
    """Return what the ways from people to a list of stations depend on."""
    ways = (scenario.travel_measure, scenario.roads, scenario.road_speeds, scenario.detour_factor)
    people = (scenario.region, tuple(sorted(scenario.population_growth.items())))
    return digest(stations), ways, scenario.stations_by_city, people


def near_here(memory, prepared, scenario, stations):
    """Return (amount, position) of each demand point's nearest station in a straight line; of its city if so asked."""
    key = near_key(scenario, stations)
    known = memory.get("near", key)
    if known is not None:
        return known
    ways = prepared.ways(scenario)
    if scenario.stations_by_city:
        near = station_table(stations, stations.index, prepared.demand, ways, by_city=True)[1:]
    else:
        near = ways.nearest(prepared.demand, stations)
    return memory.put("near", key, near)


def near_from(memory, scenario, stations, coverage):
    """Return (amount, position) as a check found them elsewhere, and hold them."""
    amount = coverage.points["amount"].to_numpy()
    position = np.where(amount == UNREACHED, -1, stations.index.get_indexer(coverage.points["station"]))
    return memory.put("near", near_key(scenario, stations), (amount, position))


def covered(memory, prepared, scenario, stations, lang, near):
    """Return the :class:`planner.coverage.Coverage` of a list by a scenario's standards, names in ``lang``."""
    asked = standards_of(scenario)
    # What a check tells of a station is more than where it stands: its name, county, kind and vehicles.
    about = stations.drop(columns=["geometry"], errors="ignore").to_csv()
    key = (*near_key(scenario, stations), asked, lang, about)
    known = memory.get("coverage", key)
    if known is not None:
        return known
    at_key = ("at", key[3])
    at = memory.get("near", at_key)
    if at is None:
        at = memory.put("near", at_key, places_at(prepared.region, prepared.demand))
    limits = Limits(asked.urban, asked.rural, asked.preferred)
    region, demand = prepared.region, prepared.demand
    said = in_language(stations, lang)
    made = check_coverage(region, demand, said, ways=_ways(scenario), limits=limits, radii=(), near=near, at=at)
    return memory.put("coverage", key, made)


def inside(prepared, scenario, near):
    """Return {covered, preferred: n booleans} of the demand points, from their nearest stations."""
    asked, ways = standards_of(scenario), _ways(scenario)
    limits = {"covered": asked.rural, "preferred": asked.preferred}
    demand = prepared.demand
    return {name: is_covered(near[0], ways.limits(demand, asked.urban, km)) for name, km in limits.items()}


def _ways(scenario):
    """Return the ways of a scenario without their roads: enough to hold known distances against standards."""
    return Ways(scenario.travel_measure, scenario.detour_factor if scenario.travel_measure == "straight" else 1.0)


def told(memory, prepared, scenario, listing, coverage, words, *, forced=(), forbidden=(), start=None):
    """Return the :class:`Found` of a checked list.

    forced, forbidden  {id: name} of candidate sites that a planner wants so; start: the list before any edit
    """
    marks = _marks(listing, forced, start)
    key = (id(coverage), listing.kind, listing.label, listing.count("new"), tuple(forbidden), tuple(marks), words.lang)
    known = memory.get("found", key)
    if known is not None and known.coverage is coverage:
        return known
    checked = checked_of(prepared, listing, coverage, words)
    said = in_words(checked, unpublished(checked), words)
    summary = summarise_coverage(checked, words, said)
    headline = (_covered(listing, checked, words), *coverage_headline(checked, words, said)[1:])
    summary = replace(summary, headline=list(headline))
    view = coverage_view(checked, said, summary, words)
    new = view.stations["status"].eq("new")
    view = replace(
        view,
        stations=view.stations.assign(mark=marks, status=view.stations["status"].where(~new, "listed")),
        people=people_states(coverage.points),
        barred=_barred(prepared.sites, forbidden, words),
    )
    found = Found(checked, said, headline, summary, sheet_of(view))
    return memory.put("found", key, found)


def checked_of(prepared, listing, coverage, words):
    """Return a check as :mod:`planner.report.coverage_report` writes it."""
    return Checked(
        region=prepared.region,
        standards=prepared.standards,
        demand=prepared.demand,
        coverage=coverage,
        stations=listing.label,
        datum=listing.datum,
        basis=dict.fromkeys(NAMES, words("page_emergency.basis")),
        inputs={"stations": listing.path} if listing.path else {},
    )


def _marks(listing, forced, start):
    """Return what the planner decided on each station, in the list's order."""
    was = None if start is None else dict(zip(start.index, zip(start["lon"], start["lat"], strict=True), strict=True))
    stations, marks = listing.stations, []
    for id, kind, *at in zip(stations.index, stations["kind"], stations["lon"], stations["lat"], strict=True):
        if id in forced:
            marks.append("forced")
        elif was is None:
            marks.append("added" if kind == "new" else "")
        else:
            marks.append("added" if id not in was else "moved" if was[id] != tuple(at) else "")
    return marks


def _barred(sites, forbidden, words):
    known = [id for id in forbidden if id in sites.index]
    if not known:
        return None
    rows = sites.loc[known]
    column = "name" if words.lang == "zh" else "name_en"
    return rows[["lon", "lat"]].assign(id=rows.index, name=rows[column].to_numpy())[["id", "name", "lon", "lat"]]


# -- sentences -------------------------------------------------------------------------------------------------------


def counts(coverage):
    """Return {setting: {persons, covered, preferred, uncovered}} of the province, whole persons."""
    columns = ["persons", "covered", "preferred", "uncovered"]
    by = coverage.coverage_by_city.groupby("setting")[columns].sum()
    return {setting: by.loc[setting].astype(int).to_dict() for setting in SETTINGS}


def counts_of(points, flags):
    """Return what :func:`counts` returns, of points of another check of the same people and their flags."""
    persons, setting = points["persons"], points["setting"]
    made = {}
    for each in SETTINGS:
        here = setting.eq(each)
        whole = int(persons[here].sum())
        covered, preferred = (int(persons[here & flags[name]].sum()) for name in ("covered", "preferred"))
        made[each] = {"persons": whole, "covered": covered, "preferred": preferred, "uncovered": whole - covered}
    return made


def part(of, whole, words):
    """Return a share as text; a dash where there is nobody."""
    return share(of, whole) if whole else words("report.absent")


def limits_said(coverage, words):
    """Return the standards with their unit, by name."""
    return {name: words(f"coverage.in_{coverage.far}", number=number(getattr(coverage.limits, name))) for name in NAMES}


def _covered(listing, checked, words):
    """Return the first sentence: who is covered, by which stations, and which of these are assumed."""
    found, people = checked.coverage, counts(checked.coverage)
    urban, rural = people["urban"], people["rural"]
    return words(
        "coverage.say_covered",
        who=who(listing, words),
        urban_share=part(urban["covered"], urban["persons"], words),
        urban_covered=thousands(urban["covered"]),
        rural_share=part(rural["covered"], rural["persons"], words),
        rural_covered=thousands(rural["covered"]),
        preferred_share=part(rural["preferred"], rural["persons"], words),
        **limits_said(found, words),
    )


def who(listing, words):
    """Return which stations a sentence is about, the assumed ones named as such."""
    seats, new, count = listing.count("seat"), listing.count("new"), len(listing.stations)
    key = {"now": "who_now", "list": "who_list", "plan": "who_plan", "edit": "who_edit"}[listing.kind]
    if listing.kind == "now":
        key = "who_seats" if seats == count else "who_listed" if not seats else "who_now"
    if listing.kind == "plan" and count > seats + new:
        key = "who_plan_listed"
    said = {"count": count, "seats": seats, "listed": count - seats - new, "new": new}
    return words(f"page_emergency.{key}", file=listing.label, **{name: thousands(n) for name, n in said.items()})


def gain_said(change, words):
    """Return how many more or fewer people are covered, town and country apart."""
    net = change.net()
    figures = {setting: _signed(change.net(setting)) for setting in SETTINGS}
    key = "more" if net > 0 else "fewer" if net < 0 else "same"
    if key == "same" and any(change.net(setting) for setting in SETTINGS):
        key = "even"
    said = words(f"page_emergency.gain.{key}", persons=thousands(abs(net)), **figures)
    if sum(change.gained.values()) and sum(change.lost.values()):
        both = {name: thousands(sum(getattr(change, name).values())) for name in ("gained", "lost")}
        said += words("page_emergency.gain.both", **both)
    return said


def _signed(value):
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", "−")
