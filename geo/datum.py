"""Coordinates of online maps: GCJ-02 (Amap, Tencent) and BD-09 (Baidu) to WGS 84, and whether a list is in them.

Maps published in China are shifted on purpose: at the county seats of Shanxi GCJ-02 by 480 to 630 m, BD-09 by 1.2 to
1.4 km, enough to carry a station across a limit of some kilometres. The shift was never published; the formulas here
are the ones found by comparison and used everywhere since about 2013 (eviltransform, coordtransform; MIT licence), good
to about a metre. CGCS2000 (EPSG:4490) and WGS 84 agree within a metre and are one here.
"""

from dataclasses import dataclass, field

import numpy as np

DATUMS = ("wgs84", "gcj02", "bd09")
KRASSOVSKY = 6_378_245.0  # metres, the ellipsoid of the shift
ECCENTRICITY = 0.00669342162296594323  # its first one, squared
BAIDU_TURN = 50 * np.pi / 3
DEGREE_METRES = 111_320.0  # of latitude, and of longitude on the equator, within 0.6 %

# When a list is judged: a shift is accepted when what it leaves is no more than chance, and all others are far from it.
LEAST_PLACES = 10  # fewer say nothing about a shift
FARTHEST_METRES = 4_000  # from its place; a station farther off says nothing about a shift either
LEAST_ERROR = 10.0  # metres: known places are given to about so much
AGREES, DIFFERS = 3.4, 6.0  # standard errors


def from_wgs84(lon, lat, datum):
    """Return (lon, lat), arrays of degrees, as a map in ``datum`` (wgs84 | gcj02 | bd09) shows WGS 84 degrees."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum == "wgs84":
        return lon, lat
    if datum == "gcj02":
        return _shifted(lon, lat)
    if datum == "bd09":
        return _baidu(*_shifted(lon, lat))
    raise ValueError(f"datum {datum!r}: one of {', '.join(DATUMS)}")


def to_wgs84(lon, lat, datum):
    """Return (lon, lat), arrays of degrees in WGS 84, of degrees in ``datum``; exact to a millimetre, by iteration."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    found_lon, found_lat = lon, lat
    for _ in range(10):  # each step leaves about a thousandth of the error
        said_lon, said_lat = from_wgs84(found_lon, found_lat, datum)
        found_lon, found_lat = found_lon + (lon - said_lon), found_lat + (lat - said_lat)
    return found_lon, found_lat


@dataclass(frozen=True)
class Verdict:
    """What a list of coordinates is.

    datum   wgs84 | gcj02 | bd09; "" = cannot be told
    places  known places that the list could be held against
    metres  {datum: how far the middle of the list would be from them, were the list in this datum}
    """

    datum: str
    places: int
    metres: dict = field(default_factory=dict)


def judge(lon, lat, known_lon, known_lat):
    """Return the :class:`Verdict` on points in degrees, each of which should stand near a known place in WGS 84.

    A shift is a known vector at each place, so the median of (point - place - vector) is tested, east and north,
    against its own standard error (1.2533 x 1.4826 x median deviation / root n; Huber 1981). Stations stand beside the
    middle of their towns in all directions: the farther they do, and the fewer they are, the less can be told.
    """
    lon, lat, known_lon, known_lat = (np.asarray(each, dtype=float) for each in (lon, lat, known_lon, known_lat))
    apart = _metres(lon - known_lon, lat - known_lat, known_lat)
    shifts = {}
    for datum in DATUMS:
        shown_lon, shown_lat = from_wgs84(known_lon, known_lat, datum)
        shifts[datum] = _metres(shown_lon - known_lon, shown_lat - known_lat, known_lat)
    near = np.hypot(*apart) < FARTHEST_METRES
    count = int(near.sum())
    if not count:
        return Verdict("", 0)
    left = {datum: (apart - shift)[:, near] for datum, shift in shifts.items()}
    middle = {datum: np.median(each, axis=1) for datum, each in left.items()}
    metres = {datum: float(np.hypot(*each)) for datum, each in middle.items()}
    if count < LEAST_PLACES:
        return Verdict("", count, metres)
    errors = {}
    for datum, each in left.items():
        deviation = 1.4826 * np.median(np.abs(each - middle[datum][:, None]), axis=1)
        error = np.maximum(1.2533 * deviation / np.sqrt(count), LEAST_ERROR)
        errors[datum] = float(np.hypot(*(middle[datum] / error)))
    best = min(errors, key=errors.get)
    clear = errors[best] <= AGREES and all(each >= DIFFERS for datum, each in errors.items() if datum != best)
    return Verdict(best if clear else "", count, metres)


def _metres(lon, lat, at_lat):
    """Return differences in degrees as metres east and north, 2 x n."""
    return np.array([lon * np.cos(np.radians(at_lat)), lat]) * DEGREE_METRES


def _shifted(lon, lat):
    """Return GCJ-02 of WGS 84, by the formulas named above."""
    x, y = lon - 105.0, lat - 35.0
    waves = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north = north + (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north = north + (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east = east + (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east = east + (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    radians = np.radians(lat)
    magic = 1 - ECCENTRICITY * np.sin(radians) ** 2
    north_degrees = np.degrees(north / (KRASSOVSKY * (1 - ECCENTRICITY) / magic / np.sqrt(magic)))
    east_degrees = np.degrees(east / (KRASSOVSKY / np.sqrt(magic) * np.cos(radians)))
    return lon + east_degrees, lat + north_degrees


def _baidu(lon, lat):
    """Return BD-09 of GCJ-02."""
    far = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BAIDU_TURN)
    turn = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BAIDU_TURN)
    return far * np.cos(turn) + 0.0065, far * np.sin(turn) + 0.006
