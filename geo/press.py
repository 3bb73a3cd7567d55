"""The press: type measured from fonts, and one page to draw on in millimetres from its lower left corner.

Everything that is printed goes through here, so that letters are as wide in every format as they were measured, the
same page has the same bytes, and a sign that the face lacks is known before anything is written.
"""

import re
import tempfile
import threading
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import shapely
from fontTools import subset
from fontTools.ttLib import TTFont, TTLibError
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Stroke
from PIL import Image, PngImagePlugin

from geo import theme
from geo.faults import Fault, Rejected

FONTS = Path(__file__).parent / "assets" / "fonts"
DPI = 300
PNG_EFFORT = 2  # of zlib, 1 to 9
MM_PER_POINT = 25.4 / 72
A4 = (210.0, 297.0)  # wide and high, upright
LINE = theme.PRINT_LINE
MARKERS = {"circle": "o", "triangle": "^", "star": "*", "square": "s", "cross": "X", "diamond": "D"}
NO_DATA_HATCH = "//////"
CLOSING, OPENING = "、，。；：！？）》」』】〕”’…%,.;:!?)]}·ᵐᵃ", "（《「『【〔“‘([{"
OWN_SIGNS = frozenset("ᵐᵃ−–—…≥≤°·●▲△◇")  # that the house sets itself, whatever type an office has
SEED = "jinyi"  # of the names that an SVG gives its parts: by chance they would differ each time

# matplotlib is not safe for threads, and two people may ask for a sheet at once.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def printing():
    """Hold the press: one sheet at a time, and a planner's own settings of matplotlib change nothing."""
    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["pdf.fonttype"] = 42  # TrueType: text in the PDF stays text
        matplotlib.rcParams["text.hinting"] = "no_hinting"  # letters as wide in the PNG as in the PDF, and as measured
        matplotlib.rcParams["svg.fonttype"] = "path"  # a machine without the font prints it right
        matplotlib.rcParams["svg.hashsalt"] = SEED
        yield


def plain(value):
    """Return a text as one printable line: control and format signs and line breaks become single spaces."""
    spaced = (
        " " if unicodedata.category(sign)[0] == "Z" or unicodedata.category(sign) in ("Cc", "Cf") else sign
        for sign in str(value)
    )
    return " ".join("".join(spaced).split())


# --- type -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Face:
    """One cut of a typeface: ``advances`` {sign: width in em}; a sign that is not in it cannot be printed."""

    properties: FontProperties
    advances: dict

    def width(self, text, points):
        """Return the width of ``text`` in millimetres; a sign that the face lacks counts one em."""
        return sum(self.advances.get(sign, 1.0) for sign in text) * points * MM_PER_POINT

    def has(self, text):
        return all(sign in self.advances for sign in text)


@dataclass(frozen=True)
class Family:
    """The type of a page: its regular and its bold cut, and what the house's own signs are printed with instead."""

    regular: Face
    bold: Face
    instead: "Family | None" = None

    def chosen(self, text, bold=False):
        """Return the bold face if it is wanted and holds every sign of ``text``, else the regular one.

        A text that only lacks signs which the house itself sets (marks, a minus, "≥") takes the shipped type.
        """
        if bold and self.bold.has(text):
            return self.bold
        if self.instead is not None and not self.regular.has(text) and self._lacks(text) <= OWN_SIGNS:
            return self.instead.chosen(text, bold)
        return self.regular

    def _lacks(self, text):
        return {sign for sign in text if sign not in self.regular.advances}

    def width(self, text, points, bold=False):
        return self.chosen(text, bold).width(text, points)


@cache
def face(weight):
    """Return the :class:`Face` of a weight of the shipped type, ``Regular`` or ``Bold``."""
    return _face_of(FONTS / f"NotoSansSC-{weight}.ttf")


@cache
def _face_of(file):
    with TTFont(file, lazy=True, fontNumber=0) as font:
        if "glyf" not in font:
            raise TTLibError("no TrueType outlines")
        em, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        advances = {chr(code): metrics[name][0] / em for code, name in font.getBestCmap().items()}
    return Face(FontProperties(fname=file), advances)


