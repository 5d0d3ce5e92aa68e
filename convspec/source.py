"""Source text and places in it: what every diagnostic points at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import field
from functools import cached_property
from pathlib import Path

from convspec.records import dataclass


@dataclass(eq=False)
class SourceFile:
    """One file of a spec. `name` is what messages show; `path` is None for text that never was a file."""

    name: str
    text: str = field(repr=False)
    path: Path | None = field(default=None)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]

    def line_column(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_start(self, number: int) -> int:
        """The offset of the first character of 1-based line `number`."""
        return self._line_starts[number - 1]

    def line(self, number: int) -> str:
        """The text of 1-based line `number`, without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` (included) to `end` (excluded) of `file`."""

    file: SourceFile
    start: int
    end: int

    def __str__(self) -> str:
        line, column = self.file.line_column(self.start)
        return f"{self.file.name}:{line}:{column}"

    @property
    def line(self) -> int:
        """The 1-based line on which the span begins."""
        return self.file.line_column(self.start)[0]

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`, in the same file."""
        return Span(self.file, self.start, other.end)
