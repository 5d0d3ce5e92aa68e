"""Cells of `pixel_unshuffle`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def unshuffled(*factor: int):  # type: ignore[no-untyped-def]
    """The definition: cell by cell, to channel c * cells + cell."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        places = [tuple(slice(i, None, f) for i, f in zip(place, factor, strict=True)) for place in np.ndindex(*factor)]
        return torch.stack([x[(slice(None), slice(None), *place)] for place in places], 2).flatten(1, 2)

    return formula


CELLS = (
    Cell("x -> pixel_unshuffle(2)", x=noise(2, 3, 4), oracle=unshuffled(2)),
    Cell("x -> pixel_unshuffle(3)", x=noise(2, 2, 6), types={"x": "float32[N, 2, 3*l]"}, oracle=unshuffled(3)),
    Cell("x -> pixel_unshuffle(2)", x=noise(2, 3, 4, 6), oracle=unshuffled(2, 2)),
    Cell("x -> pixel_unshuffle(2x3)", x=noise(2, 2, 4, 6), oracle=unshuffled(2, 3)),
    Cell("x -> pixel_unshuffle(2)", x=noise(2, 3, 4, 6), types={"x": "float32[N, c, 2*h, 2*w]"}, oracle=unshuffled(2, 2)),
    Cell("x -> pixel_unshuffle(2) -> pixel_shuffle(2)", x=noise(2, 3, 4, 6), oracle=lambda x: x * 1),
    Cell("x -> pixel_unshuffle(2)", x=noise(1, 2, 2, 4, 6), oracle=unshuffled(2, 2, 2)),
    Cell(
        "x -> pixel_unshuffle(1x2x3)",
        x=noise(1, 2, 2, 4, 6),
        types={"x": "float32[N, 2, d, 2*h, 3*w]"},
        oracle=unshuffled(1, 2, 3),
    ),
    Cell("x -> pixel_unshuffle(2)", x=np.arange(48).reshape(1, 2, 4, 6), gradients=False),
    Cell("x -> pixel_unshuffle(2)", x=np.arange(48).reshape(1, 2, 4, 6) % 3 == 0, gradients=False),
)

BAD = (
    Bad("factor", "x -> pixel_unshuffle(2)", "CNN045", "width", "multiple of 2, not 5", x="float32[N, 6, 4, 5]"),
    Bad("factor", "x -> pixel_unshuffle(2)", "CNN034", "height", "not h", x="float32[N, 6, h, 4]"),
    Bad("factor", "x -> pixel_unshuffle(0)", "CNN045", "at least 1, not 0", x="float32[N, 8, 4, 4]"),
    Bad("", "x -> pixel_unshuffle(2)", "CNN030", "rank 2", x="float32[N, 8]"),
)
