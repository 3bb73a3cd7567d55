"""The browser map: a view goes in, a Folium map or one HTML file that asks nothing of any network comes out.

Everything is computed first (:mod:`geo.map_payload`: classes, unions of circles, places of names, figures as text).
``assets/map/map.js`` only draws. Names from data are text at every door: :func:`geo.margin.text` for what stands in the
HTML, :func:`data_json` for what the script reads, and the script itself writes them by ``textContent``.

A page shows the same map in a frame (:func:`frame_html`) that is loaded once and then handed one :class:`Sheet` after
another, so that a new result is drawn in place.
"""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import folium
from branca.element import Element
from jinja2 import Template

from geo import theme
from geo.map_payload import (
    coverage_classes,
    coverage_payload,
    difference_classes,
    difference_payload,
    plan_classes,
    plan_payload,
)
from geo.map_views import CoverageView, DifferenceView, MapView
from geo.margin import coverage_margin, difference_margin, margin_html, text
from geo.words import load_words

FRAME = '<div id="words"></div>\n<p id="mode" aria-live="polite" hidden></p>\n'
ASSETS = Path(__file__).parent / "assets"
ARMOUR = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'`${}\u2028\u2029\x7f"}
TIANDITU = tuple(f"https://t{number}.tianditu.gov.cn" for number in range(8))
KINDS = {  # view -> its name, its classes, its payload, its margin
    MapView: ("plan", plan_classes, plan_payload, margin_html),
    DifferenceView: ("difference", difference_classes, difference_payload, difference_margin),
    CoverageView: ("coverage", coverage_classes, coverage_payload, coverage_margin),
}


@dataclass(frozen=True)
class Sheet:
    """What a frame draws: plain text, ready to be sent, and quickly made.

    kind     "plan" | "difference" | "coverage"
    margin   HTML, every name in it escaped
    payload  JSON, safe in a script as well
    extent   the province by its bounds: maps of the same one show the same place
    """

    kind: str
    lang: str
    title: str
    margin: str
    payload: str
    extent: str


def payload_of(view):
    """Return all that the script draws of a view of any kind, as plain lists and dicts; shapes in it are shared."""
    _, classes, payload, _ = KINDS[type(view)]
    return payload(view, *classes(view))


def sheet_of(view, tiles=False):
    """Return the :class:`Sheet` of a view of any kind; ``tiles``: its frame has base tiles to switch on."""
    kind, classes, payload, margin = KINDS[type(view)]
    classed = classes(view)
    drawn = payload(view, *classed)
    extent = drawn["place"].split("-", 2)[2]
    return Sheet(kind, view.words.lang, view.title, margin(view, *classed, tiles=tiles), data_json(drawn), extent)


def sheet_in(page):
    """Return the :class:`Sheet` of a document made by :func:`map_html` and its like. Raises ValueError for another."""
    payload = re.search(r"drawPlan\(map_plan, (\{.*\})\);", page)
    margin = re.search(r'<aside id="margin">.*</section>(?=\n)', page, flags=re.DOTALL)
    title, lang = re.search(r"<title>(.*?)</title>", page), re.search(r'<html lang="(\w+)', page)
    if not (payload and margin and title and lang):
        raise ValueError("not a document of a map")
    place = json.loads(payload[1])["place"].split("-", 2)
    kind = {"map": "plan"}.get(place[1], place[1])
    return Sheet(kind, lang[1], html.unescape(title[1]), margin[0], payload[1], place[2])


def plan_map(view):
    """Return the Folium map of a :class:`MapView`; it has no jQuery, Bootstrap, icon font, tile or outside address."""
    return _drawn(view)


def difference_map(view):
    """Return the Folium map of a :class:`DifferenceView`, of the same extent, look and classes as the plans' maps."""
    return _drawn(view)


def coverage_map(view):
    """Return the Folium map of a :class:`CoverageView`, of the same extent and look as the plans' maps."""
    return _drawn(view)


def _drawn(view):
    west, south, east, north = view.province.total_bounds
    sheet = sheet_of(view)
    middle = [round((south + north) / 2, 4), round((west + east) / 2, 4)]
    return _map(middle, sheet.title, _Plate(sheet.margin, f"drawPlan(map_plan, {sheet.payload});"))


def _map(middle, title, plate):
    plan = folium.Map(
        location=middle,
        zoom_start=7,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.1,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        max_zoom=13,
    )
    plan._id = "plan"  # folium's own is random; with this the same plan has the same bytes
    plan.default_js, plan.default_css = [], []
    plan.add_child(plate)
    plan.get_root().title = text(title)
    return plan


