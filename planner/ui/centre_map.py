"""The plan's map as the page of the centres shows it: whose centre serves which county comes first."""

from dataclasses import replace

from geo.maps import sheet_of
from planner.ui.maps import plan_map
from planner.ui.once import once

FIRST = 'value="centres"'
STEPS_BACK = ('value="beds" checked', 'value="stations" checked')


def centre_map(frame, there):
    """Draw the map with the centres' catchments; where there is no whole answer the last map, pale, keeps its place."""
    plan_map(frame, there, key="centres-map", sheet_of=_first)


def _first(text):
    return once(text.view, "centres", lambda: centres_first(text.view))


def centres_first(view):
    """Return the :class:`geo.maps.Sheet` of a plan's view whose layer of centres is chosen, and no stations over it.

    Of a kind of its own, so that a planner's choice of layers on this page and on the others' maps stay apart.
    """
    sheet = sheet_of(view)
    margin = sheet.margin
    if f"{FIRST} checked" not in margin and FIRST in margin:
        for chosen in STEPS_BACK:
            margin = margin.replace(chosen, chosen.removesuffix(" checked"), 1)
        margin = margin.replace(FIRST, f"{FIRST} checked", 1)
    return replace(sheet, kind="centres", margin=margin)
