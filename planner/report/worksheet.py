"""The sheet that is checked by hand: the plan's main figures, worked out once more by formulas from the other sheets.

It is the only sheet with formulas. They refer to nothing but this workbook's own sheets, and each stands with its value
worked out here, so that a reader that does not calculate shows the same.
"""

from dataclasses import dataclass
from fractions import Fraction

from geo.theme import VERDICT_SIGNS
from planner.report.columns import TABLES
from planner.report.cover import basis
from planner.report.sheet_parts import word
from planner.report.tables import absent, rounded
from planner.rounding import ceiling, half_up
from planner.settings import ALL_SETTINGS

AGREES, DIFFERS = VERDICT_SIGNS["met"], VERDICT_SIGNS["unmet"]
TOP_ROW = 4  # as Excel counts: how many rows agree
FIRST_INPUT = 8
NUMBER = "D"  # the column of inputs and of what is worked out
SETTINGS = ("urban", "rural")
STATUSES = ("listed", "assumed", "new")


@dataclass(frozen=True)
class Input:
    """A figure that formulas start from: ``code`` and ``place`` name what it holds for, ``source`` where it is from."""

    key: str
    code: str
    place: str
    value: float
    source: str


@dataclass(frozen=True)
class Row:
    """One figure worked out anew.

    code, place  stand in the row, as ``{code}`` and ``{place}`` in the formula stand for their cells
    said         what is worked out; a modelled figure has its mark
    formula      what Excel works out, and ``value`` what it gives
    plan         where the plan's figure stands, None for one that stands on the cover; ``plan_value`` the figure
    kind         whole | density | percent | km
    """

    code: str
    place: str
    said: str
    formula: str
    value: float
    plan: str | None
    plan_value: float
    kind: str = "whole"


@dataclass(frozen=True)
class Section:
    """Rows of one formula; its words are ``worksheet.section.KEY`` and ``worksheet.how.KEY``."""

    key: str
    rows: list
    source: str = ""


@dataclass(frozen=True)
class HandCheck:
    """What the sheet holds: ``inputs`` and ``sections`` in order."""

    inputs: list
    sections: list

    @property
    def rows(self):
        return [row for section in self.sections for row in section.rows]


def hand_check(plan, tables, prepared, places, sums, words, *, whole=True):
    """Return the :class:`HandCheck` of published tables.

    places  :class:`planner.report.sheet_parts.Places`;  sums {table: its rows of sums, dicts by column}
    whole   False for the rows of one city: what only the province adds up to is left out
    """
    inputs = _inputs(plan.scenario, tables, prepared, words)
    figures = _Figures(plan, tables, prepared, places, sums, inputs, words, whole)
    sections = [make(figures) for make, needs in SECTIONS if all(len(tables.get(name, ())) for name in needs)]
    return HandCheck(inputs, [section for section in sections if section.rows])


def _inputs(scenario, tables, prepared, words):
    """Return the scenario's figures that the formulas start from: targets by city, persons a vehicle, uplifts."""
    settings = {setting.field: setting for setting in ALL_SETTINGS}
    changed = {override.key for override in scenario.overrides}
    cities = tables.get("beds_by_city", ())
    found = []
    if len(cities):
        for code, name in zip(cities["code"], cities["name"], strict=True):
            target = scenario.bed_targets[code]
            source = _target_source(code, target, settings["bed_targets"], changed, prepared.standards, words)
            found.append(Input("bed_targets", code, name, float(target), source))
    for field in ("persons_per_ambulance",):
        setting = settings[field]
        source = basis(setting, prepared.standards[setting.standard], changed, words)
        found.append(Input(field, "", "", float(getattr(scenario, field)), source))
    counties = tables.get("beds_by_county")
    for code, percent in sorted(scenario.ambulance_uplift.items()):
        if counties is not None and counties["code"].eq(code).any():
            name = counties.set_index("code").at[code, "name"]
            source = basis(settings["ambulance_uplift"], None, changed, words)
            found.append(Input("ambulance_uplift", code, name, float(percent), source))
    return found


