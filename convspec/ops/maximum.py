"""`maximum`: the greater of two tensors, or of a tensor and a plain number, element by element; NaN where either is.

Where two tensors are equal, each gets half of the gradient; beside a number the tensor gets all of it.
"""

from __future__ import annotations

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.ops._extremes import Extreme, extreme_cost, extreme_lowerings, extreme_reference, extreme_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum(Extreme):
    """`a -> maximum(b)`, `x -> maximum(0.5)`: equal ranks and dtypes; only axes of size 1 broadcast."""


OP = OpDef(
    name="maximum",
    attrs=Maximum,
    summary="The greater of two tensors, or of a tensor and a number, element by element",
    inputs=("a", "b?"),
    dtypes=(*FLOATS, "int32", "int64"),
    infer=extreme_type("maximum"),
    evaluate=extreme_reference("maximum"),
    cost=extreme_cost("maximum"),
    lower=extreme_lowerings("maximum", "min", "Max"),
    formula="y = max(a, b)",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\na = image -> conv(8, 3x3)\nb = image -> conv(8, 3x3)\noutput a -> maximum(b)",
)
