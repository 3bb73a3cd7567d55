"""What the chapters of the Word annex share: the plan narrowed to its area, and its tables as grids of ready text."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from geo.theme import MARKS, figure
from planner.documents.annex.word_table import Column, Grid, Row
from planner.report.columns import CODE, TABLES, WORD
from planner.report.cover import cover_lines
from planner.report.summary import CAME_BY, density, share, thousands
from planner.report.tables import absent, clean_text, rounded
from planner.report.workbook import word

DENSITIES = {"now_per_1000": "beds_now", "target_per_1000": "beds_target", "plan_per_1000": "beds_plan"}
SHARES = {"expected_share": "expected", "double_share": "double"}
OF_ONE = {"persons_per_vehicle", "next_gain", "reach_now_per_1000", "reach_plan_per_1000", "rank"}  # say nothing summed
BY_COUNTY = ("county_code", "area_code", "code")


@dataclass
class Annex:
    """An annex under way.

    source   :class:`planner.documents.source.Source`; paper: :class:`planner.documents.annex.paper.Paper`
    city     code of the one city it is about, or None; figures: {theme: Path of a PNG}
    """

    source: object
    paper: object
    city: str | None = None
    figures: dict = field(default_factory=dict)

    @property
    def words(self):
        return self.source.words

    @property
    def scenario(self):
        return self.source.scenario

    @cached_property
    def names(self):
        """{code: name} of every area, fit to be printed."""
        return {code: clean_text(name) for code, name in self.source.names.items()}

    @cached_property
    def area(self):
        """The name of what the annex is about."""
        return self.names[self.city] if self.city else self.whole

    @cached_property
    def whole(self):
        """The name of the region as a whole."""
        return self.names[self.source.region.province.index[0]]

    @cached_property
    def counties(self):
        """{code: code of its city} of the counties of the area, in the documents' order."""
        frame = self.source.said["beds_by_county"]
        own = frame if self.city is None else frame[frame["city_code"].eq(self.city)]
        return dict(zip(own["code"], own["city_code"], strict=True))

    @cached_property
    def tables(self):
        """The published tables with names in the reader's language, narrowed to the area."""
        return {name: self.narrowed(name) for name in self.source.said}

    def narrowed(self, name):
        """Return one table with the rows of the annex's city alone, where its rows are of places."""
        frame = self.source.said[name]
        if self.city is None:
            return frame
        if "city_code" in frame and name != "centres" and name != "centres_free":
            return frame[frame["city_code"].eq(self.city)]
        for column in BY_COUNTY:
            if column in frame:
                return frame[frame[column].isin({self.city, *self.counties})]
        return frame

    @cached_property
    def cover(self):
        """{heading: lines of cells} of the workbook's cover, whose sentences the annex repeats word for word."""
        source, parts, rows = self.source, {}, None
        lines = cover_lines(
            source.plan,
            source.tables,
            source.prepared,
            source.summary,
            (),
            source.cleaned,
            dict.fromkeys(source.tables, ""),
            self.words,
        )
        for line in lines:
            if line.kind == "heading":
                rows = parts.setdefault(line.cells[0], [])
            elif rows is not None and line.kind in ("row", "text"):
                rows.append(line.cells)
        return {key: parts.get(self.words(f"report.{key}"), []) for key in COVER_PARTS}

    # -- sources and units -------------------------------------------------------------------------------------------

    def origin(self, file, column=None):
        """Return who published a column of the region's files, without the way it came."""
        rows = self.source.region.sources
        rows = rows[rows["file"].str.partition(":")[0].eq(file)]
        if column is not None and rows["column"].eq(column).any():
            rows = rows[rows["column"].eq(column)]
        said = dict.fromkeys(CAME_BY.sub("", str(name)).strip() for name in rows["source"])
        return self.words("report.list_comma").join(name for name in said if name)

    def documents(self, frame):
        """Return the documents that a table's rows name."""
        if "document" not in frame:
            return ""
        return self.words("report.list_comma").join(name for name in dict.fromkeys(frame["document"]) if name)

    def clauses(self, frame):
        """Return (column, texts) of the clause of each row; a document that all rows share stands in the heading."""
        words, texts = self.words, [f"{row.document} {row.clause}".strip() for row in frame.itertuples()]
        heading = words("annex.head_clause")
        shared = set(frame["document"])
        if len(shared) == 1 and len(frame) > 1 and "" not in shared:
            heading = words("annex.head_clause_of", document=shared.pop())
            texts = list(frame["clause"])
        return Column(heading, "left", wraps=True), [clean_text(text) or words("report.absent") for text in texts]

    def sources(self, *parts):
        """Return the line below a table that says where its figures come from."""
        told = dict.fromkeys(part for part in (*parts, self.words("annex.source_plan")) if part)
        return self.words("annex.source", text=self.words("annex.join").join(told))

    @cached_property
    def people(self):
        return self.origin("counties.csv", "persons")

    @cached_property
    def ground(self):
        return self.origin("boundaries.gpkg", "geometry") or self.words("report.absent")

    def units(self, columns):
        """Return the line above a table that says its units, each once."""
        keys = (f"unit.{column}" for column in columns)
        return self.unit_line(self.words(key) for key in keys if key in self.words)

    def unit_line(self, units):
        told = self.words("report.list_comma").join(dict.fromkeys(units))
        return self.words("annex.unit", units=told) if told else ""

    # -- grids -------------------------------------------------------------------------------------------------------

    def heading(self, name, column):
        """Return the heading of a catalogued column with its mark."""
        return self.words(f"column.{column}") + TABLES[name].mark(column)

    def column(self, name, column, **changes):
        """Return the :class:`Column` of a catalogued column."""
        table = TABLES[name]
        numeric = table.decimals(column) is not None
        given = {
            "heading": self.heading(name, column),
            "align": "right" if numeric else "left",
            "italic": table.natures.get(column) == "modelled" and numeric,
            "wraps": not numeric and table.kind(column) != CODE,
        }
        return Column(**given | changes)

    def cell(self, name, column, value):
        """Return one value as it is printed."""
        table = TABLES[name]
        if absent(value):
            return self.words("report.absent")
        if table.kind(column) == WORD:
            return word(column, value, self.words)
        decimals = table.decimals(column)
        if decimals is None:
            return clean_text(value) or self.words("report.absent")
        return plain(value) if table.kind(column) == "figure" else figure(value, min(decimals, 4))

    def rows(self, name, columns, frame, nature=None):
        """Yield the cells of each row of a catalogued table; ``nature``: {column: column that says what it is}."""
        for row in frame.to_dict("records"):
            cells = []
            for column in columns:
                said = self.cell(name, column, row[column])
                mark = MARKS.get(row.get((nature or {}).get(column)), "")
                cells.append(said if said == self.words("report.absent") else said + mark)
            yield tuple(cells)

    def grid(self, name, columns, frame=None, *, total=False, bands=None, changes=None):
        """Return the :class:`Grid` of a catalogued table.

        total   whether a last row adds it up
        bands   column of codes whose change begins a new group, headed by its name
        changes {column: what of its :class:`Column` is otherwise}
        """
        frame = self.tables[name] if frame is None else frame
        heads = tuple(self.column(name, column, **(changes or {}).get(column, {})) for column in columns)
        rows, before = [], None
        codes = frame[bands] if bands else [None] * len(frame)
        for cells, code in zip(self.rows(name, columns, frame), codes, strict=True):
            if bands and code != before:
                rows.append(Row((self.names.get(code, code),), "band"))
            rows.append(Row(cells))
            before = code
        if total and len(frame) > 1:
            rows.append(self.total(name, columns, frame))
        return Grid(heads, tuple(rows))

    def total(self, name, columns, frame):
        """Return the last row: what can be added up, densities and shares worked out of what was."""
        cells = []
        for i, column in enumerate(columns):
            decimals = TABLES[name].decimals(column)
            if i == 0:
                cells.append(self.words("report.total"))
            elif column in DENSITIES:
                cells.append(density(int(frame[DENSITIES[column]].sum()), int(frame["persons"].sum())))
            elif column in SHARES:
                cells.append(share(frame[SHARES[column]].sum(), frame["persons"].sum()).removesuffix("%"))
            elif decimals != 0 or column in OF_ONE or frame[column].isna().any():
                cells.append(self.words("report.absent"))
            else:
                cells.append(thousands(frame[column].sum()))
        return Row(tuple(cells), "total")

    def shares(self, setting, column, frame=None):
        """Return {code of an area: share of its people} of a column of the coverage; that of "" is of all of them."""
        frame = self.coverage if frame is None else frame
        frame = frame[frame["setting"].eq(setting)]
        said = {row.code: self.part(getattr(row, column), row.persons) for row in frame.itertuples()}
        return said | {"": self.part(frame[column].sum(), frame["persons"].sum())}

    def part(self, some, whole):
        """Return a share as a number of per cent with one decimal; "—" of nobody."""
        return share(some, whole).removesuffix("%") if int(whole) else self.words("report.absent")

    @cached_property
    def coverage(self):
        """The coverage of the annex's areas: of cities for the province, of counties for a city."""
        return self.tables["coverage_by_city" if self.city is None else "coverage_by_county"]

    @cached_property
    def beds(self):
        """The beds of the annex's areas: of cities for the province, of counties for a city."""
        return self.tables["beds_by_city" if self.city is None else "beds_by_county"]

    def area_column(self, **changes):
        """Return the first column of a table of the annex's areas."""
        heading = self.words("annex.head_city" if self.city is None else "annex.head_county")
        return Column(**{"heading": heading, "align": "left", "wraps": True} | changes)

    def figure(self, theme, **params):
        """Add the picture of a theme, where there is one."""
        if theme not in self.figures:
            return
        caption = self.words(f"annex.fig_{theme}", area=self.area, **params)
        source = self.words("annex.source", text=self.words("annex.picture_source", text=self.ground))
        self.paper.figure(caption, Path(self.figures[theme]), source)


COVER_PARTS = (
    *("settings", "overrides", "people", "proofs", "verification", "marks", "rule_title", "sources", "cleaned"),
)


def plain(value):
    """Return a number whose unit stands in its row: whole where it is, else two decimals."""
    value = rounded(value, 2)
    return figure(value, 0 if value == value.to_integral_value() else 2)


def alike(values, words):
    """Return figures of one unit with the same decimals: none where all are whole, else two; "—" for what is absent."""
    held = [None if absent(value) else rounded(value, 2) for value in values]
    decimals = 0 if all(value is None or value == value.to_integral_value() for value in held) else 2
    return [words("report.absent") if value is None else figure(value, decimals) for value in held]
