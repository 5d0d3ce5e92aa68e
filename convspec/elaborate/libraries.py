"""The specs that the package ships, `"std:attention"` and `"zoo:resnet"`: where they lie and what they are called."""

from __future__ import annotations

import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

LIBRARIES = {name: _PACKAGE / name for name in ("std", "zoo")}
"""By the word before the colon: the folder whose files the names after it are."""


def library_of(path: Path) -> str | None:
    """The library that a file belongs to."""
    return next((name for name, folder in LIBRARIES.items() if path.is_relative_to(folder)), None)


def shipped(library: str) -> list[str]:
    """What may be written after `from`, sorted: `std:attention`, …"""
    folder = LIBRARIES[library]
    files = sorted(folder.rglob("*.cnn")) if folder.is_dir() else []
    return [library_name(path) for path in files]


def library_name(path: Path) -> str:
    """How a file of a library is called in specs and in messages."""
    library = library_of(path)
    assert library is not None
    return f"{library}:{path.relative_to(LIBRARIES[library]).with_suffix('').as_posix()}"


def plain(name: str) -> str:
    """A name without what frameworks write differently: `MobileNetV2`, `mobilenet_v2` and `mobilenet-v2` are one network.

    Digits that are apart stay so: `RegNetX_1_6GF` is not `regnet_x_16gf`.
    """
    return re.sub(r"[_\-. ]", "", re.sub(r"(?<=\d)[_\-. ](?=\d)", "|", name)).lower()


__all__ = ["LIBRARIES", "library_name", "library_of", "plain", "shipped"]
