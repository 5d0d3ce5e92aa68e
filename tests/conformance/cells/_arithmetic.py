"""Arrays for cells of arithmetic."""

from __future__ import annotations

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import noise


def positive(*shape: int, seed: int = 0) -> Array:
    """Numbers of at least a half."""
    return np.asarray(0.5 + abs(noise(*shape, seed=seed)))


def whole(*shape: int, dtype: str = "int64", least: int = -2) -> Array:
    """Whole numbers from `least` on, in no order; several times each."""
    count = int(np.prod(shape))
    values = np.random.default_rng([*shape]).permutation(count) % 5 + least
    return np.asarray(values.reshape(shape).astype(dtype))
