"""`tile`: the tensor repeated along axes, copy after copy; the batch stays."""

from __future__ import annotations

from typing import Any

from convspec.ir.attrs import Integer, Kind
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Counts(Kind):
    """A number for each axis after the batch."""

    name: str = "a list of integers, one for each axis after the batch"

    def convert(self, attribute: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise self.wrong(attribute, value)
        return tuple(Integer(self.name).convert(attribute, item) for item in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """`tile([1, 2, 2])` for an image: the channels once, height and width twice."""

    repeats: tuple[int, ...] = attr(
        Counts(), positional=True, doc="How often each axis is repeated: channels first, then the spatial axes; no batch."
    )


def resolve(a: Tile, x: TensorType) -> Tile:
    shapes.check_rank("tile", x)
    if len(a.repeats) != x.rank - 1:
        message = f"`repeats` has {len(a.repeats)} numbers, but {x} has {x.rank - 1} axes after the batch"
        raise AttrError(message, "repeats", "CNN046")
    return a


def infer(a: Tile, x: TensorType) -> TensorType:
    return x.with_shape((x.shape[0], *(n * times for n, times in zip(x.shape[1:], a.repeats, strict=True))))


def receptive_field(a: Tile, x: TensorType) -> Window:
    return shapes.in_place([times == 1 for times in a.repeats[1:]])


def evaluate(a: Tile, p: object, x: Array) -> Array:
    import numpy as np

    return np.tile(x, (1, *a.repeats))


def to_torch(a: Tile, x: TensorType) -> Lowered:
    return Arg(0) if max(a.repeats) == 1 else Call(".repeat", (Arg(0), 1, *a.repeats))


def to_keras(a: Tile, x: TensorType) -> Lowered:
    if max(a.repeats) == 1:
        return Arg(0)
    repeats = (1, *a.repeats)
    return Call("ops.tile", (Arg(0), tuple(repeats[axis] for axis in shapes.keras_order(x.rank))))


def to_onnx(a: Tile, x: TensorType) -> Lowered:
    return Arg(0) if max(a.repeats) == 1 else Call("Tile", (Arg(0), Const((1, *a.repeats), "int64")))


OP = OpDef(
    name="tile",
    attrs=Tile,
    summary="The tensor repeated along axes, copy after copy",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i…] = x[n, c mod C, (i mod n)…]",
    shape="(N, C, n…) → (N, C · repeats[0], n · repeats[1]…)",
    source="",
    example="input texture: float32[N, 3, 32, 32]\noutput wall = texture -> tile([1, 4, 4])",
)
