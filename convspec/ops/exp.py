"""`exp`: e to the power of every element."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exp:
    """`exp` takes nothing."""


def evaluate(a: Exp, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = np.exp(x)
    return y


def to_torch(a: Exp, x: TensorType) -> Lowered:
    return Call("torch.exp", (Arg(0),))


def to_keras(a: Exp, x: TensorType) -> Lowered:
    return Call("ops.exp", (Arg(0),))


def to_onnx(a: Exp, x: TensorType) -> Lowered:
    return Call("Exp", (Arg(0),))


OP = OpDef(
    name="exp",
    attrs=Exp,
    summary="e to the power of x, element by element",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = eˣ",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> exp",
)
