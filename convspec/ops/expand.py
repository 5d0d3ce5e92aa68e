"""`expand`: axes of size 1 repeated to the sizes of another tensor, the batch too.

It is for what has no batch of its own, such as a learned class token: `token -> expand(patches, axes = batch)` has the batch of
`patches`, and can be put beside them by `concat`. Only the other tensor's sizes matter, not what it holds.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.dims import Size, equal
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axes, axis_indices, axis_name
from convspec.ops._shapes import Measure
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """`expand(tokens, axes = batch)`, `expand(image, axes = [batch, height, width])`."""

    axes: tuple[int | str, ...] = attr(
        Axes(batch=True), positional=True, doc="The axis, or axes, that get the size of the other tensor; they have size 1."
    )


def resolve(a: Expand, x: TensorType, like: TensorType) -> Expand:
    shapes.check_rank("expand", x)
    if x.rank != like.rank:
        message = f"`expand` needs two tensors of one rank, not of {x.rank} and {like.rank}"
        raise ShapeError(message, inputs={0: str(x), 1: str(like)})
    axes = axis_indices(a.axes, x.rank, "axes", batch=True)
    for axis in axes:
        verdict = equal(x.shape[axis], 1)
        if verdict:
            continue
        name, size = axis_name(axis, x.rank), x.shape[axis]
        message = f"`expand` repeats axes of size 1, but the {name} is {size}"
        if verdict.verdict == "never":
            raise AttrError(message, "axes", "CNN031")
        raise ShapeError(message, "CNN031", inputs={0: f"{name} {size}"}, equality=verdict)
    return replace(a, axes=tuple(sorted(axes)))


def infer(a: Expand, x: TensorType, like: TensorType) -> TensorType:
    sizes = zip(x.shape, like.shape, strict=True)
    return x.with_shape(tuple(theirs if axis in a.axes else own for axis, (own, theirs) in enumerate(sizes)))


def evaluate(a: Expand, p: object, x: Array, like: Array) -> Array:
    import numpy as np

    return np.broadcast_to(x, [like.shape[axis] if axis in a.axes else size for axis, size in enumerate(x.shape)])


def _sizes(a: Expand, like: TensorType, same: int) -> list[int | Measure]:
    """The size along every axis; `same` where it does not change."""
    return [_size(like.shape[axis], axis) if axis in a.axes else same for axis in range(like.rank)]


def _size(size: Size, axis: int) -> int | Measure:
    return size if isinstance(size, int) else Measure((axis,), source=1)


def to_torch(a: Expand, x: TensorType, like: TensorType) -> Lowered:
    return Call(".expand", (Arg(0), *(shapes.torch_size(entry) for entry in _sizes(a, like, -1))))


def to_keras(a: Expand, x: TensorType, like: TensorType) -> Lowered:
    axes = tuple(sorted(shapes.keras_place(int(axis), x.rank) for axis in a.axes))
    return Call("helpers.expand_like", (Arg(0), Arg(1), axes))


def to_onnx(a: Expand, x: TensorType, like: TensorType) -> Lowered:
    return Call("Expand", (Arg(0), shapes.onnx_sizes(_sizes(a, like, 1))))


OP = OpDef(
    name="expand",
    attrs=Expand,
    summary="Axes of size 1 repeated to the sizes of another tensor",
    inputs=("x", "like"),
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = x[0, c, i], for axes = batch",
    shape="(1, C, n…), (N, ·, ·…) → (N, C, n…), for axes = batch",
    source="",
    example=(
        "input patches: float32[N, 64, 196]\n"
        "input token: float32[1, 64, 1]\n"
        "output tokens = concat(token -> expand(patches, axes = batch), patches, axis = length)"
    ),
)
