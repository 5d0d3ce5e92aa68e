"""`softplus`: log(1 + exp(beta * x)) / beta, a smooth relu (Dugas et al. 2000), without the cut of other frameworks."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.ops._precision import keras_narrowed, keras_widened
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Softplus:
    """`softplus`, `softplus(beta = 2)`.

    PyTorch's own switches to the identity where beta * x > 20; here it is log(1 + exp(beta * x)) / beta everywhere, without
    overflow. (The difference is below 2.1e-9 / beta.)
    """

    beta: float = attr(Real(above=0), 1.0, doc="How sharp the bend at 0 is.")


def evaluate(a: Softplus, p: object, x: Array) -> Array:
    import numpy as np

    return np.logaddexp(0, a.beta * x) / a.beta


def to_torch(a: Softplus, x: TensorType) -> Lowered:
    """F.softplus is the identity above a threshold of beta * x, 20 by default, which float64 sees (2e-9); 40 it does not."""
    return Call("F.softplus", (Arg(0),) if a.beta == 1 else (Arg(0), a.beta), {"threshold": 40})


def to_keras(a: Softplus, x: TensorType) -> Lowered:
    """In low precision by way of float32: TensorFlow's becomes the identity at 5 in float16, in bfloat16 at 3."""
    wide = keras_widened(Arg(0), x.dtype)
    if a.beta == 1:
        return keras_narrowed(Call("ops.softplus", (wide,)), x.dtype)
    return keras_narrowed(Call("/", (Call("ops.softplus", (Call("*", (wide, a.beta)),)), a.beta)), x.dtype)


def to_onnx(a: Softplus, x: TensorType) -> Lowered:
    if a.beta == 1:
        return Call("Softplus", (Arg(0),))
    beta = Const(a.beta, x.dtype)
    return Call("Div", (Call("Softplus", (Call("Mul", (Arg(0), beta)),)), beta))


OP = OpDef(
    name="softplus",
    attrs=Softplus,
    summary="log(1 + exp(beta * x)) / beta, element by element",
    formula="y = log(1 + e^(beta · x)) / beta",
    shape="(N, C, n…) → (N, C, n…)",
    source="Dugas et al. 2000",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> softplus(beta = 2)",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
