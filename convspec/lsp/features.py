"""The table of features: which request is answered by which function on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from convspec.lsp.server import answered

if TYPE_CHECKING:
    from convspec.lsp.server import Server


def register(server: Server) -> None:
    """Give the server all features."""
    _on_places(server)


def _on_places(server: Server) -> None:
    """Requests about a place in the text."""
    from convspec.lsp.hover import hover

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: types.HoverParams) -> types.Hover | None:
        return await answered(
            server, params.text_document.uri, lambda it: hover(server.project, it, params.position), fresh=True
        )
