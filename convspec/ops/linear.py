"""`linear`: x Wᵀ + b, also called dense or fully connected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Word
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """`linear(10)` on (N, C); `linear(10, axis = channels)` at every position of (N, C, …)."""

    features: int = attr(Integer(), positional=True, doc="Number of output features.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output feature.")
    axis: str | None = attr(
        Word(words=("channels",)),
        None,
        doc="`channels`: a tensor of any rank, each position by itself. Without it the input must have rank 2.",
    )
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform of gain 1 by default.")


def infer(a: Linear, x: TensorType) -> TensorType:
    if x.rank != 2 and a.axis is None:
        hint = f"flatten first: `-> flatten -> linear({a.features})`; or `axis = channels`, for every position by itself"
        raise ShapeError(f"`linear` takes a tensor of rank 2, not {x.rank}", inputs={0: str(x)}, hint=hint)
    if not isinstance(x.channels, int):
        message = f"the weight of `linear` has the size of its input, which must be known, but it is {x.channels}"
        pooled = f"for pictures of any size: `-> global_avgpool -> flatten -> linear({a.features})`"
        raise ShapeError(message, "CNN033", inputs={0: str(x)}, hint=pooled if a.axis is None else None)
    return x.with_shape((x.shape[0], a.features, *x.spatial))


def _inputs(x: TensorType) -> int:
    assert isinstance(x.channels, int), "infer has seen to it"
    return x.channels


def params(a: Linear, x: TensorType) -> Mapping[str, ParamSpec]:
    size = _inputs(x)
    weight = replace(a.init or Init("kaiming_uniform"), fan_in=size, fan_out=a.features)
    found = {"weight": ParamSpec((a.features, size), weight)}
    if a.bias:
        found["bias"] = ParamSpec((a.features,), Init("uniform", fan_in=size, value=1 / math.sqrt(size)))
    return found


def cost(a: Linear, x: TensorType) -> Cost:
    outputs = elements(infer(a, x))
    return Cost(macs=outputs * _inputs(x), flops=outputs if a.bias else 0)


def evaluate(a: Linear, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    y: Array = np.moveaxis(x, 1, -1) @ p["weight"].T
    return np.moveaxis(y + p["bias"] if a.bias else y, -1, 1)


def _weights(a: Linear, kernel: str, weight: Weight) -> dict[str, Weight]:
    return {kernel: weight} | ({"bias": Weight("bias")} if a.bias else {})


def to_torch(a: Linear, x: TensorType) -> Lowered:
    kwargs: dict[str, Any] = {} if a.bias else {"bias": False}
    weights = _weights(a, "weight", Weight("weight"))
    if x.rank == 2:
        return Apply("nn.Linear", (x.channels, a.features), kwargs, weights=weights)
    last = Call(".movedim", (Arg(0), 1, -1))
    return Call(".movedim", (Apply("nn.Linear", (x.channels, a.features), kwargs, (last,), weights), -1, 1))


def to_keras(a: Linear, x: TensorType) -> Lowered:
    kwargs: dict[str, Any] = {} if a.bias else {"use_bias": False}
    return Apply("layers.Dense", (a.features,), kwargs, weights=_weights(a, "kernel", Weight("weight", (1, 0))))


def to_onnx(a: Linear, x: TensorType) -> Lowered:
    """Gemm; at every position of a tensor with space, Conv with a kernel of ones, which moves no data."""
    bias = (Weight("bias"),) if a.bias else ()
    if x.rank == 2:
        return Call("Gemm", (Arg(0), Weight("weight"), *bias), {"transB": 1})
    ones = (1,) * (x.rank - 2)
    kernel = Weight("weight", reshape=(a.features, _inputs(x), *ones))
    return Call("Conv", (Arg(0), kernel, *bias), {"kernel_shape": ones})


OP = OpDef(
    name="linear",
    attrs=Linear,
    summary="x Wᵀ + b over the channels",
    infer=infer,
    params=params,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, f] = Σ_c weight[f, c] · x[n, c] + bias[f]",
    shape="(N, C) → (N, features); (N, C, n…) → (N, features, n…) with axis = channels",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image -> flatten -> linear(10)",
)