def family(font=None, letters=None):
    """Return the :class:`Family` of a font: None, the shipped one; the name of an installed family; or a file.

    letters  cut down to these signs, if they are given: a large font takes a second to embed, sheet after sheet
    Raises :class:`geo.faults.Rejected` when there is no such font, or none whose letters a PDF can carry as text.
    """
    shipped = Family(face("Regular"), face("Bold"))
    if letters is not None:
        shipped = Family(*(_cut(FONTS / f"NotoSansSC-{weight}.ttf", letters) for weight in ("Regular", "Bold")))
    if font is None:
        return shipped
    files = _files_of(str(font))
    if files is None:
        raise Rejected([Fault("font_unknown", value=str(font))])
    try:
        regular, bold = (_face_of(file) if letters is None else _cut(file, letters) for file in files)
    except (TTLibError, OSError, KeyError, AttributeError):
        raise Rejected([Fault("font_outlines", value=str(font))]) from None
    return Family(regular, bold, instead=shipped)


@cache
def _cut(file, letters):
    """Return the face of a font cut down to some signs; it lies in a folder that goes with the process."""
    _face_of(file)
    options = subset.Options(layout_features=[], name_IDs=[1, 2, 4, 6], hinting=False, notdef_outline=True)
    options.recalc_timestamp = False
    with TTFont(file, fontNumber=0, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=letters)
        cutter.subset(font)
        path = Path(_workshop().name) / f"{len(list(Path(_workshop().name).iterdir()))}.ttf"
        font.save(path)
    return _face_of(path)


@cache
def _workshop():
    return tempfile.TemporaryDirectory(prefix="jinyi-type-")


def _files_of(font):
    """Return the files of the regular and the bold cut, None where nothing of that name is installed."""
    if Path(font).is_file():
        return Path(font), Path(font)
    try:
        cuts = (FontProperties(family=font, weight=weight) for weight in ("normal", "bold"))
        return tuple(Path(font_manager.findfont(cut, fallback_to_default=False)) for cut in cuts)
    except ValueError:
        file = next((file for file in sorted(font_manager.findSystemFonts()) if font in _names_of(file)), None)
        return file and (Path(file), Path(file))


def _names_of(file):
    """Return the names of a font in all its languages: matplotlib knows the English one alone."""
    try:
        with TTFont(file, lazy=True, fontNumber=0) as opened:
            return {record.toUnicode() for record in opened["name"].names if record.nameID in (1, 4, 16)}
    except (TTLibError, OSError, KeyError, UnicodeError):
        return set()


def chosen_face(text, bold):
    """Return the shipped bold face if it is wanted and holds every sign of ``text``, else the regular one."""
    return family().chosen(text, bold)


def wrapped(text, points, width, bold=False, type_=None):
    """Return ``text`` as lines of at most ``width`` millimetres: broken at spaces and between Chinese characters.

    No line begins with a closing mark or ends with an opening one.
    """
    type_face = (type_ or family()).chosen(text, bold)
    lines, line = [], ""
    for piece in _pieces(text):
        if line and type_face.width((line + piece).rstrip(), points) > width:
            lines.append(line.rstrip())
            line = ""
        while type_face.width(piece.rstrip(), points) > width and len(piece) > 1:
            fits = next(n for n in range(len(piece), 0, -1) if n == 1 or type_face.width(piece[:n], points) <= width)
            lines.append(piece[:fits])
            piece = piece[fits:]
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text):
    """Return the pieces of a line that must not be broken; joined they are ``text``."""
    pieces = []
    for part in re.findall(r"[⺀-\uffff]|[^\s⺀-\uffff]+|\s+", text):
        joins = pieces and (part[0] in CLOSING or pieces[-1][-1] in OPENING or part.isspace())
        if joins:
            pieces[-1] += part
        else:
            pieces.append(part)
    return pieces


def shortened(text, points, width, bold=False, type_=None):
    """Return ``text``, cut and ended with "…" where it is wider than ``width`` millimetres."""
    type_face = (type_ or family()).chosen(text, bold)
    if type_face.width(text, points) <= width:
        return text
    while text and type_face.width(text + "…", points) > width:
        text = text[:-1]
    return text + "…"


def fitted(text, points, width, most=None, bold=False, type_=None):
    """Return ``text`` as printable lines of ``width`` millimetres; beyond ``most`` lines the rest becomes "…"."""
    lines = wrapped(plain(text), points, width, bold, type_)
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], shortened(lines[most - 1] + lines[most], points, width, bold, type_)]


def missing_glyphs(lacking, file):
    """Return the faults of {text: signs that the type lacks}, for the file that is not written."""
    faults = []
    for text, signs in lacking.items():
        said = " ".join(f"{sign} (U+{ord(sign):04X})" if sign.isprintable() else f"U+{ord(sign):04X}" for sign in signs)
        faults.append(Fault("missing_glyph", file=file, value=text, params={"signs": said}))
    return faults


# --- the page -------------------------------------------------------------------------------------


