"""`elu`: x above 0, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2015)."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Elu:
    """`elu`, `elu(0.5)`. Its gradient at 0 is alpha."""

    alpha: float = attr(Real(), 1.0, positional=True, doc="What values far below 0 approach, negated.")


def evaluate(a: Elu, p: object, x: Array) -> Array:
    import numpy as np

    return np.where(x > 0, x, a.alpha * np.expm1(np.minimum(x, 0)))


def to_torch(a: Elu, x: TensorType) -> Lowered:
    return Call("F.elu", (Arg(0),) if a.alpha == 1 else (Arg(0), a.alpha))


def to_keras(a: Elu, x: TensorType) -> Lowered:
    """A helper: the gradient of ops.elu at 0 is 1 whatever alpha is."""
    return Call("helpers.elu", (Arg(0),) if a.alpha == 1 else (Arg(0), a.alpha))


def to_onnx(a: Elu, x: TensorType) -> Lowered:
    return Call("Elu", (Arg(0),), {"alpha": a.alpha})


OP = OpDef(
    name="elu",
    attrs=Elu,
    summary="x above 0, alpha * (exp(x) - 1) elsewhere",
    formula="y = x                  where x > 0\ny = alpha · (eˣ − 1)   elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="Clevert et al. 2015, arXiv:1511.07289",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> elu",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
