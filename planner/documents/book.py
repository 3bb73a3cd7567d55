"""The workbook of a finished plan: of the province, or of one city's rows alone."""

from dataclasses import dataclass, replace

from planner.report.summary import density, thousands
from planner.report.tables import clean_text
from planner.report.workbook import write_workbook

PLACES = ("city_code", "code", "area_code", "county_code")  # columns that tell a row's place, the first there is
JUDGED = ("evaluation", "evaluation_indicators")  # whose codes are also the ids of a facility table
CENTRES = {  # kept where the city's people go to them: their catchments, the centre's own code and as it stands there
    "centres": ("catchments", "city_code", "centre_city_code"),
    "centres_free": ("catchments_free", "county_code", "centre_county_code"),
}


@dataclass(frozen=True)
class Said:
    """A check that has its sentence."""

    sentence: str

    def tell(self, words):
        return self.sentence


def write_tables(source, path, *, city=None):
    """Write the workbook of a :class:`planner.documents.source.Source`: cover, hand check, charts and tables.

    city  a code: the rows of that city and its counties alone. Tables about the province as a whole are left out,
          which the cover says. Raises KeyError for a city that the region does not have, and OSError.
    The same source gives the same bytes.
    """
    tables, summary, cleaned, left_out = source.tables, source.summary, source.cleaned, ()
    if city is not None:
        tables, cleaned, left_out = rows_of(source, city)
        summary = _of_city(source, tables, city)
    checks = [Said(sentence) for sentence in source.checks]
    about = (source.plan, tables, source.prepared, summary, checks, cleaned, path, source.words)
    write_workbook(*about, whole=city is None, left_out=left_out)


def rows_of(source, city):
    """Return (tables, cleaned, left out) of one city.

    tables    {table: its rows that are about the city or its counties, in order}
    cleaned   the source's, where those rows stand now
    left out  names of tables about the province as a whole
    Raises KeyError for a city that the region does not have.
    """
    tables, places, row_now = {}, _places(source, city), {}
    for name, frame in source.tables.items():
        kept = _kept(name, frame, source.tables, places)
        if kept is not None:
            tables[name] = frame[kept].reset_index(drop=True)
            row_now[name] = {at + 1: row for row, at in enumerate(kept.to_numpy().nonzero()[0], start=1)}
    cleaned = [
        replace(each, row=row_now[each.table][each.row])
        for each in source.cleaned
        if each.row in row_now.get(each.table, ())
    ]
    return tables, cleaned, tuple(name for name in source.tables if name not in tables)


def _places(source, city):
    """Return the codes of a city and its counties."""
    if city not in source.region.cities.index:
        raise KeyError(city)
    counties = source.region.counties
    return {city, *counties.index[counties["city_code"].eq(city)]}


def _kept(name, frame, tables, places):
    """Return which rows are about the places; None for a table about the province as a whole."""
    if name in CENTRES:
        catchments, own, centre = CENTRES[name]
        near = tables[catchments]
        return frame[own].isin(near.loc[near["county_code"].isin(places), centre])
    if name == "freezes":  # a rule for all holds here too
        return frame["county_code"].isin(places) | frame["id"].isin(places) | frame["scope"].eq("province")
    column = next((column for column in PLACES if column in frame), None)
    if column is None:
        return None
    if name in JUDGED and "facilities" in tables:
        facilities = tables["facilities"]
        places = places | set(facilities.loc[facilities["city_code"].isin(places), "id"])
    return frame[column].isin(places)


def _of_city(source, tables, city):
    """Return the summary of one city: what is planned there, and that the rows are the province's own."""
    words, beds, fleet = source.words, tables["beds_by_city"], tables["ambulances_by_city"]
    name = clean_text(source.names[city])
    now, planned, persons = (int(beds[column].sum()) for column in ("beds_now", "beds_plan", "persons"))
    figures = {
        "city": name,
        "persons": thousands(persons),
        "beds": thousands(planned),
        "stations": thousands(len(tables["stations"])),
        "ambulances": thousands(fleet["plan"].sum()),
    }
    headline = []
    if persons:
        changed = {"plan": thousands(planned), "now": thousands(now), "new": thousands(planned - now)}
        dense = {"now_density": density(now, persons), "plan_density": density(planned, persons)}
        headline.append(words("worksheet.city_beds", city=name, **changed, **dense))
    uncovered = thousands(tables["coverage_by_city"]["uncovered"].sum())
    required = thousands(fleet["required"].sum())
    said = {key: figures[key] for key in ("stations", "ambulances")}
    headline.append(words("worksheet.city_stations", **said, required=required, uncovered=uncovered))
    headline.append(words("worksheet.city_only", city=name))
    title = words("worksheet.city_title", title=source.summary.title, city=name)
    return replace(source.summary, title=title, subtitle=words("worksheet.city_subtitle", **figures), headline=headline)
