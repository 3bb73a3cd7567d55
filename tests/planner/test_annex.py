"""The Word annex: the plan's own figures on the office's paper, the same bytes each time, text kept text."""

import io
import re
import shutil
import subprocess
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm

import geo.words
from geo.faults import Rejected
from geo.words import load_words
from planner.compare import Result
from planner.documents.annex import check_template, write_annex
from planner.documents.annex.styles import looks
from planner.documents.annex.word_table import Column, Grid, Row, fitted
from planner.documents.source import Source
from planner.report.names import in_language
from planner.report.summary import summarise, thousands
from planner.report.tables import published
from tests.planner.small_plan import small_plan

ZH, EN = load_words("zh"), load_words("en")
THEMES = ("beds_now", "beds_plan", "beds_change", "access", "stations_urban", "stations_rural", "ambulances")
THEMES += ("centres", "uncovered")
HOSTILE = {
    "140100": "=cmd|' /C calc'!A0",
    "140101": "东\x00\x07县\n二‮",
    "140102": "{{x}} <w:t>&amp;",
    "140201": "很长的名字" * 40,
}
CHINESE = re.compile(r"[一-鿿]")


def source_of(words=ZH, names=None, *, interim=False):
    """Return a :class:`Source` of the small plan, which no run has published."""
    plan, prepared = small_plan(names, interim=interim)
    tables, cleaned = published(plan.tables)
    plan = SimpleNamespace(**vars(plan) | {"tables": tables, "notes": ()})
    proofs = {"beds": {"status": "optimal", "gap": 0.0}}
    manifest = {"jinyi": "0.1.0", "inputs": {"region": {"counties.csv": "ab" * 32}}, "proofs": proofs}
    return Source(
        plan=plan,
        prepared=prepared,
        said=in_language(tables, prepared, words),
        summary=summarise(plan, tables, prepared, words),
        checks=("1", "2"),
        cleaned=tuple(cleaned),
        fingerprint="0123456789abcdef",
        words=words,
        result=Result(None, manifest, plan.scenario, tables),
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for theme in THEMES:
        matplotlib.image.imsave(folder / f"{theme}.png", np.ones((20, 16)), dpi=200)
    return {theme: folder / f"{theme}.png" for theme in THEMES}


@pytest.fixture(scope="module")
def written(tmp_path_factory, figures):
    """(source, document) of the small plan in Chinese with every figure."""
    source, path = source_of(), tmp_path_factory.mktemp("annex") / "annex.docx"
    write_annex(source, path, figures=figures, organisation="卫健委", date="2026年")
    return source, Document(path)


def annex(tmp_path, source, **options):
    path = tmp_path / "annex.docx"
    write_annex(source, path, **{"figures": {}} | options)
    return Document(path)


def texts(document):
    return [paragraph.text for paragraph in document.paragraphs]


def everything(document):
    """All text of a document: paragraphs, cells, heads and feet."""
    cells = [cell for table in document.tables for row in cells_of(table) for cell in row]
    heads = [p.text for section in document.sections for part in parts_of(section) for p in part.paragraphs]
    return "\n".join([*texts(document), *cells, *heads])


def parts_of(section):
    return section.header, section.first_page_header, section.footer


def cells_of(table):
    return [["".join(t.text for t in cell.iter(qn("w:t"))) for cell in row._tr.tc_lst] for row in table.rows]


def table_under(document, caption):
    """Return the cells of the table below the caption that has this text."""
    body = list(document.element.body)
    for i, element in enumerate(body):
        if element.tag == qn("w:p") and caption in "".join(t.text or "" for t in element.iter(qn("w:t"))):
            below = next((e for e in body[i + 1 : i + 3] if e.tag == qn("w:tbl")), None)
            if below is not None:
                return cells_of(next(table for table in document.tables if table._tbl is below))
    raise AssertionError(caption)


def headings(document):
    return [p.text for p in document.paragraphs if p.style.name in ("Heading 1", "Heading 2")]


# -- figures -----------------------------------------------------------------------------------------------------------


def test_the_figures_are_the_plan_s(written):
    source, document = written
    rows = table_under(document, ZH("annex.cap_beds_city"))
    beds = source.tables["beds_by_city"]
    assert [row[4] for row in rows[1:-1]] == [thousands(value) for value in beds["beds_plan"]]
    assert rows[-1][0] == ZH("report.total")
    assert rows[-1][1:6] == [
        thousands(beds[column].sum()) for column in ("persons", "beds_now", "beds_target", "beds_plan", "beds_new")
    ]
    density = 1000 * beds["beds_plan"].sum() / beds["persons"].sum()
    assert rows[-1][-1] == f"{density:.2f}"
    listed = table_under(document, ZH("annex.cap_list", area=source.names[source.region.province.index[0]]))
    assert [row[-2] for row in listed[1:] if len(row) > 1][:-1] == [
        thousands(value) for value in source.tables["stations"].sort_values("city_code", kind="stable")["persons"]
    ]


def test_absent_is_a_dash_and_modelled_is_italic(written):
    source, document = written
    rows = table_under(document, ZH("annex.cap_counties", area=source.names[source.region.province.index[0]]))
    north = next(row for row in rows if row[0] == "北县")
    assert north[-2:] == ["—", "—"]
    table = next(t for t in document.tables if cells_of(t) == rows)
    cell = table.rows[2].cells[2]._tc  # beds now
    assert cell.find(f".//{qn('w:i')}") is not None and rows[0][2].endswith("ᵐ")
    assert table.rows[2].cells[1]._tc.find(f".//{qn('w:i')}") is None  # persons are counted


def test_sentences_are_those_of_the_plan(written):
    source, document = written
    said = set(texts(document))
    assert set(source.summary.headline) <= said
    assert source.summary.rule in everything(document)


def test_one_city_has_its_own_rows_and_the_province_in_one_line(tmp_path, figures):
    source = source_of()
    document = annex(tmp_path, source, city="140100", figures=figures)
    held = [table for table in document.tables if any("北县" in cell for row in cells_of(table) for cell in row)]
    assert [cells_of(table)[0][0] for table in held] == [ZH("cli.access_split")]  # the whole province, and says so
    rows = table_under(document, ZH("annex.cap_counties", area="甲市"))
    assert [row[0] for row in rows[1:]] == ["东县", "西县", ZH("report.total")]
    assert ZH("annex.context", subtitle=source.summary.subtitle, city="甲市") in texts(document)


def test_english_changes_no_number(tmp_path, written):
    english = annex(tmp_path, source_of(EN), figures={})
    chinese = table_under(written[1], ZH("annex.cap_beds_city"))
    assert [row[1:] for row in chinese[1:]] == [row[1:] for row in table_under(english, EN("annex.cap_beds_city"))[1:]]
    left = set(re.findall(r"[^\s]*[一-鿿][^\s]*", everything(english)))
    told = source_of(EN)
    known = told.summary.title + " ".join(told.summary.sources) + "".join(told.scenario.bed_targets)
    documents = {d for t in told.tables.values() for c in ("document", "clause") if c in t for d in t[c]}
    documents |= {d for c in ("first_document", "second_document") for d in told.tables["document_conflicts"][c]}
    documents |= {c for n in ("first", "second") for c in told.tables["document_conflicts"][f"{n}_clause"]}
    for name in (known, *documents, *HOSTILE.values()):
        left = {word for word in left if word.strip(";.,:") not in name}
    names = {"甲市", "乙市", "东县", "西县", "北县", "普查", "全省"}
    odd = {
        w for w in left if not any(n in w for n in names) and not re.search(r"晋政|表\d|[一二三四五六七八]\(|兴医", w)
    }
    assert not odd, odd


# -- the paper ---------------------------------------------------------------------------------------------------------


def test_the_page_is_the_office_s(written):
    section = written[1].sections[0]
    assert abs(section.top_margin - Mm(37)) < Mm(0.1) and abs(section.left_margin - Mm(28)) < Mm(0.1)
    assert abs(section.page_width - section.left_margin - section.right_margin - Mm(156)) < Mm(0.1)
    assert abs(section.page_height - section.top_margin - section.bottom_margin - Mm(225)) < Mm(0.1)
    assert "— 1 —" in section.footer.paragraphs[0].text


def test_every_run_has_an_east_asian_font(written):
    document = written[1]
    fonts = {}
    for style in document.styles.element.findall(qn("w:style")):
        held = style.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        fonts[style.get(qn("w:styleId"))] = None if held is None else held.get(qn("w:eastAsia"))
    for paragraph in document.element.body.iter(qn("w:p")):
        style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        assert style is not None and CHINESE.search(fonts[style.get(qn("w:val"))])
    table = document.part.package.iter_parts()
    listed = next(part.blob.decode() for part in table if str(part.partname) == "/word/fontTable.xml")
    assert "altName" in listed and ZH("annex.font.body").split("|")[0] in listed


def test_headings_are_headings_and_the_contents_name_them_all(written):
    document = written[1]
    told = headings(document)
    assert len(told) > 20 and told[0].startswith("一、")
    entries = [p.text for p in document.paragraphs if p.style.name.lower() in ("toc 1", "toc 2")]
    assert entries == told
    marks = {mark.get(qn("w:name")) for mark in document.element.body.iter(qn("w:bookmarkStart"))}
    links = [link.get(qn("w:anchor")) for link in document.element.body.iter(qn("w:hyperlink"))]
    assert len(links) == len(told) and set(links) == marks
    first = next(document.element.body.iter(qn("w:fldChar")))
    assert first.get(qn("w:dirty")) == "true"
    assert document.settings.element.find(qn("w:updateFields")) is None


def test_captions_are_numbered_by_chapter_without_gaps(written):
    document = written[1]
    for kind, style in (("表", "Caption"), ("图", "Figure Caption")):
        found = [re.match(rf"{kind}(\d+)-(\d+)　", p.text) for p in document.paragraphs if p.style.name == style]
        numbers = [tuple(map(int, match.groups())) for match in found]
        assert numbers == sorted(numbers) and len(numbers) >= 9
        for chapter in {chapter for chapter, _ in numbers}:
            of = [number for c, number in numbers if c == chapter]
            assert of == list(range(1, len(of) + 1))


def test_tables_repeat_their_heads_keep_rows_whole_and_stay_on_the_page(written):
    document = written[1]
    assert len(document.tables) > 15
    wide = max(s.page_width for s in document.sections)
    for table in document.tables:
        rows = table._tbl.tr_lst
        assert rows[0].find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
        assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)
        width = sum(int(column.get(qn("w:w"))) for column in table._tbl.tblGrid)
        assert width * 635 <= wide - Mm(50)
        before = table._tbl.getprevious()
        assert before.find(f"{qn('w:pPr')}/{qn('w:pStyle')}").get(qn("w:val")) in ("JYcaption", "JYunit")
        assert table._tbl.getnext().tag == qn("w:p")


