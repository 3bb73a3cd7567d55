"""The one place words come from: one catalogue file per language, shared by command line, page, maps and documents."""

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")


class Words:
    """Callable catalogue of one language: ``words("beds.now")`` or ``words("run.people", persons=3)``."""

    def __init__(self, lang, entries):
        self.lang = lang
        self._entries = entries

    def __reduce__(self):
        return load_words, (self.lang,)  # another process has the catalogue itself

    def __call__(self, key, /, **params):
        """Return the text of ``key``, its ``{placeholders}`` filled. Raises KeyError for a key that is not there."""
        text = self._entries[key]
        return text.format(**params) if params else text

    def __contains__(self, key):
        return key in self._entries

    def keys(self):
        return self._entries.keys()

    def section(self, name):
        """Return the entries below ``name`` as a dict keyed by the rest of their key."""
        return {key[len(name) + 1 :]: text for key, text in self._entries.items() if key.startswith(name + ".")}


def flat(table, prefix=""):
    """Yield (dotted key, value) of nested TOML tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


@cache
def load_words(lang="zh"):
    """Return the :class:`Words` of ``lang`` (``zh`` or ``en``). Raises ValueError for another language."""
    if lang not in LANGUAGES:
        raise ValueError(f"language {lang!r} is not one of {', '.join(LANGUAGES)}")
    text = (Path(__file__).parent / f"{lang}.toml").read_text(encoding="utf-8")
    return Words(lang, dict(flat(tomllib.loads(text))))
