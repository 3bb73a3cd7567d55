"""Plan documents of a result: what may be asked, what is kept and what is refused, the same bytes each time."""

import json
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("docx")

from geo.faults import Rejected
from geo.words import load_words
from planner import cli
from planner.compare import CannotCompare
from planner.documents import export
from planner.documents.atlas import Cancelled
from planner.documents.export import Asked, atlas_folder, write_documents
from planner.documents.naming import fit
from planner.documents.source import read_source
from planner.documents.written import changed_files, manifest_of, usual_out
from planner.export_cli import ExportWrong, question
from planner.report import OutRefused, VerificationFailed, write_outputs
from tests import town

ZH, EN = load_words("zh"), load_words("en")
OPTIONS = "what city paper orientation crs template font against to organisation date review"
NOTHING = dict.fromkeys(OPTIONS.split())


def asked(**stated):
    return SimpleNamespace(**NOTHING) if not stated else SimpleNamespace(**(NOTHING | stated))


@pytest.fixture(scope="module")
def result(town_run, tmp_path_factory):
    """The drawn province's published folder."""
    out = tmp_path_factory.mktemp("result") / "plan"
    write_outputs(town_run.plan, town_run.prepared, out, ZH)
    return out


@pytest.fixture(scope="module")
def source(result):
    return read_source(result, ZH)


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_a_command_is_read_and_what_it_does_not_know_is_named():
    assert question(asked()) == Asked()
    stated = question(asked(what="Excel，word", paper="a4", crs="4547", city="140100", review="晋S（2025）001号"))
    assert stated.what == ("excel", "word") and stated.paper == "A4" and stated.crs == "EPSG:4547"
    assert stated.imprint.review == "晋S（2025）001号"
    for wrong in ({"what": "pdf,word"}, {"what": " , "}, {"paper": "A5"}, {"orientation": "up"}):
        with pytest.raises(ExportWrong) as refused:
            question(asked(**wrong))
        assert all(refused.value.tell(words) for words in (ZH, EN))


def test_all_that_cannot_be_written_as_asked_is_told_at_once_and_nothing_is_written(source, tmp_path):
    broken = tmp_path / "template.docx"
    broken.write_bytes(b"PK\x03\x04 no document")
    wrong = Asked(city="999999", crs="EPSG:3857", template=broken, font="No Such Font 123")
    with pytest.raises(Rejected) as refused:
        write_documents(source, tmp_path / "out", wrong)
    assert len(refused.value.faults) == 4
    for words in (ZH, EN):
        said = "\n".join(fault.tell(words) for fault in refused.value.faults)
        assert "999999" in said and "140100" in said and "3857" in said and "template.docx" in said
    assert not (tmp_path / "out").exists()


def test_a_plan_or_somebody_elses_folder_is_never_replaced(source, result, tmp_path):
    before = files_of(result)
    with pytest.raises(OutRefused):
        write_documents(source, result, Asked(what=("excel",)))
    other = tmp_path / "other"
    shutil.copytree(result, other)
    with pytest.raises(OutRefused):
        write_documents(source, other, Asked(what=("excel",)))
    with pytest.raises(OutRefused, match="out_in_a_plan"):
        write_documents(source, result / "documents", Asked(what=("excel",)))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "报告.docx").write_bytes(b"mine")
    with pytest.raises(OutRefused):
        write_documents(source, tmp_path / "own", Asked(what=("excel",)))
    assert files_of(result) == before and (tmp_path / "own" / "报告.docx").read_bytes() == b"mine"


# -- what is read ------------------------------------------------------------------------------------------------------


