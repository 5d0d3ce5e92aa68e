"""`layernorm`: every example to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).

By default over the channels at each position, as ConvNeXt and the transformers have it; with `axes = all` over all of an
example, as nn.LayerNorm([C, H, W]) does. The variance is divided by the number of values, n, and not by n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Real
from convspec.ir.init import ONES, ZEROS
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _norm as norm
from convspec.ops._elementwise import elements
from convspec.ops._norm import EPS
from convspec.ops._shapes import seen_whole
from convspec.ops._spatial_targets import given
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layernorm:
    """`layernorm`, `layernorm(axes = all)`, `layernorm(axes = [height, width], affine = false)`."""

    axes: tuple[int | str, ...] = attr(
        norm.NormAxes(), ("channels",), doc="What the mean is taken over: `channels`, `all`, an axis, or a list of axes."
    )
    eps: float = attr(Real(above=0), EPS, doc="Added to the variance under the root.")
    affine: bool = attr(Flag(), True, doc="Whether there are a weight and a bias, of the shape of the axes.")


def resolve(a: Layernorm, x: TensorType) -> Layernorm:
    return replace(a, axes=norm.norm_axes("layernorm", a.axes, x))


def _axes(a: Layernorm) -> norm.Axes:
    return tuple(int(axis) for axis in a.axes)


def infer(a: Layernorm, x: TensorType) -> TensorType:
    if all(x.shape[axis] == 1 for axis in _axes(a)):
        message = "the axes of `layernorm` hold one value only, which is its own mean: the result would be 0"
        raise ShapeError(message, "CNN045", inputs={0: str(x)})
    if a.affine:
        norm.known_sizes("layernorm", _axes(a), x)
    return x


def params(a: Layernorm, x: TensorType) -> Mapping[str, ParamSpec]:
    if not a.affine:
        return {}
    sizes = norm.known_sizes("layernorm", _axes(a), x)
    return {"weight": ParamSpec(sizes, ONES), "bias": ParamSpec(sizes, ZEROS)}


def cost(a: Layernorm, x: TensorType) -> Cost:
    """The sum, the difference, the square and its sum, the quotient; the product and the sum of `affine`."""
    return Cost(flops=elements(x) * (7 if a.affine else 5))


def receptive_field(a: Layernorm, x: TensorType) -> Window | None:
    return seen_whole(_axes(a), x.rank)


def evaluate(a: Layernorm, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    axes = _axes(a)
    centred: Array = x - x.mean(axes, keepdims=True)
    variance: Array = (centred * centred).mean(axes, keepdims=True)
    return norm.scaled(centred / np.sqrt(variance + a.eps), p, axes)


def to_torch(a: Layernorm, x: TensorType) -> Lowered:
    """nn.LayerNorm over the last axes, else a helper that moves them there."""
    axes = _axes(a)
    eps = given(eps=(a.eps, EPS))
    if not a.affine:
        native = norm.is_last(axes, x.rank) and norm.all_known(axes, x)
        fn, over = ("F.layer_norm", x.shape[axes[0] :]) if native else ("helpers.layer_norm", norm.one_or_all(axes))
        return Call(fn, (Arg(0), over), eps)
    sizes = norm.one_or_all(norm.known_sizes("layernorm", axes, x))
    weights = {"weight": Weight("weight"), "bias": Weight("bias")}
    if norm.is_last(axes, x.rank):
        return Apply("nn.LayerNorm", (sizes,), eps, weights=weights)
    if axes == (1,):
        return Apply("helpers.ChannelLayerNorm", (sizes,), eps, weights=weights)
    return Apply("helpers.LayerNormAlong", (sizes, axes), eps, weights=weights)


def to_keras(a: Layernorm, x: TensorType) -> Lowered:
    axes = _axes(a)
    kwargs: dict[str, Any] = {**norm.keras_axis_argument(axes, x.rank), "epsilon": a.eps}
    if not a.affine:
        return Apply("layers.LayerNormalization", (), {**kwargs, "center": False, "scale": False})
    weights = {name: norm.keras_weight(role, axes, x.rank) for name, role in (("gamma", "weight"), ("beta", "bias"))}
    return Apply("layers.LayerNormalization", (), kwargs, weights=weights)


def to_onnx(a: Layernorm, x: TensorType) -> Lowered:
    """LayerNormalization over the last axes; written out over others, and without the weight that it must have.

    The channels are brought last and back: beside convolutions ONNX Runtime's CPU moves them on the way out of its own layout,
    and even alone that takes less than half the time of the written-out form.
    """
    axes = _axes(a)
    if a.affine and norm.is_last(axes, x.rank):
        return _normalization(a, Arg(0), axes[0])
    if a.affine and axes == (1,):
        last = Call("Transpose", (Arg(0),), {"perm": (0, *range(2, x.rank), 1)})
        return Call("Transpose", (_normalization(a, last, x.rank - 1),), {"perm": (0, x.rank - 1, *range(1, x.rank - 1))})
    roles = ("weight", "bias") if a.affine else ()
    return norm.onnx_affine(norm.onnx_scaled(x, axes, a.eps, centred=True), x, axes, roles)


def _normalization(a: Layernorm, x: Lowered, axis: int) -> Call:
    return Call("LayerNormalization", (x, Weight("weight"), Weight("bias")), {"axis": axis, "epsilon": a.eps})


OP = OpDef(
    name="layernorm",
    attrs=Layernorm,
    summary="the channels of every position, or all of an example, to mean 0 and variance 1, then scaled and shifted",
    formula="y = (x − mean(x)) / √(var(x) + eps) · weight + bias\n"
    "mean and var: over `axes`; var divides by their number of values",
    shape="(N, C, n…) → (N, C, n…); weight, bias: the sizes of the axes",
    source="Ba et al. 2016, arXiv:1607.06450",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(96, 4x4, stride = 4) -> layernorm(eps = 1e-6)",
    resolve=resolve,
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
