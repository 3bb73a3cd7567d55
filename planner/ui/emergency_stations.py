"""Lists of stations that a planner looks at and edits: where they come from, and what a click makes of them.

No Streamlit here. A list is a DataFrame on ``id`` (str, sorted) with the columns of :func:`geo.stations.load_stations`
and ``name_en`` ("" = the name is a planner's own); ``kind`` is "existing" (listed), "seat" (assumed) or "new".
"""

import csv
import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely

from geo.faults import ScenarioRejected
from geo.sites import known_places
from geo.stations import BORDER_METRES, COLUMNS, HEADINGS
from geo.travel import nearest
from planner.report.tables import clean_text, guarded
from planner.scenario import vary
from planner.services.station_problem import held_sites, named_sites

CANDIDATE_KM = 3  # a click farther from every candidate site means none of them
MOST_STATES = 60
SETTINGS = ("urban", "rural")
LONGEST_NAME = 80


class Refused(Exception):
    """A click that cannot be followed. ``key`` names the sentence below ``page_emergency.refused``."""

    def __init__(self, key, **params):
        super().__init__(key)
        self.key, self.params = key, params


@dataclass(frozen=True)
class Listing:
    """A list of stations to look at.

    kind     now | list | plan | edit; label: what it is called in sentences, "" = the seats, all of them assumed
    notes    :class:`geo.faults.Fault` of what a file leaves open; datum: as the planner stated it
    path     of the file it was read from, "" = none
    """

    kind: str
    label: str
    stations: pd.DataFrame
    notes: tuple = ()
    datum: str = ""
    path: str = ""

    def count(self, kind):
        return int(self.stations["kind"].eq(kind).sum())


@dataclass(frozen=True)
class State:
    """One state of the edited list. ``wishes``: the draft's (forced, forbidden) sites; ``deed``: what led here.

    deed  (its word, names of the stations); ("start", ()) at the beginning
    """

    stations: pd.DataFrame
    wishes: tuple
    deed: tuple = ("start", ())


@dataclass(frozen=True)
class History:
    """The states of an edited list, and which of them is shown. ``label``: of the list that it began with."""

    label: str
    states: tuple
    at: int = 0
    kind: str = "now"

    @property
    def now(self):
        return self.states[self.at]

    @property
    def start(self):
        return self.states[0]

    @property
    def before(self):
        """Return the state before the one shown; None at the beginning."""
        return self.states[self.at - 1] if self.at else None

    @property
    def undoable(self):
        return self.at > 0

    @property
    def redoable(self):
        return self.at < len(self.states) - 1

    def then(self, state):
        """Return the history with one more state; what was undone is gone, of many states the second goes first."""
        states = (*self.states[: self.at + 1], state)
        if len(states) > MOST_STATES:
            states = (states[0], *states[2:])
        return History(self.label, states, len(states) - 1, self.kind)

    def undone(self):
        return History(self.label, self.states, max(self.at - 1, 0), self.kind)

    def redone(self):
        return History(self.label, self.states, min(self.at + 1, len(self.states) - 1), self.kind)


def begun(listing, wishes):
    """Return the :class:`History` of a list that begins as ``listing``."""
    return History(listing.label, (State(listing.stations, wishes),), 0, listing.kind)


# -- where lists come from -------------------------------------------------------------------------------------------


def stations_now(sites, scenario):
    """Return the stations there are, as the model holds them: those listed, and seats (assumed) of the other counties.

    sites  of :func:`planner.services.station_problem.station_sites`
    """
    held = sites[held_sites(sites, scenario.closed_counties)]
    return _framed(held.assign(ambulances=np.nan))


def stations_planned(table, region, sites):
    """Return the stations of a plan's table "stations"; those not there today are of kind "new"."""
    frame = table.set_index("id")
    x, y = region.project(frame["lon"], frame["lat"])
    kind = frame["status"].map({"assumed": "seat", "listed": "existing"}).fillna("new")
    names = sites["name_en"].reindex(frame.index).fillna("")
    return _framed(frame.assign(x=x, y=y, kind=kind, name_en=names.where(kind.ne("existing"), "")))


def stations_listed(stations):
    """Return the stations that :func:`geo.stations.load_stations` read."""
    return _framed(stations.assign(name_en=""))


def _framed(frame):
    frame = frame[[*COLUMNS, "name_en"]].sort_index().rename_axis("id")
    own = frame["kind"].eq("existing")
    frame = frame.assign(ambulances=frame["ambulances"].astype(float), name_en=frame["name_en"].where(~own, ""))
    frame.attrs = {}
    return frame


