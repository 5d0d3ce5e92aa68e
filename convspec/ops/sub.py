"""`a - b` of two tensors, or of a tensor and a plain number: the difference, element by element."""

from __future__ import annotations

import operator

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, INTEGERS
from convspec.ops._elementwise import Sides, arithmetic, broadcast, broadcast_cost, operator_lowerings
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sub(Sides):
    """`a - b`: equal ranks; only axes of size 1 broadcast."""


OP = OpDef(
    name="sub",
    attrs=Sub,
    summary="the difference of two tensors, or of a tensor and a number, element by element",
    inputs=("a", "b"),
    dtypes=(*FLOATS, *INTEGERS),
    infer=broadcast("-"),
    evaluate=arithmetic("-", operator.sub),
    cost=broadcast_cost("-"),
    lower=operator_lowerings("-", "Sub"),
    formula="y = a - b",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image - 0.5",
)
