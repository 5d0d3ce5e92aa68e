"""`min`: the least element over axes, by default all spatial ones, which stay as size 1; equal ones share the gradient."""

from __future__ import annotations

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.ops import _reductions as reductions
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Min(reductions.Reduction):
    """`min(channels)`, `min([height, width], keep = false)`."""


OP = OpDef(
    name="min",
    attrs=Min,
    summary="The least element over axes",
    dtypes=(*FLOATS, "int32", "int64"),
    resolve=reductions.reduction_axes("min"),
    infer=reductions.reduced_type,
    cost=reductions.reduction_cost,
    receptive_field=reductions.reduction_window,
    evaluate=reductions.reduction_reference("min"),
    lower=reductions.reduction_lowerings(".amin", "ops.min", "ReduceMin"),
    formula="y[n, c] = min x[n, c, …] over the axes",
    shape="(N, C, n…) → (N, C, 1…), or (N, C) with keep = false",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> min(channels)",
)
