"""Contradictions: where the plan documents disagree with themselves, each with both clauses and both figures.

Every figure is computed from the register of standards and the census; a contradiction that a corrected register no
longer has is no longer told.
"""

from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from planner.rounding import ceiling, half_up
from planner.standards import BED_TARGET_PREFIX

COLUMNS = [
    "conflict",
    "first_document",
    "first_clause",
    "first_figure",
    "second_document",
    "second_clause",
    "second_figure",
    "difference",
    "unit",
]
STRATEGY_PREFIX = "t2_strategy_"
PROMOTED, STABLE = "促进发展", "平稳发展"  # as Table 2 prints the classes of its strategies
DAYS_A_YEAR = 365
DECIMALS = 2  # of a quotient, as the documents print theirs: what agrees in print is no contradiction


@dataclass(frozen=True)
class _Pair:
    """Two clauses, each a standard and its figure; ``holds``: whether they contradict each other."""

    conflict: str
    first: tuple
    second: tuple
    unit: str
    holds: bool


def document_conflicts(standards, region):
    """Return one row for each place where the documents contradict themselves. DataFrame with ``COLUMNS``.

    conflict is a word; document and clause of either side are as the register has them; the figures are in ``unit`` (a
    word), difference = |first - second|. P_k: census persons of city k, P of all. In this order:

        table3_against_table1            half_up(sum_k P_k target_k / 1000), half_up(P target / 1000)
        base_against_table1              the same of the base values
        growth_by_cities_against_table1  targets less bases, each as above
        base_year                        the base of Table 1, the density a year later
        public_occupancy_against_freeze  average of public hospitals, if below freeze_occupancy
        public_stay_against_freeze       average of public hospitals, if above freeze_alos
        staff_against_freeze             personnel per bed, if below freeze_staff_bed_ratio
        centre_goals_against_freeze      per cent of a year's bed days that a national centre's goals of admissions,
                                         stay and beds fill (``DECIMALS``), if below freeze_occupancy
        strategy_against_growth_<city>   target - base of a city that Table 2 promotes, if below that of its stable
                                         cities together, sum P_k (target_k - base_k) / sum P_k (``DECIMALS``)
        infectious_four_against_centres  the cities of "one axis and four centres", those of them with a regional
                                         infectious hospital
        national_centres                 as the two documents count them
        staff_per_bed_totals             personnel per bed as printed, from the totals of beds and personnel
        nurse_doctor_2015, .._2021       nurses per doctor as printed, from the two densities
        nurse_doctor_of_beds             nurses per bed over doctors per bed, nurses per doctor of public hospitals
        public_health_staff              persons per 1,000, the most that the itemised norms add up to
        cdc_against_divisions            one for the province, each city and county; those there are
        ambulances_by_city               sum_k ceiling(P_k / persons a vehicle), ceiling(P / persons a vehicle)

    Quotients are rounded to ``DECIMALS``. Of a region whose cities are not those of Table 3 only what rests on no city
    is told: not the first four, the strategies and the last two.
    """
    ours = _is_of_the_plan(standards, region)
    pairs = list(_totals(standards, region)) if ours else []
    pairs += _efficiency(standards)
    pairs += _strategies(standards, region) if ours else []
    pairs += [*_centres(standards), *_staff(standards)]
    pairs += _institutions(standards, region) if ours else []
    return pd.DataFrame([_row(pair) for pair in pairs if pair.holds], columns=COLUMNS)


def _row(pair):
    (first, one), (second, other) = pair.first, pair.second
    one_side = (first.document, first.clause, float(one))
    other_side = (second.document, second.clause, float(other))
    return (pair.conflict, *one_side, *other_side, float(abs(one - other)), pair.unit)


def _is_of_the_plan(standards, region):
    named = {area for id, each in standards.items() if id.startswith(BED_TARGET_PREFIX) for area in each.areas}
    return {city.code for city in standards.cities.values() if city.name_zh in named} == set(region.cities.index)


def _unlike(conflict, first, second, unit):
    return _Pair(conflict, first, second, unit, first[1] != second[1])


def _short(conflict, first, second, unit):
    return _Pair(conflict, first, second, unit, first[1] < second[1])


def _quotient(number):
    return Fraction(half_up(number * 10**DECIMALS), 10**DECIMALS)


def _persons_by_city(region):
    persons = region.counties["census_persons"].groupby(region.counties["city_code"]).sum()
    return {code: int(n) for code, n in persons.items()}


def _totals(standards, region):
    persons = _persons_by_city(region)
    table3 = {code: standards.city_bed_target(code) for code in persons}
    by_city, table1 = next(iter(table3.values())), standards["t1_beds_per_1000"]
    everybody = sum(persons.values())
    asked = half_up(sum(n * table3[code].value for code, n in persons.items()) / 1000)
    based = half_up(sum(n * table3[code].base_value for code, n in persons.items()) / 1000)
    asked1, based1 = half_up(everybody * table1.value / 1000), half_up(everybody * table1.base_value / 1000)
    later = standards["base21_beds_per_1000"]
    yield _unlike("table3_against_table1", (by_city, asked), (table1, asked1), "beds")
    yield _unlike("base_against_table1", (by_city, based), (table1, based1), "beds")
    yield _unlike("growth_by_cities_against_table1", (by_city, asked - based), (table1, asked1 - based1), "beds")
    yield _unlike("base_year", (table1, table1.base_value), (later, later.value), "beds_per_1000")


