"""`kmaxpool`: the k largest cells of an axis, in the order in which they stand there; of equal ones the first.

Whatever the size, k cells are left, which dense layers can take; unlike global pooling it tells that something was found
several times, and in which order. With a symbolic size it must be provable that there are k.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import Integer
from convspec.ir.dims import at_least
from convspec.ir.lowering import Arg, Call, Const, Item, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops._axes import Axis, axis_index, axis_name
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KMaxPool:
    """`kmaxpool(8)` along the length of a sequence, `kmaxpool(8, axis = height)` of an image."""

    k: int = attr(Integer(), positional=True, doc="How many cells are kept.")
    axis: int | str = attr(Axis(), -1, doc="The axis along which they are chosen, the last by default.")


def resolve(a: KMaxPool, x: TensorType) -> KMaxPool:
    shapes.check_rank("kmaxpool", x)
    axis = axis_index(a.axis, x.rank)
    size = x.shape[axis]
    if at_least(size, a.k):
        return replace(a, axis=axis)
    if isinstance(size, int):
        raise AttrError(f"`k` is {a.k}, but there are only {size} cells along the {axis_name(axis, x.rank)}", "k", "CNN044")
    raise shapes.too_few(x, axis, f"`k = {a.k}`", a.k)


def infer(a: KMaxPool, x: TensorType) -> TensorType:
    axis = int(a.axis)
    return x.with_shape((*x.shape[:axis], a.k, *x.shape[axis + 1 :]))


def cost(a: KMaxPool, x: TensorType) -> Cost:
    """A comparison for each cell, as for a maximum."""
    return Cost(flops=elements(x))


def receptive_field(a: KMaxPool, x: TensorType) -> Window | None:
    return shapes.seen_whole((int(a.axis),), x.rank)


def evaluate(a: KMaxPool, p: object, x: Array) -> Array:
    import numpy as np

    axis = int(a.axis)
    order = np.argsort(-x, axis=axis, kind="stable")
    chosen = np.sort(np.take(order, range(a.k), axis=axis), axis=axis)
    result: Array = np.take_along_axis(x, chosen, axis=axis)
    return result


def to_torch(a: KMaxPool, x: TensorType) -> Lowered:
    return Call("helpers.k_largest", (Arg(0), a.k, a.axis))


def to_keras(a: KMaxPool, x: TensorType) -> Lowered:
    """Keras is told how many are left where it cannot know how many there were: layers with weights ask."""
    found = Call("helpers.k_largest", (Arg(0), a.k, shapes.keras_place(int(a.axis), x.rank)))
    return shapes.keras_told(found, x.shape[int(a.axis)], infer(a, x).shape)


def to_onnx(a: KMaxPool, x: TensorType) -> Lowered:
    """TopK gives the first of equal ones, in the order of size; the second puts their places in order."""
    count, axis = Const((a.k,), "int64"), int(a.axis)
    largest = Call("TopK", (Arg(0), count), {"axis": axis, "largest": 1, "sorted": 1})
    in_order = Call("TopK", (Item(largest, 1, results=2), count), {"axis": axis, "largest": 0, "sorted": 1})
    return Call("GatherElements", (Arg(0), Item(in_order, 0, results=2)), {"axis": axis})


OP = OpDef(
    name="kmaxpool",
    attrs=KMaxPool,
    summary="The k largest cells of an axis, in the order in which they stand there",
    resolve=resolve,
    infer=infer,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, j] = x[n, c, iⱼ], i₁ < … < iₖ the places of the k largest of x[n, c]; of equal ones the first",
    shape="(N, C, n) → (N, C, k)",
    source="Kalchbrenner et al. 2014, arXiv:1404.2188",
    example="input words: float32[N, 64, L >= 8]\noutput found = words -> kmaxpool(8) -> flatten -> linear(10)",
)
