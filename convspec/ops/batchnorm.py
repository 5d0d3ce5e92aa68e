"""`batchnorm`: every channel to mean 0 and variance 1, then scaled and shifted (Ioffe & Szegedy 2015).

Training uses the mean and the biased variance of the batch, and moves the running statistics by `momentum` towards that
mean and the unbiased variance (divided by n - 1, n the values per channel: one value is an error). Inference uses the
running statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from convspec.ir.attrs import Flag, Real
from convspec.ir.init import ONES, ZEROS
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import elements
from convspec.records import dataclass

EPS, MOMENTUM = 1e-5, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batchnorm:
    """`batchnorm`, `batchnorm(eps = 1e-3)`. `scale = false` leaves the weight out, as TensorFlow networks often do."""

    eps: float = attr(Real(above=0), EPS, doc="Added to the variance under the root.")
    momentum: float = attr(
        Real(least=0, most=1), MOMENTUM, doc="How far a training step moves the running statistics towards those of its batch."
    )
    scale: bool = attr(Flag(), True, doc="Whether there is a weight for every channel; there is a bias in any case.")


def infer(a: Batchnorm, x: TensorType) -> TensorType:
    if not 2 <= x.rank <= 5:
        raise ShapeError(f"`batchnorm` takes a tensor of rank 2 to 5, not {x.rank}", inputs={0: str(x)})
    if not isinstance(x.channels, int):
        message = f"`batchnorm` has a weight for every channel, so their number must be known, but it is {x.channels}"
        raise ShapeError(message, "CNN033", inputs={0: str(x)})
    return x


def roles(a: Batchnorm) -> tuple[str, ...]:
    return ("weight", "bias", "running_mean", "running_var") if a.scale else ("bias", "running_mean", "running_var")


def params(a: Batchnorm, x: TensorType) -> Mapping[str, ParamSpec]:
    assert isinstance(x.channels, int), "infer has seen to it"
    shape = (x.channels,)
    found = {
        "weight": ParamSpec(shape, ONES),
        "bias": ParamSpec(shape, ZEROS),
        "running_mean": ParamSpec(shape, ZEROS, trainable=False),
        "running_var": ParamSpec(shape, ONES, trainable=False),
    }
    return {role: found[role] for role in roles(a)}


def cost(a: Batchnorm, x: TensorType) -> Cost:
    """In inference: one multiplication and one addition per element, the statistics folded into them."""
    return Cost(flops=2 * elements(x))


def evaluate(a: Batchnorm, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    def per_channel(array: Array) -> Array:
        return array.reshape(-1, *[1] * (x.ndim - 2))

    y: Array = (x - per_channel(p["running_mean"])) / np.sqrt(per_channel(p["running_var"]) + a.eps)
    if a.scale:
        y = y * per_channel(p["weight"])
    return y + per_channel(p["bias"])


def to_torch(a: Batchnorm, x: TensorType) -> Lowered:
    kwargs: dict[str, Any] = {}
    if a.eps != EPS:
        kwargs["eps"] = a.eps
    if a.momentum != MOMENTUM:
        kwargs["momentum"] = a.momentum
    module = f"nn.BatchNorm{max(x.rank - 2, 1)}d" if a.scale else f"helpers.BiasBatchNorm{max(x.rank - 2, 1)}d"
    return Apply(module, (x.channels,), kwargs, weights={role: Weight(role) for role in roles(a)})


def to_keras(a: Batchnorm, x: TensorType) -> Lowered:
    """A helper with our defaults: the running variance of layers.BatchNormalization is biased."""
    kwargs: dict[str, Any] = {}
    if a.momentum != MOMENTUM:
        kwargs["momentum"] = float(1 - Decimal(repr(a.momentum)))  # Keras says how much of the old value stays
    if a.eps != EPS:
        kwargs["epsilon"] = a.eps
    if not a.scale:
        kwargs["scale"] = False
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    return Apply("helpers.BatchNorm", kwargs=kwargs, weights={names[role]: Weight(role) for role in roles(a)})


def to_onnx(a: Batchnorm, x: TensorType) -> Lowered:
    assert isinstance(x.channels, int), "infer has seen to it"
    ones = () if a.scale else (Const((1.0,) * x.channels, x.dtype),)
    weights = tuple(Weight(role) for role in roles(a))
    return Call("BatchNormalization", (Arg(0), *ones, *weights), {} if a.eps == EPS else {"epsilon": a.eps})


OP = OpDef(
    name="batchnorm",
    attrs=Batchnorm,
    summary="every channel to mean 0 and variance 1, then scaled and shifted",
    formula="y[n, c, i] = (x[n, c, i] − mean[c]) / √(var[c] + eps) · weight[c] + bias[c]\n"
    "weight is 1 without `scale`\n"
    "mean and var: of the batch in training, the running ones in inference\n"
    "after a training step: running = (1 − momentum) · running + momentum · (mean, or var · n / (n − 1))",
    shape="(N, C, n…) → (N, C, n…); weight, bias, running_mean, running_var: (C)",
    source="Ioffe & Szegedy 2015, arXiv:1502.03167",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(64, 3x3, bias = false) -> batchnorm -> relu",
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