def _target_source(code, target, setting, changed, standards, words):
    """Return the clause of a city's target; where the scenario has another figure, that it is the scenario's."""
    if code in standards.cities:
        standard = standards.city_bed_target(code)
        if Fraction(target) == Fraction(standard.value):
            return f"{standard.document} {standard.clause}"
        return words("report.basis_scenario")
    return basis(setting, None, changed, words)


class _Figures:
    """The tables with the addresses of their cells, as the sections ask for them."""

    def __init__(self, plan, tables, prepared, places, sums, inputs, words, whole):
        self.plan, self.tables, self.prepared, self.sums = plan, tables, prepared, sums
        self.places, self.words, self.whole = places, words, whole
        self.cell, self.column, self.total = places.cell, places.column, places.total
        self._inputs = {(each.key, each.code): FIRST_INPUT + i for i, each in enumerate(inputs)}

    def input(self, key, code=""):
        return f"${NUMBER}${self._inputs[key, code]}"

    def rows(self, table):
        """Return [(row from 0, {column: value})]."""
        return list(enumerate(self.tables[table].to_dict("records")))

    def said(self, table, column):
        """Return what a column holds, with its mark."""
        return self.words(f"column.{column}") + TABLES[table].mark(column)

    def row(self, table, column, at, line, formula, value, **more):
        """Return a :class:`Row` against one cell of ``table``; ``line`` is its row as a dict."""
        plan = self.cell(table, column, at)
        code, place = line.get("code", ""), line.get("name", "")
        return Row(code, place, self.said(table, column), formula, value, plan, line[column], **more)

    def end(self, table, column, formula, value, number=0, code="", **more):
        """Return a :class:`Row` against a sum below ``table``."""
        line = self.sums[table][number]
        place = self.words("report.total")
        if line.get("setting"):
            code = word("setting", line["setting"], self.words)
        plan = self.total(table, column, number)
        return Row(code, place, self.said(table, column), formula, value, plan, line[column], **more)

    def sum_rows(self, table, column, source, counted, by="city_code"):
        """Return rows for each place of ``table``: the sum of ``counted`` over the rows of ``source`` that are its."""
        of, key = self.tables[source], self.column(source, by)
        return [
            self.row(
                table,
                column,
                i,
                line,
                f"SUMIFS({self.column(source, counted)},{key},{{code}})",
                int(of.loc[of[by].eq(line["code"]), counted].sum()),
            )
            for i, line in self.rows(table)
        ]

    def all_rows(self, table, columns):
        """Return rows for the sums below a table of cities; none for one city, which is its own sum."""
        if not self.whole or not self.sums.get(table):
            return []
        last = len(self.sums[table]) - 1
        return [
            self.end(table, c, f"SUM({self.column(table, c)})", int(self.tables[table][c].sum()), last) for c in columns
        ]


def _targets(f):
    rows, standards = [], f.prepared.standards
    for i, line in f.rows("beds_by_city"):
        persons, now = f.cell("beds_by_city", "persons", i), f.cell("beds_by_city", "beds_now", i)
        target = f.plan.scenario.bed_targets[line["code"]]
        value = max(half_up(Fraction(target) * line["persons"] / 1000), line["beds_now"])
        # The product of decimals is made exact before it is halved, so that a half goes up here as it does in the plan.
        formula = f"MAX(ROUND(ROUND({persons}*{f.input('bed_targets', line['code'])},6)/1000,0),{now})"
        rows.append(f.row("beds_by_city", "beds_target", i, line, formula, value))
    beds = f.tables["beds_by_city"]
    above = f"SUMPRODUCT(--({f.column('beds_by_city', 'beds_plan')}>{f.column('beds_by_city', 'beds_target')}))"
    rows.append(
        Row("", "", f.words("worksheet.above"), above, int((beds["beds_plan"] > beds["beds_target"]).sum()), None, 0)
    )
    known = [code for code in beds["code"] if code in standards.cities]
    source = standards.city_bed_target(known[0]) if known else None
    return Section("targets", rows, f"{source.document} {source.clause}" if source else "")


def _counties(f):
    rows = [
        row
        for column in ("persons", "beds_now", "beds_plan")
        for row in f.sum_rows("beds_by_city", column, "beds_by_county", column)
    ]
    return Section("counties", rows)


