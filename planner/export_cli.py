"""The command ``jinyi export``: plan documents of a result folder."""

from dataclasses import asdict
from pathlib import Path

from planner.console import AskedWrong, Progress, table_lines
from planner.settings import printable

LONGEST_IMPRINT = 60  # characters of a line that is printed on every sheet


class ExportWrong(AskedWrong):
    """An export that cannot be made as asked."""

    section = "export"


def add_options(parser, words):
    """Add what ``jinyi export`` is asked with; all are texts, None where not given."""
    parser.add_argument("folder", metavar=words("cli.what_out"))
    for name in ("what", "city", "paper", "orientation", "crs", "template", "font", "against", "to"):
        parser.add_argument(f"--{name}")
    for name in ("organisation", "date", "review"):
        parser.add_argument(f"--{name}")


def export(asked, words):
    """Write the documents of a result folder and say where they are. Returns the exit code: 0, or 5 of an interim plan.

    asked  folder, what, city, paper, orientation, crs, template, font, against, to, organisation, date, review
    """
    from planner.cli import INTERIM, NO_PLAN, _cancel_on_signal, _say, _warn, _writing
    from planner.documents.atlas import Cancelled
    from planner.documents.export import write_documents
    from planner.documents.written import check_export_out, usual_out
    from planner.report import recover

    folder = Path(asked.folder)
    if not folder.exists() and recover(folder):
        _warn(words("cli.recovered"))
    wanted, out = question(asked), usual_out(folder) if asked.to is None else Path(asked.to)
    against = None if asked.against is None else Path(asked.against)
    with _writing(out):
        check_export_out(out, [each for each in (folder, against) if each is not None])
    progress = Progress(words)
    try:
        source = _read(folder, against, words, progress)
        with _cancel_on_signal(words, progress, "export.stopping") as cancel, _writing(out):
            manifest = write_documents(source, out, wanted, progress.count, cancel)
    except (Cancelled, KeyboardInterrupt):
        progress.clear()
        _warn(words("export.stopped"))
        return NO_PLAN
    finally:
        progress.clear()
    _say(*written_lines(manifest, out, words))
    if manifest["interim"]:
        _warn(source.summary.interim)
        return INTERIM
    return 0


def _read(folder, against, words, progress):
    from planner.compare import CannotCompare
    from planner.documents.source import read_source

    try:
        return read_source(folder, words, against=against, progress=progress)
    except CannotCompare as cannot:
        if cannot.key not in ("no_result", "changed", "other_version"):
            raise
        params = cannot.params | {"names": words("report.list_comma").join(cannot.params.get("names", ()))}
        raise ExportWrong(cannot.key, **params) from None


def question(asked):
    """Return the :class:`planner.documents.export.Asked` of a command's texts. Raises :class:`ExportWrong`."""
    from planner.documents.atlas import ORIENTATIONS, PAPERS, Imprint
    from planner.documents.export import WHAT, Asked

    what = WHAT if asked.what is None else tuple(dict.fromkeys(asked.what.replace("，", ",").split(",")))
    what = tuple(part.strip().lower() for part in what if part.strip())
    unknown = [part for part in what if part not in WHAT]
    if unknown or not what:
        raise ExportWrong("wrong_what", what=printable(",".join(unknown) or asked.what), known=", ".join(WHAT))
    paper, orientation = (asked.paper or PAPERS[0]).upper(), (asked.orientation or ORIENTATIONS[0]).lower()
    if paper not in PAPERS:
        raise ExportWrong("wrong_paper", what=printable(asked.paper), known=", ".join(PAPERS))
    if orientation not in ORIENTATIONS:
        raise ExportWrong("wrong_orientation", what=printable(asked.orientation), known=", ".join(ORIENTATIONS))
    crs = asked.crs or "EPSG:4490"
    imprint = Imprint(asked.organisation or "", asked.date or "", asked.review or "")
    template = None if asked.template is None else Path(asked.template)
    crs = f"EPSG:{crs}" if crs.isdigit() else crs
    for name, text in asdict(imprint).items():
        if len(text) > LONGEST_IMPRINT:
            raise ExportWrong("wrong_imprint", option=name, most=LONGEST_IMPRINT)
    return Asked(what, asked.city, paper, orientation, crs, template, imprint, asked.font)


def written_lines(manifest, out, words):
    """Return what was written, one line a document, and what was cleaned out of names."""
    rows = []
    for name, files in manifest["documents"].items():
        part, _, city = name.partition(" ")
        first = next((file for file in files if "/" not in file), files[0].rpartition("/")[0])
        rows.append([words(f"export.what_{part}"), city or "—", str(len(files)), str(out / first)])
    heads = [words(f"export.head_{head}") for head in ("document", "city", "files", "where")]
    lines = [
        words("export.written", out=printable(str(out))),
        *("  " + line for line in table_lines(heads, rows, "llrl")),
    ]
    if manifest["cleaned"]:
        lines.append(words("export.cleaned", count=len(manifest["cleaned"])))
    return lines


def verify_export(out, words):
    """Tell whether the documents in a folder are what was written; the exit code: 0, or 7 where one is not."""
    from planner.cli import FAILURES_TOLD, NOT_VERIFIED, _say
    from planner.documents.written import changed_files, manifest_of

    manifest, changed = manifest_of(out), changed_files(out)
    for name in changed[:FAILURES_TOLD]:
        _say("✗ " + words("export.file_changed", file=printable(name)))
    plan, count = manifest["plan"], len(manifest["files"])
    key = "files_changed" if changed else "files_same"
    _say(
        words(f"export.{key}", count=len(changed) or count, scenario=plan["scenario"], fingerprint=plan["fingerprint"])
    )
    return NOT_VERIFIED if changed else 0
