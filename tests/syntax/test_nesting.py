"""Depth is bounded: 50,000 levels of anything give one located error and no RecursionError."""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.limits import DEFAULT, Limits
from convspec.source import SourceFile, Span
from tests.syntax.helpers import errors, expression, file

DEEP = 50_000
LARGE = Limits(file_bytes=4_000_000)

EXPRESSIONS = {
    "parentheses": ("(", "1", ")"),
    "lists": ("[", "1", "]"),
    "not": ("not ", "a", ""),
    "minus": ("- ", "1", ""),
    "powers": ("2 ** ", "2", ""),
    "sums": ("1 + ", "1", ""),
    "products": ("1 * ", "1", ""),
    "disjunctions": ("a or ", "a", ""),
    "conditions": ("if c then a else ", "b", ""),
    "attributes": ("a", "", ".b"),
    "indices": ("a", "", "[0]"),
    "slices": ("a", "", "[..]"),
    "calls": ("f(", "", ")"),
    "named arguments": ("f(k = ", "1", ")"),
    "comprehensions": ("[x for x in ", "xs", "]"),
    "groups": ("x -> [", "x", "]"),
    "pipelines in arguments": ("x -> f(", "x", ")"),
    "braces in strings": ('"{', "x", '}"'),
}

STATEMENTS = {
    "loops": ("for a in b {\n", "", "}\n"),
    "branches": ("if a {\n", "", "}\n"),
    "else-if chains": ("if a { } else ", "{ }", ""),
    "blocks": ("block B(x: tensor) {\n", "", "}\n"),
    "models": ("model M {\n", "", "}\n"),
}


def of_depth(parts: tuple[str, str, str], depth: int) -> str:
    before, middle, after = parts
    if before in ("a",):  # a postfix: the base once
        return before + after * depth
    return before * depth + middle + after * depth


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_deep_expressions(kind: str) -> None:
    (error,) = errors(f"let A = {of_depth(EXPRESSIONS[kind], DEEP)}", LARGE)
    assert error.code == "CNN005"
    assert error.primary is not None


@pytest.mark.parametrize("kind", [kind for kind, (_, _, after) in EXPRESSIONS.items() if after])
def test_what_is_open_to_the_end_of_the_file(kind: str) -> None:
    """The same without its end: whatever is said first, it is said without a traceback."""
    before, _, _ = EXPRESSIONS[kind]
    assert errors(f"let A = {before * 5_000} 1 +")


@pytest.mark.parametrize("kind", STATEMENTS)
def test_deep_statements(kind: str) -> None:
    text = of_depth(STATEMENTS[kind], DEEP)
    if kind not in ("blocks", "models"):
        text = f"block B(x: tensor) {{\n{text}\n}}"
    codes = {error.code for error in errors(text, LARGE)}
    assert "CNN005" in codes or (kind == "models" and codes == {"CNN001"})


def test_deep_strings() -> None:
    inner = "(" * DEEP
    assert [error.code for error in errors(f'let A = "{{{inner}}}"')] == ["CNN005"]


def test_the_limit_is_exact() -> None:
    """`1 + 1` is two levels, in a `let` three."""
    limits = Limits(nesting=10)
    fits = "let A = " + "1 + " * 8 + "1"
    assert depth(file(fits, limits).items[0]) == 9
    assert errors(fits, limits) == []
    assert [error.code for error in errors("let A = " + "1 + " * 10 + "1", limits)] == ["CNN005"]


def test_no_tree_is_deeper_than_the_limit() -> None:
    """What the limit lets through, consumers may walk by recursion."""
    for parts in EXPRESSIONS.values():
        text, levels = "", 1
        while levels < 300 and not errors(f"let A = {of_depth(parts, levels)}"):
            text, levels = of_depth(parts, levels), levels + 13
        assert depth(file(f"let A = {text}").items[0]) <= DEFAULT.nesting


def test_a_deep_spec_that_is_allowed_elaborates() -> None:
    """A sum as long as the limit lets it be, and brackets as deep."""
    sum_ = " + ".join(["1"] * (DEFAULT.nesting - 4))
    nested = "(" * (DEFAULT.nesting - 4) + "1" + ")" * (DEFAULT.nesting - 4)
    text = f"let A = {sum_}\nlet B = {nested}\nmodel M {{ input x: float32[N, 3]\n output x -> linear(A + B) }}"
    module = loads(text)
    assert module.graph.nodes[0].attrs.features == DEFAULT.nesting - 4 + 1


def test_the_recursion_limit_is_left_alone() -> None:
    before = sys.getrecursionlimit()
    with pytest.raises(Failure):
        loads("let A = " + "(" * DEEP)
    assert sys.getrecursionlimit() == before


def test_a_long_pipeline_is_not_deep() -> None:
    pipeline = expression("x" + " -> relu" * 5000)
    assert depth(pipeline) <= 4


def depth(node: Any) -> int:
    """How many nodes lie on the longest way down, names and literals not counted; without recursion."""
    deepest, pending = 0, [(node, 0)]
    while pending:
        current, level = pending.pop()
        if isinstance(current, tuple):
            pending += [(item, level) for item in current]
        elif is_dataclass(current) and not isinstance(current, Span | SourceFile):
            inner = [getattr(current, field.name) for field in fields(current)]
            counted = level + any((is_dataclass(i) and not isinstance(i, Span)) or isinstance(i, tuple) for i in inner)
            deepest = max(deepest, counted)
            pending += [(i, counted) for i in inner]
    return deepest
