"""`logical_and` of two tensors of bool: true where both are."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import broadcast_pair
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalAnd:
    """`logical_and(a, b)`: equal ranks; only axes of size 1 broadcast."""


def infer(a: LogicalAnd, x: TensorType, y: TensorType) -> TensorType:
    return broadcast_pair("logical_and", x, y)


def evaluate(a: LogicalAnd, p: object, x: Array, y: Array) -> Array:
    import numpy as np

    result: Array = np.logical_and(x, y)
    return result


def to_torch(a: LogicalAnd, x: TensorType, y: TensorType) -> Lowered:
    return Call("torch.logical_and", (Arg(0), Arg(1)))


def to_keras(a: LogicalAnd, x: TensorType, y: TensorType) -> Lowered:
    return Call("ops.logical_and", (Arg(0), Arg(1)))


def to_onnx(a: LogicalAnd, x: TensorType, y: TensorType) -> Lowered:
    return Call("And", (Arg(0), Arg(1)))


OP = OpDef(
    name="logical_and",
    attrs=LogicalAnd,
    summary="True where both are, of two tensors of bool",
    inputs=("a", "b"),
    dtypes=("bool",),
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = a ∧ b",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput where(logical_and(image > 0, image < 1), image, right = 0)",
)
