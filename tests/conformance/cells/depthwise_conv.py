from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import convolve, grid, padded


def depthwise(x: Any, weight: Any, bias: Any = None, **arguments: Any) -> Any:
    """Each channel by itself."""
    return convolve(x, weight, bias, groups=x.shape[1], **arguments)


CELLS = (
    *grid("depthwise_conv", "K, 2", depthwise),
    Cell("x -> depthwise_conv(3)", x=noise(2, 3, 5)),
    Cell("x -> depthwise_conv(2x3)", x=noise(2, 3, 4, 5)),
    Cell("x -> depthwise_conv(2, pad = same)", x=noise(2, 3, 2, 4, 3)),
    Cell("x -> depthwise_conv(1, stride = 2)", x=noise(2, 3, 7)),
    Cell("x -> depthwise_conv(1x1, 2, stride = 2)", x=noise(2, 3, 8, 8)),
    Cell("x -> depthwise_conv(3x3, 2)", x=noise(2, 1, 5, 5)),  # one channel
    Cell(
        "x -> depthwise_conv(3, pad = causal, dilation = 2)", x=noise(2, 3, 7), oracle=padded(depthwise, [(4, 0)], dilation=2)
    ),
    Cell("x -> depthwise_conv(3x3, 2, stride = 2, dilation = 2)", x=noise(2, 3, 9, 9)),
    Cell("x -> depthwise_conv(3x3, 2, stride = [1, 2])", x=noise(2, 3, 9, 9)),
    Cell("x -> depthwise_conv(3, pad = same, stride = 2)", x=noise(1, 2, 6, 4), types={"x": "float32[N, 2, 2*h, 2*w]"}),
)

X = "float32[1, 3, 7, 7]"
BAD = (
    Bad("kernel", "x -> depthwise_conv(9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("multiplier", "x -> depthwise_conv(3, 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("stride", "x -> depthwise_conv(3, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> depthwise_conv(3, pad = causal)", "CNN045", "one spatial axis", x=X),
    Bad("pad_mode", "x -> depthwise_conv(3, pad = 1, pad_mode = edge)", "CNN047", "replicate", "edge", x=X),
    Bad("pad_value", "x -> depthwise_conv(3, pad_mode = reflect, pad_value = 1)", "CNN045", "not for reflect", x=X),
    Bad("dilation", "x -> depthwise_conv(3, dilation = 4)", "CNN032", "dilated 9x9", x=X),
    Bad("bias", "x -> depthwise_conv(3, bias = 1)", "CNN040", "true or false", x=X),
    Bad("init", "x -> depthwise_conv(3, init = he)", "CNN202", "he", x=X),
    Bad("", "x -> depthwise_conv(3)", "CNN033", "C", x="float32[N, C, 7]"),
)
