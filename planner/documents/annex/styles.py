"""The office's paper in Word's terms: page, fonts and styles after GB/T 9704, or those of the office's own template.

Sizes are points, lengths millimetres unless a name says otherwise; a twip is a twentieth of a point.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from lxml.etree import LxmlError

from geo.faults import Fault, Rejected

# The paper: A4, text area 156 x 225 mm. On its side the binding edge is above.
PAGE = {"w": 210, "h": 297, "top": 37, "right": 26, "bottom": 35, "left": 28, "header": 18, "footer": 23}
SIDEWAYS = {"w": 297, "h": 210, "top": 28, "right": 37, "bottom": 26, "left": 35, "header": 12, "footer": 14}

LATIN = "Times New Roman"
FONTS = ("title", "black", "kai", "body", "song")  # words annex.font: as offices have it, then what may stand in
LARGEST_TEMPLATE = 64 * 1024**2  # bytes, unpacked
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # how a document with a password, and one of Word 97, begins


@dataclass(frozen=True)
class Look:
    """One paragraph style.

    name     of the style in Word; words annex.style say what an office's template may call it
    font     one of ``FONTS``; size, line: points (line 0 = as high as the letters need)
    before, after, indent: points, twips and twips; align: left | center | right | both
    hint     whether quotation marks and dashes are Chinese ones
    """

    name: str
    font: str
    size: float
    line: float = 0
    before: float = 0
    after: float = 0
    align: str = "left"
    indent: int = 0
    bold: bool = False
    level: int | None = None
    keep: bool = False
    colour: str = ""
    hint: bool = True
    hanging: int = 0
    tabs: str = ""
    squeeze: int = 0  # twips between letters, so that 28 characters fit the line


def looks(lang):
    """Return {key: :class:`Look`} in a language: Chinese after GB/T 9704, English a size that suits its letters."""
    zh = lang == "zh"
    size, line = (16, 28.9) if zh else (12, 20)
    indent = round(size * 2 * 20) if zh else 0
    after = 0 if zh else 6
    head = {"keep": True, "bold": not zh, "line": line}
    return {
        "mark": Look("Annex Mark", "black", 16, 30, after=110),
        "title": Look("Title", "title", 22 if zh else 20, 36, align="center", bold=not zh, after=6),
        "subtitle": Look("Subtitle", "kai", 16 if zh else 13, 30, align="center", after=6),
        "alarm": Look("Interim", "black", 14 if zh else 12, 24, 12, 12, "center", colour="C2410C", bold=True),
        "h1": Look("heading 1", "black", 16 if zh else 15, before=14, after=4, level=0, **head),
        "h2": Look("heading 2", "kai", 16 if zh else 13, before=6, after=2, level=1, **head),
        "body": Look("Body Text", "body", size, line, 0, after, "both", indent, squeeze=-5 if zh else 0),
        "item": Look("List Items", "body", 12 if zh else 11, 20 if zh else 17, 0, after / 2, "both", hanging=480),
        "caption": Look("caption", "black", 12 if zh else 11, 18, 8, 2, "center", keep=True, bold=not zh),
        "under": Look("Figure Caption", "black", 12 if zh else 11, 18, 2, 2, "center", keep=True, bold=not zh),
        "unit": Look("Table Unit", "song", 10.5 if zh else 9.5, 15, 0, 1, "right", keep=True),
        "cell": Look("Table Words", "song", 10.5, 15),
        "number": Look("Table Figures", "song", 10.5, 15, align="right", hint=False),
        "note": Look("Table Note", "song", 9, 13, 2, 0, "both", hanging=0),
        "source": Look("Table Source", "song", 9, 13, 0, 12, "left"),
        "picture": Look("Figure", "song", 10.5, 0, 6, 0, "center", keep=True),
        "contents": Look("TOC Heading", "black", 18, 30, 0, 10, "center", bold=not zh),
        "toc1": Look("toc 1", "body", 14 if zh else 12, 25 if zh else 20, 3, tabs="right"),
        "toc2": Look("toc 2", "body", 12 if zh else 11, 20 if zh else 17, indent=480, tabs="right"),
        "header": Look("header", "song", 9, 13, align="center"),
        "footer": Look("footer", "song", 14 if zh else 11, 18, align="center"),
        "first_fact": Look("First Cover Fact", "body", 14 if zh else 12, 24, before=150, align="center"),
        "fact": Look("Cover Facts", "body", 14 if zh else 12, 24, align="center"),
    }


def blank(words):
    """Return (document, {key: style id}): an empty document on the office's paper with our styles and no others."""
    given = looks(words.lang)
    document = Document()
    _strip(document)
    styles = document.styles.element
    for child in list(styles):
        styles.remove(child)
    ids = {key: f"JY{key}" for key in given} | {"h1": "Heading1", "h2": "Heading2", "toc1": "TOC1", "toc2": "TOC2"}
    for child in parse_xml(_base(words)):
        styles.append(child)
    for key, look in given.items():
        styles.append(parse_xml(_style(look, ids[key], words)))
    _settings(document)
    _font_table(document, words)
    set_page(document.element.body.sectPr, PAGE)
    return document, ids