def _efficiency(standards):
    """What public hospitals are, or are asked to be, against what the freezes ask of a hospital that may grow."""
    occupancy, full_enough = _with_value(standards, "base21_public_hospital_occupancy", "freeze_occupancy")
    stay, short_enough = _with_value(standards, "base21_public_hospital_alos", "freeze_alos")
    staff, staffed_enough = _with_value(standards, "base21_staff_bed_ratio", "freeze_staff_bed_ratio")
    goal, days, beds = (standards[id] for id in ("nrmc_bethune_inpatients", "nrmc_bethune_alos", "bethune_beds"))
    filled = _quotient(100 * goal.value * days.value / (beds.value * DAYS_A_YEAR))
    yield _short("public_occupancy_against_freeze", occupancy, full_enough, "percent")
    yield _Pair("public_stay_against_freeze", stay, short_enough, "days", stay[1] > short_enough[1])
    yield _short("staff_against_freeze", staff, staffed_enough, "staff_per_bed")
    yield _short("centre_goals_against_freeze", (goal, filled), full_enough, "percent")


def _with_value(standards, *ids):
    return [(standards[id], standards[id].value) for id in ids]


def _strategies(standards, region):
    persons = _persons_by_city(region)
    codes = {city.name_zh: code for code, city in standards.cities.items()}
    classes = {PROMOTED: [], STABLE: []}
    for id, each in standards.items():
        for word, members in classes.items():
            if id.startswith(STRATEGY_PREFIX) and word in each.name_zh:
                members += [(each, codes[area]) for area in each.areas]
    table3 = {code: standards.city_bed_target(code) for code in persons}
    growth = {code: each.value - each.base_value for code, each in table3.items()}
    stable = [code for _, code in classes[STABLE]]
    together = sum(persons[code] for code in stable)
    if not together:
        return
    usual = _quotient(sum(persons[code] * growth[code] for code in stable) / Fraction(together))
    for each, code in classes[PROMOTED]:
        word = f"strategy_against_growth_{standards.cities[code].name_en.lower()}"
        yield _short(word, (each, growth[code]), (table3[stable[0]], usual), "beds_per_1000")


def _centres(standards):
    four, regional = standards["one_axis_four_centres"], standards["infectious_hospital_beds_regional"]
    both = set(four.areas) & set(regional.areas)
    yield _unlike("infectious_four_against_centres", (four, len(four.areas)), (regional, len(both)), "cities")
    plan, work_plan = _with_value(standards, "national_centres_existing", "nrmc_city_taiyuan")
    yield _unlike("national_centres", plan, work_plan, "centres")


def _staff(standards):
    printed, personnel, beds = (
        standards[id] for id in ("base21_staff_bed_ratio", "base21_health_personnel", "base21_beds")
    )
    counted = _quotient(personnel.value / beds.value)
    yield _unlike("staff_per_bed_totals", (printed, printed.value), (personnel, counted), "staff_per_bed")
    for year in ("15", "21"):
        printed, nurses, doctors = (
            standards[f"base{year}_{figure}"]
            for figure in ("nurse_doctor_ratio", "nurses_per_1000", "doctors_per_1000")
        )
        counted = _quotient(nurses.value / doctors.value)
        yield _unlike(f"nurse_doctor_20{year}", (printed, printed.value), (nurses, counted), "nurses_per_doctor")
    nurses, doctors = standards["nurse_bed_ratio"], standards["doctor_bed_ratio"]
    hospitals = standards["public_hospital_nurse_doctor_2"]
    beds = (nurses, _quotient(nurses.value / doctors.value))
    yield _unlike("nurse_doctor_of_beds", beds, (hospitals, hospitals.value), "nurses_per_doctor")
    total = standards["t1_public_health_staff_per_1000"]
    items = [standards[id] for id in ("cdc_staff_per_10000", "supervisors_per_10000", "mch_staff_per_10000")]
    most = sum((each.value_max or each.value) * total.per / Fraction(each.per) for each in items)
    yield _unlike("public_health_staff", (total, total.value), (items[0], most), "persons_per_1000")


def _institutions(standards, region):
    rule, there = standards["cdc_per_level"], standards["base21_cdcs"]
    divisions = len(region.province) + len(region.cities) + len(region.counties)
    yield _unlike("cdc_against_divisions", (rule, rule.value * divisions), (there, there.value), "institutions")
    vehicles, persons = standards["ambulance_per_30000"], _persons_by_city(region)
    by_city = sum(ceiling(n * vehicles.value / vehicles.per) for n in persons.values())
    at_once = ceiling(sum(persons.values()) * vehicles.value / vehicles.per)
    yield _unlike("ambulances_by_city", (vehicles, by_city), (vehicles, at_once), "vehicles")
