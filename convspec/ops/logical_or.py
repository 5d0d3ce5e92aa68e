"""`logical_or` of two tensors of bool: true where at least one is."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import broadcast_pair
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalOr:
    """`logical_or(a, b)`: equal ranks; only axes of size 1 broadcast."""


def infer(a: LogicalOr, x: TensorType, y: TensorType) -> TensorType:
    return broadcast_pair("logical_or", x, y)


def evaluate(a: LogicalOr, p: object, x: Array, y: Array) -> Array:
    import numpy as np

    result: Array = np.logical_or(x, y)
    return result


def to_torch(a: LogicalOr, x: TensorType, y: TensorType) -> Lowered:
    return Call("torch.logical_or", (Arg(0), Arg(1)))


def to_keras(a: LogicalOr, x: TensorType, y: TensorType) -> Lowered:
    return Call("ops.logical_or", (Arg(0), Arg(1)))


def to_onnx(a: LogicalOr, x: TensorType, y: TensorType) -> Lowered:
    return Call("Or", (Arg(0), Arg(1)))


OP = OpDef(
    name="logical_or",
    attrs=LogicalOr,
    summary="True where at least one is, of two tensors of bool",
    inputs=("a", "b"),
    dtypes=("bool",),
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = a ∨ b",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput where(logical_or(image > 0, image < 1), image, right = 0)",
)
