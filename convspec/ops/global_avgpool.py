"""`global_avgpool`: the mean over all spatial axes, which stay as size 1 (Lin et al. 2013)."""

from __future__ import annotations

from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._global_pooling import global_cost, global_shape, global_window, spatial_axes
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAvgPool:
    """`global_avgpool` takes nothing."""


def infer(a: GlobalAvgPool, x: TensorType) -> TensorType:
    return global_shape("global_avgpool", x)


def evaluate(a: GlobalAvgPool, p: object, x: Array) -> Array:
    mean: Array = x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)
    return mean


def to_torch(a: GlobalAvgPool, x: TensorType) -> Lowered:
    return Call(".mean", (Arg(0), spatial_axes(x)), {"keepdim": True})


def to_keras(a: GlobalAvgPool, x: TensorType) -> Lowered:
    return Apply(f"layers.GlobalAveragePooling{x.rank - 2}D", (), {"keepdims": True})


def to_onnx(a: GlobalAvgPool, x: TensorType) -> Lowered:
    return Call("GlobalAveragePool", (Arg(0),))


OP = OpDef(
    name="global_avgpool",
    attrs=GlobalAvgPool,
    summary="The mean over all spatial axes, which stay as size 1",
    infer=infer,
    evaluate=evaluate,
    cost=global_cost,
    receptive_field=global_window,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c] = mean of x[n, c, …] over all spatial axes",
    shape="(N, C, n…) → (N, C, 1…)",
    source="Lin et al. 2013 (Network in Network), arXiv:1312.4400",
    example="input image: float32[N, 3, H, W]\noutput image -> global_avgpool -> flatten",
)
