"""`cast`: the same elements in another type.

A float becomes an integer by dropping its fraction, toward zero: 2.7 gives 2, -2.7 gives -2. An integer that does not fit into
a narrower integer type keeps its lowest bits: 260 gives the uint8 4. A float becomes a uint8 by way of int32: 260.5 gives 4,
-2.7 gives 254; `clip(0, 255)` before it keeps a picture's bright spots bright. What NaN becomes, or a float that int32 (for
int64: that) cannot hold, is undefined. To bool, 0 is false and all else true; from bool, false is 0 and true is 1.
A float in a narrower float type is rounded to the nearest.

`float32` is the precision that a whole model can be put into (`model.double()`, Keras's floatx): there the result has that one.
Gradients go back through a cast from float to float, and not through any other.
"""

from __future__ import annotations

from convspec.ir.attrs import Word
from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import DTYPES, FLOATS, Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.records import dataclass

_TORCH = {
    **{"float64": ".double", "float16": ".half", "bfloat16": ".bfloat16"},
    **{"int32": ".int", "int64": ".long", "uint8": ".byte", "bool": ".bool"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """`cast(float32)`, `cast(int64)`."""

    dtype: str = attr(Word(words=DTYPES), positional=True, doc="The element type of the result.")


def infer(a: Cast, x: TensorType) -> TensorType:
    return TensorType(a.dtype, x.shape)


def _by_int32(to: str, of: str) -> bool:
    """What a float outside of uint8 becomes differs between processors, what an int32 becomes does not."""
    return to == "uint8" and of in FLOATS


def evaluate(a: Cast, p: object, x: Array) -> Array:
    """To float32: every digit is kept, and the caller rounds to the precision that it computes in."""
    if a.dtype == "bfloat16":
        import ml_dtypes

        return x.astype(ml_dtypes.bfloat16)
    if a.dtype != "float32":
        return (x.astype("int32") if _by_int32(a.dtype, str(x.dtype)) else x).astype(a.dtype)
    floating = x.dtype.kind == "f" and x.dtype.itemsize >= 4
    return x if floating else x.astype("float64" if x.dtype.kind in "iub" else "float32")


def to_torch(a: Cast, x: TensorType) -> Lowered:
    """To float32: a helper that follows the module's precision."""
    if a.dtype == x.dtype:
        return Arg(0)
    given = Call(".int", (Arg(0),)) if _by_int32(a.dtype, x.dtype) else Arg(0)
    return Apply("helpers.ToFloat") if a.dtype == "float32" else Call(_TORCH[a.dtype], (given,))


def to_keras(a: Cast, x: TensorType) -> Lowered:
    if a.dtype == x.dtype:
        return Arg(0)
    given = Call("ops.cast", (Arg(0), "int32")) if _by_int32(a.dtype, x.dtype) else Arg(0)
    return Call("helpers.to_float", (Arg(0),)) if a.dtype == "float32" else Call("ops.cast", (given, a.dtype))


def to_onnx(a: Cast, x: TensorType) -> Lowered:
    if a.dtype == x.dtype:
        return Arg(0)
    return onnx_cast(onnx_cast(Arg(0), "int32") if _by_int32(a.dtype, x.dtype) else Arg(0), a.dtype)


OP = OpDef(
    name="cast",
    attrs=Cast,
    summary="the same elements in another type",
    dtypes=DTYPES,
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="float → integer: y = sign(x) ⌊|x|⌋\nanything → bool: y = (x ≠ 0)",
    shape="(…) → (…)",
    example="input counts: int32[N, 8]\noutput scores = counts -> cast(float32) -> linear(2)",
)
