"""Cells of `sub`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x - y", x=noise(2, 5), y=noise(2, 5, seed=1)),
    Cell("x - y", x=noise(2, 3, 4), y=noise(2, 1, 4)),
    Cell("x - y", x=noise(2, 1, 4, 5), y=noise(2, 3, 4, 1), types={"x": "float32[N, 1, h, w]", "y": "float32[N, 3, h, 1]"}),
    Cell("x - y", x=noise(1, 2, 3, 4, 2), y=noise(1, 2, 1, 4, 2)),
    Cell("x - 0.1", x=noise(2, 3, 4)),
    Cell("x - 0.1", x=noise(2, 3, 4, 5)),
    Cell("x - 0.1", x=noise(1, 2, 3, 4, 2)),
    Cell("3 - x", x=noise(2, 3, 4)),
    Cell("3 - x", x=noise(2, 3, 4, 5)),
    Cell("3 - x", x=noise(1, 2, 3, 4, 2)),
    Cell("x - y", x=whole(2, 3), y=whole(2, 1), gradients=False),
    Cell("2 - x", x=whole(2, 3, dtype="int32"), gradients=False),
    Cell("x - 2", x=whole(2, 3, dtype="uint8", least=7), gradients=False),
)

BAD = (
    Bad("left", "0.5 - x", "CNN037", "a whole number", "not 0.5", x="int64[N, 4]"),
    Bad("right", "x - 300", "CNN037", "from 0 to 255", "not 300", x="uint8[N, 4]"),
    Bad("", "x - y", "CNN031", "differ in height", "height 7", "height 8", x="float32[N, 4, 7, 7]", y="float32[N, 4, 8, 7]"),
    Bad("", "x - y", "CNN030", "not of 4 and 2", x="float32[N, 4, 7, 7]", y="float32[N, 4]"),
    Bad("", "x - y", "CNN037", "differ in dtype", x="float32[N, 4]", y="int64[N, 4]"),
)
