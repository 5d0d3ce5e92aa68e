"""Cells of `logical_and`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> logical_and(y)", x=whole(2, 3) > 0, y=whole(2, 1) > 0, gradients=False),
    Cell("x -> logical_and(y)", x=whole(2, 3, 4) > 0, y=whole(2, 1, 4) > 0, gradients=False),
    Cell("where(logical_and(x > 0, x < 1), x * x, 3 * x)", x=ties(2, 3, 4, 5)),
    Cell("logical_and(x, y)", x=whole(1, 2, 3, 4, 2) > 0, y=whole(1, 2, 1, 4, 2) > 0, gradients=False),
)

BAD = (
    Bad("", "x -> logical_and(y)", "CNN037", "not on float32", x="bool[N, 4]", y="float32[N, 4]"),
    Bad("", "x -> logical_and(y)", "CNN031", "differ in channels", x="bool[N, 4]", y="bool[N, 5]"),
)
