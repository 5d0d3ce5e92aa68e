"""Cells of `pixel_shuffle`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def shuffled(*factor: int):  # type: ignore[no-untyped-def]
    """The definition: cell by cell, from channel c * cells + cell."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        cells = int(np.prod(factor))
        sizes = [n * f for n, f in zip(x.shape[2:], factor, strict=True)]
        y = torch.zeros(len(x), x.shape[1] // cells, *sizes, dtype=x.dtype)
        for cell, place in enumerate(np.ndindex(*factor)):
            y[(slice(None), slice(None), *(slice(i, None, f) for i, f in zip(place, factor, strict=True)))] = x[:, cell::cells]
        return y

    return formula


CELLS = (
    Cell("x -> pixel_shuffle(2)", x=noise(2, 6, 4), oracle=shuffled(2)),
    Cell("x -> pixel_shuffle(3)", x=noise(2, 6, 4), types={"x": "float32[N, 6, l]"}, oracle=shuffled(3)),
    Cell("x -> pixel_shuffle(2)", x=noise(2, 8, 3, 4), oracle=shuffled(2, 2)),
    Cell("x -> pixel_shuffle(1)", x=noise(2, 3, 3, 4)),
    Cell("x -> pixel_shuffle(2x3)", x=noise(2, 12, 3, 2), oracle=shuffled(2, 3)),
    Cell("x -> pixel_shuffle(2)", x=noise(2, 8, 3, 4), types={"x": "float32[N, 4*c, h, w]"}, oracle=shuffled(2, 2)),
    Cell("x -> pixel_shuffle(1x2)", x=noise(2, 4, 3, 2), types={"x": "float32[N, 4, h, w]"}, oracle=shuffled(1, 2)),
    Cell("x -> pixel_shuffle(2)", x=noise(1, 16, 2, 1, 3), oracle=shuffled(2, 2, 2)),
    Cell(
        "x -> pixel_shuffle(1x2x3)", x=noise(1, 12, 2, 1, 3), types={"x": "float32[N, 12, d, h, w]"}, oracle=shuffled(1, 2, 3)
    ),
    Cell("x -> pixel_shuffle(2)", x=np.arange(48).reshape(1, 8, 2, 3), gradients=False),
    Cell("x -> pixel_shuffle(2)", x=np.arange(48).reshape(1, 8, 2, 3) % 3 == 0, gradients=False),
)

BAD = (
    Bad("factor", "x -> pixel_shuffle(2)", "CNN036", "2 * 2 = 4", "not 6", x="float32[N, 6, 4, 4]"),
    Bad("factor", "x -> pixel_shuffle(0)", "CNN045", "at least 1, not 0", x="float32[N, 8, 4, 4]"),
    Bad("factor", "x -> pixel_shuffle(2x2x2)", "CNN045", "2x2x2", x="float32[N, 8, 4, 4]"),
    Bad("factor", "x -> pixel_shuffle(2)", "CNN036", "not c", x="float32[N, c, 4, 4]"),
    Bad("", "x -> pixel_shuffle(2)", "CNN030", "rank 2", x="float32[N, 8]"),
)
