"""The syntax tree of a text that is being edited: only items that changed are parsed again.

The text is cut where a line begins with `block`, `model` or `use`: no string or comment goes over a line, so that these words
stand there as keywords whatever is around them. Each part is parsed by itself. Parts behind an edit keep their tree, whose
spans are moved in place; so a `Buffer` and its trees belong to one thread, and what was worked out from them follows the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import field, fields, is_dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from convspec.collector import collector_off
from convspec.diagnostics import Diagnostic, Failure
from convspec.limits import DEFAULT, Limits
from convspec.records import dataclass
from convspec.source import SourceFile, Span
from convspec.syntax import ast
from convspec.syntax.intact import Intact, items_of, parses
from convspec.syntax.lexing import FILE_DOC, Lexed, lex
from convspec.syntax.parse import check_text, parse, parse_tokens
from convspec.syntax.tokens import Token

_BOM = "\ufeff"
_BEGINS = re.compile(r"^(?:block|model|use)\b", re.MULTILINE)
_NO_CODE = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?\n?")
_LINE = re.compile("\n")
_LEAVES = ("str", "int", "float", "bool")


class Buffer(SourceFile):
    """A file as an editor holds it: its text changes."""

    def __init__(self, name: str, text: str, path: Path | None = None) -> None:
        super().__init__(name, text, path)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE.finditer(self.text))]

    def rewrite(self, text: str) -> None:
        """Take another text."""
        self.text = text
        self.__dict__.pop("_line_starts", None)


@dataclass(slots=True, eq=False)
class Part:
    """An item with the comments above it, and constants and defaults behind it."""

    start: int
    text: str
    begun: bool
    """Whether tokens stand before it in the file."""
    lexed: Lexed | None = None
    """Its tokens; their places are those of the moment of the lexing, which began at `lexed_at`. None: it nests too deep."""
    lexed_at: int = 0
    tree: ast.File | None = None
    """Its items; None where it has syntax errors."""
    spans: list[Span] = field(default_factory=list)
    """The spans of the tree, or of the ghost, each once."""
    failure: Failure | None = None
    """Why it does not parse by itself."""
    ghost: ast.File | None = None
    """Where it has syntax errors now: the tree from before, whose spans are moved as well as can be."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def broken(self) -> bool:
        return self.tree is None

    @property
    def has_tokens(self) -> bool:
        return self.lexed is None or len(self.lexed.tokens) > 1 or bool(self.lexed.diagnostics)


