"""Cells of `celu`."""

from tests.conformance.cell import Bad, Cell, distinct, ties
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> celu", x=kinks(2, 14)),
    Cell("x -> celu", x=kinks(2, 3, 8)),
    Cell("x -> celu(0.3)", x=kinks(2, 3, 8)),
    Cell("x -> celu", x=kinks(2, 3, 4, 5)),
    Cell("x -> celu(0.3)", x=kinks(2, 3, 4, 5)),
    Cell("x -> celu", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> celu(0.3)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> celu(0.7)", x=distinct(2, 7)),
    Cell("x -> celu(2)", x=ties(2, 7)),
)
BAD = (Bad("alpha", "x -> celu(0)", "CNN045", "`alpha` must be above 0", "not 0", x="float32[N, 4, 7, 7]"),)
