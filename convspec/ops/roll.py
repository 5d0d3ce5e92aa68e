"""`roll`: positions of an axis moved on, those that fall off the end coming back at the beginning.

A positive shift moves to higher positions, a negative one to lower; it may be larger than the axis. With a list of axes there
is a shift for each, as in the shifted windows of Swin: `roll([-3, -3], axis = [height, width])`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Integer, Kind
from convspec.ir.dims import Size
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axes, axis_indices
from convspec.records import dataclass

_LAST = 2**63 - 1
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Shifts(Kind):
    """An integer, or one for each axis."""

    name: str = "an integer or a list of integers, one for each axis"

    def convert(self, attribute: str, value: Any) -> tuple[int, ...]:
        items = value if isinstance(value, list | tuple) else (value,)
        if not items:
            raise self.wrong(attribute, value)
        found = tuple(Integer(self.name, least=-_MOST).convert(attribute, item) for item in items)
        if max(found) > _MOST:
            raise AttrError(f"`{attribute}` must be at most {_MOST}, not {max(found)}", attribute)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """`roll(1, axis = width)`, `roll([-3, -3], axis = [height, width])`."""

    shift: tuple[int, ...] = attr(Shifts(), positional=True, doc="How far positions move, one number or one for each axis.")
    axis: tuple[int | str, ...] = attr(Axes(), positional=True, doc="The axis that is rolled, or a list of axes.")


def resolve(a: Roll, x: TensorType) -> Roll:
    shapes.check_rank("roll", x)
    axes = axis_indices(a.axis, x.rank, "axis")
    shift = a.shift * len(axes) if len(a.shift) == 1 else a.shift
    if len(shift) != len(axes):
        raise AttrError(f"`shift` has {len(shift)} numbers for {len(axes)} axes", "shift", "CNN046")
    return replace(a, shift=shift, axis=axes)


def infer(a: Roll, x: TensorType) -> TensorType:
    return x


def receptive_field(a: Roll, x: TensorType) -> Window | None:
    """Far from where it wraps."""
    shifts = dict(zip(a.axis, a.shift, strict=True))
    rank = max(0, x.rank - 2)
    return Window(extent=(1,) * rank, stride=((1, 1),) * rank, before=tuple(shifts.get(axis, 0) for axis in range(2, x.rank)))


def evaluate(a: Roll, p: object, x: Array) -> Array:
    import numpy as np

    axes: Any = a.axis
    return np.roll(x, a.shift, axes)


def _one(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


def to_torch(a: Roll, x: TensorType) -> Lowered:
    return Call(".roll", (Arg(0), _one(a.shift), _one(a.axis)))


def to_keras(a: Roll, x: TensorType) -> Lowered:
    axes = tuple(shapes.keras_place(int(axis), x.rank) for axis in a.axis)
    return Call("ops.roll", (Arg(0), _one(a.shift), _one(axes)))


def to_onnx(a: Roll, x: TensorType) -> Lowered:
    made: Lowered = Arg(0)
    for axis, shift in zip(a.axis, a.shift, strict=True):
        made = _onnx_rolled(made, int(axis), shift, x.shape[int(axis)])
    return made


def _onnx_rolled(x: Lowered, axis: int, shift: int, size: Size) -> Lowered:
    """The end before the beginning, cut at -shift modulo the size."""
    cut: Call | Const
    if isinstance(size, int):
        if shift % size == 0:
            return x
        cut = Const((-shift % size,), "int64")
    else:
        length = Call("Shape", (Arg(0),), {"start": axis, "end": axis + 1})
        cut = Call("Mod", (Const((-shift,), "int64"), length))
    along = Const((axis,), "int64")
    end = Call("Slice", (x, cut, Const((_LAST,), "int64"), along))
    return Call("Concat", (end, Call("Slice", (x, Const((0,), "int64"), cut, along))), {"axis": axis})


OP = OpDef(
    name="roll",
    attrs=Roll,
    summary="Positions moved along an axis, round the end",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = x[n, c, (i − shift) mod n₂], for axis = 2 of size n₂",
    shape="(N, C, n…) → (N, C, n…)",
    source="Liu et al. 2021, arXiv:2103.14030 (shifted windows)",
    example="input image: float32[N, 3, 56, 56]\noutput moved = image -> roll(-3, axis = [height, width])",
)
