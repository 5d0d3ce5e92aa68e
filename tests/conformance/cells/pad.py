from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import SIZES, surround


def around(pads: list[tuple[int, int]], mode: str, value: float = 0.0) -> Callable[..., Any]:
    return lambda x: surround(x, pads, mode, value)


SIDES = [[1, 2], [0, 1], [2, 0]]
PAIRS = [(1, 2), (0, 1), (2, 0)]
CELLS = (
    *(
        cell
        for rank, shape in SIZES.items()
        for cell in (
            Cell("x -> pad(1)", x=noise(*shape), oracle=around([(1, 1)] * rank, "zeros")),
            Cell(f"x -> pad({SIDES[:rank]}, mode = zeros)", x=noise(*shape), oracle=around(PAIRS[:rank], "zeros")),
            Cell(f"x -> pad({SIDES[:rank]}, value = -1.5)", x=noise(*shape), oracle=around(PAIRS[:rank], "constant", -1.5)),
            Cell("x -> pad(2, mode = constant, value = 0.1)", x=noise(*shape), oracle=around([(2, 2)] * rank, "constant", 0.1)),
            Cell(f"x -> pad({SIDES[:rank]}, mode = reflect)", x=noise(*shape), oracle=around(PAIRS[:rank], "reflect")),
            Cell(f"x -> pad({SIDES[:rank]}, mode = replicate)", x=noise(*shape), oracle=around(PAIRS[:rank], "replicate")),
            Cell(f"x -> pad({SIDES[:rank]}, mode = circular)", x=noise(*shape), oracle=around(PAIRS[:rank], "circular")),
        )
    ),
    # as far as the input goes
    Cell("x -> pad(5, mode = circular)", x=noise(2, 3, 5), oracle=around([(5, 5)], "circular")),
    Cell("x -> pad(5, mode = circular)", x=noise(2, 3, 5, 5), oracle=around([(5, 5)] * 2, "circular")),
    Cell("x -> pad(4, mode = reflect)", x=noise(2, 3, 5), oracle=around([(4, 4)], "reflect")),
    Cell(
        "x -> pad([[2, 2], 0, [0, 3]], mode = reflect)",
        x=noise(1, 2, 3, 1, 4),
        oracle=around([(2, 2), (0, 0), (0, 3)], "reflect"),
    ),
    Cell("x -> pad(7, mode = replicate)", x=noise(2, 3, 1, 2), oracle=around([(7, 7)] * 2, "replicate")),
    Cell("x -> pad(0, mode = reflect)", x=noise(2, 3, 1)),
    # symbolic sizes
    Cell("x -> pad([[0, 1], 2])", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> pad(2, mode = reflect)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, H >= 3, 3*w]"}),
    Cell("x -> pad(2, mode = replicate)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, H, W]"}),
    Cell("x -> pad(2, mode = circular)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, 2*h, W >= 2]"}),
)

X = "float32[1, 3, 7, 5]"
BAD = (
    Bad("amount", "x -> pad(-1)", "CNN045", "at least 0, not -1", x=X),
    Bad("amount", "x -> pad([1])", "CNN045", "1 entries", "2 spatial axes", x=X),
    Bad("amount", "x -> pad(5, mode = reflect)", "CNN045", "5 cells", "width", "at least 6, not 5", x=X),
    Bad("amount", "x -> pad([[0, 0], [0, 6]], mode = circular)", "CNN045", "6 cells", "at least 6, not 5", x=X),
    Bad("amount", "x -> pad(2, mode = circular)", "CNN034", "declare `H >= 2`", x="float32[1, 3, H, 5]"),
    Bad("amount", "x -> pad(2, mode = reflect)", "CNN034", "2*h is always at least 3", x="float32[1, 3, 2*h]"),
    Bad("mode", "x -> pad(1, mode = mirror)", "CNN047", "reflect", "mirror", x=X),
    Bad("value", "x -> pad(1, mode = replicate, value = 2)", "CNN045", "mode = constant", "not for replicate", x=X),
    Bad("value", "x -> pad(1, value = zero)", "CNN040", "a number", x=X),
    Bad("", "x -> pad(1)", "CNN030", "rank 2", x="float32[N, 3]"),
)
