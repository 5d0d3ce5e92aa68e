"""Cells of `tile`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def repeated(*repeats: int):  # type: ignore[no-untyped-def]
    """The definition: copies put side by side."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        for axis, times in enumerate(repeats, 1):
            x = torch.cat([x] * times, axis)
        return x

    return formula


CELLS = (
    Cell("x -> tile([3])", x=noise(2, 5), oracle=repeated(3)),
    Cell("x -> tile([1, 2])", x=noise(2, 3, 4), types={"x": "float32[N, 3, l]"}, oracle=repeated(1, 2)),
    Cell("x -> tile([2, 1, 3])", x=noise(2, 2, 3, 4), oracle=repeated(2, 1, 3)),
    Cell("x -> tile([1, 1, 1])", x=noise(2, 2, 3, 4), oracle=repeated(1, 1, 1)),
    Cell("x -> tile([1, 3, 2])", x=noise(2, 2, 3, 4), types={"x": "float32[N, c, h, w]"}, oracle=repeated(1, 3, 2)),
    Cell("x -> tile([2, 2, 1, 3])", x=noise(1, 2, 2, 3, 1), oracle=repeated(2, 2, 1, 3)),
    Cell("x -> tile([1, 2])", x=np.arange(12).reshape(1, 3, 4), gradients=False),
    Cell("x -> tile([1, 2])", x=np.arange(12).reshape(1, 3, 4) % 3 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("repeats", "x -> tile([2, 2])", "CNN046", "2 numbers", "3 axes", x=X),
    Bad("repeats", "x -> tile([1, 0, 2])", "CNN045", "at least 1, not 0", x=X),
    Bad("repeats", "x -> tile(2)", "CNN040", "the integer 2", x=X),
)
