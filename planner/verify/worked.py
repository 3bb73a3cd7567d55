"""What the workbook's sheet that is checked by hand should say: each formula, written once more from the rules alone.

In a formula [table.column] is a column of a table, [table.column@3] its fourth cell, [table.column+0] its first sum,
[=key code] an input, {code} and {place} the row's own cells. What Excel would make of it is worked out from the tables.
"""

from dataclasses import dataclass
from fractions import Fraction

from planner.verify.facts import half_up
from planner.verify.limits import ceiling, exact

SETTINGS = ("urban", "rural")


@dataclass(frozen=True)
class Worked:
    """One row that there should be.

    code, place  text; (table, column, word): as that table says the word; with a fourth, that name before it; (key,)
    said  the key of what stands before the figures;  planned None = the figure stands on the cover
    """

    code: object
    place: object
    said: str
    formula: str
    value: float
    planned: str | None
    figure: float


def worked_rows(facts, plan):
    """Return the :class:`Worked` rows in order, and [(key, code, name, value)] of the inputs."""
    scenario, city, county = facts.scenario, rows_of(plan, "beds_by_city"), rows_of(plan, "beds_by_county")
    inputs = [("bed_targets", line["code"], line["name"], scenario.bed_targets[line["code"]]) for line in city]
    inputs.append(("persons_per_ambulance", "", "", scenario.persons_per_ambulance))
    names = {line["code"]: line["name"] for line in county}
    raised = {code: exact(percent) for code, percent in sorted(scenario.ambulance_uplift.items()) if code in names}
    inputs += [("ambulance_uplift", code, names[code], percent) for code, percent in raised.items()]
    rows = [*_beds(scenario, plan, city, county), *_fleet(scenario, plan, county, raised), *_coverage(plan)]
    return [*rows, *_centres(plan), *_verdicts(plan)], inputs


def rows_of(plan, table):
    return plan[table].to_dict("records")


def _total(lines, column):
    return sum(line[column] for line in lines)


def _beds(scenario, plan, city, county):
    for i, line in enumerate(city):
        asked = half_up(Fraction(scenario.bed_targets[line["code"]]) * line["persons"] / 1000)
        formula = (
            f"MAX(ROUND(ROUND([beds_by_city.persons@{i}]*[=bed_targets {line['code']}],6)/1000,0),"
            f"[beds_by_city.beds_now@{i}])"
        )
        yield _city("beds_by_city", "beds_target", i, line, formula, max(asked, line["beds_now"]))
    above = sum(line["beds_plan"] > line["beds_target"] for line in city)
    formula = "SUMPRODUCT(--([beds_by_city.beds_plan]>[beds_by_city.beds_target]))"
    yield Worked("", "", "worksheet.above", formula, above, None, 0)
    for column in ("persons", "beds_now", "beds_plan"):
        for i, line in enumerate(city):
            formula = f"SUMIFS([beds_by_county.{column}],[beds_by_county.city_code],{{code}})"
            value = _total([each for each in county if each["city_code"] == line["code"]], column)
            yield _city("beds_by_city", column, i, line, formula, value)
    yield from _quotas(plan, city, county)
    for column in ("persons", "beds_now", "beds_target", "beds_plan"):
        yield _sum("beds_by_city", column, f"SUM([beds_by_city.{column}])", _total(city, column), _total(city, column))
    persons = _total(city, "persons")
    for column, beds in (("now_per_1000", "beds_now"), ("plan_per_1000", "beds_plan")):
        for i, line in enumerate(city):
            if line["persons"]:
                formula = f"ROUND([beds_by_city.{beds}@{i}]*1000/[beds_by_city.persons@{i}],2)"
                yield _city("beds_by_city", column, i, line, formula, decimal(1000 * line[beds], line["persons"], 2))
        value = decimal(1000 * _total(city, beds), persons, 2)
        formula = f"ROUND([beds_by_city.{beds}+0]*1000/[beds_by_city.persons+0],2)"
        yield _sum("beds_by_city", column, formula, value, value)


def _quotas(plan, city, county):
    quotas, structure = rows_of(plan, "bed_quotas"), rows_of(plan, "bed_structure")
    for i, line in enumerate(city):
        formula = "SUMIFS([bed_quotas.beds_plan],[bed_quotas.city_code],{code})"
        value = _total([each for each in quotas if each["city_code"] == line["code"]], "beds_plan")
        yield _city("beds_by_city", "beds_plan", i, line, formula, value)
    given = {line["code"]: 0 for line in county}
    for line in quotas:
        given[line["code"]] = given.get(line["code"], 0) + line["beds_plan"]
    formula = (
        "SUMPRODUCT(--(SUMIFS([bed_quotas.beds_plan],[bed_quotas.code],[beds_by_county.code])"
        "<>[beds_by_county.beds_plan]))"
    )
    odd = sum(given[line["code"]] != line["beds_plan"] for line in county)
    yield Worked("", "", "worksheet.odd_counties", formula, odd, None, 0)
    for i, line in enumerate(each for each in structure if each["area_code"] == structure[0]["area_code"]):
        part = line["part"]
        formula = f"SUMIFS([bed_quotas.beds_plan],[bed_quotas.{part}],{{place}})"
        place, of = ("bed_quotas", part, line["item"]), [each for each in quotas if each.get(part) == line["item"]]
        if part == "total":
            formula, place, of = "SUM([bed_quotas.beds_plan])", ("bed_structure", "item", "total"), quotas
        planned = f"[bed_structure.beds_plan@{i}]"
        value = _total(of, "beds_plan")
        yield Worked(line["area_code"], place, "column.beds_plan", formula, value, planned, line["beds_plan"])


