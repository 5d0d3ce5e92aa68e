"""`celu`: x above 0, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017)."""

from __future__ import annotations

import math

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.ops._precision import LOW
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Celu:
    """`celu`, `celu(0.5)`. Its gradient at 0 is 1, whatever alpha is."""

    alpha: float = attr(Real(above=0), 1.0, positional=True, doc="What values far below 0 approach, negated.")


def evaluate(a: Celu, p: object, x: Array) -> Array:
    import numpy as np

    return np.where(x > 0, x, a.alpha * np.expm1(np.minimum(x, 0) / a.alpha))


def to_torch(a: Celu, x: TensorType) -> Lowered:
    """F.celu where 1 / alpha is exact: its gradient rounds that to float32 in every precision."""
    if x.dtype not in LOW and math.frexp(a.alpha)[0] != 0.5:
        return Call("*", (Call("F.elu", (Call("/", (Arg(0), a.alpha)),)), a.alpha))
    return Call("F.celu", (Arg(0),) if a.alpha == 1 else (Arg(0), a.alpha))


def to_keras(a: Celu, x: TensorType) -> Lowered:
    """A helper: the gradient of ops.celu at 0 is 2."""
    return Call("helpers.celu", (Arg(0),) if a.alpha == 1 else (Arg(0), a.alpha))


def to_onnx(a: Celu, x: TensorType) -> Lowered:
    """Written out: the op type Celu takes float32 only."""
    below = Call("Elu", (Call("Div", (Arg(0), Const(a.alpha, x.dtype))),), {"alpha": 1.0})
    scaled = Call("Mul", (below, Const(a.alpha, x.dtype)))
    return Call("Where", (Call("Greater", (Arg(0), Const(0.0, x.dtype))), Arg(0), scaled))


OP = OpDef(
    name="celu",
    attrs=Celu,
    summary="x above 0, alpha * (exp(x / alpha) - 1) elsewhere",
    formula="y = x                     where x > 0\ny = alpha · (e^(x / alpha) − 1)   elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="Barron 2017, arXiv:1704.07483",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> celu(0.5)",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
