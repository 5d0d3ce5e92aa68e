"""The server: hands what the editor sends to the project and to the features, and their answers back."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from convspec.lsp.document import Document
from convspec.lsp.files import path_of
from convspec.lsp.project import Project
from convspec.version import VERSION

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_DEEP = 50_000
_WATCHED = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*.cnn")])


class Server(LanguageServer):
    """The state of one session."""

    def __init__(self) -> None:
        super().__init__("convspec", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.project = Project(self._publish, self._refresh)

    def _publish(self, uri: str, number: int | None, found: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version=number))

    def _refresh(self) -> None:
        """Hints and colours may have changed without an edit in the file that shows them."""
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """A failed request fails by itself: it is logged, and the server goes on. One that is refused is no failure."""
        if isinstance(error, JsonRpcException):
            return
        log.error("%s: %s", getattr(source, "__name__", source), error, exc_info=error)


def is_failure(record: logging.LogRecord) -> bool:
    """Whether what pygls would log of a request is a failure: one that was refused has told the editor why."""
    return record.exc_info is None or not isinstance(record.exc_info[1], JsonRpcException)


def about() -> str:
    """One line that says what would run."""
    return f"convspec {VERSION}, pygls {version('pygls')}"


def make_server() -> Server:
    """A server with all features."""
    from convspec.lsp import features

    server = Server()
    _workspace(server)
    _documents(server)
    features.register(server)
    return server


def run() -> None:
    """Serve standard input and output until the editor says that it is done. What is logged goes to standard error."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("pygls.protocol.json_rpc").addFilter(is_failure)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEP))  # for all threads at once, which share the limit
    stdin, stdout = os.fdopen(os.dup(sys.stdin.fileno()), "rb"), os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # the stream is the protocol's alone: what anything prints by mistake would break it
    server = make_server()
    try:
        server.start_io(stdin, stdout)
    finally:
        server.project.stop()


def _workspace(server: Server) -> None:
    """What the editor tells of itself, its folders and their files."""
    project = server.project

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        encoding: object = server.workspace.position_encoding  # a str where the client named some
        project.encoding = str(encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding)
        folders = [folder.uri for folder in params.workspace_folders or ()] or [uri for uri in (params.root_uri,) if uri]
        project.folders = [path for uri in folders if (path := path_of(uri)) is not None]

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(params: types.DidChangeWorkspaceFoldersParams) -> None:
        gone = {path_of(folder.uri) for folder in params.event.removed}
        added = [path for folder in params.event.added if (path := path_of(folder.uri)) is not None]
        project.folders = [path for path in project.folders if path not in gone] + added
        project.files_changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        project.files_changed()

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace is not None else None
        if watching is not None and watching.dynamic_registration:
            asked = types.Registration("convspec-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _WATCHED)
            server.client_register_capability(types.RegistrationParams([asked]))
        await project.warm_up()


def _documents(server: Server) -> None:
    """What is opened, edited and closed."""
    project = server.project

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        project.open(document.uri, document.version, document.text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        project.change(params.text_document.uri, params.text_document.version, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        project.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        """Nothing: the text is known."""


async def answered(server: Server, uri: str, answer: Callable[[Document], _T], fresh: bool = False) -> _T | None:
    """What a feature says of a document, or None; with `fresh` once its analysis is done. A bug is logged, never the end."""
    document = await server.project.settled(uri) if fresh else server.project.documents.get(uri)
    if document is None:
        return None
    try:
        return answer(document)
    except JsonRpcException:
        raise  # a request that is refused, with its reason
    except Exception:
        log.exception("a request about %s failed", uri)
        return None
