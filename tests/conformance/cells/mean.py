"""Cells of `mean`."""

from tests.conformance.cell import Bad, Cell, noise, ties

CELLS = (
    Cell("x -> mean(channels)", x=ties(2, 5)),
    Cell("x -> mean(channels, keep = false)", x=ties(2, 5)),
    Cell("x -> mean", x=ties(2, 3, 4)),
    Cell("x -> mean(axes = channels, keep = false)", x=ties(2, 3, 4)),
    Cell("x -> mean(length, keep = true)", x=noise(2, 3, 4), types={"x": "float32[N, c, h]"}),
    Cell("x -> mean", x=ties(2, 3, 4, 5)),
    Cell("x -> mean(keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean([height, width], keep = true)", x=noise(2, 3, 4, 5), types={"x": "float32[N, c, h, w]"}),
    Cell("x -> mean(channels, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean(height, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean(axes = all)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean(all, keep = false)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean([-1, 1], keep = true)", x=ties(2, 3, 4, 5)),
    Cell("x -> mean", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> mean([channels, height], keep = false)", x=ties(1, 2, 3, 4, 2)),
    Cell("x -> mean(depth, keep = true)", x=ties(1, 2, 3, 4, 2)),
)

BAD = (
    Bad("axes", "x -> mean(length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> mean(0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> mean([2, height])", "CNN045", "height twice", x="float32[N, 4, 7, 7]"),
    Bad("axes", "x -> mean", "CNN045", "float32[N, 4] has none", x="float32[N, 4]"),
    Bad("keep", "x -> mean(keep = 1)", "CNN040", "true or false", x="float32[N, 4, 7, 7]"),
    Bad("", "x -> mean", "CNN037", "not on uint8", x="uint8[N, 4, 3]"),
)
