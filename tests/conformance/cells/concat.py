"""Cells of `concat`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("concat(x, y)", x=noise(2, 5), y=noise(2, 3)),
    Cell("concat(x, y)", x=noise(2, 3, 4), y=noise(2, 2, 4)),
    Cell(
        "concat([x, y, x], axis = length)",
        x=noise(2, 3, 4),
        y=noise(2, 3, 5),
        types={"x": "float32[N, 3, h]", "y": "float32[N, 3, k]"},
    ),
    Cell("x -> concat(y)", x=noise(2, 3, 4, 5), y=noise(2, 1, 4, 5)),
    Cell("concat(x, y, axis = height)", x=noise(2, 3, 4, 5), y=noise(2, 3, 2, 5)),
    Cell("concat(x, y, axis = -1)", x=noise(2, 3, 4, 5), y=noise(2, 3, 4, 1)),
    Cell("concat(x, y)", x=noise(1, 2, 3, 4, 2), y=noise(1, 1, 3, 4, 2)),
    Cell("concat(x, y, axis = depth)", x=noise(1, 2, 3, 4, 2), y=noise(1, 2, 1, 4, 2)),
    Cell("concat(x)", x=noise(2, 3, 4)),
    Cell("concat(x -> flatten, y -> flatten) -> linear(3)", x=noise(2, 3, 2, 5), y=noise(2, 2, 3)),
    *(Cell("concat(x, x)", x=whole(2, 3, dtype=dtype, least=0), gradients=False) for dtype in ("int64", "int32", "uint8")),
    Cell("concat(x, x)", x=whole(2, 3, 4) > 0, gradients=False),
)

BAD = (
    Bad("axis", "concat(x, x, axis = length)", "CNN045", "rank 4 has no length", x="float32[N, 4, 7, 7]"),
    Bad("axis", "concat(x, x, axis = 0)", "CNN045", "cannot be the batch", x="float32[N, 4, 7, 7]"),
    Bad("", "concat(x, y)", "CNN031", "differ in length", "length 7", "length 8", x="float32[N, 4, 7]", y="float32[N, 4, 8]"),
    Bad("", "concat(x, y)", "CNN030", "not of 3 and 2", x="float32[N, 4, 7]", y="float32[N, 4]"),
    Bad("", "concat(x, y)", "CNN037", "differ in dtype", x="float32[N, 4]", y="int64[N, 4]"),
)
