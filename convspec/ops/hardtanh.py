"""`hardtanh`: x cut off below and above, at -1 and 1 by default (Collobert 2004)."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardtanh:
    """`hardtanh`, `hardtanh(-2, 2)`. Its gradient at the bounds themselves is 0."""

    min: float = attr(Real(), -1.0, positional=True, doc="The least value.")
    max: float = attr(Real(), 1.0, positional=True, doc="The greatest value.")


def resolve(a: Hardtanh, x: TensorType) -> Hardtanh:
    if a.min >= a.max:
        raise AttrError(f"`min` must be below `max`, but {a.min:g} is not below {a.max:g}", "min" if a.min != -1 else "max")
    return a


def _bounds(a: Hardtanh) -> tuple[float, ...]:
    """What is written of them: nothing where they are -1 and 1."""
    return () if (a.min, a.max) == (-1, 1) else (a.min, a.max)


def evaluate(a: Hardtanh, p: object, x: Array) -> Array:
    import numpy as np

    return np.clip(x, a.min, a.max)


def to_torch(a: Hardtanh, x: TensorType) -> Lowered:
    return Call("F.hardtanh", (Arg(0), *_bounds(a)))


def to_keras(a: Hardtanh, x: TensorType) -> Lowered:
    """A helper: the gradients of ops.clip and ops.hard_tanh pass at the bounds themselves."""
    return Call("helpers.hardtanh", (Arg(0), *_bounds(a)))


def to_onnx(a: Hardtanh, x: TensorType) -> Lowered:
    return Call("Clip", (Arg(0), Const(a.min, x.dtype), Const(a.max, x.dtype)))


OP = OpDef(
    name="hardtanh",
    attrs=Hardtanh,
    summary="min(max(x, min), max), element by element",
    formula="y = min   where x < min\ny = max   where x > max\ny = x     elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="Collobert 2004",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> hardtanh(0, 6)",
    resolve=resolve,
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
