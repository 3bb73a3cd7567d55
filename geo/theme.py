"""The one look: colours, type, widths, symbols and class breaks, read by page, browser map, print map and documents.

Constants and small functions only; no drawing library is imported here. Colours are ``#RRGGBB``; screen sizes are CSS
pixels, print sizes are points.
"""

from bisect import bisect_right

# Ink on paper. ACCENT marks what the plan does; ALARM only what falls short.
INK = "#1F2937"
QUIET = "#64748B"
LINE_COUNTY = "#CBD5E1"
LINE_ON_FILL = "#8FA1B5"  # county lines over a choropleth: seen on its palest class and on its darkest
LINE_CITY = "#475569"
GROUND = "#F8FAFC"
PAPER = "#FFFFFF"
ACCENT = "#0F766E"
ALARM = "#C2410C"
NO_DATA = "#E2E8F0"
LAND = "#FDFDFB"  # the province where no theme is drawn: a shade off the ground, so that its shape is seen

# ColorBrewer YlGnBu by number of classes (sequential) and PuOr of 9 (difference, orange below zero, purple above).
YLGNBU = {
    4: ("#ffffcc", "#a1dab4", "#41b6c4", "#225ea8"),
    5: ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
    6: ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494"),
    7: ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84"),
}
PUOR = ("#b35806", "#e08214", "#fdb863", "#fee0b6", "#f7f7f7", "#d8daeb", "#b2abd2", "#8073ac", "#542788")

# Okabe-Ito, in the order in which centres take them. Its vermilion is left out: it would be read as ALARM.
OKABE_ITO = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#999999")

# Class breaks: the same on every map of a series. A class holds its lower break and not its upper one.
BEDS_PER_1000 = (5.0, 6.0, 7.0, 8.0, 10.0)
BEDS_CHANGE = (-2.0, -1.0, -0.5, 0.0, 0.01, 0.5, 1.0, 2.0)  # beds per 1000; the middle class is 0.00, no change
COVERED_PERCENT = (50.0, 70.0, 80.0, 90.0, 100.0)  # with 1 decimal; the last class is everyone
COVERED_CHANGE = (-20.0, -5.0, -1.0, 0.0, 0.1, 1.0, 5.0, 20.0)  # percentage points; the middle class is no change
REACH_PER_1000 = BEDS_PER_1000  # beds within reach, after E2SFCA: held against the beds themselves by eye
VEHICLES_PER_100_000 = (2.0, 3.0, 4.0, 6.0, 9.0)  # with 1 decimal
UNCOVERED_PERCENT = (0.1, 5.0, 10.0, 20.0, 40.0)  # of people, with 1 decimal; the first class is nobody
UNCOVERED_PERSONS = (100, 1_000)  # of a place: the steps of its symbol's size
UNCOVERED_TIMES = (1.0, 1.7, 2.4)  # size of an uncovered place on a print map, by those people
CENTRE_KM = (25.0, 50.0, 100.0, 150.0)

# Type: one family for Chinese and Latin, digits of one width. Screen in pixels, print in points.
FONT_SCREEN = (
    '"Noto Sans SC", "Source Han Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", '
    '"Segoe UI", system-ui, sans-serif'
)
FONT_PRINT = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC")
SCREEN_TYPE = {"title": 20, "lead": 14, "text": 13, "small": 12, "note": 11, "city": 13, "county": 11}
PRINT_TYPE = {"title": 17, "subtitle": 9.5, "text": 8, "small": 7, "note": 6.5, "city": 8.5, "county": 5.5}

# Line widths by what is drawn.
SCREEN_LINE = {"county": 0.6, "city": 1.2, "province": 1.8, "circle": 0.8, "symbol": 1.2, "catchment": 1.6}
PRINT_LINE = {"county": 0.3, "city": 0.7, "province": 1.1, "circle": 0.35, "symbol": 0.5, "catchment": 0.9}

