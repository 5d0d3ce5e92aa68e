"""Cells of `depth_to_space`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def from_cells(*block: int):  # type: ignore[no-untyped-def]
    """The definition: cell by cell, from the channels from cell * C on."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        sizes = [n * b for n, b in zip(x.shape[2:], block, strict=True)]
        channels = x.shape[1] // int(np.prod(block))
        y = torch.zeros(len(x), channels, *sizes, dtype=x.dtype)
        for cell, place in enumerate(np.ndindex(*block)):
            window = tuple(slice(i, None, b) for i, b in zip(place, block, strict=True))
            y[(slice(None), slice(None), *window)] = x[:, cell * channels : (cell + 1) * channels]
        return y

    return formula


CELLS = (
    Cell("x -> depth_to_space(factor = 2)", x=noise(2, 6, 4), oracle=from_cells(2)),
    Cell("x -> depth_to_space(3)", x=noise(2, 6, 4), types={"x": "float32[N, 6, l]"}, oracle=from_cells(3)),
    Cell("x -> depth_to_space(2)", x=noise(2, 8, 3, 4), oracle=from_cells(2, 2)),
    Cell("x -> depth_to_space(2x3)", x=noise(2, 12, 3, 2), oracle=from_cells(2, 3)),
    Cell("x -> depth_to_space(2)", x=noise(2, 8, 3, 4), types={"x": "float32[N, 8, h, w]"}, oracle=from_cells(2, 2)),
    Cell("x -> space_to_depth(2) -> depth_to_space(2)", x=noise(2, 3, 4, 6), oracle=lambda x: x * 1),
    Cell("x -> depth_to_space(2)", x=noise(1, 16, 2, 1, 3), oracle=from_cells(2, 2, 2)),
    Cell(
        "x -> depth_to_space(1x2x3)",
        x=noise(1, 12, 2, 1, 3),
        types={"x": "float32[N, 12, d, h, w]"},
        oracle=from_cells(1, 2, 3),
    ),
    Cell("x -> depth_to_space(2)", x=np.arange(48).reshape(1, 8, 2, 3), gradients=False),
    Cell("x -> depth_to_space(2)", x=np.arange(48).reshape(1, 8, 2, 3) % 3 == 0, gradients=False),
)

BAD = (
    Bad("factor", "x -> depth_to_space(2)", "CNN036", "2 * 2 = 4", "not 6", x="float32[N, 6, 4, 4]"),
    Bad("factor", "x -> depth_to_space(0)", "CNN045", "at least 1, not 0", x="float32[N, 8, 4, 4]"),
    Bad("factor", "x -> depth_to_space(2x2x2)", "CNN045", "2x2x2", x="float32[N, 8, 4, 4]"),
    Bad("", "x -> depth_to_space(2)", "CNN030", "rank 2", x="float32[N, 8]"),
)