def test_figures_stand_in_their_chapters_with_a_caption(written):
    document = written[1]
    assert len(document.inline_shapes) == len(THEMES)
    text = texts(document)
    assert any(line.startswith("图3-1") for line in text) and any(line.startswith("图6-1") for line in text)


def test_a_wide_table_turns_the_page_and_back(tmp_path, written):
    turned = [section.orientation for section in written[1].sections]
    if len(turned) > 1:
        assert turned[-1] == WD_ORIENT.PORTRAIT
    many = Grid(tuple(Column("长标题" * 4, "center") for _ in range(6)), (Row(("●",) * 6),))
    assert fitted(many, (442.0, 638.0))[2] == 1
    size, widths, room = fitted(Grid((Column("名", "left", wraps=True),), (Row(("x" * 400,)),)), (442.0, 638.0))
    assert room == 0 and sum(widths) <= 442.1


# -- what may be odd ---------------------------------------------------------------------------------------------------


def test_the_same_plan_gives_the_same_bytes(tmp_path, figures):
    one, other = tmp_path / "one.docx", tmp_path / "other.docx"
    for path in (one, other):
        write_annex(source_of(), path, figures=figures)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as held:
        assert {info.date_time for info in held.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert held.namelist()[0] == "[Content_Types].xml"


def test_an_interim_plan_says_so_on_every_page(tmp_path):
    source = source_of(interim=True)
    document = annex(tmp_path, source)
    assert source.summary.interim
    for section in document.sections:
        for part in (section.header, section.first_page_header):
            assert any(source.summary.interim in paragraph.text for paragraph in part.paragraphs)
    assert any(source.summary.interim in line for line in texts(document)[:8])


@pytest.mark.parametrize("city", [None, "140100"])
def test_hostile_names_are_text(tmp_path, city):
    source = source_of(names=HOSTILE)
    document = annex(tmp_path, source, city=city)
    said = everything(document)
    assert HOSTILE["140100"] in said and HOSTILE["140102"] in said and "东县 二" in said
    assert "\x07" not in said and "‮" not in said
    assert ZH("annex.cleaned_said") in said
    fields = [code.text for code in document.element.body.iter(qn("w:instrText"))]
    assert len(fields) == 1  # the contents alone: no name has become a field


def test_a_missing_figure_leaves_no_caption(tmp_path):
    document = annex(tmp_path, source_of())
    assert not any(line.startswith("图") for line in texts(document)) and not document.inline_shapes


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "beds_now.png").write_bytes(b"no picture")
    with pytest.raises(OSError, match="beds_now.png"):
        annex(tmp_path, source_of(), figures={"beds_now": tmp_path / "beds_now.png"})


