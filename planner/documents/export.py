"""One finished plan in, one folder of plan documents out: atlas, Word annex, workbook, GIS handover."""

import importlib.metadata
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from geo.faults import Fault, Rejected
from planner.documents.annex import check_template, write_annex
from planner.documents.atlas import ORIENTATIONS, PAPERS, Imprint, check_font, write_atlas, write_figures
from planner.documents.book import write_tables
from planner.documents.gis import check_crs, write_handover
from planner.documents.naming import fit, province_code, stem
from planner.documents.written import check_export_out, manifest_of
from planner.report.folder import replaced
from planner.report.manifest import MANIFEST, digest_of, write_manifest

WHAT = ("atlas", "word", "excel", "gis")
NUMBERS = {"word": 21, "excel": 22}  # of the files that stand alone; the atlas begins at 0, the handover at 23
ENDINGS = {"word": ".docx", "excel": ".xlsx"}


@dataclass(frozen=True)
class Asked:
    """What is to be written.

    what         of ``WHAT``
    city         a city's code: its documents alone; None: the province's, and its atlas has every city's sheets
    paper        of the atlas, one of PAPERS; orientation: one of ORIENTATIONS
    crs          of the handover, "EPSG:4490" or a zone of Gauss-Krueger
    template     the office's own Word file, or None
    imprint      :class:`geo.atlas.Imprint`: organisation, date, review number as granted; empty lines to fill in
    font         of the atlas: an installed family or a file; None: the type that is shipped
    """

    what: tuple = WHAT
    city: str | None = None
    paper: str = PAPERS[0]
    orientation: str = ORIENTATIONS[0]
    crs: str = "EPSG:4490"
    template: Path | None = None
    imprint: Imprint = field(default_factory=Imprint)
    font: str | None = None


def check_asked(asked, source):
    """Raise :class:`geo.faults.Rejected` with all that cannot be written as asked, before anything is drawn."""
    faults = []
    if asked.city is not None and asked.city not in source.region.cities.index:
        cities = "、".join(f"{code} {name}" for code, name in source.region.cities["name"].items())
        faults.append(Fault("export_city", value=asked.city, params={"cities": cities}))
    checks = {
        "atlas": lambda: check_font(asked.font),
        "word": lambda: check_template(asked.template),
        "gis": lambda: check_crs(asked.crs, source.region),
    }
    for part, check in checks.items():
        if part in asked.what:
            try:
                check()
            except Rejected as rejected:
                faults += rejected.faults
    if faults:
        raise Rejected(faults)


def write_documents(source, out, asked, progress=None, cancel=None):
    """Write the documents of a :class:`planner.documents.source.Source` into the folder ``out``; return its manifest.

    The folder is replaced in one step. Documents of the same plan that stand in it already and are not asked for now
    are kept; those of another plan go.
    progress  called as progress(stage, done, total); stages are the words below ``export.stage``
    cancel    has ``is_set()``; then :class:`planner.documents.atlas.Cancelled` is raised and ``out`` is as it was
    Raises :class:`geo.faults.Rejected` for what cannot be written as asked or printed with the type there is, and
    OSError (:class:`planner.report.OutRefused` among them); the old folder is then as it was.
    """
    tell = progress or (lambda *about: None)
    check_export_out(out, [part.result.folder for part in (source, source.against) if part is not None])
    check_asked(asked, source)
    parts = {}

    def finish(folder):
        """Add what is kept, and the manifest: under the lock, so that two exports at once lose nothing."""
        for name, files in _kept(Path(out).resolve(), source, asked).items():
            if not any((folder / file).exists() for file in files):
                for file in files:
                    _copy(Path(out).resolve() / file, folder / file)
                parts[name] = files
        write_manifest(_manifest(source, asked, parts, folder), folder / MANIFEST)

    with replaced(out, finish) as folder:
        for part in (part for part in WHAT if part in asked.what):
            tell(part, 0, None)
            before = _files(folder)
            WRITERS[part](source, folder, asked, tell, cancel)
            parts[_called(part, asked)] = sorted(_files(folder) - before)
    return manifest_of(out)


def _manifest(source, asked, parts, folder):
    return {
        "jinyi": importlib.metadata.version("jinyi"),
        "language": source.words.lang,
        "plan": {"scenario": source.scenario.name, "fingerprint": source.fingerprint},
        "against": source.against and source.against.fingerprint,
        "interim": bool(source.summary.interim),
        "documents": dict(sorted(parts.items())),
        "asked": {part: _plain(asked, part) for part in WHAT if part in asked.what},
        "cleaned": [asdict(each) for each in source.cleaned],
        "files": {name: digest_of(folder / name) for name in sorted(_files(folder))},
    }


def _atlas(source, folder, asked, tell, cancel):
    write_atlas(
        source,
        atlas_folder(source, folder, asked.city),
        city=asked.city,
        paper=asked.paper,
        orientation=asked.orientation,
        imprint=asked.imprint,
        font=asked.font,
        progress=tell,
        cancel=cancel,
    )


def atlas_folder(source, folder, city):
    """Return where the sheets of an atlas stand; a city's own atlas is apart from its sheets in the province's."""
    name = source.words("export.folder_atlas")
    return Path(folder) / (f"{name} {city}{fit(source.names[city])}" if city else name)


def _word(source, folder, asked, tell, cancel):
    with tempfile.TemporaryDirectory(prefix="jinyi-") as drawn:
        figures = write_figures(source, Path(drawn), city=asked.city, font=asked.font, progress=tell, cancel=cancel)
        write_annex(
            source,
            path_of(source, folder, "word", asked),
            figures=figures,
            city=asked.city,
            template=asked.template,
            **asdict(asked.imprint),
        )


def _excel(source, folder, asked, tell, cancel):
    write_tables(source, path_of(source, folder, "excel", asked), city=asked.city)


def _gis(source, folder, asked, tell, cancel):
    write_handover(source, folder / source.words("export.folder_gis"), city=asked.city, crs=asked.crs, progress=tell)


WRITERS = {"atlas": _atlas, "word": _word, "excel": _excel, "gis": _gis}


def path_of(source, folder, part, asked):
    """Return where the annex or the workbook of what is asked for stands."""
    code = asked.city or province_code(source)
    name = stem(source, code, NUMBERS[part], source.words(f"export.title_{part}"))
    return Path(folder) / f"{name}{ENDINGS[part]}"


def _called(part, asked):
    return f"{part} {asked.city}" if asked.city else part


def _files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _kept(out, source, asked):
    """Return {document: files} of those in ``out`` that are of the same plan, untouched and not written anew."""
    written = manifest_of(out)
    same = ("jinyi", importlib.metadata.version("jinyi")), ("language", source.words.lang)
    same += (("against", source.against and source.against.fingerprint),)
    if written is None or any(written.get(key) != value for key, value in same):
        return {}
    if written["plan"]["fingerprint"] != source.fingerprint:
        return {}
    anew = {_called(part, asked) for part in asked.what}
    listed = written["files"]
    return {
        name: files
        for name, files in written["documents"].items()
        if name not in anew and all((out / file).is_file() and digest_of(out / file) == listed[file] for file in files)
    }


def _copy(old, new):
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(old, new)


def _plain(asked, part):
    """Return what a document was asked for with, as plain values."""
    said = {"city": asked.city, **asdict(asked.imprint)}
    if part == "atlas":
        said |= {"paper": asked.paper, "orientation": asked.orientation, "font": asked.font}
    elif part == "word":
        said |= {"template": asked.template and digest_of(Path(asked.template))}
    elif part == "gis":
        said |= {"crs": asked.crs}
    return said
