"""A project in memory, and texts with the cursor marked by `|`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types

from convspec.lsp.document import Document
from convspec.lsp.project import Project

_T = TypeVar("_T")


class Session:
    """Documents that are open, and what was last said of each."""

    def __init__(self, folders: tuple[Path, ...] = (), encoding: str = "utf-16") -> None:
        self.said: dict[str, list[types.Diagnostic]] = {}
        self.versions: dict[str, int | None] = {}
        self.project = Project(self._publish)
        self.project.folders = [folder.resolve() for folder in folders]
        self.project.encoding = encoding

    def _publish(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        self.said[uri], self.versions[uri] = found, version

    async def open(self, text: str, uri: str = "untitled:Untitled-1") -> Document:
        """Open a text, and wait until it is known what is wrong with it."""
        self.project.open(uri, 1, text)
        return await self.settled(uri)

    async def settled(self, uri: str = "untitled:Untitled-1") -> Document:
        """Wait for the analysis."""
        document = await self.project.settled(uri, 60)
        assert document is not None and document.settled.is_set()
        return document

    async def type(self, text: str, uri: str = "untitled:Untitled-1") -> Document:
        """Replace the whole text."""
        version = (self.project.documents[uri].version or 0) + 1
        self.project.change(uri, version, [types.TextDocumentContentChangeWholeDocument(text)])
        return await self.settled(uri)

    def codes(self, uri: str = "untitled:Untitled-1") -> list[Any]:
        """The codes of what was said last."""
        return [each.code for each in self.said.get(uri, [])]


def run(work: Callable[[Session], Awaitable[_T]], folder: Path | None = None) -> _T:
    """Run some work with a session of its own."""

    async def inside() -> _T:
        session = Session((folder,) if folder is not None else ())
        try:
            return await work(session)
        finally:
            for uri in list(session.project.documents):
                session.project.close(uri)

    return asyncio.run(inside())


def at(marked: str, document: Document | None = None) -> tuple[str, int]:
    """The text without its mark, and where the mark was."""
    offset = marked.index("|")
    return marked[:offset] + marked[offset + 1 :], offset


def ask(marked: str, feature: Callable[[Project, Document, types.Position], _T], text: str | None = None) -> _T:
    """What a feature says at the mark of a text. `text` is opened first, if it is another."""
    clean, offset = at(marked)

    async def work(session: Session) -> _T:
        document = await session.open(clean if text is None else text)
        if text is not None:
            document = await session.type(clean)
        return feature(session.project, document, document.lines.position(offset))

    return run(work)
