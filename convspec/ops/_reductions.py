"""What `sum`, `mean`, `max` and `min` share: axes that are reduced, kept as size 1 or taken away.

The batch is never reduced: no layer mixes examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, TargetName, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._axes import Axes, axis_indices
from convspec.ops._dtypes import onnx_cast
from convspec.ops._elementwise import elements
from convspec.ops._shapes import check_rank, in_place, keras_order, keras_place, keras_transpose
from convspec.records import dataclass

_LOW = ("float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class ReducedAxes(Axes):
    """Axes, or a word for several of them."""

    name: str = "an axis, such as channels or height, its number, a list of axes, or the word spatial or all"

    def convert(self, attribute: str, value: Any) -> tuple[int | str, ...]:
        return (value,) if value in ("spatial", "all") else Axes.convert(self, attribute, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """Which axes go, and whether they stay as size 1."""

    axes: tuple[int | str, ...] = attr(
        ReducedAxes(),
        ("spatial",),
        positional=True,
        doc="The axes: `channels`, `[height, width]`, numbers, `spatial` (all after the channels), `all` (but the batch).",
    )
    keep: bool = attr(Flag(), True, doc="Whether the axes stay, as size 1; else the tensor loses them.")


def reduction_axes(name: str) -> Callable[..., Any]:
    """`resolve`: the axes as numbers, in order."""

    def resolve(a: Reduction, x: TensorType) -> Reduction:
        check_rank(name, x)
        if a.axes == ("spatial",) and x.rank == 2:
            hint = f"`{name}(channels)` reduces what it has"
            raise AttrError(f"`{name}` is over the spatial axes, and {x} has none", "axes", hint=hint)
        words = {("spatial",): range(2, x.rank), ("all",): range(1, x.rank)}
        found = words.get(a.axes) if a.axes in words else axis_indices(a.axes, x.rank)
        return replace(a, axes=tuple(sorted(found or ())))

    return resolve


def _kept(a: Reduction, rank: int) -> list[int]:
    return [axis for axis in range(rank) if axis not in a.axes]


def reduced_type(a: Reduction, x: TensorType) -> TensorType:
    if a.keep:
        return x.with_shape(tuple(1 if axis in a.axes else size for axis, size in enumerate(x.shape)))
    return x.with_shape(tuple(x.shape[axis] for axis in _kept(a, x.rank)))


def reduction_cost(a: Reduction, x: TensorType) -> Cost:
    """One operation for every element of the input."""
    return Cost(flops=elements(x))


def reduction_window(a: Reduction, x: TensorType) -> Window:
    """Axes that are reduced are seen as a whole. Behind one that went it is not told any more which is which."""
    first = min((int(axis) for axis in a.axes), default=x.rank)
    return in_place([axis not in a.axes if a.keep else axis < first for axis in range(2, x.rank)])


def reduction_reference(name: str) -> Callable[..., Array]:
    """NumPy's; sums of half precision are made in float32."""

    def evaluate(a: Reduction, p: object, x: Array) -> Array:
        wide = x.astype("float32") if x.dtype == "float16" else x
        result: Array = getattr(wide, name)(axis=a.axes, keepdims=a.keep)
        return result.astype(x.dtype)

    return evaluate


def reduction_lowerings(torch: str, keras: str, onnx: str) -> Mapping[TargetName, Callable[..., Lowered]]:
    sums = onnx in ("ReduceSum", "ReduceMean")

    def to_torch(a: Reduction, x: TensorType) -> Lowered:
        axes = a.axes if len(a.axes) > 1 else a.axes[0]
        return Call(torch, (Arg(0), axes), {"keepdim": True} if a.keep else {})

    def to_keras(a: Reduction, x: TensorType) -> Lowered:
        """Where axes go, the others are put in the order that Keras has for what is left."""
        places = sorted(keras_place(int(axis), x.rank) for axis in a.axes)
        kwargs = {"axis": tuple(places) if len(places) > 1 else places[0]} | ({"keepdims": True} if a.keep else {})
        wide = keras == "ops.sum" and x.dtype in _LOW
        source: Any = Call("ops.cast", (Arg(0), "float32")) if wide else Arg(0)
        found = Call(keras, (source,), kwargs)
        found = Call("ops.cast", (found, x.dtype)) if wide else found
        if a.keep:
            return found
        left, kept = [axis for axis in keras_order(x.rank) if axis not in a.axes], _kept(a, x.rank)
        return keras_transpose(found, [left.index(kept[axis]) for axis in keras_order(len(kept))])

    def to_onnx(a: Reduction, x: TensorType) -> Lowered:
        wide = sums and x.dtype in _LOW
        source: Any = onnx_cast(Arg(0), "float32") if wide else Arg(0)
        found = Call(onnx, (source, Const(a.axes, "int64")), {"keepdims": int(a.keep)})
        return onnx_cast(found, x.dtype) if wide else found

    return {"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx}
