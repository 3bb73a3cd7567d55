"""What a terminal needs: columns that align in Chinese and English, and progress that stays out of the way."""

import sys
import time
import unicodedata

GAP = "  "
LINE_SECONDS = 5.0  # between two progress lines where the output is kept, in a log
REDRAW_SECONDS = 0.2  # between two redrawings of the one line of a terminal


class AskedWrong(Exception):
    """Something that cannot be done as asked: ``key`` below the class's ``section`` names the sentence. Exit code 2."""

    exit_code = 2
    section = ""

    def __init__(self, key, **params):
        self.key = key
        self.params = params
        super().__init__(f"{key} {params}".rstrip())

    def tell(self, words):
        """Return what is wrong and what to do, in the language of ``words``."""
        return words(f"{self.section}.{self.key}", **self.params)


def width(text):
    """Return how many terminal cells ``text`` takes: two for a Chinese sign, none for a combining one."""
    return sum(0 if unicodedata.combining(s) else 2 if unicodedata.east_asian_width(s) in "WF" else 1 for s in text)


def padded(text, cells, side="l"):
    """Return ``text`` filled with blanks to ``cells``; side l = text left, r = text right."""
    blanks = " " * (cells - width(text))
    return blanks + text if side == "r" else text + blanks


def table_lines(heads, rows, sides, total=False):
    """Return the lines of a table: heads, a rule, the rows; with ``total`` another rule before the last row.

    ``sides`` has one letter a column, l or r. The last column is not filled, so that no line ends in blanks.
    """
    cells = [max(width(row[column]) for row in [heads, *rows]) for column in range(len(heads))]

    def line(row):
        return GAP.join(padded(*each) for each in zip(row, cells, sides, strict=True)).rstrip()

    rule = "─" * (sum(cells) + len(GAP) * (len(cells) - 1))
    body = [line(row) for row in rows]
    if total:
        body.insert(-1, rule)
    return [line(heads), rule, *body]


def folded(parts, between, cells, indent):
    """Return ``parts`` one after the other, on lines of at most ``cells`` cells; further lines begin with blanks."""
    lines = [""]
    for part in parts:
        if lines[-1] and width(lines[-1] + between + part) > cells - indent:
            lines[-1] = (lines[-1] + between).rstrip()
            lines.append("")
        lines[-1] += (between if lines[-1] else "") + part
    return ("\n" + " " * indent).join(lines)


def paired(olds, news, between):
    """Return one text a row, "46,676 → 58,345", the two parts each aligned to the right down the column."""
    left, right = (max(map(width, texts), default=0) for texts in (olds, news))
    return [padded(old, left, "r") + between + padded(new, right, "r") for old, new in zip(olds, news, strict=True)]


class Progress:
    """Told the stage, its seconds and its gap; shows one moving line, or in a log a line every few seconds."""

    def __init__(self, words, stream=None):
        self._words = words
        self._stream = sys.stderr if stream is None else stream
        self._moving = self._stream.isatty()
        self._stage = None
        self._shown = time.monotonic()
        self._drawn = 0
        self._began = time.monotonic()
        self._counted = None

    def __call__(self, stage, seconds, gap=None, best=None):
        """Show where the work is. ``best`` is a value inside a reduced model, which would tell a planner nothing."""
        now = time.monotonic()
        wait = REDRAW_SECONDS if self._moving else LINE_SECONDS
        if now - self._shown < wait and not (self._moving and stage != self._stage):
            return
        self._stage, self._shown = stage, now
        text = self._said(stage, seconds, gap)
        if self._moving:
            self._draw(text)
        else:
            print(text, file=self._stream, flush=True)

    def count(self, stage, done, total):
        """Show how many pieces of a stage are done; ``total`` None where they are not counted."""
        self._counted = None if total is None else (done, total)
        self(stage, time.monotonic() - self._began)

    def clear(self):
        """Wipe the moving line, before something else is printed."""
        if self._drawn:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()

    def _draw(self, text):
        self._stream.write("\r" + padded(text, max(self._drawn, width(text))))
        self._stream.flush()
        self._drawn = width(text)

    def _said(self, stage, seconds, gap):
        known = [f"{section}.{stage}" for section in ("cli.stage", "report.stage", "export.stage", "value.model")]
        name = next((self._words(key) for key in known if key in self._words), stage)
        parts = [self._words("cli.progress", stage=name, seconds=f"{seconds:.0f}")]
        if gap is not None:
            parts.append(self._words("cli.progress_gap", gap=f"{gap:.2%}"))
        if self._counted is not None:
            parts.append(self._words("cli.progress_count", done=self._counted[0], total=self._counted[1]))
        return " · ".join(parts)
