"""`squeeze`: axes of size 1 taken away; the batch stays."""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.dims import equal
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import Axes, axis_indices, axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """`squeeze(3)`, `squeeze(axis = [height, width])`."""

    axis: tuple[int | str, ...] = attr(Axes(), positional=True, doc="The axis of size 1 that goes, or a list of them.")


def resolve(a: Squeeze, x: TensorType) -> Squeeze:
    shapes.check_rank("squeeze", x)
    axes = axis_indices(a.axis, x.rank, "axis")
    for axis in axes:
        verdict = equal(x.shape[axis], 1)
        if verdict:
            continue
        name, size = axis_name(axis, x.rank), x.shape[axis]
        message = f"`squeeze` takes away axes of size 1, but the {name} is {size}"
        if verdict.verdict == "never":
            raise AttrError(message, "axis", "CNN031")
        raise ShapeError(message, "CNN031", inputs={0: f"{name} {size}"}, equality=verdict)
    return replace(a, axis=tuple(sorted(axes)))


def _kept(a: Squeeze, x: TensorType) -> list[int]:
    return [axis for axis in range(x.rank) if axis not in a.axis]


def infer(a: Squeeze, x: TensorType) -> TensorType:
    return x.with_shape(tuple(x.shape[axis] for axis in _kept(a, x)))


def receptive_field(a: Squeeze, x: TensorType) -> Window:
    """Axes before those that go stay in place; of the others it is not told any more which is which."""
    return shapes.in_place([axis < min(map(int, a.axis)) for axis in range(2, x.rank)])


def evaluate(a: Squeeze, p: object, x: Array) -> Array:
    return x.reshape([x.shape[axis] for axis in range(x.ndim) if axis not in a.axis])


def to_torch(a: Squeeze, x: TensorType) -> Lowered:
    return Call(".squeeze", (Arg(0), write.squash(a.axis) if len(a.axis) == 1 else a.axis))


def to_keras(a: Squeeze, x: TensorType) -> Lowered:
    """The axes go where Keras has them; what is left is put in order where it then lies otherwise."""
    gone = tuple(sorted(shapes.keras_place(int(axis), x.rank) for axis in a.axis))
    left = [axis for axis in shapes.keras_order(x.rank) if axis not in a.axis]
    kept = _kept(a, x)
    squeezed = Call("ops.squeeze", (Arg(0), gone[0] if len(gone) == 1 else gone))
    return shapes.keras_transpose(squeezed, [left.index(kept[axis]) for axis in shapes.keras_order(len(kept))])


def to_onnx(a: Squeeze, x: TensorType) -> Lowered:
    return Call("Squeeze", (Arg(0), Const(a.axis, "int64")))


OP = OpDef(
    name="squeeze",
    attrs=Squeeze,
    summary="Axes of size 1 taken away",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = x[n, c, i, 0], for axis = 3",
    shape="(N, C, n, 1) → (N, C, n), for axis = 3",
    source="",
    example="input image: float32[N, 3, 1, 64]\noutput line = image -> squeeze(axis = height)",
)
