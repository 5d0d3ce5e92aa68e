"""`clip`: elements below a least and above a greatest number become that number; the gradient at both bounds is 1."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, attr
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops._elementwise import number_of, one_flop_each
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """`clip(0, 1)`, `clip(min = 0)`, `clip(max = 6)`."""

    min: float | None = attr(Real(), None, positional=True, doc="The least value; none if left out.")
    max: float | None = attr(Real(), None, positional=True, doc="The greatest value; none if left out.")


def infer(a: Clip, x: TensorType) -> TensorType:
    if a.min is None and a.max is None:
        raise AttrError("`clip` needs `min`, `max` or both", None, "CNN041")
    if a.min is not None and a.max is not None and a.min > a.max:
        raise AttrError(f"`max` must be at least `min`, {a.min:g}, not {a.max:g}", "max")
    _bounds(a, x.dtype)
    return x


def _bounds(a: Clip, dtype: str) -> dict[str, int | float]:
    """The bounds that are given, by name."""
    given = {name: value for name, value in (("min", a.min), ("max", a.max)) if value is not None}
    return {name: number_of("clip", name, value, dtype) for name, value in given.items()}


def evaluate(a: Clip, p: object, x: Array) -> Array:
    import numpy as np

    bounds = _bounds(a, x.dtype.name)
    y: Array = np.clip(x, bounds.get("min"), bounds.get("max")).astype(x.dtype)
    return y


def to_torch(a: Clip, x: TensorType) -> Lowered:
    bounds = _bounds(a, x.dtype)
    return Call(".clamp", (Arg(0), *bounds.values())) if len(bounds) == 2 else Call(".clamp", (Arg(0),), bounds)


def to_keras(a: Clip, x: TensorType) -> Lowered:
    bounds = _bounds(a, x.dtype)
    fn = "ops.clip" if len(bounds) == 2 else "ops.maximum" if "min" in bounds else "ops.minimum"
    return Call(fn, (Arg(0), *bounds.values()))


def to_onnx(a: Clip, x: TensorType) -> Lowered:
    bounds = _bounds(a, x.dtype)
    sides = tuple(Const(bounds[name], x.dtype) if name in bounds else "" for name in ("min", "max"))
    return Call("Clip", (Arg(0), *sides) if sides[-1] else (Arg(0), sides[0]))


OP = OpDef(
    name="clip",
    attrs=Clip,
    summary="Elements cut off at a least and a greatest value",
    dtypes=(*FLOATS, "int32", "int64"),
    infer=infer,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = min(max(x, least), greatest)",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> clip(0, 1)",
)
