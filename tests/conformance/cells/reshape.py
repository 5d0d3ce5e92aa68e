"""Cells of `reshape`."""

import numpy as np

from tests.conformance.cell import Bad, Cell, noise


def to(*sizes: int):  # type: ignore[no-untyped-def]
    """The definition, with plain numbers."""
    return lambda x: x.reshape(x.shape[0], *sizes)


CELLS = (
    Cell("x -> reshape([3, 4])", x=noise(2, 12)),
    Cell("x -> reshape([2, 2, 3])", x=noise(2, 12)),
    Cell("x -> reshape([2, rest, 3, 1])", x=noise(2, 12)),
    Cell("x -> reshape([15])", x=noise(2, 3, 5)),
    Cell("x -> reshape([5, 3])", x=noise(2, 3, 5)),
    Cell("x -> reshape([2, 3, 5])", x=noise(2, 6, 5)),
    Cell("x -> reshape([6, 1, 5])", x=noise(2, 6, 5)),
    Cell("x -> reshape([1, 6, 5])", x=noise(2, 6, 5)),
    Cell("x -> reshape([3, -1])", x=noise(2, 3, 4, 5)),
    Cell("x -> reshape([4, 3, 5])", x=noise(2, 3, 4, 5)),
    Cell("x -> reshape([4, 15, 1])", x=noise(2, 1, 4, 15)),
    Cell("x -> reshape([2, 3, 2, 5])", x=noise(2, 3, 4, 5)),
    Cell("x -> reshape([rest])", x=noise(2, 3, 1, 1)),
    Cell("x -> reshape([3, 8])", x=noise(1, 3, 2, 2, 2)),
    Cell("x -> reshape([4, 3, 2])", x=noise(1, 3, 2, 2, 2)),
    Cell("x -> reshape([3, 2, 4, 1])", x=noise(1, 3, 2, 2, 2)),
    # ViT's tokens, and back; symbolic
    Cell(
        "x -> reshape([x.channels, x.height * x.width])",
        x=noise(2, 3, 4, 5),
        types={"x": "float32[N, 3, h, w]"},
        oracle=to(3, 20),
    ),
    Cell("x -> reshape([x.height * 3, x.width])", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}, oracle=to(12, 5)),
    Cell("x -> reshape([x.width, 3, x.height])", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, h, w]"}, oracle=to(5, 3, 4)),
    Cell("x -> reshape([8, rest])", x=noise(2, 4, 6), types={"x": "float32[N, 4, 2*h]"}, oracle=to(8, 3)),
    Cell("x -> reshape([2, x.channels // 2, rest])", x=noise(2, 4, 6), types={"x": "float32[N, 2*c, l]"}, oracle=to(2, 2, 6)),
    Cell(
        "x -> reshape([x.channels, x.height // 2, 2, x.width])",
        x=noise(2, 3, 4, 6),
        types={"x": "float32[N, 3, 2*h, 2*w]"},
        oracle=to(3, 2, 2, 6),
    ),
    Cell("x -> reshape([rest, x.width])", x=noise(2, 3, 4, 5), types={"x": "float32[2, 3, h, w]"}, oracle=to(12, 5)),
    Cell(
        "x -> reshape([x.depth * x.height, 3 * x.width])",
        x=noise(2, 3, 2, 1, 4),
        types={"x": "float32[N, 3, d, h, w]"},
        oracle=to(2, 12),
    ),
    # tokens become a picture again, whose sizes another tensor tells
    Cell(
        "x -> reshape([3, z.height, z.width], like = z)",
        x=noise(2, 3, 20),
        z=noise(2, 1, 4, 5),
        types={"x": "float32[N, 3, h*w]", "z": "float32[N, 1, h, w]"},
        oracle=lambda x, z: x.reshape(-1, 3, 4, 5),
    ),
    Cell(
        "x -> reshape([h, 2 * h, w], like = z)",
        x=noise(2, 6, 4),
        z=noise(2, 3, 2, 4),
        types={"x": "float32[N, h*w, 2*h]", "z": "float32[N, w, h, 4]"},
        oracle=lambda x, z: x.reshape(-1, 2, 4, 3),
    ),
    Cell("x -> reshape([x.channels], like = z)", x=noise(2, 3), z=noise(2, 4), oracle=lambda x, z: x),
    Cell("x -> reshape([3, 4])", x=np.arange(24).reshape(2, 12), gradients=False),
    Cell("x -> reshape([2, 6])", x=np.arange(24).reshape(2, 3, 4) % 3 == 0, gradients=False),
)

X = "float32[N, 3, 4, 5]"
BAD = (
    Bad("sizes", "x -> reshape([3, 21])", "CNN031", "60 elements", "3 * 21 = 63", x=X),
    Bad("sizes", "x -> reshape([7, rest])", "CNN031", "60 elements", "7", x=X),
    Bad("sizes", "x -> reshape([rest, -1])", "CNN045", "only one", x=X),
    Bad("sizes", "x -> reshape([0, 60])", "CNN045", "at least 1, not 0", x=X),
    Bad("sizes", "x -> reshape([1, 2, 3, 2, 5])", "CNN045", "not 5", x=X),
    Bad("sizes", "x -> reshape(60)", "CNN040", "a list of sizes", x=X),
    Bad("sizes", "x -> reshape([3, other])", "CNN047", '"other"', x=X),
    Bad("sizes", "x -> reshape([4, rest])", "CNN031", "3*h elements", "4", x="float32[N, 3, h]"),
    Bad("sizes", "x -> reshape([rest, x.length + 1])", "CNN034", "l + 1", "3*l elements", x="float32[N, 3, l]"),
    Bad("sizes", "x -> reshape([3, h, w])", "CNN034", "h and w", x="float32[N, 3, h*w]"),
    Bad(
        "sizes",
        "x -> reshape([3, y.height, y.width])",
        "CNN034",
        "cannot both be told",
        x="float32[N, 3, h*w]",
        y="float32[N, 1, h, w]",
    ),
)
