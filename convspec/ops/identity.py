"""`identity`: the tensor as it is, for a stage that does nothing: `act: stage = identity`."""

from __future__ import annotations

from convspec.ir.lowering import Arg, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops._elementwise import same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`identity`."""


def evaluate(a: Identity, p: object, x: Array) -> Array:
    return x


def nothing(a: Identity, x: TensorType) -> Lowered:
    return Arg(0)


OP = OpDef(
    name="identity",
    attrs=Identity,
    summary="the tensor as it is",
    dtypes=DTYPES,
    infer=same_type,
    evaluate=evaluate,
    lower={"pytorch": nothing, "tensorflow": nothing, "onnx": nothing},
    formula="y = x",
    shape="any shape → the same",
    example="input x: float32[N, 8, 5, 5]\noutput x -> conv(8, 3x3, pad = 1) -> identity",
)
