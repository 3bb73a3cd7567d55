"""The writer of a Word document: headings, text, tables and figures in order, numbered by chapter, and the contents."""

import io
import zipfile
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

from docx.image.exceptions import UnrecognizedImageError
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt

from planner.documents.annex.styles import PAGE, SIDEWAYS, adopted, blank, looks, set_page, text_area, turned
from planner.documents.annex.word_table import SIZES, fitted, table_xml
from planner.report.tables import clean_text

FIXED_DATE = datetime(2000, 1, 1)  # of writing: two exports of one plan are the same bytes
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
CAPTION_ROOM = 70  # points below a figure for its caption and source
SECTION = "w:sectPr"
FIELD_END = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'


class Paper:
    """A Word document under way. Text from data is text: what no document can carry is left out of it.

    headings  [(level, text, bookmark)] as they were written; captions: ["table" | "figure", number] likewise
    """

    def __init__(self, words, template=None):
        """Begin on our paper, or after what the office's template holds. Raises :class:`geo.faults.Rejected`."""
        self.words = words
        self.template = template
        self.document, self.ids = blank(words) if template is None else adopted(template, words)
        body = self.document.element.body
        self._last = body.get_or_add_sectPr()
        if self._last.find(qn("w:pgSz")) is None or self._last.find(qn("w:pgMar")) is None:
            set_page(self._last, PAGE)
        self._sideways = self._last_is_wide = False
        upright, wide = deepcopy(self._last), deepcopy(self._last)
        self._turn(wide)
        self.rooms = (text_area(upright)[0], text_area(wide)[0])
        self.height = text_area(upright)[1]
        self._keep = {key for key, look in looks(words.lang).items() if look.keep} - {"picture"}
        self.headings, self.captions = [], []
        self._waiting = []  # headings, which stand on the page of what they head
        self._chapter = self._part = 0
        self._numbers = {"table": 0, "figure": 0}
        self._contents = None
        if template is not None and any(child.tag != qn(SECTION) for child in body):
            self.page_break()

    def _turn(self, section):
        if self.template is None:
            set_page(section, SIDEWAYS)
        else:
            turned(section)

    # -- what stands in the document -------------------------------------------------------------------------------

    def _add(self, xml):
        element = parse_xml(xml)
        self._last.addprevious(element)
        return element

    def paragraph(self, style, runs="", more=""):
        """Add a paragraph of ready XML runs in one of our styles."""
        if style in self._keep:  # also where an office's own style does not say so
            more = "<w:keepNext/>" + more
        held = f'<w:pPr><w:pStyle w:val="{self.ids[style]}"/>{more}</w:pPr>'
        return self._add(f"<w:p {nsdecls('w')}>{held}{runs}</w:p>")

    def text(self, text, style="body", *, upright=True):
        """Add a paragraph of text; it ends a part on its side unless it belongs to the table above."""
        if upright:
            self._orient(sideways=False)
        return self.paragraph(style, run(text))

    def page_break(self):
        """Begin a new page."""
        self.paragraph("body", '<w:r><w:br w:type="page"/></w:r>')

    def heading(self, level, text):
        """Add a heading, 1 (a chapter) or 2, numbered as the office numbers them; it waits for what it heads."""
        if level == 1:
            self._chapter, self._part = self._chapter + 1, 0
            self._numbers = {"table": 0, "figure": 0}
        else:
            self._part += 1
        told = self.words(f"annex.heading_{level}", number=self._counted(level), text=text)
        mark = f"_Toc{len(self.headings) + 1:08d}"
        self.headings.append((level, clean_text(told), mark))
        id = len(self.headings)
        runs = f'<w:bookmarkStart w:id="{id}" w:name="{mark}"/>{run(told)}<w:bookmarkEnd w:id="{id}"/>'
        self._waiting.append((f"h{level}", runs))

    def _counted(self, level):
        """Return the number of a heading in the words' own numerals, a part's behind its chapter's where it is so."""
        numerals, joint = self.words("annex.numerals").split(" "), self.words("annex.part_joint")
        chapter, part = (numerals[n - 1] if 0 < n <= len(numerals) else str(n) for n in (self._chapter, self._part))
        if level == 1:
            return chapter
        return f"{chapter}{joint}{part}" if joint else part

    def _caption(self, kind, text):
        """Return a caption with the next number of its chapter."""
        self._numbers[kind] += 1
        self.captions.append((kind, f"{self._chapter}-{self._numbers[kind]}"))
        number = self.words(f"annex.caption_{kind}", chapter=self._chapter, number=self._numbers[kind])
        return f"{number}　{text[:1].upper()}{text[1:]}"

    def table(self, caption, grid, *, unit="", note="", source="", small=False):
        """Add a table: caption and unit above, note and source below; on its side where it is too wide.

        small: in the smaller type, for tables of many words
        """
        size, widths, room = fitted(grid, self.rooms, SIZES[1:] if small else SIZES)
        self._orient(sideways=room == 1)
        self.paragraph("caption", run(self._caption("table", caption)))
        if unit:
            self.paragraph("unit", run(unit))
        self._add(table_xml(grid, widths, size, self.ids))
        if note:
            self.paragraph("note", run(self.words("annex.note", text=note)), "<w:keepNext/>" if source else "")
        self.text(source, "source", upright=False)

    def figure(self, caption, picture, source=""):
        """Add a picture as wide as the text (less where it is too high), its caption and source below.

        Raises OSError where the picture cannot be read.
        """
        self._orient(sideways=False)
        paragraph = self.document.add_paragraph()
        paragraph._p.get_or_add_pPr().append(parse_xml(f'<w:pStyle {nsdecls("w")} w:val="{self.ids["picture"]}"/>'))
        try:
            shape = paragraph.add_run().add_picture(str(picture), width=Pt(self.rooms[0]))
        except UnrecognizedImageError as error:
            raise OSError(f"{Path(picture).name}: not a picture") from error
        most = Pt(self.height - CAPTION_ROOM)
        if shape.height > most:
            shape.width, shape.height = int(shape.width * most / shape.height), int(most)
        said = clean_text(caption)
        shape._inline.docPr.set("descr", said)
        shape._inline.docPr.set("name", f"figure {len(self.captions) + 1}")
        self.paragraph("under", run(self._caption("figure", caption)))
        self.text(source, "source")

    # -- pages on their side -----------------------------------------------------------------------------------------

    def _orient(self, *, sideways):
        """Begin a new page of the other orientation where what comes next needs it."""
        if sideways != self._sideways:
            self._close(self._sideways)
            self._sideways = sideways
        waiting, self._waiting = self._waiting, []
        for style, runs in waiting:
            self.paragraph(style, runs)

    def _close(self, sideways):
        """End the section with the paragraph that stands last."""
        section = deepcopy(self._last)
        if sideways:
            self._turn(section)
        if self._last.find(qn("w:titlePg")) is not None:  # the first section alone has a page of its own
            self._last.remove(self._last.find(qn("w:titlePg")))
        before = self._last.getprevious()
        if before is None or before.tag != qn("w:p") or before.find(f"{qn('w:pPr')}/{qn(SECTION)}") is not None:
            before = self.paragraph("source")
        before.get_or_add_pPr().append(section)

    # -- contents, heads and feet ------------------------------------------------------------------------------------

    def contents(self):
        """Leave the place of the contents, which are written when all headings are known."""
        self.paragraph("contents", run(self.words("report.contents")))
        self._contents = self.paragraph("toc1")

    def _write_contents(self):
        """Write the contents: links to the headings, in a field that Word fills with page numbers on opening."""
        if self._contents is None or not self.headings:
            return
        for i, (level, text, mark) in enumerate(self.headings):
            begin = _field_begin('TOC \\o "1-2" \\h \\z \\u', dirty=True) if i == 0 else ""
            end = FIELD_END if i == len(self.headings) - 1 else ""
            link = f'<w:hyperlink w:anchor="{mark}" w:history="1">{run(text)}</w:hyperlink>'
            held = f'<w:pPr><w:pStyle w:val="{self.ids[f"toc{level}"]}"/></w:pPr>'
            self._contents.addprevious(parse_xml(f"<w:p {nsdecls('w')}>{held}{begin}{link}{end}</w:p>"))
        self._contents.getparent().remove(self._contents)

    def heads_and_feet(self, head, alarm):
        """Give every page its head and foot; an office's template keeps its own, and has the alarm added.

        head   text; alarm: "" or what must be read on every page
        """
        sections = list(self.document.sections)
        if self.template is None:
            section = sections[-1]
            section.different_first_page_header_footer = True
            _fill(section.header, self._paragraph_xml("header", run(head)))
            _fill(section.first_page_header, self._paragraph_xml("header"))
            number = run("— ") + _field_begin("PAGE") + run("1") + FIELD_END + run(" —")
            _fill(section.footer, self._paragraph_xml("footer", number))
            _fill(section.first_page_footer, self._paragraph_xml("footer"))
        if not alarm:
            return
        told = run(alarm, '<w:b/><w:color w:val="C2410C"/>')
        for section in sections:
            heads = [section.header]
            heads += [section.first_page_header] if section.different_first_page_header_footer else []
            if self.document.settings.odd_and_even_pages_header_footer:
                heads.append(section.even_page_header)
            for each in heads:
                if section is sections[0] or not each.is_linked_to_previous:
                    _append(each, self._paragraph_xml("header", told))

    def _paragraph_xml(self, style, runs=""):
        return f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="{self.ids[style]}"/></w:pPr>{runs}</w:p>'

    # -- to the file -------------------------------------------------------------------------------------------------

    def save(self, path, *, title, subject):
        """Write the document: the same bytes for the same content. Raises OSError."""
        if self._waiting:
            self._orient(sideways=False)
        self._write_contents()
        if self._sideways:
            self._turn(self._last)
        about = self.document.core_properties
        about.title, about.subject = clean_text(title)[:255], clean_text(subject)[:255]
        about.author = about.last_modified_by = "jinyi"
        about.created = about.modified = about.last_printed = FIXED_DATE
        about.revision, about.comments, about.keywords = 1, "", ""
        held = io.BytesIO()
        self.document.save(held)
        Path(path).write_bytes(canonical(held.getvalue()))


def run(text, look=""):
    """Return the XML of a run of text; ``look``: what of its style it changes."""
    look = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{escape(clean_text(text))}</w:t></w:r>'


def _field_begin(code, dirty=False):
    mark = ' w:dirty="true"' if dirty else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"{mark}/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )


def _fill(part, xml):
    """Put one paragraph into a head or foot, in the place of what it holds."""
    part.is_linked_to_previous = False
    for child in list(part._element):
        part._element.remove(child)
    part._element.append(parse_xml(xml))


def _append(part, xml):
    part.is_linked_to_previous = False
    part._element.append(parse_xml(xml))


def canonical(archive):
    """Return a zip archive with fixed dates and its members in one order, the list of types first as Word wants it."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            member = zipfile.ZipInfo(name, ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            new.writestr(member, old.read(name))
    return held.getvalue()
