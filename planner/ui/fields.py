"""Widgets, each for one setting of the draft. They change it before the page is drawn, and compute nothing."""

import inspect

import streamlit as st

from planner.ui.draft import change, change_at, exact, generation, of_now

# No "Select all", which Streamlit says in English; older ones have none.
CHOSEN_SINGLY = {"select_all": False} if "select_all" in inspect.signature(st.multiselect).parameters else {}


def number(frame, field, label, step, written="%g", *, help=None):
    """Draw a number. Whether it fits is the scenario's to say."""
    shown = frame.draft.value(field)
    kind = int if isinstance(shown, int) else float
    key = f"{field}-{generation()}"

    @of_now
    def put():
        given = st.session_state[key]
        base = getattr(frame.draft.base.scenario, field)
        change(field, base if given is None else _like(base, given))

    st.number_input(label, value=kind(shown), step=kind(step), format=written, key=key, on_change=put, help=help)


def number_at(frame, field, place, label, step, written="%.2f"):
    """Draw the number of one place of a table of settings, two decimals."""
    shown = frame.draft.value(field).get(place)
    key = f"{field}-{place}-{generation()}"

    @of_now
    def put():
        given = st.session_state[key]
        base = getattr(frame.draft.base.scenario, field).get(place)
        if given is None or (base is not None and given == round(float(base), 2)):
            change_at(field, place, base)
        else:
            change_at(field, place, exact(given))

    value = None if shown is None else round(float(shown), 2)
    st.number_input(label, value=value, step=step, format=written, key=key, on_change=put)


def choice(frame, field, label, options, said, *, horizontal=False, hidden=False):
    """Draw a choice of one of ``options`` as ``said(option)``. Each language has its own widget."""
    key = f"{field}-{generation()}-{frame.words.lang}"
    st.radio(
        label,
        options,
        index=list(options).index(frame.draft.value(field)),
        format_func=said,
        key=key,
        on_change=of_now(lambda: change(field, st.session_state[key])),
        horizontal=horizontal,
        label_visibility="collapsed" if hidden else "visible",
    )


def switch(frame, field, label, *, help=None):
    """Draw a switch."""
    key = f"{field}-{generation()}"
    st.toggle(
        label,
        value=bool(frame.draft.value(field)),
        key=key,
        on_change=of_now(lambda: change(field, st.session_state[key])),
        help=help,
    )


def slider(frame, field, label, low, high, step, *, written=None, to=None, shown=None, help=None):
    """Draw a slider between ``low`` and ``high``; ``shown`` turns the setting into its number, ``to`` turns it back."""
    value = frame.draft.value(field)
    key = f"{field}-{generation()}"
    st.slider(
        label,
        low,
        high,
        shown(value) if shown else value,
        step,
        format=written,
        key=key,
        on_change=of_now(lambda: change(field, (to or (lambda given: given))(st.session_state[key]))),
        help=help,
    )


def several(frame, field, label, options, said, *, placeholder=""):
    """Draw a choice of any of ``options``; the setting is a tuple in the order of ``options``."""
    key = f"{field}-{generation()}-{frame.words.lang}"

    @of_now
    def put():
        chosen = set(st.session_state[key])
        change(field, tuple(each for each in options if each in chosen))

    known = [each for each in frame.draft.value(field) if each in options]
    st.multiselect(
        label, options, known, format_func=said, key=key, on_change=put, placeholder=placeholder, **CHOSEN_SINGLY
    )


def ordered(frame, field, label, options, said, *, placeholder="", help=None, then=None):
    """Draw a choice of at least one of ``options``, the first chosen first; ``then(chosen)`` is called afterwards."""
    key = f"{field}-{generation()}-{frame.words.lang}"

    @of_now
    def put():
        chosen = tuple(st.session_state[key]) or getattr(frame.draft.base.scenario, field)
        change(field, chosen)
        if then is not None:
            then(chosen)

    chosen = list(frame.draft.value(field))
    st.multiselect(label, options, chosen, format_func=said, key=key, on_change=put, placeholder=placeholder, help=help)


def _like(base, given):
    """Return a typed number as the setting's own kind: whole, exact, or a decimal of two places."""
    if isinstance(base, int):
        return int(given)
    return round(float(given), 2) if isinstance(base, float) else exact(given)
