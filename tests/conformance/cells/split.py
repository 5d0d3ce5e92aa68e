"""Cells of `split`."""

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._arithmetic import whole

CELLS = (
    Cell("x -> split(2)", x=noise(2, 6), outputs=2),
    Cell("x -> split([1, 2])", x=noise(2, 3, 4), outputs=2),
    Cell("x -> split(2, axis = length)", x=noise(2, 3, 4), outputs=2, types={"x": "float32[N, 3, 2*h]"}),
    Cell("x -> split(3)", x=noise(2, 3, 4, 5), outputs=3),
    Cell("x -> split([1, 3], axis = height)", x=noise(2, 3, 4, 5), outputs=2),
    Cell("x -> split([2, 2, 1], axis = -1)", x=noise(2, 3, 4, 5), outputs=3),
    Cell("x -> split(1)", x=noise(2, 3, 4, 5), outputs=1),
    Cell("x -> split(2)", x=noise(1, 2, 3, 4, 2), outputs=2),
    Cell("x -> split([1, 2], axis = depth)", x=noise(1, 2, 3, 4, 2), outputs=2),
    *(
        Cell("x -> split(3)", x=whole(2, 3, dtype=dtype, least=0), outputs=3, gradients=False)
        for dtype in ("int64", "int32", "uint8")
    ),
    Cell("x -> split([1, 2])", x=whole(2, 3, 4) > 0, outputs=2, gradients=False),
)

BAD = (
    Bad("parts", "x -> split(3)", "CNN045", "channels 4 cannot be split into 3", x="float32[N, 4, 7]"),
    Bad("parts", "x -> split([1, 2])", "CNN045", "1 + 2 = 3", x="float32[N, 4, 7]"),
    Bad("parts", "x -> split(0)", "CNN045", "at least 1", x="float32[N, 4, 7]"),
    Bad("axis", "x -> split(2, axis = width)", "CNN045", "rank 3 has no width", x="float32[N, 4, 7]"),
    Bad("", "x -> split(2, axis = length)", "CNN045", "length h", x="float32[N, 4, h]"),
)