# Symbols differ by shape, so that they are told apart without colour.
STATION_SHAPES = {"assumed": "circle", "new": "triangle", "listed": "square"}
STATION_COLOURS = {"assumed": (PAPER, INK), "new": (ACCENT, PAPER), "listed": (INK, PAPER)}  # fill and outline
CENTRE_SHAPES = {"national": "star", "provincial": "square", "free": "square"}
VERDICT_SIGNS = {"met": "●", "unmet": "▲", "over": "△", "no_data": "◇"}
VERDICT_COLOURS = {"met": ACCENT, "unmet": ALARM, "over": ALARM, "no_data": QUIET}

# Areas laid over others, as shares of the full colour; radii in screen pixels per square root of what is counted.
CATCHMENT_TINT = 0.45
REACH_TINT = {"urban": 0.3, "rural": 0.13}
VEHICLE_RADIUS = 2.3
PEOPLE_RADIUS, PEOPLE_MOST = 0.11, 9  # of demand points, and the largest
PLACE_RADIUS, PLACE_MOST = 0.03, 14  # of places, to which demand points are gathered

# Marks behind a figure, by its nature; a modelled figure is also set in italics.
MARKS = {"measured": "", "modelled": "ᵐ", "assumed": "ᵃ"}


def class_of(value, breaks, decimals=2):
    """Return the class, 0 to ``len(breaks)``, of ``value``; None for a value that is absent (None or NaN).

    The value is rounded first as it is shown, so that a figure printed 6.00 is never coloured as below 6.
    """
    if value is None or value != value:
        return None
    return bisect_right(breaks, round(float(value), decimals))


def sequential(classes):
    """Return the YlGnBu colours of ``classes`` classes (4 to 7), light to dark."""
    return YLGNBU[classes]


def diverging(classes):
    """Return the PuOr colours of ``classes`` classes (odd, 3 to 9): orange is less, the middle neutral, purple more."""
    if classes % 2 == 0 or not 3 <= classes <= len(PUOR):
        raise ValueError(f"a difference scale has 3, 5, 7 or 9 classes, not {classes}")
    middle, half = len(PUOR) // 2, classes // 2
    return PUOR[middle - half : middle + half + 1]


def class_counts(values, breaks, decimals=2):
    """Return how many of ``values`` fall into each class, a list of ``len(breaks) + 1``; absent values are left out."""
    counts = [0] * (len(breaks) + 1)
    for value in values:
        number = class_of(value, breaks, decimals)
        if number is not None:
            counts[number] += 1
    return counts


def class_labels(breaks, decimals=2, signed=False):
    """Return the classes as text, as printed beside their swatches: ``< 5.00``, ``5.00–5.99`` ..., ``≥ 10.00``.

    The ends of a class are the figures it can hold. ``signed`` puts + before what is above zero, for differences.
    """
    step = 10**-decimals
    labels = [f"< {figure(breaks[0], decimals, signed)}"]
    for low, high in zip(breaks, breaks[1:], strict=False):
        ends = (figure(low, decimals, signed), figure(high - step, decimals, signed))
        labels.append("–".join(dict.fromkeys(ends)))
    return [*labels, f"≥ {figure(breaks[-1], decimals, signed)}"]


def figure(value, decimals=2, signed=False):
    """Return a number as it is printed: thousands separated, a true minus sign, ``+`` if ``signed``; "—" if absent."""
    if value is None or value != value:
        return "—"
    said = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    if not said.strip("+-0.,"):
        said = said.lstrip("+-")
    return said.replace("-", "−")


def catchment_colours(codes):
    """Return {code: colour} of Okabe-Ito for centres' codes, in the order given. Beyond seven the colours repeat."""
    return {code: OKABE_ITO[i % len(OKABE_ITO)] for i, code in enumerate(dict.fromkeys(codes))}


def tint(colour, share):
    """Return ``colour`` mixed with white: 1 is the full colour, 0 is white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02X}" for part in parts)


def text_on(colour):
    """Return the ink (INK or PAPER) that is read more easily on ``colour``, after WCAG relative luminance."""
    linear = []
    for i in (1, 3, 5):
        part = int(colour[i : i + 2], 16) / 255
        linear.append(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return INK if luminance > 0.25 else PAPER
