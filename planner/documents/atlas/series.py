"""What each sheet of the atlas shows of a plan: themes in order, and a view of each for the province or a city.

Class breaks are the theme's own and counts those of the sheet's area, so a colour says the same on every sheet.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo import theme
from geo.atlas_views import BORDERS, SEAT, SPOKE, Imprint, Key, Reach, Row, Series, Signs, Spokes, View
from geo.print_signs import CENTRE_STYLES, REACH_FILLS, STATION_STYLES, UNCOVERED_STYLES
from planner.documents.naming import province_code, stem
from planner.report.summary import share
from planner.report.tables import clean_text

MODELLED, ASSUMED = theme.MARKS["modelled"], theme.MARKS["assumed"]
NAMED_BELOW = {  # theme -> what stands below the names
    "beds_now": "beds",
    "beds_plan": "beds",
    "beds_change": "change",
    "access": "access",
    "stations_urban": "stations",
    "stations_rural": "stations",
    "ambulances": "ambulances",
    "centres": "centres",
    "uncovered": "uncovered",
    "difference": "change",
}
THEMES = tuple(NAMED_BELOW)
FEWER_ON_WHOLE = ("stations_urban", "stations_rural")  # on the region's sheet a county has room for less
WHOLE = 0  # number of the file with all sheets
VEHICLE_BASE, VEHICLE_ROOT = 4.6, 2.3  # points of a station's circle: base + root x square root of its vehicles
BEDS = (("beds_now", MODELLED), ("beds_plan", ""))  # told in all on the sheets about beds
PALE = {"points": 2.6, "fill": theme.PAPER, "edge": theme.QUIET, "width": 0.5}


@dataclass(frozen=True)
class SheetSpec:
    """One sheet: theme, code of its area, number of the theme, title, and its file's name without ending."""

    theme: str
    code: str
    number: int
    title: str
    stem: str


def themes_of(source):
    """Return the themes that a plan has: the difference only where it is held against another."""
    return tuple(name for name in THEMES if name != "difference" or source.against is not None)


def sheets(source, *, city=None):
    """Return the :class:`SheetSpec` of every sheet: the province, then its cities in order; or one city's alone."""
    codes = [city] if city else [province_code(source), *source.region.cities.index]
    return [spec_of(source, name, code) for code in codes for name in themes_of(source)]


def spec_of(source, name, code):
    """Return the :class:`SheetSpec` of a theme and an area."""
    number, title = THEMES.index(name) + 1, source.words(f"series.{name}_title")
    return SheetSpec(name, code, number, title, stem(source, code, number, title))


def series_of(source, *, paper="A3", orientation="auto", imprint=None, font=None):
    """Return the :class:`geo.atlas.Series` of a plan: all that its sheets share."""
    region, words, names = source.region, source.words, named(source)
    cities = region.cities[["lon", "lat", "geometry"]].assign(name=[names[code] for code in region.cities.index])
    counties = region.counties[["city_code", "geometry"]].assign(name=[names[code] for code in region.counties.index])
    notes = [words("series.note", **theme.MARKS), words("series.small")]
    if source.cleaned:
        notes.append(words("series.cleaned", count=len(source.cleaned)))
    return Series(
        code=province_code(source),
        province=region.province,
        cities=cities,
        counties=counties,
        words=words,
        rule=clean_text(source.summary.rule),
        notes=(words("series.next").join(notes),),
        sources=clean_text(words("series.between").join(source.summary.credits)),
        interim=clean_text(source.summary.interim),
        paper=paper,
        orientation=orientation,
        imprint=imprint or Imprint(),
        font=font,
    )


def named(source):
    """Return {code: name} in the source's language, as text a document can carry; a name begins large."""
    whole = province_code(source)
    names = source.names | {whole: source.names[whole]}
    texts = {code: clean_text(name) for code, name in names.items()}
    return {code: text[:1].upper() + text[1:] for code, text in texts.items()}


def view_of_sheet(source, spec):
    """Return the :class:`geo.atlas.View` of one sheet."""
    return VIEWS[spec.theme](_Sheet(source, spec))