def _fleet(scenario, plan, county, raised):
    per, table = scenario.persons_per_ambulance, "ambulances_by_city"
    city, stations = rows_of(plan, table), rows_of(plan, "stations")
    for i, line in enumerate(city):
        formula = f"ROUNDUP([{table}.persons@{i}]/[=persons_per_ambulance],0)+[{table}.uplift@{i}]"
        yield _city(table, "required", i, line, formula, int(ceiling(Fraction(line["persons"], per))) + line["uplift"])
    for column in ("required", "plan"):
        yield _sum(table, column, f"SUM([{table}.{column}])", _total(city, column), _total(city, column))
    for i, line in enumerate(city):
        parts, value = [], 0
        for at, each in enumerate(county):
            if each["code"] in raised and each["city_code"] == line["code"]:
                persons, percent = f"[beds_by_county.persons@{at}]", f"[=ambulance_uplift {each['code']}]"
                parts.append(f"ROUNDUP(ROUND({persons}*{percent},6)/(100*[=persons_per_ambulance]),0)")
                value += int(ceiling(Fraction(each["persons"]) * raised[each["code"]] / (100 * per)))
        if parts:
            yield _city(table, "uplift", i, line, "+".join(parts), value)
    if stations:
        yield from _stations(table, city, stations, rows_of(plan, "station_tiers"))


def _stations(table, city, stations, tiers):
    for i, line in enumerate(city):
        formula = "SUMIFS([stations.ambulances],[stations.city_code],{code})"
        value = _total([each for each in stations if each["city_code"] == line["code"]], "ambulances")
        yield _city(table, "plan", i, line, formula, value)
    for i, line in enumerate(city):
        value = sum(each["city_code"] == line["code"] for each in stations)
        yield _city(table, "stations", i, line, "COUNTIFS([stations.city_code],{code})", value)
    for i, line in enumerate(city):
        if line["plan"] and line["persons_per_vehicle"] is not None:
            formula = f"ROUND([{table}.persons@{i}]/[{table}.plan@{i}],0)"
            value = half_up(Fraction(line["persons"], line["plan"]))
            yield _city(table, "persons_per_vehicle", i, line, formula, value)
    for status in ("listed", "assumed", "new"):
        value = sum(each["status"] == status for each in stations)
        code, said = ("stations", "status", status), f"column.{status}"
        planned, figure = f"[station_tiers.{status}+0]", _total(tiers, status)
        total = "report.total"
        yield Worked(code, (total,), said, "COUNTIFS([stations.status],{code})", value, planned, figure)
    yield _sum("station_tiers", "stations", "ROWS([stations.status])", len(stations), _total(tiers, "stations"))


def _coverage(plan):
    table = "coverage_by_city"
    city, county = rows_of(plan, table), rows_of(plan, "coverage_by_county")
    of_county = "[coverage_by_county.covered],[coverage_by_county.city_code],{code},[coverage_by_county.setting]"
    for i, line in enumerate(city):
        here = [each for each in county if (each["city_code"], each["setting"]) == (line["code"], line["setting"])]
        formula = f"SUMIFS({of_county},[{table}.setting@{i}])"
        yield _by_setting("covered", i, line, formula, _total(here, "covered"))
    for i, line in enumerate(city):
        formula = f"[{table}.persons@{i}]-[{table}.covered@{i}]"
        yield _by_setting("uncovered", i, line, formula, line["persons"] - line["covered"])
    sums = [[each for each in city if each["setting"] == setting] for setting in SETTINGS]
    for number, setting in enumerate(SETTINGS):
        for column in ("persons", "covered", "uncovered"):
            formula, value = f"SUMIFS([{table}.{column}],[{table}.setting],{{code}})", _total(sums[number], column)
            yield _sum(table, column, formula, value, value, number, setting)
    for number, setting in enumerate(SETTINGS):
        persons = _total(sums[number], "persons")
        for column in ("covered_now", "covered") if persons else ():
            part, whole = f"[{table}.{column}+{number}]", f"[{table}.persons+{number}]"
            least, most = f"MAX(0.1,ROUND({part}*100/{whole},1))", "99.9"
            formula = f"IF({part}={whole},100,IF({part}=0,0,MIN({most},{least})))"
            value = _share(_total(sums[number], column), persons)
            code = ("coverage_by_city", "setting", setting)
            yield Worked(code, ("report.total",), f"share column.{column}", formula, value, None, value)


