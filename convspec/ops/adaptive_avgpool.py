"""`adaptive_avgpool`: the means of a given number of windows along each axis, whatever the input's size.

Window i of o over n cells runs from ⌊i n / o⌋ to ⌈(i + 1) n / o⌉, as in PyTorch; where o does not divide n, neighbours overlap.
"""

from __future__ import annotations

from typing import Any

from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops import _adaptive as adaptive
from convspec.ops import _onnx_numbers as numbers
from convspec.ops import _spatial_targets as write
from convspec.ops._dtypes import onnx_cast
from convspec.ops._pooling import HALF


def evaluate(a: adaptive.Adaptive, p: object, x: Array) -> Array:
    """One axis after the other: the mean of means, for windows are products of intervals."""
    import numpy as np

    for axis, outputs in zip(adaptive.axes(a.size), a.size, strict=True):
        parts = [
            x.take(range(start, end), axis).mean(axis, keepdims=True) for start, end in adaptive.bounds(x.shape[axis], outputs)
        ]
        x = np.concatenate(parts, axis)
    return x


def to_torch(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    return Call(f"F.adaptive_avg_pool{len(a.size)}d", (Arg(0), write.squash(a.size)))


def to_keras(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    """A layer where windows are equal; TensorFlow's CPU has no float64 kernel for that in 3-D, and adds in float16."""
    rank, kernel = len(a.size), adaptive.equal_windows(a, x)
    if set(a.size) == {1}:
        return Apply(f"layers.GlobalAveragePooling{rank}D", (), {"keepdims": True})
    if kernel and rank < 3 and x.dtype not in HALF:
        return Apply(f"layers.AveragePooling{rank}D", (write.squash(kernel),))
    return Call("helpers.adaptive_average_pool", (Arg(0), a.size))


def to_onnx(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    """An ordinary pool where windows are equal, else one matrix for each axis."""
    kernel = adaptive.equal_windows(a, x)
    if set(a.size) == {1}:
        return Call("GlobalAveragePool", (Arg(0),))
    if kernel:
        return Call("AveragePool", (Arg(0),), {"kernel_shape": kernel, "strides": kernel})
    y: Any = Arg(0)
    for axis, outputs in zip(adaptive.axes(a.size), a.size, strict=True):
        if x.shape[axis] != outputs:
            y = numbers.apply_matrix(y, _matrix(x, axis, outputs), axis, x.rank)
    return y if isinstance(y, Call) else Arg(0)


def _matrix(x: TensorType, axis: int, outputs: int) -> Any:
    """1 / length in the cells of a window: (outputs, inputs)."""
    n = x.shape[axis]
    if isinstance(n, int):
        rows = tuple(tuple((s <= j < e) / (e - s) for j in range(n)) for s, e in adaptive.bounds(n, outputs))
        return Const(rows, x.dtype)
    size = numbers.length(Arg(0), n, axis)
    i, j = numbers.line(outputs).column(), numbers.line(size)
    start, end = i * size // outputs, ((i + 1) * size + (outputs - 1)) // outputs
    inside = Call("And", (Call("GreaterOrEqual", (j.node, start.node)), Call("Less", (j.node, end.node))))
    return Call("Div", (onnx_cast(inside, x.dtype), (end - start).floats(x.dtype).node))


OP = OpDef(
    name="adaptive_avgpool",
    attrs=adaptive.Adaptive,
    summary="The means of a given number of windows, whatever the input's size",
    resolve=adaptive.resolver("adaptive_avgpool"),
    infer=adaptive.infer,
    evaluate=evaluate,
    cost=adaptive.cost,
    receptive_field=adaptive.receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = mean of x[n, c, ⌊i n / size⌋ … ⌈(i + 1) n / size⌉ − 1] along every axis",
    shape=adaptive.SHAPE,
    source="He et al. 2014 (spatial pyramid pooling), arXiv:1406.4729",
    example="input image: float32[N, 3, H, W]\noutput image -> adaptive_avgpool(7x7)",
)
