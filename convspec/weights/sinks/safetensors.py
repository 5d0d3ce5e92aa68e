"""Safetensors by label, the one stored form, with its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.weights import store


def write(path: Path, module: Module, weights: Mapping[str, Array]) -> list[Path]:
    """The file, whole or not at all. Failure CNN400."""
    return [store.save(path, {name: weights[name] for name in module.graph.parameters()}, module.name)]


__all__ = ["write"]
