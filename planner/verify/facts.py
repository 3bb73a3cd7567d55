"""The raw inputs as the checks need them: people, places and distances, worked out from degrees."""

import csv
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Geod, Transformer
from scipy import sparse
from scipy.spatial import cKDTree

from geo.facilities import load_facilities
from geo.region import grown
from geo.stations import load_stations
from planner.verify.roads import UNREACHED, Roads

DEGREES = "EPSG:4490"
ELLIPSOID = Geod(ellps="GRS80")
SETTINGS = ("urban", "rural")
FAR_METRES = 10**9
ROUNDING = 1e-6  # metres that the arithmetic of a way may be off
OFF_SHARE, OFF_METRES = 0.002, 5.0  # more than distances in the projection can be off; they only choose what to measure
PLACE_COLUMNS = ["id", "kind", "name", "county_code", "lon", "lat"]
BEARINGS = ("东", "东北", "北", "西北", "西", "西南", "南", "东南")  # counter-clockwise from the east


class Facts:
    """What is known without the plan.

    counties     list of dicts by code: code, name, city_code, persons, urban, rural as the scenario has them grow,
                 and census, the persons counted
    cities       list of dicts in the documents' order: code, name, persons, census, lon, lat, seat (county position)
    county, city position in these lists by code
    demand       DataFrame of demand points on their id; demand_at their degrees, demand_xy their whole metres (n x 2),
                 demand_persons, and the positions demand_county, demand_city, demand_setting
    limit        metres (seconds, where ways are minutes; ``per_unit`` of them a km or a minute) within which each
                 demand point is covered; ``preferred`` within which it rather should be
    roads        :class:`planner.verify.roads.Roads`; None for straight lines
    listed       {id: place} of the scenario's list of stations; assumed_seats: open seats of counties that list none
    seats        degrees of the county seats (m x 2); open_seats where a station may stand
    people_of_points   persons of the demand points by county position
    facilities   list of dicts by id, as the scenario's facility table has them; empty without one
    """

    def __init__(self, scenario, region, standards, demand):
        self.scenario, self.region, self.standards, self.demand = scenario, region, standards, demand
        self.detour = float(scenario.detour_factor)
        self._to_metres = Transformer.from_crs(CRS(DEGREES), CRS(region.projection), always_xy=True)
        self._read_counties()
        self._read_cities()
        self.demand_at = degrees_of(demand)
        self.demand_xy = self.xy(*self.demand_at.T)
        self.demand_persons = demand["persons"].to_numpy(dtype=np.int64)
        setting = demand["setting"].to_numpy(dtype=object)
        self.demand_setting = positions(setting, {word: k for k, word in enumerate(SETTINGS)})
        self.demand_county = positions(demand["county_code"], self.county)
        self.demand_city = positions(demand["city_code"], self.city)
        urban = setting == "urban"
        unit, self.per_unit = ("minutes", 60) if scenario.travel_measure == "minutes" else ("km", 1000)
        urban_limit, rural_limit, better = (
            amount_of(getattr(scenario, f"{name}_{unit}"), self.per_unit)
            for name in ("urban", "rural", "rural_preferred")
        )
        self.limit = np.where(urban, urban_limit, rural_limit)
        self.preferred = np.where(urban, urban_limit, min(better, rural_limit))
        straight = scenario.travel_measure == "straight"
        self.roads = None if straight else Roads(scenario, region.projection, self.demand_xy)
        self.listed = read_stations(scenario.existing_stations, region)
        listed = {place["county_code"] for place in self.listed.values()} - set(scenario.closed_counties)
        self.assumed_seats = [i for i in self.open_seats if self.counties[i]["code"] not in listed]
        self.facilities = read_facilities(scenario.facilities, region)
        self.people_of_points = np.bincount(
            self.demand_county, weights=self.demand_persons, minlength=len(self.counties)
        ).astype(np.int64)
        self.kept = {}  # what several parts work out from these facts; what comes from a plan stands beside its plan
        self._places, self._ways, self._near = None, {}, {}

    def _read_counties(self):
        table, census = self.region.counties.sort_index(), census_of(self.region)
        self.counties = []
        for code, name, city in zip(table.index, table["name"], table["city_code"], strict=True):
            growth = 1 + Fraction(self.scenario.population_growth.get(city, 0)) / 100
            urban, rural = (half_up(count * growth) for count in census[code])
            county = {"code": code, "name": name, "city_code": city, "persons": urban + rural}
            self.counties.append(county | {"urban": urban, "rural": rural, "census": sum(census[code])})
        self.county = {county["code"]: position for position, county in enumerate(self.counties)}
        self.persons = sum(county["persons"] for county in self.counties)
        self.county_persons = np.array([county["persons"] for county in self.counties], dtype=np.int64)
        self.seats = table[["seat_lon", "seat_lat"]].to_numpy(dtype=float)
        closed = set(self.scenario.closed_counties)
        self.open_seats = [position for position, county in enumerate(self.counties) if county["code"] not in closed]

    def _read_cities(self):
        persons, census = Counter(), Counter()
        for county in self.counties:
            persons[county["city_code"]] += county["persons"]
            census[county["city_code"]] += county["census"]
        table = self.region.cities.sort_values("document_order")
        self.cities = []
        for code, name, seat in zip(table.index, table["name"], table["seat_county_code"], strict=True):
            lon, lat = self.seats[self.county[seat]]
            city = {"code": code, "name": name, "persons": persons[code], "census": census[code]}
            self.cities.append(city | {"lon": lon, "lat": lat, "seat": self.county[seat]})
        self.city = {city["code"]: position for position, city in enumerate(self.cities)}

    def counties_of(self, city_code):
        """Return the positions of a city's counties, by code."""
        return [position for position, county in enumerate(self.counties) if county["city_code"] == city_code]

    def xy(self, lon, lat):
        """Return whole metres (n x 2) for degrees; a point the projection does not reach is far from everything."""
        x, y = self._to_metres.transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        xy = np.column_stack([x, y])
        return np.rint(np.where(np.isfinite(xy), xy, FAR_METRES)).astype(np.int64)

    def in_degrees(self, shapes):
        """Return geometries in degrees for geometries in metres."""
        return shapely.transform(
            shapes, lambda xy: np.column_stack(self._to_metres.transform(*xy.T, direction="INVERSE"))
        )

    def metres(self, a, b, detour=None):
        """Return whole metres, rounded up, between degrees a and b (... x 2, broadcast), by the scenario's detour."""
        (from_lon, to_lon), (from_lat, to_lat) = (np.broadcast_arrays(a[..., k], b[..., k]) for k in (0, 1))
        away = np.asarray(ELLIPSOID.inv(from_lon, from_lat, to_lon, to_lat)[2])
        return np.ceil(away * (self.detour if detour is None else detour) - ROUNDING).astype(np.int64)

    def within(self, points, sites, limit):
        """Return (i, j, metres) of the pairs of degrees that are within ``limit`` whole metres."""
        reach = limit / self.detour * (1 + OFF_SHARE) + OFF_METRES
        if not len(points) or not len(sites):
            return (np.zeros(0, dtype=np.int64),) * 3
        trees = (cKDTree(self.xy(*each.T)) for each in (points, sites))
        near = next(trees).sparse_distance_matrix(next(trees), reach, output_type="ndarray")
        i, j = near["i"].astype(np.int64), near["j"].astype(np.int64)
        order = np.lexsort((j, i))
        i, j = i[order], j[order]
        metres = self.metres(points[i], sites[j])
        kept = metres <= limit
        return i[kept], j[kept], metres[kept]

    def nearest(self, points, sites, detour=None):
        """Return (metres, position) of the site nearest to each point in degrees, the first of equally near ones.

        Without any site: (UNREACHED, -1).
        """
        if not len(sites):
            return np.full(len(points), UNREACHED), np.full(len(points), -1)
        count = min(4, len(sites))
        away, near = cKDTree(self.xy(*sites.T)).query(self.xy(*points.T), k=count)
        away, near = (np.asarray(each).reshape(len(points), count) for each in (away, near))
        # Only who is hardly farther in the projection than the first may be as near.
        close = away <= away[:, :1] * (1 + OFF_SHARE) + OFF_METRES
        row, which = np.nonzero(close)
        metres = np.full(away.shape, UNREACHED)
        metres[row, which] = self.metres(points[row], sites[near[row, which]], detour)
        best = metres.min(axis=1)
        position = np.where(metres == best[:, None], near, len(sites)).min(axis=1)
        # Where the last of these is such a one, there may be more: all are looked at.
        for row in np.flatnonzero(close[:, -1]) if count < len(sites) else ():
            every = self.metres(points[row], sites, detour)
            best[row], position[row] = every.min(), every.argmin()
        return best, position

    def ways(self, frame, straight=False):
        """Return (amount, position) of each demand point's nearest station of a table; worked out once a table.

        ``straight``: along straight lines, whatever the scenario's ways are.
        """
        sites = degrees_of(frame)
        key = (sites.tobytes(), straight)
        if key not in self._ways:
            codes = frame["city_code"].map(lambda code: self.city.get(code, -1)).to_numpy(dtype=int)
            self._ways[key] = self._served(sites, codes, straight)
        return self._ways[key]

    def ways_now(self, straight=False):
        """Return (amount, position) as :meth:`ways` for the stations there are: listed ones and assumed seats."""
        return self.ways(self.held, straight)

    @property
    def held(self):
        """The stations there are: DataFrame id, county_code, city_code, lon, lat, sorted by id."""
        if "held" not in self.kept:
            seats = ["S" + self.counties[i]["code"] for i in self.assumed_seats]
            places = {id: self.known_site(id) for id in seats}
            closed = self.scenario.closed_counties
            places |= {id: place for id, place in self.listed.items() if place["county_code"] not in closed}
            frame = pd.DataFrame([{"id": id} | places[id] for id in sorted(places)], columns=PLACE_COLUMNS)
            frame["city_code"] = [self.counties[self.county[code]]["city_code"] for code in frame["county_code"]]
            self.kept["held"] = frame
        return self.kept["held"]

    @property
    def held_ids(self):
        """Ids of the stations there are, a set."""
        if "held_ids" not in self.kept:
            self.kept["held_ids"] = set(self.held["id"])
        return self.kept["held_ids"]

    def _served(self, sites, cities, straight):
        if not self.scenario.stations_by_city:
            return self._nearest_of(sites, straight)
        amount, position = np.full(len(self.demand), UNREACHED), np.full(len(self.demand), -1)
        for city in range(len(self.cities)):
            own, here = np.flatnonzero(cities == city), self.demand_city == city
            if len(own):
                far, at = self._nearest_of(sites[own], straight)
                amount[here], position[here] = far[here], np.where(at[here] >= 0, own[at[here]], -1)
        return amount, position

    def _nearest_of(self, sites, straight):
        if self.roads is None or straight:
            return self.nearest(self.demand_at, sites)
        if not len(sites):
            return np.full(len(self.demand), UNREACHED), np.full(len(self.demand), -1)
        return self.roads.nearest(self.xy(*sites.T))

    def people(self, mask, codes, known):
        """Return persons of the demand points in ``mask``, places x settings; ``codes`` are positions in ``known``."""
        counts = np.zeros((len(known), len(SETTINGS)), dtype=np.int64)
        np.add.at(counts, (codes[mask], self.demand_setting[mask]), self.demand_persons[mask])
        return counts

    def covers(self, sites, limits=None):
        """Return a CSR array of 1, demand x sites (degrees): the site is within ``limits``, at most their standard."""
        limits = self.limit if limits is None else np.minimum(limits, self.limit)
        if self.roads is not None:
            return self.roads.covers(self.xy(*sites.T), limits)
        i, j, metres = self._pairs(sites)
        kept = metres <= limits[i]
        i, j = i[kept], j[kept]
        return sparse.csr_array((np.ones(len(i), dtype=np.int64), (i, j)), shape=(len(self.demand), len(sites)))

    def _pairs(self, sites):
        """Return (demand point, site, metres) of the pairs within their standard; worked out once for each sites."""
        key = sites.tobytes()
        if key not in self._near:
            found = [(np.zeros(0, dtype=np.int64),) * 3]
            for limit in np.unique(self.limit):
                chosen = np.flatnonzero(self.limit == limit)
                i, j, metres = self.within(self.demand_at[chosen], sites, limit)
                found.append((chosen[i], j, metres))
            self._near[key] = tuple(np.concatenate(each) for each in zip(*found, strict=True))
        return self._near[key]

    def known_site(self, id):
        """Return what the inputs know of the place a candidate's id stands for: kind, name, county_code, lon, lat.

        ``S`` + county code is the county's seat, ``T`` + id a settlement or located township, ``C`` + id a demand
        point. None for any other id.
        """
        return self.known_sites([id])[0]

    def known_sites(self, ids):
        """Return for each id what :meth:`known_site` says of it; demand points are named together."""
        known = self.kept.setdefault("sites", {})
        if "points" not in self.kept:
            points = np.asarray(self.demand.index, dtype=object)
            self.kept["points"] = {"C" + id: row for row, id in enumerate(points)}
        new = {id: self.kept["points"][id] for id in ids if id in self.kept["points"] and id not in known}
        if new:
            rows = list(new.values())
            points = self.demand[["county_code", "lon", "lat"]].iloc[rows].to_dict("records")
            for id, name, point in zip(new, self.seen_from_places(self.demand_at[rows]), points, strict=True):
                known[id] = {"kind": "cell", "name": name} | point
        return [self.listed.get(id) or self.places.get(id) or known.get(id) for id in ids]

    @property
    def places(self):
        """Seats and located towns by candidate id, in its order."""
        if self._places is None:
            found = {}
            for county, (lon, lat) in zip(self.counties, self.seats, strict=True):
                place = {"kind": "seat", "name": county["name"], "county_code": county["code"], "lon": lon, "lat": lat}
                found["S" + county["code"]] = place
            townships = self.region.townships.drop(self.region.townships.index[self._twice_known()])
            for table in (townships, self.region.settlements):
                located = table[table["lon"].notna() & table["lat"].notna() & table["name"].ne("")]
                for id, place in zip(located.index, located.to_dict("records"), strict=True):
                    keep = {key: place[key] for key in ("name", "county_code", "lon", "lat")}
                    found["T" + id] = {"kind": "town"} | keep
            self._places = dict(sorted(found.items()))
        return self._places

    def _twice_known(self):
        """Return which townships are also settlements, under the settlement's id."""
        if "geonames_id" not in self.region.townships:
            return np.zeros(len(self.region.townships), dtype=bool)
        return self.region.townships["geonames_id"].isin(self.region.settlements.index).to_numpy()

    def nearest_places(self, points):
        """Return (names, metres, east and north) of the known place nearest to each point, in a straight line.

        ``east and north`` (n x 2, whole metres) say where the point is, seen from its place.
        """
        places = list(self.places.values())
        at = np.array([[place["lon"], place["lat"]] for place in places], dtype=float).reshape(-1, 2)
        metres, position = self.nearest(points, at, detour=1.0)
        return [places[k]["name"] for k in position], metres, self.xy(*points.T) - self.xy(*at[position].T)

    def seen_from_places(self, points):
        """Return how points are named: by their nearest known place, with bearing and whole kilometres."""
        said = []
        for name, metres, (east, north) in zip(*self.nearest_places(points), strict=True):
            km = (int(metres) + 500) // 1000
            bearing = BEARINGS[round(math.atan2(north, east) / math.pi * 4) % 8]
            said.append(f"{name}{bearing}约{km}公里" if km else name)
        return said


