"""`split`: a tensor cut into parts along one axis; the opposite of `concat`."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

from convspec.ir.attrs import Integer, Kind
from convspec.ir.dims import Equality, Size, equal
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops._axes import Axis, axis_index, axis_name, keras_axis
from convspec.ops._shapes import in_place
from convspec.records import dataclass

_MOST_PARTS = 10_000
"""Each part is a tensor of its own: this is far beyond what a network has, and short of what fills the memory."""


@dataclass(frozen=True, slots=True)
class Parts(Kind):
    """A number of equal parts, or the size of each: becomes an int or a tuple."""

    name: str = "a number of equal parts or a list of sizes"

    def convert(self, attribute: str, value: Any) -> int | tuple[int, ...]:
        integer = Integer(self.name)
        if isinstance(value, list | tuple):
            if not value:
                raise self.wrong(attribute, value)
            return tuple(integer.convert(attribute, size) for size in value)
        parts = integer.convert(attribute, value)
        if parts > _MOST_PARTS:
            raise AttrError(f"`{attribute}` is at most {_MOST_PARTS:,}, not {parts:,}", attribute)
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`a, b = x -> split(2)` makes equal parts, `split([48, 16])` parts of these sizes."""

    parts: int | tuple[int, ...] = attr(Parts(), positional=True, doc="How many equal parts, or the size of each part.")
    axis: int | str = attr(Axis(), "channels", doc="The axis that is cut.")


def resolve(a: Split, x: TensorType) -> Split:
    return replace(a, axis=axis_index(a.axis, x.rank))


def infer(a: Split, x: TensorType) -> tuple[TensorType, ...]:
    axis = int(a.axis)
    return tuple(x.with_shape((*x.shape[:axis], size, *x.shape[axis + 1 :])) for size in _sizes(a, x))


def _sizes(a: Split, x: TensorType) -> tuple[Size, ...]:
    whole, name = x.shape[int(a.axis)], axis_name(int(a.axis), x.rank)
    if isinstance(a.parts, tuple):
        shown = " + ".join(map(str, a.parts))
        _check(x, equal(sum(a.parts), whole), f"{name} {whole} cannot be split into {shown} = {sum(a.parts)}")
        return a.parts
    _check(x, equal(whole // a.parts * a.parts, whole), f"{name} {whole} cannot be split into {a.parts} equal parts")
    return (whole // a.parts,) * a.parts


def _check(x: TensorType, equality: Equality, message: str) -> None:
    """Nothing may be left over. Where that depends on a symbolic size, the input is what must be declared otherwise."""
    if equality.verdict == "never":
        raise AttrError(message, "parts")
    if not equality:
        raise ShapeError(message, "CNN045", inputs={0: str(x)}, equality=equality)


def receptive_field(a: Split, x: TensorType) -> Window | None:
    """The parts of a spatial axis begin at different places of it: it counts as seen as a whole."""
    return in_place([axis != a.axis for axis in range(2, x.rank)]) if int(a.axis) > 1 else None


def evaluate(a: Split, p: object, x: Array) -> tuple[Array, ...]:
    import numpy as np

    where: int | list[int] = a.parts if isinstance(a.parts, int) else list(accumulate(a.parts[:-1]))
    return tuple(np.split(x, where, int(a.axis)))


def to_torch(a: Split, x: TensorType) -> Lowered:
    if isinstance(a.parts, int):
        return Call(".chunk", (Arg(0), a.parts, a.axis))
    return Call(".split", (Arg(0), list(a.parts), a.axis))


def to_keras(a: Split, x: TensorType) -> Lowered:
    where: int | list[int] = a.parts if isinstance(a.parts, int) else list(accumulate(a.parts[:-1]))
    return Call("ops.split", (Arg(0), where), {"axis": keras_axis(int(a.axis), x.rank)})


def to_onnx(a: Split, x: TensorType) -> Lowered:
    sizes = _sizes(a, x)
    if all(isinstance(size, int) for size in sizes):
        return Call("Split", (Arg(0), Const(sizes, "int64")), {"axis": a.axis})
    return Call("Split", (Arg(0),), {"axis": a.axis, "num_outputs": len(sizes)})


OP = OpDef(
    name="split",
    attrs=Split,
    summary="a tensor cut into parts along an axis, the channels by default",
    dtypes=DTYPES,
    single_output=False,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="yᵢ = x at the positions from partsᵢ₋₁ + … on, partsᵢ of them, along the axis",
    shape="(N, C, n…) → (N, C / parts, n…), parts times",
    source="",
    example="input image: float32[N, 3, 32, 32]\na, b = image -> conv(8, 3x3) -> split(2)\noutput a + b",
)
