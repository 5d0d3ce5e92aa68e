"""Cells of `elu`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> elu", x=kinks(2, 14)),
    Cell("x -> elu", x=kinks(2, 3, 8)),
    Cell("x -> elu(0.3)", x=kinks(2, 3, 8)),
    Cell("x -> elu", x=kinks(2, 3, 4, 5)),
    Cell("x -> elu(0.3)", x=kinks(2, 3, 4, 5)),
    Cell("x -> elu", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> elu(0.3)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> elu(-0.5)", x=kinks(2, 7)),
)
BAD = (Bad("alpha", 'x -> elu("steep")', "CNN040", "`alpha` takes a number", "steep", x="float32[N, 4, 7, 7]"),)
