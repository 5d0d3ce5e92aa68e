"""Tables as they are written: in aligned columns, as Markdown and as CSV. What stands in the cells is the caller's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

from convspec.records import dataclass

GAP = "  "
_MARKDOWN = re.compile(r"([\\`*_\[\]|~])")


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` have a text for every heading, and so has `total` where there is one; `right` says which columns hold numbers."""

    headings: tuple[str, ...]
    right: tuple[bool, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    total: tuple[str, ...] | None = None


def text_lines(table: Table) -> list[str]:
    """Aligned columns with a rule below the headings, and one above the totals."""
    body = [*table.rows, *([table.total] if table.total else [])]
    widths = [max(map(width, column)) for column in zip(table.headings, *body, strict=True)]
    rule = GAP.join(("-" if heading else " ") * each for heading, each in zip(table.headings, widths, strict=True))
    lines = [_line(table.headings, widths, table.right), rule, *(_line(row, widths, table.right) for row in table.rows)]
    if table.total is not None:
        lines += [rule, _line(table.total, widths, table.right)]
    return [line.rstrip() for line in lines]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    made = []
    for cell, wide, is_right in zip(cells, widths, right, strict=True):
        space = " " * (wide - width(cell))
        made.append(space + cell if is_right else cell + space)
    return GAP.join(made)


def width(text: str) -> int:
    """How many places a text takes in a terminal: two for a wide letter, none for one that stands on another."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def markdown_lines(table: Table) -> list[str]:
    """A table of GitHub's Markdown; nothing in a cell is read as markup. The totals are its last row, in bold."""
    marks = tuple("---:" if right else "---" for right in table.right)
    lines = [_row(map(escape_markdown, table.headings)), _row(marks)]
    lines += [_row(map(escape_markdown, row)) for row in table.rows]
    if table.total is not None:
        lines.append(_row(f"**{escape_markdown(cell)}**" if cell else "" for cell in table.total))
    return lines


def escape_markdown(text: str) -> str:
    """The text, with what Markdown would read as markup escaped."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(_MARKDOWN.sub(r"\\\1", plain).split("\n"))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """RFC 4180 with lines that end in LF; None is an empty cell."""
    import csv
    import io

    writer = csv.writer(stream := io.StringIO(), lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return stream.getvalue()


__all__ = ["Table", "csv_text", "escape_markdown", "markdown_lines", "text_lines", "width"]