class _Sheet:
    """What the views of a sheet have in common: its counties, its words, and the frame of a view."""

    def __init__(self, source, spec):
        self.source, self.spec, self.words = source, spec, source.words
        self.names = named(source)
        self.whole = spec.code == province_code(source)
        self.all_counties = source.view.counties.set_index("code")
        self.all_cities = source.view.cities.set_index("code")
        self.counties = self.all_counties if self.whole else self._own(self.all_counties)

    def _own(self, frame):
        return frame[frame["city_code"].eq(self.spec.code)]

    def own(self, frame):
        """Return the rows of a table that lie in the sheet's area, by city_code or county_code."""
        if self.whole:
            return frame
        if "city_code" in frame:
            return self._own(frame)
        return frame[frame["county_code"].isin(self.counties.index)]

    def view(self, keys, fills, figures, **more):
        words, spec = self.words, self.spec
        about = more.pop("about", None) or words(f"series.{spec.theme}_about")
        title = clean_text(self.source.summary.title)
        return View(
            code=spec.code,
            title=words("series.sheet_title", area=self.names[spec.code], theme=spec.title),
            subtitle=words("series.sheet_subtitle", title=title, about=about),
            number=words("series.number", code=spec.code, number=f"{spec.number:02d}"),
            keys=(*keys, self._lines(bool(more.get("groups")), more.pop("mark", ""))),
            fills=fills,
            figures=figures,
            **more,
        )

    def totals(self, *columns):
        """Return the key of what the area has in all: its people, and sums of ``columns`` (name, nature's mark)."""
        sums = self.counties.sum(numeric_only=True)
        rows = [
            Row(self.words(f"series.total_{column}", mark=mark), theme.figure(sums[column], 0))
            for column, mark in (("persons", ""), *columns)
        ]
        return Key(self.names[self.spec.code], "", tuple(rows))

    def _lines(self, groups, mark):
        """Return the key of borders, and of what stands below a county's name."""
        words = self.words
        kinds = {"province": "province"} if self.whole else {"area": "area"}
        kinds |= {"city": "city", "county": "county" if self.whole else "county_of_city"}
        rows = [Row(words(f"series.border_{kind}"), line=BORDERS[line]) for kind, line in kinds.items()]
        if groups:
            rows.append(Row(words("series.border_group"), line=BORDERS["group"]))
        if self.whole:
            rows.append(Row(words("series.seat"), sign=SEAT))
        below = NAMED_BELOW[self.spec.theme] + ("_whole" if self.whole and self.spec.theme in FEWER_ON_WHOLE else "")
        rows.append(Row(words(f"series.figure_{below}", mark=mark)))
        return Key(words("series.lines_key"), "", tuple(rows))

    def classed(self, values, breaks, colours, heading, *, decimals=2, signed=False, first=None):
        """Return (key, fills, figures) of a value by county.

        values    Series by county of the whole region, NaN = no data
        first     what the first class is called instead of its bounds
        """
        classes = {code: theme.class_of(value, breaks, decimals) for code, value in values.items()}
        fills = {code: None if number is None else colours[number] for code, number in classes.items()}
        own = values.reindex(self.counties.index)
        counts = theme.class_counts(own, breaks, decimals)
        labels = theme.class_labels(breaks, decimals, signed)
        if signed:
            labels = [label.replace("–", self.words("series.to")) for label in labels]
        if first is not None:
            labels[0] = first
        rows = [
            Row(label, theme.figure(count, 0), fill=colour)
            for colour, label, count in zip(colours, labels, counts, strict=True)
        ]
        if values.isna().any():
            rows.append(Row(self.words("series.no_data"), theme.figure(own.isna().sum(), 0), theme.NO_DATA, hatch=True))
        figures = {code: theme.figure(value, decimals, signed) for code, value in own.items()}
        return Key(heading, self.words("series.counties"), tuple(rows)), fills, figures

    def city_figures(self, values, decimals=2, signed=False):
        if not self.whole:
            return {}
        return {code: theme.figure(value, decimals, signed) for code, value in values.items()}


def _density(sheet, column, mark):
    words = sheet.words
    colours = theme.sequential(len(theme.BEDS_PER_1000) + 1)
    heading = words("series.per_1000", mark=mark)
    key, fills, figures = sheet.classed(sheet.all_counties[column], theme.BEDS_PER_1000, colours, heading)
    keys = [key, sheet.totals(*BEDS)]
    return sheet.view(keys, fills, figures, city_figures=sheet.city_figures(sheet.all_cities[column]))


def _beds_now(sheet):
    return _density(sheet, "now_per_1000", MODELLED)


