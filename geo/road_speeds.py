"""How fast each class of road is driven: assumed speeds, each with its reason, from a table anyone may replace."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geo.faults import Fault

DEFAULT = Path(__file__).parent / "data" / "road_speeds.csv"
VEHICLES = {"car": "km_h", "ambulance": "ambulance_km_h"}
COLUMNS = ("class", "also", *VEHICLES.values(), "enter", "through", "source", "nature")
FASTEST = 200  # km/h; anything above is a slip of the pen
YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class Speeds:
    """The classes of road and their speeds for one vehicle.

    table    DataFrame on ``class`` (OpenStreetMap's words): km_h of the vehicle; enter, whether one may come onto such
             a road anywhere along it (onto a motorway only at a junction); through, whether such a road leads
             somewhere, so that an end near another road is a gap in the data; source, why this speed; nature
    vehicle  ambulance | car; a sign of a speed limit binds the car alone (Road Traffic Safety Law, article 53)
    """

    table: pd.DataFrame
    vehicle: str

    @property
    def numbers(self):
        """Return {what a file may call a class, in small letters: its row in ``table``}."""
        names = {}
        for number, (name, others) in enumerate(self.table["also"].items()):
            names |= {each.casefold(): number for each in (name, *others.split())}
        return names

    def km_h(self, road, maxspeed):
        """Return km/h for rows of ``table`` and signed limits (km/h, NaN = none)."""
        usual = self.table["km_h"].to_numpy()[road]
        return np.fmin(usual, maxspeed) if self.vehicle == "car" else usual


def load_speeds(path, vehicle, faults):
    """Return the :class:`Speeds` of a CSV (None: the embedded one); None where it has faults, which are noted."""
    if vehicle not in VEHICLES:
        raise ValueError(f"vehicle {vehicle!r}: one of {', '.join(VEHICLES)}")
    path = DEFAULT if path is None else Path(path)
    before = len(faults)
    rows = _rows(path, faults)
    seen = set()
    for line, row in rows:
        faults += _faults_of(row, line, path.name)
        for name in (row["class"], *row["also"].split()):
            if name.casefold() in seen:
                faults.append(Fault("road_speed_twice", path.name, line, "class", name))
            seen.add(name.casefold())
    if len(faults) > before:
        return None
    table = pd.DataFrame([row for _, row in rows]).set_index("class")
    for column in ("enter", "through"):
        table[column] = table[column].map(YES_NO).astype(bool)
    table["km_h"] = table[VEHICLES[vehicle]].astype(float)
    return Speeds(table[["also", "km_h", "enter", "through", "source", "nature"]], vehicle)


def _rows(path, faults):
    """Return [(line, row as a dict)] of the table of speeds, [] where it is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            rows = [
                (reader.line_num, {key: (row[key] or "").strip() for key in COLUMNS}) for row in reader if not absent
            ]
    except OSError:
        faults.append(Fault("road_missing", path.name))
        return []
    except (UnicodeDecodeError, csv.Error):
        faults.append(Fault("road_speed_text", path.name))
        return []
    faults += [Fault("missing_column", path.name, 1, name) for name in absent]
    if not rows and not absent:
        faults.append(Fault("road_speed_text", path.name))
    return rows


def _faults_of(row, line, file):
    for column in VEHICLES.values():
        try:
            good = 0 < float(row[column]) <= FASTEST
        except ValueError:
            good = False
        if not good:
            yield Fault("road_speed", file, line, column, row[column], {"most": FASTEST})
    for column in ("enter", "through"):
        if row[column] not in YES_NO:
            yield Fault("road_speed_word", file, line, column, row[column])
    for column in ("class", "source", "nature"):
        if not row[column]:
            yield Fault("road_speed_blank", file, line, column)
