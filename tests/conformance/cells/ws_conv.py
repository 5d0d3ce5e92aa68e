from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import convolve, grid, padded


def standardised(x: Any, weight: Any, bias: Any = None, eps: float = 1e-5, **arguments: Any) -> Any:
    """Each filter less its mean, over its deviation."""
    cells = tuple(range(1, weight.ndim))
    deviation = (weight.var(cells, correction=0, keepdim=True) + eps).sqrt()
    return convolve(x, (weight - weight.mean(cells, keepdim=True)) / deviation, bias, **arguments)


CELLS = (
    *grid("ws_conv", "6, K", standardised),
    Cell(
        "x -> ws_conv(6, 3, groups = 2, eps = 0.1)", x=noise(2, 4, 7), oracle=padded(standardised, [(0, 0)], groups=2, eps=0.1)
    ),
    Cell(
        "x -> ws_conv(6, 3x2, groups = 2, eps = 0.1)",
        x=noise(2, 4, 7, 6),
        oracle=padded(standardised, [(0, 0)] * 2, groups=2, eps=0.1),
    ),
    Cell(
        "x -> ws_conv(6, 2, groups = 2, eps = 0.1)",
        x=noise(1, 4, 3, 4, 3),
        oracle=padded(standardised, [(0, 0)] * 3, groups=2, eps=0.1),
    ),
    Cell("x -> ws_conv(8, 3x3, groups = 4)", x=noise(2, 4, 5, 5)),  # one channel to a group
    Cell("x -> ws_conv(4, 1x1, stride = 2)", x=noise(2, 3, 8, 8)),
    Cell("x -> ws_conv(4, 3, pad = causal)", x=noise(2, 3, 7), oracle=padded(standardised, [(2, 0)])),
    Cell("x -> ws_conv(4, 3, pad = same, stride = 2)", x=noise(1, 2, 6, 4), types={"x": "float32[N, 2, 2*h, 2*w]"}),
)

X = "float32[1, 3, 7, 7]"
BAD = (
    Bad("filters", "x -> ws_conv(0, 3)", "CNN045", "at least 1, not 0", x=X),
    Bad("kernel", "x -> ws_conv(4, 9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("kernel", "x -> ws_conv(3, 1, groups = 3)", "CNN045", "one weight", x=X),
    Bad("stride", "x -> ws_conv(4, 3, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> ws_conv(4, 3, pad = full)", "CNN047", "same, causal", x=X),
    Bad("pad_mode", "x -> ws_conv(4, 3, pad = 1, pad_mode = wrap)", "CNN047", "circular", "wrap", x=X),
    Bad("pad_value", "x -> ws_conv(4, 3, pad_value = one)", "CNN040", "a number", x=X),
    Bad("dilation", "x -> ws_conv(4, 3, dilation = 4)", "CNN032", "dilated 9x9", x=X),
    Bad("groups", "x -> ws_conv(6, 3, groups = 2)", "CNN036", "3 input channels", "2 groups", x=X),
    Bad("bias", "x -> ws_conv(4, 3, bias = 1)", "CNN040", "true or false", x=X),
    Bad("eps", "x -> ws_conv(4, 3, eps = 0)", "CNN045", "above 0, not 0", x=X),
    Bad("init", "x -> ws_conv(4, 3, init = he)", "CNN202", "he", x=X),
    Bad("", "x -> ws_conv(4, 3)", "CNN033", "C", x="float32[N, C, 7]"),
)
