"""Region, people and sites in the page's own process, for what must follow a click at once."""

import streamlit as st

from geo.region import grown, load_region
from planner.study import prepare


def region_here(scenario):
    """Return the :class:`geo.region.Region` of a scenario, with its people; its files are read once for all sessions.

    Raises :class:`geo.faults.Rejected` for a region that cannot be used.
    """
    return grown(_loaded(scenario.region), scenario.population_growth)


def prepared_here(scenario, words):
    """Return the :class:`planner.study.Prepared` of a scenario's region and people; one is made for all sessions.

    The first time takes some ten seconds, behind a line that says so. Raises as :func:`region_here`.
    """
    with st.spinner(words("page_emergency.preparing"), show_time=False):
        return _prepared(scenario.region, tuple(sorted(scenario.population_growth.items())), scenario)


@st.cache_resource(show_spinner=False, max_entries=3)
def _loaded(region):
    return load_region(region)


@st.cache_resource(show_spinner=False, max_entries=3)
def _prepared(region, growth, _scenario):
    return prepare(_scenario)
