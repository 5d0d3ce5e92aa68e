"""`glu`: one half of a tensor, gated by the sigmoid of the other half (Dauphin et al. 2016)."""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.dims import equal
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._axes import Axis, axis_index, axis_name, keras_axis
from convspec.ops._elementwise import elements
from convspec.ops._shapes import seen_whole
from convspec.records import dataclass

_END = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Glu:
    """`glu` halves the channels, `glu(axis = width)` another axis."""

    axis: int | str = attr(Axis(), "channels", doc="The axis that is halved: the first half is gated by the second.")


def resolve(a: Glu, x: TensorType) -> Glu:
    return replace(a, axis=axis_index(a.axis, x.rank))


def infer(a: Glu, x: TensorType) -> TensorType:
    axis = int(a.axis)
    whole, name = x.shape[axis], axis_name(axis, x.rank)
    half = whole // 2
    equality = equal(half * 2, whole)
    message = f"`glu` halves {name}, but {whole} is odd"
    if equality.verdict == "never":
        raise AttrError(message, "axis")
    if not equality:
        message = f"`glu` halves {name}, but {whole} may be odd"
        raise ShapeError(message, "CNN045", inputs={0: str(x)}, equality=equality)
    return x.with_shape((*x.shape[:axis], half, *x.shape[axis + 1 :]))


def cost(a: Glu, x: TensorType) -> Cost:
    """A sigmoid and a product per element of the result."""
    return Cost(flops=2 * elements(infer(a, x)))


def receptive_field(a: Glu, x: TensorType) -> Window | None:
    return seen_whole((int(a.axis),), x.rank)


def evaluate(a: Glu, p: object, x: Array) -> Array:
    import numpy as np

    passed, gate = np.split(x, 2, int(a.axis))
    y: Array = passed * np.exp(-np.logaddexp(0, -gate))
    return y


def to_torch(a: Glu, x: TensorType) -> Lowered:
    return Call("F.glu", (Arg(0),), {"dim": a.axis})


def to_keras(a: Glu, x: TensorType) -> Lowered:
    """ops.glu, or a helper where the size of the axis is not known, which ops.glu wants."""
    axis = keras_axis(int(a.axis), x.rank)
    fn = "ops.glu" if isinstance(x.shape[int(a.axis)], int) else "helpers.glu"
    return Call(fn, (Arg(0),), {} if axis == -1 else {"axis": axis})


def to_onnx(a: Glu, x: TensorType) -> Lowered:
    axis = int(a.axis)
    size = x.shape[axis]
    middle: Const | Call
    if isinstance(size, int):
        middle = Const((size // 2,), "int64")
    else:
        whole = Call("Shape", (Arg(0),), {"start": axis, "end": axis + 1})
        middle = Call("Div", (whole, Const((2,), "int64")))
    passed = Call("Slice", (Arg(0), Const((0,), "int64"), middle, Const((axis,), "int64")))
    gate = Call("Slice", (Arg(0), middle, Const((_END,), "int64"), Const((axis,), "int64")))
    return Call("Mul", (passed, Call("Sigmoid", (gate,))))


OP = OpDef(
    name="glu",
    attrs=Glu,
    summary="one half of the channels, gated by the sigmoid of the other half",
    formula="y[n, c, i] = x[n, c, i] · sigmoid(x[n, c + C/2, i])",
    shape="(N, C, n…) → (N, C / 2, n…)",
    source="Dauphin et al. 2016, arXiv:1612.08083",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(16, 3x3) -> glu",
    resolve=resolve,
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
