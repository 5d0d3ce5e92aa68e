"""`depthwise_conv`: each channel convolved by itself, with `multiplier` filters of its own.

Output channel c * multiplier + j comes from channel c by its filter j. It is `conv` with as many groups as channels, and
computes the same; here the number of output channels follows from the input's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, Real
from convspec.ir.init import Init
from convspec.ir.lowering import Lowered
from convspec.ir.opdef import Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _conv as shared
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import conv
from convspec.ops.conv import Conv
from convspec.records import dataclass

_NAME = "depthwise_conv"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthwiseConv:
    """`depthwise_conv(3x3, pad = 1)`, `depthwise_conv(3x3, 2, stride = 2)`."""

    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    multiplier: int = attr(Integer(), 1, positional=True, doc="Output channels for each input channel.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(words=shared.PAD_WORDS), 0, doc=shared.PAD_DOC)
    pad_mode: str = attr(padding.MODE, "zeros", doc=shared.PAD_MODE_DOC)
    pad_value: float = attr(Real(), 0.0, doc=shared.PAD_VALUE_DOC)
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")


def resolve(a: DepthwiseConv, x: TensorType) -> DepthwiseConv:
    return replace(a, **shared.explicit(_NAME, a, x))


def as_conv(a: DepthwiseConv, x: TensorType) -> Conv:
    """The convolution with as many groups as channels that it is."""
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
        bias=a.bias,
        init=a.init,
    )


def infer(a: DepthwiseConv, x: TensorType) -> TensorType:
    return shared.sizes(_NAME, as_conv(a, x), x)


def params(a: DepthwiseConv, x: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (channels * multiplier, 1, kernel…), the bias (channels * multiplier,)."""
    return shared.parameters(_NAME, as_conv(a, x), x)


def cost(a: DepthwiseConv, x: TensorType) -> Cost:
    return shared.work(_NAME, as_conv(a, x), x)


def receptive_field(a: DepthwiseConv, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: DepthwiseConv, p: Mapping[str, Array], x: Array) -> Array:
    return conv.evaluate(as_conv(a, TensorType(x.dtype.name, x.shape)), p, x)


def to_torch(a: DepthwiseConv, x: TensorType) -> Lowered:
    return conv.to_torch(as_conv(a, x), x)


def to_keras(a: DepthwiseConv, x: TensorType) -> Lowered:
    return shared.to_keras(_NAME, as_conv(a, x), x, a.multiplier)


def to_onnx(a: DepthwiseConv, x: TensorType) -> Lowered:
    return conv.to_onnx(as_conv(a, x), x)


OP = OpDef(
    name=_NAME,
    attrs=DepthwiseConv,
    summary="Each channel convolved by itself, in 1-D, 2-D or 3-D",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, c·multiplier + m, i…] = bias[c·multiplier + m]\n"
        "    + Σ_j… weight[c·multiplier + m, 0, j…] · x̂[n, c, i·stride + j·dilation − before…]\n"
        "x̂ is x with the padded cells around it"
    ),
    shape="(N, C, n…) → (N, C·multiplier, ⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1…)",
    source="Howard et al. 2017 (MobileNet), arXiv:1704.04861",
    example="input image: float32[N, 32, 112, 112]\noutput image -> depthwise_conv(3x3, pad = 1) -> relu6",
)
