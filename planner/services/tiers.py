"""The emergency network by tier, as the documents draw it: city centre, county station, substations in town, townships.

The documents name the tiers and give no list of places. Which station belongs to which tier is ASSUMED, by this rule:

    city_centre       in each city the station nearest to the seat of the city's government
    county            in each other county the station nearest to its seat: a station of its own, or part of a hospital
    substation        of the rest, those to whom mostly urban people are nearest
    central_township  of the rest, in each county the one to which most people are nearest
    township          the others
"""

import numpy as np
import pandas as pd

from geo.travel import distances

TIERS = ("city_centre", "county", "substation", "central_township", "township")


def with_tiers(region, stations, urban_persons, scenario):
    """Return ``stations`` (on id: county_code, city_code, lon, lat, persons, status) with columns tier, housing, cost.

    urban_persons  of the persons nearest to each station, those who are urban
    housing        standalone | hospital_based | township_hospital
    investment     10,000 yuan, of new stations; 0 for those that are held
    """
    table = stations.copy()
    rest = pd.Series(np.where(2 * np.asarray(urban_persons) > table["persons"], "substation", "township"), table.index)
    towns = table[rest.eq("township")].sort_values("persons", ascending=False, kind="stable")
    first = _nearest_to_seats(region, table)
    rest[towns[~towns.index.isin(first)].groupby("county_code").head(1).index] = "central_township"
    rest[first] = "county"
    seat_counties = region.cities["seat_county_code"]
    rest[[id for id in first if table.at[id, "county_code"] in set(seat_counties)]] = "city_centre"
    table["tier"] = rest
    in_hospital = table["county_code"].isin(scenario.hospital_based) & rest.eq("county")
    housing = np.where(in_hospital, "hospital_based", "standalone")
    table["housing"] = np.where(rest.isin(TIERS[3:]), "township_hospital", housing)
    table["investment"] = np.where(table["status"].eq("new"), _prices(rest, in_hospital, scenario), 0)
    return table


def _nearest_to_seats(region, table):
    """Return of each county with a station the id of the one nearest to its seat; of equals the smallest id."""
    seats = region.counties.rename(columns={"seat_lon": "lon", "seat_lat": "lat"})[["lon", "lat"]]
    first = []
    for code, at in table.sort_index().groupby("county_code"):
        first.append(at.index[int(distances(at, seats.loc[[code]])[:, 0].argmin())])
    return first


def _prices(tier, in_hospital, scenario):
    by_tier = {
        "city_centre": scenario.cost_centre,
        "county": scenario.cost_standalone,
        "substation": scenario.cost_substation,
        "central_township": scenario.cost_township,
        "township": scenario.cost_township,
    }
    return np.where(in_hospital, scenario.cost_hospital_based, tier.map(by_tier))


def tier_table(region, stations):
    """Return stations by city and tier, in the documents' order.

    DataFrame code name city_centre county_station substation central_township township stations listed assumed new
    hospital_based ambulances investment (10,000 yuan, of new stations).
    """
    cities = region.cities

    def counted(column, words):
        found = pd.crosstab(stations["city_code"], stations[column])
        return found.reindex(index=cities.index, columns=list(words), fill_value=0)

    frame = pd.DataFrame({"code": cities.index, "name": cities["name"].to_numpy()}).set_index(cities.index)
    frame = frame.join(counted("tier", TIERS))
    frame["stations"] = frame[list(TIERS)].sum(axis=1)
    frame = frame.rename(columns={"county": "county_station"})
    frame = frame.join(counted("status", ("listed", "assumed", "new")))
    frame = frame.join(counted("housing", ("hospital_based",)))
    sums = stations.groupby("city_code")[["ambulances", "investment"]].sum().reindex(cities.index, fill_value=0)
    return frame.join(sums).reset_index(drop=True)
