"""Emergency calls against a plan, one by one: when an ambulance gets there, who has to wait, how busy vehicles are.

Calls come as a Poisson process whose rate follows the hour of the day; each is at a demand point, by its people. The
nearest free vehicle of the pool (the city) drives; where none is free the call waits, first come, first served. A
vehicle is busy from its call to its return to the station: turnout, drive, scene, hospital, the drive back.

Chance has one stream a city and purpose, and each call has its own times whoever serves it: two plans of one seed meet
the same calls. Confidence intervals are those of batch means. Times are seconds inside, minutes in the tables.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd
import simpy
from scipy import sparse, stats

from geo.travel import is_covered

DAY = 86_400
YEAR_DAYS = 365
STEP = 6 * 3_600  # seconds of the simulated world between two looks at progress and cancel
FARTHEST = {"metres": 600_000, "seconds": 12 * 3_600}  # farther than any vehicle of a city drives to its people
FAR = np.iinfo(np.int32).max  # seconds to where no way leads
ROWS_AT_ONCE = 16_384
BATCHES, LEVEL = 20, 0.95
EVERY_HOUR_ALIKE = (1.0,) * 24
BY_DAY_TWICE_AS_MANY = (1.0,) * 7 + (2.0,) * 15 + (1.0,) * 2  # assumed: from 7 to 22 h twice as many as at night
SPREADS = ("lognormal", "exponential", "fixed")
SETTINGS = ("urban", "rural")
ALL = "all"


@dataclass(frozen=True)
class Calls:
    """How often people call: ``per_1000`` persons and year of 365 days; ``hours``: 24 weights of the hours of a day."""

    per_1000: float = 20.0
    hours: tuple = BY_DAY_TWICE_AS_MANY

    def __post_init__(self):
        if not self.per_1000 > 0 or len(self.hours) != 24 or min(self.hours) < 0 or not sum(self.hours) > 0:
            raise ValueError(f"calls {self.per_1000} per 1,000 and year, hours {self.hours}: give a rate, 24 weights")


@dataclass(frozen=True)
class Service:
    """What a call takes besides driving.

    turnout_seconds   from the call (or the end of its wait) until the vehicle leaves
    scene_minutes     mean time with the patient
    hospital_minutes  mean time of the drive to a hospital and the handover
    spread            of the two times: lognormal with ``variation`` (standard deviation / mean) | exponential | fixed
    returns           the vehicle drives back as long as it came before it is free again
    """

    turnout_seconds: float = 120.0
    scene_minutes: float = 15.0
    hospital_minutes: float = 20.0
    spread: str = "lognormal"
    variation: float = 0.5
    returns: bool = True

    def __post_init__(self):
        times = (self.turnout_seconds, self.scene_minutes, self.hospital_minutes)
        if min(times) < 0 or self.spread not in SPREADS or not self.variation > 0:
            raise ValueError(f"service {times}, {self.spread}, {self.variation}: times >= 0, one of {SPREADS}")

    def drawn(self, minutes, count, chance):
        """Return ``count`` times in seconds with a mean of ``minutes``."""
        mean = 60.0 * minutes
        if self.spread == "fixed" or mean == 0:
            return np.full(count, mean)
        if self.spread == "exponential":
            return chance.exponential(mean, count)
        sigma2 = math.log1p(self.variation**2)
        return chance.lognormal(math.log(mean) - sigma2 / 2, math.sqrt(sigma2), count)


@dataclass(frozen=True)
class Speeds:
    """Km in an hour by the setting of the people driven to; needed where ways count metres and not time."""

    urban: float = 30.0
    rural: float = 40.0


@dataclass(frozen=True)
class Simulated:
    """What came of the calls after the warm-up.

    calls     DataFrame, a row a call in order of arrival: pool, demand (id), county_code, city_code, setting,
              station (id, "" when nobody could come), arrival, wait, response (seconds; NaN when nobody could come),
              covered (answered at once, from within the standard), in_time (arrived within the minutes asked)
    tables    response_by_setting, response_by_city, response_by_county, simulated_stations
    days      days counted; fewer than asked where ``stopped`` by a cancel
    figures   calls, queued, longest_wait (minutes), unserved, busy (share of vehicle time)
    """

    calls: pd.DataFrame
    tables: dict
    days: float
    stopped: bool
    figures: dict


def simulate(
    stations,
    demand,
    ways,
    standard,
    *,
    calls=None,
    service=None,
    speeds=None,
    minutes=(10.0, 30.0),
    days=30.0,
    warm_up=1.0,
    seed=1,
    pooled="city",
    busy=None,
    progress=None,
    cancel=None,
):
    """Return the :class:`Simulated` calls of a fleet. The order of rows changes nothing; the seed decides.

    stations  DataFrame on id: name, city_code, county_code, ambulances (whole), x, y (lon, lat)
    demand    DataFrame on id: county_code, city_code, setting, persons, x, y (lon, lat)
    ways      :class:`geo.ways.Ways`; metres become seconds by ``speeds``
    standard  whole amounts (metres or seconds), one a demand point: who is served from within it is covered
    minutes   (urban, rural): from call to arrival, for the share in time
    days      counted, after ``warm_up`` days that are simulated and not counted
    pooled    "city": a city's vehicles serve the city's people; "all": every vehicle everybody
    busy      None: vehicles drive and queue. A number q: no time passes, each vehicle is busy with probability q,
              independently, whenever somebody calls - what MEXCLP supposes
    progress  called as progress(share done);  cancel  has ``is_set()``: the time simulated so far is what counts
    """
    calls, service, speeds = calls or Calls(), service or Service(), speeds or Speeds()
    if not days > 0 or not warm_up >= 0 or pooled not in ("city", "all"):
        raise ValueError(f"days {days}, warm_up {warm_up}, pooled {pooled!r}: days > 0, warm_up >= 0, city or all")
    order = np.argsort(demand.index.to_numpy(), kind="stable")
    demand, standard = demand.iloc[order], np.asarray(standard, dtype=np.int64)[order]
    stations = stations.sort_index()
    horizon = (warm_up + days) * DAY
    pools = [
        _Pool(code, demand.iloc[rows], standard[rows], stations.iloc[here], ways, speeds, calls, service, horizon, seed)
        for code, rows, here in _pools(demand, stations, pooled)
    ]
    if busy is None:
        reached = _run(pools, horizon, progress, cancel)
    else:
        reached = horizon
        for pool in pools:
            pool.answer_at_once(float(busy))
    if reached <= warm_up * DAY:
        return Simulated(pd.DataFrame(), {}, 0.0, True, {})
    window = (warm_up * DAY, min(reached, horizon))
    told = pd.concat([pool.told(window, minutes) for pool in pools])
    told = told.sort_values(["arrival", "demand"], ignore_index=True, kind="stable")
    spent = pd.Series(0.0, index=stations.index)
    held, busy_of = np.zeros(len(demand)), np.zeros(len(demand))
    near = ways.arcs_within(demand, stations, standard)
    for pool, (_, rows, here) in zip(pools, _pools(demand, stations, pooled), strict=True):
        fleet_seconds = pool.vehicles.sum() * (window[1] - window[0])
        spent.iloc[here] = pool.busy_seconds(window) if busy is None else busy * pool.vehicles * (window[1] - window[0])
        busy_of[rows] = spent.iloc[here].sum() / fleet_seconds if fleet_seconds else 0.0
        close = sparse.csr_array(near[rows][:, here])
        close.data = np.ones(len(close.data), dtype=np.int64)  # also where the way is 0
        held[rows] = close @ pool.vehicles
    tables = _tables(told, demand, stations, spent.to_numpy(), busy_of, held, window)
    fleet_seconds = float(stations["ambulances"].sum()) * (window[1] - window[0])
    figures = {
        "calls": len(told),
        "queued": int(told["wait"].gt(0).sum()),
        "longest_wait": float(told["wait"].max()) / 60 if told["wait"].notna().any() else 0.0,
        "unserved": int(told["wait"].isna().sum()),
        "busy": float(spent.sum()) / fleet_seconds if fleet_seconds else 0.0,
    }
    return Simulated(told, tables, (window[1] - window[0]) / DAY, reached < horizon, figures)


def _pools(demand, stations, pooled):
    """Yield (code, demand positions, station positions) of each pool with people, by code."""
    if pooled == "all":
        yield ALL, np.arange(len(demand)), np.arange(len(stations))
        return
    of_people, of_stations = demand["city_code"].to_numpy(), stations["city_code"].to_numpy()
    for code in np.unique(of_people.astype(str)):
        yield str(code), np.flatnonzero(of_people == code), np.flatnonzero(of_stations == code)


def travel_seconds(amounts, demand, ways, speeds):
    """Return driving seconds (rounded up) of whole ``amounts``; ``demand`` are the people driven to, row by row."""
    if ways.unit == "seconds":
        return np.asarray(amounts, dtype=np.int64)
    km_h = np.where(demand["setting"].eq("urban"), speeds.urban, speeds.rural)
    return np.ceil(np.asarray(amounts) * 3.6 / km_h - 1e-9).astype(np.int64)


class _Pool:
    """Vehicles that serve the same people, and the calls of these people, drawn in advance."""

    def __init__(self, code, demand, standard, stations, ways, speeds, calls, service, horizon, seed):
        self.code, self.demand, self.standard, self.stations = code, demand, standard, stations
        self.service, self.vehicles = service, stations["ambulances"].to_numpy(dtype=np.int64)
        self.free, self.queue, self.closed = self.vehicles.copy(), deque(), horizon
        streams = np.random.SeedSequence([int(seed), *code.encode()]).spawn(5)
        when, where, scene, hospital, self._luck = (np.random.default_rng(each) for each in streams)
        persons = demand["persons"].to_numpy(dtype=np.int64)
        self.arrival = _arrivals(persons.sum() / 1000 * calls.per_1000, calls.hours, horizon, when)
        count = len(self.arrival)
        upto = persons.cumsum()
        self.place = np.searchsorted(upto, where.integers(0, max(int(upto[-1]), 1), count), side="right")
        self.care = service.drawn(service.scene_minutes, count, scene) + service.drawn(
            service.hospital_minutes, count, hospital
        )
        self.asked, self.row = np.unique(self.place, return_inverse=True)
        self.seconds, self.within = self._reach(ways, speeds)
        self.served = (self.seconds[:, self.vehicles > 0] < FAR).any(axis=1)[self.row]  # some vehicle has a way there
        self.station = np.full(count, -1, dtype=np.int64)
        self.wait = np.full(count, np.nan)
        self.done = np.zeros(count)  # when the vehicle is free again

    def _reach(self, ways, speeds):
        """Return driving seconds, and whether within the standard: demand rows asked x stations."""
        size = (len(self.asked), len(self.stations))
        seconds, within = np.full(size, FAR, dtype=np.int32), np.zeros(size, dtype=bool)
        for first in range(0, size[0] if size[1] else 0, ROWS_AT_ONCE):
            rows = self.asked[first : first + ROWS_AT_ONCE]
            some = self.demand.iloc[rows]
            arcs = sparse.coo_array(ways.arcs_within(some, self.stations, FARTHEST[ways.unit]))
            i, j = arcs.coords
            seconds[first + i, j] = travel_seconds(arcs.data, some.iloc[i], ways, speeds)
            within[first + i, j] = is_covered(arcs.data, self.standard[rows[i]])
        return seconds, within

    def nearest_free(self, n):
        """Return the station of the nearest free vehicle for call ``n``, the earlier id of equals; None = none free."""
        if not len(self.free):
            return None
        ways = np.where(self.free > 0, self.seconds[self.row[n]], FAR)
        station = int(ways.argmin())
        return station if ways[station] < FAR else None

    def release(self, station):
        """Take back a vehicle, or send it at once to the first call in the queue that it has a way to."""
        for place, (n, wake) in enumerate(self.queue):
            if self.seconds[self.row[n], station] < FAR:
                del self.queue[place]
                wake.succeed(station)
                return
        self.free[station] += 1

    def send(self, n, station, now):
        """Send a vehicle of ``station`` to call ``n`` and return the seconds that it is busy."""
        self.station[n], self.wait[n] = station, now - self.arrival[n]
        drive = float(self.seconds[self.row[n], station])
        busy = self.service.turnout_seconds + drive + self.care[n] + (drive if self.service.returns else 0.0)
        self.done[n] = now + busy
        return busy

    def answer_at_once(self, q):
        """Answer every call with the vehicles that chance leaves free: each is busy with probability ``q``."""
        for n, when in enumerate(self.arrival):
            self.free = self._luck.binomial(self.vehicles, 1.0 - q)
            station = self.nearest_free(n)
            if station is not None:
                self.send(n, station, when)

    def told(self, window, minutes):
        """Return the rows of ``Simulated.calls`` of the calls that came within ``window``."""
        some = np.flatnonzero((self.arrival >= window[0]) & (self.arrival < window[1]))
        people = self.demand.iloc[self.place[some]]
        served = self.station[some] >= 0
        station = np.full(len(some), "", dtype=object)
        station[served] = self.stations.index.to_numpy()[self.station[some][served]]
        drive = np.full(len(some), np.nan)
        drive[served] = self.seconds[self.row[some[served]], self.station[some[served]]]
        covered = np.zeros(len(some), dtype=bool)
        covered[served] = self.within[self.row[some[served]], self.station[some[served]]]
        response = self.wait[some] + self.service.turnout_seconds + drive
        asked = 60.0 * np.where(people["setting"].eq("urban"), *minutes)
        return pd.DataFrame(
            {
                "pool": self.code,
                "demand": people.index.to_numpy(),
                "county_code": people["county_code"].to_numpy(),
                "city_code": people["city_code"].to_numpy(),
                "setting": people["setting"].to_numpy(),
                "station": station,
                "arrival": self.arrival[some],
                "wait": self.wait[some],
                "response": response,
                "covered": covered & (self.wait[some] == 0),
                "in_time": served & (response <= asked),
            }
        )

    def busy_seconds(self, window):
        """Return the seconds within ``window`` that each station's vehicles were busy, together."""
        served = self.station >= 0
        start = self.arrival[served] + self.wait[served]
        spent = np.clip(np.minimum(self.done[served], window[1]) - np.maximum(start, window[0]), 0.0, None)
        return np.bincount(self.station[served], weights=spent, minlength=len(self.stations))


