"""The raw inputs as the checks need them: people, places and distances, worked out from degrees."""

import csv
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from scipy import sparse
from scipy.spatial import cKDTree

from geo.facilities import load_facilities
from geo.region import grown

DEGREES = "EPSG:4490"
ELLIPSOID = Geod(ellps="GRS80")
SETTINGS = ("urban", "rural")
FAR_METRES = 10**9
UNREACHED = np.iinfo(np.int64).max
BEARINGS = ("东", "东北", "北", "西北", "西", "西南", "南", "东南")  # counter-clockwise from the east


class Facts:
    """What is known without the plan.

    counties     list of dicts by code: code, name, city_code, persons, urban, rural as the scenario has them grow,
                 and census, the persons counted
    cities       list of dicts in the documents' order: code, name, persons, census, lon, lat, seat (county position)
    county, city position in these lists by code
    demand       DataFrame of demand points on their id; demand_xy their whole metres (n x 2), demand_persons, and the
                 positions demand_county, demand_city, demand_setting
    limit        metres within which each demand point is covered; ``preferred`` within which it rather should be
    seats        degrees of the county seats (m x 2), seat_xy their whole metres; open_seats where a station may stand
    people_of_points   persons of the demand points by county position
    facilities   list of dicts by id, as the scenario's facility table has them; empty without one
    """

    def __init__(self, scenario, region, standards, demand):
        self.scenario, self.region, self.standards, self.demand = scenario, region, standards, demand
        self.detour = float(scenario.detour_factor)
        self._to_metres = Transformer.from_crs(CRS(DEGREES), CRS(region.projection), always_xy=True)
        self._read_counties()
        self._read_cities()
        self.demand_xy = self.xy(demand["lon"], demand["lat"])
        self.demand_persons = demand["persons"].to_numpy(dtype=np.int64)
        setting = demand["setting"].to_numpy(dtype=object)
        self.demand_setting = positions(setting, {word: k for k, word in enumerate(SETTINGS)})
        self.demand_county = positions(demand["county_code"], self.county)
        self.demand_city = positions(demand["city_code"], self.city)
        urban = setting == "urban"
        self.limit = np.where(urban, metres_of(scenario.urban_km), metres_of(scenario.rural_km))
        self.preferred = np.where(urban, self.limit, metres_of(scenario.rural_preferred_km))
        self.facilities = read_facilities(scenario.facilities, region)
        self.people_of_points = np.bincount(
            self.demand_county, weights=self.demand_persons, minlength=len(self.counties)
        ).astype(np.int64)
        self.kept = {}  # what several parts work out from these facts alone
        self._places, self._ways = None, {}

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
        self.seat_xy = self.xy(self.seats[:, 0], self.seats[:, 1])
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
        """Return whole metres between points a and b (... x 2, broadcast), by the scenario's detour or another."""
        apart = (a - b).astype(float)
        detour = self.detour if detour is None else detour
        return np.floor(np.hypot(apart[..., 0], apart[..., 1]) * detour + 0.5).astype(np.int64)

    def nearest(self, points, sites, detour=None):
        """Return (metres, position) of each point's nearest site, the first of equally near ones.

        Without any site: (UNREACHED, -1).
        """
        if not len(sites):
            return np.full(len(points), UNREACHED), np.full(len(points), -1)
        count = min(4, len(sites))
        _, near = cKDTree(sites).query(points, k=count)
        near = np.asarray(near).reshape(len(points), count)
        metres = self.metres(points[:, None, :], sites[near], detour)
        best = metres.min(axis=1)
        position = np.where(metres == best[:, None], near, len(sites)).min(axis=1)
        # Where all of these are equally near, an earlier site may be as near: all sites are looked at.
        for row in np.flatnonzero((metres == best[:, None]).all(axis=1)) if count < len(sites) else ():
            position[row] = self.metres(points[row], sites, detour).argmin()
        return best, position

    def ways(self, frame):
        """Return (metres, position) of each demand point's nearest station of a table; worked out once a table."""
        sites = self.xy(frame["lon"].astype(float), frame["lat"].astype(float))
        key = sites.tobytes()
        if key not in self._ways:
            self._ways[key] = self.nearest(self.demand_xy, sites)
        return self._ways[key]

    def ways_now(self):
        """Return (metres, position) of each demand point's nearest open seat."""
        if "now" not in self._ways:
            self._ways["now"] = self.nearest(self.demand_xy, self.seat_xy[self.open_seats])
        return self._ways["now"]

    def people(self, mask, codes, known):
        """Return persons of the demand points in ``mask``, places x settings; ``codes`` are positions in ``known``."""
        counts = np.zeros((len(known), len(SETTINGS)), dtype=np.int64)
        np.add.at(counts, (codes[mask], self.demand_setting[mask]), self.demand_persons[mask])
        return counts

    def covers(self, sites):
        """Return a CSR array of 1, demand x sites: the site is within the demand point's standard."""
        rows, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for limit in np.unique(self.limit) if len(sites) else ():
            chosen = np.flatnonzero(self.limit == limit)
            near = cKDTree(sites).query_ball_point(self.demand_xy[chosen], (limit + 1) / self.detour)
            i = np.repeat(chosen, [len(found) for found in near])
            j = np.concatenate([np.asarray(found, dtype=np.int64) for found in near])
            within = self.metres(self.demand_xy[i], sites[j]) <= limit
            rows.append(i[within])
            columns.append(j[within])
        i, j = np.concatenate(rows), np.concatenate(columns)
        return sparse.csr_array((np.ones(len(i), dtype=np.int64), (i, j)), shape=(len(self.demand), len(sites)))

    def known_site(self, id):
        """Return what the inputs know of the place a candidate's id stands for: kind, name, county_code, lon, lat.

        ``S`` + county code is the county's seat, ``T`` + id a settlement or located township, ``C`` + id a demand
        point. None for any other id.
        """
        rest = id[1:]
        if id in self.places:
            return self.places[id]
        if id.startswith("C") and rest in self.demand.index:
            point = self.demand.loc[rest]
            name = self.seen_from_places(self.xy([point["lon"]], [point["lat"]]))[0]
            return {"kind": "cell", "name": name} | {key: point[key] for key in ("county_code", "lon", "lat")}
        return None

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
        xy = self.xy([place["lon"] for place in places], [place["lat"] for place in places])
        metres, position = self.nearest(points, xy, detour=1.0)
        return [places[at]["name"] for at in position], metres, points - xy[position]

    def seen_from_places(self, points):
        """Return how points are named: by their nearest known place, with bearing and whole kilometres."""
        said = []
        for name, metres, (east, north) in zip(*self.nearest_places(points), strict=True):
            km = (int(metres) + 500) // 1000
            bearing = BEARINGS[round(math.atan2(north, east) / math.pi * 4) % 8]
            said.append(f"{name}{bearing}约{km}公里" if km else name)
        return said


def positions(words, known):
    """Return the position of each word. Raises ValueError for one that the inputs do not know."""
    foreign = sorted(set(words) - set(known))
    if foreign:
        raise ValueError(f"demand points name {', '.join(map(repr, foreign))}, unknown to the region")
    return np.array([known[word] for word in words], dtype=np.int64)


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
