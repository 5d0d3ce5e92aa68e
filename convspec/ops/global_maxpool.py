"""`global_maxpool`: the largest cell over all spatial axes, which stay as size 1; equal cells share the gradient."""

from __future__ import annotations

from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._global_pooling import global_cost, global_shape, global_window, spatial_axes
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalMaxPool:
    """`global_maxpool` takes nothing."""


def infer(a: GlobalMaxPool, x: TensorType) -> TensorType:
    return global_shape("global_maxpool", x)


def evaluate(a: GlobalMaxPool, p: object, x: Array) -> Array:
    largest: Array = x.max(axis=tuple(range(2, x.ndim)), keepdims=True)
    return largest


def to_torch(a: GlobalMaxPool, x: TensorType) -> Lowered:
    return Call(".amax", (Arg(0), spatial_axes(x)), {"keepdim": True})


def to_keras(a: GlobalMaxPool, x: TensorType) -> Lowered:
    return Apply(f"layers.GlobalMaxPooling{x.rank - 2}D", (), {"keepdims": True})


def to_onnx(a: GlobalMaxPool, x: TensorType) -> Lowered:
    return Call("GlobalMaxPool", (Arg(0),))


OP = OpDef(
    name="global_maxpool",
    attrs=GlobalMaxPool,
    summary="The largest cell over all spatial axes, which stay as size 1",
    infer=infer,
    evaluate=evaluate,
    cost=global_cost,
    receptive_field=global_window,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c] = max of x[n, c, …] over all spatial axes",
    shape="(N, C, n…) → (N, C, 1…)",
    source="Oquab et al. 2015",
    example="input image: float32[N, 3, H, W]\noutput image -> global_maxpool -> flatten",
)
