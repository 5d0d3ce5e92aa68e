"""`a / b` of two tensors, or of a tensor and a plain number: the quotient, element by element."""

from __future__ import annotations

import operator

from convspec.ir.opdef import OpDef
from convspec.ops._elementwise import Sides, arithmetic, broadcast, broadcast_cost, operator_lowerings
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Div(Sides):
    """`a / b`: equal ranks; only axes of size 1 broadcast. Floats only: the frameworks disagree on integers."""


OP = OpDef(
    name="div",
    attrs=Div,
    summary="the quotient of two tensors, or of a tensor and a number, element by element",
    inputs=("a", "b"),
    infer=broadcast("/"),
    evaluate=arithmetic("/", operator.truediv),
    cost=broadcast_cost("/"),
    lower=operator_lowerings("/", "Div"),
    formula="y = a / b",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image / 255",
)