def _beds_plan(sheet):
    return _density(sheet, "plan_per_1000", "")


def _difference_of(sheet, values, cities, heading, **more):
    colours = theme.diverging(len(theme.BEDS_CHANGE) + 1)
    key, fills, figures = sheet.classed(values, theme.BEDS_CHANGE, colours, heading, signed=True)
    keys = [key, sheet.totals(*BEDS)]
    return sheet.view(keys, fills, figures, city_figures=sheet.city_figures(cities, signed=True), **more)


def _beds_change(sheet):
    values, cities = (
        (frame["plan_per_1000"] - frame["now_per_1000"]).round(2) for frame in (sheet.all_counties, sheet.all_cities)
    )
    return _difference_of(sheet, values, cities, sheet.words("series.change_key", mark=MODELLED))


def _difference(sheet):
    other = sheet.source.against
    values, cities = (
        (this["plan_per_1000"] - that.set_index("code")["plan_per_1000"].reindex(this.index)).round(2)
        for this, that in ((sheet.all_counties, other.view.counties), (sheet.all_cities, other.view.cities))
    )
    about = sheet.words("series.difference_about", other=clean_text(other.summary.title))
    return _difference_of(sheet, values, cities, sheet.words("series.difference_key"), about=about)


def _access(sheet):
    colours = theme.sequential(len(theme.REACH_PER_1000) + 1)
    heading = sheet.words("series.reach_key", mark=MODELLED)
    values = sheet.all_counties["reach_plan_per_1000"].astype(float)
    key, fills, figures = sheet.classed(values, theme.REACH_PER_1000, colours, heading)
    return sheet.view([key, sheet.totals(*BEDS)], fills, figures)


def _stations(sheet, setting):
    """Stations, their reach for one setting, and the people of it that the plan leaves beyond."""
    words, view = sheet.words, sheet.source.view
    stations, own = view.stations, sheet.own(view.stations)
    rows, signs = [], []
    for status, style in STATION_STYLES.items():
        chosen = stations[stations["status"].eq(status)]
        if chosen.empty:
            continue
        how = {"shape": theme.STATION_SHAPES[status], **style} | {"points": style["points"] + 0.6}
        count = theme.figure(own["status"].eq(status).sum(), 0)
        rows.append(Row(words(f"series.station_{status}", mark=ASSUMED), count, sign=how))
        labels = None if sheet.whole or status == "assumed" else tuple(chosen["name"])
        signs.append(Signs(f"stations_{status}", chosen["lon"].to_numpy(), chosen["lat"].to_numpy(), how, labels))
    km = getattr(view, setting)
    if not sheet.whole:
        rows.append(Row(words("series.station_beyond"), sign={"shape": "circle", **PALE}))
    reaches = ()
    if view.circles:
        drawn = km / view.detour_factor
        reaches = (Reach(stations["lon"].to_numpy(), stations["lat"].to_numpy(), drawn, REACH_FILLS[setting]),)
        said = words(f"series.reach_{setting}", km=f"{km:g}")
        rows.append(Row(said, fill=REACH_FILLS[setting], edge=theme.ACCENT))
    else:
        rows.append(Row(words("series.by_road")))
    people, key = _people(sheet, (setting,))
    counts = own["county_code"].value_counts()
    if sheet.whole:
        figures = {code: words("series.stations_few", stations=counts.get(code, 0)) for code in sheet.counties.index}
    else:
        figures = {
            code: words("series.stations", stations=counts.get(code, 0), share=_share(row, setting))
            for code, row in sheet.counties.iterrows()
        }
    cities = {}
    if sheet.whole:
        counts = stations["city_code"].value_counts()
        cities = {
            code: words("series.stations", stations=counts.get(code, 0), share=_share(row, setting))
            for code, row in sheet.all_cities.iterrows()
        }
    heading = Key(words("series.stations_key"), words("series.count"), tuple(rows))
    return sheet.view(
        [heading, key, sheet.totals((f"{setting}_persons", ""))],
        dict.fromkeys(sheet.all_counties.index, theme.LAND),
        figures,
        city_figures=cities,
        signs=(*people, *signs),
        reaches=reaches,
        counted=True,
        brief=True,
        mark=MODELLED,
    )


def _share(row, setting):
    persons = row[f"{setting}_persons"]
    return share(row[f"{setting}_covered"], persons) if persons else theme.figure(None)


