"""The server through its real protocol: a process, and a client over its standard streams."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

NET = """\
# 😀 é
block Twice(x: tensor, width: int) {
    return x -> conv(width, 3x3, pad = 1)->relu
}

model Net {
    input x: float32[N, 3, 8, 8]
    output x -> Twice(4) -> relu
}
"""


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[sys.executable, "-m", "convspec", "lsp", "--stdio"]))  # type: ignore[untyped-decorator]
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    capabilities = client_capabilities("visual-studio-code")

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]
    def registered(params: types.RegistrationParams) -> None:
        assert [each.method for each in params.registrations] == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]

    @lsp_client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)  # type: ignore[untyped-decorator]
    def refreshed(params: None) -> None:
        pass

    await lsp_client.initialize_session(types.InitializeParams(capabilities=capabilities))
    yield
    await lsp_client.shutdown_session()


class Editor:
    """A file that is open in a client."""

    def __init__(self, client: LanguageClient, uri: str, text: str) -> None:
        self.client, self.uri, self.version = client, uri, 1
        self.document = types.TextDocumentIdentifier(uri)
        client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "cnn", 1, text)))

    def edit(self, *changes: types.TextDocumentContentChangeEvent) -> None:
        self.version += 1
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, list(changes)))

    def type(self, line: int, start: int, end: int, text: str) -> None:
        range_ = types.Range(types.Position(line, start), types.Position(line, end))
        self.edit(types.TextDocumentContentChangePartial(range=range_, text=text))

    async def codes(self, wanted: list[str]) -> None:
        """Wait until these, and no others, are the codes that are told."""
        found: list[object] = []
        for _ in range(500):
            found = [each.code for each in self.client.diagnostics.get(self.uri, [])]
            if found == wanted and self.uri in self.client.diagnostics:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{found} instead of {wanted}")


@pytest.mark.asyncio
async def test_a_session(client: LanguageClient, tmp_path: Path) -> None:
    net = Editor(client, (tmp_path / "a.cnn").as_uri(), NET)
    await net.codes([])
    net.type(7, 28, 32, "rellu")
    await net.codes(["CNN021"])
    (found,) = client.diagnostics[net.uri]
    assert found.range == types.Range(types.Position(7, 28), types.Position(7, 33)) and found.source == "convspec"
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(net.document, found.range, types.CodeActionContext([found]))
    )
    assert actions and isinstance(actions[0], types.CodeAction) and "relu" in actions[0].title
    net.type(7, 28, 33, "relu")
    net.type(0, 4, 4, "\n# é 😀")  # in UTF-16 the first face takes two
    await net.codes([])

    at = types.Position(3, 17)
    hover = await client.text_document_hover_async(types.HoverParams(net.document, at))
    assert hover is not None and "[N, 3, 8, 8]` → `[N, 4, 8, 8]" in getattr(hover.contents, "value", "")
    everything = types.Range(types.Position(0, 0), types.Position(20, 0))
    hints = await client.text_document_inlay_hint_async(types.InlayHintParams(net.document, everything))
    assert [hint.label for hint in hints or []] == ["[N, 4, 8, 8]"] * 4
    offered = await client.text_document_completion_async(types.CompletionParams(net.document, types.Position(8, 28)))
    assert "relu" in [item.label for item in getattr(offered, "items", [])]
    signature = await client.text_document_signature_help_async(types.SignatureHelpParams(net.document, types.Position(3, 21)))
    assert signature is not None and signature.signatures[0].label.startswith("conv(filters")
    places = await client.text_document_definition_async(types.DefinitionParams(net.document, types.Position(8, 17)))
    assert isinstance(places, list) and places[0].range.start == types.Position(2, 6)
    uses = types.ReferenceParams(types.ReferenceContext(True), net.document, types.Position(2, 8))
    assert len(await client.text_document_references_async(uses) or []) == 2
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(net.document))
    assert [symbol.name for symbol in symbols or []] == ["Twice", "Net"]
    tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(net.document))
    assert tokens is not None and len(tokens.data) % 5 == 0 and list(tokens.data[:2]) == [2, 6]
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(net.document))
    assert [(fold.start_line, fold.end_line) for fold in folds or []] == [(0, 1), (2, 3), (6, 8)]
    lit = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(net.document, types.Position(3, 21))
    )
    assert len(lit or []) == 2
    options = types.FormattingOptions(4, True)
    edits = await client.text_document_formatting_async(types.DocumentFormattingParams(net.document, options))
    assert edits and "pad = 1) -> relu" in edits[0].new_text
    new = await client.text_document_rename_async(types.RenameParams(net.document, types.Position(2, 8), "Two"))
    assert new is not None and len((new.changes or {})[net.uri]) == 2


@pytest.mark.asyncio
async def test_what_is_refused_and_what_is_odd(client: LanguageClient, tmp_path: Path) -> None:
    net = Editor(client, "untitled:Untitled-1", NET)
    await net.codes([])
    with pytest.raises(Exception, match="belongs to the language"):
        await client.text_document_rename_async(types.RenameParams(net.document, types.Position(2, 17), "Two"))
    nowhere = types.TextDocumentIdentifier("file:///nowhere/a.cnn")
    assert await client.text_document_hover_async(types.HoverParams(nowhere, types.Position(0, 0))) is None
    far = types.Position(10_000, 10_000)
    assert await client.text_document_hover_async(types.HoverParams(net.document, far)) is None
    assert await client.text_document_completion_async(types.CompletionParams(net.document, far)) is not None
    client.protocol.notify("convspec/unknown", {})
    net.edit(types.TextDocumentContentChangeWholeDocument("\ufeff" + NET.replace("\n", "\r\n") + "x" * 30_000))
    await net.codes(["CNN001"])
    net.edit(types.TextDocumentContentChangeWholeDocument("\ufeff" + NET.replace("\n", "\r\n")))
    await net.codes([])
    client.text_document_did_close(types.DidCloseTextDocumentParams(net.document))
    assert await client.text_document_hover_async(types.HoverParams(net.document, types.Position(7, 18))) is None


def test_check_says_what_would_run() -> None:
    done = subprocess.run([sys.executable, "-m", "convspec", "lsp", "--check"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("convspec ") and ", pygls 2." in done.stdout and done.stdout.count("\n") == 1


def test_without_pygls_it_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['pygls'] = None; sys.argv = ['convspec', 'lsp', '--check']; import convspec.cli as c; c.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "pip install 'convspec[lsp]'" in done.stderr and not done.stdout


def test_nothing_but_the_protocol_is_written_to_standard_output() -> None:
    done = subprocess.run([sys.executable, "-m", "convspec", "lsp"], input=b"", capture_output=True, timeout=60, check=False)
    assert done.stdout == b"" and b"Traceback" not in done.stderr


def test_a_request_that_is_refused_is_no_failure_in_the_log() -> None:
    asked = {"textDocument": {"uri": "untitled:a"}, "position": {"line": 0, "character": 5}}
    sent = _opened(NET) + _framed({"id": 2, "method": "textDocument/prepareRename", "params": asked})
    sent += _framed({"id": 3, "method": "shutdown"}) + _framed({"method": "exit"})
    done = subprocess.run([sys.executable, "-m", "convspec", "lsp"], input=sent, capture_output=True, timeout=60, check=False)
    assert b"there is no name here" in done.stdout and done.stderr == b""


def test_it_ends_with_its_editor_whatever_is_under_way() -> None:
    endless = "model M {\n input x: float32[1, 1, 8, 8]\n for i in 0..90000 { x = x -> relu }\n output x\n}\n"
    with subprocess.Popen([sys.executable, "-m", "convspec", "lsp"], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as server:
        assert server.stdin is not None
        server.stdin.write(_opened(endless))
        server.stdin.flush()
        time.sleep(2)
        server.stdin.close()
        server.wait(10)


def _framed(message: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _opened(text: str) -> bytes:
    """What an editor sends that opens a text."""
    document = {"uri": "untitled:a", "languageId": "cnn", "version": 1, "text": text}
    initialize = {"id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None, "rootUri": None}}
    opened = {"method": "textDocument/didOpen", "params": {"textDocument": document}}
    return _framed(initialize) + _framed({"method": "initialized", "params": {}}) + _framed(opened)
