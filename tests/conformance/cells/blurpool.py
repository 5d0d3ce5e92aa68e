"""Cells of `blurpool`."""

from collections.abc import Callable
from typing import Any

from tests.conformance.cell import Bad, Cell, noise

_FILTERS = {1: [1], 2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1]}


def blur(kernel: tuple[int, ...], stride: tuple[int, ...], mode: str = "reflect") -> Callable[[Any], Any]:
    """A depthwise convolution with the normalised outer product of binomial filters, as in the paper's own code."""

    def formula(x: Any) -> Any:
        import torch

        weight = torch.ones((), dtype=x.dtype)
        for k in kernel:
            line = torch.tensor(_FILTERS[k], dtype=x.dtype)
            weight = weight[..., None] * line / line.sum()
        sides = [side for k in reversed(kernel) for side in ((k - 1) // 2, k // 2)]
        x = torch.nn.functional.pad(x, sides, mode=mode)
        conv = getattr(torch.nn.functional, f"conv{len(kernel)}d")
        channels = x.shape[1]
        return conv(x, weight.expand(channels, 1, *kernel), stride=stride, groups=channels)

    return formula


CELLS = (
    Cell("x -> blurpool", x=noise(2, 3, 7), oracle=blur((3,), (2,))),
    Cell("x -> blurpool(4, stride = 3, pad_mode = zeros)", x=noise(2, 3, 8), oracle=blur((4,), (3,), "constant")),
    Cell("x -> blurpool(5, pad_mode = replicate)", x=noise(2, 3, 6), oracle=blur((5,), (2,), "replicate")),
    Cell("x -> blurpool(2, stride = 1, pad_mode = circular)", x=noise(2, 3, 5), oracle=blur((2,), (1,), "circular")),
    Cell("x -> maxpool(2, stride = 1) -> blurpool", x=noise(2, 3, 8, 9)),
    Cell("x -> blurpool", x=noise(2, 3, 6, 8), types={"x": "float32[N, 3, 2*h, 2*w]"}, oracle=blur((3, 3), (2, 2))),
    Cell("x -> blurpool(5x3, stride = [2, 3], pad_mode = reflect)", x=noise(1, 2, 7, 5), oracle=blur((5, 3), (2, 3))),
    Cell("x -> blurpool(1x4, pad_mode = zeros)", x=noise(1, 2, 7, 6), oracle=blur((1, 4), (2, 2), "constant")),
    Cell("x -> blurpool(1, stride = 3)", x=noise(1, 2, 7, 6), oracle=blur((1, 1), (3, 3))),
    Cell("x -> blurpool(3, pad_mode = replicate)", x=noise(1, 2, 5, 4), oracle=blur((3, 3), (2, 2), "replicate")),
    Cell("x -> blurpool(3, pad_mode = circular)", x=noise(1, 2, 5, 4), oracle=blur((3, 3), (2, 2), "circular")),
    Cell("x -> blurpool", x=noise(1, 2, 4, 3, 5), oracle=blur((3,) * 3, (2,) * 3)),
    Cell(
        "x -> blurpool(2x3x1, stride = [1, 2, 1], pad_mode = zeros)",
        x=noise(1, 2, 3, 4, 3),
        oracle=blur((2, 3, 1), (1, 2, 1), "constant"),
    ),
    Cell("x -> blurpool(3, pad_mode = replicate)", x=noise(1, 2, 3, 4, 3), oracle=blur((3,) * 3, (2,) * 3, "replicate")),
    Cell("x -> blurpool(3, pad_mode = circular)", x=noise(1, 2, 3, 4, 3), oracle=blur((3,) * 3, (2,) * 3, "circular")),
)

X = "float32[N, 3, 4, 4]"
BAD = (
    Bad("kernel", "x -> blurpool(9)", "CNN045", "4 cells", "at least 5, not 4", x=X),
    Bad("kernel", "x -> blurpool(3x3x3)", "CNN045", "3 numbers (3x3x3)", x=X),
    Bad("stride", "x -> blurpool(stride = 0)", "CNN045", "at least 1, not 0", x=X),
    Bad("pad_mode", "x -> blurpool(pad_mode = mirror)", "CNN047", "mirror", x=X),
    Bad("", "x -> blurpool", "CNN034", "height of at least 2, which H may not be", x="float32[N, 3, H, 8]"),
)