def _quotas(f):
    rows = f.sum_rows("beds_by_city", "beds_plan", "bed_quotas", "beds_plan")
    county, quotas = f.tables["beds_by_county"], f.tables["bed_quotas"]
    given = quotas.groupby("code")["beds_plan"].sum().reindex(county["code"]).fillna(0).to_numpy()
    planned, codes = (f.column("beds_by_county", column) for column in ("beds_plan", "code"))
    cells, keys = f.column("bed_quotas", "beds_plan"), f.column("bed_quotas", "code")
    odd = f"SUMPRODUCT(--(SUMIFS({cells},{keys},{codes})<>{planned}))"
    return Section(
        "quotas",
        [
            *rows,
            Row("", "", f.words("worksheet.odd_counties"), odd, int((given != county["beds_plan"]).sum()), None, 0),
        ],
    )


def _structure(f):
    """The first area of the table is the one that all quotas together are of."""
    rows, area, quotas = [], f.tables["bed_structure"]["area_code"].iloc[0], f.tables["bed_quotas"]
    for i, line in f.rows("bed_structure"):
        if line["area_code"] != area:
            break
        cells = f.column("bed_quotas", "beds_plan")
        if line["part"] == "total":
            formula, value = f"SUM({cells})", int(quotas["beds_plan"].sum())
        else:
            formula = f"SUMIFS({cells},{f.column('bed_quotas', line['part'])},{{place}})"
            value = int(quotas.loc[quotas[line["part"]].eq(line["item"]), "beds_plan"].sum())
        part = "item" if line["part"] == "total" else line["part"]
        said = {"code": line["area_code"], "name": word(part, line["item"], f.words)}
        rows.append(f.row("bed_structure", "beds_plan", i, line | said, formula, value))
    return Section("structure", rows)


def _totals(f):
    return Section("totals", f.all_rows("beds_by_city", ("persons", "beds_now", "beds_target", "beds_plan")))


def _densities(f):
    rows = []
    for column, counted in (("now_per_1000", "beds_now"), ("plan_per_1000", "beds_plan")):
        for i, line in f.rows("beds_by_city"):
            if line["persons"]:
                beds, persons = (f.cell("beds_by_city", c, i) for c in (counted, "persons"))
                value = _decimal(Fraction(1000 * line[counted], line["persons"]), 2)
                formula = f"ROUND({beds}*1000/{persons},2)"
                rows.append(f.row("beds_by_city", column, i, line, formula, value, kind="density"))
        if f.whole and f.sums.get("beds_by_city"):
            (line,) = f.sums["beds_by_city"]
            beds, persons = (f.total("beds_by_city", c) for c in (counted, "persons"))
            value = _decimal(Fraction(1000 * line[counted], line["persons"]), 2)
            rows.append(f.end("beds_by_city", column, f"ROUND({beds}*1000/{persons},2)", value, kind="density"))
    return Section("densities", rows)


def _fleet(f):
    per, rows = f.plan.scenario.persons_per_ambulance, []
    for i, line in f.rows("ambulances_by_city"):
        persons, uplift = (f.cell("ambulances_by_city", c, i) for c in ("persons", "uplift"))
        formula = f"ROUNDUP({persons}/{f.input('persons_per_ambulance')},0)+{uplift}"
        value = ceiling(Fraction(line["persons"], per)) + line["uplift"]
        rows.append(f.row("ambulances_by_city", "required", i, line, formula, value))
    rows += f.all_rows("ambulances_by_city", ("required", "plan"))
    standard = f.prepared.standards["ambulance_per_30000"]
    return Section("fleet", rows, f"{standard.document} {standard.clause}")


