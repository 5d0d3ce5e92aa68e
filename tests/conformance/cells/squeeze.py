"""Cells of `squeeze`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> squeeze(2)", x=noise(2, 3, 1)),
    Cell("x -> squeeze(1)", x=noise(2, 1, 3)),
    Cell("x -> squeeze(axis = [channels, length])", x=noise(2, 1, 1)),
    Cell("x -> squeeze(axis = height)", x=noise(2, 3, 1, 5)),
    Cell("x -> squeeze(-1)", x=noise(2, 3, 5, 1), types={"x": "float32[N, c, h, 1]"}),
    Cell("x -> squeeze(axis = [height, width])", x=noise(2, 3, 1, 1)),
    Cell("x -> squeeze(axis = channels)", x=noise(2, 1, 4, 5), types={"x": "float32[N, 1, h, w]"}),
    Cell("x -> squeeze([1, 2])", x=noise(2, 1, 1, 5)),
    Cell("x -> squeeze(axis = depth)", x=noise(2, 3, 1, 4, 5)),
    Cell("x -> squeeze(1)", x=noise(2, 1, 3, 4, 5)),
    Cell("x -> squeeze([4, 2])", x=noise(2, 3, 1, 4, 1)),
    Cell("x -> squeeze(2)", x=np.arange(6).reshape(2, 3, 1), gradients=False),
    Cell("x -> squeeze(1)", x=np.arange(6).reshape(2, 1, 3) % 2 == 0, gradients=False),
)

BAD = (
    Bad("axis", "x -> squeeze(2)", "CNN031", "the length is 4", x="float32[N, 3, 4]"),
    Bad("axis", "x -> squeeze(2)", "CNN031", "the length is h", x="float32[N, 3, h]"),
    Bad("axis", "x -> squeeze(0)", "CNN045", "cannot be the batch", x="float32[1, 3, 1]"),
    Bad("axis", "x -> squeeze([2, -1])", "CNN045", "length twice", x="float32[1, 3, 1]"),
    Bad("axis", "x -> squeeze([])", "CNN040", "a list of 0", x="float32[1, 3, 1]"),
)
