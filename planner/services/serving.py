"""Which station serves whom, and who is covered: what a list of stations says of people, with nothing decided."""

import numpy as np
import pandas as pd

from geo.travel import UNREACHED, is_covered


def station_table(sites, ids, demand, ways, *, held=(), by_city=False):
    """Return (stations, amount, position): the table of ``ids`` with the persons nearest to each, each point's way.

    ``stations`` is on id, sorted; ``position`` points into it (-1: no way); of equally near stations the smallest id
    serves. ``held``: ids that are not new; by_city: a city's people have its own stations alone.
    """
    stations = sites.loc[sorted(ids)].copy()
    amount, position = _served(demand, stations, ways, by_city)
    known = position >= 0
    persons = np.bincount(position[known], weights=demand["persons"].to_numpy()[known], minlength=len(stations))
    stations["persons"] = persons.astype(np.int64)
    assumed = np.where(stations["kind"].eq("existing"), "listed", "assumed")
    stations["status"] = np.where(stations.index.isin(held), assumed, "new")
    return stations, amount, position


def _served(demand, stations, ways, by_city):
    """Return (amount, position in ``stations``) of the station that serves each demand point."""
    if not by_city:
        return ways.nearest(demand, stations)
    amount, position = np.full(len(demand), UNREACHED), np.full(len(demand), -1)
    for city, here in demand.groupby("city_code").indices.items():
        own = np.flatnonzero(stations["city_code"].eq(city))
        if len(own):
            amount[here], at = ways.nearest(demand.iloc[here], stations.iloc[own])
            position[here] = np.where(at >= 0, own[at], -1)
    return amount, position


def coverage(demand, amount, standard, amount_now, preferred):
    """Return each demand point's persons, and of them the covered, uncovered, covered_now and preferred (all or none).

    DataFrame on the rows of ``demand`` with county_code, city_code and setting; sums over it are what the tables print.
    """
    persons = demand["persons"].to_numpy()
    return pd.DataFrame(
        {
            "county_code": demand["county_code"].to_numpy(),
            "city_code": demand["city_code"].to_numpy(),
            "setting": demand["setting"].to_numpy(),
            "persons": persons,
            "covered": np.where(is_covered(amount, standard), persons, 0),
            "uncovered": np.where(is_covered(amount, standard), 0, persons),
            "unreachable": np.where(amount == UNREACHED, persons, 0),
            "covered_now": np.where(is_covered(amount_now, standard), persons, 0),
            "preferred": np.where(is_covered(amount, preferred), persons, 0),
        }
    )
