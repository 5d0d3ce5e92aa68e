"""Cells of `unsqueeze`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> unsqueeze(1)", x=noise(2, 3)),
    Cell("x -> unsqueeze(-1)", x=noise(2, 3)),
    Cell("x -> unsqueeze(axis = channels)", x=noise(2, 3, 5), types={"x": "float32[N, c, l]"}),
    Cell("x -> unsqueeze(2)", x=noise(2, 3, 5)),
    Cell("x -> unsqueeze(axis = width)", x=noise(2, 3, 5)),
    Cell("x -> unsqueeze(1)", x=noise(2, 3, 4, 5)),
    Cell("x -> unsqueeze(axis = depth)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}),
    Cell("x -> unsqueeze(3)", x=noise(2, 3, 4, 5)),
    Cell("x -> unsqueeze(-1)", x=noise(2, 3, 4, 5)),
    Cell("x -> unsqueeze(1)", x=np.arange(6).reshape(2, 3), gradients=False),
    Cell("x -> unsqueeze(1)", x=np.arange(6).reshape(2, 3, 1) % 2 == 0, gradients=False),
)

BAD = (
    Bad("axis", "x -> unsqueeze(0)", "CNN045", "cannot be the batch", x="float32[N, 3]"),
    Bad("axis", "x -> unsqueeze(3)", "CNN044", "0 to 2", x="float32[N, 3]"),
    Bad("axis", "x -> unsqueeze(axis = height)", "CNN045", "no height", x="float32[N, 3]"),
    Bad("", "x -> unsqueeze(2)", "CNN030", "1 to 4, not 5", x="float32[N, 3, 4, 5, 6]"),
)
