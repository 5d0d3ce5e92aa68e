"""Cells of `log`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import positive

CELLS = (
    Cell("x -> log", x=positive(2, 5)),
    Cell("log(x)", x=positive(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> log", x=abs(ties(2, 3, 4, 5))),
    Cell("x -> log", x=ties(2, 3, 4, 5)),
    Cell("x -> log", x=positive(1, 2, 3, 4, 2)),
)

BAD = (Bad("", "x -> log", "CNN037", "not on int64", x="int64[N, 4]"),)
