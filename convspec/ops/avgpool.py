"""`avgpool`: the mean of each window, over its cells in the input and, with `count_pad`, in the padding.

With `ceil` a last window may reach past the end of the padded input; what lies there never counts. With `count_pad = false`
only the cells of the input do, and every window must hold one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Pads, PerAxis, per_axis
from convspec.ir.dims import at_least
from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._pooling import HALF, check_no_empty_window, pool_cost, pool_sizes, reached_pads, torch_avg_pool
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AvgPool:
    """`avgpool(3x3, stride = 2, pad = 1)`; `avgpool(2x2)` steps by its kernel."""

    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), None, doc="Step from window to window; the kernel where it is not given.")
    pad: spatial.Padding = attr(Pads(), 0, doc="Zeros around the input; `same`: ceil(size / stride) outputs.")
    ceil: bool = attr(Flag(), False, doc="Whether a last window may reach past the end, if it does not start there.")
    count_pad: bool = attr(Flag(), True, doc="Whether padding counts in the mean. What `ceil` adds never counts.")

    @property
    def dilation(self) -> spatial.Axes:
        """Average pooling has none."""
        return (1,) * len(self.kernel)


def resolve(a: AvgPool, x: TensorType) -> AvgPool:
    rank = spatial.spatial_rank("avgpool", x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = kernel if a.stride is None else per_axis("stride", a.stride, rank)
    return replace(a, kernel=kernel, stride=stride, pad=spatial.explicit_pads(a.pad, x, kernel, stride, (1,) * rank))


def infer(a: AvgPool, x: TensorType) -> TensorType:
    reached_pads("avgpool", a, x)  # an error where they depend on a symbolic size
    if not a.count_pad:
        check_no_empty_window("avgpool", a, x)
    return x.with_shape((*x.shape[:2], *pool_sizes("avgpool", a, x)))


def cost(a: AvgPool, x: TensorType) -> Cost:
    return pool_cost(a, x, infer(a, x))


def receptive_field(a: AvgPool, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def _pads(a: AvgPool, x: TensorType) -> tuple[spatial.Padding, spatial.Padding, spatial.Padding]:
    """Per axis: all padding that windows reach, the part of it that counts (next to the input), and the rest."""
    reached = reached_pads("avgpool", a, x)
    pairs = zip(reached, a.pad, strict=True)
    counted = tuple((lo, min(hi, written)) if a.count_pad else (0, 0) for (lo, hi), (_, written) in pairs)
    rest = tuple((r[0] - c[0], r[1] - c[1]) for r, c in zip(reached, counted, strict=True))
    return reached, counted, rest


def evaluate(a: AvgPool, p: object, x: Array) -> Array:
    """The sum over each window, divided by how many of its cells count."""
    import numpy as np

    reached, counted, rest = _pads(a, TensorType(str(x.dtype), x.shape))
    cells = spatial.padded(spatial.padded(np.ones((1, 1, *x.shape[2:]), x.dtype), counted, 1), rest)
    over = tuple(range(-len(a.kernel), 0))
    mean: Array = spatial.windows(spatial.padded(x, reached), a).sum(axis=over) / spatial.windows(cells, a).sum(axis=over)
    return mean


def to_torch(a: AvgPool, x: TensorType) -> Lowered:
    """Native where the pads are equal on both sides and at most half the kernel.

    `avg_pool3d` also wants an input as large as the kernel before padding. Otherwise pad first, and where some of that
    does not count, divide by the share of each window that does.
    """
    reached, counted, rest = _pads(a, x)
    halves = all(lo <= k // 2 for (lo, _), k in zip(a.pad, a.kernel, strict=True))
    large = len(a.kernel) < 3 or all(at_least(n, k) for n, k in zip(x.spatial, a.kernel, strict=True))
    if spatial.is_symmetric(a.pad) and halves and large:
        padding = write.squash(write.befores(a.pad))
        counts = a.count_pad or padding == 0
        return _torch_pool(a, x, Arg(0), padding=(padding, 0), ceil_mode=(a.ceil, False), count_include_pad=(counts, True))
    mean = _torch_pool(a, x, write.torch_pad(Arg(0), reached))
    if reached == counted:
        return mean
    cells = write.torch_pad(write.torch_pad(Call("torch.ones_like", (Arg(0),)), counted, 1.0), rest)
    return Call("/", (mean, _torch_pool(a, x, cells)))


def _torch_pool(a: AvgPool, x: TensorType, source: Lowered, **more: tuple[Any, Any]) -> Call:
    kernel = write.squash(a.kernel)
    kwargs = write.given(stride=(write.squash(a.stride), kernel), **more)
    return torch_avg_pool(len(a.kernel), x.dtype, source, kernel, kwargs)


def to_keras(a: AvgPool, x: TensorType) -> Lowered:
    """A layer where all padding counts, or none and it is that of `same`. TensorFlow's CPU has no float64 kernel in 3-D,
    and its kernels add float16 up in float16.
    """
    reached, counted, _ = _pads(a, x)
    rank, kernel, stride = len(a.kernel), write.squash(a.kernel), write.squash(a.stride)
    same = not a.count_pad and spatial.is_same(reached, x, a.kernel, a.stride, a.dilation)
    if rank < 3 and x.dtype not in HALF and (same or reached == counted):
        source = Arg(0) if same else write.keras_pad(Arg(0), reached)
        kwargs = write.given(strides=(stride, kernel), padding=("same" if same else "valid", "valid"))
        return Apply(f"layers.AveragePooling{rank}D", (kernel,), kwargs, (source,))
    kwargs = write.given(padding=(write.both_sides(reached), 0), counted=(write.both_sides(counted), 0))
    return Call("helpers.average_pool", (Arg(0), kernel, stride), kwargs)


def to_onnx(a: AvgPool, x: TensorType) -> Lowered:
    """AveragePool counts all its own pads or none; padding of the other kind stands before it."""
    reached, counted, rest = _pads(a, x)
    attributes: dict[str, Any] = {"kernel_shape": a.kernel, "strides": a.stride}
    if reached == counted and all(max(pair) < k for pair, k in zip(reached, a.kernel, strict=True)):
        return Call("AveragePool", (Arg(0),), {**attributes, "pads": write.onnx_pads(reached), "count_include_pad": 1})
    source = write.onnx_pad(Arg(0), counted, x.dtype)
    return Call("AveragePool", (source,), {**attributes, "pads": write.onnx_pads(rest), "count_include_pad": 0})


OP = OpDef(
    name="avgpool",
    attrs=AvgPool,
    summary="The mean of each window",
    resolve=resolve,
    infer=infer,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = Σ over j of x[n, c, s·i − lo + j] / number of cells that count",
    shape="(N, C, n…) → (N, C, ⌊(n + lo + hi − k) / s⌋ + 1…); ceil: ⌈…⌉, less windows that start in the padding",
    source="LeCun et al. 1998",
    example="input image: float32[N, 3, 64, 64]\noutput image -> avgpool(3x3, stride = 2, pad = 1)",
)