def _arrivals(per_year, hours, horizon, chance):
    """Return the seconds at which calls come, sorted: Poisson, the rate constant within each hour of the day."""
    weights = np.asarray(hours, dtype=float)
    number = math.ceil(horizon / 3_600)
    rate = per_year / YEAR_DAYS * weights / weights.sum()
    count = chance.poisson(np.resize(rate, number))
    when = 3_600.0 * (np.repeat(np.arange(number), count) + chance.random(int(count.sum())))
    when.sort()
    return when[when < horizon]


# -- the world


def _run(pools, horizon, progress, cancel):
    """Let time pass until every call is served; return the seconds for which calls were let in."""
    world = simpy.Environment()
    for pool in pools:
        world.process(_callers(world, pool))
    reached = 0.0
    while reached < horizon and not (cancel is not None and cancel.is_set()):
        reached = min(reached + STEP, horizon)
        world.run(until=reached)
        if progress is not None:
            progress(reached / horizon)
    for pool in pools:
        pool.closed = reached
    world.run()  # nobody calls any more: those who wait are served
    return reached


def _callers(world, pool):
    for n, when in enumerate(pool.arrival):
        yield world.timeout(max(when - world.now, 0.0))
        if when >= pool.closed:
            return
        if pool.served[n]:
            world.process(_call(world, pool, n))


