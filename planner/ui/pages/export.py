"""导出: the answer's files, each with what it is good for; and its sentences to copy."""

import streamlit as st

from planner.ui.desk import DONE
from planner.ui.export_parts import FILES, file_name, map_preview, megabytes, path_of, waiting_for
from planner.ui.frame import heading, say, sentences, standing, title
from planner.ui.plan_documents import draw_documents
from planner.ui.sheets import text
from planner.ui.shelf import scenario_parcel_of


def draw(frame):
    """Draw the page."""
    title(frame)
    there = standing(frame) and frame.answer is not None and frame.answer.whole
    words = frame.words
    why = waiting_for(frame, there)
    if why:
        sentences([words(f"page_export.wait_{why}"), words("page_export.wait_how")])
        _cards(frame, None)
        draw_documents(frame, None)
    else:
        files = frame.desk.files(frame.answered, words.lang, frame.me, frame.scenario)
        if files.over:
            _written(frame, files)
        else:
            _await(frame, files)
        draw_documents(frame, files if files.state == DONE else None)
    if there:
        _copy(frame)


@st.fragment(run_every=0.5)
def _await(frame, files):
    if files.over:
        st.rerun()
    _written(frame, files)


def _written(frame, files):
    words = frame.words
    ready = files.state == DONE
    if files.trouble:
        reasons = "".join(f"<li>{text(each)}</li>" for each in files.trouble.reasons(words.lang))
        head, how = (text(words(f"page_export.failed{part}")) for part in ("", "_how"))
        st.html(f'<div class="jy-note alarm"><h3>▲ {head}</h3><ul>{reasons}</ul><p>{how}</p></div>')
        st.button(words("page_export.again"), key="files-again")
    elif not ready:
        say(f"◐ {words('page_export.writing', stage=_stage(files, words), seconds=f'{files.seconds:.0f}')}")
    else:
        key = "ready_interim" if frame.answer.interim else "ready"
        say(f"● {words(f'page_export.{key}')}")
    _cards(frame, files if ready else None)


def _stage(files, words):
    if not files.stages:
        return words("ui.waiting")
    name = files.stages[-1][0]
    return words(f"report.stage.{name}" if f"report.stage.{name}" in words else f"cli.stage.{name}")


def _cards(frame, files):
    """Draw every file with what it is good for, and the print map; ``files`` is None until they are there."""
    words = frame.words
    with st.container(key="files"):
        left, right = st.columns([7, 5], gap="medium")
        with left:
            for label in FILES:
                _card(frame, label, path_of(files.result, label) if files else None)
            _scenario_card(frame)
        with right:
            heading(words("page_export.preview"), words("page_export.preview_unit"))
            if files:
                st.image(map_preview(str(path_of(files.result, "print_png"))), width="stretch")
            else:
                st.html(f'<div class="jy-paper"><p>{text(words("page_export.preview_none"))}</p></div>')


def _card(frame, label, path):
    words = frame.words
    scenario = frame.scenario or frame.draft.base.scenario
    with st.container(key=f"card-{label}", horizontal=True, vertical_alignment="center"):
        size = megabytes(path.stat().st_size) if path else ""
        st.html(_about(label, size, words))
        st.download_button(
            words("page_export.download"),
            data=path.read_bytes if path else b"",
            file_name=file_name(scenario.name, label),
            mime=FILES[label][1],
            key=f"file-{label}",
            disabled=path is None,
            on_click="ignore",
            type="primary" if label == "workbook" and path else "secondary",
        )


def _scenario_card(frame):
    """Draw the settings as a scenario file; they need no answer."""
    words, scenario = frame.words, frame.scenario
    with st.container(key="card-scenario", horizontal=True, vertical_alignment="center"):
        name, content = (scenario_parcel_of(frame.draft) or ("", b"")) if scenario is not None else ("", b"")
        st.html(_about("scenario", megabytes(len(content)) if content else "", words))
        st.download_button(
            words("page_export.download"),
            data=content,
            file_name=name or None,
            mime="application/zip" if name.endswith(".zip") else "application/toml",
            key="file-scenario",
            disabled=not content,
            on_click="ignore",
        )


def _about(label, size, words):
    name, said = words(f"ui.file.{label}"), words(f"page_export.about_{label}")
    beside = f"<small>{text(size)}</small>" if size else ""
    return f'<div class="jy-file"><b>{text(name)}</b>{beside}<p>{text(said)}</p></div>'


def _copy(frame):
    words, summary = frame.words, frame.text.summary
    heading(words("page_export.copy"), words("page_export.copy_unit"))
    if frame.answer.checks is None:
        say(f"◐ {words('ui.unverified')}")
        return  # what is copied is printed: not before it is verified
    lines = [*([summary.interim] if summary.interim else []), *summary.headline]
    st.code("\n".join(lines), language=None, wrap_lines=True)
