"""A `.weights.h5` file, which the Keras model of the tensorflow target loads: `build().load_weights(path)`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from convspec.elaborate.module import Module
from convspec.files import staged
from convspec.targets.base import Weights


def write(path: Path, module: Module, weights: Weights) -> list[Path]:
    """Failure CNN303 without Keras, CNN090 where the target cannot write the network, CNN400."""
    from convspec.targets.tensorflow.packaging import to_keras

    model = to_keras(module, weights)
    with staged(path) as temporary:
        named = temporary.with_name(f"{temporary.stem}.weights.h5")  # Keras takes no other name
        try:
            model.save_weights(named)
            os.replace(named, temporary)
        finally:
            with suppress(OSError):
                named.unlink(missing_ok=True)
    return [path]


__all__ = ["write"]
