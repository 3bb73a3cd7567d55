"""What the sheets of a series show: geometries, colours, figures, signs and ready text, and nothing of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np

from geo import theme
from geo.words import Words

AROUND = theme.tint(theme.LINE_COUNTY, 0.3)  # the neighbours' ground
SEAT = {"shape": "circle", "points": 3.0, "fill": theme.PAPER, "edge": theme.INK, "width": 0.7}
BORDERS = {
    "area": {"width": 1.25 * theme.PRINT_LINE["province"], "colour": theme.INK},
    "province": {"width": theme.PRINT_LINE["province"], "colour": theme.INK},
    "city": {"width": theme.PRINT_LINE["city"], "colour": theme.LINE_CITY},
    "county": {"width": theme.PRINT_LINE["county"], "colour": theme.LINE_ON_FILL},
    "county_of_city": {"width": 1.8 * theme.PRINT_LINE["county"], "colour": theme.QUIET},
    "group": {"width": 1.3 * theme.PRINT_LINE["catchment"], "colour": theme.INK, "dash": (5, 1.2)},
}
SPOKE = 0.3


@dataclass(frozen=True)
class Imprint:
    """Who prints, of which date, under which review number, as granted; a line to write on for what is not given."""

    organisation: str = ""
    date: str = ""
    review: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a legend: what is said, the count behind it, and its swatch, sign or line.

    fill, edge, hatch  of a swatch; sign: keywords of :meth:`geo.press.Sheet.signs`; line: width, colour, dash
    """

    said: str
    count: str = ""
    fill: str | None = None
    edge: str = theme.LINE_CITY
    hatch: bool = False
    sign: Mapping | None = None
    line: Mapping | None = None


@dataclass(frozen=True)
class Key:
    """A part of a legend: heading, what is counted ("" for nothing), rows of :class:`Row`."""

    title: str
    counted: str
    rows: tuple


@dataclass(frozen=True)
class Signs:
    """Symbols at places: lon, lat (arrays of degrees) and the style of :meth:`geo.press.Sheet.signs`.

    labels  None, or a text beside each where there is room; inside: None, or a text in each
    sizes   None, or points of each; the style's own otherwise
    """

    name: str
    lon: np.ndarray
    lat: np.ndarray
    style: Mapping
    labels: tuple | None = None
    inside: tuple | None = None
    sizes: tuple | None = None
    always: bool = False


@dataclass(frozen=True)
class Reach:
    """Circles of ``km`` about places, drawn as one area within the sheet's own."""

    lon: np.ndarray
    lat: np.ndarray
    km: float
    fill: str


@dataclass(frozen=True)
class Spokes:
    """Straight lines from one place to another each: lon, lat, to_lon, to_lat (arrays of degrees)."""

    lon: np.ndarray
    lat: np.ndarray
    to_lon: np.ndarray
    to_lat: np.ndarray


@dataclass(frozen=True)
class View:
    """What one sheet shows. Everything said is ready text.

    code      of the province or of a city; number: of the sheet, as printed
    fills     {county: colour}, of the whole region; None where there is no figure
    figures   {county: text} below its name; city_figures: {city: text}, on the region's sheet
    groups    {county: group}: a border is drawn between groups; {} for none
    counted   people are counted as covered: the sheet states the distance rule
    brief     signs leave little room: a name may stand without its figure, and none is led to from afar
    """

    code: str
    title: str
    subtitle: str
    number: str
    keys: tuple
    fills: Mapping
    figures: Mapping
    city_figures: Mapping = field(default_factory=dict)
    groups: Mapping = field(default_factory=dict)
    brief: bool = False
    signs: tuple = ()
    reaches: tuple = ()
    spokes: tuple = ()
    counted: bool = False


@dataclass(frozen=True)
class Series:
    """What all sheets share.

    code      of the whole region
    province  GeoDataFrame EPSG:4490; cities: on ``code``: name, lon, lat (degrees, of the seat); counties: on ``code``:
              name, city_code. Names in the sheets' language, without control characters
    paper     "A3" | "A4", or "figure": 156 mm wide for a document, without head and imprint; orientation: "auto" |
              "portrait" | "landscape"
    rule      how people count as covered; notes, sources: further lines below the maps; interim: "" or the warning
    font      None, the name of an installed family, or a file
    """

    code: str
    province: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    words: Words
    rule: str
    notes: tuple
    sources: str
    interim: str = ""
    paper: str = "A3"
    orientation: str = "auto"
    imprint: Imprint = field(default_factory=Imprint)
    font: str | None = None

    @property
    def bare(self):
        return self.paper == "figure"
