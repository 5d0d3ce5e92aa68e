"""`-x`: every element with its sign changed."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Neg:
    """`-x` takes nothing."""


def evaluate(a: Neg, p: object, x: Array) -> Array:
    return -x


def to_torch(a: Neg, x: TensorType) -> Lowered:
    return Call("neg", (Arg(0),))


def to_keras(a: Neg, x: TensorType) -> Lowered:
    return Call("neg", (Arg(0),))


def to_onnx(a: Neg, x: TensorType) -> Lowered:
    return Call("Neg", (Arg(0),))


OP = OpDef(
    name="neg",
    attrs=Neg,
    summary="-x, element by element",
    dtypes=(*FLOATS, "int32", "int64"),
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = -x",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput -image",
)
