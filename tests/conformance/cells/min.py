"""Cells of `min`."""

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> min(channels)", x=ties(2, 5)),
    Cell("x -> min(channels, keep = false)", x=ties(2, 5)),
    Cell("x -> min", x=ties(2, 3, 4)),
    Cell("x -> min(axes = channels, keep = false)", x=ties(2, 3, 4)),
    Cell("x -> min(length, keep = true)", x=noise(2, 3, 4), types={"x": "float32[N, c, h]"}),
    Cell("x -> min", x=ties(2, 3, 4, 5)),
    Cell("x -> min(keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> min([height, width], keep = true)", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    Cell("x -> min(channels, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> min(height, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> min(axes = all)", x=ties(2, 3, 4, 5)),
    Cell("x -> min(all, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> min([-1, 1], keep = true)", x=ties(2, 3, 4, 5)),
    Cell("x -> min", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> min([channels, height], keep = false)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> min(depth, keep = true)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> min(channels)", x=whole(2, 3, 4), gradients=False),
    Cell("x -> min(channels)", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (
    Bad("axes", "x -> min(length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> min(0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> min([2, height])", "CNN045", "height twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> min", "CNN045", "float32[N, 4] has none", x="float32[N, 4]"),
    Bad("keep", "x -> min(keep = 1)", "CNN040", "true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> min", "CNN037", "not on uint8", x="uint8[N, 4, 3]"),
)