# -- the office's template ---------------------------------------------------------------------------------------------


@pytest.fixture
def template(tmp_path):
    document = Document()
    section = document.sections[0]
    section.left_margin = section.right_margin = Mm(20)
    section.header.paragraphs[0].text = "某某卫健委文件"
    document.add_paragraph("封面")
    path = tmp_path / "office.docx"
    document.save(path)
    return path


def test_the_office_s_template_wins(tmp_path, template, figures):
    document = annex(tmp_path, source_of(interim=True), template=template, figures=figures)
    assert texts(document)[0] == "封面"
    assert all(abs(section.left_margin - Mm(20)) < Mm(1) for section in document.sections if section.orientation == 0)
    head = [paragraph.text for paragraph in document.sections[-1].header.paragraphs]
    assert head[0] == "某某卫健委文件" and source_of(interim=True).summary.interim in head[-1]
    own = document.styles["Heading 1"].element
    assert own.find(f".//{qn('w:eastAsia')}") is None and len(headings(document)) > 20
    assert "Table Figures" in {style.name for style in document.styles}


def test_a_template_that_is_none_gets_one_clear_message(tmp_path, template):
    check_template(None)
    check_template(template)
    with pytest.raises(Rejected):
        annex(tmp_path, source_of(), template=tmp_path / "nowhere.docx")
    protected = Document(template)
    xml = f'<w:documentProtection {nsdecls("w")} w:edit="readOnly" w:enforcement="1"/>'
    protected.settings.element.append(parse_xml(xml))
    protected.save(tmp_path / "protected.docx")
    whole = template.read_bytes()
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as held:
        held.writestr("xl/workbook.xml", "<a/>")
    odd = {
        "text.docx": (b"hello", "kind"),
        "half.docx": (whole[: len(whole) // 2], "damaged"),
        "zip.docx": (book.getvalue(), "damaged"),
        "old.doc": (bytes.fromhex("d0cf11e0a1b11ae1") + b"0" * 100, "protected"),
        "protected.docx": ((tmp_path / "protected.docx").read_bytes(), "protected"),
        "none.docx": (None, "missing"),
    }
    for name, (held, fault) in odd.items():
        path = tmp_path / name
        path.unlink(missing_ok=True)
        if held is not None:
            path.write_bytes(held)
        with pytest.raises(Rejected) as told:
            check_template(path)
        (only,) = told.value.faults
        assert only.key == f"annex_template_{fault}", name
        assert name in only.tell(ZH) and name in only.tell(EN)


# -- words and other programs ------------------------------------------------------------------------------------------


def test_every_style_has_its_names_and_every_word_is_used():
    assert set(looks("zh")) == set(ZH.section("annex.style"))
    assert set(ZH.section("annex.font")) == {"title", "black", "kai", "body", "song"}
    folder = Path(geo.words.__file__).parent
    held = [tomllib.loads((folder / f"{lang}.toml").read_text("utf-8"))["annex"] for lang in ("zh", "en")]
    assert held[0].keys() == held[1].keys()
    code = "".join(
        path.read_text("utf-8") for path in (Path(geo.words.__file__).parents[2] / "planner/documents").rglob("*.py")
    )
    unused = {key for key in held[0] if not re.search(rf"\b(annex\.)?{key}\b", code)}
    made = ("method_", "fig_", "over_", "heading_", "caption_", "input_", "part_", "head_")  # out of parts
    assert not {key for key in unused if not key.startswith(made)}


@pytest.mark.thorough
def test_another_program_opens_it(tmp_path, figures):
    if shutil.which("soffice") is None:
        pytest.skip("no soffice on this computer")
    path = tmp_path / "annex.docx"
    write_annex(source_of(), path, figures=figures)
    profile = f"-env:UserInstallation=file://{tmp_path / 'office'}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    if not (tmp_path / "annex.pdf").exists():
        pytest.skip("this soffice has no Writer")
    assert (tmp_path / "annex.pdf").stat().st_size > 20_000


def test_what_is_compared_with_has_a_chapter(tmp_path):
    source = source_of()
    document = annex(tmp_path, replace(source, against=source_of()))
    assert headings(document)[-1].startswith("十一、")