def in_language(stations, lang):
    """Return a list with the names of places in the reader's language; a planner's own names stay."""
    if lang == "zh":
        return stations
    return stations.assign(name=stations["name_en"].where(stations["name_en"].ne(""), stations["name"]))


def digest(stations):
    """Return a text that is the same for lists whose stations stand at the same places under the same ids."""
    whole = hashlib.sha256()
    for row in zip(stations.index, stations["lon"], stations["lat"], stations["city_code"], strict=True):
        whole.update(repr(row).encode())
    return whole.hexdigest()


def as_csv(stations, *, safe=True):
    """Return a list as a CSV (bytes) that ``jinyi coverage --stations`` reads: UTF-8 with byte order mark.

    safe  texts that a spreadsheet could run are made harmless
    """
    columns = ("id", "name", "lon", "lat", "county_code", "ambulances")
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([HEADINGS[column] for column in columns])
    for id, row in stations.iterrows():
        vehicles = "" if pd.isna(row["ambulances"]) else f"{row['ambulances']:.0f}"
        texts = [clean_text(text) for text in (id, row["name"])]
        texts = [guarded(text) for text in texts] if safe else texts
        rows.writerow([*texts, f"{row['lon']:.6f}", f"{row['lat']:.6f}", row["county_code"], vehicles])
    return out.getvalue().encode("utf-8-sig")


# -- what a click does -----------------------------------------------------------------------------------------------


def added(stations, region, lon, lat, words, name=""):
    """Return (list with a station at lon, lat, its id). Raises :class:`Refused` outside the province, or on another.

    name  "" = after the nearest known place; one that is taken is numbered
    """
    lon, lat = round(float(lon), 6), round(float(lat), 6)
    county = county_at(region, lon, lat)
    if (stations["lon"].round(5).eq(round(lon, 5)) & stations["lat"].round(5).eq(round(lat, 5))).any():
        raise Refused("there_already")
    place, place_en = _place_at(region, lon, lat)
    given = clean_text(name).strip()[:LONGEST_NAME]
    taken = set(stations["name"])
    x, y = region.project([lon], [lat])
    row = {
        "name": unlike(given or words("page_emergency.new_name", place=place), taken),
        "county_code": county,
        "city_code": region.counties.at[county, "city_code"],
        "lon": lon,
        "lat": lat,
        "x": x[0],
        "y": y[0],
        "ambulances": np.nan,
        "kind": "new",
        "name_en": "",
    }
    if not given and words.lang != "zh":
        row["name"] = unlike(words("page_emergency.new_name", place=place_en), taken)
    id = _free_id(stations)
    return _with(stations, id, row), id


def unlike(name, taken):
    """Return ``name``, numbered from 2 where it is taken."""
    number, said = 1, name
    while said in taken:
        number += 1
        said = f"{name} {number}"
    return said


def moved(stations, region, id, lon, lat):
    """Return the list with one station elsewhere; it keeps id and name. Raises :class:`Refused`."""
    if id not in stations.index:
        raise Refused("unknown_station")
    lon, lat = round(float(lon), 6), round(float(lat), 6)
    county = county_at(region, lon, lat)
    x, y = region.project([lon], [lat])
    row = stations.loc[id].to_dict() | {"lon": lon, "lat": lat, "x": x[0], "y": y[0], "county_code": county}
    return _with(stations.drop(index=id), id, row | {"city_code": region.counties.at[county, "city_code"]})


def removed(stations, id):
    """Return the list without one station. Raises :class:`Refused`: a list without stations covers nobody."""
    if id not in stations.index:
        raise Refused("unknown_station")
    if len(stations) == 1:
        raise Refused("last_station")
    return stations.drop(index=id)


def with_site(stations, site):
    """Return the list with a candidate site (a row of the sites, its name the id) as a station, if it is not there."""
    if site.name in stations.index:
        return stations
    taken = stations["lon"].round(5).eq(round(site["lon"], 5)) & stations["lat"].round(5).eq(round(site["lat"], 5))
    if taken.any():
        return stations
    row = {column: site[column] for column in SITE} | {"ambulances": np.nan, "kind": "new"}
    return _with(stations, site.name, row)


SITE = ("name", "county_code", "city_code", "lon", "lat", "x", "y", "name_en")


def _with(stations, id, row):
    made = pd.DataFrame([row], index=pd.Index([id], name="id"))[list(stations.columns)]
    made = made.astype(stations.dtypes.to_dict())
    return pd.concat([stations, made]).sort_index()


def _free_id(stations):
    number = 1
    while f"N{number:03d}" in stations.index:
        number += 1
    return f"N{number:03d}"


