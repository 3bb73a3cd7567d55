"""What a browser map shows, already computed: a plan, a difference of two plans, a check of stations."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.words import Words


@dataclass(frozen=True, kw_only=True)
class _View:
    """What every map has: its ground - province, cities, counties - and its words."""

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words


@dataclass(frozen=True, kw_only=True)
class MapView(_View):
    """What a plan's map shows; nothing here is a decision. Codes are str, persons and beds whole numbers.

    province   GeoDataFrame EPSG:4490, one row: geometry
    cities     GeoDataFrame EPSG:4490 in the documents' order: code, name, beds_now, beds_plan, plan_per_1000,
               target_per_1000, lon, lat (degrees, of the seat)
    counties   GeoDataFrame EPSG:4490: code, name, city_code, city, persons, beds_now, beds_plan, beds_new,
               plan_per_1000, urban_covered_share, rural_covered_share (0 to 1; NaN where nobody of the setting
               lives), centre_city_code
    stations   DataFrame: id, name, kind ("seat" | "existing" | "town" | "cell"), status ("assumed" | "listed" | "new"),
               lon, lat, ambulances, persons, county, city; and, if there is such, mark ("" | "forced" | "forbidden" |
               "added" | "moved"): what a planner decided on it
    urban, rural  the emergency standards, told as far ("km" | "minutes") has it; circles: whether they are drawn, as
               they are for straight lines alone
    uncovered  DataFrame, one row a demand point beyond its standard: lon, lat, persons, place, county,
               setting ("urban" | "rural"), and the column that far names (NaN = no way)
    centres    DataFrame: name, level ("national" | "provincial" | "free"), lon, lat, persons, city_code
    detour_factor  how much longer a way is than the straight line: circles are drawn that much smaller than the radii
    barred     None, or DataFrame: name, lon, lat of candidate sites that may not be taken
    title, subtitle, rule (of distance), sources and notes (headline sentences): ready text in the language of ``words``
    """

    stations: pd.DataFrame
    urban: float
    rural: float
    uncovered: pd.DataFrame
    centres: pd.DataFrame
    detour_factor: float = 1.0
    circles: bool = True
    far: str = "km"
    barred: pd.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class DifferenceView(_View):
    """How far a second result differs from a first one, already computed; what is not named here is as in MapView.

    cities     GeoDataFrame EPSG:4490: code, name, lon, lat; {beds, per_1000}_{first, second, difference}
    counties   GeoDataFrame EPSG:4490: code, name, city; the same, and reach_{first, second, difference}
               (NaN where nobody lives); difference = second less first
    """


@dataclass(frozen=True, kw_only=True)
class CoverageView(_View):
    """Whom a list of stations covers, already computed; what is not named here is as in MapView.

    cities     GeoDataFrame EPSG:4490: code, name, lon, lat; {urban, rural}_{persons, covered, uncovered}
    counties   GeoDataFrame EPSG:4490: code, name, city; the same; change_points where the list is held against another:
               percentage points of people covered, second less first (NaN where nobody lives)
    stations   DataFrame: id, name, status ("listed" | "assumed"), lon, lat, ambulances (NaN = not given), persons,
               uncovered, farthest, county, city; and mark, as in MapView, if there is such
    far        "km" | "minutes": how ways, standards and farthest are told
    urban, rural  the standards; circles: whether they are drawn, as they are for straight lines alone
    uncovered  DataFrame, one row a place: lon, lat, persons, place, county, setting, station, far (mean; NaN = no way)
    people     None, or DataFrame, one row a demand point: lon, lat, persons, state ("preferred" | "covered" |
               "uncovered"); see :func:`geo.map_views.people_states`
    barred     as in MapView
    """

    stations: pd.DataFrame
    far: str
    urban: float
    rural: float
    circles: bool
    detour_factor: float
    uncovered: pd.DataFrame
    people: pd.DataFrame | None = None
    barred: pd.DataFrame | None = None


def people_states(points):
    """Return the ``people`` of a :class:`CoverageView`: lon, lat, persons, state, one row a demand point.

    points  DataFrame with lon, lat, persons and bool covered, preferred (``points`` of planner.coverage.Coverage)
    """
    state = np.where(points["preferred"], "preferred", np.where(points["covered"], "covered", "uncovered"))
    return points[["lon", "lat", "persons"]].assign(state=state)
