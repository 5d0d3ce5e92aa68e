"""Cells of `expand`."""

from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.conformance.cell import Bad, Cell, noise


def copied(*axes: int):  # type: ignore[no-untyped-def]
    """The definition: one copy for every position of the other tensor."""

    def formula(x, z):  # type: ignore[no-untyped-def]
        import torch

        for axis in axes:
            x = torch.cat([x] * z.shape[axis], axis)
        return x

    return formula


def token(array: Array, z: Array, like: str) -> dict[str, Any]:
    """One tensor for the whole batch, and what it is expanded to."""
    return {"x": array, "z": z, "types": {"x": f"float32[{', '.join(map(str, array.shape))}]", "z": like}}


N1, N2, N3 = "float32[N, 3, 5]", "float32[N, c, h, w]", "float32[N, 2, d, 3, 4]"
CELLS = (
    Cell("x -> expand(z, axes = batch)", **token(noise(1, 4), z=noise(3, 7), like="float32[N, 7]"), oracle=copied(0)),
    Cell("x -> expand(z, axes = batch)", **token(noise(1, 3, 1), z=noise(2, 3, 5), like=N1), oracle=copied(0)),
    Cell(
        "concat(x -> expand(z, axes = batch), z, axis = length)",
        **token(noise(1, 3, 1), z=noise(2, 3, 5), like=N1),
    ),
    Cell("x -> expand(z, axes = [batch, 2])", **token(noise(1, 3, 1), z=noise(2, 3, 5), like=N1), oracle=copied(0, 2)),
    Cell("x -> expand(z, length)", x=noise(2, 3, 1), z=noise(2, 7, 5), oracle=copied(2)),
    Cell("x -> expand(z, [width, batch])", **token(noise(1, 3, 2, 1), z=noise(2, 3, 4, 5), like=N2), oracle=copied(0, 3)),
    Cell("x -> expand(z, axes = channels)", x=noise(2, 1, 4, 5), z=noise(2, 3, 1, 1), oracle=copied(1)),
    Cell("x -> expand(z, axes = [channels, height])", x=noise(2, 1, 1, 5), z=noise(2, 3, 4, 1), oracle=copied(1, 2)),
    Cell(
        "x -> expand(z, axes = [0, depth])",
        **token(noise(1, 2, 1, 3, 4), z=noise(2, 2, 3, 3, 4), like=N3),
        oracle=copied(0, 2),
    ),
    Cell("x -> expand(z, length)", x=np.arange(6).reshape(2, 3, 1), z=noise(2, 7, 5), gradients=False),
    Cell("x -> expand(z, length)", x=np.arange(6).reshape(2, 3, 1) % 2 == 0, z=noise(2, 7, 5), gradients=False),
)

X, Z = "float32[1, 3, 1]", "float32[N, 3, 5]"
BAD = (
    Bad("axes", "x -> expand(z, axes = channels)", "CNN031", "the channels is 3", x=X, z=Z),
    Bad("axes", "x -> expand(z, axes = batch)", "CNN031", "the batch is N", x=Z, z=Z),
    Bad("axes", "x -> expand(z, axes = [batch, 0])", "CNN045", "batch twice", x=X, z=Z),
    Bad("axes", "x -> expand(z, axes = 3)", "CNN044", "no axis 3", x=X, z=Z),
    Bad("", "x -> expand(z, axes = batch)", "CNN030", "of 3 and 4", x=X, z="float32[N, 3, 4, 5]"),
    Bad("", "x -> expand(axes = batch)", "CNN042", "like", x=X),
)
