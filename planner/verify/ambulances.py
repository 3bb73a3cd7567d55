"""Ambulances, worked out anew: how many each city needs, whom they may reach, and what moving one would change."""

from fractions import Fraction

import numpy as np

from planner.verify.facts import degrees_of, half_up, largest_remainder


class Fleet:
    """The vehicles of a plan and whom they reach; a city's stations serve its own people.

    within, near  CSR arrays of 1, demand x stations: own city's stations within the standard, the preferred standard
    counts        vehicles a station; ``held``, ``close``: vehicles within these of each demand point
    """

    def __init__(self, facts, frame):
        self.facts, self.frame = facts, frame
        self.busy = Fraction(str(facts.scenario.ambulance_busy))
        self.counts = np.array(frame["ambulances"].tolist(), dtype=np.int64)
        self.city = np.array([facts.city.get(code, -1) for code in frame["city_code"]], dtype=int)
        sites = degrees_of(frame)
        self.within = self._own(facts.covers(sites))
        self.near = self._own(facts.covers(sites, np.minimum(facts.preferred, facts.limit)))
        self.held, self.close = self.within @ self.counts, self.near @ self.counts

    def _own(self, cover):
        pairs = cover.tocoo()
        i, j = pairs.coords
        kept = self.facts.demand_city[i] == self.city[j]
        return type(pairs)((pairs.data[kept], (i[kept], j[kept])), shape=pairs.shape).tocsr()

    def expected(self, who):
        """Return the persons among the demand points ``who`` who find a free vehicle, exact: sum a (1 - q^k)."""
        people = np.bincount(self.held[who], self.facts.demand_persons[who]).astype(np.int64)
        return sum(int(count) * (1 - self.busy**k) for k, count in enumerate(people))

    def gains(self):
        """Return by station what one more vehicle would add to this, exact."""
        most = int(self.held.max(initial=0)) + 1
        size = self.within.shape[1]
        pairs = self.within.tocoo()
        i, j = pairs.coords
        people = np.zeros((size, most), dtype=np.int64)
        np.add.at(people, (j, self.held[i]), self.facts.demand_persons[i])
        worth = [self.busy**k * (1 - self.busy) for k in range(most)]
        return [sum(int(count) * w for count, w in zip(row, worth, strict=True) if count) for row in people]


def fleet_of(facts, plan):
    """Return the :class:`Fleet` of a plan, worked out once."""
    of, fleet = facts.kept.get("fleet", (None, None))
    if of is not plan:
        fleet = Fleet(facts, plan["stations"])
        facts.kept["fleet"] = plan, fleet
    return fleet


def check_ambulances(ledger, facts, plan):
    """Check each city's floor, uplift and plan, that every station has an ambulance, and whom they may reach."""
    stations, fleet = plan["stations"], fleet_of(facts, plan)
    for row, (id, vehicles) in enumerate(stations[["id", "ambulances"]].itertuples(index=False)):
        if vehicles < 1:
            params = {"who": id, "column": "ambulances", "found": vehicles, "expected": 1}
            ledger.fail("no_ambulance", table="stations", row=row + 2, **params)
    gains, lines, special = fleet.gains(), [], np.zeros(len(stations), dtype=np.int64)
    for place, city in enumerate(facts.cities):
        here = np.flatnonzero(fleet.city == place)
        here = here[np.argsort(stations["id"].to_numpy()[here].astype(str), kind="stable")]
        line = _city_line(facts, fleet, place, city, here)
        if len(here):
            special[here] = largest_remainder(line["negative_pressure"], fleet.counts[here].tolist())
            whole = [half_up(gains[k]) for k in here]
            best = whole.index(max(whole))  # of as many people the smallest id
            line |= {"next_station": stations["id"][here[best]], "next_gain": whole[best]}
        lines.append(line)
    ledger.compare("ambulances_by_city", plan["ambulances_by_city"], ["code"], lines)
    for row, (line, planned) in enumerate(zip(lines, plan["ambulances_by_city"]["plan"], strict=False)):
        if planned < line["required"]:
            params = {"column": "plan", "found": planned, "expected": line["required"]}
            ledger.fail("too_few_ambulances", table="ambulances_by_city", row=row + 2, who=line["code"], **params)
    _by_station(ledger, plan, fleet, gains, special)
    if facts.scenario.ambulance_rule == "persons" and not facts.scenario.ambulance_uplift:
        _check_shares(ledger, stations)
    return {"plan": sum(line["plan"] for line in lines), "required": sum(line["required"] for line in lines)}


