"""What elementwise ops share: the output has the input's type, and one operation per element."""

from __future__ import annotations

from convspec.ir.dims import Size
from convspec.ir.opdef import Cost
from convspec.ir.types import TensorType


def same_type(attrs: object, x: TensorType) -> TensorType:
    """Shape rule of a layer that changes values only."""
    return x


def elements(x: TensorType) -> Size:
    """The number of elements of a tensor."""
    product: Size = 1
    for size in x.shape:
        product = product * size
    return product


def one_flop_each(attrs: object, x: TensorType) -> Cost:
    """Cost of a layer that does one operation per element."""
    return Cost(flops=elements(x))
