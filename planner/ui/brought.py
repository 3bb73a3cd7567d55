"""A planner's own file on the page: read by the same checks as from the command line, told of wholly, and kept."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from geo import facilities, stations
from geo.faults import Fault, Rejected
from planner.parcel import KINDS as KEPT_KINDS
from planner.report.tables import guarded
from planner.ui.emergency_stations import as_csv
from planner.ui.files import kept

MEGABYTE = 1024**2
LARGEST = {"stations": 5 * MEGABYTE, "facilities": 5 * MEGABYTE, "roads": 20 * MEGABYTE}  # bytes
FIELDS = {"stations": "existing_stations", "facilities": "facilities", "roads": "roads"}  # the setting that names it
HEADINGS = {"stations": stations.HEADINGS, "facilities": facilities.HEADINGS}
REQUIRED = {"stations": stations.LAYOUT.required, "facilities": facilities.REQUIRED}
CONVERTED = ("gcj02", "bd09")
LONGEST_NAME = 60
TABLES = ("stations", "facilities")
MOST_ROWS = 25_000  # more than any list of stations or hospitals of a province
PREVIEWED = 8
# The command line's remedy for degrees of another datum; on the page it is a choice.
OPTION = re.compile(r"(?:加 |改为 |去掉 |[Aa]dd |[Uu]se |Leave out )?--datum(?: (gcj02|bd09|wgs84))?")


@dataclass(frozen=True)
class Brought:
    """A file that was read.

    kind    "stations" | "facilities" | "roads"
    name    of the file as it was brought
    path    where it is kept: what the scenario's setting is to name; "" where it has faults
    rows    what was read: of stations and facilities as their readers give them; of roads None
    counts  {what: whole number} of what was counted
    faults  all that is wrong; notes: what is no fault but should be told. :class:`geo.faults.Fault`
    report  of roads, what was found in them: has ``tell(words)``, sentences
    """

    kind: str
    name: str
    path: str = ""
    rows: pd.DataFrame | None = None
    counts: dict | None = None
    faults: tuple = ()
    notes: tuple = ()
    report: object = None


def bring(desk, kind, name, content, region, *, datum=""):
    """Return the :class:`Brought` of a file's ``content`` (bytes); whatever is wrong with it is among its faults.

    region  :class:`geo.region.Region` that it must fit
    datum   of a list of stations, one of ``DATUMS``; a list in an online map's degrees is kept in converted form,
            for a scenario's setting names degrees of CGCS2000
    """
    name = plain_name(name)
    too_much = refusal(kind, name, content)
    if too_much:
        return Brought(kind, name, faults=(too_much,))
    path = kept(desk, name, content)
    try:
        return _READERS[kind](desk, path, region, datum)
    except Rejected as rejected:
        return Brought(kind, name, faults=tuple(replace(each, file=name) for each in rejected.faults))


def refusal(kind, name, content):
    """Return the fault of a file that is not read at all - too large, too many rows, of no kind to keep - or None."""
    if len(content) > LARGEST[kind]:
        return Fault("brought_large", name, params={"limit": LARGEST[kind] // MEGABYTE})
    if kind in TABLES and content.count(b"\n") > MOST_ROWS:
        return Fault("brought_long", name, params={"limit": f"{MOST_ROWS:,}"})
    if not name.casefold().endswith(KEPT_KINDS):  # a scenario that names it could not be kept or handed on
        return Fault("brought_kind", name, params={"kinds": " ".join(KEPT_KINDS)})
    return None


def plain_name(name):
    """Return the last part of a file's name, short, without what no path on any system can hold."""
    last = name.replace("\\", "/").rpartition("/")[2]
    last = "".join("_" if sign in '<>:"|?*' or unicodedata.category(sign)[0] == "C" else sign for sign in last)
    stem, dot, ending = last.rpartition(".")
    if not stem:
        stem, dot, ending = last, "", ""
    return (stem[:LONGEST_NAME].strip(" .") or "file") + dot + ending[:10]


def _stations(desk, path, region, datum):
    rows = stations.load_stations(path, region, datum=datum or None)
    notes = tuple(rows.attrs["notes"])
    counties = region.counties
    without = counties[~counties.index.isin(rows["county_code"])]
    counts = {
        "stations": len(rows),
        "counties": int(rows["county_code"].nunique()),
        "cities": int(rows["city_code"].nunique()),
        "vehicles": int(rows["ambulances"].sum()),
        "vehicles_given": int(rows["ambulances"].notna().sum()),
        "without": len(without),
        "without_persons": int(without["persons"].sum()),
    }
    name = path.name
    if datum in CONVERTED:
        path = kept(desk, f"{path.stem}-cgcs2000.csv", as_csv(rows, safe=False))
    return Brought("stations", name, str(path), rows, counts, notes=notes)


def _facilities(desk, path, region, datum):
    rows = facilities.load_facilities(path, region)
    counts = {
        "facilities": len(rows),
        "beds": int(rows["beds"].sum()),
        "counties": int(rows["county_code"].nunique()),
        "cities": int(rows["city_code"].nunique()),
        "hosts": int(rows["host"].sum()),
    }
    return Brought("facilities", path.name, str(path), rows, counts)


def _roads(desk, path, region, datum):
    from geo.network import load_roads
    from geo.ways import roads_near

    network = load_roads(path, region.projection)
    roads_near(path, network, region)  # raises where no road lies in the region
    counts = {"nodes": len(network.x), "edges": len(network.metres)}
    return Brought("roads", path.name, str(path), None, counts, report=network.report)


_READERS = {"stations": _stations, "facilities": _facilities, "roads": _roads}


def template(kind):
    """Return an empty table to fill in (bytes): the headings in Chinese, those that are needed first as they stand."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(HEADINGS[kind].values())
    return file.getvalue().encode("utf-8-sig")


def faults_csv(faults, words):
    """Return the faults as a CSV (bytes) to mend the file by: row, column, value, and what is wrong."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([words(f"page_data.fault_{part}") for part in ("file", "row", "column", "value", "said")])
    for fault in faults:
        cells = (fault.file, fault.row or "", fault.column, fault.value, said(fault, words))
        writer.writerow([guarded(str(cell)) for cell in cells])
    return file.getvalue().encode("utf-8-sig")


def said(fault, words):
    """Return what is wrong and how to mend it, without the place, which has columns of its own."""
    return _as_a_choice(replace(fault, file="", row=None, column="", value="").tell(words), words)


def placed(fault, words):
    """Return what is wrong with its place before it, as one line."""
    return _as_a_choice(fault.tell(words), words)


def _as_a_choice(told, words):
    return OPTION.sub(lambda found: words(f"page_data.choose_{found[1] or 'wgs84'}"), told)


def ending(path):
    """Return the name of a file that a setting names, as a planner knows it; "" for none."""
    return Path(path).name if path else ""
