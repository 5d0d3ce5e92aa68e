"""Cells of `minimum`."""

from typing import Any

import torch

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import whole


def shared(x: Any, y: Any) -> Any:
    """Of the two stacked: equal elements share the gradient."""
    return torch.stack((x + 0 * y, y + 0 * x)).amin(0)


CELLS = (
    Cell("x -> minimum(y)", x=ties(2, 5), y=ties(2, 5, seed=1), oracle=shared),
    Cell("x -> minimum(y)", x=ties(2, 3, 4), y=ties(2, 1, 4, seed=1), oracle=shared),
    Cell("x -> minimum(y)", x=ties(2, 1, 4, 5), y=ties(2, 3, 4, 1, seed=1), oracle=shared),
    Cell(
        "minimum(x, y)",
        x=noise(2, 3, 4, 5),
        y=noise(2, 3, 4, 5, seed=1),
        types={"x": "float32[N, c, h, w]", "y": "float32[N, c, h, w]"},
    ),
    Cell("x -> minimum(y)", x=ties(1, 2, 3, 4, 2), y=ties(1, 2, 3, 4, 2, seed=1), oracle=shared),
    Cell("x -> minimum(b = y)", x=ties(2, 5), y=ties(1, 5, seed=1), types={"y": "float32[1, 5]"}, oracle=shared),
    Cell("x -> minimum(b = y)", x=ties(2, 3, 4), y=ties(2, 3, 1, seed=1), oracle=shared),
    Cell("x -> minimum(b = y)", x=ties(2, 3, 4, 5), y=ties(2, 3, 1, 1, seed=1), oracle=shared),
    Cell("x -> minimum(b = y)", x=ties(1, 2, 3, 4, 2), y=ties(1, 2, 1, 1, 1, seed=1), oracle=shared),
    Cell("x -> minimum(0.5)", x=ties(2, 3, 4)),
    Cell("x -> minimum(0)", x=ties(2, 3, 4, 5)),
    Cell("x -> minimum(number = 0.1)", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> minimum(y)", x=whole(2, 3), y=whole(2, 1), gradients=False),
    Cell("x -> minimum(1)", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (
    Bad("number", "x -> minimum(0.5)", "CNN037", "a whole number", "not 0.5", x="int64[N, 4]"),
    Bad("number", "x -> minimum(y, 0.5)", "CNN042", "given both", x="float32[N, 4]", y="float32[N, 4]"),
    Bad("", "x -> minimum", "CNN041", "only one tensor", x="float32[N, 4]"),
    Bad(
        "",
        "x -> minimum(y)",
        "CNN031",
        "differ in height",
        "height 7",
        "height 8",
        x="float32[N, 4, 7, 7]",
        y="float32[N, 4, 8, 7]",
    ),
    Bad("", "x -> minimum(y)", "CNN037", "differ in dtype", x="float32[N, 4]", y="int64[N, 4]"),
)
