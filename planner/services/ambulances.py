"""Ambulances: how many a city needs, and at which of its stations they stand, one at each at least.

A city's stations serve the city's own people. Three rules place the vehicles: most people expected to find a free one
within the standard (MEXCLP), most people twice within the preferred standard (DSM), or in proportion to the people
nearest to each station.
"""

import heapq
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import sparse

from geo.faults import Named
from planner.engine.found import SAME, Clock
from planner.models.double_standard import double_standard
from planner.models.mexclp import hold_together, mexclp
from planner.models.vehicle_allocation import claim, vehicle_allocation
from planner.rounding import ceiling, half_up, shared_out
from planner.services.proof import Proof
from planner.solve import INTERIM, OPTIMAL, TOLERANCE, WITHIN_GAP, SolverFault, solve

RULES = ("mexclp", "double_standard", "persons")
UNITS = {"mexclp": "expected", "double_standard": "double", "persons": "claims"}
WORST_FIRST = (INTERIM, WITHIN_GAP, OPTIMAL)
CUT = 1e-10  # of all people: what a chain of the model may leave out at most; it is added to the bound


@dataclass(frozen=True)
class Note:
    """What a planner must know about a fleet; ``key`` names a sentence of the words' section ``ambulance``."""

    key: str
    params: dict = field(default_factory=dict)

    def tell(self, words):
        """Return the sentence in the language of ``words``."""
        params = {name: getattr(value, words.lang, value) for name, value in self.params.items()}
        return words(f"ambulance.{self.key}", **params)

    def as_dict(self):
        """Return the note as plain values, as :func:`note_from` reads it."""
        return {"key": self.key, "params": {name: _plain(value) for name, value in self.params.items()}}


def note_from(plain):
    """Return the :class:`Note` of what ``as_dict`` gave."""
    params = {name: Named(**value) if isinstance(value, dict) else value for name, value in plain["params"].items()}
    return Note(plain["key"], params)


def _plain(value):
    return {"zh": value.zh, "en": value.en} if isinstance(value, Named) else value


@dataclass(frozen=True)
class AmbulancePlan:
    """``vehicles``: Series of whole numbers on station id; ``tables`` by name; ``notes``: :class:`Note` in order."""

    vehicles: pd.Series
    proofs: dict
    tables: dict
    notes: tuple = ()


@dataclass(frozen=True)
class Fleet:
    """Vehicles of one city: ``counts`` a station, and how good they are known to be, as :class:`Proof` has it."""

    counts: np.ndarray
    status: str
    objective: float
    bound: float | None
    seconds: float


@dataclass(frozen=True)
class City:
    """What one city asks.

    standard, preferred  CSR of booleans, demand rows x stations (ordered by id): within the standard, the preferred one
    persons              a demand row;  served: a station, of the rows nearest to it
    vehicles             at least; a city with more stations gets one a station
    together             (positions, least) pairs: stations that hold so many vehicles between them
    """

    standard: sparse.csr_array
    preferred: sparse.csr_array
    persons: np.ndarray
    served: np.ndarray
    vehicles: int
    together: tuple = ()

    @property
    def fleet(self):
        """Return the vehicles to place: enough for every station and every group."""
        alone = np.ones(len(self.served), dtype=np.int64)
        for positions, _ in self.together:
            alone[positions] = 0
        return max(self.vehicles, len(self.served), int(alone.sum()) + sum(least for _, least in self.together))


# -- how many


def required_by_city(region, scenario):
    """Return vehicles by city code: persons / persons per vehicle, rounded up, never for the province as a whole."""
    persons = region.counties.groupby("city_code")["persons"].sum()
    return {k: ceiling(Fraction(int(persons[k]), scenario.persons_per_ambulance)) for k in region.cities.index}


def uplift_by_county(region, scenario):
    """Return {county code: vehicles beyond its people's share}: the share times the county's per cent, rounded up."""
    persons = region.counties["persons"]
    return {
        code: ceiling(Fraction(int(persons[code]), scenario.persons_per_ambulance) * _exact(percent) / 100)
        for code, percent in sorted(scenario.ambulance_uplift.items())
        if code in persons.index
    }


