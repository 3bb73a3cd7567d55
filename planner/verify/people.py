"""People in = people out: the demand points hold the census figures of every county, where the county is."""

import numpy as np
import shapely

from planner.verify.facts import SETTINGS


def check_people(ledger, facts, people):
    """Check the demand points against the census table, and ``people`` (in, out) against both."""
    demand = facts.demand
    sums = demand.groupby(["county_code", "setting"])["persons"].sum()
    for county in facts.counties:
        for setting in SETTINGS:
            found = int(sums.get((county["code"], setting), 0))
            if found != county[setting]:
                params = {"code": county["code"], "county": county["name"], "setting": setting}
                ledger.fail("people_county", **params, found=found, expected=county[setting])
    _points(ledger, facts, demand)
    for place, found in zip(("in", "out"), people or (), strict=False):
        if found != facts.persons:
            ledger.fail("people_total", place=place, found=found, expected=facts.persons)


def _points(ledger, facts, demand):
    for id in demand.index[demand.index.duplicated()]:
        ledger.fail("demand_twice", id=id)
    counted = demand["persons"].to_numpy()
    for id, found in zip(demand.index[counted <= 0], counted[counted <= 0], strict=True):
        ledger.fail("demand_persons", id=id, found=found)
    moved = np.flatnonzero((demand[["x", "y"]].to_numpy() != facts.demand_xy).any(axis=1))
    for row in moved:
        found, expected = demand[["x", "y"]].to_numpy()[row].tolist(), facts.demand_xy[row].tolist()
        ledger.fail("demand_metres", id=demand.index[row], found=found, expected=expected)
    polygons = facts.region.counties.geometry.reindex(demand["county_code"]).to_numpy()
    inside = shapely.intersects_xy(polygons, demand["lon"].to_numpy(), demand["lat"].to_numpy())
    for id, code in zip(demand.index[~inside], demand["county_code"][~inside], strict=True):
        ledger.fail("demand_outside", id=id, code=code)
    city = demand["county_code"].map({county["code"]: county["city_code"] for county in facts.counties})
    named = demand["city_code"].to_numpy(dtype=object)
    for row in np.flatnonzero(named != city.to_numpy(dtype=object)):
        ledger.fail("demand_city", id=demand.index[row], found=named[row], expected=city.iloc[row])
