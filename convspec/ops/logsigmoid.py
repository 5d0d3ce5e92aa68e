"""`logsigmoid`: log(sigmoid(x)) = -log(1 + exp(-x))."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.ops._precision import keras_narrowed, keras_widened
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Logsigmoid:
    """`logsigmoid` takes nothing."""


def evaluate(a: Logsigmoid, p: object, x: Array) -> Array:
    import numpy as np

    return -np.logaddexp(0, -x)


def to_torch(a: Logsigmoid, x: TensorType) -> Lowered:
    return Call("F.logsigmoid", (Arg(0),))


def to_keras(a: Logsigmoid, x: TensorType) -> Lowered:
    """In low precision by way of float32, for the sake of softplus inside it."""
    return keras_narrowed(Call("ops.log_sigmoid", (keras_widened(Arg(0), x.dtype),)), x.dtype)


def to_onnx(a: Logsigmoid, x: TensorType) -> Lowered:
    return Call("Neg", (Call("Softplus", (Call("Neg", (Arg(0),)),)),))


OP = OpDef(
    name="logsigmoid",
    attrs=Logsigmoid,
    summary="log(sigmoid(x)), element by element",
    formula="y = −log(1 + e⁻ˣ)",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> logsigmoid",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
