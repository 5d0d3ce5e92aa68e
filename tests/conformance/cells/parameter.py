"""Cells of `parameter`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x + parameter([1, 3, 4])", x=noise(2, 3, 4), oracle=lambda x, weight: x + weight),
    Cell("x * parameter(1x3x1, trainable = false)", x=noise(2, 3, 4), oracle=lambda x, weight: x * weight),
    Cell("x + parameter([1, 3, 4, 2])", x=noise(2, 3, 4, 2), oracle=lambda x, weight: x + weight),
    Cell(
        "x * parameter([1, 3, 1, 2], init = ones, trainable = false)",
        x=noise(2, 3, 4, 2),
        types={"x": "float32[N, 3, H, 2]"},
        oracle=lambda x, weight: x * weight,
    ),
    Cell("x + parameter(1x3x4x1x2, trainable = true)", x=noise(2, 3, 4, 3, 2), oracle=lambda x, weight: x + weight),
    Cell("x - parameter([1, 1, 4, 3, 2], trainable = false)", x=noise(2, 3, 4, 3, 2), oracle=lambda x, weight: x - weight),
    Cell("x * parameter([1, 3], init = normal(0.02))", x=noise(2, 3), oracle=lambda x, weight: x * weight),
    Cell("[parameter([2, 3]), x]", x=noise(2, 3), outputs=2, types={"x": "float32[2, 3]"}),
    Cell("parameter([1, 2, 3]) -> conv(2, 2)", x=noise(2, 3)),
    Cell("(x -> embedding(5, 4)) + parameter([1, 4, 3])", x=np.array([[0, 4, 2], [1, 1, 3]])),
    Cell("parameter([4])", x=noise(2, 3)),
    Cell("x * parameter([1, 3, 1], stored = [3, 1])", x=noise(2, 3, 4), oracle=lambda x, weight: x * weight.reshape(1, 3, 1)),
    Cell(
        "x + parameter([1, 3, 2, 2], stored = [12])",
        x=noise(2, 3, 2, 2),
        oracle=lambda x, weight: x + weight.reshape(1, 3, 2, 2),
    ),
    Cell(
        "x * parameter([1, 2, 1, 3, 1], stored = 2x3)",
        x=noise(2, 2, 2, 3, 2),
        oracle=lambda x, weight: x * weight.reshape(1, 2, 1, 3, 1),
    ),
    Cell(
        "x + parameter([1, 2], stored = 2x1x1x1x1, trainable = false)",
        x=noise(2, 2),
        oracle=lambda x, weight: x + weight.reshape(1, 2),
    ),
)

BAD = (
    Bad("shape", "x + parameter([1, 0, 4])", "CNN045", "0", x="float32[N, 3, 4]"),
    Bad("shape", "x + parameter([1, 3, N])", "CNN033", "N", x="float32[N, 3, 4]"),
    Bad("shape", "x + parameter(4)", "CNN040", "list", x="float32[N, 3, 4]"),
    Bad("shape", "x + parameter([1, 1, 1, 1, 1, 1])", "CNN045", "at most 5", x="float32[N, 3, 4]"),
    Bad("init", "x + parameter([1, 3, 4], init = xavier_normal)", "CNN202", "xavier_normal", x="float32[N, 3, 4]"),
    Bad("trainable", "x + parameter([1, 3, 4], trainable = 1)", "CNN040", "true or false", x="float32[N, 3, 4]"),
    Bad("stored", "x + parameter([1, 3, 4], stored = [3, 5])", "CNN045", "15", "12", x="float32[N, 3, 4]"),
    Bad("", "x -> parameter([1, 3, 4])", "CNN042", "takes no tensor", x="float32[N, 3, 4]"),
)
