"""Cells of `sum`."""

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> sum(channels)", x=ties(2, 5)),
    Cell("x -> sum(channels, keep = false)", x=ties(2, 5)),
    Cell("x -> sum", x=ties(2, 3, 4)),
    Cell("x -> sum(axes = channels, keep = false)", x=ties(2, 3, 4)),
    Cell("x -> sum(length, keep = true)", x=noise(2, 3, 4), types={"x": "float32[N, c, h]"}),
    Cell("x -> sum", x=ties(2, 3, 4, 5)),
    Cell("x -> sum(keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum([height, width], keep = true)", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    Cell("x -> sum(channels, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum(height, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum(axes = all)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum(all, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum([-1, 1], keep = true)", x=ties(2, 3, 4, 5)),
    Cell("x -> sum", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> sum([channels, height], keep = false)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> sum(depth, keep = true)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> sum(channels)", x=whole(2, 3, 4), gradients=False),
)

BAD = (
    Bad("axes", "x -> sum(length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> sum(0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> sum([2, height])", "CNN045", "height twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> sum", "CNN045", "float32[N, 4] has none", x="float32[N, 4]"),
    Bad("keep", "x -> sum(keep = 1)", "CNN040", "true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> sum", "CNN037", "not on uint8", x="uint8[N, 4, 3]"),
)
