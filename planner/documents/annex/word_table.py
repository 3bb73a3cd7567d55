"""Tables as Word holds them: three lines, headings repeated, rows whole, columns as wide as what they hold needs."""

import unicodedata
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from docx.oxml.ns import nsdecls

from planner.report.tables import clean_text

PADDING = 3.2  # points left and right in a cell
ROW_PADDING = 1.2  # points above and below, in a table whose texts are broken into lines
# Points of text and headings: as they should be, and where a table would not fit upright.
SIZES = ((10.5, 10.5), (9.0, 9.0), (9.0, 7.0))
LINE = 1.42  # of the smaller type, the distance of two lines
HEAD_LINES = 3  # at most, into which a heading may be broken
WHOLE_ROWS = 14  # a table of at most so many rows is kept on one page
MUCH_FEWER = 0.9  # of the lines, where the smaller type is worth it
SHORT = 9.5  # ems of a text that is not broken where there is room
LONG, FEW_LINES = 16, 1.25  # rows, and lines a row, from which a long table takes the smaller type
STEPS, ROWS_WEIGHED = 40, 60  # in sharing out the width, and rows that are looked at for it
THICK, THIN, HAIR = 12, 6, 4  # eighths of a point


@dataclass(frozen=True)
class Column:
    """One column. ``over``: the heading above those that share it; ``wraps``: text that may be broken into lines."""

    heading: str
    align: str = "right"
    italic: bool = False
    over: str = ""
    wraps: bool = False


@dataclass(frozen=True)
class Row:
    """One row of texts, one a column. ``kind``: data | total | band (one text across, which heads the rows below)."""

    cells: tuple
    kind: str = "data"


@dataclass(frozen=True)
class Grid:
    columns: tuple
    rows: tuple


def fitted(grid, rooms, sizes=SIZES):
    """Return (size, widths, number of the room): the largest type and the first room (points) in which a grid fits.

    A long table whose rows would be broken into lines takes the smaller type. size: of text and of headings, points;
    widths: points, which fill the room.
    """
    for i, room in enumerate(rooms):
        for size in sizes:
            widths = _widths(grid, size, room)
            if widths is None:
                continue
            lines = _lines(grid, widths, size[0])
            if size == SIZES[0] and len(grid.rows) > LONG and lines > FEW_LINES:
                narrow = _widths(grid, SIZES[1], room)
                if _lines(grid, narrow, SIZES[1][0]) < MUCH_FEWER * lines:
                    return SIZES[1], narrow, i
            return size, widths, i
    least, _ = _needs(grid, sizes[-1], 0)
    return sizes[-1], [width * rooms[-1] / sum(least) for width in least], len(rooms) - 1


def _widths(grid, size, room):
    """Return widths that fill a room, short texts unbroken where that is possible; None where a grid does not fit."""
    for unbroken in (SHORT, 0):
        least, natural = _needs(grid, size, unbroken)
        if sum(least) <= room:
            return _spread(grid, least, natural, room, size[0])
    return None


def _needs(grid, size, unbroken):
    """Return (least, natural) widths in points.

    A number is never broken, nor a text of at most ``unbroken`` ems; a heading is into few lines, a text anywhere.
    """
    size, head_size = size
    least, natural = [], []
    shown = [row.cells for row in grid.rows if row.kind != "band"]
    for i, column in enumerate(grid.columns):
        held = [ems(cells[i]) for cells in shown]
        widest = max(held, default=0)
        head = ems(column.heading) + 0.2 if column.align == "center" else _head_ems(column.heading)
        head *= head_size / size
        if column.wraps:
            longest = max((_longest_word(cells[i]) for cells in shown), default=0)
            short = widest if widest <= unbroken else min(widest, 6)
            low = min(max(head, longest, short), 14)
            high = max(low, widest)
        else:
            low = high = max(head, widest)
        least.append(low * size + 2 * PADDING)
        natural.append(high * size + 2 * PADDING)
    return least, natural


