"""`mish`: x * tanh(softplus(x)) (Misra 2019)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.ops._precision import keras_narrowed, keras_widened
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mish:
    """`mish` takes nothing."""


def evaluate(a: Mish, p: object, x: Array) -> Array:
    import numpy as np

    return x * np.tanh(np.logaddexp(0, x))


def to_torch(a: Mish, x: TensorType) -> Lowered:
    return Call("F.mish", (Arg(0),))


def to_keras(a: Mish, x: TensorType) -> Lowered:
    """In low precision by way of float32, for the sake of softplus inside it."""
    wide = keras_widened(Arg(0), x.dtype)
    return keras_narrowed(Call("*", (wide, Call("ops.tanh", (Call("ops.softplus", (wide,)),)))), x.dtype)


def to_onnx(a: Mish, x: TensorType) -> Lowered:
    return Call("Mish", (Arg(0),))


OP = OpDef(
    name="mish",
    attrs=Mish,
    summary="x * tanh(log(1 + exp(x))), element by element",
    formula="y = x · tanh(log(1 + eˣ))",
    shape="(N, C, n…) → (N, C, n…)",
    source="Misra 2019, arXiv:1908.08681",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> mish",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
