"""Cells of `dropout`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> dropout", x=noise(2, 5)),
    Cell("x -> dropout(0)", x=noise(2, 5), training=True),
    Cell("x -> dropout", x=noise(2, 3, 4), types={"x": "float32[N, 3, h]"}),
    Cell("x -> dropout(0.2)", x=noise(2, 3, 4)),
    Cell("x -> dropout(rate = 0)", x=noise(2, 3, 4), training=True),
    Cell("x -> dropout", x=noise(2, 3, 4, 5)),
    Cell("x -> dropout(0.9)", x=noise(2, 3, 4, 5)),
    Cell("x -> dropout", x=noise(1, 2, 3, 4, 2)),
    Cell("x -> dropout(0.1)", x=noise(1, 2, 3, 4, 2)),
)

BAD = (
    Bad("rate", "x -> dropout(1)", "CNN045", "below 1", "not 1", x="float32[N, 4]"),
    Bad("rate", "x -> dropout(-0.1)", "CNN045", "at least 0", "not -0.1", x="float32[N, 4]"),
)