def adopted(template, words):
    """Return (document, {key: style id}) on the office's template: its styles where it has them, ours elsewhere.

    Raises :class:`geo.faults.Rejected` where the file is no Word document, is damaged, or may not be changed.
    """
    document = opened(Path(template))
    ids = {}
    known = {_plain(style.name): style for style in document.styles if style.type == WD_STYLE_TYPE.PARAGRAPH}
    taken = {style.get(qn("w:styleId")) for style in document.styles.element.findall(qn("w:style"))}
    for key, look in looks(words.lang).items():
        names = (look.name, *words(f"annex.style.{key}").split("|"))
        own = next((known[name] for name in map(_plain, names) if name in known), None)
        if own is not None:
            ids[key] = own.style_id
            continue
        ids[key] = f"JY{key}"
        if ids[key] not in taken:
            document.styles.element.append(parse_xml(_style(look, ids[key], words)))
    return document, ids


def _plain(name):
    return str(name).casefold().replace(" ", "")


def opened(path):
    """Return the python-docx document of a template that can be written to. Raises :class:`geo.faults.Rejected`."""
    if not path.is_file():
        raise Rejected([Fault("annex_template_missing", file=path.name)])
    head = path.read_bytes()[: len(OLE)]
    if head == OLE:
        raise Rejected([Fault("annex_template_protected", file=path.name)])
    if not head.startswith(b"PK"):
        raise Rejected([Fault("annex_template_kind", file=path.name)])
    _check_parts(path)
    try:
        document = Document(path)
        protected = document.settings.element.find(qn("w:documentProtection"))
        _ = document.element.body.sectPr, list(document.styles), document.core_properties.title
    except ValueError as error:  # a workbook, or a template with macros
        raise Rejected([Fault("annex_template_kind", file=path.name)]) from error
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, AttributeError, LxmlError, OSError, EOFError) as error:
        raise Rejected([Fault("annex_template_damaged", file=path.name)]) from error
    except Exception as error:  # zlib and struct each have their own word for a file cut short
        raise Rejected([Fault("annex_template_damaged", file=path.name)]) from error
    if protected is not None and protected.get(qn("w:enforcement")) in ("1", "true", "on"):
        raise Rejected([Fault("annex_template_protected", file=path.name)])
    return document


def _check_parts(path):
    """Refuse a template with programs, with declarations of its own in its XML, or that unpacks to more than a file."""
    try:
        with zipfile.ZipFile(path) as parts:
            large = sum(part.file_size for part in parts.infolist()) > LARGEST_TEMPLATE
            programs = any("vbaProject" in name for name in parts.namelist())
            if not large:
                texts = (parts.read(name) for name in parts.namelist() if name.endswith((".xml", ".rels")))
                programs |= any(b"<!DOCTYPE" in text or b"<!ENTITY" in text for text in texts)
    except Exception as error:
        raise Rejected([Fault("annex_template_damaged", file=path.name)]) from error
    if large or programs:
        raise Rejected([Fault("annex_template_large" if large else "annex_template_programs", file=path.name)])


def set_page(section, page):
    """Give a ``w:sectPr`` the measures of ``page`` (``PAGE`` or ``SIDEWAYS``)."""
    for name in ("w:pgSz", "w:pgMar", "w:docGrid"):
        for child in section.findall(qn(name)):
            section.remove(child)
    size = {"w:w": twips(page["w"]), "w:h": twips(page["h"])}
    if page["w"] > page["h"]:
        size["w:orient"] = "landscape"
    sides = {f"w:{side}": twips(page[side]) for side in ("top", "right", "bottom", "left", "header", "footer")}
    made = [_element("w:pgSz", size), _element("w:pgMar", sides | {"w:gutter": 0})]
    after = [child for child in section if child.tag in _BEFORE_SIZE]
    place = section.index(after[-1]) + 1 if after else 0
    for i, child in enumerate(made):
        section.insert(place + i, child)


_BEFORE_SIZE = {qn(f"w:{n}") for n in ("headerReference", "footerReference", "footnotePr", "endnotePr", "type")}


