"""Weights written in every format that convspec knows, one file a format; the suffix says which."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array

SUFFIXES = {
    ".safetensors": "safetensors", ".pt": "torch", ".pth": "torch",
    ".weights.h5": "keras_h5", ".keras": "keras", ".onnx": "onnx",
}  # fmt: skip
"""Which file here writes what."""


def write(path: str | Path, module: Module, weights: Mapping[str, Array]) -> list[Path]:
    """Write canonical `weights` of `module` in the format of the suffix, whole or not at all; the files written.

    Failure CNN401 for another suffix, CNN400 where it cannot be written.
    """
    path = Path(path)
    kind = next((kind for suffix, kind in SUFFIXES.items() if path.name.lower().endswith(suffix)), None)
    if kind is None:
        hint = f"name a file that ends in {', '.join(SUFFIXES)}"
        raise fail(error("CNN401", f"weights cannot be written as {path.name}: its suffix says no format", hint=hint))
    writer = importlib.import_module(f"convspec.weights.sinks.{kind}")
    written: list[Path] = writer.write(path, module, weights)
    return written


__all__ = ["SUFFIXES", "write"]
