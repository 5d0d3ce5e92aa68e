"""Cells of `flatten`."""

import numpy as np

from tests.conformance.cell import Cell, noise

CELLS = (
    Cell("x -> flatten", x=noise(2, 5)),
    Cell("x -> flatten", x=noise(2, 3, 5)),
    Cell("x -> flatten", x=noise(2, 3, 4, 5)),
    Cell("x -> flatten", x=noise(2, 3, 1, 1)),
    Cell("x -> flatten", x=noise(2, 1, 4, 5)),
    Cell("x -> flatten", x=noise(1, 3, 2, 2, 2)),
    Cell("x -> flatten", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}),
    Cell("x -> flatten", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    # the weight takes the order of channels last; behind other layers it does too, or the data are put in order
    Cell("x -> flatten -> linear(4)", x=noise(2, 3, 2, 5), oracle=lambda x, weight, bias: x.flatten(1) @ weight.T + bias),
    Cell("x -> flatten -> batchnorm -> relu -> linear(4)", x=noise(2, 3, 2, 5)),
    Cell("x -> relu -> flatten -> slice(1, 9) -> linear(4)", x=noise(2, 3, 2, 5)),
    Cell("x -> flatten -> reshape([6, 5]) -> conv(4, 3)", x=noise(2, 3, 2, 5)),
    Cell("concat(x -> flatten, z) -> linear(4)", x=noise(2, 3, 2, 2), z=noise(2, 3)),
    Cell("x -> flatten", x=np.arange(12).reshape(1, 3, 2, 2), gradients=False),
    Cell("x -> flatten", x=np.arange(12).reshape(1, 3, 2, 2) % 5 == 0, gradients=False),
)

BAD = ()
