"""`pixel_shuffle`: channels become cells of space, as in sub-pixel convolution.

Every position becomes a block of factor x factor cells, which are filled from neighbouring channels: channel c * cells + cell,
the order of PyTorch (and of DepthToSpace in ONNX with mode CRD). `depth_to_space` reads the channels in the other order.
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
class PixelShuffle:
    """`pixel_shuffle(2)`, `pixel_shuffle(2x1)`."""

    factor: spatial.Axes = attr(PerAxis(), positional=True, doc="How many times as large each spatial axis becomes.")


def resolve(a: PixelShuffle, x: TensorType) -> PixelShuffle:
    return replace(a, factor=per_axis("factor", a.factor, spatial.spatial_rank("pixel_shuffle", x)))


def infer(a: PixelShuffle, x: TensorType) -> TensorType:
    return pixels.wide_infer("pixel_shuffle", "factor", a.factor, x)


def receptive_field(a: PixelShuffle, x: TensorType) -> Window:
    return pixels.wide_window(a.factor)


def evaluate(a: PixelShuffle, p: object, x: Array) -> Array:
    return pixels.numpy_wide(x, a.factor, outside=True)


def to_torch(a: PixelShuffle, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x):
        return Call("F.pixel_shuffle", (Arg(0), a.factor[0]))
    return pixels.torch_wide(a.factor, x, outside=True)


def to_keras(a: PixelShuffle, x: TensorType) -> Lowered:
    return shapes.keras_regroup(pixels.wide_keras(a.factor, x, infer(a, x), outside=True), x)


def to_onnx(a: PixelShuffle, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x):
        return Call("DepthToSpace", (Arg(0),), {"blocksize": a.factor[0], "mode": "CRD"})
    return shapes.onnx_regroup(pixels.wide(a.factor, x, infer(a, x), outside=True), x)


OP = OpDef(
    name="pixel_shuffle",
    attrs=PixelShuffle,
    summary="Channels to space: blocks filled from neighbouring channels (CRD)",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, h·r + i, w·r + j] = x[n, c·r² + i·r + j, h, w]",
    shape="(N, C·r², H, W) → (N, C, H·r, W·r); one or three spatial axes likewise",
    source="Shi et al. 2016, arXiv:1609.05158",
    example="input image: float32[N, 3, 32, 32]\noutput large = image -> conv(12, 3x3, pad = 1) -> pixel_shuffle(2)",
)