def fleet_by_city(region, scenario):
    """Return floor, uplift and required (their sum): whole vehicles, DataFrame on city code."""
    floor = pd.Series(required_by_city(region, scenario), dtype="int64").reindex(region.cities.index)
    uplift = pd.Series(0, index=region.cities.index, dtype="int64")
    for county, more in uplift_by_county(region, scenario).items():
        uplift[region.counties.at[county, "city_code"]] += more
    return pd.DataFrame({"floor": floor, "uplift": uplift, "required": floor + uplift})


def _county_minima(region, scenario, at):
    """Return [(positions in ``at``, least vehicles)]: a remote county's share, rounded down, and its extra ones.

    They stand in the county that they are meant for, not wherever in the city they cover most people.
    """
    minima = []
    for county, more in uplift_by_county(region, scenario).items():
        positions = np.flatnonzero(at["county_code"].to_numpy() == county)
        if len(positions):
            share = int(region.counties.at[county, "persons"]) // scenario.persons_per_ambulance
            minima.append((positions, max(share + more, len(positions))))
    return minima


def _exact(number):
    return number if isinstance(number, Fraction) else Fraction(str(number))


# -- where


def plan_ambulances(region, demand, stations, scenario, ways, limits, *, progress=None, cancel=None):
    """Return the :class:`AmbulancePlan` of a scenario. The order of rows changes nothing.

    stations  DataFrame on id: name, city_code, county_code, persons (of the demand points nearest to it), x, y
    ways      :class:`geo.ways.Ways`
    limits    (standard, preferred): whole amounts, one a demand point, as ``Ways.limits`` gives them
    progress  called as progress(seconds, gap or None, best or None)
    cancel    has ``is_set()``; the best fleets so far come back
    """
    stations = stations.sort_index()
    clock = Clock(scenario.solve_seconds, progress, cancel)
    limits = (limits[0], np.minimum(*limits))  # who is near enough for the preferred standard is for the standard
    standard, preferred = (_own_city(ways.arcs_within(demand, stations, limit), demand, stations) for limit in limits)
    fleets, notes = [], []
    vehicles = pd.Series(0, index=stations.index, dtype="int64")
    required = fleet_by_city(region, scenario)["required"]
    for code in region.cities.index:
        name = _named(region.cities, code)
        here = np.flatnonzero(stations["city_code"].to_numpy() == code)
        if not len(here):
            notes.append(Note("no_station", {"city": name}))
            continue
        rows = np.flatnonzero(demand["city_code"].to_numpy() == code)
        city = City(
            standard=standard[rows][:, here],
            preferred=preferred[rows][:, here],
            persons=demand["persons"].to_numpy(dtype=np.int64)[rows],
            served=stations["persons"].to_numpy(dtype=np.int64)[here],
            vehicles=int(required[code]),
            together=tuple(_county_minima(region, scenario, stations.iloc[here])),
        )
        fleet, said = _city_fleet(city, scenario, clock)
        fleets.append(fleet)
        vehicles.iloc[here] = fleet.counts
        notes += [Note(key, {"city": name} | params) for key, params in said]
    tables = _tables(region, demand, stations, vehicles, scenario, standard, preferred)
    return AmbulancePlan(vehicles, {"ambulances": _proof(fleets, UNITS[scenario.ambulance_rule])}, tables, tuple(notes))


def _own_city(arcs, demand, stations):
    """Return 1 (CSR, demand x stations) for each arc between people and a station of their city."""
    row, column = sparse.coo_array(arcs).coords
    same = demand["city_code"].to_numpy()[row] == stations["city_code"].to_numpy()[column]
    return sparse.csr_array((np.ones(same.sum(), np.int32), (row[same], column[same])), shape=arcs.shape)


def _city_fleet(city, scenario, clock):
    """Return (Fleet, [(sentence, params)]) of one city by the scenario's rule."""
    if scenario.ambulance_rule == "persons":
        return in_proportion(city.served, city.fleet, city.together, clock), []
    busy = float(scenario.ambulance_busy)
    if scenario.ambulance_rule == "double_standard":
        return twice_covered(city, _exact(scenario.double_share), busy, clock)
    fleet = most_expected(
        city.standard, city.persons, city.fleet, busy, together=city.together, served=city.served, clock=clock
    )
    return fleet, []


