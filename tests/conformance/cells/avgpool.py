"""Cells of `avgpool`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

SQUARE = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)


def mean(kernel: Any, stride: Any, pad: Any, ceil: bool, count_pad: bool) -> Callable[[Any], Any]:
    """torch's own pool, where its arguments mean the same."""

    def formula(x: Any) -> Any:
        import torch

        pool = getattr(torch.nn.functional, f"avg_pool{len(kernel)}d")
        return pool(x, kernel, stride, pad, ceil, count_pad)

    return formula


CELLS = (
    Cell("x -> avgpool(3)", x=noise(2, 3, 10)),
    Cell("x -> avgpool(3, stride = 2, pad = 1, ceil = true)", x=noise(1, 2, 8), oracle=mean((3,), 2, 1, True, True)),
    Cell("x -> avgpool(3, stride = 2, pad = same, count_pad = false)", x=noise(2, 3, 8)),
    Cell("x -> avgpool(2, stride = 2, pad = [[0, 1]])", x=noise(2, 2, 7)),
    Cell("x -> avgpool(2x2)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, 2*h, 2*w]"}),
    Cell("x -> avgpool(3, stride = 2, pad = 1, ceil = true)", x=SQUARE, oracle=mean((3, 3), 2, 1, True, True)),
    Cell(
        "x -> avgpool(3, stride = 2, pad = 1, ceil = true, count_pad = false)", x=SQUARE, oracle=mean((3, 3), 2, 1, True, False)
    ),
    Cell("x -> avgpool(3x2, stride = [2, 3], pad = [[0, 1], [1, 0]], ceil = true)", x=noise(2, 2, 6, 7)),
    Cell("x -> avgpool(3x2, stride = [2, 3], pad = [[2, 1], [1, 0]], count_pad = false)", x=noise(2, 2, 6, 7)),
    Cell("x -> avgpool(4x3, stride = [3, 2], pad = same)", x=noise(2, 2, 8, 11)),
    Cell("x -> avgpool(3, stride = 1, pad = same, count_pad = false)", x=noise(2, 2, 5, 4), types={"x": "float32[N, 2, H, W]"}),
    Cell(
        "x -> avgpool([1, 4, 3], stride = [4, 1, 2], pad = [0, 2, 1])",
        x=noise(1, 2, 4, 3, 4),
    ),
    Cell(
        "x -> avgpool([1, 4, 3], stride = [4, 1, 2], pad = [0, 2, 1], ceil = true, count_pad = false)",
        x=noise(1, 2, 4, 3, 4),
    ),
    Cell("x -> avgpool(2)", x=noise(1, 2, 4, 2, 6), oracle=mean((2, 2, 2), 2, 0, False, True)),
    Cell("x -> avgpool(2, stride = 1, pad = same)", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> avgpool(3, stride = 2, pad = [[1, 0], 1, [0, 1]], ceil = true)", x=noise(1, 2, 4, 4, 4)),
)

X = "float32[N, 3, 7, 7]"
BAD = (
    Bad("kernel", "x -> avgpool(9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("stride", "x -> avgpool(2, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> avgpool(2, pad = 2, count_pad = false)", "CNN045", "wholly in the padding", "2 + 1", x=X),
    Bad("pad", "x -> avgpool(2, pad = [1, 1, 1])", "CNN045", "3 entries", x=X),
    Bad("ceil", "x -> avgpool(3, stride = 2, ceil = true)", "CNN033", "height H + 2", x="float32[N, 3, H + 2, 8]"),
    Bad("count_pad", "x -> avgpool(2, count_pad = 0)", "CNN040", "true or false", x=X),
)
