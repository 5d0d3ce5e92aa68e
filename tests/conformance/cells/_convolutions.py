"""What the cells of convolutions share: their formulas in torch's functions, and a grid of attributes for every rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.cell import Cell, noise

Pads = list[tuple[int, int]]
SIZES = {1: (2, 4, 9), 2: (2, 4, 7, 8), 3: (1, 4, 6, 5, 7)}
ONES_BEFORE = [(1, 2), (0, 1), (2, 0)]


def convolve(x: Any, weight: Any, bias: Any = None, **arguments: Any) -> Any:
    """Torch's convolution of as many axes as the weight says."""
    from torch.nn import functional

    return getattr(functional, f"conv{weight.ndim - 2}d")(x, weight, bias, **arguments)


def surround(x: Any, pads: Pads, mode: str = "zeros", value: float = 0.0) -> Any:
    """Pads by index, one axis after the other."""
    import torch

    for axis, (before, after) in enumerate(pads, 2):
        n = x.shape[axis]
        places = torch.arange(-before, n + after)
        if mode in ("zeros", "constant"):
            sides = [torch.full([*x.shape[:axis], k, *x.shape[axis + 1 :]], value, dtype=x.dtype) for k in (before, after)]
            x = torch.cat([sides[0], x, sides[1]], axis)
            continue
        if mode == "reflect":
            places = n - 1 - (n - 1 - places.abs()).abs()
        elif mode == "replicate":
            places = places.clamp(0, n - 1)
        else:
            places = places % n
        x = x.index_select(axis, places)
    return x


def plain(x: Any, weight: Any, bias: Any = None, **arguments: Any) -> Any:
    return convolve(x, weight, bias, **arguments)


def grid(op: str, first: str, formula: Callable[..., Any] = plain) -> Iterator[Cell]:
    """Every word of `pad_mode`, and pads, strides and dilations of every kind, in 1-D, 2-D and 3-D.

    `first`: the arguments before the kernel, or after it; the kernel stands where it has `K`. `formula` is called with the
    padded input, the parameters by role, `stride` and `dilation`.
    """
    for rank, shape in SIZES.items():
        sides = [[1, 2], [0, 1], [2, 0]][:rank]
        pads = [(lo, hi) for lo, hi in sides]
        threes = [3] * rank
        for text, around, mode, value, arguments in (
            ("stride = 2, pad = 1, bias = true", [(1, 1)] * rank, "zeros", 0.0, {"stride": 2}),
            (f"pad = {sides}, pad_mode = constant, pad_value = 0.5, bias = false", pads, "constant", 0.5, {}),
            ("stride = 1, pad = 2, pad_mode = reflect", [(2, 2)] * rank, "reflect", 0.0, {}),
            (f"stride = 2, pad = {sides}, pad_mode = replicate", pads, "replicate", 0.0, {"stride": 2}),
            ("pad = same, pad_mode = circular, dilation = 2", [(2, 2)] * rank, "circular", 0.0, {"dilation": 2}),
            ("stride = 3, dilation = 2, pad_mode = zeros", [(0, 0)] * rank, "zeros", 0.0, {"stride": 3, "dilation": 2}),
        ):
            yield Cell(
                f"x -> {op}({first.replace('K', str(threes))}, {text})",
                x=noise(*shape),
                oracle=_padded(formula, around, mode, value, arguments),
            )


def _padded(formula: Callable[..., Any], pads: Pads, mode: str, value: float, arguments: Any) -> Callable[..., Any]:
    def run(x: Any, **parameters: Any) -> Any:
        return formula(surround(x, pads, mode, value), **parameters, **arguments)

    return run


def padded(formula: Callable[..., Any], pads: Pads, mode: str = "zeros", **arguments: Any) -> Callable[..., Any]:
    """A formula of the input that was padded before."""
    return _padded(formula, pads, mode, 0.0, arguments)
