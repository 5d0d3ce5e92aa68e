"""`relu6`: min(max(x, 0), 6) (Krizhevsky 2010; MobileNet)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Relu6:
    """`relu6` takes nothing."""


def evaluate(a: Relu6, p: object, x: Array) -> Array:
    import numpy as np

    return np.clip(x, 0, 6)


def to_torch(a: Relu6, x: TensorType) -> Lowered:
    return Call("F.relu6", (Arg(0),))


def to_keras(a: Relu6, x: TensorType) -> Lowered:
    return Call("ops.relu6", (Arg(0),))


def to_onnx(a: Relu6, x: TensorType) -> Lowered:
    return Call("Clip", (Arg(0), Const(0.0, x.dtype), Const(6.0, x.dtype)))


OP = OpDef(
    name="relu6",
    attrs=Relu6,
    summary="min(max(x, 0), 6), element by element",
    formula="y = min(max(x, 0), 6)",
    shape="(N, C, n…) → (N, C, n…)",
    source="Krizhevsky 2010",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> relu6",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