def _by_setting(column, i, line, formula, value):
    place = ("coverage_by_city", "setting", line["setting"], line["name"])
    planned = f"[coverage_by_city.{column}@{i}]"
    return Worked(line["code"], place, f"column.{column}", formula, value, planned, line[column])


def _share(part, whole):
    """Return a share in per cent, one decimal, that is 0 for no one and 100 for everyone alone."""
    if part == whole:
        return 100
    return min(max(decimal(100 * part, whole, 1), Fraction(1, 10)), Fraction(999, 10)) if part else 0


def _centres(plan):
    near, centres = rows_of(plan, "catchments"), rows_of(plan, "centres")
    if not near or not centres:
        return
    for i, line in enumerate(centres):
        formula = "SUMIFS([catchments.persons],[catchments.centre_city_code],{code})"
        value = _total([each for each in near if each["centre_city_code"] == line["city_code"]], "persons")
        planned = f"[centres.persons@{i}]"
        yield Worked(line["city_code"], line["name"], "column.persons", formula, value, planned, line["persons"])
    persons, everyone = _total(near, "persons"), _total(rows_of(plan, "beds_by_city"), "persons")
    total = ("report.total",)
    planned = "[beds_by_city.persons+0]"
    yield Worked("", total, "worksheet.catchments", "SUM([catchments.persons])", persons, planned, everyone)
    metres = sum(half_up(Fraction(str(line["km"])) * 1000) * line["persons"] for line in near)
    formula = "ROUND(SUMPRODUCT([catchments.km],[catchments.persons])/SUM([catchments.persons]),1)"
    mean = decimal(metres, 1000 * persons, 1)
    yield Worked("", total, "worksheet.mean_km", formula, mean, None, mean)


def _verdicts(plan):
    gaps = [line["gap"] for line in rows_of(plan, "compliance")]
    verdicts = [line["verdict"] for line in rows_of(plan, "compliance")]
    known = [gap for gap in gaps if gap is not None]
    gap = "[compliance.gap]"
    for words, formula, value in (
        (("met", "over"), f'COUNTIF({gap},">=0")', sum(each >= 0 for each in known)),
        (("unmet",), f'COUNTIF({gap},"<0")', sum(each < 0 for each in known)),
        (("no_data",), f"ROWS({gap})-COUNT({gap})", len(gaps) - len(known)),
    ):
        code, place = (*(("compliance", "verdict", word) for word in words), "")[:2]
        cells = ("{code}", "{place}")[: len(words)]
        planned = "+".join(f"COUNTIFS([compliance.verdict],{cell})" for cell in cells)
        figure = sum(verdict in words for verdict in verdicts)
        yield Worked(code, place, "worksheet.clauses", formula, value, planned, figure)


def _city(table, column, i, line, formula, value):
    """Return a row of one city, against its own cell."""
    planned = f"[{table}.{column}@{i}]"
    return Worked(line["code"], line["name"], f"column.{column}", formula, value, planned, line[column])


def _sum(table, column, formula, value, figure, number=0, setting=None):
    """Return a row against a sum below a table."""
    code = "" if setting is None else (table, "setting", setting)
    return Worked(code, ("report.total",), f"column.{column}", formula, value, f"[{table}.{column}+{number}]", figure)


def decimal(part, whole, places):
    return Fraction(half_up(Fraction(part * 10**places, whole)), 10**places)


def chart_lines(plan):
    """Return {key: a value for each city, None where there is none} of the figures below the charts."""
    city, county = rows_of(plan, "beds_by_city"), rows_of(plan, "beds_by_county")
    lines = {f"{part}_per_1000": [line[f"{part}_per_1000"] for line in city] for part in ("now", "plan", "target")}
    coverage = {(line["code"], line["setting"]): line for line in rows_of(plan, "coverage_by_city")}
    for setting in SETTINGS:
        for when, column in (("now", "covered_now"), ("plan", "covered")):
            of = [coverage.get((line["code"], setting)) for line in city]
            lines[f"{setting}_{when}"] = [
                decimal(100 * line[column], line["persons"], 1) if line and line["persons"] else None for line in of
            ]
    fleet = {line["code"]: line for line in rows_of(plan, "ambulances_by_city")}
    for column in ("required", "plan"):
        lines[f"vehicles_{column}"] = [fleet[line["code"]][column] if line["code"] in fleet else None for line in city]
    dots = [[each["plan_per_1000"] for each in county if each["city_code"] == line["code"]] for line in city]
    dots = [sorted((value for value in values if value is not None), reverse=True) for values in dots]
    for n in range(max(map(len, dots), default=0)):
        lines[f"county_{n + 1}"] = [values[n] if n < len(values) else None for values in dots]
    return lines
