"""The Word annex of a finished plan: ten chapters of text, tables and figures on the office's paper."""

from pathlib import Path

from planner.documents.annex.beds import beds, goals, method, today
from planner.documents.annex.clauses import compliance, unmet
from planner.documents.annex.emergency import centres, emergency
from planner.documents.annex.ground import difference, manifest, natures
from planner.documents.annex.paper import Paper
from planner.documents.annex.styles import opened
from planner.documents.annex.tables import Annex
from planner.report.summary import thousands
from planner.report.tables import clean_text

CHAPTERS = (goals, method, today, beds, emergency, centres, compliance, natures, unmet, manifest, difference)


def write_annex(source, path, *, figures, city=None, template=None, organisation="", date="", review="", progress=None):
    """Write the annex of a plan as a Word document (.docx); the same plan gives the same bytes.

    source    :class:`planner.documents.source.Source`; its language is the annex's
    path      of the file, which is replaced
    figures   {theme: path of a PNG}, about 156 mm wide; a theme that is missing has no figure
    city      code of a city for an annex of that city alone; None = the province
    template  path of the office's own .docx: its page, heads, feet and styles are kept, ours fill in what it lacks
    organisation, date, review: what the title page says of them; an empty ``review`` says that no map was reviewed
    progress  called as progress("annex", chapters done, chapters in all)
    Raises :class:`geo.faults.Rejected` for a template that is none, is damaged or protected;
    :class:`planner.compare.CannotCompare` where ``source.against`` is of another region; OSError.
    """
    words = source.words
    tell = progress or (lambda *about: None)
    paper = Paper(words, template)
    annex = Annex(source, paper, city, dict(figures))
    title = clean_text(source.summary.title)
    head = (
        words("annex.header", title=title) if city is None else words("annex.header_city", title=title, city=annex.area)
    )
    paper.heads_and_feet(head, _alarm(annex))
    _title_page(annex, title, organisation, date, review)
    paper.contents()
    for done, chapter in enumerate(CHAPTERS):
        tell("annex", done, len(CHAPTERS))
        if done == 0:
            paper.page_break()
        chapter(annex)
    paper.save(path, title=head, subject=words("annex.subject"))
    tell("annex", len(CHAPTERS), len(CHAPTERS))


def check_template(template):
    """Raise :class:`geo.faults.Rejected` where a path (None: no template) is none that an annex can be written on."""
    if template is not None:
        opened(Path(template))


def _alarm(annex):
    """Return what must be read on every page of a plan that is not proven; "" of one that is."""
    interim = annex.source.summary.interim
    return f"◐ {interim}" if interim else ""


def _in_figures(annex):
    """Return beds, stations, ambulances and people of the annex's area in one line."""
    tables = annex.tables
    return annex.words(
        "report.subtitle",
        beds=thousands(tables["beds_by_city"]["beds_plan"].sum()),
        stations=thousands(len(tables["stations"])),
        ambulances=thousands(tables["ambulances_by_city"]["plan"].sum()),
        persons=thousands(tables["beds_by_city"]["persons"].sum()),
    )


def _title_page(annex, title, organisation, date, review):
    words, paper, source = annex.words, annex.paper, annex.source
    paper.text(words("annex.mark"), "mark")
    paper.text(title, "title")
    if annex.city is not None:
        paper.text(annex.area, "title")
    paper.text(words("annex.title_kind"), "subtitle")
    paper.text(_in_figures(annex), "fact")
    if source.summary.interim:
        paper.text(_alarm(annex), "alarm")
    facts = [words(f"annex.{key}", text=text) for key, text in (("org", organisation), ("date", date)) if text]
    facts.append(words("annex.review", text=review or words("atlas.review_none")))
    version = source.result.manifest["jinyi"]
    facts.append(words("annex.about", fingerprint=source.fingerprint, version=version))
    for i, fact in enumerate(facts):
        paper.text(fact, "first_fact" if i == 0 else "fact")
    if source.cleaned:
        paper.text(words("annex.cleaned_count", count=len(source.cleaned)), "fact")
    paper.page_break()
