"""Layers and tables as they are handed over: fields under fit names, with what each means and where it comes from."""

import re
from dataclasses import dataclass
from functools import cache

import pandas as pd

from geo.words import LANGUAGES, load_words
from planner.report.columns import ALL_TABLES, CODE, TEXT, WORD
from planner.report.layers import LAYER_TABLES, column_notes
from planner.report.sheet_parts import WORD_SECTIONS
from planner.report.tables import absent, clean_text

POLYGON, POINT = "MultiPolygon", "Point"
POINTS = ("demand", "stations", "centres", "uncovered")
LONGEST = 64  # characters of a name: what a file geodatabase takes
UNFIT = re.compile(r"\W+")  # signs, blanks and brackets; letters of any script, digits and _ stay


def _names(text):
    return frozenset(text.split())


# Words of SQL that no field of a geodatabase may be called.
RESERVED = _names(
    "add all alter and as asc between by case column create cross date delete desc distinct drop else end "
    "exists false for from full group having in inner insert into is join key left like limit not null objectid "
    "on or order outer right select set shape table then time true union unique update values when where with"
)
FLAGS = {"covered": "covered"}  # whole numbers that stand for a word, in the layer of demand points
SPLIT = {  # words of one section that are of two kinds: the name of the one, its tables, its codes
    "kind": ("kind_station", ("stations", "stations_alternative"), ("seat", "town", "cell", "existing")),
    "status": ("status_proof", ("coverage_curve",), ("optimal", "within_gap", "interim")),
}
SEVERAL = ("reasons",)  # columns whose cells hold several words with a blank between them
SMALL = 2**31  # whole numbers below it are kept as such by every geodatabase

# What the plan itself settles, by the name of its column; what is neither modelled nor assumed beside it is counted.
DECIDED = _names(
    "beds_plan plan_per_1000 plan ambulances ambulances_plan stations listed new hospital_based beds_new "
    "vehicles vehicles_per_100000 difference_per_1000 against_per_1000 city_and_above "
    "county_and_primary other_public private general tcm psychiatric infectious oncology critical "
    "rehabilitation nursing option got bent persons_per_vehicle centre_km free_centre_km counties radius_km"
)
DOCUMENTED = _names(
    "beds_target target_per_1000 target required ambulances_required radius_metres asked limit floor "
    "hospital_floor first_figure second_figure difference"
)
MODELLED = ("change_per_1000", "uncovered_now_percent")  # worked out for the maps from modelled figures
CENSUS = {"persons": "persons", "urban_persons": "urban", "rural_persons": "rural"}


@dataclass(frozen=True)
class Field:
    """One field: its name in the file, the machine's name, and what stands of it in the table of fields."""

    name: str
    machine: str
    heading: str = ""
    unit: str = ""
    nature: str = ""
    kind: str = ""
    domain: str = ""
    source: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer or table.

    name, machine   as it is called in the file and in the program; title and about: text for people
    frame           GeoDataFrame or DataFrame under the names of ``fields``, ready to be written
    geometry        "Point" | "MultiPolygon", or None for a table
    """

    name: str
    machine: str
    title: str
    about: str
    frame: pd.DataFrame
    fields: tuple
    geometry: str | None = None

    def field(self, machine):
        """Return the name in the file of a field by the machine's name."""
        return next(field.name for field in self.fields if field.machine == machine)


def result_layer(machine, frame, source, interim):
    """Return the :class:`Layer` of a GeoDataFrame of results, with the machine's column names."""
    words = source.words
    notes = column_notes({machine: frame}, words).set_index("column")["nature"]
    table = ALL_TABLES.get(LAYER_TABLES.get(machine))
    parts = []
    for column in frame.columns.drop("geometry"):
        word_like = column in FLAGS and machine == "demand"
        kind = "word" if word_like else _layer_kind(table, column, frame[column])
        nature = notes.get(column, "") or _nature(column, kind, words)
        parts.append((column, _unit(column, words) if kind not in ("word", "code", "text") else "", nature, kind))
    geometry = POINT if machine in POINTS else POLYGON
    title, about = (words(f"handover.layer.{machine}"), words(f"report.layer.{machine}"))
    name = machine if words.lang == "en" else fit_name(title)
    return _layer(name, machine, title, _told(about, interim), frame, parts, source, geometry)