def _call(world, pool, n):
    """One call: a vehicle, perhaps after a wait; it is busy until it is back."""
    station = pool.nearest_free(n)
    if station is None:
        wake = world.event()
        pool.queue.append((n, wake))
        station = yield wake
        yield world.timeout(pool.send(n, station, world.now))
    else:
        pool.free[station] -= 1
        yield world.timeout(pool.send(n, station, pool.arrival[n]))
    pool.release(station)


# -- what comes of it


def batch_means(values, batches=BATCHES, level=LEVEL):
    """Return (mean, low, high) of a sequence in order of time; the limits are NaN where it is too short.

    Means of equally many neighbours are nearly independent where single values are not: Student's t over them (Law,
    Kelton 2000, Simulation Modeling and Analysis, section 9.5). The values that fill no batch are the first ones.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 * batches:
        return (float(values.mean()) if len(values) else math.nan), math.nan, math.nan
    each = values[len(values) % batches :].reshape(batches, -1).mean(axis=1)
    half = stats.t.ppf((1 + level) / 2, batches - 1) * each.std(ddof=1) / math.sqrt(batches)
    middle = float(values.mean())
    return middle, middle - half, middle + half


def share_of(events, batches=BATCHES, level=LEVEL):
    """Return (share, low, high) of yes-or-no events in order of time.

    Where they are all the same, batches tell nothing: then the exact limit of Clopper and Pearson (1934) is given.
    """
    events = np.asarray(events, dtype=bool)
    middle, low, high = batch_means(events, batches, level)
    if math.isnan(low):
        return middle, low, high
    outside = ((1 - level) / 2) ** (1 / len(events))
    if events.all():
        return 1.0, outside, 1.0
    if not events.any():
        return 0.0, 0.0, 1.0 - outside
    return middle, max(low, 0.0), min(high, 1.0)


def erlang_c(offered, servers):
    """Return the probability that a call waits in M/M/c; ``offered`` = rate x mean service, below ``servers``.

    Erlang 1917; by the recursion of Erlang B, which does not overflow.
    """
    if not 0 <= offered < servers:
        raise ValueError(f"offered load {offered} for {servers} servers: at least 0 and below the servers")
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return servers * blocked / (servers - offered * (1.0 - blocked))


RESPONSE = (
    *("calls", "mean_minutes", "mean_low", "mean_high", "median_minutes", "p90_minutes"),
    *("covered_share", "covered_low", "covered_high", "expected_share"),
    *("in_time_share", "in_time_low", "in_time_high", "queued", "unserved"),
)


def _response(told):
    """Return the columns ``RESPONSE`` of some calls; what rests on no call is NaN, and so is expected_share as yet."""
    times = told["response"].dropna().to_numpy() / 60
    mean, mean_low, mean_high = batch_means(times)
    median, p90 = np.quantile(times, [0.5, 0.9], method="inverted_cdf") if len(times) else (math.nan, math.nan)
    figures = [len(told), mean, mean_low, mean_high, median, p90, *share_of(told["covered"]), math.nan]
    figures += [*share_of(told["in_time"]), int(told["wait"].gt(0).sum()), int(told["wait"].isna().sum())]
    return dict(zip(RESPONSE, figures, strict=True))


def _tables(told, demand, stations, busy_seconds, busy_of_pool, held, window):
    """Return the tables; ``held``: vehicles of its pool within the standard of each demand point."""
    expected = demand["persons"].to_numpy() * (1.0 - busy_of_pool**held)
    people = demand[["county_code", "city_code", "setting", "persons"]].assign(expected=expected)

    def rows(column, codes):
        for code in codes:
            here, living = (
                (told, people) if column is None else (told[told[column].eq(code)], people[people[column].eq(code)])
            )
            for setting in (*SETTINGS, ALL):
                some, those = here, living
                if setting != ALL:
                    some, those = here[here["setting"].eq(setting)], living[living["setting"].eq(setting)]
                count = int(those["persons"].sum())
                share = float(those["expected"].sum()) / count if count else math.nan
                yield (
                    ({} if column is None else {"code": code})
                    | {"setting": setting}
                    | _response(some)
                    | {"expected_share": share}
                )

    window_seconds = window[1] - window[0]
    vehicles = stations["ambulances"].to_numpy(dtype=np.int64)
    return {
        "response_by_setting": pd.DataFrame(rows(None, [None])),
        "response_by_city": pd.DataFrame(rows("city_code", np.unique(people["city_code"].astype(str)))),
        "response_by_county": pd.DataFrame(rows("county_code", np.unique(people["county_code"].astype(str)))),
        "simulated_stations": pd.DataFrame(
            {
                "id": stations.index,
                "name": stations["name"].to_numpy(),
                "city_code": stations["city_code"].to_numpy(),
                "county_code": stations["county_code"].to_numpy(),
                "ambulances": vehicles,
                "calls": told["station"].value_counts().reindex(stations.index, fill_value=0).to_numpy(),
                "busy_share": busy_seconds / np.maximum(vehicles * window_seconds, 1.0),
            }
        ),
    }
