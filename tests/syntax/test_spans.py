"""Every node points at exactly its own text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from convspec.source import SourceFile, Span
from convspec.syntax import ast, parse
from tests.syntax.helpers import expression, file, statements
from tests.syntax.test_language import LENET, RESNET


def nodes(node: Any) -> Iterator[Any]:
    """Every node below and with `node`."""
    if isinstance(node, tuple):
        for item in node:
            yield from nodes(item)
    elif is_dataclass(node) and not isinstance(node, Span | SourceFile):
        yield node
        for field in fields(node):
            yield from nodes(getattr(node, field.name))


@pytest.mark.parametrize("text", [LENET, RESNET])
def test_children_lie_within_their_parents_in_order(text: str) -> None:
    for node in nodes(file(text)):
        inner = [n for field in fields(node) if field.name != "span" for n in nodes(getattr(node, field.name)) if n is not node]
        assert all(node.span.start <= n.span.start < n.span.end <= node.span.end for n in inner), node


@pytest.mark.parametrize("text", [LENET, RESNET])
def test_no_span_begins_or_ends_with_space(text: str) -> None:
    for node in nodes(file(text).items):
        assert node.span.text == node.span.text.strip()
        assert node.span.text


def test_parts_of_an_expression() -> None:
    tree = expression("(a + bb) * f(ccc, k = 3)[0]")
    assert isinstance(tree, ast.Binary)
    assert tree.left.span.text == "(a + bb)"
    assert isinstance(tree.left, ast.Binary)
    assert tree.left.right.span.text == "bb"
    assert isinstance(tree.right, ast.Index)
    assert tree.right.value.span.text == "f(ccc, k = 3)"
    call = tree.right.value
    assert isinstance(call, ast.Call)
    assert [arg.span.text for arg in call.args] == ["ccc", "k = 3"]
    assert call.function.span.text == "f"


def test_parts_of_a_pipeline() -> None:
    tree = expression('x ->  "l{ i + 1 }": (n - 1) * [a -> b(1)]')
    assert isinstance(tree, ast.Pipeline)
    (stage,) = tree.stages
    assert stage.span.text == '"l{ i + 1 }": (n - 1) * [a -> b(1)]'
    assert stage.label is not None
    assert stage.label.span.text == '"l{ i + 1 }"'
    assert isinstance(stage.label.parts[1], ast.Binary)
    assert stage.label.parts[1].span.text == "i + 1"
    assert stage.count is not None
    assert stage.count.span.text == "(n - 1)"
    assert stage.body.span.text == "[a -> b(1)]"


def test_parts_of_statements() -> None:
    loop, branch = statements("for i, [a, b] in rows {\n  x = 1\n}\nif c { } else if d { y = 2 }")
    assert isinstance(loop, ast.For)
    assert [target.span.text for target in loop.targets] == ["i", "[a, b]"]
    assert loop.body.span.text == "{\n  x = 1\n}"
    assert isinstance(branch, ast.If)
    assert branch.orelse is not None
    assert branch.orelse.span.text == "if d { y = 2 }"


def test_offsets_count_characters_behind_a_byte_order_mark_and_wide_ones() -> None:
    source = SourceFile("net.cnn", "\ufeff# 日本\r\nlet A = b\r\n")
    (let,) = parse(source).items
    assert isinstance(let, ast.Let)
    assert let.value.span.text == "b"
    assert str(let.value.span) == "net.cnn:2:9"


def test_a_use_points_at_its_path() -> None:
    (use,) = file('use A,\n B from "a.cnn"').items
    assert isinstance(use, ast.Use)
    assert use.path_span.text == '"a.cnn"'
    assert [name.span.line for name in use.names] == [1, 2]