class IncrementalTree:
    """The text of a buffer and its tree, or its syntax errors, after any number of edits.

    `tree` is what `parse` would give, None after errors; `failure` is what it would raise. `intact` are then the items
    that can be read all the same.
    """

    def __init__(self, buffer: Buffer, limits: Limits = DEFAULT) -> None:
        self.buffer, self.limits = buffer, limits
        self.parts: list[Part] = []
        self.tree: ast.File | None = None
        self.failure: Failure | None = None
        self.intact: Intact | None = None
        self._read(buffer.text)

    def update(self, text: str) -> None:
        """Take the text after an edit."""
        self.buffer.rewrite(text)
        self._read(text)

    def adopt(self, spans: Iterable[Span]) -> Part | None:
        """Let spans follow the text with the part in which the first of them begins, which is given back."""
        found: Part | None = None
        for span in spans:
            index = bisect_right(self.parts, span.start, key=lambda part: part.start) - 1
            if span.file is self.buffer and index >= 0:
                part = self.parts[index]
                found = found or part
                if not any(span is each for each in part.spans):
                    part.spans.append(span)
        return found

    def _read(self, text: str) -> None:
        self.tree = self.failure = self.intact = None
        try:
            check_text(self.buffer, self.limits)
        except Failure as failure:
            self.parts, self.failure = [], failure
            return
        with collector_off():
            self.parts = self._matched(_cut(text))
            if any(part.broken and part.has_tokens for part in self.parts):
                self.failure = self._failure()
                self.intact = self._intact()
            elif not any(part.has_tokens for part in self.parts):
                self.failure = _failure_of(self.buffer, self.limits)
            if self.failure is None:
                self.tree = self._whole()

    def _matched(self, cut: list[Part]) -> list[Part]:
        """The parts, where they are as they were those from before."""
        old = self.parts
        shortest = min(len(old), len(cut))
        head = 0
        while head < shortest and _alike(old[head], cut[head]) and old[head].start == cut[head].start:
            head += 1
        tail = 0
        while tail < shortest - head and _alike(old[-1 - tail], cut[-1 - tail]):
            tail += 1
        kept = old[len(old) - tail :]
        for before, now in zip(kept, cut[len(cut) - tail :], strict=True):
            _move(before, now.start)
        middle = cut[head : len(cut) - tail]
        for part in middle:
            self._parse(part)
        _haunt(old[head : len(old) - tail], middle)
        return [*old[:head], *middle, *kept]

    def _parse(self, part: Part) -> None:
        start = part.start + (len(_BOM) if part.start == 0 and part.text.startswith(_BOM) else 0)
        part.lexed_at = part.start
        try:
            part.lexed = lex(self.buffer, start, part.end, self.limits.nesting, part.begun)
            if part.has_tokens:
                part.tree = parse_tokens(self.buffer, _copy(part.lexed), self.limits)
                part.spans = list(_spans(part.tree))
        except Failure as failure:
            part.failure = failure

    def _whole(self) -> ast.File:
        """The tree of the file, of those of its parts."""
        trees = [part.tree for part in self.parts if part.tree is not None]
        items = tuple(item for tree in trees for item in tree.items)
        return ast.File(trees[0].language, items, self._doc(), Span(self.buffer, 0, len(self.buffer.text)))

    def _doc(self) -> str:
        """The documentation of the file."""
        return next(
            (part.lexed.docs.get(FILE_DOC, "") for part in self.parts if part.lexed is not None and part.has_tokens), ""
        )

    def _failure(self) -> Failure | None:
        """The syntax errors: broken parts are parsed together with their neighbours, and with what they run into."""
        count = len(self.parts)
        if count == 1 and self.parts[0].lexed is not None:
            return self.parts[0].failure
        broken = {index for index, part in enumerate(self.parts) if part.broken and part.has_tokens}
        if any(self.parts[index].lexed is None for index in broken):
            return _failure_of(self.buffer, self.limits)
        wanted = {near for index in broken for near in (index - 1, index, index + 1) if 0 <= near < count}
        step = 1
        while len(wanted) < count:
            failure = self._failure_in(sorted(wanted))
            if failure is None:
                break
            hit = broken | self._hit(failure)
            more = {near for index in hit for near in range(index + 1, min(index + 1 + step, count))} - wanted
            if not more:
                return failure
            wanted |= more
            step *= 2
        return _failure_of(self.buffer, self.limits)

    def _failure_in(self, indices: list[int]) -> Failure | None:
        """What is wrong in some of the parts, as if there were no others."""
        tokens: list[Token] = []
        docs: dict[int, str] = {}
        diagnostics: list[Diagnostic] = []
        for index in indices:
            lexed = self._lexed(self.parts[index])
            tokens += lexed.tokens[:-1]
            docs |= lexed.docs
            diagnostics += lexed.diagnostics
        last = tokens[-1].end_pos if tokens else 0
        try:
            parse_tokens(self.buffer, Lexed([*tokens, Token("$END", "", last, last)], docs, diagnostics), self.limits)
        except Failure as failure:
            return failure
        return None

    def _hit(self, failure: Failure) -> set[int]:
        """The parts in which errors were found."""
        starts = [part.start for part in self.parts]
        places = [each.primary.span.start for each in failure.diagnostics if each.primary is not None]
        return {max(0, bisect_right(starts, place) - 1) for place in places}

    def _lexed(self, part: Part) -> Lexed:
        """The tokens of a part where it is now."""
        if part.lexed is None or part.lexed_at != part.start or part.lexed.diagnostics:
            start = part.start + (len(_BOM) if part.start == 0 and part.text.startswith(_BOM) else 0)
            part.lexed, part.lexed_at = lex(self.buffer, start, part.end, self.limits.nesting, part.begun), part.start
        return _copy(part.lexed)

    def _intact(self) -> Intact | None:
        """The items without errors, as `intact_items` gives them."""
        items: list[ast.Item] = []
        lost: set[str] = set()
        first: ast.File | None = None
        for part in self.parts:
            found = [part.tree] if part.tree is not None else self._pieces(part, lost)
            if found is None:
                return None
            for tree in found:
                first = first or tree
                items += tree.items
        if first is None:
            return None
        whole = Span(self.buffer, 0, len(self.buffer.text))
        return Intact(ast.File(first.language, tuple(items), self._doc(), whole), frozenset(lost))

    def _pieces(self, part: Part, lost: set[str]) -> list[ast.File] | None:
        """What of a broken part parses; names in the rest go to `lost`. None where a `default` is lost."""
        if not part.has_tokens:
            return []
        try:
            lexed = self._lexed(part)
        except Failure:
            return None
        found = []
        pieces = list(items_of(self.buffer, lexed.tokens[:-1]))
        for tokens in pieces:
            tree = parses(self.buffer, tokens, lexed, self.limits) if len(pieces) > 1 else None
            if tree is not None:
                found.append(tree)
            elif tokens[0].type == "DEFAULT":
                return None
            else:
                lost.update(token for token in tokens if token.type == "NAME")
        return found


