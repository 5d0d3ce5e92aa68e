"""`blurpool`: subsampling that keeps shifted inputs alike: a binomial blur, then every stride-th cell (Zhang 2019).

The filter of size k holds the binomial coefficients C(k − 1, j) / 2^(k − 1) along each axis (1 2 1 over 4 for k = 3), each
channel by itself; nothing is learned. The input is padded by k − 1 cells, ⌊(k − 1) / 2⌋ before and the rest after, so that
⌈n / stride⌉ cells come out. Every target computes the filter as k − 1 means of two neighbours, which it is the product of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import comb

from convspec.ir.attrs import PerAxis, Word, per_axis
from convspec.ir.dims import Size
from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements
from convspec.ops._pooling import torch_avg_pool
from convspec.records import dataclass

_MODES = tuple(mode for mode in padding.MODES if mode != "constant")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlurPool:
    """`blurpool`, `blurpool(4, stride = 2, pad_mode = zeros)`; after a convolution and `maxpool(2, stride = 1)`, say."""

    kernel: spatial.Axes = attr(PerAxis(), 3, positional=True, doc="Size of the binomial filter.")
    stride: spatial.Axes = attr(PerAxis(), 2, doc="Of how many cells one is kept.")
    pad_mode: str = attr(Word(words=_MODES), "reflect", doc="What the cells around the input hold.")

    @property
    def pad(self) -> spatial.Padding:
        return tuple(((k - 1) // 2, k // 2) for k in self.kernel)

    @property
    def dilation(self) -> spatial.Axes:
        """The filter has none."""
        return (1,) * len(self.kernel)


def resolve(a: BlurPool, x: TensorType) -> BlurPool:
    rank = spatial.spatial_rank("blurpool", x)
    return replace(a, kernel=per_axis("kernel", a.kernel, rank), stride=per_axis("stride", a.stride, rank))


def infer(a: BlurPool, x: TensorType) -> TensorType:
    padding.check_mode(a.pad_mode, 0.0, x, a.pad, "pad_mode", "pad_mode")
    sizes: tuple[Size, ...] = tuple((n - 1) // s + 1 for n, s in zip(x.spatial, a.stride, strict=True))
    return x.with_shape((*x.shape[:2], *sizes))


def cost(a: BlurPool, x: TensorType) -> Cost:
    """One operation for every cell of every window."""
    cells = 1
    for k in a.kernel:
        cells *= k
    return Cost(flops=elements(infer(a, x)) * cells)


def receptive_field(a: BlurPool, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: BlurPool, p: object, x: Array) -> Array:
    """Every window times the coefficients, axis by axis."""
    import numpy as np

    x = padding.padded(x, a.pad, a.pad_mode)
    for axis, (k, s) in enumerate(zip(a.kernel, a.stride, strict=True), 2):
        coefficients = np.array([comb(k - 1, j) / 2 ** (k - 1) for j in range(k)], x.dtype)
        view = np.lib.stride_tricks.sliding_window_view(x, k, axis)
        x = (view @ coefficients)[(slice(None),) * axis + (slice(None, None, s),)]
    return x


def _means(a: BlurPool) -> Iterator[tuple[spatial.Axes, spatial.Axes]]:
    """Kernel (2, or 1 on axes that are done) and stride of one pool of means after the other; the last one subsamples."""
    rounds = max(1, *(k - 1 for k in a.kernel))
    for number in range(rounds):
        kernel = tuple(2 if number < k - 1 else 1 for k in a.kernel)
        yield kernel, a.stride if number == rounds - 1 else (1,) * len(a.kernel)


def to_torch(a: BlurPool, x: TensorType) -> Lowered:
    y: Lowered = padding.to_torch(Arg(0), a.pad, a.pad_mode)
    for kernel, stride in _means(a):
        size, step = write.squash(kernel), write.squash(stride)
        y = torch_avg_pool(len(kernel), x.dtype, y, size, write.given(stride=(step, size)))
    return y


def to_keras(a: BlurPool, x: TensorType) -> Lowered:
    """Layers; TensorFlow's CPU has no float64 kernel in 3-D."""
    rank = len(a.kernel)
    y: Lowered = padding.to_keras(Arg(0), a.pad, a.pad_mode)
    for kernel, stride in _means(a):
        size, step = write.squash(kernel), write.squash(stride)
        if rank < 3:
            y = Apply(f"layers.AveragePooling{rank}D", (size,), write.given(strides=(step, size)), (y,))
        else:
            y = Call("helpers.average_pool", (y, size, step))
    return y


def to_onnx(a: BlurPool, x: TensorType) -> Lowered:
    y: Lowered = padding.to_onnx(Arg(0), a.pad, a.pad_mode, x.dtype)
    for kernel, stride in _means(a):
        y = Call("AveragePool", (y,), {"kernel_shape": kernel, "strides": stride})
    return y


OP = OpDef(
    name="blurpool",
    attrs=BlurPool,
    summary="A binomial blur, then every stride-th cell; nothing is learned",
    resolve=resolve,
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = Σ over j of C(k − 1, j) / 2^(k − 1) · x[n, c, s·i − ⌊(k − 1) / 2⌋ + j], along every axis",
    shape="(N, C, n…) → (N, C, ⌈n / stride⌉…)",
    source="Zhang 2019, arXiv:1904.11486",
    example="input image: float32[N, 3, 32, 32]\noutput image -> maxpool(2x2, stride = 1) -> blurpool(3, stride = 2)",
)
