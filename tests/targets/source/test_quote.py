"""Literals, names and docstrings: whatever goes in comes out of Python's own parser unchanged."""

from __future__ import annotations

import ast
import keyword
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec.targets.source import quote

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(), inner, max_size=2)
    ),
)


@given(PLAIN)
def test_a_literal_is_its_value(value: Any) -> None:
    assert repr(ast.literal_eval(quote.literal(value))) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-5, "1e-5"),
        (1e22, "1e22"),
        (-0.0, "-0.0"),
        (float("inf"), 'float("inf")'),
        (float("-inf"), 'float("-inf")'),
        (True, "True"),
        ((3,), "(3,)"),
        ('say "x"', "'say \"x\"'"),
        ("\x00\u202e\ud800\U000e0001", '"\\x00\\u202e\\ud800\\U000e0001"'),
    ],
)
def test_literals_as_a_person_writes_them(value: Any, text: str) -> None:
    assert quote.literal(value) == text


def test_nan_and_unknown_things() -> None:
    assert math.isnan(eval(quote.literal(math.nan)))
    with pytest.raises(TypeError):
        quote.literal(object())


@given(st.text())
def test_a_docstring_ends_where_it_should(text: str) -> None:
    lines = quote.docstring(text, "    ")
    source = "\n".join(["def f():", *lines, "    return 1"])
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == (2 if lines else 1)


@pytest.mark.parametrize("text", ['x """ y', 'ends with "', "ends with \\", '"""', "\\N{x}", "tab\tand\x0bmore"])
def test_a_docstring_says_its_text(text: str) -> None:
    module = ast.parse("\n".join(quote.docstring(text)))
    said = ast.get_docstring(module, clean=False)
    assert said is not None
    assert said.replace("\\x0b", "\x0b").split() == text.split()


@given(st.text(), st.sets(st.sampled_from(["x", "y", "class_", "x_", "n1"])))
def test_an_identifier_is_one_and_free(text: str, taken: set[str]) -> None:
    name = quote.identifier(text, taken)
    assert name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and name not in taken
    assert not name.startswith("__")


@given(st.lists(st.text(max_size=4), max_size=12, unique=True))
def test_names_are_never_shared(wanted: list[str]) -> None:
    names = quote.Names(("self",))
    given_names = [names.of(key, key) for key in wanted]
    assert len(set(given_names)) == len(wanted)
    assert given_names == [names.of(key, key) for key in wanted]
    assert "self" not in given_names


def test_an_inner_scope_leaves_the_outer_names_alone() -> None:
    outer = quote.Names()
    outer.fresh("x")
    assert outer.inner().fresh("x") != "x"


@given(st.text())
def test_a_comment_is_only_a_comment(text: str) -> None:
    assert ast.parse("\n".join(quote.comment(text))).body == []
