"""What norms mean, in torch from sums and roots alone, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.ir.types import Array
from tests.conformance.cell import noise


def far(*shape: int) -> Array:
    """Numbers around 30, where a variance from squares and the square of the mean loses digits."""
    return noise(*shape) + 30


def over(parameter: Any, axes: tuple[int, ...], rank: int) -> Any:
    sizes = iter(parameter.shape)
    return parameter.reshape([next(sizes) if axis in axes else 1 for axis in range(rank)])


def normed(*axes: int, eps: float = 1e-5, centred: bool = True) -> Callable[..., Any]:
    """Layer norm, or RMS norm, over these axes; with a weight and a bias over them where there are any."""

    def formula(x: Any, weight: Any = None, bias: Any = None) -> Any:
        count = 1
        for axis in axes:
            count = count * x.shape[axis]
        centre = x.sum(axes, keepdim=True) / count if centred else 0
        y = (x - centre) / (((x - centre) ** 2).sum(axes, keepdim=True) / count + eps) ** 0.5
        y = y if weight is None else y * over(weight, axes, x.ndim)
        return y if bias is None else y + over(bias, axes, x.ndim)

    return formula


__all__ = ["far", "normed", "over"]