def turned(section):
    """Turn a ``w:sectPr`` of upright paper on its side: the binding edge goes up, the head to the right."""
    size, sides = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))
    w, h = size.get(qn("w:w")), size.get(qn("w:h"))
    size.set(qn("w:w"), h)
    size.set(qn("w:h"), w)
    size.set(qn("w:orient"), "landscape")
    was = {side: sides.get(qn(f"w:{side}")) for side in ("top", "right", "bottom", "left")}
    for now, before in (("top", "left"), ("right", "top"), ("bottom", "right"), ("left", "bottom")):
        sides.set(qn(f"w:{now}"), was[before])
    for side, least in (("header", was["left"]), ("footer", was["right"])):
        given = int(float(sides.get(qn(f"w:{side}")) or 0))
        sides.set(qn(f"w:{side}"), str(min(given, int(float(least)) // 2)))


def text_area(section):
    """Return (width, height) in points of the text of a ``w:sectPr``."""
    size, sides = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))
    of = {side: abs(float(sides.get(qn(f"w:{side}")) or 0)) for side in ("left", "right", "top", "bottom", "gutter")}
    width = float(size.get(qn("w:w"))) - of["left"] - of["right"] - of["gutter"]
    return width / 20, (float(size.get(qn("w:h"))) - of["top"] - of["bottom"]) / 20


def twips(millimetres):
    """Return millimetres as twips."""
    return round(millimetres / 25.4 * 1440)


def _element(tag, attributes):
    held = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return parse_xml(f"<{tag} {nsdecls('w')} {held}/>")


# -- styles ------------------------------------------------------------------------------------------------------------


def fonts_xml(font, words, hint=True):
    """Return ``w:rFonts`` with a Chinese font and the Latin one; ``hint``: quotation marks are Chinese in Chinese."""
    told = ' w:hint="eastAsia"' if hint and words.lang == "zh" else ""
    chinese = words(f"annex.font.{font}").split("|")[0]
    return f'<w:rFonts{told} w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:eastAsia="{chinese}" w:cs="{LATIN}"/>'


def _style(look, id, words):
    paragraph = "<w:keepNext/>" if look.keep else ""
    if look.tabs:
        paragraph += '<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="8840"/></w:tabs>'
    rule = f' w:line="{round(look.line * 20)}" w:lineRule="exact"' if look.line else ' w:line="240" w:lineRule="auto"'
    paragraph += f'<w:spacing w:before="{round(look.before * 20)}" w:after="{round(look.after * 20)}"{rule}/>'
    if look.hanging:
        paragraph += f'<w:ind w:left="{look.hanging}" w:hanging="{look.hanging}"/>'
    elif look.indent and look.tabs:
        paragraph += f'<w:ind w:left="{look.indent}"/>'
    elif look.indent:
        paragraph += f'<w:ind w:firstLine="{look.indent}" w:firstLineChars="200"/>'
    paragraph += f'<w:jc w:val="{look.align}"/>'
    if look.level is not None:
        paragraph += f'<w:outlineLvl w:val="{look.level}"/>'
    run = fonts_xml(look.font, words, look.hint)
    run += "<w:b/>" if look.bold else ""
    run += f'<w:color w:val="{look.colour}"/>' if look.colour else ""
    run += f'<w:spacing w:val="{look.squeeze}"/>' if look.squeeze else ""
    run += f'<w:sz w:val="{round(look.size * 2)}"/><w:szCs w:val="{round(look.size * 2)}"/>'
    follows = '<w:next w:val="JYbody"/>' if look.level is not None else ""
    return (
        f'<w:style {nsdecls("w")} w:type="paragraph" w:styleId="{id}"><w:name w:val="{look.name}"/>'
        f'<w:basedOn w:val="Normal"/>{follows}<w:qFormat/><w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>'
    )


def _base(words):
    """Return what every style rests on: the defaults, the plain paragraph, the plain table."""
    return (
        f"<w:styles {nsdecls('w')}><w:docDefaults><w:rPrDefault><w:rPr>{fonts_xml('body', words)}"
        f'<w:sz w:val="24"/><w:szCs w:val="24"/><w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
        "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/>'
        f"<w:rPr>{fonts_xml('body', words)}"
        "</w:rPr></w:style>"
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/><w:uiPriority w:val="1"/><w:semiHidden/></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/>'
        '<w:uiPriority w:val="99"/><w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
        '<w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/>'
        '<w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style></w:styles>'
    )


# -- what python-docx's own blank carries ------------------------------------------------------------------------------


def _strip(document):
    """Take out what our paper does not use: a picture of another document, styles of older Words."""
    package, part = document.part.package, document.part
    for owner, unused in ((package, ("thumbnail",)), (part, ("stylesWithEffects", "customXml"))):
        for id, relation in list(owner.rels.items()):
            if relation.reltype.rpartition("/")[2] in unused:
                del owner.rels[id]


def _settings(document):
    settings = document.settings.element
    for child in list(settings):
        settings.remove(child)
    made = (
        f'<w:settings {nsdecls("w")}><w:zoom w:percent="100"/><w:defaultTabStop w:val="420"/>'
        '<w:characterSpacingControl w:val="compressPunctuation"/><w:compat><w:useFELayout/>'
        '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        '</w:compat><w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>'
    )
    for child in parse_xml(made):
        settings.append(child)


def _font_table(document, words):
    """Say which fonts may stand in where the office's are not on a computer: Word asks this list first."""
    said = ""
    for font in FONTS:
        name, *others = words(f"annex.font.{font}").split("|")
        said += f'<w:font w:name="{name}"><w:altName w:val="{",".join(others)}"/><w:charset w:val="86"/>'
        said += '<w:family w:val="auto"/></w:font>'
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = f"<w:fonts {nsdecls('w')}>{said}</w:fonts>".encode()
