"""`groupnorm`: every group of channels of an example to mean 0 and variance 1, then scaled and shifted (Wu & He 2018).

A group is C / groups neighbouring channels over all positions. The weight and the bias have one number for every channel.
The variance is divided by the number of values, n, and not by n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from convspec.ir.attrs import Flag, Integer, Real
from convspec.ir.init import ONES, ZEROS
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _norm as norm
from convspec.ops import _precision as precision
from convspec.ops._elementwise import elements
from convspec.ops._norm import EPS
from convspec.ops._shapes import seen_whole
from convspec.ops._spatial_targets import given
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Groupnorm:
    """`groupnorm(32)`. `groupnorm(1)` takes all of an example together."""

    groups: int = attr(Integer(), positional=True, doc="How many groups the channels are divided into.")
    eps: float = attr(Real(above=0), EPS, doc="Added to the variance under the root.")
    affine: bool = attr(Flag(), True, doc="Whether there are a weight and a bias for every channel.")


def infer(a: Groupnorm, x: TensorType) -> TensorType:
    if not 2 <= x.rank <= 5:
        raise ShapeError(f"`groupnorm` takes a tensor of rank 2 to 5, not {x.rank}", inputs={0: str(x)})
    channels = norm.known_channels("groupnorm", x, "divides the channels into groups")
    if channels % a.groups:
        raise AttrError(f"{channels} channels cannot be divided into {a.groups} groups", "groups")
    if channels == a.groups and all(size == 1 for size in x.spatial):
        raise AttrError(f"each of {a.groups} groups has one value only, which is its own mean: the result would be 0", "groups")
    if channels == a.groups:
        norm.check_several("groupnorm", "each group", prod(x.spatial), x)
    return x


def params(a: Groupnorm, x: TensorType) -> Mapping[str, ParamSpec]:
    shape = (norm.known_channels("groupnorm", x, "divides the channels into groups"),)
    return {"weight": ParamSpec(shape, ONES), "bias": ParamSpec(shape, ZEROS)} if a.affine else {}


def cost(a: Groupnorm, x: TensorType) -> Cost:
    """The sum, the difference, the square and its sum, the quotient; the product and the sum of `affine`."""
    return Cost(flops=elements(x) * (7 if a.affine else 5))


def receptive_field(a: Groupnorm, x: TensorType) -> Window | None:
    return seen_whole(range(2, x.rank), x.rank)


def evaluate(a: Groupnorm, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    groups = x.reshape(len(x), a.groups, -1)
    centred: Array = groups - groups.mean(2, keepdims=True)
    variance: Array = (centred * centred).mean(2, keepdims=True)
    return norm.scaled((centred / np.sqrt(variance + a.eps)).reshape(x.shape), p, (1,))


def to_torch(a: Groupnorm, x: TensorType) -> Lowered:
    if not a.affine:
        return Call("F.group_norm", (Arg(0), a.groups), given(eps=(a.eps, EPS)))
    weights = {"weight": Weight("weight"), "bias": Weight("bias")}
    return Apply("nn.GroupNorm", (a.groups, x.channels), given(eps=(a.eps, EPS)), weights=weights)


def to_keras(a: Groupnorm, x: TensorType) -> Lowered:
    kwargs: dict[str, Any] = {"epsilon": a.eps}
    if not a.affine:
        return Apply("layers.GroupNormalization", (a.groups,), {**kwargs, "center": False, "scale": False})
    weights = {"gamma": Weight("weight"), "beta": Weight("bias")}
    return Apply("layers.GroupNormalization", (a.groups,), kwargs, weights=weights)


def to_onnx(a: Groupnorm, x: TensorType) -> Lowered:
    """Each group as a channel of InstanceNormalization: GroupNormalization means this from opset 21 on only, and ONNX Runtime
    loses digits in it (all but two of a tensor of mean 1,000 and variance 1).
    """
    wide, dtype = precision.onnx_widened(Arg(0), x.dtype)
    groups = Call("Reshape", (wide, Const((0, a.groups, -1), "int64")))
    ones, zeros = (Const((number,) * a.groups, dtype) for number in (1.0, 0.0))
    normalised = Call("InstanceNormalization", (groups, ones, zeros), {"epsilon": a.eps})
    y = precision.onnx_narrowed(Call("Reshape", (normalised, Call("Shape", (Arg(0),)))), x.dtype)
    return norm.onnx_affine(y, x, (1,), ("weight", "bias") if a.affine else ())


OP = OpDef(
    name="groupnorm",
    attrs=Groupnorm,
    summary="every group of channels of an example to mean 0 and variance 1, then scaled and shifted",
    formula="y[n, c, i] = (x[n, c, i] − mean) / √(var + eps) · weight[c] + bias[c]\n"
    "mean and var: over the channels of c's group and all positions of example n",
    shape="(N, C, n…) → (N, C, n…); weight, bias: (C)",
    source="Wu & He 2018, arXiv:1803.08494",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(64, 3x3) -> groupnorm(32) -> relu",
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
