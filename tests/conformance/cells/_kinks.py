"""Numbers at which activations have their bends, and far out ones."""

from __future__ import annotations

import numpy as np

from convspec.ir.types import Array

GRID = (-100.0, -6.0, -3.0, -2.5, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 3.0, 6.0, 7.0, 100.0)


def kinks(*shape: int) -> Array:
    """Numbers of GRID in an order that follows no axis, as often as they are needed."""
    count = int(np.prod(shape))
    return np.random.default_rng([*shape]).permutation(np.resize(np.array(GRID), count)).reshape(shape)
