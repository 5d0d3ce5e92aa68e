"""`sum`: the sum over axes, by default all spatial ones, which stay as size 1. Half precision is summed in float32."""

from __future__ import annotations

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.ops import _reductions as reductions
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(reductions.Reduction):
    """`sum(channels)`, `sum([height, width], keep = false)`."""


OP = OpDef(
    name="sum",
    attrs=Sum,
    summary="The sum over axes",
    dtypes=(*FLOATS, "int64"),
    resolve=reductions.reduction_axes("sum"),
    infer=reductions.reduced_type,
    cost=reductions.reduction_cost,
    receptive_field=reductions.reduction_window,
    evaluate=reductions.reduction_reference("sum"),
    lower=reductions.reduction_lowerings(".sum", "ops.sum", "ReduceSum"),
    formula="y[n, c] = Σ x[n, c, …] over the axes",
    shape="(N, C, n…) → (N, C, 1…), or (N, C) with keep = false",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> sum(channels)",
)
