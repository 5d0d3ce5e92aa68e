"""`sqrt`: the square root of every element; NaN below 0. The gradient at 0 is infinite."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sqrt:
    """`sqrt` takes nothing."""


def evaluate(a: Sqrt, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = np.sqrt(x)
    return y


def to_torch(a: Sqrt, x: TensorType) -> Lowered:
    return Call("torch.sqrt", (Arg(0),))


def to_keras(a: Sqrt, x: TensorType) -> Lowered:
    return Call("ops.sqrt", (Arg(0),))


def to_onnx(a: Sqrt, x: TensorType) -> Lowered:
    return Call("Sqrt", (Arg(0),))


OP = OpDef(
    name="sqrt",
    attrs=Sqrt,
    summary="The square root, element by element",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = √x",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput sqrt(image * image + 1)",
)