def _people(sheet, settings):
    """Return (signs, key) of the people whom the plan leaves beyond their standard, larger where there are more."""
    words, uncovered = sheet.words, sheet.source.view.uncovered
    signs, rows = [], []
    for setting in settings:
        style = dict(UNCOVERED_STYLES[setting])
        chosen = uncovered[uncovered["setting"].eq(setting)]
        persons = sheet.own(chosen)["persons"].sum()
        if len(chosen):
            steps = np.searchsorted(theme.UNCOVERED_PERSONS, chosen["persons"].to_numpy(dtype=float), side="right")
            sizes = tuple(style["points"] * theme.UNCOVERED_TIMES[step] for step in steps)
            places = chosen["lon"].to_numpy(), chosen["lat"].to_numpy()
            signs.append(Signs(f"uncovered_{setting}", *places, style, sizes=sizes))
        shown = style | {"points": style["points"] * theme.UNCOVERED_TIMES[1]}
        rows.append(Row(words(f"series.people_{setting}"), theme.figure(persons, 0), sign=shown))
    return tuple(signs), Key(words("series.people_key", mark=MODELLED), words("series.persons"), tuple(rows))


def _sizes(sheet):
    """Return the key of the sizes of uncovered places."""
    words, style = sheet.words, dict(UNCOVERED_STYLES["rural"])
    low, high = (theme.figure(step, 0) for step in theme.UNCOVERED_PERSONS)
    rows = [
        Row(words(f"series.size_{step}", low=low, high=high), sign=style | {"points": style["points"] * times})
        for step, times in enumerate(theme.UNCOVERED_TIMES)
    ]
    return Key(words("series.sizes_key"), "", tuple(rows))


def _stations_urban(sheet):
    return _stations(sheet, "urban")


def _stations_rural(sheet):
    return _stations(sheet, "rural")


def _ambulances(sheet):
    """Ambulances by county and, on a city's sheet, by station; colours tell how many there are for the people."""
    words, stations = sheet.words, sheet.source.view.stations
    vehicles = stations.groupby("county_code")["ambulances"].sum().reindex(sheet.all_counties.index, fill_value=0)
    persons = sheet.all_counties["persons"]
    rates = (vehicles * 100_000 / persons.where(persons > 0)).astype(float).round(1)
    breaks = theme.VEHICLES_PER_100_000
    colours = theme.sequential(len(breaks) + 1)
    key, fills, _ = sheet.classed(rates, breaks, colours, words("series.rate_key"), decimals=1)
    figures = {code: words("series.vehicles", count=theme.figure(vehicles[code], 0)) for code in sheet.counties.index}
    by_city = sheet.source.tables["ambulances_by_city"].set_index("code")
    own = by_city if sheet.whole else by_city.loc[[sheet.spec.code]]
    rows = [Row(words(f"series.vehicles_{part}"), theme.figure(own[part].sum(), 0)) for part in ("plan", "required")]
    signs, cities = (), {}
    if sheet.whole:
        cities = {
            code: words("series.vehicles", count=theme.figure(count, 0)) for code, count in by_city["plan"].items()
        }
    else:
        here = sheet.own(stations)
        count = here["ambulances"].astype(int)
        style = {"shape": "circle", "points": 7.0, "fill": theme.PAPER, "edge": theme.INK, "width": 0.6}
        rows.append(Row(words("series.vehicles_sign"), theme.figure(len(here), 0), sign=style))
        sizes = tuple(VEHICLE_BASE + VEHICLE_ROOT * np.sqrt(max(number, 1)) for number in count)
        inside = tuple(theme.figure(number, 0) for number in count)
        places = here["lon"].to_numpy(), here["lat"].to_numpy()
        signs = (Signs("ambulances", *places, style, inside=inside, sizes=sizes),)
    counts = Key(words("series.vehicles_key"), words("series.count"), tuple(rows))
    return sheet.view([key, counts, sheet.totals()], fills, figures, city_figures=cities, signs=signs)


