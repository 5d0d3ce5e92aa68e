"""Cells of `selu`."""

from tests.conformance.cell import Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> selu", x=kinks(2, 14)),
    Cell("x -> selu", x=kinks(2, 3, 8), types={"x": "float32[N, 3, 4*l]"}),
    Cell("x -> selu", x=kinks(2, 3, 4, 5)),
    Cell("x -> selu", x=kinks(1, 2, 3, 4, 2)),
)
BAD = ()
