"""`unsqueeze`: a new axis of size 1; the batch stays first.

`axis` is the place of the new axis in the result, and so are the names: with two axes, `unsqueeze(axis = length)` puts the new
one behind the channels; `unsqueeze(axis = channels)` makes the channels of before the length.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axis, axis_index
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsqueeze:
    """`unsqueeze(2)`, `unsqueeze(-1)` at the end, `unsqueeze(axis = channels)`."""

    axis: int | str = attr(Axis(), positional=True, doc="Where the result has the new axis; -1 is the end.")


def resolve(a: Unsqueeze, x: TensorType) -> Unsqueeze:
    shapes.check_rank("unsqueeze", x, 1, 4)
    return replace(a, axis=axis_index(a.axis, x.rank + 1))


def infer(a: Unsqueeze, x: TensorType) -> TensorType:
    axis = int(a.axis)
    return x.with_shape((*x.shape[:axis], 1, *x.shape[axis:]))


def receptive_field(a: Unsqueeze, x: TensorType) -> Window:
    return shapes.in_place([axis < int(a.axis) for axis in range(2, x.rank)])


def evaluate(a: Unsqueeze, p: object, x: Array) -> Array:
    import numpy as np

    return np.expand_dims(x, int(a.axis))


def to_torch(a: Unsqueeze, x: TensorType) -> Lowered:
    return Call(".unsqueeze", (Arg(0), a.axis))


def to_keras(a: Unsqueeze, x: TensorType) -> Lowered:
    """The other axes in the order that the result has in Keras, then the new one between them."""
    new, place = int(a.axis), shapes.keras_place(int(a.axis), x.rank + 1)
    others = [axis - (axis > new) for axis in shapes.keras_order(x.rank + 1) if axis != new]
    moved = shapes.keras_transpose(Arg(0), [shapes.keras_place(axis, x.rank) for axis in others])
    return Call("ops.expand_dims", (moved, place))


def to_onnx(a: Unsqueeze, x: TensorType) -> Lowered:
    return Call("Unsqueeze", (Arg(0), Const((a.axis,), "int64")))


OP = OpDef(
    name="unsqueeze",
    attrs=Unsqueeze,
    summary="A new axis of size 1",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i, 0] = x[n, c, i], for axis = 3",
    shape="(N, C, n) → (N, C, n, 1), for axis = 3",
    source="",
    example="input line: float32[N, 3, 64]\noutput image = line -> unsqueeze(axis = height)",
)
