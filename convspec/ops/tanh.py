"""`tanh`: the hyperbolic tangent."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tanh:
    """`tanh` takes nothing."""


def evaluate(a: Tanh, p: object, x: Array) -> Array:
    import numpy as np

    return np.tanh(x)


def to_torch(a: Tanh, x: TensorType) -> Lowered:
    return Call("torch.tanh", (Arg(0),))


def to_keras(a: Tanh, x: TensorType) -> Lowered:
    return Call("ops.tanh", (Arg(0),))


def to_onnx(a: Tanh, x: TensorType) -> Lowered:
    return Call("Tanh", (Arg(0),))


OP = OpDef(
    name="tanh",
    attrs=Tanh,
    summary="the hyperbolic tangent, element by element",
    formula="y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> tanh",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
