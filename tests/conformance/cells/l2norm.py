"""Cells of `l2norm`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

SHORT = np.array([[0.0, 0.0, 0.0], [3e-13, 4e-13, 0.0], [0.75, 1.0, 0.0], [0.6, 0.8, -1.0]])
"""The zero vector, one shorter than 1e-12, one of length 1.25 and a longer one."""


def divided(*axes: int, eps: float = 1e-12) -> Callable[..., Any]:
    def formula(x: Any) -> Any:
        import torch

        square = (x * x).sum(axes, keepdim=True)
        long = square >= eps * eps
        return x / torch.where(long, torch.where(long, square, 1).sqrt(), eps)

    return formula


CELLS = (
    Cell("x -> l2norm", x=SHORT, oracle=divided(1)),
    Cell("x -> l2norm(eps = 1.25)", x=SHORT, oracle=divided(1, eps=1.25)),
    Cell("x -> flatten -> l2norm -> linear(2)", x=noise(2, 3, 2, 2)),
    Cell("x -> l2norm", x=noise(2, 3, 4), types={"x": "float32[N, C, 4*l]"}, oracle=divided(1)),
    Cell("x -> l2norm(axes = length, eps = 2)", x=noise(2, 3, 4), oracle=divided(2, eps=2)),
    Cell("x -> l2norm", x=noise(2, 3, 4, 5), oracle=divided(1)),
    Cell("x -> l2norm(axes = all)", x=noise(2, 3, 4, 5), oracle=divided(1, 2, 3)),
    Cell(
        "x -> l2norm(axes = [height, width], eps = 4)",
        x=noise(2, 3, 4, 5),
        types={"x": "float32[N, C, 4*h, W]"},
        oracle=divided(2, 3, eps=4),
    ),
    Cell("x -> relu -> l2norm(axes = width)", x=noise(2, 3, 4, 2)),
    Cell("x -> l2norm", x=noise(1, 3, 2, 3, 2), oracle=divided(1)),
    Cell("x -> l2norm(axes = [depth, channels], eps = 2)", x=noise(1, 3, 2, 3, 2), oracle=divided(1, 2, eps=2)),
)
BAD = (
    Bad("axes", "x -> l2norm(axes = [1, 1])", "CNN045", "names channels twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> l2norm(axes = batch)", "CNN047", "channels, all", "batch", x="float32[N, 4, 7, 7]"),
    Bad("eps", "x -> l2norm(eps = 1e-20)", "CNN045", "`eps` must be at least 1e-18", "1e-20", x="float32[N, 4, 7, 7]"),
)
