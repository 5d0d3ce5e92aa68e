"""`concat`: tensors side by side along one axis."""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.dims import Size, equal, together
from convspec.ir.lowering import Args, Call, Lowered
from convspec.ir.opdef import OpDef, ShapeError, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops._axes import Axis, axis_index, axis_name, keras_axis
from convspec.ops._shapes import in_place
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat:
    """`concat(a, b)`, `concat(skips)`, `concat(a, b, axis = width)`. All other axes must agree."""

    axis: int | str = attr(Axis(), "channels", doc="The axis along which the tensors stand side by side.")


def resolve(a: Concat, *xs: TensorType) -> Concat:
    return replace(a, axis=axis_index(a.axis, xs[0].rank))


def infer(a: Concat, *xs: TensorType) -> TensorType:
    first, axis = xs[0], int(a.axis)
    total: Size = first.shape[axis]
    for index, x in enumerate(xs[1:], 1):
        _agree(axis, first, x, index)
        total = total + x.shape[axis]
    return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _agree(axis: int, first: TensorType, x: TensorType, index: int) -> None:
    """Everything but the size along `axis` must be as in the first tensor."""
    if x.rank != first.rank:
        message = f"`concat` needs tensors of one rank, not of {first.rank} and {x.rank}"
        raise ShapeError(message, inputs={0: str(first), index: str(x)})
    if x.dtype != first.dtype:
        raise ShapeError("the tensors of `concat` differ in dtype", "CNN037", inputs={0: str(first), index: str(x)})
    for other, (wanted, found) in enumerate(zip(first.shape, x.shape, strict=True)):
        if other == axis:
            continue
        if not equal(wanted, found):
            # What to declare should settle the axes that follow too, not only the first that differs.
            rest = zip(first.shape[other:], x.shape[other:], strict=True)
            equality = together(equal(*sizes) for place, sizes in enumerate(rest, other) if place != axis)
            name = axis_name(other, x.rank)
            raise ShapeError(
                f"the tensors of `concat` differ in {name}",
                "CNN031",
                inputs={0: f"{name} {wanted}", index: f"{name} {found}"},
                equality=equality,
            )


def receptive_field(a: Concat, *xs: TensorType) -> Window | None:
    """Along a spatial axis each tensor begins at another place: it counts as seen as a whole."""
    return in_place([axis != a.axis for axis in range(2, xs[0].rank)]) if int(a.axis) > 1 else None


def evaluate(a: Concat, p: object, *xs: Array) -> Array:
    import numpy as np

    return np.concatenate(xs, int(a.axis))


def to_torch(a: Concat, *xs: TensorType) -> Lowered:
    return Call("torch.cat", (Args(), a.axis))


def to_keras(a: Concat, *xs: TensorType) -> Lowered:
    axis = keras_axis(int(a.axis), xs[0].rank)
    return Call("layers.concatenate", (Args(),), {} if axis == -1 else {"axis": axis})


def to_onnx(a: Concat, *xs: TensorType) -> Lowered:
    return Call("Concat", (Args(),), {"axis": a.axis})


OP = OpDef(
    name="concat",
    attrs=Concat,
    summary="tensors side by side along an axis, the channels by default",
    inputs=("*xs",),
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, :, …] = a[n, :, …] then b[n, :, …], along the axis",
    shape="(N, A, n…), (N, B, n…) → (N, A + B, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\na = image -> conv(8, 3x3)\nb = image -> conv(4, 3x3)\noutput concat(a, b)",
)
