"""Cells of `channel_shuffle`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def dealt(groups: int):  # type: ignore[no-untyped-def]
    """The definition: the first channel of every group, the second of every group, …"""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        each = x.shape[1] // groups
        return torch.stack([x[:, i * each + j] for j in range(each) for i in range(groups)], 1)

    return formula


CELLS = (
    Cell("x -> channel_shuffle(2)", x=noise(2, 6), oracle=dealt(2)),
    Cell("x -> channel_shuffle(3)", x=noise(2, 6, 4), types={"x": "float32[N, 6, l]"}, oracle=dealt(3)),
    Cell("x -> channel_shuffle(2)", x=noise(2, 6, 4, 5), oracle=dealt(2)),
    Cell("x -> channel_shuffle(3)", x=noise(2, 6, 4, 5), types={"x": "float32[N, 6, h, w]"}, oracle=dealt(3)),
    Cell("x -> channel_shuffle(2)", x=noise(2, 6, 4, 5), types={"x": "float32[N, 2*c, h, w]"}, oracle=dealt(2)),
    Cell("x -> channel_shuffle(1)", x=noise(2, 6, 4, 5), oracle=dealt(1)),
    Cell("x -> channel_shuffle(4)", x=noise(2, 8, 2, 1, 3), oracle=dealt(4)),
    Cell("x -> channel_shuffle(2)", x=np.arange(24).reshape(1, 6, 4), gradients=False),
    Cell("x -> channel_shuffle(2)", x=np.arange(24).reshape(1, 6, 2, 2) % 4 == 0, gradients=False),
)

BAD = (
    Bad("groups", "x -> channel_shuffle(4)", "CNN036", "6 channels", "4 equal groups", x="float32[N, 6, 4, 4]"),
    Bad("groups", "x -> channel_shuffle(2)", "CNN036", "c channels", x="float32[N, c, 4, 4]"),
    Bad("groups", "x -> channel_shuffle(0)", "CNN045", "at least 1, not 0", x="float32[N, 6, 4, 4]"),
)
