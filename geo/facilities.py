"""Facilities: a planner's own table of hospitals, checked at the door: whose, what kind, beds, and how well used."""

import difflib
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from geo.faults import Fault, Rejected
from geo.table_file import LARGEST_FILE, Layout, in_order, nearest_county, plain, rows_of, shown
from geo.words import LANGUAGES, load_words

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
LAYOUT = Layout("facility", HEADINGS, REQUIRED)
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
    file, faults = Path(path).name, []
    records = [_record(row, region) for row in rows_of(path, LAYOUT, faults, largest=LARGEST_FILE)]
    _unlike(records, file, faults)
    if not records and not faults:
        faults.append(Fault("facility_none", file))
    if faults:
        raise Rejected(in_order(faults))
    return _framed(records)


# -- one row ---------------------------------------------------------------------------------------------------------


def _record(row, region):
    """Return the values of one row; where one is wrong the row notes a fault, and its value means nothing."""
    county = plain(row["county_code"])
    if county not in region.counties.index:
        row.fault("county", "county_code", nearest=nearest_county(county, region.counties["name"]))
    return {
        "line": row.line,
        "head": row.head("id"),
        "id": row.text("id"),
        "name": row.text("name"),
        "county_code": county,
        "city_code": region.counties["city_code"].get(county, ""),
        "owner": _word(row, "owner"),
        "kind": _word(row, "kind"),
        "beds": _beds(row),
        **{column: _measured(row, column, most) for column, most in MEASURED.items()},
        **{column: _switch(row, column, blank) for column, blank in SWITCHES.items()},
    }


def _word(row, column):
    """Return the word of ``WORDS`` that a cell says in Chinese, in English or as the word itself."""
    said = plain(row[column]).casefold()
    names = _names(column)
    if said in names:
        return names[said]
    near = difflib.get_close_matches(said, names, n=1, cutoff=0)
    chinese = load_words("zh")
    choices = {word: f"{chinese(f'value.{column}.{word}')} {word}" for word in WORDS[column]}
    row.fault("word", column, nearest=choices[names[near[0]]], known=", ".join(choices.values()))
    return ""


@cache
def _names(column):
    """Return {what a cell may say: the word it means}."""
    names = {}
    for word, others in WORDS[column].items():
        catalogue = [load_words(lang)(f"value.{column}.{word}") for lang in LANGUAGES]
        names |= {plain(name).casefold(): word for name in (word, *catalogue, *others)}
    return names


def _beds(row):
    value = row.number("beds")
    if value is None:
        return 0
    if value.denominator != 1 or not 0 <= value <= MOST_BEDS:
        row.fault("beds", "beds", most=f"{MOST_BEDS:,}")
    return int(value)


def _measured(row, column, most):
    """Return a figure that may be left out, as a float; NaN = not measured."""
    if not row[column]:
        return np.nan
    value = row.number(column, "%" if column == "occupancy" else "")
    if value is None:
        return np.nan
    if column == "occupancy" and 0 < value <= SHARE:
        row.fault("share", column, percent=f"{float(value * 100):g}")
    elif not 0 <= value <= most:
        row.fault("range", column, most=f"{most:,}")
    return float(value)


def _switch(row, column, blank):
    said = plain(row[column]).casefold()
    if said and said not in YES | NO:
        row.fault("switch", column)
    return said in YES if said else blank


# -- all rows --------------------------------------------------------------------------------------------------------


def _unlike(records, file, faults):
    """Note every row whose id stands in an earlier row too."""
    first = {}
    for record in records:
        if record["id"] and first.setdefault(record["id"], record["line"]) != record["line"]:
            params = {"first": first[record["id"]]}
            faults.append(Fault("facility_twice", file, record["line"], record["head"], shown(record["id"]), params))


def _framed(records):
    frame = pd.DataFrame(records).drop(columns=["line", "head"]).set_index("id").sort_index()
    return frame.astype({"beds": np.int64} | dict.fromkeys(MEASURED, float) | dict.fromkeys(SWITCHES, bool))