def _proof(fleets, unit):
    """Return the cities' proofs as one: what is planned, and what is possible, is the sum of theirs."""
    status = min((fleet.status for fleet in fleets), key=WORST_FIRST.index, default=OPTIMAL)
    objective = float(sum(fleet.objective for fleet in fleets))
    known = all(fleet.bound is not None for fleet in fleets)
    bound = float(sum(fleet.bound for fleet in fleets)) if known else None
    gap = None if bound is None else (0.0 if status == OPTIMAL else abs(bound - objective) / max(abs(objective), 1.0))
    return Proof("ambulances", status, unit, objective, bound, gap, sum(fleet.seconds for fleet in fleets))


# -- most people expected to find a free vehicle


def most_expected(cover, persons, vehicles, busy, *, at_least=None, together=(), served=None, clock=None):
    """Return the :class:`Fleet` with the most people expected to find a free vehicle within the standard (MEXCLP).

    cover     sparse, demand rows x stations, true within the standard;  persons  a row
    vehicles  to place;  busy  the share of time in which one is busy;  at_least  a station (None: one each)
    together  (positions, least) pairs;  served  persons nearest to each station
    Of equally good fleets the one in proportion to ``served`` is taken, then the earlier station's.
    """
    clock = Clock(60.0) if clock is None else clock
    stations = cover.shape[1]
    least = np.ones(stations, dtype=np.int64) if at_least is None else np.asarray(at_least, dtype=np.int64)
    served = np.zeros(stations, dtype=np.int64) if served is None else np.asarray(served, dtype=np.int64)
    rows, people = _merged_rows(cover, persons)
    split = _Split(rows, people, float(busy), least, tuple(together), served)
    counts = split.bettered(split.greedy(vehicles))
    kinds, members = _same_stations(rows, together)
    merged = sparse.csr_array(rows[:, [each[0] for each in members]].astype(np.int32))
    lows = [int(least[each].sum()) for each in members]
    groups = [(np.unique(kinds[list(positions)]), at) for positions, at in together]
    longest = _chain_lengths(merged, people, busy, lows, vehicles)
    model, _ = mexclp(merged, people, vehicles, busy, lows, together=groups, longest=longest)
    start = _mexclp_start(merged, lows, longest, [int(counts[each].sum()) for each in members])
    solution = solve(model, seconds=max(clock.left(), 0.05), start=start, progress=_ticker(clock), cancel=clock.cancel)
    by_kind = [round(solution.values[f"x{g:06d}"]) for g in range(len(members))]
    for each, held in zip(members, by_kind, strict=True):
        counts[each] = _handed_out(served[each], held, least[each])
    counts = split.settled(split.bettered(counts))
    objective = split.worth(counts)
    bound = solution.bound
    if bound is not None:
        bases = merged @ np.array(lows, dtype=np.int64)
        left = float((people * busy ** (bases + longest))[longest < vehicles - sum(lows)].sum())
        bound = max(objective, solution.bound + left)
    if solution.status == OPTIMAL:
        if abs(objective - solution.objective) > TOLERANCE * max(abs(objective), 1.0):
            raise SolverFault(f"vehicles worth {objective} by hand are worth {solution.objective} in the model")
        bound = objective
    return Fleet(counts, solution.status, objective, bound, solution.seconds)


def expected(cover, persons, counts, busy):
    """Return sum_i a_i (1 - q^k_i): persons who find a free vehicle of ``counts`` (a station) within the standard."""
    return float((np.asarray(persons) * (1.0 - float(busy) ** (cover @ np.asarray(counts)))).sum())


def _merged_rows(cover, persons):
    """Return (booleans, rows x stations; persons): rows with the same stations are one, those with none are left out.

    Rows come in the order of their stations, so that the order of demand changes nothing.
    """
    dense = cover.toarray().astype(bool)
    some = dense.any(axis=1)
    patterns, row = np.unique(np.packbits(dense[some], axis=1), axis=0, return_inverse=True)
    people = np.bincount(row.ravel(), weights=np.asarray(persons)[some], minlength=len(patterns))
    return np.unpackbits(patterns, axis=1, count=dense.shape[1]).astype(bool), people.astype(np.int64)


