"""`sigmoid`: 1 / (1 + exp(-x))."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sigmoid:
    """`sigmoid` takes nothing."""


def evaluate(a: Sigmoid, p: object, x: Array) -> Array:
    import numpy as np

    return np.exp(-np.logaddexp(0, -x))  # does not overflow


def to_torch(a: Sigmoid, x: TensorType) -> Lowered:
    return Call("torch.sigmoid", (Arg(0),))


def to_keras(a: Sigmoid, x: TensorType) -> Lowered:
    return Call("ops.sigmoid", (Arg(0),))


def to_onnx(a: Sigmoid, x: TensorType) -> Lowered:
    return Call("Sigmoid", (Arg(0),))


OP = OpDef(
    name="sigmoid",
    attrs=Sigmoid,
    summary="1 / (1 + exp(-x)), element by element",
    formula="y = 1 / (1 + e⁻ˣ)",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> sigmoid",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
