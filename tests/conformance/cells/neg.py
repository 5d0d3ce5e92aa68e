"""Cells of `neg`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("-x", x=noise(2, 5)),
    Cell("-x", x=noise(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("-x", x=noise(2, 3, 4, 5)),
    Cell("-x", x=noise(1, 2, 3, 4, 2)),
    Cell("-x", x=whole(2, 3, dtype="int64"), gradients=False),
    Cell("-x", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (Bad("", "-x", "CNN037", "not on uint8", x="uint8[N, 4]"),)
