"""The server through its real protocol: a process, and a client over its standard streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

NET = """\
model Net {
    input x: float32[N, 3, 8, 8]
    output x -> conv(8, 3x3) -> relu
}
"""


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[sys.executable, "-m", "convspec", "lsp", "--stdio"]))
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    capabilities = types.ClientCapabilities()
    await lsp_client.initialize_session(types.InitializeParams(capabilities=capabilities))
    yield
    await lsp_client.shutdown_session()


def opened(client: LanguageClient, uri: str, text: str) -> None:
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "cnn", 1, text)))


async def told(client: LanguageClient, uri: str, version: int) -> list[types.Diagnostic]:
    """What is said of a version, when shapes have been worked out."""
    for _ in range(200):
        await asyncio.sleep(0.02)
        if uri in client.diagnostics:
            return list(client.diagnostics[uri])
    raise AssertionError("nothing was published")


@pytest.mark.asyncio
async def test_open(client: LanguageClient, tmp_path: Path) -> None:
    uri = (tmp_path / "a.cnn").as_uri()
    opened(client, uri, NET.replace("relu", "rellu"))
    found = await told(client, uri, 1)
    assert [each.code for each in found] == ["CNN021"]
    assert found[0].range == types.Range(types.Position(2, 32), types.Position(2, 37))
