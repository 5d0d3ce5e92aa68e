"""The definitions in `helpers/` as text, and which of them a graph needs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from convspec.targets.source.material import Material
from convspec.targets.source.render import HELPERS, parts

_MATERIAL = Material(Path(__file__).parent / "helpers")


def helper_names() -> list[str]:
    """Every helper there is."""
    return list(_MATERIAL.texts)


def helper_texts(trees: Iterable[Any]) -> list[str]:
    """The definitions that these lowerings name, with what they use in turn, each after what it uses."""
    used = {part.fn for tree in trees for part in parts(tree)}
    return _MATERIAL.text_of(fn.removeprefix(HELPERS) for fn in used if fn.startswith(HELPERS))


__all__ = ["helper_names", "helper_texts"]
