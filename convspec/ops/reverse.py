"""`reverse`: an axis, or several, turned round, as in the reverse complement of a DNA sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axes, axis_indices
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """`reverse(axis = length)`, `reverse(axis = [channels, length])`."""

    axis: tuple[int | str, ...] = attr(Axes(), positional=True, doc="The axis that is turned round, or a list of axes.")


def resolve(a: Reverse, x: TensorType) -> Reverse:
    shapes.check_rank("reverse", x)
    return replace(a, axis=tuple(sorted(axis_indices(a.axis, x.rank, "axis"))))


def infer(a: Reverse, x: TensorType) -> TensorType:
    return x


def receptive_field(a: Reverse, x: TensorType) -> Window:
    return shapes.in_place([axis not in a.axis for axis in range(2, x.rank)])


def evaluate(a: Reverse, p: object, x: Array) -> Array:
    import numpy as np

    axes: Any = a.axis
    return np.flip(x, axes)


def to_torch(a: Reverse, x: TensorType) -> Lowered:
    return Call(".flip", (Arg(0), a.axis))


def to_keras(a: Reverse, x: TensorType) -> Lowered:
    axes = tuple(sorted(shapes.keras_place(int(axis), x.rank) for axis in a.axis))
    return Call("ops.flip", (Arg(0), axes[0] if len(axes) == 1 else axes))


def to_onnx(a: Reverse, x: TensorType) -> Lowered:
    """A Slice with steps of -1, from the last position on, to before the one before the first."""
    each = (-1,) * len(a.axis), (-(2**63),) * len(a.axis), a.axis, (-1,) * len(a.axis)
    return Call("Slice", (Arg(0), *(Const(numbers, "int64") for numbers in each)))


OP = OpDef(
    name="reverse",
    attrs=Reverse,
    summary="An axis turned round",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = x[n, c, n₂ − 1 − i], for axis = 2 of size n₂",
    shape="(N, C, n…) → (N, C, n…)",
    source="",
    example="input sequence: float32[N, 4, 1000]\noutput complement = sequence -> reverse(axis = [channels, length])",
)