def _uplift(f):
    """What remote counties get beyond their share, by city; rows only where the scenario has such."""
    per, counties = f.input("persons_per_ambulance"), f.tables["beds_by_county"]
    rows = []
    for i, line in f.rows("ambulances_by_city"):
        parts, value = [], 0
        for at, county in f.rows("beds_by_county"):
            percent = f.plan.scenario.ambulance_uplift.get(county["code"])
            if percent is not None and county["city_code"] == line["code"]:
                persons = f.cell("beds_by_county", "persons", at)
                parts.append(f"ROUNDUP(ROUND({persons}*{f.input('ambulance_uplift', county['code'])},6)/(100*{per}),0)")
                share = Fraction(
                    county["persons"] * Fraction(str(percent)), 100 * f.plan.scenario.persons_per_ambulance
                )
                value += ceiling(share)
        if parts:
            rows.append(f.row("ambulances_by_city", "uplift", i, line, "+".join(parts), value))
    return Section("uplift", rows if len(counties) else [])


def _vehicles(f):
    stations = f.tables["stations"]
    rows = f.sum_rows("ambulances_by_city", "plan", "stations", "ambulances")
    for i, line in f.rows("ambulances_by_city"):
        formula = f"COUNTIFS({f.column('stations', 'city_code')},{{code}})"
        rows.append(
            f.row("ambulances_by_city", "stations", i, line, formula, int(stations["city_code"].eq(line["code"]).sum()))
        )
    for i, line in f.rows("ambulances_by_city"):
        if not absent(line["persons_per_vehicle"]) and line["plan"]:
            persons, plan = (f.cell("ambulances_by_city", c, i) for c in ("persons", "plan"))
            value = half_up(Fraction(line["persons"], line["plan"]))
            rows.append(
                f.row("ambulances_by_city", "persons_per_vehicle", i, line, f"ROUND({persons}/{plan},0)", value)
            )
    return Section("vehicles", rows)


def _statuses(f):
    stations, rows = f.tables["stations"], []
    if not f.sums.get("station_tiers"):
        return Section("statuses", rows)
    for status in STATUSES:
        formula = f"COUNTIFS({f.column('stations', 'status')},{{code}})"
        said = word("status", status, f.words)
        value = int(stations["status"].eq(status).sum())
        rows.append(f.end("station_tiers", status, formula, value, code=said))
    formula = f"ROWS({f.column('stations', 'status')})"
    return Section("statuses", [*rows, f.end("station_tiers", "stations", formula, len(stations))])


def _coverage(f):
    rows, county = [], f.tables["coverage_by_county"]
    keys = [f.column("coverage_by_county", c) for c in ("covered", "city_code", "setting")]
    for i, line in f.rows("coverage_by_city"):
        setting = f.cell("coverage_by_city", "setting", i)
        of = county["city_code"].eq(line["code"]) & county["setting"].eq(line["setting"])
        formula = f"SUMIFS({keys[0]},{keys[1]},{{code}},{keys[2]},{setting})"
        row = _with_setting(line, f.words)
        rows.append(f.row("coverage_by_city", "covered", i, row, formula, int(county.loc[of, "covered"].sum())))
    for i, line in f.rows("coverage_by_city"):
        persons, covered = (f.cell("coverage_by_city", c, i) for c in ("persons", "covered"))
        row = _with_setting(line, f.words)
        rows.append(
            f.row("coverage_by_city", "uncovered", i, row, f"{persons}-{covered}", line["persons"] - line["covered"])
        )
    city = f.tables["coverage_by_city"]
    for number, setting in enumerate(SETTINGS if f.sums.get("coverage_by_city") else ()):
        for column in ("persons", "covered", "uncovered"):
            key, of = f.column("coverage_by_city", "setting"), city["setting"].eq(setting)
            formula = f"SUMIFS({f.column('coverage_by_city', column)},{key},{{code}})"
            rows.append(f.end("coverage_by_city", column, formula, int(city.loc[of, column].sum()), number))
    return Section("coverage", rows)


def _with_setting(line, words):
    return line | {"name": f"{line['name']} {word('setting', line['setting'], words)}"}


def _shares(f):
    """The shares that the cover says: nobody but everyone is 100.0, nobody but no one 0.0."""
    rows = []
    for number in range(len(SETTINGS) if f.whole and f.sums.get("coverage_by_city") else 0):
        line = f.sums["coverage_by_city"][number]
        for column in ("covered_now", "covered") if line["persons"] else ():
            persons, part = (f.total("coverage_by_city", c, number) for c in ("persons", column))
            formula = f"IF({part}={persons},100,IF({part}=0,0,MIN(99.9,MAX(0.1,ROUND({part}*100/{persons},1)))))"
            row = f.end("coverage_by_city", column, formula, _share(line[column], line["persons"]), number)
            said = f.words("worksheet.share", what=row.said)
            rows.append(Row(row.code, row.place, said, formula, row.value, None, row.value, "percent"))
    return Section("shares", rows)