class Sheet:
    """One page to draw on, in millimetres. Text is never read as markup; ``lacking`` gathers {text: signs it lacks}."""

    def __init__(self, size=A4, type_=None):
        wide, high = size
        self.figure = Figure(figsize=(wide / 25.4, high / 25.4), facecolor=theme.PAPER)
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(0, high), autoscale_on=False)
        self.axes.axis("off")
        self.type = type_ or family()
        self.lacking = {}
        self.places = ()

    def text(self, x, y, content, points, bold=False, colour=theme.INK, ha="left", halo=None, z=9, name=None, turn=0):
        """Write one line, its baseline at ``y``. A halo is an outline beneath, so that the text itself stays text.

        turn: degrees against the clock about the middle of the line, which then stands at (x, y)
        """
        content = plain(content)
        type_face = self.type.chosen(content, bold)
        if not type_face.has(content):
            self.lacking[content] = sorted({sign for sign in content if sign not in type_face.advances})
        how = {
            "fontproperties": type_face.properties,
            "fontsize": points,
            "parse_math": False,
            "ha": ha,
            "va": "baseline",
        }
        if turn:
            how |= {"rotation": turn, "rotation_mode": "anchor", "ha": "center"}
        if halo:
            under = self.axes.text(x, y, content, color=halo, zorder=z - 0.1, **how)
            under.set_path_effects([Stroke(linewidth=points / 4.2, foreground=halo, joinstyle="round")])
        self.axes.text(x, y, content, color=colour, zorder=z, gid=name, **how)

    def paragraph(self, x, y, content, points, width, colour=theme.INK, most=None, bold=False):
        """Write ``content`` in lines of ``width`` from the baseline ``y`` down; return the baseline after the last one.

        Beyond ``most`` lines the rest is left out and the last line ends with "…".
        """
        for line in fitted(content, points, width, most, bold, self.type):
            self.text(x, y, line, points, bold, colour)
            y -= leading(points)
        return y

    def shape(self, geometry, fill="none", edge="none", width=0.0, z=1, hatch=None, dash=None):
        """Draw a polygon or line geometry that is already in millimetres."""
        outline = _outline(geometry)
        if outline is None:
            return
        patch = PathPatch(
            outline, facecolor=fill, edgecolor=edge, linewidth=width, zorder=z, hatch=hatch, joinstyle="round"
        )
        if dash:
            patch.set_linestyle((0, dash))
        self.axes.add_artist(patch)  # not add_patch, which measures every curve for axis limits that are fixed here

    def rule(self, points, width, colour, z=8, dash=None, name=None):
        """Draw a line through ``points``."""
        (line,) = self.axes.plot(*zip(*points, strict=True), color=colour, linewidth=width, zorder=z, gid=name)
        line.set_solid_capstyle("butt")
        line.set_solid_joinstyle("miter")
        if dash:
            line.set_linestyle((0, dash))

    def signs(self, x, y, shape, points, fill, edge=theme.INK, width=LINE["symbol"], z=7, name=None):
        """Draw one symbol of ``points`` across at each of the places."""
        self.axes.plot(
            x,
            y,
            linestyle="none",
            marker=MARKERS[shape],
            markersize=points,
            markerfacecolor=fill,
            markeredgecolor=edge,
            markeredgewidth=width,
            zorder=z,
            gid=name,
        )


def write_png(sheet, path, dpi, about):
    """Write a sheet as an opaque PNG; about: {keyword: text or None}. An eighth of the time of matplotlib's own."""
    sheet.figure.set_dpi(dpi)
    canvas = sheet.figure.canvas
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    said = PngImagePlugin.PngInfo()
    for keyword, text in about.items():
        if text is not None:
            said.add_itxt(keyword, text)
    image.save(path, format="png", dpi=(dpi, dpi), compress_level=PNG_EFFORT, pnginfo=said)


def leading(points):
    """Return the distance of baselines in millimetres."""
    return points * 1.45 * MM_PER_POINT


def middle_of(points):
    """Return how far the middle of a line of type lies above its baseline, in millimetres."""
    return 0.37 * points * MM_PER_POINT


def _outline(geometry):
    """Return a polygon or line geometry as one matplotlib path, holes cut out; None if it is empty."""
    parts = [part for part in shapely.get_parts(shapely.orient_polygons(geometry)) if not part.is_empty]
    rings = []
    for part in parts:
        if part.geom_type == "Polygon":
            rings += [np.asarray(ring.coords) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type in ("LineString", "LinearRing"):
            rings.append(np.asarray(part.coords))
    return Outline.make_compound_path(*(Outline(ring) for ring in rings)) if rings else None
