"""`relu`: max(x, 0) (Nair & Hinton 2010)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Relu:
    """`relu` takes nothing."""


def evaluate(a: Relu, p: object, x: Array) -> Array:
    import numpy as np

    return np.maximum(x, 0)


def to_torch(a: Relu, x: TensorType) -> Lowered:
    return Call("torch.relu", (Arg(0),))


def to_keras(a: Relu, x: TensorType) -> Lowered:
    return Call("ops.relu", (Arg(0),))


def to_onnx(a: Relu, x: TensorType) -> Lowered:
    return Call("Relu", (Arg(0),))


OP = OpDef(
    name="relu",
    attrs=Relu,
    summary="max(x, 0), element by element",
    formula="y = max(x, 0)",
    shape="(N, C, n…) → (N, C, n…)",
    source="Nair & Hinton 2010",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> relu",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