def degrees_of(frame):
    """Return lon, lat of a table (n x 2); what is no place on earth is far from everything, at the pole."""
    degrees = frame[["lon", "lat"]].to_numpy(dtype=float)
    known = np.isfinite(degrees).all(axis=1) & (np.abs(degrees) <= (180, 90)).all(axis=1)
    return np.where(known[:, None], degrees, (0.0, -90.0))


def positions(words, known):
    """Return the position of each word. Raises ValueError for one that the inputs do not know."""
    codes, found = pd.factorize(np.asarray(words, dtype=object), use_na_sentinel=False)
    foreign = sorted(set(found) - set(known))
    if foreign:
        raise ValueError(f"demand points name {', '.join(map(repr, foreign))}, unknown to the region")
    return np.array([known[word] for word in found], dtype=np.int64)[codes]


def census_of(region):
    """Return (urban, rural) persons of the census by county code, from the region's own file.

    A grown :class:`geo.region.Region` no longer has them. Where there is no file, its table is taken as it is.
    """
    path = Path(region.folder) / "counties.csv"
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            return {row["code"]: (int(row["urban"]), int(row["rural"])) for row in csv.DictReader(file)}
    table = region.counties
    return {code: (int(u), int(r)) for code, u, r in zip(table.index, table["urban"], table["rural"], strict=True)}


