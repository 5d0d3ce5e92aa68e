"""`a < b` of two tensors, or of a tensor and a plain number: true where the left side is below the right.

The result has elements of bool; no gradient goes through it.
"""

from __future__ import annotations

import operator

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, INTEGERS
from convspec.ops._comparisons import comparing, comparison_lowerings, truths
from convspec.ops._elementwise import Sides, broadcast_cost
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Less(Sides):
    """`a < b`: equal ranks and dtypes; only axes of size 1 broadcast. The result is a tensor of bool."""


OP = OpDef(
    name="less",
    attrs=Less,
    summary="a < b, element by element, as a tensor of bool",
    inputs=("a", "b"),
    dtypes=(*FLOATS, *INTEGERS),
    infer=truths("<"),
    evaluate=comparing("<", operator.lt),
    cost=broadcast_cost("<"),
    lower=comparison_lowerings("<"),
    formula="y = 1 where a < b, 0 elsewhere",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput where(image < 1, image, right = 1)",
)