def county_at(region, lon, lat):
    """Return the code of the county at a point, or of the nearest one where it lies on the border of the province.

    Raises :class:`Refused` for what is no point, or lies outside.
    """
    if not (np.isfinite([lon, lat]).all() and abs(lon) <= 180 and abs(lat) <= 90):
        raise Refused("no_point")
    shapes = region.counties.geometry
    inside = np.flatnonzero(shapes.intersects(shapely.Point(lon, lat)).to_numpy())
    if len(inside):
        return shapes.index[inside[0]]
    (x,), (y,) = region.project([lon], [lat])
    metres = shapes.to_crs(region.projection).distance(shapely.Point(x, y))
    if metres.min() > BORDER_METRES:
        raise Refused("outside")
    return metres.idxmin()


def _place_at(region, lon, lat):
    """Return (name, name_en) of the known place nearest to a point."""
    places = known_places(region)
    _, position = nearest(pd.DataFrame({"lon": [lon], "lat": [lat]}), places)
    return tuple(places[["name", "name_en"]].iloc[position[0]])


# -- wishes: sites that must, and that must not, be used -------------------------------------------------------------


def nearest_site(sites, lon, lat):
    """Return the row of the candidate site nearest to a point, of equally near ones a seat or town before a cell.

    Raises :class:`Refused` where none is near.
    """
    sites = sites.iloc[np.argsort(sites["kind"].eq("cell").to_numpy(), kind="stable")]
    metres, position = nearest(pd.DataFrame({"lon": [float(lon)], "lat": [float(lat)]}), sites)
    if metres[0] > CANDIDATE_KM * 1000:
        site = sites.iloc[position[0]]
        raise Refused("no_site", site=site["name"], km=f"{metres[0] / 1000:.1f}", most=CANDIDATE_KM)
    return sites.iloc[position[0]]


def wish(sites, scenario, site, word):
    """Return (forced, forbidden) names with one site more in ``word`` ("forced" | "forbidden"), out of the other.

    Raises :class:`Refused` for a site that the model cannot take so.
    """
    both = {
        each: [name for name in getattr(scenario, f"{each}_sites") if _id_of(sites, name) != site.name]
        for each in WISHES
    }
    both[word].append(_name_of(sites, site))
    if held_sites(sites, ())[sites.index.get_loc(site.name)]:
        raise Refused(f"held_{word}", site=site["name"])
    if word == "forced" and site["county_code"] in scenario.closed_counties:
        raise Refused("closed", site=site["name"])
    wishes = tuple(tuple(both[each]) for each in WISHES)
    try:
        named_sites(sites, vary(scenario, forced_sites=wishes[0], forbidden_sites=wishes[1]))
    except ScenarioRejected as rejected:
        raise Refused("unfit", site=site["name"]) from rejected
    return wishes


WISHES = ("forced", "forbidden")


def unwished(scenario, name):
    """Return (forced, forbidden) without ``name``."""
    return tuple(tuple(n for n in getattr(scenario, f"{each}_sites") if n != name) for each in WISHES)


def wished_ids(sites, scenario):
    """Return ({id: name} forced, {id: name} forbidden) of the sites that a scenario names; what is none is left out."""
    found = []
    for each in WISHES:
        names = getattr(scenario, f"{each}_sites")
        found.append({id: name for name in names if (id := _id_of(sites, name))})
    return tuple(found)


def _id_of(sites, name):
    """Return the id of the one site that ``name`` names, as ``named_sites`` of the model does; "" for none."""
    if name in sites.index:
        return name
    at = sites[sites["name"].eq(name) | sites["name_en"].eq(name)]
    if len(at) > 1 and at["kind"].ne("cell").sum() == 1:
        at = at[at["kind"].ne("cell")]
    return at.index[0] if len(at) == 1 else ""


def _name_of(sites, site):
    """Return a site's name where it names this site alone, else its id."""
    return site["name"] if _id_of(sites, site["name"]) == site.name else site.name


# -- what an edit did ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gain:
    """People covered by a second check and not by a first (``gained``), and the other way round (``lost``).

    Each {"urban": persons, "rural": persons}.
    """

    gained: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)

    def net(self, setting=None):
        return sum(self.gained[s] - self.lost[s] for s in ([setting] if setting else SETTINGS))


def gain(points, was, now):
    """Return the :class:`Gain` between two checks of the same people.

    points    with persons and setting, one row a demand point; was, now: n booleans, whether each is covered
    """
    persons, urban = points["persons"].to_numpy(), points["setting"].eq("urban").to_numpy()
    parts = {"urban": urban, "rural": ~urban}

    def people(which):
        return {setting: int(persons[which & of].sum()) for setting, of in parts.items()}

    return Gain(people(now & ~was), people(was & ~now))
