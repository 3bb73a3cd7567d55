"""The counties of a bed plan as a table whose last column is written by the planner: beds pinned to a county."""

import inspect

import pandas as pd
import streamlit as st

from planner.ui.draft import change, change_at, generation
from planner.ui.frame import say
from planner.ui.results import results

ROW_PIXELS = 35
MOST_ROWS = 16
NOW = "now"
# What an empty cell shows; older Streamlit has no say in it.
EMPTY_CELL = {"placeholder": ""} if "placeholder" in inspect.signature(st.data_editor).parameters else {}


def compared_with(frame):
    """Draw the choice of what a plan is held against; return (title, beds by county code)."""
    words, mine = frame.words, frame.job.key
    others = {key: each for key, each in results().items() if key != mine}
    chosen = st.selectbox(
        words("page_beds.compared"),
        [NOW, *others],
        format_func=lambda key: words("page_beds.now") if key == NOW else others[key].title,
        key=f"compared-{words.lang}",
    )
    if chosen == NOW:
        beds = frame.tables["beds_by_county"].set_index("code")["beds_now"]
        return words("page_beds.now_short"), beds
    beds = others[chosen].tables["beds_by_county"].set_index("code")["beds_plan"]
    return others[chosen].title, beds


def county_editor(frame, other):
    """Draw the table of counties; a figure written in its last column pins a county's beds, an empty one frees them."""
    words = frame.words
    cities = frame.city_names
    said, beds = other
    area = st.selectbox(
        words("page_beds.area"),
        ["", *cities],
        format_func=lambda code: cities.get(code, words("page_beds.everywhere")),
        key=f"beds-area-{words.lang}",
    )
    table = frame.tables["beds_by_county"]
    table = table[table["city_code"].eq(area)] if area else table
    shown = county_rows(table, cities, beds, frame.draft.value("beds_pins"))
    key = f"pins-{generation()}-{area}-{words.lang}"

    def put():
        for row, edit in st.session_state[key]["edited_rows"].items():
            if "pin" in edit:
                pin = edit["pin"]
                change_at("beds_pins", shown["code"].iloc[int(row)], None if pin is None else int(pin))

    labels = {
        name: words(f"page_beds.column_{name}")
        for name in ("name", "city", "persons", "beds_now", "beds_plan", "beds_new", "plan_per_1000", "reach", "pin")
    }
    labels |= {"other": words("page_beds.column_other", title=said), "difference": words("page_beds.column_difference")}
    st.data_editor(
        shown.drop(columns="code"),
        **EMPTY_CELL,
        hide_index=True,
        height=ROW_PIXELS * (min(len(shown), MOST_ROWS) + 1) + 3,
        key=key,
        on_change=put,
        disabled=[name for name in shown.columns if name != "pin"],
        column_config={
            "name": st.column_config.TextColumn(labels["name"], pinned=True),
            "city": st.column_config.TextColumn(labels["city"]),
            **{
                name: st.column_config.NumberColumn(labels[name], format="localized")
                for name in ("persons", "beds_now", "beds_plan", "beds_new", "other", "difference")
            },
            "plan_per_1000": st.column_config.NumberColumn(labels["plan_per_1000"], format="%.2f"),
            "reach": st.column_config.NumberColumn(
                labels["reach"], format="%.2f", help=words("page_beds.column_reach_help")
            ),
            "pin": st.column_config.NumberColumn(
                labels["pin"], format="%d", min_value=0, step=1, help=words("page_beds.column_pin_help")
            ),
        },
    )
    say(words("page_beds.pins_note"), quiet=True)
    pins = frame.draft.value("beds_pins")
    if pins:
        names = frame.tables["beds_by_county"].set_index("code")["name"]
        listed = words("report.list_comma").join(f"{names.get(code, code)} {beds:,}" for code, beds in pins.items())
        with st.container(horizontal=True, vertical_alignment="center"):
            say(words("page_beds.pinned", count=len(pins), listed=listed))
            st.button(words("page_beds.unpin"), key="unpin", on_click=change, args=("beds_pins", {}), type="tertiary")


def county_rows(table, cities, other, pins):
    """Return the frame of the editor: a county a row, in the table's order.

    code name pin city persons beds_now beds_plan beds_new other difference (plan less other) plan_per_1000 reach
    """
    against = other.reindex(table["code"]).to_numpy()
    return pd.DataFrame(
        {
            "code": table["code"].to_numpy(),
            "name": table["name"].to_numpy(),
            "pin": pd.array([pins.get(code) for code in table["code"]], dtype="Int64"),
            "city": table["city_code"].map(cities).fillna("").to_numpy(),
            "persons": table["persons"].astype("int64").to_numpy(),
            "beds_now": table["beds_now"].astype("int64").to_numpy(),
            "beds_plan": table["beds_plan"].astype("int64").to_numpy(),
            "beds_new": table["beds_new"].astype("int64").to_numpy(),
            "other": pd.array(against, dtype="Int64"),
            "difference": pd.array(table["beds_plan"].to_numpy() - against, dtype="Int64"),
            "plan_per_1000": table["plan_per_1000"].astype(float).to_numpy(),
            "reach": table["reach_plan_per_1000"].astype(float).to_numpy(),
        }
    )
