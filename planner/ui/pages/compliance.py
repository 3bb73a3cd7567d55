"""达标对照: every clause of the documents against the plan, city by city, down to the clause itself."""

from functools import partial

import streamlit as st

from geo.theme import VERDICT_SIGNS
from planner.standards import load_standards
from planner.ui.clause_how import how_lines
from planner.ui.clause_sheets import PROVINCE, clause_html, figure_text, matrix_html, rows_html
from planner.ui.clauses import Asked, as_csv, as_workbook, clause_rows, filtered, tally
from planner.ui.draft import of_now
from planner.ui.frame import heading, say, sentences, standing, title
from planner.ui.grid import grid
from planner.ui.once import once
from planner.ui.sheets import text, verdict_text

NEEDED = (
    "compliance",
    "beds_by_city",
    "beds_by_county",
    "ambulances_by_city",
    "coverage_by_city",
    "stations",
    "centres",
)
ASKED = "compliance-asked"  # what is filtered by; the row whose clause is read; how often the widgets were drawn anew
ROW = "compliance-row"
DRAWN = "compliance-drawn"
SAID_UNMET = 4
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def draw(frame):
    """Draw the page."""
    title(frame)
    if not (standing(frame, *NEEDED) and frame.answer.whole):
        return
    words, standards = frame.words, load_standards()
    rows = once(frame.tables, "clauses", lambda: clause_rows(frame.tables, standards, words))
    sentences(_said(rows, words))
    cities = dict(zip(frame.tables["beds_by_city"]["code"], frame.tables["beds_by_city"]["name"], strict=True))
    asked = _asked()
    heading(words("page_compliance.matrix"), words("page_compliance.matrix_how"))
    chosen = (asked.group, asked.city)
    body = once(rows, ("matrix", chosen), lambda: matrix_html(rows, cities, words, chosen=chosen))
    grid(body, key="compliance-matrix", on_pick=_picked, label=words("page_compliance.matrix"))
    st.html(f'<div class="jy-notes"><p>{text(words("page_compliance.signs"))}</p></div>')
    heading(words("page_compliance.rows"))
    _filters(frame, rows, cities)
    asked = _asked()
    shown = once(rows, ("shown", asked), lambda: filtered(rows, asked))
    _found(frame, rows, shown, cities)
    with st.container(key="clauses"):
        left, right = st.columns([7, 4], gap="medium")
        with left:
            row = _chosen_row(shown, words)
            label = words("page_compliance.rows")
            listed = once(shown, ("rows", row), lambda: rows_html(shown, words, chosen=row))
            grid(listed, key="compliance-rows", on_pick=_picked, label=label)
        with right:
            _clause(frame, shown, row, standards)
    st.html(f'<div class="jy-notes"><p>{text(words("page_compliance.note"))}</p></div>')
    with st.expander(words("page_compliance.how_all")):
        for part in ("sources", "own_figures", "verdicts"):
            say(words(f"page_compliance.all_{part}"))
        st.html(f'<div class="jy-notes"><p>{text(frame.text.summary.rule)}</p></div>')


def _said(rows, words):
    """Return what the page opens with: how many clauses are met, and what falls short."""
    counts = tally(rows)
    listed = words("report.list_comma").join(f"{verdict_text(v, words)} {n:,}" for v, n in counts.items())
    lines = [words("page_compliance.say", rows=f"{len(rows):,}", clauses=rows["group"].nunique(), verdicts=listed)]
    short = rows[rows["verdict"].isin(("unmet", "over"))]
    for row in short.head(SAID_UNMET).to_dict("records"):
        unit = words(f"value.unit.{row['unit']}")
        said = {key: figure_text(row[key], row["unit"]) for key in ("target", "plan", "gap")}
        sign = VERDICT_SIGNS.get(row["verdict"], "")
        about = {"sign": sign, "name": row["name"], "area": row["area"], "unit": unit, "clause": row["clause"]}
        lines.append(words("page_compliance.say_unmet", **said, **about))
    if len(short) > SAID_UNMET:
        lines.append(words("page_compliance.say_more", count=len(short) - SAID_UNMET))
    return lines


# -- what is filtered by -----------------------------------------------------------------------------------------------


def _asked():
    return st.session_state.setdefault(ASKED, Asked())


def _ask(**changes):
    st.session_state[ASKED] = Asked(**{**vars(_asked()), **changes})


def _anew(**changes):
    """Filter by something that no widget was used for, and have the widgets show it."""
    _ask(**changes)
    st.session_state[DRAWN] = _drawings() + 1


def _picked(told):
    """Take a choice in the matrix or in the table; the same cell again takes its filter back."""
    kind, _, what = told.partition("\t")
    if kind == "row":
        st.session_state[ROW] = what
        st.session_state[DRAWN] = _drawings() + 1
    elif kind == "cell":
        group, _, city = what.partition("\t")
        again = (group, city) == (_asked().group, _asked().city)
        _anew(group="" if again else group, city="" if again else city, verdicts=())
        st.session_state.pop(ROW, None)


