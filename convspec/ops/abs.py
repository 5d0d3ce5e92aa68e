"""`abs`: every element without its sign. The gradient at 0 is 0."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Abs:
    """`abs` takes nothing."""


def evaluate(a: Abs, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = np.abs(x)
    return y


def to_torch(a: Abs, x: TensorType) -> Lowered:
    return Call("torch.abs", (Arg(0),))


def to_keras(a: Abs, x: TensorType) -> Lowered:
    return Call("ops.abs", (Arg(0),))


def to_onnx(a: Abs, x: TensorType) -> Lowered:
    return Call("Abs", (Arg(0),))


OP = OpDef(
    name="abs",
    attrs=Abs,
    summary="|x|, element by element",
    dtypes=(*FLOATS, "int32", "int64"),
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = |x|",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput abs(image)",
)
