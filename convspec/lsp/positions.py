"""Places in a text: character offsets here, lines and code units in the protocol."""

from __future__ import annotations

import re
from bisect import bisect_right
from weakref import WeakKeyDictionary

from lsprotocol.types import Position, PositionEncodingKind, Range

from convspec.source import SourceFile, Span

_LINE_END = re.compile("\r\n|\n|\r")
_UTF8, _UTF16 = PositionEncodingKind.Utf8, PositionEncodingKind.Utf16


class Lines:
    """The lines of a text as the protocol counts them: ended by CR, LF or both, characters in units of an encoding."""

    def __init__(self, text: str, encoding: PositionEncodingKind | str = _UTF16) -> None:
        self.text, self.encoding = text, encoding
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._ascii = text.isascii()

    def position(self, offset: int) -> Position:
        """The place of a character."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return Position(line, self._units(start, offset))

    def offset(self, position: Position) -> int:
        """The character at a place; places behind the end of a line or text are its end."""
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[position.line]
        end = self._end(position.line)
        if self._ascii or self.encoding == PositionEncodingKind.Utf32:
            return min(start + position.character, end)
        units, at = 0, start
        while at < end and units < position.character:
            units += self._width(self.text[at])
            at += 1
        return at

    def range(self, start: int, end: int) -> Range:
        """The range of some characters."""
        return Range(self.position(start), self.position(end))

    def _end(self, line: int) -> int:
        """Where the text of a line ends, before its line end."""
        if line + 1 == len(self.starts):
            return len(self.text)
        end = self.starts[line + 1] - 1
        return end - 1 if self.text[end] == "\n" and end > self.starts[line] and self.text[end - 1] == "\r" else end

    def _units(self, start: int, end: int) -> int:
        if self._ascii or self.encoding == PositionEncodingKind.Utf32:
            return end - start
        return sum(map(self._width, self.text[start:end]))

    def _width(self, character: str) -> int:
        if self.encoding == _UTF8:
            return len(character.encode("utf-8", "surrogatepass"))
        return 2 if ord(character) > 0xFFFF else 1


_KNOWN: WeakKeyDictionary[SourceFile, tuple[str, Lines]] = WeakKeyDictionary()


def lines_of(file: SourceFile, encoding: PositionEncodingKind | str = _UTF16) -> Lines:
    """The lines of a file as it is now."""
    known = _KNOWN.get(file)
    if known is None or known[0] is not file.text or known[1].encoding != encoding:
        known = _KNOWN[file] = (file.text, Lines(file.text, encoding))
    return known[1]


def range_of(span: Span, encoding: PositionEncodingKind | str = _UTF16) -> Range:
    """The range of a span in its file."""
    return lines_of(span.file, encoding).range(span.start, span.end)
