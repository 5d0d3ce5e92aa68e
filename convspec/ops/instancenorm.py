"""`instancenorm`: every channel of every example to mean 0 and variance 1 (Ulyanov et al. 2016).

There are no running statistics: training and inference are the same. The variance is divided by the number of positions, n,
and not by n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from convspec.ir.attrs import Flag, Real
from convspec.ir.init import ONES, ZEROS
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _norm as norm
from convspec.ops import _precision as precision
from convspec.ops._elementwise import elements
from convspec.ops._norm import EPS
from convspec.ops._shapes import seen_whole
from convspec.ops._spatial import spatial_rank
from convspec.ops._spatial_targets import given
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Instancenorm:
    """`instancenorm`, `instancenorm(affine = true)`."""

    eps: float = attr(Real(above=0), EPS, doc="Added to the variance under the root.")
    affine: bool = attr(Flag(), False, doc="Whether there are a weight and a bias for every channel.")


def infer(a: Instancenorm, x: TensorType) -> TensorType:
    spatial_rank("instancenorm", x)
    if all(size == 1 for size in x.spatial):
        message = "each channel has one value only, which is its own mean: the result of `instancenorm` would be 0"
        raise ShapeError(message, inputs={0: str(x)})
    norm.check_several("instancenorm", "each channel", prod(x.spatial), x)
    if a.affine:
        norm.known_channels("instancenorm", x, "has a weight for every channel")
    return x


def params(a: Instancenorm, x: TensorType) -> Mapping[str, ParamSpec]:
    if not a.affine:
        return {}
    shape = (norm.known_channels("instancenorm", x, "has a weight for every channel"),)
    return {"weight": ParamSpec(shape, ONES), "bias": ParamSpec(shape, ZEROS)}


def cost(a: Instancenorm, x: TensorType) -> Cost:
    """The sum, the difference, the square and its sum, the quotient; the product and the sum of `affine`."""
    return Cost(flops=elements(x) * (7 if a.affine else 5))


def _positions(x: TensorType) -> norm.Axes:
    return tuple(range(2, x.rank))


def receptive_field(a: Instancenorm, x: TensorType) -> Window | None:
    return seen_whole(range(2, x.rank), x.rank)


def evaluate(a: Instancenorm, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    positions = tuple(range(2, x.ndim))
    centred: Array = x - x.mean(positions, keepdims=True)
    variance: Array = (centred * centred).mean(positions, keepdims=True)
    return norm.scaled(centred / np.sqrt(variance + a.eps), p, (1,))


def to_torch(a: Instancenorm, x: TensorType) -> Lowered:
    """Native; in half precision, where PyTorch's own adds up in it, by way of float32 or as a group for every channel."""
    eps = given(eps=(a.eps, EPS))
    if not a.affine:
        y = Call("F.instance_norm", (precision.torch_widened(Arg(0), x.dtype),), eps)
        return precision.torch_narrowed(y, x.dtype)
    weights = {"weight": Weight("weight"), "bias": Weight("bias")}
    if x.dtype in precision.LOW:
        return Apply("nn.GroupNorm", (x.channels, x.channels), eps, weights=weights)
    return Apply(f"nn.InstanceNorm{x.rank - 2}d", (x.channels,), {**eps, "affine": True}, weights=weights)


def to_keras(a: Instancenorm, x: TensorType) -> Lowered:
    """One group for every channel; without weights a layer norm over the positions, for which no size needs to be known."""
    if a.affine:
        weights = {"gamma": Weight("weight"), "beta": Weight("bias")}
        return Apply("layers.GroupNormalization", (-1,), {"epsilon": a.eps}, weights=weights)
    kwargs: dict[str, Any] = {**norm.keras_axis_argument(_positions(x), x.rank), "epsilon": a.eps}
    return Apply("layers.LayerNormalization", (), {**kwargs, "center": False, "scale": False})


def to_onnx(a: Instancenorm, x: TensorType) -> Lowered:
    """InstanceNormalization, which must have weights; written out without them."""
    if a.affine:
        return Call("InstanceNormalization", (Arg(0), Weight("weight"), Weight("bias")), {"epsilon": a.eps})
    return norm.onnx_scaled(x, _positions(x), a.eps, centred=True)


OP = OpDef(
    name="instancenorm",
    attrs=Instancenorm,
    summary="every channel of every example to mean 0 and variance 1",
    formula="y[n, c, i] = (x[n, c, i] − mean[n, c]) / √(var[n, c] + eps)\n"
    "mean and var: over all positions; with `affine` then · weight[c] + bias[c]",
    shape="(N, C, n…) → (N, C, n…); weight, bias: (C)",
    source="Ulyanov et al. 2016, arXiv:1607.08022",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(64, 3x3, bias = false) -> instancenorm -> relu",
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
