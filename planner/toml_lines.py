"""Where each key of a TOML text stands: the standard library reads TOML without lines, and a message needs them."""

import string
import tomllib

BARE = frozenset(string.ascii_letters + string.digits + "-_")
NEWLINES_AND_BLANKS = " \t\r\n"


def key_lines(text):
    """Return {path: line} of every table header, key and array element of ``text``, which tomllib must accept.

    A path is a tuple of keys, an array element its position: ``("beds", "targets", "141100")``, ``("closed", 2)``.
    Lines count from 1. The first mention wins, so a table is where its header stands.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """A walk over a valid TOML text that remembers only where things begin."""

    def __init__(self, text):
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines = {}

    def document(self):
        table = ()
        while self._skip_to_statement():
            if self.text[self.at] == "[":
                array = self.text.startswith("[[", self.at)
                self.at += 2 if array else 1
                table = self._key_path(())
                self.at += 2 if array else 1
            else:
                self._pair(table)

    def _pair(self, table):
        path = self._key_path(table)
        self.at += 1  # the equals sign
        self._value(path)

    def _key_path(self, table):
        """Walk ``a . "b" . c`` up to the sign that ends it; note each prefix at this line."""
        path = table
        while True:
            self._blanks()
            path += (self._key(),)
            self.lines.setdefault(path, self._line())
            self._blanks()
            if self.text[self.at] != ".":
                return path
            self.at += 1

    def _key(self):
        start = self.at
        if self.text[start] in "\"'":
            self._string()
            return next(iter(tomllib.loads(self.text[start : self.at] + " = 0")))
        while self.text[self.at] in BARE:
            self.at += 1
        return self.text[start : self.at]

    def _value(self, path):
        self._blanks()
        sign = self.text[self.at]
        if sign in "\"'":
            self._string()
        elif sign == "[":
            self._array(path)
        elif sign == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _array(self, path):
        self.at += 1
        position = 0
        while self._skip_in_brackets() != "]":
            self.lines.setdefault((*path, position), self._line())
            self._value((*path, position))
            position += 1
        self.at += 1

    def _inline_table(self, path):
        self.at += 1
        while self._skip_in_brackets() != "}":
            self._pair(path)
        self.at += 1

    def _string(self):
        """Step over a string of any of the four kinds."""
        quote = self.text[self.at]
        fence = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(fence)
        while not self.text.startswith(fence, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(fence)
        if len(fence) == 3:  # up to two quotes may stand before the closing fence
            while self.at < len(self.text) and self.text[self.at] == quote:
                self.at += 1

    def _skip_in_brackets(self):
        while self.text[self.at] in NEWLINES_AND_BLANKS + ",#":
            self._comment_or_sign()
        return self.text[self.at]

    def _skip_to_statement(self):
        while self.at < len(self.text) and self.text[self.at] in NEWLINES_AND_BLANKS + "#":
            self._comment_or_sign()
        return self.at < len(self.text)

    def _comment_or_sign(self):
        end = self.text.find("\n", self.at) if self.text[self.at] == "#" else self.at + 1
        self.at = len(self.text) if end < 0 else end

    def _blanks(self):
        while self.text[self.at] in " \t":
            self.at += 1

    def _line(self):
        return self.text.count("\n", 0, self.at) + 1
