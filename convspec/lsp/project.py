"""The open documents, how they import each other, and their analyses: started, made stale, taken up, published."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types

from convspec.diagnostics import Diagnostic
from convspec.limits import DEFAULT
from convspec.lsp.analysis import Job, Outcome, Stale, analyse, warned
from convspec.lsp.document import Document
from convspec.lsp.facts import Facts
from convspec.lsp.files import Disk, ProjectLoader, path_of, uri_of
from convspec.lsp.problems import elsewhere, published
from convspec.lsp.views import View, Views
from convspec.source import SourceFile
from convspec.syntax import ast

log = logging.getLogger(__name__)

Publish = Callable[[str, int | None, list[types.Diagnostic]], None]
_PAUSE, _LONG_PAUSE = 0.005, 0.5
"""Seconds after an edit until shapes are worked out, so that what was typed together is, and until warnings are."""


class Project:
    """All that is open. Analyses run in a thread of their own, one at a time; warnings, which cannot be stopped, in another."""

    def __init__(self, publish: Publish, refresh: Callable[[], None] = lambda: None) -> None:
        self.documents: dict[str, Document] = {}
        self.folders: list[Path] = []
        self.encoding = "utf-16"
        self.disk = Disk()
        self._publish, self._refresh = publish, refresh
        self._worker, self._other_worker = ThreadPoolExecutor(1, "analysis"), ThreadPoolExecutor(1, "warnings")
        self._told: dict[str, dict[str, list[types.Diagnostic]]] = {}
        """By the document that was analysed: what was found, by where it belongs."""
        self._shown: dict[str, Any] = {}
        self.views = Views(self)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    # ── documents ──

    def open(self, uri: str, version: int | None, text: str) -> None:
        """A document was opened; one that was open before begins anew."""
        self.close(uri)
        document = Document(uri, version, text, self._path(uri), self.encoding)
        self.documents[uri] = document
        self._changed(document)

    def change(self, uri: str, version: int | None, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        """A document was edited. What is older than what is known already is ignored."""
        document = self.documents.get(uri)
        if document is None or (version is not None and document.version is not None and version < document.version):
            return
        document.change(version, changes)
        self._changed(document)

    def close(self, uri: str) -> None:
        """A document was closed: others see the file on the disk again, and what was said of it is taken back."""
        document = self.documents.pop(uri, None)
        if document is None:
            return
        document.stale.set()
        document.settled.set()
        task = self._tasks.pop(uri, None)
        if task is not None:
            task.cancel()
        self._tell(document, {})
        self._told.pop(uri, None)
        for other in self._importing(document):
            self._start(other)

    def stop(self) -> None:
        """End all that is under way: nobody waits for it any more."""
        for document in self.documents.values():
            document.stale.set()
        for worker in (self._worker, self._other_worker):
            worker.shutdown(wait=False, cancel_futures=True)

    def files_changed(self) -> None:
        """Files on the disk changed: whoever imports any looks again."""
        for document in self.documents.values():
            if self._wanted(document):
                document.settled.clear()
                self._start(document)

    def root(self, path: Path | None) -> Path | None:
        """The folder that imports stay inside: the folder of the workspace that holds the file, else the file's own."""
        if path is None:
            return self.folders[0] if self.folders else None
        holding = [folder for folder in self.folders if path.is_relative_to(folder)]
        return max(holding, key=lambda folder: len(folder.parts)) if holding else path.parent

    def _path(self, uri: str) -> Path | None:
        """Where a document lies; a new one, as it were, in the first folder of the workspace."""
        if uri.startswith("untitled:") and self.folders:
            return self.folders[0] / f"<{uri.rpartition(':')[2].rpartition('/')[2]}>"
        return path_of(uri)

    def document_of(self, file: SourceFile) -> Document | None:
        """The open document whose text a file is."""
        return next((each for each in self.documents.values() if each.buffer is file), None)

    def uri_of(self, file: SourceFile) -> str | None:
        """The URI of a file, open or not."""
        document = self.document_of(file)
        if document is not None:
            return document.uri
        if file.path is None:
            return None
        return self._uri_of_path(file.path.resolve())

    def _uri_of_path(self, path: Path) -> str:
        return next((each.uri for each in self.documents.values() if each.path == path), None) or uri_of(path)

    def facts(self, document: Document) -> Facts:
        """What is known of the networks of a document, and of those that use it elsewhere."""
        others = (each for each in self.documents.values() if each is not document and document.buffer in self._sources(each))
        return Facts(known for each in (document, *others) for known in each.modules.values())

    def view(self, document: Document) -> View:
        """A document as features see it."""
        return View(document.buffer, document.tree)

    # ── analyses ──

    async def settled(self, uri: str, seconds: float = 1.5) -> Document | None:
        """The document once its analysis is done, or as it is after a while."""
        document = self.documents.get(uri)
        if document is not None and not document.settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(document.settled.wait(), seconds)
        return self.documents.get(uri)

    def _changed(self, document: Document) -> None:
        """A text is new: its syntax errors are told at once, shapes are worked out, also where it is imported."""
        if document.syntax.failure is not None:
            self._tell(document, self._placed(document, [*document.syntax_errors, *document.warnings]))
        self._start(document)
        for other in self._importing(document):
            other.settled.clear()
            self._start(other)

    def _importing(self, document: Document) -> list[Document]:
        """The other open documents that import this one, or wanted to."""
        if document.path is None:
            return []
        others = [each for each in self.documents.values() if each is not document]
        return [each for each in others if document.path in self._wanted(each)]

    def _sources(self, document: Document) -> tuple[SourceFile, ...]:
        return document.outcome.sources if document.outcome is not None else ()

    def _wanted(self, document: Document) -> set[Path]:
        return document.outcome.wanted if document.outcome is not None else set()

    def _start(self, document: Document) -> None:
        """Analyse a document; an analysis that is under way is stale."""
        document.stale.set()
        running = self._tasks.get(document.uri)
        if running is not None:
            running.cancel()
        document.stale = type(document.stale)()
        self._tasks[document.uri] = asyncio.ensure_future(self._run(document))

    async def _run(self, document: Document) -> None:
        try:
            await asyncio.sleep(_PAUSE)
            await self._analyse(document)
            await asyncio.sleep(_LONG_PAUSE)
            await self._warn(document)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("the analysis of %s failed", document.uri)
            document.settled.set()

    async def _analyse(self, document: Document) -> None:
        outcome, stale = Outcome(), document.stale
        if document.tree is not None:
            loader = ProjectLoader(DEFAULT, self.root(document.path), self._open_files(document), self.disk)
            job = Job(document.buffer, document.tree, loader, document.lost, document.memory, stale)
            outcome = await self._in(self._worker, lambda: _guarded(job)) or outcome
        if stale.is_set():
            return
        document.take(outcome)
        document.settled.set()
        self._tell(document, self._placed(document, [*document.errors, *document.warnings]))
        self._refresh()

    async def _warn(self, document: Document) -> None:
        """Warnings take longer, and are told later."""
        outcome = document.outcome
        if document.syntax.failure is not None or outcome is None:
            return  # what is broken may use what seems to be unused
        modules = [known.module for known in outcome.modules.values()]
        document.take_warnings(await self._in(self._other_worker, lambda: warned(modules)))
        self._tell(document, self._placed(document, [*document.errors, *document.warnings]))

    async def _in(self, worker: ThreadPoolExecutor, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(worker, work)

    def _open_files(self, document: Document) -> dict[Path, Any]:
        others = (each for each in self.documents.values() if each is not document and each.path is not None)
        return {each.path: each.seen_by_others() for each in others if each.path is not None}

    async def warm_up(self) -> None:
        """Import what the first answers need before anyone waits for it."""
        from importlib import import_module

        for name in ("convspec.explain.layer", "convspec.lint", "convspec.analysis.budgets"):
            await self._in(self._other_worker, partial(import_module, name))

    # ── diagnostics ──

    def _placed(self, document: Document, found: Iterable[Diagnostic]) -> dict[str, list[types.Diagnostic]]:
        by_uri = published(found, document.buffer, self.uri_of, types.PositionEncodingKind(self.encoding))
        for use in (item for item in document.syntax_items() if isinstance(item, ast.Use)):
            path = self.views.target(self.view(document), use.path)
            there = self._uri_of_path(path) if path is not None else document.uri
            wrong = [each for each in by_uri.get(there, ()) if each.severity == types.DiagnosticSeverity.Error]
            if wrong and there != document.uri:
                by_uri.setdefault(document.uri, []).append(elsewhere(use, there, wrong, document.encoding))
        return by_uri

    def _tell(self, document: Document, by_uri: dict[str, list[types.Diagnostic]]) -> None:
        """Publish what was found through a document, in the files it belongs to; each file shows what all have found."""
        before = self._told.get(document.uri, {})
        self._told[document.uri] = by_uri
        for uri in {document.uri, *before, *by_uri}:
            merged: dict[Any, types.Diagnostic] = {}
            for told in self._told.values():
                for each in told.get(uri, ()):
                    start, end = each.range.start, each.range.end
                    merged.setdefault((each.code, start.line, start.character, end.line, end.character, each.message), each)
            shown = list(merged.values())
            version = self.documents[uri].version if uri in self.documents else None
            if self._shown.get(uri) != (version, shown):
                self._shown[uri] = (version, shown)
                self._publish(uri, version, shown)


def _guarded(job: Job) -> Outcome | None:
    """The outcome; None where the text changed meanwhile, so that whatever happened means nothing."""
    try:
        return analyse(job)
    except Stale:
        return None
    except Exception:
        if job.stale.is_set():
            return None
        raise
