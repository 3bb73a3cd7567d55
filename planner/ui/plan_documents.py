"""Plan documents on the page of exports: what is wanted, how far it is, and what there is to take along."""

import streamlit as st

from planner.documents.naming import fit
from planner.report.names import place_names
from planner.ui.desk import DONE
from planner.ui.export_parts import megabytes
from planner.ui.files import kept
from planner.ui.frame import heading, say
from planner.ui.ground import region_here
from planner.ui.sheets import text
from planner.ui.uploads import uploader

USUAL = ("word", "excel")
MIMES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
}


def draw_documents(frame, files):
    """Draw the part of the page; ``files`` is the job of the written outputs, None until they are there."""
    words = frame.words
    heading(words("page_export.documents"), words("page_export.documents_unit"))
    say(words("page_export.documents_about"), quiet=True)
    with st.container(key="documents"):
        asked = _asked(frame)
        if files is None:
            say(f"○ {words('page_export.documents_wait')}", quiet=True)
            return
        job = files.documents.get(asked)
        under_way = job is not None and not job.over
        pressed = st.button(
            words("page_export.documents_make"),
            key="documents-make",
            type="primary",
            disabled=not asked.what or under_way,
        )
        if pressed:
            job = frame.desk.documents(files, asked, frame.me)
        if job is None:
            return
        if job.over:
            _made(frame, job)
        else:
            _follow(frame.desk, job, words)


def _asked(frame):
    """Draw what may be asked for, and return it as :class:`planner.documents.export.Asked`."""
    from planner.documents.export import ORIENTATIONS, PAPERS, WHAT, Asked, Imprint  # drawing libraries come with it

    words = frame.words
    region = region_here(frame.scenario or frame.draft.base.scenario)
    names = place_names(region, words)
    what = st.pills(
        words("page_export.documents_what"),
        WHAT,
        selection_mode="multi",
        default=USUAL,
        format_func=lambda part: words(f"export.what_{part}"),
        key=f"documents-what-{words.lang}",
    )
    across = st.columns(4, gap="small")
    city = across[0].selectbox(
        words("page_export.documents_area"),
        ["", *region.cities.index],
        format_func=lambda code: names[code] if code else words("page_export.documents_province"),
        key=f"documents-city-{words.lang}",
        filter_mode=None,
    )
    paper = across[1].selectbox(
        words("page_export.documents_paper"),
        PAPERS,
        key="documents-paper",
        disabled="atlas" not in what,
        filter_mode=None,
    )
    organisation = across[2].text_input(
        words("page_export.documents_organisation"), max_chars=60, key="documents-organisation"
    )
    review = across[3].text_input(words("page_export.documents_review"), max_chars=60, key="documents-review")
    template = None
    if "word" in what:
        with st.expander(words("page_export.documents_template")):
            brought = uploader(words("page_export.documents_template_about"), words, key="template", type=["docx"])
        template = kept(frame.desk, brought.name, brought.getvalue()) if brought else None
    return Asked(
        what=tuple(part for part in WHAT if part in what),
        city=city or None,
        paper=paper if "atlas" in what else PAPERS[0],
        orientation=ORIENTATIONS[0],
        template=template,
        imprint=Imprint(organisation=organisation.strip(), review=review.strip()),
    )


@st.fragment(run_every=0.5)
def _follow(desk, job, words):
    if job.over:
        st.rerun()
    say(f"◐ {words('page_export.documents_making', stage=stage_said(job, words), seconds=f'{job.seconds:.0f}')}")
    st.button(
        words("ui.stopping" if job.stopping else "page_export.documents_stop"),
        key=f"documents-stop-{job.number}",
        disabled=bool(job.stopping),
        on_click=desk.drop,
        args=(job,),
    )


def stage_said(job, words):
    """Return which stage a job is at, and how many of its pieces are done."""
    if not job.stages:
        return words("ui.waiting")
    name = job.stages[-1][0]
    keys = (f"export.stage.{name}", f"report.stage.{name}", f"cli.stage.{name}")
    key = next(key for key in keys if key in words)
    done = f" {job.best[0]}/{job.best[1]}" if isinstance(job.best, tuple) else ""
    return words(key) + done


def _made(frame, job):
    words = frame.words
    if job.state != DONE:
        head, trouble = words("page_export.failed"), job.trouble
        if trouble.kind == "stopped":
            say(f"■ {words('export.stopped')}")
            return
        said = trouble.reasons(words.lang) or [words(f"ui.trouble.{trouble.kind}.what")]
        reasons = "".join(f"<li>{text(each)}</li>" for each in said)
        st.html(f'<div class="jy-note alarm"><h3>▲ {text(head)}</h3><ul>{reasons}</ul></div>')
        return
    say(f"● {words('page_export.documents_ready')}")
    alone = sorted(path for path in job.result.iterdir() if path.suffix in MIMES)
    alone += sorted(job.result.glob(f"{words('export.folder_atlas')}*/*.pdf"))[:1]  # the one of all sheets comes first
    whole = job.result.with_suffix(".zip")
    scenario = frame.scenario or frame.draft.base.scenario
    for number, path in enumerate([*alone, whole]):
        name = path.name if path != whole else f"{fit(scenario.title or scenario.name)}.zip"
        about = words("page_export.documents_all") if path == whole else ""
        with st.container(key=f"card-documents-{number}", horizontal=True, vertical_alignment="center"):
            size = megabytes(path.stat().st_size)
            said = f"<p>{text(about)}</p>" if about else ""
            st.html(f'<div class="jy-file"><b>{text(name)}</b><small>{text(size)}</small>{said}</div>')
            st.download_button(
                words("page_export.download"),
                data=path.read_bytes,
                file_name=name,
                mime=MIMES[path.suffix],
                key=f"documents-file-{job.number}-{number}",
                on_click="ignore",
            )
