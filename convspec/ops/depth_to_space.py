"""`depth_to_space`: channels become cells of space; the inverse of `space_to_depth`.

Cell (by, bx) of a block of b x b is filled from the channels from (by * b + bx) * C on, the order of TensorFlow (and of
DepthToSpace in ONNX with mode DCR). `pixel_shuffle` reads the channels in the other order, that of PyTorch.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import PerAxis, per_axis
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _pixels as pixels
from convspec.ops import _shapes as shapes
from convspec.ops import _spatial as spatial
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthToSpace:
    """`depth_to_space(2)`, `depth_to_space(2x1)`."""

    factor: spatial.Axes = attr(PerAxis(), positional=True, doc="How many times as large each spatial axis becomes.")


def resolve(a: DepthToSpace, x: TensorType) -> DepthToSpace:
    return replace(a, factor=per_axis("factor", a.factor, spatial.spatial_rank("depth_to_space", x)))


def infer(a: DepthToSpace, x: TensorType) -> TensorType:
    return pixels.wide_infer("depth_to_space", "factor", a.factor, x)


def receptive_field(a: DepthToSpace, x: TensorType) -> Window:
    return pixels.wide_window(a.factor)


def evaluate(a: DepthToSpace, p: object, x: Array) -> Array:
    return pixels.numpy_wide(x, a.factor, outside=False)


def to_torch(a: DepthToSpace, x: TensorType) -> Lowered:
    return pixels.torch_wide(a.factor, x, outside=False)


def to_keras(a: DepthToSpace, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x) and a.factor[0] > 1:
        return Call("ops.depth_to_space", (Arg(0), a.factor[0]))
    return shapes.keras_regroup(pixels.wide_keras(a.factor, x, infer(a, x), outside=False), x)


def to_onnx(a: DepthToSpace, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x):
        return Call("DepthToSpace", (Arg(0),), {"blocksize": a.factor[0], "mode": "DCR"})
    return shapes.onnx_regroup(pixels.wide(a.factor, x, infer(a, x), outside=False), x)


OP = OpDef(
    name="depth_to_space",
    attrs=DepthToSpace,
    summary="Channels to space: every cell of a block takes channels side by side (DCR)",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, h·b + i, w·b + j] = x[n, (i·b + j)·C + c, h, w]",
    shape="(N, b²·C, H, W) → (N, C, H·b, W·b); one or three spatial axes likewise",
    source="ONNX DepthToSpace",
    example="input image: float32[N, 3, 32, 32]\noutput large = image -> conv(12, 3x3, pad = 1) -> depth_to_space(2)",
)
