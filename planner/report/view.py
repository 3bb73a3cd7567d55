"""What the maps show of a plan: its published tables joined to their polygons, with the sentences of its summary."""

import geopandas as gpd

from geo.maps import MapView
from planner.report.names import in_language
from planner.report.summary import summarise
from planner.report.tables import published
from planner.services.station_problem import standards_of


def map_view(plan, prepared, words):
    """Return the :class:`geo.maps.MapView` of a plan, the same for the page, the browser map and the print map."""
    tables, _ = published(plan.tables)
    return view_of(plan, tables, prepared, summarise(plan, tables, prepared, words), words)


def view_of(plan, tables, prepared, summary, words):
    """Return the :class:`geo.maps.MapView` of tables that are already in published form."""
    region, standards = prepared.region, standards_of(plan.scenario)
    tables = in_language(tables, prepared, words)
    city_names = dict(zip(tables["beds_by_city"]["code"], tables["beds_by_city"]["name"], strict=True))
    county_names = dict(zip(tables["beds_by_county"]["code"], tables["beds_by_county"]["name"], strict=True))
    counties = county_results(tables, region)
    for setting in ("urban", "rural"):
        counties[f"{setting}_covered_share"] = counties[f"{setting}_covered"] / counties[f"{setting}_persons"].where(
            counties[f"{setting}_persons"] > 0
        )
    counties["city"] = counties["city_code"].map(city_names)
    stations = tables["stations"].copy()
    stations["county"] = stations["county_code"].map(county_names)
    stations["city"] = stations["city_code"].map(city_names)
    return MapView(
        title=summary.title,
        subtitle=summary.subtitle,
        lang=words.lang,
        province=region.province,
        cities=city_results(tables, region),
        counties=counties,
        stations=stations,
        urban=standards.urban,
        rural=standards.rural,
        far="minutes" if plan.scenario.travel_measure == "minutes" else "km",
        circles=plan.scenario.travel_measure == "straight",
        uncovered=tables["uncovered_places"],
        centres=tables["centres"],
        sources=summary.credits,
        rule=summary.rule,
        notes=[summary.interim, *summary.headline] if summary.interim else summary.headline,
        words=words,
        detour_factor=plan.scenario.detour_factor,
    )


def city_results(tables, region):
    """Return one row a city with its polygon, seat and every result: GeoDataFrame in the documents' order.

    The columns of ``beds_by_city``; stations, ambulances_required, ambulances_plan; {urban, rural}_{persons, covered,
    covered_now} and rural_preferred; lon, lat.
    """
    frame = tables["beds_by_city"]
    for joined in (_ambulances(tables["ambulances_by_city"]), by_setting(tables["coverage_by_city"])):
        frame = frame.merge(joined, on="code", how="left", validate="1:1")
    seats = region.cities[["lon", "lat"]].reindex(frame["code"]).reset_index(drop=True)
    return _with_polygons(frame.join(seats), region.cities)


def county_results(tables, region):
    """Return one row a county with its polygon and every result: GeoDataFrame by code.

    The columns of ``beds_by_county``; {urban, rural}_{persons, covered, covered_now} and rural_preferred;
    centre_city_code, centre_km; free_centre_county_code, free_centre_km.
    """
    frame = tables["beds_by_county"]
    near = tables["catchments"][["county_code", "centre_city_code", "km"]]
    free = tables["catchments_free"][["county_code", "centre_county_code", "km"]]
    near = near.rename(columns={"county_code": "code", "km": "centre_km"})
    free = free.rename(
        columns={"county_code": "code", "centre_county_code": "free_centre_county_code", "km": "free_centre_km"}
    )
    for joined in (by_setting(tables["coverage_by_county"]), near, free):
        frame = frame.merge(joined, on="code", how="left", validate="1:1")
    return _with_polygons(frame, region.counties)


def by_setting(coverage):
    """Return a coverage table with urban and rural side by side, one row a code; a setting without people counts 0."""
    wide = coverage.pivot(index="code", columns="setting", values=["persons", "covered", "covered_now", "preferred"])
    columns = [(value, setting) for setting in ("urban", "rural") for value in ("persons", "covered", "covered_now")]
    columns.append(("preferred", "rural"))
    wide = wide.reindex(columns=columns, fill_value=0).fillna(0).astype("int64")
    wide.columns = [f"{setting}_{value}" for value, setting in columns]
    return wide.reset_index()


def _ambulances(table):
    renamed = table.rename(columns={"required": "ambulances_required", "plan": "ambulances_plan"})
    return renamed[["code", "stations", "ambulances_required", "ambulances_plan"]]


def _with_polygons(frame, polygons):
    geometry = polygons.geometry.reindex(frame["code"]).to_numpy()
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=polygons.crs)
