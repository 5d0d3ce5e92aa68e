"""`separable_conv`: each channel convolved by itself, then a convolution of kernel 1 that mixes the channels.

Nothing stands between the two, and the first has no bias: the second's does as much. Kernel, stride, pads and dilation are
the first one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, Real
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _conv as shared
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops.conv import Conv
from convspec.records import dataclass

_NAME = "separable_conv"
DEPTHWISE, POINTWISE, BIAS = "depthwise.weight", "pointwise.weight", "pointwise.bias"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableConv:
    """`separable_conv(128, 3x3, pad = 1)`."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window of the first convolution.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(words=shared.PAD_WORDS), 0, doc=shared.PAD_DOC)
    pad_mode: str = attr(padding.MODE, "zeros", doc=shared.PAD_MODE_DOC)
    pad_value: float = attr(Real(), 0.0, doc=shared.PAD_VALUE_DOC)
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    multiplier: int = attr(Integer(), 1, doc="Channels between the two convolutions, for each input channel.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How both weights begin: kaiming_uniform by default.")


def resolve(a: SeparableConv, x: TensorType) -> SeparableConv:
    return replace(a, **shared.explicit(_NAME, a, x))


def _depthwise(a: SeparableConv, x: TensorType) -> Conv:
    channels = spatial.known_channels(_NAME, x)
    return Conv(
        filters=channels * a.multiplier,
        kernel=a.kernel,
        stride=a.stride,
        pad=a.pad,
        pad_mode=a.pad_mode,
        pad_value=a.pad_value,
        dilation=a.dilation,
        groups=channels,
        bias=False,
        init=a.init,
    )


def _pointwise(a: SeparableConv) -> Conv:
    ones = (1,) * len(a.kernel)
    return Conv(filters=a.filters, kernel=ones, stride=ones, pad=((0, 0),) * len(ones), dilation=ones, bias=a.bias, init=a.init)


def _between(a: SeparableConv, x: TensorType) -> TensorType:
    return shared.sizes(_NAME, _depthwise(a, x), x)


def infer(a: SeparableConv, x: TensorType) -> TensorType:
    return shared.sizes(_NAME, _pointwise(a), _between(a, x))


def params(a: SeparableConv, x: TensorType) -> Mapping[str, ParamSpec]:
    """(channels * multiplier, 1, kernel…), (filters, channels * multiplier, 1…) and (filters,)."""
    first = shared.parameters(_NAME, _depthwise(a, x), x)
    second = shared.parameters(_NAME, _pointwise(a), _between(a, x))
    found = {DEPTHWISE: first["weight"], POINTWISE: second["weight"]}
    return found | ({BIAS: second["bias"]} if a.bias else {})


def cost(a: SeparableConv, x: TensorType) -> Cost:
    first, second = shared.work(_NAME, _depthwise(a, x), x), shared.work(_NAME, _pointwise(a), _between(a, x))
    return Cost(macs=first.macs + second.macs, flops=first.flops + second.flops)


def receptive_field(a: SeparableConv, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: SeparableConv, p: Mapping[str, Array], x: Array) -> Array:
    between = shared.convolve(_depthwise(a, TensorType(x.dtype.name, x.shape)), p[DEPTHWISE], None, x)
    return shared.convolve(_pointwise(a), p[POINTWISE], p.get(BIAS), between)


def to_torch(a: SeparableConv, x: TensorType) -> Lowered:
    """A module of two layers; pads that they do not know stand before it."""
    source, pads, mode = shared.torch_padding(_depthwise(a, x))
    kwargs = write.given(
        stride=(write.squash(a.stride), 1),
        padding=(pads, 0),
        dilation=(write.squash(a.dilation), 1),
        multiplier=(a.multiplier, 1),
        bias=(a.bias, True),
        padding_mode=(mode, "zeros"),
    )
    weights = {role: Weight(role) for role in (DEPTHWISE, POINTWISE, *((BIAS,) if a.bias else ()))}
    args = (x.channels, a.filters, write.squash(a.kernel))
    return Apply(f"helpers.SeparableConv{len(a.kernel)}d", args, kwargs, (source,), weights)


def to_keras(a: SeparableConv, x: TensorType) -> Lowered:
    """Keras's own layer, which has none in 3-D. Keras keeps (kernel…, channels, multiplier) and (1…, between, filters)."""
    rank, channels = len(a.kernel), spatial.known_channels(_NAME, x)
    frame = shared.keras_frame(_NAME, _depthwise(a, x), x, depthwise=rank < 3)
    space = tuple(range(2, 2 + rank))
    if rank < 3:
        name, first = "layers", Weight(DEPTHWISE, (*space, 0, 1), (channels, a.multiplier, *a.kernel))
    else:
        name, first = "helpers", Weight(DEPTHWISE, (*space, 1, 0))
    weights = {"depthwise_kernel": first, "pointwise_kernel": Weight(POINTWISE, (*space, 1, 0))}
    weights |= {"bias": Weight(BIAS)} if a.bias else {}
    kwargs = frame.kwargs | write.given(depth_multiplier=(a.multiplier, 1), use_bias=(a.bias, True))
    args = (a.filters, write.squash(a.kernel))
    layer = Apply(f"{name}.SeparableConv{rank}D", args, kwargs, (frame.source,), weights)
    return write.keras_subsample(layer, frame.after)


def to_onnx(a: SeparableConv, x: TensorType) -> Lowered:
    first = shared.to_onnx(_depthwise(a, x), x.dtype, Weight(DEPTHWISE), None)
    return shared.to_onnx(_pointwise(a), x.dtype, Weight(POINTWISE), Weight(BIAS) if a.bias else None, first)


OP = OpDef(
    name=_NAME,
    attrs=SeparableConv,
    summary="Each channel convolved by itself, then the channels mixed, in 1-D, 2-D or 3-D",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "b[n, c·multiplier + m, i…] = Σ_j… depthwise[c·multiplier + m, 0, j…] · x̂[n, c, i·stride + j·dilation − before…]\n"
        "y[n, f, i…] = bias[f] + Σ_c pointwise[f, c, 0…] · b[n, c, i…]\n"
        "x̂ is x with the padded cells around it"
    ),
    shape="(N, C, n…) → (N, filters, ⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1…)",
    source="Chollet 2016 (Xception), arXiv:1610.02357",
    example="input image: float32[N, 64, 56, 56]\noutput image -> separable_conv(128, 3x3, pad = 1)",
)
