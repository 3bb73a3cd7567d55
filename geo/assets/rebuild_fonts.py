"""Remake ``fonts/``: the two cuts of Noto Sans SC that the print map embeds, no larger than they need to be.

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3      # Google's static TrueType cuts, OFL 1.1; unpack it
    apt-get install unicode-data                        # Unihan 15: which characters the national list holds (kTGH)
    pip install "jinyi[rebuild]"
    python geo/assets/rebuild_fonts.py package/400Regular/*.ttf package/700Bold/*.ttf \\
        /usr/share/unicode/Unihan_OtherMappings.txt.bz2

TrueType outlines, because matplotlib embeds those (and not CFF outlines) in a PDF as text that can be searched and
copied.

Regular holds the 8,105 characters of the Table of General Standard Chinese Characters (通用规范汉字表, 2013), whose
third level is there for the names of places and people; the bold cut holds GB 2312's first level, 3,755 characters.
Both hold whatever else stands in this repository's tables, words and scenarios, and the Latin letters and signs below.
``ᵐ ᵃ ✗`` are not in Noto Sans SC and are made here from m, a and ×.

Copyright 2014-2021 Adobe, SIL Open Font License 1.1 (``fonts/LICENSE``), which allows subsets and changes. The one
reserved font name, 'Source', is not used.
"""

import argparse
import bz2
from pathlib import Path

from fontTools import subset
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
HOUSE = Path(__file__).parents[2]
RANGES = (
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x17F),  # Latin-1 and Latin Extended-A: pinyin's first and fourth tones, × · ± ² ³
    (0x1CD, 0x1DC),  # pinyin's third tones
    (0x391, 0x3C9),  # Greek
    (0x2010, 0x203B),  # dashes, quotation marks, … ‰ ※
    (0x2070, 0x2089),  # superscript and subscript digits
    (0x2100, 0x214F),  # ℃ № ™
    (0x2160, 0x217B),  # Ⅰ Ⅻ
    (0x2190, 0x2199),  # arrows
    (0x2200, 0x22FF),  # − ∑ √ ≈ ≠ ≤ ≥
    (0x2460, 0x2473),  # ① to ⑳
    (0x25A0, 0x25FF),  # ■ ▲ ● ◇ ○
    (0x2605, 0x2606),  # ★ ☆
    (0x2713, 0x2717),  # ✓
    (0x3000, 0x301F),  # CJK punctuation
    (0x3380, 0x33DF),  # ㎞ ㎡
    (0xFF01, 0xFF5E),  # full-width forms
    (0xFFE0, 0xFFE6),  # ￥
)
MADE = {0x1D50: ("m", 0.6, 340), 0x1D43: ("a", 0.6, 340), 0x2717: ("×", 1.25, -70)}  # code: from, scale, raised by
TABLES = ("csv", "toml")


def standard_characters(unihan):
    """Return the characters of the Table of General Standard Chinese Characters, by Unihan's field kTGH."""
    opened = bz2.open if unihan.suffix == ".bz2" else open
    with opened(unihan, "rt", encoding="utf-8") as lines:
        return {chr(int(line.split("\t")[0][2:], 16)) for line in lines if "\tkTGH\t" in line}


def gb2312_level_one():
    """Return the 3,755 characters in rows 16 to 55 of GB 2312, the ones in daily use."""
    cells = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return set(b"".join(cells).decode("gb2312", errors="ignore"))


def house_characters():
    """Return every character in the repository's tables, words and scenarios."""
    folders = (HOUSE / "geo", HOUSE / "planner", HOUSE / "scenarios")
    files = (file for folder in folders for ending in TABLES for file in folder.rglob(f"*.{ending}"))
    return {character for file in files for character in file.read_text(encoding="utf-8-sig")}


def cut(source, characters, target):
    """Write to ``target`` the glyphs of ``characters`` that ``source`` has, without hints, and the made signs."""
    options = subset.Options(
        hinting=False,
        layout_features=["kern"],
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 7, 13, 14],
        notdef_outline=True,
        recalc_timestamp=False,
    )
    options.drop_tables += ["BASE", "GDEF", "STAT", "gasp", "prep", "vhea", "vmtx"]
    font = TTFont(source, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    # The fullest character map is enough; another beside it would only be read once more for each sheet.
    font["cmap"].tables = [max(font["cmap"].tables, key=lambda table: (len(table.cmap), table.platformID))]
    for code, (base, scale, raised) in MADE.items():
        add_scaled(font, code, base, scale, raised)
    subset.save_font(font, target, options)
    print(f"{target.name}: {len(font.getBestCmap()):,} characters, {target.stat().st_size:,} bytes")


def add_scaled(font, code, base, scale, raised):
    """Add the character ``code`` as the glyph of ``base``, scaled and raised (in font units)."""
    source = font.getBestCmap()[ord(base)]
    name = f"uni{code:04X}"
    pen = TTGlyphPen(font.getGlyphSet())
    pen.addComponent(source, (scale, 0, 0, scale, 0, raised))
    glyph = pen.glyph()
    width, left = font["hmtx"][source]
    font["glyf"][name] = glyph
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (round(width * scale), round(left * scale))
    for table in font["cmap"].tables:
        table.cmap[code] = name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("regular", "bold", "unihan"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    common = {chr(code) for first, last in RANGES for code in range(first, last + 1)} | house_characters()
    cut(given.regular, common | standard_characters(given.unihan), FONTS / "NotoSansSC-Regular.ttf")
    cut(given.bold, common | gb2312_level_one(), FONTS / "NotoSansSC-Bold.ttf")


if __name__ == "__main__":
    main()
