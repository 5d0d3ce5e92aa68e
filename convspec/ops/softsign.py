"""`softsign`: x / (1 + |x|)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Softsign:
    """`softsign` takes nothing."""


def evaluate(a: Softsign, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = x / (1 + np.abs(x))
    return y


def to_torch(a: Softsign, x: TensorType) -> Lowered:
    return Call("F.softsign", (Arg(0),))


def to_keras(a: Softsign, x: TensorType) -> Lowered:
    return Call("ops.softsign", (Arg(0),))


def to_onnx(a: Softsign, x: TensorType) -> Lowered:
    return Call("Softsign", (Arg(0),))


OP = OpDef(
    name="softsign",
    attrs=Softsign,
    summary="x / (1 + |x|), element by element",
    formula="y = x / (1 + |x|)",
    shape="(N, C, n…) → (N, C, n…)",
    source="Turian et al. 2009",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> softsign",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