def table_layer(number, machine, frame, source, interim):
    """Return the :class:`Layer` of a result table, whose values stay those of its CSV file."""
    words, table = source.words, ALL_TABLES[machine]
    parts = []
    for column in table.columns:
        kind = table.kind(column)
        said = "integer" if table.decimals(column) == 0 else kind if kind in (CODE, TEXT, WORD) else "decimal"
        unit = "" if column in table.figures or said in (CODE, TEXT, WORD) else _unit(column, words)
        nature = table.natures.get(column)
        nature = words(f"value.nature.{nature}") if nature else _nature(column, said, words)
        parts.append((column, unit, nature, said))
    title = words(f"table.{machine}.sheet")
    called = words("handover.table_name", number=f"{number:02d}", title=title, machine=machine)
    about = _told(words(f"table.{machine}.title"), interim)
    return _layer(fit_name(called), machine, called, about, frame, parts, source)


def plain_layer(machine, rows, columns, words, interim=""):
    """Return the :class:`Layer` of a table about the file itself: texts under ``columns``."""
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    title, about = words(f"handover.layer.{machine}"), words(f"handover.about.{machine}")
    name = machine if words.lang == "en" else fit_name(title)
    names = field_names([(words(f"handover.column.{column}"), column, "") for column in columns], words)
    kind = words("handover.kind.text")
    fields = tuple(
        Field(name, column, words(f"handover.column.{column}"), kind=kind)
        for name, column in zip(names, columns, strict=True)
    )
    return Layer(name, machine, title, _told(about, interim), written_frame(frame, fields), fields)


def _layer(name, machine, title, about, frame, parts, source, geometry=None):
    words = source.words
    headings = [_heading(column, words) for column, *_ in parts]
    names = field_names([(h, column, unit) for h, (column, unit, *_) in zip(headings, parts, strict=True)], words)
    fields = tuple(
        Field(
            name,
            column,
            heading,
            unit,
            nature,
            words(f"handover.kind.{kind}"),
            domain_of(column, machine) if kind == "word" else "",
            _source(column, nature, source, machine),
        )
        for name, heading, (column, unit, nature, kind) in zip(names, headings, parts, strict=True)
    )
    return Layer(name, machine, title, about, written_frame(frame, fields), fields, geometry)


def _told(about, interim):
    return clean_text(f"{about} {interim}".strip())


def _layer_kind(table, column, values):
    if table is not None and column in table.columns:
        kind = table.kind(column)
        if kind in (CODE, TEXT, WORD):
            return kind
    if column in WORDED:
        return "word"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "integer"
    if pd.api.types.is_float_dtype(values.dtype):
        return "decimal"
    return "code" if column == "id" or column.endswith(("_id", "code")) else "text"


WORDED = ("setting", "status", "kind", "tier", "housing", "level")


def domain_of(column, machine):
    """Return the name of the list of words that a column's codes are of."""
    if machine == "demand" and column in FLAGS:
        return f"flag_{FLAGS[column]}"
    if column in SPLIT:
        own, tables, _ = SPLIT[column]
        return own if machine in tables else column
    return WORD_SECTIONS.get(column, column)


def _nature(column, kind, words):
    if kind in (CODE, TEXT, WORD):
        return ""
    natures = {"modelled": MODELLED, "decided": DECIDED, "document": DOCUMENTED}
    found = next((nature for nature, columns in natures.items() if column in columns), "measured")
    return words(f"value.nature.{found}")


def _source(column, nature, source, machine):
    """Return where a field comes from: the census' own line of sources, the row's document, or the plan."""
    words = source.words
    if column in CENSUS and nature == words("value.nature.measured"):
        known = source.region.sources
        rows = known[known["file"].eq("counties.csv") & known["column"].eq(CENSUS[column])]
        if len(rows):
            return clean_text(" · ".join(rows.iloc[0][["source", "date"]]))
    columns = ALL_TABLES[machine].columns if machine in ALL_TABLES else ()
    if nature == words("value.nature.document"):
        return words("handover.source_row") if "document" in columns else words("handover.source_document")
    if column in ("document", "clause"):
        return words("handover.source_document")
    if not nature and machine not in ALL_TABLES:
        return words("handover.source_names")
    return words("handover.source_plan", fingerprint=source.fingerprint) if nature else words("handover.source_names")


