"""An `.onnx` file: the model that the onnx target compiles, which carries the weights as its initializers."""

from __future__ import annotations

from pathlib import Path

from convspec.elaborate.module import Module
from convspec.targets.base import Weights, find_target


def write(path: Path, module: Module, weights: Weights) -> list[Path]:
    """Failure CNN090 or CNN091 as compiling has them, CNN400. Past 2 GB the tensors go to a file beside the model."""
    target = find_target("onnx")
    return target.emit(module, weights, target.options(stem=path.name.removesuffix(path.suffix))).write(path.parent)


__all__ = ["write"]
