"""`hardsigmoid`: relu6(x + 3) / 6 (Howard et al. 2019). Not Keras 2's clip(0.2x + 0.5)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardsigmoid:
    """`hardsigmoid` takes nothing."""


def evaluate(a: Hardsigmoid, p: object, x: Array) -> Array:
    import numpy as np

    gate: Array = np.clip(x + 3, 0, 6) / 6
    return gate


def to_torch(a: Hardsigmoid, x: TensorType) -> Lowered:
    """Written out: the gradient of F.hardsigmoid has 1/6 rounded to float32 in every precision."""
    return Call("/", (Call("F.relu6", (Call("+", (Arg(0), 3)),)), 6))


def to_keras(a: Hardsigmoid, x: TensorType) -> Lowered:
    return Call("ops.hard_sigmoid", (Arg(0),))


def to_onnx(a: Hardsigmoid, x: TensorType) -> Lowered:
    return Call("HardSigmoid", (Arg(0),), {"alpha": 1 / 6, "beta": 0.5})


OP = OpDef(
    name="hardsigmoid",
    attrs=Hardsigmoid,
    summary="relu6(x + 3) / 6, element by element",
    formula="y = min(max(x + 3, 0), 6) / 6",
    shape="(N, C, n…) → (N, C, n…)",
    source="Howard et al. 2019, arXiv:1905.02244",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> hardsigmoid",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
