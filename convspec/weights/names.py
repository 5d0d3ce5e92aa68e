"""Names of tensors, which come from strangers' files: how they are shown, and which of them count for nothing."""

from __future__ import annotations

import unicodedata

IGNORED = "num_batches_tracked"
"""The last level of a name that PyTorch's batch norm stores and that no target needs."""

LONGEST = 120
"""Characters of a name that are shown; of a longer one the beginning and the end."""


def quoted(name: str) -> str:
    """The name as messages and reports show it: in backticks, on one line, whatever it holds."""
    return f"`{shown(name).replace('`', _escaped('`'))}`"


def shown(name: str) -> str:
    """The name with all escaped that would move a cursor or turn the direction of text; what is escaped stays as it is."""
    some = name if len(name) <= LONGEST else f"{name[:LONGEST]}{name[-LONGEST:]}"  # all that can be shown of it
    text = "".join(char if _harmless(char) else _escaped(char) for char in some)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 40]}…{text[-39:]}"


def ignored(name: str) -> bool:
    """Whether a tensor is one that PyTorch's batch norm stores and no spec has."""
    return name.rpartition(".")[2] == IGNORED


def _harmless(char: str) -> bool:
    """Neither control, format (bidi), surrogate, unassigned, nor a separator other than the space."""
    return char == " " or unicodedata.category(char)[0] not in "CZ"


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


__all__ = ["IGNORED", "ignored", "quoted", "shown"]
