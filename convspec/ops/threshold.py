"""`threshold`: x above a threshold, a fixed value elsewhere."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """`threshold(0.1)`, `threshold(0.1, 20)`. Its gradient at the threshold itself is 0."""

    threshold: float = attr(Real(), positional=True, doc="Values up to this one, itself included, are replaced.")
    value: float = attr(Real(), 0.0, positional=True, doc="What stands in their place.")


def evaluate(a: Threshold, p: object, x: Array) -> Array:
    import numpy as np

    return np.where(x > a.threshold, x, np.asarray(a.value, x.dtype))


def to_torch(a: Threshold, x: TensorType) -> Lowered:
    return Call("F.threshold", (Arg(0), a.threshold, a.value))


def to_keras(a: Threshold, x: TensorType) -> Lowered:
    return Call("ops.threshold", (Arg(0), a.threshold, a.value))


def to_onnx(a: Threshold, x: TensorType) -> Lowered:
    return Call("Where", (Call("Greater", (Arg(0), Const(a.threshold, x.dtype))), Arg(0), Const(a.value, x.dtype)))


OP = OpDef(
    name="threshold",
    attrs=Threshold,
    summary="x above a threshold, a fixed value elsewhere",
    formula="y = x       where x > threshold\ny = value   elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> threshold(0.1)",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
