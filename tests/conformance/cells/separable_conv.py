from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import convolve, grid, padded


def separable(x: Any, depthwise_weight: Any, pointwise_weight: Any, pointwise_bias: Any = None, **arguments: Any) -> Any:
    """Each channel by itself, then a sum over channels."""
    import torch

    between = convolve(x, depthwise_weight, groups=x.shape[1], **arguments)
    y = torch.einsum("nc...,fc->nf...", between, pointwise_weight.flatten(1))
    return y if pointwise_bias is None else y + pointwise_bias.reshape(-1, *[1] * (x.ndim - 2))


CELLS = (
    *grid("separable_conv", "5, K", separable),
    Cell("x -> separable_conv(5, 3, multiplier = 2)", x=noise(2, 3, 7), oracle=separable),
    Cell("x -> separable_conv(5, 3x2, multiplier = 2, pad = same)", x=noise(2, 3, 7, 6)),
    Cell("x -> separable_conv(5, 3, multiplier = 3)", x=noise(2, 2, 4, 5, 4), oracle=separable),
    Cell("x -> separable_conv(5, 1, stride = 2)", x=noise(2, 3, 7)),
    Cell("x -> separable_conv(5, 1x1, stride = 2)", x=noise(2, 3, 8, 8)),
    Cell("x -> separable_conv(5, 3, pad = causal)", x=noise(2, 3, 7), oracle=padded(separable, [(2, 0)])),
    Cell("x -> separable_conv(5, 3x3, stride = [1, 2])", x=noise(2, 3, 9, 9)),
    Cell("x -> separable_conv(5, 3x3, multiplier = 2, stride = 2, dilation = 2)", x=noise(2, 3, 9, 9)),
    Cell("x -> separable_conv(5, 3, pad = same, stride = 2)", x=noise(1, 2, 6, 4), types={"x": "float32[N, 2, 2*h, 2*w]"}),
    Cell("x -> separable_conv(3, 3, pad = same)", x=noise(1, 2, 3, 4, 5), types={"x": "float32[N, 2, D, H, W]"}),
)

X = "float32[1, 3, 7, 7]"
BAD = (
    Bad("filters", "x -> separable_conv(0, 3)", "CNN045", "at least 1, not 0", x=X),
    Bad("kernel", "x -> separable_conv(4, 9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("stride", "x -> separable_conv(4, 3, stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad", "x -> separable_conv(4, 3, pad = full)", "CNN047", "same, causal", x=X),
    Bad("pad_mode", "x -> separable_conv(4, 3, pad = 1, pad_mode = wrap)", "CNN047", "circular", "wrap", x=X),
    Bad("pad_value", "x -> separable_conv(4, 3, pad_value = one)", "CNN040", "a number", x=X),
    Bad("dilation", "x -> separable_conv(4, 3, dilation = 4)", "CNN032", "dilated 9x9", x=X),
    Bad("multiplier", "x -> separable_conv(4, 3, multiplier = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("bias", "x -> separable_conv(4, 3, bias = 1)", "CNN040", "true or false", x=X),
    Bad("init", "x -> separable_conv(4, 3, init = he)", "CNN202", "he", x=X),
    Bad("", "x -> separable_conv(4, 3)", "CNN033", "C", x="float32[N, C, 7]"),
)
