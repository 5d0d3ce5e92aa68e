"""A `.keras` file: the model with its weights, which `keras.models.load_model` reads without custom objects."""

from __future__ import annotations

from pathlib import Path

from convspec.elaborate.module import Module
from convspec.targets.base import Weights


def write(path: Path, module: Module, weights: Weights) -> list[Path]:
    """Failure CNN303 without Keras, CNN090 where the network needs a layer that Keras does not have, CNN400."""
    from convspec.targets.tensorflow.packaging import save_keras

    save_keras(module, weights, path)
    return [path]


__all__ = ["write"]
