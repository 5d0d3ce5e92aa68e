"""`mean`: the mean over axes, by default all spatial ones, which stay as size 1. Half precision is summed in float32."""

from __future__ import annotations

from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.ops import _reductions as reductions
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(reductions.Reduction):
    """`mean(channels)`, `mean([height, width], keep = false)`."""


OP = OpDef(
    name="mean",
    attrs=Mean,
    summary="The mean over axes",
    dtypes=FLOATS,
    resolve=reductions.reduction_axes("mean"),
    infer=reductions.reduced_type,
    cost=reductions.reduction_cost,
    receptive_field=reductions.reduction_window,
    evaluate=reductions.reduction_reference("mean"),
    lower=reductions.reduction_lowerings(".mean", "ops.mean", "ReduceMean"),
    formula="y[n, c] = Σ x[n, c, …] / count over the axes",
    shape="(N, C, n…) → (N, C, 1…), or (N, C) with keep = false",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> mean(channels)",
)
