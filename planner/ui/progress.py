"""A question under way: its stages, gap and time, and the button that stops it. Polled apart from the page."""

import streamlit as st

from planner.ui.sheets import text

STUDY = (
    *("beds", "stations_cover_all", "stations_best_n", "ambulances", "centres_free"),
    *("web_map", "verify"),
)
WHOLE = 1000  # from here on a figure is told without decimals
PREPARE = ("region", "demand", "sites")


def hear(job):
    """Note what a page is about to show of a job: :func:`follow` draws it again for what comes later."""
    st.session_state["heard"] = _news(job)


@st.fragment(run_every=0.5)
def follow(desk, job, me, words, brief=False):
    """Show how far a study is; whenever there is something new to show, the whole page is drawn again.

    brief  in a line, because a part of the answer is there
    """
    _draw_again_for_news(job)
    if brief:
        st.html(f'<p class="jy-status">◐ {text(now_text(job, words))}</p>')
    else:
        st.html(progress_html(job, words))
    if job.kind != "study":
        return
    with st.container(horizontal=True, gap="small"):
        st.button(
            words("ui.stopping" if job.stopping else "ui.stop"),
            key=f"stop-{job.number}",
            disabled=bool(job.stopping),
            on_click=_end,
            args=(desk, job, me, desk.stop),
        )
        drop = words("ui.drop")
        st.button(drop, key=f"drop-{job.number}", on_click=_end, args=(desk, job, me, desk.drop), type="tertiary")


def _end(desk, job, me, how):
    """End a job, or this page's part in it: what somebody else waits for goes on."""
    if desk.shared(job, me):
        st.session_state["job"] = desk.ended_for(job, me)
    else:
        how(job)


@st.fragment(run_every=1.0)
def wait_for_news(job, words):
    """Draw the page again when the rest of an answer, or its other language, has come; say that it is under way."""
    _draw_again_for_news(job)
    if job.whole is not None and not job.whole.over:
        st.html(f'<p class="jy-status">◐ {words("ui.completing")} {text(now_text(job.whole, words))}</p>')


def _news(job):
    """Return what is known of a job and of those that rest on its answer, as something to compare."""
    followers = [each for each in (job, job.whole) if each is not None]
    return job.number, sum(each.news + sum(other.news for other in each.texts.values()) for each in followers)


def _draw_again_for_news(job):
    if st.session_state.get("heard") != _news(job):
        st.rerun()


def now_text(job, words):
    """Return which stage a job is at, for how long, and its gap."""
    if not job.stages:
        return words("ui.waiting")
    name, began = job.stages[-1]
    return f"{words(_key(name, words))} · {_running(job, began, words)}"


def _key(name, words):
    return f"cli.stage.{name}" if f"cli.stage.{name}" in words else f"report.stage.{name}"


def progress_html(job, words):
    """Return the stages of a job: done with their seconds, the running one with gap and best value, those to come."""
    told = list(job.stages)
    names = [name for name, _ in told]
    models = [*dict.fromkeys([name for name in names if name not in PREPARE]), *STUDY]
    plan = list(dict.fromkeys([*(PREPARE if PREPARE[0] in names else ()), *models]))
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
    return f'<li class="{state}"><i>{sign}</i>{text(words(_key(name, words)))}<span>{said}</span></li>'


def _running(job, began, words):
    parts = [f"{job.seconds - began:.0f} {words('ui.seconds')}"]
    if job.best is not None:
        best = f"{job.best:,.0f}" if abs(job.best) >= WHOLE else f"{job.best:,.6g}"
        parts.append(words("ui.best", best=best))
    if job.gap is not None:
        parts.append(words("ui.gap", gap=f"{job.gap:.2%}"))
    return " · ".join(parts)
