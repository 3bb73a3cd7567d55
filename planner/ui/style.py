"""The page's look: colours and type from geo.theme as CSS variables, and the style sheets that use them."""

from functools import cache
from pathlib import Path

from geo import theme

ASSETS = Path(__file__).parent / "assets"


@cache
def asset(name):
    """Return a style sheet or script of the page."""
    return (ASSETS / name).read_text(encoding="utf-8")


def variables():
    """Return the theme as CSS variables."""
    colours = {
        "ink": theme.INK,
        "quiet": theme.QUIET,
        "line": theme.LINE_COUNTY,
        "line-strong": theme.LINE_CITY,
        "ground": theme.GROUND,
        "paper": theme.PAPER,
        "accent": theme.ACCENT,
        "blank": theme.NO_DATA,
        "accent-tint": theme.tint(theme.ACCENT, 0.08),
        "alarm": theme.ALARM,
        "alarm-tint": theme.tint(theme.ALARM, 0.07),
        "font": theme.FONT_SCREEN,
    }
    return ":root{" + "".join(f"--jy-{name}:{value};" for name, value in colours.items()) + "}\n"


def page_css():
    """Return the style sheet of the page as a style element."""
    own = sorted(path.name for path in ASSETS.glob("page*.css"))
    return f"<style>{variables()}{''.join(map(asset, own))}</style>"


def icon():
    """Return the page's small picture, a white cross on teal, 32 pixels square: the stock one comes from elsewhere."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (32, 32), theme.ACCENT)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((7, 13, 24, 18), fill=theme.PAPER)
    draw.rectangle((13, 7, 18, 24), fill=theme.PAPER)
    return picture
