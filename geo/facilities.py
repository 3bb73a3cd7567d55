"""Facilities: a planner's own table of hospitals, checked at the door: whose, what kind, beds, and how well used."""

import csv
import difflib
import io
import re
import unicodedata
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from geo.faults import Fault, Rejected
from geo.words import LANGUAGES, load_words

LARGEST_FILE = 20 * 1024 * 1024  # bytes
MOST_FAULTS = 300  # a table with more is another table; nobody reads on
LONGEST_TEXT = 200  # characters of an id or a name
OWNERS = {  # word -> what else planners call it, beside the catalogue's own words
    "city_and_above": ("市办及以上", "市办", "省办", "省市办"),
    "county_and_primary": ("县办公立", "县办", "基层", "县办及基层"),
    "other_public": ("其他公立医院",),
    "private": ("社会办医院", "社会办医", "民营", "民办"),
}
KINDS = {
    "general": ("综合", "其他", "综合医院"),
    "tcm": ("中医医院", "中医类"),
    "psychiatric": ("精神科", "精神病", "精神专科"),
    "infectious": ("传染病", "传染科"),
    "oncology": ("肿瘤科", "肿瘤医院"),
    "critical": ("重症医学", "重症监护"),
    "rehabilitation": ("康复科", "康复医院"),
    "nursing": ("护理院", "医疗护理"),
}
WORDS = {"owner": OWNERS, "kind": KINDS}
HEADINGS = {  # column -> its heading in Chinese; the column's own name is taken too
    "id": "机构代码",
    "name": "机构名称",
    "county_code": "县代码",
    "owner": "办别",
    "kind": "类别",
    "beds": "床位",
    "occupancy": "床位使用率",
    "stay_days": "平均住院日",
    "staff": "人员",
    "floor_area": "业务用房面积",
    "host": "区域中心主体",
    "may_grow": "可增床",
}
REQUIRED = ("id", "name", "county_code", "owner", "kind", "beds")
MEASURED = {  # column -> the largest that is no slip of the pen: %, days, persons, m2
    "occupancy": 150,
    "stay_days": 1_000,
    "staff": 100_000,
    "floor_area": 10**7,
}
MOST_BEDS = 100_000
SHARE = Fraction(3, 2)  # an occupancy not above it was meant as a share, not as per cent
SWITCHES = {"host": False, "may_grow": True}  # what a blank cell says
YES = {"是", "yes", "y", "true", "1", "√"}
NO = {"否", "no", "n", "false", "0", "×"}
NUMBER = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
UNIT = re.compile(r"[(\[].*[)\]]$")  # what a heading may carry behind its name


def load_facilities(path, region):
    """Return the facilities of a CSV as a DataFrame on ``id``, sorted by it.

    name, county_code, city_code   text
    owner, kind                    words of ``OWNERS`` and ``KINDS``
    beds                           whole beds there are
    occupancy, stay_days           per cent and days; staff: persons; floor_area: m2 of floor; NaN = not measured
    host                           whether it hosts a regional centre
    may_grow                       whether it may add beds at all

    UTF-8 or GBK. Headings in Chinese or as named here; figures may be in full width. Raises
    :class:`geo.faults.Rejected` with every fault found, each with file, row, column, value and remedy.
    """
    path = Path(path)
    faults = []
    rows = _rows(path, faults)
    columns = _columns(rows[0][1], path.name, faults) if rows else {}
    if not set(columns).issuperset(REQUIRED):
        raise Rejected(faults)
    width = len(rows[0][1])
    records = []
    for line, cells in rows[1:]:
        if len(faults) >= MOST_FAULTS:
            faults.append(Fault("facility_more", path.name, line, params={"count": len(faults)}))
            break
        if len(cells) != width:
            faults.append(Fault("ragged_row", path.name, line))
        else:
            records.append(_record(_Row(path.name, line, rows[0][1], cells, columns, faults), region))
    _unlike(records, path.name, rows[0][1][columns["id"]], faults)
    if not records and not faults:
        faults.append(Fault("facility_none", path.name))
    if faults:
        raise Rejected(sorted(faults, key=lambda fault: fault.row or 0))
    return _framed(records)


