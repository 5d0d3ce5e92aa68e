"""`maxpool`: the largest cell of each window; padding never wins, and of equal cells the first gets the gradient.

With `indices = true` the value is a list of two tensors, for `max_unpool`: `y, places = x -> maxpool(2x2, indices = true)`.
The second is int64: where in the channel's plane (the input without padding, row after row) each largest cell lies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Pads, PerAxis, per_axis
from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._max_indices import first_largest, keras_indices, onnx_indices, torch_indices
from convspec.ops._pooling import check_no_empty_window, pool_cost, pool_sizes, reached_pads
from convspec.records import dataclass

MINUS_INFINITY = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool:
    """`maxpool(3x3, stride = 2, pad = 1)`; `maxpool(2x2)` steps by its kernel."""

    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), None, doc="Step from window to window; the kernel where it is not given.")
    pad: spatial.Padding = attr(Pads(), 0, doc="Cells around the input that never win; `same`: ceil(size / stride) outputs.")
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    ceil: bool = attr(Flag(), False, doc="Whether a last window may reach past the end, if it does not start there.")
    indices: bool = attr(Flag(), False, doc="Whether to give the places of the largest cells too, as a second tensor.")


def resolve(a: MaxPool, x: TensorType) -> MaxPool:
    rank = spatial.spatial_rank("maxpool", x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = kernel if a.stride is None else per_axis("stride", a.stride, rank)
    dilation = per_axis("dilation", a.dilation, rank)
    pad = spatial.explicit_pads(a.pad, x, kernel, stride, dilation)
    return replace(a, kernel=kernel, stride=stride, dilation=dilation, pad=pad)


def infer(a: MaxPool, x: TensorType) -> TensorType | tuple[TensorType, ...]:
    pooled = _pooled(a, x)
    return (pooled, TensorType("int64", pooled.shape)) if a.indices else pooled


def _pooled(a: MaxPool, x: TensorType) -> TensorType:
    check_no_empty_window("maxpool", a, x)
    return x.with_shape((*x.shape[:2], *pool_sizes("maxpool", a, x)))


def cost(a: MaxPool, x: TensorType) -> Cost:
    return pool_cost(a, x, _pooled(a, x))


def receptive_field(a: MaxPool, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: MaxPool, p: object, x: Array) -> Array | tuple[Array, ...]:
    """The largest cell of each window over the input, padded with minus infinity."""
    of = TensorType(str(x.dtype), x.shape)
    pads = reached_pads("maxpool", a, of)
    view = spatial.windows(spatial.padded(x, pads, MINUS_INFINITY), a)
    largest: Array = view.max(axis=tuple(range(-len(a.kernel), 0)))
    return (largest, first_largest(view, a, pads, x.shape[2:])) if a.indices else largest


def to_torch(a: MaxPool, x: TensorType) -> Lowered:
    """Native where the pads are equal on both sides and at most half the kernel."""
    halves = all(lo <= k // 2 for (lo, _), k in zip(a.pad, a.kernel, strict=True))
    native = spatial.is_symmetric(a.pad) and halves
    source = Arg(0) if native else write.torch_pad(Arg(0), reached_pads("maxpool", a, x), MINUS_INFINITY)
    kernel = write.squash(a.kernel)
    kwargs = write.given(
        stride=(write.squash(a.stride), kernel),
        padding=(write.squash(write.befores(a.pad)) if native else 0, 0),
        dilation=(write.squash(a.dilation), 1),
        ceil_mode=(a.ceil and native, False),
    )
    if a.indices:
        return torch_indices(a, reached_pads("maxpool", a, x), native, kwargs)
    return Call(f"F.max_pool{len(a.kernel)}d", (source, kernel), kwargs)


def to_keras(a: MaxPool, x: TensorType) -> Lowered:
    """Keras's layers have no dilation; in 3-D, TensorFlow's CPU kernel gives every tie the gradient and has no float64."""
    rank, kernel, stride = len(a.kernel), write.squash(a.kernel), write.squash(a.stride)
    pads = reached_pads("maxpool", a, x)
    if a.indices:
        return keras_indices(a, pads)
    if rank == 3 or max(a.dilation) > 1:
        source = write.keras_pad(Arg(0), pads, MINUS_INFINITY)
        return Call("helpers.max_pool", (source, kernel, stride), write.given(dilation_rate=(write.squash(a.dilation), 1)))
    same = spatial.is_same(pads, x, a.kernel, a.stride, a.dilation)
    source = Arg(0) if same else write.keras_pad(Arg(0), pads, MINUS_INFINITY)
    kwargs = write.given(strides=(stride, kernel), padding=("same" if same else "valid", "valid"))
    return Apply(f"layers.MaxPooling{rank}D", (kernel,), kwargs, (source,))


def to_onnx(a: MaxPool, x: TensorType) -> Lowered:
    """ONNX Runtime takes pads below the kernel only, whatever the dilation."""
    pads = reached_pads("maxpool", a, x)
    native = all(max(pair) < k for pair, k in zip(pads, a.kernel, strict=True))
    attributes: dict[str, Any] = {"kernel_shape": a.kernel, "strides": a.stride, "dilations": a.dilation}
    if native:
        pooled = Call("MaxPool", (Arg(0),), {**attributes, "pads": write.onnx_pads(pads)})
    else:
        pooled = Call("MaxPool", (write.onnx_pad(Arg(0), pads, x.dtype, MINUS_INFINITY),), attributes)
    return onnx_indices(pooled, pads, x, padded=not native) if a.indices else pooled


OP = OpDef(
    name="maxpool",
    attrs=MaxPool,
    summary="The largest cell of each window",
    single_output=lambda a: not a.indices,
    formula="y[n, c, i] = max over j of x[n, c, s·i − lo + d·j]",
    shape="(N, C, n…) → (N, C, ⌊(n + lo + hi − d(k−1) − 1) / s⌋ + 1…); ceil: ⌈…⌉, less windows that start in the padding",
    source="Ranzato et al. 2007; indices: Badrinarayanan et al. 2015, arXiv:1511.00561",
    example="input image: float32[N, 3, 64, 64]\noutput image -> maxpool(3x3, stride = 2, pad = 1)",
    resolve=resolve,
    infer=infer,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
