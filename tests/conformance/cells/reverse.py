"""Cells of `reverse`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def turned(*axes: int):  # type: ignore[no-untyped-def]
    """The definition: the last position first."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        for axis in axes:
            x = x.index_select(axis, torch.arange(x.shape[axis] - 1, -1, -1))
        return x

    return formula


CELLS = (
    Cell("x -> reverse(channels)", x=noise(2, 5), oracle=turned(1)),
    Cell("x -> reverse(length)", x=noise(2, 4, 5), types={"x": "float32[N, 4, l]"}, oracle=turned(2)),
    Cell("x -> reverse([channels, length])", x=noise(2, 4, 5), oracle=turned(1, 2)),
    Cell("x -> reverse(axis = 1)", x=noise(2, 3, 4, 5), oracle=turned(1)),
    Cell(
        "x -> reverse(axis = [width, channels])", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}, oracle=turned(3, 1)
    ),
    Cell("x -> reverse(axis = [-1, depth])", x=noise(1, 2, 3, 4, 2), oracle=turned(4, 2)),
    Cell("x -> reverse(axis = length)", x=np.arange(24).reshape(2, 3, 4), gradients=False),
    Cell("x -> reverse(axis = length)", x=np.arange(24).reshape(2, 3, 4) % 5 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("axis", "x -> reverse(batch)", "CNN047", "batch", x=X),
    Bad("axis", "x -> reverse(0)", "CNN045", "cannot be the batch", x=X),
    Bad("axis", "x -> reverse([height, 2])", "CNN045", "height twice", x=X),
    Bad("axis", "x -> reverse(depth)", "CNN045", "no depth", x=X),
)
