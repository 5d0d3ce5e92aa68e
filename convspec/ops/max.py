"""`max`: the greatest element over axes, by default all spatial ones, which stay as size 1; equal ones share the gradient."""

from __future__ import annotations

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.ops import _reductions as reductions
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Max(reductions.Reduction):
    """`max(channels)`, `max([height, width], keep = false)`."""


OP = OpDef(
    name="max",
    attrs=Max,
    summary="The greatest element over axes",
    dtypes=(*FLOATS, "int32", "int64"),
    resolve=reductions.reduction_axes("max"),
    infer=reductions.reduced_type,
    cost=reductions.reduction_cost,
    receptive_field=reductions.reduction_window,
    evaluate=reductions.reduction_reference("max"),
    lower=reductions.reduction_lowerings(".amax", "ops.max", "ReduceMax"),
    formula="y[n, c] = max x[n, c, …] over the axes",
    shape="(N, C, n…) → (N, C, 1…), or (N, C) with keep = false",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> max(channels)",
)