def test_what_is_not_what_was_written_is_not_exported(result, town_run, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(result, changed)
    table = changed / "tables" / "beds_by_city.csv"
    table.write_text(table.read_text("utf-8-sig").replace("东市", "西市"), "utf-8-sig")
    with pytest.raises(CannotCompare, match="changed"):
        read_source(changed, ZH)
    with pytest.raises(CannotCompare, match="no_result"):
        read_source(tmp_path / "nothing", ZH)
    forged = tmp_path / "forged"  # the manifest forged too: what the inputs give tells
    shutil.copytree(result, forged)
    manifest = json.loads((forged / "manifest.json").read_text("utf-8"))
    manifest["people"]["out"] += 1
    (forged / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(VerificationFailed):
        read_source(forged, ZH)


def test_a_source_says_what_the_run_said(source, town_run):
    from planner.report.summary import summarise
    from planner.report.tables import published

    tables, _ = published(town_run.plan.tables)
    assert source.summary == summarise(town_run.plan, tables, town_run.prepared, ZH)
    assert source.plan.notes == tuple(town_run.plan.notes) and source.plan.people_in == town_run.plan.people_in
    assert {name: proof.status for name, proof in source.plan.proofs.items()} == {
        name: proof.status for name, proof in town_run.plan.proofs.items()
    }


# -- what is written ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documents(source, tmp_path_factory):
    """Every document of the drawn province, and what was told meanwhile."""
    out, told = tmp_path_factory.mktemp("documents") / "all", []
    manifest = write_documents(source, out, Asked(paper="A4", city="140200"), lambda *about: told.append(about))
    return SimpleNamespace(out=out, manifest=manifest, told=told)


def test_every_document_is_there_named_by_code_area_number_and_title(documents):
    files = files_of(documents.out)
    listed = documents.manifest["files"]
    assert set(files) == set(listed) | {"manifest.json"} and not changed_files(documents.out)
    top = {name for name in files if "/" not in name} - {"manifest.json"}
    assert {Path(name).suffix for name in top} == {".docx", ".xlsx"} and all(
        name.startswith("140200西市") for name in top
    )
    endings = {Path(name).suffix for name in files}
    assert {".pdf", ".png", ".svg", ".gpkg", ".gdbtable", ".qml", ".sld"} <= endings
    assert list(documents.manifest["documents"]) == [f"{part} 140200" for part in ("atlas", "excel", "gis", "word")]
    assert not any(name.endswith((".tmp", ".part")) for name in files)


def test_progress_counts_the_sheets(documents):
    sheets = [(done, total) for stage, done, total in documents.told if stage == "atlas" and total]
    assert sheets and sheets[-1][0] == sheets[-1][1] and [done for done, _ in sheets] == sorted(d for d, _ in sheets)
    known = ZH.section("export.stage")
    assert {stage for stage, _, _ in documents.told} <= set(known)


def test_the_same_plan_gives_the_same_bytes_at_any_time(source, documents, tmp_path, monkeypatch):
    import time

    later = time.time() + 5000
    monkeypatch.setattr(time, "time", lambda: later)
    write_documents(source, tmp_path / "again", Asked(paper="A4", city="140200"))
    first, again = files_of(documents.out), files_of(tmp_path / "again")
    assert [name for name in first if first[name] != again.get(name)] == [] and set(first) == set(again)


def test_documents_of_the_same_plan_are_kept_and_those_of_another_go(source, tmp_path):
    out = tmp_path / "out"
    write_documents(source, out, Asked(what=("excel",)))
    manifest = write_documents(source, out, Asked(what=("excel",), city="140200"))
    assert sorted(manifest["documents"]) == ["excel", "excel 140200"] and len(files_of(out)) == 3
    own = next(path for path in out.iterdir() if path.name.startswith("140200"))
    own.write_bytes(b"changed by hand")  # what is no longer what was written is not carried on as if it were
    assert changed_files(out) == [own.name]
    manifest = write_documents(source, out, Asked(what=("excel",)))
    assert sorted(manifest["documents"]) == ["excel"] and len(files_of(out)) == 2
    other = replace(source, fingerprint="0" * 16)
    manifest = write_documents(other, out, Asked(what=("excel",), city="140100"))
    assert sorted(manifest["documents"]) == ["excel 140100"]


def test_two_exports_at_once_into_one_folder_lose_nothing(source, tmp_path):
    out, begun = tmp_path / "out", []

    def tell(stage, done, total):
        if not begun:  # while the first is at work a second one begins and ends
            begun.append(stage)
            write_documents(source, out, Asked(what=("excel",), city="140200"))

    manifest = write_documents(source, out, Asked(what=("excel",)), tell)
    assert sorted(manifest["documents"]) == ["excel", "excel 140200"] and not changed_files(out)


def test_a_citys_atlas_stands_apart_from_the_provinces(source, tmp_path):
    folders = {atlas_folder(source, tmp_path, city) for city in (None, *source.region.cities.index)}
    assert len(folders) == 1 + len(source.region.cities)


def test_a_stop_leaves_the_old_folder_as_it_was(source, tmp_path):
    out = tmp_path / "out"
    write_documents(source, out, Asked(what=("excel",)))
    before, cancel = files_of(out), threading.Event()

    def tell(stage, done, total):
        if stage == "atlas" and done:
            cancel.set()

    with pytest.raises(Cancelled):
        write_documents(source, out, Asked(paper="A4", city="140200"), tell, cancel)
    assert files_of(out) == before and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_hostile_names_are_text_in_every_document_and_what_was_cleaned_is_said(tmp_path, monkeypatch):
    formula, control = "=cmd|' /C calc'!A0", "丁\x07县"
    monkeypatch.setitem(town.NAMES, "a", formula)
    monkeypatch.setitem(town.NAMES, "d", control)
    run = town.run(town.draw(tmp_path / "region"))
    write_outputs(run.plan, run.prepared, tmp_path / "plan", ZH)
    source = read_source(tmp_path / "plan", ZH, prepared=run.prepared)
    assert source.cleaned
    write_documents(source, tmp_path / "out", Asked(what=("word", "excel", "gis")))
    out = tmp_path / "out"
    with zipfile.ZipFile(next(out.glob("*.xlsx"))) as book:
        text = book.read("xl/sharedStrings.xml").decode()
        cells = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert "=cmd|" in text and not any("<f>cmd" in cell or "calc" in cell for cell in cells)
    with zipfile.ZipFile(next(out.glob("*.docx"))) as annex:
        said = annex.read("word/document.xml").decode()
    assert "=cmd|" in said and "\x07" not in said and "\x07" not in text and "丁县" in said
    manifest = manifest_of(out)
    assert {each["text"] for each in manifest["cleaned"]} == {"丁县"}


def test_names_of_files_are_fit_for_every_system():
    assert fit('a<b>:"/\\|?*\x00\n县. ') == "ab 县"
    assert len(fit("长" * 300).encode()) <= 90 and fit("长" * 300).startswith("长长")


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_writes_says_where_and_checks_again(result, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["export", str(result), "--what", "excel", "--city", "140100", "--to", str(out)]) == 0
    said = capsys.readouterr().out
    assert str(out) in said and "140100" in said and ".xlsx" in said
    assert cli.main(["verify", str(out)]) == 0 and "✓" in capsys.readouterr().out
    next(out.glob("*.xlsx")).write_bytes(b"x")
    assert cli.main(["verify", str(out)]) == 7 and "✗" in capsys.readouterr().out
    assert cli.main(["export", str(result), "--what", "slides", "--lang", "en"]) == 2
    assert "slides" in capsys.readouterr().err
    assert cli.main(["export", str(tmp_path / "none")]) == 2
    assert usual_out("out/plan") == Path("out/plan-documents")


def test_an_interim_plan_is_exported_as_one(source, tmp_path):
    plan = source.plan
    name = next(iter(plan.proofs))
    proofs = plan.proofs | {name: replace(plan.proofs[name], status="interim", gap=0.25)}
    from planner.report.summary import interim

    stopped = replace(plan, proofs=proofs)
    summary = replace(source.summary, interim=interim(stopped, ZH))
    manifest = write_documents(
        replace(source, plan=stopped, summary=summary), tmp_path / "out", Asked(what=("word", "gis"))
    )
    assert manifest["interim"] and "INTERIM" in summary.interim
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.docx"))) as annex:
        headers = [annex.read(name).decode() for name in annex.namelist() if name.startswith("word/header")]
    assert headers and all("INTERIM" in header for header in headers)


def test_writers_and_words_go_together():
    assert set(export.WRITERS) == set(export.WHAT) == set(ZH.section("export.stage")) & set(export.WHAT)
    assert set(ZH.section("export")) == set(EN.section("export"))