def _centres(sheet):
    """The documents' centres, the counties that each serves, and how far each county has to go."""
    words, centres = sheet.words, sheet.source.view.centres
    served = sheet.all_counties["centre_city_code"]
    colours = theme.catchment_colours(centres["city_code"])
    fills = {
        code: theme.tint(colours[city], theme.CATCHMENT_TINT) if city in colours else None
        for code, city in served.items()
    }
    levels = [level for level in CENTRE_STYLES if centres["level"].eq(level).any()]
    styles = {level: {"shape": theme.CENTRE_SHAPES[level], **CENTRE_STYLES[level]} for level in levels}
    own = centres if sheet.whole else centres[centres["city_code"].eq(sheet.spec.code)]
    rows = [
        Row(words(f"series.centre_{level}"), theme.figure(own["level"].eq(level).sum(), 0), sign=styles[level])
        for level in levels
    ]
    rows.append(Row(words("series.spoke"), line={"width": SPOKE, "colour": theme.LINE_CITY}))
    here = served.reindex(sheet.counties.index)
    catchments = [
        Row(sheet.names[city], theme.figure(here.eq(city).sum(), 0), fill=theme.tint(colour, theme.CATCHMENT_TINT))
        for city, colour in colours.items()
    ]
    if served.isna().any():
        catchments.append(Row(words("series.no_data"), theme.figure(here.isna().sum(), 0), theme.NO_DATA, hatch=True))
    signs = []
    for level in levels:
        chosen = centres[centres["level"].eq(level)]
        labels = None if sheet.whole else tuple(words(f"series.centre_{level}") for _ in range(len(chosen)))
        places = chosen["lon"].to_numpy(), chosen["lat"].to_numpy()
        signs.append(Signs(f"centre_{level}", *places, styles[level], labels, always=True))
    figures = {code: theme.figure(km, 1) for code, km in sheet.counties["centre_km"].items()}
    return sheet.view(
        [
            Key(words("series.centres_key"), words("series.count"), tuple(rows)),
            Key(words("series.catchments_key"), words("series.counties"), tuple(catchments)),
        ],
        fills,
        figures,
        groups=served.fillna("").to_dict(),
        signs=tuple(signs),
        spokes=(_spokes(sheet, served, centres),),
    )


def _spokes(sheet, served, centres):
    """Return a line from each county's seat to its centre."""
    seats = sheet.source.region.counties[["seat_lon", "seat_lat"]].reindex(sheet.counties.index)
    to = centres.drop_duplicates("city_code").set_index("city_code")[["lon", "lat"]]
    to = to.reindex(served.reindex(sheet.counties.index)).to_numpy(dtype=float)
    known = ~np.isnan(to[:, 0])
    return Spokes(*seats.to_numpy(dtype=float)[known].T, *to[known].T)


def _uncovered(sheet):
    """The people beyond their standard: today's share by county, and the places that the plan still leaves there."""
    words, frame = sheet.words, sheet.all_counties
    persons = frame["urban_persons"] + frame["rural_persons"]
    covered = frame["urban_covered_now"] + frame["rural_covered_now"]
    beyond = persons - covered
    said = pd.Series({code: share(beyond[code], persons[code]) for code in frame.index if persons[code]})
    percent = said.str.rstrip("%").astype(float).reindex(frame.index)
    breaks = theme.UNCOVERED_PERCENT
    colours = theme.sequential(len(breaks) + 1)
    heading = words("series.uncovered_key", mark=MODELLED)
    nobody = theme.figure(0, 1)
    key, fills, _ = sheet.classed(percent, breaks, colours, heading, decimals=1, first=nobody)
    figures = {code: said.get(code, theme.figure(None)) for code in sheet.counties.index}
    cities = {}
    if sheet.whole:
        of = sheet.all_cities
        people = of["urban_persons"] + of["rural_persons"]
        left = people - of["urban_covered_now"] - of["rural_covered_now"]
        cities = {code: share(left[code], people[code]) if people[code] else theme.figure(None) for code in of.index}
    signs, people_key = _people(sheet, ("rural", "urban"))
    now = Row(words("series.people_now"), theme.figure(beyond.reindex(sheet.counties.index).sum(), 0))
    keys = [key, Key(people_key.title, people_key.counted, (now, *people_key.rows))]
    if signs:
        keys.append(_sizes(sheet))
    return sheet.view(keys, fills, figures, city_figures=cities, signs=signs, counted=True, mark=MODELLED)


VIEWS = {
    "beds_now": _beds_now,
    "beds_plan": _beds_plan,
    "beds_change": _beds_change,
    "access": _access,
    "stations_urban": _stations_urban,
    "stations_rural": _stations_rural,
    "ambulances": _ambulances,
    "centres": _centres,
    "uncovered": _uncovered,
    "difference": _difference,
}