def _same_stations(rows, together):
    """Return (kind of each station, members of each kind): stations that cover the same rows, in the same groups."""
    marks = np.zeros((len(together), rows.shape[1]), dtype=bool)
    for g, (positions, _) in enumerate(together):
        marks[g, positions] = True
    known, kinds, members = {}, np.zeros(rows.shape[1], dtype=np.int64), []
    for s in range(rows.shape[1]):
        key = (rows[:, s].tobytes(), marks[:, s].tobytes())
        kinds[s] = known.setdefault(key, len(known))
        if kinds[s] == len(members):
            members.append([])
        members[kinds[s]].append(s)
    return kinds, members


def _chain_lengths(cover, people, busy, lows, vehicles):
    """Return how many vehicles beyond the least each row's chain holds: what is cut off is next to nothing."""
    bases = cover @ np.array(lows, dtype=np.int64)
    spare = vehicles - sum(lows)
    allowed = CUT * max(float(people.sum()), 1.0) / max(len(people), 1)
    worth = people * busy**bases
    with np.errstate(divide="ignore"):
        steps = (
            np.ceil(np.log(allowed / np.maximum(worth, 1e-300)) / np.log(busy)) if busy > 0 else np.ones(len(people))
        )
    return np.clip(steps, 0, spare).astype(np.int64)


def _mexclp_start(cover, lows, longest, counts):
    """Return a known fleet as values of the model's variables."""
    start = {f"x{g:06d}": count for g, count in enumerate(counts)}
    bases, held = cover @ np.array(lows, dtype=np.int64), cover @ np.array(counts, dtype=np.int64)
    for i, (base, most) in enumerate(zip(bases, np.minimum(held, bases + longest), strict=True)):
        start |= {f"y{i:06d}_{k:05d}": 1 for k in range(base + 1, most + 1)}
    return start


def _ticker(clock):
    if clock.progress is None:
        return None
    return lambda seconds, gap, best: clock.progress(clock.spent(), gap, best)


@dataclass(frozen=True)
class _Split:
    """One city's vehicles by hand: handed out one by one, moved while it helps, and equal fleets put in order.

    rows      booleans, rows x stations;  persons  a row;  busy  q
    least     vehicles a station holds at least;  together  (positions, least) pairs;  served  persons a station
    """

    rows: np.ndarray
    persons: np.ndarray
    busy: float
    least: np.ndarray
    together: tuple
    served: np.ndarray

    def worth(self, counts):
        """Return the persons expected to find a free vehicle."""
        return float((self.persons * (1.0 - self.busy ** (self.rows @ counts))).sum())

    def gains(self, counts):
        """Return what one more vehicle at each station would add."""
        return ((self.persons * (1.0 - self.busy) * self.busy ** (self.rows @ counts)) @ self.rows).astype(float)

    def greedy(self, vehicles):
        """Hand out vehicle after vehicle to where it adds most; the groups come first, while they have too few."""
        counts = self.least.copy()
        for positions, least in self.together:
            while counts[positions].sum() < least:
                counts[positions[self._first(self.gains(counts)[positions], counts[positions], positions)]] += 1
        for _ in range(vehicles - int(counts.sum())):
            counts[self._first(self.gains(counts), counts, np.arange(len(counts)))] += 1
        return counts

    def _first(self, gains, counts, positions):
        """Return which of ``positions`` gains most; of equals the one with the highest claim, then the first."""
        claims = [claim(self.served[s], c + 1, s, len(self.least)) for s, c in zip(positions, counts, strict=True)]
        best = gains >= gains.max() - self._same
        return int(np.where(best, claims, -1.0).argmax())

    def bettered(self, counts):
        """Move vehicles one by one, the best move first, until none adds to what is expected."""
        counts = counts.copy()
        while True:
            moves = self._moves(counts)
            best = np.unravel_index(moves.argmax(), moves.shape)
            if moves[best] <= self._same:
                return counts
            counts[best[0]] -= 1
            counts[best[1]] += 1

    def settled(self, counts):
        """Move vehicles between equally good places to where more people wait for one, then to the earlier station."""
        counts, stations = counts.copy(), len(counts)
        while True:
            held = np.array([claim(self.served[s], max(counts[s], 1), s, stations) for s in range(stations)])
            next_one = np.array([claim(self.served[s], counts[s] + 1, s, stations) for s in range(stations)])
            gain = np.where(np.abs(self._moves(counts)) <= self._same, next_one[None, :] - held[:, None], 0.0)
            best = np.unravel_index(gain.argmax(), gain.shape)
            if gain[best] <= 0:
                return counts
            counts[best[0]] -= 1
            counts[best[1]] += 1

    @property
    def _same(self):
        return SAME * max(float(self.persons.sum()), 1.0)

    def _moves(self, counts):
        """Return what each move from a station (row) to another (column) adds; minus infinity where it is barred."""
        stations = len(counts)
        moves = np.full((stations, stations), -np.inf)
        held = self.rows @ counts
        for s in np.flatnonzero(counts > self.least):
            after = held - self.rows[:, s]
            back = self.persons * (1.0 - self.busy) * self.busy**after
            moves[s] = back @ self.rows - back @ self.rows[:, s]
        np.fill_diagonal(moves, -np.inf)
        for positions, least in self.together:
            if counts[positions].sum() <= least:
                outside = np.setdiff1d(np.arange(stations), positions)
                moves[np.ix_(positions, outside)] = -np.inf
        return moves


