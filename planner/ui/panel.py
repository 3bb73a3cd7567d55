"""The settings a planner changes. The panel never computes: it says what would be asked, and whether that fits."""

from dataclasses import dataclass

import streamlit as st

from geo.faults import ScenarioRejected
from planner.scenario import BED_TARGETS, GOALS, SETTINGS, Scenario, load_scenario
from planner.ui.settings import RADII, city_names, differences, draft, picked_from, scenario_names
from planner.ui.sheets import text

FIELDS = {setting.key: setting.field for setting in SETTINGS}
NAMED_CHANGES = 2  # in the title of a variant; more are counted


@dataclass(frozen=True)
class Panel:
    """The shipped ``base``, the ``scenario`` of the settings (None = they do not fit), and whether it was asked for."""

    base: Scenario
    scenario: Scenario | None
    city_names: dict
    pressed: bool


def settings_panel(words):
    """Draw the panel and return what it holds. Raises :class:`geo.faults.ScenarioRejected` for a broken file."""
    with st.sidebar:
        st.html(f'<div class="jy-brand"><b>{words("ui.brand")}</b><span>{words("ui.brand_about")}</span></div>')
        shipped = _shipped()
        name = st.selectbox(
            words("ui.scenario"),
            list(shipped),
            format_func=lambda each: shipped[each].title,
            key="scenario",
            filter_mode=None,
            placeholder=words("ui.scenario"),
        )
        base = shipped[name]
        names = city_names(base.region, words.lang)
        picked = _picked(base, names, words)
        try:
            scenario = draft(base, picked, lambda variant: _title(base, variant, names, words))
            faults = ()
        except ScenarioRejected as rejected:
            scenario, faults = None, rejected.faults
        with st.container(key="go"):
            for fault in faults:
                st.html(f'<p class="jy-fault">{text(_said(fault, names, words))}</p>')
            pressed = st.button(
                words("ui.compute"), type="primary", width="stretch", key="compute", disabled=scenario is None
            )
    return Panel(base, scenario, names, pressed)


@st.cache_resource(show_spinner=False)
def _shipped():
    return {name: load_scenario(name) for name in scenario_names()}


def _picked(base, names, words):
    shown = picked_from(base)
    st.html(_heading(words("ui.targets"), words("ui.targets_unit")))
    with st.container(key="targets"):
        targets = {
            code: _number(names.get(code, code), shown["bed_targets"][code], f"target-{base.name}-{code}", 0.1)
            for code in (names or shown["bed_targets"])
            if code in shown["bed_targets"]
        }
    st.html(_heading(words("ui.radii"), words("ui.radii_unit")))
    with st.container(key="radii"):
        picked = {
            field: _number(words(f"ui.{field}"), shown[field], f"{field}-{base.name}", 0.5, "%g") for field in RADII
        }
    st.html(_heading(words("ui.stations"), ""))
    with st.container(key="stations"):
        picked["stations_goal"] = _goal(base, shown["stations_goal"], words)
        picked["stations_count"] = _number(words("ui.count"), shown["stations_count"], f"count-{base.name}", 10, "%d")
    return picked | {"bed_targets": targets}


def _goal(base, shown, words):
    """Draw the choice of goal and return it. Streamlit knows options by label: each language has its own widget."""
    kept = f"goal-{base.name}"
    goal = st.radio(
        words("ui.goal"),
        GOALS,
        index=GOALS.index(st.session_state.get(kept, shown)),
        format_func=lambda each: words(f"ui.goal_{each}"),
        key=f"{kept}-{words.lang}",
        label_visibility="collapsed",
    )
    st.session_state[kept] = goal
    return goal


def _number(label, value, key, step, written="%.2f"):
    """Draw one number and return it; left empty it is the scenario's own figure. Bounds are the scenario's to say."""
    step = type(value)(step)
    given = st.number_input(label, value=value, step=step, format=written, key=key)
    given = value if given is None else given
    return round(given, 2) if isinstance(value, float) else given


def _heading(said, unit):
    return f'<h4 class="jy-group">{said}<small>{unit}</small></h4>'


def _title(base, variant, names, words):
    changes = differences(base, variant, names, words)
    said = words("report.list_comma").join(changes[:NAMED_CHANGES])
    if len(changes) > NAMED_CHANGES:
        said = words("ui.changes_more", first=changes[0], count=len(changes))
    return words("ui.variant_title", title=base.title, changes=said)


def _said(fault, names, words):
    """Return a fault of a setting as the panel calls it, without the file and line that nobody wrote."""
    field, _, code = FIELDS.get(fault.column, fault.column).partition(f"{BED_TARGETS}.")
    label = words("ui.target_of", city=names.get(code, code)) if code else words(f"report.setting.{field}")
    return words("ui.fault", label=label, said=words(f"fault.{fault.key}", **fault.params))
