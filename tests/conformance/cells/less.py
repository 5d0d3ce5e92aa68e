"""Cells of `less`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x < y", x=ties(2, 5), y=ties(2, 5, seed=1), gradients=False),
    Cell("x < y", x=ties(2, 3, 4), y=ties(2, 1, 4, seed=1), gradients=False),
    Cell(
        "x < y",
        x=ties(2, 1, 4, 5),
        y=ties(2, 3, 4, 1, seed=1),
        types={"x": "float32[N, 1, h, w]", "y": "float32[N, 3, h, 1]"},
        gradients=False,
    ),
    Cell("x < y", x=ties(1, 2, 3, 4, 2), y=ties(1, 2, 1, 4, 2, seed=1), gradients=False),
    Cell("where(x < 0.5, x * x, 3 * x)", x=ties(2, 3, 4)),
    Cell("where(x < 0.5, x * x, 3 * x)", x=ties(2, 3, 4, 5)),
    Cell("x < 0", x=ties(1, 2, 3, 4, 2), gradients=False),
    Cell("0.5 < x", x=ties(2, 3, 4), gradients=False),
    Cell("where(0 < x, x * x, 3 * x)", x=ties(2, 3, 4, 5)),
    Cell("0 < x", x=ties(1, 2, 3, 4, 2), gradients=False),
    Cell("x < y", x=whole(2, 3), y=whole(2, 1), gradients=False),
    Cell("x < 1", x=whole(2, 3, dtype="int32"), gradients=False),
    Cell("8 < x", x=whole(2, 3, dtype="uint8", least=7), gradients=False),
)

BAD = (
    Bad("left", "0.5 < x", "CNN037", "a whole number", "not 0.5", x="int64[N, 4]"),
    Bad("right", "x < 300", "CNN037", "from 0 to 255", "not 300", x="uint8[N, 4]"),
    Bad("", "x < y", "CNN031", "differ in height", "height 7", "height 8", x="float32[N, 4, 7, 7]", y="float32[N, 4, 8, 7]"),
    Bad("", "x < y", "CNN037", "differ in dtype", x="float32[N, 4]", y="int64[N, 4]"),
)
