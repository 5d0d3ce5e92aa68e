"""`adaptive_maxpool`: the largest cells of a given number of windows along each axis, whatever the input's size.

Window i of o over n cells runs from ⌊i n / o⌋ to ⌈(i + 1) n / o⌉, as in PyTorch. Of equal cells the first gets the gradient;
`global_maxpool` shares it.
"""

from __future__ import annotations

from typing import Any

from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops import _adaptive as adaptive
from convspec.ops import _onnx_numbers as numbers
from convspec.ops import _spatial_targets as write


def evaluate(a: adaptive.Adaptive, p: object, x: Array) -> Array:
    """One axis after the other, for windows are products of intervals."""
    import numpy as np

    for axis, outputs in zip(adaptive.axes(a.size), a.size, strict=True):
        parts = [
            x.take(range(start, end), axis).max(axis, keepdims=True) for start, end in adaptive.bounds(x.shape[axis], outputs)
        ]
        x = np.concatenate(parts, axis)
    return x


def to_torch(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    return Call(f"F.adaptive_max_pool{len(a.size)}d", (Arg(0), write.squash(a.size)))


def to_keras(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    return Call("helpers.adaptive_max_pool", (Arg(0), a.size))


def to_onnx(a: adaptive.Adaptive, x: TensorType) -> Lowered:
    """An ordinary pool where windows are equal; else the cells of each window side by side, axis after axis."""
    kernel = adaptive.equal_windows(a, x)
    if set(a.size) == {1}:
        return Call("GlobalMaxPool", (Arg(0),))
    if kernel:
        return Call("MaxPool", (Arg(0),), {"kernel_shape": kernel, "strides": kernel})
    y: Any = Arg(0)
    for axis, outputs in zip(adaptive.axes(a.size), a.size, strict=True):
        if x.shape[axis] != outputs:
            cells = Call("Gather", (y, _cells(x, axis, outputs)), {"axis": axis})
            y = Call("ReduceMax", (cells, Const((axis + 1,), "int64")), {"keepdims": 0})
    return y if isinstance(y, Call) else Arg(0)


def _cells(x: TensorType, axis: int, outputs: int) -> Any:
    """The cells of every window, (outputs, longest window); shorter ones name their last cell again."""
    n = x.shape[axis]
    if isinstance(n, int):
        windows = adaptive.bounds(n, outputs)
        longest = max(end - start for start, end in windows)
        return Const(tuple(tuple(min(start + k, end - 1) for k in range(longest)) for start, end in windows), "int64")
    size = numbers.length(Arg(0), n, axis)
    i = numbers.line(outputs).column()
    start, end = i * size // outputs, ((i + 1) * size + (outputs - 1)) // outputs
    longest_one = (numbers.lifted(size) + (outputs - 1)) // outputs + 1
    return (start + numbers.line(longest_one)).most(end - 1).node


OP = OpDef(
    name="adaptive_maxpool",
    attrs=adaptive.Adaptive,
    summary="The largest cells of a given number of windows, whatever the input's size",
    resolve=adaptive.resolver("adaptive_maxpool"),
    infer=adaptive.infer,
    evaluate=evaluate,
    cost=adaptive.cost,
    receptive_field=adaptive.receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = max of x[n, c, ⌊i n / size⌋ … ⌈(i + 1) n / size⌉ − 1] along every axis",
    shape=adaptive.SHAPE,
    source="He et al. 2014 (spatial pyramid pooling), arXiv:1406.4729",
    example="input image: float32[N, 3, H, W]\noutput image -> adaptive_maxpool(7x7)",
)