def map_html(view):
    """Return the map of a plan as one HTML document that makes no request."""
    return _document(plan_map(view), view.words)


def difference_html(view):
    """Return the map of a :class:`DifferenceView` as one HTML document that makes no request."""
    return _document(difference_map(view), view.words)


def coverage_html(view):
    """Return the map of a :class:`CoverageView` as one HTML document that makes no request."""
    return _document(coverage_map(view), view.words)


@cache
def frame_html(lang, tiles_key=None):
    """Return the empty document of a frame, which waits for its page to hand it a :class:`Sheet`.

    tiles_key  of Tianditu, letters and digits: with it alone the frame can show its base tiles, and its policy admits
               pictures of those hosts; without it the frame asks for nothing. No exported map ever has it.
    """
    words = load_words(lang)
    if tiles_key is None:
        return _document(_map([0, 0], "", _Plate(FRAME, "attendPage(map_plan);", "map/frame")), words)
    if not re.fullmatch(r"[0-9A-Za-z]{1,64}", tiles_key):
        raise ValueError("a key of Tianditu is letters and digits")
    plate = _Plate(FRAME, f"attendPage(map_plan, tianditu({data_json(tiles_key)}));", "map/frame", "map/tiles")
    return _document(_map([0, 0], "", plate), words, TIANDITU)


def _document(drawn, words, pictures=()):
    """Return a map as a document: scripts and styles stand in it, all else is forbidden but the hosts of ``pictures``.

    Its content security policy admits the document's own scripts by their hashes, so that no other can run in it.
    """
    page = drawn.get_root().render()
    opening = "<html>\n<head>\n"
    if opening not in page:
        raise RuntimeError("branca's page no longer opens as expected: its security policy would be lost")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    images = " ".join(["img-src data:", *pictures])
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; {images}; base-uri 'none'"
    head = f'<html lang="{text(words("map.html_lang"))}">\n<head>\n<meta charset="utf-8">\n'
    head += f'<meta http-equiv="Content-Security-Policy" content="{policy}; form-action \'none\'">\n'
    return page.replace(opening, head, 1)


def data_json(value):
    r"""Return ``value`` as JSON that is safe in a script: ``< > & ' ` $ { }`` and line ends become ``\uXXXX``."""
    dumped = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda string: string[0].translate(ARMOUR), dumped)


def _digest(script):
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _Text(Element):
    """Ready text put into a page as it is. (branca's own Element would read it as a Jinja template.)"""

    _template = Template("{{ this.content }}")

    def __init__(self, content):
        super().__init__()
        self.content = content


class _Plate(Element):
    """The plan's own part of the page: its styles, its margin of words, and the call that draws it.

    more  assets beside those of every map, without their endings; a style sheet of one is taken if it is there
    """

    def __init__(self, margin, call, *more):
        super().__init__()
        self._name = "Plate"
        self.margin, self.call, self.more = margin, call, more

    def render(self, **kwargs):
        figure = self.get_root()
        style = _inline("leaflet/leaflet.css") + _variables() + _inline("map/map.css")
        style += "".join(_inline(f"{name}.css") for name in self.more if (ASSETS / f"{name}.css").is_file())
        scripts = [_inline(f"{name}.js") for name in ("leaflet/leaflet", "map/map", *self.more)]
        script = "</script>\n<script>".join(scripts)
        figure.header.add_child(_Text(f"<style>{style}</style>\n<script>{script}</script>"), name="plate")
        figure.html.add_child(_Text(self.margin), name="plate")
        figure.script.add_child(_Text(self.call), name="plate")


@cache
def _inline(name):
    """Return an asset for inlining: without the addresses of pictures and source maps, which nothing here uses."""
    asset = (ASSETS / name).read_text(encoding="utf-8")
    return re.sub(r"url\([^)]*\)", "none", re.sub(r"^//# sourceMappingURL=.*$", "", asset, flags=re.MULTILINE))


def _variables():
    colours = {"ink": theme.INK, "quiet": theme.QUIET, "county": theme.LINE_COUNTY, "ground": theme.GROUND}
    colours |= {"paper": theme.PAPER, "accent": theme.ACCENT, "alarm": theme.ALARM, "font": theme.FONT_SCREEN}
    sizes = {
        f"{name}-size" if name in ("city", "county") else name: f"{size}px" for name, size in theme.SCREEN_TYPE.items()
    }
    return ":root{" + "".join(f"--{name}:{value};" for name, value in (colours | sizes).items()) + "}\n"
