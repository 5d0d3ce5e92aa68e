"""`log_softmax`: the logarithm of `softmax`, without its overflow."""

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
class LogSoftmax:
    """`log_softmax` runs over the channels, `log_softmax(axis = width)` over another axis."""

    axis: int | str = attr(Axis(), "channels", doc="The axis along which the powers of e add up to 1.")


def resolve(a: LogSoftmax, x: TensorType) -> LogSoftmax:
    return replace(a, axis=axis_index(a.axis, x.rank))


def cost(a: LogSoftmax, x: TensorType) -> Cost:
    """The maximum, the difference from it, exp, the sum, the difference from its logarithm."""
    return Cost(flops=5 * elements(x))


def receptive_field(a: LogSoftmax, x: TensorType) -> Window | None:
    return seen_whole((int(a.axis),), x.rank)


def evaluate(a: LogSoftmax, p: object, x: Array) -> Array:
    import numpy as np

    axis = int(a.axis)
    shifted: Array = x - x.max(axis, keepdims=True)
    total: Array = np.exp(shifted).sum(axis, keepdims=True)
    return shifted - np.log(total)


def to_torch(a: LogSoftmax, x: TensorType) -> Lowered:
    return Call("F.log_softmax", (Arg(0),), {"dim": a.axis})


def to_keras(a: LogSoftmax, x: TensorType) -> Lowered:
    axis = keras_axis(int(a.axis), x.rank)
    return Call("ops.log_softmax", (Arg(0),), {} if axis == -1 else {"axis": axis})


def to_onnx(a: LogSoftmax, x: TensorType) -> Lowered:
    return Call("LogSoftmax", (Arg(0),), {"axis": a.axis})


OP = OpDef(
    name="log_softmax",
    attrs=LogSoftmax,
    summary="x - log Σ exp(x) along an axis, the channels by default",
    formula="y[n, c, i] = x[n, c, i] − log Σⱼ exp(x[n, j, i])",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: float32[N, 3, 32, 32]\noutput image -> flatten -> linear(10) -> log_softmax",
    resolve=resolve,
    infer=same_type,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
