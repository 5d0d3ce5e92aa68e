"""Cells of `space_to_depth`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def cells_outside(*block: int):  # type: ignore[no-untyped-def]
    """The definition: all channels of one cell of the block after those of the cell before."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        places = [tuple(slice(i, None, b) for i, b in zip(place, block, strict=True)) for place in np.ndindex(*block)]
        return torch.cat([x[(slice(None), slice(None), *place)] for place in places], 1)

    return formula


CELLS = (
    Cell("x -> space_to_depth(factor = 2)", x=noise(2, 3, 4), oracle=cells_outside(2)),
    Cell("x -> space_to_depth(3)", x=noise(2, 2, 6), types={"x": "float32[N, 2, 3*l]"}, oracle=cells_outside(3)),
    Cell("x -> space_to_depth(2)", x=noise(2, 3, 4, 6), oracle=cells_outside(2, 2)),
    Cell("x -> space_to_depth(1)", x=noise(2, 3, 4, 6)),
    Cell("x -> space_to_depth(2x3)", x=noise(2, 2, 4, 6), oracle=cells_outside(2, 3)),
    Cell("x -> space_to_depth(2)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, 2*h, 2*w]"}, oracle=cells_outside(2, 2)),
    Cell("x -> space_to_depth(2)", x=noise(1, 2, 2, 4, 6), oracle=cells_outside(2, 2, 2)),
    Cell(
        "x -> space_to_depth(1x2x3)",
        x=noise(1, 2, 2, 4, 6),
        types={"x": "float32[N, 2, d, 2*h, 3*w]"},
        oracle=cells_outside(1, 2, 3),
    ),
    Cell("x -> space_to_depth(2)", x=np.arange(48).reshape(1, 2, 4, 6), gradients=False),
    Cell("x -> space_to_depth(2)", x=np.arange(48).reshape(1, 2, 4, 6) % 3 == 0, gradients=False),
)

BAD = (
    Bad("factor", "x -> space_to_depth(2)", "CNN045", "width", "multiple of 2, not 5", x="float32[N, 6, 4, 5]"),
    Bad("factor", "x -> space_to_depth(2)", "CNN034", "height", "not h", x="float32[N, 6, h, 4]"),
    Bad("factor", "x -> space_to_depth(0)", "CNN045", "at least 1, not 0", x="float32[N, 8, 4, 4]"),
    Bad("", "x -> space_to_depth(2)", "CNN030", "rank 2", x="float32[N, 8]"),
)