def _spread(grid, least, natural, room, size):
    """Return widths that fill the room: what is left goes, bit by bit, to the text whose rows it makes shorter."""
    widths = list(least)
    wrapped = [i for i, column in enumerate(grid.columns) if column.wraps and natural[i] > least[i]]
    step = (room - sum(widths)) / STEPS
    if wrapped and step > 0:
        needs = _text_widths(grid, wrapped, size)
        for _ in range(STEPS):
            open_ = [k for k, i in enumerate(wrapped) if widths[i] < natural[i]]
            if not open_:
                break
            costs = []
            for k in open_:
                tried = np.array([widths[i] + (step if k == j else 0) - 2 * PADDING for j, i in enumerate(wrapped)])
                costs.append(_cost(needs / tried[:, None]))
            widths[wrapped[open_[int(np.argmin(costs))]]] += step
    left = room - sum(widths)
    return [width + left * width / sum(widths) for width in widths]


def _cost(ratios):
    """Return how long rows are: their lines, and a little for how full they are, so that every step tells."""
    lines, full = np.ceil(ratios).sum(axis=2), ratios.sum(axis=2)
    return float(lines.max(axis=1).sum() + 0.2 * full.max(axis=1).sum() + 0.02 * full.sum())


def _text_widths(grid, columns, size):
    """Return points of text of some of the rows: rows x columns x lines of a cell, 0 where it has no such line."""
    shown = [row.cells for row in grid.rows if row.kind != "band"]
    shown = shown[:: max(1, len(shown) // ROWS_WEIGHED)]
    most = max((cells[i].count("\n") for cells in shown for i in columns), default=0) + 1
    lines = [[(cells[i].split("\n") + [""] * most)[:most] for i in columns] for cells in shown]
    return np.array([[[ems(line) * size for line in cell] for cell in row] for row in lines])


def _lines(grid, widths, size):
    """Return how many lines a row has on average."""
    wrapped = [i for i, column in enumerate(grid.columns) if column.wraps]
    if not wrapped or not grid.rows:
        return 1.0
    room = np.array([widths[i] - 2 * PADDING for i in wrapped])
    return float(np.ceil(_text_widths(grid, wrapped, size) / room[:, None]).sum(axis=2).max(axis=1).mean())


def _head_ems(heading):
    """Return the least width of a heading that is broken into a few lines, in ems."""
    longest = max(map(_longest_word, heading.split("\n")))
    return max(longest, 2.25, max(ems(line) / HEAD_LINES for line in heading.split("\n")) + 0.4)


def _longest_word(text):
    """Return the width of what cannot be broken: a word of letters; a Chinese character stands alone."""
    longest = run = 0.0
    for sign in text:
        wide = _em(sign)
        run = 0.0 if sign.isspace() or _is_wide(sign) else run + wide
        longest = max(longest, wide, run)
    return longest


def ems(text):
    """Return how wide a text is, in ems of its type; of several lines, the widest."""
    return max(sum(map(_em, line)) for line in text.split("\n")) * 1.03


def _em(sign):
    if _is_wide(sign):
        return 1.0
    if sign in ".,:;'!| il":
        return 0.28
    if sign.isupper() or sign in "%+m−—±→":
        return 0.77
    return 0.51


def _is_wide(sign):
    return unicodedata.east_asian_width(sign) in "WF" or sign in "●▲◇△■◆“”‘’…·"


# -- as XML ------------------------------------------------------------------------------------------------------------


def table_xml(grid, widths, size, ids):
    """Return the ``w:tbl`` of a grid as it was fitted; ``ids``: the style ids of ``cell`` and ``number``."""
    size, head_size = size
    twips = [round(width * 20) for width in widths]
    rows = list(_heads(grid, twips, head_size, ids))
    whole = len(grid.rows) <= WHOLE_ROWS
    for i, row in enumerate(grid.rows):
        # The last rows stay with the note below, a band with the first row it heads.
        keep = whole or i == 0 or i >= len(grid.rows) - 2 or row.kind == "band"
        rows.append(_row(grid.columns, row, twips, size, ids, keep))
    border = f'w:val="single" w:sz="{THICK}" w:space="0" w:color="000000"'
    pad, above = round(PADDING * 20), round(ROW_PADDING * 20) if _lines(grid, widths, size) > 1.05 else 0
    across = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(twips)}" w:type="dxa"/><w:jc w:val="center"/>'
        f"<w:tblBorders><w:top {border}/><w:bottom {border}/></w:tblBorders>"
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="{above}" w:type="dxa"/>'
        f'<w:left w:w="{pad}" w:type="dxa"/><w:bottom w:w="{above}" w:type="dxa"/>'
        f'<w:right w:w="{pad}" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{across}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _heads(grid, twips, size, ids):
    """Yield the row or two rows of headings; they are repeated on every page."""
    columns, last = grid.columns, f'<w:bottom w:val="single" w:sz="{THIN}" w:space="0" w:color="000000"/>'
    two = any(column.over for column in columns)
    if two:
        cells, i = "", 0
        while i < len(columns):
            span = 1
            while columns[i].over and i + span < len(columns) and columns[i + span].over == columns[i].over:
                span += 1
            if columns[i].over:
                rule = f'<w:bottom w:val="single" w:sz="{HAIR}" w:space="0" w:color="000000"/>'
                cells += _cell(
                    columns[i].over, sum(twips[i : i + span]), size, ids, "center", True, span=span, borders=rule
                )
            else:
                given = columns[i]
                align = _head_align(given)
                cells += _cell(given.heading, twips[i], size, ids, align, True, merge="restart", foot=last)
            i += span
        yield f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>"
    cells = ""
    for column, width in zip(columns, twips, strict=True):
        merged = two and not column.over
        told = "" if merged else column.heading
        cells += _cell(told, width, size, ids, _head_align(column), True, borders=last, merge="go" if merged else "")
    yield f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>"


def _head_align(column):
    return "center" if column.align == "right" else column.align


def _row(columns, row, twips, size, ids, keep):
    head = "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
    if row.kind == "band":
        return f"{head}{_cell(row.cells[0], sum(twips), size, ids, 'left', keep, span=len(columns), bold=True)}</w:tr>"
    total = row.kind == "total"
    rule = f'<w:top w:val="single" w:sz="{HAIR}" w:space="0" w:color="000000"/>' if total else ""
    cells = "".join(
        _cell(text, width, size, ids, column.align, keep, borders=rule, bold=total, italic=column.italic)
        for column, text, width in zip(columns, row.cells, twips, strict=True)
    )
    return f"{head}{cells}</w:tr>"


def _cell(text, width, size, ids, align, keep, *, span=1, borders="", merge="", foot="", bold=False, italic=False):
    held = f'<w:tcW w:w="{width}" w:type="dxa"/>'
    held += f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    held += {"": "", "restart": '<w:vMerge w:val="restart"/>', "go": "<w:vMerge/>"}[merge]
    held += f"<w:tcBorders>{borders}{foot}</w:tcBorders>" if borders or foot else ""
    held += '<w:vAlign w:val="center"/>'
    style = ids["number" if align == "right" else "cell"]
    paragraph = f'<w:pStyle w:val="{style}"/>' + ("<w:keepNext/>" if keep else "")
    paragraph += "" if size == SIZES[0][0] else f'<w:spacing w:line="{round(size * LINE * 20)}" w:lineRule="exact"/>'
    paragraph += f'<w:jc w:val="{align}"/>'
    look = ("<w:b/>" if bold else "") + ("<w:i/>" if italic else "")
    look += f'<w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/>' if size != SIZES[0][0] else ""
    look = f"<w:rPr>{look}</w:rPr>" if look else ""
    lines = str(text).split("\n")
    said = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(clean_text(line))}</w:t>' for line in lines)
    run = f"<w:r>{look}{said}</w:r>" if text else ""
    return f"<w:tc><w:tcPr>{held}</w:tcPr><w:p><w:pPr>{paragraph}</w:pPr>{run}</w:p></w:tc>"
