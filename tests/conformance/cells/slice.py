"""Cells of `slice`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def part(axis: int, start: int = 0, stop: int | None = None, step: int = 1):  # type: ignore[no-untyped-def]
    """The definition: positions picked one by one."""

    def formula(x):  # type: ignore[no-untyped-def]
        import torch

        return x.index_select(axis, torch.tensor(range(x.shape[axis])[start:stop:step]))

    return formula


CELLS = (
    Cell("x -> slice(1, 3)", x=noise(2, 5), oracle=part(1, 1, 3)),
    Cell("x -> slice(step = 2)", x=noise(2, 5), oracle=part(1, step=2)),
    Cell("x -> slice(2)", x=noise(2, 5, 3), oracle=part(1, 2)),
    Cell("x -> slice(1, -1, step = 2, axis = length)", x=noise(2, 3, 8), oracle=part(2, 1, -1, 2)),
    Cell("x -> slice(-3, axis = -1)", x=noise(2, 3, 5), types={"x": "float32[N, 3, 4*l + 1]"}, oracle=part(2, -3)),
    Cell("x -> slice(0, -2, axis = length)", x=noise(2, 3, 5), types={"x": "float32[N, 3, l + 4]"}, oracle=part(2, 0, -2)),
    Cell("x -> slice(step = 2, axis = length)", x=noise(2, 3, 5), types={"x": "float32[N, 3, l]"}, oracle=part(2, step=2)),
    Cell("x -> slice(0, 2)", x=noise(2, 3, 4, 5), oracle=part(1, 0, 2)),
    Cell("x -> slice(stop = 2, axis = height)", x=noise(2, 3, 4, 5), oracle=part(2, 0, 2)),
    Cell("x -> slice(stop = -1, axis = height)", x=noise(1, 2, 2, 3, 2), oracle=part(3, 0, -1)),
    Cell("x -> slice(1, 4, axis = width)", x=noise(2, 3, 4, 5), oracle=part(3, 1, 4)),
    Cell("x -> slice(1, axis = height, step = 3)", x=noise(2, 3, 8, 5), oracle=part(2, 1, step=3)),
    Cell("x -> slice(0, 1, axis = 2)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}, oracle=part(2, 0, 1)),
    Cell("x -> slice(1, step = 2)", x=noise(2, 4, 1, 2, 3), oracle=part(1, 1, step=2)),
    Cell("x -> slice(-2, -1, axis = depth)", x=noise(2, 3, 3, 2, 2), oracle=part(2, -2, -1)),
    Cell("x -> slice(0, 2, axis = width)", x=np.arange(24).reshape(1, 2, 3, 4), gradients=False),
    Cell("x -> slice(0, 2, axis = width)", x=np.arange(24).reshape(1, 2, 3, 4) % 3 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("start", "x -> slice(5, axis = width)", "CNN044", "is 5", "width of 5", "-5 to 4", x=X),
    Bad("start", "x -> slice(-6, axis = width)", "CNN044", "is -6", x=X),
    Bad("start", "x -> slice(-3, axis = width)", "CNN034", "at least 3", "w", x="float32[N, 3, 4, w]"),
    Bad("start", "x -> slice(3, axis = width)", "CNN034", "at least 4", "`w >= 4`", x="float32[N, 3, 4, w]"),
    Bad("stop", "x -> slice(0, 6, axis = width)", "CNN044", "is 6", "width of 5", "-4 to 5", x=X),
    Bad("stop", "x -> slice(3, 3, axis = width)", "CNN035", "from 3 to 3", "empty", x=X),
    Bad("stop", "x -> slice(0, -1, axis = width)", "CNN034", "at least 2", x="float32[N, 3, 4, w]"),
    Bad("stop", "x -> slice(2, -1, axis = width)", "CNN034", "may be empty", x="float32[N, 3, 4, w + 2]"),
    Bad("step", "x -> slice(0, 2, step = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("axis", "x -> slice(0, 1, axis = 0)", "CNN045", "cannot be the batch", x=X),
    Bad("axis", "x -> slice(0, 1, axis = depth)", "CNN045", "no depth", x=X),
)
