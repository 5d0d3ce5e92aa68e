"""Cells of `threshold`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> threshold(1)", x=kinks(2, 14)),
    Cell("x -> threshold(1)", x=kinks(2, 3, 8)),
    Cell("x -> threshold(1, 0.1)", x=kinks(2, 3, 8)),
    Cell("x -> threshold(0)", x=kinks(2, 3, 4, 5)),
    Cell("x -> threshold(-2.5, 20)", x=kinks(2, 3, 4, 5)),
    Cell("x -> threshold(3)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> threshold(0.25, -0.3)", x=kinks(1, 2, 3, 4, 2)),
)
BAD = (
    Bad("threshold", 'x -> threshold("high")', "CNN040", "`threshold` takes a number", "high", x="float32[N, 4, 7, 7]"),
    Bad("value", "x -> threshold(1, 3x3)", "CNN040", "`value` takes a number", "3x3", x="float32[N, 4, 7, 7]"),
)
