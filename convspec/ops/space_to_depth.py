"""`space_to_depth`: blocks of space become channels, all channels of one cell side by side.

Cell (by, bx) of a block of b x b gives the channels from (by * b + bx) * C on, the order of TensorFlow and of SpaceToDepth in
ONNX. `pixel_unshuffle` puts them in the other order, that of PyTorch.
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
class SpaceToDepth:
    """`space_to_depth(2)`, `space_to_depth(2x1)`."""

    factor: spatial.Axes = attr(PerAxis(), positional=True, doc="How many times as small each spatial axis becomes.")


def resolve(a: SpaceToDepth, x: TensorType) -> SpaceToDepth:
    return replace(a, factor=per_axis("factor", a.factor, spatial.spatial_rank("space_to_depth", x)))


def infer(a: SpaceToDepth, x: TensorType) -> TensorType:
    return pixels.narrow_infer("space_to_depth", "factor", a.factor, x)


def receptive_field(a: SpaceToDepth, x: TensorType) -> Window:
    return pixels.narrow_window(a.factor)


def evaluate(a: SpaceToDepth, p: object, x: Array) -> Array:
    return pixels.numpy_narrow(x, a.factor, outside=False)


def to_torch(a: SpaceToDepth, x: TensorType) -> Lowered:
    return pixels.torch_narrow(a.factor, x, outside=False)


def to_keras(a: SpaceToDepth, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x) and a.factor[0] > 1:
        return Call("ops.space_to_depth", (Arg(0), a.factor[0]))
    return shapes.keras_regroup(pixels.narrow_keras(a.factor, x, infer(a, x), outside=False), x)


def to_onnx(a: SpaceToDepth, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x):
        return Call("SpaceToDepth", (Arg(0),), {"blocksize": a.factor[0]})
    return shapes.onnx_regroup(pixels.narrow(a.factor, x, infer(a, x), outside=False), x)


OP = OpDef(
    name="space_to_depth",
    attrs=SpaceToDepth,
    summary="Space to channels: all channels of one cell of a block stay side by side",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, (i·b + j)·C + c, h, w] = x[n, c, h·b + i, w·b + j]",
    shape="(N, C, H·b, W·b) → (N, b²·C, H, W); one or three spatial axes likewise",
    source="ONNX SpaceToDepth",
    example="input image: float32[N, 3, 32, 32]\noutput small = image -> space_to_depth(2) -> conv(16, 3x3, pad = 1)",
)