def as_grown(region, growth):
    """Return ``region`` with its people grown by per cent a city; as it is where they have grown already."""
    table = region.counties
    return grown(region, growth) if growth and table["persons"].equals(table["census_persons"]) else region


def read_facilities(path, region):
    """Return the rows of a facility table as dicts by id, what was not measured as None; none for the path "".

    Raises :class:`geo.faults.Rejected` and OSError for a table that cannot be read.
    """
    if not path:
        return []
    table = load_facilities(path, region).sort_index().reset_index(names="id")
    measured = table.astype(object).where(table.notna(), None)
    return [row | {"beds": int(row["beds"])} for row in measured.to_dict("records")]


def read_stations(path, region):
    """Return {"E" + id: kind, name, county_code, lon, lat} of a list of stations; {} for the path "".

    Raises :class:`geo.faults.Rejected` for a list that cannot be read.
    """
    if not path:
        return {}
    table = load_stations(path, region)
    columns = ["name", "county_code", "lon", "lat"]
    return {f"E{id}": {"kind": "existing"} | place for id, place in table[columns].to_dict("index").items()}


def amount_of(figure, per_unit):
    """Return whole metres (seconds) of a standard in km (minutes), exact in its decimals."""
    return math.floor(Fraction(str(figure)) * per_unit)


def metres_of(km):
    """Return whole metres of a standard in kilometres, exact in its decimals."""
    return math.floor(Fraction(str(km)) * 1000)


def half_up(number):
    """Return the nearest whole number to an exact number, halves upwards."""
    return math.floor(Fraction(number) + Fraction(1, 2))


def largest_remainder(total, parts):
    """Return whole shares of ``total`` in proportion to whole ``parts``, by largest remainder; ties to the first.

    Parts that are all 0 are equal parts.
    """
    parts = parts if any(parts) else [1] * len(parts)
    whole = sum(parts)
    shares = [total * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(total * parts[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
