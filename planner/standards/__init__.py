"""The register of planning standards: every figure of the five plan documents, by id, with document and clause.

The figures are data (``standards.csv``, ``cities.csv``, ``institutions.csv``); a planner corrects or adds one there,
and nowhere else. ``units.csv`` holds the Chinese name of each unit.
"""

import csv
import difflib
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from io import StringIO
from pathlib import Path

from geo.faults import Fault, Rejected

FOLDER = Path(__file__).parent
FILES = ("standards.csv", "cities.csv", "institutions.csv", "units.csv")
BED_TARGET_PREFIX = "t3_beds_per_1000_"

# "beds per 1000 residents" is per 1000; "per 1000000 to 2000000" is a range and no single number.
PER = re.compile(r"\bper (\d+)\b(?! to \d)")


@dataclass(frozen=True)
class Standard:
    """One rule, target, baseline or siting decision, as the document states it.

    ``value`` and ``value_max``, the upper end of a range, are exact; None = the document gives no figure.
    ``areas`` are names as printed (cities or institutions). ``per`` is N of a unit "... per N ...".
    """

    id: str
    document: str
    clause: str
    topic: str
    name_zh: str
    name_en: str
    scope: str
    areas: tuple[str, ...]
    comparator: str
    value: Fraction | None
    value_max: Fraction | None
    unit: str
    per: int | None
    base_year: int | None
    base_value: Fraction | None
    target_year: int | None
    nature: str
    formula: str
    note: str
    unit_zh: str

    def name(self, lang="zh"):
        """Return the name in ``lang`` (zh or en)."""
        return self.name_en if lang == "en" else self.name_zh

    def unit_in(self, lang="zh"):
        """Return the unit in ``lang`` (zh or en)."""
        return self.unit if lang == "en" else self.unit_zh

    @property
    def figure(self):
        """The value as text, "5", "10–20" or "" where the document gives none."""
        ends = [decimal_text(number) for number in (self.value, self.value_max) if number is not None]
        return "–".join(ends)


@dataclass(frozen=True)
class City:
    """One row of ``cities.csv``: a city of the plan and its part in it."""

    code: str
    name_zh: str
    name_en: str
    strategy_zh: str
    role: str
    mental_hospital_required: str


class UnknownStandard(KeyError):
    """No standard has this id; ``nearest`` is the most similar id, or ""."""

    def __init__(self, id, nearest):
        self.id = id
        self.nearest = nearest
        super().__init__(f"no standard {id!r}" + (f"; did you mean {nearest!r}?" if nearest else ""))

    def __str__(self):
        return self.args[0]


class Standards(Mapping):
    """The register, a read-only mapping id -> :class:`Standard` in the order of the file.

    ``cities`` are the plan's areas by code, ``institutions`` the Chinese name of each named institution's city;
    ``files`` the sha256 of each file by name; ``digest`` one sha256 over them.
    """

    def __init__(self, standards, cities, files, institutions):
        self._by_id = {standard.id: standard for standard in standards}
        self.cities = {city.code: city for city in cities}
        self.files = dict(files)
        self.institutions = dict(institutions)
        self.digest = hashlib.sha256("".join(f"{name} {files[name]}\n" for name in sorted(files)).encode()).hexdigest()
        self._text = {standard.id: _searchable(standard, self.cities.values()) for standard in standards}

    def __getitem__(self, id):
        """Return the :class:`Standard` of ``id``. Raises :class:`UnknownStandard`, a KeyError with the nearest id."""
        try:
            return self._by_id[id]
        except KeyError:
            near = difflib.get_close_matches(str(id), self._by_id, n=1)
            raise UnknownStandard(id, near[0] if near else "") from None

    def __iter__(self):
        return iter(self._by_id)

    def __len__(self):
        return len(self._by_id)

    def search(self, *words):
        """Return the standards that contain every word, in the order of the file; no words = all of them.

        Chinese or English, upper or lower case, half or full width; over id, names, areas, clause, document, topic,
        unit and note.
        """
        wanted = [_folded(word) for phrase in words for word in phrase.split()]
        return tuple(self._by_id[id] for id, text in self._text.items() if all(word in text for word in wanted))

    def city_bed_target(self, city):
        """Return the Table 3 standard (beds per 1000 residents) of a city, given by Chinese name or by code.

        Raises :class:`UnknownStandard` for a city that Table 3 does not name.
        """
        name = self.cities[city].name_zh if city in self.cities else city
        for standard in self._by_id.values():
            if standard.id.startswith(BED_TARGET_PREFIX) and standard.areas == (name,):
                return standard
        known = [name for standard in self.search(BED_TARGET_PREFIX) for name in standard.areas]
        near = difflib.get_close_matches(str(name), known, n=1)
        raise UnknownStandard(city, near[0] if near else "")

    def is_table_3(self, city, target):
        """Return whether ``target`` (beds per 1,000, exact) is what Table 3 says of a city, and no other figure."""
        try:
            return self.city_bed_target(city).value == target
        except UnknownStandard:
            return False

    def city_codes(self, id):
        """Return the codes of the cities that the areas of standard ``id`` name, in the document's order."""
        codes = {city.name_zh: city.code for city in self.cities.values()}
        return tuple(codes[area] for area in self[id].areas if area in codes)

    def institution_codes(self, id):
        """Return the codes of the cities in which the institutions named by standard ``id`` are, one for each."""
        codes = {city.name_zh: city.code for city in self.cities.values()}
        cities = (self.institutions.get(area) for area in self[id].areas)
        return tuple(codes[city] for city in cities if city in codes)


