"""A question under way: its stages, gap and time, and the button that stops it. Polled apart from the page."""

import streamlit as st

from planner.ui.sheets import text

STUDY = ("beds", "centres_free", "stations_cover_all", "stations_best_n", "verify", "web_map")
PREPARE = ("region", "demand", "sites")


@st.fragment(run_every=0.5)
def follow(desk, job, words):
    """Show how far a study is; when it is over, the whole page is drawn again."""
    if job.over:
        st.rerun()
    st.html(progress_html(job, words))
    if job.kind != "study":
        return
    st.button(
        words("ui.stopping" if job.stopping else "ui.stop"),
        key=f"stop-{job.number}",
        disabled=bool(job.stopping),
        on_click=desk.stop,
        args=(job,),
    )


def progress_html(job, words):
    """Return the stages of a job: done with their seconds, the running one with gap and best value, those to come."""
    told = list(job.stages)
    names = [name for name, _ in told]
    models = STUDY if job.kind == "study" else STUDY[-1:]
    plan = [*PREPARE, *models] if PREPARE[0] in names else models
    ends = {name: end for (name, _), (_, end) in zip(told, told[1:], strict=False)}
    begins = dict(reversed(told))
    items = ""
    for name in plan:
        if name in ends:
            items += _item("done", "●", name, f"{ends[name] - begins[name]:.1f} {words('ui.seconds')}", words)
        elif name in begins:
            items += _item("now", "◐", name, _running(job, begins[name], words), words)
        else:
            items += _item("later", "○", name, "", words)
    heading = words("ui.waiting") if job.state == "waiting" else words("ui.running", seconds=f"{job.seconds:.0f}")
    return f'<div class="jy-progress"><h3>{heading}</h3><ol>{items}</ol></div>'


def _item(state, sign, name, said, words):
    key = f"cli.stage.{name}" if f"cli.stage.{name}" in words else f"report.stage.{name}"
    return f'<li class="{state}"><i>{sign}</i>{text(words(key))}<span>{said}</span></li>'


def _running(job, began, words):
    parts = [f"{job.seconds - began:.0f} {words('ui.seconds')}"]
    if job.best is not None:
        parts.append(words("ui.best", best=f"{job.best:,.6g}"))
    if job.gap is not None:
        parts.append(words("ui.gap", gap=f"{job.gap:.2%}"))
    return " · ".join(parts)
