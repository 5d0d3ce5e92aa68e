from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise


def full(cut: list[tuple[int, int]], more: int | list[int] = 0, **arguments: Any) -> Callable[..., Any]:
    """Torch's output without padding, zeros after it, then the sides cut off and the bias added."""

    def run(x: Any, weight: Any, bias: Any = None) -> Any:
        from torch.nn import functional

        rank = weight.ndim - 2
        y = getattr(functional, f"conv_transpose{rank}d")(x, weight, **arguments)
        after = [more] * rank if isinstance(more, int) else more
        y = functional.pad(y, [side for cells in reversed(after) for side in (0, cells)])
        for axis, (lo, hi) in enumerate(cut, 2):
            y = y.narrow(axis, lo, y.shape[axis] - lo - hi)
        return y if bias is None else y + bias.reshape(-1, *[1] * rank)

    return run


SIZES = {1: (2, 4, 5), 2: (2, 4, 4, 3), 3: (1, 4, 3, 2, 3)}
SIDES = [[0, 1], [2, 1], [1, 0]]
CUT = [(0, 1), (2, 1), (1, 0)]
CELLS = (
    *(
        cell
        for rank, shape in SIZES.items()
        for cell in (
            Cell(f"x -> conv_transpose(6, {[2] * rank}, stride = 2)", x=noise(*shape)),
            Cell("x -> conv_transpose(6, 3, stride = 2, pad = 1, output_padding = 1, bias = false)", x=noise(*shape)),
            Cell(
                f"x -> conv_transpose(6, 3, stride = 2, pad = {SIDES[:rank]}, dilation = 2, groups = 2, bias = true)",
                x=noise(*shape),
                oracle=full(CUT[:rank], stride=2, dilation=2, groups=2),
            ),
            Cell("x -> conv_transpose(2, 4, stride = 2, pad = same)", x=noise(*shape), oracle=full([(1, 1)] * rank, stride=2)),
            Cell("x -> conv_transpose(2, 3, stride = 2, pad = same)", x=noise(*shape), oracle=full([(0, 1)] * rank, stride=2)),
            Cell(
                "x -> conv_transpose(2, 2, stride = 4, pad = same)", x=noise(*shape), oracle=full([(0, 0)] * rank, 2, stride=4)
            ),
        )
    ),
    Cell(
        "x -> conv_transpose(4, 3x3, groups = 2, dilation = 2, pad = same, stride = [2, 1])",
        x=noise(2, 4, 3, 4),
        oracle=full([(1, 2), (2, 2)], stride=(2, 1), dilation=2, groups=2),
    ),
    # those most likely to be wrong
    Cell(
        "x -> conv_transpose(4, 3x3, groups = 2, dilation = 2, output_padding = 1)",
        x=noise(1, 4, 4, 4),
        oracle=full([(0, 0)] * 2, 1, groups=2, dilation=2),
    ),
    Cell(
        "x -> conv_transpose(4, 2x2, stride = 4, output_padding = 2)",
        x=noise(1, 4, 4, 4),
        oracle=full([(0, 0)] * 2, 2, stride=4),
    ),
    Cell("x -> conv_transpose(4, 1x1, stride = 3)", x=noise(1, 2, 7, 8)),
    Cell("x -> conv_transpose(4, 1, dilation = 2, stride = 2)", x=noise(1, 2, 3)),
    Cell("x -> conv_transpose(4, 3, stride = 3, pad = [[2, 0]], output_padding = 2, groups = 4)", x=noise(2, 4, 5)),
    Cell("x -> conv_transpose(4, 3, dilation = 2)", x=noise(2, 3, 4)),
    Cell("x -> conv_transpose(4, 2, dilation = [1, 2, 1])", x=noise(1, 3, 2, 3, 2)),
    # symbolic sizes
    Cell("x -> conv_transpose(2, 3, stride = 2, pad = same)", x=noise(2, 3, 4, 5), types={"x": "float32[N, 3, H, W]"}),
    Cell(
        "x -> conv_transpose(4, 3, stride = 2, pad = 1, groups = 2)", x=noise(2, 4, 4, 5), types={"x": "float32[N, 4, H, 5*w]"}
    ),
    Cell("x -> conv_transpose(2, 2, stride = 3, pad = same)", x=noise(2, 2, 3), types={"x": "float32[N, 2, L]"}),
)

X = "float32[1, 4, 3, 3]"
BAD = (
    Bad("filters", "x -> conv_transpose(0, 2)", "CNN045", "at least 1, not 0", x=X),
    Bad("kernel", "x -> conv_transpose(4, 2x2x2)", "CNN045", "3 numbers (2x2x2)", "2 spatial axes", x=X),
    Bad("stride", "x -> conv_transpose(4, 2, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> conv_transpose(4, 2, pad = causal)", "CNN047", "same", "causal", x=X),
    Bad("pad", "x -> conv_transpose(4, 1, pad = [[1, 2], 0])", "CNN035", "whole height 3", "1 + 2", x=X),
    Bad("output_padding", "x -> conv_transpose(4, 2, output_padding = 1)", "CNN045", "1 and 1", "not 1", x=X),
    Bad("output_padding", "x -> conv_transpose(4, 2, stride = 2, pad = same, output_padding = 1)", "CNN045", "pad = same", x=X),
    Bad("dilation", "x -> conv_transpose(4, 2, dilation = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("groups", "x -> conv_transpose(4, 2, groups = 3)", "CNN036", "4 input channels", "3 groups", x=X),
    Bad("bias", "x -> conv_transpose(4, 2, bias = 1)", "CNN040", "true or false", x=X),
    Bad("init", "x -> conv_transpose(4, 2, init = he)", "CNN202", "he", x=X),
    Bad("", "x -> conv_transpose(4, 2)", "CNN030", "rank 2", x="float32[N, 3]"),
)
