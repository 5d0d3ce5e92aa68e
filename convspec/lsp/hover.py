"""What is under the mouse."""

from __future__ import annotations

from lsprotocol import types

from convspec.lsp.document import Document


def hover(document: Document, position: types.Position) -> types.Hover | None:
    """Stand-in."""
    return None
