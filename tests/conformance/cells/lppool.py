"""Cells of `lppool`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, distinct, noise, ties


def norm(p: float, kernel: tuple[int, ...], stride: tuple[int, ...], pads: Any = ()) -> Callable[[Any], Any]:
    """The definition by unfolded windows and torch's vector norm, whose gradient of a zero vector is 0."""

    def formula(x: Any) -> Any:
        import torch

        x = torch.nn.functional.pad(x, [side for pair in reversed(pads) for side in pair])
        for axis, (k, s) in enumerate(zip(kernel, stride, strict=True), 2):
            x = x.unfold(axis, k, s)
        return torch.linalg.vector_norm(x.flatten(2 + len(kernel)), p, dim=-1)

    return formula


CELLS = (
    Cell("x -> lppool(2)", x=noise(2, 3, 6), oracle=norm(2, (2,), (2,))),
    Cell("x -> lppool(3, p = 3, stride = 2, pad = 1, ceil = true)", x=distinct(2, 3, 8), oracle=norm(3, (3,), (2,), [(1, 2)])),
    Cell("x -> lppool(3, p = 1, stride = 1, pad = same)", x=ties(2, 3, 6), oracle=norm(1, (3,), (1,), [(1, 1)])),
    Cell("x -> lppool(2, pad = [[0, 1]])", x=noise(2, 3, 5), oracle=norm(2, (2,), (2,), [(0, 1)])),
    Cell("x -> relu -> lppool(2x2)", x=-abs(ties(2, 3, 4, 6))),  # windows of zeros
    Cell("x -> lppool(2x2)", x=noise(2, 3, 4, 6), types={"x": "float32[N, 3, 2*h, 2*w]"}, oracle=norm(2, (2, 2), (2, 2))),
    Cell("x -> lppool(3x2, p = 2.5, stride = [2, 1])", x=distinct(2, 2, 7, 5), oracle=norm(2.5, (3, 2), (2, 1))),
    Cell(
        "x -> lppool(3, p = 4, stride = 2, ceil = true)", x=noise(1, 2, 6, 6), oracle=norm(4, (3, 3), (2, 2), [(0, 1), (0, 1)])
    ),
    Cell(
        "x -> lppool(3, p = 3, stride = 2, pad = same)",
        x=distinct(1, 2, 6, 5),
        oracle=norm(3, (3, 3), (2, 2), [(0, 1), (1, 1)]),
    ),
    Cell("x -> lppool(2, p = 3, pad = [[0, 1], 1])", x=distinct(1, 2, 5, 4), oracle=norm(3, (2, 2), (2, 2), [(0, 1), (1, 1)])),
    Cell(
        "x -> lppool(2, p = 1.5, stride = 1, pad = 2)",
        x=distinct(1, 2, 3, 3),
        oracle=norm(1.5, (2, 2), (1, 1), [(2, 2), (2, 2)]),
    ),
    Cell("x -> lppool(2x2x2)", x=noise(1, 2, 4, 4, 2), oracle=norm(2, (2, 2, 2), (2, 2, 2))),
    Cell(
        "x -> lppool(2, p = 3, stride = 1, pad = 1, ceil = true)",
        x=distinct(1, 2, 3, 2, 3),
        oracle=norm(3, (2,) * 3, (1,) * 3, [(1, 1)] * 3),
    ),
    Cell(
        "x -> lppool(3, p = 6, stride = 2, pad = same)",
        x=noise(1, 1, 4, 5, 3),
        oracle=norm(6, (3,) * 3, (2,) * 3, [(0, 1), (1, 1), (1, 1)]),
    ),
    Cell(
        "x -> lppool(2, pad = [[1, 0], 0, [0, 1]])",
        x=noise(1, 2, 3, 4, 3),
        oracle=norm(2, (2,) * 3, (2,) * 3, [(1, 0), (0, 0), (0, 1)]),
    ),
)

X = "float32[N, 3, 7, 7]"
BAD = (
    Bad("kernel", "x -> lppool(9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("p", "x -> lppool(2, p = 0.5)", "CNN045", "at least 1.0, not 0.5", x=X),
    Bad("stride", "x -> lppool(2, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> lppool(2, pad = -1)", "CNN045", "at least 0, not -1", x=X),
    Bad("ceil", "x -> lppool(3, stride = 2, ceil = true)", "CNN033", "height H + 2", x="float32[N, 3, H + 2, 8]"),
)
