"""Syntax errors in one item do not hide what is wrong in another, and never make an error of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec import Failure, elaborate
from convspec.elaborate.salvage import salvage
from convspec.limits import DEFAULT
from convspec.source import SourceFile
from convspec.syntax import parse
from convspec.syntax.intact import intact_items

RIGHT = """let WIDTH = 8

default conv(bias = false)

block Twice(x: tensor, width: int) {
    return x -> 2 * [conv(width, 3x3, pad = 1) -> batchnorm -> relu]
}

model First {
    input x: float32[N, 3, 8, 8]
    output x -> Twice(WIDTH)
}

model Second {
    input x: float32[N, 3, 8, 8]
    output x -> flatten -> linear(10)
}
"""


def _left(tmp_path: Path, text: str) -> list[tuple[str, int]]:
    """Code and line of what is told of the intact models of a file with syntax errors."""
    path = tmp_path / "net.cnn"
    path.write_text(text)
    with pytest.raises(Failure) as caught:
        elaborate.opened(path)
    left = salvage(caught.value, DEFAULT, None)
    if left is None:
        return []
    found: list[tuple[str, int]] = []
    for name in left.opened.models():
        try:
            left.opened.module(name)
        except Failure as failure:
            found += [(d.code, d.primary.span.line) for d in left.independent(failure.diagnostics) if d.primary is not None]
    return sorted(set(found))  # several models may tell of the same


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("flatten ->", "flatten =>", []),
        ("linear(10)", "linear(10", []),
        ("x: tensor, width: int) {", "x: tensor, width: int {", []),  # First needs what is broken
        ("let WIDTH = 8", "let WIDTH = ", []),
        ("default conv(bias = false)", "default conv(bias = )", []),  # may change every layer
    ],
)
def test_what_is_right_stays_right(tmp_path: Path, right: str, wrong: str, expected: list[tuple[str, int]]) -> None:
    assert RIGHT.count(right) == 1
    assert _left(tmp_path, RIGHT.replace(right, wrong)) == expected


def test_mistakes_in_intact_models_are_found(tmp_path: Path) -> None:
    text = RIGHT.replace("flatten ->", "flatten =>").replace("Twice(WIDTH)", "Twice(WIDHT)")
    assert _left(tmp_path, text) == [("CNN020", 11)]


def test_what_does_not_depend_on_a_broken_item_is_found_beside_it(tmp_path: Path) -> None:
    text = RIGHT.replace("width: int) {", "width: int {").replace("linear(10)", "linaer(10)")
    assert _left(tmp_path, text) == [("CNN021", 16)]


def test_bodies_at_the_margin_are_not_taken_for_items(tmp_path: Path) -> None:
    body = "input x: float32[N, 3, 8, 8]\nlet width = 8\ndefault conv(bias = false)\noutput x -> conv(width, 3x3)\n}\n"
    text = f"model A {{\n{body}model B {{\n{body}model C {{\n{body}".replace("conv(width, 3x3)", "conv(width, 3x3", 1)
    assert _left(tmp_path, text) == []


def test_intact_items_keep_their_places() -> None:
    file = SourceFile("net.cnn", RIGHT.replace("let WIDTH = 8", "let WIDTH = = 8"))
    left = intact_items(file)
    assert left is not None
    assert [item.span.text.split()[0] for item in left.tree.items] == ["default", "block", "model", "model"]
    assert "WIDTH" in left.lost
    assert "Twice" not in left.lost


@given(st.data())
def test_a_deleted_character_never_makes_an_error_of_another_item(data: st.DataObject) -> None:
    """Whatever is deleted in one item, all that is said of the others is what their own text would be told alone."""
    at = data.draw(st.integers(0, len(RIGHT) - 1))
    file = SourceFile("net.cnn", RIGHT[:at] + RIGHT[at + 1 :])
    try:
        parse(file)
    except Failure:
        left = intact_items(file)
        whole = {item.span.text for item in parse(SourceFile("net.cnn", RIGHT)).items}
        changed = [item for item in (left.tree.items if left is not None else ()) if item.span.text not in whole]
        assert len(changed) <= 1  # only the item that a character was taken from may be another