def _city_line(facts, fleet, place, city, here):
    per, living = facts.scenario.persons_per_ambulance, facts.demand_city == place
    floor = -(-city["persons"] // per)
    uplift = 0
    for code, percent in facts.scenario.ambulance_uplift.items():
        county = facts.counties[facts.county[code]] if code in facts.county else None
        if county is not None and county["city_code"] == city["code"]:
            uplift += -(-Fraction(county["persons"]) * Fraction(str(percent)) // (100 * per))
    vehicles = int(fleet.counts[here].sum())
    expected = fleet.expected(living)
    double = int(facts.demand_persons[living & (fleet.close >= 2)].sum())
    people = max(city["persons"], 1)
    return {
        "code": city["code"],
        "name": city["name"],
        "persons": city["persons"],
        "stations": len(here),
        "floor": floor,
        "uplift": int(uplift),
        "required": floor + int(uplift),
        "plan": vehicles,
        "negative_pressure": int(-(-vehicles * Fraction(str(facts.scenario.negative_pressure_share)) // 1)),
        "persons_per_vehicle": half_up(Fraction(city["persons"], vehicles)) if vehicles else None,
        "expected": half_up(expected),
        "expected_share": Fraction(100) * expected / people if city["persons"] else None,
        "double": double,
        "double_share": Fraction(100 * double, people) if city["persons"] else None,
        "next_station": "",
        "next_gain": 0,
    }


def _by_station(ledger, plan, fleet, gains, special):
    lines = []
    for k, line in enumerate(plan["stations"].to_dict("records")):
        keep = {key: line[key] for key in ("id", "name", "city_code", "county_code", "ambulances", "persons")}
        vehicles = max(line["ambulances"], 1)
        keep |= {"negative_pressure": int(special[k]), "gain_of_one_more": half_up(gains[k])}
        lines.append(keep | {"persons_per_vehicle": half_up(Fraction(line["persons"], vehicles))})
    ledger.compare("ambulances_by_station", plan["ambulances_by_station"], ["id"], lines)


def _check_shares(ledger, stations):
    """Check that no vehicle of a city would serve more people at another of its stations (divisor method of Webster).

    The last of n vehicles has persons / (2 n - 1) to its name, one more would have persons / (2 n + 1). Claims that
    differ by less than half a person are equal.
    """
    for city, at in stations.groupby("city_code"):
        lines = list(at[["id", "ambulances", "persons"]].itertuples(index=False))
        last = [(Fraction(2 * persons + 1, 2 * (2 * n - 1)), id, n) for id, n, persons in lines if n > 1]
        more = [(Fraction(persons, 2 * n + 1), id, n) for id, n, persons in lines if n > 0]
        if last and max(more) > min(last):
            (_, away, found), (_, to, expected) = min(last), max(more)
            ledger.fail(
                "ambulance_claim", table="stations", city=city, away=away, to=to, found=found, expected=expected
            )


def fleet_worth(facts, plan):
    """Return (worth, (change, worth after it) or None): what the rule makes most of, and the best move of a vehicle.

    Moves are tried for expected coverage, within a county where some counties are owed vehicles, else within a city.
    """
    fleet, rule = fleet_of(facts, plan), facts.scenario.ambulance_rule
    if rule == "persons":
        return _claims(plan["stations"]), None
    if rule == "double_standard":
        return int(facts.demand_persons[fleet.close >= 2].sum()), None
    worth = float(fleet.expected(np.ones(len(facts.demand), dtype=bool)))
    return worth, _best_move(facts, plan, fleet, worth)


def _claims(stations):
    """Return the sum of claims: a station's k-th vehicle has persons / (2 k - 1), earlier stations a hair more."""
    worth = 0.0
    for _, at in stations.sort_values("id").groupby("city_code"):
        for place, (vehicles, persons) in enumerate(zip(at["ambulances"], at["persons"], strict=True)):
            claim = persons + 0.4 * (len(at) - place) / len(at)
            worth += sum(claim / (2 * k - 1) for k in range(1, vehicles + 1))
    return worth


def _best_move(facts, plan, fleet, worth):
    group = plan["stations"]["county_code" if facts.scenario.ambulance_uplift else "city_code"].to_numpy()
    q, ids = float(fleet.busy), plan["stations"]["id"].tolist()
    if q == 0:
        return None  # a second vehicle is worth nothing, and the last of one cannot leave
    gain = facts.demand_persons * (1 - q) * q**fleet.held
    best = (-np.inf, "")
    for name in np.unique(group):
        here = np.flatnonzero(group == name)
        cover = fleet.within[:, here].tocsr()
        both = (cover.multiply(gain[:, None]).T @ cover).toarray()
        # Who has both within reach keeps as many vehicles; who loses one had q times fewer of them to gain by it.
        change = (np.diag(both)[None, :] - both) - (np.diag(both)[:, None] - both) / q
        change[fleet.counts[here] < 2] = -np.inf
        np.fill_diagonal(change, -np.inf)
        away, to = np.unravel_index(change.argmax(), change.shape)
        if change[away, to] > best[0]:
            best = (change[away, to], f"{ids[here[away]]} -> {ids[here[to]]}")
    return (best[1], worth + best[0]) if np.isfinite(best[0]) else None
