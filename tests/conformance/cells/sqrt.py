"""Cells of `sqrt`."""

from tests.conformance.cell import Bad, Cell, ties
from tests.conformance.cells._arithmetic import positive

CELLS = (
    Cell("x -> sqrt", x=positive(2, 5)),
    Cell("sqrt(x)", x=positive(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> sqrt", x=abs(ties(2, 3, 4, 5))),
    Cell("x -> sqrt", x=ties(2, 3, 4, 5)),
    Cell("x -> relu -> sqrt", x=ties(2, 3, 4, 5)),
    Cell("x -> relu6 -> conv(2, 1) -> relu -> maxpool(2) -> sqrt", x=ties(1, 2, 4, 4)),
    Cell("log(x -> relu) + (1 / (x -> relu6)) + (x -> relu) ** 0.5", x=ties(2, 3, 4, 5)),
    Cell("x -> sqrt", x=positive(1, 2, 3, 4, 2)),
)

BAD = (Bad("", "x -> sqrt", "CNN037", "not on int64", x="int64[N, 4]"),)
