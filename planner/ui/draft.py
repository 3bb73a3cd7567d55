"""What this session is trying out: a base scenario and the settings that were changed since. Nobody else sees it."""

from dataclasses import dataclass
from fractions import Fraction

import streamlit as st

from geo.faults import ScenarioRejected
from planner.scenario import Scenario, load_scenario
from planner.ui.settings import differences, place_names, scenario_names, variant

NAMED_CHANGES = 2  # in the title of a variant; more are counted


@dataclass(frozen=True)
class Base:
    """A scenario to start from. ``id`` and ``revision`` are its place in the store; None = it comes with jinyi."""

    scenario: Scenario
    id: str | None = None
    revision: int | None = None


@dataclass(frozen=True)
class Draft:
    """The base, {field: value} of what was changed, and the ``scenario`` of both; None where ``faults`` say why not."""

    base: Base
    changes: dict
    scenario: Scenario | None
    faults: tuple

    @property
    def changed(self):
        return bool(self.changes)

    def value(self, field):
        """Return what a setting is now, whether it fits or not."""
        return self.changes.get(field, getattr(self.base.scenario, field))


@st.cache_resource(show_spinner=False)
def shipped():
    """Return {name: Scenario} of the scenarios that come with jinyi, the first to open with first."""
    return {name: load_scenario(name) for name in scenario_names()}


def the_draft(words):
    """Return this session's :class:`Draft`, titled in the language of ``words``."""
    if "base" not in st.session_state:
        start_from(Base(next(iter(shipped().values()))))
    base, changes = st.session_state["base"], st.session_state["changes"]
    names = place_names(base.scenario.region, words.lang)
    try:
        return Draft(base, changes, variant(base.scenario, changes, lambda made: _title(base, made, names, words)), ())
    except ScenarioRejected as rejected:
        return Draft(base, changes, None, tuple(rejected.faults))


def start_from(base):
    """Begin anew from a :class:`Base`; what was changed before is dropped."""
    st.session_state["base"] = base
    st.session_state["changes"] = {}
    st.session_state["generation"] = generation() + 1


def generation():
    """Return a number that is another one whenever widgets have to be drawn anew from the draft's values."""
    return st.session_state.get("generation", 0)


def of_now(put, drawings=generation):
    """Return ``put`` as a widget's callback that does nothing once the widgets were drawn anew.

    A widget that is taken away by what a planner did may still tell of itself in the same run, after it.
    ``drawings()`` is another number then.
    """
    drawn = drawings()
    return lambda *about: put(*about) if drawings() == drawn else None


def change(field, value):
    """Set a setting of the draft; the base's own value is no change."""
    changes = dict(st.session_state["changes"])
    changes.pop(field, None)
    if value != getattr(st.session_state["base"].scenario, field):
        changes[field] = value
    st.session_state["changes"] = changes


def change_at(field, place, value):
    """Set one place of a table of settings; ``value`` None takes the place out."""
    base = getattr(st.session_state["base"].scenario, field)
    table = dict(st.session_state["changes"].get(field, base))
    table.pop(place, None)
    if value is not None:
        table[place] = value
    ordered = {each: table[each] for each in (*base, *sorted(set(table) - set(base))) if each in table}
    change(field, ordered)


def undo(field):
    """Take a change back, and have the widgets show it."""
    st.session_state["changes"] = {key: value for key, value in st.session_state["changes"].items() if key != field}
    st.session_state["generation"] = generation() + 1


def undo_all():
    """Take every change back."""
    start_from(st.session_state["base"])


def exact(value, digits=2):
    """Return a number of a widget as the exact figure that was typed."""
    return Fraction(f"{value:.{digits}f}")


def _title(base, made, names, words):
    changes = differences(base.scenario, made, names, words)
    said = words("report.list_comma").join(changes[:NAMED_CHANGES])
    if len(changes) > NAMED_CHANGES:
        said = words("ui.changes_more", first=changes[0], count=len(changes))
    return words("ui.variant_title", title=base.scenario.title, changes=said)
