"""Small inputs for the tests of ops: smooth ones, and quantised ones that hit kinks and ties."""

from __future__ import annotations

import numpy as np

from convspec.ir.types import Array

SHAPES = {2: (2, 6), 3: (2, 3, 4), 4: (2, 3, 4, 2), 5: (2, 3, 2, 4, 2)}
"""By rank. Channels, spatial sizes and batch differ where it tells axes apart; all but the channels of rank 3 up are even."""

GRID = np.array([-6.0, -3.0, -2.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.5, 3.0, 6.0, 7.0])
"""Where the activations have their kinks, and places between."""


def smooth(rank: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=SHAPES[rank])


def quantised(rank: int) -> Array:
    """Every value of GRID at least once, in an order that follows no axis."""
    shape = SHAPES[rank]
    repeated = np.resize(GRID, int(np.prod(shape)))
    return np.random.default_rng(rank).permutation(repeated).reshape(shape)


def open_axes(rank: int) -> dict[int, int]:
    """For `check(free = …)`: the batch is N, every spatial size an even symbolic one."""
    return {0: 1, **dict.fromkeys(range(2, rank), 2)}
