"""Chapters of the Word annex: emergency care, and the regional centres with their catchments."""

from geo.theme import figure
from planner.documents.annex.beds import centre_sentence, coverage_now, emergency_sentences
from planner.documents.annex.word_table import Column, Grid, Row
from planner.report.summary import share, thousands
from planner.report.tables import rounded
from planner.report.workbook import word

TIERS = ("city_centre", "county_station", "substation", "central_township", "township")
TIER_COLUMNS = ("name", *TIERS, "stations", "listed", "assumed", "new", "investment")
FLEET_COLUMNS = (
    *("name", "persons", "stations", "required", "plan", "negative_pressure", "persons_per_vehicle"),
    *("expected_share", "double_share"),
)
LIST_COLUMNS = ("name", "county", "tier", "status", "ambulances", "persons", "investment")
PLACE_COLUMNS = ("place", "county", "setting", "persons", "km")
CURVE_COLUMNS = ("stations", "persons", "share", "bound", "knee")
PLACES_SHOWN = 100  # of the places not covered; the workbook has them all


def emergency(annex):
    """Write stations by tier, coverage before and after, ambulances, and who is left."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_emergency"))
    paper.heading(2, words("annex.part_stations"))
    for sentence in emergency_sentences(annex) if annex.city is None else _city_sentences(annex):
        paper.text(sentence)
    _cover(annex)
    annex.figure("stations_urban")
    annex.figure("stations_rural")
    _tiers(annex)
    if annex.city is None and len(annex.tables["coverage_curve"]):
        grid = annex.grid("coverage_curve", CURVE_COLUMNS)
        paper.table(
            words("annex.cap_curve"),
            grid,
            unit=annex.units(CURVE_COLUMNS),
            note=words("how.bound"),
            source=annex.sources(annex.people),
        )
    paper.heading(2, words("annex.part_vehicles"))
    changes = {"name": {"heading": words("annex.head_city")}}
    paper.table(
        words("annex.cap_vehicles", area=annex.area),
        annex.grid("ambulances_by_city", FLEET_COLUMNS, total=True, changes=changes),
        unit=annex.units(FLEET_COLUMNS),
        note=words("how.expected") + words("how.double_share"),
        source=annex.sources(annex.people),
    )
    annex.figure("ambulances")
    paper.heading(2, words("annex.part_uncovered"))
    _uncovered(annex)
    paper.heading(2, words("annex.part_list"))
    _list(annex)


def _city_sentences(annex):
    words, fleet = annex.words, annex.tables["ambulances_by_city"].iloc[0]
    stations, left = annex.tables["stations"], int(annex.coverage["uncovered"].sum())
    shares = {f"{s}_share": annex.shares(s, "covered")[""] + "%" for s in ("urban", "rural")}
    new = thousands(stations["status"].eq("new").sum())
    said = words("annex.city_stations", city=annex.area, total=thousands(len(stations)), new=new, **shares)
    said += words("report.say_uncovered", persons=thousands(left)) if left else words("report.say_all_covered")
    vehicles = words(
        "annex.city_vehicles",
        city=annex.area,
        plan=thousands(fleet["plan"]),
        required=thousands(fleet["required"]),
        expected=share(fleet["expected"], fleet["persons"]),
    )
    return [coverage_now(annex), said, vehicles]


def _cover(annex):
    """Write coverage with the stations there are and as planned, side by side, urban and rural."""
    words, frame = annex.words, annex.coverage
    heads = [annex.area_column()]
    parts = []
    for setting in ("urban", "rural"):
        over = words(f"annex.head_{setting}")
        heads.append(Column(words("annex.head_persons"), over=over))
        heads += [Column(words(f"annex.head_{when}_share"), italic=True, over=over) for when in ("now", "plan")]
        persons = frame[frame["setting"].eq(setting)].set_index("code")["persons"]
        counted = {code: thousands(count) for code, count in persons.items()} | {"": thousands(persons.sum())}
        parts += [counted, annex.shares(setting, "covered_now"), annex.shares(setting, "covered")]
    heads.append(Column(words("annex.head_uncovered"), italic=True))
    left = frame.groupby("code")["uncovered"].sum()
    parts.append({code: thousands(count) for code, count in left.items()} | {"": thousands(left.sum())})
    absent = words("report.absent")
    rows = [
        Row((annex.names[code], *(part.get(code, absent) for part in parts))) for code in dict.fromkeys(frame["code"])
    ]
    rows.append(Row((words("report.total"), *(part[""] for part in parts)), "total"))
    annex.paper.table(
        words("annex.cap_cover", area=annex.area),
        Grid(tuple(heads), tuple(rows)),
        unit=annex.unit_line([words("unit.persons"), words("annex.unit_share")]),
        note=annex.source.summary.rule,
        source=annex.sources(annex.people),
    )


def _tiers(annex):
    words, frame = annex.words, annex.tables["station_tiers"]
    columns = tuple(column for column in TIER_COLUMNS if column != "listed" or frame["listed"].any())
    grid = annex.grid("station_tiers", columns, total=True, changes={"name": {"heading": words("annex.head_city")}})
    note = words("report.mark_assumed")
    caption = words("annex.cap_tiers", area=annex.area)
    annex.paper.table(caption, grid, unit=annex.units(columns), note=note, source=annex.sources())


def _uncovered(annex):
    """Write the places that are beyond the standard, those with most people first."""
    words, frame = annex.words, annex.tables["uncovered_places"]
    if frame.empty:
        annex.paper.text(words("annex.uncovered_none"))
        return
    shown = frame.head(PLACES_SHOWN)
    columns = tuple("minutes" if c == "km" and frame["km"].isna().all() else c for c in PLACE_COLUMNS)
    note = [words("table.uncovered_places.note")]
    if len(frame) > len(shown):
        sheet = words("table.uncovered_places.sheet")
        note.append(words("annex.more_rows", shown=len(shown), left=thousands(len(frame) - len(shown)), sheet=sheet))
    annex.figure("uncovered")
    annex.paper.table(
        words("annex.cap_uncovered"),
        annex.grid("uncovered_places", columns, shown),
        unit=annex.units(columns),
        note="".join(note),
        source=annex.sources(annex.people),
    )


def _list(annex):
    """Write every station, grouped by city."""
    words, frame = annex.words, annex.tables["stations"]
    order = {code: i for i, code in enumerate(annex.source.said["beds_by_city"]["code"])}
    frame = frame.sort_values("city_code", key=lambda codes: codes.map(order), kind="stable")
    heads, rows, before = [], [], None
    for column in LIST_COLUMNS:
        if column == "county":
            heads.append(Column(words("annex.head_county"), "left", wraps=True))
        else:
            heads.append(annex.column("stations", column))
    for row in frame.to_dict("records"):
        if annex.city is None and row["city_code"] != before:
            rows.append(Row((annex.names[row["city_code"]],), "band"))
        before = row["city_code"]
        told = {column: annex.cell("stations", column, row[column]) for column in LIST_COLUMNS if column != "county"}
        told["county"] = annex.names[row["county_code"]]
        rows.append(Row(tuple(told[column] for column in LIST_COLUMNS)))
    sums = {name: thousands(frame[name].sum()) for name in ("ambulances", "persons", "investment")}
    total = {"name": words("report.total")} | sums
    rows.append(Row(tuple(total.get(column, "") for column in LIST_COLUMNS), "total"))
    annex.paper.table(
        words("annex.cap_list", area=annex.area),
        Grid(tuple(heads), tuple(rows)),
        unit=annex.units(LIST_COLUMNS),
        note=words("table.stations.note"),
        source=annex.sources(annex.people),
    )


# -- centres -----------------------------------------------------------------------------------------------------------


def centres(annex):
    """Write the regional centres and whom they serve."""
    words, paper = annex.words, annex.paper
    paper.heading(1, words("annex.chapter_centres"))
    near = annex.tables["catchments"]
    if annex.city is None:
        paper.text(centre_sentence(annex))
        _centre_table(annex, near)
        annex.figure("centres")
        _members(annex, near)
        return
    names = words("report.list_comma").join(annex.names[code] for code in dict.fromkeys(near["centre_city_code"]))
    farthest = near.loc[near["km"].idxmax()]
    said = {"centres": names, "mean": _mean(near), "farthest": farthest["county"], "most": figure(farthest["km"], 1)}
    paper.text(words("annex.city_centres", city=annex.area, **said))
    _county_centres(annex, near)
    annex.figure("centres")


def _mean(near):
    """Return the mean distance of people to their centre, in kilometres with one decimal."""
    metres = (near["km"] * 1000).round().astype("int64")
    return f"{rounded(int((metres * near['persons']).sum()) / max(int(near['persons'].sum()), 1) / 1000, 1)}"


def _centre_table(annex, near):
    words = annex.words
    heads = [Column(words("annex.head_centre"), "left"), annex.column("centres", "level", wraps=False)]
    heads.append(Column(words("annex.head_counties")))
    heads.append(annex.column("centres", "persons"))
    heads.append(Column(words("annex.head_mean_km")))
    heads += [Column(words("annex.head_farthest"), "left", wraps=True), Column(words("annex.head_farthest_km"))]
    rows = []
    for row in annex.source.said["centres"].to_dict("records"):
        of = near[near["centre_city_code"].eq(row["city_code"])]
        far = of.loc[of["km"].idxmax()] if len(of) else None
        told = (far["county"], figure(far["km"], 1)) if far is not None else (words("report.absent"),) * 2
        mean = _mean(of) if len(of) else words("report.absent")
        level = word("level", row["level"], words)
        rows.append(Row((annex.names[row["city_code"]], level, str(len(of)), thousands(row["persons"]), mean, *told)))
    far = near.loc[near["km"].idxmax()]
    last = (str(len(near)), thousands(near["persons"].sum()), _mean(near), far["county"], figure(far["km"], 1))
    rows.append(Row((words("report.total"), "", *last), "total"))
    unit = annex.unit_line([words("unit.counties"), words("unit.persons"), words("annex.unit_km")])
    source = annex.sources(annex.people, annex.documents(annex.tables["compliance"]))
    annex.paper.table(words("annex.cap_centres"), Grid(tuple(heads), tuple(rows)), unit=unit, source=source)


def _members(annex, near):
    words = annex.words
    heads = (Column(words("annex.head_centre"), "left"), Column(words("annex.head_members"), "left", wraps=True))
    rows = []
    for code in annex.source.said["centres"]["city_code"]:
        of = near[near["centre_city_code"].eq(code)]
        told = words("report.list_comma").join(f"{row.county} {figure(row.km, 1)}" for row in of.itertuples())
        rows.append(Row((annex.names[code], told or words("report.none"))))
    unit = annex.unit_line([words("annex.unit_km")])
    note = words("table.catchments.note")
    annex.paper.table(
        words("annex.cap_catchments"), Grid(heads, tuple(rows)), unit=unit, note=note, source=annex.sources()
    )


def _county_centres(annex, near):
    words = annex.words
    heads = (
        Column(words("annex.head_county"), "left", wraps=True),
        annex.column("catchments", "persons"),
        Column(words("annex.head_centre"), "left"),
        annex.column("catchments", "km"),
    )
    rows = tuple(
        Row((row.county, thousands(row.persons), annex.names[row.centre_city_code], figure(row.km, 1)))
        for row in near.itertuples()
    )
    unit = annex.unit_line([words("unit.persons"), words("annex.unit_km")])
    caption = words("annex.cap_county_centres", area=annex.area)
    note = words("table.catchments.note")
    annex.paper.table(caption, Grid(heads, rows), unit=unit, note=note, source=annex.sources(annex.people))
