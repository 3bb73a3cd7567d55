"""Charts in the house's look, one picture a file: the same figures give the same bytes."""

import threading

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geo import theme
from geo.press import chosen_face, face, plain, wrapped
from planner.report.summary import thousands
from planner.report.tables import rounded

CURVE = "curve.png"
DPI = 200
NOTE_WIDE = 188  # mm of a sheet of 203
_ONE_AT_A_TIME = threading.Lock()  # matplotlib is not safe for threads


def draw_chart(path, draw, *, title, about, note):
    """Write a PNG: ``draw(axes)`` below a title and a line about it, above a note."""
    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()  # a planner's own settings change nothing
        figure = Figure(figsize=(8, 5), facecolor=theme.PAPER)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.085, 0.19, 0.87, 0.6), facecolor=theme.PAPER)
        draw(axes)
        write(figure, 0.03, 0.93, title, theme.PRINT_TYPE["title"] - 3, bold=True)
        write(figure, 0.03, 0.87, about, theme.PRINT_TYPE["subtitle"], theme.QUIET)
        for n, line in enumerate(wrapped(note, theme.PRINT_TYPE["small"], NOTE_WIDE)[::-1]):
            write(figure, 0.03, 0.03 + 0.028 * n, line, theme.PRINT_TYPE["small"], theme.QUIET)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Title": plain(title), "Software": None})


def frame(axes, across, upwards):
    """Draw grid, axes and their names; ``across`` and ``upwards`` are what they count."""
    axes.grid(color=theme.LINE_COUNTY, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(theme.LINE_CITY)
    regular = face("Regular").properties
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(regular)
        label.set_fontsize(8)
        label.set_color(theme.INK)
    for name, said in ((axes.set_xlabel, across), (axes.set_ylabel, upwards)):
        name(printable(said), fontproperties=regular, fontsize=9, color=theme.INK)


def write(on, x, y, text, points, colour=theme.INK, *, bold=False, data=False):
    """Write one line on a figure (shares of it) or, with ``data``, at a place of its axes."""
    text = printable(text)
    how = {"fontproperties": chosen_face(text, bold).properties, "fontsize": points, "color": colour}
    ground = {"bbox": {"facecolor": theme.PAPER, "edgecolor": "none", "pad": 1.5}} if data else {}
    on.text(x, y, text, parse_math=False, zorder=5, **how, **ground)


def printable(text):
    """Return a text with "□" for every sign that the shipped type lacks."""
    known = face("Regular").advances
    return "".join(sign if sign in known else "□" if "□" in known else "?" for sign in plain(text))


def draw_curve(curve, title, rule, path, words):
    """Draw the coverage curve of a plan, its bound and its knee."""
    count, share = curve["stations"].to_numpy(), curve["share"].to_numpy()
    persons = curve["persons"].to_numpy()
    bound = curve["bound"].to_numpy() * share[-1] / max(persons[-1], 1)

    def draw(axes):
        # As many people at the end of the curve as its share says: so the bound is in shares too.
        axes.fill_between(count, share, bound, color=theme.ACCENT, alpha=0.18, linewidth=0, zorder=2)
        axes.plot(count, share, color=theme.ACCENT, linewidth=2.2, marker="o", markersize=4, zorder=3)
        low = 10 * int(share.min() // 10)
        axes.set_ylim(low, 101)
        axes.set_xlim(count[0] - 4, count[-1] + 10)
        axes.set_xticks(count[:: 1 + len(count) // 16])
        frame(axes, words("report.curve_stations"), words("report.curve_share"))
        for n in curve.index[curve["knee"].eq("yes")]:
            axes.plot([count[n]], [share[n]], marker="o", markersize=9, color=theme.ALARM, zorder=4)
            axes.plot(
                [count[n]] * 2, [low, share[n]], color=theme.ALARM, linewidth=0.8, linestyle=(0, (3, 2)), zorder=2
            )
            said = words("report.curve_knee", stations=thousands(count[n]), share=f"{rounded(share[n], 1)}%")
            write(axes, count[n] + 5, share[n] - 2.5, said, 10, theme.ALARM, bold=True, data=True)

    draw_chart(path, draw, title=title, about=words("report.curve_about"), note=rule)
