"""Cells of `exp`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> exp", x=noise(2, 5)),
    Cell("exp(x)", x=noise(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> exp", x=noise(2, 3, 4, 5)),
    Cell("x -> exp", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> flatten -> exp -> linear(3)", x=noise(2, 3, 2, 2)),
)

BAD = (Bad("", "x -> exp", "CNN037", "not on int64", x="int64[N, 4]"),)
