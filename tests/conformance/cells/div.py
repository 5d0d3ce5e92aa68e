"""Cells of `div`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import positive

CELLS = (
    Cell("x / y", x=noise(2, 5), y=positive(2, 5)),
    Cell("x / y", x=noise(2, 3, 4), y=-positive(2, 1, 4)),
    Cell("x / y", x=noise(2, 1, 4, 5), y=positive(2, 3, 4, 1), types={"x": "float32[N, 1, h, w]", "y": "float32[N, 3, h, 1]"}),
    Cell("x / y", x=noise(1, 2, 3, 4, 2), y=positive(1, 2, 1, 4, 2)),
    Cell("x / 3", x=noise(2, 3, 4)),
    Cell("x / 0.3", x=noise(2, 3, 4, 5)),
    Cell("x / 7", x=noise(1, 2, 3, 4, 2)),
    Cell("0.1 / x", x=positive(2, 3, 4)),
    Cell("1 / x", x=positive(2, 3, 4, 5)),
    Cell("1 / x", x=-positive(1, 2, 3, 4, 2)),
)

BAD = (
    Bad("left", "1 / x", "CNN037", "works on float32", "not on int64", x="int64[N, 4]"),
    Bad("right", "x / 0", "CNN045", "divided by 0", x="float32[N, 4, 7]"),
    Bad("", "x / y", "CNN031", "differ in length", "length 7", "length 8", x="float32[N, 4, 7]", y="float32[N, 4, 8]"),
)
