"""`softmax`: exp(x) / Σ exp(x) along one axis."""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._axes import Axis, axis_index, keras_axis
from convspec.ops._elementwise import elements, same_type
from convspec.ops._shapes import seen_whole
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """`softmax` runs over the channels, `softmax(axis = width)` over another axis."""

    axis: int | str = attr(Axis(), "channels", doc="The axis along which the values add up to 1.")


def resolve(a: Softmax, x: TensorType) -> Softmax:
    return replace(a, axis=axis_index(a.axis, x.rank))


def cost(a: Softmax, x: TensorType) -> Cost:
    """The maximum, the difference from it, exp, the sum, the quotient."""
    return Cost(flops=5 * elements(x))


def receptive_field(a: Softmax, x: TensorType) -> Window | None:
    return seen_whole((int(a.axis),), x.rank)


def evaluate(a: Softmax, p: object, x: Array) -> Array:
    import numpy as np

    axis = int(a.axis)
    powers: Array = np.exp(x - x.max(axis, keepdims=True))
    total: Array = powers.sum(axis, keepdims=True)
    return powers / total


def to_torch(a: Softmax, x: TensorType) -> Lowered:
    return Call("torch.softmax", (Arg(0),), {"dim": a.axis})


def to_keras(a: Softmax, x: TensorType) -> Lowered:
    axis = keras_axis(int(a.axis), x.rank)
    return Call("ops.softmax", (Arg(0),), {} if axis == -1 else {"axis": axis})


def to_onnx(a: Softmax, x: TensorType) -> Lowered:
    return Call("Softmax", (Arg(0),), {"axis": a.axis})


OP = OpDef(
    name="softmax",
    attrs=Softmax,
    summary="exp(x) / Σ exp(x) along an axis, the channels by default",
    formula="y[n, c, i] = exp(x[n, c, i]) / Σⱼ exp(x[n, j, i])",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: float32[N, 3, 32, 32]\noutput image -> flatten -> linear(10) -> softmax",
    resolve=resolve,
    infer=same_type,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