# -- most people within reach of two vehicles


def twice_covered(city, share, busy, clock):
    """Return (Fleet, sentences): most people within the preferred standard of two vehicles (DSM).

    Every station has a vehicle, so that who is within the two standards at all is decided with the stations: where the
    double standard cannot be met, that is said, and the most people twice are planned among those who can be reached.
    Vehicles that bring nobody a second one stand where most people are expected to find a free one.
    """
    reached = np.diff(city.standard.indptr) > 0
    near = np.diff(city.preferred.indptr) > 0
    persons, people = city.persons, int(city.persons.sum())
    said = []
    lost, close = int(persons[~reached].sum()), int(persons[near].sum())
    if lost:
        said.append(("double_far", {"persons": f"{lost:,}", "percent": _percent(lost, people)}))
    if close < share * people:
        shares = {"percent": _percent(close, people), "asked": f"{float(share) * 100:g}%"}
        said.append(("double_share", {"persons": f"{close:,}"} | shares))
    kept = np.flatnonzero(reached)
    first = _second_vehicles(city, kept, Fraction(0) if said else share, clock)
    single = np.diff(city.preferred.indptr) == 1
    only = np.unique(city.preferred[np.flatnonzero(single & (persons > 0))].indices)
    least = np.where(np.isin(np.arange(len(first.counts)), only) & (first.counts >= 2), 2, 1)
    rest = most_expected(
        *(city.standard, persons, city.fleet, busy),
        at_least=least,
        together=city.together,
        served=city.served,
        clock=clock,
    )
    objective = float(persons[city.preferred @ rest.counts >= 2].sum())
    bound = None if first.bound is None else max(first.bound, objective)
    return Fleet(rest.counts, first.status, objective, bound, first.seconds + rest.seconds), said


def _second_vehicles(city, kept, share, clock):
    """Return the :class:`Fleet` of the double standard model over the demand rows ``kept``, all of them within far."""
    both = sparse.hstack([city.standard[kept], city.preferred[kept]], format="csr")
    rows, people = _merged_rows(both, city.persons[kept])
    stations = len(city.served)
    far, near = (sparse.csr_array(part.astype(np.int32)) for part in (rows[:, :stations], rows[:, stations:]))
    model, _, y = double_standard(near, far, people, city.fleet, share, city.fleet)
    hold_together(model, y, [*(([s], 1) for s in range(stations)), *city.together])
    split = _Split(*(near.toarray() > 0, people, 0.5, np.ones(stations, np.int64), city.together, city.served))
    counts = split.greedy(city.fleet)
    held = near @ counts
    start = {f"x{s:06d}": 1 for s in range(stations)} | {f"y{s:06d}": int(c) for s, c in enumerate(counts)}
    start |= {f"u{i:06d}": int(k >= 1) for i, k in enumerate(held)} | {
        f"v{i:06d}": int(k >= 2) for i, k in enumerate(held)
    }
    solution = solve(model, seconds=max(clock.left(), 0.05), start=start, progress=_ticker(clock), cancel=clock.cancel)
    counts = np.array([round(solution.values[f"y{s:06d}"]) for s in range(stations)])
    return Fleet(counts, solution.status, solution.objective, solution.bound, solution.seconds)


def _percent(part, whole):
    return f"{100 * part / max(whole, 1):.1f}%"


# -- in proportion to the people served


