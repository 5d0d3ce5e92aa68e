"""`slice`: positions of one axis, from `start` on, before `stop`, every `step`-th.

Negative positions count from the end, as in Python, but a position out of range is an error, and so is an empty result. With
symbolic sizes it must be provable that there are enough positions. To turn an axis round use `reverse`.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import Integer
from convspec.ir.dims import Size, at_least
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import Axis, axis_index, axis_name
from convspec.records import dataclass

_LAST = 2**63 - 1
_ANY = -(2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """`slice(1, 5, axis = width)`, `slice(-3, axis = length)`, `slice(axis = height, step = 2)`."""

    start: int = attr(Integer(least=_ANY), 0, positional=True, doc="The first position; a negative one counts from the end.")
    stop: int | None = attr(
        Integer(least=_ANY),
        None,
        positional=True,
        doc="The position before which to stop; a negative one counts from the end. Left out: the end itself.",
    )
    step: int = attr(Integer(), 1, doc="How far it is from one position to the next, at least 1.")
    axis: int | str = attr(Axis(), "channels", doc="The axis that is cut.")


def resolve(a: Slice, x: TensorType) -> Slice:
    shapes.check_rank("slice", x)
    a = replace(a, axis=axis_index(a.axis, x.rank))
    start, stop = _bounds(a, x)
    _provable(a, x, "start", a.start, at_least(start, 0) and at_least(x.shape[int(a.axis)], start + 1), start)
    if a.stop is not None:
        _provable(a, x, "stop", a.stop, at_least(stop, 1) and at_least(x.shape[int(a.axis)], stop), stop)
    _not_empty(a, x, start, stop)
    return a


def _bounds(a: Slice, x: TensorType) -> tuple[Size, Size]:
    """Start and stop, counted from the first position."""
    whole = x.shape[int(a.axis)]
    start = a.start + whole if a.start < 0 else a.start
    return start, whole if a.stop is None else a.stop + whole if a.stop < 0 else a.stop


def _provable(a: Slice, x: TensorType, attribute: str, written: int, holds: bool | None, place: Size) -> None:
    if holds:
        return
    whole, name = x.shape[int(a.axis)], axis_name(int(a.axis), x.rank)
    if isinstance(whole, int):
        least = 0 if attribute == "start" else 1
        first, last = least - whole, whole - 1 + least
        message = f"`{attribute}` is {written}, but a {name} of {whole} has only {first} to {last}"
        raise AttrError(message, attribute, "CNN044")
    least = -written if written < 0 else written + (attribute == "start")
    raise shapes.too_few(x, int(a.axis), f"`{attribute} = {written}`", least + (attribute == "stop" and written < 0))


def _not_empty(a: Slice, x: TensorType, start: Size, stop: Size) -> None:
    if at_least(stop, start + 1):
        return
    name = axis_name(int(a.axis), x.rank)
    if isinstance(stop - start, int):
        message = f"the slice from {start} to {stop} of the {name} is empty"
        raise AttrError(message, "stop" if a.stop is not None else "start", "CNN035")
    shown = f"the slice from {start} to {stop}"
    raise ShapeError(
        f"{shown} of the {name} may be empty",
        "CNN034",
        inputs={0: f"{name} {x.shape[int(a.axis)]}"},
        hint="declare a larger size",
    )


def infer(a: Slice, x: TensorType) -> TensorType:
    axis, (start, stop) = int(a.axis), _bounds(a, x)
    return x.with_shape((*x.shape[:axis], (stop - start + a.step - 1) // a.step, *x.shape[axis + 1 :]))


def receptive_field(a: Slice, x: TensorType) -> Window | None:
    """Position i of the result is position start + i*step; of a start that is counted from a symbolic end, anywhere."""
    axis, start = int(a.axis) - 2, _bounds(a, x)[0]
    if axis < 0:
        return None
    plain = isinstance(start, int)
    spatial = range(x.rank - 2)
    return Window(
        extent=tuple(None if place == axis and not plain else 1 for place in spatial),
        stride=tuple((a.step, 1) if place == axis else (1, 1) for place in spatial),
        before=tuple(-start if place == axis and isinstance(start, int) else 0 for place in spatial),
    )


def evaluate(a: Slice, p: object, x: Array) -> Array:
    result: Array = x[(*(slice(None),) * int(a.axis), slice(a.start, a.stop, a.step))]
    return result


def _written(a: Slice) -> dict[str, int | None]:
    return write.given(start=(a.start, 0), stop=(a.stop, None), step=(a.step, 1))


def to_torch(a: Slice, x: TensorType) -> Lowered:
    return Call("helpers.cut", (Arg(0), a.axis), _written(a))


def to_keras(a: Slice, x: TensorType) -> Lowered:
    """Where the size that is left is known and the one that there was is not, Keras is told it: layers with weights ask."""
    cut = Call("helpers.cut", (Arg(0), shapes.keras_place(int(a.axis), x.rank)), _written(a))
    return shapes.keras_told(cut, x.shape[int(a.axis)], infer(a, x).shape)


def to_onnx(a: Slice, x: TensorType) -> Lowered:
    stop = _LAST if a.stop is None else a.stop
    return Call("Slice", (Arg(0), *(Const((number,), "int64") for number in (a.start, stop, a.axis, a.step))))


OP = OpDef(
    name="slice",
    attrs=Slice,
    summary="Positions of one axis, from a start to before a stop, in steps",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = x[n, c, start + i · step], for axis = 2",
    shape="(N, C, n) → (N, C, ⌈(stop − start) / step⌉), for axis = 2",
    source="",
    example="input image: float32[N, 3, 64, 64]\noutput left = image -> slice(0, 32, axis = width)",
)
