"""Cells of `roll`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def rolled(axis: int, shift: int):  # type: ignore[no-untyped-def]
    """The definition: position (i - shift) mod n."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        n = x.shape[axis]
        return x.index_select(axis, torch.tensor([(i - shift) % n for i in range(n)]))

    return formula


CELLS = (
    Cell("x -> roll(1, axis = channels)", x=noise(2, 5), oracle=rolled(1, 1)),
    Cell("x -> roll(2, length)", x=noise(2, 3, 5), oracle=rolled(2, 2)),
    Cell("x -> roll(-7, axis = -1)", x=noise(2, 3, 5), types={"x": "float32[N, 3, l]"}, oracle=rolled(2, -7)),
    Cell("x -> roll(7, axis = length)", x=noise(2, 3, 5), types={"x": "float32[N, 3, l]"}, oracle=rolled(2, 7)),
    Cell("x -> roll(5, axis = length)", x=noise(2, 3, 5), oracle=rolled(2, 5)),
    Cell("x -> roll(-2, axis = channels)", x=noise(2, 3, 4, 5), oracle=rolled(1, -2)),
    Cell("x -> roll([1, -2], axis = [height, width])", x=noise(2, 3, 4, 5), oracle=lambda x: rolled(2, 1)(rolled(3, -2)(x))),
    Cell(
        "x -> roll(-3, [width, height])",
        x=noise(2, 3, 4, 5),
        types={"x": "float32[N, c, h, w]"},
        oracle=lambda x: rolled(2, -3)(rolled(3, -3)(x)),
    ),
    Cell("x -> roll(1, axis = depth)", x=noise(1, 2, 3, 2, 2), oracle=rolled(2, 1)),
    Cell("x -> roll(1, axis = width)", x=np.arange(24).reshape(1, 2, 3, 4), gradients=False),
    Cell("x -> roll(1, axis = width)", x=np.arange(24).reshape(1, 2, 3, 4) % 5 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("shift", "x -> roll([1, 2], axis = width)", "CNN046", "2 numbers for 1 axes", x=X),
    Bad("shift", "x -> roll(1.5, axis = width)", "CNN040", "1.5", x=X),
    Bad("shift", "x -> roll(3000000000, axis = width)", "CNN045", "3000000000", x=X),
    Bad("axis", "x -> roll(1)", "CNN041", "axis", x=X),
    Bad("axis", "x -> roll(1, axis = 0)", "CNN045", "cannot be the batch", x=X),
    Bad("axis", "x -> roll(1, axis = [width, 3])", "CNN045", "width twice", x=X),
)
