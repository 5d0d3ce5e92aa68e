"""Cells of `softplus`."""

from tests.conformance.cell import Bad, Cell
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> softplus", x=kinks(2, 14)),
    Cell("x -> softplus", x=kinks(2, 3, 8)),
    Cell("x -> softplus(beta = 2.5)", x=kinks(2, 3, 8)),
    Cell("x -> softplus", x=kinks(2, 3, 4, 5)),
    Cell("x -> softplus(beta = 2.5)", x=kinks(2, 3, 4, 5)),
    Cell("x -> softplus", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> softplus(beta = 2.5)", x=kinks(1, 2, 3, 4, 2)),
)
BAD = (Bad("beta", "x -> softplus(beta = -1)", "CNN045", "`beta` must be above 0", "-1", x="float32[N, 4, 7, 7]"),)
