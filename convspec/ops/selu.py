"""`selu`: ELU with the scale and alpha under which activations keep mean 0 and variance 1 (Klambauer et al. 2017)."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


@dataclass(frozen=True, slots=True, kw_only=True)
class Selu:
    """`selu` takes nothing. Its gradient at 0 is scale * alpha."""


def evaluate(a: Selu, p: object, x: Array) -> Array:
    import numpy as np

    return np.where(x > 0, SCALE * x, SCALE * ALPHA * np.expm1(np.minimum(x, 0)))


def to_torch(a: Selu, x: TensorType) -> Lowered:
    return Call("F.selu", (Arg(0),))


def to_keras(a: Selu, x: TensorType) -> Lowered:
    """A helper: at 0 the gradient of ops.selu is the one from above, scale, and not scale * alpha."""
    return Call("helpers.selu", (Arg(0),))


def to_onnx(a: Selu, x: TensorType) -> Lowered:
    return Call("Selu", (Arg(0),), {"alpha": ALPHA, "gamma": SCALE})


OP = OpDef(
    name="selu",
    attrs=Selu,
    summary="scaled ELU, which keeps mean 0 and variance 1",
    formula="y = 1.0507… · x                   where x > 0\ny = 1.0507… · 1.6732… · (eˣ − 1)   elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="Klambauer et al. 2017, arXiv:1706.02515",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> selu",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
