"""Cells of `max`."""

from tests.conformance.cell import Bad, Cell, noise, ties
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> max(channels)", x=ties(2, 5)),
    Cell("x -> max(channels, keep = false)", x=ties(2, 5)),
    Cell("x -> max", x=ties(2, 3, 4)),
    Cell("x -> max(axes = channels, keep = false)", x=ties(2, 3, 4)),
    Cell("x -> max(length, keep = true)", x=noise(2, 3, 4), types={"x": "float32[N, c, h]"}),
    Cell("x -> max", x=ties(2, 3, 4, 5)),
    Cell("x -> max(keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> max([height, width], keep = true)", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    Cell("x -> max(channels, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> max(height, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> max(axes = all)", x=ties(2, 3, 4, 5)),
    Cell("x -> max(all, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> max([-1, 1], keep = true)", x=ties(2, 3, 4, 5)),
    Cell("x -> max", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> max([channels, height], keep = false)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> max(depth, keep = true)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> max(channels)", x=whole(2, 3, 4), gradients=False),
    Cell("x -> max(channels)", x=whole(2, 3, dtype="int32"), gradients=False),
)

BAD = (
    Bad("axes", "x -> max(length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> max(0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> max([2, height])", "CNN045", "height twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> max", "CNN045", "float32[N, 4] has none", x="float32[N, 4]"),
    Bad("keep", "x -> max(keep = 1)", "CNN040", "true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> max", "CNN037", "not on uint8", x="uint8[N, 4, 3]"),
)
