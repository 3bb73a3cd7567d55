"""方案比较: what one scenario gives otherwise than another - figures, the map of differences, tables, files."""

from itertools import combinations

import streamlit as st

from planner.compare import CannotCompare
from planner.report.summary import gap_text
from planner.ui.compare_choice import advance, answer_of, ask, choose, failed, follow_run, running
from planner.ui.compare_figures import INDICATORS, NUMBERS, figures_html, measures_unlike
from planner.ui.compare_pair import as_result, comparison_of, difference_tables, downloads, region_of
from planner.ui.frame import heading, say, sentences, show_trouble, title
from planner.ui.maps import HEIGHT
from planner.ui.plate import plate
from planner.ui.sheets import text

STOPPED = ("interim", "no_plan")


def draw(frame):
    """Draw the page."""
    title(frame, about=False)
    with st.container(key="compare-choice"):
        chosen = choose(frame)
    advance(frame, chosen)
    answers = [answer_of(each, frame) for each in chosen]
    with st.container(key="notice"):
        _standing(frame, chosen, answers)
    results = {
        number: as_result(answer, each.scenario)
        for number, (each, answer) in enumerate(zip(chosen, answers, strict=True))
        if answer is not None
    }
    if len(results) < 2:
        _nothing_yet(frame, chosen)
        return
    _results(frame, results)


def _standing(frame, chosen, answers):
    """Draw which scenario has which number and how its answer stands, and what can be done about those without one."""
    words = frame.words
    jobs = [running(each, frame) for each in chosen]
    troubles = [failed(each, frame) for each in chosen]
    rows, signs = "", _signs(len(chosen), words)
    for number, each, answer, job, trouble in zip(signs, chosen, answers, jobs, troubles, strict=False):
        said, css = _state(answer, job, trouble, words)
        rows += f'<li class="{css}"><b>{number}</b><span>{text(each.title)}</span><em>{text(said)}</em></li>'
    st.html(f'<ol class="jy-chosen">{rows}</ol>')
    for each, answer, job, trouble in zip(chosen, answers, jobs, troubles, strict=True):
        if answer is None and job is None and trouble is not None:
            say(words("page_compare.failed", title=each.title))
            if isinstance(trouble, str):
                st.html(f'<p class="jy-fault">{text(trouble)}</p>')
            else:
                show_trouble(trouble, words)
    under_way = next((job for job in jobs if job is not None), None)
    if under_way is not None:
        follow_run(frame, under_way)
    lacking = [each.key for each, answer in zip(chosen, answers, strict=True) if answer is None and each.scenario]
    if lacking and under_way is None and len(chosen) > 1:
        with st.container(horizontal=True, vertical_alignment="center", key="compare-ask"):
            label = words("page_compare.ask", count=len(lacking))
            st.button(label, type="primary", key="compare-ask-button", on_click=ask, args=(lacking,))
            say(words("page_compare.ask_about"), quiet=True)


def _signs(count, words):
    """Return what the scenarios that are chosen are called for short: two of them as the sentences call them."""
    return (words("column.first"), words("column.second")) if count <= 2 else NUMBERS


def _state(answer, job, trouble, words):
    """Return (how an answer stands, in words with a sign; the class of its line)."""
    if answer is not None:
        open_models = [proof for proof in answer.plan.proofs.values() if proof.status in STOPPED]
        if not open_models:
            return f"● {words('ui.verified', count=len(answer.checks))}", "there"
        comma = words("report.list_comma")
        gaps = comma.join(
            words("page_compare.gap_of", model=words(f"value.model.{proof.model}"), gap=gap_text(proof.gap, words))
            for proof in open_models
        )
        return f"◐ {words('ui.interim')} · {gaps}", "interim"
    if job is not None:
        return f"◐ {words('page_compare.under_way')}", "now"
    if trouble is not None:
        return f"▲ {words('page_compare.no_answer')}", "bad"
    return f"○ {words('page_compare.not_asked')}", "later"


def _nothing_yet(frame, chosen):
    words = frame.words
    about = "nothing" if len(chosen) < 2 else "waiting"
    heads = (words(f"page_compare.{about}"), words(f"page_compare.{about}_how"))
    with st.container(key="map"):
        st.html(f'<div class="jy-empty"><h3>{text(heads[0])}</h3><p>{text(heads[1])}</p></div>')


def _results(frame, results):
    """Draw what there is of two or more results: all in one table, then two of them in every detail."""
    if len(results) > 2:
        _figures(frame, results)
    pair = _pair(frame, list(results))
    first, second = (results[number] for number in pair)
    try:
        made = comparison_of(first, second, frame.words)
    except CannotCompare as error:
        head, said = text(frame.words("page_compare.cannot")), text(error.tell(frame.words))
        st.html(f'<div class="jy-note alarm"><h3>▲ {head}</h3><p>{said}</p></div>')
        return
    words = frame.words
    if made.summary.interim:
        said = text(made.summary.interim)
        st.html(f'<div class="jy-note alarm"><h3>◐ {words("ui.interim")}</h3><p>{said}</p></div>')
    sentences(made.summary.headline)
    with st.container(key="map"):
        plate(made.sheet, key="compare-map", height=HEIGHT)
    if len(results) == 2:
        _figures(frame, results)
    difference_tables(frame, made)
    downloads(frame, made)
    _how(frame)


def _figures(frame, results):
    """Draw the table of the main figures, and what its signs mean."""
    words = frame.words
    given = list(results.values())
    heading(words("page_compare.figures"))
    signs = [NUMBERS[number] for number in results]
    if len(given) == 2:
        signs = [words("column.first"), words("column.second")]
    heads = [(sign, each.scenario.title) for sign, each in zip(signs, given, strict=True)]
    regions = [region_of(each.scenario.region) for each in given]
    st.html(f'<div class="jy-many-frame">{figures_html(given, heads, regions, words)}</div>')
    notes = [words("page_compare.figures_note")]
    differing = measures_unlike(given)
    if differing:
        labels = words("report.list_comma").join(words(f"report.setting.{field}") for field in differing)
        notes.append(words("page_compare.unlike", settings=labels))
    st.html('<div class="jy-notes">' + "".join(f"<p>{text(note)}</p>" for note in notes) + "</div>")


def _pair(frame, numbers):
    """Return the two that are shown in detail; where there are more, draw the choice."""
    pairs = {f"{first} {second}": (first, second) for first, second in combinations(numbers, 2)}
    if len(pairs) == 1:
        return next(iter(pairs.values()))
    words = frame.words
    asked = st.session_state.get("compare-pair")
    key = f"compare-pair-{words.lang}-{hash(tuple(pairs))}"

    def put():
        st.session_state["compare-pair"] = st.session_state[key]

    with st.container(key="compare-pairs"):
        chosen = st.segmented_control(
            words("page_compare.pair"),
            list(pairs),
            default=asked if asked in pairs else next(iter(pairs)),
            required=True,
            format_func=lambda pair: _against(*pairs[pair], words),
            key=key,
            on_change=put,
        )
    return pairs[chosen]


def _against(first, second, words):
    return words("page_compare.against", first=NUMBERS[first], second=NUMBERS[second])


def _how(frame):
    words = frame.words
    with st.expander(words("page_compare.how_heading")):
        say(words("page_compare.how_pair"))
        rows = "".join(
            f"<tr><td>{text(words(f'page_compare.indicator.{each.name}'))}</td>"
            f"<td>{text(words(f'page_compare.how.{each.name}'))}</td></tr>"
            for each in INDICATORS
        )
        st.html(f'<table class="jy-lines"><tbody>{rows}</tbody></table>')
