"""`resize`: to a size, by a factor, or to the size of another tensor; by the nearest cell, linear or cubic interpolation.

    x -> resize(64x64, mode = linear)        x -> resize(factor = 1.5)        x -> resize(like = skip, mode = linear)

Output i of m lies, over n cells, at (i + 1/2) n / m − 1/2: cells are squares. With `align_corners` they are points, and it lies
at i (n − 1) / (m − 1). `nearest` takes cell ⌊i n / m⌋. `linear` weighs the two cells around the position, `cubic` four (Keys's
kernel with a = −0.75); cells beyond the edge count as the outermost one. `antialias` makes the filter as wide as an output is
where the size shrinks, leaves out cells beyond the edge and divides by the sum of the weights; its cubic kernel has a = −0.5,
as PyTorch and Pillow have it. A factor gives ⌊n · factor⌋ cells, taken as the nearest fraction with a denominator of at most
1000, so that 0.1 and 1/3 mean what they say; positions follow from the sizes n and m.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Kind, PerAxis, Real, Word, per_axis
from convspec.ir.dims import Size, at_least
from convspec.ir.lowering import Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, ShapeError, Window, attr, given
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops import _resizing as resizing
from convspec.ops import _resizing_targets as targets
from convspec.ops import _spatial as spatial
from convspec.ops._axes import axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Factors(Kind):
    """A positive number, or one per axis; becomes a float or a tuple of floats."""

    name: str = "a number, or a list of one per axis"

    def convert(self, attribute: str, value: Any) -> float | tuple[float, ...]:
        number = Real(self.name, least=0.001)
        if not isinstance(value, list | tuple):
            return number.convert(attribute, value)
        if not value:
            raise self.wrong(attribute, value)
        return tuple(number.convert(attribute, item) for item in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """`resize(64x64)`, `resize(factor = 0.5, mode = linear, antialias = true)`, `resize(like = y)`."""

    size: spatial.Axes | None = attr(PerAxis(), None, positional=True, doc="The new size of each spatial axis.")
    factor: tuple[float, ...] | None = attr(Factors(), None, doc="Or how many times as large each becomes, rounded down.")
    mode: str = attr(Word(words=resizing.MODES), "nearest", doc="How cells are chosen or weighed.")
    antialias: bool = attr(Flag(), False, doc="With `linear` and `cubic`: whether shrinking takes all cells in.")
    align_corners: bool = attr(Flag(), False, doc="With `linear` and `cubic`: whether the outermost cells keep their place.")
    given: tuple[str, ...] = given()


def resolve(a: Resize, x: TensorType, like: TensorType | None = None) -> Resize:
    rank = spatial.spatial_rank("resize", x)
    ways = {"size": a.size, "factor": a.factor, "like": like}
    found = [name for name, value in ways.items() if value is not None]
    if len(found) != 1:
        said = f"has {' and '.join(f'`{name}`' for name in found)}" if found else "has none"
        raise AttrError(f"`resize` takes one of `size`, `factor` and `like`, and {said}", next(iter(found), None))
    for name in ("antialias", "align_corners"):
        if getattr(a, name) and a.mode == "nearest":
            raise AttrError(f"`{name}` is for `mode = linear` and `cubic`, not for nearest", name)
    if a.antialias and a.align_corners:
        raise AttrError("`antialias` and `align_corners` exclude each other", "align_corners")
    if a.size is not None:
        return replace(a, size=per_axis("size", a.size, rank))
    return a if a.factor is None else replace(a, factor=_per_axis(a.factor, rank))


def _per_axis(factor: float | tuple[float, ...], rank: int) -> tuple[float, ...]:
    if not isinstance(factor, tuple):
        return (factor,) * rank
    if len(factor) != rank:
        shown = ", ".join(f"{item:g}" for item in factor)
        raise AttrError(f"`factor` has {len(factor)} numbers ({shown}) for an input with {rank} spatial axes", "factor")
    return factor


def plan(a: Resize, x: TensorType, like: TensorType | None = None) -> resizing.Resizing:
    factor = None if a.factor is None else tuple(map(resizing.fraction, a.factor))
    sizes: tuple[Size, ...]
    if like is not None:
        sizes = like.spatial
    elif factor is not None:
        sizes = tuple(n * up // down for n, (up, down) in zip(x.spatial, factor, strict=True))
    else:
        assert a.size is not None, "`resolve` asks for one of the three"
        sizes = a.size
    return resizing.Resizing(a.mode, sizes, a.align_corners, a.antialias, factor, None if like is None else 1)


def infer(a: Resize, x: TensorType, like: TensorType | None = None) -> TensorType:
    if x.dtype not in FLOATS:
        raise ShapeError(f"`resize` takes a tensor of floats, not of {x.dtype}", "CNN037", inputs={0: str(x)})
    if like is not None and like.rank != x.rank:
        message = f"`like` must have the rank of the tensor that is resized, {x.rank}, not {like.rank}"
        raise ShapeError(message, "CNN030", inputs={0: str(x), 1: str(like)})
    sizes = plan(a, x, like).sizes
    for axis, (n, m) in enumerate(zip(x.spatial, sizes, strict=True), 2):
        if not at_least(m, 1):
            name = axis_name(axis, x.rank)
            verb, code = ("leaves", "CNN045") if isinstance(m, int) else ("may leave", "CNN034")
            raise ShapeError(f"`factor` {verb} nothing of the {name} {n}", code, inputs={0: f"{name} {n}"})
    return x.with_shape((*x.shape[:2], *sizes))


def cost(a: Resize, *types: TensorType) -> Cost:
    return resizing.cost(plan(a, *types), types[0], infer(a, *types))


def receptive_field(a: Resize, *types: TensorType) -> Window:
    return resizing.receptive_field(plan(a, *types), types[0])


def evaluate(a: Resize, p: object, *arrays: Array) -> Array:
    return resizing.evaluate(plan(a, *(TensorType(str(array.dtype), array.shape) for array in arrays)), arrays[0])


def to_torch(a: Resize, *types: TensorType) -> Lowered:
    return targets.to_torch(plan(a, *types), types[0])


def to_keras(a: Resize, *types: TensorType) -> Lowered:
    return targets.to_keras(plan(a, *types), types[0])


def to_onnx(a: Resize, *types: TensorType) -> Lowered:
    return targets.to_onnx(plan(a, *types), types[0])


OP = OpDef(
    name="resize",
    attrs=Resize,
    summary="To a size, by a factor, or to the size of another tensor",
    inputs=("x", "like?"),
    dtypes=(),
    resolve=resolve,
    infer=infer,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "nearest: y[i] = x[⌊i n / m⌋] along every axis\n"
        "linear, cubic: y[i] = Σ over j of w(p − j) x[j],  p = (i + ½) n / m − ½,  or i (n − 1) / (m − 1) with align_corners\n"
        "antialias: y[i] = Σ over j of w((p − j) / s) x[j] / Σ over j of w((p − j) / s),  s = max(1, n / m)"
    ),
    shape="(N, C, n…) → (N, C, size…), (N, C, ⌊n · factor⌋…), or the spatial sizes of `like`",
    source="cubic: Keys 1981, doi:10.1109/TASSP.1981.1163711",
    example="input image: float32[N, 3, 48, 64]\noutput image -> resize(32x32, mode = linear, antialias = true)",
)
