"""`upsample`: each spatial axis a whole number of times as large, by repeating cells or by linear interpolation."""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import Flag, PerAxis, Word, per_axis
from convspec.ir.lowering import Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _resizing as resizing
from convspec.ops import _resizing_targets as targets
from convspec.ops import _spatial as spatial
from convspec.records import dataclass


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


def plan(a: Upsample, x: TensorType) -> resizing.Resizing:
    sizes = tuple(n * f for n, f in zip(x.spatial, a.factor, strict=True))
    return resizing.Resizing(a.mode, sizes, a.align_corners, factor=tuple((f, 1) for f in a.factor))


def cost(a: Upsample, x: TensorType) -> Cost:
    """Linear: the 2 neighbours along each axis, weighted and added; nearest: nothing."""
    return resizing.cost(plan(a, x), x, infer(a, x))


def receptive_field(a: Upsample, x: TensorType) -> Window:
    return resizing.receptive_field(plan(a, x), x)


def evaluate(a: Upsample, p: object, x: Array) -> Array:
    return resizing.evaluate(plan(a, TensorType(str(x.dtype), x.shape)), x)


def to_torch(a: Upsample, x: TensorType) -> Lowered:
    return targets.to_torch(plan(a, x), x)


def to_keras(a: Upsample, x: TensorType) -> Lowered:
    return targets.to_keras(plan(a, x), x)


def to_onnx(a: Upsample, x: TensorType) -> Lowered:
    return targets.to_onnx(plan(a, x), x)


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
    formula=(
        "nearest: y[i] = x[⌊i / factor⌋] along every axis\n"
        "linear: y[i] = (1 − t) x[⌊p⌋] + t x[⌊p⌋ + 1],  t = p − ⌊p⌋,  p = (i + ½) / factor − ½ within the input,\n"
        "        or p = i (n − 1) / (n · factor − 1) with align_corners"
    ),
    shape="(N, C, n…) → (N, C, n · factor…)",
    example="input image: float32[N, 3, H, W]\noutput image -> upsample(2, mode = linear)",
)
