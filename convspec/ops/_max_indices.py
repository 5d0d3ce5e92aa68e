"""Where the largest cell of a window lies: flat positions in the unpadded plane of a channel, on every target."""

from __future__ import annotations

from math import prod
from typing import Any

from convspec.ir.lowering import Arg, Call, Const, Item, Lowered
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write


def first_largest(view: Array, a: spatial.Windowed, pads: spatial.Padding, sizes: tuple[int, ...]) -> Array:
    """The flat position of the first largest cell of every window; `view` is (N, C, windows…, kernel…) of a padded input."""
    import numpy as np

    rank = len(a.kernel)
    cells = view.reshape(*view.shape[:-rank], prod(a.kernel)).argmax(axis=-1)
    position = np.zeros(cells.shape, np.int64)
    for axis, cell in enumerate(np.unravel_index(cells, a.kernel)):
        starts = np.arange(cells.shape[2 + axis]) * a.stride[axis] - pads[axis][0]
        at = starts.reshape(-1, *(1,) * (rank - 1 - axis)) + cell * a.dilation[axis]
        position = position * sizes[axis] + at
    return position


def torch_indices(a: spatial.Windowed, pads: spatial.Padding, native: bool, kwargs: dict[str, Any]) -> Lowered:
    """Native where the layer pads by itself; else the positions are counted in the padded plane, and taken back."""
    kernel = write.squash(a.kernel)
    if native:
        return Call(f"F.max_pool{len(a.kernel)}d", (Arg(0), kernel), {**kwargs, "return_indices": True})
    more = {name: value for name, value in kwargs.items() if name in ("stride", "dilation")}
    return Call("helpers.max_pool_indices", (Arg(0), kernel), {**more, "padding": pads})


def keras_indices(a: spatial.Windowed, pads: spatial.Padding) -> Lowered:
    kwargs = write.given(padding=(write.both_sides(pads), 0), dilation_rate=(write.squash(a.dilation), 1))
    return Call("helpers.max_pool_indices", (Arg(0), write.squash(a.kernel), write.squash(a.stride)), kwargs)


def onnx_indices(pooled: Call, pads: spatial.Padding, x: TensorType, padded: bool) -> Lowered:
    """MaxPool counts through the whole tensor: the rest after division by the plane's size is the position in the plane.

    Where the padding stands before the pool (`padded`), that is a position in the padded plane, and is taken back.
    """
    sizes = [_size(x, axis, sum(pair) if padded else 0) for axis, pair in enumerate(pads)]
    plane = _times(sizes)
    raw = Item(pooled, 1)
    if not padded:
        return (Item(pooled, 0), Call("Mod", (raw, plane)))
    position: Any = Const(0, "int64")
    inside = Call("Mod", (raw, plane))
    for axis, (lo, _) in enumerate(pads):
        at = Call("Mod", (Call("Div", (inside, _times(sizes[axis + 1 :]))), sizes[axis]))
        real = _size(x, axis, 0)
        position = Call("Add", (Call("Mul", (position, real)), Call("Sub", (at, Const(lo, "int64")))))
    return (Item(pooled, 0), position)


def _size(x: TensorType, axis: int, more: int) -> Any:
    n = x.spatial[axis]
    if isinstance(n, int):
        return Const(n + more, "int64")
    found = Call("Shape", (Arg(0),), {"start": axis + 2, "end": axis + 3})
    return Call("Add", (found, Const(more, "int64"))) if more else found


def _times(sizes: list[Any]) -> Any:
    if all(isinstance(size, Const) for size in sizes):
        return Const(prod(int(size.data) for size in sizes), "int64")
    result = sizes[0]
    for size in sizes[1:]:
        result = Call("Mul", (result, size))
    return result
