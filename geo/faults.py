"""What is wrong with an input, told so that a planner can mend it: every fault at once, none of them a traceback."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Named:
    """A place as a message calls it in each language; a fault is told in whichever language is asked for."""

    zh: str
    en: str

    def __str__(self):
        return self.zh


@dataclass(frozen=True)
class Fault:
    """One fault of one input.

    ``key`` names a sentence of the word catalogue (section ``fault``); ``row`` is as an editor shows it.
    """

    key: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def tell(self, words):
        """Return the fault as one line: place, value, rule and remedy in the language of ``words``."""
        place = [self.file]
        if self.row is not None:
            place.append(words("fault.row", row=self.row))
        if self.column:
            place.append(words("fault.column", column=self.column))
        if self.value != "":
            place.append(words("fault.value", value=self.value))
        params = {key: _in_language(value, words.lang) for key, value in self.params.items()}
        said = words(f"fault.{self.key}", **params)
        where = " · ".join(part for part in place if part)
        return f"{where}: {said}" if where else said


def _in_language(value, lang):
    return getattr(value, lang) if isinstance(value, Named) else value


class Rejected(Exception):
    """Input that cannot be used. ``faults`` is never empty. Command line exit code 3."""

    exit_code = 3

    def __init__(self, faults):
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.file} row {f.row} {f.column} {f.value!r}: {f.key}" for f in self.faults[:5]))


class ScenarioRejected(Rejected):
    """A scenario file that cannot be used. Command line exit code 2."""

    exit_code = 2
