"""`identity`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> identity -> relu", x=noise(2, 3, 4)),
    Cell("x -> conv(2, 1) -> identity", x=noise(2, 3, 4, 5)),
    Cell("x -> relu -> identity", x=noise(1, 2, 3, 2, 2)),
    Cell("x -> identity", x=noise(3, 4)),
)
BAD = (Bad("", "x -> identity(3)", "CNN042", "takes no positional arguments", x="float32[1, 2, 3]"),)
