"""The evaluation of beds, worked out anew: indicators, their weights by entropy, closeness to the ideal, ranks."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from planner.verify import access
from planner.verify.bed_rules import SPECIALIST
from planner.verify.facilities import measurements, misses, new_beds
from planner.verify.limits import county_beds, exact, limits_of, planned_cells
from planner.verify.shapes import OWNERS
from planner.verify.stock import CELLS, PUBLIC, stock_of

GROUPS = ("quantity", "quality", "structure", "efficiency")
VALUE_PLACES, SCORE_PLACES = 6, 4
OF_CITIES = {  # indicator -> group, nature today, nature in the plan
    "attainment": ("quantity", "modelled", "decided"),
    "access": ("quantity", "modelled", "modelled"),
    "staff_per_bed": ("quality", "measured", "modelled"),
    "floor_per_bed": ("quality", "measured", "modelled"),
    "county_share": ("structure", "modelled", "decided"),
    "tcm_per_1000": ("structure", "modelled", "decided"),
    "psychiatric_per_1000": ("structure", "modelled", "decided"),
    "specialist_share": ("structure", "modelled", "decided"),
    "infectious_per_1000": ("structure", "modelled", "decided"),
    "evenness": ("structure", "modelled", "modelled"),
    "passing": ("efficiency", "measured", "modelled"),
    "occupancy": ("efficiency", "measured", "modelled"),
    "stay": ("efficiency", "measured", "modelled"),
}
OF_HOSPITALS = ("staff_per_bed", "floor_per_bed", "occupancy", "stay")
LESS_IS_BETTER = ("stay",)


@dataclass(frozen=True)
class Phase:
    """One phase: ``places`` [(code, name)], ``judged`` whether each has a score, ``values`` by indicator in order."""

    word: str
    places: list
    judged: list
    values: dict

    def column(self, word):
        """Return an indicator's values of the judged places; None where one of them has none."""
        found = [value for value, counts in zip(self.values[word], self.judged, strict=True) if counts]
        return None if not found or None in found else found


def check_evaluation(ledger, facts, plan):
    """Check every score and rank."""
    lines = [line for phase in phases(facts, plan) for line in scores(facts, phase)]
    ledger.compare("evaluation", plan["evaluation"], ["phase", "code"], lines)
    return {"rows": len(lines), "phases": len({line["phase"] for line in lines})}


def check_evaluation_indicators(ledger, facts, plan):
    """Check every indicator's value and weight, and that what was not measured is said to be so."""
    lines = []
    for phase in phases(facts, plan):
        weight = weights_of(facts, phase)
        for place, (code, name) in enumerate(phase.places):
            for word, values in phase.values.items():
                group, today, planned = OF_CITIES[word]
                line = {"phase": phase.word, "code": code, "name": name, "group": group, "indicator": word}
                line |= {"value": values[place], "weight": weight.get(word) if phase.judged[place] else None}
                nature = planned if phase.word == "plan" else today
                lines.append(line | {"nature": "no_data" if values[place] is None else nature})
    table = plan["evaluation_indicators"]
    ledger.compare("evaluation_indicators", table, ["phase", "code", "indicator"], lines)
    return {"rows": len(lines), "measured": sum(line["value"] is not None for line in lines)}


def phases(facts, plan):
    """Return the :class:`Phase` of today and of the plan, which judge cities, and that of listed hospitals, if any."""
    stock, planned = stock_of(facts), planned_cells(facts, plan)
    today = [{cell: stock.told(i, cell) for cell in CELLS} for i in range(len(facts.counties))]
    found = [_of_cities(facts, "now", today, stock.county), _of_cities(facts, "plan", planned, county_beds(planned))]
    hospitals = judged_hospitals(facts)
    if facts.facilities:
        for phase in found:
            added = new_beds(facts, planned) if phase.word == "plan" else {}
            phase.values.update(_hospitals_by_city(facts, hospitals, added, phase.places))
        own = {word: [figures(place)[word] for place in hospitals] for word in OF_HOSPITALS}
        own = {word: [rounded(value) for value in column] for word, column in own.items()}
        some = [column for column in own.values() if any(value is not None for value in column)]
        judged = [all(column[k] is not None for column in some) for k in range(len(hospitals))]
        found.append(Phase("facility", [(place["id"], place["name"]) for place in hospitals], judged, own))
    return found


def judged_hospitals(facts):
    """Return the listed public general hospitals that have beds, by id."""
    return [each for each in facts.facilities if each["owner"] in PUBLIC and each["kind"] == "general" and each["beds"]]


def figures(place):
    """Return what was measured of a hospital by indicator, exact; None = not measured."""

    def per_bed(value):
        return None if value is None else exact(value) / place["beds"]

    use, stay = (None if place[column] is None else exact(place[column]) for column in ("occupancy", "stay_days"))
    of_beds = {"staff_per_bed": per_bed(place["staff"]), "floor_per_bed": per_bed(place["floor_area"])}
    return of_beds | {"occupancy": use, "stay": stay}


