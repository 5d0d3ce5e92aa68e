"""Cells of `hardswish`."""

from tests.conformance.cell import Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> hardswish", x=kinks(2, 14)),
    Cell("x -> hardswish", x=kinks(2, 3, 8), types={"x": "float32[N, 3, 4*l]"}),
    Cell("x -> hardswish", x=kinks(2, 3, 4, 5)),
    Cell("x -> hardswish", x=kinks(1, 2, 3, 4, 2)),
)
BAD = ()
