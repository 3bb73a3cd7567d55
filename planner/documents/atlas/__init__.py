"""The atlas of a plan: every sheet as PDF, PNG and SVG, and one PDF of all with bookmarks; figures for a document."""

import os
from pathlib import Path

from geo.atlas import FORMATS, Atlas, check_letters, letters_of
from geo.atlas_views import Imprint
from geo.faults import Fault, Rejected
from geo.press import DPI, family
from geo.sheet_layout import ORIENTATIONS
from geo.sheet_layout import PAPERS as SIZES
from planner.documents.atlas.series import THEMES, WHOLE, named, series_of, sheets, spec_of, themes_of, view_of_sheet
from planner.documents.desks import Desks
from planner.documents.naming import province_code, stem

__all__ = ["FORMATS", "ORIENTATIONS", "PAPERS", "THEMES", "Cancelled", "Imprint", "check_font", "sheets"]

PAPERS = tuple(SIZES)
FIGURE = "figure"
FIGURE_DPI = 200
MOST_PROCESSES = 8


class Cancelled(Exception):
    """Whoever asked said stop; what had been written of it is gone again."""


def check_font(font):
    """Raise :class:`geo.faults.Rejected` when a font cannot print an atlas: none of that name, no TrueType."""
    family(font)


def write_atlas(
    source,
    folder,
    *,
    city=None,
    paper=PAPERS[0],
    orientation=ORIENTATIONS[0],
    formats=FORMATS,
    dpi=DPI,
    imprint=None,
    font=None,
    processes=None,
    progress=None,
    cancel=None,
):
    """Write the atlas of a :class:`planner.documents.source.Source` into a folder; return {"files": paths in order}.

    city       a city's code: its sheets alone; None: the province's and those of every city
    paper      of PAPERS; orientation: of ORIENTATIONS, "auto" by an area's shape; dpi: dots an inch of the PNG
    imprint    :class:`geo.atlas.Imprint`; font: an installed family or a file, None for the shipped type
    processes  that draw at once; None: one a core. It changes no byte
    progress   called as progress("atlas", sheets done, sheets in all)
    cancel     has ``is_set()``; then :class:`Cancelled` is raised
    Raises :class:`geo.faults.Rejected`, before a file is written, for a text that the type cannot print or a paper,
    orientation or format that is not known.
    """
    _known(paper, PAPERS)
    _known(orientation, ORIENTATIONS)
    for form in formats:
        _known(form, FORMATS)
    specs = sheets(source, city=city)
    series = series_of(source, paper=paper, orientation=orientation, imprint=imprint, font=font)
    folder = Path(folder)
    bound = folder / f"{stem(source, city or province_code(source), WHOLE, source.words('series.whole'))}.pdf"
    jobs = [(view_of_sheet(source, spec), {form: folder / f"{spec.stem}.{form}" for form in formats}) for spec in specs]
    _draw(series, jobs, dpi, bound.name, "atlas", processes, progress, cancel)
    if "pdf" not in formats:
        return {"files": [path for _, paths in jobs for path in paths.values()]}
    _bind(source, specs, [paths["pdf"] for _, paths in jobs], bound, series.imprint)
    return {"files": [bound, *(path for _, paths in jobs for path in paths.values())]}


def write_figures(
    source,
    folder,
    *,
    city=None,
    themes=None,
    dpi=FIGURE_DPI,
    font=None,
    processes=None,
    progress=None,
    cancel=None,
):
    """Write a PNG of each theme for a document, 156 mm wide, without title and imprint; return {theme: path}.

    city    a city's code, None for the province; themes: of THEMES, None for all that the plan has
    Otherwise as :func:`write_atlas`; progress is told of "figures".
    """
    code = city or province_code(source)
    names = tuple(name for name in (themes or THEMES) if name in themes_of(source))
    series = series_of(source, paper=FIGURE, font=font)
    folder = Path(folder)
    jobs = [(view_of_sheet(source, spec_of(source, name, code)), {"png": folder / f"{name}.png"}) for name in names]
    _draw(series, jobs, dpi, f"{names[0]}.png" if names else "", "figures", processes, progress, cancel)
    return {name: paths["png"] for name, (_, paths) in zip(names, jobs, strict=True)}


def _known(value, known):
    if value not in known:
        raise Rejected([Fault("atlas_choice", value=str(value), params={"known": ", ".join(known)})])


def _draw(series, jobs, dpi, file, stage, processes, progress, cancel):
    """Draw every (view, paths), an area's sheets at one desk, so that its geometry is worked out once."""
    views = [view for view, _ in jobs]
    check_letters(series, views, file)
    letters = letters_of(series, views)
    for _, paths in jobs:
        for path in paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
    tell = progress or (lambda *about: None)
    tell(stage, 0, len(jobs))
    desks = min(processes or min(os.cpu_count() or 1, MOST_PROCESSES), len(jobs))
    stopped = False
    if desks <= 1:
        atlas = Atlas(series, letters)
        for done, (view, paths) in enumerate(jobs, 1):
            stopped = cancel is not None and cancel.is_set()
            if stopped:
                break
            atlas.write(view, paths, dpi)
            tell(stage, done, len(jobs))
    else:
        with Desks((series, letters, dpi), desks) as room:
            for done, _ in enumerate(room.drawn(_piles(jobs, desks), cancel), 1):
                tell(stage, done, len(jobs))
            stopped = room.stopped
    if stopped:
        for _, paths in jobs:
            for path in paths.values():
                path.unlink(missing_ok=True)
        raise Cancelled


def _piles(jobs, desks):
    """Return the jobs by area; halved and so on until there is a pile for every desk."""
    by_area = {}
    for job in jobs:
        by_area.setdefault(job[0].code, []).append(job)
    piles = list(by_area.values())
    while len(piles) < desks and max(map(len, piles)) > 1:
        largest = max(piles, key=len)
        piles.remove(largest)
        half = (len(largest) + 1) // 2
        piles += [largest[:half], largest[half:]]
    return piles


def _bind(source, specs, pages, bound, imprint):
    """Write one PDF of all sheets, with a bookmark for each area and below it one for each theme."""
    from pypdf import PdfReader, PdfWriter  # needed here alone: who exports tables need not have it

    names, writer, parents = named(source), PdfWriter(), {}
    for spec, path in zip(specs, pages, strict=True):
        number = len(writer.pages)
        writer.append(PdfReader(path), import_outline=False)
        if spec.code not in parents:
            parents[spec.code] = writer.add_outline_item(title=names[spec.code], page_number=number)
        said = f"{spec.number:02d} {spec.title}"
        writer.add_outline_item(title=said, page_number=number, parent=parents[spec.code])
    area = names[specs[0].code]
    about = {"/Title": f"{area}{source.words('series.whole')}", "/Subject": source.summary.title}
    about |= {"/Author": imprint.organisation} if imprint.organisation else {}
    writer.metadata = None
    writer.add_metadata(about | {"/Creator": "jinyi", "/Producer": "jinyi"})
    writer.page_mode = "/UseOutlines"
    with bound.open("wb") as file:
        writer.write(file)