def _drawings():
    """Return how often the widgets of this page were drawn anew after a choice in one of its tables."""
    return st.session_state.get(DRAWN, 0)


def _read(key):
    st.session_state[ROW] = st.session_state[key]


def _filters(frame, rows, cities):
    words, asked = frame.words, _asked()
    end = f"{words.lang}-{_drawings()}"
    counts = tally(rows)

    def put(field, key):
        value = st.session_state[key]
        _ask(**{field: tuple(value) if isinstance(value, list) else value or ""})

    def drawn(draw, field, **more):
        key = f"compliance-{field}-{end}"
        heard = of_now(partial(put, field, key), _drawings)
        draw(words(f"page_compliance.by_{field}"), key=key, on_change=heard, **more)

    drawn(
        partial(st.pills, label_visibility="collapsed"),
        "verdicts",
        options=list(counts),
        default=[verdict for verdict in asked.verdicts if verdict in counts],
        selection_mode="multi",
        format_func=lambda verdict: f"{verdict_text(verdict, words)} {counts.get(verdict, 0):,}",
    )
    choices = {
        "document": {each: each for each in rows["document"].unique()},
        "group": dict(zip(rows["group"], rows["name"], strict=True)),
        "city": {PROVINCE: words("page_compliance.province")} | cities,
    }
    with st.container(key="clause-filters"):
        columns = st.columns([3, 4, 2, 3], gap="small")
        for column, (field, names) in zip(columns, choices.items(), strict=False):
            options = ["", *names]
            current = getattr(asked, field)
            with column:
                drawn(
                    st.selectbox,
                    field,
                    options=options,
                    index=options.index(current) if current in options else 0,
                    format_func=lambda code, names=names: names.get(code, words("page_compliance.all")),
                    filter_mode=None,
                )
        with columns[-1]:
            hint = words("page_compliance.hint")
            drawn(st.text_input, "text", value=asked.text, placeholder=hint, live=True, max_chars=60)


def _found(frame, rows, shown, cities):
    """Draw how many rows there are, the way back to all of them, and the files of those that are shown."""
    words = frame.words
    with st.container(horizontal=True, key="clause-found", vertical_alignment="center"):
        st.html(f'<p class="jy-say">{text(words("page_compliance.found", count=len(shown), total=len(rows)))}</p>')
        if _asked() != Asked():
            st.button(
                words("page_compliance.clear"), key="clear", on_click=_anew, kwargs=vars(Asked()), type="tertiary"
            )
        name = frame.answer.plan.scenario.name
        about = _about(len(shown), len(rows), cities, rows, words)
        files = {
            "csv": ("text/csv", partial(as_csv, shown, words)),
            "xlsx": (WORKBOOK, partial(as_workbook, shown, frame.text.summary, about, words)),
        }
        for ending, (mime, data) in files.items():
            st.download_button(
                words(f"page_compliance.file_{ending}"),
                data=data,
                file_name=f"{name}-compliance.{ending}",
                mime=mime,
                key=f"compliance-{ending}",
                on_click="ignore",
                disabled=shown.empty or frame.answer.checks is None,
            )


def _about(count, total, cities, rows, words):
    """Return lines that say which rows a file holds."""
    asked = _asked()
    names = dict(zip(rows["group"], rows["name"], strict=True))
    said = {
        "verdicts": words("report.list_comma").join(verdict_text(each, words) for each in asked.verdicts),
        "document": asked.document,
        "group": names.get(asked.group, asked.group),
        "city": words("page_compliance.province") if asked.city == PROVINCE else cities.get(asked.city, asked.city),
        "text": asked.text,
    }
    lines = [words("page_compliance.found", count=count, total=total)]
    return [*lines, *(f"{words(f'page_compliance.by_{field}')}: {value}" for field, value in said.items() if value)]


# -- one clause --------------------------------------------------------------------------------------------------------


def _chosen_row(shown, words):
    """Draw the choice of a row, for those who do not click in the table; return it, None for none."""
    options = list(shown.index)
    current = st.session_state.get(ROW)
    if len(options) == 1:
        current = options[0]
    names = {id: f"{row['area']} · {row['name']}" for id, row in zip(options, shown.to_dict("records"), strict=True)}
    key = f"compliance-read-{words.lang}-{_drawings()}"
    st.selectbox(
        words("page_compliance.read"),
        options,
        index=options.index(current) if current in options else None,
        format_func=lambda id: names.get(id, id),
        placeholder=words("page_compliance.read_hint" if options else "page_compliance.nothing"),
        key=key,
        on_change=of_now(partial(_read, key), _drawings),
        filter_mode=None,
        disabled=not options,
        label_visibility="collapsed",
    )
    return current if current in options else None


def _clause(frame, shown, row, standards):
    words = frame.words
    if row is None:
        st.html(f'<div class="jy-clause empty"><p>{text(words("page_compliance.read_none"))}</p></div>')
        return
    held = shown.loc[row].to_dict()
    standard = standards.get(held["standard_id"]) if held["standard_id"] else None
    st.html(clause_html(held, standard, how_lines(held, frame.tables, standards, words), words))
