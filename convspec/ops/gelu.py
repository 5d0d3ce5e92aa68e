"""`gelu`: x * Φ(x), Φ the distribution function of the standard normal (Hendrycks & Gimpel 2016)."""

from __future__ import annotations

import math

from convspec.ir.attrs import Word
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gelu:
    """`gelu` is exact; `gelu(approx = tanh)` is the older formula, which some published weights were trained with."""

    approx: str = attr(Word(words=("none", "tanh")), "none", doc="`tanh` for the approximation by tanh.")


def evaluate(a: Gelu, p: object, x: Array) -> Array:
    import numpy as np

    if a.approx == "tanh":
        phi: Array = 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    else:
        erfc = np.vectorize(math.erfc, otypes=[np.float64])
        phi = 0.5 * erfc(-x / math.sqrt(2))  # erfc keeps its digits far below 0, where 1 + erf loses them
    y: Array = x * phi.astype(x.dtype)
    return y


def to_torch(a: Gelu, x: TensorType) -> Lowered:
    return Call("F.gelu", (Arg(0),), {} if a.approx == "none" else {"approximate": "tanh"})


def to_keras(a: Gelu, x: TensorType) -> Lowered:
    """A helper, since TensorFlow's gelu has constants of float32 in every precision: errors of 1e-8 in float64."""
    return Call("helpers.gelu", (Arg(0),), {"approximate": True} if a.approx == "tanh" else {})


def to_onnx(a: Gelu, x: TensorType) -> Lowered:
    return Call("Gelu", (Arg(0),), {} if a.approx == "none" else {"approximate": "tanh"})


OP = OpDef(
    name="gelu",
    attrs=Gelu,
    summary="x times the normal distribution function of x, element by element",
    formula="y = x · Φ(x), Φ(x) = (1 + erf(x / √2)) / 2\napprox = tanh: y = x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³)))",
    shape="(N, C, n…) → (N, C, n…)",
    source="Hendrycks & Gimpel 2016, arXiv:1606.08415",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> gelu",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
