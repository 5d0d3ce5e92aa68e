"""`lppool`: the p-norm of each window, (Σ |x|^p)^(1/p): p = 1 sums magnitudes, a large p comes near their maximum.

Padding, and what `ceil` adds, are zeros, which add nothing. Where a whole window is 0, the gradient is 0, as in PyTorch.
PyTorch's own lp_pool differs in three cases, in which convspec keeps to the formula: it sums signed powers for an odd p, takes
roots of negative sums for them, and scales the windows that `ceil` cuts off.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from convspec.ir.attrs import Flag, Pads, PerAxis, Real, per_axis
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._pooling import HALF, pool_cost, pool_sizes, reached_pads
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LpPool:
    """`lppool(2x2)` is the square root of the sum of squares; `lppool(3x3, p = 4, stride = 2, pad = 1)`."""

    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    p: float = attr(Real(least=1.0), 2.0, doc="The norm's exponent, at least 1; it need not be whole.")
    stride: spatial.Axes = attr(PerAxis(), None, doc="Step from window to window; the kernel where it is not given.")
    pad: spatial.Padding = attr(Pads(), 0, doc="Zeros around the input; `same`: ceil(size / stride) outputs.")
    ceil: bool = attr(Flag(), False, doc="Whether a last window may reach past the end, if it does not start there.")

    @property
    def dilation(self) -> spatial.Axes:
        """There is none."""
        return (1,) * len(self.kernel)


def resolve(a: LpPool, x: TensorType) -> LpPool:
    rank = spatial.spatial_rank("lppool", x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = kernel if a.stride is None else per_axis("stride", a.stride, rank)
    return replace(a, kernel=kernel, stride=stride, pad=spatial.explicit_pads(a.pad, x, kernel, stride, (1,) * rank))


def infer(a: LpPool, x: TensorType) -> TensorType:
    reached_pads("lppool", a, x)  # an error where they depend on a symbolic size
    return x.with_shape((*x.shape[:2], *pool_sizes("lppool", a, x)))


def cost(a: LpPool, x: TensorType) -> Cost:
    return pool_cost(a, x, infer(a, x))


def receptive_field(a: LpPool, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: LpPool, p: object, x: Array) -> Array:
    import numpy as np

    pads = reached_pads("lppool", a, TensorType(str(x.dtype), x.shape))
    powers = np.abs(spatial.padded(x, pads)) ** a.p
    norm: Array = spatial.windows(powers, a).sum(axis=tuple(range(-len(a.kernel), 0))) ** (1 / a.p)
    return norm.astype(x.dtype)


def _exponent(a: LpPool) -> int | float:
    return int(a.p) if a.p == int(a.p) else a.p


def to_torch(a: LpPool, x: TensorType) -> Lowered:
    """Native for even p without padding; the stride stands by position, where torch's functions agree on it."""
    pads, kernel, stride = reached_pads("lppool", a, x), write.squash(a.kernel), write.squash(a.stride)
    if a.p % 2 == 0 and x.dtype not in HALF and not any(map(any, pads)):
        return Call(f"F.lp_pool{len(a.kernel)}d", (Arg(0), _exponent(a), kernel, stride))
    return Call("helpers.lp_pool", (write.torch_pad(Arg(0), pads), _exponent(a), a.kernel, a.stride))


def to_keras(a: LpPool, x: TensorType) -> Lowered:
    source = write.keras_pad(Arg(0), reached_pads("lppool", a, x))
    return Call("helpers.lp_pool", (source, _exponent(a), write.squash(a.kernel), write.squash(a.stride)))


def to_onnx(a: LpPool, x: TensorType) -> Lowered:
    """LpPool takes whole exponents, and pads below the kernel; else the mean of the powers, times their number."""
    pads = reached_pads("lppool", a, x)
    attributes: dict[str, Any] = {"kernel_shape": a.kernel, "strides": a.stride}
    if a.p == int(a.p) and all(max(pair) < k for pair, k in zip(pads, a.kernel, strict=True)):
        return Call("LpPool", (Arg(0),), {**attributes, "p": int(a.p), "pads": write.onnx_pads(pads)})
    powers = Call("Pow", (Call("Abs", (write.onnx_pad(Arg(0), pads, x.dtype),)), Const(a.p, x.dtype)))
    total = Call("Mul", (Call("AveragePool", (powers,), attributes), Const(float(prod(a.kernel)), x.dtype)))
    return Call("Pow", (total, Const(1 / a.p, x.dtype)))


OP = OpDef(
    name="lppool",
    attrs=LpPool,
    summary="The p-norm of each window",
    resolve=resolve,
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i] = (Σ over j of |x[n, c, s·i − lo + j]|^p)^(1/p)",
    shape="(N, C, n…) → (N, C, ⌊(n + lo + hi − k) / s⌋ + 1…); ceil: ⌈…⌉, less windows that start in the padding",
    source="Gulcehre et al. 2014, arXiv:1311.1780",
    example="input image: float32[N, 3, 32, 32]\noutput image -> lppool(2x2, p = 2)",
)
