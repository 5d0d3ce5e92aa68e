"""Cells of `leaky_relu`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> leaky_relu", x=kinks(2, 14)),
    Cell("x -> leaky_relu", x=kinks(2, 3, 8)),
    Cell("x -> leaky_relu(0.3)", x=kinks(2, 3, 8)),
    Cell("x -> leaky_relu", x=kinks(2, 3, 4, 5)),
    Cell("x -> leaky_relu(0.3)", x=kinks(2, 3, 4, 5)),
    Cell("x -> leaky_relu", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> leaky_relu(0.3)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> leaky_relu(-0.5)", x=kinks(2, 7)),
)
BAD = (Bad("slope", 'x -> leaky_relu("steep")', "CNN040", "`slope` takes a number", "steep", x="float32[N, 4, 7, 7]"),)
