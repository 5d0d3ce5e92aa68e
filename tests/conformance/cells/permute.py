"""Cells of `permute`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> permute([0, 1])", x=noise(2, 3)),
    Cell("x -> permute([0, 2, 1])", x=noise(2, 3, 5)),
    Cell("x -> permute([0, 1, -1])", x=noise(2, 3, 5)),
    Cell("x -> permute(order = [batch, width, height, channels])", x=noise(2, 3, 4, 5)),
    Cell("x -> permute([0, 2, 3, 1])", x=noise(2, 3, 4, 5)),
    Cell("x -> permute([0, 3, 1, 2])", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    Cell("x -> permute([0, 1, 3, 2])", x=noise(2, 3, 4, 5)),
    Cell("x -> permute([0, 2, 1, 4, 3])", x=noise(2, 3, 4, 5, 2)),
    Cell("x -> permute([0, 4, 2, 1, 3])", x=noise(2, 3, 4, 5, 2), types={"x": "float32[N, c, d, h, w]"}),
    Cell("x -> permute([0, 2, 1])", x=np.arange(24).reshape(2, 3, 4), gradients=False),
    Cell("x -> permute([0, 2, 1])", x=np.arange(24).reshape(2, 3, 4) % 3 == 0, gradients=False),
)

X = "float32[N, 3, 4]"
BAD = (
    Bad("order", "x -> permute([1, 0, 2])", "CNN045", "the batch stays first", "channels", x=X),
    Bad("order", "x -> permute([0, 2])", "CNN046", "2 of the 3 axes", "channels", x=X),
    Bad("order", "x -> permute([0, 1, 1])", "CNN045", "channels twice", x=X),
    Bad("order", "x -> permute([0, 1, 3])", "CNN044", "no axis 3", x=X),
    Bad("order", "x -> permute(order = [batch, height, channels])", "CNN045", "no height", x=X),
)
