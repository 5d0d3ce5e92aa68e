"""Documents: text with places where a line may end. `layout.py` decides which of them do.

After Wadler, "A prettier printer" (2003), with what Prettier added to it: fills, and comments that wait for the end of a line.
"""

from __future__ import annotations

from typing import TypeAlias

from convspec.records import dataclass


@dataclass(slots=True, eq=False)
class Line:
    """Where a line may end, else it is `flat`. `hard` ends the line in any case, with an empty line after it if `blank`."""

    flat: str = " "
    hard: bool = False
    blank: bool = False


@dataclass(slots=True, eq=False)
class Group:
    """All its lines end, or none: none where it fits into the line."""

    content: Doc
    forced: bool = False
    """Whether a line in it ends in any case."""


@dataclass(slots=True, eq=False)
class Indent:
    """New lines in it begin a level deeper."""

    content: Doc


@dataclass(slots=True, eq=False)
class Fill:
    """Contents with a Line between each two, as many as fit into a line. With `hang`, what follows a line's end is indented."""

    parts: list[Doc]
    hang: bool = False


@dataclass(slots=True, eq=False)
class Suffix:
    """A comment: it goes to the end of the line that it stands in, which ends at the next Line."""

    text: str


Doc: TypeAlias = "str | list[Doc] | Line | Group | Indent | Fill | Suffix"
