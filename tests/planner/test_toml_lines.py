"""The line of every key: against texts whose lines are counted on paper, and against generated ones."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.toml_lines import key_lines


def paths(content, before=()):
    """Yield the path of every key and array element that a reader of TOML finds."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*before, key))


def test_headers_dotted_keys_inline_tables_and_arrays():
    text = """# a comment = 1
title = "a # b" # [not.a.table]

[beds]
reach_km = 30
targets = { 141100 = 6.0, "140200" = 1 }
[beds . 'x y']
a.b.c = [ # the first element stands below
  1, "]",

  { q = [2] },
]
"""
    assert key_lines(text) == {
        ("title",): 2,
        ("beds",): 4,
        ("beds", "reach_km"): 5,
        ("beds", "targets"): 6,
        ("beds", "targets", "141100"): 6,
        ("beds", "targets", "140200"): 6,
        ("beds", "x y"): 7,
        ("beds", "x y", "a"): 8,
        ("beds", "x y", "a", "b"): 8,
        ("beds", "x y", "a", "b", "c"): 8,
        ("beds", "x y", "a", "b", "c", 0): 9,
        ("beds", "x y", "a", "b", "c", 1): 9,
        ("beds", "x y", "a", "b", "c", 2): 11,
        ("beds", "x y", "a", "b", "c", 2, "q"): 11,
        ("beds", "x y", "a", "b", "c", 2, "q", 0): 11,
    }


@pytest.mark.parametrize(
    "value",
    [
        '"""\n]\n"""',
        '"""a ""quoted"" b"""',
        '"""ends in quotes"""""',
        '"""escaped \\""" still inside"""',
        "'''\\'''",
        "''''quoted''''",
        '"\\\\"',
        "'\\'",
        '""',
        '["a,b", "]", [[], {}], ]',
        "{ a = { b = '}' }, c = [1, 2] }",
        "1979-05-27 07:32:00Z",
        "-1e-3",
        "0xdead_beef",
    ],
)
def test_no_value_hides_the_key_after_it(value):
    text = f"first = {value} # c\nlast = 1"
    assert set(tomllib.loads(text)) == {"first", "last"}
    assert key_lines(text)[("last",)] == text.count("\n") + 1


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_both_line_endings_count_alike(ending):
    assert key_lines(ending.join(["", "[a]", "b = 1"])) == {("a",): 2, ("a", "b"): 3}


def test_an_escaped_key_is_read_as_toml_reads_it():
    assert key_lines('"\\u0061b"."c\\"d" = 1') == {("ab",): 1, ("ab", 'c"d'): 1}


def quoted(text):
    return (
        '"' + "".join(f"\\U{ord(sign):08X}" if not (sign.isalnum() and sign.isascii()) else sign for sign in text) + '"'
    )


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
scalars = st.one_of(
    st.integers(-99, 99).map(str), st.booleans().map(lambda b: str(b).lower()), words.map(quoted), st.just("'[{#'")
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: "[\n" + ",\n".join(parts) + " ]"),
        st.dictionaries(words, inner.filter(lambda text: "\n" not in text), max_size=3).map(
            lambda table: "{ " + ", ".join(f"{quoted(key)} = {value}" for key, value in table.items()) + " }"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(words, values, max_size=5), st.lists(st.sampled_from(["", "# x = 1", "   "]), max_size=3))
def test_every_key_of_a_valid_text_has_its_line(table, between):
    text, lines = "", {}
    for key, value in table.items():
        text += "".join(line + "\n" for line in between)
        lines[(key,)] = text.count("\n") + 1
        text += f"{quoted(key)} = {value}\n"
    found = key_lines(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    assert {path: line for path, line in found.items() if len(path) == 1} == lines
