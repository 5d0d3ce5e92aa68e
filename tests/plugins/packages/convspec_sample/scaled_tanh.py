"""`scaled_tanh`: amplitude * tanh(slope * x), LeCun's activation (1989) with 1.7159 and 2/3."""

from __future__ import annotations

from dataclasses import dataclass

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import Cost, OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import one_flop_each, same_type


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledTanh:
    """`scaled_tanh`, `scaled_tanh(2.0, slope = 0.5)`."""

    amplitude: float = attr(Real(above=0), 1.7159, doc="The limit for large x.", positional=True)
    slope: float = attr(Real(), 2 / 3, doc="Factor of x.")


def evaluate(a: ScaledTanh, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = a.amplitude * np.tanh(a.slope * x)
    return y.astype(x.dtype)


def _operators(a: ScaledTanh, tanh: str) -> Lowered:
    return Call("*", (a.amplitude, Call(tanh, (Call("*", (a.slope, Arg(0))),))))


def to_torch(a: ScaledTanh, x: TensorType) -> Lowered:
    return _operators(a, "torch.tanh")


def to_keras(a: ScaledTanh, x: TensorType) -> Lowered:
    return _operators(a, "ops.tanh")


def to_onnx(a: ScaledTanh, x: TensorType) -> Lowered:
    inner = Call("Tanh", (Call("Mul", (Const(a.slope, x.dtype), Arg(0))),))
    return Call("Mul", (Const(a.amplitude, x.dtype), inner))


def cost(a: ScaledTanh, x: TensorType) -> Cost:
    """Two multiplications and a tanh."""
    return Cost(flops=3 * one_flop_each(a, x).flops)


OP = OpDef(
    name="scaled_tanh",
    attrs=ScaledTanh,
    summary="amplitude * tanh(slope * x), element by element",
    infer=same_type,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = amplitude · tanh(slope · x)",
    shape="any shape → the same",
    example="input x: float32[N, 8, 5]\noutput x -> scaled_tanh",
)
