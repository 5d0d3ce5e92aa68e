"""Places in texts of every kind, and edits of them."""

from __future__ import annotations

import random

import pytest
from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from convspec.lsp.document import Document
from convspec.lsp.positions import Lines

TEXT = "a😀b\r\né\u0301x\n\rlast\u2028\x0c.\ufeff"


@pytest.mark.parametrize(("encoding", "columns"), [("utf-16", [0, 1, 3, 4]), ("utf-8", [0, 1, 5, 6]), ("utf-32", [0, 1, 2, 3])])
def test_the_first_line(encoding: str, columns: list[int]) -> None:
    lines = Lines(TEXT, encoding)
    assert [lines.position(offset) for offset in range(4)] == [Position(0, column) for column in columns]
    assert [lines.offset(Position(0, column)) for column in columns] == [0, 1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-32"])
def test_there_and_back(encoding: str) -> None:
    lines = Lines(TEXT, encoding)
    inside_line_ends = {TEXT.index("\r\n") + 1}
    for offset in range(len(TEXT) + 1):
        if offset not in inside_line_ends:
            assert lines.offset(lines.position(offset)) == offset


def test_lines_are_those_of_the_protocol() -> None:
    assert len(Lines(TEXT).starts) == 4, "CR, LF and both end lines; U+2028 and form feeds do not"
    assert Lines("").position(5) == Position(0, 0)
    assert Lines("ab\ncd").offset(Position(0, 99)) == 2, "the end of the line, not of the text"
    assert Lines("ab\ncd").offset(Position(9, 0)) == 5
    assert Lines("😀").offset(Position(0, 1)) == 1, "half a character is its end"


def test_edits_give_the_text_of_the_editor() -> None:
    chance = random.Random(0)
    text = TEXT
    document = Document("untitled:a", 0, text, None)
    for version in range(1, 60):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.randrange(4))
        while any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
            start, end = max(0, start - 1), min(len(text), end + 1)
        new = chance.choice(["", "x", "😀", "\r\n", "\n", "é", "\u2028", "model M {"])
        lines = Lines(text)
        document.change(version, [TextDocumentContentChangePartial(range=lines.range(start, end), text=new)])
        text = text[:start] + new + text[end:]
        assert document.text == text
    two: list[TextDocumentContentChangeEvent] = [
        TextDocumentContentChangeWholeDocument("abc"),
        TextDocumentContentChangePartial(range=_range(1, 2), text="-"),
    ]
    document.change(99, two)
    assert document.text == "a-c"


def _range(start: int, end: int) -> Range:
    return Range(Position(0, start), Position(0, end))
