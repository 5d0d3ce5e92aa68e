"""What pooling over whole axes shares: every spatial axis stays as size 1."""

from __future__ import annotations

from convspec.ir.opdef import Cost, Window
from convspec.ir.types import TensorType
from convspec.ops._elementwise import elements
from convspec.ops._spatial import spatial_rank


def global_shape(op: str, x: TensorType) -> TensorType:
    rank = spatial_rank(op, x)
    return x.with_shape((*x.shape[:2], *(1,) * rank))


def spatial_axes(x: TensorType) -> tuple[int, ...]:
    """The indices of the spatial axes of a canonical tensor."""
    return tuple(range(2, x.rank))


def global_cost(attrs: object, x: TensorType) -> Cost:
    """One operation for every cell."""
    return Cost(flops=elements(x))


def global_window(attrs: object, x: TensorType) -> Window:
    rank = x.rank - 2
    return Window(extent=(None,) * rank, stride=((1, 1),) * rank, before=(0,) * rank)
