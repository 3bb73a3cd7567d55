"""Where the documents contradict themselves, worked out anew from the register and the census."""

from fractions import Fraction

from planner.verify.facts import half_up
from planner.verify.limits import ceiling

PROMOTED, STABLE = "促进发展", "平稳发展"  # Table 2's classes of cities
YEAR = 365  # days
PRINTED = 100  # quotients are compared in hundredths, as the documents print them


def check_document_conflicts(ledger, facts, plan):
    """Check that every contradiction is told, with both clauses and both figures."""
    found = Contradictions(facts).told()
    lines = []
    for word, (first, one), (second, other), unit in found:
        line = {"conflict": word, "first_document": first.document, "first_clause": first.clause}
        line |= {"first_figure": Fraction(one), "second_document": second.document, "second_clause": second.clause}
        line |= {"second_figure": Fraction(other), "difference": abs(Fraction(one) - Fraction(other)), "unit": unit}
        lines.append(line)
    ledger.compare("document_conflicts", plan["document_conflicts"], ["conflict"], lines)
    return {"conflicts": len(lines)}


class Contradictions:
    """Each contradiction as (word, (standard, figure), (standard, figure), unit), in the order they are told."""

    def __init__(self, facts):
        self.facts, self.standards = facts, facts.standards
        self.table3 = {}
        for id, standard in facts.standards.items():
            if id.startswith("t3_beds_per_1000_"):
                cities = facts.standards.city_codes(id)
                self.table3 |= dict.fromkeys((code for code in cities if len(standard.areas) == 1), standard)
        self.whole = set(self.table3) == set(facts.city)
        self.census = {city["code"]: city["census"] for city in facts.cities}

    def told(self):
        """Return what contradicts itself; of other cities than the plan's only what rests on no city."""
        pairs = [*self._tables()] if self.whole else []
        pairs += self._use()
        pairs += self._strategies() if self.whole else []
        pairs += [*self._centres(), *self._staff()]
        pairs += self._counts() if self.whole else []
        return pairs

    def _side(self, id, figure=None):
        return self.standards[id], self.standards[id].value if figure is None else figure

    def _tables(self):
        one = self.standards["t1_beds_per_1000"]
        city = self.table3[self.facts.cities[0]["code"]]
        everyone = sum(self.census.values())
        sums = {
            end: half_up(sum(n * getattr(self.table3[code], end) for code, n in self.census.items()) / Fraction(1000))
            for end in ("value", "base_value")
        }
        wholes = {end: half_up(Fraction(everyone) * getattr(one, end) / 1000) for end in sums}
        growth = sums["value"] - sums["base_value"], wholes["value"] - wholes["base_value"]
        for word, (by_city, at_once) in (
            ("table3_against_table1", (sums["value"], wholes["value"])),
            ("base_against_table1", (sums["base_value"], wholes["base_value"])),
            ("growth_by_cities_against_table1", growth),
        ):
            if by_city != at_once:
                yield word, (city, by_city), (one, at_once), "beds"
        later = self._side("base21_beds_per_1000")
        if one.base_value != later[1]:
            yield "base_year", (one, one.base_value), later, "beds_per_1000"

    def _use(self):
        """What public hospitals are, or are to be, where the freezes would let none of that kind grow."""
        enough = self._side("freeze_occupancy")
        for word, is_now, limit, unit in (
            ("public_occupancy_against_freeze", "base21_public_hospital_occupancy", "freeze_occupancy", "percent"),
            ("public_stay_against_freeze", "base21_public_hospital_alos", "freeze_alos", "days"),
            ("staff_against_freeze", "base21_staff_bed_ratio", "freeze_staff_bed_ratio", "staff_per_bed"),
        ):
            found, allowed = self._side(is_now), self._side(limit)
            if (found[1] > allowed[1]) if unit == "days" else (found[1] < allowed[1]):
                yield word, found, allowed, unit
        goal, beds = self.standards["nrmc_bethune_inpatients"], self.standards["bethune_beds"].value
        filled = printed(100 * goal.value * self.standards["nrmc_bethune_alos"].value / (beds * YEAR))
        if filled < enough[1]:
            yield "centre_goals_against_freeze", (goal, filled), enough, "percent"

    def _strategies(self):
        named = {PROMOTED: [], STABLE: []}
        for id, standard in self.standards.items():
            for word, cities in named.items():
                if id.startswith("t2_strategy_") and word in standard.name_zh:
                    cities += [(standard, code) for code in self.standards.city_codes(id)]
        more = {code: standard.value - standard.base_value for code, standard in self.table3.items()}
        stable = [code for _, code in named[STABLE]]
        persons = sum(self.census[code] for code in stable)
        if not persons:
            return
        usual = printed(sum(self.census[code] * more[code] for code in stable) / Fraction(persons))
        for standard, code in named[PROMOTED]:
            if more[code] < usual:
                word = f"strategy_against_growth_{self.standards.cities[code].name_en.lower()}"
                yield word, (standard, more[code]), (self.table3[stable[0]], usual), "beds_per_1000"

    def _centres(self):
        four, large = self.standards["one_axis_four_centres"], self.standards["infectious_hospital_beds_regional"]
        both = sum(area in large.areas for area in four.areas)
        if both != len(four.areas):
            yield "infectious_four_against_centres", (four, len(four.areas)), (large, both), "cities"
        ours, theirs = self._side("national_centres_existing"), self._side("nrmc_city_taiyuan")
        if ours[1] != theirs[1]:
            yield "national_centres", ours, theirs, "centres"

    def _staff(self):
        """Ratios as printed against those of the figures they are made of."""
        totals = "base21_staff_bed_ratio", "base21_health_personnel", "base21_beds"
        ratios = [("staff_per_bed_totals", "staff_per_bed", *totals)]
        for year in ("15", "21"):
            parts = (f"base{year}_{each}" for each in ("nurse_doctor_ratio", "nurses_per_1000", "doctors_per_1000"))
            ratios.append((f"nurse_doctor_20{year}", "nurses_per_doctor", *parts))
        for word, unit, ratio, part, whole in ratios:
            counted = printed(self.standards[part].value / self.standards[whole].value)
            if self.standards[ratio].value != counted:
                yield word, self._side(ratio), self._side(part, counted), unit
        nurses, hospitals = self.standards["nurse_bed_ratio"], self._side("public_hospital_nurse_doctor_2")
        per_doctor = printed(nurses.value / self.standards["doctor_bed_ratio"].value)
        if per_doctor != hospitals[1]:
            yield "nurse_doctor_of_beds", (nurses, per_doctor), hospitals, "nurses_per_doctor"
        total = self.standards["t1_public_health_staff_per_1000"]
        items = [self.standards[f"{item}_per_10000"] for item in ("cdc_staff", "supervisors", "mch_staff")]
        most = sum(Fraction(item.value_max or item.value) / item.per for item in items) * total.per
        if most != total.value:
            yield "public_health_staff", (total, total.value), (items[0], most), "persons_per_1000"

    def _counts(self):
        each, there = self.standards["cdc_per_level"], self._side("base21_cdcs")
        divisions = len(self.facts.region.province) + len(self.facts.cities) + len(self.facts.counties)
        if each.value * divisions != there[1]:
            yield "cdc_against_divisions", (each, each.value * divisions), there, "institutions"
        vehicles = self.standards["ambulance_per_30000"]
        counts = [
            ceiling(n * vehicles.value / vehicles.per) for n in (*self.census.values(), sum(self.census.values()))
        ]
        if sum(counts[:-1]) != counts[-1]:
            yield "ambulances_by_city", (vehicles, sum(counts[:-1])), (vehicles, counts[-1]), "vehicles"


def printed(number):
    """Return an exact number in the hundredths that documents print, halves up."""
    return Fraction(half_up(Fraction(number) * PRINTED), PRINTED)
