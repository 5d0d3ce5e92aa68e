"""`conv`: cross-correlation of 1, 2 or 3 spatial axes, with stride, dilation, groups and padding of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, Real
from convspec.ir.init import Init
from convspec.ir.lowering import Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _conv as shared
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv:
    """`conv(64, 3x3, stride = 2, pad = 1, dilation = 1, groups = 1)`."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(words=shared.PAD_WORDS), 0, doc=shared.PAD_DOC)
    pad_mode: str = attr(padding.MODE, "zeros", doc=shared.PAD_MODE_DOC)
    pad_value: float = attr(Real(), 0.0, doc=shared.PAD_VALUE_DOC)
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    groups: int = attr(Integer(), 1, doc="Parts of the channels that are convolved apart; as many as channels: depthwise.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")


def resolve(a: Conv, x: TensorType) -> Conv:
    return replace(a, **shared.explicit("conv", a, x))


def infer(a: Conv, x: TensorType) -> TensorType:
    return shared.sizes("conv", a, x)


def params(a: Conv, x: TensorType) -> Mapping[str, ParamSpec]:
    return shared.parameters("conv", a, x)


def cost(a: Conv, x: TensorType) -> Cost:
    return shared.work("conv", a, x)


def receptive_field(a: Conv, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: Conv, p: Mapping[str, Array], x: Array) -> Array:
    return shared.convolve(a, p["weight"], p.get("bias"), x)


def to_torch(a: Conv, x: TensorType) -> Lowered:
    return shared.to_torch(a, x)


def to_keras(a: Conv, x: TensorType) -> Lowered:
    return shared.to_keras("conv", a, x)


def to_onnx(a: Conv, x: TensorType) -> Lowered:
    return shared.to_onnx(a, x.dtype, Weight("weight"), Weight("bias") if a.bias else None)


OP = OpDef(
    name="conv",
    attrs=Conv,
    summary="1-D, 2-D or 3-D convolution (cross-correlation), by the input's rank",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, f, i…] = bias[f] + Σ_c Σ_j… weight[f, c, j…] · x̂[n, g(f)·C/groups + c, i·stride + j·dilation − before…]\n"
        "c < C / groups; g(f) = ⌊f · groups / filters⌋; x̂ is x with the padded cells around it"
    ),
    shape="(N, C, n…) → (N, filters, ⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1…)",
    source="",
    example="input image: float32[N, 3, 224, 224]\noutput image -> conv(64, 7x7, stride = 2, pad = 3)",
)