def _cut(text: str) -> list[Part]:
    """The parts of a text, not yet parsed."""
    starts = [0]
    for match in _BEGINS.finditer(text):
        start = _above(text, match.start(), starts[-1])
        if start > starts[-1]:
            starts.append(start)
    parts: list[Part] = []
    begun = False
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        parts.append(Part(start, text[start:end], begun))
        begun = begun or not _is_empty(parts[-1].text)
    return parts


def _above(text: str, start: int, lowest: int) -> int:
    """Where the comments and empty lines above a line begin."""
    while start > lowest:
        before = text.rfind("\n", 0, start - 1) + 1
        if before < lowest or not _NO_CODE.fullmatch(text, before, start):
            break
        start = before
    return start


def _is_empty(text: str) -> bool:
    return all(_NO_CODE.fullmatch(line) for line in text.removeprefix(_BOM).split("\n"))


def _alike(one: Part, other: Part) -> bool:
    return one.begun == other.begun and one.text == other.text


def _move(part: Part, start: int) -> None:
    """Move a part and all the spans of its tree."""
    by = start - part.start
    part.start = start
    if by:
        for span in part.spans:
            _set_start(span, span.start + by)
            _set_end(span, span.end + by)


def _haunt(old: list[Part], new: list[Part]) -> None:
    """Give parts that broke the tree from before, if it can be told which it was."""
    if len(old) != len(new):
        return
    for before, now in zip(old, new, strict=True):
        tree = before.tree or before.ghost
        if now.broken and tree is not None:
            now.ghost, now.spans = tree, before.spans
            _follow(before, now)


def _follow(before: Part, now: Part) -> None:
    """Move the spans of a tree from before an edit to where their characters are; what was edited becomes empty."""
    one, other = before.text, now.text
    head = _common(one, other)
    tail = min(_common(one[::-1], other[::-1]), len(one) - head, len(other) - head)

    def moved(offset: int) -> int:
        inside = offset - before.start
        if inside <= head:
            return now.start + inside
        return now.start + (max(inside + len(other) - len(one), head) if inside >= len(one) - tail else head)

    for span in now.spans:
        start, end = moved(span.start), moved(span.end)
        _set_start(span, start)
        _set_end(span, max(start, end))


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


_set_start = vars(Span)["start"].__set__
_set_end = vars(Span)["end"].__set__


def _spans(tree: ast.File) -> Iterator[Span]:
    """Every span of a tree, each once."""
    seen: set[int] = set()
    pending: list[Any] = list(tree.items)
    while pending:
        node = pending.pop()
        kind: Any = type(node)
        for name in _field_names(kind):
            value = getattr(node, name)
            if type(value) is Span:
                if id(value) not in seen:
                    seen.add(id(value))
                    yield value
            elif type(value) is tuple:
                pending += [item for item in value if is_dataclass(item)]
            elif is_dataclass(value):
                pending.append(value)


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.type not in _LEAVES)


def _copy(lexed: Lexed) -> Lexed:
    """Tokens for one parse, which adds its own errors to the list."""
    return Lexed(lexed.tokens, lexed.docs, list(lexed.diagnostics))


def _failure_of(file: SourceFile, limits: Limits) -> Failure | None:
    """What is wrong with the whole text."""
    try:
        parse(file, limits)
    except Failure as failure:
        return failure
    return None


__all__ = ["Buffer", "IncrementalTree", "Part"]