# -- the file --------------------------------------------------------------------------------------------------------


def _rows(path, faults):
    """Return [(line, cells)], headings first, without blank lines; [] with the fault noted where there is no table."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | ValueError)
        said = {} if missing else {"said": getattr(error, "strerror", "") or ""}
        faults.append(Fault("facility_missing" if missing else "facility_unreadable", path.name, params=said))
        return []
    if len(raw) > LARGEST_FILE:
        faults.append(Fault("facility_large", path.name, params={"limit": LARGEST_FILE // 1024**2}))
        return []
    text = _decoded(raw)
    if text is None:
        faults.append(Fault("facility_no_text", path.name))
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(_trimmed, cells))]
    except csv.Error:
        faults.append(Fault("facility_quotes", path.name, reader.line_num))
        return []
    if not rows:
        faults.append(Fault("facility_none", path.name))
    return rows


def _decoded(raw):
    """Return the text of UTF-8 or GBK bytes; None for a workbook, for UTF-16 and for what is no text at all."""
    if b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _columns(heads, file, faults):
    """Return {column: its place among ``heads``}; note those missing, there twice, or nearly like one that is known."""
    known = {_heading(text): column for column, chinese in HEADINGS.items() for text in (column, chinese)}
    places = {}
    for place, head in enumerate(heads):
        column = known.get(_heading(head))
        if column in places:
            faults.append(Fault("repeated_column", file, 1, _shown(head)))
        elif column is not None:
            places[column] = place
    for head in heads:
        near = difflib.get_close_matches(_heading(head), known, n=1) if _heading(head) not in known else []
        if near and known[near[0]] not in places:  # left out silently, a misspelt column would be taken as not measured
            faults.append(
                Fault("facility_heading", file, 1, _shown(head), params={"nearest": HEADINGS[known[near[0]]]})
            )
    absent = [column for column in REQUIRED if column not in places]
    faults += [Fault("facility_column", file, 1, f"{HEADINGS[column]} / {column}") for column in absent]
    return places


def _heading(text):
    return UNIT.sub("", _plain(text)).strip().casefold()


# -- one row ---------------------------------------------------------------------------------------------------------


class _Row:
    """One line of the file: gives its cells by column, and notes what is wrong with them."""

    def __init__(self, file, line, heads, cells, columns, faults):
        self.file, self.line = file, line
        self._heads, self._cells, self._columns, self._faults = heads, cells, columns, faults

    def __getitem__(self, column):
        """Return a cell without the blanks around it; "" where the file has no such column."""
        return _trimmed(self._cells[self._columns[column]]) if column in self._columns else ""

    def fault(self, key, column, **params):
        head = _shown(self._heads[self._columns[column]])
        self._faults.append(Fault(key, self.file, self.line, head, _shown(self[column]), params))


def _record(row, region):
    """Return the values of one row; where one is wrong the row notes a fault, and its value means nothing."""
    county = _plain(row["county_code"])
    if county not in region.counties.index:
        row.fault("facility_county", "county_code", nearest=_nearest_county(county, region.counties["name"]))
    return {
        "line": row.line,
        "id": _text(row, "id"),
        "name": _text(row, "name"),
        "county_code": county,
        "city_code": region.counties["city_code"].get(county, ""),
        "owner": _word(row, "owner"),
        "kind": _word(row, "kind"),
        "beds": _beds(row),
        **{column: _measured(row, column, most) for column, most in MEASURED.items()},
        **{column: _switch(row, column, blank) for column, blank in SWITCHES.items()},
    }


def _text(row, column):
    """Return a text as it stands: "=1+1" is a name like any other."""
    if not row[column]:
        row.fault("facility_blank", column)
    elif len(row[column]) > LONGEST_TEXT or any(unicodedata.category(sign)[0] == "C" for sign in row[column]):
        row.fault("facility_text", column, most=LONGEST_TEXT)
    return row[column]


def _word(row, column):
    """Return the word of ``WORDS`` that a cell says in Chinese, in English or as the word itself."""
    said = _plain(row[column]).casefold()
    names = _names(column)
    if said in names:
        return names[said]
    near = difflib.get_close_matches(said, names, n=1, cutoff=0)
    chinese = load_words("zh")
    choices = {word: f"{chinese(f'value.{column}.{word}')} {word}" for word in WORDS[column]}
    row.fault("facility_word", column, nearest=choices[names[near[0]]], known=", ".join(choices.values()))
    return ""


@cache
def _names(column):
    """Return {what a cell may say: the word it means}."""
    names = {}
    for word, others in WORDS[column].items():
        catalogue = [load_words(lang)(f"value.{column}.{word}") for lang in LANGUAGES]
        names |= {_plain(name).casefold(): word for name in (word, *catalogue, *others)}
    return names


def _beds(row):
    value = _number(row, "beds")
    if value is None:
        return 0
    if value.denominator != 1 or not 0 <= value <= MOST_BEDS:
        row.fault("facility_beds", "beds", most=f"{MOST_BEDS:,}")
    return int(value)


def _measured(row, column, most):
    """Return a figure that may be left out, as a float; NaN = not measured."""
    if not row[column]:
        return np.nan
    value = _number(row, column)
    if value is None:
        return np.nan
    if column == "occupancy" and 0 < value <= SHARE:
        row.fault("facility_share", column, percent=f"{float(value * 100):g}")
    elif not 0 <= value <= most:
        row.fault("facility_range", column, most=f"{most:,}")
    return float(value)


def _number(row, column):
    """Return the exact number of a cell; None, with the fault noted, where it is none."""
    text = _plain(row[column])
    text = text.removesuffix("%").rstrip() if column == "occupancy" else text
    if not text:
        row.fault("facility_blank", column)
    elif not NUMBER.fullmatch(text) or len(text) > 30:
        row.fault("facility_number", column)
    else:
        return Fraction(text.replace(",", ""))
    return None


def _switch(row, column, blank):
    said = _plain(row[column]).casefold()
    if said and said not in YES | NO:
        row.fault("facility_switch", column)
    return said in YES if said else blank


def _trimmed(text):
    """Return text without the blanks around it, the wide one of Chinese type and invisible signs among them."""
    edge = [n for n, sign in enumerate(text) if not (sign.isspace() or unicodedata.category(sign) == "Cf")]
    return text[edge[0] : edge[-1] + 1] if edge else ""


def _plain(text):
    """Return a figure, a code or a fixed word in one width: "１２．５" is 12.5. Names are left as they stand."""
    return unicodedata.normalize("NFKC", _trimmed(text)).replace("−", "-")


def _shown(text):
    text = "".join(sign if sign.isprintable() or sign == "\u3000" else "\ufffd" for sign in text)
    return text if len(text) <= 80 else text[:79] + "…"


def _nearest_county(code, names):
    """Return "140105 小店区", the county most like ``code`` by name or by code."""
    for unit, name in names.items():
        if code and (code in name or name in code):
            return f"{unit} {name}"
    near = difflib.get_close_matches(code, names.index, n=1, cutoff=0)
    return f"{near[0]} {names[near[0]]}" if near else "—"


# -- all rows --------------------------------------------------------------------------------------------------------


def _unlike(records, file, head, faults):
    """Note every row whose id stands in an earlier row too."""
    first = {}
    for record in records:
        if record["id"] and first.setdefault(record["id"], record["line"]) != record["line"]:
            params = {"first": first[record["id"]]}
            faults.append(Fault("facility_twice", file, record["line"], _shown(head), _shown(record["id"]), params))


def _framed(records):
    frame = pd.DataFrame(records).drop(columns="line").set_index("id").sort_index()
    return frame.astype({"beds": np.int64} | dict.fromkeys(MEASURED, float) | dict.fromkeys(SWITCHES, bool))
