"""Cells of `hardtanh`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> hardtanh", x=kinks(2, 14)),
    Cell("x -> hardtanh", x=kinks(2, 3, 8)),
    Cell("x -> hardtanh(-3, 6)", x=kinks(2, 3, 8)),
    Cell("x -> hardtanh", x=kinks(2, 3, 4, 5)),
    Cell("x -> hardtanh(-3, 6)", x=kinks(2, 3, 4, 5)),
    Cell("x -> hardtanh", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> hardtanh(-3, 6)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> hardtanh(min = 0.25)", x=kinks(2, 3, 4, 5)),
    Cell("x -> hardtanh(max = 0)", x=kinks(2, 3, 4, 5)),
)
BAD = (
    Bad("min", "x -> hardtanh(2, 1)", "CNN045", "2 is not below 1", x="float32[N, 4, 7, 7]"),
    Bad("max", "x -> hardtanh(max = -1)", "CNN045", "-1 is not below -1", x="float32[N, 4, 7, 7]"),
)
