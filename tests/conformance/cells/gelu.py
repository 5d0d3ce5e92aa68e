"""Cells of `gelu`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> gelu", x=kinks(2, 14)),
    Cell("x -> gelu", x=kinks(2, 3, 8)),
    Cell("x -> gelu(approx = tanh)", x=kinks(2, 3, 8)),
    Cell("x -> gelu", x=kinks(2, 3, 4, 5)),
    Cell("x -> gelu(approx = tanh)", x=kinks(2, 3, 4, 5)),
    Cell("x -> gelu", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> gelu(approx = tanh)", x=kinks(1, 2, 3, 4, 2)),
)
BAD = (Bad("approx", "x -> gelu(approx = erf)", "CNN047", "none, tanh", "erf", x="float32[N, 4, 7, 7]"),)
