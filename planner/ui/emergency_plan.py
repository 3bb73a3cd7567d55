"""What a plan says of emergency stations: tiers, vehicles, the curve of coverage, other layouts."""

import tempfile
from pathlib import Path

import streamlit as st

from planner.report.charts import draw_curve
from planner.report.summary import thousands
from planner.ui.frame import heading, say
from planner.ui.tables import table

TABS = (
    ("stations", ("stations", "station_tiers")),
    ("ambulances", ("ambulances_by_city", "ambulances_by_station")),
    ("curve", ("coverage_curve",)),
    ("options", ("station_options",)),
    ("other", ("stations_alternative",)),
)


def plan_part(frame):
    """Draw the plan's own tables below the check of its stations."""
    words = frame.words
    heading(words("page_emergency.plan_tables"))
    tabs = st.tabs([words(f"page_emergency.plan_tab.{tab}") for tab, _ in TABS])
    for (name, wanted), tab in zip(TABS, tabs, strict=True):
        with tab:
            if name == "curve":
                _curve(frame)
            else:
                _tables(frame, name, wanted)


def _tables(frame, name, wanted):
    words = frame.words
    if name == "other":
        _other(frame)
    for each in wanted:
        if not _drawable(frame, each):
            say(f"◐ {words('page_emergency.coming')}", quiet=True)
            continue
        if len(wanted) > 1:
            heading(words(f"table.{each}.title"))
        table(frame, each)


def _drawable(frame, name):
    """Return whether a table and those that name its places are there."""
    return frame.has(name, "beds_by_city", "beds_by_county")


def _other(frame):
    """Say what the second question is, and how many stations answer it."""
    words = frame.words
    if not frame.has("stations_alternative"):
        return
    goal = "best_n" if frame.scenario.stations_goal == "cover_all" else "cover_all"
    count = len(frame.tables["stations_alternative"])
    key = "other_goal" if count else "other_goal_none"
    say(words(f"page_emergency.{key}", goal=words(f"ui.goal_{goal}"), count=thousands(count)))


def _curve(frame):
    words = frame.words
    if not frame.answer.full:
        say(f"◐ {words('page_emergency.curve_coming')}")
        return
    curve = frame.tables["coverage_curve"]
    if len(curve) > 1:
        knee = curve[curve["knee"].eq("yes")]
        if len(knee):
            row = knee.iloc[0]
            said = {"stations": thousands(row["stations"]), "share": f"{row['share']:.1f}%"}
            say(words("page_emergency.knee", persons=thousands(row["persons"]), **said))
        st.image(_chart(frame, curve), width=760)
    if _drawable(frame, "coverage_curve"):
        table(frame, "coverage_curve")


def _chart(frame, curve):
    """Return the chart of the curve as PNG; drawn once for each answer and language."""
    key = frame.job.key, len(curve), frame.words.lang
    held = st.session_state.get("em-chart")
    if held is None or held[0] != key:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "curve.png"
            rule = frame.text.summary.rule if frame.text.summary else ""
            draw_curve(curve, frame.words("table.coverage_curve.title"), rule, path, frame.words)
            held = st.session_state["em-chart"] = key, path.read_bytes()
    return held[1]
