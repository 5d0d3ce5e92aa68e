"""Cells of `glu`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> glu", x=kinks(2, 6)),
    Cell("x -> glu", x=noise(2, 4, 5)),
    Cell("x -> glu(axis = length)", x=noise(2, 3, 6), types={"x": "float32[N, 3, 2*l]"}),
    Cell("x -> glu", x=noise(2, 6, 4, 3)),
    Cell("x -> glu(axis = width)", x=kinks(2, 3, 4, 6)),
    Cell("x -> glu(axis = 2)", x=noise(2, 3, 4, 5), types={"x": "float32[N, C, 4*h, W]"}),
    Cell("x -> glu", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> glu(axis = height)", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> flatten -> glu -> linear(3)", x=noise(2, 3, 2, 2)),
)
BAD = (
    Bad("axis", "x -> glu(axis = height)", "CNN045", "halves height", "7 is odd", x="float32[N, 4, 7, 7]"),
    Bad("axis", "x -> glu(axis = depth)", "CNN045", "has no depth", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> glu(axis = height)", "CNN045", "H may be odd", x="float32[N, 4, H, W]"),
)
