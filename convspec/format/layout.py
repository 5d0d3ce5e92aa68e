"""Documents to text: lines end where they must, and where what follows would not fit."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.format.doc import Doc, Fill, Group, Indent, Line, Suffix
from convspec.records import dataclass

WIDTH = 128
STEP = 4


def layout(doc: Doc) -> str:
    """The text of a document, which ends as the document does."""
    _end_lines_after_comments(doc)
    _force(doc)
    return _Layout(doc).text()


def _end_lines_after_comments(doc: Doc) -> None:
    """Whatever may end the line after a comment does end it."""
    waiting = False
    for leaf in _leaves(doc):
        if isinstance(leaf, Suffix):
            waiting = True
        elif isinstance(leaf, Line):
            leaf.hard = leaf.hard or waiting
            waiting = False


def _leaves(doc: Doc) -> Iterator[Doc]:
    """Lines, texts and comments in the order of the text."""
    stack = [doc]
    while stack:
        each = stack.pop()
        if isinstance(each, list):
            stack += reversed(each)
        elif isinstance(each, (Group, Indent)):
            stack.append(each.content)
        elif isinstance(each, Fill):
            stack += reversed(each.parts)
        else:
            yield each


def _force(doc: Doc) -> bool:
    """Whether a line ends in `doc` in any case; groups are told."""
    if isinstance(doc, Line):
        return doc.hard
    if isinstance(doc, (list, Fill)):
        return any([_force(part) for part in (doc if isinstance(doc, list) else doc.parts)])
    if isinstance(doc, (Group, Indent)):
        found = _force(doc.content)
        if isinstance(doc, Group):
            doc.forced = found
        return found
    return False


@dataclass(frozen=True, slots=True)
class _Place:
    """A document yet to be written: `flat` where it stands in one line, `indent` for the lines that end in it."""

    indent: int
    flat: bool
    doc: Doc


class _Layout:
    def __init__(self, doc: Doc) -> None:
        self.written: list[str] = []
        self.comments: list[str] = []
        self.column = 0
        self.stack = [_Place(0, False, doc)]

    def text(self) -> str:
        while self.stack:
            self._write(self.stack.pop())
        self._flush()
        return "".join(self.written)

    def _write(self, place: _Place) -> None:
        doc, indent, flat = place.doc, place.indent, place.flat
        if isinstance(doc, str):
            self.written.append(doc)
            self.column += len(doc)
        elif isinstance(doc, list):
            self.stack += [_Place(indent, flat, part) for part in reversed(doc)]
        elif isinstance(doc, Indent):
            self.stack.append(_Place(indent + STEP, flat, doc.content))
        elif isinstance(doc, Suffix):
            self.comments.append(doc.text)
        elif isinstance(doc, Line):
            self._line(doc, indent, flat)
        elif isinstance(doc, Group):
            fits = flat or (not doc.forced and self._fits([_Place(indent, True, doc.content)]))
            self.stack.append(_Place(indent, fits, doc.content))
        else:
            self._fill(doc, indent, flat)

    def _line(self, line: Line, indent: int, flat: bool) -> None:
        if flat and not line.hard:
            self.written.append(line.flat)
            self.column += len(line.flat)
            return
        self._flush()
        self.written.append("\n\n" if line.blank else "\n")
        self.written.append(" " * indent)
        self.column = indent

    def _flush(self) -> None:
        """End the line: the comments that belong to it, and no spaces before its end."""
        while self.written and not self.written[-1].strip(" ") and "\n" not in self.written[-1]:
            self.written.pop()
        if self.written:
            self.written[-1] = self.written[-1].rstrip(" ")
        if self.comments:
            self.written.append("  " + "  ".join(self.comments))
            self.comments.clear()

    def _fill(self, fill: Fill, indent: int, flat: bool) -> None:
        """The first content, and the rest for later; a Line in front decides with what follows it."""
        if not fill.parts:
            return
        first, rest = fill.parts[0], fill.parts[1:]
        if isinstance(first, Line) and rest:
            ends = first.hard or not (flat or self._fits([_Place(indent, True, [first.flat, rest[0]])], ahead=rest[1:]))
            if ends:
                indent, fill = (indent + STEP, Fill(rest)) if fill.hang else (indent, Fill(rest))
                self.stack.append(_Place(indent, flat, fill))
                self._line(Line(hard=True, blank=first.blank), indent, False)
                return
            self.stack.append(_Place(indent, flat, Fill(rest, fill.hang)))
            self._line(first, indent, True)
            return
        self.stack.append(_Place(indent, flat, Fill(rest, fill.hang)))
        self.stack.append(_Place(indent, flat, first))

    def _fits(self, places: list[_Place], ahead: list[Doc] | None = None) -> bool:
        """Whether `places` fit into the line, with all that stands behind them before a line may end.

        `ahead` is the rest of a fill: where there is any, a line may end right after `places`.
        """
        left, behind, stack = WIDTH - self.column, len(self.stack), list(places)
        while left >= 0:
            if not stack:
                if ahead or behind == 0:
                    return True
                behind -= 1
                stack.append(self.stack[behind])
                continue
            place = stack.pop()
            if _may_end(place):
                return True
            width, inside = _opened(place)
            left -= width
            stack += reversed(inside)
        return False


def _may_end(place: _Place) -> bool:
    """Whether a line may end at the very start of a document."""
    doc = place.doc
    if isinstance(doc, Fill) and doc.parts:
        doc = doc.parts[0]
    return isinstance(doc, Line) and (doc.hard or not place.flat)


def _opened(place: _Place) -> tuple[int, list[_Place]]:
    """The width of a document in one line, or 0 and what it is made of."""
    doc, flat = place.doc, place.flat
    if isinstance(doc, str):
        return len(doc), []
    if isinstance(doc, Line):
        return len(doc.flat), []
    if isinstance(doc, Suffix):
        return 0, []
    if isinstance(doc, (Group, Indent)):
        return 0, [_Place(place.indent, flat and not (isinstance(doc, Group) and doc.forced), doc.content)]
    return 0, [_Place(place.indent, flat, part) for part in (doc.parts if isinstance(doc, Fill) else doc)]
