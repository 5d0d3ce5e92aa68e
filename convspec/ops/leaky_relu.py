"""`leaky_relu`: x above 0, slope * x elsewhere (Maas et al. 2013)."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyRelu:
    """`leaky_relu(0.1)`."""

    slope: float = attr(Real(), 0.01, positional=True, doc="What values below 0 are multiplied with.")


def evaluate(a: LeakyRelu, p: object, x: Array) -> Array:
    import numpy as np

    return np.where(x > 0, x, x * a.slope)


def to_torch(a: LeakyRelu, x: TensorType) -> Lowered:
    return Call("F.leaky_relu", (Arg(0),) if a.slope == 0.01 else (Arg(0), a.slope))


def to_keras(a: LeakyRelu, x: TensorType) -> Lowered:
    """A helper, since ops.leaky_relu rounds the slope to float32 in every precision."""
    return Call("helpers.leaky_relu", (Arg(0),) if a.slope == 0.01 else (Arg(0), a.slope))


def to_onnx(a: LeakyRelu, x: TensorType) -> Lowered:
    return Call("LeakyRelu", (Arg(0),), {"alpha": a.slope})


OP = OpDef(
    name="leaky_relu",
    attrs=LeakyRelu,
    summary="x above 0, slope * x elsewhere",
    formula="y = x           where x > 0\ny = slope · x   elsewhere",
    shape="(N, C, n…) → (N, C, n…)",
    source="Maas et al. 2013",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(8, 3x3) -> leaky_relu(0.1)",
    infer=same_type,
    evaluate=evaluate,
    cost=one_flop_each,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