def _of_cities(facts, word, cells, beds):
    """Return a phase of cities; ``cells`` hold None where nobody knows, such beds are among the general ones."""
    reach, persons = access.within_reach(facts, beds), facts.county_persons
    cities = sorted(facts.cities, key=lambda city: city["code"])
    values = {indicator: [] for indicator in OF_CITIES}
    for city in cities:
        here = facts.counties_of(city["code"])

        def known(owners=OWNERS, kinds=None, here=here):
            found = [
                cells[i][cell]
                for i in here
                for cell in CELLS
                if cell[0] in owners and (kinds is None or cell[1] in kinds)
            ]
            if kinds is not None and None in found:
                return None
            return sum(each for each in found if each is not None)

        near = [reach[i] for i in here], [int(persons[i]) for i in here]
        people, target, every = city["persons"], limits_of(facts).total[city["code"]], known()
        found = dict.fromkeys(OF_CITIES) | {
            "attainment": min(Fraction(every, target), Fraction(1)) if target else Fraction(1),
            "access": access.mean(*near),
            "county_share": share(known(("county_and_primary",)), every),
            "tcm_per_1000": _per_1000(known(kinds=("tcm",)), people),
            "psychiatric_per_1000": _per_1000(known(kinds=("psychiatric",)), people),
            "specialist_share": share(known(kinds=SPECIALIST), known(PUBLIC)),
            "infectious_per_1000": _per_1000(known(kinds=("infectious",)), people),
            "evenness": 1 - access.gini(*near),
        }
        for indicator, value in found.items():
            values[indicator].append(rounded(value) if people else None)
    judged = [city["persons"] > 0 for city in cities]
    return Phase(word, [(city["code"], city["name"]) for city in cities], judged, values)


def _hospitals_by_city(facts, hospitals, added, places):
    """Return {indicator: values by city}: means over a city's hospitals, weighted by the beds of the phase."""
    people = {city["code"]: city["persons"] for city in facts.cities}
    values = {word: [] for word in (*OF_HOSPITALS, "passing")}
    for code, _ in places:
        here = [place for place in hospitals if place["city_code"] == code]
        for word, column in values.items():
            found = [(passing(facts, place) if word == "passing" else figures(place)[word], place) for place in here]
            beds = [(value, place["beds"] + added.get(place["id"], 0)) for value, place in found if value is not None]
            whole = sum(count for _, count in beds)
            mean = sum((value * count for value, count in beds), Fraction(0)) / whole if whole else None
            column.append(rounded(mean) if people[code] else None)
    return values


def passing(facts, place):
    """Return 1 when a hospital misses no criterion that was measured, 0 when it does; None where none was."""
    measured = measurements(facts, place)
    return int(not any(misses(*each) for each in measured)) if measured else None


def _per_1000(beds, persons):
    return None if beds is None or not persons else Fraction(1000 * beds, persons)


def share(part, whole):
    """Return a part of a whole; nothing of nothing is 0."""
    if part is None or not whole:
        return part
    return Fraction(part, whole)


def rounded(value):
    """Return a figure as the table prints it, None where there is none."""
    return None if value is None else round(float(value), VALUE_PLACES)


def weights_of(facts, phase):
    """Return {indicator: weight} of those that count: every judged place has them."""
    counted = {word: phase.column(word) for word in phase.values}
    counted = {word: column for word, column in counted.items() if column is not None}
    if facts.scenario.evaluation_weights == "entropy":
        return entropy_weights(counted)
    return {word: 1 / len(counted) for word in counted}


def entropy_weights(columns):
    """Return {name: weight} of {name: values}: the less even a column is, the more it says (Shannon's entropy).

    One that is the same everywhere says nothing; where all are, or there is one place, all weigh the same.
    """
    said = {}
    for name, values in columns.items():
        total, places = math.fsum(values), len(values)
        if places < 2 or min(values) == max(values):
            said[name] = 0.0
            continue
        parts = [value / total for value in values if value]
        said[name] = 1 + math.fsum(part * math.log(part) for part in parts) / math.log(places)
    whole = math.fsum(said.values())
    return {name: value / whole if whole else 1 / len(said) for name, value in said.items()}


def closeness(columns, weights):
    """Return TOPSIS scores of {name: values}: how far from the worst of all, over that and how far from the best."""
    near, far = 0.0, 0.0
    for name, values in columns.items():
        length = math.sqrt(math.fsum(value * value for value in values)) or 1.0
        weighted = np.array(values) * weights[name] / length
        best, worst = (weighted.min(), weighted.max()) if name in LESS_IS_BETTER else (weighted.max(), weighted.min())
        near, far = near + (weighted - best) ** 2, far + (weighted - worst) ** 2
    near, far = np.sqrt(near), np.sqrt(far)
    return [float(b / (a + b)) if a + b else 1.0 for a, b in zip(near, far, strict=True)]


def scores(facts, phase):
    """Return the rows of the table: scores by group and of all indicators, and ranks by the score as printed."""
    weight = weights_of(facts, phase)
    rows = [{"phase": phase.word, "code": code, "name": name} for code, name in phase.places]
    judged = [row for row, counts in zip(rows, phase.judged, strict=True) if counts]
    for group in (*GROUPS, "score"):
        chosen = {word: phase.column(word) for word in weight if group in (OF_CITIES[word][0], "score")}
        for row in rows:
            row[group] = None
        if chosen:
            for row, score in zip(judged, closeness(chosen, weight), strict=True):
                row[group] = round(score, SCORE_PLACES)
    for row in rows:
        row["rank"] = None
    ranked = sorted((row for row in rows if row["score"] is not None), key=lambda row: (-row["score"], row["code"]))
    for rank, row in enumerate(ranked, start=1):
        row["rank"] = rank
    return rows
