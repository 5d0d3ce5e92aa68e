"""`hardswish`: x * relu6(x + 3) / 6 (Howard et al. 2019)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardswish:
    """`hardswish` takes nothing."""


def evaluate(a: Hardswish, p: object, x: Array) -> Array:
    import numpy as np

    gate: Array = np.clip(x + 3, 0, 6) / 6
    return x * gate


def to_torch(a: Hardswish, x: TensorType) -> Lowered:
    return Call("F.hardswish", (Arg(0),))


def to_keras(a: Hardswish, x: TensorType) -> Lowered:
    return Call("ops.hard_swish", (Arg(0),))


def to_onnx(a: Hardswish, x: TensorType) -> Lowered:
    return Call("HardSwish", (Arg(0),))


OP = OpDef(
    name="hardswish",
    attrs=Hardswish,
    summary="x * relu6(x + 3) / 6, element by element",
    formula="y = x · min(max(x + 3, 0), 6) / 6",
    shape="(N, C, n…) → (N, C, n…)",
    source="Howard et al. 2019, arXiv:1905.02244",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> hardswish",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
