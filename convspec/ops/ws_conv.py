"""`ws_conv`: a convolution whose weight is standardised first: each filter has mean 0 and variance 1 over its cells.

The variance is the mean of the squares (not the unbiased estimate), and `eps` is added to it under the root. Gradients
reach the weight that is stored through the standardisation. There is no gain: a normalisation usually follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, Real
from convspec.ir.init import Init
from convspec.ir.lowering import Call, Const, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _conv as shared
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.records import dataclass

_NAME = "ws_conv"
EPS = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class WSConv:
    """`ws_conv(64, 3x3, pad = 1, bias = false) -> groupnorm(32)`."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(words=shared.PAD_WORDS), 0, doc=shared.PAD_DOC)
    pad_mode: str = attr(padding.MODE, "zeros", doc=shared.PAD_MODE_DOC)
    pad_value: float = attr(Real(), 0.0, doc=shared.PAD_VALUE_DOC)
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    groups: int = attr(Integer(), 1, doc="Parts of the channels that are convolved apart.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    eps: float = attr(Real(above=0), EPS, doc="Added to the variance of a filter's weights before the root is taken.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")


def resolve(a: WSConv, x: TensorType) -> WSConv:
    return replace(a, **shared.explicit(_NAME, a, x))


def infer(a: WSConv, x: TensorType) -> TensorType:
    found = shared.sizes(_NAME, a, x)
    if prod(a.kernel) * shared.seen_channels(_NAME, a, x) == 1:
        raise AttrError("each filter has one weight, which becomes 0 when it is standardised", "kernel")
    return found


def params(a: WSConv, x: TensorType) -> Mapping[str, ParamSpec]:
    return shared.parameters(_NAME, a, x)


def cost(a: WSConv, x: TensorType) -> Cost:
    """As for `conv`; what standardising costs does not depend on the input, and is left out."""
    return shared.work(_NAME, a, x)


def receptive_field(a: WSConv, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: WSConv, p: Mapping[str, Array], x: Array) -> Array:
    import numpy as np

    weight = p["weight"]
    cells = tuple(range(1, weight.ndim))
    centred = weight - weight.mean(axis=cells, keepdims=True)
    variance = (centred**2).mean(axis=cells, keepdims=True)
    return shared.convolve(a, centred / np.sqrt(variance + a.eps), p.get("bias"), x)


def to_torch(a: WSConv, x: TensorType) -> Lowered:
    """A module of ours, called like torch's own."""
    return shared.to_torch(a, x, "helpers.WSConv", eps=(a.eps, EPS))


def to_keras(a: WSConv, x: TensorType) -> Lowered:
    frame = shared.keras_frame(_NAME, a, x)
    layer = shared.keras_layer("helpers.WSConv", a, frame, epsilon=(a.eps, EPS))
    return write.keras_subsample(layer, frame.after)


def to_onnx(a: WSConv, x: TensorType) -> Lowered:
    """Nodes that a runtime can compute once, since they have no input but the weight."""
    cells = Const(tuple(range(1, 2 + len(a.kernel))), "int64")
    centred = Call("Sub", (Weight("weight"), Call("ReduceMean", (Weight("weight"), cells), {"keepdims": 1})))
    variance = Call("ReduceMean", (Call("Mul", (centred, centred)), cells), {"keepdims": 1})
    weight = Call("Div", (centred, Call("Sqrt", (Call("Add", (variance, Const(a.eps, x.dtype))),))))
    return shared.to_onnx(a, x.dtype, weight, Weight("bias") if a.bias else None)


OP = OpDef(
    name=_NAME,
    attrs=WSConv,
    summary="Convolution with a standardised weight, in 1-D, 2-D or 3-D",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y = conv(x, ŵ) + bias\n"
        "ŵ[f, c, j…] = (weight[f, c, j…] − μ[f]) / √(v[f] + eps)\n"
        "μ[f] and v[f]: mean and variance of weight[f] over all c and j…"
    ),
    shape="(N, C, n…) → (N, filters, ⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1…)",
    source="Qiao et al. 2019, arXiv:1903.10520",
    example="input image: float32[N, 64, 56, 56]\noutput image -> ws_conv(64, 3x3, pad = 1, bias = false)",
)
