"""Cells of `adaptive_maxpool`."""

from tests.conformance.cell import Bad, Cell, ties

CELLS = (
    Cell("x -> adaptive_maxpool(3)", x=ties(2, 3, 7)),
    Cell("x -> adaptive_maxpool(4)", x=ties(2, 3, 8)),
    Cell("x -> adaptive_maxpool(5)", x=ties(2, 3, 3)),
    Cell("x -> adaptive_maxpool(3)", x=ties(2, 3, 7), types={"x": "float32[N, 3, H]"}),
    Cell("x -> adaptive_maxpool(3x4)", x=ties(2, 3, 7, 10)),
    Cell("x -> adaptive_maxpool(1)", x=ties(2, 3, 5, 4), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> adaptive_maxpool(2x5)", x=ties(2, 3, 6, 5)),
    Cell("x -> adaptive_maxpool(2)", x=ties(2, 3, 6, 4), types={"x": "float32[N, 3, 2*h, 2*w]"}),
    Cell("x -> adaptive_maxpool([4, 3])", x=ties(2, 3, 7, 10), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> adaptive_maxpool(2x3x2)", x=ties(1, 2, 4, 5, 3)),
    Cell("x -> adaptive_maxpool(2)", x=ties(1, 2, 4, 2, 6)),
    Cell("x -> adaptive_maxpool([3, 1, 2])", x=ties(1, 2, 4, 5, 3), types={"x": "float32[N, 2, D, H, W]"}),
)

BAD = (
    Bad("size", "x -> adaptive_maxpool(0)", "CNN045", "at least 1, not 0", x="float32[N, 3, 8, 8]"),
    Bad("size", "x -> adaptive_maxpool(2x2)", "CNN045", "2 numbers (2x2)", "1 spatial axis", x="float32[N, 3, 8]"),
    Bad("", "x -> adaptive_maxpool(2)", "CNN030", "rank 2", x="float32[N, 3]"),
)
