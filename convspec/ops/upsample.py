"""`upsample`: each spatial axis a whole number of times as large, by repeating cells or by linear interpolation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from convspec.ir.attrs import Flag, PerAxis, Word, per_axis
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsample:
    """`upsample(2)`, `upsample(2x1, mode = linear, align_corners = true)`."""

    factor: spatial.Axes = attr(PerAxis(), positional=True, doc="How many times as large each spatial axis becomes.")
    mode: str = attr(Word(words=("nearest", "linear")), "nearest", doc="`nearest` repeats cells, `linear` interpolates.")
    align_corners: bool = attr(
        Flag(), False, doc="With `linear`: whether the outermost cells keep their place; else cells are squares, not points."
    )


def resolve(a: Upsample, x: TensorType) -> Upsample:
    if a.align_corners and a.mode == "nearest":
        raise AttrError("`align_corners` is for `mode = linear`", "align_corners")
    return replace(a, factor=per_axis("factor", a.factor, spatial.spatial_rank("upsample", x)))


def infer(a: Upsample, x: TensorType) -> TensorType:
    return x.with_shape((*x.shape[:2], *(n * f for n, f in zip(x.spatial, a.factor, strict=True))))


def cost(a: Upsample, x: TensorType) -> Cost:
    """Linear: the 2 neighbours along each axis, weighted and added; nearest: nothing."""
    cells = prod(2 for factor in a.factor if factor > 1)
    return Cost(flops=elements(infer(a, x)) * cells if a.mode == "linear" else 0)


def receptive_field(a: Upsample, x: TensorType) -> Window:
    cells = 2 if a.mode == "linear" else 1
    return Window(
        extent=tuple(cells if f > 1 else 1 for f in a.factor),
        stride=tuple((1, f) for f in a.factor),
        before=tuple(1 if f > 1 and a.mode == "linear" and not a.align_corners else 0 for f in a.factor),
    )


def evaluate(a: Upsample, p: object, x: Array) -> Array:
    """One axis after the other."""
    import numpy as np

    for axis, factor in enumerate(a.factor, 2):
        if a.mode == "nearest":
            x = np.repeat(x, factor, axis)
        elif factor > 1:
            x = _interpolate(x, axis, factor, a.align_corners)
    return x


def _interpolate(x: Array, axis: int, factor: int, align_corners: bool) -> Array:
    """Output i lies at i (n-1) / (m-1) of the input with `align_corners`, else at (i + 1/2) / factor - 1/2, within it."""
    import numpy as np

    n, m = x.shape[axis], x.shape[axis] * factor
    index = np.arange(m)
    position = index * (n - 1) / (m - 1) if align_corners else np.clip((index + 0.5) / factor - 0.5, 0, n - 1)
    left = np.floor(position).astype(int)
    right = np.minimum(left + 1, n - 1)
    share = (position - left).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
    between: Array = np.take(x, left, axis) * (1 - share) + np.take(x, right, axis) * share
    return between


def to_torch(a: Upsample, x: TensorType) -> Lowered:
    """`nearest` computes 1/factor in float32, which is exact for powers of two; `nearest-exact` is right for the others."""
    if max(a.factor) == 1:
        return Arg(0)
    linear = ("linear", "bilinear", "trilinear")[len(a.factor) - 1]
    nearest = "nearest" if all(f & (f - 1) == 0 for f in a.factor) else "nearest-exact"
    kwargs = write.given(
        mode=(linear if a.mode == "linear" else nearest, "nearest"),
        align_corners=(a.align_corners, False),
    )
    return Call("F.interpolate", (Arg(0),), {"scale_factor": write.squash(a.factor), **kwargs})


def to_keras(a: Upsample, x: TensorType) -> Lowered:
    """Keras interpolates in 2-D only, in float32 only, and without `align_corners`."""
    if max(a.factor) == 1:
        return Arg(0)
    factor = write.squash(a.factor)
    if a.mode == "nearest":
        return Apply(f"layers.UpSampling{len(a.factor)}D", (factor,))
    return Call("helpers.upsample_linear", (Arg(0), factor), write.given(align_corners=(a.align_corners, False)))


def to_onnx(a: Upsample, x: TensorType) -> Lowered:
    if max(a.factor) == 1:
        return Arg(0)
    scales = Const((1.0, 1.0, *map(float, a.factor)), "float32")
    if a.mode == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        corners = "align_corners" if a.align_corners else "half_pixel"
        how = {"mode": "linear", "coordinate_transformation_mode": corners}
    return Call("Resize", (Arg(0), "", scales), how)


OP = OpDef(
    name="upsample",
    attrs=Upsample,
    summary="Each spatial axis a whole number of times as large",
    resolve=resolve,
    infer=infer,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
