"""Lines of source with a gutter, carets and labels under them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias
from unicodedata import category, combining, east_asian_width

from convspec.diagnostics.model import Label
from convspec.records import dataclass
from convspec.source import SourceFile, Span

Segment: TypeAlias = tuple[str, str]
"""Text and the name of its style."""

_TAB = 4
_WIDEST = 120
_BEFORE = 40
_LONGEST = 2000
"""Characters of a line that are looked at: a file may be one line of a megabyte, with many errors."""
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def clean(text: str) -> str:
    """The text without anything that would move a terminal's cursor or turn its direction."""
    return "".join("�" if category(char) in _HIDDEN else char for char in text)


def _cell(char: str) -> str:
    """What is shown for a character of the source. Its length is not its width: see `_width`."""
    return " " * _TAB if char == "\t" else clean(char)


def _width(char: str) -> int:
    """How many columns a character takes on a terminal."""
    if char == "\t":
        return _TAB
    if combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label on a line: columns from `start` to before `end`, at least one."""

    start: int
    end: int
    text: str
    primary: bool


class Snippet:
    """The lines of one file that labels point at. A span over several lines is shown by its first."""

    def __init__(self, file: SourceFile, labels: list[tuple[Label, bool]]) -> None:
        """The flag says which label is the main one; `place` is that of the first label."""
        self.file = file
        self.place = str(labels[0][0].span)
        self._by_line: dict[int, list[tuple[Label, bool]]] = {}
        for label, primary in labels:
            self._by_line.setdefault(label.span.line, []).append((label, primary))

    @property
    def digits(self) -> int:
        """The width of the greatest line number."""
        return len(str(max(self._by_line)))

    def lines(self, width: int, severity: str) -> Iterator[list[Segment]]:
        """The lines; `width` is that of line numbers, `severity` the style of the main label."""
        yield [(f"{' ' * width} |", "gutter")]
        previous = None
        for number in sorted(self._by_line):
            if previous is not None and number > previous + 1:
                yield [("...", "gutter")]
            previous = number
            text, marks = self._line(number)
            yield [(f"{number:>{width}} | ", "gutter"), (text, "")]
            for row in _under(marks):
                yield [(f"{' ' * width} | ", "gutter"), *((part, _style(mark, severity)) for part, mark in row)]

    def _line(self, number: int) -> tuple[str, list[_Mark]]:
        """The text of a line as it is shown, and its marks by column."""
        whole = self.file.line(number)
        labels = self._by_line[number]
        main = next((label for label, primary in labels if primary), labels[0][0])
        skipped = max(0, self.file.line_column(main.span.start)[1] - _LONGEST // 2)
        line = whole[skipped : skipped + _LONGEST]
        columns = [0]
        for char in line:
            columns.append(columns[-1] + _width(char))
        marks = []
        for label, primary in labels:
            first, last = (columns[min(max(at - skipped, 0), len(line))] for at in self._characters(label.span, number, whole))
            marks.append(_Mark(first, max(last, first + 1), label.text, primary))
        return _clip(line, columns, marks, cut=(skipped > 0, skipped + _LONGEST < len(whole)))

    def _characters(self, span: Span, number: int, line: str) -> tuple[int, int]:
        """The part of a span that lies on the line on which it begins, counted from 0."""
        end_line, end = self.file.line_column(span.end)
        return self.file.line_column(span.start)[1] - 1, end - 1 if end_line == number else len(line.rstrip())


def _clip(line: str, columns: list[int], marks: list[_Mark], cut: tuple[bool, bool]) -> tuple[str, list[_Mark]]:
    """A line that is too wide is cut to what lies around its main mark. `cut` says at which ends text is missing already."""
    if columns[-1] <= _WIDEST:
        return "".join(map(_cell, line)), marks
    main = next((mark for mark in marks if mark.primary), marks[0])
    left = columns[max(0, bisect_right(columns, max(0, main.start - _BEFORE)) - 1)]
    right = left + _WIDEST
    shown = "".join(_cell(char) for char, column in zip(line, columns, strict=False) if left <= column < right)
    before, after = ("…" if left or cut[0] else ""), ("…" if columns[-1] > right or cut[1] else "")

    def move(column: int) -> int:
        return min(max(column - left, 0), _WIDEST) + len(before)

    moved = [_Mark(move(m.start), max(move(m.end), move(m.start) + 1), m.text, m.primary) for m in marks]
    return f"{before}{shown}{after}", moved


_Piece: TypeAlias = tuple[str, _Mark | None]


def _style(mark: _Mark | None, severity: str) -> str:
    if mark is None:
        return ""
    return severity if mark.primary else "related"


def _under(marks: Iterable[_Mark]) -> Iterator[list[_Piece]]:
    """The rows under a line: carets with the rightmost text beside them, the other texts stacked below."""
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.end, mark.primary))
    rightmost = ordered[-1]
    beside = rightmost if rightmost.end == max(mark.end for mark in ordered) else None
    below = [mark for mark in ordered if mark.text and mark is not beside]
    row = _carets(ordered)
    if beside is not None and beside.text:
        row.append((f" {clean(beside.text)}", beside))
    yield row
    if below:
        yield _bars(below)
    while below:
        mark = below.pop()
        gap = " " * (mark.start - _reach(below, mark))
        yield [*_bars([m for m in below if m.start < mark.start]), (gap, None), (clean(mark.text), mark)]


def _reach(below: list[_Mark], mark: _Mark) -> int:
    """The column behind the last bar left of `mark`."""
    return max((other.start + 1 for other in below if other.start < mark.start), default=0)


def _carets(ordered: list[_Mark]) -> list[_Piece]:
    cells: list[_Mark | None] = [None] * max(mark.end for mark in ordered)
    for mark in sorted(ordered, key=lambda mark: mark.primary):
        cells[mark.start : mark.end] = [mark] * (mark.end - mark.start)
    return [(" " if mark is None else "^" if mark.primary else "-", mark) for mark in cells]


def _bars(marks: list[_Mark]) -> list[_Piece]:
    row: list[_Piece] = []
    column = 0
    for mark in marks:
        if mark.start >= column:
            row += [(" " * (mark.start - column), None), ("|", mark)]
            column = mark.start + 1
    return row
