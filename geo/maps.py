"""The browser map: a finished plan goes in, one Folium map comes out, as one HTML file that asks nothing of any network."""

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geo.words import Words


@dataclass(frozen=True)
class MapView:
    """What the map shows, already computed; nothing here is a decision. Codes are str, persons and beds whole numbers.

    province   GeoDataFrame EPSG:4490, one row: geometry
    cities     GeoDataFrame EPSG:4490 in the documents' order: code, name, beds_now, beds_plan, plan_per_1000, target_per_1000,
               lon, lat (degrees, of the seat)
    counties   GeoDataFrame EPSG:4490: code, name, city_code, city, persons, beds_now, beds_plan, beds_new, plan_per_1000,
               urban_covered_share, rural_covered_share (0 to 1; NaN where nobody of the setting lives), centre_city_code
    stations   DataFrame: id, name, kind, status ("assumed" | "new"), lon, lat, ambulances, persons, county, city
    urban_km, rural_km   radii of the emergency standard
    uncovered  DataFrame, one row a demand point beyond its standard: lon, lat, persons, place, county,
               setting ("urban" | "rural"), km
    centres    DataFrame: name, level ("national" | "provincial" | "free"), lon, lat, persons, city_code
    title, subtitle, rule (of distance), sources and notes (headline sentences) are ready text in the language of ``words``.
    """

    title: str
    subtitle: str
    lang: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    stations: pd.DataFrame
    urban_km: float
    rural_km: float
    uncovered: pd.DataFrame
    centres: pd.DataFrame
    sources: list[str]
    rule: str
    notes: list[str]
    words: Words