def _heading(column, words):
    for key in (f"column.{column}", f"handover.column.{column}"):
        if key in words:
            return words(key)
    return column


def _unit(column, words):
    for key in (f"unit.{column}", f"handover.unit.{column}"):
        if key in words:
            return words(key)
    return ""


def fit_name(text):
    """Return text as the name of a layer or field: letters, digits and _ alone, not a digit first, 64 at most."""
    name = UNFIT.sub("", clean_text(text)).lstrip("_")
    return ("" if name[:1].isalpha() else "F") + name[: LONGEST - 1]


def field_names(columns, words):
    """Return the names of fields, each once: of (heading, machine name, unit); the machine's names in English.

    A heading that stands twice is told apart by its unit, then by the machine's name.
    """
    if words.lang == "en":
        return [name + "_" * (name in RESERVED) for _, name, _ in columns]
    names, taken = [], set()
    for heading, machine, unit in columns:
        choices = (heading, f"{heading}_{unit}", f"{heading}_{machine}")
        name = next(name for name in map(fit_name, choices) if name not in taken and name.lower() not in RESERVED)
        taken.add(name)
        names.append(name)
    return names


def written_frame(frame, fields):
    """Return ``frame`` under the names of its fields: texts without content absent, whole numbers of 4 bytes."""
    columns = {field.name: _values(frame[field.machine]) for field in fields}
    done = pd.DataFrame(columns, index=frame.index).reset_index(drop=True)
    if "geometry" not in frame:
        return done
    return frame[["geometry"]].reset_index(drop=True).join(done)[[*columns, "geometry"]]


def _values(values):
    if pd.api.types.is_integer_dtype(values.dtype):
        gaps = values.isna().any()
        if (values.dropna().abs() >= SMALL).any():
            return values.astype("Float64" if gaps else "float64")
        return values.astype("Int32" if gaps else "int32")
    if pd.api.types.is_float_dtype(values.dtype):
        return values
    texts = [None if absent(text) or text == "" else text for text in values.astype(object)]
    return pd.Series(texts, index=values.index, dtype=object)


def field_rows(layers, words):
    """Return one row a field of each layer, as the table ``fields`` has it."""
    rows = []
    for layer in layers:
        for field in layer.fields:
            about = (field.name, field.machine, field.heading, field.unit, field.nature, field.kind, field.domain)
            rows.append((layer.name, *about, field.source))
    return rows


FIELD_COLUMNS = ("layer", "field", "machine", "heading", "unit", "nature", "type", "domain", "source")
DOMAIN_COLUMNS = ("domain", "code", "meaning_zh", "meaning_en")
METADATA_COLUMNS = ("item", "content")


def domains_in(layers):
    """Return {domain: {code: (meaning in Chinese, in English)}}: the catalogue's codes and what else the data hold."""
    found = {}
    for layer in layers:
        for field in layer.fields:
            if not field.domain:
                continue
            if field.domain not in found:
                known = [_catalogue(field.domain, lang) for lang in LANGUAGES]
                found[field.domain] = {code: tuple(each[code] for each in known) for code in known[0]}
            codes = found[field.domain]
            for value in layer.frame[field.name].dropna().unique():
                parts = str(value).split(" ") if field.machine in SEVERAL else [str(value)]
                for code in parts:
                    codes.setdefault(code, (code, code))
    return found


@cache
def _catalogue(domain, lang):
    words = load_words(lang)
    if domain.startswith("flag_"):
        return words.section(f"handover.{domain}")
    for column, (own, _, codes) in SPLIT.items():
        if domain in (own, column):
            said = words.section(f"value.{column}")
            return {code: text for code, text in said.items() if (code in codes) == (domain == own)}
    return words.section(f"value.{domain}")


def domain_rows(domains):
    """Return one row a code, as the table ``domains`` has it."""
    return [(domain, code, *meanings) for domain, codes in domains.items() for code, meanings in codes.items()]
