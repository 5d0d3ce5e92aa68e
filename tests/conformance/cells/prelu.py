"""Cells of `prelu`."""

from tests.conformance.cell import Bad, Cell, distinct
from tests.conformance.cells._kinks import kinks

CELLS = (
    Cell("x -> prelu", x=kinks(2, 7)),
    Cell("x -> prelu(per = one)", x=kinks(2, 7)),
    Cell("x -> prelu(per = channel)", x=kinks(2, 3, 5)),
    Cell("x -> prelu(per = one)", x=kinks(2, 3, 5)),
    Cell("x -> prelu", x=kinks(1, 3, 4, 3)),  # as many channels as columns
    Cell("x -> prelu(per = one)", x=distinct(2, 3, 4, 5), types={"x": "float32[N, C, 4*h, W]"}),
    Cell("x -> prelu", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> prelu(per = one)", x=kinks(1, 2, 3, 4, 2)),
    Cell("x -> flatten -> prelu -> linear(3)", x=kinks(2, 3, 2, 2)),
    Cell("x -> flatten -> prelu(per = one) -> linear(3)", x=kinks(2, 3, 2, 2)),
)
BAD = (
    Bad("per", "x -> prelu(per = pixel)", "CNN047", "channel, one", "pixel", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> prelu", "CNN033", "slope for every channel", "C", x="float32[N, C, 7, 7]"),
)
