"""A page as data, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs in Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines set as they stand."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; cells are Markdown."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing for a browser, and the same in characters for a terminal."""

    name: str
    svg: str
    characters: str
    caption: str


Part: TypeAlias = Text | Code | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """Parts under a heading; no heading for the first of a page."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A title and what follows."""

    title: str
    sections: tuple[Section, ...]

    def pictures(self) -> Iterator[Picture]:
        """The drawings, which a file of documentation stands beside."""
        for section in self.sections:
            yield from (part for part in section.parts if isinstance(part, Picture))

    def markdown(self, drawings: bool = False) -> str:
        """The page as Markdown; pictures as links to `<name>.svg` with `drawings`, else in characters."""
        blocks = [f"# {self.title}"]
        for section in self.sections:
            blocks += [f"## {section.heading}"] if section.heading else []
            blocks += [_block(part, drawings) for part in section.parts]
        return "\n\n".join(blocks) + "\n"


def _block(part: Part, drawings: bool) -> str:
    match part:
        case Text(text=text):
            return text
        case Code(text=text, language=language):
            return f"```{language}\n{text}\n```"
        case Table(head=head, rows=rows):
            return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])
        case Picture() if drawings:
            return f"![{part.caption}]({part.name}.svg)"
        case Picture():
            return f"{part.caption}:\n\n```\n{part.characters}\n```"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


__all__ = ["Code", "Page", "Part", "Picture", "Section", "Table", "Text"]
