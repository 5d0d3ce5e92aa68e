"""`log`: the natural logarithm of every element; -inf for 0, and NaN below."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`log` takes nothing."""


def evaluate(a: Log, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = np.log(x)
    return y


def to_torch(a: Log, x: TensorType) -> Lowered:
    return Call("torch.log", (Arg(0),))


def to_keras(a: Log, x: TensorType) -> Lowered:
    return Call("ops.log", (Arg(0),))


def to_onnx(a: Log, x: TensorType) -> Lowered:
    return Call("Log", (Arg(0),))


OP = OpDef(
    name="log",
    attrs=Log,
    summary="The natural logarithm, element by element",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = ln x",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput log(image * image + 1)",
)
