"""A text that is open in the editor: its lines, its tree, and what is known of its networks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from lsprotocol.types import PositionEncodingKind, TextDocumentContentChangeEvent, TextDocumentContentChangePartial

from convspec.diagnostics import Diagnostic
from convspec.limits import DEFAULT
from convspec.lsp.analysis import Memory, Outcome
from convspec.lsp.facts import ModuleFacts
from convspec.lsp.files import OpenFile
from convspec.lsp.positions import Lines, lines_of
from convspec.source import Span
from convspec.syntax import ast
from convspec.syntax.incremental import Buffer, IncrementalTree, Part


class Document:
    """One open text. Everything here is touched by the server's own thread alone."""

    def __init__(self, uri: str, version: int | None, text: str, path: Path | None, encoding: str = "utf-16") -> None:
        self.uri, self.version, self.path, self.encoding = uri, version, path, PositionEncodingKind(encoding)
        name = path.name if path is not None else uri.rpartition("/")[2] or uri
        self.buffer = Buffer(name, text, path)
        self.syntax = IncrementalTree(self.buffer, DEFAULT)
        self.outcome: Outcome | None = None
        self.modules: dict[str, ModuleFacts] = {}
        """The models as they were when they could last be elaborated."""
        self.errors: list[Diagnostic] = self.syntax_errors
        self.warnings: list[Diagnostic] = []
        self._warned: list[tuple[Diagnostic, Part | None]] = []
        """Each warning with the part of the text that it speaks of."""
        self.stale = Event()
        self.settled = asyncio.Event()
        """Set while what is known belongs to the text as it is."""

    @property
    def text(self) -> str:
        return self.buffer.text

    @property
    def lines(self) -> Lines:
        return lines_of(self.buffer, self.encoding)

    @property
    def tree(self) -> ast.File | None:
        """The tree; after syntax errors that of the items that can be read."""
        if self.syntax.tree is None and self.syntax.intact is not None:
            return self.syntax.intact.tree
        return self.syntax.tree

    @property
    def lost(self) -> frozenset[str]:
        """Names that may be declared where there are syntax errors."""
        return self.syntax.intact.lost if self.syntax.intact is not None else frozenset()

    @property
    def syntax_errors(self) -> list[Diagnostic]:
        return list(self.syntax.failure.diagnostics) if self.syntax.failure is not None else []

    @property
    def memory(self) -> Memory:
        return self.outcome.memory if self.outcome is not None else Memory()

    def change(self, version: int | None, changes: Sequence[TextDocumentContentChangeEvent]) -> None:
        """Take the changes of the editor, in order."""
        text = self.text
        for change in changes:
            if isinstance(change, TextDocumentContentChangePartial):
                lines = Lines(text, self.encoding)
                start, end = lines.offset(change.range.start), lines.offset(change.range.end)
                text = text[:start] + change.text + text[max(start, end) :]
            else:
                text = change.text
        self.version = version
        self.stale.set()
        self.stale = Event()
        self.settled.clear()
        self.syntax.update(text)
        there = {id(part) for part in self.syntax.parts}
        self._warned = [(warning, part) for warning, part in self._warned if id(part) in there]
        self.warnings = [warning for warning, _ in self._warned]

    def take(self, outcome: Outcome) -> None:
        """What an analysis of the text as it is has found."""
        self.outcome = outcome
        declared = {name.text for item in self.syntax_items() if (name := getattr(item, "name", None)) is not None}
        unclear = self.syntax.failure is not None and self.syntax.intact is None
        kept = {name: known for name, known in self.modules.items() if unclear or name in declared or name in self.lost}
        self.modules = {**kept, **outcome.unfinished, **outcome.modules}
        self.errors = [*self.syntax_errors, *outcome.diagnostics]

    def take_warnings(self, found: Iterable[Diagnostic]) -> None:
        """Warnings stay where they are in the text until there are new ones; those of a part that is edited go."""
        self._warned = [(each, self.syntax.adopt(_spans(each))) for each in found]
        self.warnings = [warning for warning, _ in self._warned]

    def syntax_items(self) -> tuple[ast.Item, ...]:
        """The items that can be read."""
        return self.tree.items if self.tree is not None else ()

    def shown_items(self) -> tuple[ast.Item, ...]:
        """The items that can be read, and those that are broken as they were when they could be."""
        ghosts = (item for part in self.syntax.parts if part.ghost is not None for item in part.ghost.items)
        return (*self.syntax_items(), *ghosts)

    def seen_by_others(self) -> OpenFile:
        """The file as one that imports it sees it."""
        return OpenFile(self.buffer, self.tree, self.syntax.failure, self.lost)


def _spans(diagnostic: Diagnostic) -> Iterator[Span]:
    """Every place that a diagnostic speaks of, the main one first."""
    yield from (label.span for label in (diagnostic.primary, *diagnostic.related) if label is not None)
    yield from (fix.span for fix in (diagnostic.fix, *diagnostic.suggestions) if fix is not None)