def decimal_text(number):
    """Return an exact decimal text of a Fraction, "7.5" or "1170"; a fraction without one keeps its stroke, "1/3"."""
    number = Fraction(number)
    if number.denominator == 1:
        return str(number.numerator)
    twos_and_fives = number.denominator
    for prime in (2, 5):
        while twos_and_fives % prime == 0:
            twos_and_fives //= prime
    if twos_and_fives != 1:
        return str(number)
    places = 1
    while (number * 10**places).denominator != 1:
        places += 1
    sign = "-" if number < 0 else ""
    digits = str(abs(number * 10**places)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def load_standards(folder=None):
    """Return the :class:`Standards` of the register, or of a folder with the same files.

    Raises :class:`geo.faults.Rejected` with every fault found: missing file or column, repeated id, unreadable figure.
    """
    folder = FOLDER if folder is None else Path(folder)
    missing = [Fault("missing_file", file=str(folder / name)) for name in FILES if not (folder / name).is_file()]
    if missing:
        raise Rejected(missing)
    faults = []
    contents = {name: (folder / name).read_bytes() for name in FILES}
    columns = [field.name for field in fields(Standard) if field.name not in ("areas", "per", "unit_zh")]
    columns.append("area")
    rows = _rows("standards.csv", contents, columns, "id", faults)
    city_columns = ["adcode", "name_zh", "name_en", "strategy_zh", "role", "mental_hospital_required"]
    city_rows = _rows("cities.csv", contents, city_columns, "adcode", faults)
    institutions = _rows("institutions.csv", contents, ["name_zh", "city"], "name_zh", faults)
    units = {
        row["unit"]: row["unit_zh"] for _, row in _rows("units.csv", contents, ["unit", "unit_zh"], "unit", faults)
    }
    standards = [_standard(row, line, units, faults) for line, row in rows]
    if faults:
        raise Rejected(faults)
    cities = [City(code=row.pop("adcode"), **{key: row[key] for key in city_columns[1:]}) for _, row in city_rows]
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return Standards(standards, cities, files, {row["name_zh"]: row["city"] for _, row in institutions})


def _rows(name, contents, columns, key, faults):
    """Return [(line, row dict)] of one file; note what is not text, missing columns, ragged rows and repeated keys."""
    try:
        text = contents[name].decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.append(Fault("not_utf8", file=name))
        return []
    reader = csv.DictReader(StringIO(text, newline=""), restval=None)
    absent = [column for column in columns if column not in (reader.fieldnames or ())]
    if absent:
        faults += [Fault("missing_column", file=name, column=column) for column in absent]
        return []
    rows, seen = [], set()
    for row in reader:
        if None in row or None in row.values():
            faults.append(Fault("ragged_row", file=name, row=reader.line_num))
        elif row[key] in seen:
            faults.append(Fault("duplicate_standard", file=name, row=reader.line_num, column=key, value=row[key]))
        else:
            seen.add(row[key])
            rows.append((reader.line_num, row))
    return rows


def _standard(row, line, units, faults):
    def parsed(column, convert):
        try:
            return convert(row[column]) if row[column] else None
        except (ValueError, ZeroDivisionError):
            faults.append(Fault("bad_figure", file="standards.csv", row=line, column=column, value=row[column]))
            return None

    figures = {column: parsed(column, Fraction) for column in ("value", "value_max", "base_value")}
    years = {column: parsed(column, int) for column in ("base_year", "target_year")}
    per = PER.search(row["unit"])
    text = [field.name for field in fields(Standard) if field.type is str and field.name in row]
    return Standard(
        areas=tuple(area for area in row["area"].split(";") if area),
        per=int(per.group(1)) if per else None,
        **figures,
        **years,
        **{column: row[column] for column in text},
        unit_zh=units.get(row["unit"], row["unit"]),
    )


def _folded(text):
    """Return text as it is compared: one width, one case, one kind of bracket."""
    return unicodedata.normalize("NFKC", text).casefold().translate(str.maketrans("〔〕“”", '[]""'))


def _searchable(standard, cities):
    in_english = [city.name_en for city in cities if city.name_zh in standard.areas]
    parts = [standard.id, standard.name_zh, standard.name_en, *standard.areas, *in_english]
    parts += [standard.clause, standard.document, standard.topic, standard.unit, standard.unit_zh, standard.note]
    return _folded("\n".join(parts))
