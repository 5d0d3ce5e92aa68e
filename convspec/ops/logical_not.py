"""`logical_not` of a tensor of bool: true where it is false."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalNot:
    """`logical_not` takes nothing."""


def evaluate(a: LogicalNot, p: object, x: Array) -> Array:
    return ~x


def to_torch(a: LogicalNot, x: TensorType) -> Lowered:
    return Call("not", (Arg(0),))


def to_keras(a: LogicalNot, x: TensorType) -> Lowered:
    return Call("ops.logical_not", (Arg(0),))


def to_onnx(a: LogicalNot, x: TensorType) -> Lowered:
    return Call("Not", (Arg(0),))


OP = OpDef(
    name="logical_not",
    attrs=LogicalNot,
    summary="True where a tensor of bool is false",
    dtypes=("bool",),
    infer=same_type,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = ¬x",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput where(logical_not(image > 0), image, right = 0)",
)
