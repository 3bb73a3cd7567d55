"""How stations, people, centres, seats and borders are drawn in print; sizes and widths in points, on A4."""

from geo import theme
from geo.press import LINE

REACH_FILLS = {key: theme.tint(theme.ACCENT, share) for key, share in theme.REACH_TINT.items()}
ASSUMED_FILL, ASSUMED_EDGE = theme.STATION_COLOURS["assumed"]
NEW_FILL, NEW_EDGE = theme.STATION_COLOURS["new"]
LISTED_FILL, LISTED_EDGE = theme.STATION_COLOURS["listed"]
STATION_STYLES = {
    "assumed": {"points": 3.0, "fill": ASSUMED_FILL, "edge": ASSUMED_EDGE, "width": 0.6},
    "listed": {"points": 3.0, "fill": LISTED_FILL, "edge": LISTED_EDGE, "width": 0.3},
    "new": {"points": 3.8, "fill": NEW_FILL, "edge": NEW_EDGE, "width": 0.3},
}
UNCOVERED_STYLES = {  # urban people beyond their standard stand within rural reach: a shape of their own tells why
    "rural": {"shape": "square", "points": 1.6, "fill": theme.ALARM, "edge": theme.PAPER, "width": 0.1},
    "urban": {"shape": "cross", "points": 3.0, "fill": theme.ALARM, "edge": theme.PAPER, "width": 0.25},
}
CENTRE_STYLES = {
    "national": {"points": 11, "fill": theme.ACCENT, "edge": theme.PAPER, "width": 0.8},
    "provincial": {"points": 6.5, "fill": theme.ACCENT, "edge": theme.PAPER, "width": 0.8},
    "free": {"points": 6.5, "fill": theme.PAPER, "edge": theme.ACCENT, "width": 1.2},
}
SEAT_STYLE = {"points": 2.8, "fill": theme.PAPER, "edge": theme.INK, "width": 0.7}
BORDER_STYLES = {
    "catchment": {"width": 1.3 * LINE["catchment"], "colour": theme.INK, "dash": (5, 1.2)},
    "city": {"width": LINE["city"], "colour": theme.LINE_CITY},
    "county": {"width": LINE["county"], "colour": theme.LINE_ON_FILL},
}
