"""Names and figures on a map: each inside its county where it fits, else beside it on a leader, else left out.

Nothing is clipped and nothing lies on anything: every label is a box, and a box that would touch another is not taken.
Boxes are (left, bottom, right, top) in millimetres, lines of a label (text, points, bold).
"""

import numpy as np
import shapely

from geo import theme
from geo.press import MM_PER_POINT, plain, shortened, wrapped

DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
TURNS = 32  # directions in which a leader may go
CLEAR = 0.5  # mm around a label
BLOCK_LEADING = 1.1
NAME_WIDE = 34.0  # mm of a line of a long name on a leader
NAME_LINES = 3
LONG, CHINESE = 5, "⺀"  # signs of a name that may stand in two lines; where the Chinese ones begin
AT_ONCE = 96  # places that are tried together, nearest to the middle first
STRIP = 1.5  # mm of a leader that one box stands for
LEADER_CLEAR = 0.2  # mm on either side of a leader
OWN_SYMBOL = 1.8  # mm around the beginning of a leader
LED_AT_ONCE = 64  # leaders that are tried together, the best first


class Labels:
    """What stands on a map already, and whoever writes on it next.

    room     the map's box, which no label leaves
    written  [(kind, text, box)] of the labels, for whoever checks them
    """

    def __init__(self, sheet, room):
        self.sheet, self.room, self.written = sheet, room, []
        self._taken = np.empty((0, 4))

    def take(self, boxes):
        """Keep one box or an array of them free of labels."""
        self._taken = np.vstack([self._taken, np.atleast_2d(np.asarray(boxes, dtype=float))])

    def taken_by(self, boxes):
        """Return how many of the things that stand there each of an array of boxes would touch."""
        own, other = boxes[:, None, :], self._taken[None]
        apart = (own[..., 0] >= other[..., 2]) | (own[..., 2] <= other[..., 0])
        apart |= (own[..., 1] >= other[..., 3]) | (own[..., 3] <= other[..., 1])
        return (~apart).sum(axis=1)

    def on_map(self, boxes):
        left, bottom, right, top = self.room
        inside = (boxes[:, 0] >= left) & (boxes[:, 2] <= right)
        return inside & (boxes[:, 1] >= bottom) & (boxes[:, 3] <= top)

    def write(self, kind, box, lines, colour, halo, z=9.0):
        """Write the lines of a label into a box, from its top, each in the middle; take the box."""
        left, bottom, right, top = box
        y = (bottom + top + high_of(lines)) / 2
        for text, points, bold in lines:
            y -= points * BLOCK_LEADING * MM_PER_POINT
            at = y + 0.19 * points * MM_PER_POINT
            self.sheet.text((left + right) / 2, at, text, points, bold, colour, "center", halo, z)
        self.written.append((kind, " ".join(text for text, _, _ in lines), tuple(float(side) for side in box)))
        self.take((left - CLEAR, bottom - CLEAR, right + CLEAR, top + CLEAR))


def high_of(lines):
    return sum(points for _, points, _ in lines) * BLOCK_LEADING * MM_PER_POINT


def size_of(lines, type_):
    """Return width and height of a label in millimetres."""
    return max(type_.width(text, points, bold) for text, points, bold in lines), high_of(lines)


