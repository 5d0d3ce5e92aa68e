"""`pixel_unshuffle`: blocks of space become channels; the inverse of `pixel_shuffle`.

The cells of a block become neighbouring channels: channel c * cells + cell, the order of PyTorch. `space_to_depth` puts them in
the other order.
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
class PixelUnshuffle:
    """`pixel_unshuffle(2)`, `pixel_unshuffle(2x1)`."""

    factor: spatial.Axes = attr(PerAxis(), positional=True, doc="How many times as small each spatial axis becomes.")


def resolve(a: PixelUnshuffle, x: TensorType) -> PixelUnshuffle:
    return replace(a, factor=per_axis("factor", a.factor, spatial.spatial_rank("pixel_unshuffle", x)))


def infer(a: PixelUnshuffle, x: TensorType) -> TensorType:
    return pixels.narrow_infer("pixel_unshuffle", "factor", a.factor, x)


def receptive_field(a: PixelUnshuffle, x: TensorType) -> Window:
    return pixels.narrow_window(a.factor)


def evaluate(a: PixelUnshuffle, p: object, x: Array) -> Array:
    return pixels.numpy_narrow(x, a.factor, outside=True)


def to_torch(a: PixelUnshuffle, x: TensorType) -> Lowered:
    if pixels.is_native(a.factor, x):
        return Call("F.pixel_unshuffle", (Arg(0), a.factor[0]))
    return pixels.torch_narrow(a.factor, x, outside=True)


def to_keras(a: PixelUnshuffle, x: TensorType) -> Lowered:
    return shapes.keras_regroup(pixels.narrow_keras(a.factor, x, infer(a, x), outside=True), x)


def to_onnx(a: PixelUnshuffle, x: TensorType) -> Lowered:
    return shapes.onnx_regroup(pixels.narrow(a.factor, x, infer(a, x), outside=True), x)


OP = OpDef(
    name="pixel_unshuffle",
    attrs=PixelUnshuffle,
    summary="Space to channels: the cells of a block become neighbouring channels",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c·r² + i·r + j, h, w] = x[n, c, h·r + i, w·r + j]",
    shape="(N, C, H·r, W·r) → (N, C·r², H, W); one or three spatial axes likewise",
    source="Shi et al. 2016, arXiv:1609.05158",
    example="input image: float32[N, 3, 32, 32]\noutput small = image -> pixel_unshuffle(2) -> conv(16, 3x3, pad = 1)",
)
