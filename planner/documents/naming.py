"""How files that are handed over are called: code, area, number and title, as the draft rules for plans have it."""

import re

from planner.report.tables import clean_text

PROVINCE_DIGITS = 6  # of a code; the province's own ends with zeros
UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
LONGEST = 90  # bytes of a place or a title: both in one name are less than what every system takes


def stem(source, code, number, title):
    """Return the name of a file without its ending: ``140400长治市03床位变化``.

    source  :class:`planner.documents.source.Source`; code: 6 digits of the province, a city or a county;
    number  1 to 99; title: text, of which what no file system takes is left out
    """
    whole = code == province_code(source) and source.words.lang != "zh"
    area = source.words("export.province") if whole else source.names[code]
    return f"{code}{fit(area)}{number:02d}{fit(title)}"


def province_code(source):
    """Return the 6 digits of the region as a whole."""
    return str(source.region.province.index[0]).ljust(PROVINCE_DIGITS, "0")


def fit(text):
    """Return text as a part of a file's name."""
    whole = UNFIT.sub("", clean_text(text)).strip(" .").encode()[:LONGEST]
    return whole.decode(errors="ignore").rstrip(" .")
