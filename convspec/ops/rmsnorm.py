"""`rmsnorm`: every example divided by the root of the mean of its squares, then scaled (Zhang & Sennrich 2019).

Like `layernorm` without the mean and without a bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Real
from convspec.ir.init import ONES
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _norm as norm
from convspec.ops._elementwise import elements
from convspec.ops._norm import EPS
from convspec.ops._shapes import seen_whole
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmsnorm:
    """`rmsnorm`, `rmsnorm(axes = all, eps = 1e-6)`."""

    axes: tuple[int | str, ...] = attr(
        norm.NormAxes(), ("channels",), doc="What the mean is taken over: `channels`, `all`, an axis, or a list of axes."
    )
    eps: float = attr(Real(above=0), EPS, doc="Added to the mean of squares under the root.")
    affine: bool = attr(Flag(), True, doc="Whether there is a weight, of the shape of the axes.")


def resolve(a: Rmsnorm, x: TensorType) -> Rmsnorm:
    return replace(a, axes=norm.norm_axes("rmsnorm", a.axes, x))


def _axes(a: Rmsnorm) -> norm.Axes:
    return tuple(int(axis) for axis in a.axes)


def infer(a: Rmsnorm, x: TensorType) -> TensorType:
    if a.affine:
        norm.known_sizes("rmsnorm", _axes(a), x)
    return x


def params(a: Rmsnorm, x: TensorType) -> Mapping[str, ParamSpec]:
    return {"weight": ParamSpec(norm.known_sizes("rmsnorm", _axes(a), x), ONES)} if a.affine else {}


def cost(a: Rmsnorm, x: TensorType) -> Cost:
    """The square and its sum, the quotient; the product of `affine`."""
    return Cost(flops=elements(x) * (4 if a.affine else 3))


def receptive_field(a: Rmsnorm, x: TensorType) -> Window | None:
    return seen_whole(_axes(a), x.rank)


def evaluate(a: Rmsnorm, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    axes = _axes(a)
    return norm.scaled(x / np.sqrt((x * x).mean(axes, keepdims=True) + a.eps), p, axes)


def to_torch(a: Rmsnorm, x: TensorType) -> Lowered:
    """nn.RMSNorm over the last axes, else a helper that moves them there. Its own eps depends on the precision."""
    axes, eps = _axes(a), {"eps": a.eps}
    if not a.affine:
        native = norm.is_last(axes, x.rank) and norm.all_known(axes, x)
        fn, over = ("F.rms_norm", x.shape[axes[0] :]) if native else ("helpers.rms_norm", norm.one_or_all(axes))
        return Call(fn, (Arg(0), over), eps)
    sizes = norm.one_or_all(norm.known_sizes("rmsnorm", axes, x))
    weights = {"weight": Weight("weight")}
    if norm.is_last(axes, x.rank):
        return Apply("nn.RMSNorm", (sizes,), eps, weights=weights)
    if axes == (1,):
        return Apply("helpers.ChannelRMSNorm", (sizes,), eps, weights=weights)
    return Apply("helpers.RMSNormAlong", (sizes, axes), eps, weights=weights)


def to_keras(a: Rmsnorm, x: TensorType) -> Lowered:
    """layers.RMSNormalization over the last axes (its weight broadcasts over no others), else a helper."""
    axes = _axes(a)
    kwargs: dict[str, Any] = {**norm.keras_axis_argument(axes, x.rank), "epsilon": a.eps}
    if not a.affine:
        return Call("ops.rms_normalization", (Arg(0),), kwargs)
    native = norm.is_last(norm.keras_axes(axes, x.rank), x.rank)
    fn = "layers.RMSNormalization" if native else "helpers.RMSNormAlong"
    return Apply(fn, (), kwargs, weights={"scale": norm.keras_weight("weight", axes, x.rank)})


def to_onnx(a: Rmsnorm, x: TensorType) -> Lowered:
    """Written out: RMSNormalization is of opset 23, of the last axes, and always has a weight."""
    axes = _axes(a)
    roles = ("weight",) if a.affine else ()
    return norm.onnx_affine(norm.onnx_scaled(x, axes, a.eps, centred=False), x, axes, roles)


OP = OpDef(
    name="rmsnorm",
    attrs=Rmsnorm,
    summary="the channels of every position, or all of an example, to mean square 1, then scaled",
    formula="y = x / √(mean(x²) + eps) · weight\nmean: over `axes`",
    shape="(N, C, n…) → (N, C, n…); weight: the sizes of the axes",
    source="Zhang & Sennrich 2019, arXiv:1910.07467",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(96, 4x4, stride = 4) -> rmsnorm",
    resolve=resolve,
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
