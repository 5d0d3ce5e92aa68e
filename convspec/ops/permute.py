"""`permute`: the axes in another order; the batch stays first.

Axis i of the result is axis `order[i]` of the input, as in `torch.permute`. Axes are given by their numbers or by the names
that they have in the input. The names of the result go by place: what stands second is its channels.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import AttrError, OpDef, Window, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axes, axis_indices, axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Permute:
    """`permute([0, 2, 1])`, `permute(order = [batch, length, channels])`."""

    order: tuple[int | str, ...] = attr(
        Axes("a list of all axes", batch=True),
        positional=True,
        doc="All axes of the input in the order that the result has them, the batch first.",
    )


def resolve(a: Permute, x: TensorType) -> Permute:
    shapes.check_rank("permute", x)
    order = axis_indices(a.order, x.rank, "order", batch=True)
    if len(order) != x.rank:
        left_out = ", ".join(axis_name(axis, x.rank) for axis in range(x.rank) if axis not in order)
        message = f"`order` names {len(order)} of the {x.rank} axes of {x}: {left_out} is missing"
        raise AttrError(message, "order", "CNN046")
    if order[0] != 0:
        raise AttrError(f"the batch stays first, but `order` begins with {axis_name(order[0], x.rank)}", "order")
    return replace(a, order=order)


def _order(a: Permute) -> tuple[int, ...]:
    return tuple(int(axis) for axis in a.order)


def infer(a: Permute, x: TensorType) -> TensorType:
    return x.with_shape(tuple(x.shape[axis] for axis in _order(a)))


def receptive_field(a: Permute, x: TensorType) -> Window:
    return shapes.in_place([axis == place for place, axis in enumerate(_order(a))][2:])


def evaluate(a: Permute, p: object, x: Array) -> Array:
    return x.transpose(_order(a))


def to_torch(a: Permute, x: TensorType) -> Lowered:
    return Arg(0) if _order(a) == tuple(range(x.rank)) else Call(".permute", (Arg(0), *a.order))


def to_keras(a: Permute, x: TensorType) -> Lowered:
    """Axis by axis of the result as Keras has it: where that axis of the input lies."""
    order = _order(a)
    return shapes.keras_transpose(Arg(0), [shapes.keras_place(order[axis], x.rank) for axis in shapes.keras_order(x.rank)])


def to_onnx(a: Permute, x: TensorType) -> Lowered:
    return shapes.onnx_transpose(Arg(0), _order(a))


OP = OpDef(
    name="permute",
    attrs=Permute,
    summary="The axes in another order, the batch first",
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, i₁, i₂, …] = x[n, …] with i_k at axis order[k]",
    shape="(N, d₁, d₂, …) → (N, d_order[1], d_order[2], …)",
    source="",
    example="input tokens: float32[N, 64, 100]\noutput swapped = tokens -> permute([0, 2, 1])",
)
