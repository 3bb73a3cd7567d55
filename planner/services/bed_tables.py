"""The tables of a bed plan: by city and county, by owner and kind, rule by rule, hospital by hospital."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd

from planner.access import deviation, gini, worst
from planner.contradictions import document_conflicts
from planner.evaluation import evaluate
from planner.models.bed_quotas import OBJECTIVES
from planner.rounding import ceiling, half_up, shared_out
from planner.services.bed_rules import (
    ABOVE_TARGET,
    GUARD,
    STAFF,
    TABLE_1,
    department_floor,
    hospital_floor,
    icu_share,
    members_of,
    rule_standard,
    surge_needs,
)
from planner.services.freezes import STANDARDS as FREEZES
from planner.services.levels import missed
from planner.services.stock import CELLS, KINDS, OWNERS, PLANNED, PUBLIC

NONE = math.nan
UNITS = {GUARD: "beds_per_1000", "staff": "persons", "nurses": "persons", "doctors": "persons", "budget": "wan_yuan"}
FREEZE_UNITS = {"occupancy": "percent", "stay": "days", "staff": "staff_per_bed", "floor_area": "m2_per_bed"}


def bed_tables(region, standards, scenario, plan, facilities):
    """Return {name: DataFrame} of a :class:`planner.services.beds.BedPlan`; rows in printed order."""
    writer = _Writer(region, standards, scenario, plan, facilities)
    names = ("beds_by_city", "beds_by_county", "bed_standards", "bed_structure", "bed_quotas", "bed_rules")
    tables = {name: getattr(writer, name)() for name in names}
    tables["document_conflicts"] = document_conflicts(standards, region)
    for name in ("facilities", "freezes", "bed_staff", "infectious", "access_summary", "bed_objectives"):
        tables[name] = getattr(writer, name)()
    tables["evaluation"], tables["evaluation_indicators"] = writer.evaluation(tables)
    return tables


def per_1000(count, persons):
    """Return count per 1,000 persons, two decimals, halves up; NaN where nobody lives."""
    return float(half_up(Fraction(int(count) * 100_000, int(persons)))) / 100 if persons else NONE


def _densities(counts, persons):
    return [per_1000(c, p) for c, p in zip(counts, persons, strict=True)]


def _cells(owners=OWNERS, kinds=KINDS):
    return [c for c, (owner, kind) in enumerate(CELLS) if owner in owners and kind in kinds]


class _Writer:
    def __init__(self, region, standards, scenario, plan, facilities):
        self.region, self.standards, self.scenario = region, standards, scenario
        self.plan, self.listed = plan, facilities
        self.counties, self.cities = region.counties, region.cities
        self.persons = region.counties["persons"].to_numpy(dtype=np.int64)
        self.members = members_of(region)
        self.place = {code: i for i, code in enumerate(region.counties.index)}
        self.now, self.beds = plan.stock.cells, plan.beds
        self.reach = plan.question.reach

    # -- by place --------------------------------------------------------------------------------------------------

    def beds_by_county(self):
        now, planned = self.plan.stock.county, self.plan.by_county
        return self._on_counties().assign(
            beds_now=now,
            beds_plan=planned,
            beds_new=planned - now,
            now_per_1000=_densities(now, self.persons),
            plan_per_1000=_densities(planned, self.persons),
            reach_now_per_1000=self.reach @ now,
            reach_plan_per_1000=self.reach @ planned,
        )

    def _on_counties(self):
        return pd.DataFrame(
            {
                "code": self.counties.index,
                "name": self.counties["name"].to_numpy(),
                "city_code": self.counties["city_code"].to_numpy(),
                "persons": self.persons,
            }
        )

    def beds_by_city(self):
        frame = self._on_cities()
        persons = [int(self.persons[here].sum()) for here in self.members.values()]
        now = [self.plan.stock.city[code] for code in self.members]
        planned = [int(self.plan.by_county[here].sum()) for here in self.members.values()]
        return frame.assign(
            persons=persons,
            beds_now=now,
            beds_target=[self.plan.aims.total[code] for code in self.members],
            beds_plan=planned,
            beds_new=np.subtract(planned, now),
            now_per_1000=_densities(now, persons),
            target_per_1000=[float(self.scenario.bed_targets[code]) for code in self.members],
            plan_per_1000=_densities(planned, persons),
        )

    def _on_cities(self):
        return pd.DataFrame({"code": self.cities.index, "name": self.cities["name"].to_numpy()})

    def bed_standards(self):
        frame = self._on_counties()
        frame["plan_per_1000"] = _densities(self.plan.by_county, self.persons)
        frame["beds_plan"] = self.plan.by_county
        for owner in OWNERS:
            frame[owner] = self.beds[:, _cells((owner,))].sum(axis=1)
        for kind in KINDS:
            frame[kind] = self.beds[:, _cells(kinds=(kind,))].sum(axis=1)
        sources = [self._table_3(code) for code in frame["city_code"]]
        return frame.assign(
            document=[s.document if s else "" for s in sources], clause=[s.clause if s else "" for s in sources]
        )

    def _table_3(self, city):
        """Return the Table 3 standard of a city; None where the scenario asks for another figure."""
        same = self.standards.is_table_3(city, self.scenario.bed_targets[city])
        return self.standards.city_bed_target(city) if same else None

    def bed_quotas(self):
        stock, rows = self.plan.stock, []
        for i, (code, county) in enumerate(self.counties.iterrows()):
            for c, (owner, kind) in enumerate(CELLS):
                planned = int(self.beds[i, c])
                now = int(self.now[i, c]) if stock.known(i, c) else NONE
                rows.append((code, county["name"], county["city_code"], owner, kind, now, planned, planned - now))
        columns = ["code", "name", "city_code", "owner", "kind", "beds_now", "beds_plan", "beds_new"]
        return pd.DataFrame(rows, columns=columns)

    # -- by owner and kind -----------------------------------------------------------------------------------------

    def bed_structure(self):
        province = (self.region.province.index[0], self.region.province["name"].iloc[0])
        rows = list(self._structure(*province, np.arange(len(self.counties)), None))
        for code, here in self.members.items():
            rows += self._structure(code, self.cities.at[code, "name"], here, code)
        columns = ["area_code", "area", "part", "item", "beds_now", "beds_target", "beds_plan", "gap"]
        columns += ["target_per_1000", "plan_per_1000", "document", "clause", "verdict", "nature_now"]
        return pd.DataFrame(rows, columns=columns)

    def _structure(self, code, area, here, city):
        people = int(self.persons[here].sum())
        parts = [("total", "total", _cells())]
        parts += [("owner", owner, _cells((owner,))) for owner in OWNERS]
        parts += [("kind", kind, _cells(kinds=(kind,))) for kind in KINDS]
        for part, item, cells in parts:
            planned = int(self.beds[np.ix_(here, cells)].sum())
            # Beds of kinds that nobody counts today are among the general ones: sums over all kinds are known.
            known = part != "kind" or all(self.plan.stock.known(i, c) for i in here for c in cells)
            now = int(self.now[np.ix_(here, cells)].sum()) if known else NONE
            standard, target = self._target(item, people, city, here)
            at_least = standard is not None and standard.comparator == ">="
            plan_density = per_1000(planned, people)
            target_density = NONE if target is None else per_1000(target, people)
            verdict = _verdict(planned, target, plan_density, target_density, at_least)
            yield (
                *(code, area, part, item, now),
                NONE if target is None else target,
                planned,
                NONE if target is None else planned - target,
                *(target_density, plan_density),
                *(("", "") if standard is None else (standard.document, standard.clause)),
                *(verdict, "no_data" if now != now else "modelled"),
            )

    def _target(self, item, people, city, here):
        """Return (standard, beds) that an item is held against; (None, None) where nothing is said of it."""
        ids = {"tcm": "t1_tcm_beds_per_1000", "psychiatric": "t1_psychiatric_beds_per_1000", **TABLE_1}
        if item == "total":
            if city is None:
                standard = self.standards["t1_beds_per_1000"]
                return standard, half_up(people * standard.value / 1000)
            return self._table_3(city), self.plan.aims.total[city]
        if item not in ids:
            return None, None
        standard = self.standards[ids[item]]
        if city is not None and item in PUBLIC:
            return standard, self.plan.aims.guides[city, item]
        if city is not None and item == "private":
            return standard, int(self.plan.aims.private[here].sum())
        rounds = ceiling if standard.comparator == ">=" else half_up
        return standard, rounds(people * standard.value / 1000)

    # -- rules -----------------------------------------------------------------------------------------------------

    def bed_rules(self):
        told = {}
        for rule in self.plan.question.rules:
            if rule.word not in ("total", "keep", GUARD):
                told.setdefault(rule.area, []).append(self._told(rule))
        rows = []
        for code, here in self.members.items():
            rows += [self._total(code, here), self._private(code, here)]
            rows += self._with_mental(code, here, told.get(code, []))
        for i, code in enumerate(self.place):
            rows += told.get(code, [])
            if self.plan.closed[i].any():
                rows.append(self._closed(code, i))
        if self.scenario.beds_budget:
            rows.append(self._budget())
        rows += [self._guard(rule) for rule in self.plan.question.rules if rule.word == GUARD]
        columns = ["rule", "area_code", "area", "unit", "asked", "got", "bent", "strict", "document", "clause"]
        return pd.DataFrame(rows, columns=[*columns, "verdict"])

    def _row(self, word, area, asked, got, bent, strict):
        standard = rule_standard(self.standards, word, area, self._city(area))
        if word in ("total", "county"):
            standard = self._table_3(self._city(area))
        name = self._name(area)
        bent = round(float(bent), 6)
        source = ("", "") if standard is None else (standard.document, standard.clause)
        asked, got = round(float(asked), 6), round(float(got), 6)
        strict = "hard" if strict else "soft"
        return (word, area, name, UNITS.get(word, "beds"), asked, got, bent, strict, *source, _met(bent))

    def _name(self, area):
        for frame in (self.cities, self.counties, self.region.province):
            if area in frame.index:
                return frame.at[area, "name"]
        return area

    def _city(self, area):
        """Return the city of a city's or a county's code, None for the province's."""
        return self.counties.at[area, "city_code"] if area in self.counties.index else area

    def _told(self, rule):
        terms = zip(rule.rows, rule.cells, rule.weights, strict=True)
        got = sum((Fraction(w) * int(self.beds[i, c]) for i, c, w in terms), Fraction(0))
        asked = Fraction(rule.low if rule.low is not None else rule.high)
        if rule.word == "specialist":
            public = sum(int(self.beds[i, c]) for i, c in zip(rule.rows, rule.cells, strict=True))
            asked = self.standards["public_specialist_bed_share"].value / 100 * public
            got += asked
        if rule.word == "reserve":
            now = sum(int(self.now[i, c]) for i, c in zip(rule.rows, rule.cells, strict=True))
            asked, got = asked - now, got - now
        return self._row(rule.word, rule.area, asked, got, sum(missed(rule, self.beds)), rule.strict)

    def _total(self, code, here):
        asked, got = self.plan.aims.total[code], int(self.plan.by_county[here].sum())
        return self._row("total", code, asked, got, abs(asked - got), self.scenario.beds_rule == "exact")

    def _private(self, code, here):
        asked, got = int(self.plan.aims.private[here].sum()), int(self.beds[np.ix_(here, _cells(("private",)))].sum())
        return self._row("private", code, asked, got, abs(asked - got), True)

    def _with_mental(self, code, here, rows):
        """Yield the rows of a city, the psychiatric hospital of the large ones after the infectious one."""
        due = code in self.standards.cities and self.standards.cities[code].mental_hospital_required == "yes"
        got = int(self.beds[np.ix_(here, _cells(PUBLIC, ("psychiatric",)))].sum())
        least = self.scenario.beds_hospital_least
        before = [row for row in rows if row[0] not in ("reserve", "surge", "surge_icu", *STAFF)]
        yield from before
        if due:
            yield self._row("mental_hospital", code, least, got, max(least - got, 0), False)
        yield from rows[len(before) :]

    def _closed(self, code, i):
        owners = [owner for owner, shut in zip(PLANNED, self.plan.closed[i], strict=True) if shut]
        cells = _cells(owners, ("general",))
        now, got = int(self.now[i, cells].sum()), int(self.beds[i, cells].sum())
        return self._row("facility_freeze", code, now, got, max(got - now, 0), True)

    def _guard(self, rule):
        got = float(self.reach[self.place[rule.area]] @ self.plan.by_county)
        return self._row(GUARD, rule.area, rule.low, got, max(rule.low - got, 0.0), True)

    def _budget(self):
        asked, got = self.scenario.beds_budget, self.plan.values["cost"]
        return self._row("budget", self.region.province.index[0], asked, got, max(got - asked, 0), True)

    # -- hospitals -------------------------------------------------------------------------------------------------

    def facilities(self):
        columns = ["id", "name", "county_code", "city_code", "owner", "kind"]
        columns += ["beds_now", "beds_new", "beds_plan", "frozen", "reasons"]
        if self.listed is None:
            return pd.DataFrame(columns=columns)
        rows = []
        for each in self.listed.itertuples():
            judged, new = self.plan.verdicts[each.Index], int(self.plan.growth[each.Index])
            reasons = " ".join(reason.rule for reason in judged.reasons)
            about = (each.Index, each.name, each.county_code, each.city_code, each.owner, each.kind)
            rows.append((*about, int(each.beds), new, int(each.beds) + new, judged.word, reasons))
        return pd.DataFrame(rows, columns=columns)

    def freezes(self):
        columns = ["scope", "id", "name", "county_code", "rule", "measured", "limit", "unit", "document", "clause"]
        rows = [*self._frozen_hospitals(), *self._frozen_areas(), *self._not_applied()]
        return pd.DataFrame(rows, columns=columns)

    def _frozen_hospitals(self):
        for id, judged in self.plan.verdicts.items():
            about = (self.listed.at[id, "name"], self.listed.at[id, "county_code"])
            for reason in judged.reasons:
                standard = self.standards[FREEZES[reason.rule]] if reason.rule in FREEZES else None
                source = ("", "") if standard is None else (standard.document, standard.clause)
                measured, limit = (NONE if v is None else v for v in (reason.measured, reason.limit))
                unit = FREEZE_UNITS.get(reason.rule, "")
                yield ("facility", id, *about, reason.rule, measured, limit, unit, *source)

    def _frozen_areas(self):
        standard = self.standards[ABOVE_TARGET]
        source = (standard.document, standard.clause)
        for scope, codes in (("city", self.plan.aims.frozen), ("county", self.plan.aims.frozen_counties)):
            for code in sorted(codes):
                here = self.members[code] if scope == "city" else np.array([self.place[code]])
                now, people = int(self.plan.stock.county[here].sum()), int(self.persons[here].sum())
                limit = float(self.scenario.bed_targets[self._city(code)])
                about = (scope, code, self._name(code), code if scope == "county" else "")
                yield (*about, "above_target", per_1000(now, people), limit, "beds_per_1000", *source)

    def _not_applied(self):
        for rule, id in FREEZES.items():
            standard = self.standards[id]
            if self.listed is None or (rule == "floor_area" and not self.scenario.freeze_area_per_bed):
                limit = NONE if standard.value is None else float(standard.value)
                about = ("province", id, standard.name_zh, "", "not_applied", NONE, limit, FREEZE_UNITS[rule])
                yield (*about, standard.document, standard.clause)

    # -- what follows from the beds --------------------------------------------------------------------------------

    def bed_staff(self):
        frame = self._on_cities()
        planned = [int(self.plan.by_county[here].sum()) for here in self.members.values()]
        frame["beds_plan"] = planned
        for word, id in STAFF.items():
            frame[word] = [ceiling(beds * self.standards[id].value) for beds in planned]
        for word in STAFF:
            limits = getattr(self.scenario, f"beds_{word}")
            frame[f"{word}_limit"] = [limits.get(code, NONE) for code in self.cities.index]
        return frame

    def infectious(self):
        icu, convertible = (
            self.standards[id].value / 100
            for id in ("infectious_hospital_icu_share", "infectious_hospital_convertible_share")
        )
        ward_icu = self.standards["infectious_dept_icu_share"].value / 100
        rows = []
        for code, here in self.members.items():
            seat = self.cities.at[code, "seat_county_code"]
            named = department_floor(self.standards, code)
            at_seat = int(self.beds[self.place[seat], _cells(("city_and_above",), ("infectious",))[0]])
            total = int(self.beds[np.ix_(here, _cells(PUBLIC, ("infectious",)))].sum())
            hospital = max(at_seat - named, 0)
            wards = total - hospital
            rows.append(
                {
                    "code": code,
                    "name": self.cities.at[code, "name"],
                    "county_code": seat,
                    "hospital_floor": hospital_floor(self.standards, code),
                    "hospital_beds": hospital,
                    "hospital_icu": ceiling(icu * hospital),
                    "hospital_convertible": ceiling(convertible * hospital),
                    "department_beds": wards,
                    "department_icu": ceiling(ward_icu * wards),
                    **self._surge(here, total),
                }
            )
        return pd.DataFrame(rows)

    def _surge(self, here, infectious):
        columns = ("surge_needed", "surge_capacity", "surge_gap", "icu_needed", "icu_capacity", "icu_gap")
        if not self.scenario.surge_inpatients:
            return dict.fromkeys(columns, NONE)
        beds, icu = surge_needs(self.scenario, int(self.persons[here].sum()))
        clear = Fraction(str(self.scenario.surge_convertible_percent)) / 100
        general, critical = (
            int(self.beds[np.ix_(here, _cells(PUBLIC, (kind,)))].sum()) for kind in ("general", "critical")
        )
        room = (infectious + clear * general).__floor__()
        intensive = (critical + icu_share(self.standards) * infectious).__floor__()
        gaps = (beds, room, max(beds - room, 0), icu, intensive, max(icu - intensive, 0))
        return dict(zip(columns, gaps, strict=True))

    def access_summary(self):
        persons = self.persons
        population = np.zeros(len(persons), dtype=np.int64)
        for code, here in self.members.items():
            population[here] = shared_out(self.plan.aims.total[code], persons[here])
        rows = []
        splits = (("now", self.plan.stock.county), ("by_population", population), ("plan", self.plan.by_county))
        for split, beds in splits:
            within = self.reach @ beds
            low = worst(within, persons)
            mean = float((within * persons).sum() / max(persons.sum(), 1))
            rows.append(
                {
                    "split": split,
                    "gini": gini(within, persons),
                    "worst_code": self.counties.index[low],
                    "worst_county": self.counties["name"].iloc[low],
                    "worst_per_1000": within[low],
                    "mean_per_1000": mean,
                    "deviation": deviation(within, persons),
                }
            )
        return pd.DataFrame(rows)

    def bed_objectives(self):
        chosen = {word: n for n, word in enumerate(self.scenario.beds_objectives, start=1)}
        rows = [{"objective": "plan", "order": NONE, **self.plan.values}]
        rows += [{"objective": word, "order": chosen.get(word, NONE), **v} for word, v in self.plan.alone.items()]
        return pd.DataFrame(rows, columns=["objective", "order", *OBJECTIVES])

    def evaluation(self, tables):
        access = pd.DataFrame(
            {"now": self.reach @ self.plan.stock.county, "plan": self.reach @ self.plan.by_county},
            index=self.counties.index,
        )
        hospitals = None
        if self.listed is not None:
            planned = tables["facilities"].set_index("id")["beds_plan"]
            hospitals = self.listed.rename(columns={"beds": "beds_now"}).assign(beds_plan=planned)
        return evaluate(
            self.cities[["name"]],
            self.counties[["city_code", "persons"]],
            tables["bed_quotas"],
            access,
            self.plan.aims.total,
            self.standards,
            facilities=hospitals,
            area_per_bed=self.scenario.freeze_area_per_bed,
            weights=self.scenario.evaluation_weights,
        )


def _met(bent):
    return "unmet" if bent > 0 else "met"


def _verdict(planned, target, density, target_density, at_least):
    """Return met | unmet | over | no_data: a floor by beds, a figure "about" by what is printed of it."""
    if target is None:
        return "no_data"
    if at_least:
        return "met" if planned >= target else "unmet"
    if density == target_density or planned == target:
        return "met"
    return "over" if planned > target else "unmet"
