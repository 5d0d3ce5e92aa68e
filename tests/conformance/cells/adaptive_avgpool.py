"""Cells of `adaptive_avgpool`."""

from tests.conformance.cell import Bad, Cell, noise

CELLS = (
    Cell("x -> adaptive_avgpool(3)", x=noise(2, 3, 7)),
    Cell("x -> adaptive_avgpool(4)", x=noise(2, 3, 8)),
    Cell("x -> adaptive_avgpool(5)", x=noise(2, 3, 3)),
    Cell("x -> adaptive_avgpool(3)", x=noise(2, 3, 7), types={"x": "float32[N, 3, H]"}),
    Cell("x -> adaptive_avgpool(3x4)", x=noise(2, 3, 7, 10)),
    Cell("x -> adaptive_avgpool(1)", x=noise(2, 3, 5, 4), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> adaptive_avgpool(2x5)", x=noise(2, 3, 6, 5)),
    Cell("x -> adaptive_avgpool(2)", x=noise(2, 3, 6, 4), types={"x": "float32[N, 3, 2*h, 2*w]"}),
    Cell("x -> adaptive_avgpool([4, 3])", x=noise(2, 3, 7, 10), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> adaptive_avgpool(2x3x2)", x=noise(1, 2, 4, 5, 3)),
    Cell("x -> adaptive_avgpool(2)", x=noise(1, 2, 4, 2, 6)),
    Cell("x -> adaptive_avgpool([3, 1, 2])", x=noise(1, 2, 4, 5, 3), types={"x": "float32[N, 2, D, H, W]"}),
)

BAD = (
    Bad("size", "x -> adaptive_avgpool(0)", "CNN045", "at least 1, not 0", x="float32[N, 3, 8, 8]"),
    Bad("size", "x -> adaptive_avgpool(2x2)", "CNN045", "2 numbers (2x2)", "1 spatial axis", x="float32[N, 3, 8]"),
    Bad("", "x -> adaptive_avgpool(2)", "CNN030", "rank 2", x="float32[N, 3]"),
)
