"""Cells of `abs`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> abs", x=ties(2, 5)),
    Cell("abs(x)", x=ties(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> abs", x=ties(2, 3, 4, 5)),
    Cell("x -> abs", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> abs", x=whole(2, 3), gradients=False),
    Cell("x -> abs", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (Bad("", "x -> abs", "CNN037", "not on uint8", x="uint8[N, 4]"),)
