"""Fixes that are applied."""

from __future__ import annotations

from convspec.diagnostics import Fix, error
from convspec.diagnostics.fixes import apply_fixes
from convspec.source import SourceFile, Span

FILE = SourceFile("a.cnn", "one two three")


def mended(*fixes: tuple[int, int, str], file: SourceFile = FILE) -> tuple[str, int]:
    found = [error("CNN001", "wrong", fix=Fix(Span(file, start, end), text)) for start, end, text in fixes]
    return apply_fixes(found)[file]


def test_fixes_are_applied_from_the_end_of_the_text_to_its_start() -> None:
    assert mended((8, 13, "3"), (0, 3, "1")) == ("1 two 3", 2)


def test_nothing_is_deleted_beside_a_fix() -> None:
    assert mended((3, 3, "!")) == ("one! two three", 1)
    assert mended((3, 7, "")) == ("one three", 1)


def test_of_fixes_that_touch_the_first_is_applied() -> None:
    assert mended((0, 5, "A"), (4, 7, "B"), (8, 13, "C")) == ("Awo C", 2)
    assert mended((0, 3, "A"), (3, 7, "B")) == ("A two three", 1)


def test_a_mistake_that_is_told_twice_is_mended_once() -> None:
    assert mended((3, 3, "!"), (3, 3, "!")) == ("one! two three", 1)


def test_each_file_by_itself() -> None:
    other = SourceFile("b.cnn", "four")
    places = ((FILE, 0, 3), (other, 0, 4))
    found = [error("CNN001", "wrong", fix=Fix(Span(file, start, end), "x")) for file, start, end in places]
    assert apply_fixes([*found, error("CNN001", "no fix")]) == {FILE: ("x two three", 1), other: ("x", 1)}
