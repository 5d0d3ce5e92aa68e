"""`silu`: x * sigmoid(x), also called swish (Elfwing et al. 2017)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Silu:
    """`silu` takes nothing."""


def evaluate(a: Silu, p: object, x: Array) -> Array:
    import numpy as np

    return x * np.exp(-np.logaddexp(0, -x))


def to_torch(a: Silu, x: TensorType) -> Lowered:
    return Call("F.silu", (Arg(0),))


def to_keras(a: Silu, x: TensorType) -> Lowered:
    return Call("ops.silu", (Arg(0),))


def to_onnx(a: Silu, x: TensorType) -> Lowered:
    return Call("Mul", (Arg(0), Call("Sigmoid", (Arg(0),))))


OP = OpDef(
    name="silu",
    attrs=Silu,
    summary="x * sigmoid(x), element by element",
    formula="y = x / (1 + e⁻ˣ)",
    shape="(N, C, n…) → (N, C, n…)",
    source="Elfwing et al. 2017, arXiv:1702.03118",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> silu",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