def _share(part, whole):
    if part in (0, whole):
        return 100.0 if part else 0.0
    return min(max(_decimal(Fraction(100 * part, whole), 1), 0.1), 99.9)


def _centres(f):
    rows, near = [], f.tables["catchments"]
    persons, km = f.column("catchments", "persons"), f.column("catchments", "km")
    if f.whole:
        key = f.column("catchments", "centre_city_code")
        for i, line in f.rows("centres"):
            formula, of = f"SUMIFS({persons},{key},{{code}})", near["centre_city_code"].eq(line["city_code"])
            row = line | {"code": line["city_code"]}
            rows.append(f.row("centres", "persons", i, row, formula, int(near.loc[of, "persons"].sum())))
    sums = f.sums["beds_by_city"][0]
    plan = f.total("beds_by_city", "persons")
    said, total = f.words("worksheet.catchments"), f.words("report.total")
    rows.append(Row("", total, said, f"SUM({persons})", int(near["persons"].sum()), plan, sums["persons"]))
    if f.whole and near["persons"].sum():
        metres = [int(rounded(each * 1000, 0)) for each in near["km"]]
        mean = Fraction(
            sum(m * p for m, p in zip(metres, near["persons"].tolist(), strict=True)), int(near["persons"].sum())
        )
        mean = _decimal(mean / 1000, 1)
        formula = f"ROUND(SUMPRODUCT({km},{persons})/SUM({persons}),1)"
        rows.append(Row("", total, f.words("worksheet.mean_km"), formula, mean, None, mean, "km"))
    return Section("centres", rows)


def _verdicts(f):
    """Clauses by verdict, against the gaps they follow from."""
    table, gap = f.tables["compliance"], f.column("compliance", "gap")
    verdict, counted = f.column("compliance", "verdict"), table["verdict"].value_counts()
    known = table["gap"].notna()
    asked = (
        (("met", "over"), f'COUNTIF({gap},">=0")', int((table["gap"][known] >= 0).sum())),
        (("unmet",), f'COUNTIF({gap},"<0")', int((table["gap"][known] < 0).sum())),
        (("no_data",), f"ROWS({gap})-COUNT({gap})", int((~known).sum())),
    )
    rows = []
    for verdicts, formula, value in asked:
        said = [word("verdict", each, f.words) for each in verdicts]
        cells = ["{code}", "{place}"][: len(said)]
        plan = "+".join(f"COUNTIFS({verdict},{cell})" for cell in cells)
        told = f.words("worksheet.clauses")
        rows.append(
            Row(said[0], "".join(said[1:]), told, formula, value, plan, int(sum(counted.get(v, 0) for v in verdicts)))
        )
    return Section("verdicts", rows)


def _decimal(number, places):
    """Return an exact number with ``places`` decimals, halves upwards."""
    return half_up(number * 10**places) / 10**places


SECTIONS = (  # and the tables that each needs
    (_targets, ("beds_by_city",)),
    (_counties, ("beds_by_city", "beds_by_county")),
    (_quotas, ("beds_by_city", "beds_by_county", "bed_quotas")),
    (_structure, ("bed_structure", "bed_quotas")),
    (_totals, ("beds_by_city",)),
    (_densities, ("beds_by_city",)),
    (_fleet, ("ambulances_by_city",)),
    (_uplift, ("ambulances_by_city", "beds_by_county")),
    (_vehicles, ("ambulances_by_city", "stations")),
    (_statuses, ("stations", "station_tiers")),
    (_coverage, ("coverage_by_city", "coverage_by_county")),
    (_shares, ("coverage_by_city",)),
    (_centres, ("centres", "catchments", "beds_by_city")),
    (_verdicts, ("compliance",)),
)