def in_proportion(served, fleet, together=(), clock=None):
    """Return the :class:`Fleet` shared by the persons nearest to each station; too short to ask for a cancel."""
    known = _handed_out(served, fleet, np.ones(len(served), dtype=np.int64), together)
    spare = 2
    while True:
        most = [int(count) + spare for count in known]
        start = {f"y{s:06d}_{k:04d}": 1 for s, count in enumerate(known) for k in range(1, count + 1)}
        solution = solve(vehicle_allocation(served, fleet, most, together), start=start)
        count = [sum(solution.values[f"y{s:06d}_{k:04d}"] for k in range(1, most[s] + 1)) for s in range(len(served))]
        if all(c < m for c, m in zip(count, most, strict=True)):
            bound = solution.objective if solution.status == OPTIMAL else solution.bound
            return Fleet(np.array(count), solution.status, solution.objective, bound, solution.seconds)
        spare *= 2


def _handed_out(served, fleet, least, together=()):
    """Give out vehicle after vehicle to the highest claim: the divisor method by hand, groups first."""
    n = len(served)
    count = np.array(least, dtype=np.int64)

    def give(positions, more):
        claims = [(-claim(served[s], count[s] + 1, s, n), s) for s in positions]
        heapq.heapify(claims)
        for _ in range(more):
            _, s = heapq.heappop(claims)
            count[s] += 1
            heapq.heappush(claims, (-claim(served[s], count[s] + 1, s, n), s))

    for positions, at in together:
        give(positions, at - int(count[positions].sum()))
    give(range(n), fleet - int(count.sum()))
    return count


# -- what comes of it


def _tables(region, demand, stations, vehicles, scenario, standard, preferred):
    """Return the tables by city and by station."""
    persons = demand["persons"].to_numpy(dtype=np.int64)
    busy, counts = float(scenario.ambulance_busy), vehicles.to_numpy()
    held = standard @ counts
    available = persons * (1.0 - busy**held)
    gains = _rounded(standard.T @ (persons * (1.0 - busy) * busy**held))
    twice = np.where(preferred @ counts >= 2, persons, 0)
    share = _exact(scenario.negative_pressure_share)
    fleet = fleet_by_city(region, scenario)
    people = region.counties.groupby("city_code")["persons"].sum()
    city_of = stations["city_code"].to_numpy()
    pressure = np.zeros(len(stations), dtype=np.int64)
    rows = []
    for code in region.cities.index:
        here, living = np.flatnonzero(city_of == code), demand["city_code"].to_numpy() == code
        plan, of = int(counts[here].sum()), int(people[code])
        special = ceiling(share * plan)
        if len(here):
            pressure[here] = shared_out(special, counts[here])
        best = here[gains[here].argmax()] if len(here) else None
        likely, double = float(available[living].sum()), int(twice[living].sum())
        rows.append(
            {
                "code": code,
                "name": region.cities.at[code, "name"],
                "persons": of,
                "stations": len(here),
                **fleet.loc[code].to_dict(),
                "plan": plan,
                "negative_pressure": special,
                "persons_per_vehicle": half_up(Fraction(of, plan)) if plan else None,
                "expected": int(_rounded(likely)),
                "expected_share": 100 * likely / of if of else None,
                "double": double,
                "double_share": 100 * double / of if of else None,
                "next_station": "" if best is None else stations.index[best],
                "next_gain": 0 if best is None else int(gains[best]),
            }
        )
    served = stations["persons"].to_numpy(dtype=np.int64)
    by_station = {
        "id": stations.index,
        "name": stations["name"].to_numpy(),
        "city_code": city_of,
        "county_code": stations["county_code"].to_numpy(),
        "ambulances": counts,
        "negative_pressure": pressure,
        "persons": served,
        "persons_per_vehicle": [half_up(Fraction(int(a), int(v))) for a, v in zip(served, counts, strict=True)],
        "gain_of_one_more": gains,
    }
    return {"ambulances_by_city": pd.DataFrame(rows), "ambulances_by_station": pd.DataFrame(by_station)}


def _rounded(values):
    """Return whole persons, halves up."""
    return np.floor(np.asarray(values) + 0.5).astype(np.int64)


def _named(frame, code):
    return Named(frame.at[code, "name"], frame.at[code, "name_en"])
