"""Cells of `upsample`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells.resize import CORNERS, linear, nearest

OPEN = {"x": "float32[N, 3, H, W]"}

CELLS = (
    Cell("x -> upsample(3)", x=noise(2, 3, 5), oracle=nearest(15)),
    Cell("x -> upsample(41)", x=noise(1, 2, 2), oracle=nearest(82)),  # 1 / 41 is too small in float32
    Cell("x -> upsample(3, mode = linear, align_corners = false)", x=noise(2, 3, 5), oracle=linear(15)),
    Cell("x -> upsample(3, mode = linear)", x=noise(1, 1, 300), oracle=linear(900)),  # beyond what float32 positions give
    Cell("x -> upsample(2, mode = linear, align_corners = true)", x=noise(2, 3, 5), oracle=linear(10, **CORNERS)),
    Cell("x -> upsample(2)", x=noise(2, 3, 4, 5), types=OPEN, oracle=nearest(8, 10)),
    Cell("x -> upsample(1x3)", x=noise(2, 3, 4, 5), types=OPEN, oracle=nearest(4, 15)),
    Cell("x -> upsample(2, mode = linear)", x=noise(2, 3, 4, 5), types=OPEN, oracle=linear(8, 10)),
    Cell("x -> upsample(3x1, mode = linear)", x=noise(2, 3, 4, 5), types=OPEN, oracle=linear(12, 5)),
    Cell(
        "x -> upsample(2x3, mode = linear, align_corners = true)",
        x=noise(2, 3, 4, 5),
        types=OPEN,
        oracle=linear(8, 15, **CORNERS),
    ),
    Cell("x -> upsample(2, mode = linear, align_corners = true)", x=noise(2, 3, 1, 5), oracle=linear(2, 10, **CORNERS)),
    Cell("x -> upsample(1, mode = linear)", x=noise(2, 3, 4, 5), oracle=lambda x: x * 1.0),
    Cell("x -> upsample(2x1x3)", x=noise(1, 2, 3, 2, 2), oracle=nearest(6, 2, 6)),
    Cell("x -> upsample(2, mode = linear)", x=noise(1, 2, 3, 2, 2), oracle=linear(6, 4, 4)),
    Cell("x -> upsample(3, mode = linear, align_corners = true)", x=noise(1, 2, 3, 2, 2), oracle=linear(9, 6, 6, **CORNERS)),
)

X = "float32[N, 3, 8, 8]"
BAD = (
    Bad("factor", "x -> upsample(0)", "CNN045", "at least 1, not 0", x=X),
    Bad("factor", "x -> upsample(1.5)", "CNN040", "1.5", x=X),
    Bad("mode", "x -> upsample(2, mode = cubic)", "CNN047", "cubic", x=X),
    Bad("align_corners", "x -> upsample(2, align_corners = true)", "CNN045", "mode = linear", x=X),
    Bad("", "x -> upsample(2)", "CNN030", "rank 2", x="float32[N, 3]"),
)