def boxes_about(x, y, wide, high):
    """Return boxes about places, arrays of millimetres, as an array n x 4."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], axis=-1)


def name_lines(name, points, type_, most=None, bold=False):
    """Return a name as lines of a label, broken where it is wider than ``most`` mm, in three lines at most."""
    name = plain(name)
    if most is None or type_.width(name, points, bold) <= most:
        return [(name, points, bold)]
    lines = wrapped(name, points, most, bold, type_)
    if len(lines) > NAME_LINES:
        rest = "".join(lines[NAME_LINES - 1 :])
        lines = [*lines[: NAME_LINES - 1], shortened(rest, points, most, bold, type_)]
    return [(line, points, bold) for line in lines]


def beside(labels, kind, x, y, clear, lines, colour, halo, *, polygon=None, always=False):
    """Write a label beside a point; return whether there was room.

    clear   mm between the point's middle and the label; polygon: in which the label should stand if it can
    always  write it where it hides least, even over others
    """
    wide, high = size_of(lines, labels.sheet.type)
    dx, dy = np.array(DIRECTIONS).T
    boxes = boxes_about(x + dx * (wide / 2 + clear), y + dy * (high / 2 + clear), wide, high)
    hits = labels.taken_by(boxes) + 9 * ~labels.on_map(boxes)
    outside = np.zeros(len(boxes))
    if polygon is not None:
        outside = 1 - shapely.area(shapely.intersection(shapely.box(*boxes.T), polygon)) / (wide * high)
    cost = 10 * hits + 3 * outside + np.arange(len(boxes)) / 10
    best = int(np.argmin(cost))
    if hits[best] and not always:
        return False
    labels.write(kind, boxes[best], lines, colour, halo, z=9.5)
    return True


def inside(labels, polygon, wide, high, step):
    """Return the free box of this size inside a polygon that is nearest to its middle; None if there is none."""
    west, south, east, north = polygon.bounds
    if wide > east - west or high > north - south:
        return None
    step = max(step, np.sqrt((east - west) * (north - south)) / 60)
    x, y = np.meshgrid(
        np.arange(west + wide / 2, east - wide / 2 + 0.01, step),
        np.arange(south + high / 2, north - high / 2 + 0.01, step),
    )
    heart = polygon.centroid
    order = np.argsort(np.hypot(x - heart.x, (y - heart.y) * 1.3), axis=None, kind="stable")
    boxes = boxes_about(x.ravel()[order], y.ravel()[order], wide, high)
    boxes = boxes[labels.on_map(boxes)]
    boxes = boxes[labels.taken_by(boxes) == 0] if len(boxes) else boxes
    shapely.prepare(polygon)
    for first in range(0, len(boxes), AT_ONCE):
        part = boxes[first : first + AT_ONCE]
        fits = np.flatnonzero(shapely.contains(polygon, shapely.box(*part.T)))
        if len(fits):
            return part[fits[0]]
    return None


def in_counties(labels, counties, sizes, step, brief=False):
    """Write name and figure of each county inside it, as large as both fit; return the rows without a label.

    counties  (polygon, name, figure, fill) in the order in which they take their room
    sizes     points of the name, large to small; a figure is set as large as its name
    brief     rather the name alone than nothing
    """
    left_out = []
    type_ = labels.sheet.type
    for polygon, name, figure, fill in counties:
        for lines in _tries(plain(name), figure, sizes, type_, brief):
            box = inside(labels, polygon, *size_of(lines, type_), step)
            if box is not None:
                labels.write("county", box, lines, theme.text_on(fill), fill)
                break
        else:
            left_out.append((polygon, name, figure, fill))
    return left_out


def _tries(name, figure, sizes, type_, brief):
    for points in sizes:
        below = [(figure, points, True)] if figure else []
        yield [(name, points, False), *below]
        if len(name) > LONG and (" " in name or name[0] >= CHINESE):  # a Latin word is not broken
            half = type_.width(name, points) * 0.55
            yield [*name_lines(name, points, type_, half), *below]
    if brief:
        yield [(name, sizes[-1], False)]


def at_least(labels, counties, points, step):
    """Write the figure alone, or else the name, inside a county that has no label yet; return those still bare."""
    left_out = []
    for row in counties:
        polygon, name, figure, fill = row
        for text, bold in ((figure, True), (plain(name), False)):
            box = inside(labels, polygon, *size_of([(text, points, bold)], labels.sheet.type), step) if text else None
            if box is not None:
                labels.write("county", box, [(text, points, bold)], theme.text_on(fill), fill)
                break
        else:
            left_out.append(row)
    return left_out


def on_leaders(labels, counties, area, points, reach, step):
    """Write what did not fit inside somewhere near, led to by a line; return the rows that found no room there either.

    area   where labels should rather not stand, in mm
    reach  mm, the longest leader
    """
    left_out, leaders = [], []
    type_ = labels.sheet.type
    turns = np.linspace(0, 2 * np.pi, TURNS, endpoint=False)
    far, turn = (grid.ravel() for grid in np.meshgrid(np.arange(step, reach, step), turns, indexing="ij"))
    shapely.prepare(area)
    for polygon, name, figure, fill in counties:
        lines = [*name_lines(name, points, type_, NAME_WIDE), *([(figure, points, True)] if figure else [])]
        wide, high = size_of(lines, type_)
        wide, high = wide + 1.4, high + 0.8
        start = polygon.representative_point()
        x = start.x + far * np.cos(turn) + np.cos(turn) * wide / 2
        y = start.y + far * np.sin(turn) + np.sin(turn) * high / 2
        boxes = boxes_about(x, y, wide, high)
        over = shapely.contains_xy(area, boxes[:, [0, 0, 2, 2]], boxes[:, [1, 3, 1, 3]]).mean(axis=1)
        free = labels.on_map(boxes) & (labels.taken_by(boxes) == 0)
        cost = far + reach * 0.6 * over
        order = np.flatnonzero(free)[np.argsort(cost[free], kind="stable")]
        found = _led(labels, start, boxes[order], leaders)
        if found is None:
            left_out.append((polygon, name, figure, fill))
            continue
        box, leader, strips = found
        sheet = labels.sheet
        sheet.shape(shapely.box(*box), fill=theme.PAPER, edge=theme.LINE_CITY, width=0.3, z=8.6)
        sheet.rule(list(leader.coords), 0.45, theme.INK, z=8.5, name="leader")
        sheet.signs([start.x], [start.y], "circle", 1.8, theme.INK, theme.PAPER, 0.3, z=8.7)
        labels.write("leader", box, lines, theme.INK, None)
        labels.take(strips)
        leaders.append(leader)
    return left_out


def _led(labels, start, boxes, leaders):
    """Return (box, leader, its strips) of the first box to which a line from a county hits no label and no other line.

    boxes  array n x 4, the best place first; None where there is none
    """
    begin = np.array([start.x, start.y])
    for some in np.array_split(boxes, range(LED_AT_ONCE, len(boxes), LED_AT_ONCE)):
        ends = np.stack([np.clip(begin[0], some[:, 0], some[:, 2]), np.clip(begin[1], some[:, 1], some[:, 3])], axis=-1)
        lines = shapely.linestrings(np.stack([np.broadcast_to(begin, ends.shape), ends], axis=1))
        strips, counts = _strips(begin, ends)
        hit = labels.taken_by(strips.reshape(-1, 4)).reshape(strips.shape[:2]) > 0
        free = ~(hit & counts).any(axis=1)
        if leaders:
            free &= ~shapely.intersects(lines[:, None], np.array(leaders)).any(axis=1)
        if free.any():
            first = free.argmax()
            return some[first], lines[first], strips[first][counts[first]]
    return None


def _strips(begin, ends):
    """Return the boxes that lines from ``begin`` to each of ``ends`` are made of, n x k x 4, and which of them count.

    Symbols around a line's own beginning do not count, unless the line is no longer than they are.
    """
    way = ends - begin
    pieces = np.maximum((np.hypot(*way.T) / STRIP).astype(int), 1)[:, None]
    steps = np.arange(pieces.max())
    points = [begin + way[:, None] * (np.minimum(steps + n, pieces) / pieces)[..., None] for n in (0, 1)]
    strips = np.concatenate([np.minimum(*points) - LEADER_CLEAR, np.maximum(*points) + LEADER_CLEAR], axis=-1)
    real = steps < pieces
    beyond = real & (np.hypot(*np.moveaxis(points[1] - begin, -1, 0)) >= OWN_SYMBOL)
    last = steps == pieces - 1
    return strips, np.where(beyond.any(axis=1, keepdims=True), beyond, last)
