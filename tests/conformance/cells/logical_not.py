"""Cells of `logical_not`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> logical_not", x=whole(2, 3) > 0, gradients=False),
    Cell("x -> logical_not", x=whole(2, 3, 4) > 0, types={"x": "bool[N, 3, h]"}, gradients=False),
    Cell("where(logical_not(x > 0), x * x, 3 * x)", x=ties(2, 3, 4, 5)),
    Cell("logical_not(x)", x=whole(1, 2, 3, 4, 2) > 0, gradients=False),
)

BAD = (Bad("", "x -> logical_not", "CNN037", "not on float32", x="float32[N, 4]"),)
